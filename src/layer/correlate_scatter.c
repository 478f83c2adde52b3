/* correlate_scatter.c: the adjoint of correlation where the map is mostly 0, as behind the largest
 * of windows: each number that is not 0 adds its kernel to the places that it saw. The image has
 * the channels of a place side by side, so that a line of the kernel is one run of numbers.
 *
 *   image[q] = sum over ascending o, then p, of w[o,k] map[o,p], k at p = q */
#include "layer/correlate.h"
#include "base/threads.h"
#include "layer/rows.h"
#include <string.h>

typedef struct job {
    const rheo_correlate_run *run;
    uint32_t *place; /* [P] of a position's first tap in the image */
    size_t bytes;    /* of a thread's image */
} job;

/* Channels side by side, of a group: whole vectors when that is less than twice as many, as vectors
 * that end in two lines of the cache take twice as long. */
static uint32_t side(const rheo_correlation *c)
{
    return c->in_group > 8 ? (c->in_group + 15) / 16 * 16 : c->in_group;
}

static uint32_t depth(const rheo_correlation *c, uint32_t z, uint32_t y, uint32_t x)
{
    return ((z * c->extent[1] + y) * c->extent[2] + x) * side(c);
}

/* Taps that lie side by side are one line: its taps, and lines of a kernel. */
static uint32_t line_taps(const rheo_correlation *c)
{
    return c->window.dilation[2] == 1 ? c->window.kernel[2] : 1;
}

uint32_t rheo__scatter_lines(const rheo_correlation *c)
{
    return c->taps / line_taps(c);
}

/* Floats of a line, whole vectors; what is behind the line is 0 and adds nothing. */
uint32_t rheo__scatter_width(const rheo_correlation *c)
{
    return (line_taps(c) * side(c) + 15) / 16 * 16;
}

void rheo__scatter_pack(const rheo_correlation *c, const float *weights, float *to, uint32_t *line)
{
    const rheo_window *w = &c->window;
    const uint32_t lines = rheo__scatter_lines(c), width = rheo__scatter_width(c);
    const uint32_t each = line_taps(c);
    memset(to, 0, (size_t)c->out * lines * width * sizeof *to);
    for (uint32_t i = 0; i < lines; i++) {
        const uint32_t k = i * each, x = k % w->kernel[2], y = k / w->kernel[2] % w->kernel[1];
        const uint32_t z = k / w->kernel[2] / w->kernel[1];
        line[i] = depth(c, z * w->dilation[0], y * w->dilation[1], x * w->dilation[2]);
    }
    for (uint32_t o = 0; o < c->out; o++)
        for (uint32_t k = 0; k < c->taps; k++)
            for (uint32_t ch = 0; ch < c->in_group; ch++)
                to[((size_t)o * lines + k / each) * width + k % each * side(c) + ch] =
                    weights[(size_t)o * c->K + ch * c->taps + k];
}

static size_t image_floats(const rheo_correlation *c)
{
    return (size_t)c->groups * c->plane * side(c) + rheo__scatter_width(c);
}

static job lay_out(const rheo_correlate_run *run, const rheo_correlation *c)
{
    job j = {.run = run, .bytes = rheo__round64(image_floats(c) * sizeof(float))};
    if (run) j.place = run->scratch;
    return j;
}

static size_t place_bytes(const rheo_correlation *c)
{
    return rheo__round64(c->P * sizeof(uint32_t));
}

size_t rheo__correlate_scatter_scratch(const rheo_context *ctx, const rheo_correlation *c)
{
    return place_bytes(c) + lay_out(NULL, c).bytes * rheo_threads(ctx);
}

/* Channels one after another again, without the padding; places behind the last window get 0. */
static void write_image(const rheo_correlation *c, const float *image, float *to)
{
    const rheo_window *w = &c->window;
    for (uint32_t ch = 0; ch < c->in; ch++) {
        const float *group = image + (size_t)(ch / c->in_group) * c->plane * side(c);
        for (uint32_t z = 0; z < w->in[0]; z++)
            for (uint32_t y = 0; y < w->in[1]; y++, to += w->in[2]) {
                const uint32_t pz = z + w->before[0], py = y + w->before[1];
                const bool seen = pz < c->extent[0] && py < c->extent[1];
                uint32_t n = c->extent[2] > w->before[2] ? c->extent[2] - w->before[2] : 0;
                n = seen ? rheo__least(n, w->in[2]) : 0;
                const float *from =
                    group + (n ? depth(c, pz, py, w->before[2]) : 0) + ch % c->in_group;
                for (uint32_t x = 0; x < n; x++) to[x] = from[(size_t)x * side(c)];
                memset(to + n, 0, (w->in[2] - n) * sizeof *to);
            }
    }
}

static void scatter_task(void *argument, uint32_t row, uint32_t thread)
{
    const job *j = argument;
    const rheo_correlate_run *run = j->run;
    const rheo_correlation *c = run->c;
    const uint32_t lines = rheo__scatter_lines(c), width = rheo__scatter_width(c);
    float *image = (float *)(void *)((char *)run->scratch + place_bytes(c) + thread * j->bytes);
    uint32_t t, b;
    rheo__correlate_place(run, row, &t, &b);
    const float *map = rheo__real_row(run->map, t, b);
    memset(image, 0, image_floats(c) * sizeof *image);
    for (uint32_t o = 0; o < c->out; o++)
        rheo__kernels(run->ctx)->scatter(
            &(rheo_scatter){.map = map + (size_t)o * c->P,
                            .P = c->P,
                            .place = j->place,
                            .w = run->parts.lines + (size_t)o * lines * width,
                            .line = run->parts.line,
                            .lines = lines,
                            .width = width,
                            .image = image + (size_t)(o / c->out_group) * c->plane * side(c)});
    write_image(c, image, rheo__real_row(run->image, t, b));
}

void rheo__correlate_scatter(const rheo_correlate_run *run)
{
    const rheo_correlation *c = run->c;
    const rheo_window *w = &c->window;
    job j = lay_out(run, c);
    for (uint32_t p = 0; p < c->P; p++)
        j.place[p] = depth(c, p / w->out[2] / w->out[1] * w->stride[0],
                           p / w->out[2] % w->out[1] * w->stride[1], p % w->out[2] * w->stride[2]);
    rheo__parallel(run->ctx, (run->t1 - run->t0) * run->B, scatter_task, &j);
}
