# memory: the process's peak above its size after loading the data is what the plan predicts, within
# 10 % or 8 MB (of the built-in digits, in a net and batch large enough for that to mean something).
. tests/cli/common.bash
grep -q "^RHEO_SANITIZE:STRING=." "$BUILD/CMakeCache.txt" && skip "a sanitizer takes memory of its own"
number() { grep -o "\"$1\":[[:space:]]*[0-9.e+]*" "$2" | head -1 | sed 's/.*://'; }
options=(--threads 2 --set data.name=digits --set net=in-10000-out --set data.batch=256)
run plan recipes/surrogate-mlp.yaml "${options[@]}" --json; exits 0
printf '%s' "$out" >"$WORK/plan.json"
run train recipes/surrogate-mlp.yaml "${options[@]}" --out "$WORK/runs" --quiet; exits 0
predicted=$(number peak_bytes "$WORK/plan.json")
measured=$(number peak_mb "$WORK"/runs/surrogate-mlp/*/1/result.json)
awk -v p="$predicted" -v m="$measured" 'BEGIN {
    d = m - p / 1e6; if (d < 0) d = -d
    exit !(p > 1e8 && (d <= 8 || d <= 0.1 * p / 1e6)) }' ||
    bad "the peak is $measured MB, the plan said $predicted bytes"
finish
