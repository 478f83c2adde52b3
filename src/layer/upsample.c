/* upsample.c: images made larger by whole factors.
 *
 *   nearest   y[c,p] = x[c, p / scale]
 *   linear    along each axis, place p stands at (p + 1/2) / scale - 1/2 of the input, not below 0:
 *             y = (1 - f) x[i] + f x[min(i+1, n-1)], i the whole part, f the rest (bilinear,
 *             trilinear; PyTorch's align_corners = False)
 *
 * Nearest spikes stay spikes. Sums run over the axes' two neighbours, the width first. Leaves out:
 * other factors, cubic. */
#include "base/threads.h"
#include "layer/correlate.h"
#include "layer/rows.h"
#include <string.h>

enum { KIND, SCALE, AXES = SCALE + RHEO_PER_AXIS };
enum { NEAREST, LINEAR };
#define MOST 256
static const char *const kinds[] = {"nearest", "linear", NULL};
static const rheo_field fields[] = {
    RHEO_CHOICE_FIELD("kind", NEAREST, kinds, "How new places get their values."),
    RHEO_INTEGER_FIELD("scale", "1", 2, 1, MOST, "Factor along all axes."),
    RHEO_AXIS_FIELDS("scale", 1, MOST), RHEO_AXES_FIELD, RHEO_FIELD_END};

typedef struct shape {
    uint32_t axes, in[RHEO_AXES], out[RHEO_AXES], scale[RHEO_AXES];
    uint32_t channels, places, size; /* of a channel, in and out */
    bool linear;
} shape;

static shape shape_of(const rheo_node_spec *node)
{
    const double *v = node->options.v;
    shape s = {.axes = rheo__image_axes(node->in, v[AXES]),
               .channels = node->in.dim[0],
               .linear = (int)v[KIND] == LINEAR};
    rheo__image_size(node->in, s.axes, s.in);
    for (uint32_t a = 0; a < RHEO_AXES; a++) {
        const bool used = a >= RHEO_AXES - s.axes;
        s.scale[a] = used ? (uint32_t)rheo__axis_option(v + SCALE, s.axes, a) : 1;
        s.out[a] = s.in[a] * s.scale[a];
    }
    s.places = rheo__axes_product(s.in);
    s.size = rheo__axes_product(s.out);
    return s;
}

static rheo_status infer(rheo_context *ctx, rheo_node_spec *node)
{
    const shape s = shape_of(node);
    char in[48];
    rheo__shape_text(node->in, in);
    const double size = (double)s.channels * s.places * s.scale[0] * s.scale[1] * s.scale[2];
    RHEO_CHECK(ctx, rheo__image_axes(node->in, 0) <= s.axes, RHEO_SHAPE,
               "net node %s: the input %s has more than %u axes", node->name, in, s.axes);
    RHEO_CHECK(ctx, size >= 1 && size <= 1 << 30, RHEO_SHAPE,
               "net node %s: the input %s becomes %.0f values, expected 1 to %u", node->name, in,
               size, 1u << 30);
    node->out = rheo__image_shape(s.channels, s.axes, s.out);
    return RHEO_OK;
}

static void form(const rheo_work *work, rheo_form *out, bool *fixed, float *lo, float *hi)
{
    rheo__form_real(work, out, fixed, lo, hi);
    const rheo_signal *in = work->in[0];
    if ((int)work->node->options.v[KIND] != NEAREST || !in || in->form != RHEO_BITS) return;
    *out = RHEO_BITS;
    *lo = in->lo;
    *hi = in->hi;
}

static void need(const rheo_work *work, rheo_need *out)
{
    const size_t row = rheo__pitch(rheo__shape_size(work->node->in));
    out->scratch = row * sizeof(float) * rheo_threads(work->ctx); /* a row of bits as floats */
}

/* The two places that place p of an axis lies between, and the share of the second. */
typedef struct between {
    uint32_t at[2];
    double share;
} between;

static between between_of(const shape *s, uint32_t a, uint32_t p)
{
    if (!s->linear || s->scale[a] == 1) return (between){{p / s->scale[a], p / s->scale[a]}, 0};
    const double at = (p + 0.5) / s->scale[a] - 0.5, inside = at > 0 ? at : 0;
    const uint32_t i = (uint32_t)inside;
    return (between){{i, i + 1 < s->in[a] ? i + 1 : i}, inside - i};
}

/* Up to eight places of the input and their weights, of place p of a channel. */
static uint32_t corners(const shape *s, uint32_t p, uint32_t place[8], double weight[8])
{
    const uint32_t at[3] = {p / s->out[2] / s->out[1], p / s->out[2] % s->out[1], p % s->out[2]};
    between b[3];
    uint32_t count = 0;
    for (uint32_t a = 0; a < 3; a++) b[a] = between_of(s, a, at[a]);
    for (uint32_t i = 0; i < 8; i++) {
        const uint32_t z = i >> 2, y = i >> 1 & 1, x = i & 1;
        const double w = (z ? b[0].share : 1 - b[0].share) * (y ? b[1].share : 1 - b[1].share) *
                         (x ? b[2].share : 1 - b[2].share);
        if (!(w > 0)) continue;
        place[count] = (b[0].at[z] * s->in[1] + b[1].at[y]) * s->in[2] + b[2].at[x];
        weight[count++] = w;
    }
    return count;
}

typedef struct job {
    const rheo_work *work;
    shape s;
    uint32_t t0;
} job;

static void forward_row(void *argument, uint32_t row, uint32_t thread)
{
    const job *j = argument;
    const rheo_work *work = j->work;
    const rheo_signal *in = work->in[0], *out = &work->out;
    const uint32_t t = j->t0 + row / work->B, b = row % work->B;
    const bool bits = out->form == RHEO_BITS;
    const float *x = in->form == RHEO_REAL ? rheo__real_row(in, t, b) : NULL;
    if (!x) {
        float *to = (float *)work->scratch + (size_t)thread * rheo__pitch(in->N);
        rheo__kernels(work->ctx)->expand(rheo__bits_row(in, t, b), 0, in->N, 0, 1, to);
        x = to;
    }
    if (bits) memset(rheo__bits_row(out, t, b), 0, rheo__words(out->N) * sizeof(uint64_t));
    for (uint32_t p = 0; p < j->s.size; p++) {
        uint32_t place[8];
        double weight[8];
        const uint32_t count = corners(&j->s, p, place, weight);
        for (uint32_t c = 0; c < j->s.channels; c++) {
            const float *channel = x + (size_t)c * j->s.places;
            const uint32_t n = c * j->s.size + p;
            if (bits) {
                rheo__bits_row(out, t, b)[n / 64] |= (uint64_t)(channel[place[0]] > 0) << n % 64;
                continue;
            }
            float sum = 0;
            for (uint32_t i = 0; i < count; i++) sum += (float)weight[i] * channel[place[i]];
            if (in->form == RHEO_BITS) sum = in->lo + sum * (in->hi - in->lo);
            rheo__real_row(out, t, b)[n] = sum;
        }
    }
}

static void forward(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    job j = {work, shape_of(work->node), t0};
    t1 = rheo__last_step(&work->out, t0, t1);
    rheo__parallel(work->ctx, (t1 - t0) * work->B, forward_row, &j);
}

static void backward_row(void *argument, uint32_t row, uint32_t thread)
{
    const job *j = argument;
    const rheo_work *work = j->work;
    const uint32_t t = j->t0 + row / work->B, b = row % work->B;
    const float *g = rheo__real_row(work->gout, t, b);
    float *to = rheo__real_row(&work->gin[0], t, b);
    (void)thread;
    memset(to, 0, work->gin[0].N * sizeof *to);
    for (uint32_t p = 0; p < j->s.size; p++) {
        uint32_t place[8];
        double weight[8];
        const uint32_t count = corners(&j->s, p, place, weight);
        for (uint32_t c = 0; c < j->s.channels; c++)
            for (uint32_t i = 0; i < count; i++)
                to[(size_t)c * j->s.places + place[i]] +=
                    (float)weight[i] * g[(size_t)c * j->s.size + p];
    }
}

static void backward(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    if (!work->gout || !work->gin[0].real) {
        rheo__pass_gradient(work, t0, t1);
        return;
    }
    job j = {work, shape_of(work->node), t0};
    t1 = rheo__last_step(&work->gin[0], t0, t1);
    rheo__parallel(work->ctx, (t1 - t0) * work->B, backward_row, &j);
}

/* linear: a product for each neighbour with a share. */
static void count(const rheo_work *work, uint32_t t, uint32_t b0, uint32_t b1, rheo_counts *add)
{
    const shape s = shape_of(work->node);
    uint32_t place[8];
    double weight[8];
    if (!s.linear || (work->in[0]->stride_t == 0 && t > 0)) return;
    for (uint32_t p = 0; p < s.size; p++)
        add->macs += (uint64_t)(b1 - b0) * s.channels * corners(&s, p, place, weight);
}

static void reference_walk(const rheo_reference_work *work, bool back)
{
    const shape s = shape_of(work->node);
    const size_t rows = (size_t)work->T * work->B;
    for (size_t row = 0; row < rows * s.channels; row++)
        for (uint32_t p = 0; p < s.size; p++) {
            uint32_t place[8];
            double weight[8], sum = 0;
            const uint32_t n = corners(&s, p, place, weight);
            for (uint32_t i = 0; i < n; i++) {
                const size_t at = row * s.places + place[i];
                if (back)
                    work->gin[0][at] += weight[i] * work->gout[row * s.size + p];
                else
                    sum += weight[i] * work->in[0][at];
            }
            if (!back) work->out[row * s.size + p] = sum;
        }
}

static void reference_forward(const rheo_reference_work *work)
{
    reference_walk(work, false);
}

static void reference_backward(const rheo_reference_work *work)
{
    double *gx = work->gin[0];
    if (!gx) return;
    memset(gx, 0, (size_t)work->T * work->B * rheo__shape_size(work->node->in) * sizeof *gx);
    if (work->gout) reference_walk(work, true);
}

const rheo_layer rheo__layer_upsample = {
    .name = "upsample",
    .title = "images made larger by whole factors",
    .equations = "nearest: y[c,p] = x[c, p / scale]; linear: between the two places that "
                 "(p + 1/2) / scale - 1/2 lies between, along each axis",
    .source = "as torch.nn.Upsample, align_corners False",
    .kind = RHEO_MAPPING,
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
