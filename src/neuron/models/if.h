/* if.h: integrate-and-fire without leak: v sums its input; resets, threshold test, refractory time
 * and gradient as in leaky.h with beta 1 and gain 1.
 *
 * Source: the unit of rate-based conversion (Diehl et al. 2015, IJCNN; Rueckauer et al. 2017: reset
 * by subtraction). v starts at `start`. Constant input i > 0 and reset by subtraction give a rate of i/threshold a step.
 * Leaves out: a floor for the membrane, thresholds of their own for each neuron. */
#ifdef RHEO_ROW
RHEO_ROW(integrate)
#else
#define RHEO_MODEL integrate
#define RHEO_COUNT (LEAKY_COUNT + 1)
#include "neuron/models/leaky.h"

#ifdef RHEO_ABOUT
#define RHEO_NAME  "if"
#define RHEO_TITLE "integrate-and-fire"
#define RHEO_EQUATIONS                                                                             \
    "v[t] = v[t-1] + i[t] - threshold s[t-1]   (reset subtract, when next)\n"                      \
    "s[t] = v[t] > threshold"
#define RHEO_SOURCE     "Diehl et al. 2015 (IJCNN); Rueckauer et al. 2017 (Front. Neurosci.)"
#define RHEO_PORT_NAMES "input"
#define RHEO_MULTIPLIES 0
#define RHEO_ADDS       2
#define RHEO_INITIAL    1
#define RHEO_LEARNABLE  "threshold"
enum { INTEGRATE_START = LEAKY_COUNT };
static const rheo_field integrate_fields[] = {
    RHEO_LEAKY_FIELDS,
    RHEO_NUMBER_FIELD("start", "1", 0, -1e30, 1e30,
                      "membrane at rest; half the threshold makes a rate round, not fall short"),
    RHEO_FIELD_END};

static void integrate_initial(const double *k, struct integrate_state *s)
{
    s->v = k[INTEGRATE_START];
}

static rheo_status integrate_derive(rheo_context *ctx, const rheo_options *o, double dt, double *k)
{
    (void)ctx;
    (void)dt;
    leaky_constants(o->v, 1, 1, k);
    k[INTEGRATE_START] = o->v[rheo__field_index(integrate_fields, "start")];
    return RHEO_OK;
}
#endif
#include RHEO_EMIT
#endif
