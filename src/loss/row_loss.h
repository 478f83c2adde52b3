/* row_loss.h: losses of one row of C numbers, and their sum over rows of either kind:
 *
 *   over steps    L = 1/B sum_b sum_t l(x[t,b,:])          (membrane)
 *   of the sum    L = 1/B sum_b l(factor sum_t x[t,b,:])   (rates, counts, logits)
 *
 * In the engine a loss is one function of a row with its gradient. Everything is double inside;
 * samples and steps are added ascending. The double references are written apart, over plain
 * arrays. */
#ifndef RHEO_SRC_ROW_LOSS_H
#define RHEO_SRC_ROW_LOSS_H
#include "loss/loss.h"

/* l(x) and dl/dx of C numbers; g may be x. */
typedef double rheo_row_loss(const rheo_options *options, const double *x, uint32_t C,
                             uint32_t label, double *g);
/* a row of doubles */
size_t rheo__row_need(uint32_t T, uint32_t B, uint32_t C);
double rheo__loss_over_steps(const rheo_loss_call *call, rheo_row_loss *loss);
double rheo__loss_of_sum(const rheo_loss_call *call, double factor, rheo_row_loss *loss);
/* -log softmax(x)[label], by the largest x */
rheo_row_loss rheo__cross_entropy_row;

/* For references: the row factor sum_{t0 <= t < t1} x[t,b,:], and dL/dx from dl/drow over B. */
typedef struct rheo_span_row {
    const double *x; /* [T,B,C] */
    double *grad;    /* the same, or NULL */
    double factor;
    uint32_t B, C, b, t0, t1;
} rheo_span_row;
double rheo__span_sum(const rheo_span_row *row, uint32_t c);
void rheo__span_gradient(const rheo_span_row *row, uint32_t c, double g);
double rheo__cross_entropy_span(const rheo_span_row *row, uint32_t label);
#endif
