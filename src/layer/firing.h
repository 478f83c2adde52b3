/* firing.h: spikes from distances above a threshold, of layers that fire themselves. */
#ifndef RHEO_SRC_FIRING_H
#define RHEO_SRC_FIRING_H
#include "layer/rows.h"
#include <math.h>

/* A spike of the reference: hard (x >= 0, strict: x > 0), or the surrogate's integral. */
static inline double rheo__firing(double x, bool strict, bool smooth, const rheo_pseudo *pseudo)
{
    if (smooth) return rheo__pseudo_integral(pseudo, x);
    return (strict ? x > 0 : x >= 0) ? 1 : 0;
}
#endif
