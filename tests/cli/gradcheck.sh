# gradcheck: what it says of gradients that are 0 by nature, and that it sees all of what is learnt.
. tests/cli/common.bash
cd "$WORK" || exit 1
tiny tiny.yaml
# a batch normalisation takes its inputs' means off, so a bias before it has the gradient 0
for net in in-32b-out in-4c3b-2m-6c3b-20b-out; do
    run gradcheck tiny.yaml --set net=$net; exits 0
    [ "$(grep -c ' fine$' <<<"$out")" -ge 6 ] && ! grep -q ' OFF$' <<<"$out" || bad "gradients are right"
    bias=$(grep '^1.bias' <<<"$out") # both figures near rounding, not a ratio of two roundings
    [[ $bias =~ e-[0-9]+\ +[0-9.]+e-0[5-9]\ +fine ]] || bad "the bias before the normalisation: $bias"
done

# regularisers are part of what is made small
run gradcheck tiny.yaml; plain=$out
for rules in '{sparse: {strength: 0.1, power: 2, layers: all}, upper: {strength: 10, bound: 0.01}}' \
    '{lower: {strength: 10, bound: 0.9, layers: output}, force: {strength: 10, bound: 5}}' \
    '{upper: {of: membrane, strength: 10, bound: -9}, sparse: {of: membrane, strength: 0.1, layers: all}}'; do
    for loss in membrane-ce rate-ce; do
        sed "s/loss: membrane-ce/loss: $loss/; s/epochs: 2/epochs: 2, regularise: $rules/" tiny.yaml >held.yaml
        run gradcheck held.yaml; exits 0
        [ "$out" != "$plain" ] || bad "figures of their own"
    done
done
finish
