/* targets.c: losses that compare the mean output over time, r = 1/T sum_t y[t,b,:], with a target
 * for each class:
 *
 *   rate-mse        L = 1/(B C) sum_b sum_c (r_c - target_c)^2, target: `correct` for the label,
 *                   `incorrect` for the others (Eshraghian et al. 2023, appendix B, in rates)
 *   squared-hinge   L = 1/(B C) sum_b sum_c max(0, 1 - target_c r_c)^2, target +1 and -1
 *                   (Courbariaux et al. 2016, "Binarized neural networks") */
#include "loss/row_loss.h"

enum { CORRECT, INCORRECT };
static const rheo_field rate_fields[] = {
    RHEO_NUMBER_FIELD("correct", "1", 1, -1e3, 1e3, "Spikes a step of the label's neuron."),
    RHEO_NUMBER_FIELD("incorrect", "1", 0, -1e3, 1e3, "Spikes a step of the other neurons."),
    RHEO_FIELD_END};
static const rheo_field no_fields[] = {RHEO_FIELD_END};

/* One class's part of the loss, and its derivative. */
typedef double class_loss(const rheo_options *options, double r, bool label, double *g);

static double squared_error(const rheo_options *options, double r, bool label, double *g)
{
    const double off = r - options->v[label ? CORRECT : INCORRECT];
    *g = 2 * off;
    return off * off;
}

static double squared_hinge(const rheo_options *options, double r, bool label, double *g)
{
    const double target = label ? 1 : -1, margin = 1 - target * r;
    (void)options;
    *g = margin > 0 ? -2 * target * margin : 0;
    return margin > 0 ? margin * margin : 0;
}

static double mean_of(class_loss *loss, const rheo_options *options, const double *x, uint32_t C,
                      uint32_t label, double *g)
{
    double sum = 0;
    for (uint32_t c = 0; c < C; c++) {
        sum += loss(options, x[c], c == label, &g[c]);
        g[c] /= C;
    }
    return sum / C;
}

static double error_row(const rheo_options *options, const double *x, uint32_t C, uint32_t label,
                        double *g)
{
    return mean_of(squared_error, options, x, C, label, g);
}

static double hinge_row(const rheo_options *options, const double *x, uint32_t C, uint32_t label,
                        double *g)
{
    return mean_of(squared_hinge, options, x, C, label, g);
}

static double rate_value(const rheo_loss_call *call)
{
    return rheo__loss_of_sum(call, 1.0 / call->T, error_row);
}

static double hinge_value(const rheo_loss_call *call)
{
    return rheo__loss_of_sum(call, 1.0 / call->T, hinge_row);
}

typedef struct target_case {
    const rheo_options *options;
    uint32_t T, B, C;
    const double *x;
    const uint32_t *label;
    double *grad;
} target_case;

static double reference(const target_case *a, class_loss *loss)
{
    double sum = 0;
    for (uint32_t b = 0; b < a->B; b++)
        for (uint32_t c = 0; c < a->C; c++) {
            const rheo_span_row row = {a->x, a->grad, 1.0 / a->T, a->B, a->C, b, 0, a->T};
            double g;
            sum += loss(a->options, rheo__span_sum(&row, c), c == a->label[b], &g);
            rheo__span_gradient(&row, c, g / a->C);
        }
    return sum / a->B / a->C;
}

static double rate_reference(const rheo_options *options, uint32_t T, uint32_t B, uint32_t C,
                             const double *x, const uint32_t *label, double *grad)
{
    return reference(&(target_case){options, T, B, C, x, label, grad}, squared_error);
}

static double hinge_reference(const rheo_options *options, uint32_t T, uint32_t B, uint32_t C,
                              const double *x, const uint32_t *label, double *grad)
{
    return reference(&(target_case){options, T, B, C, x, label, grad}, squared_hinge);
}

const rheo_loss rheo__loss_rate_mse = {
    .name = "rate-mse",
    .title = "mean squared error of the firing rates",
    .equations = "L = 1/(B C) sum_b sum_c (1/T sum_t s[t,b,c] - target_c)^2",
    .source = "Eshraghian et al. 2023, doi:10.1109/JPROC.2023.3308088, appendix B",
    .fields = rate_fields,
    .need = rheo__row_need,
    .value = rate_value,
    .reference = rate_reference,
};

const rheo_loss rheo__loss_squared_hinge = {
    .name = "squared-hinge",
    .title = "squared hinge of the mean output, targets +1 and -1",
    .equations = "L = 1/(B C) sum_b sum_c max(0, 1 - target_c 1/T sum_t y[t,b,c])^2",
    .source = "Courbariaux et al. 2016, arXiv:1602.02830",
    .fields = no_fields,
    .need = rheo__row_need,
    .value = hinge_value,
    .reference = hinge_reference,
};
