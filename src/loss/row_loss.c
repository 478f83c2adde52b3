/* row_loss.c: see row_loss.h. The references' helpers at the end take no memory: they add up a
 * row's steps as often as they need them. */
#include "loss/row_loss.h"
#include <math.h>
#include <string.h>

size_t rheo__row_need(uint32_t T, uint32_t B, uint32_t C)
{
    (void)T;
    (void)B;
    return (size_t)C * (sizeof(double) / sizeof(float));
}

double rheo__cross_entropy_row(const rheo_options *options, const double *x, uint32_t C,
                               uint32_t label, double *g)
{
    double largest = x[0], sum = 0;
    const double target = x[label];
    (void)options;
    for (uint32_t c = 1; c < C; c++)
        if (x[c] > largest) largest = x[c];
    for (uint32_t c = 0; c < C; c++) {
        g[c] = exp(x[c] - largest);
        sum += g[c];
    }
    for (uint32_t c = 0; c < C; c++) g[c] = g[c] / sum - (c == label);
    return log(sum) + largest - target;
}

static void zero_gradient(const rheo_signal *g, uint32_t B, uint32_t C)
{
    const uint32_t steps = g->stride_t ? g->T : 1;
    for (uint32_t t = 0; t < steps; t++)
        for (uint32_t b = 0; b < B; b++) memset(rheo__real_row(g, t, b), 0, C * sizeof(float));
}

/* A static signal's one row takes the gradients of all steps. */
static void add_gradient(const rheo_signal *g, uint32_t t, uint32_t b, const double *row,
                         double factor, uint32_t C)
{
    float *to = rheo__real_row(g, t, b);
    for (uint32_t c = 0; c < C; c++) to[c] += (float)(factor * row[c]);
}

double rheo__loss_over_steps(const rheo_loss_call *call, rheo_row_loss *loss)
{
    double sum = 0, *row = (double *)(void *)call->scratch;
    if (call->gout) zero_gradient(call->gout, call->B, call->C);
    if (call->greadout) zero_gradient(call->greadout, call->B, call->C);
    for (uint32_t t = 0; t < call->T; t++)
        for (uint32_t b = 0; b < call->B; b++) {
            const float *x = rheo__real_row(call->readout, t, b);
            for (uint32_t c = 0; c < call->C; c++) row[c] = (double)x[c];
            sum += loss(call->options, row, call->C, call->label[b], row);
            if (call->greadout) add_gradient(call->greadout, t, b, row, 1.0 / call->B, call->C);
        }
    return sum / call->B;
}

static void sum_steps(const rheo_loss_call *call, uint32_t b, double factor, double *row)
{
    memset(row, 0, call->C * sizeof *row);
    for (uint32_t t = 0; t < call->T; t++)
        for (uint32_t c = 0; c < call->C; c++)
            row[c] += (double)rheo__signal_get(call->out, t, b, c);
    for (uint32_t c = 0; c < call->C; c++) row[c] *= factor;
}

double rheo__loss_of_sum(const rheo_loss_call *call, double factor, rheo_row_loss *loss)
{
    double sum = 0, *row = (double *)(void *)call->scratch;
    if (call->gout) zero_gradient(call->gout, call->B, call->C);
    if (call->greadout) zero_gradient(call->greadout, call->B, call->C);
    for (uint32_t b = 0; b < call->B; b++) {
        sum_steps(call, b, factor, row);
        sum += loss(call->options, row, call->C, call->label[b], row);
        for (uint32_t t = 0; t < call->T && call->gout; t++)
            add_gradient(call->gout, t, b, row, factor / call->B, call->C);
    }
    return sum / call->B;
}

double rheo__span_sum(const rheo_span_row *row, uint32_t c)
{
    double sum = 0;
    for (size_t t = row->t0; t < row->t1; t++)
        sum += row->factor * row->x[(t * row->B + row->b) * row->C + c];
    return sum;
}

void rheo__span_gradient(const rheo_span_row *row, uint32_t c, double g)
{
    for (size_t t = row->t0; row->grad && t < row->t1; t++)
        row->grad[(t * row->B + row->b) * row->C + c] = row->factor * g / row->B;
}

double rheo__cross_entropy_span(const rheo_span_row *row, uint32_t label)
{
    double largest = -(double)INFINITY, sum = 0;
    for (uint32_t c = 0; c < row->C; c++) largest = fmax(largest, rheo__span_sum(row, c));
    for (uint32_t c = 0; c < row->C; c++) sum += exp(rheo__span_sum(row, c) - largest);
    for (uint32_t c = 0; c < row->C; c++) {
        const double p = exp(rheo__span_sum(row, c) - largest) / sum;
        rheo__span_gradient(row, c, c == label ? p - 1 : p);
    }
    return largest + log(sum) - rheo__span_sum(row, label);
}
