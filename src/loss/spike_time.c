/* spike_time.c: losses of spike times f. f is the step of a class's first spike (x > 0); one that
 * is silent is taken to fire at the last step, so that it too is pushed (a forced spike).
 *
 *   time-ce            -log softmax(scale * -f)_label, or of scale/(f + 1)
 *                      (snnTorch's ce_temporal_loss)
 *   time-mse           1/(K C) sum_k sum_c ((f_ck - y_ck)/T)^2
 *                      (snnTorch's mse_temporal_loss)
 *   time-relative-mse  1/C sum_{c != label} (max(0, f_label + latency - f_c)/T)^2
 *
 * A spike's time has no derivative by the spike: the sign estimator takes df/ds = -1 at the step of
 * the spike (more drive, earlier spike) and 0 elsewhere. With K spikes, f_ck is the step of the
 * k-th; those that are missing are at the last step. snnTorch's several spikes differ: it takes a
 * spike found in one neuron out of all neurons. In the relative loss the paper's target f_label +
 * latency is moved too: the label's neuron is drawn forward by what the others are pushed back.
 *
 * Eshraghian et al. 2023, appendix B. */
#include "loss/loss.h"
#include <math.h>

static const char source[] = "Eshraghian et al. 2023, doi:10.1109/JPROC.2023.3308088, appendix B";

/* The step of spike k of class c. */
static uint32_t spike_time(const rheo_loss_window *w, uint32_t c, uint32_t k)
{
    for (uint32_t t = 0; t < w->T; t++)
        if (w->x[(size_t)t * w->C + c] > 0 && k-- == 0) return t;
    return w->T - 1;
}

static void push(const rheo_loss_window *w, uint32_t c, uint32_t f, double by_time)
{
    w->g[(size_t)f * w->C + c] -= by_time;
}

/* ---- cross-entropy ---- */

enum { LOGITS, SCALE };
static const char *const logit_names[] = {"negative", "reciprocal", NULL};
static const rheo_field ce_fields[] = {
    RHEO_CHOICE_FIELD("logits", 0, logit_names, "-f, or 1/(f + 1)."),
    RHEO_NUMBER_FIELD("scale", "1", 1, 1e-6, 1e6, "Factor on the logits."), RHEO_FIELD_END};

static double ce_window(const rheo_loss_window *w)
{
    const double scale = w->options->v[SCALE];
    const bool reciprocal = w->options->v[LOGITS] > 0;
    double *row = w->row, *slope = w->row + w->C;
    for (uint32_t c = 0; c < w->C; c++) {
        const double f = spike_time(w, c, 0);
        row[c] = scale * (reciprocal ? 1 / (f + 1) : -f);
        slope[c] = scale * (reciprocal ? -1 / ((f + 1) * (f + 1)) : -1);
    }
    const double value = rheo__cross_entropy(row, w->C, w->label, row);
    for (uint32_t c = 0; c < w->C; c++) push(w, c, spike_time(w, c, 0), row[c] * slope[c]);
    return value;
}

/* ---- squared error ---- */

enum { CORRECT, INCORRECT, TOLERANCE, SPIKES, INTERVAL };
static const rheo_field mse_fields[] = {
    RHEO_NUMBER_FIELD("correct", "steps", 0, -1e6, 1e6,
                      "Time of the label's first spike; below 0: from the window's end."),
    RHEO_NUMBER_FIELD("incorrect", "steps", -1, -1e6, 1e6,
                      "Time of the others' first spike; below 0: of their last one, from the end."),
    RHEO_NUMBER_FIELD("tolerance", "steps", 0, 0, 1e6, "Errors below this count as none."),
    RHEO_INTEGER_FIELD("spikes", "1", 1, 1, 1e6, "Spikes of a neuron that have a target."),
    RHEO_NUMBER_FIELD("interval", "steps", 1, 0, 1e6, "Between the targets of a neuron."),
    RHEO_FIELD_END};

static double target_time(const rheo_loss_window *w, uint32_t c, uint32_t k)
{
    const double *v = w->options->v;
    double first = w->target ? (double)w->target[c] : v[c == w->label ? CORRECT : INCORRECT];
    if (first < 0) first += w->T - v[INTERVAL] * (v[SPIKES] - 1);
    return first + k * v[INTERVAL];
}

static double mse_window(const rheo_loss_window *w)
{
    const double *v = w->options->v, each = v[SPIKES] * w->C;
    double sum = 0;
    for (uint32_t k = 0; k < (uint32_t)v[SPIKES]; k++)
        for (uint32_t c = 0; c < w->C; c++) {
            const uint32_t f = spike_time(w, c, k);
            double off = (f - target_time(w, c, k));
            if (fabs(off) < v[TOLERANCE]) off = 0;
            off /= w->T;
            sum += off * off;
            push(w, c, f, 2 * off / w->T / each);
        }
    return sum / each;
}

/* ---- relative ---- */

enum { LATENCY };
static const rheo_field relative_fields[] = {
    RHEO_NUMBER_FIELD("latency", "steps", 5, 0, 1e6,
                      "How much later than the label's the others' first spikes should be."),
    RHEO_FIELD_END};

static double relative_window(const rheo_loss_window *w)
{
    const uint32_t first = spike_time(w, w->label, 0);
    double sum = 0;
    for (uint32_t c = 0; c < w->C; c++) {
        const uint32_t f = spike_time(w, c, 0);
        const double off = (first + w->options->v[LATENCY] - f) / w->T;
        if (c == w->label || off <= 0) continue;
        sum += off * off;
        push(w, c, f, -2 * off / w->T / w->C);
        push(w, w->label, first, 2 * off / w->T / w->C);
    }
    return sum / w->C;
}

const rheo_loss rheo__loss_time_ce = {
    .name = "time-ce",
    .title = "cross-entropy of the first spikes' times (snnTorch's ce_temporal_loss)",
    .equations =
        "L = 1/B sum_b -log softmax(-scale f[b,:])_label, f the first spike's step (silent: "
        "T-1)\ndf/ds[f] = -1",
    .source = source,
    .estimated = true,
    .fields = ce_fields,
    .window = ce_window,
};

const rheo_loss rheo__loss_time_mse = {
    .name = "time-mse",
    .title = "mean squared error of one or several spikes' times (snnTorch's mse_temporal_loss)",
    .equations = "L = 1/(B K C) sum_b sum_k sum_c ((f_k[b,c] - y_k,c)/T)^2, silent: f = T-1\n"
                 "df/ds[f] = -1",
    .source = source,
    .estimated = true,
    .takes_target = true,
    .fields = mse_fields,
    .window = mse_window,
};

const rheo_loss rheo__loss_time_relative_mse = {
    .name = "time-relative-mse",
    .title = "squared error of first spikes that come too soon after the label's",
    .equations = "L = 1/(B C) sum_b sum_{c != label} (max(0, f_label + latency - f_c)/T)^2\n"
                 "df/ds[f] = -1",
    .source = source,
    .estimated = true,
    .fields = relative_fields,
    .window = relative_window,
};
