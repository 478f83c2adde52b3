/* window.c: the geometry of windows.h. */
#include "layer/window.h"
#include <string.h>

const char *const rheo__as_all[] = {"all", NULL};
const char *const rheo__as_same[] = {"same", NULL};

uint32_t rheo__image_axes(rheo_shape shape, double asked)
{
    if (asked > 0) return (uint32_t)asked;
    return shape.dim[3] > 1 ? 3 : shape.dim[2] > 1 ? 2 : 1;
}

void rheo__image_size(rheo_shape shape, uint32_t axes, uint32_t size[RHEO_AXES])
{
    for (uint32_t a = 0; a < RHEO_AXES; a++) {
        const uint32_t unused = RHEO_AXES - axes;
        const uint32_t n = a < unused ? 1 : shape.dim[1 + a - unused];
        size[a] = n ? n : 1;
    }
}

rheo_shape rheo__image_shape(uint32_t channels, uint32_t axes, const uint32_t size[RHEO_AXES])
{
    rheo_shape shape = {{channels, 1, 1, 1}};
    memcpy(shape.dim + 1, size + (RHEO_AXES - axes), axes * sizeof *size);
    return shape;
}

double rheo__axis_option(const double *option, uint32_t axes, uint32_t a)
{
    if (a < RHEO_AXES - axes) return -2; /* not in use */
    return option[1 + a] >= 0 ? option[1 + a] : option[0];
}

uint32_t rheo__window_positions(uint32_t in, uint32_t pad, uint32_t kernel, uint32_t stride,
                                uint32_t dilation)
{
    const uint64_t room = (uint64_t)in + pad, extent = (uint64_t)(kernel - 1) * dilation + 1;
    return room < extent ? 0 : (uint32_t)((room - extent) / stride + 1);
}

uint32_t rheo__axes_product(const uint32_t size[RHEO_AXES])
{
    return size[0] * size[1] * size[2];
}

uint32_t rheo__window_seen(const rheo_window *w, uint32_t a, uint32_t i)
{
    uint32_t seen = 0;
    for (uint32_t k = 0; k < w->kernel[a]; k++) {
        const uint64_t at = (uint64_t)i + w->before[a], step = (uint64_t)k * w->dilation[a];
        if (at < step || (at - step) % w->stride[a] != 0) continue;
        seen += (at - step) / w->stride[a] < w->out[a];
    }
    return seen;
}
