/* isa_avx512.c: the surrogates' derivatives and the table of the neuron loops for avx512. */
#define RHEO_ISA rheo__neuron_avx512
#include "neuron/isa.inc"
