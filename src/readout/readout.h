/* readout.h: from the output layer's window to a decision; listed in readouts.def. A population: the
 * outputs are k neurons a class, group by group, and a class's score is the sum of its neurons', or
 * their mean; of the first spike, the earliest. */
#ifndef RHEO_SRC_READOUT_H
#define RHEO_SRC_READOUT_H
#include "array/signal.h"

extern const char *const rheo__readout_names[];

/* The choice `population` of a recipe. */
typedef enum { RHEO_GROUP_NONE, RHEO_GROUP_SUM, RHEO_GROUP_MEAN } rheo_group;
extern const char *const rheo__group_names[];

typedef struct rheo_decide {
    uint32_t readout;
    rheo_group group;           /* NONE: a neuron a class */
    const rheo_signal *out, *v; /* v: NULL unless the read-out needs it */
    uint32_t classes;
    const uint32_t *assignment; /* response: class of each output neuron, ≥ classes: none */
    double *score;              /* [outputs] scratch, cleared at t = 0 */
    double *class_score;        /* [classes] scratch; kept between steps, like score */
} rheo_decide;
bool rheo__readout_uses_membrane(uint32_t readout);
/* Takes step t (in ascending order) of sample b into the scores, then decides: the class of the
 * largest score; *tie: more than one has it (the first is returned). */
uint32_t rheo__decide(const rheo_decide *d, uint32_t t, uint32_t b, bool *tie);
#endif
