/* initialise.h: first values of weights: the option `initialise` of dense, conv and conv-transpose.
 * A projection gives its table RHEO_INITIAL_FIELDS and calls rheo__initialise. Equations:
 * initialise.c. */
#ifndef RHEO_SRC_INITIALISE_H
#define RHEO_SRC_INITIALISE_H
#include "layer/layer.h"

typedef enum {
    RHEO_INITIAL_PYTORCH,
    RHEO_INITIAL_GLOROT,
    RHEO_INITIAL_HE,
    RHEO_INITIAL_GLOROT_NORMAL,
    RHEO_INITIAL_HE_UNIFORM,
    RHEO_INITIAL_NORMAL,
    RHEO_INITIAL_UNIFORM,
    RHEO_INITIAL_ORTHOGONAL
} rheo_initial_kind;
extern const char *const rheo__initial_kinds[];

/* Entries of a projection's table, in this order. */
enum {
    RHEO_INITIAL_KIND,
    RHEO_INITIAL_GAIN,
    RHEO_INITIAL_MEAN,
    RHEO_INITIAL_SD,
    RHEO_INITIAL_LOW,
    RHEO_INITIAL_HIGH,
    RHEO_INITIAL_OPTIONS
};
#define RHEO_INITIAL_FIELDS                                                                        \
    RHEO_CHOICE_FIELD("initialise", RHEO_INITIAL_PYTORCH, rheo__initial_kinds,                     \
                      "pytorch: U(+-1/sqrt(in)), bias too; glorot: U(+-sqrt(6/(in+out))); he: "    \
                      "N(0, 2/in); glorot-normal: N(0, 2/(in+out)); he-uniform: "                  \
                      "U(+-sqrt(6/in)); normal: N(mean, sd^2); uniform: U(low, high); "            \
                      "orthogonal: rows or columns of length 1 at right angles. All but the "      \
                      "first with bias 0."),                                                       \
        RHEO_NUMBER_FIELD("gain", "1", 1, 0, 1e6, "Factor on the weights that are drawn."),        \
        RHEO_NUMBER_FIELD("mean", "1", 0, -1e6, 1e6, "Of normal."),                                \
        RHEO_NUMBER_FIELD("sd", "1", 0.01, 0, 1e6, "Of normal."),                                  \
        RHEO_NUMBER_FIELD("low", "1", -0.05, -1e6, 1e6, "Of uniform."),                            \
        RHEO_NUMBER_FIELD("high", "1", 0.05, -1e6, 1e6, "Of uniform.")

/* in, out: connections that a weight's output and input have (of conv with their taps). */
typedef struct rheo_initial {
    const rheo_node_spec *node;
    const double *option; /* RHEO_INITIAL_OPTIONS of them */
    double in, out;
} rheo_initial;
/* low <= high; RHEO_USAGE with the node's name. */
rheo_status rheo__initial_check(rheo_context *ctx, const rheo_initial *initial);
/* Fills weight [rows, cols] and bias (NULL: none), a function of seed and node only. */
void rheo__initialise(const rheo_initial *initial, uint64_t seed, const rheo_param *weight,
                      const rheo_param *bias);
#endif
