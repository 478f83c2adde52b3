/* drop_connect.c: all-to-all weights, of which each sample misses some in training.
 *
 *   y = b + (W m / (1 - rate)) x   with m_oi = 0 with probability `rate`, else 1    (training)
 *   y = b + W x                                                                      (otherwise)
 *
 * Wan et al. 2013, "Regularization of neural networks using DropConnect", in its inverted form. A
 * sample has one mask for the whole window, so that a synapse is absent for the sample, not for a
 * step, and no sample depends on its batch; the mask is drawn from (seed, node, dropout) and
 * (sample, show, 0, element/4) wherever it is needed, and not kept. */
#include "layer/rows.h"
#include <math.h>
#include <string.h>

enum { OUT, RATE, BIAS };
enum { WEIGHT, OFFSET };
static const rheo_field fields[] = {
    RHEO_INTEGER_FIELD("out", "1", 1, 1, 1 << 20, "Number of outputs."),
    RHEO_NUMBER_FIELD("rate", "1", 0.5, 0, 0.99, "Share of the weights that a sample misses."),
    RHEO_FLAG_FIELD("bias", 1, "Adds a trained constant to each output."), RHEO_FIELD_END};

static uint32_t inputs(const rheo_node_spec *node)
{
    return rheo__shape_size(node->in);
}

static uint32_t outputs(const rheo_node_spec *node)
{
    return rheo__shape_size(node->out);
}

static size_t weights(const rheo_node_spec *node)
{
    return (size_t)inputs(node) * outputs(node);
}

static bool active(const rheo_work *work)
{
    return work->train && work->node->options.v[RATE] > 0;
}

static rheo_status infer(rheo_context *ctx, rheo_node_spec *node)
{
    return rheo__infer_weights(ctx, node, node->options.v[OUT]);
}

static bool param(const rheo_node_spec *node, uint32_t index, rheo_param *out)
{
    if (index > OFFSET || (index == OFFSET && !(node->options.v[BIAS] > 0))) return false;
    if (index == WEIGHT)
        rheo__param_entry(out, "weight", outputs(node), inputs(node));
    else
        rheo__param_entry(out, "bias", 1, outputs(node));
    return true;
}

static void initialise(rheo_context *ctx, const rheo_node_spec *node, uint64_t seed)
{
    const rheo_key key = rheo__key(seed, node->index, RHEO_FOR_WEIGHTS);
    const float bound = (float)(1 / sqrt((double)inputs(node))); /* as PyTorch's linear layer */
    (void)ctx;
    for (uint32_t p = 0; p < node->params; p++)
        rheo__fill_uniform(key, p, -bound, bound, node->param[p]->value,
                           (uint64_t)node->param[p]->rows * node->param[p]->cols);
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Scratch: a sample's weights, its gradient of them, the products' own. */
static void *product_scratch(const rheo_work *work)
{
    return (char *)work->scratch + 2 * rheo__round64(weights(work->node) * sizeof(float));
}

static void need(const rheo_work *work, rheo_need *out)
{
    const uint32_t in = inputs(work->node), n = outputs(work->node);
    const uint32_t rows = work->T > work->B ? work->T : work->B;
    size_t own = rheo__product_scratch(work->ctx, RHEO_FLOAT32, rows, n, in);
    if (work->gradient) {
        own = larger(own, rheo__product_scratch(work->ctx, RHEO_FLOAT32, rows, in, n));
        own = larger(own, rheo__product_scratch(work->ctx, RHEO_FLOAT32, n, in, rows));
    }
    out->scratch = 2 * rheo__round64(weights(work->node) * sizeof(float)) + own;
}

/* ---- masks ---- */

typedef struct mask_argument {
    const rheo_work *work;
    uint32_t b;
    const float *from;
    float *to;
    bool adds;
} mask_argument;

#define QUADS 1024u /* of a task */

static void mask_part(void *argument, uint32_t part, uint32_t thread)
{
    const mask_argument *a = argument;
    const rheo_node_spec *node = a->work->node;
    const double rate = node->options.v[RATE];
    const float kept = active(a->work) ? (float)(1 / (1 - rate)) : 1;
    const rheo_key key = rheo__key(a->work->seed, node->index, RHEO_FOR_DROPOUT);
    const size_t n = weights(node), first = (size_t)part * QUADS * 4;
    (void)thread;
    for (size_t i = first; i < n && i < first + QUADS * 4; i += 4) {
        uint32_t r[4] = {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX};
        if (active(a->work)) rheo__draw(key, a->work, a->b, 0, (uint32_t)(i / 4), r);
        for (size_t k = 0; k < 4 && i + k < n; k++) {
            const float m = (double)rheo__uniform(r[k]) < rate ? 0 : kept;
            a->to[i + k] = a->adds ? a->to[i + k] + m * a->from[i + k] : m * a->from[i + k];
        }
    }
}

/* to (+)= from times the mask of sample b, and 1 / (1 - rate) */
static void mask(const rheo_work *work, uint32_t b, const float *from, float *to, bool adds)
{
    mask_argument a = {work, b, from, to, adds};
    const size_t n = weights(work->node);
    rheo__parallel(work->ctx, (uint32_t)((n + QUADS * 4 - 1) / (QUADS * 4)), mask_part, &a);
}

static const float *weights_of(const rheo_work *work, uint32_t b)
{
    if (!active(work)) return work->node->param[WEIGHT]->value;
    mask(work, b, work->node->param[WEIGHT]->value, work->scratch, false);
    return work->scratch;
}

/* ---- products: rows are the steps of one sample ---- */

static rheo_operand steps_of(const rheo_signal *s, uint32_t t, uint32_t b, bool turned)
{
    if (s->form == RHEO_BITS)
        return (rheo_operand){.bits = rheo__bits_row(s, t, b),
                              .row = s->stride_t,
                              .col = turned ? 0 : 1,
                              .lo = s->lo,
                              .hi = s->hi};
    return (rheo_operand){.real = rheo__real_row(s, t, b),
                          .row = turned ? 1 : s->stride_t,
                          .col = turned ? s->stride_t : 1};
}

static void add_bias(const rheo_work *work, uint32_t t0, uint32_t t1, uint32_t b)
{
    const float *bias = work->node->param[OFFSET]->value;
    for (uint32_t t = t0; t < t1; t++) {
        float *row = rheo__real_row(&work->out, t, b);
        for (uint32_t o = 0; o < work->out.N; o++) row[o] += bias[o];
    }
}

static void forward(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    const bool biased = work->node->params > OFFSET;
    const uint32_t in = inputs(work->node);
    t1 = rheo__last_step(&work->out, t0, t1);
    for (uint32_t b = 0; b < work->B; b++) {
        if (work->accumulate && biased) add_bias(work, t0, t1, b);
        rheo__product(work->ctx,
                      &(rheo_product){.M = t1 - t0,
                                      .N = outputs(work->node),
                                      .K = in,
                                      .a = steps_of(work->in[0], t0, b, false),
                                      .b = {.real = weights_of(work, b), .row = in, .col = 1},
                                      .bias = biased && !work->accumulate
                                                  ? work->node->param[OFFSET]->value
                                                  : NULL,
                                      .accumulate = work->accumulate,
                                      .c = rheo__real_row(&work->out, t0, b),
                                      .c_row = work->out.stride_t},
                      product_scratch(work));
    }
}

/* dL/dx of `rows` steps of a sample, from step t on */
static void input_gradient(const rheo_work *work, const float *w, uint32_t t, uint32_t rows,
                           uint32_t b, bool adds)
{
    rheo__product(work->ctx,
                  &(rheo_product){.M = rows,
                                  .N = inputs(work->node),
                                  .K = outputs(work->node),
                                  .a = steps_of(work->gout, t, b, false),
                                  .b = {.real = w, .row = 1, .col = inputs(work->node)},
                                  .accumulate = adds,
                                  .c = rheo__real_row(&work->gin[0], t, b),
                                  .c_row = work->gin[0].stride_t},
                  product_scratch(work));
}

static void backward(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    const rheo_signal *gin = &work->gin[0];
    if (!work->gout || !gin->real) {
        rheo_work none = *work;
        none.gout = NULL;
        rheo__pass_gradient(&none, t0, t1);
        return;
    }
    t1 = rheo__last_step(work->gout, t0, t1);
    for (uint32_t b = 0; b < work->B; b++) {
        const float *w = weights_of(work, b);
        if (gin->stride_t || !work->gout->stride_t)
            input_gradient(work, w, t0, t1 - t0, b, false);
        else
            for (uint32_t t = t1; t-- > t0;) /* a static input's is the sum over the steps */
                input_gradient(work, w, t, 1, b, t + 1 < work->T);
    }
}

static void gradient(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    const bool biased = work->node->params > OFFSET && work->grad[OFFSET];
    float *own =
        (void *)((char *)work->scratch + rheo__round64(weights(work->node) * sizeof(float)));
    for (uint32_t p = 0; p < work->node->params && t1 == work->T; p++)
        if (work->grad[p]) memset(work->grad[p], 0, rheo__param_bytes(work->node->param[p]));
    if (!work->gout) return;
    t1 = rheo__last_step(work->gout, t0, t1);
    for (uint32_t o = 0; o < outputs(work->node) && biased; o++) {
        double sum = 0;
        for (uint32_t t = t0; t < t1; t++)
            for (uint32_t b = 0; b < work->B; b++)
                sum += (double)rheo__real_row(work->gout, t, b)[o];
        work->grad[OFFSET][o] += (float)sum;
    }
    for (uint32_t b = 0; b < work->B && work->grad[WEIGHT]; b++) {
        rheo__product(work->ctx,
                      &(rheo_product){.M = outputs(work->node),
                                      .N = inputs(work->node),
                                      .K = t1 - t0,
                                      .a = steps_of(work->gout, t0, b, true),
                                      .b = steps_of(work->in[0], t0, b, true),
                                      .c = own,
                                      .c_row = inputs(work->node)},
                      product_scratch(work));
        mask(work, b, own, work->grad[WEIGHT], true);
    }
}

static void count(const rheo_work *work, uint32_t t, uint32_t b0, uint32_t b1, rheo_counts *add)
{
    const rheo_signal *in = work->in[0];
    const uint64_t all = (b1 - b0) * (uint64_t)weights(work->node);
    uint64_t used = all;
    if (active(work) && t == 0) add->draws += all;
    if (in->stride_t == 0 && t > 0) return;
    if (in->form == RHEO_BITS && !(in->lo < 0)) {
        used = rheo__signal_popcount(in, t, b0, b1) * outputs(work->node);
        add->synops += used;
        add->acs += used;
    } else {
        add->macs += all;
    }
    add->bytes += used * sizeof(float);
}

/* ---- reference ---- */

static double mask_at(const rheo_reference_work *work, uint32_t b, size_t at)
{
    const double rate = work->train ? work->node->options.v[RATE] : 0;
    const rheo_key key = rheo__key(work->seed, work->node->index, RHEO_FOR_DROPOUT);
    uint32_t r[4];
    rheo__reference_draw(key, work, b, 0, (uint32_t)(at / 4), r);
    return rate > 0 && (double)rheo__uniform(r[at % 4]) < rate ? 0 : 1 / (1 - rate);
}

/* Each synapse of each sample: y += w x, or its part of the gradients. */
static void reference(const rheo_reference_work *work, bool back)
{
    const uint32_t in = inputs(work->node), out = outputs(work->node);
    for (uint32_t b = 0; b < work->B; b++)
        for (size_t s = 0; s < weights(work->node); s++) {
            const double m = mask_at(work, b, s), w = m * work->param[WEIGHT][s];
            for (uint32_t t = 0; t < work->T; t++) {
                const size_t row = (size_t)t * work->B + b, x = row * in + s % in;
                const size_t y = row * out + s / in;
                if (!back) {
                    work->out[y] += w * (work->in[0] ? work->in[0][x] : 0);
                    continue;
                }
                const double g = work->gout ? work->gout[y] : 0;
                if (work->grad[WEIGHT] && work->in[0])
                    work->grad[WEIGHT][s] += g * m * work->in[0][x];
                if (work->gin[0]) work->gin[0][x] += g * w;
            }
        }
}

static void reference_forward(const rheo_reference_work *work)
{
    const size_t out = outputs(work->node), n = (size_t)work->T * work->B * out;
    for (size_t i = 0; i < n; i++)
        work->out[i] = work->node->params > OFFSET ? work->param[OFFSET][i % out] : 0;
    reference(work, false);
}

static void reference_backward(const rheo_reference_work *work)
{
    const size_t out = outputs(work->node), rows = (size_t)work->T * work->B;
    if (work->grad[WEIGHT]) memset(work->grad[WEIGHT], 0, weights(work->node) * sizeof(double));
    if (work->gin[0]) memset(work->gin[0], 0, rows * inputs(work->node) * sizeof(double));
    if (work->node->params > OFFSET && work->grad[OFFSET]) {
        memset(work->grad[OFFSET], 0, out * sizeof(double));
        for (size_t i = 0; i < rows * out && work->gout; i++)
            work->grad[OFFSET][i % out] += work->gout[i];
    }
    reference(work, true);
}

const rheo_layer rheo__layer_drop_connect = {
    .name = "drop-connect",
    .title = "all-to-all weights, of which each sample misses some in training",
    .equations =
        "training: y = b + (W m / (1 - rate)) x, m in {0, 1}, P(m = 0) = rate; otherwise y "
        "= b + W x",
    .source = "Wan et al. 2013, Proc. ICML, PMLR 28(3):1058",
    .kind = RHEO_PROJECTION,
    .fields = fields,
    .infer = infer,
    .param = param,
    .initialise = initialise,
    .form = rheo__form_real,
    .need = need,
    .forward = forward,
    .backward = backward,
    .gradient = gradient,
    .count = count,
    .reference_forward = reference_forward,
    .reference_backward = reference_backward,
};
