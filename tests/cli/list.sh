# What list and show say is what there is: every kind, every thing of it, as text and JSON.
. tests/cli/common.bash
run list; exits 0
kinds=$(grep -E '^[a-z]+$' <<<"$out")
for kind in neurons synapses surrogates layers losses encoders optimisers learners datasets recipes chips energies; do
    [[ $kinds == *$kind* ]] || bad "$kind is a heading"
done
page=$(tr -d '\n' <docs/rheobase.1)
for kind in $kinds; do
    [[ $page == *[\ ,]$kind[,.]* ]] || bad "docs/rheobase.1 lacks $kind"
    run list $kind; exits 0
    [ "$(wc -l <"$WORK/out")" -gt 0 ] || bad "$kind are there"
    run list $kind --json; exits 0; json
done
run list recipes; exits 0
for recipe in recipes/*.yaml; do says "$(basename "$recipe" .yaml)"; done
run list --json; exits 0; json
for thing in lif if surrogate-mlp mnist adam bptt atan; do
    run show $thing; exits 0; says "$thing"
    run show $thing --json; exits 0; json
done
for model in src/neuron/models/*.h; do
    name=$(sed -n 's/^#define RHEO_NAME *"\(.*\)"$/\1/p' "$model")
    [ -n "$name" ] || continue
    run show "$name"; exits 0
    for option in $(grep -oE 'RHEO_[A-Z]+_FIELD\("[^"]+"' "$model" | cut -d'"' -f2); do says "$option"; done
done
run data list; exits 0; says digits
run data list --json; exits 0; json name
run data info src/base/base.c; [ "$code" != 0 ] || bad "no data"
complains src/base/base.c
finish
