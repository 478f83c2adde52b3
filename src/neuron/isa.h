/* isa.h: the tables that isa_*.c export to dispatch.c, one for each instruction set. */
#ifndef RHEO_SRC_NEURON_ISA_H
#define RHEO_SRC_NEURON_ISA_H
#include "neuron/neuron.h"

typedef struct rheo_isa_loops {
    const rheo_neuron_loops *const *neuron; /* by index in models.def */
    void (*derivative)(const rheo_pseudo *pseudo, const float *x, float *d, uint32_t T,
                       uint32_t lanes);
} rheo_isa_loops;
extern const rheo_isa_loops rheo__neuron_portable, rheo__neuron_avx2, rheo__neuron_avx512;
#endif
