/* test_loss.c: losses against values worked out by hand, their gradients against central
 * differences, the engine's form against the plain doubles; populations and lengths in all of them.
 * Recorded arrays: test_loss_oracles.c. */
#include "check.h"
#include "base/random.h"
#include "loss/loss.h"

enum { T = 4, B = 3, C = 6 };

typedef struct bench {
    rheo_signal x, g;
    float values[T * B * 16], gradient[T * B * 16], scratch[256];
    uint64_t bits[T * B];
    rheo_options options;
    double plain[T * B * C]; /* [T,B,C] */
    rheo_loss_call call;
} bench;

static const uint32_t labels[B] = {2, 0, 1}, lengths[B] = {3, 4, 1};

/* 0: a neuron a class; 1: sums of two; 2: means of two; with lengths from 3 on; 6: real targets */
enum { KINDS = 7 };

static void set_up(bench *s, const rheo_loss *loss, bool bits, bool fixed, int kind)
{
    static float targets[B * C];
    *s = (bench){0};
    s->options = rheo__field_defaults(loss->fields);
    for (uint32_t i = 0; loss->fields[i].name; i++) /* other than the defaults */
        if (!strcmp(loss->fields[i].name, "scale")) s->options.v[i] = 0.7;
    s->x = (rheo_signal){.form = bits ? RHEO_BITS : RHEO_REAL, .T = T, .B = B, .N = C, .hi = 1};
    s->x.pitch = bits ? 1 : 16;
    s->x.stride_t = fixed ? 0 : (size_t)B * s->x.pitch;
    s->g = s->x;
    s->g.form = RHEO_REAL;
    s->g.pitch = 16;
    s->g.stride_t = fixed ? 0 : (size_t)B * 16;
    s->g.real = s->gradient;
    if (bits)
        s->x.bits = s->bits;
    else
        s->x.real = s->values;
    memset(s->gradient, 0x55, sizeof s->gradient); /* overwritten, not added to */
    rheo__fill_uniform(rheo__key(3, 0, RHEO_FOR_TEST), 0, -2, 2, s->values, T * B * 16);
    rheo__fill_uniform(rheo__key(4, 0, RHEO_FOR_TEST), 0, -1, 1, targets, B * C);
    for (uint32_t i = 0; i < T * B; i++) s->bits[i] = (i * 7 + 3) % 64;
    for (uint32_t t = 0; t < T; t++)
        for (uint32_t b = 0; b < B; b++)
            for (uint32_t c = 0; c < C; c++)
                s->plain[(t * B + b) * C + c] = (double)rheo__signal_get(&s->x, t, b, c);
    s->call = (rheo_loss_call){.options = &s->options,
                               .dt = 2,
                               .T = T,
                               .B = B,
                               .C = C,
                               .classes = kind % 3 ? 3 : 0,
                               .mean = kind % 3 == 2,
                               .label = labels,
                               .length = kind >= 3 ? lengths : NULL,
                               .target = kind == 6 ? targets : NULL,
                               .scratch = s->scratch};
    assert_true(rheo__loss_need(T, C) <= 256);
    if (loss->uses_readout)
        s->call.readout = &s->x, s->call.greadout = &s->g;
    else
        s->call.out = &s->x, s->call.gout = &s->g;
}

static void check_engine(const rheo_loss *loss, bool bits, bool fixed, int kind)
{
    static bench s;
    double grad[T * B * C];
    set_up(&s, loss, bits, fixed, kind);
    const double value = rheo__loss_value(loss, &s.call);
    const double expected = rheo__loss_reference(loss, &s.call, s.plain, grad);
    CHECK_NEAR(value, expected, 1e-12 * fabs(expected)); /* both double */
    for (uint32_t b = 0; b < B; b++)
        for (uint32_t c = 0; c < C; c++) {
            double sum = 0, most = 0; /* a static signal's gradient is that of all steps */
            for (uint32_t t = 0; t < T; t++) {
                const double g = grad[(t * B + b) * C + c];
                sum += g, most = fmax(most, fabs(g));
                if (kind >= 3 && t >= lengths[b]) assert_true(g == 0);
                if (!fixed) CHECK_NEAR((double)rheo__real_row(&s.g, t, b)[c], g, fabs(g) * 0x1p-23);
            }
            if (fixed)
                CHECK_NEAR((double)rheo__real_row(&s.g, 0, b)[c], sum, most * 8 * T * 0x1p-23);
        }
    s.call.gout = s.call.greadout = NULL; /* the value alone */
    CHECK_NEAR(rheo__loss_value(loss, &s.call), value, 0);
    CHECK_NEAR(rheo__loss_reference(loss, &s.call, s.plain, NULL), expected, 0);
}

static void test_engine(void **state)
{
    (void)state;
    for (uint32_t n = 0; rheo__loss_at(n); n++)
        for (int kind = 0; kind < KINDS; kind++)
            for (int form = 0; form < 4; form++) {
                const rheo_loss *loss = rheo__loss_at(n);
                if ((form & 1) && loss->uses_readout) continue;
                check_engine(loss, form & 1, form & 2, kind);
            }
}

static void check_differences(const rheo_loss *loss, int kind)
{
    static bench s;
    double grad[T * B * C];
    const double h = 1e-5; /* errs by h^2 and 2^-52 / h: 1e-10 both, times the loss */
    set_up(&s, loss, false, false, kind);
    const double most = fmax(1, rheo__loss_reference(loss, &s.call, s.plain, grad));
    double pushed = 0;
    for (uint32_t i = 0; i < T * B * C; i++) {
        const double at = s.plain[i];
        s.plain[i] = at + h;
        const double up = rheo__loss_reference(loss, &s.call, s.plain, NULL);
        s.plain[i] = at - h;
        const double down = rheo__loss_reference(loss, &s.call, s.plain, NULL);
        s.plain[i] = at;
        if (!(fabs(grad[i] - (up - down) / (2 * h)) <= 1e-8 * most))
            fail_msg("%s, kind %d: gradient %u is %.9g, differences say %.9g", loss->name, kind, i,
                     grad[i], (up - down) / (2 * h));
        pushed += fabs(grad[i]);
    }
    assert_true(pushed > 0);
}

static void test_differences(void **state)
{
    (void)state;
    for (uint32_t n = 0; rheo__loss_at(n); n++)
        for (int kind = 0; kind < KINDS && !rheo__loss_at(n)->estimated; kind++)
            check_differences(rheo__loss_at(n), kind);
}

/* Two steps, one sample, two classes, label 0; x = (1, 3), (2, 0). Worked out by hand. */
static void test_by_hand(void **state)
{
    static const struct {
        const char *name;
        double value, gradient[4];
    } rows[] = {
        /* ln(1+e^2) + ln(1+e^-2); p = 1/(1+e^2) and 1/(1+e^-2) */
        {"membrane-ce",
         2.1269280110429727 + 0.1269280110429726,
         {-0.8807970779778823, 0.8807970779778823, -0.11920292202211755, 0.11920292202211755}},
        /* both classes sum to 3: ln 2, p = 1/2 */
        {"rate-ce", 0.6931471805599453, {-0.5, 0.5, -0.5, 0.5}},
        {"cross-entropy", 0.6931471805599453, {-0.5, 0.5, -0.5, 0.5}},
        /* rates 1.5, 1.5; targets 1, 0: (0.25 + 2.25)/2; gradient 2 (r - target)/2/T */
        {"rate-mse", 1.25, {0.25, 0.75, 0.25, 0.75}},
        /* margins 1 - 1.5 < 0, 1 + 1.5: 6.25/2; gradient 2 * 2.5 / 2 / T */
        {"squared-hinge", 3.125, {0, 1.25, 0, 1.25}},
        /* sums of the membrane 3, 3; means 1.5, 1.5; last 2, 0: ln(1+e^-2) */
        {"membrane-sum-ce", 0.6931471805599453, {-0.5, 0.5, -0.5, 0.5}},
        {"membrane-mean-ce", 0.6931471805599453, {-0.25, 0.25, -0.25, 0.25}},
        {"mean-ce", 0.6931471805599453, {-0.25, 0.25, -0.25, 0.25}},
        {"membrane-last-ce", 0.1269280110429726, {0, 0, -0.11920292202211755, 0.11920292202211755}},
        /* largest 2 (step 1) and 3 (step 0): ln(1+e) */
        {"membrane-max-ce", 1.3132616875182228, {0, 0.7310585786300049, -0.7310585786300049, 0}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const rheo_loss *loss = rheo__loss_find(rows[i].name);
        assert_non_null(loss);
        const rheo_options options = rheo__field_defaults(loss->fields);
        const double x[4] = {1, 3, 2, 0};
        double grad[4];
        float scratch[32];
        const rheo_loss_call call = {.options = &options,
                                     .T = 2,
                                     .B = 1,
                                     .C = 2,
                                     .label = (uint32_t[]){0},
                                     .scratch = scratch};
        CHECK_NEAR(rheo__loss_reference(loss, &call, x, grad), rows[i].value, 1e-14);
        for (int k = 0; k < 4; k++) CHECK_NEAR(grad[k], rows[i].gradient[k], 1e-14);
    }
}

/* Cross-entropy of logits that overflow exp. */
static void test_large(void **state)
{
    (void)state;
    const rheo_loss *loss = rheo__loss_find("cross-entropy");
    const double x[2] = {5000, -5000};
    double grad[2];
    float plain[16];
    const rheo_loss_call at = {.T = 1, .B = 1, .C = 2, .label = (uint32_t[]){1}, .scratch = plain};
    CHECK_NEAR(rheo__loss_reference(loss, &at, x, grad), 10000, 1e-9);
    CHECK_NEAR(grad[0], 1, 1e-12);
    float values[16] = {5000, -5000}, scratch[16];
    const rheo_signal s = {
        .form = RHEO_REAL, .T = 1, .B = 1, .N = 2, .pitch = 16, .stride_t = 16, .real = values};
    const rheo_loss_call call = {
        .T = 1, .B = 1, .C = 2, .out = &s, .label = (uint32_t[]){1}, .scratch = scratch};
    CHECK_NEAR(rheo__loss_value(loss, &call), 10000, 1e-9);
}

/* Spike times by hand: six steps, trains as text (a character a neuron), label 0. */
static double of_trains(const char *name, const char *const *train, uint32_t n, const char *option,
                        double value, double *grad)
{
    const rheo_loss *loss = rheo__loss_find(name);
    assert_non_null(loss);
    rheo_options options = rheo__field_defaults(loss->fields);
    if (option) options.v[rheo__field_index(loss->fields, option)] = value;
    double x[36];
    float scratch[256];
    for (uint32_t t = 0; t < 6; t++)
        for (uint32_t c = 0; c < n; c++) x[t * n + c] = train[c][t] == '1';
    const rheo_loss_call call = {.options = &options,
                                 .dt = 1,
                                 .T = 6,
                                 .B = 1,
                                 .C = n,
                                 .label = (uint32_t[]){0},
                                 .scratch = scratch};
    return rheo__loss_reference(loss, &call, x, grad);
}

static void test_times(void **state)
{
    static const char *const late[] = {"..1...", ".1..1.", "....1.", "......"};
    double g[24];
    (void)state;
    /* latency 3: due from 5 on; off by 4, 1 and 0 (silent: at 5) of 6 steps; C = 4 */
    CHECK_NEAR(of_trains("time-relative-mse", late, 4, "latency", 3, g), (16 + 1) / 36.0 / 4,
               1e-15);
    for (uint32_t i = 0; i < 24; i++) { /* -1 of 2 off / 36 / C at the spikes' steps */
        const double want = i == 1 * 4 + 1   ? 8 / 144.0
                            : i == 4 * 4 + 2 ? 2 / 144.0
                            : i == 2 * 4 + 0 ? -10 / 144.0
                                             : 0;
        CHECK_NEAR(g[i], want, 1e-15);
    }
    /* two spikes: targets 0, 1 for the label, 4, 5 for the others; missing ones are at 5 */
    static const char *const two[] = {"..1.1.", "....1."};
    CHECK_NEAR(of_trains("time-mse", two, 2, "spikes", 2, g), (4 + 9 + 0 + 0) / 36.0 / 4, 1e-15);
    CHECK_NEAR(g[2 * 2], -4 / 144.0, 1e-15);
    CHECK_NEAR(g[4 * 2], -6 / 144.0, 1e-15);
}

/* A target is a neuron's: neurons that all have theirs cost nothing, summed or averaged. */
static void test_shares(void **state)
{
    static const struct {
        const char *loss, *option;
        double value;
    } rows[] = {{"tet", "lambda", 1},
                {"rate-mse", "incorrect", 1},
                {"count-mse", "incorrect", 1},
                {"membrane-mse", "incorrect", 1},
                {"van-rossum", "incorrect", 1}};
    double x[T * 4];
    float scratch[256];
    (void)state;
    for (int i = 0; i < T * 4; i++) x[i] = 1;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int mean = 0; mean < 2; mean++) {
            const rheo_loss *loss = rheo__loss_find(rows[i].loss);
            rheo_options options = rheo__field_defaults(loss->fields);
            options.v[rheo__field_index(loss->fields, rows[i].option)] = rows[i].value;
            const int correct = rheo__field_index(loss->fields, "correct");
            if (correct >= 0) options.v[correct] = 1;
            const rheo_loss_call call = {.options = &options,
                                         .T = T,
                                         .B = 1,
                                         .C = 4,
                                         .classes = 2,
                                         .mean = mean,
                                         .label = (uint32_t[]){1},
                                         .scratch = scratch};
            CHECK_NEAR(rheo__loss_reference(loss, &call, x, NULL), 0, 1e-15);
        }
}

/* One spike too many costs dt/tau / (1 - exp(-2 dt/tau)) less what falls beyond the window; two
 * equal trains cost nothing; with a rise, the sum of squares of the kernel. */
static void test_trains(void **state)
{
    static const char *const train[] = {"1.....", "......"}, *const half[] = {".1.1.1", "......"};
    double g[12], sum = 0;
    (void)state;
    for (int t = 0; t < 6; t++) sum += exp(-2 * t / 10.0);
    /* target of the label: .1.1.1; against 1..... : worked out by the filter's definition */
    double e = 0, want = 0;
    for (int t = 0; t < 6; t++) {
        e = e * exp(-0.1) + (t == 0) - (t % 2 == 1);
        want += e * e;
    }
    CHECK_NEAR(of_trains("van-rossum", train, 2, NULL, 0, g), want / 10 / 2, 1e-14);
    CHECK_NEAR(of_trains("van-rossum", half, 2, NULL, 0, g), 0, 1e-15);
    CHECK_NEAR(of_trains("van-rossum", train, 2, "correct", 0, g), sum / 10 / 2, 1e-14);
    /* the gradient at the last step is 2 e / tau / C */
    CHECK_NEAR(g[10], 2 * exp(-0.5) / 10 / 2, 1e-15);
}

static void test_table(void **state)
{
    (void)state;
    uint32_t n = 0;
    for (; rheo__loss_at(n); n++) {
        const rheo_loss *loss = rheo__loss_at(n);
        assert_string_equal(loss->name, rheo__loss_names[n]);
        assert_ptr_equal(rheo__loss_find(loss->name), loss);
        assert_non_null(loss->title), assert_non_null(loss->equations);
        assert_non_null(loss->source), assert_non_null(loss->fields);
    }
    assert_int_equal(n, 18);
    assert_null(rheo__loss_names[n]);
    assert_null(rheo__loss_find("hinge"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),       cmocka_unit_test(test_engine),
        cmocka_unit_test(test_differences), cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_large),       cmocka_unit_test(test_times),
        cmocka_unit_test(test_trains),      cmocka_unit_test(test_shares),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
