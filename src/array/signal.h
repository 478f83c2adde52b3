/* signal.h: what flows between nodes: an array [T,B,N], time first, in one of five forms.
 *
 *   RHEO_BITS    spikes, packed: row (t,b) is words(N) 64-bit words, neuron n is bit n%64 of word
 *                n/64, the bits beyond N are 0. The value of a bit is lo + bit*(hi-lo): 0/1 spikes
 *                have lo 0, hi 1; sign units have lo -1, hi 1.
 *   RHEO_REAL    float32, rows of `pitch` floats (N rounded up to 16; the rest is 0)
 *   RHEO_SIGNED, RHEO_COUNT, RHEO_TIMES  have their place here and come with the nodes that use them
 *
 * A static signal has one step in memory that serves all T: stride_t 0. */
#ifndef RHEO_SRC_SIGNAL_H
#define RHEO_SRC_SIGNAL_H
#include "base/context.h"

#define RHEO_MOST_STEPS   (1u << 20) /* of a window */
#define RHEO_MOST_SAMPLES (1u << 20) /* of a batch */

typedef enum { RHEO_BITS, RHEO_SIGNED, RHEO_COUNT, RHEO_REAL, RHEO_TIMES } rheo_form;

typedef struct rheo_signal {
    rheo_form form;
    uint32_t T, B, N;
    uint32_t first;  /* step of the first row in memory: not 0 where only a part of T is kept */
    uint32_t pitch;  /* elements (floats or words) between rows */
    size_t stride_t; /* elements between steps; 0: static */
    float lo, hi;
    union {
        float *real;
        uint64_t *bits;
    };
} rheo_signal;

static inline uint32_t rheo__words(uint32_t n)
{
    return n / 64 + (n % 64 != 0);
}

static inline uint32_t rheo__pitch(uint32_t n)
{
    return (n + 15) / 16 * 16;
}

/* Shapes a signal (pitch, stride) and takes its memory from the arena. */
void rheo__signal_take(rheo_signal *s, rheo_form form, uint32_t T, uint32_t B, uint32_t N,
                       bool fixed, rheo_arena *arena);
static inline float *rheo__real_row(const rheo_signal *s, uint32_t t, uint32_t b)
{
    return s->real + ((size_t)t - s->first) * s->stride_t + (size_t)b * s->pitch;
}
static inline uint64_t *rheo__bits_row(const rheo_signal *s, uint32_t t, uint32_t b)
{
    return s->bits + ((size_t)t - s->first) * s->stride_t + (size_t)b * s->pitch;
}
/* Value of one element, any form in use. */
float rheo__signal_get(const rheo_signal *s, uint32_t t, uint32_t b, uint32_t n);
/* Number of set bits in rows b0 … b1-1 of step t. */
uint64_t rheo__signal_popcount(const rheo_signal *s, uint32_t t, uint32_t b0, uint32_t b1);
#endif
