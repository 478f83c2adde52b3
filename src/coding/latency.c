/* latency.c: one spike a feature, the earlier the larger it is.
 *
 *   latency  time = tau ln(x / (x - threshold)) + first [steps], a LIF neuron's under a current x;
 *            curve linear: time = tau (1 - x) + first; rounded, halves to even.
 *            x at or below the threshold fires at the latest time; `clip`: below it, not at all.
 *            `normalise` stretches the times from `first` to the last step: linear by
 *            tau = T - 1 - first; log by the latest time, that of x = threshold + 1e-7.
 *            Spikes beyond the window are lost.
 *   rank     step = floor(rank T / N), rank 0 for the largest feature; equal ones in their order;
 *            features at or below `threshold` are silent
 *
 * latency is snnTorch's spikegen.latency, in the same float32 steps, but for its normalised
 * logarithmic times: those are stretched by the latest time in the batch, here by the latest there
 * can be, so that a sample's spikes do not depend on others. The two agree when a batch holds an x
 * at or below the threshold. */
#include "coding/spikes.h"
#include "kernels/math.h"

#define EPSILON 1e-7 /* snnTorch's */
static const char *const curves[] = {"log", "linear", NULL};
enum { CURVE, TAU, THRESHOLD, FIRST, NORMALISE, CLIP };
static const rheo_field latency_fields[] = {
    RHEO_CHOICE_FIELD("curve", 0, curves, "how the time falls with the input"),
    RHEO_NUMBER_FIELD("tau", "steps", 1, 1e-6, 1e6, "scale of the time"),
    RHEO_NUMBER_FIELD("threshold", "1", 0.01, 1e-6, 0.999999, "inputs up to this fire last"),
    RHEO_INTEGER_FIELD("first", "steps", 0, 0, 1e6, "the earliest step"),
    RHEO_FLAG_FIELD("normalise", 0, "stretch the times to the last step of the presentation"),
    RHEO_FLAG_FIELD("clip", 0, "no spike for inputs below the threshold"),
    RHEO_FIELD_END,
};

typedef struct course {
    bool linear, clip, normalise;
    float tau, threshold, first, least, latest, span; /* least: of x; span: steps after first */
} course;

static float log_time(const course *c, float x)
{
    const float held = x < c->least ? c->least : x;
    return c->tau * rheo__logf(held / (held - c->threshold));
}

static course course_of(const rheo_encode *call, uint32_t steps)
{
    const double *v = call->options->v;
    course c = {.linear = v[CURVE] > 0,
                .clip = v[CLIP] > 0,
                .normalise = v[NORMALISE] > 0,
                .tau = (float)v[TAU],
                .threshold = (float)v[THRESHOLD],
                .first = (float)v[FIRST],
                .least = (float)(v[THRESHOLD] + EPSILON),
                .span = (float)(steps - 1 - v[FIRST])};
    if (c.span < 0) c.span = 0;
    if (c.linear && c.normalise) c.tau = c.span;
    c.latest = c.linear ? (float)(-(double)c.tau * (v[THRESHOLD] - 1)) : log_time(&c, 0);
    return c;
}

static float time_of(const course *c, float x)
{
    if (c->linear) {
        const float time = -c->tau * (x - 1.0f);
        return (time < c->latest ? time : c->latest) + c->first;
    }
    float time = log_time(c, x) + c->first;
    if (c->normalise)
        time = (time - c->first) * c->span / (c->latest + c->first - c->first) + c->first;
    return time;
}

static void latency_sample(const rheo_encode *call, rheo_signal *out, uint32_t b)
{
    const uint32_t steps = rheo__presentation(call, out, b);
    const course c = course_of(call, steps);
    for (uint32_t i = 0; i < call->N; i++) {
        const float x = rheo__share(call, b, i), step = rintf(time_of(&c, x));
        if (step >= (float)steps || (c.clip && x < c.threshold)) continue;
        rheo__spike(call, out, (uint64_t)step, b, i);
    }
}

static void latency_encode(const rheo_encode *call, rheo_signal *out)
{
    rheo__encode_samples(call, out, latency_sample);
}

/* ---- rank order ---- */

enum { SILENT };
static const rheo_field rank_fields[] = {
    RHEO_NUMBER_FIELD("threshold", "1", 0, -1e6, 1e6, "inputs up to this are silent"),
    RHEO_FIELD_END,
};

static void rank_sample(const rheo_encode *call, rheo_signal *out, uint32_t b)
{
    const float *x = rheo__features(call, b), silent = (float)call->options->v[SILENT];
    const uint32_t N = call->N, steps = rheo__presentation(call, out, b);
    for (uint32_t i = 0; i < N; i++) {
        uint32_t rank = 0;
        if (!(x[i] > silent)) continue;
        for (uint32_t j = 0; j < i; j++) rank += x[j] >= x[i];
        for (uint32_t j = i + 1; j < N; j++) rank += x[j] > x[i];
        rheo__spike(call, out, (uint64_t)rank * steps / N, b, i);
    }
}

static void rank_encode(const rheo_encode *call, rheo_signal *out)
{
    rheo__encode_samples(call, out, rank_sample);
}

const rheo_encoder rheo__encoder_latency = {
    .name = "latency",
    .title = "one spike, the earlier the larger the input (snnTorch's spikegen.latency)",
    .equations = "t = round(tau ln(x/(x - threshold)) + first), or round(tau (1 - x) + first)",
    .source = "Eshraghian et al. 2023, doi:10.1109/JPROC.2023.3308088, appendix B",
    .form = RHEO_BITS,
    .fields = latency_fields,
    .encode = latency_encode,
};

const rheo_encoder rheo__encoder_rank = {
    .name = "rank",
    .title = "rank order: one spike each, largest input first, over the whole presentation",
    .equations = "t = floor(rank T / N), rank 0 the largest",
    .source = "Thorpe & Gautrais 1998, Computational Neuroscience: Trends in Research, 113",
    .form = RHEO_BITS,
    .fields = rank_fields,
    .encode = rank_encode,
};
