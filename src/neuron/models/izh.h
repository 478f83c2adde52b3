/* izh.h: Izhikevich's neuron, a parabola with a recovery variable; izhikevich.h and
 * izhikevich_2007.h differ in how the coefficients come about.
 *
 *   dv/dt = q2 v^2 + q1 v + q0 + g (gain i - u)
 *   du/dt = a (b (v - v0) - u);    v >= peak: v = c, u = u + d
 *
 * One step of dt, as `step` says, then the reset where v >= peak:
 *   halves    the 2003 paper's program: v by two Euler steps of dt/2 with u and i constant, then u
 *             by one with the new v; the paper takes dt = 1 ms
 *   in-turn   v by one Euler step, then u by one with the new v (SpikingJelly)
 *   euler     v and u by one Euler step together (Norse)
 * First order, all three. The overshoot beyond the peak, not clipped there either, acts on u.
 * The surrogate's argument is (v - peak)/|peak - c|. */
#define RHEO_INPUTS   1
#define RHEO_COUNT    IZH_COUNT
#define RHEO_SPIKES   1
#define RHEO_LO       0
#define RHEO_HI       1
#define RHEO_GRADIENT 1
#define RHEO_READOUT  0
#define RHEO_STATE(X)                                                                              \
    X(v, RHEO_IZH_UNIT, RHEO_SCOPE_SAMPLE, "membrane")                                             \
    X(u, RHEO_IZH_UNIT_U, RHEO_SCOPE_SAMPLE, "recovery")

#ifndef RHEO_IZH_ONCE
#define RHEO_IZH_ONCE
enum {
    IZH_Q2, /* what is left of a step, a half or all, times q2, q1, q0, g */
    IZH_Q1,
    IZH_Q0,
    IZH_G,
    IZH_HALVES, /* 1: a first half step of v before */
    IZH_NEW,    /* 1: u sees the new v, 0: the old one */
    IZH_IN,     /* current for an input of 1 */
    IZH_A,      /* dt a */
    IZH_B,
    IZH_V0,
    IZH_PEAK,
    IZH_C,
    IZH_D,
    IZH_UNIT,
    IZH_PASS,
    IZH_START_V,
    IZH_START_U,
    IZH_COUNT
};
#endif

struct RHEO_M(state) {
    RHEO_STATE(RHEO_X_MEMBER)
};

RHEO_INLINE REAL RHEO_M(allowed)(const REAL *k, const struct RHEO_M(state) * s)
{
    (void)k; /* always 1, but gcc then does not split the step back by z, and vectorises it */
    return s->v < (REAL)1e30 ? (REAL)1 : (REAL)0;
}

/* How far v moves in what a step is made of. */
RHEO_INLINE REAL RHEO_M(move)(const REAL *k, REAL v, REAL i)
{
    return (k[IZH_Q2] * v + k[IZH_Q1]) * v + k[IZH_Q0] + k[IZH_G] * i;
}

RHEO_INLINE REAL RHEO_M(middle)(const REAL *k, REAL v, REAL i)
{
    return v + k[IZH_HALVES] * RHEO_M(move)(k, v, i);
}

RHEO_INLINE REAL RHEO_M(drive)(const REAL *k, const struct RHEO_M(state) * s, const REAL *in,
                               REAL *pre)
{
    REAL i = k[IZH_IN] * in[0] - s->u;
    REAL middle = RHEO_M(middle)(k, s->v, i);
    *pre = middle + RHEO_M(move)(k, middle, i);
    return (*pre - k[IZH_PEAK]) * k[IZH_UNIT];
}

RHEO_INLINE void RHEO_M(step)(const REAL *k, struct RHEO_M(state) * s, const REAL *in, REAL pre,
                              REAL z, REAL learn)
{
    REAL seen = k[IZH_NEW] > 0 ? pre : s->v;
    (void)in, (void)learn;
    s->u = s->u + k[IZH_A] * (k[IZH_B] * (seen - k[IZH_V0]) - s->u) + k[IZH_D] * z;
    s->v = pre * (1 - z) + k[IZH_C] * z;
}

RHEO_INLINE void RHEO_M(adjoint)(const REAL *k, const struct RHEO_M(state) * s, const REAL *in,
                                 REAL pre, REAL z, REAL d, REAL gz, struct RHEO_M(state) * gs,
                                 REAL *gin, REAL *gk)
{
    REAL i = k[IZH_IN] * in[0] - s->u, gu = gs->u;
    REAL gx = (gz + k[IZH_PASS] * (gs->v * (k[IZH_C] - pre)) + gu * k[IZH_D]) * d;
    REAL seen = k[IZH_NEW] > 0 ? pre : s->v, gseen = gu * (k[IZH_A] * k[IZH_B]);
    REAL gpre = gs->v - gs->v * z + gx * k[IZH_UNIT] + k[IZH_NEW] * gseen;
    REAL middle = RHEO_M(middle)(k, s->v, i);
    REAL gmiddle = gpre * (1 + 2 * k[IZH_Q2] * middle + k[IZH_Q1]);
    REAL gmove = k[IZH_HALVES] * gmiddle, gi = (gpre + gmove) * k[IZH_G];
    gk[IZH_A] += gu * (k[IZH_B] * (seen - k[IZH_V0]) - s->u);
    gk[IZH_B] += gu * k[IZH_A] * (seen - k[IZH_V0]);
    gk[IZH_C] += gs->v * z;
    gk[IZH_D] += gu * z;
    gk[IZH_UNIT] += gx * (pre - k[IZH_PEAK]);
    gk[IZH_IN] += gi * in[0];
    gs->v = gmiddle + gmove * (2 * k[IZH_Q2] * s->v + k[IZH_Q1]) + (1 - k[IZH_NEW]) * gseen;
    gs->u = gu * (1 - k[IZH_A]) - gi;
    gin[0] = gi * k[IZH_IN];
}

#if defined RHEO_ABOUT && !defined RHEO_IZH_ABOUT
#define RHEO_IZH_ABOUT
#include "neuron/models/spiking.h"
/* the model's own follow from IZH_F_OWN on */
enum {
    IZH_F_A,
    IZH_F_B,
    IZH_F_C,
    IZH_F_D,
    IZH_F_PEAK,
    IZH_F_GAIN,
    IZH_F_STEP,
    IZH_F_DETACH,
    IZH_F_OWN
};
static const char *const izh_steps[] = {"halves", "in-turn", "euler", NULL};
#define RHEO_IZH_LAST_FIELDS                                                                       \
    RHEO_CHOICE_FIELD(                                                                             \
        "step", 0, izh_steps,                                                                      \
        "v in two half steps, then u; v in one, then u; or both from the old v and u"),            \
        RHEO_DETACH_FIELD

/* Where it rests without input, else at (c, b (c - v0)). q: of dv/dt. */
static void izh_start(double q2, double q1, double q0, double g, double *k)
{
    double p = (q1 - g * k[IZH_B]) / q2, q = (q0 + g * k[IZH_B] * k[IZH_V0]) / q2;
    double root = p * p / 4 - q;
    k[IZH_START_V] = root >= 0 ? -p / 2 - sqrt(root) : k[IZH_C];
    k[IZH_START_U] = k[IZH_B] * (k[IZH_START_V] - k[IZH_V0]);
}

/* q2, q1, q0, g: of dv/dt */
static rheo_status izh_constants(rheo_context *ctx, const char *name, const rheo_options *o,
                                 double dt, const double q[4], double v0, double *k)
{
    const double *v = o->v, part = v[IZH_F_STEP] == 0 ? dt / 2 : dt;
    RHEO_CHECK(ctx, dt > 0, RHEO_USAGE, "%s: the step must be above 0 ms, found %g; give dt", name,
               dt);
    RHEO_CHECK(ctx, v[IZH_F_C] < v[IZH_F_PEAK], RHEO_USAGE,
               "%s: c = %g must be below peak = %g; lower it", name, v[IZH_F_C], v[IZH_F_PEAK]);
    RHEO_CHECK(ctx, v[IZH_F_A] * dt < 2, RHEO_USAGE,
               "%s: a dt = %g makes the recovery unstable, it must be below 2; shorten dt", name,
               v[IZH_F_A] * dt);
    k[IZH_Q2] = q[0] * part;
    k[IZH_Q1] = q[1] * part;
    k[IZH_Q0] = q[2] * part;
    k[IZH_G] = q[3] * part;
    k[IZH_HALVES] = v[IZH_F_STEP] == 0;
    k[IZH_NEW] = v[IZH_F_STEP] < 2;
    k[IZH_IN] = v[IZH_F_GAIN];
    k[IZH_A] = v[IZH_F_A] * dt;
    k[IZH_B] = v[IZH_F_B];
    k[IZH_V0] = v0;
    k[IZH_PEAK] = v[IZH_F_PEAK];
    k[IZH_C] = v[IZH_F_C];
    k[IZH_D] = v[IZH_F_D];
    k[IZH_UNIT] = 1 / (v[IZH_F_PEAK] - v[IZH_F_C]);
    k[IZH_PASS] = v[IZH_F_DETACH] == 0;
    izh_start(q[0], q[1], q[2], q[3], k);
    return RHEO_OK;
}
#endif
