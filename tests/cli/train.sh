# A run from recipe to report, as a user types it.
. tests/cli/common.bash
cd "$WORK" || exit 1
tiny tiny.yaml
run plan tiny.yaml; exits 0; says 64
run plan tiny.yaml --json; exits 0; json
[ -d runs ] && bad "plan leaves no run"
run train tiny.yaml --seed 3; exits 0
folder=runs/tiny/digits-full/3
[ "$out" = "$folder" ] || bad "the folder is printed, and nothing else"
# elsewhere than on a terminal: one line an epoch
[ "$(grep -cE '^train.* [12]/2 ' "$WORK/err")" = 2 ] || bad "one line an epoch on standard error"
grep -q "$(printf '\r')" "$WORK/err" && bad "no bar without a terminal"
for file in recipe.yaml manifest.json metrics.csv model.rheo result.json figures.npz log.txt; do
    [ -s $folder/$file ] || bad "$file is missing"
done
[ "$(ls $folder | wc -l)" = 7 ] || bad "more than the run folder's files: $(ls $folder)"
"$BUILD/json_check" name family data steps parameters accuracy reported verdict spikes_per_neuron \
    synaptic_operations macs_without_spikes energy_nj steps_to_decision train hardware command commit \
    <$folder/result.json || bad "result.json"
"$BUILD/json_check" version commit cpu isa threads seed start end data <$folder/manifest.json || bad "manifest.json"
[ "$(wc -l <$folder/metrics.csv)" = 3 ] || bad "metrics.csv has a header and a line an epoch"

# a finished run is left as it is, --force makes it again, to the same bits
cp $folder/model.rheo first; touch -d '2001-01-01' $folder/model.rheo
run train tiny.yaml --seed 3; exits 0; [ "$out" = "$folder" ] || bad "reused"
[ $folder/model.rheo -ot first ] || bad "a finished run is not trained again"
run train tiny.yaml --seed 3 --force --threads 2 --quiet; exits 0
[ -z "$err" ] || bad "--quiet"
[ first -ot $folder/model.rheo ] && cmp -s first $folder/model.rheo || bad "--force trains again, to the same bits"
# another recipe of that name: refused unless --force
sed -i 's/0.9,/0.8,/' tiny.yaml
run train tiny.yaml --seed 3; exits 2; complains "--force"
cmp -s first $folder/model.rheo || bad "the old run is untouched"
# --set makes a folder of its own
run train tiny.yaml --set learn.epochs=1 --set code.steps=2; exits 0
[[ $out =~ ^runs/tiny/digits-full-[0-9a-f]{8}/1$ ]] || bad "--set is hashed into the folder"
[ "$(wc -l <"$out/metrics.csv")" = 2 ] || bad "--set learn.epochs=1"

# the epoch whose net was kept is in the result
grep -q '"kept":.*null' $folder/result.json || bad "without restore none is named"
run train tiny.yaml --set data.validation=200 --set learn.restore=true --set learn.epochs=3 --set learn.rate=0.05; exits 0
kept=$(sed -n 's/.*"kept":[^0-9]*\([0-9]*\),.*/\1/p' "$out/result.json")
best=$(awk -F, -v most=-1 'NR > 1 && $5 + 0 > most { most = $5; at = NR - 1 } END { print at }' "$out/metrics.csv")
[ "$kept" = "$best" ] || bad "kept $kept, best $best"

run eval $folder; exits 0; says "%"
run eval $folder --json; exits 0; json accuracy
run eval $folder --split train --limit 100 --json; exits 0; json accuracy
run eval nowhere; exits 1; complains nowhere
npy x.npy 3 64
run run $folder --input x.npy --output y.npy --record 2.v; exits 0
run run $folder/model.rheo --input x.npy --output z.npy --stream; exits 0
[ -s y.npy ] && cmp -s y.npy z.npy || bad "a stream has the same bits"
[ -s y.records.npz ] || bad "records"
npy x.npy 3 65
run run $folder --input x.npy --output w.npy; [ "$code" != 0 ] || bad "65 inputs"
complains 65
[ -e w.npy ] && bad "nothing half written"
for what in curve raster membrane weights confusion; do
    run plot $folder --what $what --out $what.svg; exits 0
    grep -q '</svg>' $what.svg || bad "an SVG"
done
run report runs --out page.html; exits 0
grep -q '</html>' page.html || bad "a page"
grep -qE '(src|href)="?https?:' page.html && bad "the page loads nothing from a network"
run gradcheck tiny.yaml; exits 0
run gradcheck tiny.yaml --json; exits 0; json
run diagnose $folder; exits 0; says population
run diagnose $folder --json; exits 0; json findings
run diagnose nowhere; exits 1; complains nowhere

# numbers that leave all range: one line, and no result
run train tiny.yaml --seed 4 --set learn.rate=1e+38 --quiet; exits 1; complains "not finite in epoch 1"
[ "$(wc -l <<<"$err")" = 1 ] || bad "one line"
finish
