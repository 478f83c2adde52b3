/* product_rig.h: numbers between guard words, and operands of products in every layout. */
#ifndef RHEO_TESTS_PRODUCT_RIG_H
#define RHEO_TESTS_PRODUCT_RIG_H
#include "check.h"
#include "kernels/kernels.h"
#include <stdio.h>

#define GUARD 0x80000000u /* -0: shows an addition of 0 too, as padding with 0 would make one */
enum { AROUND = 9 };      /* guard words on each side; odd, so that what they guard is unaligned */

static uint32_t draws;
static inline uint32_t random_word(void)
{
    uint32_t r[4];
    rheo__philox((rheo_key){{11, 12}}, (uint32_t[4]){draws++, 0, 0, 0}, r);
    return r[0];
}

static inline float random_real(void)
{
    return 2.0f * rheo__uniform(random_word()) - 1.0f;
}

/* n words with guards around them */
static inline uint32_t *guarded(size_t n)
{
    uint32_t *p = malloc((n + 2 * AROUND) * sizeof *p);
    assert_non_null(p);
    for (size_t i = 0; i < n + 2 * AROUND; i++) p[i] = GUARD;
    return p + AROUND;
}

static inline void guarded_free(const void *x, size_t n)
{
    uint32_t *p = (uint32_t *)(uintptr_t)x - AROUND;
    for (size_t i = 0; i < AROUND; i++) {
        assert_int_equal(p[i], GUARD);
        assert_int_equal(p[n + AROUND + i], GUARD);
    }
    free(p);
}

static inline float *guarded_reals(size_t n)
{
    float *x = (float *)guarded(n);
    for (size_t i = 0; i < n; i++) x[i] = random_real();
    return x;
}

static inline void same_bits(const char *what, const float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (memcmp(a + i, b + i, sizeof *a) != 0)
            fail_msg("%s: element %zu is %.9g, not %.9g", what, i, (double)a[i], (double)b[i]);
}

static inline rheo_context *context_of(int isa, uint32_t threads)
{
    rheo_context *ctx = NULL;
    rheo_context_options options = {.threads = threads, .isa = rheo__isa_names[isa]};
    assert_int_equal(rheo_context_new(&options, &ctx), RHEO_OK);
    return ctx;
}

/* ---- operands ---- */

typedef enum { ROWS, COLUMNS, STRIDES, BITS_ALONG, BITS_ACROSS, LAYOUTS } layout;

typedef struct matrix {
    rheo_operand o;
    void *memory;
} matrix;

static inline matrix matrix_new(layout kind, uint32_t rows, uint32_t K)
{
    matrix m = {0};
    if (kind <= STRIDES) {
        size_t row = kind == ROWS ? K + 3 : kind == COLUMNS ? 1 : 2 * (size_t)K + 1;
        size_t col = kind == ROWS ? 1 : kind == COLUMNS ? rows + 1 : 2;
        size_t size = rows * row + K * col + 2;
        float *x = m.memory = malloc((size + 1) * sizeof *x);
        assert_non_null(x);
        for (size_t i = 0; i <= size; i++) x[i] = random_real();
        m.o = (rheo_operand){.real = x + 1, .row = row, .col = col};
        return m;
    }
    uint32_t lines = kind == BITS_ALONG ? rows : K, bits = kind == BITS_ALONG ? K : rows;
    size_t pitch = rheo__words(bits) + 1, size = lines * pitch + 1;
    uint64_t *x = m.memory = malloc(size * sizeof *x);
    assert_non_null(x);
    for (size_t i = 0; i < size; i++) x[i] = (uint64_t)random_word() << 32 | random_word();
    m.o = (rheo_operand){
        .bits = x, .row = pitch, .col = kind == BITS_ALONG, .lo = -0.3f, .hi = 1.6f};
    return m;
}

static inline float value(const rheo_operand *o, size_t r, size_t k)
{
    if (o->real) return o->real[r * o->row + k * o->col];
    size_t line = o->col ? r : k, bit = o->col ? k : r;
    return o->bits[line * o->row + bit / 64] >> bit % 64 & 1 ? o->hi : o->lo;
}
#endif
