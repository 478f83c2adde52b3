/* test_net.c: nets from the notation and from lists: what is built, what is refused and how it is
 * said, copies, and what happens when memory ends. */
#include "nets.h"
#include "faults.h"
#include "one_context.h"
#include <stdio.h>

/* "name:layer out; …" of all nodes but the input; a population by its model. */
static void describe(const rheo_net *net, char *out, size_t size)
{
    size_t at = 0;
    out[0] = 0;
    for (uint32_t n = 1; n < net->nodes; n++) {
        const rheo_node_spec *node = &net->node[n];
        at += (size_t)snprintf(out + at, size - at, "%s%s:%s %u", n > 1 ? "; " : "", node->name,
                               node->neuron ? node->neuron->name : node->layer->name,
                               rheo__shape_size(node->out));
        assert_true(at < size);
    }
}

static void test_notation(void **state)
{
    static const struct {
        const char *text;
        rheo_shape in;
        const char *nodes;
        uint64_t parameters;
    } cases[] = {
        {"784-1000-10", {{784}}, "1:dense 1000; 1:lif 1000; 2:dense 10; 2:lif 10", 795010},
        {"in-7-out", {{5}}, "1:dense 7; 1:lif 7; 2:dense 3; 2:lif 3", 5 * 7 + 7 + 7 * 3 + 3},
        {"in-out", {{1, 4, 4}}, "1:dense 3; 1:lif 3", 16 * 3 + 3},
        {"28x28-2", {{1, 28, 28}}, "1:dense 2; 1:lif 2", 1570},
        {"1x28x28-2", {{1, 28, 28}}, "1:dense 2; 1:lif 2", 1570},
        {"4-d0.5-6-d0.25-out",
         {{4}},
         "1:dropout 4; 1:dense 6; 1:lif 6; 2:dropout 6; 2:dense 3; 2:lif 3",
         4 * 6 + 6 + 6 * 3 + 3},
        /* batch normalisation has a gain and an offset each */
        {"4-6b-outb",
         {{4}},
         "1:dense 6; 1:norm 6; 1:lif 6; 2:dense 3; 2:norm 3; 2:lif 3",
         4 * 6 + 6 + 12 + 6 * 3 + 3 + 6},
        /* (28 - 4)/2 = 12, (12 - 4)/2 = 4: Fang et al. 2021 count their nets so */
        {"28x28-12c5-2m-64c5-2a-10",
         {{1, 28, 28}},
         "1:conv 6912; 1:lif 6912; 1:pool 1728; 2:conv 4096; 2:lif 4096; 2:pool 1024; 3:dense 10; "
         "3:lif 10",
         12 * 25 + 12 + 64 * 12 * 25 + 64 + 10240 + 10},
        {"in-128c3pb-2s-out",
         {{2, 6, 6}},
         "1:conv 4608; 1:norm 4608; 1:lif 4608; 1:pool 1152; 2:dense 3; 2:lif 3",
         128 * 18 + 128 + 2 * 128 + 1152 * 3 + 3},
        {"4-6r-2",
         {{4}},
         "1:dense 6; 1:lif 6; 1.recurrent:dense 6; 2:dense 2; 2:lif 2",
         4 * 6 + 6 + 6 * 6 + 6 * 2 + 2},
        {"2x3x3-4c3pr-5br",
         {{2, 3, 3}},
         "1:conv 36; 1:lif 36; 1.recurrent:conv 36; 2:dense 5; 2:norm 5; 2:lif 5; "
         "2.recurrent:dense 5",
         4 * 18 + 4 + 4 * 36 + 36 * 5 + 5 + 10 + 25},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char nodes[512];
        rheo_net *net =
            net_of(ctx, &(net_text){.net = cases[i].text, .in = cases[i].in, .classes = 3});
        describe(net, nodes, sizeof nodes);
        assert_string_equal(nodes, cases[i].nodes);
        assert_int_equal(rheo_net_parameters(net), cases[i].parameters);
        if (strstr(nodes, "recurrent")) {
            rheo_net_free(net);
            continue;
        }
        assert_int_equal(net->output, net->nodes - 1);
        for (uint32_t e = 0; e < net->edges; e++) { /* a chain */
            assert_int_equal(net->edge[e].from, e);
            assert_int_equal(net->edge[e].to, e + 1);
        }
        rheo_net_free(net);
    }
}

static void test_notation_rates(void **state)
{
    (void)state;
    rheo_net *net = net_of(ctx, &(net_text){.net = "4-d0.5-6-d0.25-2", .in = {{4}}});
    const uint32_t first = net_node(net, "1", "dropout"), second = net_node(net, "2", "dropout");
    assert_float_equal(net->node[first].options.v[0], 0.5, 0);
    assert_float_equal(net->node[second].options.v[0], 0.25, 0);
    rheo_net_free(net);
}

typedef struct refusal {
    const char *net;
    rheo_status status;
    const char *says;
} refusal;

static void refuse_all(const refusal *cases, size_t count)
{
    const size_t before = rheo_memory_used(ctx).now;
    for (size_t i = 0; i < count; i++) {
        rheo_net *net = NULL;
        const net_text text = {.net = cases[i].net, .in = {{4}}, .classes = 3};
        const rheo_status status = net_make(ctx, &text, &net);
        if (status != cases[i].status || !strstr(rheo_error(ctx), cases[i].says))
            fail_msg("'%s': status %d, '%s' lacks '%s'", cases[i].net, (int)status, rheo_error(ctx),
                     cases[i].says);
        if (!strstr(rheo_error(ctx), "net") && !strstr(rheo_error(ctx), "test"))
            fail_msg("'%s' does not say where", rheo_error(ctx));
        assert_null(net);
        assert_int_equal(rheo_memory_used(ctx).now, before);
    }
}

static void test_notation_refused(void **state)
{
    static const refusal cases[] = {
        {"4-12c-2", RHEO_USAGE, "cannot read '12c'"},
        {"4-12cp-2", RHEO_USAGE, "cannot read '12cp'"},
        {"4-12c5x-2", RHEO_USAGE, "cannot read '12c5x'"},
        {"4-2mb-2", RHEO_USAGE, "cannot read '2mb'"},
        {"4-2p-2", RHEO_USAGE, "cannot read '2p'"},
        {"4-30rr-2", RHEO_USAGE, "cannot read '30rr'"},
        {"4-c5-2", RHEO_USAGE, "cannot read 'c5'"},
        {"4-12c5-2", RHEO_SHAPE, "net node 1: a kernel of"},
        {"- dense: {out: 2, recurrent: yes}\n", RHEO_USAGE,
         "recurrent is 'yes', expected none, dense, one-to-one or conv"},
        {"- dense: {out: 2}\n- neuron: {name: a-name-of-thirty-characters-or, recurrent: dense}\n",
         RHEO_USAGE, "is too long for"},
        {"4-32y-2", RHEO_USAGE, "cannot read '32y'"},
        {"4--2", RHEO_USAGE, "cannot read ''"},
        {"4-2-", RHEO_USAGE, "cannot read ''"},
        {"4", RHEO_USAGE, "no layer after its input"},
        {"4-d0.5", RHEO_USAGE, "no layer after its input"},
        {"4-d1-2", RHEO_USAGE, "cannot read 'd1'"},
        {"4-d-2", RHEO_USAGE, "cannot read 'd'"},
        {"4-dx-2", RHEO_USAGE, "cannot read 'dx'"},
        {"\n\n4-0-2", RHEO_USAGE, "test:3: out in layer '1'"},
        {"4-99999999999-2", RHEO_USAGE, "expected"},
        {"4-123456789012345678901234567890-2", RHEO_USAGE, "cannot read"},
        {"out-2", RHEO_USAGE, "cannot read 'out'"},
        {"2x3-2", RHEO_SHAPE, "2x3 = 6 values, but the data have 4"},
        {"5-2", RHEO_SHAPE, "5 = 5 values, but the data have 4"},
        {"99999999999999999999-2", RHEO_SHAPE, "but the data have 4"},
        {"2x9223372036854775810-2", RHEO_SHAPE, "but the data have 4"}, /* 4 modulo 2^64 */
        {"2x-2", RHEO_USAGE, "'2x'"},
        {"x2-2", RHEO_USAGE, "'x2'"},
        {"- input: {size: many}\n- dense: {out: 2}\n", RHEO_USAGE, "'many'"},
    };
    (void)state;
    refuse_all(cases, sizeof cases / sizeof *cases);
}

/* ---- lists ---- */

/* "a>b.port" of all edges */
static void wires(const rheo_net *net, char *out, size_t size)
{
    size_t at = 0;
    out[0] = 0;
    for (uint32_t e = 0; e < net->edges; e++) {
        const rheo_edge *edge = &net->edge[e];
        at += (size_t)snprintf(out + at, size - at, "%s%s>%s.%u", e ? " " : "",
                               net->node[edge->from].name, net->node[edge->to].name, edge->port);
        assert_true(at < size);
    }
}

static void test_lists(void **state)
{
    static const struct {
        const char *net, *nodes, *edges, *output;
    } cases[] = {
        {"- dense: {out: 5}\n- dense: {out: out}\n", /* neurons come by themselves */
         "1:dense 5; 1:relu 5; 2:dense 3; 2:relu 3", "input>1.0 1>1.0 1>2.0 2>2.0", "2"},
        {"- dense: {out: 5}\n- norm:\n- neuron: {model: lif}\n- dense: {name: last, out: 2}\n",
         "1:dense 5; 1:norm 5; 1:lif 5; last:dense 2; 2:relu 2",
         "input>1.0 1>1.0 1>1.0 1>last.0 last>2.0", "2"},
        {"- dense: {name: a, out: 5}\n- neuron: {name: p}\n" /* two paths add into one population */
         "- dense: {name: b, out: 5, from: input, to: p}\n",
         "a:dense 5; p:relu 5; b:dense 5", "input>a.0 a>p.0 input>b.0 b>p.0", "p"},
        {"- dense: {name: a, out: 5}\n- dense: {name: b, out: 2, from: input}\n- output: '1'\n",
         "a:dense 5; 1:relu 5; b:dense 2; 2:relu 2", "input>a.0 a>1.0 input>b.0 b>2.0", "1"},
        {COOK_NET("6", "normalise: 0"),
         "XE:plastic 6; E:conductance-lif 6; EI:one-to-one 6; "
         "I:conductance-lif 6; IE:lateral 6",
         "input>XE.0 XE>E.0 E>EI.0 EI>I.0 I>IE.0 IE>E.1 E>XE.1", "E"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[512];
        const net_text ask = {
            .net = cases[i].net, .neuron = "{model: relu}", .in = {{4}}, .classes = 3};
        rheo_net *net = net_of(ctx, &ask);
        describe(net, text, sizeof text);
        assert_string_equal(text, cases[i].nodes);
        wires(net, text, sizeof text);
        assert_string_equal(text, cases[i].edges);
        assert_string_equal(net->node[net->output].name, cases[i].output);
        rheo_net_free(net);
    }
}

static void test_lists_refused(void **state)
{
    static const refusal cases[] = {
        {"- dense: {out: 2}\n- dens: {out: 3}\n", RHEO_USAGE,
         "test:2: unknown layer 'dens', did you mean dense"},
        {"- source: {}\n", RHEO_USAGE, "test:1: unknown layer 'source'"},
        {"- dense: {out: 2}\n- neuron: {model: lfi}\n", RHEO_USAGE,
         "test:2: unknown neuron model 'lfi', did you mean lif"},
        {"- dense: {out: 2, bais: no}\n", RHEO_USAGE,
         "test:1: unknown key 'bais' in a dense layer; did you mean 'bias'"},
        {"- dense: {out: 2, synapse: stdp-traces}\n", RHEO_USAGE,
         "unknown key 'synapse' in a dense layer"},
        {"- dense: {out: 2}\n- neuron:\n    model: lif\n    bata: 0.5\n", RHEO_USAGE, "test:4"},
        {"- dense: {out: 2}\n- neuron: {model: lif, beta: 2}\n", RHEO_USAGE, "beta"},
        {"- dense:\n    out: [2]\n", RHEO_USAGE, "test:2: out in layer '1': expected one value"},
        {"- plastic: {out: 2, synapse: stdp-trace}\n- neuron: {model: conductance-lif}\n",
         RHEO_USAGE, "unknown synapse 'stdp-trace', did you mean stdp-traces"},
        {"- dense: {out: 2, port: inhibit}\n- neuron: {model: conductance-lif}\n"
         "- lateral: {name: back, to: '1', port: inhibt}\n",
         RHEO_USAGE, "test:3: node '1' has no port 'inhibt'; did you mean inhibit"},
        {"- dense: {out: 2, from: [input, nowhere]}\n", RHEO_USAGE,
         "there is no node 'nowhere' before '1'"},
        {"- dense: {name: me, out: 2, from: me}\n", RHEO_USAGE,
         "there is no node 'me' before 'me'"},
        {"- dense: {out: 2}\n- neuron: {}\n- lateral: {to: later}\n", RHEO_USAGE,
         "to: there is no node 'later' before"},
        {"- dense: {out: 2}\n- output: nobody\n", RHEO_USAGE,
         "test:2: output: there is no node 'nobody'"},
        {"- dense: {out: 2}\n  norm: {}\n", RHEO_USAGE, "expected an item like"},
        {"- dense\n", RHEO_USAGE, "expected an item like"},
        {"- dense: 4\n", RHEO_USAGE, "dense: expected a map of options"},
        {"- dense: {out: 2, name: a.b}\n", RHEO_USAGE, "'a.b' is no node name"},
        {"- dense: {out: 2, name: a-name-of-more-than-thirty-one-characters}\n", RHEO_USAGE,
         "is no node name"},
        {"- lateral: {}\n", RHEO_USAGE, "there is no population"},
        {"- norm: {}\n", RHEO_USAGE, "there is no population"},
        {"[]\n", RHEO_USAGE, "expected 1 to 127 layers, found 0"},
        {"- dense: {name: a, out: 2}\n- neuron: {name: p}\n- dense: {name: b, out: 3, from: input, "
         "to: p}\n",
         RHEO_SHAPE, "'b' gives 3 values but 'p' takes 2"},
        {"- dense: {name: x, out: 2}\n- neuron: {}\n- dense: {name: x, out: 2}\n", RHEO_USAGE,
         "two parameters are called 'x.weight'"},
        {"- dense: {out: 1048576}\n- dense: {out: 1048576}\n", RHEO_SHAPE, "1048576"},
    };
    (void)state;
    refuse_all(cases, sizeof cases / sizeof *cases);
}

/* One layer more than there is room for, and the most that there is. */
static void test_most_layers(void **state)
{
    (void)state;
    char text[8192] = "";
    for (int i = 0; i < 127; i++) strcat(text, "- dense: {out: 4}\n");
    rheo_net *net = net_of(ctx, &(net_text){.net = text, .in = {{4}}});
    assert_int_equal(net->nodes, 255);
    rheo_net_free(net);
    strcat(text, "- dense: {out: 4}\n");
    refuse_all(&(refusal){text, RHEO_USAGE, "expected 1 to 127 layers, found 128"}, 1);
}

/* ---- the public front ---- */

static void test_parse(void **state)
{
    (void)state;
    rheo_net *net = NULL;
    uint32_t rows = 0, cols = 0;
    const rheo_net_options options = {
        .neuron = "if", .threshold = 0.75f, .reset = "zero", .surrogate = "triangular"};
    CHECK_OK(ctx, rheo_net_parse(ctx, "28x28-30-7", &options, &net));
    assert_int_equal(rheo_net_inputs(net), 784);
    assert_int_equal(rheo_net_outputs(net), 7);
    assert_int_equal(rheo_net_parameters(net), 784 * 30 + 30 + 30 * 7 + 7);
    const rheo_node_spec *node = &net->node[net->output];
    assert_string_equal(node->neuron->name, "if");
    assert_float_equal(node->neuron_options.v[rheo__field_index(node->neuron->fields, "threshold")],
                       0.75, 0);
    assert_non_null(rheo_net_parameter(net, "2.weight", &rows, &cols));
    assert_int_equal(rows, 7);
    assert_int_equal(cols, 30);
    /* U(+-1/sqrt(30)) */
    for (uint32_t i = 0; i < 210; i++)
        assert_true(fabsf(rheo_net_parameter(net, "2.weight", NULL, NULL)[i]) <= 0.18258f);
    assert_null(rheo_net_parameter(net, "3.weight", NULL, NULL));
    assert_null(rheo_net_parameter(net, "2.delay", NULL, NULL));
    assert_null(rheo_net_parameter(net, "weight", NULL, NULL));
    rheo_net_free(net);
    static const struct {
        const char *text;
        rheo_net_options options;
        rheo_status status;
        const char *says;
    } cases[] = {
        {"in-10", {0}, RHEO_USAGE, "expected the input's size first"},
        {"", {0}, RHEO_USAGE, "expected the input's size first"},
        {"0-10", {0}, RHEO_USAGE, "expected the input's size first"},
        {"784-out", {0}, RHEO_USAGE, "out"},
        {"999999999-10", {0}, RHEO_SHAPE, "too large"},
        {"18446744073709551616-10", {0}, RHEO_SHAPE, "too large"},
        {"4-2", {.neuron = "liff"}, RHEO_USAGE, "did you mean lif"},
        {"4-2", {.reset = "zeros"}, RHEO_USAGE, "zero"},
        {"4-2", {.surrogate = "atn"}, RHEO_USAGE, "atan"},
        {"4-2", {.beta = 1.5f}, RHEO_USAGE, "beta"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        net = NULL;
        CHECK_FAILS(ctx, rheo_net_parse(ctx, cases[i].text, &cases[i].options, &net),
                    cases[i].status, cases[i].says);
        assert_null(net);
    }
}

/* ---- copies, other neurons, faults ---- */

static void same_parameters(const rheo_net *a, const rheo_net *b, bool same)
{
    assert_int_equal(a->params, b->params);
    for (uint32_t p = 0; p < a->params; p++) {
        const size_t size = (size_t)a->param[p].rows * a->param[p].cols * sizeof(float);
        assert_string_equal(a->param[p].node, b->param[p].node);
        assert_ptr_not_equal(a->param[p].value, b->param[p].value);
        if (same)
            assert_memory_equal(a->param[p].value, b->param[p].value, size);
        else
            assert_memory_not_equal(a->param[p].value, b->param[p].value, size);
    }
}

static float *outputs(rheo_net *net, uint32_t T, uint32_t B)
{
    rheo_plan *plan = NULL;
    float *x = numbers(3, 1, (size_t)T * B * rheo_net_inputs(net));
    float *y = room((size_t)T * B * rheo_net_outputs(net), sizeof *y);
    CHECK_OK(ctx, rheo_plan_new(net, &(rheo_plan_options){.steps = T, .batch = B}, &plan));
    CHECK_OK(ctx, rheo_forward(plan, x, y));
    rheo_plan_free(plan);
    free(x);
    return y;
}

static void test_clone(void **state)
{
    static const char *const nets[] = {"20-30b-d0.5-7", COOK_NET("7", "normalise: 3")};
    enum { T = 40, B = 2, M = 7 };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const net_text text = {.net = nets[i], .in = {{20}}, .dt = 0.5};
        rheo_net *net = net_of(ctx, &text), *copy = NULL, *twin = net_of(ctx, &text);
        CHECK_OK(ctx, rheo__net_clone(net, &copy));
        same_parameters(net, copy, true);
        same_parameters(net, twin, true); /* one seed, one net */
        char a[512], b[512];
        describe(net, a, sizeof a), describe(copy, b, sizeof b);
        assert_string_equal(a, b);
        for (uint32_t n = 0; n < net->nodes; n++)
            for (uint32_t p = 0; p < net->node[n].params; p++) {
                const ptrdiff_t at = copy->node[n].param[p] - copy->param;
                assert_true(at >= 0 && at < copy->params);
                assert_int_equal(at, net->node[n].param[p] - net->param);
            }
        float *x = outputs(net, T, B), *y = outputs(copy, T, B);
        assert_true(total(x, T * B * M) > 0);
        assert_memory_equal(x, y, T * B * M * sizeof *x);
        for (uint32_t p = 0; p < copy->params; p++) copy->param[p].value[0] += 1;
        same_parameters(net, copy, false);
        same_parameters(net, twin, true);
        rheo_net_free(net);
        float *z = outputs(copy, T, B); /* lives without the original */
        free(x), free(y), free(z);
        rheo_net_free(copy), rheo_net_free(twin);
    }
    rheo_net *one = net_of(ctx, &(net_text){.net = "20-30-7", .in = {{20}}});
    rheo_net *two = net_of(ctx, &(net_text){.net = "20-30-7", .in = {{20}}, .seed = 2});
    same_parameters(one, two, false);
    rheo_net_free(one), rheo_net_free(two);
}

static void test_set_neuron(void **state)
{
    (void)state;
    const rheo_neuron *spiking = rheo__neuron_find("if"),
                      *cook = rheo__neuron_find("conductance-lif");
    rheo_options options = rheo__field_defaults(spiking->fields),
                 other = rheo__field_defaults(cook->fields);
    rheo_net *net =
        net_of(ctx, &(net_text){.net = "4-5-2", .neuron = "{model: relu}", .in = {{4}}});
    const uint32_t node = net_node(net, "1", "neuron");
    CHECK_OK(ctx, rheo__net_set_neuron(net, node, spiking, &options));
    assert_string_equal(net->node[node].neuron->name, "if");
    CHECK_FAILS(ctx, rheo__net_set_neuron(net, node, cook, &other), RHEO_UNSUPPORTED,
                "cannot be put in");
    CHECK_FAILS(ctx, rheo__net_set_neuron(net, net_node(net, "1", "dense"), spiking, &options),
                RHEO_USAGE, "'1' is no population");
    assert_string_equal(net->node[node].neuron->name, "if");
    rheo_net_free(net);
    net = net_of(ctx, &(net_text){.net = COOK_NET("3", "normalise: 0"), .in = {{4}}});
    CHECK_FAILS(ctx, rheo__net_set_neuron(net, net_node(net, "E", "neuron"), spiking, &options),
                RHEO_UNSUPPORTED, "has state that lasts");
    rheo_net_free(net);
}

static rheo_status build_and_copy(rheo_context *faulty, void *text)
{
    rheo_net *net = NULL, *copy = NULL;
    rheo_status status = net_make(faulty, text, &net);
    if (status) return status;
    status = rheo__net_clone(net, &copy);
    rheo_net_free(net);
    rheo_net_free(copy);
    return status;
}

static rheo_status parse(rheo_context *faulty, void *text)
{
    rheo_net *net = NULL;
    rheo_status status = rheo_net_parse(faulty, text, &(rheo_net_options){.beta = 0.5f}, &net);
    rheo_net_free(net);
    return status;
}

static void test_faults(void **state)
{
    (void)state;
    net_text list = {.net = COOK_NET("3", "normalise: 1"), .in = {{4}}};
    net_text notation = {.net = "4-d0.5-6b-out", .in = {{4}}, .classes = 3};
    faults_sweep(build_and_copy, &list);
    faults_sweep(build_and_copy, &notation);
    faults_sweep(parse, (char[]){"4-6b-2"});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_notation),
        cmocka_unit_test(test_notation_rates),
        cmocka_unit_test(test_notation_refused),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_lists_refused),
        cmocka_unit_test(test_most_layers),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_clone),
        cmocka_unit_test(test_set_neuron),
        cmocka_unit_test(test_faults),
    };
    return cmocka_run_group_tests(tests, open_context, close_context);
}
