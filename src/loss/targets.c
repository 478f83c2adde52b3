/* targets.c: losses that compare the output with a target for each class:
 *
 *   rate-mse       1/C sum_c (1/T sum_t s[t,c] - target_c)^2                (in rates)
 *   count-mse      1/(T C) sum_c (sum_t s[t,c] - floor(T target_c))^2
 *                  (snnTorch's mse_count_loss)
 *   membrane-mse   1/(T C) sum_t sum_c (v[t,c] - target_c)^2   (snnTorch's mse_membrane_loss)
 *   squared-hinge  1/C sum_c max(0, 1 - target_c 1/T sum_t y[t,c])^2, target +1 and -1
 *
 * The target is `correct` for the label and `incorrect` for the others, a neuron's; of a population
 * that is summed, times its neurons. Data with real targets give their own, a class's (count-mse:
 * in spikes). Eshraghian et al. 2023, appendix B; Courbariaux et al. 2016, "Binarized neural
 * networks". */
#include "loss/loss.h"
#include <math.h>

enum { CORRECT, INCORRECT };
static const rheo_field rate_fields[] = {
    RHEO_NUMBER_FIELD("correct", "1", 1, -1e3, 1e3, "Spikes a step of the label's neuron."),
    RHEO_NUMBER_FIELD("incorrect", "1", 0, -1e3, 1e3, "Spikes a step of the other neurons."),
    RHEO_FIELD_END};
static const rheo_field membrane_fields[] = {
    RHEO_NUMBER_FIELD("correct", "1", 1, -1e6, 1e6, "Membrane of the label's neuron."),
    RHEO_NUMBER_FIELD("incorrect", "1", 0, -1e6, 1e6, "Membrane of the other neurons."),
    RHEO_FIELD_END};
static const rheo_field no_fields[] = {RHEO_FIELD_END};

/* One class's part of the loss at its number r, and its derivative. */
typedef double class_loss(const rheo_loss_window *w, uint32_t c, double r, double *g);

static double squared_error(const rheo_loss_window *w, uint32_t c, double r, double *g)
{
    const double *v = w->options->v;
    const double off = r - rheo__loss_target(w, 0, c, v[CORRECT], v[INCORRECT]);
    *g = 2 * off;
    return off * off;
}

static double count_error(const rheo_loss_window *w, uint32_t c, double r, double *g)
{
    const double *v = w->options->v;
    double target = rheo__loss_target(w, 0, c, v[CORRECT] * w->T, v[INCORRECT] * w->T);
    if (!w->target) target = floor(target + 1e-9); /* 0.2 * 25 is 5 */
    const double off = r - target;
    *g = 2 * off / w->T;
    return off * off / w->T;
}

static double squared_hinge(const rheo_loss_window *w, uint32_t c, double r, double *g)
{
    const double target = c == w->label ? 1 : -1, margin = 1 - target * r;
    *g = margin > 0 ? -2 * target * margin : 0;
    return margin > 0 ? margin * margin : 0;
}

static double of_sum(const rheo_loss_window *w, class_loss *loss, double factor)
{
    double sum = 0;
    for (uint32_t c = 0; c < w->C; c++) {
        double r = 0, g;
        for (uint32_t t = 0; t < w->T; t++) r += w->x[(size_t)t * w->C + c];
        sum += loss(w, c, factor * r, &g);
        for (uint32_t t = 0; t < w->T; t++) w->g[(size_t)t * w->C + c] = factor * g / w->C;
    }
    return sum / w->C;
}

static double rate_window(const rheo_loss_window *w)
{
    return of_sum(w, squared_error, 1.0 / w->T);
}

static double count_window(const rheo_loss_window *w)
{
    return of_sum(w, count_error, 1);
}

static double hinge_window(const rheo_loss_window *w)
{
    return of_sum(w, squared_hinge, 1.0 / w->T);
}

static double membrane_window(const rheo_loss_window *w)
{
    const double *v = w->options->v, each = (double)w->T * w->C;
    double sum = 0;
    for (uint32_t t = 0; t < w->T; t++)
        for (uint32_t c = 0; c < w->C; c++) {
            const size_t i = (size_t)t * w->C + c;
            const double off = w->x[i] - rheo__loss_target(w, t, c, v[CORRECT], v[INCORRECT]);
            sum += off * off;
            w->g[i] = 2 * off / each;
        }
    return sum / each;
}

static const char source[] = "Eshraghian et al. 2023, doi:10.1109/JPROC.2023.3308088, appendix B";

const rheo_loss rheo__loss_rate_mse = {
    .name = "rate-mse",
    .title = "mean squared error of the firing rates",
    .equations = "L = 1/(B C) sum_b sum_c (1/T sum_t s[t,b,c] - target_c)^2",
    .source = source,
    .takes_target = true,
    .fields = rate_fields,
    .window = rate_window,
};

const rheo_loss rheo__loss_count_mse = {
    .name = "count-mse",
    .title = "mean squared error of the spike counts (snnTorch's mse_count_loss)",
    .equations = "L = 1/(B C T) sum_b sum_c (sum_t s[t,b,c] - floor(T target_c))^2",
    .source = source,
    .takes_target = true,
    .fields = rate_fields,
    .window = count_window,
};

const rheo_loss rheo__loss_membrane_mse = {
    .name = "membrane-mse",
    .title = "mean squared error of the membrane at every step",
    .equations = "L = 1/(B T C) sum_b sum_t sum_c (v[t,b,c] - target[t,c])^2",
    .source = source,
    .uses_readout = true,
    .takes_target = true,
    .takes_moving = true,
    .fields = membrane_fields,
    .window = membrane_window,
};

const rheo_loss rheo__loss_squared_hinge = {
    .name = "squared-hinge",
    .title = "squared hinge of the mean output, targets +1 and -1",
    .equations = "L = 1/(B C) sum_b sum_c max(0, 1 - target_c 1/T sum_t y[t,b,c])^2",
    .source = "Courbariaux et al. 2016, arXiv:1602.02830",
    .fields = no_fields,
    .window = hinge_window,
};
