/* sweep.c: every sample of a split through the net as it stands. Each thread has a plan of its own,
 * so samples run side by side; each sample starts from rest, so it gives the same bits wherever it
 * falls. */
#include "base/clock.h"
#include "base/threads.h"
#include "learn/learn.h"
#include <math.h>

#define FIRST_SHOW 0x80000000u /* shows of sweeps: other random numbers than those of training */
#define GROUP      16u         /* batches a thread between looks at progress and interruption */

/* One thread's own things. */
typedef struct lane {
    rheo_plan *plan;
    float *x;
    uint32_t *label, *id, *length;
} lane;

typedef struct sweeper {
    rheo_session *session;
    const rheo_sweep *ask;
    uint32_t count, B, batches, first; /* first: batch of this group */
    lane *lane;
} sweeper;

static uint32_t sweep_batch(const rheo_session *session)
{
    if (session->code.least > 0) return 1;
    uint32_t b = 2048 / rheo__sweep_steps(session);
    return b < 16 ? 16 : b > 256 ? 256 : b;
}

static uint64_t output_spikes(const rheo_plan *plan)
{
    const rheo_signal *out = rheo__plan_output(plan);
    uint64_t sum = 0;
    for (uint32_t t = 0; t < out->T; t++) sum += rheo__signal_popcount(out, t, 0, plan->B);
    return sum;
}

static void run_batch(void *arg, uint32_t task, uint32_t thread)
{
    sweeper *s = arg;
    const rheo_session *session = s->session;
    lane *own = &s->lane[thread];
    uint32_t first = (s->first + task) * s->B;
    uint32_t B = s->count - first < s->B ? s->count - first : s->B, position[256];
    for (uint32_t b = 0; b < B; b++) position[b] = first + b;
    rheo__data_batch(session->data, s->ask->split, position, B, own->x, own->label, own->id);
    const uint32_t *length =
        rheo__session_lengths(session, s->ask->split, position, B, own->length);
    uint32_t shows = 0, least = session->code.least;
    do {
        rheo__plan_batch(own->plan, B, own->id, FIRST_SHOW + shows);
        rheo__plan_lengths(own->plan, length);
        rheo__session_encode(session, own->plan,
                             &(rheo_encode){.N = session->data->features,
                                            .x = own->x,
                                            .sample = own->id,
                                            .length = length,
                                            .show = FIRST_SHOW + shows,
                                            .intensity = 1 + session->code.raise * shows});
        rheo__plan_forward(own->plan);
        shows++;
    } while (least > 0 && shows < RHEO_MOST_SHOWS && output_spikes(own->plan) < least);
    rheo_visit visit = {.plan = own->plan,
                        .thread = thread,
                        .B = B,
                        .label = own->label,
                        .id = own->id,
                        .shows = shows};
    s->ask->visit(s->ask->arg, &visit);
}

static void free_lanes(sweeper *s)
{
    rheo_context *ctx = s->session->ctx;
    for (uint32_t i = 0; s->lane && i < rheo_threads(ctx); i++) {
        rheo_plan_free(s->lane[i].plan);
        rheo__release(ctx, s->lane[i].x);
        rheo__release(ctx, s->lane[i].label);
        rheo__release(ctx, s->lane[i].id);
        rheo__release(ctx, s->lane[i].length);
    }
    rheo__release(ctx, s->lane);
}

static rheo_status make_lanes(sweeper *s, bool readout)
{
    rheo_context *ctx = s->session->ctx;
    rheo_request request = rheo__session_request(s->session, s->B);
    uint32_t pitch = rheo__pitch(s->session->data->features);
    request.readout = readout;
    RHEO_TRY(rheo__alloc(ctx, rheo_threads(ctx), sizeof *s->lane, "a sweep", &s->lane));
    for (uint32_t i = 0; i < rheo_threads(ctx); i++) {
        lane *own = &s->lane[i];
        RHEO_TRY(rheo__plan_new(s->session->net, &request, &own->plan));
        RHEO_TRY(rheo__alloc(ctx, (size_t)s->B * pitch, sizeof(float), "a batch", &own->x));
        RHEO_TRY(rheo__alloc(ctx, s->B, sizeof *own->label, "a batch", &own->label));
        RHEO_TRY(rheo__alloc(ctx, s->B, sizeof *own->id, "a batch", &own->id));
        RHEO_TRY(rheo__alloc(ctx, s->B, sizeof *own->length, "a batch", &own->length));
    }
    return RHEO_OK;
}

rheo_status rheo__sweep_measure(rheo_session *session, bool readout, size_t *bytes)
{
    rheo_request request = rheo__session_request(session, sweep_batch(session));
    size_t plan;
    request.readout = readout;
    RHEO_TRY(rheo__plan_measure(session->net, &request, &plan));
    size_t lane_bytes = (size_t)request.B * (rheo__pitch(session->data->features) + 3) * 4;
    *bytes = rheo_threads(session->ctx) * (plan + lane_bytes + sizeof(lane));
    return RHEO_OK;
}

static void report(const sweeper *s, uint64_t done, double began, bool end)
{
    const rheo_context_options *options = &s->session->ctx->options;
    if (!options->progress) return;
    const double seconds = rheo__now() - began;
    if (done > s->count) done = s->count;
    rheo_progress progress = {.what = s->ask->what,
                              .done = done,
                              .total = s->count,
                              .loss = NAN,
                              .accuracy = NAN,
                              .seconds = seconds,
                              .rate = seconds > 0 ? (double)done / seconds : 0,
                              .end = end};
    options->progress(options->user, &progress);
}

static rheo_status run_groups(sweeper *s)
{
    rheo_context *ctx = s->session->ctx;
    double began = rheo__now();
    uint32_t group = GROUP * rheo_threads(ctx);
    for (s->first = 0; s->first < s->batches; s->first += group) {
        if (rheo__interrupted(ctx)) return rheo__fail(ctx, RHEO_INTERRUPTED, "interrupted");
        uint32_t left = s->batches - s->first;
        rheo__parallel(ctx, left < group ? left : group, run_batch, s);
        report(s, (uint64_t)(s->first + group) * s->B, began, false);
    }
    report(s, s->count, began, true);
    return RHEO_OK;
}

rheo_status rheo__sweep(rheo_session *session, const rheo_sweep *ask)
{
    RHEO_TRY(rheo__session_fits(session));
    sweeper s = {.session = session, .ask = ask, .B = sweep_batch(session)};
    s.count = session->data->count[ask->split];
    if (ask->limit > 0 && ask->limit < s.count) s.count = ask->limit;
    s.batches = s.count / s.B + (s.count % s.B != 0);
    rheo_status status = make_lanes(&s, ask->readout);
    if (!status) status = run_groups(&s);
    free_lanes(&s);
    return status;
}
