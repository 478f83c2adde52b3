/* isa_avx2.c: the loops with AVX2, FMA and BMI2. */
#include "kernels/isa.h"
#include <immintrin.h>

#define ISA    "avx2"
#define TABLE  rheo__kernels_avx2
#define LANES  8
#define TILE_M 4 /* 4 x 24: 12 sums, 3 of b, 1 of a in 16 registers */
#define TILE_V 3

typedef __m256 vec;
typedef __m256i part; /* the first lanes of a vector */
#define LOAD(p)             _mm256_loadu_ps(p)
#define STORE(p, v)         _mm256_storeu_ps(p, v)
#define SET(x)              _mm256_set1_ps(x)
#define ADD(a, b)           _mm256_add_ps(a, b)
#define FMA(a, b, c)        _mm256_fmadd_ps(a, b, c)
#define PART(count)         part_of(count)
#define LOAD_PART(p, m)     _mm256_maskload_ps(p, m)
#define STORE_PART(p, m, v) _mm256_maskstore_ps(p, m, v)
#define NONZERO(p)          nonzero(p)
typedef __m256 where;
#define WHERE(bits)         where_of((uint32_t)(bits))
#define ADD_WHERE(a, on, b) _mm256_add_ps(a, _mm256_and_ps(on, b))
#define FEW_N               5 /* 5 x 2 sums */
#define FEW_V               2
#define FEW_MOST            12 /* outputs; with more the product is faster */
#define GIVE_V              4
#define DEPOSIT(bits, mask) _pdep_u64(bits, mask)

static inline part part_of(uint32_t count)
{
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), lane);
}

static inline uint32_t nonzero(const float *p)
{
    __m256 different = _mm256_cmp_ps(LOAD(p), _mm256_setzero_ps(), _CMP_NEQ_UQ);
    return (uint32_t)_mm256_movemask_ps(different);
}

static inline where where_of(uint32_t bits)
{
    const __m256i place = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    const __m256i on = _mm256_and_si256(_mm256_set1_epi32((int)bits), place);
    return _mm256_castsi256_ps(_mm256_cmpeq_epi32(on, place));
}

/* Rows i and i+4 share a vector, so that a transposition within lanes is enough. */
static inline __m256 two_rows(const float *from, size_t row)
{
    __m256 v = _mm256_castps128_ps256(_mm_loadu_ps(from));
    return _mm256_insertf128_ps(v, _mm_loadu_ps(from + 4 * row), 1);
}

/* x[q] lane l = 4 numbers; after it x[i] lane l = number i of the four x */
static inline void lanes_transpose(__m256 x[4])
{
    __m256 a = _mm256_unpacklo_ps(x[0], x[1]), b = _mm256_unpackhi_ps(x[0], x[1]);
    __m256 c = _mm256_unpacklo_ps(x[2], x[3]), d = _mm256_unpackhi_ps(x[2], x[3]);
    x[0] = _mm256_shuffle_ps(a, c, 0x44);
    x[1] = _mm256_shuffle_ps(a, c, 0xee);
    x[2] = _mm256_shuffle_ps(b, d, 0x44);
    x[3] = _mm256_shuffle_ps(b, d, 0xee);
}

static inline void transpose_8(const float *from, size_t row, float *to, size_t pitch)
{
    __m256 x[4];
    for (size_t i = 0; i < 4; i++) x[i] = two_rows(from + i * row, row);
    lanes_transpose(x);
    for (size_t i = 0; i < 4; i++) STORE(to + i * pitch, x[i]);
}

static inline void transpose_4(const float *from, size_t row, float *to, size_t pitch)
{
    __m128 x[4];
    for (size_t i = 0; i < 4; i++) x[i] = _mm_loadu_ps(from + i * row);
    _MM_TRANSPOSE4_PS(x[0], x[1], x[2], x[3]);
    for (size_t i = 0; i < 4; i++) _mm_storeu_ps(to + i * pitch, x[i]);
}

#define P 8
#include "kernels/pack.inc"
#undef P
#define P 4
#include "kernels/pack.inc"
#undef P

typedef __m256i counters;
#define COUNTERS_SET(x) _mm256_set1_epi64x((long long)(x))
#define MULTIPLY(a, b)  _mm256_mul_epu32(a, b)
#define HIGH(a)         _mm256_srli_epi64(a, 32)
#define XOR(a, b)       _mm256_xor_si256(a, b)
#define XOR3(a, b, c)   XOR(XOR(a, b), c)
#define DRAW_V          2

/* Position 4l+q holds id 2q+l: lanes_transpose then brings the draws of ids 2q, 2q+1 together. */
static inline void draw_order(const uint32_t *id, counters *even, counters *odd)
{
    const __m256i order = _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7);
    *even = _mm256_permutevar8x32_epi32(_mm256_loadu_si256((const __m256i *)id), order);
    *odd = HIGH(*even);
}

static inline void draw_words(const counters even[4], const counters odd[4], counters x[4])
{
    __m256 y[4];
    for (int i = 0; i < 4; i++)
        y[i] =
            _mm256_castsi256_ps(_mm256_blend_epi32(even[i], _mm256_slli_epi64(odd[i], 32), 0xaa));
    lanes_transpose(y);
    for (int i = 0; i < 4; i++) x[i] = _mm256_castps_si256(y[i]);
}

static inline uint64_t draw_compare(const counters x[4], const float *p)
{
    uint64_t bits = 0;
    for (int i = 0; i < 4; i++) {
        const __m256 u = _mm256_cvtepi32_ps(_mm256_srli_epi32(x[i], 8));
        const __m256 less =
            _mm256_cmp_ps(_mm256_mul_ps(u, SET(0x1p-24f)), LOAD(p + 8 * i), _CMP_LT_OQ);
        bits |= (uint64_t)(uint32_t)_mm256_movemask_ps(less) << 8 * i;
    }
    return bits;
}
#include "kernels/draw.inc"
#include "kernels/loops.inc"
