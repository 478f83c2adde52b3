# The five systems end to end on MNIST, at a fifth of a minute each: small, with 20,000 training and 2,000
# test images. A linear softmax (net in-out of identity units, cross-entropy, Adam 2e-3 with a cosine
# schedule, 20 epochs) reaches 89.15 % with these images, chance 10 %. Four sources report more than a
# linear softmax can, so the floor of their recipes lies above it; Diehl and Cook's 100 neurons, which see
# no label, have theirs above chance.
. tests/cli/common.bash
cd "$WORK" || exit 1
grep -q '^RHEO_SANITIZE:STRING=.' "$BUILD/CMakeCache.txt" && skip "minutes under a sanitizer"
run data list
[[ $(grep '^mnist ' <<<"$out") != *"not found"* ]] || skip "MNIST is not on RHEOBASE_DATA"
# system NAME FLOOR RULE SETTING…: RULE is mean (ties wrong) or source_rule (the first maximum)
system() {
    local name=$1 floor=$2 rule=$3 set=()
    shift 3
    for setting; do set+=(--set "$setting"); done
    run train "$name" --size small "${set[@]}" --out runs
    exits 0
    local result=$out/result.json
    [ -s "$result" ] || { bad "no result"; return; }
    local reached
    reached=$(tr -d '\n\t ' <"$result" | sed "s/.*\"accuracy\":{\([^}]*\)}.*/\1/" | tr ',' '\n' |
        sed -n "s/^\"$rule\":\([0-9.]*\)$/\1/p")
    awk -v a="$reached" -v b="$floor" 'BEGIN { exit !(a >= b) }' ||
        bad "$rule is $reached %, expected $floor % at least"
    echo "$name $reached"
}
more="data.train=20000 data.test=2000"
system surrogate-mlp 90 source_rule $more learn.epochs=3
system binarynet-mlp 90 mean $more learn.epochs=3
system diehl2015-mlp 92 mean $more learn.0.epochs=2
system softlif-mlp 90.5 mean $more learn.0.epochs=2
system diehl-cook-2015 60 mean
finish
