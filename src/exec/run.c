/* run.c: running a plan: forward stage by stage, backward in the reverse order. */
#include "exec/plan.h"
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
    rheo__lap_node(plan->request.profile, n, RHEO_LAP_FORWARD, 0);
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
        rheo__lap_node(plan->request.profile, n, RHEO_LAP_FORWARD, 0);
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
            slots[count] = (rheo_slot){
                .type = RHEO_SLOT_F32, .rows = (uint32_t)need.state, .data = work->state};
            snprintf(slots[count++].path, sizeof slots->path, "/plan/state/%u", n);
        }
        if (!plan->looped[n]) continue;
        size_t bytes = work->out.stride_t * element(&work->out);
        slots[count] = (rheo_slot){.type = RHEO_SLOT_U8,
                                   .rows = (uint32_t)bytes,
                                   .data = row_before(&work->out, plan->request.T)};
        snprintf(slots[count++].path, sizeof slots->path, "/plan/last/%u", n);
    }
    if (count < room) {
        slots[count] = (rheo_slot){.type = RHEO_SLOT_U32, .rows = 1, .data = &plan->step0};
        snprintf(slots[count++].path, sizeof slots->path, "/plan/step");
    }
    return count;
}

/* ---- segments ---- */

/* The rows that are kept for a segment only are its own from now on. A loop's branch goes on: what
 * its first row holds is for the last step of the segment before. */
static void hold(rheo_plan *plan, uint32_t group, uint32_t s0)
{
    if (plan->segment == plan->request.T) return;
    for (uint32_t n = 0; n < plan->net->nodes; n++) {
        if (plan->group[n] != group) continue;
        if (plan->part[n]) plan->work[n].out.first = s0;
        if (plan->wanted[n] && !plan->kept[n]) plan->gradient[n].first = s0;
    }
    for (uint32_t e = 0; e < plan->net->edges; e++) {
        rheo_signal *branch = &plan->branch[e];
        if (plan->group[plan->net->edge[e].from] != group || !plan->partial[e]) continue;
        if (plan->delayed[e] && branch->first == s0 + plan->segment)
            memcpy(branch->real + plan->segment * branch->stride_t, branch->real,
                   branch->stride_t * sizeof(float));
        branch->first = s0;
    }
    plan->held[group] = s0;
    rheo__plan_point_gradients(plan);
}

static uint32_t segment_end(const rheo_plan *plan, uint32_t s0)
{
    return plan->request.T - s0 < plan->segment ? plan->request.T : s0 + plan->segment;
}

/* A static signal is made once; its gradient is complete when all steps have gone back. */
static bool still(const rheo_work *work)
{
    return work->out.stride_t == 0 && !(work->readout.real && work->readout.stride_t);
}

static void copy_state(const rheo_plan *plan, uint32_t n, float *to, const float *from)
{
    memcpy(to, from, plan->states[n].size * sizeof(float));
}

/* The least common multiple of two numbers of steps. */
static uint64_t common(uint32_t a, uint32_t b)
{
    uint32_t x = a, y = b;
    while (y) {
        const uint32_t rest = x % y;
        x = y;
        y = rest;
    }
    return (uint64_t)a / x * b;
}

/* The row of `snap` for a step where a span begins, or the end. */
static float *snap_row(const rheo_plan *plan, uint32_t n, uint32_t t)
{
    const uint32_t K = plan->cyclic[n] ? 0 : plan->request.truncate, S = plan->segment;
    const uint32_t T = plan->request.T;
    size_t row = 0;
    if (t == T)
        row = plan->cyclic[n] ? (T - 1) / S + 1 : plan->spans;
    else
        row = t / S + (K ? t / K - t / common(S, K) : 0);
    return plan->states[n].snap + row * plan->states[n].size;
}

/* ---- forward ---- */

/* A lifted term of a sum starts from the first one's row. */
static void lift_rows(const rheo_plan *plan, uint32_t n, uint32_t t0, uint32_t t1)
{
    const rheo_signal *from = &plan->work[plan->term[n]].out, *to = &plan->work[n].out;
    for (uint32_t t = t0; t < t1; t++)
        memcpy(rheo__real_row(to, t, 0), rheo__real_row(from, from->stride_t ? t : 0, 0),
               (size_t)plan->B * to->pitch * sizeof(float));
}

static void run_node(rheo_plan *plan, uint32_t n, uint32_t t0, uint32_t t1)
{
    const rheo_work *work = &plan->work[n];
    if (!work->node->layer->forward || work->taken) return;
    if (still(work)) {
        if (t0 > 0) return;
        t1 = work->T;
    }
    if (plan->lifted[n]) lift_rows(plan, n, t0, t1);
    work->node->layer->forward(work, t0, t1);
    rheo__plan_mask(plan, n, t0, t1);
    rheo__lap_node(plan->request.profile, n, RHEO_LAP_FORWARD, 1);
}

static void run_cycle(rheo_plan *plan, const rheo_stage *stage, uint32_t s0, uint32_t s1)
{
    for (uint32_t t = s0; t < s1; t++)
        for (uint32_t i = 0; i < stage->count; i++) {
            const uint32_t n = plan->order[stage->first + i];
            const rheo_states *states = &plan->states[n];
            if (states->snap && t == s0)
                copy_state(plan, n, snap_row(plan, n, t), plan->work[n].state);
            if (states->history)
                copy_state(plan, n, states->history + (t - s0) * states->size, plan->work[n].state);
            run_node(plan, n, t, t + 1);
        }
}

/* The steps of a segment in one stage. */
static void run_stage(rheo_plan *plan, const rheo_stage *stage, uint32_t s0, uint32_t s1)
{
    if (stage->cycle) {
        run_cycle(plan, stage, s0, s1);
        return;
    }
    const uint32_t n = plan->order[stage->first];
    if (!plan->states[n].snap) {
        run_node(plan, n, s0, s1);
        return;
    }
    for (uint32_t t = s0, end; t < s1; t = end) {
        end = rheo__plan_span_end(plan, t);
        copy_state(plan, n, snap_row(plan, n, t), plan->work[n].state);
        run_node(plan, n, t, end);
    }
}

static void run_group(rheo_plan *plan, uint32_t first, uint32_t last)
{
    const uint32_t T = plan->request.T;
    const rheo_stage *stage = plan->stage;
    if (plan->net->node[plan->order[stage[first].first]].layer->whole) {
        run_node(plan, plan->order[stage[first].first], 0, T);
        return;
    }
    for (uint32_t s0 = 0, s1; s0 < T; s0 = s1) {
        s1 = segment_end(plan, s0);
        hold(plan, stage[first].group, s0);
        for (uint32_t s = first; s < last; s++) run_stage(plan, &stage[s], s0, s1);
    }
}

/* One past the last stage of the group that stage `first` begins. */
static uint32_t group_end(const rheo_plan *plan, uint32_t first)
{
    uint32_t last = first;
    while (last < plan->stages && plan->stage[last].group == plan->stage[first].group) last++;
    return last;
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
    for (uint32_t s = 0, end; s < plan->stages; s = end) {
        end = group_end(plan, s);
        run_group(plan, s, end);
    }
    plan->step0 += T;
}

/* ---- backward ---- */

static void add_row(const rheo_plan *plan, const rheo_signal *sum, uint32_t t,
                    const rheo_signal *more, uint32_t row)
{
    float *to = rheo__real_row(sum, t, 0);
    const float *from = rheo__real_row(more, row, 0);
    const size_t count = (size_t)sum->pitch * plan->B;
    for (size_t i = 0; i < count; i++) to[i] += from[i];
}

/* dL/d out of the steps: what the consumers give, added up. */
static void add_branches(rheo_plan *plan, uint32_t n, uint32_t t0, uint32_t t1)
{
    const rheo_signal *sum = &plan->gradient[n];
    if (!sum->real) return;
    if (sum->stride_t == 0) t1 = t0 + 1;
    for (uint32_t t = t0; t < t1 && !plan->direct[n]; t++)
        memset(rheo__real_row(sum, t, 0), 0, (size_t)sum->pitch * plan->B * sizeof(float));
    for (uint32_t e = 0; e < plan->net->edges; e++) {
        const rheo_signal *more = &plan->branch[e];
        if (plan->net->edge[e].from != n || !more->real) continue;
        for (uint32_t t = t0; t < t1; t++) add_row(plan, sum, t, more, t + plan->delayed[e]);
    }
}

/* A regulariser's gradient, the same at every step; a static signal's row takes all steps. */
static void add_pull(rheo_plan *plan, uint32_t n, uint32_t t0, uint32_t t1)
{
    const rheo_signal *pull = &plan->pull[n], *sum = &plan->gradient[n];
    if (!pull->real) return;
    for (uint32_t t = t0; t < (sum->stride_t ? t1 : t0 + 1); t++)
        for (uint32_t b = 0; b < plan->B; b++) {
            if (plan->masked && t >= plan->length[b]) continue;
            const uint32_t all = plan->masked ? plan->length[b] : plan->request.T;
            const float steps = sum->stride_t ? 1.0f : (float)all;
            const float *from = rheo__real_row(pull, 0, b);
            float *to = rheo__real_row(sum, t, b);
            for (uint32_t i = 0; i < sum->N; i++) to[i] += steps * from[i];
        }
}

/* The gradient of a lifted sum is its first term's too, summed over time if that stands still. */
static void lower_rows(rheo_plan *plan, uint32_t n, uint32_t t0, uint32_t t1)
{
    const rheo_signal *to = &plan->gradient[plan->term[n]], *from = &plan->gradient[n];
    if (!to->real) return;
    for (uint32_t t = t0; t < t1 && to->stride_t; t++)
        memcpy(rheo__real_row(to, t, 0), rheo__real_row(from, t, 0),
               (size_t)to->pitch * plan->B * sizeof(float));
    if (to->stride_t) return;
    if (t1 == plan->request.T)
        memset(rheo__real_row(to, 0, 0), 0, (size_t)to->pitch * plan->B * sizeof(float));
    for (uint32_t t = t1; t-- > t0;) add_row(plan, to, 0, from, t);
}

/* No gradient goes from step t on to the steps before it. */
static void cut_loops(rheo_plan *plan, uint32_t n, uint32_t t)
{
    for (uint32_t e = 0; e < plan->net->edges; e++) {
        const rheo_signal *branch = &plan->branch[e];
        if (plan->net->edge[e].to == n && plan->delayed[e] && branch->real)
            memset(rheo__real_row(branch, t, 0), 0,
                   (size_t)branch->pitch * plan->B * sizeof(float));
    }
}

static void run_node_back(rheo_plan *plan, uint32_t n, uint32_t t0, uint32_t t1)
{
    rheo_work *work = &plan->work[n];
    const rheo_states *states = &plan->states[n];
    const uint32_t K = plan->request.truncate;
    if (!plan->wanted[n]) return;
    if (work->out.stride_t == 0) { /* also where its membrane has steps */
        if (t0 > 0) return;
        t1 = work->T;
    }
    add_branches(plan, n, t0, t1);
    add_pull(plan, n, t0, t1);
    if (plan->adjoint[n] && (t1 == work->T || (K && t1 % K == 0)))
        memset(work->adjoint, 0, plan->adjoint[n] * sizeof(float));
    work->before = NULL;
    if (states->history)
        work->before = states->history + (t0 - plan->held[plan->group[n]]) * states->size;
    else if (states->snap)
        work->before = snap_row(plan, n, t0);
    if (work->node->layer->backward) work->node->layer->backward(work, t0, t1);
    if (plan->lifted[n]) lower_rows(plan, n, t0, t1);
    if (K && t0 % K == 0) cut_loops(plan, n, t0);
    rheo__lap_node(plan->request.profile, n, RHEO_LAP_BACKWARD, 1);
}

/* The gradients of a node's parameters, chunk by chunk. */
static void find_gradient(rheo_plan *plan, uint32_t n, uint32_t s0, uint32_t s1)
{
    const rheo_work *work = &plan->work[n];
    const rheo_layer *layer = work->node->layer;
    if (!plan->wanted[n] || !layer->gradient) return;
    if (work->out.stride_t == 0) { /* gone back as a whole */
        if (s0 > 0) return;
        s1 = work->T;
    }
    for (uint32_t t1 = s1, t0; t1 > s0; t1 = t0) {
        t0 = layer->whole || still(work) ? 0 : (t1 - 1) / RHEO_CHUNK * RHEO_CHUNK;
        layer->gradient(work, t0, t1);
    }
    const bool own = work->node->params > 0; /* else nothing was done */
    rheo__lap_node(plan->request.profile, n, own ? RHEO_LAP_GRADIENT : RHEO_LAP_BACKWARD, own);
}

static void run_stage_back(rheo_plan *plan, const rheo_stage *stage, uint32_t s0, uint32_t s1)
{
    const uint32_t K = plan->request.truncate;
    const bool cut = plan->cut[plan->order[stage->first]];
    for (uint32_t t1 = s1, t0; t1 > s0; t1 = t0) {
        t0 = stage->cycle ? t1 - 1 : cut && (t1 - 1) / K * K > s0 ? (t1 - 1) / K * K : s0;
        for (uint32_t i = stage->count; i-- > 0;)
            run_node_back(plan, plan->order[stage->first + i], t0, t1);
    }
    for (uint32_t i = stage->count; i-- > 0;)
        find_gradient(plan, plan->order[stage->first + i], s0, s1);
}

/* What a segment lost to the others is made anew, from the states before it. */
static void remake(rheo_plan *plan, uint32_t first, uint32_t last, uint32_t s0, uint32_t s1)
{
    const uint32_t group = plan->stage[first].group;
    hold(plan, group, s0);
    for (uint32_t n = 0; n < plan->net->nodes; n++)
        if (plan->group[n] == group && plan->states[n].snap)
            copy_state(plan, n, plan->work[n].state, snap_row(plan, n, s0));
    for (uint32_t s = first; s < last; s++) {
        const uint32_t n = plan->order[plan->stage[s].first];
        if (plan->stage[s].cycle || plan->part[n]) run_stage(plan, &plan->stage[s], s0, s1);
    }
}

/* The state at the end of the window is kept from a pass back that makes segments anew. */
static void keep_end(rheo_plan *plan, uint32_t group, bool back)
{
    for (uint32_t n = 0; n < plan->net->nodes; n++) {
        if (plan->group[n] != group || !plan->states[n].snap) continue;
        float *end = snap_row(plan, n, plan->request.T);
        copy_state(plan, n, back ? plan->work[n].state : end, back ? end : plan->work[n].state);
    }
}

static void run_group_back(rheo_plan *plan, uint32_t first, uint32_t last)
{
    const uint32_t T = plan->request.T, S = plan->segment, group = plan->stage[first].group;
    const uint32_t head = plan->order[plan->stage[first].first];
    if (plan->net->node[head].layer->whole) {
        run_node_back(plan, head, 0, T);
        find_gradient(plan, head, 0, T);
        return;
    }
    if (S < T) keep_end(plan, group, false);
    for (uint32_t s1 = T, s0; s1 > 0; s1 = s0) {
        s0 = (s1 - 1) / S * S;
        if (plan->held[group] != s0) remake(plan, first, last, s0, s1);
        for (uint32_t n = 0; n < plan->net->nodes && s1 == T;
             n++) /* after the last step: nothing */
            if (plan->group[n] == group) cut_loops(plan, n, T);
        for (uint32_t s = last; s-- > first;) run_stage_back(plan, &plan->stage[s], s0, s1);
    }
    if (S < T) keep_end(plan, group, true);
}

void rheo__plan_backward(rheo_plan *plan)
{
    uint32_t first = plan->stages;
    while (first > 0) {
        const uint32_t last = first--;
        while (first > 0 && plan->stage[first - 1].group == plan->stage[last - 1].group) first--;
        run_group_back(plan, first, last);
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
