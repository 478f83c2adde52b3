/* synapse.h: plasticity rules, each written once (models/x.h, listed in synapses.def) as scalar
 * code: traces of the pre side, traces of the post side, and what a pre spike and a post spike do
 * to a weight. The template emits the loops: a row of weights on a pre spike, a column on a post
 * spike. Weights are [pre, post] (a row is what one pre neuron reaches). */
#ifndef RHEO_SRC_SYNAPSE_H
#define RHEO_SRC_SYNAPSE_H
#include "base/field.h"

#define RHEO_TRACES            2  /* most of a side */
#define RHEO_SYNAPSE_CONSTANTS 16 /* what derive may fill */

typedef struct rheo_synapse_view {
    const float *k;     /* constants */
    uint32_t pre, post; /* sizes */
    float *w;           /* [pre, post] */
    size_t w_row;
    float *pre_trace[RHEO_TRACES];  /* [pre] */
    float *post_trace[RHEO_TRACES]; /* [post] */
} rheo_synapse_view;

typedef struct rheo_synapse_loops {
    void (*decay)(const rheo_synapse_view *); /* one step of all traces */
    /* all weights of row i, or of column j, then its traces */
    void (*on_pre)(const rheo_synapse_view *, uint32_t i);
    void (*on_post)(const rheo_synapse_view *, uint32_t j);
} rheo_synapse_loops;

typedef struct rheo_synapse {
    const char *name, *title, *equations, *source;
    uint32_t index;
    uint32_t pre_traces, post_traces;
    const rheo_field *fields;
    rheo_status (*derive)(rheo_context *ctx, const rheo_options *options, double dt, double *k);
} rheo_synapse;
/* The loops of the context's instruction set. */
const rheo_synapse_loops *rheo__synapse_loops(const rheo_context *ctx, uint32_t synapse);
const rheo_synapse *rheo__synapse_find(const char *name);
const rheo_synapse *rheo__synapse_at(uint32_t index);
extern const char *const rheo__synapse_names[];
#endif
