# Standard output that breaks or is full.
. tests/cli/common.bash
line="rheobase list | true" out= err=
"$BUILD/rheobase" list 2>"$WORK/err" | true
code=${PIPESTATUS[0]}; err=$(cat "$WORK/err")
exits 0
[ -z "$err" ] || bad "a closed pipe is no error"
if [ -w /dev/full ]; then
    line="rheobase list > /dev/full"
    "$BUILD/rheobase" list >/dev/full 2>"$WORK/err"
    code=$?; err=$(cat "$WORK/err")
    exits 1; complains "standard output"
fi
finish
