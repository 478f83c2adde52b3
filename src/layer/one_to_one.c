/* one_to_one.c: neuron j drives neuron j alone, all with one weight.
 *
 *   y_j = weight x_j
 *
 * Diehl & Cook 2015 (excitatory to inhibitory). Leaves out: trained and single weights. */
#include "layer/rows.h"
#include <string.h>

enum { WEIGHT };
static const rheo_field fields[] = {
    RHEO_NUMBER_FIELD("weight", "1", 1, -1e6, 1e6, "Weight of every connection."), RHEO_FIELD_END};

/* y (+)= weight x, a row. Bits that are not added to anything: silent all over, then the spikes. */
static void scale_row(const rheo_signal *x, float *y, uint32_t t, uint32_t b, float weight,
                      bool accumulate)
{
    float buffer[RHEO_BLOCK];
    if (x->form == RHEO_BITS && !accumulate) {
        const uint64_t *row = rheo__bits_row(x, t, b);
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
        const uint32_t n = rheo__block_size(x->N, block);
        for (uint32_t j = 0; j < n; j++)
            y[j] = accumulate ? y[j] + weight * from[j] : weight * from[j];
    }
}

static void forward(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    const float weight = (float)work->node->options.v[WEIGHT];
    const rheo_signal *out = &work->out;
    t1 = rheo__last_step(out, t0, t1);
    for (uint32_t t = t0; t < t1; t++)
        for (uint32_t b = 0; b < work->B; b++)
            scale_row(work->in[0], rheo__real_row(out, t, b), t, b, weight, work->accumulate);
}

static void backward(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    const float weight = (float)work->node->options.v[WEIGHT];
    const rheo_signal *gin = &work->gin[0], *g = work->gout;
    if (!gin->real || !g) {
        rheo__pass_gradient(work, t0, t1);
        return;
    }
    const uint32_t last = rheo__last_step(g, 0, work->T);
    t1 = rheo__last_step(g, t0, t1);
    for (uint32_t b = 0; b < work->B; b++)
        for (uint32_t t = t1; t-- > t0;) {
            float *gx = rheo__real_row(gin, t, b);
            const float *gy = rheo__real_row(g, t, b);
            const bool first = t + 1 == last || gin->stride_t;
            for (uint32_t j = 0; j < gin->N; j++) gx[j] = (first ? 0 : gx[j]) + weight * gy[j];
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
    const size_t size = (size_t)work->T * work->B * rheo__shape_size(work->node->in);
    for (size_t i = 0; i < size && y; i++) y[i] = x ? work->node->options.v[WEIGHT] * x[i] : 0;
}

static void reference_forward(const rheo_reference_work *work)
{
    reference(work, work->in[0], work->out);
}

static void reference_backward(const rheo_reference_work *work)
{
    reference(work, work->gout, work->gin[0]);
}

const rheo_layer rheo__layer_one_to_one = {
    .name = "one-to-one",
    .title = "one-to-one connections of one weight",
    .equations = "y_j = weight x_j",
    .source = "Diehl & Cook 2015, doi:10.3389/fncom.2015.00099",
    .kind = RHEO_PROJECTION,
    .fields = fields,
    .infer = rheo__infer_same,
    .form = rheo__form_real,
    .forward = forward,
    .backward = backward,
    .count = count,
    .reference_forward = reference_forward,
    .reference_backward = reference_backward,
};
