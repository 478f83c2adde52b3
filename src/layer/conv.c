/* conv.c: convolution (cross-correlation, as PyTorch's) of one to three axes, and its transpose.
 *
 *   conv             y[o,p] = b_o + sum_c,k w[o,c,k] x[c, p stride - padding + k dilation]
 *   conv-transpose   the adjoint: what conv with these options does to gradients. x[c,p] adds
 *                    w[c,o,k] x to y[o, p stride - padding + k dilation]
 *
 * in `groups` that see their share of the channels only. Both are the products of correlate.h with
 * the parts of image and map exchanged. A static input is convolved once. Leaves out: padding by
 * anything but 0, Winograd's and Fourier's ways (other sums). */
#include "base/threads.h"
#include "layer/correlate.h"
#include "layer/initialise.h"
#include "layer/rows.h"
#include "layer/weights.h"
#include <math.h>
#include <string.h>

enum {
    OUT,
    KERNEL,
    STRIDE = KERNEL + RHEO_PER_AXIS,
    PADDING = STRIDE + RHEO_PER_AXIS,
    DILATION = PADDING + RHEO_PER_AXIS,
    GROUPS = DILATION + RHEO_PER_AXIS,
    AXES,
    BIAS,
    INITIAL,
    WEIGHTS = INITIAL + RHEO_INITIAL_OPTIONS,
    OUTPUT_PADDING = WEIGHTS + RHEO_WEIGHTS_OPTIONS
};
#define MOST (1 << 16)
#define WINDOW_FIELDS(paddings, doc)                                                               \
    RHEO_INTEGER_FIELD("out", "1", 1, 1, 1 << 20, "Channels of the output."),                      \
        RHEO_INTEGER_FIELD("kernel", "1", 3, 1, MOST, "Size of the kernel, along all axes."),      \
        RHEO_AXIS_FIELDS("kernel", 1, MOST),                                                       \
        RHEO_INTEGER_FIELD("stride", "1", 1, 1, MOST, "Places between two windows."),              \
        RHEO_AXIS_FIELDS("stride", 1, MOST),                                                       \
        {"padding", "1", RHEO_INTEGER, 0, 0, MOST, paddings, doc},                                 \
        RHEO_AXIS_FIELDS("padding", 0, MOST),                                                      \
        RHEO_INTEGER_FIELD("dilation", "1", 1, 1, MOST, "Places between two taps of a kernel."),   \
        RHEO_AXIS_FIELDS("dilation", 1, MOST),                                                     \
        RHEO_INTEGER_FIELD("groups", "1", 1, 1, 1 << 20,                                           \
                           "Parts of the channels that do not see each other."),                   \
        RHEO_AXES_FIELD, RHEO_FLAG_FIELD("bias", 1, "Adds a trained constant to each channel."),   \
        RHEO_INITIAL_FIELDS, RHEO_WEIGHTS_FIELDS

static const rheo_field conv_fields[] = {
    WINDOW_FIELDS(rheo__as_same, "Zeros at each end; same: as many as keep the size."),
    RHEO_FIELD_END};
static const rheo_field transpose_fields[] = {
    WINDOW_FIELDS(NULL, "Places cut off at each end."),
    RHEO_INTEGER_FIELD("output_padding", "1", 0, 0, MOST, "Places added at the far end."),
    RHEO_AXIS_FIELDS("output_padding", 0, MOST), RHEO_FIELD_END};

static bool transposed(const rheo_node_spec *node)
{
    return node->layer->fields == transpose_fields;
}

/* Sizes along an axis: false when there is none. */
static bool shape_axis(const rheo_node_spec *node, uint32_t axes, uint32_t a, rheo_window *w,
                       uint32_t size)
{
    const double *v = node->options.v;
    const double padding = rheo__axis_option(v + PADDING, axes, a);
    const bool used = padding > -2;
    w->kernel[a] = used ? (uint32_t)rheo__axis_option(v + KERNEL, axes, a) : 1;
    w->stride[a] = used ? (uint32_t)rheo__axis_option(v + STRIDE, axes, a) : 1;
    w->dilation[a] = used ? (uint32_t)rheo__axis_option(v + DILATION, axes, a) : 1;
    const uint32_t reach = (w->kernel[a] - 1) * w->dilation[a]; /* < 2^32 */
    const bool same = used && padding < 0;
    w->before[a] = same ? reach / 2 : used ? (uint32_t)padding : 0;
    w->after[a] = same ? reach - reach / 2 : w->before[a];
    if (transposed(node)) {
        const double more = used ? rheo__axis_option(v + OUTPUT_PADDING, axes, a) : 0;
        const double n = (size - 1.0) * w->stride[a] - 2.0 * w->before[a] + reach + more + 1;
        w->out[a] = size;
        w->in[a] = n >= 1 && n < 1 << 28 ? (uint32_t)n : 0;
        return w->in[a] > 0 && (more <= 0 || more < fmax(w->stride[a], w->dilation[a]));
    }
    w->in[a] = size;
    w->out[a] = rheo__window_positions(size, w->before[a] + w->after[a], w->kernel[a], w->stride[a],
                                       w->dilation[a]);
    return w->out[a] > 0 && !(same && w->stride[a] > 1);
}

/* The node's geometry; false when it has none. */
static bool geometry(const rheo_node_spec *node, rheo_correlation *c)
{
    const double *v = node->options.v;
    const uint32_t channels = node->in.dim[0], out = (uint32_t)v[OUT];
    uint32_t size[RHEO_AXES];
    *c = (rheo_correlation){.groups = (uint32_t)v[GROUPS]};
    c->window.axes = rheo__image_axes(node->in, v[AXES]);
    c->in = transposed(node) ? out : channels;
    c->out = transposed(node) ? channels : out;
    rheo__image_size(node->in, c->window.axes, size);
    bool fits = c->in % c->groups == 0 && c->out % c->groups == 0;
    for (uint32_t a = 0; a < RHEO_AXES; a++) /* all of them: `check` tells of each */
        if (!shape_axis(node, c->window.axes, a, &c->window, size[a])) fits = false;
    if (!fits) return false;
    rheo__correlation_finish(c);
    return true;
}

static rheo_correlation geometry_of(const rheo_node_spec *node)
{
    rheo_correlation c;
    geometry(node, &c); /* infer has made sure */
    return c;
}

static rheo_weights weights_of(const rheo_node_spec *node, const rheo_correlation *c)
{
    const uint32_t extra = node->options.v[BIAS] > 0 ? 2 : 1;
    return rheo__weights_of(node, WEIGHTS, c->out, c->K, c->taps, extra);
}

static rheo_status check(rheo_context *ctx, const rheo_node_spec *node, const rheo_correlation *c)
{
    char in[48];
    rheo__shape_text(node->in, in);
    const char *name = node->name;
    RHEO_CHECK(ctx, c->in % c->groups == 0 && c->out % c->groups == 0, RHEO_SHAPE,
               "net node %s: %u channels in and %.0f out cannot be cut in %u groups", name,
               node->in.dim[0], node->options.v[OUT], c->groups);
    const rheo_window *w = &c->window;
    for (uint32_t a = RHEO_AXES - w->axes; a < RHEO_AXES; a++) {
        const double more =
            transposed(node) ? rheo__axis_option(node->options.v + OUTPUT_PADDING, w->axes, a) : 0;
        RHEO_CHECK(
            ctx, rheo__axis_option(node->options.v + PADDING, w->axes, a) >= 0 || w->stride[a] == 1,
            RHEO_USAGE, "net node %s: padding same goes with stride 1, found %u", name,
            w->stride[a]);
        RHEO_CHECK(ctx, more <= 0 || more < fmax(w->stride[a], w->dilation[a]), RHEO_USAGE,
                   "net node %s: output_padding %.0f is not below stride %u or dilation %u", name,
                   more, w->stride[a], w->dilation[a]);
    }
    return rheo__fail(ctx, RHEO_SHAPE,
                      "net node %s: a kernel of %ux%ux%u, dilation %u, padding %u, stride %u, does "
                      "not fit the input %s; take a smaller kernel or more padding",
                      name, w->kernel[0], w->kernel[1], w->kernel[2], w->dilation[2], w->before[2],
                      w->stride[2], in);
}

static rheo_status infer(rheo_context *ctx, rheo_node_spec *node)
{
    rheo_correlation c;
    char in[48];
    rheo__shape_text(node->in, in);
    const double *v = node->options.v;
    const uint32_t axes = rheo__image_axes(node->in, v[AXES]);
    const rheo_initial initial = {.node = node, .option = v + INITIAL};
    RHEO_TRY(rheo__initial_check(ctx, &initial));
    RHEO_CHECK(ctx, rheo__shape_size(node->in) > 0 && rheo__image_axes(node->in, 0) <= axes,
               RHEO_SHAPE, "net node %s: the input %s has more than %u axes", node->name, in, axes);
    for (uint32_t a = RHEO_AXES - axes; a < RHEO_AXES; a++)
        RHEO_CHECK(ctx,
                   (rheo__axis_option(v + KERNEL, axes, a) - 1) *
                           rheo__axis_option(v + DILATION, axes, a) <
                       1 << 28,
                   RHEO_SHAPE, "net node %s: the kernel is too large", node->name);
    if (!geometry(node, &c)) return check(ctx, node, &c);
    const rheo_window *w = &c.window;
    const double positions = (double)w->out[0] * w->out[1] * w->out[2];
    const double places = (double)w->in[0] * w->in[1] * w->in[2];
    const double plane = (double)c.extent[0] * c.extent[1] * c.extent[2];
    const double taps = (double)w->kernel[0] * w->kernel[1] * w->kernel[2];
    const double limit = 1 << 30;
    RHEO_CHECK(ctx,
               positions * c.out <= limit && places * c.in <= limit && plane * c.in <= limit &&
                   taps * c.in_group * c.out <= limit,
               RHEO_SHAPE,
               "net node %s: the input %s and %u channels make an array of more than %.0f numbers",
               node->name, in, (uint32_t)v[OUT], limit);
    const rheo_weights weights = weights_of(node, &c);
    RHEO_CHECK(
        ctx, weights.kind != RHEO_DALE_WEIGHTS || (c.groups == 1 && !transposed(node)),
        RHEO_UNSUPPORTED,
        "net node %s: weights dale need a column for each input channel: conv without groups",
        node->name);
    node->out = rheo__image_shape((uint32_t)v[OUT], w->axes, transposed(node) ? w->in : w->out);
    return RHEO_OK;
}

static bool param(const rheo_node_spec *node, uint32_t index, rheo_param *out)
{
    const rheo_correlation c = geometry_of(node);
    const rheo_weights weights = weights_of(node, &c);
    const bool bias = node->options.v[BIAS] > 0;
    if (index == 0) {
        rheo__param_entry(out, "weight", c.out, c.K);
        out->dims = 2 + c.window.axes;
        out->shape[0] = c.out;
        out->shape[1] = c.in_group;
        for (uint32_t a = 0; a < c.window.axes; a++)
            out->shape[2 + a] = c.window.kernel[RHEO_AXES - c.window.axes + a];
        rheo__weights_bounds(&weights, out);
        return true;
    }
    if (index == 1 && bias) {
        rheo__param_entry(out, "bias", 1, (uint32_t)node->options.v[OUT]);
        return true;
    }
    return index == weights.extra && rheo__weights_param(&weights, out);
}

static const rheo_param *bias_of(const rheo_node_spec *node)
{
    return node->options.v[BIAS] > 0 ? node->param[1] : NULL;
}

static void initialise(rheo_context *ctx, const rheo_node_spec *node, uint64_t seed)
{
    const rheo_correlation c = geometry_of(node);
    const rheo_weights weights = weights_of(node, &c);
    const rheo_initial initial = {.node = node,
                                  .option = node->options.v + INITIAL,
                                  .in = c.K,
                                  .out = (double)c.out_group * c.taps};
    (void)ctx;
    rheo__initialise(&initial, seed, node->param[0], bias_of(node));
    rheo__weights_initialise(&weights, seed);
}

/* ---- memory ---- */

/* What is derived, as it lies in work->derived. */
typedef struct parts {
    float *made; /* weights that are not used as they are */
    rheo_correlate_parts products;
    uint32_t *fan[RHEO_AXES]; /* of a place of the input, along each axis */
    size_t floats;
} parts;

/* Behind the largest of windows most of dL/d out is 0. */
static bool scatters(const rheo_work *work)
{
    return work->sparse_gout && !transposed(work->node);
}

static parts lay_out(const rheo_work *work, const rheo_correlation *c)
{
    const bool turned = transposed(work->node);
    const rheo_weights weights = weights_of(work->node, c);
    int use = turned ? RHEO_CORRELATE_BACK : RHEO_CORRELATE;
    if (work->gradient)
        use |= RHEO_CORRELATE | (scatters(work) ? RHEO_CORRELATE_SCATTER : RHEO_CORRELATE_BACK);
    if (!turned && work->in[0] && rheo__spikes(work->in[0])) use |= RHEO_CORRELATE_SPARSE;
    parts p = {.made = work->derived, .floats = rheo__weights_floats(&weights)};
    p.products =
        rheo__correlate_parts(work->ctx, c, use, work->derived ? work->derived + p.floats : NULL);
    p.floats += p.products.floats;
    for (uint32_t a = 0; a < RHEO_AXES; a++) {
        p.fan[a] = (void *)((uintptr_t)work->derived + p.floats * sizeof *work->derived);
        p.floats += rheo__pitch(turned ? c->window.out[a] : c->window.in[a]);
    }
    return p;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Before the products' scratch stand the output's gradient summed over time, when the input is
 * static, and the gradient of weights that are made. */
static size_t summed_bytes(const rheo_work *work)
{
    if (!work->gradient || !rheo__fixed(work->in[0])) return 0;
    const size_t pitch = rheo__pitch(rheo__shape_size(work->node->out));
    return rheo__round64(work->B * pitch * sizeof(float));
}

static size_t first_bytes(const rheo_work *work, const rheo_correlation *c)
{
    const rheo_weights weights = weights_of(work->node, c);
    if (!work->gradient) return 0;
    return summed_bytes(work) + rheo__round64(rheo__weights_floats(&weights) * sizeof(float));
}

static void need(const rheo_work *work, rheo_need *out)
{
    const rheo_correlation c = geometry_of(work->node);
    const bool turned = transposed(work->node);
    out->derived = lay_out(work, &c).floats;
    if (work->gradient || !turned)
        out->scratch = rheo__correlate_scratch(work->ctx, &c, work->through);
    if (work->gradient || turned)
        out->scratch =
            larger(out->scratch, scatters(work) ? rheo__correlate_scatter_scratch(work->ctx, &c)
                                                : rheo__correlate_back_scratch(work->ctx, &c));
    if (work->gradient)
        out->scratch = larger(out->scratch, rheo__correlate_weights_scratch(work->ctx, &c));
    out->scratch += first_bytes(work, &c);
}

/* Taps of position o that see a place of the image. */
static uint32_t sees(const rheo_window *w, uint32_t a, uint32_t o)
{
    uint32_t count = 0, at;
    for (uint32_t k = 0; k < w->kernel[a]; k++) count += rheo__window_place(w, a, o, k, &at);
    return count;
}

static void refresh(const rheo_work *work)
{
    const rheo_correlation c = geometry_of(work->node);
    const rheo_weights weights = weights_of(work->node, &c);
    const parts p = lay_out(work, &c);
    const bool real = weights.kind == RHEO_REAL_WEIGHTS, turned = transposed(work->node);
    rheo__weights_refresh(work->ctx, &weights, p.made);
    rheo__correlate_refresh(work->ctx, &c, &p.products,
                            real ? work->node->param[0]->value : p.made);
    for (uint32_t a = 0; a < RHEO_AXES; a++)
        for (uint32_t i = 0; i < (turned ? c.window.out[a] : c.window.in[a]); i++)
            p.fan[a][i] = turned ? sees(&c.window, a, i) : rheo__window_seen(&c.window, a, i);
}

/* ---- runs ---- */

static bool passes(const rheo_node_spec *node)
{
    return !transposed(node);
}

static rheo_correlate_run run_of(const rheo_work *work, const rheo_correlation *c)
{
    const bool turned = transposed(work->node);
    const rheo_param *bias = bias_of(work->node);
    return (rheo_correlate_run){.ctx = work->ctx,
                                .c = c,
                                .parts = lay_out(work, c).products,
                                .image = turned ? &work->out : work->in[0],
                                .map = turned ? work->in[0] : &work->out,
                                .B = work->B,
                                .bias = bias ? bias->value : NULL,
                                .accumulate = work->accumulate,
                                .through = work->through,
                                .scratch = (char *)work->scratch + first_bytes(work, c)};
}

static void forward(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    const rheo_correlation c = geometry_of(work->node);
    rheo_correlate_run run = run_of(work, &c);
    run.t0 = t0;
    run.t1 = rheo__last_step(&work->out, t0, t1);
    if (transposed(work->node))
        rheo__correlate_back(&run);
    else
        rheo__correlate(&run);
}

/* The gradient by rows of the input: of a static input it is summed over time first. */
typedef struct sum_argument {
    const rheo_signal *g;
    rheo_signal *sum;
    uint32_t T;
} sum_argument;

static void sum_task(void *argument, uint32_t b, uint32_t thread)
{
    const sum_argument *a = argument;
    float *to = rheo__real_row(a->sum, 0, b);
    (void)thread;
    memcpy(to, rheo__real_row(a->g, 0, b), a->g->N * sizeof *to);
    for (uint32_t t = 1; t < a->T; t++) {
        const float *from = rheo__real_row(a->g, t, b);
        for (uint32_t j = 0; j < a->g->N; j++) to[j] += from[j];
    }
}

static rheo_signal by_input(const rheo_work *work)
{
    rheo_signal g = work->through ? work->out : *work->gout, sum = g;
    if (!rheo__fixed(work->in[0]) || g.stride_t == 0) return g;
    sum.real = work->scratch;
    sum.stride_t = 0;
    sum_argument a = {&g, &sum, work->T};
    rheo__parallel(work->ctx, work->B, sum_task, &a);
    return sum;
}

static void backward(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    if (!work->gin[0].real || !work->gout) {
        rheo__pass_gradient(work, t0, t1);
        return;
    }
    if (rheo__fixed(work->in[0]) && t0 > 0) return; /* a sum over time, taken once */
    const rheo_correlation c = geometry_of(work->node);
    const rheo_signal g = by_input(work);
    const bool turned = transposed(work->node);
    rheo_correlate_run run = run_of(work, &c);
    run.image = turned ? &g : &work->gin[0];
    run.map = turned ? &work->gin[0] : &g;
    run.bias = NULL;
    run.accumulate = false;
    run.t0 = t0;
    run.t1 = rheo__last_step(work->in[0], t0, t1);
    if (turned)
        rheo__correlate(&run);
    else if (scatters(work))
        rheo__correlate_scatter(&run);
    else
        rheo__correlate_back(&run);
}

static void gradient(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    const bool fixed = rheo__fixed(work->in[0]), add = t1 < work->T && !fixed;
    if (!work->gout) {
        for (uint32_t p = 0; p < work->node->params; p++)
            if (work->grad[p]) memset(work->grad[p], 0, rheo__param_bytes(work->node->param[p]));
        return;
    }
    if (fixed && t0 > 0) return;
    const rheo_correlation c = geometry_of(work->node);
    const rheo_weights weights = weights_of(work->node, &c);
    const rheo_signal g = by_input(work);
    const bool turned = transposed(work->node), biased = bias_of(work->node) != NULL;
    rheo_correlate_run run = run_of(work, &c);
    run.image = turned ? &g : work->in[0];
    run.map = turned ? work->in[0] : &g;
    run.t0 = t0;
    run.t1 = rheo__last_step(work->in[0], t0, t1);
    if (biased && work->grad[1])
        rheo__channel_sums(&run, &g, (uint32_t)work->node->options.v[OUT], work->grad[1], add);
    float *extra = weights.extra ? work->grad[weights.extra] : NULL;
    if (!work->grad[0] && !extra) return;
    if (weights.kind == RHEO_REAL_WEIGHTS) {
        rheo__correlate_weights(&run, work->grad[0], add);
        return;
    }
    float *made = (float *)(void *)((char *)work->scratch + summed_bytes(work));
    rheo__correlate_weights(&run, made, false);
    rheo__weights_gradient(work->ctx, &weights, made, work->grad[0], extra, add);
}

/* ---- counts and reference ---- */

/* Of all outputs along an axis: pairs of an output and an input that a tap joins, and the most that
 * one output has. */
static uint64_t joined(const rheo_window *w, bool turned, uint32_t a, uint64_t *most)
{
    uint64_t sum = 0;
    *most = 0;
    for (uint32_t i = 0; i < (turned ? w->in[a] : w->out[a]); i++) {
        uint64_t here = turned ? rheo__window_seen(w, a, i) : 0;
        for (uint32_t k = 0, place; k < w->kernel[a] && !turned; k++)
            here += rheo__window_place(w, a, i, k, &place);
        sum += here;
        if (here > *most) *most = here;
    }
    return sum;
}

/* Padding has none. */
static uint64_t synapses(const rheo_node_spec *node, uint64_t *fan_in)
{
    const rheo_correlation c = geometry_of(node);
    const bool turned = transposed(node);
    const uint64_t channels = turned ? c.out_group : c.in_group; /* that an output sees */
    uint64_t sum = (turned ? c.in : c.out) * channels, most;
    *fan_in = channels;
    for (uint32_t a = 0; a < RHEO_AXES; a++) {
        sum *= joined(&c.window, turned, a, &most);
        *fan_in *= most;
    }
    return sum;
}

/* Synapses that the spikes of a row drive. */
static uint64_t driven(const parts *p, const uint32_t size[RHEO_AXES], const uint64_t *bits,
                       uint32_t N)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < rheo__words(N); i++)
        for (uint64_t word = bits[i]; word; word &= word - 1) {
            const uint32_t n = i * 64 + (uint32_t)__builtin_ctzll(word);
            const uint32_t x = n % size[2], y = n / size[2] % size[1];
            sum +=
                (uint64_t)p->fan[2][x] * p->fan[1][y] * p->fan[0][n / size[2] / size[1] % size[0]];
        }
    return sum;
}

static void count(const rheo_work *work, uint32_t t, uint32_t b0, uint32_t b1, rheo_counts *add)
{
    const rheo_signal *in = work->in[0];
    if (in->stride_t == 0 && t > 0) return;
    const rheo_correlation c = geometry_of(work->node);
    const rheo_weights weights = weights_of(work->node, &c);
    const parts p = lay_out(work, &c);
    const bool turned = transposed(work->node);
    const uint32_t *size = turned ? c.window.out : c.window.in;
    const uint64_t channels = turned ? c.in_group : c.out_group; /* that an input drives */
    uint64_t used = (uint64_t)(b1 - b0) * (turned ? c.out : c.in);
    for (uint32_t a = 0; a < RHEO_AXES; a++) {
        uint64_t seen = 0;
        for (uint32_t i = 0; i < size[a]; i++) seen += p.fan[a][i];
        used *= seen;
    }
    if (rheo__spikes(in)) {
        used = 0;
        for (uint32_t b = b0; b < b1; b++)
            used += driven(&p, size, rheo__bits_row(in, t, b), in->N);
    }
    used *= channels;
    if (in->form == RHEO_REAL)
        add->macs += used;
    else
        add->acs += used;
    if (rheo__spikes(in)) add->synops += used;
    add->bytes += weights.kind == RHEO_BINARY_WEIGHTS ? used / 8 : used * sizeof(float);
}

/* keep: weights as they are used, and their gradient */
static size_t reference_need(const rheo_node_spec *node, uint32_t T, uint32_t B)
{
    const rheo_correlation c = geometry_of(node);
    (void)T, (void)B;
    return 2 * (size_t)c.out * c.K;
}

static void reference_forward(const rheo_reference_work *work)
{
    const rheo_correlation c = geometry_of(work->node);
    const rheo_weights weights = weights_of(work->node, &c);
    const size_t rows = (size_t)work->T * work->B, out = rheo__shape_size(work->node->out);
    const size_t channels = work->node->out.dim[0], size = out / channels;
    const double *bias = bias_of(work->node) ? work->param[1] : NULL;
    for (size_t i = 0; i < rows * out; i++) work->out[i] = bias ? bias[i % out / size] : 0;
    rheo__weights_reference(&weights, work, work->keep);
    if (!work->in[0]) return;
    if (transposed(work->node))
        rheo__correlate_back_reference(&c, rows, work->keep, work->in[0], work->out);
    else
        rheo__correlate_reference(&c, rows, work->keep, work->in[0], work->out);
}

static void reference_gradient(const rheo_reference_work *work, const rheo_correlation *c)
{
    const rheo_weights weights = weights_of(work->node, c);
    const bool turned = transposed(work->node);
    const size_t size = (size_t)c->out * c->K, rows = (size_t)work->T * work->B;
    const double *image = turned ? work->gout : work->in[0];
    const double *map = turned ? work->in[0] : work->gout;
    double *g = work->keep + size;
    memset(g, 0, size * sizeof *g);
    if (image && map) rheo__correlate_weights_reference(c, rows, image, map, g);
    rheo__weights_gradient_reference(&weights, work, g, work->grad[0],
                                     weights.extra ? work->grad[weights.extra] : NULL);
}

static void reference_backward(const rheo_reference_work *work)
{
    const rheo_correlation c = geometry_of(work->node);
    const bool turned = transposed(work->node);
    const size_t rows = (size_t)work->T * work->B, out = rheo__shape_size(work->node->out);
    const size_t channels = work->node->out.dim[0], size = out / channels;
    double *bias = bias_of(work->node) ? work->grad[1] : NULL, *gx = work->gin[0];
    if (bias) memset(bias, 0, channels * sizeof *bias);
    if (gx) memset(gx, 0, rows * rheo__shape_size(work->node->in) * sizeof *gx);
    for (size_t i = 0; bias && work->gout && i < rows * out; i++)
        bias[i % out / size] += work->gout[i];
    if (gx && work->gout && turned)
        rheo__correlate_reference(&c, rows, work->keep, work->gout, gx);
    else if (gx && work->gout)
        rheo__correlate_back_reference(&c, rows, work->keep, work->gout, gx);
    reference_gradient(work, &c);
}

const rheo_layer rheo__layer_conv = {
    .name = "conv",
    .title = "convolution of one to three axes",
    .equations = "y[o,p] = b_o + sum_c,k w[o,c,k] x[c, p stride - padding + k dilation], zeros "
                 "outside; w as `weights` makes it",
    .source = "LeCun et al. 1989, Neural Computation 1(4); as torch.nn.Conv1d ... 3d",
    .kind = RHEO_PROJECTION,
    .fields = conv_fields,
    .infer = infer,
    .param = param,
    .initialise = initialise,
    .form = rheo__form_real,
    .need = need,
    .refresh = refresh,
    .forward = forward,
    .backward = backward,
    .gradient = gradient,
    .passes = passes,
    .count = count,
    .synapses = synapses,
    .reference_need = reference_need,
    .reference_forward = reference_forward,
    .reference_backward = reference_backward,
};

const rheo_layer rheo__layer_conv_transpose = {
    .name = "conv-transpose",
    .title = "transposed convolution of one to three axes",
    .equations = "x[c,p] adds w[c,o,k] x[c,p] to y[o, p stride - padding + k dilation]; size "
                 "(n - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1",
    .source = "Zeiler et al. 2010, Deconvolutional networks; as torch.nn.ConvTranspose1d ... 3d",
    .kind = RHEO_PROJECTION,
    .fields = transpose_fields,
    .infer = infer,
    .param = param,
    .initialise = initialise,
    .form = rheo__form_real,
    .need = need,
    .refresh = refresh,
    .forward = forward,
    .backward = backward,
    .gradient = gradient,
    .count = count,
    .synapses = synapses,
    .reference_need = reference_need,
    .reference_forward = reference_forward,
    .reference_backward = reference_backward,
};
