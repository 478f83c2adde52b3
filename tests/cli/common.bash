# common.bash: what the tests of the command share. A test is `bash tests/cli/x.sh BUILD`, run in the
# repository's root; it ends with `finish`. Nothing is written outside $WORK.
set -u
ROOT=$PWD
BUILD=$1
export RHEOBASE_RECIPES=$ROOT/recipes
[ -x "$BUILD/rheobase" ] || { echo "no $BUILD/rheobase: build first"; exit 1; }
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
failures=0

# run ARGUMENTS…: the command; leaves $code, $out and $err
run() {
    "$BUILD/rheobase" "$@" >"$WORK/out" 2>"$WORK/err" </dev/null
    code=$?
    out=$(cat "$WORK/out")
    err=$(cat "$WORK/err")
    line="rheobase $*"
}
bad() {
    printf '%s: %s\n  exit %s\n  out: %.300s\n  err: %.300s\n' "$line" "$1" "$code" "$out" "$err"
    failures=$((failures + 1))
}
exits() { [ "$code" = "$1" ] || bad "exit status should be $1"; }
says() { [[ $out == *"$1"* ]] || bad "output lacks '$1'"; }
# one line on standard error, "rheobase: …", with this in it
complains() {
    [[ $err == "rheobase: "* && $(wc -l <"$WORK/err") = 1 ]] || bad "an error is one line 'rheobase: …'"
    [[ $err == *"$1"* ]] || bad "message lacks '$1'"
    [ -z "$out" ] || bad "an error leaves standard output empty"
}
json() { "$BUILD/json_check" "$@" <"$WORK/out" || bad "not the JSON that was asked for: $*"; }
skip() { echo "skipped: $1"; exit 77; }
finish() { [ "$failures" = 0 ] || { echo "$failures failures"; exit 1; }; exit 0; }
commands() { sed -n 's/^CLI_COMMAND(\(.*\))$/\1/p' "$ROOT/cli/commands.def"; }

# A system of a second on the built-in digits. tiny FILE [NAME [EPOCHS]]
tiny() {
    cat >"$1" <<Y
name: ${2:-tiny}
title: a small net for tests
family: spikes
source: {paper: "none", id: "none", where: "tests"}
data: {name: digits, validation: 0, batch: 64}
code: {input: constant, steps: 5, output: rate}
net: in-32-out
neuron: {model: lif, beta: 0.9, surrogate: atan}
learn: {method: bptt, loss: membrane-ce, optimiser: adam, rate: 2.0e-3, epochs: ${3:-2}}
Y
}
# npy FILE ROWS COLUMNS: zeros, float32
npy() {
    local head="{'descr': '<f4', 'fortran_order': False, 'shape': ($2, $3), }"
    printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' "$head" >"$1"
    head -c $((4 * $2 * $3)) /dev/zero >>"$1"
}
# waits (20 s at most) until a file is there
await() {
    local tries=400
    until [ -e "$1" ]; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || { echo "no $1 in 20 s"; return 1; }
        sleep 0.05
    done
}
