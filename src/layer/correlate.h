/* correlate.h: the three products of convolution, for the layers conv and conv-transpose.
 *
 *   map[o,p]   = start + sum_k w[o,k] image[k at p]         rheo__correlate
 *   image[q]   = start + sum_o,k w[o,k] map[o,p], k at p = q  rheo__correlate_back, _scatter
 *   gw[o,k]    = sum_rows,p  map[o,p] image[k at p]           rheo__correlate_weights
 *
 * o: a channel of the map; p: a position of it; k: a tap, that is an input channel of the group and
 * a place in the kernel. `image` is what the windows slide over, `map` has a number for each
 * position. Each output is one running sum: over ascending k, which goes place by place of the kernel
 * (all channels of a place, then the next); over ascending k of sums over ascending o; over ascending
 * rows and positions. How the work is cut changes no bit. */
#ifndef RHEO_SRC_CORRELATE_H
#define RHEO_SRC_CORRELATE_H
#include "layer/window.h"

typedef struct rheo_correlation {
    rheo_window window;
    uint32_t groups, in, out; /* channels of image and map */
    uint32_t in_group, out_group;
    uint32_t taps, K;                  /* of a kernel's plane; of a group: in_group * taps */
    uint32_t P;                        /* positions of the map */
    uint32_t extent[RHEO_AXES], plane; /* of the padded image, as far as windows reach */
} rheo_correlation;

void rheo__correlation_finish(rheo_correlation *c); /* from window, groups, in, out */

/* What is made of the weights, for the products in use. */
enum {
    RHEO_CORRELATE = 1,
    RHEO_CORRELATE_BACK = 2,
    RHEO_CORRELATE_SPARSE = 4,
    RHEO_CORRELATE_SCATTER = 8
};
typedef struct rheo_correlate_parts {
    float *ahead;     /* [groups][blocks of out_group][K, place by place][tile_m] */
    float *back;      /* [groups][blocks of K, place by place][out_group][tile_m] */
    float *rows;      /* [groups][K, place by place][pitch of out_group] */
    float *lines;     /* lines of the kernel, channels side by side (correlate_scatter.c) */
    uint32_t *tap;    /* [K and the rest of a block] places in the padded image */
    uint32_t *placed; /* the same place by place */
    size_t floats;    /* of all */
} rheo_correlate_parts;
/* memory NULL: sizes alone */
rheo_correlate_parts rheo__correlate_parts(const rheo_context *ctx, const rheo_correlation *c,
                                           int use, float *memory);
void rheo__correlate_refresh(rheo_context *ctx, const rheo_correlation *c,
                             const rheo_correlate_parts *parts, const float *weights);

typedef struct rheo_correlate_run {
    rheo_context *ctx;
    const rheo_correlation *c;
    rheo_correlate_parts parts;
    const rheo_signal *image, *map; /* one of them is the result, which is real */
    uint32_t B, t0, t1;
    const float *bias;        /* of the result's channels, or NULL */
    bool accumulate;          /* add to what stands there */
    const rheo_work *through; /* what rows of the map pass through: they have no memory; or NULL */
    void *scratch;
} rheo_correlate_run;

/* Below these densities spikes are gathered (measured: 128 -> 128, 3 x 3 and 12 -> 64, 5 x 5): those of
 * the map, those of the weights' gradient. */
double rheo__correlate_density(const rheo_context *ctx);
double rheo__correlate_weights_density(const rheo_context *ctx);

/* Bytes of scratch, for all threads. */
size_t rheo__correlate_scratch(const rheo_context *ctx, const rheo_correlation *c,
                               const rheo_work *through);
size_t rheo__correlate_back_scratch(const rheo_context *ctx, const rheo_correlation *c);
size_t rheo__correlate_scatter_scratch(const rheo_context *ctx, const rheo_correlation *c);
size_t rheo__correlate_weights_scratch(const rheo_context *ctx, const rheo_correlation *c);
void rheo__correlate(const rheo_correlate_run *run);
void rheo__correlate_back(const rheo_correlate_run *run);
/* The same where the map is mostly 0, with the same bits; without start. */
void rheo__correlate_scatter(const rheo_correlate_run *run);
/* grad [out, K] of the rows; add: to what stands there */
void rheo__correlate_weights(const rheo_correlate_run *run, float *grad, bool add);
/* grad[o] = (add: grad[o] +) sum over rows and positions of map[o,p], of each channel of a signal
 */
void rheo__channel_sums(const rheo_correlate_run *run, const rheo_signal *s, uint32_t channels,
                        float *grad, bool add);

/* Plain double forms: image and map [rows, …]; any of map, image may be the result. */
void rheo__correlate_reference(const rheo_correlation *c, size_t rows, const double *w,
                               const double *image, double *map);
void rheo__correlate_back_reference(const rheo_correlation *c, size_t rows, const double *w,
                                    const double *map, double *image);
void rheo__correlate_weights_reference(const rheo_correlation *c, size_t rows, const double *image,
                                       const double *map, double *grad);

/* ---- shared by correlate*.c ---- */

size_t rheo__scatter_floats(const rheo_kernels *k, const rheo_correlation *c);
void rheo__scatter_pack(const rheo_kernels *k, const rheo_correlation *c, const float *weights,
                        float *to);
/* A row of sparse spikes, and the bytes that a thread needs for it. */
size_t rheo__correlate_gather_bytes(const rheo_correlation *c);
void rheo__correlate_gather(const rheo_correlate_run *run, uint32_t row, float *map, char *memory);
/* Windows see the image as it stands. */
bool rheo__unpadded(const rheo_correlation *c);

/* 0/1 spikes */
static inline bool rheo__spikes(const rheo_signal *s)
{
    return s->form == RHEO_BITS && !(s->lo < 0 || s->lo > 0) && !(s->hi < 1 || s->hi > 1);
}
/* Channels c0 … c1-1 of a row of the map: where it stands, expanded to `to`, or given back by the map
 * behind it. */
const float *rheo__correlate_map(const rheo_correlate_run *run, const rheo_signal *s, uint32_t t,
                                 uint32_t b, uint32_t c0, uint32_t c1, float *to);
/* Channels c0 … c1-1 of a row, padded: where it stands, or copied to `to`. */
const float *rheo__correlate_image(const rheo_correlate_run *run, const rheo_signal *s, uint32_t t,
                                   uint32_t b, uint32_t c0, uint32_t c1, float *to);
/* Pieces of positions p0 … p1-1 at column `to` on; the image begins at `from`. */
uint32_t rheo__correlate_pieces(const rheo_correlation *c, uint32_t p0, uint32_t p1, uint32_t to,
                                ptrdiff_t from, rheo_piece *out);
/* Rows of a run: samples of steps t0 … t1-1. */
static inline void rheo__correlate_place(const rheo_correlate_run *run, uint32_t row, uint32_t *t,
                                         uint32_t *b)
{
    *t = run->t0 + row / run->B;
    *b = row % run->B;
}
/* Places of the image along an axis that windows reach; those behind the last are seen by none. */
static inline uint32_t rheo__reach(const rheo_correlation *c, uint32_t a)
{
    const uint32_t before = c->window.before[a], extent = c->extent[a], in = c->window.in[a];
    const uint32_t reach = extent > before ? extent - before : 0;
    return reach < in ? reach : in;
}
/* n ≤ 64 bits from bit `at` on; no word behind them is read. */
static inline uint64_t rheo__bits_at(const uint64_t *bits, size_t at, uint32_t n)
{
    uint64_t word = bits[at / 64] >> at % 64;
    if (at % 64 + n > 64) word |= bits[at / 64 + 1] << (64 - at % 64);
    return n < 64 ? word & ((UINT64_C(1) << n) - 1) : word;
}
/* Adds `count` bits, those from bit `begin` on, at bit `at`. */
static inline void rheo__append_bits(const uint64_t *from, size_t begin, uint32_t count,
                                     uint64_t *to, size_t at)
{
    for (uint32_t i = 0; i < count; i += 64, at += 64) {
        const uint32_t n = count - i < 64 ? count - i : 64;
        const uint64_t word = rheo__bits_at(from, begin + i, n);
        to[at / 64] |= word << at % 64;
        if (at % 64 + n > 64) to[at / 64 + 1] |= word >> (64 - at % 64);
    }
}
#define RHEO_SLACK 64 /* floats behind a buffer, for parts of vectors that are stored whole */
/* The next piece of a thread's memory; memory NULL: its size alone, the address is none. */
static inline void *rheo__room_take(char *memory, size_t *used, size_t bytes)
{
    const uintptr_t p = (uintptr_t)memory + *used;
    *used += (bytes + 63) / 64 * 64;
    return (void *)p;
}
/* Rows whose positions are joined to fill a panel. */
static inline uint32_t rheo__correlate_joined(const rheo_kernels *k, const rheo_correlation *c)
{
    return c->P >= k->tile_n ? 1 : k->tile_n / c->P;
}
/* Columns cut in panels of at most tile_n, whole vectors and about equal. */
typedef struct rheo_panels {
    uint32_t columns, vectors, count, lanes;
} rheo_panels;
static inline rheo_panels rheo__panels(const rheo_kernels *k, uint32_t columns)
{
    const uint32_t vectors = (columns + k->lanes - 1) / k->lanes, most = k->tile_n / k->lanes;
    return (rheo_panels){columns, vectors, (vectors + most - 1) / most, k->lanes};
}
static inline uint32_t rheo__panel_begin(const rheo_panels *p, uint32_t i)
{
    const uint32_t at = (uint32_t)((uint64_t)i * p->vectors / p->count) * p->lanes;
    return at < p->columns ? at : p->columns;
}
static inline uint32_t rheo__blocks(uint32_t n, uint32_t unit)
{
    return n / unit + (n % unit != 0);
}
static inline uint32_t rheo__least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}
#endif
