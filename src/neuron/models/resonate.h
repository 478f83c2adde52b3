/* resonate.h: resonate-and-fire: a damped oscillation that answers to inputs in its own rhythm.
 *
 *   z = x + j y,  dz/dt = (-1/tau + j omega) z + i,  omega = 2 pi frequency
 *   spike where y > threshold
 *   reset   value: z = j reset_to (x 0, y reset_to); voltage: y = reset_to;
 *           subtract: y less the threshold; none: z goes on
 *
 * One step: z turns and decays exactly, then the input is added to x, as a pulse at the end of the
 * step: exact for pulses at any dt; for a current (pulses of i dt: gain = dt) y is of second order.
 * y is the voltage-like variable, x the current-like one.
 *
 * Source: Izhikevich 2001 (Neural Networks 14), reset value; SpikingJelly's RAFNode, reset voltage
 * and subtract. Learnable: frequency, tau, threshold, gain. Leaves out: the adaptive and balanced
 * forms. */
#ifdef RHEO_ROW
RHEO_ROW(resonate)
#else
#define RHEO_MODEL    resonate
#define RHEO_INPUTS   1
#define RHEO_COUNT    RES_COUNT
#define RHEO_SPIKES   1
#define RHEO_LO       0
#define RHEO_HI       1
#define RHEO_GRADIENT 1
#define RHEO_READOUT  0
#define RHEO_EDGE     RHEO_STRICT
#define RHEO_STATE(X)                                                                              \
    X(y, "1", RHEO_SCOPE_SAMPLE, "voltage-like part of the oscillation")                           \
    X(x, "1", RHEO_SCOPE_SAMPLE, "current-like part")

enum {
    RES_COS,
    RES_SIN,
    RES_GAIN,
    RES_THETA,
    RES_CLEARS, /* 1: a spike sets x to 0 */
    RES_RESETS, /* 1: and y to RES_TO */
    RES_TO,
    RES_CUT, /* what it takes off y */
    RES_PASS,
    RES_COUNT
};

struct RHEO_M(state) {
    RHEO_STATE(RHEO_X_MEMBER)
};

RHEO_INLINE REAL RHEO_M(allowed)(const REAL *k, const struct RHEO_M(state) * s)
{
    (void)k, (void)s;
    return 1;
}

RHEO_INLINE REAL RHEO_M(drive)(const REAL *k, const struct RHEO_M(state) * s, const REAL *in,
                               REAL *pre)
{
    (void)in;
    *pre = k[RES_SIN] * s->x + k[RES_COS] * s->y;
    return *pre - k[RES_THETA];
}

RHEO_INLINE void RHEO_M(step)(const REAL *k, struct RHEO_M(state) * s, const REAL *in, REAL pre,
                              REAL z, REAL learn)
{
    REAL x = k[RES_COS] * s->x - k[RES_SIN] * s->y + k[RES_GAIN] * in[0], r = k[RES_RESETS] * z;
    (void)learn;
    s->x = x * (1 - k[RES_CLEARS] * z);
    s->y = pre * (1 - r) + k[RES_TO] * r - k[RES_CUT] * z;
}

RHEO_INLINE void RHEO_M(adjoint)(const REAL *k, const struct RHEO_M(state) * s, const REAL *in,
                                 REAL pre, REAL z, REAL d, REAL gz, struct RHEO_M(state) * gs,
                                 REAL *gin, REAL *gk)
{
    REAL x = k[RES_COS] * s->x - k[RES_SIN] * s->y + k[RES_GAIN] * in[0], r = k[RES_RESETS] * z;
    REAL reset =
        gs->y * (k[RES_RESETS] * (k[RES_TO] - pre) - k[RES_CUT]) - gs->x * k[RES_CLEARS] * x;
    REAL gp = (gz + k[RES_PASS] * reset) * d;
    REAL gy = gs->y * (1 - r) + gp, gx = gs->x * (1 - k[RES_CLEARS] * z);
    gk[RES_COS] += gx * s->x + gy * s->y;
    gk[RES_SIN] += gy * s->x - gx * s->y;
    gk[RES_GAIN] += gx * in[0];
    gk[RES_THETA] -= gp;
    gk[RES_TO] += gs->y * r;
    gk[RES_CUT] -= gs->y * z;
    gs->x = k[RES_COS] * gx + k[RES_SIN] * gy;
    gs->y = k[RES_COS] * gy - k[RES_SIN] * gx;
    gin[0] = k[RES_GAIN] * gx;
}

#ifdef RHEO_ABOUT
#include "neuron/models/spiking.h"
#define RHEO_NAME  "resonate-and-fire"
#define RHEO_TITLE "resonate-and-fire"
#define RHEO_EQUATIONS                                                                             \
    "dz/dt = (-1/tau + j 2 pi frequency) z + gain i,  z = x + j y\n"                               \
    "spike where y > threshold: x = 0, y = reset_to   (reset value)"
#define RHEO_SOURCE     "Izhikevich 2001 (Neural Networks 14)"
#define RHEO_PORT_NAMES "input"
#define RHEO_MULTIPLIES 9
#define RHEO_ADDS       7
#define RHEO_LEARNABLE  "frequency", "tau", "threshold", "gain"
enum {
    RES_F_FREQUENCY,
    RES_F_TAU,
    RES_F_GAIN,
    RES_F_THRESHOLD,
    RES_F_RESET,
    RES_F_TO,
    RES_F_DETACH
};
static const char *const resonate_resets[] = {"value", "none", "voltage", "subtract", NULL};
enum { RES_VALUE, RES_NONE, RES_VOLTAGE, RES_SUBTRACT };
static const rheo_field resonate_fields[] = {
    RHEO_NUMBER_FIELD("frequency", "Hz", 50, 0, 1e6, "of its oscillation"),
    RHEO_NUMBER_FIELD("tau", "ms", 20, 1e-3, 1e9, "decay of the oscillation"),
    RHEO_NUMBER_FIELD("gain", "1", 1, -1e9, 1e9, "what an input of 1 adds to x"),
    RHEO_NUMBER_FIELD("threshold", "1", 1, 1e-30, 1e30, "y above it is a spike"),
    RHEO_CHOICE_FIELD("reset", 0, resonate_resets,
                      "value: x 0, y reset_to; voltage: y alone; subtract: y less the threshold"),
    RHEO_NUMBER_FIELD("reset_to", "1", 1, -1e30, 1e30,
                      "y after a spike, with reset value or voltage"),
    RHEO_DETACH_FIELD,
    RHEO_SURROGATE_FIELDS(0),
    RHEO_FIELD_END};

static rheo_status resonate_derive(rheo_context *ctx, const rheo_options *o, double dt, double *k)
{
    const double *v = o->v, angle = 2 * M_PI * v[RES_F_FREQUENCY] * dt / 1000;
    RHEO_CHECK(ctx, dt > 0, RHEO_USAGE,
               "resonate-and-fire: the step must be above 0 ms, found %g; give dt", dt);
    RHEO_CHECK(ctx, angle < M_PI, RHEO_USAGE,
               "resonate-and-fire: frequency = %g Hz needs steps below %g ms, found %g; shorten dt",
               v[RES_F_FREQUENCY], 500 / v[RES_F_FREQUENCY], dt);
    k[RES_COS] = exp(-dt / v[RES_F_TAU]) * cos(angle);
    k[RES_SIN] = exp(-dt / v[RES_F_TAU]) * sin(angle);
    k[RES_GAIN] = v[RES_F_GAIN];
    k[RES_THETA] = v[RES_F_THRESHOLD];
    k[RES_CLEARS] = v[RES_F_RESET] == RES_VALUE;
    k[RES_RESETS] = v[RES_F_RESET] == RES_VALUE || v[RES_F_RESET] == RES_VOLTAGE;
    k[RES_CUT] = v[RES_F_RESET] == RES_SUBTRACT ? v[RES_F_THRESHOLD] : 0;
    k[RES_TO] = v[RES_F_TO];
    k[RES_PASS] = v[RES_F_DETACH] == 0;
    return RHEO_OK;
}
#endif
#include RHEO_EMIT
#endif
