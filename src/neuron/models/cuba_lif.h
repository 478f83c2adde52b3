/* cuba_lif.h: current-based LIF: a spike adds to a synaptic current that decays, and that drives
 * the membrane. Resets, threshold and gradient are in leaky.h; libraries differ in the order within
 * a step:
 *
 *   order           drives v         after the step   who
 *   add             alpha i + x      alpha i + x      snnTorch's Synaptic, lava
 *   add-decay       alpha (i + x)    alpha (i + x)    Sinabs, Rockpool
 *   decay-after     i + x            alpha (i + x)    Norse's LIFCell (feed-forward)
 *   membrane-first  i                alpha i + x      Norse's recurrent LIF cells
 *
 *   v[t] = beta v[t-1] + gain current  (times 1 - beta when scaled), then as lif
 *
 * alpha    [1]  0.9   decay of the current a step, or exp(-dt/tau_syn) where tau_syn [ms] is not 0
 * beta     [1]  0.8   decay of the membrane, or exp(-dt/tau); with decay euler 1 - dt/tau, both
 *
 * Source: Eshraghian et al. 2023, section 2 (second-order model); Norse's lif_feed_forward_step and
 * lif_step; NIR's CubaLIF. */
#ifdef RHEO_ROW
RHEO_ROW(cuba_lif)
#else
#define RHEO_MODEL cuba_lif
#define LEAKY_SYNAPSE
#define RHEO_COUNT LEAKY_SYNAPSE_COUNT
#include "neuron/models/leaky.h"
#undef LEAKY_SYNAPSE

#ifdef RHEO_ABOUT
#define RHEO_NAME  "cuba-lif"
#define RHEO_TITLE "current-based LIF: synaptic and membrane decay"
#define RHEO_EQUATIONS                                                                             \
    "i[t] = alpha i[t-1] + x[t]   (order add)\n"                                                   \
    "v[t] = beta v[t-1] + gain i[t] - threshold s[t-1]   (reset subtract, when next)\n"            \
    "s[t] = v[t] > threshold"
#define RHEO_SOURCE     "Eshraghian et al. 2023 (Proc. IEEE), section 2; Norse; NIR"
#define RHEO_MULTIPLIES 2
#define RHEO_ADDS       3
#define RHEO_LEARNABLE                                                                             \
    LEAKY_LEARNABLE, "alpha", "beta", "tau_syn", "tau", "gain", "gain_syn", "rest"
enum {
    CUBA_F_ALPHA = LEAKY_F_OWN,
    CUBA_F_BETA,
    CUBA_F_TAU_SYN,
    CUBA_F_TAU,
    CUBA_F_DECAY,
    CUBA_F_ORDER,
    CUBA_F_SCALED,
    CUBA_F_GAIN,
    CUBA_F_GAIN_SYN,
    CUBA_F_REST
};
/* use_i, use_x, keep_i, keep_x of an order, as in the table above. */
static void cuba_synapse(int order, double alpha, double gain, double *to)
{
    to[0] = order < 2 ? alpha : 1;
    to[1] = order == 1 ? alpha * gain : order == 3 ? 0 : gain;
    to[2] = alpha;
    to[3] = order == 1 || order == 2 ? alpha * gain : gain;
}

static const char *const cuba_orders[] = {"add", "add-decay", "decay-after", "membrane-first",
                                          NULL};
static const rheo_field cuba_lif_fields[] = {
    RHEO_LEAKY_FIELDS,
    RHEO_NUMBER_FIELD("alpha", "1", 0.9, 0, 1, "decay of the current a step, when tau_syn is 0"),
    RHEO_NUMBER_FIELD("beta", "1", 0.8, 0, 1, "decay of the membrane a step, when tau is 0"),
    RHEO_NUMBER_FIELD("tau_syn", "ms", 0, 0, 1e9, "time constant of the current; 0: alpha is used"),
    RHEO_NUMBER_FIELD("tau", "ms", 0, 0, 1e9, "time constant of the membrane; 0: beta is used"),
    RHEO_CHOICE_FIELD("decay", 0, spiking_decays, "exp(-dt/tau), or 1 - dt/tau, of both"),
    RHEO_CHOICE_FIELD("order", 0, cuba_orders, "of input, decay of the current and use of it"),
    RHEO_FLAG_FIELD("scaled", 0, "the membrane's input times 1 - beta"),
    RHEO_NUMBER_FIELD("gain", "1", 1, -1e30, 1e30, "of the current: a resistance"),
    RHEO_NUMBER_FIELD("gain_syn", "1", 1, -1e30, 1e30, "of the input, before the current"),
    RHEO_NUMBER_FIELD("rest", "1", 0, -1e30, 1e30, "membrane without input, where it decays to"),
    RHEO_SURROGATE_FIELDS(0),
    RHEO_FIELD_END};

static rheo_status cuba_lif_derive(rheo_context *ctx, const rheo_options *o, double dt, double *k)
{
    const double *v = o->v;
    const bool euler = v[CUBA_F_DECAY] != 0;
    double alpha, beta;
    RHEO_TRY(leaky_decay(ctx, "cuba-lif", v[CUBA_F_BETA], v[CUBA_F_TAU], euler, dt, &beta));
    RHEO_TRY(leaky_decay(ctx, "cuba-lif", v[CUBA_F_ALPHA], v[CUBA_F_TAU_SYN], euler, dt, &alpha));
    leaky_constants(v, beta, v[CUBA_F_GAIN] * (v[CUBA_F_SCALED] != 0 ? 1 - beta : 1),
                    (1 - beta) * v[CUBA_F_REST], k);
    cuba_synapse((int)v[CUBA_F_ORDER], alpha, v[CUBA_F_GAIN_SYN], k + LEAKY_USE_I);
    return RHEO_OK;
}
#endif
#include RHEO_EMIT
#endif
