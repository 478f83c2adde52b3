# What a person types wrong: exit status 2, one line, the nearest name.
. tests/cli/common.bash
cd "$WORK" || exit 1
wrong() { local text=$1; shift; run "$@"; exits 2; complains "$text"; }
wrong "nearest is train" trian
wrong "nearest is compare" compair surrogate-mlp
wrong "rheobase --help" xylophone
wrong "--versio" --versio
wrong "nearest is --size" train --sise small x
wrong "nearest is --threads" list --thread 2
wrong "nearest is --json" list --jsn
wrong "small|full" train x --size big
wrong "small|full" train x --size=
wrong "--size needs small|full" train x --size
wrong "from 1 to" train x --threads 0
wrong "from 1 to" train x --threads -1
wrong "from 1 to" train x --threads 2x
wrong "from 1 to" train x --seed 99999999999999999999
wrong "takes no value" list --json=yes
wrong "takes RECIPE..., found 0" compare
wrong "found 2 arguments" show lif if
wrong "RECIPE" train
wrong "not both" train x --resume y
wrong "leave out" train --resume y --size small
wrong "--input" run model
wrong "a name is empty" run model --input a --output b --record 1.s,,2.s
wrong "nearest is fetch" data fecth mnist
wrong "data fetch NAME" data fetch
wrong "data list" data list mnist
wrong "no --json" data fetch mnist --json
wrong "curve|raster" plot run --what rastr
run; exits 2
[[ $err == "usage: rheobase COMMAND"* && -z $out ]] || bad "no command: usage on standard error"
# after --, a word is no option; before, both forms of a value are the same
run list --json -- --json; [ "$code" != 0 ] || bad "'--json' is no kind"
complains "--json"
[ -z "$(ls -A . | grep -vE '^(out|err)$')" ] || bad "something was written"
finish
