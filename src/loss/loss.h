/* loss.h: losses, each with its gradient; listed in losses.def. The output layer's spikes (as 0/1)
 * or real values, and its membrane, come as [T,B,C]. */
#ifndef RHEO_SRC_LOSS_H
#define RHEO_SRC_LOSS_H
#include "array/signal.h"
#include "base/field.h"

typedef struct rheo_loss_call {
    const rheo_options *options;
    uint32_t T, B, C;
    const rheo_signal *out;      /* bits or real */
    const rheo_signal *readout;  /* real; NULL unless the loss uses it */
    const uint32_t *label;       /* [B] */
    rheo_signal *gout, *greadout; /* real, overwritten by mean-loss gradients; NULL when not used */
    float *scratch;              /* need(T,B,C) floats */
} rheo_loss_call;

typedef struct rheo_loss {
    const char *name, *title, *equations, *source;
    bool uses_readout;           /* the membrane; else the output */
    const rheo_field *fields;
    size_t (*need)(uint32_t T, uint32_t B, uint32_t C);
    double (*value)(const rheo_loss_call *call); /* mean over B; fills the gradients */
    /* the same in double on [T,B,C] arrays, for oracles and gradcheck; grad may be NULL */
    double (*reference)(const rheo_options *options, uint32_t T, uint32_t B, uint32_t C,
                        const double *x, const uint32_t *label, double *grad);
} rheo_loss;
const rheo_loss *rheo__loss_find(const char *name);
const rheo_loss *rheo__loss_at(uint32_t index);
extern const char *const rheo__loss_names[];
#endif
