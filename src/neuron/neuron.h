/* neuron.h: what the template (template.h) makes of each model (models/x.h, listed in models.def).
 *
 * A model is written once, as scalar code: fields, derive(), step() and its adjoint. The template
 * turns it into loops over a block of at most 64 neurons and a whole window of steps, once for each
 * instruction set, and into the double-precision reference with a hard or a smooth spike.
 *
 * Options that are a matter of convention (reset: subtract, zero, none; reset when: same or next
 * step; detached or not) enter the loops as coefficients 0 or 1, so a loop has no branches and a
 * model needs no variants. */
#ifndef RHEO_SRC_NEURON_H
#define RHEO_SRC_NEURON_H
#include "array/signal.h"
#include "base/field.h"
#include "base/random.h"
#include "neuron/formula.h"

#define RHEO_PORTS 4 /* input ports of a node, at most */
/* Behind them, among a model's inputs: */
#define RHEO_DRAW      RHEO_PORTS       /* a random number, for models that draw */
#define RHEO_BARRED    (RHEO_PORTS + 1) /* 1: it may not spike (another neuron of its layer does) */
#define RHEO_ROWS      (RHEO_PORTS + 2) /* inputs that come as rows */
#define RHEO_FULL      RHEO_ROWS /* 1: the loop with all options, 0: plain, < 0: a lean one */
#define RHEO_STATES    8         /* state fields, at most */
#define RHEO_CONSTANTS 24
#define RHEO_BLOCK     64 /* neurons in a block: one word of spikes */

/* RUN: lasts over samples, saved with the net */
typedef enum { RHEO_SCOPE_SAMPLE, RHEO_SCOPE_RUN } rheo_scope;

typedef struct rheo_state_field {
    const char *name, *unit, *doc;
    rheo_scope scope;
} rheo_state_field;

/* What stands for the derivative of the spike. slope 0, shape NaN: the surrogate's own default. The
 * rest is for a surrogate that draws (NULL: it gives its mean): element j of step t is word (first +
 * j) % 4 of the counter {sample, show, step0 + t, (first + j) / 4}. */
typedef struct rheo_pseudo {
    uint32_t surrogate; /* index in surrogates.def */
    double slope, shape;
    const rheo_formula *formula; /* of the entry `formula` */
    const rheo_key *key;
    uint32_t sample, show, step0, first;
} rheo_pseudo;

/* Neurons of one sample, side by side, over T steps; the adjoint takes a block of 64 at most. */
typedef struct rheo_block {
    uint32_t T, n;
    const float *k;               /* constants, from derive: k[X] for all neurons, or */
    size_t k_apart;               /* when not 0, k[X*k_apart + j] for neuron j */
    uint32_t room;                /* floats that each state of scope SAMPLE has room for; what
                                            is behind the n may be written. 0: n */
    const float *port[RHEO_ROWS]; /* input of step t, neuron j: port[p][t*port_t[p] + j]; rows
                                            have room for n rounded up to 16; NULL: 0 */
    size_t port_t[RHEO_ROWS];     /* 0: static */
    float *state[RHEO_STATES];    /* state[f][j]; updated to the end of the window */
    uint64_t *spikes;             /* one word a step, NULL for models with real output */
    size_t spikes_t;
    float *real; /* real output of models that have it, else NULL */
    size_t real_t;
    float *readout; /* the model's read-out state (v) after each step, or NULL */
    size_t readout_t;
    float *above; /* distances above the threshold, or NULL */
    size_t above_t;
    bool learn; /* RUN-scope state may change */
} rheo_block;

/* Backward through the same block: `forward` describes the window with the state as it was at its
 * start (left untouched). */
typedef struct rheo_block_adjoint {
    rheo_block forward;
    const float *gout; /* dL/d(output of step t), the output being lo + z*(hi-lo) or
                                            the real value: gout[t*gout_t + j]; NULL: 0 */
    size_t gout_t;
    const float *greadout; /* dL/d(readout); NULL: 0 */
    size_t greadout_t;
    float *gport[RHEO_PORTS];   /* dL/d(input), overwritten; NULL: not wanted */
    size_t gport_t[RHEO_PORTS]; /* 0: summed over time, from the last step to the first */
    bool more;                  /* such sums go on from what stands in gport: this is not the
                                            last span of the window */
    float *gstate[RHEO_STATES]; /* dL/d(state after) in, dL/d(state before) out; NULL: 0 in */
    float *gk;                  /* dL/d(constant X of neuron j), added to gk[X*gk_apart + j]
                                            from the last step to the first; NULL: not wanted */
    size_t gk_apart;
    rheo_pseudo pseudo; /* what stands for the derivative of the spike */
    float *work;        /* neuron->work(T) floats, aligned to 64 */
} rheo_block_adjoint;

typedef struct rheo_neuron_loops {
    void (*window)(const rheo_block *);
    void (*adjoint)(const rheo_block_adjoint *); /* NULL: no gradient through this model */
} rheo_neuron_loops;
/* The loops of the context's instruction set. */
const rheo_neuron_loops *rheo__neuron_loops(const rheo_context *ctx, uint32_t neuron);
/* d[t*lanes + j] = derivative of the surrogate at x[t*lanes + j], the distance of neuron j above the
 * threshold in step t. */
void rheo__surrogate_derivative(const rheo_context *ctx, const rheo_pseudo *pseudo, const float *x,
                                float *d, uint32_t T, uint32_t lanes);

/* The double reference of one neuron: state s[], inputs in[RHEO_ROWS], constants k[]. */
typedef struct rheo_neuron_reference {
    /* One step; returns the output: lo + z*(hi-lo) with z the spike (smooth: the surrogate's integral),
     * or the real value.
     * x: distance above the threshold before the spike (0 for models without spikes). */
    double (*step)(const double *k, double *s, const double *in, bool smooth,
                   const rheo_pseudo *pseudo, bool learn, double *x);
    /* Adjoint of that step: s0 state before it, gs in: dL/d(state after), out: dL/d(state before);
     * gin[RHEO_PORTS] overwritten, gk[RHEO_CONSTANTS] added to. gout: dL/d(output). (smooth only
     * changes what z was.) */
    void (*adjoint)(const double *k, const double *s0, const double *in, bool smooth,
                    const rheo_pseudo *pseudo, double gout, double *gs, double *gin, double *gk);
} rheo_neuron_reference;

typedef struct rheo_neuron {
    const char *name, *title;       /* "lif", "leaky integrate-and-fire" */
    const char *equations;          /* a few lines of text for `rheobase show` and the docs */
    const char *source;             /* paper, equation */
    uint32_t index;                 /* in models.def */
    rheo_form out;                  /* RHEO_BITS or RHEO_REAL */
    float lo, hi;                   /* of its bits */
    bool stateless;                 /* analogue units: T = 1 suffices for static input */
    bool draws;                     /* wants a random number for each neuron and step */
    uint32_t constants;             /* that derive makes */
    const char *const *learnable;   /* fields whose gradient goes through gk, NULL-terminated */
    const char *const *ports;       /* names, NULL-terminated; the first is the default port */
    const rheo_field *fields;       /* parameters and options; spiking ones end with
                                 RHEO_SURROGATE_FIELDS */
    const rheo_state_field *states; /* name NULL ends */
    uint32_t readout;               /* index of the state that `v` means; RHEO_STATES: the output */
    /* parameters (in the order of fields) and the step [ms] to constants; RHEO_USAGE when they
     * cannot go together */
    rheo_status (*derive)(rheo_context *ctx, const rheo_options *options, double dt, double *k);
    void (*initial)(const double *k, double *s); /* state at rest */
    size_t (*work)(uint32_t T);                  /* floats for the adjoint of a window */
    /* multiplies, adds of one neuron and step, for the meter */
    uint32_t multiplies, adds;
    rheo_neuron_reference reference;
} rheo_neuron;

const rheo_neuron *rheo__neuron_find(const char *name); /* NULL: unknown */
const rheo_neuron *rheo__neuron_at(uint32_t index);     /* NULL at the end */
extern const char *const rheo__neuron_names[];

typedef struct rheo_surrogate {
    const char *name, *equations, *source;
    double slope, shape; /* default parameters */
    bool own, random;    /* the place for a formula; its derivative draws */
    /* in double; integral(-inf) = 0 where it exists; use rheo__pseudo_… instead */
    double (*derivative)(double x, double slope, double shape);
    double (*integral)(double x, double slope, double shape);
} rheo_surrogate;
const rheo_surrogate *rheo__surrogate_at(uint32_t index);
extern const char *const rheo__surrogate_names[]; /* the choices of the field `surrogate` */
/* The last fields of a spiking model with a gradient, and of layers that fire themselves. */
#define RHEO_SURROGATE_FIELDS(init)                                                                \
    {"surrogate",                                                                                  \
     "1",                                                                                          \
     RHEO_CHOICE,                                                                                  \
     init,                                                                                         \
     0,                                                                                            \
     1,                                                                                            \
     rheo__surrogate_names,                                                                        \
     "derivative of the spike; or a formula, as \"1/(1+abs(k*x))^2\""},                            \
        RHEO_NUMBER_FIELD("slope", "1", 0, 0, 1e6, "of the surrogate; 0: its own default"),        \
        RHEO_NUMBER_FIELD("shape", "1", NAN, -1e6, 1e6,                                            \
                          "second parameter of the surrogate; nan: its own default")
/* The parameters that hold: those given, or the surrogate's own. */
void rheo__pseudo_parameters(const rheo_pseudo *pseudo, double *slope, double *shape);
double rheo__pseudo_derivative(const rheo_pseudo *pseudo, double x); /* draws: their mean */
double rheo__pseudo_integral(const rheo_pseudo *pseudo, double x);
/* Parameters that the surrogate cannot have, and a formula that is no number somewhere. */
rheo_status rheo__pseudo_check(rheo_context *ctx, const rheo_pseudo *pseudo, const char *where);
#endif
