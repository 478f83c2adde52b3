/* clear.h: forgets a model's macros, after it has been emitted. */
#undef RHEO_MODEL
#undef RHEO_INPUTS
#undef RHEO_SPIKES
#undef RHEO_LO
#undef RHEO_HI
#undef RHEO_GRADIENT
#undef RHEO_STATE
#undef RHEO_READOUT
#undef RHEO_INITIAL
#undef RHEO_NAME
#undef RHEO_TITLE
#undef RHEO_EQUATIONS
#undef RHEO_SOURCE
#undef RHEO_PORT_NAMES
#undef RHEO_MULTIPLIES
#undef RHEO_ADDS
