/* run.c: running a plan: forward stage by stage, backward in the reverse order, and counting. */
#include "exec/plan.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Panels, packed signs, folded norms: made anew when a parameter has changed. */
static void refresh(rheo_plan *plan, uint32_t n)
{
    const rheo_work *work = &plan->work[n];
    uint64_t version = 1;
    for (uint32_t i = 0; i < work->node->params; i++) version += work->node->param[i]->version;
    if (version == plan->seen[n]) return;
    plan->seen[n] = version;
    if (work->node->layer->refresh) work->node->layer->refresh(work);
}

static size_t element(const rheo_signal *s)
{
    return s->form == RHEO_BITS ? sizeof(uint64_t) : sizeof(float);
}

static char *row_before(const rheo_signal *s, uint32_t t)
{
    return (char *)s->real + ((size_t)t * s->stride_t - s->stride_t) * element(s);
}

void rheo__plan_reset(rheo_plan *plan)
{
    plan->step0 = 0;
    for (uint32_t n = 0; n < plan->net->nodes; n++) {
        rheo_work *work = &plan->work[n];
        refresh(plan, n);
        if (work->node->layer->reset) work->node->layer->reset(work);
        if (plan->looped[n])
            memset(row_before(&work->out, 0), 0, work->out.stride_t * element(&work->out));
    }
}

void rheo__plan_show(rheo_plan *plan, uint32_t B, const uint32_t *sample, uint32_t show)
{
    plan->B = B;
    if (sample) memcpy(plan->sample, sample, B * sizeof *sample);
    for (uint32_t n = 0; n < plan->net->nodes; n++) {
        plan->work[n].B = B;
        plan->work[n].show = show;
    }
}

void rheo__plan_batch(rheo_plan *plan, uint32_t B, const uint32_t *sample, uint32_t show)
{
    rheo__plan_show(plan, B, sample, show);
    rheo__plan_reset(plan);
}

/* The state of a sample, and of loops the last step, which the next window begins with. */
uint32_t rheo__plan_slots(rheo_plan *plan, rheo_slot *slots, uint32_t room)
{
    uint32_t count = 0;
    for (uint32_t n = 0; n < plan->net->nodes && count + 2 <= room; n++) {
        rheo_work *work = &plan->work[n];
        rheo_need need = {0};
        if (work->node->layer->need) work->node->layer->need(work, &need);
        if (need.state > 0) {
            slots[count] = (rheo_slot){.type = RHEO_SLOT_F32, .rows = (uint32_t)need.state,
                                       .data = work->state};
            snprintf(slots[count++].path, sizeof slots->path, "/plan/state/%u", n);
        }
        if (!plan->looped[n]) continue;
        size_t bytes = work->out.stride_t * element(&work->out);
        slots[count] = (rheo_slot){.type = RHEO_SLOT_U8, .rows = (uint32_t)bytes,
                                   .data = row_before(&work->out, plan->request.T)};
        snprintf(slots[count++].path, sizeof slots->path, "/plan/last/%u", n);
    }
    if (count < room) {
        slots[count] = (rheo_slot){.type = RHEO_SLOT_U32, .rows = 1, .data = &plan->step0};
        snprintf(slots[count++].path, sizeof slots->path, "/plan/step");
    }
    return count;
}

void rheo__plan_forward(rheo_plan *plan)
{
    uint32_t T = plan->request.T;
    for (uint32_t n = 0; n < plan->net->nodes; n++) {
        rheo_work *work = &plan->work[n];
        refresh(plan, n);
        work->step0 = plan->step0;
        if (plan->looped[n] && plan->step0 > 0) /* the last step of the window before */
            memcpy(row_before(&work->out, 0), row_before(&work->out, T),
                   work->out.stride_t * element(&work->out));
    }
    for (uint32_t s = 0; s < plan->stages; s++) {
        const rheo_stage *stage = &plan->stage[s];
        uint32_t span = stage->cycle ? 1 : T;
        for (uint32_t t = 0; t < T; t += span)
            for (uint32_t i = 0; i < stage->count; i++) {
                const rheo_work *work = &plan->work[plan->order[stage->first + i]];
                if (work->node->layer->forward) work->node->layer->forward(work, t, t + span);
            }
    }
    plan->step0 += T;
}

static void add_branches(rheo_plan *plan, uint32_t n)
{
    rheo_signal *sum = &plan->gradient[n];
    for (uint32_t e = 0; e < plan->net->edges; e++) {
        const rheo_signal *more = &plan->branch[e];
        if (plan->net->edge[e].from != n || !more->real) continue;
        size_t count = sum->stride_t ? sum->stride_t * sum->T : (size_t)sum->pitch * sum->B;
        for (size_t i = 0; i < count; i++) sum->real[i] += more->real[i];
    }
}

/* A regulariser's gradient, the same at every step; a static signal's row takes all steps. */
static void add_pull(rheo_plan *plan, uint32_t n)
{
    const rheo_signal *pull = &plan->pull[n], *sum = &plan->gradient[n];
    if (!pull->real) return;
    const float steps = sum->stride_t ? 1.0f : (float)plan->request.T;
    for (uint32_t t = 0; t < (sum->stride_t ? sum->T : 1); t++)
        for (uint32_t b = 0; b < plan->B; b++) {
            const float *from = rheo__real_row(pull, 0, b);
            float *to = rheo__real_row(sum, t, b);
            for (uint32_t i = 0; i < sum->N; i++) to[i] += steps * from[i];
        }
}

/* The gradients of a node's parameters, chunk by chunk. */
static void find_gradient(const rheo_work *work)
{
    const rheo_layer *layer = work->node->layer;
    if (!layer->gradient) return;
    for (uint32_t t1 = work->T, t0; t1 > 0; t1 = t0) {
        t0 = layer->whole ? 0 : (t1 - 1) / RHEO_CHUNK * RHEO_CHUNK;
        layer->gradient(work, t0, t1);
    }
}

void rheo__plan_backward(rheo_plan *plan)
{
    for (uint32_t i = plan->net->nodes; i-- > 0;) {
        uint32_t n = plan->order[i];
        if (!plan->wanted[n]) continue;
        if (n != plan->net->output) add_branches(plan, n);
        add_pull(plan, n);
        const rheo_work *work = &plan->work[n];
        if (plan->adjoint[n]) memset(work->adjoint, 0, plan->adjoint[n] * sizeof(float));
        work->node->layer->backward(work, 0, work->T);
        find_gradient(work);
    }
}

const rheo_signal *rheo__plan_output(const rheo_plan *plan)
{
    return &plan->work[plan->net->output].out;
}

const rheo_signal *rheo__plan_readout(const rheo_plan *plan)
{
    const rheo_signal *readout = &plan->work[plan->net->output].readout;
    return readout->real ? readout : NULL;
}

void rheo__plan_count(const rheo_plan *plan, uint32_t t, uint32_t b0, uint32_t b1, rheo_counts *add)
{
    for (uint32_t n = 0; n < plan->net->nodes; n++) {
        const rheo_work *work = &plan->work[n];
        if (work->node->layer->count) work->node->layer->count(work, t, b0, b1, add);
    }
}

static double silent_share(const rheo_signal *out, uint32_t B)
{
    uint32_t silent = 0;
    for (uint32_t w = 0; w < rheo__words(out->N); w++) {
        uint64_t fired = 0;
        for (uint32_t t = 0; t < out->T; t++)
            for (uint32_t b = 0; b < B; b++) fired |= rheo__bits_row(out, t, b)[w];
        uint32_t here = out->N - w * 64 < 64 ? out->N - w * 64 : 64;
        silent += here - (uint32_t)__builtin_popcountll(fired);
    }
    return (double)silent / out->N;
}

void rheo__plan_activity(const rheo_plan *plan, uint32_t room, double *rate, double *silent)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < room; i++) rate[i] = silent[i] = NAN;
    for (uint32_t n = 0; n < plan->net->nodes && at < room; n++) {
        const rheo_work *work = &plan->work[n];
        if (!work->node->neuron) continue;
        if (work->out.form == RHEO_BITS) {
            uint64_t spikes = 0;
            for (uint32_t t = 0; t < work->out.T; t++)
                spikes += rheo__signal_popcount(&work->out, t, 0, plan->B);
            rate[at] = (double)spikes / ((double)work->out.T * plan->B * work->out.N);
            silent[at] = silent_share(&work->out, plan->B);
        }
        at++;
    }
}
