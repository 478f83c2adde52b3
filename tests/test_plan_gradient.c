/* test_plan_gradient.c: gradients through whole nets: one neuron in closed form, two paths in
 * closed form, every net against the double reference, and formulas in layers that fire. */
#include "exec/reference.h"
#include "plan_cases.h"
#include <stdio.h>

/* ---- one neuron, two steps ---- */

/* The arctan surrogate of slope 2: d = 1 / (1 + (pi x)^2). */
static double slope(double x)
{
    return 1 / (1 + M_PI * x * (M_PI * x));
}

typedef struct one {
    const char *neuron;
    bool zero, same, detach;
    double x[2];   /* the input's two steps; weight 1.25, bias 0.1, beta 0.5, threshold 1 */
    double spikes; /* expected, both steps */
} one;

/* p: membrane before this step's spike; with `same` it is reset at once, else in the next step.
 *   subtract next: p2 = beta p1 + i2 - s1        zero next: p2 = (beta p1 + i2)(1 - s1)
 *   subtract same: v1 = p1 - s1, p2 = beta v1 + i2   zero same: v1 = p1 (1 - s1)
 * Each derivative below is d/dw of its line, ds/dp = slope(p - 1), and 0 through resets that are
 * detached. */
static double by_hand(const one *c, const double gout[2], const double greadout[2], bool bias)
{
    const double beta = 0.5, w = 1.25, b = 0.1, let = c->detach ? 0 : 1;
    double v = 0, dv = 0, s = 0, ds = 0, sum = 0;
    for (int t = 0; t < 2; t++) {
        const double di = bias ? 1 : c->x[t], u = beta * v + w * c->x[t] + b, du = beta * dv + di;
        double p = u, dp = du;
        if (!c->same && c->zero) p = u * (1 - s), dp = du * (1 - s) - let * u * ds;
        if (!c->same && !c->zero) p = u - s, dp = du - let * ds;
        s = p > 1;
        ds = slope(p - 1) * dp;
        v = p, dv = dp;
        if (c->same && c->zero) v = p * (1 - s), dv = dp * (1 - s) - let * p * ds;
        if (c->same && !c->zero) v = p - s, dv = dp - let * ds;
        sum += gout[t] * ds + greadout[t] * dv;
    }
    return sum;
}

static void test_one_neuron(void **state)
{
    static const one cases[] = {
        {"reset: subtract, when: next, detach: true", false, false, true, {0.5, 0.6}, 1},
        {"reset: subtract, when: next, detach: true", false, false, true, {0.9, 0.95}, 1},
        {"reset: subtract, when: next, detach: false", false, false, false, {0.9, 0.95}, 1},
        {"reset: subtract, when: next, detach: false", false, false, false, {1.6, 0.95}, 2},
        {"reset: zero, when: next, detach: true", true, false, true, {0.9, 0.95}, 1},
        {"reset: zero, when: next, detach: false", true, false, false, {0.9, 0.95}, 1},
        {"reset: subtract, when: same, detach: true", false, true, true, {0.9, 0.95}, 2},
        {"reset: subtract, when: same, detach: false", false, true, false, {0.9, 0.95}, 2},
        {"reset: zero, when: same, detach: true", true, true, true, {0.9, 0.75}, 2},
        {"reset: zero, when: same, detach: false", true, true, false, {0.9, 0.75}, 2},
    };
    static const double gout[][2] = {{1, 0}, {0, 1}, {0, 0}, {0, 0}, {0.7, -1.3}};
    static const double greadout[][2] = {{0, 0}, {0, 0}, {1, 0}, {0, 1}, {2.1, 0.4}};
    (void)state;
    rheo_context *ctx = check_context(1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char neuron[128];
        float y[2], x[2] = {(float)cases[i].x[0], (float)cases[i].x[1]};
        snprintf(neuron, sizeof neuron, "{model: lif, beta: 0.5, surrogate: atan, %s}",
                 cases[i].neuron);
        rheo_net *net = net_of(ctx, &(net_text){.net = "1-1", .neuron = neuron, .in = {{1}}});
        rheo_plan *plan = NULL;
        *rheo_net_parameter(net, "1.weight", NULL, NULL) = 1.25f;
        *rheo_net_parameter(net, "1.bias", NULL, NULL) = 0.1f;
        rheo_net_touch(net);
        CHECK_OK(ctx, rheo_plan_new(
                          net, &(rheo_plan_options){.steps = 2, .batch = 1, .train = true}, &plan));
        CHECK_OK(ctx, rheo_forward(plan, x, y));
        CHECK_NEAR(y[0] + y[1], cases[i].spikes, 0);
        for (size_t g = 0; g < 5; g++) {
            const float go[2] = {(float)gout[g][0], (float)gout[g][1]};
            const float gr[2] = {(float)greadout[g][0], (float)greadout[g][1]};
            CHECK_OK(ctx, rheo_backward(plan, g == 2 || g == 3 ? NULL : go, g < 2 ? NULL : gr));
            /* a dozen roundings of numbers below 4 */
            CHECK_NEAR((double)*rheo_gradient(plan, "1.weight"),
                       by_hand(&cases[i], gout[g], greadout[g], false), 3e-6);
            CHECK_NEAR((double)*rheo_gradient(plan, "1.bias"),
                       by_hand(&cases[i], gout[g], greadout[g], true), 3e-6);
        }
        assert_null(rheo_gradient(plan, "2.weight"));
        assert_null(rheo_gradient(plan, "1.wait"));
        rheo_plan_free(plan);
        rheo_net_free(net);
    }
    rheo_context_free(ctx);
}

/* ---- one output that feeds two, and two that feed one ---- */

/* Linear units: y = (B + C) A x, so with g = dL/dy, summed over steps and samples,
 * dA = (B + C)^T g x^T and dB = dC = g (A x)^T. */
static void test_two_paths(void **state)
{
    enum { N = 3, H = 4, M = 2, T = 2, R = 5 };
    static const char *const param[] = {"a.weight", "b.weight", "c.weight"};
    (void)state;
    rheo_context *ctx = check_context(2);
    rheo_net *net = net_of(
        ctx,
        &(net_text){
            .net = "- dense: {name: a, out: 4, bias: false}\n- neuron: {name: p, model: identity}\n"
                   "- dense: {name: b, out: 2, bias: false}\n- neuron: {name: q, model: identity}\n"
                   "- dense: {name: c, out: 2, bias: false, from: p, to: q}\n",
            .in = {{N}}});
    rheo_plan *plan = NULL;
    float *x = numbers(1, 1, T * R * N), *g = numbers(2, 1, T * R * M), y[T * R * M];
    CHECK_OK(ctx, rheo_plan_new(net, &(rheo_plan_options){.steps = T, .batch = R, .train = true},
                                &plan));
    CHECK_OK(ctx, rheo_forward(plan, x, y));
    CHECK_OK(ctx, rheo_backward(plan, g, NULL));
    const float *w[3];
    double expected[3][H * M + H * N] = {{0}};
    for (int i = 0; i < 3; i++) w[i] = rheo_net_parameter(net, param[i], NULL, NULL);
    for (int r = 0; r < T * R; r++) {
        double h[H] = {0}, gh[H] = {0}, out[M] = {0};
        for (int i = 0; i < H * N; i++) h[i / N] += (double)w[0][i] * (double)x[r * N + i % N];
        for (int i = 0; i < M * H; i++) {
            const double both = (double)w[1][i] + (double)w[2][i], gy = (double)g[r * M + i / H];
            out[i / H] += both * h[i % H];
            gh[i % H] += both * gy;
            expected[1][i] += gy * h[i % H];
            expected[2][i] += gy * h[i % H];
        }
        for (int i = 0; i < H * N; i++) expected[0][i] += gh[i / N] * (double)x[r * N + i % N];
        for (int m = 0; m < M; m++) CHECK_NEAR((double)y[r * M + m], out[m], 1e-6);
    }
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < (k ? M * H : H * N); i++)
            CHECK_NEAR((double)rheo_gradient(plan, param[k])[i], expected[k][i], 1e-5);
    rheo_plan_free(plan);
    rheo_net_free(net);
    free(x), free(g);
    rheo_context_free(ctx);
}

/* ---- every net against the double reference ---- */

static double most(const double *b, size_t n)
{
    double largest = 1e-30;
    for (size_t i = 0; i < n; i++) largest = fmax(largest, fabs(b[i]));
    return largest;
}

static void near(const plan_case *c, const char *what, const float *a, const double *b, size_t n,
                 double tolerance)
{
    for (size_t i = 0; i < n; i++)
        if (!(fabs((double)a[i] - b[i]) <= tolerance))
            fail_msg("%s: %s[%zu] is %.9g, the reference's %.9g", c->label, what, i, (double)a[i],
                     b[i]);
}

static double *doubles(const float *x, size_t n)
{
    double *y = room(n, sizeof *y);
    for (size_t i = 0; i < n; i++) y[i] = (double)x[i];
    return y;
}

/* [T,B,N] from [B,N] when the input stands still */
static double *reference_input(const plan_case *c, const float *x, size_t row)
{
    double *y = room(c->T * row, sizeof *y);
    for (size_t i = 0; i < c->T * row; i++) y[i] = (double)x[c->fixed ? i % row : i];
    return y;
}

/* The net's largest gradient is the measure: a bias before a normalisation has none but rounding.
 */
static void compare_gradients(const plan_case *c, const rheo_plan *plan,
                              const rheo_reference *reference, double tolerance)
{
    double largest = 0;
    for (uint32_t pass = 0; pass < 2; pass++)
        for (uint32_t p = 0; p < plan->net->params; p++) {
            const rheo_param *param = &plan->net->param[p];
            const size_t size = (size_t)param->rows * param->cols;
            char path[64];
            snprintf(path, sizeof path, "%s.%s", param->node, param->name);
            const float *g = rheo_gradient(plan, path);
            if (!g) continue;
            if (pass == 0)
                largest = fmax(largest, most(rheo__reference_grad(reference, p), size));
            else
                near(c, path, g, rheo__reference_grad(reference, p), size, tolerance * largest);
        }
}

/* The signal of a sum's term holds the sum. */
static bool has_own_signal(const rheo_plan *plan, uint32_t n)
{
    if (plan->work[n].through) return false;
    for (uint32_t m = 0; m < plan->net->nodes; m++)
        if (m != n && plan->term[m] == plan->term[n]) return false;
    return true;
}

static void compare(rheo_context *ctx, const plan_case *c, uint32_t truncate)
{
    const uint32_t ids[] = {8, 1, 30, 2, 15, 6, 9};
    rheo_net *net = net_of(ctx, &c->net);
    rheo_plan *plan = NULL;
    rheo_reference *reference = NULL;
    rheo_request request = request_of(c, RHEO_REAL);
    request.truncate = truncate;
    const rheo_reference_options options = {.T = c->T,
                                            .B = c->B,
                                            .train = c->train,
                                            .seed = net->seed,
                                            .sample = ids,
                                            .show = 4,
                                            .truncate = truncate};
    const size_t count = (size_t)c->T * c->B * rheo_net_outputs(net);
    float *x = inputs_of(c), *gout = numbers(4, 1, count), *greadout = numbers(5, 1, count);
    double *in = reference_input(c, x, (size_t)c->B * rheo_net_inputs(net));
    double *go = doubles(gout, count), *gr = doubles(greadout, count);
    CHECK_OK(ctx,
             rheo__reference_new(net, &options, &reference)); /* before norm's statistics move */
    CHECK_OK(ctx, rheo__plan_new(net, &request, &plan));
    rheo__plan_batch(plan, c->B, ids, 4);
    feed(plan, x);
    rheo__plan_forward(plan);
    rheo__reference_forward(reference, in);
    /* a sum has at most 150 terms, a gradient T B; float32 rounds to 2^-24, partial sums reach some
     * times the largest result, and a layer passes its error on */
    const double tolerance = 16 * (150 + c->T * c->B) * 0x1p-24;
    for (uint32_t n = 1; n < net->nodes; n++) {
        const rheo_signal *s = &plan->work[n].out;
        const double *expected = rheo__reference_node(reference, n);
        const size_t size = (size_t)s->T * c->B * s->N;
        if (!has_own_signal(plan, n)) continue;
        float *out = taken(s, c->B); /* spikes are the same, or nothing is */
        near(c, net->node[n].name, out, expected, size,
             s->form == RHEO_BITS ? 0 : tolerance * most(expected, size));
        free(out);
    }
    float *v = taken(rheo__plan_readout(plan), c->B);
    const double *expected = rheo__reference_readout(reference);
    near(c, "readout", v, expected, count, tolerance * most(expected, count));
    CHECK_OK(ctx, rheo_backward(plan, gout, greadout));
    rheo__reference_backward(reference, go, gr, NULL);
    compare_gradients(c, plan, reference, tolerance);
    free(v), free(x), free(gout), free(greadout), free(in), free(go), free(gr);
    rheo_plan_free(plan);
    rheo__reference_free(reference);
    rheo_net_free(net);
}

static void test_reference(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(2);
    uint32_t compared = 0;
    for (size_t i = 0; i < PLAN_CASES; i++) {
        if (!plan_cases[i].gradient) continue;
        compare(ctx, &plan_cases[i], 0);
        compare(ctx, &plan_cases[i], 4);
        compare(ctx, &plan_cases[i], 1);
        compared++;
    }
    assert_int_equal(compared, 18);
    rheo_net *net = net_of(ctx, &(net_text){.net = COOK_NET("3", "low: 0"), .in = {{4}}});
    rheo_reference *reference = NULL;
    CHECK_FAILS(ctx,
                rheo__reference_new(net, &(rheo_reference_options){.T = 1, .B = 1}, &reference),
                RHEO_UNSUPPORTED, "double reference");
    assert_null(reference);
    rheo_net_free(net);
    rheo_context_free(ctx);
}

/* ---- layers that fire themselves take a user's own surrogate too ---- */

static void firing_gradient(rheo_context *ctx, const char *layer, const char *surrogate, float *g)
{
    enum { T = 6, B = 2, N = 4 };
    char text[256];
    snprintf(text, sizeof text,
             "- dense: {name: a, out: 4}\n- %s, surrogate: %s, slope: 3}\n- output: n\n", layer,
             surrogate);
    rheo_net *net = net_of(ctx, &(net_text){.net = text, .in = {{3}}});
    const rheo_plan_options options = {.steps = T, .batch = B, .train = true};
    rheo_plan *plan;
    CHECK_OK(ctx, rheo_plan_new(net, &options, &plan));
    float *x = numbers(1, 2, (size_t)T * B * 3), *gout = numbers(2, 1, (size_t)T * B * N);
    float y[T * B * N];
    CHECK_OK(ctx, rheo_forward(plan, x, y));
    CHECK_OK(ctx, rheo_backward(plan, gout, NULL));
    memcpy(g, rheo_gradient(plan, "a.weight"), 12 * sizeof *g);
    free(x), free(gout);
    rheo_plan_free(plan);
    rheo_net_free(net);
}

static void test_firing_layers(void **state)
{
    (void)state;
    static const char *const layers[] = {"parallel-spiking: {name: n, kind: sliding",
                                         "spiking-lstm: {name: n, out: 4, threshold: 0.05"};
    static const char *const wrong[][2] = {{"1/(1+abs(k*y))^2", "column 12: found 'y))^2'"},
                                           {"formula", "column 1: found 'formula'"},
                                           {"stochastic-spike", "draws random numbers"}};
    rheo_context *ctx = check_context(1);
    for (int i = 0; i < 2; i++) {
        float ours[12], own[12], other[12], size = 0;
        bool differs = false;
        firing_gradient(ctx, layers[i], "fast-sigmoid", ours);
        firing_gradient(ctx, layers[i], "1/(1+abs(k*x))^2", own);
        firing_gradient(ctx, layers[i], "1/(1+abs(2*k*x))^2", other);
        for (int j = 0; j < 12; j++) size = fmaxf(size, fabsf(ours[j]));
        for (int j = 0; j < 12; j++) {
            CHECK_NEAR(own[j], ours[j], 1e-6 * (double)size);
            differs = differs || fabsf(other[j] - ours[j]) > 1e-3f * size;
        }
        assert_true(differs);
        for (size_t w = 0; w < sizeof wrong / sizeof *wrong; w++) {
            char text[256];
            rheo_net *net = NULL;
            snprintf(text, sizeof text, "- %s, surrogate: %s}\n- output: n\n", layers[i],
                     wrong[w][0]);
            CHECK_FAILS(ctx, net_make(ctx, &(net_text){.net = text, .in = {{3}}}, &net), RHEO_USAGE,
                        wrong[w][1]);
        }
    }
    rheo_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_neuron),
        cmocka_unit_test(test_two_paths),
        cmocka_unit_test(test_reference),
        cmocka_unit_test(test_firing_layers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
