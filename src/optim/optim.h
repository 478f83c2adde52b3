/* optim.h: optimisers, listed in optimisers.def, and the courses of the rate, in schedules.def. */
#ifndef RHEO_SRC_OPTIM_H
#define RHEO_SRC_OPTIM_H
#include "base/field.h"

#define RHEO_OPTIMISER_SLOTS 2

struct rheo_kernels;
typedef struct rheo_optimiser {
    const char *name, *title, *equations, *source;
    uint32_t slots;           /* floats kept for each parameter element, 0 at first */
    const rheo_field *fields; /* without the rate, which has its schedule */
    /* Options that do not go together: RHEO_USAGE. NULL: all do. */
    rheo_status (*check)(rheo_context *ctx, const rheo_options *options);
    /* w: n elements, g: gradient, slot[s]: n elements each; step counts from 1. Each element is on
     * its own, so a parameter may be cut anywhere. */
    void (*step)(const struct rheo_kernels *kernels, const rheo_options *options, double rate,
                 uint64_t step, float *w, const float *g, float *const *slot, size_t n);
} rheo_optimiser;
const rheo_optimiser *rheo__optimiser_find(const char *name);
const rheo_optimiser *rheo__optimiser_at(uint32_t index);
extern const char *const rheo__optimiser_names[];

/* Where the training is, after the warm-up, and what a schedule remembers. All double: saved as a
 * row. */
typedef struct rheo_course {
    double tick, progress; /* epochs or steps done; share of the training that is done */
    double factor;         /* plateau: of the rate, so far; 1 at first */
    double best, seen;     /* plateau: best figure, of how many */
    double bad, rest;      /* plateau: epochs without a better one; that still do not count */
} rheo_course;

typedef struct rheo_schedule {
    const char *name, *title, *equations, *source;
    const rheo_field *fields; /* the first is `each`; with `watch`: loss or validation */
    /* Factor on the rate. NULL: course->factor, which `observe` moves. */
    double (*factor)(const rheo_options *options, const rheo_course *course);
    /* The epoch's figures: training loss, validation accuracy [%] (NaN: none). NULL: not looked at */
    void (*observe)(const rheo_options *options, double loss, double accuracy, double rate,
                    rheo_course *course);
} rheo_schedule;
const rheo_schedule *rheo__schedule_find(const char *name);
const rheo_schedule *rheo__schedule_at(uint32_t index);
extern const char *const rheo__schedule_names[];
enum { RHEO_EACH_EPOCH, RHEO_EACH_STEP }; /* values of `each`, the first field of a schedule */
/* Linear rise from `from` at tick 0 to 1 at tick `ticks`, 1 afterwards. */
double rheo__warm_up(double from, double ticks, double tick);
#endif
