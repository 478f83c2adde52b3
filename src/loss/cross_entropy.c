/* cross_entropy.c: the softmax cross-entropy l(x) = -log(exp(x_label) / sum_c exp(x_c)) in many
 * places:
 *
 *   at every step   membrane-ce       sum_t l(v[t])           snnTorch's tutorial 5
 *                   step-ce           1/T sum_t l(s[t])       snnTorch's ce_rate_loss
 *                   tet               (1-lambda)/T sum_t l(v[t]) + lambda/(T C) sum (v - target)^2
 *   of a sum        rate-ce           l(scale sum_t s[t])     counts; snnTorch's ce_count_loss
 *                   mean-ce           l(scale/T sum_t s[t])   firing rates
 *                   cross-entropy     l(sum_t y[t])           real outputs, e.g. T = 1
 *                   membrane-sum-ce   l(scale sum_t v[t])
 *                   membrane-mean-ce  l(scale/T sum_t v[t])
 *   of one step     membrane-max-ce   l(max_t v[t])           snnTorch's ce_max_membrane_loss
 *                   membrane-last-ce  l(v[T-1])
 *
 * The largest membrane is each neuron's own; of equal ones the first takes the gradient.
 *
 * Eshraghian et al. 2023, "Training spiking neural networks using lessons from deep learning",
 * appendix B (whose printed cross-entropy lacks the minus sign). */
#include "loss/loss.h"

enum { SCALE };
static const rheo_field no_fields[] = {RHEO_FIELD_END};
static const rheo_field rate_fields[] = {
    RHEO_NUMBER_FIELD("scale", "1", 1, 1e-6, 1e6, "Logit of one spike."), RHEO_FIELD_END};
static const rheo_field mean_fields[] = {
    RHEO_NUMBER_FIELD("scale", "1", 1, 1e-6, 1e6, "Logit of a rate of one spike a step."),
    RHEO_FIELD_END};
static const rheo_field membrane_fields[] = {
    RHEO_NUMBER_FIELD("scale", "1", 1, 1e-6, 1e6, "Factor on the logits."), RHEO_FIELD_END};

/* ---- at every step ---- */

static double of_steps(const rheo_loss_window *w, double factor)
{
    double sum = 0;
    for (uint32_t t = 0; t < w->T; t++) {
        double *g = w->g + (size_t)t * w->C;
        sum += rheo__cross_entropy(w->x + (size_t)t * w->C, w->C, w->label, g);
        for (uint32_t c = 0; c < w->C; c++) g[c] *= factor;
    }
    return factor * sum;
}

static double membrane_window(const rheo_loss_window *w)
{
    return of_steps(w, 1);
}

static double step_window(const rheo_loss_window *w)
{
    return of_steps(w, 1.0 / w->T);
}

enum { LAMBDA, TARGET };
static const rheo_field tet_fields[] = {
    RHEO_NUMBER_FIELD("lambda", "1", 0.05, 0, 1, "Share of the squared error."),
    RHEO_NUMBER_FIELD("target", "1", 1, -1e6, 1e6,
                      "What the squared error draws all outputs to (the threshold)."),
    RHEO_FIELD_END};

static double tet_window(const rheo_loss_window *w)
{
    const double lambda = w->options->v[LAMBDA], target = w->options->v[TARGET];
    const double weight = lambda / w->T / w->C;
    double sum = of_steps(w, (1 - lambda) / w->T);
    for (size_t i = 0; i < (size_t)w->T * w->C; i++) {
        const double off = w->x[i] - w->share * target;
        sum += weight * off * off;
        w->g[i] += 2 * weight * off;
    }
    return sum;
}

/* ---- of a sum ---- */

static double of_sum(const rheo_loss_window *w, double factor)
{
    double *row = w->row;
    for (uint32_t c = 0; c < w->C; c++) {
        row[c] = 0;
        for (uint32_t t = 0; t < w->T; t++) row[c] += w->x[(size_t)t * w->C + c];
        row[c] *= factor;
    }
    const double value = rheo__cross_entropy(row, w->C, w->label, row);
    for (uint32_t t = 0; t < w->T; t++)
        for (uint32_t c = 0; c < w->C; c++) w->g[(size_t)t * w->C + c] = factor * row[c];
    return value;
}

static double scaled_sum_window(const rheo_loss_window *w)
{
    return of_sum(w, w->options->v[SCALE]);
}

static double scaled_mean_window(const rheo_loss_window *w)
{
    return of_sum(w, w->options->v[SCALE] / w->T);
}

static double logit_window(const rheo_loss_window *w)
{
    return of_sum(w, 1);
}

/* ---- of one step ---- */

static double max_window(const rheo_loss_window *w)
{
    double *row = w->row, *at = w->row + w->C;
    for (uint32_t c = 0; c < w->C; c++) {
        uint32_t best = 0;
        for (uint32_t t = 1; t < w->T; t++)
            if (w->x[(size_t)t * w->C + c] > w->x[(size_t)best * w->C + c]) best = t;
        at[c] = best;
        row[c] = w->x[(size_t)best * w->C + c];
    }
    const double value = rheo__cross_entropy(row, w->C, w->label, row);
    for (uint32_t c = 0; c < w->C; c++) w->g[(size_t)at[c] * w->C + c] = row[c];
    return value;
}

static double last_window(const rheo_loss_window *w)
{
    const size_t at = (size_t)(w->T - 1) * w->C;
    return rheo__cross_entropy(w->x + at, w->C, w->label, w->g + at);
}

static const char source[] = "Eshraghian et al. 2023, doi:10.1109/JPROC.2023.3308088, appendix B";

const rheo_loss rheo__loss_membrane_ce = {
    .name = "membrane-ce",
    .title = "cross-entropy of the membrane at every step, summed over time",
    .equations = "L = 1/B sum_b sum_t -log softmax(v[t,b,:])_label",
    .source = source,
    .uses_readout = true,
    .fields = no_fields,
    .window = membrane_window,
};

const rheo_loss rheo__loss_step_ce = {
    .name = "step-ce",
    .title = "cross-entropy of the spikes at every step, mean over time (snnTorch's ce_rate_loss)",
    .equations = "L = 1/(B T) sum_b sum_t -log softmax(s[t,b,:])_label",
    .source = source,
    .fields = no_fields,
    .window = step_window,
};

const rheo_loss rheo__loss_tet = {
    .name = "tet",
    .title =
        "temporal efficient training: cross-entropy at every step, and a pull to the threshold",
    .equations = "L = 1/(B T) sum_b sum_t (1-lambda) -log softmax(v[t,b,:])_label\n"
                 "    + lambda/C sum_c (v[t,b,c] - target)^2",
    .source = "Deng et al. 2022, arXiv:2202.11946",
    .uses_readout = true,
    .fields = tet_fields,
    .window = tet_window,
};

const rheo_loss rheo__loss_rate_ce = {
    .name = "rate-ce",
    .title = "cross-entropy of the spike counts (snnTorch's ce_count_loss)",
    .equations = "L = 1/B sum_b -log softmax(scale sum_t s[t,b,:])_label",
    .source = source,
    .fields = rate_fields,
    .window = scaled_sum_window,
};

const rheo_loss rheo__loss_mean_ce = {
    .name = "mean-ce",
    .title = "cross-entropy of the mean output over time: rates as logits",
    .equations = "L = 1/B sum_b -log softmax(scale/T sum_t s[t,b,:])_label",
    .source = source,
    .fields = mean_fields,
    .window = scaled_mean_window,
};

const rheo_loss rheo__loss_cross_entropy = {
    .name = "cross-entropy",
    .title = "cross-entropy of the real outputs, summed over time",
    .equations = "L = 1/B sum_b -log softmax(sum_t y[t,b,:])_label",
    .source = "-",
    .fields = no_fields,
    .window = logit_window,
};

const rheo_loss rheo__loss_membrane_sum_ce = {
    .name = "membrane-sum-ce",
    .title = "cross-entropy of the membrane's sum over time",
    .equations = "L = 1/B sum_b -log softmax(scale sum_t v[t,b,:])_label",
    .source = source,
    .uses_readout = true,
    .fields = membrane_fields,
    .window = scaled_sum_window,
};

const rheo_loss rheo__loss_membrane_mean_ce = {
    .name = "membrane-mean-ce",
    .title = "cross-entropy of the membrane's mean over time",
    .equations = "L = 1/B sum_b -log softmax(scale/T sum_t v[t,b,:])_label",
    .source = source,
    .uses_readout = true,
    .fields = membrane_fields,
    .window = scaled_mean_window,
};

const rheo_loss rheo__loss_membrane_max_ce = {
    .name = "membrane-max-ce",
    .title = "cross-entropy of each neuron's largest membrane (negative log-likelihood of the "
             "log-softmax of the maximum over time)",
    .equations = "L = 1/B sum_b -log softmax(max_t v[t,b,:])_label",
    .source = source,
    .uses_readout = true,
    .fields = no_fields,
    .window = max_window,
};

const rheo_loss rheo__loss_membrane_last_ce = {
    .name = "membrane-last-ce",
    .title = "cross-entropy of the membrane at the last step",
    .equations = "L = 1/B sum_b -log softmax(v[T-1,b,:])_label",
    .source = source,
    .uses_readout = true,
    .fields = no_fields,
    .window = last_window,
};
