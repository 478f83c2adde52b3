# train --profile: every layer is there, the columns add up, work is what can be counted by hand, and no
# bit of what is learned changes.
. tests/cli/common.bash
cd "$WORK" || exit 1

# profiled RECIPE OPTIONS…: trains without and with --profile; the table is in $WORK/table
profiled() {
    local name=$1 sums
    shift
    run train "$name" --quiet --out plain "$@"; exits 0
    local plain=$out
    run train "$name" --quiet --out profiled --profile "$@"; exits 0
    local folder=${out##*$'\n'}
    cmp -s "$plain/model.rheo" "$folder/model.rheo" || bad "--profile changes bits"
    grep -q profile "$folder/result.json" && bad "result.json keeps what it promises"
    printf '%s\n' "$out" >table
    # a node is a name and a kind, of which the plan tells its options too
    "$BUILD/rheobase" plan "$name" --json "$@" | awk -F'"' '$2 == "node" { n = $4 } $2 == "kind" { split($4, k, " "); print n, k[1] }' |
        sort -u >nodes
    awk 'NF == 10 && $1 != "node" && $1 != "-" { print $1, $2 }' table | sort -u | cmp -s - nodes || bad "nodes: $(cat nodes table)"
    [ -s nodes ] || bad "the plan has nodes"
    # nodes and rests are all of the training, in time, share, work and bytes; each was rounded
    sums=$(awk 'NF == 10 && $1 != "node" {
            if ($3 == "training") { for (i = 5; i <= 9; i++) all[i] = $i; exit }
            if ($3 == "other") other = $6
            rows++
            for (i = 5; i <= 9; i++) sum[i] += $i
        }
        END {
            for (i = 5; i <= 9; i++)
                if ((sum[i] - all[i]) ^ 2 > (0.01 * (rows + 1)) ^ 2) print "column " i ": " sum[i] " against " all[i]
            if (rows < 5) print rows " rows"
            if (other > 5 || other < -0.01) print "other: " other " %"
        }' table)
    [ -z "$sums" ] || bad "$sums: $(cat table)"
}
# has NODE KIND PHASE CALLS [MMAC]: 0 MMAC unless told
has() {
    awk -v n="$1" -v k="$2" -v p="$3" -v c="$4" -v m="${5-0.000}" \
        '$1 == n && $2 == k && $3 == p && $4 == c && $7 == m { f = 1 } END { exit !f }' table ||
        bad "no line $*: $(cat table)"
}

tiny tiny.yaml
profiled tiny.yaml --threads 2
# 1297 samples twice in 21 batches of 64; 64 inputs that stand still onto 32, spikes of 32 onto 10 at 5 steps
has 1 dense forward 42 5.313
has 1 dense gradient 42 5.313
has 1 dense update 42
has 1 lif backward 42 4.150 # asks the 10 outputs for its gradient: 32 synapses each, at 5 steps
has - - data 42
run train tiny.yaml --out profiled --profile --threads 2; exits 0
[[ $err == *"nothing was trained"* && $out == profiled/* ]] || bad "a finished run has no profile, and says so"
run train --resume "$out" --profile; exits 2; complains "--profile"

# first weights are scaled before the first batch, and are none
profiled tiny.yaml --set learn.target_rate=0.1 --set learn.epochs=1
has - - scaling 1
has - - data 21
has 1 lif forward 21

# currents made anew: of three segments of 80 steps the last still stands
profiled tiny.yaml --set learn.memory=low --set code.steps=80 --set learn.epochs=1 --set data.validation=97
has 1 lif forward 57
grep -qE '^2 +dense +forward +95 ' table || bad "three segments and two of them again: $(cat table)"

# a loop is stepped
sed 's/net: in-32-out/net: in-32r-out/' tiny.yaml >loop.yaml
profiled loop.yaml --set learn.epochs=1
grep -qE '^1 +lif +forward +105 ' table || bad "21 batches of 5 steps: $(cat table)"

# local learning: no backward, and weights are normalised
profiled diehl-cook-2015 --set data.name=digits --set data.train=30 --set data.test=20 \
    --set code.steps=100 --set code.duration=40 --set code.label=30
grep -qE ' (backward|gradient) ' table && bad "local learning goes back: $(cat table)"
grep -qE ' update +30 ' table || bad "30 samples, 30 normalisations: $(cat table)"
finish
