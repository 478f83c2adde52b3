/* readout.h: from the output layer's window to a decision; listed in readouts.def. */
#ifndef RHEO_SRC_READOUT_H
#define RHEO_SRC_READOUT_H
#include "array/signal.h"

/* rate: sum of the output over the steps so far · membrane: sum of v · last: v of the last step
 * · first: earliest spike · response: mean response of the neurons assigned to each class */
extern const char *const rheo__readout_names[];

typedef struct rheo_decide {
    uint32_t readout;
    const rheo_signal *out, *v;       /* v: NULL unless the read-out needs it */
    uint32_t classes;
    const uint32_t *assignment;       /* response: class of each output neuron, ≥ classes: none */
    double *score;                    /* [outputs] scratch, cleared at t = 0 */
    double *class_score;              /* [classes] scratch; kept between steps, like score */
} rheo_decide;
bool rheo__readout_uses_membrane(uint32_t readout);
/* Takes step t (in ascending order) of sample b into the scores, then decides: the class of the
 * largest score; *tie: more than one has it (the first is returned). */
uint32_t rheo__decide(const rheo_decide *d, uint32_t t, uint32_t b, bool *tie);
#endif
