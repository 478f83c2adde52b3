/* rheobase/net.h: nets and plans. A net owns what lasts (graph, parameters), a plan what passes
 * (state of a sample, tape, scratch). Everything is allocated by rheo_plan_new. */
#ifndef RHEOBASE_NET_H
#define RHEOBASE_NET_H
#include <rheobase/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rheo_net rheo_net;
typedef struct rheo_plan rheo_plan;

/* Zero fields take the model's defaults. */
typedef struct rheo_net_options {
    const char *neuron;    /* model name; NULL: "lif" */
    float beta;            /* decay of the membrane a step; 0: the model's default [1] */
    float threshold;       /* 0: the model's default [1] */
    const char *reset;     /* "subtract", "zero", "none"; NULL: the model's default */
    const char *surrogate; /* NULL: "atan" */
} rheo_net_options;

/* Builds a net from the literature's notation, e.g. "784-1000-10": weight layers with a population
 * each, bias on, PyTorch's initialisation U(-1/sqrt(fan-in), 1/sqrt(fan-in)) from the context's
 * seed. Errors: RHEO_USAGE (notation, names), RHEO_SHAPE, RHEO_MEMORY. */
RHEO_API rheo_status rheo_net_parse(rheo_context *ctx, const char *notation,
                                    const rheo_net_options *options, rheo_net **out);
RHEO_API void rheo_net_free(rheo_net *net);
RHEO_API uint32_t rheo_net_inputs(const rheo_net *net);
RHEO_API uint32_t rheo_net_outputs(const rheo_net *net);
RHEO_API uint64_t rheo_net_parameters(const rheo_net *net);

/* A parameter's values, [rows, cols] in C order: borrowed; "1.weight". NULL: no such parameter. After
 * writing through the pointer call rheo_net_touch. */
RHEO_API float *rheo_net_parameter(rheo_net *net, const char *path, uint32_t *rows, uint32_t *cols);
RHEO_API void rheo_net_touch(rheo_net *net);

typedef struct rheo_plan_options {
    uint32_t steps;            /* T ≥ 1 */
    uint32_t batch;            /* B ≥ 1, the largest */
    bool train;                /* keep a tape, gradients; else forward only */
    bool fixed;                /* the input is the same at every step: one [B,N] array (static) */
    const char *const *record; /* "1.s", "1.v", …, NULL-terminated; NULL: only the output */
    bool lengths;              /* samples may have fewer steps: rheo_plan_lengths */
} rheo_plan_options;
RHEO_API rheo_status rheo_plan_new(rheo_net *net, const rheo_plan_options *options,
                                   rheo_plan **out);
RHEO_API void rheo_plan_free(rheo_plan *plan);
/* Bytes that the plan holds: exactly what it took from the allocator. */
RHEO_API size_t rheo_plan_bytes(const rheo_plan *plan);
/* Starts new samples: state at rest. */
RHEO_API void rheo_plan_reset(rheo_plan *plan);

/* The steps of each sample, [B] of 1 … T, for all runs from now on; NULL: all have T. Behind its end a
 * sample gives 0 in all populations, and no gradient comes from there. RHEO_USAGE when the plan was
 * made without `lengths`, or a length is out of range: then nothing changes. */
RHEO_API rheo_status rheo_plan_lengths(rheo_plan *plan, const uint32_t *length);

/* Runs a whole window from rest: input [T,B,N] floats (or [B,N] when fixed), output [T,B,M] floats:
 * spikes as 0/1, or real values. Arrays must not overlap. */
RHEO_API rheo_status rheo_forward(rheo_plan *plan, const float *input, float *output);
/* Goes on from where the state is, by the plan's steps: with steps 1, streaming. Same bits as one
 * window of all steps. */
RHEO_API rheo_status rheo_advance(rheo_plan *plan, const float *input, float *output);
/* A recorded array after a run: [T,B,N] floats copied to out (spikes as 0/1). RHEO_USAGE when it
 * has not been recorded. */
RHEO_API rheo_status rheo_record(rheo_plan *plan, const char *path, float *out);
/* Gradient of sum(gout * output) + sum(greadout * v of the output population): gout, greadout
 * [T,B,M] or NULL. Then rheo_gradient(plan, "1.weight") points to the gradient [rows, cols]. */
RHEO_API rheo_status rheo_backward(rheo_plan *plan, const float *gout, const float *greadout);
RHEO_API const float *rheo_gradient(const rheo_plan *plan, const char *path);

#ifdef __cplusplus
}
#endif
#endif
