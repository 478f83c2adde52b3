/* bf16.h: products whose operands are rounded to bfloat16, the upper half of a float32, and whose
 * sums are float32 (`precision: bf16`).
 *
 * Rounding: to nearest, ties to even; a NaN stays one; what is below 2^-126 becomes 0. So an
 * operand is off by 2^-8 of itself at most; 0, +-1 and integers to 256 (spikes, signs, pixels) are
 * exact. A product of two is exact in float32.
 *
 * Three paths; the context takes the last that the machine has. Each keeps one order of sums, so
 * threads, batch and the cutting of the work change no bit on one path; paths differ among each
 * other. With p(k) the product of the rounded operands, + rounded to float32:
 *
 *   plain        sum += p(k), k ascending: the float32 kernels on rounded panels
 *   avx512-bf16  sum += p(2i+1), sum += p(2i), i ascending (vdpbf16ps)
 *   amx          sum += (p(k) + p(k+2) + ... + p(k+30)) + (p(k+1) + p(k+3) + ... + p(k+31)), k in
 *                steps of 32 (tdpbf16ps); k behind the end counts as 0
 *
 * Hence, against the exact sum of the rounded operands, with u = 2^-24 and n = K + 2 roundings at
 * most behind any term:
 *
 *   error <= n u / (1 - n u) (|start| + sum_k |p(k)|) + n 2^-126
 *
 * where the last is what the two instructions cut off, which take numbers below 2^-126 for 0.
 *
 * The driver is product.c; a float's place in a panel holds two numbers, k and k+1. */
#ifndef RHEO_SRC_BF16_H
#define RHEO_SRC_BF16_H
#include "kernels/kernels.h"
#include <string.h>

/* What a product is made of (product.c). */
typedef struct rheo_tiles {
    uint32_t lanes, tile_m, tile_n; /* as in rheo_kernels */
    uint32_t numbers;               /* in a float's place: 2 in whole groups of 32, else 1 */
    rheo_pack_fn *pack_a, *pack_b;  /* depth: of numbers; a panel's last group is filled with 0 */
    void (*round)(float *panel, size_t n); /* after it was packed; NULL: nothing */
    rheo_tile_fn *tile[3];
    void (*enter)(void), (*leave)(void); /* around the tiles of a task; NULL: nothing */
} rheo_tiles;

/* The path of the context; asks the operating system for AMX's registers when first called. */
rheo_bf16_path rheo__bf16_path(const rheo_context *ctx);
const char *rheo__bf16_name(const rheo_context *ctx); /* "plain", "avx512-bf16", "amx" */
/* NULL: the plain path, which is the float32 kernels with `round`. */
const rheo_tiles *rheo__bf16_tiles(const rheo_context *ctx);
void rheo__bf16_round_panel(float *panel, size_t n);

/* Panels of A are [K/32][width][32], so a tile's row is 32 numbers of k; panels of B are
 * [K/2][width][2]. width: 8 or whole sixteens. */
rheo_pack_fn rheo__bf16_pack_a, rheo__bf16_pack_b;
extern const rheo_tiles rheo__bf16_avx512, rheo__bf16_amx;

/* The nearest bfloat16, as its bits; for oracles and single numbers. */
static inline uint16_t rheo__bf16_bits(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    const uint32_t size = bits & 0x7fffffffu;
    if (size > 0x7f800000u) return (uint16_t)(bits >> 16 | 0x40u); /* NaN */
    if (size < 0x00800000u) return (uint16_t)(bits >> 16 & 0x8000u);
    return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

static inline float rheo__bf16_round(float x)
{
    const uint32_t bits = (uint32_t)rheo__bf16_bits(x) << 16;
    float y;
    memcpy(&y, &bits, sizeof y);
    return y;
}
#endif
