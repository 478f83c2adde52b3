/* test_plan_lengths.c: samples of unequal length, and windows that memory has no room for. */
#include "plan_cases.h"
#include <stdio.h>
#include <stdlib.h>

typedef struct made {
    blob all;
    rheo_counts counts;
    double rate[8], silent[8];
} made;

/* A plan of T steps and the samples `first` … first+B-1, each with its length and id. */
static made run(rheo_context *ctx, const plan_case *c, uint32_t T, uint32_t first, uint32_t B,
                const uint32_t *length, bool low)
{
    rheo_net *net = net_of(ctx, &c->net);
    rheo_plan *plan = NULL;
    made m = {0};
    rheo_request request = request_of(c, RHEO_REAL);
    request.T = T;
    request.B = B;
    request.low_memory = low;
    request.lengths = true;
    const uint32_t N = rheo_net_inputs(net), C = rheo_net_outputs(net);
    const uint32_t ids[] = {40, 41, 42, 43, 44};
    float *x = room((size_t)T * B * N, sizeof *x), *go = room((size_t)T * B * C, sizeof *go);
    CHECK_OK(ctx, rheo__plan_new(net, &request, &plan));
    rheo__plan_batch(plan, B, ids + first, 0);
    rheo__plan_lengths(plan, length);
    for (uint32_t t = 0; t < T;
         t++) /* behind a sample's end its input is noise, and nobody pulls */
        for (uint32_t b = 0; b < B; b++) {
            const uint32_t seed = 100 * (first + b) + t;
            for (uint32_t i = 0; i < N; i++)
                x[((size_t)t * B + b) * N + i] = c->level * draw_at(seed, i);
            for (uint32_t i = 0; i < C && t < length[b]; i++)
                go[((size_t)t * B + b) * C + i] = draw_at(seed + 5000, i) - 0.5f;
        }
    feed(plan, x);
    rheo__plan_forward(plan);
    for (uint32_t b = 0; b < B; b++)
        for (uint32_t t = 0; t < length[b]; t++)
            for (uint32_t i = 0; i < C; i++) {
                const float y[] = {rheo__signal_get(rheo__plan_output(plan), t, b, i),
                                   rheo__signal_get(rheo__plan_readout(plan), t, b, i)};
                blob_add(&m.all, y, 2);
            }
    for (uint32_t n = 0; n < net->nodes; n++) /* silence behind the end */
        for (uint32_t b = 0; b < B && plan->work[n].out.form == RHEO_BITS && n; b++)
            for (uint32_t t = length[b]; t < T && plan->work[n].out.stride_t; t++)
                assert_int_equal(rheo__signal_popcount(&plan->work[n].out, t, b, b + 1), 0);
    CHECK_OK(ctx, rheo_backward(plan, go, go));
    for (uint32_t n = 0; n < net->nodes; n++)
        for (uint32_t i = 0; i < net->node[n].params; i++)
            if (plan->work[n].grad[i])
                blob_add(&m.all, plan->work[n].grad[i],
                         (size_t)net->node[n].param[i]->rows * net->node[n].param[i]->cols);
    for (uint32_t t = 0; t < T; t++) rheo__plan_count(plan, t, 0, B, &m.counts);
    rheo__plan_activity(plan, 8, m.rate, m.silent);
    rheo_plan_free(plan);
    rheo_net_free(net);
    free(x), free(go);
    return m;
}

/* A sample in a longer window gives what it gives alone: outputs, gradients, counts, to the bit. */
static void test_padded(void **state)
{
    static const uint32_t lengths[] = {9, 40, 33, 1, 64};
    (void)state;
    rheo_context *ctx = check_context(2);
    for (size_t i = 0; i < PLAN_CASES; i++) {
        const plan_case *c = &plan_cases[i];
        if (!c->gradient || c->mixes || c->fixed || c->level < 0) continue;
        for (uint32_t b = 0; b < 5; b++)
            for (int low = 0; low < 2; low++) {
                const made alone = run(ctx, c, lengths[b], b, 1, &lengths[b], low);
                const made padded = run(ctx, c, 70, b, 1, &lengths[b], low);
                same_blobs(c->label, "padded", alone.all, padded.all);
                assert_memory_equal(&alone.counts, &padded.counts, sizeof alone.counts);
                assert_memory_equal(alone.silent, padded.silent, sizeof alone.silent);
                for (int k = 0; k < 8 && !isnan(alone.rate[k]); k++)
                    assert_float_equal(alone.rate[k], padded.rate[k], 0);
                free(alone.all.x), free(padded.all.x);
            }
    }
    rheo_context_free(ctx);
}

/* In one batch: outputs and counts of each as alone, gradients their sum. */
static void test_batch(void **state)
{
    static const uint32_t lengths[] = {9, 40, 33, 1, 64};
    (void)state;
    rheo_context *ctx = check_context(3);
    for (size_t i = 0; i < PLAN_CASES; i++) {
        const plan_case *c = &plan_cases[i];
        if (!c->gradient || c->mixes || c->fixed || c->level < 0) continue;
        const made all = run(ctx, c, 64, 0, 5, lengths, false);
        double *sum = room(all.all.n, sizeof *sum), largest = 0;
        rheo_counts counts = {0};
        size_t at = 0, count = 0;
        for (uint32_t b = 0; b < 5; b++) {
            const made alone = run(ctx, c, lengths[b], b, 1, &lengths[b], false);
            rheo_net *net = net_of(ctx, &c->net);
            const size_t outputs = (size_t)2 * lengths[b] * rheo_net_outputs(net);
            rheo_net_free(net);
            if (memcmp(alone.all.x, all.all.x + at, outputs * sizeof(float)) != 0)
                fail_msg("%s: sample %u has other outputs in a batch", c->label, b);
            at += outputs;
            count = alone.all.n - outputs;
            for (size_t k = 0; k < count; k++) sum[k] += (double)alone.all.x[outputs + k];
            const uint64_t *from = (const uint64_t *)&alone.counts;
            for (size_t k = 0; k < sizeof counts / 8; k++) ((uint64_t *)&counts)[k] += from[k];
            free(alone.all.x);
        }
        assert_memory_equal(&counts, &all.counts, sizeof counts);
        assert_int_equal(at + count, all.all.n);
        for (size_t k = 0; k < count; k++) largest = fmax(largest, fabs(sum[k]));
        for (size_t k = 0; k < count; k++)
            CHECK_NEAR((double)all.all.x[at + k], sum[k], 1e-5 * largest);
        free(all.all.x), free(sum);
    }
    rheo_context_free(ctx);
}

static void test_refused(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    for (int train = 0; train < 2; train++) {
        rheo_net *net = net_of(ctx, &(net_text){.net = "4-5b-2", .in = {{4}}});
        rheo_plan *plan = NULL;
        const rheo_request request = {
            .T = 8, .B = 2, .in_form = RHEO_REAL, .train = train, .lengths = true};
        if (train)
            CHECK_FAILS(ctx, rheo__plan_new(net, &request, &plan), RHEO_UNSUPPORTED,
                        "node '1': norm looks at the whole window");
        else
            CHECK_OK(ctx, rheo__plan_new(net, &request, &plan));
        rheo_plan_free(plan);
        rheo_net_free(net);
    }
    rheo_context_free(ctx);
}

/* The library's calls: what is behind a sample's end changes nothing, neither its input nor what pulls
 * there; lengths that cannot be are refused and leave the others. */
static void test_library(void **state)
{
    enum { STEPS = 12, SAMPLES = 3, IN = 9, OUT = 4 };
    static const uint32_t lengths[] = {12, 5, 1}, wrong[] = {12, 13, 1}, none[] = {0, 1, 1};
    (void)state;
    rheo_context *ctx = check_context(1);
    float x[2][STEPS][SAMPLES][IN], go[2][STEPS][SAMPLES][OUT], y[2][STEPS][SAMPLES][OUT];
    float grad[2][IN * 6];
    rheo_net *net = NULL;
    CHECK_OK(ctx, rheo_net_parse(ctx, "9-6-4", NULL, &net));
    for (int other = 0; other < 2; other++) {
        rheo_plan *plan = NULL;
        const rheo_plan_options options = {
            .steps = STEPS, .batch = SAMPLES, .train = true, .lengths = true};
        for (uint32_t t = 0; t < STEPS; t++)
            for (uint32_t b = 0; b < SAMPLES; b++) {
                const uint32_t seed = 50 * b + t + (t < lengths[b] ? 0 : 7000 * (uint32_t)other);
                for (uint32_t i = 0; i < IN; i++) x[other][t][b][i] = 3 * draw_at(seed, i);
                for (uint32_t i = 0; i < OUT; i++) go[other][t][b][i] = draw_at(seed + 3000, i);
            }
        CHECK_OK(ctx, rheo_plan_new(net, &options, &plan));
        CHECK_OK(ctx, rheo_plan_lengths(plan, lengths));
        CHECK_FAILS(ctx, rheo_plan_lengths(plan, wrong), RHEO_USAGE,
                    "lengths: sample 1 has 13 steps, expected 1 to the plan's 12");
        CHECK_FAILS(ctx, rheo_plan_lengths(plan, none), RHEO_USAGE, "sample 0 has 0 steps");
        CHECK_OK(ctx, rheo_forward(plan, x[other][0][0], y[other][0][0]));
        CHECK_OK(ctx, rheo_backward(plan, go[other][0][0], NULL));
        memcpy(grad[other], rheo_gradient(plan, "1.weight"), sizeof grad[other]);
        rheo_plan_free(plan);
    }
    assert_memory_equal(y[0], y[1], sizeof y[0]);
    assert_memory_equal(grad[0], grad[1], sizeof grad[0]);
    float last = 0, pull = 0;
    for (uint32_t i = 0; i < OUT; i++) last += y[0][5][1][i];
    for (uint32_t i = 0; i < IN * 6; i++) pull += fabsf(grad[0][i]);
    assert_true(last == 0 && pull > 0);
    rheo_plan *plan = NULL;
    CHECK_OK(ctx, rheo_plan_new(net, &(rheo_plan_options){.steps = 2, .batch = 1}, &plan));
    CHECK_FAILS(ctx, rheo_plan_lengths(plan, lengths), RHEO_USAGE, "made without `lengths`");
    CHECK_OK(ctx, rheo_plan_lengths(plan, NULL));
    rheo_plan_free(plan);
    rheo_net_free(net);
    rheo_context_free(ctx);
}

/* ---- memory ---- */

static void test_memory(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    rheo_net *net = net_of(ctx, &(net_text){.net = "100-1000-10", .in = {{100}}});
    rheo_request request = {
        .T = 100, .B = 64, .in_form = RHEO_BITS, .gradient = true, .readout = true};
    rheo_plan *plan = NULL;
    size_t bytes = 0;
    CHECK_OK(ctx, rheo__plan_measure(net, &request, &bytes));
    assert_true(bytes > 60000000 && bytes < 120000000);
    assert_int_equal(setenv("RHEOBASE_MEMORY", "50", 1), 0);
    CHECK_FAILS(ctx, rheo__plan_new(net, &request, &plan), RHEO_MEMORY,
                "out of memory: 100 steps of 64 samples take");
    CHECK_FAILS(ctx, rheo__plan_new(net, &request, &plan), RHEO_MEMORY,
                "there are 50 MB (RHEOBASE_MEMORY sets another limit); take a smaller batch, fewer "
                "steps or memory: low");
    assert_null(plan);
    request.low_memory = true;
    CHECK_OK(ctx, rheo__plan_new(net, &request, &plan));
    rheo_plan_free(plan);
    assert_int_equal(setenv("RHEOBASE_MEMORY", "5", 1), 0);
    CHECK_FAILS(ctx, rheo__plan_new(net, &request, &plan), RHEO_MEMORY, "fewer steps");
    unsetenv("RHEOBASE_MEMORY");
    request = (rheo_request){.T = 1 << 20, .B = 1 << 16, .in_form = RHEO_REAL};
    CHECK_FAILS(ctx, rheo__plan_new(net, &request, &plan), RHEO_MEMORY, "out of memory");
    rheo_net_free(net);
    rheo_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_padded),  cmocka_unit_test(test_batch),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_library),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
