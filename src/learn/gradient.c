/* gradient.c: `bptt`, learning by gradients through the whole window (backpropagation through time,
 * with surrogate derivatives where there are spikes); an analogue net is the case of one step.
 *
 *   for each batch:  forward · loss · backward · clip · optimiser · constraints
 *
 * Memory: the tape holds spikes as bits and the currents into populations, so it grows with T·B.
 * Source: Eshraghian et al. 2023, section 4.3; Neftci, Mostafa & Zenke 2019. */
#include "learn/learn.h"
#include "readout/readout.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LOSS, OPTIMISER, RATE, EPOCHS, SCHEDULE, LAST, CLIP };

static const rheo_field fields[] = {
    RHEO_CHOICE_FIELD("loss", 0, rheo__loss_names, "What is made small."),
    RHEO_CHOICE_FIELD("optimiser", 0, rheo__optimiser_names, "How weights follow the gradient."),
    RHEO_NUMBER_FIELD("rate", "1", 1e-3, 0, 1e6, "Learning rate at the start."),
    RHEO_INTEGER_FIELD("epochs", "1", 1, 0, 1e6, "Passes over the training set."),
    RHEO_CHOICE_FIELD("schedule", 0, rheo__schedule_names, "Course of the rate over the training."),
    RHEO_NUMBER_FIELD("last", "1", 0.01, 0, 1, "Factor on the rate at the end (not for constant)."),
    RHEO_NUMBER_FIELD("clip", "1", 0, 0, 1e12, "Largest norm of the whole gradient; 0: no limit."),
    RHEO_FIELD_END};

typedef struct trainer {
    rheo_plan *plan;
    const rheo_encoder *encoder;
    rheo_options encoder_options;
    uint32_t count, batch;
    uint64_t step;             /* of the optimiser, from 1; in the checkpoint */
    uint32_t permuted;         /* epoch + 1 whose permutation stands in order */
    uint32_t *order, *label, *id;
    float *x, *scratch;
    float **slot;              /* [params][slots] */
    double *score, *class_score;
    double norm;
} trainer;

static rheo_request request_of(const rheo_session *session)
{
    rheo_options options;
    const rheo_encoder *encoder = rheo__session_encoder(session, &options);
    const rheo_loss *loss = session->now->loss;
    uint32_t count = session->data->count[RHEO_TRAIN];
    return (rheo_request){.T = rheo__sweep_steps(session),
                          .B = session->batch < count ? session->batch : count,
                          .in_form = encoder->form,
                          .in_fixed = encoder->fixed,
                          .train = true,
                          .gradient = true,
                          .readout = loss->uses_readout ||
                                     rheo__readout_uses_membrane(session->code.output)};
}

static void end(rheo_session *session)
{
    trainer *t = session->own;
    rheo_context *ctx = session->ctx;
    if (!t) return;
    uint32_t slots = session->net->params * session->now->optimiser->slots;
    for (uint32_t i = 0; t->slot && i < slots; i++) rheo__release(ctx, t->slot[i]);
    rheo__release(ctx, t->slot);
    rheo__release(ctx, t->order);
    rheo__release(ctx, t->label);
    rheo__release(ctx, t->id);
    rheo__release(ctx, t->x);
    rheo__release(ctx, t->scratch);
    rheo__release(ctx, t->score);
    rheo__release(ctx, t->class_score);
    rheo_plan_free(t->plan);
    rheo__release(ctx, t);
    session->own = NULL;
}

/* Every block that training owns beside its plan, listed once: what begin makes and measure adds. */
static rheo_status take(rheo_session *session, bool measure, size_t *bytes, size_t count,
                        size_t size, void *out)
{
    size_t all;
    RHEO_CHECK(session->ctx, rheo__mul(count, size, &all) && rheo__add(*bytes, all, bytes),
               RHEO_MEMORY, "out of memory: training needs more than there can be");
    return measure ? RHEO_OK : rheo__alloc(session->ctx, count, size, "training", out);
}

static rheo_status make(rheo_session *session, trainer *t, bool measure, size_t *bytes)
{
    rheo_request request = request_of(session);
    const rheo_phase *phase = session->now;
    uint32_t outputs = rheo_net_outputs(session->net), slots = phase->optimiser->slots;
    t->count = session->data->count[RHEO_TRAIN];
    t->batch = request.B;
    t->encoder = rheo__session_encoder(session, &t->encoder_options);
    size_t plan;
    RHEO_TRY(rheo__plan_measure(session->net, &request, &plan));
    *bytes += plan;
    if (!measure) RHEO_TRY(rheo__plan_new(session->net, &request, &t->plan));
    size_t x = (size_t)t->batch * rheo__pitch(session->data->features);
    size_t scratch = rheo__loss_need(request.T, outputs);
    RHEO_TRY(take(session, measure, bytes, t->count, 4, &t->order));
    RHEO_TRY(take(session, measure, bytes, t->batch, 4, &t->label));
    RHEO_TRY(take(session, measure, bytes, t->batch, 4, &t->id));
    RHEO_TRY(take(session, measure, bytes, x, sizeof(float), &t->x));
    RHEO_TRY(take(session, measure, bytes, scratch, sizeof(float), &t->scratch));
    RHEO_TRY(take(session, measure, bytes, outputs, 8, &t->score));
    RHEO_TRY(take(session, measure, bytes, session->data->classes, 8, &t->class_score));
    size_t pointers = (size_t)session->net->params * slots;
    RHEO_TRY(take(session, measure, bytes, pointers, sizeof(float *), &t->slot));
    for (uint32_t p = 0; p < session->net->params; p++)
        for (uint32_t s = 0; s < slots && session->net->param[p].trained; s++) {
            const rheo_param *param = &session->net->param[p];
            size_t count = (size_t)param->rows * param->cols;
            RHEO_TRY(take(session, measure, bytes, count, sizeof(float),
                          measure ? NULL : &t->slot[p * slots + s]));
        }
    return RHEO_OK;
}

static rheo_status begin(rheo_session *session, bool measure, size_t *bytes)
{
    rheo_context *ctx = session->ctx;
    RHEO_CHECK(ctx, session->data->count[RHEO_TRAIN] > 0, RHEO_USAGE,
               "%s: there are no training samples", session->data->name);
    RHEO_CHECK(ctx, rheo_net_outputs(session->net) == session->data->classes, RHEO_SHAPE,
               "the net has %u outputs but %s has %u classes; write `out` for the last size",
               rheo_net_outputs(session->net), session->data->name, session->data->classes);
    RHEO_CHECK(ctx, strcmp(rheo__readout_names[session->code.output], "response") != 0, RHEO_USAGE,
               "learn: method bptt trains outputs that each stand for a class, but code.output is "
               "response; take rate");
    trainer local = {0}, *t = &local;
    if (!measure) {
        RHEO_TRY(rheo__alloc(ctx, 1, sizeof *t, "training", &t));
        session->own = t;
    }
    *bytes += sizeof *t;
    rheo_status status = make(session, t, measure, bytes);
    if (status && !measure) end(session);
    return status;
}

/* ---- a batch ---- */

/* Sum of squares in 16 lanes, then over the lanes: one order on every instruction set. */
static double square_sum(const float *g, size_t count)
{
    double lane[16] = {0}, sum = 0;
    size_t i = 0;
    for (; i + 16 <= count; i += 16)
        for (size_t l = 0; l < 16; l++) lane[l] += (double)g[i + l] * (double)g[i + l];
    for (; i < count; i++) lane[i % 16] += (double)g[i] * (double)g[i];
    for (size_t l = 0; l < 16; l++) sum += lane[l];
    return sum;
}

static void clip(rheo_session *session, trainer *t)
{
    double sum = 0;
    for (uint32_t n = 0; n < session->net->nodes; n++)
        for (uint32_t i = 0; i < session->net->node[n].params; i++) {
            const rheo_param *param = session->net->node[n].param[i];
            const float *g = t->plan->work[n].grad[i];
            size_t count = (size_t)param->rows * param->cols;
            if (g) sum += square_sum(g, count);
        }
    t->norm = sqrt(sum);
    double limit = session->now->options.v[CLIP];
    if (limit <= 0 || t->norm <= limit) return;
    const rheo_kernels *kernels = rheo__kernels(session->ctx);
    for (uint32_t n = 0; n < session->net->nodes; n++)
        for (uint32_t i = 0; i < session->net->node[n].params; i++) {
            const rheo_param *param = session->net->node[n].param[i];
            float *g = t->plan->work[n].grad[i];
            if (g) kernels->scale((float)(limit / t->norm), g, (size_t)param->rows * param->cols);
        }
}

static double rate_now(const rheo_session *session, const trainer *t)
{
    const double *v = session->now->options.v;
    double epochs = v[EPOCHS] > 0 ? v[EPOCHS] : 1;
    double progress = (session->epoch + (double)session->at / t->count) / epochs;
    return v[RATE] * rheo__schedule((uint32_t)v[SCHEDULE], v[LAST], progress);
}

static void update(rheo_session *session, trainer *t)
{
    const rheo_kernels *kernels = rheo__kernels(session->ctx);
    const rheo_phase *phase = session->now;
    double rate = rate_now(session, t);
    uint32_t slots = phase->optimiser->slots;
    t->step++;
    for (uint32_t n = 0; n < session->net->nodes; n++)
        for (uint32_t i = 0; i < session->net->node[n].params; i++) {
            rheo_param *param = session->net->node[n].param[i];
            const float *g = t->plan->work[n].grad[i];
            if (!g) continue;
            size_t count = (size_t)param->rows * param->cols;
            float *const *slot = &t->slot[(size_t)(param - session->net->param) * slots];
            phase->optimiser->step(kernels, &phase->optimiser_options, rate, t->step, param->value, g,
                                   slot, count);
            if (param->low > -INFINITY || param->high < INFINITY)
                kernels->clamp(param->low, param->high, param->value, count);
            param->version++;
        }
}

/* Running accuracy, ties wrong. */
static uint64_t count_right(rheo_session *session, trainer *t, uint32_t B)
{
    uint64_t right = 0;
    rheo_decide ask = {.readout = session->code.output,
                       .out = rheo__plan_output(t->plan),
                       .v = rheo__plan_readout(t->plan),
                       .classes = session->data->classes,
                       .assignment = session->assignment,
                       .score = t->score,
                       .class_score = t->class_score};
    for (uint32_t b = 0; b < B; b++) {
        bool tie = false;
        uint32_t decision = 0;
        for (uint32_t s = 0; s < t->plan->request.T; s++) decision = rheo__decide(&ask, s, b, &tie);
        right += decision == t->label[b] && !tie;
    }
    return right;
}

static double count_work(const trainer *t)
{
    rheo_counts counts = {0};
    for (uint32_t s = 0; s < t->plan->request.T; s++)
        rheo__plan_count(t->plan, s, 0, t->plan->B, &counts);
    return (double)counts.macs + (double)counts.synops;
}

static rheo_status encode_batch(rheo_session *session, trainer *t, uint32_t B)
{
    rheo__data_batch(session->data, RHEO_TRAIN, t->order + session->at, B, t->x, t->label, t->id);
    rheo__plan_batch(t->plan, B, t->id, session->show);
    rheo_encode call = {.ctx = session->ctx,
                        .options = &t->encoder_options,
                        .dt = session->code.dt,
                        .B = B,
                        .N = session->data->features,
                        .x = t->x,
                        .sample = t->id,
                        .show = session->show,
                        .intensity = 1,
                        .seed = session->seed};
    t->encoder->encode(&call, &t->plan->work[0].out);
    return RHEO_OK;
}

static rheo_status batch(rheo_session *session)
{
    trainer *t = session->own;
    const rheo_phase *phase = session->now;
    if (t->permuted != session->epoch + 1) {
        rheo_key key = rheo__key(session->seed, session->phase, RHEO_FOR_SHUFFLE);
        rheo__permutation(key, session->epoch, t->count, t->order);
        t->permuted = session->epoch + 1;
    }
    uint32_t left = t->count - session->at, B = left < t->batch ? left : t->batch;
    RHEO_TRY(encode_batch(session, t, B));
    rheo__plan_forward(t->plan);
    bool membrane = phase->loss->uses_readout;
    rheo_loss_call loss = {.options = &phase->loss_options,
                           .dt = session->code.dt,
                           .T = t->plan->request.T,
                           .B = B,
                           .C = session->data->classes,
                           .out = rheo__plan_output(t->plan),
                           .readout = rheo__plan_readout(t->plan),
                           .label = t->label,
                           .gout = membrane ? NULL : &t->plan->gradient[session->net->output],
                           .greadout = membrane ? &t->plan->greadout : NULL,
                           .scratch = t->scratch};
    double value = rheo__loss_value(phase->loss, &loss);
    RHEO_CHECK(session->ctx, isfinite(value), RHEO_NUMERIC,
               "the loss is %f in epoch %u after %u samples; a smaller `rate` or `clip` may help", value,
               session->epoch + 1, session->at);
    t->plan->work[session->net->output].gout = membrane ? NULL : loss.gout;
    rheo__plan_backward(t->plan);
    clip(session, t);
    RHEO_CHECK(session->ctx, isfinite(t->norm), RHEO_NUMERIC,
               "the gradient is not finite in epoch %u after %u samples; a smaller `rate` or `clip` "
               "may help",
               session->epoch + 1, session->at);
    session->correct += count_right(session, t, B);
    session->operations += 3 * count_work(t); /* forward, and the two products of backward */
    update(session, t);
    session->loss_sum += value * B;
    session->seen += B;
    session->at += B;
    session->show++;
    return RHEO_OK;
}

/* Activity of the last batch, each population. */
static rheo_status epoch(rheo_session *session, rheo_metrics *line)
{
    const trainer *t = session->own;
    line->gradient = t->norm;
    rheo__plan_activity(t->plan, RHEO_METRIC_LAYERS, line->rate, line->silent);
    return RHEO_OK;
}

static uint32_t slots(rheo_session *session, rheo_slot *slot, uint32_t room)
{
    trainer *t = session->own;
    uint32_t count = 0, each = session->now->optimiser->slots;
    for (uint32_t p = 0; p < session->net->params; p++)
        for (uint32_t s = 0; s < each && t->slot[p * each + s] && count < room; s++) {
            const rheo_param *param = &session->net->param[p];
            slot[count] = (rheo_slot){.type = RHEO_SLOT_F32,
                                      .rows = param->rows,
                                      .cols = param->cols,
                                      .data = t->slot[p * each + s]};
            snprintf(slot[count++].path, sizeof slot->path, "/optimiser/%s/%s/%u", param->node,
                     param->name, s);
        }
    if (count < room) {
        slot[count] = (rheo_slot){.type = RHEO_SLOT_U64, .rows = 1, .data = &t->step};
        snprintf(slot[count++].path, sizeof slot->path, "/optimiser/step");
    }
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
    .epoch = epoch,
    .slots = slots,
    .end = end};
