/* spikes.h: what encoders of spikes share: random spikes of given probabilities, and spikes at
 * given steps, sample by sample. */
#ifndef RHEO_SRC_SPIKES_H
#define RHEO_SRC_SPIKES_H
#include "coding/coding.h"

/* Probabilities of the output's elements first … first+n-1 for sample b. */
typedef void rheo_chances(const rheo_encode *call, uint32_t b, uint32_t first, uint32_t n,
                          float *p);
/* Independent spikes in the steps begin … end-1 of the presentation, none elsewhere. A spike
 * depends on (seed, sample, show, step, element) alone. */
void rheo__encode_random(const rheo_encode *call, rheo_signal *out, rheo_chances *chances,
                         uint64_t begin, uint64_t end);

/* Sets what sample b has; rows begin empty. */
typedef void rheo_encode_sample(const rheo_encode *call, rheo_signal *out, uint32_t b);
void rheo__encode_samples(const rheo_encode *call, rheo_signal *out, rheo_encode_sample *sample);

/* A spike of neuron i at a step of the presentation, if it falls into the window. */
static inline void rheo__spike(const rheo_encode *call, rheo_signal *out, uint64_t step, uint32_t b,
                               uint32_t i)
{
    if (step < call->step0 || step - call->step0 >= out->T) return;
    rheo__bits_row(out, (uint32_t)(step - call->step0), b)[i / 64] |= (uint64_t)1 << i % 64;
}

static inline const float *rheo__features(const rheo_encode *call, uint32_t b)
{
    return call->x + (size_t)b * rheo__pitch(call->N);
}

/* Feature i with its intensity, held to 0 … 1. */
static inline float rheo__share(const rheo_encode *call, uint32_t b, uint32_t i)
{
    const float x = (float)call->intensity * rheo__features(call, b)[i];
    return x > 1.0f ? 1.0f : x > 0.0f ? x : 0.0f;
}

/* Steps of sample b's presentation. */
static inline uint32_t rheo__presentation(const rheo_encode *call, const rheo_signal *out,
                                          uint32_t b)
{
    return call->length ? call->length[b] : call->steps > 0 ? call->steps : out->T;
}
#endif
