/* decoders.h: the way back from spikes to a sample, from the papers' equations alone: what the
 * round trips of the codes are judged by. Codes of series are told the sample that they began with,
 * of which only the first point is looked at, and threshold's size of a step, which it takes from
 * the whole series. */
#ifndef RHEO_TESTS_DECODERS_H
#define RHEO_TESTS_DECODERS_H
#include "check.h"
#include "coding/coding.h"

typedef struct told { /* one sample's spikes */
    const rheo_encoder *encoder;
    const double *option;
    const rheo_signal *s;
    uint32_t N;
    const float *from;
} told;

static inline double option_of(const told *c, const char *name)
{
    const int at = rheo__field_index(c->encoder->fields, name);
    assert_true(at >= 0);
    return c->option[at];
}

static inline double value_at(const told *c, uint32_t t, uint32_t i)
{
    return (double)rheo__signal_get(c->s, t, 0, i);
}

/* Its first step, T when silent; its spikes. */
static inline uint32_t first_of(const told *c, uint32_t i)
{
    uint32_t t = 0;
    while (t < c->s->T && !(value_at(c, t, i) > 0)) t++;
    return t;
}

static inline double count_of(const told *c, uint32_t i)
{
    double sum = 0;
    for (uint32_t t = 0; t < c->s->T; t++) sum += value_at(c, t, i);
    return sum;
}

static inline double from_rate(const told *c, uint32_t i)
{
    return count_of(c, i) / c->s->T;
}

/* t = tau ln(x / (x - threshold)), or t = tau (1 - x) with tau to the last step */
static inline double from_latency(const told *c, uint32_t i)
{
    const uint32_t at = first_of(c, i);
    const bool linear = option_of(c, "curve") > 0, stretched = option_of(c, "normalise") > 0;
    const double threshold = option_of(c, "threshold");
    const double tau = stretched ? c->s->T - 1.0 : option_of(c, "tau"), e = exp(at / tau);
    assert_true(linear || !stretched);
    if (at == c->s->T) return threshold;
    return linear ? 1 - at / tau : at == 0 ? 1 : fmin(1, threshold * e / (e - 1));
}

static inline double from_phase(const told *c, uint32_t i)
{
    const uint32_t period = (uint32_t)option_of(c, "period"), at = first_of(c, i);
    return at < c->s->T ? 1 - at % period / (period - 1.0) : 0;
}

/* The weights of a period add up to x. */
static inline double from_weighted_phase(const told *c, uint32_t i)
{
    double sum = 0;
    for (uint32_t t = 0; t < (uint32_t)option_of(c, "period"); t++) sum += value_at(c, t, i);
    return sum;
}

/* The middle of what gives so many spikes. */
static inline double from_burst(const told *c, uint32_t i)
{
    const double spikes = count_of(c, i);
    return spikes > 0 ? (spikes - 0.5) / option_of(c, "most") : 0;
}

/* The response of neuron m of a feature. */
static inline double heard(const told *c, uint32_t i, uint32_t m)
{
    const uint32_t k = m * c->N + i, T = c->s->T, at = first_of(c, k);
    if (option_of(c, "by") > 0) return count_of(c, k) / T;
    return at == T ? 0 : 1 - at / (T - 1.0);
}

/* The mean of the centres, weighted with the responses. */
static inline double from_gaussian(const told *c, uint32_t i)
{
    const double fields = option_of(c, "fields"), low = option_of(c, "low");
    const double width = (option_of(c, "high") - low) / (fields - 2);
    double sum = 0, weight = 0;
    for (uint32_t m = 0; m < (uint32_t)fields; m++) {
        const double r = heard(c, i, m);
        sum += r * (low + (2.0 * m - 1) / 2 * width), weight += r;
    }
    return sum / weight;
}

/* The population vector. */
static inline double from_angle(const told *c, uint32_t i)
{
    const double fields = option_of(c, "fields"), circle = 6.283185307179586;
    double along = 0, across = 0;
    for (uint32_t m = 0; m < (uint32_t)fields; m++) {
        const double r = heard(c, i, m), at = circle * m / fields;
        along += r * cos(at), across += r * sin(at);
    }
    double theta = atan2(across, along);
    /* the angles between the ends are split in the middle */
    if (theta < circle * (option_of(c, "turn") - 1) / 2) theta += circle;
    const double low = option_of(c, "low");
    return low + (option_of(c, "high") - low) * theta / circle / option_of(c, "turn");
}

typedef double from_feature(const told *c, uint32_t i);
static const struct {
    const char *encoder;
    from_feature *decode;
} feature_codes[] = {
    {"rate", from_rate},   {"latency", from_latency},   {"phase", from_phase},
    {"burst", from_burst}, {"gaussian", from_gaussian}, {"weighted-phase", from_weighted_phase},
    {"angle", from_angle},
};

static inline void decode_features(const told *c, float *x)
{
    size_t k = 0;
    while (strcmp(feature_codes[k].encoder, c->encoder->name) != 0) k++;
    for (uint32_t i = 0; i < c->N; i++) x[i] = (float)feature_codes[k].decode(c, i);
}

/* theta = mean + factor deviation of the differences of a channel */
static inline double theta_of(const told *c, uint32_t channels, uint32_t channel)
{
    const uint32_t points = c->N / channels;
    double sum = 0, squares = 0;
    for (uint32_t t = 1; t < points; t++) {
        const double d =
            (double)c->from[t * channels + channel] - (double)c->from[(t - 1) * channels + channel];
        sum += d, squares += d * d;
    }
    sum /= points - 1, squares /= points - 1;
    return sum + option_of(c, "factor") * sqrt(squares - sum * sum);
}

/* x[t] = x[t-1] + theta (up - down), from x[0] on; delta without `pad`: from 0. bsa: the spikes
 * convolved with a Hann window of `taps` points that adds up to `top`. */
static inline void decode_series(const told *c, float *x)
{
    const uint32_t channels = (uint32_t)option_of(c, "channels"), points = c->N / channels;
    const bool bsa = !strcmp(c->encoder->name, "bsa"), delta = !strcmp(c->encoder->name, "delta");
    const bool tbr = !strcmp(c->encoder->name, "threshold");
    for (uint32_t ch = 0; ch < channels; ch++) {
        const double theta = tbr ? theta_of(c, channels, ch) : option_of(c, "threshold");
        double at = delta && !(option_of(c, "pad") > 0) ? 0 : (double)c->from[ch];
        for (uint32_t t = 0; t < points && !bsa; t++) {
            at += theta * (value_at(c, t, ch) - value_at(c, t, channels + ch));
            x[t * channels + ch] = (float)at;
        }
        for (uint32_t t = 0; t < points && bsa; t++) {
            const uint32_t taps = (uint32_t)option_of(c, "taps");
            double sum = 0, all = 0;
            for (uint32_t k = 0; k < taps; k++) {
                const double h = 1 - cos(6.283185307179586 * (k + 1) / (taps + 1));
                all += h;
                if (k <= t) sum += h * value_at(c, t - k, ch);
            }
            x[t * channels + ch] = (float)(option_of(c, "top") * sum / all);
        }
    }
}
#endif
