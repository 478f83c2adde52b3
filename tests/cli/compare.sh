# compare: the table in all its forms, a second time at once, seeds, two runs at once.
. tests/cli/common.bash
cd "$WORK" || exit 1
tiny a.yaml first 1; tiny b.yaml second 1
run compare a.yaml b.yaml --out c --seeds 2; exits 0; says first; says second; says verdict
[[ $err == *c/report.html* ]] || bad "says where the report is"
for file in table.md table.csv table.json report.html; do [ -s c/$file ] || bad "$file"; done
"$BUILD/json_check" name family accuracy energy_nj hardware verdict <c/table.json || bad "table.json"
[ "$(wc -l <c/table.csv)" = 3 ] || bad "a header and a row a system"
find c -name model.rheo -exec sha256sum {} + | sort >first
[ "$(wc -l <first)" = 4 ] || bad "two systems, two seeds"
find c -name model.rheo -exec touch -d 2001-01-01 {} +
run compare a.yaml b.yaml --out c --seeds 2 --json; exits 0; json name family accuracy
[ -z "$(find c -name model.rheo -newermt 2002-01-01)" ] || bad "finished runs are reused"
run compare a.yaml b.yaml --out d --seeds 2 --jobs 2 --quiet; exits 0
[ -z "$err" ] || bad "--quiet"
cmp -s <(cut -c1-64 first) <(find d -name model.rheo -exec sha256sum {} + | sort | cut -c1-64) || bad "jobs change no bit"
run compare a.yaml nowhere --out e; exits 2; complains nowhere
finish
