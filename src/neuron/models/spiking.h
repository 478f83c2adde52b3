/* spiking.h: an option that most spiking models with a gradient have. */
#ifndef RHEO_SRC_MODELS_SPIKING_H
#define RHEO_SRC_MODELS_SPIKING_H
#define RHEO_DETACH_FIELD RHEO_FLAG_FIELD("detach", 1, "no gradient flows through the reset")
#endif
