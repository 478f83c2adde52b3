/* test_layers_conv.c: what only convolution and pooling promise: exact counts at the borders, one
 * result for spikes and for the same numbers as reals, on all instruction sets; fair ties; what is
 * refused. */
#include "layer_twin.h"

/* Ones as weights, no bias: an output is the number of synapses that drive it. */
static void ones(rig *r)
{
    for (uint32_t p = 0; p < r->node.params; p++)
        for (size_t i = 0; i < (size_t)r->param[p].rows * r->param[p].cols; i++)
            r->param[p].value[i] = strcmp(r->param[p].name, "weight") == 0;
    if (r->node.layer->refresh) r->node.layer->refresh(&r->work);
}

static uint64_t added(const rheo_signal *s)
{
    double sum = 0, *x = rig_doubles(s);
    for (size_t i = 0; i < (size_t)s->T * s->B * s->N; i++) sum += x[i];
    free(x);
    return (uint64_t)sum;
}

static const struct {
    const char *layer, *options;
    rheo_shape shape;
} counted[] = {
    {"conv", "out=5 kernel=3", {{2, 6, 7, 1}}},
    {"conv", "out=5 kernel=5 padding=same", {{2, 6, 7, 1}}},
    {"conv", "out=6 kernel=3 stride=2 padding=1 groups=2", {{4, 8, 7, 1}}},
    {"conv", "out=3 kernel=3 dilation=2 padding=1 stride_w=3", {{1, 8, 9, 1}}},
    {"conv", "out=3 kernel=4 padding=3", {{3, 9, 1, 1}}},
    {"conv", "out=2 kernel=2 padding=1 stride=2", {{2, 3, 4, 5}}},
    {"conv-transpose", "out=3 kernel=3", {{2, 4, 5, 1}}},
    {"conv-transpose", "out=4 kernel=3 padding=1 stride=2 groups=2", {{2, 4, 5, 1}}},
    {"conv-transpose", "out=2 kernel=2 padding=1", {{2, 3, 4, 5}}},
    {"pool", "kind=sum size=3 stride=2 padding=1", {{2, 7, 8, 1}}},
    {"pool", "kind=sum out=3", {{2, 7, 8, 1}}},
};

/* Fan-outs, by bringing spikes and ones through weights of one. */
static void test_counts(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    for (size_t i = 0; i < sizeof counted / sizeof counted[0]; i++)
        for (int spikes = 0; spikes < 2; spikes++) {
            rig r;
            const bool pool = strcmp(counted[i].layer, "pool") == 0;
            rheo_counts sum = {0};
            rig_make(&r, ctx,
                     &(rig_case){.label = "count",
                                 .layer = counted[i].layer,
                                 .options = counted[i].options,
                                 .T = 3,
                                 .B = 2,
                                 .input = spikes ? SPIKES : REALS,
                                 .level = 0.3,
                                 .shape = counted[i].shape},
                     0);
            for (uint32_t row = 0; row < 6 && !spikes; row++)
                for (uint32_t n = 0; n < r.in[0].N; n++)
                    rheo__real_row(&r.in[0], row / 2, row % 2)[n] = 1;
            ones(&r);
            rig_forward(&r);
            for (uint32_t t = 0; t < 3; t++) r.node.layer->count(&r.work, t, 0, 2, &sum);
            const uint64_t want = added(&r.work.out);
            assert_true(want > 50);
            assert_int_equal(sum.synops, spikes && !pool ? want : 0);
            assert_int_equal(sum.acs, spikes || pool ? want : 0);
            assert_int_equal(sum.macs, spikes || pool ? 0 : want);
            if (!pool) assert_int_equal(sum.bytes, want * sizeof(float));
            rig_free(&r);
        }
    rheo_context_free(ctx);
}

/* ---- one order of sums ---- */

static const struct {
    const char *options;
    rheo_shape shape;
} ordered[] = {
    {"out=35 kernel=3 padding=1", {{3, 9, 10, 1}}},
    {"out=64 kernel=5", {{4, 9, 9, 1}}},
    {"out=6 kernel=3 stride=2 padding=2 groups=2", {{4, 9, 70, 1}}},
    {"out=130 kernel=2 dilation=3", {{5, 6, 6, 1}}},
    {"out=7 kernel=3 bias=false", {{40, 3, 3, 1}}},
    {"out=5 kernel=4", {{3, 300, 1, 1}}},
    {"out=9 kernel=3", {{150, 5, 6, 1}}},
    {"out=3 kernel=2 padding=1 stride_d=2", {{2, 4, 5, 6}}},
    {"out=3 kernel=1 padding_w=3 stride_w=11", {{2, 6, 5, 1}}}, /* sees padding only */
    {"out=3 kernel=2 padding_h=4 stride_h=12", {{70, 5, 6, 1}}},
};

static void run_like(rig *r, rheo_context *ctx, size_t i, rig_input input, double level,
                     bool sparse)
{
    rig_make(r, ctx,
             &(rig_case){.label = ordered[i].options,
                         .layer = "conv",
                         .options = ordered[i].options,
                         .T = 3,
                         .B = 5,
                         .input = input,
                         .level = level,
                         .gradient = true,
                         .train = true,
                         .sparse_gout = sparse,
                         .shape = ordered[i].shape},
             0);
}

static void run_at(rig *r, rheo_context *ctx, size_t i, rig_input input, double level)
{
    run_like(r, ctx, i, input, level, false);
}

static void same(const rig *a, const rig *b)
{
    rig_same(a->what.label, &a->work.out, 0, &b->work.out);
    rig_same(a->what.label, &a->work.gin[0], 0, &b->work.gin[0]);
    for (uint32_t p = 0; p < a->node.params; p++)
        if (memcmp(a->work.grad[p], b->work.grad[p],
                   (size_t)a->param[p].rows * a->param[p].cols * sizeof(float)) != 0)
            fail_msg("%s: the gradient of %s differs", a->what.label, a->param[p].name);
}

/* Spikes of any density, gathered or multiplied, give what their numbers as reals give. */
static void test_spikes_are_numbers(void **state)
{
    static const double levels[] = {0, 0.02, 0.15, 0.6, 1};
    (void)state;
    rheo_context *ctx = check_context(2);
    for (size_t i = 0; i < sizeof ordered / sizeof ordered[0]; i++)
        for (size_t l = 0; l < 5; l++) {
            rig bits, reals;
            run_at(&bits, ctx, i, SPIKES, levels[l]);
            run_at(&reals, ctx, i, REALS, 0);
            for (uint32_t t = 0; t < 3; t++)
                for (uint32_t b = 0; b < 5; b++)
                    for (uint32_t n = 0; n < reals.in[0].N; n++)
                        rheo__real_row(&reals.in[0], t, b)[n] =
                            rheo__signal_get(&bits.in[0], t, b, n);
            rig_forward(&bits), rig_backward(&bits);
            rig_forward(&reals), rig_backward(&reals);
            same(&bits, &reals);
            rig_free(&bits), rig_free(&reals);
        }
    rheo_context_free(ctx);
}

/* Of the gradient what is not 0 is taken place by place, to the same bits: a part, all, nothing. */
static void test_gradients_of_winners(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(2);
    const rheo_isa_level best = ctx->isa;
    for (int isa = 0; isa <= (int)best; isa++)
        for (size_t i = 0; i < sizeof ordered / sizeof ordered[0]; i++)
            for (uint32_t kept = 0; kept < 5; kept += 2) { /* of four */
                rig sparse, dense;
                ctx->isa = (rheo_isa_level)isa;
                run_like(&sparse, ctx, i, REALS, 0, true);
                run_like(&dense, ctx, i, REALS, 0, false);
                for (uint32_t t = 0; t < 3; t++)
                    for (uint32_t b = 0; b < 5; b++)
                        for (uint32_t n = 0; n < sparse.gout.N; n++)
                            if ((n * 7 + b + t) % 4 >= kept)
                                rheo__real_row(&sparse.gout, t, b)[n] =
                                    rheo__real_row(&dense.gout, t, b)[n] = 0;
                rig_forward(&sparse), rig_backward(&sparse);
                rig_forward(&dense), rig_backward(&dense);
                same(&sparse, &dense);
                rig_free(&sparse), rig_free(&dense);
            }
    ctx->isa = best;
    rheo_context_free(ctx);
}

static void test_instruction_sets(void **state)
{
    (void)state;
    rheo_context *best = check_context(2), *other = check_context(1);
    for (int isa = 0; isa < (int)best->isa; isa++) {
        other->isa = (rheo_isa_level)isa;
        for (size_t i = 0; i < sizeof ordered / sizeof ordered[0]; i++)
            for (int input = 0; input < 2; input++) {
                rig a, b;
                run_at(&a, best, i, input ? SPIKES : REALS, input ? 0.2 : 0);
                run_at(&b, other, i, input ? SPIKES : REALS, input ? 0.2 : 0);
                rig_forward(&a), rig_backward(&a);
                rig_forward(&b), rig_backward(&b);
                same(&a, &b);
                rig_free(&a), rig_free(&b);
            }
    }
    rheo_context_free(best);
    rheo_context_free(other);
}

/* ---- ties of max pooling ---- */

/* All equal: each of four places wins a quarter of the time, the same ones for the same seed. */
static void test_ties(void **state)
{
    enum { SIDE = 60, WINDOWS = SIDE * SIDE / 4 };
    (void)state;
    rheo_context *ctx = check_context(2);
    double won[4] = {0};
    rig r, again;
    const rig_case c = {.label = "ties",
                        .layer = "pool",
                        .T = 2,
                        .B = 3,
                        .input = SPIKES,
                        .level = 1,
                        .train = true,
                        .gradient = true,
                        .shape = {{1, SIDE, SIDE, 1}}};
    rig_make(&r, ctx, &c, 0);
    rig_make(&again, ctx, &c, 0);
    rig_forward(&r), rig_backward(&r);
    rig_forward(&again), rig_backward(&again);
    rig_same("same seed", &r.work.gin[0], 0, &again.work.gin[0]);
    uint32_t equal = 0;
    for (uint32_t t = 0; t < 2; t++)
        for (uint32_t b = 0; b < 3; b++)
            for (uint32_t n = 0; n < SIDE * SIDE; n++) {
                const float g = rheo__real_row(&r.work.gin[0], t, b)[n];
                const bool here = g > 0 || g < 0;
                won[n / SIDE % 2 * 2 + n % 2] += here;
                if (t == 0) equal += here && rheo__real_row(&r.work.gin[0], 1, b)[n] * g != 0.0f;
            }
    const double windows = 6.0 * WINDOWS; /* binomial, p = 1/4: 5 deviations */
    for (int i = 0; i < 4; i++) CHECK_NEAR(won[i], windows / 4, 5 * sqrt(windows * 3 / 16));
    CHECK_NEAR(equal, 3.0 * WINDOWS / 4, 5 * sqrt(3.0 * WINDOWS * 3 / 16)); /* steps differ */
    again.work.seed++;
    rig_forward(&again), rig_backward(&again);
    assert_true(memcmp(rheo__real_row(&r.work.gin[0], 0, 0),
                       rheo__real_row(&again.work.gin[0], 0, 0), SIDE * SIDE * sizeof(float)) != 0);
    rig_free(&r), rig_free(&again);
    rheo_context_free(ctx);
}

/* The places that win are the reference's, to the bit: where windows are 2 x 2 and where they are
 * not, where places are left over, in planes of volumes, for more windows than are drawn at once. */
static void test_winners(void **state)
{
    static const struct {
        const char *options;
        rheo_shape shape;
        rig_input input;
    } pools[] = {
        {"", {{5, 30, 31, 1}}, SPIKES},
        {"", {{3, 7, 8, 1}}, SPIKES},
        {"", {{2, 6, 151, 1}}, SPIKES},
        {"", {{3, 4, 128, 1}}, SPIKES},
        {"", {{70, 9, 8, 1}}, REALS},
        {"ties=first", {{2, 7, 7, 1}}, SPIKES},
        {"size_d=1", {{3, 4, 5, 6}}, SPIKES},
        {"size_d=1", {{3, 4, 5, 6}}, REALS},
        {"", {{2, 4, 6, 6}}, SPIKES},
        {"size=3", {{5, 20, 22, 1}}, SPIKES},
        {"size=3 stride=2 padding=1", {{2, 9, 9, 1}}, SPIKES},
    };
    (void)state;
    rheo_context *ctx = check_context(2);
    for (size_t i = 0; i < sizeof pools / sizeof *pools; i++) {
        rig r;
        twin w;
        rig_make(&r, ctx,
                 &(rig_case){.label = pools[i].options,
                             .layer = "pool",
                             .options = pools[i].options,
                             .T = 2,
                             .B = 3,
                             .input = pools[i].input,
                             .level = pools[i].input == SPIKES ? 0.4f : 0,
                             .train = true,
                             .gradient = true,
                             .shape = pools[i].shape},
                 0);
        twin_make(&w, &r, false);
        rig_forward(&r), rig_backward(&r);
        w.work.node->layer->reference_forward(&w.work);
        w.work.node->layer->reference_backward(&w.work);
        double *out = rig_doubles(&r.work.out), *gin = rig_doubles(&r.work.gin[0]);
        const bool apart = !strstr(pools[i].options, "stride"); /* else some places are added up */
        for (size_t n = 0; n < w.out_size; n++) assert_true(out[n] == w.work.out[n]);
        for (size_t n = 0; n < w.in_size[0]; n++)
            if (!(fabs(gin[n] - w.gin[0][n]) <= (apart ? 0 : 1e-6)))
                fail_msg("%zu: place %zu gets %g, not %g", i, n, gin[n], w.gin[0][n]);
        free(out), free(gin);
        twin_free(&w);
        rig_free(&r);
    }
    rheo_context_free(ctx);
}

/* ---- parameters and messages ---- */

static void test_shapes(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    rig r;
    rheo_param p = {0};
    CHECK_OK(ctx, rig_infer(&r, ctx,
                            &(rig_case){.label = "c",
                                        .layer = "conv",
                                        .options = "out=6 kernel_h=3 kernel_w=5 groups=2",
                                        .shape = {{4, 8, 9, 1}}}));
    assert_true(r.node.layer->param(&r.node, 0, &p));
    assert_int_equal(p.dims, 4);
    assert_int_equal(p.shape[0], 6), assert_int_equal(p.shape[1], 2);
    assert_int_equal(p.shape[2], 3), assert_int_equal(p.shape[3], 5);
    const uint32_t want[4] = {6, 6, 5, 1};
    assert_memory_equal(r.node.out.dim, want, sizeof want);
    CHECK_OK(ctx, rig_infer(&r, ctx,
                            &(rig_case){.label = "c",
                                        .layer = "conv-transpose",
                                        .options = "out=3 kernel=4 stride=2 padding=1",
                                        .shape = {{4, 7, 1, 1}}}));
    const uint32_t line[4] = {3, 14, 1, 1};
    assert_memory_equal(r.node.out.dim, line, sizeof line);
    rheo_context_free(ctx);
}

static void test_refused(void **state)
{
    static const struct {
        const char *layer, *options;
        rheo_shape shape;
        rheo_status code;
        const char *text;
    } bad[] = {
        {"conv",
         "kernel=7",
         {{2, 5, 9, 1}},
         RHEO_SHAPE,
         "a kernel of 1x7x7, dilation 1, padding 0, stride 1, does not fit the input 2x5x9"},
        {"conv", "out=5 groups=2", {{4, 5, 5, 1}}, RHEO_SHAPE, "4 channels in and 5 out"},
        {"conv", "padding=same stride=2", {{1, 5, 5, 1}}, RHEO_USAGE, "padding same"},
        {"conv", "axes=1", {{1, 5, 5, 1}}, RHEO_SHAPE, "has more than 1 axes"},
        {"conv", "out=1000000 kernel=1", {{1, 100, 100, 1}}, RHEO_SHAPE, "an array of more than"},
        {"conv", "kernel=65536 dilation=65536", {{1, 9, 1, 1}}, RHEO_SHAPE, "kernel is too large"},
        {"conv", "out=4 groups=2 weights=dale", {{4, 5, 5, 1}}, RHEO_UNSUPPORTED, "dale"},
        {"conv-transpose",
         "output_padding=2 stride=2",
         {{1, 5, 5, 1}},
         RHEO_USAGE,
         "output_padding"},
        {"conv-transpose", "kernel=1 padding=4", {{1, 5, 5, 1}}, RHEO_SHAPE, "does not fit"},
        {"pool", "size=6", {{1, 5, 5, 1}}, RHEO_SHAPE, "do not fit 5 places of the input 1x5x5"},
        {"pool", "padding=2", {{1, 5, 5, 1}}, RHEO_USAGE, "more than half"},
        {"pool", "out=6", {{1, 5, 5, 1}}, RHEO_SHAPE, "6 of them"},
        {"crop", "before=2 after=3", {{1, 5, 5, 1}}, RHEO_SHAPE, "nothing is left"},
        {"upsample", "scale=256", {{64, 64, 64, 64}}, RHEO_SHAPE, "becomes"},
    };
    (void)state;
    rheo_context *ctx = check_context(1);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        rig r;
        const rig_case c = {
            .label = "x", .layer = bad[i].layer, .options = bad[i].options, .shape = bad[i].shape};
        CHECK_FAILS(ctx, rig_infer(&r, ctx, &c), bad[i].code, bad[i].text);
        assert_non_null(strstr(rheo_error(ctx), "net node x: "));
    }
    rheo_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),           cmocka_unit_test(test_spikes_are_numbers),
        cmocka_unit_test(test_instruction_sets), cmocka_unit_test(test_ties),
        cmocka_unit_test(test_winners),          cmocka_unit_test(test_gradients_of_winners),
        cmocka_unit_test(test_shapes),           cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
