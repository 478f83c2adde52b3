/* floor.c: multiply-adds that cannot be avoided, of a projection (docs/bench.md). */
#include "cost/cost.h"

double rheo__reached(const rheo_net *net, uint32_t n)
{
    const rheo_node_spec *reader = NULL;
    for (uint32_t e = 0; e < net->edges; e++) {
        if (net->edge[e].from != n) continue;
        if (reader) return 1;
        reader = &net->node[net->edge[e].to];
    }
    return reader && reader->layer->reached ? reader->layer->reached(reader) : 1;
}

double rheo__least_back(const rheo_net *net, uint32_t n)
{
    if (net->edge[0].to == n) return 0;
    return (double)rheo__node_macs(&net->node[n]) * rheo__reached(net, n);
}
