/* lif.h: leaky integrate-and-fire, the work-horse. tau dv/dt = rest - v + gain i, solved exactly
 * over a step with constant input, or by Euler's step; dynamics, resets and gradient are in
 * leaky.h.
 *
 *   next, subtract       v[t] = beta v[t-1] + i[t] - theta s[t-1]
 *   next, zero           v[t] = (beta v[t-1] + i[t]) (1 - s[t-1])
 *   next-old, zero       v[t] = beta v[t-1] (1 - s[t-1]) + i[t]
 *   same, subtract       v[t] = beta v[t-1] + i[t], then v[t] -= theta s[t]
 *   same, zero           v[t] = beta v[t-1] + i[t], then v[t] = 0 where s[t]
 *
 * beta    [1]   0.9  decay of the membrane a step
 * tau     [ms]  0    when not 0, beta = exp(-dt/tau), or 1 - dt/tau with decay euler
 * scaled        no   input times 1 - beta, so that a constant input i holds v at gain i
 *
 * Source: Eshraghian et al. 2023, equations of section 2 and appendix A; next/subtract is
 * snnTorch's Leaky. (snnTorch documents next/zero as above, but its code keeps the input of the
 * step after the spike: next-old.) */
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
    "v[t] = beta v[t-1] + gain i[t] - threshold s[t-1]   (reset subtract, when next)\n"            \
    "s[t] = v[t] > threshold\n"                                                                    \
    "beta = exp(-dt/tau) when tau is given, 1 - dt/tau when decay is euler"
#define RHEO_SOURCE     "Eshraghian et al. 2023 (Proc. IEEE), section 2 and appendix A"
#define RHEO_MULTIPLIES 1
#define RHEO_ADDS       2
#define RHEO_LEARNABLE  LEAKY_LEARNABLE, "beta", "tau", "gain", "rest"
enum { LIF_F_BETA = LEAKY_F_OWN, LIF_F_TAU, LIF_F_DECAY, LIF_F_SCALED, LIF_F_GAIN, LIF_F_REST };
static const rheo_field lif_fields[] = {
    RHEO_LEAKY_FIELDS,
    RHEO_NUMBER_FIELD("beta", "1", 0.9, 0, 1, "decay of the membrane a step, when tau is 0"),
    RHEO_NUMBER_FIELD("tau", "ms", 0, 0, 1e9, "time constant of the membrane; 0: beta is used"),
    RHEO_CHOICE_FIELD("decay", 0, spiking_decays, "beta = exp(-dt/tau), or 1 - dt/tau"),
    RHEO_FLAG_FIELD("scaled", 0, "input times 1 - beta"),
    RHEO_NUMBER_FIELD("gain", "1", 1, -1e30, 1e30, "of the input: a resistance"),
    RHEO_NUMBER_FIELD("rest", "1", 0, -1e30, 1e30, "membrane without input, where it decays to"),
    RHEO_SURROGATE_FIELDS(0),
    RHEO_FIELD_END};

static rheo_status lif_derive(rheo_context *ctx, const rheo_options *o, double dt, double *k)
{
    const double *v = o->v;
    double beta;
    RHEO_TRY(leaky_decay(ctx, "lif", v[LIF_F_BETA], v[LIF_F_TAU], v[LIF_F_DECAY] != 0, dt, &beta));
    leaky_constants(v, beta, v[LIF_F_GAIN] * (v[LIF_F_SCALED] != 0 ? 1 - beta : 1),
                    (1 - beta) * v[LIF_F_REST], k);
    return RHEO_OK;
}
#endif
#include RHEO_EMIT
#endif
