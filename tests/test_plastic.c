/* test_plastic.c: the plastic projection against a simulation that is written from its definition:
 * a list of events that are due, traces as sums over past spikes, weights changed one at a time. */
#include "layer_rig.h"

enum { N = 37, OUT = 21, T = 300 };

/* Post spikes are given: a target's in[1], as a population would send them one step late. */
static void add_post(rig *r, double level)
{
    r->in[1] = rig_signal(r, RHEO_BITS, r->what.T, r->what.B, rheo__shape_size(r->node.out), false);
    uint32_t other[64];
    for (uint32_t b = 0; b < r->what.B; b++) other[b] = r->sample[b] + 700;
    rig_fill(&r->in[1], SPIKES, level, other);
    r->work.in[1] = &r->in[1];
}

typedef struct event {
    uint32_t due, to;
    double amount;
} event;

/* The definition, in double, one sample. y [T][OUT], w [N][OUT] changes. */
typedef struct naive {
    double w[N][OUT], y[T][OUT];
    event *events;
    size_t count;
} naive;

/* exp(-(t - last)/tau) of the last spike at or before `from`; 0 when there was none. A trace is set
 * to 1 by its spike, and decays once a step. */
static double trace(const rheo_signal *s, uint32_t t, uint32_t n, double keep, bool before)
{
    for (uint32_t k = t + 1; k-- > 0;)
        if (!(before && k == t) && rheo__signal_get(s, k, 0, n) > 0) return pow(keep, t - k);
    return 0;
}

static double clip(double w, double most)
{
    return w < 0 ? 0 : w > most ? most : w;
}

static void simulate(naive *sim, const rig *r, bool learn)
{
    const double *v = r->node.synapse_options.v, dt = r->node.dt; /* fields of stdp-traces */
    const double pre = exp(-dt / v[2]), post1 = exp(-dt / v[3]), post2 = exp(-dt / v[4]);
    for (uint32_t t = 0; t < T; t++) {
        for (uint32_t i = 0; i < N; i++) {
            if (!(rheo__signal_get(&r->in[0], t, 0, i) > 0)) continue;
            for (uint32_t j = 0; j < OUT; j++) {
                const uint32_t d =
                    r->node.params > 1 ? (uint32_t)r->param[1].value[i * OUT + j] : 0;
                sim->events[sim->count++] = (event){t + d, j, sim->w[i][j]};
                if (!learn) continue;
                /* post spikes of this step come after */
                const double seen = trace(&r->in[1], t, j, post1, true);
                sim->w[i][j] = clip(sim->w[i][j] - v[0] * seen, v[5]);
            }
        }
        for (uint32_t j = 0; j < OUT && learn; j++) {
            if (!(rheo__signal_get(&r->in[1], t, 0, j) > 0)) continue;
            const double last = trace(&r->in[1], t, j, post2, true);
            for (uint32_t i = 0; i < N; i++)
                sim->w[i][j] =
                    clip(sim->w[i][j] + v[1] * trace(&r->in[0], t, i, pre, false) * last, v[5]);
        }
    }
    for (size_t e = 0; e < sim->count; e++)
        if (sim->events[e].due < T)
            sim->y[sim->events[e].due][sim->events[e].to] += sim->events[e].amount;
}

static const rig_case cases[] = {
    {.label = "delays", .options = "out=21 delay_high=10", .input = SPIKES, .level = 0.02},
    {.label = "some delay",
     .options = "out=21 delay_low=3 delay_high=5",
     .input = SPIKES,
     .level = 0.05},
    {.label = "long delays", .options = "out=21 delay_high=100", .input = SPIKES, .level = 0.02},
    {.label = "no delays", .options = "out=21", .input = SPIKES, .level = 0.02},
    {.label = "busy", .options = "out=21 delay_high=10", .input = SPIKES, .level = 0.3},
    {.label = "reals", .options = "out=21 delay_high=10", .input = REALS, .level = -0.9},
};

static rig_case complete(const rig_case *c, bool learn, uint32_t B)
{
    rig_case now = *c;
    now.layer = "plastic";
    now.model = "stdp-traces";
    now.model_options = "rate_pre=0.01 rate_post=0.2 weight_max=0.5";
    now.N = N;
    now.T = T;
    now.B = B;
    now.learn = learn;
    return now;
}

/* A number is a sum of at most N x (spikes in a step) weights <= 0.5 and each weight a chain of at
 * most 2 T changes: 2^-24 x 0.5 x (N + 2 T) x N = 7e-4 at worst, 1e-5 in practice. */
static void compare(const rig_case *c, bool learn)
{
    rheo_context *ctx = check_context(1);
    rig r;
    naive *sim = calloc(1, sizeof *sim);
    assert_non_null(sim);
    sim->events = malloc((size_t)T * N * OUT * sizeof *sim->events);
    assert_non_null(sim->events);
    const rig_case what = complete(c, learn, 1);
    rig_make(&r, ctx, &what, 0);
    add_post(&r, 0.03);
    for (uint32_t i = 0; i < N; i++)
        for (uint32_t j = 0; j < OUT; j++) sim->w[i][j] = (double)r.param[0].value[i * OUT + j];
    simulate(sim, &r, learn);
    for (uint32_t t = 0; t < T; t++) r.node.layer->forward(&r.work, t, t + 1);
    double moved = 0, largest = 0;
    for (uint32_t t = 0; t < T; t++)
        for (uint32_t j = 0; j < OUT; j++) {
            largest = fmax(largest, sim->y[t][j]);
            const double y = (double)rheo__real_row(&r.work.out, t, 0)[j];
            if (!(fabs(y - sim->y[t][j]) <= 1e-5))
                fail_msg("%s: y[%u][%u] = %.9g, definition %.9g", c->label, t, j, y, sim->y[t][j]);
        }
    for (uint32_t i = 0; i < N; i++)
        for (uint32_t j = 0; j < OUT; j++) {
            const double w = (double)r.param[0].value[i * OUT + j];
            if (!(fabs(w - sim->w[i][j]) <= 1e-5))
                fail_msg("%s: w[%u][%u] = %.9g, definition %.9g", c->label, i, j, w, sim->w[i][j]);
            moved += learn && (w < 0.003 || w > 0.303);
        }
    assert_true(largest > 0.1);
    if (learn) assert_true(moved > 10); /* it learnt something */
    free(sim->events);
    free(sim);
    rig_free(&r);
    rheo_context_free(ctx);
}

static void test_definition(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        compare(&cases[i], true);
        compare(&cases[i], false);
    }
}

/* Without learning: a batch, whole windows and a stream of windows give the same bits as one sample
 * step by step, and the double reference agrees. */
static void test_windows(void **state)
{
    enum { B = 3, PART = 100 };
    (void)state;
    rheo_context *ctx = check_context(3);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const rig_case what = complete(&cases[i], false, B);
        rig all, alone;
        rig_make(&all, ctx, &what, 0);
        rig_forward(&all);
        for (uint32_t b = 0; b < B; b++) {
            const rig_case one = complete(&cases[i], false, 1);
            rig_make(&alone, ctx, &one, b);
            rig_forward(&alone);
            rig_same(one.label, &all.work.out, b, &alone.work.out);
            memset(alone.work.out.real, 0, alone.work.out.stride_t * T * sizeof(float));
            alone.node.layer->reset(&alone.work);
            rheo_signal in = alone.in[0], out = alone.work.out; /* windows of 100 steps */
            for (uint32_t k = 0; k < T / PART; k++) {
                rheo_signal view = in;
                if (in.form == RHEO_BITS)
                    view.bits += k * PART * in.stride_t;
                else
                    view.real += k * PART * in.stride_t;
                alone.work.in[0] = &view;
                alone.work.out.real = out.real + k * PART * out.stride_t;
                alone.work.step0 = k * PART;
                alone.node.layer->forward(&alone.work, 0, PART);
            }
            rig_same(one.label, &all.work.out, b, &out);
            rig_free(&alone);
        }
        double *in = rig_doubles(&all.in[0]), *y = calloc((size_t)T * B * OUT, sizeof *y);
        double *param[2] = {calloc(N * OUT, sizeof *y), calloc(N * OUT, sizeof *y)};
        assert_non_null(y);
        rheo_reference_work w = {.node = &all.node, .T = T, .B = B, .in = {in}, .out = y};
        for (uint32_t p = 0; p < all.node.params; p++) {
            for (uint32_t k = 0; k < N * OUT; k++) param[p][k] = (double)all.param[p].value[k];
            w.param[p] = param[p];
        }
        all.node.layer->reference_forward(&w);
        double *out = rig_doubles(&all.work.out);
        for (size_t k = 0; k < (size_t)T * B * OUT; k++) CHECK_NEAR(out[k], y[k], 1e-5);
        free(in), free(y), free(param[0]), free(param[1]), free(out);
        rig_free(&all);
    }
    rheo_context_free(ctx);
}

static void test_normalise(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    rig r;
    rig_case what = complete(&cases[0], true, 1);
    what.options = "out=21 normalise=7.8";
    rig_make(&r, ctx, &what, 0);
    float *w = r.param[0].value, before = w[5 * OUT + 4];
    double sum = 0;
    for (uint32_t i = 0; i < N; i++) {
        w[i * OUT + 2] = 0; /* nothing to scale */
        sum += (double)w[i * OUT + 4];
    }
    r.node.layer->begin_sample(&r.work);
    CHECK_NEAR((double)w[5 * OUT + 4], (double)before * 7.8 / sum, 1e-7);
    for (uint32_t j = 0; j < OUT; j++) {
        double column = 0;
        for (uint32_t i = 0; i < N; i++) column += (double)w[i * OUT + j];
        CHECK_NEAR(column, j == 2 ? 0 : 7.8, N * 0x1p-24); /* each weight, below 1, rounded once */
    }
    rig_free(&r);
    what.options = "out=21"; /* 0: left alone */
    rig_make(&r, ctx, &what, 0);
    before = r.param[0].value[3];
    r.node.layer->begin_sample(&r.work);
    CHECK_NEAR((double)r.param[0].value[3], (double)before, 0);
    rig_free(&r);
    rheo_context_free(ctx);
}

static void test_initial(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    rig r;
    rig_case what = complete(&cases[0], false, 1);
    what.options = "out=400 low=0.1 high=0.2 delay_low=2 delay_high=10";
    rig_make(&r, ctx, &what, 0);
    uint32_t seen[21] = {0};
    for (uint32_t k = 0; k < N * 400; k++) {
        const float w = r.param[0].value[k], d = r.param[1].value[k];
        assert_true(w >= 0.1f && w < 0.2f);
        assert_true(d >= 4 && d <= 20); /* 2 to 10 ms of 0.5 */
        seen[(uint32_t)d]++;
    }
    /* rounded uniform numbers: 1/16 each inside, half of it at both ends; 5 deviations */
    const double n = N * 400;
    for (uint32_t d = 4; d <= 20; d++) {
        const double p = d == 4 || d == 20 ? 1.0 / 32 : 1.0 / 16;
        CHECK_NEAR(seen[d], n * p, 5 * sqrt(n * p));
    }
    assert_true(r.param[0].transposed && r.param[1].transposed);
    assert_false(r.param[0].trained || r.param[1].trained);
    rig_free(&r);
    rheo_context_free(ctx);
}

/* Delays from a damaged file stay inside the ring (the sanitiser sees it when they do not). */
static void test_damaged_delays(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    rig r;
    const rig_case what = complete(&cases[0], false, 1);
    rig_make(&r, ctx, &what, 0);
    const float bad[] = {-1, 21, 1e30f, -1e30f, NAN, INFINITY, 20.5f};
    for (uint32_t k = 0; k < N * OUT; k++) r.param[1].value[k] = bad[k % 7];
    r.node.layer->refresh(&r.work);
    rig_forward(&r);
    double sum = 0;
    for (uint32_t t = 0; t < T; t++)
        for (uint32_t j = 0; j < OUT; j++) sum += (double)rheo__real_row(&r.work.out, t, 0)[j];
    assert_true(sum > 1 && sum < 1e6);
    rig_free(&r);
    rheo_context_free(ctx);
}

static void test_counts(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    rig r;
    for (int learn = 0; learn < 2; learn++) {
        const rig_case what = complete(&cases[0], learn, 1);
        rig_make(&r, ctx, &what, 0);
        add_post(&r, 0.03);
        rheo_counts sum = {0};
        uint64_t pre = 0, post = 0;
        for (uint32_t t = 0; t < T; t++) {
            r.node.layer->count(&r.work, t, 0, 1, &sum);
            for (uint32_t i = 0; i < N; i++) pre += rheo__signal_get(&r.in[0], t, 0, i) > 0;
            for (uint32_t j = 0; j < OUT; j++) post += rheo__signal_get(&r.in[1], t, 0, j) > 0;
        }
        assert_int_equal(sum.synops, pre * OUT);
        assert_int_equal(sum.acs, pre * OUT);
        assert_int_equal(sum.weight_writes, learn ? pre * OUT + post * N : 0);
        rig_free(&r);
    }
    rheo_context_free(ctx);
}

static void test_refused(void **state)
{
    static const struct {
        const char *options, *text;
    } bad[] = {
        {"out=21 delay_low=5 delay_high=2", "delay_low is 5 ms and delay_high is 2 ms"},
        {"out=21 low=0.5 high=0.2", "low is 0.5 and high is 0.2"},
    };
    (void)state;
    rheo_context *ctx = check_context(1);
    for (size_t i = 0; i < 2; i++) {
        rig r;
        rig_case what = complete(&cases[0], false, 1);
        what.options = bad[i].options;
        CHECK_FAILS(ctx, rig_infer(&r, ctx, &what), RHEO_USAGE, bad[i].text);
    }
    rheo_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_definition),     cmocka_unit_test(test_windows),
        cmocka_unit_test(test_normalise),      cmocka_unit_test(test_initial),
        cmocka_unit_test(test_damaged_delays), cmocka_unit_test(test_counts),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
