/* isa_portable.c: the plasticity loops compiled for portable. */
#define RHEO_ISA rheo__synapse_portable
#include "synapse/loops.inc"
