/* test_neuron_gradcheck.c: every model with every surrogate, reset and reset time: the gradients of
 * inputs and of all fields that can be learned, by the model's adjoint in double, against central
 * differences of the smooth reference. A gradient that is right fails only where a kink is near, so
 * a case has some draws; one that is wrong fails in all. */
#include "neuron_run.h"
#include "one_context.h"
#include <math.h>

#define STEPS 7
#define DRAWS 60
#define LIMIT 1e-5

typedef struct trial {
    const rheo_neuron *m;
    rheo_options options;
    rheo_pseudo pseudo;
    double in[STEPS][RHEO_ROWS], gout[STEPS], gv[STEPS];
    double step; /* of differences */
} trial;

static void constants(const trial *c, double *k, double *s)
{
    memset(k, 0, RHEO_CONSTANTS * sizeof *k);
    memset(s, 0, RHEO_STATES * sizeof *s);
    CHECK_OK(ctx, c->m->derive(ctx, &c->options, 1, k));
    c->m->initial(k, s);
}

static double loss(const trial *c)
{
    double k[RHEO_CONSTANTS], s[RHEO_STATES], x, sum = 0;
    constants(c, k, s);
    for (int t = 0; t < STEPS; t++) {
        const double out = c->m->reference.step(k, s, c->in[t], true, &c->pseudo, true, &x);
        const double v = c->m->readout < RHEO_STATES ? s[c->m->readout] : out;
        sum += c->gout[t] * out + c->gv[t] * v;
    }
    return sum;
}

static double difference(trial *c, double *at)
{
    const double kept = *at, h = c->step * fmax(fabs(kept), 0.1);
    double side[4];
    static const double step[] = {1, -1, 2, -2};
    for (int i = 0; i < 4; i++) {
        *at = kept + step[i] * h;
        side[i] = loss(c);
    }
    *at = kept;
    return (8 * (side[0] - side[1]) - (side[2] - side[3])) / (12 * h);
}

/* dk/dp and ds/dp, as constants.c has them. */
static double through_field(trial *c, uint32_t field, const double *gk, const double *gs)
{
    double k[2][RHEO_CONSTANTS], s[2][RHEO_STATES], sum = 0, *v = &c->options.v[field];
    const double kept = *v, h = 1e-5 * fmax(fabs(kept), 0.01);
    for (int side = 0; side < 2; side++) {
        *v = kept + (side ? h : -h);
        constants(c, k[side], s[side]);
    }
    *v = kept;
    for (uint32_t i = 0; i < c->m->constants; i++)
        if (isfinite(k[1][i])) sum += gk[i] * (k[1][i] - k[0][i]) / (2 * h);
    for (uint32_t f = 0; f < run_states(c->m); f++) sum += gs[f] * (s[1][f] - s[0][f]) / (2 * h);
    return sum;
}

/* Largest error, of the largest gradient. */
static double error_of(trial *c)
{
    double s[STEPS + 1][RHEO_STATES], k[RHEO_CONSTANTS], gk[RHEO_CONSTANTS] = {0};
    double gs[RHEO_STATES] = {0}, gin[STEPS][RHEO_PORTS], x, size = 0, worst = 0;
    constants(c, k, s[0]);
    for (int t = 0; t < STEPS; t++) {
        memcpy(s[t + 1], s[t], sizeof s[t]);
        c->m->reference.step(k, s[t + 1], c->in[t], true, &c->pseudo, true, &x);
    }
    for (int t = STEPS; t-- > 0;) {
        double gout = c->gout[t];
        if (c->m->readout < RHEO_STATES)
            gs[c->m->readout] += c->gv[t];
        else
            gout += c->gv[t];
        c->m->reference.adjoint(k, s[t], c->in[t], true, &c->pseudo, gout, gs, gin[t], gk);
    }
    for (int t = 0; t < STEPS; t++)
        for (int p = 0; p < RHEO_PORTS && c->m->ports[p]; p++) {
            const double want = difference(c, &c->in[t][p]);
            size = fmax(size, fabs(want));
            worst = fmax(worst, fabs(want - gin[t][p]));
        }
    double off = worst / fmax(size, 1e-9);
    for (uint32_t i = 0; c->m->learnable[i]; i++) {
        const int f = rheo__field_index(c->m->fields, c->m->learnable[i]);
        if (!strncmp(c->m->learnable[i], "tau", 3) && c->options.v[f] == 0) continue; /* not used */
        const double want = difference(c, &c->options.v[f]);
        const double got = through_field(c, (uint32_t)f, gk, gs);
        off = fmax(off, fabs(want - got) / fmax(fabs(want), fmax(size, 1e-9)));
    }
    return off;
}

static void draw(trial *c, uint32_t seed)
{
    for (uint32_t t = 0; t < STEPS; t++) {
        for (uint32_t p = 0; p < RHEO_PORTS && c->m->ports[p]; p++)
            c->in[t][p] = run_input(c->m, p, run_draw(seed, t * 8 + p));
        c->in[t][RHEO_DRAW] = 0.1 + 0.8 * run_draw(seed, 100 + t);
        c->gout[t] = run_draw(seed, 200 + t) - 0.5;
        c->gv[t] = run_draw(seed, 300 + t) - 0.5;
    }
}

static void set_option(trial *c, const char *name, double value)
{
    const int at = rheo__field_index(c->m->fields, name);
    if (at >= 0) c->options.v[at] = value;
}

static double best_of(trial *c)
{
    double best = INFINITY;
    for (uint32_t seed = 1; seed <= DRAWS && !(best <= LIMIT); seed++) {
        draw(c, seed);
        c->step = seed % 2 ? 1e-4 : 1e-5; /* sharp bends want a small one */
        best = fmin(best, error_of(c));
    }
    return best;
}

static uint32_t choices(const rheo_neuron *m, const char *name)
{
    const int at = rheo__field_index(m->fields, name);
    uint32_t count = 0;
    while (at >= 0 && m->fields[at].type == RHEO_CHOICE && m->fields[at].choices[count]) count++;
    return count ? count : 1;
}

static trial trial_of(const rheo_neuron *m, uint32_t surrogate, uint32_t reset, uint32_t when)
{
    trial c = {.m = m,
               .options = rheo__field_defaults(m->fields),
               .pseudo = {.surrogate = surrogate, .slope = 2.5, .shape = NAN}};
    set_option(&c, "detach", 0);
    if (choices(m, "reset") > 1) set_option(&c, "reset", reset); /* elsewhere it is a value */
    if (choices(m, "when") > 1) set_option(&c, "when", when);
    set_option(&c, "reset_value", 0.2);
    if (!strcmp(m->name, "soft-lif")) set_option(&c, "gamma", 0.3);
    return c;
}

/* What has no gradient to be found by differences: a draw. */
static bool usable(uint32_t surrogate)
{
    const rheo_surrogate *s = rheo__surrogate_at(surrogate);
    return !s->random && !s->own;
}

/* Smooth spikes that grow without bound drive models with exponentials to infinity; only the leaky
 * family, which starts with the threshold, is tried with them. delta and sigma-delta have their
 * gradient by definition. */
static bool sensible(const rheo_neuron *m, uint32_t surrogate)
{
    const rheo_surrogate *s = rheo__surrogate_at(surrogate);
    const bool leaky = rheo__field_index(m->fields, "threshold") == 0;
    const double far =
        fmax(fabs(s->integral(-100, 2.5, s->shape)), fabs(s->integral(100, 2.5, s->shape)));
    return (leaky || far < 50) && strcmp(m->name, "delta") && strcmp(m->name, "sigma-delta");
}

static void test_every_model(void **state)
{
    (void)state;
    double worst = 0;
    uint32_t cases = 0, wrong = 0;
    for (uint32_t i = 0; rheo__neuron_at(i); i++) {
        const rheo_neuron *m = rheo__neuron_at(i);
        if (!m->reference.adjoint) continue;
        const bool spikes = m->out == RHEO_BITS;
        for (uint32_t s = 0; rheo__surrogate_at(s) && (spikes || s == 0); s++)
            for (uint32_t reset = 0; reset < choices(m, "reset") && usable(s) && sensible(m, s);
                 reset++)
                for (uint32_t when = 0; when < choices(m, "when"); when++) {
                    trial c = trial_of(m, s, reset, when);
                    const double off = best_of(&c);
                    if (!(off <= LIMIT))
                        print_message("%s, %s, reset %u when %u: off by %.2e\n", m->name,
                                      rheo__surrogate_names[s], reset, when, off);
                    wrong += !(off <= LIMIT) ? 1u : 0u;
                    worst = fmax(worst, off);
                    cases++;
                }
    }
    print_message("%u cases, worst %.1e of the largest gradient\n", cases, worst);
    assert_int_equal(wrong, 0);
}

typedef struct variant {
    const char *model;
    setting set[8];
} variant;

/* The options that the table above leaves at their defaults. */
static void test_options(void **state)
{
    (void)state;
    static const variant variants[] = {
        {"lif", {{"tau", 5}, {"decay", 0}, {"scaled", 1}, {"rest", 0.3}, {"gain", 1.5}}},
        {"lif", {{"tau", 5}, {"decay", 1}, {"scaled", 1}, {"start", 0.4}}},
        {"lif", {{"floor", -0.1}, {"ceiling", 0.9}}},
        {"lif", {{"refractory", 2}, {"test", 1}}},
        {"if", {{"start", 0.5}, {"gain", 0.7}}},
        {"plif", {{"w", 0.4}, {"scaled", 0}, {"rest", 0.2}}},
        {"klif", {{"k", 1.3}, {"scale_reset", 1}, {"reset", 3}, {"when", 1}}},
        {"klif", {{"k", 0.8}, {"tau", 3}, {"decay", 1}}},
        {"lapicque", {{"R", 3}, {"C", 1.5}}},
        {"cuba-lif", {{"order", 1}, {"tau", 5}, {"tau_syn", 3}, {"scaled", 1}, {"gain_syn", 2}}},
        {"cuba-lif", {{"order", 2}, {"tau", 5}, {"tau_syn", 3}, {"decay", 1}, {"scaled", 1}}},
        {"cuba-lif", {{"order", 3}, {"gain", 0.8}}},
        {"leaky-integrator", {{"order", 0}, {"alpha", 0.7}, {"start", 0.3}}},
        {"leaky-integrator",
         {{"order", 3}, {"tau_syn", 4}, {"tau", 9}, {"scaled", 1}, {"rest", 0.2}}},
        {"izhikevich", {{"step", 0}, {"gain", 20}}},
        {"izhikevich", {{"step", 1}, {"gain", 20}}},
        {"izhikevich", {{"step", 2}, {"gain", 20}}},
        {"izhikevich-2007", {{"step", 1}, {"gain", 500}}},
        {"izhikevich-2007", {{"step", 2}, {"gain", 500}}},
        {"eif", {{"order", 0}, {"tau_syn", 4}, {"gain", 9}}},
        {"eif", {{"order", 1}, {"tau_syn", 4}, {"gain", 9}, {"decay", 1}}},
        {"adex", {{"order", 0}, {"tau_syn", 4}, {"gain", 500}}},
        {"adex", {{"order", 1}, {"tau_syn", 4}, {"gain", 500}, {"decay", 1}}},
    };
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++) {
        trial c = trial_of(rheo__neuron_find(variants[i].model), 0, 0, 0);
        for (int o = 0; variants[i].set[o].name; o++)
            set_option(&c, variants[i].set[o].name, variants[i].set[o].value);
        const double off = best_of(&c);
        if (!(off <= LIMIT)) fail_msg("variant %zu, %s: off by %.2e", i, variants[i].model, off);
    }
}

/* ---- constants apart, in float ---- */

typedef struct apart_run {
    float k[RHEO_CONSTANTS][RHEO_BLOCK];
    float gk[RHEO_CONSTANTS][RHEO_BLOCK], gout[RUN_STEPS][RHEO_BLOCK], gin[RUN_STEPS][RHEO_BLOCK];
} apart_run;

/* Rows of the same constants are the plain loop, bit for bit, forward and backward. */
static void test_rows_are_the_plain_loop(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {1, 17, 40, 64};
    static apart_run a, b;
    static neuron_run plain, rows;
    const rheo_neuron *m;
    enum { T = 30 };
    for (uint32_t index = 0; (m = rheo__neuron_at(index)) != NULL; index++)
        for (uint32_t i = 0; i < 4; i++) {
            run_open(ctx, m->name, 0.5, NULL, &plain);
            run_fill(&plain, 5);
            rows = plain;
            for (uint32_t c = 0; c < RHEO_CONSTANTS; c++)
                for (uint32_t j = 0; j < RHEO_BLOCK; j++) a.k[c][j] = plain.k[c];
            for (uint32_t t = 0; t < RUN_STEPS; t++)
                for (uint32_t j = 0; j < RHEO_BLOCK; j++)
                    a.gout[t][j] = b.gout[t][j] = (float)run_draw(9, t * RHEO_BLOCK + j) - 0.5f;
            memset(a.gin, 0, sizeof a.gin);
            memset(b.gin, 0, sizeof b.gin);
            rheo_block p = run_block(&plain, T, sizes[i]), r = run_block(&rows, T, sizes[i]);
            r.k = a.k[0];
            r.k_apart = RHEO_BLOCK;
            if (m->reference.adjoint) {
                float *work = aligned_alloc(64, m->work(T) * sizeof(float));
                assert_non_null(work);
                rheo_block_adjoint d = {.forward = p,
                                        .gout = a.gout[0],
                                        .gout_t = RHEO_BLOCK,
                                        .gport = {a.gin[0]},
                                        .gport_t = {RHEO_BLOCK},
                                        .work = work};
                d.pseudo.shape = NAN;
                rheo__neuron_loops(ctx, m->index)->adjoint(&d);
                d.forward = r;
                d.gport[0] = b.gin[0];
                rheo__neuron_loops(ctx, m->index)->adjoint(&d);
                free(work);
                if (memcmp(a.gin, b.gin, sizeof a.gin) != 0) fail_msg("%s: gradient", m->name);
            }
            rheo__neuron_loops(ctx, m->index)->window(&p);
            rheo__neuron_loops(ctx, m->index)->window(&r);
            assert_memory_equal(plain.spikes, rows.spikes, sizeof plain.spikes);
            for (uint32_t f = 0; f < run_states(m); f++)
                assert_memory_equal(plain.state[f], rows.state[f], sizes[i] * sizeof(float));
            for (uint32_t t = 0; t < T; t++)
                assert_memory_equal(plain.v[t], rows.v[t], sizes[i] * sizeof(float));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_model),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_rows_are_the_plain_loop),
    };
    return cmocka_run_group_tests(tests, open_context, close_context);
}
