/* diagnose.c: `rheobase diagnose`: why does a net not learn? One training batch goes forward and
 * backward through the net as it was left by a run (its model, or its last checkpoint), nothing is
 * learned; activity, membranes, gradients and the optimiser's first step are measured and compared
 * with what findings.c calls wrong. */
#include "base/file.h"
#include "kernels/kernels.h"
#include "learn/finite.h"
#include "recipe/findings.h"
#include "report/row.h"
#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMBRANES (UINT32_C(1) << 18) /* values of a population that are looked at, at most */

typedef struct doctor {
    rheo_job job;
    rheo_recipe *recipe; /* of a run without a model; NULL: the job's own */
    rheo_look look;
    char (*path)[40]; /* "1.v" of each population */
    const char **record;
    float *v, *x, *d; /* [MEMBRANES] */
    rheo_finding *finding;
    uint32_t findings;
} doctor;

/* ---- the run ---- */

static rheo_status load_checkpoint(rheo_context *ctx, const char *file, doctor *d)
{
    char *text = NULL;
    rheo_slot *slots = NULL;
    RHEO_TRY(rheo__slots_text(ctx, file, &text));
    rheo_status status = rheo__recipe_from_text(ctx, text, file, &d->recipe);
    rheo__release(ctx, text);
    if (!status) status = rheo__job_open(ctx, d->recipe, &d->job);
    if (!status)
        status = rheo__alloc(ctx, RHEO_SESSION_SLOTS, sizeof *slots, "a checkpoint", &slots);
    if (!status) {
        uint32_t count = rheo__net_slots(d->job.net, slots, RHEO_SESSION_SLOTS);
        status = rheo__slots_load(ctx, file, NULL, slots, count);
        rheo_net_touch(d->job.net);
    }
    rheo__release(ctx, slots);
    return status;
}

static rheo_status load(rheo_context *ctx, const char *folder, doctor *d)
{
    char model[RHEO_PATH], checkpoint[RHEO_PATH];
    RHEO_TRY(rheo__join(ctx, folder, "model.rheo", model));
    RHEO_TRY(rheo__join(ctx, folder, "checkpoint.rheo", checkpoint));
    if (rheo__file_exists(model)) return rheo__job_load(ctx, model, NULL, &d->job);
    RHEO_CHECK(ctx, rheo__file_exists(checkpoint), RHEO_MISSING,
               "%s: has neither model.rheo nor checkpoint.rheo; expected a run folder such as "
               "runs/NAME/DATA-SIZE/SEED",
               folder);
    return load_checkpoint(ctx, checkpoint, d);
}

/* The last phase that learns by gradients, if the net is still the one that it trained. */
static void find_phase(doctor *d)
{
    const rheo_recipe *recipe = d->job.recipe;
    for (uint32_t p = 0; p < recipe->phases; p++) {
        const rheo_phase *phase = &recipe->phase[p];
        if (phase->learner->look) {
            d->look.phase = phase;
            d->job.session.phase = p;
        } else
            d->look.phase = NULL;
    }
}

static rheo_status find_course(rheo_context *ctx, const char *folder, rheo_look *look)
{
    rheo_folder run = {0};
    rheo_history history = {0};
    look->first = look->last = NAN;
    RHEO_TRY(rheo__strdup(ctx, folder, &run.folder));
    rheo_status status = rheo__metrics_read(ctx, &run, &history);
    rheo__release(ctx, run.folder);
    RHEO_TRY(status);
    if (history.count > 1) {
        look->first = history.loss[0];
        look->last = history.loss[history.count - 1];
    }
    rheo__release(ctx, history.loss);
    return RHEO_OK;
}

/* ---- populations ---- */

static bool spikes_at(const rheo_signal *s, uint32_t t, uint32_t b, uint32_t n)
{
    return rheo__bits_row(s, t, b)[n / 64] >> (n % 64) & 1;
}

static void count_spikes(const rheo_plan *plan, const rheo_signal *s, rheo_activity *a)
{
    uint64_t all = 0, steps = 0;
    uint32_t silent = 0, saturated = 0;
    for (uint32_t b = 0; b < plan->B; b++) steps += rheo__plan_steps(plan, b);
    for (uint32_t n = 0; n < s->N; n++) {
        uint64_t fired = 0;
        for (uint32_t b = 0; b < plan->B; b++)
            for (uint32_t t = 0; t < rheo__plan_steps(plan, b); t++) fired += spikes_at(s, t, b, n);
        all += fired;
        silent += fired == 0;
        saturated += 10 * fired > 9 * steps;
    }
    a->rate = (double)all / ((double)steps * s->N);
    a->silent = (double)silent / s->N;
    a->saturated = (double)saturated / s->N;
}

static int ascending(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Membranes at equal distances in the window, and the spike's derivative where there was none. */
static void look_at_membranes(doctor *d, const rheo_plan *plan, const rheo_work *work,
                              rheo_activity *a)
{
    const uint32_t B = plan->B;
    const rheo_signal *v = &work->readout, *s = &work->out;
    const uint64_t all = (uint64_t)v->T * B * v->N;
    const uint64_t apart = all / MEMBRANES + 1;
    uint32_t count = 0, quiet = 0;
    for (uint64_t i = 0; i < all; i += apart) {
        const uint32_t n = (uint32_t)(i % v->N), b = (uint32_t)(i / v->N % B);
        const uint32_t t = (uint32_t)(i / v->N / B);
        const float value = rheo__real_row(v, t, b)[n];
        if (!isfinite(value) || t >= rheo__plan_steps(plan, b)) continue;
        d->v[count++] = value;
        if (!spikes_at(s, t, b, n)) d->x[quiet++] = value - (float)a->threshold;
    }
    qsort(d->v, count, sizeof *d->v, ascending);
    for (int k = 0; k < 3 && count > 0; k++)
        a->v[k] = (double)d->v[(size_t)((double)(count - 1) * (k == 0 ? 0.5 : k == 1 ? 0.95 : 1))];
    const rheo_pseudo pseudo = rheo__node_pseudo(work->node);
    const float zero = 0;
    float most = 0;
    a->slope = pseudo.slope;
    if (isnan(a->threshold) || quiet == 0) return;
    rheo__surrogate_derivative(d->job.ctx, &pseudo, &zero, &most, 1, 1);
    rheo__surrogate_derivative(d->job.ctx, &pseudo, d->x, d->d, 1, quiet);
    double sum = 0;
    for (uint32_t i = 0; i < quiet; i++) sum += (double)d->d[i];
    if (most > 0) a->pass = sum / quiet / (double)most;
}

static void look_at_population(doctor *d, const rheo_plan *plan, uint32_t n)
{
    const rheo_work *work = &plan->work[n];
    const rheo_node_spec *node = work->node;
    if (!node->neuron || work->out.form != RHEO_BITS || node->neuron->stateless) return;
    rheo_activity *a = &d->look.activity[d->look.activities++];
    const int at = rheo__field_index(node->neuron->fields, "threshold");
    *a = (rheo_activity){.node = node,
                         .output = n == plan->net->output,
                         .threshold = at < 0 ? NAN : node->neuron_options.v[at],
                         .v = {NAN, NAN, NAN},
                         .pass = NAN};
    count_spikes(plan, &work->out, a);
    if (work->readout.real && work->readout.stride_t) look_at_membranes(d, plan, work, a);
}

/* ---- parameters ---- */

static double root_mean_square(const float *x, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) sum += (double)x[i] * (double)x[i];
    return count ? sqrt(sum / (double)count) : 0;
}

/* The optimiser's first step from here, on copies. */
static rheo_status first_step(doctor *d, const float *g, rheo_motion *m)
{
    rheo_context *ctx = d->job.ctx;
    const rheo_phase *phase = d->look.phase;
    const size_t count = (size_t)m->param->rows * m->param->cols;
    float *block = NULL, *slot[RHEO_OPTIMISER_SLOTS];
    RHEO_TRY(rheo__alloc(ctx, count * (1 + RHEO_OPTIMISER_SLOTS), sizeof *block, "a step", &block));
    for (uint32_t s = 0; s < RHEO_OPTIMISER_SLOTS; s++) slot[s] = block + (s + 1) * count;
    memcpy(block, m->param->value, count * sizeof *block);
    phase->optimiser->step(rheo__kernels(ctx), &phase->optimiser_options, d->look.rate, 1, block, g,
                           slot, count);
    for (size_t i = 0; i < count; i++) block[i] -= m->param->value[i];
    m->step = root_mean_square(block, count);
    rheo__release(ctx, block);
    return RHEO_OK;
}

/* Parameters in the order of nodes; `later` is filled from the back. */
static rheo_status look_at_parameters(doctor *d, const rheo_plan *plan)
{
    rheo_look *look = &d->look;
    for (uint32_t k = 0; k < plan->net->nodes; k++)
        for (uint32_t i = 0; i < plan->net->node[plan->order[k]].params; i++) {
            const uint32_t n = plan->order[k];
            const rheo_param *param = plan->net->node[n].param[i];
            const float *g = plan->work[n].grad[i];
            const size_t count = (size_t)param->rows * param->cols;
            if (!g) continue;
            rheo_motion *m = &look->motion[look->motions++];
            *m = (rheo_motion){.param = param,
                               .size = root_mean_square(param->value, count),
                               .gradient = root_mean_square(g, count),
                               .finite = rheo__all_finite(param->value, count)};
            RHEO_TRY(first_step(d, g, m));
        }
    double later = 0;
    for (uint32_t i = look->motions; i-- > 0;) {
        look->motion[i].later = later;
        look->largest = fmax(look->largest, look->motion[i].gradient);
        if (look->motion[i].param->rows > 1) later = fmax(later, look->motion[i].gradient);
    }
    return RHEO_OK;
}

/* ---- the look ---- */

/* "NAME.v" of all populations that spike. */
static rheo_status make_records(doctor *d)
{
    const rheo_net *net = d->job.net;
    uint32_t count = 0;
    RHEO_TRY(rheo__alloc(d->job.ctx, net->nodes, sizeof *d->path, "a diagnosis", &d->path));
    RHEO_TRY(rheo__alloc(d->job.ctx, net->nodes + 1, sizeof *d->record, "a diagnosis", &d->record));
    for (uint32_t n = 0; n < net->nodes; n++) {
        const rheo_neuron *neuron = net->node[n].neuron;
        if (!neuron || neuron->out != RHEO_BITS || neuron->stateless) continue;
        snprintf(d->path[count], sizeof *d->path, "%s.v", net->node[n].name);
        d->record[count] = d->path[count];
        count++;
    }
    return RHEO_OK;
}

static rheo_status make(doctor *d)
{
    rheo_context *ctx = d->job.ctx;
    const rheo_net *net = d->job.net;
    RHEO_TRY(make_records(d));
    RHEO_TRY(
        rheo__alloc(ctx, net->nodes, sizeof *d->look.activity, "a diagnosis", &d->look.activity));
    RHEO_TRY(rheo__alloc(ctx, net->params, sizeof *d->look.motion, "a diagnosis", &d->look.motion));
    RHEO_TRY(rheo__alloc(ctx, RHEO_FINDINGS, sizeof *d->finding, "a diagnosis", &d->finding));
    RHEO_TRY(rheo__alloc(ctx, MEMBRANES, sizeof *d->v, "a diagnosis", &d->v));
    RHEO_TRY(rheo__alloc(ctx, MEMBRANES, sizeof *d->x, "a diagnosis", &d->x));
    return rheo__alloc(ctx, MEMBRANES, sizeof *d->d, "a diagnosis", &d->d);
}

static rheo_status look_at_gradients(doctor *d)
{
    rheo_session *session = &d->job.session;
    const rheo_learner *learner = d->look.phase->learner;
    const rheo_plan *plan = NULL;
    size_t bytes = 0;
    session->now = d->look.phase;
    session->record = d->record;
    d->look.rate = session->now->options.v[rheo__field_index(learner->fields, "rate")];
    RHEO_TRY(learner->begin(session, false, &bytes));
    rheo_status status = learner->look(session, &plan, &d->look.loss);
    if (!status || status == RHEO_NUMERIC) { /* what is not finite is a finding */
        d->look.samples = plan->B;
        d->look.steps = plan->request.T;
        for (uint32_t n = 0; n < plan->net->nodes; n++) look_at_population(d, plan, n);
        status = look_at_parameters(d, plan);
    }
    learner->end(session);
    return status;
}

typedef struct watcher {
    doctor *d;
    bool done;
} watcher;

/* Without gradients: the first samples, by the sweep's plan. */
static void watch(void *arg, const rheo_visit *visit)
{
    watcher *w = arg;
    doctor *d = w->d;
    if (w->done) return;
    w->done = true;
    d->look.samples = visit->B;
    d->look.steps = visit->plan->request.T;
    for (uint32_t n = 0; n < visit->plan->net->nodes; n++) look_at_population(d, visit->plan, n);
}

static rheo_status look(doctor *d)
{
    RHEO_TRY(make(d));
    find_phase(d);
    d->look.loss = d->look.rate = NAN;
    if (d->look.phase) return look_at_gradients(d);
    rheo_sweep sweep = {.split = RHEO_TRAIN,
                        .limit = 1,
                        .what = "diagnose",
                        .visit = watch,
                        .arg = &(watcher){.d = d}};
    return rheo__sweep(&d->job.session, &sweep);
}

/* ---- what it says ---- */

static void write_text(const doctor *d, rheo_text *out)
{
    const rheo_look *look = &d->look;
    rheo__text_add(out, "%s on %s: %u training samples, %u steps", d->job.recipe->name,
                   d->job.data->name, look->samples, look->steps);
    if (isfinite(look->loss)) rheo__text_add(out, ", loss %.4g", look->loss);
    rheo__text_add(out, "\n\n%-12s %8s %8s %9s %9s %9s %9s %9s\n", "population", "rate", "silent",
                   "saturated", "threshold", "v median", "v 95 %", "passes");
    for (uint32_t i = 0; i < look->activities; i++) {
        const rheo_activity *a = &look->activity[i];
        rheo__text_add(out, "%-12s %8.3g %6.1f %% %7.1f %% %9.3g %9.3g %9.3g %9.2g\n",
                       a->node->name, a->rate, 100 * a->silent, 100 * a->saturated, a->threshold,
                       a->v[0], a->v[1], a->pass);
    }
    if (look->motions)
        rheo__text_add(out, "\n%-24s %9s %9s %9s\n", "parameter", "size", "gradient", "step/size");
    for (uint32_t i = 0; i < look->motions; i++) {
        const rheo_motion *m = &look->motion[i];
        char name[64];
        snprintf(name, sizeof name, "%s.%s", m->param->node, m->param->name);
        rheo__text_add(out, "%-24s %9.3g %9.3g %9.2g\n", name, m->size, m->gradient,
                       m->size > 0 ? m->step / m->size : NAN);
    }
    rheo__text_add(out, "\n");
    for (uint32_t i = 0; i < d->findings; i++) {
        const rheo_finding *f = &d->finding[i];
        rheo__text_add(out, "%s, %s: %s\n    to change: %s\n", f->name, f->where, f->what,
                       f->change);
    }
    if (!d->findings) rheo__text_add(out, "nothing is found that would keep it from learning\n");
}

/* NaN, which JSON has not, is left out. */
static void put(cJSON *to, const char *name, double value)
{
    if (isfinite(value)) cJSON_AddNumberToObject(to, name, value);
}

static void put_layers(const rheo_look *look, cJSON *root)
{
    cJSON *list = cJSON_AddArrayToObject(root, "populations");
    for (uint32_t i = 0; i < look->activities; i++) {
        const rheo_activity *a = &look->activity[i];
        cJSON *to = cJSON_CreateObject();
        cJSON_AddStringToObject(to, "node", a->node->name);
        put(to, "rate", a->rate);
        put(to, "silent", a->silent);
        put(to, "saturated", a->saturated);
        put(to, "threshold", a->threshold);
        put(to, "membrane_median", a->v[0]);
        put(to, "membrane_95", a->v[1]);
        put(to, "membrane_largest", a->v[2]);
        put(to, "passes", a->pass);
        cJSON_AddItemToArray(list, to);
    }
    list = cJSON_AddArrayToObject(root, "parameters");
    for (uint32_t i = 0; i < look->motions; i++) {
        const rheo_motion *m = &look->motion[i];
        cJSON *to = cJSON_CreateObject();
        cJSON_AddStringToObject(to, "node", m->param->node);
        cJSON_AddStringToObject(to, "name", m->param->name);
        put(to, "size", m->size);
        put(to, "gradient", m->gradient);
        put(to, "step", m->step);
        cJSON_AddItemToArray(list, to);
    }
}

static rheo_status write_json(const doctor *d, rheo_text *out)
{
    const rheo_look *look = &d->look;
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "name", d->job.recipe->name);
    cJSON_AddStringToObject(root, "data", d->job.data->name);
    put(root, "samples", look->samples);
    put(root, "steps", look->steps);
    put(root, "loss", look->loss);
    put(root, "rate", look->rate);
    put_layers(look, root);
    cJSON *list = cJSON_AddArrayToObject(root, "findings");
    for (uint32_t i = 0; i < d->findings; i++) {
        cJSON *to = cJSON_CreateObject();
        cJSON_AddStringToObject(to, "name", d->finding[i].name);
        cJSON_AddStringToObject(to, "where", d->finding[i].where);
        cJSON_AddStringToObject(to, "what", d->finding[i].what);
        cJSON_AddStringToObject(to, "change", d->finding[i].change);
        cJSON_AddItemToArray(list, to);
    }
    char *text = cJSON_Print(root);
    cJSON_Delete(root);
    if (text) rheo__text_add(out, "%s\n", text);
    cJSON_free(text);
    return text ? out->status
                : rheo__fail(d->job.ctx, RHEO_MEMORY, "out of memory for a diagnosis");
}

static void close_doctor(rheo_context *ctx, doctor *d)
{
    rheo__release(ctx, d->path);
    rheo__release(ctx, d->record);
    rheo__release(ctx, d->look.activity);
    rheo__release(ctx, d->look.motion);
    rheo__release(ctx, d->finding);
    rheo__release(ctx, d->v);
    rheo__release(ctx, d->x);
    rheo__release(ctx, d->d);
    rheo__job_close(&d->job);
    rheo_recipe_free(d->recipe);
}

rheo_status rheo_diagnose(rheo_context *ctx, const char *folder, bool json, char **text)
{
    doctor d = {0};
    rheo_text out = {.ctx = ctx};
    rheo_status status = load(ctx, folder, &d);
    if (!status) status = find_course(ctx, folder, &d.look);
    if (!status) status = look(&d);
    if (!status) {
        d.findings = rheo__findings(&d.look, d.finding, RHEO_FINDINGS);
        if (json)
            status = write_json(&d, &out);
        else
            write_text(&d, &out);
    }
    close_doctor(ctx, &d);
    if (!status) status = out.status;
    if (status)
        rheo__text_free(&out);
    else
        *text = out.data;
    return status;
}
