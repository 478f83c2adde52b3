/* past.h: what layers with delays know of other steps. Inputs of earlier steps stand in a ring in
 * `state`, the gradients of later spans in a ring in `adjoint`:
 *
 *      ring of a sample: [reach][N], step s since rest in row s % reach
 *
 * A step of the window whose row is in memory is read there. */
#ifndef RHEO_SRC_PAST_H
#define RHEO_SRC_PAST_H
#include "layer/rows.h"

typedef struct rheo_past {
    const rheo_work *work;
    const float *ring;   /* as it is before the steps in memory; NULL: they begin at rest */
    uint32_t reach, now; /* rows; the row of the window's first step */
} rheo_past;

/* reach: the largest delay + 2. */
static inline size_t rheo__past_floats(const rheo_work *work, uint32_t reach, uint32_t n)
{
    return (size_t)work->B * reach * n;
}

/* back: of a gradient, which begins with the state before the steps in memory. */
static inline rheo_past rheo__past(const rheo_work *work, uint32_t reach, bool back)
{
    return (rheo_past){work, back ? work->before : work->state, reach, work->step0 % reach};
}

/* Input i of sample b, `back` (< reach) steps before step t of the window; 0 before rest. */
static inline float rheo__past_get(const rheo_past *p, uint32_t t, uint32_t back, uint32_t b,
                                   uint32_t i)
{
    const rheo_signal *in = p->work->in[0];
    if (back <= t && t - back >= in->first) {
        if (in->form == RHEO_REAL) return rheo__real_row(in, t - back, b)[i];
        return rheo__bits_row(in, t - back, b)[i / 64] >> i % 64 & 1 ? in->hi : in->lo;
    }
    if (!p->ring) return 0;
    const uint32_t row = (p->now + t % p->reach + p->reach - back) % p->reach;
    return p->ring[((size_t)b * p->reach + row) * in->N + i];
}

/* dL/d out i at step t + ahead, for the backward of a span that ends at t1. */
static inline float rheo__future_get(const rheo_past *p, uint32_t t, uint32_t ahead, uint32_t t1,
                                     uint32_t b, uint32_t i)
{
    const rheo_signal *g = p->work->gout;
    const uint64_t at = (uint64_t)t + ahead;
    if (at >= p->work->T) return 0;
    if (at < t1 || g->stride_t == 0) return rheo__real_row(g, (uint32_t)at, b)[i];
    return p->work->adjoint[((size_t)b * p->reach + at % p->reach) * g->N + i];
}

/* After a span: its steps go into the ring. */
void rheo__past_keep(const rheo_work *work, uint32_t reach, uint32_t t0, uint32_t t1);
/* After the backward of a span: its first steps' gradients, for the span before. */
void rheo__future_keep(const rheo_work *work, uint32_t reach, uint32_t t0, uint32_t t1);
#endif
