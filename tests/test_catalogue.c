/* test_catalogue.c: list and show against the engine's own tables. */
#include "neuron/dialect.h"
#include "faults.h"
#include <cjson/cJSON.h>
#include <rheobase/recipe.h>
#include <glob.h>
#include <stdio.h>
#include "cost/cost.h"
#include "learn/learn.h"
#include "readout/readout.h"
#include "one_context.h"

static int set_up(void **state)
{
    unsetenv("RHEOBASE_RECIPES");
    return open_context(state);
}

static cJSON *parsed(char *text)
{
    cJSON *json = cJSON_Parse(text);
    if (!json) fail_msg("not JSON: %.200s", text);
    rheo_free(ctx, text);
    return json;
}

static const char *text_of(const cJSON *item, const char *key)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(item, key);
    if (!cJSON_IsString(value)) fail_msg("no text '%s'", key);
    return value->valuestring;
}

static bool has(const cJSON *list, const char *name)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, list) if (!strcmp(text_of(item, "name"), name)) return true;
    return false;
}

/* Each kind's names: a function of the index, NULL past the end. */
#define NAMES(kind, at)                                                                            \
    static const char *kind(uint32_t i)                                                            \
    {                                                                                              \
        return at(i) ? at(i)->name : NULL;                                                         \
    }
NAMES(surrogates, rheo__surrogate_at)
NAMES(synapses, rheo__synapse_at)
NAMES(losses, rheo__loss_at)
NAMES(encoders, rheo__encoder_at)
NAMES(optimisers, rheo__optimiser_at)
NAMES(learners, rheo__learner_at)
NAMES(datasets, rheo__data_known)
NAMES(chips, rheo__chip_at)
NAMES(energies, rheo__energy_at)

/* Models, then the layers that fire by themselves. */
static const char *neurons(uint32_t i)
{
    const rheo_layer *layer;
    for (uint32_t at = 0; rheo__neuron_at(at); at++)
        if (i-- == 0) return rheo__neuron_at(at)->name;
    for (uint32_t at = 0; (layer = rheo__layer_at(at)); at++)
        if (layer->kind == RHEO_POPULATION && strcmp(layer->name, "neuron") != 0 && i-- == 0)
            return layer->name;
    return NULL;
}

static const char *dialects(uint32_t i)
{
    return rheo__dialect_names[i];
}

static const char *readouts(uint32_t i)
{
    return rheo__readout_names[i];
}

/* The files of the folder, without their ending. */
static const char *recipes(uint32_t i)
{
    static char names[64][64];
    glob_t found;
    assert_int_equal(glob("recipes/*.yaml", 0, NULL, &found), 0);
    assert_true(found.gl_pathc < 64);
    const bool there = i < found.gl_pathc;
    if (there) {
        const char *file = found.gl_pathv[i] + strlen("recipes/");
        snprintf(names[i], sizeof names[i], "%.*s", (int)(strlen(file) - strlen(".yaml")), file);
    }
    globfree(&found);
    return there ? names[i] : NULL;
}

static const char *layers(uint32_t i)
{
    const rheo_layer *layer;
    for (uint32_t at = 0; (layer = rheo__layer_at(at)); at++)
        if (layer->kind != RHEO_SOURCE && i-- == 0) return layer->name;
    return NULL;
}

static const struct kind {
    const char *plural, *single;
    const char *(*name)(uint32_t i);
} kinds[] = {
    {"neurons", "neuron", neurons},
    {"dialects", "dialect", dialects},
    {"surrogates", "surrogate", surrogates},
    {"synapses", "synapse", synapses},
    {"layers", "layer", layers},
    {"losses", "loss", losses},
    {"encoders", "encoder", encoders},
    {"optimisers", "optimiser", optimisers},
    {"learners", "learner", learners},
    {"readouts", "readout", readouts},
    {"datasets", "dataset", datasets},
    {"recipes", "recipe", recipes},
    {"chips", "chip", chips},
    {"energies", "energy", energies},
};
#define KINDS (sizeof kinds / sizeof *kinds)

static void test_list(void **state)
{
    char *text = NULL;
    (void)state;
    for (size_t k = 0; k < KINDS; k++) {
        int count = 0;
        CHECK_OK(ctx, rheo_list(ctx, kinds[k].plural, true, &text));
        cJSON *json = parsed(text);
        CHECK_OK(ctx, rheo_list(ctx, kinds[k].plural, false, &text));
        for (; kinds[k].name((uint32_t)count); count++) {
            const char *name = kinds[k].name((uint32_t)count);
            if (!has(json, name)) fail_msg("list %s lacks %s", kinds[k].plural, name);
            if (!strstr(text, name)) fail_msg("text of list %s lacks %s", kinds[k].plural, name);
        }
        assert_true(count > 0);
        assert_int_equal(cJSON_GetArraySize(json), count);
        assert_string_equal(text_of(json->child, "kind"), kinds[k].single);
        cJSON_Delete(json);
        rheo_free(ctx, text);
    }
}

static void test_list_all(void **state)
{
    char *text = NULL;
    (void)state;
    CHECK_OK(ctx, rheo_list(ctx, NULL, false, &text));
    const char *at = text;
    for (size_t k = 0; k < KINDS; k++) { /* headings in this order */
        char heading[32];
        snprintf(heading, sizeof heading, "%s%s\n", k ? "\n\n" : "", kinds[k].plural);
        at = strstr(at, heading);
        if (!at) fail_msg("no heading %s", kinds[k].plural);
    }
    assert_null(strstr(text, "wrong:")); /* every shipped recipe can be read */
    rheo_free(ctx, text);
    CHECK_FAILS(ctx, rheo_list(ctx, "neuron", false, &text), RHEO_USAGE,
                "unknown kind 'neuron'; did you mean 'neurons'?");
}

/* Everything that is listed can be shown, as text and as JSON of the right kind. */
static void test_show_all(void **state)
{
    (void)state;
    for (size_t k = 0; k < KINDS; k++)
        for (uint32_t i = 0; kinds[k].name(i); i++) {
            const char *name = kinds[k].name(i);
            char *text = NULL, head[128];
            bool found = false;
            CHECK_OK(ctx, rheo_show(ctx, name, false, &text));
            snprintf(head, sizeof head, "%s (%s)", name, kinds[k].single);
            if (!strstr(text, head)) fail_msg("show %s lacks '%s'", name, head);
            rheo_free(ctx, text);
            CHECK_OK(ctx, rheo_show(ctx, name, true, &text));
            cJSON *json = parsed(text), *item;
            cJSON_ArrayForEach(item, json)
            {
                assert_string_equal(text_of(item, "name"), name);
                found = found || !strcmp(text_of(item, "kind"), kinds[k].single);
            }
            assert_true(found);
            cJSON_Delete(json);
        }
}

static void check_parameter(const rheo_field *field, const cJSON *item)
{
    const cJSON *init = cJSON_GetObjectItemCaseSensitive(item, "default");
    assert_string_equal(text_of(item, "name"), field->name);
    assert_string_equal(text_of(item, "unit"), field->unit);
    assert_string_equal(text_of(item, "meaning"), field->doc);
    if (field->type == RHEO_CHOICE) {
        const cJSON *choices = cJSON_GetObjectItemCaseSensitive(item, "choices");
        int count = 0;
        while (field->choices[count]) count++;
        assert_int_equal(cJSON_GetArraySize(choices), count);
        assert_string_equal(init->valuestring, field->choices[(int)field->init]);
    } else if (field->type == RHEO_FLAG) {
        assert_int_equal(cJSON_IsTrue(init), field->init != 0);
    } else {
        assert_true(isnan(field->init) || init->valuedouble == field->init);
        assert_true(cJSON_GetObjectItemCaseSensitive(item, "min")->valuedouble == field->min);
        assert_true(cJSON_GetObjectItemCaseSensitive(item, "max")->valuedouble == field->max);
    }
}

static void test_parameters(void **state)
{
    (void)state;
    for (uint32_t i = 0; rheo__neuron_at(i); i++) {
        const rheo_neuron *neuron = rheo__neuron_at(i);
        char *text = NULL;
        CHECK_OK(ctx, rheo_show(ctx, neuron->name, true, &text));
        cJSON *json = parsed(text);
        const cJSON *item, *list = cJSON_GetObjectItemCaseSensitive(json->child, "parameters");
        const rheo_field *field = neuron->fields;
        assert_string_equal(text_of(json->child, "equations"), neuron->equations);
        assert_string_equal(text_of(json->child, "source"), neuron->source);
        cJSON_ArrayForEach(item, list) check_parameter(field++, item);
        assert_null(field->name);
        cJSON_Delete(json);
    }
}

static void test_show_text(void **state)
{
    static const struct {
        const char *name, *expect[5];
    } cases[] = {
        {"lif", {"lif (neuron): leaky integrate-and-fire", "equations\n", "beta", "0 to 1"}},
        {"atan", {"atan (surrogate)", "slope: 2 unless said"}},
        {"mnist", {"60000 for training, 10000 for test", "1 x 28 x 28", "classes: 10"}},
        {"TrueNorth", {"TrueNorth (chip)", "neurons: 1048576", "learns on chip: no"}},
        {"45nm", {"pJ a multiply-accumulate: 4.6", "pJ an accumulate: 0.9"}},
        {"surrogate-mlp",
         {"family: spikes", "paper: Eshraghian et al. 2023", "net\n  in-1000-out",
          "rheobase train surrogate-mlp --size small\n", "full: 89"}},
        {"recipes/surrogate-mlp.yaml", {"rheobase plan recipes/surrogate-mlp.yaml\n"}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = NULL;
        CHECK_OK(ctx, rheo_show(ctx, cases[i].name, false, &text));
        for (size_t e = 0; e < 5 && cases[i].expect[e]; e++)
            if (!strstr(text, cases[i].expect[e]))
                fail_msg("show %s lacks '%s':\n%s", cases[i].name, cases[i].expect[e], text);
        rheo_free(ctx, text);
    }
}

/* A name of two things shows both: `rate`, if nothing else, is a read-out only; so the test looks
 * for one that the tables have twice. */
static void test_ambiguous(void **state)
{
    (void)state;
    for (size_t k = 0; k < KINDS; k++)
        for (uint32_t i = 0; kinds[k].name(i); i++) {
            int count = 0;
            for (size_t other = 0; other < KINDS; other++)
                for (uint32_t j = 0; kinds[other].name(j); j++)
                    count += !strcmp(kinds[other].name(j), kinds[k].name(i));
            if (count == 1) continue;
            char *text = NULL;
            CHECK_OK(ctx, rheo_show(ctx, kinds[k].name(i), true, &text));
            cJSON *json = parsed(text);
            assert_int_equal(cJSON_GetArraySize(json), count);
            cJSON_Delete(json);
        }
}

static void test_unknown(void **state)
{
    char *text = NULL;
    (void)state;
    CHECK_FAILS(ctx, rheo_show(ctx, "conductance-lfi", false, &text), RHEO_USAGE,
                "unknown name 'conductance-lfi', did you mean 'conductance-lif'?");
    CHECK_FAILS(ctx, rheo_show(ctx, "surogate-mlp", true, &text), RHEO_USAGE,
                "did you mean 'surrogate-mlp'?");
    CHECK_FAILS(ctx, rheo_show(ctx, "qqqqqqqqqqqq", false, &text), RHEO_USAGE,
                "unknown name 'qqqqqqqqqqqq'; 'rheobase list' shows all");
    CHECK_FAILS(ctx, rheo_show(ctx, "no/such.yaml", false, &text), RHEO_MISSING, "no/such.yaml");
    CHECK_FAILS(ctx, rheo_show(ctx, "tests/recipes/tab.yaml", false, &text), RHEO_USAGE,
                "tests/recipes/tab.yaml:3: not YAML");
}

static rheo_status with_faults(rheo_context *failing, void *arg)
{
    char *text = NULL;
    rheo_status status =
        arg ? rheo_list(failing, arg, false, &text) : rheo_show(failing, "lif", false, &text);
    rheo_free(failing, text);
    return status;
}

static void test_out_of_memory(void **state)
{
    char kind[] = "neurons";
    (void)state;
    faults_sweep(with_faults, NULL);
    faults_sweep(with_faults, kind);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_list, set_up, close_context),
        cmocka_unit_test_setup_teardown(test_list_all, set_up, close_context),
        cmocka_unit_test_setup_teardown(test_show_all, set_up, close_context),
        cmocka_unit_test_setup_teardown(test_parameters, set_up, close_context),
        cmocka_unit_test_setup_teardown(test_show_text, set_up, close_context),
        cmocka_unit_test_setup_teardown(test_ambiguous, set_up, close_context),
        cmocka_unit_test_setup_teardown(test_unknown, set_up, close_context),
        cmocka_unit_test_setup_teardown(test_out_of_memory, set_up, close_context),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
