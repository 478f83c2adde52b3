/* poisson.c: spikes at random, independent in every step (a Bernoulli train, which is Poisson's in
 * steps):
 *
 *   poisson   P(s[t] = 1) = min(1, x * rate * intensity * dt / 1000)    [1], rate in Hz, dt in ms
 *             rate        63.75  Hz  rate of x = 1 at intensity 1
 *             duration     0     ms  silence from here on; 0: spikes to the end of the window
 *   rate      P(s[t] = 1) = gain * intensity * x + offset, held to 0 ... 1, which is
 *             snnTorch's spikegen.rate
 *             gain         1     1      factor on the input
 *             offset       0     1      added to it
 *             first        0     steps  silence before this step
 *
 * With rate = 1000/dt, x is the probability of a spike in a step. Negative x is silent. poisson's
 * default rate is that of Diehl & Cook 2015 (a pixel of 255 at their intensity 2; they show 350 ms
 * of 500). A spike depends on (seed, sample, show, step, element) alone: streaming, batches and
 * threads change nothing. Leaves out: a refractory time of the input. */
#include "coding/spikes.h"

enum { RATE, DURATION };
static const rheo_field fields[] = {
    RHEO_NUMBER_FIELD("rate", "Hz", 63.75, 0, 1e6, "rate of an input of 1"),
    RHEO_NUMBER_FIELD("duration", "ms", 0, 0, 1e9,
                      "silence after this time; 0: spikes to the end of the window"),
    RHEO_FIELD_END,
};

static void poisson_chances(const rheo_encode *call, uint32_t b, uint32_t first, uint32_t n,
                            float *p)
{
    const float *x = rheo__features(call, b) + first;
    const float factor = (float)(call->options->v[RATE] * call->intensity * call->dt / 1000);
    for (uint32_t i = 0; i < n; i++) p[i] = factor * x[i];
}

static void poisson_encode(const rheo_encode *call, rheo_signal *out)
{
    const double duration = call->options->v[DURATION];
    rheo__encode_random(call, out, poisson_chances, 0,
                        duration > 0 ? (uint64_t)(duration / call->dt + 0.5) : UINT64_MAX);
}

enum { GAIN, OFFSET, FIRST };
static const rheo_field rate_fields[] = {
    RHEO_NUMBER_FIELD("gain", "1", 1, -1e6, 1e6, "factor on the input"),
    RHEO_NUMBER_FIELD("offset", "1", 0, -1e6, 1e6, "added to it"),
    RHEO_INTEGER_FIELD("first", "steps", 0, 0, 1e6, "silence before this step"),
    RHEO_FIELD_END,
};

static void rate_chances(const rheo_encode *call, uint32_t b, uint32_t first, uint32_t n, float *p)
{
    const float *x = rheo__features(call, b) + first;
    const float gain = (float)(call->options->v[GAIN] * call->intensity);
    const float offset = (float)call->options->v[OFFSET];
    for (uint32_t i = 0; i < n; i++) p[i] = gain * x[i] + offset;
}

static void rate_encode(const rheo_encode *call, rheo_signal *out)
{
    rheo__encode_random(call, out, rate_chances, (uint64_t)call->options->v[FIRST], UINT64_MAX);
}

const rheo_encoder rheo__encoder_poisson = {
    .name = "poisson",
    .title = "Poisson spikes at a rate proportional to the input",
    .equations = "P(s[t] = 1) = min(1, x * rate * intensity * dt / 1000)",
    .source = "Diehl & Cook 2015, Front. Comput. Neurosci. 9:99, section 2.4",
    .form = RHEO_BITS,
    .fixed = false,
    .fields = fields,
    .encode = poisson_encode,
};

const rheo_encoder rheo__encoder_rate = {
    .name = "rate",
    .title = "random spikes, the input their probability in a step (snnTorch's spikegen.rate)",
    .equations = "P(s[t] = 1) = gain * intensity * x + offset, held to 0 ... 1; 0 before `first`",
    .source = "Eshraghian et al. 2023, doi:10.1109/JPROC.2023.3308088, appendix B",
    .form = RHEO_BITS,
    .fields = rate_fields,
    .encode = rate_encode,
};
