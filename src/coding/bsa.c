/* bsa.c: Ben's spiker algorithm: a time series becomes one train of spikes whose convolution with a
 * filter h is near it. At each step, with what is left of the series r (the series less the filters
 * of the spikes before):
 *
 *   sum_k |r[t+k] - h[k]| <= sum_k |r[t+k]| - threshold   gives a spike, and takes h off r
 *   x[t] = sum_u s[u] h[t - u]                            decodes
 *
 *   parameter  default  unit   meaning
 *   taps        8       steps  length of the filter h
 *   threshold   0.8     1      how much nearer a spike must bring it
 *   top         1       1      the highest value, which a spike at every step gives: the sum of h
 *
 * h is a Hann window. The series must not be negative, and changes slowly against h. It looks
 * `taps` ahead; beyond the end the series stands still. Values between the series' points stay
 * lower than they are by what the threshold leaves. Schrauwen & Van Campenhout 2003, "BSA, a fast
 * and accurate spike train encoding scheme". */
#include "coding/series.h"
#include <math.h>

#define TAPS 64
enum { COUNT = RHEO_SERIES_CHANNELS + 1, THRESHOLD, TOP };
static const rheo_field fields[] = {
    RHEO_SERIES_FIELD,
    RHEO_INTEGER_FIELD("taps", "steps", 8, 1, TAPS, "length of the filter"),
    RHEO_NUMBER_FIELD("threshold", "1", 0.8, 0, 1e9, "how much nearer a spike must bring it"),
    RHEO_NUMBER_FIELD("top", "1", 1, 1e-6, 1e9, "highest value: a spike at every step"),
    RHEO_FIELD_END,
};

static uint32_t make_filter(const double *v, float *h)
{
    const uint32_t taps = (uint32_t)v[COUNT];
    double sum = 0;
    for (uint32_t k = 0; k < taps; k++) sum += 1 - cos(6.283185307179586 * (k + 1) / (taps + 1));
    for (uint32_t k = 0; k < taps; k++)
        h[k] = (float)(v[TOP] * (1 - cos(6.283185307179586 * (k + 1) / (taps + 1))) / sum);
    return taps;
}

/* What is left at t + k: past has the last 64 spikes, the newest (of t-1) in bit 0. */
static float left(const rheo_series *s, const float *h, uint32_t taps, uint64_t past, uint64_t t,
                  uint32_t k)
{
    float r = rheo__point(s, t + k);
    for (uint32_t j = 1; j + k < taps; j++)
        if (past >> (j - 1) & 1) r -= h[j + k];
    return r;
}

static void sample(const rheo_encode *call, rheo_signal *out, uint32_t b)
{
    const uint64_t end = (uint64_t)call->step0 + out->T;
    float h[TAPS];
    const uint32_t taps = make_filter(call->options->v, h);
    const float threshold = (float)call->options->v[THRESHOLD];
    for (uint32_t c = 0; c < out->N; c++) {
        const rheo_series s = rheo__series_of(call, b, c);
        uint64_t past = 0;
        for (uint64_t t = 0; t < end; t++) {
            float with = 0, without = 0;
            for (uint32_t k = 0; k < taps; k++) {
                const float r = left(&s, h, taps, past, t, k);
                with += fabsf(r - h[k]), without += fabsf(r);
            }
            const bool spike = with <= without - threshold;
            past = past << 1 | spike;
            if (spike) rheo__spike(call, out, t, b, c);
        }
    }
}

static void encode(const rheo_encode *call, rheo_signal *out)
{
    rheo__encode_samples(call, out, sample);
}

const rheo_encoder rheo__encoder_bsa = {
    .name = "bsa",
    .title = "Ben's spiker algorithm: the train whose filtered spikes are nearest to a time series",
    .equations =
        "s[t] = 1 where sum_k |r[t+k] - h[k]| <= sum_k |r[t+k]| - threshold, r -= h after it\n"
        "x[t] = sum_u s[u] h[t - u]",
    .source = "Schrauwen & Van Campenhout 2003, doi:10.1109/IJCNN.2003.1224019",
    .form = RHEO_BITS,
    .fields = fields,
    .width = rheo__series_width,
    .encode = encode,
};
