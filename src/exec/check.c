/* check.c: what a plan refuses: requests, sums and cycles that cannot be, records of what is not
 * there. */
#include "exec/plan.h"
#include <string.h>

rheo_status rheo__plan_check_request(const rheo_net *net, const rheo_request *request)
{
    rheo_context *ctx = net->ctx;
    RHEO_CHECK(ctx, request->T >= 1 && request->T <= RHEO_MOST_STEPS, RHEO_USAGE,
               "plan: steps is %u, expected 1 to %u", request->T, RHEO_MOST_STEPS);
    RHEO_CHECK(ctx, request->B >= 1 && request->B <= RHEO_MOST_SAMPLES, RHEO_USAGE,
               "plan: batch is %u, expected 1 to %u", request->B, RHEO_MOST_SAMPLES);
    RHEO_CHECK(ctx, !request->learn || request->B == 1, RHEO_USAGE,
               "plan: local learning takes one sample at a time, but the batch is %u", request->B);
    return RHEO_OK;
}

/* A term of a sum: a projection, or first of all a map that others may add to. */
static bool can_add(const rheo_net *net, uint32_t node, bool first)
{
    const rheo_layer *layer = net->node[node].layer;
    uint32_t consumers = 0;
    const bool fits = layer->kind == RHEO_PROJECTION || (first && layer->added_to);
    for (uint32_t e = 0; e < net->edges; e++) consumers += net->edge[e].from == node;
    return fits && consumers == 1;
}

static rheo_status check_ports(const rheo_plan *plan)
{
    const rheo_net *net = plan->net;
    for (uint32_t e = 0; e < net->edges; e++) {
        const rheo_edge *edge = &net->edge[e];
        const uint32_t first = plan->head[e];
        if (first == e) continue;
        const uint32_t from = net->edge[first].from;
        bool alike = plan->delayed[e] == plan->delayed[first];
        RHEO_CHECK(
            plan->ctx, can_add(net, edge->from, false) && can_add(net, from, true) && alike,
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
            const rheo_node_spec *node = &plan->net->node[plan->order[plan->stage[s].first + i]];
            RHEO_CHECK(plan->ctx, !node->layer->whole, RHEO_UNSUPPORTED,
                       "node '%s': %s needs the whole window and cannot stand in a cycle",
                       node->name, node->layer->name);
        }
    return RHEO_OK;
}

static rheo_status check_steps(const rheo_plan *plan)
{
    for (uint32_t n = 0; n < plan->net->nodes; n++) {
        const rheo_node_spec *node = &plan->net->node[n];
        if (!node->layer->most_steps) continue;
        const uint32_t most = node->layer->most_steps(node);
        RHEO_CHECK(
            plan->ctx, plan->request.T <= most, RHEO_USAGE,
            "node '%s': %s has weights for %u steps, but the window has %u; take fewer steps",
            node->name, node->layer->name, most, plan->request.T);
    }
    return RHEO_OK;
}

static rheo_status check_gradient(const rheo_plan *plan)
{
    if (!plan->request.gradient) return RHEO_OK;
    for (uint32_t n = 1; n < plan->net->nodes; n++) {
        const rheo_node_spec *node = &plan->net->node[n];
        bool loops = !node->neuron || rheo__neuron_loops(plan->ctx, node->neuron->index)->adjoint;
        RHEO_CHECK(plan->ctx, node->layer->backward && loops, RHEO_UNSUPPORTED,
                   "node '%s': there is no gradient through %s", node->name,
                   node->neuron ? node->neuron->name : node->layer->name);
    }
    return RHEO_OK;
}

static rheo_status check_lengths(const rheo_plan *plan)
{
    for (uint32_t n = 0; n < plan->net->nodes && plan->request.lengths; n++) {
        const rheo_node_spec *node = &plan->net->node[n];
        const rheo_layer *layer = node->layer;
        RHEO_CHECK(plan->ctx, !(plan->request.train ? layer->whole : layer->all_steps),
                   RHEO_UNSUPPORTED,
                   "node '%s': %s looks at the whole window, so all samples need the same number "
                   "of steps",
                   node->name, layer->name);
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
                if (rheo__is_population(&plan->net->node[n]))
                    names[count++] = plan->net->node[n].name;
            names[count] = NULL;
            const char *near = rheo__nearest(name, names);
            return rheo__fail(
                plan->ctx, RHEO_USAGE,
                "record: there is no '%s'; expected NODE.s or NODE.v of a population, "
                "e.g. %s.s",
                path, near ? near : plan->net->node[plan->net->output].name);
        }
        const rheo_neuron *neuron = plan->net->node[node].neuron;
        const bool lost = plan->request.low_memory && neuron && neuron->out == RHEO_REAL;
        if (v || lost) plan->recorded[node] = true;
    }
    return RHEO_OK;
}

rheo_status rheo__plan_check(rheo_plan *plan)
{
    RHEO_TRY(check_ports(plan));
    RHEO_TRY(check_cycles(plan));
    RHEO_TRY(check_steps(plan));
    RHEO_TRY(check_gradient(plan));
    RHEO_TRY(check_lengths(plan));
    return find_records(plan);
}
