/* show.c: everything known about one name, as text or JSON. A name of several things (a learner and
 * a synapse are both called stdp) shows them all. */
#include "recipe/catalogue.h"
#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *range_of(const rheo_field *field, char out[1024])
{
    char min[64], max[64];
    out[0] = 0;
    if (field->type == RHEO_FLAG) return "true, false";
    for (uint32_t i = 0; field->type == RHEO_CHOICE && field->choices[i]; i++) {
        size_t used = strlen(out);
        snprintf(out + used, 1024 - used, "%s%s", i ? ", " : "", field->choices[i]);
    }
    if (field->type == RHEO_CHOICE) return out;
    if (isinf(field->min) && isinf(field->max)) return "any";
    rheo__field_print(field, field->min, min);
    rheo__field_print(field, field->max, max);
    if (isinf(field->max))
        snprintf(out, 1024, "%s or more", min);
    else if (isinf(field->min))
        snprintf(out, 1024, "%s or less", max);
    else
        snprintf(out, 1024, "%s to %s", min, max);
    return out;
}

static void put_indented(const char *label, const char *text, rheo_text *out)
{
    if (!text || !*text) return;
    rheo__text_add(out, "\n%s\n", label);
    while (*text) {
        size_t length = strcspn(text, "\n");
        rheo__text_add(out, "  %.*s\n", (int)length, text);
        text += length + (text[length] == '\n');
    }
}

static void put_fields(const rheo_field *fields, rheo_text *out)
{
    char range[1024], value[64];
    if (!fields || !fields->name) return;
    rheo__text_add(out, "\nparameters\n  %-16s %-12s %-6s %-24s %s\n", "name", "default", "unit",
                   "range", "meaning");
    for (; fields->name; fields++) {
        rheo__field_print(fields, fields->init, value);
        rheo__text_add(out, "  %-16s %-12s %-6s %-24s %s\n", fields->name, value,
                       fields->unit ? fields->unit : "1", range_of(fields, range),
                       fields->doc ? fields->doc : "");
    }
}

static void show_text(const rheo_catalogue_kind *kind, const rheo_entry *entry, rheo_text *out)
{
    rheo__text_add(out, "%s%s (%s)%s%s\n", out->size ? "\n" : "", entry->name, kind->single,
                   entry->title && entry->title[0] ? ": " : "", entry->title ? entry->title : "");
    put_indented("equations", entry->equations, out);
    put_fields(entry->fields, out);
    for (uint32_t i = 0; i < entry->facts; i++)
        rheo__text_add(out, "%s%s: %s\n", i ? "" : "\n", entry->fact[i].label, entry->fact[i].text);
    if (entry->source) rheo__text_add(out, "\nsource: %s\n", entry->source);
}

/* JSON has no infinity: null. */
static cJSON *number(double value)
{
    return isfinite(value) ? cJSON_CreateNumber(value) : cJSON_CreateNull();
}

static bool field_json(const rheo_field *field, cJSON *item)
{
    static const char *const types[] = {"number", "integer", "flag", "choice"};
    char text[64];
    bool fine = cJSON_AddStringToObject(item, "name", field->name) &&
                cJSON_AddStringToObject(item, "type", types[field->type]) &&
                cJSON_AddStringToObject(item, "unit", field->unit ? field->unit : "1") &&
                cJSON_AddStringToObject(item, "meaning", field->doc ? field->doc : "");
    rheo__field_print(field, field->init, text);
    if (field->type == RHEO_FLAG)
        return fine && cJSON_AddBoolToObject(item, "default", field->init != 0);
    if (field->type == RHEO_CHOICE) {
        cJSON *choices = cJSON_AddArrayToObject(item, "choices");
        fine = fine && choices && cJSON_AddStringToObject(item, "default", text);
        for (uint32_t i = 0; fine && field->choices[i]; i++)
            fine = cJSON_AddItemToArray(choices, cJSON_CreateString(field->choices[i]));
        return fine;
    }
    return fine && cJSON_AddItemToObject(item, "default", number(field->init)) &&
           cJSON_AddItemToObject(item, "min", number(field->min)) &&
           cJSON_AddItemToObject(item, "max", number(field->max));
}

static bool entry_json(const rheo_catalogue_kind *kind, const rheo_entry *entry, cJSON *item)
{
    bool fine =
        cJSON_AddStringToObject(item, "kind", kind->single) &&
        cJSON_AddStringToObject(item, "name", entry->name) &&
        cJSON_AddStringToObject(item, "title", entry->title ? entry->title : "") &&
        cJSON_AddStringToObject(item, "equations", entry->equations ? entry->equations : "") &&
        cJSON_AddStringToObject(item, "source", entry->source ? entry->source : "");
    cJSON *list = cJSON_AddArrayToObject(item, "parameters");
    fine = fine && list;
    for (const rheo_field *f = entry->fields; fine && f && f->name; f++) {
        cJSON *field = cJSON_CreateObject();
        fine = cJSON_AddItemToArray(list, field) && field_json(f, field);
    }
    list = cJSON_AddArrayToObject(item, "facts");
    fine = fine && list;
    for (uint32_t i = 0; fine && i < entry->facts; i++) {
        cJSON *one = cJSON_CreateObject();
        fine = cJSON_AddItemToArray(list, one) &&
               cJSON_AddStringToObject(one, "what", entry->fact[i].label) &&
               cJSON_AddStringToObject(one, "value", entry->fact[i].text);
    }
    return fine;
}

/* ---- recipes ---- */

static cJSON *doc_json(const rheo_doc *doc)
{
    double value;
    if (doc->kind == RHEO_SCALAR) {
        if (!doc->quoted && rheo__number(doc->text, &value)) return number(value);
        if (!doc->quoted && !strcmp(doc->text, "true")) return cJSON_CreateTrue();
        if (!doc->quoted && !strcmp(doc->text, "false")) return cJSON_CreateFalse();
        return cJSON_CreateString(doc->text);
    }
    cJSON *out = doc->kind == RHEO_MAP ? cJSON_CreateObject() : cJSON_CreateArray();
    for (const rheo_doc *c = doc->child; out && c; c = c->next) {
        cJSON *item = doc_json(c);
        bool fine = doc->kind == RHEO_MAP ? cJSON_AddItemToObject(out, c->key, item)
                                          : cJSON_AddItemToArray(out, item);
        if (fine) continue;
        cJSON_Delete(item);
        cJSON_Delete(out);
        return NULL;
    }
    return out;
}

static const struct command {
    const char *name, *options;
} commands[] = {{"plan", ""}, {"train", " --size small"}, {"train", ""}, {"compare", " --seeds 3"}};
#define COMMANDS (sizeof commands / sizeof *commands)

static void command_line(size_t index, const char *name, char out[320])
{
    snprintf(out, 320, "rheobase %s %.256s%s", commands[index].name, name, commands[index].options);
}

static bool recipe_json(const rheo_recipe *recipe, const char *name, cJSON *item)
{
    char precision[32];
    rheo__precision_text(recipe, precision);
    cJSON *doc = doc_json(recipe->doc);
    bool fine = cJSON_AddStringToObject(item, "kind", "recipe") &&
                cJSON_AddStringToObject(item, "name", recipe->name) &&
                cJSON_AddStringToObject(item, "title", recipe->title) &&
                cJSON_AddStringToObject(item, "precision", precision) &&
                cJSON_AddItemToObject(item, "recipe", doc);
    cJSON *list = cJSON_AddArrayToObject(item, "commands");
    fine = fine && list;
    for (size_t i = 0; fine && i < COMMANDS; i++) {
        char line[320];
        command_line(i, name, line);
        fine = cJSON_AddItemToArray(list, cJSON_CreateString(line));
    }
    return fine;
}

static void recipe_text(const rheo_recipe *recipe, const char *name, rheo_text *out)
{
    static const char *const sections[] = {"source", "reported", "data",   "code",     "net",
                                           "neuron", "learn",    "accept", "variants", NULL};
    char precision[32];
    rheo__precision_text(recipe, precision);
    rheo__text_add(out, "%s%s (recipe): %s\nfamily: %s\nprecision: %s\nfile: %s\n",
                   out->size ? "\n" : "", recipe->name, recipe->title, recipe->family, precision,
                   recipe->file);
    for (uint32_t s = 0; sections[s]; s++) {
        const rheo_doc *section = rheo__doc_get(recipe->doc, sections[s]);
        rheo_text text = {.ctx = recipe->ctx};
        if (!section) continue;
        rheo__doc_write(section, &text);
        if (text.status) out->status = text.status;
        put_indented(sections[s], text.data, out);
        rheo__text_free(&text);
    }
    rheo__text_add(out, "\nto run it\n");
    for (size_t i = 0; i < COMMANDS; i++) {
        char line[320];
        command_line(i, name, line);
        rheo__text_add(out, "  %s\n", line);
    }
}

/* ---- the whole ---- */

typedef struct shower {
    rheo_catalogue catalogue;
    const char *name;
    rheo_text *out;
    cJSON *array; /* NULL: text */
    bool fine;    /* JSON had its memory */
    uint32_t found;
} shower;

static cJSON *next_item(shower *s)
{
    cJSON *item = cJSON_CreateObject();
    s->fine = s->fine && cJSON_AddItemToArray(s->array, item);
    return item;
}

static rheo_status show_recipe(shower *s)
{
    rheo_recipe *recipe = NULL;
    RHEO_TRY(rheo_recipe_open(s->catalogue.ctx, s->name, NULL, &recipe));
    s->found++;
    if (!s->array) {
        recipe_text(recipe, s->name, s->out);
    } else {
        cJSON *item = next_item(s);
        s->fine = s->fine && recipe_json(recipe, s->name, item);
    }
    rheo_recipe_free(recipe);
    return RHEO_OK;
}

static rheo_status show_all(shower *s)
{
    rheo_entry entry;
    for (const rheo_catalogue_kind *k = rheo__catalogue_kinds; k->plural; k++)
        for (uint32_t i = 0; k->at(&s->catalogue, i, &entry); i++) {
            if (strcmp(entry.name, s->name) != 0) continue;
            if (!strcmp(k->single, "recipe")) {
                RHEO_TRY(show_recipe(s));
                continue;
            }
            s->found++;
            if (!s->array) {
                show_text(k, &entry, s->out);
                if (s->out->status) return s->out->status;
                continue;
            }
            cJSON *item = next_item(s);
            s->fine = s->fine && entry_json(k, &entry, item);
        }
    return s->catalogue.status;
}

static rheo_status unknown_name(shower *s)
{
    rheo_context *ctx = s->catalogue.ctx;
    rheo_entry entry;
    char near[128] = "";
    uint32_t least = UINT32_MAX;
    for (const rheo_catalogue_kind *k = rheo__catalogue_kinds; k->plural; k++)
        for (uint32_t i = 0; k->at(&s->catalogue, i, &entry); i++) {
            const char *one[] = {entry.name, NULL};
            uint32_t distance = rheo__distance(s->name, entry.name);
            if (distance >= least || !rheo__nearest(s->name, one)) continue;
            least = distance;
            snprintf(near, sizeof near, "%s", entry.name);
        }
    return rheo__fail(ctx, RHEO_USAGE,
                      "show: unknown name '%.64s'%s%s%s; 'rheobase list' shows all", s->name,
                      near[0] ? ", did you mean '" : "", near, near[0] ? "'?" : "");
}

static rheo_status show(shower *s)
{
    size_t length = strlen(s->name);
    if (strchr(s->name, '/') || (length > 5 && !strcmp(s->name + length - 5, ".yaml")))
        RHEO_TRY(show_recipe(s));
    else
        RHEO_TRY(show_all(s));
    if (!s->found) return unknown_name(s);
    if (!s->array) return s->out->status;
    char *text = s->fine ? cJSON_Print(s->array) : NULL;
    if (!text) return rheo__fail(s->catalogue.ctx, RHEO_MEMORY, "out of memory for JSON");
    rheo__text_add(s->out, "%s\n", text);
    cJSON_free(text);
    return s->out->status;
}

rheo_status rheo_show(rheo_context *ctx, const char *name, bool json, char **text)
{
    rheo_text out = {.ctx = ctx};
    shower s = {.name = name, .out = &out, .fine = true};
    RHEO_TRY(rheo__catalogue_open(ctx, &s.catalogue));
    if (json) s.array = cJSON_CreateArray();
    rheo_status status =
        json && !s.array ? rheo__fail(ctx, RHEO_MEMORY, "out of memory for JSON") : show(&s);
    cJSON_Delete(s.array);
    rheo__catalogue_close(&s.catalogue);
    if (status)
        rheo__text_free(&out);
    else
        *text = out.data;
    return status;
}
