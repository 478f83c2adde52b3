/* correlate_gather.c: correlation of sparse spikes. A row's bits are turned round until the channels
 * of a place lie side by side; the spikes of each line of the padded image are listed once, in that
 * order. What a position sees are then a few stretches of these lists, one a line of the kernel; the
 * rows of the transposed weights that belong to them are added up:
 *
 *   map[o,p] = start + sum over ascending k of w[o,k], k place by place, where p sees a spike
 *
 * Weights come in segments that stay in the first-level cache while all positions of a block take
 * theirs. The unit of stretches and segments is a place's channels, 64 of them at most. */
#include "layer/correlate.h"
#include "layer/rows.h"
#include <string.h>

enum {
    POSITIONS = 64,      /* of a block */
    SEGMENT = 32 * 1024, /* bytes of weights, about */
    UNIT = 64,           /* channels, at most */
    AHEAD = 16           /* numbers copied at a time */
};

/* Units of the kernel that follow each other along a line of the image. */
typedef struct stretch {
    uint32_t begin; /* of the first, in `begin`, seen from line 0 and place 0 */
    uint32_t units;
    uint32_t shift; /* from a spike's number in its line to its row of the segment, modulo 2^32 */
} stretch;

/* A position's first line and place: in `begin`, and what that takes from a shift. */
typedef struct corner {
    uint32_t begin, shift;
} corner;

/* A thread's memory, for one group. */
typedef struct room {
    uint64_t *bits;     /* [lines of the image][line_words] */
    uint32_t *spike;    /* of each line: place * in_group + channel */
    uint32_t *begin;    /* [lines][units of a line + 1] where a unit's spikes begin */
    uint32_t *index;    /* rows of weights that a position adds */
    stretch *stretches; /* of a segment */
    corner *corners;    /* [POSITIONS] */
    float *sums;        /* [POSITIONS][pitch] */
    size_t bytes;
} room;

static uint32_t units_of_place(const rheo_correlation *c)
{
    return rheo__blocks(c->in_group, UNIT);
}

static uint32_t units_of_line(const rheo_correlation *c)
{
    return c->extent[2] * units_of_place(c);
}

static size_t line_words(const rheo_correlation *c)
{
    return rheo__words(c->extent[2] * c->in_group) + 1;
}

static room rooms(const rheo_correlation *c, char *memory)
{
    const size_t lines = (size_t)c->extent[0] * c->extent[1];
    const size_t spikes = lines * c->extent[2] * c->in_group;
    room r = {0};
    size_t n = 0;
    r.bits = rheo__room_take(memory, &n, lines * line_words(c) * sizeof *r.bits);
    r.spike = rheo__room_take(memory, &n, (spikes + AHEAD + RHEO_LIST_SLACK) * sizeof *r.spike);
    r.begin = rheo__room_take(memory, &n, lines * (units_of_line(c) + 1) * sizeof *r.begin);
    r.index = rheo__room_take(memory, &n, (c->K + AHEAD) * sizeof *r.index);
    r.stretches = rheo__room_take(memory, &n, c->taps * units_of_place(c) * sizeof *r.stretches);
    r.corners = rheo__room_take(memory, &n, POSITIONS * sizeof *r.corners);
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
    for (uint32_t i = 0; i < 64; i++)
        word[i] = i < channels ? rheo__bits_at(bits, (size_t)(c0 + i) * places + p0,
                                               rheo__least(64, places - p0))
                               : 0;
    rheo__kernels(run->ctx)->transpose_bits(word);
}

/* Lists the spikes of the lines of a group's padded image. */
static void list_lines(const rheo_correlate_run *run, const uint64_t *bits, uint32_t group,
                       const room *r)
{
    const rheo_correlation *c = run->c;
    const rheo_window *w = &c->window;
    const uint32_t places = rheo__axes_product(w->in), each = units_of_place(c);
    const uint32_t lines = c->extent[0] * c->extent[1], units = units_of_line(c);
    const size_t words = line_words(c);
    uint64_t word[64];
    memset(r->bits, 0, lines * words * sizeof *r->bits);
    memset(r->begin, 0, (size_t)lines * (units + 1) * sizeof *r->begin);
    for (uint32_t i = 0; i < each; i++) {
        const uint32_t c0 = i * UNIT, channels = rheo__least(UNIT, c->in_group - c0);
        uint32_t x = w->before[2], y = w->before[1], z = w->before[0]; /* of the padded image */
        for (uint32_t p = 0; p < places; p++, x++) {
            if (p % 64 == 0) turn(run, bits, group * c->in_group + c0, channels, p, word);
            if (x == w->before[2] + w->in[2]) x = w->before[2], y++;
            if (y == w->before[1] + w->in[1]) y = w->before[1], z++;
            if (z >= c->extent[0] || y >= c->extent[1] || x >= c->extent[2]) continue;
            const uint32_t line = z * c->extent[1] + y;
            const size_t at = (size_t)x * c->in_group + c0;
            uint64_t *to = r->bits + line * words + at / 64;
            to[0] |= word[p % 64] << at % 64;
            to[1] |= word[p % 64] >> 1 >> (63 - at % 64);
            r->begin[line * (units + 1) + x * each + i + 1] =
                (uint32_t)__builtin_popcountll(word[p % 64]);
        }
    }
    uint32_t *begin = r->begin, spikes = 0;
    for (uint32_t line = 0; line < lines; line++, begin += units + 1) {
        rheo__kernels(run->ctx)->list_bits(r->bits + line * words, (uint32_t)words,
                                           r->spike + spikes, NULL);
        begin[0] = spikes;
        for (uint32_t u = 1; u <= units; u++) begin[u] += begin[u - 1];
        spikes = begin[units];
    }
}

/* The stretches of the kernel's units u0 … u1-1, whose first row of weights is the segment's. */
static uint32_t cut(const rheo_correlation *c, uint32_t u0, uint32_t u1, stretch *to)
{
    const rheo_window *w = &c->window;
    const uint32_t each = units_of_place(c);
    const uint32_t joined = each * (w->dilation[2] == 1 ? w->kernel[2] : 1);
    uint32_t count = 0, units;
    const uint32_t first = u0 / each * c->in_group + u0 % each * UNIT;
    for (uint32_t u = u0; u < u1; u += units) {
        const uint32_t tap = u / each, kx = tap % w->kernel[2], channel = u % each * UNIT;
        const uint32_t ky = tap / w->kernel[2] % w->kernel[1],
                       kz = tap / w->kernel[2] / w->kernel[1];
        const uint32_t place = kx * w->dilation[2];
        units = rheo__least(u1 - u, joined - u % joined);
        const uint32_t line = kz * w->dilation[0] * c->extent[1] + ky * w->dilation[1];
        to[count++] = (stretch){.begin = line * (units_of_line(c) + 1) + place * each + u % each,
                                .units = units,
                                .shift = tap * c->in_group + channel - first -
                                         (place * c->in_group + channel)};
    }
    return count;
}

/* Where the positions p0 … p0 + count - 1 begin to see. */
static void find_corners(const rheo_correlation *c, uint32_t p0, uint32_t count, corner *to)
{
    const rheo_window *w = &c->window;
    for (uint32_t p = p0; p < p0 + count; p++, to++) {
        const uint32_t x = p % w->out[2] * w->stride[2];
        const uint32_t y = p / w->out[2] % w->out[1] * w->stride[1];
        const uint32_t z = p / w->out[2] / w->out[1] * w->stride[0];
        const uint32_t line = z * c->extent[1] + y;
        *to = (corner){line * (units_of_line(c) + 1) + x * units_of_place(c), x * c->in_group};
    }
}

/* Whole blocks: what lies behind the last is overwritten or not read. */
static void copy_shifted(const uint32_t *restrict from, uint32_t n, uint32_t shift,
                         uint32_t *restrict to)
{
    for (uint32_t i = 0; i < n; i += AHEAD, from += AHEAD, to += AHEAD)
        for (uint32_t j = 0; j < AHEAD; j++) to[j] = from[j] + shift;
}

/* The rows of weights that a position adds; their number. */
static uint32_t see(const corner *at, uint32_t stretches, const room *r)
{
    uint32_t count = 0;
    for (const stretch *s = r->stretches; s < r->stretches + stretches; s++) {
        const uint32_t *begin = r->begin + at->begin + s->begin, n = begin[s->units] - begin[0];
        copy_shifted(r->spike + begin[0], n, s->shift - at->shift, r->index + count);
        count += n;
    }
    return count;
}

/* What the sums of positions p0 … p0 + count - 1 start from, a group's channels side by side. */
static void start_sums(const rheo_correlate_run *run, uint32_t group, const float *map,
                       uint32_t count, const room *r)
{
    const rheo_correlation *c = run->c;
    const float *bias = run->bias ? run->bias + group * c->out_group : NULL;
    const size_t pitch = rheo__pitch(c->out_group);
    const uint32_t own = run->accumulate ? count : 1; /* the others start as the first */
    if (run->accumulate)
        rheo__kernels(run->ctx)->transpose(map, c->P, c->out_group, count, r->sums, pitch);
    else
        memset(r->sums, 0, pitch * sizeof *r->sums);
    for (uint32_t i = 0; i < own && bias; i++)
        for (uint32_t o = 0; o < c->out_group; o++) r->sums[i * pitch + o] += bias[o];
    for (uint32_t i = own; i < count; i++)
        memcpy(r->sums + i * pitch, r->sums, pitch * sizeof *r->sums);
}

/* Units of a segment. */
static uint32_t segment_units(const rheo_correlation *c)
{
    const size_t row = rheo__pitch(c->out_group) * sizeof(float);
    const size_t unit = rheo__least(c->in_group, UNIT) * row;
    return unit < SEGMENT ? (uint32_t)(SEGMENT / unit) : 1;
}

static void gather_block(const rheo_correlate_run *run, uint32_t group, uint32_t p0, uint32_t count,
                         float *map, const room *r)
{
    const rheo_correlation *c = run->c;
    const rheo_kernels *kernels = rheo__kernels(run->ctx);
    const size_t pitch = rheo__pitch(c->out_group);
    const uint32_t each = units_of_place(c), all = c->taps * each, some = segment_units(c);
    const float *weights = run->parts.rows + (size_t)group * c->K * pitch;
    start_sums(run, group, map, count, r);
    find_corners(c, p0, count, r->corners);
    for (uint32_t u = 0; u < all; u += some) {
        const uint32_t stretches = cut(c, u, rheo__least(all, u + some), r->stretches);
        const float *segment = weights + (u / each * c->in_group + u % each * UNIT) * pitch;
        for (uint32_t i = 0; i < count; i++)
            kernels->gather_row(r->index, see(&r->corners[i], stretches, r), segment, pitch, 0,
                                c->out_group, r->sums + i * pitch);
    }
    kernels->transpose(r->sums, pitch, count, c->out_group, map, c->P);
}

void rheo__correlate_gather(const rheo_correlate_run *run, uint32_t row, float *map, char *memory)
{
    const rheo_correlation *c = run->c;
    const room r = rooms(c, memory);
    uint32_t t, b;
    rheo__correlate_place(run, row, &t, &b);
    for (uint32_t g = 0; g < c->groups; g++, map += (size_t)c->out_group * c->P) {
        list_lines(run, rheo__bits_row(run->image, t, b), g, &r);
        for (uint32_t p = 0; p < c->P; p += POSITIONS)
            gather_block(run, g, p, rheo__least(POSITIONS, c->P - p), map + p, &r);
    }
}
