/* cross_entropy.c: the softmax cross-entropy l(x) = -log(exp(x_label) / sum_c exp(x_c)) in three
 * places:
 *
 *   membrane-ce     L = 1/B sum_b sum_t l(v[t,b,:])         snnTorch's tutorial 5
 *   rate-ce         L = 1/B sum_b l(scale sum_t s[t,b,:])   spike counts as logits
 *   cross-entropy   L = 1/B sum_b l(sum_t y[t,b,:])         real outputs as logits, e.g. T = 1
 *
 * Eshraghian et al. 2023, "Training spiking neural networks using lessons from deep learning",
 * appendix B (whose printed cross-entropy lacks the minus sign). */
#include "loss/row_loss.h"

enum { SCALE };
static const rheo_field no_fields[] = {RHEO_FIELD_END};
static const rheo_field rate_fields[] = {
    RHEO_NUMBER_FIELD("scale", "1", 1, 1e-6, 1e6, "Logit of one spike."), RHEO_FIELD_END};

static double membrane_value(const rheo_loss_call *call)
{
    return rheo__loss_over_steps(call, rheo__cross_entropy_row);
}

static double rate_value(const rheo_loss_call *call)
{
    return rheo__loss_of_sum(call, call->options->v[SCALE], rheo__cross_entropy_row);
}

static double logit_value(const rheo_loss_call *call)
{
    return rheo__loss_of_sum(call, 1, rheo__cross_entropy_row);
}

static double membrane_reference(const rheo_options *options, uint32_t T, uint32_t B, uint32_t C,
                                 const double *x, const uint32_t *label, double *grad)
{
    double sum = 0;
    (void)options;
    for (uint32_t t = 0; t < T; t++)
        for (uint32_t b = 0; b < B; b++) {
            const rheo_span_row row = {x, grad, 1, B, C, b, t, t + 1};
            sum += rheo__cross_entropy_span(&row, label[b]);
        }
    return sum / B;
}

static double logit_reference(const rheo_options *options, uint32_t T, uint32_t B, uint32_t C,
                              const double *x, const uint32_t *label, double *grad)
{
    double sum = 0;
    (void)options;
    for (uint32_t b = 0; b < B; b++) {
        const rheo_span_row row = {x, grad, 1, B, C, b, 0, T};
        sum += rheo__cross_entropy_span(&row, label[b]);
    }
    return sum / B;
}

static double rate_reference(const rheo_options *options, uint32_t T, uint32_t B, uint32_t C,
                             const double *x, const uint32_t *label, double *grad)
{
    double sum = 0;
    for (uint32_t b = 0; b < B; b++) {
        const rheo_span_row row = {x, grad, options->v[SCALE], B, C, b, 0, T};
        sum += rheo__cross_entropy_span(&row, label[b]);
    }
    return sum / B;
}

static const char source[] = "Eshraghian et al. 2023, doi:10.1109/JPROC.2023.3308088, appendix B";

const rheo_loss rheo__loss_membrane_ce = {
    .name = "membrane-ce",
    .title = "cross-entropy of the membrane at every step, summed over time",
    .equations = "L = 1/B sum_b sum_t -log softmax(v[t,b,:])_label",
    .source = source,
    .uses_readout = true,
    .fields = no_fields,
    .need = rheo__row_need,
    .value = membrane_value,
    .reference = membrane_reference,
};

const rheo_loss rheo__loss_rate_ce = {
    .name = "rate-ce",
    .title = "cross-entropy of the spike counts",
    .equations = "L = 1/B sum_b -log softmax(scale sum_t s[t,b,:])_label",
    .source = source,
    .fields = rate_fields,
    .need = rheo__row_need,
    .value = rate_value,
    .reference = rate_reference,
};

const rheo_loss rheo__loss_cross_entropy = {
    .name = "cross-entropy",
    .title = "cross-entropy of the real outputs, summed over time",
    .equations = "L = 1/B sum_b -log softmax(sum_t y[t,b,:])_label",
    .source = "-",
    .fields = no_fields,
    .need = rheo__row_need,
    .value = logit_value,
    .reference = logit_reference,
};
