/* temporal_attention.c: each step of a sample is weighted by a score that all steps decide.
 *
 *   s_t = mean over the inputs of x_t,  m_t = their maximum
 *   score = sigmoid(W2 relu(W1 s))                       statistics: mean
 *   score = sigmoid(W2 relu(W1 s) + W2 relu(W1 m))       statistics: mean-max
 *   y_t = score_t x_t;  with threshold > 0, after training: y_t = x_t where score_t > threshold,
 *         else 0: steps are left out
 *
 * Yao et al. 2021, "Temporal-wise attention spiking neural networks for event streams
 * classification", arXiv:2107.11711, eq. 5 to 8; the maximum beside the mean is the form of
 * SpikingJelly's TemporalWiseAttention. W1 is [steps / reduction, steps]. Windows shorter than
 * `steps` have 0 for what is missing. Of equal maxima the first has the gradient. */
#include "kernels/math.h"
#include "layer/rows.h"
#include <math.h>
#include <string.h>

enum { STEPS, REDUCTION, STATISTICS, THRESHOLD };
static const char *const statistics_names[] = {"mean", "mean-max", NULL};
static const rheo_field fields[] = {
    RHEO_INTEGER_FIELD("steps", "1", 0, 0, 65536, "Steps of a sample; needed."),
    RHEO_INTEGER_FIELD("reduction", "1", 16, 1, 65536, "Steps for each hidden unit."),
    RHEO_CHOICE_FIELD("statistics", 0, statistics_names, "What tells of a step."),
    RHEO_NUMBER_FIELD(
        "threshold", "1", 0, 0, 1,
        "After training, steps of a lower score are left out; 0: scores weight them."),
    RHEO_FIELD_END};

static uint32_t steps_of(const rheo_node_spec *node)
{
    return (uint32_t)node->options.v[STEPS];
}

static uint32_t hidden_of(const rheo_node_spec *node)
{
    const uint32_t hidden = steps_of(node) / (uint32_t)node->options.v[REDUCTION];
    return hidden ? hidden : 1;
}

static bool max_too(const rheo_node_spec *node)
{
    return node->options.v[STATISTICS] > 0;
}

static rheo_status infer(rheo_context *ctx, rheo_node_spec *node)
{
    RHEO_CHECK(
        ctx, steps_of(node) >= 1, RHEO_USAGE,
        "net node %s: temporal-attention has weights for each step; give steps, the number of "
        "steps of a sample",
        node->name);
    return rheo__infer_same(ctx, node);
}

static bool param(const rheo_node_spec *node, uint32_t index, rheo_param *out)
{
    if (index > 1) return false;
    if (index == 0)
        rheo__param_entry(out, "squeeze", hidden_of(node), steps_of(node));
    else
        rheo__param_entry(out, "excite", steps_of(node), hidden_of(node));
    return true;
}

static void initialise(rheo_context *ctx, const rheo_node_spec *node, uint64_t seed)
{
    const rheo_key key = rheo__key(seed, node->index, RHEO_FOR_WEIGHTS);
    (void)ctx;
    for (uint32_t p = 0; p < 2; p++) { /* as PyTorch's linear layers */
        const rheo_param *w = node->param[p];
        const float bound = (float)(1 / sqrt((double)w->cols));
        rheo__fill_uniform(key, p, -bound, bound, w->value, (uint64_t)w->rows * w->cols);
    }
}

static void form(const rheo_work *work, rheo_form *out, bool *fixed, float *lo, float *hi)
{
    rheo__form_real(work, out, fixed, lo, hi);
    *fixed = false;
}

/* Of a sample, in the tape: statistics, hidden units and scores, and their gradients. */
typedef struct sample {
    float *mean, *max;      /* [steps] */
    float *hidden, *of_max; /* [hidden] */
    float *score;           /* [steps] */
    float *gz, *ghidden, *gof_max;
} sample;

static size_t sample_floats(const rheo_node_spec *node)
{
    return (size_t)4 * steps_of(node) + (size_t)4 * hidden_of(node);
}

static sample sample_at(const rheo_work *work, uint32_t b)
{
    const uint32_t T = steps_of(work->node), H = hidden_of(work->node);
    float *at = work->tape + b * sample_floats(work->node);
    sample s = {.mean = at, .max = at + T, .score = at + 2 * T, .gz = at + 3 * T};
    s.hidden = at + 4 * T;
    s.of_max = s.hidden + H;
    s.ghidden = s.of_max + H;
    s.gof_max = s.ghidden + H;
    return s;
}

static void need(const rheo_work *work, rheo_need *out)
{
    out->tape = work->B * sample_floats(work->node);
}

static void look(const rheo_work *work, uint32_t b, sample *s)
{
    const rheo_signal *in = work->in[0];
    float buffer[RHEO_BLOCK];
    memset(s->mean, 0, 2 * steps_of(work->node) * sizeof(float));
    for (uint32_t t = 0; t < work->T; t++) {
        double sum = 0;
        float max = -INFINITY;
        for (uint32_t block = 0; block < rheo__words(in->N); block++) {
            const float *x = rheo__block_row(in, t, b, block, buffer);
            for (uint32_t j = 0; j < rheo__block_size(in->N, block); j++) {
                sum += (double)x[j];
                max = x[j] > max ? x[j] : max;
            }
        }
        s->mean[t] = (float)(sum / in->N);
        s->max[t] = max;
    }
}

/* hidden = relu(W1 x) */
static void squeeze(const rheo_node_spec *node, const float *x, float *hidden)
{
    const uint32_t T = steps_of(node);
    for (uint32_t h = 0; h < hidden_of(node); h++) {
        double sum = 0;
        for (uint32_t t = 0; t < T; t++)
            sum += (double)node->param[0]->value[(size_t)h * T + t] * (double)x[t];
        hidden[h] = sum > 0 ? (float)sum : 0;
    }
}

static void excite(const rheo_node_spec *node, sample *s)
{
    const uint32_t H = hidden_of(node);
    for (uint32_t t = 0; t < steps_of(node); t++) {
        double z = 0;
        for (uint32_t h = 0; h < H; h++)
            z += (double)node->param[1]->value[(size_t)t * H + h] *
                 ((double)s->hidden[h] + (double)s->of_max[h]);
        s->score[t] = 1 / (1 + rheo__expf((float)-z));
    }
}

static float factor(const rheo_work *work, float score)
{
    const float threshold = (float)work->node->options.v[THRESHOLD];
    return work->train || !(threshold > 0) ? score : score > threshold ? 1 : 0;
}

static void forward_sample(void *argument, uint32_t b, uint32_t thread)
{
    const rheo_work *work = argument;
    const rheo_signal *out = &work->out;
    sample s = sample_at(work, b);
    float buffer[RHEO_BLOCK];
    (void)thread;
    look(work, b, &s);
    squeeze(work->node, s.mean, s.hidden);
    memset(s.of_max, 0, hidden_of(work->node) * sizeof(float));
    if (max_too(work->node)) squeeze(work->node, s.max, s.of_max);
    excite(work->node, &s);
    for (uint32_t t = 0; t < work->T; t++)
        for (uint32_t block = 0; block < rheo__words(out->N); block++) {
            const float *x = rheo__block_row(work->in[0], t, b, block, buffer);
            float *y = rheo__real_row(out, t, b) + (size_t)block * RHEO_BLOCK;
            for (uint32_t j = 0; j < rheo__block_size(out->N, block); j++)
                y[j] = factor(work, s.score[t]) * x[j];
        }
}

static void forward(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    rheo_work copy = *work;
    (void)t0, (void)t1; /* the whole window */
    rheo__parallel(work->ctx, work->B, forward_sample, &copy);
}

/* dL/dz and dL/d hidden of a sample; weighted steps only, chosen ones pass no gradient to scores */
static void score_gradient(const rheo_work *work, uint32_t b, sample *s)
{
    const rheo_node_spec *node = work->node;
    const uint32_t H = hidden_of(node), T = steps_of(node);
    const bool chosen = !work->train && node->options.v[THRESHOLD] > 0;
    float buffer[RHEO_BLOCK];
    memset(s->gz, 0, T * sizeof(float));
    for (uint32_t t = 0; t < work->T && !chosen; t++) {
        double sum = 0;
        for (uint32_t block = 0; block < rheo__words(work->out.N); block++) {
            const float *x = rheo__block_row(work->in[0], t, b, block, buffer);
            const float *g = rheo__real_row(work->gout, t, b) + (size_t)block * RHEO_BLOCK;
            for (uint32_t j = 0; j < rheo__block_size(work->out.N, block); j++)
                sum += (double)g[j] * (double)x[j];
        }
        s->gz[t] = (float)sum * s->score[t] * (1 - s->score[t]);
    }
    for (uint32_t h = 0; h < H; h++) {
        double sum = 0;
        for (uint32_t t = 0; t < T; t++)
            sum += (double)node->param[1]->value[(size_t)t * H + h] * (double)s->gz[t];
        s->ghidden[h] = s->hidden[h] > 0 ? (float)sum : 0;
        s->gof_max[h] = s->of_max[h] > 0 ? (float)sum : 0;
    }
}

/* dL/d s_t: column t of W1 times g */
static float through(const rheo_node_spec *node, uint32_t t, const float *g)
{
    double sum = 0;
    for (uint32_t h = 0; h < hidden_of(node); h++)
        sum += (double)node->param[0]->value[(size_t)h * steps_of(node) + t] * (double)g[h];
    return (float)sum;
}

static void backward_sample(void *argument, uint32_t b, uint32_t thread)
{
    const rheo_work *work = argument;
    const rheo_signal *gin = &work->gin[0];
    sample s = sample_at(work, b);
    float buffer[RHEO_BLOCK];
    (void)thread;
    score_gradient(work, b, &s);
    for (uint32_t t = work->T; gin->real && t-- > 0;) {
        const float even = through(work->node, t, s.ghidden) / (float)gin->N;
        float peak = through(work->node, t, s.gof_max);
        const bool adds = gin->stride_t == 0 && t + 1 < work->T;
        for (uint32_t block = 0; block < rheo__words(gin->N); block++) {
            const size_t first = (size_t)block * RHEO_BLOCK;
            const float *x = rheo__block_row(work->in[0], t, b, block, buffer);
            const float *g = rheo__real_row(work->gout, t, b) + first;
            float *to = rheo__real_row(gin, t, b) + first;
            for (uint32_t j = 0; j < rheo__block_size(gin->N, block); j++) {
                float value = factor(work, s.score[t]) * g[j] + even;
                if (!(x[j] < s.max[t])) { /* the first of the largest */
                    value += peak;
                    peak = 0;
                }
                to[j] = adds ? to[j] + value : value;
            }
        }
    }
}

static void backward(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    rheo_work copy = *work;
    if (!work->gout)
        rheo__pass_gradient(work, t0, t1);
    else
        rheo__parallel(work->ctx, work->B, backward_sample, &copy);
}

static void gradient(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    const uint32_t T = steps_of(work->node), H = hidden_of(work->node);
    (void)t0, (void)t1; /* the whole window */
    for (uint32_t t = 0; t < T; t++)
        for (uint32_t h = 0; h < H; h++) {
            double squeezed = 0, excited = 0;
            for (uint32_t b = 0; b < work->B && work->gout; b++) {
                const sample s = sample_at(work, b);
                squeezed += (double)s.ghidden[h] * (double)s.mean[t] +
                            (double)s.gof_max[h] * (double)s.max[t];
                excited += (double)s.gz[t] * ((double)s.hidden[h] + (double)s.of_max[h]);
            }
            if (work->grad[0]) work->grad[0][(size_t)h * T + t] = (float)squeezed;
            if (work->grad[1]) work->grad[1][(size_t)t * H + h] = (float)excited;
        }
}

static void count(const rheo_work *work, uint32_t t, uint32_t b0, uint32_t b1, rheo_counts *add)
{
    const uint64_t samples = b1 - b0, paths = max_too(work->node) ? 2 : 1;
    add->acs += samples * work->out.N; /* the mean */
    add->macs += samples * work->out.N;
    if (t == 0) add->macs += samples * (paths + 1) * steps_of(work->node) * hidden_of(work->node);
}

static uint32_t most_steps(const rheo_node_spec *node)
{
    return steps_of(node);
}

/* ---- reference; keep, a sample: mean, max, score [T], hidden of both [H] ---- */

static size_t reference_floats(const rheo_node_spec *node)
{
    return (size_t)3 * steps_of(node) + (size_t)2 * hidden_of(node);
}

static size_t reference_need(const rheo_node_spec *node, uint32_t T, uint32_t B)
{
    (void)T;
    return B * reference_floats(node);
}

static void reference_scores(const rheo_reference_work *work, uint32_t b, double *keep)
{
    const uint32_t T = steps_of(work->node), H = hidden_of(work->node);
    const size_t N = rheo__shape_size(work->node->in);
    double *mean = keep, *max = keep + T, *score = keep + 2 * T, *hidden = keep + 3 * T;
    memset(keep, 0, reference_floats(work->node) * sizeof *keep);
    for (uint32_t t = 0; t < work->T; t++) {
        const double *x = work->in[0] + ((size_t)t * work->B + b) * N;
        max[t] = x[0];
        for (size_t j = 0; j < N; j++) {
            mean[t] += x[j] / (double)N;
            max[t] = x[j] > max[t] ? x[j] : max[t];
        }
    }
    for (uint32_t h = 0; h < H; h++) {
        double low = 0, high = 0;
        for (uint32_t t = 0; t < T; t++) {
            low += work->param[0][(size_t)h * T + t] * mean[t];
            high += work->param[0][(size_t)h * T + t] * max[t];
        }
        hidden[h] = low > 0 ? low : 0;
        hidden[H + h] = max_too(work->node) && high > 0 ? high : 0;
    }
    for (uint32_t t = 0; t < T; t++) {
        double z = 0;
        for (uint32_t h = 0; h < H; h++)
            z += work->param[1][(size_t)t * H + h] * (hidden[h] + hidden[H + h]);
        score[t] = 1 / (1 + exp(-z));
    }
}

static double reference_factor(const rheo_reference_work *work, double score)
{
    const double threshold = work->node->options.v[THRESHOLD];
    return work->train || !(threshold > 0) ? score : score > threshold ? 1 : 0;
}

static void reference_forward(const rheo_reference_work *work)
{
    const size_t N = rheo__shape_size(work->node->in), T = steps_of(work->node);
    for (uint32_t b = 0; b < work->B && work->in[0]; b++) {
        double *keep = work->keep + b * reference_floats(work->node);
        reference_scores(work, b, keep);
        for (uint32_t t = 0; t < work->T; t++)
            for (size_t j = 0; j < N; j++) {
                const size_t i = ((size_t)t * work->B + b) * N + j;
                work->out[i] = reference_factor(work, keep[2 * T + t]) * work->in[0][i];
            }
    }
}

static void reference_sample(const rheo_reference_work *work, uint32_t b)
{
    const uint32_t T = steps_of(work->node), H = hidden_of(work->node);
    const size_t N = rheo__shape_size(work->node->in);
    const double *mean = work->keep + b * reference_floats(work->node), *max = mean + T;
    const double *score = mean + 2 * T, *hidden = mean + 3 * T;
    const bool chosen = !work->train && work->node->options.v[THRESHOLD] > 0;
    for (uint32_t t = 0; t < work->T; t++) { /* what a score gives to the inputs of all steps */
        const size_t row = ((size_t)t * work->B + b) * N;
        double gz = 0;
        for (size_t j = 0; j < N && work->gout && !chosen; j++)
            gz += work->gout[row + j] * work->in[0][row + j] * score[t] * (1 - score[t]);
        for (size_t j = 0; j < N && work->gin[0] && work->gout; j++)
            work->gin[0][row + j] += reference_factor(work, score[t]) * work->gout[row + j];
        for (uint32_t h = 0; h < H; h++) {
            if (work->grad[1]) work->grad[1][(size_t)t * H + h] += gz * (hidden[h] + hidden[H + h]);
            const double w = work->param[1][(size_t)t * H + h];
            for (uint32_t s = 0; s < work->T; s++) {
                const size_t from = ((size_t)s * work->B + b) * N, at = (size_t)h * T + s;
                const double low = hidden[h] > 0 ? gz * w : 0;
                const double high = hidden[H + h] > 0 ? gz * w : 0;
                if (work->grad[0]) work->grad[0][at] += low * mean[s] + high * max[s];
                bool first = true;
                for (size_t j = 0; j < N && work->gin[0]; j++) {
                    double g = low * work->param[0][at] / (double)N;
                    if (first && !(work->in[0][from + j] < max[s])) {
                        g += high * work->param[0][at];
                        first = false;
                    }
                    work->gin[0][from + j] += g;
                }
            }
        }
    }
}

static void reference_backward(const rheo_reference_work *work)
{
    const size_t N = rheo__shape_size(work->node->in);
    const size_t weights = (size_t)steps_of(work->node) * hidden_of(work->node);
    if (work->gin[0]) memset(work->gin[0], 0, (size_t)work->T * work->B * N * sizeof(double));
    for (uint32_t p = 0; p < 2; p++)
        if (work->grad[p]) memset(work->grad[p], 0, weights * sizeof(double));
    for (uint32_t b = 0; b < work->B && work->in[0]; b++) reference_sample(work, b);
}

const rheo_layer rheo__layer_temporal_attention = {
    .name = "temporal-attention",
    .title = "steps weighted by a learned score",
    .equations =
        "y_t = score_t x_t, score = sigmoid(W2 relu(W1 s)), s_t the mean of x_t (mean-max: "
        "and the same of the maxima, added)",
    .source = "Yao et al. 2021, arXiv:2107.11711",
    .kind = RHEO_MAPPING,
    .whole = true,
    .all_steps = true,
    .fields = fields,
    .infer = infer,
    .param = param,
    .initialise = initialise,
    .form = form,
    .need = need,
    .most_steps = most_steps,
    .forward = forward,
    .backward = backward,
    .gradient = gradient,
    .count = count,
    .reference_need = reference_need,
    .reference_forward = reference_forward,
    .reference_backward = reference_backward,
};
