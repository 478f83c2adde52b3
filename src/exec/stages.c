/* stages.c: the order of a plan. Nodes that reach each other form a stage with a cycle; stages
 * stand in topological order, nodes in a stage, and stages that could swap, in the order of the
 * recipe. One exception: a projection that feeds an earlier population of its cycle, and adds there
 * to others that come before it, stands just before that population; so a recurrent projection is a
 * term of the sum of the same step, and what is late is the spikes that it reads. */
#include "exec/plan.h"

/* reach[a*n + b]: there is a path from a to b (Warshall; a net has a few hundred nodes at most). */
static void find_paths(const rheo_net *net, bool *reach)
{
    uint32_t n = net->nodes;
    for (uint32_t e = 0; e < net->edges; e++)
        reach[(size_t)net->edge[e].from * n + net->edge[e].to] = true;
    for (uint32_t via = 0; via < n; via++)
        for (uint32_t a = 0; a < n; a++) {
            if (!reach[(size_t)a * n + via]) continue;
            for (uint32_t b = 0; b < n; b++)
                if (reach[(size_t)via * n + b]) reach[(size_t)a * n + b] = true;
        }
}

/* All that a node waits for, outside its own cycle, has been placed. */
static bool ready(const rheo_net *net, const bool *reach, const bool *placed, uint32_t node)
{
    uint32_t n = net->nodes;
    for (uint32_t a = 0; a < n; a++) {
        bool before = reach[(size_t)a * n + node], same = before && reach[(size_t)node * n + a];
        if (before && !same && !placed[a]) return false;
    }
    return true;
}

/* The place before which a projection is to stand, or its own. */
static uint32_t place_before(const rheo_plan *plan, const uint16_t *position, uint32_t at)
{
    const rheo_net *net = plan->net;
    const uint32_t n = plan->order[at];
    uint32_t to = 0, edges = 0, port = 0;
    if (net->node[n].layer->kind != RHEO_PROJECTION) return at;
    for (uint32_t e = 0; e < net->edges; e++)
        if (net->edge[e].from == n) to = net->edge[e].to, port = net->edge[e].port, edges++;
    if (edges != 1 || position[to] >= at) return at;
    for (uint32_t e = 0; e < net->edges; e++)
        if (net->edge[e].to == to && net->edge[e].port == port &&
            position[net->edge[e].from] < position[to])
            return position[to];
    return at;
}

static void place_recurrent(rheo_plan *plan, uint16_t *position)
{
    for (uint32_t at = 0; at < plan->net->nodes; at++) {
        const uint32_t to = place_before(plan, position, at);
        const uint16_t n = plan->order[at];
        for (uint32_t i = at; i > to; i--) plan->order[i] = plan->order[i - 1];
        plan->order[to] = n;
        for (uint32_t i = to; i <= at; i++) position[plan->order[i]] = (uint16_t)i;
    }
}

/* The edge that comes first into the port of each edge, and the first term of each node's sum. */
static void find_sums(rheo_plan *plan, const uint16_t *position)
{
    const rheo_net *net = plan->net;
    for (uint32_t e = 0; e < net->edges; e++) {
        plan->head[e] = (uint16_t)e;
        for (uint32_t d = 0; d < net->edges; d++) {
            const rheo_edge *head = &net->edge[plan->head[e]], *edge = &net->edge[d];
            if (edge->to != head->to || edge->port != head->port) continue;
            if (position[edge->from] < position[head->from] ||
                (edge->from == head->from && d < plan->head[e]))
                plan->head[e] = (uint16_t)d;
        }
    }
    for (uint32_t n = 0; n < net->nodes; n++) plan->term[n] = (uint16_t)n;
    for (uint32_t e = net->edges; e-- > 0;)
        if (net->node[net->edge[e].from].layer->kind == RHEO_PROJECTION)
            plan->term[net->edge[e].from] = net->edge[plan->head[e]].from;
}

/* With low memory, stages between nodes that need the whole window go through it together, a
 * segment at a time; otherwise each on its own. */
static void find_groups(rheo_plan *plan)
{
    bool open = false;
    plan->groups = 0;
    for (uint32_t s = 0; s < plan->stages; s++) {
        rheo_stage *stage = &plan->stage[s];
        const bool whole = plan->net->node[plan->order[stage->first]].layer->whole;
        if (!open || whole) plan->groups++;
        open = !whole && plan->request.low_memory;
        stage->group = (uint16_t)(plan->groups - 1);
        for (uint32_t i = 0; i < stage->count; i++) {
            plan->group[plan->order[stage->first + i]] = stage->group;
            plan->cyclic[plan->order[stage->first + i]] = stage->cycle;
        }
    }
}

rheo_status rheo__plan_stages(rheo_plan *plan)
{
    const rheo_net *net = plan->net;
    uint32_t n = net->nodes, at = 0;
    bool *reach = NULL, *placed = NULL;
    uint16_t *position = NULL;
    RHEO_TRY(rheo__alloc(plan->ctx, (size_t)n * n, sizeof *reach, "the graph's paths", &reach));
    rheo_status status = rheo__alloc(plan->ctx, n, sizeof *placed, "the graph's order", &placed);
    if (!status)
        status = rheo__alloc(plan->ctx, n, sizeof *position, "the graph's order", &position);
    if (!status) {
        find_paths(net, reach);
        plan->stages = 0;
        while (at < n) {
            uint32_t head = 0;
            while (placed[head] || !ready(net, reach, placed, head)) head++;
            rheo_stage *stage = &plan->stage[plan->stages++];
            *stage = (rheo_stage){.first = (uint16_t)at, .cycle = reach[(size_t)head * n + head]};
            for (uint32_t b = head; b < n; b++) {
                bool same =
                    b == head || (reach[(size_t)head * n + b] && reach[(size_t)b * n + head]);
                if (!same) continue;
                placed[b] = true;
                position[b] = (uint16_t)at;
                plan->order[at++] = (uint16_t)b;
                stage->count++;
            }
        }
        place_recurrent(plan, position);
        find_sums(plan, position);
        find_groups(plan);
        for (uint32_t e = 0; e < net->edges; e++) {
            plan->delayed[e] = position[net->edge[e].from] >= position[net->edge[e].to];
            if (plan->delayed[e]) plan->looped[net->edge[e].from] = true;
        }
    }
    rheo__release(plan->ctx, position);
    rheo__release(plan->ctx, placed);
    rheo__release(plan->ctx, reach);
    return status;
}
