/* leaky.h: what the leaky family shares: lif, if, lapicque, plif, klif and, with a synapse,
 * cuba-lif (they differ in how the constants come about).
 *
 *   w = (v[t-1] - sub_old s[t-1]) (1 - zero_old s[t-1])   the spike before resets: when next-old
 *   u = beta w + gain i[t] + bias                         i counts 0 while refractory
 *   p = (u - sub_next s[t-1]) (1 - zero_next s[t-1])      the spike before resets: when next
 *   s[t] = p > theta                                      not while refractory
 *   v[t] = (p - sub_same s[t]) (1 - zero_same s[t])       this spike resets: when same
 *
 * again: a reset in the next step is that of all whose membrane was above theta, also of those that
 * other neurons of the layer kept from spiking (without gradient); and where v is still above theta
 * after its reset by subtraction in the same step, theta is taken from p once more, and of a spike
 * then nothing more: what snnTorch's undelayed reset does.
 *
 * sub_* are theta or 0, zero_* are 1 or 0, so at most one of the six acts. Where zero_* acts, v
 * becomes `value`. p is held between `floor` and `ceiling`. The adjoint multiplies what flows
 * through the resets by `pass`, 0 when detached. next-old, value, bias, floor and ceiling are in
 * the full loop only (RHEO_FULL).
 *
 * A header may define before including this one
 *   LEAKY_SYNAPSE         the current is a state: used = use_i i[t-1] + use_x x[t] drives v, and
 *                         i[t] = keep_i i[t-1] + keep_x x[t]
 *   LEAKY_RECTIFY         p becomes max(0, sharp p) before the test; v is divided by `scale` after
 *                         it
 * Leaves out: several spikes in one step; gradients of floor and ceiling, and through refractory
 * time. */
#define RHEO_INPUTS   1
#define RHEO_SPIKES   1
#define RHEO_LO       0
#define RHEO_HI       1
#define RHEO_GRADIENT 1
#define RHEO_READOUT  0
#define RHEO_EDGE     k[LEAKY_EDGE]
#define RHEO_PLAIN    (k[LEAKY_FORM] <= 0)
/* Without refractory time, 1: reset by subtraction in the next step, or none; 2: in the same step.
 */
#define RHEO_LEANS          1
#define RHEO_LEAN           (-(int)k[LEAKY_FORM])
#define RHEO_IDLE(at, form) ((form) < 0 && (at) == RHEO_M(at_hold))
#ifdef LEAKY_SYNAPSE
#define RHEO_STATE(X)                                                                              \
    X(v, "1", RHEO_SCOPE_SAMPLE, "membrane")                                                       \
    X(z, "1", RHEO_SCOPE_SAMPLE, "spike of the step before")                                       \
    X(hold, "steps", RHEO_SCOPE_SAMPLE, "refractory steps left")                                   \
    X(i, "1", RHEO_SCOPE_SAMPLE, "synaptic current")
#else
#define RHEO_STATE(X)                                                                              \
    X(v, "1", RHEO_SCOPE_SAMPLE, "membrane")                                                       \
    X(z, "1", RHEO_SCOPE_SAMPLE, "spike of the step before")                                       \
    X(hold, "steps", RHEO_SCOPE_SAMPLE, "refractory steps left")
#endif

#ifndef RHEO_LEAKY_ONCE
#define RHEO_LEAKY_ONCE
enum {
    LEAKY_BETA,
    LEAKY_GAIN,
    LEAKY_THETA,
    LEAKY_EDGE, /* RHEO_STRICT when the test is `greater`, else 0 */
    LEAKY_SUB_NEXT,
    LEAKY_ZERO_NEXT,
    LEAKY_SUB_SAME,
    LEAKY_ZERO_SAME,
    LEAKY_HOLD,
    LEAKY_PASS,
    LEAKY_FORM, /* of the loops; 1: the full one, for what follows */
    LEAKY_SUB_OLD,
    LEAKY_ZERO_OLD,
    LEAKY_VALUE,
    LEAKY_BIAS,
    LEAKY_FLOOR,
    LEAKY_CEILING,
    LEAKY_START,
    LEAKY_AGAIN,
    LEAKY_LOOK,
    LEAKY_COUNT, /* a model's own constants follow */
    LEAKY_USE_I = LEAKY_COUNT,
    LEAKY_USE_X,
    LEAKY_KEEP_I,
    LEAKY_KEEP_X,
    LEAKY_SYNAPSE_COUNT,
    LEAKY_SHARP = LEAKY_COUNT,
    LEAKY_SCALE, /* one over what v is divided by */
    LEAKY_RECTIFY_COUNT
};
/* The resets that a form of the loops has. */
#define LEAKY_NEXT     (in[RHEO_FULL] > -2)
#define LEAKY_NEXT_ANY (in[RHEO_FULL] >= 0) /* not by subtraction only */
#define LEAKY_SAME     (in[RHEO_FULL] >= 0 || in[RHEO_FULL] < -1)
#endif

struct RHEO_M(state) {
    RHEO_STATE(RHEO_X_MEMBER)
};

/* A step, all that drive, step and adjoint need of it. */
struct RHEO_M(part) {
    REAL input, current, again, z0, old, sum, next, pre;
};

RHEO_INLINE REAL RHEO_M(allowed)(const REAL *k, const struct RHEO_M(state) * s)
{
    (void)k;
    return s->hold > 0 ? (REAL)0 : (REAL)1;
}

/* 1 where the membrane of the step before is above the threshold, in the full loop. */
RHEO_INLINE REAL RHEO_M(high)(const REAL *k, const struct RHEO_M(state) * s, const REAL *in)
{
    if (in[RHEO_FULL] > 0) return s->v - k[LEAKY_THETA] >= k[LEAKY_EDGE] ? (REAL)1 : (REAL)0;
    return 0;
}

/* What a reset in the next step takes for the spike. */
RHEO_INLINE REAL RHEO_M(spike_before)(const REAL *k, const struct RHEO_M(state) * s, const REAL *in)
{
    if (in[RHEO_FULL] > 0) return k[LEAKY_LOOK] > 0 ? RHEO_M(high)(k, s, in) : s->z;
    return s->z;
}

RHEO_INLINE struct RHEO_M(part)
    RHEO_M(parts)(const REAL *k, const struct RHEO_M(state) * s, const REAL *in)
{
    struct RHEO_M(part) p;
    p.input = s->hold > 0 ? (REAL)0 : in[0];
#ifdef LEAKY_SYNAPSE
    p.current = k[LEAKY_USE_I] * s->i + k[LEAKY_USE_X] * p.input;
#else
    p.current = p.input;
#endif
    p.old = s->v;
    p.again = k[LEAKY_AGAIN] * RHEO_M(high)(k, s, in);
    p.z0 = RHEO_M(spike_before)(k, s, in);
    if (in[RHEO_FULL] > 0)
        p.old = (s->v - k[LEAKY_SUB_OLD] * p.z0) * (1 - k[LEAKY_ZERO_OLD] * p.z0) +
                k[LEAKY_ZERO_OLD] * p.z0 * k[LEAKY_VALUE];
    p.sum = k[LEAKY_BETA] * p.old + k[LEAKY_GAIN] * p.current;
    if (in[RHEO_FULL] > 0) p.sum = p.sum + k[LEAKY_BIAS];
    p.next = p.sum;
    if (LEAKY_NEXT) p.next = p.next - k[LEAKY_SUB_NEXT] * p.z0;
    if (LEAKY_NEXT_ANY) p.next = p.next * (1 - k[LEAKY_ZERO_NEXT] * p.z0);
    if (in[RHEO_FULL] > 0)
        p.next = p.next + k[LEAKY_ZERO_NEXT] * p.z0 * k[LEAKY_VALUE] - k[LEAKY_SUB_SAME] * p.again;
    p.pre = p.next;
#ifdef LEAKY_RECTIFY
    p.pre = p.next > 0 ? k[LEAKY_SHARP] * p.next : (REAL)0;
#endif
    if (in[RHEO_FULL] > 0) {
        p.pre = p.pre < k[LEAKY_FLOOR] ? k[LEAKY_FLOOR] : p.pre;
        p.pre = p.pre > k[LEAKY_CEILING] ? k[LEAKY_CEILING] : p.pre;
    }
    return p;
}

RHEO_INLINE REAL RHEO_M(drive)(const REAL *k, const struct RHEO_M(state) * s, const REAL *in,
                               REAL *pre)
{
    *pre = RHEO_M(parts)(k, s, in).pre;
    return *pre - k[LEAKY_THETA];
}

RHEO_INLINE void RHEO_M(step)(const REAL *k, struct RHEO_M(state) * s, const REAL *in, REAL pre,
                              REAL z, REAL learn)
{
    (void)in;
    (void)learn;
    REAL left = s->hold - 1;
#ifdef LEAKY_SYNAPSE
    s->i = k[LEAKY_KEEP_I] * s->i + k[LEAKY_KEEP_X] * (s->hold > 0 ? (REAL)0 : in[0]);
#endif
    REAL again = k[LEAKY_AGAIN] * RHEO_M(high)(k, s, in);
    s->v = pre;
    if (LEAKY_SAME) s->v = (pre - k[LEAKY_SUB_SAME] * z) * (1 - k[LEAKY_ZERO_SAME] * z);
    if (in[RHEO_FULL] > 0)
        s->v = s->v + k[LEAKY_ZERO_SAME] * z * k[LEAKY_VALUE] + k[LEAKY_SUB_SAME] * again;
#ifdef LEAKY_RECTIFY
    s->v = s->v * k[LEAKY_SCALE];
#endif
    s->z = z;
    left = left > 0 ? left : (REAL)0;
    s->hold = z > (REAL)0.5 ? k[LEAKY_HOLD] : left;
}

/* dL/d of p.next from that of p.pre. */
RHEO_INLINE REAL RHEO_M(before_bounds)(const REAL *k, const struct RHEO_M(part) * p, const REAL *in,
                                       REAL gpre, REAL *gk)
{
    (void)k, (void)p, (void)gk;
    if (in[RHEO_FULL] > 0) {
        gpre = p->pre <= k[LEAKY_FLOOR] ? (REAL)0 : gpre;
        gpre = p->pre >= k[LEAKY_CEILING] ? (REAL)0 : gpre;
    }
#ifdef LEAKY_RECTIFY
    gk[LEAKY_SHARP] += p->next > 0 ? gpre * p->next : (REAL)0;
    gpre = p->next > 0 ? gpre * k[LEAKY_SHARP] : (REAL)0;
#endif
    return gpre;
}

RHEO_INLINE void RHEO_M(adjoint)(const REAL *k, const struct RHEO_M(state) * s, const REAL *in,
                                 REAL pre, REAL z, REAL d, REAL gz, struct RHEO_M(state) * gs,
                                 REAL *gin, REAL *gk)
{
    const struct RHEO_M(part) p = RHEO_M(parts)(k, s, in);
    const REAL value = in[RHEO_FULL] > 0 ? k[LEAKY_VALUE] : (REAL)0;
    REAL keep_same = 1 - k[LEAKY_ZERO_SAME] * z, keep_next = 1 - k[LEAKY_ZERO_NEXT] * p.z0;
    REAL left = pre - k[LEAKY_SUB_SAME] * z, gv = gs->v;
    REAL by_z = k[LEAKY_SUB_SAME] * keep_same + k[LEAKY_ZERO_SAME] * left;
    REAL by_z0 = k[LEAKY_SUB_NEXT];
    if (LEAKY_NEXT_ANY)
        by_z0 = by_z0 * keep_next + k[LEAKY_ZERO_NEXT] * (p.sum - k[LEAKY_SUB_NEXT] * p.z0);
#ifdef LEAKY_RECTIFY
    gk[LEAKY_SCALE] += gv * (left * keep_same + k[LEAKY_ZERO_SAME] * z * value);
    gv = gv * k[LEAKY_SCALE];
#endif
    if (in[RHEO_FULL] > 0) {
        by_z = by_z - k[LEAKY_ZERO_SAME] * value;
        by_z0 = by_z0 - k[LEAKY_ZERO_NEXT] * value;
    }
    REAL total = LEAKY_NEXT ? gz + gs->z : gz;
    if (LEAKY_SAME) total = total - k[LEAKY_PASS] * (gv * by_z);
    REAL gafter = LEAKY_SAME ? gv * keep_same : gv;
    REAL gpre = RHEO_M(before_bounds)(k, &p, in, gafter + total * d, gk);
    REAL gu = LEAKY_NEXT_ANY ? gpre * keep_next : gpre;
    REAL gold = k[LEAKY_BETA] * gu, gspike = gpre * by_z0;
    gk[LEAKY_BETA] += gu * p.old;
    gk[LEAKY_GAIN] += gu * p.current;
    gk[LEAKY_THETA] -= total * d;
    gk[LEAKY_SUB_NEXT] -= gu * p.z0;
    gk[LEAKY_SUB_SAME] -= gv * keep_same * z;
    if (in[RHEO_FULL] > 0) {
        REAL keep_old = 1 - k[LEAKY_ZERO_OLD] * p.z0;
        gk[LEAKY_SUB_SAME] += (gv - gpre) * p.again;
        gk[LEAKY_SUB_OLD] -= gold * keep_old * p.z0;
        gk[LEAKY_VALUE] += gv * k[LEAKY_ZERO_SAME] * z + gpre * k[LEAKY_ZERO_NEXT] * p.z0 +
                           gold * k[LEAKY_ZERO_OLD] * p.z0;
        gk[LEAKY_BIAS] += gu;
        gspike = gspike + gold * (k[LEAKY_SUB_OLD] * keep_old +
                                  k[LEAKY_ZERO_OLD] * (s->v - k[LEAKY_SUB_OLD] * p.z0 - value));
        gold = gold * keep_old;
    }
    gs->v = gold;
    gs->z = -(k[LEAKY_PASS] * gspike);
    if (in[RHEO_FULL] > 0) gs->z = k[LEAKY_LOOK] > 0 ? (REAL)0 : gs->z;
    gs->hold = 0;
#ifdef LEAKY_SYNAPSE
    REAL gi = gs->i, gcurrent = k[LEAKY_GAIN] * gu;
    gk[LEAKY_USE_I] += gcurrent * s->i;
    gk[LEAKY_USE_X] += gcurrent * p.input;
    gk[LEAKY_KEEP_I] += gi * s->i;
    gk[LEAKY_KEEP_X] += gi * p.input;
    gs->i = k[LEAKY_USE_I] * gcurrent + k[LEAKY_KEEP_I] * gi;
    gin[0] = s->hold > 0 ? (REAL)0 : k[LEAKY_USE_X] * gcurrent + k[LEAKY_KEEP_X] * gi;
#else
    gin[0] = s->hold > 0 ? (REAL)0 : k[LEAKY_GAIN] * gu;
#endif
}

#ifdef RHEO_ABOUT
#define RHEO_INITIAL    1
#define RHEO_PORT_NAMES "input"

static void RHEO_M(initial)(const double *k, struct RHEO_M(state) * s)
{
    s->v = k[LEAKY_START];
}
#endif

#if defined RHEO_ABOUT && !defined RHEO_LEAKY_ABOUT
#define RHEO_LEAKY_ABOUT
#include "neuron/models/spiking.h"
/* The options that all have, in this order, first in their tables. */
enum {
    LEAKY_F_THRESHOLD,
    LEAKY_F_RESET,
    LEAKY_F_WHEN,
    LEAKY_F_VALUE,
    LEAKY_F_AGAIN,
    LEAKY_F_TEST,
    LEAKY_F_HOLD,
    LEAKY_F_FLOOR,
    LEAKY_F_CEILING,
    LEAKY_F_START,
    LEAKY_F_DETACH,
    LEAKY_F_OWN /* where a model's own fields start */
};
static const char *const leaky_resets[] = {"subtract", "zero", "none", "value", NULL};
static const char *const leaky_whens[] = {"next", "same", "next-old", NULL};
#define RHEO_LEAKY_FIELDS                                                                          \
    RHEO_NUMBER_FIELD("threshold", "1", 1, 1e-30, 1e30, "the membrane spikes above it"),           \
        RHEO_CHOICE_FIELD("reset", 0, leaky_resets, "what a spike does to the membrane"),          \
        RHEO_CHOICE_FIELD("when", 0, leaky_whens,                                                  \
                          "reset in the next step (v is shown before it), in the same, or in the " \
                          "next before the old membrane decays"),                                  \
        RHEO_NUMBER_FIELD("reset_value", "1", 0, -1e30, 1e30, "the membrane after reset value"),   \
        RHEO_FLAG_FIELD("again", 0,                                                                \
                        "the next step resets what was above the threshold, spike or not, and "    \
                        "after a reset in the same step once more"),                               \
        RHEO_CHOICE_FIELD("test", 0, spiking_tests, "v > threshold, or v >= threshold"),           \
        RHEO_INTEGER_FIELD("refractory", "steps", 0, 0, 1e6,                                       \
                           "steps after a spike without input and without spikes"),                \
        RHEO_NUMBER_FIELD("floor", "1", -1e30, -1e30, 1e30,                                        \
                          "lower bound of the membrane, before the test"),                         \
        RHEO_NUMBER_FIELD("ceiling", "1", 1e30, -1e30, 1e30,                                       \
                          "upper bound of the membrane, before the test"),                         \
        RHEO_NUMBER_FIELD("start", "1", 0, -1e30, 1e30,                                            \
                          "the membrane at the start; half the threshold makes a rate of if "      \
                          "round, not fall short"),                                                \
        RHEO_DETACH_FIELD
#define LEAKY_LEARNABLE "threshold", "reset_value", "start"

static void leaky_constants(const double *v, double beta, double gain, double bias, double *k)
{
    double theta = v[LEAKY_F_THRESHOLD];
    int reset = (int)v[LEAKY_F_RESET], when = (int)v[LEAKY_F_WHEN];
    bool subtract = reset == 0, zero = reset == 1 || reset == 3;
    k[LEAKY_BETA] = beta;
    k[LEAKY_GAIN] = gain;
    k[LEAKY_THETA] = theta;
    k[LEAKY_EDGE] = (int)v[LEAKY_F_TEST] == 0 ? RHEO_STRICT : 0;
    k[LEAKY_SUB_NEXT] = subtract && when == 0 ? theta : 0;
    k[LEAKY_ZERO_NEXT] = zero && when == 0;
    k[LEAKY_SUB_SAME] = subtract && when == 1 ? theta : 0;
    k[LEAKY_ZERO_SAME] = zero && when == 1;
    k[LEAKY_SUB_OLD] = subtract && when == 2 ? theta : 0;
    k[LEAKY_ZERO_OLD] = zero && when == 2;
    k[LEAKY_HOLD] = v[LEAKY_F_HOLD];
    k[LEAKY_PASS] = v[LEAKY_F_DETACH] == 0;
    k[LEAKY_VALUE] = reset == 3 ? v[LEAKY_F_VALUE] : 0;
    k[LEAKY_BIAS] = bias;
    k[LEAKY_FLOOR] = v[LEAKY_F_FLOOR];
    k[LEAKY_CEILING] = v[LEAKY_F_CEILING];
    k[LEAKY_START] = v[LEAKY_F_START];
    k[LEAKY_AGAIN] = v[LEAKY_F_AGAIN] != 0 && when == 1;
    k[LEAKY_LOOK] = v[LEAKY_F_AGAIN] != 0 && when != 1;
    const bool rare = when == 2 || reset == 3 || bias != 0 || v[LEAKY_F_AGAIN] != 0 ||
                      v[LEAKY_F_FLOOR] > -1e30 || v[LEAKY_F_CEILING] < 1e30;
    const int lean = v[LEAKY_F_HOLD] > 0 ? 0 : when == 1 ? 2 : zero ? 0 : 1;
    k[LEAKY_FORM] = rare ? 1 : -lean;
}

/* beta from its own field or, where tau is not 0, from that. */
static rheo_status leaky_decay(rheo_context *ctx, const char *model, double beta, double tau,
                               bool euler, double dt, double *out)
{
    *out = beta;
    RHEO_CHECK(ctx, tau == 0 || dt > 0, RHEO_USAGE,
               "%s: tau = %g ms needs a step above 0 ms, found %g; give dt, or beta instead of tau",
               model, tau, dt);
    RHEO_CHECK(
        ctx, tau == 0 || !euler || tau >= dt, RHEO_USAGE,
        "%s: tau = %g ms is shorter than the step of %g ms, which euler cannot follow; shorten "
        "dt or take decay: exponential",
        model, tau, dt);
    if (tau > 0) *out = euler ? 1 - dt / tau : exp(-dt / tau);
    return RHEO_OK;
}
#endif
