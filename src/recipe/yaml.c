/* yaml.c: YAML text to a rheo_doc, by libyaml's events.
 *
 * A recipe needs maps, lists, scalars and comments; what makes YAML hard to trust is refused with
 * its line: anchors, aliases, tags, several documents, keys that are no scalars, a key twice. Sizes
 * are bounded before anything grows: 1 MiB of text, depth 32, 65,536 nodes, 1,024 entries a map or
 * list. */
#include "recipe/schema.h"
#include <string.h>
#include <yaml.h>

#define DEPTH   32
#define NODES   65536
#define ENTRIES 1024

typedef struct frame { /* an open map or list */
    rheo_doc *doc, *last;
    uint32_t count;
    char *key; /* of a map: read, its value not yet */
    uint32_t key_line;
} frame;

typedef struct reader {
    rheo_context *ctx;
    const char *file;
    yaml_parser_t parser;
    rheo_doc *root;
    frame stack[DEPTH];
    uint32_t depth, nodes, documents;
    bool end;
} reader;

static uint32_t line_of(const yaml_event_t *event)
{
    return (uint32_t)event->start_mark.line + 1;
}

#define REFUSE(r, line, ...) rheo__refuse((r)->ctx, (r)->file, (line), __VA_ARGS__)

static rheo_status parser_error(const reader *r)
{
    const yaml_parser_t *p = &r->parser;
    if (p->error == YAML_MEMORY_ERROR)
        return rheo__fail(r->ctx, RHEO_MEMORY, "out of memory while reading %s", r->file);
    const char *problem = p->problem ? p->problem : "not YAML";
    if (p->error == YAML_READER_ERROR)
        return rheo__fail(r->ctx, RHEO_USAGE, "%s: byte %zu: %s; expected text in UTF-8", r->file,
                          p->problem_offset, problem);
    return REFUSE(r, (uint32_t)p->problem_mark.line + 1, "not YAML: %s%s%s", problem,
                  p->context ? ", " : "", p->context ? p->context : "");
}

static rheo_status take_key(reader *r, frame *top, const char *text, uint32_t line)
{
    for (const rheo_doc *entry = top->doc->child; entry; entry = entry->next)
        if (!strcmp(entry->key, text))
            return REFUSE(r, line, "'%.64s' stands twice in one map, first in line %u", text,
                          entry->line);
    top->key_line = line;
    return rheo__strdup(r->ctx, text, &top->key);
}

/* Puts a new node where the document stands; *out is borrowed. */
static rheo_status add(reader *r, rheo_doc_kind kind, const char *text, uint32_t line,
                       rheo_doc **out)
{
    if (++r->nodes > NODES) return REFUSE(r, line, "more than %d values in one file", NODES);
    frame *top = r->depth ? &r->stack[r->depth - 1] : NULL;
    if (!top) {
        RHEO_TRY(rheo__doc_new(r->ctx, kind, NULL, text, line, &r->root));
        *out = r->root;
        return RHEO_OK;
    }
    if (++top->count > ENTRIES)
        return REFUSE(r, line, "more than %d entries in one map or list", ENTRIES);
    if (top->key) line = top->key_line;
    RHEO_TRY(rheo__doc_new(r->ctx, kind, top->key, text, line, out));
    rheo__release(r->ctx, top->key);
    top->key = NULL;
    if (top->last)
        top->last->next = *out;
    else
        top->doc->child = *out;
    top->last = *out;
    return RHEO_OK;
}

static rheo_status on_scalar(reader *r, const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    uint32_t line = line_of(event);
    if (strlen(text) != event->data.scalar.length) return REFUSE(r, line, "a zero byte in a text");
    frame *top = r->depth ? &r->stack[r->depth - 1] : NULL;
    if (top && top->doc->kind == RHEO_MAP && !top->key) return take_key(r, top, text, line);
    rheo_doc *doc = NULL;
    RHEO_TRY(add(r, RHEO_SCALAR, text, line, &doc));
    doc->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    return RHEO_OK;
}

static rheo_status on_open(reader *r, const yaml_event_t *event)
{
    bool map = event->type == YAML_MAPPING_START_EVENT;
    uint32_t line = line_of(event);
    frame *top = r->depth ? &r->stack[r->depth - 1] : NULL;
    if (top && top->doc->kind == RHEO_MAP && !top->key)
        return REFUSE(r, line, "a %s as a key; expected a name", map ? "map" : "list");
    if (r->depth == DEPTH) return REFUSE(r, line, "maps and lists nested deeper than %d", DEPTH);
    rheo_doc *doc = NULL;
    RHEO_TRY(add(r, map ? RHEO_MAP : RHEO_LIST, NULL, line, &doc));
    r->stack[r->depth++] = (frame){.doc = doc};
    return RHEO_OK;
}

/* An anchor or a tag on a scalar, list or map; NULL: neither. */
static const char *extra(const yaml_event_t *event)
{
    const yaml_char_t *anchor = NULL, *tag = NULL;
    if (event->type == YAML_SCALAR_EVENT) {
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
    }
    return anchor ? "an anchor (&)" : tag ? "a tag (!)" : NULL;
}

static rheo_status on_event(reader *r, const yaml_event_t *event)
{
    const char *more = extra(event);
    if (more)
        return REFUSE(r, line_of(event), "%s is not understood here; write the value itself", more);
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return REFUSE(r, line_of(event),
                      "an alias (*) is not understood here; write the value itself");
    case YAML_DOCUMENT_START_EVENT:
        if (++r->documents > 1)
            return REFUSE(r, line_of(event), "a second document; expected one a file");
        return RHEO_OK;
    case YAML_SCALAR_EVENT:
        return on_scalar(r, event);
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
        return on_open(r, event);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        r->depth--;
        return RHEO_OK;
    case YAML_STREAM_END_EVENT:
        r->end = true;
        return RHEO_OK;
    default:
        return RHEO_OK;
    }
}

static rheo_status read_all(reader *r)
{
    while (!r->end) {
        yaml_event_t event;
        if (!yaml_parser_parse(&r->parser, &event)) return parser_error(r);
        rheo_status status = on_event(r, &event);
        yaml_event_delete(&event);
        if (status) return status;
    }
    RHEO_CHECK(r->ctx, r->root, RHEO_USAGE, "%s: nothing but space and comments; expected a map",
               r->file);
    return RHEO_OK;
}

rheo_status rheo__yaml_parse(rheo_context *ctx, const char *file, const char *text, size_t size,
                             rheo_doc **out)
{
    RHEO_CHECK(ctx, size <= RHEO_RECIPE_BYTES, RHEO_USAGE,
               "%s: %zu bytes; expected a recipe of at most %d", file, size, RHEO_RECIPE_BYTES);
    reader *r = NULL;
    RHEO_TRY(rheo__alloc(ctx, 1, sizeof *r, "a YAML reader", &r));
    r->ctx = ctx;
    r->file = file;
    rheo_status status = RHEO_OK;
    if (yaml_parser_initialize(&r->parser)) {
        yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&r->parser, (const unsigned char *)text, size);
        status = read_all(r);
        yaml_parser_delete(&r->parser);
    } else
        status = rheo__fail(ctx, RHEO_MEMORY, "out of memory while reading %s", file);
    for (uint32_t d = 0; d < r->depth; d++) rheo__release(ctx, r->stack[d].key);
    if (status)
        rheo__doc_free(ctx, r->root);
    else
        *out = r->root;
    rheo__release(ctx, r);
    return status;
}
