/* plan.h: a plan inside. rheo__plan_new orders the nodes into stages (strongly connected
 * components in topological order), shapes every signal, sizes all memory in a first walk over an
 * arena and takes it in a second. Afterwards nothing allocates.
 *
 * An edge that runs backward in that order is a loop with a delay of one step: its target sees the
 * source's signal one row earlier. Such a source keeps T + 1 rows:
 *
 *      row   0          1        2       …  T
 *      step  -1 (last)  0        1       …  T-1
 *      loop: view starts here;  others: view starts at row 1
 */
#ifndef RHEO_SRC_PLAN_H
#define RHEO_SRC_PLAN_H
#include "exec/profile.h"
#include "net/net.h"

typedef struct rheo_stage {
    uint16_t first, count; /* in plan->order */
    uint16_t group;        /* stages of a group go through a segment of the window together */
    bool cycle;            /* stepped one by one */
} rheo_stage;

typedef struct rheo_request {
    uint32_t T, B;
    rheo_form in_form; /* of the source's signal */
    bool in_fixed;
    bool train;        /* dropout, batch statistics, noise */
    bool gradient;     /* backward wanted */
    bool input;        /* and dL/d input, in gradient[0] */
    bool learn;        /* plasticity and adaptive thresholds act (B is 1) */
    bool readout;      /* v of the output population wanted */
    bool pull;         /* regularisers add gradients to populations' outputs */
    bool lift;         /* and to their membranes, which are kept */
    uint32_t truncate; /* gradients do not cross multiples of so many steps, from 0; 0: they do */
    bool lengths;      /* samples may have fewer steps than T */
    bool once;         /* each forward pass is followed by one backward pass at most, which may
                          write gradients where signals were */
    bool low_memory;   /* real signals are kept for RHEO_CHUNK steps and made anew in backward */
    const char *const *record; /* "1.s", "1.v", …; NULL-terminated or NULL */
    rheo_profile *profile;     /* notes the time of nodes; NULL: none */
} rheo_request;

/* States before spans of steps, for the backward pass. */
typedef struct rheo_states {
    size_t size;    /* floats of work->state */
    float *snap;    /* [spans + 1]: before each span, and at the end; in cycles [segments + 1] */
    float *history; /* in cycles: before each step of a segment */
} rheo_states;

struct rheo_plan {
    rheo_context *ctx;
    rheo_net *net;
    rheo_request request;
    uint32_t B;            /* of the current batch, ≤ request.B */
    uint32_t step0;        /* steps since reset */
    rheo_work *work;       /* one a node, same index */
    rheo_signal *loop;     /* one an edge: its delayed view, for edges that run backward */
    rheo_signal *gradient; /* one a node: dL/d out */
    rheo_signal *branch;   /* one an edge: gradient of a node's further consumers, added */
    rheo_signal *pull;   /* one a node: static, added to dL/d out at every step; real NULL: none */
    rheo_signal *lift;   /* one a node but the output: dL/d v; idem */
    bool *delayed;       /* one an edge: runs backward */
    bool *feeds;         /* one an edge: its target gives a gradient to its source */
    bool *partial;       /* one an edge: its branch is kept for a segment only */
    uint16_t *head;      /* one an edge: the edge that is first into its port */
    uint16_t *sum;       /* one a node: whose signal it adds to; itself: its own */
    uint16_t *term;      /* one a node: the first term of the sum that it adds to */
    uint16_t *group;     /* one a node */
    bool *cyclic;        /* one a node: in a cycle, stepped one by one */
    bool *lifted;        /* one a node: adds to its first term in a signal of its own */
    bool *part;          /* one a node: out is kept for a segment only */
    bool *kept;          /* one a node: its gradient is kept for the whole window */
    bool *cut;           /* one a node: goes by spans that end at multiples of `truncate` */
    bool *direct;        /* one a node: a consumer writes its gradient itself */
    rheo_states *states; /* one a node */
    bool *looped;        /* one a node: an edge that runs backward leaves it */
    bool *wanted;        /* one a node: its output's gradient is wanted */
    bool *recorded;      /* one a node: its v is recorded */
    uint16_t *order;
    rheo_stage *stage;
    uint32_t stages, groups;
    uint32_t segment;     /* steps that are kept at a time: T, or RHEO_CHUNK */
    uint32_t spans;       /* parts of the window that a backward pass takes one by one */
    uint32_t *held;       /* one a group: first step of the segment that stands in memory */
    uint32_t unequal;     /* a moving projection that would add to a static one; 0: none */
    uint64_t *seen;       /* one a node: its parameters' versions when last refreshed, + 1 */
    size_t *adjoint;      /* one a node: floats of work->adjoint */
    rheo_signal greadout; /* of the output population */
    uint32_t *sample;     /* [B] ids */
    uint32_t *length;     /* [B] steps of each sample, when masked */
    bool masked;          /* a sample of the batch has fewer steps than T */
    void *tables, *memory;
    size_t bytes; /* of tables, memory and the plan itself: all it took */
};

rheo_status rheo__plan_new(rheo_net *net, const rheo_request *request, rheo_plan **out);
/* Bytes a plan would take, without keeping them. */
rheo_status rheo__plan_measure(rheo_net *net, const rheo_request *request, size_t *bytes);
/* Fills order, stage, group, delayed, looped, head and term from the net's graph (stages.c). */
rheo_status rheo__plan_stages(rheo_plan *plan);
/* What cannot be (check.c). */
rheo_status rheo__plan_check_request(const rheo_net *net, const rheo_request *request);
rheo_status rheo__plan_check(rheo_plan *plan);
/* Signals and gradients (signals.c). */
void rheo__plan_shape_node(rheo_plan *plan, uint32_t n, rheo_arena *arena);
void rheo__plan_shape_inputs(rheo_plan *plan);
void rheo__plan_find_wanted(rheo_plan *plan);
void rheo__plan_find_readers(rheo_plan *plan);
void rheo__plan_shape_gradients(rheo_plan *plan, rheo_arena *arena);
void rheo__plan_point_gradients(rheo_plan *plan);
/* The end of the span of steps that t is in: the next multiple of the segment or of `truncate`. */
uint32_t rheo__plan_span_end(const rheo_plan *plan, uint32_t t);
/* Sets the batch (B ≤ request.B, ids copied) and the show, and puts all state to rest. */
void rheo__plan_batch(rheo_plan *plan, uint32_t B, const uint32_t *sample, uint32_t show);
void rheo__plan_reset(rheo_plan *plan);
/* The batch and the show without a reset: state goes on from the sample before. */
void rheo__plan_show(rheo_plan *plan, uint32_t B, const uint32_t *sample, uint32_t show);
/* What a plan carries from window to window, for a checkpoint. */
uint32_t rheo__plan_slots(rheo_plan *plan, rheo_slot *slots, uint32_t room);
/* Steps of each sample of the batch, 1 … T (copied), until the next call; NULL: all T. For a plan
 * that was asked for `lengths` (tally.c). */
void rheo__plan_lengths(rheo_plan *plan, const uint32_t *length);
/* Steps of sample b of the batch. */
uint32_t rheo__plan_steps(const rheo_plan *plan, uint32_t b);
/* Clears what a population gives in the steps behind a sample's end. */
void rheo__plan_mask(const rheo_plan *plan, uint32_t n, uint32_t t0, uint32_t t1);
/* The window, from the state as it is. The source's signal is plan->work[0].out. */
void rheo__plan_forward(rheo_plan *plan);
void rheo__plan_backward(rheo_plan *plan); /* gradient[output] and greadout are filled */
const rheo_signal *rheo__plan_output(const rheo_plan *plan);
const rheo_signal *rheo__plan_readout(const rheo_plan *plan); /* NULL: not wanted */
/* Spikes a neuron and step of the last window. */
double rheo__plan_rate(const rheo_plan *plan, uint32_t n);
/* Of each population in the order of the recipe, at most `room`: spikes a neuron and step in the
 * last window, and the share of neurons that never fired; NaN beyond and for real outputs. */
void rheo__plan_activity(const rheo_plan *plan, uint32_t room, double *rate, double *silent);
/* Adds the work of step t, summed over samples b0 … b1-1, of a node, of all nodes. */
void rheo__plan_count_node(const rheo_plan *plan, uint32_t n, uint32_t t, uint32_t b0, uint32_t b1,
                           rheo_counts *add);
void rheo__plan_count(const rheo_plan *plan, uint32_t t, uint32_t b0, uint32_t b1,
                      rheo_counts *add);
#endif
