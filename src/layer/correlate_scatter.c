/* correlate_scatter.c: the adjoint of correlation where the map is mostly 0, as behind the largest of
 * windows: of each position the channels that are not 0 are listed; their kernels, that many times
 * each, are added up in registers and then to the places that the position saw. The image has the
 * channels of a place side by side, so that a line of the kernel is one run of numbers. Positions
 * come from the last to the first, so that a place gets its taps in ascending order: the bits are
 * those of rheo__correlate_back.
 *
 *   image[q] = sum over ascending k of (sum over ascending o of w[o,k] map[o,p]), k at p = q
 *
 * A pass has as many numbers of the kernel as registers hold, of all channels of the map: some lines,
 * or a part of one. */
#include "layer/correlate.h"
#include "base/threads.h"
#include "layer/rows.h"
#include <string.h>

enum { POSITIONS = 64 /* whose lists are made together */ };

/* Taps that lie side by side are one line: its taps, its floats, and lines of a kernel. */
static uint32_t line_taps(const rheo_correlation *c)
{
    return c->window.dilation[2] == 1 ? c->window.kernel[2] : 1;
}

static uint32_t line_floats(const rheo_correlation *c)
{
    return line_taps(c) * c->in_group;
}

static uint32_t lines_of(const rheo_correlation *c)
{
    return c->taps / line_taps(c);
}

/* The i-th: `lines` lines, of each the floats `from` … from + width - 1. */
typedef struct pass {
    uint32_t line, lines, from, width;
} pass;

static uint32_t pass_floats(const rheo_kernels *k)
{
    return RHEO_SCATTER_VECTORS * k->lanes;
}

static bool pass_at(const rheo_kernels *k, const rheo_correlation *c, uint32_t i, pass *p)
{
    const uint32_t floats = line_floats(c), most = pass_floats(k);
    const uint32_t parts = rheo__blocks(floats, most);
    const uint32_t each = parts > 1 ? 1 : RHEO_SCATTER_VECTORS / rheo__blocks(floats, k->lanes);
    p->line = parts > 1 ? i / parts : i * each;
    if (p->line >= lines_of(c)) return false;
    p->lines = rheo__least(each, lines_of(c) - p->line);
    p->from = parts > 1 ? i % parts * most : 0;
    p->width = rheo__least(most, floats - p->from);
    return true;
}

size_t rheo__scatter_floats(const rheo_kernels *k, const rheo_correlation *c)
{
    uint32_t passes = 0;
    for (pass p; pass_at(k, c, passes, &p);) passes++;
    return (size_t)passes * c->out * pass_floats(k);
}

/* to: [passes][out][pass_floats], of a pass line after line, each in whole vectors */
void rheo__scatter_pack(const rheo_kernels *k, const rheo_correlation *c, const float *weights,
                        float *to)
{
    memset(to, 0, rheo__scatter_floats(k, c) * sizeof *to);
    pass p;
    for (uint32_t i = 0; pass_at(k, c, i, &p); i++)
        for (uint32_t o = 0; o < c->out; o++, to += pass_floats(k))
            for (uint32_t l = 0; l < p.lines; l++)
                for (uint32_t f = 0; f < p.width; f++) {
                    const uint32_t at = p.from + f, tap = (p.line + l) * line_taps(c);
                    to[l * rheo__blocks(p.width, k->lanes) * k->lanes + f] =
                        weights[(size_t)o * c->K + at % c->in_group * c->taps + tap +
                                at / c->in_group];
                }
}

typedef struct job {
    const rheo_correlate_run *run;
    const rheo_kernels *kernels;
    uint32_t *place; /* [P] of a position's first tap in the image */
    uint32_t *line;  /* [lines] from there */
    char *threads;
    size_t bytes; /* of a thread */
} job;

/* A thread's memory. */
typedef struct room {
    float *image;            /* [groups][plane][in_group] */
    float *map;              /* [out][P], of rows that have no memory */
    float *turned;           /* [POSITIONS][pitch] of the map */
    float *value;            /* of a position's channels what is not 0, */
    uint32_t *index, *count; /* which they are, and how many */
    size_t bytes;
} room;

static size_t image_floats(const rheo_correlation *c)
{
    return (size_t)c->in * c->plane;
}

static room rooms(const rheo_correlation *c, char *memory)
{
    const size_t listed = (size_t)POSITIONS * (c->out_group + RHEO_LIST_SLACK);
    room r = {0};
    size_t n = 0;
    r.image = rheo__room_take(memory, &n, (image_floats(c) + RHEO_SLACK) * sizeof *r.image);
    r.map = rheo__room_take(memory, &n, (size_t)c->out * c->P * sizeof *r.map);
    r.turned =
        rheo__room_take(memory, &n, POSITIONS * rheo__pitch(c->out_group) * sizeof *r.turned);
    r.value = rheo__room_take(memory, &n, listed * sizeof *r.value);
    r.index = rheo__room_take(memory, &n, listed * sizeof *r.index);
    r.count = rheo__room_take(memory, &n, POSITIONS * sizeof *r.count);
    r.bytes = n;
    return r;
}

static size_t table_bytes(const rheo_correlation *c)
{
    return rheo__round64((c->P + lines_of(c)) * sizeof(uint32_t));
}

size_t rheo__correlate_scatter_scratch(const rheo_context *ctx, const rheo_correlation *c)
{
    return table_bytes(c) + rooms(c, NULL).bytes * rheo_threads(ctx);
}

/* Where a place of a channel's plane lies in the image of its group. */
static uint32_t depth(const rheo_correlation *c, uint32_t z, uint32_t y, uint32_t x)
{
    return ((z * c->extent[1] + y) * c->extent[2] + x) * c->in_group;
}

static void fill_tables(job *j)
{
    const rheo_correlation *c = j->run->c;
    const rheo_window *w = &c->window;
    for (uint32_t p = 0; p < c->P; p++)
        j->place[p] = depth(c, p / w->out[2] / w->out[1] * w->stride[0],
                            p / w->out[2] % w->out[1] * w->stride[1], p % w->out[2] * w->stride[2]);
    for (uint32_t i = 0; i < lines_of(c); i++) {
        const uint32_t tap = i * line_taps(c), y = tap / w->kernel[2];
        j->line[i] = depth(c, y / w->kernel[1] * w->dilation[0], y % w->kernel[1] * w->dilation[1],
                           tap % w->kernel[2] * w->dilation[2]);
    }
}

/* Channels one after another again, without the padding; places behind the last window get 0. */
static void write_image(const job *j, const float *image, float *to)
{
    const rheo_correlation *c = j->run->c;
    const rheo_window *w = &c->window;
    const uint32_t places = rheo__axes_product(w->in);
    const uint32_t width = rheo__reach(c, 2);
    if (rheo__unpadded(c)) {
        j->kernels->transpose(image, c->in_group, places, c->in_group, to, places);
        return;
    }
    for (uint32_t z = 0; z < w->in[0]; z++)
        for (uint32_t y = 0; y < w->in[1]; y++, to += w->in[2]) {
            const uint32_t pz = z + w->before[0], py = y + w->before[1];
            const uint32_t n = z < rheo__reach(c, 0) && y < rheo__reach(c, 1) ? width : 0;
            if (n)
                j->kernels->transpose(image + depth(c, pz, py, w->before[2]), c->in_group, n,
                                      c->in_group, to, places);
            for (uint32_t ch = 0; ch < c->in_group; ch++)
                memset(to + (size_t)ch * places + n, 0, (w->in[2] - n) * sizeof *to);
        }
}

/* Positions p0 … p0 + count - 1 of a group. */
static void scatter_positions(const job *j, const room *r, uint32_t group, const float *map,
                              uint32_t p0, uint32_t count)
{
    const rheo_correlation *c = j->run->c;
    const uint32_t floats = pass_floats(j->kernels);
    float *image = r->image + (size_t)group * c->plane * c->in_group;
    const size_t pitch = rheo__pitch(c->out_group), listed = c->out_group + RHEO_LIST_SLACK;
    j->kernels->transpose(map + (size_t)group * c->out_group * c->P + p0, c->P, c->out_group, count,
                          r->turned, pitch);
    for (uint32_t n = 0; n < count; n++)
        r->count[n] = j->kernels->list_nonzero(c->out_group, r->turned + n * pitch,
                                               r->index + n * listed, r->value + n * listed);
    pass p;
    for (uint32_t i = 0; pass_at(j->kernels, c, i, &p); i++) {
        const float *w = j->run->parts.lines + ((size_t)i * c->out + group * c->out_group) * floats;
        for (uint32_t n = count; n-- > 0;)
            if (r->count[n])
                j->kernels->scatter(&(rheo_scatter){.count = r->count[n],
                                                    .index = r->index + n * listed,
                                                    .factor = r->value + n * listed,
                                                    .w = w,
                                                    .w_row = floats,
                                                    .line = j->line + p.line,
                                                    .lines = p.lines,
                                                    .width = p.width,
                                                    .image = image + j->place[p0 + n] + p.from});
    }
}

static void scatter_task(void *argument, uint32_t row, uint32_t thread)
{
    const job *j = argument;
    const rheo_correlate_run *run = j->run;
    const rheo_correlation *c = run->c;
    const room r = rooms(c, j->threads + thread * j->bytes);
    uint32_t t, b;
    rheo__correlate_place(run, row, &t, &b);
    const float *map = rheo__correlate_map(run, run->map, t, b, 0, c->out, r.map);
    float *to = rheo__real_row(run->image, t, b);
    memset(r.image, 0, image_floats(c) * sizeof *r.image);
    for (uint32_t g = 0; g < c->groups; g++) {
        for (uint32_t block = rheo__blocks(c->P, POSITIONS); block-- > 0;) {
            const uint32_t p0 = block * POSITIONS;
            scatter_positions(j, &r, g, map, p0, rheo__least(POSITIONS, c->P - p0));
        }
        write_image(j, r.image + (size_t)g * c->plane * c->in_group,
                    to + (size_t)g * c->in_group * rheo__axes_product(c->window.in));
    }
}

void rheo__correlate_scatter(const rheo_correlate_run *run)
{
    const rheo_correlation *c = run->c;
    job j = {.run = run,
             .kernels = rheo__kernels(run->ctx),
             .place = run->scratch,
             .line = (uint32_t *)run->scratch + c->P,
             .threads = (char *)run->scratch + table_bytes(c),
             .bytes = rooms(c, NULL).bytes};
    fill_tables(&j);
    rheo__parallel(run->ctx, (run->t1 - run->t0) * run->B, scatter_task, &j);
}
