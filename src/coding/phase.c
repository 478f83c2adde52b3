/* phase.c: codes in periods and bursts; x is held to 0 ... 1.
 *
 *   phase           a spike in every period of K steps, at phase round((1 - x)(K - 1)); silent at
 *                   or below the threshold
 *   weighted-phase  q = floor(2^K x), held to 2^K - 1; step k of every period carries bit K-1-k of
 *                   q with the weight 2^-(1+k): real values, whose sum in a period is x to 2^-K
 *   burst           n = ceil(most x) spikes from the first step on, `interval` apart:
 *                   interval = ceil(longest - (longest - shortest) x), longest for a single spike
 *
 * Kim et al. 2018, "Deep neural networks with weighted spikes"; bursts as in Guo et al. 2021,
 * "Neural coding in spiking neural networks: a comparative study". */
#include "coding/spikes.h"
#include <math.h>
#include <string.h>

enum { PERIOD, THRESHOLD };
static const rheo_field phase_fields[] = {
    RHEO_INTEGER_FIELD("period", "steps", 8, 2, 1e6, "steps of a period"),
    RHEO_NUMBER_FIELD("threshold", "1", 0, 0, 1, "inputs up to this are silent"),
    RHEO_FIELD_END,
};

static void phase_sample(const rheo_encode *call, rheo_signal *out, uint32_t b)
{
    const uint32_t period = (uint32_t)call->options->v[PERIOD];
    for (uint32_t i = 0; i < call->N; i++) {
        const float x = rheo__share(call, b, i);
        if (!(x > (float)call->options->v[THRESHOLD])) continue;
        uint64_t at = call->step0 / period * (uint64_t)period;
        at += (uint64_t)rintf((1.0f - x) * (float)(period - 1));
        for (; at < (uint64_t)call->step0 + out->T; at += period) rheo__spike(call, out, at, b, i);
    }
}

static void phase_encode(const rheo_encode *call, rheo_signal *out)
{
    rheo__encode_samples(call, out, phase_sample);
}

/* ---- weighted phase ---- */

static const rheo_field weighted_fields[] = {
    RHEO_INTEGER_FIELD("period", "steps", 8, 1, 24, "bits of the input, a step each"),
    RHEO_FIELD_END,
};

static void weighted_encode(const rheo_encode *call, rheo_signal *out)
{
    const uint32_t bits = (uint32_t)call->options->v[PERIOD];
    const float scale = (float)(1u << bits);
    for (uint32_t t = 0; t < out->T; t++)
        for (uint32_t b = 0; b < call->B; b++) {
            float *row = rheo__real_row(out, t, b);
            const uint32_t k = (call->step0 + t) % bits;
            const float weight = 1.0f / (float)(2u << k);
            for (uint32_t i = 0; i < call->N; i++) {
                uint32_t q = (uint32_t)(scale * rheo__share(call, b, i));
                if (q >= 1u << bits) q = (1u << bits) - 1;
                row[i] = q >> (bits - 1 - k) & 1 ? weight : 0.0f;
            }
        }
}

/* ---- bursts ---- */

enum { MOST, SHORTEST, LONGEST };
static const rheo_field burst_fields[] = {
    RHEO_INTEGER_FIELD("most", "1", 5, 1, 1e6, "spikes of an input of 1"),
    RHEO_NUMBER_FIELD("shortest", "steps", 2, 1, 1e6, "interval of an input of 1"),
    RHEO_NUMBER_FIELD("longest", "steps", 10, 1, 1e6, "interval of an input of 0"),
    RHEO_FIELD_END,
};

static void burst_sample(const rheo_encode *call, rheo_signal *out, uint32_t b)
{
    const float most = (float)call->options->v[MOST], longest = (float)call->options->v[LONGEST];
    const float range = longest - (float)call->options->v[SHORTEST];
    for (uint32_t i = 0; i < call->N; i++) {
        const float x = rheo__share(call, b, i);
        const uint32_t spikes = (uint32_t)ceilf(most * x);
        const uint64_t interval = (uint64_t)ceilf(spikes > 1 ? longest - range * x : longest);
        for (uint32_t k = 0; k < spikes; k++) rheo__spike(call, out, k * interval, b, i);
    }
}

static void burst_encode(const rheo_encode *call, rheo_signal *out)
{
    rheo__encode_samples(call, out, burst_sample);
}

const rheo_encoder rheo__encoder_phase = {
    .name = "phase",
    .title = "one spike a period, the earlier in it the larger the input",
    .equations = "t mod period = round((1 - x)(period - 1))",
    .source =
        "after Auge et al. 2021, doi:10.1007/s11063-021-10562-2 (phase against an oscillation)",
    .form = RHEO_BITS,
    .fields = phase_fields,
    .encode = phase_encode,
};

const rheo_encoder rheo__encoder_weighted_phase = {
    .name = "weighted-phase",
    .title = "the input's bits, largest first, each spike with its bit's weight",
    .equations = "s[t] = bit_k(x) 2^-(1+k), k = t mod period, x = sum over a period to 2^-period",
    .source = "Kim et al. 2018, doi:10.1016/j.neucom.2018.05.087",
    .form = RHEO_REAL,
    .fields = weighted_fields,
    .encode = weighted_encode,
};

const rheo_encoder rheo__encoder_burst = {
    .name = "burst",
    .title = "one burst: more spikes, and closer, the larger the input",
    .equations = "n = ceil(most x), interval = ceil(longest - (longest - shortest) x), from t = 0",
    .source = "Guo et al. 2021, doi:10.3389/fnins.2021.638474",
    .form = RHEO_BITS,
    .fields = burst_fields,
    .encode = burst_encode,
};
