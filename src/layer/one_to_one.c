/* one_to_one.c: neuron j drives neuron j alone.
 *
 *   y_j = w_j x_j      w_j all `weight`, or trained from there on
 *
 * Diehl & Cook 2015 (excitatory to inhibitory, one weight). The trained kind is what a population
 * drives itself with when it is `recurrent: one-to-one`. */
#include "layer/rows.h"
#include <string.h>

enum { WEIGHT, TRAINED };
static const rheo_field fields[] = {
    RHEO_NUMBER_FIELD("weight", "1", 1, -1e6, 1e6, "Weight of every connection."),
    RHEO_FLAG_FIELD("trained", 0, "Trains a weight for each connection, which starts at `weight`."),
    RHEO_FIELD_END};

static bool param(const rheo_node_spec *node, uint32_t index, rheo_param *out)
{
    if (index > 0 || !(node->options.v[TRAINED] > 0)) return false;
    rheo__param_entry(out, "weight", 1, rheo__shape_size(node->in));
    out->dims = 1;
    out->shape[0] = out->cols;
    return true;
}

static void initialise(rheo_context *ctx, const rheo_node_spec *node, uint64_t seed)
{
    (void)ctx;
    (void)seed;
    for (uint32_t j = 0; node->params && j < node->param[0]->cols; j++)
        node->param[0]->value[j] = (float)node->options.v[WEIGHT];
}

/* The 64 weights of a block. */
static const float *block_weights(const rheo_work *work, uint32_t block, float buffer[RHEO_BLOCK])
{
    if (work->node->params) return work->node->param[0]->value + (size_t)block * RHEO_BLOCK;
    for (uint32_t j = 0; j < RHEO_BLOCK; j++) buffer[j] = (float)work->node->options.v[WEIGHT];
    return buffer;
}

/* y (+)= w x, a row. Bits that are not added to anything: silent all over, then the spikes. */
static void scale_row(const rheo_work *work, uint32_t t, uint32_t b)
{
    const rheo_signal *x = work->in[0];
    float *y = rheo__real_row(&work->out, t, b), buffer[RHEO_BLOCK], same[RHEO_BLOCK];
    if (x->form == RHEO_BITS && !work->accumulate && !work->node->params) {
        const uint64_t *row = rheo__bits_row(x, t, b);
        const float weight = (float)work->node->options.v[WEIGHT];
        const float low = weight * x->lo, high = weight * x->hi;
        const uint32_t n = x->N, words = rheo__words(n);
        for (uint32_t j = 0; j < n; j++) y[j] = low;
        for (uint32_t w = 0; w < words; w++)
            for (uint64_t word = row[w]; word; word &= word - 1)
                y[w * 64 + (uint32_t)__builtin_ctzll(word)] = high;
        return;
    }
    for (uint32_t block = 0; block < rheo__words(x->N); block++, y += RHEO_BLOCK) {
        const float *from = rheo__block_row(x, t, b, block, buffer);
        const float *w = block_weights(work, block, same);
        const uint32_t n = rheo__block_size(x->N, block);
        for (uint32_t j = 0; j < n; j++)
            y[j] = work->accumulate ? y[j] + w[j] * from[j] : w[j] * from[j];
    }
}

static void forward(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    t1 = rheo__last_step(&work->out, t0, t1);
    for (uint32_t t = t0; t < t1; t++)
        for (uint32_t b = 0; b < work->B; b++) scale_row(work, t, b);
}

static void backward(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    const rheo_signal *gin = &work->gin[0], *g = work->gout;
    float same[RHEO_BLOCK];
    if (!gin->real || !g) {
        rheo__pass_gradient(work, t0, t1);
        return;
    }
    const uint32_t last = rheo__last_step(g, 0, work->T);
    t1 = rheo__last_step(g, t0, t1);
    for (uint32_t b = 0; b < work->B; b++)
        for (uint32_t t = t1; t-- > t0;)
            for (uint32_t block = 0; block < rheo__words(gin->N); block++) {
                const size_t first = (size_t)block * RHEO_BLOCK;
                const float *gy = rheo__real_row(g, t, b) + first;
                const float *w = block_weights(work, block, same);
                float *gx = rheo__real_row(gin, t, b) + first;
                const bool add = t + 1 < last && gin->stride_t == 0;
                const uint32_t n = rheo__block_size(gin->N, block);
                for (uint32_t j = 0; j < n; j++) gx[j] = (add ? gx[j] : 0) + w[j] * gy[j];
            }
}

/* dL/dw_j = sum of g_j x_j over samples and steps. */
static void gradient(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    const rheo_signal *g = work->gout, *x = work->in[0];
    float buffer[RHEO_BLOCK], *grad = work->node->params ? work->grad[0] : NULL;
    if (!grad) return;
    const bool add = t1 < work->T;
    if (g) t1 = rheo__last_step(g, t0, t1);
    if (g && g->stride_t == 0 && t0 > 0) return;
    for (uint32_t block = 0; block < rheo__words(work->out.N); block++) {
        const size_t first = (size_t)block * RHEO_BLOCK;
        const uint32_t n = rheo__block_size(work->out.N, block);
        double sum[RHEO_BLOCK] = {0};
        for (uint32_t t = t0; t < t1 && g; t++)
            for (uint32_t b = 0; b < work->B; b++) {
                const float *from = rheo__block_row(x, t, b, block, buffer);
                const float *gy = rheo__real_row(g, t, b) + first;
                for (uint32_t j = 0; j < n; j++) sum[j] += (double)gy[j] * (double)from[j];
            }
        for (uint32_t j = 0; j < n; j++)
            grad[first + j] = (add ? grad[first + j] : 0) + (float)sum[j];
    }
}

static void count(const rheo_work *work, uint32_t t, uint32_t b0, uint32_t b1, rheo_counts *add)
{
    const rheo_signal *in = work->in[0];
    if (in->stride_t == 0 && t > 0) return;
    if (in->form == RHEO_REAL) {
        add->macs += (uint64_t)(b1 - b0) * in->N;
        return;
    }
    const uint64_t spikes = rheo__signal_popcount(in, t, b0, b1);
    add->synops += spikes;
    add->acs += spikes;
}

static void reference(const rheo_reference_work *work, const double *x, double *y)
{
    const size_t n = rheo__shape_size(work->node->in), size = (size_t)work->T * work->B * n;
    const double *w = work->node->params ? work->param[0] : NULL;
    for (size_t i = 0; i < size && y; i++)
        y[i] = x ? (w ? w[i % n] : work->node->options.v[WEIGHT]) * x[i] : 0;
}

static void reference_forward(const rheo_reference_work *work)
{
    reference(work, work->in[0], work->out);
}

static void reference_backward(const rheo_reference_work *work)
{
    const size_t n = rheo__shape_size(work->node->in), size = (size_t)work->T * work->B * n;
    double *gw = work->node->params ? work->grad[0] : NULL;
    reference(work, work->gout, work->gin[0]);
    if (!gw) return;
    memset(gw, 0, n * sizeof *gw);
    for (size_t i = 0; i < size && work->gout && work->in[0]; i++)
        gw[i % n] += work->gout[i] * work->in[0][i];
}

static uint64_t synapses(const rheo_node_spec *node, uint64_t *fan_in)
{
    *fan_in = 1;
    return rheo__shape_size(node->out);
}

const rheo_layer rheo__layer_one_to_one = {
    .name = "one-to-one",
    .title = "one-to-one connections",
    .equations = "y_j = w_j x_j, all w_j = weight, or trained from there on",
    .source = "Diehl & Cook 2015, doi:10.3389/fncom.2015.00099",
    .kind = RHEO_PROJECTION,
    .fields = fields,
    .infer = rheo__infer_same,
    .param = param,
    .initialise = initialise,
    .form = rheo__form_real,
    .forward = forward,
    .backward = backward,
    .gradient = gradient,
    .count = count,
    .synapses = synapses,
    .reference_forward = reference_forward,
    .reference_backward = reference_backward,
};
