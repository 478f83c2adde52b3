/* test_kernels_bf16.c: products of bfloat16, on every path that this machine has: each against its
 * own order of sums, bit for bit, and against the float64 product of the rounded operands, within
 * the bound of kernels/bf16.h. Outputs lie between guard words, at addresses that are not aligned. */
#include "check.h"
#include "base/threads.h"
#include "kernels/bf16.h"
#include "product_rig.h"
#include <sys/wait.h>
#include <unistd.h>

/* isa RHEO_ISAS: the best; else the plain path on that instruction set's kernels. */
static rheo_context *context_on(rheo_bf16_path path, int isa, uint32_t threads)
{
    rheo_context *ctx = context_of(isa < RHEO_ISAS ? isa : (int)rheo__isa_best(), threads);
    ctx->bf16 = path;
    return ctx;
}

static rheo_bf16_path paths(void)
{
    rheo_context *ctx = context_on(rheo__bf16_best(), RHEO_ISAS, 1);
    const rheo_bf16_path path = rheo__isa_best() == RHEO_AVX512 ? rheo__bf16_path(ctx) : 0;
    rheo_context_free(ctx);
    return path;
}

static double term(const rheo_product *p, uint32_t m, uint32_t n, uint32_t k)
{
    if (k >= p->K) return 0;
    return (double)rheo__bf16_round(value(&p->a, m, k)) *
           (double)rheo__bf16_round(value(&p->b, n, k));
}

/* The order of sums that bf16.h tells of a path. A term is exact in float. */
static float ordered(rheo_bf16_path path, const rheo_product *p, uint32_t m, uint32_t n, float sum)
{
    for (uint32_t k = 0; k < p->K && path == RHEO_BF16_PLAIN; k++) sum += (float)term(p, m, n, k);
    for (uint32_t k = 0; k < p->K && path == RHEO_BF16_AVX512; k += 2) {
        sum += (float)term(p, m, n, k + 1);
        sum += (float)term(p, m, n, k);
    }
    for (uint32_t k = 0; k < p->K && path == RHEO_BF16_AMX; k += 32) {
        float half[2] = {0};
        for (uint32_t i = 0; i < 32; i++) half[i % 2] += (float)term(p, m, n, k + i);
        sum += half[0] + half[1];
    }
    return sum;
}

static double bound(const rheo_product *p, uint32_t m, uint32_t n, double from, double *exact)
{
    const double u = 0x1p-24, roundings = p->K + 2.0;
    double size = fabs(from);
    *exact = from;
    for (uint32_t k = 0; k < p->K; k++) {
        *exact += term(p, m, n, k);
        size += fabs(term(p, m, n, k));
    }
    return roundings * u / (1 - roundings * u) * size + roundings * 0x1p-126;
}

/* Checks one result; before: what stood in c. */
static void check_product(const char *what, rheo_bf16_path path, const rheo_product *p,
                          const float *before, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        const uint32_t m = (uint32_t)(i / p->c_row), n = (uint32_t)(i % p->c_row);
        if (n >= p->N) { /* a gap between rows */
            same_bits(what, p->c + i, before + i, 1);
            continue;
        }
        const float from = p->bias ? p->bias[n] : p->accumulate ? before[i] : 0;
        const float want = ordered(path, p, m, n, from);
        double exact;
        const double most = bound(p, m, n, from, &exact);
        if (!(fabs(p->c[i] - exact) <= most))
            fail_msg("%s: [%u,%u] is %.9g, exact %.9g, off by more than %.3g", what, m, n,
                     (double)p->c[i], exact, most);
        same_bits(what, p->c + i, &want, 1);
    }
}

static void run_product(rheo_context *ctx, rheo_product *p, const float *before, size_t size)
{
    const size_t bytes = rheo__product_scratch(ctx, RHEO_BF16, p->M, p->N, p->K);
    const size_t room = (bytes + 127) / 64 * 64;
    assert_true(bytes <= rheo__product_scratch(ctx, RHEO_BF16, p->M + 100, p->N, p->K));
    char *scratch = aligned_alloc(64, room);
    assert_non_null(scratch);
    memset(scratch, 0x5a, room);
    p->c = guarded_reals(size);
    if (size) memcpy(p->c, before, size * sizeof *before);
    p->precision = RHEO_BF16;
    rheo__product(ctx, p, scratch);
    for (size_t i = bytes; i < room; i++)
        if (scratch[i] != 0x5a) fail_msg("wrote past its scratch");
    free(scratch);
}

static void product_case(rheo_context *const *contexts, uint32_t count, uint32_t M, uint32_t N,
                         uint32_t K, layout a, layout b, int start)
{
    matrix ma = matrix_new(a, M, K), mb = matrix_new(b, N, K);
    rheo_product p = {.M = M, .N = N, .K = K, .a = ma.o, .b = mb.o, .c_row = N + 5};
    const size_t size = M ? (M - 1) * p.c_row + N : 0;
    float *bias = guarded_reals(N), *before = guarded_reals(size), *same = NULL;
    p.bias = start == 2 ? bias : NULL;
    p.accumulate = start == 1;
    for (size_t i = 0; i < size; i++)
        if (i % p.c_row >= N) before[i] = -0.0f; /* the gaps between rows are guards too */
    for (uint32_t i = 0; i < count; i++) {
        char what[128];
        snprintf(what, sizeof what, "%s on %s, %u threads: [%u,%u,%u] layouts %d %d start %d",
                 rheo__bf16_name(contexts[i]), rheo_isa(contexts[i]), rheo_threads(contexts[i]), M,
                 N, K, (int)a, (int)b, start);
        run_product(contexts[i], &p, before, size);
        if (i == 0 || contexts[i]->bf16 != contexts[i - 1]->bf16) {
            check_product(what, rheo__bf16_path(contexts[i]), &p, before, size);
            if (same) guarded_free(same, size);
            same = p.c;
        } else {
            same_bits(what, p.c, same, size);
            guarded_free(p.c, size);
        }
    }
    guarded_free(same, size), guarded_free(bias, N), guarded_free(before, size);
    free(ma.memory), free(mb.memory);
}

/* Around the lengths of vectors (16), pairs (2), groups (32) and tiles (8 x 48, 32 x 32). */
static void products_keep_their_order(void **state)
{
    static const uint32_t sizes[][3] = {
        {0, 5, 5},     {5, 0, 5},     {5, 5, 0},    {1, 1, 1},    {1, 48, 7},   {2, 17, 3},
        {7, 15, 16},   {8, 16, 17},   {9, 33, 63},  {8, 48, 64},  {4, 24, 65},  {13, 47, 31},
        {16, 96, 4},   {17, 49, 129}, {3, 131, 5},  {32, 32, 32}, {31, 31, 33}, {33, 32, 2},
        {131, 10, 40}, {40, 64, 67},  {64, 96, 128}};
    (void)state;
    rheo_context *contexts[RHEO_BF16_PATHS + RHEO_ISAS];
    uint32_t count = 0;
    for (int isa = 0; isa <= (int)rheo__isa_best(); isa++)
        contexts[count++] = context_on(RHEO_BF16_PLAIN, isa, 1);
    for (int path = 1; path <= (int)paths(); path++)
        contexts[count++] = context_on((rheo_bf16_path)path, RHEO_ISAS, 1);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int a = 0; a < LAYOUTS; a++)
            for (int b = 0; b < LAYOUTS; b++)
                product_case(contexts, count, sizes[i][0], sizes[i][1], sizes[i][2], (layout)a,
                             (layout)b, (a + b + (int)i) % 3);
    while (count) rheo_context_free(contexts[--count]);
}

/* Several tasks, panels and chunks: of K (2100 > 2048), of N and of M (1600 > 1536). */
static void products_do_not_depend_on_threads(void **state)
{
    static const struct {
        uint32_t M, N, K;
        layout a, b;
    } cases[] = {{257, 131, 300, ROWS, ROWS},      {264, 96, 100, BITS_ALONG, COLUMNS},
                 {64, 64, 2100, ROWS, ROWS},       {131, 257, 300, COLUMNS, BITS_ACROSS},
                 {30, 50, 2101, BITS_ALONG, ROWS}, {20, 1600, 70, ROWS, COLUMNS},
                 {1600, 20, 70, BITS_ACROSS, ROWS}};
    static const uint32_t threads[] = {1, 2, 3, 8};
    (void)state;
    rheo_context *contexts[4 * RHEO_BF16_PATHS];
    uint32_t count = 0;
    for (int path = 0; path <= (int)paths(); path++)
        for (int t = 0; t < 4; t++)
            contexts[count++] = context_on((rheo_bf16_path)path, RHEO_ISAS, threads[t]);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int start = i < 3 ? 0 : 2; start < 3; start++)
            product_case(contexts, count, cases[i].M, cases[i].N, cases[i].K, cases[i].a,
                         cases[i].b, start);
    while (count) rheo_context_free(contexts[--count]);
}

static float of_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Every upper half with lower halves around the tie, times 1, on every path: the nearer of the two
 * neighbours, by their distance in double; the even one of two as near. */
static void every_number_is_rounded(void **state)
{
    static const uint32_t low[] = {0, 1, 0x7fff, 0x8000, 0x8001, 0xffff};
    enum { LOW = 6, ALL = 65536 * LOW };
    (void)state;
    float *x = malloc(ALL * sizeof *x), *y = malloc(ALL * sizeof *y), one = 1;
    assert_true(x && y);
    for (uint32_t i = 0; i < ALL; i++) x[i] = of_bits(i / LOW << 16 | low[i % LOW]);
    for (int path = 0; path <= (int)paths(); path++) {
        rheo_context *ctx = context_on((rheo_bf16_path)path, RHEO_ISAS, 2);
        void *scratch = aligned_alloc(64, rheo__product_scratch(ctx, RHEO_BF16, ALL, 1, 1));
        assert_non_null(scratch);
        rheo__product(ctx,
                      &(rheo_product){.M = ALL,
                                      .N = 1,
                                      .K = 1,
                                      .a = {.real = x, .row = 1, .col = 1},
                                      .b = {.real = &one, .row = 1, .col = 1},
                                      .c = y,
                                      .c_row = 1,
                                      .precision = RHEO_BF16},
                      scratch);
        for (uint32_t i = 0; i < ALL; i++) {
            const uint32_t high = i / LOW;
            const float down = of_bits(high << 16), up = of_bits((high + 1) << 16);
            float want = down;
            if (fabsf(x[i]) < 0x1p-126f) {
                want = 0;
            } else if (isfinite(x[i])) { /* 2^128 is what infinity stands for */
                const double above = isinf(up) ? copysign(0x1p128, (double)up) : (double)up;
                const double d = fabs((double)x[i] - (double)down), e = fabs(above - (double)x[i]);
                want = d < e || (!(e < d) && high % 2 == 0) ? down : up;
            }
            if (isnan(x[i]) ? !isnan(y[i]) : !(y[i] >= want && y[i] <= want))
                fail_msg("%s: %a becomes %a, expected %a", rheo__bf16_name(ctx), (double)x[i],
                         (double)y[i], (double)want);
            const float alone = rheo__bf16_round(x[i]);
            assert_true(isnan(x[i]) ? isnan(alone) : alone >= want && alone <= want);
        }
        free(scratch);
        rheo_context_free(ctx);
    }
    free(x), free(y);
}

/* Products of small numbers, which the instructions cut off: within the bound. */
static void small_numbers_keep_the_bound(void **state)
{
    enum { M = 17, N = 19, K = 70 };
    (void)state;
    float a[M * K], b[N * K], c[M * N];
    for (size_t i = 0; i < M * K; i++) a[i] = random_real() * 0x1p-64f;
    for (size_t i = 0; i < N * K; i++) b[i] = random_real() * 0x1p-62f;
    for (int path = 0; path <= (int)paths(); path++) {
        rheo_context *ctx = context_on((rheo_bf16_path)path, RHEO_ISAS, 1);
        void *scratch = aligned_alloc(64, rheo__product_scratch(ctx, RHEO_BF16, M, N, K));
        assert_non_null(scratch);
        const rheo_product p = {.M = M,
                                .N = N,
                                .K = K,
                                .a = {.real = a, .row = K, .col = 1},
                                .b = {.real = b, .row = K, .col = 1},
                                .c = c,
                                .c_row = N,
                                .precision = RHEO_BF16};
        rheo__product(ctx, &p, scratch);
        for (uint32_t i = 0; i < M * N; i++) {
            double exact;
            const double most = bound(&p, i / N, i % N, 0, &exact);
            CHECK_NEAR(c[i], exact, most);
        }
        free(scratch);
        rheo_context_free(ctx);
    }
}

/* Threads come and go with their contexts, two contexts work at once, and a forked child goes on. */
static void threads_end_and_children_go_on(void **state)
{
    (void)state;
    rheo_context *lasting = context_on(paths(), RHEO_ISAS, 3);
    for (int i = 0; i < 20; i++) {
        rheo_context *both[] = {context_on(paths(), RHEO_ISAS, 4), lasting};
        product_case(both, 2, 300, 70, 40, ROWS, COLUMNS, 2);
        rheo_context_free(both[0]);
    }
    fflush(NULL);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        product_case(&lasting, 1, 300, 70, 40, ROWS, COLUMNS, 2);
        _exit(7);
    }
    int status;
    assert_true(waitpid(child, &status, 0) == child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    rheo_context_free(lasting);
}

/* A lower instruction set means the plain path. */
static void lower_sets_are_plain(void **state)
{
    (void)state;
    for (int isa = 0; isa <= (int)rheo__isa_best(); isa++) {
        rheo_context *ctx = context_of(isa, 1);
        if (isa < (int)RHEO_AVX512) assert_string_equal(rheo__bf16_name(ctx), "plain");
        assert_true(rheo__bf16_path(ctx) <= rheo__bf16_best());
        rheo_context_free(ctx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_keep_their_order),
        cmocka_unit_test(products_do_not_depend_on_threads),
        cmocka_unit_test(every_number_is_rounded),
        cmocka_unit_test(small_numbers_keep_the_bound),
        cmocka_unit_test(threads_end_and_children_go_on),
        cmocka_unit_test(lower_sets_are_plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
