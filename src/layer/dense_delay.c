/* dense_delay.c: all-to-all weights, each with a delay of its own; both are learned.
 *
 *   y_o(t) = b_o + sum_i w_oi ((1 - f) x_i(t-k) + f x_i(t-k-1)),  k = floor d_oi,  f = d_oi - k
 *   dL/d d_oi = w_oi sum over t of g_o(t) (x_i(t-k-1) - x_i(t-k)),  0 <= d_oi <= max
 *
 * Hammouamri et al. 2024, arXiv:2306.17670, with linear interpolation in place of their Gaussian.
 * Before the first step the input was 0. A spike is looked at for max + 2 steps, so the work of a
 * step grows with the inputs that fired in so many, not with all. */
#include "layer/past.h"
#include <math.h>
#include <string.h>

enum { OUT, BIAS, MAX, LEARN, START, SPREAD };
enum { WEIGHT, DELAY, OFFSET };
static const rheo_field fields[] = {
    RHEO_INTEGER_FIELD("out", "1", 1, 1, 1 << 20, "Number of outputs."),
    RHEO_FLAG_FIELD("bias", 1, "Adds a trained constant to each output."),
    RHEO_INTEGER_FIELD("max", "step", 16, 1, 4096, "Largest delay."),
    RHEO_FLAG_FIELD("learn", 1, "The delays have a gradient."),
    RHEO_NUMBER_FIELD("start", "step", 0, 0, 4096, "Smallest delay at the start."),
    RHEO_NUMBER_FIELD("spread", "1", 1, 0, 1,
                      "Delays start evenly between start and this share of the way to max."),
    RHEO_FIELD_END};

static uint32_t reach_of(const rheo_node_spec *node)
{
    return (uint32_t)node->options.v[MAX] + 2;
}

static uint32_t inputs(const rheo_node_spec *node)
{
    return rheo__shape_size(node->in);
}

static uint32_t outputs(const rheo_node_spec *node)
{
    return rheo__shape_size(node->out);
}

static rheo_status infer(rheo_context *ctx, rheo_node_spec *node)
{
    const double *v = node->options.v;
    RHEO_CHECK(ctx, v[START] <= v[MAX], RHEO_USAGE,
               "net node %s: delays start at %g steps, beyond the largest, %g", node->name,
               v[START], v[MAX]);
    return rheo__infer_weights(ctx, node, v[OUT]);
}

static bool param(const rheo_node_spec *node, uint32_t index, rheo_param *out)
{
    if (index > OFFSET || (index == OFFSET && !(node->options.v[BIAS] > 0))) return false;
    if (index == OFFSET) {
        rheo__param_entry(out, "bias", 1, outputs(node));
        return true;
    }
    rheo__param_entry(out, index == WEIGHT ? "weight" : "delay", outputs(node), inputs(node));
    if (index == WEIGHT) return true;
    out->trained = node->options.v[LEARN] > 0;
    out->low = 0;
    out->high = (float)node->options.v[MAX];
    return true;
}

static void initialise(rheo_context *ctx, const rheo_node_spec *node, uint64_t seed)
{
    const double *v = node->options.v, high = v[START] + v[SPREAD] * (v[MAX] - v[START]);
    const float bound = (float)(1 / sqrt((double)inputs(node))); /* as dense */
    const size_t n = (size_t)inputs(node) * outputs(node);
    const rheo_key key = rheo__key(seed, node->index, RHEO_FOR_WEIGHTS);
    (void)ctx;
    rheo__fill_uniform(key, 0, -bound, bound, node->param[WEIGHT]->value, n);
    rheo__fill_uniform(rheo__key(seed, node->index, RHEO_FOR_DELAY), 0, (float)v[START],
                       (float)high, node->param[DELAY]->value, n);
    if (node->params > OFFSET)
        rheo__fill_uniform(key, 1, -bound, bound, node->param[OFFSET]->value, outputs(node));
}

static void form(const rheo_work *work, rheo_form *out, bool *fixed, float *lo, float *hi)
{
    rheo__form_real(work, out, fixed, lo, hi);
    *fixed = false; /* it begins with what was before the first step */
}

/* derived: w (1 - f), w f and k, each [in][pitch] */
enum { NEAR, FAR, WHOLE, PIECES };

static const float *derived_at(const rheo_work *work, uint32_t piece, uint32_t i)
{
    const size_t pitch = rheo__pitch(outputs(work->node));
    return work->derived + ((size_t)piece * inputs(work->node) + i) * pitch;
}

/* A thread's scratch: the last steps of an input, or the sums of a row of gradients. */
static size_t scratch_bytes(const rheo_work *work)
{
    const size_t steps = reach_of(work->node) * sizeof(float);
    const size_t sums = (size_t)2 * inputs(work->node) * sizeof(double);
    return rheo__round64(work->gradient && sums > steps ? sums : steps);
}

static void need(const rheo_work *work, rheo_need *out)
{
    const rheo_node_spec *node = work->node;
    out->derived = PIECES * (size_t)inputs(node) * rheo__pitch(outputs(node));
    out->state = rheo__past_floats(work, reach_of(node), inputs(node));
    out->scratch = rheo_threads(work->ctx) * scratch_bytes(work);
    if (work->gradient) out->adjoint = rheo__past_floats(work, reach_of(node), outputs(node));
}

/* A delay that can be used, whatever a file or a step of learning made of it. */
static double within(const rheo_node_spec *node, double d)
{
    const double max = node->options.v[MAX];
    return d >= 0 ? d <= max ? d : max : 0;
}

static void refresh(const rheo_work *work)
{
    const rheo_node_spec *node = work->node;
    const size_t pitch = rheo__pitch(outputs(node)), piece = inputs(node) * pitch;
    for (uint32_t o = 0; o < outputs(node); o++)
        for (uint32_t i = 0; i < inputs(node); i++) {
            const size_t from = (size_t)o * inputs(node) + i, to = i * pitch + o;
            const double d = within(node, (double)node->param[DELAY]->value[from]);
            const double w = (double)node->param[WEIGHT]->value[from], f = d - floor(d);
            work->derived[NEAR * piece + to] = (float)(w * (1 - f));
            work->derived[FAR * piece + to] = (float)(w * f);
            work->derived[WHOLE * piece + to] = (float)floor(d);
        }
}

static void reset(const rheo_work *work)
{
    memset(work->state, 0,
           rheo__past_floats(work, reach_of(work->node), inputs(work->node)) * sizeof(float));
}

/* ---- forward: a task is a sample and a block of outputs ---- */

typedef struct span_argument {
    const rheo_work *work;
    uint32_t t0, t1;
} span_argument;

/* The last steps of input i; false when all are 0. */
static bool look_back(const rheo_past *past, uint32_t t, uint32_t b, uint32_t i, float *steps)
{
    bool any = false;
    for (uint32_t back = 0; back < past->reach; back++) {
        steps[back] = rheo__past_get(past, t, back, b, i);
        any = any || steps[back] < 0 || steps[back] > 0 || isnan(steps[back]);
    }
    return any;
}

static void forward_task(void *argument, uint32_t task, uint32_t thread)
{
    const span_argument *a = argument;
    const rheo_work *work = a->work;
    const rheo_node_spec *node = work->node;
    const uint32_t blocks = rheo__words(outputs(node)), b = task / blocks, block = task % blocks;
    const uint32_t n = rheo__block_size(outputs(node), block);
    const size_t first = (size_t)block * RHEO_BLOCK;
    const rheo_past past = rheo__past(work, reach_of(node), false);
    float *steps = (void *)((char *)work->scratch + thread * scratch_bytes(work));
    for (uint32_t t = a->t0; t < a->t1; t++) {
        float *y = rheo__real_row(&work->out, t, b) + first;
        for (uint32_t j = 0; j < n; j++) {
            const float bias = node->params > OFFSET ? node->param[OFFSET]->value[first + j] : 0;
            y[j] = work->accumulate ? y[j] + bias : bias;
        }
        for (uint32_t i = 0; i < inputs(node); i++) {
            if (!look_back(&past, t, b, i, steps)) continue;
            const float *near = derived_at(work, NEAR, i) + first;
            const float *far = derived_at(work, FAR, i) + first;
            const float *whole = derived_at(work, WHOLE, i) + first;
            for (uint32_t j = 0; j < n; j++) {
                const uint32_t k = (uint32_t)whole[j];
                y[j] += near[j] * steps[k] + far[j] * steps[k + 1];
            }
        }
    }
}

static void forward(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    span_argument a = {work, t0, t1};
    rheo__parallel(work->ctx, work->B * rheo__words(outputs(work->node)), forward_task, &a);
    rheo__past_keep(work, reach_of(work->node), t0, t1);
}

/* ---- backward: a task is a sample and a block of inputs ---- */

static void backward_task(void *argument, uint32_t task, uint32_t thread)
{
    const span_argument *a = argument;
    const rheo_work *work = a->work;
    const rheo_node_spec *node = work->node;
    const uint32_t blocks = rheo__words(inputs(node)), b = task / blocks, block = task % blocks;
    const rheo_past past = rheo__past(work, reach_of(node), true);
    const rheo_signal *gin = &work->gin[0];
    (void)thread;
    for (uint32_t t = a->t1; t-- > a->t0;) {
        float *row = rheo__real_row(gin, t, b);
        const bool adds = gin->stride_t == 0 && t + 1 < work->T;
        for (uint32_t j = 0; j < rheo__block_size(inputs(node), block); j++) {
            const uint32_t i = block * RHEO_BLOCK + j;
            const float *near = derived_at(work, NEAR, i), *far = derived_at(work, FAR, i);
            const float *whole = derived_at(work, WHOLE, i);
            float sum = 0;
            for (uint32_t o = 0; o < outputs(node); o++) {
                const uint32_t k = (uint32_t)whole[o];
                sum += near[o] * rheo__future_get(&past, t, k, a->t1, b, o) +
                       far[o] * rheo__future_get(&past, t, k + 1, a->t1, b, o);
            }
            row[i] = adds ? row[i] + sum : sum;
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
    if (work->gin[0].real)
        rheo__parallel(work->ctx, work->B * rheo__words(inputs(work->node)), backward_task, &a);
    rheo__future_keep(work, reach_of(work->node), t0, t1);
}

/* Adds to, or begins, what stands for the window's later chunks. */
static void put(const span_argument *a, uint32_t p, size_t at, double value)
{
    float *g = a->work->grad[p];
    if (g) g[at] = (a->t1 == a->work->T ? 0 : g[at]) + (float)value;
}

static void gradient_row(void *argument, uint32_t o, uint32_t thread)
{
    const span_argument *a = argument;
    const rheo_work *work = a->work;
    const rheo_node_spec *node = work->node;
    const uint32_t n = inputs(node);
    const rheo_past past = rheo__past(work, reach_of(node), true);
    double *near = (void *)((char *)work->scratch + thread * scratch_bytes(work));
    double *far = near + n, bias = 0;
    memset(near, 0, 2 * (size_t)n * sizeof *near);
    for (uint32_t t = a->t0; t < a->t1 && work->gout; t++)
        for (uint32_t b = 0; b < work->B; b++) {
            const double g = (double)rheo__real_row(work->gout, t, b)[o];
            bias += g;
            if (!(g < 0) && !(g > 0) && !isnan(g)) continue;
            for (uint32_t i = 0; i < n; i++) {
                const uint32_t k = (uint32_t)derived_at(work, WHOLE, i)[o];
                near[i] += g * (double)rheo__past_get(&past, t, k, b, i);
                far[i] += g * (double)rheo__past_get(&past, t, k + 1, b, i);
            }
        }
    for (uint32_t i = 0; i < n; i++) {
        const size_t at = (size_t)o * n + i;
        const double d = within(node, (double)node->param[DELAY]->value[at]), f = d - floor(d);
        put(a, WEIGHT, at, (1 - f) * near[i] + f * far[i]);
        put(a, DELAY, at, (double)node->param[WEIGHT]->value[at] * (far[i] - near[i]));
    }
    if (node->params > OFFSET) put(a, OFFSET, o, bias);
}

static void gradient(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    span_argument a = {work, t0, t1};
    rheo__parallel(work->ctx, outputs(work->node), gradient_row, &a);
}

/* A spike meets each synapse at two steps. */
static void count(const rheo_work *work, uint32_t t, uint32_t b0, uint32_t b1, rheo_counts *add)
{
    const rheo_signal *in = work->in[0];
    const uint64_t out = outputs(work->node);
    uint64_t used = (uint64_t)(b1 - b0) * in->N * out;
    if (in->form == RHEO_BITS && !(in->lo < 0)) {
        used = rheo__signal_popcount(in, t, b0, b1) * out;
        add->synops += used;
        add->acs += 2 * used;
    } else {
        add->macs += 2 * used;
    }
    add->bytes += used * PIECES * sizeof(float);
}

/* ---- reference ---- */

static double value(const double *x, const rheo_reference_work *work, uint32_t n, uint32_t b,
                    uint32_t i, int64_t t)
{
    return x && t >= 0 && t < work->T ? x[((size_t)t * work->B + b) * n + i] : 0;
}

static void reference_forward(const rheo_reference_work *work)
{
    const uint32_t in = inputs(work->node), out = outputs(work->node);
    for (uint32_t t = 0; t < work->T; t++)
        for (uint32_t b = 0; b < work->B; b++)
            for (uint32_t o = 0; o < out; o++) {
                double sum = work->node->params > OFFSET ? work->param[OFFSET][o] : 0;
                for (uint32_t i = 0; i < in; i++) {
                    const double d = work->param[DELAY][(size_t)o * in + i], f = d - floor(d);
                    const int64_t at = (int64_t)t - (int64_t)d;
                    sum += work->param[WEIGHT][(size_t)o * in + i] *
                           ((1 - f) * value(work->in[0], work, in, b, i, at) +
                            f * value(work->in[0], work, in, b, i, at - 1));
                }
                work->out[((size_t)t * work->B + b) * out + o] = sum;
            }
}

/* What output o at step t gives to its inputs and their synapses. */
static void reference_synapses(const rheo_reference_work *work, uint32_t t, uint32_t b, uint32_t o,
                               double g)
{
    const uint32_t in = inputs(work->node);
    for (uint32_t i = 0; i < in; i++) {
        const size_t at = (size_t)o * in + i;
        const double d = work->param[DELAY][at], f = d - floor(d), w = work->param[WEIGHT][at];
        const int64_t s = (int64_t)t - (int64_t)d;
        const double near = value(work->in[0], work, in, b, i, s);
        const double far = value(work->in[0], work, in, b, i, s - 1);
        if (work->grad[WEIGHT]) work->grad[WEIGHT][at] += g * ((1 - f) * near + f * far);
        if (work->grad[DELAY]) work->grad[DELAY][at] += g * w * (far - near);
        if (!work->gin[0]) continue;
        if (s >= 0) work->gin[0][((size_t)s * work->B + b) * in + i] += g * w * (1 - f);
        if (s >= 1) work->gin[0][((size_t)(s - 1) * work->B + b) * in + i] += g * w * f;
    }
}

static void reference_backward(const rheo_reference_work *work)
{
    const uint32_t in = inputs(work->node), out = outputs(work->node);
    const size_t rows = (size_t)work->T * work->B;
    for (uint32_t p = 0; p < work->node->params; p++)
        if (work->grad[p])
            memset(work->grad[p], 0, (p == OFFSET ? 1 : in) * (size_t)out * sizeof(double));
    if (work->gin[0]) memset(work->gin[0], 0, rows * in * sizeof(double));
    for (uint32_t t = 0; t < work->T && work->gout; t++)
        for (uint32_t b = 0; b < work->B; b++)
            for (uint32_t o = 0; o < out; o++) {
                const double g = work->gout[((size_t)t * work->B + b) * out + o];
                if (work->node->params > OFFSET && work->grad[OFFSET]) work->grad[OFFSET][o] += g;
                reference_synapses(work, t, b, o, g);
            }
}

const rheo_layer rheo__layer_dense_delay = {
    .name = "dense-delay",
    .title = "all-to-all weights, each with a learned delay",
    .equations = "y_o(t) = b_o + sum_i w_oi ((1 - f) x_i(t - k) + f x_i(t - k - 1)), k = floor "
                 "d_oi, f = d_oi - k, 0 <= d_oi <= max",
    .source = "Hammouamri et al. 2024, arXiv:2306.17670",
    .kind = RHEO_PROJECTION,
    .fields = fields,
    .infer = infer,
    .param = param,
    .initialise = initialise,
    .form = form,
    .need = need,
    .refresh = refresh,
    .reset = reset,
    .forward = forward,
    .backward = backward,
    .gradient = gradient,
    .count = count,
    .reference_forward = reference_forward,
    .reference_backward = reference_backward,
};
