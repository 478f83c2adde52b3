/* test_plan_once.c: a plan whose backward passes write gradients where signals were: the same bits, in
 * less memory. */
#include "plan_cases.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bits),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
