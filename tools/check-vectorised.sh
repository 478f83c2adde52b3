#!/bin/sh
# Asks gcc's report whether the loops marked VECTOR in src/neuron and src/synapse are vectorised: in
# every model and for both instruction sets. Fails with the model and line of each that is not.
# usage: tools/check-vectorised.sh [gcc]
cd "$(dirname "$0")/.." || exit 2
CC=${1:-gcc}
FLAGS="-std=c17 -O3 -D_GNU_SOURCE -ffp-contract=off -fno-math-errno -fno-trapping-math -Iinclude -Isrc"
AVX2="-mavx2 -mfma -mbmi -mbmi2 -mpopcnt"
AVX512="-mavx512f -mavx512bw -mavx512dq -mavx512vl $AVX2 -mprefer-vector-width=512"
report=$(mktemp) || exit 2
trap 'rm -f "$report"' EXIT
bad=0

# check UNIT ISA-FLAGS BYTES FILE MODEL-HEADER: every VECTOR line of FILE that the unit holds
check()
{
    if ! $CC $FLAGS $2 ${5:+-DRHEO_MODELS="\"$5\""} -fopt-info-vec -c "$1" -o /dev/null 2>"$report"
    then
        cat "$report"
        exit 2
    fi
    for line in $(grep -n 'VECTOR \*/' "$4" | cut -d: -f1); do
        # the adjoint's loop is only there in models that have one
        if [ "$line" = "$(grep -n 'VECTOR \*/' "$4" | sed -n 2p | cut -d: -f1)" ] &&
            grep -q 'RHEO_GRADIENT 0' "src/${5:-none}" 2>/dev/null; then
            continue
        fi
        if ! grep -q "$4:$line:.*loop vectorized using $3 byte" "$report"; then
            echo "not vectorised with $3 bytes: $4:$line for ${5:-$1}"
            bad=1
        fi
    done
}

for isa in avx2:32 avx512:64; do
    name=${isa%:*}
    bytes=${isa#*:}
    [ "$name" = avx2 ] && flags=$AVX2 || flags=$AVX512
    for model in $(sed -n 's/^#include "\(.*\)"/\1/p' src/neuron/models.def); do
        check src/neuron/isa_$name.c "$flags" "$bytes" src/neuron/template.h "$model"
    done
done
exit $bad
