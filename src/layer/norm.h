/* norm.h: what norm.c, its double reference and folding share. */
#ifndef RHEO_SRC_NORM_H
#define RHEO_SRC_NORM_H
#include "layer/layer.h"

enum {
    RHEO_NORM_KIND,
    RHEO_NORM_OVER,
    RHEO_NORM_STEPS,
    RHEO_NORM_ALPHA,
    RHEO_NORM_THETA,
    RHEO_NORM_MOMENTUM,
    RHEO_NORM_EPSILON,
    RHEO_NORM_AFFINE,
    RHEO_NORM_FOLDED
};
enum { RHEO_NORM_BATCH, RHEO_NORM_TDBN, RHEO_NORM_BNTT, RHEO_NORM_TEBN };

/* Where a node's parameters stand: index in node->param, -1: the kind has none. */
typedef struct rheo_norm {
    uint32_t kind, channels, width; /* columns of a channel */
    uint32_t rows;                  /* of gamma and the running values: steps for bntt, else 1 */
    bool each;                      /* statistics of each step */
    float scale;                    /* alpha theta of tdbn, else 1 */
    int gamma, beta, mean, variance, weight;
} rheo_norm;
rheo_norm rheo__norm(const rheo_node_spec *node);
/* The row of gamma and of the running values that step `at` (since rest) uses. */
static inline uint32_t rheo__norm_row(const rheo_norm *norm, uint64_t at)
{
    return at < norm->rows ? (uint32_t)at : norm->rows - 1;
}

/* The phase `fold` has put it into the weights before it: it is the identity from then on. */
static inline bool rheo__norm_folded(const rheo_node_spec *node)
{
    return node->options.v[RHEO_NORM_FOLDED] > 0;
}

/* Can it be put into the weights before it? RHEO_UNSUPPORTED or RHEO_SHAPE, with both names. */
rheo_status rheo__norm_may_fold(rheo_context *ctx, const rheo_node_spec *norm,
                                const rheo_node_spec *projection);
/* Puts the normalisation, as it is used after training, into the weights before it, and leaves the
 * identity: w_o <- a_o w_o, b_o <- a_o b_o + c_o. weights: a projection's parameters, [out, ...]
 * and one bias an output; the norm's channels are its outputs. Exact for kinds batch and tdbn; bntt
 * and tebn differ from step to step, which no weights can: RHEO_UNSUPPORTED, with both names. */
rheo_status rheo__norm_fold(rheo_context *ctx, const rheo_node_spec *norm,
                            const rheo_node_spec *projection);

void rheo__norm_reference_forward(const struct rheo_reference_work *work);
void rheo__norm_reference_backward(const struct rheo_reference_work *work);
#endif
