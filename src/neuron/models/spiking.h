/* spiking.h: options that many models have. */
#ifndef RHEO_SRC_MODELS_SPIKING_H
#define RHEO_SRC_MODELS_SPIKING_H
#define RHEO_DETACH_FIELD RHEO_FLAG_FIELD("detach", 1, "no gradient flows through the reset")
static const char *const spiking_decays[] = {"exponential", "euler", NULL};
static const char *const spiking_tests[] = {"greater", "greater-equal", NULL};
#endif
