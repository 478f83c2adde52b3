/* net.h: the graph and what lasts: parameters, and state of scope RUN. */
#ifndef RHEO_SRC_NET_INSIDE_H
#define RHEO_SRC_NET_INSIDE_H
#include <rheobase/net.h>
#include "base/doc.h"
#include "layer/layer.h"
#include "layer/ports.h"

#define RHEO_NET_NODES 256

/* Edges add into a named port of their target, in declared order. */
typedef struct rheo_edge {
    uint16_t from, to, port;
} rheo_edge;

struct rheo_net {
    rheo_context *ctx;
    uint32_t nodes, edges, params;
    rheo_node_spec *node; /* node 0 is the source "input"; the last in the list is the output */
    rheo_edge *edge;
    rheo_param *param; /* all, in the order of nodes; RUN-scope state stands here too */
    uint32_t output;   /* index of the output node */
    uint64_t seed;
    double dt;
    rheo_precision precision; /* of the dense products of every plan over it */
};

/* Builds the net from a doc: a scalar is a notation, a list is layers. defaults: the recipe's
 * `neuron` map for populations that do not name a model (may be NULL). in: the data's shape,
 * classes: what `out` means. Parameters are initialised from the seed. file: for messages. */
typedef struct rheo_net_request {
    const rheo_doc *net, *neuron;
    rheo_shape in;
    uint32_t classes;
    double dt;
    uint64_t seed;
    rheo_precision precision;
    const char *file;
} rheo_net_request;
rheo_status rheo__net_build(rheo_context *ctx, const rheo_net_request *request, rheo_net **out);
/* "784-1000-10" to a list doc of layers, names "1", "2", …; neuron: defaults, see above. */
rheo_status rheo__notation(rheo_context *ctx, const char *text, const char *where, rheo_doc **out);
rheo_status rheo__net_clone(const rheo_net *net, rheo_net **out);
/* Node of a name that has the field ("weight": a parameter; "s", "v": a population); -1: none. */
int rheo__net_find(const rheo_net *net, const char *name, const char *field);
rheo_param *rheo__net_param(const rheo_net *net, const char *node, const char *name);
/* Puts another model into a population, keeps the rest (conversion). */
rheo_status rheo__net_set_neuron(rheo_net *net, uint32_t node, const rheo_neuron *neuron,
                                 const rheo_options *options);
uint64_t rheo__net_parameter_count(const rheo_net *net); /* weights and biases, not RUN state */

/* Named pieces of memory that go to a file and back, in order: the one way in which parameters,
 * optimiser slots and a learner's counters are saved. */
typedef struct rheo_slot {
    char path[96]; /* "/parameters/1/weight" */
    enum { RHEO_SLOT_F32, RHEO_SLOT_F64, RHEO_SLOT_U32, RHEO_SLOT_U64, RHEO_SLOT_U8 } type;
    uint32_t rows, cols; /* cols 0: a vector of rows */
    bool transposed;     /* the file shows [cols, rows] */
    void *data;
    uint32_t dims, shape[5]; /* in the file; dims 0: as above */
} rheo_slot;
/* HDF5 (net/modelfile.c): /net text + the slots; same content, same bytes. Attributes format
 * "rheobase", version 1. */
rheo_status rheo__slots_save(rheo_context *ctx, const char *path, const char *recipe_text,
                             const rheo_slot *slots, uint32_t count);
/* Fills the slots in place; a missing, extra-large or differently shaped dataset is RHEO_FORMAT
 * with its path and both shapes. Nothing is changed on failure of the first pass (check all, then
 * read all). *recipe_text (may be NULL) is released by the caller. */
rheo_status rheo__slots_load(rheo_context *ctx, const char *path, char **recipe_text,
                             const rheo_slot *slots, uint32_t count);
/* Only the text, to build the net before loading. */
rheo_status rheo__slots_text(rheo_context *ctx, const char *path, char **recipe_text);
/* The net's own slots: parameters as /parameters/NODE/NAME, RUN state as /state/NODE/NAME.
 * Fills at most `room`, returns the count. */
uint32_t rheo__net_slots(const rheo_net *net, rheo_slot *slots, uint32_t room);
#endif
