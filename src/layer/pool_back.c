/* pool_back.c: the gradient of pooling. That of max goes to the winners, found as the bits of a
 * window's places that hold the largest. */
#include "layer/pool.h"

RHEO_POOL_WINNER(winner, float)

/* The places of a window as the bits of a word, one after another; at most 64. */
static uint64_t window_bits(const rheo_pool_shape *s, const rheo_pool_window *w,
                            const uint64_t *bits, uint32_t channel)
{
    const uint32_t width = w->end[2] - w->begin[2];
    uint64_t all = 0;
    uint32_t at = 0;
    for (uint32_t z = w->begin[0]; z < w->end[0]; z++)
        for (uint32_t y = w->begin[1]; y < w->end[1]; y++, at += width) {
            const uint32_t n = channel + (z * s->in[1] + y) * s->in[2] + w->begin[2];
            all |= rheo__bits_at(bits, n, width) << at;
        }
    return all;
}

/* The same of real numbers: which places hold the largest. */
static uint64_t window_reals(const rheo_pool_shape *s, const rheo_pool_window *w, const float *x)
{
    float most = -INFINITY;
    uint64_t all = 0;
    uint32_t at = 0;
    for (int pass = 0; pass < 2; pass++)
        for (uint32_t z = w->begin[0]; z < w->end[0]; z++)
            for (uint32_t y = w->begin[1]; y < w->end[1]; y++)
                for (uint32_t i = w->begin[2]; i < w->end[2]; i++) {
                    const float value = x[((size_t)z * s->in[1] + y) * s->in[2] + i];
                    if (pass == 0)
                        most = value > most ? value : most;
                    else
                        all |= (uint64_t) !(value < most || value > most) << at++;
                }
    return all;
}

/* The place in the channel of the index-th place of a window. */
static uint32_t place_of(const rheo_pool_shape *s, const rheo_pool_window *w, uint32_t index)
{
    const uint32_t width = w->end[2] - w->begin[2], height = w->end[1] - w->begin[1];
    uint32_t y = 0, z = 0;
    for (; index >= width; index -= width) y++;
    for (; y >= height; y -= height) z++;
    return ((w->begin[0] + z) * s->in[1] + w->begin[1] + y) * s->in[2] + w->begin[2] + index;
}

/* Which of equal places, for a number drawn for each window; four are drawn at a time. */
typedef struct choice {
    const rheo_pool_job *j;
    rheo_key key;
    uint32_t t, b, quad, draw[4]; /* quad: of the four; before the first UINT32_MAX */
    bool first;
} choice;

static uint32_t drawn(choice *c, uint32_t n)
{
    if (c->first) return 0;
    if (n / 4 != c->quad)
        rheo__draw(c->key, c->j->work, c->b, c->j->work->step0 + c->t, n / 4, c->draw);
    c->quad = n / 4;
    return c->draw[n % 4];
}

/* The gradient of max goes to the winners; n: the window's number. */
static uint32_t choose(choice *c, const rheo_pool_window *w, uint64_t equal, uint32_t n)
{
    const uint32_t count = equal ? (uint32_t)__builtin_popcountll(equal) : w->count;
    uint32_t index = count > 1 ? (uint32_t)(((uint64_t)drawn(c, n) * count) >> 32) : 0;
    if (!equal) return place_of(&c->j->s, w, index);
    for (; index > 0; index--) equal &= equal - 1;
    return place_of(&c->j->s, w, (uint32_t)__builtin_ctzll(equal));
}

static void winners_row(const rheo_pool_job *j, uint32_t t, uint32_t b, uint32_t thread,
                        const float *g, float *to)
{
    const rheo_work *work = j->work;
    const rheo_pool_shape *s = &j->s;
    const bool bits = work->in[0]->form == RHEO_BITS && j->small;
    const uint64_t *row = bits ? rheo__bits_row(work->in[0], t, b) : NULL;
    const float *x = bits ? NULL : rheo__pool_row(j, t, b, thread);
    choice by = {.j = j, .t = t, .b = b, .quad = UINT32_MAX};
    by.key = rheo__key(work->seed, work->node->index, RHEO_FOR_NOISE);
    by.first = (int)work->node->options.v[TIES] == FIRST;
    for (uint32_t c = 0, n = 0; c < s->channels; c++) {
        const uint32_t channel = c * s->places;
        for (uint32_t o = 0; o < s->windows; o++, n++) {
            const rheo_pool_window *w = &j->seen[o];
            uint32_t p;
            if (bits)
                p = choose(&by, w, window_bits(s, w, row, channel), n);
            else if (j->small)
                p = choose(&by, w, window_reals(s, w, x + channel), n);
            else
                p = winner(s, w, x + channel, drawn(&by, n), by.first);
            to[channel + p] += g[n];
        }
    }
}

static void backward_row(void *argument, uint32_t row, uint32_t thread)
{
    const rheo_pool_job *j = argument;
    const rheo_work *work = j->work;
    const rheo_pool_shape *s = &j->s;
    const uint32_t t = j->t0 + row / work->B, b = row % work->B;
    const float *g = rheo__real_row(work->gout, t, b);
    float *to = rheo__real_row(&work->gin[0], t, b);
    if (j->quarters) {
        rheo__pool_spread(work, t, b, 0, s->channels, to);
        return;
    }
    memset(to, 0, work->gin[0].N * sizeof *to);
    if ((int)work->node->options.v[KIND] == MAX) {
        winners_row(j, t, b, thread, g, to);
        return;
    }
    for (uint32_t c = 0, n = 0; c < s->channels; c++) {
        float *channel = to + (size_t)c * s->places;
        for (uint32_t o = 0; o < s->windows; o++, n++) {
            const rheo_pool_window *w = &j->seen[o];
            const float share = g[n] * (float)w->share;
            for (uint32_t z = w->begin[0]; z < w->end[0]; z++)
                for (uint32_t y = w->begin[1]; y < w->end[1]; y++)
                    for (uint32_t i = w->begin[2]; i < w->end[2]; i++)
                        channel[((size_t)z * s->in[1] + y) * s->in[2] + i] += share;
        }
    }
}

/* What does not read in. */
bool rheo__pool_overwrites(const rheo_node_spec *node)
{
    return (int)node->options.v[KIND] != MAX || rheo__pool_quarters(node);
}

double rheo__pool_reached(const rheo_node_spec *node)
{
    const double windows = rheo__shape_size(node->out), places = rheo__shape_size(node->in);
    return (int)node->options.v[KIND] == MAX && windows < places ? windows / places : 1;
}

void rheo__pool_backward(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    if (!work->gout || !work->gin[0].real) {
        rheo__pass_gradient(work, t0, t1);
        return;
    }
    const rheo_pool_job j = rheo__pool_job(work, t0);
    t1 = rheo__last_step(&work->gin[0], t0, t1);
    rheo__parallel(work->ctx, (t1 - t0) * work->B, backward_row, (void *)(uintptr_t)&j);
}
