/* Energy tables, chips, and what a graph says about hardware. Oracles: arithmetic on published
 * figures (Horowitz 2014; 784-1200-1200-10 has 2,392,800 weights, Diehl et al. 2015). */
#include "cost/cost.h"
#include "nets.h"

static void test_energy(void **state)
{
    (void)state;
    const struct {
        const char *table;
        double macs, acs, updates, nj;
    } cases[] = {
        {"45nm", 1000, 0, 0, 4.6},          {"45nm", 0, 1000, 0, 0.9},
        {"45nm", 2e6, 3e6, 5e9, 11900}, /* updates: no figure in the source, not counted */
        {"45nm-int32", 1000, 1000, 0, 3.3}, {"loihi", 0, 1e6, 0, 23600},
        {"truenorth", 0, 1e6, 0, 2500},     {"spinnaker2", 0, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const rheo_energy_table *t = rheo__energy_find(cases[i].table);
        assert_non_null(t);
        /* three products and two sums of rounded figures */
        CHECK_NEAR(rheo__energy_nj(t, cases[i].macs, cases[i].acs, cases[i].updates), cases[i].nj,
                   4e-15 * (1 + cases[i].nj));
    }
    /* a chip has no MAC: a net that needs one has no figure there */
    assert_true(isnan(rheo__energy_nj(rheo__energy_find("loihi"), 1, 0, 0)));
    assert_null(rheo__energy_find("45 nm"));
}

static void test_tables_are_whole(void **state)
{
    (void)state;
    uint32_t n = 0;
    for (const rheo_energy_table *t; (t = rheo__energy_at(n)); n++) {
        assert_true(t->ac > 0 && strlen(t->source) > 10);
        assert_ptr_equal(rheo__energy_find(t->name), t); /* names are unique */
    }
    assert_int_equal(n, 12);
    for (n = 0; rheo__chip_at(n); n++) {
        const rheo_chip *c = rheo__chip_at(n);
        assert_true(c->neurons > 0 && c->synapses > c->neurons && strlen(c->source) > 10);
    }
    assert_true(n >= 8 && n < 16); /* rheo_hardware.chips holds 15 */
}

/* ---- nets made by hand ---- */

static const rheo_state_field one_state[] = {{"v", "1", "membrane", RHEO_SCOPE_SAMPLE},
                                             {NULL, NULL, NULL, RHEO_SCOPE_SAMPLE}};
static const rheo_neuron if_neuron = {.name = "if", .out = RHEO_BITS, .states = one_state};
static const rheo_neuron lif_neuron = {
    .name = "lif", .out = RHEO_BITS, .states = one_state, .multiplies = 1};
static const rheo_neuron relu_neuron = {.name = "relu", .out = RHEO_REAL, .stateless = true};
static const rheo_neuron sign_neuron = {
    .name = "sign", .out = RHEO_BITS, .lo = -1, .hi = 1, .stateless = true};
static const char *const weight_kinds[] = {"real", "binary", NULL};
static const rheo_field weight_fields[] = {RHEO_CHOICE_FIELD("weights", 0, weight_kinds, "kind"),
                                           RHEO_FIELD_END};
static const rheo_layer source = {.name = "source", .kind = RHEO_SOURCE};
static const rheo_layer dense = {.name = "dense", .kind = RHEO_PROJECTION, .fields = weight_fields};
static const rheo_layer norm = {.name = "norm", .kind = RHEO_MAPPING};
static const rheo_layer population = {.name = "neuron", .kind = RHEO_POPULATION};

typedef struct hand {
    rheo_net net;
    rheo_node_spec node[16];
    rheo_edge edge[16];
    rheo_param param[16];
} hand;

static uint16_t add(hand *h, const rheo_layer *layer, uint32_t in, uint32_t out,
                    const rheo_neuron *neuron, int from)
{
    uint16_t n = (uint16_t)h->net.nodes++;
    h->node[n] = (rheo_node_spec){
        .layer = layer, .neuron = neuron, .in = {{in, 1, 1}}, .out = {{out, 1, 1}}, .index = n};
    if (from >= 0) h->edge[h->net.edges++] = (rheo_edge){(uint16_t)from, n, 0};
    return n;
}

static void add_param(hand *h, uint16_t node, const char *name, uint32_t rows, uint32_t cols)
{
    rheo_param *p = &h->param[h->net.params++];
    *p = (rheo_param){.rows = rows, .cols = cols, .trained = true};
    strcpy(p->name, name);
    h->node[node].param[h->node[node].params++] = p;
}

/* sizes ends with 0 */
static void feed_forward(hand *h, const uint32_t *sizes, const rheo_neuron *neuron, bool bias,
                         bool maps)
{
    memset(h, 0, sizeof *h);
    h->net.node = h->node;
    h->net.edge = h->edge;
    h->net.param = h->param;
    uint16_t at = add(h, &source, sizes[0], sizes[0], NULL, -1);
    for (; sizes[1]; sizes++) {
        at = add(h, &dense, sizes[0], sizes[1], NULL, at);
        add_param(h, at, "weight", sizes[0], sizes[1]);
        if (bias) add_param(h, at, "bias", 1, sizes[1]);
        if (maps) at = add(h, &norm, sizes[1], sizes[1], NULL, at);
        at = add(h, &population, sizes[1], sizes[1], neuron, at);
    }
}

static void test_macs(void **state)
{
    (void)state;
    const struct {
        uint32_t sizes[8];
        uint64_t macs;
    } cases[] = {{{784, 1200, 1200, 10}, 2392800}, /* 784*1200 + 1200*1200 + 1200*10 */
                 {{784, 1000, 10}, 794000},
                 {{784, 1024, 1024, 1024, 10}, 2910208},
                 {{1, 1}, 1}};
    static hand h;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int maps = 0; maps < 2; maps++) {
            feed_forward(&h, cases[i].sizes, &if_neuron, false, maps);
            assert_int_equal(rheo__macs_without_spikes(&h.net), cases[i].macs);
        }
}

static bool fits(const rheo_hardware *hw, const char *chip)
{
    for (uint32_t i = 0; hw->chips[i]; i++)
        if (!strcmp(hw->chips[i], chip)) return true;
    return false;
}

static void test_hardware(void **state)
{
    (void)state;
    static hand h;
    rheo_hardware hw;
    const uint32_t sizes[] = {784, 1200, 1200, 10, 0};
    feed_forward(&h, sizes, &if_neuron, false, true);
    rheo__hardware(&h.net, "nothing", false, &hw);
    assert_int_equal(hw.parameters, 2392800);
    assert_int_equal(hw.parameter_bits, 32 * 2392800);
    assert_int_equal(hw.neurons, 2410);
    assert_int_equal(hw.synapses, 2392800);
    assert_int_equal(hw.fan_in, 1200); /* through the norm */
    assert_int_equal(hw.states, 1);
    assert_false(hw.multiplies);
    assert_true(hw.event_driven);
    assert_false(hw.learns_on_chip);
    assert_string_equal(hw.learning, "nothing");
    assert_true(fits(&hw, "Loihi"));
    assert_false(fits(&hw, "TrueNorth")); /* fan-in 1200 > 256 */
    assert_false(fits(&hw, "ODIN"));      /* 2410 neurons > 256 */

    feed_forward(&h, sizes, &lif_neuron, true, false);
    rheo__hardware(&h.net, "local traces", true, &hw);
    assert_int_equal(hw.parameters, 2392800 + 2410);
    assert_true(hw.multiplies && !hw.event_driven && hw.learns_on_chip);

    const uint32_t small[] = {200, 100, 10, 0};
    feed_forward(&h, small, &if_neuron, false, false);
    rheo__hardware(&h.net, "nothing", false, &hw);
    assert_true(fits(&hw, "TrueNorth") && fits(&hw, "ODIN") && fits(&hw, "ROLLS"));
    feed_forward(&h, small, &relu_neuron, false, false);
    rheo__hardware(&h.net, "nothing", false, &hw);
    assert_null(hw.chips[0]); /* real values are no spikes */
    assert_true(hw.multiplies && !hw.event_driven);

    /* +1/-1 units: no multiplications, no spikes; a bit a weight, 32 a bias */
    feed_forward(&h, small, &sign_neuron, true, false);
    for (uint32_t n = 0; n < h.net.nodes; n++) h.node[n].options.v[0] = 1;
    rheo__hardware(&h.net, "transported weights", false, &hw);
    assert_int_equal(hw.parameter_bits, 200 * 100 + 100 * 10 + 32 * 110);
    assert_true(!hw.multiplies && !hw.event_driven && !hw.chips[0]);
}

/* The local net's pattern: 784 -> 100 all, 100 -> 100 one to one, 100 -> 100 all but its own. */
static void test_patterns(void **state)
{
    (void)state;
    static hand h;
    rheo_hardware hw;
    const uint32_t sizes[] = {784, 100, 0};
    feed_forward(&h, sizes, &lif_neuron, false, false);
    uint16_t excitatory = (uint16_t)(h.net.nodes - 1);
    uint16_t to = add(&h, rheo__layer_find("one-to-one"), 100, 100, NULL, excitatory);
    uint16_t inhibitory = add(&h, &population, 100, 100, &lif_neuron, to);
    uint16_t back = add(&h, rheo__layer_find("lateral"), 100, 100, NULL, inhibitory);
    h.edge[h.net.edges++] = (rheo_edge){back, excitatory, 1};
    rheo__hardware(&h.net, "local traces", true, &hw);
    assert_int_equal(hw.synapses, 784 * 100 + 100 + 99 * 100);
    assert_int_equal(hw.fan_in, 784 + 99);
    assert_int_equal(hw.neurons, 200);
    assert_int_equal(rheo__macs_without_spikes(&h.net), 784 * 100 + 100 + 99 * 100);
}

/* ---- nets as users write them ---- */

/* By hand. 1x6x6, kernel 3 with a zero all round: an axis has 2 + 4*3 + 2 = 16 pairs of a place and
 * a tap. 5 places, stride 2, no padding: 2 positions of 3 taps. The transpose of kernel 4, stride 2
 * and padding 1 from 3 places to 6: the ends are reached by one tap, the four between by two. */
static void test_real_nets(void **state)
{
    static const struct {
        const char *net;
        uint32_t in[3];
        uint64_t synapses, bits, neurons;
        uint32_t fan_in, weight_bits;
    } cases[] = {
        {"[{dense: {out: 7, bias: false}}, {neuron: {model: if}}]", {5}, 35, 35 * 32, 7, 5, 0},
        {"[{conv: {out: 4, padding: 1}}, {neuron: {model: if}}]",
         {1, 6, 6},
         4 * 16 * 16,
         (4 * 9 + 4) * 32,
         144,
         9,
         0},
        {"[{conv: {out: 4, stride: 2, bias: false, groups: 2}}, {neuron: {model: if}}]",
         {2, 5, 5},
         4 * 1 * 6 * 6,
         4 * 9 * 32,
         16,
         9,
         0},
        {"[{conv-transpose: {out: 3, kernel: 4, stride: 2, padding: 1, bias: false}}, "
         "{neuron: {model: if}}]",
         {2, 3, 3},
         3 * 2 * 10 * 10,
         2 * 3 * 16 * 32,
         108,
         2 * 4,
         0},
        {"[{conv: {out: 4, padding: 1, bias: false}}, {norm: {}}, {neuron: {model: if}}, "
         "{conv: {out: 2, bias: false, weights: quantised, bits: 5}}, {neuron: {model: if}}]",
         {1, 6, 6},
         4 * 16 * 16 + 2 * 4 * 9 * 16,
         4 * 9 * 32 + 2 * 4 * 32 + 2 * 4 * 9 * 5 + 32,
         144 + 32,
         36,
         5},
        {"[{dense: {out: 7, bias: false, weights: ternary}}, {neuron: {model: if}}]",
         {5},
         35,
         35 * 2 + 32,
         7,
         5,
         2},
        {"[{dense: {out: 7, bias: false, weights: binary, scaled: true}}, {neuron: {model: if}}]",
         {5},
         35,
         35 + 7 * 32,
         7,
         5,
         1},
        {"[{dense: {out: 6, bias: false, recurrent: one-to-one}}, {neuron: {model: if}}]",
         {5},
         30 + 6,
         36 * 32,
         6,
         6,
         0},
    };
    (void)state;
    rheo_context *ctx = check_context(1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        net_text text = {.net = cases[i].net};
        for (int d = 0; d < 3; d++) text.in.dim[d] = cases[i].in[d] ? cases[i].in[d] : 1;
        rheo_net *net = net_of(ctx, &text);
        rheo_hardware hw;
        rheo__hardware(net, "nothing", false, &hw);
        if (hw.synapses != cases[i].synapses || hw.fan_in != cases[i].fan_in)
            fail_msg("%s: %llu synapses, %u onto one", cases[i].net,
                     (unsigned long long)hw.synapses, hw.fan_in);
        assert_int_equal(hw.parameter_bits, cases[i].bits);
        assert_int_equal(hw.neurons, cases[i].neurons);
        assert_int_equal(hw.weight_bits, cases[i].weight_bits);
        assert_int_equal(rheo__macs_without_spikes(net), cases[i].synapses);
        rheo_net_free(net);
    }
    rheo_context_free(ctx);
}

/* 256 inputs onto one neuron are TrueNorth's most; Loihi's weights have 9 bits, ODIN's 4. */
static void test_limits(void **state)
{
    static const struct {
        const char *net;
        uint32_t in;
        const char *chip;
        bool fits;
    } cases[] = {
        {"[{dense: {out: 7, bias: false}}, {neuron: {model: if}}]", 256, "TrueNorth", true},
        {"[{dense: {out: 7, bias: false}}, {neuron: {model: if}}]", 257, "TrueNorth", false},
        {"[{dense: {out: 7, weights: quantised, bits: 9}}, {neuron: {model: if}}]", 9, "Loihi",
         true},
        {"[{dense: {out: 7, weights: quantised, bits: 10}}, {neuron: {model: if}}]", 9, "Loihi",
         false},
        {"[{dense: {out: 7, weights: quantised, bits: 4}}, {neuron: {model: if}}]", 9, "ODIN",
         true},
        {"[{dense: {out: 7, weights: quantised, bits: 5}}, {neuron: {model: if}}]", 9, "ODIN",
         false},
        {"[{dense: {out: 7}}, {neuron: {model: if}}]", 9, "ODIN", true}, /* would be rounded */
        {"[{dense: {out: 7}}, {spiking-lstm: {out: 7}}]", 9, "Loihi", false},
        {"[{dense: {out: 7}}, {temporal-attention: {name: a, steps: 8}}, {neuron: {model: if}}]", 9,
         "Loihi", false},
        {"[{dense: {out: 7}}, {parallel-spiking: {name: p, steps: 8}}]", 9, "Loihi", false},
    };
    (void)state;
    rheo_context *ctx = check_context(1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rheo_net *net = net_of(ctx, &(net_text){.net = cases[i].net, .in = {{cases[i].in, 1, 1}}});
        rheo_hardware hw;
        rheo__hardware(net, "nothing", false, &hw);
        if (fits(&hw, cases[i].chip) != cases[i].fits)
            fail_msg("%s of %u on %s", cases[i].net, cases[i].in, cases[i].chip);
        rheo_net_free(net);
    }
    rheo_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_energy),   cmocka_unit_test(test_tables_are_whole),
        cmocka_unit_test(test_macs),     cmocka_unit_test(test_hardware),
        cmocka_unit_test(test_patterns), cmocka_unit_test(test_real_nets),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
