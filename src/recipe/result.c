/* result.c: what a run leaves behind as text: result.json, manifest.json, metrics.csv. */
#include "cost/cost.h"
#include "recipe/job.h"
#include "readout/readout.h"
#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define ENERGY "45nm"

void rheo__wilson(double k, double n, double interval[2])
{
    const double z = 1.959963984540054;
    if (n <= 0) {
        interval[0] = 0;
        interval[1] = 100;
        return;
    }
    double p = k / n, middle = p + z * z / (2 * n), scale = 1 + z * z / n;
    double half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n));
    interval[0] = 100 * fmax(0, (middle - half) / scale);
    interval[1] = 100 * fmin(1, (middle + half) / scale);
}

/* ---- outcomes ---- */

rheo_status rheo__outcome_make(rheo_context *ctx, const char *name, const rheo_tally *tally,
                               rheo_outcome *out)
{
    *out = (rheo_outcome){.steps = tally->steps, .samples = tally->samples};
    snprintf(out->name, sizeof out->name, "%s", name);
    RHEO_TRY(rheo__alloc(ctx, tally->steps, sizeof(double), "a result", &out->accuracy_at));
    rheo_status status =
        rheo__alloc(ctx, tally->steps, sizeof(double), "a result", &out->operations_at);
    if (status) {
        rheo__outcome_free(ctx, out);
        return status;
    }
    double samples = tally->samples ? tally->samples : 1;
    for (uint32_t t = 0; t < tally->steps; t++) {
        out->accuracy_at[t] = 100.0 * (double)tally->correct_at[t] / samples;
        out->operations_at[t] = tally->operations_at[t];
    }
    out->accuracy = 100.0 * (double)tally->correct / samples;
    out->source_rule = 100.0 * (double)tally->correct_first / samples;
    out->to_decision = tally->steps;
    for (uint32_t t = tally->steps; t-- > 0 && fabs(out->accuracy_at[t] - out->accuracy) <= 1.0;)
        out->to_decision = t + 1;
    return RHEO_OK;
}

void rheo__outcome_free(rheo_context *ctx, rheo_outcome *outcome)
{
    rheo__release(ctx, outcome->accuracy_at);
    rheo__release(ctx, outcome->operations_at);
    outcome->accuracy_at = outcome->operations_at = NULL;
}

/* ---- JSON ---- */

static void number_or_null(cJSON *to, const char *key, double value)
{
    if (isfinite(value))
        cJSON_AddNumberToObject(to, key, value);
    else
        cJSON_AddNullToObject(to, key);
}

static void add_curve(cJSON *to, const char *key, const double *value, uint32_t count)
{
    cJSON_AddItemToObject(to, key, cJSON_CreateDoubleArray(value, (int)count));
}

static void network_text(const rheo_job *job, rheo_text *out)
{
    const rheo_doc *net = job->recipe->net;
    if (net->kind == RHEO_SCALAR && !strchr(net->text, 'n') && !strchr(net->text, 'o')) {
        rheo__text_add(out, "%s", net->text);
        return;
    }
    rheo__text_add(out, "%u", rheo_net_inputs(job->net));
    for (uint32_t n = 1; n < job->net->nodes; n++)
        if (rheo__is_population(&job->net->node[n]))
            rheo__text_add(out, "-%u", rheo__shape_size(job->net->node[n].out));
}

static void add_accuracy(cJSON *root, const rheo_job *job, const rheo_result *result)
{
    const rheo_outcome *main = &result->main;
    cJSON *accuracy = cJSON_AddObjectToObject(root, "accuracy");
    double interval[2], each[1] = {main->accuracy};
    rheo__wilson((double)result->tally.correct, main->samples, interval);
    cJSON_AddNumberToObject(accuracy, "mean", main->accuracy);
    cJSON_AddNullToObject(accuracy, "sd");
    add_curve(accuracy, "interval", interval, 2);
    add_curve(accuracy, "each", each, 1);
    cJSON_AddNumberToObject(accuracy, "source_rule", main->source_rule);
    double accept = job->recipe->accept;
    number_or_null(root, "reported", job->recipe->reported);
    number_or_null(root, "accept", accept);
    cJSON_AddStringToObject(root, "verdict",
                            isnan(accept)              ? "none"
                            : main->accuracy >= accept ? "reached"
                                                       : "short");
}

static void add_cost(cJSON *root, const rheo_job *job, const rheo_result *result)
{
    const rheo_tally *tally = &result->tally;
    double samples = tally->samples ? tally->samples : 1;
    double macs = (double)tally->counts.macs / samples, acs = (double)tally->counts.acs / samples;
    double updates = (double)tally->counts.updates / samples;
    const rheo_energy_table *table = rheo__energy_find(ENERGY);
    double neurons = (double)tally->neurons;
    number_or_null(root, "spikes_per_neuron",
                   neurons > 0 ? (double)tally->counts.spikes / samples / neurons : NAN);
    cJSON_AddNumberToObject(root, "synaptic_operations", (double)tally->counts.synops / samples);
    cJSON_AddNumberToObject(root, "macs", macs);
    cJSON_AddNumberToObject(root, "acs", acs);
    cJSON_AddNumberToObject(root, "updates", updates);
    cJSON_AddNumberToObject(root, "bytes", (double)tally->counts.bytes / samples);
    cJSON_AddNumberToObject(root, "macs_without_spikes",
                            (double)rheo__macs_without_spikes(job->net));
    cJSON_AddNumberToObject(root, "energy_nj", rheo__energy_nj(table, macs, acs, updates));
    cJSON_AddStringToObject(root, "energy_table", table->name);
    cJSON_AddNumberToObject(root, "steps_to_decision", result->main.to_decision);
    add_curve(root, "accuracy_by_step", result->main.accuracy_at, result->main.steps);
    add_curve(root, "operations_by_step", result->main.operations_at, result->main.steps);
}

static void add_confusion(cJSON *root, const rheo_job *job, const rheo_tally *tally)
{
    cJSON *rows = cJSON_AddArrayToObject(root, "confusion");
    cJSON *names = cJSON_AddArrayToObject(root, "classes");
    for (uint32_t label = 0; label < tally->classes; label++) {
        cJSON *row = cJSON_CreateArray();
        for (uint32_t c = 0; c < tally->classes; c++) {
            double count = (double)tally->confusion[(size_t)label * tally->classes + c];
            cJSON_AddItemToArray(row, cJSON_CreateNumber(count));
        }
        cJSON_AddItemToArray(rows, row);
        char number[16];
        snprintf(number, sizeof number, "%u", label);
        const char *name = job->data->class_name ? job->data->class_name[label] : number;
        cJSON_AddItemToArray(names, cJSON_CreateString(name));
    }
}

static const rheo_learner *main_learner(const rheo_job *job)
{
    for (uint32_t p = 0; p < job->recipe->phases; p++)
        if (!job->recipe->phase[p].learner->apply) return job->recipe->phase[p].learner;
    return job->recipe->phase[0].learner;
}

static void add_hardware(cJSON *root, const rheo_job *job)
{
    rheo_hardware hardware;
    const rheo_learner *learner = main_learner(job);
    rheo__hardware(job->net, learner->needs, learner->local, &hardware);
    bool real = job->recipe->code.encoder->form == RHEO_REAL; /* a value at every step */
    hardware.multiplies = hardware.multiplies || real;
    hardware.event_driven = hardware.event_driven && !real;
    cJSON *to = cJSON_AddObjectToObject(root, "hardware");
    cJSON_AddNumberToObject(to, "parameters", (double)hardware.parameters);
    cJSON_AddNumberToObject(to, "bits", (double)hardware.parameter_bits);
    cJSON_AddNumberToObject(to, "fan_in", hardware.fan_in);
    cJSON_AddNumberToObject(to, "states", hardware.states);
    cJSON_AddBoolToObject(to, "multiplies", hardware.multiplies);
    cJSON_AddBoolToObject(to, "event_driven", hardware.event_driven);
    cJSON_AddStringToObject(to, "learning", hardware.learning);
    cJSON_AddBoolToObject(to, "on_chip", hardware.learns_on_chip);
    cJSON *chips = cJSON_AddArrayToObject(to, "chips");
    for (uint32_t c = 0; hardware.chips[c]; c++)
        cJSON_AddItemToArray(chips, cJSON_CreateString(hardware.chips[c]));
}

static void add_variants(cJSON *root, const rheo_result *result)
{
    cJSON *list = cJSON_AddArrayToObject(root, "variants");
    for (uint32_t v = 0; v < result->variants; v++) {
        const rheo_outcome *outcome = &result->variant[v];
        cJSON *to = cJSON_CreateObject();
        cJSON_AddStringToObject(to, "name", outcome->name);
        cJSON_AddNumberToObject(to, "accuracy", outcome->accuracy);
        cJSON_AddNumberToObject(to, "steps_to_decision", outcome->to_decision);
        add_curve(to, "accuracy_by_step", outcome->accuracy_at, outcome->steps);
        add_curve(to, "operations_by_step", outcome->operations_at, outcome->steps);
        cJSON_AddItemToArray(list, to);
    }
}

/* cJSON gives NULL when memory is short. */
static rheo_status print(rheo_context *ctx, cJSON *root, rheo_text *out)
{
    char *text = root ? cJSON_Print(root) : NULL;
    cJSON_Delete(root);
    RHEO_CHECK(ctx, text, RHEO_MEMORY, "out of memory: a result");
    rheo__text_add(out, "%s\n", text);
    cJSON_free(text);
    return out->status;
}

/* "rheobase train NAME --size full --seed 1 --set …" */
static void command_text(const rheo_recipe *recipe, rheo_text *out)
{
    rheo__text_add(out, "rheobase train recipes/%s.yaml --size %s --seed %llu", recipe->name,
                   recipe->size, (unsigned long long)recipe->seed);
    for (const char *set = recipe->set; *set;) {
        int length = (int)strcspn(set, "\n");
        rheo__text_add(out, " --set '%.*s'", length, set);
        set += length + (set[length] == '\n');
    }
}

rheo_status rheo__result_json(const rheo_job *job, const rheo_result *result, rheo_text *out)
{
    const rheo_recipe *recipe = job->recipe;
    char precision[32];
    rheo__precision_text(recipe, precision);
    rheo_text network = {.ctx = job->ctx}, command = {.ctx = job->ctx};
    network_text(job, &network);
    command_text(recipe, &command);
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "name", recipe->name);
    cJSON_AddStringToObject(root, "title", recipe->title);
    cJSON_AddStringToObject(root, "family", recipe->family);
    cJSON_AddStringToObject(root, "data", job->data->name);
    cJSON_AddStringToObject(root, "size", recipe->size);
    cJSON_AddNumberToObject(root, "seed", (double)recipe->seed);
    cJSON_AddStringToObject(root, "network", network.data ? network.data : "");
    cJSON_AddNumberToObject(root, "steps", result->main.steps);
    cJSON_AddStringToObject(root, "precision", precision);
    cJSON_AddNumberToObject(root, "dt_ms", recipe->code.dt);
    cJSON_AddNumberToObject(root, "parameters", (double)rheo__net_parameter_count(job->net));
    cJSON_AddNumberToObject(root, "neurons", (double)result->tally.neurons);
    add_accuracy(root, job, result);
    add_cost(root, job, result);
    add_confusion(root, job, &result->tally);
    cJSON *train = cJSON_AddObjectToObject(root, "train");
    cJSON_AddNumberToObject(train, "seconds", result->train_seconds);
    cJSON_AddNumberToObject(train, "operations", result->train_operations);
    cJSON_AddNumberToObject(train, "peak_mb", result->peak_mb);
    cJSON_AddNumberToObject(train, "epochs", result->epochs);
    if (result->kept > 0)
        cJSON_AddNumberToObject(train, "kept", result->kept);
    else
        cJSON_AddNullToObject(train, "kept");
    cJSON_AddNumberToObject(train, "samples", job->data->count[RHEO_TRAIN]);
    add_hardware(root, job);
    add_variants(root, result);
    cJSON_AddStringToObject(root, "command", command.data ? command.data : "");
    cJSON_AddStringToObject(root, "commit", rheo_commit());
    rheo__text_free(&network);
    rheo__text_free(&command);
    return print(job->ctx, root, out);
}

void rheo__cpu_name(char *out, size_t room)
{
    FILE *file = fopen("/proc/cpuinfo", "re");
    char line[256];
    snprintf(out, room, "unknown");
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, "model name", 10) != 0 || !strchr(line, ':')) continue;
        line[strcspn(line, "\n")] = 0;
        snprintf(out, room, "%s", strchr(line, ':') + 2);
        break;
    }
    if (file) fclose(file);
}

rheo_status rheo__manifest_json(const rheo_job *job, const char *start, const char *end,
                                rheo_text *out)
{
    char cpu[256], precision[32];
    rheo__cpu_name(cpu, sizeof cpu);
    rheo__precision_text(job->recipe, precision);
    rheo_text command = {.ctx = job->ctx};
    command_text(job->recipe, &command);
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "version", rheo_version());
    cJSON_AddStringToObject(root, "commit", rheo_commit());
    cJSON_AddStringToObject(root, "cpu", cpu);
    cJSON_AddStringToObject(root, "isa", rheo_isa(job->ctx));
    cJSON_AddStringToObject(root, "precision", precision);
    cJSON_AddNumberToObject(root, "threads", rheo_threads(job->ctx));
    cJSON_AddNumberToObject(root, "seed", (double)job->recipe->seed);
    cJSON_AddStringToObject(root, "start", start);
    cJSON_AddStringToObject(root, "end", end);
    cJSON_AddStringToObject(root, "command", command.data ? command.data : "");
    rheo__text_free(&command);
    cJSON *files = cJSON_AddArrayToObject(root, "data");
    for (uint32_t f = 0; f < job->data->files; f++) {
        const char *path = job->data->file[f].path, *name = strrchr(path, '/');
        cJSON *file = cJSON_CreateObject();
        cJSON_AddStringToObject(file, "path", name ? name + 1 : path);
        cJSON_AddStringToObject(file, "sha256", job->data->file[f].sha256);
        cJSON_AddBoolToObject(file, "known", job->data->file[f].known);
        cJSON_AddItemToArray(files, file);
    }
    return print(job->ctx, root, out);
}

/* ---- metrics.csv ---- */

static void add_figure(rheo_text *out, double value)
{
    if (isfinite(value))
        rheo__text_add(out, ",%.10g", value);
    else
        rheo__text_add(out, ",");
}

void rheo__metrics_csv(const rheo_session *session, rheo_text *out)
{
    const rheo_net *net = session->net;
    rheo__text_add(out, "phase,epoch,loss,train_accuracy,validation_accuracy,gradient_norm,seconds,"
                        "operations,learning_rate");
    uint32_t layers = 0;
    for (uint32_t n = 0; n < net->nodes && layers < RHEO_METRIC_LAYERS; n++)
        if (rheo__is_population(&net->node[n])) {
            rheo__text_add(out, ",rate.%s,silent.%s", net->node[n].name, net->node[n].name);
            layers++;
        }
    rheo__text_add(out, "\n");
    for (uint32_t i = 0; i < session->lines; i++) {
        const rheo_metrics *line = &session->line[i];
        rheo__text_add(out, "%.0f,%.0f", line->phase, line->epoch);
        add_figure(out, line->loss);
        add_figure(out, line->train_accuracy);
        add_figure(out, line->validation_accuracy);
        add_figure(out, line->gradient);
        add_figure(out, line->seconds);
        add_figure(out, line->operations);
        add_figure(out, line->learning_rate);
        for (uint32_t l = 0; l < layers; l++) {
            add_figure(out, line->rate[l]);
            add_figure(out, line->silent[l]);
        }
        rheo__text_add(out, "\n");
    }
}
