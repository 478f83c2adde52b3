/* test_models_rates.c: the firing rates of neuron models against what theory says they are: closed
 * forms, a quadrature of dv/(dv/dt), and for the Siegert unit its integral and a simulation of the
 * neuron that it describes. */
#include "models_run.h"
#include "one_context.h"

/* Steps of a period: fine enough for 1e-3 and coarse enough for float32, whose decay a step has an
 * error of 6e-8 of 1, not of 1 - decay. Runs `count` periods under constant input and compares the
 * mean of those after the first `skip` with `want`. */
static void check_period(const char *model, double dt, const setting *set, double input,
                         double want, uint32_t skip, uint32_t count)
{
    model_run r;
    const uint32_t T = (uint32_t)((count + 1) * want / dt);
    model_open(ctx, model, dt, set, T, &r);
    model_input(&r, input);
    model_window(ctx, &r, T);
    double period = model_period(&r, T, 0, skip);
    if (!(fabs(period / want - 1) <= 1e-3))
        fail_msg("%s, input %g: period %.9g ms, want %.9g", model, input, period, want);
    model_close(&r);
}

/* ---- closed forms ---- */

/* Nothing is lost: a spike for every threshold of input. */
static void test_if(void **state)
{
    (void)state;
    static const double I[] = {0.011, 0.1, 0.37, 0.5, 0.93};
    for (int j = 0; j < 5; j++)
        check_period("if", 1, (setting[]){{"reset", 0, "subtract"}, {NULL, 0, NULL}}, I[j],
                     1 / I[j], 0, 2000);
}

/* tau dv/dt = -v + I from 0 to 1: tau ln(I/(I - 1)), and the refractory time */
static void test_lif(void **state)
{
    (void)state;
    static const double I[] = {1.05, 1.2, 1.5, 2, 4, 20};
    for (int hold = 0; hold < 2; hold++)
        for (int j = 0; j < 6; j++) {
            double free = 20 * log(I[j] / (I[j] - 1)), dt = free / 2500, ref = hold * 700 * dt;
            check_period("lif", dt,
                         (setting[]){{"tau", 20, NULL},
                                     {"scaled", 1, NULL},
                                     {"reset", 0, "zero"},
                                     {"when", 0, "same"},
                                     {"refractory", hold * 700, NULL},
                                     {NULL, 0, NULL}},
                         I[j], free + ref, 0, 20);
        }
}

/* dv/dt = (curve/tau) ((v - m)^2 + D), m between the roots: an arctangent */
static void test_qif(void **state)
{
    (void)state;
    static const double I[] = {0.17, 0.2, 0.5, 2, 10};
    const double tau = 12, rest = -0.1, critical = 0.7, curve = 1.3, peak = 4, reset = -0.6;
    for (int hold = 0; hold < 2; hold++)
        for (int j = 0; j < 5; j++) {
            double m = (rest + critical) / 2, half = (critical - rest) / 2;
            double root = sqrt(1.5 * I[j] / curve - half * half);
            double free =
                tau / (curve * root) * (atan((peak - m) / root) - atan((reset - m) / root));
            double dt = free / 20000, ref = hold * 5000 * dt;
            check_period("qif", dt,
                         (setting[]){{"tau", tau, NULL},
                                     {"rest", rest, NULL},
                                     {"critical", critical, NULL},
                                     {"curve", curve, NULL},
                                     {"gain", 1.5, NULL},
                                     {"peak", peak, NULL},
                                     {"reset", reset, NULL},
                                     {"refractory", ref, NULL},
                                     {NULL, 0, NULL}},
                         I[j], free + ref, 0, 5);
        }
}

/* ---- by quadrature ---- */

/* Simpson over 20000 parts of the time from reset to peak of the EIF. */
static double eif_period(double I, double tau, double rest, double rheobase, double delta,
                         double peak, double reset)
{
    enum { N = 20000 };
    double sum = 0, h = (peak - reset) / N;
    for (int i = 0; i <= N; i++) {
        double v = reset + i * h;
        double f = tau / (-(v - rest) + delta * exp((v - rheobase) / delta) + I);
        sum += f * (i == 0 || i == N ? 1 : i % 2 ? 4 : 2);
    }
    return sum * h / 3;
}

static void test_eif(void **state)
{
    (void)state;
    static const double I[] = {2, 3, 6, 15, 30}; /* rheobase - rest - delta = 1.62 mV */
    for (int euler = 0; euler < 2; euler++)
        for (int j = 0; j < 5; j++) {
            double free = eif_period(I[j], 10, -65, -59.9, 3.48, -30, -68), dt = free / 20000;
            check_period("eif", dt,
                         (setting[]){{"refractory", 2000 * dt, NULL},
                                     {"decay", 0, euler ? "euler" : "exponential"},
                                     {NULL, 0, NULL}},
                         I[j], free + 2000 * dt, 0, 5);
        }
}

/* AdEx without adaptation is the EIF: C 200 pF, g 10 nS, in pA. */
static void test_adex_without_adaptation(void **state)
{
    (void)state;
    static const double I[] = {250, 400, 1000};
    for (int j = 0; j < 3; j++) {
        double want = eif_period(I[j] / 10, 20, -70.6, -50.4, 2, 0, -60);
        check_period("adex", want / 20000,
                     (setting[]){{"a", 0, NULL},
                                 {"b", 0, NULL},
                                 {"capacitance", 200, NULL},
                                 {"leak", 10, NULL},
                                 {"peak", 0, NULL},
                                 {"reset", -60, NULL},
                                 {NULL, 0, NULL}},
                     I[j], want, 1, 5);
    }
}

/* ---- ALIF ---- */

/* The period of the continuous neuron: from v0 = over beta a the membrane reaches threshold + beta
 * a, where a is what is left before a spike of jumps of 1 every T: 1/(exp(T/tau_adapt) - 1). over:
 * 1 where the reset takes off the fixed threshold only. By bisection. */
static double alif_period(double I, double tau, double adapt, double step, double over)
{
    double low = 1e-6, high = 1e6;
    for (int i = 0; i < 200; i++) {
        double T = (low + high) / 2, a = step / expm1(T / adapt);
        double v = I + (over * a - I) * exp(-T / tau);
        *(v > 1 + a ? &high : &low) = T;
    }
    return low;
}

static void test_alif(void **state)
{
    (void)state;
    static const double I[] = {1.1, 1.5, 2, 3, 5};
    const double tau = 20, adapt = 150, step = 0.17; /* of the threshold by a spike */
    for (int form = 0; form < 2; form++)
        for (int j = 0; j < 5; j++) {
            double want = alif_period(I[j], tau, adapt, step, form), dt = want / 2500;
            check_period("alif", dt,
                         (setting[]){{"form", 0, form ? "eprop" : "bellec2018"},
                                     {"tau", tau, NULL},
                                     {"tau_adapt", adapt, NULL},
                                     {"beta", form ? step : step / -expm1(-dt / adapt), NULL},
                                     {NULL, 0, NULL}},
                         form ? I[j] * -expm1(-dt / tau) : I[j], want, 60, 90);
        }
}

/* Norse's form: v to 0 at a spike, the threshold seen after its decay, Euler. */
static void test_alif_norse(void **state)
{
    (void)state;
    static const double I[] = {1.2, 2, 4};
    for (int j = 0; j < 3; j++) {
        double want = alif_period(I[j], 20, 150, 0.17, 0), dt = want / 2500;
        check_period("alif", dt,
                     (setting[]){{"form", 0, "norse"},
                                 {"tau", 20, NULL},
                                 {"tau_adapt", 150, NULL},
                                 {"beta", 0.17, NULL},
                                 {"tau_syn", 5, NULL},
                                 {NULL, 0, NULL}},
                     I[j] * dt / 5, want, 60, 90); /* a current of I: it loses dt/tau_syn a step */
    }
}

/* ---- Siegert ---- */

/* 1/rate by Simpson's rule over the integral itself. */
static double siegert_rate(double mean, double s, double tau, double ref, double threshold,
                           double reset)
{
    enum { N = 4000 };
    double from = (reset - mean) / s, to = (threshold - mean) / s, h = (to - from) / N, sum = 0;
    for (int i = 0; i <= N; i++) {
        double u = from + i * h;
        sum += exp(u * u) * erfc(-u) * (i == 0 || i == N ? 1 : i % 2 ? 4 : 2);
    }
    return 1 / (ref + tau * sqrt(M_PI) * sum * h / 3);
}

static void test_siegert_integral(void **state)
{
    (void)state;
    static const double sigma[] = {1, 2.5, 5, 12, 40};
    for (size_t c = 0; c < sizeof sigma / sizeof *sigma; c++) {
        model_run r;
        model_open(ctx, "siegert", 1, (setting[]){{"sigma", sigma[c], NULL}, {NULL, 0, NULL}}, 1,
                   &r);
        for (int i = 0; i < 80; i += LANES) {
            for (int j = 0; j < LANES; j++) r.in[0][j] = (float)(-20 + (i + j));
            model_window(ctx, &r, 1);
            for (int j = 0; j < LANES; j++) {
                double mean = -20 + (i + j);
                /* erfc(-u) = 1 + erf u; below, exp(u^2) leaves double's range or the rate float's
                 */
                if ((15 - mean) / sigma[c] > 6 || (0 - mean) / sigma[c] < -26) continue;
                double want = siegert_rate(mean, sigma[c], 10, 2, 15, 0);
                /* y is off by a unit in its last place, the integral by y^2 of them */
                CHECK_NEAR(r.out[j] / want, 1, 2e-5);
            }
        }
        model_close(&r);
    }
}

/* Far from the threshold: nothing below, the rate without noise above. */
static void test_siegert_ends(void **state)
{
    (void)state;
    model_run r;
    model_open(ctx, "siegert", 1, (setting[]){{"sigma", 0, NULL}, {NULL, 0, NULL}}, 1, &r);
    static const float mean[] = {-1e6f, 0, 14.9f, 15.1f, 16, 30, 1000, 1e6f};
    memcpy(r.in[0], mean, sizeof mean);
    model_window(ctx, &r, 1);
    for (int j = 0; j < 8; j++) {
        double m = (double)mean[j], want = m < 15 ? 0 : 1 / (2 + 10 * log(m / (m - 15)));
        CHECK_NEAR(r.out[j], want, want * 1e-5 + 1e-30);
    }
    /* the port `variance` adds to sigma^2 */
    for (int j = 0; j < 8; j++) r.in[0][j] = 12, r.in[1][j] = 25;
    model_window(ctx, &r, 1);
    CHECK_NEAR(r.out[0], siegert_rate(12, 5, 10, 2, 15, 0), 1e-6);
    model_close(&r);
}

static int poisson(double mean, uint64_t *random)
{
    double p = exp(-mean), sum = p, u = model_random(random);
    int n = 0;
    while (u > sum && n < 200) sum += p *= mean / ++n;
    return n;
}

/* The engine's LIF (tau 10, threshold 15, refractory 2 ms) with excitatory and inhibitory Poisson
 * inputs of jump J. A threshold that is looked at every dt only is as good as one that is higher by
 * 0.5826 standard deviations of a step (Broadie, Glasserman & Kou 1997, Math. Finance 7: the
 * continuity correction of a barrier), s sqrt(dt/tau) each. */
static void test_siegert_against_poisson_lif(void **state)
{
    (void)state;
    static const struct {
        double mean, s, J;
    } cases[] = {{18, 2, 0.1}, {14, 4, 0.1}, {10, 6, 0.15}, {25, 5, 0.1}};
    const double dt = 0.05, tau = 10;
    enum { T = 20000, WINDOWS = 20 };
    uint64_t random = 5;
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        model_run lif, unit;
        const double J = cases[c].J, mean = cases[c].mean, s = cases[c].s;
        const double sum = s * s / (tau * J * J), difference = mean / (tau * J);
        model_open(ctx, "lif", dt,
                   (setting[]){{"tau", tau, NULL},
                               {"threshold", 15, NULL},
                               {"reset", 0, "zero"},
                               {"when", 0, "same"},
                               {"refractory", 2 / dt, NULL},
                               {NULL, 0, NULL}},
                   T, &lif);
        lif.rows = model_rows(T);
        assert_true(sum >= difference);
        uint64_t spikes = 0;
        for (int w = 0; w < WINDOWS; w++) {
            for (int i = 0; i < T * LANES; i++)
                lif.rows[i] = (float)(J * (poisson((sum + difference) / 2 * dt, &random) -
                                           poisson((sum - difference) / 2 * dt, &random)));
            model_window(ctx, &lif, T);
            for (int t = w == 0 ? 4000 : 0; t < T; t++)
                spikes += (uint64_t)__builtin_popcountll(lif.spikes[t]);
        }
        double found = (double)spikes / (LANES * (T * WINDOWS - 4000) * dt);
        model_open(ctx, "siegert", 1,
                   (setting[]){{"sigma", s, NULL},
                               {"threshold", 15 + 0.5826 * s * sqrt(dt / tau), NULL},
                               {NULL, 0, NULL}},
                   1, &unit);
        model_input(&unit, mean);
        model_window(ctx, &unit, 1);
        assert_true(spikes > 6000);
        CHECK_NEAR(unit.out[0] / found, 1, 0.02);
        model_close(&lif);
        model_close(&unit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_if),
        cmocka_unit_test(test_lif),
        cmocka_unit_test(test_qif),
        cmocka_unit_test(test_eif),
        cmocka_unit_test(test_adex_without_adaptation),
        cmocka_unit_test(test_alif),
        cmocka_unit_test(test_alif_norse),
        cmocka_unit_test(test_siegert_integral),
        cmocka_unit_test(test_siegert_ends),
        cmocka_unit_test(test_siegert_against_poisson_lif),
    };
    return cmocka_run_group_tests(tests, open_context, close_context);
}
