/* delay.c: axonal delays: what a neuron or a channel sends arrives d steps later, d learned.
 *
 *   y(t) = (1 - f) x(t-k) + f x(t-k-1),   k = floor d,  f = d - k,   0 <= d <= max
 *   dL/d d = sum over t of g(t) (x(t-k-1) - x(t-k))
 *
 * The interpolation between the two steps around d makes it differentiable: Hammouamri et al. 2024,
 * "Learning delays in spiking neural networks using dilated convolutions with learnable spacings",
 * arXiv:2306.17670 (there with a Gaussian); axonal delays: Shrestha & Orchard 2018, "SLAYER". With
 * `round` what arrives is the step nearest to d, so that spikes stay spikes, and the gradient is
 * that of the interpolation at floor d. Before the first step the input was 0. */
#include "layer/past.h"
#include <math.h>
#include <string.h>

enum { MAX, PER, LEARN, ROUND, START, SPREAD };
enum { NEURON, CHANNEL };
static const char *const per_names[] = {"neuron", "channel", NULL};
static const rheo_field fields[] = {
    RHEO_INTEGER_FIELD("max", "step", 16, 1, 4096, "Largest delay."),
    RHEO_CHOICE_FIELD("per", NEURON, per_names, "What has a delay of its own."),
    RHEO_FLAG_FIELD("learn", 1, "The delays have a gradient."),
    RHEO_FLAG_FIELD("round", 0, "Whole steps only: spikes stay spikes."),
    RHEO_NUMBER_FIELD("start", "step", 0, 0, 4096, "Smallest delay at the start."),
    RHEO_NUMBER_FIELD("spread", "1", 1, 0, 1,
                      "Delays start evenly between start and this share of the way to max."),
    RHEO_FIELD_END};

static uint32_t reach_of(const rheo_node_spec *node)
{
    return (uint32_t)node->options.v[MAX] + 2;
}

static uint32_t delays(const rheo_node_spec *node)
{
    return (int)node->options.v[PER] == CHANNEL ? node->in.dim[0] : rheo__shape_size(node->in);
}

static rheo_status infer(rheo_context *ctx, rheo_node_spec *node)
{
    const double *v = node->options.v;
    RHEO_CHECK(ctx, v[START] <= v[MAX], RHEO_USAGE,
               "net node %s: delays start at %g steps, beyond the largest, %g", node->name,
               v[START], v[MAX]);
    return rheo__infer_same(ctx, node);
}

static bool param(const rheo_node_spec *node, uint32_t index, rheo_param *out)
{
    if (index > 0) return false;
    rheo__param_entry(out, "delay", 1, delays(node));
    out->trained = node->options.v[LEARN] > 0;
    out->low = 0;
    out->high = (float)node->options.v[MAX];
    return true;
}

static void initialise(rheo_context *ctx, const rheo_node_spec *node, uint64_t seed)
{
    const double *v = node->options.v, high = v[START] + v[SPREAD] * (v[MAX] - v[START]);
    (void)ctx;
    rheo__fill_uniform(rheo__key(seed, node->index, RHEO_FOR_DELAY), 0, (float)v[START],
                       (float)high, node->param[0]->value, node->param[0]->cols);
}

static void form(const rheo_work *work, rheo_form *out, bool *fixed, float *lo, float *hi)
{
    const rheo_signal *in = work->in[0];
    const bool bits = in && in->form == RHEO_BITS && work->node->options.v[ROUND] > 0 &&
                      !(in->lo < 0) && !(in->lo > 0);
    *out = bits ? RHEO_BITS : RHEO_REAL;
    *fixed = false; /* it begins with what was before the first step */
    *lo = bits ? in->lo : 0;
    *hi = bits ? in->hi : 1;
}

static void need(const rheo_work *work, rheo_need *out)
{
    const uint32_t n = rheo__shape_size(work->node->in);
    out->state = rheo__past_floats(work, reach_of(work->node), n);
    if (work->gradient) out->adjoint = out->state;
}

static void reset(const rheo_work *work)
{
    const uint32_t n = rheo__shape_size(work->node->in);
    memset(work->state, 0, rheo__past_floats(work, reach_of(work->node), n) * sizeof(float));
}

/* A delay that can be used, whatever a file or a step of learning made of it. */
static float within(const rheo_node_spec *node, float d)
{
    const float max = (float)node->options.v[MAX];
    return d >= 0 ? d <= max ? d : max : 0;
}

/* Whole steps of a delay, and the rest. */
static uint32_t parts(const rheo_node_spec *node, float d, float *rest)
{
    if (node->options.v[ROUND] > 0) d = floorf(d + 0.5f);
    const float k = floorf(d);
    *rest = d - k;
    return (uint32_t)k;
}

static float delay_of(const rheo_node_spec *node, uint32_t i)
{
    const uint32_t width = rheo__shape_size(node->in) / delays(node);
    return within(node, node->param[0]->value[i / width]);
}

typedef struct span_argument {
    const rheo_work *work;
    uint32_t t0, t1;
} span_argument;

static float arriving(const rheo_past *past, uint32_t t, uint32_t b, uint32_t i)
{
    float f;
    const uint32_t k = parts(past->work->node, delay_of(past->work->node, i), &f);
    const float near = rheo__past_get(past, t, k, b, i);
    return f > 0 ? (1 - f) * near + f * rheo__past_get(past, t, k + 1, b, i) : near;
}

static void forward_sample(void *argument, uint32_t b, uint32_t thread)
{
    const span_argument *a = argument;
    const rheo_signal *out = &a->work->out;
    const rheo_past past = rheo__past(a->work, reach_of(a->work->node), false);
    (void)thread;
    for (uint32_t t = a->t0; t < a->t1; t++)
        if (out->form == RHEO_BITS) {
            uint64_t *row = rheo__bits_row(out, t, b);
            memset(row, 0, rheo__words(out->N) * sizeof *row);
            for (uint32_t i = 0; i < out->N; i++)
                row[i / 64] |= (uint64_t)(arriving(&past, t, b, i) > 0) << i % 64;
        } else {
            float *row = rheo__real_row(out, t, b);
            for (uint32_t i = 0; i < out->N; i++) row[i] = arriving(&past, t, b, i);
        }
}

static void forward(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    span_argument a = {work, t0, t1};
    rheo__parallel(work->ctx, work->B, forward_sample, &a);
    rheo__past_keep(work, reach_of(work->node), t0, t1);
}

static void backward_sample(void *argument, uint32_t b, uint32_t thread)
{
    const span_argument *a = argument;
    const rheo_work *work = a->work;
    const rheo_signal *gin = &work->gin[0];
    const rheo_past past = rheo__past(work, reach_of(work->node), true);
    (void)thread;
    for (uint32_t t = a->t1; t-- > a->t0;) {
        float *row = rheo__real_row(gin, t, b);
        const bool adds = gin->stride_t == 0 && t + 1 < work->T;
        for (uint32_t i = 0; i < gin->N; i++) {
            float f;
            const uint32_t k = parts(work->node, delay_of(work->node, i), &f);
            const float near = rheo__future_get(&past, t, k, a->t1, b, i);
            const float far = rheo__future_get(&past, t, k + 1, a->t1, b, i);
            const float g = (1 - f) * near + f * far;
            row[i] = adds ? row[i] + g : g;
        }
    }
}

static void backward(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    if (!work->gout) {
        rheo__pass_gradient(work, t0, t1);
        return;
    }
    span_argument a = {work, t0, t1};
    if (work->gin[0].real) rheo__parallel(work->ctx, work->B, backward_sample, &a);
    rheo__future_keep(work, reach_of(work->node), t0, t1);
}

static void gradient_block(void *argument, uint32_t block, uint32_t thread)
{
    const span_argument *a = argument;
    const rheo_work *work = a->work;
    const rheo_node_spec *node = work->node;
    const rheo_past past = rheo__past(work, reach_of(node), true);
    const uint32_t width = rheo__shape_size(node->in) / delays(node), first = block * RHEO_BLOCK;
    (void)thread;
    for (uint32_t c = first; c < first + rheo__block_size(delays(node), block); c++) {
        const uint32_t k = (uint32_t)within(node, node->param[0]->value[c]);
        double sum = 0;
        for (uint32_t t = a->t0; t < a->t1 && work->gout; t++)
            for (uint32_t b = 0; b < work->B; b++)
                for (uint32_t i = c * width; i < (c + 1) * width; i++)
                    sum += (double)rheo__real_row(work->gout, t, b)[i] *
                           ((double)rheo__past_get(&past, t, k + 1, b, i) -
                            (double)rheo__past_get(&past, t, k, b, i));
        work->grad[0][c] = (a->t1 == work->T ? 0 : work->grad[0][c]) + (float)sum;
    }
}

static void gradient(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    span_argument a = {work, t0, t1};
    if (!work->grad[0]) return;
    rheo__parallel(work->ctx, rheo__words(delays(work->node)), gradient_block, &a);
}

/* A spike is stored and read; what is interpolated costs two products. */
static void count(const rheo_work *work, uint32_t t, uint32_t b0, uint32_t b1, rheo_counts *add)
{
    const uint64_t n = (uint64_t)(b1 - b0) * work->out.N;
    (void)t;
    if (work->out.form == RHEO_REAL && !(work->node->options.v[ROUND] > 0)) add->macs += 2 * n;
    add->bytes += work->out.form == RHEO_BITS ? n / 4 : 2 * n * sizeof(float);
}

static double reference_parts(const rheo_node_spec *node, double d, uint32_t *k)
{
    if (node->options.v[ROUND] > 0) d = floor(d + 0.5);
    *k = (uint32_t)d;
    return d - floor(d);
}

static double value(const double *x, const rheo_reference_work *work, uint32_t b, uint32_t i,
                    int64_t t)
{
    const size_t n = rheo__shape_size(work->node->in);
    return x && t >= 0 && t < work->T ? x[((size_t)t * work->B + b) * n + i] : 0;
}

static void reference_forward(const rheo_reference_work *work)
{
    const uint32_t n = rheo__shape_size(work->node->in), width = n / delays(work->node);
    for (uint32_t t = 0; t < work->T; t++)
        for (uint32_t b = 0; b < work->B; b++)
            for (uint32_t i = 0; i < n; i++) {
                uint32_t k;
                const double f = reference_parts(work->node, work->param[0][i / width], &k);
                work->out[((size_t)t * work->B + b) * n + i] =
                    (1 - f) * value(work->in[0], work, b, i, (int64_t)t - k) +
                    f * value(work->in[0], work, b, i, (int64_t)t - k - 1);
            }
}

static void reference_backward(const rheo_reference_work *work)
{
    const uint32_t n = rheo__shape_size(work->node->in), width = n / delays(work->node);
    if (work->grad[0]) memset(work->grad[0], 0, delays(work->node) * sizeof(double));
    for (uint32_t t = 0; t < work->T; t++)
        for (uint32_t b = 0; b < work->B; b++)
            for (uint32_t i = 0; i < n; i++) {
                uint32_t k;
                const double f = reference_parts(work->node, work->param[0][i / width], &k);
                if (work->gin[0])
                    work->gin[0][((size_t)t * work->B + b) * n + i] =
                        (1 - f) * value(work->gout, work, b, i, (int64_t)t + k) +
                        f * value(work->gout, work, b, i, (int64_t)t + k + 1);
                k = (uint32_t)work->param[0][i / width];
                if (work->grad[0])
                    work->grad[0][i / width] +=
                        value(work->gout, work, b, i, t) *
                        (value(work->in[0], work, b, i, (int64_t)t - k - 1) -
                         value(work->in[0], work, b, i, (int64_t)t - k));
            }
}

const rheo_layer rheo__layer_delay = {
    .name = "delay",
    .title = "learned delays of neurons or channels",
    .equations = "y(t) = (1 - f) x(t - k) + f x(t - k - 1), k = floor d, f = d - k, 0 <= d <= max",
    .source = "Hammouamri et al. 2024, arXiv:2306.17670; Shrestha & Orchard 2018, arXiv:1810.08646",
    .kind = RHEO_MAPPING,
    .fields = fields,
    .infer = infer,
    .param = param,
    .initialise = initialise,
    .form = form,
    .need = need,
    .reset = reset,
    .forward = forward,
    .backward = backward,
    .gradient = gradient,
    .count = count,
    .reference_forward = reference_forward,
    .reference_backward = reference_backward,
};
