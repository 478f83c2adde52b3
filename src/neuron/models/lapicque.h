/* lapicque.h: the first neuron model: a capacitor C with a leak R, by Euler's step:
 *
 *   v[t] = (1 - dt/(R C)) v[t-1] + (dt/C) i[t]
 *
 * Dynamics, resets and gradient are in leaky.h: beta = 1 - dt/(R C), gain = dt/C. Constant input i
 * holds v at R i. Units: R in MOhm, C in nF, so that R C is in ms, i in nA and v in mV. Source:
 * Lapicque 1907; snnTorch's Lapicque (its defaults R = 1, beta = 0.9 with a step of 1 make C =
 * -1/ln beta). */
#ifdef RHEO_ROW
RHEO_ROW(lapicque)
#else
#define RHEO_MODEL lapicque
#define RHEO_COUNT LEAKY_COUNT
#include "neuron/models/leaky.h"

#ifdef RHEO_ABOUT
#define RHEO_NAME  "lapicque"
#define RHEO_TITLE "Lapicque's RC circuit with a threshold"
#define RHEO_EQUATIONS                                                                             \
    "C dv/dt = i - v/R, by Euler's step:  v[t] = (1 - dt/(R C)) v[t-1] + (dt/C) i[t]\n"            \
    "resets and threshold as lif"
#define RHEO_SOURCE     "Lapicque 1907 (J. Physiol. Pathol. Gen.); snnTorch's Lapicque"
#define RHEO_MULTIPLIES 2
#define RHEO_ADDS       2
#define RHEO_LEARNABLE  LEAKY_LEARNABLE, "R", "C"
enum { LAPICQUE_F_R = LEAKY_F_OWN, LAPICQUE_F_C };
static const rheo_field lapicque_fields[] = {
    RHEO_LEAKY_FIELDS, RHEO_NUMBER_FIELD("R", "MOhm", 5, 1e-9, 1e9, "resistance of the membrane"),
    RHEO_NUMBER_FIELD("C", "nF", 2, 1e-9, 1e9,
                      "capacitance of the membrane; R C is its time constant"),
    RHEO_SURROGATE_FIELDS(0), RHEO_FIELD_END};

static rheo_status lapicque_derive(rheo_context *ctx, const rheo_options *o, double dt, double *k)
{
    const double R = o->v[LAPICQUE_F_R], C = o->v[LAPICQUE_F_C];
    RHEO_CHECK(ctx, dt > 0, RHEO_USAGE, "lapicque: the step must be above 0 ms, found %g; give dt",
               dt);
    RHEO_CHECK(ctx, R * C >= dt, RHEO_USAGE,
               "lapicque: R C = %g ms is shorter than the step of %g ms, which Euler's step cannot "
               "follow; shorten dt",
               R * C, dt);
    leaky_constants(o->v, 1 - dt / (R * C), dt / C, 0, k);
    return RHEO_OK;
}
#endif
#include RHEO_EMIT
#endif
