/* cpu.c: what the processor and the operating system can run.
 *
 * The compiler's run-time library reads cpuid and XCR0 (an instruction set whose registers the
 * system does not save counts as absent). A level means all the flags that its files are compiled
 * with. */
#include "base/context.h"

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
