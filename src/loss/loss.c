/* loss.c: the table of losses, and what is common to all: a sample's window gathered from signals
 * (or from plain doubles, for references), populations joined, the gradient given back to their
 * neurons. Everything between is double; samples and steps are added ascending. */
#include "loss/loss.h"
#include <math.h>
#include <string.h>

#define RHEO_LOSS(symbol, name) extern const rheo_loss rheo__loss_##symbol;
#include "loss/losses.def"
#undef RHEO_LOSS

static const rheo_loss *const losses[] = {
#define RHEO_LOSS(symbol, name) &rheo__loss_##symbol,
#include "loss/losses.def"
#undef RHEO_LOSS
};
#define LOSSES (sizeof losses / sizeof losses[0])

const char *const rheo__loss_names[] = {
#define RHEO_LOSS(symbol, name) name,
#include "loss/losses.def"
#undef RHEO_LOSS
    NULL};

const rheo_loss *rheo__loss_at(uint32_t index)
{
    return index < LOSSES ? losses[index] : NULL;
}

const rheo_loss *rheo__loss_find(const char *name)
{
    for (size_t i = 0; i < LOSSES; i++)
        if (strcmp(rheo__loss_names[i], name) == 0) return losses[i];
    return NULL;
}

size_t rheo__loss_need(uint32_t T, uint32_t C)
{
    return (2 * (size_t)T + RHEO_LOSS_ROWS) * C * (sizeof(double) / sizeof(float));
}

double rheo__cross_entropy(const double *x, uint32_t C, uint32_t label, double *g)
{
    double largest = x[0], sum = 0;
    const double target = x[label];
    for (uint32_t c = 1; c < C; c++)
        if (x[c] > largest) largest = x[c];
    for (uint32_t c = 0; c < C; c++) {
        g[c] = exp(x[c] - largest);
        sum += g[c];
    }
    for (uint32_t c = 0; c < C; c++) g[c] = g[c] / sum - (c == label);
    return log(sum) + largest - target;
}

double rheo__loss_target(const rheo_loss_window *w, uint32_t t, uint32_t c, double correct,
                         double incorrect)
{
    if (w->target) return (double)w->target[(w->moving ? (size_t)t * w->C : 0) + c];
    return w->share * (c == w->label ? correct : incorrect);
}

static uint32_t classes_of(const rheo_loss_call *call)
{
    return call->classes > 0 ? call->classes : call->C;
}

/* The sample's part of the call; where its x and g stand. */
static rheo_loss_window window_of(const rheo_loss *loss, const rheo_loss_call *call, uint32_t b,
                                  double **x)
{
    const uint32_t C = classes_of(call);
    const size_t each = (call->moving ? (size_t)call->T : 1) * C, size = (size_t)call->T * C;
    *x = (double *)(void *)call->scratch;
    rheo_loss_window w = {.options = call->options,
                          .dt = call->dt > 0 ? call->dt : 1,
                          .T = call->length ? call->length[b] : call->T,
                          .C = C,
                          .label = call->label[b],
                          .share = call->mean ? 1 : (double)(call->C / C),
                          .moving = call->moving,
                          .x = *x,
                          .g = *x + size,
                          .row = *x + 2 * size};
    if (loss->takes_target && call->target) w.target = call->target + b * each;
    memset(w.g, 0, (size_t)w.T * C * sizeof *w.g);
    return w;
}

/* A class's number of its neurons', and back. */
static double weight_of(const rheo_loss_call *call)
{
    return call->mean ? (double)classes_of(call) / call->C : 1;
}

static void zero_gradient(const rheo_signal *g, uint32_t B, uint32_t C)
{
    const uint32_t steps = g->stride_t ? g->T : 1;
    for (uint32_t t = 0; t < steps; t++)
        for (uint32_t b = 0; b < B; b++) memset(rheo__real_row(g, t, b), 0, C * sizeof(float));
}

static void gather(const rheo_loss_call *call, const rheo_signal *from, uint32_t b,
                   const rheo_loss_window *w, double *x)
{
    const uint32_t k = call->C / w->C;
    const double weight = weight_of(call);
    for (uint32_t t = 0; t < w->T; t++)
        for (uint32_t c = 0; c < w->C; c++) {
            double sum = 0;
            for (uint32_t i = c * k; i < c * k + k; i++)
                sum += (double)rheo__signal_get(from, t, b, i);
            *x++ = weight * sum;
        }
}

/* A static signal's one row takes the gradients of all steps. */
static void scatter(const rheo_loss_call *call, const rheo_signal *to, uint32_t b,
                    const rheo_loss_window *w)
{
    const uint32_t k = call->C / w->C;
    const double factor = weight_of(call) / call->B;
    for (uint32_t t = 0; t < w->T; t++) {
        float *row = rheo__real_row(to, t, b);
        for (uint32_t c = 0; c < w->C; c++)
            for (uint32_t i = c * k; i < c * k + k; i++)
                row[i] += (float)(factor * w->g[(size_t)t * w->C + c]);
    }
}

double rheo__loss_value(const rheo_loss *loss, const rheo_loss_call *call)
{
    const rheo_signal *from = loss->uses_readout ? call->readout : call->out;
    rheo_signal *to = loss->uses_readout ? call->greadout : call->gout;
    double sum = 0, *x;
    if (call->gout) zero_gradient(call->gout, call->B, call->C);
    if (call->greadout) zero_gradient(call->greadout, call->B, call->C);
    for (uint32_t b = 0; b < call->B; b++) {
        const rheo_loss_window w = window_of(loss, call, b, &x);
        gather(call, from, b, &w, x);
        sum += loss->window(&w);
        if (to) scatter(call, to, b, &w);
    }
    return sum / call->B;
}

double rheo__loss_reference(const rheo_loss *loss, const rheo_loss_call *call, const double *x,
                            double *grad)
{
    const uint32_t B = call->B, C = call->C, k = C / classes_of(call);
    const double weight = weight_of(call);
    double sum = 0, *joined;
    if (grad) memset(grad, 0, (size_t)call->T * B * C * sizeof *grad);
    for (uint32_t b = 0; b < B; b++) {
        const rheo_loss_window w = window_of(loss, call, b, &joined);
        memset(joined, 0, (size_t)w.T * w.C * sizeof *joined);
        for (uint32_t t = 0; t < w.T; t++)
            for (uint32_t i = 0; i < C; i++)
                joined[(size_t)t * w.C + i / k] += weight * x[((size_t)t * B + b) * C + i];
        sum += loss->window(&w);
        for (uint32_t t = 0; t < w.T && grad; t++)
            for (uint32_t i = 0; i < C; i++)
                grad[((size_t)t * B + b) * C + i] = weight * w.g[(size_t)t * w.C + i / k] / B;
    }
    return sum / B;
}
