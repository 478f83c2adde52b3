/* adam.c: Adam (Kingma & Ba 2015, arXiv:1412.6980, algorithm 1), in PyTorch's form:
 *
 *   d = g + decay w,   m <- beta1 m + (1 - beta1) d,   v <- beta2 v + (1 - beta2) d^2,
 *   w <- w - rate (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon),   t from 1;
 *
 * AdamW (Loshchilov & Hutter 2019, arXiv:1711.05101), whose decay does not pass through the
 * moments:
 *
 *   d = g,   w <- w (1 - rate decay)  before the step above;
 *
 * Adamax (Kingma & Ba 2015, algorithm 2):
 *
 *   u <- max(beta2 u, |d| + epsilon),   w <- w - rate / (1 - beta1^t) m / u.
 *
 * Leaves out: the largest v (AMSGrad). */
#include "kernels/kernels.h"
#include "optim/optim.h"
#include <math.h>

enum { BETA1, BETA2, EPSILON, DECAY };
#define MOMENTS                                                                                    \
    RHEO_NUMBER_FIELD("beta1", "1", 0.9, 0, 0.999999, "Memory of the mean gradient."),             \
        RHEO_NUMBER_FIELD("beta2", "1", 0.999, 0, 0.999999, "Memory of the gradient's size."),     \
        RHEO_NUMBER_FIELD("epsilon", "1", 1e-8, 0, 1, "Added to that size.")

static const rheo_field fields[] = {
    MOMENTS, RHEO_NUMBER_FIELD("decay", "1", 0, 0, 1e3, "Weight decay, added to the gradient."),
    RHEO_FIELD_END};
static const rheo_field decoupled_fields[] = {
    MOMENTS,
    RHEO_NUMBER_FIELD("decay", "1", 0.01, 0, 1e3,
                      "Weight decay; a step shrinks by rate times this."),
    RHEO_FIELD_END};

static void moments(const rheo_kernels *kernels, const double *v, double rate, double decay,
                    uint64_t count, float *w, const float *g, float *const *slot, size_t n)
{
    const float beta1 = (float)v[BETA1], beta2 = (float)v[BETA2];
    const rheo_adam k = {.rate = (float)rate,
                         .beta1 = beta1,
                         .beta2 = beta2,
                         .epsilon = (float)v[EPSILON],
                         .decay = (float)decay,
                         /* of the floats that are used: 1 - 0.999f is off by 1e-5 of itself */
                         .correction1 = (float)(1 - pow((double)beta1, (double)count)),
                         .correction2 = (float)(1 - pow((double)beta2, (double)count))};
    kernels->adam(&k, w, g, slot[0], slot[1], n);
}

static void adam(const rheo_kernels *kernels, const rheo_options *options, double rate,
                 uint64_t count, float *w, const float *g, float *const *slot, size_t n)
{
    moments(kernels, options->v, rate, options->v[DECAY], count, w, g, slot, n);
}

static void adamw(const rheo_kernels *kernels, const rheo_options *options, double rate,
                  uint64_t count, float *w, const float *g, float *const *slot, size_t n)
{
    /* not a factor 1 - rate decay, whose rounding would add up from step to step */
    const float shrink = (float)(rate * options->v[DECAY]);
    for (size_t i = 0; i < n; i++) w[i] -= shrink * w[i];
    moments(kernels, options->v, rate, 0, count, w, g, slot, n);
}

static void adamax(const rheo_kernels *kernels, const rheo_options *options, double rate,
                   uint64_t count, float *w, const float *g, float *const *slot, size_t n)
{
    const double *v = options->v;
    const float beta1 = (float)v[BETA1], beta2 = (float)v[BETA2], epsilon = (float)v[EPSILON];
    const float decay = (float)v[DECAY], rest = 1.0f - beta1;
    const float eta = (float)(rate / (1 - pow((double)beta1, (double)count)));
    float *restrict m = slot[0], *restrict u = slot[1];
    (void)kernels;
    for (size_t i = 0; i < n; i++) {
        const float d = g[i] + decay * w[i], size = fabsf(d) + epsilon, kept = beta2 * u[i];
        m[i] = beta1 * m[i] + rest * d;
        u[i] = kept > size ? kept : size;
        w[i] -= eta * m[i] / u[i];
    }
}

/* u is 0 where neither a gradient nor an epsilon came. */
static rheo_status check_adamax(rheo_context *ctx, const rheo_options *options)
{
    RHEO_CHECK(
        ctx, options->v[EPSILON] > 0, RHEO_USAGE,
        "learn: epsilon is 0, expected more with adamax, which divides by it where there is no "
        "gradient");
    return RHEO_OK;
}

const rheo_optimiser rheo__optimiser_adam = {
    .name = "adam",
    .title = "Adam",
    .equations = "d = g + decay w; m <- beta1 m + (1 - beta1) d; v <- beta2 v + (1 - beta2) d^2; "
                 "w <- w - rate m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon)",
    .source = "Kingma & Ba 2015, arXiv:1412.6980; PyTorch's form",
    .slots = 2,
    .fields = fields,
    .step = adam,
};

const rheo_optimiser rheo__optimiser_adamw = {
    .name = "adamw",
    .title = "Adam with decoupled weight decay",
    .equations =
        "w <- w (1 - rate decay); m <- beta1 m + (1 - beta1) g; v <- beta2 v + (1 - beta2) "
        "g^2; w <- w - rate m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon)",
    .source = "Loshchilov & Hutter 2019, arXiv:1711.05101; PyTorch's form",
    .slots = 2,
    .fields = decoupled_fields,
    .step = adamw,
};

const rheo_optimiser rheo__optimiser_adamax = {
    .name = "adamax",
    .title = "Adam by the largest gradient",
    .equations = "d = g + decay w; m <- beta1 m + (1 - beta1) d; u <- max(beta2 u, |d| + epsilon); "
                 "w <- w - rate / (1 - beta1^t) m / u",
    .source = "Kingma & Ba 2015, arXiv:1412.6980, algorithm 2; PyTorch's form",
    .slots = 2,
    .fields = fields,
    .check = check_adamax,
    .step = adamax,
};
