/* population.h: what the parts of a population share: its memory and threads (population.c), its
 * constants and parameters (constants.c), its reference (population_reference.c). */
#ifndef RHEO_SRC_POPULATION_H
#define RHEO_SRC_POPULATION_H
#include "layer/rows.h"

/* Where a population's own parameters stand among node->param: behind lasting states. */
uint32_t rheo__lasting(const rheo_node_spec *node);
/* The index of a lasting state's parameter, or of a sample's state among its like. */
uint32_t rheo__state_place(const rheo_neuron *neuron, uint32_t state);
uint32_t rheo__state_count(const rheo_neuron *neuron);
/* How many values a parameter has, and the one that neuron n uses. */
uint32_t rheo__own_units(const rheo_node_spec *node, const rheo_own *own);
uint32_t rheo__own_unit(const rheo_node_spec *node, const rheo_own *own, uint32_t n);
/* Whether constants differ from neuron to neuron. */
bool rheo__constants_apart(const rheo_node_spec *node);
bool rheo__constants_learned(const rheo_node_spec *node);
/* The constants of neuron n and its state at rest; reference: the parameters in double (as of
 * node->param), NULL: those of the net. */
void rheo__constants_of(const rheo_node_spec *node, const double *const *reference, uint32_t n,
                        double *k, double *rest);
/* dL/d(parameter `own`) from neuron n, whose gradients by its constants and by its state at the start
 * are gk and gs. */
double rheo__constants_slope(const rheo_node_spec *node, const double *const *reference, uint32_t n,
                             uint32_t own, const double *gk, const double *gs);

/* work->derived: constants, then the state at rest, one number each or, apart, one a neuron. */
typedef struct rheo_constants {
    float *k, *rest; /* k[X*k_apart + n], rest[f*k_apart + n]; k_apart 0: k[X], rest[f] */
    size_t k_apart;
} rheo_constants;
size_t rheo__constants_floats(const rheo_node_spec *node);
rheo_constants rheo__constants_at(const rheo_work *work);
void rheo__constants_refresh(const rheo_work *work);
static inline float rheo__rest_of(const rheo_constants *c, uint32_t state, uint32_t n)
{
    return c->k_apart ? c->rest[state * c->k_apart + n] : c->rest[state];
}
/* Floats of dL/d(constants) of all samples, [constants][B][blocks][64]; 0: nothing is learned. */
size_t rheo__constants_tape(const rheo_work *work);
/* dL/d(parameters) from them, gs: dL/d(state at the start), [states][B][blocks][64]. */
void rheo__constants_gradient(const rheo_work *work, const float *gk, const float *gs);

/* A uniform random number in (0,1) of a model that draws. */
static inline float rheo__neuron_draw(uint32_t r)
{
    return ((float)(r >> 9) + 0.5f) * 0x1p-23f;
}

size_t rheo__population_reference_need(const rheo_node_spec *node, uint32_t T, uint32_t B);
void rheo__population_reference_forward(const rheo_reference_work *work);
void rheo__population_reference_backward(const rheo_reference_work *work);
#endif
