/* correlate_weights.c: the weights' gradient of correlation, chunk after chunk of rows: first all
 * threads lay the chunk's map in panels, position after position; then each task, which owns a
 * block of taps, cuts their columns from the images and continues its sums, position after
 * position. Of sparse spikes a tap's active positions are listed, from one stretch of its channel's
 * bits, and the map, whose channels then lie side by side for each position, is gathered there. */
#include "layer/correlate.h"
#include "base/threads.h"
#include "layer/rows.h"
#include <string.h>

enum {
    CHUNK = 4096, /* positions of a chunk, unless one row has more */
    PIECE = 192,  /* positions whose panel and columns fit the first-level cache */
    LIST = 256,   /* positions of a list */
    BLOCK = 64    /* taps of a task, at most: a multiple of every tile_m */
};

typedef struct job {
    const rheo_correlate_run *run;
    const rheo_kernels *kernels;
    rheo_panels panels;     /* of a group's channels of the map */
    uint32_t rows, taps;    /* in all; of a task */
    uint32_t first, count;  /* rows of the chunk */
    uint32_t tasks, blocks; /* of a group: tasks, blocks of tile_m taps */
    size_t positions;       /* of a chunk */
    size_t pitch;           /* of a group's channels of the map, side by side */
    bool sparse;            /* the chunk's spikes */
    rheo_bit_window window; /* of a tap: the places that it sees, as positions */
    float *map;  /* [groups][panels][positions][tile_n]; sparse: [groups][positions][pitch] */
    float *sums; /* [groups][taps][pitch] */
    char *threads;
    size_t bytes; /* of a thread */
} job;

static uint32_t chunk_rows(const rheo_correlation *c)
{
    return c->P >= CHUNK ? 1 : CHUNK / c->P;
}

/* Rows that are cut together. */
static uint32_t joined(const rheo_correlation *c, uint32_t positions)
{
    return c->P >= positions ? 1 : positions / c->P;
}

static uint32_t task_taps(const rheo_context *ctx, const rheo_kernels *k, const rheo_correlation *c)
{
    const uint32_t each = rheo__blocks(c->K * c->groups, 4 * rheo_threads(ctx));
    return rheo__least(BLOCK, rheo__blocks(each, k->tile_m) * k->tile_m);
}

/* A thread's memory. */
typedef struct room {
    float *floats, *images,
        *columns; /* a row of the map; [joined][channels][plane]; [taps][PIECE] */
    rheo_piece *piece;
    uint32_t *tap, *index;
    uint64_t *planes; /* [joined][channels][plane] bits */
    size_t bytes;
} room;

/* Of padded planes side by side, as bits: the word after the last is readable. */
static size_t plane_words(const rheo_correlation *c, uint32_t channels)
{
    return ((size_t)channels * c->plane + 63) / 64 + 1;
}

static room rooms(const rheo_correlation *c, char *memory)
{
    const size_t f = sizeof(float), channels = rheo__least(c->in_group, BLOCK / c->taps + 2);
    room r = {0};
    size_t n = 0;
    r.floats = rheo__room_take(memory, &n, (size_t)c->out * c->P * f);
    r.images =
        rheo__room_take(memory, &n, (joined(c, PIECE) * channels * c->plane + RHEO_SLACK) * f);
    r.columns = rheo__room_take(memory, &n, ((size_t)BLOCK * (PIECE + 16) + RHEO_SLACK) * f);
    r.piece = rheo__room_take(memory, &n, (PIECE + 1) * sizeof *r.piece);
    r.tap = rheo__room_take(memory, &n, BLOCK * sizeof *r.tap);
    r.index = rheo__room_take(memory, &n,
                              ((size_t)joined(c, LIST) * c->P + RHEO_LIST_SLACK) * sizeof *r.index);
    r.planes = rheo__room_take(
        memory, &n, joined(c, LIST) * plane_words(c, (uint32_t)channels) * sizeof *r.planes);
    r.bytes = n;
    return r;
}

static size_t map_floats(const rheo_kernels *k, const rheo_correlation *c)
{
    const size_t dense = (size_t)rheo__panels(k, c->out_group).count * k->tile_n;
    const size_t sparse = rheo__pitch(c->out_group);
    return (size_t)c->groups * chunk_rows(c) * c->P * (dense > sparse ? dense : sparse);
}

static size_t sum_floats(const rheo_kernels *k, const rheo_correlation *c)
{
    return (size_t)c->groups * rheo__blocks(c->K, k->tile_m) * k->tile_m *
           rheo__pitch(c->out_group);
}

/* Bits of a plane from the first to the last that a tap sees. */
static uint32_t window_words(const rheo_correlation *c)
{
    const rheo_window *w = &c->window;
    const uint32_t z = (w->out[0] - 1) * w->stride[0], y = (w->out[1] - 1) * w->stride[1];
    return rheo__words((z * c->extent[1] + y) * c->extent[2] + (w->out[2] - 1) * w->stride[2] + 1);
}

static size_t window_bytes(const rheo_correlation *c)
{
    return rheo__round64(window_words(c) * (sizeof(uint64_t) + 64 * sizeof(uint32_t)));
}

static rheo_bit_window fill_window(const rheo_correlation *c, void *memory)
{
    const rheo_window *w = &c->window;
    const uint32_t words = window_words(c);
    uint64_t *mask = memory;
    uint32_t *number = (uint32_t *)(void *)(mask + words), p = 0;
    memset(memory, 0, window_bytes(c));
    for (uint32_t z = 0; z < w->out[0]; z++)
        for (uint32_t y = 0; y < w->out[1]; y++)
            for (uint32_t x = 0; x < w->out[2]; x++, p++) {
                const uint32_t line = z * w->stride[0] * c->extent[1] + y * w->stride[1];
                const uint32_t at = line * c->extent[2] + x * w->stride[2];
                mask[at / 64] |= UINT64_C(1) << at % 64;
                number[at] = p;
            }
    return (rheo_bit_window){words, mask, number};
}

size_t rheo__correlate_weights_scratch(const rheo_context *ctx, const rheo_correlation *c)
{
    const rheo_kernels *k = rheo__kernels(ctx);
    return rheo__round64(map_floats(k, c) * sizeof(float)) +
           rheo__round64(sum_floats(k, c) * sizeof(float)) + window_bytes(c) +
           rooms(c, NULL).bytes * rheo_threads(ctx);
}

static float *panel_of(const job *j, uint32_t g, uint32_t panel)
{
    return j->map + ((size_t)g * j->panels.count + panel) * j->positions * j->kernels->tile_n;
}

/* The same where channels lie side by side. */
static float *map_of(const job *j, uint32_t g)
{
    return j->map + g * j->positions * j->pitch;
}

static void pack_task(void *argument, uint32_t task, uint32_t thread)
{
    const job *j = argument;
    const rheo_correlation *c = j->run->c;
    const room r = rooms(c, j->threads + thread * j->bytes);
    uint32_t t, b;
    rheo__correlate_place(j->run, j->first + task, &t, &b);
    const float *row = rheo__correlate_map(j->run, j->run->map, t, b, 0, c->out, r.floats);
    for (uint32_t g = 0; g < c->groups; g++) {
        const rheo_operand map = {
            .real = row + (size_t)g * c->out_group * c->P, .row = c->P, .col = 1};
        if (j->sparse) {
            j->kernels->transpose(map.real, c->P, c->out_group, c->P,
                                  map_of(j, g) + (size_t)task * c->P * j->pitch, j->pitch);
            continue;
        }
        for (uint32_t i = 0; i < j->panels.count; i++) {
            const uint32_t o0 = rheo__panel_begin(&j->panels, i);
            const uint32_t o1 = rheo__panel_begin(&j->panels, i + 1);
            j->kernels->pack(&map, o0, o1 - o0, 0, c->P, j->kernels->tile_n,
                             panel_of(j, g, i) + (size_t)task * c->P * j->kernels->tile_n);
        }
    }
}

/* What a task works on: taps k0 … k1-1 of a group, their channels. */
typedef struct block {
    uint32_t group, k0, k1, c0, c1;
} block;

static float *sums_of(const job *j, uint32_t group, uint32_t k)
{
    return j->sums + ((size_t)group * j->blocks * j->kernels->tile_m + k) * j->pitch;
}

/* Continues the sums by `count` positions, the chunk's from `at` on, whose columns lie ready. */
static void multiply(const job *j, const block *b, size_t at, uint32_t count, const room *r)
{
    const rheo_kernels *k = j->kernels;
    const size_t pitch = PIECE + 16;
    for (uint32_t i = 0; i < j->panels.count; i++) {
        const uint32_t width =
            rheo__panel_begin(&j->panels, i + 1) - rheo__panel_begin(&j->panels, i);
        rheo_tile t = {.K = count, .a_row = pitch, .a_col = 1, .from_row = j->pitch};
        t.b = t.next = panel_of(j, b->group, i) + at * k->tile_n;
        t.c_row = j->pitch;
        for (uint32_t m = b->k0; m < b->k1; m += k->tile_m) {
            t.a = r->columns + (m - b->k0) * pitch;
            t.c = sums_of(j, b->group, m) + rheo__panel_begin(&j->panels, i);
            t.from = t.c;
            k->tile[(width - 1) / k->lanes](&t);
        }
    }
}

/* Rows `row` … row+rows-1 of the chunk, which are one piece, or one row in several pieces. */
static void dense_rows(const job *j, const block *b, uint32_t row, uint32_t rows, const room *r)
{
    const rheo_correlate_run *run = j->run;
    const rheo_correlation *c = run->c;
    const uint32_t c0 = b->group * c->in_group + b->c0, c1 = b->group * c->in_group + b->c1;
    const size_t size = (size_t)(c1 - c0) * c->plane;
    const float *image[PIECE] = {NULL};
    for (uint32_t i = 0; i < rows; i++) {
        uint32_t t, s;
        rheo__correlate_place(run, j->first + row + i, &t, &s);
        image[i] = rheo__correlate_image(run, run->image, t, s, c0, c1, r->images + i * size);
    }
    rheo_columns columns = {.tap = r->tap,
                            .piece = r->piece,
                            .taps = rheo__blocks(b->k1 - b->k0, j->kernels->tile_m) *
                                    j->kernels->tile_m,
                            .stride = c->window.stride[2],
                            .pitch = PIECE + 16};
    for (uint32_t p = 0; p < c->P; p += PIECE) {
        const uint32_t end = rheo__least(c->P, p + PIECE);
        columns.pieces = 0;
        for (uint32_t i = 0; i < rows; i++)
            columns.pieces += rheo__correlate_pieces(c, p, end, i * c->P, image[i] - image[0],
                                                     r->piece + columns.pieces);
        j->kernels->columns(&columns, image[0], r->columns);
        multiply(j, b, (size_t)row * c->P + p, rows > 1 ? rows * c->P : end - p, r);
    }
}

/* Channels c0 … c1-1 of the group as bits, plane after padded plane. */
static void fill_planes(const rheo_correlation *c, const rheo_signal *s, uint32_t t, uint32_t b,
                        uint32_t c0, uint32_t c1, uint64_t *to)
{
    const rheo_window *w = &c->window;
    const uint64_t *bits = rheo__bits_row(s, t, b);
    const size_t places = rheo__axes_product(w->in);
    memset(to, 0, plane_words(c, c1 - c0) * sizeof *to);
    if (rheo__unpadded(c)) {
        rheo__append_bits(bits, c0 * places, (c1 - c0) * c->plane, to, 0);
        return;
    }
    for (uint32_t ch = c0; ch < c1; ch++)
        for (uint32_t z = 0; z < rheo__reach(c, 0); z++)
            for (uint32_t y = 0; y < rheo__reach(c, 1); y++) {
                const size_t line = (size_t)(z + w->before[0]) * c->extent[1] + y + w->before[1];
                rheo__append_bits(
                    bits, ch * places + ((size_t)z * w->in[1] + y) * w->in[2], rheo__reach(c, 2),
                    to, (ch - c0) * (size_t)c->plane + line * c->extent[2] + w->before[2]);
            }
}

static void sparse_rows(const job *j, const block *b, uint32_t row, uint32_t rows, const room *r)
{
    const rheo_correlate_run *run = j->run;
    const rheo_correlation *c = run->c;
    const uint32_t c0 = b->group * c->in_group + b->c0, c1 = b->group * c->in_group + b->c1;
    const size_t words = plane_words(c, c1 - c0);
    const float *map = map_of(j, b->group) + (size_t)row * c->P * j->pitch;
    for (uint32_t i = 0; i < rows; i++) {
        uint32_t t, s;
        rheo__correlate_place(run, j->first + row + i, &t, &s);
        fill_planes(c, run->image, t, s, c0, c1, r->planes + i * words);
    }
    for (uint32_t k = b->k0; k < b->k1; k++) {
        uint32_t count = 0;
        for (uint32_t i = 0; i < rows; i++)
            count += j->kernels->list_window(&j->window, r->planes + i * words, r->tap[k - b->k0],
                                             i * c->P, r->index + count);
        j->kernels->gather_row(r->index, count, map, j->pitch, 0, c->out_group,
                               sums_of(j, b->group, k));
    }
}

static void sum_task(void *argument, uint32_t task, uint32_t thread)
{
    const job *j = argument;
    const rheo_correlation *c = j->run->c;
    const room r = rooms(c, j->threads + thread * j->bytes);
    block b = {.group = task / j->tasks, .k0 = task % j->tasks * j->taps};
    b.k1 = rheo__least(c->K, b.k0 + j->taps);
    b.c0 = b.k0 / c->taps;
    b.c1 = (b.k1 - 1) / c->taps + 1;
    for (uint32_t k = 0; k < BLOCK; k++)
        r.tap[k] = b.k0 + k < b.k1 ? j->run->parts.tap[b.k0 + k] - b.c0 * c->plane : 0;
    const uint32_t step = joined(c, j->sparse ? LIST : PIECE);
    for (uint32_t row = 0; row < j->count; row += step) {
        const uint32_t rows = rheo__least(step, j->count - row);
        if (j->sparse)
            sparse_rows(j, &b, row, rows, &r);
        else
            dense_rows(j, &b, row, rows, &r);
    }
}

double rheo__correlate_weights_density(const rheo_context *ctx)
{
    static const double below[RHEO_ISAS] = {0.95, 0.45, 0.34};
    return below[ctx->isa];
}

static bool sparse(const job *j)
{
    const rheo_signal *image = j->run->image;
    if (!rheo__spikes(image)) return false;
    uint64_t set = 0;
    for (uint32_t i = 0; i < j->count; i++) {
        uint32_t t, b;
        rheo__correlate_place(j->run, j->first + i, &t, &b);
        set += rheo__signal_popcount(image, t, b, b + 1);
    }
    return (double)set < rheo__correlate_weights_density(j->run->ctx) * j->count * image->N;
}

typedef struct finish {
    const job *j;
    float *grad;
    bool add;
} finish;

static void finish_task(void *argument, uint32_t o, uint32_t thread)
{
    const finish *f = argument;
    const job *j = f->j;
    const rheo_correlation *c = j->run->c;
    const float *from = sums_of(j, o / c->out_group, 0) + o % c->out_group;
    float *to = f->grad + (size_t)o * c->K;
    (void)thread;
    for (uint32_t k = 0; k < c->K; k++, from += j->pitch) to[k] = f->add ? to[k] + *from : *from;
}

void rheo__correlate_weights(const rheo_correlate_run *run, float *grad, bool add)
{
    const rheo_correlation *c = run->c;
    const rheo_kernels *k = rheo__kernels(run->ctx);
    job j = {.run = run,
             .kernels = k,
             .panels = rheo__panels(k, c->out_group),
             .rows = (run->t1 - run->t0) * run->B,
             .taps = task_taps(run->ctx, k, c),
             .blocks = rheo__blocks(c->K, k->tile_m),
             .positions = (size_t)chunk_rows(c) * c->P,
             .pitch = rheo__pitch(c->out_group),
             .map = run->scratch,
             .bytes = rooms(c, NULL).bytes};
    j.tasks = rheo__blocks(c->K, j.taps);
    j.sums = j.map + rheo__round64(map_floats(k, c) * sizeof(float)) / sizeof(float);
    char *window = (char *)j.sums + rheo__round64(sum_floats(k, c) * sizeof(float));
    j.window = fill_window(c, window);
    j.threads = window + window_bytes(c);
    memset(j.sums, 0, sum_floats(k, c) * sizeof(float));
    for (; j.first < j.rows; j.first += j.count) {
        j.count = rheo__least(chunk_rows(c), j.rows - j.first);
        j.sparse = sparse(&j);
        rheo__parallel(run->ctx, j.count, pack_task, &j);
        rheo__parallel(run->ctx, c->groups * j.tasks, sum_task, &j);
    }
    finish f = {&j, grad, add};
    rheo__parallel(run->ctx, c->out, finish_task, &f);
}

typedef struct channels {
    const rheo_correlate_run *run;
    const rheo_signal *s;
    float *grad;
    uint32_t count, size;
    bool add;
} channels;

enum { READ = 1024 /* floats of a row, at least */, MOST_CHANNELS = 64 };

/* Some channels, so that what is read of a row is long. */
static uint32_t channels_a_task(const channels *a)
{
    const uint32_t each = rheo__blocks(READ, a->size);
    return rheo__least(each, MOST_CHANNELS);
}

static void channel_task(void *argument, uint32_t task, uint32_t thread)
{
    const channels *a = argument;
    const uint32_t first = task * channels_a_task(a);
    const uint32_t count = rheo__least(channels_a_task(a), a->count - first);
    double sum[MOST_CHANNELS][8] = {{0}};
    float *floats = (float *)a->run->scratch + thread * (size_t)a->s->N;
    for (uint32_t t = a->run->t0; t < a->run->t1; t++)
        for (uint32_t b = 0; b < a->run->B; b++) {
            const float *row =
                a->run->through
                    ? rheo__correlate_map(a->run, a->s, t, b, first, first + count, floats)
                    : rheo__real_row(a->s, t, b) + (size_t)first * a->size;
            for (uint32_t i = 0; i < count; i++, row += a->size)
                rheo__kernels(a->run->ctx)->sums(row, a->size, sum[i]);
        }
    for (uint32_t i = 0; i < count; i++) {
        const double *s = sum[i];
        const double all = ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
        float *to = &a->grad[first + i];
        *to = a->add ? *to + (float)all : (float)all;
    }
}

void rheo__channel_sums(const rheo_correlate_run *run, const rheo_signal *s, uint32_t count,
                        float *grad, bool add)
{
    channels a = {run, s, grad, count, s->N / count, add};
    rheo__parallel(run->ctx, rheo__blocks(count, channels_a_task(&a)), channel_task, &a);
}
