/* coding.h: encoders: samples to a signal [T,B,width]. Each is listed in encoders.def.
 *
 * A code may give several neurons a feature: plane p of width/N planes holds neuron p of all
 * features, so an image of C channels becomes one of p C. A code of time series (`channels`) takes
 * a sample's features in their order as time: L = N/channels points of `channels` values, one point
 * a step; after the last it stands still. */
#ifndef RHEO_SRC_CODING_H
#define RHEO_SRC_CODING_H
#include "array/signal.h"
#include "base/field.h"
#include "base/random.h"

typedef struct rheo_encode {
    rheo_context *ctx;
    const rheo_options *options;
    double dt; /* step [ms] */
    uint32_t B, N;
    const float *x; /* [B, pitch(N)], pixels in 0 … 1 (integer pixels/255), features as they are */
    const uint32_t *sample; /* ids, [B] */
    const uint32_t *length; /* [B] presentation of each sample; NULL: of all, `steps` */
    uint32_t show;          /* presentation, keys the random numbers with sample */
    double intensity;       /* factor on the input, 1 unless a learner raises it */
    uint64_t seed;
    uint32_t step0; /* first step of this window (streaming) */
    uint32_t steps; /* of the whole presentation; 0: of this window */
} rheo_encode;

typedef struct rheo_encoder {
    const char *name, *title, *equations, *source;
    rheo_form form;
    bool fixed; /* the signal is static */
    const rheo_field *fields;
    /* Neurons for N features; 0: they do not fit the options. NULL: N. */
    uint32_t (*width)(const rheo_options *options, uint32_t N);
    /* Fills the T steps of out (shaped by the plan). Uses threads. */
    void (*encode)(const rheo_encode *call, rheo_signal *out);
} rheo_encoder;
const rheo_encoder *rheo__encoder_find(const char *name);
const rheo_encoder *rheo__encoder_at(uint32_t index);
extern const char *const rheo__encoder_names[];
uint32_t rheo__encoder_width(const rheo_encoder *encoder, const rheo_options *options, uint32_t N);
#endif
