/* test_doc.c: trees, paths, merging, options with their messages, and the writer, whose text is
 * read back by libyaml: the oracle for what needs quotes. */
#include "check.h"
#include "faults.h"
#include "base/doc.h"

#include <yaml.h>

static rheo_context *ctx;

static int set_up(void **state)
{
    (void)state;
    ctx = check_context(1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_true(rheo_memory_used(ctx).now < 4096); /* the pool only */
    rheo_context_free(ctx);
    return 0;
}

static rheo_doc *scalar(const char *key, const char *text, uint32_t line)
{
    rheo_doc *doc = NULL;
    CHECK_OK(ctx, rheo__doc_new(ctx, RHEO_SCALAR, key, text, line, &doc));
    return doc;
}

static rheo_doc *branch(rheo_doc_kind kind, const char *key, uint32_t line)
{
    rheo_doc *doc = NULL;
    CHECK_OK(ctx, rheo__doc_new(ctx, kind, key, NULL, line, &doc));
    return doc;
}

/* name: x / net: 784-10 / learn: [ {method: adam, rate: 5e-4}, {method: sgd} ] */
static rheo_doc *sample(void)
{
    rheo_doc *root = branch(RHEO_MAP, NULL, 1), *list = branch(RHEO_LIST, "learn", 3);
    rheo_doc *first = branch(RHEO_MAP, NULL, 4), *second = branch(RHEO_MAP, NULL, 6);
    rheo__doc_append(root, scalar("name", "x", 1));
    rheo__doc_append(root, scalar("net", "784-10", 2));
    rheo__doc_append(root, list);
    rheo__doc_append(list, first);
    rheo__doc_append(list, second);
    rheo__doc_append(first, scalar("method", "adam", 4));
    rheo__doc_append(first, scalar("rate", "5e-4", 5));
    rheo__doc_append(second, scalar("method", "sgd", 6));
    return root;
}

static void expect_text(const rheo_doc *doc, const char *expected)
{
    rheo_text text = {.ctx = ctx};
    rheo__doc_write(doc, &text);
    assert_int_equal(text.status, RHEO_OK);
    assert_string_equal(text.data, expected);
    rheo__text_free(&text);
}

static void test_tree(void **state)
{
    (void)state;
    rheo_doc *root = sample();
    assert_int_equal(rheo__doc_count(root), 3);
    assert_int_equal(rheo__doc_count(NULL), 0);
    assert_string_equal(rheo__doc_text(root, "net", "?"), "784-10");
    assert_string_equal(rheo__doc_text(root, "nets", "?"), "?");
    assert_string_equal(rheo__doc_text(root, "learn", "?"), "?");
    assert_null(rheo__doc_get(rheo__doc_get(root, "net"), "x"));
    assert_null(rheo__doc_get(NULL, "x"));
    assert_string_equal(rheo__doc_find(root, "learn.0.rate")->text, "5e-4");
    assert_int_equal(rheo__doc_find(root, "learn.1")->line, 6);
    assert_ptr_equal(rheo__doc_find(root, ""), root);
    assert_ptr_equal(rheo__doc_at(rheo__doc_get(root, "learn"), 1),
                     rheo__doc_find(root, "learn.1"));
    static const char *const nowhere[] = {
        "learn.2",     "learn.x",       "learn.-1",
        "learn..rate", ".net",          "net.",
        "net.0",       "learn.0.rates", "learn.99999999999999999999"};
    for (size_t i = 0; i < sizeof nowhere / sizeof nowhere[0]; i++)
        assert_null(rheo__doc_find(root, nowhere[i]));
    expect_text(root, "name: x\nnet: 784-10\nlearn:\n  - method: adam\n    rate: 5e-4\n"
                      "  - method: sgd\n");
    rheo__doc_free(ctx, root);
    rheo__doc_free(ctx, NULL);
}

static void test_set(void **state)
{
    (void)state;
    rheo_doc *root = sample();
    CHECK_OK(ctx, rheo__doc_set(ctx, root, "learn.0.rate", scalar(NULL, "0.1", 0)));
    CHECK_OK(ctx, rheo__doc_set(ctx, root, "learn.1", scalar("gone", "stdp", 0)));
    CHECK_OK(ctx, rheo__doc_set(ctx, root, "data.noise.sd", scalar("wrong", "0.5", 0)));
    CHECK_OK(ctx, rheo__doc_set(ctx, root, "name", branch(RHEO_LIST, NULL, 0)));
    static const char *const expected =
        "name: []\nnet: 784-10\nlearn:\n  - method: adam\n    rate: 0.1\n  - stdp\n"
        "data:\n  noise:\n    sd: 0.5\n";
    expect_text(root, expected);
    static const struct {
        const char *path, *error;
    } cases[] = {
        {"net.0", "cannot set 'net.0': what is before '0' is the value '784-10'"},
        {"learn.0.rate.x", "'0.1', not a map or a list"},
        {"learn.2", "cannot set 'learn.2': '2' stands before a list of 2"},
        {"learn.first.rate", "'first' stands before a list"},
        {"", "'' is not a path"},
        {"learn..rate", "'learn..rate' is not a path"},
        {"learn.", "'learn.' is not a path"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rheo_doc *value = scalar(NULL, "1", 0); /* stays ours */
        CHECK_FAILS(ctx, rheo__doc_set(ctx, root, cases[i].path, value), RHEO_USAGE,
                    cases[i].error);
        rheo__doc_free(ctx, value);
    }
    expect_text(root, expected);
    rheo__doc_free(ctx, root);
}

static void test_merge(void **state)
{
    (void)state;
    rheo_doc *base = sample(), *over = branch(RHEO_MAP, NULL, 0), *copy = NULL;
    CHECK_OK(ctx, rheo__doc_set(ctx, base, "data.name", scalar(NULL, "mnist", 0)));
    CHECK_OK(ctx, rheo__doc_set(ctx, base, "data.part", scalar(NULL, "all", 0)));
    CHECK_OK(ctx, rheo__doc_set(ctx, over, "data.name", scalar(NULL, "digits", 0)));
    CHECK_OK(ctx, rheo__doc_set(ctx, over, "net", branch(RHEO_MAP, NULL, 0)));
    CHECK_OK(ctx, rheo__doc_set(ctx, over, "learn", branch(RHEO_LIST, NULL, 0)));
    CHECK_OK(ctx, rheo__doc_set(ctx, over, "extra.deep", scalar(NULL, "1", 0)));
    CHECK_OK(ctx, rheo__doc_clone(ctx, over, &copy));
    CHECK_OK(ctx, rheo__doc_merge(ctx, base, over));
    expect_text(base, "name: x\nnet: {}\nlearn: []\ndata:\n  name: digits\n  part: all\n"
                      "extra:\n  deep: 1\n");
    assert_true(rheo__doc_equal(over, copy)); /* untouched */
    rheo__doc_free(ctx, base);
    rheo__doc_free(ctx, over);
    rheo__doc_free(ctx, copy);
}

static void test_equal(void **state)
{
    (void)state;
    rheo_doc *a = sample(), *b = sample();
    assert_true(rheo__doc_equal(a, b));
    rheo_doc *name = b->child; /* another order of keys is the same map */
    b->child = name->next;
    name->next = NULL;
    rheo__doc_append(b, name);
    assert_true(rheo__doc_equal(a, b));
    CHECK_OK(ctx, rheo__doc_set(ctx, b, "learn.1.rate", scalar(NULL, "1", 0)));
    assert_false(rheo__doc_equal(a, b));
    assert_false(rheo__doc_equal(b, a));
    CHECK_OK(ctx, rheo__doc_set(ctx, a, "learn.1.rate", scalar(NULL, "2", 0)));
    assert_false(rheo__doc_equal(a, b));
    assert_false(rheo__doc_equal(a, NULL));
    assert_false(rheo__doc_equal(a, a->child));
    rheo__doc_free(ctx, a);
    rheo__doc_free(ctx, b);
}

/* A tree from libyaml's events: key and value alternate in a map. */
static rheo_doc *parse_node(yaml_parser_t *parser, const yaml_event_t *event, const char *key)
{
    rheo_doc *doc = NULL;
    if (event->type == YAML_SCALAR_EVENT) {
        doc = scalar(key, (const char *)event->data.scalar.value, 0);
        doc->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
        return doc;
    }
    bool map = event->type == YAML_MAPPING_START_EVENT;
    if (!map && event->type != YAML_SEQUENCE_START_EVENT) fail_msg("event %d", event->type);
    doc = branch(map ? RHEO_MAP : RHEO_LIST, key, 0);
    for (;;) {
        yaml_event_t next, value;
        assert_true(yaml_parser_parse(parser, &next));
        if (next.type == YAML_MAPPING_END_EVENT || next.type == YAML_SEQUENCE_END_EVENT) {
            yaml_event_delete(&next);
            return doc;
        }
        if (map) {
            assert_int_equal(next.type, YAML_SCALAR_EVENT);
            assert_true(yaml_parser_parse(parser, &value));
            rheo__doc_append(doc, parse_node(parser, &value, (char *)next.data.scalar.value));
            yaml_event_delete(&value);
        } else {
            rheo__doc_append(doc, parse_node(parser, &next, NULL));
        }
        yaml_event_delete(&next);
    }
}

static rheo_doc *parse(const char *text)
{
    yaml_parser_t parser;
    yaml_event_t event;
    rheo_doc *doc = NULL;
    assert_true(yaml_parser_initialize(&parser));
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, strlen(text));
    for (;;) {
        if (!yaml_parser_parse(&parser, &event)) fail_msg("'%s': %s", text, parser.problem);
        yaml_event_type_t type = event.type;
        if (type != YAML_STREAM_START_EVENT && type != YAML_DOCUMENT_START_EVENT &&
            type != YAML_DOCUMENT_END_EVENT && type != YAML_STREAM_END_EVENT) {
            assert_null(doc);
            doc = parse_node(&parser, &event, NULL);
        }
        yaml_event_delete(&event);
        if (type == YAML_STREAM_END_EVENT) break;
    }
    yaml_parser_delete(&parser);
    return doc;
}

static void round_trip(const rheo_doc *doc)
{
    rheo_text once = {.ctx = ctx}, twice = {.ctx = ctx};
    rheo__doc_write(doc, &once);
    rheo_doc *back = parse(once.data);
    if (!rheo__doc_equal(doc, back)) fail_msg("not read back: %s", once.data);
    rheo__doc_write(back, &twice);
    assert_string_equal(once.data, twice.data); /* canonical */
    rheo__doc_free(ctx, back);
    rheo__text_free(&once);
    rheo__text_free(&twice);
}

static const struct {
    const char *text, *written; /* written NULL: as it is */
} scalars[] = {
    {"784-1000-10", NULL},
    {"-0.5", NULL},
    {"5e-4", NULL},
    {"conv(3, 2)", NULL},
    {"a: b", "\"a: b\""},
    {"a:b", NULL},
    {"12:", "\"12:\""},
    {"a #b", "\"a #b\""},
    {"a#b", NULL},
    {"", "\"\""},
    {" a", "\" a\""},
    {"a ", "\"a \""},
    {"-", "\"-\""},
    {"- a", "\"- a\""},
    {"---", "\"---\""},
    {"...", "\"...\""},
    {"?", "\"?\""},
    {": a", "\": a\""},
    {"[a", "\"[a\""},
    {"{a}", "\"{a}\""},
    {"*a", "\"*a\""},
    {"&a", "\"&a\""},
    {"!a", "\"!a\""},
    {"%a", "\"%a\""},
    {"@a", "\"@a\""},
    {"`a", "\"`a\""},
    {"|", "\"|\""},
    {">", "\">\""},
    {"'a'", "\"'a'\""},
    {"\"a\"", "\"\\\"a\\\"\""},
    {"C:\\dir", NULL},
    {"a\\ #", "\"a\\\\ #\""},
    {"a\nb", "\"a\\nb\""},
    {"a\tb", "\"a\\tb\""},
    {"a\x01\x1f\x7f", "\"a\\x01\\x1F\\x7F\""},
    {"\xC2\xB5V", NULL},
    {"a\xC2\x85z", "\"a\\Nz\""},
    {"a\xE2\x80\xA8z\xE2\x80\xA9", "\"a\\Lz\\P\""},
    {"\xEF\xBB\xBF!", "\"\\uFEFF!\""},
    {"null", NULL},
    {"true", NULL},
};

static void test_write_scalars(void **state)
{
    (void)state;
    rheo_doc *map = branch(RHEO_MAP, NULL, 0), *list = branch(RHEO_LIST, "all", 0);
    rheo__doc_append(map, list);
    for (size_t i = 0; i < sizeof scalars / sizeof scalars[0]; i++) {
        rheo_text text = {.ctx = ctx};
        rheo_doc *one = scalar(NULL, scalars[i].text, 0);
        rheo__doc_write(one, &text);
        text.data[text.size - 1] = '\0'; /* the line's end */
        assert_string_equal(text.data, scalars[i].written ? scalars[i].written : scalars[i].text);
        rheo__text_free(&text);
        round_trip(one);
        rheo__doc_append(list, one);
        if (*scalars[i].text) { /* as a key too */
            rheo__doc_append(map, scalar(scalars[i].text, scalars[i].text, 0));
        }
    }
    round_trip(map);
    rheo__doc_free(ctx, map);
}

/* What was between quotes and would mean something else without them keeps them. */
static void test_write_quoted(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool kept;
    } cases[] = {{"null", true},   {"~", true},       {"Yes", true},   {"off", true},
                 {"1", true},      {"-5e-4", true},   {".5", true},    {".inf", true},
                 {".nan", true},   {"0x1F", true},    {"name", false}, {"784-10", false},
                 {"1.2.3", false}, {"nullify", false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rheo_doc *doc = scalar(NULL, cases[i].text, 0);
        rheo_text text = {.ctx = ctx};
        doc->quoted = true;
        rheo__doc_write(doc, &text);
        assert_int_equal(text.data[0] == '"', cases[i].kept);
        round_trip(doc);
        rheo__text_free(&text);
        rheo__doc_free(ctx, doc);
    }
}

static void test_write_nested(void **state)
{
    (void)state;
    rheo_doc *root = sample(), *lists = branch(RHEO_LIST, NULL, 0);
    round_trip(root);
    for (int i = 0; i < 3; i++) { /* a list of lists, one empty; a map in it; a map in a map */
        rheo_doc *inner = branch(RHEO_LIST, NULL, 0), *map = branch(RHEO_MAP, NULL, 0);
        for (int j = 0; j < i; j++) rheo__doc_append(inner, scalar(NULL, "v", 0));
        CHECK_OK(ctx, rheo__doc_set(ctx, map, "a.b.c", scalar(NULL, "1", 0)));
        CHECK_OK(ctx, rheo__doc_set(ctx, map, "a.d", branch(RHEO_LIST, NULL, 0)));
        if (i == 2)
            rheo__doc_append(inner, map);
        else
            rheo__doc_free(ctx, map);
        rheo__doc_append(lists, inner);
    }
    CHECK_OK(ctx, rheo__doc_set(ctx, root, "deep.lists", lists));
    round_trip(root);
    rheo_doc *empty = branch(RHEO_MAP, NULL, 0);
    expect_text(empty, "{}\n");
    round_trip(empty);
    rheo__doc_free(ctx, empty);
    rheo__doc_free(ctx, root);
}

static const char *const methods[] = {"adam", "sgd", NULL};
static const rheo_field fields[] = {RHEO_NUMBER_FIELD("rate", "1", 1e-3, 0, 10, "step"),
                                    RHEO_INTEGER_FIELD("epochs", "1", 1, 1, 1000, "passes"),
                                    RHEO_CHOICE_FIELD("method", 0, methods, "how"), RHEO_FIELD_END};
static const char *const skip_keys[] = {"layers", NULL};

static void test_options(void **state)
{
    (void)state;
    rheo_doc *map = branch(RHEO_MAP, "learn", 10);
    rheo_options options = rheo__field_defaults(fields);
    rheo__doc_append(map, scalar("epochs", "5", 11));
    rheo__doc_append(map, branch(RHEO_LIST, "layers", 12));
    rheo__doc_append(map, scalar("method", "sgd", 13));
    CHECK_OK(ctx, rheo__doc_options(ctx, map, fields, skip_keys, "learn", "r.yaml", &options));
    assert_true(options.v[0] == 1e-3 && options.v[1] == 5 && options.v[2] == 1);
    CHECK_OK(ctx, rheo__doc_options(ctx, NULL, fields, NULL, "learn", "r.yaml", &options));
    rheo_doc *nothing = scalar("learn", "", 10); /* "learn:" and no more */
    CHECK_OK(ctx, rheo__doc_options(ctx, nothing, fields, NULL, "learn", "r.yaml", &options));
    rheo__doc_free(ctx, nothing);
    static const struct {
        const char *key, *text; /* text NULL: a list */
        uint32_t line;
        const char *error;
    } cases[] = {
        {"rat", "1", 12, "r.yaml:12: unknown key 'rat' in learn; did you mean 'rate'?"},
        {"layer", "1", 12, "did you mean 'layers'?"},
        {"momentum", "1", 12,
         "unknown key 'momentum' in learn, expected one of rate, epochs, "
         "method, layers"},
        {"rate", "11", 12, "r.yaml:12: learn: rate is '11', expected a number from 0 to 10"},
        {"rate", "11", 0, "r.yaml: learn: rate is '11'"},
        {"rate", NULL, 12, "r.yaml:12: learn: rate is a list, expected one value"},
        {"method", "sdg", 12, "method is 'sdg'; did you mean 'sgd'?"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rheo_doc *bad = branch(RHEO_MAP, "learn", 10);
        rheo__doc_append(bad, scalar("epochs", "7", 11));
        rheo__doc_append(bad, cases[i].text ? scalar(cases[i].key, cases[i].text, cases[i].line)
                                            : branch(RHEO_LIST, cases[i].key, cases[i].line));
        CHECK_FAILS(ctx,
                    rheo__doc_options(ctx, bad, fields, skip_keys, "learn", "r.yaml", &options),
                    RHEO_USAGE, cases[i].error);
        assert_true(options.v[1] == 5); /* untouched */
        rheo__doc_free(ctx, bad);
    }
    rheo_doc *list = branch(RHEO_LIST, "learn", 10);
    CHECK_FAILS(ctx, rheo__doc_options(ctx, list, fields, NULL, "learn", "r.yaml", &options),
                RHEO_USAGE, "r.yaml:10: learn is a list, expected a map");
    CHECK_FAILS(ctx, rheo__doc_options(ctx, map, fields, NULL, "learn", NULL, &options), RHEO_USAGE,
                "unknown key 'layers' in learn");
    rheo__doc_free(ctx, list);
    rheo__doc_free(ctx, map);
}

/* clone, set (making maps), merge and write, each allocation failing in turn */
static rheo_status work(rheo_context *c, void *arg)
{
    rheo_doc *copy = NULL, *value = NULL;
    rheo_text text = {.ctx = c};
    rheo_status status = rheo__doc_clone(c, arg, &copy);
    if (status == RHEO_OK) status = rheo__doc_new(c, RHEO_SCALAR, "k", "v", 0, &value);
    if (status == RHEO_OK) {
        status = rheo__doc_set(c, copy, "one.two.three", value);
        if (status == RHEO_OK) value = NULL;
    }
    if (status == RHEO_OK) status = rheo__doc_merge(c, copy, arg);
    if (status == RHEO_OK) {
        rheo__doc_write(copy, &text);
        status = text.status;
    }
    rheo__text_free(&text);
    rheo__doc_free(c, value);
    rheo__doc_free(c, copy);
    return status;
}

static void test_faults(void **state)
{
    (void)state;
    rheo_doc *root = sample();
    faults_sweep(work, root);
    rheo__doc_free(ctx, root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tree),          cmocka_unit_test(test_set),
        cmocka_unit_test(test_merge),         cmocka_unit_test(test_equal),
        cmocka_unit_test(test_write_scalars), cmocka_unit_test(test_write_quoted),
        cmocka_unit_test(test_write_nested),  cmocka_unit_test(test_options),
        cmocka_unit_test(test_faults),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
