/* spiking_attention.c: self-attention among the tokens of a step, of spikes, without a softmax.
 *
 *   A_nm = sum_e q_en k_em,   y_dn = scale sum_m A_nm v_dm      for each head, e and d its features
 *
 * Zhou et al. 2023, "Spikformer: when spiking neural network meets transformer", arXiv:2209.15425,
 * eq. 5. Spikes make A a count and y a sum of counts: accumulates only. Features are the channels,
 * tokens the positions of an image (channels x height x width); a flat input has `tokens` of them.
 * Heads share the features out evenly. What follows in Spikformer (a spiking layer, a projection
 * with its norm) are nodes of their own. Sums run over e, then m, ascending. */
#include "layer/ports.h"
#include <string.h>

enum { HEADS, SCALE, TOKENS };
enum { Q, KEY, V };
static const rheo_field fields[] = {
    RHEO_INTEGER_FIELD("heads", "1", 1, 1, 65536, "Groups of features that attend apart."),
    RHEO_NUMBER_FIELD("scale", "1", 0.125, 1e-9, 1e9, "Factor of the result."),
    RHEO_INTEGER_FIELD("tokens", "1", 0, 0, 1 << 20,
                       "Tokens of a flat input, features first; 0: the image's positions."),
    RHEO_FIELD_END};

typedef struct sizes {
    uint32_t heads, features, tokens; /* features of a head */
} sizes;

static sizes sizes_of(const rheo_node_spec *node)
{
    const uint32_t all = rheo__shape_size(node->in), asked = (uint32_t)node->options.v[TOKENS];
    sizes s = {.heads = (uint32_t)node->options.v[HEADS]};
    s.tokens = asked ? asked : all / node->in.dim[0];
    s.features = all / s.tokens / s.heads;
    return s;
}

static rheo_status infer(rheo_context *ctx, rheo_node_spec *node)
{
    RHEO_CHECK(ctx, rheo__inputs(node) == 3, RHEO_USAGE,
               "net node %s: attention takes queries, keys and values, from: [q, k, v]; found %u "
               "inputs",
               node->name, rheo__inputs(node));
    RHEO_TRY(rheo__same_ports(ctx, node, 0));
    const uint32_t all = rheo__shape_size(node->in), heads = (uint32_t)node->options.v[HEADS];
    const uint32_t asked = (uint32_t)node->options.v[TOKENS];
    const uint32_t tokens = asked ? asked : all / node->in.dim[0];
    RHEO_CHECK(ctx, all % tokens == 0 && all / tokens % heads == 0, RHEO_SHAPE,
               "net node %s: %u inputs are no %u tokens of features that %u heads can share",
               node->name, all, tokens, heads);
    RHEO_CHECK(ctx, tokens <= 1u << 14, RHEO_SHAPE,
               "net node %s: %u tokens, expected at most %u: each attends to each", node->name,
               tokens, 1u << 14);
    node->out = node->in;
    return RHEO_OK;
}

static void form(const rheo_work *work, rheo_form *out, bool *fixed, float *lo, float *hi)
{
    rheo__form_real(work, out, fixed, lo, hi);
    *fixed = rheo__all_fixed(work);
}

/* A thread's scratch: q, k, v and dL/dy of a head [features][tokens], A and dL/dA, transposed:
 * [m][n]. */
typedef struct bench {
    float *in[3], *g, *a, *ga;
} bench;

static size_t bench_bytes(const sizes *s)
{
    const size_t head = (size_t)s->features * s->tokens, square = (size_t)s->tokens * s->tokens;
    return rheo__round64((4 * head + 2 * square) * sizeof(float));
}

static bench lay_out(const rheo_work *work, uint32_t thread)
{
    const sizes s = sizes_of(work->node);
    const size_t head = (size_t)s.features * s.tokens;
    float *base = (void *)((char *)work->scratch + thread * bench_bytes(&s));
    return (bench){.in = {base, base + head, base + 2 * head},
                   .g = base + 3 * head,
                   .a = base + 4 * head,
                   .ga = base + 4 * head + (size_t)s.tokens * s.tokens};
}

static void need(const rheo_work *work, rheo_need *out)
{
    const sizes s = sizes_of(work->node);
    out->scratch = rheo_threads(work->ctx) * bench_bytes(&s);
}

static void fetch(const rheo_signal *s, uint32_t t, uint32_t b, size_t first, size_t n, float *to)
{
    if (s->form == RHEO_REAL) {
        memcpy(to, rheo__real_row(s, t, b) + first, n * sizeof *to);
        return;
    }
    const uint64_t *row = rheo__bits_row(s, t, b);
    for (size_t j = 0; j < n; j++)
        to[j] = row[(first + j) / 64] >> (first + j) % 64 & 1 ? s->hi : s->lo;
}

static bool nothing(float x)
{
    return !(x < 0) && !(x > 0) && x == x;
}

/* out[m][n] += sum over rows r of x[r][m] y[r][n] */
static void outer(const float *x, const float *y, uint32_t rows, uint32_t n, float *restrict out)
{
    memset(out, 0, (size_t)n * n * sizeof *out);
    for (uint32_t r = 0; r < rows; r++)
        for (uint32_t m = 0; m < n; m++) {
            const float factor = x[(size_t)r * n + m];
            if (nothing(factor)) continue;
            for (uint32_t i = 0; i < n; i++)
                out[(size_t)m * n + i] += factor * y[(size_t)r * n + i];
        }
}

/* out[r][n] = sum over m of x[r][m] a[m][n] */
static void times(const float *x, const float *a, uint32_t rows, uint32_t n, float *restrict out)
{
    memset(out, 0, (size_t)rows * n * sizeof *out);
    for (uint32_t r = 0; r < rows; r++)
        for (uint32_t m = 0; m < n; m++) {
            const float factor = x[(size_t)r * n + m];
            if (nothing(factor)) continue;
            for (uint32_t i = 0; i < n; i++)
                out[(size_t)r * n + i] += factor * a[(size_t)m * n + i];
        }
}

/* to[r][m] (+)= sum over n of a[m][n] y[r][n] */
static void times_turned(const float *a, const float *y, uint32_t rows, uint32_t n, bool adds,
                         float *to)
{
    for (uint32_t r = 0; r < rows; r++)
        for (uint32_t m = 0; m < n; m++) {
            float sum = 0;
            for (uint32_t i = 0; i < n; i++) sum += a[(size_t)m * n + i] * y[(size_t)r * n + i];
            to[(size_t)r * n + m] = adds ? to[(size_t)r * n + m] + sum : sum;
        }
}

typedef struct span_argument {
    const rheo_work *work;
    uint32_t t0, t1;
} span_argument;

static void forward_task(void *argument, uint32_t task, uint32_t thread)
{
    const span_argument *a = argument;
    const rheo_work *work = a->work;
    const sizes s = sizes_of(work->node);
    const size_t head = (size_t)s.features * s.tokens;
    const uint32_t b = task / s.heads, h = task % s.heads;
    const float scale = (float)work->node->options.v[SCALE];
    const bench own = lay_out(work, thread);
    for (uint32_t t = a->t0; t < a->t1; t++) {
        float *y = rheo__real_row(&work->out, t, b) + h * head;
        for (uint32_t p = 0; p < 3; p++) fetch(work->in[p], t, b, h * head, head, own.in[p]);
        outer(own.in[KEY], own.in[Q], s.features, s.tokens, own.a);
        times(own.in[V], own.a, s.features, s.tokens, y);
        for (size_t j = 0; j < head; j++) y[j] *= scale;
    }
}

static void forward(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    span_argument a = {work, t0, rheo__last_step(&work->out, t0, t1)};
    rheo__parallel(work->ctx, work->B * sizes_of(work->node).heads, forward_task, &a);
}

/* to (+)= from, for the gradient that `times` overwrites */
static void put(const float *from, size_t n, bool adds, float *to)
{
    for (size_t j = 0; j < n; j++) to[j] = adds ? to[j] + from[j] : from[j];
}

static void backward_task(void *argument, uint32_t task, uint32_t thread)
{
    const span_argument *a = argument;
    const rheo_work *work = a->work;
    const sizes s = sizes_of(work->node);
    const size_t head = (size_t)s.features * s.tokens;
    const uint32_t b = task / s.heads, h = task % s.heads;
    const float scale = (float)work->node->options.v[SCALE];
    const bench own = lay_out(work, thread);
    for (uint32_t t = a->t1; t-- > a->t0;) {
        float *to[3] = {NULL};
        for (uint32_t p = 0; p < 3; p++) {
            fetch(work->in[p], t, b, h * head, head, own.in[p]);
            if (work->gin[p].real) to[p] = rheo__real_row(&work->gin[p], t, b) + h * head;
        }
        fetch(work->gout, t, b, h * head, head, own.g);
        for (size_t j = 0; j < head; j++) own.g[j] *= scale;
        if (to[V]) {
            outer(own.in[KEY], own.in[Q], s.features, s.tokens, own.a);
            times_turned(own.a, own.g, s.features, s.tokens, rheo__adds(work, V, t), to[V]);
        }
        outer(own.in[V], own.g, s.features, s.tokens, own.ga);
        if (to[KEY])
            times_turned(own.ga, own.in[Q], s.features, s.tokens, rheo__adds(work, KEY, t),
                         to[KEY]);
        if (to[Q]) {
            times(own.in[KEY], own.ga, s.features, s.tokens, own.g);
            put(own.g, head, rheo__adds(work, Q, t), to[Q]);
        }
    }
}

static void backward(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    if (!work->gout) {
        rheo__no_gradient(work, t0, t1);
        return;
    }
    span_argument a = {work, t0, rheo__last_step(work->gout, t0, t1)};
    rheo__parallel(work->ctx, work->B * sizes_of(work->node).heads, backward_task, &a);
}

static uint64_t set_bits(const rheo_signal *s, uint32_t t, uint32_t b, size_t first, uint32_t n)
{
    const uint64_t *row = rheo__bits_row(s, t, b);
    uint64_t set = 0;
    for (size_t j = first; j < first + n; j++) set += row[j / 64] >> j % 64 & 1;
    return set;
}

/* Spikes: an accumulate for each pair of a query's and a key's spike of one feature, and for each
 * value's spike and token; and one multiplication an output, by scale. */
static void count(const rheo_work *work, uint32_t t, uint32_t b0, uint32_t b1, rheo_counts *add)
{
    const sizes s = sizes_of(work->node);
    const uint64_t all = (uint64_t)(b1 - b0) * work->out.N;
    if (work->out.stride_t == 0 && t > 0) return;
    add->macs += all;
    if (!rheo__all_bits(work, 0, 1)) {
        add->macs += 2 * all * s.tokens;
        return;
    }
    for (uint32_t b = b0; b < b1; b++)
        for (size_t row = 0; row < work->out.N; row += s.tokens)
            add->acs += set_bits(work->in[Q], t, b, row, s.tokens) *
                            set_bits(work->in[KEY], t, b, row, s.tokens) +
                        set_bits(work->in[V], t, b, row, s.tokens) * s.tokens;
}

/* ---- reference: element (head h, feature e, token n) of a row ---- */

static size_t element(const sizes *s, uint32_t h, uint32_t e, uint32_t n)
{
    return ((size_t)h * s->features + e) * s->tokens + n;
}

static double match(const sizes *s, const double *q, const double *k, uint32_t h, uint32_t n,
                    uint32_t m)
{
    double sum = 0;
    for (uint32_t e = 0; e < s->features; e++)
        sum += q[element(s, h, e, n)] * k[element(s, h, e, m)];
    return sum;
}

static void reference_forward(const rheo_reference_work *work)
{
    const sizes s = sizes_of(work->node);
    const double scale = work->node->options.v[SCALE];
    const size_t N = rheo__shape_size(work->node->in);
    for (size_t row = 0; row < (size_t)work->T * work->B; row++) {
        const double *q = work->in[Q] + row * N, *k = work->in[KEY] + row * N;
        const double *v = work->in[V] + row * N;
        memset(work->out + row * N, 0, N * sizeof(double));
        for (uint32_t h = 0; h < s.heads; h++)
            for (uint32_t n = 0; n < s.tokens; n++)
                for (uint32_t m = 0; m < s.tokens; m++) {
                    const double a = match(&s, q, k, h, n, m);
                    for (uint32_t d = 0; d < s.features; d++)
                        work->out[row * N + element(&s, h, d, n)] +=
                            scale * a * v[element(&s, h, d, m)];
                }
    }
}

static void reference_pair(const rheo_reference_work *work, const sizes *s, size_t row, uint32_t h,
                           uint32_t n, uint32_t m)
{
    const size_t first = row * rheo__shape_size(work->node->in);
    const double *q = work->in[Q] + first, *k = work->in[KEY] + first, *v = work->in[V] + first;
    const double scale = work->node->options.v[SCALE], a = match(s, q, k, h, n, m);
    double ga = 0;
    for (uint32_t d = 0; d < s->features; d++) {
        const double g = scale * work->gout[first + element(s, h, d, n)];
        ga += g * v[element(s, h, d, m)];
        if (work->gin[V]) work->gin[V][first + element(s, h, d, m)] += g * a;
    }
    for (uint32_t e = 0; e < s->features; e++) {
        if (work->gin[Q]) work->gin[Q][first + element(s, h, e, n)] += ga * k[element(s, h, e, m)];
        if (work->gin[KEY])
            work->gin[KEY][first + element(s, h, e, m)] += ga * q[element(s, h, e, n)];
    }
}

static void reference_backward(const rheo_reference_work *work)
{
    const sizes s = sizes_of(work->node);
    const size_t rows = (size_t)work->T * work->B;
    for (uint32_t p = 0; p < 3; p++)
        if (work->gin[p])
            memset(work->gin[p], 0, rows * rheo__shape_size(work->node->in) * sizeof(double));
    for (size_t row = 0; row < rows && work->gout; row++)
        for (uint32_t h = 0; h < s.heads; h++)
            for (uint32_t n = 0; n < s.tokens; n++)
                for (uint32_t m = 0; m < s.tokens; m++) reference_pair(work, &s, row, h, n, m);
}

const rheo_layer rheo__layer_spiking_attention = {
    .name = "spiking-self-attention",
    .title = "tokens attend to each other, by counts of spikes",
    .equations =
        "A_nm = sum_e q_en k_em, y_dn = scale sum_m A_nm v_dm, for each head; from: [q, k, v]",
    .source = "Zhou et al. 2023, arXiv:2209.15425, eq. 5",
    .kind = RHEO_MAPPING,
    .ports = 3,
    .fields = fields,
    .infer = infer,
    .form = form,
    .need = need,
    .forward = forward,
    .backward = backward,
    .count = count,
    .reference_forward = reference_forward,
    .reference_backward = reference_backward,
};
