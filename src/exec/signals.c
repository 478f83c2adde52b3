/* signals.c: the memory of signals and of their gradients: which are shared by the terms of a sum,
 * which stand still, which have a row more because of a loop, and which are kept for a segment of
 * the window only.
 *
 *   sums       projections into one port add into the signal of the first, in declared order. Where
 *              that one stands still and another moves, or where another is made anew and the
 *              first is not (low memory), that other has a signal of its own, which starts from the
 *              first one's row at every step (`lifted`).
 *   gradients  one signal a node, written by its first consumer; the others have a branch each,
 *              added afterwards. A loop's branch is in its target's time, and therefore has a row
 *              more: its row t + 1 is what step t of the source is to have.
 *              Where only one node reads a signal, and it can, and there is one backward pass, the
 *              gradient is written over the signal.
 *   passing    where only a map reads a signal that can take rows as they are made, and give their
 *              gradient back row by row, neither has memory.
 *   segments   with low memory, real numbers that flow within a group of stages have RHEO_CHUNK
 *              rows, which the steps of a window use one after another; spikes are always kept. */
#include "exec/plan.h"

static rheo_signal *signal_take(rheo_plan *plan, rheo_signal *s, rheo_form form, uint32_t rows,
                                uint32_t N, bool fixed, rheo_arena *arena)
{
    rheo__signal_take(s, form, rows, plan->request.B, N, fixed, arena);
    s->T = plan->request.T;
    return s;
}

/* The edge whose source's signal a port reads: the lifted one's, else the first's; -1: none. */
static int read_by(const rheo_plan *plan, uint32_t to, uint32_t port)
{
    const rheo_net *net = plan->net;
    int found = -1;
    for (uint32_t e = 0; e < net->edges; e++) {
        if (net->edge[e].to != to || net->edge[e].port != port) continue;
        if (plan->lifted[net->edge[e].from]) return (int)e;
        found = (int)plan->head[e];
    }
    return found;
}

static void find_inputs(rheo_plan *plan, uint32_t n)
{
    for (uint32_t p = 0; p < RHEO_PORTS; p++) {
        int e = read_by(plan, n, p);
        plan->work[n].in[p] = NULL;
        if (e >= 0)
            plan->work[n].in[p] =
                plan->delayed[e] ? &plan->loop[e] : &plan->work[plan->net->edge[e].from].out;
    }
}

/* ---- what is kept for a segment only ---- */

/* Everything that reads the node's signal, and every term that adds to it, runs in its group. */
static bool within_group(const rheo_plan *plan, uint32_t n)
{
    const rheo_net *net = plan->net;
    const uint32_t group = plan->group[n];
    if (net->node[n].layer->whole || n == 0 || n == net->output) return false;
    for (uint32_t e = 0; e < net->edges; e++) {
        const rheo_edge *edge = &net->edge[e];
        if (edge->from == n && plan->group[edge->to] != group) return false;
    }
    for (uint32_t m = 0; m < net->nodes; m++)
        if (plan->term[m] == plan->term[n] && plan->group[m] != group) return false;
    return true;
}

/* A term whose input stands still takes its gradient from the whole window. */
static bool still_term(const rheo_plan *plan, uint32_t n)
{
    for (uint32_t m = 0; m < plan->net->nodes; m++) {
        const rheo_signal *in = plan->work[m].in[0];
        if (m != n && plan->sum[m] == n && in && in->stride_t == 0) return true;
    }
    return false;
}

static uint32_t rows_of(const rheo_plan *plan, bool part)
{
    return part ? plan->segment : plan->request.T;
}

/* The node that alone reads n's signal, in the same step and without another term; or -1. */
static int only_reader(const rheo_plan *plan, uint32_t n)
{
    const rheo_net *net = plan->net;
    const rheo_edge *only = NULL;
    if (n == net->output) return -1;
    for (uint32_t m = 0; m < net->nodes; m++)
        if ((plan->term[m] == plan->term[n]) != (m == n)) return -1;
    for (uint32_t e = 0; e < net->edges; e++) {
        if (net->edge[e].from != n) continue;
        if (only || plan->delayed[e]) return -1;
        only = &net->edge[e];
    }
    return only ? (int)only->to : -1;
}

/* ---- signals ---- */

static void shape_out(rheo_plan *plan, uint32_t n, rheo_form form, bool fixed, rheo_arena *arena)
{
    rheo_work *work = &plan->work[n];
    bool loop = plan->looped[n];
    rheo_signal *out = &work->out;
    fixed = fixed && !loop;
    /* a regulariser looks at the whole window */
    const bool held = (plan->request.pull || plan->request.lift) && rheo__is_population(work->node);
    plan->part[n] = form == RHEO_REAL && !fixed && !loop && !held && !plan->recorded[n] &&
                    plan->segment < plan->request.T && within_group(plan, n);
    rheo_arena none = {0};
    signal_take(plan, out, form, rows_of(plan, plan->part[n]) + (loop ? 1 : 0),
                rheo__shape_size(work->node->out), fixed, work->through ? &none : arena);
    if (!loop) return;
    if (arena->base) {
        if (form == RHEO_BITS)
            out->bits += out->stride_t;
        else
            out->real += out->stride_t;
    }
}

/* The delayed views start one row earlier. */
static void shape_loops(rheo_plan *plan, uint32_t n, const rheo_arena *arena)
{
    const rheo_signal *out = &plan->work[n].out;
    for (uint32_t e = 0; e < plan->net->edges; e++) {
        rheo_signal *loop = &plan->loop[e];
        if (plan->net->edge[e].from != n || !plan->delayed[e]) continue;
        *loop = *out;
        if (!arena->base) continue;
        if (out->form == RHEO_BITS)
            loop->bits -= out->stride_t;
        else
            loop->real -= out->stride_t;
    }
}

/* A term of a sum: adds to the signal of its first term, or is lifted from it. */
static void shape_term(rheo_plan *plan, uint32_t n, rheo_form form, bool fixed, rheo_arena *arena)
{
    rheo_work *work = &plan->work[n];
    const uint32_t first = plan->term[n];
    uint32_t sum = first;
    for (uint32_t m = 0; m < plan->net->nodes; m++)
        if (plan->lifted[m] && plan->term[m] == first) sum = m;
    work->accumulate = true;
    const bool moves = !fixed && plan->work[first].out.stride_t == 0 && !plan->looped[n];
    const bool again = plan->cyclic[n] && plan->segment < plan->request.T && !plan->part[first];
    if (sum == first && (moves || again)) {
        plan->lifted[n] = true;
        shape_out(plan, n, form, false, arena);
        return;
    }
    if ((fixed && sum != first) || plan->work[sum].out.form != RHEO_REAL) plan->unequal = n;
    plan->sum[n] = (uint16_t)sum;
    work->out = plan->work[sum].out;
    plan->part[n] = plan->part[sum];
}

static void shape_readout(rheo_plan *plan, uint32_t n, rheo_arena *arena)
{
    rheo_work *work = &plan->work[n];
    work->readout = (rheo_signal){0};
    if (plan->recorded[n] || (plan->request.readout && n == plan->net->output) ||
        (plan->request.lift && rheo__is_population(work->node)))
        signal_take(plan, &work->readout, RHEO_REAL, plan->request.T,
                    rheo__shape_size(work->node->out),
                    work->out.form == RHEO_REAL && work->out.stride_t == 0, arena);
}

/* Rows of real numbers that only a map reads which can take them as they are made. */
static void find_through(rheo_plan *plan, uint32_t n, rheo_form form, bool fixed)
{
    rheo_work *work = &plan->work[n];
    const rheo_layer *layer = work->node->layer;
    const int only = only_reader(plan, n);
    work->through = NULL;
    if (only < 0 || form != RHEO_REAL || plan->cyclic[n] || plan->cyclic[only]) return;
    if (plan->segment < plan->request.T || plan->recorded[n] || !layer->passes) return;
    rheo_work *map = &plan->work[only];
    const rheo_row_map *rows = map->node->layer->rows;
    const bool still = !work->in[0] || work->in[0]->stride_t == 0;
    if (!layer->passes(work->node) || still != fixed || !rows || !rows->fits(map->node)) return;
    map->taken = true;
    work->through = map;
}

void rheo__plan_shape_node(rheo_plan *plan, uint32_t n, rheo_arena *arena)
{
    rheo_work *work = &plan->work[n];
    rheo_form form = plan->request.in_form;
    bool fixed = plan->request.in_fixed;
    float lo = 0, hi = 1;
    find_inputs(plan, n);
    plan->sum[n] = (uint16_t)n;
    if (n > 0) work->node->layer->form(work, &form, &fixed, &lo, &hi);
    find_through(plan, n, form, fixed);
    if (plan->term[n] == n)
        shape_out(plan, n, form, fixed, arena);
    else
        shape_term(plan, n, form, fixed, arena);
    work->out.lo = lo;
    work->out.hi = hi;
    shape_loops(plan, n, arena);
    shape_readout(plan, n, arena);
}

/* A loop's view is known once its source is shaped. */
void rheo__plan_shape_inputs(rheo_plan *plan)
{
    for (uint32_t n = 0; n < plan->net->nodes; n++) find_inputs(plan, n);
}

/* ---- gradients ---- */

/* A node's output gradient is wanted when something trained stands before it; the input's when it
 * is asked for. */
void rheo__plan_find_wanted(rheo_plan *plan)
{
    const rheo_net *net = plan->net;
    bool more = plan->request.gradient;
    plan->wanted[0] = plan->request.gradient && plan->request.input;
    for (uint32_t n = 0; n < net->nodes && plan->request.gradient; n++)
        for (uint32_t p = 0; p < net->node[n].params; p++)
            plan->wanted[n] = plan->wanted[n] || net->node[n].param[p]->trained;
    while (more) { /* until nothing changes: a loop's source may come later */
        more = false;
        for (uint32_t e = 0; e < net->edges; e++) {
            const rheo_edge *edge = &net->edge[e];
            if (!plan->wanted[edge->from] || plan->wanted[edge->to]) continue;
            plan->wanted[edge->to] = more = true;
        }
    }
    for (uint32_t n = 0; n < net->nodes; n++) /* the terms of a sum share its gradient */
        for (uint32_t m = 0; m < net->nodes; m++)
            if (plan->wanted[m] && plan->term[m] == plan->term[n]) plan->wanted[n] = true;
}

/* Where the only reader of a population's spikes gives dL/d out when it is asked, there is no
 * signal of it. */
static bool asks(const rheo_plan *plan, uint32_t n, const rheo_work *reader)
{
    const rheo_node_spec *node = &plan->net->node[n], *to = reader->node;
    return node->layer->asks && !rheo__is_analogue(node) && !plan->request.pull &&
           plan->wanted[n] && !plan->cyclic[n] && !plan->cyclic[to->index] && to->layer->gives &&
           to->layer->gives(to);
}

void rheo__plan_find_readers(rheo_plan *plan)
{
    for (uint32_t n = 0; n < plan->net->nodes; n++) {
        const int only = only_reader(plan, n);
        if (only < 0) continue;
        const rheo_work *reader = &plan->work[only];
        const rheo_node_spec *to = reader->node;
        if (asks(plan, n, reader)) plan->work[n].giver = reader;
        plan->work[n].sparse_gout = to->layer->reached && to->layer->reached(to) <= 0.25;
    }
}

/* dL/d out of node n may stand where its signal does: nothing reads that but its only reader, which
 * overwrites it number by number. */
static bool overwritten(const rheo_plan *plan, uint32_t n)
{
    const rheo_request *request = &plan->request;
    const rheo_layer *layer = plan->net->node[n].layer;
    const rheo_signal *out = &plan->work[n].out;
    const int only = only_reader(plan, n);
    if (!request->once || n == 0 || only < 0 || request->pull || request->lift) return false;
    if (out->form != RHEO_REAL || out->stride_t == 0 || plan->segment < request->T) return false;
    if (plan->cyclic[n] || plan->cyclic[only] || plan->recorded[n]) return false;
    const rheo_node_spec *reader = &plan->net->node[only];
    return (layer->kind == RHEO_PROJECTION || layer->added_to) && reader->layer->overwrites &&
           reader->layer->overwrites(reader);
}

static void take_like(rheo_plan *plan, rheo_signal *g, const rheo_signal *like, uint32_t rows,
                      rheo_arena *arena)
{
    signal_take(plan, g, RHEO_REAL, rows, like->N, like->stride_t == 0, arena);
}

/* What regularisers push: populations, at their outputs and membranes. */
static void shape_regularised(rheo_plan *plan, uint32_t n, rheo_arena *arena)
{
    rheo_work *work = &plan->work[n];
    plan->pull[n] = plan->lift[n] = (rheo_signal){0};
    if (!plan->wanted[n] || !rheo__is_population(work->node)) return;
    if (plan->request.pull)
        rheo__signal_take(&plan->pull[n], RHEO_REAL, 1, work->out.B, work->out.N, true, arena);
    if (!plan->request.lift || n == plan->net->output) return;
    take_like(plan, &plan->lift[n], &work->readout, plan->request.T, arena);
    work->greadout = &plan->lift[n];
}

static void shape_gradient(rheo_plan *plan, uint32_t n, rheo_arena *arena)
{
    rheo_work *work = &plan->work[n];
    const uint32_t sum = plan->sum[n];
    plan->gradient[n] = (rheo_signal){0};
    plan->direct[n] = n == plan->net->output;
    work->gout = NULL;
    work->greadout = NULL;
    for (uint32_t i = 0; i < work->node->params; i++) {
        const rheo_param *param = work->node->param[i];
        work->grad[i] = NULL;
        if (plan->request.gradient && param->trained)
            work->grad[i] = rheo__take(arena, (size_t)param->rows * param->cols, sizeof(float));
    }
    if (!plan->wanted[n] || work->giver) return;
    if (work->through) {
        work->gout = &plan->gradient[plan->sum[work->through->node->index]];
        plan->kept[n] = true;
        return;
    }
    work->gout = &plan->gradient[sum];
    if (sum != n) return;
    plan->kept[n] = work->out.stride_t == 0 || plan->segment == plan->request.T ||
                    !within_group(plan, n) || still_term(plan, n);
    if (overwritten(plan, n))
        plan->gradient[n] = work->out;
    else
        take_like(plan, &plan->gradient[n], &work->out, rows_of(plan, !plan->kept[n]), arena);
}

/* Where the target of an edge writes dL/d in. */
static void shape_branch(rheo_plan *plan, uint32_t e, rheo_arena *arena)
{
    const rheo_edge *edge = &plan->net->edge[e];
    const uint32_t from = edge->from;
    plan->branch[e] = (rheo_signal){0};
    plan->feeds[e] = plan->wanted[from] && read_by(plan, edge->to, edge->port) == (int)e;
    if (!plan->feeds[e] || plan->work[from].giver) return;
    if (!plan->direct[from] && !plan->delayed[e]) {
        plan->direct[from] = true;
        return;
    }
    const bool part = !plan->kept[from] || (plan->delayed[e] && plan->segment < plan->request.T);
    plan->partial[e] = part;
    take_like(plan, &plan->branch[e], &plan->work[from].out,
              rows_of(plan, part) + (plan->delayed[e] ? 1 : 0), arena);
}

void rheo__plan_point_gradients(rheo_plan *plan)
{
    for (uint32_t n = 0; n < plan->net->nodes; n++)
        for (uint32_t p = 0; p < RHEO_PORTS; p++) plan->work[n].gin[p] = (rheo_signal){0};
    for (uint32_t e = 0; e < plan->net->edges; e++) {
        const rheo_edge *edge = &plan->net->edge[e];
        if (plan->feeds[e])
            plan->work[edge->to].gin[edge->port] =
                plan->branch[e].N ? plan->branch[e] : plan->gradient[edge->from];
    }
}

void rheo__plan_shape_gradients(rheo_plan *plan, rheo_arena *arena)
{
    for (uint32_t n = 0; n < plan->net->nodes; n++) shape_gradient(plan, n, arena);
    for (uint32_t n = 0; n < plan->net->nodes; n++) /* a still sum takes the moving one's, summed */
        if (plan->lifted[n]) plan->direct[plan->term[n]] = true;
    for (uint32_t e = 0; e < plan->net->edges; e++) shape_branch(plan, e, arena);
    rheo__plan_point_gradients(plan);
    for (uint32_t n = 0; n < plan->net->nodes; n++) shape_regularised(plan, n, arena);
    plan->greadout = (rheo_signal){0};
    if (!plan->request.gradient || !(plan->request.readout || plan->request.lift)) return;
    rheo_work *output = &plan->work[plan->net->output];
    take_like(plan, &plan->greadout, &output->readout, plan->request.T, arena);
    output->greadout = &plan->greadout;
}
