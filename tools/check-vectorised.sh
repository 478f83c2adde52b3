#!/bin/sh
# Asks gcc's report whether the loops marked VECTOR, and the surrogates, are vectorised: in every
# neuron model and plasticity rule, for AVX2 and AVX-512, each time they are inlined. Names every loop
# that is not, and fails then.
# usage: tools/check-vectorised.sh [gcc]
cd "$(dirname "$0")/.." || exit 2
CC=${1:-gcc}
# as in CMakeLists.txt
FLAGS="-std=c17 -O3 -D_GNU_SOURCE -ffp-contract=off -fno-math-errno -fno-trapping-math -Iinclude -Isrc"
AVX2="-mavx2 -mfma -mbmi -mbmi2 -mpopcnt"
AVX512="-mavx512f -mavx512bw -mavx512dq -mavx512vl $AVX2 -mprefer-vector-width=512"
report=$(mktemp) || exit 2
trap 'rm -f "$report"' EXIT
bad=0

# build UNIT FLAGS…: leaves the vectoriser's report
build()
{
    # shellcheck disable=SC2086 # flags are words
    if ! $CC $FLAGS "$@" -fopt-info-vec-all -fopt-info-loop -c -o /dev/null 2>"$report"; then
        cat "$report"
        exit 2
    fi
}

# line FILE NUMBER BYTES WHAT: a plain copy that became a library call is fine too
line()
{
    if ! grep -q "$1:$2:.*\(loop vectorized using $3 byte\|library calls\)" "$report" ||
        grep -q "$1:$2:.*couldn't vectorize loop" "$report"; then
        echo "not vectorised with $3 bytes: $1:$2, $4"
        bad=1
    fi
}

marks() { grep -n 'VECTOR \*/$' "$1" | cut -d: -f1; }

for isa in avx2:32 avx512:64; do
    name=${isa%:*}
    bytes=${isa#*:}
    [ "$name" = avx2 ] && flags=$AVX2 || flags=$AVX512
    for model in $(sed -n 's/^#include "\(.*\)"/\1/p' src/neuron/models.def); do
        # shellcheck disable=SC2086
        build $flags -DRHEO_ISA=rheo__neuron_$name -DRHEO_MODEL_HEADER="\"$model\"" \
            -x c src/neuron/loops.inc
        count=2 # the step, and the step back where there is a gradient
        grep -q '^#define RHEO_GRADIENT *0' "src/$model" && count=1
        for mark in $(marks src/neuron/template.h | head -n $count); do
            line src/neuron/template.h "$mark" "$bytes" "$model"
        done
    done
    # shellcheck disable=SC2086
    build $flags src/neuron/isa_$name.c
    for mark in $(grep -n '^RHEO_SURROGATE' src/neuron/surrogates.def | cut -d: -f1); do
        line src/neuron/surrogates.def "$mark" "$bytes" "surrogates"
    done
    # shellcheck disable=SC2086
    build $flags src/synapse/isa_$name.c
    for mark in $(marks src/synapse/template.h); do
        line src/synapse/template.h "$mark" "$bytes" "plasticity"
    done
done
exit $bad
