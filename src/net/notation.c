/* notation.c: the literature's notation, "784-1000-10", as a list of layers.
 *
 * The first size is the input (or `in`), every further one a dense layer with its population, `out` is
 * the number of classes; `d0.5` before a layer is dropout of its input, `b` after a size is batch
 * normalisation between the weights and the neurons. Images as input are written 28x28 or 1x28x28.
 * Convolution, pooling and recurrence have their letters in the notation but no layer yet: they are
 * refused by name. */
#include "net/net.h"
#include <ctype.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

static rheo_status item(rheo_context *ctx, rheo_doc *list, const char *kind, const char *name,
                        const char *key, const char *value)
{
    rheo_doc *entry = NULL, *map = NULL, *text = NULL;
    RHEO_TRY(rheo__doc_new(ctx, RHEO_MAP, NULL, NULL, 0, &entry));
    rheo__doc_append(list, entry);
    RHEO_TRY(rheo__doc_new(ctx, RHEO_MAP, kind, NULL, 0, &map));
    rheo__doc_append(entry, map);
    RHEO_TRY(rheo__doc_new(ctx, RHEO_SCALAR, "name", name, 0, &text));
    rheo__doc_append(map, text);
    if (!key) return RHEO_OK;
    RHEO_TRY(rheo__doc_new(ctx, RHEO_SCALAR, key, value, 0, &text));
    rheo__doc_append(map, text);
    return RHEO_OK;
}

static rheo_status refuse(rheo_context *ctx, const char *where, const char *token)
{
    static const struct {
        char letter;
        const char *what;
    } later[] = {{'c', "convolution"}, {'m', "max pooling"}, {'a', "average pooling"},
                 {'s', "sum pooling"}, {'r', "recurrence"},  {'p', "padding"}};
    for (size_t i = 0; i < sizeof later / sizeof *later; i++)
        if (strchr(token, later[i].letter) && isdigit((unsigned char)token[0]))
            return rheo__fail(ctx, RHEO_UNSUPPORTED,
                              "%s: '%s' asks for %s, which this version does not have; expected "
                              "dense layers: sizes, 'd' dropout, 'b' batch normalisation",
                              where, token, later[i].what);
    return rheo__fail(ctx, RHEO_USAGE,
                      "%s: cannot read '%s' in the net; expected sizes joined by '-', e.g. "
                      "784-1000-10 or in-1000-out",
                      where, token);
}

/* One token after the first; *layer counts weight layers. */
static rheo_status add_token(rheo_context *ctx, const char *token, const char *where,
                             uint32_t *layer, rheo_doc *list)
{
    char name[16];
    snprintf(name, sizeof name, "%u", *layer + 1);
    if (token[0] == 'd') {
        char *end;
        double rate = strtod(token + 1, &end);
        if (*end || end == token + 1 || !(rate >= 0 && rate < 1)) return refuse(ctx, where, token);
        return item(ctx, list, "dropout", name, "rate", token + 1);
    }
    char size[16];
    size_t digits = strspn(token, "0123456789");
    bool classes = !strncmp(token, "out", 3);
    if (classes) digits = 3;
    if (digits == 0 || digits >= sizeof size) return refuse(ctx, where, token);
    memcpy(size, token, digits);
    size[digits] = 0;
    const char *rest = token + digits;
    if (strcmp(rest, "") != 0 && strcmp(rest, "b") != 0) return refuse(ctx, where, token);
    (*layer)++;
    RHEO_TRY(item(ctx, list, "dense", name, "out", size));
    if (*rest) RHEO_TRY(item(ctx, list, "norm", name, NULL, NULL));
    return item(ctx, list, "neuron", name, NULL, NULL);
}

static rheo_status parse(rheo_context *ctx, const char *text, const char *where, rheo_doc *list)
{
    char buffer[1024];
    RHEO_CHECK(ctx, strlen(text) < sizeof buffer, RHEO_USAGE, "%s: the net's text is longer than %zu",
               where, sizeof buffer - 1);
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
        RHEO_TRY(item(ctx, list, "input", "input", "size", token));
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

/* The notation's first size is the input's; `out` has no meaning without data. */
rheo_status rheo_net_parse(rheo_context *ctx, const char *notation, const rheo_net_options *options,
                           rheo_net **out)
{
    uint64_t size = 1;
    const char *p = notation;
    while (*p >= '0' && *p <= '9') {
        char *end;
        size *= strtoul(p, &end, 10);
        RHEO_CHECK(ctx, size <= 1u << 28, RHEO_SHAPE, "net '%s': the input is too large", notation);
        p = *end == 'x' ? end + 1 : end;
    }
    RHEO_CHECK(ctx, p > notation && size > 0, RHEO_USAGE,
               "net '%s': expected the input's size first, e.g. 784-1000-10", notation);
    rheo_doc *net = NULL, *neuron = NULL;
    rheo_status status = front_docs(ctx, notation, options, &net, &neuron);
    if (!status) {
        rheo_net_request request = {.net = net,
                                    .neuron = neuron,
                                    .in = {{(uint32_t)size, 1, 1, 1}},
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
