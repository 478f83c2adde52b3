/* Data sets: contents against published figures, splits, batches, the search path, the user's own
 * files, what info and list say, failed allocations. */
#include "data_files.h"
#include "data/read.h"

static char data_path[4096]; /* RHEOBASE_DATA as the tests were started with */

static rheo_status open_set(rheo_context *ctx, rheo_data_request request, rheo_dataset **data)
{
    return rheo__data_open(ctx, &request, data);
}

/* Nothing is left in the context but what a new one has; frees it. */
static void finish(rheo_context *ctx)
{
    rheo_context *fresh = check_context(1);
    assert_int_equal(rheo_memory_used(ctx).now, rheo_memory_used(fresh).now);
    rheo_context_free(fresh);
    rheo_context_free(ctx);
}

/* ---- known sets -------------------------------------------------------------------------------
 */

static void digits_are_the_published(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    rheo_dataset *d = NULL;
    CHECK_OK(ctx, open_set(ctx, (rheo_data_request){.name = "digits"}, &d));
    assert_int_equal(d->total, 1797);
    assert_int_equal(d->count[RHEO_TRAIN], 1297);
    assert_int_equal(d->count[RHEO_TEST], 500);
    assert_int_equal(d->features, 64);
    assert_int_equal(d->classes, 10);
    /* the sums of the published table, and its first and last row (numpy on the CSV) */
    double sum = 0, test = 0;
    for (uint32_t i = 0; i < d->total; i++)
        for (int k = 0; k < 64; k++) {
            double v = (double)d->values[i * 64 + (uint32_t)k] * 16;
            assert_true(v == floor(v) && v >= 0 && v <= 16);
            sum += v;
            if (i >= 1297) test += v;
        }
    assert_true(sum == 561718 && test == 155456);
    static const float first[] = {0, 0, 5, 13, 9, 1, 0, 0, 0, 0, 13, 15, 10, 15, 5, 0};
    static const float last[] = {0, 1, 8, 12, 14, 12, 1, 0};
    for (int k = 0; k < 16; k++) assert_true(d->values[k] == first[k] / 16);
    for (int k = 0; k < 8; k++) assert_true(d->values[1796 * 64 + 56 + k] == last[k] / 16);
    static const uint32_t per_class[] = {50, 51, 49, 51, 51, 51, 51, 50, 46, 50};
    uint32_t found[10] = {0};
    for (uint32_t i = 0; i < 500; i++) found[d->label[d->index[RHEO_TEST][i]]]++;
    assert_memory_equal(found, per_class, sizeof found);
    rheo__data_free(d);
    finish(ctx);
}

typedef struct published {
    const char *name;
    uint64_t sum[2]; /* of all pixels: train, test */
    uint32_t label[2][5], per_class[10];
} published;
static const published mnist = {"mnist",
                                {1567298545, 264923200},
                                {{5, 0, 4, 1, 9}, {7, 2, 1, 0, 4}},
                                {5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949}};
static const published fashion = {"fashion-mnist",
                                  {3431114169, 573469082},
                                  {{9, 0, 0, 3, 0}, {9, 2, 1, 1, 6}},
                                  {6000, 6000, 6000, 6000, 6000, 6000, 6000, 6000, 6000, 6000}};

/* Sums are numpy's; 1567298545/(60000*784*255) = 0.1307 and 0.2860 are the means in the literature.
 */
static void images_are_the_published(void **state)
{
    const published *p = *state;
    rheo_context *ctx = check_context(1);
    rheo_dataset *d = NULL;
    setenv("RHEOBASE_DATA", data_path, 1);
    rheo_status status = open_set(ctx, (rheo_data_request){.name = p->name}, &d);
    if (status == RHEO_MISSING) {
        print_message("%s is not here: skipped\n", p->name);
        rheo_context_free(ctx);
        skip();
    }
    CHECK_OK(ctx, status);
    assert_int_equal(d->count[RHEO_TRAIN], 60000);
    assert_int_equal(d->count[RHEO_TEST], 10000);
    uint32_t found[10] = {0};
    for (int part = 0; part < 2; part++) {
        rheo_split split = part ? RHEO_TEST : RHEO_TRAIN;
        uint64_t sum = 0;
        for (uint32_t i = 0; i < d->count[split]; i++)
            for (uint32_t k = 0; k < 784; k++) sum += d->pixels[d->index[split][i] * 784 + k];
        assert_true(sum == p->sum[part]);
        for (uint32_t i = 0; i < 5; i++)
            assert_int_equal(d->label[d->index[split][i]], p->label[part][i]);
    }
    for (uint32_t i = 0; i < 60000; i++) found[d->label[i]]++;
    assert_memory_equal(found, p->per_class, sizeof found);
    assert_int_equal(d->files, 4);
    for (int i = 0; i < 4; i++) assert_true(d->file[i].known);
    assert_int_equal(d->class_name != NULL, p == &fashion);
    if (d->class_name) assert_string_equal(d->class_name[9], "ankle boot");
    /* Loading takes no more than the set itself and 1 MB. */
    assert_true(rheo_memory_used(ctx).peak < rheo__data_bytes(d) + (1 << 20));
    rheo__data_free(d);
    finish(ctx);
}

/* ---- splits and batches -----------------------------------------------------------------------
 */

static void validation_is_cut_from_training(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    rheo_dataset *d[3] = {NULL};
    for (uint64_t i = 0; i < 3; i++)
        CHECK_OK(ctx, open_set(ctx,
                               (rheo_data_request){.name = "digits",
                                                   .train = 1000,
                                                   .test = 100,
                                                   .validation = 200,
                                                   .split_seed = 1 + i / 2},
                               &d[i]));
    uint8_t seen[1797] = {0};
    assert_int_equal(d[0]->count[RHEO_TRAIN], 800);
    assert_int_equal(d[0]->count[RHEO_VALIDATION], 200);
    assert_int_equal(d[0]->count[RHEO_TEST], 100);
    for (int s = 0; s < RHEO_SPLITS; s++)
        for (uint32_t i = 0; i < d[0]->count[s]; i++) {
            assert_int_equal(seen[d[0]->index[s][i]]++, 0);
            if (i > 0) assert_true(d[0]->index[s][i] > d[0]->index[s][i - 1]);
        }
    /* the first 1000 of training, the first 100 of test, each once */
    for (uint32_t i = 0; i < 1797; i++)
        assert_int_equal(seen[i], i < 1000 || (i >= 1297 && i < 1397));
    assert_memory_equal(d[0]->index[RHEO_VALIDATION], d[1]->index[RHEO_VALIDATION], 800);
    assert_memory_not_equal(d[0]->index[RHEO_VALIDATION], d[2]->index[RHEO_VALIDATION], 800);
    assert_memory_equal(d[0]->index[RHEO_TEST], d[2]->index[RHEO_TEST], 400);
    /* It is spread over the training set: were it its end, the mean would be 899.5; that of 200
     * drawn of 1000 is 499.5 with a deviation of sqrt((1000^2-1)/12/200*(800/999)) = 18.3. */
    double mean = 0;
    for (uint32_t i = 0; i < 200; i++) mean += d[0]->index[RHEO_VALIDATION][i] / 200.0;
    CHECK_NEAR(mean, 499.5, 5 * 18.3);
    rheo_dataset *none = NULL;
    CHECK_FAILS(ctx,
                open_set(ctx,
                         (rheo_data_request){
                             .name = "digits", .validation = 1297, .file = "r.yaml", .line = 7},
                         &none),
                RHEO_USAGE, "r.yaml:7: data.validation: 1297 samples, but there are only 1297");
    assert_null(none);
    for (int i = 0; i < 3; i++) rheo__data_free(d[i]);
    finish(ctx);
}

static void batches_gather_by_position(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    rheo_dataset *d = NULL;
    put_set(in_folder("batch"), false);
    CHECK_OK(ctx,
             open_set(ctx, (rheo_data_request){.name = "idx", .path = in_folder("batch")}, &d));
    assert_int_equal(d->shape[0], 1);
    assert_int_equal(d->shape[1], 2);
    assert_int_equal(d->shape[2], 3);
    assert_int_equal(d->classes, 3);
    float x[3 * 16];
    for (int i = 0; i < 48; i++) x[i] = 99;
    uint32_t label[3], id[3];
    rheo__data_batch(d, RHEO_TEST, (uint32_t[]){3, 0, 3}, 3, x, label, id);
    static const uint32_t sample[] = {3, 0, 3}; /* of the test file */
    for (uint32_t b = 0; b < 3; b++) {
        assert_int_equal(id[b], 7 + sample[b]);
        assert_int_equal(label[b], sample[b] % 3);
        for (uint32_t k = 0; k < 16; k++)
            assert_true(x[16 * b + k] == (k < 6 ? (float)(10 * sample[b] + k) / 255.0f : 0.0f));
    }
    rheo__data_free(d);
    finish(ctx);
}

static void arrays_become_a_set(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    rheo_dataset *d = NULL;
    float train[] = {1, 2, 3, 4, 5, 6}, test[] = {7, 8};
    CHECK_OK(ctx, rheo__data_make(ctx, "mine", (uint32_t[]){2, 1, 1}, train, (uint32_t[]){0, 4, 1},
                                  3, test, (uint32_t[]){2}, 1, &d));
    assert_int_equal(d->classes, 5);
    assert_int_equal(d->count[RHEO_TRAIN], 3);
    assert_int_equal(d->index[RHEO_TEST][0], 3);
    assert_true(d->values[6] == 7 && d->values[5] == 6 && d->label[3] == 2);
    train[0] = 9;
    assert_true(d->values[0] == 1);
    rheo__data_free(d);
    d = NULL;
    CHECK_OK(ctx, rheo__data_make(ctx, "mine", (uint32_t[]){2, 1, 1}, train, (uint32_t[]){0, 4, 1},
                                  3, NULL, NULL, 0, &d));
    assert_int_equal(d->count[RHEO_TEST], 0);
    rheo__data_free(d);
    CHECK_FAILS(ctx,
                rheo__data_make(ctx, "mine", (uint32_t[]){2, 0, 1}, train, (uint32_t[]){0}, 1, NULL,
                                NULL, 0, &d),
                RHEO_SHAPE, "shape 2 x 0 x 1");
    finish(ctx);
}

/* ---- the search path --------------------------------------------------------------------------
 */

static void opens_from(rheo_context *ctx, const char *folder)
{
    rheo_dataset *d = NULL;
    CHECK_OK(ctx, open_set(ctx, (rheo_data_request){.name = "mnist"}, &d));
    assert_int_equal(strncmp(d->file[0].path, folder, strlen(folder)), 0);
    assert_false(d->file[0].known);
    assert_int_equal(d->count[RHEO_TRAIN], 7);
    rheo__data_free(d);
}

static void the_search_has_an_order(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    rheo_dataset *d = NULL;
    char text[1024];
    setenv("XDG_DATA_HOME", in_folder("home"), 1);
    snprintf(text, sizeof text, "%s::%s", in_folder("one"), in_folder("two"));
    setenv("RHEOBASE_DATA", text, 1);
    if (rheo__file_exists("/usr/share/datasets/mnist/train-images-idx3-ubyte.gz")) skip();
    CHECK_FAILS(ctx, open_set(ctx, (rheo_data_request){.name = "mnist"}, &d), RHEO_MISSING,
                "run 'rheobase data fetch mnist', or set RHEOBASE_DATA");
    for (const char *const *f =
             (const char *const[]){"one/mnist", "two", "home/rheobase/mnist", NULL};
         *f; f++)
        if (!strstr(rheo_error(ctx), in_folder(*f))) fail_msg("%s: no %s", rheo_error(ctx), *f);
    put_set(in_folder("home/rheobase/mnist"), true);
    opens_from(ctx, in_folder("home"));
    put_set(in_folder("two/mnist"), true);
    opens_from(ctx, in_folder("two/mnist"));
    /* Files of that name straight in a folder of the path might be of another set: passed over, as
     * their labels are not the published ones. */
    put_set(in_folder("one"), true);
    opens_from(ctx, in_folder("two/mnist"));
    /* A path given is the only place. */
    CHECK_FAILS(ctx,
                open_set(ctx, (rheo_data_request){.name = "mnist", .path = in_folder("none")}, &d),
                RHEO_MISSING, "no file 'train-images-idx3-ubyte'");
    CHECK_OK(ctx,
             open_set(ctx, (rheo_data_request){.name = "mnist", .path = in_folder("one")}, &d));
    rheo__data_free(d);
    if (!rheo__file_exists("/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz"))
        CHECK_FAILS(ctx, open_set(ctx, (rheo_data_request){.name = "fashion-mnist"}, &d),
                    RHEO_MISSING, "install the package dataset-fashion-mnist, run");
    CHECK_FAILS(ctx, open_set(ctx, (rheo_data_request){.name = "mnits"}, &d), RHEO_USAGE,
                "did you mean 'mnist'?");
    CHECK_FAILS(ctx, open_set(ctx, (rheo_data_request){.name = "csv"}, &d), RHEO_USAGE,
                "data.path");
    finish(ctx);
}

/* The real MNIST straight in a folder of the path is found, and is not taken for Fashion-MNIST. */
static void a_folder_of_the_path_may_be_the_set(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    char folder[RHEO_PATH], other[RHEO_PATH];
    setenv("RHEOBASE_DATA", data_path, 1);
    if (rheo__data_search(ctx, rheo__data_find_known("mnist"), folder)) {
        print_message("mnist is not here: skipped\n");
        rheo_context_free(ctx);
        skip();
    }
    setenv("RHEOBASE_DATA", folder, 1);
    CHECK_OK(ctx, rheo__data_search(ctx, rheo__data_find_known("mnist"), other));
    assert_string_equal(other, folder);
    if (!rheo__data_search(ctx, rheo__data_find_known("fashion-mnist"), other))
        assert_string_not_equal(other, folder);
    finish(ctx);
}

/* ---- the user's own ---------------------------------------------------------------------------
 */

typedef struct csv_case {
    const char *name, *text;
    uint32_t rows, features, classes;
    float first, last; /* values */
    const char *class_name[3];
    uint32_t label[3]; /* of the first rows */
} csv_case;
static const csv_case csvs[] = {
    {"plain", "1,2,a\n3,4,b\n", 2, 2, 2, 1, 4, {"a", "b"}, {0, 1}},
    {"header", "x,y,kind\n1,2,b\n3,4,a\n", 2, 2, 2, 1, 4, {"a", "b"}, {1, 0}},
    {"label column", "Label,x,y\n9,2,5\n10,4,6\n9,1,7", 3, 2, 2, 2, 7, {"9", "10"}, {0, 1, 0}},
    {"numbers as names", "0,1,label\n1,2,0\n3,4,1\n", 2, 2, 2, 1, 4, {"0", "1"}, {0, 1}},
    {"quotes",
     "\"x\",\"class\"\n\"1\",\"a, \"\"b\"\"\"\n-2.5e-1,c\n",
     2,
     1,
     2,
     1,
     -0.25f,
     {"a, \"b\"", "c"},
     {0, 1}},
    {"semicolon, spaces, CRLF, empty lines",
     "1 ; 2;a\r\n\r\n 3;4 ; b \r\n  \r\n",
     2,
     2,
     2,
     1,
     4,
     {"a", "b"},
     {0, 1}},
    {"tabs and a mark",
     "\xEF\xBB\xBF"
     "1\t2\t7\n3\t4\t7\n",
     2,
     2,
     1,
     1,
     4,
     {"7"},
     {0, 0}},
};

static void csv_tables(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    for (size_t i = 0; i < sizeof csvs / sizeof *csvs; i++) {
        const csv_case *c = &csvs[i];
        char text[256];
        const char *names[RHEO_DATA_CLASSES];
        uint32_t classes, label[8];
        rheo_csv csv;
        strcpy(text, c->text);
        CHECK_OK(ctx, rheo__csv_parse(ctx, c->name, text, strlen(text), &csv));
        if (csv.rows != c->rows || csv.features != c->features) fail_msg("%s: shape", c->name);
        if (csv.values[0] != c->first || csv.values[csv.rows * csv.features - 1] != c->last)
            fail_msg("%s: %g %g", c->name, (double)csv.values[0],
                     (double)csv.values[csv.rows * csv.features - 1]);
        CHECK_OK(ctx, rheo__csv_classes(ctx, c->name, csv.label, csv.rows, names, &classes, label));
        if (classes != c->classes) fail_msg("%s: %u classes", c->name, classes);
        for (uint32_t k = 0; k < classes; k++) assert_string_equal(names[k], c->class_name[k]);
        for (uint32_t k = 0; k < c->rows; k++)
            if (label[k] != c->label[k]) fail_msg("%s: label %u of row %u", c->name, label[k], k);
        rheo__csv_free(ctx, &csv);
    }
    finish(ctx);
}

static void csv_sets(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    rheo_dataset *d[3] = {NULL};
    put_text(in_folder("csv/train.csv"), "x,class\n1,b\n2,b\n3,a\n");
    put_gz(in_folder("csv/test.csv"), "4,c\n5,a\n", 8); /* told by its content, not by its name */
    CHECK_OK(ctx,
             open_set(ctx, (rheo_data_request){.name = "csv", .path = in_folder("csv")}, &d[0]));
    assert_int_equal(d[0]->count[RHEO_TRAIN], 3);
    assert_int_equal(d[0]->count[RHEO_TEST], 2);
    assert_int_equal(d[0]->classes, 3);
    assert_string_equal(d[0]->class_name[2], "c");
    assert_int_equal(d[0]->label[0], 1);
    assert_int_equal(d[0]->label[3], 2);
    assert_int_equal(d[0]->index[RHEO_TEST][1], 4);
    assert_true(d[0]->values[4] == 5);
    rheo__data_free(d[0]);
    /* One file: a fifth is the test, drawn by the seed; the samples keep their rows' numbers. */
    char text[2000] = "";
    for (int i = 0; i < 100; i++) sprintf(text + strlen(text), "%d,%d\n", i, i % 2);
    put_text(in_folder("one.csv"), text);
    for (uint64_t i = 0; i < 3; i++)
        CHECK_OK(ctx, open_set(ctx,
                               (rheo_data_request){.name = "csv",
                                                   .path = in_folder("one.csv"),
                                                   .validation = 10,
                                                   .split_seed = 1 + i / 2},
                               &d[i]));
    assert_int_equal(d[0]->count[RHEO_TRAIN], 70);
    assert_int_equal(d[0]->count[RHEO_TEST], 20);
    uint8_t seen[100] = {0};
    for (int s = 0; s < RHEO_SPLITS; s++)
        for (uint32_t i = 0; i < d[0]->count[s]; i++) {
            uint32_t at = d[0]->index[s][i];
            assert_int_equal(seen[at]++, 0);
            assert_true(d[0]->values[at] == (float)at && d[0]->label[at] == at % 2);
        }
    assert_memory_equal(d[0]->index[RHEO_TEST], d[1]->index[RHEO_TEST], 80);
    assert_memory_not_equal(d[0]->index[RHEO_TEST], d[2]->index[RHEO_TEST], 80);
    for (int i = 0; i < 3; i++) rheo__data_free(d[i]);
    finish(ctx);
}

static void array_sets(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    rheo_dataset *d = NULL;
    uint8_t x[24], z[12];
    double f[8] = {0.5, -1, 2, 3, 4, 5, 6, 7};
    int64_t y[] = {2, 0}, w[] = {1};
    int32_t u[] = {3, 1, 0, 0};
    for (int i = 0; i < 24; i++) x[i] = (uint8_t)(5 * i);
    for (int i = 0; i < 12; i++) z[i] = (uint8_t)(200 + i);
    const rheo_array a[] = {
        {.name = "y_test", .dtype = RHEO_I64, .dims = 1, .shape = {1}, .count = 1, .data = w},
        {.name = "x_train",
         .dtype = RHEO_U8,
         .dims = 4,
         .shape = {2, 2, 2, 3},
         .count = 24,
         .data = x},
        {.name = "x_test",
         .dtype = RHEO_U8,
         .dims = 4,
         .shape = {1, 2, 2, 3},
         .count = 12,
         .data = z},
        {.name = "y_train", .dtype = RHEO_I64, .dims = 1, .shape = {2}, .count = 2, .data = y},
    };
    CHECK_OK(ctx, rheo__npz_write(ctx, in_folder("a.npz"), a, 4));
    CHECK_OK(ctx,
             open_set(ctx, (rheo_data_request){.name = "npz", .path = in_folder("a.npz")}, &d));
    assert_memory_equal(d->shape, ((uint32_t[]){2, 2, 3}), 12);
    assert_int_equal(d->classes, 3);
    assert_int_equal(d->count[RHEO_TEST], 1);
    assert_memory_equal(d->pixels, x, 24);
    assert_memory_equal(d->pixels + 24, z, 12);
    assert_int_equal(d->label[2], 1);
    rheo__data_free(d);
    const rheo_array xf = {.dtype = RHEO_F64, .dims = 2, .shape = {4, 2}, .count = 8, .data = f};
    const rheo_array yf = {.dtype = RHEO_I32, .dims = 1, .shape = {4}, .count = 4, .data = u};
    put_text(in_folder("npy/x"), "");
    CHECK_OK(ctx, rheo__npy_write(ctx, in_folder("npy/x_train.npy"), &xf));
    CHECK_OK(ctx, rheo__npy_write(ctx, in_folder("npy/y_train.npy"), &yf));
    CHECK_OK(ctx, open_set(ctx, (rheo_data_request){.name = "npy", .path = in_folder("npy")}, &d));
    assert_memory_equal(d->shape, ((uint32_t[]){2, 1, 1}), 12);
    assert_int_equal(d->classes, 4);
    assert_int_equal(d->count[RHEO_TRAIN], 3); /* a fifth of 4, rounded up, is the test */
    for (int i = 0; i < 8; i++) assert_true(d->values[i] == (float)f[i]);
    rheo__data_free(d);
    finish(ctx);
}

/* ---- info and list ----------------------------------------------------------------------------
 */

static void info_says(rheo_context *ctx, const char *path, const char *const *facts)
{
    rheo_text text = {.ctx = ctx};
    CHECK_OK(ctx, rheo__data_info(ctx, path, false, &text));
    for (; *facts; facts++)
        if (!strstr(text.data, *facts)) fail_msg("%s lacks '%s'", text.data, *facts);
    rheo__text_free(&text);
}

static void info_tells_the_kind(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    put_set(in_folder("info"), true);
    info_says(ctx, in_folder("info/train-images-idx3-ubyte.gz"),
              (const char *[]){"IDX", "unsigned bytes", "7 x 2 x 3", "greatest       65", NULL});
    info_says(ctx, in_folder("info/t10k-labels-idx1-ubyte.gz"),
              (const char *[]){"labels", "  0            2\n", "  2            1\n", NULL});
    put_text(in_folder("i.csv"), "x,class\n1,no\n2,yes\n3,yes\n");
    info_says(
        ctx, in_folder("i.csv"),
        (const char *[]){"CSV", "rows           3", "yes          2", "mean           2", NULL});
    float values[] = {1, 2, NAN, 4};
    const rheo_array a = {
        .name = "v", .dtype = RHEO_F32, .dims = 2, .shape = {2, 2}, .count = 4, .data = values};
    CHECK_OK(ctx, rheo__npy_write(ctx, in_folder("v.npy"), &a));
    info_says(ctx, in_folder("v.npy"),
              (const char *[]){".npy", "32-bit floats", "not finite     1", NULL});
    CHECK_OK(ctx, rheo__npz_write(ctx, in_folder("v.npz"), &a, 1));
    info_says(ctx, in_folder("v.npz"), (const char *[]){".npz", "2 x 2", "arrays", NULL});
    put_file(in_folder("m.rheo"), "\x89HDF\r\n\x1a\n\0\0", 10);
    info_says(ctx, in_folder("m.rheo"), (const char *[]){"HDF5", NULL});
    rheo_text text = {.ctx = ctx};
    put_file(in_folder("what"),
             "\x7f"
             "ELF\0\0\0",
             7);
    CHECK_FAILS(ctx, rheo__data_info(ctx, in_folder("what"), false, &text), RHEO_UNSUPPORTED,
                "IDX, .npy, .npz and CSV are read");
    CHECK_FAILS(ctx, rheo__data_info(ctx, in_folder("nothing"), false, &text), RHEO_MISSING,
                "nothing");
    CHECK_OK(ctx, rheo__data_info(ctx, in_folder("info/t10k-labels-idx1-ubyte.gz"), true, &text));
    cJSON *json = cJSON_Parse(text.data);
    assert_non_null(json);
    assert_int_equal(cJSON_GetArrayItem(cJSON_GetObjectItem(json, "shape"), 0)->valueint, 4);
    assert_int_equal(cJSON_GetObjectItem(cJSON_GetObjectItem(json, "labels"), "1")->valueint, 1);
    cJSON_Delete(json);
    rheo__text_free(&text);
    finish(ctx);
}

static void the_list_knows_every_set(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    rheo_text text = {.ctx = ctx}, json = {.ctx = ctx};
    setenv("RHEOBASE_DATA", in_folder("list"), 1);
    put_set(in_folder("list/mnist"), false);
    CHECK_OK(ctx, rheo__data_list(ctx, false, &text));
    assert_non_null(strstr(text.data, "built in"));
    assert_non_null(strstr(text.data, in_folder("list/mnist")));
    CHECK_OK(ctx, rheo__data_list(ctx, true, &json));
    cJSON *all = cJSON_Parse(json.data), *set;
    uint32_t n = 0;
    cJSON_ArrayForEach(set, all)
    {
        const rheo_known_set *known = rheo__data_known(n++);
        assert_string_equal(cJSON_GetObjectItem(set, "name")->valuestring, known->name);
        assert_non_null(strstr(text.data, known->name));
        assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(set, "files")),
                         known->file[0].name ? 4 : 0);
    }
    assert_int_equal(n, 3);
    cJSON_Delete(all);
    rheo__text_free(&text);
    rheo__text_free(&json);
    finish(ctx);
}

/* ---- failed allocations -----------------------------------------------------------------------
 */

static int allocations_left;
static void *failing(void *user, void *p, size_t old, size_t now)
{
    (void)user;
    if (now == 0) {
        free(p);
        return NULL;
    }
    if (allocations_left-- == 0) return NULL;
    void *q = aligned_alloc(64, (now + 63) / 64 * 64);
    if (q && p) memcpy(q, p, old < now ? old : now);
    if (q) free(p);
    return q;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    put_set(in_folder("fail"), true);
    put_text(in_folder("fail/train.csv"), "1,a\n2,b\n");
    put_text(in_folder("fail/test.csv"), "1,a\n2,b\n");
    rheo_context *ctx = check_context(1);
    uint8_t x[4] = {1, 2, 3, 4};
    const rheo_array a[] = {
        {.name = "x_train", .dtype = RHEO_U8, .dims = 2, .shape = {2, 2}, .count = 4, .data = x},
        {.name = "y_train", .dtype = RHEO_U8, .dims = 1, .shape = {2}, .count = 2, .data = x},
    };
    CHECK_OK(ctx, rheo__npz_write(ctx, in_folder("fail/a.npz"), a, 2));
    rheo_context_free(ctx);
    const rheo_data_request requests[] = {{.name = "digits", .validation = 10},
                                          {.name = "idx", .path = in_folder("fail")},
                                          {.name = "csv", .path = in_folder("fail")},
                                          {.name = "npz", .path = in_folder("fail/a.npz")}};
    for (size_t r = 0; r < sizeof requests / sizeof *requests; r++) {
        rheo_context_options options = {.threads = 1, .allocator = {.resize = failing}};
        rheo_status status = RHEO_MEMORY;
        int n = 0;
        for (; status && n < 1000; n++) {
            rheo_dataset *d = NULL;
            allocations_left = INT32_MAX;
            assert_int_equal(rheo_context_new(&options, &ctx), RHEO_OK);
            size_t before = rheo_memory_used(ctx).now;
            allocations_left = n;
            status = rheo__data_open(ctx, &requests[r], &d);
            assert_true(status == RHEO_OK || (status == RHEO_MEMORY && !d));
            rheo__data_free(d);
            assert_int_equal(rheo_memory_used(ctx).now, before);
            rheo_context_free(ctx);
        }
        assert_int_equal(status, RHEO_OK);
        assert_true(n > 4); /* the fault was met before it was not */
    }
}

int main(void)
{
    const char *path = getenv("RHEOBASE_DATA");
    snprintf(data_path, sizeof data_path, "%s", path ? path : "");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digits_are_the_published),
        cmocka_unit_test_prestate(images_are_the_published, (void *)(uintptr_t)&mnist),
        cmocka_unit_test_prestate(images_are_the_published, (void *)(uintptr_t)&fashion),
        cmocka_unit_test(validation_is_cut_from_training),
        cmocka_unit_test(batches_gather_by_position),
        cmocka_unit_test(arrays_become_a_set),
        cmocka_unit_test(the_search_has_an_order),
        cmocka_unit_test(a_folder_of_the_path_may_be_the_set),
        cmocka_unit_test(csv_tables),
        cmocka_unit_test(csv_sets),
        cmocka_unit_test(array_sets),
        cmocka_unit_test(info_tells_the_kind),
        cmocka_unit_test(the_list_knows_every_set),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, remove_folder);
}
