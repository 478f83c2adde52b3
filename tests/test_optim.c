/* test_optim.c: optimisers and schedules against PyTorch's arrays, and RMaxProp and QuickProp
 * against their papers' formulae (tests/oracles/optimisers.py); the same bits wherever a parameter
 * is cut and on every instruction set. */
#include "array/npy.h"
#include "check.h"
#include "kernels/kernels.h"
#include "optim/optim.h"
#include <stdio.h>

static rheo_array *arrays;
static uint32_t array_count;

static const rheo_array *array(const char *name)
{
    for (uint32_t i = 0; i < array_count; i++)
        if (!strcmp(arrays[i].name, name)) return &arrays[i];
    fail_msg("optimisers.npz has no %s", name);
    return NULL;
}

typedef struct setting {
    const char *key;
    double value;
} setting;
static void set(const rheo_field *fields, const setting *given, uint32_t count, rheo_options *out)
{
    *out = rheo__field_defaults(fields);
    for (uint32_t i = 0; i < count && given[i].key; i++) {
        int at = rheo__field_index(fields, given[i].key);
        assert_true(at >= 0);
        out->v[at] = given[i].value;
    }
}

/* The names of the oracle, whose first word is the optimiser. */
static const struct {
    const char *name;
    double rate;
    setting given[5];
} rows[] = {
    {"sgd", 0.01, {{0}}},
    {"sgd_momentum", 0.01, {{"momentum", 0.9}, {"decay", 0.05}}},
    {"sgd_dampening", 0.01, {{"momentum", 0.8}, {"dampening", 0.3}, {"decay", 0.05}}},
    {"sgd_nesterov", 0.01, {{"momentum", 0.9}, {"nesterov", 1}, {"decay", 0.05}}},
    {"adam", 0.01, {{0}}},
    {"adam_decay", 0.01, {{"beta1", 0.8}, {"beta2", 0.95}, {"epsilon", 1e-3}, {"decay", 0.1}}},
    {"adamw", 0.01, {{0}}},
    {"adamw_decay", 0.01, {{"beta1", 0.8}, {"beta2", 0.95}, {"epsilon", 1e-3}, {"decay", 0.5}}},
    {"adamax", 0.01, {{0}}},
    {"adamax_decay", 0.01, {{"beta1", 0.8}, {"beta2", 0.95}, {"decay", 0.1}}},
    {"rmsprop", 0.01, {{0}}},
    {"rmsprop_momentum",
     0.001,
     {{"alpha", 0.9}, {"epsilon", 1e-4}, {"momentum", 0.7}, {"decay", 0.1}}},
    {"rmaxprop", 0.01, {{0}}},
    {"rmaxprop_decay", 0.01, {{"alpha", 0.7}, {"epsilon", 1e-4}, {"decay", 0.1}}},
    {"rprop", 0.01, {{0}}},
    {"rprop_limits", 0.05, {{"grow", 1.5}, {"shrink", 0.3}, {"least", 0.01}, {"most", 0.2}}},
    {"quickprop", 0.001, {{0}}},
    {"quickprop_decay", 0.001, {{"growth", 1.2}, {"decay", 0.1}}},
};
#define ROWS (sizeof rows / sizeof rows[0])

static const rheo_optimiser *optimiser_of(size_t i)
{
    char name[32];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(rows[i].name, "_"), rows[i].name);
    const rheo_optimiser *o = rheo__optimiser_find(name);
    assert_non_null(o);
    return o;
}

enum { N = 12, COPIES = 6, ALL = N * COPIES };
/* All steps on COPIES of the oracle's weights side by side, in pieces of `piece` elements; the kept
 * steps to out [kept, ALL]. */
static void run(rheo_context *ctx, size_t i, size_t piece, float *out)
{
    const rheo_optimiser *o = optimiser_of(i);
    const rheo_array *g = array("g");
    const float *w0 = array("w0")->data;
    const int32_t *kept = array("kept")->data;
    float w[ALL], gradient[ALL], slot[RHEO_OPTIMISER_SLOTS][ALL] = {{0}};
    rheo_options options;
    assert_int_equal(g->shape[1], N);
    assert_true(o->slots <= RHEO_OPTIMISER_SLOTS);
    set(o->fields, rows[i].given, 5, &options);
    if (o->check) CHECK_OK(ctx, o->check(ctx, &options));
    for (size_t j = 0; j < ALL; j++) w[j] = w0[j % N];
    uint32_t k = 0;
    for (uint64_t step = 1; step <= g->shape[0]; step++) {
        const float *now = (const float *)g->data + (step - 1) * N;
        for (size_t j = 0; j < ALL; j++) gradient[j] = now[j % N];
        for (size_t at = 0; at < ALL; at += piece) {
            float *own[RHEO_OPTIMISER_SLOTS];
            for (uint32_t s = 0; s < RHEO_OPTIMISER_SLOTS; s++) own[s] = slot[s] + at;
            o->step(rheo__kernels(ctx), &options, rows[i].rate, step, w + at, gradient + at, own,
                    ALL - at < piece ? ALL - at : piece);
        }
        if ((uint64_t)kept[k] == step) memcpy(out + k++ * ALL, w, sizeof w);
    }
    assert_int_equal(k, array("kept")->count);
}

/* Within 1e-6 of the largest value so far: 60 steps of three roundings, which mostly cancel. */
static void test_oracle(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    double worst = 0;
    for (size_t i = 0; i < ROWS; i++) {
        float out[6 * ALL];
        const rheo_array *expected = array(rows[i].name);
        const double *e = expected->data;
        assert_int_equal(expected->dtype, RHEO_F64);
        run(ctx, i, ALL, out);
        for (size_t j = 0; j < N; j++) {
            double size = 1;
            for (size_t k = 0; k < 6; k++) {
                size = fmax(size, fabs(e[k * N + j]));
                const double off = fabs((double)out[k * ALL + j] - e[k * N + j]) / size;
                worst = fmax(worst, off);
                if (!(off < 1e-6))
                    fail_msg("%s: weight %zu, kept step %zu: %.9g, expected %.9g", rows[i].name, j,
                             k, (double)out[k * ALL + j], e[k * N + j]);
            }
        }
    }
    print_message("largest distance from the oracle: %.2g\n", worst);
    rheo_context_free(ctx);
}

/* The same bits on every instruction set this machine has, and in pieces of any size. */
static void test_same_bits(void **state)
{
    static const size_t pieces[] = {ALL, 1, 5, 16, 17};
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        float first[6 * ALL], out[6 * ALL];
        for (int level = 0; level <= (int)rheo__isa_best(); level++)
            for (size_t k = 0; k < 5; k++) {
                rheo_context *ctx = NULL;
                const rheo_context_options options = {.threads = 1, .isa = rheo__isa_names[level]};
                assert_int_equal(rheo_context_new(&options, &ctx), RHEO_OK);
                run(ctx, i, pieces[k], level + (int)k ? out : first);
                if (level + (int)k) assert_memory_equal(first, out, sizeof out);
                rheo_context_free(ctx);
            }
    }
}

static void test_refused(void **state)
{
    static const struct {
        const char *name;
        setting given[2];
    } wrong[] = {
        {"sgd", {{"nesterov", 1}}},
        {"sgd", {{"nesterov", 1}, {"dampening", 0.1}}},
        {"adamax", {{"epsilon", 0}}},
        {"rprop", {{"least", 1}, {"most", 0.5}}},
    };
    (void)state;
    rheo_context *ctx = check_context(1);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const rheo_optimiser *o = rheo__optimiser_find(wrong[i].name);
        rheo_options options;
        set(o->fields, wrong[i].given, 2, &options);
        CHECK_FAILS(ctx, o->check(ctx, &options), RHEO_USAGE, wrong[i].given[0].key);
    }
    rheo_context_free(ctx);
}

/* ---- schedules ---- */

static const struct {
    const char *row, *name;
    double warm_up, warm_from;
    setting given[5];
} courses[] = {
    {"linear", "linear", 0, 0, {{"period", 25}, {"last", 0.1}}},
    {"cosine", "cosine", 0, 0, {{"period", 30}, {"last", 0.02}}},
    {"exponential", "exponential", 0, 0, {{"period", 1}, {"last", 0.93}}},
    {"step", "step", 0, 0, {{"period", 7}, {"factor", 0.3}}},
    {"multi_step",
     "multi-step",
     0,
     0,
     {{"first", 5}, {"second", 12}, {"third", 30}, {"factor", 0.4}}},
    {"warm_cosine", "cosine", 6, 0.1, {{"period", 0}, {"last", 0.01}}}, /* the rest of 40 ticks */
    {"warm_constant", "constant", 10, 0.2, {{0}}},
};

static void test_schedules(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof courses / sizeof courses[0]; i++) {
        const rheo_array *expected = array(courses[i].row);
        const rheo_schedule *s = rheo__schedule_find(courses[i].name);
        const double ticks = (double)expected->count, warm = courses[i].warm_up;
        rheo_options options;
        set(s->fields, courses[i].given, 5, &options);
        for (double k = 0; k < ticks; k++) {
            const rheo_course course = {.tick = k - warm, .progress = (k - warm) / (ticks - warm)};
            const double factor = k < warm ? rheo__warm_up(courses[i].warm_from, warm, k)
                                           : s->factor(&options, &course);
            CHECK_NEAR(0.5 * factor, ((const double *)expected->data)[(size_t)k], 1e-14);
        }
    }
}

/* Without a period the whole training is one: linear, cosine and exponential end at `last`. */
static void test_whole(void **state)
{
    static const struct {
        const char *name;
        double quarter;
    } whole[] = {{"linear", 0.7525},
                 {"cosine", 0.8550178566873411}, /* 0.01 + 0.99 (1 + cos(pi/4))/2 */
                 {"exponential", 0.31622776601683794}};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        const rheo_schedule *s = rheo__schedule_find(whole[i].name);
        const rheo_options options = rheo__field_defaults(s->fields);
        CHECK_NEAR(s->factor(&options, &(rheo_course){.progress = 0}), 1, 1e-15);
        CHECK_NEAR(s->factor(&options, &(rheo_course){.progress = 0.25}), whole[i].quarter, 1e-15);
        CHECK_NEAR(s->factor(&options, &(rheo_course){.progress = 1}), 0.01, 1e-15);
    }
}

static void test_plateau(void **state)
{
    static const struct {
        const char *row;
        setting given[5];
    } plateaus[] = {
        {"plateau", {{"factor", 0.5}, {"patience", 2}, {"better", 1e-3}}},
        {"plateau_rest",
         {{"factor", 0.2}, {"patience", 1}, {"better", 1e-4}, {"rest", 3}, {"least", 0.02}}},
        {"plateau_rising", {{"watch", 1}, {"factor", 0.5}, {"patience", 2}}},
    };
    const rheo_schedule *s = rheo__schedule_find("plateau");
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        const double *expected = array(plateaus[i].row)->data, *x = array("figures")->data;
        rheo_options options;
        rheo_course course = {.factor = 1};
        set(s->fields, plateaus[i].given, 5, &options);
        double changes = 0;
        for (size_t k = 0; k < array("figures")->count; k++) {
            CHECK_NEAR(0.5 * course.factor, expected[k], 1e-14);
            const double before = course.factor;
            s->observe(&options, x[k], 100 * (1 - x[k]), 0.5, &course);
            changes += course.factor < before;
        }
        assert_true(changes >= 2);
    }
}

/* ---- tables ---- */

static void test_tables(void **state)
{
    (void)state;
    uint32_t n = 0;
    for (; rheo__optimiser_at(n); n++) {
        const rheo_optimiser *o = rheo__optimiser_at(n);
        bool tried = false;
        assert_string_equal(o->name, rheo__optimiser_names[n]);
        assert_ptr_equal(rheo__optimiser_find(o->name), o);
        assert_non_null(o->title), assert_non_null(o->equations), assert_non_null(o->source);
        for (size_t i = 0; i < ROWS; i++) tried = tried || optimiser_of(i) == o;
        if (!tried) fail_msg("%s has no oracle", o->name);
    }
    assert_int_equal(n, 8);
    assert_null(rheo__optimiser_names[n]);
    assert_null(rheo__optimiser_find("Adam"));
    for (n = 0; rheo__schedule_at(n); n++) {
        const rheo_schedule *s = rheo__schedule_at(n);
        assert_string_equal(s->name, rheo__schedule_names[n]);
        assert_ptr_equal(rheo__schedule_find(s->name), s);
        assert_non_null(s->title), assert_non_null(s->equations);
        assert_string_equal(s->fields[0].name, "each");
        assert_true(!s->factor == !!s->observe);
    }
    assert_null(rheo__schedule_names[n]);
    assert_null(rheo__schedule_find("Cosine"));
}

static rheo_context *owner;
static int open_arrays(void **state)
{
    (void)state;
    owner = check_context(1);
    return rheo__npz_read(owner, "tests/oracles/optimisers.npz", 1u << 20, &arrays, &array_count) !=
           RHEO_OK;
}

static int close_arrays(void **state)
{
    (void)state;
    rheo__npz_free(owner, arrays, array_count);
    rheo_context_free(owner);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables),    cmocka_unit_test(test_oracle),
        cmocka_unit_test(test_same_bits), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_schedules), cmocka_unit_test(test_whole),
        cmocka_unit_test(test_plateau),
    };
    return cmocka_run_group_tests(tests, open_arrays, close_arrays);
}
