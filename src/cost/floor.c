/* floor.c: multiply-adds that cannot be avoided, of a projection (docs/bench.md). */
#include "cost/cost.h"
#include <string.h>

double rheo__reached(const rheo_net *net, uint32_t n)
{
    for (uint32_t e = 0; e < net->edges; e++) {
        const rheo_node_spec *to = &net->node[net->edge[e].to];
        if (net->edge[e].from == n && !strcmp(to->layer->name, "pool") && !(to->options.v[0] > 0))
            return (double)rheo__shape_size(to->out) / rheo__shape_size(to->in);
    }
    return 1;
}

double rheo__least_back(const rheo_net *net, uint32_t n)
{
    if (net->edge[0].to == n) return 0;
    return (double)rheo__node_macs(&net->node[n]) * rheo__reached(net, n);
}
