/* correlate_gather.c: correlation of sparse spikes. A row's bits are turned round until the channels
 * of a place lie side by side; what a position sees are then a few runs of bits, one a line of the
 * kernel. The rows of the transposed weights that belong to bits which are 1 are added up:
 *
 *   map[o,p] = start + sum over ascending k of w[o,k], k place by place, where p sees a spike
 *
 * Weights come in segments that stay in the first-level cache while all positions of a block take
 * theirs. */
#include "layer/correlate.h"
#include "layer/rows.h"
#include <string.h>

enum {
    POSITIONS = 64,     /* of a block */
    SEGMENT = 32 * 1024 /* bytes of weights, about */
};

/* A thread's memory, for one group. */
typedef struct room {
    uint64_t *lines, *windows; /* [lines of the image][line_words]; [POSITIONS][window_words] */
    uint32_t *index;
    float *sums; /* [POSITIONS][pitch] */
    size_t bytes;
} room;

static size_t line_words(const rheo_correlation *c)
{
    return rheo__words(c->extent[2] * c->in_group) + 1;
}

static size_t window_words(const rheo_correlation *c)
{
    return rheo__words(c->K) + 1;
}

static room rooms(const rheo_correlation *c, char *memory)
{
    room r = {0};
    size_t n = 0;
    r.lines =
        rheo__room_take(memory, &n, c->extent[0] * c->extent[1] * line_words(c) * sizeof *r.lines);
    r.windows = rheo__room_take(memory, &n, POSITIONS * window_words(c) * sizeof *r.windows);
    r.index = rheo__room_take(memory, &n, (c->K + 64 + 8) * sizeof *r.index);
    r.sums = rheo__room_take(memory, &n, POSITIONS * rheo__pitch(c->out_group) * sizeof *r.sums);
    r.bytes = n;
    return r;
}

size_t rheo__correlate_gather_bytes(const rheo_correlation *c)
{
    return rooms(c, NULL).bytes;
}

/* 64 places from p0 on, as a word each whose bits are channels c0 … c0 + channels - 1. */
static void turn(const rheo_correlate_run *run, const uint64_t *bits, uint32_t c0,
                 uint32_t channels, uint32_t p0, uint64_t word[64])
{
    const uint32_t places = rheo__axes_product(run->c->window.in);
    const size_t all = rheo__words(run->image->N);
    for (uint32_t i = 0; i < 64; i++) {
        const size_t at = (size_t)(c0 + i) * places + p0;
        word[i] = 0;
        if (i >= channels) continue;
        word[i] = bits[at / 64] >> at % 64;
        if (at % 64 && at / 64 + 1 < all) word[i] |= bits[at / 64 + 1] << (64 - at % 64);
    }
    rheo__kernels(run->ctx)->transpose_bits(word);
}

/* The lines of the padded image of a group. */
static void fill_lines(const rheo_correlate_run *run, const uint64_t *bits, uint32_t group,
                       const room *r)
{
    const rheo_correlation *c = run->c;
    const rheo_window *w = &c->window;
    const uint32_t places = rheo__axes_product(w->in);
    const size_t words = line_words(c);
    uint64_t word[64];
    memset(r->lines, 0, c->extent[0] * c->extent[1] * words * sizeof *r->lines);
    for (uint32_t c0 = 0; c0 < c->in_group; c0 += 64) {
        const uint32_t channels = rheo__least(64, c->in_group - c0);
        uint32_t x = w->before[2], y = w->before[1], z = w->before[0]; /* of the padded image */
        for (uint32_t p = 0; p < places; p++, x++) {
            if (p % 64 == 0) turn(run, bits, group * c->in_group + c0, channels, p, word);
            if (x == w->before[2] + w->in[2]) x = w->before[2], y++;
            if (y == w->before[1] + w->in[1]) y = w->before[1], z++;
            if (z >= c->extent[0] || y >= c->extent[1] || x >= c->extent[2]) continue;
            rheo__append_bits(&word[p % 64], 0, channels, r->lines + (z * c->extent[1] + y) * words,
                              (size_t)x * c->in_group + c0);
        }
    }
}

/* What position p sees. */
static void fill_window(const rheo_correlation *c, uint32_t p, const uint64_t *lines,
                        uint64_t *window)
{
    const rheo_window *w = &c->window;
    const uint32_t x = p % w->out[2] * w->stride[2], y = p / w->out[2] % w->out[1] * w->stride[1];
    const uint32_t z = p / w->out[2] / w->out[1] * w->stride[0];
    const bool joined = w->dilation[2] == 1; /* places of a line follow each other */
    const uint32_t pieces = joined ? 1 : w->kernel[2];
    const uint32_t width = (joined ? w->kernel[2] : 1) * c->in_group;
    size_t at = 0;
    memset(window, 0, window_words(c) * sizeof *window);
    for (uint32_t kz = 0; kz < w->kernel[0]; kz++)
        for (uint32_t ky = 0; ky < w->kernel[1]; ky++) {
            const uint32_t plane = z + kz * w->dilation[0], line = y + ky * w->dilation[1];
            const uint64_t *from = lines + (plane * c->extent[1] + line) * line_words(c);
            for (uint32_t kx = 0; kx < pieces; kx++, at += width)
                rheo__append_bits(from, (size_t)(x + kx * w->dilation[2]) * c->in_group, width,
                                  window, at);
        }
}

/* What the sums of positions p0 … p0 + count - 1 start from, a group's channels side by side. */
static void start_sums(const rheo_correlate_run *run, uint32_t group, const float *map,
                       uint32_t count, const room *r)
{
    const rheo_correlation *c = run->c;
    const float *bias = run->bias ? run->bias + group * c->out_group : NULL;
    const size_t pitch = rheo__pitch(c->out_group);
    if (run->accumulate)
        rheo__kernels(run->ctx)->transpose(map, c->P, c->out_group, count, r->sums, pitch);
    else
        memset(r->sums, 0, count * pitch * sizeof *r->sums);
    for (uint32_t i = 0; i < count && bias; i++)
        for (uint32_t o = 0; o < c->out_group; o++) r->sums[i * pitch + o] += bias[o];
}

static void gather_block(const rheo_correlate_run *run, uint32_t group, uint32_t p0, uint32_t count,
                         float *map, const room *r)
{
    const rheo_correlation *c = run->c;
    const rheo_kernels *kernels = rheo__kernels(run->ctx);
    const size_t pitch = rheo__pitch(c->out_group), words = window_words(c);
    const float *weights = run->parts.rows + (size_t)group * c->K * pitch;
    const uint32_t rows = (uint32_t)(SEGMENT / (pitch * sizeof *weights)) / 64 * 64;
    const uint32_t segment = rows ? rows : 64;
    start_sums(run, group, map, count, r);
    for (uint32_t i = 0; i < count; i++) fill_window(c, p0 + i, r->lines, r->windows + i * words);
    for (uint32_t k = 0; k < c->K; k += segment) {
        const uint32_t some = rheo__words(rheo__least(segment, c->K - k));
        for (uint32_t i = 0; i < count; i++) {
            const uint32_t set =
                kernels->list_bits(r->windows + i * words + k / 64, some, r->index);
            kernels->gather_row(r->index, set, weights + k * pitch, pitch, 0, c->out_group,
                                r->sums + i * pitch);
        }
    }
    kernels->transpose(r->sums, pitch, count, c->out_group, map, c->P);
}

void rheo__correlate_gather(const rheo_correlate_run *run, uint32_t row, char *memory)
{
    const rheo_correlation *c = run->c;
    const room r = rooms(c, memory);
    uint32_t t, b;
    rheo__correlate_place(run, row, &t, &b);
    float *map = rheo__real_row(run->map, t, b);
    for (uint32_t g = 0; g < c->groups; g++, map += (size_t)c->out_group * c->P) {
        fill_lines(run, rheo__bits_row(run->image, t, b), g, &r);
        for (uint32_t p = 0; p < c->P; p += POSITIONS)
            gather_block(run, g, p, rheo__least(POSITIONS, c->P - p), map + p, &r);
    }
}
