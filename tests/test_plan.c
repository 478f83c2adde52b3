/* test_plan.c: plans: their memory is what they say, nothing is allocated afterwards, and the same
 * bits come out of every number of threads, instruction set, form of input, batch and span. */
#include "faults.h"
#include "plan_cases.h"

static size_t held(const rheo_context *ctx)
{
    return rheo_memory_used(ctx).now;
}

/* The bytes that the allocator handed out, the plan's own figure and the prediction are one. */
static void test_memory(void **state)
{
    static const char *const records[] = {"1.v", "1.s", "2.v", NULL};
    (void)state;
    for (uint32_t threads = 1; threads <= 3; threads += 2) {
        rheo_context *ctx = check_context(threads);
        for (size_t i = 0; i < PLAN_CASES; i++)
            for (uint32_t T = 1; T <= 40; T += 39) {
                rheo_net *net = net_of(ctx, &plan_cases[i].net);
                rheo_plan *plan = NULL;
                rheo_request request = request_of(&plan_cases[i], RHEO_REAL);
                size_t measured = 0;
                request.T = T;
                if (plan_cases[i].net.net[0] != '-') request.record = records;
                const size_t before = held(ctx);
                CHECK_OK(ctx, rheo__plan_measure(net, &request, &measured));
                assert_int_equal(held(ctx), before);
                CHECK_OK(ctx, rheo__plan_new(net, &request, &plan));
                if (held(ctx) - before != rheo_plan_bytes(plan) ||
                    measured != rheo_plan_bytes(plan))
                    fail_msg("%s: allocated %zu, plan says %zu, predicted %zu", plan_cases[i].label,
                             held(ctx) - before, rheo_plan_bytes(plan), measured);
                rheo_plan_free(plan);
                assert_int_equal(held(ctx), before);
                rheo_net_free(net);
            }
        rheo_context_free(ctx);
    }
}

static void test_nothing_allocated(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(2);
    for (size_t i = 0; i < PLAN_CASES; i++) {
        const plan_case *c = &plan_cases[i];
        rheo_net *net = net_of(ctx, &c->net);
        rheo_plan *plan = NULL;
        const rheo_request request = request_of(c, RHEO_REAL);
        float *x = inputs_of(c), *y = room((size_t)c->T * c->B * rheo_net_outputs(net), sizeof *y);
        CHECK_OK(ctx, rheo__plan_new(net, &request, &plan));
        const uint64_t calls = rheo_memory_used(ctx).calls;
        for (uint32_t round = 0; round < 2; round++) {
            rheo_net_touch(net); /* everything derived is made anew */
            CHECK_OK(ctx, rheo_forward(plan, x, y));
            CHECK_OK(ctx, rheo_advance(plan, x, y));
            if (c->gradient) CHECK_OK(ctx, rheo_backward(plan, y, NULL));
            rheo_counts counts = {0};
            for (uint32_t t = 0; t < c->T; t++) rheo__plan_count(plan, t, 0, c->B, &counts);
            rheo_plan_reset(plan);
        }
        assert_int_equal(rheo_memory_used(ctx).calls, calls);
        rheo_plan_free(plan);
        rheo_net_free(net);
        free(x), free(y);
    }
    rheo_context_free(ctx);
}

/* ---- the same bits ---- */

static rheo_context *context_of(uint32_t threads, const char *isa)
{
    rheo_context *ctx = NULL;
    const rheo_context_options options = {.threads = threads, .seed = 1, .isa = isa};
    CHECK_OK(ctx, rheo_context_new(&options, &ctx));
    return ctx;
}

static void test_threads(void **state)
{
    static const uint32_t counts[] = {2, 3, 8};
    (void)state;
    for (size_t i = 0; i < PLAN_CASES; i++) {
        rheo_context *one = context_of(1, NULL);
        blob expected = blob_of(one, &plan_cases[i], RHEO_REAL);
        double busy = total(expected.x, plan_cases[i].T * plan_cases[i].B);
        assert_true(expected.n > 500 && busy * busy > 0);
        for (size_t k = 0; k < 3; k++) {
            rheo_context *many = context_of(counts[k], NULL);
            blob found = blob_of(many, &plan_cases[i], RHEO_REAL);
            same_blobs(plan_cases[i].label, "threads", expected, found);
            free(found.x);
            rheo_context_free(many);
        }
        free(expected.x);
        rheo_context_free(one);
    }
}

static void test_instruction_sets(void **state)
{
    (void)state;
    for (size_t i = 0; i < PLAN_CASES; i++) {
        rheo_context *plain = context_of(2, "portable");
        blob expected = blob_of(plain, &plan_cases[i], RHEO_REAL);
        for (int level = RHEO_AVX2; level <= (int)rheo__isa_best(); level++) {
            rheo_context *fast = context_of(2, rheo__isa_names[level]);
            blob found = blob_of(fast, &plan_cases[i], RHEO_REAL);
            same_blobs(plan_cases[i].label, rheo__isa_names[level], expected, found);
            free(found.x);
            rheo_context_free(fast);
        }
        free(expected.x);
        rheo_context_free(plain);
    }
}

/* Spikes as packed bits, which are gathered where they are few, and as floats, which are
 * multiplied. */
static void test_gather(void **state)
{
    static const float levels[] = {0, -0.01f, -0.1f, -0.5f, -0.95f};
    (void)state;
    rheo_context *ctx = context_of(2, NULL);
    for (size_t i = 0; i < PLAN_CASES; i++)
        for (size_t k = 0; k < 5; k++) {
            plan_case c = plan_cases[i];
            if (strstr(c.net.net, "binary")) continue; /* its floats are pixels, not spikes */
            c.level = levels[k];
            blob reals = blob_of(ctx, &c, RHEO_REAL), bits = blob_of(ctx, &c, RHEO_BITS);
            same_blobs(c.label, "bits", reals, bits);
            free(reals.x), free(bits.x);
        }
    rheo_context_free(ctx);
}

/* Rows of one sample of a batch. */
static void same_row(const plan_case *c, const rheo_signal *all, uint32_t b,
                     const rheo_signal *alone)
{
    for (uint32_t t = 0; t < c->T; t++)
        for (uint32_t n = 0; n < all->N; n++) {
            const float x = rheo__signal_get(all, t, b, n), y = rheo__signal_get(alone, t, 0, n);
            if (memcmp(&x, &y, sizeof x) != 0)
                fail_msg("%s: sample %u, step %u, neuron %u: %.9g alone, %.9g in the batch",
                         c->label, b, t, n, (double)y, (double)x);
        }
}

static void test_alone(void **state)
{
    const uint32_t ids[] = {40, 2, 99, 3, 17, 5, 8};
    (void)state;
    rheo_context *ctx = context_of(2, NULL);
    for (size_t i = 0; i < PLAN_CASES; i++) {
        const plan_case *c = &plan_cases[i];
        if (c->mixes) continue;
        rheo_net *net = net_of(ctx, &c->net);
        rheo_plan *all = NULL, *alone = NULL;
        rheo_request request = request_of(c, RHEO_REAL);
        const uint32_t N = rheo_net_inputs(net);
        float *x = inputs_of(c), *row = room((size_t)c->T * N, sizeof *row);
        CHECK_OK(ctx, rheo__plan_new(net, &request, &all));
        request.B = 1;
        CHECK_OK(ctx, rheo__plan_new(net, &request, &alone));
        rheo__plan_batch(all, c->B, ids, 1);
        feed(all, x);
        rheo__plan_forward(all);
        for (uint32_t b = 0; b < c->B && !c->learn; b++) {
            for (uint32_t t = 0; t < c->T; t++)
                memcpy(row + (size_t)t * N, x + ((size_t)t * c->B + b) * N, N * sizeof *row);
            rheo__plan_batch(alone, 1, &ids[b], 1);
            feed(alone, row);
            rheo__plan_forward(alone);
            for (uint32_t n = 1; n < net->nodes; n++)
                if (!all->work[n].through) same_row(c, &all->work[n].out, b, &alone->work[n].out);
        }
        rheo_plan_free(all), rheo_plan_free(alone);
        rheo_net_free(net);
        free(x), free(row);
    }
    rheo_context_free(ctx);
}

/* A window of all steps, and windows of 1 and 7 that go on from each other. A window that is not
 * whole at the end is not run: T is cut. */
static void test_streaming(void **state)
{
    static const uint32_t spans[] = {1, 7};
    (void)state;
    rheo_context *ctx = context_of(2, NULL);
    for (size_t i = 0; i < PLAN_CASES; i++)
        for (size_t k = 0; k < 2; k++) {
            const plan_case *c = &plan_cases[i];
            const uint32_t span = spans[k], T = c->T / span * span;
            if (c->train || c->fixed || T == 0)
                continue; /* masks and static inputs are a window's */
            rheo_net *net = net_of(ctx, &c->net), *twin = net_of(ctx, &c->net);
            rheo_plan *window = NULL, *stream = NULL;
            const uint32_t N = rheo_net_inputs(net), M = rheo_net_outputs(net);
            rheo_request request = request_of(c, RHEO_REAL);
            request.T = T;
            CHECK_OK(ctx, rheo__plan_new(net, &request, &window));
            request.T = span;
            request.gradient = false;
            CHECK_OK(ctx, rheo__plan_new(twin, &request, &stream));
            float *x = inputs_of(c), *y = room((size_t)T * c->B * M, sizeof *y);
            float *z = room((size_t)T * c->B * M, sizeof *z);
            for (uint32_t again = 0; again < 2; again++) { /* reset forgets all of it */
                CHECK_OK(ctx, rheo_forward(window, x, y));
                rheo_plan_reset(stream);
                for (uint32_t t = 0; t < T; t += span)
                    CHECK_OK(ctx, rheo_advance(stream, x + (size_t)t * c->B * N,
                                               z + (size_t)t * c->B * M));
                assert_memory_equal(y, z, (size_t)T * c->B * M * sizeof *y);
            }
            if (!(total(y, (size_t)T * c->B * M) > 0))
                fail_msg("%s: the output is silent", c->label);
            for (uint32_t p = 0; p < net->params; p++)
                assert_memory_equal(net->param[p].value, twin->param[p].value,
                                    (size_t)net->param[p].rows * net->param[p].cols * sizeof *x);
            rheo_plan_free(window), rheo_plan_free(stream);
            rheo_net_free(net), rheo_net_free(twin);
            free(x), free(y), free(z);
        }
    rheo_context_free(ctx);
}

/* What rheo__plan_slots names is all that a plan carries on: put into a fresh plan, the stream goes
 * on to the same bits. */
static void test_slots(void **state)
{
    enum { T = 30 };
    (void)state;
    rheo_context *ctx = context_of(1, NULL);
    const net_text text = {.net = COOK_NET("20", "high: 0.9"), .in = {{60}}, .dt = 0.5};
    rheo_net *net = net_of(ctx, &text);
    const rheo_request request = {.T = T, .B = 1, .in_form = RHEO_REAL};
    rheo_plan *first = NULL, *second = NULL;
    float *x = numbers(1, -0.2f, 2 * T * 60), *y = room(T * 20, sizeof *y),
          *z = room(T * 20, sizeof *z);
    rheo_slot from[16], to[16];
    CHECK_OK(ctx, rheo__plan_new(net, &request, &first));
    CHECK_OK(ctx, rheo__plan_new(net, &request, &second));
    CHECK_OK(ctx, rheo_forward(first, x, y));
    const uint32_t count = rheo__plan_slots(first, from, 16);
    assert_int_equal(rheo__plan_slots(second, to, 16), count);
    for (uint32_t s = 0; s < count; s++) {
        static const size_t size[] = {4, 8, 4, 8, 1};
        assert_string_equal(from[s].path, to[s].path);
        memcpy(to[s].data, from[s].data, from[s].rows * size[from[s].type]);
    }
    CHECK_OK(ctx, rheo_advance(first, x + T * 60, y));
    CHECK_OK(ctx, rheo_advance(second, x + T * 60, z));
    assert_true(total(y, T * 20) > 0);
    assert_memory_equal(y, z, T * 20 * sizeof *y);
    rheo_plan_free(first), rheo_plan_free(second);
    rheo_net_free(net);
    free(x), free(y), free(z);
    rheo_context_free(ctx);
}

/* ---- when memory ends ---- */

static rheo_status plan_and_run(rheo_context *ctx, void *arg)
{
    const plan_case *c = arg;
    rheo_net *net = NULL;
    rheo_plan *plan = NULL;
    rheo_status status = net_make(ctx, &c->net, &net);
    if (status) return status;
    const rheo_request request = request_of(c, RHEO_REAL);
    size_t bytes = 0;
    status = rheo__plan_measure(net, &request, &bytes);
    if (!status) status = rheo__plan_new(net, &request, &plan);
    rheo_plan_free(plan);
    rheo_net_free(net);
    return status;
}

static void test_faults(void **state)
{
    (void)state;
    for (size_t i = 0; i < PLAN_CASES; i++) {
        plan_case c = plan_cases[i];
        faults_sweep(plan_and_run, &c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory),    cmocka_unit_test(test_nothing_allocated),
        cmocka_unit_test(test_threads),   cmocka_unit_test(test_instruction_sets),
        cmocka_unit_test(test_gather),    cmocka_unit_test(test_alone),
        cmocka_unit_test(test_streaming), cmocka_unit_test(test_slots),
        cmocka_unit_test(test_faults),    NET_TEST_IN_BF16(test_threads),
        NET_TEST_IN_BF16(test_alone),     NET_TEST_IN_BF16(test_streaming),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
