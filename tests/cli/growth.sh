# tools/growth: its slopes and its cliffs, and one cost from the command to the page.
. tests/cli/common.bash
command -v python3 >/dev/null || skip "no python3"
line="tests/growth_slopes.py"
python3 tests/growth_slopes.py 2>"$WORK/err" || bad "$(cat "$WORK/err")"
line="tools/growth --only T-layer"
python3 tools/growth "$BUILD/rheobase" --out "$WORK" --seconds 0 --only T-layer 2>"$WORK/err" || bad "$(tail -1 "$WORK/err")"
grep -q '^| T-layer .* steps | 31 … 1000 ' "$WORK/growth.md" || bad "no row in $(cat "$WORK/growth.md")"
[ "$(grep -o '<circle' "$WORK/growth.svg" | wc -l)" = 6 ] || bad "six points"
finish
