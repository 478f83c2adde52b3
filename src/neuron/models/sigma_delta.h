/* sigma_delta.h: sums the changes that arrive, applies an activation, and sends the changes of the
 * result: a network of these computes what the analogue one does, with sparse messages. Coding and
 * gradient are in differ.h.
 *
 *   sum[t] = sum[t-1] + i[t],  y = activation(sum[t] + bias)
 *   e = y - sent;  out[t] = send(e);  sent = sent + out[t]
 *
 * Source: O'Connor & Welling 2016 (arXiv 1611.02024), sigma-delta networks; send exact: the
 * sigma-delta neuron of lava-dl. Learnable: bias. Leaves out: a learned threshold; other
 * activations. */
#ifdef RHEO_ROW
RHEO_ROW(sigma_delta)
#else
#define RHEO_MODEL sigma_delta
#define RHEO_SUMS  1
#include "neuron/models/differ.h"

#ifdef RHEO_ABOUT
#define RHEO_NAME  "sigma-delta"
#define RHEO_TITLE "sigma-delta neuron: sums changes, sends changes of its activation"
#define RHEO_EQUATIONS                                                                             \
    "sum[t] = sum[t-1] + i[t],  y[t] = activation(sum[t] + bias)\n"                                \
    "out[t] = send(y[t] - sent[t-1]),  sent[t] = sent[t-1] + out[t]\n"                             \
    "send: rounded to a multiple of the threshold, or unchanged where above it"
#define RHEO_SOURCE     "O'Connor & Welling 2016 (arXiv 1611.02024); send exact: lava-dl's sigma-delta"
#define RHEO_PORT_NAMES "input"
#define RHEO_MULTIPLIES 2
#define RHEO_ADDS       6
#define RHEO_LEARNABLE  "bias"
static const char *const sigma_delta_activations[] = {"relu", "identity", NULL};
static const rheo_field sigma_delta_fields[] = {
    RHEO_DIFFER_FIELDS, RHEO_CHOICE_FIELD("activation", 0, sigma_delta_activations, "of the sum"),
    RHEO_NUMBER_FIELD("bias", "1", 0, -1e30, 1e30, "added to the sum"), RHEO_FIELD_END};

static rheo_status sigma_delta_derive(rheo_context *ctx, const rheo_options *o, double dt,
                                      double *k)
{
    (void)ctx, (void)dt;
    differ_constants(o->v, k);
    k[DIFFER_RECTIFY] = (int)o->v[2] == 0;
    k[DIFFER_BIAS] = o->v[3];
    return RHEO_OK;
}
#endif
#include RHEO_EMIT
#endif
#undef RHEO_SUMS
