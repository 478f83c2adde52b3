/* siegert.h: the mean firing rate of a leaky integrate-and-fire neuron whose input is white noise:
 * what many Poisson inputs look like. A rate unit, without state.
 *
 *   tau dv/dt = -v + mean + s sqrt(tau) xi(t);   v > threshold: v = reset for tau_ref
 *   1/rate = tau_ref + tau sqrt(pi) I,  I = integral from y_r to y_t of e^(u^2) (1 + erf u) du
 *   y = (threshold or reset - mean)/s + shift,  shift = sqrt(tau_syn/tau) |zeta(1/2)|/sqrt 2
 *   s^2 = sigma^2 + variance:   Poisson inputs of rate r [1/ms] and jump J [mV] give
 *   mean = tau J r and variance = tau J^2 r, summed over the inputs (two projections, the second
 *   with the squares of the weights)
 *   output = amplitude rate
 *
 * The integrand is erfcx(-u), erfcx(u) = e^(u^2) erfc u. With F(y) the integral of erfcx and E(y)
 * that of 2 e^(u^2), both from 0 to y >= 0,
 *   I = E+(y_t) - E+(y_r) + F(|y_r|) - F(|y_t|)        (E+: 0 for y below 0)
 * erfcx = Q(1/(1 + y/2))/(1 + y/2); F(y) = ln(1 + 2 y)/sqrt pi + G(1/(1 + y)), the logarithms taken
 * together, so that s near 0 gives the formula without noise; E(y) = y A(y^2) up to y = 3, above
 * 2 e^(y^2) B(9/y^2)/y. The polynomials are own fits: relative errors 2e-9 (Q), 6e-9 (A), 1e-9 (B),
 * absolute 6e-9 (G). y_t above 9.2 counts as 9.2 (a rate of 1e-37 of the largest).
 * The gradient is by the integrand:  dI/dmean = -(erfcx(-y_t) - erfcx(-y_r))/s.
 *
 * Source: Siegert 1951; Brunel & Hakim 1999 (Neural Comput. 11); shift: Fourcaud & Brunel
 * 2002. Defaults of NEST's siegert_neuron (threshold 15, reset 0 mV, tau 10, tau_ref 2 ms).
 * Leaves out: shifts beyond first order in sqrt(tau_syn). */
#ifdef RHEO_ROW
RHEO_ROW(siegert)
#else
#define RHEO_MODEL    siegert
#define RHEO_INPUTS   2
#define RHEO_COUNT    SIEGERT_COUNT
#define RHEO_SPIKES   0
#define RHEO_GRADIENT 1
#define RHEO_READOUT  RHEO_STATES
#define RHEO_STATE(X)

enum {
    SIEGERT_THRESHOLD,
    SIEGERT_WIDTH, /* threshold - reset */
    SIEGERT_SIGMA2,
    SIEGERT_SHIFT,
    SIEGERT_REF, /* tau_ref */
    SIEGERT_TAU, /* tau sqrt pi */
    SIEGERT_AMPLITUDE,
    SIEGERT_COUNT
};

struct siegert_state {
    REAL none;
};

RHEO_INLINE REAL RHEO_M(allowed)(const REAL *k, const struct siegert_state *s)
{
    (void)k, (void)s;
    return 1;
}

#define SIEGERT_C(x) (REAL)(x)
/* e^(y^2) erfc y for y >= 0 */
RHEO_INLINE REAL RHEO_M(scaled)(REAL y)
{
    REAL t = 1 / (1 + y / 2), p = SIEGERT_C(-0.0348523306619);
    p = p * t + SIEGERT_C(0.20639547797);
    p = p * t + SIEGERT_C(-0.49079935893);
    p = p * t + SIEGERT_C(0.557626877644);
    p = p * t + SIEGERT_C(-0.250484552534);
    p = p * t + SIEGERT_C(0.00563372534602);
    p = p * t + SIEGERT_C(-0.0575019378267);
    p = p * t + SIEGERT_C(-0.00795400399895);
    p = p * t + SIEGERT_C(0.0847142602167);
    p = p * t + SIEGERT_C(0.176192998347);
    p = p * t + SIEGERT_C(0.246839391852);
    p = p * t + SIEGERT_C(0.282094659648);
    p = p * t + SIEGERT_C(0.282094792206);
    return p * t;
}

/* its integral from 0 to y, less ln(1 + 2 y)/sqrt pi */
RHEO_INLINE REAL RHEO_M(tail)(REAL y)
{
    REAL t = 1 / (1 + y), p = SIEGERT_C(0.110324394105);
    p = p * t + SIEGERT_C(-0.65155498144);
    p = p * t + SIEGERT_C(1.59310761541);
    p = p * t + SIEGERT_C(-1.96095290202);
    p = p * t + SIEGERT_C(0.992704676742);
    p = p * t + SIEGERT_C(0.388828582792);
    p = p * t + SIEGERT_C(-0.737515059399);
    p = p * t + SIEGERT_C(0.174100830248);
    p = p * t + SIEGERT_C(0.16104278948);
    p = p * t + SIEGERT_C(0.119808299606);
    p = p * t + SIEGERT_C(-0.0706309285471);
    p = p * t + SIEGERT_C(-0.28209283952);
    return p * t + SIEGERT_C(0.162829526978);
}

/* the integral of 2 e^(u^2) from 0 to y, 0 for y below 0 */
RHEO_INLINE REAL RHEO_M(grow)(REAL y)
{
    REAL low = y < 0 ? (REAL)0 : y < 3 ? y : (REAL)3, q = low * low;
    REAL high = y > 3 ? y : (REAL)3, t = 9 / (high * high);
    REAL a = SIEGERT_C(3.02946123842e-12), b = SIEGERT_C(0.0247594839424);
    a = a * q + SIEGERT_C(-1.35677381987e-10);
    a = a * q + SIEGERT_C(2.98507077322e-09);
    a = a * q + SIEGERT_C(-3.92894548753e-08);
    a = a * q + SIEGERT_C(3.52774556569e-07);
    a = a * q + SIEGERT_C(-2.15489742352e-06);
    a = a * q + SIEGERT_C(9.98750221284e-06);
    a = a * q + SIEGERT_C(-2.80606057881e-05);
    a = a * q + SIEGERT_C(9.70956683536e-05);
    a = a * q + SIEGERT_C(0.000100760722843);
    a = a * q + SIEGERT_C(0.00163768924471);
    a = a * q + SIEGERT_C(0.00917347696236);
    a = a * q + SIEGERT_C(0.0476547274425);
    a = a * q + SIEGERT_C(0.199992345263);
    a = a * q + SIEGERT_C(0.666667304013);
    a = a * q + SIEGERT_C(1.99999999136);
    b = b * t + SIEGERT_C(-0.184304843206);
    b = b * t + SIEGERT_C(0.594450298468);
    b = b * t + SIEGERT_C(-1.08842746641);
    b = b * t + SIEGERT_C(1.24945245729);
    b = b * t + SIEGERT_C(-0.943865333976);
    b = b * t + SIEGERT_C(0.482265576528);
    b = b * t + SIEGERT_C(-0.167807438108);
    b = b * t + SIEGERT_C(0.0402357502977);
    b = b * t + SIEGERT_C(-0.00493033912037);
    b = b * t + SIEGERT_C(0.0052401554494);
    b = b * t + SIEGERT_C(0.0277439935718);
    b = b * t + SIEGERT_C(0.500000796843);
    return y > 3 ? 2 * RHEO_EXP(high * high) * b / high : low * a;
}

/* erfcx(-y) */
RHEO_INLINE REAL RHEO_M(integrand)(REAL y)
{
    REAL scaled = RHEO_M(scaled)(RHEO_ABS(y)), up = y > 0 ? y : (REAL)0;
    return y > 0 ? 2 * RHEO_EXP(up * up) - scaled : scaled;
}

/* Where the integral begins and ends, and the noise. */
struct siegert_range {
    REAL from, to, s, width;
};

RHEO_INLINE struct siegert_range RHEO_M(range)(const REAL *k, const REAL *in)
{
    struct siegert_range r;
    REAL s2 = k[SIEGERT_SIGMA2] + in[1];
    r.s = RHEO_SQRT(s2 > SIEGERT_C(1e-8) ? s2 : SIEGERT_C(1e-8));
    REAL to = (k[SIEGERT_THRESHOLD] - in[0]) / r.s + k[SIEGERT_SHIFT];
    r.to = to < SIEGERT_C(9.2) ? to : SIEGERT_C(9.2);
    r.width = k[SIEGERT_WIDTH] / r.s;
    r.from = r.to - r.width;
    return r;
}

RHEO_INLINE REAL RHEO_M(rate)(const REAL *k, struct siegert_range r)
{
    REAL a = RHEO_ABS(r.from), b = RHEO_ABS(r.to);
    REAL apart = r.to < 0 ? r.width : r.from > 0 ? -r.width : a - b;
    REAL logs = RHEO_LOG1P(2 * apart / (1 + 2 * b)) * SIEGERT_C(0.564189583547756);
    REAL sum =
        RHEO_M(grow)(r.to) - RHEO_M(grow)(r.from) + (logs + (RHEO_M(tail)(a) - RHEO_M(tail)(b)));
    return 1 / (k[SIEGERT_REF] + k[SIEGERT_TAU] * (sum > 0 ? sum : (REAL)0));
}

RHEO_INLINE REAL RHEO_M(drive)(const REAL *k, const struct siegert_state *s, const REAL *in,
                               REAL *pre)
{
    (void)s;
    *pre = k[SIEGERT_AMPLITUDE] * RHEO_M(rate)(k, RHEO_M(range)(k, in));
    return 0;
}

RHEO_INLINE void RHEO_M(step)(const REAL *k, struct siegert_state *s, const REAL *in, REAL pre,
                              REAL z, REAL learn)
{
    (void)k, (void)s, (void)in, (void)pre, (void)z, (void)learn;
}

RHEO_INLINE void RHEO_M(adjoint)(const REAL *k, const struct siegert_state *s, const REAL *in,
                                 REAL pre, REAL z, REAL d, REAL gz, struct siegert_state *gs,
                                 REAL *gin, REAL *gk)
{
    struct siegert_range r = RHEO_M(range)(k, in);
    REAL rate = RHEO_M(rate)(k, r), to = RHEO_M(integrand)(r.to), from = RHEO_M(integrand)(r.from);
    REAL by = k[SIEGERT_TAU] * rate / r.s; /* in this order: rate^2 alone could be 0 */
    REAL at = r.to - k[SIEGERT_SHIFT], start = r.from - k[SIEGERT_SHIFT];
    REAL gmean = gz * k[SIEGERT_AMPLITUDE] * ((by * (to - from)) * rate);
    REAL gnoise = gz * k[SIEGERT_AMPLITUDE] * ((by * (at * to - start * from)) * rate);
    REAL gvariance = gnoise / (2 * r.s);
    (void)s, (void)pre, (void)z, (void)d, (void)gs;
    gin[0] = gmean;
    gin[1] = k[SIEGERT_SIGMA2] + in[1] > SIEGERT_C(1e-8) ? gvariance : (REAL)0;
    gk[SIEGERT_SIGMA2] += gin[1];
    gk[SIEGERT_AMPLITUDE] += gz * rate;
}

#ifdef RHEO_ABOUT
#define RHEO_NAME  "siegert"
#define RHEO_TITLE "rate of a leaky integrate-and-fire neuron in noise"
#define RHEO_EQUATIONS                                                                             \
    "1/rate = tau_ref + tau sqrt(pi) integral from y_r to y_t of exp(u^2) (1 + erf u) du\n"        \
    "y = (threshold or reset - mean)/s + shift,  s^2 = sigma^2 + variance\n"                       \
    "Poisson inputs of rate r and jump J: mean = tau J r, variance = tau J^2 r"
#define RHEO_SOURCE                                                                                \
    "Siegert 1951; Brunel & Hakim 1999 (Neural Comput. 11); shift: Fourcaud & Brunel 2002"
#define RHEO_PORT_NAMES "mean", "variance"
#define RHEO_MULTIPLIES 120
#define RHEO_ADDS       110
#define RHEO_LEARNABLE  "sigma", "amplitude"
static const rheo_field siegert_fields[] = {
    RHEO_NUMBER_FIELD("tau", "ms", 10, 1e-3, 1e6, "time constant of the membrane"),
    RHEO_NUMBER_FIELD("tau_ref", "ms", 2, 0, 1e6, "refractory time"),
    RHEO_NUMBER_FIELD("threshold", "mV", 15, -1e6, 1e6, "of the membrane, from rest"),
    RHEO_NUMBER_FIELD("reset", "mV", 0, -1e6, 1e6, "membrane after a spike"),
    RHEO_NUMBER_FIELD("sigma", "mV", 5, 0, 1e6, "noise without the port variance"),
    RHEO_NUMBER_FIELD("tau_syn", "ms", 0, 0, 1e6, "of the inputs' currents, short against tau"),
    RHEO_NUMBER_FIELD("amplitude", "ms", 1, 1e-6, 1e6, "output for a rate of one spike a ms"),
    RHEO_FIELD_END};

static rheo_status siegert_derive(rheo_context *ctx, const rheo_options *o, double dt, double *k)
{
    double tau = o->v[0], threshold = o->v[2], reset = o->v[3];
    (void)dt;
    RHEO_CHECK(ctx, reset < threshold, RHEO_USAGE,
               "siegert: reset = %g mV must be below threshold = %g mV; lower it", reset,
               threshold);
    k[SIEGERT_THRESHOLD] = threshold;
    k[SIEGERT_WIDTH] = threshold - reset;
    k[SIEGERT_SIGMA2] = o->v[4] * o->v[4];
    k[SIEGERT_SHIFT] = sqrt(o->v[5] / tau) * 1.4603545088095868 / sqrt(2);
    k[SIEGERT_REF] = o->v[1];
    k[SIEGERT_TAU] = tau * sqrt(M_PI);
    k[SIEGERT_AMPLITUDE] = o->v[6];
    return RHEO_OK;
}
#endif
#include RHEO_EMIT
#endif
