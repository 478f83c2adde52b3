/* isa.h: what the files of the instruction sets share. */
#ifndef RHEO_SRC_ISA_H
#define RHEO_SRC_ISA_H
#include "kernels/kernels.h"
#include <string.h>

extern const rheo_kernels rheo__kernels_portable, rheo__kernels_avx2, rheo__kernels_avx512;

/* NAME(x, 8) is x_8, also where 8 is a macro */
#define NAME_(a, b) a##_##b
#define NAME(a, b)  NAME_(a, b)
#endif
