/* method.c: the sections of a recipe whose fields depend on what they name: code, neuron, net,
 * learn. */
#include "recipe/section.h"
#include "net/neuron_map.h"
#include <stdio.h>

rheo_status rheo__read_code(rheo_build *b, const rheo_doc *given)
{
    static const char *const skip[] = {"input", NULL};
    rheo_code *code = &b->recipe->code;
    rheo_doc *to = NULL;
    rheo_options v;
    const char *input;
    uint32_t line;
    if (given) RHEO_TRY(rheo__want(b, given, RHEO_MAP, "code"));
    RHEO_TRY(rheo__take_choice(b, given, "input", rheo__encoder_names[0], "code", &input, &line));
    code->encoder = rheo__encoder_find(input);
    if (!code->encoder)
        return rheo__unknown(b->ctx, b->file, line, "encoder", input, "", rheo__encoder_names);
    rheo_joint joint;
    rheo__joint_code(given, &joint);
    RHEO_TRY(rheo__open_section(b, b->root, given, "code", RHEO_MAP, &to));
    RHEO_TRY(rheo__put(b, to, given, "input", input, false));
    RHEO_TRY(rheo__take_fields(b, given, joint.field, skip, "code", to, &v));
    code->steps = (uint32_t)v.v[RHEO_CODE_STEPS]; /* the code's own fields come first */
    code->dt = v.v[RHEO_CODE_STEP];
    code->output = (uint32_t)v.v[RHEO_CODE_OUTPUT];
    code->least = (uint32_t)v.v[RHEO_CODE_LEAST];
    code->raise = v.v[RHEO_CODE_RAISE];
    code->label = (uint32_t)v.v[RHEO_CODE_LABEL];
    code->group = (rheo_group)v.v[RHEO_CODE_POPULATION];
    if (code->encoder->fields) code->options = rheo__joint_pick(&joint, &v, code->encoder->fields);
    return RHEO_OK;
}

/* The model and its fields, its dialect resolved; keys in skip are left to the net's builder. to NULL:
 * only checked. */
static rheo_status put_neuron(rheo_build *b, const rheo_doc *map, const char *const *skip,
                              const char *where, rheo_doc *to)
{
    rheo_node_spec node = {.layer = rheo__layer_find("neuron")};
    RHEO_TRY(rheo__neuron_read(b->ctx, map, skip, where, b->file, &node));
    if (!to) return RHEO_OK;
    rheo_doc *plain = NULL, *rest = NULL;
    rheo_options v;
    rheo_status status = rheo__neuron_split(b->ctx, map, &plain, &rest);
    if (!status) status = rheo__put(b, to, map, "model", node.neuron->name, false);
    if (!status) status = rheo__take_fields(b, plain, node.neuron->fields, skip, where, to, &v);
    if (!status) status = rheo__doc_merge(b->ctx, to, rest);
    rheo__doc_free(b->ctx, plain);
    rheo__doc_free(b->ctx, rest);
    return status;
}

static rheo_status check_neuron(rheo_build *b, const rheo_doc *defaults, const rheo_doc *map,
                                const char *const *skip, const char *where, rheo_doc *to)
{
    const char *model;
    uint32_t line;
    rheo_doc *whole = NULL;
    RHEO_TRY(rheo__take_choice(b, map, "model", rheo__doc_text(defaults, "model", "lif"), where,
                               &model, &line));
    if (!rheo__neuron_find(model))
        return rheo__unknown(b->ctx, b->file, line, "neuron model", model, "", rheo__neuron_names);
    RHEO_TRY(rheo__neuron_map(b->ctx, defaults, map, b->file, &whole));
    rheo_status status = put_neuron(b, whole, skip, where, to);
    rheo__doc_free(b->ctx, whole);
    return status;
}

rheo_status rheo__read_neuron(rheo_build *b, const rheo_doc *given)
{
    static const char *const skip[] = {"model", NULL};
    rheo_doc *to = NULL;
    if (given)
        RHEO_TRY(rheo__want(b, given, RHEO_MAP, "neuron"));
    else if (rheo__doc_get(b->given, "net") && rheo__doc_get(b->given, "net")->kind == RHEO_LIST)
        return RHEO_OK; /* its populations name their models */
    RHEO_TRY(rheo__open_section(b, b->root, given, "neuron", RHEO_MAP, &to));
    RHEO_TRY(check_neuron(b, NULL, given, skip, "neuron", to));
    b->recipe->neuron = to;
    return RHEO_OK;
}

/* Layers are the net builder's to check; neurons are checked here, since they need no shapes. */
rheo_status rheo__read_net(rheo_build *b, const rheo_doc *given)
{
    static const char *const skip[] = {"model", "name", "from", "to", "port", NULL};
    if (given->kind == RHEO_MAP)
        return REFUSE(b, given,
                      "net is a map, expected a notation such as in-1000-out, or a list of "
                      "layers");
    if (given->kind == RHEO_SCALAR ? !given->text[0] : !given->child)
        return REFUSE(b, given,
                      "net is empty, expected a notation such as in-1000-out, or a list of "
                      "layers");
    uint32_t index = 0;
    for (const rheo_doc *item = given->child; item; item = item->next, index++) {
        const rheo_doc *map = item->kind == RHEO_MAP ? rheo__doc_get(item, "neuron") : NULL;
        char where[64];
        if (!map || map->kind != RHEO_MAP) continue;
        snprintf(where, sizeof where, "net[%u].neuron", index);
        RHEO_TRY(check_neuron(b, b->recipe->neuron, map, skip, where, NULL));
    }
    rheo_doc *net = NULL;
    RHEO_TRY(rheo__put_clone(b, given, &net));
    b->recipe->net = net;
    return RHEO_OK;
}

/* The field is a choice whose names are those of the table it points to. */
static rheo_status check_chosen(rheo_build *b, const rheo_learner *learner, const rheo_doc *map,
                                const char *key, const char *where)
{
    const char *name = rheo__joint_chosen(learner, map, key);
    const rheo_doc *value = rheo__doc_get(map, key);
    char place[64];
    double ignored;
    if (!name || !value) return RHEO_OK;
    snprintf(place, sizeof place, "%s.%s", where, key);
    RHEO_TRY(rheo__want(b, value, RHEO_SCALAR, place));
    const rheo_field *field = &learner->fields[rheo__field_index(learner->fields, key)];
    return rheo__take_number(b, value, field, where, &ignored);
}

/* One of them; a number alone is the strength. */
static rheo_status read_regulariser(rheo_build *b, const rheo_doc *item, const char *where,
                                    rheo_phase_regulariser *out, rheo_doc *to)
{
    rheo_doc *one = NULL, *map = NULL;
    RHEO_TRY(rheo__open_section(b, to, item, item->key, RHEO_MAP, &one));
    if (item->kind == RHEO_MAP)
        return rheo__take_fields(b, item, out->rule->fields, NULL, where, one, &out->options);
    RHEO_TRY(rheo__want(b, item, RHEO_SCALAR, where));
    RHEO_TRY(rheo__doc_new(b->ctx, RHEO_MAP, NULL, NULL, item->line, &map));
    rheo_status status = rheo__put(b, map, item, "strength", item->text, false);
    if (!status)
        status = rheo__take_fields(b, map, out->rule->fields, NULL, where, one, &out->options);
    rheo__doc_free(b->ctx, map);
    return status;
}

/* regularise: {upper: {bound: 0.1}, sparse: 1e-5} */
static rheo_status read_regularisers(rheo_build *b, const rheo_doc *given, const char *where,
                                     rheo_phase *phase, rheo_doc *to)
{
    rheo_doc *all = NULL;
    RHEO_TRY(rheo__want(b, given, RHEO_MAP, "regularise"));
    RHEO_TRY(rheo__open_section(b, to, given, "regularise", RHEO_MAP, &all));
    for (const rheo_doc *item = given->child; item; item = item->next) {
        char place[96];
        const rheo_regulariser *rule = rheo__regulariser_find(item->key);
        if (!rule || phase->regularisers == RHEO_PHASE_REGULARISERS)
            return rheo__unknown(b->ctx, b->file, item->line, "regulariser", item->key, "",
                                 rheo__regulariser_names);
        snprintf(place, sizeof place, "%s.regularise.%.32s", where, item->key);
        rheo_phase_regulariser *out = &phase->regulariser[phase->regularisers++];
        out->rule = rule;
        RHEO_TRY(read_regulariser(b, item, place, out, all));
    }
    return RHEO_OK;
}

static rheo_status read_phase(rheo_build *b, const rheo_doc *map, const char *where, rheo_doc *to)
{
    static const char *const skip[] = {"method", "regularise", NULL};
    rheo_phase *phase = &b->recipe->phase[b->recipe->phases++];
    const char *method;
    uint32_t line;
    RHEO_TRY(rheo__take_choice(b, map, "method", NULL, where, &method, &line));
    const rheo_learner *learner = rheo__learner_find(method);
    if (!learner)
        return rheo__unknown(b->ctx, b->file, line, "learning method", method, "",
                             rheo__learner_names);
    RHEO_TRY(check_chosen(b, learner, map, "loss", where));
    RHEO_TRY(check_chosen(b, learner, map, "optimiser", where));
    RHEO_TRY(check_chosen(b, learner, map, "schedule", where));
    rheo_joint joint;
    rheo_options v;
    rheo__joint_learn(map, &joint);
    RHEO_TRY(rheo__put(b, to, map, "method", method, false));
    RHEO_TRY(rheo__take_fields(b, map, joint.field, skip, where, to, &v));
    const char *loss = rheo__joint_chosen(learner, map, "loss");
    const char *optimiser = rheo__joint_chosen(learner, map, "optimiser");
    const char *schedule = rheo__joint_chosen(learner, map, "schedule");
    phase->learner = learner;
    if (learner->fields) phase->options = rheo__joint_pick(&joint, &v, learner->fields);
    phase->loss = loss ? rheo__loss_find(loss) : NULL;
    const rheo_doc *regularise = rheo__doc_get(map, "regularise");
    if (regularise && !phase->loss)
        return REFUSE(b, regularise, "%s: regularise adds to a loss, and method %s has none", where,
                      learner->name);
    if (regularise) RHEO_TRY(read_regularisers(b, regularise, where, phase, to));
    if (phase->loss && phase->loss->fields)
        phase->loss_options = rheo__joint_pick(&joint, &v, phase->loss->fields);
    phase->optimiser = optimiser ? rheo__optimiser_find(optimiser) : NULL;
    if (phase->optimiser && phase->optimiser->fields)
        phase->optimiser_options = rheo__joint_pick(&joint, &v, phase->optimiser->fields);
    phase->schedule = schedule ? rheo__schedule_find(schedule) : NULL;
    if (phase->schedule)
        phase->schedule_options = rheo__joint_pick(&joint, &v, phase->schedule->fields);
    return RHEO_OK;
}

rheo_status rheo__read_learn(rheo_build *b, const rheo_doc *given)
{
    rheo_doc *to = NULL;
    if (given->kind == RHEO_SCALAR)
        return REFUSE(b, given,
                      "learn is a single value, expected a map with a method, or a list of "
                      "them");
    RHEO_TRY(rheo__open_section(b, b->root, given, "learn", given->kind, &to));
    if (given->kind == RHEO_MAP) return read_phase(b, given, "learn", to);
    uint32_t count = rheo__doc_count(given);
    if (count < 1 || count > RHEO_PHASES)
        return REFUSE(b, given, "learn has %u phases, expected 1 to %d", count, RHEO_PHASES);
    for (const rheo_doc *item = given->child; item; item = item->next) {
        char where[32];
        rheo_doc *phase = NULL;
        snprintf(where, sizeof where, "learn[%u]", b->recipe->phases);
        RHEO_TRY(rheo__want(b, item, RHEO_MAP, where));
        RHEO_TRY(rheo__open_section(b, to, item, NULL, RHEO_MAP, &phase));
        RHEO_TRY(read_phase(b, item, where, phase));
    }
    return RHEO_OK;
}
