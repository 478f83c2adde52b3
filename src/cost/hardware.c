/* hardware.c: how well a net suits hardware, read off its graph; chips.def says which chips hold
 * it.
 *
 * A chip holds a net when it has its neurons, its synapses and its fan-in, as far as its source
 * states them, and the net speaks in spikes alone. Left out: routing, weight precision (a chip's
 * bits are in the table; weights would have to be rounded to them), and mapping one neuron of large
 * fan-in onto several. */
#include "cost/cost.h"

#include <math.h>
#include <string.h>

#define RHEO_ONM "open-neuromorphic.org, hardware guide"

static const rheo_chip chips[] = {
#define X(name, neurons, synapses, fan_in, weight_bits, learns, pj_per_synop, source)              \
    {name, source, neurons, synapses, fan_in, weight_bits, learns, pj_per_synop},
#include "chips.def"
#undef X
};

const rheo_chip *rheo__chip_at(uint32_t index)
{
    return index < sizeof chips / sizeof chips[0] ? &chips[index] : NULL;
}

static const rheo_param *param_of(const rheo_node_spec *node, const char *name)
{
    for (uint32_t i = 0; i < node->params; i++)
        if (strcmp(node->param[i]->name, name) == 0) return node->param[i];
    return NULL;
}

/* Inputs of one output of a projection: all, unless its name says another pattern. */
static uint64_t projection_fan_in(const rheo_node_spec *node)
{
    uint64_t inputs = rheo__shape_size(node->in);
    if (strcmp(node->layer->name, "one-to-one") == 0) return 1;
    if (strcmp(node->layer->name, "lateral") == 0) return inputs - 1; /* all but its own */
    return inputs;
}

static uint64_t projection_synapses(const rheo_node_spec *node)
{
    return projection_fan_in(node) * rheo__shape_size(node->out);
}

/* Synapses onto one neuron of a node: all projections that reach it, also through maps (batch
 * normalisation, dropout). depth: what is left to walk, so a cycle of maps ends. */
static uint64_t fan_in(const rheo_net *net, uint32_t node, uint32_t depth)
{
    uint64_t sum = 0;
    for (uint32_t e = 0; depth && e < net->edges; e++) {
        if (net->edge[e].to != node) continue;
        const rheo_node_spec *from = &net->node[net->edge[e].from];
        if (from->layer->kind == RHEO_PROJECTION) sum += projection_fan_in(from);
        if (from->layer->kind == RHEO_MAPPING) sum += fan_in(net, net->edge[e].from, depth - 1);
    }
    return sum;
}

static uint64_t weight_bits(const rheo_node_spec *node)
{
    int kind = node->layer->fields ? rheo__field_index(node->layer->fields, "weights") : -1;
    if (kind < 0) return 32;
    const char *name = node->layer->fields[kind].choices[(int)node->options.v[kind]];
    return strcmp(name, "binary") == 0 ? 1 : 32;
}

static void add_population(const rheo_net *net, uint32_t n, rheo_hardware *out, bool *spikes)
{
    const rheo_neuron *neuron = net->node[n].neuron;
    uint32_t states = 0;
    while (neuron->states && neuron->states[states].name) states++;
    if (states > out->states) out->states = states;
    uint64_t inputs = fan_in(net, n, net->nodes);
    if (inputs > out->fan_in) out->fan_in = (uint32_t)inputs;
    out->neurons += rheo__shape_size(net->node[n].out);
    if (neuron->multiplies || neuron->out != RHEO_BITS) out->multiplies = true;
    /* A spike is an event between silences: +1/-1 units and units without state always speak, and
     * are computed layer by layer. */
    if (neuron->out == RHEO_BITS && neuron->lo == 0 && !neuron->stateless) return;
    out->event_driven = false;
    *spikes = false;
}

static bool fits(const rheo_chip *chip, const rheo_hardware *net)
{
    return chip->neurons >= net->neurons && chip->synapses >= net->synapses &&
           (chip->fan_in == 0 || chip->fan_in >= net->fan_in);
}

void rheo__hardware(const rheo_net *net, const char *learning, bool local, rheo_hardware *out)
{
    bool spikes = true;
    *out = (rheo_hardware){.event_driven = true, .learning = learning, .learns_on_chip = local};
    out->parameters = rheo__net_parameter_count(net);
    out->parameter_bits = 32 * out->parameters;
    for (uint32_t n = 0; n < net->nodes; n++) {
        const rheo_node_spec *node = &net->node[n];
        if (node->neuron) add_population(net, n, out, &spikes);
        if (node->layer->kind != RHEO_PROJECTION) continue;
        out->synapses += projection_synapses(node);
        const rheo_param *weight = param_of(node, "weight");
        if (weight) /* inference needs the sign alone of a weight that has a real shadow */
            out->parameter_bits -= (32 - weight_bits(node)) * weight->rows * weight->cols;
        /* a constant current has to be added at every step, input or not */
        if (param_of(node, "bias")) out->event_driven = false;
    }
    uint32_t count = 0, room = sizeof out->chips / sizeof out->chips[0] - 1;
    for (uint32_t c = 0; spikes && rheo__chip_at(c) && count < room; c++)
        if (fits(rheo__chip_at(c), out)) out->chips[count++] = chips[c].name;
}

uint64_t rheo__macs_without_spikes(const rheo_net *net)
{
    uint64_t sum = 0;
    for (uint32_t n = 0; n < net->nodes; n++)
        if (net->node[n].layer->kind == RHEO_PROJECTION) sum += projection_synapses(&net->node[n]);
    return sum;
}
