/* test_layers_rules.c: what layers promise in words: folding leaves the net's function, masks are a
 * sample's or a step's, exactly k win, whole delays shift spikes; exact counts; what is refused. */
#include "layer_rig.h"
#include "layer/norm.h"

static rheo_context *ctx;

/* ---- folding ---- */

static void copy_out(const rig *from, rig *to)
{
    for (uint32_t t = 0; t < from->what.T; t++)
        for (uint32_t b = 0; b < from->what.B; b++)
            memcpy(rheo__real_row(&to->in[0], t, b), rheo__real_row(&from->work.out, t, b),
                   from->work.out.N * sizeof(float));
}

static void test_fold(void **state)
{
    static const char *const kinds[] = {"kind=batch", "kind=tdbn alpha=0.6 theta=0.7"};
    (void)state;
    for (size_t k = 0; k < 2; k++) {
        rig dense, norm;
        double largest = 0, worst = 0;
        rig_make(&dense, ctx,
                 &(rig_case){
                     .label = "d", .layer = "dense", .options = "out=9", .N = 20, .T = 3, .B = 2},
                 0);
        rig_make(
            &norm, ctx,
            &(rig_case){.label = "n", .layer = "norm", .options = kinds[k], .N = 9, .T = 3, .B = 2},
            0);
        for (uint32_t p = 0; p < 4; p++) rig_uniform(60 + p, 0.3f, 2, norm.param[p].value, 9);
        norm.node.layer->refresh(&norm.work);
        rig_forward(&dense), copy_out(&dense, &norm), rig_forward(&norm);
        double *before = rig_doubles(&norm.work.out);
        const uint64_t version = dense.param[0].version;
        CHECK_OK(ctx, rheo__norm_fold(ctx, &norm.node, &dense.node));
        assert_true(dense.param[0].version > version);
        dense.node.layer->refresh(&dense.work), norm.node.layer->refresh(&norm.work);
        rig_forward(&dense), copy_out(&dense, &norm), rig_forward(&norm);
        double *after = rig_doubles(&norm.work.out), *folded = rig_doubles(&dense.work.out);
        for (uint32_t i = 0; i < 3 * 2 * 9; i++) {
            largest = fmax(largest, fabs(before[i]));
            worst = fmax(worst, fabs(before[i] - folded[i])); /* the weights alone */
            worst = fmax(worst, fabs(before[i] - after[i])); /* and with what is left of the norm */
        }
        assert_true(largest > 1);
        if (!(worst <= 1e-6 * largest)) fail_msg("%s: %.3g of %.3g", kinds[k], worst, largest);
        free(before), free(after), free(folded);
        rig_free(&dense), rig_free(&norm);
    }
}

static void test_fold_refused(void **state)
{
    (void)state;
    rig dense, norm;
    rig_make(
        &dense, ctx,
        &(rig_case){
            .label = "d", .layer = "dense", .options = "out=9 bias=false", .N = 3, .T = 1, .B = 1},
        0);
    rig_make(&norm, ctx, &(rig_case){.label = "n", .layer = "norm", .N = 9, .T = 1, .B = 1}, 0);
    CHECK_FAILS(ctx, rheo__norm_fold(ctx, &norm.node, &dense.node), RHEO_SHAPE,
                "fold: norm 'n' has 9 channels, but 'd'");
    rig_free(&norm);
    rig_make(
        &norm, ctx,
        &(rig_case){
            .label = "n", .layer = "norm", .options = "kind=tebn steps=2", .N = 9, .T = 1, .B = 1},
        0);
    CHECK_FAILS(ctx, rheo__norm_fold(ctx, &norm.node, &dense.node), RHEO_UNSUPPORTED,
                "fold: norm 'n' differs from step to step");
    rig_free(&norm), rig_free(&dense);
}

/* ---- masks ---- */

/* The share of elements dropped, and of those dropped at two steps and by two samples: p and p^2.
 */
static void test_dropout_by_step(void **state)
{
    enum { N = 4000 };
    rig r;
    uint32_t dropped = 0, twice = 0, both = 0;
    (void)state;
    rig_make(&r, ctx,
             &(rig_case){.label = "d",
                         .layer = "dropout",
                         .options = "rate=0.3 mask=step",
                         .N = N,
                         .T = 2,
                         .B = 2,
                         .level = 2,
                         .train = true},
             0);
    rig_forward(&r);
    for (uint32_t j = 0; j < N; j++) {
        const bool here = !(rheo__real_row(&r.work.out, 0, 0)[j] > 0);
        dropped += here;
        twice += here && !(rheo__real_row(&r.work.out, 1, 0)[j] > 0);
        both += here && !(rheo__real_row(&r.work.out, 0, 1)[j] > 0);
    }
    /* binomial; 5 deviations */
    CHECK_NEAR(dropped, 0.3 * N, 5 * sqrt(N * 0.21));
    CHECK_NEAR(twice, 0.09 * N, 5 * sqrt(N * 0.09 * 0.91));
    CHECK_NEAR(both, 0.09 * N, 5 * sqrt(N * 0.09 * 0.91));
    rig_free(&r);
}

/* An input of ones gives the number of weights that are left; the same at all steps of a sample. */
static void test_drop_connect(void **state)
{
    enum { N = 500, OUT = 20 };
    rig r;
    double kept = 0;
    bool differ = false;
    (void)state;
    rig_make(&r, ctx,
             &(rig_case){.label = "d",
                         .layer = "drop-connect",
                         .options = "out=20 rate=0.25 bias=false",
                         .N = N,
                         .T = 2,
                         .B = 2,
                         .train = true},
             0);
    for (uint32_t i = 0; i < N * OUT; i++) r.param[0].value[i] = 0.75f;
    for (uint32_t row = 0; row < 4; row++)
        for (uint32_t j = 0; j < N; j++) rheo__real_row(&r.in[0], row / 2, row % 2)[j] = 1;
    rig_forward(&r);
    for (uint32_t o = 0; o < OUT; o++) {
        const double y = (double)rheo__real_row(&r.work.out, 0, 0)[o];
        CHECK_NEAR(y, (double)rheo__real_row(&r.work.out, 1, 0)[o], 0);
        CHECK_NEAR(y, round(y), 1e-3); /* 0.75 / (1 - 0.25) each */
        differ = differ || fabs(y - (double)rheo__real_row(&r.work.out, 0, 1)[o]) > 0.5;
        kept += y;
    }
    assert_true(differ);
    CHECK_NEAR(kept, 0.75 * N * OUT, 5 * sqrt(N * OUT * 0.1875));
    r.work.train = false;
    rig_forward(&r);
    CHECK_NEAR((double)rheo__real_row(&r.work.out, 0, 0)[0], 0.75 * N, 1e-3);
    rig_free(&r);
}

/* ---- winners ---- */

static void test_winners(void **state)
{
    enum { N = 200, K = 10, T = 400 };
    static const char *const ties[] = {"k=10", "k=10 ties=random"};
    (void)state;
    for (int random = 0; random < 2; random++) {
        rig r;
        uint32_t wins[N] = {0}, spikes[N] = {0};
        rig_make(&r, ctx,
                 &(rig_case){.label = "k",
                             .layer = "k-winners",
                             .options = ties[random],
                             .N = N,
                             .T = T,
                             .B = 1,
                             .input = SPIKES,
                             .level = 0.5},
                 0);
        rig_forward(&r);
        for (uint32_t t = 0; t < T; t++) {
            assert_int_equal(rheo__signal_popcount(&r.work.out, t, 0, 1), K);
            uint32_t seen = 0;
            for (uint32_t j = 0; j < N; j++) {
                const bool in = rheo__signal_get(&r.in[0], t, 0, j) > 0;
                const bool out = rheo__signal_get(&r.work.out, t, 0, j) > 0;
                assert_true(in || !out);
                if (!random) assert_int_equal(out, in && seen < K); /* the lowest indices */
                seen += in;
                wins[j] += out, spikes[j] += in;
            }
        }
        for (uint32_t j = 0; j < N && random;
             j++) /* a spike wins in about K / (N/2); 6 deviations */
            CHECK_NEAR(wins[j], spikes[j] * 0.1, 6 * sqrt(T * 0.05));
        rig_free(&r);
    }
}

/* ---- delays ---- */

static void test_whole_delays(void **state)
{
    enum { N = 70, T = 12 };
    rig r;
    (void)state;
    rig_make(&r, ctx,
             &(rig_case){.label = "d",
                         .layer = "delay",
                         .options = "max=5 round=true",
                         .N = N,
                         .T = T,
                         .B = 2,
                         .input = SPIKES,
                         .level = 0.5},
             0);
    assert_int_equal(r.work.out.form, RHEO_BITS);
    for (uint32_t i = 0; i < N; i++) r.param[0].value[i] = (float)i * 0.08f;
    r.param[0].value[1] = NAN; /* what no file should hold is no reason to leave the memory */
    r.param[0].value[2] = 1e9f;
    rig_forward(&r);
    for (uint32_t t = 0; t < T; t++)
        for (uint32_t i = 0; i < N; i++) {
            const uint32_t d = i == 1   ? 0
                               : i == 2 ? 5
                                        : (uint32_t)fminf(5, floorf((float)i * 0.08f + 0.5f));
            const float want = t < d ? 0 : rheo__signal_get(&r.in[0], t - d, 1, i);
            CHECK_NEAR((double)rheo__signal_get(&r.work.out, t, 1, i), (double)want, 0);
        }
    rig_free(&r);
}

/* ---- counts, of 4 steps of 3 samples ---- */

static const struct {
    rig_case what;
    rheo_counts expected; /* bytes are not compared */
} counted[] = {
    {{.label = "sum", .layer = "sum", .N = 30, .T = 4, .B = 3, .ports = 3}, {.acs = 2 * 360}},
    {{.label = "delay", .layer = "delay", .N = 30, .T = 4, .B = 3}, {.macs = 720}},
    {{.label = "dense-delay", .layer = "dense-delay", .options = "out=5", .N = 30, .T = 4, .B = 3},
     {.macs = 2 * 5 * 360}},
    {{.label = "drop-connect",
      .layer = "drop-connect",
      .options = "out=5",
      .N = 30,
      .T = 4,
      .B = 3,
      .train = true},
     {.macs = 5 * 360, .draws = 3 * 150}},
    {{.label = "dropout by step",
      .layer = "dropout",
      .options = "mask=step",
      .N = 30,
      .T = 4,
      .B = 3,
      .train = true},
     {.draws = 360}},
    {{.label = "temporal-attention",
      .layer = "temporal-attention",
      .options = "steps=4 reduction=2",
      .N = 30,
      .T = 4,
      .B = 3},
     {.macs = 360 + 3 * 2 * 8, .acs = 360}},
    {{.label = "attention",
      .layer = "spiking-self-attention",
      .options = "tokens=5",
      .N = 30,
      .T = 4,
      .B = 3,
      .ports = 3},
     {.macs = 360 + 2 * 360 * 5}}, /* scale; Q K and A V of 5 tokens */
};

static void test_counts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof counted / sizeof *counted; i++) {
        rig r;
        rheo_counts sum = {0};
        rig_make(&r, ctx, &counted[i].what, 0);
        rig_forward(&r);
        for (uint32_t t = 0; t < 4; t++)
            for (uint32_t b = 0; b < 3; b++) r.node.layer->count(&r.work, t, b, b + 1, &sum);
        sum.bytes = 0;
        if (memcmp(&sum, &counted[i].expected, sizeof sum) != 0)
            fail_msg("%s: macs %lu acs %lu draws %lu", counted[i].what.label, sum.macs, sum.acs,
                     sum.draws);
        rig_free(&r);
    }
}

/* Spikes only: pairs of queries and keys of a feature, and a value's spike for each token. */
static void test_count_of_spikes(void **state)
{
    enum { FEATURES = 6, TOKENS = 5 };
    rig r;
    rheo_counts sum = {0};
    uint64_t expected = 0;
    (void)state;
    rig_make(&r, ctx,
             &(rig_case){.label = "a",
                         .layer = "spiking-self-attention",
                         .options = "tokens=5",
                         .N = FEATURES * TOKENS,
                         .T = 1,
                         .B = 1,
                         .ports = 3,
                         .input = SPIKES,
                         .level = 0.5,
                         .port_input = {0, SPIKES, SPIKES}},
             0);
    rig_forward(&r);
    for (uint32_t e = 0; e < FEATURES; e++)
        for (uint32_t n = 0; n < TOKENS; n++) {
            for (uint32_t m = 0; m < TOKENS; m++)
                expected += rheo__signal_get(&r.in[0], 0, 0, e * TOKENS + n) > 0 &&
                            rheo__signal_get(&r.in[1], 0, 0, e * TOKENS + m) > 0;
            expected += rheo__signal_get(&r.in[2], 0, 0, e * TOKENS + n) > 0 ? TOKENS : 0;
        }
    r.node.layer->count(&r.work, 0, 0, 1, &sum);
    assert_true(expected > 30);
    assert_int_equal(sum.acs, expected);
    assert_int_equal(sum.macs, FEATURES * TOKENS);
    rig_free(&r);
}

/* ---- refusals ---- */

static const struct {
    rig_case what;
    rheo_status status;
    const char *message;
} refused[] = {
    {{.label = "n", .layer = "norm", .options = "kind=bntt", .N = 3},
     RHEO_USAGE,
     "net node n: a norm of kind bntt has parameters for each step; give steps"},
    {{.label = "n", .layer = "sum", .N = 3}, RHEO_USAGE, "net node n: a sum has 1 input"},
    {{.label = "n", .layer = "sum", .N = 3, .ports = 2, .port_shape = {{{0}}, {{4, 1, 1, 1}}}},
     RHEO_SHAPE,
     "net node n: input 2 is 4, but the first is 3"},
    {{.label = "n", .layer = "sum", .options = "kind=iand", .N = 3, .ports = 3},
     RHEO_USAGE,
     "net node n: iand takes two inputs, found 3"},
    {{.label = "n",
      .layer = "concat",
      .shape = {{2, 3, 3, 1}},
      .ports = 2,
      .port_shape = {{{0}}, {{2, 3, 4, 1}}}},
     RHEO_SHAPE,
     "net node n: input 2 is 2x3x4, but the first is 2x3x3"},
    {{.label = "n", .layer = "delay", .options = "max=3 start=4", .N = 3},
     RHEO_USAGE,
     "net node n: delays start at 4 steps, beyond the largest, 3"},
    {{.label = "n", .layer = "temporal-attention", .N = 3}, RHEO_USAGE, "give steps"},
    {{.label = "n", .layer = "spiking-self-attention", .N = 3, .ports = 2},
     RHEO_USAGE,
     "net node n: attention takes queries, keys and values, from: [q, k, v]; found 2"},
    {{.label = "n", .layer = "spiking-self-attention", .options = "tokens=4", .N = 30, .ports = 3},
     RHEO_SHAPE,
     "net node n: 30 inputs are no 4 tokens"},
    {{.label = "n", .layer = "parallel-spiking", .N = 3}, RHEO_USAGE, "or take kind sliding"},
    {{.label = "n", .layer = "spiking-lstm", .options = "out=20000", .N = 3},
     RHEO_SHAPE,
     "net node n: 20000 units, expected at most 16384"},
};

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        rig r;
        CHECK_FAILS(ctx, rig_infer(&r, ctx, &refused[i].what), refused[i].status,
                    refused[i].message);
    }
}

int main(void)
{
    ctx = check_context(2);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fold),
        cmocka_unit_test(test_fold_refused),
        cmocka_unit_test(test_dropout_by_step),
        cmocka_unit_test(test_drop_connect),
        cmocka_unit_test(test_winners),
        cmocka_unit_test(test_whole_delays),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_count_of_spikes),
        cmocka_unit_test(test_refused),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rheo_context_free(ctx);
    return failed;
}
