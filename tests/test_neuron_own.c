/* test_neuron_own.c: options of neurons that are parameters of the net: their gradient in the
 * engine against the double reference, and there against differences; drawn and listed values;
 * dialects; neurons that inhibit each other; random draws. */
#include "check.h"
#include "exec/reference.h"
#include "nets.h"
#include "neuron/dialect.h"
#include <math.h>

enum { T = 9, B = 3, IN = 6, OUT = 4, MID = 70 };

static rheo_context *ctx;
static size_t held; /* by the context itself */

typedef struct bench {
    rheo_net *net;
    float *x, *gout, *gv;
    double *xd, *god, *gvd;
    uint32_t id[B];
} bench;

static double *doubles(const float *x, size_t count)
{
    double *d = room(count, sizeof *d);
    for (size_t i = 0; i < count; i++) d[i] = (double)x[i];
    return d;
}

static void open_bench(bench *b, const char *net, const char *neuron, rheo_shape in)
{
    const size_t inputs = rheo__shape_size(in) ? rheo__shape_size(in) : in.dim[0];
    b->net = net_of(ctx, &(net_text){.net = net, .neuron = neuron, .in = in, .classes = OUT});
    const size_t outputs = rheo_net_outputs(b->net);
    b->x = numbers(3, 1.5f, T * B * inputs);
    b->gout = numbers(4, 1, T * B * outputs);
    b->gv = numbers(5, 1, T * B * outputs);
    for (size_t i = 0; i < T * B * outputs; i++) b->gout[i] -= 0.5f, b->gv[i] -= 0.4f;
    b->xd = doubles(b->x, T * B * inputs);
    b->god = doubles(b->gout, T * B * outputs);
    b->gvd = doubles(b->gv, T * B * outputs);
    for (uint32_t i = 0; i < B; i++) b->id[i] = i;
    for (uint32_t p = 0; p < b->net->params; p++) /* busy weights */
        if (!strcmp(b->net->param[p].name, "weight"))
            for (uint32_t i = 0; i < b->net->param[p].rows * b->net->param[p].cols; i++)
                b->net->param[p].value[i] = 1.6f * b->net->param[p].value[i] + 0.05f;
}

static void close_bench(bench *b)
{
    free(b->x), free(b->gout), free(b->gv), free(b->xd), free(b->god), free(b->gvd);
    rheo_net_free(b->net);
}

static rheo_reference *reference_of(const bench *b, bool smooth)
{
    rheo_reference *r = NULL;
    rheo_reference_options options = {
        .T = T, .B = B, .train = true, .smooth = smooth, .seed = b->net->seed, .sample = b->id};
    options.show = 1;
    CHECK_OK(ctx, rheo__reference_new(b->net, &options, &r));
    return r;
}

static double loss(const bench *b, rheo_reference *r)
{
    const size_t count = T * B * (size_t)rheo_net_outputs(b->net);
    double sum = 0;
    rheo__reference_forward(r, b->xd);
    for (size_t i = 0; i < count; i++)
        sum += b->god[i] * rheo__reference_out(r)[i] + b->gvd[i] * rheo__reference_readout(r)[i];
    return sum;
}

/* The reference's gradient against differences, for every value of every parameter of a neuron. */
static void check_smooth(const bench *b, const char *what)
{
    rheo_reference *r = reference_of(b, true);
    (void)loss(b, r);
    rheo__reference_backward(r, b->god, b->gvd, NULL);
    for (uint32_t p = 0; p < b->net->params; p++) {
        const rheo_param *param = &b->net->param[p];
        const uint32_t count = param->rows * param->cols;
        const double *grad = rheo__reference_grad(r, p);
        double *w = rheo__reference_param(r, p), size = 0;
        if (!param->trained) continue;
        for (uint32_t i = 0; i < count; i++) size = fmax(size, fabs(grad[i]));
        if (!(size > 1e-4)) fail_msg("%s: %s has no gradient", what, param->name);
        for (uint32_t i = 0; i < count; i += 1 + count / 7) {
            const double kept = w[i], h = 1e-4;
            double side[2];
            for (int s = 0; s < 2; s++) {
                w[i] = kept + (s ? h : -h);
                side[s] = loss(b, r);
            }
            w[i] = kept;
            const double want = (side[1] - side[0]) / (2 * h);
            if (!(fabs(want - grad[i]) <= 1e-5 * size))
                fail_msg("%s: %s.%s[%u] %.9g, differences %.9g", what, param->node, param->name, i,
                         grad[i], want);
        }
    }
    rheo__reference_free(r);
}

static float *grad_of(const rheo_plan *plan, const rheo_param *param)
{
    for (uint32_t n = 0; n < plan->net->nodes; n++)
        for (uint32_t i = 0; i < plan->net->node[n].params; i++)
            if (plan->net->node[n].param[i] == param) return plan->work[n].grad[i];
    return NULL;
}

static void run_plan(const bench *b, rheo_plan *plan)
{
    rheo__plan_batch(plan, B, b->id, 1);
    feed(plan, b->x);
    rheo__plan_forward(plan);
    const uint32_t out = b->net->output, C = rheo_net_outputs(b->net);
    for (uint32_t t = 0; t < T; t++)
        for (uint32_t s = 0; s < B; s++)
            for (uint32_t i = 0; i < C; i++) {
                const size_t at = ((size_t)t * B + s) * C + i;
                rheo__real_row(&plan->gradient[out], t, s)[i] = b->gout[at];
                rheo__real_row(&plan->greadout, t, s)[i] = b->gv[at];
            }
    rheo__plan_backward(plan);
}

static rheo_plan *plan_of(const bench *b, uint32_t truncate, bool low)
{
    rheo_plan *plan = NULL;
    rheo_request request = {.T = T, .B = B, .train = true, .gradient = true, .readout = true};
    request.in_form = RHEO_REAL;
    request.truncate = truncate;
    request.low_memory = low;
    CHECK_OK(ctx, rheo__plan_new(b->net, &request, &plan));
    return plan;
}

/* The engine against the reference with its hard spikes: spikes equal, gradients to 1e-4. */
static void check_engine(const bench *b, const char *what)
{
    rheo_reference *r = reference_of(b, false);
    rheo_plan *plan = plan_of(b, 0, false);
    (void)loss(b, r);
    rheo__reference_backward(r, b->god, b->gvd, NULL);
    run_plan(b, plan);
    for (uint32_t n = 1; n < b->net->nodes; n++) {
        const rheo_signal *out = &plan->work[n].out;
        const double *want = rheo__reference_node(r, n);
        if (out->form != RHEO_BITS) continue;
        for (uint32_t t = 0; t < T; t++)
            for (uint32_t s = 0; s < B; s++)
                for (uint32_t i = 0; i < out->N; i++)
                    if ((double)rheo__signal_get(out, t, s, i) != *want++)
                        fail_msg("%s: spike of %s[%u], step %u", what, b->net->node[n].name, i, t);
    }
    for (uint32_t p = 0; p < b->net->params; p++) {
        const rheo_param *param = &b->net->param[p];
        const double *want = rheo__reference_grad(r, p);
        const float *got = grad_of(plan, param);
        double size = 0;
        if (!param->trained) continue;
        for (uint32_t i = 0; i < param->rows * param->cols; i++) size = fmax(size, fabs(want[i]));
        for (uint32_t i = 0; i < param->rows * param->cols; i++)
            if (!(fabs((double)got[i] - want[i]) <= 1e-4 * size))
                fail_msg("%s: %s.%s[%u] %.9g, reference %.9g", what, param->node, param->name, i,
                         (double)got[i], want[i]);
    }
    rheo_plan_free(plan);
    rheo__reference_free(r);
}

static const char *const learned[] = {
    "{model: lif, learn: [beta, threshold], per: layer, detach: false}",
    "{model: lif, learn: [beta, threshold, reset_value], per: neuron, reset: value, when: same, "
    "reset_value: 0.1, detach: false}",
    "{model: lif, tau: 8, scaled: true, gain: 2, learn: [tau, gain, rest, start], per: channel, "
    "detach: false}",
    "{model: lif, beta: {from: 0.7, to: 0.95}, threshold: {from: 0.6, to: 0.9}, learn: beta, "
    "when: next-old, reset: zero, detach: false}",
    "{model: plif, gain: 2, learn: [w], detach: false}",
    "{model: klif, gain: 2, learn: [k, tau], tau: 3, decay: euler, per: neuron, scale_reset: true, "
    "detach: false}",
    "{model: glif, learn: [alpha, beta, gamma, w_tau, w_threshold, w_linear], alpha: {from: -1, "
    "to: "
    "1}}",
    "{model: glif, learn: [w_subtract, w_conduct], per: layer}",
    "{model: lapicque, R: 4, C: 1.2, learn: [R, C], detach: false}",
    "{model: if, learn: threshold, per: neuron, start: {from: 0.1, to: 0.4}, detach: false}",
    "{model: cuba-lif, order: decay-after, learn: [alpha, beta, threshold], per: neuron, alpha: "
    "0.5, "
    "detach: false}",
};

static void test_gradients(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof learned / sizeof *learned; i++) {
        bench b;
        open_bench(&b, "in-70-out", learned[i], (rheo_shape){{IN, 1, 1, 1}});
        check_smooth(&b, learned[i]);
        check_engine(&b, learned[i]);
        close_bench(&b);
    }
}

/* Spans and truncation change nothing in how the gradients of constants add up. */
static void test_spans(void **state)
{
    (void)state;
    bench b;
    open_bench(&b, "in-70-out", learned[1], (rheo_shape){{IN, 1, 1, 1}});
    rheo_plan *whole = plan_of(&b, 0, false), *low = plan_of(&b, 0, true);
    run_plan(&b, whole);
    run_plan(&b, low);
    for (uint32_t p = 0; p < b.net->params; p++) {
        const rheo_param *param = &b.net->param[p];
        if (param->trained)
            assert_memory_equal(grad_of(whole, param), grad_of(low, param),
                                param->rows * param->cols * sizeof(float));
    }
    rheo_plan_free(whole);
    rheo_plan_free(low);
    close_bench(&b);
}

/* What the net holds: names, sizes, values, bounds. */
static void test_values(void **state)
{
    (void)state;
    rheo_net *net = net_of(
        ctx, &(net_text){.net = "- dense: {name: d, out: 3}\n- neuron: {name: n, model: lif, beta: "
                                "[0.5, 0.25, 0.75], threshold: {from: 2, to: 3}, learn: [tau], "
                                "tau: 4}\n",
                         .in = {{5}},
                         .classes = 3});
    const rheo_param *beta = rheo__net_param(net, "n", "beta");
    const rheo_param *theta = rheo__net_param(net, "n", "threshold");
    const rheo_param *tau = rheo__net_param(net, "n", "tau");
    assert_true(beta && theta && tau);
    assert_true(beta->cols == 3 && theta->cols == 3 && tau->cols == 3);
    assert_true(beta->value[0] == 0.5f && beta->value[1] == 0.25f && beta->value[2] == 0.75f);
    for (int i = 0; i < 3; i++) assert_true(theta->value[i] >= 2 && theta->value[i] < 3);
    assert_true(theta->value[0] != theta->value[1]);
    assert_true(!beta->trained && !theta->trained && tau->trained);
    assert_true(tau->value[2] == 4 && tau->low == 1 && beta->low == 0 && beta->high == 1);
    rheo_net_free(net);
    net = net_of(ctx, &(net_text){.net = "- neuron: {name: n, learn: threshold, per: channel}\n",
                                  .in = {{2, 3, 4, 1}},
                                  .classes = 3});
    assert_int_equal(rheo__net_param(net, "n", "threshold")->cols, 2);
    rheo_net_free(net);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *neuron, *message;
    } cases[] = {
        {"{model: lif, learn: [bta]}", "did you mean beta"},
        {"{model: lif, learn: refractory}", "has no gradient"},
        {"{model: lif, per: row}", "expected layer, channel or neuron"},
        {"{model: lif, beta: {low: 0.1, to: 0.4}}", "unknown key 'low'"},
        {"{model: lif, beta: {from: 0.1}}", "'to' is missing"},
        {"{model: lif, beta: {from: 0.1, to: 1.5}}", "expected a number from 0 to 1"},
        {"{model: lif, beta: [0.1, 0.2]}", "lists 2 values, but node '1' has 70"},
        {"{model: lif, reset: [zero]}", "no number that neurons can have of their own"},
        {"{model: lif, slope: {from: 1, to: 2}}", "no number that neurons can have of their own"},
        {"{model: lif, dialect: snntorc}", "did you mean snntorch"},
        {"{model: lif, inhibition: perhaps}", "expected true or false"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rheo_net *net = NULL;
        const net_text text = {
            .net = "in-70-out", .neuron = cases[i].neuron, .in = {{IN}}, .classes = OUT};
        CHECK_FAILS(ctx, net_make(ctx, &text, &net),
                    strstr(cases[i].message, "lists") ? RHEO_SHAPE : RHEO_USAGE, cases[i].message);
    }
}

/* ---- dialects ---- */

static double option(const char *neuron, const char *name)
{
    rheo_net *net = net_of(ctx, &(net_text){.net = "2-3", .neuron = neuron, .in = {{2}}});
    const rheo_node_spec *node = &net->node[net->output];
    const int at = rheo__field_index(node->neuron->fields, name);
    assert_true(at >= 0);
    const double value = node->neuron_options.v[at];
    rheo_net_free(net);
    return value;
}

static void test_dialects(void **state)
{
    (void)state;
    enum { SUBTRACT, ZERO };
    enum { NEXT, SAME, NEXT_OLD };
    static const struct {
        const char *neuron, *name;
        double value;
    } cases[] = {
        {"{model: lif, dialect: snntorch}", "reset", SUBTRACT},
        {"{model: lif, dialect: snntorch}", "when", NEXT},
        {"{model: lif, dialect: snntorch, reset: zero}", "when", NEXT_OLD},
        {"{model: cuba-lif, dialect: snntorch, reset: zero}", "when", NEXT},
        {"{model: lif, dialect: snntorch, when: same}", "detach", 0},
        {"{model: lif, dialect: snntorch, when: same}", "again", 1},
        {"{model: lif, dialect: snntorch, when: same, detach: true}", "detach", 1},
        {"{model: lif, dialect: spikingjelly}", "test", 1},
        {"{model: lif, dialect: spikingjelly}", "reset", ZERO},
        {"{model: lif, dialect: spikingjelly}", "decay", 1},
        {"{model: lif, dialect: spikingjelly}", "tau", 2},
        {"{model: lif, dialect: spikingjelly, tau: 5}", "tau", 5},
        {"{model: lif, dialect: spikingjelly}", "slope", 4},
        {"{model: lif, dialect: spikingjelly, surrogate: atan}", "slope", 0},
        {"{model: cuba-lif, dialect: norse}", "order", 2},
        {"{model: cuba-lif, dialect: norse, order: membrane-first}", "detach", 1},
        {"{model: cuba-lif, dialect: sinabs}", "order", 1},
        {"{model: cuba-lif, dialect: rockpool}", "order", 1},
        {"{model: lif, dialect: lava}", "reset", ZERO},
        {"{model: lif, dialect: spyx}", "when", NEXT},
        {"{model: izhikevich, dialect: spikingjelly}", "step", 1},
        {"{model: izhikevich, dialect: norse}", "step", 2},
        {"{model: eif, dialect: norse}", "order", 1},
        {"{model: eif, dialect: norse}", "reset", 0},
        {"{model: eif, dialect: snntorch}", "reset", -68},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (option(cases[i].neuron, cases[i].name) != cases[i].value)
            fail_msg("%s: %s is %g", cases[i].neuron, cases[i].name,
                     option(cases[i].neuron, cases[i].name));
    for (const rheo_dialect *line = rheo__dialects; line->name; line++) { /* each is of use */
        bool holds = false;
        for (uint32_t m = 0; rheo__neuron_at(m); m++)
            holds = holds || rheo__dialect_holds(line, line->name, rheo__neuron_at(m));
        if (!holds) fail_msg("%s %s %s: no model", line->name, line->model, line->key);
    }
    for (uint32_t d = 0; rheo__dialect_names[d]; d++) /* all models can be read in each */
        for (uint32_t m = 0; rheo__neuron_at(m); m++) {
            char neuron[160];
            rheo_net *net = NULL;
            snprintf(neuron, sizeof neuron, "{model: %s, dialect: %s}", rheo__neuron_names[m],
                     rheo__dialect_names[d]);
            CHECK_OK(ctx, net_make(ctx,
                                   &(net_text){.net = "- neuron: {name: n}\n- output: n\n",
                                               .neuron = neuron,
                                               .in = {{2}},
                                               .dt = 0.05},
                                   &net));
            rheo_net_free(net);
        }
}

/* ---- inhibition ---- */

/* At most one spike a sample and step; its winner is the reference's; gradients are its too. */
static void test_inhibition(void **state)
{
    (void)state;
    static const char *const neurons[] = {
        "{model: lif, inhibition: true, threshold: 0.5}",
        "{model: lif, inhibition: true, learn: [beta, threshold], per: neuron, threshold: 0.4, "
        "when: "
        "same, detach: false}",
    };
    for (int i = 0; i < 2; i++) {
        bench b;
        open_bench(&b, "in-70-out", neurons[i], (rheo_shape){{IN, 1, 1, 1}});
        check_engine(&b, neurons[i]);
        rheo_plan *plan = plan_of(&b, 0, false);
        run_plan(&b, plan);
        uint32_t spikes = 0;
        for (uint32_t n = 1; n < b.net->nodes; n++) {
            const rheo_signal *out = &plan->work[n].out;
            for (uint32_t t = 0; t < T && out->form == RHEO_BITS; t++)
                for (uint32_t s = 0; s < B; s++) {
                    uint32_t here = 0;
                    for (uint32_t j = 0; j < out->N; j++)
                        here += rheo__signal_get(out, t, s, j) > 0;
                    assert_true(here <= 1);
                    spikes += here;
                }
        }
        assert_true(spikes > T * B / 2);
        rheo_plan_free(plan);
        close_bench(&b);
    }
}

/* A model that draws: the engine's spikes are the reference's. */
static void test_draws(void **state)
{
    (void)state;
    bench b;
    open_bench(&b, "in-70-out", "{model: escape}", (rheo_shape){{IN, 1, 1, 1}});
    check_engine(&b, "escape");
    close_bench(&b);
}

static int set_up(void **state)
{
    (void)state;
    ctx = check_context(2);
    held = rheo_memory_used(ctx).now;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_int_equal(rheo_memory_used(ctx).now, held);
    rheo_context_free(ctx);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gradients), cmocka_unit_test(test_spans),
        cmocka_unit_test(test_values),    cmocka_unit_test(test_refused),
        cmocka_unit_test(test_dialects),  cmocka_unit_test(test_inhibition),
        cmocka_unit_test(test_draws),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
