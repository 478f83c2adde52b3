/* kernels.c: how fast the kernels are on this machine, one thread unless said (argument: threads).
 * Prints the measured FMA peak first; products are given in 1e9 multiply-adds a second and as a
 * part of that peak. Best of several runs. */
#include "kernels/kernels.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RUNS = 15 };

/* Seconds of the wall clock with several threads, of this thread's own with one: what else runs on
 * the machine then disturbs less. */
static clockid_t clock_used = CLOCK_THREAD_CPUTIME_ID;
static double now(void)
{
    struct timespec t;
    clock_gettime(clock_used, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Independent chains of FMA in registers: the most that a core can do [1e9 multiply-adds a second].
 */
static double peak(const rheo_context *ctx)
{
    const rheo_kernels *k = rheo__kernels(ctx);
    const uint64_t rounds = ctx->isa == RHEO_PORTABLE ? 10000 : 3000000;
    double best = 0;
    float sum = 0;
    for (int i = 0; i < RUNS; i++) {
        double t = now();
        sum += k->fma_peak(rounds);
        double g = (double)rounds * RHEO_PEAK_CHAINS * k->lanes / (now() - t) * 1e-9;
        if (g > best) best = g;
    }
    return sum > 1e30f ? 0 : best;
}

/* Seconds of the fastest of some runs of a call, which may read the run's number as `run`. */
#define BEST(best, runs, call)                                                                     \
    do {                                                                                           \
        (best) = 1e9;                                                                              \
        for (uint32_t run = 0; run < (runs); run++) {                                              \
            const double began = now();                                                            \
            call;                                                                                  \
            const double took = now() - began;                                                     \
            if (took < (best)) (best) = took;                                                      \
        }                                                                                          \
    } while (0)

static uint64_t seed = 1;
static uint64_t random_word(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    return seed ^= seed << 17;
}

static void *memory(size_t size)
{
    void *p = aligned_alloc(64, (size + 127) / 64 * 64);
    if (!p) exit(1);
    memset(p, 0, (size + 127) / 64 * 64);
    return p;
}

static float *reals(size_t n)
{
    float *x = memory(n * sizeof *x);
    for (size_t i = 0; i < n; i++) x[i] = (float)(int32_t)random_word() * 0x1p-31f;
    return x;
}

static uint64_t *spikes(uint32_t rows, uint32_t n, double density)
{
    uint64_t *bits = memory((size_t)rows * rheo__words(n) * 8);
    for (uint32_t r = 0; r < rows; r++)
        for (uint32_t i = 0; i < n; i++)
            if ((double)(random_word() >> 11) * 0x1p-53 < density)
                bits[(size_t)r * rheo__words(n) + i / 64] |= (uint64_t)1 << i % 64;
    return bits;
}

/* Layouts of an operand [rows, K]: as it stands, transposed in memory, bits of both kinds. */
typedef enum { ROWS, COLUMNS, BITS_ROWS, BITS_COLUMNS } layout;
static rheo_operand operand(layout kind, uint32_t rows, uint32_t K)
{
    switch (kind) {
    case ROWS:
        return (rheo_operand){.real = reals((size_t)rows * K), .row = K, .col = 1};
    case COLUMNS:
        return (rheo_operand){.real = reals((size_t)rows * K), .row = 1, .col = rows};
    case BITS_ROWS:
        return (rheo_operand){
            .bits = spikes(rows, K, 0.1), .row = rheo__words(K), .col = 1, .lo = 0, .hi = 1};
    default:
        return (rheo_operand){
            .bits = spikes(K, rows, 0.1), .row = rheo__words(rows), .col = 0, .lo = 0, .hi = 1};
    }
}

static double product_seconds(rheo_context *ctx, uint32_t M, uint32_t N, uint32_t K, layout a,
                              layout b)
{
    rheo_product p = {.M = M, .N = N, .K = K, .c_row = N, .c = reals((size_t)M * N)};
    p.a = operand(a, M, K);
    p.b = operand(b, N, K);
    void *scratch = memory(rheo__product_scratch(ctx, RHEO_FLOAT32, M, N, K));
    double best;
    BEST(best, RUNS, rheo__product(ctx, &p, scratch));
    free((void *)(uintptr_t)p.a.real);
    free((void *)(uintptr_t)p.b.real);
    free((void *)(uintptr_t)p.a.bits);
    free((void *)(uintptr_t)p.b.bits);
    free(p.c);
    free(scratch);
    return best;
}

static void time_product(rheo_context *ctx, const char *what, uint32_t M, uint32_t N, uint32_t K,
                         layout a, layout b, double top)
{
    const double best = product_seconds(ctx, M, N, K, a, b);
    const double speed = (double)M * N * K / best * 1e-9;
    printf("product [%u,%u] x [%u,%u] %-22s %8.3f ms %7.1f GMAC/s", M, K, K, N, what, best * 1e3,
           speed);
    printf(" %5.1f %%\n", 100 * speed / top);
}

static double time_gather(rheo_context *ctx, uint32_t M, uint32_t N, uint32_t K, double density)
{
    rheo_gather g = {.M = M, .N = N, .K = K, .bits_row = rheo__words(K), .w_row = rheo__pitch(N)};
    uint64_t *bits = spikes(M, K, density);
    float *w = reals((size_t)K * g.w_row), *c = reals((size_t)M * g.w_row);
    void *scratch = memory(rheo__gather_scratch(ctx, M, N, K));
    g.bits = bits, g.w = w, g.c = c, g.c_row = g.w_row;
    double best;
    BEST(best, RUNS, rheo__gather(ctx, &g, scratch));
    free(bits), free(w), free(c), free(scratch);
    return best;
}

/* Of rheo__few, forward and the weights' gradient. */
static void time_few(rheo_context *ctx, uint32_t M, uint32_t N, uint32_t K, double best[2])
{
    const size_t pitch = rheo__pitch(N), words = rheo__words(K);
    uint64_t *bits = spikes(M, K, 0.1);
    float *w = reals(K * pitch), *y = reals(M * pitch), *grad = reals((size_t)N * K);
    const rheo_gather out = {.M = M,
                             .N = N,
                             .K = K,
                             .bits = bits,
                             .bits_row = words,
                             .w = w,
                             .w_row = pitch,
                             .c = y,
                             .c_row = pitch};
    const rheo_bits_gradient back = {.M = N,
                                    .N = K,
                                    .K = M,
                                    .g = y,
                                    .g_row = pitch,
                                    .bits = bits,
                                    .bits_row = words,
                                    .c = grad,
                                    .c_row = K};
    BEST(best[0], RUNS, rheo__few(ctx, &out));
    BEST(best[1], RUNS, rheo__few_gradient(ctx, &back));
    free(bits), free(w), free(y), free(grad);
}

/* Where the gather takes as long as the product, or as rheo__few; by bisection of the density. */
static double crossover(rheo_context *ctx, uint32_t M, uint32_t N, uint32_t K)
{
    double few[2], low = 0, high = 1;
    const bool is_few = N <= rheo__kernels(ctx)->few;
    if (is_few) time_few(ctx, M, N, K, few);
    const double dense = is_few ? few[0] : product_seconds(ctx, M, N, K, BITS_ROWS, COLUMNS);
    for (int i = 0; i < 6; i++) {
        double d = (low + high) / 2;
        if (time_gather(ctx, M, N, K, d) < dense)
            low = d;
        else
            high = d;
    }
    return (low + high) / 2;
}

static void time_bernoulli(rheo_context *ctx)
{
    enum { N = 784, STEPS = 700 };
    float *p = memory(N * sizeof *p);
    /* like a digit: runs of six pixels in 25 rows of 28: 19 % of the pixels */
    for (uint32_t i = 0; i < 25; i++)
        for (uint32_t k = 0; k < 6; k++) p[28 * (i + 1) + 8 + i % 9 + k] = 0.06f;
    uint64_t *out = memory(STEPS * rheo__words(N) * 8);
    double best;
    BEST(best, 10 * RUNS,
         rheo__kernels(ctx)->bernoulli_steps((rheo_key){{1, 2}}, run, 0, 0, STEPS, p, N, out,
                                             rheo__words(N)));
    printf("bernoulli, 784 pixels (19 %% not 0) x 700 steps: %.1f us\n", best * 1e6);
    free(p), free(out);
}

static void time_adam(rheo_context *ctx)
{
    enum { N = 100000 };
    float *x[4];
    for (int i = 0; i < 4; i++) x[i] = reals(N);
    for (int i = 0; i < N; i++) x[3][i] = x[3][i] * x[3][i];
    rheo_adam k = {1e-3f, 0.9f, 0.999f, 1e-8f, 0, 0.1f, 0.001f};
    double best;
    BEST(best, RUNS, rheo__kernels(ctx)->adam(&k, x[0], x[1], x[2], x[3], N));
    printf("adam: %.3f ns a weight\n", best * 1e9 / N);
    for (int i = 0; i < 4; i++) free(x[i]);
}

int main(int count, char **argument)
{
    rheo_context *ctx;
    rheo_context_options options = {.threads = count > 1 ? (uint32_t)atoi(argument[1]) : 1};
    if (rheo_context_new(&options, &ctx) != RHEO_OK) return 1;
    double top = peak(ctx) * rheo_threads(ctx);
    if (rheo_threads(ctx) > 1) clock_used = CLOCK_MONOTONIC;
    printf("%s, %u threads; FMA peak %.1f GMAC/s\n", rheo_isa(ctx), rheo_threads(ctx), top);
    time_product(ctx, "reals", 1024, 1024, 1024, ROWS, ROWS, top);
    time_product(ctx, "weights transposed", 1024, 1024, 1024, ROWS, COLUMNS, top);
    time_product(ctx, "forward", 128, 1000, 784, ROWS, ROWS, top);
    time_product(ctx, "forward, bits", 128, 1000, 784, BITS_ROWS, ROWS, top);
    time_product(ctx, "input gradient", 128, 784, 1000, ROWS, COLUMNS, top);
    time_product(ctx, "weight gradient", 1000, 784, 128, COLUMNS, COLUMNS, top);
    time_product(ctx, "weight gradient, bits", 1000, 784, 128, COLUMNS, BITS_COLUMNS, top);
    time_product(ctx, "forward, bits", 3200, 10, 1000, BITS_ROWS, ROWS, top);
    time_product(ctx, "forward", 3200, 10, 1000, ROWS, ROWS, top);
    time_product(ctx, "input gradient", 3200, 1000, 10, ROWS, COLUMNS, top);
    time_product(ctx, "weight gradient", 10, 1000, 3200, COLUMNS, COLUMNS, top);
    time_product(ctx, "weight gradient, bits", 10, 1000, 3200, COLUMNS, BITS_COLUMNS, top);
    time_product(ctx, "one row", 1, 1000, 784, ROWS, COLUMNS, top);
    const double density[] = {0.01, 0.05, 0.1, 0.2};
    for (int i = 0; i < 4; i++)
        printf("gather [3200,784] x [784,1000], %2.0f %% set: %.3f ms\n", 100 * density[i],
               1e3 * time_gather(ctx, 3200, 1000, 784, density[i]));
    const uint32_t N[] = {10, 16, 64, 128, 300, 1000};
    for (int i = 0; i < 6; i++)
        printf("gather wins below a density of %.2f at N = %u\n", crossover(ctx, 1600, N[i], 784),
               N[i]);
    for (uint32_t n = 1; n <= RHEO_FEW; n += n < 8 ? 3 : 6) {
        double few[2];
        time_few(ctx, 3200, n, 1000, few);
        printf("few [3200,1000] x [1000,%u]: %.3f ms, gradient %.3f ms; as a product %.3f ms\n", n,
               few[0] * 1e3, few[1] * 1e3,
               1e3 * product_seconds(ctx, 3200, n, 1000, BITS_ROWS, COLUMNS));
    }
    time_bernoulli(ctx);
    time_adam(ctx);
    rheo_context_free(ctx);
    return 0;
}
