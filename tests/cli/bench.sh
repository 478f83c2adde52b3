# bench: its JSON has what INTERFACE promises; a name that is unknown; data that are not there; what it
# hands to `make bench-peers`.
. tests/cli/common.bash
run bench product --json --quiet; exits 0
json task ours_ms peer peer_ms ratio floor_ms ours_mb peer_mb threads machine versions over_floor
[ -z "$err" ] || bad "--quiet is quiet"
run bench produkt; exits 2; complains "did you mean 'product'?"
run bench stpd; exits 2; complains stdp
run bench product fc; exits 2
for option in "--exchange $WORK/x.npz" --turns "--set neuron.beta=0.5"; do
    run bench $option; exits 2; complains "need a TASK"
done
run bench stream --set neuron.beta=0.5; exits 2; complains "--set goes with"
run bench stream --turns --exchange "$WORK/x.npz"; exits 2; complains "two calls"
run bench stream --exchange "$WORK/x.npz" --set neuron.beta=0.5; exits 0
[ -s "$WORK/x.npz" ] || bad "the exchange's file is missing"
run bench stdp-100 --exchange "$WORK/y.npz"; exits 1; complains "no other program's twin"
printf '\n\n' >"$WORK/lines"
"$BUILD/rheobase" bench stream --turns --quiet <"$WORK/lines" >"$WORK/out"
[ "$(grep -cE '^(ready|[0-9.e-]+ [0-9.e-]+ [0-9]+)$' "$WORK/out")/$(wc -l <"$WORK/out")" = 3/3 ] ||
    bad "two lines ask for two runs: $(cat "$WORK/out")"
if [ ! -d /usr/share/datasets/fashion-mnist ]; then
    export RHEOBASE_DATA=$WORK XDG_DATA_HOME=$WORK HOME=$WORK
    run bench epoch --quiet; exits 1; complains "mnist"
fi
finish
