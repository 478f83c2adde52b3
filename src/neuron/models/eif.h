/* eif.h: exponential integrate-and-fire: the upstroke of the spike is part of the equation. Step
 * and gradient are in exponential.h.
 *
 *   tau dv/dt = -(v - rest) + delta exp((v - rheobase)/delta) + R i;  v > peak: v = reset
 *
 * Defaults: numbers of Fourcaud-Trocme et al. 2003 (tau 10 ms, rest -65, rheobase -59.9,
 * delta 3.48, reset -68 mV, refractory 1.7 ms there), with R 1 so that i is in mV.
 * Learnable: tau, gain, rheobase, delta. Leaves out: an inactivating threshold. */
#ifdef RHEO_ROW
RHEO_ROW(eif)
#else
#define RHEO_MODEL  eif
#define RHEO_ADAPTS 0
#include "neuron/models/exponential.h"

#ifdef RHEO_ABOUT
#define RHEO_NAME  "eif"
#define RHEO_TITLE "exponential integrate-and-fire"
#define RHEO_EQUATIONS                                                                             \
    "tau dv/dt = -(v - rest) + delta exp((v - rheobase)/delta) + gain i\n"                         \
    "spike when v > peak: v = reset for `refractory`"
#define RHEO_SOURCE     "Fourcaud-Trocme, Hansel, van Vreeswijk & Brunel 2003 (J. Neurosci. 23)"
#define RHEO_PORT_NAMES "input"
#define RHEO_MULTIPLIES 9
#define RHEO_ADDS       9
#define RHEO_INITIAL    1
#define RHEO_LEARNABLE  "tau", "gain", "rheobase", "delta"
static const rheo_field eif_fields[] = {
    RHEO_EXPONENTIAL_FIELDS(-65, -59.9, 3.48, -30, -68),
    RHEO_NUMBER_FIELD("tau", "ms", 10, 1e-3, 1e9, "time constant of the membrane"),
    RHEO_NUMBER_FIELD("gain", "mV", 1, -1e9, 1e9, "what an input of 1 adds to the resting v"),
    RHEO_SURROGATE_FIELDS(0), RHEO_FIELD_END};

static rheo_status eif_derive(rheo_context *ctx, const rheo_options *o, double dt, double *k)
{
    RHEO_TRY(expo_constants(ctx, "eif", o, dt, o->v[EXPO_F_OWN], k));
    k[EXPO_GAIN] = o->v[EXPO_F_OWN + 1];
    return RHEO_OK;
}

static void eif_initial(const double *k, struct eif_state *s)
{
    s->v = k[EXPO_REST];
}
#endif
#include RHEO_EMIT
#endif
#undef RHEO_ADAPTS
