/* plif.h: parametric LIF: the leak is 1/tau = sigmoid(w), so that w can be learned without bounds.
 * Dynamics, resets and gradient are in leaky.h.
 *
 *   v[t] = v[t-1] + sigmoid(w) (rest - v[t-1]) + gain i[t]     gain sigmoid(w) when scaled
 *
 * w       [1]  0      for tau steps (2 for w = 0) give w = -ln(tau - 1)
 * scaled       yes    SpikingJelly's decay_input
 *
 * Source: Fang et al. 2021 (ICCV); SpikingJelly's ParametricLIFNode, which has
 * reset zero, when same, test greater-equal (dialect spikingjelly). */
#ifdef RHEO_ROW
RHEO_ROW(plif)
#else
#define RHEO_MODEL plif
#define RHEO_COUNT LEAKY_COUNT
#include "neuron/models/leaky.h"

#ifdef RHEO_ABOUT
#define RHEO_NAME  "plif"
#define RHEO_TITLE "parametric LIF: a time constant to be learned"
#define RHEO_EQUATIONS                                                                             \
    "v[t] = v[t-1] + a (rest - v[t-1]) + a gain i[t],  a = 1/tau = sigmoid(w)   (scaled; else "    \
    "gain i)\n"                                                                                    \
    "resets and threshold as lif"
#define RHEO_SOURCE     "Fang et al. 2021 (ICCV)"
#define RHEO_MULTIPLIES 1
#define RHEO_ADDS       2
#define RHEO_LEARNABLE  LEAKY_LEARNABLE, "w", "gain", "rest"
enum { PLIF_F_W = LEAKY_F_OWN, PLIF_F_SCALED, PLIF_F_GAIN, PLIF_F_REST };
static const rheo_field plif_fields[] = {
    RHEO_LEAKY_FIELDS,
    RHEO_NUMBER_FIELD("w", "1", 0, -50, 50, "the leak is sigmoid(w), tau is 1 + exp(-w) steps"),
    RHEO_FLAG_FIELD("scaled", 1, "input times the leak"),
    RHEO_NUMBER_FIELD("gain", "1", 1, -1e30, 1e30, "of the input"),
    RHEO_NUMBER_FIELD("rest", "1", 0, -1e30, 1e30, "membrane without input, where it decays to"),
    RHEO_SURROGATE_FIELDS(0),
    RHEO_FIELD_END};

static rheo_status plif_derive(rheo_context *ctx, const rheo_options *o, double dt, double *k)
{
    const double *v = o->v, leak = 1 / (1 + exp(-v[PLIF_F_W]));
    (void)ctx;
    (void)dt;
    leaky_constants(v, 1 / (1 + exp(v[PLIF_F_W])),
                    v[PLIF_F_GAIN] * (v[PLIF_F_SCALED] != 0 ? leak : 1), leak * v[PLIF_F_REST], k);
    return RHEO_OK;
}
#endif
#include RHEO_EMIT
#endif
