/* reindex.c: maps that only move values: flatten gives the same values another shape, crop keeps a
 * part of an image. Each output is one input, so that spikes stay spikes and nothing is counted.
 *
 *   flatten   y[n] = x[n], shape {n}
 *   crop      y[c,p] = x[c, p + before], sizes less before and after */
#include "base/threads.h"
#include "layer/rows.h"
#include "layer/window.h"
#include <string.h>

enum { BEFORE, AFTER = BEFORE + RHEO_PER_AXIS, AXES = AFTER + RHEO_PER_AXIS };
#define MOST (1 << 20)
static const rheo_field flatten_fields[] = {RHEO_FIELD_END};
static const rheo_field crop_fields[] = {
    RHEO_INTEGER_FIELD("before", "1", 0, 0, MOST, "Places cut off at the near end of all axes."),
    RHEO_AXIS_FIELDS("before", 0, MOST),
    RHEO_INTEGER_FIELD("after", "1", 0, 0, MOST, "Places cut off at the far end of all axes."),
    RHEO_AXIS_FIELDS("after", 0, MOST),
    RHEO_AXES_FIELD,
    RHEO_FIELD_END};

static rheo_status infer_flatten(rheo_context *ctx, rheo_node_spec *node)
{
    (void)ctx;
    node->out = (rheo_shape){{rheo__shape_size(node->in), 1, 1, 1}};
    return RHEO_OK;
}

static rheo_status infer_crop(rheo_context *ctx, rheo_node_spec *node)
{
    const double *v = node->options.v;
    const uint32_t axes = rheo__image_axes(node->in, v[AXES]);
    uint32_t size[RHEO_AXES];
    char in[48];
    rheo__shape_text(node->in, in);
    RHEO_CHECK(ctx, rheo__image_axes(node->in, 0) <= axes, RHEO_SHAPE,
               "net node %s: the input %s has more than %u axes", node->name, in, axes);
    rheo__image_size(node->in, axes, size);
    for (uint32_t a = RHEO_AXES - axes; a < RHEO_AXES; a++) {
        const double before = rheo__axis_option(v + BEFORE, axes, a);
        const double after = rheo__axis_option(v + AFTER, axes, a);
        RHEO_CHECK(
            ctx, before + after < size[a], RHEO_SHAPE,
            "net node %s: nothing is left of the input %s when %.0f and %.0f of %u places are "
            "cut off",
            node->name, in, before, after, size[a]);
        size[a] -= (uint32_t)(before + after);
    }
    node->out = rheo__image_shape(node->in.dim[0], axes, size);
    return RHEO_OK;
}

static void form(const rheo_work *work, rheo_form *out, bool *fixed, float *lo, float *hi)
{
    rheo__form_real(work, out, fixed, lo, hi);
    const rheo_signal *in = work->in[0];
    if (!in || in->form != RHEO_BITS) return;
    *out = RHEO_BITS;
    *lo = in->lo;
    *hi = in->hi;
}

/* Lines of the part that is kept. */
typedef struct part {
    uint32_t in[RHEO_AXES], out[RHEO_AXES], before[RHEO_AXES], lines;
} part;

static part part_of(const rheo_node_spec *node)
{
    const double *v = node->options.v;
    const uint32_t axes = rheo__image_axes(node->in, v[AXES]);
    part p;
    rheo__image_size(node->in, axes, p.in);
    rheo__image_size(node->out, axes, p.out);
    for (uint32_t a = 0; a < RHEO_AXES; a++)
        p.before[a] = a < RHEO_AXES - axes ? 0 : (uint32_t)rheo__axis_option(v + BEFORE, axes, a);
    p.lines = node->in.dim[0] * p.out[0] * p.out[1];
    return p;
}

/* Where line i of the output begins in the input. */
static size_t line_begin(const part *p, uint32_t i)
{
    const uint32_t y = i % p->out[1], z = i / p->out[1] % p->out[0], c = i / p->out[1] / p->out[0];
    return (((size_t)c * p->in[0] + z + p->before[0]) * p->in[1] + y + p->before[1]) * p->in[2] +
           p->before[2];
}

typedef struct job {
    const rheo_work *work;
    part p;
    uint32_t t0;
} job;

static void crop_row(void *argument, uint32_t row, uint32_t thread)
{
    const job *j = argument;
    const rheo_work *work = j->work;
    const uint32_t t = j->t0 + row / work->B, b = row % work->B, width = j->p.out[2];
    const rheo_signal *in = work->in[0], *out = &work->out;
    (void)thread;
    if (in->form == RHEO_REAL) {
        float *to = rheo__real_row(out, t, b);
        for (uint32_t i = 0; i < j->p.lines; i++)
            memcpy(to + (size_t)i * width, rheo__real_row(in, t, b) + line_begin(&j->p, i),
                   width * sizeof *to);
        return;
    }
    const uint64_t *from = rheo__bits_row(in, t, b);
    uint64_t *to = rheo__bits_row(out, t, b);
    memset(to, 0, rheo__words(out->N) * sizeof *to);
    for (uint32_t i = 0, n = 0; i < j->p.lines; i++) {
        const size_t begin = line_begin(&j->p, i);
        for (uint32_t x = 0; x < width; x++, n++)
            to[n / 64] |= (from[(begin + x) / 64] >> (begin + x) % 64 & 1) << n % 64;
    }
}

static void forward_crop(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    job j = {work, part_of(work->node), t0};
    t1 = rheo__last_step(&work->out, t0, t1);
    rheo__parallel(work->ctx, (t1 - t0) * work->B, crop_row, &j);
}

static void back_row(void *argument, uint32_t row, uint32_t thread)
{
    const job *j = argument;
    const rheo_work *work = j->work;
    const uint32_t t = j->t0 + row / work->B, b = row % work->B, width = j->p.out[2];
    const float *g = rheo__real_row(work->gout, t, b);
    float *to = rheo__real_row(&work->gin[0], t, b);
    (void)thread;
    memset(to, 0, work->gin[0].N * sizeof *to);
    for (uint32_t i = 0; i < j->p.lines; i++)
        memcpy(to + line_begin(&j->p, i), g + (size_t)i * width, width * sizeof *to);
}

static void backward_crop(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    if (!work->gout || !work->gin[0].real) {
        rheo__pass_gradient(work, t0, t1);
        return;
    }
    job j = {work, part_of(work->node), t0};
    t1 = rheo__last_step(&work->gin[0], t0, t1);
    rheo__parallel(work->ctx, (t1 - t0) * work->B, back_row, &j);
}

static void reference_forward_crop(const rheo_reference_work *work)
{
    const part p = part_of(work->node);
    const size_t in = rheo__shape_size(work->node->in), out = rheo__shape_size(work->node->out);
    for (size_t row = 0; row < (size_t)work->T * work->B; row++)
        for (size_t n = 0; n < out; n++)
            work->out[row * out + n] =
                work->in[0][row * in + line_begin(&p, (uint32_t)(n / p.out[2])) + n % p.out[2]];
}

static void reference_backward_crop(const rheo_reference_work *work)
{
    const part p = part_of(work->node);
    const size_t in = rheo__shape_size(work->node->in), out = rheo__shape_size(work->node->out);
    const size_t rows = (size_t)work->T * work->B;
    double *gx = work->gin[0];
    if (!gx) return;
    memset(gx, 0, rows * in * sizeof *gx);
    for (size_t row = 0; work->gout && row < rows; row++)
        for (size_t n = 0; n < out; n++)
            gx[row * in + line_begin(&p, (uint32_t)(n / p.out[2])) + n % p.out[2]] +=
                work->gout[row * out + n];
}

static void forward_flatten(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    rheo_signal out = work->out;
    rheo__copy_rows(work->in[0], &out, work->B, t0, t1);
}

static void reference_forward_flatten(const rheo_reference_work *work)
{
    const size_t n = (size_t)work->T * work->B * rheo__shape_size(work->node->in);
    memcpy(work->out, work->in[0], n * sizeof *work->out);
}

static void reference_backward_flatten(const rheo_reference_work *work)
{
    const size_t n = (size_t)work->T * work->B * rheo__shape_size(work->node->in);
    for (size_t i = 0; work->gin[0] && i < n; i++) work->gin[0][i] = work->gout ? work->gout[i] : 0;
}

const rheo_layer rheo__layer_flatten = {
    .name = "flatten",
    .title = "images as rows of values",
    .equations = "y[n] = x[n], in the order [C,D,H,W]",
    .source = "as torch.nn.Flatten",
    .kind = RHEO_MAPPING,
    .fields = flatten_fields,
    .infer = infer_flatten,
    .form = form,
    .forward = forward_flatten,
    .backward = rheo__pass_gradient,
    .reference_forward = reference_forward_flatten,
    .reference_backward = reference_backward_flatten,
};

const rheo_layer rheo__layer_crop = {
    .name = "crop",
    .title = "a part of images",
    .equations = "y[c,p] = x[c, p + before]",
    .source = "as torch.nn.functional.pad with negative numbers",
    .kind = RHEO_MAPPING,
    .fields = crop_fields,
    .infer = infer_crop,
    .form = form,
    .forward = forward_crop,
    .backward = backward_crop,
    .reference_forward = reference_forward_crop,
    .reference_backward = reference_backward_crop,
};
