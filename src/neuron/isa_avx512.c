/* isa_avx512.c: the neuron loops compiled for avx512. */
#define RHEO_ISA rheo__neuron_avx512
#include "neuron/loops.inc"
