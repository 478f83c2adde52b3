/* bf16.c: which path products of bfloat16 take. bf16.h has the idea. */
#include "kernels/bf16.h"
#include <stdatomic.h>
#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

/* Linux gives AMX's registers to processes that ask; the answer holds for all threads and children.
 * Asked late, because from then on signal stacks must be larger. */
static bool amx_granted(void)
{
#if defined(__x86_64__) && defined(__linux__)
    enum { UNKNOWN, GRANTED, REFUSED, REQUEST = 0x1023, TILE_DATA = 18 };
    static atomic_int answer; /* two threads may ask: the same answer */
    int known = atomic_load_explicit(&answer, memory_order_relaxed);
    if (known == UNKNOWN) {
        known = syscall(SYS_arch_prctl, REQUEST, TILE_DATA) == 0 ? GRANTED : REFUSED;
        atomic_store_explicit(&answer, known, memory_order_relaxed);
    }
    return known == GRANTED;
#else
    return false;
#endif
}

rheo_bf16_path rheo__bf16_path(const rheo_context *ctx)
{
    return ctx->bf16 == RHEO_BF16_AMX && !amx_granted() ? RHEO_BF16_AVX512 : ctx->bf16;
}

const char *rheo__bf16_name(const rheo_context *ctx)
{
    static const char *const names[RHEO_BF16_PATHS] = {"plain", "avx512-bf16", "amx"};
    return names[rheo__bf16_path(ctx)];
}

void rheo__bf16_round_panel(float *panel, size_t n)
{
    for (size_t i = 0; i < n; i++) panel[i] = rheo__bf16_round(panel[i]);
}

const rheo_tiles *rheo__bf16_tiles(const rheo_context *ctx)
{
    static const rheo_tiles *const paths[RHEO_BF16_PATHS] = {
#if defined(__x86_64__)
        [RHEO_BF16_AVX512] = &rheo__bf16_avx512,
        [RHEO_BF16_AMX] = &rheo__bf16_amx,
#endif
    };
    return paths[rheo__bf16_path(ctx)];
}
