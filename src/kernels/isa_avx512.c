/* isa_avx512.c: the loops with AVX-512 (F, BW, DQ, VL) and BMI2. */
#include "kernels/isa.h"
#include <immintrin.h>

#define ISA    "avx512"
#define TABLE  rheo__kernels_avx512
#define LANES  16
#define TILE_M 8 /* 8 x 48: 24 sums, 3 of b, 1 of a in 32 registers */
#define TILE_V 3

typedef __m512 vec;
typedef __mmask16 part; /* the first lanes of a vector */
#define LOAD(p)                _mm512_loadu_ps(p)
#define STORE(p, v)            _mm512_storeu_ps(p, v)
#define SET(x)                 _mm512_set1_ps(x)
#define ADD(a, b)              _mm512_add_ps(a, b)
#define FMA(a, b, c)           _mm512_fmadd_ps(a, b, c)
#define PART(count)            ((part)(0xffffu >> (LANES - (count))))
#define LOAD_PART(p, m)        _mm512_maskz_loadu_ps(m, p)
#define STORE_PART(p, m, v)    _mm512_mask_storeu_ps(p, m, v)
#define NONZERO_LANES(v)       _mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_NEQ_UQ)
#define NONZERO(p)             NONZERO_LANES(LOAD(p))
#define KEEP_FLOATS(to, on, v) _mm512_storeu_ps(to, _mm512_maskz_compress_ps(on, v))
#define KEEP_NUMBERS(to, on, from, base)                                                           \
    _mm512_storeu_si512(                                                                           \
        to, _mm512_maskz_compress_epi32(                                                           \
                on, _mm512_add_epi32(_mm512_loadu_si512(from), _mm512_set1_epi32((int)(base)))))
typedef __mmask16 where;
#define WHERE(bits)         ((where)(bits))
#define ADD_WHERE(a, on, b) _mm512_mask_add_ps(a, on, a, b)
#define FEW_N               12 /* 12 x 2 sums */
#define FEW_V               2
#define FEW_MOST            32 /* outputs; with more the product is faster */
#define GIVE_V              4
#define DEPOSIT(bits, mask) _pdep_u64(bits, mask)

/* Rows i, i+4, i+8, i+12 share a vector, so that a transposition within lanes is enough. */
static inline __m512 four_rows(const float *from, size_t row)
{
    __m512 v = _mm512_castps128_ps512(_mm_loadu_ps(from));
    v = _mm512_insertf32x4(v, _mm_loadu_ps(from + 4 * row), 1);
    v = _mm512_insertf32x4(v, _mm_loadu_ps(from + 8 * row), 2);
    return _mm512_insertf32x4(v, _mm_loadu_ps(from + 12 * row), 3);
}

static inline __m256 two_rows(const float *from, size_t row)
{
    __m256 v = _mm256_castps128_ps256(_mm_loadu_ps(from));
    return _mm256_insertf128_ps(v, _mm_loadu_ps(from + 4 * row), 1);
}

/* x[q] lane l = 4 numbers; after it x[i] lane l = number i of the four x */
static inline void lanes_transpose(__m512 x[4])
{
    __m512 a = _mm512_unpacklo_ps(x[0], x[1]), b = _mm512_unpackhi_ps(x[0], x[1]);
    __m512 c = _mm512_unpacklo_ps(x[2], x[3]), d = _mm512_unpackhi_ps(x[2], x[3]);
    x[0] = _mm512_shuffle_ps(a, c, 0x44);
    x[1] = _mm512_shuffle_ps(a, c, 0xee);
    x[2] = _mm512_shuffle_ps(b, d, 0x44);
    x[3] = _mm512_shuffle_ps(b, d, 0xee);
}

static inline void transpose_16(const float *from, size_t row, float *to, size_t pitch)
{
    __m512 x[4];
    for (size_t i = 0; i < 4; i++) x[i] = four_rows(from + i * row, row);
    lanes_transpose(x);
    for (size_t i = 0; i < 4; i++) STORE(to + i * pitch, x[i]);
}

/* Sixteen numbers of each row: a row's whole line is taken at once, because lines of rows that are
 * a power of two apart drive each other from the cache. */
static inline void transpose_16_deep(const float *from, size_t row, float *to, size_t pitch)
{
    __m512 x[4][4];
    for (size_t i = 0; i < 4; i++)
        for (size_t k = 0; k < 4; k++) x[k][i] = four_rows(from + i * row + 4 * k, row);
    for (size_t k = 0; k < 4; k++) {
        lanes_transpose(x[k]);
        for (size_t i = 0; i < 4; i++) STORE(to + (4 * k + i) * pitch, x[k][i]);
    }
}

static inline void transpose_8(const float *from, size_t row, float *to, size_t pitch)
{
    __m256 x0 = two_rows(from, row), x1 = two_rows(from + row, row);
    __m256 x2 = two_rows(from + 2 * row, row), x3 = two_rows(from + 3 * row, row);
    __m256 a = _mm256_unpacklo_ps(x0, x1), b = _mm256_unpackhi_ps(x0, x1);
    __m256 c = _mm256_unpacklo_ps(x2, x3), d = _mm256_unpackhi_ps(x2, x3);
    _mm256_storeu_ps(to, _mm256_shuffle_ps(a, c, 0x44));
    _mm256_storeu_ps(to + pitch, _mm256_shuffle_ps(a, c, 0xee));
    _mm256_storeu_ps(to + 2 * pitch, _mm256_shuffle_ps(b, d, 0x44));
    _mm256_storeu_ps(to + 3 * pitch, _mm256_shuffle_ps(b, d, 0xee));
}

#define P              16
#define TRANSPOSE_DEEP transpose_16_deep
#include "kernels/pack.inc"
#undef TRANSPOSE_DEEP
#undef P
#define P 8
#include "kernels/pack.inc"
#undef P

typedef __m512i counters;
#define COUNTERS_SET(x) _mm512_set1_epi64((long long)(x))
#define MULTIPLY(a, b)  _mm512_mul_epu32(a, b)
#define HIGH(a)         _mm512_shuffle_epi32(a, (_MM_PERM_ENUM)0xf5)
#define XOR(a, b)       _mm512_xor_si512(a, b)
#define XOR3(a, b, c)   _mm512_ternarylogic_epi64(a, b, c, 0x96)
#define DRAW_V          4

/* Position 4l+q holds id 4q+l: lanes_transpose then brings the draws of ids 4q … 4q+3 together. */
static inline void draw_order(const uint32_t *id, counters *even, counters *odd)
{
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    *even = _mm512_permutexvar_epi32(order, _mm512_loadu_si512(id));
    *odd = HIGH(*even);
}

static inline void draw_words(const counters even[4], const counters odd[4], counters x[4])
{
    __m512 y[4];
    for (int i = 0; i < 4; i++)
        y[i] = _mm512_castsi512_ps(
            _mm512_mask_blend_epi32(0xaaaa, even[i], _mm512_slli_epi64(odd[i], 32)));
    lanes_transpose(y);
    for (int i = 0; i < 4; i++) x[i] = _mm512_castps_si512(y[i]);
}

static inline uint64_t draw_compare(const counters x[4], const float *p)
{
    uint64_t bits = 0;
    for (int i = 0; i < 4; i++) {
        const __m512 u = _mm512_cvtepi32_ps(_mm512_srli_epi32(x[i], 8));
        const __m512 uniform = _mm512_mul_ps(u, SET(0x1p-24f));
        bits |= (uint64_t)_mm512_cmp_ps_mask(uniform, LOAD(p + 16 * i), _CMP_LT_OQ) << 16 * i;
    }
    return bits;
}
#include "kernels/draw.inc"
#include "kernels/loops.inc"
