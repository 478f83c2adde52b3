/* weights.h: weights that are made from trained ones before they are used: the option `weights` of
 * dense, conv and conv-transpose. A projection gives its table RHEO_WEIGHTS_FIELDS, its parameters
 * the extra one, and between gradient and parameter calls rheo__weights_gradient. Equations:
 * weights.c. */
#ifndef RHEO_SRC_WEIGHTS_H
#define RHEO_SRC_WEIGHTS_H
#include "layer/layer.h"

typedef enum {
    RHEO_REAL_WEIGHTS,
    RHEO_BINARY_WEIGHTS,
    RHEO_TERNARY_WEIGHTS,
    RHEO_QUANTISED_WEIGHTS,
    RHEO_NORMED_WEIGHTS,
    RHEO_STANDARDISED_WEIGHTS,
    RHEO_DALE_WEIGHTS,
    RHEO_SPARSE_WEIGHTS
} rheo_weight_kind;
extern const char *const rheo__weight_kinds[];

/* Entries of a projection's table, in this order. */
enum {
    RHEO_WEIGHTS_KIND,
    RHEO_WEIGHTS_BITS,
    RHEO_WEIGHTS_SCALED,
    RHEO_WEIGHTS_DENSITY,
    RHEO_WEIGHTS_EXCITATORY,
    RHEO_WEIGHTS_OPTIONS
};
#define RHEO_WEIGHTS_FIELDS                                                                        \
    RHEO_CHOICE_FIELD("weights", RHEO_REAL_WEIGHTS, rheo__weight_kinds,                            \
                      "real; made of a trained w: binary: sign(w); ternary: its values above a "   \
                      "threshold; quantised to `bits`; normed: g w/|w|; standardised: mean 0 and " \
                      "variance 1 for each output; dale: |w| with a sign for each input; sparse: " \
                      "some of them, the others 0."),                                              \
        RHEO_INTEGER_FIELD("bits", "1", 8, 2, 16, "Of quantised weights."),                        \
        RHEO_FLAG_FIELD("scaled", 0,                                                               \
                        "Binary weights times the mean |w| of their output (XNOR-Net)."),          \
        RHEO_NUMBER_FIELD("density", "1", 0.5, 0, 1, "Share of sparse weights that exist."),       \
        RHEO_NUMBER_FIELD("excitatory", "1", 0.8, 0, 1,                                            \
                          "Share of inputs with positive weights, of dale.")

typedef struct rheo_weights {
    const rheo_node_spec *node;
    const double *option; /* RHEO_WEIGHTS_OPTIONS of them */
    rheo_weight_kind kind;
    uint32_t rows, cols; /* an output's weights are a row */
    uint32_t taps;       /* columns of one input: 1, of conv a kernel's plane */
    uint32_t extra;      /* index of the parameter that the kind adds; 0: none */
} rheo_weights;

/* first: index of the option `weights`; extra: where the kind's parameter would stand. */
rheo_weights rheo__weights_of(const rheo_node_spec *node, uint32_t first, uint32_t rows,
                              uint32_t cols, uint32_t taps, uint32_t extra);
/* The parameter that the kind adds: false when none. weight: gets the kind's bounds. */
bool rheo__weights_param(const rheo_weights *w, rheo_param *out);
void rheo__weights_bounds(const rheo_weights *w, rheo_param *weight);
/* After the weights have got their first values. */
void rheo__weights_initialise(const rheo_weights *w, uint64_t seed);
/* Floats of what is made: 0 for real weights, which are used as they are. */
size_t rheo__weights_floats(const rheo_weights *w);
void rheo__weights_refresh(rheo_context *ctx, const rheo_weights *w, float *made);
/* g: gradient of what is made, changed; goes (added) to the gradients of weight and extra, of which
 * either may be NULL. */
void rheo__weights_gradient(rheo_context *ctx, const rheo_weights *w, float *g, float *weight,
                            float *extra, bool add);
/* The same in double. smooth: what is passed straight through is the identity forward too, so that
 * differences see the gradient that is used. */
void rheo__weights_reference(const rheo_weights *w, const rheo_reference_work *work, double *made);
void rheo__weights_gradient_reference(const rheo_weights *w, const rheo_reference_work *work,
                                      double *g, double *weight, double *extra);
#endif
