/* lif.h: leaky integrate-and-fire, the work-horse. tau dv/dt = -v + R i, solved exactly over a step
 * with constant input; dynamics, resets and gradient are in leaky.h.
 *
 *   next, subtract   v[t] = beta v[t-1] + i[t] - theta s[t-1]
 *   next, zero       v[t] = (beta v[t-1] + i[t]) (1 - s[t-1])
 *   same, subtract   v[t] = beta v[t-1] + i[t], then v[t] -= theta s[t]
 *   same, zero       v[t] = beta v[t-1] + i[t], then v[t] = 0 where s[t]
 *
 * beta      [1]  0.9   decay of the membrane a step; tau [ms] 0: when not 0, beta = exp(-dt/tau)
 * scaled         no    input times 1 - beta, so that a constant input i holds v at i
 *
 * Source: Eshraghian et al. 2023, equations of section 2 and appendix A; next/subtract is
 * snnTorch's Leaky. (snnTorch documents next/zero as above, but its code keeps the input of the
 * step after the spike, v = beta (1 - s[t-1]) v[t-1] + i[t]: those are the spikes of same/zero
 * here.) Leaves out: learned beta or threshold, one for each neuron. */
#ifdef RHEO_ROW
RHEO_ROW(lif)
#else
#define RHEO_MODEL lif
#define RHEO_COUNT LEAKY_COUNT
#include "neuron/models/leaky.h"

#ifdef RHEO_ABOUT
#define RHEO_NAME  "lif"
#define RHEO_TITLE "leaky integrate-and-fire"
#define RHEO_EQUATIONS                                                                             \
    "v[t] = beta v[t-1] + i[t] - threshold s[t-1]   (reset subtract, when next)\n"                 \
    "s[t] = v[t] > threshold\n"                                                                    \
    "beta = exp(-dt/tau) when tau is given"
#define RHEO_SOURCE     "Eshraghian et al. 2023 (Proc. IEEE), section 2 and appendix A"
#define RHEO_PORT_NAMES "input"
#define RHEO_MULTIPLIES 1
#define RHEO_ADDS       2
#define RHEO_LEARNABLE  "beta", "tau", "threshold"
static const rheo_field lif_fields[] = {
    RHEO_NUMBER_FIELD("beta", "1", 0.9, 0, 1, "decay of the membrane a step, when tau is 0"),
    RHEO_NUMBER_FIELD("tau", "ms", 0, 0, 1e9, "time constant of the membrane; 0: beta is used"),
    RHEO_FLAG_FIELD("scaled", 0, "input times 1 - beta"), RHEO_LEAKY_FIELDS, RHEO_FIELD_END};

static rheo_status lif_derive(rheo_context *ctx, const rheo_options *o, double dt, double *k)
{
    double beta = o->v[0], tau = o->v[1];
    RHEO_CHECK(
        ctx, tau == 0 || dt > 0, RHEO_USAGE,
        "lif: tau = %g ms needs a step above 0 ms, found %g; give dt, or beta instead of tau", tau,
        dt);
    if (tau > 0) beta = exp(-dt / tau);
    leaky_constants(o->v + 3, beta, o->v[2] != 0 ? 1 - beta : 1, k);
    return RHEO_OK;
}
#endif
#include RHEO_EMIT
#endif
