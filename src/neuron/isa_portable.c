/* isa_portable.c: the surrogates' derivatives and the table of the neuron loops for portable. */
#define RHEO_ISA rheo__neuron_portable
#include "neuron/isa.inc"
