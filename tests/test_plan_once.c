/* test_plan_once.c: a plan whose backward passes write gradients where signals were: the same bits, in
 * less memory; and signals that have no memory at all. */
#include "plan_cases.h"
#include <math.h>
#include <stdio.h>

static void test_same_bits(void **state)
{
    (void)state;
    uint32_t smaller = 0;
    rheo_context *ctx = check_context(2);
    for (size_t i = 0; i < PLAN_CASES; i++) {
        const plan_case *c = &plan_cases[i];
        if (!c->gradient) continue;
        size_t bytes[2];
        blob all[2];
        for (int once = 0; once < 2; once++) {
            rheo_request request = request_of(c, RHEO_REAL);
            request.once = once;
            all[once] = blob_of_request(ctx, c, &request, &bytes[once]);
        }
        same_blobs(c->label, "once", all[0], all[1]);
        assert_true(bytes[1] <= bytes[0]);
        smaller += bytes[1] < bytes[0];
        free(all[0].x), free(all[1].x);
    }
    assert_true(smaller >= 8);
    rheo_context_free(ctx);
}

/* What such a plan saves: of 64 samples and 20 steps the 1,000 currents of the hidden layer. */
static void test_memory(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    rheo_net *net = net_of(ctx, &(net_text){.net = "100-1000-40", .in = {{100}}});
    size_t bytes[2];
    for (int once = 0; once < 2; once++) {
        const rheo_request request = {
            .T = 20, .B = 64, .in_form = RHEO_BITS, .train = true, .gradient = true, .once = once};
        CHECK_OK(ctx, rheo__plan_measure(net, &request, &bytes[once]));
    }
    const size_t saved = (size_t)20 * 64 * (1008 + 48) * sizeof(float);
    assert_int_equal(bytes[0] - bytes[1], saved);
    rheo_net_free(net);
    rheo_context_free(ctx);
}

/* The rows of a convolution pass through the largest of 2 x 2 windows, and neither they nor their
 * gradient are kept: for 64 samples and 20 steps 8 x 20 x 20 numbers, twice. That the bits are those of
 * rows that are kept is seen by test_plan_recurrent.c, since low memory keeps them. */
static void test_passing(void **state)
{
    static const char *const pools[] = {"{kind: max, size: 2}", "{kind: average, size: 2}"};
    (void)state;
    rheo_context *ctx = check_context(1);
    size_t bytes[2];
    for (int i = 0; i < 2; i++) {
        char text[256];
        rheo_plan *plan = NULL;
        snprintf(text, sizeof text,
                 "- conv: {out: 8, kernel: 3, padding: 1}\n- pool: %s\n- neuron: {model: lif}\n"
                 "- dense: {out: 10}\n",
                 pools[i]);
        rheo_net *net = net_of(ctx, &(net_text){.net = text, .in = {{1, 20, 20}}});
        const rheo_request request = {
            .T = 20, .B = 64, .in_form = RHEO_BITS, .train = true, .gradient = true};
        CHECK_OK(ctx, rheo__plan_new(net, &request, &plan));
        bytes[i] = plan->bytes;
        assert_true((plan->work[1].through == &plan->work[2]) == (i == 0));
        assert_true((plan->work[1].out.real == NULL) == (i == 0));
        assert_true((plan->gradient[1].real == NULL) == (i == 0));
        rheo_plan_free(plan);
        rheo_net_free(net);
    }
    const size_t kept = (size_t)2 * 20 * 64 * 8 * 20 * 20 * sizeof(float);
    const size_t winners = (size_t)20 * 64 * 8 * 10 * 10; /* a byte each */
    const double saved = (double)bytes[1] - (double)bytes[0];
    assert_true(fabs(saved - (double)(kept - winners)) < 0.02 * (double)kept); /* rows of threads */
    rheo_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bits),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_passing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
