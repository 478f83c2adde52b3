/* test_npy.c: .npy and .npz. Oracles: files that numpy wrote (tests/oracles/npz.py says how and
 * gives the formula of their elements), and bytes laid out by hand after numpy.lib.format. Damage:
 * every cut and every fifth flipped bit of a file is refused or changes nothing. */
#include "check.h"
#include "faults.h"
#include "array/npy.h"
#include "base/file.h"

#include <stdio.h>
#include <unistd.h>

static char folder[64];
static rheo_context *ctx;

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/rheo-npy-XXXXXX");
    ctx = check_context(1);
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    assert_true(rheo_memory_used(ctx).now < 4096); /* the pool only */
    rheo_context_free(ctx);
    return system(command);
}

static const char *in_folder(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static double element(const rheo_array *a, uint64_t i)
{
    switch (a->dtype) {
    case RHEO_U8:
        return ((const uint8_t *)a->data)[i];
    case RHEO_I32:
        return ((const int32_t *)a->data)[i];
    case RHEO_I64:
        return (double)((const int64_t *)a->data)[i];
    case RHEO_F32:
        return (double)((const float *)a->data)[i];
    case RHEO_F64:
        return ((const double *)a->data)[i];
    }
    return NAN;
}

static double expected_element(char kind, uint64_t i)
{
    double v = (double)(i * 37 % 101);
    return kind == 'b' ? (double)(i % 2) : kind == 'u' ? v : kind == 'i' ? v - 50 : (v - 50) / 8;
}

static rheo_dtype expected_dtype(const char *name)
{
    static const struct {
        const char *name;
        rheo_dtype dtype;
    } table[] = {{"b1", RHEO_U8},  {"u1", RHEO_U8},  {"i1", RHEO_I32}, {"i2", RHEO_I32},
                 {"u2", RHEO_I32}, {"i4", RHEO_I32}, {"u4", RHEO_I64}, {"i8", RHEO_I64},
                 {"u8", RHEO_I64}, {"f2", RHEO_F32}, {"f4", RHEO_F32}, {"f8", RHEO_F64}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (memcmp(table[i].name, name, 2) == 0) return table[i].dtype;
    fail_msg("no type %s", name);
    return RHEO_U8;
}

static const rheo_array *find(const rheo_array *arrays, uint32_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(arrays[i].name, name) == 0) return &arrays[i];
    fail_msg("no array %s", name);
    return NULL;
}

static void check_edges(const rheo_array *arrays, uint32_t count)
{
    static const struct {
        const char *name;
        int64_t low, high;
    } cases[] = {{"edge_i1", -128, 127},     {"edge_i2", -32768, 32767},
                 {"edge_u2", 0, 65535},      {"edge_i4", INT32_MIN, INT32_MAX},
                 {"edge_u4", 0, UINT32_MAX}, {"edge_i8", INT64_MIN, INT64_MAX},
                 {"edge_u8", 0, INT64_MAX}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const rheo_array *a = find(arrays, count, cases[i].name);
        if (a->dtype == RHEO_I64) {
            assert_true(((const int64_t *)a->data)[0] == cases[i].low);
            assert_true(((const int64_t *)a->data)[1] == cases[i].high);
        } else {
            assert_int_equal(a->dtype, RHEO_I32);
            assert_true(((const int32_t *)a->data)[0] == cases[i].low);
            assert_true(((const int32_t *)a->data)[1] == cases[i].high);
        }
    }
    const float *half = find(arrays, count, "edge_f2")->data;
    static const float numbers[] = {65504, 0x1p-24f, 1023 * 0x1p-24f, 0x1p-14f, -0.0f};
    assert_memory_equal(half, numbers, sizeof numbers);
    assert_true(half[5] == INFINITY && half[6] == -INFINITY && isnan(half[7]));
}

static void check_shape(const rheo_array *a, const char *label)
{
    uint32_t d = 0;
    if (strcmp(label, "scalar") != 0)
        for (const char *p = label; *p; p += *p == 'x') {
            char *end;
            assert_true(d < a->dims);
            assert_int_equal(a->shape[d++], strtoull(p, &end, 10));
            p = end;
        }
    assert_int_equal(a->dims, d);
}

static void test_numpy_files(void **state)
{
    (void)state;
    static const char *const paths[] = {"tests/oracles/stored.npz", "tests/oracles/deflated.npz"};
    for (int p = 0; p < 2; p++) {
        rheo_array *arrays;
        uint32_t count;
        CHECK_OK(ctx, rheo__npz_read(ctx, paths[p], 1 << 24, &arrays, &count));
        assert_int_equal(count, 12 + 9 + 12 + 8);
        for (uint32_t i = 0; i < count; i++) {
            const rheo_array *a = &arrays[i];
            if (strncmp(a->name, "edge", 4) == 0) continue;
            assert_int_equal(a->dtype, expected_dtype(a->name));
            const char *shape = strrchr(a->name, '_');
            bool plain = !shape || strcmp(shape, "_big") == 0;
            check_shape(a, plain ? "3x4" : shape + 1);
            uint64_t product = 1;
            for (uint32_t d = 0; d < a->dims; d++) product *= a->shape[d];
            assert_int_equal(a->count, product);
            for (uint64_t e = 0; e < a->count; e++)
                if (element(a, e) != expected_element(a->name[0], e))
                    fail_msg("%s[%d] is %g", a->name, (int)e, element(a, e));
        }
        check_edges(arrays, count);
        rheo__npz_free(ctx, arrays, count);
    }
}

/* numpy 2.4: np.save of np.arange(6, dtype='<f4').reshape(2, 3) */
static const char header_2x3[] =
    "\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"
    "                                                          \n";
static const float data_2x3[6] = {0, 1, 2, 3, 4, 5};
enum { SIZE_2X3 = 128 + 24 };

static void make_2x3(char out[SIZE_2X3])
{
    assert_int_equal(sizeof header_2x3 - 1, 128);
    memcpy(out, header_2x3, 128);
    memcpy(out + 128, data_2x3, 24);
}

static void test_write(void **state)
{
    (void)state;
    char expected[SIZE_2X3], *data;
    size_t size;
    float values[6];
    rheo_array a = {.dtype = RHEO_F32, .dims = 2, .shape = {2, 3}, .count = 6, .data = values};
    rheo_array back;
    memcpy(values, data_2x3, sizeof values);
    make_2x3(expected);
    const char *path = in_folder("digits.v1.npy");
    CHECK_OK(ctx, rheo__npy_write(ctx, path, &a));
    CHECK_OK(ctx, rheo__file_read(ctx, path, 1000, &data, &size));
    assert_int_equal(size, SIZE_2X3);
    assert_memory_equal(data, expected, SIZE_2X3);
    rheo__release(ctx, data);
    CHECK_OK(ctx, rheo__npy_read(ctx, path, 1000, &back));
    assert_string_equal(back.name, "digits");
    assert_int_equal(back.dims, 2);
    assert_memory_equal(back.data, values, sizeof values);
    rheo__release(ctx, back.data);
    CHECK_FAILS(ctx, rheo__npy_read(ctx, path, 100, &back), RHEO_FORMAT, "more than 100");
    CHECK_FAILS(ctx, rheo__npy_read(ctx, in_folder("none.npy"), 100, &back), RHEO_MISSING, "none");
}

typedef struct text_case {
    const char *dictionary;
    size_t bytes; /* of data */
    rheo_status status;
    const char *error;
} text_case;

#define D(descr, order, shape)                                                                     \
    "{'descr': " descr ", 'fortran_order': " order ", 'shape': " shape ", }\n"

static const text_case dictionaries[] = {
    {D("'<f4'", "False", "(2, 3)"), 24, RHEO_OK, NULL},
    {"{'shape':(2,3),'fortran_order':False,'descr':'<f4'}", 24, RHEO_OK, NULL},
    {"{\"descr\": \"=f4\", 'fortran_order': False, 'shape': (2L, 3L), }", 24, RHEO_OK, NULL},
    {D("'<f4'", "False", "()"), 4, RHEO_OK, NULL},
    {D("'<f4'", "False", "(0, 4000000000)"), 0, RHEO_OK, NULL},
    {D("'<f4'", "False", "(2, 3)"), 23, RHEO_FORMAT, "has 23 bytes of data, expected 24"},
    {D("'<f4'", "False", "(2, 3)"), 25, RHEO_FORMAT, "has 25 bytes of data, expected 24"},
    {D("'<f4'", "False", "(4294967296, 4294967296)"), 24, RHEO_FORMAT, "that memory can hold"},
    {D("'<f8'", "False", "(2305843009213693952,)"), 24, RHEO_FORMAT, "that memory can hold"},
    {D("'<f4'", "False", "(99999999999999999999,)"), 24, RHEO_FORMAT, "sizes in its shape"},
    {D("'<f4'", "False", "(-2, 3)"), 24, RHEO_FORMAT, "sizes in its shape"},
    {D("'<f4'", "False", "(2 3)"), 24, RHEO_FORMAT, "commas between the sizes"},
    {D("'<f4'", "False", "[2, 3]"), 24, RHEO_FORMAT, "a shape such as"},
    {D("'<f4'", "False", "(1, 1, 1, 1, 1, 2, 3)"), 24, RHEO_UNSUPPORTED, "more than 6 dimensions"},
    {D("'<f4'", "0", "(2, 3)"), 24, RHEO_FORMAT, "True or False"},
    {D("'<c8'", "False", "(2, 3)"), 48, RHEO_UNSUPPORTED, "numbers of type '<c8'"},
    {D("'|O'", "False", "(2, 3)"), 48, RHEO_UNSUPPORTED, "numbers of type '|O'"},
    {D("'<U4'", "False", "(2, 3)"), 48, RHEO_UNSUPPORTED, "numbers of type '<U4'"},
    {D("''", "False", "(2, 3)"), 24, RHEO_UNSUPPORTED, "numbers of type ''"},
    {D("'|f4'", "False", "(2, 3)"), 24, RHEO_FORMAT, "a byte order"},
    {D("[('a', '<f4')]", "False", "(2, 3)"), 24, RHEO_UNSUPPORTED, "holds records"},
    {"{'descr': '<f4', 'shape': (2, 3), }", 24, RHEO_FORMAT, "fortran_order and shape"},
    {"{'descr': '<f4', 'descr': '<f4', 'shape': (2, 3), }", 24, RHEO_FORMAT, "each once"},
    {"{'descr': '<f4', 'size': 1 }", 24, RHEO_FORMAT, "each once"},
    {"{'descr' '<f4'}", 24, RHEO_FORMAT, "a key"},
    {"{'descr': '<f4' 'shape': (2,)}", 24, RHEO_FORMAT, "commas between the entries"},
    {D("'<f4'", "False", "(2, 3)") "x", 24, RHEO_FORMAT, "nothing after"},
    {"(2, 3)", 24, RHEO_FORMAT, "begins with {"},
    {"", 0, RHEO_FORMAT, "begins with {"},
};

static void test_headers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof dictionaries / sizeof dictionaries[0]; i++) {
        const text_case *c = &dictionaries[i];
        for (int version = 1; version <= 3; version++) {
            size_t length = strlen(c->dictionary), start = version == 1 ? 10 : 12;
            char *bytes = calloc(start + length + c->bytes + 1, 1); /* exact, for the sanitizer */
            rheo_array a = {.dims = 77};
            assert_non_null(bytes);
            memcpy(bytes, "\x93NUMPY", 6);
            bytes[6] = (char)version;
            bytes[8] = (char)length;
            memcpy(bytes + start, c->dictionary, length);
            bytes = realloc(bytes, start + length + c->bytes);
            rheo_status status =
                rheo__npy_parse(ctx, "x.npy", bytes, start + length + c->bytes, &a);
            if (status != c->status) fail_msg("case %d: %s", (int)i, rheo_error(ctx));
            if (status == RHEO_OK) {
                rheo__release(ctx, a.data);
            } else {
                if (!strstr(rheo_error(ctx), c->error) || !strstr(rheo_error(ctx), "'x.npy'"))
                    fail_msg("case %d: '%s' lacks '%s'", (int)i, rheo_error(ctx), c->error);
                assert_int_equal(a.dims, 77);
            }
            free(bytes);
        }
    }
}

static void test_uint64_range(void **state)
{
    (void)state;
    static const char head[] = "{'descr': '<u8', 'fortran_order': False, 'shape': (1,)}";
    char bytes[10 + sizeof head - 1 + 8] = "\x93NUMPY\x01";
    rheo_array a;
    bytes[8] = (char)(sizeof head - 1);
    memcpy(bytes + 10, head, sizeof head - 1);
    bytes[sizeof bytes - 1] = (char)0x80; /* 2^63 */
    CHECK_FAILS(ctx, rheo__npy_parse(ctx, "x", bytes, sizeof bytes, &a), RHEO_UNSUPPORTED,
                "above 2^63-1");
}

static void test_damaged_npy(void **state)
{
    (void)state;
    char whole[SIZE_2X3];
    rheo_array a;
    make_2x3(whole);
    for (size_t cut = 0; cut < SIZE_2X3; cut++) {
        char *piece = malloc(cut + 1); /* one spare, since malloc(0) may be NULL */
        assert_non_null(piece);
        memcpy(piece, whole, cut);
        CHECK_FAILS(ctx, rheo__npy_parse(ctx, "x", piece, cut, &a), RHEO_FORMAT, "'x'");
        free(piece);
    }
    for (size_t bit = 0; bit < 128 * 8; bit++) {
        whole[bit / 8] ^= (char)(1 << bit % 8);
        if (rheo__npy_parse(ctx, "x", whole, SIZE_2X3, &a) == RHEO_OK) {
            assert_true(a.count * rheo__dtype_size(a.dtype) >= 24);
            rheo__release(ctx, a.data);
        }
        whole[bit / 8] ^= (char)(1 << bit % 8);
    }
    whole[6] = 4;
    CHECK_FAILS(ctx, rheo__npy_parse(ctx, "x", whole, SIZE_2X3, &a), RHEO_UNSUPPORTED,
                "version 4.0");
}

static void fill(rheo_array a[2], float *x, int64_t *y)
{
    for (int i = 0; i < 6; i++) x[i] = (float)i / 3;
    for (int i = 0; i < 3; i++) y[i] = INT64_MAX - i;
    a[0] = (rheo_array){"images", RHEO_F32, 2, {2, 3}, 6, x};
    a[1] = (rheo_array){"labels", RHEO_I64, 1, {3}, 3, y};
}

static void test_npz_write(void **state)
{
    (void)state;
    float x[6];
    int64_t y[3];
    rheo_array arrays[2], *back;
    uint32_t count;
    char one[65], two[65];
    fill(arrays, x, y);
    const char *path = in_folder("a.npz");
    CHECK_OK(ctx, rheo__npz_write(ctx, path, arrays, 2));
    CHECK_OK(ctx, rheo__sha256_file(ctx, path, one));
    CHECK_OK(ctx, rheo__npz_write(ctx, path, arrays, 2));
    CHECK_OK(ctx, rheo__sha256_file(ctx, path, two));
    assert_string_equal(one, two);
    CHECK_OK(ctx, rheo__npz_read(ctx, path, 10000, &back, &count));
    assert_int_equal(count, 2);
    for (uint32_t i = 0; i < 2; i++) {
        assert_string_equal(back[i].name, arrays[i].name);
        assert_int_equal(back[i].dtype, arrays[i].dtype);
        assert_int_equal(back[i].dims, arrays[i].dims);
        assert_memory_equal(back[i].shape, arrays[i].shape, sizeof arrays[i].shape);
        assert_memory_equal(back[i].data, arrays[i].data,
                            arrays[i].count * rheo__dtype_size(arrays[i].dtype));
    }
    rheo__npz_free(ctx, back, count);
    CHECK_FAILS(ctx, rheo__npz_read(ctx, path, 500, &back, &count), RHEO_FORMAT, "more than 500");
    CHECK_OK(ctx, rheo__npz_write(ctx, path, arrays, 0));
    CHECK_OK(ctx, rheo__npz_read(ctx, path, 10000, &back, &count));
    assert_int_equal(count, 0);
    rheo__npz_free(ctx, back, count);
    rheo__npz_free(ctx, NULL, 0);
}

static void write_bytes(const char *path, const char *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    fclose(file);
}

/* Every cut is refused; a flipped bit (each fifth: all eight places in turn) is refused, or it was
 * in a field that says nothing (a date, attributes) and the arrays are the same. */
static void test_damaged_npz(void **state)
{
    (void)state;
    float x[6];
    int64_t y[3];
    rheo_array arrays[2], *back;
    uint32_t count;
    char path[256], *whole;
    size_t size;
    fill(arrays, x, y);
    snprintf(path, sizeof path, "%s", in_folder("b.npz"));
    CHECK_OK(ctx, rheo__npz_write(ctx, path, arrays, 2));
    CHECK_OK(ctx, rheo__file_read(ctx, path, 10000, &whole, &size));
    for (size_t cut = 0; cut < size; cut++) {
        write_bytes(path, whole, cut);
        CHECK_FAILS(ctx, rheo__npz_read(ctx, path, 10000, &back, &count), RHEO_FORMAT, "b.npz'");
    }
    for (size_t bit = 0; bit < size * 8; bit += 5) {
        whole[bit / 8] ^= (char)(1 << bit % 8);
        write_bytes(path, whole, size);
        if (rheo__npz_read(ctx, path, 10000, &back, &count) == RHEO_OK) {
            assert_int_equal(count, 2);
            assert_string_equal(back[0].name, "images");
            assert_memory_equal(back[0].data, x, sizeof x);
            assert_memory_equal(back[1].data, y, sizeof y);
            rheo__npz_free(ctx, back, count);
        }
        whole[bit / 8] ^= (char)(1 << bit % 8);
    }
    rheo__release(ctx, whole);
}

/* Fields of a file of one stored array, overwritten: what is refused, and in which words. The
 * directory begins after the local header (30 + 10 bytes), 128 bytes of header and 24 of data. */
static void test_refused_npz(void **state)
{
    (void)state;
    enum { LOCAL = 0, ENTRY = 40 + SIZE_2X3, END = ENTRY + 46 + 10 };
    static const struct {
        size_t at;
        const char *bytes;
        size_t size;
        rheo_status status;
        const char *error;
    } cases[] = {
        {ENTRY + 8, "\x01", 1, RHEO_UNSUPPORTED, "is encrypted"},
        {ENTRY + 10, "\x0c", 1, RHEO_UNSUPPORTED, "another method than deflate"},
        {ENTRY + 16, "\0\0\0\0", 4, RHEO_FORMAT, "'%s: images' is damaged: its checksum"},
        {ENTRY + 20, "\xff\xff\xff\xff", 4, RHEO_UNSUPPORTED, "zip64"},
        {ENTRY + 20, "\xff\xff\xff\x7f", 4, RHEO_FORMAT, "reaches into the directory"},
        {ENTRY + 20, "\x90", 1, RHEO_FORMAT, "two sizes"},
        {ENTRY + 24, "\xff\xff\xff\x7f", 4, RHEO_FORMAT, "unpacks to more than 10000"},
        {ENTRY + 28, "\xff\xff", 2, RHEO_FORMAT, "beyond its directory"},
        {ENTRY + 42, "\x01", 1, RHEO_FORMAT, "no local header"},
        {ENTRY + 42, "\xf0\xff\xff\xff", 4, RHEO_FORMAT, "no local header"},
        {ENTRY + 46, "I", 1, RHEO_FORMAT, "names another array"},
        {ENTRY + 53, "txt", 3, RHEO_UNSUPPORTED, "not a .npy array"},
        {LOCAL + 28, "\xff\xff", 2, RHEO_FORMAT, "names another array"},
        {LOCAL + 30, "I", 1, RHEO_FORMAT, "names another array"},
        {END + 4, "\x01", 1, RHEO_UNSUPPORTED, "one of several parts"},
        {END + 8, "\x02\0\x02\0", 4, RHEO_FORMAT, "fewer entries"},
        {END + 8, "\0\0\0\0", 4, RHEO_FORMAT, "more entries"},
        {END + 8, "\xff\xff\xff\xff", 4, RHEO_UNSUPPORTED, "zip64"},
        {END + 16, "\0", 1, RHEO_FORMAT, "directory is not where"},
        {END + 20, "\x01", 1, RHEO_FORMAT, "no end record"},
    };
    float x[6];
    int64_t y[3];
    rheo_array arrays[2], *back;
    uint32_t count;
    char path[256], *whole;
    size_t size;
    fill(arrays, x, y);
    snprintf(path, sizeof path, "%s", in_folder("c.npz"));
    CHECK_OK(ctx, rheo__npz_write(ctx, path, arrays, 1));
    CHECK_OK(ctx, rheo__file_read(ctx, path, 10000, &whole, &size));
    assert_int_equal(size, END + 22);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char copy[END + 22], expected[400];
        memcpy(copy, whole, size);
        memcpy(copy + cases[i].at, cases[i].bytes, cases[i].size);
        write_bytes(path, copy, size);
        const char *word = strstr(cases[i].error, "%s");
        if (word)
            snprintf(expected, sizeof expected, "'%s%s", path, word + 2);
        else
            snprintf(expected, sizeof expected, "%s", cases[i].error);
        if (rheo__npz_read(ctx, path, 10000, &back, &count) != cases[i].status ||
            !strstr(rheo_error(ctx), expected))
            fail_msg("case %d: '%s' lacks '%s'", (int)i, rheo_error(ctx), expected);
    }
    arrays[1] = arrays[0];
    CHECK_OK(ctx, rheo__npz_write(ctx, path, arrays, 2));
    CHECK_FAILS(ctx, rheo__npz_read(ctx, path, 10000, &back, &count), RHEO_FORMAT,
                "two arrays have one name");
    rheo__release(ctx, whole);
}

static rheo_status work(rheo_context *c, void *arg)
{
    rheo_array *arrays;
    uint32_t count;
    RHEO_TRY(rheo__npz_read(c, "tests/oracles/deflated.npz", 1 << 24, &arrays, &count));
    rheo_status status = rheo__npz_write(c, arg, arrays, 3);
    rheo__npz_free(c, arrays, count);
    return status;
}

static void test_faults(void **state)
{
    (void)state;
    char path[256];
    snprintf(path, sizeof path, "%s", in_folder("f.npz"));
    faults_sweep(work, path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numpy_files), cmocka_unit_test(test_write),
        cmocka_unit_test(test_headers),     cmocka_unit_test(test_uint64_range),
        cmocka_unit_test(test_damaged_npy), cmocka_unit_test(test_npz_write),
        cmocka_unit_test(test_damaged_npz), cmocka_unit_test(test_refused_npz),
        cmocka_unit_test(test_faults),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
