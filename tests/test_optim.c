/* test_optim.c: optimisers against sequences worked out with the published formulae, and the
 * schedules' ends and middles. */
#include "check.h"
#include "kernels/kernels.h"
#include "optim/optim.h"

/* Three steps on one weight, w = 1, gradients 0.5, -0.25, 1. Computed in Python's doubles from
 * PyTorch's documented formulae (torch.optim.SGD and Adam); see the header of each file. */
static const double gradients[3] = {0.5, -0.25, 1};
static const struct {
    const char *name;
    double options[4], rate, expected[3];
} rows[] = {
    /* w -= 0.1 g */
    {"sgd", {0, 0, 0}, 0.1, {0.95, 0.975, 0.875}},
    /* m = 0.5, 0.2, 1.18 */
    {"sgd", {0.9, 0, 0}, 0.1, {0.95, 0.93, 0.812}},
    /* d = g; w -= 0.1 (d + 0.9 m): 0.95, -0.07, 2.062 */
    {"sgd", {0.9, 1, 0}, 0.1, {0.905, 0.912, 0.7058}},
    /* d = g + 0.1 w, m = 0.6, 0.384, 1.43576 */
    {"sgd", {0.9, 0, 0.1}, 0.1, {0.94, 0.9016, 0.758024}},
    {"adam", {0.9, 0.999, 1e-8, 0}, 0.1, {0.900000002, 0.8733662987078463, 0.8075551396770898}},
    {"adam",
     {0.5, 0.9, 0.1, 0.1},
     0.1,
     {0.9142857142857143, 0.8964513008586363, 0.8179234004248672}},
};

static void run(rheo_context *ctx, size_t i, size_t n, float *w)
{
    const rheo_optimiser *o = rheo__optimiser_find(rows[i].name);
    assert_non_null(o);
    rheo_options options = rheo__field_defaults(o->fields);
    for (uint32_t k = 0; k < rheo__field_count(o->fields); k++) options.v[k] = rows[i].options[k];
    float *g = calloc(n, sizeof *g), *slot[2] = {calloc(n, sizeof *g), calloc(n, sizeof *g)};
    assert_true(g && slot[0] && slot[1] && o->slots <= 2);
    for (size_t j = 0; j < n; j++) w[j] = 1;
    for (uint64_t step = 1; step <= 3; step++) {
        for (size_t j = 0; j < n; j++) g[j] = (float)gradients[step - 1];
        o->step(rheo__kernels(ctx), &options, rows[i].rate, step, w, g, slot, n);
        /* at most ten roundings a step of numbers below 2 */
        for (size_t j = 0; j < n; j++)
            CHECK_NEAR((double)w[j], rows[i].expected[step - 1], (double)step * 10 * 0x1p-24);
    }
    free(g), free(slot[0]), free(slot[1]);
}

static void test_sequences(void **state)
{
    static const size_t sizes[] = {1, 15, 16, 17, 67}; /* around a vector's length */
    (void)state;
    rheo_context *ctx = check_context(1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (size_t k = 0; k < 5; k++) {
            float w[67];
            run(ctx, i, sizes[k], w);
        }
    rheo_context_free(ctx);
}

/* The same bits on every instruction set this machine has. */
static void test_instruction_sets(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        float first[67], w[67];
        for (int level = 0; level <= (int)rheo__isa_best(); level++) {
            rheo_context *ctx = NULL;
            const rheo_context_options options = {.threads = 1, .isa = rheo__isa_names[level]};
            assert_int_equal(rheo_context_new(&options, &ctx), RHEO_OK);
            run(ctx, i, 67, level ? w : first);
            if (level) assert_memory_equal(first, w, sizeof w);
            rheo_context_free(ctx);
        }
    }
}

static void test_schedules(void **state)
{
    static const struct {
        const char *name;
        double start, quarter, end; /* to 0.01 */
    } schedules[] = {
        {"constant", 1, 1, 1},
        {"linear", 1, 0.7525, 0.01},
        {"cosine", 1, 0.8550178566873411, 0.01}, /* 0.01 + 0.99 (1 + cos(pi/4))/2 */
        {"exponential", 1, 0.31622776601683794, 0.01},
    };
    (void)state;
    for (uint32_t i = 0; i < 4; i++) {
        assert_string_equal(rheo__schedule_names[i], schedules[i].name);
        CHECK_NEAR(rheo__schedule(i, 0.01, 0), schedules[i].start, 1e-15);
        CHECK_NEAR(rheo__schedule(i, 0.01, 0.25), schedules[i].quarter, 1e-15);
        CHECK_NEAR(rheo__schedule(i, 0.01, 1), schedules[i].end, 1e-15);
    }
    assert_null(rheo__schedule_names[4]);
}

static void test_table(void **state)
{
    (void)state;
    uint32_t n = 0;
    for (; rheo__optimiser_at(n); n++) {
        const rheo_optimiser *o = rheo__optimiser_at(n);
        assert_string_equal(o->name, rheo__optimiser_names[n]);
        assert_ptr_equal(rheo__optimiser_find(o->name), o);
        assert_non_null(o->title), assert_non_null(o->equations), assert_non_null(o->source);
    }
    assert_int_equal(n, 2);
    assert_null(rheo__optimiser_names[n]);
    assert_null(rheo__optimiser_find("Adam"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_sequences),
        cmocka_unit_test(test_instruction_sets),
        cmocka_unit_test(test_schedules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
