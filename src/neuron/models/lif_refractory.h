/* lif_refractory.h: LIF whose spike times and refractory time are not bound to the grid of steps:
 * the spiking partner of soft_lif.h.
 *
 *   i[t] = a i[t-1] + (1 - a) gain I[t],  a = exp(-dt/tau_syn) (0 when tau_syn is 0)
 *   tau_rc dv/dt = i - v,  solved exactly over the part of the step that is not refractory
 *   spike when v > 1, at the crossing, `late` before the end of the step:
 *       late = -tau_rc ln(1 - (v - 1)/(i - 1));  v = 0;  the refractory time left is tau_ref - late
 *
 * When late is above tau_ref, the rest is made up for in the next step, so constant i gives the
 * rate 1/(tau_ref + tau_rc ln(1 + 1/(i - 1))) up to one spike a step. v does not fall below 0.
 * Source: the method of Hunsberger & Eliasmith 2015 and of Nengo's LIF.
 * Leaves out: a gradient (soft_lif.h has it); more than one spike a step. */
#ifdef RHEO_ROW
RHEO_ROW(lif_refractory)
#else
#define RHEO_MODEL    lif_refractory
#define RHEO_INPUTS   1
#define RHEO_COUNT    REFR_COUNT
#define RHEO_SPIKES   1
#define RHEO_LO       0
#define RHEO_HI       1
#define RHEO_GRADIENT 0
#define RHEO_READOUT  0
#define RHEO_STATE(X)                                                                              \
    X(v, "1", RHEO_SCOPE_SAMPLE, "membrane")                                                       \
    X(i, "1", RHEO_SCOPE_SAMPLE, "filtered input current")                                         \
    X(wait, "ms", RHEO_SCOPE_SAMPLE, "refractory time left")

enum { REFR_KEEP, REFR_TAKE, REFR_DT, REFR_RATE, REFR_RC, REFR_REF, REFR_TEST, REFR_COUNT };

struct RHEO_M(state) {
    RHEO_STATE(RHEO_X_MEMBER)
};

RHEO_INLINE REAL RHEO_M(allowed)(const REAL *k, const struct RHEO_M(state) * s)
{
    (void)k;
    (void)s;
    return 1;
}

RHEO_INLINE REAL RHEO_M(drive)(const REAL *k, const struct RHEO_M(state) * s, const REAL *in,
                               REAL *pre)
{
    REAL i = k[REFR_KEEP] * s->i + k[REFR_TAKE] * in[0];
    REAL open = k[REFR_DT] - s->wait;
    open = open > 0 ? open : (REAL)0;
    REAL v = s->v + (i - s->v) * (1 - RHEO_EXP(-k[REFR_RATE] * open));
    *pre = v > 0 ? v : (REAL)0;
    return *pre - k[REFR_TEST];
}

RHEO_INLINE void RHEO_M(step)(const REAL *k, struct RHEO_M(state) * s, const REAL *in, REAL pre,
                              REAL z, REAL learn)
{
    REAL left = s->wait - k[REFR_DT];
    (void)learn;
    s->i = k[REFR_KEEP] * s->i + k[REFR_TAKE] * in[0];
    /* where there was no spike the division has a safe denominator and the result is not used */
    REAL over = (pre - 1) / (z > 0 ? s->i - 1 : (REAL)1);
    REAL late = -k[REFR_RC] * RHEO_LOG1P(-(z > 0 ? over : (REAL)0));
    left = left > 0 ? left : (REAL)0;
    s->wait = z > 0 ? k[REFR_REF] - late : left;
    s->v = z > 0 ? (REAL)0 : pre;
}

#ifdef RHEO_ABOUT
#define RHEO_NAME  "lif-refractory"
#define RHEO_TITLE "LIF with spike times inside the step, refractory time and synaptic filter"
#define RHEO_EQUATIONS                                                                             \
    "tau_syn di/dt = gain I - i\n"                                                                 \
    "tau_rc dv/dt = i - v, not during tau_ref after a spike\n"                                     \
    "spike when v > 1: v = 0"
#define RHEO_SOURCE     "Hunsberger & Eliasmith 2015 (arXiv 1510.08829)"
#define RHEO_PORT_NAMES "input"
#define RHEO_MULTIPLIES 8
#define RHEO_ADDS       8
static const rheo_field lif_refractory_fields[] = {
    RHEO_NUMBER_FIELD("tau_rc", "ms", 20, 1e-3, 1e6, "time constant of the membrane"),
    RHEO_NUMBER_FIELD("tau_ref", "ms", 2, 0, 1e6, "refractory time"),
    RHEO_NUMBER_FIELD("tau_syn", "ms", 0, 0, 1e6, "time constant of the input filter; 0: none"),
    RHEO_NUMBER_FIELD("gain", "1", 1, 1e-6, 1e6, "current for an input of 1; it fires above 1"),
    RHEO_FIELD_END};

static rheo_status lif_refractory_derive(rheo_context *ctx, const rheo_options *o, double dt,
                                         double *k)
{
    double rc = o->v[0], ref = o->v[1], syn = o->v[2], gain = o->v[3];
    RHEO_CHECK(ctx, dt > 0, RHEO_USAGE,
               "lif-refractory: the step must be above 0 ms, found %g; give dt", dt);
    k[REFR_KEEP] = syn > 0 ? exp(-dt / syn) : 0;
    k[REFR_TAKE] = gain * (syn > 0 ? -expm1(-dt / syn) : 1);
    k[REFR_DT] = dt;
    k[REFR_RATE] = 1 / rc;
    k[REFR_RC] = rc;
    k[REFR_REF] = ref;
    k[REFR_TEST] = nextafterf(1, INFINITY);
    return RHEO_OK;
}
#endif
#include RHEO_EMIT
#endif
