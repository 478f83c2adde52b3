/* test_neuron.c: every neuron model against a closed form or a recurrence written here, the float
 * loops against the double reference, and against themselves: streaming, block sizes, instruction
 * sets. */
#include "neuron_run.h"
#include "one_context.h"

/* Steps at which neuron 0 spikes under constant input; at most `room`. */
static uint32_t spike_steps(neuron_run *r, float input, uint32_t T, uint32_t *step, uint32_t room)
{
    uint32_t count = 0;
    for (uint32_t t = 0; t < T; t++) {
        r->in[0][0][0] = input;
        run_window(ctx, r, 1, 1);
        if (r->spikes[0] & 1 && count < room) step[count++] = t;
    }
    return count;
}

/* ---- closed forms ---- */

/* tau dv/dt = -v + I, v = 0 after a spike: period tau ln(I/(I - 1)), plus the refractory time. A
 * spike is seen at the next multiple of dt, so a period is up to dt long. */
static void test_lif_rate(void **state)
{
    (void)state;
    static const struct {
        double I, tau, dt, hold;
    } cases[] = {{1.1, 20, 0.1, 0},
                 {1.5, 20, 0.1, 0},
                 {3, 20, 0.1, 0},
                 {1.5, 10, 0.05, 40},
                 {8, 5, 0.05, 100}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        neuron_run r;
        run_open(ctx, "lif", cases[c].dt,
                 (setting[]){{"tau", cases[c].tau},
                             {"scaled", 1},
                             {"reset", 1},
                             {"when", 1},
                             {"refractory", cases[c].hold},
                             {NULL, 0}},
                 &r);
        uint32_t step[4];
        assert_int_equal(spike_steps(&r, (float)cases[c].I, 20000, step, 4), 4);
        double period = cases[c].tau * log(cases[c].I / (cases[c].I - 1));
        for (int i = 1; i < 4; i++) {
            double found = (step[i] - step[i - 1] - cases[c].hold) * cases[c].dt;
            CHECK_NEAR(found, period + cases[c].dt / 2, cases[c].dt / 2 * 1.02);
        }
    }
}

static void test_below_threshold_never_spikes(void **state)
{
    (void)state;
    neuron_run r;
    uint32_t step[1];
    run_open(ctx, "lif", 1, (setting[]){{"tau", 20}, {"scaled", 1}, {NULL, 0}}, &r);
    assert_int_equal(spike_steps(&r, 0.999f, 5000, step, 1), 0);
}

/* Without leak and with reset by subtraction nothing is lost: T I spikes, to one. */
static void test_if_rate(void **state)
{
    (void)state;
    static const double rates[] = {0.01, 0.3, 0.5, 0.77, 1.0};
    for (size_t c = 0; c < sizeof rates / sizeof *rates; c++) {
        neuron_run r;
        static uint32_t step[2000];
        run_open(ctx, "if", 1, NULL, &r);
        CHECK_NEAR(spike_steps(&r, (float)rates[c], 1000, step, 2000), 1000 * rates[c], 1);
    }
}

static void test_refractory_limit(void **state)
{
    (void)state;
    static const char *const models[] = {"if", "lif"};
    for (int m = 0; m < 2; m++)
        for (uint32_t hold = 0; hold < 5; hold++) {
            neuron_run r;
            uint32_t step[3];
            run_open(ctx, models[m], 1, (setting[]){{"refractory", hold}, {"reset", 1}, {NULL, 0}},
                     &r);
            assert_int_equal(spike_steps(&r, 1000, 100, step, 3), 3);
            /* next/zero drops the input of the step after the spike */
            uint32_t interval = hold > 0 ? hold + 1 : 2;
            assert_int_equal(step[1] - step[0], interval);
            assert_int_equal(step[2] - step[1], interval);
        }
}

static void test_lif_decay(void **state)
{
    (void)state;
    neuron_run r;
    run_open(ctx, "lif", 0.5, (setting[]){{"tau", 7}, {NULL, 0}}, &r);
    r.in[0][0][0] = 0.75f;
    run_window(ctx, &r, 40, 1);
    for (int t = 0; t < 40; t++) /* a rounding of half a unit each step, and of beta */
        CHECK_NEAR(r.v[t][0], 0.75 * exp(-0.5 * t / 7),
                   0.75 * exp(-0.5 * t / 7) * (t + 1) * 1.2e-7);
}

/* v reaches the threshold exactly after four quarters. */
static void test_threshold_test(void **state)
{
    (void)state;
    for (int equal = 0; equal < 2; equal++) {
        neuron_run r;
        uint32_t step[1];
        run_open(ctx, "if", 1, (setting[]){{"test", equal}, {NULL, 0}}, &r);
        assert_int_equal(spike_steps(&r, 0.25f, 20, step, 1), 1);
        assert_int_equal(step[0], equal ? 3 : 4);
    }
}

/* The three resets and two reset times, each as its own recurrence. */
static void test_resets(void **state)
{
    (void)state;
    enum { T = 60 };
    for (int reset = 0; reset < 3; reset++)
        for (int same = 0; same < 2; same++) {
            neuron_run r;
            const double beta = 0.875, theta = 0.75; /* exact in float32 */
            run_open(ctx, "lif", 1,
                     (setting[]){{"beta", beta},
                                 {"threshold", theta},
                                 {"reset", reset},
                                 {"when", same},
                                 {NULL, 0}},
                     &r);
            run_fill(&r, 3);
            run_window(ctx, &r, T, 1);
            double v = 0, least = 1;
            bool s = false;
            int spikes = 0;
            for (int t = 0; t < T; t++) {
                double i = (double)r.in[0][t][0];
                if (!same) {
                    if (reset == 0) v = beta * v + i - (s ? theta : 0);
                    if (reset == 1) v = s ? 0 : beta * v + i;
                    if (reset == 2) v = beta * v + i;
                    s = v > theta;
                    least = fmin(least, fabs(v - theta));
                } else {
                    v = beta * v + i;
                    s = v > theta;
                    least = fmin(least, fabs(v - theta));
                    if (s && reset == 0) v -= theta;
                    if (s && reset == 1) v = 0;
                }
                spikes += s;
                if ((r.spikes[t] & 1) != s) fail_msg("reset %d same %d: spike %d", reset, same, t);
                CHECK_NEAR(r.v[t][0], v, 1e-5);
            }
            assert_true(least > 1e-5); /* else equal spikes would be luck */
            assert_in_range(spikes, 5, T - 1);
        }
}

/* Rate of a LIF neuron with its kink smoothed, in the plainest form. */
static double soft_rate(double x, double rc, double ref, double gamma, double gain,
                        double amplitude)
{
    double j = gamma * log1p(exp((gain * x - 1) / gamma));
    return amplitude / (ref + rc * log1p(1 / j));
}

static void test_soft_lif(void **state)
{
    (void)state;
    static const double x[] = {-0.3, 0, 0.5, 0.9, 0.95, 0.99, 1, 1.01, 1.05, 1.3, 2, 5, 50};
    static const struct {
        double gamma, gain, amplitude;
    } cases[] = {{0.02, 1, 1}, {0.1, 0.825, 63}};
    for (size_t c = 0; c < 2; c++) {
        neuron_run r;
        double gamma = cases[c].gamma, gain = cases[c].gain, amplitude = cases[c].amplitude;
        run_open(ctx, "soft-lif", 1,
                 (setting[]){{"gamma", gamma}, {"gain", gain}, {"amplitude", amplitude}, {NULL, 0}},
                 &r);
        for (size_t i = 0; i < sizeof x / sizeof *x; i++) {
            r.in[0][0][0] = (float)x[i];
            run_window(ctx, &r, 1, 1);
            double want = soft_rate((double)(float)x[i], 20, 2, gamma, gain, amplitude);
            if (!isfinite(want) || gain * x[i] / gamma > 700)
                want = amplitude / (2 + 20 * log1p(1 / (gain * x[i] - 1)));
            /* y = (gain x - 1)/gamma is off by a unit of |y| + 1/gamma; r changes by less than that
             */
            CHECK_NEAR(r.out[0][0], want,
                       want * (2e-6 + 1.2e-7 * (1 / gamma + fabs(x[i] / gamma))));
        }
        for (double far = -1; far > -1e30; far *= 100) { /* no NaN */
            r.in[0][0][0] = (float)far;
            run_window(ctx, &r, 1, 1);
            /* j = gamma e^y for y far below 0: ln(1 + 1/j) = -y - ln gamma */
            double y = (gain * far - 1) / gamma;
            if (y > -30) continue;
            CHECK_NEAR(r.out[0][0] / (amplitude / (2 + 20 * (-y - log(gamma)))), 1, 2e-6);
        }
    }
}

/* 1/(tau_ref + tau_rc ln(1 + 1/(j - 1))) at dt 1 ms, to 1e-3 and one spike. */
static void test_lif_refractory_rate(void **state)
{
    (void)state;
    static const struct {
        double j, ref, syn;
    } cases[] = {{1.05, 2, 0}, {1.2, 2, 0}, {2, 2, 0}, {5, 2, 0},    {40, 2, 0},
                 {3, 5, 5},    {2, 2, 5},   {6, 0, 0}, {7, 0.3, 20}, {12, 1.5, 0}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        enum { T = 20000, SKIP = 500 };
        static uint32_t step[T];
        neuron_run r;
        run_open(ctx, "lif-refractory", 1,
                 (setting[]){{"tau_ref", cases[c].ref}, {"tau_syn", cases[c].syn}, {NULL, 0}}, &r);
        uint32_t count = spike_steps(&r, (float)cases[c].j, T, step, T), late = 0;
        for (uint32_t i = 0; i < count; i++) late += step[i] >= SKIP;
        double want = 1 / (cases[c].ref + 20 * log1p(1 / (cases[c].j - 1)));
        CHECK_NEAR(late, want * (T - SKIP), want * (T - SKIP) * 1e-3 + 1);
    }
}

static void test_lif_refractory_filter(void **state)
{
    (void)state;
    neuron_run r;
    run_open(ctx, "lif-refractory", 1, (setting[]){{"tau_syn", 5}, {NULL, 0}}, &r);
    for (int t = 0; t < 30; t++) r.in[0][t][0] = 0.8f;
    run_window(ctx, &r, 30, 1);
    /* the state `i` after 30 ms of a step input; its index is 1 */
    assert_string_equal(r.m->states[1].name, "i");
    CHECK_NEAR(r.state[1][0], 0.8 * (1 - exp(-30.0 / 5)), 1e-6);
    /* never below 0 */
    for (int t = 0; t < 30; t++) r.in[0][t][0] = -5;
    run_window(ctx, &r, 30, 1);
    assert_true(r.v[29][0] == 0);
}

/* ---- the conductance neuron ---- */

static void test_conductance_steady(void **state)
{
    (void)state;
    neuron_run r; /* conductances that do not decay: 0.1 and 0.4 of the leak */
    run_open(ctx, "conductance-lif", 0.5,
             (setting[]){{"tau_excite", 1e12}, {"tau_inhibit", 1e12}, {NULL, 0}}, &r);
    double end = (-65 + 0.1 * 0 + 0.4 * -100) / 1.5, v0 = -65;
    for (int w = 0; w < 100; w++) {
        r.in[0][0][0] = w == 0 ? 0.1f : 0;
        r.in[1][0][0] = w == 0 ? 0.4f : 0;
        run_window(ctx, &r, 1, 1);
        /* exact for constant conductance: time constant tau/(1 + ge + gi) */
        double want = end + (v0 - end) * exp(-(w + 1) * 0.5 * 1.5 / 100);
        CHECK_NEAR(r.v[0][0], want, (w + 1) * 8e-6); /* a unit in the last place of 80 a step */
    }
    for (int w = 0; w < 5000; w++) {
        r.in[0][0][0] = r.in[1][0][0] = 0;
        run_window(ctx, &r, 1, 1);
    }
    CHECK_NEAR(r.v[0][0], end, 1e-3);
    /* any conductance, however large, stays between the reversal potentials */
    r.in[1][0][0] = 1e6f;
    run_window(ctx, &r, 1, 1);
    CHECK_NEAR(r.v[0][0], -100, 1e-2);
}

/* v 20 ms after one input of each kind, by Runge and Kutta in small steps. */
static double conductance_exact(double ge0, double gi0, double end)
{
    enum { N = 20000 };
    double v = -65, h = end / N;
    for (int i = 0; i < N; i++) {
        double slope[4], at[4] = {0, h / 2, h / 2, h};
        for (int s = 0; s < 4; s++) {
            double t = i * h + at[s], u = v + (s ? slope[s - 1] * at[s] : 0);
            double ge = ge0 * exp(-t / 1), gi = gi0 * exp(-t / 2);
            slope[s] = ((-65 - u) + ge * (0 - u) + gi * (-100 - u)) / 100;
        }
        v += h / 6 * (slope[0] + 2 * slope[1] + 2 * slope[2] + slope[3]);
    }
    return v;
}

static void test_conductance_order(void **state)
{
    (void)state;
    double exact = conductance_exact(3, 1, 16), error[3];
    for (int h = 0; h < 3; h++) {
        double dt = 0.25 / (1 << h);
        neuron_run r;
        run_open(ctx, "conductance-lif", dt, NULL, &r);
        for (int t = 0; t < (int)(16 / dt); t++) {
            r.in[0][0][0] = t == 0 ? 3 : 0;
            r.in[1][0][0] = t == 0 ? 1 : 0;
            run_window(ctx, &r, 1, 1);
        }
        error[h] = (double)r.v[0][0] - exact;
    }
    for (int h = 0; h < 2; h++) CHECK_NEAR(error[h] / error[h + 1], 2, 0.25);
}

static void test_conductance_theta(void **state)
{
    (void)state;
    neuron_run r;
    run_open(ctx, "conductance-lif", 0.5, NULL, &r);
    assert_string_equal(r.m->states[4].name, "theta");
    assert_int_equal(r.m->states[4].scope, RHEO_SCOPE_RUN);
    uint32_t step[200], count = spike_steps(&r, 50, 2000, step, 200);
    assert_in_range(count, 50, 200);
    for (uint32_t i = 1; i < count; i++) /* 5 ms refractory, at least one step to the threshold */
        assert_true(step[i] - step[i - 1] >= 11);
    assert_int_equal(step[1] - step[0], 11);
    /* every spike adds 0.05 mV, all decay with 1e7 ms: below 0.01 % in a second */
    CHECK_NEAR(r.state[4][0], 20 + 0.05 * count, (20 + 0.05 * count) * 1000 / 1e7 + 1e-5);
    /* a million steps: exp(-500 s / 10000 s), although a step is below float32's resolution */
    float theta = r.state[4][0];
    r.in[0][0][0] = 0;
    rheo_block b = run_block(&r, 1000000, 1);
    b.port_t[0] = b.port_t[1] = 0;
    b.spikes_t = 0;
    b.readout = NULL;
    rheo__neuron_loops(ctx, r.m->index)->window(&b);
    CHECK_NEAR(r.state[4][0], (double)theta * exp(-500e3 / 1e7), 4e-6);
    /* not while learning is off, but it still counts as threshold */
    theta = r.state[4][0];
    float rest = r.state[5][0];
    run_fill(&r, 5);
    b = run_block(&r, 60, 1);
    b.learn = false;
    rheo__neuron_loops(ctx, r.m->index)->window(&b);
    assert_true(theta == r.state[4][0] && rest == r.state[5][0]);
}

static void test_conductance_threshold(void **state)
{
    (void)state;
    /* constant drive to just below and just above: -52 with theta 20 and offset -20; -40 without */
    static const struct {
        double adaptive, threshold;
    } cases[] = {{1, -52}, {0, -40}};
    for (int c = 0; c < 2; c++)
        for (int above = 0; above < 2; above++) {
            neuron_run r;
            run_open(ctx, "conductance-lif", 0.5,
                     (setting[]){{"adaptive", cases[c].adaptive},
                                 {"tau_excite", 1e12},
                                 {"threshold", cases[c].threshold},
                                 {"theta_plus", 0},
                                 {NULL, 0}},
                     &r);
            double target = cases[c].threshold + (above ? 0.05 : -0.05);
            double g = (-65 - target) / target; /* v_inf = -65/(1 + g) */
            uint32_t spikes = 0;
            for (int t = 0; t < 3000; t++) {
                r.in[0][0][0] = t == 0 ? (float)g : 0;
                run_window(ctx, &r, 1, 1);
                spikes += (uint32_t)(r.spikes[0] & 1);
            }
            assert_int_equal(spikes > 0, above);
        }
}

static void test_analogue_units(void **state)
{
    (void)state;
    static const float x[] = {-2, -0.5f, -0.0f, 0, 1e-30f, 0.5f, 3};
    static const struct {
        const char *model;
        float y[7];
    } cases[] = {{"relu", {0, 0, 0, 0, 1e-30f, 0.5f, 3}},
                 {"sign", {-1, -1, 1, 1, 1, 1, 1}},
                 {"identity", {-2, -0.5f, 0, 0, 1e-30f, 0.5f, 3}}};
    for (int c = 0; c < 3; c++) {
        neuron_run r;
        run_open(ctx, cases[c].model, 1, NULL, &r);
        memcpy(r.in[0][0], x, sizeof x);
        run_window(ctx, &r, 1, 7);
        for (int j = 0; j < 7; j++) {
            float y = r.m->out == RHEO_REAL    ? r.out[0][j]
                      : (r.spikes[0] >> j & 1) ? r.m->hi
                                               : r.m->lo;
            assert_true(y == cases[c].y[j]);
            assert_true(r.v[0][j] == y);
        }
        assert_true(r.m->stateless);
    }
}

/* ---- the loops against the reference and themselves ---- */

static void test_loops_are_the_reference(void **state)
{
    (void)state;
    const rheo_neuron *m;
    for (uint32_t index = 0; (m = rheo__neuron_at(index)) != NULL; index++) {
        enum { T = 50 };
        neuron_run r;
        if (m->draws) continue; /* in nets: test_neuron_own.c */
        run_open(ctx, m->name, 0.5, NULL, &r);
        run_fill(&r, 11);
        float start[RHEO_STATES][RHEO_BLOCK];
        memcpy(start, r.state, sizeof start);
        run_window(ctx, &r, T, RHEO_BLOCK);
        uint32_t close = 0, spikes = 0;
        for (uint32_t j = 0; j < RHEO_BLOCK; j++) {
            double s[RHEO_STATES];
            for (int f = 0; f < RHEO_STATES; f++) s[f] = (double)start[f][j];
            for (uint32_t t = 0; t < T; t++) {
                double in[RHEO_ROWS] = {(double)r.in[0][t][j], (double)r.in[1][t][j]}, x;
                double out = m->reference.step(r.kd, s, in, false, &(rheo_pseudo){0}, true, &x);
                double v = m->readout < RHEO_STATES ? s[m->readout] : out;
                double scale = fabs(v) > 1 ? fabs(v) : 1;
                if (m->out == RHEO_BITS && fabs(x) < 1e-4 * scale) { /* may differ from here on */
                    close++;
                    break;
                }
                if (m->out == RHEO_BITS) {
                    bool z = (r.spikes[t] >> j & 1) != 0;
                    spikes += z;
                    if (out != (double)(z ? m->hi : m->lo))
                        fail_msg("%s: spike of neuron %u at step %u", m->name, j, t);
                } else {
                    CHECK_NEAR(r.out[t][j], out, 2e-5 * fabs(out) + 1e-7);
                }
                CHECK_NEAR(r.v[t][j], v, 2e-5 * scale);
            }
        }
        if (close >= RHEO_BLOCK / 4) fail_msg("%s: %u left out", m->name, close);
        const bool busy = rheo__field_index(m->fields, "threshold") == 0; /* the leaky family */
        if (busy && spikes < 60) fail_msg("%s: %u spikes", m->name, spikes);
    }
}

/* All that a window leaves behind, compared bit for bit. */
static void same_run(const neuron_run *a, const neuron_run *b, uint32_t T, uint32_t n,
                     const char *what)
{
    uint64_t mask = n < 64 ? (UINT64_C(1) << n) - 1 : ~UINT64_C(0);
    for (uint32_t t = 0; t < T; t++) {
        if ((a->spikes[t] & mask) != b->spikes[t]) fail_msg("%s %s: spikes", a->m->name, what);
        if (memcmp(a->out[t], b->out[t], n * sizeof(float)) ||
            memcmp(a->v[t], b->v[t], n * sizeof(float)))
            fail_msg("%s %s: output or read-out of step %u", a->m->name, what, t);
    }
    for (uint32_t f = 0; f < RHEO_STATES; f++)
        if (memcmp(a->state[f], b->state[f], n * sizeof(float)))
            fail_msg("%s %s: state %u", a->m->name, what, f);
}

static void test_same_bits(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {1, 10, 15, 16, 17, 32, 33, 48, 49, 63, 64};
    enum { T = 40 };
    const rheo_neuron *m;
    for (uint32_t index = 0; (m = rheo__neuron_at(index)) != NULL; index++) {
        static neuron_run whole, part;
        run_open(ctx, m->name, 0.5, NULL, &whole);
        run_fill(&whole, 23);
        static neuron_run start;
        start = whole;
        run_window(ctx, &whole, T, RHEO_BLOCK);
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            part = start; /* one window of a smaller block */
            run_window(ctx, &part, T, sizes[i]);
            same_run(&whole, &part, T, sizes[i], "block size");
            if (sizes[i] < 64) { /* nothing is written beyond the block */
                assert_memory_equal(&part.v[3][sizes[i]], &start.v[3][sizes[i]], 4);
                assert_memory_equal(&part.state[0][sizes[i]], &start.state[0][sizes[i]], 4);
            }
            part = start; /* as many windows as steps */
            rheo_block b = run_block(&part, 1, sizes[i]);
            for (uint32_t t = 0; t < T; t++) {
                for (int p = 0; p < RHEO_PORTS; p++)
                    if (b.port[p]) b.port[p] = part.in[p][t];
                if (b.spikes) b.spikes = &part.spikes[t];
                if (b.real) b.real = part.out[t];
                b.readout = part.v[t];
                rheo__neuron_loops(ctx, index)->window(&b);
            }
            same_run(&whole, &part, T, sizes[i], "streaming");
        }
        for (int isa = 0; isa <= (int)rheo__isa_best(); isa++) {
            rheo_context *other = run_context((rheo_isa_level)isa);
            for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
                part = start;
                run_window(other, &part, T, sizes[i]);
                same_run(&whole, &part, T, sizes[i], rheo__isa_names[isa]);
            }
            rheo_context_free(other);
        }
    }
}

enum { WIDE = 192, WIDE_N = 150, WIDE_T = 40 }; /* 64 + 64 + 22 neurons */
typedef struct wide {
    float in[RHEO_PORTS][WIDE_T][WIDE], state[RHEO_STATES][WIDE];
    float out[WIDE_T][WIDE], v[WIDE_T][WIDE];
    uint64_t spikes[WIDE_T][3];
} wide;

static rheo_block wide_block(wide *w, const neuron_run *r, uint32_t first, uint32_t n)
{
    rheo_block b = {.T = WIDE_T, .n = n, .k = r->k};
    for (uint32_t p = 0; p < RHEO_PORTS && r->m->ports[p]; p++) {
        b.port[p] = w->in[p][0] + first;
        b.port_t[p] = WIDE;
    }
    for (uint32_t f = 0; f < run_states(r->m); f++) b.state[f] = w->state[f] + first;
    b.spikes = r->m->out == RHEO_BITS ? w->spikes[0] + first / 64 : NULL;
    b.spikes_t = 3;
    b.real = r->m->out == RHEO_BITS ? NULL : w->out[0] + first;
    b.readout = w->v[0] + first;
    b.real_t = b.readout_t = WIDE;
    return b;
}

/* Many neurons in one call are their blocks of 64 one by one, and nothing is written behind them
 * but in states that have room. */
static void test_many_neurons(void **state)
{
    (void)state;
    static wide start, whole, part;
    static neuron_run r;
    for (uint32_t index = 0; rheo__neuron_at(index); index++)
        for (uint32_t i = 0; i < 4; i++) {
            const bool learn = i % 2, room = i / 2;
            run_open(ctx, rheo__neuron_at(index)->name, 0.5, NULL, &r);
            for (uint32_t p = 0; p < RHEO_PORTS; p++)
                for (uint32_t j = 0; j < WIDE_T * WIDE; j++)
                    start.in[p][j / WIDE][j % WIDE] = (float)run_input(r.m, p, run_draw(41 + p, j));
            for (uint32_t j = 0; j < RHEO_STATES * WIDE; j++)
                start.state[j / WIDE][j % WIDE] = r.state[j / WIDE][0];
            whole = part = start;
            rheo_block b = wide_block(&whole, &r, 0, WIDE_N);
            b.learn = learn;
            b.room = room ? WIDE : 0;
            rheo__neuron_loops(ctx, index)->window(&b);
            for (uint32_t first = 0; first < WIDE_N; first += 64) {
                b = wide_block(&part, &r, first, WIDE_N - first < 64 ? WIDE_N - first : 64);
                b.learn = learn;
                rheo__neuron_loops(ctx, index)->window(&b);
            }
            assert_memory_equal(whole.spikes, part.spikes, sizeof whole.spikes);
            assert_memory_equal(whole.out, part.out, sizeof whole.out);
            assert_memory_equal(whole.v, part.v, sizeof whole.v);
            const size_t same = (room ? WIDE_N : WIDE) * sizeof(float);
            for (int f = 0; f < RHEO_STATES; f++)
                assert_memory_equal(whole.state[f], part.state[f], same);
        }
}

static void test_static_and_missing_input(void **state)
{
    (void)state;
    static neuron_run a, b;
    const rheo_neuron *m;
    for (uint32_t index = 0; (m = rheo__neuron_at(index)) != NULL; index++) {
        run_open(ctx, m->name, 0.5, NULL, &a);
        run_fill(&a, 31);
        for (int p = 0; p < RHEO_PORTS; p++)
            for (int t = 1; t < 20; t++) memcpy(a.in[p][t], a.in[p][0], sizeof a.in[p][0]);
        b = a;
        run_window(ctx, &a, 20, 33);
        rheo_block block = run_block(&b, 20, 33);
        block.port_t[0] = block.port_t[1] = 0;
        rheo__neuron_loops(ctx, index)->window(&block);
        same_run(&a, &b, 20, 33, "static");
        run_open(ctx, m->name, 0.5, NULL, &a);
        run_open(ctx, m->name, 0.5, NULL, &b);
        run_window(ctx, &a, 5, 20);
        block = run_block(&b, 5, 20);
        block.port[0] = block.port[1] = NULL;
        rheo__neuron_loops(ctx, index)->window(&block);
        same_run(&a, &b, 5, 20, "nothing connected");
    }
}

/* ---- tables ---- */

static void test_tables(void **state)
{
    (void)state;
    uint32_t count = 0;
    for (const rheo_neuron *m; (m = rheo__neuron_at(count)) != NULL; count++) {
        assert_ptr_equal(rheo__neuron_find(m->name), m);
        assert_int_equal(m->index, count);
        assert_string_equal(rheo__neuron_names[count], m->name);
        assert_int_equal(m->reference.adjoint != NULL,
                         rheo__neuron_loops(ctx, m->index)->adjoint != NULL);
        bool surrogate = rheo__field_index(m->fields, "surrogate") >= 0;
        assert_int_equal(surrogate, m->out == RHEO_BITS && m->reference.adjoint);
        assert_true(m->constants <= RHEO_CONSTANTS);
        assert_true(rheo__field_count(m->fields) <= RHEO_OPTIONS_MAX);
        for (uint32_t i = 0; m->learnable[i]; i++) {
            const int at = rheo__field_index(m->fields, m->learnable[i]);
            if (at < 0) fail_msg("%s has no '%s' to learn", m->name, m->learnable[i]);
            assert_true(m->fields[at].type == RHEO_NUMBER && m->reference.adjoint);
        }
    }
    assert_true(count >= 13);
    assert_null(rheo__neuron_names[count]);
    assert_null(rheo__neuron_find("leaky"));
}

static void test_bad_step(void **state)
{
    (void)state;
    static const char *const names[] = {"lif", "conductance-lif", "lif-refractory"};
    for (int i = 0; i < 3; i++) {
        const rheo_neuron *m = rheo__neuron_find(names[i]);
        rheo_options options = rheo__field_defaults(m->fields);
        double k[RHEO_CONSTANTS];
        if (i == 0) options.v[rheo__field_index(m->fields, "tau")] = 20;
        CHECK_FAILS(ctx, m->derive(ctx, &options, 0, k), RHEO_USAGE, "give dt");
        CHECK_FAILS(ctx, m->derive(ctx, &options, NAN, k), RHEO_USAGE, "give dt");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lif_rate),
        cmocka_unit_test(test_below_threshold_never_spikes),
        cmocka_unit_test(test_if_rate),
        cmocka_unit_test(test_refractory_limit),
        cmocka_unit_test(test_lif_decay),
        cmocka_unit_test(test_threshold_test),
        cmocka_unit_test(test_resets),
        cmocka_unit_test(test_soft_lif),
        cmocka_unit_test(test_lif_refractory_rate),
        cmocka_unit_test(test_lif_refractory_filter),
        cmocka_unit_test(test_conductance_steady),
        cmocka_unit_test(test_conductance_order),
        cmocka_unit_test(test_conductance_theta),
        cmocka_unit_test(test_conductance_threshold),
        cmocka_unit_test(test_analogue_units),
        cmocka_unit_test(test_loops_are_the_reference),
        cmocka_unit_test(test_same_bits),
        cmocka_unit_test(test_many_neurons),
        cmocka_unit_test(test_static_and_missing_input),
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_bad_step),
    };
    return cmocka_run_group_tests(tests, open_context, close_context);
}
