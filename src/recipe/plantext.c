/* plantext.c: `rheobase plan`: what a recipe's training will be, before it begins. */
#include "base/clock.h"
#include "cost/cost.h"
#include "layer/correlate.h"
#include "layer/weights.h"
#include "recipe/job.h"
#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define MEGA 1e6
/* Code and tables of the libraries that are first touched after the data are loaded [bytes]. */
#define LIBRARIES 5e6

typedef struct forecast {
    size_t train, test, net; /* bytes of plans and learners; of the net itself */
    size_t saved;            /* of what a checkpoint holds */
    double peak;             /* of the process above its size after loading the data [bytes] */
    double batch_seconds;    /* of one training batch, measured now; NaN when not trained so */
    double seconds;          /* of all epochs */
    uint64_t macs;           /* without spikes */
} forecast;

static size_t net_bytes(const rheo_net *net)
{
    size_t bytes = 0;
    for (uint32_t p = 0; p < net->params; p++)
        bytes += (size_t)net->param[p].rows * net->param[p].cols * sizeof(float);
    return bytes;
}

/* What the learner and the net put into a checkpoint. */
static rheo_status add_slots(rheo_job *job, forecast *f)
{
    static const size_t element[] = {4, 8, 4, 8, 1};
    rheo_slot *slots = NULL;
    RHEO_TRY(rheo__alloc(job->ctx, RHEO_SESSION_SLOTS, sizeof *slots, "a plan", &slots));
    uint32_t count = rheo__net_slots(job->net, slots, RHEO_SESSION_SLOTS);
    const rheo_learner *learner = job->session.now->learner;
    if (learner->slots)
        count += learner->slots(&job->session, slots + count, RHEO_SESSION_SLOTS - count);
    for (uint32_t s = 0; s < count; s++)
        f->saved +=
            (size_t)slots[s].rows * (slots[s].cols ? slots[s].cols : 1) * element[slots[s].type];
    rheo__release(job->ctx, slots);
    return RHEO_OK;
}

/* Time of a batch: the first three batches of the first trained phase, run and thrown away. */
static rheo_status time_phase(rheo_job *job, const rheo_phase *phase, forecast *f)
{
    rheo_session *session = &job->session;
    session->now = phase;
    size_t bytes = 0;
    RHEO_TRY(phase->learner->begin(session, false, &bytes));
    rheo_status status = add_slots(job, f);
    double best = INFINITY;
    uint32_t total = job->data->count[RHEO_TRAIN], done = 0;
    for (uint32_t i = 0; i < 3 && session->at < total && !status; i++) {
        double began = rheo__now();
        uint32_t before = session->at;
        status = phase->learner->batch(session);
        done = session->at - before;
        best = fmin(best, rheo__now() - began);
    }
    phase->learner->end(session);
    session->at = 0;
    if (status || done == 0) return status;
    int epochs = rheo__field_index(phase->learner->fields, "epochs");
    f->batch_seconds = best;
    f->seconds = best / done * total * phase->options.v[epochs];
    return RHEO_OK;
}

/* The net that is tested may be another than the one that is trained: its edits are applied. */
static rheo_status make_forecast(rheo_job *job, forecast *f)
{
    f->batch_seconds = f->seconds = NAN;
    f->macs = rheo__macs_without_spikes(job->net);
    f->net = net_bytes(job->net);
    for (uint32_t p = 0; p < job->recipe->phases; p++)
        if (!job->recipe->phase[p].learner->apply) {
            RHEO_TRY(time_phase(job, &job->recipe->phase[p], f));
            break;
        }
    rheo_session_request request = rheo__job_request(job);
    RHEO_TRY(rheo__session_measure(&job->session, &request, &f->train, &f->test));
    /* Training holds the net, the learner, and, when it saves, the file's image twice (in HDF5's hands
     * and in ours); testing holds the net, its copies for variants, and a plan a thread. */
    double training = (double)f->net + (double)f->train + 2 * (double)f->saved;
    double testing = (double)f->net * (job->recipe->variants > 0 ? 3 : 1) + (double)f->test;
    f->peak = LIBRARIES + fmax(training, testing);
    return RHEO_OK;
}

static void describe(const rheo_node_spec *node, char out[160])
{
    rheo_options defaults =
        node->layer->fields ? rheo__field_defaults(node->layer->fields) : (rheo_options){{0}};
    const rheo_field *fields = node->layer->fields;
    const rheo_options *options = &node->options;
    int at = snprintf(out, 160, "%s", node->neuron ? node->neuron->name : node->layer->name);
    if (node->neuron) {
        fields = node->neuron->fields;
        defaults = rheo__field_defaults(fields);
        options = &node->neuron_options;
    }
    for (uint32_t i = 0; fields && fields[i].name && at < 120; i++) {
        if (options->v[i] == defaults.v[i] || !strcmp(fields[i].name, "out")) continue;
        if (isnan(options->v[i]) && isnan(defaults.v[i])) continue;
        char value[64];
        rheo__field_print(&fields[i], options->v[i], value);
        const bool own = node->formula.ops && !strcmp(fields[i].name, "surrogate");
        at += snprintf(out + at, (size_t)(160 - at), " %s %s", fields[i].name,
                       own ? node->formula.text : value);
    }
}

static uint64_t node_params(const rheo_node_spec *node)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < node->params; i++)
        if (node->param[i]->trained || (node->synapse && !strcmp(node->param[i]->name, "weight")))
            count += (uint64_t)node->param[i]->rows * node->param[i]->cols;
    return count;
}

/* The kernels that a projection's input and weights call for. */
static const char *kernel_of(const rheo_job *job, uint32_t n)
{
    const rheo_net *net = job->net;
    const rheo_node_spec *node = &net->node[n];
    if (node->layer->kind != RHEO_PROJECTION) return "";
    if (node->synapse) return "event rows, delays, plasticity";
    const bool dense = !strcmp(node->layer->name, "dense");
    int binary = node->layer->fields ? rheo__field_index(node->layer->fields, "weights") : -1;
    for (uint32_t e = 0; e < net->edges; e++) {
        if (net->edge[e].to != n) continue;
        uint32_t from = net->edge[e].from;
        while (from > 0 && net->node[from].layer->kind == RHEO_MAPPING)
            for (uint32_t d = 0; d < net->edges; d++)
                if (net->edge[d].to == from) {
                    from = net->edge[d].from;
                    break;
                }
        bool bits = from == 0 ? job->session.code.encoder->form == RHEO_BITS
                              : rheo__fires(&net->node[from]);
        const bool bf16 = dense && net->precision == RHEO_BF16;
        if (binary >= 0 && (int)node->options.v[binary] == RHEO_BINARY_WEIGHTS && dense)
            return bits ? "popcount" : "bit planes";
        if (bits && dense && rheo__shape_size(node->out) <= rheo__kernels(job->ctx)->few)
            return "spikes: gather or bits by density";
        if (bits) return bf16 ? "spikes: dense, bf16" : "spikes: gather or dense by density";
        if (from == 0 && job->session.code.encoder->fixed)
            return bf16 ? "dense, bf16, static input once" : "dense, static input once";
        return bf16 ? "dense, bf16" : "dense";
    }
    return "";
}

static void write_layers(const rheo_job *job, rheo_text *out)
{
    rheo__text_add(out, "%-10s %-12s %10s %12s  %-34s %s\n", "node", "shape", "parameters", "MACs",
                   "kernel", "kind");
    for (uint32_t n = 0; n < job->net->nodes; n++) {
        const rheo_node_spec *node = &job->net->node[n];
        char kind[160], shape[48];
        describe(node, kind);
        rheo__shape_text(node->out, shape);
        rheo__text_add(out, "%-10s %-12s %10llu %12llu  %-34s %s\n", node->name, shape,
                       (unsigned long long)node_params(node),
                       (unsigned long long)rheo__node_macs(node), kernel_of(job, n), kind);
    }
}

static void write_text(const rheo_job *job, const forecast *f, rheo_text *out)
{
    const rheo_recipe *recipe = job->recipe;
    char precision[32];
    rheo__precision_text(recipe, precision);
    rheo__text_add(out, "%s: %s\n", recipe->name, recipe->title);
    rheo__text_add(out, "%s of %s: %u training, %u validation, %u test samples, batch %u\n",
                   recipe->size, job->data->name, job->data->count[RHEO_TRAIN],
                   job->data->count[RHEO_VALIDATION], job->data->count[RHEO_TEST], recipe->batch);
    rheo__text_add(out, "%s input, %u steps of %g ms, phases:", recipe->code.encoder->name,
                   recipe->code.steps, recipe->code.dt);
    for (uint32_t p = 0; p < recipe->phases; p++)
        rheo__text_add(out, " %s", recipe->phase[p].learner->name);
    rheo__text_add(out, "\n\n");
    write_layers(job, out);
    rheo__text_add(out, "\n%-34s %llu\n", "parameters",
                   (unsigned long long)rheo__net_parameter_count(job->net));
    rheo__text_add(out, "%-34s %llu a sample\n", "MACs of the same net without spikes",
                   (unsigned long long)f->macs);
    rheo__text_add(out,
                   "%-34s %s; spikes are gathered below a density of %.2f, by convolutions %.2f\n",
                   "kernels", rheo_isa(job->ctx), rheo__gather_density(job->ctx, 1000),
                   rheo__correlate_density(job->ctx));
    rheo__text_add(out, "%-34s %s\n", "precision", precision);
    rheo__text_add(out, "%-34s %.1f MB training, %.1f MB testing, %.1f MB net\n", "memory of plans",
                   (double)f->train / MEGA, (double)f->test / MEGA, (double)f->net / MEGA);
    rheo__text_add(out, "%-34s %.1f MB above the data\n", "peak, predicted", f->peak / MEGA);
    if (isfinite(f->seconds))
        rheo__text_add(out, "%-34s %.1f s (%.2f ms a batch, measured here)\n",
                       "training, predicted", f->seconds, 1e3 * f->batch_seconds);
}

static rheo_status write_json(const rheo_job *job, const forecast *f, rheo_text *out)
{
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "name", job->recipe->name);
    cJSON_AddNumberToObject(root, "steps", job->recipe->code.steps);
    cJSON_AddNumberToObject(root, "batch", job->recipe->batch);
    char precision[32];
    rheo__precision_text(job->recipe, precision);
    cJSON_AddStringToObject(root, "precision", precision);
    cJSON *layers = cJSON_AddArrayToObject(root, "layers");
    for (uint32_t n = 0; n < job->net->nodes; n++) {
        const rheo_node_spec *node = &job->net->node[n];
        char kind[160];
        describe(node, kind);
        cJSON *to = cJSON_CreateObject();
        cJSON_AddStringToObject(to, "node", node->name);
        cJSON_AddStringToObject(to, "kind", kind);
        cJSON_AddNumberToObject(to, "inputs", rheo__shape_size(node->in));
        cJSON_AddNumberToObject(to, "outputs", rheo__shape_size(node->out));
        cJSON_AddNumberToObject(to, "parameters", (double)node_params(node));
        cJSON_AddStringToObject(to, "kernel", kernel_of(job, n));
        cJSON_AddItemToArray(layers, to);
    }
    cJSON_AddNumberToObject(root, "parameters", (double)rheo__net_parameter_count(job->net));
    cJSON_AddNumberToObject(root, "macs_without_spikes", (double)f->macs);
    cJSON_AddNumberToObject(root, "train_bytes", (double)f->train);
    cJSON_AddNumberToObject(root, "test_bytes", (double)f->test);
    cJSON_AddNumberToObject(root, "net_bytes", (double)f->net);
    cJSON_AddNumberToObject(root, "peak_bytes", f->peak);
    if (isfinite(f->seconds)) cJSON_AddNumberToObject(root, "train_seconds", f->seconds);
    char *text = cJSON_Print(root);
    cJSON_Delete(root);
    RHEO_CHECK(job->ctx, text, RHEO_MEMORY, "out of memory: a plan");
    rheo__text_add(out, "%s\n", text);
    cJSON_free(text);
    return RHEO_OK;
}

rheo_status rheo_recipe_plan(rheo_recipe *recipe, bool json, char **text)
{
    rheo_job job;
    forecast f = {0};
    RHEO_TRY(rheo__job_open(recipe->ctx, recipe, &job));
    rheo_text out = {.ctx = recipe->ctx};
    rheo_status status = make_forecast(&job, &f);
    if (!status && json) status = write_json(&job, &f, &out);
    if (!status && !json) write_text(&job, &f, &out);
    if (!status) status = out.status;
    rheo__job_close(&job);
    if (status)
        rheo__text_free(&out);
    else
        *text = out.data;
    return status;
}
