# The README and CONTRIBUTING do what they say: the recipe trains; the neuron, and CONTRIBUTING's surrogate,
# layer, loss and encoder are added to a copy of the source, which is built; each is checked and trained.
. tests/cli/common.bash
code= out= err= line=README.md
# block MARK [FILE]: the code behind <!-- MARK -->
block() {
    awk -v mark="<!-- $1 -->" '$0 == mark { on = 1; next } on && /^```/ { if (on == 2) exit; on = 2; next }
        on == 2 { print }' "${2:-README.md}"
}
for kind in 'file: mine.yaml' 'file: src/neuron/models/saturating.h' 'append: src/neuron/models.def' run 'file: example.c'; do
    [ -n "$(block "$kind")" ] || { bad "no block '$kind'"; finish; }
done
block 'file: mine.yaml' >"$WORK/mine.yaml"
(cd "$WORK" && "$BUILD/rheobase" train mine.yaml --quiet) >"$WORK/folder"
code=$?; exits 0
accuracy() { sed -n 's/.*"mean":[[:space:]]*\([0-9.]*\).*/\1/p' "$1/result.json" | head -n 1; }
got=$(accuracy "$WORK/$(cat "$WORK/folder")")
# ten classes: chance is 10 %
awk -v got="${got:-0}" 'BEGIN { exit !(got >= 80) }' || bad "mine.yaml reaches 80 %, not '$got'"

copy=$WORK/copy
git init -q "$copy"
cp -r CMakeLists.txt cmake cli docs include src recipes LICENSE "$copy"
mkdir -p "$copy/tests/cli" && cp tests/cli/json_check.c "$copy/tests/cli"
block 'file: src/neuron/models/saturating.h' >"$copy/src/neuron/models/saturating.h"
block 'append: src/neuron/models.def' >>"$copy/src/neuron/models.def"
cp "$WORK/mine.yaml" "$copy"
for change in surrogate layer loss encoder; do
    line="CONTRIBUTING's $change"
    # a new file, and lines of one table: nothing else
    block "diff: $change" CONTRIBUTING.md >"$WORK/diff"
    tables=$(sed -n 's|^+++ b/||p' "$WORK/diff" | grep -c '\.def$')
    [ "$tables" = 1 ] || bad "changes one table, not $tables"
    [ "$change" = surrogate ] || [ "$(grep -c '^new file' "$WORK/diff")" = 1 ] || bad "adds one file"
    out=$(git -C "$copy" apply "$WORK/diff" 2>&1); code=$?; exits 0
done
block 'file: example.c' >"$copy/example.c"
line="building with the neuron and with CONTRIBUTING's four changes"
# -O0: what is tested is that it builds and works, and it is a third of the time
out=$(cmake -S "$copy" -B "$copy/build" -DCMAKE_BUILD_TYPE=Debug 2>&1 &&
    cmake --build "$copy/build" --parallel 2 --target rheobase 2>&1); code=$?; exits 0
out=$(echo "$out" | tail -n 20)
cd "$copy" || exit 1
while read -r command; do
    case $command in make) continue ;; esac
    line=$command
    out=$($command 2>"$WORK/err"); code=$?; err=$(cat "$WORK/err"); exits 0
    case $command in
    *" show "*) for word in half beta README; do says $word; done ;;
    *" train "*)
        got=$(accuracy "$out")
        awk -v got="${got:-0}" 'BEGIN { exit !(got >= 80) }' || bad "saturating reaches 80 %, not '$got'" ;;
    esac
done < <(cd "$ROOT" && block run)
each() {
    line=$1
    out=$($1 2>"$WORK/err"); code=$?; err=$(cat "$WORK/err"); exits 0
}
for name in biweight clamp rate-huber inverted; do each "build/rheobase show $name"; says "$name"; done
cat >clamped.yaml <<'Y'
name: clamped
title: a net of all four
family: spikes
data: {name: digits, batch: 32}
code: {input: inverted, steps: 10, output: rate}
net: [{dense: {out: 60}}, {clamp: {low: -2, high: 2}}, {neuron: {model: lif}}, {dense: {out: out}}]
neuron: {model: lif, surrogate: biweight}
learn: {method: bptt, loss: rate-huber, optimiser: adam, rate: 2.0e-3, epochs: 10}
Y
each "build/rheobase gradcheck clamped.yaml"
says fine
each "build/rheobase train clamped.yaml --quiet"
got=$(accuracy "$out")
awk -v got="${got:-0}" 'BEGIN { exit !(got >= 70) }' || bad "clamped.yaml reaches 70 %, not '$got'"
line=example.c
out=$(cc -std=c17 -Wall -Wextra -Werror example.c -I include build/librheobase.a -o example \
    $(pkg-config --libs hdf5 yaml-0.1 libcjson libcrypto libcurl zlib) -lm -pthread 2>&1)
code=$?; exits 0
out=$(./example); code=$?; exits 0; says "795010 parameters"
finish
