/* signal.c: shaping a signal and looking into it. */
#include "array/signal.h"

void rheo__signal_take(rheo_signal *s, rheo_form form, uint32_t T, uint32_t B, uint32_t N,
                       bool fixed, rheo_arena *arena)
{
    bool bits = form == RHEO_BITS;
    uint32_t pitch = bits ? rheo__words(N) : rheo__pitch(N);
    size_t step, count;
    *s = (rheo_signal){.form = form, .T = T, .B = B, .N = N, .pitch = pitch, .lo = 0, .hi = 1};
    if ((form != RHEO_BITS && form != RHEO_REAL) || pitch < N / 64 || !rheo__mul(B, pitch, &step) ||
        !rheo__mul(step, fixed && T ? 1 : T, &count)) {
        arena->overflow = true;
        return;
    }
    s->stride_t = fixed ? 0 : step;
    if (bits)
        s->bits = rheo__take(arena, count, sizeof *s->bits);
    else
        s->real = rheo__take(arena, count, sizeof *s->real);
}

float rheo__signal_get(const rheo_signal *s, uint32_t t, uint32_t b, uint32_t n)
{
    if (s->form == RHEO_REAL) return rheo__real_row(s, t, b)[n];
    bool bit = rheo__bits_row(s, t, b)[n / 64] >> (n % 64) & 1;
    return bit ? s->hi : s->lo;
}

uint64_t rheo__signal_popcount(const rheo_signal *s, uint32_t t, uint32_t b0, uint32_t b1)
{
    uint64_t count = 0;
    for (uint32_t b = b0; b < b1; b++) {
        const uint64_t *row = rheo__bits_row(s, t, b);
        for (uint32_t w = 0; w < s->pitch; w++) count += (uint64_t)__builtin_popcountll(row[w]);
    }
    return count;
}
