/* section.c: reading one section of a recipe and writing it anew: messages with file and line,
 * kinds, fields by their tables. */
#include "recipe/section.h"
#include <stdio.h>
#include <string.h>

rheo_status rheo__refuse(rheo_context *ctx, const char *file, uint32_t line, const char *format,
                         ...)
{
    char text[768];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (line == 0) return rheo__fail(ctx, RHEO_USAGE, "%s: %s", file, text);
    return rheo__fail(ctx, RHEO_USAGE, "%s:%u: %s", file, line, text);
}

rheo_status rheo__unknown(rheo_context *ctx, const char *file, uint32_t line, const char *what,
                          const char *found, const char *where, const char *const *names)
{
    const char *near = rheo__nearest(found, names);
    if (near)
        return rheo__refuse(ctx, file, line, "unknown %s '%.64s'%s; did you mean '%s'?", what,
                            found, where, near);
    char list[512] = "";
    for (uint32_t i = 0; names[i]; i++) {
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", names[i]);
    }
    return rheo__refuse(ctx, file, line, "unknown %s '%.64s'%s, expected one of %s", what, found,
                        where, list);
}

static const char *kind_name(const rheo_doc *doc)
{
    static const char *const names[] = {"a single value", "a list", "a map"};
    return names[doc->kind];
}

rheo_status rheo__want(rheo_build *b, const rheo_doc *doc, rheo_doc_kind kind, const char *where)
{
    static const char *const names[] = {"a single value", "a list, e.g. [a, b]",
                                        "a map, e.g. {key: value}"};
    if (doc->kind == kind) return RHEO_OK;
    return REFUSE(b, doc, "%s is %s, expected %s", where, kind_name(doc), names[kind]);
}

rheo_status rheo__open_section(rheo_build *b, rheo_doc *to, const rheo_doc *from, const char *key,
                               rheo_doc_kind kind, rheo_doc **out)
{
    RHEO_TRY(rheo__doc_new(b->ctx, kind, key, NULL, from ? from->line : 0, out));
    rheo__doc_append(to, *out);
    return RHEO_OK;
}

/* from: whose line it keeps, NULL: none */
rheo_status rheo__put(rheo_build *b, rheo_doc *to, const rheo_doc *from, const char *key,
                      const char *text, bool quoted)
{
    rheo_doc *value = NULL;
    RHEO_TRY(rheo__doc_new(b->ctx, RHEO_SCALAR, key, text, from ? from->line : 0, &value));
    value->quoted = quoted;
    rheo__doc_append(to, value);
    return RHEO_OK;
}

rheo_status rheo__put_clone(rheo_build *b, const rheo_doc *from, rheo_doc **out)
{
    RHEO_TRY(rheo__doc_clone(b->ctx, from, out));
    (*out)->next = NULL;
    rheo__doc_append(b->root, *out);
    return RHEO_OK;
}

/* Reads the fields of a section (from may be NULL) and writes all of them. */
rheo_status rheo__take_fields(rheo_build *b, const rheo_doc *from, const rheo_field *fields,
                              const char *const *skip, const char *where, rheo_doc *to,
                              rheo_options *values)
{
    *values = rheo__field_defaults(fields);
    if (from) RHEO_TRY(rheo__doc_options(b->ctx, from, fields, skip, where, b->file, values));
    for (uint32_t i = 0; fields[i].name; i++) {
        char text[64];
        rheo__field_print(&fields[i], values->v[i], text);
        const rheo_doc *was = from ? rheo__doc_get(from, fields[i].name) : NULL;
        const bool expression = fields[i].type == RHEO_CHOICE && fields[i].max == 1 && was &&
                                !fields[i].choices[(int)values->v[i] + 1];
        RHEO_TRY(rheo__put(b, to, was ? was : from, fields[i].name, expression ? was->text : text,
                           expression));
    }
    return RHEO_OK;
}

rheo_status rheo__take_number(rheo_build *b, const rheo_doc *value, const rheo_field *field,
                              const char *where, double *out)
{
    char place[320];
    RHEO_TRY(rheo__want(b, value, RHEO_SCALAR, where));
    if (value->line)
        snprintf(place, sizeof place, "%s:%u: %s", b->file, value->line, where);
    else
        snprintf(place, sizeof place, "%s: %s", b->file, where);
    return rheo__field_parse(b->ctx, field, value->text, place, out);
}

/* A name that a section chooses by: text, or the default when absent; *line for messages. */
rheo_status rheo__take_choice(rheo_build *b, const rheo_doc *map, const char *key,
                              const char *absent, const char *where, const char **text,
                              uint32_t *line)
{
    const rheo_doc *value = map ? rheo__doc_get(map, key) : NULL;
    *line = value ? value->line : map ? map->line : 0;
    *text = absent;
    if (!value) {
        if (absent) return RHEO_OK;
        return rheo__refuse(b->ctx, b->file, *line, "%s has no key '%s'", where, key);
    }
    char name[128];
    snprintf(name, sizeof name, "%s.%s", where, key);
    RHEO_TRY(rheo__want(b, value, RHEO_SCALAR, name));
    *text = value->text;
    return RHEO_OK;
}
