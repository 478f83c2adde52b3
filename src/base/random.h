/* random.h: counter-based random numbers, Philox4x32-10 (Salmon et al. 2011, "Parallel random
 * numbers: as easy as 1, 2, 3"). No state: a number is a function of (seed, node, purpose) and
 * (sample, show, step, element), so order, threads, batches and restarts change nothing. */
#ifndef RHEO_SRC_RANDOM_H
#define RHEO_SRC_RANDOM_H
#include <stdint.h>

typedef enum {
    RHEO_FOR_WEIGHTS,
    RHEO_FOR_SHUFFLE,
    RHEO_FOR_DROPOUT,
    RHEO_FOR_NOISE,
    RHEO_FOR_ENCODER,
    RHEO_FOR_DELAY,
    RHEO_FOR_SPLIT,
    RHEO_FOR_TEST,
    RHEO_FOR_SURROGATE
} rheo_purpose;

typedef struct rheo_key {
    uint32_t k[2];
} rheo_key;

/* Mixes the three into a key (itself one Philox call). */
rheo_key rheo__key(uint64_t seed, uint32_t node, rheo_purpose purpose);
void rheo__philox(rheo_key key, const uint32_t counter[4], uint32_t out[4]);
/* [0,1) on a grid of 2^-24: (r >> 8) * 2^-24 */
float rheo__uniform(uint32_t r);
/* Two independent standard normal numbers from two words (Box-Muller in double). */
void rheo__normal(uint32_t r0, uint32_t r1, double out[2]);
/* Arrays: element i uses counter {i/4, 0, 0, show}. */
void rheo__fill_uniform(rheo_key key, uint32_t show, float low, float high, float *x, uint64_t n);
void rheo__fill_normal(rheo_key key, uint32_t show, float mean, float sd, float *x, uint64_t n);
/* A permutation of 0 … n-1 (Fisher-Yates, unbiased by rejection), for `show` (an epoch). */
void rheo__permutation(rheo_key key, uint32_t show, uint32_t n, uint32_t *out);
#endif
