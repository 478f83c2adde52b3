/* reference.h: what a model header (model.h) becomes in neuron.c: one neuron and one step in
 * double, with a hard or a smooth spike, its adjoint, and the model's row in the table. */
#include "neuron/defaults.h"
enum { RHEO_STATE(RHEO_X_INDEX) RHEO_M(states) };

#define RHEO_X_LOAD(name, unit, scope, doc)  s.name = from[RHEO_M(at_##name)];
#define RHEO_X_STORE(name, unit, scope, doc) to[RHEO_M(at_##name)] = s.name;

static struct RHEO_M(state) RHEO_M(load)(const double *from)
{
    struct RHEO_M(state) s = {0};
    (void)from;
    RHEO_STATE(RHEO_X_LOAD)
    return s;
}

static void RHEO_M(store)(struct RHEO_M(state) s, double *to)
{
    (void)s, (void)to;
    RHEO_STATE(RHEO_X_STORE)
}

static double RHEO_M(reference_step)(const double *k, double *state, const double *inputs,
                                     bool smooth, const rheo_pseudo *pseudo, bool learn, double *x)
{
    struct RHEO_M(state) s = RHEO_M(load)(state);
    double in[RHEO_ROWS + 1];
    all_options(inputs, in);
    double pre, above = RHEO_M(drive)(k, &s, in, &pre);
    double z = 0;
    if (RHEO_SPIKES)
        z = RHEO_M(allowed)(k, &s) * (1 - in[RHEO_BARRED]) *
            spike(above, (double)(RHEO_EDGE), smooth, pseudo);
    RHEO_M(step)(k, &s, in, pre, z, learn);
    RHEO_M(store)(s, state);
    *x = above;
#if RHEO_SPIKES
    return RHEO_LO + z * (RHEO_HI - (RHEO_LO));
#else
    return pre;
#endif
}

#if RHEO_GRADIENT
static void RHEO_M(reference_adjoint)(const double *k, const double *s0, const double *inputs,
                                      bool smooth, const rheo_pseudo *pseudo, double gout,
                                      double *gs, double *gin, double *gk)
{
    struct RHEO_M(state) s = RHEO_M(load)(s0), g = RHEO_M(load)(gs);
    double in[RHEO_ROWS + 1];
    all_options(inputs, in);
    double pre, above = RHEO_M(drive)(k, &s, in, &pre);
    double z = 0, d = 0, gz = gout;
#if RHEO_SPIKES
    double may = RHEO_M(allowed)(k, &s) * (1 - in[RHEO_BARRED]);
    z = may * spike(above, (double)(RHEO_EDGE), smooth, pseudo);
    d = may * rheo__pseudo_derivative(pseudo, above);
    gz = gout * (RHEO_HI - (RHEO_LO));
#else
    (void)smooth, (void)pseudo, (void)above;
#endif
    RHEO_M(adjoint)(k, &s, in, pre, z, d, gz, &g, gin, gk);
    RHEO_M(store)(g, gs);
}
#define RHEO_ADJOINT RHEO_M(reference_adjoint)
#else
#define RHEO_ADJOINT NULL
#endif

static const char *const RHEO_M(ports)[] = {RHEO_PORT_NAMES, NULL};
#ifdef RHEO_LEARNABLE
static const char *const RHEO_M(learnable)[] = {RHEO_LEARNABLE, NULL};
#else
static const char *const RHEO_M(learnable)[] = {NULL};
#endif
static const rheo_state_field RHEO_M(state_fields)[] = {
    RHEO_STATE(RHEO_X_FIELD){NULL, NULL, NULL, 0}};

static void RHEO_M(rest)(const double *k, double *state)
{
    struct RHEO_M(state) s = {0};
#ifdef RHEO_INITIAL
    RHEO_M(initial)(k, &s);
#endif
    (void)k;
    RHEO_M(store)(s, state);
}

/* As adjoint_lanes in template.h lays it out: the states, distances and derivatives of each step.
 */
static size_t RHEO_M(work)(uint32_t T)
{
    return (size_t)T * RHEO_BLOCK * (RHEO_M(states) + 2);
}

#if !RHEO_SPIKES
#define RHEO_LO 0
#define RHEO_HI 1
#endif
static const char RHEO_M(name)[] = RHEO_NAME;
static const rheo_neuron RHEO_M(model) = {.name = RHEO_M(name),
                                          .title = RHEO_TITLE,
                                          .equations = RHEO_EQUATIONS,
                                          .source = RHEO_SOURCE,
                                          .index = RHEO_M(index),
                                          .out = RHEO_SPIKES ? RHEO_BITS : RHEO_REAL,
                                          .lo = RHEO_LO,
                                          .hi = RHEO_HI,
                                          .stateless = RHEO_M(states) == 0,
                                          .draws = RHEO_DRAWS,
                                          .constants = RHEO_COUNT,
                                          .learnable = RHEO_M(learnable),
                                          .ports = RHEO_M(ports),
                                          .fields = RHEO_M(fields),
                                          .states = RHEO_M(state_fields),
                                          .readout = RHEO_READOUT,
                                          .derive = RHEO_M(derive),
                                          .initial = RHEO_M(rest),
                                          .work = RHEO_M(work),
                                          .multiplies = RHEO_MULTIPLIES,
                                          .adds = RHEO_ADDS,
                                          .reference = {RHEO_M(reference_step), RHEO_ADJOINT}};
#undef RHEO_ADJOINT
#undef RHEO_X_LOAD
#undef RHEO_X_STORE
#include "neuron/clear.h"
