/* coding.h: encoders: samples to a signal [T,B,N]. Each a file, listed in encoders.def. */
#ifndef RHEO_SRC_CODING_H
#define RHEO_SRC_CODING_H
#include "array/signal.h"
#include "base/field.h"
#include "base/random.h"

typedef struct rheo_encode {
    rheo_context *ctx;
    const rheo_options *options;
    double dt;                 /* step [ms] */
    uint32_t B, N;
    const float *x;            /* [B, pitch(N)], pixels in 0 … 1 (integer pixels/255), features as they are */
    const uint32_t *sample;    /* ids, [B] */
    uint32_t show;             /* presentation, keys the random numbers with sample */
    double intensity;          /* factor on the input, 1 unless a learner raises it */
    uint64_t seed;
    uint32_t step0;            /* first step of this window (streaming) */
} rheo_encode;

typedef struct rheo_encoder {
    const char *name, *title, *equations, *source;
    rheo_form form;
    bool fixed;                /* the signal is static */
    const rheo_field *fields;
    /* Fills the T steps of out (shaped by the plan). Uses threads. */
    void (*encode)(const rheo_encode *call, rheo_signal *out);
} rheo_encoder;
const rheo_encoder *rheo__encoder_find(const char *name);
const rheo_encoder *rheo__encoder_at(uint32_t index);
extern const char *const rheo__encoder_names[];
#endif
