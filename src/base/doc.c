/* doc.c: the tree itself: building, finding, changing, comparing, reading options.
 * Its text form is in base/doc_write.c. */
#include "base/doc.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { SEGMENT = 128 }; /* longest part of a path, with its 0 */

static const char *const kind_names[] = {"a scalar", "a list", "a map"};

rheo_status rheo__doc_new(rheo_context *ctx, rheo_doc_kind kind, const char *key, const char *text,
                          uint32_t line, rheo_doc **out)
{
    rheo_doc *doc;
    rheo_status status = RHEO_OK;
    RHEO_TRY(rheo__alloc(ctx, 1, sizeof *doc, "a document", &doc));
    doc->kind = kind;
    doc->line = line;
    if (key) status = rheo__strdup(ctx, key, &doc->key);
    if (kind == RHEO_SCALAR && status == RHEO_OK)
        status = rheo__strdup(ctx, text ? text : "", &doc->text);
    if (status != RHEO_OK) {
        rheo__doc_free(ctx, doc);
        return status;
    }
    *out = doc;
    return RHEO_OK;
}

void rheo__doc_free(rheo_context *ctx, rheo_doc *doc)
{
    if (!doc) return;
    for (rheo_doc *child = doc->child, *next; child; child = next) {
        next = child->next;
        rheo__doc_free(ctx, child);
    }
    rheo__release(ctx, doc->key);
    rheo__release(ctx, doc->text);
    rheo__release(ctx, doc);
}

rheo_status rheo__doc_clone(rheo_context *ctx, const rheo_doc *doc, rheo_doc **out)
{
    rheo_doc *copy;
    RHEO_TRY(rheo__doc_new(ctx, doc->kind, doc->key, doc->text, doc->line, &copy));
    copy->quoted = doc->quoted;
    rheo_doc **end = &copy->child;
    for (const rheo_doc *child = doc->child; child; child = child->next) {
        rheo_status status = rheo__doc_clone(ctx, child, end);
        if (status != RHEO_OK) {
            rheo__doc_free(ctx, copy);
            return status;
        }
        end = &(*end)->next;
    }
    *out = copy;
    return RHEO_OK;
}

void rheo__doc_append(rheo_doc *parent, rheo_doc *child)
{
    rheo_doc **end = &parent->child;
    while (*end) end = &(*end)->next;
    *end = child;
}

/* The place that holds a map's entry, or that would hold it: the end of the list. */
static rheo_doc **slot_of_key(rheo_doc *map, const char *key)
{
    rheo_doc **slot = &map->child;
    while (*slot && strcmp((*slot)->key ? (*slot)->key : "", key) != 0) slot = &(*slot)->next;
    return slot;
}

const rheo_doc *rheo__doc_get(const rheo_doc *map, const char *key)
{
    if (!map || map->kind != RHEO_MAP) return NULL;
    const rheo_doc *child = map->child;
    while (child && (!child->key || strcmp(child->key, key) != 0)) child = child->next;
    return child;
}

const rheo_doc *rheo__doc_at(const rheo_doc *list, uint32_t index)
{
    const rheo_doc *child = list ? list->child : NULL;
    while (child && index-- > 0) child = child->next;
    return child;
}

uint32_t rheo__doc_count(const rheo_doc *doc)
{
    uint32_t count = 0;
    for (const rheo_doc *child = doc ? doc->child : NULL; child; child = child->next) count++;
    return count;
}

const char *rheo__doc_text(const rheo_doc *map, const char *key, const char *absent)
{
    const rheo_doc *child = rheo__doc_get(map, key);
    return child && child->kind == RHEO_SCALAR ? child->text : absent;
}

/* Cuts the next part off a path; false when it is empty, too long, or before a last point. */
static bool next_part(const char **path, char part[SEGMENT])
{
    size_t size = strcspn(*path, ".");
    if (size == 0 || size >= SEGMENT || strcmp(*path + size, ".") == 0) return false;
    memcpy(part, *path, size);
    part[size] = '\0';
    *path += size + ((*path)[size] == '.');
    return true;
}

/* "12", not more than six digits: an index of a list; -1 otherwise. */
static long index_of(const char *part)
{
    size_t size = strlen(part);
    long index = 0;
    if (size > 6) return -1;
    for (size_t i = 0; i < size; i++) {
        if (!isdigit((unsigned char)part[i])) return -1;
        index = index * 10 + (part[i] - '0');
    }
    return index;
}

const rheo_doc *rheo__doc_find(const rheo_doc *root, const char *path)
{
    char part[SEGMENT];
    while (root && *path) {
        if (!next_part(&path, part)) return NULL;
        long index = index_of(part);
        if (root->kind == RHEO_MAP)
            root = rheo__doc_get(root, part);
        else
            root = index >= 0 ? rheo__doc_at(root, (uint32_t)index) : NULL;
    }
    return root;
}

/* The slot below doc that `part` names; in a map it may be the empty one at the end. */
static rheo_status slot_of_part(rheo_context *ctx, rheo_doc *doc, const char *part,
                                const char *path, rheo_doc ***slot)
{
    if (doc->kind == RHEO_MAP) {
        *slot = slot_of_key(doc, part);
        return RHEO_OK;
    }
    RHEO_CHECK(ctx, doc->kind == RHEO_LIST, RHEO_USAGE,
               "cannot set '%s': what is before '%s' is the value '%s', not a map or a list", path,
               part, doc->text);
    long index = index_of(part);
    uint32_t count = rheo__doc_count(doc);
    RHEO_CHECK(ctx, index >= 0 && index < (long)count, RHEO_USAGE,
               "cannot set '%s': '%s' stands before a list of %u, expected a number below %u", path,
               part, count, count);
    rheo_doc **place = &doc->child;
    while (index-- > 0) place = &(*place)->next;
    *slot = place;
    return RHEO_OK;
}

static void replace(rheo_context *ctx, rheo_doc **slot, rheo_doc *value)
{
    rheo_doc *old = *slot;
    value->next = old ? old->next : NULL;
    *slot = value;
    rheo__doc_free(ctx, old);
}

rheo_status rheo__doc_set(rheo_context *ctx, rheo_doc *root, const char *path, rheo_doc *value)
{
    const char *rest = path;
    char part[SEGMENT];
    rheo_doc *doc = root, **slot = NULL;
    for (;;) {
        RHEO_CHECK(
            ctx, next_part(&rest, part), RHEO_USAGE,
            "'%s' is not a path; expected names with points between them, as in learn.0.rate",
            path);
        RHEO_TRY(slot_of_part(ctx, doc, part, path, &slot));
        if (!*rest) break;
        if (!*slot) RHEO_TRY(rheo__doc_new(ctx, RHEO_MAP, part, NULL, 0, slot));
        doc = *slot;
    }
    char *key = NULL;
    if (doc->kind == RHEO_MAP) RHEO_TRY(rheo__strdup(ctx, part, &key));
    rheo__release(ctx, value->key);
    value->key = key;
    replace(ctx, slot, value);
    return RHEO_OK;
}

rheo_status rheo__doc_merge(rheo_context *ctx, rheo_doc *base, const rheo_doc *over)
{
    for (const rheo_doc *child = over->child; child; child = child->next) {
        rheo_doc **slot = slot_of_key(base, child->key), *copy;
        if (*slot && (*slot)->kind == RHEO_MAP && child->kind == RHEO_MAP) {
            RHEO_TRY(rheo__doc_merge(ctx, *slot, child));
            continue;
        }
        RHEO_TRY(rheo__doc_clone(ctx, child, &copy));
        replace(ctx, slot, copy);
    }
    return RHEO_OK;
}

bool rheo__doc_equal(const rheo_doc *a, const rheo_doc *b)
{
    if (!a || !b || a->kind != b->kind) return a == b;
    if (a->kind == RHEO_SCALAR) return strcmp(a->text, b->text) == 0;
    if (rheo__doc_count(a) != rheo__doc_count(b)) return false;
    const rheo_doc *x = a->child, *y = b->child;
    for (; x; x = x->next, y = y->next) {
        const rheo_doc *other = a->kind == RHEO_MAP ? rheo__doc_get(b, x->key) : y;
        if (!rheo__doc_equal(x, other)) return false;
    }
    return true;
}

/* "recipe.yaml:12", "recipe.yaml" when nobody knows the line, "" without a file */
static void place_of(const rheo_doc *doc, const char *file, char *out, size_t size)
{
    if (file && doc->line)
        snprintf(out, size, "%s:%u: ", file, doc->line);
    else
        snprintf(out, size, "%s%s", file ? file : "", file ? ": " : "");
}

static bool skipped(const char *const *skip, const char *key)
{
    for (; skip && *skip; skip++)
        if (strcmp(*skip, key) == 0) return true;
    return false;
}

static rheo_status unknown_key(rheo_context *ctx, const rheo_doc *entry, const rheo_field *fields,
                               const char *const *skip, const char *where, const char *place)
{
    const char *names[2 * RHEO_OPTIONS_MAX + 1] = {NULL};
    char list[512] = "";
    size_t count = 0;
    for (; fields->name && count < RHEO_OPTIONS_MAX; fields++) names[count++] = fields->name;
    for (; skip && *skip && count < 2 * RHEO_OPTIONS_MAX; skip++) names[count++] = *skip;
    const char *near = rheo__nearest(entry->key, names);
    if (near)
        return rheo__fail(ctx, RHEO_USAGE, "%sunknown key '%.64s' in %s; did you mean '%s'?", place,
                          entry->key, where, near);
    for (size_t i = 0; i < count; i++) {
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", names[i]);
    }
    return rheo__fail(ctx, RHEO_USAGE, "%sunknown key '%.64s' in %s, expected %s%s", place,
                      entry->key, where, count ? "one of " : "none", list);
}

rheo_status rheo__doc_options(rheo_context *ctx, const rheo_doc *map, const rheo_field *fields,
                              const char *const *skip, const char *where, const char *file,
                              rheo_options *options)
{
    char place[384], prefix[512];
    if (!map) return RHEO_OK;
    if (map->kind == RHEO_SCALAR && !*map->text && !map->quoted) return RHEO_OK;
    place_of(map, file, place, sizeof place);
    RHEO_CHECK(ctx, map->kind == RHEO_MAP, RHEO_USAGE, "%s%s is %s, expected a map", place, where,
               kind_names[map->kind]);
    rheo_options values = *options;
    for (const rheo_doc *entry = map->child; entry; entry = entry->next) {
        int index = rheo__field_index(fields, entry->key);
        if (index < 0 && skipped(skip, entry->key)) continue;
        place_of(entry, file, place, sizeof place);
        if (index < 0 || index >= RHEO_OPTIONS_MAX)
            return unknown_key(ctx, entry, fields, skip, where, place);
        RHEO_CHECK(ctx, entry->kind == RHEO_SCALAR, RHEO_USAGE,
                   "%s%s: %s is %s, expected one value", place, where, entry->key,
                   kind_names[entry->kind]);
        snprintf(prefix, sizeof prefix, "%s%s", place, where);
        RHEO_TRY(rheo__field_parse(ctx, &fields[index], entry->text, prefix, &values.v[index]));
    }
    *options = values;
    return RHEO_OK;
}
