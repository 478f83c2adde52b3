/* test_neuron_gradient.c: the reference's adjoint against central differences of the smooth
 * reference (every model, surrogate, reset and reset time), the float adjoint against the
 * reference's, and both against derivatives worked out by hand. */
#include "neuron_run.h"
#include "one_context.h"
#include <stdio.h>

static rheo_formula formula; /* stands for a user's own */

static int setup(void **state)
{
    open_context(state);
    return (int)rheo__formula_compile(ctx, "1/(1+abs(k*x))^2", "test", &formula);
}

/* ---- the reference against differences ---- */

typedef struct smooth_case {
    const rheo_neuron *m;
    const double *k;
    rheo_pseudo pseudo;
    double in[8][RHEO_ROWS], gout[8], gv[8], s0[RHEO_STATES];
} smooth_case;
enum { STEPS = 6 };

/* sum over t of gout out + gv v; *kink: least distance from where a surrogate is not smooth. */
static double smooth_loss(const smooth_case *c, double *kink)
{
    double s[RHEO_STATES], loss = 0;
    memcpy(s, c->s0, sizeof s);
    for (int t = 0; t < STEPS; t++) {
        double x, out = c->m->reference.step(c->k, s, c->in[t], true, &c->pseudo, true, &x);
        loss += c->gout[t] * out;
        loss += c->gv[t] * (c->m->readout < RHEO_STATES ? s[c->m->readout] : out);
        /* the surrogates' kinks: at 0, at a distance of 1, of the slope, of one by it and of the
         * shape */
        double z = fabs(x) * c->pseudo.slope;
        if (kink && c->m->out == RHEO_BITS) {
            *kink = fmin(*kink, fmin(z, fabs(z - 1)));
            *kink = fmin(*kink, fmin(fabs(fabs(x) - 1), fabs(fabs(x) - c->pseudo.slope)));
            if (!isnan(c->pseudo.shape)) *kink = fmin(*kink, fabs(x - c->pseudo.shape));
        }
        if (kink && strcmp(c->m->name, "relu") == 0) *kink = fmin(*kink, fabs(c->in[t][0]));
        /* the spike that starts the refractory time is decided at one half */
        if (kink && run_states(c->m) == 3) *kink = fmin(*kink, fabs(s[1] - 0.5));
    }
    return loss;
}

/* (f(-2h) - 8 f(-h) + 8 f(h) - f(2h)) / 12h: error h^4 f'''''/30 */
static double difference(const smooth_case *c, double *at)
{
    static const double weight[4] = {1, -8, 8, -1}, place[4] = {-2, -1, 1, 2};
    const double h = 2e-4, here = *at;
    double sum = 0;
    for (int i = 0; i < 4; i++) {
        *at = here + place[i] * h;
        sum += weight[i] * smooth_loss(c, NULL);
    }
    *at = here;
    return sum / (12 * h);
}

static void check_smooth(smooth_case *c, const char *what)
{
    uint32_t states = run_states(c->m);
    for (uint32_t seed = 0;; seed++) { /* away from kinks: draw again */
        double kink = 1;
        for (uint32_t t = 0; t < STEPS; t++) {
            c->in[t][0] = 1.8 * run_draw(seed, t) - 0.3;
            c->gout[t] = run_draw(seed, 10 + t) - 0.5;
            c->gv[t] = run_draw(seed, 20 + t) - 0.5;
        }
        if (states > 0) c->s0[0] = 0.4, c->s0[1] = 0.3;
        smooth_loss(c, &kink);
        if (kink > 0.01) break;
        if (seed > 2000) fail_msg("%s: no smooth place found", what);
    }
    double got[STEPS + 2], want[STEPS + 2], size = 0;
    double s[STEPS + 1][RHEO_STATES], gs[RHEO_STATES] = {0};
    memcpy(s[0], c->s0, sizeof s[0]);
    for (int t = 0; t < STEPS; t++) {
        double x;
        memcpy(s[t + 1], s[t], sizeof s[t]);
        c->m->reference.step(c->k, s[t + 1], c->in[t], true, &c->pseudo, true, &x);
    }
    for (int t = STEPS; t-- > 0;) {
        double gin[RHEO_PORTS], gk[RHEO_CONSTANTS] = {0}, gout = c->gout[t];
        if (c->m->readout < RHEO_STATES)
            gs[c->m->readout] += c->gv[t];
        else
            gout += c->gv[t];
        c->m->reference.adjoint(c->k, s[t], c->in[t], true, &c->pseudo, gout, gs, gin, gk);
        got[t] = gin[0];
    }
    got[STEPS] = states > 0 ? gs[0] : 0;
    got[STEPS + 1] = states > 0 ? gs[1] : 0;
    for (int t = 0; t < STEPS; t++) want[t] = difference(c, &c->in[t][0]);
    want[STEPS] = states > 0 ? difference(c, &c->s0[0]) : 0;
    want[STEPS + 1] = states > 0 ? difference(c, &c->s0[1]) : 0;
    for (int i = 0; i < STEPS + 2; i++) size = fmax(size, fabs(want[i]));
    assert_true(size > 1e-3);
    for (int i = 0; i < STEPS + 2; i++)
        if (!(fabs(got[i] - want[i]) <= 1e-7 * size))
            fail_msg("%s, number %d: adjoint %.12g, differences %.12g", what, i, got[i], want[i]);
}

static void test_smooth_gradient(void **state)
{
    (void)state;
    static const char *const models[] = {"if", "lif", "sign"};
    char what[96];
    const rheo_surrogate *surrogate;
    for (int m = 0; m < 3; m++)
        for (uint32_t i = 0; (surrogate = rheo__surrogate_at(i)) != NULL; i++)
            for (int kind = 0; kind < (m < 2 ? 12 : 1); kind++) {
                neuron_run r;
                setting set[] = {{"detach", 0},
                                 {"reset", kind % 3},
                                 {"when", kind / 3 % 2},
                                 {"refractory", kind / 6 * 2},
                                 {NULL, 0}};
                run_open(ctx, models[m], 1, m < 2 ? set : NULL, &r);
                smooth_case c = {
                    .m = r.m,
                    .k = r.kd,
                    .pseudo = {.surrogate = i, .slope = 2.5, .shape = NAN, .formula = &formula}};
                if (!strcmp(surrogate->name, "sparse-fast-sigmoid")) c.pseudo.shape = -0.3;
                /* what has no bound must not grow over the steps */
                if (rheo__pseudo_integral(&c.pseudo, 1e9) > 10) c.pseudo.slope = 0.4;
                snprintf(what, sizeof what, "%s %s reset %d when %d refractory %d", models[m],
                         surrogate->name, kind % 3, kind / 3 % 2, kind / 6 * 2);
                check_smooth(&c, what);
            }
    static const char *const analogue[] = {"relu", "identity", "soft-lif"};
    for (int m = 0; m < 3; m++) {
        neuron_run r; /* gamma wide enough for the step of the differences */
        run_open(ctx, analogue[m], 1, m == 2 ? (setting[]){{"gamma", 0.3}, {NULL, 0}} : NULL, &r);
        smooth_case c = {.m = r.m, .k = r.kd, .pseudo = {.slope = 1}};
        check_smooth(&c, analogue[m]);
    }
}

/* soft-LIF far from its kink, both sides of the switch at -20: difference of the rate itself */
static void test_soft_lif_slope(void **state)
{
    (void)state;
    static const double x[] = {-3, 0.3, 0.59, 0.61, 0.9, 1, 1.1, 3, 30};
    neuron_run r;
    run_open(ctx, "soft-lif", 1, NULL, &r);
    for (size_t i = 0; i < sizeof x / sizeof *x; i++) {
        double s[1] = {0}, gs[1] = {0}, out[2], g, gin[RHEO_PORTS], gk[1], unused, h = 1e-5;
        for (int side = 0; side < 2; side++)
            out[side] = r.m->reference.step(r.kd, s, (double[RHEO_ROWS]){x[i] + (side ? h : -h)},
                                            false, &(rheo_pseudo){0}, true, &unused);
        r.m->reference.adjoint(r.kd, s, (double[RHEO_ROWS]){x[i]}, false, &(rheo_pseudo){0}, 1, gs,
                               gin, gk);
        g = gin[0];
        /* relative error h^2/(6 gamma^2) = 4e-8, rounding 1e-16/h of the rate */
        CHECK_NEAR(g, (out[1] - out[0]) / (2 * h), 3e-7 * g + 1e-10);
    }
}

/* The float loops far from the kink: dr/dx = gain amplitude tau_rc / (gamma D^2) below it, where j
 * is gamma e^y, and of the plain LIF rate, dr/dj = tau_rc / (D^2 j (j + 1)), above it. */
static void test_soft_lif_far(void **state)
{
    (void)state;
    static const float x[] = {-1000, -30, -2, -0.5f, 3, 40, 1e4f};
    const double gamma = 0.02;
    neuron_run r;
    run_open(ctx, "soft-lif", 1, NULL, &r);
    memcpy(r.in[0][0], x, sizeof x);
    float gout[7], gin[7], *work = aligned_alloc(64, r.m->work(1) * sizeof(float));
    assert_non_null(work);
    for (int j = 0; j < 7; j++) gout[j] = 1;
    rheo_block_adjoint a = {
        .forward = run_block(&r, 1, 7), .gout = gout, .gport = {gin}, .work = work};
    rheo__neuron_loops(ctx, r.m->index)->adjoint(&a);
    for (int i = 0; i < 7; i++) {
        double j = (double)x[i] - 1,
               D = 2 + 20 * (x[i] < 0 ? -j / gamma - log(gamma) : log1p(1 / j));
        double want = x[i] < 0 ? 20 / (gamma * D * D) : 20 / (D * D * j * (j + 1));
        CHECK_NEAR(gin[i] / want, 1, 1e-5);
    }
    free(work);
}

/* ---- by hand ---- */

/* Two steps, loss s[1]: ds[1]/di[0] = d(x1) (beta - [not detached] theta d(x0)) for next/subtract,
 * and d(x1) beta (1 - z0 - [not detached] p0 d(x0)) for same/zero. */
static void test_two_steps_by_hand(void **state)
{
    (void)state;
    const double beta = 0.8, theta = 1.2, i0 = 1.3, i1 = 0.6;
    for (int detach = 0; detach < 2; detach++)
        for (int same_zero = 0; same_zero < 2; same_zero++) {
            neuron_run r;
            run_open(ctx, "lif", 1,
                     (setting[]){{"beta", beta},
                                 {"threshold", theta},
                                 {"detach", detach},
                                 {"reset", same_zero},
                                 {"when", same_zero},
                                 {NULL, 0}},
                     &r);
            r.in[0][0][0] = (float)i0;
            r.in[0][1][0] = (float)i1;
            float gout[2] = {0, 1}, gin[2];
            float *work = aligned_alloc(64, r.m->work(2) * sizeof(float));
            assert_non_null(work);
            rheo_block_adjoint a = {.forward = run_block(&r, 2, 1),
                                    .gout = gout,
                                    .gout_t = 1,
                                    .gport = {gin},
                                    .gport_t = {1},
                                    .work = work};
            rheo__neuron_loops(ctx, r.m->index)->adjoint(&a);
            double x0 = i0 - theta, v0 = same_zero ? 0 : i0 - theta / beta;
            double x1 = beta * v0 + i1 - theta;
            double d0 = 1 / (1 + M_PI * M_PI * x0 * x0), d1 = 1 / (1 + M_PI * M_PI * x1 * x1);
            double through =
                same_zero ? (detach ? 0 : -beta * i0 * d0) : beta - (detach ? 0 : theta * d0);
            CHECK_NEAR(gin[1], d1, 1e-6);
            CHECK_NEAR(gin[0], d1 * through, 1e-6);
            free(work);
        }
}

/* BinaryNet's straight-through estimator: the gradient passes where |x| <= 1. */
static void test_straight_through(void **state)
{
    (void)state;
    static const float x[] = {-2, -1.01f, -1, -0.3f, 0, 0.7f, 1, 1.01f, 9};
    neuron_run r;
    run_open(ctx, "sign", 1, NULL, &r);
    memcpy(r.in[0][0], x, sizeof x);
    int surrogate = rheo__field_index(r.m->fields, "surrogate");
    float gout[9], gin[9], *work = aligned_alloc(64, r.m->work(1) * sizeof(float));
    assert_non_null(work);
    for (int j = 0; j < 9; j++) gout[j] = (float)(j + 1);
    rheo_block_adjoint a = {.forward = run_block(&r, 1, 9),
                            .gout = gout,
                            .gport = {gin},
                            .pseudo = {.surrogate = (uint32_t)r.m->fields[surrogate].init},
                            .work = work};
    rheo__neuron_loops(ctx, r.m->index)->adjoint(&a);
    for (int j = 0; j < 9; j++) assert_true(gin[j] == (fabsf(x[j]) <= 1 ? gout[j] : 0));
    free(work);
}

/* ---- the float loops ---- */

typedef struct adjoint_run {
    _Alignas(64) float gout[RUN_STEPS][RHEO_BLOCK], gv[RUN_STEPS][RHEO_BLOCK];
    _Alignas(64) float gin[RUN_STEPS][RHEO_BLOCK];
} adjoint_run;

static void adjoint_open(adjoint_run *g, uint32_t seed)
{
    memset(g, 0, sizeof *g);
    for (uint32_t t = 0; t < RUN_STEPS; t++)
        for (uint32_t j = 0; j < RHEO_BLOCK; j++) {
            g->gout[t][j] = (float)run_draw(seed + 1, t * RHEO_BLOCK + j) - 0.5f;
            g->gv[t][j] = (float)run_draw(seed + 2, t * RHEO_BLOCK + j) - 0.5f;
        }
}

/* A steep one; those whose slope is their peak not so steep that the gradient, and with it what was
 * rounded, grows over the steps: fake-numerical-gradient falls with 1/|x| only. */
static rheo_pseudo pseudo_at(uint32_t surrogate)
{
    const char *name = rheo__surrogate_names[surrogate];
    return (rheo_pseudo){.surrogate = surrogate,
                         .slope = surrogate < 6                              ? 3
                                  : !strcmp(name, "squarewave-fourier")      ? 8
                                  : !strcmp(name, "fake-numerical-gradient") ? 0.5
                                                                             : 1.2,
                         .shape = NAN,
                         .formula = &formula};
}

static void adjoint_window(rheo_context *with, neuron_run *r, adjoint_run *g, uint32_t T,
                           uint32_t n, uint32_t surrogate, bool fixed)
{
    float *work = aligned_alloc(64, r->m->work(T) * sizeof(float));
    assert_non_null(work);
    neuron_run before = *r;
    rheo_block_adjoint a = {.forward = run_block(r, T, n),
                            .gout = g->gout[0],
                            .gout_t = RHEO_BLOCK,
                            .greadout = g->gv[0],
                            .greadout_t = RHEO_BLOCK,
                            .gport = {g->gin[0]},
                            .gport_t = {fixed ? 0 : RHEO_BLOCK},
                            .pseudo = pseudo_at(surrogate),
                            .work = work};
    if (fixed) a.forward.port_t[0] = 0;
    rheo__neuron_loops(with, r->m->index)->adjoint(&a);
    assert_memory_equal(before.state, r->state, sizeof r->state); /* left untouched */
    free(work);
}

static void check_against_reference(neuron_run *r, uint32_t T, uint32_t n, uint32_t surrogate)
{
    static adjoint_run g;
    const rheo_pseudo pseudo = pseudo_at(surrogate);
    adjoint_open(&g, 40 + n);
    adjoint_window(ctx, r, &g, T, n, surrogate, false);
    uint32_t left_out = 0;
    for (uint32_t j = 0; j < n; j++) {
        double s[RUN_STEPS + 1][RHEO_STATES], gs[RHEO_STATES] = {0}, want[RUN_STEPS], size = 0;
        double least = 1;
        for (int f = 0; f < RHEO_STATES; f++) s[0][f] = (double)r->state[f][j];
        for (uint32_t t = 0; t < T; t++) {
            double x, in[RHEO_ROWS] = {(double)r->in[0][t][j]};
            memcpy(s[t + 1], s[t], sizeof s[t]);
            r->m->reference.step(r->kd, s[t + 1], in, false, &pseudo, true, &x);
            if (r->m->out == RHEO_BITS) least = fmin(least, fabs(x));
            const double jump = rheo__pseudo_derivative(&pseudo, x + 2e-5) -
                                rheo__pseudo_derivative(&pseudo, x - 2e-5);
            if (fabs(jump) > 1e-2) least = 0; /* the surrogate's corner */
        }
        if (least < 2e-5) {
            left_out++;
            continue;
        }
        for (uint32_t t = T; t-- > 0;) {
            double in[RHEO_ROWS] = {(double)r->in[0][t][j]}, gin[RHEO_PORTS];
            double gk[RHEO_CONSTANTS] = {0}, gout = (double)g.gout[t][j];
            if (r->m->readout < RHEO_STATES)
                gs[r->m->readout] += (double)g.gv[t][j];
            else
                gout += (double)g.gv[t][j];
            r->m->reference.adjoint(r->kd, s[t], in, false, &pseudo, gout, gs, gin, gk);
            want[t] = gin[0];
            size = fmax(size, fabs(want[t]));
        }
        for (uint32_t t = 0; t < T; t++) /* 25 steps of 6 roundings of 6e-8 each: 9e-6 */
            if (!(fabs((double)g.gin[t][j] - want[t]) <= 1e-5 * size + 1e-9))
                fail_msg("%s surrogate %u n %u: neuron %u step %u: %.9g, reference %.9g",
                         r->m->name, surrogate, n, j, t, (double)g.gin[t][j], want[t]);
    }
    /* a rectified membrane of 0 stands on a corner, one below the threshold */
    if (strcmp(r->m->name, "klif") != 0 && left_out > 1 + n / 8)
        fail_msg("%s: %u of %u neurons left out", r->m->name, left_out, n);
}

static void test_float_adjoint(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {1, 10, 16, 63, 64};
    static neuron_run r;
    const rheo_neuron *m;
    for (uint32_t index = 0; (m = rheo__neuron_at(index)) != NULL; index++) {
        if (!m->reference.adjoint) continue;
        bool leaky = rheo__field_index(m->fields, "when") >= 0;
        if (!leaky && run_states(m) > 0) continue;     /* test_neuron_gradcheck.c */
        if (strcmp(m->name, "siegert") == 0) continue; /* test_models_rates.c */
        for (int kind = 0; kind < (leaky ? 12 : 1); kind++)
            for (uint32_t s = 0; s == 0 || (m->out == RHEO_BITS && rheo__surrogate_at(s)); s++) {
                setting set[] = {{"detach", kind / 6},
                                 {"reset", kind % 3},
                                 {"when", kind / 3 % 2},
                                 {"refractory", kind % 2},
                                 {NULL, 0}};
                run_open(ctx, m->name, 1, leaky ? set : NULL, &r);
                run_fill(&r, 50);
                check_against_reference(&r, 25, sizes[(s + (uint32_t)kind) % 5], s);
            }
    }
}

static void test_adjoint_same_bits(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {1, 10, 16, 17, 63};
    static neuron_run r;
    static adjoint_run whole, other;
    enum { T = 25 };
    const rheo_neuron *m;
    for (uint32_t index = 0; (m = rheo__neuron_at(index)) != NULL; index++) {
        if (!m->reference.adjoint) continue;
        run_open(ctx, m->name, 1, NULL, &r);
        run_fill(&r, 60);
        adjoint_open(&whole, 61);
        adjoint_window(ctx, &r, &whole, T, RHEO_BLOCK, 0, false);
        for (int isa = 0; isa <= (int)rheo__isa_best(); isa++) {
            rheo_context *with = run_context((rheo_isa_level)isa);
            adjoint_open(&other, 61);
            adjoint_window(with, &r, &other, T, RHEO_BLOCK, 0, false);
            assert_memory_equal(&whole, &other, sizeof whole);
            for (int i = 0; i < 5; i++) {
                adjoint_open(&other, 61);
                adjoint_window(with, &r, &other, T, sizes[i], 0, false);
                for (int t = 0; t < T; t++) {
                    assert_memory_equal(whole.gin[t], other.gin[t], sizes[i] * sizeof(float));
                    for (uint32_t j = sizes[i]; j < RHEO_BLOCK; j++)
                        assert_true(other.gin[t][j] == 0); /* as it was */
                }
            }
            rheo_context_free(with);
        }
    }
}

/* A static input's gradient is the sum over time, from the last step to the first. */
static void test_static_input(void **state)
{
    (void)state;
    static neuron_run r;
    static adjoint_run each, summed;
    enum { T = 25, N = 37 };
    const rheo_neuron *m;
    for (uint32_t index = 0; (m = rheo__neuron_at(index)) != NULL; index++) {
        if (!m->reference.adjoint) continue;
        run_open(ctx, m->name, 1, NULL, &r);
        run_fill(&r, 70);
        for (int t = 1; t < T; t++) memcpy(r.in[0][t], r.in[0][0], sizeof r.in[0][0]);
        adjoint_open(&each, 71);
        adjoint_open(&summed, 71);
        adjoint_window(ctx, &r, &each, T, N, 0, false);
        adjoint_window(ctx, &r, &summed, T, N, 0, true);
        for (int j = 0; j < N; j++) {
            float sum = 0;
            for (int t = T; t-- > 0;) sum += each.gin[t][j];
            assert_true(sum == summed.gin[0][j]);
        }
        assert_true(summed.gin[0][N] == 0 && summed.gin[1][0] == 0);
    }
}

/* gout alone and greadout alone add up to both; NULL is 0. */
static void test_missing_gradients(void **state)
{
    (void)state;
    static neuron_run r;
    static adjoint_run both;
    run_open(ctx, "lif", 1, NULL, &r);
    run_fill(&r, 80);
    adjoint_open(&both, 81);
    float *work = aligned_alloc(64, r.m->work(25) * sizeof(float));
    float part[2][25][RHEO_BLOCK];
    assert_non_null(work);
    adjoint_window(ctx, &r, &both, 25, 64, 0, false);
    for (int i = 0; i < 2; i++) {
        rheo_block_adjoint a = {.forward = run_block(&r, 25, 64),
                                .gout = i ? NULL : both.gout[0],
                                .gout_t = RHEO_BLOCK,
                                .greadout = i ? both.gv[0] : NULL,
                                .greadout_t = RHEO_BLOCK,
                                .gport = {part[i][0]},
                                .gport_t = {RHEO_BLOCK},
                                .pseudo = {.slope = 3},
                                .work = work};
        rheo__neuron_loops(ctx, r.m->index)->adjoint(&a);
        a.gport[0] = NULL; /* not wanted: nothing is written */
        rheo__neuron_loops(ctx, r.m->index)->adjoint(&a);
    }
    for (int t = 0; t < 25; t++)
        for (int j = 0; j < 64; j++)
            CHECK_NEAR(part[0][t][j] + part[1][t][j], both.gin[t][j], 1e-5);
    free(work);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_smooth_gradient),   cmocka_unit_test(test_soft_lif_slope),
        cmocka_unit_test(test_soft_lif_far),      cmocka_unit_test(test_two_steps_by_hand),
        cmocka_unit_test(test_straight_through),  cmocka_unit_test(test_float_adjoint),
        cmocka_unit_test(test_adjoint_same_bits), cmocka_unit_test(test_static_input),
        cmocka_unit_test(test_missing_gradients),
    };
    return cmocka_run_group_tests(tests, setup, close_context);
}
