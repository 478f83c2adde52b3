/* optim.h: optimisers, listed in optimisers.def, and rate schedules. */
#ifndef RHEO_SRC_OPTIM_H
#define RHEO_SRC_OPTIM_H
#include "base/field.h"

struct rheo_kernels;
typedef struct rheo_optimiser {
    const char *name, *title, *equations, *source;
    uint32_t slots;             /* floats kept for each parameter element */
    const rheo_field *fields;   /* without the rate, which has its schedule */
    /* w: n elements, g: gradient, slot[s]: n elements each; step counts from 1 */
    void (*step)(const struct rheo_kernels *kernels, const rheo_options *options, double rate,
                 uint64_t step, float *w, const float *g, float *const *slot, size_t n);
} rheo_optimiser;
const rheo_optimiser *rheo__optimiser_find(const char *name);
const rheo_optimiser *rheo__optimiser_at(uint32_t index);
extern const char *const rheo__optimiser_names[];

/* Factor on the rate at `progress` in [0,1) of the training. */
extern const char *const rheo__schedule_names[]; /* constant, linear, cosine, exponential */
double rheo__schedule(uint32_t schedule, double last, double progress); /* last: factor at the end */
#endif
