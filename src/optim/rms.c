/* rms.c: steps divided by the size that the gradient has had.
 *
 *   d = g + decay w
 *   RMSprop    v <- alpha v + (1 - alpha) d^2     the mean square      (Tieleman & Hinton 2012)
 *   RMaxProp   v <- max(alpha v, d^2)             the largest square   (Zenke & Ganguli 2018,
 *                                                 "SuperSpike", section 3.3.3)
 *   m <- momentum m + d / (sqrt(v) + epsilon),  w <- w - rate m
 *
 * RMSprop is PyTorch's. RMaxProp has no momentum; as published it has no epsilon, and its alpha is
 * exp(-(time between updates) / tau_rms). Leaves out: RMSprop's centred form. */
#include "kernels/kernels.h"
#include "optim/optim.h"
#include <math.h>

enum { ALPHA, EPSILON, DECAY, MOMENTUM };
#define SIZES(alpha)                                                                               \
    RHEO_NUMBER_FIELD("alpha", "1", alpha, 0, 0.999999, "Memory of the squared gradient."),        \
        RHEO_NUMBER_FIELD("epsilon", "1", 1e-8, 1e-30, 1, "Added to the root."),                   \
        RHEO_NUMBER_FIELD("decay", "1", 0, 0, 1e3, "Weight decay, added to the gradient.")

static const rheo_field mean_fields[] = {
    SIZES(0.99),
    RHEO_NUMBER_FIELD("momentum", "1", 0, 0, 1, "Share of the last step that goes on."),
    RHEO_FIELD_END};
static const rheo_field largest_fields[] = {SIZES(0.9), RHEO_FIELD_END};

static void mean(const rheo_kernels *kernels, const rheo_options *options, double rate,
                 uint64_t count, float *w, const float *g, float *const *slot, size_t n)
{
    const double *o = options->v;
    const float alpha = (float)o[ALPHA], rest = 1.0f - alpha, epsilon = (float)o[EPSILON];
    const float eta = (float)rate, decay = (float)o[DECAY], mu = (float)o[MOMENTUM];
    float *restrict v = slot[0], *restrict m = slot[1];
    (void)kernels;
    (void)count;
    for (size_t i = 0; i < n; i++) {
        const float d = g[i] + decay * w[i];
        v[i] = alpha * v[i] + rest * (d * d);
        m[i] = mu * m[i] + d / (sqrtf(v[i]) + epsilon);
        w[i] -= eta * m[i];
    }
}

static void largest(const rheo_kernels *kernels, const rheo_options *options, double rate,
                    uint64_t count, float *w, const float *g, float *const *slot, size_t n)
{
    const double *o = options->v;
    const float alpha = (float)o[ALPHA], epsilon = (float)o[EPSILON];
    const float eta = (float)rate, decay = (float)o[DECAY];
    float *restrict v = slot[0];
    (void)kernels;
    (void)count;
    for (size_t i = 0; i < n; i++) {
        const float d = g[i] + decay * w[i], kept = alpha * v[i], square = d * d;
        v[i] = kept > square ? kept : square;
        w[i] -= eta * d / (sqrtf(v[i]) + epsilon);
    }
}

const rheo_optimiser rheo__optimiser_rmsprop = {
    .name = "rmsprop",
    .title = "steps by the mean square of the gradient",
    .equations =
        "d = g + decay w; v <- alpha v + (1 - alpha) d^2; m <- momentum m + d / (sqrt(v) + "
        "epsilon); w <- w - rate m",
    .source = "Tieleman & Hinton 2012, Coursera lecture 6.5; PyTorch's form",
    .slots = 2,
    .fields = mean_fields,
    .step = mean,
};

const rheo_optimiser rheo__optimiser_rmaxprop = {
    .name = "rmaxprop",
    .title = "steps by the largest square of the gradient",
    .equations = "d = g + decay w; v <- max(alpha v, d^2); w <- w - rate d / (sqrt(v) + epsilon)",
    .source = "Zenke & Ganguli 2018, Neural Computation 30:1514 (SuperSpike)",
    .slots = 1,
    .fields = largest_fields,
    .step = largest,
};
