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

/* Bits of at most 31 words, eight sums of bytes side by side: each word adds 8 to a byte at most.
 * Needs no instruction that counts, which not every machine has. */
static uint64_t popcount_some(const uint64_t *word, uint32_t count)
{
    const uint64_t ones = 0x5555555555555555u, pairs = 0x3333333333333333u;
    const uint64_t nibbles = 0x0f0f0f0f0f0f0f0fu, bytes = 0x00ff00ff00ff00ffu;
    uint64_t sum = 0;
    for (uint32_t w = 0; w < count; w++) {
        uint64_t x = word[w] - (word[w] >> 1 & ones);
        x = (x & pairs) + (x >> 2 & pairs);
        sum += (x + (x >> 4)) & nibbles;
    }
    sum = (sum & bytes) + (sum >> 8 & bytes);
    return (sum * 0x0001000100010001u) >> 48;
}

uint64_t rheo__signal_popcount(const rheo_signal *s, uint32_t t, uint32_t b0, uint32_t b1)
{
    enum { SOME = 31 };
    uint64_t count = 0;
    for (uint32_t b = b0; b < b1; b++) {
        const uint64_t *row = rheo__bits_row(s, t, b);
        for (uint32_t w = 0; w < s->pitch; w += SOME)
            count += popcount_some(row + w, s->pitch - w < SOME ? s->pitch - w : SOME);
    }
    return count;
}
