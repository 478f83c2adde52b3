/* The page and the plots, made from run folders that the test writes. Oracles: what a page must and
 * must not hold (text, no network, escaped names), the PNG standard (chunks, CRC, pixels inflated
 * by zlib), rsvg-convert as a second reader of the SVG, and equal bytes from equal input. */
#include "check.h"
#include "make_runs.h"
#include "report/chart.h"
#include "report/report.h"
#include "report/svg.h"

#include <rheobase/recipe.h>
#include <sys/stat.h>
#include <zlib.h>

/* Not inlined: gcc 12 takes the pointer that is returned for one to `data`. */
__attribute__((noinline)) static char *read_text(rheo_context *ctx, const char *path)
{
    char *data = NULL;
    size_t size = 0;
    CHECK_OK(ctx, rheo__file_read(ctx, path, 1 << 26, &data, &size));
    return data;
}

static void make_five(rheo_context *ctx, const char *root, char folder[256])
{
    static const char *const families[] = {"spikes", "binary", "conversion", "constrained",
                                           "local"};
    for (int f = 0; f < 5; f++) {
        char name[32];
        snprintf(name, sizeof name, "<b>%s&", families[f]);
        make_run run = {name,
                        families[f],
                        "64-10-2",
                        60 + 6 * f,
                        f ? 75 : -1,
                        1,
                        2,
                        1000 * (f + 1),
                        660,
                        f == 2 ? "\"variants\":[{\"name\":\"other <x>\",\"accuracy\":55.5,"
                                 "\"steps_to_decision\":2,\"accuracy_by_step\":[40,55.5],"
                                 "\"operations_by_step\":[1,2]}],"
                               : NULL};
        make_folder(ctx, root, &run, folder);
        if (f == 0 || f == 4) make_figures(ctx, folder);
    }
}

static void test_page(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    char root[64], folder[256], first[128], second[128];
    make_root(root);
    make_five(ctx, root, folder);
    const char *folders[] = {root, NULL};
    snprintf(first, sizeof first, "%s/a.html", root);
    snprintf(second, sizeof second, "%s/b.html", root);
    CHECK_OK(ctx, rheo_report(ctx, folders, first));
    CHECK_OK(ctx, rheo_report(ctx, folders, second));
    char *page = read_text(ctx, first), *again = read_text(ctx, second);
    assert_string_equal(page, again);
    static const char *const held[] = {"<!doctype html>",
                                       "name=\"viewport\"",
                                       "prefers-color-scheme:dark",
                                       "@media print",
                                       "id=\"compared\"",
                                       "id=\"table\"",
                                       "id=\"time\"",
                                       "id=\"operations\"",
                                       "id=\"costs\"",
                                       "id=\"hardware\"",
                                       "id=\"training\"",
                                       "id=\"spikes\"",
                                       "id=\"fields\"",
                                       "id=\"confusion\"",
                                       "id=\"variants\"",
                                       "id=\"reproduce\"",
                                       "&lt;b&gt;local&amp;",
                                       "other &lt;x&gt;",
                                       "a &lt;processor&gt;",
                                       "rheobase train &lt;b&gt;spikes&amp; --seed 1",
                                       "00ff",
                                       "abc1234",
                                       "data:image/png;base64,",
                                       "</html>",
                                       "&lt;yes&gt;: "};
    for (size_t i = 0; i < sizeof held / sizeof held[0]; i++)
        if (!strstr(page, held[i])) fail_msg("the page lacks '%s'", held[i]);
    /* nothing from elsewhere, nothing that runs, no date, no raw text of the runs, no NaN */
    static const char *const absent[] = {
        "http",  "<script", "src=",       "@import",     "url(", "<link", "<b>local&",
        "<yes>", "<x>",     "2001-02-03", "/some/where", "nan",  "inf\""};
    for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++)
        if (strstr(page, absent[i])) fail_msg("the page holds '%s'", absent[i]);
    CHECK_FAILS(ctx, rheo_report(ctx, folders, "x.pdf"), RHEO_USAGE, ".html");
    rheo__release(ctx, page);
    rheo__release(ctx, again);
    remove_root(root);
    rheo_context_free(ctx);
}

static void test_damaged(void **state)
{
    (void)state;
    static const struct {
        const char *file, *text;
        rheo_status status;
        const char *says;
    } cases[] = {
        {"result.json", "", RHEO_FORMAT, "result.json:1"},
        {"result.json", "{\"name\":\n\"x\",\n", RHEO_FORMAT, "result.json:2"},
        {"result.json", "[1]", RHEO_FORMAT, "not a JSON object"},
        {"result.json", "{} x", RHEO_FORMAT, "not a JSON object"},
        {"result.json", "{}", RHEO_FORMAT, "'name'"},
        {"result.json", "{\"name\":7}", RHEO_FORMAT, "'name'"},
        {"result.json", "{\"name\":\"a\",\"family\":\"b\",\"data\":\"c\",\"size\":\"d\"}",
         RHEO_FORMAT, "accuracy.mean"},
        {"result.json",
         "{\"name\":\"a\",\"family\":\"b\",\"data\":\"c\",\"size\":\"d\",\"accuracy\":{\"mean\":"
         "1e999}}",
         RHEO_FORMAT, "accuracy.mean"},
        {"result.json",
         "{\"name\":\"a\",\"family\":\"b\",\"data\":\"c\",\"size\":\"d\",\"accuracy\":{\"mean\":"
         "101}}",
         RHEO_FORMAT, "101"},
        {"manifest.json", "{", RHEO_FORMAT, "manifest.json"},
        {"figures.npz", "PK\3\4 and then nothing", RHEO_FORMAT, "figures.npz"},
    };
    rheo_context *ctx = check_context(1);
    char root[64], folder[256], out[128];
    make_root(root);
    const char *folders[] = {root, NULL};
    snprintf(out, sizeof out, "%s/x.html", root);
    make_run run = {"n", "local", "64-2", 70, 60, 1, 2, 10, 20, NULL};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        make_folder(ctx, root, &run, folder);
        put_file(ctx, folder, cases[i].file, cases[i].text);
        CHECK_FAILS(ctx, rheo_report(ctx, folders, out), cases[i].status, cases[i].says);
        assert_null(strchr(rheo_error(ctx), '\n'));
        assert_false(rheo__file_exists(out));
        char path[300];
        snprintf(path, sizeof path, "%s/%s", folder, cases[i].file);
        unlink(path);
    }
    remove_root(root);
    rheo_context_free(ctx);
}

/* Odd but readable: members of another type than they should be, lists of other lengths. */
static void test_odd(void **state)
{
    (void)state;
    static const char *const odd[] = {
        "",
        ",\"accuracy_by_step\":7,\"confusion\":[[1],[2,3]],\"classes\":4,\"variants\":{\"a\":1}",
        ",\"accuracy_by_step\":[],\"operations_by_step\":[1],\"confusion\":[],\"hardware\":null",
        ",\"confusion\":[[null,\"x\"],[-4,1e308]],\"train\":[],\"command\":{},\"seeds\":3",
        ",\"steps\":-3,\"energy_nj\":1e300,\"synaptic_operations\":1e-300,\"variants\":[1,[],{}]",
        ",\"accuracy_by_step\":[null,\"a\",1e9],\"operations_by_step\":[0,-1,5],\"steps\":{}"};
    rheo_context *ctx = check_context(1);
    char root[64], folder[256], out[128], text[1024];
    make_root(root);
    const char *folders[] = {root, NULL};
    snprintf(out, sizeof out, "%s/x.html", root);
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
        for (int seed = 1; seed <= 2; seed++) {
            snprintf(folder, sizeof folder, "%s/odd%d", root, seed);
            snprintf(
                text, sizeof text,
                "{\"name\":\"a\xff\",\"family\":\"none of them\",\"data\":\"c\",\"size\":\"d\","
                "\"seed\":%d,\"accuracy\":{\"mean\":50}%s}",
                seed, odd[(i + (size_t)seed - 1) % (sizeof odd / sizeof odd[0])]);
            put_file(ctx, folder, "result.json", text);
            CHECK_OK(ctx, rheo_report(ctx, folders, out));
        }
    char *page = read_text(ctx, out);
    assert_non_null(strstr(page, "a\xef\xbf\xbd")); /* no UTF-8: replaced */
    assert_null(strchr(page, '\xff'));
    rheo__release(ctx, page);
    remove_root(root);
    rheo_context_free(ctx);
}

static void test_search(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    char root[64], folder[256], deep[400], out[128];
    make_root(root);
    const char *folders[] = {root, NULL}, *none[] = {"/nowhere/at/all", NULL};
    snprintf(out, sizeof out, "%s/x.html", root);
    CHECK_FAILS(ctx, rheo_report(ctx, folders, out), RHEO_MISSING, "no result.json");
    CHECK_FAILS(ctx, rheo_report(ctx, none, out), RHEO_MISSING, "/nowhere/at/all");
    /* four levels down is found, five is not */
    make_run run = {"n", "local", "64-2", 70, 60, 1, 2, 10, 20, NULL};
    snprintf(deep, sizeof deep, "%s/parent", root);
    make_folder(ctx, deep, &run, folder);
    CHECK_OK(ctx, rheo_report(ctx, folders, out));
    snprintf(deep, sizeof deep, "%s/parent/n", root);
    snprintf(folder, sizeof folder, "%s/parent/more", root);
    assert_int_equal(mkdir(folder, 0777), 0);
    strcat(folder, "/n");
    assert_int_equal(rename(deep, folder), 0);
    CHECK_FAILS(ctx, rheo_report(ctx, folders, out), RHEO_MISSING, "no result.json");
    remove_root(root);
    rheo_context_free(ctx);
}

static bool have_rsvg(void)
{
    return system("rsvg-convert --version >/dev/null 2>&1") == 0;
}

static void test_plots(void **state)
{
    (void)state;
    static const struct {
        const char *what, *holds;
    } cases[] = {{"curve", "epoch"},
                 {"raster", "layer 1 · 3 neurons"},
                 {"membrane", "layer 1 · 2 neurons"},
                 {"weights", "data:image/png"},
                 {"confusion", "taken for"}};
    rheo_context *ctx = check_context(1);
    char root[64], folder[256], bare[256], out[300];
    make_root(root);
    make_run run = {"n", "local", "64-2", 70, 60, 1, 2, 10, 20, NULL};
    make_folder(ctx, root, &run, folder);
    make_figures(ctx, folder);
    run.name = "bare";
    make_folder(ctx, root, &run, bare);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(out, sizeof out, "%s/%s.svg", root, cases[i].what);
        CHECK_OK(ctx, rheo_plot(ctx, folder, cases[i].what, out));
        char *svg = read_text(ctx, out);
        assert_non_null(strstr(svg, cases[i].holds));
        assert_non_null(strstr(svg, "xmlns=\"http://www.w3.org/2000/svg\""));
        assert_null(strstr(svg, "var(")); /* no page around it to say what a name means */
        rheo__release(ctx, svg);
        if (!have_rsvg()) continue;
        snprintf(out, sizeof out, "%s/%s.png", root, cases[i].what);
        CHECK_OK(ctx, rheo_plot(ctx, folder, cases[i].what, out));
        char *png = read_text(ctx, out);
        assert_memory_equal(png, "\x89PNG\r\n\x1a\n", 8);
        rheo__release(ctx, png);
    }
    snprintf(out, sizeof out, "%s/x.svg", root);
    CHECK_FAILS(ctx, rheo_plot(ctx, bare, "raster", out), RHEO_MISSING, "figures.npz");
    CHECK_FAILS(ctx, rheo_plot(ctx, folder, "rastr", out), RHEO_USAGE, "'raster'");
    CHECK_FAILS(ctx, rheo_plot(ctx, folder, "raster", "x.gif"), RHEO_USAGE, ".svg or .png");
    CHECK_FAILS(ctx, rheo_plot(ctx, root, "curve", out), RHEO_MISSING, root);
    assert_false(rheo__file_exists(out));
    remove_root(root);
    rheo_context_free(ctx);
}

static void test_no_converter(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    char root[64], folder[256], out[300], path[4096] = "", listing[200];
    make_root(root);
    make_run run = {"n", "local", "64-2", 70, 60, 1, 2, 10, 20, NULL};
    make_folder(ctx, root, &run, folder);
    snprintf(out, sizeof out, "%s/only/x.png", root);
    snprintf(listing, sizeof listing, "%s/only", root);
    assert_int_equal(mkdir(listing, 0777), 0);
    if (getenv("PATH")) snprintf(path, sizeof path, "%s", getenv("PATH"));
    setenv("PATH", root, 1);
    CHECK_FAILS(ctx, rheo_plot(ctx, folder, "curve", out), RHEO_MISSING, "librsvg2-bin");
    setenv("PATH", path, 1);
    assert_int_equal(rmdir(listing), 0); /* nothing half written is left */
    remove_root(root);
    rheo_context_free(ctx);
}

static size_t from_base64(const char *text, uint8_t *out)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n = 0;
    uint32_t bits = 0, have = 0;
    for (; *text && *text != '='; text++) {
        bits = bits << 6 | (uint32_t)(strchr(digit, *text) - digit);
        have += 6;
        if (have < 8) continue;
        have -= 8;
        out[n++] = (uint8_t)(bits >> have);
    }
    return n;
}

static uint32_t big(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void test_png(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    const uint32_t palette[3] = {0x00000000, 0x11223344, 0xfffefdff};
    for (uint32_t w = 1; w <= 5; w++) { /* all three ways base64 can end */
        uint8_t pixels[10], file[4096], lines[64];
        for (uint32_t i = 0; i < 2 * w; i++) pixels[i] = (uint8_t)(i % 3);
        rheo_text uri = {.ctx = ctx};
        rheo__png_uri(&uri, pixels, w, 2, palette, 3);
        assert_int_equal(uri.status, RHEO_OK);
        assert_memory_equal(uri.data, "data:image/png;base64,", 22);
        size_t size = from_base64(uri.data + 22, file), at = 8;
        assert_memory_equal(file, "\x89PNG\r\n\x1a\n", 8);
        uint32_t seen = 0;
        static const char *const order[] = {"IHDR", "PLTE", "tRNS", "IDAT", "IEND"};
        for (; at < size; seen++) {
            uint32_t n = big(file + at);
            const uint8_t *data = file + at + 8;
            assert_true(seen < 5 && at + 12 + n <= size);
            assert_memory_equal(file + at + 4, order[seen], 4);
            assert_int_equal(big(data + n), crc32(0, file + at + 4, n + 4));
            if (seen == 0)
                assert_true(big(data) == w && big(data + 4) == 2 && data[8] == 8 && data[9] == 3);
            if (seen == 1) assert_memory_equal(data, "\0\0\0\x11\x22\x33\xff\xfe\xfd", 9);
            if (seen == 2) assert_memory_equal(data, "\0\x44\xff", 3);
            uLongf room = sizeof lines;
            if (seen == 3) {
                assert_int_equal(uncompress(lines, &room, data, n), Z_OK);
                assert_int_equal(room, 2 * (w + 1));
                for (uint32_t y = 0; y < 2; y++) {
                    assert_int_equal(lines[y * (w + 1)], 0);
                    assert_memory_equal(lines + y * (w + 1) + 1, pixels + y * w, w);
                }
            }
            at += 12 + n;
        }
        assert_int_equal(seen, 5);
        rheo__text_free(&uri);
    }
    rheo_context_free(ctx);
}

static void test_escape(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"a<b>&\"'", "a&lt;b&gt;&amp;&quot;&#39;"},
        {"é – 漢 🙂", "é – 漢 🙂"},
        {"\x01\x7f\t", "\xef\xbf\xbd\x7f\t"},
        {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},                 /* overlong '/' */
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* a surrogate */
        {"\xf4\x90\x80\x80x", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdx"}, /* > U+10FFFF */
        {"\xe6\xbc", "\xef\xbf\xbd\xef\xbf\xbd"},                                   /* cut off */
    };
    rheo_context *ctx = check_context(1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rheo_text text = {.ctx = ctx};
        rheo__escape(&text, cases[i][0]);
        assert_string_equal(text.data, cases[i][1]);
        rheo__text_free(&text);
    }
    rheo_context_free(ctx);
}

/* The front: of (1, 50) (2, 40) (3, 70) (3, 60) (9, 70) only (1, 50) and (3, 70) stand on it, so
 * the stair has three corners. Read back from the drawing: its path has that many points. */
static void test_front(void **state)
{
    (void)state;
    static const double points[][2] = {{1, 50}, {2, 40}, {3, 70}, {3, 60}, {9, 70}};
    rheo_context *ctx = check_context(1);
    char root[64], folder[256], name[16], out[128];
    make_root(root);
    for (int i = 0; i < 5; i++) {
        snprintf(name, sizeof name, "s%d", i);
        make_run run = {name, "spikes", "64-2", points[i][1], -1, 1, 2, points[i][0] * 1000 - 100,
                        660,  NULL};
        make_folder(ctx, root, &run, folder);
    }
    const char *folders[] = {root, NULL};
    snprintf(out, sizeof out, "%s/x.html", root);
    CHECK_OK(ctx, rheo_report(ctx, folders, out));
    char *page = read_text(ctx, out), *front = strstr(page, "class=\"front");
    assert_non_null(front);
    uint32_t corners = 0;
    for (const char *c = strstr(front, "d=\""); *c != '/'; c++) corners += *c == 'M' || *c == 'L';
    assert_int_equal(corners, 3);
    rheo__release(ctx, page);
    remove_root(root);
    rheo_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_page),  cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_odd),   cmocka_unit_test(test_search),
        cmocka_unit_test(test_plots), cmocka_unit_test(test_no_converter),
        cmocka_unit_test(test_png),   cmocka_unit_test(test_escape),
        cmocka_unit_test(test_front),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
