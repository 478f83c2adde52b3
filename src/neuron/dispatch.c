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

void rheo__surrogate_derivative(const rheo_context *ctx, const rheo_pseudo *pseudo, const float *x,
                                float *d, uint32_t T, uint32_t lanes)
{
    tables[ctx->isa]->derivative(pseudo, x, d, T, lanes);
}
