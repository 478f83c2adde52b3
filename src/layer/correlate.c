/* correlate.c: convolution as products with panels that are cut from the image when they are needed
 * (implicit im2col): a panel has the K taps of up to tile_n positions, stays in the second-level
 * cache and serves all channels of the map. Sparse spikes go another way to the same sums
 * (correlate_gather.c). */
#include "layer/correlate.h"
#include "base/threads.h"
#include "layer/rows.h"
#include <string.h>

void rheo__correlation_finish(rheo_correlation *c)
{
    const rheo_window *w = &c->window;
    c->in_group = c->in / c->groups;
    c->out_group = c->out / c->groups;
    c->taps = rheo__axes_product(w->kernel);
    c->K = c->in_group * c->taps;
    c->P = rheo__axes_product(w->out);
    for (uint32_t a = 0; a < RHEO_AXES; a++)
        c->extent[a] = (w->out[a] - 1) * w->stride[a] + (w->kernel[a] - 1) * w->dilation[a] + 1;
    c->plane = rheo__axes_product(c->extent);
}

/* ---- weights ---- */

rheo_correlate_parts rheo__correlate_parts(const rheo_context *ctx, const rheo_correlation *c,
                                           int use, float *memory)
{
    const rheo_kernels *k = rheo__kernels(ctx);
    const uint32_t m = k->tile_m, outs = rheo__blocks(c->out_group, m) * m;
    const uint32_t taps = rheo__blocks(c->K, m) * m;
    const size_t sizes[6] = {
        use & RHEO_CORRELATE ? (size_t)c->groups * outs * c->K : 0,
        use & RHEO_CORRELATE_BACK ? (size_t)c->groups * taps * c->out_group : 0,
        use & RHEO_CORRELATE_SPARSE ? (size_t)c->groups * c->K * rheo__pitch(c->out_group) : 0,
        taps,
        taps,
        use & RHEO_CORRELATE_SCATTER ? rheo__scatter_floats(k, c) : 0};
    rheo_correlate_parts p = {0};
    float *at[6] = {NULL};
    for (int i = 0; i < 6; i++) {
        if (memory && sizes[i]) at[i] = memory + p.floats;
        p.floats += (sizes[i] + 15) / 16 * 16;
    }
    p.ahead = at[0];
    p.back = at[1];
    p.rows = at[2];
    p.tap = (uint32_t *)(void *)at[3];
    p.placed = (uint32_t *)(void *)at[4];
    p.lines = at[5];
    return p;
}

static void fill_taps(const rheo_correlation *c, uint32_t count, uint32_t *tap)
{
    const rheo_window *w = &c->window;
    uint32_t i = 0;
    for (uint32_t ch = 0; ch < c->in_group; ch++)
        for (uint32_t z = 0; z < w->kernel[0]; z++)
            for (uint32_t y = 0; y < w->kernel[1]; y++)
                for (uint32_t x = 0; x < w->kernel[2]; x++)
                    tap[i++] =
                        ch * c->plane +
                        (z * w->dilation[0] * c->extent[1] + y * w->dilation[1]) * c->extent[2] +
                        x * w->dilation[2];
    for (; i < count; i++) tap[i] = 0; /* the rest of a block: any numbers will do */
}

/* The k-th tap place by place of the kernel: of each place all channels. */
static uint32_t placed(const rheo_correlation *c, uint32_t k)
{
    return k % c->in_group * c->taps + k / c->in_group;
}

/* Blocks of tile_m taps, place by place: neighbours belong to different channels, so that what they
 * add to an image does not overlap. */
static void pack_back(const rheo_correlation *c, const rheo_correlate_parts *parts, uint32_t g,
                      uint32_t m, const float *weights)
{
    const uint32_t blocks = rheo__blocks(c->K, m);
    for (uint32_t i = 0; i < blocks * m; i++) {
        const bool real = i < c->K;
        const uint32_t k = real ? placed(c, i) : 0;
        float *to = parts->back + ((size_t)g * blocks + i / m) * m * c->out_group + i % m;
        for (uint32_t o = 0; o < c->out_group; o++)
            to[(size_t)o * m] = real ? weights[(size_t)o * c->K + k] : 0;
    }
}

void rheo__correlate_refresh(rheo_context *ctx, const rheo_correlation *c,
                             const rheo_correlate_parts *parts, const float *weights)
{
    const rheo_kernels *k = rheo__kernels(ctx);
    const uint32_t m = k->tile_m, outs = rheo__blocks(c->out_group, m);
    const uint32_t pitch = rheo__pitch(c->out_group);
    const uint32_t taps = rheo__blocks(c->K, m) * m;
    fill_taps(c, taps, parts->tap);
    for (uint32_t i = 0; i < taps; i++) parts->placed[i] = parts->tap[i < c->K ? placed(c, i) : 0];
    if (parts->lines) rheo__scatter_pack(k, c, weights, parts->lines);
    for (uint32_t g = 0; g < c->groups; g++) {
        const float *w = weights + (size_t)g * c->out_group * c->K;
        for (uint32_t i = 0; parts->ahead && i < outs; i++)
            for (uint32_t place = 0; place < c->taps; place++) {
                const rheo_operand rows = {.real = w + place, .row = c->K, .col = c->taps};
                k->pack(&rows, i * m, rheo__least(m, c->out_group - i * m), 0, c->in_group, m,
                        parts->ahead + (((size_t)g * outs + i) * c->K + place * c->in_group) * m);
            }
        if (parts->back) pack_back(c, parts, g, m, w);
        for (uint32_t j = 0; parts->rows && j < c->K; j++)
            for (uint32_t o = 0; o < c->out_group; o++)
                parts->rows[((size_t)g * c->K + j) * pitch + o] =
                    w[(size_t)o * c->K + placed(c, j)];
    }
}

/* ---- images ---- */

bool rheo__unpadded(const rheo_correlation *c)
{
    return memcmp(c->extent, c->window.in, sizeof c->extent) == 0 &&
           !(c->window.before[0] | c->window.before[1] | c->window.before[2]);
}

const float *rheo__correlate_image(const rheo_correlate_run *run, const rheo_signal *s, uint32_t t,
                                   uint32_t b, uint32_t c0, uint32_t c1, float *to)
{
    const rheo_correlation *c = run->c;
    const rheo_window *w = &c->window;
    const rheo_kernels *k = rheo__kernels(run->ctx);
    const size_t size = rheo__axes_product(w->in);
    const bool real = s->form == RHEO_REAL;
    const float *row = real ? rheo__real_row(s, t, b) : NULL;
    const uint64_t *bits = real ? NULL : rheo__bits_row(s, t, b);
    if (rheo__unpadded(c)) {
        if (real) return row + c0 * size;
        k->expand(bits, c0 * size, (uint32_t)((c1 - c0) * size), s->lo, s->hi, to);
        return to;
    }
    const uint32_t seen[RHEO_AXES] = {rheo__reach(c, 0), rheo__reach(c, 1), rheo__reach(c, 2)};
    memset(to, 0, (size_t)(c1 - c0) * c->plane * sizeof *to);
    for (uint32_t ch = c0; ch < c1; ch++)
        for (uint32_t z = 0; z < seen[0]; z++)
            for (uint32_t y = 0; y < seen[1]; y++) {
                const size_t at = ch * size + ((size_t)z * w->in[1] + y) * w->in[2];
                float *line =
                    to + (size_t)(ch - c0) * c->plane +
                    ((z + w->before[0]) * c->extent[1] + y + w->before[1]) * c->extent[2] +
                    w->before[2];
                if (real)
                    memcpy(line, row + at, seen[2] * sizeof *line);
                else
                    k->expand(bits, at, seen[2], s->lo, s->hi, line);
            }
    return to;
}

uint32_t rheo__correlate_pieces(const rheo_correlation *c, uint32_t p0, uint32_t p1, uint32_t to,
                                ptrdiff_t from, rheo_piece *out)
{
    const rheo_window *w = &c->window;
    uint32_t count = 0;
    for (uint32_t p = p0; p < p1;) {
        const uint32_t x = p % w->out[2], y = p / w->out[2] % w->out[1];
        const uint32_t z = p / w->out[2] / w->out[1], n = rheo__least(w->out[2] - x, p1 - p);
        const ptrdiff_t at =
            from + (ptrdiff_t)((z * w->stride[0] * c->extent[1] + y * w->stride[1]) * c->extent[2] +
                               x * w->stride[2]);
        rheo_piece *last = count ? out + count - 1 : NULL;
        if (last && w->stride[2] == 1 && last->from + last->count == at)
            last->count += n;
        else
            out[count++] = (rheo_piece){to, n, at};
        p += n;
        to += n;
    }
    return count;
}

/* ---- map = weights x image ---- */

typedef struct job {
    const rheo_correlate_run *run;
    const rheo_kernels *kernels;
    uint32_t rows, join; /* rows of a task: small maps are joined to fill a panel */
    size_t bytes;        /* of a thread */
} job;

/* A thread's memory. */
typedef struct room {
    float *maps;                   /* [join][out][P] of rows that pass through a map */
    float *images, *panel, *block; /* [join][in][plane]; [K][tile_n]; [tile_m][tile_n] */
    rheo_piece *piece;
    size_t bytes;
} room;

static room rooms(const rheo_kernels *k, const rheo_correlation *c, char *memory)
{
    const size_t f = sizeof(float);
    room r = {0};
    size_t n = 0;
    r.images = rheo__room_take(
        memory, &n, ((size_t)rheo__correlate_joined(k, c) * c->in * c->plane + RHEO_SLACK) * f);
    r.panel = rheo__room_take(memory, &n, ((size_t)c->K * k->tile_n + RHEO_SLACK) * f);
    r.block = rheo__room_take(memory, &n, (size_t)k->tile_m * k->tile_n * f);
    r.piece = rheo__room_take(memory, &n, (k->tile_n + 1) * sizeof *r.piece);
    r.bytes = n;
    return r;
}

/* Of rows that pass through a map: theirs and the map's; the rest lies behind. */
static size_t passed_bytes(const rheo_kernels *k, const rheo_correlation *c,
                           const rheo_work *through)
{
    if (!through) return 0;
    const size_t map = (size_t)c->out * c->P * sizeof(float);
    return rheo__round64(rheo__correlate_joined(k, c) * map) +
           through->node->layer->rows->bytes(through);
}

static size_t thread_bytes(const rheo_kernels *k, const rheo_correlation *c,
                           const rheo_work *through)
{
    const size_t dense = rooms(k, c, NULL).bytes, sparse = rheo__correlate_gather_bytes(c);
    return passed_bytes(k, c, through) + (dense > sparse ? dense : sparse);
}

size_t rheo__correlate_scratch(const rheo_context *ctx, const rheo_correlation *c,
                               const rheo_work *through)
{
    return thread_bytes(rheo__kernels(ctx), c, through) * rheo_threads(ctx);
}

/* Row `row` + i of a task. */
static float *map_row(const rheo_correlate_run *run, uint32_t row, uint32_t i, float *maps)
{
    uint32_t t, b;
    if (run->through) return maps + (size_t)i * run->c->out * run->c->P;
    rheo__correlate_place(run, row + i, &t, &b);
    return rheo__real_row(run->map, t, b);
}

const float *rheo__correlate_map(const rheo_correlate_run *run, const rheo_signal *s, uint32_t t,
                                 uint32_t b, uint32_t c0, uint32_t c1, float *to)
{
    const size_t size = run->c->P;
    if (run->through) {
        run->through->node->layer->rows->give(run->through, t, b, c0, c1, to);
        return to;
    }
    if (s->form == RHEO_REAL) return rheo__real_row(s, t, b) + c0 * size;
    rheo__kernels(run->ctx)->expand(rheo__bits_row(s, t, b), c0 * size,
                                    (uint32_t)((c1 - c0) * size), s->lo, s->hi, to);
    return to;
}

/* A panel: columns n0 … n1-1 of the joined rows' positions, of which the first is `row`. */
typedef struct panel {
    uint32_t row, n0, n1, group;
} panel;

/* Between a block of the panel's columns and the map's channel o; start: fills the block. */
static void exchange(const job *j, const panel *p, uint32_t o, const room *r, float *block,
                     bool start)
{
    const rheo_correlate_run *run = j->run;
    const uint32_t P = run->c->P;
    for (uint32_t n = p->n0; n < p->n1;) {
        const uint32_t count = rheo__least(P - n % P, p->n1 - n);
        float *map = map_row(run, p->row, n / P, r->maps) + (size_t)o * P + n % P,
              *at = block + (n - p->n0);
        const float bias = run->bias ? run->bias[o] : 0;
        if (!start)
            memcpy(map, at, count * sizeof *map);
        else
            for (uint32_t i = 0; i < count; i++) at[i] = run->accumulate ? map[i] + bias : bias;
        n += count;
    }
}

static void multiply_panel(const job *j, const panel *p, const room *r)
{
    const rheo_correlate_run *run = j->run;
    const rheo_correlation *c = run->c;
    const rheo_kernels *k = j->kernels;
    const uint32_t m = k->tile_m, blocks = rheo__blocks(c->out_group, m), width = p->n1 - p->n0;
    const bool whole = width % k->lanes == 0 && p->n0 / c->P == (p->n1 - 1) / c->P;
    rheo_tile t = {.K = c->K, .b = r->panel, .next = r->panel, .a_row = 1, .a_col = m};
    t.from = r->block;
    t.from_row = k->tile_n;
    for (uint32_t i = 0; i < blocks; i++) {
        const uint32_t o0 = i * m, rows = rheo__least(m, c->out_group - o0);
        const uint32_t first = p->group * c->out_group + o0;
        const bool direct = whole && rows == m;
        for (uint32_t o = 0; o < rows; o++)
            exchange(j, p, first + o, r, r->block + (size_t)o * k->tile_n, true);
        t.a = run->parts.ahead + ((size_t)p->group * blocks + i) * m * c->K;
        float *map = map_row(run, p->row, p->n0 / c->P, r->maps);
        t.c = direct ? map + (size_t)first * c->P + p->n0 % c->P : r->block;
        t.c_row = direct ? c->P : k->tile_n;
        k->tile[(width - 1) / k->lanes](&t);
        for (uint32_t o = 0; o < rows && !direct; o++)
            exchange(j, p, first + o, r, r->block + (size_t)o * k->tile_n, false);
    }
}

static void multiply(const job *j, uint32_t row, uint32_t rows, const room *r)
{
    const rheo_correlate_run *run = j->run;
    const rheo_correlation *c = run->c;
    const size_t size = (size_t)c->in * c->plane;
    const float *image = NULL;
    for (uint32_t i = 0; i < rows; i++) {
        uint32_t t, b;
        rheo__correlate_place(run, row + i, &t, &b);
        const float *at =
            rheo__correlate_image(run, run->image, t, b, 0, c->in, r->images + i * size);
        if (rows > 1 && at != r->images + i * size)
            at = memcpy(r->images + i * size, at, size * sizeof *at);
        if (i == 0) image = at;
    }
    const rheo_panels panels = rheo__panels(j->kernels, rows * c->P);
    for (uint32_t g = 0; g < c->groups; g++)
        for (uint32_t i = 0; i < panels.count; i++) {
            const panel p = {row, rheo__panel_begin(&panels, i), rheo__panel_begin(&panels, i + 1),
                             g};
            rheo_columns columns = {.tap = run->parts.placed,
                                    .piece = r->piece,
                                    .taps = c->K,
                                    .stride = c->window.stride[2],
                                    .width = rheo__blocks(p.n1 - p.n0, panels.lanes) * panels.lanes,
                                    .pitch = j->kernels->tile_n};
            for (uint32_t n = p.n0; n < p.n1;) {
                const uint32_t in = n % c->P, end = rheo__least(c->P, in + p.n1 - n);
                columns.pieces += rheo__correlate_pieces(
                    c, in, end, n - p.n0, (ptrdiff_t)(n / c->P * size), r->piece + columns.pieces);
                n += end - in;
            }
            j->kernels->columns(&columns, image + (size_t)g * c->in_group * c->plane, r->panel);
            multiply_panel(j, &p, r);
        }
}

/* ---- rows ---- */

double rheo__correlate_density(const rheo_context *ctx)
{
    static const double below[RHEO_ISAS] = {0.95, 0.58, 0.55};
    return below[ctx->isa];
}

static bool sparse(const job *j, uint32_t row, uint32_t rows)
{
    const rheo_correlate_run *run = j->run;
    if (!run->parts.rows) return false;
    uint64_t set = 0;
    for (uint32_t i = 0; i < rows; i++) {
        uint32_t t, b;
        rheo__correlate_place(run, row + i, &t, &b);
        set += rheo__signal_popcount(run->image, t, b, b + 1);
    }
    return (double)set < rheo__correlate_density(run->ctx) * rows * run->image->N;
}

static void correlate_task(void *argument, uint32_t task, uint32_t thread)
{
    const job *j = argument;
    const rheo_correlate_run *run = j->run;
    char *passed = (char *)run->scratch + thread * j->bytes;
    char *memory = passed + passed_bytes(j->kernels, run->c, run->through);
    const uint32_t row = task * j->join, rows = rheo__least(j->join, j->rows - row);
    room r = rooms(j->kernels, run->c, memory);
    r.maps = (float *)(void *)passed;
    if (sparse(j, row, rows))
        for (uint32_t i = 0; i < rows; i++)
            rheo__correlate_gather(run, row + i, map_row(run, row, i, r.maps), memory);
    else
        multiply(j, row, rows, &r);
    for (uint32_t i = 0; i < rows && run->through; i++) {
        const size_t maps =
            rheo__round64((size_t)j->join * run->c->out * run->c->P * sizeof(float));
        uint32_t t, b;
        rheo__correlate_place(run, row + i, &t, &b);
        run->through->node->layer->rows->take(run->through, t, b, map_row(run, row, i, r.maps),
                                              passed + maps);
    }
}

void rheo__correlate(const rheo_correlate_run *run)
{
    const rheo_kernels *k = rheo__kernels(run->ctx);
    job j = {.run = run,
             .kernels = k,
             .rows = (run->t1 - run->t0) * run->B,
             .join = rheo__correlate_joined(k, run->c),
             .bytes = thread_bytes(k, run->c, run->through)};
    rheo__parallel(run->ctx, rheo__blocks(j.rows, j.join), correlate_task, &j);
}
