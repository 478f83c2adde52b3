/* local.c: `local`, unsupervised learning by what each synapse itself sees (STDP and its relatives
 * in plastic projections, adaptive thresholds in populations). One sample after another, each shown
 * as long as `code.steps` says, rest included; a sample that woke too few spikes is shown again at
 * a higher intensity. Membranes and traces go on from sample to sample; only weights are normalised
 * in between. No label is used; the read-out `response` gives neurons their classes afterwards.
 *
 * Source: Diehl & Cook 2015 (Frontiers in Computational Neuroscience 9:99). */
#include "learn/profile.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { EPOCHS };

static const rheo_field fields[] = {
    RHEO_INTEGER_FIELD("epochs", "1", 1, 0, 1e6, "Passes over the training set."), RHEO_FIELD_END};

typedef struct watcher {
    rheo_plan *plan;
    uint32_t count, permuted;
    uint32_t *order;
    float *x;
} watcher;

static rheo_request request_of(const rheo_session *session)
{
    rheo_request request = rheo__session_request(session, 1);
    request.learn = true;
    request.profile = session->profile;
    return request;
}

static void end(rheo_session *session)
{
    watcher *w = session->own;
    if (!w) return;
    rheo_plan_free(w->plan);
    rheo__release(session->ctx, w->order);
    rheo__release(session->ctx, w->x);
    rheo__release(session->ctx, w);
    session->own = NULL;
}

static rheo_status check(const rheo_session *session)
{
    bool plastic = false;
    for (uint32_t n = 0; n < session->net->nodes; n++)
        plastic = plastic || session->net->node[n].synapse;
    RHEO_CHECK(session->ctx, plastic, RHEO_USAGE,
               "learn: method local needs a plastic layer in the net; there is none");
    RHEO_CHECK(session->ctx, session->data->count[RHEO_TRAIN] > 0, RHEO_USAGE,
               "%s: there are no training samples", session->data->name);
    RHEO_CHECK(
        session->ctx, !session->data->length, RHEO_UNSUPPORTED,
        "learn: method local shows every sample for all of code.steps, but samples of %s have "
        "lengths of their own",
        session->data->name);
    return RHEO_OK;
}

static rheo_status make(rheo_session *session)
{
    rheo_context *ctx = session->ctx;
    watcher *w = session->own;
    rheo_request request = request_of(session);
    w->count = session->data->count[RHEO_TRAIN];
    RHEO_TRY(rheo__plan_new(session->net, &request, &w->plan));
    RHEO_TRY(rheo__alloc(ctx, w->count, sizeof *w->order, "training", &w->order));
    return rheo__alloc(ctx, rheo__pitch(session->data->features), sizeof *w->x, "training", &w->x);
}

static rheo_status begin(rheo_session *session, bool measure, size_t *bytes)
{
    RHEO_TRY(check(session));
    rheo_request request = request_of(session);
    size_t plan;
    RHEO_TRY(rheo__plan_measure(session->net, &request, &plan));
    *bytes += plan + sizeof(watcher) + 4 * (size_t)session->data->count[RHEO_TRAIN] +
              4 * (size_t)rheo__pitch(session->data->features);
    if (measure) return RHEO_OK;
    RHEO_TRY(rheo__alloc(session->ctx, 1, sizeof(watcher), "training", &session->own));
    rheo_status status = make(session);
    if (status) end(session);
    return status;
}

static uint64_t present(rheo_session *session, watcher *w, uint32_t id, double intensity)
{
    rheo_plan *plan = w->plan;
    rheo__plan_show(plan, 1, &id, session->show);
    rheo__session_encode(session, plan,
                         &(rheo_encode){.N = session->data->features,
                                        .x = w->x,
                                        .sample = &id,
                                        .show = session->show,
                                        .intensity = intensity});
    rheo__lap_rest(session->profile, RHEO_REST_ENCODE, 1, 0);
    rheo__plan_forward(plan);
    session->show++;
    const rheo_signal *out = rheo__plan_output(plan);
    rheo_counts counts = {0};
    uint64_t spikes = 0;
    for (uint32_t t = 0; t < plan->request.T; t++) spikes += rheo__signal_popcount(out, t, 0, 1);
    rheo__count_window(plan, &counts);
    session->operations +=
        (double)counts.macs + (double)counts.synops + (double)counts.weight_writes;
    rheo__lap_rest(session->profile, RHEO_REST_COUNT, 1, 0);
    return spikes;
}

static rheo_status batch(rheo_session *session)
{
    watcher *w = session->own;
    if (w->permuted != session->epoch + 1) {
        rheo_key key = rheo__key(session->seed, session->phase, RHEO_FOR_SHUFFLE);
        rheo__permutation(key, session->epoch, w->count, w->order);
        w->permuted = session->epoch + 1;
    }
    uint32_t label, id;
    rheo__data_batch(session->data, RHEO_TRAIN, w->order + session->at, 1, w->x, &label, &id);
    rheo__lap_rest(session->profile, RHEO_REST_DATA, 1, session->data->features * sizeof(float));
    for (uint32_t n = 0; n < session->net->nodes; n++) {
        const rheo_work *work = &w->plan->work[n];
        if (!work->node->layer->begin_sample) continue;
        work->node->layer->begin_sample(work);
        rheo__lap_node(session->profile, n, RHEO_LAP_UPDATE, 1);
    }
    double intensity = 1;
    for (uint32_t shows = 0; shows < RHEO_MOST_SHOWS; shows++, intensity += session->code.raise)
        if (present(session, w, id, intensity) >= session->code.least) break;
    session->seen++;
    session->at++;
    return RHEO_OK;
}

static rheo_status epoch(rheo_session *session, rheo_metrics *line)
{
    const watcher *w = session->own;
    rheo__plan_activity(w->plan, RHEO_METRIC_LAYERS, line->rate, line->silent);
    rheo_net_touch(session->net); /* weights changed in place */
    return RHEO_OK;
}

static uint32_t slots(rheo_session *session, rheo_slot *slot, uint32_t room)
{
    return rheo__plan_slots(((watcher *)session->own)->plan, slot, room);
}

const rheo_learner rheo__learner_local = {
    .name = "local",
    .title = "local plasticity, one sample at a time, without labels",
    .equations = "each plastic synapse follows its own rule (rheobase list synapses)",
    .source = "Diehl & Cook 2015 (Front. Comput. Neurosci. 9:99)",
    .needs = "local traces",
    .local = true,
    .fields = fields,
    .begin = begin,
    .batch = batch,
    .epoch = epoch,
    .slots = slots,
    .end = end};
