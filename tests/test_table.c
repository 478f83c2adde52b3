/* Rows and tables. Oracles: Student's t from published tables (Fisher & Yates), Wilson's interval
 * from Newcombe, Statistics in Medicine 17 (1998), table I, method 3; means and deviations by hand;
 * the tables' text written out; RFC 4180. */
#include "check.h"
#include "make_runs.h"
#include "recipe/job.h"
#include "report/row.h"

static void test_intervals(void **state)
{
    (void)state;
    static const struct {
        uint32_t n;
        double t;
    } t[] = {{2, 12.706}, {3, 4.303},  {6, 2.571},   {11, 2.228},  {31, 2.042},
             {41, 2.021}, {61, 2.000}, {121, 1.980}, {1001, 1.962}};
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) /* published to three decimals */
        CHECK_NEAR(rheo__t_half_width(1, t[i].n) * sqrt(t[i].n), t[i].t, 0.0006);
    CHECK_NEAR(rheo__t_half_width(3, 9), rheo__t_half_width(1, 9) * 3, 1e-12);
    assert_true(isnan(rheo__t_half_width(1, 1)));
    static const double wilson[][4] = {
        {81, 263, .2553, .3662}, {15, 148, .0624, .1605}, {0, 20, 0, .1611}, {1, 29, .0061, .1718}};
    for (size_t i = 0; i < 4; i++) { /* published to four decimals */
        double interval[2];
        rheo__wilson(wilson[i][0], wilson[i][1], interval);
        CHECK_NEAR(interval[0] / 100, wilson[i][2], 6e-5);
        CHECK_NEAR(interval[1] / 100, wilson[i][3], 6e-5);
    }
}

static void test_human(void **state)
{
    (void)state;
    static const struct {
        double x;
        const char *text;
    } cases[] = {{0, "0"},          {1, "1"},          {999, "999"},        {999.4, "999"},
                 {999.6, "1 k"},    {1000, "1 k"},     {1234567, "1.23 M"}, {2392800, "2.39 M"},
                 {999499, "999 k"}, {999600, "1 M"},   {0.19, "0.19"},      {0.012345, "0.0123"},
                 {3.2e11, "320 G"}, {-1500, "-1.5 k"}, {NAN, "–"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[32];
        rheo__human(cases[i].x, text);
        assert_string_equal(text, cases[i].text);
    }
}

/* three seeds of one system, and one other of another family that sorts before it */
static void make_two(rheo_context *ctx, const char *root)
{
    char folder[256];
    static const double accuracy[] = {92, 90, 94};
    for (int seed = 1; seed <= 3; seed++) {
        make_run run = {"b-net",       "spikes", "64-10-2", accuracy[seed - 1], 91.5, seed, 25,
                        1000.0 * seed, 660,      NULL};
        make_folder(ctx, root, &run, folder);
    }
    make_run other = {"z|net", "binary", "64-2", 80,  81.25,
                      1,       1,        5e6,    128, "\"free\":\"a,\\\"b\\\"\","};
    make_folder(ctx, root, &other, folder);
}

static void read_two(rheo_context *ctx, const char *root, rheo_row **rows)
{
    uint32_t count = 0;
    const char *folders[] = {root, root}; /* named twice, counted once */
    CHECK_OK(ctx, rheo__rows_read(ctx, folders, 2, rows, &count));
    assert_int_equal(count, 2);
}

static void test_merge(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    char root[64];
    rheo_row *rows = NULL;
    make_root(root);
    make_two(ctx, root);
    read_two(ctx, root, &rows);
    assert_string_equal(rheo__text_at(rows[0].json, "name"), "z|net"); /* binary comes first */
    const cJSON *b = rows[1].json;
    assert_int_equal(rows[1].runs, 3);
    CHECK_NEAR(rheo__number_at(b, "accuracy.mean"), 92, 1e-12);
    CHECK_NEAR(rheo__number_at(b, "accuracy.sd"), 2, 1e-12);
    /* 92 -+ 4.3027 * 2 / sqrt 3 */
    CHECK_NEAR(rheo__number_at(b, "accuracy.interval.0"), 92 - 4.9683, 1e-4);
    CHECK_NEAR(rheo__number_at(b, "accuracy.interval.1"), 92 + 4.9683, 1e-4);
    assert_int_equal(cJSON_GetArraySize(rheo__at(b, "accuracy.each")), 3);
    CHECK_NEAR(rheo__number_at(b, "accuracy.each.1"), 90, 0); /* by seed */
    CHECK_NEAR(rheo__number_at(b, "seeds.2"), 3, 0);
    CHECK_NEAR(rheo__number_at(b, "synaptic_operations"), 2000, 1e-9);
    CHECK_NEAR(rheo__number_at(b, "train.seconds"), 4, 1e-12);
    CHECK_NEAR(rheo__number_at(b, "accuracy_by_step.1"), 92, 1e-12);
    CHECK_NEAR(rheo__number_at(b, "confusion.0.0"), 46, 1e-12);
    assert_string_equal(rheo__text_at(b, "verdict"), "reached");
    assert_null(cJSON_GetObjectItem(b, "seed"));
    /* one seed: no deviation, Wilson over the 100 samples of its confusion matrix */
    double wilson[2];
    rheo__wilson(80, 100, wilson);
    assert_true(isnan(rheo__number_at(rows[0].json, "accuracy.sd")));
    CHECK_NEAR(rheo__number_at(rows[0].json, "accuracy.interval.0"), wilson[0], 1e-9);
    CHECK_NEAR(rheo__number_at(rows[0].json, "accuracy.interval.1"), wilson[1], 1e-9);
    assert_string_equal(rheo__text_at(rows[0].json, "verdict"), "short");
    rheo__rows_free(ctx, rows, 2);
    remove_root(root);
    rheo_context_free(ctx);
}

/* runs under other --set options and of other sizes are other systems, and say so */
static void test_settings(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    char root[64], folder[256], to[512], label[RHEO_CELL];
    make_root(root);
    make_run run = {"net", "local", "64-2", 70, -1, 1, 9, 10, 20, NULL};
    make_folder(ctx, root, &run, folder);
    snprintf(to, sizeof to, "%s/net/digits-small-0123abcd", root);
    CHECK_OK(ctx, rheo__make_folders(ctx, to));
    snprintf(to, sizeof to, "%s/net/digits-small-0123abcd/1", root);
    assert_int_equal(rename(folder, to), 0);
    make_folder(ctx, root, &run, folder);
    rheo_row *rows = NULL;
    uint32_t count = 0;
    const char *folders[] = {root};
    CHECK_OK(ctx, rheo__rows_read(ctx, folders, 1, &rows, &count));
    assert_int_equal(count, 2);
    rheo__row_label(rows, count, 0, label);
    assert_string_equal(label, "net");
    rheo__row_label(rows, count, 1, label);
    assert_string_equal(label, "net [0123abcd]");
    assert_string_equal(rheo__text_at(rows[0].json, "verdict"), "none");
    rheo__rows_free(ctx, rows, count);
    remove_root(root);
    rheo_context_free(ctx);
}

static void table_text(rheo_context *ctx, const char *root, rheo_table_kind kind, rheo_text *out)
{
    rheo_row *rows = NULL;
    read_two(ctx, root, &rows);
    *out = (rheo_text){.ctx = ctx};
    rheo__table(rows, 2, kind, out);
    assert_int_equal(out->status, RHEO_OK);
    rheo__rows_free(ctx, rows, 2);
}

static void test_texts(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    char root[64];
    rheo_text text;
    make_root(root);
    make_two(ctx, root);
    table_text(ctx, root, RHEO_TABLE_TERMINAL, &text);
    assert_string_equal(text.data, "system  family  network  steps    accuracy %  spikes/neuron  "
                                   "SynOps  MACs (same net)  energy nJ"
                                   "  decision  train s  on chip  reported %  verdict\n"
                                   "z|net   binary  64-2         1         80.00            2.5    "
                                   " 5 M              128        5 k"
                                   "         2        2  yes               –  short by 1.2\n"
                                   "b-net   spikes  64-10-2     25  92.00 ± 2.00            2.5    "
                                   " 2 k              660          2"
                                   "         2        4  yes               –  reached\n");
    rheo__text_free(&text);
    table_text(ctx, root, RHEO_TABLE_MARKDOWN, &text);
    assert_string_equal(text.data,
                        "| system | family | network | steps | accuracy % | spikes/neuron | SynOps "
                        "| MACs (same net) | "
                        "energy nJ | decision | train s | on chip | reported % | verdict |\n"
                        "|---|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---|---:|---|\n"
                        "| z\\|net | binary | 64-2 | 1 | 80.00 | 2.5 | 5 M | 128 | 5 k | 2 | 2 | "
                        "yes | – | short by 1.2 "
                        "|\n"
                        "| b-net | spikes | 64-10-2 | 25 | 92.00 ± 2.00 | 2.5 | 2 k | 660 | 2 | 2 "
                        "| 4 | yes | – | reached "
                        "|\n");
    rheo__text_free(&text);
    table_text(ctx, root, RHEO_TABLE_JSON, &text);
    cJSON *json = cJSON_Parse(text.data);
    assert_int_equal(cJSON_GetArraySize(json), 2);
    assert_string_equal(rheo__text_at(cJSON_GetArrayItem(json, 0), "free"), "a,\"b\"");
    assert_true(cJSON_IsNull(
        cJSON_GetObjectItem(cJSON_GetObjectItem(cJSON_GetArrayItem(json, 0), "accuracy"), "sd")));
    /* what INTERFACE promises of each element */
    static const char *const promised[] = {"name",
                                           "family",
                                           "data",
                                           "steps",
                                           "parameters",
                                           "accuracy.mean",
                                           "accuracy.interval",
                                           "accuracy.each",
                                           "verdict",
                                           "spikes_per_neuron",
                                           "synaptic_operations",
                                           "macs_without_spikes",
                                           "energy_nj",
                                           "steps_to_decision",
                                           "train.seconds",
                                           "train.operations",
                                           "train.peak_mb",
                                           "hardware.chips",
                                           "command",
                                           "commit"};
    for (size_t p = 0; p < sizeof promised / sizeof promised[0]; p++)
        for (int e = 0; e < 2; e++)
            assert_non_null(rheo__at(cJSON_GetArrayItem(json, e), promised[p]));
    cJSON_Delete(json);
    rheo__text_free(&text);
    remove_root(root);
    rheo_context_free(ctx);
}

/* The next cell of a CSV text by RFC 4180; false at the end of the text. *line_end after the last
 * cell of a line. */
static bool csv_cell(const char **at, char *cell, bool *line_end)
{
    const char *c = *at;
    if (!*c) return false;
    bool quoted = *c == '"';
    for (c += quoted; *c && (quoted ? !(c[0] == '"' && c[1] != '"') : *c != ',' && *c != '\r');
         c++) {
        if (quoted && *c == '"') c++;
        *cell++ = *c;
    }
    *cell = 0;
    c += quoted;
    *line_end = *c == '\r';
    assert_true(*c == ',' || (c[0] == '\r' && c[1] == '\n'));
    *at = c + (*line_end ? 2 : 1);
    return true;
}

static void test_csv(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    char root[64], folder[256], head[80][64], cell[512];
    rheo_text text = {.ctx = ctx};
    make_root(root);
    make_run run = {"n", "local", "64-2", 77, -1, 4, 2, 1000, 500, NULL};
    make_folder(ctx, root, &run, folder);
    /* a title with all that needs quoting */
    char path[300], *data = NULL;
    size_t size = 0;
    snprintf(path, sizeof path, "%s/result.json", folder);
    CHECK_OK(ctx, rheo__file_read(ctx, path, 1 << 20, &data, &size));
    char *title = strstr(data, "\"title\":\"T\"");
    assert_non_null(title);
    rheo_text changed = {.ctx = ctx};
    rheo__text_put(&changed, data, (size_t)(title - data));
    rheo__text_add(&changed, "\"title\":\"one, \\\"two\\\"\\nthree\"%s", title + 11);
    put_file(ctx, folder, "result.json", changed.data);
    rheo_row *rows = NULL;
    uint32_t count = 0, columns = 0, lines = 0, column = 0;
    const char *folders[] = {root}, *at;
    CHECK_OK(ctx, rheo__rows_read(ctx, folders, 1, &rows, &count));
    rheo__table(rows, count, RHEO_TABLE_CSV, &text);
    bool end = false;
    for (at = text.data; csv_cell(&at, cell, &end); column = end ? 0 : column + 1, lines += end) {
        static const char *const expected[][2] = {
            {"title", "one, \"two\"\nthree"}, {"accuracy_mean", "77"},  {"accuracy_sd", ""},
            {"accuracy_at_1", "50"},          {"accuracy_at_2", "77"},  {"accuracy_at_5", ""},
            {"operations_ratio", "2.2"},      {"chips", "Loihi; ODIN"}, {"multiplies", "yes"},
            {"event_driven", "no"},           {"reported", ""},         {"seeds", "4"},
            {"learning", "local traces"},     {"fan_in", "64"}};
        if (lines == 0) {
            snprintf(head[column], sizeof head[column], "%.63s", cell);
            columns = column + 1;
            continue;
        }
        for (size_t e = 0; e < sizeof expected / sizeof expected[0]; e++)
            if (!strcmp(head[column], expected[e][0])) assert_string_equal(cell, expected[e][1]);
        if (end) assert_int_equal(column + 1, columns);
    }
    assert_int_equal(lines, 2);
    for (uint32_t c = 0, found = 0; c < columns; c++) {
        found += !strcmp(head[c], "title") || !strcmp(head[c], "accuracy_at_5") ||
                 !strcmp(head[c], "operations_ratio") || !strcmp(head[c], "chips");
        if (c + 1 == columns) assert_int_equal(found, 4);
    }
    rheo__rows_free(ctx, rows, count);
    rheo__text_free(&text);
    rheo__text_free(&changed);
    rheo__release(ctx, data);
    remove_root(root);
    rheo_context_free(ctx);
}

/* the terminal's table stays within 160 characters however long the names are */
static void test_width(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    char root[64], folder[256];
    rheo_text text = {.ctx = ctx};
    make_root(root);
    make_run run = {"a-system-with-a-name-that-is-much-longer-than-any-column-é",
                    "constrained",
                    "784-1024-1024-1024-1024-1024-1024-1024-1024-10",
                    88.5,
                    90,
                    1,
                    1000,
                    123456,
                    1e9,
                    NULL};
    make_folder(ctx, root, &run, folder);
    run.seed = 2;
    run.accuracy = 70;
    make_folder(ctx, root, &run, folder);
    rheo_row *rows = NULL;
    uint32_t count = 0;
    const char *folders[] = {root};
    CHECK_OK(ctx, rheo__rows_read(ctx, folders, 1, &rows, &count));
    rheo__table(rows, count, RHEO_TABLE_TERMINAL, &text);
    uint32_t width = 0, lines = 0;
    for (const char *c = text.data; *c; c++) {
        width = *c == '\n' ? 0 : width + ((*c & 0xc0) != 0x80);
        lines += *c == '\n';
        assert_true(width <= 160);
    }
    assert_int_equal(lines, 2);
    for (uint32_t c = 0; c < RHEO_COLUMNS; c++)
        assert_non_null(strstr(text.data, rheo__column_names[c])); /* every head is whole */
    assert_non_null(strstr(text.data, "…"));
    rheo__rows_free(ctx, rows, count);
    rheo__text_free(&text);
    remove_root(root);
    rheo_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_intervals), cmocka_unit_test(test_human),
        cmocka_unit_test(test_merge),     cmocka_unit_test(test_settings),
        cmocka_unit_test(test_texts),     cmocka_unit_test(test_csv),
        cmocka_unit_test(test_width),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
