/* pool.c: each channel's windows become one number: the largest, the mean or the sum.
 *
 *   y[c,o] = max | mean | sum of x[c,i] over the places i that window o sees
 *   window     o stride - padding ... + size - 1 along each axis
 *   adaptive   (out) from floor(o n / out) to ceil((o+1) n / out) - 1
 *
 * The largest of spikes is a spike: bits stay bits. The mean divides by the window's size with its
 * padding (count_padding) or by the places that exist; padding is 0 for the mean and sum, and never
 * the largest. The gradient of max goes to one place: among equals to the first, as PyTorch's, or
 * to one drawn from the seed. Leaves out: dilation, sizes rounded up. */
#include "layer/pool.h"

#define MOST (1 << 16)
static const char *const kinds[] = {"max", "average", "sum", NULL};
static const char *const ties[] = {"random", "first", NULL};
static const char *const as_size[] = {"size", NULL};
static const rheo_field fields[] = {
    RHEO_CHOICE_FIELD("kind", MAX, kinds, "What a window becomes."),
    RHEO_INTEGER_FIELD("size", "1", 2, 1, MOST, "Of a window, along all axes."),
    RHEO_AXIS_FIELDS("size", 1, MOST),
    {"stride", "1", RHEO_INTEGER, -1, 1, MOST, as_size, "Places between two windows."},
    RHEO_AXIS_FIELDS("stride", 1, MOST),
    RHEO_INTEGER_FIELD("padding", "1", 0, 0, MOST, "Places added at each end, at most size / 2."),
    RHEO_AXIS_FIELDS("padding", 0, MOST),
    RHEO_INTEGER_FIELD("out", "1", 0, 0, MOST,
                       "Windows along all axes, in place of size, stride and padding (adaptive)."),
    RHEO_AXIS_FIELDS("out", 0, MOST),
    RHEO_AXES_FIELD,
    RHEO_FLAG_FIELD("count_padding", 1, "The mean divides by the padding's places too."),
    RHEO_CHOICE_FIELD("ties", RANDOM, ties, "Which of equal places gets the gradient of max."),
    RHEO_FIELD_END};

rheo_pool_shape rheo__pool_shape(const rheo_node_spec *node)
{
    const double *v = node->options.v;
    rheo_pool_shape s = {.axes = rheo__image_axes(node->in, v[AXES]), .channels = node->in.dim[0]};
    rheo__image_size(node->in, s.axes, s.in);
    for (uint32_t a = 0; a < RHEO_AXES; a++) {
        const bool used = a >= RHEO_AXES - s.axes;
        const double out = used ? rheo__axis_option(v + OUT, s.axes, a) : 0;
        const double stride = used ? rheo__axis_option(v + STRIDE, s.axes, a) : 1;
        s.size[a] = out > 0 ? 0 : used ? (uint32_t)rheo__axis_option(v + SIZE, s.axes, a) : 1;
        s.stride[a] = stride > 0 ? (uint32_t)stride : s.size[a];
        s.before[a] = used ? (uint32_t)rheo__axis_option(v + PADDING, s.axes, a) : 0;
        s.out[a] =
            out > 0 ? (uint32_t)out
                    : rheo__window_positions(s.in[a], 2 * s.before[a], s.size[a], s.stride[a], 1);
    }
    s.places = rheo__axes_product(s.in);
    s.windows = rheo__axes_product(s.out);
    return s;
}

static rheo_status infer(rheo_context *ctx, rheo_node_spec *node)
{
    const rheo_pool_shape s = rheo__pool_shape(node);
    char in[48];
    rheo__shape_text(node->in, in);
    RHEO_CHECK(ctx, s.places > 0 && rheo__image_axes(node->in, 0) <= s.axes, RHEO_SHAPE,
               "net node %s: the input %s has more than %u axes", node->name, in, s.axes);
    for (uint32_t a = RHEO_AXES - s.axes; a < RHEO_AXES; a++) {
        RHEO_CHECK(
            ctx, s.out[a] > 0 && (s.size[a] > 0 || s.out[a] <= s.in[a]), RHEO_SHAPE,
            "net node %s: windows of %u, or %u of them, do not fit %u places of the input %s",
            node->name, s.size[a], s.out[a], s.in[a], in);
        RHEO_CHECK(ctx, s.size[a] == 0 || 2 * s.before[a] <= s.size[a], RHEO_USAGE,
                   "net node %s: padding %u is more than half of a window of %u", node->name,
                   s.before[a], s.size[a]);
    }
    node->out = rheo__image_shape(s.channels, s.axes, s.out);
    return RHEO_OK;
}

/* Places that window o of an axis sees, first and the one after the last. */
static void span_of(const rheo_pool_shape *s, uint32_t a, uint32_t o, uint32_t *begin,
                    uint32_t *end)
{
    if (s->size[a] == 0) {
        *begin = (uint32_t)((uint64_t)o * s->in[a] / s->out[a]);
        *end = (uint32_t)(((uint64_t)(o + 1) * s->in[a] + s->out[a] - 1) / s->out[a]);
        return;
    }
    const uint32_t at = o * s->stride[a], last = at + s->size[a];
    *begin = at > s->before[a] ? at - s->before[a] : 0;
    *end = rheo__least(last > s->before[a] ? last - s->before[a] : 0, s->in[a]);
}

rheo_pool_window rheo__pool_window(const rheo_pool_shape *s, const double *option, uint32_t o)
{
    const uint32_t at[3] = {o / s->out[2] / s->out[1], o / s->out[2] % s->out[1], o % s->out[2]};
    rheo_pool_window w = {.count = 1};
    uint32_t whole = 1;
    for (uint32_t a = 0; a < RHEO_AXES; a++) {
        span_of(s, a, at[a], &w.begin[a], &w.end[a]);
        w.count *= w.end[a] - w.begin[a];
        whole *= s->size[a] ? s->size[a] : w.end[a] - w.begin[a];
    }
    const bool mean = (int)option[KIND] == AVERAGE;
    w.share = mean ? 1.0 / (option[COUNT_PADDING] > 0 ? whole : w.count) : 1;
    return w;
}

static void form(const rheo_work *work, rheo_form *out, bool *fixed, float *lo, float *hi)
{
    rheo__form_real(work, out, fixed, lo, hi);
    const rheo_signal *in = work->in[0];
    if ((int)work->node->options.v[KIND] != MAX || !in || in->form != RHEO_BITS) return;
    *out = RHEO_BITS;
    *lo = in->lo;
    *hi = in->hi;
}

/* Windows do not overlap, and there is no padding. */
static bool apart(const rheo_pool_shape *s)
{
    bool all = true;
    for (uint32_t a = 0; a < RHEO_AXES; a++)
        all = all && s->size[a] > 0 && s->size[a] == s->stride[a] && !s->before[a];
    return all;
}

rheo_pool_job rheo__pool_job(const rheo_work *work, uint32_t t0)
{
    rheo_pool_job j = {.work = work, .s = rheo__pool_shape(work->node), .t0 = t0};
    const size_t row = rheo__pitch(rheo__shape_size(work->node->in)) * sizeof(float);
    const size_t seen = rheo__round64(j.s.windows * sizeof *j.seen);
    const size_t of = rheo__round64(j.s.places * sizeof *j.of);
    j.quarters = rheo__pool_quarters(work->node);
    j.draw_bytes = j.quarters ? rheo__pool_draw_bytes(work) : 0;
    const size_t draws = j.draw_bytes * rheo_threads(work->ctx);
    j.bytes = seen + of + draws + row * rheo_threads(work->ctx);
    if (!work->scratch) return j;
    char *base = work->scratch;
    j.seen = (rheo_pool_window *)(void *)base;
    j.of = (uint32_t *)(void *)(base + seen);
    j.draw = base + seen + of;
    j.floats = (float *)(void *)(base + seen + of + draws);
    j.apart = apart(&j.s);
    j.small = true;
    for (uint32_t o = 0; o < j.s.windows; o++) {
        j.seen[o] = rheo__pool_window(&j.s, work->node->options.v, o);
        j.small = j.small && j.seen[o].count <= 64;
    }
    return j;
}

static void need(const rheo_work *work, rheo_need *out)
{
    rheo_work unlaid = *work;
    unlaid.scratch = NULL;
    out->scratch = rheo__pool_job(&unlaid, 0).bytes;
    out->tape = rheo__pool_tape(work);
}

/* ---- forward ---- */

const float *rheo__pool_row(const rheo_pool_job *j, uint32_t t, uint32_t b, uint32_t thread)
{
    const rheo_signal *in = j->work->in[0];
    if (in->form == RHEO_REAL) return rheo__real_row(in, t, b);
    float *to = j->floats + (size_t)thread * rheo__pitch(in->N);
    rheo__kernels(j->work->ctx)->expand(rheo__bits_row(in, t, b), 0, in->N, in->lo, in->hi, to);
    return to;
}

static float pool_window(const rheo_pool_shape *s, const rheo_pool_window *w, int kind,
                         const float *x)
{
    const float least = -INFINITY;
    float most = least, sum = 0;
    for (uint32_t z = w->begin[0]; z < w->end[0]; z++)
        for (uint32_t y = w->begin[1]; y < w->end[1]; y++) {
            const float *line = x + ((size_t)z * s->in[1] + y) * s->in[2];
            for (uint32_t i = w->begin[2]; i < w->end[2]; i++) {
                most = line[i] > most || line[i] != line[i] ? line[i] : most; /* NaN stays */
                sum += line[i];
            }
        }
    return kind == MAX ? most : sum * (float)w->share;
}

static void find_windows(const rheo_pool_job *j)
{
    const rheo_pool_shape *s = &j->s;
    for (uint32_t p = 0; p < s->places; p++) {
        const uint32_t z = p / s->in[2] / s->in[1] / s->size[0];
        const uint32_t y = p / s->in[2] % s->in[1] / s->size[1], x = p % s->in[2] / s->size[2];
        const bool seen = z < s->out[0] && y < s->out[1] && x < s->out[2];
        j->of[p] = seen ? (z * s->out[1] + y) * s->out[2] + x : RHEO_POOL_NOWHERE;
    }
}

/* Spikes of windows that do not overlap: each sets the bit of its window. */
static void or_row_apart(const rheo_pool_job *j, uint32_t t, uint32_t b)
{
    const rheo_signal *in = j->work->in[0];
    const rheo_pool_shape *s = &j->s;
    const uint64_t *bits = rheo__bits_row(in, t, b);
    uint64_t *out = rheo__bits_row(&j->work->out, t, b);
    uint32_t channel = 0, next = s->places, first = 0; /* of the channel: places, windows */
    memset(out, 0, rheo__words(j->work->out.N) * sizeof *out);
    for (uint32_t i = 0; i < rheo__words(in->N); i++)
        for (uint64_t word = bits[i]; word; word &= word - 1) {
            const uint32_t n = i * 64 + (uint32_t)__builtin_ctzll(word);
            while (n >= next) {
                channel = next;
                next += s->places;
                first += s->windows;
            }
            if (j->of[n - channel] == RHEO_POOL_NOWHERE) continue;
            const uint32_t o = first + j->of[n - channel];
            out[o / 64] |= UINT64_C(1) << o % 64;
        }
}

/* Spikes: the places of a row that are 1 are few, each sets the bits of its windows. */
static void or_row(const rheo_pool_job *j, uint32_t t, uint32_t b)
{
    const rheo_work *work = j->work;
    const rheo_signal *in = work->in[0];
    const rheo_pool_shape *s = &j->s;
    const uint64_t *bits = rheo__bits_row(in, t, b);
    uint64_t *out = rheo__bits_row(&work->out, t, b);
    memset(out, 0, rheo__words(work->out.N) * sizeof *out);
    for (uint32_t i = 0; i < rheo__words(in->N); i++)
        for (uint64_t word = bits[i]; word; word &= word - 1) {
            const uint32_t n = i * 64 + (uint32_t)__builtin_ctzll(word), p = n % s->places;
            const uint32_t at[3] = {p / s->in[2] / s->in[1], p / s->in[2] % s->in[1], p % s->in[2]};
            uint32_t first[3], last[3];
            for (uint32_t a = 0; a < 3; a++) {
                const uint32_t far = at[a] + s->before[a];
                first[a] = far < s->size[a] ? 0 : (far - s->size[a]) / s->stride[a] + 1;
                last[a] = rheo__least(far / s->stride[a] + 1, s->out[a]);
            }
            for (uint32_t z = first[0]; z < last[0]; z++)
                for (uint32_t y = first[1]; y < last[1]; y++)
                    for (uint32_t x = first[2]; x < last[2]; x++) {
                        const uint32_t o =
                            n / s->places * s->windows + (z * s->out[1] + y) * s->out[2] + x;
                        out[o / 64] |= UINT64_C(1) << o % 64;
                    }
        }
}

static bool adaptive(const rheo_pool_shape *s)
{
    return s->size[0] == 0 || s->size[1] == 0 || s->size[2] == 0;
}

/* The largest of windows that do not overlap, each in one plane. */
static void largest(const rheo_pool_job *j, const float *x, float *to)
{
    const rheo_pool_shape *s = &j->s;
    const uint32_t ny = s->size[1], nx = s->size[2];
    const size_t plane = (size_t)s->in[1] * s->in[2];
    for (uint32_t p = 0; p < s->channels * s->in[0]; p++, x += plane)
        for (uint32_t oy = 0; oy < s->out[1]; oy++)
            for (uint32_t ox = 0; ox < s->out[2]; ox++) {
                const float *line = x + (size_t)oy * ny * s->in[2] + (size_t)ox * nx;
                float most = -INFINITY;
                for (uint32_t y = 0; y < ny; y++, line += s->in[2])
                    for (uint32_t i = 0; i < nx; i++)
                        most = line[i] > most || line[i] != line[i] ? line[i] : most;
                *to++ = most;
            }
}

static void forward_row(void *argument, uint32_t row, uint32_t thread)
{
    const rheo_pool_job *j = argument;
    const rheo_work *work = j->work;
    const uint32_t t = j->t0 + row / work->B, b = row % work->B;
    const rheo_signal *out = &work->out;
    const int kind = (int)work->node->options.v[KIND];
    const bool bits = out->form == RHEO_BITS;
    if (j->quarters && work->gradient)
        rheo__pool_places(work, t, b, rheo__pool_row(j, t, b, thread),
                          (uint32_t *)(void *)(j->draw + thread * j->draw_bytes));
    if (bits && j->quarters) {
        rheo__pool_any(work, rheo__bits_row(work->in[0], t, b), rheo__bits_row(out, t, b));
        return;
    }
    if (bits && !adaptive(&j->s)) {
        (j->apart ? or_row_apart : or_row)(j, t, b);
        return;
    }
    const float *x = rheo__pool_row(j, t, b, thread);
    if (j->quarters) {
        rheo__pool_largest(work, x, rheo__real_row(out, t, b));
        return;
    }
    if (kind == MAX && !bits && j->apart && j->s.size[0] == 1) {
        largest(j, x, rheo__real_row(out, t, b));
        return;
    }
    if (bits) memset(rheo__bits_row(out, t, b), 0, rheo__words(out->N) * sizeof(uint64_t));
    for (uint32_t c = 0, n = 0; c < j->s.channels; c++) {
        for (uint32_t o = 0; o < j->s.windows; o++, n++) {
            const float y = pool_window(&j->s, &j->seen[o], kind, x + (size_t)c * j->s.places);
            if (!bits)
                rheo__real_row(out, t, b)[n] = y;
            else if (y > out->lo)
                rheo__bits_row(out, t, b)[n / 64] |= UINT64_C(1) << n % 64;
        }
    }
}

static void forward(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    const rheo_pool_job j = rheo__pool_job(work, t0);
    if (j.apart) find_windows(&j);
    t1 = rheo__last_step(&work->out, t0, t1);
    rheo__parallel(work->ctx, (t1 - t0) * work->B, forward_row, (void *)(uintptr_t)&j);
}

/* ---- counts ---- */

/* Additions: one for each place that a window sees, of spikes for each spike. max adds nothing. */
static void count(const rheo_work *work, uint32_t t, uint32_t b0, uint32_t b1, rheo_counts *add)
{
    const rheo_signal *in = work->in[0];
    const rheo_pool_shape s = rheo__pool_shape(work->node);
    if ((int)work->node->options.v[KIND] == MAX || (in->stride_t == 0 && t > 0)) return;
    const bool all = !rheo__spikes(in);
    for (uint32_t o = 0; o < s.windows; o++) {
        const rheo_pool_window w = rheo__pool_window(&s, work->node->options.v, o);
        if (all) {
            add->acs += (uint64_t)(b1 - b0) * s.channels * w.count;
            continue;
        }
        for (uint32_t b = b0; b < b1; b++)
            for (uint32_t c = 0; c < s.channels; c++)
                for (uint32_t z = w.begin[0]; z < w.end[0]; z++)
                    for (uint32_t y = w.begin[1]; y < w.end[1]; y++)
                        for (uint32_t i = w.begin[2]; i < w.end[2]; i++) {
                            const uint32_t n = c * s.places + (z * s.in[1] + y) * s.in[2] + i;
                            add->acs += rheo__bits_row(in, t, b)[n / 64] >> n % 64 & 1;
                        }
    }
}

const rheo_layer rheo__layer_pool = {
    .name = "pool",
    .title = "largest, mean or sum of windows",
    .equations = "y[c,o] = max | mean | sum of x[c,i] over the places of window o; the largest of "
                 "spikes is a spike",
    .source = "as torch.nn.MaxPool, AvgPool, AdaptiveMaxPool, AdaptiveAvgPool",
    .kind = RHEO_MAPPING,
    .added_to = true,
    .fields = fields,
    .infer = infer,
    .form = form,
    .need = need,
    .forward = forward,
    .backward = rheo__pool_backward,
    .overwrites = rheo__pool_overwrites,
    .rows = &rheo__pool_rows,
    .reached = rheo__pool_reached,
    .count = count,
    .reference_forward = rheo__pool_reference_forward,
    .reference_backward = rheo__pool_reference_backward,
};
