/* schema.c: what a recipe may say. Each section is read by its tables, checked, and written anew in
 * one order with every default, so the complete recipe says all that a run depends on, and reads
 * back to itself. */
#include "kernels/bf16.h"
#include "recipe/section.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Copies the texts of a map in the order of `keys`; other keys are not looked at. */
static rheo_status copy_texts(rheo_build *b, const rheo_doc *from, const char *where,
                              const char *const *keys, rheo_doc *to)
{
    for (; *keys; keys++) {
        const rheo_doc *value = rheo__doc_get(from, *keys);
        char name[128];
        if (!value) continue;
        snprintf(name, sizeof name, "%s.%s", where, *keys);
        RHEO_TRY(rheo__want(b, value, RHEO_SCALAR, name));
        RHEO_TRY(rheo__put(b, to, value, *keys, value->text, value->quoted));
    }
    return RHEO_OK;
}

static rheo_status copy_string(rheo_build *b, const rheo_doc *given, char *out, size_t room)
{
    RHEO_TRY(rheo__want(b, given, RHEO_SCALAR, given->key));
    if (strlen(given->text) >= room)
        return REFUSE(b, given, "%s has %zu characters, expected at most %zu", given->key,
                      strlen(given->text), room - 1);
    memcpy(out, given->text, strlen(given->text) + 1);
    return rheo__put(b, b->root, given, given->key, given->text, given->quoted);
}

/* The name becomes a folder. */
static rheo_status read_name(rheo_build *b, const rheo_doc *given)
{
    char *name = b->recipe->name;
    RHEO_TRY(copy_string(b, given, name, sizeof b->recipe->name));
    size_t fine = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
    if (!*name || name[fine] || *name == '.' || *name == '-')
        return REFUSE(b, given,
                      "name is '%s', expected letters, digits, '.', '_' and '-', beginning "
                      "with a letter or digit",
                      name);
    return RHEO_OK;
}

static rheo_status read_title(rheo_build *b, const rheo_doc *given)
{
    if (given) return copy_string(b, given, b->recipe->title, sizeof b->recipe->title);
    snprintf(b->recipe->title, sizeof b->recipe->title, "%s", b->recipe->name);
    return rheo__put(b, b->root, NULL, "title", b->recipe->title, false);
}

static const char *const families[] = {"binary", "conversion", "constrained",
                                       "spikes", "local",      NULL};

static rheo_status read_family(rheo_build *b, const rheo_doc *given)
{
    RHEO_TRY(copy_string(b, given, b->recipe->family, sizeof b->recipe->family));
    for (uint32_t i = 0; families[i]; i++)
        if (!strcmp(families[i], given->text)) return RHEO_OK;
    return rheo__unknown(b->ctx, b->file, given->line, "family", given->text, "", families);
}

static rheo_status only_keys(rheo_build *b, const rheo_doc *map, const char *where,
                             const char *const *keys)
{
    for (const rheo_doc *entry = map->child; entry; entry = entry->next) {
        bool known = false;
        for (uint32_t i = 0; keys[i]; i++) known = known || !strcmp(keys[i], entry->key);
        char in[80];
        snprintf(in, sizeof in, " in %.64s", where);
        if (!known) return rheo__unknown(b->ctx, b->file, entry->line, "key", entry->key, in, keys);
    }
    return RHEO_OK;
}

static rheo_status read_source(rheo_build *b, const rheo_doc *given)
{
    static const char *const keys[] = {"paper", "id", "where", NULL};
    rheo_doc *to = NULL;
    if (!given) return RHEO_OK;
    RHEO_TRY(rheo__want(b, given, RHEO_MAP, "source"));
    RHEO_TRY(only_keys(b, given, "source", keys));
    RHEO_TRY(rheo__open_section(b, b->root, given, "source", RHEO_MAP, &to));
    return copy_texts(b, given, "source", keys, to);
}

static const char *const own_data[] = {"idx", "npy", "npz", "csv", NULL};

static rheo_status check_data_name(rheo_build *b, const char *name, uint32_t line)
{
    const char *names[64] = {0};
    uint32_t count = 0;
    for (const rheo_known_set *set; count < 58 && (set = rheo__data_known(count)); count++)
        names[count] = set->name;
    for (uint32_t i = 0; own_data[i]; i++) names[count++] = own_data[i];
    for (uint32_t i = 0; i < count; i++)
        if (!strcmp(names[i], name)) return RHEO_OK;
    return rheo__unknown(b->ctx, b->file, line, "data set", name, "", names);
}

/* reported counts for its own data only */
static rheo_status read_reported(rheo_build *b, const rheo_doc *given)
{
    static const rheo_field fields[] = {
        RHEO_NUMBER_FIELD("accuracy", "%", NAN, 0, 100, "what the source states"),
        RHEO_FIELD_END,
    };
    static const char *const skip[] = {"data", NULL};
    rheo_doc *to = NULL;
    rheo_options values;
    const char *data;
    uint32_t line;
    if (!given) return RHEO_OK;
    RHEO_TRY(rheo__want(b, given, RHEO_MAP, "reported"));
    RHEO_TRY(rheo__take_choice(b, given, "data", NULL, "reported", &data, &line));
    RHEO_TRY(check_data_name(b, data, line));
    RHEO_TRY(rheo__open_section(b, b->root, given, "reported", RHEO_MAP, &to));
    RHEO_TRY(copy_texts(b, given, "reported", skip, to));
    RHEO_TRY(rheo__take_fields(b, given, fields, skip, "reported", to, &values));
    if (isnan(values.v[0])) return REFUSE(b, given, "reported has no key 'accuracy'");
    b->recipe->reported = values.v[0]; /* until read_data knows better */
    return RHEO_OK;
}

static rheo_status read_data(rheo_build *b, const rheo_doc *given)
{
    static const rheo_field fields[] = {
        RHEO_INTEGER_FIELD("validation", "1", 0, 0, 4294967295.0,
                           "samples cut from the training set to choose by"),
        RHEO_INTEGER_FIELD("train", "1", 0, 0, 4294967295.0, "use only so many; 0: all"),
        RHEO_INTEGER_FIELD("test", "1", 0, 0, 4294967295.0, "use only so many; 0: all"),
        RHEO_INTEGER_FIELD("batch", "1", 128, 1, 65536, "samples a training step"),
        RHEO_INTEGER_FIELD("split_seed", "1", 1, 0, 9007199254740992.0,
                           "which samples the validation part gets"),
        RHEO_FIELD_END,
    };
    static const char *const texts[] = {"name", "path", NULL};
    rheo_recipe *r = b->recipe;
    rheo_doc *to = NULL;
    rheo_options v;
    const char *name, *path;
    uint32_t line, path_line;
    RHEO_TRY(rheo__want(b, given, RHEO_MAP, "data"));
    RHEO_TRY(rheo__take_choice(b, given, "name", NULL, "data", &name, &line));
    RHEO_TRY(check_data_name(b, name, line));
    RHEO_TRY(rheo__take_choice(b, given, "path", "", "data", &path, &path_line));
    for (uint32_t i = 0; own_data[i]; i++)
        if (!*path && !strcmp(name, own_data[i]))
            return rheo__refuse(b->ctx, b->file, line,
                                "data.name is '%s' but there is no data.path; say where the file "
                                "or folder is",
                                name);
    RHEO_TRY(rheo__open_section(b, b->root, given, "data", RHEO_MAP, &to));
    RHEO_TRY(copy_texts(b, given, "data", texts, to));
    RHEO_TRY(rheo__take_fields(b, given, fields, texts, "data", to, &v));
    r->data = (rheo_data_request){
        .name = rheo__doc_text(to, "name", NULL),
        .path = *path ? rheo__doc_text(to, "path", NULL) : NULL,
        .validation = (uint32_t)v.v[0],
        .train = (uint32_t)v.v[1],
        .test = (uint32_t)v.v[2],
        .split_seed = (uint64_t)v.v[4],
        .file = r->file,
        .line = given->line,
    };
    r->batch = (uint32_t)v.v[3];
    if (strcmp(rheo__doc_text(rheo__doc_get(b->root, "reported"), "data", ""), name) != 0)
        r->reported = NAN;
    return RHEO_OK;
}

static const char *const sizes[] = {"small", "full", NULL};

static rheo_status read_accept(rheo_build *b, const rheo_doc *given)
{
    static const rheo_field fields[] = {
        RHEO_NUMBER_FIELD("small", "%", NAN, 0, 100, "what is promised at the small size"),
        RHEO_NUMBER_FIELD("full", "%", NAN, 0, 100, "what is promised at full size"),
        RHEO_FIELD_END,
    };
    rheo_recipe *r = b->recipe;
    rheo_doc *to = NULL;
    if (!given) return RHEO_OK;
    RHEO_TRY(rheo__want(b, given, RHEO_MAP, "accept"));
    RHEO_TRY(rheo__open_section(b, b->root, given, "accept", RHEO_MAP, &to));
    for (const rheo_doc *set = given->child; set; set = set->next) {
        rheo_doc *map = NULL;
        char where[128];
        snprintf(where, sizeof where, "accept.%.64s", set->key);
        RHEO_TRY(check_data_name(b, set->key, set->line));
        RHEO_TRY(rheo__want(b, set, RHEO_MAP, where));
        RHEO_TRY(only_keys(b, set, where, sizes));
        RHEO_TRY(rheo__open_section(b, to, set, set->key, RHEO_MAP, &map));
        for (uint32_t i = 0; fields[i].name; i++) {
            const rheo_doc *value = rheo__doc_get(set, fields[i].name);
            double percent;
            char text[64];
            if (!value) continue;
            RHEO_TRY(rheo__take_number(b, value, &fields[i], where, &percent));
            rheo__field_print(&fields[i], percent, text);
            RHEO_TRY(rheo__put(b, map, value, fields[i].name, text, false));
            if (!strcmp(set->key, r->data.name) && !strcmp(fields[i].name, r->size))
                r->accept = percent;
        }
    }
    return RHEO_OK;
}

/* Maps of paths to values; the resolver tries each. */
static rheo_status read_variants(rheo_build *b, const rheo_doc *given)
{
    rheo_recipe *r = b->recipe;
    rheo_doc *to = NULL;
    if (!given) return RHEO_OK;
    RHEO_TRY(rheo__want(b, given, RHEO_MAP, "variants"));
    if (rheo__doc_count(given) > RHEO_VARIANTS)
        return REFUSE(b, given, "%u variants, expected at most %d", rheo__doc_count(given),
                      RHEO_VARIANTS);
    RHEO_TRY(rheo__put_clone(b, given, &to));
    for (const rheo_doc *variant = to->child; variant; variant = variant->next) {
        char where[128];
        snprintf(where, sizeof where, "variants.%.64s", variant->key);
        RHEO_TRY(rheo__want(b, variant, RHEO_MAP, where));
        r->variant[r->variants++] = variant;
    }
    return RHEO_OK;
}

static rheo_status read_size(rheo_build *b, const rheo_doc *given)
{
    if (given) {
        RHEO_TRY(copy_string(b, given, b->recipe->size, sizeof b->recipe->size));
        for (uint32_t i = 0; sizes[i]; i++)
            if (!strcmp(sizes[i], given->text)) return RHEO_OK;
        return rheo__unknown(b->ctx, b->file, given->line, "size", given->text, "", sizes);
    }
    snprintf(b->recipe->size, sizeof b->recipe->size, "full");
    return rheo__put(b, b->root, NULL, "size", "full", false);
}

static rheo_status read_seed(rheo_build *b, const rheo_doc *given)
{
    char text[24], *end;
    b->recipe->seed = 1;
    if (given) {
        RHEO_TRY(rheo__want(b, given, RHEO_SCALAR, "seed"));
        b->recipe->seed = strtoull(given->text, &end, 10);
        snprintf(text, sizeof text, "%llu", (unsigned long long)b->recipe->seed);
        if (strcmp(text, given->text) != 0 || b->recipe->seed == 0)
            return REFUSE(b, given, "seed is '%.64s', expected a whole number from 1 to %llu",
                          given->text, (unsigned long long)UINT64_MAX);
    }
    snprintf(text, sizeof text, "%llu", (unsigned long long)b->recipe->seed);
    return rheo__put(b, b->root, given, "seed", text, false);
}

static const char *const precisions[] = {[RHEO_FLOAT32] = "float32", [RHEO_BF16] = "bf16", NULL};

void rheo__precision_text(const rheo_recipe *recipe, char out[32])
{
    if (recipe->precision == RHEO_FLOAT32)
        snprintf(out, 32, "%s", precisions[RHEO_FLOAT32]);
    else
        snprintf(out, 32, "%s (%s)", precisions[RHEO_BF16], rheo__bf16_name(recipe->ctx));
}

/* Without the key it is float32, which is not written: so are complete recipes from before the key
 * was there, and their runs are found again. */
static rheo_status read_precision(rheo_build *b, const rheo_doc *given)
{
    if (!given) return RHEO_OK;
    RHEO_TRY(rheo__want(b, given, RHEO_SCALAR, "precision"));
    for (uint32_t i = 0; precisions[i]; i++) {
        if (strcmp(precisions[i], given->text) != 0) continue;
        b->recipe->precision = (rheo_precision)i;
        return rheo__put(b, b->root, given, "precision", given->text, given->quoted);
    }
    return rheo__unknown(b->ctx, b->file, given->line, "precision", given->text, "", precisions);
}

/* The options that made this recipe of its file: they are in the folder's name. */
static rheo_status read_set(rheo_build *b, const rheo_doc *given)
{
    rheo_recipe *r = b->recipe;
    rheo_doc *copy = NULL;
    size_t used = 0;
    if (!given) return RHEO_OK;
    RHEO_TRY(rheo__want(b, given, RHEO_LIST, "set"));
    RHEO_TRY(rheo__put_clone(b, given, &copy));
    for (const rheo_doc *item = given->child; item; item = item->next) {
        RHEO_TRY(rheo__want(b, item, RHEO_SCALAR, "an entry of set"));
        size_t length = strlen(item->text);
        if (used + length + 2 > sizeof r->set)
            return REFUSE(b, given,
                          "the --set options are longer than %zu characters together; "
                          "write a recipe of your own",
                          sizeof r->set);
        if (used) r->set[used++] = '\n';
        memcpy(r->set + used, item->text, length + 1);
        used += length;
    }
    return RHEO_OK;
}

/* In the order in which the complete recipe has them; a section may look at those before it. */
static const struct section {
    const char *key;
    bool needed;
    rheo_status (*read)(rheo_build *b, const rheo_doc *given);
} sections[] = {
    {"name", true, read_name},
    {"title", false, read_title},
    {"family", true, read_family},
    {"size", false, read_size},
    {"seed", false, read_seed},
    {"set", false, read_set},
    {"source", false, read_source},
    {"reported", false, read_reported},
    {"data", true, read_data},
    {"code", false, rheo__read_code},
    {"precision", false, read_precision},
    {"neuron", false, rheo__read_neuron},
    {"net", true, rheo__read_net},
    {"learn", true, rheo__read_learn},
    {"accept", false, read_accept},
    {"variants", false, read_variants},
};
#define SECTIONS (sizeof sections / sizeof *sections)

rheo_status rheo__schema_complete(const rheo_doc *given, rheo_recipe *recipe)
{
    rheo_build b = {.ctx = recipe->ctx, .file = recipe->file, .recipe = recipe, .given = given};
    const char *names[SECTIONS + 3] = {0};
    RHEO_TRY(rheo__want(&b, given, RHEO_MAP, "a recipe"));
    for (size_t s = 0; s < SECTIONS; s++) names[s] = sections[s].key;
    names[SECTIONS] = "small";
    names[SECTIONS + 1] = "full";
    RHEO_TRY(only_keys(&b, given, "a recipe", names));
    RHEO_TRY(rheo__doc_new(recipe->ctx, RHEO_MAP, NULL, NULL, 1, &recipe->doc));
    b.root = recipe->doc;
    recipe->reported = recipe->accept = NAN;
    for (size_t s = 0; s < SECTIONS; s++) {
        const rheo_doc *section = rheo__doc_get(given, sections[s].key);
        if (!section && sections[s].needed)
            return rheo__refuse(recipe->ctx, recipe->file, 0, "the recipe has no key '%s'",
                                sections[s].key);
        RHEO_TRY(sections[s].read(&b, section));
    }
    return RHEO_OK;
}
