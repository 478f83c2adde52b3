/* test_base.c: context, memory, text, fields, signal. Oracles: the contracts in the headers, and
 * distances and decimal texts worked out by hand. */
#include "check.h"
#include "faults.h"
#include "array/signal.h"
#include "base/field.h"
#include "base/random.h"
#include "base/text.h"

#include <sched.h>
#include <stdio.h>

static void test_defaults(void **state)
{
    (void)state;
    rheo_context *ctx;
    cpu_set_t all, one;
    assert_int_equal(rheo_context_new(NULL, &ctx), RHEO_OK);
    assert_int_equal(rheo_seed(ctx), 1);
    assert_string_equal(rheo_error(ctx), "");
    assert_true(rheo_threads(ctx) >= 1);
    assert_string_equal(rheo_isa(ctx), rheo__isa_names[ctx->isa]);
    rheo_context_free(ctx);
    /* a process that may use one core gets one thread */
    assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
    CPU_ZERO(&one);
    for (size_t i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++)
        if (CPU_ISSET(i, &all)) CPU_SET(i, &one);
    if (sched_setaffinity(0, sizeof one, &one) == 0) {
        ctx = check_context(0);
        assert_int_equal(rheo_threads(ctx), 1);
        rheo_context_free(ctx);
        sched_setaffinity(0, sizeof all, &all);
    }
    rheo_context_free(NULL);
    assert_string_equal(rheo_status_text(RHEO_OK), "fine");
    assert_string_equal(rheo_status_text(RHEO_FAILED), "a check failed");
    assert_string_equal(rheo_status_text((rheo_status)999), "unknown status");
    assert_true(strlen(rheo_version()) >= 5 && strlen(rheo_commit()) >= 1);
}

static void refused(rheo_context_options options, const char *text)
{
    rheo_context *ctx = NULL;
    assert_int_equal(rheo_context_new(&options, &ctx), RHEO_USAGE);
    if (!strstr(rheo_error(ctx), text)) fail_msg("'%s' lacks '%s'", rheo_error(ctx), text);
    rheo_context_free(ctx);
}

static void test_isa(void **state)
{
    (void)state;
    rheo_context *ctx;
    unsetenv("RHEOBASE_ISA");
    refused((rheo_context_options){.isa = "sse9"}, "option isa is 'sse9', expected portable");
    refused((rheo_context_options){.threads = 5000}, "threads is 5000");
    setenv("RHEOBASE_ISA", "neon", 1);
    refused((rheo_context_options){0}, "RHEOBASE_ISA is 'neon'");
    setenv("RHEOBASE_ISA", "portable", 1);
    ctx = check_context(1);
    assert_string_equal(rheo_isa(ctx), "portable");
    assert_int_equal(ctx->isa, RHEO_PORTABLE);
    rheo_context_free(ctx);
    setenv("RHEOBASE_ISA", "neon", 1); /* the option comes first */
    for (int level = 0; rheo__isa_names[level]; level++) {
        rheo_context_options options = {.isa = rheo__isa_names[level]};
        if (level > (int)rheo__isa_best()) {
            refused(options, "this processor offers");
            continue;
        }
        CHECK_OK(ctx, rheo_context_new(&options, &ctx));
        assert_string_equal(rheo_isa(ctx), rheo__isa_names[level]);
        rheo_context_free(ctx);
    }
    unsetenv("RHEOBASE_ISA");
}

static void test_error_text(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    char big[3000];
    assert_int_equal(rheo__fail(ctx, RHEO_SHAPE, "row\n%d", 3), RHEO_SHAPE);
    assert_string_equal(rheo_error(ctx), "row 3");
    assert_int_equal(rheo__blame(ctx, RHEO_IO, "file '%s'", "a\tb"), RHEO_IO);
    assert_string_equal(rheo_error(ctx), "file 'a b': row 3");
    rheo__fail(ctx, RHEO_IO, "again: %s", rheo_error(ctx)); /* the argument is the old text */
    assert_string_equal(rheo_error(ctx), "again: file 'a b': row 3");
    memset(big, 'x', sizeof big);
    big[sizeof big - 1] = '\0';
    rheo__fail(ctx, RHEO_IO, "%s", big);
    rheo__blame(ctx, RHEO_IO, "%s", big);
    assert_int_equal(strlen(rheo_error(ctx)), sizeof ctx->error - 1);
    rheo_context_free(ctx);
}

static void keep_line(void *user, const char *line)
{
    snprintf(user, 64, "%s", line);
}

static void test_hooks(void **state)
{
    (void)state;
    rheo_context *ctx;
    char line[64] = "";
    volatile int stop = 0;
    rheo_context_options options = {.user = line, .message = keep_line, .interrupt = &stop};
    CHECK_OK(ctx, rheo_context_new(&options, &ctx));
    rheo__message(ctx, "epoch %d\nof 3", 2);
    assert_string_equal(line, "epoch 2 of 3");
    assert_false(rheo__interrupted(ctx));
    stop = 1;
    assert_true(rheo__interrupted(ctx));
    rheo_context_free(ctx);
    ctx = check_context(1);
    rheo__message(ctx, "nobody listens");
    assert_false(rheo__interrupted(ctx));
    rheo_context_free(ctx);
}

static void test_memory(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    rheo_memory before = rheo_memory_used(ctx), now;
    unsigned char *a = NULL;
    double *b = NULL;
    CHECK_OK(ctx, rheo__alloc(ctx, 1000, 1, "bytes", &a));
    CHECK_OK(ctx, rheo__alloc(ctx, 100, sizeof *b, "doubles", &b));
    assert_int_equal((uintptr_t)a % 64, 0);
    assert_int_equal((uintptr_t)b % 64, 0);
    for (int i = 0; i < 1000; i++) assert_int_equal(a[i], 0);
    memset(a, 7, 1000);
    CHECK_OK(ctx, rheo__grow(ctx, 5000, 1, "bytes", &a));
    for (int i = 0; i < 5000; i++) assert_int_equal(a[i], i < 1000 ? 7 : 0);
    now = rheo_memory_used(ctx);
    assert_int_equal(now.now - before.now, 5800);
    assert_int_equal(now.calls - before.calls, 3);
    CHECK_OK(ctx, rheo__grow(ctx, 10, 1, "bytes", &a));
    assert_int_equal(a[9], 7);
    now = rheo_memory_used(ctx);
    assert_int_equal(now.now - before.now, 810);
    assert_int_equal(now.peak - before.now, 5800);
    rheo__release(ctx, a);
    rheo_free(ctx, b);
    rheo__release(ctx, NULL);
    assert_int_equal(rheo_memory_used(ctx).now, before.now);

    unsigned char *old = a = NULL;
    CHECK_FAILS(ctx, rheo__alloc(ctx, SIZE_MAX / 2, 3, "a giant", &a), RHEO_MEMORY, "a giant");
    CHECK_FAILS(ctx, rheo__alloc(ctx, SIZE_MAX - 8, 1, "a giant", &a), RHEO_MEMORY, "a giant");
    CHECK_FAILS(ctx, rheo__alloc(ctx, SIZE_MAX / 2, 1, "a giant", &a), RHEO_MEMORY, "a giant");
    assert_null(a);
    CHECK_OK(ctx, rheo__alloc(ctx, 0, 8, "nothing", &a));
    assert_non_null(a);
    old = a;
    CHECK_FAILS(ctx, rheo__grow(ctx, SIZE_MAX / 2, 1, "a giant", &a), RHEO_MEMORY, "a giant");
    assert_ptr_equal(a, old);
    rheo__release(ctx, a);
    rheo_context_free(ctx);
}

static void test_context_faults(void **state)
{
    (void)state;
    faults f;
    rheo_context *ctx;
    rheo_context_options options = {.threads = 3, .allocator = {&f, faults_resize}};
    uint64_t n = 0;
    for (;; n++) {
        f = (faults){.left = n};
        rheo_status status = rheo_context_new(&options, &ctx);
        assert_non_null(strstr(rheo_error(ctx), status == RHEO_OK ? "" : "out of memory"));
        rheo_context_free(ctx);
        assert_int_equal(f.live, 0);
        if (status == RHEO_OK) break;
        assert_int_equal(status, RHEO_MEMORY);
    }
    assert_int_equal(n, 2); /* the context and its pool */
}

static void test_arena(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    rheo_arena arena = {0};
    char *piece[2][3], *memory;
    for (int walk = 0; walk < 2; walk++) {
        piece[walk][0] = rheo__take(&arena, 3, 1);
        piece[walk][1] = rheo__take(&arena, 0, 8);
        piece[walk][2] = rheo__take(&arena, 13, 8);
        assert_false(arena.overflow);
        assert_int_equal(arena.used, 64 + 0 + 128);
        if (walk == 1) break;
        CHECK_OK(ctx, rheo__alloc(ctx, arena.used, 1, "arena", &memory));
        arena = (rheo_arena){.base = memory, .size = arena.used};
    }
    for (int i = 0; i < 3; i++) assert_null(piece[0][i]);
    assert_ptr_equal(piece[1][0], memory);
    assert_ptr_equal(piece[1][2], memory + 64);
    assert_null(rheo__take(&arena, 1, 1)); /* more than the first walk asked for */
    assert_true(arena.overflow);
    arena = (rheo_arena){0};
    rheo__take(&arena, SIZE_MAX / 4, 8);
    assert_true(arena.overflow);
    arena = (rheo_arena){.used = SIZE_MAX - 100};
    rheo__take(&arena, 100, 1);
    assert_true(arena.overflow);
    rheo__release(ctx, memory);
    rheo_context_free(ctx);
}

static rheo_status write_text(rheo_context *ctx, void *arg)
{
    rheo_text text = {.ctx = ctx};
    (void)arg;
    for (int i = 0; i < 200; i++) rheo__text_add(&text, "line %d of a text; ", i);
    rheo__text_add(&text, "%*d", 5000, 7);
    rheo_status status = text.status;
    if (status == RHEO_OK) {
        assert_int_equal(strlen(text.data), text.size);
        assert_int_equal(text.size, 10 * 18 + 90 * 19 + 100 * 20 + 5000);
        assert_memory_equal(text.data, "line 0 of a text; line 1", 24);
        assert_string_equal(text.data + text.size - 2, " 7");
    }
    rheo__text_free(&text);
    return status;
}

static void test_text(void **state)
{
    (void)state;
    faults_sweep(write_text, NULL);
}

static void test_distance(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        uint32_t d;
    } cases[] = {{"", "", 0},           {"", "abc", 3},       {"kitten", "sitting", 3},
                 {"rate", "rat", 1},    {"ab", "ba", 1},      {"ca", "abc", 3},
                 {"Alpha", "aLPHA", 0}, {"beta", "bteas", 2}, {"surrogate", "surogat", 2}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(rheo__distance(cases[i].a, cases[i].b), cases[i].d);
        assert_int_equal(rheo__distance(cases[i].b, cases[i].a), cases[i].d);
    }
    static const char *const names[] = {"rate", "epochs", "batch", "surrogate", NULL};
    assert_string_equal(rheo__nearest("rat", names), "rate");
    assert_string_equal(rheo__nearest("epoch", names), "epochs");
    assert_string_equal(rheo__nearest("surgate", names), "surrogate");
    assert_null(rheo__nearest("membrane", names));
    assert_null(rheo__nearest("x", names));
}

static const char *const resets[] = {"subtract", "zero", "none", NULL};
static const rheo_field fields[] = {
    RHEO_NUMBER_FIELD("tau", "ms", 10, 0.1, 1000, "time constant"),
    RHEO_INTEGER_FIELD("steps", "1", 25, 1, 100000, "steps"),
    RHEO_FLAG_FIELD("bias", 1, "with bias"),
    RHEO_CHOICE_FIELD("reset", 1, resets, "reset"),
    RHEO_NUMBER_FIELD("limit", "1", (double)INFINITY, 0, (double)INFINITY, "no limit by default"),
    RHEO_NUMBER_FIELD("floor", "1", (double)NAN, -1, 1, "NaN by default"),
    RHEO_FIELD_END};

static void test_field_parse(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
        double value;
        const char *error; /* NULL: good */
    } cases[] = {
        {"tau", "2.5", 2.5, NULL},
        {"tau", "+1e2", 100, NULL},
        {"tau", "1000", 1000, NULL},
        {"tau", "1000.01", 0, "here: tau is '1000.01', expected a number from 0.1 to 1000 ms"},
        {"tau", "", 0, "tau is ''"},
        {"tau", "fast", 0, "tau is 'fast'"},
        {"tau", "2 ", 0, "tau is '2 '"},
        {"tau", " 2", 0, "tau is ' 2'"},
        {"tau", "2,5", 0, "tau is '2,5'"},
        {"tau", "0x10", 0, "tau is '0x10'"},
        {"tau", "1e", 0, "tau is '1e'"},
        {"tau", "nan", 0, "tau is 'nan'"},
        {"tau", ".inf", 0, "tau is '.inf'"},
        {"limit", ".inf", (double)INFINITY, NULL},
        {"limit", "-inf", 0, "expected a number from 0 to inf"},
        {"limit", "1e999", (double)INFINITY, NULL},
        {"floor", ".nan", (double)NAN, NULL},
        {"steps", "25", 25, NULL},
        {"steps", "1e3", 1000, NULL},
        {"steps", "2.5", 0, "here: steps is '2.5', expected a whole number from 1 to 100000"},
        {"steps", "0", 0, "from 1 to"},
        {"bias", "true", 1, NULL},
        {"bias", "false", 0, NULL},
        {"bias", "yes", 0, "bias is 'yes', expected true or false"},
        {"reset", "none", 2, NULL},
        {"reset", "zreo", 0, "reset is 'zreo'; did you mean 'zero'?"},
        {"reset", "membrane", 0, "expected one of subtract, zero, none"},
    };
    rheo_context *ctx = check_context(1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const rheo_field *field = &fields[rheo__field_index(fields, cases[i].name)];
        double value = -77;
        if (cases[i].error) {
            CHECK_FAILS(ctx, rheo__field_parse(ctx, field, cases[i].text, "here", &value),
                        RHEO_USAGE, cases[i].error);
            assert_true(value == -77);
            continue;
        }
        CHECK_OK(ctx, rheo__field_parse(ctx, field, cases[i].text, "here", &value));
        if (!(isnan(cases[i].value) ? isnan(value) : value == cases[i].value))
            fail_msg("%s '%s' gave %g", cases[i].name, cases[i].text, value);
    }
    assert_int_equal(rheo__field_count(fields), 6);
    assert_int_equal(rheo__field_index(fields, "taux"), -1);
    assert_true(rheo__field_defaults(fields).v[1] == 25 && rheo__field_defaults(fields).v[3] == 1);
    rheo_context_free(ctx);
}

static void test_field_print(void **state)
{
    (void)state;
    static const struct {
        int field;
        double value;
        const char *text;
    } cases[] = {{0, 0.1, "0.1"},
                 {0, 5e-4, "0.0005"},
                 {0, 1.0 / 3, "0.3333333333333333"},
                 {0, 0.1 + 0.2, "0.30000000000000004"},
                 {0, 1e300, "1e+300"},
                 {0, -0.0, "-0"},
                 {1, 60000, "60000"},
                 {2, 0, "false"},
                 {3, 2, "none"},
                 {4, (double)INFINITY, "inf"},
                 {0, 1234567890123456, "1234567890123456"}};
    char text[64];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rheo__field_print(&fields[cases[i].field], cases[i].value, text);
        assert_string_equal(text, cases[i].text);
    }
    /* any double comes back, bit for bit */
    rheo_key key = rheo__key(1, 0, RHEO_FOR_TEST);
    for (uint32_t i = 0; i < 2000; i++) {
        uint32_t counter[4] = {i, 0, 0, 0}, r[4];
        double value, back;
        rheo__philox(key, counter, r);
        memcpy(&value, r, sizeof value);
        if (!isfinite(value)) continue;
        rheo__field_print(&fields[0], value, text);
        assert_true(rheo__number(text, &back));
        assert_memory_equal(&value, &back, sizeof value);
    }
}

/* Rows of all lengths, full but for one bit and one word. */
static void test_popcount(void **state)
{
    (void)state;
    uint64_t row[100];
    memset(row, 0xff, sizeof row);
    row[0] = UINT64_MAX - 1;
    for (uint32_t words = 1; words <= 100; words++) {
        rheo_signal s = {.form = RHEO_BITS, .T = 1, .B = 1, .N = words * 64, .pitch = words};
        s.bits = row;
        if (words > 1) row[words / 2] = 0;
        const uint64_t want = words > 1 ? 64 * (words - 1) - 1 : 63;
        assert_int_equal(rheo__signal_popcount(&s, 0, 0, 1), want);
        if (words > 1) row[words / 2] = UINT64_MAX;
    }
}

static void test_signal(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    rheo_arena arena = {0};
    rheo_signal bits, real, fixed;
    char *memory = NULL;
    for (int walk = 0; walk < 2; walk++) {
        rheo__signal_take(&bits, RHEO_BITS, 3, 2, 70, false, &arena);
        rheo__signal_take(&real, RHEO_REAL, 3, 2, 17, false, &arena);
        rheo__signal_take(&fixed, RHEO_REAL, 3, 2, 16, true, &arena);
        if (walk == 1) break;
        CHECK_OK(ctx, rheo__alloc(ctx, arena.used, 1, "arena", &memory));
        arena = (rheo_arena){.base = memory, .size = arena.used};
    }
    assert_false(arena.overflow);
    assert_int_equal(arena.used, 3 * 2 * 2 * 8 + 32 + 3 * 2 * 32 * 4 + 2 * 16 * 4);
    assert_int_equal(bits.pitch, 2);
    assert_int_equal(real.pitch, 32);
    assert_int_equal(fixed.stride_t, 0);
    bits.lo = -1;
    rheo__bits_row(&bits, 1, 0)[1] |= UINT64_C(1) << 5;  /* neuron 69 of row (1,0) */
    rheo__bits_row(&bits, 1, 1)[0] |= UINT64_C(3) << 62; /* 62 and 63 of row (1,1) */
    assert_true(rheo__signal_get(&bits, 1, 0, 69) == 1.0f);
    assert_true(rheo__signal_get(&bits, 1, 0, 68) == -1.0f);
    assert_true(rheo__signal_get(&bits, 1, 1, 63) == 1.0f);
    assert_int_equal(rheo__signal_popcount(&bits, 1, 0, 2), 3);
    assert_int_equal(rheo__signal_popcount(&bits, 1, 1, 2), 2);
    assert_int_equal(rheo__signal_popcount(&bits, 0, 0, 2), 0);
    rheo__real_row(&real, 2, 1)[16] = 4.5f;
    assert_true(rheo__signal_get(&real, 2, 1, 16) == 4.5f);
    rheo__real_row(&fixed, 0, 1)[3] = 2.0f;
    assert_true(rheo__signal_get(&fixed, 2, 1, 3) == 2.0f);
    arena = (rheo_arena){0};
    rheo__signal_take(&real, RHEO_REAL, UINT32_MAX, UINT32_MAX, UINT32_MAX - 20, false, &arena);
    assert_true(arena.overflow);
    arena = (rheo_arena){0};
    rheo__signal_take(&real, RHEO_REAL, 1, 1, UINT32_MAX, false, &arena); /* pitch wraps */
    assert_true(arena.overflow);
    rheo__release(ctx, memory);
    rheo_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),    cmocka_unit_test(test_isa),
        cmocka_unit_test(test_error_text),  cmocka_unit_test(test_hooks),
        cmocka_unit_test(test_memory),      cmocka_unit_test(test_context_faults),
        cmocka_unit_test(test_arena),       cmocka_unit_test(test_text),
        cmocka_unit_test(test_distance),    cmocka_unit_test(test_field_parse),
        cmocka_unit_test(test_field_print), cmocka_unit_test(test_popcount),
        cmocka_unit_test(test_signal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
