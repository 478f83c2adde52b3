/* single.h: what models, surrogates and formulas are written with (model.h), in float32, for the
 * instruction set that RHEO_ISA names. */
#ifndef RHEO_SRC_NEURON_SINGLE_H
#define RHEO_SRC_NEURON_SINGLE_H
#include "neuron/isa.h"
#include "neuron/model.h"
#include "neuron/surrogate_math.h"

#define REAL             float
#define RHEO_EXP         rheo__expf
#define RHEO_LOG         rheo__logf
#define RHEO_LOG1P       rheo__log1pf
#define RHEO_TANH        rheo__tanhf
#define RHEO_ERF         rheo__erff
#define RHEO_SQRT        sqrtf
#define RHEO_ABS         fabsf
#define RHEO_BELL        rheo__bellf
#define RHEO_NORMAL      rheo__normalf
#define RHEO_ODD_COSINES rheo__odd_cosinesf

/* isa.inc has it */
#define pseudo_derivative RHEO_PASTE(RHEO_ISA, derivative)
void pseudo_derivative(const rheo_pseudo *p, const float *x, float *d, uint32_t T, uint32_t lanes);
#endif
