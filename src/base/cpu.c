/* cpu.c: what the processor and the operating system can run.
 *
 * The compiler's run-time library reads cpuid and XCR0 (an instruction set whose registers the
 * system does not save counts as absent). A level means all the flags that its files are compiled
 * with. */
#include "base/context.h"
#if defined(__x86_64__)
#include <cpuid.h>
#endif

const char *const rheo__isa_names[] = {"portable", "avx2", "avx512", NULL};

rheo_isa_level rheo__isa_best(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
                __builtin_cpu_supports("popcnt");
    bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    return avx512 ? RHEO_AVX512 : avx2 ? RHEO_AVX2 : RHEO_PORTABLE;
#else
    return RHEO_PORTABLE;
#endif
}

/* The compiler's library does not know AMX everywhere. AMX without AVX512-BF16 counts as neither:
 * panels are packed by the latter. */
rheo_bf16_path rheo__bf16_best(void)
{
#if defined(__x86_64__)
    unsigned a, b, c, d;
    if (!__get_cpuid_count(7, 1, &a, &b, &c, &d) || !(a & 1u << 5)) return RHEO_BF16_PLAIN;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return RHEO_BF16_PLAIN;
    const unsigned amx = 1u << 22 | 1u << 24; /* products of bfloat16, and tiles */
    return (d & amx) == amx ? RHEO_BF16_AMX : RHEO_BF16_AVX512;
#else
    return RHEO_BF16_PLAIN;
#endif
}
