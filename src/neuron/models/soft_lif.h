/* soft_lif.h: the firing rate of a LIF neuron under constant input, its kink smoothed: what
 * Hunsberger & Eliasmith train, to run it as spiking neurons (lif_refractory.h) afterwards.
 *
 *   j = gamma ln(1 + exp((gain x - 1) / gamma))          the excess over the threshold current 1
 *   r = amplitude / (tau_ref + tau_rc ln(1 + 1/j))       amplitude [ms] times rate [1/ms]
 *   dr/dx = gain amplitude tau_rc s / (D^2 j (j + 1)),   s = 1/(1 + exp(-(gain x - 1)/gamma)),
 *                                                        D the denominator of r
 *
 * For y = (gain x - 1)/gamma below -20, where j is e^y gamma to 2e-9, ln(1 + 1/j) is -y - ln gamma
 * and s/j is 1/gamma: no overflow anywhere. Source: Hunsberger & Eliasmith 2015 (arXiv 1510.08829),
 * equations 4 to 6. Leaves out: the training noise on the rate (a layer of its own). */
#ifdef RHEO_ROW
RHEO_ROW(soft_lif)
#else
#define RHEO_MODEL    soft_lif
#define RHEO_INPUTS   1
#define RHEO_COUNT    SOFT_COUNT
#define RHEO_SPIKES   0
#define RHEO_GRADIENT 1
#define RHEO_READOUT  RHEO_STATES
#define RHEO_STATE(X)

enum {
    SOFT_SCALE,
    SOFT_OFFSET,
    SOFT_GAMMA,
    SOFT_LOG,
    SOFT_REF,
    SOFT_RC,
    SOFT_AMPLITUDE,
    SOFT_GAIN,
    SOFT_COUNT
};

struct soft_lif_state {
    REAL none;
};

RHEO_INLINE REAL RHEO_M(allowed)(const REAL *k, const struct soft_lif_state *s)
{
    (void)k;
    (void)s;
    return 1;
}

/* D; *ratio: s / (j (j + 1)) */
RHEO_INLINE REAL RHEO_M(period)(const REAL *k, REAL x, REAL *ratio)
{
    REAL y = k[SOFT_SCALE] * x - k[SOFT_OFFSET];
    REAL e = RHEO_EXP(-RHEO_ABS(y));
    REAL j = k[SOFT_GAMMA] * ((y > 0 ? y : (REAL)0) + RHEO_LOG1P(e));
    REAL s = (y > 0 ? (REAL)1 : e) / (1 + e);
    REAL log = y < -20 ? -y - k[SOFT_LOG] : RHEO_LOG1P(1 / j);
    *ratio = y < -20 ? k[SOFT_OFFSET] : s / (j * (j + 1));
    return k[SOFT_REF] + k[SOFT_RC] * log;
}

RHEO_INLINE REAL RHEO_M(drive)(const REAL *k, const struct soft_lif_state *s, const REAL *in,
                               REAL *pre)
{
    REAL ratio;
    (void)s;
    *pre = k[SOFT_AMPLITUDE] / RHEO_M(period)(k, in[0], &ratio);
    return 0;
}

RHEO_INLINE void RHEO_M(step)(const REAL *k, struct soft_lif_state *s, const REAL *in, REAL pre,
                              REAL z, REAL learn)
{
    (void)k, (void)s, (void)in, (void)pre, (void)z, (void)learn;
}

RHEO_INLINE void RHEO_M(adjoint)(const REAL *k, const struct soft_lif_state *s, const REAL *in,
                                 REAL pre, REAL z, REAL d, REAL gz, struct soft_lif_state *gs,
                                 REAL *gin, REAL *gk)
{
    REAL ratio, period = RHEO_M(period)(k, in[0], &ratio);
    (void)s, (void)pre, (void)z, (void)d, (void)gs, (void)gk;
    gin[0] = gz * (k[SOFT_GAIN] * ratio / (period * period));
}

#ifdef RHEO_ABOUT
#define RHEO_NAME  "soft-lif"
#define RHEO_TITLE "rate of a LIF neuron with a smoothed threshold"
#define RHEO_EQUATIONS                                                                             \
    "j = gamma ln(1 + exp((gain x - 1) / gamma))\n"                                                \
    "r = amplitude / (tau_ref + tau_rc ln(1 + 1/j))"
#define RHEO_SOURCE     "Hunsberger & Eliasmith 2015 (arXiv 1510.08829)"
#define RHEO_PORT_NAMES "input"
#define RHEO_MULTIPLIES 7
#define RHEO_ADDS       6
static const rheo_field soft_lif_fields[] = {
    RHEO_NUMBER_FIELD("tau_rc", "ms", 20, 1e-3, 1e6, "time constant of the membrane"),
    RHEO_NUMBER_FIELD("tau_ref", "ms", 2, 1e-3, 1e6, "refractory time"),
    RHEO_NUMBER_FIELD("gamma", "1", 0.02, 1e-4, 1e3, "width of the smoothed threshold"),
    RHEO_NUMBER_FIELD("gain", "1", 1, 1e-6, 1e6, "current for an input of 1; it fires above 1"),
    RHEO_NUMBER_FIELD("amplitude", "ms", 1, 1e-6, 1e6, "output for a rate of one spike a ms"),
    RHEO_FIELD_END};

static rheo_status soft_lif_derive(rheo_context *ctx, const rheo_options *o, double dt, double *k)
{
    double rc = o->v[0], ref = o->v[1], gamma = o->v[2], gain = o->v[3], amplitude = o->v[4];
    (void)ctx;
    (void)dt;
    k[SOFT_SCALE] = gain / gamma;
    k[SOFT_OFFSET] = 1 / gamma;
    k[SOFT_GAMMA] = gamma;
    k[SOFT_LOG] = log(gamma);
    k[SOFT_REF] = ref;
    k[SOFT_RC] = rc;
    k[SOFT_AMPLITUDE] = amplitude;
    k[SOFT_GAIN] = gain * amplitude * rc;
    return RHEO_OK;
}
#endif
#include RHEO_EMIT
#endif
