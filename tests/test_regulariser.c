/* Regularisers: values by hand, gradients against central differences, on spikes and membranes. */
#include "check.h"
#include "base/random.h"
#include "loss/regulariser.h"

enum { T = 5, B = 3, N = 4, ROWS = T * B };

typedef struct bench {
    float out[ROWS * 16], v[ROWS * 16], gout[B * 16], gv[ROWS * 16];
    rheo_signal s, m, gs, gm;
    double scratch[N];
    rheo_options options;
    rheo_regularise call;
} bench;

static void set_up(bench *k, const rheo_regulariser *r)
{
    *k = (bench){.options = rheo__field_defaults(r->fields)};
    k->s = (rheo_signal){
        .form = RHEO_REAL, .T = T, .B = B, .N = N, .pitch = 16, .stride_t = B * 16, .hi = 1};
    k->m = k->gs = k->gm = k->s;
    k->s.real = k->out, k->m.real = k->v, k->gm.real = k->gv;
    k->gs.real = k->gout, k->gs.T = 1, k->gs.stride_t = 0;
    rheo__fill_uniform(rheo__key(5, 0, RHEO_FOR_TEST), 0, 0, 1, k->out, ROWS * 16);
    rheo__fill_uniform(rheo__key(6, 0, RHEO_FOR_TEST), 0, -1, 0.8f, k->v, ROWS * 16);
    for (uint32_t t = 0; t < T && !strcmp(r->name, "force"); t++)
        k->out[(t * B + 1) * 16 + 2] = 0; /* neuron 2 is silent in sample 1 */
    k->options.v[RHEO_REGULARISE_STRENGTH] = 3;
    k->call = (rheo_regularise){.options = &k->options,
                                .B = B,
                                .out = &k->s,
                                .v = &k->m,
                                .gout = &k->gs,
                                .gv = &k->gm,
                                .scratch = k->scratch};
}

static void check_gradient(const rheo_regulariser *r, const char *field, double value, int of)
{
    static bench k, other;
    const float h = 0x1p-10f; /* exact in float; the penalties are quadratic at most */
    set_up(&k, r);
    const int at = field ? rheo__field_index(r->fields, field) : -1;
    const int what = rheo__field_index(r->fields, "of");
    if (at >= 0) k.options.v[at] = value;
    if (what >= 0) k.options.v[what] = of;
    other = k;
    const double here = r->value(&k.call);
    assert_true(here > 0);
    const bool membrane = r->membrane(&k.options);
    double pushed = 0;
    other.call.options = &k.options, other.call.out = &other.s, other.call.v = &other.m;
    other.call.gout = &other.gs, other.call.gv = &other.gm, other.call.scratch = other.scratch;
    other.s.real = other.out, other.m.real = other.v;
    other.gs.real = other.gout, other.gm.real = other.gv;
    for (uint32_t t = 0; t < T; t++)
        for (uint32_t b = 0; b < B; b++)
            for (uint32_t i = 0; i < N; i++) {
                float *x = (membrane ? other.v : other.out) + (t * B + b) * 16 + i, was = *x;
                if (membrane && !strcmp(r->name, "force") && !(b == 1 && i == 2)) continue;
                *x = was + h;
                const double up = r->value(&other.call), high = (double)*x;
                *x = was - h;
                const double down = r->value(&other.call), low = (double)*x;
                *x = was;
                const double g =
                    (double)(membrane ? k.gv[(t * B + b) * 16 + i] : k.gout[b * 16 + i]);
                if (fabs(g - (up - down) / (high - low)) > 1e-5)
                    fail_msg("%s: %.9g, differences say %.9g", r->name, g,
                             (up - down) / (high - low));
                pushed += fabs(g);
            }
    assert_true(pushed > 0);
}

static void gradients(void **state)
{
    (void)state;
    for (int of = 0; of < 2; of++) {
        check_gradient(rheo__regulariser_find("sparse"), "power", 1, of);
        check_gradient(rheo__regulariser_find("sparse"), "power", 2, of);
        check_gradient(rheo__regulariser_find("upper"), "bound", of ? -0.3 : 0.4, of);
        check_gradient(rheo__regulariser_find("lower"), "bound", of ? 0.2 : 0.6, of);
    }
    check_gradient(rheo__regulariser_find("force"), NULL, 0, 0);
}

/* Two samples, two steps, three neurons; spikes by bits: counts 2 0 1 and 0 0 0. */
static void by_hand(void **state)
{
    uint64_t bits[4] = {1, 0, 5, 0};
    float v[4 * 16] = {0}, gout[2 * 16], gv[4 * 16];
    double scratch[3];
    rheo_signal s = {.form = RHEO_BITS, .T = 2, .B = 2, .N = 3, .pitch = 1, .stride_t = 2, .hi = 1};
    rheo_signal m = {.form = RHEO_REAL, .T = 2, .B = 2, .N = 3, .pitch = 16, .stride_t = 32};
    rheo_signal gm = m, gs = {.form = RHEO_REAL, .T = 1, .B = 2, .N = 3, .pitch = 16};
    s.bits = bits, m.real = v, gs.real = gout, gm.real = gv;
    v[1] = 0.25f, v[32 + 1] = 0.5f; /* sample 0, neuron 1: nearest at step 1 */
    v[16] = 2;                      /* sample 1, neuron 0: above the bound without a spike */
    static const struct {
        const char *name, *field;
        double bound, value, g0, g1;
    } rows[] = {
        {"sparse", "power", 1, 1.5, 0.5, 0.5},
        {"sparse", "power", 2, 2.5, 2, 0}, /* 4 + 1; slope 2 c */
        /* a rate of 0.5 in sample 0, 0.2 too much; each of 6 has its share */
        {"upper", "bound", 0.3, 0.02, 0.2 / 6, 0},
        /* rates 1 0 0.5 and 0 0 0 below 0.6: 0.36 + 0.01 + 3 * 0.36, over 6 */
        {"lower", "bound", 0.6, 1.45 / 6, 0, -2 * 0.6 / 2 / 6},
        /* lacks 1 - 0.5; sample 1: none (2), 1, 1 */
        {"force", "bound", 1, 2.5 / 6, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const rheo_regulariser *r = rheo__regulariser_find(rows[i].name);
        assert_non_null(r);
        rheo_options options = rheo__field_defaults(r->fields);
        options.v[RHEO_REGULARISE_STRENGTH] = 1;
        options.v[rheo__field_index(r->fields, rows[i].field)] = rows[i].bound;
        memset(gout, 0, sizeof gout), memset(gv, 0, sizeof gv);
        const rheo_regularise call = {.options = &options,
                                      .B = 2,
                                      .out = &s,
                                      .v = &m,
                                      .gout = &gs,
                                      .gv = &gm,
                                      .scratch = scratch};
        CHECK_NEAR(r->value(&call), rows[i].value, 1e-12);
        CHECK_NEAR((double)gout[0], rows[i].g0, 1e-7);
        CHECK_NEAR((double)gout[16], rows[i].g1, 1e-7);
        const bool force = !strcmp(rows[i].name, "force");
        CHECK_NEAR((double)gv[32 + 1], force ? -1.0 / 6 : 0, 1e-7);
        CHECK_NEAR((double)gv[1], 0, 0);
    }
}

static void table(void **state)
{
    uint32_t n = 0;
    (void)state;
    for (const rheo_regulariser *r; (r = rheo__regulariser_at(n)); n++) {
        assert_string_equal(rheo__regulariser_names[n], r->name);
        assert_string_equal(r->fields[RHEO_REGULARISE_STRENGTH].name, "strength");
        assert_string_equal(r->fields[RHEO_REGULARISE_LAYERS].name, "layers");
        assert_true(*r->title && *r->equations && *r->source);
    }
    assert_int_equal(n, 4);
    assert_null(rheo__regulariser_find("none"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(table), cmocka_unit_test(by_hand),
                                       cmocka_unit_test(gradients)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
