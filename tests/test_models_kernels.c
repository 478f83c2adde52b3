/* test_models_kernels.c: what models do with single inputs: the kernels of srm0 and alpha, escape
 * noise against its survival function, resonate-and-fire's preferred frequency, and the codes of
 * the delta neurons. */
#include "models_run.h"
#include "one_context.h"

/* ---- kernels ---- */

/* One input: eps(t) with its peak of 1 where the theory has it; superposition of two. */
static void test_srm_kernel(void **state)
{
    (void)state;
    static const struct {
        double m, s, dt;
    } cases[] = {{10, 10, 0.1}, {10, 2.5, 0.1}, {3, 12, 0.1}, {10, 10 + 1e-7, 0.1}, {8, 4, 2}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        enum { T = 800 };
        model_run r;
        const double m = cases[c].m, s = cases[c].s, dt = cases[c].dt;
        model_open(
            ctx, "srm0", dt,
            (setting[]){
                {"tau_m", m, NULL}, {"tau_s", s, NULL}, {"threshold", 100, NULL}, {NULL, 0, NULL}},
            T, &r);
        r.rows = model_rows(T);
        r.rows[0] = 1;
        r.rows[100 * LANES] = 0.5f;
        model_window(ctx, &r, T);
        const bool equal = fabs(m - s) < 1e-3;
        const double top = equal ? m : m * s / (m - s) * log(m / s);
        const double norm = equal ? 1 : exp(-top / m) - exp(-top / s);
        double most = 0, at = 0;
        for (int t = 0; t < T; t++) {
            double want = 0;
            for (int i = 0; i < 2; i++) {
                double age = (t - 100 * i) * dt;
                if (age < 0) continue;
                want += (i ? 0.5 : 1) * (equal ? age / m * exp(1 - age / m)
                                               : (exp(-age / m) - exp(-age / s)) / norm);
            }
            CHECK_NEAR(r.v[t * LANES], want, 1e-5);
            if (t < 100 && (double)r.v[t * LANES] > most)
                most = (double)r.v[t * LANES], at = t * dt;
        }
        assert_true(r.v[0] == 0); /* eps(0) */
        if (dt < 1 && top < 100 * dt) {
            CHECK_NEAR(at, top, dt);
            CHECK_NEAR(most, 1, 1e-4);
        }
        model_close(&r);
    }
}

/* The refractory kernel: of the last spike, or summed. */
static void test_srm_refractory(void **state)
{
    (void)state;
    for (int sum = 0; sum < 2; sum++) {
        enum { T = 300 };
        model_run r;
        model_open(ctx, "srm0", 0.5,
                   (setting[]){{"refractory", 0, sum ? "sum" : "last"},
                               {"depth", 1.5, NULL},
                               {"tau_r", 20, NULL},
                               {NULL, 0, NULL}},
                   T, &r);
        model_input(&r, 0.2);
        model_window(ctx, &r, T);
        double u[2] = {0, 0}, refractory = 0;
        uint32_t spikes = 0;
        for (int t = 0; t < T; t++) {
            /* the membrane without spikes: the sum of alpha functions of all inputs so far */
            u[0] = 0;
            for (int i = 0; i < t; i++) {
                double age = (t - i) * 0.5;
                u[0] += (double)0.2f * age / 10 * exp(1 - age / 10);
            }
            refractory *= exp(-0.5 / 20);
            bool spike = u[0] + refractory > 1;
            assert_true(fabs(u[0] + refractory - 1) > 1e-5); /* or equality would be luck */
            if (spike) refractory = (sum ? refractory : 0) - 1.5;
            assert_int_equal(r.spikes[t] & 1, spike);
            CHECK_NEAR(r.v[t * LANES], u[0] + refractory, 2e-5);
            spikes += spike;
        }
        assert_true(spikes > 10);
        model_close(&r);
    }
}

/* snnTorch's Alpha: v = tau (alpha^t - beta^t) after one input, and its resets as recurrences. */
static void test_alpha(void **state)
{
    (void)state;
    static const char *const resets[] = {"zero", "subtract", "none"};
    const double alpha = 0.875, beta = 0.75, tau = log(alpha) / (log(beta) - log(alpha)) + 1;
    enum { T = 120 };
    model_run r;
    const setting one[] = {{"alpha", alpha, NULL}, {"beta", beta, NULL}, {NULL, 0, NULL}};
    model_open(ctx, "alpha", 1, one, T, &r);
    r.rows = model_rows(T);
    r.rows[0] = 1;
    model_window(ctx, &r, T);
    double most = 0, peak = log(log(beta) / log(alpha)) / log(alpha / beta);
    int at = 0;
    for (int t = 0; t < T; t++) {
        CHECK_NEAR(r.v[t * LANES], tau * (pow(alpha, t) - pow(beta, t)), 1e-6);
        if ((double)r.v[t * LANES] > most) most = (double)r.v[t * LANES], at = t;
    }
    CHECK_NEAR(at, peak, 1);
    model_close(&r);
    for (int reset = 0; reset < 3; reset++) {
        uint64_t random = 3;
        model_open(ctx, "alpha", 1,
                   (setting[]){{"alpha", alpha, NULL},
                               {"beta", beta, NULL},
                               {"threshold", 0.75, NULL},
                               {"reset", 0, resets[reset]},
                               {NULL, 0, NULL}},
                   T, &r);
        r.rows = model_rows(T);
        for (int t = 0; t < T; t++) r.rows[t * LANES] = (float)(3 * model_random(&random) - 0.5);
        model_window(ctx, &r, T);
        double e = 0, n = 0, v = 0, spikes = 0;
        for (int t = 0; t < T; t++) {
            double x = (double)r.rows[t * LANES], E = alpha * e + x, N = beta * n - x;
            bool cut = v > 0.75;
            v = tau * (E + N);
            if (cut && reset == 0) E = N = v = 0;
            if (cut && reset == 1) v += n, E -= 0.75, N = 0;
            e = E, n = N;
            assert_true(fabs(v - 0.75) > 1e-5);
            assert_int_equal(r.spikes[t] & 1, v > 0.75);
            CHECK_NEAR(r.v[t * LANES], v, 1e-5);
            spikes += v > 0.75;
        }
        assert_true(spikes > 10);
        model_close(&r);
    }
}

/* ---- escape noise ---- */

static void draw_all(model_run *r, uint32_t T, uint64_t *random)
{
    if (!r->draws) r->draws = model_rows(T);
    for (uint32_t i = 0; i < T * LANES; i++) r->draws[i] = (float)model_random(random);
}

/* Fraction of intervals longer than t against S(t) = exp(-integral of the hazard from the last
 * spike), for a membrane of u - depth exp(-s/tau_r). Within 4 standard deviations at every t. */
static void check_survival(double u, double depth, double rate, double width)
{
    enum { T = 20000, LONGEST = 400 };
    const double dt = 0.25, tau_r = 12;
    model_run r;
    uint64_t random = 11, longer[LONGEST] = {0}, all = 0;
    model_open(ctx, "escape", dt,
               (setting[]){{"depth", depth, NULL},
                           {"tau_r", tau_r, NULL},
                           {"rate", rate, NULL},
                           {"width", width, NULL},
                           {NULL, 0, NULL}},
               T, &r);
    /* a membrane that has come to rest under constant input: what the step leaves as it is */
    double keep = exp(-dt / 10), couple = r.kd[2], h = u * (1 - keep) / couple;
    for (int j = 0; j < LANES; j++) {
        r.state[model_state(r.m, "u")][j] = (float)u;
        r.state[model_state(r.m, "h")][j] = (float)h;
    }
    model_input(&r, h * (1 - keep));
    draw_all(&r, T, &random);
    model_window(ctx, &r, T);
    for (int j = 0; j < LANES; j++) {
        int last = -1;
        for (int t = 0; t < T; t++)
            if (r.spikes[t] >> j & 1) {
                for (int i = 0; last >= 0 && i < LONGEST && i < t - last; i++) longer[i]++;
                all += last >= 0;
                last = t;
            }
    }
    CHECK_NEAR(r.state[model_state(r.m, "u")][0], u, 1e-3);
    assert_true(all > 2000);
    double integral = 0; /* of the hazard over the i steps after the spike */
    for (int i = 1; i < LONGEST; i++) {
        integral += rate * dt * exp((u - depth * exp(-i * dt / tau_r) - 1) / width);
        double S = exp(-integral), deviation = sqrt(S * (1 - S) / (double)all);
        CHECK_NEAR((double)longer[i] / (double)all, S, 4 * deviation + 2e-3);
        if (S < 1e-3) break;
    }
    model_close(&r);
}

static void test_escape_survival(void **state)
{
    (void)state;
    check_survival(0.9, 0, 0.1, 0.1); /* constant hazard: an exponential */
    check_survival(1.05, 0, 0.2, 0.3);
    check_survival(1.1, 2, 0.3, 0.2); /* with refractoriness */
}

/* P of one step, at its ends too: never far below the threshold, always far above. */
static void test_escape_probability(void **state)
{
    (void)state;
    static const double v[] = {-50, 0.7, 1, 1.3, 60};
    for (int i = 0; i < 5; i++) {
        model_run r;
        enum { T = 4000 };
        uint64_t random = 21, spikes = 0;
        model_open(ctx, "escape", 1,
                   (setting[]){{"depth", 0, NULL},
                               {"tau_m", 1e9, NULL},
                               {"rate", 0.3, NULL},
                               {"width", 0.25, NULL},
                               {NULL, 0, NULL}},
                   T, &r);
        for (int j = 0; j < LANES; j++) r.state[model_state(r.m, "u")][j] = (float)v[i];
        draw_all(&r, T, &random);
        model_window(ctx, &r, T);
        for (int t = 0; t < T; t++) spikes += (uint64_t)__builtin_popcountll(r.spikes[t]);
        double n = T * LANES, P = 1 - exp(-0.3 * exp((v[i] - 1) / 0.25));
        CHECK_NEAR((double)spikes / n, P, 4 * sqrt(P * (1 - P) / n));
        model_close(&r);
    }
}

/* ---- resonate-and-fire ---- */

/* Izhikevich 2001, figure 3: two pulses make it spike when a period apart, not half a period, one
 * and a half, or when they come at once; and inhibition, half a period before, helps as much. */
static void test_resonance(void **state)
{
    (void)state;
    static const struct {
        double gap; /* in periods */
        float first, second;
        bool spikes;
    } cases[] = {{1, 0.7f, 0.7f, true},    {0.5, 0.7f, 0.7f, false}, {1.5, 0.7f, 0.7f, false},
                 {2, 0.7f, 0.75f, true},   {0.5, -0.7f, 0.7f, true}, {1, -0.7f, 0.7f, false},
                 {0.05, 0.6f, 0.6f, true}, {0.25, 0.7f, 0.7f, false}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        enum { T = 1000 };
        model_run r;
        model_open(ctx, "resonate-and-fire", 0.1, /* 40 Hz: a period of 25 ms */
                   (setting[]){{"frequency", 40, NULL}, {"tau", 100, NULL}, {NULL, 0, NULL}}, T,
                   &r);
        r.rows = model_rows(T);
        r.rows[0] += cases[c].first;
        r.rows[(int)lround(cases[c].gap * 250) * LANES] += cases[c].second;
        model_window(ctx, &r, T);
        uint64_t spikes = 0;
        for (int t = 0; t < T; t++) spikes += r.spikes[t] & 1;
        if ((spikes > 0) != cases[c].spikes)
            fail_msg("gap %g, %g %g: %lu spikes", cases[c].gap, (double)cases[c].first,
                     (double)cases[c].second, (unsigned long)spikes);
        model_close(&r);
    }
}

/* The steady answer of y to pulses of sin(2 pi f t) dt is |1/((i w' + 1/tau)^2 + w^2)| w, largest
 * near w' = w. */
static void test_resonance_curve(void **state)
{
    (void)state;
    static const double f[] = {10, 25, 38, 40, 42, 60, 120};
    const double tau = 60, dt = 0.05, w = 2 * M_PI * 0.04;
    for (int i = 0; i < 7; i++) {
        enum { T = 20000 };
        model_run r;
        model_open(ctx, "resonate-and-fire", dt,
                   (setting[]){{"frequency", 40, NULL},
                               {"tau", tau, NULL},
                               {"threshold", 1e9, NULL},
                               {NULL, 0, NULL}},
                   T, &r);
        r.rows = model_rows(T);
        for (int t = 0; t < T; t++)
            r.rows[t * LANES] = (float)(dt * sin(2 * M_PI * f[i] / 1000 * t * dt));
        model_window(ctx, &r, T);
        double most = 0, x = 2 * M_PI * f[i] / 1000;
        for (int t = T / 2; t < T; t++) most = fmax(most, (double)fabsf(r.v[t * LANES]));
        double real = w * w + 1 / (tau * tau) - x * x, imaginary = 2 * x / tau;
        CHECK_NEAR(most * hypot(real, imaginary) / w, 1, 0.01);
        model_close(&r);
    }
}

/* ---- delta neurons ---- */

/* All that was sent is the value rounded (to threshold/2), or within the threshold (exact). */
static void test_delta(void **state)
{
    (void)state;
    for (int sigma = 0; sigma < 2; sigma++)
        for (int exact = 0; exact < 2; exact++) {
            enum { T = 500 };
            const double threshold = 0.375;
            model_run r;
            uint64_t random = 9;
            uint32_t sent = 0;
            model_open(ctx, sigma ? "sigma-delta" : "delta", 1,
                       (setting[]){{"threshold", threshold, NULL},
                                   {"send", 0, exact ? "exact" : "quantised"},
                                   {NULL, 0, NULL}},
                       T, &r);
            r.rows = model_rows(T);
            for (int t = 0; t < T; t++)
                r.rows[t * LANES] = sigma
                                        ? (float)(model_random(&random) - 0.48)
                                        : (float)(4 * sin(t * 0.05) + 0.3 * model_random(&random));
            model_window(ctx, &r, T);
            double sum = 0, input = 0;
            for (int t = 0; t < T; t++) {
                double out = (double)r.out[t * LANES], y = (double)r.rows[t * LANES];
                input += y;
                if (sigma) y = fmax(input, 0); /* relu */
                sum += out;
                sent += out != 0;
                if (exact) {
                    assert_true(fabs(sum - y) <= threshold + 1e-4);
                    assert_true(out == 0 || fabs(out) > threshold);
                } else {
                    assert_true(fabs(sum - y) <= threshold / 2 + 1e-4);
                    CHECK_NEAR(out / threshold, round(out / threshold), 1e-6);
                    if (fabs(fmod(fabs(y) / threshold, 1) - 0.5) > 1e-3)
                        CHECK_NEAR(sum, threshold * round(y / threshold), 1e-5);
                }
                CHECK_NEAR(r.v[t * LANES], sum, 1e-4);
            }
            assert_true(sent > 20 && sent < T);
            model_close(&r);
        }
}

/* |change of the membrane| > threshold */
static void test_delta_leaky(void **state)
{
    (void)state;
    enum { T = 200 };
    model_run r;
    uint64_t random = 2;
    uint32_t spikes = 0;
    model_open(ctx, "delta-leaky", 1,
               (setting[]){{"beta", 0.875, NULL}, {"threshold", 0.5, NULL}, {NULL, 0, NULL}}, T,
               &r);
    r.rows = model_rows(T);
    for (int t = 0; t < T; t++) r.rows[t * LANES] = (float)(3 * model_random(&random) - 1.5);
    model_window(ctx, &r, T);
    double v = 0;
    for (int t = 0; t < T; t++) {
        double next = 0.875 * v + (double)r.rows[t * LANES], change = fabs(next - v);
        assert_true(fabs(change - 0.5) > 1e-5);
        assert_int_equal(r.spikes[t] & 1, change > 0.5);
        spikes += change > 0.5;
        v = next;
    }
    assert_true(spikes > 20 && spikes < T - 20);
    model_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_srm_kernel),
        cmocka_unit_test(test_srm_refractory),
        cmocka_unit_test(test_alpha),
        cmocka_unit_test(test_escape_survival),
        cmocka_unit_test(test_escape_probability),
        cmocka_unit_test(test_resonance),
        cmocka_unit_test(test_resonance_curve),
        cmocka_unit_test(test_delta),
        cmocka_unit_test(test_delta_leaky),
    };
    return cmocka_run_group_tests(tests, open_context, close_context);
}
