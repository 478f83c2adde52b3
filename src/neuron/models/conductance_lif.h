/* conductance_lif.h: integrate-and-fire with excitatory and inhibitory conductances and an adaptive
 * threshold: the neuron of Diehl & Cook.
 *
 *   tau dv/dt = (rest - v) + g_e (E_e - v) + g_i (E_i - v)
 *   tau_e dg_e/dt = -g_e,  tau_i dg_i/dt = -g_i;   a presynaptic spike adds its weight to g
 *   spike when v > threshold + offset + theta: v = reset for `refractory`, theta += theta_plus
 *   tau_theta dtheta/dt = -theta                   (theta moves only where learning is on)
 *
 * One step of dt: the input is added to the conductances, v takes an exponential Euler step with
 * them (exact for constant g, so stable at any dt), then they decay exactly. g is in units of the
 * leak, 0 or above.
 *
 * theta changes by 5e-8 of itself a step, below what float32 can hold: `rest` keeps what rounding
 * took away (Kahan's compensated sum), so that the decay is right over 10^7 steps.
 *
 * Parameters [default]: tau 100 ms, rest -65, reset -65, threshold -52, offset -20 mV, refractory
 * 5 ms, tau_excite 1, tau_inhibit 2 ms, reversal_excite 0, reversal_inhibit -100 mV, theta_init 20,
 * theta_plus 0.05 mV, tau_theta 1e7 ms; adaptive no leaves theta and offset out (the inhibitory
 * layer).
 * Source: Diehl & Cook 2015 (Front. Comput. Neurosci.), values of the authors' program.
 *
 * The gradient has v, the conductances and, while learning, theta in it; a spike's reset of v
 * passes none where `detach` is on. The surrogate's argument is (v - threshold)/|threshold -
 * reset|. Leaves out: learned parameters. */
#ifdef RHEO_ROW
RHEO_ROW(conductance)
#else
#define RHEO_MODEL    conductance
#define RHEO_INPUTS   2
#define RHEO_COUNT    COND_COUNT
#define RHEO_SPIKES   1
#define RHEO_LO       0
#define RHEO_HI       1
#define RHEO_GRADIENT 1
#define RHEO_READOUT  0
#define RHEO_STATE(X)                                                                              \
    X(v, "mV", RHEO_SCOPE_SAMPLE, "membrane")                                                      \
    X(ge, "1", RHEO_SCOPE_SAMPLE, "excitatory conductance, in units of the leak")                  \
    X(gi, "1", RHEO_SCOPE_SAMPLE, "inhibitory conductance, in units of the leak")                  \
    X(hold, "steps", RHEO_SCOPE_SAMPLE, "refractory steps left")                                   \
    X(theta, "mV", RHEO_SCOPE_RUN, "adaptive part of the threshold")                               \
    X(rest, "mV", RHEO_SCOPE_RUN, "what rounding left out of theta")

enum {
    COND_RATE, /* dt/tau */
    COND_LEAK, /* rest */
    COND_RESET,
    COND_THRESHOLD,
    COND_HOLD,
    COND_KEEP_E,
    COND_KEEP_I,
    COND_E,
    COND_I,
    COND_PLUS,
    COND_LOSS,  /* 1 - exp(-dt/tau_theta) */
    COND_THETA, /* at the start */
    COND_UNIT,  /* 1/|threshold - reset| */
    COND_PASS,
    COND_COUNT
};

/* A conductance that has decayed below this is none: arithmetic on denormal numbers is slow. */
#define COND_NOTHING (REAL)1e-20

struct RHEO_M(state) {
    RHEO_STATE(RHEO_X_MEMBER)
};

RHEO_INLINE REAL RHEO_M(allowed)(const REAL *k, const struct RHEO_M(state) * s)
{
    (void)k;
    return s->hold > 0 ? (REAL)0 : (REAL)1;
}

RHEO_INLINE REAL RHEO_M(drive)(const REAL *k, const struct RHEO_M(state) * s, const REAL *in,
                               REAL *pre)
{
    REAL ge = s->ge + in[0], gi = s->gi + in[1];
    REAL g = 1 + ge + gi;
    REAL end = (k[COND_LEAK] + ge * k[COND_E] + gi * k[COND_I]) / g;
    REAL v = end + (s->v - end) * RHEO_EXP(-k[COND_RATE] * g);
    *pre = s->hold > 0 ? s->v : v;
    return (*pre - (k[COND_THRESHOLD] + s->theta)) * k[COND_UNIT];
}

RHEO_INLINE void RHEO_M(step)(const REAL *k, struct RHEO_M(state) * s, const REAL *in, REAL pre,
                              REAL z, REAL learn)
{
    REAL left = s->hold - 1;
    s->v = pre * (1 - z) + k[COND_RESET] * z;
    REAL ge = (s->ge + in[0]) * k[COND_KEEP_E], gi = (s->gi + in[1]) * k[COND_KEEP_I];
    s->ge = ge > COND_NOTHING ? ge : (REAL)0;
    s->gi = gi > COND_NOTHING ? gi : (REAL)0;
    left = left > 0 ? left : (REAL)0;
    s->hold = z > (REAL)0.5 ? k[COND_HOLD] : left;
    REAL change = k[COND_PLUS] * z - k[COND_LOSS] * s->theta + s->rest;
    REAL theta = s->theta + change;
    REAL rest = change - (theta - s->theta);
    s->theta = learn > 0 ? theta : s->theta;
    s->rest = learn > 0 ? rest : s->rest;
}

RHEO_INLINE void RHEO_M(adjoint)(const REAL *k, const struct RHEO_M(state) * s, const REAL *in,
                                 REAL pre, REAL z, REAL d, REAL gz, struct RHEO_M(state) * gs,
                                 REAL *gin, REAL *gk)
{
    REAL ge = s->ge + in[0], gi = s->gi + in[1], g = 1 + ge + gi;
    REAL end = (k[COND_LEAK] + ge * k[COND_E] + gi * k[COND_I]) / g;
    REAL keep = RHEO_EXP(-k[COND_RATE] * g);
    REAL total = gz + k[COND_PASS] * (gs->v * (k[COND_RESET] - pre)) + gs->theta * k[COND_PLUS];
    REAL gx = total * d * k[COND_UNIT], gpre = (gs->v - gs->v * z) + gx;
    REAL gmove = s->hold > 0 ? (REAL)0 : gpre; /* a held membrane does not move */
    REAL gend = gmove * (1 - keep), gsum = -k[COND_RATE] * gmove * (s->v - end) * keep;
    REAL left_e = ge * k[COND_KEEP_E] > COND_NOTHING ? gs->ge * k[COND_KEEP_E] : (REAL)0;
    REAL left_i = gi * k[COND_KEEP_I] > COND_NOTHING ? gs->gi * k[COND_KEEP_I] : (REAL)0;
    (void)gk;
    gs->ge = left_e + gsum + gend * (k[COND_E] - end) / g;
    gs->gi = left_i + gsum + gend * (k[COND_I] - end) / g;
    gs->v = s->hold > 0 ? gpre : gpre * keep;
    gs->theta = gs->theta * (1 - k[COND_LOSS]) - gx;
    gs->rest = 0;
    gs->hold = 0;
    gin[0] = gs->ge;
    gin[1] = gs->gi;
}

#ifdef RHEO_ABOUT
#include "neuron/models/spiking.h"
#define RHEO_NAME  "conductance-lif"
#define RHEO_TITLE "conductance-based integrate-and-fire with adaptive threshold"
#define RHEO_EQUATIONS                                                                             \
    "tau dv/dt = (rest - v) + g_e (E_e - v) + g_i (E_i - v)\n"                                     \
    "tau_e dg_e/dt = -g_e,  tau_i dg_i/dt = -g_i;  a spike adds its weight to g\n"                 \
    "spike when v > threshold + offset + theta: v = reset, theta += theta_plus\n"                  \
    "tau_theta dtheta/dt = -theta"
#define RHEO_SOURCE     "Diehl & Cook 2015 (Front. Comput. Neurosci.), values of the authors' program"
#define RHEO_PORT_NAMES "excite", "inhibit"
#define RHEO_MULTIPLIES 13
#define RHEO_ADDS       17
#define RHEO_INITIAL    1
enum {
    COND_F_TAU,
    COND_F_REST,
    COND_F_RESET,
    COND_F_THRESHOLD,
    COND_F_OFFSET,
    COND_F_REFRACTORY,
    COND_F_TAU_E,
    COND_F_TAU_I,
    COND_F_E,
    COND_F_I,
    COND_F_ADAPTIVE,
    COND_F_THETA,
    COND_F_PLUS,
    COND_F_TAU_THETA,
    COND_F_DETACH
};
static const rheo_field conductance_fields[] = {
    RHEO_NUMBER_FIELD("tau", "ms", 100, 1e-3, 1e9, "time constant of the membrane"),
    RHEO_NUMBER_FIELD("rest", "mV", -65, -1e4, 1e4, "membrane without input"),
    RHEO_NUMBER_FIELD("reset", "mV", -65, -1e4, 1e4, "membrane after a spike"),
    RHEO_NUMBER_FIELD("threshold", "mV", -52, -1e4, 1e4, "fixed part of the threshold"),
    RHEO_NUMBER_FIELD("offset", "mV", -20, -1e4, 1e4,
                      "added to the threshold when it is adaptive: -theta_init keeps its start"),
    RHEO_NUMBER_FIELD("refractory", "ms", 5, 0, 1e6, "held at reset after a spike"),
    RHEO_NUMBER_FIELD("tau_excite", "ms", 1, 1e-3, 1e12, "decay of the excitatory conductance"),
    RHEO_NUMBER_FIELD("tau_inhibit", "ms", 2, 1e-3, 1e12, "decay of the inhibitory conductance"),
    RHEO_NUMBER_FIELD("reversal_excite", "mV", 0, -1e4, 1e4, "where excitation pulls v"),
    RHEO_NUMBER_FIELD("reversal_inhibit", "mV", -100, -1e4, 1e4, "where inhibition pulls v"),
    RHEO_FLAG_FIELD("adaptive", 1, "the threshold rises with each spike and decays"),
    RHEO_NUMBER_FIELD("theta_init", "mV", 20, -1e4, 1e4, "adaptive part at the start"),
    RHEO_NUMBER_FIELD("theta_plus", "mV", 0.05, 0, 1e4, "rise of the threshold with a spike"),
    RHEO_NUMBER_FIELD("tau_theta", "ms", 1e7, 1e-3, 1e15, "decay of the adaptive part"),
    RHEO_DETACH_FIELD,
    RHEO_SURROGATE_FIELDS(0),
    RHEO_FIELD_END};

static rheo_status conductance_derive(rheo_context *ctx, const rheo_options *o, double dt,
                                      double *k)
{
    const double *v = o->v;
    bool adaptive = v[COND_F_ADAPTIVE] != 0;
    RHEO_CHECK(ctx, dt > 0, RHEO_USAGE,
               "conductance-lif: the step must be above 0 ms, found %g; give dt", dt);
    RHEO_CHECK(ctx, v[COND_F_REFRACTORY] / dt <= 1e6, RHEO_USAGE,
               "conductance-lif: refractory = %g ms is more than 1000000 steps of %g ms; "
               "shorten it or lengthen dt",
               v[COND_F_REFRACTORY], dt);
    k[COND_RATE] = dt / v[COND_F_TAU];
    k[COND_LEAK] = v[COND_F_REST];
    k[COND_RESET] = v[COND_F_RESET];
    /* strictly above, as in leaky.h */
    k[COND_THRESHOLD] =
        nextafterf((float)(v[COND_F_THRESHOLD] + (adaptive ? v[COND_F_OFFSET] : 0)), INFINITY);
    k[COND_HOLD] = round(v[COND_F_REFRACTORY] / dt);
    k[COND_KEEP_E] = exp(-dt / v[COND_F_TAU_E]);
    k[COND_KEEP_I] = exp(-dt / v[COND_F_TAU_I]);
    k[COND_E] = v[COND_F_E];
    k[COND_I] = v[COND_F_I];
    k[COND_PLUS] = adaptive ? v[COND_F_PLUS] : 0;
    k[COND_LOSS] = adaptive ? -expm1(-dt / v[COND_F_TAU_THETA]) : 0;
    k[COND_THETA] = adaptive ? v[COND_F_THETA] : 0;
    double span = fabs(v[COND_F_THRESHOLD] - v[COND_F_RESET]);
    k[COND_UNIT] = span > 0 ? 1 / span : 1;
    k[COND_PASS] = v[COND_F_DETACH] == 0;
    return RHEO_OK;
}

static void conductance_initial(const double *k, struct conductance_state *s)
{
    s->v = k[COND_LEAK];
    s->theta = k[COND_THETA];
}
#endif
#include RHEO_EMIT
#endif
