/* plan.h: a plan inside. rheo__plan_new orders the nodes into stages (strongly connected
 * components in topological order), shapes every signal, sizes all memory in a first walk over an
 * arena and takes it in a second. Afterwards nothing allocates. */
#ifndef RHEO_SRC_PLAN_H
#define RHEO_SRC_PLAN_H
#include "net/net.h"

typedef struct rheo_stage {
    uint16_t first, count; /* in plan->order */
    bool cycle;            /* stepped one by one */
} rheo_stage;

typedef struct rheo_request {
    uint32_t T, B;
    rheo_form in_form;     /* of the source's signal */
    bool in_fixed;
    bool train;            /* dropout, batch statistics, noise */
    bool gradient;         /* backward wanted */
    bool learn;            /* plasticity acts (local learning) */
    bool readout;          /* v of the output population wanted */
    bool count;            /* the meter will ask */
    const char *const *record;
} rheo_request;

struct rheo_plan {
    rheo_context *ctx;
    rheo_net *net;
    rheo_request request;
    uint32_t B;                 /* of the current batch, ≤ request.B */
    uint32_t step0;             /* steps since reset */
    rheo_signal input;          /* the source's, filled by an encoder or rheo_forward */
    rheo_work *work;            /* one a node, same index */
    uint16_t *order;
    rheo_stage *stage;
    uint32_t stages;
    uint64_t *seen;             /* version sum of each node's parameters when last refreshed */
    rheo_signal *gsignal;       /* gradient with respect to each node's output */
    rheo_signal greadout;       /* of the output population */
    uint32_t *sample;           /* [B] ids */
    void *memory;
    size_t bytes;               /* of `memory` and of the plan itself: all it took */
};

rheo_status rheo__plan_new(rheo_net *net, const rheo_request *request, rheo_plan **out);
/* Bytes a plan would take, without taking them. */
rheo_status rheo__plan_measure(rheo_net *net, const rheo_request *request, size_t *bytes);
/* Sets the batch (B ≤ request.B, ids copied) and the show; derived data is refreshed on demand. */
void rheo__plan_batch(rheo_plan *plan, uint32_t B, const uint32_t *sample, uint32_t show);
void rheo__plan_reset(rheo_plan *plan);            /* state of all samples to rest */
void rheo__plan_forward(rheo_plan *plan);          /* the window, from the state as it is */
void rheo__plan_backward(rheo_plan *plan);         /* gsignal[output] and greadout are filled */
const rheo_signal *rheo__plan_output(const rheo_plan *plan);
const rheo_signal *rheo__plan_readout(const rheo_plan *plan);
/* Adds the work of step t, summed over samples b0 … b1-1, of all nodes. */
void rheo__plan_count(const rheo_plan *plan, uint32_t t, uint32_t b0, uint32_t b1, rheo_counts *add);
#endif
