# bench-peers: its statistics and its table; our half runs where there is no environment with the peers.
. tests/cli/common.bash
command -v python3 >/dev/null || skip "no python3"
line="tests/peers_table.py"
python3 tests/peers_table.py 2>"$WORK/err" || bad "$(cat "$WORK/err")"
line="bench/peers/run.py"
python3 bench/peers/run.py --rheobase "$BUILD/rheobase" --task stream --quick --json "$WORK/out" \
    --table "$WORK/t.md" >/dev/null 2>"$WORK/err" || bad "$(tail -1 "$WORK/err")"
grep -q "our half" "$WORK/err" || bad "it does not say that the peers are missing"
grep -q '^| stream | – | [0-9]' "$WORK/t.md" || bad "no row in $(cat "$WORK/t.md")"
json machine command rows || bad "no JSON"
finish
