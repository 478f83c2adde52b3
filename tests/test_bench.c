/* Benchmark tasks: the work that a floor is made of, counted by hand; the pixels that they run on;
 * what is handed to other programs. Times are not tested. */
#include "array/npy.h"
#include "recipe/bench.h"
#include "data_files.h"
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

static double fired(const rheo_plan *plan, uint32_t node)
{
    const rheo_signal *s = &plan->work[node].out;
    double sum = 0;
    assert_int_equal(s->form, RHEO_BITS);
    for (uint32_t t = 0; t < s->T; t++) sum += (double)rheo__signal_popcount(s, t, 0, s->B);
    return sum;
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
        CHECK_OK(ctx, b.task->rest(&b));
        const double fixed = 2 * 128.0 * 784 * 1000 + 25 * 128.0 * 1000 * 10;
        const double spikes = (b.macs - fixed) / 20;
        assert_true(spikes > 0);
        assert_true(spikes == fired(b.shown, 2));
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

static double layer_macs(const char *name, double *spikes)
{
    rheo_bench_run b = started(name);
    CHECK_OK(ctx, b.task->run(&b));
    CHECK_OK(ctx, b.task->rest(&b));
    *spikes = b.task->density > 0 ? fired(b.plan, 0) : 0;
    const double macs = b.macs;
    b.task->close(&b);
    return macs;
}

/* 512 to 512, T 500, B 16, dense: forward and weight gradient. On spikes: each meets 1024 synapses,
 * there and back. */
static void test_layer(void **state)
{
    (void)state;
    double spikes;
    assert_true(layer_macs("layer-512", &spikes) == 2 * 500.0 * 16 * 512 * 512);
    assert_true(layer_macs("layer-1024-1", &spikes) == 2 * 1024 * spikes);
    CHECK_NEAR(spikes / (500 * 16 * 1024), 0.01, 1e-3);
    assert_true(layer_macs("layer-1024-20", &spikes) == 2 * 1024 * spikes);
    CHECK_NEAR(spikes / (500 * 16 * 1024), 0.2, 2e-3);
}

/* dL/dx = W^T dL/di, of some places; twice the same, so a run leaves the loss's gradient as it is.
 */
static void test_layer_input(void **state)
{
    (void)state;
    rheo_bench_run b = started("layer-1024-input");
    uint32_t rows, cols;
    const float *w = rheo_net_parameter(b.job.net, "1.weight", &rows, &cols);
    double most = 0;
    for (int run = 0; run < 2; run++) {
        CHECK_OK(ctx, b.task->run(&b));
        for (uint32_t i = 3; i < 1024; i += 97) {
            const uint32_t t = i * 5 % 500, sample = i % 16;
            const float *g = rheo__real_row(&b.plan->gradient[1], t, sample);
            double sum = 0, size = 0;
            for (uint32_t n = 0; n < 1024; n++) {
                const double term = (double)w[n * 1024 + i] * (double)g[n];
                sum += term;
                size += fabs(term);
            }
            most = fmax(most, size);
            CHECK_NEAR(rheo__real_row(&b.plan->gradient[0], t, sample)[i], sum,
                       1024 * 0x1p-24 * size);
        }
    }
    assert_true(most > 0);
    b.task->close(&b);
}

static const rheo_array *named(const rheo_array *arrays, uint32_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++)
        if (!strcmp(arrays[i].name, name)) return &arrays[i];
    fail_msg("no array %s", name);
    return NULL;
}

/* The spikes that are handed out follow from the input and the weights that are, in double,
 * wherever v is not as near to the threshold as float32's sums can be off. */
static void test_exchange(void **state)
{
    (void)state;
    rheo_array *arrays = NULL;
    uint32_t count = 0, fired = 0;
    const char *set[] = {"code.steps=40", NULL};
    const char *path = in_folder("x.npz");
    CHECK_OK(ctx, rheo_bench_exchange(ctx, "layer-512", set, path));
    CHECK_OK(ctx, rheo__npz_read(ctx, path, 1u << 28, &arrays, &count));
    const rheo_array *x = named(arrays, count, "input"), *s = named(arrays, count, "s.1");
    const rheo_array *w = named(arrays, count, "p.1.weight"), *b = named(arrays, count, "p.1.bias");
    assert_int_equal(named(arrays, count, "g.1.weight")->count, 512 * 512);
    assert_int_equal(named(arrays, count, "label")->count, 16);
    assert_int_equal(x->shape[0], 40);
    assert_int_equal(s->shape[0], 40);
    for (uint64_t n = 5; n < 512; n += 101) { /* p is [out, in] */
        double v = 0, last = 0;
        for (uint64_t t = 0; t < 40; t++) {
            const uint64_t row = t * 16 + n % 16;
            double current = rheo__array_element(b, n);
            for (uint64_t i = 0; i < 512; i++)
                current +=
                    rheo__array_element(w, n * 512 + i) * rheo__array_element(x, row * 512 + i);
            v = 0.95 * v + current - last;
            last = rheo__array_element(s, row * 512 + n);
            if (fabs(v - 1) > 1e-4) assert_true(last == (v > 1));
            fired += last > 0;
        }
    }
    assert_true(fired > 0);
    rheo__npz_free(ctx, arrays, count);
    CHECK_FAILS(ctx, rheo_bench_exchange(ctx, "product", NULL, path), RHEO_UNSUPPORTED,
                "product has");
    CHECK_FAILS(ctx, rheo_bench_exchange(ctx, "fc", (const char *[]){"neuron.bet=1", NULL}, path),
                RHEO_USAGE, "bet");
}

static bool three(void *user, const rheo_bench_turn *last)
{
    int *turn = user;
    assert_int_equal(last == NULL, *turn == 0);
    if (last) assert_true(last->seconds > 0 && last->floor > 0 && last->macs > 0);
    return (*turn)++ < 3;
}

static void test_turns(void **state)
{
    (void)state;
    int turn = 0;
    CHECK_OK(ctx, rheo_bench_turns(ctx, "stream", NULL, three, &turn));
    assert_int_equal(turn, 4);
    CHECK_FAILS(ctx, rheo_bench_turns(ctx, "layer", NULL, three, &turn), RHEO_USAGE,
                "unknown task 'layer'");
}

/* 784-1000-10 again, from files: 200 samples in two batches. The caller's keys count. */
static void test_epoch(void **state)
{
    (void)state;
    const rheo_bench_task *task;
    CHECK_OK(ctx, rheo__bench_find(ctx, "epoch", &task));
    rheo_bench_run b = {.ctx = ctx, .task = task};
    b.set = (const char *const[]){"data.train=200", "data.test=10", NULL};
    const rheo_status status = task->open(&b);
    if (status == RHEO_MISSING) {
        task->close(&b);
        skip();
    }
    CHECK_OK(ctx, status);
    CHECK_OK(ctx, task->run(&b));
    const double fixed = 2 * 200.0 * 784 * 1000 + 25 * 200.0 * 1000 * 10;
    const double spikes = (b.macs - fixed) / 20;
    assert_true(spikes > 0 && spikes < 25 * 200.0 * 1000);
    assert_true(b.job.session.operations == 3 * (200.0 * 784 * 1000 + 10 * spikes));
    assert_true(b.count == 200);
    CHECK_OK(ctx, task->rest(&b));
    task->close(&b);
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
    CHECK_FAILS(ctx, rheo_bench(ctx, "epok", false, &text), RHEO_USAGE, "did you mean 'epoch'?");
    CHECK_FAILS(ctx, rheo_bench(ctx, "", false, &text), RHEO_USAGE,
                "unknown task '', expected one of product, fc");
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
        cmocka_unit_test(test_product),     cmocka_unit_test(test_fc),
        cmocka_unit_test(test_images),      cmocka_unit_test(test_epoch),
        cmocka_unit_test(test_stdp),        cmocka_unit_test(test_layer),
        cmocka_unit_test(test_layer_input), cmocka_unit_test(test_exchange),
        cmocka_unit_test(test_turns),       cmocka_unit_test(test_names),
        cmocka_unit_test(test_interrupt)};
    return cmocka_run_group_tests(tests, set_up, close_context);
}
