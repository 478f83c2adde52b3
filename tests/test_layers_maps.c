/* test_layers_maps.c: norm against a closed form, dropout and noise against their statistics. */
#include "layer_rig.h"

static void test_norm_closed_form(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    rig r;
    rig_make(&r, ctx,
             &(rig_case){.label = "norm", .layer = "norm", .N = 1, .T = 2, .B = 2, .train = true},
             0);
    const float x[4] = {1, 2, 3, 4}; /* mean 2.5, variance 1.25, unbiased 5/3 */
    for (uint32_t i = 0; i < 4; i++) rheo__real_row(&r.in[0], i / 2, i % 2)[0] = x[i];
    const uint64_t version = r.param[2].version;
    rig_forward(&r);
    for (uint32_t i = 0; i < 4; i++)
        CHECK_NEAR((double)rheo__real_row(&r.work.out, i / 2, i % 2)[0],
                   ((double)x[i] - 2.5) / sqrt(1.25 + 1e-5), 1e-6);
    CHECK_NEAR((double)r.param[2].value[0], 0.1 * 2.5, 1e-7);
    CHECK_NEAR((double)r.param[3].value[0], 0.9 + 0.1 * 5 / 3, 1e-6);
    assert_true(r.param[2].version > version);
    r.work.train = false; /* running values are used, and stay */
    r.node.layer->refresh(&r.work);
    rig_forward(&r);
    for (uint32_t i = 0; i < 4; i++)
        CHECK_NEAR((double)rheo__real_row(&r.work.out, i / 2, i % 2)[0],
                   ((double)x[i] - 0.25) / sqrt(0.9 + 0.5 / 3 + 1e-5), 1e-6);
    CHECK_NEAR((double)r.param[2].value[0], 0.25, 1e-7);
    rig_free(&r);
    rheo_context_free(ctx);
}

static void test_dropout_mask(void **state)
{
    enum { N = 4000, B = 5, T = 3 };
    (void)state;
    rheo_context *ctx = check_context(2);
    rig r;
    rig_make(&r, ctx,
             &(rig_case){.label = "d",
                         .layer = "dropout",
                         .options = "rate=0.2",
                         .N = N,
                         .T = T,
                         .B = B,
                         .level = 2,
                         .train = true},
             0);
    uint32_t dropped = 0, equal = 0, kept = 0;
    for (uint32_t show = 0; show < 2; show++) {
        r.work.show = show;
        rig_forward(&r);
        for (uint32_t b = 0; b < B; b++)
            for (uint32_t j = 0; j < N; j++) {
                bool zero[T];
                for (uint32_t t = 0; t < T; t++) {
                    const float y = rheo__real_row(&r.work.out, t, b)[j];
                    zero[t] = !(y > 0);
                    if (!zero[t])
                        CHECK_NEAR((double)y, 1.25 * (double)rheo__real_row(&r.in[0], t, b)[j],
                                   1e-6);
                    assert_int_equal(zero[t], zero[0]); /* one mask for the window */
                }
                dropped += zero[0];
                const bool first = !(rheo__real_row(&r.work.out, 0, 0)[j] > 0);
                if (b == 1) equal += first == zero[0], kept++;
            }
    }
    /* binomial: n = 40000, p 0.2; two samples agree with p 0.68: 5 deviations */
    CHECK_NEAR(dropped, 0.2 * 2 * B * N, 5 * sqrt(2 * B * N * 0.16));
    CHECK_NEAR(equal, 0.68 * kept, 5 * sqrt(kept * 0.68 * 0.32));
    rig_free(&r);
    /* otherwise the identity, in the input's own form */
    rig_make(&r, ctx,
             &(rig_case){.label = "d",
                         .layer = "dropout",
                         .N = 70,
                         .T = T,
                         .B = B,
                         .input = SIGNS,
                         .level = 0.5},
             0);
    assert_int_equal(r.work.out.form, RHEO_BITS);
    rig_forward(&r);
    rig_same("identity", &r.in[0], 0, &r.work.out);
    assert_true(r.work.out.lo < 0);
    rig_free(&r);
    rheo_context_free(ctx);
}

static void test_noise_statistics(void **state)
{
    enum { N = 4000, B = 5 };
    (void)state;
    rheo_context *ctx = check_context(2);
    rig r;
    rig_make(&r, ctx,
             &(rig_case){.label = "n",
                         .layer = "noise",
                         .options = "sigma=0.5",
                         .N = N,
                         .T = 1,
                         .B = B,
                         .train = true},
             0);
    rig_forward(&r);
    double sum = 0, squares = 0, n = 0;
    for (uint32_t b = 0; b < B; b++)
        for (uint32_t j = 0; j < N; j++) {
            const double x = (double)rheo__real_row(&r.in[0], 0, b)[j];
            const double off = (double)rheo__real_row(&r.work.out, 0, b)[j] - x;
            if (!(x > 0)) {
                CHECK_NEAR(off, 0, 0);
                continue;
            }
            n++;
            sum += off;
            squares += off * off;
        }
    CHECK_NEAR(sum / n, 0, 5 * 0.5 / sqrt(n));
    CHECK_NEAR(sqrt(squares / n), 0.5, 5 * 0.5 / sqrt(2 * n));
    r.work.train = false;
    rig_forward(&r);
    rig_same("identity", &r.in[0], 0, &r.work.out);
    rig_free(&r);
    rheo_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_norm_closed_form),
        cmocka_unit_test(test_dropout_mask),
        cmocka_unit_test(test_noise_statistics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
