/* delta.h: sends the changes of its input, as graded values; coding and gradient are in differ.h.
 *
 *   e = i[t] - sent;  out[t] = send(e);  sent = sent + out[t]
 *
 * Source: send exact is the delta axon of lava-dl (Lava's graded spikes, without its cumulative
 * error); quantised: Yousefzadeh et al. 2019 (AICAS). Leaves out: a learned threshold. */
#ifdef RHEO_ROW
RHEO_ROW(delta)
#else
#define RHEO_MODEL delta
#define RHEO_SUMS  0
#include "neuron/models/differ.h"

#ifdef RHEO_ABOUT
#define RHEO_NAME  "delta"
#define RHEO_TITLE "delta neuron: sends changes of its input"
#define RHEO_EQUATIONS                                                                             \
    "out[t] = send(i[t] - sent[t-1]),  sent[t] = sent[t-1] + out[t]\n"                             \
    "send: rounded to a multiple of the threshold, or unchanged where above it"
#define RHEO_SOURCE     "Yousefzadeh et al. 2019 (AICAS); send exact: lava-dl's delta axon"
#define RHEO_PORT_NAMES "input"
#define RHEO_MULTIPLIES 2
#define RHEO_ADDS       4
static const rheo_field delta_fields[] = {RHEO_DIFFER_FIELDS, RHEO_FIELD_END};

static rheo_status delta_derive(rheo_context *ctx, const rheo_options *o, double dt, double *k)
{
    (void)ctx, (void)dt;
    differ_constants(o->v, k);
    return RHEO_OK;
}
#endif
#include RHEO_EMIT
#endif
#undef RHEO_SUMS
