/* pool_reference.c: pooling in double. */
#include "layer/pool.h"

RHEO_POOL_WINNER(winner_reference, double)

/* The places of a window, one after another: false after the last. */
static bool next_place(const rheo_pool_shape *s, const rheo_pool_window *w, uint32_t *index,
                       uint32_t *place)
{
    const uint32_t i = (*index)++, ny = w->end[1] - w->begin[1], nx = w->end[2] - w->begin[2];
    const uint32_t z = w->begin[0] + i / nx / ny, y = w->begin[1] + i / nx % ny;
    *place = (z * s->in[1] + y) * s->in[2] + w->begin[2] + i % nx;
    return i < w->count;
}

/* The smooth build's largest has no kinks where the winner changes: a log sum exp(x / a), a =
 * SMOOTH. */
#define SMOOTH 0.05
static void smooth_window(const rheo_reference_work *work, const rheo_pool_shape *s,
                          const rheo_pool_window *w, size_t channel, size_t at, double *gx)
{
    const double *x = work->in[0] + channel;
    double most = -INFINITY, sum = 0;
    for (uint32_t i = 0, p; next_place(s, w, &i, &p);) most = fmax(most, x[p]);
    for (uint32_t i = 0, p; next_place(s, w, &i, &p);) sum += exp((x[p] - most) / SMOOTH);
    if (!gx) work->out[at] = most + SMOOTH * log(sum);
    for (uint32_t i = 0, p; gx && next_place(s, w, &i, &p);)
        gx[channel + p] += work->gout[at] * exp((x[p] - most) / SMOOTH) / sum;
}

/* One window of one channel, forward (gx NULL) or backward. */
static void reference_window(const rheo_reference_work *work, const rheo_pool_shape *s, size_t row,
                             uint32_t c, uint32_t o, double *gx)
{
    const rheo_pool_window w = rheo__pool_window(s, work->node->options.v, o);
    const bool max = (int)work->node->options.v[KIND] == MAX;
    const uint32_t n = c * s->windows + o, b = (uint32_t)(row % work->B);
    const size_t channel = (row * s->channels + c) * s->places;
    const size_t at = row * s->channels * s->windows + n;
    if (max && work->smooth) {
        smooth_window(work, s, &w, channel, at, gx);
        return;
    }
    if (max) {
        uint32_t draw[4];
        const rheo_key key = rheo__key(work->seed, work->node->index, RHEO_FOR_NOISE);
        const bool first = (int)work->node->options.v[TIES] == FIRST;
        rheo__reference_draw(key, work, b, (uint32_t)(row / work->B), n / 4, draw);
        const uint32_t p = winner_reference(s, &w, work->in[0] + channel, draw[n % 4], first);
        if (gx)
            gx[channel + p] += work->gout[at];
        else
            work->out[at] = work->in[0][channel + p];
        return;
    }
    double sum = 0;
    for (uint32_t i = 0, p; next_place(s, &w, &i, &p);) {
        sum += work->in[0][channel + p];
        if (gx) gx[channel + p] += work->gout[at] * w.share;
    }
    if (!gx) work->out[at] = sum * w.share;
}

static void reference_walk(const rheo_reference_work *work, double *gx)
{
    const rheo_pool_shape s = rheo__pool_shape(work->node);
    for (size_t row = 0; row < (size_t)work->T * work->B; row++)
        for (uint32_t c = 0; c < s.channels; c++)
            for (uint32_t o = 0; o < s.windows; o++) reference_window(work, &s, row, c, o, gx);
}

void rheo__pool_reference_forward(const rheo_reference_work *work)
{
    reference_walk(work, NULL);
}

void rheo__pool_reference_backward(const rheo_reference_work *work)
{
    double *gx = work->gin[0];
    if (!gx) return;
    memset(gx, 0, (size_t)work->T * work->B * rheo__shape_size(work->node->in) * sizeof *gx);
    if (work->gout) reference_walk(work, gx);
}
