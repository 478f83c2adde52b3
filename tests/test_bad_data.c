/* Damaged and wrong data files: each gets its status and one line that names the file, what was
 * found and what was expected; nothing is left in memory. */
#include "data_files.h"
#include "data/read.h"

static void refuses(const char *what, const char *name, const char *path, rheo_status code,
                    const char *const *texts)
{
    rheo_context *ctx = check_context(1);
    rheo_dataset *data = NULL;
    size_t before = rheo_memory_used(ctx).now;
    const rheo_data_request request = {.name = name, .path = path, .file = "r.yaml", .line = 3};
    rheo_status status = rheo__data_open(ctx, &request, &data);
    const char *error = rheo_error(ctx);
    if (status != code) fail_msg("%s: status %d, expected %d: %s", what, status, code, error);
    for (; *texts; texts++)
        if (!strstr(error, *texts)) fail_msg("%s: '%s' lacks '%s'", what, error, *texts);
    if (!strstr(error, "r.yaml:3: ")) fail_msg("%s: '%s' lacks the recipe's line", what, error);
    if (strchr(error, '\n')) fail_msg("%s: more than one line: '%s'", what, error);
    if (strlen(error) > 600) fail_msg("%s: %zu characters", what, strlen(error));
    assert_null(data);
    assert_int_equal(rheo_memory_used(ctx).now, before);
    /* Nothing near the size that a file claims was asked for. */
    assert_true(rheo_memory_used(ctx).peak < before + (1 << 20));
    rheo_context_free(ctx);
}

/* ---- IDX --------------------------------------------------------------------------------------
 */

#define IMAGES "train-images-idx3-ubyte"
#define LABELS "t10k-labels-idx1-ubyte"
/* A sound set whose file `name` is replaced. */
typedef struct idx_case {
    const char *what, *name;
    unsigned char head[16];
    size_t head_size, size; /* of the whole file, filled with 1 */
    rheo_status code;
    const char *text[4];
} idx_case;
static const idx_case idx_cases[] = {
    {"empty", IMAGES, {0}, 0, 0, RHEO_FORMAT, {"found 0 bytes"}},
    {"short header",
     IMAGES,
     {0, 0, 8, 3, 0, 0, 0, 7, 0},
     9,
     9,
     RHEO_FORMAT,
     {"truncated", "9 bytes", "header of 16"}},
    {"magic",
     IMAGES,
     {'I', 'D', 'X', '3'},
     4,
     60,
     RHEO_FORMAT,
     {"magic number 49445833", "00000803", IMAGES}},
    {"labels for images",
     IMAGES,
     {0, 0, 8, 1, 0, 0, 0, 7},
     8,
     15,
     RHEO_FORMAT,
     {"magic number 00000801", "expected 00000803"}},
    {"images for labels",
     LABELS,
     {0, 0, 8, 3, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 1},
     16,
     20,
     RHEO_FORMAT,
     {"magic number 00000803", "expected 00000801"}},
    {"type", IMAGES, {0, 0, 13, 3, 0, 0, 0, 7}, 16, 60, RHEO_UNSUPPORTED, {"type 0d"}},
    {"dimensions", IMAGES, {0, 0, 8, 9, 0, 0, 0, 7}, 16, 60, RHEO_UNSUPPORTED, {"9 dimensions"}},
    {"truncated",
     IMAGES,
     {0, 0, 8, 3, 0, 0, 0, 7, 0, 0, 0, 2, 0, 0, 0, 3},
     16,
     57,
     RHEO_FORMAT,
     {"truncated", "41 bytes", "42"}},
    {"too long",
     IMAGES,
     {0, 0, 8, 3, 0, 0, 0, 7, 0, 0, 0, 2, 0, 0, 0, 3},
     16,
     59,
     RHEO_FORMAT,
     {"longer than the 42 bytes"}},
    {"absurd",
     IMAGES,
     {0, 0, 8, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255},
     16,
     60,
     RHEO_FORMAT,
     {"absurd size", "4294967295"}},
    {"large",
     IMAGES,
     {0, 0, 8, 3, 0, 1, 0, 0, 0, 0, 0, 100, 0, 0, 1, 0},
     16,
     60,
     RHEO_FORMAT,
     {"truncated", "promises 1677721600 bytes"}},
    {"no samples",
     IMAGES,
     {0, 0, 8, 3, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 3},
     16,
     16,
     RHEO_FORMAT,
     {"empty"}},
    {"fewer labels",
     LABELS,
     {0, 0, 8, 1, 0, 0, 0, 3},
     8,
     11,
     RHEO_SHAPE,
     {"3 labels, but 4 images in"}},
    {"another size",
     IMAGES,
     {0, 0, 8, 3, 0, 0, 0, 7, 0, 0, 0, 3, 0, 0, 0, 2},
     16,
     58,
     RHEO_SHAPE,
     {"belong together"}},
};

static void damaged_idx(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof idx_cases / sizeof *idx_cases; i++) {
        const idx_case *c = &idx_cases[i];
        unsigned char file[64];
        memset(file, 1, sizeof file);
        memcpy(file, c->head, c->head_size < 16 ? c->head_size : 16);
        for (int gz = 0; gz < 2; gz++) {
            char path[512];
            const char *folder = in_folder(gz ? "idxgz" : "idx");
            put_set(folder, gz);
            snprintf(path, sizeof path, "%s/%s%s", folder, c->name, gz ? ".gz" : "");
            (gz ? put_gz : put_file)(path, file, c->size);
            /* Of a .gz so small, what it unpacks to cannot be told before: "truncated" comes later.
             */
            refuses(c->what, "idx", folder, c->code, c->text);
        }
    }
}

static void damaged_gz(void **state)
{
    (void)state;
    char path[512], data[4096];
    const char *folder = in_folder("gz");
    put_set(folder, true);
    snprintf(path, sizeof path, "%s/%s.gz", folder, IMAGES);
    FILE *f = fopen(path, "rb");
    size_t size = fread(data, 1, sizeof data, f);
    fclose(f);
    put_file(path, data, size - 12); /* within the data's end and the checksum */
    refuses("cut .gz", "idx", folder, RHEO_FORMAT,
            (const char *[]){IMAGES ".gz", "get it again", NULL});
    data[size - 8] = (char)(data[size - 8] ^ 1); /* the checksum */
    put_file(path, data, size);
    refuses("wrong .gz", "idx", folder, RHEO_FORMAT,
            (const char *[]){IMAGES ".gz", "damaged", NULL});
    unlink(path);
    refuses("absent", "idx", folder, RHEO_MISSING, (const char *[]){"no file '" IMAGES "'", NULL});
}

/* A known set has ten classes. */
static void damaged_labels(void **state)
{
    (void)state;
    unsigned char labels[12] = {0, 0, 8, 1, 0, 0, 0, 4, 3, 200, 1, 2};
    char path[512];
    const char *folder = in_folder("labels");
    put_set(folder, false);
    snprintf(path, sizeof path, "%s/%s", folder, LABELS);
    put_file(path, labels, sizeof labels);
    refuses("label", "mnist", folder, RHEO_FORMAT,
            (const char *[]){LABELS, "label 200 of sample 1", "0 to 9", NULL});
}

/* ---- CSV --------------------------------------------------------------------------------------
 */

static const struct {
    const char *what, *file;
    rheo_status code;
    const char *text[4];
} csv_cases[] = {
    {"empty", "", RHEO_FORMAT, {"empty"}},
    {"only lines", "\n\r\n  \n", RHEO_FORMAT, {"empty"}},
    {"only a header", "x,class\n", RHEO_FORMAT, {"header and no rows"}},
    {"NaN",
     "x,y,class\n1,2,a\n3,nan,b\n",
     RHEO_FORMAT,
     {"bad.csv:3: column 2 y: found 'nan'", "finite"}},
    {"NaN in the first line",
     "1,NaN,a\n3,4,b\n",
     RHEO_FORMAT,
     {"bad.csv:1: column 2: found 'NaN'"}},
    {"infinity", "1,a\ninf,b\n", RHEO_FORMAT, {"bad.csv:2: column 1: found 'inf'"}},
    {"beyond a float", "1,a\n1e39,b\n", RHEO_FORMAT, {"bad.csv:2: column 1: found '1e39'"}},
    {"text", "1,a\n\n2.5x,b\n", RHEO_FORMAT, {"bad.csv:3: column 1: found '2.5x'"}},
    {"empty field",
     "1,2,a\n,2,b\n",
     RHEO_FORMAT,
     {"bad.csv:2: column 1 is empty, expected a number"}},
    {"empty label",
     "1,2,a\n1,2,\n",
     RHEO_FORMAT,
     {"bad.csv:2: column 3 is empty, expected a label"}},
    {"short row", "1,2,a\n1,b\n", RHEO_FORMAT, {"bad.csv:2: found 2 columns, expected 3"}},
    {"long row", "1,2,a\n1,2,3,b\n", RHEO_FORMAT, {"bad.csv:2: found 4 columns, expected 3"}},
    {"one column", "1\n2\n", RHEO_FORMAT, {"bad.csv:1: found one column"}},
    {"open quote", "1,\"a\n2,b\n", RHEO_FORMAT, {"bad.csv:1: a quote is not closed"}},
    {"one row", "1,a\n", RHEO_FORMAT, {"one sample"}},
};

static void damaged_csv(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof csv_cases / sizeof *csv_cases; i++) {
        put_text(in_folder("bad.csv"), csv_cases[i].file);
        refuses(csv_cases[i].what, "csv", in_folder("bad.csv"), csv_cases[i].code,
                csv_cases[i].text);
    }
    put_file(in_folder("bad.csv"), "1,a\n\0,b\n", 8);
    refuses("binary", "csv", in_folder("bad.csv"), RHEO_FORMAT,
            (const char *[]){"not text: a 0 byte at 4", NULL});
    char *text = malloc(50000);
    text[0] = '\0';
    for (uint32_t k = 0, at = 0; k <= RHEO_DATA_CLASSES; k++)
        at += (uint32_t)sprintf(text + at, "1,%u.5\n", k);
    put_text(in_folder("bad.csv"), text);
    free(text);
    refuses("labels are numbers", "csv", in_folder("bad.csv"), RHEO_FORMAT,
            (const char *[]){"more than 4096 different labels", NULL});
    refuses("absent", "csv", in_folder("none.csv"), RHEO_MISSING,
            (const char *[]){"none.csv", NULL});
    put_text(in_folder("two/train.csv"), "1,2,a\n1,2,b\n");
    put_text(in_folder("two/test.csv"), "1,a\n");
    refuses("columns of the test", "csv", in_folder("two"), RHEO_SHAPE,
            (const char *[]){"test.csv: 1 features, but 2 in", NULL});
}

/* ---- arrays -----------------------------------------------------------------------------------
 */

static float x[8] = {1, 2, 3, 4, 5, 6, 7, 8}, nan_at_5[8] = {1, 2, 3, 4, 5, NAN, 7, 8};
static int64_t y[4] = {0, 1, 0, 1}, negative[4] = {0, -1, 0, 1}, large[4] = {0, 1, 1LL << 40, 1};
static int64_t endless[4] = {1, 1, 1LL << 40, 1};
static uint8_t bytes[8];
#define X                                                                                          \
    {                                                                                              \
        .name = "x_train", .dtype = RHEO_F32, .dims = 2, .shape = {4, 2}, .count = 8, .data = x    \
    }
#define Y                                                                                          \
    {                                                                                              \
        .name = "y_train", .dtype = RHEO_I64, .dims = 1, .shape = {4}, .count = 4, .data = y       \
    }
#define XT                                                                                         \
    {                                                                                              \
        .name = "x_test", .dtype = RHEO_F32, .dims = 2, .shape = {4, 2}, .count = 8, .data = x     \
    }
#define YT                                                                                         \
    {                                                                                              \
        .name = "y_test", .dtype = RHEO_I64, .dims = 1, .shape = {4}, .count = 4, .data = y        \
    }
#define LENGTH(part, type, n, steps)                                                               \
    {                                                                                              \
        .name = part, .dtype = type, .dims = 1, .shape = {n}, .count = n, .data = steps            \
    }
static const struct {
    const char *what;
    rheo_array array[5];
    uint32_t count;
    rheo_status code;
    const char *text[4];
} npz_cases[] = {
    {"no labels", {X}, 1, RHEO_MISSING, {"no array 'y_train'"}},
    {"no samples", {Y}, 1, RHEO_MISSING, {"no array 'x_train'"}},
    {"no test labels", {X, Y, XT}, 3, RHEO_MISSING, {"no array 'y_test'"}},
    {"one dimension",
     {{.name = "x_train", .dtype = RHEO_F32, .dims = 1, .shape = {8}, .count = 8, .data = x}, Y},
     2,
     RHEO_SHAPE,
     {"x_train has 1 dimensions"}},
    {"fewer labels",
     {X, {.name = "y_train", .dtype = RHEO_I64, .dims = 1, .shape = {3}, .count = 3, .data = y}},
     2,
     RHEO_SHAPE,
     {"3 labels, expected [4]"}},
    {"negative label",
     {X,
      {.name = "y_train",
       .dtype = RHEO_I64,
       .dims = 1,
       .shape = {4},
       .count = 4,
       .data = negative}},
     2,
     RHEO_FORMAT,
     {"label -1 of sample 1"}},
    {"large label",
     {X,
      {.name = "y_train", .dtype = RHEO_I64, .dims = 1, .shape = {4}, .count = 4, .data = large}},
     2,
     RHEO_FORMAT,
     {"label 1099511627776 of sample 2"}},
    {"NaN",
     {{.name = "x_train",
       .dtype = RHEO_F32,
       .dims = 2,
       .shape = {4, 2},
       .count = 8,
       .data = nan_at_5},
      Y},
     2,
     RHEO_NUMERIC,
     {"sample 2, feature 1: found nan"}},
    {"other shape",
     {X,
      Y,
      {.name = "x_test", .dtype = RHEO_F32, .dims = 2, .shape = {2, 4}, .count = 8, .data = x},
      {.name = "y_test", .dtype = RHEO_I64, .dims = 1, .shape = {2}, .count = 2, .data = y}},
     4,
     RHEO_SHAPE,
     {"differ in shape"}},
    {"other type",
     {X,
      Y,
      {.name = "x_test", .dtype = RHEO_U8, .dims = 2, .shape = {4, 2}, .count = 8, .data = bytes},
      YT},
     4,
     RHEO_FORMAT,
     {"unsigned bytes"}},
    {"no steps",
     {X, Y, LENGTH("length_train", RHEO_I64, 4, y)},
     3,
     RHEO_FORMAT,
     {"length_train: sample 0 lasts 0 steps, expected 1 to 1048576"}},
    {"endless",
     {X, Y, LENGTH("length_train", RHEO_I64, 4, endless)},
     3,
     RHEO_FORMAT,
     {"length_train: sample 2 lasts 1099511627776 steps"}},
    {"length of floats",
     {X, Y, LENGTH("length_train", RHEO_F32, 4, x)},
     3,
     RHEO_SHAPE,
     {"length_train holds floats"}},
    {"fewer lengths",
     {X, Y, LENGTH("length_train", RHEO_I64, 3, y)},
     3,
     RHEO_SHAPE,
     {"expected integers [4], the steps that each sample of x_train lasts"}},
    {"lengths of one part",
     {X, Y, XT, YT, LENGTH("length_test", RHEO_I64, 4, y)},
     5,
     RHEO_MISSING,
     {"no array 'length_train', but there is 'length_test'"}},
    {"lengths of no samples",
     {X, Y, LENGTH("length_test", RHEO_I64, 4, y)},
     3,
     RHEO_MISSING,
     {"no array 'x_test'"}},
};

static void damaged_npz(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    const char *path = "";
    for (size_t i = 0; i < sizeof npz_cases / sizeof *npz_cases; i++) {
        path = in_folder("bad.npz");
        CHECK_OK(ctx, rheo__npz_write(ctx, path, npz_cases[i].array, npz_cases[i].count));
        refuses(npz_cases[i].what, "npz", path, npz_cases[i].code, npz_cases[i].text);
    }
    put_text(path, "PK\x03\x04 and no more");
    refuses("cut", "npz", path, RHEO_FORMAT, (const char *[]){"bad.npz", NULL});
    refuses("absent", "npz", in_folder("none.npz"), RHEO_MISSING,
            (const char *[]){"none.npz", NULL});
    refuses("empty folder", "npy", in_folder(""), RHEO_MISSING,
            (const char *[]){"no array 'x_train'", NULL});
    rheo_context_free(ctx);
}

/* ---- info -------------------------------------------------------------------------------------
 */

static void info_refuses(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    rheo_text text = {.ctx = ctx};
    const unsigned char cut[20] = {0, 0, 8, 3, 0, 0, 0, 7, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2};
    put_file(in_folder("cut"), cut, sizeof cut);
    CHECK_FAILS(ctx, rheo__data_info(ctx, in_folder("cut"), false, &text), RHEO_FORMAT,
                "truncated: found 4 bytes of data, the header promises 42");
    put_file(in_folder("cut"), "", 0);
    CHECK_FAILS(ctx, rheo__data_info(ctx, in_folder("cut"), true, &text), RHEO_UNSUPPORTED,
                "unknown kind");
    rheo__text_free(&text);
    rheo_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged_idx),    cmocka_unit_test(damaged_gz),
        cmocka_unit_test(damaged_labels), cmocka_unit_test(damaged_csv),
        cmocka_unit_test(damaged_npz),    cmocka_unit_test(info_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, remove_folder);
}
