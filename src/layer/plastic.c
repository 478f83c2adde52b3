/* plastic.c: all-to-all weights that learn by a plasticity rule (synapse/models), with delays.
 *
 *   y_j(t) = sum over spikes of i at t - d_ij of w_ij, the weight when the spike left
 *
 * An input is a spike where its bit is set, or where its real value is above 0. In a step: traces
 * decay; every spiking input i, ascending, sends row i of the weights on its way and then changes
 * it (on_pre); every spiking target j changes column j (on_post). Targets are seen one step late:
 * the plan hands in[1] already shifted. Nothing learns unless work->learn, which takes one sample
 * at a time. Weights stand as [in, out], so that a spike reads a row; they change in place.
 *
 * Delayed input waits in a ring of rows, one a step:
 *
 *      row 0 … now … now+D … chunk+D-1      a spike adds w_ij to row now + d_ij
 *
 * At the end of a chunk the last D rows move to the front: no index needs a remainder.
 *
 * begin_sample scales each column to the sum `normalise`. Diehl & Cook 2015. Leaves out: gradients,
 * sparse connections. */
#include "layer/rows.h"
#include <string.h>

enum { OUT, LOW, HIGH, DELAY_LOW, DELAY_HIGH, NORMALISE };
enum { PRE, POST };
static const rheo_field fields[] = {
    RHEO_INTEGER_FIELD("out", "1", 1, 1, 1 << 20, "Number of targets."),
    RHEO_NUMBER_FIELD("low", "1", 0.003, -1e6, 1e6, "Least initial weight."),
    RHEO_NUMBER_FIELD("high", "1", 0.303, -1e6, 1e6, "Largest initial weight."),
    RHEO_NUMBER_FIELD("delay_low", "ms", 0, 0, 1000, "Least delay."),
    RHEO_NUMBER_FIELD("delay_high", "ms", 0, 0, 1000, "Largest delay; drawn once a synapse."),
    RHEO_NUMBER_FIELD("normalise", "1", 0, 0, 1e9,
                      "Sum of a target's weights, set before each sample; 0: left alone."),
    RHEO_FIELD_END};

static uint32_t inputs(const rheo_node_spec *node)
{
    return rheo__shape_size(node->in);
}
static uint32_t outputs(const rheo_node_spec *node)
{
    return rheo__shape_size(node->out);
}
static uint32_t steps(const rheo_node_spec *node, double ms)
{
    return (uint32_t)(ms / node->dt + 0.5);
}
/* largest delay [steps] */
static uint32_t most(const rheo_node_spec *node)
{
    return steps(node, node->options.v[DELAY_HIGH]);
}
static uint32_t chunk(const rheo_node_spec *node)
{
    return most(node) > 64 ? most(node) : 64;
}
/* floats of one sample's ring */
static size_t ring_size(const rheo_node_spec *node)
{
    if (!most(node)) return 0;
    return ((size_t)chunk(node) + most(node)) * rheo__pitch(outputs(node));
}

static rheo_status infer(rheo_context *ctx, rheo_node_spec *node)
{
    const double *v = node->options.v;
    double k[RHEO_CONSTANTS];
    RHEO_TRY(rheo__infer_weights(ctx, node, v[OUT]));
    RHEO_CHECK(ctx, v[LOW] <= v[HIGH], RHEO_USAGE,
               "net node %s: low is %g and high is %g, expected low <= high", node->name, v[LOW],
               v[HIGH]);
    RHEO_CHECK(ctx, v[DELAY_LOW] <= v[DELAY_HIGH], RHEO_USAGE,
               "net node %s: delay_low is %g ms and delay_high is %g ms, expected delay_low <= "
               "delay_high",
               node->name, v[DELAY_LOW], v[DELAY_HIGH]);
    RHEO_CHECK(ctx, v[DELAY_HIGH] / node->dt < 1e6, RHEO_USAGE,
               "net node %s: delay_high is %g ms, a million steps of %g ms or more; shorten it",
               node->name, v[DELAY_HIGH], node->dt);
    RHEO_CHECK(ctx, ring_size(node) <= UINT32_MAX, RHEO_SHAPE,
               "net node %s: a delay of %g ms is %u steps of %u targets, more than %u values; "
               "shorten delay_high or lengthen dt",
               node->name, v[DELAY_HIGH], most(node), outputs(node), UINT32_MAX);
    const rheo_status status = node->synapse->derive(ctx, &node->synapse_options, node->dt, k);
    return status ? rheo__blame(ctx, status, "net node %s", node->name) : RHEO_OK;
}

static bool param(const rheo_node_spec *node, uint32_t index, rheo_param *out)
{
    if (index > (most(node) ? 1 : 0)) return false;
    rheo__param_entry(out, index ? "delay" : "weight", inputs(node), outputs(node));
    out->transposed = true;
    out->trained = false;
    return true;
}

static void initialise(rheo_context *ctx, const rheo_node_spec *node, uint64_t seed)
{
    const double *v = node->options.v;
    rheo_param *const *p = node->param;
    const uint64_t size = (uint64_t)p[0]->rows * p[0]->cols;
    (void)ctx;
    rheo__fill_uniform(rheo__key(seed, node->index, RHEO_FOR_WEIGHTS), 0, (float)v[LOW],
                       (float)v[HIGH], p[0]->value, size);
    if (node->params < 2) return;
    rheo__fill_uniform(rheo__key(seed, node->index, RHEO_FOR_DELAY), 0, (float)v[DELAY_LOW],
                       (float)v[DELAY_HIGH], p[1]->value, size);
    for (uint64_t i = 0; i < size; i++) p[1]->value[i] = (float)steps(node, (double)p[1]->value[i]);
}

/* ---- memory ---- */

/* derived: constants, then offsets delay·pitch + j of all synapses (delays only) */
static uint32_t *offsets(const rheo_work *work)
{
    return (uint32_t *)(void *)(work->derived + RHEO_CONSTANTS + RHEO_CONSTANTS % 16);
}

/* state: traces of the one sample that learns, then rings */
static size_t trace_size(const rheo_work *work)
{
    return work->node->synapse->pre_traces * (size_t)rheo__pitch(inputs(work->node)) +
           work->node->synapse->post_traces * (size_t)rheo__pitch(outputs(work->node));
}

/* scratch: indices of spikes, a list for each side and thread; column sums */
static size_t list_bytes(const rheo_work *work)
{
    const uint32_t in = inputs(work->node), out = outputs(work->node);
    return rheo__round64((in > out ? in : out) * sizeof(uint32_t));
}

static void need(const rheo_work *work, rheo_need *out)
{
    const rheo_node_spec *node = work->node;
    const size_t sums = rheo__round64(outputs(node) * sizeof(double));
    out->derived = RHEO_CONSTANTS + RHEO_CONSTANTS % 16;
    if (most(node)) out->derived += (size_t)inputs(node) * outputs(node);
    out->state = trace_size(work) + work->B * ring_size(node);
    out->scratch = rheo_threads(work->ctx) * list_bytes(work);
    if (out->scratch < sums) out->scratch = sums;
}

static void refresh(const rheo_work *work)
{
    const rheo_node_spec *node = work->node;
    double k[RHEO_CONSTANTS] = {0};
    (void)node->synapse->derive(NULL, &node->synapse_options, node->dt, k); /* checked by infer */
    for (uint32_t i = 0; i < RHEO_CONSTANTS; i++) work->derived[i] = (float)k[i];
    if (!most(node)) return;
    const uint32_t out = outputs(node), pitch = rheo__pitch(out);
    const size_t size = (size_t)inputs(node) * out;
    uint32_t *offset = offsets(work);
    for (size_t i = 0; i < size; i++) {
        const float d = node->param[1]->value[i]; /* may come from a file: kept within the ring */
        const bool inside = d >= 0 && d <= (float)most(node);
        offset[i] = (inside ? (uint32_t)d : 0) * pitch + (uint32_t)(i % out);
    }
}

static void reset(const rheo_work *work)
{
    memset(work->state, 0,
           (trace_size(work) + work->B * ring_size(work->node)) * sizeof *work->state);
}

static void view(const rheo_work *work, rheo_synapse_view *v)
{
    const rheo_node_spec *node = work->node;
    v->k = work->derived;
    v->pre = inputs(node);
    v->post = outputs(node);
    v->w = node->param[0]->value;
    v->w_row = v->post;
    float *at = work->state;
    for (uint32_t i = 0; i < node->synapse->pre_traces; i++, at += rheo__pitch(v->pre))
        v->pre_trace[i] = at;
    for (uint32_t i = 0; i < node->synapse->post_traces; i++, at += rheo__pitch(v->post))
        v->post_trace[i] = at;
}

/* ---- running ---- */

/* Indices of the spikes of a row, ascending. */
static uint32_t list_spikes(const rheo_signal *s, uint32_t t, uint32_t b, uint32_t *list)
{
    uint32_t count = 0;
    if (s->form == RHEO_REAL) {
        const float *row = rheo__real_row(s, t, b);
        for (uint32_t i = 0; i < s->N; i++)
            if (row[i] > 0) list[count++] = i;
        return count;
    }
    const uint64_t *row = rheo__bits_row(s, t, b);
    const uint32_t words = rheo__words(s->N);
    for (uint32_t w = 0; w < words; w++)
        for (uint64_t word = row[w]; word; word &= word - 1)
            list[count++] = w * 64 + (uint32_t)__builtin_ctzll(word);
    return count;
}

/* Four at a time: places of one row are distinct, which the compiler cannot know. */
static void add_delayed(float *restrict ring, const uint32_t *restrict offset,
                        const float *restrict w, size_t n)
{
    for (; n >= 4; n -= 4, offset += 4, w += 4) {
        float *a = ring + offset[0], *b = ring + offset[1];
        float *c = ring + offset[2], *d = ring + offset[3];
        const float x = *a + w[0], y = *b + w[1], z = *c + w[2], u = *d + w[3];
        *a = x;
        *b = y;
        *c = z;
        *d = u;
    }
    for (size_t j = 0; j < n; j++) ring[offset[j]] += w[j];
}

static void add_row(float *restrict y, const float *restrict x, uint32_t n)
{
    for (uint32_t j = 0; j < n; j++) y[j] += x[j];
}

/* What the steps of a call share. */
typedef struct span {
    const rheo_work *work;
    const rheo_synapse_loops *rule;
    rheo_synapse_view v;
    const uint32_t *offset;                /* NULL: no delays */
    float *ring;                           /* of sample 0 */
    size_t ring_size, pitch, wait, length; /* rows that wait; rows of a chunk */
    uint32_t t0, t1;
} span;

static void prepare(span *a, const rheo_work *work)
{
    const rheo_node_spec *node = work->node;
    a->work = work;
    a->rule = rheo__synapse_loops(work->ctx, node->synapse->index);
    view(work, &a->v);
    a->wait = most(node);
    if (!a->wait) return;
    a->offset = offsets(work);
    a->ring = work->state + trace_size(work);
    a->ring_size = ring_size(node);
    a->pitch = rheo__pitch(a->v.post);
    a->length = chunk(node);
}

/* The ring's row of step t; moves the waiting rows to the front when a chunk begins. */
static float *turn(const span *a, uint32_t t, uint32_t b)
{
    const size_t step = (size_t)a->work->step0 + t, now = step % a->length;
    float *ring = a->ring + b * a->ring_size;
    if (now == 0 && step > 0) {
        memcpy(ring, ring + a->length * a->pitch, a->wait * a->pitch * sizeof *ring);
        memset(ring + a->wait * a->pitch, 0, a->length * a->pitch * sizeof *ring);
    }
    return ring + now * a->pitch;
}

static void send_delayed(const span *a, uint32_t t, uint32_t b, const uint32_t *list,
                         uint32_t spikes)
{
    const rheo_synapse_view *v = &a->v;
    float *y = rheo__real_row(&a->work->out, t, b), *ring = turn(a, t, b);
    for (uint32_t s = 0; s < spikes; s++) {
        const size_t row = (size_t)list[s] * v->w_row;
        add_delayed(ring, a->offset + row, v->w + row, v->post);
        if (a->work->learn) a->rule->on_pre(v, list[s]);
    }
    if (a->work->accumulate)
        add_row(y, ring, v->post);
    else /* the ring never holds -0, so this is the sum with 0 */
        memcpy(y, ring, v->post * sizeof *y);
}

static void send_now(const span *a, uint32_t t, uint32_t b, const uint32_t *list, uint32_t spikes)
{
    const rheo_synapse_view *v = &a->v;
    float *y = rheo__real_row(&a->work->out, t, b);
    if (!a->work->accumulate) memset(y, 0, v->post * sizeof *y);
    for (uint32_t s = 0; s < spikes; s++) {
        add_row(y, v->w + (size_t)list[s] * v->w_row, v->post);
        if (a->work->learn) a->rule->on_pre(v, list[s]);
    }
}

static void run_step(const span *a, uint32_t t, uint32_t b, uint32_t *list)
{
    const rheo_work *work = a->work;
    if (work->learn) a->rule->decay(&a->v);
    const uint32_t pre = list_spikes(work->in[PRE], t, b, list);
    (a->offset ? send_delayed : send_now)(a, t, b, list, pre);
    if (!work->learn || !work->in[POST]) return;
    const uint32_t post = list_spikes(work->in[POST], t, b, list);
    for (uint32_t s = 0; s < post; s++) a->rule->on_post(&a->v, list[s]);
}

static void run_sample(void *argument, uint32_t b, uint32_t thread)
{
    const span *a = argument;
    uint32_t *list = (uint32_t *)(void *)((char *)a->work->scratch + thread * list_bytes(a->work));
    for (uint32_t t = a->t0; t < a->t1; t++) run_step(a, t, b, list);
}

static void forward(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    span a = {.t0 = t0, .t1 = t1};
    prepare(&a, work);
    if (work->B == 1)
        run_sample(&a, 0, 0);
    else
        rheo__parallel(work->ctx, work->B, run_sample, &a);
}

/* Spikes leave at their time and arrive later: the output moves even when the input stands still.
 */
static void form(const rheo_work *work, rheo_form *out, bool *fixed, float *lo, float *hi)
{
    rheo__form_real(work, out, fixed, lo, hi);
    *fixed = false;
}

static void begin_sample(const rheo_work *work)
{
    const rheo_param *p = work->node->param[0];
    const double target = work->node->options.v[NORMALISE];
    double *sum = work->scratch;
    if (!(target > 0)) return;
    memset(sum, 0, p->cols * sizeof *sum);
    for (size_t i = 0; i < p->rows; i++)
        for (size_t j = 0; j < p->cols; j++) sum[j] += (double)p->value[i * p->cols + j];
    for (size_t j = 0; j < p->cols; j++) sum[j] = sum[j] > 0 ? target / sum[j] : 1;
    for (size_t i = 0; i < p->rows; i++)
        for (size_t j = 0; j < p->cols; j++)
            p->value[i * p->cols + j] = (float)((double)p->value[i * p->cols + j] * sum[j]);
}

static uint64_t spikes_of(const rheo_signal *s, uint32_t t, uint32_t b0, uint32_t b1)
{
    uint64_t count = 0;
    if (!s) return 0;
    if (s->form == RHEO_BITS) return rheo__signal_popcount(s, t, b0, b1);
    for (uint32_t b = b0; b < b1; b++)
        for (uint32_t i = 0; i < s->N; i++) count += rheo__real_row(s, t, b)[i] > 0;
    return count;
}

static void count(const rheo_work *work, uint32_t t, uint32_t b0, uint32_t b1, rheo_counts *add)
{
    const uint64_t in = inputs(work->node), out = outputs(work->node);
    const uint64_t sent = spikes_of(work->in[PRE], t, b0, b1) * out;
    add->synops += sent;
    add->acs += sent;
    add->bytes += sent * sizeof(float);
    if (!work->learn) return;
    const uint64_t writes = sent + spikes_of(work->in[POST], t, b0, b1) * in;
    add->weight_writes += writes;
    add->bytes += writes * 2 * sizeof(float);
}

static void reference_forward(const rheo_reference_work *work)
{
    const size_t in = inputs(work->node), out = outputs(work->node);
    memset(work->out, 0, (size_t)work->T * work->B * out * sizeof *work->out);
    for (size_t t = 0; t < work->T && work->in[PRE]; t++)
        for (size_t b = 0; b < work->B; b++)
            for (size_t i = 0; i < in; i++) {
                if (!(work->in[PRE][(t * work->B + b) * in + i] > 0)) continue;
                for (size_t j = 0; j < out; j++) {
                    const double delay = work->node->params > 1 ? work->param[1][i * out + j] : 0;
                    const size_t at = t + (size_t)delay;
                    if (at < work->T)
                        work->out[(at * work->B + b) * out + j] += work->param[0][i * out + j];
                }
            }
}

const rheo_layer rheo__layer_plastic = {
    .name = "plastic",
    .title = "all-to-all weights with delays that learn by a local rule",
    .equations = "y_j(t) = sum over spikes of i at t - d_ij of w_ij; learning: see the list of "
                 "synapses; before a sample w_ij <- w_ij normalise / sum_i w_ij",
    .source = "Diehl & Cook 2015, doi:10.3389/fncom.2015.00099",
    .kind = RHEO_PROJECTION,
    .fields = fields,
    .infer = infer,
    .param = param,
    .initialise = initialise,
    .form = form,
    .need = need,
    .refresh = refresh,
    .reset = reset,
    .forward = forward,
    .begin_sample = begin_sample,
    .count = count,
    .reference_forward = reference_forward,
};
