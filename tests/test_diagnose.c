/* test_diagnose.c: nets broken on purpose, each in one way: the diagnosis finds that, and finds
 * nothing in a net that learns. */
#include "session_rig.h"
#include <rheobase/recipe.h>
#include <sys/stat.h>

#define HEAD                                                                                       \
    TINY_HEAD "data: {name: digits, validation: 0, train: 200, test: 50, batch: 50}\n"             \
              "code: {input: constant, steps: 10, output: rate}\n"
#define LEARN(text) "learn: {method: bptt, loss: membrane-ce, " text "}\n"
#define NET(neuron) "net: in-30-30-out\nneuron: {model: lif, beta: 0.9" neuron "}\n"
#define GOOD        LEARN("optimiser: adam, rate: 2.0e-3, epochs: 3")
#define STILL       LEARN("optimiser: sgd, rate: 1.0e-3, epochs: 0")
/* two hidden layers whose first weights are as said */
#define DRAWN(first, second)                                                                       \
    "net:\n  - dense: {out: 30, " first "}\n  - neuron: {}\n  - dense: {out: 30, " second          \
    "}\n  - neuron: {}\n  - dense: {out: out}\n  - neuron: {}\n"                                   \
    "neuron: {model: lif, beta: 0.9, surrogate: fast-sigmoid, slope: 5}\n"

static const struct {
    const char *text;
    const char *finds[4]; /* names; what is not named must not be found, but see `may` */
    const char *where;    /* of the first; NULL: anywhere */
    const char *may;      /* consequences */
} nets[] = {
    {HEAD NET("") GOOD, {0}, NULL, NULL},
    {HEAD NET(", threshold: 50") STILL, {"silent", "threshold"}, "1", "dead-surrogate"},
    {HEAD DRAWN("gain: 60, initialise: uniform, low: 0.01, high: 0.02", "gain: 1") STILL,
     {"saturated"},
     "1",
     "dead-surrogate vanishing-gradient"},
    {HEAD NET(", slope: 1.0e+6") STILL, {"dead-surrogate"}, "1", "vanishing-gradient"},
    {HEAD DRAWN("gain: 1", "initialise: normal, sd: 1.0e-7") STILL,
     {"silent"},
     "2",
     "threshold vanishing-gradient rate-too-high"},
    {HEAD NET("") LEARN("optimiser: adam, rate: 5.0, epochs: 0"),
     {"rate-too-high"},
     "1.weight",
     NULL},
    {HEAD NET("") LEARN("optimiser: adam, rate: 1.0e-12, epochs: 0"),
     {"rate-too-low"},
     "1.weight",
     NULL},
    {HEAD NET("") LEARN("optimiser: adam, rate: 1.0e-9, epochs: 3"),
     {"rate-too-low", "loss-not-falling"},
     "1.weight",
     NULL},
    /* linear units, so that the gradient is the product of the weights behind */
    {HEAD "net:\n  - dense: {out: 30}\n  - neuron: {model: identity}\n"
          "  - dense: {out: 30, initialise: normal, sd: 1.0e-6}\n  - neuron: {model: identity}\n"
          "  - dense: {out: out}\n  - neuron: {model: identity}\n"
          "learn: {method: bptt, loss: cross-entropy, optimiser: sgd, rate: 1.0e-3, epochs: 0}\n",
     {"vanishing-gradient"},
     "1.weight",
     "rate-too-high"},
    {HEAD "net:\n  - dense: {out: 30, initialise: normal, sd: 1.0e-4}\n"
          "  - neuron: {model: identity}\n"
          "  - dense: {out: 30, initialise: normal, sd: 1.0e+6}\n  - neuron: {model: identity}\n"
          "  - dense: {out: out}\n  - neuron: {model: identity}\n"
          "learn: {method: bptt, loss: cross-entropy, optimiser: sgd, rate: 1.0e-6, epochs: 0}\n",
     {"exploding-gradient"},
     "1.weight",
     "vanishing-gradient rate-too-high rate-too-low"},
};

static void make_run(rheo_context *ctx, const char *text, char **folder)
{
    rheo_recipe *recipe = NULL;
    CHECK_OK(ctx, tiny_recipe(ctx, text, &recipe));
    const rheo_train_options options = {.out = in_folder("runs"), .force = true};
    CHECK_OK(ctx, rheo_train(recipe, &options, folder));
    rheo_recipe_free(recipe);
}

static const char *first_where(const char *json, const char *name)
{
    static char where[64];
    char key[64];
    snprintf(key, sizeof key, "\"name\":\t\"%s\"", name);
    const char *at = strstr(json, key);
    at = at ? strstr(at, "\"where\":\t\"") : NULL;
    where[0] = 0;
    if (at) sscanf(at, "\"where\":\t\"%63[^\"]", where);
    return where;
}

static void test_finds(void **state)
{
    static const char *const all[] = {"not-finite",         "silent",         "saturated",
                                      "threshold",          "dead-surrogate", "vanishing-gradient",
                                      "exploding-gradient", "rate-too-high",  "rate-too-low",
                                      "loss-not-falling"};
    (void)state;
    rheo_context *ctx = check_context(2);
    for (size_t i = 0; i < sizeof nets / sizeof nets[0]; i++) {
        char *folder = NULL, *json = NULL, *text = NULL;
        make_run(ctx, nets[i].text, &folder);
        CHECK_OK(ctx, rheo_diagnose(ctx, folder, true, &json));
        CHECK_OK(ctx, rheo_diagnose(ctx, folder, false, &text));
        for (size_t k = 0; k < sizeof all / sizeof all[0]; k++) {
            char key[64];
            bool expected = false;
            for (int f = 0; f < 4 && nets[i].finds[f]; f++)
                expected = expected || !strcmp(nets[i].finds[f], all[k]);
            snprintf(key, sizeof key, "\"name\":\t\"%s\"", all[k]);
            const bool found = strstr(json, key) != NULL;
            const bool may = nets[i].may && strstr(nets[i].may, all[k]);
            if (found != expected && !may)
                fail_msg("net %zu: %s is %sfound\n%s", i, all[k], found ? "" : "not ", text);
        }
        if (nets[i].where && strcmp(first_where(json, nets[i].finds[0]), nets[i].where) != 0)
            fail_msg("net %zu: at '%s', expected '%s'\n%s", i, first_where(json, nets[i].finds[0]),
                     nets[i].where, text);
        assert_int_equal(!nets[i].finds[0], strstr(text, "nothing is found") != NULL);
        rheo_free(ctx, json), rheo_free(ctx, text), rheo_free(ctx, folder);
    }
    rheo_context_free(ctx);
}

/* A run without a model: its checkpoint. */
static void test_checkpoint(void **state)
{
    (void)state;
    hook h = {.stop = 5};
    rheo_context *ctx = hook_context(&h, 1);
    rheo_recipe *recipe = NULL;
    char *folder = NULL, *text = NULL, *again = NULL;
    CHECK_OK(ctx, tiny_recipe(ctx, HEAD NET(", threshold: 40") GOOD, &recipe));
    const rheo_train_options options = {.out = in_folder("runs"), .force = true};
    assert_int_equal(rheo_train(recipe, &options, NULL), RHEO_INTERRUPTED);
    h.flag = 0;
    rheo_recipe_free(recipe);
    CHECK_OK(ctx, rheo_diagnose(ctx, in_folder("runs/tiny/digits-full/1"), false, &text));
    assert_non_null(strstr(text, "silent, 1: "));
    /* the look has changed nothing */
    CHECK_OK(ctx, rheo_diagnose(ctx, in_folder("runs/tiny/digits-full/1"), false, &again));
    assert_string_equal(text, again);
    CHECK_FAILS(ctx, rheo_diagnose(ctx, in_folder("runs"), false, &text), RHEO_MISSING,
                "checkpoint.rheo");
    rheo_free(ctx, text), rheo_free(ctx, again), rheo_free(ctx, folder);
    rheo_context_free(ctx);
}

/* Weights that are not finite are said, not stumbled over. */
static void test_not_finite(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    rheo_job job;
    rheo_text text = {.ctx = ctx};
    char *out = NULL;
    CHECK_OK(ctx, tiny_job(ctx, HEAD NET("") STILL, &job));
    rheo__net_param(job.net, "2", "weight")->value[7] = NAN;
    mkdir(in_folder("broken"), 0700);
    rheo__doc_write(job.recipe->doc, &text);
    CHECK_OK(ctx, rheo__job_save(&job, in_folder("broken/model.rheo"), text.data));
    CHECK_OK(ctx, rheo_diagnose(ctx, in_folder("broken"), false, &out));
    assert_non_null(strstr(out, "not-finite, 2.weight: "));
    rheo_free(ctx, out);
    rheo__text_free(&text);
    rheo__job_close(&job);
    rheo_context_free(ctx);
}

/* Nets that do not learn by gradients: their activity. */
static void test_local(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(2);
    char *folder = NULL, *text = NULL;
    make_run(ctx, with(with(tiny_local, "train: 60", "train: 12"), "epochs: 2", "epochs: 1"),
             &folder);
    CHECK_OK(ctx, rheo_diagnose(ctx, folder, false, &text));
    assert_non_null(strstr(text, "population"));
    assert_null(strstr(text, "parameter "));
    rheo_free(ctx, text), rheo_free(ctx, folder);
    rheo_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds),
        cmocka_unit_test(test_checkpoint),
        cmocka_unit_test(test_not_finite),
        cmocka_unit_test(test_local),
    };
    return cmocka_run_group_tests(tests, NULL, remove_folder);
}
