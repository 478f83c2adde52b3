/* test_models_order.c: how the error of a step shrinks when dt is halved, for each model that
 * solves a differential equation: against the classic Runge and Kutta method in double with steps
 * of a thousandth of the engine's. A ratio of 2 is first order, 4 second. Then the Hodgkin-Huxley
 * axon against published values. */
#include "models_run.h"
#include "one_context.h"

/* ---- the equations, as the literature writes them ---- */

typedef void equation(double I, const double *y, double *dy);

static void eif(double I, const double *y, double *dy)
{
    dy[0] = (-(y[0] + 65) + 3.48 * exp((y[0] + 59.9) / 3.48) + I) / 10;
}

static void adex(double I, const double *y, double *dy)
{
    dy[0] = (-30 * (y[0] + 70.6) + 30 * 2 * exp((y[0] + 50.4) / 2) - y[1] + I) / 281;
    dy[1] = (4 * (y[0] + 70.6) - y[1]) / 144;
}

static void qif(double I, const double *y, double *dy)
{
    dy[0] = (y[0] * (y[0] - 0.8) + I) / 2;
}

static void izhikevich(double I, const double *y, double *dy)
{
    dy[0] = 0.04 * y[0] * y[0] + 5 * y[0] + 140 - y[1] + I;
    dy[1] = 0.02 * (0.2 * y[0] - y[1]);
}

static void izhikevich_2007(double I, const double *y, double *dy)
{
    dy[0] = (0.7 * (y[0] + 60) * (y[0] + 40) - y[1] + I) / 100;
    dy[1] = 0.03 * (-2 * (y[0] + 60) - y[1]);
}

static void dimensionless(double I, const double *y, double *dy)
{
    dy[0] = y[0] * y[0] - y[1] + I;
    dy[1] = 0.1 * (0.26 * y[0] - y[1]);
}

static void alif(double I, const double *y, double *dy)
{
    dy[0] = (I * (1 - exp(-y[1] / 10)) - y[0]) / 20; /* an input that grows: y[1] is time */
    dy[1] = 1;
}

static double ratio(double x) /* x/(exp x - 1) */
{
    return fabs(x) < 1e-6 ? 1 - x / 2 : x / expm1(x);
}

/* Hodgkin & Huxley 1952 in their own variable V = -65 - v (depolarisation negative), table 3:
 * alpha_n = 0.01 (V+10)/(exp((V+10)/10) - 1) and so on. */
static void hodgkin_huxley(double I, const double *y, double *dy)
{
    double V = -65 - y[0], m = y[1], h = y[2], n = y[3];
    double an = 0.1 * ratio((V + 10) / 10), bn = 0.125 * exp(V / 80);
    double am = ratio((V + 25) / 10), bm = 4 * exp(V / 18);
    double ah = 0.07 * exp(V / 20), bh = 1 / (exp((V + 30) / 10) + 1);
    dy[0] = I - 120 * m * m * m * h * (y[0] - 50) - 36 * n * n * n * n * (y[0] + 77) -
            0.3 * (y[0] + 54.387);
    dy[1] = am * (1 - m) - bm * m;
    dy[2] = ah * (1 - h) - bh * h;
    dy[3] = an * (1 - n) - bn * n;
}

static void resonate(double I, const double *y, double *dy)
{
    const double b = -1.0 / 20, w = 2 * M_PI * 50 / 1000;
    dy[0] = b * y[0] + w * y[1]; /* the voltage-like part */
    dy[1] = b * y[1] - w * y[0] + I;
}

static void runge_kutta(equation *f, double I, double *y, int n, double end, double h)
{
    const long steps = lround(end / h);
    for (long i = 0; i < steps; i++) {
        double k[4][4], z[4];
        static const double place[4] = {0, 0.5, 0.5, 1};
        for (int s = 0; s < 4; s++) {
            for (int j = 0; j < n; j++) z[j] = y[j] + (s ? place[s] * h * k[s - 1][j] : 0);
            f(I, z, k[s]);
        }
        for (int j = 0; j < n; j++) y[j] += h / 6 * (k[0][j] + 2 * k[1][j] + 2 * k[2][j] + k[3][j]);
    }
}

typedef struct order_case {
    const char *model;
    equation *f;
    int states;
    double I, end, dt;  /* compared at `end` */
    double ratio, rest; /* of the errors; error that float32 leaves */
    const setting *set;
} order_case;

static const setting euler[] = {{"decay", 0, "euler"}, {NULL, 0, NULL}};
static const setting no_dimension[] = {
    {"a", 0.1, NULL},       {"b", 0.26, NULL},        {"c", -1, NULL},    {"d", 0, NULL},
    {"peak", 100, NULL},    {"capacitance", 1, NULL}, {"curve", 1, NULL}, {"rest", 0, NULL},
    {"threshold", 0, NULL}, {NULL, 0, NULL}};
static const setting rising[] = {{"threshold", 1e9, NULL}, {NULL, 0, NULL}};

static const order_case cases[] = {
    {"eif", eif, 1, 1.5, 40, 0.8, 2, 1e-4, NULL},
    {"eif", eif, 1, 1.5, 40, 0.8, 2, 1e-4, euler},
    {"adex", adex, 2, 500, 40, 0.4, 2, 1e-4, NULL},
    {"adex", adex, 2, 500, 40, 0.4, 2, 1e-4, euler},
    {"qif", qif, 1, 0.1, 4, 0.08, 2, 1e-6, NULL},
    {"izhikevich", izhikevich, 2, 3, 8, 0.125, 2, 1e-4, NULL},
    {"izhikevich-2007", izhikevich_2007, 2, 60, 40, 0.8, 2, 1e-4, NULL},
    {"izhikevich-2007", dimensionless, 2, 0.05, 1, 0.02, 2, 1e-6, no_dimension},
    {"hodgkin-huxley", hodgkin_huxley, 4, 10, 2, 0.04, 4, 1e-4, NULL}, /* on the rising flank */
    {"hodgkin-huxley", hodgkin_huxley, 4, 10, 8, 0.04, 4, 1e-4, NULL}, /* after the spike */
};

/* v at `end` after constant input from rest. */
static double engine(const order_case *c, double dt, double *start)
{
    model_run r;
    const uint32_t T = (uint32_t)lround(c->end / dt);
    model_open(ctx, c->model, dt, c->set, T, &r);
    start[0] = (double)r.state[model_state(r.m, "v")][0];
    model_input(&r, c->I);
    model_window(ctx, &r, T);
    for (uint32_t t = 0; t < T && strcmp(c->model, "hodgkin-huxley") != 0; t++)
        assert_true(r.spikes[t] == 0); /* a reset is not in the equation */
    double v = (double)r.v[(T - 1) * LANES];
    model_close(&r);
    return v;
}

static void test_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const order_case *c = &cases[i];
        double error[3], y[4] = {0};
        for (int h = 0; h < 3; h++) error[h] = engine(c, c->dt / (1 << h), y);
        if (c->f == izhikevich) y[1] = 0.2 * y[0];
        if (c->f == hodgkin_huxley) { /* rest: where the gates stand still */
            double dy[4], open[4] = {y[0], 1, 1, 1}, closed[4] = {y[0], 0, 0, 0}, d1[4];
            hodgkin_huxley(0, closed, dy);
            hodgkin_huxley(0, open, d1);
            for (int g = 1; g < 4; g++) y[g] = dy[g] / (dy[g] - d1[g]);
        }
        runge_kutta(c->f, c->I, y, c->states, c->end, c->dt / 1000);
        for (int h = 0; h < 3; h++) error[h] -= y[0];
        for (int h = 0; h < 2; h++)
            if (!(fabs(error[h] / error[h + 1] / c->ratio - 1) <= 0.1))
                fail_msg("%s at dt %g: errors %g, %g: ratio %g", c->model, c->dt / (1 << h),
                         error[h], error[h + 1], error[h] / error[h + 1]);
        assert_true(fabs(error[2]) > c->rest); /* else the ratio would be luck */
    }
}

/* Input of a current that is given as pulses of I dt. */
static void test_resonate_order(void **state)
{
    (void)state;
    double error[3], y[2] = {0};
    runge_kutta(resonate, 0.02, y, 2, 30, 1e-3);
    for (int h = 0; h < 3; h++) {
        model_run r;
        double dt = 0.5 / (1 << h);
        const uint32_t T = (uint32_t)lround(30 / dt);
        model_open(ctx, "resonate-and-fire", dt, (setting[]){{"gain", dt, NULL}, {NULL, 0, NULL}},
                   T, &r);
        model_input(&r, 0.02);
        model_window(ctx, &r, T);
        error[h] = (double)r.v[(T - 1) * LANES] - y[0];
        model_close(&r);
    }
    for (int h = 0; h < 2; h++) CHECK_NEAR(error[h] / error[h + 1], 4, 0.2); /* y */
    assert_true(fabs(error[2]) > 1e-5);
}

/* Bellec's membrane under an input that grows: exact for what is constant in a step. */
static void test_alif_order(void **state)
{
    (void)state;
    double error[3], y[2] = {0};
    runge_kutta(alif, 0.9, y, 2, 30, 1e-3);
    for (int h = 0; h < 3; h++) {
        model_run r;
        double dt = 1.0 / (1 << h);
        const uint32_t T = (uint32_t)lround(30 / dt);
        model_open(ctx, "alif", dt, rising, T, &r);
        r.rows = model_rows(T);
        for (uint32_t t = 0; t < T; t++)
            r.rows[t * LANES] = (float)(0.9 * (1 - exp(-(double)t * dt / 10)));
        model_window(ctx, &r, T);
        error[h] = (double)r.v[(T - 1) * LANES] - y[0];
        model_close(&r);
    }
    for (int h = 0; h < 2; h++) CHECK_NEAR(error[h] / error[h + 1], 2, 0.1);
}

/* ---- Hodgkin-Huxley against published values ---- */

/* Spikes in `ms` under I from rest; v and spike times stay in *r. */
static uint32_t axon(double I, double dt, double ms, model_run *r)
{
    const uint32_t T = (uint32_t)lround(ms / dt);
    double times[200];
    model_open(ctx, "hodgkin-huxley", dt, NULL, T, r);
    model_input(r, I);
    model_window(ctx, r, T);
    return model_times(r, T, 0, 0, times, 200);
}

/* Gates at rest 0.053, 0.596, 0.318 (Hodgkin & Huxley 1952; Dayan & Abbott 2001, figure 5.10), and
 * rest itself: without input nothing moves by more than a hundredth of a millivolt. */
static void test_axon_rest(void **state)
{
    (void)state;
    model_run r;
    assert_int_equal(axon(0, 0.05, 200, &r), 0);
    CHECK_NEAR(r.state[model_state(r.m, "m")][0], 0.0529, 5e-4);
    CHECK_NEAR(r.state[model_state(r.m, "h")][0], 0.5961, 5e-4);
    CHECK_NEAR(r.state[model_state(r.m, "n")][0], 0.3177, 5e-4);
    CHECK_NEAR(r.v[3999 * LANES], -65, 0.01);
    model_close(&r);
}

/* A current step gives a single spike from about 2.2 to 2.5 uA/cm^2 on, and a train from about 6.2
 * on (e.g. Gerstner et al. 2014, Neuronal Dynamics, section 2.2.1; Koch 1999, section 6.3: 2.2
 * and 6.2). */
static void test_axon_rheobase(void **state)
{
    (void)state;
    static const struct {
        double I;
        uint32_t least, most;
    } steps[] = {{2.0, 0, 0}, {2.6, 1, 1}, {5.5, 1, 5}, {6.6, 25, 40}, {10, 30, 40}};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        model_run r;
        uint32_t spikes = axon(steps[i].I, 0.025, 500, &r);
        if (spikes < steps[i].least || spikes > steps[i].most)
            fail_msg("%g uA/cm2: %u spikes in 500 ms", steps[i].I, spikes);
        model_close(&r);
    }
    double low = 2, high = 3; /* where the first spike comes in, to 0.02 */
    while (high - low > 0.02) {
        model_run r;
        double I = (low + high) / 2;
        *(axon(I, 0.025, 100, &r) > 0 ? &high : &low) = I;
        model_close(&r);
    }
    assert_true(low > 2.2 && high < 2.5);
}

/* A short pulse: a spike of about 100 mV above rest, then an undershoot towards e_k, by 5 to 12 mV,
 * and back to rest; an amplitude and a shape of 1952 (figure 12: about 100 to 110 mV above rest).
 */
static void test_axon_spike_shape(void **state)
{
    (void)state;
    enum { T = 2000, PULSE = 20 };
    model_run r;
    model_open(ctx, "hodgkin-huxley", 0.025, NULL, T, &r);
    r.rows = model_rows(T);
    for (int t = 0; t < PULSE; t++) r.rows[t * LANES] = 20; /* 10 nC/cm^2 in 0.5 ms */
    model_window(ctx, &r, T);
    double top = -100, bottom = 100, width = 0;
    for (int t = 0; t < T; t++) {
        double v = (double)r.v[t * LANES];
        top = fmax(top, v);
        bottom = fmin(bottom, v);
        width += v > -13 ? 0.025 : 0; /* half height */
    }
    assert_true(top + 65 > 95 && top + 65 < 115);
    assert_true(bottom > -77 && bottom < -70);
    assert_true(width > 1 && width < 2);
    CHECK_NEAR(r.v[(T - 1) * LANES], -65, 0.3);
    model_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),         cmocka_unit_test(test_resonate_order),
        cmocka_unit_test(test_alif_order),    cmocka_unit_test(test_axon_rest),
        cmocka_unit_test(test_axon_rheobase), cmocka_unit_test(test_axon_spike_shape),
    };
    return cmocka_run_group_tests(tests, open_context, close_context);
}
