/* isa_avx512.c: the plasticity loops compiled for avx512. */
#define RHEO_ISA rheo__synapse_avx512
#include "synapse/loops.inc"
