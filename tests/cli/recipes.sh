# A recipe with a mistake: one line with file, line and the nearest name; exit status 2.
. tests/cli/common.bash
cd "$WORK" || exit 1
# mistake SED TEXT…: the tiny recipe changed by SED is refused with all the texts
mistake() {
    tiny tiny.yaml; sed -i "$1" tiny.yaml
    cmp -s tiny.yaml <(tiny /dev/stdout) && { line=$1; bad "the test's change does nothing"; }
    run plan tiny.yaml; exits 2
    shift; for text; do complains "$text"; done
}
mistake 's/neuron:/nueron:/' tiny.yaml:8 nueron neuron
mistake 's/surrogate: atan/surogate: atan/' tiny.yaml:8 surrogate
mistake 's/model: lif/model: lifx/' tiny.yaml:8 lifx lif
mistake 's/surrogate: atan/surrogate: atn/' tiny.yaml:8 atan
mistake 's/optimiser: adam/optimiser: adan/' adam
mistake 's/membrane-ce/membrane-cd/' membrane-ce
mistake 's/method: bptt/method: bpt/' bptt
mistake 's/input: constant/input: konstant/' constant
mistake 's/beta: 0.9/beta: 1.9/' beta 1.9
mistake 's/beta: 0.9/beta: warm/' beta warm
mistake 's/steps: 5/steps: 0/' steps
mistake 's/steps: 5/steps: 5.5/' steps
mistake 's/batch: 64/batch: -1/' batch
mistake 's/in-32-out/in-32y-out/' 32y
mistake 's/in-32-out/in-32/' net
mistake 's/in-32-out/99999999999-out/' net
mistake 's/name: digits/name: digitz/' digits
mistake 's/^data: {/data: {{/' tiny.yaml
mistake '/^net:/d' net
tiny tiny.yaml
run plan tiny.yaml --set learn.raet=1; exits 2; complains rate
run plan tiny.yaml --set learn.rate; exits 2; complains learn.rate
run plan tiny.yaml --set learn.rate=-1; exits 2; complains rate
run plan surogate-mlp; exits 2; complains surrogate-mlp
run plan nowhere/tiny.yaml; [ "$code" != 0 ] || bad "no such file"
complains nowhere/tiny.yaml
run show lfi; exits 2; complains lif
run list neuron; [ "$code" = 0 ] || complains neurons
# what a plan says of each layer adds up: 4 maps of 6 x 6 places and 3 x 3 taps, then 144 to 10
tiny tiny.yaml; sed -i 's/in-32-out/in-4c3-out/' tiny.yaml
run plan tiny.yaml; exits 0
macs=$(awk '/^[0-9]/ && $4 > 0 && $4 !~ /[a-z]/ { printf "%s ", $4 }' <<<"$out")
[ "$macs" = "1296 1440 " ] || bad "MACs of the layers are 1296 and 1440, not $macs"
says " 2736 a sample"
head -c 100000 /dev/urandom >noise.yaml
run plan noise.yaml; exits 2; complains noise.yaml
finish
