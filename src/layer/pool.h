/* pool.h: the geometry of pooling, for pool*.c. */
#ifndef RHEO_SRC_POOL_H
#define RHEO_SRC_POOL_H
#include "base/threads.h"
#include "layer/correlate.h"
#include "layer/rows.h"
#include <math.h>
#include <string.h>

enum {
    KIND,
    SIZE,
    STRIDE = SIZE + RHEO_PER_AXIS,
    PADDING = STRIDE + RHEO_PER_AXIS,
    OUT = PADDING + RHEO_PER_AXIS,
    AXES = OUT + RHEO_PER_AXIS,
    COUNT_PADDING,
    TIES
};
enum { MAX, AVERAGE, SUM };
enum { RANDOM, FIRST };

/* Windows along the axes; adaptive ones have kernel 0. */
typedef struct rheo_pool_shape {
    uint32_t axes, in[RHEO_AXES], out[RHEO_AXES], size[RHEO_AXES], stride[RHEO_AXES],
        before[RHEO_AXES];
    uint32_t channels, places, windows; /* of a channel */
} rheo_pool_shape;

typedef struct rheo_pool_window {
    uint32_t begin[RHEO_AXES], end[RHEO_AXES], count;
    double share; /* of a place in the mean */
} rheo_pool_window;

/* Scratch: the windows, the window of each place, and for each thread a row of bits as floats and the
 * numbers that quarters draw. */
typedef struct rheo_pool_job {
    const rheo_work *work;
    rheo_pool_shape s;
    uint32_t t0;
    bool apart;             /* windows do not overlap, and there is no padding */
    bool small;             /* at most 64 places each */
    rheo_pool_window *seen; /* [windows] */
    uint32_t *of;  /* [places], of windows that do not overlap; RHEO_POOL_NOWHERE: none sees it */
    bool quarters; /* pool_quarters.c does it */
    char *draw;    /* [threads][draw_bytes] */
    size_t draw_bytes;
    float *floats; /* [threads][pitch] */
    size_t bytes;
} rheo_pool_job;
#define RHEO_POOL_NOWHERE UINT32_MAX

rheo_pool_shape rheo__pool_shape(const rheo_node_spec *node);
rheo_pool_window rheo__pool_window(const rheo_pool_shape *s, const double *option, uint32_t o);
rheo_pool_job rheo__pool_job(const rheo_work *work, uint32_t t0);
/* A row of the input as floats: where it stands, or bits expanded. */
const float *rheo__pool_row(const rheo_pool_job *j, uint32_t t, uint32_t b, uint32_t thread);

/* The place, of a channel, that gets the gradient of max: of `equal` ones the drawn or the first.
 */
#define RHEO_POOL_WINNER(name, number)                                                             \
    static uint32_t name(const rheo_pool_shape *s, const rheo_pool_window *w, const number *x,     \
                         uint32_t draw, bool first)                                                \
    {                                                                                              \
        number most = -(number)INFINITY;                                                           \
        uint32_t place = (w->begin[0] * s->in[1] + w->begin[1]) * s->in[2] + w->begin[2];          \
        uint32_t equal = 0, at = 0;                                                                \
        for (uint32_t pass = 0; pass < 2; pass++) {                                                \
            const uint32_t wanted = first ? 0 : (uint32_t)(((uint64_t)draw * equal) >> 32);        \
            for (uint32_t z = w->begin[0]; z < w->end[0]; z++)                                     \
                for (uint32_t y = w->begin[1]; y < w->end[1]; y++)                                 \
                    for (uint32_t i = w->begin[2]; i < w->end[2]; i++) {                           \
                        const uint32_t p = (z * s->in[1] + y) * s->in[2] + i;                      \
                        if (pass == 0 && x[p] > most) most = x[p], equal = 0;                      \
                        if (x[p] < most || x[p] > most) continue;                                  \
                        if (pass == 1 && at++ == wanted) place = p;                                \
                        equal += pass == 0;                                                        \
                    }                                                                              \
        }                                                                                          \
        return place;                                                                              \
    }
/* Max pooling in windows of 2 x 2 places of a plane that lie side by side (pool_quarters.c): floats of
 * tape; bytes of `draw`; the winners of a row; their values; a row of dL/d in. */
bool rheo__pool_quarters(const rheo_node_spec *node);
size_t rheo__pool_tape(const rheo_work *work);
size_t rheo__pool_draw_bytes(const rheo_work *work);
void rheo__pool_places(const rheo_work *work, uint32_t t, uint32_t b, const float *x,
                       uint32_t *draw);
void rheo__pool_largest(const rheo_work *work, const float *x, float *to);
void rheo__pool_any(const rheo_work *work, const uint64_t *bits, uint64_t *to); /* of spikes */
void rheo__pool_spread(const rheo_work *work, uint32_t t, uint32_t b, uint32_t c0, uint32_t c1,
                       float *to);
extern const rheo_row_map rheo__pool_rows;
bool rheo__pool_overwrites(const rheo_node_spec *node);
double rheo__pool_reached(const rheo_node_spec *node);
void rheo__pool_backward(const rheo_work *work, uint32_t t0, uint32_t t1);
void rheo__pool_reference_forward(const rheo_reference_work *work);
void rheo__pool_reference_backward(const rheo_reference_work *work);
#endif
