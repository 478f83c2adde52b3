/* catalogue.c: all that there is, from the tables that the engine itself uses; no second list is
 * kept here. A kind is a function that turns the table's line into an entry. */
#include "recipe/catalogue.h"
#include "base/file.h"
#include "cost/cost.h"
#include "loss/regulariser.h"
#include "neuron/dialect.h"
#include "readout/readout.h"
#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static void fact(rheo_entry *entry, const char *label, const char *format, ...) RHEO_PRINTF(3, 4);
static void fact(rheo_entry *entry, const char *label, const char *format, ...)
{
    if (entry->facts == RHEO_FACTS) return;
    rheo_fact *out = &entry->fact[entry->facts++];
    va_list args;
    va_start(args, format);
    out->label = label;
    vsnprintf(out->text, sizeof out->text, format, args);
    va_end(args);
}

#define COMMON(t)                                                                                  \
    .name = (t)->name, .title = (t)->title, .equations = (t)->equations, .source = (t)->source

/* Layers that are populations with weights of their own, behind the models. */
static bool firing_layer_at(uint32_t index, rheo_entry *out)
{
    const rheo_layer *t;
    for (uint32_t i = 0; (t = rheo__layer_at(i)); i++) {
        if (t->kind != RHEO_POPULATION || t == rheo__layer_find("neuron") || index-- > 0) continue;
        *out = (rheo_entry){COMMON(t), .fields = t->fields};
        fact(out, "output", "spikes, 0 or 1");
        fact(out, "written as",
             "a layer of its own, - %s: {}, not as a model; a recipe's `neuron` does not reach it",
             t->name);
        return true;
    }
    return false;
}

static bool neuron_at(rheo_catalogue *catalogue, uint32_t index, rheo_entry *out)
{
    (void)catalogue;
    const rheo_neuron *t = rheo__neuron_at(index);
    uint32_t models = 0;
    while (!t && rheo__neuron_at(models)) models++;
    if (!t) return firing_layer_at(index - models, out);
    *out = (rheo_entry){COMMON(t), .fields = t->fields};
    char ports[128] = "";
    for (uint32_t p = 0; t->ports && t->ports[p]; p++) {
        size_t used = strlen(ports);
        snprintf(ports + used, sizeof ports - used, "%s%s", p ? ", " : "", t->ports[p]);
    }
    fact(out, "input ports", "%s", ports);
    if (t->out == RHEO_BITS)
        fact(out, "output", "spikes, %g or %g", (double)t->lo, (double)t->hi);
    else
        fact(out, "output", "real values");
    for (const rheo_state_field *s = t->states; s && s->name; s++)
        fact(out, "state", "%s [%s]%s: %s", s->name, s->unit,
             s->scope == RHEO_SCOPE_RUN ? ", lasts over samples" : "", s->doc);
    fact(out, "a neuron and step", "%u multiplies, %u adds", t->multiplies, t->adds);
    char names[200] = "";
    for (uint32_t i = 0; t->learnable[i]; i++) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "", t->learnable[i]);
    }
    if (names[0]) fact(out, "can be learned", "%s", names);
    return true;
}

/* The lines of a dialect that are about one model, as "reset zero, when next-old if reset zero". */
static void dialect_fact(const char *name, const char *model, rheo_entry *out)
{
    char text[sizeof out->fact->text] = "";
    for (const rheo_dialect *d = rheo__dialects; d->name; d++) {
        if (strcmp(d->name, name) != 0 || strcmp(d->model, model) != 0) continue;
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%s%s %s", used ? ", " : "", d->key, d->value);
        used = strlen(text);
        if (d->if_key)
            snprintf(text + used, sizeof text - used, " if %s %s", d->if_key, d->if_value);
    }
    if (text[0]) fact(out, strcmp(model, "*") ? model : "all that have them", "%s", text);
}

static bool dialect_at(rheo_catalogue *catalogue, uint32_t index, rheo_entry *out)
{
    (void)catalogue;
    const char *name = rheo__dialect_names[index];
    if (!name) return false;
    *out = (rheo_entry){.name = name,
                        .title = "options of neurons as this program has them",
                        .equations = "neuron: {model: lif, dialect: NAME}; keys that are given win",
                        .source = "its code; docs/dialects.md"};
    dialect_fact(name, "*", out);
    for (uint32_t i = 0; rheo__neuron_names[i]; i++) dialect_fact(name, rheo__neuron_names[i], out);
    return true;
}

static bool surrogate_at(rheo_catalogue *catalogue, uint32_t index, rheo_entry *out)
{
    (void)catalogue;
    const rheo_surrogate *t = rheo__surrogate_at(index);
    if (!t) return false;
    *out = (rheo_entry){.name = t->name, .equations = t->equations, .source = t->source};
    fact(out, "slope", "%g unless said", t->slope);
    return true;
}

static bool synapse_at(rheo_catalogue *catalogue, uint32_t index, rheo_entry *out)
{
    (void)catalogue;
    const rheo_synapse *t = rheo__synapse_at(index);
    if (!t) return false;
    *out = (rheo_entry){COMMON(t), .fields = t->fields};
    fact(out, "traces", "%u before and %u behind the synapse", t->pre_traces, t->post_traces);
    return true;
}

/* The source is the data's, nothing that a recipe writes. */
static bool layer_at(rheo_catalogue *catalogue, uint32_t index, rheo_entry *out)
{
    static const char *const kinds[] = {"source", "weights", "population", "map"};
    (void)catalogue;
    for (uint32_t i = 0;; i++) {
        const rheo_layer *t = rheo__layer_at(i);
        if (!t) return false;
        if (t->kind == RHEO_SOURCE || index-- > 0) continue;
        *out = (rheo_entry){COMMON(t), .fields = t->fields};
        fact(out, "sort", "%s", kinds[t->kind]);
        return true;
    }
}

static bool loss_at(rheo_catalogue *catalogue, uint32_t index, rheo_entry *out)
{
    (void)catalogue;
    const rheo_loss *t = rheo__loss_at(index);
    if (!t) return false;
    *out = (rheo_entry){COMMON(t), .fields = t->fields};
    fact(out, "reads", "%s", t->uses_readout ? "the output's membrane" : "the output");
    fact(out, "takes real targets", "%s",
         t->takes_moving   ? "yes, also a step's own"
         : t->takes_target ? "yes"
                           : "no");
    if (t->estimated) fact(out, "gradient", "an estimator's");
    return true;
}

static bool regulariser_at(rheo_catalogue *catalogue, uint32_t index, rheo_entry *out)
{
    (void)catalogue;
    const rheo_regulariser *t = rheo__regulariser_at(index);
    if (!t) return false;
    *out = (rheo_entry){COMMON(t), .fields = t->fields};
    return true;
}

static bool encoder_at(rheo_catalogue *catalogue, uint32_t index, rheo_entry *out)
{
    (void)catalogue;
    const rheo_encoder *t = rheo__encoder_at(index);
    if (!t) return false;
    *out = (rheo_entry){COMMON(t), .fields = t->fields};
    fact(out, "gives", "%s%s", t->form == RHEO_BITS ? "spikes" : "real values",
         t->fixed ? ", the same at every step" : "");
    return true;
}

static bool optimiser_at(rheo_catalogue *catalogue, uint32_t index, rheo_entry *out)
{
    (void)catalogue;
    const rheo_optimiser *t = rheo__optimiser_at(index);
    if (!t) return false;
    *out = (rheo_entry){COMMON(t), .fields = t->fields};
    fact(out, "memory", "%u numbers a parameter", t->slots);
    return true;
}

static bool schedule_at(rheo_catalogue *catalogue, uint32_t index, rheo_entry *out)
{
    (void)catalogue;
    const rheo_schedule *t = rheo__schedule_at(index);
    if (!t) return false;
    *out = (rheo_entry){COMMON(t), .fields = t->fields};
    return true;
}

static bool learner_at(rheo_catalogue *catalogue, uint32_t index, rheo_entry *out)
{
    (void)catalogue;
    const rheo_learner *t = rheo__learner_at(index);
    if (!t) return false;
    *out = (rheo_entry){COMMON(t), .fields = t->fields};
    if (t->needs) fact(out, "needs", "%s", t->needs);
    fact(out, "learns on chip", "%s", t->local ? "yes" : "no");
    return true;
}

static bool readout_at(rheo_catalogue *catalogue, uint32_t index, rheo_entry *out)
{
#define RHEO_READOUT(name, membrane, join, title, equations, source)                               \
    {#name, title, equations, source},
    static const struct {
        const char *name, *title, *equations, *source;
    } rows[] = {
#include "readout/readouts.def"
    };
#undef RHEO_READOUT
    (void)catalogue;
    if (index >= sizeof rows / sizeof *rows) return false;
    *out = (rheo_entry){COMMON(&rows[index])};
    fact(out, "reads", "%s",
         rheo__readout_uses_membrane(index) ? "the output's membrane" : "the output");
    return true;
}

static bool dataset_at(rheo_catalogue *catalogue, uint32_t index, rheo_entry *out)
{
    (void)catalogue;
    const rheo_known_set *t = rheo__data_known(index);
    if (!t) return false;
    *out = (rheo_entry){.name = t->name, .title = t->title, .source = t->source};
    fact(out, "samples", "%u for training, %u for test", t->train, t->test);
    fact(out, "shape", "%u x %u x %u", t->shape[0], t->shape[1], t->shape[2]);
    fact(out, "classes", "%u", t->classes);
    if (t->licence) fact(out, "licence", "%s", t->licence);
    if (t->package) fact(out, "Debian package", "%s", t->package);
    for (uint32_t i = 0; i < 4 && t->file[i].name; i++)
        fact(out, "file", "%s, SHA-256 %s", t->file[i].name,
             t->file[i].sha256 ? t->file[i].sha256 : "unknown");
    if (!t->file[0].name) fact(out, "file", "none: built in");
    return true;
}

/* A recipe that cannot be read is listed with the reason. */
static bool recipe_at(rheo_catalogue *catalogue, uint32_t index, rheo_entry *out)
{
    rheo_context *ctx = catalogue->ctx;
    for (uint32_t i = 0; i <= index; i++)
        if (!catalogue->recipes[i]) return false;
    rheo_recipe *recipe = NULL;
    *out = (rheo_entry){.name = catalogue->recipes[index]};
    if (!catalogue->titles) return true;
    rheo_status status = rheo_recipe_open(ctx, out->name, NULL, &recipe);
    if (status == RHEO_MEMORY) {
        catalogue->status = status;
        return false;
    }
    if (status)
        snprintf(out->text, sizeof out->text, "wrong: %.150s", rheo_error(ctx));
    else
        snprintf(out->text, sizeof out->text, "%s", recipe->title);
    rheo_recipe_free(recipe);
    return true;
}

static void count_fact(rheo_entry *out, const char *label, uint64_t value)
{
    if (value) fact(out, label, "%llu", (unsigned long long)value);
}

static bool chip_at(rheo_catalogue *catalogue, uint32_t index, rheo_entry *out)
{
    (void)catalogue;
    const rheo_chip *t = rheo__chip_at(index);
    if (!t) return false;
    *out = (rheo_entry){.name = t->name, .source = t->source};
    count_fact(out, "neurons", t->neurons);
    count_fact(out, "synapses", t->synapses);
    count_fact(out, "largest fan-in", t->fan_in);
    count_fact(out, "bits a weight", t->weight_bits);
    fact(out, "learns on chip", "%s", t->learns ? "yes" : "no");
    if (!isnan(t->pj_per_synop)) fact(out, "pJ a synaptic operation", "%g", t->pj_per_synop);
    return true;
}

static bool energy_at(rheo_catalogue *catalogue, uint32_t index, rheo_entry *out)
{
    (void)catalogue;
    const rheo_energy_table *t = rheo__energy_at(index);
    if (!t) return false;
    *out = (rheo_entry){.name = t->name, .source = t->source};
    if (!isnan(t->mac)) fact(out, "pJ a multiply-accumulate", "%g", t->mac);
    if (!isnan(t->ac)) fact(out, "pJ an accumulate", "%g", t->ac);
    if (!isnan(t->update)) fact(out, "pJ a neuron update", "%g", t->update);
    return true;
}

const rheo_catalogue_kind rheo__catalogue_kinds[] = {
    {"neurons", "neuron", neuron_at},
    {"dialects", "dialect", dialect_at},
    {"surrogates", "surrogate", surrogate_at},
    {"synapses", "synapse", synapse_at},
    {"layers", "layer", layer_at},
    {"losses", "loss", loss_at},
    {"regularisers", "regulariser", regulariser_at},
    {"encoders", "encoder", encoder_at},
    {"optimisers", "optimiser", optimiser_at},
    {"schedules", "schedule", schedule_at},
    {"learners", "learner", learner_at},
    {"readouts", "readout", readout_at},
    {"datasets", "dataset", dataset_at},
    {"recipes", "recipe", recipe_at},
    {"chips", "chip", chip_at},
    {"energies", "energy", energy_at},
    {NULL, NULL, NULL},
};

rheo_status rheo__catalogue_open(rheo_context *ctx, rheo_catalogue *out)
{
    *out = (rheo_catalogue){.ctx = ctx};
    return rheo__recipe_names(ctx, &out->recipes);
}

void rheo__catalogue_close(rheo_catalogue *catalogue)
{
    rheo__names_free(catalogue->ctx, catalogue->recipes);
}

/* Things without a title have a short equation or a source. */
static const char *title_of(rheo_entry *entry)
{
    const char *line = entry->equations ? entry->equations : entry->source ? entry->source : "";
    if (entry->title) return entry->title;
    if (!entry->text[0])
        snprintf(entry->text, sizeof entry->text, "%.*s", (int)strcspn(line, "\n"), line);
    return entry->text;
}

static void list_text(rheo_catalogue *catalogue, const char *kind, rheo_text *out)
{
    rheo_entry entry;
    for (const rheo_catalogue_kind *k = rheo__catalogue_kinds; k->plural; k++) {
        if (kind && strcmp(kind, k->plural) != 0) continue;
        if (!kind) rheo__text_add(out, "%s%s\n", out->size ? "\n" : "", k->plural);
        for (uint32_t i = 0; !out->status && k->at(catalogue, i, &entry); i++) {
            const char *title = title_of(&entry);
            rheo__text_add(out, "%s%-*s%s%s\n", kind ? "" : "  ", title[0] ? 22 : 0, entry.name,
                           title[0] ? " " : "", title);
        }
    }
}

static rheo_status list_json(rheo_catalogue *catalogue, const char *kind, rheo_text *out)
{
    rheo_entry entry;
    cJSON *array = cJSON_CreateArray();
    bool fine = array != NULL;
    for (const rheo_catalogue_kind *k = rheo__catalogue_kinds; k->plural && fine; k++) {
        if (kind && strcmp(kind, k->plural) != 0) continue;
        for (uint32_t i = 0; fine && k->at(catalogue, i, &entry); i++) {
            cJSON *item = cJSON_CreateObject();
            fine = cJSON_AddItemToArray(array, item) &&
                   cJSON_AddStringToObject(item, "kind", k->single) &&
                   cJSON_AddStringToObject(item, "name", entry.name) &&
                   cJSON_AddStringToObject(item, "title", title_of(&entry));
        }
    }
    char *text = fine ? cJSON_Print(array) : NULL;
    if (text) rheo__text_add(out, "%s\n", text);
    cJSON_free(text);
    cJSON_Delete(array);
    if (!text) return rheo__fail(catalogue->ctx, RHEO_MEMORY, "out of memory for a list as JSON");
    return out->status;
}

rheo_status rheo_list(rheo_context *ctx, const char *kind, bool json, char **text)
{
    const char *names[sizeof rheo__catalogue_kinds / sizeof *rheo__catalogue_kinds] = {0};
    bool known = !kind;
    for (uint32_t k = 0; rheo__catalogue_kinds[k].plural; k++) {
        names[k] = rheo__catalogue_kinds[k].plural;
        known = known || !strcmp(kind, names[k]);
    }
    if (!known) return rheo__unknown(ctx, "list", 0, "kind", kind, "", names);
    rheo_catalogue catalogue;
    rheo_text out = {.ctx = ctx};
    RHEO_TRY(rheo__catalogue_open(ctx, &catalogue));
    catalogue.titles = true;
    rheo_status status = RHEO_OK;
    if (json)
        status = list_json(&catalogue, kind, &out);
    else
        list_text(&catalogue, kind, &out);
    rheo__text_put(&out, "", 0);
    rheo__catalogue_close(&catalogue);
    if (!status) status = catalogue.status ? catalogue.status : out.status;
    if (status)
        rheo__text_free(&out);
    else
        *text = out.data;
    return status;
}
