/* test_surrogates.c: every surrogate against what peers' own derivatives give (arrays of
 * oracles/peers/surrogates.npz), its integral by differences, its symmetry and its ends, the float
 * loops of every instruction set against double; random ones by their mean and spread; formulas:
 * values, messages, and against the entries of the table that they write out. */
#include "array/npy.h"
#include "neuron/neuron.h"
#include "neuron/surrogate_math.h"
#include "neuron_run.h"
#include "one_context.h"
#include <stdio.h>

static uint32_t index_of(const char *name)
{
    for (uint32_t i = 0; rheo__surrogate_at(i); i++)
        if (!strcmp(rheo__surrogate_at(i)->name, name)) return i;
    fail_msg("no surrogate %s", name);
    return 0;
}

/* ---- the table ---- */

/* end: what the integral comes to, NaN: it has no end there; low: at -infinity, idem. even: d(-x) =
 * d(x). d0: the derivative at 0 with the default parameters. */
typedef struct known {
    const char *name;
    double slope, d0, low, end;
    bool even;
} known;

static const known all[] = {
    {"atan", 2, 1, 0, 1, true},
    {"fast-sigmoid", 25, 1, 0, 2.0 / 25, true},
    {"sigmoid", 25, 6.25, 0, 1, true},
    {"triangular", 1, 1, 0, 1, true},
    {"rectangular", 1, 0.5, 0, 1, true},
    {"gaussian", 2, 0.7978845608, 0, 1, true},
    {"straight-through", 1, 1, NAN, NAN, true},
    {"piecewise-quadratic", 1, 1, 0, 1, true},
    {"piecewise-linear", 0.3, 0.3, 0, 0.3, true},
    {"piecewise-exponential", 1, 0.5, 0, 1, true},
    {"exponential", 2, 1, 0, 1, true},
    {"super-spike", 1, 1, 0, 2, true},
    {"soft-sign", 2, 1, 0, 1, true},
    {"nonzero-sign-log-abs", 1, 1, NAN, NAN, true},
    {"erf", 2, 1.1283791671, 0, 1, true},
    {"erfc", 100, 1.1283791671, 0, 0.02, true},
    {"tanh", 100, 1, 0, 0.02, true},
    {"circ", 1, 1, 0, 2, true},
    {"s2nn", 4, 1, 0, NAN, false},
    {"q-pseudo-spike", 2, 1, 0, 1, true},
    {"piecewise-leaky-relu", 1, 0.5, NAN, NAN, true},
    {"leaky-k-relu", 1, 1, 0, NAN, false},
    {"leaky-spike", 0.1, 1, NAN, NAN, false},
    {"heaviside", 1, 1, 0, NAN, false},
    {"snntorch-triangular", 1, -1, NAN, NAN, false},
    {"fake-numerical-gradient", 0.3, 0.3, NAN, NAN, true},
    {"log-tailed-relu", 1, 0, 0, NAN, false},
    {"squarewave-fourier", 8, 0.5, NAN, NAN, true},
    {"spike-rate-escape", 25, 9.1969860293, 0, 50, false},
    {"sparse-fast-sigmoid", 25, 0, 0, 1.0 / 25 - 1.0 / 26, false},
    {"multi-gaussian", 2, 0.7978845608 * (1.15 - 0.05 * 0.9862071), 0, 0.85, true},
    {"stochastic-spike", 0.2, 1, 0, NAN, false},
    {"formula", 1, 0, 0, 0, true},
};
enum { ALL = sizeof all / sizeof *all };

static void test_table(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < ALL; i++) {
        const rheo_surrogate *s = rheo__surrogate_at(i);
        const rheo_pseudo p = {.surrogate = i, .shape = NAN};
        assert_non_null(s);
        assert_string_equal(s->name, all[i].name);
        assert_string_equal(rheo__surrogate_names[i], all[i].name);
        assert_true(s->slope == all[i].slope && s->equations[0] && s->source[0]);
        CHECK_OK(ctx, s->own ? RHEO_OK : rheo__pseudo_check(ctx, &p, "test"));
        if (!(fabs(rheo__pseudo_derivative(&p, 0) - all[i].d0) <= 1e-8))
            fail_msg("%s at 0: %.10g", s->name, rheo__pseudo_derivative(&p, 0));
        if (!isnan(all[i].low)) CHECK_NEAR(rheo__pseudo_integral(&p, -1e13), all[i].low, 1e-11);
        if (!isnan(all[i].end)) CHECK_NEAR(rheo__pseudo_integral(&p, 1e13), all[i].end, 1e-11);
        for (int j = 1; j < 100 && all[i].even; j++) {
            const double x = 0.037 * j;
            CHECK_NEAR(rheo__pseudo_derivative(&p, x) - rheo__pseudo_derivative(&p, -x), 0, 1e-15);
        }
    }
    assert_null(rheo__surrogate_at(ALL));
    assert_null(rheo__surrogate_names[ALL]);
}

/* ---- against peers ---- */

static void test_peers(void **state)
{
    (void)state;
    /* array, ours, slope, shape: as the recording script called them */
    static const struct {
        const char *array, *name;
        double slope, shape;
    } cases[] = {
        {"snntorch.straight_through_estimator", "straight-through", 0, NAN},
        {"snntorch.triangular", "snntorch-triangular", 0, NAN},
        {"snntorch.fast_sigmoid", "fast-sigmoid", 0, NAN},
        {"snntorch.fast_sigmoid_3", "fast-sigmoid", 3, NAN},
        {"snntorch.atan", "atan", 0, NAN},
        {"snntorch.atan_5", "atan", 5, NAN},
        {"snntorch.heaviside", "heaviside", 0, NAN},
        {"snntorch.sigmoid", "sigmoid", 0, NAN},
        {"snntorch.spike_rate_escape", "spike-rate-escape", 0, NAN},
        {"snntorch.spike_rate_escape_2_3", "spike-rate-escape", 3, 2},
        {"snntorch.LeakySpikeOperator", "leaky-spike", 0, NAN},
        {"snntorch.SFS", "sparse-fast-sigmoid", 0, NAN},
        {"snntorch.SFS_2_0", "sparse-fast-sigmoid", 2, 0},
        {"snntorch.SSO_mean", "stochastic-spike", 0.5, 0.3},
        {"spikingjelly.PiecewiseQuadratic", "piecewise-quadratic", 0, NAN},
        {"spikingjelly.PiecewiseQuadratic_2", "triangular", 2, NAN},
        {"spikingjelly.PiecewiseExp", "piecewise-exponential", 0, NAN},
        {"spikingjelly.Sigmoid", "sigmoid", 4, NAN},
        {"spikingjelly.SoftSign", "soft-sign", 0, NAN},
        {"spikingjelly.SuperSpike", "super-spike", 0, NAN},
        {"spikingjelly.ATan", "atan", 0, NAN},
        {"spikingjelly.NonzeroSignLogAbs", "nonzero-sign-log-abs", 0, NAN},
        {"spikingjelly.NonzeroSignLogAbs_3", "nonzero-sign-log-abs", 3, NAN},
        {"spikingjelly.Erf", "erf", 0, NAN},
        {"spikingjelly.PiecewiseLeakyReLU", "piecewise-leaky-relu", 0, NAN},
        {"spikingjelly.PiecewiseLeakyReLU_2", "piecewise-leaky-relu", 2, 0.1},
        {"spikingjelly.SquarewaveFourierSeries", "squarewave-fourier", 0, NAN},
        {"spikingjelly.SquarewaveFourierSeries_8", "squarewave-fourier", 3, 8},
        {"spikingjelly.S2NN", "s2nn", 0, NAN},
        {"spikingjelly.S2NN_2", "s2nn", 2, 0.5},
        {"spikingjelly.QPseudoSpike", "q-pseudo-spike", 0, NAN},
        {"spikingjelly.QPseudoSpike_3", "q-pseudo-spike", 3, NAN},
        {"spikingjelly.LeakyKReLU", "leaky-k-relu", 0, NAN},
        {"spikingjelly.LeakyKReLU_1", "leaky-k-relu", 2, 0.1},
        {"spikingjelly.FakeNumericalGradient", "fake-numerical-gradient", 0, NAN},
        {"spikingjelly.LogTailedReLU", "log-tailed-relu", 0, NAN},
        {"spikingjelly.LogTailedReLU_1", "log-tailed-relu", 0, 0.1},
        {"spikingjelly.DeterministicPass", "straight-through", 0, NAN},
        {"spikingjelly.Rect", "rectangular", 2, NAN},
        {"spikingjelly.Rect_2", "rectangular", 4, NAN},
        {"norse.super", "fast-sigmoid", 1, NAN},
        {"norse.triangle", "piecewise-linear", 0, NAN},
        {"norse.tanh", "tanh", 2, NAN},
        {"norse.circ", "circ", 0.5, NAN},
        {"norse.heavi_erfc", "erfc", 2, NAN},
    };
    rheo_array *arrays = NULL;
    uint32_t count = 0, used = 0;
    CHECK_OK(ctx,
             rheo__npz_read(ctx, "tests/oracles/peers/surrogates.npz", 1 << 20, &arrays, &count));
    assert_string_equal(arrays[0].name, "x");
    const float *x = arrays[0].data;
    double worst = 0;
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        const rheo_pseudo p = {
            .surrogate = index_of(cases[c].name), .slope = cases[c].slope, .shape = cases[c].shape};
        const rheo_array *want = NULL;
        for (uint32_t i = 1; i < count; i++)
            if (!strcmp(arrays[i].name, cases[c].array)) want = &arrays[i];
        assert_non_null(want);
        assert_true(want->count == arrays[0].count);
        used++;
        const float *d = want->data;
        double peak = 0;
        for (uint64_t i = 0; i < want->count; i++) peak = fmax(peak, fabs((double)d[i]));
        for (uint64_t i = 0; i < want->count; i++) {
            const double got = rheo__pseudo_derivative(&p, (double)x[i]);
            worst = fmax(worst, fabs(got - (double)d[i]) / peak);
            if (!(fabs(got - (double)d[i]) <= 1e-6 * peak)) /* the peers' own float32 */
                fail_msg("%s at %g: %.9g, the peer's %.9g", cases[c].array, (double)x[i], got,
                         (double)d[i]);
        }
    }
    assert_int_equal(used, count - 1); /* every array was looked at */
    assert_true(worst < 1e-6);
    rheo__npz_free(ctx, arrays, count);
}

/* ---- integral and loops ---- */

enum { POINTS = 203 };

/* Places where a derivative jumps or bends: 0, the shape, 1, the slope, 1 by the slope. */
static double from_corner(double x, double slope, double shape)
{
    const double corners[] = {0, 1, slope, 1 / slope, shape};
    double least = 1e30;
    for (int i = 0; i < 5; i++) least = fmin(least, fabs(fabs(x) - fabs(corners[i])));
    return least;
}

static void check_integral(const rheo_pseudo *p, double slope, double shape)
{
    for (int j = 0; j < 400; j++) {
        const double x = 8 * run_draw(p->surrogate, (uint32_t)j) - 4;
        const double h = 1e-4 / fmax(slope, 1);
        if (from_corner(x, slope, shape) < 4 * h) continue;
        double want = rheo__pseudo_derivative(p, x);
        double got = (rheo__pseudo_integral(p, x - 2 * h) - 8 * rheo__pseudo_integral(p, x - h) +
                      8 * rheo__pseudo_integral(p, x + h) - rheo__pseudo_integral(p, x + 2 * h)) /
                     (12 * h);
        if (!(fabs(got - want) <= 1e-9 * (1 + fabs(want)) * fmax(slope, 1)))
            fail_msg("%s slope %g shape %g: integral' at %g is %.12g, derivative %.12g",
                     rheo__surrogate_at(p->surrogate)->name, slope, shape, x, got, want);
    }
}

static void check_loops(const rheo_pseudo *p, double slope, double shape)
{
    float x[POINTS], d[POINTS + 1], first[POINTS];
    double peak = 0, worst = 0;
    for (int j = 0; j < POINTS; j++)
        x[j] = j < 200 ? (float)(8 * run_draw(7 + p->surrogate, (uint32_t)j) - 4)
                       : (float[]){0, -30, 30}[j - 200];
    for (int isa = 0; isa <= (int)rheo__isa_best(); isa++) {
        rheo_context *with = run_context((rheo_isa_level)isa);
        d[POINTS] = 7;
        rheo__surrogate_derivative(with, p, x, d, 1, POINTS);
        if (isa == 0) memcpy(first, d, sizeof first);
        assert_memory_equal(first, d, sizeof first);
        assert_true(d[POINTS] == 7);
        rheo_context_free(with);
    }
    for (int j = 0; j < POINTS; j++)
        peak = fmax(peak, fabs(rheo__pseudo_derivative(p, (double)x[j])));
    for (int j = 0; j < POINTS; j++) {
        if (j < 200 && from_corner((double)x[j], slope, shape) < 1e-5) continue;
        const double want = rheo__pseudo_derivative(p, (double)x[j]);
        worst = fmax(worst, fabs((double)d[j] - want) / (peak + 1e-30));
        if (!(fabs((double)d[j] - want) <= 1e-6 * peak))
            fail_msg("%s slope %g shape %g at %g: float %.9g, double %.9g",
                     rheo__surrogate_at(p->surrogate)->name, slope, shape, (double)x[j],
                     (double)d[j], want);
    }
}

static void test_integral_and_loops(void **state)
{
    (void)state;
    static const double slopes[] = {0, 0.5, 1.5, 3, 25};
    for (uint32_t i = 0; rheo__surrogate_at(i); i++) {
        const rheo_surrogate *s = rheo__surrogate_at(i);
        const bool terms = !strcmp(s->name, "squarewave-fourier");
        const double shapes[] = {NAN, terms ? 4 : 0.3, terms ? 16 : 1.25};
        for (int a = 0; a < 5; a++)
            for (int b = 0; b < 3; b++) {
                rheo_pseudo p = {.surrogate = i, .slope = slopes[a], .shape = shapes[b]};
                double slope, shape;
                if (s->own || (!strcmp(s->name, "q-pseudo-spike") && a == 1)) continue;
                if (terms && a == 1)
                    continue; /* half a unit a period: steeper than the differences */
                rheo__pseudo_parameters(&p, &slope, &shape);
                check_integral(&p, slope, shape);
                check_loops(&p, slope, shape);
            }
    }
}

/* ---- random numbers ---- */

/* Above the threshold 1; below it uniform around its mean, the same whatever part of the neurons
 * and steps is asked for. */
static void test_stochastic(void **state)
{
    (void)state;
    enum { STEPS = 40, LANES = 64 };
    static float x[STEPS * LANES], d[STEPS * LANES], part[16];
    const rheo_key key = rheo__key(5, 2, RHEO_FOR_SURROGATE);
    rheo_pseudo p = {.surrogate = index_of("stochastic-spike"),
                     .slope = 0.4,
                     .shape = 0.5,
                     .key = &key,
                     .sample = 3,
                     .show = 9,
                     .step0 = 0,
                     .first = 64};
    double mean = 0, square = 0;
    for (int i = 0; i < STEPS * LANES; i++) x[i] = i % 5 == 0 ? 0.25f : -0.5f;
    rheo__surrogate_derivative(ctx, &p, x, d, STEPS, LANES);
    int below = 0;
    for (int i = 0; i < STEPS * LANES; i++) {
        if (x[i] > 0) assert_true(d[i] == 1);
        if (x[i] > 0) continue;
        assert_true(d[i] >= 0 && d[i] < 0.4f); /* (U + 1/2) 0.4 */
        mean += (double)d[i], square += (double)d[i] * (double)d[i], below++;
    }
    mean /= below, square = square / below - mean * mean;
    CHECK_NEAR(mean, 0.2, 4 * 0.4 / sqrt(12.0 * below)); /* four standard errors */
    CHECK_NEAR(square, 0.4 * 0.4 / 12, 0.001);
    p.step0 = 17, p.first = 64 + 32;
    rheo__surrogate_derivative(ctx, &p, x + 17 * LANES + 32, part, 1, 16);
    assert_memory_equal(part, d + 17 * LANES + 32, sizeof part);
    p.sample = 4;
    rheo__surrogate_derivative(ctx, &p, x + 17 * LANES + 32, part, 1, 16);
    assert_memory_not_equal(part, d + 17 * LANES + 32, sizeof part);
    p.key = NULL; /* the mean */
    rheo__surrogate_derivative(ctx, &p, x, d, 1, 5);
    assert_true(d[1] == 0.2f && d[0] == 1);
}

/* ---- formulas ---- */

static void test_formula_values(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double x, k, value;
    } cases[] = {
        {"1/(1+abs(k*x))^2", -0.5, 2, 0.25},
        {"x", 3, 1, 3},
        {"-x^2", 3, 1, -9},
        {"(-x)^2", 3, 1, 9},
        {"2^-x", 3, 1, 0.125},
        {"2^3^2", 0, 1, 512},
        {"x^-2", 2, 1, 0.25},
        {"x^0.5", 9, 1, 3},
        {"1 - 2 - 3", 0, 1, -4},
        {"24/4/3", 0, 1, 2},
        {"1+2*3", 0, 1, 7},
        {"- -x", 2, 1, 2},
        {"1.5e1 + .5", 0, 1, 15.5},
        {"k*(abs(x)<1/k)", 0.3, 2, 2},
        {"k*(abs(x)<1/k)", 0.6, 2, 0},
        {"(x<=1)+2*(x>=1)+4*(x>1)", 1, 1, 3},
        {"exp(log(x))", 2.5, 1, 2.5},
        {"sqrt(x)*sin(pi/6)+cos(0)", 4, 1, 2},
        {"tanh(x)", 0.5, 1, 0.46211715726000976},
        {"sign(x)*min(x,k)+max(x,k)", -2, 3, 5},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rheo_formula f;
        float x[3] = {0, (float)cases[i].x, 1}, d[4] = {0, 0, 0, 7};
        CHECK_OK(ctx, rheo__formula_compile(ctx, cases[i].text, "test", &f));
        CHECK_NEAR(rheo__formula_value(&f, cases[i].x, cases[i].k), cases[i].value, 1e-12);
        const rheo_pseudo p = {
            .surrogate = index_of("formula"), .slope = cases[i].k, .formula = &f};
        for (int isa = 0; isa <= (int)rheo__isa_best(); isa++) {
            rheo_context *with = run_context((rheo_isa_level)isa);
            rheo__surrogate_derivative(with, &p, x, d, 1, 3);
            CHECK_NEAR((double)d[1], cases[i].value, 2e-6 * (1 + fabs(cases[i].value)));
            assert_true(d[3] == 7);
            rheo_context_free(with);
        }
    }
}

static void test_formula_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"1/(1+abs(k*x)", "column 14: found its end, expected ')'"},
        {"1/(1+abs(k*y))", "column 12: found 'y))'"},
        {"", "column 1: found its end"},
        {"x +", "column 4: found its end"},
        {"2x", "column 2: found 'x', expected an operator"},
        {"max(x)", "column 6: found ')', expected ','"},
        {"abs x", "column 5: found 'x', expected '('"},
        {"1..2", "column 1: found '1..2', expected a number"},
        {"1e999", "expected a number"},
        {"x $ 2", "column 3: found '$ 2'"},
        {"formula", "column 1: found 'formula'"},
        {"((((((((((((((((((((((((((((((((((x))))))))))))))))))))))))))))))))))", "less nesting"},
        {"x+(x+(x+(x+(x+(x+(x+(x+(x+(x+x)))))))))", "8 values at a time"},
        {"x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x+x",
         "at most 64 operations"},
        {"11111111111111111111111111111111111111111111111111111111111111111111111111111111111111111"
         "11"
         "1111111111111111111111111111111111111111",
         "131 characters, at most 127"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rheo_formula f;
        CHECK_FAILS(ctx, rheo__formula_compile(ctx, cases[i].text, "r.yaml:3: surrogate", &f),
                    RHEO_USAGE, cases[i].says);
        assert_true(strncmp(rheo_error(ctx), "r.yaml:3: surrogate: ", 21) == 0);
    }
    static const struct {
        const char *text;
        double k;
        const char *says;
    } values[] = {
        {"1/x", 1,
         "infinite at x = -0 with k = 1, expected a number for every x; look at column 2"},
        {"1+sqrt(x)", 1, "not a number at x = -1e-06 with k = 1"},
        {"1+log(abs(x))", 1, "look at column 3"},
        {"exp(k*x)", 25, "look at column 1"},
        {"1/(x-1000)", 1, "infinite at x = 1000"},
        {"(k-2)^0.5", 1, "look at column 6"},
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        rheo_formula f;
        CHECK_OK(ctx, rheo__formula_compile(ctx, values[i].text, "test", &f));
        const rheo_pseudo p = {
            .surrogate = index_of("formula"), .slope = values[i].k, .formula = &f};
        CHECK_FAILS(ctx, rheo__pseudo_check(ctx, &p, "test"), RHEO_USAGE, values[i].says);
    }
    static const struct {
        const char *name, *says;
        double slope, shape;
    } parameters[] = {
        {"q-pseudo-spike", "expected above 1", 0.5, NAN},
        {"squarewave-fourier", "a whole number from 2 to 64", 1, 2.5},
        {"spike-rate-escape", "expected above 0", 1, -1},
        {"formula", "without a formula", 1, NAN},
    };
    for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++) {
        const rheo_pseudo p = {.surrogate = index_of(parameters[i].name),
                               .slope = parameters[i].slope,
                               .shape = parameters[i].shape};
        CHECK_FAILS(ctx, rheo__pseudo_check(ctx, &p, "test"), RHEO_USAGE, parameters[i].says);
    }
}

/* Formulas that write out entries of the table: values in float to a few roundings, integrals by
 * quadrature as in closed form, but for the 1/2 at 0. */
static void test_formula_table(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
        double slope;
    } cases[] = {
        {"fast-sigmoid", "1/(1+abs(k*x))^2", 25},
        {"atan", "k/2/(1+(pi/2*k*x)^2)", 2},
        {"sigmoid", "k*exp(-abs(k*x))/(1+exp(-abs(k*x)))^2", 4},
        {"triangular", "k*max(0,1-k*abs(x))", 1},
        {"rectangular", "k/2*(abs(k*x)<=1)", 1},
        {"tanh", "1-tanh(k*x)^2", 3},
        {"circ", "k^3/(k^2+x^2)^1.5", 0.5},
        {"squarewave-fourier", "4/k*cos(2*pi/k*x)", 8},
        {"erf", "k/sqrt(pi)*exp(-(k*x)^2)", 2},
        {"snntorch-triangular", "k*(x<0)-k*(x>=0)", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rheo_formula f;
        float x[100], ours[100], theirs[100];
        const rheo_pseudo p = {
            .surrogate = index_of(cases[i].name), .slope = cases[i].slope, .shape = NAN};
        const rheo_pseudo q = {
            .surrogate = index_of("formula"), .slope = cases[i].slope, .formula = &f};
        CHECK_OK(ctx, rheo__formula_compile(ctx, cases[i].text, "test", &f));
        CHECK_OK(ctx, rheo__pseudo_check(ctx, &q, "test"));
        double peak = 0, half = rheo__pseudo_integral(&p, 0) - 0.5;
        for (int j = 0; j < 100; j++) x[j] = 0.0611f * (float)(j - 50) + 0.0003f;
        rheo__surrogate_derivative(ctx, &p, x, theirs, 2, 50);
        rheo__surrogate_derivative(ctx, &q, x, ours, 2, 50);
        for (int j = 0; j < 100; j++) peak = fmax(peak, fabs((double)theirs[j]));
        for (int j = 0; j < 100; j++) {
            const double at = (double)x[j];
            CHECK_NEAR((double)ours[j], (double)theirs[j], 2e-6 * peak);
            CHECK_NEAR(rheo__pseudo_derivative(&q, at), rheo__pseudo_derivative(&p, at),
                       1e-12 * peak);
            if (from_corner(at, cases[i].slope, 0) < 0.02) continue; /* jumps */
            CHECK_NEAR(rheo__pseudo_integral(&q, at), rheo__pseudo_integral(&p, at) - half, 1e-9);
        }
    }
}

/* ---- functions for the loops ---- */

static void test_functions(void **state)
{
    (void)state;
    double worst[4] = {0};
    for (int i = -400000; i <= 400000; i++) {
        const float x = (float)i * 2e-3f;
        worst[0] = fmax(worst[0], fabs((double)rheo__sinf(x) - sin((double)x)));
        worst[1] = fmax(worst[1], fabs((double)rheo__cosf(x) - cos((double)x)));
        const double t = tanh((double)x / 100);
        worst[2] = fmax(worst[2], fabs((double)rheo__tanhf(x / 100) - t) / (fabs(t) + 1e-30));
        if (i > 0) {
            const double power = pow((double)x, -2.5);
            worst[3] = fmax(worst[3], fabs((double)rheo__powf(x, -2.5f) - power) / power);
        }
    }
    CHECK_NEAR(worst[0], 0, 1e-7);
    CHECK_NEAR(worst[1], 0, 1e-7);
    CHECK_NEAR(worst[2], 0, 3e-7); /* x / 100 is rounded before */
    CHECK_NEAR(worst[3], 0, 3e-6); /* 16.7 of y ln x, times 2^-23 */
    assert_true(fabsf(rheo__sinf(1e9f)) <= 1 && isnan(rheo__sinf(NAN)) && isnan(rheo__tanhf(NAN)));
    assert_true(rheo__powf(0, 2) == 0 && rheo__powf(0, 0) == 1 && isnan(rheo__powf(-1, 0.5f)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_peers),
        cmocka_unit_test(test_integral_and_loops),
        cmocka_unit_test(test_stochastic),
        cmocka_unit_test(test_formula_values),
        cmocka_unit_test(test_formula_wrong),
        cmocka_unit_test(test_formula_table),
        cmocka_unit_test(test_functions),
    };
    return cmocka_run_group_tests(tests, open_context, close_context);
}
