/* escape.h: the spike response model with escape noise: it spikes at random, the more likely the
 * higher its membrane. Kernels, recursion and gradient are in srm.h.
 *
 *   hazard  rho(v) = rate exp((v - threshold)/width)
 *   spike in a step with probability  P = 1 - exp(-rho(v) dt): exact for v constant in the step
 *
 * v has its refractory part. A step draws one uniform number q; x = P - q decides, so the surrogate
 * acts on the probability: with a derivative of 1 (rectangular, slope 2: 1 where |x| <= 0.5) the
 * gradient is that of the expected spike, dP/dv = rho dt (1 - P)/width.
 *
 * Source: Gerstner & van Hemmen 1992; Jolivet, Rauch, Luescher & Gerstner 2006; Gerstner et al.
 * 2014, Neuronal Dynamics, sections 9.1 and 9.3. Leaves out: other hazards. */
#ifdef RHEO_ROW
RHEO_ROW(escape)
#else
#define RHEO_MODEL escape
#define RHEO_COUNT (SRM_COUNT + 2)
#define RHEO_DRAWS 1
#define RHEO_EDGE  RHEO_STRICT
#include "neuron/models/srm.h"

enum { ESCAPE_SHARP = SRM_COUNT, ESCAPE_LOG }; /* 1/width, ln(rate dt) */

/* -ln(1 - P), at most e^40: no overflow */
RHEO_INLINE REAL RHEO_M(hazard)(const REAL *k, REAL p)
{
    REAL a = (p - k[SRM_THETA]) * k[ESCAPE_SHARP] + k[ESCAPE_LOG];
    return RHEO_EXP(a < 40 ? a : (REAL)40);
}

RHEO_INLINE REAL RHEO_M(drive)(const REAL *k, const struct RHEO_M(state) * s, const REAL *in,
                               REAL *pre)
{
    *pre = RHEO_M(sum)(k, s) + k[SRM_KEEP_R] * s->r;
    /* P > q is 1 - q > exp(-hazard) */
    return 1 - RHEO_EXP(-RHEO_M(hazard)(k, *pre)) - in[RHEO_DRAW];
}

RHEO_INLINE void RHEO_M(adjoint)(const REAL *k, const struct RHEO_M(state) * s, const REAL *in,
                                 REAL pre, REAL z, REAL d, REAL gz, struct RHEO_M(state) * gs,
                                 REAL *gin, REAL *gk)
{
    REAL hazard = RHEO_M(hazard)(k, pre), slope = hazard * RHEO_EXP(-hazard);
    REAL ga = RHEO_M(by_spike)(k, s, gz, gs) * d * slope, gp = ga * k[ESCAPE_SHARP];
    (void)in;
    gk[SRM_THETA] -= gp;
    gk[ESCAPE_SHARP] += ga * (pre - k[SRM_THETA]);
    gk[ESCAPE_LOG] += ga;
    RHEO_M(back)(k, s, z, gp, gs, gin, gk);
}

#ifdef RHEO_ABOUT
#define RHEO_NAME  "escape"
#define RHEO_TITLE "spike response model with escape noise (stochastic)"
#define RHEO_EQUATIONS                                                                             \
    "v(t) = sum weight eps(t - t_input) - depth exp(-(t - t_last)/tau_r), as srm0\n"               \
    "rho(v) = rate exp((v - threshold)/width)\n"                                                   \
    "spike in a step with probability 1 - exp(-rho(v) dt)"
#define RHEO_SOURCE                                                                                \
    "Gerstner & van Hemmen 1992; Gerstner et al. 2014, Neuronal Dynamics, section 9.1"
#define RHEO_PORT_NAMES "input"
#define RHEO_MULTIPLIES 10
#define RHEO_ADDS       9
#define RHEO_LEARNABLE  RHEO_SRM_LEARNABLE, "width", "rate"
static const rheo_field escape_fields[] = {
    RHEO_SRM_FIELDS,
    RHEO_NUMBER_FIELD("width", "1", 0.1, 1e-6, 1e30, "the hazard grows by e over it"),
    RHEO_NUMBER_FIELD("rate", "1/ms", 0.1, 1e-12, 1e12, "hazard at the threshold"),
    RHEO_SURROGATE_FIELDS(0), RHEO_FIELD_END};

static rheo_status escape_derive(rheo_context *ctx, const rheo_options *o, double dt, double *k)
{
    RHEO_TRY(srm_constants(ctx, "escape", o, dt, k));
    k[ESCAPE_SHARP] = 1 / o->v[SRM_F_OWN];
    k[ESCAPE_LOG] = log(o->v[SRM_F_OWN + 1] * dt);
    return RHEO_OK;
}
#endif
#include RHEO_EMIT
#endif
