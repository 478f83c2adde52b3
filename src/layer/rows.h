/* rows.h: what the layers share: rows of signals in blocks of 64 columns, parameters' entries. */
#ifndef RHEO_SRC_ROWS_H
#define RHEO_SRC_ROWS_H
#include "base/random.h"
#include "base/threads.h"
#include "layer/layer.h"
#include <stdio.h>

/* Random numbers of activity: element n of step t of a sample is word n%4 of this counter. */
static inline void rheo__draw(rheo_key key, const rheo_work *work, uint32_t b, uint32_t step,
                              uint32_t quad, uint32_t out[4])
{
    const uint32_t counter[4] = {work->sample ? work->sample[b] : b, work->show, step, quad};
    rheo__philox(key, counter, out);
}
static inline void rheo__reference_draw(rheo_key key, const rheo_reference_work *work, uint32_t b,
                                        uint32_t step, uint32_t quad, uint32_t out[4])
{
    const uint32_t counter[4] = {work->sample ? work->sample[b] : b, work->show, step, quad};
    rheo__philox(key, counter, out);
}

static inline bool rheo__fixed(const rheo_signal *s)
{
    return !s || s->stride_t == 0;
}

/* Steps that stand in memory, of the span [t0, t1). */
static inline uint32_t rheo__last_step(const rheo_signal *s, uint32_t t0, uint32_t t1)
{
    return s->stride_t == 0 && t1 > t0 ? t0 + 1 : t1;
}

static inline uint32_t rheo__block_size(uint32_t n, uint32_t block)
{
    return n - block * RHEO_BLOCK < RHEO_BLOCK ? n - block * RHEO_BLOCK : RHEO_BLOCK;
}

/* The 64 columns of a block as floats: where they stand, or bits expanded into the buffer. */
static inline const float *rheo__block_row(const rheo_signal *s, uint32_t t, uint32_t b,
                                           uint32_t block, float buffer[RHEO_BLOCK])
{
    if (s->form == RHEO_REAL) return rheo__real_row(s, t, b) + (size_t)block * RHEO_BLOCK;
    const uint64_t word = rheo__bits_row(s, t, b)[block];
    for (uint32_t j = 0; j < RHEO_BLOCK; j++) buffer[j] = word >> j & 1 ? s->hi : s->lo;
    return buffer;
}

/* An entry of a layer's list of parameters: trained and without bounds. */
static inline void rheo__param_entry(rheo_param *p, const char *name, uint32_t rows, uint32_t cols)
{
    *p = (rheo_param){.rows = rows,
                      .cols = cols,
                      .trained = true,
                      .low = -__builtin_inff(),
                      .high = __builtin_inff()};
    snprintf(p->name, sizeof p->name, "%s", name);
}

static inline size_t rheo__param_bytes(const rheo_param *p)
{
    return (size_t)p->rows * p->cols * sizeof *p->value;
}

/* Scratch laid out by hand: sizes rounded up so that every piece is aligned to 64 bytes. */
static inline size_t rheo__round64(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

/* One-to-one shape of out, for maps and populations; always succeeds. */
rheo_status rheo__infer_same(rheo_context *ctx, rheo_node_spec *node);
/* Real output, static when the input is. */
void rheo__form_real(const rheo_work *work, rheo_form *form, bool *fixed, float *lo, float *hi);
/* Copies the rows of steps [t0, t1) when both signals have one form. */
void rheo__copy_rows(const rheo_signal *from, rheo_signal *to, uint32_t B, uint32_t t0,
                     uint32_t t1);
/* gin = gout (or 0), for maps that are the identity in the backward pass. */
void rheo__pass_gradient(const rheo_work *work, uint32_t t0, uint32_t t1);
/* weights of a projection: in x out within a limit; sets node->out */
rheo_status rheo__infer_weights(rheo_context *ctx, rheo_node_spec *node, double out);
#endif
