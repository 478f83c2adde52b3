/* gradient.c: `bptt`, learning by gradients through the whole window (backpropagation through time,
 * with surrogate derivatives where there are spikes); an analogue net is the case of one step.
 *
 *   for each batch:  forward · loss · backward, and then (update.c) clip · optimiser · constraints
 *
 * The rate after k ticks is rate x warm-up(k), and rate x schedule(k - warm_up) from the end of the
 * warm-up on. Early stopping looks at the validation part only: after `stop_after` epochs in a row
 * that are not better than the best by `stop_least`, training is over; `restore` then goes back to
 * the best epoch's net.
 *
 * Memory: the tape holds spikes as bits and the currents into populations, so it grows with T·B.
 * Source: Eshraghian et al. 2023, section 4.3; Neftci, Mostafa & Zenke 2019; early stopping:
 * Prechelt 1998, "Early stopping - but when?" */
#include "learn/balance.h"
#include "learn/finite.h"
#include "learn/profile.h"
#include "learn/update.h"
#include "readout/readout.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    LOSS,
    OPTIMISER,
    RATE,
    EPOCHS,
    ITERATIONS,
    SCHEDULE,
    WARM_UP,
    WARM_FROM,
    CLIP,
    CLIP_VALUE,
    ACCUMULATE,
    TRUNCATE,
    MEMORY,
    TARGET_RATE,
    STOP_AFTER,
    STOP_LEAST,
    RESTORE
};

static const char *const memory_names[] = {"full", "low", NULL};
static const rheo_field fields[] = {
    RHEO_CHOICE_FIELD("loss", 0, rheo__loss_names, "What is made small."),
    RHEO_CHOICE_FIELD("optimiser", 0, rheo__optimiser_names, "How weights follow the gradient."),
    RHEO_NUMBER_FIELD("rate", "1", 1e-3, 0, 1e38, "Learning rate at the start."),
    RHEO_INTEGER_FIELD("epochs", "1", 1, 0, 1e6, "Passes over the training set."),
    RHEO_INTEGER_FIELD(
        "iterations", "batches", 0, 0, 1e9,
        "Training ends after so many batches, whatever `epochs` says; 0: it does not."),
    RHEO_CHOICE_FIELD("schedule", 0, rheo__schedule_names, "Course of the rate over the training."),
    RHEO_NUMBER_FIELD("warm_up", "ticks", 0, 0, 1e9,
                      "Ticks of the schedule over which the rate rises in a straight line first."),
    RHEO_NUMBER_FIELD("warm_from", "1", 0.1, 0, 1, "Factor on the rate when it begins to rise."),
    RHEO_NUMBER_FIELD("clip", "1", 0, 0, 1e12, "Largest norm of the whole gradient; 0: no limit."),
    RHEO_NUMBER_FIELD("clip_value", "1", 0, 0, 1e12,
                      "Largest size of a gradient's element, before `clip`; 0: no limit."),
    RHEO_INTEGER_FIELD(
        "accumulate", "batches", 1, 1, 1e6,
        "Batches whose gradients make one step, as a batch as large as all of them."),
    RHEO_INTEGER_FIELD("truncate", "steps", 0, 0, RHEO_MOST_STEPS,
                       "Gradients do not go back over multiples of so many steps; 0: they do."),
    RHEO_CHOICE_FIELD(
        "memory", 0, memory_names,
        "full, or low: currents are made anew in the backward pass, to the same bits."),
    RHEO_NUMBER_FIELD(
        "target_rate", "1", 0, 0, 1,
        "Spikes a neuron and step that first weights are scaled to; 0: they are not."),
    RHEO_INTEGER_FIELD("stop_after", "epochs", 0, 0, 1e6,
                       "Stop after so many without a better validation accuracy; 0: never."),
    RHEO_NUMBER_FIELD("stop_least", "%", 0, 0, 100, "By how much it has to be better."),
    RHEO_FLAG_FIELD("restore", 0, "End with the net of the best epoch of the validation part."),
    RHEO_FIELD_END};

/* Of early stopping; all double: saved as a row. */
typedef struct watch {
    double best, epoch, bad; /* accuracy [%]; the epoch it is of, from 1, 0: none; epochs since */
} watch;

typedef struct trainer {
    rheo_plan *plan;
    uint32_t count, batch;
    double ticks; /* of the schedule, in the whole training */
    rheo_update update;
    rheo_course course; /* of the schedule; saved */
    watch watch;        /* saved */
    uint32_t permuted;  /* epoch + 1 whose permutation stands in order */
    uint32_t *order, *label, *id, *room;
    const uint32_t *length; /* of the batch, in room; NULL: the data have no lengths */
    float *x, *target, *scratch;
    float **best; /* [params] of the best epoch; NULL unless `restore`; saved */
    double *score, *class_score, *held; /* held: the regularisers' */
    double rate;                        /* of the last step */
} trainer;

static rheo_request request_of(const rheo_session *session)
{
    const double *v = session->now->options.v;
    const uint32_t count = session->data->count[RHEO_TRAIN];
    rheo_request request =
        rheo__session_request(session, session->batch < count ? session->batch : count);
    request.train = request.gradient = request.once = true;
    request.record = session->record;
    request.profile = session->profile;
    request.truncate = (uint32_t)v[TRUNCATE];
    request.low_memory = v[MEMORY] > 0;
    request.readout =
        session->now->loss->uses_readout || rheo__readout_uses_membrane(session->code.output);
    rheo__regularise_ask(session->now, &request);
    return request;
}

static void end(rheo_session *session)
{
    trainer *t = session->own;
    rheo_context *ctx = session->ctx;
    if (!t) return;
    rheo__update_free(&t->update);
    for (uint32_t p = 0; t->best && p < session->net->params; p++) rheo__release(ctx, t->best[p]);
    rheo__release(ctx, t->best);
    rheo__release(ctx, t->order);
    rheo__release(ctx, t->label);
    rheo__release(ctx, t->id);
    rheo__release(ctx, t->room);
    rheo__release(ctx, t->x);
    rheo__release(ctx, t->target);
    rheo__release(ctx, t->scratch);
    rheo__release(ctx, t->score);
    rheo__release(ctx, t->class_score);
    rheo__release(ctx, t->held);
    rheo_plan_free(t->plan);
    rheo__release(ctx, t);
    session->own = NULL;
}

static uint32_t batches_an_epoch(const trainer *t)
{
    return t->count / t->batch + (t->count % t->batch != 0);
}

static rheo_status make_best(const rheo_taker *taker, const rheo_net *net, trainer *t)
{
    RHEO_TRY(rheo__taker_take(taker, net->params, sizeof(float *), &t->best));
    for (uint32_t p = 0; p < net->params; p++)
        RHEO_TRY(rheo__taker_take(taker, (size_t)net->param[p].rows * net->param[p].cols,
                                  sizeof(float), t->best ? &t->best[p] : NULL));
    return RHEO_OK;
}

/* Every block that training owns beside its plan, listed once: what begin makes and measure adds.
 */
static rheo_status make(rheo_session *session, trainer *t, const rheo_taker *taker)
{
    rheo_request request = request_of(session);
    const rheo_phase *phase = session->now;
    const double *v = phase->options.v;
    uint32_t outputs = rheo_net_outputs(session->net);
    t->count = session->data->count[RHEO_TRAIN];
    t->batch = request.B;
    size_t plan;
    RHEO_TRY(rheo__plan_measure(session->net, &request, &plan));
    *taker->bytes += plan;
    if (!taker->measure) RHEO_TRY(rheo__plan_new(session->net, &request, &t->plan));
    size_t x = (size_t)t->batch * rheo__pitch(session->data->features);
    RHEO_TRY(rheo__taker_take(taker, t->count, 4, &t->order));
    RHEO_TRY(rheo__taker_take(taker, t->batch, 4, &t->label));
    RHEO_TRY(rheo__taker_take(taker, t->batch, 4, &t->id));
    RHEO_TRY(rheo__taker_take(taker, t->batch, 4, &t->room));
    RHEO_TRY(rheo__taker_take(taker, x, sizeof(float), &t->x));
    const size_t targets = (size_t)session->data->target_steps * session->data->classes;
    if (session->data->target)
        RHEO_TRY(rheo__taker_take(taker, t->batch * targets, sizeof(float), &t->target));
    RHEO_TRY(
        rheo__taker_take(taker, rheo__loss_need(request.T, outputs), sizeof(float), &t->scratch));
    RHEO_TRY(rheo__taker_take(taker, outputs, 8, &t->score));
    RHEO_TRY(rheo__taker_take(taker, session->data->classes, 8, &t->class_score));
    RHEO_TRY(rheo__taker_take(taker, rheo__regularise_need(session->net, phase), 8, &t->held));
    if (v[RESTORE] > 0) RHEO_TRY(make_best(taker, session->net, t));
    t->update.clip = v[CLIP];
    t->update.clip_value = v[CLIP_VALUE];
    t->update.accumulate = (uint32_t)v[ACCUMULATE];
    return rheo__update_make(taker, session->net, phase, t->plan, &t->update);
}

/* What has to be there for what is asked. */
static rheo_status check(const rheo_session *session)
{
    rheo_context *ctx = session->ctx;
    const rheo_phase *phase = session->now;
    const double *v = phase->options.v;
    RHEO_CHECK(ctx, session->data->count[RHEO_TRAIN] > 0, RHEO_USAGE,
               "%s: there are no training samples", session->data->name);
    RHEO_TRY(rheo__session_fits(session));
    const uint32_t outputs = rheo_net_outputs(session->net), classes = session->data->classes;
    const bool groups = session->code.group != RHEO_GROUP_NONE && outputs % classes == 0;
    RHEO_CHECK(ctx, groups || outputs == classes, RHEO_SHAPE,
               "the net has %u outputs but %s has %u classes; write `out` for the last size",
               outputs, session->data->name, classes);
    RHEO_CHECK(ctx, strcmp(rheo__readout_names[session->code.output], "response") != 0, RHEO_USAGE,
               "learn: method bptt trains outputs that each stand for a class, but code.output is "
               "response; take rate");
    int at = rheo__field_index(phase->schedule->fields, "watch");
    const char *asks = v[STOP_AFTER] > 0 ? "stop_after" : v[RESTORE] > 0 ? "restore" : NULL;
    if (at >= 0 && phase->schedule_options.v[at] > 0) asks = "watch: validation";
    RHEO_CHECK(ctx, !asks || session->data->count[RHEO_VALIDATION] > 0, RHEO_USAGE,
               "learn: `%s` looks at the validation part, and there is none; give data.validation "
               "samples",
               asks);
    return RHEO_OK;
}

static rheo_status begin(rheo_session *session, bool measure, size_t *bytes)
{
    rheo_context *ctx = session->ctx;
    RHEO_TRY(check(session));
    const uint32_t moving = session->data->target_steps;
    RHEO_CHECK(ctx, moving <= 1 || session->now->loss->takes_moving, RHEO_USAGE,
               "learn: %s has targets that change from step to step, which loss %s does not take; "
               "membrane-mse and van-rossum do",
               session->data->name, session->now->loss->name);
    RHEO_CHECK(ctx, moving <= 1 || moving == rheo__sweep_steps(session), RHEO_SHAPE,
               "%s has targets for %u steps, but a presentation has %u; set code.steps",
               session->data->name, moving, rheo__sweep_steps(session));
    trainer local = {0}, *t = &local;
    if (!measure) {
        RHEO_TRY(rheo__alloc(ctx, 1, sizeof *t, "training", &t));
        session->own = t;
    }
    *bytes += sizeof *t;
    rheo_status status =
        make(session, t, &(rheo_taker){.ctx = ctx, .measure = measure, .bytes = bytes});
    if (status && !measure) end(session);
    if (status || measure) return status;
    const double *v = session->now->options.v, each = session->now->schedule_options.v[0];
    double steps = ceil((double)batches_an_epoch(t) / v[ACCUMULATE]);
    t->ticks = each > 0 ? steps * session->epochs : session->epochs;
    if (each > 0 && v[ITERATIONS] > 0)
        t->ticks = floor(v[ITERATIONS] / batches_an_epoch(t)) * steps +
                   ceil(fmod(v[ITERATIONS], batches_an_epoch(t)) / v[ACCUMULATE]);
    t->course.factor = 1;
    return RHEO_OK;
}

/* ---- a batch ---- */

/* Share of the training that is done. */
static double progress(const rheo_session *session, const trainer *t)
{
    const double *v = session->now->options.v;
    double epoch = session->epoch, part = (double)session->at / t->count;
    if (session->now->schedule_options.v[0] > 0 && v[ITERATIONS] > 0)
        return (epoch * batches_an_epoch(t) + part * t->count / t->batch) / v[ITERATIONS];
    if (session->now->schedule_options.v[0] > 0) epoch += part;
    return epoch / (session->epochs > 0 ? session->epochs : 1);
}

static double rate_now(const rheo_session *session, trainer *t)
{
    const rheo_phase *phase = session->now;
    const double *v = phase->options.v;
    const bool steps = phase->schedule_options.v[0] > 0;
    double tick = steps ? (double)t->update.step : session->epoch;
    if (tick < v[WARM_UP]) return v[RATE] * rheo__warm_up(v[WARM_FROM], v[WARM_UP], tick);
    if (!phase->schedule->factor) return v[RATE] * t->course.factor;
    t->course.tick = tick - v[WARM_UP];
    t->course.progress =
        v[WARM_UP] > 0 ? t->course.tick / (t->ticks - v[WARM_UP]) : progress(session, t);
    return v[RATE] * phase->schedule->factor(&phase->schedule_options, &t->course);
}

/* Running accuracy, ties wrong. */
static uint64_t count_right(rheo_session *session, trainer *t, uint32_t B)
{
    uint64_t right = 0;
    rheo_decide ask = {.readout = session->code.output,
                       .group = session->code.group,
                       .out = rheo__plan_output(t->plan),
                       .v = rheo__plan_readout(t->plan),
                       .classes = session->data->classes,
                       .assignment = session->assignment,
                       .score = t->score,
                       .class_score = t->class_score};
    for (uint32_t b = 0; b < B; b++) {
        bool tie = false;
        uint32_t decision = 0;
        const uint32_t steps = rheo__plan_steps(t->plan, b);
        for (uint32_t s = 0; s < steps; s++) decision = rheo__decide(&ask, s, b, &tie);
        right += decision == t->label[b] && !tie;
    }
    return right;
}

static double count_work(const trainer *t)
{
    rheo_counts counts = {0};
    rheo__count_window(t->plan, &counts);
    return (double)counts.macs + (double)counts.synops;
}

static void encode_batch(rheo_session *session, trainer *t, uint32_t B)
{
    rheo__data_batch(session->data, RHEO_TRAIN, t->order + session->at, B, t->x, t->label, t->id);
    if (t->target)
        rheo__data_targets(session->data, RHEO_TRAIN, t->order + session->at, B, t->target);
    t->length = rheo__session_lengths(session, RHEO_TRAIN, t->order + session->at, B, t->room);
    rheo__lap_rest(session->profile, RHEO_REST_DATA, 1,
                   (double)B * session->data->features * sizeof(float));
    rheo__plan_batch(t->plan, B, t->id, session->show);
    rheo__plan_lengths(t->plan, t->length);
    rheo__session_encode(session, t->plan,
                         &(rheo_encode){.N = session->data->features,
                                        .x = t->x,
                                        .sample = t->id,
                                        .length = t->length,
                                        .show = session->show,
                                        .intensity = 1});
}

static rheo_status refuse_input(const rheo_session *session, const trainer *t)
{
    char where[256];
    rheo__find_not_finite(t->plan, t->x, session->data->features, where, sizeof where);
    return rheo__fail(session->ctx, RHEO_NUMERIC, "%s: %s; training has stopped before it",
                      session->data->name, where);
}

/* Says where it went wrong: nothing of this batch has changed the net. */
static rheo_status not_finite(const rheo_session *session, const trainer *t, const char *what)
{
    char where[256];
    rheo__find_not_finite(t->plan, t->x, session->data->features, where, sizeof where);
    return rheo__fail(session->ctx, RHEO_NUMERIC,
                      "the %s is not finite in epoch %u after %u samples: %s; a smaller `rate`, or "
                      "`clip`, may help",
                      what, session->epoch + 1, session->at, where);
}

/* Loss and gradients of a batch; *value: the loss. */
static rheo_status gradients(rheo_session *session, trainer *t, uint32_t B, double *value)
{
    const rheo_phase *phase = session->now;
    bool membrane = phase->loss->uses_readout;
    encode_batch(session, t, B);
    /* comparisons with NaN are false: spikes could hide it from here on */
    if (!rheo__all_finite(t->x, (size_t)B * rheo__pitch(session->data->features)))
        return refuse_input(session, t);
    rheo__lap_rest(session->profile, RHEO_REST_ENCODE, 1, 0);
    rheo__plan_forward(t->plan);
    rheo_loss_call loss = {.options = &phase->loss_options,
                           .dt = session->code.dt,
                           .T = t->plan->request.T,
                           .B = B,
                           .C = rheo_net_outputs(session->net),
                           .classes = session->data->classes,
                           .mean = session->code.group == RHEO_GROUP_MEAN,
                           .out = rheo__plan_output(t->plan),
                           .readout = rheo__plan_readout(t->plan),
                           .label = t->label,
                           .length = t->length,
                           .target = t->target,
                           .moving = session->data->target_steps > 1,
                           .gout = membrane ? NULL : &t->plan->gradient[session->net->output],
                           .greadout = membrane ? &t->plan->greadout : NULL,
                           .scratch = t->scratch};
    *value = rheo__loss_value(phase->loss, &loss);
    if (!isfinite(*value)) return not_finite(session, t, "loss");
    t->plan->work[session->net->output].gout = membrane ? NULL : loss.gout;
    *value += rheo__regularise(phase, t->plan, membrane, t->held);
    rheo__lap_rest(session->profile, RHEO_REST_LOSS, 1, 0);
    rheo__plan_backward(t->plan);
    return RHEO_OK;
}

static rheo_status step(rheo_session *session, trainer *t)
{
    t->rate = rate_now(session, t);
    const rheo_param *wrong = rheo__update_step(&t->update, t->rate);
    RHEO_CHECK(session->ctx, !wrong, RHEO_NUMERIC,
               "%s.%s is not finite in epoch %u after %u samples: the step at rate %g, with a "
               "gradient of norm %g, made it so; a smaller `rate`, or `clip`, may help",
               wrong->node, wrong->name, session->epoch + 1, session->at, t->rate, t->update.norm);
    session->show++; /* one for all batches of a step: random numbers as of one large batch */
    rheo__lap_update(session->profile, 1);
    return RHEO_OK;
}

static uint32_t samples_left(const rheo_session *session)
{
    const uint32_t all = session->goal ? session->goal : session->data->count[RHEO_TRAIN];
    return all - session->at;
}

/* Samples of the next batch; the epoch's order is made when it begins. */
static uint32_t next_batch(const rheo_session *session, trainer *t)
{
    if (t->permuted != session->epoch + 1) {
        rheo_key key = rheo__key(session->seed, session->phase, RHEO_FOR_SHUFFLE);
        rheo__permutation(key, session->epoch, t->count, t->order);
        t->permuted = session->epoch + 1;
    }
    const uint32_t left = samples_left(session);
    return left < t->batch ? left : t->batch;
}

static rheo_status look(rheo_session *session, const rheo_plan **plan, double *loss)
{
    trainer *t = session->own;
    const uint32_t B = next_batch(session, t);
    *plan = t->plan;
    return gradients(session, t, B, loss);
}

static void forward_first(void *arg)
{
    rheo_session *session = arg;
    trainer *t = session->own;
    encode_batch(session, t, next_batch(session, t));
    rheo__plan_forward(t->plan);
}

/* In a profile it stands alone: it is no batch, and its forwards are not counted. */
static void scale_first(rheo_session *session, trainer *t, double target)
{
    rheo_profile *profile = session->profile;
    session->profile = t->plan->request.profile = NULL;
    rheo__balance(session, t->plan, target, forward_first, session);
    session->profile = t->plan->request.profile = profile;
    rheo__lap_rest(profile, RHEO_REST_SCALING, 1, 0);
}

static rheo_status batch(rheo_session *session)
{
    trainer *t = session->own;
    const uint32_t B = next_batch(session, t), left = samples_left(session);
    const double target = session->now->options.v[TARGET_RATE];
    double value;
    if (target > 0 && session->epoch == 0 && session->at == 0) scale_first(session, t, target);
    RHEO_TRY(gradients(session, t, B, &value));
    rheo__update_add(&t->update, B);
    rheo__lap_update(session->profile, 0);
    if (!isfinite(t->update.norm)) return not_finite(session, t, "gradient");
    session->correct += count_right(session, t, B);
    rheo__lap_rest(session->profile, RHEO_REST_LOSS, 0, 0);
    session->operations += 3 * count_work(t); /* forward, and the two products of backward */
    rheo__lap_rest(session->profile, RHEO_REST_COUNT, 1, 0);
    /* what is left over at the end of an epoch is a step too, as is a last, smaller batch */
    if (rheo__update_full(&t->update) || B == left) RHEO_TRY(step(session, t));
    session->loss_sum += value * B;
    session->seen += B;
    session->at += B;
    return RHEO_OK;
}

/* ---- an epoch ---- */

/* Activity of the last batch, each population. */
static rheo_status epoch(rheo_session *session, rheo_metrics *line)
{
    const trainer *t = session->own;
    line->gradient = t->update.norm;
    line->learning_rate = t->rate;
    rheo__plan_activity(t->plan, RHEO_METRIC_LAYERS, line->rate, line->silent);
    return RHEO_OK;
}

static void copy_net(rheo_net *net, float *const *best, bool back)
{
    for (uint32_t p = 0; p < net->params; p++) {
        size_t bytes = (size_t)net->param[p].rows * net->param[p].cols * sizeof(float);
        memcpy(back ? net->param[p].value : best[p], back ? best[p] : net->param[p].value, bytes);
    }
    if (back) rheo_net_touch(net);
}

/* After validation: the plateau and early stopping look at the epoch's figures. */
static rheo_status closed(rheo_session *session, const rheo_metrics *line, bool *stop)
{
    trainer *t = session->own;
    const rheo_phase *phase = session->now;
    const double *v = phase->options.v;
    if (phase->schedule->observe && line->epoch >= v[WARM_UP])
        phase->schedule->observe(&phase->schedule_options, line->loss, line->validation_accuracy,
                                 v[RATE], &t->course);
    if (!(v[STOP_AFTER] > 0) && !t->best) return RHEO_OK;
    watch *w = &t->watch;
    bool better = !(w->epoch > 0) || line->validation_accuracy > w->best + v[STOP_LEAST];
    w->bad = better ? 0 : w->bad + 1;
    if (better) {
        w->best = line->validation_accuracy;
        w->epoch = line->epoch;
        if (t->best) copy_net(session->net, t->best, false);
    }
    *stop = v[STOP_AFTER] > 0 && w->bad >= v[STOP_AFTER];
    if (!*stop && session->epoch + 1 < session->epochs) return RHEO_OK;
    if (t->best) {
        copy_net(session->net, t->best, true);
        session->line[session->lines - (uint32_t)(line->epoch - w->epoch)].kept = 1;
    }
    if (*stop || t->best)
        rheo__message(session->ctx,
                      "%s after epoch %.0f: best validation accuracy %.2f %% in epoch "
                      "%.0f%s",
                      *stop ? "stopped" : "ended", line->epoch, w->best, w->epoch,
                      t->best ? ", whose net is kept" : "");
    return RHEO_OK;
}

static uint32_t slots(rheo_session *session, rheo_slot *slot, uint32_t room)
{
    trainer *t = session->own;
    uint32_t count = rheo__update_slots(&t->update, slot, room);
    for (uint32_t p = 0; t->best && p < session->net->params && count < room; p++) {
        const rheo_param *param = &session->net->param[p];
        slot[count] = (rheo_slot){
            .type = RHEO_SLOT_F32, .rows = param->rows, .cols = param->cols, .data = t->best[p]};
        snprintf(slot[count++].path, sizeof slot->path, "/best/%s/%s", param->node, param->name);
    }
    if (count + 3 > room) return count;
    slot[count++] = (rheo_slot){.path = "/optimiser/course",
                                .type = RHEO_SLOT_F64,
                                .rows = sizeof t->course / sizeof(double),
                                .data = &t->course};
    slot[count++] = (rheo_slot){.path = "/optimiser/watch",
                                .type = RHEO_SLOT_F64,
                                .rows = sizeof t->watch / sizeof(double),
                                .data = &t->watch};
    slot[count++] =
        (rheo_slot){.path = "/optimiser/rate", .type = RHEO_SLOT_F64, .rows = 1, .data = &t->rate};
    return count;
}

const rheo_learner rheo__learner_bptt = {
    .name = "bptt",
    .title = "gradients through the whole window",
    .equations = "dL/dW = sum over t of dL/di[t] x[t],  dL/di by the adjoint of the neuron,\n"
                 "with the surrogate's derivative in place of the spike's",
    .source = "Eshraghian et al. 2023, section 4.3 (arXiv 2109.12894)",
    .needs = "transported weights",
    .local = false,
    .fields = fields,
    .begin = begin,
    .batch = batch,
    .look = look,
    .epoch = epoch,
    .closed = closed,
    .slots = slots,
    .end = end};
