/* if.h: integrate-and-fire without leak: v sums its input; resets, threshold test, refractory time
 * and gradient as in leaky.h with beta 1.
 *
 * Source: the unit of rate-based conversion (Diehl et al. 2015, IJCNN; Rueckauer et al. 2017: reset
 * by subtraction). v starts at `start`. Constant input i > 0 and reset by subtraction give a rate
 * of i/threshold a step. */
#ifdef RHEO_ROW
RHEO_ROW(integrate)
#else
#define RHEO_MODEL integrate
#define RHEO_COUNT LEAKY_COUNT
#include "neuron/models/leaky.h"

#ifdef RHEO_ABOUT
#define RHEO_NAME  "if"
#define RHEO_TITLE "integrate-and-fire"
#define RHEO_EQUATIONS                                                                             \
    "v[t] = v[t-1] + gain i[t] - threshold s[t-1]   (reset subtract, when next)\n"                 \
    "s[t] = v[t] > threshold"
#define RHEO_SOURCE     "Diehl et al. 2015 (IJCNN); Rueckauer et al. 2017 (Front. Neurosci.)"
#define RHEO_MULTIPLIES 0
#define RHEO_ADDS       2
#define RHEO_LEARNABLE  LEAKY_LEARNABLE, "gain"
static const rheo_field integrate_fields[] = {
    RHEO_LEAKY_FIELDS,
    RHEO_NUMBER_FIELD("gain", "1", 1, -1e30, 1e30, "of the input: one over a capacitance"),
    RHEO_SURROGATE_FIELDS(0), RHEO_FIELD_END};

static rheo_status integrate_derive(rheo_context *ctx, const rheo_options *o, double dt, double *k)
{
    (void)ctx;
    (void)dt;
    leaky_constants(o->v, 1, o->v[LEAKY_F_OWN], 0, k);
    return RHEO_OK;
}
#endif
#include RHEO_EMIT
#endif
