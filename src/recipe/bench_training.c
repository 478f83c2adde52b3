/* bench_training.c: benchmark tasks that learn, through the same sessions and learners that
 * `rheobase train` uses. docs/bench.md says how floors are computed. */
#include "cost/cost.h"
#include "learn/profile.h"
#include "recipe/bench.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SETS = 32 };

static rheo_status parsed(rheo_bench_run *b, const rheo_recipe_options *options)
{
    rheo_doc *doc = NULL;
    const char *text = b->task->text;
    RHEO_TRY(rheo__yaml_parse(b->ctx, b->task->recipe, text, strlen(text), &doc));
    return rheo__recipe_resolve(b->ctx, doc, b->task->recipe, options, &b->recipe);
}

rheo_status rheo__bench_recipe(rheo_bench_run *b)
{
    const char *set[SETS + 1] = {0};
    uint32_t count = 0;
    const char *const *lists[] = {b->task->set, (const char *const[]){b->found, NULL}, b->set};
    for (uint32_t l = 0; l < 3; l++)
        for (uint32_t i = 0; lists[l] && lists[l][i]; i++) {
            RHEO_CHECK(b->ctx, count < SETS, RHEO_USAGE, "bench: more than %d keys", SETS);
            set[count++] = lists[l][i];
        }
    const rheo_recipe_options options = {.set = set};
    if (b->task->text) return parsed(b, &options);
    return rheo_recipe_open(b->ctx, b->task->recipe, &options, &b->recipe);
}

/* "1.s" of each population, in order. */
static void name_records(rheo_bench_run *b)
{
    const rheo_net *net = b->job.net;
    uint32_t count = 0;
    for (uint32_t n = 0; n < net->nodes && count < RHEO_BENCH_RECORDS; n++) {
        if (net->node[n].layer->kind != RHEO_POPULATION) continue;
        snprintf(b->name[count], sizeof b->name[0], "%s.s", net->node[n].name);
        b->record[count] = b->name[count];
        count++;
    }
}

void rheo__bench_rates(rheo_bench_run *b)
{
    size_t at = (size_t)snprintf(b->note, sizeof b->note, "spikes a neuron and step");
    for (uint32_t n = 0; n < b->shown->net->nodes && at < sizeof b->note; n++)
        if (b->shown->net->node[n].layer->kind == RHEO_POPULATION)
            at += (size_t)snprintf(b->note + at, sizeof b->note - at, " %.3f",
                                   rheo__plan_rate(b->shown, n));
}

/* Deep layers of a net that has not learned are silent, and silence costs nothing. */
static void louder(rheo_net *net, double factor)
{
    for (uint32_t p = 0; p < net->params; p++)
        for (size_t i = 0; i < (size_t)net->param[p].rows * net->param[p].cols; i++)
            net->param[p].value[i] *= (float)factor;
    rheo_net_touch(net);
}

rheo_status rheo__bench_job(rheo_bench_run *b)
{
    rheo_dataset *data = NULL;
    RHEO_TRY(rheo__bench_recipe(b));
    RHEO_TRY(b->task->data(b->ctx, b->task, &data));
    rheo__bench_loaded(b);
    RHEO_TRY(rheo__job_open_on(b->ctx, b->recipe, data, &b->job));
    b->job.session.now = &b->recipe->phase[0];
    if (b->task->gain > 0) louder(b->job.net, b->task->gain);
    name_records(b);
    b->windows = 1;
    return RHEO_OK;
}

rheo_status rheo__bench_training_open(rheo_bench_run *b)
{
    size_t bytes = 0;
    RHEO_TRY(rheo__bench_job(b));
    rheo_session *session = &b->job.session;
    if (b->exchange) session->record = b->record;
    RHEO_TRY(session->now->learner->begin(session, false, &bytes));
    b->held = rheo_memory_used(b->ctx).now;
    return RHEO_OK;
}

void rheo__bench_training_close(rheo_bench_run *b)
{
    if (b->job.session.own) b->job.session.now->learner->end(&b->job.session);
    rheo__job_close(&b->job);
    rheo_recipe_free(b->recipe);
}

rheo_status rheo__bench_training_show(rheo_bench_run *b)
{
    double loss;
    return b->job.session.now->learner->look(&b->job.session, &b->shown, &loss);
}

/* Goes round the samples without end. */
static rheo_status next_batch(rheo_session *session)
{
    if (session->at >= session->data->count[RHEO_TRAIN]) {
        session->at = 0;
        session->epoch++;
    }
    return session->now->learner->batch(session);
}

rheo_status rheo__bench_training_run(rheo_bench_run *b)
{
    b->count = b->job.session.batch;
    return next_batch(&b->job.session);
}

/* ---- floors ---- */

/* Multiply-adds of the gradients of spikes, for a sample and step: of projections that the input
 * does not feed. */
static double inner(const rheo_net *net)
{
    double sum = 0;
    for (uint32_t n = 0; n < net->nodes; n++) sum += rheo__least_back(net, n);
    return sum;
}

/* Forward and weight gradient of the batch that the plan holds, as the meter counts the forward. */
static double there_and_back(const rheo_plan *plan)
{
    double sum = 0;
    for (uint32_t n = 0; n < plan->net->nodes; n++) {
        const rheo_work *work = &plan->work[n];
        rheo_counts counts = {0};
        if (work->node->layer->kind != RHEO_PROJECTION || !work->node->layer->count) continue;
        for (uint32_t t = 0; t < plan->request.T; t++)
            work->node->layer->count(work, t, 0, plan->B, &counts);
        sum += (1 + rheo__reached(plan->net, n)) * (double)(counts.macs + counts.synops);
    }
    return sum;
}

/* Weights and biases are read and written once a batch, and so are the optimiser's two moments. */
static void gradient_bytes(rheo_bench_run *b, double batches)
{
    const rheo_session *session = &b->job.session;
    b->span = (double)rheo__net_parameter_count(b->job.net) * 3 * sizeof(float);
    b->bytes =
        batches * b->span * 2 + batches * session->batch * session->data->features * sizeof(float);
}

rheo_status rheo__bench_training_rest(rheo_bench_run *b)
{
    rheo_session *session = &b->job.session;
    if (!b->shown && session->at < session->data->count[RHEO_TRAIN])
        RHEO_TRY(rheo__bench_training_show(b)); /* hands out the plan */
    if (b->shown) rheo__bench_rates(b);
    if (b->shown)
        b->macs =
            there_and_back(b->shown) + inner(b->job.net) * session->batch * session->code.steps;
    gradient_bytes(b, 1);
    return RHEO_OK;
}

/* ---- STDP ---- */

/* The learner notes synaptic operations and weight writes: a multiply-add each, at least. Between
 * samples all weights are read and written once, to normalise them. */
rheo_status rheo__bench_stdp_run(rheo_bench_run *b)
{
    rheo_session *session = &b->job.session;
    const double before = session->operations;
    const uint32_t shows = session->show;
    for (uint32_t i = 0; i < b->task->parts; i++) RHEO_TRY(next_batch(session));
    b->macs = session->operations - before;
    b->span = sizeof(float) * (double)rheo__net_parameter_count(session->net);
    b->bytes = 2 * b->span * b->task->parts;
    b->count = b->task->parts;
    snprintf(b->note, sizeof b->note, "%u steps, %.2f shows an image; enlarged digits",
             session->code.steps, (double)(session->show - shows) / b->task->parts);
    return RHEO_OK;
}

/* ---- epoch: from files on disk to the trained net ---- */

rheo_status rheo__bench_epoch_open(rheo_bench_run *b)
{
    static const char *const sets[] = {"data.name=mnist", "data.name=fashion-mnist", NULL};
    rheo_status status = RHEO_OK;
    for (uint32_t i = 0; sets[i]; i++) {
        b->found = sets[i];
        RHEO_TRY(rheo__bench_recipe(b));
        status = rheo__job_open(b->ctx, b->recipe, &b->job);
        rheo__job_close(&b->job);
        if (status != RHEO_MISSING) return status;
        rheo_recipe_free(b->recipe);
        b->recipe = NULL;
    }
    return rheo__fail(
        b->ctx, status,
        "neither mnist nor fashion-mnist was found; name their folder in RHEOBASE_DATA, "
        "or get one by: rheobase data fetch mnist");
}

static rheo_status epoch_line(void *arg, rheo_session *session)
{
    rheo_bench_run *b = arg;
    b->held = rheo_memory_used(session->ctx).now;
    return RHEO_OK;
}

rheo_status rheo__bench_epoch_run(rheo_bench_run *b)
{
    const size_t before = rheo_memory_used(b->ctx).now;
    RHEO_TRY(rheo__job_open(b->ctx, b->recipe, &b->job));
    const size_t files = rheo__data_bytes(b->job.data);
    b->loaded = before + files;
    rheo_session *session = &b->job.session;
    rheo_session_request request = rheo__job_request(&b->job);
    request.line = epoch_line;
    request.arg = b;
    /* the floor's work is that of each batch's spikes */
    RHEO_TRY(rheo__alloc(b->ctx, 1, sizeof *session->profile, "a profile", &session->profile));
    const rheo_status status = rheo__session_run(session, &request);
    b->macs = rheo__profile_sum(session->profile).macs;
    rheo__profile_free(b->ctx, session->profile);
    session->profile = NULL;
    RHEO_TRY(status);
    b->count = b->job.data->count[RHEO_TRAIN];
    const double batches = ceil(b->count / session->batch);
    gradient_bytes(b, batches);
    b->bytes += (double)files;
    return RHEO_OK;
}

rheo_status rheo__bench_epoch_rest(rheo_bench_run *b)
{
    rheo_status status = RHEO_OK;
    if (b->last) {
        const rheo_session *session = &b->job.session;
        rheo_tally tally = {0};
        status = rheo__test(&b->job.session, RHEO_TEST, 0, "test", &tally);
        if (!status)
            snprintf(b->note, sizeof b->note,
                     "%s from files, %.0f iterations, test accuracy %.2f %%", session->data->name,
                     ceil(b->count / session->batch),
                     100.0 * (double)tally.correct / tally.samples);
        rheo__tally_free(b->ctx, &tally);
    }
    rheo__job_close(&b->job);
    return status;
}
