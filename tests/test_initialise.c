/* test_initialise.c: first weights: ranges, moments, right angles, and the same whatever the
 * threads. */
#include "nets.h"

static const rheo_param *made(rheo_context *ctx, const char *dense, uint32_t in, rheo_net **net)
{
    char text[256];
    snprintf(text, sizeof text, "[{dense: {%s}}, {neuron: {model: identity}}]", dense);
    *net = net_of(ctx, &(net_text){.net = text, .in = {{in}}, .classes = 10});
    return rheo__net_param(*net, "1", "weight");
}

static const struct {
    const char *dense;
    uint32_t in;
    double bound; /* 0: normal */
    double mean, sd;
    bool bias;
} rows[] = {
    {"out: 300", 400, 0.05, 0, 0.05 / 1.7320508, true},
    {"out: 300, gain: 2", 400, 0.1, 0, 0.1 / 1.7320508, true},
    {"out: 200, initialise: glorot", 400, 0.1, 0, 0.1 / 1.7320508, false},
    {"out: 200, initialise: glorot-normal", 400, 0, 0, 0.0577350, false},
    {"out: 300, initialise: he", 400, 0, 0, 0.0707107, false},
    {"out: 300, initialise: he, gain: 0.5", 400, 0, 0, 0.0353553, false},
    {"out: 300, initialise: he-uniform", 600, 0.1, 0, 0.1 / 1.7320508, false},
    {"out: 300, initialise: normal, mean: 0.3, sd: 0.2", 400, 0, 0.3, 0.2, false},
    {"out: 300, initialise: uniform, low: 0.1, high: 0.5", 400, 0.5, 0.3, 0.4 / 3.4641016, false},
};

static void test_moments(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(2);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rheo_net *net = NULL;
        const rheo_param *w = made(ctx, rows[i].dense, rows[i].in, &net);
        const size_t n = (size_t)w->rows * w->cols;
        double sum = 0, squares = 0, most = 0;
        for (size_t k = 0; k < n; k++) {
            const double x = (double)w->value[k];
            sum += x;
            squares += (x - rows[i].mean) * (x - rows[i].mean);
            most = fmax(most, fabs(x));
        }
        /* five standard errors: of a mean sd/sqrt(n); of a deviation sd/sqrt(2n), or less */
        const double root = sqrt((double)n);
        CHECK_NEAR(sum / (double)n, rows[i].mean, 5 * rows[i].sd / root);
        CHECK_NEAR(sqrt(squares / (double)n), rows[i].sd, 5 * rows[i].sd / root);
        if (rows[i].bound > 0) {
            assert_true(most <= rows[i].bound * (1 + 1e-6));
            assert_true(most > rows[i].bound * 0.999); /* of 80,000 */
        } else
            assert_true(most > rows[i].mean + 3 * rows[i].sd);
        const rheo_param *bias = rheo__net_param(net, "1", "bias");
        double size = 0;
        for (uint32_t k = 0; k < bias->cols; k++) size += fabs((double)bias->value[k]);
        assert_int_equal(size > 0, rows[i].bias);
        rheo_net_free(net);
    }
    rheo_context_free(ctx);
}

/* Products of rows, or of columns where there are more rows. */
static void test_orthogonal(void **state)
{
    static const struct {
        uint32_t out, in;
        double gain;
    } shapes[] = {{60, 60, 1}, {30, 90, 1}, {300, 40, 1.5}, {1, 7, 1}, {7, 1, 2}, {513, 300, 1}};
    (void)state;
    rheo_context *ctx = check_context(1);
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        rheo_net *net = NULL;
        char text[96];
        snprintf(text, sizeof text, "out: %u, initialise: orthogonal, gain: %g", shapes[i].out,
                 shapes[i].gain);
        const rheo_param *w = made(ctx, text, shapes[i].in, &net);
        const bool tall = w->rows > w->cols;
        const size_t count = tall ? w->cols : w->rows, length = tall ? w->rows : w->cols;
        const size_t apart = tall ? 1 : w->cols, along = tall ? w->cols : 1;
        for (size_t a = 0; a < count; a++)
            for (size_t b = a; b < count; b++) {
                double dot = 0;
                for (size_t k = 0; k < length; k++)
                    dot += (double)w->value[a * apart + k * along] *
                           (double)w->value[b * apart + k * along];
                /* `length` products of rounded numbers of size 1/sqrt(length) */
                CHECK_NEAR(dot / (shapes[i].gain * shapes[i].gain), a == b, 2e-6);
            }
        rheo_net_free(net);
    }
    rheo_context_free(ctx);
}

/* Another seed, another node: other numbers; the same: the same. */
static void test_draws(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    const char *text = "[{dense: {out: 20, initialise: orthogonal}}, {neuron: {model: identity}}, "
                       "{dense: {out: 20, initialise: orthogonal}}, {neuron: {model: identity}}]";
    rheo_net *net[3];
    for (uint64_t k = 0; k < 3; k++)
        net[k] = net_of(
            ctx, &(net_text){.net = text, .in = {{20}}, .classes = 10, .seed = k == 2 ? 9 : 1});
    const float *first = rheo__net_param(net[0], "1", "weight")->value;
    const size_t bytes = 400 * sizeof *first;
    assert_memory_equal(first, rheo__net_param(net[1], "1", "weight")->value, bytes);
    assert_memory_not_equal(first, rheo__net_param(net[2], "1", "weight")->value, bytes);
    assert_memory_not_equal(first, rheo__net_param(net[0], "2", "weight")->value, bytes);
    for (uint32_t k = 0; k < 3; k++) rheo_net_free(net[k]);
    rheo_net *none = NULL;
    CHECK_FAILS(ctx,
                net_make(ctx,
                         &(net_text){.net = "[{dense: {out: 2, low: 1, high: 0}}, "
                                            "{neuron: {model: identity}}]",
                                     .in = {{4}},
                                     .classes = 2},
                         &none),
                RHEO_USAGE, "low <= high");
    rheo_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_moments),
                                       cmocka_unit_test(test_orthogonal),
                                       cmocka_unit_test(test_draws)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
