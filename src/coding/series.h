/* series.h: a sample seen as a time series; what codes of series share. */
#ifndef RHEO_SRC_SERIES_H
#define RHEO_SRC_SERIES_H
#include "coding/spikes.h"

/* The first field of a code of series. */
enum { RHEO_SERIES_CHANNELS };
#define RHEO_SERIES_FIELD                                                                          \
    RHEO_INTEGER_FIELD("channels", "1", 1, 1, 1e6,                                                 \
                       "values of a point in time; features in their order are the points")

typedef struct rheo_series { /* of one channel */
    const float *x;
    uint32_t points, channels;
    float factor;
} rheo_series;

static inline float rheo__point(const rheo_series *s, uint64_t t)
{
    const uint64_t at = t < s->points ? t : s->points - 1;
    return s->factor * s->x[at * s->channels];
}

/* Channels; 0 when the features are not whole points. */
uint32_t rheo__series_width(const rheo_options *options, uint32_t N);
rheo_series rheo__series_of(const rheo_encode *call, uint32_t b, uint32_t channel);
#endif
