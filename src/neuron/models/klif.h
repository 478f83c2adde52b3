/* klif.h: KLIF: the membrane passes a rectifier of learned slope before the test, which sets the
 * width of the surrogate. Dynamics, resets and gradient are in leaky.h.
 *
 *   u[t] = beta v[t-1] + gain i[t],  p = max(0, k u[t]),  s[t] = p > threshold
 *   v[t] = p - threshold s[t]  or  p (1 - s[t]);  divided by k when scale_reset
 *
 * Source: Jiang & Zhang 2023 (arXiv 2302.09238); SpikingJelly's KLIFNode. With
 * scale_reset and reset when next, v is divided before that reset is taken. */
#ifdef RHEO_ROW
RHEO_ROW(klif)
#else
#define RHEO_MODEL klif
#define LEAKY_RECTIFY
#define RHEO_COUNT LEAKY_RECTIFY_COUNT
#include "neuron/models/leaky.h"
#undef LEAKY_RECTIFY

#ifdef RHEO_ABOUT
#define RHEO_NAME  "klif"
#define RHEO_TITLE "LIF with a rectified membrane of learned slope"
#define RHEO_EQUATIONS                                                                             \
    "u[t] = beta v[t-1] + gain i[t],  p = max(0, k u[t]),  s[t] = p > threshold\n"                 \
    "v[t] = p, reset as lif's; divided by k when scale_reset"
#define RHEO_SOURCE     "Jiang & Zhang 2023 (arXiv 2302.09238)"
#define RHEO_MULTIPLIES 2
#define RHEO_ADDS       3
#define RHEO_LEARNABLE  LEAKY_LEARNABLE, "beta", "tau", "gain", "rest", "k"
enum {
    KLIF_F_BETA = LEAKY_F_OWN,
    KLIF_F_TAU,
    KLIF_F_DECAY,
    KLIF_F_SCALED,
    KLIF_F_GAIN,
    KLIF_F_REST,
    KLIF_F_K,
    KLIF_F_DIVIDE
};
static const rheo_field klif_fields[] = {
    RHEO_LEAKY_FIELDS,
    RHEO_NUMBER_FIELD("beta", "1", 0.5, 0, 1, "decay of the membrane a step, when tau is 0"),
    RHEO_NUMBER_FIELD("tau", "ms", 0, 0, 1e9, "time constant of the membrane; 0: beta is used"),
    RHEO_CHOICE_FIELD("decay", 0, spiking_decays, "beta = exp(-dt/tau), or 1 - dt/tau"),
    RHEO_FLAG_FIELD("scaled", 1, "input times 1 - beta"),
    RHEO_NUMBER_FIELD("gain", "1", 1, -1e30, 1e30, "of the input"),
    RHEO_NUMBER_FIELD("rest", "1", 0, -1e30, 1e30, "membrane without input, where it decays to"),
    RHEO_NUMBER_FIELD("k", "1", 1, 1e-6, 1e6, "slope of the rectifier"),
    RHEO_FLAG_FIELD("scale_reset", 0, "the membrane after the reset is divided by k"),
    RHEO_SURROGATE_FIELDS(0),
    RHEO_FIELD_END};

static rheo_status klif_derive(rheo_context *ctx, const rheo_options *o, double dt, double *k)
{
    const double *v = o->v;
    double beta;
    RHEO_TRY(
        leaky_decay(ctx, "klif", v[KLIF_F_BETA], v[KLIF_F_TAU], v[KLIF_F_DECAY] != 0, dt, &beta));
    leaky_constants(v, beta, v[KLIF_F_GAIN] * (v[KLIF_F_SCALED] != 0 ? 1 - beta : 1),
                    (1 - beta) * v[KLIF_F_REST], k);
    k[LEAKY_SHARP] = v[KLIF_F_K];
    k[LEAKY_SCALE] = v[KLIF_F_DIVIDE] != 0 ? 1 / v[KLIF_F_K] : 1;
    return RHEO_OK;
}
#endif
#include RHEO_EMIT
#endif
