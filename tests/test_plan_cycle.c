/* test_plan_cycle.c: plans with loops: order, delays and learning against a simulation written by
 * hand; records; and requests that are refused. */
#include "nets.h"
#include <stdio.h>

/* ---- excitation, inhibition and back ---- */

enum { N = 30, OUT = 12, T = 400 };
#define DT 0.5

typedef struct neuron { /* conductance-lif, its page's equations, in double */
    double tau, rest, reset, threshold, refractory, inhibit, plus, loss;
    double v[OUT], ge[OUT], gi[OUT], theta[OUT], hold[OUT];
    double margin; /* least distance to the threshold */
} neuron;

static void step(neuron *p, const double *excite, const double *inhibit, bool learn, bool *spike)
{
    for (int j = 0; j < OUT; j++) {
        const double ge = p->ge[j] + excite[j], gi = p->gi[j] + inhibit[j], g = 1 + ge + gi;
        const double end = (p->rest + gi * p->inhibit) / g; /* excitation pulls to 0 mV */
        const double v = p->hold[j] > 0 ? p->v[j] : end + (p->v[j] - end) * exp(-DT / p->tau * g);
        const double above = v - p->threshold - p->theta[j];
        spike[j] = above > 0 && !(p->hold[j] > 0);
        if (!(p->hold[j] > 0)) p->margin = fmin(p->margin, fabs(above));
        p->hold[j] = spike[j] ? round(p->refractory / DT) : fmax(p->hold[j] - 1, 0);
        p->v[j] = spike[j] ? p->reset : v;
        p->ge[j] = ge * exp(-DT / 1.0);
        p->gi[j] = gi * exp(-DT / 2.0);
        if (learn) p->theta[j] += p->plus * spike[j] - p->loss * p->theta[j];
    }
}

typedef struct loop {
    int forth, back; /* delays of E to I and of I to E, in steps */
    int seen;        /* how late plasticity sees E */
    bool e[T][OUT], i[T][OUT];
    double w[N][OUT], margin;
} loop;

static double trace(const bool *spikes, size_t row, int t, double tau)
{
    for (int k = t; k >= 0; k--)
        if (spikes[(size_t)k * row]) return exp(-(t - k) * DT / tau);
    return 0;
}

/* Trace STDP with its defaults: pre spikes first, then the post spikes that are seen in this step.
 */
static void learn(loop *l, bool input[T][N], int t)
{
    bool post[T][OUT] = {{false}}; /* as plasticity sees them, up to this step */
    for (int k = l->seen; k <= t; k++) memcpy(post[k], l->e[k - l->seen], sizeof post[k]);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < OUT && input[t][i]; j++)
            l->w[i][j] = fmax(
                0, l->w[i][j] -
                       1e-4 * (t > 0 ? trace(&post[0][j], OUT, t - 1, 20) * exp(-DT / 20) : 0));
    for (int j = 0; j < OUT; j++)
        for (int i = 0; i < N && post[t][j]; i++)
            l->w[i][j] =
                fmin(1, l->w[i][j] +
                            0.01 * trace(&input[0][i], N, t, 20) *
                                (t > 0 ? trace(&post[0][j], OUT, t - 1, 40) * exp(-DT / 40) : 0));
}

static void simulate(loop *l, bool input[T][N], bool plastic)
{
    neuron e = {.tau = 100,
                .rest = -65,
                .reset = -65,
                .threshold = -72,
                .refractory = 5,
                .inhibit = -100,
                .plus = 0.05,
                .loss = 1 - exp(-DT / 1e7),
                .margin = 1e9};
    neuron i = {.tau = 10,
                .rest = -60,
                .reset = -45,
                .threshold = -40,
                .refractory = 2,
                .inhibit = -85,
                .margin = 1e9};
    for (int j = 0; j < OUT; j++) e.v[j] = -65, i.v[j] = -60, e.theta[j] = 20;
    for (int t = 0; t < T; t++) {
        double excite[OUT] = {0}, inhibit[OUT] = {0}, drive[OUT] = {0}, none[OUT] = {0};
        for (int k = 0; k < N; k++)
            for (int j = 0; j < OUT && input[t][k]; j++) excite[j] += l->w[k][j];
        if (plastic) learn(l, input, t);
        for (int k = 0; k < OUT && t >= l->back; k++)
            for (int j = 0; j < OUT; j++)
                if (j != k) inhibit[j] += 17 * l->i[t - l->back][k];
        step(&e, excite, inhibit, plastic, l->e[t]);
        for (int j = 0; j < OUT && t >= l->forth; j++) drive[j] = 10.4 * l->e[t - l->forth][j];
        step(&i, drive, none, false, l->i[t]);
    }
    l->margin = fmin(e.margin, i.margin);
}

static uint32_t differing(const bool *a, const rheo_signal *s)
{
    uint32_t count = 0;
    for (uint32_t t = 0; t < T; t++)
        for (uint32_t j = 0; j < OUT; j++)
            count += a[t * OUT + j] != (rheo__signal_get(s, t, 0, j) > 0);
    return count;
}

static void run_loop(bool plastic)
{
    static const struct {
        int forth, back, seen;
    } delays[] = {{0, 1, 1}, {1, 1, 1}, {0, 2, 1}, {0, 1, 0}};
    rheo_context *ctx = check_context(2);
    rheo_net *net = net_of(
        ctx, &(net_text){.net = "- plastic: {name: XE, out: 12, low: 0.2, high: 0.9}\n"
                                "- neuron: {name: E, model: conductance-lif}\n"
                                "- one-to-one: {name: EI, weight: 10.4}\n"
                                "- neuron: {name: I, model: conductance-lif, tau: 10, rest: -60,\n"
                                "           reset: -45, threshold: -40, refractory: 2,\n"
                                "           reversal_inhibit: -85, adaptive: false}\n"
                                "- lateral: {name: IE, weight: 17, to: E, port: inhibit}\n"
                                "- output: E\n",
                         .in = {{N}},
                         .dt = DT});
    const rheo_request request = {.T = T, .B = 1, .in_form = RHEO_BITS, .learn = plastic};
    rheo_plan *plan = NULL;
    float *x = numbers(11, -0.12f, T * N);
    static bool input[T][N];
    for (int i = 0; i < T * N; i++) input[i / N][i % N] = x[i] > 0;
    float first[N * OUT];
    memcpy(first, rheo_net_parameter(net, "XE.weight", NULL, NULL), sizeof first);
    CHECK_OK(ctx, rheo__plan_new(net, &request, &plan));
    feed(plan, x);
    rheo__plan_forward(plan);
    const rheo_signal *e = &plan->work[net_node(net, "E", "neuron")].out;
    const rheo_signal *inhibitory = &plan->work[net_node(net, "I", "neuron")].out;
    for (size_t d = 0; d < sizeof delays / sizeof *delays; d++) {
        static loop l;
        double off = 0, moved = 0;
        l = (loop){.forth = delays[d].forth, .back = delays[d].back, .seen = delays[d].seen};
        for (int k = 0; k < N * OUT; k++) l.w[k / OUT][k % OUT] = (double)first[k];
        simulate(&l, input, plastic);
        const uint32_t wrong = differing(&l.e[0][0], e) + differing(&l.i[0][0], inhibitory);
        const float *w = rheo_net_parameter(net, "XE.weight", NULL, NULL);
        for (int k = 0; k < N * OUT; k++) {
            off = fmax(off, fabs((double)w[k] - l.w[k / OUT][k % OUT]));
            moved = fmax(moved, fabs((double)(w[k] - first[k])));
        }
        if (d == 0) { /* float32 errs by some 1e-5 mV over this time; no spike hangs on it */
            uint64_t spikes = 0;
            for (uint32_t t = 0; t < T; t++) spikes += rheo__signal_popcount(e, t, 0, 1);
            if (spikes <= 30) fail_msg("%d spikes", (int)spikes);
            assert_true(l.margin > 1e-4);
            assert_int_equal(wrong, 0);
            CHECK_NEAR(off, 0, plastic ? 1e-5 : 0);
            assert_true(plastic ? moved > 0.01 : !(moved > 0));
        } else if (d < 3 || plastic) /* other delays are seen */
            assert_true(wrong > 0 || off > 1e-4);
    }
    rheo_plan_free(plan);
    rheo_net_free(net);
    free(x);
    rheo_context_free(ctx);
}

static void test_loop(void **state)
{
    (void)state;
    run_loop(false);
}

static void test_loop_learns(void **state)
{
    (void)state;
    run_loop(true);
}

static void test_stages(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    rheo_net *net = net_of(
        ctx, &(net_text){.net = "- dense: {name: before, out: 6}\n"
                                "- neuron: {name: p, model: lif}\n" COOK_NET(
                                    "4", "low: 0") "- dense: {name: after, out: 3, from: E}\n"
                                                   "- neuron: {name: q, model: lif}\n",
                         .in = {{5}}});
    rheo_plan *plan = NULL;
    CHECK_OK(ctx,
             rheo__plan_new(net, &(rheo_request){.T = 2, .B = 1, .in_form = RHEO_REAL}, &plan));
    /* input, before, p, (XE E EI I IE), after, q */
    static const uint16_t order[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    assert_int_equal(plan->stages, 6);
    assert_memory_equal(plan->order, order, sizeof order);
    for (uint32_t s = 0; s < 6; s++) {
        assert_int_equal(plan->stage[s].cycle, s == 3);
        assert_int_equal(plan->stage[s].count, s == 3 ? 5 : 1);
    }
    for (uint32_t e = 0; e < net->edges; e++)
        assert_int_equal(plan->delayed[e], net->edge[e].from > net->edge[e].to);
    for (uint32_t n = 0; n < net->nodes; n++) assert_int_equal(plan->looped[n], n == 4 || n == 7);
    rheo_plan_free(plan);
    rheo_net_free(net);
    rheo_context_free(ctx);
}

/* ---- sums ---- */

/* Projections into one port add, whatever their order in `from`; y = (2 + 3 + 5) x. */
static void test_sums(void **state)
{
    static const char *const from[] = {"[a, b, c]", "[c, b, a]", "[b, c, a]"};
    (void)state;
    rheo_context *ctx = check_context(1);
    for (int i = 0; i < 3; i++)
        for (int fixed = 0; fixed < 2; fixed++) {
            char text[256];
            float x[2] = {1.5f, -0.25f}, y[6];
            snprintf(text, sizeof text,
                     "- one-to-one: {name: a, weight: 2}\n- one-to-one: {name: b, weight: 3, from: "
                     "input}\n"
                     "- one-to-one: {name: c, weight: 5, from: input}\n- neuron: {model: identity, "
                     "from: %s}\n",
                     from[i]);
            rheo_net *net = net_of(ctx, &(net_text){.net = text, .in = {{2}}});
            rheo_plan *plan = NULL;
            CHECK_OK(ctx,
                     rheo_plan_new(
                         net, &(rheo_plan_options){.steps = 1, .batch = 1, .fixed = fixed}, &plan));
            CHECK_OK(ctx, rheo_forward(plan, x, y));
            assert_float_equal(y[0], 15, 0);
            assert_float_equal(y[1], -2.5, 0);
            rheo_plan_free(plan);
            rheo_net_free(net);
        }
    rheo_context_free(ctx);
}

/* ---- what is refused ---- */

static void test_refused(void **state)
{
    static const char *const nothing[] = {"1.s", "3.v", NULL}, *const weight[] = {"1.weight", NULL};
    static const char *const input_v[] = {"input.v", NULL}, *const bare[] = {"s", NULL};
    static const char lif[] = "4-5-2",
                      sums[] =
                          "- neuron: {name: p, model: lif}\n- one-to-one: {name: b, from: input}\n"
                          "- neuron: {model: lif, from: [p, b]}\n";
    static const char shared[] =
        "- one-to-one: {name: a}\n- neuron: {name: p, model: lif}\n"
        "- one-to-one: {name: b, from: a, to: p}\n- one-to-one: {name: c, from: input, to: p}\n";
    static const struct {
        const char *net;
        rheo_request request;
        rheo_status status;
        const char *says;
    } cases[] = {
        {lif, {.T = 0, .B = 1}, RHEO_USAGE, "steps is 0, expected 1 to"},
        {lif, {.T = 1, .B = 0}, RHEO_USAGE, "batch is 0, expected 1 to"},
        {lif, {.T = (1u << 20) + 1, .B = 1}, RHEO_USAGE, "steps is 1048577"},
        {lif, {.T = 1, .B = (1u << 20) + 1}, RHEO_USAGE, "batch is 1048577"},
        {lif, {.T = 1 << 20, .B = 1 << 20}, RHEO_MEMORY, "out of memory"},
        {lif, {.T = 2, .B = 2, .record = nothing}, RHEO_USAGE, "record: there is no '3.v'"},
        {lif,
         {.T = 2, .B = 2, .record = weight},
         RHEO_USAGE,
         "record: there is no '1.weight'; expected NODE.s or NODE.v of a population, e.g. 1.s"},
        {lif, {.T = 2, .B = 2, .record = input_v}, RHEO_USAGE, "there is no 'input.v'"},
        {lif, {.T = 2, .B = 2, .record = bare}, RHEO_USAGE, "there is no 's'"},
        {COOK_NET("3", "low: 0"),
         {.T = 2, .B = 2, .learn = true},
         RHEO_USAGE,
         "one sample at a time, but the batch is 2"},
        {COOK_NET("3", "low: 0"),
         {.T = 2, .B = 1, .gradient = true},
         RHEO_UNSUPPORTED,
         "node 'XE': there is no gradient through plastic"},
        {"- dense: {out: 3}\n- neuron: {model: lif-refractory}\n",
         {.T = 2, .B = 1, .gradient = true},
         RHEO_UNSUPPORTED,
         "node '1': there is no gradient through lif-refractory"},
        {"- plastic: {out: 3}\n- neuron: {model: identity}\n",
         {.T = 2, .B = 1, .gradient = true},
         RHEO_UNSUPPORTED,
         ""},
        {sums, {.T = 2, .B = 1}, RHEO_UNSUPPORTED, "takes the sum of 'p' and 'b'"},
        {shared, {.T = 2, .B = 1}, RHEO_UNSUPPORTED, "node 'p' takes the sum of 'a' and"},
    };
    (void)state;
    rheo_context *ctx = check_context(2);
    const size_t before = rheo_memory_used(ctx).now;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rheo_net *net = net_of(ctx, &(net_text){.net = cases[i].net, .in = {{4}}});
        rheo_plan *plan = NULL;
        rheo_request request = cases[i].request;
        request.in_form = RHEO_REAL;
        CHECK_FAILS(ctx, rheo__plan_new(net, &request, &plan), cases[i].status, cases[i].says);
        assert_null(plan);
        rheo_net_free(net);
        assert_int_equal(rheo_memory_used(ctx).now, before);
    }
    rheo_context_free(ctx);
}

/* ---- records ---- */

/* v is shown before the reset of the next step, so a neuron spiked where v is above the threshold,
 * and v[t] = 0.9 v[t-1] + i[t] - s[t-1]. */
static void test_records(void **state)
{
    enum { STEPS = 20, B = 3, M = 7 };
    static const char *const records[] = {"1.v", "2.s", "1.s", "input.s", NULL};
    (void)state;
    rheo_context *ctx = check_context(2);
    rheo_net *net = net_of(ctx, &(net_text){.net = "5-7-2", .neuron = "{model: lif}", .in = {{5}}});
    rheo_plan *plan = NULL;
    float *x = numbers(3, 2, STEPS * B * 5), y[STEPS * B * 2], v[STEPS * B * M], s[STEPS * B * M],
          out[STEPS * B * 5];
    const float *w = rheo_net_parameter(net, "1.weight", NULL, NULL),
                *b = rheo_net_parameter(net, "1.bias", NULL, NULL);
    CHECK_OK(ctx,
             rheo_plan_new(net, &(rheo_plan_options){.steps = STEPS, .batch = B, .record = records},
                           &plan));
    CHECK_OK(ctx, rheo_forward(plan, x, y));
    CHECK_OK(ctx, rheo_record(plan, "1.v", v));
    CHECK_OK(ctx, rheo_record(plan, "1.s", s));
    double spikes = 0;
    for (int i = 0; i < STEPS * B * M; i++) {
        const int t = i / (B * M), before = i - B * M, row = i / M;
        double sum = (double)b[i % M];
        for (int k = 0; k < 5; k++) sum += (double)w[i % M * 5 + k] * (double)x[row * 5 + k];
        if (t > 0) sum += 0.9 * (double)v[before] - (double)s[before];
        CHECK_NEAR((double)v[i], sum, 1e-5);
        assert_int_equal(s[i] > 0, v[i] > 1);
        spikes += (double)s[i];
    }
    assert_true(spikes > 20);
    CHECK_OK(ctx, rheo_record(plan, "2.s", out));
    assert_memory_equal(out, y, sizeof y);
    CHECK_OK(ctx, rheo_record(plan, "input.s", out));
    assert_memory_equal(out, x, sizeof out);
    CHECK_FAILS(ctx, rheo_record(plan, "2.v", out), RHEO_USAGE, "'2.v' has not been recorded");
    CHECK_FAILS(ctx, rheo_record(plan, "4.v", out), RHEO_USAGE, "'4.v'");
    CHECK_FAILS(ctx, rheo_backward(plan, y, NULL), RHEO_USAGE, "without `train`");
    assert_null(rheo_gradient(plan, "1.weight"));
    rheo_plan_free(plan);
    rheo_net_free(net);
    free(x);
    rheo_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loop),    cmocka_unit_test(test_loop_learns),
        cmocka_unit_test(test_stages),  cmocka_unit_test(test_sums),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
