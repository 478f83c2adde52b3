/* ports.h: what layers with several inputs share. */
#ifndef RHEO_SRC_PORTS_H
#define RHEO_SRC_PORTS_H
#include "layer/rows.h"

static inline uint32_t rheo__inputs(const rheo_node_spec *node)
{
    return node->inputs ? node->inputs : 1;
}

/* A static input's gradient is the sum over the steps, which come last first: does step t add? */
static inline bool rheo__adds(const rheo_work *work, uint32_t port, uint32_t t)
{
    return work->gin[port].stride_t == 0 && work->gout->stride_t && t + 1 < work->T;
}

/* RHEO_SHAPE unless the ports' shapes are equal from dimension `from` on. */
rheo_status rheo__same_ports(rheo_context *ctx, const rheo_node_spec *node, uint32_t from);
/* All inputs are static. */
bool rheo__all_fixed(const rheo_work *work);
/* All inputs are bits of the values lo and hi. */
bool rheo__all_bits(const rheo_work *work, float lo, float hi);
/* dL/d in is 0 where dL/d out is. */
void rheo__no_gradient(const rheo_work *work, uint32_t t0, uint32_t t1);
#endif
