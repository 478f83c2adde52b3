/* lateral.c: every neuron drives all the others, but not itself, all with one weight.
 *
 *   y_j = weight (sum_i x_i - x_j)
 *
 * Diehl & Cook 2015 (inhibitory to excitatory). Spikes are counted, so a step costs one pass over
 * the bits and the outputs, whatever the fan-out. The sum is double, rounded once. */
#include "layer/rows.h"
#include <string.h>

enum { WEIGHT };
static const rheo_field fields[] = {
    RHEO_NUMBER_FIELD("weight", "1", 1, -1e6, 1e6, "Weight of every connection."), RHEO_FIELD_END};

static double total(const rheo_signal *s, uint32_t t, uint32_t b)
{
    if (s->form == RHEO_BITS) {
        const double set = (double)rheo__signal_popcount(s, t, b, b + 1);
        return (double)s->lo * s->N + ((double)s->hi - (double)s->lo) * set;
    }
    const float *row = rheo__real_row(s, t, b);
    double sum = 0;
    for (uint32_t j = 0; j < s->N; j++) sum += (double)row[j];
    return sum;
}

/* y (+)= weight (total(x) - x), a row */
static void spread(const rheo_signal *x, const rheo_signal *y, uint32_t t, uint32_t b,
                   double weight, bool accumulate)
{
    const double sum = total(x, t, b);
    float *to = rheo__real_row(y, t, b), buffer[RHEO_BLOCK];
    if (x->form == RHEO_BITS && x->lo >= 0 && !(sum > 0)) { /* silent: most steps */
        if (!accumulate) memset(to, 0, y->N * sizeof *to);
        return;
    }
    for (uint32_t block = 0; block < rheo__words(y->N); block++) {
        const float *from = rheo__block_row(x, t, b, block, buffer);
        float *out = to + (size_t)block * RHEO_BLOCK;
        const uint32_t n = rheo__block_size(y->N, block);
        for (uint32_t j = 0; j < n; j++) {
            const float value = (float)(weight * (sum - (double)from[j]));
            out[j] = accumulate ? out[j] + value : value;
        }
    }
}

static void forward(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    t1 = rheo__last_step(&work->out, t0, t1);
    for (uint32_t t = t0; t < t1; t++)
        for (uint32_t b = 0; b < work->B; b++)
            spread(work->in[0], &work->out, t, b, work->node->options.v[WEIGHT], work->accumulate);
}

static void backward(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    const rheo_signal *gin = &work->gin[0], *g = work->gout;
    if (!gin->real || !g) {
        rheo__pass_gradient(work, t0, t1);
        return;
    }
    const uint32_t last = rheo__last_step(g, 0, work->T);
    t1 = rheo__last_step(g, t0, t1);
    for (uint32_t t = t1; t-- > t0;)
        for (uint32_t b = 0; b < work->B; b++)
            spread(g, gin, t, b, work->node->options.v[WEIGHT], t + 1 < last && gin->stride_t == 0);
}

static void count(const rheo_work *work, uint32_t t, uint32_t b0, uint32_t b1, rheo_counts *add)
{
    const rheo_signal *in = work->in[0];
    if (in->stride_t == 0 && t > 0) return;
    if (in->form == RHEO_REAL) {
        add->macs += (uint64_t)(b1 - b0) * in->N * (in->N - 1);
        return;
    }
    const uint64_t spikes = rheo__signal_popcount(in, t, b0, b1) * (in->N - 1);
    add->synops += spikes;
    add->acs += spikes;
}

static void reference(const rheo_reference_work *work, const double *x, double *y)
{
    const size_t n = rheo__shape_size(work->node->in), rows = (size_t)work->T * work->B;
    for (size_t row = 0; row < rows && y; row++)
        for (size_t j = 0; j < n; j++) {
            double others = 0;
            for (size_t i = 0; i < n && x; i++)
                if (i != j) others += x[row * n + i];
            y[row * n + j] = work->node->options.v[WEIGHT] * others;
        }
}

static void reference_forward(const rheo_reference_work *work)
{
    reference(work, work->in[0], work->out);
}

static void reference_backward(const rheo_reference_work *work)
{
    reference(work, work->gout, work->gin[0]);
}

/* All but its own. */
static uint64_t synapses(const rheo_node_spec *node, uint64_t *fan_in)
{
    *fan_in = rheo__shape_size(node->out) - 1;
    return *fan_in * rheo__shape_size(node->out);
}

const rheo_layer rheo__layer_lateral = {
    .name = "lateral",
    .title = "all-but-self connections of one weight",
    .equations = "y_j = weight (sum_i x_i - x_j)",
    .source = "Diehl & Cook 2015, doi:10.3389/fncom.2015.00099",
    .kind = RHEO_PROJECTION,
    .fields = fields,
    .infer = rheo__infer_same,
    .form = rheo__form_real,
    .forward = forward,
    .backward = backward,
    .count = count,
    .synapses = synapses,
    .reference_forward = reference_forward,
    .reference_backward = reference_backward,
};
