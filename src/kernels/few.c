/* few.c: bits with few numbers, where packing them as floats would cost more than the product. Both
 * are one loop, bit_sums: 64 lanes, each with a bit for every k, and for every k some numbers that
 * are the same for all lanes:
 *
 *      sum[o][lane] = start + sum over k, ascending, of  bit(k, lane) ? s[k][o] : 0
 *
 *   outputs    lanes are rows of spikes (their bits transposed 64 x 64), s the transposed weights
 *   gradient   lanes are inputs, k runs over the rows, s is the gradient of the outputs
 *
 * Sums are those of the product and of the gather: fma(1, w, s) = s + w and fma(0, w, s) = s. */
#include "base/threads.h"
#include "kernels/kernels.h"
#include <string.h>

enum { LANES = 64, DEPTH = 512 /* of k whose bits are transposed at a time */ };

typedef struct job {
    const rheo_kernels *kernels;
    const rheo_gather *outputs;
    const rheo_bits_gradient *gradient;
} job;

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* bits[k] of `rows` rows from `row` on, k0 … k0 + depth - 1. */
static void transpose_rows(const job *j, uint32_t row, uint32_t rows, uint32_t k0, uint32_t depth,
                           uint64_t bits[DEPTH])
{
    const rheo_gather *g = j->outputs;
    const uint64_t *from = g->bits + row * g->bits_row + k0 / 64;
    for (uint32_t k = 0; k < depth; k += 64, from++) {
        for (uint32_t i = 0; i < LANES; i++) bits[k + i] = i < rows ? from[i * g->bits_row] : 0;
        j->kernels->transpose_bits(bits + k);
    }
}

/* All columns of 64 rows. */
static void outputs_task(void *argument, uint32_t task, uint32_t thread)
{
    const job *j = argument;
    const rheo_gather *g = j->outputs;
    const uint32_t row = task * LANES, rows = least(LANES, g->M - row);
    _Alignas(64) float sum[RHEO_FEW][LANES] = {{0}};
    uint64_t bits[DEPTH];
    float *c = g->c + row * g->c_row;
    (void)thread;
    for (uint32_t o = 0; o < g->N && (g->bias || g->accumulate); o++)
        for (uint32_t i = 0; i < rows; i++) sum[o][i] = g->bias ? g->bias[o] : c[i * g->c_row + o];
    for (uint32_t k = 0; k < g->K; k += DEPTH) {
        const uint32_t depth = least(DEPTH, g->K - k);
        transpose_rows(j, row, rows, k, depth, bits);
        j->kernels->bit_sums(&(rheo_bit_sums){.K = depth,
                                              .N = g->N,
                                              .bits = bits,
                                              .bits_row = 1,
                                              .s = g->w + k * g->w_row,
                                              .s_row = g->w_row,
                                              .sum = sum[0]});
    }
    for (uint32_t i = 0; i < rows; i++)
        for (uint32_t o = 0; o < g->N; o++) c[i * g->c_row + o] = sum[o][i];
}

void rheo__few(rheo_context *ctx, const rheo_gather *gather)
{
    const job j = {.kernels = rheo__kernels(ctx), .outputs = gather};
    rheo__parallel(ctx, rheo__words(gather->M), outputs_task, (void *)(uintptr_t)&j);
}

/* 64 columns of all outputs. */
static void gradient_task(void *argument, uint32_t word, uint32_t thread)
{
    const job *j = argument;
    const rheo_bits_gradient *g = j->gradient;
    const uint32_t columns = least(LANES, g->N - word * LANES);
    _Alignas(64) float sum[RHEO_FEW][LANES] = {{0}};
    float *c = g->c + (size_t)word * LANES;
    (void)thread;
    for (uint32_t o = 0; o < g->M && g->accumulate; o++)
        memcpy(sum[o], c + o * g->c_row, columns * sizeof *c);
    j->kernels->bit_sums(&(rheo_bit_sums){.K = g->K,
                                          .N = g->M,
                                          .bits = g->bits + word,
                                          .bits_row = g->bits_row,
                                          .s = g->g,
                                          .s_row = g->g_row,
                                          .sum = sum[0]});
    for (uint32_t o = 0; o < g->M; o++) memcpy(c + o * g->c_row, sum[o], columns * sizeof *c);
}

void rheo__few_gradient(rheo_context *ctx, const rheo_bits_gradient *gradient)
{
    const job j = {.kernels = rheo__kernels(ctx), .gradient = gradient};
    rheo__parallel(ctx, rheo__words(gradient->N), gradient_task, (void *)(uintptr_t)&j);
}
