/* srm0.h: the spike response model with a fixed threshold, and so the neuron of the alpha-function
 * synapse; kernels, recursion and gradient are in srm.h.
 *
 *   v(t) = sum weight eps(t - t_input) - depth exp(-(t - t_last)/tau_r),  spike where v > threshold
 *
 * Source: Gerstner & Kistler 2002, Spiking Neuron Models, section 4.2.3; alpha function: Rall 1967.
 * `refractory: sum` is the SRM of Shrestha & Orchard 2018 (SLAYER). Leaves out: kernels of any
 * other shape; the response's reset by a spike (Masquelier's variant). */
#ifdef RHEO_ROW
RHEO_ROW(srm0)
#else
#define RHEO_MODEL srm0
#define RHEO_COUNT SRM_COUNT
#define RHEO_EDGE  RHEO_STRICT
#include "neuron/models/srm.h"

RHEO_INLINE REAL RHEO_M(drive)(const REAL *k, const struct RHEO_M(state) * s, const REAL *in,
                               REAL *pre)
{
    (void)in;
    *pre = RHEO_M(sum)(k, s) + k[SRM_KEEP_R] * s->r;
    return *pre - k[SRM_THETA];
}

RHEO_INLINE void RHEO_M(adjoint)(const REAL *k, const struct RHEO_M(state) * s, const REAL *in,
                                 REAL pre, REAL z, REAL d, REAL gz, struct RHEO_M(state) * gs,
                                 REAL *gin, REAL *gk)
{
    REAL gp = RHEO_M(by_spike)(k, s, gz, gs) * d;
    (void)in, (void)pre;
    gk[SRM_THETA] -= gp;
    RHEO_M(back)(k, s, z, gp, gs, gin, gk);
}

#ifdef RHEO_ABOUT
#define RHEO_NAME  "srm0"
#define RHEO_TITLE "spike response model with alpha-function synapse"
#define RHEO_EQUATIONS                                                                             \
    "u(t) = sum weight eps(t - t_input),  eps ~ exp(-s/tau_m) - exp(-s/tau_s), peak 1\n"           \
    "(tau_m = tau_s: eps = (s/tau) exp(1 - s/tau), the alpha function)\n"                          \
    "v(t) = u(t) - depth exp(-(t - t_last)/tau_r);  spike where v > threshold"
#define RHEO_SOURCE     "Gerstner & Kistler 2002, Spiking Neuron Models, section 4.2.3"
#define RHEO_PORT_NAMES "input"
#define RHEO_MULTIPLIES 6
#define RHEO_ADDS       6
#define RHEO_LEARNABLE  RHEO_SRM_LEARNABLE
static const rheo_field srm0_fields[] = {RHEO_SRM_FIELDS, RHEO_SURROGATE_FIELDS(0), RHEO_FIELD_END};

static rheo_status srm0_derive(rheo_context *ctx, const rheo_options *o, double dt, double *k)
{
    return srm_constants(ctx, "srm0", o, dt, k);
}
#endif
#include RHEO_EMIT
#endif
