/* isa_portable.c: the neuron loops compiled for portable. */
#define RHEO_ISA rheo__neuron_portable
#include "neuron/loops.inc"
