/* Benchmark tasks: the work that a floor is made of, counted by hand; the pixels that they run on.
 * Times are not tested. */
#include "recipe/bench.h"
#include "one_context.h"

static int set_up(void **state)
{
    open_context(state);
    return setenv("RHEOBASE_RECIPES", "recipes", 1);
}

static rheo_bench_run started(const char *name)
{
    const rheo_bench_task *task = rheo__bench_tasks;
    while (task->name && strcmp(task->name, name) != 0) task++;
    assert_non_null(task->name);
    rheo_bench_run b = {.ctx = ctx, .task = task};
    CHECK_OK(ctx, task->open(&b));
    return b;
}

static void test_product(void **state)
{
    (void)state;
    const size_t before = rheo_memory_used(ctx).now;
    rheo_bench_run b = started("product");
    CHECK_OK(ctx, b.task->run(&b));
    assert_true(b.macs == 1024.0 * 1024 * 1024);
    assert_true(b.bytes == 3 * 4 * 1024.0 * 1024);
    const double first = b.matrix[2][1023 * 1024 + 7];
    double sum = 0;
    for (size_t k = 0; k < 1024; k++)
        sum += (double)b.matrix[0][1023 * 1024 + k] * (double)b.matrix[1][7 * 1024 + k];
    CHECK_NEAR(first, sum, 1024 * 0x1p-24 * 1024); /* n roundings of a sum below n */
    b.task->close(&b);
    assert_int_equal(rheo_memory_used(ctx).now, before);
}

/* 784-1000-10, T 25, B 128: what is fixed, and a rest of two (forward, weight gradient) times ten
 * synapses for each hidden spike. */
static void test_fc(void **state)
{
    (void)state;
    const size_t before = rheo_memory_used(ctx).now;
    rheo_bench_run b = started("fc");
    for (int i = 0; i < 15; i++) { /* 14 batches, then round again */
        CHECK_OK(ctx, b.task->run(&b));
        const double fixed = 2 * 128.0 * 784 * 1000 + 25 * 128.0 * 1000 * 10;
        const double spikes = (b.macs - fixed) / 20;
        assert_true(spikes > 0 && spikes < 25 * 128 * 1000.0);
        assert_true(spikes == floor(spikes));
    }
    assert_int_equal(b.job.session.epoch, 1);
    const double parameters = 784 * 1000 + 1000 + 1000 * 10 + 10;
    assert_true(b.span == 3 * 4 * parameters);
    assert_true(b.bytes == 2 * b.span + 128 * 784 * 4);
    assert_true(b.count == 128);
    assert_true(b.held > b.loaded + (size_t)b.span); /* weights and moments at least */
    b.task->close(&b);
    assert_int_equal(rheo_memory_used(ctx).now, before);
}

/* The images have about the active pixels and the mean of MNIST's: 19.1 % and 0.1307. */
static void test_images(void **state)
{
    (void)state;
    rheo_bench_run b = started("fc");
    const rheo_dataset *data = b.job.data;
    assert_int_equal(data->features, 784);
    assert_int_equal(data->count[RHEO_TRAIN] % 128, 0);
    const size_t size = (size_t)data->count[RHEO_TRAIN] * 784;
    double sum = 0, active = 0;
    for (size_t i = 0; i < size; i++) {
        assert_true(data->values[i] >= 0 && data->values[i] <= 1);
        sum += (double)data->values[i];
        active += data->values[i] > 0;
    }
    CHECK_NEAR(sum / (double)size, 0.1307, 0.01);
    CHECK_NEAR(active / (double)size, 0.191, 0.02);
    b.task->close(&b);
}

static void test_stdp(void **state)
{
    (void)state;
    rheo_bench_run b = started("stdp-100");
    rheo_bench_task few = *b.task; /* two images of a run */
    few.parts = 2;
    b.task = &few;
    CHECK_OK(ctx, few.run(&b));
    assert_int_equal(b.job.session.seen, 2);
    assert_true(b.span == 784 * 100 * 4.0);
    assert_true(b.bytes == 2 * 2 * b.span);
    /* each input spike meets 100 synapses and changes them: at least 200 for some hundred spikes */
    assert_true(b.macs > 2 * 200 * 100.0);
    b.task->close(&b);
}

static void test_names(void **state)
{
    (void)state;
    char *text = NULL;
    CHECK_FAILS(ctx, rheo_bench(ctx, "epok", false, &text), RHEO_USAGE, "nearest is epoch");
    CHECK_FAILS(ctx, rheo_bench(ctx, "", false, &text), RHEO_USAGE, "no task ''");
    assert_null(text);
}

/* Ctrl-C ends a bench between two runs. */
static void test_interrupt(void **state)
{
    (void)state;
    static const volatile int stop = 1;
    rheo_context *other = NULL;
    char *text = NULL;
    CHECK_OK(ctx, rheo_context_new(&(rheo_context_options){.interrupt = &stop}, &other));
    CHECK_FAILS(other, rheo_bench(other, "product", false, &text), RHEO_INTERRUPTED, "product");
    assert_null(text);
    rheo_context_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_product), cmocka_unit_test(test_fc),
        cmocka_unit_test(test_images),  cmocka_unit_test(test_stdp),
        cmocka_unit_test(test_names),   cmocka_unit_test(test_interrupt)};
    return cmocka_run_group_tests(tests, set_up, close_context);
}
