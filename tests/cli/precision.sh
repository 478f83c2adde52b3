# precision: bf16 by name: what says so, what refuses it, and that its runs are repeatable.
. tests/cli/common.bash
cd "$WORK" || exit 1
tiny tiny.yaml
sed 's/in-32-out/in-70-50-out/' tiny.yaml >wide.yaml # above the few outputs that are never rounded
bf16="--set precision=bf16"

run plan wide.yaml; exits 0; says "float32"
run plan wide.yaml $bf16; exits 0; says "dense, bf16"; says "spikes: dense, bf16"
path=$(sed -n 's/^precision .*bf16 (\(.*\))$/\1/p' <<<"$out")
case $path in amx | avx512-bf16 | plain) ;; *) bad "plan names the path" ;; esac
run plan wide.yaml $bf16 --json; exits 0; json precision; says "bf16 ($path)"
(echo "precision: bf16"; cat wide.yaml) >named.yaml
run show ./named.yaml; exits 0; says "precision: bf16 ($path)"
run show ./wide.yaml; exits 0; says "precision: float32"
run plan wide.yaml --set precision=bf61; exits 2; complains "did you mean 'bf16'"
run plan wide.yaml --set precision=half; exits 2; complains "half"
run plan wide.yaml --set precision.bits=16; exits 2; complains precision
run gradcheck wide.yaml $bf16; exits 2; complains "precision=float32"
run bench layer-512 --exchange "$WORK/x.npz" $bf16 --set code.steps=3; exits 0

# the same bits on any number of threads; others than float32's
for threads in 1 2 3; do
    run train wide.yaml $bf16 --threads $threads --out t$threads; exits 0
    cmp -s t1/*/*/1/model.rheo t$threads/*/*/1/model.rheo || bad "$threads threads change bits"
done
run train wide.yaml --out f; exits 0
[ "$(cut -d, -f3 t1/*/*/1/metrics.csv)" != "$(cut -d, -f3 f/*/*/1/metrics.csv)" ] || bad "bf16 has losses of its own"
grep -q "\"precision\":.*\"bf16 ($path)\"" t1/*/*/1/manifest.json || bad "the manifest names the path"
grep -q "\"precision\":.*\"bf16 ($path)\"" t1/*/*/1/result.json || bad "the result names the path"
grep -q "precision bf16 ($path)" t1/*/*/1/log.txt || bad "the log names the path"
grep -q "^precision: bf16" t1/*/*/1/recipe.yaml || bad "the recipe names it"
grep -q "^precision" f/*/*/1/recipe.yaml && bad "float32 is not written: older run folders are found again"
run eval t1/*/*/1; exits 0
# the plain path is the same for every instruction set
for isa in portable avx2; do
    export RHEOBASE_ISA=$isa
    run plan wide.yaml $bf16; [ "$code" = 2 ] && continue # not on this processor
    says "bf16 (plain)"
    run train wide.yaml $bf16 --out $isa; exits 0
    cmp -s portable/*/*/1/model.rheo $isa/*/*/1/model.rheo || bad "$isa changes bits"
done
finish
