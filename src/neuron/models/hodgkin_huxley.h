/* hodgkin_huxley.h: the squid's giant axon, one patch of it.
 *
 *   C dv/dt = i - g_na m^3 h (v - e_na) - g_k n^4 (v - e_k) - g_l (v - e_l)
 *   dx/dt = alpha_x(v) (1 - x) - beta_x(v) x   for x = m, h, n
 *   alpha_m = 0.1 (v+40)/(1 - exp(-(v+40)/10))     beta_m = 4 exp(-(v+65)/18)
 *   alpha_h = 0.07 exp(-(v+65)/20)                 beta_h = 1/(1 + exp(-(v+35)/10))
 *   alpha_n = 0.01 (v+55)/(1 - exp(-(v+55)/10))    beta_n = 0.125 exp(-(v+65)/80)
 *
 * (rest at -65 mV, upward spikes, 6.3 degrees). A step of dt is two sub-steps, each an exponential
 * Euler step of the gates and then of v with them: stable at any dt, gates stay between 0 and 1. v
 * is of second order, the gates of first (what is left is half a sub-step between the two). dt of
 * 0.1 ms or less gives the spike's shape, above 1 ms a spike can be missed. It spikes where v rises
 * through `threshold`; nothing is reset. Input in microampere/cm^2. The surrogate's argument is (v
 * - threshold)/100 mV.
 *
 * Source: Hodgkin & Huxley 1952 (J. Physiol. 117), table 3 and equations 12 to 26, moved to
 * rest -65 mV and e_l that makes it rest. Learnable: g_na, g_k, g_l, gain. Leaves out: temperature.
 */
#ifdef RHEO_ROW
RHEO_ROW(hodgkin_huxley)
#else
#define RHEO_MODEL    hodgkin_huxley
#define RHEO_INPUTS   1
#define RHEO_COUNT    HH_COUNT
#define RHEO_SPIKES   1
#define RHEO_LO       0
#define RHEO_HI       1
#define RHEO_GRADIENT 1
#define RHEO_READOUT  0
#define RHEO_EDGE     RHEO_STRICT
#define RHEO_STATE(X)                                                                              \
    X(v, "mV", RHEO_SCOPE_SAMPLE, "membrane")                                                      \
    X(m, "1", RHEO_SCOPE_SAMPLE, "sodium activation")                                              \
    X(h, "1", RHEO_SCOPE_SAMPLE, "sodium inactivation")                                            \
    X(n, "1", RHEO_SCOPE_SAMPLE, "potassium activation")

enum {
    HH_DT,   /* of a sub-step */
    HH_RATE, /* that over C */
    HH_GNA,
    HH_GK,
    HH_GL,
    HH_ENA,
    HH_EK,
    HH_EL,
    HH_GAIN,
    HH_THRESHOLD,
    HH_M, /* at rest */
    HH_H,
    HH_N,
    HH_REST,
    HH_COUNT
};

struct RHEO_M(state) {
    RHEO_STATE(RHEO_X_MEMBER)
};

/* The rates of a gate at v and their slopes. */
struct hodgkin_huxley_rates {
    REAL a, b, da, db;
};

/* x/(1 - exp(-x)) and, in *slope, its derivative; by their series where |x| is small */
RHEO_INLINE REAL RHEO_M(ramp)(REAL x, REAL *slope)
{
    REAL small = RHEO_ABS(x) < (REAL)0.5 ? x : (REAL)0, q = small * small;
    REAL large = RHEO_ABS(x) < (REAL)0.5 ? (REAL)1 : x;
    REAL e = RHEO_EXP(-large), f = large / (1 - e);
    REAL near = 1 + small / 2 +
                q * ((REAL)(1.0 / 12) +
                     q * ((REAL)(-1.0 / 720) + q * ((REAL)(1.0 / 30240) - q / (REAL)1209600)));
    REAL d = (REAL)0.5 +
             small * ((REAL)(1.0 / 6) +
                      q * ((REAL)(-1.0 / 180) + q * ((REAL)(1.0 / 5040) - q / (REAL)151200)));
    *slope = RHEO_ABS(x) < (REAL)0.5 ? d : (1 - f * e) / (1 - e);
    return RHEO_ABS(x) < (REAL)0.5 ? near : f;
}

RHEO_INLINE struct hodgkin_huxley_rates RHEO_M(rates_m)(REAL v)
{
    REAL slope, f = RHEO_M(ramp)((v + 40) / 10, &slope), b = 4 * RHEO_EXP(-(v + 65) / 18);
    struct hodgkin_huxley_rates r = {f, b, slope / 10, -b / 18};
    return r;
}

RHEO_INLINE struct hodgkin_huxley_rates RHEO_M(rates_h)(REAL v)
{
    REAL a = (REAL)0.07 * RHEO_EXP(-(v + 65) / 20), b = 1 / (1 + RHEO_EXP(-(v + 35) / 10));
    struct hodgkin_huxley_rates r = {a, b, -a / 20, b * (1 - b) / 10};
    return r;
}

RHEO_INLINE struct hodgkin_huxley_rates RHEO_M(rates_n)(REAL v)
{
    REAL slope, f = RHEO_M(ramp)((v + 55) / 10, &slope);
    REAL b = (REAL)0.125 * RHEO_EXP(-(v + 65) / 80);
    struct hodgkin_huxley_rates r = {f / 10, b, slope / 100, -b / 80};
    return r;
}

RHEO_INLINE REAL RHEO_M(gate)(const REAL *k, REAL x, struct hodgkin_huxley_rates r)
{
    REAL sum = r.a + r.b, end = r.a / sum;
    return end + (x - end) * RHEO_EXP(-k[HH_DT] * sum);
}

/* One sub-step. */
RHEO_INLINE struct RHEO_M(state) RHEO_M(part)(const REAL *k, struct RHEO_M(state) s, REAL i)
{
    s.m = RHEO_M(gate)(k, s.m, RHEO_M(rates_m)(s.v));
    s.h = RHEO_M(gate)(k, s.h, RHEO_M(rates_h)(s.v));
    s.n = RHEO_M(gate)(k, s.n, RHEO_M(rates_n)(s.v));
    REAL na = k[HH_GNA] * (s.m * s.m * s.m * s.h), n2 = s.n * s.n, po = k[HH_GK] * (n2 * n2);
    REAL g = na + po + k[HH_GL];
    REAL end = (na * k[HH_ENA] + po * k[HH_EK] + k[HH_GL] * k[HH_EL] + i) / g;
    s.v = end + (s.v - end) * RHEO_EXP(-k[HH_RATE] * g);
    return s;
}

RHEO_INLINE REAL RHEO_M(allowed)(const REAL *k, const struct RHEO_M(state) * s)
{
    return s->v > k[HH_THRESHOLD] ? (REAL)0 : (REAL)1; /* it has to come from below */
}

RHEO_INLINE struct RHEO_M(state) RHEO_M(whole)(const REAL *k, struct RHEO_M(state) s, REAL i)
{
    return RHEO_M(part)(k, RHEO_M(part)(k, s, i), i);
}

RHEO_INLINE REAL RHEO_M(drive)(const REAL *k, const struct RHEO_M(state) * s, const REAL *in,
                               REAL *pre)
{
    struct RHEO_M(state) to = RHEO_M(whole)(k, *s, k[HH_GAIN] * in[0]);
    *pre = to.v;
    return (to.v - k[HH_THRESHOLD]) * (REAL)0.01;
}

RHEO_INLINE void RHEO_M(step)(const REAL *k, struct RHEO_M(state) * s, const REAL *in, REAL pre,
                              REAL z, REAL learn)
{
    (void)pre, (void)z, (void)learn;
    *s = RHEO_M(whole)(k, *s, k[HH_GAIN] * in[0]);
}

/* Back through a gate: *g from dL/dx after to before; returns dL/dv. */
RHEO_INLINE REAL RHEO_M(gate_back)(const REAL *k, REAL x, struct hodgkin_huxley_rates r, REAL *g)
{
    REAL sum = r.a + r.b, end = r.a / sum, e = RHEO_EXP(-k[HH_DT] * sum);
    REAL by_sum = -k[HH_DT] * (x - end) * e, by_end = (1 - e) / sum;
    REAL gv = *g * (by_sum * (r.da + r.db) + by_end * (r.da - end * (r.da + r.db)));
    *g = *g * e;
    return gv;
}

/* Back through one sub-step from s; adds to *gi. */
RHEO_INLINE void RHEO_M(part_back)(const REAL *k, struct RHEO_M(state) s, struct RHEO_M(state) * g,
                                   REAL i, REAL *gi, REAL *gk)
{
    struct hodgkin_huxley_rates rm = RHEO_M(rates_m)(s.v), rh = RHEO_M(rates_h)(s.v);
    struct hodgkin_huxley_rates rn = RHEO_M(rates_n)(s.v);
    REAL m = RHEO_M(gate)(k, s.m, rm), h = RHEO_M(gate)(k, s.h, rh), n = RHEO_M(gate)(k, s.n, rn);
    REAL open = m * m * m * h, na = k[HH_GNA] * open, n2 = n * n, po = k[HH_GK] * (n2 * n2);
    REAL sum = na + po + k[HH_GL];
    REAL end = (na * k[HH_ENA] + po * k[HH_EK] + k[HH_GL] * k[HH_EL] + i) / sum;
    REAL e = RHEO_EXP(-k[HH_RATE] * sum);
    REAL gend = g->v * (1 - e) / sum, gsum = g->v * (s.v - end) * e * -k[HH_RATE];
    REAL gna = gsum + gend * (k[HH_ENA] - end), gpo = gsum + gend * (k[HH_EK] - end);
    gk[HH_GNA] += gna * open;
    gk[HH_GK] += gpo * (n2 * n2);
    gk[HH_GL] += gsum + gend * (k[HH_EL] - end);
    *gi += gend;
    g->m += gna * k[HH_GNA] * (3 * m * m * h);
    g->h += gna * k[HH_GNA] * (m * m * m);
    g->n += gpo * k[HH_GK] * (4 * n2 * n);
    g->v = g->v * e + RHEO_M(gate_back)(k, s.m, rm, &g->m) + RHEO_M(gate_back)(k, s.h, rh, &g->h) +
           RHEO_M(gate_back)(k, s.n, rn, &g->n);
}

RHEO_INLINE void RHEO_M(adjoint)(const REAL *k, const struct RHEO_M(state) * s, const REAL *in,
                                 REAL pre, REAL z, REAL d, REAL gz, struct RHEO_M(state) * gs,
                                 REAL *gin, REAL *gk)
{
    REAL i = k[HH_GAIN] * in[0], gi = 0;
    struct RHEO_M(state) middle = RHEO_M(part)(k, *s, i);
    (void)pre, (void)z;
    gs->v += gz * d * (REAL)0.01;
    RHEO_M(part_back)(k, middle, gs, i, &gi, gk);
    RHEO_M(part_back)(k, *s, gs, i, &gi, gk);
    gin[0] = gi * k[HH_GAIN];
    gk[HH_GAIN] += gi * in[0];
}

#ifdef RHEO_ABOUT
#define RHEO_NAME  "hodgkin-huxley"
#define RHEO_TITLE "Hodgkin-Huxley, squid giant axon"
#define RHEO_EQUATIONS                                                                             \
    "C dv/dt = gain i - g_na m^3 h (v - e_na) - g_k n^4 (v - e_k) - g_l (v - e_l)\n"               \
    "dx/dt = alpha_x(v) (1 - x) - beta_x(v) x,  x = m, h, n, with the rates of 1952\n"             \
    "spike where v rises through `threshold`; no reset"
#define RHEO_SOURCE     "Hodgkin & Huxley 1952 (J. Physiol. 117), table 3 and equations 12 to 26"
#define RHEO_PORT_NAMES "input"
#define RHEO_MULTIPLIES 130
#define RHEO_ADDS       100
#define RHEO_INITIAL    1
#define RHEO_LEARNABLE  "g_na", "g_k", "g_l", "gain"
enum {
    HH_F_C,
    HH_F_GNA,
    HH_F_GK,
    HH_F_GL,
    HH_F_ENA,
    HH_F_EK,
    HH_F_EL,
    HH_F_GAIN,
    HH_F_REST,
    HH_F_THRESHOLD
};
static const rheo_field hodgkin_huxley_fields[] = {
    RHEO_NUMBER_FIELD("capacitance", "uF/cm2", 1, 1e-6, 1e6, "of the membrane"),
    RHEO_NUMBER_FIELD("g_na", "mS/cm2", 120, 0, 1e6, "sodium conductance, all open"),
    RHEO_NUMBER_FIELD("g_k", "mS/cm2", 36, 0, 1e6, "potassium conductance, all open"),
    RHEO_NUMBER_FIELD("g_l", "mS/cm2", 0.3, 1e-9, 1e6, "leak"),
    RHEO_NUMBER_FIELD("e_na", "mV", 50, -1e4, 1e4, "reversal potential of sodium"),
    RHEO_NUMBER_FIELD("e_k", "mV", -77, -1e4, 1e4, "of potassium"),
    RHEO_NUMBER_FIELD("e_l", "mV", -54.387, -1e4, 1e4, "of the leak"),
    RHEO_NUMBER_FIELD("gain", "uA/cm2", 1, -1e9, 1e9, "current for an input of 1"),
    RHEO_NUMBER_FIELD("start", "mV", -65, -200, 100, "v at the start, with gates at rest there"),
    RHEO_NUMBER_FIELD("threshold", "mV", 0, -1e4, 1e4, "v rising through it is a spike"),
    RHEO_SURROGATE_FIELDS(0),
    RHEO_FIELD_END};

static rheo_status hodgkin_huxley_derive(rheo_context *ctx, const rheo_options *o, double dt,
                                         double *k)
{
    const double *v = o->v, start = v[HH_F_REST];
    RHEO_CHECK(ctx, dt > 0, RHEO_USAGE,
               "hodgkin-huxley: the step must be above 0 ms, found %g; give dt", dt);
    k[HH_DT] = dt / 2;
    k[HH_RATE] = dt / 2 / v[HH_F_C];
    k[HH_GNA] = v[HH_F_GNA];
    k[HH_GK] = v[HH_F_GK];
    k[HH_GL] = v[HH_F_GL];
    k[HH_ENA] = v[HH_F_ENA];
    k[HH_EK] = v[HH_F_EK];
    k[HH_EL] = v[HH_F_EL];
    k[HH_GAIN] = v[HH_F_GAIN];
    k[HH_THRESHOLD] = v[HH_F_THRESHOLD];
    struct hodgkin_huxley_rates m = hodgkin_huxley_rates_m(start),
                                h = hodgkin_huxley_rates_h(start),
                                n = hodgkin_huxley_rates_n(start);
    k[HH_M] = m.a / (m.a + m.b);
    k[HH_H] = h.a / (h.a + h.b);
    k[HH_N] = n.a / (n.a + n.b);
    k[HH_REST] = start;
    return RHEO_OK;
}

static void hodgkin_huxley_initial(const double *k, struct hodgkin_huxley_state *s)
{
    s->v = k[HH_REST];
    s->m = k[HH_M];
    s->h = k[HH_H];
    s->n = k[HH_N];
}
#endif
#include RHEO_EMIT
#endif
