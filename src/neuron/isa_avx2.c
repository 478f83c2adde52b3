/* isa_avx2.c: the neuron loops compiled for avx2. */
#define RHEO_ISA rheo__neuron_avx2
#include "neuron/loops.inc"
