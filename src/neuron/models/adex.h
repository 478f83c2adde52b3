/* adex.h: adaptive exponential integrate-and-fire. Step and gradient are in exponential.h.
 *
 *   C dv/dt = -g (v - rest) + g delta exp((v - rheobase)/delta) - w + i
 *   tau_w dw/dt = a (v - rest) - w;   v > peak: v = reset, w += b
 *
 * Units pF, nS, pA, mV, ms. Norse's dimensionless cell (LIFAdEx; dialect norse) is C = tau in ms,
 * g 1, decay euler, order decay-after, its own tau_syn, and peak = rheobase = threshold. Learnable:
 * capacitance, leak, a, b, tau_w, rheobase, delta. Leaves out: conductance synapses. */
#ifdef RHEO_ROW
RHEO_ROW(adex)
#else
#define RHEO_MODEL  adex
#define RHEO_ADAPTS 1
#include "neuron/models/exponential.h"

#ifdef RHEO_ABOUT
#define RHEO_NAME  "adex"
#define RHEO_TITLE "adaptive exponential integrate-and-fire"
#define RHEO_EQUATIONS                                                                             \
    "C dv/dt = -g (v - rest) + g delta exp((v - rheobase)/delta) - w + gain i\n"                   \
    "tau_w dw/dt = a (v - rest) - w\n"                                                             \
    "spike when v > peak: v = reset for `refractory`, w += b"
#define RHEO_SOURCE     "Brette & Gerstner 2005 (J. Neurophysiol. 94), equations 1 to 3 and table 1"
#define RHEO_PORT_NAMES "input"
#define RHEO_MULTIPLIES 12
#define RHEO_ADDS       14
#define RHEO_INITIAL    1
#define RHEO_LEARNABLE  "capacitance", "leak", "a", "b", "tau_w", "rheobase", "delta"
enum { ADEX_F_C = EXPO_F_OWN, ADEX_F_LEAK, ADEX_F_GAIN, ADEX_F_TAU_W, ADEX_F_A, ADEX_F_B };
static const rheo_field adex_fields[] = {
    RHEO_EXPONENTIAL_FIELDS(-70.6, -50.4, 2, 20, -70.6),
    RHEO_NUMBER_FIELD("capacitance", "pF", 281, 1e-6, 1e9, "of the membrane"),
    RHEO_NUMBER_FIELD("leak", "nS", 30, 1e-6, 1e9, "conductance of the membrane"),
    RHEO_NUMBER_FIELD("gain", "pA", 1, -1e12, 1e12, "current for an input of 1"),
    RHEO_NUMBER_FIELD("tau_w", "ms", 144, 1e-3, 1e9, "time constant of the adaptation"),
    RHEO_NUMBER_FIELD("a", "nS", 4, -1e9, 1e9, "adaptation by the membrane"),
    RHEO_NUMBER_FIELD("b", "pA", 80.5, -1e9, 1e9, "adaptation by a spike"),
    RHEO_SURROGATE_FIELDS(0),
    RHEO_FIELD_END};

static rheo_status adex_derive(rheo_context *ctx, const rheo_options *o, double dt, double *k)
{
    const double *v = o->v;
    RHEO_TRY(expo_constants(ctx, "adex", o, dt, v[ADEX_F_C] / v[ADEX_F_LEAK], k));
    k[EXPO_GAIN] = 1 / v[ADEX_F_LEAK];
    k[EXPO_NOW] *= v[ADEX_F_GAIN];
    k[EXPO_OLD] *= v[ADEX_F_GAIN];
    k[EXPO_RATE_W] = expo_part(o, dt, v[ADEX_F_TAU_W]);
    k[EXPO_A] = v[ADEX_F_A];
    k[EXPO_B] = v[ADEX_F_B];
    return RHEO_OK;
}

static void adex_initial(const double *k, struct adex_state *s)
{
    s->v = k[EXPO_REST];
}
#endif
#include RHEO_EMIT
#endif
#undef RHEO_ADAPTS
