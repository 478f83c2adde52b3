/* product.c: C[M,N] = start + A·B^T, in float32 or with operands in bfloat16 (bf16.h), by packed
 * panels and a register tile (after Goto and van de Geijn 2008, "Anatomy of high-performance matrix
 * multiplication"), with one difference: each output stays one running sum in ascending k. A block
 * of C is loaded, continued and stored for each piece of K; nothing is ever summed apart and added
 * later. So how the work is cut changes no bit.
 *
 *   chunk   at most CHUNK rows of A and of B and CHUNK_K of K: packed into scratch by all threads
 *   task    GROUP rows x one panel (tile_n columns) of the chunk: owned by one thread
 *   tile    tile_m x tile_n outputs in registers, over the chunk's K
 *
 * Rows of A that lie in memory as they are wanted (k after k) are read where they are. While a task
 * runs, the panel of B that this thread will probably need next is fetched. A block with an edge is
 * computed in a small copy.
 *
 * K, chunks of it and sizes of panels are counted in floats' places, each of which holds one number
 * of an operand, or two of bfloat16. */
#include "base/threads.h"
#include "kernels/bf16.h"
#include <string.h>

enum {
    CHUNK = 1536, /* a multiple of GROUP and of every tile */
    CHUNK_K =
        1024, /* a multiple of 64, as bits are packed by words; a panel of B fits the L2 cache */
    NUMBERS = 32, /* of a group in a panel that holds two in a place */
    GROUP = 256,  /* rows of a task; they fit the L2 cache too */
    TILE_N_MAX = 48,
    SMALL = 1 << 16 /* multiply-adds that are not worth waking threads for */
};

typedef struct job {
    rheo_tiles tiles;
    const rheo_product *product;
    uint32_t i0, j0, k0; /* the chunk */
    uint32_t rows, columns, depth;
    uint32_t strips_a, panels; /* of A to be packed, of tile_n rows; of B */
    bool in_place;             /* A is read where it is, but for a last strip that is not full */
    float *pack_a, *pack_b;
    bool one_group; /* of rows: a panel of B has one user */
    uint32_t ahead; /* panels from a thread's task to its next */
} job;

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t round_up(uint32_t n, uint32_t unit)
{
    return (n + unit - 1) / unit * unit;
}

/* Cuts n in equal pieces of at most `most`, each a multiple of unit. */
static uint32_t piece(uint32_t n, uint32_t most, uint32_t unit)
{
    uint32_t pieces = n / most + (n % most != 0);
    return pieces < 2 ? n : round_up(n / pieces + (n % pieces != 0), unit);
}

static rheo_tiles tiles_of(const rheo_context *ctx, rheo_precision precision)
{
    const rheo_tiles *bf16 = precision == RHEO_BF16 ? rheo__bf16_tiles(ctx) : NULL;
    if (bf16) return *bf16;
    const rheo_kernels *k = rheo__kernels(ctx);
    return (rheo_tiles){.lanes = k->lanes,
                        .tile_m = k->tile_m,
                        .tile_n = k->tile_n,
                        .numbers = 1,
                        .pack_a = k->pack,
                        .pack_b = k->pack,
                        .round = precision == RHEO_BF16 ? rheo__bf16_round_panel : NULL,
                        .tile = {k->tile[0], k->tile[1], k->tile[2]}};
}

/* Places that K numbers of a row take in a panel. */
static uint32_t places(const rheo_tiles *t, uint32_t K)
{
    return t->numbers == 1 ? K : (K / NUMBERS + (K % NUMBERS != 0)) * (NUMBERS / 2);
}

static size_t panels_size(const rheo_tiles *t, uint32_t n, uint32_t K)
{
    return (size_t)round_up(least(n, CHUNK), t->tile_n) * least(places(t, K), CHUNK_K) *
           sizeof(float);
}

size_t rheo__product_scratch(const rheo_context *ctx, rheo_precision precision, uint32_t M,
                             uint32_t N, uint32_t K)
{
    const rheo_tiles t = tiles_of(ctx, precision);
    return panels_size(&t, M, K) + panels_size(&t, N, K);
}

/* The chunk's K of `rows` rows of x from r on. */
static void pack(const job *j, rheo_pack_fn *fn, const rheo_operand *x, uint32_t r, uint32_t rows,
                 uint32_t width, float *panel)
{
    const uint32_t k0 = j->k0 * j->tiles.numbers, rest = j->product->K - k0;
    fn(x, r, rows, k0, least(rest, j->depth * j->tiles.numbers), width, panel);
    if (j->tiles.round) j->tiles.round(panel, (size_t)width * j->depth);
}

static void pack_panel(const job *j, uint32_t n)
{
    const uint32_t tile_n = j->tiles.tile_n;
    pack(j, j->tiles.pack_b, &j->product->b, j->j0 + n, least(tile_n, j->columns - n), tile_n,
         j->pack_b + (size_t)n * j->depth);
}

/* Packs one strip of tile_n rows of A (as panels of tile_m) or one panel of B. */
static void pack_task(void *arg, uint32_t task, uint32_t thread)
{
    const job *j = arg;
    const rheo_tiles *k = &j->tiles;
    (void)thread;
    if (task >= j->strips_a) {
        pack_panel(j, (task - j->strips_a) * k->tile_n);
        return;
    }
    uint32_t m = j->in_place ? j->rows - j->rows % k->tile_m : task * k->tile_n;
    uint32_t end = least(j->rows, m + k->tile_n);
    for (; m < end; m += k->tile_m)
        pack(j, k->pack_a, &j->product->a, j->i0 + m, least(k->tile_m, end - m), k->tile_m,
             j->pack_a + (size_t)m * j->depth);
}

typedef struct block {
    uint32_t i, j, rows, columns; /* place in the output, size */
    float *c;
} block;

/* Where the block's sums start: 0, the bias, or what earlier chunks of K or the caller left. */
static const float *start(const job *j, const block *b, size_t *row)
{
    static const float zero[TILE_N_MAX];
    const rheo_product *p = j->product;
    const bool goes_on = j->k0 > 0 || (p->accumulate && !p->bias);
    *row = goes_on ? p->c_row : 0;
    return goes_on ? b->c : p->bias ? p->bias + b->j : zero;
}

/* rows: of whole tiles */
static void block_load(const job *j, const block *b, float *to, uint32_t rows)
{
    const uint32_t pitch = j->tiles.tile_n;
    size_t row;
    const float *from = start(j, b, &row);
    memset(to, 0, (size_t)rows * pitch * sizeof *to);
    for (uint32_t i = 0; i < b->rows; i++)
        memcpy(to + i * pitch, from + i * row, b->columns * sizeof *to);
}

static void block_store(const job *j, const block *b, const float *from)
{
    for (uint32_t i = 0; i < b->rows; i++)
        memcpy(b->c + i * j->product->c_row, from + i * j->tiles.tile_n, b->columns * sizeof *from);
}

/* The tiles of a block, from the top; m: its first row in the chunk. */
static void block_tiles(const job *j, const block *b, uint32_t m, rheo_tile *t)
{
    const rheo_tiles *k = &j->tiles;
    const rheo_operand *a = &j->product->a;
    rheo_tile_fn *tile = k->tile[(b->columns - 1) / k->lanes];
    if (k->enter) k->enter();
    const size_t from_step = t->from_row * k->tile_m, c_step = t->c_row * k->tile_m;
    for (uint32_t i = 0; i < b->rows; i += k->tile_m) {
        const bool in_place = j->in_place && i + k->tile_m <= b->rows;
        t->a = in_place ? a->real + (b->i + i) * a->row + j->k0
                        : j->pack_a + ((size_t)m + i) * j->depth;
        t->a_row = in_place ? a->row : 1;
        t->a_col = in_place ? 1 : k->tile_m;
        tile(t);
        t->from += from_step;
        t->c += c_step;
        t->next += (size_t)j->depth * 4;
    }
    if (k->leave) k->leave();
}

static void block_task(void *arg, uint32_t task, uint32_t thread)
{
    const job *j = arg;
    const rheo_tiles *k = &j->tiles;
    (void)thread;
    const uint32_t m = task / j->panels * GROUP, n = task % j->panels * k->tile_n;
    block b = {j->i0 + m, j->j0 + n, least(GROUP, j->rows - m), least(k->tile_n, j->columns - n),
               NULL};
    b.c = j->product->c + b.i * j->product->c_row + b.j;
    if (j->one_group) pack_panel(j, n);
    const float *panel = j->pack_b + (size_t)n * j->depth;
    rheo_tile t = {.K = j->depth,
                   .b = panel,
                   .c = b.c,
                   .c_row = j->product->c_row,
                   .next = panel + (size_t)j->ahead * k->tile_n * j->depth};
    if (b.rows % k->tile_m == 0 && b.columns % k->lanes == 0) {
        t.from = start(j, &b, &t.from_row);
        block_tiles(j, &b, m, &t);
        return;
    }
    _Alignas(64) float copy[GROUP * TILE_N_MAX];
    block_load(j, &b, copy, round_up(b.rows, k->tile_m));
    t.from = t.c = copy;
    t.from_row = t.c_row = k->tile_n;
    block_tiles(j, &b, m, &t);
    block_store(j, &b, copy);
}

static void spread(rheo_context *ctx, bool small, uint32_t tasks, rheo_task_fn *fn, job *j)
{
    if (!small) {
        rheo__parallel(ctx, tasks, fn, j);
        return;
    }
    for (uint32_t i = 0; i < tasks; i++) fn(j, i, 0);
}

void rheo__product(rheo_context *ctx, const rheo_product *p, void *scratch)
{
    if (p->M == 0 || p->N == 0) return;
    job j = {.tiles = tiles_of(ctx, p->precision),
             .product = p,
             .ahead = rheo_threads(ctx),
             .one_group = p->M <= GROUP,
             .in_place = p->precision == RHEO_FLOAT32 && p->a.real && p->a.col == 1};
    const rheo_tiles *k = &j.tiles;
    const uint32_t K = places(k, p->K);
    const uint32_t rows = p->M, columns = p->N;
    const uint32_t step_i = piece(rows, CHUNK, GROUP), step_j = piece(columns, CHUNK, k->tile_n);
    const uint32_t step_k = piece(K, CHUNK_K, 64);
    const bool small = (double)p->M * p->N * p->K < SMALL;
    do { /* once also when K is 0: the start alone */
        j.depth = least(step_k, K - j.k0);
        for (j.j0 = 0; j.j0 < columns; j.j0 += j.columns) {
            j.columns = least(step_j, columns - j.j0);
            j.panels = round_up(j.columns, k->tile_n) / k->tile_n;
            j.pack_b = scratch;
            j.pack_a = j.pack_b + (size_t)j.panels * k->tile_n * j.depth;
            for (j.i0 = 0; j.i0 < rows; j.i0 += j.rows) {
                j.rows = least(step_i, rows - j.i0);
                j.strips_a = j.in_place ? (uint32_t)(j.rows % k->tile_m != 0)
                                        : round_up(j.rows, k->tile_n) / k->tile_n;
                /* B is packed with the first rows of A only, or by the one task that uses it */
                uint32_t packs = j.strips_a + (j.i0 || j.one_group ? 0 : j.panels);
                spread(ctx, small, packs, pack_task, &j);
                spread(ctx, small, round_up(j.rows, GROUP) / GROUP * j.panels, block_task, &j);
            }
        }
        j.k0 += j.depth;
    } while (j.k0 < K);
}
