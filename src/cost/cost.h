/* cost.h: from exact counts to the columns of the comparison: energy by named tables, hardware
 * friendliness, chips that a net fits. Tables are data with a source (energy.def, chips.def). */
#ifndef RHEO_SRC_COST_H
#define RHEO_SRC_COST_H
#include "net/net.h"

typedef struct rheo_energy_table {
    const char *name, *source;
    double mac, ac, update; /* [pJ]; update: one neuron update, NaN when the source gives none */
} rheo_energy_table;
const rheo_energy_table *rheo__energy_at(uint32_t index);
const rheo_energy_table *rheo__energy_find(const char *name);
/* counts of one sample (averages): energy in nJ */
double rheo__energy_nj(const rheo_energy_table *table, double macs, double acs, double updates);

typedef struct rheo_chip {
    const char *name, *source;
    uint64_t neurons, synapses; /* 0: not stated */
    uint32_t fan_in;            /* largest, 0: not stated */
    uint32_t weight_bits;       /* 0: not stated */
    bool learns;                /* on chip, local rules */
    double pj_per_synop;        /* NaN: not stated */
} rheo_chip;
const rheo_chip *rheo__chip_at(uint32_t index);

typedef struct rheo_hardware {
    uint64_t parameters, parameter_bits;
    uint32_t fan_in;      /* the largest */
    uint32_t weight_bits; /* the most of weights trained for a precision; 0: all are real */
    uint32_t states;      /* variables a neuron, the most of any population */
    uint64_t neurons, synapses;
    bool multiplies;      /* inference needs multiplications (real inputs, decays) */
    bool event_driven;    /* no population needs an update without input */
    const char *learning; /* "nothing", "local traces", "an error vector", "transported weights" */
    bool learns_on_chip;
    const char *chips[16]; /* that it fits; NULL-terminated */
} rheo_hardware;
void rheo__hardware(const rheo_net *net, const char *learning, bool local, rheo_hardware *out);
/* MACs of one presentation of the same net, or node, without spikes: a MAC a synapse. */
uint64_t rheo__macs_without_spikes(const rheo_net *net);
uint64_t rheo__node_macs(const rheo_node_spec *node);

/* ---- floors (floor.c) ---- */
/* Of a node's outputs, the share that a gradient can reach: what its only reader lets through. */
double rheo__reached(const rheo_net *net, uint32_t n);
/* Multiply-adds of dL/d in, for a sample and step: none where the input feeds the node. */
double rheo__least_back(const rheo_net *net, uint32_t n);
#endif
