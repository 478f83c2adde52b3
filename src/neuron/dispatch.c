/* dispatch.c: picks the loops of the context's instruction set. */
#include "neuron/isa.h"

static const rheo_isa_loops *const tables[RHEO_ISAS] = {
    [RHEO_PORTABLE] = &rheo__neuron_portable,
    [RHEO_AVX2] = &rheo__neuron_avx2,
    [RHEO_AVX512] = &rheo__neuron_avx512,
};

const rheo_neuron_loops *rheo__neuron_loops(const rheo_context *ctx, uint32_t neuron)
{
    return tables[ctx->isa]->neuron[neuron];
}

const rheo_surrogate_loops *rheo__surrogate_loops(const rheo_context *ctx, uint32_t surrogate)
{
    return &tables[ctx->isa]->surrogate[surrogate];
}
