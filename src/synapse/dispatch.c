/* dispatch.c: picks the loops of the context's instruction set. */
#include "synapse/rule.h"

static const rheo_synapse_loops *const *const tables[RHEO_ISAS] = {
    [RHEO_PORTABLE] = rheo__synapse_portable,
    [RHEO_AVX2] = rheo__synapse_avx2,
    [RHEO_AVX512] = rheo__synapse_avx512,
};

const rheo_synapse_loops *rheo__synapse_loops(const rheo_context *ctx, uint32_t synapse)
{
    return tables[ctx->isa][synapse];
}
