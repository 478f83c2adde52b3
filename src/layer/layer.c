/* layer.c: the table of layers and what several of them share. */
#include "layer/rows.h"
#include <string.h>

#define RHEO_LAYER(symbol, name) extern const rheo_layer rheo__layer_##symbol;
#include "layer/layers.def"
#undef RHEO_LAYER

static const rheo_layer *const layers[] = {
#define RHEO_LAYER(symbol, name) &rheo__layer_##symbol,
#include "layer/layers.def"
#undef RHEO_LAYER
};
#define LAYERS (sizeof layers / sizeof layers[0])

const char *const rheo__layer_names[] = {
#define RHEO_LAYER(symbol, name) name,
#include "layer/layers.def"
#undef RHEO_LAYER
    NULL};

const rheo_layer *rheo__layer_at(uint32_t index)
{
    return index < LAYERS ? layers[index] : NULL;
}

const rheo_layer *rheo__layer_find(const char *name)
{
    for (size_t i = 0; i < LAYERS; i++)
        if (strcmp(rheo__layer_names[i], name) == 0) return layers[i];
    return NULL;
}

void rheo__shape_text(rheo_shape shape, char out[48])
{
    uint32_t last = 3, used = 0;
    while (last > 0 && shape.dim[last] <= 1) last--;
    for (uint32_t d = 0; d <= last; d++)
        used += (uint32_t)snprintf(out + used, 48 - used, "%s%u", d ? "x" : "",
                                   shape.dim[d] ? shape.dim[d] : 1);
}

static double option(const rheo_node_spec *node, const char *name)
{
    const rheo_field *fields = node->neuron ? node->neuron->fields : node->layer->fields;
    const int at = rheo__field_index(fields, name);
    return at < 0 ? 0 : (node->neuron ? &node->neuron_options : &node->options)->v[at];
}

rheo_pseudo rheo__node_pseudo(const rheo_node_spec *node)
{
    return (rheo_pseudo){.surrogate = (uint32_t)option(node, "surrogate"),
                         .slope = option(node, "slope"),
                         .shape = option(node, "shape"),
                         .formula = node->formula.ops ? &node->formula : NULL};
}

rheo_status rheo__infer_same(rheo_context *ctx, rheo_node_spec *node)
{
    (void)ctx;
    node->out = node->in;
    return RHEO_OK;
}

void rheo__form_real(const rheo_work *work, rheo_form *form, bool *fixed, float *lo, float *hi)
{
    *form = RHEO_REAL;
    *fixed = rheo__fixed(work->in[0]);
    *lo = 0;
    *hi = 1;
}

void rheo__copy_rows(const rheo_signal *from, rheo_signal *to, uint32_t B, uint32_t t0, uint32_t t1)
{
    const bool real = to->form == RHEO_REAL;
    const size_t bytes = real ? to->N * sizeof(float) : rheo__words(to->N) * sizeof(uint64_t);
    t1 = rheo__last_step(to, t0, t1);
    for (uint32_t t = t0; t < t1; t++)
        for (uint32_t b = 0; b < B; b++)
            if (real)
                memcpy(rheo__real_row(to, t, b), rheo__real_row(from, t, b), bytes);
            else
                memcpy(rheo__bits_row(to, t, b), rheo__bits_row(from, t, b), bytes);
}

void rheo__pass_gradient(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    rheo_signal gin = work->gin[0];
    if (!gin.real) return;
    if (work->gout) {
        rheo__copy_rows(work->gout, &gin, work->B, t0, t1);
        return;
    }
    t1 = rheo__last_step(&gin, t0, t1);
    for (uint32_t t = t0; t < t1; t++)
        for (uint32_t b = 0; b < work->B; b++)
            memset(rheo__real_row(&gin, t, b), 0, gin.N * sizeof(float));
}

rheo_status rheo__infer_weights(rheo_context *ctx, rheo_node_spec *node, double out)
{
    const uint32_t in = rheo__shape_size(node->in), limit = UINT32_C(1) << 30;
    RHEO_CHECK(ctx, in > 0 && out >= 1, RHEO_SHAPE,
               "net node %s: %u inputs and %.0f outputs, expected at least one of each", node->name,
               in, out);
    RHEO_CHECK(ctx, out * in <= limit, RHEO_SHAPE,
               "net node %s: %u inputs x %.0f outputs are more than %u weights; use smaller layers",
               node->name, in, out, limit);
    node->out = (rheo_shape){{(uint32_t)out, 1, 1, 1}};
    return RHEO_OK;
}
