/* sparse_gradient.c: the gradient of weights from sparse spikes: of 64 inputs at a time the rows in
 * which each of them fires are listed, from their bits turned round, and those rows of the outputs'
 * gradient are added up, a block of columns at a time that stays in the second-level cache.
 *
 *   c[m,n] = start + sum over ascending k of g[k,m] where bits[k,n]
 *
 * Sums are those of the product: fma(g, 1, s) = s + g and fma(g, 0, s) = s. */
#include "base/threads.h"
#include "kernels/kernels.h"
#include <string.h>

enum {
    LANES = 64,    /* inputs of a task */
    COLUMNS = 128, /* outputs of a task */
    DEPTH = 1024   /* rows whose bits are turned round at a time */
};

typedef struct job {
    const rheo_kernels *kernels;
    const rheo_bits_gradient *gradient;
    uint32_t words;
} job;

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* turned[lane]: the rows k0 … k0 + depth - 1 in which that input fires. */
static void turn(const job *j, uint32_t word, uint32_t k0, uint32_t depth,
                 uint64_t turned[LANES][DEPTH / 64])
{
    const rheo_bits_gradient *g = j->gradient;
    for (uint32_t k = 0; k < depth; k += 64) {
        uint64_t bits[64];
        for (uint32_t i = 0; i < 64; i++)
            bits[i] = k + i < depth ? g->bits[(size_t)(k0 + k + i) * g->bits_row + word] : 0;
        j->kernels->transpose_bits(bits);
        for (uint32_t lane = 0; lane < LANES; lane++) turned[lane][k / 64] = bits[lane];
    }
}

static void gradient_task(void *argument, uint32_t task, uint32_t thread)
{
    const job *j = argument;
    const rheo_bits_gradient *g = j->gradient;
    const uint32_t word = task % j->words, m0 = task / j->words * COLUMNS;
    const uint32_t lanes = least(LANES, g->N - word * LANES), columns = least(COLUMNS, g->M - m0);
    _Alignas(64) float sum[LANES][COLUMNS] = {{0}};
    uint64_t turned[LANES][DEPTH / 64];
    uint32_t index[DEPTH + RHEO_LIST_SLACK];
    float *c = g->c + m0 * g->c_row + (size_t)word * LANES;
    (void)thread;
    if (g->accumulate) j->kernels->transpose(c, g->c_row, columns, lanes, sum[0], COLUMNS);
    for (uint32_t k = 0; k < g->K; k += DEPTH) {
        const uint32_t depth = least(DEPTH, g->K - k);
        turn(j, word, k, depth, turned);
        for (uint32_t lane = 0; lane < lanes; lane++) {
            const uint32_t count =
                j->kernels->list_bits(turned[lane], rheo__words(depth), index, NULL);
            j->kernels->gather_row(index, count, g->g + k * g->g_row + m0, g->g_row, 0, columns,
                                   sum[lane]);
        }
    }
    j->kernels->transpose(sum[0], COLUMNS, lanes, columns, c, g->c_row);
}

void rheo__sparse_gradient(rheo_context *ctx, const rheo_bits_gradient *gradient)
{
    const job j = {rheo__kernels(ctx), gradient, rheo__words(gradient->N)};
    rheo__parallel(ctx, j.words * ((gradient->M + COLUMNS - 1) / COLUMNS), gradient_task,
                   (void *)(uintptr_t)&j);
}

double rheo__sparse_gradient_density(const rheo_context *ctx)
{
    static const double below[RHEO_ISAS] = {0.95, 0.35, 0.22};
    return below[ctx->isa];
}
