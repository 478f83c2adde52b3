/* test_layers_count.c: the work that each layer says it does, against counting by hand. */
#include "layer_rig.h"

static const struct {
    rig_case what;
    rheo_counts expected; /* over all steps and samples; of set bits: `spikes` in synops means
                             times that many */
    uint64_t fan_out;
} rows[] = {
    {{.label = "static",
      .layer = "dense",
      .options = "out=10",
      .N = 30,
      .T = 4,
      .B = 3,
      .input = STATIC_REALS},
     {.macs = 3 * 300, .bytes = 3 * 300 * 4},
     0},
    {{.label = "moving", .layer = "dense", .options = "out=10", .N = 30, .T = 4, .B = 3},
     {.macs = 4 * 3 * 300, .bytes = 4 * 3 * 300 * 4},
     0},
    {{.label = "signs",
      .layer = "dense",
      .options = "out=10 weights=binary",
      .N = 32,
      .T = 4,
      .B = 3,
      .input = SIGNS,
      .level = 0.5},
     {.acs = 4 * 3 * 320, .bytes = 4 * 3 * 40},
     0},
    {{.label = "spikes",
      .layer = "dense",
      .options = "out=10",
      .N = 30,
      .T = 4,
      .B = 3,
      .input = SPIKES,
      .level = 0.3},
     {0},
     10},
    {{.label = "lateral",
      .layer = "lateral",
      .N = 30,
      .T = 4,
      .B = 3,
      .input = SPIKES,
      .level = 0.3},
     {0},
     29},
    {{.label = "one",
      .layer = "one-to-one",
      .N = 30,
      .T = 4,
      .B = 3,
      .input = SPIKES,
      .level = 0.3},
     {0},
     1},
    {{.label = "dropout", .layer = "dropout", .N = 30, .T = 4, .B = 3, .train = true},
     {.draws = 90},
     0},
    {{.label = "norm", .layer = "norm", .N = 30, .T = 4, .B = 3},
     {.macs = 360, .bytes = 360 * 8},
     0},
    {{.label = "relu",
      .layer = "neuron",
      .model = "relu",
      .N = 30,
      .T = 4,
      .B = 3,
      .input = STATIC_REALS},
     {.updates = 90},
     0},
};

static void test_counts(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rig r;
        rig_make(&r, ctx, &rows[i].what, 0);
        rig_forward(&r);
        rheo_counts sum = {0}, expected = rows[i].expected;
        uint64_t set = 0;
        for (uint32_t t = 0; t < 4; t++)
            for (uint32_t b = 0; b < 3; b++) {
                r.node.layer->count(&r.work, t, b, b + 1, &sum);
                for (uint32_t n = 0; n < r.what.N && rows[i].fan_out; n++)
                    set += rheo__signal_get(&r.in[0], t, b, n) > 0;
            }
        if (rows[i].fan_out) {
            assert_true(set > 20);
            expected.synops = expected.acs = set * rows[i].fan_out;
            expected.bytes = sum.bytes;
        }
        if (memcmp(&sum, &expected, sizeof sum) != 0)
            fail_msg("%s: synops %lu macs %lu acs %lu updates %lu draws %lu bytes %lu",
                     rows[i].what.label, sum.synops, sum.macs, sum.acs, sum.updates, sum.draws,
                     sum.bytes);
        rig_free(&r);
    }
    rheo_context_free(ctx);
}

/* A population: spikes as they are, updates every step. */
static void test_count_of_spikes(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    rig r;
    rig_make(&r, ctx,
             &(rig_case){.label = "lif",
                         .layer = "neuron",
                         .model = "lif",
                         .model_options = "detach=false beta=0.8",
                         .N = 70,
                         .T = 20,
                         .B = 2,
                         .level = 0.5},
             0);
    rig_forward(&r);
    rheo_counts sum = {0};
    uint64_t spikes = 0;
    for (uint32_t t = 0; t < 20; t++) {
        r.node.layer->count(&r.work, t, 0, 2, &sum);
        for (uint32_t b = 0; b < 2; b++)
            for (uint32_t n = 0; n < 70; n++) spikes += rheo__signal_get(&r.work.out, t, b, n) > 0;
    }
    assert_true(spikes > 50);
    assert_int_equal(sum.spikes, spikes);
    assert_int_equal(sum.updates, 20 * 2 * 70);
    rig_free(&r);
    rheo_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_count_of_spikes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
