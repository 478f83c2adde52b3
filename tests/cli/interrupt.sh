# Ctrl-C, SIGTERM and SIGKILL in mid-training, and going on: to the same bits as without.
. tests/cli/common.bash
cd "$WORK" || exit 1
tiny long.yaml long 30
run train long.yaml --out whole; exits 0
start() { "$BUILD/rheobase" train long.yaml --out "$1" >"$WORK/first.out" 2>"$WORK/first.err" & child=$!; }
# stop DIR SIGNAL: once a first checkpoint is there
stop() {
    start "$1"
    await "$1/long/digits-full/1/checkpoint.rheo" || { kill -9 $child; exit 1; }
    kill -"$2" $child
    wait $child 2>/dev/null
    code=$?; out=$(cat "$WORK/first.out"); err=$(cat "$WORK/first.err"); line="train, then SIG$2"
}
same() {
    cmp -s "whole/long/digits-full/1/model.rheo" "$1/long/digits-full/1/model.rheo" || bad "the same bits"
    [ ! -e "$1/long/digits-full/1/checkpoint.rheo" ] || bad "the checkpoint goes when the run is complete"
}
for signal in INT TERM KILL; do
    stop $signal $signal
    folder=$signal/long/digits-full/1
    if [ $signal = KILL ]; then exits 137; else
        exits 130
        [[ $(tail -n 1 <<<"$err") == "rheobase: "*checkpoint* ]] || bad "says that a checkpoint was kept"
        [ -z "$out" ] || bad "no result"
    fi
    [ -e $folder/checkpoint.rheo ] && [ ! -e $folder/result.json ] || bad "a checkpoint and no result"
    [ $signal = INT ] && { run train --resume $folder; exits 0; }
    [ $signal = INT ] || { run train long.yaml --out $signal; exits 0; }
    same $signal
done
# two runs never share a folder
start both
await both/long/digits-full/1 || exit 1
run train long.yaml --out both
exits 1; complains both/long/digits-full/1
kill -INT $child; wait $child
run train long.yaml --out both; exits 0; same both
run train --resume nowhere; exits 1; complains nowhere
finish
