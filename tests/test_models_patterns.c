/* test_models_patterns.c: the firing patterns that Izhikevich 2003 and Naud et al. 2008 name, each
 * by what its name says of the intervals between spikes, and currents at which rest is lost by the
 * bifurcations that the papers derive. */
#include "models_run.h"
#include "one_context.h"

enum { MOST = 400 };

typedef struct train {
    double at[MOST], gap[MOST]; /* ms after the step; gap[i]: from spike i to i + 1 */
    uint32_t count;
} train;

/* A step of current from 50 ms on, for `ms`. */
static train step_of(const char *model, double dt, const setting *set, double I, double ms)
{
    train s = {.count = 0};
    model_run r;
    const uint32_t T = (uint32_t)lround((50 + ms) / dt), on = (uint32_t)lround(50 / dt);
    model_open(ctx, model, dt, set, T, &r);
    r.rows = model_rows(T);
    for (uint32_t t = on; t < T; t++) r.rows[t * LANES] = (float)I;
    model_window(ctx, &r, T);
    s.count = model_times(&r, T, 0, 0, s.at, MOST);
    for (uint32_t i = 0; i < s.count; i++) s.at[i] -= 50;
    for (uint32_t i = 0; i + 1 < s.count; i++) s.gap[i] = s.at[i + 1] - s.at[i];
    model_close(&r);
    return s;
}

static double mean_gap(const train *s, uint32_t from)
{
    assert_true(s->count > from + 3);
    return (s->at[s->count - 1] - s->at[from]) / (s->count - 1 - from);
}

/* All gaps from `from` on are within this part of their mean. */
static void check_regular(const train *s, uint32_t from, double part)
{
    double mean = mean_gap(s, from);
    for (uint32_t i = from; i + 1 < s->count; i++) CHECK_NEAR(s->gap[i] / mean, 1, part);
}

/* Bursts: gaps are short or long, none between; every burst from the second on has 2 spikes or more
 * and they all have equally many. Returns how many bursts there were. */
static uint32_t check_bursts(const train *s, double shorter, double longer)
{
    uint32_t bursts = 1, inside = 1, size = 0;
    for (uint32_t i = 0; i + 1 < s->count; i++) {
        assert_true(s->gap[i] < shorter || s->gap[i] > longer);
        if (s->gap[i] < shorter) {
            inside++;
            continue;
        }
        assert_true(inside >= 2);
        if (bursts == 2) size = inside;
        if (bursts > 2) assert_int_equal(inside, size);
        bursts++;
        inside = 1;
    }
    return bursts;
}

/* ---- Izhikevich ---- */

#define CELL(a, b, c, d)                                                                           \
    (setting[])                                                                                    \
    {                                                                                              \
        {"a", a, NULL}, {"b", b, NULL}, {"c", c, NULL}, {"d", d, NULL},                            \
        {                                                                                          \
            NULL, 0, NULL                                                                          \
        }                                                                                          \
    }
#define REGULAR       CELL(0.02, 0.2, -65, 8)
#define BURSTING      CELL(0.02, 0.2, -55, 4)
#define CHATTERING    CELL(0.02, 0.2, -50, 2)
#define FAST          CELL(0.1, 0.2, -65, 2)
#define LOW_THRESHOLD CELL(0.02, 0.25, -65, 2)
#define THALAMO       CELL(0.02, 0.25, -65, 0.05)
#define RESONATOR     CELL(0.1, 0.26, -65, 2)
#define DT            0.25

/* "a few spikes with short interspike period and then the period increases": adaptation */
static void test_regular_spiking(void **state)
{
    (void)state;
    train s = step_of("izhikevich", DT, REGULAR, 10, 1000);
    assert_in_range(s.count, 15, 35);
    assert_true(s.gap[0] < mean_gap(&s, 3) / 2);
    check_regular(&s, 3, 0.03);
    train more = step_of("izhikevich", DT, REGULAR, 15, 1000); /* more current, more spikes */
    assert_true(more.count > s.count * 1.2);
}

/* "a stereotypical burst of spikes followed by repetitive single spikes" */
static void test_intrinsically_bursting(void **state)
{
    (void)state;
    train s = step_of("izhikevich", DT, BURSTING, 10, 1000);
    assert_true(s.gap[0] < 6 && s.gap[1] < 8);
    for (uint32_t i = 2; i + 1 < s.count; i++) assert_true(s.gap[i] > 20);
    check_regular(&s, 4, 0.05);
}

/* "stereotypical bursts of closely spaced spikes", again and again */
static void test_chattering(void **state)
{
    (void)state;
    train s = step_of("izhikevich", DT, CHATTERING, 10, 1000);
    assert_in_range(check_bursts(&s, 8, 25), 12, 40); /* interburst frequency up to 40 Hz */
}

/* "periodic trains of extremely high frequency practically without any adaptation" */
static void test_fast_spiking(void **state)
{
    (void)state;
    train s = step_of("izhikevich", DT, FAST, 10, 1000);
    train regular = step_of("izhikevich", DT, REGULAR, 10, 1000);
    assert_true(s.count > 80 && s.count > 4 * regular.count);
    check_regular(&s, 3, 0.15);
    CHECK_NEAR(mean_gap(&s, 3) / mean_gap(&s, s.count / 2), 1, 0.02);
}

/* Spikes after 200 ms of inhibition end. */
static uint32_t rebound(const setting *set)
{
    enum { T = 2000 };
    model_run r;
    uint32_t spikes = 0;
    model_open(ctx, "izhikevich", DT, set, T, &r);
    r.rows = model_rows(T);
    for (int t = 400; t < 1200; t++) r.rows[t * LANES] = -10;
    model_window(ctx, &r, T);
    for (int t = 0; t < T; t++) {
        assert_true(t >= 1200 || !(r.spikes[t] & 1));
        spikes += (uint32_t)(r.spikes[t] & 1);
    }
    model_close(&r);
    return spikes;
}

/* "high-frequency trains with a noticeable adaptation", "low firing thresholds", rebound */
static void test_low_threshold_spiking(void **state)
{
    (void)state;
    train s = step_of("izhikevich", DT, LOW_THRESHOLD, 10, 1000);
    assert_true(s.count > 50);
    for (int i = 0; i < 4; i++) assert_true(s.gap[i + 1] > s.gap[i] * 1.1);
    assert_true(mean_gap(&s, 8) > 3 * s.gap[0]);
    /* a current at which regular and fast spiking cells are silent */
    assert_true(step_of("izhikevich", DT, LOW_THRESHOLD, 1.5, 1000).count > 5);
    assert_int_equal(step_of("izhikevich", DT, REGULAR, 1.5, 1000).count, 0);
    assert_int_equal(step_of("izhikevich", DT, FAST, 1.5, 1000).count, 0);
    assert_in_range(rebound(LOW_THRESHOLD), 1, 3);
    assert_int_equal(rebound(REGULAR), 0);
    assert_int_equal(rebound(FAST), 0);
}

/* Tonic from rest, a burst when released from inhibition. */
static void test_thalamo_cortical(void **state)
{
    (void)state;
    train s = step_of("izhikevich", DT, THALAMO, 1.5, 1000);
    assert_true(s.count > 15);
    check_regular(&s, 4, 0.4);
    assert_in_range(rebound(THALAMO), 2, 8);
}

/* Damped oscillations below the threshold: their period and decay are those of the eigenvalues at
 * rest, v with 0.04 v^2 + (5 - b) v + 140 = 0 and Jacobian (0.08 v + 5, -1; a b, -a). The regular
 * spiking cell has real ones and crosses its rest once at most. Two pulses a period apart add up to
 * a spike, half a period apart they do not. */
static void test_resonator(void **state)
{
    (void)state;
    enum { T = 4000 };
    const double dt = 0.05, b = 0.26, a = 0.1;
    const double rest = (-(5 - b) - sqrt((5 - b) * (5 - b) - 4 * 0.04 * 140)) / 0.08;
    const double trace = 0.08 * rest + 5 - a, det = -a * (0.08 * rest + 5) + a * b;
    const double period = 2 * M_PI / sqrt(det - trace * trace / 4);
    for (int regular = 0; regular < 2; regular++) {
        model_run r;
        model_open(ctx, "izhikevich", dt, regular ? REGULAR : RESONATOR, T, &r);
        double zero = (double)r.state[0][0];
        if (!regular) CHECK_NEAR(zero, rest, 1e-4);
        r.rows = model_rows(T);
        r.rows[0] = 4; /* 0.2 mV: small, or the parabola bends */
        model_window(ctx, &r, T);
        double cross[4] = {0};
        int n = 0;
        for (int t = 1; t < T && n < 4; t++) {
            double before = (double)r.v[(t - 1) * LANES] - zero, v = (double)r.v[t * LANES] - zero;
            if (before * v < 0 && fabs(v) > 2e-5) cross[n++] = (t - v / (v - before)) * dt;
        }
        if (regular) {
            assert_true(n <= 1);
        } else {
            assert_true(n >= 3);
            CHECK_NEAR(cross[2] - cross[0], period, 0.05 * period);
        }
        model_close(&r);
    }
    for (int half = 0; half < 2; half++) {
        model_run r;
        uint32_t spikes = 0;
        model_open(ctx, "izhikevich", dt, RESONATOR, T, &r);
        r.rows = model_rows(T);
        for (int p = 0; p < 2; p++)
            for (int t = 0; t < 20; t++) /* a pulse of 1 ms */
                r.rows[(t + p * (int)lround(period / dt) / (1 + half)) * LANES] = 2.3f;
        model_window(ctx, &r, T);
        for (int t = 0; t < T; t++) spikes += (uint32_t)(r.spikes[t] & 1);
        assert_int_equal(spikes > 0, !half);
        model_close(&r);
    }
}

/* The current of a slow ramp at which the first spike comes: from 0 to `from` in the first fifth.
 */
static double ramp(const char *model, double dt, const setting *set, double from, double to,
                   double ms)
{
    model_run r;
    const uint32_t T = (uint32_t)lround(ms / dt);
    double at = INFINITY;
    model_open(ctx, model, dt, set, T, &r);
    r.rows = model_rows(T);
    for (uint32_t t = 0; t < T; t++) {
        double part = 5.0 * t / T;
        r.rows[t * LANES] = (float)(part < 1 ? from * part : from + (to - from) * (part - 1) / 4);
    }
    model_window(ctx, &r, T);
    for (uint32_t t = 0; t < T; t++)
        if (r.spikes[t] & 1) {
            at = (double)r.rows[t * LANES];
            break;
        }
    model_close(&r);
    return at;
}

/* Rest is lost in a Hopf bifurcation where 0.08 v + 5 = a (before the saddle and the node meet, as
 * a < b): I = b v - 0.04 v^2 - 5 v - 140 there. */
static void test_izhikevich_rheobase(void **state)
{
    (void)state;
    static const double b[] = {0.2, 0.25};
    for (int i = 0; i < 2; i++) {
        double v = (0.02 - 5) / 0.08, want = b[i] * v - 0.04 * v * v - 5 * v - 140;
        double got =
            ramp("izhikevich", 0.1, CELL(0.02, b[i], -65, 2), want - 0.5, want + 0.5, 40000);
        CHECK_NEAR(got, want, 0.1);
    }
}

/* ---- AdEx ---- */

/* Touboul & Brette 2008: rest is lost at a saddle-node when a/g < tau_m/tau_w, else in a Hopf
 * bifurcation:
 *   (g + a) (V_T - E_L - D + D ln(1 + a/g))
 *   (g + a) (V_T - E_L - D + D ln(1 + tau_m/tau_w)) + D g (a/g - tau_m/tau_w) */
static void test_adex_rheobase(void **state)
{
    (void)state;
    const double C = 281, g = 30, D = 2, gap = -50.4 + 70.6, tau_w = 144, q = C / g / tau_w;
    static const double a[] = {0, 1, 4, 20};
    for (int i = 0; i < 4; i++) {
        double p = a[i] / g, node = (g + a[i]) * (gap - D + D * log1p(p));
        double hopf = (g + a[i]) * (gap - D + D * log1p(q)) + D * g * (p - q);
        double want = p < q ? node : hopf;
        double got = ramp("adex", 0.1, (setting[]){{"a", a[i], NULL}, {NULL, 0, NULL}}, want * 0.95,
                          want * 1.05, 20000);
        CHECK_NEAR(got / want, 1, 0.01); /* a Hopf bifurcation is passed with delay */
    }
    /* the EIF's: V_T - rest - delta */
    CHECK_NEAR(ramp("eif", 0.1, NULL, 1.57, 1.7, 20000), -59.9 + 65 - 3.48, 0.02);
}

/* Gerstner et al. 2014, table 6.1 (after Naud et al. 2008): g 2 nS, rest -70, V_T -50, D 2 mV, 65
 * pA */
static train adex_step(double tau_m, double a, double tau_w, double b, double reset, double I,
                       double ms)
{
    return step_of("adex", 0.02,
                   (setting[]){{"capacitance", 2 * tau_m, NULL},
                               {"leak", 2, NULL},
                               {"rest", -70, NULL},
                               {"rheobase", -50, NULL},
                               {"delta", 2, NULL},
                               {"peak", 0, NULL},
                               {"a", a, NULL},
                               {"tau_w", tau_w, NULL},
                               {"b", b, NULL},
                               {"reset", reset, NULL},
                               {NULL, 0, NULL}},
                   I, ms);
}

static void test_adex_patterns(void **state)
{
    (void)state;
    train s = adex_step(20, 0, 30, 60, -55, 65, 600); /* tonic */
    check_regular(&s, 1, 0.02);
    s = adex_step(200, 0, 100, 5, -55, 65, 4000); /* adapting */
    assert_true(s.gap[0] < s.gap[1] && s.gap[1] < s.gap[2] && s.gap[2] < s.gap[6]);
    s = adex_step(5, 0.5, 100, 7, -51, 65, 600); /* an initial burst, then regular */
    assert_true(s.gap[0] < 5 && s.gap[1] < 6);
    assert_true(mean_gap(&s, 6) > 25);
    check_regular(&s, 6, 0.03);
    s = adex_step(5, -0.5, 100, 7, -46, 65, 600); /* bursting */
    assert_in_range(check_bursts(&s, 10, 40), 5, 15);
    s = adex_step(5, -1, 100, 10, -60, 25, 800); /* delayed: silent for longer than an interval */
    assert_true(s.at[0] > 1.1 * s.gap[1] && s.at[0] > 100);
    check_regular(&s, 1, 0.03);
    /* the cell of Brette & Gerstner 2005: spike-frequency adaptation */
    s = step_of("adex", 0.05, NULL, 1000, 800);
    assert_true(s.gap[0] < 0.6 * mean_gap(&s, 6));
    check_regular(&s, 12, 0.02);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_regular_spiking),
        cmocka_unit_test(test_intrinsically_bursting),
        cmocka_unit_test(test_chattering),
        cmocka_unit_test(test_fast_spiking),
        cmocka_unit_test(test_low_threshold_spiking),
        cmocka_unit_test(test_thalamo_cortical),
        cmocka_unit_test(test_resonator),
        cmocka_unit_test(test_izhikevich_rheobase),
        cmocka_unit_test(test_adex_rheobase),
        cmocka_unit_test(test_adex_patterns),
    };
    return cmocka_run_group_tests(tests, open_context, close_context);
}
