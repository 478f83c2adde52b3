/* firing.h: layers that fire themselves: spikes from distances above a threshold, and the options
 * of their surrogate. */
#ifndef RHEO_SRC_FIRING_H
#define RHEO_SRC_FIRING_H
#include "layer/rows.h"
#include <math.h>

#define RHEO_FIRING_FIELDS                                                                         \
    RHEO_CHOICE_FIELD("surrogate", 0, rheo__surrogate_names, "Derivative of the spike."),          \
        RHEO_NUMBER_FIELD("slope", "1", 0, 0, 1e6, "Of the surrogate; 0: its own default."),       \
        RHEO_NUMBER_FIELD("shape", "1", NAN, -1e6, 1e6,                                            \
                          "Second parameter of the surrogate; nan: its own default.")

/* v: the three options, in that order. */
static inline rheo_pseudo rheo__firing_pseudo(const double *v)
{
    return (rheo_pseudo){.surrogate = (uint32_t)v[0], .slope = v[1], .shape = v[2]};
}

/* A spike of the reference: hard (x >= 0, strict: x > 0), or the surrogate's integral. */
static inline double rheo__firing(double x, bool strict, bool smooth, const rheo_pseudo *pseudo)
{
    if (smooth) return rheo__pseudo_integral(pseudo, x);
    return (strict ? x > 0 : x >= 0) ? 1 : 0;
}
#endif
