/* test_synapse.c: trace STDP against the closed form of its window, its bounds, and a plain
 * double-precision run of the rule on random spikes, on every instruction set. */
#include "check.h"
#include "base/random.h"
#include "synapse/synapse.h"

enum { PRE = 37, POST = 21, ROW = 24 };

typedef struct net {
    const rheo_synapse *rule;
    float k[RHEO_SYNAPSE_CONSTANTS], w[PRE][ROW], pre[PRE], post[2][POST];
    rheo_synapse_view view;
    const rheo_synapse_loops *loops;
} net;

static void net_open(rheo_context *ctx, net *n, double dt, int add, double weight)
{
    memset(n, 0, sizeof *n);
    n->rule = rheo__synapse_find("stdp-traces");
    assert_non_null(n->rule);
    rheo_options options = rheo__field_defaults(n->rule->fields);
    options.v[rheo__field_index(n->rule->fields, "trace")] = add;
    double k[RHEO_SYNAPSE_CONSTANTS] = {0};
    CHECK_OK(ctx, n->rule->derive(ctx, &options, dt, k));
    for (int i = 0; i < RHEO_SYNAPSE_CONSTANTS; i++) n->k[i] = (float)k[i];
    for (int i = 0; i < PRE; i++)
        for (int j = 0; j < ROW; j++) n->w[i][j] = (float)weight;
    n->view =
        (rheo_synapse_view){n->k, PRE, POST, n->w[0], ROW, {n->pre}, {n->post[0], n->post[1]}};
    n->loops = rheo__synapse_loops(ctx, n->rule->index);
}

static void advance(net *n, int steps)
{
    for (int i = 0; i < steps; i++) n->loops->decay(&n->view);
}

/* A post spike long ago (100 ms), then a pair. Pre first by d: + rate_post e^(-d/20) e^(-100/40);
 * post first: the post spike finds no pre trace, then - rate_pre e^(-d/20) at the pre spike. */
static void test_window(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    const double dt = 0.5;
    for (int d = 0; d < 100; d += 7) {
        double time = d * dt;
        net n;
        net_open(ctx, &n, dt, 0, 0.5);
        n.loops->on_post(&n.view, 3);
        assert_true(n.w[5][3] == 0.5f); /* nothing before it: nothing changes */
        advance(&n, 200 - d);
        n.loops->on_pre(&n.view, 5);
        double loss = 1e-4 * exp(-(100 - time) / 20);
        advance(&n, d);
        n.loops->on_post(&n.view, 3);
        double gain = 0.01 * exp(-time / 20) * exp(-100.0 / 40);
        CHECK_NEAR(n.w[5][3], 0.5 - loss + gain, 2e-7);
        assert_true(n.w[5][2] == 0.5f && n.w[4][3] == 0.5f);

        net_open(ctx, &n, dt, 0, 0.5);
        n.loops->on_post(&n.view, 3);
        advance(&n, d);
        n.loops->on_pre(&n.view, 5);
        CHECK_NEAR(n.w[5][3], 0.5 - 1e-4 * exp(-time / 20), 1e-7);
        assert_true(n.w[5][2] == 0.5f && n.w[4][3] == 0.5f);
    }
    rheo_context_free(ctx);
}

/* Post spikes 10 ms apart: post2 is the trace before the second. Traces set: 1 e^(-10/40) each
 * time; added: the sums 1, 1 + e^(-10/40), … */
static void test_set_and_add(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    for (int add = 0; add < 2; add++) {
        net n;
        net_open(ctx, &n, 0.5, add, 0.2);
        double w = 0.2, pre = 0, post1 = 0, post2 = 0;
        for (int spike = 0; spike < 5; spike++) {
            n.loops->on_pre(&n.view, 0);
            w -= 1e-4 * post1;
            pre = add ? pre + 1 : 1;
            n.loops->on_post(&n.view, 0);
            w += 0.01 * pre * post2;
            post1 = add ? post1 + 1 : 1;
            post2 = add ? post2 + 1 : 1;
            CHECK_NEAR(n.w[0][0], w, 1e-6);
            CHECK_NEAR(n.pre[0], pre, 1e-5);
            CHECK_NEAR(n.post[0][0], post1, 1e-5);
            CHECK_NEAR(n.post[1][0], post2, 1e-5);
            advance(&n, 20);
            pre *= exp(-10.0 / 20), post1 *= exp(-10.0 / 20), post2 *= exp(-10.0 / 40);
        }
    }
    rheo_context_free(ctx);
}

static void test_bounds(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    net n;
    net_open(ctx, &n, 0.5, 0, 0.9999f);
    for (int i = 0; i < 10; i++) { /* only gains count: both at once */
        n.loops->on_pre(&n.view, 1);
        n.loops->on_post(&n.view, 1);
    }
    assert_true(n.w[1][1] == 1);
    net_open(ctx, &n, 0.5, 0, 1e-5f);
    n.loops->on_post(&n.view, 1);
    n.loops->on_pre(&n.view, 1);
    assert_true(n.w[1][1] == 0);
    assert_true(n.w[1][0] == 1e-5f);
    rheo_context_free(ctx);
}

/* Random spikes: the rule, plainly, in double; every instruction set equal bit for bit; nothing
 * written between the rows. */
static void test_random_spikes(void **state)
{
    (void)state;
    static net first, n;
    static double w[PRE][POST], pre[PRE], post1[POST], post2[POST];
    for (int isa = 0; isa <= (int)rheo__isa_best(); isa++) {
        rheo_context *ctx = NULL;
        rheo_context_options options = {.threads = 1, .isa = rheo__isa_names[isa]};
        assert_int_equal(rheo_context_new(&options, &ctx), RHEO_OK);
        net_open(ctx, &n, 0.5, 0, 0.5);
        for (int i = 0; i < PRE; i++)
            for (int j = 0; j < POST; j++) w[i][j] = 0.5;
        memset(pre, 0, sizeof pre), memset(post1, 0, sizeof post1), memset(post2, 0, sizeof post2);
        for (uint32_t t = 0; t < 300; t++) {
            n.loops->decay(&n.view);
            for (int i = 0; i < PRE; i++) pre[i] *= exp(-0.5 / 20);
            for (int j = 0; j < POST; j++) post1[j] *= exp(-0.5 / 20), post2[j] *= exp(-0.5 / 40);
            for (uint32_t i = 0; i < PRE; i++) {
                uint32_t r[4];
                rheo__philox((rheo_key){{1, 2}}, (uint32_t[]){t, i, 0, 0}, r);
                if (rheo__uniform(r[0]) > 0.05f) continue;
                n.loops->on_pre(&n.view, i);
                for (int j = 0; j < POST; j++) w[i][j] = fmax(0, w[i][j] - 1e-4 * post1[j]);
                pre[i] = 1;
            }
            for (uint32_t j = 0; j < POST; j++) {
                uint32_t r[4];
                rheo__philox((rheo_key){{1, 2}}, (uint32_t[]){t, j, 1, 0}, r);
                if (rheo__uniform(r[0]) > 0.02f) continue;
                n.loops->on_post(&n.view, j);
                for (int i = 0; i < PRE; i++) w[i][j] = fmin(1, w[i][j] + 0.01 * pre[i] * post2[j]);
                post1[j] = post2[j] = 1;
            }
        }
        for (int i = 0; i < PRE; i++) {
            for (int j = 0; j < POST; j++) CHECK_NEAR(n.w[i][j], w[i][j], 2e-6);
            for (int j = POST; j < ROW; j++) assert_true(n.w[i][j] == 0.5f);
        }
        if (isa == 0) first = n;
        assert_memory_equal(first.w, n.w, sizeof n.w);
        assert_memory_equal(first.pre, n.pre, sizeof n.pre);
        assert_memory_equal(first.post, n.post, sizeof n.post);
        rheo_context_free(ctx);
    }
}

static void test_table(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    const rheo_synapse *s = rheo__synapse_find("stdp-traces");
    assert_ptr_equal(rheo__synapse_at(0), s);
    assert_null(rheo__synapse_at(1));
    assert_null(rheo__synapse_find("stdp"));
    assert_string_equal(rheo__synapse_names[0], "stdp-traces");
    assert_null(rheo__synapse_names[1]);
    assert_int_equal(s->pre_traces, 1);
    assert_int_equal(s->post_traces, 2);
    rheo_options options = rheo__field_defaults(s->fields);
    double k[RHEO_SYNAPSE_CONSTANTS];
    CHECK_FAILS(ctx, s->derive(ctx, &options, 0, k), RHEO_USAGE, "give dt");
    rheo_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_window), cmocka_unit_test(test_set_and_add),
        cmocka_unit_test(test_bounds), cmocka_unit_test(test_random_spikes),
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
