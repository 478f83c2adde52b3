/* concat.c: inputs side by side, along the channels.
 *
 *   y = [a, b, ...]
 *
 * All dimensions but the first are equal. Spikes of one kind stay spikes. */
#include "layer/ports.h"
#include <string.h>

static const rheo_field fields[] = {RHEO_FIELD_END};

static rheo_status infer(rheo_context *ctx, rheo_node_spec *node)
{
    const uint32_t inputs = rheo__inputs(node);
    RHEO_CHECK(ctx, inputs >= 2, RHEO_USAGE,
               "net node %s: a concat has %u input; name two to four, e.g. from: [a, b]",
               node->name, inputs);
    RHEO_TRY(rheo__same_ports(ctx, node, 1));
    node->out = node->port_in[0];
    for (uint32_t p = 1; p < inputs; p++) {
        const uint64_t size =
            (uint64_t)rheo__shape_size(node->out) + rheo__shape_size(node->port_in[p]);
        RHEO_CHECK(ctx, size <= UINT32_C(1) << 30, RHEO_SHAPE,
                   "net node %s: %llu values side by side are too many", node->name,
                   (unsigned long long)size);
        node->out.dim[0] += node->port_in[p].dim[0];
    }
    return RHEO_OK;
}

static void form(const rheo_work *work, rheo_form *out, bool *fixed, float *lo, float *hi)
{
    const rheo_signal *in = work->in[0];
    const bool bits = in && rheo__all_bits(work, in->lo, in->hi);
    *out = bits ? RHEO_BITS : RHEO_REAL;
    *fixed = rheo__all_fixed(work);
    *lo = bits ? in->lo : 0;
    *hi = bits ? in->hi : 1;
}

/* n bits behind the first `at` of a row that has zeros there; what is behind n in `from` is 0. */
static void put_bits(uint64_t *to, uint32_t at, const uint64_t *from, uint32_t n)
{
    const uint32_t shift = at % 64, words = rheo__words(n);
    uint64_t *row = to + at / 64;
    for (uint32_t w = 0; w < words; w++) {
        row[w] |= from[w] << shift;
        if (shift && (uint64_t)w * 64 + 64 - shift < n) row[w + 1] |= from[w] >> (64 - shift);
    }
}

static void put(const rheo_work *work, uint32_t t, uint32_t b)
{
    const rheo_signal *out = &work->out;
    uint32_t at = 0;
    if (out->form == RHEO_BITS)
        memset(rheo__bits_row(out, t, b), 0, rheo__words(out->N) * sizeof(uint64_t));
    for (uint32_t p = 0; p < rheo__inputs(work->node); p++) {
        const rheo_signal *in = work->in[p];
        if (out->form == RHEO_BITS) {
            put_bits(rheo__bits_row(out, t, b), at, rheo__bits_row(in, t, b), in->N);
        } else {
            float *to = rheo__real_row(out, t, b) + at, buffer[RHEO_BLOCK];
            for (uint32_t block = 0; block < rheo__words(in->N); block++)
                memcpy(to + (size_t)block * RHEO_BLOCK, rheo__block_row(in, t, b, block, buffer),
                       rheo__block_size(in->N, block) * sizeof(float));
        }
        at += in->N;
    }
}

static void forward(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    t1 = rheo__last_step(&work->out, t0, t1);
    for (uint32_t t = t0; t < t1; t++)
        for (uint32_t b = 0; b < work->B; b++) put(work, t, b);
}

static void backward(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    if (!work->gout) {
        rheo__no_gradient(work, t0, t1);
        return;
    }
    size_t at = 0;
    for (uint32_t p = 0; p < rheo__inputs(work->node); p++) {
        const rheo_signal *gin = &work->gin[p];
        for (uint32_t t = rheo__last_step(work->gout, t0, t1); gin->real && t-- > t0;)
            for (uint32_t b = 0; b < work->B; b++) {
                const float *from = rheo__real_row(work->gout, t, b) + at;
                float *to = rheo__real_row(gin, t, b);
                const bool adds = rheo__adds(work, p, t);
                for (uint32_t j = 0; j < gin->N; j++) to[j] = adds ? to[j] + from[j] : from[j];
            }
        at += rheo__shape_size(work->node->port_in[p]);
    }
}

static void count(const rheo_work *work, uint32_t t, uint32_t b0, uint32_t b1, rheo_counts *add)
{
    if (work->out.stride_t == 0 && t > 0) return;
    const uint64_t n = (uint64_t)(b1 - b0) * work->out.N;
    add->bytes += work->out.form == RHEO_BITS ? n / 8 : n * sizeof(float);
}

/* y from the inputs, or the inputs' gradients from y's. */
static void reference(const rheo_reference_work *work, bool back)
{
    const size_t out = rheo__shape_size(work->node->out), rows = (size_t)work->T * work->B;
    size_t at = 0;
    for (uint32_t p = 0; p < rheo__inputs(work->node); p++) {
        const size_t n = rheo__shape_size(work->node->port_in[p]);
        for (size_t i = 0; i < rows * n; i++) {
            const size_t y = i / n * out + at + i % n;
            if (!back)
                work->out[y] = work->in[p] ? work->in[p][i] : 0;
            else if (work->gin[p])
                work->gin[p][i] = work->gout ? work->gout[y] : 0;
        }
        at += n;
    }
}

static void reference_forward(const rheo_reference_work *work)
{
    reference(work, false);
}

static void reference_backward(const rheo_reference_work *work)
{
    reference(work, true);
}

const rheo_layer rheo__layer_concat = {
    .name = "concat",
    .title = "inputs side by side",
    .equations = "y = [a, b, ...], along the first dimension",
    .source = "torch.cat",
    .kind = RHEO_MAPPING,
    .ports = RHEO_PORTS,
    .fields = fields,
    .infer = infer,
    .form = form,
    .forward = forward,
    .backward = backward,
    .count = count,
    .reference_forward = reference_forward,
    .reference_backward = reference_backward,
};
