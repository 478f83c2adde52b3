/* hardware.c: how well a net suits hardware, read off its graph; chips.def says which chips hold
 * it.
 *
 * A chip holds a net when it has its neurons, its synapses, its fan-in and the bits of the weights
 * that were trained for a precision, as far as its source states them, and the net speaks in spikes
 * of neurons alone. Real weights would be rounded to the chip's bits. A pool hands its values on:
 * what it takes in is not counted. Left out: routing, weights that `sparse` leaves away, and
 * mapping one neuron of large fan-in onto several. */
#include "cost/cost.h"
#include "layer/weights.h"

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

static uint64_t synapses_of(const rheo_node_spec *node, uint64_t *fan_in)
{
    if (node->layer->synapses) return node->layer->synapses(node, fan_in);
    *fan_in = rheo__shape_size(node->in);
    return *fan_in * rheo__shape_size(node->out);
}

/* Synapses onto one neuron of a node: all projections that reach it, also through maps (batch
 * normalisation, dropout). depth: what is left to walk, so a cycle of maps ends. */
static uint64_t fan_in(const rheo_net *net, uint32_t node, uint32_t depth)
{
    uint64_t sum = 0, most = 0;
    for (uint32_t e = 0; depth && e < net->edges; e++) {
        if (net->edge[e].to != node) continue;
        const rheo_node_spec *from = &net->node[net->edge[e].from];
        if (from->layer->kind == RHEO_PROJECTION) {
            synapses_of(from, &most);
            sum += most;
        }
        if (from->layer->kind == RHEO_MAPPING) sum += fan_in(net, net->edge[e].from, depth - 1);
    }
    return sum;
}

/* Bits of a weight that is made for a precision; 0: real. *scales: real factors of all of them. */
static uint32_t precision(const rheo_node_spec *node, uint32_t *scales)
{
    const int at = node->layer->fields ? rheo__field_index(node->layer->fields, "weights") : -1;
    *scales = 0;
    if (at < 0) return 0;
    const double *option = node->options.v + at;
    switch ((rheo_weight_kind)option[RHEO_WEIGHTS_KIND]) {
    case RHEO_BINARY_WEIGHTS:
        *scales = option[RHEO_WEIGHTS_SCALED] > 0 ? node->out.dim[0] : 0; /* one an output */
        return 1;
    case RHEO_TERNARY_WEIGHTS:
        *scales = 1;
        return 2;
    case RHEO_QUANTISED_WEIGHTS:
        *scales = 1;
        return (uint32_t)option[RHEO_WEIGHTS_BITS];
    default:
        return 0;
    }
}

static void add_projection(const rheo_node_spec *node, rheo_hardware *out)
{
    const rheo_param *weight = param_of(node, "weight");
    uint64_t most;
    uint32_t scales;
    const uint32_t bits = precision(node, &scales);
    out->synapses += synapses_of(node, &most);
    /* a constant current has to be added at every step, input or not */
    if (param_of(node, "bias")) out->event_driven = false;
    if (!weight || bits == 0) return;
    if (bits > out->weight_bits) out->weight_bits = bits;
    /* inference does without the real weights that these were made of */
    out->parameter_bits -= (uint64_t)(32 - bits) * weight->rows * weight->cols;
    out->parameter_bits += 32 * (uint64_t)scales;
}

static void add_population(const rheo_net *net, uint32_t n, rheo_hardware *out, bool *spikes)
{
    const rheo_neuron *neuron = net->node[n].neuron;
    out->neurons += rheo__shape_size(net->node[n].out);
    if (!neuron) { /* a layer that fires by itself: no chip has its equations */
        out->multiplies = true;
        out->event_driven = *spikes = false;
        return;
    }
    uint32_t states = 0;
    while (neuron->states && neuron->states[states].name) states++;
    if (states > out->states) out->states = states;
    uint64_t inputs = fan_in(net, n, net->nodes);
    if (inputs > out->fan_in) out->fan_in = (uint32_t)inputs;
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
           (chip->fan_in == 0 || chip->fan_in >= net->fan_in) &&
           (chip->weight_bits == 0 || chip->weight_bits >= net->weight_bits);
}

void rheo__hardware(const rheo_net *net, const char *learning, bool local, rheo_hardware *out)
{
    bool spikes = true;
    *out = (rheo_hardware){.event_driven = true, .learning = learning, .learns_on_chip = local};
    out->parameters = rheo__net_parameter_count(net);
    out->parameter_bits = 32 * out->parameters;
    for (uint32_t n = 0; n < net->nodes; n++) {
        const rheo_node_spec *node = &net->node[n];
        if (rheo__is_population(node)) add_population(net, n, out, &spikes);
        if (node->layer->kind == RHEO_PROJECTION) add_projection(node, out);
        spikes = spikes && !node->layer->all_steps;
    }
    uint32_t count = 0, room = sizeof out->chips / sizeof out->chips[0] - 1;
    for (uint32_t c = 0; spikes && rheo__chip_at(c) && count < room; c++)
        if (fits(rheo__chip_at(c), out)) out->chips[count++] = chips[c].name;
}

uint64_t rheo__node_macs(const rheo_node_spec *node)
{
    uint64_t most;
    return node->layer->kind == RHEO_PROJECTION ? synapses_of(node, &most) : 0;
}

uint64_t rheo__macs_without_spikes(const rheo_net *net)
{
    uint64_t sum = 0;
    for (uint32_t n = 0; n < net->nodes; n++) sum += rheo__node_macs(&net->node[n]);
    return sum;
}
