/* test_modelfile.c: what lasts, in a file and back: all types, the layout that other programs read,
 * equal bytes for equal content, and files that are damaged, cut, foreign or another net's. */
#include "data_files.h"
#include "faults.h"
#include "nets.h"
#include "one_context.h"
#include <hdf5.h>
#include <sys/wait.h>

/* For the sanitizers: of a damaged file HDF5 asks for more memory than there is, which it must be
 * told, and forgets some hundred bytes. */
RHEO_API const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}
RHEO_API const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libhdf5";
}

static int tear_down(void **state)
{
    close_context(state);
    return remove_folder(state);
}

/* Memory of every type, and the slots that show it. */
typedef struct piece {
    float f[6], turned[6], one[1];
    double d[3];
    uint32_t u[4];
    uint64_t w[2];
    uint8_t b[5];
} piece;
#define SLOTS 7

static uint32_t slots_of(piece *p, rheo_slot slots[SLOTS])
{
    const rheo_slot all[SLOTS] = {
        {"/parameters/1/weight", RHEO_SLOT_F32, 2, 3, false, p->f, 0, {0}},
        {"/parameters/2/weight", RHEO_SLOT_F32, 2, 3, true, p->turned, 0, {0}},
        {"/a/deep/place/one", RHEO_SLOT_F32, 1, 1, false, p->one, 0, {0}},
        {"/sums", RHEO_SLOT_F64, 3, 0, false, p->d, 0, {0}},
        {"/readout/assignment", RHEO_SLOT_U32, 4, 0, false, p->u, 0, {0}},
        {"/counters", RHEO_SLOT_U64, 2, 0, false, p->w, 0, {0}},
        {"/bits", RHEO_SLOT_U8, 5, 0, false, p->b, 0, {0}},
    };
    memcpy(slots, all, sizeof all);
    return SLOTS;
}

static const piece filled = {.f = {1, -2.5f, 3e-42f, 0x1p127f, -0.0f, 6},
                             .turned = {11, 12, 13, 21, 22, 23},
                             .one = {7},
                             .d = {0.1, -1e300, 3},
                             .u = {0, 1, UINT32_MAX, 9},
                             .w = {UINT64_MAX, UINT64_C(1) << 53 | 1},
                             .b = {0, 255, 7, 1, 2}};
static const char recipe_text[] = "name: x\nnet: 3-2  # \xC3\xA4\n";

static void write_filled(const char *path)
{
    piece p = filled;
    rheo_slot slots[SLOTS];
    CHECK_OK(ctx, rheo__slots_save(ctx, path, recipe_text, slots, slots_of(&p, slots)));
}

static void test_there_and_back(void **state)
{
    (void)state;
    const char *path = in_folder("all.rheo");
    write_filled(path);
    piece p;
    rheo_slot slots[SLOTS];
    char *text = NULL;
    memset(&p, 0x55, sizeof p);
    CHECK_OK(ctx, rheo__slots_load(ctx, path, &text, slots, slots_of(&p, slots)));
    assert_memory_equal(p.f, filled.f, sizeof p.f);
    assert_memory_equal(p.turned, filled.turned, sizeof p.turned);
    assert_memory_equal(p.one, filled.one, sizeof p.one);
    assert_memory_equal(p.d, filled.d, sizeof p.d);
    assert_memory_equal(p.u, filled.u, sizeof p.u);
    assert_memory_equal(p.w, filled.w, sizeof p.w);
    assert_memory_equal(p.b, filled.b, sizeof p.b);
    assert_string_equal(text, recipe_text);
    rheo__release(ctx, text);
    CHECK_OK(ctx, rheo__slots_text(ctx, path, &text)); /* alone */
    assert_string_equal(text, recipe_text);
    rheo__release(ctx, text);
    memset(&p, 0, sizeof p); /* some of them, in any order, and no text */
    slots_of(&p, slots);
    slots[0] = slots[6];
    CHECK_OK(ctx, rheo__slots_load(ctx, path, NULL, slots, 2));
    assert_memory_equal(p.b, filled.b, sizeof p.b);
    assert_memory_equal(p.turned, filled.turned, sizeof p.turned);
}

static char *bytes_of(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    char *data = room(1u << 20, 1);
    *size = fread(data, 1, 1u << 20, f);
    assert_true(*size > 0 && *size < 1u << 20);
    fclose(f);
    return data;
}

/* Neither the time nor the path goes in. */
static void test_same_bytes(void **state)
{
    (void)state;
    size_t n, m;
    const char *first = in_folder("first.rheo"), *second = in_folder("another-name.rheo");
    write_filled(first);
    sleep(2);
    write_filled(second);
    char *a = bytes_of(first, &n), *b = bytes_of(second, &m);
    assert_int_equal(n, m);
    assert_memory_equal(a, b, n);
    free(a), free(b);
}

/* ---- as h5py and others see it ---- */

static hid_t plain_open(const char *path)
{
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    assert_true(file >= 0);
    return file;
}

static void read_floats(hid_t file, const char *path, hsize_t rows, hsize_t cols, float *out)
{
    hsize_t shape[2] = {0, 0};
    hid_t set = H5Dopen2(file, path, H5P_DEFAULT);
    assert_true(set >= 0);
    hid_t space = H5Dget_space(set), type = H5Dget_type(set);
    assert_int_equal(H5Sget_simple_extent_ndims(space), 2);
    H5Sget_simple_extent_dims(space, shape, NULL);
    assert_int_equal(shape[0], rows);
    assert_int_equal(shape[1], cols);
    assert_true(H5Tequal(type, H5T_IEEE_F32LE) > 0);
    assert_true(H5Dread(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, out) >= 0);
    H5Tclose(type), H5Sclose(space), H5Dclose(set);
}

static void test_layout(void **state)
{
    enum { IN = 5, OUT = 3 };
    (void)state;
    const char *path = in_folder("layout.rheo");
    rheo_net *net = net_of(ctx, &(net_text){.net = "- dense: {out: 4}\n- neuron: {model: lif}\n"
                                                   "- plastic: {name: P, out: 3, delay_high: 4}\n"
                                                   "- neuron: {name: E, model: conductance-lif}\n",
                                            .in = {{IN}}});
    rheo_slot slots[16];
    const uint32_t count = rheo__net_slots(net, slots, 16);
    assert_int_equal(count, 6); /* weight, bias; weight, delay; theta, rest */
    CHECK_OK(ctx, rheo__slots_save(ctx, path, recipe_text, slots, count));
    hid_t file = plain_open(path);
    char text[64] = "", format[16] = "";
    uint32_t version = 0;
    hid_t set = H5Dopen2(file, "/net", H5P_DEFAULT), type = H5Dget_type(set);
    assert_int_equal(H5Tget_class(type), H5T_STRING);
    assert_int_equal(H5Tget_cset(type), H5T_CSET_UTF8);
    assert_int_equal(H5Tget_size(type), sizeof recipe_text);
    assert_true(H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) >= 0);
    assert_string_equal(text, recipe_text);
    H5Tclose(type), H5Dclose(set);
    hid_t attribute = H5Aopen(file, "format", H5P_DEFAULT);
    type = H5Aget_type(attribute);
    assert_int_equal(H5Tget_class(type), H5T_STRING);
    assert_true(H5Tget_size(type) < sizeof format);
    assert_true(H5Aread(attribute, type, format) >= 0);
    assert_string_equal(format, "rheobase");
    H5Tclose(type), H5Aclose(attribute);
    attribute = H5Aopen(file, "version", H5P_DEFAULT);
    assert_true(H5Aread(attribute, H5T_NATIVE_UINT32, &version) >= 0);
    assert_int_equal(version, 1);
    H5Aclose(attribute);
    float w[4 * IN], shown[OUT * 4], theta[OUT];
    read_floats(file, "/parameters/1/weight", 4, IN, w); /* [out, in], as PyTorch has it */
    assert_memory_equal(w, rheo_net_parameter(net, "1.weight", NULL, NULL), sizeof w);
    read_floats(file, "/parameters/1/bias", 1, 4, w);
    read_floats(file, "/state/E/theta", 1, OUT, theta);
    assert_float_equal(theta[1], 20, 0);
    read_floats(file, "/parameters/P/weight", OUT, 4, shown); /* in memory [in, out] */
    const float *inside = rheo_net_parameter(net, "P.weight", NULL, NULL);
    for (int o = 0; o < OUT; o++)
        for (int i = 0; i < 4; i++) assert_float_equal(shown[o * 4 + i], inside[i * OUT + o], 0);
    read_floats(file, "/parameters/P/delay", OUT, 4, shown);
    H5Fclose(file);
    rheo_net_free(net);
}

/* ---- what is not a model, or not this one ---- */

/* The load fails and changes nothing. */
static void refused(const char *path, rheo_status status, const char *says, const rheo_slot *asked,
                    uint32_t count, piece *p)
{
    piece before = *p;
    char *text = NULL;
    CHECK_FAILS(ctx, rheo__slots_load(ctx, path, &text, asked, count), status, says);
    assert_null(text);
    assert_non_null(strstr(rheo_error(ctx), path));
    assert_memory_equal(&before, p, sizeof before);
}

static void test_other_shapes(void **state)
{
    static const struct {
        uint32_t slot;
        rheo_slot asks; /* of path, type, rows, cols, transposed */
        const char *says;
    } cases[] = {
        {5, {"/counter", RHEO_SLOT_U64, 2, 0, false, NULL, 0, {0}}, "there is no /counter in it"},
        {5, {"/a/deep", RHEO_SLOT_U64, 2, 0, false, NULL, 0, {0}}, "there is no /a/deep in it"},
        {5,
         {"/counters/x", RHEO_SLOT_U64, 2, 0, false, NULL, 0, {0}},
         "there is no /counters/x in it"},
        {5,
         {"/counters", RHEO_SLOT_U64, 1, 0, false, NULL, 0, {0}},
         "/counters is 1-dimensional, 2 x 1, but the net needs 1-dimensional, 1 x 1"},
        {5,
         {"/counters", RHEO_SLOT_U64, 2, 1, false, NULL, 0, {0}},
         "1-dimensional, 2 x 1, but the net needs 2-dimensional, 2 x 1"},
        {5, {"/counters", RHEO_SLOT_U32, 2, 0, false, NULL, 0, {0}}, "of 4-byte numbers"},
        {5, {"/counters", RHEO_SLOT_F64, 2, 0, false, NULL, 0, {0}}, "of 8-byte numbers"},
        {6, {"/bits", RHEO_SLOT_U8, 4, 0, false, NULL, 0, {0}}, "/bits is 1-dimensional, 5 x 1"},
        {0,
         {"/parameters/1/weight", RHEO_SLOT_F32, 3, 2, false, NULL, 0, {0}},
         "2 x 3, but the net needs 2-dimensional, 3 x 2"},
        {0,
         {"/parameters/1/weight", RHEO_SLOT_F32, 2, 3, true, NULL, 0, {0}},
         "2 x 3, but the net needs 2-dimensional, 3 x 2"},
        {0,
         {"/parameters/1/weight", RHEO_SLOT_F32, 6, 0, false, NULL, 0, {0}},
         "needs 1-dimensional, 6 x 1"},
        {0, {"/net", RHEO_SLOT_F32, 2, 3, false, NULL, 0, {0}}, "/net is 0-dimensional"},
    };
    (void)state;
    const char *path = in_folder("shapes.rheo");
    write_filled(path);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        piece p;
        rheo_slot slots[SLOTS];
        memset(&p, 0x55, sizeof p);
        slots_of(&p, slots);
        rheo_slot last = cases[i].asks; /* after all the good ones */
        last.data = slots[cases[i].slot].data;
        slots[cases[i].slot] = slots[SLOTS - 1];
        slots[SLOTS - 1] = last;
        refused(path, RHEO_FORMAT, cases[i].says, slots, SLOTS, &p);
    }
    piece p = {0};
    rheo_slot slots[SLOTS];
    refused(in_folder("none.rheo"), RHEO_MISSING, "there is no such file", slots,
            slots_of(&p, slots), &p);
}

static void test_foreign(void **state)
{
    (void)state;
    piece p;
    rheo_slot slots[SLOTS];
    memset(&p, 0x55, sizeof p);
    slots_of(&p, slots);
    const char *path = in_folder("foreign.rheo");
    put_text(path, "name: a recipe, no model\n");
    refused(path, RHEO_FORMAT, "is no HDF5 file", slots, SLOTS, &p);
    put_text(path, "");
    refused(path, RHEO_FORMAT, "is no HDF5 file", slots, SLOTS, &p);
    refused(in_folder("."), RHEO_FORMAT, "is no HDF5 file", slots, SLOTS, &p);
    /* HDF5, but others' */
    static const struct {
        const char *format;
        uint32_t version;
    } cases[] = {{NULL, 0}, {"keras", 1}, {"rheobase", 0}, {"rheobase", 2}, {"rheobased", 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
        hid_t space = H5Screate(H5S_SCALAR), type = H5Tcopy(H5T_C_S1);
        if (cases[i].format) {
            H5Tset_size(type, strlen(cases[i].format) + 1);
            hid_t a = H5Acreate2(file, "format", type, space, H5P_DEFAULT, H5P_DEFAULT);
            hid_t v = H5Acreate2(file, "version", H5T_STD_U32LE, space, H5P_DEFAULT, H5P_DEFAULT);
            assert_true(H5Awrite(a, type, cases[i].format) >= 0);
            assert_true(H5Awrite(v, H5T_NATIVE_UINT32, &cases[i].version) >= 0);
            H5Aclose(a), H5Aclose(v);
        }
        H5Tclose(type), H5Sclose(space), H5Fclose(file);
        refused(path, RHEO_FORMAT, "is no rheobase model of version 1 to 1", slots, SLOTS, &p);
    }
    /* attributes of a thousand values, where one is expected */
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t space = H5Screate_simple(1, (hsize_t[]){1000}, NULL), type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, 9);
    char *many = room(1000, 9);
    hid_t a = H5Acreate2(file, "format", type, space, H5P_DEFAULT, H5P_DEFAULT);
    for (int i = 0; i < 1000; i++) strcpy(many + 9 * i, "rheobase");
    assert_true(H5Awrite(a, type, many) >= 0);
    H5Aclose(a), H5Tclose(type), H5Sclose(space), H5Fclose(file);
    free(many);
    refused(path, RHEO_FORMAT, "is no rheobase model", slots, SLOTS, &p);
}

static void test_cut(void **state)
{
    (void)state;
    size_t size;
    const char *whole = in_folder("whole.rheo"), *part = in_folder("part.rheo");
    write_filled(whole);
    char *data = bytes_of(whole, &size);
    for (size_t keep = 0; keep < size; keep += 1 + size / 97) {
        piece p;
        rheo_slot slots[SLOTS];
        memset(&p, 0x55, sizeof p);
        put_file(part, data, keep);
        refused(part, RHEO_FORMAT, "is no HDF5 file, or a damaged one", slots, slots_of(&p, slots),
                &p);
    }
    free(data);
}

/* One byte in ~500 places: nothing crashes, and what fails, fails as a damaged file. A byte within
 * the numbers cannot be noticed. */
static void test_flipped(void **state)
{
    (void)state;
    size_t size;
    uint32_t failed = 0, tried = 0;
    const char *whole = in_folder("whole.rheo"), *bad = in_folder("bad.rheo");
    write_filled(whole);
    char *data = bytes_of(whole, &size);
    for (size_t at = 0; at < size; at += 1 + size / 499, tried++) {
        piece p = {0};
        rheo_slot slots[SLOTS];
        char *text = NULL;
        data[at] ^= (char)0xff;
        put_file(bad, data, size);
        const rheo_status status = rheo__slots_load(ctx, bad, &text, slots, slots_of(&p, slots));
        if (status) {
            assert_int_equal(status, RHEO_FORMAT);
            assert_non_null(strstr(rheo_error(ctx), bad));
            failed++;
        }
        rheo__release(ctx, text);
        data[at] ^= (char)0xff;
    }
    assert_true(tried > 300 && failed > 20);
    free(data);
}

/* Whatever byte of the file's head is damaged, nothing is printed, not even when HDF5 closes. */
static void test_quiet(void **state)
{
    (void)state;
    size_t size;
    int ended;
    const char *whole = in_folder("whole.rheo"), *bad = in_folder("bad.rheo");
    const char *said = in_folder("said.txt");
    write_filled(whole);
    char *data = bytes_of(whole, &size);
    for (size_t at = 0; at < 200; at++) {
        data[at] ^= (char)0xff;
        put_file(bad, data, size);
        data[at] ^= (char)0xff;
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            piece p = {0};
            rheo_slot slots[SLOTS];
            if (!freopen(said, "w", stderr)) _exit(2);
            (void)rheo__slots_load(ctx, bad, NULL, slots, slots_of(&p, slots));
            H5close();
            fflush(stderr);
            _exit(0);
        }
        assert_int_equal(waitpid(child, &ended, 0), child);
        assert_int_equal(ended, 0);
        char *words = room(4096, 1);
        FILE *f = fopen(said, "r"); /* a sanitizer may warn of the memory that it refused */
        assert_non_null(f);
        (void)!fread(words, 1, 4095, f);
        fclose(f);
        assert_null(strstr(words, "HDF5"));
        if (!strstr(words, "Sanitizer")) assert_string_equal(words, "");
        free(words);
    }
    free(data);
}

/* ---- when it cannot be written, and when memory ends ---- */

static void test_nowhere(void **state)
{
    (void)state;
    piece p = filled;
    rheo_slot slots[SLOTS];
    const char *path = in_folder("no-such-folder/x.rheo");
    CHECK_FAILS(ctx, rheo__slots_save(ctx, path, recipe_text, slots, slots_of(&p, slots)),
                RHEO_MISSING, "no-such-folder/x.rheo");
    assert_false(rheo__file_exists(path));
}

static rheo_status save_and_load(rheo_context *faulty, void *path)
{
    piece p = filled, back;
    rheo_slot slots[SLOTS];
    char *text = NULL;
    rheo_status status = rheo__slots_save(faulty, path, recipe_text, slots, slots_of(&p, slots));
    if (status) return status;
    status = rheo__slots_load(faulty, path, &text, slots, slots_of(&back, slots));
    if (!status) assert_string_equal(text, recipe_text);
    rheo__release(faulty, text);
    return status;
}

static void test_faults(void **state)
{
    (void)state;
    faults_sweep(save_and_load, (void *)(uintptr_t)in_folder("faults.rheo"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_layout),         cmocka_unit_test(test_other_shapes),
        cmocka_unit_test(test_foreign),        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_flipped),        cmocka_unit_test(test_nowhere),
        cmocka_unit_test(test_quiet),          cmocka_unit_test(test_faults),
    };
    return cmocka_run_group_tests(tests, open_context, tear_down);
}
