/* sgd.c: gradient descent with momentum, in PyTorch's form:
 *
 *   d = g + decay w,   m <- momentum m + d,   w <- w - rate m              (heavy ball)
 *                                             w <- w - rate (d + momentum m)  (nesterov)
 *
 * Polyak 1964; Sutskever et al. 2013, "On the importance of initialization and momentum". m starts
 * from 0, which equals PyTorch's start from d, without dampening. */
#include "kernels/kernels.h"
#include "optim/optim.h"

enum { MOMENTUM, NESTEROV, DECAY };
static const rheo_field fields[] = {
    RHEO_NUMBER_FIELD("momentum", "1", 0, 0, 1, "Share of the last step that goes on."),
    RHEO_FLAG_FIELD("nesterov", 0, "Looks ahead along the momentum."),
    RHEO_NUMBER_FIELD("decay", "1", 0, 0, 1e3, "Weight decay, added to the gradient."),
    RHEO_FIELD_END};

static void step(const rheo_kernels *kernels, const rheo_options *options, double rate,
                 uint64_t count, float *w, const float *g, float *const *slot, size_t n)
{
    const float eta = (float)rate, mu = (float)options->v[MOMENTUM];
    const float decay = (float)options->v[DECAY];
    float *m = slot[0];
    (void)count;
    if (!(options->v[NESTEROV] > 0)) {
        kernels->sgd(eta, mu, decay, w, g, m, n);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const float d = g[i] + decay * w[i];
        m[i] = mu * m[i] + d;
        w[i] -= eta * (d + mu * m[i]);
    }
}

const rheo_optimiser rheo__optimiser_sgd = {
    .name = "sgd",
    .title = "gradient descent with momentum",
    .equations = "d = g + decay w; m <- momentum m + d; w <- w - rate m, nesterov: w - rate (d + "
                 "momentum m)",
    .source = "Sutskever et al. 2013, ICML; PyTorch's form",
    .slots = 1,
    .fields = fields,
    .step = step,
};
