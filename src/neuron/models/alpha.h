/* alpha.h: the membrane answers a spike with a difference of two exponentials: snnTorch's Alpha.
 *
 *   E = alpha e[t-1] + i[t],   N = beta n[t-1] - i[t],   U = tau (E + N)
 *   tau = ln alpha / (ln beta - ln alpha) + 1
 *   with r = s[t-1], the spike of the step before, and the reset
 *     zero      e = (1 - r) E,        n = (1 - r) N,  v = (1 - r) U
 *     subtract  e = E - threshold r,  n = (1 - r) N,  v = U + r n[t-1]
 *     none      e = E, n = N, v = U
 *   s[t] = v[t] > threshold
 *
 * An input of 1 at step 0 gives v[t] = tau (alpha^t - beta^t) afterwards (0 at once), with its peak
 * at t = ln(ln beta / ln alpha) / ln(alpha / beta). Stable for alpha and beta up to 1.
 *
 * alpha [1] 0.9, beta [1] 0.8 (below alpha), threshold [1] 1. Learnable: alpha, beta, threshold.
 * Source: Eshraghian et al. 2023, appendix; equations, also of `subtract`, as snnTorch's code has
 * them (its documents print another tau). Leaves out: time constants in ms (srm0 has them). */
#ifdef RHEO_ROW
RHEO_ROW(alpha)
#else
#define RHEO_MODEL    alpha
#define RHEO_INPUTS   1
#define RHEO_COUNT    ALPHA_COUNT
#define RHEO_SPIKES   1
#define RHEO_LO       0
#define RHEO_HI       1
#define RHEO_GRADIENT 1
#define RHEO_READOUT  0
#define RHEO_EDGE     RHEO_STRICT
#define RHEO_STATE(X)                                                                              \
    X(v, "1", RHEO_SCOPE_SAMPLE, "membrane")                                                       \
    X(e, "1", RHEO_SCOPE_SAMPLE, "exciting current")                                               \
    X(n, "1", RHEO_SCOPE_SAMPLE, "inhibiting current")                                             \
    X(z, "1", RHEO_SCOPE_SAMPLE, "spike of the step before")

enum {
    ALPHA_ALPHA,
    ALPHA_BETA,
    ALPHA_TAU,
    ALPHA_TEST,     /* the threshold */
    ALPHA_ZERO,     /* 1: reset zero */
    ALPHA_SUBTRACT, /* 1: reset subtract */
    ALPHA_THETA,    /* the threshold when that is so, else 0 */
    ALPHA_PASS,
    ALPHA_COUNT
};

struct RHEO_M(state) {
    RHEO_STATE(RHEO_X_MEMBER)
};

RHEO_INLINE REAL RHEO_M(allowed)(const REAL *k, const struct RHEO_M(state) * s)
{
    (void)k, (void)s;
    return 1;
}

RHEO_INLINE REAL RHEO_M(drive)(const REAL *k, const struct RHEO_M(state) * s, const REAL *in,
                               REAL *pre)
{
    REAL E = k[ALPHA_ALPHA] * s->e + in[0], N = k[ALPHA_BETA] * s->n - in[0];
    REAL U = k[ALPHA_TAU] * (E + N);
    *pre = U * (1 - k[ALPHA_ZERO] * s->z) + k[ALPHA_SUBTRACT] * s->z * s->n;
    return *pre - k[ALPHA_TEST];
}

RHEO_INLINE void RHEO_M(step)(const REAL *k, struct RHEO_M(state) * s, const REAL *in, REAL pre,
                              REAL z, REAL learn)
{
    REAL E = k[ALPHA_ALPHA] * s->e + in[0], N = k[ALPHA_BETA] * s->n - in[0];
    (void)learn;
    s->v = pre;
    s->e = E * (1 - k[ALPHA_ZERO] * s->z) - k[ALPHA_THETA] * s->z;
    s->n = N * (1 - (k[ALPHA_ZERO] + k[ALPHA_SUBTRACT]) * s->z);
    s->z = z;
}

RHEO_INLINE void RHEO_M(adjoint)(const REAL *k, const struct RHEO_M(state) * s, const REAL *in,
                                 REAL pre, REAL z, REAL d, REAL gz, struct RHEO_M(state) * gs,
                                 REAL *gin, REAL *gk)
{
    REAL E = k[ALPHA_ALPHA] * s->e + in[0], N = k[ALPHA_BETA] * s->n - in[0];
    REAL keep = 1 - k[ALPHA_ZERO] * s->z;
    REAL keep_n = 1 - (k[ALPHA_ZERO] + k[ALPHA_SUBTRACT]) * s->z;
    REAL total = gz + gs->z, gpre = gs->v + total * d, ge = gs->e, gn = gs->n;
    REAL gU = gpre * keep * k[ALPHA_TAU];
    REAL gE = ge * keep + gU, gN = gn * keep_n + gU;
    (void)pre, (void)z;
    gs->v = 0;
    gs->e = k[ALPHA_ALPHA] * gE;
    gs->n = k[ALPHA_BETA] * gN + gpre * k[ALPHA_SUBTRACT] * s->z;
    gs->z =
        k[ALPHA_PASS] *
        (gpre * (k[ALPHA_SUBTRACT] * s->n - k[ALPHA_ZERO] * k[ALPHA_TAU] * (E + N)) -
         ge * (k[ALPHA_ZERO] * E + k[ALPHA_THETA]) - gn * (k[ALPHA_ZERO] + k[ALPHA_SUBTRACT]) * N);
    gin[0] = gE - gN;
    gk[ALPHA_ALPHA] += gE * s->e;
    gk[ALPHA_BETA] += gN * s->n;
    gk[ALPHA_TAU] += gpre * keep * (E + N);
    gk[ALPHA_TEST] -= total * d;
    gk[ALPHA_THETA] -= ge * s->z;
}

#ifdef RHEO_ABOUT
#include "neuron/models/spiking.h"
#define RHEO_NAME  "alpha"
#define RHEO_TITLE "leaky neuron whose membrane is a difference of two exponentials"
#define RHEO_EQUATIONS                                                                             \
    "e[t] = alpha e[t-1] + i[t],  n[t] = beta n[t-1] - i[t]\n"                                     \
    "v[t] = tau (e[t] + n[t]),  tau = ln alpha / (ln beta - ln alpha) + 1\n"                       \
    "s[t] = v[t] > threshold; in the step after a spike e, n and v are 0 (reset zero)"
#define RHEO_SOURCE     "Eshraghian et al. 2023 (Proc. IEEE); snnTorch's Alpha"
#define RHEO_PORT_NAMES "input"
#define RHEO_MULTIPLIES 7
#define RHEO_ADDS       8
#define RHEO_LEARNABLE  "alpha", "beta", "threshold"
enum { ALPHA_F_ALPHA, ALPHA_F_BETA, ALPHA_F_THRESHOLD, ALPHA_F_RESET, ALPHA_F_DETACH };
static const char *const alpha_resets[] = {"zero", "subtract", "none", NULL};
static const rheo_field alpha_fields[] = {
    RHEO_NUMBER_FIELD("alpha", "1", 0.9, 1e-6, 1, "decay of the exciting current a step"),
    RHEO_NUMBER_FIELD("beta", "1", 0.8, 1e-6, 1, "of the inhibiting current; below alpha"),
    RHEO_NUMBER_FIELD("threshold", "1", 1, 1e-30, 1e30, "the membrane spikes above it"),
    RHEO_CHOICE_FIELD("reset", 0, alpha_resets, "what a spike does in the step after it"),
    RHEO_DETACH_FIELD,
    RHEO_SURROGATE_FIELDS(0),
    RHEO_FIELD_END};

static rheo_status alpha_derive(rheo_context *ctx, const rheo_options *o, double dt, double *k)
{
    double alpha = o->v[ALPHA_F_ALPHA], beta = o->v[ALPHA_F_BETA];
    int reset = (int)o->v[ALPHA_F_RESET];
    (void)dt;
    RHEO_CHECK(ctx, alpha > beta, RHEO_USAGE,
               "alpha: alpha = %g must be above beta = %g, else a positive input lowers the "
               "membrane; swap them",
               alpha, beta);
    k[ALPHA_ALPHA] = alpha;
    k[ALPHA_BETA] = beta;
    k[ALPHA_TAU] = log(alpha) / (log(beta) - log(alpha)) + 1;
    k[ALPHA_TEST] = o->v[ALPHA_F_THRESHOLD];
    k[ALPHA_ZERO] = reset == 0;
    k[ALPHA_SUBTRACT] = reset == 1;
    k[ALPHA_THETA] = reset == 1 ? o->v[ALPHA_F_THRESHOLD] : 0;
    k[ALPHA_PASS] = o->v[ALPHA_F_DETACH] == 0;
    return RHEO_OK;
}
#endif
#include RHEO_EMIT
#endif
