# bench-peers end to end on one quick task: spikes and gradients agree, and where they do not nothing is
# timed. RHEOBASE_PEERS is the folder that bench/peers/setup made.
. tests/cli/common.bash
python=${RHEOBASE_PEERS:-$HOME/.cache/rheobase/peers}/bin/python
"$python" -c 'import snntorch' 2>/dev/null || skip "no snntorch at $python (bench/peers/setup makes it)"
line="bench/peers/run.py"
"$python" bench/peers/run.py --rheobase "$BUILD/rheobase" --python "$python" --task stream --peer snntorch \
    --quick --table "$WORK/t.md" >/dev/null 2>"$WORK/err" || bad "$(tail -1 "$WORK/err")"
grep -q '^| \*\*stream\*\* | snntorch | [0-9].*spikes 0.0e+00' "$WORK/t.md" || bad "no equal row in $(tail -2 "$WORK/t.md")"
# steps, batch and input are our side's; Norse takes its own reset, threshold and surrogate
for key in $("$python" -c "import sys; sys.path.insert(0, 'bench/peers'); import table; print(*table.NORSE)"); do
    norse+=(--set "$key")
done
run bench fc --exchange "$WORK/n.npz" "${norse[@]}" --set code.steps=12 --set data.batch=16
"$python" bench/peers/worker.py check fc norse "$WORK/n.npz" 1 >"$WORK/out" || bad "the check ended"
"$python" - "$WORK/out" <<'P' || bad "fc and Norse: $(cat "$WORK/out")"
import json, sys
sys.path.insert(0, 'bench/peers')
import table
found = json.load(open(sys.argv[1]))
sys.exit(table.unequal(found) or not min(found['rates']) > 0)
P
# another decay on our side: found, and not timed
run bench stream --exchange "$WORK/x.npz" --set neuron.beta=0.6
"$python" bench/peers/worker.py check stream snntorch "$WORK/x.npz" 1 >"$WORK/out" || bad "the check ended"
"$python" - "$WORK/out" <<'P' || bad "a net that decays otherwise was taken for equal"
import json, sys
sys.path.insert(0, 'bench/peers')
import table
sys.exit('NOT EQUAL' not in table.unequal(json.load(open(sys.argv[1]))))
P
finish
