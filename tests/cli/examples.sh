# The examples compile against the public headers alone, run, and show what they say.
. tests/cli/common.bash
out= err= code=0
sanitize=$(sed -n 's/^RHEO_SANITIZE:STRING=\(..*\)/-fsanitize=\1/p' "$BUILD/CMakeCache.txt")
build() {
    line="building $1"
    out=$(cc -std=c17 -Wall -Wextra -Werror $sanitize "examples/$1.c" -I include "$BUILD/librheobase.a" -o "$WORK/$1" \
        $(pkg-config --libs hdf5 yaml-0.1 libcjson libcrypto libcurl zlib) -lm -pthread 2>&1)
    code=$?; exits 0
}

build bptt-stdp
for beta in 0.5 0.9 0.98; do
    line="bptt-stdp $beta"
    out=$("$WORK/bptt-stdp" "$beta" 2>&1); code=$?; exits 0
    # METHODS: tau within 5 % of -1/ln(beta); here to 1 %, the rest is rounding
    echo "$out" | awk -v beta="$beta" '
        /^tau/ { tau = $2 }
        $1 ~ /^-?[0-9]+$/ { if ($1 < 0 && $2 != 0) late = 1; if ($1 >= 0 && $2 <= 0) early = 1; n++ }
        END { want = -1 / log(beta); off = tau / want - 1; if (off < 0) off = -off
              exit !(n == 41 && off < 0.01 && !late && !early) }' || bad "the causal half of STDP with tau = -1/ln beta"
done
line="bptt-stdp 1.5"
out=$("$WORK/bptt-stdp" 1.5 2>&1); code=$?; exits 2
finish
