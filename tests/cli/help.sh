# Help of every command, and of the command itself; the man page names each command and each option.
. tests/cli/common.bash
for ask in --help -h help; do
    run $ask; exits 0
    for command in $(commands); do says "
  $command "; done
    for absent in convert import export; do
        [[ $out == *"  $absent "* ]] && bad "$absent is promised and absent"
    done
done
[ "$(commands | wc -l)" -ge 11 ] || { line=commands.def; code= out= err=; bad "commands are missing"; }
page=$(cat docs/rheobase.1)
for command in $(commands); do
    run "$command" --help; exits 0
    says "usage: rheobase $command"
    says "
Example:
  rheobase $command"
    says "--help"
    [ -z "$err" ] || bad "help is no error"
    widest=$(awk '{ if (length($0) > w) w = length($0) } END { print w }' "$WORK/out")
    [ "$widest" -le 100 ] || bad "help is $widest columns wide"
    help=$out
    [[ $page == *".B rheobase $command"* ]] || bad "docs/rheobase.1 lacks the command"
    for option in $(grep -oE '^  --[a-z]+' <<<"$help"); do
        [[ $page == *"\\-\\-${option#--}"* ]] || bad "docs/rheobase.1 lacks $option"
    done
    run help "$command"; exits 0
    [ "$out" = "$help" ] || bad "'help $command' differs from '$command --help'"
done
# the example of the help is itself understood: no word of it is refused as an option
for command in $(commands); do
    example=$("$BUILD/rheobase" "$command" --help | tail -n 1)
    run ${example#*rheobase } --help; exits 0
done
# what is read from the environment is told there
for name in $(grep -rhoE 'getenv\("RHEOBASE_[A-Z]+' "$ROOT/src" "$ROOT/cli" | cut -d'"' -f2); do
    [[ $page == *".B $name"* ]] || bad "docs/rheobase.1 lacks $name"
done
run --version; exits 0
[[ $out =~ ^rheobase\ [0-9]+\.[0-9]+\.[0-9]+\ \(.+\)$ ]] || bad "version line"
finish
