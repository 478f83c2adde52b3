/* window.h: windows that slide over an image of one to three axes: the geometry of convolution, its
 * transpose, pooling and upsampling. Arrays of axes are ordered depth, height, width; a line uses
 * the last alone, a picture the last two. Position o of an axis sees the places
 *
 *   o · stride - before + k · dilation,  k = 0 … kernel-1
 *
 * of the image; those outside are padding. */
#ifndef RHEO_SRC_WINDOW_H
#define RHEO_SRC_WINDOW_H
#include "layer/layer.h"

#define RHEO_AXES 3
typedef struct rheo_window {
    uint32_t axes; /* in use */
    uint32_t in[RHEO_AXES],
        out[RHEO_AXES]; /* image and positions; out 0: the window does not fit */
    uint32_t kernel[RHEO_AXES], stride[RHEO_AXES], dilation[RHEO_AXES], before[RHEO_AXES];
    uint32_t after[RHEO_AXES];
} rheo_window;

/* Options of a window: one value for all axes, and one for each that may differ (-1: it does not).
 * Each quantity is RHEO_PER_AXIS entries of a table. */
#define RHEO_PER_AXIS 4
extern const char *const rheo__as_all[];  /* -1 is "all" */
extern const char *const rheo__as_same[]; /* -1 is "same" */
#define RHEO_AXIS_FIELDS(name, low, high)                                                          \
    {name "_d", "1", RHEO_INTEGER, -1, low, high, rheo__as_all, "The same along the depth."},      \
        {name "_h", "1", RHEO_INTEGER, -1, low, high, rheo__as_all, "Along the height."},          \
    {                                                                                              \
        name "_w", "1", RHEO_INTEGER, -1, low, high, rheo__as_all, "Along the width."              \
    }
#define RHEO_AXES_FIELD                                                                            \
    RHEO_INTEGER_FIELD("axes", "1", 0, 0, 3, "Axes of the image; 0: as many as its shape has.")

/* Axes of an image: as many as are asked for, or as its shape has. */
uint32_t rheo__image_axes(rheo_shape shape, double asked);
/* Sizes along the axes, ordered as above; axes not in use have 1. */
void rheo__image_size(rheo_shape shape, uint32_t axes, uint32_t size[RHEO_AXES]);
rheo_shape rheo__image_shape(uint32_t channels, uint32_t axes, const uint32_t size[RHEO_AXES]);
/* The value of a quantity along axis a of a window with so many axes. */
double rheo__axis_option(const double *option, uint32_t axes, uint32_t a);
/* Positions of a window on a padded image: 0 when it does not fit. */
uint32_t rheo__window_positions(uint32_t in, uint32_t pad, uint32_t kernel, uint32_t stride,
                                uint32_t dilation);
uint32_t rheo__axes_product(const uint32_t size[RHEO_AXES]);
/* How often place i of axis a is seen by a position. */
uint32_t rheo__window_seen(const rheo_window *w, uint32_t a, uint32_t i);
/* The place that tap k of position o sees: false when it is padding. */
static inline bool rheo__window_place(const rheo_window *w, uint32_t a, uint32_t o, uint32_t k,
                                      uint32_t *place)
{
    const uint64_t at = (uint64_t)o * w->stride[a] + (uint64_t)k * w->dilation[a];
    *place = (uint32_t)(at - w->before[a]);
    return at >= w->before[a] && at - w->before[a] < w->in[a];
}
#endif
