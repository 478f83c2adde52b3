/* Encoders: exact values of the static ones; the Poisson encoder against its definition in Philox
 * numbers, its statistics, and its bits over threads, batches, windows and instruction sets. */
#include "check.h"
#include "coding/coding.h"

static rheo_signal signal(const rheo_encoder *encoder, uint32_t T, uint32_t B, uint32_t N)
{
    rheo_arena arena = {0};
    rheo_signal s;
    rheo__signal_take(&s, encoder->form, T, B, N, encoder->fixed, &arena);
    arena = (rheo_arena){.base = aligned_alloc(64, arena.used + 64), .size = arena.used};
    memset(arena.base, 0xAB, arena.used);
    rheo__signal_take(&s, encoder->form, T, B, N, encoder->fixed, &arena);
    return s;
}

static void release(rheo_signal *s)
{
    free(s->form == RHEO_REAL ? (void *)s->real : (void *)s->bits);
}

/* ---- the table --------------------------------------------------------------------------------
 */

static void encoders_are_listed(void **state)
{
    (void)state;
    uint32_t n = 0;
    for (const rheo_encoder *e; (e = rheo__encoder_at(n)); n++) {
        assert_string_equal(rheo__encoder_names[n], e->name);
        assert_ptr_equal(rheo__encoder_find(e->name), e);
        assert_true(*e->title && *e->equations && *e->source);
        for (const rheo_field *f = e->fields; f->name; f++)
            assert_true(f->min <= f->init && f->init <= f->max && *f->doc);
    }
    assert_int_equal(n, 17);
    assert_null(rheo__encoder_names[n]);
    assert_null(rheo__encoder_find("poison"));
}

/* ---- static encoders --------------------------------------------------------------------------
 */

static void constant_is_the_sample(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    const rheo_encoder *e = rheo__encoder_find("constant");
    rheo_options options = rheo__field_defaults(e->fields);
    rheo_signal s = signal(e, 5, 2, 3);
    float x[32] = {0.5f, -1, 2};
    x[16] = 4, x[17] = 5, x[18] = 6;
    rheo_encode call = {
        .ctx = ctx, .options = &options, .dt = 1, .B = 2, .N = 3, .x = x, .intensity = 1};
    assert_int_equal(s.stride_t, 0);
    e->encode(&call, &s);
    for (uint32_t b = 0; b < 2; b++)
        for (uint32_t i = 0; i < 3; i++)
            assert_true(rheo__signal_get(&s, 4, b, i) == x[16 * b + i]);
    options.v[rheo__field_index(e->fields, "gain")] = 3;
    call.intensity = 0.5;
    e->encode(&call, &s);
    assert_true(rheo__signal_get(&s, 0, 1, 2) == 9 && rheo__signal_get(&s, 2, 0, 1) == -1.5f);
    release(&s);
    rheo_context_free(ctx);
}

static void integer_gives_the_bytes_back(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    const rheo_encoder *e = rheo__encoder_find("integer");
    rheo_options options = rheo__field_defaults(e->fields);
    rheo_signal s = signal(e, 1, 1, 260);
    float x[272] = {0};
    for (int i = 0; i < 256; i++) x[i] = (float)i / 255.0f;
    x[256] = 1.5f, x[257] = -0.1f, x[258] = 0.0625f, x[259] = 0.5f / 255.0f;
    rheo_encode call = {
        .ctx = ctx, .options = &options, .dt = 1, .B = 1, .N = 260, .x = x, .intensity = 1};
    e->encode(&call, &s);
    for (uint32_t i = 0; i < 256; i++) assert_true(rheo__signal_get(&s, 0, 0, i) == (float)i);
    static const float rest[] = {255, 0, 16, 1}; /* held, held, 15.94, a half goes up */
    for (uint32_t i = 0; i < 4; i++) assert_true(rheo__signal_get(&s, 0, 0, 256 + i) == rest[i]);
    release(&s);
    rheo_context_free(ctx);
}

/* ---- Poisson ----------------------------------------------------------------------------------
 */

static const uint32_t ids[] = {17, 4, 60001, 4000000000u, 5};
static const rheo_encoder *poisson;
static rheo_options defaults;

static rheo_encode call_of(rheo_context *ctx, const float *x, uint32_t B, uint32_t N)
{
    return (rheo_encode){.ctx = ctx,
                         .options = &defaults,
                         .dt = 1,
                         .B = B,
                         .N = N,
                         .x = x,
                         .sample = ids,
                         .intensity = 1,
                         .seed = 3};
}

static float *ramp(uint32_t B, uint32_t N, float top)
{
    float *x = calloc((size_t)B * rheo__pitch(N), sizeof *x);
    for (uint32_t b = 0; b < B; b++)
        for (uint32_t i = 0; i < N; i++)
            x[(size_t)b * rheo__pitch(N) + i] =
                i % 5 == 3 ? 0 : top * (float)(i + b) / (float)(N + B);
    return x;
}

/* The words of a row are equal, and the bits beyond N are 0. */
static void same_row(const rheo_signal *a, uint32_t ta, uint32_t ba, const rheo_signal *b,
                     uint32_t tb, uint32_t bb)
{
    uint32_t words = rheo__words(a->N);
    const uint64_t *row = rheo__bits_row(a, ta, ba);
    assert_memory_equal(row, rheo__bits_row(b, tb, bb), words * 8);
    if (a->N % 64) assert_true(row[words - 1] >> a->N % 64 == 0);
}

static void poisson_is_its_definition(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(2);
    enum { B = 3, N = 77, T = 70 };
    float *x = ramp(B, N, 20); /* up to 1.24 expected spikes a step: some certain */
    x[7] = -1;
    rheo_encode call = call_of(ctx, x, B, N);
    call.show = 9;
    call.intensity = 1.5;
    call.dt = 0.5;
    rheo_signal s = signal(poisson, T, B, N);
    poisson->encode(&call, &s);
    rheo_key key = rheo__key(3, 0, RHEO_FOR_ENCODER);
    for (uint32_t t = 0; t < T; t++)
        for (uint32_t b = 0; b < B; b++)
            for (uint32_t i = 0; i < N; i++) {
                uint32_t r[4];
                float p = (float)(63.75 * 1.5 * 0.5 / 1000) * x[b * 80 + i];
                rheo__philox(key, (uint32_t[]){ids[b], 9, t, i / 4}, r);
                assert_int_equal(rheo__signal_get(&s, t, b, i) == 1, rheo__uniform(r[i % 4]) < p);
            }
    same_row(&s, T - 1, B - 1, &s, T - 1, B - 1);
    release(&s);
    free(x);
    rheo_context_free(ctx);
}

/* Spike counts are binomial: mean p, deviation sqrt(p (1-p) / n), and 5 of them; the intervals are
 * geometric, P(k) = p (1-p)^(k-1): chi-square over 20 classes, mean 19, deviation sqrt(38), 5 of
 * them. */
static void poisson_has_its_statistics(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(2);
    enum { N = 640, T = 2000, CLASSES = 20 };
    static const double rates[] = {10, 63.75, 300, 900}; /* Hz at x = 1; x = 0.8 */
    rheo_signal s = signal(poisson, T, 1, N);
    float x[N];
    for (int i = 0; i < N; i++) x[i] = 0.8f;
    for (size_t r = 0; r < sizeof rates / sizeof *rates; r++) {
        rheo_options options = defaults;
        options.v[0] = rates[r];
        rheo_encode call = call_of(ctx, x, 1, N);
        call.options = &options;
        poisson->encode(&call, &s);
        double p = 0.8 * rates[r] / 1000, n = (double)N * T, spikes = 0, intervals = 0, chi = 0;
        double count[CLASSES] = {0};
        for (uint32_t i = 0; i < N; i++) {
            uint32_t last = UINT32_MAX;
            for (uint32_t t = 0; t < T; t++) {
                if (rheo__signal_get(&s, t, 0, i) != 1) continue;
                spikes++;
                /* an interval counts when all 19 short ones would have had room */
                if (last != UINT32_MAX && last < T - CLASSES) {
                    uint32_t k = t - last;
                    count[k < CLASSES ? k - 1 : CLASSES - 1]++;
                    intervals++;
                }
                last = t;
            }
            /* no later spike: a long interval, cut off by the end */
            if (last < T - CLASSES) count[CLASSES - 1]++, intervals++;
        }
        CHECK_NEAR(spikes / n, p, 5 * sqrt(p * (1 - p) / n));
        double rest = intervals;
        for (int k = 1; k <= CLASSES; k++) {
            double expected = k < CLASSES ? intervals * p * pow(1 - p, k - 1) : rest;
            rest -= expected;
            /* classes too rare for chi-square are left out */
            if (expected >= 10) chi += pow(count[k - 1] - expected, 2) / expected;
        }
        if (chi > 19 + 5 * sqrt(38)) fail_msg("%g Hz: chi-square of intervals %g", rates[r], chi);
    }
    release(&s);
    rheo_context_free(ctx);
}

static void poisson_bits_depend_on_nothing_else(void **state)
{
    (void)state;
    enum { B = 5, T = 130 };
    static const uint32_t sizes[] = {1, 64, 65, 784, 4096, 4097, 9000};
    static const char *const isas[] = {"portable", "avx2", "avx512"};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        uint32_t N = sizes[k];
        float *x = ramp(B, N, 8);
        rheo_context *one = check_context(1);
        rheo_encode call = call_of(one, x, B, N);
        rheo_signal whole = signal(poisson, T, B, N), step = signal(poisson, 1, B, N);
        poisson->encode(&call, &whole);
        /* streaming */
        for (uint32_t t = 0; t < T; t++) {
            call.step0 = t;
            poisson->encode(&call, &step);
            for (uint32_t b = 0; b < B; b++) same_row(&whole, t, b, &step, 0, b);
        }
        /* a sample alone */
        rheo_signal alone = signal(poisson, T, 1, N);
        rheo_encode single = call_of(one, x + 2 * (size_t)rheo__pitch(N), 1, N);
        single.sample = ids + 2;
        poisson->encode(&single, &alone);
        for (uint32_t t = 0; t < T; t++) same_row(&whole, t, 2, &alone, t, 0);
        /* threads and instruction sets */
        rheo_signal other = signal(poisson, T, B, N);
        for (uint32_t i = 0; i < 6; i++) {
            rheo_context *ctx = NULL;
            const uint32_t threads[] = {2, 3, 8, 1, 1, 1};
            rheo_context_options options = {.threads = threads[i],
                                            .isa = i < 3 ? NULL : isas[i - 3]};
            if (rheo_context_new(&options, &ctx)) continue; /* not on this processor */
            rheo_encode again = call_of(ctx, x, B, N);
            poisson->encode(&again, &other);
            for (uint32_t t = 0; t < T; t++)
                for (uint32_t b = 0; b < B; b++) same_row(&whole, t, b, &other, t, b);
            rheo_context_free(ctx);
        }
        release(&whole), release(&step), release(&alone), release(&other);
        free(x);
        rheo_context_free(one);
    }
}

/* Spikes of each half of two signals that agree by more than chance: 0 when independent. */
static double overlap(const rheo_signal *a, uint32_t first_a, const rheo_signal *b,
                      uint32_t first_b, uint32_t n, double p)
{
    double both = 0, count = (double)a->T * n;
    for (uint32_t t = 0; t < a->T; t++)
        for (uint32_t i = 0; i < n; i++)
            both += (double)(rheo__signal_get(a, t, 0, first_a + i) *
                             rheo__signal_get(b, t, 0, first_b + i));
    return (both / count - p * p) / sqrt(p * p * (1 - p * p) / count);
}

static void poisson_differs_where_it_should(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    enum { N = 8192, T = 20 };
    static float x[N];
    for (int i = 0; i < N; i++) x[i] = 4; /* p = 0.255 */
    rheo_signal a = signal(poisson, T, 1, N), b = signal(poisson, T, 1, N);
    rheo_encode call = call_of(ctx, x, 1, N);
    poisson->encode(&call, &a);
    /* the two chunks of 4096 */
    assert_true(fabs(overlap(&a, 0, &a, 4096, 4096, 0.255)) < 5);
    for (int what = 0; what < 4; what++) {
        call = call_of(ctx, x, 1, N);
        if (what == 0) call.seed = 4;
        if (what == 1) call.show = 1;
        if (what == 2) call.sample = ids + 1;
        if (what == 3) call.step0 = T;
        poisson->encode(&call, &b);
        if (fabs(overlap(&a, 0, &b, 0, N, 0.255)) > 5) fail_msg("case %d: not independent", what);
    }
    release(&a), release(&b);
    rheo_context_free(ctx);
}

static void poisson_rests_after_its_duration(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    enum { N = 70, T = 200 };
    float x[80];
    for (int i = 0; i < 80; i++) x[i] = 1;
    rheo_options options = defaults;
    options.v[rheo__field_index(poisson->fields, "rate")] = 2000; /* p = 1 */
    options.v[rheo__field_index(poisson->fields, "duration")] = 35;
    rheo_signal s = signal(poisson, T, 1, N);
    rheo_encode call = call_of(ctx, x, 1, N);
    call.options = &options;
    call.dt = 0.5;
    for (uint32_t step0 = 0; step0 < 100; step0 += 60) { /* 35 ms are 70 steps */
        call.step0 = step0;
        poisson->encode(&call, &s);
        for (uint32_t t = 0; t < T; t++)
            assert_int_equal(rheo__signal_popcount(&s, t, 0, 1), step0 + t < 70 ? N : 0);
    }
    release(&s);
    rheo_context_free(ctx);
}

int main(void)
{
    poisson = rheo__encoder_find("poisson");
    defaults = rheo__field_defaults(poisson->fields);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encoders_are_listed),
        cmocka_unit_test(constant_is_the_sample),
        cmocka_unit_test(integer_gives_the_bytes_back),
        cmocka_unit_test(poisson_is_its_definition),
        cmocka_unit_test(poisson_has_its_statistics),
        cmocka_unit_test(poisson_bits_depend_on_nothing_else),
        cmocka_unit_test(poisson_differs_where_it_should),
        cmocka_unit_test(poisson_rests_after_its_duration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
