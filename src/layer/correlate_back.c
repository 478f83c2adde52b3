/* correlate_back.c: the adjoint of correlation: a block of taps times the map gives, for each
 * position, what it adds to the places that it sees; the additions follow at once, tap after tap,
 * into a padded image of the thread. */
#include "layer/correlate.h"
#include "base/threads.h"
#include "layer/rows.h"
#include <string.h>

typedef struct job {
    const rheo_correlate_run *run;
    const rheo_kernels *kernels;
    uint32_t rows, join; /* rows of a task: small maps are joined to fill a panel */
    size_t bytes;        /* of a thread */
} job;

/* A thread's memory. */
typedef struct room {
    float *maps, *panels, *block, *images; /* [join][out][P]; [panels][out_group][tile_n]; [tile_m]
                                              [columns]; [join][in][plane] */
    rheo_piece *piece;
    uint32_t *tap;
    size_t bytes;
} room;

static room rooms(const rheo_kernels *k, const rheo_correlation *c, char *memory)
{
    const size_t join = rheo__correlate_joined(k, c), f = sizeof(float);
    const rheo_panels panels = rheo__panels(k, (uint32_t)join * c->P);
    room r = {0};
    size_t n = 0;
    r.maps = rheo__room_take(memory, &n, join * c->out * c->P * f);
    r.panels = rheo__room_take(memory, &n,
                               ((size_t)panels.count * c->out_group * k->tile_n + RHEO_SLACK) * f);
    r.block = rheo__room_take(memory, &n,
                              ((size_t)k->tile_m * panels.vectors * k->lanes + RHEO_SLACK) * f);
    r.images = rheo__room_take(memory, &n, (join * c->in * c->plane + RHEO_SLACK) * f);
    r.piece = rheo__room_take(memory, &n, (join * c->P + 1) * sizeof *r.piece);
    r.tap = rheo__room_take(memory, &n, c->out_group * sizeof *r.tap);
    r.bytes = n;
    return r;
}

size_t rheo__correlate_back_scratch(const rheo_context *ctx, const rheo_correlation *c)
{
    return rooms(rheo__kernels(ctx), c, NULL).bytes * rheo_threads(ctx);
}

/* Panels of the map's positions, a group's channels one below the other. */
static void pack(const job *j, const rheo_panels *panels, uint32_t g, const float *const *map,
                 const room *r)
{
    const rheo_correlation *c = j->run->c;
    for (uint32_t i = 0; i < panels->count; i++) {
        const uint32_t n0 = rheo__panel_begin(panels, i), n1 = rheo__panel_begin(panels, i + 1);
        rheo_columns columns = {.tap = r->tap,
                                .piece = r->piece,
                                .taps = c->out_group,
                                .stride = 1,
                                .width = rheo__blocks(n1 - n0, panels->lanes) * panels->lanes,
                                .pitch = j->kernels->tile_n};
        for (uint32_t n = n0; n < n1;) {
            const uint32_t count = rheo__least(c->P - n % c->P, n1 - n);
            r->piece[columns.pieces++] =
                (rheo_piece){n - n0, count, map[n / c->P] - map[0] + (ptrdiff_t)(n % c->P)};
            n += count;
        }
        j->kernels->columns(&columns, map[0] + (size_t)g * c->out_group * c->P,
                            r->panels + (size_t)i * c->out_group * j->kernels->tile_n);
    }
}

/* Adds what a group's map gives to its part of the images. */
static void multiply(const job *j, const rheo_panels *panels, uint32_t g, uint32_t rows,
                     const room *r)
{
    const rheo_correlation *c = j->run->c;
    const rheo_kernels *k = j->kernels;
    const uint32_t m = k->tile_m, blocks = rheo__blocks(c->K, m);
    const size_t pitch = (size_t)panels->vectors * k->lanes, size = (size_t)c->in * c->plane;
    static const float zero[64]; /* a row of any tile */
    rheo_columns columns = {.piece = r->piece, .stride = c->window.stride[2], .pitch = pitch};
    for (uint32_t i = 0; i < rows; i++)
        columns.pieces += rheo__correlate_pieces(c, 0, c->P, i * c->P, (ptrdiff_t)(i * size),
                                                 r->piece + columns.pieces);
    float *image = r->images + (size_t)g * c->in_group * c->plane;
    for (uint32_t i = 0; i < blocks; i++) {
        rheo_tile t = {.K = c->out_group, .a_row = 1, .a_col = m, .from = zero, .c_row = pitch};
        t.a = j->run->parts.back + ((size_t)g * blocks + i) * m * c->out_group;
        for (uint32_t p = 0; p < panels->count; p++) {
            const uint32_t n0 = rheo__panel_begin(panels, p), n1 = rheo__panel_begin(panels, p + 1);
            t.b = t.next = r->panels + (size_t)p * c->out_group * k->tile_n;
            t.c = r->block + n0;
            k->tile[(n1 - n0 - 1) / k->lanes](&t);
        }
        columns.tap = j->run->parts.placed + i * m;
        columns.taps = rheo__least(m, c->K - i * m);
        k->columns_add(&columns, r->block, image);
    }
}

/* The image without its padding; places beyond the last window get nothing. */
static void write_image(const rheo_correlate_run *run, uint32_t t, uint32_t b, const float *image)
{
    const rheo_correlation *c = run->c;
    const rheo_window *w = &c->window;
    const uint32_t width = rheo__reach(c, 2);
    float *to = rheo__real_row(run->image, t, b);
    for (uint32_t ch = 0; ch < c->in; ch++)
        for (uint32_t z = 0; z < w->in[0]; z++)
            for (uint32_t y = 0; y < w->in[1]; y++, to += w->in[2]) {
                const uint32_t pz = z + w->before[0], py = y + w->before[1];
                const float *line = image + (size_t)ch * c->plane +
                                    ((size_t)pz * c->extent[1] + py) * c->extent[2] + w->before[2];
                const uint32_t n = z < rheo__reach(c, 0) && y < rheo__reach(c, 1) ? width : 0;
                if (!run->accumulate && !run->bias) {
                    memcpy(to, line, n * sizeof *to);
                    memset(to + n, 0, (w->in[2] - n) * sizeof *to);
                    continue;
                }
                const float bias = run->bias ? run->bias[ch] : 0;
                for (uint32_t x = 0; x < w->in[2]; x++) {
                    const float start = run->accumulate ? to[x] + bias : bias;
                    to[x] = x < n ? start + line[x] : start;
                }
            }
}

static void back_task(void *argument, uint32_t task, uint32_t thread)
{
    const job *j = argument;
    const rheo_correlate_run *run = j->run;
    const rheo_correlation *c = run->c;
    const room r = rooms(j->kernels, c, (char *)run->scratch + thread * j->bytes);
    const uint32_t first = task * j->join, rows = rheo__least(j->join, j->rows - first);
    const rheo_panels panels = rheo__panels(j->kernels, rows * c->P);
    const size_t size = (size_t)c->in * c->plane;
    const float *map[64] = {NULL}; /* tile_n is less */
    uint32_t t, b;
    for (uint32_t i = 0; i < rows; i++) {
        rheo__correlate_place(run, first + i, &t, &b);
        map[i] =
            rheo__correlate_map(run, run->map, t, b, 0, c->out, r.maps + (size_t)i * c->out * c->P);
    }
    for (uint32_t o = 0; o < c->out_group; o++) r.tap[o] = o * c->P;
    memset(r.images, 0, rows * size * sizeof *r.images);
    for (uint32_t g = 0; g < c->groups; g++) {
        pack(j, &panels, g, map, &r);
        multiply(j, &panels, g, rows, &r);
    }
    for (uint32_t i = 0; i < rows; i++) {
        rheo__correlate_place(run, first + i, &t, &b);
        write_image(run, t, b, r.images + i * size);
    }
}

void rheo__correlate_back(const rheo_correlate_run *run)
{
    const rheo_kernels *k = rheo__kernels(run->ctx);
    job j = {.run = run,
             .kernels = k,
             .rows = (run->t1 - run->t0) * run->B,
             .join = rheo__correlate_joined(k, run->c),
             .bytes = rooms(k, run->c, NULL).bytes};
    rheo__parallel(run->ctx, rheo__blocks(j.rows, j.join), back_task, &j);
}
