/* alif.h: leaky integrate-and-fire whose threshold rises with each spike and decays: the neuron of
 * LSNNs (long short-term memory spiking networks).
 *
 *   tau dv/dt = -v + i,  tau_adapt da/dt = -a,  threshold B = threshold + beta a
 *   spike where v > B; then v and a change as `form` says
 *
 *   form bellec2018 (Bellec et al. 2018, NeurIPS)
 *       B = threshold + beta a[t-1]
 *       v[t] = alpha v[t-1] + (1 - alpha) i[t] - B[t-1] s[t-1],  alpha = exp(-dt/tau)
 *       a[t] = rho a[t-1] + (1 - rho) s[t],                      rho = exp(-dt/tau_adapt)
 *   form eprop (Bellec et al. 2020, Nat. Commun. 11)
 *       v[t] = alpha v[t-1] + i[t] - threshold s[t-1],  a[t] = rho a[t-1] + s[t], B as above
 *   form norse (Norse's LSNN, Euler steps)
 *       v[t] = v + dt/tau (c[t-1] - v), then 0 where s[t],  c[t] = (1 - dt/tau_syn) c[t-1] + i[t]
 *       B = threshold + beta rho a[t-1],  a[t] = rho a[t-1] + s[t],  rho = 1 - dt/tau_adapt
 *
 * (The papers index a by the step in which it acts; here a[t] is the state after step t.) Stable
 * for any dt; the Euler form where dt is below its time constants. `detach` stops the gradient
 * through the reset, in the form norse also that through the jump of a, as Norse's recurrent cell
 * does. Learnable: tau, tau_adapt, beta, threshold. Leaves out: several adaptation times. */
#ifdef RHEO_ROW
RHEO_ROW(alif)
#else
#define RHEO_MODEL    alif
#define RHEO_INPUTS   1
#define RHEO_COUNT    ALIF_COUNT
#define RHEO_SPIKES   1
#define RHEO_LO       0
#define RHEO_HI       1
#define RHEO_GRADIENT 1
#define RHEO_READOUT  0
#define RHEO_EDGE     RHEO_STRICT
#define RHEO_STATE(X)                                                                              \
    X(v, "1", RHEO_SCOPE_SAMPLE, "membrane")                                                       \
    X(a, "1", RHEO_SCOPE_SAMPLE, "adaptation: beta times it is added to the threshold")            \
    X(cut, "1", RHEO_SCOPE_SAMPLE, "what the reset takes off v in the next step")                  \
    X(c, "1", RHEO_SCOPE_SAMPLE, "synaptic current")                                               \
    X(hold, "steps", RHEO_SCOPE_SAMPLE, "refractory steps left")

enum {
    ALIF_KEEP, /* alpha */
    ALIF_GAIN, /* of the current */
    ALIF_RHO,
    ALIF_JUMP, /* of a at a spike */
    ALIF_SEEN, /* beta times the part of a that the threshold sees */
    ALIF_THETA,
    ALIF_CUT,   /* 1: the reset takes off the threshold ... */
    ALIF_CUT_A, /* 1: ... with its adaptive part */
    ALIF_ZERO,  /* 1: v is 0 after a spike */
    ALIF_OLD,   /* of the current before this step's input */
    ALIF_NOW,   /* of the input itself */
    ALIF_KEEP_C,
    ALIF_HOLD,
    ALIF_PASS,
    ALIF_PASS_A,
    ALIF_COUNT
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
    REAL i = k[ALIF_OLD] * s->c + k[ALIF_NOW] * in[0];
    *pre = k[ALIF_KEEP] * s->v + k[ALIF_GAIN] * i - s->cut;
    return *pre - (k[ALIF_THETA] + k[ALIF_SEEN] * s->a);
}

RHEO_INLINE void RHEO_M(step)(const REAL *k, struct RHEO_M(state) * s, const REAL *in, REAL pre,
                              REAL z, REAL learn)
{
    REAL left = s->hold - 1;
    (void)learn;
    s->v = pre * (1 - k[ALIF_ZERO] * z);
    s->cut = z * (k[ALIF_CUT] * k[ALIF_THETA] + k[ALIF_CUT_A] * k[ALIF_SEEN] * s->a);
    s->a = k[ALIF_RHO] * s->a + k[ALIF_JUMP] * z;
    s->c = k[ALIF_KEEP_C] * s->c + in[0];
    left = left > 0 ? left : (REAL)0;
    s->hold = z > (REAL)0.5 ? k[ALIF_HOLD] : left;
}

RHEO_INLINE void RHEO_M(adjoint)(const REAL *k, const struct RHEO_M(state) * s, const REAL *in,
                                 REAL pre, REAL z, REAL d, REAL gz, struct RHEO_M(state) * gs,
                                 REAL *gin, REAL *gk)
{
    REAL i = k[ALIF_OLD] * s->c + k[ALIF_NOW] * in[0];
    REAL B = k[ALIF_CUT] * k[ALIF_THETA] + k[ALIF_CUT_A] * k[ALIF_SEEN] * s->a;
    REAL reset = gs->cut * B - gs->v * k[ALIF_ZERO] * pre;
    REAL gx = (gz + k[ALIF_PASS] * reset + k[ALIF_PASS_A] * (gs->a * k[ALIF_JUMP])) * d;
    REAL gpre = gs->v * (1 - k[ALIF_ZERO] * z) + gx, gi = gpre * k[ALIF_GAIN];
    REAL gcut = gs->cut * z, ga = gs->a, gc = gs->c;
    gk[ALIF_KEEP] += gpre * s->v;
    gk[ALIF_GAIN] += gpre * i;
    gk[ALIF_RHO] += ga * s->a;
    gk[ALIF_JUMP] += ga * z;
    gk[ALIF_SEEN] += (gcut * k[ALIF_CUT_A] - gx) * s->a;
    gk[ALIF_THETA] += gcut * k[ALIF_CUT] - gx;
    gs->v = k[ALIF_KEEP] * gpre;
    gs->a = k[ALIF_RHO] * ga + k[ALIF_SEEN] * (gcut * k[ALIF_CUT_A] - gx);
    gs->cut = -gpre;
    gs->c = k[ALIF_KEEP_C] * gc + k[ALIF_OLD] * gi;
    gs->hold = 0;
    gin[0] = gc + k[ALIF_NOW] * gi;
}

#ifdef RHEO_ABOUT
#include "neuron/models/spiking.h"
#define RHEO_NAME  "alif"
#define RHEO_TITLE "leaky integrate-and-fire with adaptive threshold (LSNN)"
#define RHEO_EQUATIONS                                                                             \
    "v[t] = alpha v[t-1] + (1 - alpha) i[t] - B[t-1] s[t-1],  alpha = exp(-dt/tau)\n"              \
    "s[t] = v[t] > B[t],  B[t] = threshold + beta a[t-1]\n"                                        \
    "a[t] = rho a[t-1] + (1 - rho) s[t],  rho = exp(-dt/tau_adapt)   (form bellec2018)"
#define RHEO_SOURCE                                                                                \
    "Bellec et al. 2018 (NeurIPS); form eprop: Bellec et al. 2020 (Nat. Commun.); form norse: "    \
    "Norse's LSNN"
#define RHEO_PORT_NAMES "input"
#define RHEO_MULTIPLIES 12
#define RHEO_ADDS       10
#define RHEO_LEARNABLE  "tau", "tau_adapt", "beta", "threshold"
enum {
    ALIF_F_FORM,
    ALIF_F_TAU,
    ALIF_F_TAU_ADAPT,
    ALIF_F_BETA,
    ALIF_F_THRESHOLD,
    ALIF_F_TAU_SYN,
    ALIF_F_HOLD,
    ALIF_F_DETACH
};
static const char *const alif_forms[] = {"bellec2018", "eprop", "norse", NULL};
static const rheo_field alif_fields[] = {
    RHEO_CHOICE_FIELD("form", 0, alif_forms, "whose scaling, reset and order"),
    RHEO_NUMBER_FIELD("tau", "ms", 20, 1e-3, 1e9, "time constant of the membrane"),
    RHEO_NUMBER_FIELD("tau_adapt", "ms", 200, 1e-3, 1e12, "time constant of the adaptation"),
    RHEO_NUMBER_FIELD("beta", "1", 1.8, -1e30, 1e30, "rise of the threshold by the adaptation"),
    RHEO_NUMBER_FIELD("threshold", "1", 1, 1e-30, 1e30, "fixed part of the threshold"),
    RHEO_NUMBER_FIELD("tau_syn", "ms", 5, 1e-3, 1e9, "of the current, in the form norse only"),
    RHEO_INTEGER_FIELD("refractory", "steps", 0, 0, 1e6,
                       "steps after a spike without spikes; v goes on"),
    RHEO_DETACH_FIELD,
    RHEO_SURROGATE_FIELDS(0),
    RHEO_FIELD_END};

static rheo_status alif_derive(rheo_context *ctx, const rheo_options *o, double dt, double *k)
{
    const double *v = o->v, tau = v[ALIF_F_TAU], adapt = v[ALIF_F_TAU_ADAPT];
    const int form = (int)v[ALIF_F_FORM];
    const bool norse = form == 2, pass = v[ALIF_F_DETACH] == 0;
    RHEO_CHECK(ctx, dt > 0, RHEO_USAGE, "alif: the step must be above 0 ms, found %g; give dt", dt);
    k[ALIF_KEEP] = norse ? 1 - dt / tau : exp(-dt / tau);
    k[ALIF_GAIN] = form == 1 ? 1 : 1 - k[ALIF_KEEP];
    k[ALIF_RHO] = norse ? 1 - dt / adapt : exp(-dt / adapt);
    k[ALIF_JUMP] = form == 0 ? 1 - k[ALIF_RHO] : 1;
    k[ALIF_SEEN] = v[ALIF_F_BETA] * (norse ? k[ALIF_RHO] : 1);
    k[ALIF_THETA] = v[ALIF_F_THRESHOLD];
    k[ALIF_CUT] = !norse;
    k[ALIF_CUT_A] = form == 0;
    k[ALIF_ZERO] = norse;
    k[ALIF_OLD] = norse;
    k[ALIF_NOW] = !norse;
    k[ALIF_KEEP_C] = norse ? 1 - dt / v[ALIF_F_TAU_SYN] : 0;
    k[ALIF_HOLD] = v[ALIF_F_HOLD];
    k[ALIF_PASS] = pass;
    k[ALIF_PASS_A] = pass || !norse;
    return RHEO_OK;
}
#endif
#include RHEO_EMIT
#endif
