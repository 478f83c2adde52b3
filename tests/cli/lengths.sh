# Samples of unequal length: a set whose samples end before the presentation does learns like one
# that is shown for as long as they last, and a batch gives each sample what it gives alone.
. tests/cli/common.bash
cd "$WORK" || exit 1

# bytes FILE SHAPE NUMBER…: unsigned bytes
bytes() {
    local file=$1 head="{'descr': '|u1', 'fortran_order': False, 'shape': ($2), }"
    shift 2
    printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' "$head" >"$file"
    printf "$(printf '\\x%x' "$@")" >>"$file"
}
# set FOLDER POINTS NOISE LENGTH…: 20 and 10 samples, LENGTH for all in turn; what stands behind the
# ends depends on NOISE. No LENGTH: none are told.
set_() {
    local folder=$1 points=$2 noise=$3 part n i k x y l first=0 length
    shift 3
    mkdir -p $folder
    for part in train:20 test:10; do
        n=${part#*:} x=() y=() l=()
        for ((i = first; i < first + n; i++)); do
            length=${*:1+i%($#?$#:1):1}; length=${length:-$points}
            l+=($length) y+=($((i % 2)))
            for ((k = 0; k < points; k++)); do
                x+=($(((i * 37 + k * (i % 2 ? 91 : 43) + (k < length ? 0 : noise)) % 256)))
            done
        done
        bytes $folder/x_${part%:*}.npy "$n, $points" "${x[@]}"
        bytes $folder/y_${part%:*}.npy "$n," "${y[@]}"
        [ $# = 0 ] || bytes $folder/length_${part%:*}.npy "$n," "${l[@]}"
        first=$n
    done
}
recipe() {
    sed "s/beta: 0.9/beta: 0.9, threshold: 0.05/; s/name: digits/name: npy, path: $2/; s/input: constant, steps: 5/input: series, steps: $3/" tiny.yaml |
        sed "s/batch: 64/batch: 8/" >"$1"
}
train() { # recipe, options: leaves $folder and what is learnt in $learnt
    run train "$@" --quiet --force; exits 0; folder=$out
    learnt=$(cut -d, -f1-4,6,8- "$folder/metrics.csv")
}
tiny tiny.yaml
set_ cut 5 0; set_ told 8 13 5; set_ other 8 99 5
recipe a.yaml cut 5; train a.yaml; cut=$learnt
run eval $folder; exits 0; cut_accuracy=$(grep '^accuracy  ' <<<"$out")
active() { run diagnose $folder; exits 0; awk '$1 ~ /^[12]$/ { print $1, $2, $3, $5 }' <<<"$out"; }
cut_active=$(active)
for set in told other; do
    recipe b.yaml $set 8; train b.yaml --seed 1
    [ "$learnt" = "$cut" ] || bad "$set: 5 of 8 steps are as 5: $learnt against $cut"
    run eval $folder; exits 0; says "$cut_accuracy"
    [ -n "$cut_active" ] && [ "$(active)" = "$cut_active" ] || bad "diagnose: $(active), not $cut_active"
done

# mixed: threads change nothing, and each sample is as alone
set_ mixed 8 13 8 5 2
recipe m.yaml mixed 8; train m.yaml --threads 1; cp $folder/model.rheo one
train m.yaml --threads 2; cmp -s one $folder/model.rheo || bad "threads"
at() { echo $(((60 * $1 + 90 * $2) % 256)); } # input of a sample at a step
bytes x.npy "8, 3, 1" $(for t in 0 1 2 3 4 5 6 7; do for b in 0 1 2; do at $b $t; done; done)
bytes l.npy "3," 8 5 2
run run $folder --input x.npy --lengths l.npy --output y.npy; exits 0
values() { tail -c +129 "$1" | od -An -v -tx4 -w4; } # [T,B,2]
for b in 0 1 2; do
    steps=(8 5 2); steps=${steps[$b]}
    bytes alone.npy "$steps, 1, 1" $(for ((t = 0; t < steps; t++)); do at $b $t; done)
    run run $folder --input alone.npy --output z.npy; exits 0
    want=$(values z.npy; for ((t = steps; t < 8; t++)); do echo " 00000000"; echo " 00000000"; done)
    [ "$(values y.npy | awk -v b=$b 'int((NR - 1) / 2) % 3 == b')" = "$want" ] || bad "sample $b in a batch"
done
values y.npy | grep -q '3f800000' || bad "something spikes"
# a sign unit is -1 or 1 while the sample lasts, and 0 behind its end
sed 's/net: in-32-out/net: [dense: {out: out}, neuron: {model: sign}]/; /^neuron:/d; s/membrane-ce/squared-hinge/' m.yaml >sign.yaml
train sign.yaml
run run $folder --input x.npy --lengths l.npy --output y.npy; exits 0
values y.npy | awk '{ t = int((NR - 1) / 6); b = int((NR - 1) / 2) % 3; last = b == 0 ? 8 : b == 1 ? 5 : 2
    wrong += (t < last) != ($1 == "3f800000" || $1 == "bf800000"); wrong += t >= last && $1 != "00000000" }
    END { exit wrong > 0 || NR != 48 }' || bad "of a sign unit: $(values y.npy | tr -d '\n')"

# what cannot be
run train m.yaml --set code.steps=7; exits 2
complains "npy: sample 0 lasts 8 steps, but a presentation has 7; set code.steps"
run run $folder --input x.npy --lengths l.npy --output w.npy --stream; exits 1; complains "without --stream"
bytes l.npy "3," 8 9 2
run run $folder --input x.npy --lengths l.npy --output w.npy; exits 1
complains "l.npy: sample 1 lasts 9 steps, expected 1 to 8"
bytes l.npy "2," 8 5
run run $folder --input x.npy --lengths l.npy --output w.npy; exits 2; complains "expected the steps of 3 samples"
[ -e w.npy ] && bad "nothing half written"
rm mixed/length_test.npy
run plan m.yaml; exits 1; complains "no array 'length_test', but there is 'length_train'"
finish
