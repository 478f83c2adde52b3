/* session.c: phases in order, epochs in a phase, batches in an epoch, and checkpoints between
 * batches.
 *
 * A checkpoint holds the net, the learner's slots and the counters below; random numbers are
 * functions of those counters, so a run goes on to the same bits. Phases that only edit are not
 * checkpointed: they are quick, follow from the learned net, and are done again. */
#include "base/clock.h"
#include "base/file.h"
#include "learn/profile.h"
#include <math.h>
#include <string.h>

enum { PHASE, EPOCH, AT, SHOW, CORRECT, SEEN, LINES, COUNTERS };
enum { LOSS, SECONDS, OPERATIONS, SUMS };

typedef struct runner {
    rheo_session *session;
    const rheo_session_request *ask;
    uint64_t counter[COUNTERS];
    double sum[SUMS];
    rheo_slot *slot;
    double saved, mark; /* times of the last checkpoint and of the last look at the clock */
    uint32_t at;        /* of the epoch, what stood in the checkpoint: samples and seconds of */
    double seconds;     /* another process, whose speed says nothing of this one's */
} runner;

static double option(const rheo_phase *phase, const char *name)
{
    int index = phase->learner->fields ? rheo__field_index(phase->learner->fields, name) : -1;
    return phase->learner->apply || index < 0 ? 0 : phase->options.v[index];
}

/* Of a phase that is counted in batches: those, and the batches of an epoch. */
static bool in_batches(const rheo_session *session, const rheo_phase *phase, uint64_t *all,
                       uint64_t *an_epoch)
{
    uint64_t count = session->data->count[RHEO_TRAIN];
    uint64_t batch = session->batch < count ? session->batch : count;
    *all = (uint64_t)option(phase, "iterations");
    *an_epoch = batch > 0 ? (count + batch - 1) / batch : 1;
    return *all > 0;
}

static uint64_t epochs_of(const rheo_session *session, const rheo_phase *phase)
{
    uint64_t all, an_epoch;
    if (in_batches(session, phase, &all, &an_epoch)) return (all + an_epoch - 1) / an_epoch;
    return (uint64_t)option(phase, "epochs");
}

/* Samples of the epoch that begins: less than all where the last batch falls into it. */
static uint32_t goal_of(const rheo_session *session)
{
    uint64_t all, an_epoch, count = session->data->count[RHEO_TRAIN];
    if (!in_batches(session, session->now, &all, &an_epoch)) return (uint32_t)count;
    uint64_t left = (all - session->epoch * an_epoch) * session->batch;
    return (uint32_t)(left < count ? left : count);
}

static void enter(rheo_session *session, const rheo_session_request *ask, uint32_t phase)
{
    session->phase = phase;
    session->now = &ask->phase[phase];
    session->epochs = (uint32_t)epochs_of(session, session->now);
}

/* ---- checkpoint ---- */

static uint32_t counter_slots(runner *run, rheo_slot *slot)
{
    rheo_session *session = run->session;
    slot[0] = (rheo_slot){
        .path = "/session/counters", .type = RHEO_SLOT_U64, .rows = COUNTERS, .data = run->counter};
    slot[1] =
        (rheo_slot){.path = "/session/sums", .type = RHEO_SLOT_F64, .rows = SUMS, .data = run->sum};
    slot[2] = (rheo_slot){.path = "/session/history",
                          .type = RHEO_SLOT_F64,
                          .rows = session->lines_room,
                          .cols = sizeof(rheo_metrics) / sizeof(double),
                          .data = session->line};
    return session->lines_room > 0 ? 3 : 2;
}

static uint32_t all_slots(runner *run, bool learner)
{
    rheo_session *session = run->session;
    uint32_t count = counter_slots(run, run->slot);
    count += rheo__net_slots(session->net, run->slot + count, RHEO_SESSION_SLOTS - count);
    if (learner && session->own && session->now->learner->slots)
        count +=
            session->now->learner->slots(session, run->slot + count, RHEO_SESSION_SLOTS - count);
    return count;
}

static rheo_status save(runner *run)
{
    rheo_session *session = run->session;
    if (!run->ask->checkpoint) return RHEO_OK;
    uint64_t counter[COUNTERS] = {session->phase,   session->epoch, session->at,   session->show,
                                  session->correct, session->seen,  session->lines};
    double sum[SUMS] = {session->loss_sum, session->seconds, session->operations};
    memcpy(run->counter, counter, sizeof counter);
    memcpy(run->sum, sum, sizeof sum);
    RHEO_TRY(rheo__slots_save(session->ctx, run->ask->checkpoint, run->ask->recipe_text, run->slot,
                              all_slots(run, true)));
    run->saved = rheo__now();
    return RHEO_OK;
}

static void take_counters(runner *run)
{
    rheo_session *session = run->session;
    session->epoch = (uint32_t)run->counter[EPOCH];
    session->at = (uint32_t)run->counter[AT];
    session->show = (uint32_t)run->counter[SHOW];
    session->correct = run->counter[CORRECT];
    session->seen = run->counter[SEEN];
    session->lines = (uint32_t)run->counter[LINES];
    session->loss_sum = run->sum[LOSS];
    session->seconds = run->sum[SECONDS];
    session->operations = run->sum[OPERATIONS];
}

/* The phase of a checkpoint, before its learner exists. */
static rheo_status load_phase(runner *run, uint32_t *phase)
{
    rheo_session *session = run->session;
    RHEO_TRY(rheo__slots_load(session->ctx, run->ask->checkpoint, NULL, run->slot,
                              counter_slots(run, run->slot)));
    RHEO_CHECK(session->ctx,
               run->counter[PHASE] < run->ask->phases && run->counter[LINES] <= session->lines_room,
               RHEO_FORMAT, "%s: is another recipe's checkpoint; remove it to begin anew",
               run->ask->checkpoint);
    *phase = (uint32_t)run->counter[PHASE];
    return RHEO_OK;
}

static rheo_status load_rest(runner *run)
{
    rheo_session *session = run->session;
    RHEO_TRY(rheo__slots_load(session->ctx, run->ask->checkpoint, NULL, run->slot,
                              all_slots(run, true)));
    take_counters(run);
    run->at = session->at;
    run->seconds = session->seconds;
    rheo_net_touch(session->net);
    return RHEO_OK;
}

/* ---- epochs ---- */

static void report(const runner *run, bool end)
{
    const rheo_session *session = run->session;
    const rheo_context_options *options = &session->ctx->options;
    if (!options->progress) return;
    double seen = session->seen ? (double)session->seen : 1;
    bool judged = !session->now->learner->local;
    const double seconds = session->seconds - run->seconds;
    rheo_progress progress = {.what = "train",
                              .epoch = session->epoch + 1,
                              .epochs = session->epochs,
                              .done = session->at,
                              .total = session->goal,
                              .loss = judged ? session->loss_sum / seen : NAN,
                              .accuracy = judged ? 100.0 * (double)session->correct / seen : NAN,
                              .seconds = session->seconds,
                              .rate = seconds > 0 ? (session->at - run->at) / seconds : 0,
                              .end = end};
    options->progress(options->user, &progress);
}

/* A checkpoint is kept; what is wrong with it is said. */
static rheo_status stop_here(runner *run)
{
    rheo_session *session = run->session;
    RHEO_TRY(save(run));
    return rheo__fail(
        session->ctx, RHEO_INTERRUPTED, "interrupted in epoch %u of %u%s", session->epoch + 1,
        session->epochs,
        run->ask->checkpoint ? "; a checkpoint has been kept, the same command goes on" : "");
}

static rheo_status look(runner *run)
{
    rheo_session *session = run->session;
    double t = rheo__now();
    session->seconds += t - run->mark;
    run->mark = t;
    report(run, false);
    if (rheo__interrupted(session->ctx)) return stop_here(run);
    const rheo_status status = t - run->saved >= run->ask->every ? save(run) : RHEO_OK;
    rheo__lap_rest(session->profile, RHEO_REST_FILES, 0, 0);
    return status;
}

static rheo_status validate(rheo_session *session, rheo_metrics *line)
{
    line->validation_accuracy = NAN;
    bool judged = !session->now->learner->local;
    if (!judged || session->data->count[RHEO_VALIDATION] == 0) return RHEO_OK;
    rheo_tally tally;
    RHEO_TRY(rheo__test(session, RHEO_VALIDATION, 0, "validate", &tally));
    line->validation_accuracy = 100.0 * (double)tally.correct / tally.samples;
    rheo__tally_free(session->ctx, &tally);
    return RHEO_OK;
}

/* What the learner knows after the last batch of an epoch; it goes into a checkpoint that is made
 * before the epoch is closed. */
static rheo_status open_line(rheo_session *session)
{
    const rheo_learner *learner = session->now->learner;
    rheo_metrics *line = &session->line[session->lines];
    *line = (rheo_metrics){.phase = session->phase + 1,
                           .epoch = session->epoch + 1,
                           .gradient = NAN,
                           .learning_rate = NAN};
    for (uint32_t i = 0; i < RHEO_METRIC_LAYERS; i++) line->rate[i] = line->silent[i] = NAN;
    return learner->epoch ? learner->epoch(session, line) : RHEO_OK;
}

static rheo_status close_epoch(runner *run, double operations_before)
{
    rheo_session *session = run->session;
    double seen = session->seen ? (double)session->seen : 1;
    rheo_metrics *line = &session->line[session->lines];
    bool judged = !session->now->learner->local;
    line->loss = judged ? session->loss_sum / seen : NAN;
    line->train_accuracy = judged ? 100.0 * (double)session->correct / seen : NAN;
    line->operations = session->operations - operations_before;
    rheo_status status = validate(session, line);
    if (status == RHEO_INTERRUPTED) return stop_here(run);
    RHEO_TRY(status);
    double t = rheo__now();
    session->seconds += t - run->mark;
    run->mark = t;
    line->seconds = session->seconds;
    report(run, true);
    bool stop = false;
    if (session->now->learner->closed)
        RHEO_TRY(session->now->learner->closed(session, line, &stop));
    session->lines++;
    session->epoch = stop ? session->epochs : session->epoch + 1;
    session->at = run->at = 0;
    session->correct = session->seen = 0;
    session->loss_sum = session->seconds = run->seconds = 0;
    if (run->ask->line) RHEO_TRY(run->ask->line(run->ask->arg, session));
    const rheo_status saved = save(run);
    rheo__lap_rest(session->profile, RHEO_REST_FILES, 1, 0);
    return saved;
}

/* Operations of the epochs that are over, so that a resumed epoch's own add up. */
static double operations_closed(const rheo_session *session)
{
    double sum = 0;
    for (uint32_t i = 0; i < session->lines; i++) sum += session->line[i].operations;
    return sum;
}

static rheo_status train_phase(runner *run, bool resume)
{
    rheo_session *session = run->session;
    const rheo_learner *learner = session->now->learner;
    size_t bytes = 0;
    RHEO_TRY(rheo__profile_enter(session->ctx, session->profile, session->net));
    RHEO_TRY(learner->begin(session, false, &bytes));
    rheo_status status = resume ? load_rest(run) : RHEO_OK;
    rheo__lap_rest(session->profile, RHEO_REST_PLAN, 1, 0);
    run->mark = rheo__now();
    while (!status && session->epoch < session->epochs) {
        double before = operations_closed(session);
        session->goal = goal_of(session);
        while (!status && session->at < session->goal) {
            status = learner->batch(session);
            bool last = session->at == session->goal;
            if (!status && last) status = open_line(session);
            if (!status) status = look(run);
        }
        if (!status) status = close_epoch(run, before);
    }
    const rheo_optimiser *optimiser = session->now->optimiser;
    rheo__profile_leave(session->profile, session->net, optimiser ? optimiser->slots : 0);
    learner->end(session);
    return status;
}

static rheo_status learned(runner *run, bool *told)
{
    if (*told || !run->ask->learned) return RHEO_OK;
    *told = true;
    return run->ask->learned(run->ask->arg, run->session);
}

static rheo_status run_phases(runner *run)
{
    rheo_session *session = run->session;
    uint32_t first = 0;
    bool resume = run->ask->checkpoint && rheo__file_exists(run->ask->checkpoint), told = false;
    if (resume) RHEO_TRY(load_phase(run, &first));
    for (uint32_t p = 0; p < run->ask->phases; p++) {
        enter(session, run->ask, p);
        const rheo_learner *learner = session->now->learner;
        if (learner->apply) RHEO_TRY(learned(run, &told));
        if (learner->edit) RHEO_TRY(learner->edit(session));
        if (p < first) continue;
        if (learner->apply)
            RHEO_TRY(learner->apply(session));
        else {
            session->epoch = session->at = 0;
            RHEO_TRY(train_phase(run, resume && p == first));
        }
    }
    return learned(run, &told);
}

static rheo_status make_history(rheo_session *session, const rheo_session_request *request)
{
    uint64_t room = 0;
    for (uint32_t p = 0; p < request->phases; p++) room += epochs_of(session, &request->phase[p]);
    RHEO_CHECK(session->ctx, room <= 1u << 24, RHEO_USAGE,
               "learn: %llu epochs, expected at most %u", (unsigned long long)room, 1u << 24);
    session->lines_room = (uint32_t)room;
    return rheo__alloc(session->ctx, session->lines_room, sizeof *session->line, "the history",
                       &session->line);
}

rheo_status rheo__session_run(rheo_session *session, const rheo_session_request *request)
{
    runner run = {.session = session, .ask = request, .saved = rheo__now()};
    RHEO_TRY(make_history(session, request));
    RHEO_TRY(rheo__alloc(session->ctx, RHEO_SESSION_SLOTS, sizeof *run.slot, "a checkpoint's table",
                         &run.slot));
    rheo_status status = run_phases(&run);
    rheo__release(session->ctx, run.slot);
    return status;
}

rheo_status rheo__session_measure(rheo_session *session, const rheo_session_request *request,
                                  size_t *train, size_t *test)
{
    *train = *test = 0;
    for (uint32_t p = 0; p < request->phases; p++) {
        enter(session, request, p);
        const rheo_learner *learner = session->now->learner;
        size_t bytes = 0;
        if (learner->begin) RHEO_TRY(learner->begin(session, true, &bytes));
        if (bytes > *train) *train = bytes;
        if (learner->edit) RHEO_TRY(learner->edit(session));
    }
    return rheo__sweep_measure(session, false, test);
}

void rheo__session_clear(rheo_session *session)
{
    rheo__release(session->ctx, session->line);
    rheo__release(session->ctx, session->assignment);
    session->line = NULL;
    session->assignment = NULL;
}
