/* neuron_map.h: what a recipe says of a population: a map
 *
 *   {model: lif, dialect: snntorch, beta: 0.9, threshold: {from: 0.8, to: 1.2},
 *    learn: [beta, threshold], per: neuron, inhibition: true}
 *
 * model      default: the recipe's `neuron`, else lif
 * dialect    sets options as another program has them; keys that are given win
 * a number   may be drawn: {from: a, to: b}, or given one by one: [0.5, 0.6, ...]; it is then a
 *            parameter of the net, as are all that stand in
 * learn      names of numbers that gradients train
 * per        what has a value of its own: layer, channel or neuron (default: layer, where nothing is
 *            drawn or listed, else neuron)
 * and options of the layer (population.c). */
#ifndef RHEO_SRC_NEURON_MAP_H
#define RHEO_SRC_NEURON_MAP_H
#include "base/doc.h"
#include "layer/layer.h"

/* The given map over the defaults (either may be NULL), with the dialect's options: released by the
 * caller. */
rheo_status rheo__neuron_map(rheo_context *ctx, const rheo_doc *defaults, const rheo_doc *map,
                             const char *file, rheo_doc **out);
/* Reads such a map into neuron, neuron_options, own and owns of a node; the layer's options too. keys
 * of `skip` are left to the caller. */
rheo_status rheo__neuron_read(rheo_context *ctx, const rheo_doc *map, const char *const *skip,
                              const char *where, const char *file, rheo_node_spec *node);
/* Splits off what is no plain number or name: lists, ranges, and the keys named above. Both are
 * released by the caller. */
rheo_status rheo__neuron_split(rheo_context *ctx, const rheo_doc *map, rheo_doc **plain,
                               rheo_doc **rest);
/* Puts listed values into the node's parameters. */
rheo_status rheo__neuron_fill(rheo_context *ctx, const rheo_doc *map, const char *file,
                              const rheo_node_spec *node);
#endif
