/* test_kernels.c: every instruction set that this machine has, against plain loops: one fmaf chain
 * an output for products, the formulas in double for the rest. Where the kernels promise bits, bits
 * are compared. Every output lies between guard words, at an address that is not aligned. */
#include "check.h"
#include "base/threads.h"
#include "kernels/math.h"
#include "product_rig.h"

/* ---- products ---- */

/* start 0: zero, 1: accumulate, 2: bias */
static void plain_product(const rheo_product *p, float *c)
{
    for (uint32_t m = 0; m < p->M; m++)
        for (uint32_t n = 0; n < p->N; n++) {
            float sum = p->bias ? p->bias[n] : p->accumulate ? c[m * p->c_row + n] : 0;
            for (uint32_t k = 0; k < p->K; k++)
                sum = fmaf(value(&p->a, m, k), value(&p->b, n, k), sum);
            c[m * p->c_row + n] = sum;
        }
}

static const uint32_t thread_counts[] = {1, 2, 3, 8};

static void product_case(rheo_context *const *contexts, uint32_t count, uint32_t M, uint32_t N,
                         uint32_t K, layout a, layout b, int start)
{
    matrix ma = matrix_new(a, M, K), mb = matrix_new(b, N, K);
    rheo_product p = {.M = M, .N = N, .K = K, .a = ma.o, .b = mb.o, .c_row = N + 5};
    size_t size = M ? (M - 1) * p.c_row + N : 0;
    float *bias = guarded_reals(N), *before = guarded_reals(size), *want = guarded_reals(size);
    p.bias = start == 2 ? bias : NULL;
    p.accumulate = start == 1;
    for (size_t i = 0; i < size; i++)
        if (i % p.c_row >= N) before[i] = -0.0f; /* the gaps between rows are guards too */
    memcpy(want, before, size * sizeof *want);
    plain_product(&p, want);
    for (uint32_t i = 0; i < count; i++) {
        char what[128];
        snprintf(what, sizeof what, "%s, %u threads: [%u,%u,%u] layouts %d %d start %d",
                 rheo_isa(contexts[i]), rheo_threads(contexts[i]), M, N, K, (int)a, (int)b, start);
        size_t bytes = rheo__product_scratch(contexts[i], RHEO_FLOAT32, M, N, K);
        assert_true(bytes <= rheo__product_scratch(contexts[i], RHEO_FLOAT32, M + 100, N, K));
        char *scratch = aligned_alloc(64, (bytes + 127) / 64 * 64);
        assert_non_null(scratch);
        memset(scratch, 0x5a, (bytes + 127) / 64 * 64);
        p.c = guarded_reals(size);
        memcpy(p.c, before, size * sizeof *want);
        rheo__product(contexts[i], &p, scratch);
        same_bits(what, p.c, want, size); /* the gaps between the rows too */
        for (size_t k = bytes; k < (bytes + 127) / 64 * 64; k++)
            if (scratch[k] != 0x5a) fail_msg("%s: wrote past its scratch", what);
        guarded_free(p.c, size);
        free(scratch);
    }
    guarded_free(bias, N), guarded_free(before, size), guarded_free(want, size);
    free(ma.memory), free(mb.memory);
}

static void products_are_one_chain(void **state)
{
    static const uint32_t sizes[][3] = {
        {0, 5, 5},   {5, 0, 5},     {5, 5, 0},   {1, 1, 1},     {1, 48, 7},  {2, 17, 3},
        {7, 15, 16}, {8, 16, 17},   {9, 33, 63}, {8, 48, 64},   {4, 24, 65}, {13, 47, 31},
        {16, 96, 4}, {17, 49, 129}, {3, 131, 5}, {131, 10, 40}, {40, 64, 67}};
    (void)state;
    for (int isa = 0; isa <= (int)rheo__isa_best(); isa++) {
        rheo_context *ctx = context_of(isa, 1);
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            for (int a = 0; a < LAYOUTS; a++)
                for (int b = 0; b < LAYOUTS; b++)
                    product_case(&ctx, 1, sizes[i][0], sizes[i][1], sizes[i][2], (layout)a,
                                 (layout)b, (a + b + (int)i) % 3);
        rheo_context_free(ctx);
    }
}

/* Several tasks, panels and chunks: of K (1100 > 1024), with whole tiles and with edges; of N and M
 * (1600 > 1536). */
static void products_do_not_depend_on_threads(void **state)
{
    static const struct {
        uint32_t M, N, K;
        layout a, b;
    } cases[] = {
        {257, 131, 300, ROWS, ROWS},      {257, 131, 300, BITS_ALONG, COLUMNS},
        {264, 96, 1100, ROWS, ROWS},      {131, 257, 300, COLUMNS, BITS_ACROSS},
        {30, 50, 1100, BITS_ALONG, ROWS}, {32, 64, 1100, ROWS, COLUMNS},
        {20, 1600, 70, ROWS, COLUMNS},    {1600, 20, 70, BITS_ACROSS, ROWS},
    };
    (void)state;
    rheo_context *contexts[16];
    uint32_t count = 0;
    for (int isa = 0; isa <= (int)rheo__isa_best(); isa++)
        for (int t = isa == (int)rheo__isa_best() ? 0 : 2; t < (isa ? 4 : 3); t++)
            contexts[count++] = context_of(isa, thread_counts[t]);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int start = i < 3 ? 0 : 2; start < 3; start++)
            product_case(contexts, count, cases[i].M, cases[i].N, cases[i].K, cases[i].a,
                         cases[i].b, start);
    while (count) rheo_context_free(contexts[--count]);
}

/* ---- gather ---- */

static void gather_case(rheo_context *ctx, uint32_t M, uint32_t N, uint32_t K, uint32_t percent,
                        int start)
{
    const size_t pitch = rheo__words(K) + 1, row = N + 3, size = M ? (M - 1) * row + N : 0;
    uint64_t *bits = calloc(M * pitch + 1, sizeof *bits);
    assert_non_null(bits);
    for (uint32_t m = 0; m < M; m++)
        for (uint32_t k = 0; k < K; k++)
            if (random_word() % 100 < percent) bits[m * pitch + k / 64] |= (uint64_t)1 << k % 64;
    float *w = guarded_reals(K * row), *bias = guarded_reals(N), *c = guarded_reals(size);
    float *want = guarded_reals(size), *alone = guarded_reals(N);
    rheo_gather g = {.M = M, .N = N, .K = K, .bits = bits, .bits_row = pitch, .w = w, .w_row = row};
    g.c = c, g.c_row = row, g.bias = start == 2 ? bias : NULL, g.accumulate = start == 1;
    rheo_product p = {.M = M, .N = N, .K = K, .c = want, .c_row = row, .bias = g.bias};
    p.a = (rheo_operand){.bits = bits, .row = pitch, .col = 1, .lo = 0, .hi = 1};
    p.b = (rheo_operand){.real = w, .row = 1, .col = row};
    p.accumulate = g.accumulate;
    memcpy(want, c, size * sizeof *c);
    if (M) memcpy(alone, c + (M - 1) * row, N * sizeof *c);
    void *scratch = aligned_alloc(64, (rheo__gather_scratch(ctx, M, N, K) + 127) / 64 * 64);
    assert_non_null(scratch);
    float *few = guarded_reals(size);
    memcpy(few, c, size * sizeof *c);
    plain_product(&p, want);
    rheo__gather(ctx, &g, scratch);
    same_bits(rheo_isa(ctx), c, want, size);
    if (N <= RHEO_FEW) {
        g.c = few;
        rheo__few(ctx, &g);
        same_bits("few", few, want, size);
    }
    guarded_free(few, size);
    if (M) { /* the last row by itself, and densely */
        g.M = 1, g.bits += (M - 1) * pitch, g.c = alone;
        float *dense = guarded_reals(N);
        memcpy(dense, alone, N * sizeof *c);
        rheo__gather(ctx, &g, scratch);
        same_bits("a row alone", alone, want + (M - 1) * row, N);
        p.M = 1, p.a.bits = g.bits, p.c = dense;
        void *more =
            aligned_alloc(64, (rheo__product_scratch(ctx, RHEO_FLOAT32, 1, N, K) + 127) / 64 * 64);
        assert_non_null(more);
        rheo__product(ctx, &p, more);
        same_bits("gather and product", dense, alone, N);
        guarded_free(dense, N);
        free(more);
    }
    guarded_free(w, K * row), guarded_free(bias, N), guarded_free(c, size);
    guarded_free(want, size), guarded_free(alone, N);
    free(scratch), free(bits);
}

static void gather_equals_product(void **state)
{
    static const uint32_t sizes[][3] = {
        {0, 5, 5},      {5, 0, 5},     {3, 5, 0},      {1, 1, 1},      {5, 7, 63},
        {3, 16, 64},    {2, 33, 65},   {70, 127, 90},  {33, 129, 200}, {9, 300, 131},
        {130, 10, 784}, {64, 12, 513}, {65, 13, 1100}, {200, 32, 70}};
    (void)state;
    for (int isa = 0; isa <= (int)rheo__isa_best(); isa++)
        for (int t = 0; t < 4; t++) {
            rheo_context *ctx = context_of(isa, thread_counts[t]);
            for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
                gather_case(ctx, sizes[i][0], sizes[i][1], sizes[i][2], i % 2 ? 10 : 60,
                            ((int)i + t) % 3);
            for (uint32_t percent = 0; percent <= 100 && t == 0; percent += 100)
                gather_case(ctx, 5, 40, 100, percent, 2);
            rheo_context_free(ctx);
        }
}

/* The weights' gradient, of few outputs and of sparse spikes: bits [K, N], g [K, M]. */
static void bits_gradient_case(rheo_context *ctx, uint32_t M, uint32_t N, uint32_t K, bool more)
{
    const size_t pitch = rheo__words(N) + 1, row = M + 3, c_row = N + 2;
    const size_t size = M ? (M - 1) * c_row + N : 0;
    uint64_t *bits = calloc(K * pitch + 1, sizeof *bits);
    assert_non_null(bits);
    for (uint32_t k = 0; k < K; k++)
        for (uint32_t i = 0; i < N; i++)
            if (random_word() % 3 == 0) bits[k * pitch + i / 64] |= (uint64_t)1 << i % 64;
    float *g = guarded_reals(K * row), *c = guarded_reals(size), *want = guarded_reals(size);
    memcpy(want, c, size * sizeof *c); /* what stands there */
    rheo_product p = {.M = M, .N = N, .K = K, .c = want, .c_row = c_row, .accumulate = more};
    p.a = (rheo_operand){.real = g, .row = 1, .col = row};
    p.b = (rheo_operand){.bits = bits, .row = pitch, .col = 0, .lo = 0, .hi = 1};
    plain_product(&p, want);
    float *again = guarded_reals(size);
    memcpy(again, c, size * sizeof *c);
    const rheo_bits_gradient few = {M, N, K, g, row, bits, pitch, more, c, c_row};
    const rheo_bits_gradient sparse = {M, N, K, g, row, bits, pitch, more, again, c_row};
    if (M <= RHEO_FEW) rheo__few_gradient(ctx, &few);
    rheo__sparse_gradient(ctx, &sparse);
    if (M <= RHEO_FEW) same_bits(rheo_isa(ctx), c, want, size);
    same_bits(rheo_isa(ctx), again, want, size);
    guarded_free(g, K * row), guarded_free(c, size), guarded_free(want, size);
    guarded_free(again, size);
    free(bits);
}

static void bits_gradient_equals_product(void **state)
{
    static const uint32_t sizes[][3] = {
        {1, 1, 1},     {3, 0, 5},    {5, 7, 0},       {4, 63, 9},    {10, 64, 70},
        {12, 65, 129}, {13, 127, 3}, {31, 200, 40},   {32, 784, 7},  {6, 1000, 600},
        {24, 129, 65}, {33, 70, 64}, {129, 65, 1100}, {260, 3, 2049}};
    (void)state;
    for (int isa = 0; isa <= (int)rheo__isa_best(); isa++)
        for (int t = 0; t < 4; t++) {
            rheo_context *ctx = context_of(isa, thread_counts[t]);
            for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
                bits_gradient_case(ctx, sizes[i][0], sizes[i][1], sizes[i][2], (i + (size_t)t) % 2);
            rheo_context_free(ctx);
        }
}

/* The lists of all rows do not fit at a time: 2^21 / 70000 = 29 rows. */
static void gather_works_in_parts(void **state)
{
    (void)state;
    rheo_context *ctx = context_of((int)rheo__isa_best(), 2);
    gather_case(ctx, 61, 3, 70000, 1, 0);
    assert_true(rheo__gather_scratch(ctx, 61, 3, 70000) < (size_t)61 * 70000 * sizeof(uint32_t));
    rheo_context_free(ctx);
}

static void density_is_a_part(void **state)
{
    (void)state;
    for (int isa = 0; isa <= (int)rheo__isa_best(); isa++) {
        rheo_context *ctx = context_of(isa, 1);
        for (uint32_t N = 1; N < 5000; N += 7) {
            double d = rheo__gather_density(ctx, N);
            assert_true(d > 0 && d < 1);
        }
        rheo_context_free(ctx);
    }
}

/* ---- binary ---- */

/* Exact integers by plain loops; planes 0 is a product of signs. */
static void binary_case(rheo_context *ctx, uint32_t M, uint32_t N, uint32_t K, uint32_t planes)
{
    const uint32_t words = rheo__words(K), lines = planes ? planes : 1;
    const size_t x_row = (size_t)words * lines + 2, w_row = words + 1, c_row = N + 1;
    uint64_t *x = calloc(M * x_row + 1, 8), *w = calloc(N * w_row + 1, 8);
    float *c = guarded_reals(M * c_row), *want = guarded_reals(M * c_row);
    float *bias = guarded_reals(N);
    assert_true(x && w);
    for (uint32_t m = 0; m < M; m++)
        for (uint32_t l = 0; l < lines; l++)
            for (uint32_t k = 0; k < K; k++)
                x[m * x_row + l * words + k / 64] |= (uint64_t)(random_word() & 1) << k % 64;
    for (uint32_t n = 0; n < N; n++)
        for (uint32_t k = 0; k < K; k++)
            w[n * w_row + k / 64] |= (uint64_t)(random_word() & 1) << k % 64;
    memcpy(want, c, M * c_row * sizeof *c);
    for (uint32_t m = 0; m < M; m++)
        for (uint32_t n = 0; n < N; n++) {
            float sum = 0;
            for (uint32_t k = 0; k < K; k++) {
                float s = w[n * w_row + k / 64] >> k % 64 & 1 ? 1 : -1, v = 0;
                for (uint32_t l = 0; l < lines; l++)
                    v += (float)((x[m * x_row + l * words + k / 64] >> k % 64 & 1) << l);
                sum = fmaf(planes ? v : 2 * v - 1, s, sum);
            }
            want[m * c_row + n] = planes == 3 ? sum + bias[n] : sum;
        }
    rheo_binary_product p = {.M = M, .N = N, .K = K, .x = x, .x_row = x_row, .planes = planes};
    p.w = w, p.w_row = w_row, p.c = c, p.c_row = c_row, p.bias = planes == 3 ? bias : NULL;
    rheo__binary_product(ctx, &p);
    same_bits("binary", c, want, M * c_row);
    guarded_free(c, M * c_row), guarded_free(want, M * c_row), guarded_free(bias, N);
    free(x), free(w);
}

static void binary_equals_float_product(void **state)
{
    static const uint32_t planes[] = {0, 1, 3, 8};
    (void)state;
    for (int isa = 0; isa <= (int)rheo__isa_best(); isa++) {
        rheo_context *ctx = context_of(isa, (uint32_t)isa + 1);
        for (int i = 0; i < 4; i++) {
            binary_case(ctx, 3, 5, 1, planes[i]);
            binary_case(ctx, 0, 5, 9, planes[i]);
            binary_case(ctx, 3, 4, 0, planes[i]);
            binary_case(ctx, 5, 7, 64, planes[i]);
            binary_case(ctx, 33, 9, 131, planes[i]);
            binary_case(ctx, 2, 300, 200, planes[i]);
        }
        rheo_context_free(ctx);
    }
}

/* ---- elementwise ---- */

static float *copy_of(const float *x, size_t n)
{
    float *y = guarded_reals(n);
    memcpy(y, x, n * sizeof *x);
    return y;
}

/* Tolerances: a few roundings, each 2^-24 of numbers of size 1 (times the step's scale). */
static void adam_case(const rheo_kernels *k, const rheo_kernels *plain, size_t n)
{
    const rheo_adam o = {1e-2f, 0.9f, 0.99f, 1e-8f, 0.01f, 0.271f, 0.029701f}; /* step 3 */
    float *w = guarded_reals(n), *g = guarded_reals(n), *m = guarded_reals(n),
          *v = guarded_reals(n);
    for (size_t i = 0; i < n; i++) v[i] = 0.01f + fabsf(v[i]);
    float *w0 = copy_of(w, n), *m0 = copy_of(m, n), *v0 = copy_of(v, n);
    float *w1 = copy_of(w, n), *m1 = copy_of(m, n), *v1 = copy_of(v, n);
    k->adam(&o, w, g, m, v, n);
    plain->adam(&o, w1, g, m1, v1, n);
    same_bits("adam, weights", w, w1, n);
    same_bits("adam, first moment", m, m1, n);
    same_bits("adam, second moment", v, v1, n);
    for (size_t i = 0; i < n; i++) {
        double d = (double)g[i] + 0.01 * (double)w0[i];
        double first = 0.9 * (double)m0[i] + 0.1 * d, second = 0.99 * (double)v0[i] + 0.01 * d * d;
        CHECK_NEAR((double)m[i], first, 1e-6);
        CHECK_NEAR((double)v[i], second, 1e-6);
        double scale = 1e-2 / 0.271 / (sqrt(second / 0.029701) + 1e-8);
        CHECK_NEAR((double)w[i], (double)w0[i] - scale * first, 1e-6 * (1 + scale));
    }
    guarded_free(w, n), guarded_free(m, n), guarded_free(v, n), guarded_free(g, n);
    guarded_free(w0, n), guarded_free(m0, n), guarded_free(v0, n);
    guarded_free(w1, n), guarded_free(m1, n), guarded_free(v1, n);
}

static void sgd_case(const rheo_kernels *k, const rheo_kernels *plain, size_t n, float momentum)
{
    float *w = guarded_reals(n), *g = guarded_reals(n), *m = guarded_reals(n);
    float *w0 = copy_of(w, n), *m0 = copy_of(m, n), *w1 = copy_of(w, n), *m1 = copy_of(m, n);
    k->sgd(0.5f, momentum, 0.01f, w, g, momentum > 0 ? m : NULL, n);
    plain->sgd(0.5f, momentum, 0.01f, w1, g, momentum > 0 ? m1 : NULL, n);
    same_bits("sgd, weights", w, w1, n);
    same_bits("sgd, momentum", m, m1, n);
    for (size_t i = 0; i < n; i++) {
        double d = (double)g[i] + 0.01 * (double)w0[i] + (double)momentum * (double)m0[i];
        CHECK_NEAR((double)w[i], (double)w0[i] - 0.5 * d, 1e-6);
    }
    guarded_free(w, n), guarded_free(m, n), guarded_free(g, n), guarded_free(w0, n);
    guarded_free(m0, n), guarded_free(w1, n), guarded_free(m1, n);
}

static void elementwise_loops(void **state)
{
    (void)state;
    rheo_context *portable = context_of(0, 1);
    for (int isa = 0; isa <= (int)rheo__isa_best(); isa++) {
        rheo_context *ctx = context_of(isa, 1);
        const rheo_kernels *k = rheo__kernels(ctx);
        assert_string_equal(k->name, rheo__isa_names[isa]);
        for (size_t n = 0; n < 70; n += n < 35 ? 1 : 17) {
            adam_case(k, rheo__kernels(portable), n);
            sgd_case(k, rheo__kernels(portable), n, 0.75f);
            sgd_case(k, rheo__kernels(portable), n, 0);
            float *x = guarded_reals(n), *y = copy_of(x, n);
            k->scale(0.3f, x, n);
            for (size_t i = 0; i < n; i++) assert_true(x[i] == y[i] * 0.3f);
            k->clamp(-0.1f, 0.05f, x, n);
            for (size_t i = 0; i < n; i++)
                assert_true(x[i] == fminf(fmaxf(y[i] * 0.3f, -0.1f), 0.05f));
            guarded_free(x, n), guarded_free(y, n);
        }
        rheo_context_free(ctx);
    }
    rheo_context_free(portable);
}

/* ---- bernoulli ---- */

static void bernoulli_case(const rheo_kernels *k, uint32_t n, uint32_t percent)
{
    const rheo_key key = {{draws, 0xdeadbeef}};
    const uint32_t words = rheo__words(n);
    float *p = guarded_reals(n);
    for (uint32_t j = 0; j < n; j++) {
        p[j] = random_word() % 100 < percent ? fabsf(p[j]) : 0;
        if (j % 13 == 5 && percent) p[j] = 1;
    }
    enum { STEPS = 3 };
    const size_t gap = 2, out_t = words + gap;
    uint64_t *out = malloc((STEPS * out_t + gap) * sizeof *out);
    assert_non_null(out);
    for (size_t i = 0; i < STEPS * out_t + gap; i++) out[i] = UINT64_MAX;
    k->bernoulli_steps(key, 5, 0xfffffffe, 7 + n, STEPS - 1, p, n, out + gap, out_t);
    k->bernoulli_steps(key, 5, 0xfffffffe, 7 + n + STEPS - 1, 1, p, n,
                       out + gap + (STEPS - 1) * out_t, out_t);
    for (size_t i = 0; i < STEPS * out_t + gap; i++)
        if (i % out_t < gap) assert_true(out[i] == UINT64_MAX);
    for (uint32_t i = 0; i < STEPS * words * 64; i++) {
        uint32_t r[4], t = i / (words * 64), j = i % (words * 64);
        rheo__philox(key, (uint32_t[4]){5, 0xfffffffe, 7 + n + t, j / 4}, r);
        bool want = j < n && rheo__uniform(r[j % 4]) < p[j];
        if ((out[gap + t * out_t + j / 64] >> j % 64 & 1) != want)
            fail_msg("%s: n %u, %u %% not 0: bit %u is not %d", k->name, n, percent, j, want);
    }
    free(out);
    guarded_free(p, n);
}

static void bernoulli_equals_plain_philox(void **state)
{
    static const uint32_t sizes[] = {0, 1, 3, 4, 5, 63, 64, 65, 127, 255, 784, 1023, 1025, 2500};
    static const uint32_t percents[] = {0, 2, 19, 100};
    (void)state;
    for (int isa = 0; isa <= (int)rheo__isa_best(); isa++) {
        rheo_context *ctx = context_of(isa, 1);
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            for (int k = 0; k < 4; k++) bernoulli_case(rheo__kernels(ctx), sizes[i], percents[k]);
        rheo_context_free(ctx);
    }
}

/* ---- math.h ---- */

/* |y - exact| in units of the last place of a float of that size */
static double ulps(float y, double exact)
{
    float size = fabsf((float)exact);
    if (isinf(size)) return isinf(y) && (y > 0) == (exact > 0) ? 0 : INFINITY;
    double unit = size < 0x1p-126f ? 0x1p-149 : (double)nextafterf(size, INFINITY) - (double)size;
    return fabs((double)y - exact) / unit;
}

static void math_errors(void **state)
{
    double worst[3] = {0}, erf_off = 0;
    (void)state;
    for (uint64_t b = 0; b <= UINT32_MAX; b += 7919) { /* all exponents, both signs */
        float x = rheo__float_of((uint32_t)b);
        if (!isfinite(x)) continue;
        worst[0] = fmax(worst[0], ulps(rheo__expf(x), exp((double)x)));
        if (x > 0) worst[1] = fmax(worst[1], ulps(rheo__logf(x), log((double)x)));
        if (x > -1) worst[2] = fmax(worst[2], ulps(rheo__log1pf(x), log1p((double)x)));
        erf_off = fmax(erf_off, ulps(rheo__erff(x), erf((double)x)));
    }
    for (float x = -5; x < 5; x += 0.0001f)
        erf_off = fmax(erf_off, ulps(rheo__erff(x), erf((double)x)));
    if (!(erf_off < 2)) fail_msg("erf is %.3f units of the last place off", erf_off);
    for (float x = -104; x < 89; x += 0.001f) /* where exp is neither 0 nor inf */
        worst[0] = fmax(worst[0], ulps(rheo__expf(x), exp((double)x)));
    for (float x = -0.9999f; x < 3; x += 0.00003f) {
        worst[1] = fmax(worst[1], ulps(rheo__logf(x + 1), log((double)(x + 1))));
        worst[2] = fmax(worst[2], ulps(rheo__log1pf(x), log1p((double)x)));
    }
    for (int i = 0; i < 3; i++)
        if (!(worst[i] < 1))
            fail_msg("function %d is %.3f units of the last place off", i, worst[i]);
}

static void math_at_the_ends(void **state)
{
    (void)state;
    assert_true(rheo__expf(0) == 1 && rheo__expf(INFINITY) == INFINITY);
    assert_true(rheo__expf(-INFINITY) == 0 && isnan(rheo__expf(NAN)));
    assert_true(isfinite(rheo__expf(88.72f)) && isinf(rheo__expf(88.73f)));
    assert_true(rheo__erff(INFINITY) == 1 && rheo__erff(-INFINITY) == -1);
    assert_true(isnan(rheo__erff(NAN)) && rheo__erff(0) == 0);
    assert_true(rheo__logf(1) == 0 && rheo__logf(0) == -INFINITY);
    assert_true(rheo__logf(INFINITY) == INFINITY && isnan(rheo__logf(-1)) &&
                isnan(rheo__logf(NAN)));
    assert_true(rheo__log1pf(0) == 0 && rheo__log1pf(-1) == -INFINITY &&
                signbit(rheo__log1pf(-0.0f)));
    assert_true(rheo__log1pf(INFINITY) == INFINITY && isnan(rheo__log1pf(-2)));
    assert_true(isnan(rheo__log1pf(NAN)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_are_one_chain),
        cmocka_unit_test(products_do_not_depend_on_threads),
        cmocka_unit_test(gather_equals_product),
        cmocka_unit_test(bits_gradient_equals_product),
        cmocka_unit_test(gather_works_in_parts),
        cmocka_unit_test(density_is_a_part),
        cmocka_unit_test(binary_equals_float_product),
        cmocka_unit_test(elementwise_loops),
        cmocka_unit_test(bernoulli_equals_plain_philox),
        cmocka_unit_test(math_errors),
        cmocka_unit_test(math_at_the_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
