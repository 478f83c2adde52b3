# The README does what it says: its recipe trains, its neuron is added to a copy of the source, built,
# checked and trained, with no other file changed.
. tests/cli/common.bash
code= out= err= line=README.md
# block MARK: the code behind <!-- MARK -->
block() {
    awk -v mark="<!-- $1 -->" '$0 == mark { on = 1; next } on && /^```/ { if (on == 2) exit; on = 2; next }
        on == 2 { print }' README.md
}
for kind in 'file: mine.yaml' 'file: src/neuron/models/alif.h' 'append: src/neuron/models.def' run 'file: example.c'; do
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
mkdir "$copy"
cp -r CMakeLists.txt cmake cli docs include src recipes LICENSE "$copy"
mkdir -p "$copy/tests/cli" && cp tests/cli/json_check.c "$copy/tests/cli"
block 'file: src/neuron/models/alif.h' >"$copy/src/neuron/models/alif.h"
block 'append: src/neuron/models.def' >>"$copy/src/neuron/models.def"
cp "$WORK/mine.yaml" "$copy"
block 'file: example.c' >"$copy/example.c"
line="building with alif"
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
    *" show "*) for word in kappa Bellec rho; do says $word; done ;;
    *" train "*)
        got=$(accuracy "$out")
        awk -v got="${got:-0}" 'BEGIN { exit !(got >= 80) }' || bad "alif reaches 80 %, not '$got'" ;;
    esac
done < <(cd "$ROOT" && block run)
line=example.c
out=$(cc -std=c17 -Wall -Wextra -Werror example.c -I include build/librheobase.a -o example \
    $(pkg-config --libs hdf5 yaml-0.1 libcjson libcrypto libcurl zlib) -lm -pthread 2>&1)
code=$?; exits 0
out=$(./example); code=$?; exits 0; says "795010 parameters"
finish
