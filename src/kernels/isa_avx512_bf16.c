/* isa_avx512_bf16.c: panels of bfloat16, and their product by vdpbf16ps; bf16.h has the layouts.
 *
 * Panels are made in blocks of 16 rows x 32 numbers of k: sixteen vectors, each a row (its 16 pairs)
 * or a pair of k of all rows, as memory offers them; where the panel wants the other, the block is
 * transposed in registers. */
#include "kernels/bf16.h"
#include <immintrin.h>

enum { LANES = 16, PAIRS = 16, TILE_M = 8, TILE_V = 3, TILE_N = TILE_V * LANES };

typedef struct block {
    const rheo_operand *x;
    size_t r, k;
    uint32_t rows, depth; /* that are there: at most 16 and 32; the rest is 0 */
} block;

static inline __mmask16 first(uint32_t n)
{
    return (__mmask16)(n >= 16 ? 0xffffu : (1u << n) - 1);
}

/* Numbers 0 ... 15 of low and high, rounded, one after the other. */
static inline __m512i rounded(__m512 low, __m512 high)
{
    return (__m512i)_mm512_cvtne2ps_pbh(high, low);
}

static inline void real_rows(const float *from, size_t row, uint32_t rows, uint32_t depth,
                             __m512i to[16])
{
    const __mmask16 low = first(depth), high = first(depth > 16 ? depth - 16 : 0);
    for (uint32_t i = 0; i < 16; i++)
        to[i] = i < rows ? rounded(_mm512_maskz_loadu_ps(low, from + i * row),
                                   _mm512_maskz_loadu_ps(high, from + i * row + 16))
                         : _mm512_setzero_si512();
}

static inline void real_pairs(const float *from, size_t col, uint32_t rows, uint32_t depth,
                              __m512i to[16])
{
    const __m512i order =
        _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6,
                         21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    for (uint32_t p = 0; p < PAIRS; p++) {
        const __mmask16 even = first(2 * p < depth ? rows : 0);
        const __mmask16 odd = first(2 * p + 1 < depth ? rows : 0);
        to[p] = _mm512_permutexvar_epi16(
            order, rounded(_mm512_maskz_loadu_ps(even, from + 2 * p * col),
                           _mm512_maskz_loadu_ps(odd, from + (2 * p + 1) * col)));
    }
}

/* Any strides: through a copy. */
static void real_strides(const block *b, __m512i to[16])
{
    float copy[16][32] = {{0}};
    for (uint32_t i = 0; i < b->rows; i++)
        for (uint32_t k = 0; k < b->depth; k++)
            copy[i][k] = b->x->real[(b->r + i) * b->x->row + (b->k + k) * b->x->col];
    real_rows(copy[0], 32, 16, 32, to);
}

static inline void bit_rows(const block *b, __m512i to[16])
{
    const rheo_operand *x = b->x;
    const __m512i lo = _mm512_set1_epi16((short)rheo__bf16_bits(x->lo));
    const __m512i hi = _mm512_set1_epi16((short)rheo__bf16_bits(x->hi));
    const __mmask32 there = b->depth >= 32 ? 0xffffffffu : ((__mmask32)1 << b->depth) - 1;
    for (uint32_t i = 0; i < 16; i++) {
        if (i >= b->rows) {
            to[i] = _mm512_setzero_si512();
            continue;
        }
        const uint64_t word = x->bits[(b->r + i) * x->row + b->k / 64];
        const __m512i v = _mm512_mask_blend_epi16((__mmask32)(word >> b->k % 64), lo, hi);
        to[i] = _mm512_maskz_mov_epi16(there, v);
    }
}

static inline void bit_pairs(const block *b, __m512i to[16])
{
    const rheo_operand *x = b->x;
    const __m512i lo = _mm512_set1_epi32(rheo__bf16_bits(x->lo));
    const __m512i hi = _mm512_set1_epi32(rheo__bf16_bits(x->hi));
    const uint64_t *from = x->bits + b->k * x->row + b->r / 64;
    const __mmask16 there = first(b->rows);
    for (uint32_t p = 0; p < PAIRS; p++) {
        __m512i half[2];
        for (uint32_t odd = 0; odd < 2; odd++) {
            const uint32_t k = 2 * p + odd;
            const uint64_t word = k < b->depth ? from[k * x->row] : 0;
            const __m512i v = _mm512_mask_blend_epi32((__mmask16)(word >> b->r % 64), lo, hi);
            half[odd] = _mm512_maskz_mov_epi32(k < b->depth ? there : 0, v);
        }
        to[p] = _mm512_or_si512(half[0], _mm512_slli_epi32(half[1], 16));
    }
}

/* Element j of vector i becomes element i of vector j. */
static inline void transpose(__m512i x[16])
{
    __m512i y[16];
    for (int i = 0; i < 16; i += 4) { /* fours of rows, within lanes */
        const __m512i a = _mm512_unpacklo_epi32(x[i], x[i + 1]);
        const __m512i b = _mm512_unpackhi_epi32(x[i], x[i + 1]);
        const __m512i c = _mm512_unpacklo_epi32(x[i + 2], x[i + 3]);
        const __m512i d = _mm512_unpackhi_epi32(x[i + 2], x[i + 3]);
        y[i] = _mm512_unpacklo_epi64(a, c);
        y[i + 1] = _mm512_unpackhi_epi64(a, c);
        y[i + 2] = _mm512_unpacklo_epi64(b, d);
        y[i + 3] = _mm512_unpackhi_epi64(b, d);
    }
    for (int i = 0; i < 4; i++) { /* y[4 q + i] lane l: rows 4q ... 4q+3 of column 4l + i */
        const __m512i a = _mm512_shuffle_i32x4(y[i], y[4 + i], 0x44);
        const __m512i b = _mm512_shuffle_i32x4(y[i], y[4 + i], 0xee);
        const __m512i c = _mm512_shuffle_i32x4(y[8 + i], y[12 + i], 0x44);
        const __m512i d = _mm512_shuffle_i32x4(y[8 + i], y[12 + i], 0xee);
        x[i] = _mm512_shuffle_i32x4(a, c, 0x88);
        x[4 + i] = _mm512_shuffle_i32x4(a, c, 0xdd);
        x[8 + i] = _mm512_shuffle_i32x4(b, d, 0x88);
        x[12 + i] = _mm512_shuffle_i32x4(b, d, 0xdd);
    }
}

/* Returns whether `to` holds pairs; else rows. */
static inline bool take(const block *b, __m512i to[16])
{
    const rheo_operand *x = b->x;
    if (!x->real) {
        if (x->col)
            bit_rows(b, to);
        else
            bit_pairs(b, to);
        return !x->col;
    }
    const float *from = x->real + b->r * x->row + b->k * x->col;
    if (x->col != 1 && x->row == 1) {
        real_pairs(from, x->col, b->rows, b->depth, to);
        return true;
    }
    if (x->col == 1)
        real_rows(from, x->row, b->rows, b->depth, to);
    else
        real_strides(b, to);
    return false;
}

/* The block of the panel's rows i ... i+15 and of 32 k. */
static inline void make(const rheo_operand *x, uint32_t r0, uint32_t rows, uint32_t i, size_t k,
                        uint32_t depth, bool pairs, __m512i to[16])
{
    const uint32_t there = rows > i ? rows - i : 0;
    const block b = {x, (size_t)r0 + i, k, there < 16 ? there : 16, depth < 32 ? depth : 32};
    if (there == 0)
        for (int v = 0; v < 16; v++) to[v] = _mm512_setzero_si512();
    else if (take(&b, to) != pairs)
        transpose(to);
}

void rheo__bf16_pack_a(const rheo_operand *x, uint32_t r0, uint32_t rows, uint32_t k0,
                       uint32_t depth, uint32_t width, float *panel)
{
    for (uint32_t k = 0; k < depth; k += 32, panel += PAIRS * width)
        for (uint32_t i = 0; i < width; i += 16) {
            __m512i v[16];
            make(x, r0, rows, i, (size_t)k0 + k, depth - k, false, v);
            for (uint32_t j = 0; j < 16 && i + j < width; j++)
                _mm512_storeu_si512(panel + (i + j) * PAIRS, v[j]);
        }
}

void rheo__bf16_pack_b(const rheo_operand *x, uint32_t r0, uint32_t rows, uint32_t k0,
                       uint32_t depth, uint32_t width, float *panel)
{
    for (uint32_t k = 0; k < depth; k += 32, panel += PAIRS * width)
        for (uint32_t i = 0; i < width; i += 16) {
            __m512i v[16];
            make(x, r0, rows, i, (size_t)k0 + k, depth - k, true, v);
            for (uint32_t p = 0; p < PAIRS; p++) _mm512_storeu_si512(panel + p * width + i, v[p]);
        }
}

/* As in loops.inc, on pairs: V of the tile's vectors. */
#define TILE(V)                                                                                    \
    static void tile_##V(const rheo_tile *t)                                                       \
    {                                                                                              \
        const float *a = t->a, *b = t->b, *next = t->next;                                         \
        __m512 sum[TILE_M][V];                                                                     \
        for (size_t i = 0; i < TILE_M; i++)                                                        \
            for (size_t j = 0; j < V; j++)                                                         \
                sum[i][j] = _mm512_loadu_ps(t->from + i * t->from_row + j * LANES);                \
        for (uint32_t k = 0; k < t->K; k++, b += TILE_N, next += 4) {                              \
            __builtin_prefetch(next, 0, 2);                                                        \
            __m512bh y[V];                                                                         \
            for (int j = 0; j < V; j++) y[j] = (__m512bh)_mm512_loadu_ps(b + j * LANES);           \
            for (size_t i = 0; i < TILE_M; i++) {                                                  \
                const __m512bh x = (__m512bh)_mm512_set1_ps(a[i * PAIRS]);                         \
                for (int j = 0; j < V; j++) sum[i][j] = _mm512_dpbf16_ps(sum[i][j], x, y[j]);      \
            }                                                                                      \
            a += k % PAIRS == PAIRS - 1 ? (TILE_M - 1) * PAIRS + 1 : 1;                            \
        }                                                                                          \
        for (size_t i = 0; i < TILE_M; i++)                                                        \
            for (size_t j = 0; j < V; j++)                                                         \
                _mm512_storeu_ps(t->c + i * t->c_row + j * LANES, sum[i][j]);                      \
    }
TILE(1)
TILE(2)
TILE(3)
#undef TILE

const rheo_tiles rheo__bf16_avx512 = {
    .lanes = LANES,
    .tile_m = TILE_M,
    .tile_n = TILE_N,
    .numbers = 2,
    .pack_a = rheo__bf16_pack_a,
    .pack_b = rheo__bf16_pack_b,
    .tile = {tile_1, tile_2, tile_3},
};
