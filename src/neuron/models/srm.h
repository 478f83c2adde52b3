/* srm.h: the spike response model of srm0.h and escape.h, which differ in what decides a spike.
 *
 *   membrane  u(t) = sum over inputs of weight eps(t - t_input)
 *   eps(s) ~ exp(-s/tau_m) - exp(-s/tau_s), (s/tau) exp(-s/tau) where they are equal; peak 1
 *   refractory kernel  -depth exp(-s/tau_r) since the last spike, or summed over all of them
 *   v = u + refractory kernel
 *
 * As a recursion, exact at the steps for inputs at steps (eps(0) = 0: an input acts from the next
 * step on), so stable and right for any dt:
 *   u' = km u + c h,  h' = ks h + i,  r' = kr r;  p = u' + r' is compared with the threshold
 *   after a spike r = -depth (last) or r' - depth (sum);  v = u' + r */
#define RHEO_INPUTS   1
#define RHEO_SPIKES   1
#define RHEO_LO       0
#define RHEO_HI       1
#define RHEO_GRADIENT 1
#define RHEO_READOUT  0
#define RHEO_STATE(X)                                                                              \
    X(v, "1", RHEO_SCOPE_SAMPLE, "membrane with its refractory part")                              \
    X(u, "1", RHEO_SCOPE_SAMPLE, "response to the input")                                          \
    X(h, "1", RHEO_SCOPE_SAMPLE, "rising part of the response")                                    \
    X(r, "1", RHEO_SCOPE_SAMPLE, "refractory part")

#ifndef RHEO_SRM_ONCE
#define RHEO_SRM_ONCE
enum {
    SRM_KEEP_M,
    SRM_KEEP_S,
    SRM_COUPLE,
    SRM_KEEP_R,
    SRM_DEPTH,
    SRM_LAST, /* 1: only the last spike counts */
    SRM_THETA,
    SRM_PASS,
    SRM_COUNT
};
#endif

struct RHEO_M(state) {
    RHEO_STATE(RHEO_X_MEMBER)
};

RHEO_INLINE REAL RHEO_M(allowed)(const REAL *k, const struct RHEO_M(state) * s)
{
    (void)k, (void)s;
    return 1;
}

RHEO_INLINE REAL RHEO_M(sum)(const REAL *k, const struct RHEO_M(state) * s)
{
    return k[SRM_KEEP_M] * s->u + k[SRM_COUPLE] * s->h;
}

RHEO_INLINE void RHEO_M(step)(const REAL *k, struct RHEO_M(state) * s, const REAL *in, REAL pre,
                              REAL z, REAL learn)
{
    REAL u = RHEO_M(sum)(k, s), r = k[SRM_KEEP_R] * s->r;
    (void)pre, (void)learn;
    s->r = r - z * (k[SRM_LAST] * r + k[SRM_DEPTH]);
    s->v = u + s->r;
    s->u = u;
    s->h = k[SRM_KEEP_S] * s->h + in[0];
}

/* dL/dz of all that the spike does. */
RHEO_INLINE REAL RHEO_M(by_spike)(const REAL *k, const struct RHEO_M(state) * s, REAL gz,
                                  const struct RHEO_M(state) * gs)
{
    REAL jump = k[SRM_LAST] * (k[SRM_KEEP_R] * s->r) + k[SRM_DEPTH];
    return gz - k[SRM_PASS] * ((gs->r + gs->v) * jump);
}

/* gp: dL/dp. */
RHEO_INLINE void RHEO_M(back)(const REAL *k, const struct RHEO_M(state) * s, REAL z, REAL gp,
                              struct RHEO_M(state) * gs, REAL *gin, REAL *gk)
{
    REAL gr = gs->r + gs->v, gu = gs->u + gs->v + gp, gh = gs->h;
    REAL kept = gr * (1 - z * k[SRM_LAST]) + gp;
    gk[SRM_KEEP_M] += gu * s->u;
    gk[SRM_COUPLE] += gu * s->h;
    gk[SRM_KEEP_S] += gh * s->h;
    gk[SRM_KEEP_R] += kept * s->r;
    gk[SRM_DEPTH] -= gr * z;
    gs->v = 0;
    gs->u = k[SRM_KEEP_M] * gu;
    gs->h = k[SRM_KEEP_S] * gh + k[SRM_COUPLE] * gu;
    gs->r = k[SRM_KEEP_R] * kept;
    gin[0] = gh;
}

#if defined RHEO_ABOUT && !defined RHEO_SRM_ABOUT
#define RHEO_SRM_ABOUT
#include "neuron/models/spiking.h"
enum {
    SRM_F_TAU_M,
    SRM_F_TAU_S,
    SRM_F_TAU_R,
    SRM_F_DEPTH,
    SRM_F_THRESHOLD,
    SRM_F_KERNEL,
    SRM_F_DETACH,
    SRM_F_OWN /* the model's own follow */
};
static const char *const srm_kernels[] = {"last", "sum", NULL};
#define RHEO_SRM_FIELDS                                                                            \
    RHEO_NUMBER_FIELD("tau_m", "ms", 10, 1e-3, 1e9, "decay of the response to an input"),          \
        RHEO_NUMBER_FIELD("tau_s", "ms", 10, 1e-3, 1e9,                                            \
                          "its rise; as long as tau_m: the alpha function"),                       \
        RHEO_NUMBER_FIELD("tau_r", "ms", 10, 1e-3, 1e9, "decay of the refractory kernel"),         \
        RHEO_NUMBER_FIELD("depth", "1", 2, 0, 1e30, "of the refractory kernel at the spike"),      \
        RHEO_NUMBER_FIELD("threshold", "1", 1, 1e-30, 1e30, "where v spikes"),                     \
        RHEO_CHOICE_FIELD("refractory", 0, srm_kernels,                                            \
                          "kernel of the last spike only, or sum over all spikes"),                \
        RHEO_DETACH_FIELD
#define RHEO_SRM_LEARNABLE "tau_m", "tau_s", "tau_r", "depth", "threshold"

/* ln(1 + x)/x, also at x = 0 */
static double srm_log_ratio(double x)
{
    return fabs(x) < 1e-8 ? 1 - x / 2 : log1p(x) / x;
}

static rheo_status srm_constants(rheo_context *ctx, const char *name, const rheo_options *o,
                                 double dt, double *k)
{
    const double *v = o->v, m = v[SRM_F_TAU_M], s = v[SRM_F_TAU_S];
    RHEO_CHECK(ctx, dt > 0, RHEO_USAGE, "%s: the step must be above 0 ms, found %g; give dt", name,
               dt);
    k[SRM_KEEP_M] = exp(-dt / m);
    k[SRM_KEEP_S] = exp(-dt / s);
    k[SRM_KEEP_R] = exp(-dt / v[SRM_F_TAU_R]);
    /* u(t) after h = 1 is (e^-t/m - e^-t/s)/w, w = 1/s - 1/m; its peak, at t = ln(m/s)/w, is
     * t e^(-t/s) g(w t) with g(x) = (e^x - 1)/x; and c = e^(-dt/s) dt g(w dt) */
    double w = 1 / s - 1 / m, peak = m * srm_log_ratio((m - s) / s);
    double g_peak = fabs(w * peak) < 1e-8 ? 1 + w * peak / 2 : expm1(w * peak) / (w * peak);
    double g = fabs(w * dt) < 1e-8 ? 1 + w * dt / 2 : expm1(w * dt) / (w * dt);
    k[SRM_COUPLE] = exp(-dt / s) * dt * g / (peak * exp(-peak / s) * g_peak);
    k[SRM_DEPTH] = v[SRM_F_DEPTH];
    k[SRM_LAST] = (int)v[SRM_F_KERNEL] == 0;
    k[SRM_THETA] = v[SRM_F_THRESHOLD];
    k[SRM_PASS] = v[SRM_F_DETACH] == 0;
    return RHEO_OK;
}
#endif
