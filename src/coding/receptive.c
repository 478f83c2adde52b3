/* receptive.c: population codes: M neurons a feature, neuron m of all features in plane m. A
 * neuron's response r, 0 ... 1, is a spike at step round((1 - r)(T - 1)) (`by: latency`; below
 * `weakest`, none), or a spike with probability r in every step (`by: rate`).
 *
 *   gaussian  r = exp(-(x - c_m)^2 / (2 sigma^2)),  c_m = low + (2m - 1)/2 width,
 *             sigma = width/beta, width = (high - low)/(M - 2), m = 0 ... M-1
 *   angle     r = max(0, cos(theta - 2 pi m/M)),  theta = 2 pi turn (x - low)/(high - low)
 *
 * The angle code is that of direction-tuned neurons: a half turn for a bounded feature, a whole one
 * for a feature that is itself an angle. Decoded by the mean of the centres weighted with the
 * responses, and by the population vector, which is exact for even M. */
#include "coding/spikes.h"
#include "kernels/math.h"

enum { FIELDS, LOW, HIGH, BY, WEAKEST, SHAPE };
static const char *const by_names[] = {"latency", "rate", NULL};
#define COMMON(fields, least)                                                                      \
    RHEO_INTEGER_FIELD("fields", "1", fields, least, 1024, "neurons a feature"),                   \
        RHEO_NUMBER_FIELD("low", "1", 0, -1e6, 1e6, "lowest value of a feature"),                  \
        RHEO_NUMBER_FIELD("high", "1", 1, -1e6, 1e6, "highest value of a feature"),                \
        RHEO_CHOICE_FIELD("by", 0, by_names, "how a response is sent"),                            \
        RHEO_NUMBER_FIELD("weakest", "1", 0.1, 0, 1, "responses below this give no spike")
static const rheo_field gaussian_fields[] = {
    COMMON(8, 3),
    RHEO_NUMBER_FIELD("beta", "1", 1.5, 1e-3, 1e3, "distance of centres over sigma"),
    RHEO_FIELD_END,
};
static const rheo_field angle_fields[] = {
    COMMON(8, 3),
    RHEO_NUMBER_FIELD("turn", "1", 0.5, 0.01, 1, "part of the circle from low to high"),
    RHEO_FIELD_END,
};

/* No neurons where the range is empty. */
static uint32_t width(const rheo_options *options, uint32_t N)
{
    const uint32_t fields = (uint32_t)options->v[FIELDS];
    if (options->v[HIGH] <= options->v[LOW] || N > UINT32_MAX / fields) return 0;
    return N * fields;
}

static double spacing(const double *v)
{
    return (v[HIGH] - v[LOW]) / (v[FIELDS] - 2);
}

static double centre(const double *v, uint32_t m)
{
    return v[LOW] + (2.0 * m - 1) / 2 * spacing(v);
}

typedef float response(const double *v, uint32_t m, float x);

static float gaussian(const double *v, uint32_t m, float x)
{
    const float off = (x - (float)centre(v, m)) * (float)(v[SHAPE] / spacing(v));
    return rheo__expf(-0.5f * off * off);
}

static const double turn = 6.283185307179586;

static float angle(const double *v, uint32_t m, float x)
{
    const double theta = turn * v[SHAPE] * ((double)x - v[LOW]) / (v[HIGH] - v[LOW]);
    const float r = (float)cos(theta - turn * m / v[FIELDS]);
    return r > 0.0f ? r : 0.0f;
}

static float input(const rheo_encode *call, uint32_t b, uint32_t i)
{
    return (float)call->intensity * rheo__features(call, b)[i];
}

static void chances(const rheo_encode *call, uint32_t b, uint32_t first, uint32_t n, float *p,
                    response *r)
{
    for (uint32_t k = 0; k < n; k++)
        p[k] = r(call->options->v, (first + k) / call->N, input(call, b, (first + k) % call->N));
}

static void times(const rheo_encode *call, rheo_signal *out, uint32_t b, response *r)
{
    const uint32_t last = rheo__presentation(call, out, b) - 1;
    for (uint32_t k = 0; k < out->N; k++) {
        const float at = r(call->options->v, k / call->N, input(call, b, k % call->N));
        if (at < (float)call->options->v[WEAKEST]) continue;
        rheo__spike(call, out, (uint64_t)rintf((1.0f - at) * (float)last), b, k);
    }
}

static void gaussian_chances(const rheo_encode *call, uint32_t b, uint32_t first, uint32_t n,
                             float *p)
{
    chances(call, b, first, n, p, gaussian);
}

static void gaussian_times(const rheo_encode *call, rheo_signal *out, uint32_t b)
{
    times(call, out, b, gaussian);
}

static void gaussian_encode(const rheo_encode *call, rheo_signal *out)
{
    if (call->options->v[BY] > 0)
        rheo__encode_random(call, out, gaussian_chances, 0, UINT64_MAX);
    else
        rheo__encode_samples(call, out, gaussian_times);
}

static void angle_chances(const rheo_encode *call, uint32_t b, uint32_t first, uint32_t n, float *p)
{
    chances(call, b, first, n, p, angle);
}

static void angle_times(const rheo_encode *call, rheo_signal *out, uint32_t b)
{
    times(call, out, b, angle);
}

static void angle_encode(const rheo_encode *call, rheo_signal *out)
{
    if (call->options->v[BY] > 0)
        rheo__encode_random(call, out, angle_chances, 0, UINT64_MAX);
    else
        rheo__encode_samples(call, out, angle_times);
}

const rheo_encoder rheo__encoder_gaussian = {
    .name = "gaussian",
    .title = "Gaussian receptive fields: several neurons a feature, each near its value",
    .equations = "r_m = exp(-(x - c_m)^2/(2 sigma^2)), t = round((1 - r)(T - 1)) or P(s = 1) = r\n"
                 "c_m = low + (2m - 1)/2 w, sigma = w/beta, w = (high - low)/(fields - 2)",
    .source = "Bohte, Kok & La Poutre 2002, doi:10.1016/S0925-2312(01)00658-0",
    .form = RHEO_BITS,
    .fields = gaussian_fields,
    .width = width,
    .encode = gaussian_encode,
};

const rheo_encoder rheo__encoder_angle = {
    .name = "angle",
    .title = "neurons tuned to directions, a feature as an angle",
    .equations =
        "r_m = max(0, cos(theta - 2 pi m/fields)), theta = 2 pi turn (x - low)/(high - low)\n"
        "t = round((1 - r)(T - 1)) or P(s = 1) = r",
    .source = "Georgopoulos, Schwartz & Kettner 1986, doi:10.1126/science.3749885",
    .form = RHEO_BITS,
    .fields = angle_fields,
    .width = width,
    .encode = angle_encode,
};
