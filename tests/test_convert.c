/* test_convert.c: from analogue to spiking nets: weight normalisation against its definition, and
 * rates of spiking neurons against the units that they replace. */
#include "nets.h"
#include <stdio.h>

enum { N = 9, C = 4, TRAIN = 60 };

typedef struct bed {
    rheo_session session;
    rheo_phase phase;
    rheo_dataset *data;
} bed;

/* A relu net of three layers with biases, or as `net` says, with TRAIN random samples. */
static void make(bed *b, rheo_context *ctx, const char *net, uint32_t steps, double dt)
{
    const uint32_t shape[3] = {N, 1, 1};
    uint32_t label[TRAIN];
    float *x = numbers(5, 1, TRAIN * N);
    *b = (bed){0};
    for (uint32_t i = 0; i < TRAIN; i++) label[i] = i % C;
    CHECK_OK(ctx, rheo__data_make(ctx, "toy", shape, x, label, TRAIN, x, label, TRAIN, &b->data));
    b->session =
        (rheo_session){.ctx = ctx, .data = b->data, .batch = 16, .seed = 1, .now = &b->phase};
    b->session.code =
        (rheo_code){.encoder = rheo__encoder_find("constant"), .steps = steps, .dt = dt};
    b->session.code.options = rheo__field_defaults(b->session.code.encoder->fields);
    b->session.net = net_of(ctx, &(net_text){.net = net, .in = {{N}}, .dt = dt, .seed = 3});
    free(x);
}

static void unmake(bed *b)
{
    rheo_net_free(b->session.net);
    rheo__data_free(b->data);
}

static void phase(bed *b, const char *method, const char *options)
{
    rheo_context *ctx = b->session.ctx;
    rheo_doc *doc = NULL;
    b->phase = (rheo_phase){.learner = rheo__learner_find(method)};
    b->phase.options = rheo__field_defaults(b->phase.learner->fields);
    CHECK_OK(ctx, rheo__yaml_parse(ctx, "test", options, strlen(options), &doc));
    CHECK_OK(ctx, rheo__doc_options(ctx, doc, b->phase.learner->fields, NULL, "test", "test",
                                    &b->phase.options));
    rheo__doc_free(ctx, doc);
    CHECK_OK(ctx, b->phase.learner->edit(&b->session));
    CHECK_OK(ctx, b->phase.learner->apply(&b->session));
}

/* Output of a node over the training set: [T,TRAIN,n]; the caller's to free. */
static float *outputs(bed *b, const char *name, uint32_t T)
{
    rheo_net *net = b->session.net;
    rheo_plan *plan = NULL;
    float *x = numbers(5, 1, TRAIN * N);
    CHECK_OK(net->ctx,
             rheo__plan_new(
                 net, &(rheo_request){.T = T, .B = TRAIN, .in_form = RHEO_REAL, .in_fixed = true},
                 &plan));
    feed(plan, x);
    rheo__plan_forward(plan);
    float *y = taken(&plan->work[net_node(net, name, "neuron")].out, TRAIN);
    rheo_plan_free(plan);
    free(x);
    return y;
}

static float most(const float *x, size_t n)
{
    float largest = 0;
    for (size_t i = 0; i < n; i++) largest = fmaxf(largest, x[i]);
    return largest;
}

#define RELU_NET(bias)                                                                             \
    "- dense: {out: 30, initialise: he, bias: " bias "}\n- neuron: {model: relu}\n"                \
    "- dense: {out: 20, initialise: he, bias: " bias "}\n- neuron: {model: relu}\n"                \
    "- dense: {out: 16, initialise: he, bias: " bias "}\n- neuron: {model: relu}\n"                \
    "- dense: {out: 4, initialise: he, bias: " bias "}\n- neuron: {model: identity}\n"
static const uint32_t widths[] = {30, 20, 16, 4};
static const char *const names[] = {"1", "2", "3", "4"};

/* Biases that matter, some of both signs. */
static void add_biases(rheo_net *net)
{
    for (int l = 0; l < 4; l++) {
        float *bias = rheo__net_param(net, names[l], "bias")->value;
        for (uint32_t i = 0; i < widths[l]; i++) bias[i] = draw_at(50 + (uint32_t)l, i) - 0.4f;
    }
    rheo_net_touch(net);
}

/* Both ways of scaling leave the function as it was up to one positive factor, and bound the
 * activations of the training set: by data, each layer's largest is 1. */
static void test_same_function(void **state)
{
    static const char *const by[] = {"{by: data}", "{by: model}", "{by: released}", "{by: none}"};
    (void)state;
    rheo_context *ctx = check_context(2);
    for (int k = 0; k < 4; k++) {
        bed b;
        make(&b, ctx, RELU_NET("true"), 10, 1);
        add_biases(b.session.net);
        float *before = outputs(&b, "4", 1);
        phase(&b, "normalise", by[k]);
        float *after = outputs(&b, "4", 1);
        const double factor = (double)most(after, TRAIN * C) / (double)most(before, TRAIN * C);
        assert_true(factor > 0 && (k == 3 || fabs(factor - 1) > 0.05));
        for (int i = 0; i < TRAIN * C; i++) /* 30 terms, three layers, 24 bits */
            CHECK_NEAR((double)after[i], factor * (double)before[i],
                       1e-5 * factor * (double)most(before, TRAIN * C));
        for (int l = 0; l < 4 && k < 2; l++) {
            float *y = outputs(&b, names[l], 1);
            const float largest = most(y, TRAIN * widths[l]);
            if (k == 0) CHECK_NEAR((double)largest, 1, 2e-6);
            assert_true(largest <= 1.000002f);
            free(y);
        }
        free(before), free(after);
        unmake(&b);
    }
    rheo_context_free(ctx);
}

/* By the model: the positive weights of each unit add up to 1 at most, of one unit to 1. */
static void test_model_bound(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    bed b;
    make(&b, ctx, RELU_NET("false"), 10, 1);
    phase(&b, "normalise", "{by: model}");
    for (int l = 0; l < 4; l++) {
        const rheo_param *w = rheo__net_param(b.session.net, names[l], "weight");
        double largest = 0;
        for (uint32_t r = 0; r < w->rows; r++) {
            double sum = 0;
            for (uint32_t c = 0; c < w->cols; c++)
                sum += fmax(0, (double)w->value[r * w->cols + c]);
            largest = fmax(largest, sum);
        }
        CHECK_NEAR(largest, 1, 1e-6);
    }
    unmake(&b);
    rheo_context_free(ctx);
}

/* lambda: the largest activation of a layer, m: its largest weight. The rule divides W_l by
 * lambda_l / lambda_(l-1); the released code by f_l = max(lambda_l, m_l) / f_(l-1), which is the
 * same in layers 1 and 2 where lambda is above m, and another from layer 3 on. */
static void test_released(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(2);
    bed b, data, released;
    make(&b, ctx, RELU_NET("false"), 10, 1);
    make(&data, ctx, RELU_NET("false"), 10, 1);
    make(&released, ctx, RELU_NET("false"), 10, 1);
    phase(&data, "normalise", "{by: data}");
    phase(&released, "normalise", "{by: released}");
    double lambda = 1, factor = 1;
    for (int l = 0; l < 4; l++) {
        const rheo_param *w = rheo__net_param(b.session.net, names[l], "weight");
        float *y = outputs(&b, names[l], 1);
        const double now = (double)most(y, TRAIN * widths[l]),
                     m = (double)most(w->value, (size_t)w->rows * w->cols);
        assert_true(now > m);
        const double rule = now / lambda, code = now / factor;
        lambda = now, factor = code;
        const float *a = rheo__net_param(data.session.net, names[l], "weight")->value;
        const float *c = rheo__net_param(released.session.net, names[l], "weight")->value;
        for (uint32_t i = 0; i < w->rows * w->cols; i++) {
            CHECK_NEAR((double)a[i], (double)w->value[i] / rule, 1e-5);
            CHECK_NEAR((double)c[i], (double)w->value[i] / code, 1e-5);
        }
        assert_true((fabs(rule / code - 1) > 0.01) == (l >= 2));
        free(y);
    }
    unmake(&b), unmake(&data), unmake(&released);
    rheo_context_free(ctx);
}

/* Of the activations above 0, this share lies below what becomes 1. */
static void test_percentile(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(3);
    for (double percentile = 70; percentile < 100; percentile += 20) {
        char options[64];
        bed b;
        make(&b, ctx, RELU_NET("false"), 10, 1);
        snprintf(options, sizeof options, "{by: data, percentile: %g}", percentile);
        phase(&b, "normalise", options);
        for (int l = 0; l < 4; l++) {
            float *y = outputs(&b, names[l], 1);
            double below = 0, all = 0;
            for (uint32_t i = 0; i < TRAIN * widths[l]; i++)
                below += y[i] > 0 && y[i] <= 1, all += y[i] > 0;
            /* a bin of 1/4096 of the largest holds a few of these hundreds */
            CHECK_NEAR(100 * below / all, percentile, 100 * 3 / all);
            free(y);
        }
        unmake(&b);
    }
    rheo_context_free(ctx);
}

/* ---- rates ---- */

/* One layer of IF neurons with reset by subtraction under constant input: floor((a T) / 1) spikes,
 * so the rate is the rectified activation to within 1/T. The input moves by layers, so only the
 * first is exact. */
static void test_if_rates(void **state)
{
    enum { T = 200 };
    (void)state;
    rheo_context *ctx = check_context(2);
    bed b;
    make(&b, ctx,
         "- dense: {out: 30, initialise: he}\n- neuron: {model: relu}\n- dense: {out: 4}\n- "
         "neuron: {model: relu}\n",
         T, 1);
    phase(&b, "normalise", "{by: data}");
    float *unit = outputs(&b, "1", 1), *last = outputs(&b, "2", 1);
    phase(&b, "spike", "{model: if, reset: subtract}");
    float *spikes = outputs(&b, "1", T), *later = outputs(&b, "2", T);
    double seen = 0, error = 0;
    for (int i = 0; i < TRAIN * 30; i++) {
        double rate = 0;
        for (int t = 0; t < T; t++) rate += (double)spikes[t * TRAIN * 30 + i] / T;
        CHECK_NEAR(rate, (double)unit[i], 1.0 / T + 1e-6);
        seen = fmax(seen, rate);
    }
    assert_true(seen > 0.9);
    for (int i = 0; i < TRAIN * C; i++) { /* on the average the next layer follows, too */
        double rate = 0;
        for (int t = 0; t < T; t++) rate += (double)later[t * TRAIN * C + i] / T;
        error += fabs(rate - (double)last[i]) / (TRAIN * C);
    }
    assert_true(error < 0.03);
    free(unit), free(last), free(spikes), free(later);
    unmake(&b);
    rheo_context_free(ctx);
}

/* Reset to zero loses what lies above the threshold: never more spikes, and fewer somewhere. */
static void test_if_reset_to_zero(void **state)
{
    enum { T = 100 };
    static const char *const resets[] = {"{model: if, reset: subtract}",
                                         "{model: if, reset: zero}"};
    double spikes[2];
    (void)state;
    rheo_context *ctx = check_context(1);
    for (int k = 0; k < 2; k++) {
        bed b;
        make(&b, ctx, "- dense: {out: 30, initialise: he}\n- neuron: {model: relu}\n", T, 1);
        phase(&b, "normalise", "{by: data}");
        phase(&b, "spike", resets[k]);
        float *y = outputs(&b, "1", T);
        spikes[k] = total(y, (size_t)T * TRAIN * 30);
        free(y);
        unmake(&b);
    }
    assert_true(spikes[1] < 0.95 * spikes[0] && spikes[1] > 0.3 * spikes[0]);
    rheo_context_free(ctx);
}

/* Soft-LIF rates and those of the LIF neurons that take their place: to 2 % of the largest over
 * 1000 steps of 1 ms, where the input is 5 widths of the smoothed threshold above it (amplitude /
 * (tau_ref + tau_rc ln(1 + 1/0.1)) = 0.1); below that a real threshold gives fewer. The amplitude
 * is now in the output's weights: its mean is what the first weights make of the rates. */
static void test_softlif_rates(void **state)
{
    enum { T = 1000, H = 30 };
    static const char net[] = "- dense: {out: 30, initialise: he}\n"
                              "- neuron: {model: soft-lif, gain: 2, amplitude: 5, gamma: 0.02}\n"
                              "- dense: {out: 4}\n- neuron: {model: identity}\n";
    (void)state;
    rheo_context *ctx = check_context(2);
    bed b;
    float w[C * H];
    uint32_t high = 0;
    make(&b, ctx, net, T, 1);
    memcpy(w, rheo_net_parameter(b.session.net, "2.weight", NULL, NULL), sizeof w);
    float *unit = outputs(&b, "1", 1);
    phase(&b, "spike", "{model: lif-refractory, tau_syn: 0}");
    float *spikes = outputs(&b, "1", T), *out = outputs(&b, "2", T);
    const float *bias = rheo_net_parameter(b.session.net, "2.bias", NULL, NULL);
    const double largest = (double)most(unit, TRAIN * H);
    static double rate[TRAIN * H];
    for (int i = 0; i < TRAIN * H; i++) {
        rate[i] = 0;
        for (int t = 0; t < T; t++) rate[i] += 5 * (double)spikes[t * TRAIN * H + i] / T;
        if (unit[i] > 0.1f) {
            CHECK_NEAR(rate[i], (double)unit[i], 0.02 * largest);
            high++;
        }
        assert_true(rate[i] <= (double)unit[i] + 0.02 * largest);
    }
    assert_true(largest > 0.5 && high > 100);
    for (int i = 0; i < TRAIN * C; i++) {
        double mean = 0, expected = (double)bias[i % C];
        for (int t = 0; t < T; t++) mean += (double)out[t * TRAIN * C + i] / T;
        for (int h = 0; h < H; h++) expected += (double)w[i % C * H + h] * rate[i / C * H + h];
        CHECK_NEAR(mean, expected, 1e-4);
    }
    free(unit), free(spikes), free(out);
    unmake(&b);
    rheo_context_free(ctx);
}

/* ---- refusals ---- */

static void test_refused(void **state)
{
    static const struct {
        const char *net, *method, *options, *says;
        rheo_status status;
        bool apply;
    } cases[] = {
        {"- dense: {out: 4}\n- neuron: {model: lif}\n", "normalise", "{}",
         "must lead to relu units", RHEO_USAGE, false},
        {"- dense: {out: 4}\n- neuron: {model: identity}\n- dense: {out: 4}\n- neuron: {model: "
         "identity}\n",
         "normalise", "{}", "layer '1' must lead to relu", RHEO_USAGE, false},
        {"- dense: {out: 4}\n- neuron: {model: relu}\n", "fold", "{}", "no norm to fold",
         RHEO_USAGE, false},
        {"- norm: {}\n- dense: {out: 4}\n- neuron: {model: relu}\n", "fold", "{}",
         "does not follow weights", RHEO_USAGE, false},
        {"- dense: {out: 4, weights: binary}\n- norm: {}\n- neuron: {model: relu}\n", "fold", "{}",
         "which are made from others", RHEO_UNSUPPORTED, false},
        {"- dense: {out: 4}\n- neuron: {model: lif}\n", "spike", "{}", "no relu or soft-lif units",
         RHEO_USAGE, false},
        {"- dense: {out: 4}\n- neuron: {model: relu}\n", "spike", "{model: lif-refractory}",
         "relu units become if", RHEO_USAGE, false},
        {"- dense: {out: 4}\n- neuron: {model: soft-lif}\n", "spike", "{model: if}",
         "become lif-refractory", RHEO_USAGE, false},
        {"- dense: {out: 4, bias: false}\n- neuron: {model: relu}\n", "normalise", "{}",
         "never gives a positive value", RHEO_NUMERIC, true},
    };
    (void)state;
    rheo_context *ctx = check_context(1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bed b;
        rheo_doc *doc = NULL;
        make(&b, ctx, cases[i].net, 5, 1);
        b.phase = (rheo_phase){.learner = rheo__learner_find(cases[i].method)};
        b.phase.options = rheo__field_defaults(b.phase.learner->fields);
        CHECK_OK(ctx,
                 rheo__yaml_parse(ctx, "test", cases[i].options, strlen(cases[i].options), &doc));
        CHECK_OK(ctx, rheo__doc_options(ctx, doc, b.phase.learner->fields, NULL, "test", "test",
                                        &b.phase.options));
        rheo__doc_free(ctx, doc);
        if (cases[i].apply) {
            rheo_param *w = rheo__net_param(b.session.net, "1", "weight");
            for (uint32_t k = 0; k < w->rows * w->cols; k++) w->value[k] = -1;
            CHECK_OK(ctx, b.phase.learner->edit(&b.session));
        }
        CHECK_FAILS(ctx,
                    cases[i].apply ? b.phase.learner->apply(&b.session)
                                   : b.phase.learner->edit(&b.session),
                    cases[i].status, cases[i].says);
        unmake(&b);
    }
    rheo_context_free(ctx);
}

/* ---- folding: the same net, without the work of its norms ---- */

static void test_fold(void **state)
{
    enum { STEPS = 4 };
    rheo_context *ctx = check_context(2);
    bed b;
    (void)state;
    make(&b, ctx,
         "- dense: {out: 30, initialise: he}\n- norm: {}\n- neuron: {model: relu}\n"
         "- dense: {out: 20, initialise: he}\n- norm: {kind: tdbn, alpha: 0.5}\n"
         "- neuron: {model: relu}\n- dense: {out: 4}\n- neuron: {name: o, model: identity}\n",
         STEPS, 1);
    for (uint32_t p = 0; p < b.session.net->params; p++) { /* as after training */
        rheo_param *param = &b.session.net->param[p];
        float *x = numbers(50 + p, 1, param->cols);
        const bool norm = strstr("gamma beta mean variance", param->name) != NULL;
        for (uint32_t i = 0; i < param->cols && norm; i++) param->value[i] = 0.4f + x[i];
        free(x);
    }
    float *before = outputs(&b, "o", STEPS);
    phase(&b, "fold", "{}");
    float *after = outputs(&b, "o", STEPS);
    const size_t size = (size_t)TRAIN * 4;
    double largest = 0, worst = 0;
    for (size_t i = 0; i < size; i++) {
        largest = fmax(largest, fabs((double)before[i]));
        worst = fmax(worst, fabs((double)after[i] - (double)before[i]));
    }
    assert_true(largest > 0.1);
    if (!(worst <= 1e-6 * largest)) fail_msg("folding changes %.3g of %.3g", worst, largest);
    rheo_plan *plan = NULL;
    rheo_counts counts = {0};
    CHECK_OK(ctx, rheo__plan_new(b.session.net,
                                 &(rheo_request){.T = 1, .B = 1, .in_form = RHEO_REAL}, &plan));
    rheo__plan_count(plan, 0, 0, 1, &counts);
    assert_int_equal(counts.macs, N * 30 + 30 * 20 + 20 * 4);
    rheo_plan_free(plan);
    free(before), free(after);
    unmake(&b);
    rheo_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fold),
        cmocka_unit_test(test_same_function),
        cmocka_unit_test(test_model_bound),
        cmocka_unit_test(test_released),
        cmocka_unit_test(test_percentile),
        cmocka_unit_test(test_if_rates),
        cmocka_unit_test(test_if_reset_to_zero),
        cmocka_unit_test(test_softlif_rates),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
