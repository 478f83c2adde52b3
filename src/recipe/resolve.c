/* resolve.c: from a parsed document to a recipe: the file's keys, over them those of `small` or
 * `full`, over them the --set options in their order; then the schema. What results is complete:
 * it names its size, its seed and its options, and reads back to itself. */
#include "recipe/schema.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH 256
#define SETS 64

static const char *const size_names[] = {"small", "full", NULL};

static rheo_doc *find(rheo_doc *root, const char *path)
{
    return (rheo_doc *)(uintptr_t)rheo__doc_find(root, path); /* the tree is ours */
}

/* `learn` may be one map or a list: "learn.rate" means the only phase of a list, "learn.0.rate" the
 * map when there is no list. */
static rheo_status plain_path(rheo_context *ctx, const rheo_doc *root, const char *path,
                              const char *where, char out[PATH])
{
    RHEO_CHECK(ctx, strlen(path) + 3 < PATH, RHEO_USAGE, "%s: '%.64s…' is too long for a key",
               where, path);
    strcpy(out, path);
    const rheo_doc *learn = rheo__doc_get(root, "learn");
    if (!learn || strncmp(path, "learn.", 6) != 0) return RHEO_OK;
    const char *rest = path + 6;
    size_t digits = strspn(rest, "0123456789");
    bool index = digits > 0 && (rest[digits] == '.' || rest[digits] == '\0');
    if (learn->kind == RHEO_MAP && index && rest[0] == '0' && digits == 1 && rest[1])
        snprintf(out, PATH, "learn.%s", rest + 2);
    if (learn->kind != RHEO_LIST || index) return RHEO_OK;
    uint32_t phases = rheo__doc_count(learn);
    RHEO_CHECK(ctx, phases == 1, RHEO_USAGE, "%s: learn has %u phases; say which, e.g. learn.0.%s",
               where, phases, rest);
    snprintf(out, PATH, "learn.0.%s", rest);
    return RHEO_OK;
}

/* Puts a copy of value at path; over: maps are laid over what is there. */
static rheo_status apply(rheo_context *ctx, rheo_doc *root, const char *path, const rheo_doc *value,
                         bool over, const char *where)
{
    char plain[PATH];
    rheo_doc *copy = NULL;
    RHEO_TRY(plain_path(ctx, root, path, where, plain));
    rheo_doc *there = find(root, plain);
    if (over && !strcmp(plain, "learn") && there && there->kind == RHEO_LIST &&
        value->kind == RHEO_MAP) {
        RHEO_CHECK(ctx, rheo__doc_count(there) == 1, RHEO_USAGE,
                   "%s: learn has %u phases; say which, e.g. learn.0: {…}", where,
                   rheo__doc_count(there));
        there = there->child;
    }
    if (over && there && there->kind == RHEO_MAP && value->kind == RHEO_MAP)
        return rheo__doc_merge(ctx, there, value);
    RHEO_TRY(rheo__doc_clone(ctx, value, &copy));
    copy->next = NULL;
    rheo_status status = rheo__doc_set(ctx, root, plain, copy);
    if (!status) return RHEO_OK;
    rheo__doc_free(ctx, copy);
    return rheo__blame(ctx, status, "%s", where);
}

static rheo_status put_scalar(rheo_context *ctx, rheo_doc *root, const char *key, const char *text)
{
    rheo_doc *value = NULL;
    RHEO_TRY(rheo__doc_new(ctx, RHEO_SCALAR, key, text, 0, &value));
    rheo__doc_drop(ctx, root, key);
    rheo__doc_append(root, value);
    return RHEO_OK;
}

/* ---- small, full ---- */

static rheo_status check_size(rheo_context *ctx, const char *file, const rheo_doc *root,
                              const char *asked, const char **size)
{
    const rheo_doc *said = rheo__doc_get(root, "size");
    const char *text = said && said->kind == RHEO_SCALAR ? said->text : NULL;
    *size = asked ? asked : text ? text : "full";
    bool known = false;
    for (uint32_t i = 0; size_names[i]; i++) known = known || !strcmp(size_names[i], *size);
    if (!known)
        return rheo__unknown(ctx, file, said ? said->line : 0, "size", *size, "", size_names);
    if (text && strcmp(text, *size) != 0)
        return rheo__refuse(ctx, file, said->line,
                            "this is a complete recipe of size '%s', '%s' "
                            "was asked for; take the recipe that it was made from",
                            text, *size);
    if (!text && !strcmp(*size, "small") && !rheo__doc_get(root, "small"))
        return rheo__refuse(ctx, file, 0,
                            "the recipe has no small size; give it a key `small` "
                            "or leave the size out");
    return RHEO_OK;
}

static rheo_status apply_size(rheo_context *ctx, const char *file, rheo_doc *root, const char *size)
{
    rheo_doc *before = NULL;
    for (uint32_t i = 0; size_names[i]; i++) {
        const rheo_doc *over = rheo__doc_get(root, size_names[i]);
        if (over && over->kind != RHEO_MAP)
            return rheo__refuse(ctx, file, over->line,
                                "%s is not a map, expected keys of the recipe "
                                "with their values at this size",
                                size_names[i]);
    }
    RHEO_TRY(rheo__doc_clone(ctx, root, &before));
    const rheo_doc *over = rheo__doc_get(before, size);
    rheo_status status = RHEO_OK;
    for (const rheo_doc *entry = over ? over->child : NULL; entry && !status; entry = entry->next) {
        char where[PATH];
        snprintf(where, sizeof where, "%s:%u: %s", file, entry->line, size);
        status = apply(ctx, root, entry->key, entry, true, where);
    }
    rheo__doc_drop(ctx, root, "small");
    rheo__doc_drop(ctx, root, "full");
    rheo__prune(ctx, before, root);
    rheo__doc_free(ctx, before);
    return status;
}

/* ---- --set ---- */

static void forget_lines(rheo_doc *doc)
{
    doc->line = 0;
    for (rheo_doc *child = doc->child; child; child = child->next) forget_lines(child);
}

static rheo_status set_one(rheo_context *ctx, rheo_doc *root, const char *option)
{
    static const char *const closed[] = {"size", "seed", "set", "small", "full", "variants", NULL};
    const char *equals = strchr(option, '=');
    char path[PATH], where[PATH + 16];
    RHEO_CHECK(ctx, equals && equals > option && equals[1], RHEO_USAGE,
               "--set %.200s: expected key.path=value, e.g. learn.rate=1e-3", option);
    RHEO_CHECK(ctx, equals - option < PATH, RHEO_USAGE, "--set %.64s…: too long for a key", option);
    memcpy(path, option, (size_t)(equals - option));
    path[equals - option] = 0;
    for (uint32_t i = 0; closed[i]; i++)
        RHEO_CHECK(ctx,
                   strncmp(path, closed[i], strlen(closed[i])) != 0 ||
                       (path[strlen(closed[i])] && path[strlen(closed[i])] != '.'),
                   RHEO_USAGE,
                   "--set %.200s: '%s' cannot be set; size and seed have options of "
                   "their own",
                   option, closed[i]);
    snprintf(where, sizeof where, "--set %s", path);
    rheo_doc *value = NULL;
    RHEO_TRY(rheo__yaml_parse(ctx, where, equals + 1, strlen(equals + 1), &value));
    forget_lines(value);
    rheo_status status = apply(ctx, root, path, value, false, where);
    rheo__doc_free(ctx, value);
    return status;
}

static bool same_key(const char *a, const char *b)
{
    size_t la = strcspn(a, "="), lb = strcspn(b, "=");
    return la == lb && !memcmp(a, b, la);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The options sorted, the last of each key: the list `set` of the complete recipe. */
static rheo_status note_set(rheo_context *ctx, const char *file, rheo_doc *root,
                            const char *const *options)
{
    const char *all[SETS];
    uint32_t count = 0;
    const rheo_doc *said = rheo__doc_get(root, "set");
    if (said && said->kind != RHEO_LIST)
        return rheo__refuse(ctx, file, said->line, "set is not a list");
    const rheo_doc *item = said ? said->child : NULL;
    while (item || (options && *options)) {
        const char *text = item ? (item->text ? item->text : "") : *options++;
        if (item) item = item->next;
        uint32_t at = 0;
        while (at < count && !same_key(all[at], text)) at++;
        RHEO_CHECK(ctx, at < SETS, RHEO_USAGE, "more than %d --set options; write a recipe", SETS);
        all[at] = text;
        count += at == count;
    }
    if (count == 0) return RHEO_OK;
    qsort(all, count, sizeof *all, by_text);
    rheo_doc *list = NULL;
    RHEO_TRY(rheo__doc_new(ctx, RHEO_LIST, "set", NULL, 0, &list));
    for (uint32_t i = 0; i < count; i++) {
        rheo_doc *text = NULL;
        rheo_status status = rheo__doc_new(ctx, RHEO_SCALAR, NULL, all[i], 0, &text);
        if (status) {
            rheo__doc_free(ctx, list);
            return status;
        }
        rheo__doc_append(list, text);
    }
    rheo__doc_drop(ctx, root, "set"); /* `all` points into it until here */
    rheo__doc_append(root, list);
    return RHEO_OK;
}

/* ---- the whole ---- */

static rheo_status complete(rheo_context *ctx, const rheo_doc *root, const char *file,
                            rheo_recipe **out)
{
    rheo_recipe *recipe = NULL;
    RHEO_TRY(rheo__alloc(ctx, 1, sizeof *recipe, "a recipe", &recipe));
    recipe->ctx = ctx;
    size_t length = strlen(file);
    size_t skip = length < sizeof recipe->file ? 0 : length - sizeof recipe->file + 1;
    memcpy(recipe->file, file + skip, length - skip + 1);
    rheo_status status = rheo__schema_complete(root, recipe);
    if (status)
        rheo_recipe_free(recipe);
    else
        *out = recipe;
    return status;
}

/* When the document is wrong only since the options were set, the message says so. */
static rheo_status blame_set(rheo_context *ctx, const rheo_doc *before, const char *file,
                             const char *const *set, rheo_status status)
{
    char text[sizeof ctx->error];
    rheo_recipe *without = NULL;
    memcpy(text, ctx->error, sizeof text);
    rheo_status earlier = complete(ctx, before, file, &without);
    if (earlier) return earlier;
    rheo_recipe_free(without);
    return rheo__fail(ctx, status, "--set %.200s%s: %s", set[0], set[1] ? " …" : "", text);
}

static rheo_status apply_options(rheo_context *ctx, rheo_doc *root, const char *file,
                                 const rheo_recipe_options *options, rheo_recipe **out)
{
    const char *const *set = options->set && options->set[0] ? options->set : NULL;
    rheo_doc *before = NULL;
    rheo_status status = RHEO_OK;
    if (set) RHEO_TRY(rheo__doc_clone(ctx, root, &before));
    for (uint32_t i = 0; set && set[i] && !status; i++) status = set_one(ctx, root, set[i]);
    if (set && !status) rheo__prune(ctx, before, root);
    if (!status) status = note_set(ctx, file, root, set);
    if (!status) {
        status = complete(ctx, root, file, out);
        if (status == RHEO_USAGE && set) status = blame_set(ctx, before, file, set, status);
    }
    rheo__doc_free(ctx, before);
    return status;
}

static rheo_status resolve(rheo_context *ctx, rheo_doc *root, const char *file,
                           const rheo_recipe_options *options, rheo_recipe **out)
{
    const char *size;
    if (root->kind != RHEO_MAP)
        return rheo__refuse(ctx, file, root->line, "a recipe is a map of keys, e.g. name: my-net");
    RHEO_TRY(check_size(ctx, file, root, options->size, &size));
    RHEO_TRY(apply_size(ctx, file, root, size));
    if (!rheo__doc_get(root, "size")) RHEO_TRY(put_scalar(ctx, root, "size", size));
    if (options->seed || !rheo__doc_get(root, "seed")) {
        char seed[24];
        uint64_t value = options->seed ? options->seed : rheo_seed(ctx);
        snprintf(seed, sizeof seed, "%llu", (unsigned long long)value);
        RHEO_TRY(put_scalar(ctx, root, "seed", seed));
    }
    return apply_options(ctx, root, file, options, out);
}

rheo_status rheo__recipe_resolve(rheo_context *ctx, rheo_doc *doc, const char *file,
                                 const rheo_recipe_options *options, rheo_recipe **out)
{
    static const rheo_recipe_options none = {0};
    rheo_recipe *recipe = NULL;
    rheo_status status = resolve(ctx, doc, file, options ? options : &none, &recipe);
    rheo__doc_free(ctx, doc);
    for (uint32_t i = 0; !status && i < recipe->variants; i++) { /* each must stand by itself */
        rheo_recipe *variant = NULL;
        status = rheo__recipe_variant(recipe, i, &variant);
        rheo_recipe_free(variant);
    }
    if (status)
        rheo_recipe_free(recipe);
    else
        *out = recipe;
    return status;
}

rheo_status rheo__recipe_from_text(rheo_context *ctx, const char *text, const char *file,
                                   rheo_recipe **out)
{
    rheo_doc *doc = NULL;
    RHEO_TRY(rheo__yaml_parse(ctx, file, text, strlen(text), &doc));
    return rheo__recipe_resolve(ctx, doc, file, NULL, out);
}

rheo_status rheo__recipe_variant(const rheo_recipe *recipe, uint32_t variant, rheo_recipe **out)
{
    static const char *const open[] = {"code", "net", "neuron", "learn", NULL};
    rheo_context *ctx = recipe->ctx;
    const rheo_doc *over = recipe->variant[variant];
    rheo_doc *root = NULL;
    rheo_status status = RHEO_OK;
    RHEO_TRY(rheo__doc_clone(ctx, recipe->doc, &root));
    rheo__doc_drop(ctx, root, "variants");
    for (const rheo_doc *entry = over->child; entry && !status; entry = entry->next) {
        char where[2 * PATH], top[PATH];
        snprintf(where, sizeof where, "%s:%u: variant '%.64s'", recipe->file, entry->line,
                 over->key);
        snprintf(top, sizeof top, "%.*s", (int)strcspn(entry->key, "."), entry->key);
        bool known = false;
        for (uint32_t i = 0; open[i]; i++) known = known || !strcmp(open[i], top);
        status = known ? apply(ctx, root, entry->key, entry, false, where)
                       : rheo__fail(ctx, RHEO_USAGE,
                                    "%s: '%.64s' is not what a variant changes, "
                                    "expected a path into code, net, neuron or learn",
                                    where, entry->key);
    }
    if (!status) {
        rheo__prune(ctx, recipe->doc, root);
        status = complete(ctx, root, recipe->file, out);
        if (status) status = rheo__blame(ctx, status, "variant '%.64s'", over->key);
    }
    rheo__doc_free(ctx, root);
    return status;
}

void rheo_recipe_free(rheo_recipe *recipe)
{
    if (!recipe) return;
    rheo_context *ctx = recipe->ctx;
    rheo__doc_free(ctx, recipe->doc);
    rheo__release(ctx, recipe);
}

const char *rheo_recipe_name(const rheo_recipe *recipe)
{
    return recipe->name;
}

rheo_status rheo_recipe_text(rheo_recipe *recipe, char **text)
{
    rheo_text out = {.ctx = recipe->ctx};
    rheo__doc_write(recipe->doc, &out);
    if (out.status) {
        rheo_status status = out.status;
        rheo__text_free(&out);
        return status;
    }
    *text = out.data;
    return RHEO_OK;
}
