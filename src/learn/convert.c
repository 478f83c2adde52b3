/* convert.c: phases that turn a trained analogue net into a spiking one.
 *
 * `normalise` scales the weights so that no rate has to exceed one spike a step. With lambda_l the
 * largest activation of layer l over the training samples (lambda_0 = 1, the input's largest value):
 *
 *   data      W_l <- W_l lambda_(l-1) / lambda_l,  b_l <- b_l / lambda_l
 *             (Rueckauer et al. 2017, eq. 6; Diehl et al. 2015 state the idea); with `percentile`
 *             below 100 lambda is that percentile of the activations above 0, so that rare large
 *             ones do not slow all others (Rueckauer et al. 2017, section 2.2.2)
 *   released  the code that Diehl et al. released: with scale_l = max(lambda_l, max W_l),
 *             f_l = scale_l / f_(l-1), W_l <- W_l / f_l. It divides by the last FACTOR where the
 *             rule needs the last SCALE, so it differs from layer 3 on.
 *   model     W_l <- W_l / max_j sum_i max(0, w_ij): safe without data (Diehl et al. 2015, alg. 1)
 *   none      as trained
 *
 * `spike` puts spiking neurons in the place of rectified and soft-LIF units, and, with `if`, of a linear
 * output, of which only what is positive can spike. A soft-LIF unit's amplitude becomes part of the weights that it feeds: a spike counts amplitude / dt,
 * and its gain part of those that feed it. */
#include "learn/learn.h"
#include <math.h>
#include <string.h>

/* ---- normalise ---- */

enum { BY, SAMPLES, PERCENTILE };
enum { BY_DATA, BY_MODEL, BY_RELEASED, BY_NONE };
static const char *const by_names[] = {"data", "model", "released", "none", NULL};

static const rheo_field normalise_fields[] = {
    RHEO_CHOICE_FIELD("by", BY_DATA, by_names, "What bounds the rates."),
    RHEO_INTEGER_FIELD("samples", "1", 0, 0, 1e9,
                       "Training samples whose activations are looked at; 0: all."),
    RHEO_NUMBER_FIELD("percentile", "%", 100, 50, 100,
                      "For data: of the activations above 0, which counts as the largest."),
    RHEO_FIELD_END};

#define BINS 4096u /* of a histogram from 0 to the maximum: a percentile to 1/4096 of it */

typedef struct maxima {
    uint32_t nodes;
    float *value;    /* [threads][nodes] */
    uint64_t *count; /* [threads][nodes][BINS] of the second sweep; NULL in the first */
} maxima;

static void visit_maxima(void *arg, const rheo_visit *visit)
{
    const maxima *m = arg;
    float *value = m->value + (size_t)visit->thread * m->nodes;
    for (uint32_t n = 0; n < m->nodes; n++) {
        const rheo_signal *out = &visit->plan->work[n].out;
        if (out->form != RHEO_REAL || !out->real) continue;
        uint32_t steps = out->stride_t ? out->T : 1;
        for (uint32_t t = 0; t < steps; t++)
            for (uint32_t b = 0; b < visit->B; b++) {
                const float *row = rheo__real_row(out, t, b);
                for (uint32_t i = 0; i < out->N; i++)
                    value[n] = row[i] > value[n] ? row[i] : value[n];
            }
    }
}

static void visit_histogram(void *arg, const rheo_visit *visit)
{
    const maxima *m = arg;
    for (uint32_t n = 0; n < m->nodes; n++) {
        const rheo_signal *out = &visit->plan->work[n].out;
        if (out->form != RHEO_REAL || !out->real || m->value[n] <= 0) continue;
        uint64_t *count = m->count + ((size_t)visit->thread * m->nodes + n) * BINS;
        uint32_t steps = out->stride_t ? out->T : 1;
        for (uint32_t t = 0; t < steps; t++)
            for (uint32_t b = 0; b < visit->B; b++) {
                const float *row = rheo__real_row(out, t, b);
                for (uint32_t i = 0; i < out->N; i++) {
                    uint32_t bin = row[i] > 0 ? (uint32_t)(row[i] / m->value[n] * BINS) : BINS;
                    if (row[i] > 0) count[bin < BINS ? bin : BINS - 1]++;
                }
            }
    }
}

/* The upper edge of the bin below which the percentile lies. */
static void take_percentile(maxima *m, uint32_t threads, double percentile)
{
    for (uint32_t n = 0; n < m->nodes; n++) {
        uint64_t total = 0, sum = 0;
        uint32_t bin = 0;
        for (uint32_t i = 0; i < threads; i++)
            for (uint32_t b = 0; b < BINS; b++)
                total += m->count[((size_t)i * m->nodes + n) * BINS + b];
        for (; bin < BINS; bin++) {
            for (uint32_t i = 0; i < threads; i++)
                sum += m->count[((size_t)i * m->nodes + n) * BINS + bin];
            if ((double)sum >= percentile / 100 * (double)total) break;
        }
        if (total > 0 && bin + 1 < BINS) m->value[n] *= (float)(bin + 1) / (float)BINS;
    }
}

/* The populations that weights lead to and come from, in order. */
static int population_after(const rheo_net *net, uint32_t from)
{
    for (uint32_t n = from + 1; n < net->nodes; n++)
        if (net->node[n].neuron) return (int)n;
    return -1;
}

static void divide(rheo_param *param, float factor)
{
    size_t count = (size_t)param->rows * param->cols;
    for (size_t i = 0; i < count; i++) param->value[i] /= factor;
    param->version++;
}

static float largest_weight(const rheo_param *w)
{
    float most = 0;
    for (size_t i = 0; i < (size_t)w->rows * w->cols; i++) most = fmaxf(most, w->value[i]);
    return most;
}

/* For inputs up to 1; the bias is divided by what divided them. */
static float largest_input(const rheo_param *w, const rheo_param *bias, float divided)
{
    float most = 0;
    for (uint32_t r = 0; r < w->rows; r++) {
        float sum = bias ? fmaxf(0, bias->value[r] / divided) : 0;
        for (uint32_t c = 0; c < w->cols; c++) sum += fmaxf(0, w->value[(size_t)r * w->cols + c]);
        most = fmaxf(most, sum);
    }
    return most;
}

/* A bias is divided by all factors so far: its unit sees inputs that were divided before. */
static rheo_status scale_layers(rheo_session *session, uint32_t by, const float *maximum)
{
    rheo_net *net = session->net;
    float previous = 1, all = 1;
    for (uint32_t n = 0; n < net->nodes; n++) {
        rheo_node_spec *node = &net->node[n];
        if (node->layer->kind != RHEO_PROJECTION) continue;
        int population = population_after(net, n);
        rheo_param *w = rheo__net_param(net, node->name, "weight");
        rheo_param *bias = rheo__net_param(net, node->name, "bias");
        float factor;
        if (by == BY_DATA) {
            factor = maximum[population] / previous;
            previous = maximum[population];
        } else if (by == BY_RELEASED) {
            factor = fmaxf(maximum[population], largest_weight(w)) / previous;
            previous = factor;
        } else
            factor = largest_input(w, bias, all);
        RHEO_CHECK(session->ctx, factor > 0 && isfinite(factor), RHEO_NUMERIC,
                   "normalise: layer '%s' never gives a positive value; train the net first",
                   node->name);
        all *= factor;
        divide(w, factor);
        if (bias) divide(bias, all);
    }
    return RHEO_OK;
}

static rheo_status look(rheo_session *session, maxima *m, rheo_visitor *visit)
{
    rheo_sweep sweep = {.split = RHEO_TRAIN,
                        .limit = (uint32_t)session->now->options.v[SAMPLES],
                        .what = "normalise",
                        .visit = visit,
                        .arg = m};
    return rheo__sweep(session, &sweep);
}

/* Fills value[0 … nodes-1] with each node's largest activation, or its percentile. */
static rheo_status find_scales(rheo_session *session, maxima *m, double percentile)
{
    uint32_t threads = rheo_threads(session->ctx);
    RHEO_TRY(look(session, m, visit_maxima));
    for (uint32_t i = 1; i < threads; i++)
        for (uint32_t n = 0; n < m->nodes; n++)
            m->value[n] = fmaxf(m->value[n], m->value[(size_t)i * m->nodes + n]);
    if (percentile >= 100) return RHEO_OK;
    RHEO_TRY(rheo__alloc(session->ctx, (size_t)threads * m->nodes * BINS, sizeof *m->count,
                         "normalise", &m->count));
    RHEO_TRY(look(session, m, visit_histogram));
    take_percentile(m, threads, percentile);
    return RHEO_OK;
}

static rheo_status normalise(rheo_session *session)
{
    const double *v = session->now->options.v;
    uint32_t by = (uint32_t)v[BY];
    if (by == BY_NONE) return RHEO_OK;
    maxima m = {.nodes = session->net->nodes};
    RHEO_TRY(rheo__alloc(session->ctx, (size_t)rheo_threads(session->ctx) * m.nodes, sizeof(float),
                         "normalise", &m.value));
    rheo_status status = RHEO_OK;
    if (by != BY_MODEL) status = find_scales(session, &m, by == BY_DATA ? v[PERCENTILE] : 100);
    if (!status) status = scale_layers(session, by, m.value);
    rheo__release(session->ctx, m.count);
    rheo__release(session->ctx, m.value);
    return status;
}

static rheo_status normalise_edit(rheo_session *session)
{
    const rheo_net *net = session->net;
    for (uint32_t n = 0; n < net->nodes; n++) {
        if (net->node[n].layer->kind != RHEO_PROJECTION) continue;
        int population = population_after(net, n);
        const char *units = population >= 0 ? net->node[population].neuron->name : "";
        bool linear = !strcmp(units, "identity") && (uint32_t)population == net->output;
        bool fits =
            (linear || !strcmp(units, "relu")) && rheo__net_param(net, net->node[n].name, "weight");
        RHEO_CHECK(
            session->ctx, fits, RHEO_USAGE,
            "normalise: layer '%s' must lead to relu units, or to identity units as the output; "
            "found %s",
            net->node[n].name, population >= 0 ? net->node[population].neuron->name : "none");
    }
    return RHEO_OK;
}

const rheo_learner rheo__learner_normalise = {
    .name = "normalise",
    .title = "weight normalisation before conversion",
    .equations = "W_l <- W_l lambda_(l-1) / lambda_l",
    .source = "Diehl et al. 2015 (IJCNN); Rueckauer et al. 2017, eq. 6",
    .needs = "nothing",
    .fields = normalise_fields,
    .edit = normalise_edit,
    .apply = normalise};

/* ---- spike ---- */

enum { MODEL, RESET, THRESHOLD, START, TAU_SYN };
enum { MODEL_IF };
static const char *const model_names[] = {"if", "lif-refractory", NULL};
static const char *const reset_names[] = {"subtract", "zero", NULL};

static const rheo_field spike_fields[] = {
    RHEO_CHOICE_FIELD("model", 0, model_names, "The spiking neuron."),
    RHEO_CHOICE_FIELD("reset", 0, reset_names, "For if: what a spike does to the membrane."),
    RHEO_NUMBER_FIELD("threshold", "1", 1, 1e-6, 1e6, "For if."),
    RHEO_NUMBER_FIELD("start", "1", 0, -1e6, 1e6,
                      "For if: the membrane at the start; half the threshold makes rates round."),
    RHEO_NUMBER_FIELD("tau_syn", "ms", 0, 0, 1e4,
                      "For lif-refractory: time constant of the synaptic filter; 0: none."),
    RHEO_FIELD_END};

static void set_if_there(const rheo_neuron *neuron, rheo_options *options, const char *name,
                         double value)
{
    int index = rheo__field_index(neuron->fields, name);
    if (index >= 0) options->v[index] = value;
}

static double option_of(const rheo_node_spec *node, const char *name)
{
    int index = rheo__field_index(node->neuron->fields, name);
    return index >= 0 ? node->neuron_options.v[index] : 0;
}

static rheo_status spike_edit(rheo_session *session)
{
    const double *v = session->now->options.v;
    rheo_net *net = session->net;
    const rheo_neuron *spiking = rheo__neuron_find(model_names[(uint32_t)v[MODEL]]);
    bool found = false;
    for (uint32_t n = 0; n < net->nodes; n++) {
        rheo_node_spec *node = &net->node[n];
        bool soft = node->neuron && !strcmp(node->neuron->name, "soft-lif");
        bool relu = node->neuron && !strcmp(node->neuron->name, "relu");
        bool linear = node->neuron && !strcmp(node->neuron->name, "identity");
        if (linear && v[MODEL] == MODEL_IF) relu = true; /* what is negative stays silent */
        if (!soft && !relu) continue;
        RHEO_CHECK(session->ctx, soft == !strcmp(spiking->name, "lif-refractory"), RHEO_USAGE,
                   "spike: node '%s': %s units become %s neurons, not %s", node->name,
                   node->neuron->name, soft ? "lif-refractory" : "if", spiking->name);
        rheo_options options = rheo__field_defaults(spiking->fields);
        int reset = rheo__field_index(spiking->fields, "reset");
        for (uint32_t c = 0; reset >= 0 && spiking->fields[reset].choices[c]; c++)
            if (!strcmp(spiking->fields[reset].choices[c], reset_names[(uint32_t)v[RESET]]))
                options.v[reset] = c;
        int when = rheo__field_index(spiking->fields, "when");
        for (uint32_t c = 0; when >= 0 && spiking->fields[when].choices[c]; c++)
            if (!strcmp(spiking->fields[when].choices[c], "same")) options.v[when] = c;
        set_if_there(spiking, &options, "threshold", v[THRESHOLD]);
        set_if_there(spiking, &options, "start", v[START]);
        set_if_there(spiking, &options, "tau_syn", v[TAU_SYN]);
        double gain = option_of(node, "gain"), amplitude = option_of(node, "amplitude");
        for (const rheo_field *f = node->neuron->fields; soft && f->name; f++)
            if (!strcmp(f->name, "tau_rc") || !strcmp(f->name, "tau_ref"))
                set_if_there(spiking, &options, f->name,
                             node->neuron_options.v[f - node->neuron->fields]);
        RHEO_TRY(rheo__net_set_neuron(net, n, spiking, &options));
        node->gain = gain;
        node->amplitude = amplitude;
        found = true;
    }
    RHEO_CHECK(session->ctx, found, RHEO_USAGE,
               "spike: the net has no relu or soft-lif units that could become spiking neurons");
    return RHEO_OK;
}

/* What soft-LIF units had beside their weights goes into the weights: their gain into those that feed
 * them, their amplitude (rate = spikes a step / dt) into those that they feed. */
static rheo_status spike_apply(rheo_session *session)
{
    rheo_net *net = session->net;
    for (uint32_t n = 0; n < net->nodes; n++) {
        if (net->node[n].layer->kind != RHEO_PROJECTION) continue;
        int before = -1, after = population_after(net, n);
        for (uint32_t p = 0; p < n; p++)
            if (net->node[p].neuron) before = (int)p;
        double amplitude = before >= 0 ? net->node[before].amplitude : 0;
        double gain = after >= 0 ? net->node[after].gain : 0;
        rheo_param *w = rheo__net_param(net, net->node[n].name, "weight");
        rheo_param *bias = rheo__net_param(net, net->node[n].name, "bias");
        if (amplitude > 0 && w) divide(w, (float)(net->node[n].dt / amplitude));
        if (gain > 0 && w) divide(w, (float)(1 / gain));
        if (gain > 0 && bias) divide(bias, (float)(1 / gain));
    }
    return RHEO_OK;
}

const rheo_learner rheo__learner_spike = {
    .name = "spike",
    .title = "spiking neurons in the place of analogue units",
    .equations = "relu -> if,  soft-lif -> lif-refractory",
    .source = "Diehl et al. 2015; Hunsberger & Eliasmith 2015 (arXiv 1510.08829)",
    .needs = "nothing",
    .fields = spike_fields,
    .edit = spike_edit,
    .apply = spike_apply};
