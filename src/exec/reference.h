/* reference.h: the same graph, slowly, in double precision, with hard or smooth spikes: the oracle
 * of the float engine, and what gradcheck differentiates. Loops are stepped, sums are arrays of
 * their own. */
#ifndef RHEO_SRC_REFERENCE_H
#define RHEO_SRC_REFERENCE_H
#include "loss/loss.h"
#include "net/net.h"

typedef struct rheo_reference rheo_reference;
typedef struct rheo_reference_options {
    uint32_t T, B;
    bool train, smooth;
    uint64_t seed;
    const uint32_t *sample;
    uint32_t show;
    uint32_t truncate; /* as the plan's */
} rheo_reference_options;
/* Parameters are copied from the net to double, and may be changed there. */
rheo_status rheo__reference_new(rheo_net *net, const rheo_reference_options *options,
                                rheo_reference **out);
void rheo__reference_free(rheo_reference *reference);
double *rheo__reference_param(rheo_reference *reference, uint32_t param); /* [rows, cols] */
const double *rheo__reference_grad(const rheo_reference *reference, uint32_t param);
/* x [T,B,N]; returns out and readout of the output node, [T,B,C] */
void rheo__reference_forward(rheo_reference *reference, const double *x);
const double *rheo__reference_out(const rheo_reference *reference);
const double *rheo__reference_readout(const rheo_reference *reference);
/* Output of any node, and after a backward pass dL/d it: [T,B,N] */
const double *rheo__reference_node(const rheo_reference *reference, uint32_t node);
const double *rheo__reference_node_grad(const rheo_reference *reference, uint32_t node);
/* The membrane of a population: [T,B,N]. */
const double *rheo__reference_membrane(const rheo_reference *reference, uint32_t node);
/* What a hidden population's output and membrane are pushed by beside what comes from its targets,
 * in all backward passes from now on: [T,B,N], the caller's, or NULL. */
void rheo__reference_push(rheo_reference *reference, uint32_t node, const double *gout,
                          const double *gv);
/* gout, greadout: [T,B,C] or NULL. Fills the gradients, and gx [T,B,N] when not NULL. */
void rheo__reference_backward(rheo_reference *reference, const double *gout, const double *greadout,
                              double *gx);
#endif
