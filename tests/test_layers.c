/* test_layers.c: every layer: the same bits on every thread count, batch and span of steps; nothing
 * allocated at work; the table, and what is refused. */
#include "layer_cases.h"

static void test_threads(void **state)
{
    static const uint32_t counts[] = {2, 3, 8};
    (void)state;
    rheo_context *one = check_context(1);
    for (size_t k = 0; k < 3; k++) {
        rheo_context *many = check_context(counts[k]);
        for (size_t i = 0; i < CASES; i++) {
            rig a, b;
            make(&a, one, &cases[i], true, true, 0);
            make(&b, many, &cases[i], true, true, 0);
            rig_forward(&a), rig_backward(&a);
            rig_forward(&b), rig_backward(&b);
            same_results(cases[i].label, &a, 0, &b, true);
            rig_free(&a), rig_free(&b);
        }
        rheo_context_free(many);
    }
    rheo_context_free(one);
}

/* A sample alone gives the bits it gives in a batch; only batch statistics may not. */
static void test_alone(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(2);
    for (size_t i = 0; i < CASES; i++) {
        const bool train = strcmp(cases[i].layer, "norm") != 0;
        rig all, alone;
        make(&all, ctx, &cases[i], train, true, 0);
        rig_forward(&all), rig_backward(&all);
        for (uint32_t b = 0; b < cases[i].B; b++) {
            rig_case c = cases[i];
            c.B = 1;
            make(&alone, ctx, &c, train, true, b);
            rig_forward(&alone), rig_backward(&alone);
            same_results(c.label, &all, b, &alone, false);
            rig_free(&alone);
        }
        rig_free(&all);
    }
    rheo_context_free(ctx);
}

/* A batch that is smaller than the memory: rows of a step are followed by rows without meaning. */
static void test_part_of_batch(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(2);
    for (size_t i = 0; i < CASES; i++) {
        if (cases[i].B < 2) continue;
        rig_case c = cases[i];
        c.B--;
        rig part, whole;
        make(&part, ctx, &cases[i], true, true, 0);
        make(&whole, ctx, &c, true, true, 0);
        part.work.B--;
        if (part.node.layer->reset) part.node.layer->reset(&part.work);
        rig_forward(&part), rig_backward(&part);
        rig_forward(&whole), rig_backward(&whole);
        same_results(c.label, &part, 0, &whole, true);
        rig_free(&part), rig_free(&whole);
    }
    rheo_context_free(ctx);
}

/* Step by step, with and without the window's memory, as in a cycle and in a stream. */
static void test_steps(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(2);
    for (size_t i = 0; i < CASES; i++) {
        const bool norm = strcmp(cases[i].layer, "norm") == 0;
        rig window, steps;
        make(&window, ctx, &cases[i], !norm, false, 0);
        make(&steps, ctx, &cases[i], !norm, false, 0);
        rig_forward(&window);
        for (uint32_t t = 0; t < cases[i].T; t++)
            if (t == 0 || steps.work.out.stride_t) steps.node.layer->forward(&steps.work, t, t + 1);
        rig_same(cases[i].label, &window.work.out, 0, &steps.work.out);
        rig_free(&window), rig_free(&steps);
    }
    rheo_context_free(ctx);
}

static void test_nothing_allocated(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(2);
    for (size_t i = 0; i < CASES; i++) {
        rig r;
        make(&r, ctx, &cases[i], true, true, 0);
        const uint64_t calls = rheo_memory_used(ctx).calls;
        rig_forward(&r), rig_backward(&r);
        assert_int_equal(rheo_memory_used(ctx).calls, calls);
        rig_free(&r);
    }
    rheo_context_free(ctx);
}

/* ---- the table, and what is refused ---- */

static void test_table(void **state)
{
    (void)state;
    uint32_t n = 0;
    for (; rheo__layer_at(n); n++) {
        const rheo_layer *layer = rheo__layer_at(n);
        assert_string_equal(layer->name, rheo__layer_names[n]);
        assert_ptr_equal(rheo__layer_find(layer->name), layer);
        assert_non_null(layer->title), assert_non_null(layer->equations);
        assert_non_null(layer->source), assert_non_null(layer->fields);
    }
    assert_null(rheo__layer_names[n]);
    assert_null(rheo__layer_find("dense "));
}

static void test_refused(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    rig r;
    CHECK_FAILS(
        ctx,
        rig_infer(
            &r, ctx,
            &(rig_case){.label = "big", .layer = "dense", .options = "out=1000000", .N = 1000000}),
        RHEO_SHAPE, "net node big: 1000000 inputs x 1000000 outputs");
    CHECK_FAILS(
        ctx, rig_infer(&r, ctx, &(rig_case){.label = "none", .layer = "dense", .options = "out=3"}),
        RHEO_SHAPE, "net node none: 0 inputs");
    rheo_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_alone),
        cmocka_unit_test(test_part_of_batch),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_nothing_allocated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
