/* plan.c: making a plan: shapes, gradients wanted, and memory in two walks over one arena. */
#include "exec/plan.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Steps a signal of this node has in memory. */
static void shape_out(rheo_plan *plan, uint32_t n, rheo_arena *arena)
{
    rheo_work *work = &plan->work[n];
    const rheo_node_spec *node = work->node;
    rheo_form form = plan->request.in_form;
    bool fixed = plan->request.in_fixed;
    float lo = 0, hi = 1;
    if (n > 0) node->layer->form(work, &form, &fixed, &lo, &hi);
    bool loop = plan->looped[n];
    rheo_signal *out = &work->out;
    rheo__signal_take(out, form, plan->request.T + (loop ? 1 : 0), plan->request.B,
                      rheo__shape_size(node->out), fixed && !loop, arena);
    out->lo = lo;
    out->hi = hi;
    if (!loop) return;
    out->T = plan->request.T;
    for (uint32_t e = 0; e < plan->net->edges; e++) /* the delayed views start one row earlier */
        if (plan->net->edge[e].from == n && plan->delayed[e]) plan->loop[e] = *out;
    if (arena->base) {
        if (form == RHEO_BITS)
            out->bits += out->stride_t;
        else
            out->real += out->stride_t;
    }
}

/* The edge into a port whose source comes first in the plan's order: -1 when there is none. */
static int first_into(const rheo_plan *plan, uint32_t to, uint32_t port)
{
    const rheo_net *net = plan->net;
    for (uint32_t i = 0; i < net->nodes; i++)
        for (uint32_t e = 0; e < net->edges; e++)
            if (net->edge[e].from == plan->order[i] && net->edge[e].to == to &&
                net->edge[e].port == port)
                return (int)e;
    return -1;
}

/* Several projections into one port add into the first one's signal. */
static void share_port(rheo_plan *plan, uint32_t n)
{
    rheo_work *work = &plan->work[n];
    for (uint32_t p = 0; p < RHEO_PORTS; p++) {
        int e = first_into(plan, n, p);
        work->in[p] = NULL;
        if (e >= 0)
            work->in[p] =
                plan->delayed[e] ? &plan->loop[e] : &plan->work[plan->net->edge[e].from].out;
    }
}

/* The node whose signal this projection adds to, or the node itself. */
static uint32_t sum_into(const rheo_plan *plan, uint32_t n)
{
    const rheo_net *net = plan->net;
    for (uint32_t e = 0; e < net->edges; e++) {
        if (net->edge[e].from != n || net->node[n].layer->kind != RHEO_PROJECTION) continue;
        int first = first_into(plan, net->edge[e].to, net->edge[e].port);
        if (net->edge[first].from != n) return net->edge[first].from;
    }
    return n;
}

static void shape_node(rheo_plan *plan, uint32_t n, rheo_arena *arena, size_t *scratch)
{
    rheo_work *work = &plan->work[n];
    share_port(plan, n);
    uint32_t sum = sum_into(plan, n);
    if (sum == n)
        shape_out(plan, n, arena);
    else {
        rheo_form form;
        bool fixed;
        float lo, hi;
        work->node->layer->form(work, &form, &fixed, &lo, &hi);
        work->out = plan->work[sum].out;
        work->accumulate = true;
        if (!fixed && work->out.stride_t == 0) plan->unequal = n;
    }
    bool readout = plan->recorded[n] || (plan->request.readout && n == plan->net->output) ||
                   (plan->request.lift && work->node->neuron);
    work->readout = (rheo_signal){0};
    if (readout)
        rheo__signal_take(&work->readout, RHEO_REAL, plan->request.T, plan->request.B,
                          rheo__shape_size(work->node->out),
                          work->out.form == RHEO_REAL && work->out.stride_t == 0, arena);
    rheo_need need = {0};
    if (work->node->layer->need) work->node->layer->need(work, &need);
    work->derived = rheo__take(arena, need.derived, sizeof(float));
    work->tape = rheo__take(arena, need.tape, sizeof(float));
    work->state = rheo__take(arena, need.state, sizeof(float));
    work->adjoint = rheo__take(arena, need.adjoint, sizeof(float));
    plan->adjoint[n] = need.adjoint;
    if (need.scratch > *scratch) *scratch = need.scratch;
}

/* A node's output gradient is wanted when something trained stands before it. */
static void find_wanted(rheo_plan *plan)
{
    const rheo_net *net = plan->net;
    for (uint32_t i = 0; i < net->nodes; i++) {
        uint32_t n = plan->order[i];
        bool want = false;
        for (uint32_t p = 0; p < net->node[n].params; p++)
            want = want || net->node[n].param[p]->trained;
        for (uint32_t e = 0; e < net->edges; e++)
            want = want || (net->edge[e].to == n && plan->wanted[net->edge[e].from]);
        plan->wanted[n] = want && plan->request.gradient;
    }
    for (uint32_t n = 0; n < net->nodes; n++) /* the terms of a sum share its gradient */
        if (plan->wanted[n]) plan->wanted[sum_into(plan, n)] = true;
}

static void take_like(rheo_signal *g, const rheo_signal *like, rheo_arena *arena)
{
    rheo__signal_take(g, RHEO_REAL, like->T, like->B, like->N, like->stride_t == 0, arena);
}

/* What regularisers push: populations, at their outputs and membranes. */
static void shape_regularised(rheo_plan *plan, uint32_t n, rheo_arena *arena)
{
    rheo_work *work = &plan->work[n];
    plan->pull[n] = plan->lift[n] = (rheo_signal){0};
    if (!plan->wanted[n] || !work->node->neuron) return;
    if (plan->request.pull)
        rheo__signal_take(&plan->pull[n], RHEO_REAL, 1, work->out.B, work->out.N, true, arena);
    if (!plan->request.lift || n == plan->net->output) return;
    take_like(&plan->lift[n], &work->readout, arena);
    work->greadout = &plan->lift[n];
}

/* Gradients: one signal a node; further consumers get their own, added afterwards. */
static void shape_gradients(rheo_plan *plan, rheo_arena *arena)
{
    const rheo_net *net = plan->net;
    for (uint32_t n = 0; n < net->nodes; n++) {
        rheo_work *work = &plan->work[n];
        plan->gradient[n] = (rheo_signal){0};
        work->gout = NULL;
        work->greadout = NULL;
        for (uint32_t p = 0; p < RHEO_PORTS; p++) work->gin[p] = (rheo_signal){0};
        for (uint32_t i = 0; i < work->node->params; i++) {
            const rheo_param *param = work->node->param[i];
            work->grad[i] = NULL;
            if (plan->request.gradient && param->trained)
                work->grad[i] =
                    rheo__take(arena, (size_t)param->rows * param->cols, sizeof(float));
        }
        if (!plan->wanted[n]) continue;
        work->gout = &plan->gradient[sum_into(plan, n)];
        if (sum_into(plan, n) == n) take_like(&plan->gradient[n], &work->out, arena);
    }
    for (uint32_t e = 0; e < net->edges; e++) {
        uint32_t from = net->edge[e].from, to = net->edge[e].to;
        plan->branch[e] = (rheo_signal){0};
        if (!plan->wanted[from] || sum_into(plan, from) != from) continue;
        bool first = true;
        for (uint32_t d = 0; d < e; d++) first = first && net->edge[d].from != from;
        if (!first) take_like(&plan->branch[e], &plan->work[from].out, arena);
        plan->work[to].gin[net->edge[e].port] = first ? plan->gradient[from] : plan->branch[e];
    }
    for (uint32_t n = 0; n < net->nodes; n++) shape_regularised(plan, n, arena);
    plan->greadout = (rheo_signal){0};
    if (!plan->request.gradient || !(plan->request.readout || plan->request.lift)) return;
    take_like(&plan->greadout, &plan->work[net->output].readout, arena);
    plan->work[net->output].greadout = &plan->greadout;
}

static void walk(rheo_plan *plan, rheo_arena *arena)
{
    size_t scratch = 0;
    plan->sample = rheo__take(arena, plan->request.B, sizeof *plan->sample);
    for (uint32_t i = 0; i < plan->net->nodes; i++) shape_node(plan, plan->order[i], arena, &scratch);
    /* a loop's view is known once its source is shaped */
    for (uint32_t i = 0; i < plan->net->nodes; i++) share_port(plan, plan->order[i]);
    shape_gradients(plan, arena);
    void *shared = rheo__take(arena, scratch, 1);
    for (uint32_t n = 0; n < plan->net->nodes; n++) {
        plan->work[n].scratch = shared;
        plan->work[n].sample = plan->sample;
    }
}

/* ---- checks ---- */

static rheo_status check_request(const rheo_net *net, const rheo_request *request)
{
    rheo_context *ctx = net->ctx;
    RHEO_CHECK(ctx, request->T >= 1 && request->T <= 1u << 20, RHEO_USAGE,
               "plan: steps is %u, expected 1 to %u", request->T, 1u << 20);
    RHEO_CHECK(ctx, request->B >= 1 && request->B <= 1u << 20, RHEO_USAGE,
               "plan: batch is %u, expected 1 to %u", request->B, 1u << 20);
    RHEO_CHECK(ctx, !request->learn || request->B == 1, RHEO_USAGE,
               "plan: local learning takes one sample at a time, but the batch is %u", request->B);
    return RHEO_OK;
}

static bool can_add(const rheo_net *net, uint32_t node)
{
    uint32_t consumers = 0;
    for (uint32_t e = 0; e < net->edges; e++) consumers += net->edge[e].from == node;
    return net->node[node].layer->kind == RHEO_PROJECTION && consumers == 1;
}

static rheo_status check_ports(const rheo_plan *plan)
{
    const rheo_net *net = plan->net;
    for (uint32_t e = 0; e < net->edges; e++) {
        const rheo_edge *edge = &net->edge[e];
        const int first = first_into(plan, edge->to, edge->port);
        if (first == (int)e) continue;
        const uint32_t from = net->edge[first].from;
        bool alike = plan->delayed[e] == plan->delayed[first];
        RHEO_CHECK(plan->ctx, can_add(net, edge->from) && can_add(net, from) && alike,
                   RHEO_UNSUPPORTED,
                   "node '%s' takes the sum of '%s' and '%s': only projections with this one target, "
                   "all with or all without a loop, can add into a port",
                   net->node[edge->to].name, net->node[from].name, net->node[edge->from].name);
    }
    return RHEO_OK;
}

static rheo_status check_cycles(const rheo_plan *plan)
{
    for (uint32_t s = 0; s < plan->stages; s++)
        for (uint32_t i = 0; i < plan->stage[s].count && plan->stage[s].cycle; i++) {
            const rheo_node_spec *node =
                &plan->net->node[plan->order[plan->stage[s].first + i]];
            RHEO_CHECK(plan->ctx, !node->layer->whole, RHEO_UNSUPPORTED,
                       "node '%s': %s needs the whole window and cannot stand in a cycle", node->name,
                       node->layer->name);
        }
    return RHEO_OK;
}

static rheo_status check_gradient(const rheo_plan *plan)
{
    if (!plan->request.gradient) return RHEO_OK;
    for (uint32_t s = 0; s < plan->stages; s++)
        RHEO_CHECK(plan->ctx, !plan->stage[s].cycle, RHEO_UNSUPPORTED,
                   "node '%s' is part of a cycle: gradients go through feed-forward nets only",
                   plan->net->node[plan->order[plan->stage[s].first]].name);
    for (uint32_t n = 1; n < plan->net->nodes; n++) {
        const rheo_node_spec *node = &plan->net->node[n];
        bool loops = !node->neuron || rheo__neuron_loops(plan->ctx, node->neuron->index)->adjoint;
        RHEO_CHECK(plan->ctx, node->layer->backward && loops, RHEO_UNSUPPORTED,
                   "node '%s': there is no gradient through %s", node->name,
                   node->neuron ? node->neuron->name : node->layer->name);
    }
    return RHEO_OK;
}

/* "1.v", "1.s": which nodes' v is kept. Spikes always are. */
static rheo_status find_records(rheo_plan *plan)
{
    for (uint32_t i = 0; plan->request.record && plan->request.record[i]; i++) {
        const char *path = plan->request.record[i], *dot = strrchr(path, '.');
        char name[32] = "";
        if (dot && (size_t)(dot - path) < sizeof name) memcpy(name, path, (size_t)(dot - path));
        int node = dot ? rheo__net_find(plan->net, name, dot + 1) : -1;
        bool v = dot && !strcmp(dot + 1, "v"), s = dot && !strcmp(dot + 1, "s");
        if (node < 0 || !(s || (v && node > 0))) {
            const char *names[RHEO_NET_NODES];
            uint32_t count = 0;
            for (uint32_t n = 0; n < plan->net->nodes && count < RHEO_NET_NODES - 1; n++)
                if (plan->net->node[n].neuron) names[count++] = plan->net->node[n].name;
            names[count] = NULL;
            const char *near = rheo__nearest(name, names);
            return rheo__fail(plan->ctx, RHEO_USAGE,
                              "record: there is no '%s'; expected NODE.s or NODE.v of a population, "
                              "e.g. %s.s",
                              path, near ? near : plan->net->node[plan->net->output].name);
        }
        if (v) plan->recorded[node] = true;
    }
    return RHEO_OK;
}

/* ---- making ---- */

/* The tables of a plan, one block. */
static void lay_tables(rheo_plan *plan, rheo_arena *arena)
{
    uint32_t nodes = plan->net->nodes, edges = plan->net->edges;
    plan->work = rheo__take(arena, nodes, sizeof *plan->work);
    plan->loop = rheo__take(arena, edges, sizeof *plan->loop);
    plan->gradient = rheo__take(arena, nodes, sizeof *plan->gradient);
    plan->branch = rheo__take(arena, edges, sizeof *plan->branch);
    plan->pull = rheo__take(arena, nodes, sizeof *plan->pull);
    plan->lift = rheo__take(arena, nodes, sizeof *plan->lift);
    plan->delayed = rheo__take(arena, edges, sizeof *plan->delayed);
    plan->looped = rheo__take(arena, nodes, sizeof *plan->looped);
    plan->wanted = rheo__take(arena, nodes, sizeof *plan->wanted);
    plan->recorded = rheo__take(arena, nodes, sizeof *plan->recorded);
    plan->order = rheo__take(arena, nodes, sizeof *plan->order);
    plan->stage = rheo__take(arena, nodes, sizeof *plan->stage);
    plan->seen = rheo__take(arena, nodes, sizeof *plan->seen);
    plan->adjoint = rheo__take(arena, nodes, sizeof *plan->adjoint);
}

static rheo_status make_tables(rheo_plan *plan)
{
    rheo_arena arena = {0};
    lay_tables(plan, &arena);
    arena.size = arena.used;
    RHEO_TRY(rheo__alloc(plan->ctx, arena.size, 1, "the plan's tables", &plan->tables));
    arena.base = plan->tables;
    arena.used = 0;
    lay_tables(plan, &arena);
    plan->bytes = sizeof *plan + arena.size;
    for (uint32_t n = 0; n < plan->net->nodes; n++)
        plan->work[n] = (rheo_work){.ctx = plan->ctx,
                                    .node = &plan->net->node[n],
                                    .T = plan->request.T,
                                    .B = plan->request.B,
                                    .train = plan->request.train,
                                    .gradient = plan->request.gradient,
                                    .learn = plan->request.learn,
                                    .seed = plan->net->seed};
    return RHEO_OK;
}

static rheo_status prepare(rheo_plan *plan, rheo_arena *arena)
{
    RHEO_TRY(check_request(plan->net, &plan->request));
    RHEO_TRY(make_tables(plan));
    RHEO_TRY(rheo__plan_stages(plan));
    RHEO_TRY(check_ports(plan));
    RHEO_TRY(check_cycles(plan));
    RHEO_TRY(check_gradient(plan));
    RHEO_TRY(find_records(plan));
    find_wanted(plan);
    walk(plan, arena); /* once more, now that every loop knows the form of its source */
    arena->used = 0;
    walk(plan, arena);
    RHEO_CHECK(plan->ctx, plan->unequal == 0, RHEO_UNSUPPORTED,
               "node '%s' changes over time but adds to a projection of static input; let it stand "
               "before that one in the net",
               plan->net->node[plan->unequal].name);
    RHEO_CHECK(plan->ctx, !arena->overflow, RHEO_MEMORY,
               "plan: %u steps of %u samples need more memory than there can be; take fewer",
               plan->request.T, plan->request.B);
    plan->bytes += arena->used;
    return RHEO_OK;
}

rheo_status rheo__plan_new(rheo_net *net, const rheo_request *request, rheo_plan **out)
{
    rheo_plan *plan = NULL;
    RHEO_TRY(rheo__alloc(net->ctx, 1, sizeof *plan, "a plan", &plan));
    *plan = (rheo_plan){.ctx = net->ctx, .net = net, .request = *request, .B = request->B};
    rheo_arena arena = {0};
    rheo_status status = prepare(plan, &arena);
    if (!status) status = rheo__alloc(net->ctx, arena.used, 1, "the plan's memory", &plan->memory);
    if (status) {
        rheo_plan_free(plan);
        return status;
    }
    arena = (rheo_arena){.base = plan->memory, .size = arena.used};
    walk(plan, &arena);
    rheo__plan_reset(plan);
    *out = plan;
    return RHEO_OK;
}

rheo_status rheo__plan_measure(rheo_net *net, const rheo_request *request, size_t *bytes)
{
    rheo_plan *plan = NULL;
    RHEO_TRY(rheo__alloc(net->ctx, 1, sizeof *plan, "a plan", &plan));
    *plan = (rheo_plan){.ctx = net->ctx, .net = net, .request = *request, .B = request->B};
    rheo_arena arena = {0};
    rheo_status status = prepare(plan, &arena);
    if (!status) *bytes = plan->bytes;
    rheo_plan_free(plan);
    return status;
}

void rheo_plan_free(rheo_plan *plan)
{
    if (!plan) return;
    rheo__release(plan->ctx, plan->memory);
    rheo__release(plan->ctx, plan->tables);
    rheo__release(plan->ctx, plan);
}

size_t rheo_plan_bytes(const rheo_plan *plan)
{
    return plan->bytes;
}
