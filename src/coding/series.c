/* series.c: codes of time series: L points of `channels` values, one point a step, x[t] standing
 * still after the last. The first plane has the spikes for `up`, the second those for `down`.
 *
 *   series         s[t] = gain x[t], real values
 *   delta          up: x[t] - x[t-1] >= threshold; down (with `off`): <= -threshold;
 *                  x[-1] = 0, or x[0] with `pad` (snnTorch's spikegen.delta)
 *   threshold      up: x[t] - x[t-1] > theta; down: < -theta; theta = mean + factor deviation of
 *                  the differences of the channel's whole series, at least 0 (TBR)
 *   step-forward   up: x[t] > base + threshold, then base rises by it; down: alike; base[0] = x[0]
 *   moving-window  up: x[t] > base + threshold; down: alike; base: mean of the `window` points
 *                  before t (of those that there are; at t = 0 x[0])
 *
 * Adding up decodes: x[t] = x[t-1] + theta (up - down), from x[0] on (delta without `pad`: from 0).
 * threshold looks at a series as a whole, so it knows a sample before its first step. Petro,
 * Kasabov & Kiss 2020, "Selection and optimization of temporal spike encoding methods". */
#include "coding/series.h"
#include <math.h>

uint32_t rheo__series_width(const rheo_options *options, uint32_t N)
{
    const uint32_t channels = (uint32_t)options->v[RHEO_SERIES_CHANNELS];
    return N % channels == 0 ? channels : 0;
}

rheo_series rheo__series_of(const rheo_encode *call, uint32_t b, uint32_t channel)
{
    const uint32_t channels = (uint32_t)call->options->v[RHEO_SERIES_CHANNELS];
    const uint32_t all = call->N / channels;
    const bool shorter = call->length && call->length[b] < all;
    return (rheo_series){.x = rheo__features(call, b) + channel,
                         .points = shorter ? call->length[b] : all,
                         .channels = channels,
                         .factor = (float)call->intensity};
}

/* ---- as it is ---- */

enum { GAIN = RHEO_SERIES_CHANNELS + 1 };
static const rheo_field series_fields[] = {
    RHEO_SERIES_FIELD,
    RHEO_NUMBER_FIELD("gain", "1", 1, -1e6, 1e6, "factor on the series"),
    RHEO_FIELD_END,
};

static void series_encode(const rheo_encode *call, rheo_signal *out)
{
    for (uint32_t b = 0; b < call->B; b++)
        for (uint32_t c = 0; c < out->N; c++) {
            rheo_series s = rheo__series_of(call, b, c);
            s.factor *= (float)call->options->v[GAIN];
            for (uint32_t t = 0; t < out->T; t++)
                rheo__real_row(out, t, b)[c] = rheo__point(&s, (uint64_t)call->step0 + t);
        }
}

/* ---- codes of changes: a rule that walks along a series ---- */

typedef struct walk {
    float base, theta;
} walk;
/* 1: up, -1: down, 0: no spike. */
typedef int rule(const double *v, const rheo_series *s, uint64_t t, walk *w);

static void walk_along(const rheo_encode *call, rheo_signal *out, uint32_t b, rule *step)
{
    const uint32_t channels = (uint32_t)call->options->v[RHEO_SERIES_CHANNELS];
    const uint64_t end = (uint64_t)call->step0 + out->T;
    for (uint32_t c = 0; c < channels; c++) {
        const rheo_series s = rheo__series_of(call, b, c);
        walk w = {0};
        for (uint64_t t = 0; t < end; t++) {
            const int change = step(call->options->v, &s, t, &w);
            if (change == 0 || (change < 0 && out->N == channels)) continue;
            rheo__spike(call, out, t, b, change > 0 ? c : channels + c);
        }
    }
}

/* The encoder of a code whose rule is NAME_rule. */
#define CODE(name)                                                                                 \
    static void name##_sample(const rheo_encode *call, rheo_signal *out, uint32_t b)               \
    {                                                                                              \
        walk_along(call, out, b, name##_rule);                                                     \
    }                                                                                              \
    static void name##_encode(const rheo_encode *call, rheo_signal *out)                           \
    {                                                                                              \
        rheo__encode_samples(call, out, name##_sample);                                            \
    }

static uint32_t two_planes(const rheo_options *options, uint32_t N)
{
    return 2 * rheo__series_width(options, N);
}

#define THRESHOLD_FIELD(name, doc) RHEO_NUMBER_FIELD(name, "1", 0.1, 1e-9, 1e9, doc)
enum { THRESHOLD = RHEO_SERIES_CHANNELS + 1, OFF, PAD, WINDOW = OFF };

static const rheo_field delta_fields[] = {
    RHEO_SERIES_FIELD,
    THRESHOLD_FIELD("threshold", "change that gives a spike"),
    RHEO_FLAG_FIELD("off", 1, "spikes of a second neuron when the input falls"),
    RHEO_FLAG_FIELD("pad", 0, "the first point is no change"),
    RHEO_FIELD_END,
};

static uint32_t delta_width(const rheo_options *options, uint32_t N)
{
    return rheo__series_width(options, N) * (options->v[OFF] > 0 ? 2 : 1);
}

static int delta_rule(const double *v, const rheo_series *s, uint64_t t, walk *w)
{
    const float now = rheo__point(s, t);
    const float before = t > 0 ? rheo__point(s, t - 1) : v[PAD] > 0 ? now : 0;
    const float theta = (float)v[THRESHOLD];
    (void)w;
    return (now - before >= theta) - (now - before <= -theta);
}

CODE(delta)

/* ---- threshold-based ---- */

static const rheo_field threshold_fields[] = {
    RHEO_SERIES_FIELD,
    RHEO_NUMBER_FIELD("factor", "1", 1, -1e3, 1e3,
                      "deviations of the differences above their mean"),
    RHEO_FIELD_END,
};

static float deviation_threshold(double factor, const rheo_series *s)
{
    double sum = 0, squares = 0;
    const double n = s->points > 1 ? s->points - 1 : 1;
    for (uint32_t t = 1; t < s->points; t++) {
        const double d = (double)rheo__point(s, t) - (double)rheo__point(s, t - 1);
        sum += d, squares += d * d;
    }
    const double variance = squares / n - sum / n * (sum / n);
    const double theta = sum / n + factor * (variance > 0 ? sqrt(variance) : 0);
    return theta > 0 ? (float)theta : 0;
}

static int threshold_rule(const double *v, const rheo_series *s, uint64_t t, walk *w)
{
    if (t == 0) w->theta = deviation_threshold(v[THRESHOLD], s);
    const float d = t > 0 ? rheo__point(s, t) - rheo__point(s, t - 1) : 0;
    return (d > w->theta) - (d < -w->theta);
}

CODE(threshold)

/* ---- step forward ---- */

static const rheo_field step_fields[] = {
    RHEO_SERIES_FIELD,
    THRESHOLD_FIELD("threshold", "a spike's step of the base"),
    RHEO_FIELD_END,
};

static int step_rule(const double *v, const rheo_series *s, uint64_t t, walk *w)
{
    const float now = rheo__point(s, t);
    w->theta = (float)v[THRESHOLD];
    if (t == 0) w->base = now;
    const int change = (now > w->base + w->theta) - (now < w->base - w->theta);
    w->base += (float)change * w->theta;
    return change;
}

CODE(step)

/* ---- moving window ---- */

static const rheo_field window_fields[] = {
    RHEO_SERIES_FIELD,
    THRESHOLD_FIELD("threshold", "distance from the mean that gives a spike"),
    RHEO_INTEGER_FIELD("window", "steps", 3, 1, 1e6, "points of the mean"),
    RHEO_FIELD_END,
};

static int window_rule(const double *v, const rheo_series *s, uint64_t t, walk *w)
{
    const uint64_t most = (uint64_t)v[WINDOW], n = t < most ? t : most;
    const float now = rheo__point(s, t);
    float sum = 0;
    w->theta = (float)v[THRESHOLD];
    for (uint64_t k = t - n; k < t; k++) sum += rheo__point(s, k);
    w->base = n > 0 ? sum / (float)n : now;
    return (now > w->base + w->theta) - (now < w->base - w->theta);
}

CODE(window)

static const char source[] = "Petro, Kasabov & Kiss 2020, doi:10.1109/TNNLS.2019.2906158";

const rheo_encoder rheo__encoder_series = {
    .name = "series",
    .title = "a time series as a current, a point a step",
    .equations = "s[t] = gain * intensity * x[t], x[t] the t-th `channels` features",
    .source = "Eshraghian et al. 2023, doi:10.1109/JPROC.2023.3308088 (direct current)",
    .form = RHEO_REAL,
    .fields = series_fields,
    .width = rheo__series_width,
    .encode = series_encode,
};

const rheo_encoder rheo__encoder_delta = {
    .name = "delta",
    .title = "spikes where a time series changes (snnTorch's spikegen.delta)",
    .equations = "up: x[t] - x[t-1] >= threshold; down: x[t] - x[t-1] <= -threshold",
    .source = "Eshraghian et al. 2023, doi:10.1109/JPROC.2023.3308088, appendix B",
    .form = RHEO_BITS,
    .fields = delta_fields,
    .width = delta_width,
    .encode = delta_encode,
};

const rheo_encoder rheo__encoder_threshold = {
    .name = "threshold",
    .title = "threshold-based representation (TBR): spikes where a time series changes unusually",
    .equations = "up: d[t] > theta, down: d[t] < -theta, d[t] = x[t] - x[t-1]\n"
                 "theta = max(0, mean(d) + factor deviation(d)) of the whole series",
    .source = source,
    .form = RHEO_BITS,
    .fields = threshold_fields,
    .width = two_planes,
    .encode = threshold_encode,
};

const rheo_encoder rheo__encoder_step_forward = {
    .name = "step-forward",
    .title = "spikes where a time series leaves a base, which follows it in steps",
    .equations = "up: x[t] > base + threshold, base += threshold; down: x[t] < base - threshold, "
                 "base -= threshold",
    .source = source,
    .form = RHEO_BITS,
    .fields = step_fields,
    .width = two_planes,
    .encode = step_encode,
};

const rheo_encoder rheo__encoder_moving_window = {
    .name = "moving-window",
    .title = "spikes where a time series leaves the mean of its last points",
    .equations =
        "up: x[t] > m + threshold, down: x[t] < m - threshold, m = mean of x[t-window .. t-1]",
    .source = source,
    .form = RHEO_BITS,
    .fields = window_fields,
    .width = two_planes,
    .encode = window_encode,
};
