/* adam.c: Adam (Kingma & Ba 2015, arXiv:1412.6980, algorithm 1), in PyTorch's form:
 *
 *   d = g + decay w,   m <- beta1 m + (1 - beta1) d,   v <- beta2 v + (1 - beta2) d^2,
 *   w <- w - rate (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon),   t from 1.
 *
 * Leaves out: decoupled decay, the largest v. */
#include "kernels/kernels.h"
#include "optim/optim.h"
#include <math.h>

enum { BETA1, BETA2, EPSILON, DECAY };
static const rheo_field fields[] = {
    RHEO_NUMBER_FIELD("beta1", "1", 0.9, 0, 0.999999, "Memory of the mean gradient."),
    RHEO_NUMBER_FIELD("beta2", "1", 0.999, 0, 0.999999, "Memory of the mean squared gradient."),
    RHEO_NUMBER_FIELD("epsilon", "1", 1e-8, 0, 1, "Added to the root."),
    RHEO_NUMBER_FIELD("decay", "1", 0, 0, 1e3, "Weight decay, added to the gradient."),
    RHEO_FIELD_END};

static void step(const rheo_kernels *kernels, const rheo_options *options, double rate,
                 uint64_t count, float *w, const float *g, float *const *slot, size_t n)
{
    const double *v = options->v;
    const float beta1 = (float)v[BETA1], beta2 = (float)v[BETA2];
    const rheo_adam k = {.rate = (float)rate,
                         .beta1 = beta1,
                         .beta2 = beta2,
                         .epsilon = (float)v[EPSILON],
                         .decay = (float)v[DECAY],
                         /* of the floats that are used: 1 - 0.999f is off by 1e-5 of itself */
                         .correction1 = (float)(1 - pow((double)beta1, (double)count)),
                         .correction2 = (float)(1 - pow((double)beta2, (double)count))};
    kernels->adam(&k, w, g, slot[0], slot[1], n);
}

const rheo_optimiser rheo__optimiser_adam = {
    .name = "adam",
    .title = "Adam",
    .equations = "d = g + decay w; m <- beta1 m + (1 - beta1) d; v <- beta2 v + (1 - beta2) d^2; "
                 "w <- w - rate m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon)",
    .source = "Kingma & Ba 2015, arXiv:1412.6980; PyTorch's form",
    .slots = 2,
    .fields = fields,
    .step = step,
};
