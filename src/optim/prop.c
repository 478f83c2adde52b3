/* prop.c: steps of a size of their own for each weight, for gradients of the whole training set;
 * the two that sped up SpikeProp (McKennoch et al. 2006; Xin & Embrechts 2001).
 *
 * RProp (Riedmiller & Braun 1993; PyTorch's form), with p the gradient of the step before:
 *
 *   s <- s grow  if g p > 0,   s shrink  if g p < 0 (and then g = 0),   within [least, most]
 *   w <- w - s sign(g),   s = rate at first, so that a schedule has no effect
 *
 * QuickProp (Fahlman 1988, CMU-CS-88-162, and his program): the weight jumps to the bottom of the
 * parabola through the last two slopes. With d the last step and a, b the slopes now and before,
 * both taken downhill along d (a = -g sign d, b = -p sign d):
 *
 *   share = growth                 where a > b growth / (1 + growth)
 *           a / (b - a)            elsewhere
 *   d <- share d - rate g [a > 0]  where d is not 0 and b > 0,   d <- -rate g elsewhere
 *   w <- w + d
 *
 * His program has no test of b > 0, and can divide by 0 after a step that went uphill. */
#include "kernels/kernels.h"
#include "optim/optim.h"
#include <math.h>

enum { GROW, SHRINK, LEAST, MOST };
static const rheo_field sign_fields[] = {
    RHEO_NUMBER_FIELD("grow", "1", 1.2, 1, 1e3, "Factor on the step while the sign stays."),
    RHEO_NUMBER_FIELD("shrink", "1", 0.5, 0, 1, "Factor on the step when the sign changes."),
    RHEO_NUMBER_FIELD("least", "1", 1e-6, 0, 1e6, "Smallest step."),
    RHEO_NUMBER_FIELD("most", "1", 50, 0, 1e6, "Largest step."), RHEO_FIELD_END};
enum { GROWTH, DECAY };
static const rheo_field parabola_fields[] = {
    RHEO_NUMBER_FIELD("growth", "1", 1.75, 0, 1e3, "Largest step, in units of the step before."),
    RHEO_NUMBER_FIELD("decay", "1", 0, 0, 1e3, "Weight decay, added to the gradient."),
    RHEO_FIELD_END};

static rheo_status check_sign(rheo_context *ctx, const rheo_options *options)
{
    RHEO_CHECK(ctx, options->v[LEAST] <= options->v[MOST], RHEO_USAGE,
               "learn: least is %g and most %g, expected least <= most", options->v[LEAST],
               options->v[MOST]);
    return RHEO_OK;
}

static void by_sign(const rheo_kernels *kernels, const rheo_options *options, double rate,
                    uint64_t count, float *w, const float *g, float *const *slot, size_t n)
{
    const float grow = (float)options->v[GROW], shrink = (float)options->v[SHRINK];
    const float least = (float)options->v[LEAST], most = (float)options->v[MOST];
    float *restrict p = slot[0], *restrict s = slot[1];
    (void)kernels;
    for (size_t i = 0; i < n; i++) {
        const float size = count == 1 ? (float)rate : s[i], both = g[i] * p[i];
        float next = both > 0 ? size * grow : both < 0 ? size * shrink : size;
        next = next < least ? least : next > most ? most : next;
        const float now = both < 0 ? 0 : g[i];
        w[i] -= now > 0 ? next : now < 0 ? -next : 0;
        s[i] = next;
        p[i] = now;
    }
}

static void by_parabola(const rheo_kernels *kernels, const rheo_options *options, double rate,
                        uint64_t count, float *w, const float *g, float *const *slot, size_t n)
{
    const float growth = (float)options->v[GROWTH], decay = (float)options->v[DECAY];
    const float eta = (float)rate, limit = growth / (1.0f + growth);
    float *restrict p = slot[0], *restrict d = slot[1];
    (void)kernels;
    (void)count;
    for (size_t i = 0; i < n; i++) {
        const float slope = g[i] + decay * w[i], down = d[i] > 0 ? -1.0f : 1.0f;
        const float now = down * slope, before = down * p[i];
        const float share = now > limit * before ? growth : now / (before - now);
        const bool known = fabsf(d[i]) > 0 && before > 0;
        const float plain = !known || now > 0 ? -eta * slope : 0;
        d[i] = (known ? share * d[i] : 0) + plain;
        w[i] += d[i];
        p[i] = slope;
    }
}

const rheo_optimiser rheo__optimiser_rprop = {
    .name = "rprop",
    .title = "resilient propagation: only the gradient's sign counts",
    .equations =
        "s <- s grow where g keeps its sign, s shrink where it turns (then g = 0), in [least, "
        "most]; w <- w - s sign(g); s = rate at first",
    .source = "Riedmiller & Braun 1993, IEEE ICNN; PyTorch's form",
    .slots = 2,
    .fields = sign_fields,
    .check = check_sign,
    .step = by_sign,
};

const rheo_optimiser rheo__optimiser_quickprop = {
    .name = "quickprop",
    .title = "jumps to the bottom of the parabola through two slopes",
    .equations =
        "d <- share d - rate g (the latter while d goes downhill), share = g / (g_before - g), "
        "at most growth; w <- w + d",
    .source = "Fahlman 1988, CMU-CS-88-162",
    .slots = 2,
    .fields = parabola_fields,
    .step = by_parabola,
};
