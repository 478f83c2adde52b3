/* correlate_reference.c: the three products of convolution as their definitions say, in double. One
 * walk over all products of a weight, a place of the image and a position of the map serves all. */
#include "layer/correlate.h"
#include <string.h>

typedef struct term {
    size_t weight, image, map; /* indices in their arrays */
} term;
typedef void visit(void *argument, const term *t);

/* All pairs (position, place) along one axis that tap k joins. */
static void walk(const rheo_correlation *c, size_t rows, visit *fn, void *argument)
{
    const rheo_window *w = &c->window;
    const size_t image_size = (size_t)c->in * rheo__axes_product(w->in);
    for (size_t row = 0; row < rows; row++)
        for (uint32_t o = 0; o < c->out; o++)
            for (uint32_t p = 0; p < c->P; p++)
                for (uint32_t k = 0; k < c->K; k++) {
                    const uint32_t position[3] = {p / w->out[2] / w->out[1],
                                                  p / w->out[2] % w->out[1], p % w->out[2]};
                    const uint32_t plane = k % c->taps;
                    const uint32_t tap[3] = {plane / w->kernel[2] / w->kernel[1],
                                             plane / w->kernel[2] % w->kernel[1],
                                             plane % w->kernel[2]};
                    uint32_t at[3];
                    bool inside = true;
                    for (uint32_t a = 0; a < 3; a++)
                        inside = rheo__window_place(w, a, position[a], tap[a], &at[a]) && inside;
                    if (!inside) continue;
                    const uint32_t ch = o / c->out_group * c->in_group + k / c->taps;
                    const size_t q =
                        (((size_t)ch * w->in[0] + at[0]) * w->in[1] + at[1]) * w->in[2];
                    const term t = {(size_t)o * c->K + k, row * image_size + q + at[2],
                                    (row * c->out + o) * c->P + p};
                    fn(argument, &t);
                }
}

typedef struct arrays {
    const double *w, *from;
    double *to;
    const double *image;
} arrays;

static void ahead(void *argument, const term *t)
{
    const arrays *a = argument;
    a->to[t->map] += a->w[t->weight] * a->from[t->image];
}

static void back(void *argument, const term *t)
{
    const arrays *a = argument;
    a->to[t->image] += a->w[t->weight] * a->from[t->map];
}

static void weights(void *argument, const term *t)
{
    const arrays *a = argument;
    a->to[t->weight] += a->image[t->image] * a->from[t->map];
}

void rheo__correlate_reference(const rheo_correlation *c, size_t rows, const double *w,
                               const double *image, double *map)
{
    arrays a = {.w = w, .from = image, .to = map};
    walk(c, rows, ahead, &a);
}

void rheo__correlate_back_reference(const rheo_correlation *c, size_t rows, const double *w,
                                    const double *map, double *image)
{
    arrays a = {.w = w, .from = map, .to = image};
    walk(c, rows, back, &a);
}

void rheo__correlate_weights_reference(const rheo_correlation *c, size_t rows, const double *image,
                                       const double *map, double *grad)
{
    arrays a = {.from = map, .to = grad, .image = image};
    walk(c, rows, weights, &a);
}
