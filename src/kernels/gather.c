/* gather.c: rows of spikes times weights. Each row's set bits become a list of indices once, with the
 * place where each word begins. Then COLUMNS weights of some words' inputs, which fit the first-level
 * cache if spikes are not too sparse, serve many lists, each with its sums in registers; the next words
 * go on with these sums. The sum of an output is start, then w[k] in ascending k, as in the product:
 * fma(1, w, s) = s + w and fma(0, w, s) = s. */
#include "base/threads.h"
#include "kernels/kernels.h"
#include <math.h>
#include <string.h>

enum {
    COLUMNS = 128,    /* of a block: a word's inputs of it are 32 KB */
    ROWS = 32,        /* of a task */
    VISIT = 6,        /* spikes that are added at a time, on average at least */
    DECODE_ROWS = 32, /* of a task that decodes */
    LISTS = 1 << 21   /* indices held at a time, unless one row needs more */
};

typedef struct job {
    const rheo_kernels *kernels;
    const rheo_gather *gather;
    uint32_t row0, rows; /* held now */
    uint32_t groups;     /* of ROWS */
    uint32_t words;      /* of a segment */
    uint32_t *begin;     /* [rows][words of K, + 1]: where each one's indices begin */
    uint32_t *index;     /* [rows][K + RHEO_LIST_SLACK] */
} job;

static size_t begin_row(uint32_t K)
{
    return (size_t)rheo__words(K) + 1;
}

static size_t index_row(uint32_t K)
{
    return (size_t)K + RHEO_LIST_SLACK;
}

static uint32_t rows_held(uint32_t M, uint32_t K)
{
    uint32_t rows = K ? LISTS / K : M;
    rows = rows ? rows : 1;
    return rows < M ? rows : M;
}

size_t rheo__gather_scratch(const rheo_context *ctx, uint32_t M, uint32_t N, uint32_t K)
{
    (void)ctx, (void)N;
    return rows_held(M, K) * (index_row(K) + begin_row(K)) * sizeof(uint32_t);
}

static void decode_task(void *arg, uint32_t task, uint32_t thread)
{
    const job *j = arg;
    const rheo_gather *g = j->gather;
    (void)thread;
    for (uint32_t m = task * DECODE_ROWS; m < j->rows && m < (task + 1) * DECODE_ROWS; m++)
        j->kernels->list_bits(g->bits + (size_t)(j->row0 + m) * g->bits_row, rheo__words(g->K),
                              j->index + m * index_row(g->K), j->begin + m * begin_row(g->K));
}

/* Words of a segment: enough for VISIT spikes. */
static uint32_t segment_words(const job *j)
{
    const rheo_gather *g = j->gather;
    const uint32_t words = rheo__words(g->K);
    double spikes = 0;
    for (uint32_t m = 0; m < j->rows; m++) spikes += j->begin[m * begin_row(g->K) + words];
    const double some = spikes > 0 ? ceil(VISIT * (double)j->rows * words / spikes) : words;
    return some < words ? (uint32_t)some : words ? words : 1;
}

static void start(const rheo_gather *g, float *c, uint32_t n0, uint32_t n1)
{
    if (g->bias)
        memcpy(c + n0, g->bias + n0, (n1 - n0) * sizeof(float));
    else if (!g->accumulate)
        memset(c + n0, 0, (n1 - n0) * sizeof(float));
}

static void block_task(void *arg, uint32_t task, uint32_t thread)
{
    const job *j = arg;
    const rheo_gather *g = j->gather;
    (void)thread;
    uint32_t n0 = task / j->groups * COLUMNS, n1 = g->N - n0 < COLUMNS ? g->N : n0 + COLUMNS;
    uint32_t m0 = task % j->groups * ROWS, m1 = j->rows - m0 < ROWS ? j->rows : m0 + ROWS;
    for (uint32_t m = m0; m < m1; m++) start(g, g->c + (j->row0 + m) * g->c_row, n0, n1);
    for (uint32_t i = 0, end; i < rheo__words(g->K); i = end) {
        end = rheo__words(g->K) - i < j->words ? rheo__words(g->K) : i + j->words;
        for (uint32_t m = m0; m < m1; m++) {
            const uint32_t *begin = j->begin + m * begin_row(g->K);
            j->kernels->gather_row(j->index + m * index_row(g->K) + begin[i], begin[end] - begin[i],
                                   g->w, g->w_row, n0, n1, g->c + (j->row0 + m) * g->c_row);
        }
    }
}

void rheo__gather(rheo_context *ctx, const rheo_gather *g, void *scratch)
{
    if (g->M == 0 || g->N == 0) return;
    job j = {.kernels = rheo__kernels(ctx), .gather = g, .begin = scratch};
    const uint32_t held = rows_held(g->M, g->K), blocks = (g->N - 1) / COLUMNS + 1;
    j.index = j.begin + held * begin_row(g->K);
    for (; j.row0 < g->M; j.row0 += j.rows) {
        j.rows = g->M - j.row0 < held ? g->M - j.row0 : held;
        j.groups = (j.rows - 1) / ROWS + 1;
        rheo__parallel(ctx, (j.rows - 1) / DECODE_ROWS + 1, decode_task, &j);
        j.words = segment_words(&j);
        rheo__parallel(ctx, blocks * j.groups, block_task, &j);
    }
}

/* Where both take equal time with inputs of 784 (bench/kernels.c prints it): 0.49 to 0.63 with 64
 * outputs or more and AVX-512, 0.35 to 0.65 with AVX2, above 0.95 with plain C, whose product calls
 * fmaf. Few outputs leave part of a vector idle. In whole nets weights come from further away: with
 * 0.45 for 0.27 `bench csnn` takes 4 % longer beside its floor. */
double rheo__gather_density(const rheo_context *ctx, uint32_t N)
{
    static const double few[RHEO_ISAS] = {0.95, 0.40, 0.18}, many[RHEO_ISAS] = {0.95, 0.42, 0.27};
    return N < 32 ? few[ctx->isa] : many[ctx->isa];
}

/* The same against rheo__few: 0.02 to 0.09 with AVX-512, 0.35 with AVX2. */
double rheo__few_density(const rheo_context *ctx)
{
    static const double few[RHEO_ISAS] = {0.30, 0.30, 0.03};
    return few[ctx->isa];
}
