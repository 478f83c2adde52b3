/* sgd.c: gradient descent with momentum, in PyTorch's form:
 *
 *   d = g + decay w,   m <- momentum m + (1 - dampening) d   (m <- d at the first step),
 *   w <- w - rate m                                          (heavy ball)
 *   w <- w - rate (d + momentum m)                           (nesterov)
 *
 * Polyak 1964; Sutskever et al. 2013, "On the importance of initialization and momentum". */
#include "kernels/kernels.h"
#include "optim/optim.h"

enum { MOMENTUM, DAMPENING, NESTEROV, DECAY };
static const rheo_field fields[] = {
    RHEO_NUMBER_FIELD("momentum", "1", 0, 0, 1, "Share of the last step that goes on."),
    RHEO_NUMBER_FIELD("dampening", "1", 0, 0, 1, "Share of the gradient that momentum leaves out."),
    RHEO_FLAG_FIELD("nesterov", 0, "Looks ahead along the momentum."),
    RHEO_NUMBER_FIELD("decay", "1", 0, 0, 1e3, "Weight decay, added to the gradient."),
    RHEO_FIELD_END};

static rheo_status check(rheo_context *ctx, const rheo_options *options)
{
    const double *v = options->v;
    RHEO_CHECK(ctx, !(v[NESTEROV] > 0) || (v[MOMENTUM] > 0 && !(v[DAMPENING] > 0)), RHEO_USAGE,
               "learn: nesterov with momentum %g and dampening %g, expected some momentum and no "
               "dampening",
               v[MOMENTUM], v[DAMPENING]);
    return RHEO_OK;
}

static void step(const rheo_kernels *kernels, const rheo_options *options, double rate,
                 uint64_t count, float *w, const float *g, float *const *slot, size_t n)
{
    const float eta = (float)rate, mu = (float)options->v[MOMENTUM];
    const float decay = (float)options->v[DECAY], fresh = (float)(1 - options->v[DAMPENING]);
    const bool nesterov = options->v[NESTEROV] > 0;
    float *restrict m = slot[0];
    if (!nesterov && !(options->v[DAMPENING] > 0)) {
        kernels->sgd(eta, mu, decay, w, g, mu > 0 ? m : NULL, n);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const float d = g[i] + decay * w[i];
        m[i] = count == 1 || !(mu > 0) ? d : mu * m[i] + fresh * d;
        w[i] -= eta * (nesterov ? d + mu * m[i] : m[i]);
    }
}

const rheo_optimiser rheo__optimiser_sgd = {
    .name = "sgd",
    .title = "gradient descent with momentum",
    .equations =
        "d = g + decay w; m <- momentum m + (1 - dampening) d, d at first; w <- w - rate m, "
        "nesterov: w - rate (d + momentum m)",
    .source = "Sutskever et al. 2013, ICML; PyTorch's form",
    .slots = 1,
    .fields = fields,
    .check = check,
    .step = step,
};
