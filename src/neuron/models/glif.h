/* glif.h: gated LIF: exponential or linear decay, reset by decay or by subtraction, and the
 * strength of the input are mixed by gates that are learned.
 *
 *   v[t] = k v[t-1] (1 - g s[t-1]) - (1 - a) linear + (1 - b (1 - c)) i[t]
 *          - (1 - g) subtract s[t-1],   k = 1 - a (1 - tau)
 *   s[t] = v[t] > threshold  (reset in the next step, v is shown before it)
 *
 * a, b, g, tau, threshold, linear, subtract and c are between 0 and 1: the sigmoids of the
 * parameters alpha, beta, gamma, w_tau, w_threshold, w_linear, w_subtract and w_conduct.
 *
 * Source: Yao et al. 2022 (NeurIPS); SpikingJelly's GatedLIFNode (test greater-equal, detach no).
 * Leaves out: a conductance of its own for each step (one for all here). */
#ifdef RHEO_ROW
RHEO_ROW(glif)
#else
#define RHEO_MODEL    glif
#define RHEO_INPUTS   1
#define RHEO_COUNT    GLIF_COUNT
#define RHEO_SPIKES   1
#define RHEO_LO       0
#define RHEO_HI       1
#define RHEO_GRADIENT 1
#define RHEO_READOUT  0
#define RHEO_EDGE     k[GLIF_EDGE]
#define RHEO_STATE(X)                                                                              \
    X(v, "1", RHEO_SCOPE_SAMPLE, "membrane")                                                       \
    X(z, "1", RHEO_SCOPE_SAMPLE, "spike of the step before")

enum {
    GLIF_KEEP,
    GLIF_LINEAR,
    GLIF_GAIN,
    GLIF_DECAY, /* part of v that a spike takes */
    GLIF_SUBTRACT,
    GLIF_THETA,
    GLIF_EDGE,
    GLIF_PASS,
    GLIF_COUNT
};

struct glif_state {
    RHEO_STATE(RHEO_X_MEMBER)
};

RHEO_INLINE REAL RHEO_M(allowed)(const REAL *k, const struct glif_state *s)
{
    (void)k, (void)s;
    return 1;
}

RHEO_INLINE REAL RHEO_M(drive)(const REAL *k, const struct glif_state *s, const REAL *in, REAL *pre)
{
    REAL kept = k[GLIF_KEEP] * s->v - k[GLIF_LINEAR] + k[GLIF_GAIN] * in[0];
    *pre = kept - (k[GLIF_DECAY] * s->v + k[GLIF_SUBTRACT]) * s->z;
    return *pre - k[GLIF_THETA];
}

RHEO_INLINE void RHEO_M(step)(const REAL *k, struct glif_state *s, const REAL *in, REAL pre, REAL z,
                              REAL learn)
{
    (void)k, (void)in, (void)learn;
    s->v = pre;
    s->z = z;
}

RHEO_INLINE void RHEO_M(adjoint)(const REAL *k, const struct glif_state *s, const REAL *in,
                                 REAL pre, REAL z, REAL d, REAL gz, struct glif_state *gs,
                                 REAL *gin, REAL *gk)
{
    (void)pre, (void)z;
    REAL gx = (gz + gs->z) * d, gv = gs->v + gx;
    gk[GLIF_THETA] -= gx;
    gk[GLIF_KEEP] += gv * s->v;
    gk[GLIF_LINEAR] -= gv;
    gk[GLIF_GAIN] += gv * in[0];
    gk[GLIF_DECAY] -= gv * s->v * s->z;
    gk[GLIF_SUBTRACT] -= gv * s->z;
    gin[0] = k[GLIF_GAIN] * gv;
    gs->z = -(k[GLIF_PASS] * gv * (k[GLIF_DECAY] * s->v + k[GLIF_SUBTRACT]));
    gs->v = gv * (k[GLIF_KEEP] - k[GLIF_DECAY] * s->z);
}

#ifdef RHEO_ABOUT
#include "neuron/models/spiking.h"
#define RHEO_NAME  "glif"
#define RHEO_TITLE "gated LIF: learned mixtures of decays, resets and input"
#define RHEO_EQUATIONS                                                                             \
    "v[t] = k v[t-1] (1 - g s[t-1]) - (1 - a) linear + (1 - b (1 - c)) i[t] - (1 - g) subtract "   \
    "s[t-1]\n"                                                                                     \
    "k = 1 - a (1 - tau),  s[t] = v[t] > threshold; all are sigmoids of parameters"
#define RHEO_SOURCE     "Yao et al. 2022 (NeurIPS), gated leaky integrate-and-fire"
#define RHEO_PORT_NAMES "input"
#define RHEO_MULTIPLIES 4
#define RHEO_ADDS       5
#define RHEO_LEARNABLE                                                                             \
    "alpha", "beta", "gamma", "w_tau", "w_threshold", "w_linear", "w_subtract", "w_conduct"
enum {
    GLIF_F_ALPHA,
    GLIF_F_BETA,
    GLIF_F_GAMMA,
    GLIF_F_TAU,
    GLIF_F_THRESHOLD,
    GLIF_F_LINEAR,
    GLIF_F_SUBTRACT,
    GLIF_F_CONDUCT,
    GLIF_F_TEST,
    GLIF_F_DETACH
};
#define GLIF_GATE(name, init, doc) RHEO_NUMBER_FIELD(name, "1", init, -50, 50, doc)
static const rheo_field glif_fields[] = {
    GLIF_GATE("alpha", 0, "gate: exponential decay (1) or linear decay (0)"),
    GLIF_GATE("beta", 0, "gate: the input goes through the conductance (1) or as it is (0)"),
    GLIF_GATE("gamma", 0, "gate: a spike takes part of the membrane (1) or subtracts (0)"),
    GLIF_GATE("w_tau", -1.0986, "exponential decay: what is left after a step, 0.25"),
    GLIF_GATE("w_threshold", 0, "threshold, 0.5"),
    GLIF_GATE("w_linear", -3.6636, "linear decay: what is lost in a step, 0.025"),
    GLIF_GATE("w_subtract", 0, "what a spike subtracts, 0.5"),
    GLIF_GATE("w_conduct", 0, "conductance of the input, 0.5"),
    RHEO_CHOICE_FIELD("test", 0, spiking_tests, "v > threshold, or v >= threshold"),
    RHEO_FLAG_FIELD("detach", 0, "no gradient flows through the reset"),
    RHEO_SURROGATE_FIELDS(0),
    RHEO_FIELD_END};
#undef GLIF_GATE

static rheo_status glif_derive(rheo_context *ctx, const rheo_options *o, double dt, double *k)
{
    double gate[GLIF_F_TEST];
    (void)ctx;
    (void)dt;
    for (int i = 0; i < GLIF_F_TEST; i++) gate[i] = 1 / (1 + exp(-o->v[i]));
    const double alpha = gate[GLIF_F_ALPHA], gamma = gate[GLIF_F_GAMMA];
    k[GLIF_KEEP] = 1 - alpha * (1 - gate[GLIF_F_TAU]);
    k[GLIF_LINEAR] = (1 - alpha) * gate[GLIF_F_LINEAR];
    k[GLIF_GAIN] = 1 - gate[GLIF_F_BETA] * (1 - gate[GLIF_F_CONDUCT]);
    k[GLIF_DECAY] = k[GLIF_KEEP] * gamma;
    k[GLIF_SUBTRACT] = (1 - gamma) * gate[GLIF_F_SUBTRACT];
    k[GLIF_THETA] = gate[GLIF_F_THRESHOLD];
    k[GLIF_EDGE] = o->v[GLIF_F_TEST] == 0 ? RHEO_STRICT : 0;
    k[GLIF_PASS] = o->v[GLIF_F_DETACH] == 0;
    return RHEO_OK;
}
#endif
#include RHEO_EMIT
#endif
