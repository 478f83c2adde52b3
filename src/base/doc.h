/* doc.h: a tree of maps, lists and scalars with line numbers: what a recipe is before anybody
 * understands it. Read by recipe/yaml.c (libyaml), built by hand in tests and by the notation. */
#ifndef RHEO_SRC_DOC_H
#define RHEO_SRC_DOC_H
#include "base/field.h"
#include "base/text.h"

typedef enum { RHEO_SCALAR, RHEO_LIST, RHEO_MAP } rheo_doc_kind;

typedef struct rheo_doc {
    rheo_doc_kind kind;
    char *key;  /* in a map, else NULL */
    char *text; /* of a scalar, else NULL */
    bool quoted;
    uint32_t line; /* 0: made by hand or by --set */
    struct rheo_doc *child, *next;
} rheo_doc;

rheo_status rheo__doc_new(rheo_context *ctx, rheo_doc_kind kind, const char *key, const char *text,
                          uint32_t line, rheo_doc **out);
void rheo__doc_free(rheo_context *ctx, rheo_doc *doc);
rheo_status rheo__doc_clone(rheo_context *ctx, const rheo_doc *doc, rheo_doc **out);
void rheo__doc_append(rheo_doc *parent, rheo_doc *child);
const rheo_doc *rheo__doc_get(const rheo_doc *map, const char *key); /* NULL when absent */
const rheo_doc *rheo__doc_at(const rheo_doc *list, uint32_t index);
uint32_t rheo__doc_count(const rheo_doc *doc); /* children */
const char *rheo__doc_text(const rheo_doc *map, const char *key, const char *absent);
/* "learn.0.rate": a number indexes a list. Makes maps on the way; replaces what is there. value is
 * taken (owned by the tree afterwards); on failure it stays the caller's. RHEO_USAGE when the path
 * crosses a scalar or leaves a list. */
rheo_status rheo__doc_set(rheo_context *ctx, rheo_doc *root, const char *path, rheo_doc *value);
const rheo_doc *rheo__doc_find(const rheo_doc *root, const char *path);
/* Lays the maps of `over` on `base`, key by key; lists and scalars are replaced. */
rheo_status rheo__doc_merge(rheo_context *ctx, rheo_doc *base, const rheo_doc *over);
/* The order of a map's keys does not count. */
bool rheo__doc_equal(const rheo_doc *a, const rheo_doc *b);
/* Canonical YAML (block style, two spaces, scalars quoted only where needed). */
void rheo__doc_write(const rheo_doc *doc, rheo_text *out);

/* Reads a map's entries by a table: unknown keys are refused with the nearest name and the line,
 * ranges are checked, absent keys keep the value in *options (fill with defaults first). Keys in
 * `skip` (NULL-terminated, may be NULL) are left to the caller. file names the recipe. */
rheo_status rheo__doc_options(rheo_context *ctx, const rheo_doc *map, const rheo_field *fields,
                              const char *const *skip, const char *where, const char *file,
                              rheo_options *options);
#endif
