/* The codes beside Poisson's: against arrays recorded from snnTorch's spikegen (tests/oracles/
 * spikegen.py), by hand, by their statistics, and back again (decoders.h); streaming,
 * samples alone and threads change no bit. */
#include "check.h"
#include "array/npy.h"
#include "decoders.h"
#include <stdio.h>

static rheo_context *ctx;
static rheo_array *arrays;
static uint32_t count;
static const uint32_t ids[] = {17, 4, 60001};

static const rheo_array *find(const char *group, const char *name)
{
    char text[64];
    snprintf(text, sizeof text, "%s%s", group, name);
    for (uint32_t i = 0; i < count; i++)
        if (!strcmp(arrays[i].name, text)) return &arrays[i];
    fail_msg("spikegen.npz has no array '%s'", text);
    return NULL;
}

/* An encoder at work: options by name, a signal of its own. */
typedef struct rig {
    const rheo_encoder *encoder;
    rheo_options options;
    rheo_signal out;
    rheo_encode call;
} rig;

static rig begin(const char *name, uint32_t B, uint32_t N, const float *x)
{
    rig r = {.encoder = rheo__encoder_find(name)};
    assert_non_null(r.encoder);
    r.options = rheo__field_defaults(r.encoder->fields);
    r.call = (rheo_encode){
        .ctx = ctx, .dt = 1, .B = B, .N = N, .x = x, .sample = ids, .intensity = 1, .seed = 3};
    return r;
}

static void set(rig *r, const char *field, double value)
{
    const int at = rheo__field_index(r->encoder->fields, field);
    if (at < 0) fail_msg("%s has no option %s", r->encoder->name, field);
    r->options.v[at] = value;
}

static void run(rig *r, uint32_t T)
{
    rheo_arena arena = {0};
    const uint32_t N = rheo__encoder_width(r->encoder, &r->options, r->call.N);
    assert_true(N > 0);
    rheo__signal_take(&r->out, r->encoder->form, T, r->call.B, N, r->encoder->fixed, &arena);
    arena = (rheo_arena){.base = aligned_alloc(64, arena.used + 64), .size = arena.used};
    memset(arena.base, 0xAB, arena.used); /* all is written */
    rheo__signal_take(&r->out, r->encoder->form, T, r->call.B, N, r->encoder->fixed, &arena);
    r->call.options = &r->options;
    r->encoder->encode(&r->call, &r->out);
}

static void end(rig *r)
{
    free(r->out.form == RHEO_REAL ? (void *)r->out.real : (void *)r->out.bits);
}

static float *rows(const rheo_array *from)
{
    const uint32_t B = (uint32_t)from->shape[0], N = (uint32_t)from->shape[1];
    float *x = calloc((size_t)B * rheo__pitch(N), sizeof *x);
    for (uint32_t b = 0; b < B; b++)
        memcpy(x + (size_t)b * rheo__pitch(N), (float *)from->data + b * N, N * sizeof *x);
    return x;
}

/* ---- recorded ---- */

static const struct {
    const char *name;
    double tau, threshold, first;
    bool linear, normalise, clip;
} latencies[] = {
    {"log", 5, 0.01, 0, false, false, false},
    {"log-normalise", 5, 0.01, 0, false, true, false},
    {"log-clip", 5, 0.2, 0, false, true, true},
    {"log-first", 2, 0.1, 3, false, true, false},
    {"linear", 12, 0.01, 0, true, false, false},
    {"linear-normalise", 5, 0.01, 0, true, true, false},
    {"linear-clip", 5, 0.2, 0, true, true, true},
    {"linear-first", 5, 0.2, 4, true, true, false},
};

static void latencies_are_snntorchs(void **state)
{
    float *x = rows(find("", "static"));
    (void)state;
    for (size_t k = 0; k < sizeof latencies / sizeof *latencies; k++) {
        const rheo_array *want = find("latency.", latencies[k].name);
        assert_true(((float *)find("near.", latencies[k].name)->data)[0] > 1e-3f);
        rig r = begin("latency", 2, 40, x);
        set(&r, "tau", latencies[k].tau), set(&r, "threshold", latencies[k].threshold);
        set(&r, "first", latencies[k].first), set(&r, "curve", latencies[k].linear);
        set(&r, "normalise", latencies[k].normalise), set(&r, "clip", latencies[k].clip);
        run(&r, (uint32_t)want->shape[0]);
        const uint8_t *spike = want->data;
        uint32_t spikes = 0;
        for (uint32_t t = 0; t < r.out.T; t++)
            for (uint32_t b = 0; b < 2; b++)
                for (uint32_t i = 0; i < 40; i++, spike++) {
                    spikes += *spike;
                    if ((rheo__signal_get(&r.out, t, b, i) > 0) != (*spike > 0))
                        fail_msg("%s: step %u, sample %u, feature %u", latencies[k].name, t, b, i);
                }
        assert_true(spikes > 30);
        end(&r);
    }
    free(x);
}

static void deltas_are_snntorchs(void **state)
{
    static const struct {
        const char *name;
        double threshold;
        bool off, pad;
    } rows_[] = {{"on", 0.25, false, false},
                 {"on-pad", 0.25, false, true},
                 {"off", 0.5, true, false},
                 {"off-pad", 0.25, true, true}};
    const rheo_array *series = find("", "series");
    float x[192] = {0}; /* one sample: 30 points of 6 channels, in their order */
    (void)state;
    memcpy(x, series->data, 180 * sizeof *x);
    for (size_t k = 0; k < 4; k++) {
        const rheo_array *want = find("delta.", rows_[k].name);
        rig r = begin("delta", 1, 180, x);
        set(&r, "channels", 6), set(&r, "threshold", rows_[k].threshold);
        set(&r, "off", rows_[k].off), set(&r, "pad", rows_[k].pad);
        run(&r, 30);
        assert_int_equal(r.out.N, rows_[k].off ? 12 : 6);
        int up = 0, down = 0;
        for (uint32_t t = 0; t < 30; t++)
            for (uint32_t c = 0; c < 6; c++) {
                const int32_t s = ((const int32_t *)want->data)[t * 6 + c];
                up += s > 0, down += s < 0;
                assert_int_equal(rheo__signal_get(&r.out, t, 0, c) > 0, s > 0);
                if (rows_[k].off)
                    assert_int_equal(rheo__signal_get(&r.out, t, 0, 6 + c) > 0, s < 0);
            }
        assert_true(up > 10 && (!rows_[k].off || down > 10));
        end(&r);
    }
}

/* ---- by hand: trains as text, a feature each ---- */

static void trains(rig *r, uint32_t T, const char *const *want)
{
    run(r, T);
    for (uint32_t i = 0; i < r->out.N; i++)
        for (uint32_t t = 0; t < T; t++)
            if ((rheo__signal_get(&r->out, t, 0, i) > 0) != (want[i][t] == '1'))
                fail_msg("%s: neuron %u, step %u, expected %s", r->encoder->name, i, t, want[i]);
    end(r);
}

static void codes_by_hand(void **state)
{
    (void)state;
    static const float four[16] = {0.5f, 0.9f, 0, 0.5f};
    rig r = begin("rank", 1, 4, four); /* ranks 1, 0, silent, 2; 8 steps: 2 each */
    trains(&r, 8, (const char *[]){"..1.....", "1.......", "........", "....1..."});
    static const float phases[16] = {1, 0.5f, 0, 0.25f};
    r = begin("phase", 1, 4, phases); /* (1 - x) 4: 0, 2, silent, 3 */
    set(&r, "period", 5);
    trains(&r, 10, (const char *[]){"1....1....", "..1....1..", "..........", "...1....1."});
    r = begin("burst", 1, 4, phases); /* most 4: 4, 2, 0, 1 spikes; intervals 1, ceil(2.5), -, - */
    set(&r, "most", 4), set(&r, "shortest", 1), set(&r, "longest", 4);
    trains(&r, 8, (const char *[]){"1111....", "1..1....", "........", "1......."});
    /* base 0, 0.5 (up), 1 (up), 1, 0.5 (down): x > base + 0.4 by turns */
    static const float series[16] = {0, 0.5f, 1, 1, 0.3f, 0.2f};
    r = begin("step-forward", 1, 6, series);
    set(&r, "threshold", 0.4);
    trains(&r, 6, (const char *[]){".11...", "....1."}); /* base 0.8 at 3; 0.4 at 5 */
    /* means of two: 0, 0, 0.25, 0.75, 1, 0.65; x: 0 0.5 1 1 0.3 0.2 */
    r = begin("moving-window", 1, 6, series);
    set(&r, "threshold", 0.4), set(&r, "window", 2);
    trains(&r, 6, (const char *[]){".11...", "....11"});
    /* differences 0.5 0.5 0 -0.7 -0.1: mean 0.04, deviation 0.4454 */
    r = begin("threshold", 1, 6, series);
    trains(&r, 6, (const char *[]){".11...", "....1."});
    /* five features as points of two channels do not fit */
    r = begin("step-forward", 1, 5, series);
    set(&r, "channels", 2);
    assert_int_equal(rheo__encoder_width(r.encoder, &r.options, 5), 0);
    assert_int_equal(rheo__encoder_width(r.encoder, &r.options, 6), 4);
}

/* Responses at their centres are 1: the first step. Centres of 4 fields over 0 ... 1: -1/4, 1/4,
 * 3/4, 5/4. At x = 1/4 the neighbours are one width of 1/2 away: exp(-1.5^2/2) = 0.3247, step
 * round(6.75). */
static void receptive_fields_by_hand(void **state)
{
    static const float x[16] = {0.25f, 0.75f};
    static const int steps[8] = {7, -1, 0, 7, 7, 0, -1, 7}; /* [field][feature] */
    (void)state;
    rig r = begin("gaussian", 1, 2, x);
    set(&r, "fields", 4);
    run(&r, 11);
    for (uint32_t k = 0; k < 8; k++)
        for (uint32_t t = 0; t < 11; t++)
            assert_int_equal(rheo__signal_get(&r.out, t, 0, k) > 0, (int)t == steps[k]);
    end(&r);
}

/* ---- statistics ---- */

/* Counts are binomial: 5 deviations of all features' sum, and of each feature's. */
static void rates_are_binomial(void **state)
{
    enum { N = 64, T = 4000 };
    float x[N];
    (void)state;
    for (int i = 0; i < N; i++) x[i] = (float)i / (N - 1);
    rig r = begin("rate", 1, N, x);
    set(&r, "gain", 0.5), set(&r, "offset", 0.25), set(&r, "first", 1000);
    run(&r, T);
    for (uint32_t i = 0; i < N; i++) {
        const double p = 0.25 + 0.5 * (double)x[i];
        double spikes = 0;
        for (uint32_t t = 0; t < T; t++) {
            const bool s = rheo__signal_get(&r.out, t, 0, i) > 0;
            if (t < 1000) assert_false(s);
            spikes += s;
        }
        CHECK_NEAR(spikes / 3000, p, 5 * sqrt(p * (1 - p) / 3000));
    }
    end(&r);
    r = begin("rate", 1, N, x); /* held to 0 ... 1 */
    set(&r, "gain", 4), set(&r, "offset", -1.5);
    run(&r, 50);
    for (uint32_t t = 0; t < 50; t++) {
        assert_true(rheo__signal_get(&r.out, t, 0, 10) == 0);
        assert_true(rheo__signal_get(&r.out, t, 0, 50) == 1);
    }
    end(&r);
}

static void population_rates_are_responses(void **state)
{
    enum { T = 4000 };
    static const float x[16] = {0.3f, 0.8f};
    (void)state;
    rig r = begin("gaussian", 1, 2, x);
    set(&r, "by", 1);
    run(&r, T);
    for (uint32_t m = 0; m < 8; m++)
        for (uint32_t i = 0; i < 2; i++) {
            const double off = ((double)x[i] - (2.0 * m - 1) / 12) * 6 * 1.5,
                         p = exp(-off * off / 2);
            double spikes = 0;
            for (uint32_t t = 0; t < T; t++)
                spikes += rheo__signal_get(&r.out, t, 0, m * 2 + i) > 0;
            CHECK_NEAR(spikes / T, p, 5 * sqrt(p * (1 - p) / T) + 1e-6);
        }
    end(&r);
}

/* ---- there and back ---- */

static const struct {
    const char *encoder, *option[4];
    double value[4];
    uint32_t T;
    double rmse; /* limits: near twice what was measured */
} trips[] = {
    {"rate", {0}, {0}, 2000, 0.02},                           /* sqrt(p(1-p)/T) <= 0.011 */
    {"latency", {"curve", "normalise"}, {1, 1}, 101, 0.0051}, /* half a step of 100 */
    {"latency", {"tau"}, {2000}, 2000, 0.02},        /* half a step: 0.025 at x = 1, less below */
    {"phase", {"period"}, {101}, 101, 0.0051},       /* half a step of 100 */
    {"weighted-phase", {"period"}, {10}, 10, 0.001}, /* 2^-10 */
    {"burst", {"most", "longest", "shortest"}, {20, 3, 1}, 70, 0.0251}, /* half of 1/20 */
    {"gaussian", {0}, {0}, 200, 0.01},
    {"gaussian", {"by"}, {1}, 2000, 0.006},
    {"angle", {"weakest"}, {0}, 1000, 0.0002},
    {"angle", {"by"}, {1}, 2000, 0.006},
};

static void features_come_back(void **state)
{
    enum { N = 41 };
    float x[48] = {0}, back[48];
    (void)state;
    for (uint32_t i = 0; i < N; i++) x[i] = 0.02f + 0.96f * (float)i / (N - 1);
    for (size_t k = 0; k < sizeof trips / sizeof *trips; k++) {
        rig r = begin(trips[k].encoder, 1, N, x);
        for (int o = 0; o < 4 && trips[k].option[o]; o++)
            set(&r, trips[k].option[o], trips[k].value[o]);
        run(&r, trips[k].T);
        const told heard_of = {r.encoder, r.options.v, &r.out, N, x};
        decode_features(&heard_of, back);
        double sum = 0;
        for (uint32_t i = 0; i < N; i++) sum += pow((double)back[i] - (double)x[i], 2);
        if (!(sqrt(sum / N) <= trips[k].rmse))
            fail_msg("%s (%zu): root mean square error %.4g > %.4g", trips[k].encoder, k,
                     sqrt(sum / N), trips[k].rmse);
        end(&r);
    }
}

/* Two series, 200 points: 0.5 + 0.3 sin of a period of 80 steps, and half as high, of 50; or
 * triangles of slope 0.02, 20 and 10 steps a side, which codes of changes of 0.0198 follow to 1 in
 * 100. */
static const struct {
    const char *encoder, *option[3];
    double value[3];
    bool triangle;
    double rmse;
} waves[] = {
    {"delta", {"threshold", "pad"}, {0.0198, 1}, true, 0.004},
    {"threshold", {"factor"}, {0.99}, true, 0.004}, /* the differences' deviation is 0.02 */
    {"moving-window", {"threshold", "window"}, {0.0198, 1}, true, 0.004},
    /* the mean of three lags by two steps of 0.02 */
    {"moving-window", {"threshold", "window"}, {0.025, 3}, true, 0.075},
    {"step-forward", {"threshold"}, {0.03}, false, 0.03}, /* within a threshold */
    {"bsa", {"taps"}, {8}, false, 0.07},
};

static float wave(bool triangle, uint32_t t, uint32_t channel)
{
    const uint32_t side = channel ? 10 : 20, at = t % (2 * side);
    if (triangle) return 0.3f + 0.02f * (float)(at < side ? at : 2 * side - at);
    return channel ? 0.5f + 0.15f * sinf(6.2831853f * (float)t / 50)
                   : 0.5f + 0.3f * sinf(6.2831853f * (float)t / 80);
}

static void series_come_back(void **state)
{
    enum { POINTS = 200, N = 2 * POINTS };
    float x[N], back[N];
    (void)state;
    for (size_t k = 0; k < sizeof waves / sizeof *waves; k++) {
        for (uint32_t i = 0; i < N; i++) x[i] = wave(waves[k].triangle, i / 2, i % 2);
        rig r = begin(waves[k].encoder, 1, N, x);
        set(&r, "channels", 2);
        for (int o = 0; o < 3 && waves[k].option[o]; o++)
            set(&r, waves[k].option[o], waves[k].value[o]);
        run(&r, POINTS);
        const told heard_of = {r.encoder, r.options.v, &r.out, N, x};
        decode_series(&heard_of, back);
        double sum = 0;
        for (uint32_t i = 0; i < N; i++) sum += pow((double)back[i] - (double)x[i], 2);
        if (!(sqrt(sum / N) <= waves[k].rmse))
            fail_msg("%s: root mean square error %.4g > %.4g", waves[k].encoder, sqrt(sum / N),
                     waves[k].rmse);
        end(&r);
    }
}

/* ---- no bit depends on the window, the batch, the threads ---- */

static void same(const rheo_signal *a, uint32_t ta, uint32_t ba, const rheo_signal *b, uint32_t tb,
                 uint32_t bb, const char *what)
{
    for (uint32_t i = 0; i < a->N; i++)
        if (rheo__signal_get(a, ta, ba, i) != rheo__signal_get(b, tb, bb, i))
            fail_msg("%s: neuron %u, step %u", what, i, ta);
    if (a->form == RHEO_BITS && a->N % 64)
        assert_true(rheo__bits_row(a, ta, ba)[a->N / 64] >> a->N % 64 == 0);
}

static void bits_depend_on_nothing_else(void **state)
{
    enum { B = 3, N = 70, T = 20 };
    float x[B * 80] = {0};
    (void)state;
    for (uint32_t i = 0; i < B * 80; i++) x[i] = i % 80 < N ? (float)(i * 37 % 101) / 100 : 0;
    rheo_context *more = check_context(3);
    for (uint32_t n = 0; rheo__encoder_at(n); n++) {
        const char *name = rheo__encoder_at(n)->name;
        rig whole = begin(name, B, N, x);
        whole.call.steps = T;
        run(&whole, T);
        for (uint32_t t = 0; t < T; t++) {
            rig step = begin(name, B, N, x);
            step.call.step0 = t, step.call.steps = T;
            run(&step, 1);
            for (uint32_t b = 0; b < B; b++) same(&whole.out, t, b, &step.out, 0, b, name);
            end(&step);
        }
        rig alone = begin(name, 1, N, x + 80), threads = begin(name, B, N, x);
        alone.call.sample = ids + 1, threads.call.ctx = more;
        run(&alone, T), run(&threads, T);
        for (uint32_t t = 0; t < T; t++) {
            same(&whole.out, t, 1, &alone.out, t, 0, name);
            for (uint32_t b = 0; b < B; b++) same(&whole.out, t, b, &threads.out, t, b, name);
        }
        end(&whole), end(&alone), end(&threads);
    }
    rheo_context_free(more);
}

int main(void)
{
    ctx = check_context(1);
    CHECK_OK(ctx, rheo__npz_read(ctx, "tests/oracles/spikegen.npz", 1 << 20, &arrays, &count));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(latencies_are_snntorchs),
        cmocka_unit_test(deltas_are_snntorchs),
        cmocka_unit_test(codes_by_hand),
        cmocka_unit_test(receptive_fields_by_hand),
        cmocka_unit_test(rates_are_binomial),
        cmocka_unit_test(population_rates_are_responses),
        cmocka_unit_test(features_come_back),
        cmocka_unit_test(series_come_back),
        cmocka_unit_test(bits_depend_on_nothing_else),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rheo__npz_free(ctx, arrays, count);
    rheo_context_free(ctx);
    return failed;
}
