/* exponential.h: the exponential integrate-and-fire neuron, with adaptation (adex.h,
 * RHEO_ADAPTS 1) or without (eif.h).
 *
 *   tau dv/dt = -(v - rest) + delta exp((v - rheobase)/delta) + R (i - w)
 *   tau_w dw/dt = a (v - rest) - w
 *   spike where v > peak: v = reset for `refractory`, w += b
 *
 * One step: v moves by 1 - exp(-dt/tau) (decay exponential) or dt/tau (decay euler) of the way to
 * where the right-hand side, frozen, would let it rest: first order, stable for any dt as far as
 * the leak goes. The upstroke ends at the peak, and beyond it the exponential stays what it is
 * there, so nothing overflows. w takes the same kind of step, with v as it was before.
 * With tau_syn above 0 the input i feeds a current that decays, in one of two orders:
 *   membrane-first   v is driven by c[t-1],         c[t] = keep c[t-1] + i[t]
 *   decay-after      v is driven by c[t-1] + i[t],  c[t] = keep (c[t-1] + i[t])   (Norse's)
 *
 * The surrogate's argument is (v - peak)/|peak - reset|: its slope has no unit. */
#define RHEO_INPUTS   1
#define RHEO_SPIKES   1
#define RHEO_LO       0
#define RHEO_HI       1
#define RHEO_GRADIENT 1
#define RHEO_READOUT  0
#define RHEO_EDGE     RHEO_STRICT
#if RHEO_ADAPTS
#define RHEO_STATE(X)                                                                              \
    X(v, "mV", RHEO_SCOPE_SAMPLE, "membrane")                                                      \
    X(c, "pA", RHEO_SCOPE_SAMPLE, "synaptic current")                                              \
    X(hold, "steps", RHEO_SCOPE_SAMPLE, "refractory steps left")                                   \
    X(w, "pA", RHEO_SCOPE_SAMPLE, "adaptation current")
#else
#define RHEO_STATE(X)                                                                              \
    X(v, "mV", RHEO_SCOPE_SAMPLE, "membrane")                                                      \
    X(c, "mV", RHEO_SCOPE_SAMPLE, "synaptic current times resistance")                             \
    X(hold, "steps", RHEO_SCOPE_SAMPLE, "refractory steps left")
#endif

#ifndef RHEO_EXPONENTIAL_ONCE
#define RHEO_EXPONENTIAL_ONCE
enum {
    EXPO_RATE, /* of the way to rest in a step */
    EXPO_REST,
    EXPO_GAIN, /* R */
    EXPO_DELTA,
    EXPO_SHARP, /* 1/delta */
    EXPO_RHEOBASE,
    EXPO_PEAK,
    EXPO_RESET,
    EXPO_UNIT, /* 1/|peak - reset| */
    EXPO_HOLD,
    EXPO_OLD, /* of the current before this step's input */
    EXPO_NOW, /* of the input itself */
    EXPO_KEEP,
    EXPO_TAKE, /* of the input, into the current */
    EXPO_PASS,
    EXPO_RATE_W,
    EXPO_A,
    EXPO_B,
    EXPO_COUNT
};
#endif
#define RHEO_COUNT (RHEO_ADAPTS ? EXPO_COUNT : EXPO_RATE_W)

struct RHEO_M(state) {
    RHEO_STATE(RHEO_X_MEMBER)
};

RHEO_INLINE REAL RHEO_M(allowed)(const REAL *k, const struct RHEO_M(state) * s)
{
    (void)k;
    return s->hold > 0 ? (REAL)0 : (REAL)1;
}

/* exp((v - rheobase)/delta), not above its value at the peak */
RHEO_INLINE REAL RHEO_M(upstroke)(const REAL *k, REAL v)
{
    REAL least = v < k[EXPO_PEAK] ? v : k[EXPO_PEAK];
    return RHEO_EXP((least - k[EXPO_RHEOBASE]) * k[EXPO_SHARP]);
}

/* What v moves towards, from v. */
RHEO_INLINE REAL RHEO_M(pull)(const REAL *k, const struct RHEO_M(state) * s, const REAL *in, REAL e)
{
    REAL i = k[EXPO_OLD] * s->c + k[EXPO_NOW] * in[0];
#if RHEO_ADAPTS
    i = i - s->w;
#endif
    return k[EXPO_REST] - s->v + k[EXPO_DELTA] * e + k[EXPO_GAIN] * i;
}

RHEO_INLINE REAL RHEO_M(drive)(const REAL *k, const struct RHEO_M(state) * s, const REAL *in,
                               REAL *pre)
{
    REAL v = s->v + k[EXPO_RATE] * RHEO_M(pull)(k, s, in, RHEO_M(upstroke)(k, s->v));
    *pre = s->hold > 0 ? s->v : v;
    return (*pre - k[EXPO_PEAK]) * k[EXPO_UNIT];
}

RHEO_INLINE void RHEO_M(step)(const REAL *k, struct RHEO_M(state) * s, const REAL *in, REAL pre,
                              REAL z, REAL learn)
{
    REAL left = s->hold - 1;
    (void)learn;
#if RHEO_ADAPTS
    s->w = s->w + k[EXPO_RATE_W] * (k[EXPO_A] * (s->v - k[EXPO_REST]) - s->w) + k[EXPO_B] * z;
#endif
    s->v = pre * (1 - z) + k[EXPO_RESET] * z;
    s->c = k[EXPO_KEEP] * s->c + k[EXPO_TAKE] * in[0];
    left = left > 0 ? left : (REAL)0;
    s->hold = z > (REAL)0.5 ? k[EXPO_HOLD] : left;
}

RHEO_INLINE void RHEO_M(adjoint)(const REAL *k, const struct RHEO_M(state) * s, const REAL *in,
                                 REAL pre, REAL z, REAL d, REAL gz, struct RHEO_M(state) * gs,
                                 REAL *gin, REAL *gk)
{
    REAL e = RHEO_M(upstroke)(k, s->v), slope = s->v < k[EXPO_PEAK] ? e : (REAL)0;
    REAL i = k[EXPO_OLD] * s->c + k[EXPO_NOW] * in[0];
    REAL total = gz + k[EXPO_PASS] * (gs->v * (k[EXPO_RESET] - pre));
#if RHEO_ADAPTS
    REAL gw = gs->w;
    i = i - s->w;
    total = total + gw * k[EXPO_B];
#endif
    REAL gx = total * d, gpre = (gs->v - gs->v * z) + gx * k[EXPO_UNIT];
    REAL gmove = s->hold > 0 ? (REAL)0 : gpre; /* a held membrane does not move */
    REAL gpull = gmove * k[EXPO_RATE], gi = gpull * k[EXPO_GAIN], gc = gs->c;
    gk[EXPO_RATE] += gmove * RHEO_M(pull)(k, s, in, e);
    gk[EXPO_GAIN] += gpull * i;
    gk[EXPO_DELTA] += gpull * e;
    gk[EXPO_SHARP] += gpull * k[EXPO_DELTA] * slope * (s->v - k[EXPO_RHEOBASE]);
    gk[EXPO_RHEOBASE] -= gpull * slope;
    gk[EXPO_RESET] += gs->v * z;
    gs->v = gpre + gpull * (slope - 1);
#if RHEO_ADAPTS
    gk[EXPO_RATE_W] += gw * (k[EXPO_A] * (s->v - k[EXPO_REST]) - s->w);
    gk[EXPO_A] += gw * k[EXPO_RATE_W] * (s->v - k[EXPO_REST]);
    gk[EXPO_B] += gw * z;
    gs->v += gw * k[EXPO_RATE_W] * k[EXPO_A];
    gs->w = gw * (1 - k[EXPO_RATE_W]) - gi;
#endif
    gs->c = k[EXPO_KEEP] * gc + k[EXPO_OLD] * gi;
    gs->hold = 0;
    gin[0] = k[EXPO_TAKE] * gc + k[EXPO_NOW] * gi;
}

#if defined RHEO_ABOUT && !defined RHEO_EXPONENTIAL_ABOUT
#define RHEO_EXPONENTIAL_ABOUT
#include "neuron/models/spiking.h"
static const char *const expo_orders[] = {"membrane-first", "decay-after", NULL};
enum {
    EXPO_F_REST,
    EXPO_F_RHEOBASE,
    EXPO_F_DELTA,
    EXPO_F_PEAK,
    EXPO_F_RESET,
    EXPO_F_HOLD,
    EXPO_F_TAU_SYN,
    EXPO_F_DECAY,
    EXPO_F_ORDER,
    EXPO_F_DETACH,
    EXPO_F_OWN /* the model's own follow */
};
#define RHEO_EXPONENTIAL_FIELDS(rest, rheobase, delta, peak, reset)                                \
    RHEO_NUMBER_FIELD("rest", "mV", rest, -1e4, 1e4, "membrane without input"),                    \
        RHEO_NUMBER_FIELD("rheobase", "mV", rheobase, -1e4, 1e4,                                   \
                          "where the upstroke begins (V_T)"),                                      \
        RHEO_NUMBER_FIELD("delta", "mV", delta, 1e-3, 1e4, "sharpness of the upstroke"),           \
        RHEO_NUMBER_FIELD("peak", "mV", peak, -1e4, 1e4, "v above it is a spike"),                 \
        RHEO_NUMBER_FIELD("reset", "mV", reset, -1e4, 1e4, "membrane after a spike"),              \
        RHEO_NUMBER_FIELD("refractory", "ms", 0, 0, 1e6, "held at reset after a spike"),           \
        RHEO_NUMBER_FIELD("tau_syn", "ms", 0, 0, 1e9, "decay of the input's current; 0: none"),    \
        RHEO_CHOICE_FIELD("decay", 0, spiking_decays, "step of what decays"),                      \
        RHEO_CHOICE_FIELD("order", 0, expo_orders,                                                 \
                          "with tau_syn: v takes the current before the input, or with it"),       \
        RHEO_DETACH_FIELD

/* The part of a decay that a step does. */
static double expo_part(const rheo_options *o, double dt, double tau)
{
    return (int)o->v[EXPO_F_DECAY] == 0 ? -expm1(-dt / tau) : dt / tau;
}

static rheo_status expo_constants(rheo_context *ctx, const char *name, const rheo_options *o,
                                  double dt, double tau, double *k)
{
    const double *v = o->v, syn = v[EXPO_F_TAU_SYN], span = v[EXPO_F_PEAK] - v[EXPO_F_RHEOBASE];
    RHEO_CHECK(ctx, dt > 0, RHEO_USAGE, "%s: the step must be above 0 ms, found %g; give dt", name,
               dt);
    RHEO_CHECK(ctx, v[EXPO_F_RESET] < v[EXPO_F_PEAK], RHEO_USAGE,
               "%s: reset = %g mV must be below peak = %g mV; lower it", name, v[EXPO_F_RESET],
               v[EXPO_F_PEAK]);
    RHEO_CHECK(ctx, span / v[EXPO_F_DELTA] <= 60, RHEO_USAGE,
               "%s: peak - rheobase = %g mV is more than 60 times delta = %g mV; lower peak, the "
               "upstroke takes no time that far up",
               name, span, v[EXPO_F_DELTA]);
    RHEO_CHECK(ctx, v[EXPO_F_HOLD] / dt <= 1e6, RHEO_USAGE,
               "%s: refractory = %g ms is more than 1000000 steps of %g ms; shorten it or "
               "lengthen dt",
               name, v[EXPO_F_HOLD], dt);
    k[EXPO_RATE] = expo_part(o, dt, tau);
    k[EXPO_REST] = v[EXPO_F_REST];
    k[EXPO_DELTA] = v[EXPO_F_DELTA];
    k[EXPO_SHARP] = 1 / v[EXPO_F_DELTA];
    k[EXPO_RHEOBASE] = v[EXPO_F_RHEOBASE];
    k[EXPO_PEAK] = v[EXPO_F_PEAK];
    k[EXPO_RESET] = v[EXPO_F_RESET];
    k[EXPO_UNIT] = 1 / (v[EXPO_F_PEAK] - v[EXPO_F_RESET]);
    k[EXPO_HOLD] = round(v[EXPO_F_HOLD] / dt);
    const bool after = syn > 0 && (int)v[EXPO_F_ORDER] == 1;
    k[EXPO_OLD] = syn > 0;
    k[EXPO_NOW] = !(syn > 0) || after;
    k[EXPO_KEEP] = syn > 0 ? 1 - expo_part(o, dt, syn) : 0;
    k[EXPO_TAKE] = after ? k[EXPO_KEEP] : 1;
    k[EXPO_PASS] = v[EXPO_F_DETACH] == 0;
    return RHEO_OK;
}
#endif
