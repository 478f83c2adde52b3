/* dispatch.c: the table of loops of the context's instruction set. */
#include "kernels/isa.h"

const rheo_kernels *rheo__kernels(const rheo_context *ctx)
{
    static const rheo_kernels *const sets[RHEO_ISAS] = {
        [RHEO_PORTABLE] = &rheo__kernels_portable,
#if defined(__x86_64__)
        [RHEO_AVX2] = &rheo__kernels_avx2,
        [RHEO_AVX512] = &rheo__kernels_avx512,
#endif
    };
    return sets[ctx->isa] ? sets[ctx->isa] : &rheo__kernels_portable;
}
