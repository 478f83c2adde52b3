/* test_plan_recurrent.c: gradients through loops: finite differences of the smooth reference, one
 * neuron that drives itself in closed form with gradients cut every K steps, and low memory: the
 * same bits from a plan that keeps no more than its spikes. */
#include "exec/reference.h"
#include "plan_cases.h"
#include <stdio.h>

/* ---- finite differences ---- */

static double loss_of(rheo_reference *r, const double *x, const double *go, const double *gr,
                      size_t count)
{
    double sum = 0;
    rheo__reference_forward(r, x);
    for (size_t i = 0; i < count; i++)
        sum += go[i] * rheo__reference_out(r)[i] + gr[i] * rheo__reference_readout(r)[i];
    return sum;
}

static void test_differences(void **state)
{
    enum { T = 7, B = 2, IN = 5 };
    static const char *const nets[] = {
        "- dense: {name: a, out: 6}\n- neuron: {name: p, model: lif, threshold: 0.4, detach: "
        "false}\n"
        "- dense: {name: r, out: 6, to: p}\n- dense: {name: b, out: 3, from: p}\n"
        "- neuron: {name: q, model: lif, threshold: 0.4, detach: false}\n",
        "- dense: {name: a, out: 4}\n- neuron: {name: p, model: lif, reset: zero, detach: false}\n"
        "- lateral: {name: l, weight: -0.2, to: p}\n- one-to-one: {name: o, weight: 0.3, to: p, "
        "from: "
        "p}\n"
        "- dense: {name: b, out: 3, from: p}\n- neuron: {name: q, model: lif, detach: false}\n"
        "- dense: {name: back, out: 4, to: p}\n- output: q\n",
        "- dense: {name: a, out: 4}\n- neuron: {name: p, model: lif, detach: false}\n"
        "- dense: {name: skip, out: 3, from: input}\n- neuron: {name: q, model: lif, detach: "
        "false}\n"
        "- dense: {name: b, out: 3, from: p, to: q}\n- dense: {name: r, out: 3, from: q, to: q}\n"
        "- output: q\n",
    };
    (void)state;
    rheo_context *ctx = check_context(1);
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) {
        rheo_net *net = net_of(ctx, &(net_text){.net = nets[i], .in = {{IN}}});
        const rheo_reference_options options = {.T = T, .B = B, .smooth = true, .seed = 1};
        const size_t count = (size_t)T * B * rheo_net_outputs(net);
        rheo_reference *r = NULL;
        double x[T * B * IN], *go = room(count, sizeof *go), *gr = room(count, sizeof *gr);
        for (size_t k = 0; k < T * B * IN; k++) x[k] = 2 * (double)draw_at(1, (uint32_t)k);
        for (size_t k = 0; k < count; k++) go[k] = (double)draw_at(2, (uint32_t)k) - 0.5;
        for (size_t k = 0; k < count; k++) gr[k] = (double)draw_at(3, (uint32_t)k) - 0.5;
        CHECK_OK(ctx, rheo__reference_new(net, &options, &r));
        (void)loss_of(r, x, go, gr, count);
        rheo__reference_backward(r, go, gr, NULL);
        for (uint32_t p = 0; p < net->params; p++) {
            const size_t size = (size_t)net->param[p].rows * net->param[p].cols;
            double *w = rheo__reference_param(r, p);
            for (size_t k = 0; k < size; k++) {
                const double h = 1e-5, old = w[k], g = rheo__reference_grad(r, p)[k];
                w[k] = old + h;
                const double above = loss_of(r, x, go, gr, count);
                w[k] = old - h;
                const double below = loss_of(r, x, go, gr, count);
                w[k] = old;
                const double slope = (above - below) / (2 * h);
                if (!(fabs(g - slope) <= 1e-7 * (1 + fabs(slope))))
                    fail_msg("net %zu, %s.%s[%zu]: %.12g, differences %.12g", i, net->param[p].node,
                             net->param[p].name, k, g, slope);
            }
        }
        rheo__reference_free(r);
        rheo_net_free(net);
        free(go), free(gr);
    }
    rheo_context_free(ctx);
}

/* ---- one neuron that drives itself ---- */

/* p = beta v + w x + r s' - s' with s' the spike before, v = p, s = [p > 1], ds/dp = 1 / (1 + (pi
 * (p - 1))^2); the reset is detached. Forward in time, d/dw and d/dr, that begin anew at multiples
 * of K. */
static void by_hand(const double *x, uint32_t T, uint32_t K, double w, double r, double out[2])
{
    const double beta = 0.5;
    double v = 0, s = 0, dv[2] = {0}, ds[2] = {0};
    out[0] = out[1] = 0;
    for (uint32_t t = 0; t < T; t++) {
        for (int k = 0; k < 2 && K && t % K == 0; k++) dv[k] = ds[k] = 0;
        const double p = beta * v + w * x[t] + r * s - s;
        for (int k = 0; k < 2; k++) {
            const double dp = beta * dv[k] + (k ? s : x[t]) + r * ds[k];
            dv[k] = dp;
            ds[k] = dp / (1 + M_PI * (p - 1) * (M_PI * (p - 1)));
            out[k] += (1 + 0.1 * t) * ds[k] + (0.5 - 0.2 * t) * dv[k];
        }
        v = p;
        s = p > 1;
    }
}

static void test_one_neuron(void **state)
{
    enum { T = 9 };
    static const uint32_t cuts[] = {0, 1, 2, 3, 4, 9, 100};
    (void)state;
    rheo_context *ctx = check_context(1);
    for (uint32_t low = 0; low < 2; low++)
        for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
            rheo_net *net = net_of(
                ctx,
                &(net_text){.net = "- dense: {name: a, out: 1, bias: false}\n"
                                   "- neuron: {name: p, model: lif, beta: 0.5, surrogate: atan}\n"
                                   "- dense: {name: r, out: 1, bias: false, to: p}\n",
                            .in = {{1}}});
            const double w = (double)(*rheo_net_parameter(net, "a.weight", NULL, NULL) = 1.25f);
            const double r = (double)(*rheo_net_parameter(net, "r.weight", NULL, NULL) = 0.4f);
            rheo_plan *plan = NULL;
            const rheo_request request = {.T = T,
                                          .B = 1,
                                          .in_form = RHEO_REAL,
                                          .gradient = true,
                                          .readout = true,
                                          .truncate = cuts[i],
                                          .low_memory = low};
            float x[T], go[T], gr[T], spikes = 0;
            double in[T], expected[2];
            for (uint32_t t = 0; t < T; t++) {
                in[t] = (double)(x[t] = 0.3f + draw_at(11, t));
                go[t] = (float)(1 + 0.1 * t);
                gr[t] = (float)(0.5 - 0.2 * t);
            }
            CHECK_OK(ctx, rheo__plan_new(net, &request, &plan));
            rheo__plan_batch(plan, 1, NULL, 0);
            feed(plan, x);
            rheo__plan_forward(plan);
            for (uint32_t t = 0; t < T; t++)
                spikes += rheo__signal_get(rheo__plan_output(plan), t, 0, 0);
            assert_true(spikes > 2 && spikes < T - 1);
            CHECK_OK(ctx, rheo_backward(plan, go, gr));
            by_hand(in, T, cuts[i], w, r, expected);
            CHECK_NEAR((double)*rheo_gradient(plan, "a.weight"), expected[0], 1e-5);
            CHECK_NEAR((double)*rheo_gradient(plan, "r.weight"), expected[1], 1e-5);
            rheo_plan_free(plan);
            rheo_net_free(net);
        }
    rheo_context_free(ctx);
}

/* ---- low memory ---- */

/* Outputs and gradients, twice: a second pass back finds what the first left. */
static blob low_or_not(rheo_context *ctx, const plan_case *c, bool low, uint32_t truncate)
{
    rheo_net *net = net_of(ctx, &c->net);
    rheo_plan *plan = NULL;
    rheo_request request = request_of(c, c->level < 0 ? RHEO_BITS : RHEO_REAL);
    request.low_memory = low;
    request.truncate = truncate;
    blob all = {0};
    float *x = inputs_of(c);
    CHECK_OK(ctx, rheo__plan_new(net, &request, &plan));
    for (uint32_t show = 0; show < 2; show++) {
        rheo__plan_batch(plan, c->B, NULL, show);
        feed(plan, x);
        rheo__plan_forward(plan);
        blob_add_signal(&all, rheo__plan_output(plan), c->B);
        blob_add_signal(&all, rheo__plan_readout(plan), c->B);
        blob_add_gradients(&all, plan);
        blob_add_gradients(&all, plan);
    }
    rheo_plan_free(plan);
    rheo_net_free(net);
    free(x);
    return all;
}

static void test_low_memory(void **state)
{
    static const uint32_t steps[] = {31, 32, 33, 50, 100}, cuts[] = {0, 10, 48, 1, 40};
    (void)state;
    rheo_context *ctx = check_context(2);
    for (size_t i = 0; i < PLAN_CASES; i++)
        for (size_t t = 0; t < sizeof steps / sizeof *steps; t++) {
            plan_case c = plan_cases[i];
            if (!c.gradient || (net_precision == RHEO_BF16 && steps[t] != 50)) continue;
            c.T = steps[t];
            c.B = 3;
            const uint32_t cut = cuts[t % 5];
            blob whole = low_or_not(ctx, &c, false, cut), low = low_or_not(ctx, &c, true, cut);
            same_blobs(c.label, "low memory", whole, low);
            free(whole.x), free(low.x);
        }
    rheo_context_free(ctx);
}

static size_t bytes_of(rheo_context *ctx, const char *text, uint32_t T, bool low)
{
    rheo_net *net = net_of(ctx, &(net_text){.net = text, .in = {{640}}});
    const rheo_request request = {.T = T,
                                  .B = 16,
                                  .in_form = RHEO_BITS,
                                  .gradient = true,
                                  .readout = true,
                                  .low_memory = low};
    size_t bytes = 0;
    CHECK_OK(ctx, rheo__plan_measure(net, &request, &bytes));
    rheo_net_free(net);
    return bytes;
}

static uint32_t states_of(const char *name)
{
    uint32_t states = 0;
    while (rheo__neuron_find(name)->states[states].name) states++;
    return states;
}

/* What a step and a sample more cost: the bits of input and spikes, the states every RHEO_CHUNK
 * steps, and the last layer's read-out and the gradients of it and of the output, of 16 floats
 * each. Without low memory: 12 bytes a unit, for its input and the gradients of its input and
 * output; 8 where the ten outputs are asked for the latter. */
static void test_bytes(void **state)
{
    static const char net[] =
        "- dense: {out: 1024}\n- neuron: {model: lif}\n- dense: {out: 1024}\n"
        "- neuron: {model: lif}\n- dense: {out: 10}\n- neuron: {model: lif}\n";
    static const char loop[] = "- dense: {out: 1024}\n- neuron: {name: p, model: lif}\n"
                               "- dense: {name: r, out: 1024, to: p}\n"
                               "- dense: {out: 10, from: p}\n- neuron: {model: lif}\n";
    (void)state;
    rheo_context *ctx = check_context(1);
    for (int looped = 0; looped < 2; looped++) {
        const char *text = looped ? loop : net;
        const double units = looped ? 1024 : 2048, B = 16;
        double bytes[2][3];
        for (int low = 0; low < 2; low++)
            for (int i = 0; i < 3; i++) bytes[low][i] = (double)bytes_of(ctx, text, 50u << i, low);
        print_message("%s: T 50, 100, 200: %.2f %.2f %.2f MB, low %.2f %.2f %.2f MB\n",
                      looped ? "loop" : "chain", bytes[0][0] / 1e6, bytes[0][1] / 1e6,
                      bytes[0][2] / 1e6, bytes[1][0] / 1e6, bytes[1][1] / 1e6, bytes[1][2] / 1e6);
        const double bits = (640 + units + 64) / 8, output = 3 * 16 * 4;
        const double states = 4 * states_of("lif") * (units + 64) / RHEO_CHUNK;
        const double step = (bytes[1][2] - bytes[1][1]) / 100 / B;
        const double usual = (bytes[0][2] - bytes[0][1]) / 100 / B;
        assert_true(step < 1.05 * (bits + states + output));
        assert_true(usual > (looped ? 12 : 10) * units);
    }
    rheo_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_differences), cmocka_unit_test(test_one_neuron),
        cmocka_unit_test(test_low_memory),  NET_TEST_IN_BF16(test_low_memory),
        cmocka_unit_test(test_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
