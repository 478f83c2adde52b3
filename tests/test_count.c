/* test_count.c: the work that a plan counts, against a counter that goes through every synapse of
 * every neuron in every step, over nets of all kinds. */
#include "nets.h"
#include <stdio.h>

typedef struct count_case {
    const char *net, *neuron;
    uint32_t in, T, B;
    float level; /* of the input, see numbers() */
    bool fixed, bits, learn;
} count_case;

static const count_case cases[] = {
    {"784-1200-1200-10", "{model: relu}", 784, 3, 1, 1, true, false, false},
    {"in-out", "{model: lif}", 17, 5, 3, 2, false, false, false},
    {"in-out", "{model: lif}", 17, 5, 3, 2, true, false, false},
    {"in-31-out", "{model: lif, threshold: 0.4}", 64, 9, 4, 3, true, false, false},
    {"in-31-out", "{model: lif, threshold: 0.4, reset: zero}", 65, 9, 4, 3, false, false, false},
    {"in-31-out", "{model: if, threshold: 0.3}", 64, 12, 4, -0.2f, false, true, false},
    {"in-31-out", "{model: if, threshold: 0.3}", 64, 12, 4, -0.9f, false, true, false},
    {"in-31-out", "{model: if, threshold: 0.3}", 64, 12, 4, -0.2f, true, true, false},
    {"in-31-out", "{model: if, threshold: 0.3}", 64, 12, 4, -0.2f, false, false,
     false}, /* 0 and 1 as reals */
    {"in-31-out", "{model: if, threshold: 0.3}", 64, 12, 4, 0, false, true, false}, /* silence */
    {"in-70-33-5-out", "{model: lif, threshold: 0.2}", 30, 20, 2, 4, true, false, false},
    {"in-70b-d0.5-33b-out", "{model: lif, threshold: 0.2}", 30, 20, 2, 4, true, false, false},
    {"in-1-1-1-out", "{model: lif, threshold: 0.01}", 1, 20, 1, 4, false, false, false},
    {"in-40-out", "{model: relu}", 20, 7, 5, 1, true, false, false},
    {"in-40-out", "{model: relu}", 20, 7, 5, 1, false, false, false},
    {"in-40-out", "{model: lif-refractory, gain: 40}", 20, 30, 2, 1, true, false, false},
    {"in-40-out", "{model: soft-lif}", 20, 3, 2, 1, true, false, false},
    {"- dense: {out: 9, bias: false, weights: binary}\n- norm: {}\n- neuron: {model: sign}\n"
     "- dense: {out: 4, weights: binary}\n- neuron: {model: identity}\n",
     NULL, 33, 2, 3, 1, true, false, false},
    {"- dense: {out: 9}\n- neuron: {model: sign}\n- dense: {out: 4}\n- neuron: {model: lif}\n",
     NULL, 33, 6, 3, 1, false, false, false},
    {"- dense: {name: a, out: 8}\n- neuron: {name: p, model: lif, threshold: 0.3}\n"
     "- dense: {name: skip, out: 8, from: input, to: p}\n- one-to-one: {name: o, from: p}\n"
     "- neuron: {name: q, model: if}\n- lateral: {name: l}\n- neuron: {name: r, model: if}\n",
     NULL, 12, 11, 3, 2, false, false, false},
    {"- lateral: {}\n- neuron: {model: if}\n", NULL, 9, 4, 2, -0.3f, false, true, false},
    {"- lateral: {}\n- neuron: {model: if}\n", NULL, 9, 4, 2, 1, false, false, false},
    {COOK_NET("11", "high: 0.9"), NULL, 40, 200, 2, -0.1f, false, true, false},
    {COOK_NET("11", "high: 0.9"), NULL, 40, 200, 1, -0.1f, false, true, true},
    {COOK_NET("11", "high: 0.9"), NULL, 40, 200, 2, -0.1f, false, false, false},
};
#define CASES (sizeof cases / sizeof cases[0])

/* By definition: is there a synapse from i to j? */
static bool joined(const rheo_node_spec *node, uint32_t i, uint32_t j)
{
    if (!strcmp(node->layer->name, "one-to-one")) return i == j;
    if (!strcmp(node->layer->name, "lateral")) return i != j;
    return true; /* dense, plastic */
}

/* What a source is: real numbers, spikes, or signs; still or moving. */
typedef struct view {
    const rheo_signal *s;
    bool spikes, signs, still;
} view;

static view view_of(const rheo_net *net, const rheo_plan *plan, uint32_t n, const count_case *c)
{
    const rheo_node_spec *node = &net->node[n];
    view v = {.s = &plan->work[n].out};
    if (n == 0) {
        v.spikes = c->bits;
        v.still = c->fixed;
    } else if (!strcmp(node->layer->name, "dropout")) { /* out of training: what it takes */
        for (uint32_t e = 0; e < net->edges; e++)
            if (net->edge[e].to == n) v.spikes = view_of(net, plan, net->edge[e].from, c).spikes;
    } else if (node->neuron) {
        v.signs = !strcmp(node->neuron->name, "sign");
        v.spikes = node->neuron->out == RHEO_BITS && !v.signs;
    }
    return v;
}

/* All that comes from still input through things without memory stands still. */
static bool still(const rheo_net *net, uint32_t n, const count_case *c)
{
    if (n == 0) return c->fixed;
    if (net->node[n].neuron && !net->node[n].neuron->stateless) return false;
    if (!strcmp(net->node[n].layer->name, "plastic")) return false;
    bool all = true;
    for (uint32_t e = 0; e < net->edges; e++)
        if (net->edge[e].to == n) all = all && still(net, net->edge[e].from, c);
    return all;
}

static void count_projection(const rheo_net *net, const rheo_plan *plan, uint32_t n,
                             const count_case *c, rheo_counts *sum)
{
    const rheo_node_spec *node = &net->node[n];
    const uint32_t out = rheo__shape_size(node->out);
    uint32_t from = 0, post = 0;
    for (uint32_t e = 0; e < net->edges; e++) {
        if (net->edge[e].to == n && net->edge[e].port == 0) from = net->edge[e].from;
        if (net->edge[e].to == n && net->edge[e].port == 1) post = net->edge[e].from;
    }
    view v = view_of(net, plan, from, c);
    v.still = still(net, from, c);
    const bool plastic = node->synapse != NULL;
    for (uint32_t t = 0; t < c->T; t++)
        for (uint32_t b = 0; b < c->B; b++)
            for (uint32_t i = 0; i < v.s->N; i++) {
                const bool set = rheo__signal_get(v.s, t, b, i) > 0;
                for (uint32_t j = 0; j < out; j++) {
                    if (!joined(node, i, j)) continue;
                    if (plastic || v.spikes) { /* a static spike train is multiplied once, too */
                        const bool counts = set && (plastic || !v.still || t == 0);
                        sum->synops += counts;
                        sum->acs += counts;
                        sum->weight_writes += counts && c->learn && plastic;
                    } else if (!v.still || t == 0) {
                        sum->macs += !v.signs;
                        sum->acs += v.signs;
                    }
                }
            }
    if (!plastic || !c->learn) return;
    const rheo_signal *s = &plan->work[post].out; /* seen one step late, by all its synapses */
    for (uint32_t t = 0; t + 1 < c->T; t++)
        for (uint32_t j = 0; j < out; j++)
            if (rheo__signal_get(s, t, 0, j) > 0) sum->weight_writes += v.s->N;
}

static void count_population(const rheo_net *net, const rheo_plan *plan, uint32_t n,
                             const count_case *c, rheo_counts *sum)
{
    const view v = view_of(net, plan, n, c);
    const uint32_t steps = still(net, n, c) ? 1 : c->T;
    for (uint32_t t = 0; t < steps; t++)
        for (uint32_t b = 0; b < c->B; b++)
            for (uint32_t i = 0; i < v.s->N; i++) {
                sum->updates++;
                sum->spikes += v.spikes && rheo__signal_get(v.s, t, b, i) > 0;
            }
}

static rheo_counts brute_force(const rheo_net *net, const rheo_plan *plan, const count_case *c)
{
    rheo_counts sum = {0};
    for (uint32_t n = 1; n < net->nodes; n++) {
        const rheo_node_spec *node = &net->node[n];
        if (node->neuron)
            count_population(net, plan, n, c, &sum);
        else if (!strcmp(node->layer->name, "norm")) /* a scale and a shift of each value */
            sum.macs += (uint64_t)(still(net, n, c) ? 1 : c->T) * c->B * rheo__shape_size(node->in);
        else if (node->layer->kind == RHEO_PROJECTION)
            count_projection(net, plan, n, c, &sum);
    }
    return sum;
}

static void compare(const count_case *c, size_t index, const rheo_counts *a, const rheo_counts *b)
{
    const struct {
        const char *name;
        uint64_t found, expected;
    } rows[] = {
        {"spikes", a->spikes, b->spikes},    {"synops", a->synops, b->synops},
        {"macs", a->macs, b->macs},          {"acs", a->acs, b->acs},
        {"updates", a->updates, b->updates}, {"weight writes", a->weight_writes, b->weight_writes},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].found != rows[i].expected)
            fail_msg("case %zu, %.40s: %s %llu, by hand %llu", index, c->net, rows[i].name,
                     (unsigned long long)rows[i].found, (unsigned long long)rows[i].expected);
}

static rheo_counts counted(const rheo_plan *plan, uint32_t b0, uint32_t b1)
{
    rheo_counts sum = {0};
    for (uint32_t t = 0; t < plan->request.T; t++) rheo__plan_count(plan, t, b0, b1, &sum);
    return sum;
}

static void test_brute_force(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(2);
    uint64_t busy = 0;
    for (size_t i = 0; i < CASES; i++) {
        const count_case *c = &cases[i];
        rheo_net *net = net_of(
            ctx, &(net_text){
                     .net = c->net, .neuron = c->neuron, .in = {{c->in}}, .classes = 6, .dt = 0.5});
        const rheo_request request = {.T = c->T,
                                      .B = c->B,
                                      .in_form = c->bits ? RHEO_BITS : RHEO_REAL,
                                      .in_fixed = c->fixed,
                                      .learn = c->learn};
        rheo_plan *plan = NULL;
        float *x = numbers((uint32_t)i, c->level, (size_t)c->T * c->B * c->in);
        CHECK_OK(ctx, rheo__plan_new(net, &request, &plan));
        feed(plan, x);
        rheo__plan_forward(plan);
        const rheo_counts found = counted(plan, 0, c->B), expected = brute_force(net, plan, c);
        compare(c, i, &found, &expected);
        if (c->B > 1) { /* the same by samples */
            rheo_counts parts = counted(plan, 0, 1), rest = counted(plan, 1, c->B);
            uint64_t *to = (uint64_t *)&parts;
            for (size_t k = 0; k < sizeof parts / 8; k++) to[k] += ((const uint64_t *)&rest)[k];
            assert_memory_equal(&parts, &found, sizeof found);
        }
        busy += found.spikes;
        rheo_plan_free(plan);
        rheo_net_free(net);
        free(x);
    }
    assert_true(CASES >= 20 && busy > 5000);
    rheo_context_free(ctx);
}

/* The figures that papers give. */
static void test_known(void **state)
{
    static const struct {
        const char *net, *neuron;
        uint32_t T;
        uint64_t macs;
    } rows[] = {
        {"784-1200-1200-10", "{model: relu}", 1, 2392800}, /* 784*1200 + 1200*1200 + 1200*10 */
        {"784-1200-1200-10", "{model: relu}", 40, 2392800},
        {"784-1200-1200-10", "{model: if}", 40, 940800}, /* real input once, then spikes */
        {"784-1000-10", "{model: lif}", 25, 784000},
    };
    (void)state;
    rheo_context *ctx = check_context(2);
    float *x = numbers(1, 1, 784);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rheo_net *net =
            net_of(ctx, &(net_text){.net = rows[i].net, .neuron = rows[i].neuron, .in = {{784}}});
        rheo_plan *plan = NULL;
        CHECK_OK(ctx,
                 rheo__plan_new(net,
                                &(rheo_request){
                                    .T = rows[i].T, .B = 1, .in_fixed = true, .in_form = RHEO_REAL},
                                &plan));
        feed(plan, x);
        rheo__plan_forward(plan);
        assert_int_equal(counted(plan, 0, 1).macs, rows[i].macs);
        rheo_plan_free(plan);
        rheo_net_free(net);
    }
    free(x);
    rheo_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_brute_force),
                                       cmocka_unit_test(test_known)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
