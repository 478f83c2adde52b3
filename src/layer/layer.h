/* layer.h: the kinds of nodes, each a file with a table of operations, listed in layers.def.
 *
 * An operation sees only its rheo_work: what the plan lends a node. It owns nothing and allocates
 * nothing. forward and backward are called for a span of steps [t0, t1): the whole window for a
 * node outside cycles, one step for a node inside; backward from the last span to the first.
 *
 *   forward(t0, t1)    out of these steps; carries on in `state`
 *   backward(t0, t1)   dL/d in of these steps; carries on, backward in time, in `adjoint`
 *   gradient(t0, t1)   dL/d parameters of these steps: chunks of at most RHEO_CHUNK steps that begin
 *                      at its multiples, from the last to the first, each after the backward of its
 *                      steps. The chunk with t1 == T overwrites grad, the others add to it. A sum
 *                      over time that lives in `adjoint` is written when t0 == 0.
 * A node that is `whole` gets (0, T) in all three, and may do in backward what gradient is for. */
#ifndef RHEO_SRC_LAYER_H
#define RHEO_SRC_LAYER_H
#include "array/signal.h"
#include "base/field.h"
#include "kernels/kernels.h"
#include "neuron/neuron.h"
#include "synapse/synapse.h"

#define RHEO_NODE_PARAMS 10
#define RHEO_CHUNK       32 /* steps whose gradients of parameters are one sum */

/* Exact work, of one sample. Integers kept as double would lose counts above 2^53; uint64 it is. */
typedef struct rheo_counts {
    uint64_t spikes;        /* emitted */
    uint64_t synops;        /* synaptic operations: a spike times the synapses it drives */
    uint64_t macs, acs;     /* multiply-accumulates (real input), accumulates (spike input) */
    uint64_t updates;       /* neuron updates: neurons x steps */
    uint64_t weight_writes; /* by plasticity */
    uint64_t draws;         /* random numbers */
    uint64_t bytes;         /* of weights and state, moved */
} rheo_counts;
static inline void rheo__counts_add(rheo_counts *to, const rheo_counts *from)
{
    to->spikes += from->spikes;
    to->synops += from->synops;
    to->macs += from->macs;
    to->acs += from->acs;
    to->updates += from->updates;
    to->weight_writes += from->weight_writes;
    to->draws += from->draws;
    to->bytes += from->bytes;
}

/* A shape, channels first: images {C, H, W, 1}, lines {C, L, 1, 1}, volumes {C, D, H, W}, flat
 * {n, 1, 1, 1}. A dimension that is left out (0) counts as 1. */
typedef struct rheo_shape {
    uint32_t dim[4];
} rheo_shape;
static inline uint32_t rheo__shape_size(rheo_shape s)
{
    uint32_t size = s.dim[0];
    for (int i = 1; i < 4; i++) size *= s.dim[i] ? s.dim[i] : 1;
    return size; /* checked when shapes are made */
}
/* "2x3x3", for messages. */
void rheo__shape_text(rheo_shape shape, char out[48]);

/* A parameter of the net. */
typedef struct rheo_param {
    char node[32], name[24]; /* "1", "weight" */
    uint32_t rows, cols;
    float *value;       /* [rows, cols], owned by the net */
    uint64_t version;   /* rises with every change: derived data is made anew */
    bool trained;       /* has a gradient under gradient learning */
    bool lasting_state; /* state of scope RUN: saved as /state, not learned by gradients */
    float low, high;    /* constraint after each update; -inf, inf: none */
    bool transposed;    /* stands as [in, out]; files show [out, in] */
    /* how files and users see it, [out, in, kh, kw]; dims 0: [rows, cols] */
    uint32_t dims, shape[5];
} rheo_param;

/* An option of a neuron model that is a parameter of the net; glif has 8 that learn. Lasting states
 * of a model, 2 at most, are parameters too. */
#define RHEO_OWN (RHEO_NODE_PARAMS - 2)
typedef enum { RHEO_PER_LAYER, RHEO_PER_CHANNEL, RHEO_PER_NEURON } rheo_per;
typedef struct rheo_own {
    uint32_t field; /* of the model */
    rheo_per per;
    bool learned;
    double from, to; /* drawn uniformly between them at the start; equal: that value */
} rheo_own;

struct rheo_layer;
struct rheo_reference_work;
typedef struct rheo_node_spec { /* what building a node decides; lives in the net */
    char name[32];
    const struct rheo_layer *layer;
    rheo_options options;      /* of the layer's fields */
    const rheo_neuron *neuron; /* populations */
    rheo_options neuron_options;
    rheo_own own[RHEO_OWN]; /* its parameters */
    uint32_t owns;
    rheo_formula formula;        /* of a surrogate that the user wrote; ops 0: none */
    const rheo_synapse *synapse; /* plastic projections */
    rheo_options synapse_options;
    rheo_shape in, out;             /* in: what arrives at port 0 */
    rheo_shape port_in[RHEO_PORTS]; /* what arrives at each port */
    uint32_t inputs;                /* ports in use: those below this number */
    uint32_t index;                 /* in the net; keys the random numbers */
    double dt;                      /* step [ms] */
    double gain, amplitude;         /* [1], [ms] of soft-LIF units that it replaced; 0: none */
    uint32_t params;
    rheo_param *param[RHEO_NODE_PARAMS];
} rheo_node_spec;

typedef struct rheo_work {
    rheo_context *ctx;
    const rheo_node_spec *node;
    uint32_t T, B;
    bool train;      /* dropout drops, batch norm uses the batch, noise is drawn */
    bool gradient;   /* backward will come: keep the tape */
    bool learn;      /* plasticity and adaptive thresholds act */
    bool accumulate; /* add to what stands in out (an earlier edge of the same port) */
    const rheo_signal *in[RHEO_PORTS]; /* one a port; NULL: nothing connected (0) */
    rheo_signal out;
    rheo_signal readout;     /* v of a population [T,B,N] when asked for; else real NULL */
    const rheo_signal *gout; /* dL/d out, real, whole window (stride_t 0: out static); NULL: 0 */
    const struct rheo_work *giver; /* consumer that is asked for dL/d out by blocks; gout is NULL */
    const struct rheo_work *through; /* the only consumer, a map that takes each row of out as it is
                                        made (rheo_row_map): out has no memory, gout is the map's */
    bool taken;                      /* a map whose source passes rows through it: nothing to run */
    bool sparse_gout; /* at most a quarter of dL/d out is not 0: the only consumer's `reached` */
    const rheo_signal *greadout;
    rheo_signal gin[RHEO_PORTS];   /* dL/d in, real, overwritten (gin of an input with stride_t 0 is
                                    summed over time); real NULL: not wanted */
    float *grad[RHEO_NODE_PARAMS]; /* dL/d param, overwritten; NULL when not trained */
    float *derived;                /* made by refresh from the parameters */
    float *tape;                   /* reserve's */
    float *state;                  /* of a sample (of all B), reset by `reset` */
    float *adjoint;                /* what goes backward in time; 0 before the last span */
    const float *before;           /* backward: the state at step t0; NULL: at rest */
    uint32_t span;                 /* steps of a call of forward or backward, at most */
    void *scratch;                 /* shared by all nodes, as large as the largest asked */
    rheo_precision precision;      /* of the operands of dense products */
    uint64_t seed;
    const uint32_t *sample; /* ids of the B samples, for random numbers */
    uint32_t show;          /* which training step or presentation this is, idem */
    uint32_t step0;         /* steps that went before this window (streaming) */
} rheo_work;

typedef struct rheo_need { /* what a node wants from the plan, in elements or bytes */
    size_t derived, tape, state, adjoint; /* floats */
    size_t scratch;                       /* bytes */
} rheo_need;

typedef enum { RHEO_SOURCE, RHEO_PROJECTION, RHEO_POPULATION, RHEO_MAPPING } rheo_kind;

/* How a map takes rows of real numbers from a source that keeps none of them. */
typedef struct rheo_row_map {
    bool (*fits)(const rheo_node_spec *node);
    size_t (*bytes)(const rheo_work *work); /* of memory for a row, a multiple of 64 */
    void (*take)(const rheo_work *work, uint32_t t, uint32_t b, const float *row, void *memory);
    /* dL/d in of channels c0 … c1-1 of a row, from gout */
    void (*give)(const rheo_work *work, uint32_t t, uint32_t b, uint32_t c0, uint32_t c1,
                 float *row);
} rheo_row_map;

typedef struct rheo_layer {
    const char *name, *title, *equations, *source;
    rheo_kind kind;
    bool asks;      /* takes dL/d out block by block too (work->giver) */
    bool added_to;  /* a map whose backward does not read out: projections may add to it, and dL/d
                       out may stand in its place, as a projection's may */
    bool whole;     /* needs the whole window at once: refused in cycles */
    bool all_steps; /* after training too: refused in streams */
    uint32_t (*most_steps)(const rheo_node_spec *node); /* of a window; NULL: any number */
    uint32_t ports; /* inputs a list of sources fills in order (sum, concat); 0, 1: one, and
                                  several sources add */
    const rheo_field *fields;
    /* Shape of out from in, parameters' sizes (spec->param is filled by the net with the names and
     * sizes that `params` lists); RHEO_SHAPE with both shapes and the node's name. */
    rheo_status (*infer)(rheo_context *ctx, rheo_node_spec *node);
    /* names and sizes; index -> false at the end */
    bool (*param)(const rheo_node_spec *node, uint32_t index, rheo_param *out);
    void (*initialise)(rheo_context *ctx, const rheo_node_spec *node, uint64_t seed);
    /* Form of the output given the first input; static: input static makes output static */
    void (*form)(const rheo_work *work, rheo_form *form, bool *fixed, float *lo, float *hi);
    void (*need)(const rheo_work *work, rheo_need *need);
    void (*refresh)(const rheo_work *work); /* NULL: nothing derived */
    void (*reset)(const rheo_work *work);   /* NULL: no state */
    void (*forward)(const rheo_work *work, uint32_t t0, uint32_t t1);
    void (*backward)(const rheo_work *work, uint32_t t0, uint32_t t1); /* NULL: no gradient */
    void (*gradient)(const rheo_work *work, uint32_t t0, uint32_t t1); /* NULL: nothing trained */
    /* Whether dL/d in may be asked for instead of written, because it is quickly made; and dL/d in of
     * 64 inputs of sample b in the steps [t0, t1), as [t][64] (0 behind the last). NULL: never. */
    bool (*gives)(const rheo_node_spec *node);
    void (*give)(const rheo_work *work, uint32_t t0, uint32_t t1, uint32_t b, uint32_t block,
                 float *to);
    /* Whether backward may write dL/d in where in stands: a number of it is not read after it is
     * overwritten. NULL: it may not. */
    bool (*overwrites)(const rheo_node_spec *node);
    /* Whether rows of out may pass through the only consumer's `rows`. NULL: they may not. */
    bool (*passes)(const rheo_node_spec *node);
    const rheo_row_map *rows;
    /* The most of dL/d in that is not 0, as a share of its places. NULL: all, 1. */
    double (*reached)(const rheo_node_spec *node);
    void (*begin_sample)(const rheo_work *work); /* local learning, before a sample: normalise
                                                           weights; NULL: nothing */
    /* Work of step t, summed over the samples b0 … b1-1. t counts from 0; a static input's product is
     * counted at t = 0 only. */
    void (*count)(const rheo_work *work, uint32_t t, uint32_t b0, uint32_t b1, rheo_counts *add);
    /* Of a projection: its synapses, and the most that one output has. NULL: all onto all. */
    uint64_t (*synapses)(const rheo_node_spec *node, uint64_t *fan_in);
    /* Plain double forms of the same, for oracles and gradcheck: arrays [T,B,N] double, in[p] NULL
     * when nothing is connected. smooth: spikes are the surrogate's integral. keep: doubles kept
     * between forward and backward, reference_need of them. */
    size_t (*reference_need)(const rheo_node_spec *node, uint32_t T, uint32_t B);
    void (*reference_forward)(const struct rheo_reference_work *work);
    void (*reference_backward)(const struct rheo_reference_work *work);
} rheo_layer;

typedef struct rheo_reference_work {
    const rheo_node_spec *node;
    uint32_t T, B;
    uint32_t t0, t1;   /* a population in a cycle: the steps to take; t1 0: up to T */
    uint32_t truncate; /* gradients do not cross multiples of so many steps; 0: they do */
    bool train, smooth;
    const double *in[RHEO_PORTS];
    double *out, *readout;
    const double *gout, *greadout;
    double *gin[RHEO_PORTS];
    const double *param[RHEO_NODE_PARAMS];
    double *grad[RHEO_NODE_PARAMS];
    double *keep;
    uint64_t seed;
    const uint32_t *sample;
    uint32_t show;
} rheo_reference_work;
static inline uint32_t rheo__reference_end(const rheo_reference_work *work)
{
    return work->t1 ? work->t1 : work->T;
}

/* A population is a layer `neuron` with a model, or a layer that fires by itself and has no model: those
 * have a state, spikes 0 and 1, and v. */
static inline bool rheo__is_population(const rheo_node_spec *node)
{
    return node->layer->kind == RHEO_POPULATION;
}
/* A population with spikes (or signs) as its output. */
static inline bool rheo__fires(const rheo_node_spec *node)
{
    return rheo__is_population(node) && (!node->neuron || node->neuron->out == RHEO_BITS);
}
/* A population whose units have no state: one step says all. */
static inline bool rheo__is_analogue(const rheo_node_spec *node)
{
    return node->neuron && node->neuron->stateless;
}

/* What a population, or a layer that fires itself, takes for the derivative of its spikes. */
rheo_pseudo rheo__node_pseudo(const rheo_node_spec *node);
const rheo_layer *rheo__layer_find(const char *name);
const rheo_layer *rheo__layer_at(uint32_t index);
extern const char *const rheo__layer_names[];
#endif
