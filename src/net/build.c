/* build.c: from a document to a net: nodes, edges, shapes, parameters, first weights.
 *
 * A list item is a map with one key, the layer's kind, whose map has the layer's own fields and
 *   name    of the node (default: the number of the weight layer it belongs to)
 *   from    a name or a list of names (default: the item before)
 *   port    the target's port into which the node feeds (default: its first)
 *   to      feeds this earlier population too, instead of the item that follows
 *   recurrent  dense, one-to-one or conv: the population (that of the weight layer) drives itself, one
 *           step late, through weights NAME.recurrent.weight of that kind, without a bias
 * A weight layer that no population follows gets the recipe's default neuron. `- output: NAME` names
 * the output node; default: the last population. */
#include "net/net.h"
#include "net/neuron_map.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct builder {
    rheo_context *ctx;
    const rheo_net_request *ask;
    rheo_net *net;
    uint32_t room_nodes, room_edges;
    uint32_t layer;                   /* weight layers so far */
    int previous;                     /* node that the next item takes its input from, -1: none */
    const char *port[RHEO_NET_NODES]; /* where a node wants to feed */
    const rheo_doc *map[RHEO_NET_NODES];
    rheo_doc *neuron[RHEO_NET_NODES]; /* a population's map, over the recipe's */
    const rheo_doc *recurrent;        /* asked for by a weight layer, for the population to come */
    bool loops[RHEO_NET_NODES];       /* made by `recurrent`: as large as what it reads */
} builder;

static void where_is(const builder *b, const rheo_doc *doc, char out[128])
{
    snprintf(out, 128, "%s:%u", b->ask->file ? b->ask->file : "net", doc ? doc->line : 0);
}

static int node_named(const builder *b, const char *name)
{
    for (uint32_t n = b->net->nodes; n-- > 0;)
        if (!strcmp(b->net->node[n].name, name)) return (int)n;
    return -1;
}

static rheo_status port_index(builder *b, uint32_t to, const char *port, const char *where,
                              uint16_t *out)
{
    const rheo_neuron *neuron = b->net->node[to].neuron;
    *out = 0;
    if (!port) return RHEO_OK;
    for (uint16_t p = 0; neuron && neuron->ports[p]; p++)
        if (!strcmp(neuron->ports[p], port)) {
            *out = p;
            return RHEO_OK;
        }
    const char *near = neuron ? rheo__nearest(port, neuron->ports) : NULL;
    return rheo__fail(b->ctx, RHEO_USAGE, "%s: node '%s' has no port '%s'%s%s", where,
                      b->net->node[to].name, port, near ? "; did you mean " : "", near ? near : "");
}

static rheo_status add_edge(builder *b, uint32_t from, uint32_t to, const char *port,
                            const rheo_doc *doc)
{
    char where[128];
    where_is(b, doc, where);
    rheo_net *net = b->net;
    RHEO_CHECK(b->ctx, net->edges < b->room_edges, RHEO_USAGE, "%s: more than %u connections",
               where, b->room_edges);
    uint16_t index;
    RHEO_TRY(port_index(b, to, port, where, &index));
    net->edge[net->edges++] = (rheo_edge){(uint16_t)from, (uint16_t)to, index};
    return RHEO_OK;
}

static rheo_status add_node(builder *b, const rheo_layer *layer, const char *name,
                            const rheo_doc *doc, uint32_t *index)
{
    char where[128];
    where_is(b, doc, where);
    rheo_net *net = b->net;
    RHEO_CHECK(b->ctx, net->nodes < b->room_nodes, RHEO_USAGE, "%s: more than %u layers", where,
               b->room_nodes);
    rheo_node_spec *node = &net->node[net->nodes];
    RHEO_CHECK(b->ctx, name[0] && strlen(name) < sizeof node->name && !strpbrk(name, "./"),
               RHEO_USAGE,
               "%s: '%s' is no node name; expected 1 to %zu characters without '.' or '/'", where,
               name, sizeof node->name - 1);
    *node = (rheo_node_spec){.layer = layer, .index = net->nodes, .dt = b->ask->dt};
    snprintf(node->name, sizeof node->name, "%s", name);
    if (layer->fields) node->options = rheo__field_defaults(layer->fields);
    b->map[net->nodes] = doc;
    *index = net->nodes++;
    return RHEO_OK;
}

/* Compiles the formula of a surrogate that the user wrote, and checks the surrogate's parameters. */
static rheo_status set_surrogate(builder *b, rheo_node_spec *node, const rheo_doc *map)
{
    const rheo_field *fields = node->neuron ? node->neuron->fields : node->layer->fields;
    if (!fields || rheo__field_index(fields, "surrogate") < 0) return RHEO_OK;
    const rheo_surrogate *surrogate = rheo__surrogate_at(rheo__node_pseudo(node).surrogate);
    const rheo_doc *text = rheo__doc_get(map, "surrogate");
    char place[128], where[160];
    where_is(b, text, place);
    snprintf(where, sizeof where, "%s: surrogate", place);
    RHEO_CHECK(b->ctx, node->neuron || !surrogate->random, RHEO_USAGE,
               "%s: %s draws random numbers, which %s does not", where, surrogate->name,
               node->layer->name);
    if (text && surrogate->own)
        RHEO_TRY(rheo__formula_compile(b->ctx, text->text, where, &node->formula));
    const rheo_pseudo pseudo = rheo__node_pseudo(node);
    return rheo__pseudo_check(b->ctx, &pseudo, where);
}

/* The model and its options: the item's own map over the recipe's `neuron` map. */
static rheo_status set_neuron(builder *b, uint32_t index, const rheo_doc *map)
{
    static const char *const skip[] = {"model", "name", "from", "port", "to", "recurrent", NULL};
    const char *file = b->ask->file ? b->ask->file : "net";
    rheo_node_spec *node = &b->net->node[index];
    RHEO_TRY(rheo__neuron_map(b->ctx, b->ask->neuron, map, file, &b->neuron[index]));
    RHEO_TRY(rheo__neuron_read(b->ctx, b->neuron[index], skip, "neuron", file, node));
    RHEO_TRY(set_surrogate(b, node, b->neuron[index]));
    double k[RHEO_CONSTANTS];
    rheo_status status = node->neuron->derive(b->ctx, &node->neuron_options, node->dt, k);
    if (status) return rheo__blame(b->ctx, status, "%s: node '%s'", file, node->name);
    return RHEO_OK;
}

/* A plastic layer's map holds the layer's fields and its synapse's. */
static rheo_status set_synapse(builder *b, rheo_node_spec *node, const rheo_doc *map)
{
    const char *file = b->ask->file ? b->ask->file : "net";
    const char *rule = rheo__doc_text(map, "synapse", rheo__synapse_names[0]);
    node->synapse = rheo__synapse_find(rule);
    if (!node->synapse) {
        const char *near = rheo__nearest(rule, rheo__synapse_names);
        return rheo__fail(b->ctx, RHEO_USAGE, "%s:%u: unknown synapse '%s'%s%s", file,
                          map ? map->line : 0, rule, near ? ", did you mean " : "",
                          near ? near : "");
    }
    node->synapse_options = rheo__field_defaults(node->synapse->fields);
    return RHEO_OK;
}

/* Every key of the map belongs to the layer, to its synapse, or to the graph. */
static rheo_status set_options(builder *b, rheo_node_spec *node, const rheo_doc *map)
{
    const char *file = b->ask->file ? b->ask->file : "net";
    for (const rheo_doc *entry = map ? map->child : NULL; entry; entry = entry->next) {
        static const char *const graph[] = {"name",    "from",      "port", "to",
                                            "synapse", "recurrent", NULL};
        bool known = false;
        for (uint32_t g = 0; graph[g]; g++) known = known || !strcmp(entry->key, graph[g]);
        if (known && (strcmp(entry->key, "synapse") != 0 || node->synapse)) continue;
        const rheo_field *fields = node->layer->fields;
        rheo_options *options = &node->options;
        int index = fields ? rheo__field_index(fields, entry->key) : -1;
        if (index < 0 && node->synapse) {
            fields = node->synapse->fields;
            options = &node->synapse_options;
            index = rheo__field_index(fields, entry->key);
        }
        char where[192];
        snprintf(where, sizeof where, "%s:%u: %s in layer '%s'", file, entry->line, entry->key,
                 node->name);
        if (index < 0) {
            const char *names[64] = {"name", "from", "port", "to", "recurrent"};
            uint32_t count = 5;
            for (const rheo_field *f = node->layer->fields; f && f->name && count < 63; f++)
                names[count++] = f->name;
            for (const rheo_field *f = node->synapse ? node->synapse->fields : NULL;
                 f && f->name && count < 63; f++)
                names[count++] = f->name;
            const char *near = rheo__nearest(entry->key, names);
            return rheo__fail(b->ctx, RHEO_USAGE, "%s:%u: unknown key '%s' in a %s layer%s%s%s",
                              file, entry->line, entry->key, node->layer->name,
                              near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
        }
        RHEO_CHECK(b->ctx, entry->kind == RHEO_SCALAR, RHEO_USAGE, "%s: expected one value", where);
        char classes[16];
        const char *text = entry->text;
        if (!strcmp(entry->key, "out") && !strcmp(text, "out")) {
            snprintf(classes, sizeof classes, "%u", b->ask->classes);
            text = classes;
        }
        RHEO_TRY(rheo__field_parse(b->ctx, &fields[index], text, where, &options->v[index]));
    }
    return RHEO_OK;
}

static rheo_status connect_from(builder *b, uint32_t node, const rheo_doc *map)
{
    const rheo_doc *from = rheo__doc_get(map, "from");
    if (!from) {
        if (b->previous < 0) return RHEO_OK;
        return add_edge(b, (uint32_t)b->previous, node, b->port[b->previous], map);
    }
    const rheo_doc *name = from->kind == RHEO_SCALAR ? from : from->child;
    const uint32_t ports = b->net->node[node].layer->ports;
    uint32_t first = b->net->edges;
    for (; name; name = from->kind == RHEO_SCALAR ? NULL : name->next) {
        char where[128];
        where_is(b, name, where);
        RHEO_CHECK(b->ctx, name->kind == RHEO_SCALAR, RHEO_USAGE, "%s: from: expected names",
                   where);
        int source = node_named(b, name->text);
        RHEO_CHECK(b->ctx, source >= 0 && source != (int)node, RHEO_USAGE,
                   "%s: from: there is no node '%s' before '%s'", where, name->text,
                   b->net->node[node].name);
        RHEO_TRY(add_edge(b, (uint32_t)source, node, b->port[source], name));
        if (ports < 2) continue; /* several sources add; else each has a port */
        const uint32_t port = b->net->edges - 1 - first;
        RHEO_CHECK(b->ctx, port < ports && port < RHEO_PORTS, RHEO_USAGE,
                   "%s: from: node '%s' takes at most %u inputs", where, b->net->node[node].name,
                   ports < RHEO_PORTS ? ports : RHEO_PORTS);
        b->net->edge[b->net->edges - 1].port = (uint16_t)port;
    }
    return RHEO_OK;
}

static void set_option(rheo_node_spec *node, const char *name, double value)
{
    const int at = rheo__field_index(node->layer->fields, name);
    if (at >= 0) node->options.v[at] = value;
}

/* Weights of the population's own spikes, one step late, into its first port. */
static rheo_status add_recurrent(builder *b, uint32_t population, const rheo_doc *ask)
{
    static const char *const kinds[] = {"dense", "one-to-one", "conv", NULL};
    char where[128];
    where_is(b, ask, where);
    const char *from = b->net->node[population].name;
    uint32_t kind = 0, index;
    while (kinds[kind] && (!ask->text || strcmp(kinds[kind], ask->text) != 0)) kind++;
    if (ask->text && !strcmp(ask->text, "none")) return RHEO_OK;
    RHEO_CHECK(b->ctx, kinds[kind], RHEO_USAGE,
               "%s: recurrent is '%s', expected none, dense, one-to-one or conv", where,
               ask->text ? ask->text : "");
    RHEO_CHECK(b->ctx, strlen(from) + sizeof ".recurrent" <= sizeof b->net->node->name, RHEO_USAGE,
               "%s: the name '%s' is too long for '%s.recurrent'; shorten it", where, from, from);
    RHEO_TRY(add_node(b, rheo__layer_find(kinds[kind]), from, ask, &index));
    rheo_node_spec *node = &b->net->node[index];
    strcat(node->name, ".recurrent"); /* as checked */
    b->loops[index] = true;
    set_option(node, "bias", 0);
    set_option(node, "trained", 1);
    RHEO_TRY(add_edge(b, population, index, NULL, ask));
    return add_edge(b, index, population, NULL, ask);
}

/* As many outputs as inputs. */
static void size_recurrent(rheo_node_spec *node)
{
    const bool dense = rheo__field_index(node->layer->fields, "kernel") < 0;
    set_option(node, "out", dense ? rheo__shape_size(node->in) : node->in.dim[0]);
    set_option(node, "padding", -1); /* same */
}

static rheo_status add_item(builder *b, const rheo_layer *layer, const rheo_doc *map)
{
    char number[16];
    if (layer->kind == RHEO_PROJECTION) b->layer++;
    /* dropout stands before the weights it belongs to */
    uint32_t belongs = b->layer + (layer->kind == RHEO_MAPPING && !strcmp(layer->name, "dropout"));
    snprintf(number, sizeof number, "%u", belongs);
    uint32_t index;
    RHEO_TRY(add_node(b, layer, rheo__doc_text(map, "name", number), map, &index));
    rheo_node_spec *node = &b->net->node[index];
    if (layer == rheo__layer_find("neuron"))
        RHEO_TRY(set_neuron(b, index, map));
    else {
        if (!strcmp(layer->name, "plastic")) RHEO_TRY(set_synapse(b, node, map));
        RHEO_TRY(set_options(b, node, map));
        RHEO_TRY(set_surrogate(b, node, map));
    }
    b->port[index] = rheo__doc_text(map, "port", NULL);
    RHEO_TRY(connect_from(b, index, map));
    const char *to = rheo__doc_text(map, "to", NULL);
    if (to) {
        char where[128];
        where_is(b, rheo__doc_get(map, "to"), where);
        int target = node_named(b, to);
        RHEO_CHECK(b->ctx, target >= 0, RHEO_USAGE, "%s: to: there is no node '%s' before '%s'",
                   where, to, node->name);
        RHEO_TRY(add_edge(b, index, (uint32_t)target, b->port[index], map));
        return RHEO_OK; /* what follows does not take its input from here */
    }
    b->previous = (int)index;
    const rheo_doc *recurrent = rheo__doc_get(map, "recurrent");
    if (layer->kind == RHEO_PROJECTION && recurrent) b->recurrent = recurrent;
    if (layer->kind != RHEO_POPULATION) return RHEO_OK;
    b->net->output = index;
    if (!recurrent) recurrent = b->recurrent;
    b->recurrent = NULL;
    return recurrent ? add_recurrent(b, index, recurrent) : RHEO_OK;
}

static rheo_status unknown_layer(builder *b, const rheo_doc *entry)
{
    const char *near = rheo__nearest(entry->key, rheo__layer_names);
    return rheo__fail(b->ctx, RHEO_USAGE,
                      "%s:%u: unknown layer '%s'%s%s; 'rheobase list layers' shows all",
                      b->ask->file ? b->ask->file : "net", entry->line, entry->key,
                      near ? ", did you mean " : "", near ? near : "");
}

/* "784", "28x28", "1x28x28": the product, held to UINT32_MAX, which no data reach. */
static bool input_size(const char *text, uint64_t *product)
{
    *product = 1;
    for (const char *p = text;; p++) {
        uint64_t size = 0;
        if (*p < '0' || *p > '9') return false;
        for (; *p >= '0' && *p <= '9'; p++) {
            size = 10 * size + (uint64_t)(*p - '0');
            if (size > UINT32_MAX) size = UINT32_MAX;
        }
        *product *= size;
        if (*product > UINT32_MAX) *product = UINT32_MAX;
        if (!*p) return true;
        if (*p != 'x') return false;
    }
}

static rheo_status check_input(builder *b, const rheo_doc *entry)
{
    const char *size = rheo__doc_text(entry, "size", "in");
    if (!strcmp(size, "in")) return RHEO_OK;
    char where[128];
    where_is(b, entry, where);
    uint64_t product;
    RHEO_CHECK(b->ctx, input_size(size, &product), RHEO_USAGE,
               "%s: '%s' is no size of an input; expected in, or sizes joined by x, e.g. 28x28",
               where, size);
    uint32_t have = rheo__shape_size(b->ask->in);
    RHEO_CHECK(b->ctx, product == have, RHEO_SHAPE,
               "%s: the net's input is %s = %llu values, but the data have %u a sample; write `in` "
               "for the data's size",
               where, size, (unsigned long long)product, have);
    return RHEO_OK;
}

/* Layers of the literature's notation; the others stand between populations that are written down. */
static bool brings_neurons(const rheo_layer *layer)
{
    static const char *const names[] = {"dense", "conv", "conv-transpose", NULL};
    for (uint32_t i = 0; names[i]; i++)
        if (!strcmp(layer->name, names[i])) return true;
    return false;
}

static bool weight_follows(const rheo_doc *entry)
{
    for (; entry; entry = entry->next) {
        const rheo_layer *layer =
            entry->child && entry->child->key ? rheo__layer_find(entry->child->key) : NULL;
        if (layer && layer->kind == RHEO_POPULATION) return false;
        if (layer && layer->kind == RHEO_PROJECTION) return true;
    }
    return true;
}

static rheo_status add_items(builder *b, const rheo_doc *list)
{
    const char *file = b->ask->file ? b->ask->file : "net";
    const rheo_layer *population = rheo__layer_find("neuron");
    for (const rheo_doc *entry = list->child; entry; entry = entry->next) {
        const rheo_doc *item = entry->kind == RHEO_MAP ? entry->child : NULL;
        RHEO_CHECK(b->ctx, item && !item->next && item->kind != RHEO_LIST, RHEO_USAGE,
                   "%s:%u: net: expected an item like `- dense: {out: 10}`", file, entry->line);
        if (!strcmp(item->key, "input")) {
            RHEO_TRY(check_input(b, item));
            continue;
        }
        if (!strcmp(item->key, "output")) {
            int node = item->text ? node_named(b, item->text) : -1;
            RHEO_CHECK(b->ctx, node >= 0, RHEO_USAGE, "%s:%u: output: there is no node '%s'", file,
                       item->line, item->text ? item->text : "");
            b->net->output = (uint32_t)node;
            continue;
        }
        const rheo_layer *layer = rheo__layer_find(item->key);
        if (!layer || layer->kind == RHEO_SOURCE) return unknown_layer(b, item);
        bool empty =
            item->kind == RHEO_SCALAR && (!item->text || !item->text[0] ||
                                          !strcmp(item->text, "null") || !strcmp(item->text, "{}"));
        RHEO_CHECK(b->ctx, item->kind == RHEO_MAP || empty, RHEO_USAGE,
                   "%s:%u: %s: expected a map of options, e.g. {}", file, item->line, item->key);
        RHEO_TRY(add_item(b, layer, item->kind == RHEO_MAP ? item : NULL));
        if (layer->kind == RHEO_PROJECTION && !rheo__doc_get(item, "to") &&
            weight_follows(entry->next) && brings_neurons(layer))
            RHEO_TRY(add_item(b, population, NULL));
    }
    return RHEO_OK;
}

/* Plasticity sees the spikes of the population that the projection feeds. */
static rheo_status close_loops(builder *b)
{
    rheo_net *net = b->net;
    uint32_t edges = net->edges;
    for (uint32_t e = 0; e < edges; e++) {
        const rheo_edge *edge = &net->edge[e];
        if (!net->node[edge->from].synapse || !net->node[edge->to].neuron) continue;
        RHEO_CHECK(b->ctx, net->edges < b->room_edges, RHEO_USAGE, "net: too many connections");
        net->edge[net->edges++] = (rheo_edge){edge->to, edge->from, 1};
    }
    return RHEO_OK;
}

static rheo_status infer_shapes(builder *b)
{
    rheo_net *net = b->net;
    uint32_t total = 0;
    for (uint32_t n = 0; n < net->nodes; n++) {
        rheo_node_spec *node = &net->node[n];
        bool fed[RHEO_PORTS] = {n == 0};
        for (uint32_t e = 0; e < net->edges; e++) {
            const rheo_edge *edge = &net->edge[e];
            if (edge->to != n || edge->from >= n) continue;
            if (!fed[edge->port]) node->port_in[edge->port] = net->node[edge->from].out;
            if (node->inputs <= edge->port) node->inputs = edge->port + 1u;
            fed[edge->port] = true;
        }
        node->in = n ? node->port_in[0] : node->out;
        for (uint32_t p = 1; p < RHEO_PORTS && !fed[0]; p++)
            if (fed[p]) node->in = node->port_in[p], fed[0] = true; /* fed at a later port only */
        RHEO_CHECK(b->ctx, fed[0], RHEO_USAGE, "net: node '%s' has no input", node->name);
        if (b->loops[n]) size_recurrent(node);
        if (n > 0) RHEO_TRY(node->layer->infer(b->ctx, node));
        rheo_param param;
        while (node->params < RHEO_NODE_PARAMS && node->layer->param &&
               node->layer->param(node, node->params, &param))
            node->params++;
        total += node->params;
    }
    for (uint32_t e = 0; e < net->edges; e++) { /* a population adds equals to equals */
        const rheo_node_spec *from = &net->node[net->edge[e].from];
        const rheo_node_spec *to = &net->node[net->edge[e].to];
        if (to->synapse && net->edge[e].port == 1) continue;
        const rheo_shape takes = to->layer->ports > 1 ? to->port_in[net->edge[e].port] : to->in;
        RHEO_CHECK(b->ctx, rheo__shape_size(from->out) == rheo__shape_size(takes), RHEO_SHAPE,
                   "net: '%s' gives %u values but '%s' takes %u", from->name,
                   rheo__shape_size(from->out), to->name, rheo__shape_size(takes));
    }
    return rheo__alloc(b->ctx, total, sizeof *net->param, "the net's parameter table", &net->param);
}

static rheo_status make_params(builder *b)
{
    rheo_net *net = b->net;
    for (uint32_t n = 0; n < net->nodes; n++) {
        rheo_node_spec *node = &net->node[n];
        for (uint32_t i = 0; i < node->params; i++) {
            rheo_param *param = &net->param[net->params];
            *param = (rheo_param){.low = -INFINITY, .high = INFINITY, .version = 1};
            node->layer->param(node, i, param);
            snprintf(param->node, sizeof param->node, "%s", node->name);
            RHEO_CHECK(b->ctx, !rheo__net_param(net, param->node, param->name), RHEO_USAGE,
                       "net: two parameters are called '%s.%s'; give the nodes names", param->node,
                       param->name);
            size_t count;
            RHEO_CHECK(b->ctx, rheo__mul(param->rows, param->cols, &count) && count <= UINT32_MAX,
                       RHEO_SHAPE, "node '%s': %s of %u x %u is too large", node->name, param->name,
                       param->rows, param->cols);
            RHEO_TRY(rheo__alloc(b->ctx, count, sizeof(float), "parameters", &param->value));
            node->param[i] = param;
            net->params++;
        }
        if (node->layer->initialise) node->layer->initialise(b->ctx, node, net->seed);
        if (b->neuron[n]) RHEO_TRY(rheo__neuron_fill(b->ctx, b->neuron[n], b->ask->file, node));
    }
    return RHEO_OK;
}

static rheo_status build(builder *b, const rheo_doc *list)
{
    uint32_t items = rheo__doc_count(list);
    RHEO_CHECK(b->ctx, items > 0 && items < RHEO_NET_NODES / 2, RHEO_USAGE,
               "%s:%u: net: expected 1 to %d layers, found %u", b->ask->file ? b->ask->file : "net",
               list->line, RHEO_NET_NODES / 2 - 1, items);
    /* an item can bring a population and its recurrent weights */
    b->room_nodes = 3 * items + 1 < RHEO_NET_NODES ? 3 * items + 1 : RHEO_NET_NODES;
    b->room_edges = 8 * items + 8;
    rheo_net *net = b->net;
    RHEO_TRY(rheo__alloc(b->ctx, b->room_nodes, sizeof *net->node, "the net's nodes", &net->node));
    RHEO_TRY(rheo__alloc(b->ctx, b->room_edges, sizeof *net->edge, "the net's edges", &net->edge));
    uint32_t input;
    RHEO_TRY(add_node(b, rheo__layer_find("source"), "input", list, &input));
    net->node[0].in = net->node[0].out = b->ask->in;
    b->previous = 0;
    RHEO_TRY(add_items(b, list));
    RHEO_CHECK(b->ctx, net->output > 0, RHEO_USAGE, "%s:%u: net: there is no population",
               b->ask->file ? b->ask->file : "net", list->line);
    RHEO_TRY(close_loops(b));
    RHEO_TRY(infer_shapes(b));
    return make_params(b);
}

/* A notation's layers all stand in its line. */
static void set_line(rheo_doc *doc, uint32_t line)
{
    for (; doc; doc = doc->next) {
        doc->line = line;
        set_line(doc->child, line);
    }
}

rheo_status rheo__net_build(rheo_context *ctx, const rheo_net_request *request, rheo_net **out)
{
    builder *b = NULL;
    RHEO_TRY(rheo__alloc(ctx, 1, sizeof *b, "a net's builder", &b));
    *b = (builder){.ctx = ctx, .ask = request};
    rheo_doc *list = NULL;
    rheo_status status = rheo__alloc(ctx, 1, sizeof *b->net, "a net", &b->net);
    if (!status)
        *b->net = (rheo_net){
            .ctx = ctx,
            .seed = request->seed,
            .dt = request->dt,
            .precision = request->precision,
        };
    if (!status && request->net->kind == RHEO_SCALAR) {
        char where[128];
        where_is(b, request->net, where);
        status = rheo__notation(ctx, request->net->text, where, &list);
        if (!status) set_line(list, request->net->line);
    }
    if (!status) status = build(b, list ? list : request->net);
    rheo__doc_free(ctx, list);
    for (uint32_t n = 0; n < RHEO_NET_NODES; n++) rheo__doc_free(ctx, b->neuron[n]);
    if (status)
        rheo_net_free(b->net);
    else
        *out = b->net;
    rheo__release(ctx, b);
    return status;
}
