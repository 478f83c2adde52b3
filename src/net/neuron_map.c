/* neuron_map.c: reads the map of a population (neuron_map.h). */
#include "net/neuron_map.h"
#include "layer/population.h"
#include "neuron/dialect.h"
#include <string.h>

static const char *const special[] = {"learn", "per", "dialect", NULL};
static const char *const pers[] = {"layer", "channel", "neuron", NULL};

static bool is_special(const char *key)
{
    bool found = false;
    for (uint32_t i = 0; special[i]; i++) found = found || !strcmp(special[i], key);
    return found;
}

static void place_of(const rheo_doc *doc, const char *file, char out[160])
{
    snprintf(out, 160, "%s:%u: neuron", file ? file : "net", doc ? doc->line : 0);
}

static rheo_status put(rheo_context *ctx, rheo_doc *map, const char *key, const char *value,
                       uint32_t line)
{
    rheo_doc *entry = NULL;
    RHEO_TRY(rheo__doc_new(ctx, RHEO_SCALAR, NULL, value, line, &entry));
    rheo_status status = rheo__doc_set(ctx, map, key, entry);
    if (status) rheo__doc_free(ctx, entry);
    return status;
}

/* ---- defaults and dialect ---- */

static rheo_status apply_dialect(rheo_context *ctx, const rheo_doc *given, const char *file,
                                 rheo_doc *map)
{
    const rheo_doc *dialect = rheo__doc_get(map, "dialect");
    const rheo_neuron *neuron = rheo__neuron_find(rheo__doc_text(map, "model", "lif"));
    char where[160];
    if (!dialect || !neuron) return RHEO_OK;
    place_of(dialect, file, where);
    const char *name = dialect->kind == RHEO_SCALAR ? dialect->text : "";
    bool known = false;
    char names[128] = "";
    for (uint32_t i = 0; rheo__dialect_names[i]; i++) {
        const size_t used = strlen(names);
        known = known || !strcmp(rheo__dialect_names[i], name);
        snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "", rheo__dialect_names[i]);
    }
    if (!known) {
        const char *near = rheo__nearest(name, rheo__dialect_names);
        return rheo__fail(ctx, RHEO_USAGE, "%s: dialect is '%s'%s%s; expected one of %s", where,
                          name, near ? ", did you mean " : "", near ? near : "", names);
    }
    for (const rheo_dialect *line = rheo__dialects; line->name; line++) {
        if (!rheo__dialect_holds(line, name, neuron) || rheo__doc_get(given, line->key)) continue;
        if (line->if_key && strcmp(rheo__doc_text(map, line->if_key, ""), line->if_value) != 0)
            continue;
        RHEO_TRY(put(ctx, map, line->key, line->value, dialect->line));
    }
    return RHEO_OK;
}

rheo_status rheo__neuron_map(rheo_context *ctx, const rheo_doc *defaults, const rheo_doc *map,
                             const char *file, rheo_doc **out)
{
    const char *model = rheo__doc_text(map, "model", NULL);
    const char *common = rheo__doc_text(defaults, "model", "lif");
    rheo_doc *merged = NULL, *given = NULL;
    RHEO_TRY(rheo__doc_new(ctx, RHEO_MAP, NULL, NULL, map ? map->line : 0, &merged));
    rheo_status status = RHEO_OK;
    if (defaults && (!model || !strcmp(model, common)))
        status = rheo__doc_merge(ctx, merged, defaults);
    if (!status && map && map->kind == RHEO_MAP) status = rheo__doc_merge(ctx, merged, map);
    if (!status && !rheo__doc_get(merged, "model"))
        status = put(ctx, merged, "model", common, map ? map->line : 0);
    if (!status) status = rheo__doc_clone(ctx, merged, &given);
    /* a dialect's own map wins over it; the recipe's does not, which may be complete */
    const bool own = map && rheo__doc_get(map, "dialect");
    if (!status) status = apply_dialect(ctx, own ? map : given, file, merged);
    rheo__doc_free(ctx, given);
    if (status)
        rheo__doc_free(ctx, merged);
    else
        *out = merged;
    return status;
}

rheo_status rheo__neuron_split(rheo_context *ctx, const rheo_doc *map, rheo_doc **plain,
                               rheo_doc **rest)
{
    const rheo_field *layer = rheo__layer_find("neuron")->fields;
    const rheo_neuron *neuron = rheo__neuron_find(rheo__doc_text(map, "model", "lif"));
    rheo_status status = rheo__doc_new(ctx, RHEO_MAP, NULL, NULL, map->line, plain);
    if (!status) status = rheo__doc_new(ctx, RHEO_MAP, NULL, NULL, map->line, rest);
    for (const rheo_doc *entry = map->child; entry && !status; entry = entry->next) {
        const bool option = neuron && rheo__field_index(neuron->fields, entry->key) >= 0;
        const bool apart = (entry->kind != RHEO_SCALAR && option) || is_special(entry->key) ||
                           rheo__field_index(layer, entry->key) >= 0;
        rheo_doc *copy = NULL;
        status = rheo__doc_clone(ctx, entry, &copy);
        if (status) break;
        copy->next = NULL;
        rheo__doc_append(apart ? *rest : *plain, copy);
    }
    return status;
}

/* ---- parameters ---- */

static rheo_status field_of(rheo_context *ctx, const rheo_node_spec *node, const char *name,
                            const char *where, uint32_t *field)
{
    const rheo_field *fields = node->neuron->fields;
    const int at = rheo__field_index(fields, name);
    RHEO_CHECK(ctx, at >= 0, RHEO_USAGE, "%s: %s has no option '%s'", where, node->neuron->name,
               name);
    const bool own =
        fields[at].type == RHEO_NUMBER && strcmp(name, "slope") != 0 && strcmp(name, "shape") != 0;
    RHEO_CHECK(ctx, own, RHEO_USAGE, "%s: %s is no number that neurons can have of their own",
               where, name);
    *field = (uint32_t)at;
    return RHEO_OK;
}

static rheo_status add_own(rheo_context *ctx, rheo_node_spec *node, const char *name,
                           const char *where, rheo_own **out)
{
    uint32_t field = 0;
    RHEO_TRY(field_of(ctx, node, name, where, &field));
    for (uint32_t i = 0; i < node->owns; i++)
        if (node->own[i].field == field) {
            *out = &node->own[i];
            return RHEO_OK;
        }
    RHEO_CHECK(ctx, node->owns < RHEO_OWN, RHEO_USAGE,
               "%s: more than %d options that are parameters of the net", where, RHEO_OWN);
    *out = &node->own[node->owns++];
    const double value = node->neuron_options.v[field];
    **out = (rheo_own){.field = field, .from = value, .to = value};
    return RHEO_OK;
}

static rheo_status read_range(rheo_context *ctx, const rheo_doc *entry, const char *where,
                              rheo_node_spec *node, rheo_own *own)
{
    const rheo_field *field = &node->neuron->fields[own->field];
    static const char *const ends[] = {"from", "to", NULL};
    double *end[] = {&own->from, &own->to};
    char place[224];
    snprintf(place, sizeof place, "%s.%s", where, entry->key);
    for (const rheo_doc *d = entry->child; d; d = d->next)
        RHEO_CHECK(ctx, !strcmp(d->key, ends[0]) || !strcmp(d->key, ends[1]), RHEO_USAGE,
                   "%s: unknown key '%s', expected {from: a, to: b}", place, d->key);
    for (uint32_t i = 0; i < 2; i++) {
        const char *text = rheo__doc_text(entry, ends[i], NULL);
        RHEO_CHECK(ctx, text, RHEO_USAGE, "%s: '%s' is missing, expected {from: a, to: b}", place,
                   ends[i]);
        RHEO_TRY(rheo__field_parse(ctx, field, text, place, end[i]));
    }
    node->neuron_options.v[own->field] = own->from / 2 + own->to / 2;
    return RHEO_OK;
}

/* A list's values come when the parameters have memory; the first stands for all till then. */
static rheo_status read_list(rheo_context *ctx, const rheo_doc *entry, const char *where,
                             rheo_node_spec *node, rheo_own *own)
{
    const rheo_field *field = &node->neuron->fields[own->field];
    RHEO_CHECK(ctx, entry->child, RHEO_USAGE, "%s.%s: the list is empty", where, entry->key);
    for (const rheo_doc *d = entry->child; d; d = d->next) {
        double value;
        RHEO_CHECK(ctx, d->kind == RHEO_SCALAR, RHEO_USAGE, "%s.%s: expected a list of numbers",
                   where, entry->key);
        RHEO_TRY(rheo__field_parse(ctx, field, d->text, where, &value));
        if (d == entry->child) own->from = own->to = node->neuron_options.v[own->field] = value;
    }
    return RHEO_OK;
}

static rheo_status read_learn(rheo_context *ctx, const rheo_doc *learn, const char *where,
                              rheo_node_spec *node)
{
    for (const rheo_doc *d = learn->kind == RHEO_SCALAR ? learn : learn->child; d;
         d = learn->kind == RHEO_SCALAR ? NULL : d->next) {
        rheo_own *own;
        RHEO_CHECK(ctx, d->kind == RHEO_SCALAR, RHEO_USAGE, "%s.learn: expected names", where);
        bool can = false;
        for (uint32_t i = 0; node->neuron->learnable[i]; i++)
            can = can || !strcmp(node->neuron->learnable[i], d->text);
        const char *near = rheo__nearest(d->text, node->neuron->learnable);
        RHEO_CHECK(
            ctx, can, RHEO_USAGE,
            "%s.learn: '%s' of %s has no gradient%s%s; 'rheobase show %s' names those that have",
            where, d->text, node->neuron->name, near ? ", did you mean " : "", near ? near : "",
            node->neuron->name);
        RHEO_TRY(add_own(ctx, node, d->text, where, &own));
        own->learned = true;
    }
    return RHEO_OK;
}

static rheo_status read_per(rheo_context *ctx, const rheo_doc *map, const char *where,
                            rheo_per absent, rheo_per *out)
{
    const char *text = rheo__doc_text(map, "per", pers[absent]);
    for (uint32_t i = 0; pers[i]; i++)
        if (!strcmp(text, pers[i])) {
            *out = (rheo_per)i;
            return RHEO_OK;
        }
    return rheo__fail(ctx, RHEO_USAGE, "%s.per: '%s', expected layer, channel or neuron", where,
                      text);
}

static rheo_status read_rest(rheo_context *ctx, const rheo_doc *rest, const char *where,
                             const char *file, rheo_node_spec *node)
{
    rheo_per per = RHEO_PER_LAYER;
    const rheo_field *layer = node->layer->fields;
    for (const rheo_doc *entry = rest->child; entry; entry = entry->next) {
        rheo_own *own;
        if (is_special(entry->key)) continue;
        const int at = rheo__field_index(layer, entry->key);
        if (at >= 0) {
            RHEO_CHECK(ctx, entry->kind == RHEO_SCALAR, RHEO_USAGE, "%s: %s: expected one value",
                       where, entry->key);
            RHEO_TRY(rheo__field_parse(ctx, &layer[at], entry->text, where, &node->options.v[at]));
            continue;
        }
        char place[160];
        place_of(entry, file, place);
        RHEO_TRY(add_own(ctx, node, entry->key, place, &own));
        RHEO_TRY(entry->kind == RHEO_MAP ? read_range(ctx, entry, place, node, own)
                                         : read_list(ctx, entry, place, node, own));
        per = RHEO_PER_NEURON;
    }
    const rheo_doc *learn = rheo__doc_get(rest, "learn");
    if (learn) RHEO_TRY(read_learn(ctx, learn, where, node));
    RHEO_TRY(read_per(ctx, rest, where, per, &per));
    for (uint32_t i = 0; i < node->owns; i++) node->own[i].per = per;
    return RHEO_OK;
}

rheo_status rheo__neuron_read(rheo_context *ctx, const rheo_doc *map, const char *const *skip,
                              const char *where, const char *file, rheo_node_spec *node)
{
    const char *model = rheo__doc_text(map, "model", "lif");
    rheo_doc *plain = NULL, *rest = NULL;
    node->owns = 0;
    node->neuron = rheo__neuron_find(model);
    if (!node->neuron) {
        const char *near = rheo__nearest(model, rheo__neuron_names);
        return rheo__fail(ctx, RHEO_USAGE,
                          "%s:%u: unknown neuron model '%s'%s%s; 'rheobase list neurons' shows all",
                          file, map->line, model, near ? ", did you mean " : "", near ? near : "");
    }
    node->neuron_options = rheo__field_defaults(node->neuron->fields);
    rheo_status status = rheo__neuron_split(ctx, map, &plain, &rest);
    if (!status)
        status = rheo__doc_options(ctx, plain, node->neuron->fields, skip, where, file,
                                   &node->neuron_options);
    if (!status) status = read_rest(ctx, rest, where, file, node);
    rheo__doc_free(ctx, plain);
    rheo__doc_free(ctx, rest);
    return status;
}

rheo_status rheo__neuron_fill(rheo_context *ctx, const rheo_doc *map, const char *file,
                              const rheo_node_spec *node)
{
    const uint32_t first = rheo__lasting(node);
    for (uint32_t i = 0; i < node->owns; i++) {
        const rheo_field *field = &node->neuron->fields[node->own[i].field];
        const rheo_doc *list = rheo__doc_get(map, field->name);
        rheo_param *param = node->param[first + i];
        char where[160];
        if (!list || list->kind != RHEO_LIST) continue;
        place_of(list, file, where);
        RHEO_CHECK(ctx, rheo__doc_count(list) == param->cols, RHEO_SHAPE,
                   "%s: %s lists %u values, but node '%s' has %u (per: %s)", where, field->name,
                   rheo__doc_count(list), node->name, param->cols, pers[node->own[i].per]);
        uint32_t at = 0;
        for (const rheo_doc *d = list->child; d; d = d->next) {
            double value;
            RHEO_TRY(rheo__field_parse(ctx, field, d->text, where, &value));
            param->value[at++] = (float)value;
        }
    }
    return RHEO_OK;
}
