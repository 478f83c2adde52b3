/* isa_avx2.c: the surrogates' derivatives and the table of the neuron loops for avx2. */
#define RHEO_ISA rheo__neuron_avx2
#include "neuron/isa.inc"
