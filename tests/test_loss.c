/* test_loss.c: losses against values worked out by hand, their references against central
 * differences, and the engine's form against the references. */
#include "check.h"
#include "base/random.h"
#include "loss/loss.h"

enum { T = 4, B = 3, C = 5 };

typedef struct bench {
    rheo_signal x, g;
    float values[T * B * 16], gradient[T * B * 16], scratch[64];
    uint64_t bits[T * B];
    rheo_options options;
    double plain[T * B * C]; /* [T,B,C] */
    rheo_loss_call call;
} bench;

static const uint32_t labels[B] = {2, 0, 4};

static void set_up(bench *s, const rheo_loss *loss, bool bits, bool fixed)
{
    *s = (bench){0};
    s->options = rheo__field_defaults(loss->fields);
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
    for (uint32_t i = 0; i < T * B; i++) s->bits[i] = (i * 7 + 3) % 32;
    for (uint32_t t = 0; t < T; t++)
        for (uint32_t b = 0; b < B; b++)
            for (uint32_t c = 0; c < C; c++)
                s->plain[(t * B + b) * C + c] = (double)rheo__signal_get(&s->x, t, b, c);
    s->call = (rheo_loss_call){
        .options = &s->options, .T = T, .B = B, .C = C, .label = labels, .scratch = s->scratch};
    assert_true(loss->need(T, B, C) <= 64);
    if (loss->uses_readout)
        s->call.readout = &s->x, s->call.greadout = &s->g;
    else
        s->call.out = &s->x, s->call.gout = &s->g;
}

static void test_engine(void **state)
{
    (void)state;
    for (uint32_t n = 0; rheo__loss_at(n); n++)
        for (int form = 0; form < 4; form++) {
            const rheo_loss *loss = rheo__loss_at(n);
            const bool bits = form & 1, fixed = form & 2;
            if (bits && loss->uses_readout) continue;
            static bench s;
            double grad[T * B * C];
            set_up(&s, loss, bits, fixed);
            const double value = loss->value(&s.call);
            const double expected = loss->reference(&s.options, T, B, C, s.plain, labels, grad);
            CHECK_NEAR(value, expected, 1e-12 * fabs(expected)); /* both double */
            for (uint32_t b = 0; b < B; b++)
                for (uint32_t c = 0; c < C; c++) {
                    double sum = 0; /* a static signal's gradient is that of all steps */
                    for (uint32_t t = 0; t < T; t++) {
                        sum += grad[(t * B + b) * C + c];
                        if (!fixed)
                            CHECK_NEAR((double)rheo__real_row(&s.g, t, b)[c],
                                       grad[(t * B + b) * C + c], 0x1p-24);
                    }
                    if (fixed)
                        CHECK_NEAR((double)rheo__real_row(&s.g, 0, b)[c], sum, 8 * T * 0x1p-24);
                }
            s.call.gout = s.call.greadout = NULL; /* the value alone */
            CHECK_NEAR(loss->value(&s.call), value, 0);
            CHECK_NEAR(loss->reference(&s.options, T, B, C, s.plain, labels, NULL), expected, 0);
        }
}

static void test_differences(void **state)
{
    (void)state;
    for (uint32_t n = 0; rheo__loss_at(n); n++) {
        const rheo_loss *loss = rheo__loss_at(n);
        static bench s;
        double grad[T * B * C], none[T * B * C];
        const double h = 1e-5; /* errs by h^2 and 2^-52 / h: 1e-10 both */
        set_up(&s, loss, false, false);
        if (strcmp(loss->name, "rate-ce") == 0) s.options.v[0] = 0.7;
        loss->reference(&s.options, T, B, C, s.plain, labels, grad);
        for (uint32_t i = 0; i < T * B * C; i++) {
            const double at = s.plain[i];
            s.plain[i] = at + h;
            const double up = loss->reference(&s.options, T, B, C, s.plain, labels, none);
            s.plain[i] = at - h;
            const double down = loss->reference(&s.options, T, B, C, s.plain, labels, none);
            s.plain[i] = at;
            CHECK_NEAR(grad[i], (up - down) / (2 * h), 1e-8);
        }
    }
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
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const rheo_loss *loss = rheo__loss_find(rows[i].name);
        assert_non_null(loss);
        const rheo_options options = rheo__field_defaults(loss->fields);
        const double x[4] = {1, 3, 2, 0};
        double grad[4];
        CHECK_NEAR(loss->reference(&options, 2, 1, 2, x, (uint32_t[]){0}, grad), rows[i].value,
                   1e-14);
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
    CHECK_NEAR(loss->reference(NULL, 1, 1, 2, x, (uint32_t[]){1}, grad), 10000, 1e-9);
    CHECK_NEAR(grad[0], 1, 1e-12);
    float values[16] = {5000, -5000}, scratch[8];
    const rheo_signal s = {
        .form = RHEO_REAL, .T = 1, .B = 1, .N = 2, .pitch = 16, .stride_t = 16, .real = values};
    const rheo_loss_call call = {
        .T = 1, .B = 1, .C = 2, .out = &s, .label = (uint32_t[]){1}, .scratch = scratch};
    CHECK_NEAR(loss->value(&call), 10000, 1e-9);
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
    assert_int_equal(n, 5);
    assert_null(rheo__loss_names[n]);
    assert_null(rheo__loss_find("hinge"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),       cmocka_unit_test(test_engine),
        cmocka_unit_test(test_differences), cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
