/* joint.c: which fields a section of a recipe knows. `code` has the fields of the encoder that it
 * names, `neuron` those of its model, a phase of `learn` those of its method, its loss, its
 * optimiser and its schedule; so the table depends on the document, and changes with an override.
 */
#include "recipe/schema.h"
#include <string.h>

static void add(rheo_joint *joint, const rheo_field *fields)
{
    for (; fields && fields->name && joint->count < RHEO_OPTIONS_MAX; fields++)
        if (rheo__field_index(joint->field, fields->name) < 0)
            joint->field[joint->count++] = *fields;
}

rheo_options rheo__joint_pick(const rheo_joint *joint, const rheo_options *values,
                              const rheo_field *fields)
{
    rheo_options out = rheo__field_defaults(fields);
    for (uint32_t i = 0; i < RHEO_OPTIONS_MAX && fields[i].name; i++) {
        int at = rheo__field_index(joint->field, fields[i].name);
        if (at >= 0) out.v[i] = values->v[at];
    }
    return out;
}

void rheo__joint_code(const rheo_doc *map, rheo_joint *out)
{
    memset(out, 0, sizeof *out);
    const rheo_encoder *encoder =
        rheo__encoder_find(rheo__doc_text(map, "input", rheo__encoder_names[0]));
    add(out, rheo__code_fields);
    if (encoder) add(out, encoder->fields);
}

static void joint_neuron(const rheo_doc *map, rheo_joint *out)
{
    memset(out, 0, sizeof *out);
    const rheo_neuron *neuron = rheo__neuron_find(rheo__doc_text(map, "model", "lif"));
    if (neuron) add(out, neuron->fields);
}

const char *rheo__joint_chosen(const rheo_learner *learner, const rheo_doc *map, const char *key)
{
    int at = learner->fields ? rheo__field_index(learner->fields, key) : -1;
    if (at < 0 || learner->fields[at].type != RHEO_CHOICE) return NULL;
    return rheo__doc_text(map, key, learner->fields[at].choices[(int)learner->fields[at].init]);
}

void rheo__joint_learn(const rheo_doc *map, rheo_joint *out)
{
    memset(out, 0, sizeof *out);
    const rheo_learner *learner = rheo__learner_find(rheo__doc_text(map, "method", ""));
    if (!learner) return;
    add(out, learner->fields);
    const char *name = rheo__joint_chosen(learner, map, "loss");
    const rheo_loss *loss = name ? rheo__loss_find(name) : NULL;
    if (loss) add(out, loss->fields);
    name = rheo__joint_chosen(learner, map, "optimiser");
    const rheo_optimiser *optimiser = name ? rheo__optimiser_find(name) : NULL;
    if (optimiser) add(out, optimiser->fields);
    name = rheo__joint_chosen(learner, map, "schedule");
    const rheo_schedule *schedule = name ? rheo__schedule_find(name) : NULL;
    if (schedule) add(out, schedule->fields);
}

void rheo__doc_drop(rheo_context *ctx, rheo_doc *map, const char *key)
{
    for (rheo_doc **link = &map->child; *link; link = &(*link)->next)
        if ((*link)->key && !strcmp((*link)->key, key)) {
            rheo_doc *gone = *link;
            *link = gone->next;
            gone->next = NULL;
            rheo__doc_free(ctx, gone);
            return;
        }
}

static void prune_section(rheo_context *ctx, const rheo_doc *before, rheo_doc *now,
                          void (*fields)(const rheo_doc *, rheo_joint *))
{
    if (!before || !now || before->kind != RHEO_MAP || now->kind != RHEO_MAP) return;
    rheo_joint old, fresh;
    fields(before, &old);
    fields(now, &fresh);
    for (uint32_t i = 0; i < old.count; i++) {
        const char *name = old.field[i].name;
        const rheo_doc *was = rheo__doc_get(before, name), *is = rheo__doc_get(now, name);
        if (was && is && rheo__field_index(fresh.field, name) < 0 && rheo__doc_equal(was, is))
            rheo__doc_drop(ctx, now, name);
    }
}

static rheo_doc *child(rheo_doc *map, const char *key)
{
    for (rheo_doc *c = map->child; c; c = c->next)
        if (c->key && !strcmp(c->key, key)) return c;
    return NULL;
}

void rheo__prune(rheo_context *ctx, const rheo_doc *before, rheo_doc *now)
{
    prune_section(ctx, rheo__doc_get(before, "code"), child(now, "code"), rheo__joint_code);
    prune_section(ctx, rheo__doc_get(before, "neuron"), child(now, "neuron"), joint_neuron);
    const rheo_doc *was = rheo__doc_get(before, "learn");
    rheo_doc *is = child(now, "learn");
    if (!was || !is) return;
    was = was->kind == RHEO_LIST ? was->child : was;
    is = is->kind == RHEO_LIST ? is->child : is;
    for (; was && is; was = was->key ? NULL : was->next, is = is->key ? NULL : is->next)
        prune_section(ctx, was, is, rheo__joint_learn);
}
