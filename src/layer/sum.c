/* sum.c: element by element, two to four inputs become one: skip connections.
 *
 *   add:  y = a + b + ...                 reals
 *   and:  y = a b ...                     the others: spikes when all inputs are spikes, and the
 *   or:   y = 1 - (1 - a)(1 - b) ...      same formulas for reals
 *   iand: y = (1 - a) b
 *
 * Fang et al. 2021, "Deep residual learning in spiking neural networks", table 1, where a is the
 * block's output and b its input. Sums and products run in the order of the inputs. */
#include "layer/ports.h"

enum { KIND };
enum { ADD, AND, IAND, OR };
static const char *const kind_names[] = {"add", "and", "iand", "or", NULL};
static const rheo_field fields[] = {
    RHEO_CHOICE_FIELD("kind", ADD, kind_names, "How the inputs meet."), RHEO_FIELD_END};

static int kind_of(const rheo_node_spec *node)
{
    return (int)node->options.v[KIND];
}

static rheo_status infer(rheo_context *ctx, rheo_node_spec *node)
{
    const uint32_t inputs = rheo__inputs(node);
    RHEO_CHECK(ctx, inputs >= 2, RHEO_USAGE,
               "net node %s: a sum has %u input; name two to four, e.g. from: [a, b]", node->name,
               inputs);
    RHEO_CHECK(ctx, kind_of(node) != IAND || inputs == 2, RHEO_USAGE,
               "net node %s: iand takes two inputs, found %u", node->name, inputs);
    RHEO_TRY(rheo__same_ports(ctx, node, 0));
    node->out = node->port_in[0];
    return RHEO_OK;
}

static void form(const rheo_work *work, rheo_form *out, bool *fixed, float *lo, float *hi)
{
    *out = kind_of(work->node) != ADD && rheo__all_bits(work, 0, 1) ? RHEO_BITS : RHEO_REAL;
    *fixed = rheo__all_fixed(work);
    *lo = 0;
    *hi = 1;
}

typedef struct span_argument {
    const rheo_work *work;
    uint32_t t0, t1;
} span_argument;

static void join_bits(const rheo_work *work, uint32_t t, uint32_t b)
{
    const int kind = kind_of(work->node);
    uint64_t *y = rheo__bits_row(&work->out, t, b);
    for (uint32_t w = 0; w < rheo__words(work->out.N); w++) {
        uint64_t word = rheo__bits_row(work->in[0], t, b)[w];
        if (kind == IAND) word = ~word;
        for (uint32_t p = 1; p < rheo__inputs(work->node); p++) {
            const uint64_t more = rheo__bits_row(work->in[p], t, b)[w];
            word = kind == OR ? word | more : word & more;
        }
        y[w] = word;
    }
}

static void join_reals(const rheo_work *work, uint32_t t, uint32_t b)
{
    const int kind = kind_of(work->node);
    float buffer[RHEO_BLOCK], y[RHEO_BLOCK];
    for (uint32_t block = 0; block < rheo__words(work->out.N); block++) {
        const uint32_t n = rheo__block_size(work->out.N, block);
        const float *x = rheo__block_row(work->in[0], t, b, block, buffer);
        for (uint32_t j = 0; j < n; j++) y[j] = kind == OR || kind == IAND ? 1 - x[j] : x[j];
        for (uint32_t p = 1; p < rheo__inputs(work->node); p++) {
            x = rheo__block_row(work->in[p], t, b, block, buffer);
            for (uint32_t j = 0; j < n; j++)
                y[j] = kind == ADD ? y[j] + x[j] : kind == OR ? y[j] * (1 - x[j]) : y[j] * x[j];
        }
        float *to = rheo__real_row(&work->out, t, b) + (size_t)block * RHEO_BLOCK;
        for (uint32_t j = 0; j < n; j++) to[j] = kind == OR ? 1 - y[j] : y[j];
    }
}

static void forward_sample(void *argument, uint32_t b, uint32_t thread)
{
    const span_argument *a = argument;
    (void)thread;
    for (uint32_t t = a->t0; t < a->t1; t++)
        if (a->work->out.form == RHEO_BITS)
            join_bits(a->work, t, b);
        else
            join_reals(a->work, t, b);
}

static void forward(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    span_argument a = {work, t0, rheo__last_step(&work->out, t0, t1)};
    rheo__parallel(work->ctx, work->B, forward_sample, &a);
}

/* g times the derivative of y by input p: the product of the others, or of what they leave. */
static void through(const rheo_work *work, uint32_t port, uint32_t t, uint32_t b)
{
    const int kind = kind_of(work->node);
    const bool adds = rheo__adds(work, port, t);
    float buffer[RHEO_BLOCK], g[RHEO_BLOCK];
    for (uint32_t block = 0; block < rheo__words(work->out.N); block++) {
        const uint32_t n = rheo__block_size(work->out.N, block);
        const size_t first = (size_t)block * RHEO_BLOCK;
        const float *from = rheo__real_row(work->gout, t, b) + first;
        for (uint32_t j = 0; j < n; j++) g[j] = kind == IAND && port == 0 ? -from[j] : from[j];
        for (uint32_t p = 0; p < rheo__inputs(work->node) && kind != ADD; p++) {
            if (p == port) continue;
            const bool inverts = kind == OR || (kind == IAND && p == 0);
            const float *x = rheo__block_row(work->in[p], t, b, block, buffer);
            for (uint32_t j = 0; j < n; j++) g[j] *= inverts ? 1 - x[j] : x[j];
        }
        float *to = rheo__real_row(&work->gin[port], t, b) + first;
        for (uint32_t j = 0; j < n; j++) to[j] = adds ? to[j] + g[j] : g[j];
    }
}

static void backward_sample(void *argument, uint32_t b, uint32_t thread)
{
    const span_argument *a = argument;
    (void)thread;
    for (uint32_t p = 0; p < rheo__inputs(a->work->node); p++)
        for (uint32_t t = a->t1; a->work->gin[p].real && t-- > a->t0;) through(a->work, p, t, b);
}

static void backward(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    if (!work->gout) {
        rheo__no_gradient(work, t0, t1);
        return;
    }
    span_argument a = {work, t0, rheo__last_step(work->gout, t0, t1)};
    rheo__parallel(work->ctx, work->B, backward_sample, &a);
}

/* Spikes that meet cost an accumulate each; reals a multiply-accumulate an element. */
static void count(const rheo_work *work, uint32_t t, uint32_t b0, uint32_t b1, rheo_counts *add)
{
    if (work->out.stride_t == 0 && t > 0) return;
    const uint64_t n = (uint64_t)(b1 - b0) * work->out.N;
    for (uint32_t p = 1; p < rheo__inputs(work->node); p++)
        if (kind_of(work->node) == ADD || work->out.form == RHEO_BITS)
            add->acs += n;
        else
            add->macs += n;
}

static double value(const rheo_reference_work *work, uint32_t port, size_t i)
{
    return work->in[port] ? work->in[port][i] : 0;
}

static size_t elements(const rheo_reference_work *work)
{
    return (size_t)work->T * work->B * rheo__shape_size(work->node->out);
}

static void reference_forward(const rheo_reference_work *work)
{
    const int kind = kind_of(work->node);
    for (size_t i = 0; i < elements(work); i++) {
        const double a = value(work, 0, i);
        double sum = a, product = a, left = 1 - a;
        for (uint32_t p = 1; p < rheo__inputs(work->node); p++) {
            sum += value(work, p, i);
            product *= value(work, p, i);
            left *= 1 - value(work, p, i);
        }
        work->out[i] = kind == ADD   ? sum
                       : kind == AND ? product
                       : kind == OR  ? 1 - left
                                     : (1 - a) * value(work, 1, i);
    }
}

static void reference_backward(const rheo_reference_work *work)
{
    const int kind = kind_of(work->node);
    for (size_t i = 0; i < elements(work); i++)
        for (uint32_t port = 0; port < rheo__inputs(work->node); port++) {
            if (!work->gin[port]) continue;
            double others = 1, left = 1;
            for (uint32_t p = 0; p < rheo__inputs(work->node); p++) {
                if (p == port) continue;
                others *= value(work, p, i);
                left *= 1 - value(work, p, i);
            }
            const double slope = kind == ADD   ? 1
                                 : kind == AND ? others
                                 : kind == OR  ? left
                                 : port == 0   ? -others
                                               : left;
            work->gin[port][i] = work->gout ? work->gout[i] * slope : 0;
        }
}

const rheo_layer rheo__layer_sum = {
    .name = "sum",
    .title = "inputs added, or joined as spikes: skip connections",
    .equations =
        "add: y = a + b + ...; and: y = a b ...; or: y = 1 - (1 - a)(1 - b) ...; iand: y = "
        "(1 - a) b",
    .source = "Fang et al. 2021, arXiv:2102.04159, table 1",
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
