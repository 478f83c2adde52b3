# A folder that may not be written, a file that may not grow: one line, exit status 1, nothing half
# written that a later run would take for whole.
. tests/cli/common.bash
cd "$WORK" || exit 1
tiny tiny.yaml
line="train into a full disk"
# files of 4 KiB at most; the signal is ignored, so that write fails as on a full disk
(trap '' XFSZ; ulimit -f 4; exec "$BUILD/rheobase" train tiny.yaml --quiet) >"$WORK/out" 2>"$WORK/err"
code=$?; out=$(cat "$WORK/out"); err=$(cat "$WORK/err")
exits 1; complains runs/tiny/digits-full/1
[ -e runs/tiny/digits-full/1/model.rheo ] && bad "half a model was left"
[ -e runs/tiny/digits-full/1/result.json ] && bad "no result without a model"
run train tiny.yaml; exits 0

mkdir locked; chmod 555 locked
user=()
if [ "$(id -u)" = 0 ]; then
    command -v setpriv >/dev/null || finish
    chmod 755 "$WORK"; user=(setpriv --reuid 65534 --regid 65534 --clear-groups)
fi
line="train into a folder that may not be written"
"${user[@]}" "$BUILD/rheobase" train tiny.yaml --quiet --out locked >"$WORK/out" 2>"$WORK/err"
code=$?; out=$(cat "$WORK/out"); err=$(cat "$WORK/err")
exits 1; complains locked
[ -z "$(ls -A locked)" ] || bad "nothing is left"
finish
