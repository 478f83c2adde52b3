/* leaky_integrator.h: a leaky membrane that never spikes: the read-out of a net whose loss looks at
 * the membrane. Its output is v after the step.
 *
 *   v[t] = beta v[t-1] + gain i[t]   (times 1 - beta when scaled)
 *   with a synapse (alpha or tau_syn not 0): i[t] = alpha i[t-1] + x[t]
 *
 * Source: Bellec et al. 2018 (NeurIPS), the read-out of LSNNs; Norse's LICell is decay euler,
 * scaled, with tau_syn and order membrane-first or decay-after; NIR's LI. */
#ifdef RHEO_ROW
RHEO_ROW(integrator)
#else
#define RHEO_MODEL    integrator
#define RHEO_INPUTS   1
#define RHEO_COUNT    LI_COUNT
#define RHEO_SPIKES   0
#define RHEO_GRADIENT 1
#define RHEO_READOUT  0
#define RHEO_STATE(X)                                                                              \
    X(v, "1", RHEO_SCOPE_SAMPLE, "membrane")                                                       \
    X(i, "1", RHEO_SCOPE_SAMPLE, "synaptic current")

enum { LI_BETA, LI_BIAS, LI_USE_I, LI_USE_X, LI_KEEP_I, LI_KEEP_X, LI_START, LI_COUNT };

struct integrator_state {
    RHEO_STATE(RHEO_X_MEMBER)
};

RHEO_INLINE REAL RHEO_M(allowed)(const REAL *k, const struct integrator_state *s)
{
    (void)k, (void)s;
    return 1;
}

RHEO_INLINE REAL RHEO_M(drive)(const REAL *k, const struct integrator_state *s, const REAL *in,
                               REAL *pre)
{
    *pre = k[LI_BETA] * s->v + (k[LI_USE_I] * s->i + k[LI_USE_X] * in[0]) + k[LI_BIAS];
    return 0;
}

RHEO_INLINE void RHEO_M(step)(const REAL *k, struct integrator_state *s, const REAL *in, REAL pre,
                              REAL z, REAL learn)
{
    (void)z, (void)learn;
    s->i = k[LI_KEEP_I] * s->i + k[LI_KEEP_X] * in[0];
    s->v = pre;
}

RHEO_INLINE void RHEO_M(adjoint)(const REAL *k, const struct integrator_state *s, const REAL *in,
                                 REAL pre, REAL z, REAL d, REAL gz, struct integrator_state *gs,
                                 REAL *gin, REAL *gk)
{
    (void)pre, (void)z, (void)d;
    REAL gv = gs->v + gz, gi = gs->i;
    gk[LI_BETA] += gv * s->v;
    gk[LI_BIAS] += gv;
    gk[LI_USE_I] += gv * s->i;
    gk[LI_USE_X] += gv * in[0];
    gk[LI_KEEP_I] += gi * s->i;
    gk[LI_KEEP_X] += gi * in[0];
    gs->v = k[LI_BETA] * gv;
    gs->i = k[LI_USE_I] * gv + k[LI_KEEP_I] * gi;
    gin[0] = k[LI_USE_X] * gv + k[LI_KEEP_X] * gi;
}

#ifdef RHEO_ABOUT
#include "neuron/models/spiking.h"
#define RHEO_NAME  "leaky-integrator"
#define RHEO_TITLE "leaky membrane without spikes, a read-out"
#define RHEO_EQUATIONS                                                                             \
    "v[t] = beta v[t-1] + gain i[t]   (times 1 - beta when scaled); the output is v[t]\n"          \
    "i[t] = alpha i[t-1] + x[t]       (alpha 0: i is the input)"
#define RHEO_SOURCE     "Bellec et al. 2018 (NeurIPS); Norse's LICell; NIR's LI"
#define RHEO_PORT_NAMES "input"
#define RHEO_INITIAL    1
#define RHEO_MULTIPLIES 3
#define RHEO_ADDS       3
#define RHEO_LEARNABLE  "alpha", "beta", "tau_syn", "tau", "gain", "gain_syn", "rest", "start"
enum {
    LI_F_ALPHA,
    LI_F_BETA,
    LI_F_TAU_SYN,
    LI_F_TAU,
    LI_F_DECAY,
    LI_F_ORDER,
    LI_F_SCALED,
    LI_F_GAIN,
    LI_F_GAIN_SYN,
    LI_F_REST,
    LI_F_START
};
static const rheo_field integrator_fields[] = {
    RHEO_NUMBER_FIELD("alpha", "1", 0, 0, 1, "decay of the current a step, when tau_syn is 0"),
    RHEO_NUMBER_FIELD("beta", "1", 0.9, 0, 1, "decay of the membrane a step, when tau is 0"),
    RHEO_NUMBER_FIELD("tau_syn", "ms", 0, 0, 1e9, "time constant of the current; 0: alpha is used"),
    RHEO_NUMBER_FIELD("tau", "ms", 0, 0, 1e9, "time constant of the membrane; 0: beta is used"),
    RHEO_CHOICE_FIELD("decay", 0, spiking_decays, "exp(-dt/tau), or 1 - dt/tau, of both"),
    RHEO_CHOICE_FIELD("order", 0, cuba_orders, "of input, decay of the current and use of it"),
    RHEO_FLAG_FIELD("scaled", 0, "the membrane's input times 1 - beta"),
    RHEO_NUMBER_FIELD("gain", "1", 1, -1e30, 1e30, "of the current: a resistance"),
    RHEO_NUMBER_FIELD("gain_syn", "1", 1, -1e30, 1e30, "of the input, before the current"),
    RHEO_NUMBER_FIELD("rest", "1", 0, -1e30, 1e30, "membrane without input, where it decays to"),
    RHEO_NUMBER_FIELD("start", "1", 0, -1e30, 1e30, "the membrane at the start"),
    RHEO_FIELD_END};

static void integrator_initial(const double *k, struct integrator_state *s)
{
    s->v = k[LI_START];
}

static rheo_status integrator_derive(rheo_context *ctx, const rheo_options *o, double dt, double *k)
{
    const double *v = o->v;
    const bool euler = v[LI_F_DECAY] != 0;
    double alpha, beta, synapse[4];
    RHEO_TRY(leaky_decay(ctx, "leaky-integrator", v[LI_F_BETA], v[LI_F_TAU], euler, dt, &beta));
    RHEO_TRY(
        leaky_decay(ctx, "leaky-integrator", v[LI_F_ALPHA], v[LI_F_TAU_SYN], euler, dt, &alpha));
    cuba_synapse((int)v[LI_F_ORDER], alpha, v[LI_F_GAIN_SYN], synapse);
    const double gain = v[LI_F_GAIN] * (v[LI_F_SCALED] != 0 ? 1 - beta : 1);
    k[LI_BETA] = beta;
    k[LI_BIAS] = (1 - beta) * v[LI_F_REST];
    k[LI_USE_I] = gain * synapse[0];
    k[LI_USE_X] = gain * synapse[1];
    k[LI_KEEP_I] = synapse[2];
    k[LI_KEEP_X] = synapse[3];
    k[LI_START] = v[LI_F_START];
    return RHEO_OK;
}
#endif
#include RHEO_EMIT
#endif
