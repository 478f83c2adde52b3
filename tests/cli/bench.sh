# bench: its JSON has what INTERFACE promises; a name that is unknown; data that are not there.
. tests/cli/common.bash
run bench product --json --quiet; exits 0
json task ours_ms peer peer_ms ratio floor_ms ours_mb peer_mb threads machine versions over_floor
[ -z "$err" ] || bad "--quiet is quiet"
run bench produkt; exits 2; complains "nearest is product"
run bench stpd; exits 2; complains stdp
run bench product fc; exits 2
if [ ! -d /usr/share/datasets/fashion-mnist ]; then
    export RHEOBASE_DATA=$WORK XDG_DATA_HOME=$WORK HOME=$WORK
    run bench epoch --quiet; exits 1; complains "mnist"
fi
finish
