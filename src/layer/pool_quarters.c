/* pool_quarters.c: max pooling in windows of 2 x 2 places of a plane that do not overlap, many windows
 * at a time. For the way back a window needs only to know which of its places won: a byte each, in the
 * tape. So a row may pass through as its source makes it, and the source's rows are kept nowhere. */
#include "layer/pool.h"

enum { DRAWS = 1024 /* windows whose numbers are drawn at a time, at least */ };

bool rheo__pool_quarters(const rheo_node_spec *node)
{
    const rheo_pool_shape s = rheo__pool_shape(node);
    return (int)node->options.v[KIND] == MAX && s.size[0] == 1 && s.stride[0] == 1 &&
           s.size[1] == 2 && s.stride[1] == 2 && s.size[2] == 2 && s.stride[2] == 2 &&
           !s.before[0] && !s.before[1] && !s.before[2];
}

size_t rheo__pool_tape(const rheo_work *work)
{
    if (!work->gradient || !rheo__pool_quarters(work->node)) return 0;
    const size_t steps = rheo__fixed(&work->out) ? 1 : work->T;
    return (steps * work->B * rheo__shape_size(work->node->out) + 3) / 4;
}

static uint8_t *places_of(const rheo_work *work, uint32_t t, uint32_t b)
{
    const size_t row = (size_t)(rheo__fixed(&work->out) ? 0 : t) * work->B + b;
    return (uint8_t *)work->tape + row * rheo__shape_size(work->node->out);
}

/* Numbers of a plane's windows, at least. */
static uint32_t draws(const rheo_pool_shape *s)
{
    const uint32_t each = s->out[1] * s->out[2];
    return ((each > DRAWS ? each : DRAWS) + 4 + 15) / 16 * 16;
}

size_t rheo__pool_draw_bytes(const rheo_work *work)
{
    const rheo_pool_shape s = rheo__pool_shape(work->node);
    return rheo__round64(draws(&s) * sizeof(uint32_t));
}

/* Planes without a line left over are one plane. */
static uint32_t joined(const rheo_pool_shape *s, uint32_t planes)
{
    return s->in[1] % 2 ? 1 : planes;
}

void rheo__pool_places(const rheo_work *work, uint32_t t, uint32_t b, const float *x,
                       uint32_t *draw)
{
    const rheo_pool_shape s = rheo__pool_shape(work->node);
    const rheo_kernels *kernels = rheo__kernels(work->ctx);
    const rheo_key key = rheo__key(work->seed, work->node->index, RHEO_FOR_NOISE);
    const uint32_t sample = work->sample ? work->sample[b] : b;
    const uint32_t planes = s.channels * s.in[0], each = s.out[1] * s.out[2];
    const uint32_t some = (draws(&s) - 4) / each; /* planes whose numbers are drawn at once */
    const size_t plane = (size_t)s.in[1] * s.in[2];
    const bool first = (int)work->node->options.v[TIES] == FIRST;
    uint8_t *place = places_of(work, t, b);
    for (uint32_t p = 0; p < planes; p += some) {
        const uint32_t count = rheo__least(some, planes - p), join = joined(&s, count);
        const uint32_t quad = p * each / 4, end = (p * each + count * each + 3) / 4;
        if (!first)
            kernels->draws(key, sample, work->show, work->step0 + t, quad, end - quad, draw);
        for (uint32_t q = p; q < p + count; q += join)
            kernels->places(join * s.out[1], s.out[2], x + q * plane, s.in[2],
                            first ? NULL : draw + q * each - 4 * (size_t)quad, place + q * each);
    }
}

void rheo__pool_largest(const rheo_work *work, const float *x, float *to)
{
    const rheo_pool_shape s = rheo__pool_shape(work->node);
    const uint32_t planes = s.channels * s.in[0], join = joined(&s, planes);
    const size_t plane = (size_t)s.in[1] * s.in[2], windows = (size_t)s.out[1] * s.out[2];
    for (uint32_t p = 0; p < planes; p += join)
        rheo__kernels(work->ctx)->largest(join * s.out[1], s.out[2], x + p * plane, s.in[2],
                                          to + p * windows);
}

/* Bits 0, 2, 4 … side by side. */
static uint64_t even_bits(uint64_t x)
{
    x &= UINT64_C(0x5555555555555555);
    x = (x | x >> 1) & UINT64_C(0x3333333333333333);
    x = (x | x >> 2) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    x = (x | x >> 4) & UINT64_C(0x00ff00ff00ff00ff);
    x = (x | x >> 8) & UINT64_C(0x0000ffff0000ffff);
    return (x | x >> 16) & UINT64_C(0x00000000ffffffff);
}

void rheo__pool_any(const rheo_work *work, const uint64_t *bits, uint64_t *to)
{
    const rheo_pool_shape s = rheo__pool_shape(work->node);
    const uint32_t width = s.in[2], used = 2 * s.out[2];
    size_t n = 0;
    memset(to, 0, rheo__words(work->out.N) * sizeof *to);
    for (uint32_t p = 0; p < s.channels * s.in[0]; p++)
        for (uint32_t y = 0; y < s.out[1]; y++)
            for (uint32_t x = 0; x < used; x += 64) {
                const uint32_t count = rheo__least(64, used - x);
                const size_t at = ((size_t)p * s.in[1] + 2 * y) * width + x;
                const uint64_t two =
                    rheo__bits_at(bits, at, count) | rheo__bits_at(bits, at + width, count);
                const uint64_t any = even_bits(two | two >> 1);
                to[n / 64] |= any << n % 64;
                if (n % 64 + count / 2 > 64) to[n / 64 + 1] |= any >> (64 - n % 64);
                n += count / 2;
            }
}

void rheo__pool_spread(const rheo_work *work, uint32_t t, uint32_t b, uint32_t c0, uint32_t c1,
                       float *to)
{
    const rheo_pool_shape s = rheo__pool_shape(work->node);
    const uint32_t planes = (c1 - c0) * s.in[0], join = joined(&s, planes);
    const size_t plane = (size_t)s.in[1] * s.in[2], windows = (size_t)s.out[1] * s.out[2];
    const float *g = rheo__real_row(work->gout, t, b) + (size_t)c0 * s.windows;
    const uint8_t *place = places_of(work, t, b) + (size_t)c0 * s.windows;
    for (uint32_t p = 0; p < planes; p += join) {
        float *end = to + (p + join) * plane;
        rheo__kernels(work->ctx)->spread(join * s.out[1], s.out[2], g + p * windows,
                                         place + p * windows, s.in[2], to + p * plane);
        if (s.in[1] % 2) memset(end - s.in[2], 0, s.in[2] * sizeof *to);
    }
}

static void take(const rheo_work *work, uint32_t t, uint32_t b, const float *row, void *memory)
{
    rheo__pool_largest(work, row, rheo__real_row(&work->out, t, b));
    if (work->gradient) rheo__pool_places(work, t, b, row, memory);
}

const rheo_row_map rheo__pool_rows = {.fits = rheo__pool_quarters,
                                      .bytes = rheo__pool_draw_bytes,
                                      .take = take,
                                      .give = rheo__pool_spread};
