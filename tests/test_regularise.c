/* A phase's regularisers in a plan: what they push into a hidden layer is what a loss on that layer
 * would push, had the net ended there; and of the output they add to the loss's gradient. */
#include "learn/learn.h"
#include "plan_cases.h"
#include <stdlib.h>

enum { T = 6, B = 4, IN = 5 };

static rheo_context *ctx;

static rheo_phase phase_of(const char *rule, const char *field, double value, int of, int layers)
{
    rheo_phase phase = {.regularisers = 1};
    rheo_phase_regulariser *own = &phase.regulariser[0];
    own->rule = rheo__regulariser_find(rule);
    own->options = rheo__field_defaults(own->rule->fields);
    own->options.v[RHEO_REGULARISE_STRENGTH] = 2;
    own->options.v[RHEO_REGULARISE_LAYERS] = layers;
    own->options.v[rheo__field_index(own->rule->fields, field)] = value;
    const int at = rheo__field_index(own->rule->fields, "of");
    if (at >= 0) own->options.v[at] = of;
    return phase;
}

static rheo_plan *plan_of(rheo_net *net, const rheo_phase *phase)
{
    rheo_plan *plan = NULL;
    rheo_request ask = {.T = T, .B = B, .in_form = RHEO_REAL, .train = true, .gradient = true};
    if (phase) rheo__regularise_ask(phase, &ask);
    ask.readout = ask.readout || !phase;
    CHECK_OK(ctx, rheo__plan_new(net, &ask, &plan));
    return plan;
}

static void run_plan(rheo_plan *plan)
{
    static const uint32_t ids[B] = {0, 1, 2, 3};
    rheo__plan_batch(plan, B, ids, 0);
    for (uint32_t t = 0; t < T; t++)
        for (uint32_t b = 0; b < B; b++)
            for (uint32_t i = 0; i < IN; i++)
                rheo__real_row(&plan->work[0].out, t, b)[i] = 3 * draw_at(8, (t * B + b) * IN + i);
    rheo__plan_forward(plan);
}

static void fill(const rheo_signal *s, float value)
{
    for (uint32_t t = 0; t < s->T; t++)
        for (uint32_t b = 0; b < B; b++)
            for (uint32_t i = 0; i < s->N; i++) rheo__real_row(s, t, b)[i] = value;
}

/* The derivative of the same rule at every element of the short net's output, by its own call. */
static void push_short(const rheo_phase *phase, rheo_plan *plan)
{
    const uint32_t n = plan->net->output;
    const bool membrane = phase->regulariser[0].rule->membrane(&phase->regulariser[0].options);
    double scratch[16];
    rheo_signal row = plan->greadout;
    float pushed[B * 16] = {0};
    row.real = pushed, row.T = 1, row.stride_t = 0;
    fill(&plan->gradient[n], 0), fill(&plan->greadout, 0);
    const rheo_regularise call = {.options = &phase->regulariser[0].options,
                                  .B = B,
                                  .out = &plan->work[n].out,
                                  .v = &plan->work[n].readout,
                                  .gout = &row,
                                  .gv = &plan->greadout,
                                  .scratch = scratch};
    assert_true(phase->regulariser[0].rule->value(&call) > 0);
    for (uint32_t t = 0; t < T && !membrane; t++)
        for (uint32_t b = 0; b < B; b++)
            memcpy(rheo__real_row(&plan->gradient[n], t, b), rheo__real_row(&row, 0, b),
                   row.N * sizeof(float));
}

static const struct {
    const char *rule, *field;
    double value;
    int of;
} cases[] = {
    {"sparse", "power", 1, 0},  {"sparse", "power", 2, 0},  {"upper", "bound", 0.01, 0},
    {"lower", "bound", 0.9, 0}, {"sparse", "power", 1, 1},  {"upper", "bound", -9, 1},
    {"lower", "bound", 9, 1},   {"force", "bound", 1e3, 0},
};

static void copy(rheo_net *to, const rheo_net *from, const char *path)
{
    uint32_t rows, cols;
    const float *w = rheo_net_parameter((rheo_net *)(uintptr_t)from, path, &rows, &cols);
    memcpy(rheo_net_parameter(to, path, NULL, NULL), w, (size_t)rows * cols * sizeof *w);
}

static void hidden_layers(void **state)
{
    const net_text shorter = {.net = "5-7", .neuron = "{model: lif}", .in = {{IN}}, .classes = 7};
    const net_text longer = {.net = "5-7-3", .neuron = "{model: lif}", .in = {{IN}}, .classes = 3};
    rheo_net *small = net_of(ctx, &shorter), *large = net_of(ctx, &longer);
    (void)state;
    copy(small, large, "1.weight"), copy(small, large, "1.bias");
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        const rheo_phase phase =
            phase_of(cases[k].rule, cases[k].field, cases[k].value, cases[k].of, 0);
        rheo_plan *want = plan_of(small, NULL), *got = plan_of(large, &phase);
        double scratch[16];
        run_plan(want), run_plan(got);
        push_short(&phase, want);
        want->work[small->output].gout = &want->gradient[small->output];
        rheo__plan_backward(want);
        fill(&got->gradient[large->output], 0); /* the loss pushes nothing */
        got->work[large->output].gout = &got->gradient[large->output];
        assert_true(rheo__regularise_need(large, &phase) <= 16);
        assert_true(rheo__regularise(&phase, got, false, scratch) > 0);
        rheo__plan_backward(got);
        const float *a = rheo_gradient(want, "1.weight"), *b = rheo_gradient(got, "1.weight");
        float most = 0;
        for (int i = 0; i < IN * 7; i++) {
            if (a[i] != b[i])
                fail_msg("%s %zu: gradient %d is %g, expected %g", cases[k].rule, k, i,
                         (double)b[i], (double)a[i]);
            most = fmaxf(most, fabsf(a[i]));
        }
        assert_true(most > 0);
        rheo_plan_free(want), rheo_plan_free(got);
    }
    rheo_net_free(small), rheo_net_free(large);
}

/* Of the output, with a loss on the other of its two ways out, which then stands untouched. */
static void the_output(void **state)
{
    const net_text text = {.net = "5-7", .neuron = "{model: lif}", .in = {{IN}}, .classes = 7};
    rheo_net *net = net_of(ctx, &text);
    (void)state;
    for (int membrane = 0; membrane < 2; membrane++) {
        const rheo_phase phase = phase_of("sparse", "power", 1, membrane, RHEO_LAYERS_OUTPUT);
        rheo_plan *want = plan_of(net, NULL), *got = plan_of(net, &phase);
        if (!membrane) { /* the loss needs the membrane */
            rheo_plan_free(got);
            rheo_request ask = {.T = T,
                                .B = B,
                                .in_form = RHEO_REAL,
                                .train = true,
                                .gradient = true,
                                .readout = true};
            rheo__regularise_ask(&phase, &ask);
            CHECK_OK(ctx, rheo__plan_new(net, &ask, &got));
        }
        double scratch[16];
        run_plan(want), run_plan(got);
        push_short(&phase, want);
        fill(membrane ? &want->gradient[net->output] : &want->greadout, 0.25f);
        want->work[net->output].gout = &want->gradient[net->output];
        rheo__plan_backward(want);
        fill(&got->gradient[net->output], 99); /* what an earlier batch left */
        fill(membrane ? &got->gradient[net->output] : &got->greadout, 0.25f);
        got->work[net->output].gout = membrane ? &got->gradient[net->output] : NULL;
        assert_true(rheo__regularise(&phase, got, !membrane, scratch) > 0);
        rheo__plan_backward(got);
        const float *a = rheo_gradient(want, "1.weight"), *b = rheo_gradient(got, "1.weight");
        for (int i = 0; i < IN * 7; i++) CHECK_NEAR((double)a[i], (double)b[i], 0);
        rheo_plan_free(want), rheo_plan_free(got);
    }
    rheo_net_free(net);
}

/* Gradients, and what is added to the loss; the loss itself pulls at the output or its membrane. */
static blob regularised(const plan_case *c, const rheo_phase *phase, bool low, bool loss_membrane,
                        uint32_t truncate)
{
    rheo_net *net = net_of(ctx, &c->net);
    rheo_plan *plan = NULL;
    rheo_request request = request_of(c, c->level < 0 ? RHEO_BITS : RHEO_REAL);
    blob all = {0};
    float *x = inputs_of(c);
    request.low_memory = low;
    request.truncate = truncate;
    rheo__regularise_ask(phase, &request);
    CHECK_OK(ctx, rheo__plan_new(net, &request, &plan));
    double *scratch = room(rheo__regularise_need(net, phase), sizeof *scratch);
    const rheo_signal *filled = loss_membrane ? &plan->greadout : &plan->gradient[net->output];
    for (uint32_t show = 0; show < 2; show++) {
        rheo__plan_batch(plan, c->B, NULL, show);
        feed(plan, x);
        rheo__plan_forward(plan);
        for (uint32_t t = 0; t < (filled->stride_t ? filled->T : 1); t++)
            for (uint32_t i = 0; i < c->B * filled->pitch; i++)
                filled->real[t * filled->stride_t + i] = draw_at(t, i) - 0.5f;
        plan->work[net->output].gout = loss_membrane ? NULL : filled;
        const double added = rheo__regularise(phase, plan, loss_membrane, scratch);
        blob_add(&all, (const float[]){(float)added}, 1);
        rheo__plan_backward(plan);
        for (uint32_t n = 0; n < net->nodes; n++)
            for (uint32_t i = 0; i < net->node[n].params; i++)
                if (plan->work[n].grad[i])
                    blob_add(&all, plan->work[n].grad[i],
                             (size_t)net->node[n].param[i]->rows * net->node[n].param[i]->cols);
    }
    free(scratch), free(x);
    rheo_plan_free(plan);
    rheo_net_free(net);
    return all;
}

/* Low memory makes real signals anew, a segment at a time; what holds them sees the whole window.
 */
static void low_memory(void **state)
{
    static const uint32_t steps[] = {33, 100}, cuts[] = {10, 0};
    rheo_phase held[2] = {{0}}; /* of spikes, of membranes */
    (void)state;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        const bool force = !strcmp(cases[k].rule, "force");
        rheo_phase *to = &held[cases[k].of || force];
        to->regulariser[to->regularisers++] =
            phase_of(cases[k].rule, cases[k].field, cases[k].value, cases[k].of, RHEO_LAYERS_ALL)
                .regulariser[0];
    }
    for (size_t i = 0; i < PLAN_CASES; i++)
        for (size_t k = 0; k < 4; k++) {
            plan_case c = plan_cases[i];
            if (!c.gradient) continue;
            c.T = steps[k / 2];
            c.B = 3;
            const rheo_phase *phase = &held[k % 2];
            blob all = regularised(&c, phase, false, (i + k / 2) % 2, cuts[k / 2]);
            blob low = regularised(&c, phase, true, (i + k / 2) % 2, cuts[k / 2]);
            same_blobs(c.label, "low memory", all, low);
            assert_true(all.x[0] > 0);
            free(all.x), free(low.x);
        }
}

int main(void)
{
    ctx = check_context(2);
    const struct CMUnitTest tests[] = {cmocka_unit_test(hidden_layers),
                                       cmocka_unit_test(the_output), cmocka_unit_test(low_memory)};
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rheo_context_free(ctx);
    return failed;
}
