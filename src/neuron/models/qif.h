/* qif.h: quadratic integrate-and-fire, the normal form of a neuron that can fire slowly.
 *
 *   tau dv/dt = curve (v - rest)(v - critical) + gain i;   v > peak: v = reset
 *
 * One Euler step of dt: first order; stable while dt curve (rest + critical - 2 v)/tau < 2, so a
 * strongly negative input needs a short step. Between reset and peak and with constant input
 * v passes v_c + sqrt(q/curve) tan(...): the tests have the closed form of the period.
 * The surrogate's argument is (v - peak)/|peak - reset|.
 *
 * Defaults of SpikingJelly's QIFNode (rest 0, critical 0.8, peak 1, reset -0.1, curve 1, tau 2).
 * Learnable: tau, curve, critical, gain. Leaves out: the exact step. */
#ifdef RHEO_ROW
RHEO_ROW(qif)
#else
#define RHEO_MODEL    qif
#define RHEO_INPUTS   1
#define RHEO_COUNT    QIF_COUNT
#define RHEO_SPIKES   1
#define RHEO_LO       0
#define RHEO_HI       1
#define RHEO_GRADIENT 1
#define RHEO_READOUT  0
#define RHEO_EDGE     k[QIF_EDGE]
#define RHEO_STATE(X)                                                                              \
    X(v, "1", RHEO_SCOPE_SAMPLE, "membrane")                                                       \
    X(hold, "steps", RHEO_SCOPE_SAMPLE, "refractory steps left")

enum {
    QIF_CURVE, /* dt curve/tau */
    QIF_REST,
    QIF_CRITICAL,
    QIF_GAIN, /* dt gain/tau */
    QIF_PEAK,
    QIF_RESET,
    QIF_UNIT,
    QIF_HOLD,
    QIF_PASS,
    QIF_EDGE, /* RHEO_STRICT when the test is `greater`, else 0 */
    QIF_COUNT
};

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
    REAL v = s->v + (k[QIF_CURVE] * ((s->v - k[QIF_REST]) * (s->v - k[QIF_CRITICAL])) +
                     k[QIF_GAIN] * in[0]);
    *pre = s->hold > 0 ? s->v : v;
    return (*pre - k[QIF_PEAK]) * k[QIF_UNIT];
}

RHEO_INLINE void RHEO_M(step)(const REAL *k, struct RHEO_M(state) * s, const REAL *in, REAL pre,
                              REAL z, REAL learn)
{
    REAL left = s->hold - 1;
    (void)in, (void)learn;
    s->v = pre * (1 - z) + k[QIF_RESET] * z;
    left = left > 0 ? left : (REAL)0;
    s->hold = z > (REAL)0.5 ? k[QIF_HOLD] : left;
}

RHEO_INLINE void RHEO_M(adjoint)(const REAL *k, const struct RHEO_M(state) * s, const REAL *in,
                                 REAL pre, REAL z, REAL d, REAL gz, struct RHEO_M(state) * gs,
                                 REAL *gin, REAL *gk)
{
    REAL a = s->v - k[QIF_REST], b = s->v - k[QIF_CRITICAL];
    REAL gx = (gz + k[QIF_PASS] * (gs->v * (k[QIF_RESET] - pre))) * d;
    REAL gpre = (gs->v - gs->v * z) + gx * k[QIF_UNIT];
    REAL gmove = s->hold > 0 ? (REAL)0 : gpre;
    gk[QIF_CURVE] += gmove * (a * b);
    gk[QIF_CRITICAL] -= gmove * k[QIF_CURVE] * a;
    gk[QIF_GAIN] += gmove * in[0];
    gs->v = gpre + gmove * k[QIF_CURVE] * (a + b);
    gs->hold = 0;
    gin[0] = gmove * k[QIF_GAIN];
}

#ifdef RHEO_ABOUT
#include "neuron/models/spiking.h"
#define RHEO_NAME  "qif"
#define RHEO_TITLE "quadratic integrate-and-fire"
#define RHEO_EQUATIONS                                                                             \
    "tau dv/dt = curve (v - rest)(v - critical) + gain i\n"                                        \
    "spike when v > peak: v = reset for `refractory`"
#define RHEO_SOURCE                                                                                \
    "Latham et al. 2000 (J. Neurophysiol. 83); Gerstner et al. 2014, Neuronal Dynamics, "          \
    "section 5.3; defaults of SpikingJelly's QIFNode"
#define RHEO_PORT_NAMES "input"
#define RHEO_MULTIPLIES 5
#define RHEO_ADDS       8
#define RHEO_INITIAL    1
#define RHEO_LEARNABLE  "tau", "curve", "critical", "gain"
enum {
    QIF_F_TAU,
    QIF_F_REST,
    QIF_F_CRITICAL,
    QIF_F_CURVE,
    QIF_F_GAIN,
    QIF_F_PEAK,
    QIF_F_RESET,
    QIF_F_TEST,
    QIF_F_HOLD,
    QIF_F_DETACH
};
static const char *const qif_tests[] = {"greater", "greater-equal", NULL};
static const rheo_field qif_fields[] = {
    RHEO_NUMBER_FIELD("tau", "ms", 2, 1e-3, 1e9, "time constant"),
    RHEO_NUMBER_FIELD("rest", "1", 0, -1e4, 1e4, "membrane without input"),
    RHEO_NUMBER_FIELD("critical", "1", 0.8, -1e4, 1e4, "above it v runs away without input"),
    RHEO_NUMBER_FIELD("curve", "1", 1, 1e-6, 1e6, "of the parabola"),
    RHEO_NUMBER_FIELD("gain", "1", 1, -1e9, 1e9, "of the input"),
    RHEO_NUMBER_FIELD("peak", "1", 1, -1e4, 1e4, "v above it is a spike"),
    RHEO_NUMBER_FIELD("reset", "1", -0.1, -1e4, 1e4, "membrane after a spike"),
    RHEO_CHOICE_FIELD("test", 0, qif_tests, "v > peak, or v >= peak"),
    RHEO_NUMBER_FIELD("refractory", "ms", 0, 0, 1e6, "held at reset after a spike"),
    RHEO_DETACH_FIELD,
    RHEO_SURROGATE_FIELDS(0),
    RHEO_FIELD_END};

static rheo_status qif_derive(rheo_context *ctx, const rheo_options *o, double dt, double *k)
{
    const double *v = o->v, span = v[QIF_F_PEAK] - v[QIF_F_RESET];
    RHEO_CHECK(ctx, dt > 0, RHEO_USAGE, "qif: the step must be above 0 ms, found %g; give dt", dt);
    RHEO_CHECK(ctx, span > 0, RHEO_USAGE, "qif: reset = %g must be below peak = %g; lower it",
               v[QIF_F_RESET], v[QIF_F_PEAK]);
    RHEO_CHECK(ctx, v[QIF_F_HOLD] / dt <= 1e6, RHEO_USAGE,
               "qif: refractory = %g ms is more than 1000000 steps of %g ms; shorten it or "
               "lengthen dt",
               v[QIF_F_HOLD], dt);
    k[QIF_CURVE] = dt * v[QIF_F_CURVE] / v[QIF_F_TAU];
    k[QIF_REST] = v[QIF_F_REST];
    k[QIF_CRITICAL] = v[QIF_F_CRITICAL];
    k[QIF_GAIN] = dt * v[QIF_F_GAIN] / v[QIF_F_TAU];
    k[QIF_PEAK] = v[QIF_F_PEAK];
    k[QIF_RESET] = v[QIF_F_RESET];
    k[QIF_UNIT] = 1 / span;
    k[QIF_HOLD] = round(v[QIF_F_HOLD] / dt);
    k[QIF_PASS] = v[QIF_F_DETACH] == 0;
    k[QIF_EDGE] = (int)v[QIF_F_TEST] == 0 ? RHEO_STRICT : 0;
    return RHEO_OK;
}

static void qif_initial(const double *k, struct qif_state *s)
{
    s->v = k[QIF_REST];
}
#endif
#include RHEO_EMIT
#endif
