/* stages.c: the order of a plan. Nodes that reach each other form a stage with a cycle; stages stand
 * in topological order, nodes in a stage, and stages that could swap, in the order of the recipe. */
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

rheo_status rheo__plan_stages(rheo_plan *plan)
{
    const rheo_net *net = plan->net;
    uint32_t n = net->nodes, at = 0;
    bool *reach = NULL, *placed = NULL;
    uint16_t *position = NULL;
    RHEO_TRY(rheo__alloc(plan->ctx, (size_t)n * n, sizeof *reach, "the graph's paths", &reach));
    rheo_status status = rheo__alloc(plan->ctx, n, sizeof *placed, "the graph's order", &placed);
    if (!status) status = rheo__alloc(plan->ctx, n, sizeof *position, "the graph's order", &position);
    if (!status) {
        find_paths(net, reach);
        plan->stages = 0;
        while (at < n) {
            uint32_t head = 0;
            while (placed[head] || !ready(net, reach, placed, head)) head++;
            rheo_stage *stage = &plan->stage[plan->stages++];
            *stage = (rheo_stage){.first = (uint16_t)at, .cycle = reach[(size_t)head * n + head]};
            for (uint32_t b = head; b < n; b++) {
                bool same = b == head || (reach[(size_t)head * n + b] && reach[(size_t)b * n + head]);
                if (!same) continue;
                placed[b] = true;
                position[b] = (uint16_t)at;
                plan->order[at++] = (uint16_t)b;
                stage->count++;
            }
        }
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
