/* isa_avx2.c: the plasticity loops compiled for avx2. */
#define RHEO_ISA rheo__synapse_avx2
#include "synapse/loops.inc"
