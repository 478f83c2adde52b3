/* test_recipe.c: YAML, the schema, sizes, --set, variants, folders and finding of recipes. Bad
 * recipes stand in tests/recipes: the first line of each says the line and the message it must get.
 */
#include "data_files.h"
#include "faults.h"
#include "recipe/schema.h"
#include <dirent.h>

static rheo_context *ctx;
static size_t resting; /* bytes that the context itself holds */

static int open_context(void **state)
{
    (void)state;
    unsetenv("RHEOBASE_RECIPES");
    ctx = check_context(1);
    resting = rheo_memory_used(ctx).now;
    return 0;
}

static int close_context(void **state)
{
    (void)state;
    assert_int_equal(rheo_memory_used(ctx).now, resting);
    rheo_context_free(ctx);
    return 0;
}

static rheo_recipe *opened(const char *path, const char *size, const char *const *set)
{
    rheo_recipe *recipe = NULL;
    CHECK_OK(ctx, rheo_recipe_open(ctx, path, &(rheo_recipe_options){.size = size, .set = set},
                                   &recipe));
    return recipe;
}

/* ---- YAML ---- */

static void write_back(const rheo_doc *doc, char *out, size_t room)
{
    rheo_text text = {.ctx = ctx};
    rheo__doc_write(doc, &text);
    assert_int_equal(text.status, RHEO_OK);
    assert_true(text.size < room);
    strcpy(out, text.data);
    rheo__text_free(&text);
}

static void test_yaml_tree(void **state)
{
    /* what is read, and the same as rheo__doc_write has it */
    static const char *const cases[][2] = {
        {"1.5", "1.5\n"},
        {"a: {b: [1, two], c: {}}\n", "a:\n  b:\n    - 1\n    - two\n  c: {}\n"},
        {"# c\na: 'x: y' # d\nb: \"true\"\n", "a: \"x: y\"\nb: \"true\"\n"},
        {"%YAML 1.1\n---\na: 1\n...\n", "a: 1\n"},
        {"\xEF\xBB\xBF"
         "a: \xC3\xA4\n",
         "a: \xC3\xA4\n"},
        {"a: >\n  folded\n  text\n", "a: \"folded text\\n\"\n"},
        {"a:\nb: ~\n", "a: \"\"\nb: ~\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rheo_doc *doc = NULL;
        char text[256];
        CHECK_OK(ctx, rheo__yaml_parse(ctx, "x", cases[i][0], strlen(cases[i][0]), &doc));
        write_back(doc, text, sizeof text);
        assert_string_equal(text, cases[i][1]);
        rheo__doc_free(ctx, doc);
    }
}

static void test_yaml_lines(void **state)
{
    static const char text[] = "a: 1\n\nb:\n  - x\n  - y: >\n      long\nc:\n  {d: 4}\n";
    static const struct {
        const char *path;
        uint32_t line;
    } cases[] = {{"a", 1}, {"b", 3}, {"b.0", 4}, {"b.1", 5}, {"b.1.y", 5}, {"c", 7}, {"c.d", 8}};
    rheo_doc *doc = NULL;
    (void)state;
    CHECK_OK(ctx, rheo__yaml_parse(ctx, "x", text, strlen(text), &doc));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const rheo_doc *found = rheo__doc_find(doc, cases[i].path);
        assert_non_null(found);
        assert_int_equal(found->line, cases[i].line);
    }
    rheo__doc_free(ctx, doc);
}

static void refused(const char *text, size_t size, const char *message)
{
    rheo_doc *doc = NULL;
    CHECK_FAILS(ctx, rheo__yaml_parse(ctx, "x.yaml", text, size, &doc), RHEO_USAGE, message);
    assert_null(doc);
}

static void test_yaml_refusals(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"a: *b\n", "x.yaml:1: an alias"},
        {"a:\n  &b 1\n", "x.yaml:2: an anchor"},
        {"a: 1\nb: &c [1]\n", "x.yaml:2: an anchor"},
        {"&a\nb: 1\n", "x.yaml:1: an anchor"},
        {"a: !!str 1\n", "x.yaml:1: a tag"},
        {"a: !mine {b: 1}\n", "x.yaml:1: a tag"},
        {"[a]: 1\n", "x.yaml:1: a list as a key"},
        {"? {a: 1}\n: 2\n", "x.yaml:1: a map as a key"},
        {"a: 1\nb: {c: 1, c: 2}\n", "x.yaml:2: 'c' stands twice in one map, first in line 2"},
        {"a: 1\n---\nb: 1\n", "x.yaml:2: a second document"},
        {"a: [1, 2\nb: 3\n", "x.yaml:2: not YAML"},
        {"a: \"x\\0y\"\n", "x.yaml:1: a zero byte"},
        {"a: \xff\xfe\n", "expected text in UTF-8"},
        {"", "x.yaml: nothing but space and comments"},
        {"# only\n", "x.yaml: nothing but space and comments"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refused(cases[i].text, strlen(cases[i].text), cases[i].message);
}

/* n times `piece` between `before` and `after` */
static char *repeated(const char *before, const char *piece, size_t n, const char *after)
{
    size_t length = strlen(piece);
    char *text = malloc(strlen(before) + n * length + strlen(after) + 1), *p = text;
    assert_non_null(text);
    p += strlen(strcpy(p, before));
    for (size_t i = 0; i < n; i++, p += length) memcpy(p, piece, length);
    strcpy(p, after);
    return text;
}

static void test_yaml_limits(void **state)
{
    rheo_doc *doc = NULL;
    (void)state;
    char *text = repeated("", "[", 33, "");
    refused(text, strlen(text), "x.yaml:1: maps and lists nested deeper than 32");
    free(text);
    text = repeated("[", "1,", 1025, "]");
    refused(text, strlen(text), "more than 1024 entries");
    free(text);
    text = repeated("[", "1,", 1024, "]"); /* the limit itself is fine */
    CHECK_OK(ctx, rheo__yaml_parse(ctx, "x", text, strlen(text), &doc));
    assert_int_equal(rheo__doc_count(doc), 1024);
    rheo__doc_free(ctx, doc);
    free(text);
    char *row = repeated("[", "1,", 1000, "],");
    text = repeated("[", row, 66, "]");
    doc = NULL;
    refused(text, strlen(text), "more than 65536 values");
    free(row);
    free(text);
    text = repeated("# ", "x", RHEO_RECIPE_BYTES, "");
    refused(text, strlen(text), "expected a recipe of at most 1048576");
    free(text);
}

/* ---- bad recipes ---- */

static void bad_recipe(const char *name)
{
    char path[512], expect[256], message[768], *text = NULL;
    size_t size;
    rheo_recipe *recipe = NULL;
    snprintf(path, sizeof path, "tests/recipes/%s", name);
    CHECK_OK(ctx, rheo__file_read(ctx, path, 1 << 16, &text, &size));
    if (sscanf(text, "# expect %255[^\n]", expect) != 1) fail_msg("%s: no '# expect'", path);
    rheo__release(ctx, text);
    rheo_status status = rheo_recipe_open(ctx, path, NULL, &recipe);
    bool place = expect[0] >= '0' && expect[0] <= '9';
    snprintf(message, sizeof message, "%s%s%s", place || expect[0] == ':' ? path : "",
             place ? ":" : "", expect);
    if (status != RHEO_USAGE || !strstr(rheo_error(ctx), message))
        fail_msg("%s: status %d, message '%s' lacks '%s'", path, status, rheo_error(ctx), message);
    assert_null(recipe);
}

static void test_bad_recipes(void **state)
{
    DIR *dir = opendir("tests/recipes");
    uint32_t count = 0;
    (void)state;
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (!strstr(entry->d_name, ".yaml")) continue;
        bad_recipe(entry->d_name);
        count++;
    }
    closedir(dir);
    assert_true(count > 40);
}

/* ---- the shipped recipes ---- */

static const char *const shipped[] = {
    "surrogate-mlp", "surrogate-mlp-rate", "binarynet-mlp",       "diehl2015-mlp",
    "softlif-mlp",   "diehl-cook-2015",    "diehl-cook-2015-400", NULL};

static void test_round_trip(void **state)
{
    static const char *const none[] = {NULL};
    static const char *const some[] = {"data.name=fashion-mnist", "data.batch=1", "code.step=0.7",
                                       "title='yes: \"no\" # 3'", NULL};
    static const char *const *const sets[] = {none, some};
    static const char *const sizes[] = {"full", "small"};
    (void)state;
    for (size_t n = 0; shipped[n]; n++)
        for (size_t i = 0; i < 4; i++) {
            rheo_recipe *first = opened(shipped[n], sizes[i / 2], sets[i % 2]), *second = NULL;
            char *a = NULL, *b = NULL;
            CHECK_OK(ctx, rheo_recipe_text(first, &a));
            CHECK_OK(ctx, rheo__recipe_from_text(ctx, a, "recipe.yaml", &second));
            CHECK_OK(ctx, rheo_recipe_text(second, &b));
            assert_string_equal(a, b);
            assert_string_equal(first->set, second->set);
            assert_string_equal(first->size, second->size);
            assert_string_equal(rheo_recipe_name(second), shipped[n]);
            assert_int_equal(first->seed, second->seed);
            assert_int_equal(first->variants, second->variants);
            assert_memory_equal(&first->phase, &second->phase, sizeof first->phase);
            assert_memory_equal(&first->code, &second->code, sizeof first->code);
            rheo_free(ctx, a);
            rheo_free(ctx, b);
            rheo_recipe_free(first);
            rheo_recipe_free(second);
        }
}

/* Every net can be built for the images of MNIST and for the digits, variants too. */
static void build(const rheo_recipe *recipe, rheo_shape shape)
{
    rheo_net *net = NULL;
    rheo_net_request request = {.net = recipe->net,
                                .neuron = recipe->neuron,
                                .in = shape,
                                .classes = 10,
                                .dt = recipe->code.dt,
                                .seed = 1,
                                .file = recipe->file};
    CHECK_OK(ctx, rheo__net_build(ctx, &request, &net));
    assert_int_equal(rheo_net_inputs(net), rheo__shape_size(shape));
    if (!strstr(recipe->name, "diehl-cook")) assert_int_equal(rheo_net_outputs(net), 10);
    rheo_net_free(net);
}

static void test_nets_build(void **state)
{
    (void)state;
    for (size_t n = 0; shipped[n]; n++) {
        rheo_recipe *recipe = opened(shipped[n], NULL, NULL);
        build(recipe, (rheo_shape){{1, 28, 28}});
        build(recipe, (rheo_shape){{1, 8, 8}});
        for (uint32_t v = 0; v < recipe->variants; v++) {
            rheo_recipe *variant = NULL;
            CHECK_OK(ctx, rheo__recipe_variant(recipe, v, &variant));
            build(variant, (rheo_shape){{1, 8, 8}});
            rheo_recipe_free(variant);
        }
        rheo_recipe_free(recipe);
    }
}

static double option(const rheo_field *fields, const rheo_options *options, const char *name)
{
    int at = rheo__field_index(fields, name);
    assert_true(at >= 0);
    return options->v[at];
}

/* The example of the interface, value by value. */
static void test_meaning(void **state)
{
    rheo_recipe *r = opened("surrogate-mlp", NULL, NULL);
    const rheo_phase *phase = &r->phase[0];
    (void)state;
    assert_string_equal(r->family, "spikes");
    assert_string_equal(r->data.name, "mnist");
    assert_int_equal(r->batch, 128);
    assert_int_equal(r->data.validation, 0);
    assert_string_equal(r->code.encoder->name, "constant");
    assert_int_equal(r->code.steps, 25);
    assert_true(r->code.dt == 1.0);
    assert_string_equal(rheo__doc_text(r->neuron, "beta", ""), "0.95");
    assert_int_equal(r->phases, 1);
    assert_string_equal(phase->learner->name, "bptt");
    assert_string_equal(phase->loss->name, "membrane-ce");
    assert_string_equal(phase->optimiser->name, "adam");
    assert_true(option(phase->learner->fields, &phase->options, "rate") == 5e-4);
    assert_true(option(phase->optimiser->fields, &phase->optimiser_options, "beta2") == 0.999);
    assert_true(r->reported == 93.87 && r->accept == 89);
    assert_int_equal(r->seed, 1);
    rheo_recipe_free(r);

    r = opened("surrogate-mlp", "small", NULL);
    assert_true(r->accept == 80);
    assert_int_equal(r->data.train, 20000);
    assert_int_equal(r->data.test, 2000);
    assert_int_equal(r->batch, 128); /* the map was merged, not replaced */
    rheo_recipe_free(r);

    static const char *const fashion[] = {"data.name=fashion-mnist", NULL};
    r = opened("surrogate-mlp", NULL, fashion);
    assert_true(isnan(r->reported)); /* the source speaks of MNIST */
    assert_true(isnan(r->accept) || r->accept != 89);
    rheo_recipe_free(r);
}

/* ---- sizes, --set ---- */

static void test_sizes(void **state)
{
    static const char text[] =
        "name: t\nfamily: spikes\ndata: {name: digits, batch: 8}\nnet: in-out\n"
        "learn:\n  - {method: bptt, rate: 0.5, epochs: 9}\n  - {method: bptt}\n"
        "small:\n  data: {train: 100}\n  learn.0: {epochs: 2}\n  net: in-5-out\n"
        "full: {data: {test: 7}}\n";
    rheo_recipe *r;
    (void)state;
    put_file(in_folder("t.yaml"), text, strlen(text));
    r = opened(in_folder("t.yaml"), "small", NULL);
    assert_int_equal(r->data.train, 100);
    assert_int_equal(r->batch, 8);
    assert_int_equal(r->data.test, 0);
    assert_string_equal(r->net->text, "in-5-out");
    assert_true(option(r->phase[0].learner->fields, &r->phase[0].options, "epochs") == 2);
    assert_true(option(r->phase[0].learner->fields, &r->phase[0].options, "rate") == 0.5);
    rheo_recipe_free(r);
    r = opened(in_folder("t.yaml"), NULL, NULL);
    assert_string_equal(r->size, "full");
    assert_int_equal(r->data.test, 7);
    assert_string_equal(r->net->text, "in-out");
    rheo_recipe_free(r);
}

static void test_size_refusals(void **state)
{
    static const char plain[] = "name: t\nfamily: spikes\ndata: {name: digits}\nnet: in-out\n"
                                "learn: {method: bptt}\n";
    rheo_recipe *r = NULL, *small = opened("surrogate-mlp", "small", NULL);
    char *text = NULL;
    (void)state;
    put_file(in_folder("plain.yaml"), plain, strlen(plain));
    CHECK_FAILS(
        ctx,
        rheo_recipe_open(ctx, in_folder("plain.yaml"), &(rheo_recipe_options){.size = "small"}, &r),
        RHEO_USAGE, "the recipe has no small size");
    CHECK_FAILS(ctx,
                rheo_recipe_open(ctx, "surrogate-mlp", &(rheo_recipe_options){.size = "smal"}, &r),
                RHEO_USAGE, "unknown size 'smal'; did you mean 'small'?");
    CHECK_OK(ctx, rheo_recipe_text(small, &text));
    put_file(in_folder("complete.yaml"), text, strlen(text));
    CHECK_FAILS(ctx,
                rheo_recipe_open(ctx, in_folder("complete.yaml"),
                                 &(rheo_recipe_options){.size = "full"}, &r),
                RHEO_USAGE, "complete recipe of size 'small', 'full' was asked for");
    rheo_free(ctx, text);
    rheo_recipe_free(small);
}

static void test_set(void **state)
{
    static const char *const set[] = {"learn.rate=2e-3", "neuron.beta=0.5", "learn.rate=1.0e-3",
                                      "net=[{dense: {out: out}}, {neuron: {model: lif}}]", NULL};
    rheo_recipe *r = opened("surrogate-mlp", "small", set);
    (void)state;
    assert_true(option(r->phase[0].learner->fields, &r->phase[0].options, "rate") == 1e-3);
    assert_string_equal(rheo__doc_text(r->neuron, "beta", ""), "0.5");
    assert_int_equal(r->net->kind, RHEO_LIST);
    /* sorted, the last of each key */
    assert_string_equal(r->set, "learn.rate=1.0e-3\nnet=[{dense: {out: out}}, {neuron: {model: "
                                "lif}}]\nneuron.beta=0.5");
    rheo_recipe_free(r);
    static const char *const over_small[] = {"data.train=77", NULL}; /* --set is the last word */
    r = opened("surrogate-mlp", "small", over_small);
    assert_int_equal(r->data.train, 77);
    rheo_recipe_free(r);
    static const char *const loss[] = {"learn.loss=rate-mse", "learn.correct=0.8", NULL};
    r = opened("surrogate-mlp", NULL, loss);
    assert_string_equal(r->phase[0].loss->name, "rate-mse");
    assert_true(option(r->phase[0].loss->fields, &r->phase[0].loss_options, "correct") == 0.8);
    rheo_recipe_free(r);
    static const char *const index[] = {"learn.0.rate=0.25", NULL}; /* one map is a list of one */
    r = opened("surrogate-mlp", NULL, index);
    assert_true(option(r->phase[0].learner->fields, &r->phase[0].options, "rate") == 0.25);
    rheo_recipe_free(r);
}

/* What belonged to the optimiser that is replaced goes with it; what is set anew must fit. */
static void test_replaced_choice(void **state)
{
    static const char text[] = "name: t\nfamily: spikes\ndata: {name: digits}\nnet: in-out\n"
                               "learn: {method: bptt, optimiser: adam, beta1: 0.8, rate: 0.5}\n";
    static const char *const sgd[] = {"learn.optimiser=sgd", NULL};
    static const char *const wrong[] = {"learn.optimiser=sgd", "learn.beta1=0.7", NULL};
    rheo_recipe *r;
    (void)state;
    put_file(in_folder("t.yaml"), text, strlen(text));
    r = opened(in_folder("t.yaml"), NULL, sgd);
    assert_string_equal(r->phase[0].optimiser->name, "sgd");
    assert_true(option(r->phase[0].learner->fields, &r->phase[0].options, "rate") == 0.5);
    rheo_recipe_free(r);
    r = NULL;
    CHECK_FAILS(
        ctx, rheo_recipe_open(ctx, in_folder("t.yaml"), &(rheo_recipe_options){.set = wrong}, &r),
        RHEO_USAGE, "unknown key 'beta1' in learn");
}

static void test_set_refusals(void **state)
{
    static const struct {
        const char *option, *message;
    } cases[] = {
        {"learn.rte=1", "--set learn.rte=1: "},
        {"learn.rte=1", "unknown key 'rte' in learn; did you mean 'rate'?"},
        {"larn.rate=1", "unknown key 'larn' in a recipe; did you mean 'learn'?"},
        {"learn.rate=fast", "rate is 'fast', expected a number"},
        {"learn.rate", "--set learn.rate: expected key.path=value"},
        {"learn.rate=", "expected key.path=value"},
        {"=1", "expected key.path=value"},
        {"net=[1", "--set net:2: not YAML"},
        {"data..name=mnist", "--set data..name: 'data..name' is not a path"},
        {"net.1=x", "--set net.1: cannot set 'net.1'"},
        {"learn.3.rate=1", "learn.3.rate"},
        {"size=small", "'size' cannot be set"},
        {"seed=2", "'seed' cannot be set"},
        {"small.data.train=2", "'small' cannot be set"},
        {"variants.a.b=2", "'variants' cannot be set"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *const set[] = {cases[i].option, NULL};
        rheo_recipe *r = NULL;
        CHECK_FAILS(ctx,
                    rheo_recipe_open(ctx, "surrogate-mlp", &(rheo_recipe_options){.set = set}, &r),
                    RHEO_USAGE, cases[i].message);
    }
    const char *const which[] = {"learn.rate=1", NULL};
    rheo_recipe *r = NULL;
    CHECK_FAILS(ctx,
                rheo_recipe_open(ctx, "diehl2015-mlp", &(rheo_recipe_options){.set = which}, &r),
                RHEO_USAGE, "learn has 3 phases; say which, e.g. learn.0.rate");
}

static void test_variants(void **state)
{
    rheo_recipe *r = opened("diehl2015-mlp", NULL, NULL);
    bool poisson = false, model = false;
    (void)state;
    assert_string_equal(r->code.encoder->name, "constant");
    for (uint32_t i = 0; i < r->variants; i++) {
        rheo_recipe *v = NULL;
        CHECK_OK(ctx, rheo__recipe_variant(r, i, &v));
        const char *by = rheo__doc_text(rheo__doc_find(v->doc, "learn.1"), "by", "");
        assert_int_equal(v->variants, 0);
        if (!strcmp(r->variant[i]->key, "poisson")) {
            poisson = true;
            assert_string_equal(v->code.encoder->name, "poisson");
            assert_true(option(v->code.encoder->fields, &v->code.options, "rate") == 1000);
            assert_string_equal(by, "data");
        }
        if (!strcmp(r->variant[i]->key, "model")) {
            model = true;
            assert_string_equal(by, "model");
            assert_string_equal(v->code.encoder->name, "constant");
        }
        rheo_recipe_free(v);
    }
    assert_true(poisson && model);
    rheo_recipe_free(r);
}

/* ---- folders and finding ---- */

static void test_folder(void **state)
{
    /* sha256("data.name=fashion-mnist\nlearn.rate=2e-3") begins with d23b7938, by Python's hashlib
     */
    static const char *const a[] = {"learn.rate=2e-3", "data.name=fashion-mnist", NULL};
    static const char *const b[] = {"data.name=mnist", "data.name=fashion-mnist", "learn.rate=2e-3",
                                    NULL};
    char path[RHEO_PATH];
    (void)state;
    rheo_recipe *r = opened("surrogate-mlp", "small", NULL);
    CHECK_OK(ctx, rheo__recipe_folder(r, NULL, path));
    assert_string_equal(path, "runs/surrogate-mlp/mnist-small/1");
    rheo_recipe_free(r);
    r = opened("surrogate-mlp", NULL, a);
    CHECK_OK(ctx, rheo__recipe_folder(r, "demo", path));
    assert_string_equal(path, "demo/surrogate-mlp/fashion-mnist-full-d23b7938/1");
    rheo_recipe_free(r);
    CHECK_OK(ctx, rheo_recipe_open(ctx, "surrogate-mlp",
                                   &(rheo_recipe_options){.set = b, .seed = UINT64_MAX}, &r));
    CHECK_OK(ctx, rheo__recipe_folder(r, "demo", path));
    assert_string_equal(path,
                        "demo/surrogate-mlp/fashion-mnist-full-d23b7938/18446744073709551615");
    char *text = NULL;
    rheo_recipe *again = NULL;
    CHECK_OK(ctx, rheo_recipe_text(r, &text));
    CHECK_OK(ctx, rheo__recipe_from_text(ctx, text, "x", &again));
    assert_true(again->seed == UINT64_MAX); /* more than a double holds */
    rheo_free(ctx, text);
    rheo_recipe_free(again);
    char *deep = repeated("", "x/", 3000, "x");
    CHECK_FAILS(ctx, rheo__recipe_folder(r, deep, path), RHEO_USAGE, "give a shorter --out");
    free(deep);
    rheo_recipe_free(r);
}

static void test_find(void **state)
{
    static const char text[] = "name: own\nfamily: local\ndata: {name: digits}\nnet: in-out\n"
                               "learn: {method: bptt}\n";
    char places[600];
    rheo_recipe *r = NULL;
    (void)state;
    CHECK_FAILS(ctx, rheo_recipe_open(ctx, "own-recipe", NULL, &r), RHEO_USAGE,
                "unknown recipe 'own-recipe', expected a file or a name");
    CHECK_FAILS(ctx, rheo_recipe_open(ctx, "surogate-mlp", NULL, &r), RHEO_USAGE,
                "unknown recipe 'surogate-mlp'; did you mean 'surrogate-mlp'?");
    CHECK_FAILS(ctx, rheo_recipe_open(ctx, "none.yaml", NULL, &r), RHEO_MISSING, "none.yaml");
    CHECK_FAILS(ctx, rheo_recipe_open(ctx, "no/where", NULL, &r), RHEO_MISSING, "no/where");
    CHECK_FAILS(ctx, rheo_recipe_open(ctx, "", NULL, &r), RHEO_USAGE, "0 characters");
    put_file(in_folder("b/own-recipe.yaml"), text, strlen(text));
    put_file(in_folder("b/surrogate-mlp.yaml"), text, strlen(text));
    snprintf(places, sizeof places, "/does/not/exist::%s", in_folder("b"));
    setenv("RHEOBASE_RECIPES", places, 1);
    r = opened("own-recipe", NULL, NULL);
    assert_string_equal(rheo_recipe_name(r), "own");
    rheo_recipe_free(r);
    r = opened("surrogate-mlp", NULL, NULL); /* one's own comes first */
    assert_string_equal(rheo_recipe_name(r), "own");
    rheo_recipe_free(r);
    r = opened("recipes/surrogate-mlp.yaml", NULL, NULL);
    assert_string_equal(rheo_recipe_name(r), "surrogate-mlp");
    rheo_recipe_free(r);
    char **names = NULL;
    uint32_t own = 0, both = 0;
    CHECK_OK(ctx, rheo__recipe_names(ctx, &names));
    for (uint32_t i = 0; names[i]; i++) {
        assert_true(i == 0 || strcmp(names[i - 1], names[i]) < 0); /* sorted, each once */
        own += !strcmp(names[i], "own-recipe");
        both += !strcmp(names[i], "surrogate-mlp");
    }
    assert_true(own == 1 && both == 1);
    rheo__names_free(ctx, names);
    unsetenv("RHEOBASE_RECIPES");
}

/* ---- tables, memory ---- */

/* A key of a section must mean one thing: the tables that share a map have no name in common, leave
 * the section's own keys alone, and fit together. */
static void apart(const rheo_field *a, const rheo_field *b)
{
    for (; a && a->name; a++)
        if (b && rheo__field_index(b, a->name) >= 0) fail_msg("'%s' is in two tables", a->name);
}

static void reserved(const rheo_field *fields, const char *const *names)
{
    for (; *names; names++)
        if (fields && rheo__field_index(fields, *names) >= 0)
            fail_msg("'%s' is the section's own key", *names);
}

static uint32_t size_of(const rheo_field *fields)
{
    return fields ? rheo__field_count(fields) : 0;
}

static void test_tables(void **state)
{
    static const char *const graph[] = {"model", "name", "from", "to", "port", NULL};
    static const char *const method[] = {"method", NULL}, *const input[] = {"input", NULL};
    (void)state;
    for (uint32_t i = 0; rheo__neuron_at(i); i++) reserved(rheo__neuron_at(i)->fields, graph);
    for (uint32_t i = 0; rheo__encoder_at(i); i++) {
        const rheo_field *fields = rheo__encoder_at(i)->fields;
        apart(fields, rheo__code_fields);
        reserved(fields, input);
        assert_true(size_of(fields) + size_of(rheo__code_fields) <= RHEO_OPTIONS_MAX);
    }
    for (uint32_t i = 0; rheo__learner_at(i); i++) {
        const rheo_learner *learner = rheo__learner_at(i);
        reserved(learner->fields, method);
        if (rheo__field_index(learner->fields, "loss") < 0) continue;
        for (uint32_t l = 0; rheo__loss_at(l); l++)
            for (uint32_t o = 0; rheo__optimiser_at(o); o++) {
                const rheo_field *a = rheo__loss_at(l)->fields, *b = rheo__optimiser_at(o)->fields;
                apart(learner->fields, a);
                apart(learner->fields, b);
                apart(a, b);
                assert_true(size_of(learner->fields) + size_of(a) + size_of(b) <= RHEO_OPTIONS_MAX);
            }
    }
}

static rheo_status open_with_faults(rheo_context *failing, void *arg)
{
    static const char *const set[] = {"learn.0.rate=2e-3", "data.batch=7", NULL};
    rheo_recipe *recipe = NULL;
    char *text = NULL;
    (void)arg;
    rheo_status status = rheo_recipe_open(
        failing, "diehl2015-mlp", &(rheo_recipe_options){.size = "small", .set = set}, &recipe);
    if (status) return status;
    status = rheo_recipe_text(recipe, &text);
    rheo_free(failing, text);
    rheo_recipe_free(recipe);
    return status;
}

static void test_out_of_memory(void **state)
{
    (void)state;
    faults_sweep(open_with_faults, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_yaml_tree, open_context, close_context),
        cmocka_unit_test_setup_teardown(test_yaml_lines, open_context, close_context),
        cmocka_unit_test_setup_teardown(test_yaml_refusals, open_context, close_context),
        cmocka_unit_test_setup_teardown(test_yaml_limits, open_context, close_context),
        cmocka_unit_test_setup_teardown(test_bad_recipes, open_context, close_context),
        cmocka_unit_test_setup_teardown(test_round_trip, open_context, close_context),
        cmocka_unit_test_setup_teardown(test_nets_build, open_context, close_context),
        cmocka_unit_test_setup_teardown(test_meaning, open_context, close_context),
        cmocka_unit_test_setup_teardown(test_sizes, open_context, close_context),
        cmocka_unit_test_setup_teardown(test_size_refusals, open_context, close_context),
        cmocka_unit_test_setup_teardown(test_set, open_context, close_context),
        cmocka_unit_test_setup_teardown(test_replaced_choice, open_context, close_context),
        cmocka_unit_test_setup_teardown(test_set_refusals, open_context, close_context),
        cmocka_unit_test_setup_teardown(test_variants, open_context, close_context),
        cmocka_unit_test_setup_teardown(test_folder, open_context, close_context),
        cmocka_unit_test_setup_teardown(test_find, open_context, close_context),
        cmocka_unit_test_setup_teardown(test_tables, open_context, close_context),
        cmocka_unit_test_setup_teardown(test_out_of_memory, open_context, close_context),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
