/* notation.c: the literature's notation, "784-1000-10", as a list of layers.
 *
 *   28x28            the input first, or `in`: n, HxW, CxHxW or HxWxC (the fewer are the channels)
 *   1000  out        a dense layer with its population; as many as there are classes
 *   12c5             convolution, 12 channels, kernel 5, with its population; without padding
 *   2m  2a  2s       max, average, sum pooling of windows of 2
 *   d0.5             dropout of what the next layer reads
 * and after a layer, in any order:
 *   p                convolution: padding that keeps the size
 *   b                batch normalisation between weights and neurons
 *   r                recurrent: the population drives itself through weights of the layer's kind
 * Layer k is the k-th with weights. */
#include "net/net.h"
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#define LARGEST_INPUT (UINT32_C(1) << 28)

static rheo_status add_key(rheo_context *ctx, rheo_doc *map, const char *key, const char *value)
{
    rheo_doc *text = NULL;
    RHEO_TRY(rheo__doc_new(ctx, RHEO_SCALAR, key, value, 0, &text));
    rheo__doc_append(map, text);
    return RHEO_OK;
}

/* Appends `- kind: {name: name}` to the list; *out: its map. */
static rheo_status item(rheo_context *ctx, rheo_doc *list, const char *kind, const char *name,
                        rheo_doc **out)
{
    rheo_doc *entry = NULL;
    RHEO_TRY(rheo__doc_new(ctx, RHEO_MAP, NULL, NULL, 0, &entry));
    rheo__doc_append(list, entry);
    RHEO_TRY(rheo__doc_new(ctx, RHEO_MAP, kind, NULL, 0, out));
    rheo__doc_append(entry, *out);
    return add_key(ctx, *out, "name", name);
}

static rheo_status refuse(rheo_context *ctx, const char *where, const char *token)
{
    return rheo__fail(
        ctx, RHEO_USAGE,
        "%s: cannot read '%s' in the net; expected layers joined by '-', e.g. 784-1000-10 "
        "or in-12c5-2m-256r-d0.5-out: sizes, c convolution (p same padding), m a s "
        "pooling, d dropout, after a layer b batch normalisation, r recurrent",
        where, token);
}

/* What a token says after its number. */
typedef struct token {
    char size[16], window[16]; /* 12 and 5 of 12c5p */
    char kind;                 /* c, m, a, s; 0: dense */
    bool same, norm, recurrent;
} token_parts;

static bool read_number(const char **at, char out[16])
{
    const size_t digits = strspn(*at, "0123456789");
    if (digits == 0 || digits >= 16) return false;
    memcpy(out, *at, digits);
    out[digits] = 0;
    *at += digits;
    return true;
}

static bool read_token(const char *at, token_parts *out)
{
    *out = (token_parts){0};
    if (!strncmp(at, "out", 3)) {
        strcpy(out->size, "out");
        at += 3;
    } else if (!read_number(&at, out->size)) {
        return false;
    }
    if (*at && strchr("cmas", *at)) out->kind = *at++;
    if (out->kind == 'c' && !read_number(&at, out->window)) return false;
    if (out->kind && out->kind != 'c') return !*at;
    for (; *at; at++) {
        bool *flag = *at == 'b' ? &out->norm : *at == 'r' ? &out->recurrent : NULL;
        if (*at == 'p' && out->kind == 'c') flag = &out->same;
        if (!flag || *flag) return false;
        *flag = true;
    }
    return true;
}

static rheo_status add_pool(rheo_context *ctx, const token_parts *parts, const char *name,
                            rheo_doc *list)
{
    rheo_doc *map = NULL;
    RHEO_TRY(item(ctx, list, "pool", name, &map));
    RHEO_TRY(add_key(ctx, map, "kind",
                     parts->kind == 'm'   ? "max"
                     : parts->kind == 'a' ? "average"
                                          : "sum"));
    return add_key(ctx, map, "size", parts->size);
}

static rheo_status add_weights(rheo_context *ctx, const token_parts *parts, const char *name,
                               rheo_doc *list)
{
    rheo_doc *map = NULL;
    const char *kind = parts->kind ? "conv" : "dense";
    RHEO_TRY(item(ctx, list, kind, name, &map));
    RHEO_TRY(add_key(ctx, map, "out", parts->size));
    if (parts->kind) RHEO_TRY(add_key(ctx, map, "kernel", parts->window));
    if (parts->same) RHEO_TRY(add_key(ctx, map, "padding", "same"));
    if (parts->recurrent) RHEO_TRY(add_key(ctx, map, "recurrent", kind));
    if (parts->norm) RHEO_TRY(item(ctx, list, "norm", name, &map));
    return item(ctx, list, "neuron", name, &map);
}

/* One token after the first; *layer counts weight layers. */
static rheo_status add_token(rheo_context *ctx, const char *token, const char *where,
                             uint32_t *layer, rheo_doc *list)
{
    char name[16];
    token_parts parts;
    rheo_doc *map = NULL;
    snprintf(name, sizeof name, "%u", *layer + 1);
    if (token[0] == 'd') {
        char *end;
        double rate = strtod(token + 1, &end);
        if (*end || end == token + 1 || !(rate >= 0 && rate < 1)) return refuse(ctx, where, token);
        RHEO_TRY(item(ctx, list, "dropout", name, &map));
        return add_key(ctx, map, "rate", token + 1);
    }
    if (!read_token(token, &parts)) return refuse(ctx, where, token);
    if (parts.kind && parts.kind != 'c') {
        snprintf(name, sizeof name, "%u", *layer);
        return add_pool(ctx, &parts, name, list);
    }
    (*layer)++;
    return add_weights(ctx, &parts, name, list);
}

static rheo_status parse(rheo_context *ctx, const char *text, const char *where, rheo_doc *list)
{
    char buffer[1024];
    RHEO_CHECK(ctx, strlen(text) < sizeof buffer, RHEO_USAGE,
               "%s: the net's text is longer than %zu", where, sizeof buffer - 1);
    strcpy(buffer, text);
    uint32_t index = 0, layer = 0;
    for (char *token = buffer, *next; token; token = next, index++) {
        next = strchr(token, '-');
        if (next) *next++ = 0;
        if (index > 0) {
            RHEO_TRY(add_token(ctx, token, where, &layer, list));
            continue;
        }
        bool shape = token[0] && strspn(token, "0123456789x") == strlen(token);
        if (strcmp(token, "in") != 0 && !shape) return refuse(ctx, where, token);
        rheo_doc *map = NULL;
        RHEO_TRY(item(ctx, list, "input", "input", &map));
        RHEO_TRY(add_key(ctx, map, "size", token));
    }
    RHEO_CHECK(ctx, layer > 0, RHEO_USAGE,
               "%s: '%s' has no layer after its input; expected e.g. 784-1000-10", where, text);
    return RHEO_OK;
}

rheo_status rheo__notation(rheo_context *ctx, const char *text, const char *where, rheo_doc **out)
{
    rheo_doc *list = NULL;
    RHEO_TRY(rheo__doc_new(ctx, RHEO_LIST, "net", NULL, 0, &list));
    rheo_status status = parse(ctx, text, where, list);
    if (status) {
        rheo__doc_free(ctx, list);
        return status;
    }
    *out = list;
    return RHEO_OK;
}

/* ---- the public front: a notation and a few options ---- */

static rheo_status option(rheo_context *ctx, rheo_doc *map, const char *key, const char *text)
{
    rheo_doc *value = NULL;
    if (!text) return RHEO_OK;
    RHEO_TRY(rheo__doc_new(ctx, RHEO_SCALAR, key, text, 0, &value));
    rheo__doc_append(map, value);
    return RHEO_OK;
}

static rheo_status option_number(rheo_context *ctx, rheo_doc *map, const char *key, float value)
{
    char text[32];
    if (value == 0) return RHEO_OK;
    snprintf(text, sizeof text, "%.9g", (double)value);
    return option(ctx, map, key, text);
}

static rheo_status front_docs(rheo_context *ctx, const char *notation,
                              const rheo_net_options *options, rheo_doc **net, rheo_doc **neuron)
{
    RHEO_TRY(rheo__doc_new(ctx, RHEO_SCALAR, "net", notation, 0, net));
    RHEO_TRY(rheo__doc_new(ctx, RHEO_MAP, "neuron", NULL, 0, neuron));
    if (!options) return RHEO_OK;
    RHEO_TRY(option(ctx, *neuron, "model", options->neuron));
    RHEO_TRY(option_number(ctx, *neuron, "beta", options->beta));
    RHEO_TRY(option_number(ctx, *neuron, "threshold", options->threshold));
    RHEO_TRY(option(ctx, *neuron, "reset", options->reset));
    return option(ctx, *neuron, "surrogate", options->surrogate);
}

/* "784", "28x28", "1x28x28" and "32x32x3" as a shape, channels first; the number of values, held to
 * more than there can be, 0 when the text begins with no shape. */
static uint64_t read_shape(const char *text, rheo_shape *out)
{
    uint64_t dim[3] = {0}, size = 1;
    uint32_t dims = 0;
    for (const char *p = text; dims < 3; p++) {
        char *end;
        if (*p < '0' || *p > '9') return 0;
        dim[dims] = strtoul(p, &end, 10);
        if (dim[dims] > LARGEST_INPUT) return LARGEST_INPUT + 1;
        size *= dim[dims++];
        if (size > LARGEST_INPUT) return LARGEST_INPUT + 1;
        p = end;
        if (*p != 'x') break;
    }
    if (dims == 2) dim[2] = dim[1], dim[1] = dim[0], dim[0] = 1;
    if (dims == 3 && dim[2] < dim[0]) {
        const uint64_t channels = dim[2];
        dim[2] = dim[1], dim[1] = dim[0], dim[0] = channels;
    }
    *out = (rheo_shape){{1, 1, 1, 1}};
    for (int d = 0; d < 3; d++)
        if (dim[d]) out->dim[d] = (uint32_t)dim[d];
    return size;
}

/* The notation's first size is the input's; `out` has no meaning without data. */
rheo_status rheo_net_parse(rheo_context *ctx, const char *notation, const rheo_net_options *options,
                           rheo_net **out)
{
    rheo_shape shape;
    const uint64_t size = read_shape(notation, &shape);
    RHEO_CHECK(ctx, size <= LARGEST_INPUT, RHEO_SHAPE, "net '%s': the input is too large",
               notation);
    RHEO_CHECK(ctx, size > 0, RHEO_USAGE,
               "net '%s': expected the input's size first, e.g. 784-1000-10 or 28x28-12c5-2m-10",
               notation);
    rheo_doc *net = NULL, *neuron = NULL;
    rheo_status status = front_docs(ctx, notation, options, &net, &neuron);
    if (!status) {
        rheo_net_request request = {.net = net,
                                    .neuron = neuron,
                                    .in = shape,
                                    .classes = 0,
                                    .dt = 1.0,
                                    .seed = rheo_seed(ctx),
                                    .file = "net"};
        status = rheo__net_build(ctx, &request, out);
    }
    rheo__doc_free(ctx, net);
    rheo__doc_free(ctx, neuron);
    return status;
}
