/* ports.c: shapes and gradients of layers with several inputs. */
#include "layer/ports.h"
#include <string.h>

static uint32_t dim(rheo_shape s, uint32_t d)
{
    return s.dim[d] ? s.dim[d] : 1;
}

rheo_status rheo__same_ports(rheo_context *ctx, const rheo_node_spec *node, uint32_t from)
{
    for (uint32_t p = 1; p < rheo__inputs(node); p++)
        for (uint32_t d = from; d < 4; d++) {
            char first[48], other[48];
            rheo__shape_text(node->port_in[0], first);
            rheo__shape_text(node->port_in[p], other);
            RHEO_CHECK(ctx, dim(node->port_in[p], d) == dim(node->port_in[0], d), RHEO_SHAPE,
                       "net node %s: input %u is %s, but the first is %s; %s must be equal",
                       node->name, p + 1, other, first,
                       from ? "all but the channels" : "the shapes");
        }
    return RHEO_OK;
}

bool rheo__all_fixed(const rheo_work *work)
{
    bool fixed = true;
    for (uint32_t p = 0; p < RHEO_PORTS; p++) fixed = fixed && rheo__fixed(work->in[p]);
    return fixed;
}

bool rheo__all_bits(const rheo_work *work, float lo, float hi)
{
    bool bits = true;
    for (uint32_t p = 0; p < rheo__inputs(work->node); p++) {
        const rheo_signal *in = work->in[p];
        bits = bits && in && in->form == RHEO_BITS && !(in->lo < lo || in->lo > lo) &&
               !(in->hi < hi || in->hi > hi);
    }
    return bits;
}

void rheo__no_gradient(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    for (uint32_t p = 0; p < RHEO_PORTS; p++) {
        const rheo_signal *gin = &work->gin[p];
        if (!gin->real) continue;
        const uint32_t last = rheo__last_step(gin, t0, t1);
        for (uint32_t t = t0; t < last; t++)
            for (uint32_t b = 0; b < work->B; b++)
                memset(rheo__real_row(gin, t, b), 0, gin->N * sizeof(float));
    }
}
