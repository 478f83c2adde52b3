/* net.c: making, copying and asking nets; what lasts is here, and nothing else. */
#include "net/net.h"
#include <stdio.h>
#include <string.h>

void rheo_net_free(rheo_net *net)
{
    if (!net) return;
    rheo_context *ctx = net->ctx;
    for (uint32_t p = 0; net->param && p < net->params; p++)
        rheo__release(ctx, net->param[p].value);
    rheo__release(ctx, net->param);
    rheo__release(ctx, net->edge);
    rheo__release(ctx, net->node);
    rheo__release(ctx, net);
}

/* The parameters of a node stand one after another in the net's table. */
static void point_params(rheo_net *net)
{
    uint32_t at = 0;
    for (uint32_t n = 0; n < net->nodes; n++)
        for (uint32_t i = 0; i < net->node[n].params; i++)
            net->node[n].param[i] = &net->param[at++];
}

rheo_status rheo__net_clone(const rheo_net *net, rheo_net **out)
{
    rheo_context *ctx = net->ctx;
    rheo_net *copy = NULL;
    RHEO_TRY(rheo__alloc(ctx, 1, sizeof *copy, "a net", &copy));
    *copy = *net;
    copy->node = NULL;
    copy->edge = NULL;
    copy->param = NULL;
    rheo_status status =
        rheo__alloc(ctx, net->nodes, sizeof *copy->node, "a net's nodes", &copy->node);
    if (!status)
        status = rheo__alloc(ctx, net->edges, sizeof *copy->edge, "a net's edges", &copy->edge);
    if (!status)
        status = rheo__alloc(ctx, net->params, sizeof *copy->param, "a net's table", &copy->param);
    if (!status) {
        memcpy(copy->node, net->node, net->nodes * sizeof *copy->node);
        memcpy(copy->edge, net->edge, net->edges * sizeof *copy->edge);
        for (uint32_t p = 0; p < net->params && !status; p++) {
            copy->param[p] = net->param[p];
            copy->param[p].value = NULL;
            size_t count = (size_t)net->param[p].rows * net->param[p].cols;
            status = rheo__alloc(ctx, count, sizeof(float), "parameters", &copy->param[p].value);
            if (!status) memcpy(copy->param[p].value, net->param[p].value, count * sizeof(float));
        }
        point_params(copy);
    }
    if (status) {
        rheo_net_free(copy);
        return status;
    }
    *out = copy;
    return RHEO_OK;
}

rheo_param *rheo__net_param(const rheo_net *net, const char *node, const char *name)
{
    for (uint32_t p = 0; p < net->params; p++)
        if (!strcmp(net->param[p].node, node) && !strcmp(net->param[p].name, name))
            return &net->param[p];
    return NULL;
}

int rheo__net_find(const rheo_net *net, const char *name, const char *field)
{
    bool state = !strcmp(field, "s") || !strcmp(field, "v");
    for (uint32_t n = 0; n < net->nodes; n++) {
        const rheo_node_spec *node = &net->node[n];
        if (strcmp(node->name, name) != 0) continue;
        if (state && (rheo__is_population(node) || node->layer->kind == RHEO_SOURCE)) return (int)n;
        for (uint32_t i = 0; i < node->params; i++)
            if (!strcmp(node->param[i]->name, field)) return (int)n;
    }
    return -1;
}

rheo_status rheo__net_set_neuron(rheo_net *net, uint32_t node, const rheo_neuron *neuron,
                                 const rheo_options *options)
{
    rheo_node_spec *spec = &net->node[node];
    RHEO_CHECK(net->ctx, spec->neuron, RHEO_USAGE, "node '%s' is no population", spec->name);
    RHEO_CHECK(net->ctx, spec->params == 0, RHEO_UNSUPPORTED,
               "node '%s': a %s neuron has state that lasts and cannot be replaced", spec->name,
               spec->neuron->name);
    double k[RHEO_CONSTANTS];
    RHEO_TRY(neuron->derive(net->ctx, options, spec->dt, k));
    rheo_node_spec trial = *spec;
    trial.neuron = neuron;
    trial.neuron_options = *options;
    rheo_param param;
    RHEO_CHECK(net->ctx, !spec->layer->param(&trial, 0, &param), RHEO_UNSUPPORTED,
               "node '%s': a %s neuron has state that lasts and cannot be put in", spec->name,
               neuron->name);
    *spec = trial;
    return RHEO_OK;
}

uint64_t rheo__net_parameter_count(const rheo_net *net)
{
    uint64_t count = 0;
    for (uint32_t n = 0; n < net->nodes; n++)
        for (uint32_t i = 0; i < net->node[n].params; i++) {
            const rheo_param *param = net->node[n].param[i];
            bool plastic = net->node[n].synapse && !strcmp(param->name, "weight");
            if (param->trained || plastic) count += (uint64_t)param->rows * param->cols;
        }
    return count;
}

uint32_t rheo__net_slots(const rheo_net *net, rheo_slot *slots, uint32_t room)
{
    uint32_t count = 0;
    for (uint32_t p = 0; p < net->params && count < room; p++) {
        rheo_param *param = &net->param[p];
        rheo_slot *slot = &slots[count++];
        *slot = (rheo_slot){.type = RHEO_SLOT_F32,
                            .rows = param->rows,
                            .cols = param->cols,
                            .transposed = param->transposed,
                            .dims = param->dims,
                            .data = param->value};
        memcpy(slot->shape, param->shape, sizeof slot->shape);
        snprintf(slot->path, sizeof slot->path, "/%s/%s/%s",
                 param->lasting_state ? "state" : "parameters", param->node, param->name);
    }
    return count;
}

uint32_t rheo_net_inputs(const rheo_net *net)
{
    return rheo__shape_size(net->node[0].out);
}

uint32_t rheo_net_outputs(const rheo_net *net)
{
    return rheo__shape_size(net->node[net->output].out);
}

uint64_t rheo_net_parameters(const rheo_net *net)
{
    return rheo__net_parameter_count(net);
}

/* "1.weight" to the parameter; the last dot parts node and name. */
static rheo_param *param_at(const rheo_net *net, const char *path)
{
    const char *dot = strrchr(path, '.');
    char node[32];
    if (!dot || (size_t)(dot - path) >= sizeof node) return NULL;
    memcpy(node, path, (size_t)(dot - path));
    node[dot - path] = 0;
    return rheo__net_param(net, node, dot + 1);
}

float *rheo_net_parameter(rheo_net *net, const char *path, uint32_t *rows, uint32_t *cols)
{
    rheo_param *param = param_at(net, path);
    if (!param) return NULL;
    if (rows) *rows = param->rows;
    if (cols) *cols = param->cols;
    return param->value;
}

void rheo_net_touch(rheo_net *net)
{
    for (uint32_t p = 0; p < net->params; p++) net->param[p].version++;
}
