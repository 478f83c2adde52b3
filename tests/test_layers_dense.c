/* test_layers_dense.c: all-to-all weights: the same bits on every path, sums into what stands
 * there, first weights. */
#include "kernels/bf16.h"
#include "layer_cases.h"

/* ---- dense: operands in bfloat16 ---- */

/* One product against its terms in double; the bound is that of kernels/bf16.h. */
typedef struct terms {
    double sum, size;
    uint32_t K;
} terms;
static void add_term(terms *t, float a, float b)
{
    const double p = (double)rheo__bf16_round(a) * (double)rheo__bf16_round(b);
    t->sum += p;
    t->size += fabs(p);
    t->K++;
}
static void check_terms(const char *label, const terms *t, float found)
{
    const double u = 0x1p-24 * (t->K + 2);
    if (!(fabs((double)found - t->sum) <= u / (1 - u) * t->size + (t->K + 2) * 0x1p-126))
        fail_msg("%s: %.9g, in double %.9g", label, (double)found, t->sum);
}

/* The gradient by rows of the input, as the layer sums it for one that stands still. */
static float gradient_at(const rig *r, uint32_t t, uint32_t b, uint32_t o)
{
    float sum = 0;
    if (r->in[0].stride_t || !r->gout.stride_t) return rheo__signal_get(&r->gout, t, b, o);
    for (t = 0; t < r->what.T; t++) sum += rheo__signal_get(&r->gout, t, b, o);
    return sum;
}

static void check_bf16(const rig *r)
{
    const rheo_signal *in = &r->in[0];
    const uint32_t N = in->N, out = r->work.out.N, T = in->stride_t ? r->what.T : 1;
    const float *w = r->param[0].value, *bias = r->param[1].value;
    for (uint32_t t = 0; t < T; t++)
        for (uint32_t b = 0; b < r->what.B; b++) {
            for (uint32_t o = 0; o < out; o++) {
                terms y = {(double)bias[o], fabs((double)bias[o]), 0};
                for (uint32_t i = 0; i < N; i++)
                    add_term(&y, w[o * N + i], rheo__signal_get(in, t, b, i));
                check_terms(r->what.label, &y, rheo__signal_get(&r->work.out, t, b, o));
            }
            for (uint32_t i = 0; i < N; i++) {
                terms gx = {0};
                for (uint32_t o = 0; o < out; o++)
                    add_term(&gx, gradient_at(r, t, b, o), w[o * N + i]);
                check_terms(r->what.label, &gx, rheo__signal_get(&r->work.gin[0], t, b, i));
            }
        }
    for (uint32_t o = 0; o < out; o++)
        for (uint32_t i = 0; i < N; i++) {
            terms gw = {0};
            for (uint32_t t = 0; t < T; t++)
                for (uint32_t b = 0; b < r->what.B; b++)
                    add_term(&gw, gradient_at(r, t, b, o), rheo__signal_get(in, t, b, i));
            check_terms(r->what.label, &gw, r->work.grad[0][o * N + i]);
        }
}

static void test_bf16(void **state)
{
    static const struct {
        rig_input input;
        double level;
    } inputs[] = {{REALS, 0},    {STATIC_REALS, 0},    {SPIKES, 0.05},
                  {SPIKES, 0.8}, {STATIC_SPIKES, 0.1}, {SIGNS, 0.5}};
    (void)state;
    rheo_context *ctx = check_context(2);
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
        for (int path = 0; path <= (int)rheo__bf16_best(); path++) {
            rig r;
            ctx->bf16 = (rheo_bf16_path)path;
            rig_make(&r, ctx,
                     &(rig_case){.label = rheo__bf16_name(ctx),
                                 .layer = "dense",
                                 .options = "out=131",
                                 .N = 90,
                                 .T = 5,
                                 .B = 3,
                                 .input = inputs[i].input,
                                 .level = inputs[i].level,
                                 .gradient = true,
                                 .precision = RHEO_BF16},
                     0);
            rig_forward(&r), rig_backward(&r);
            check_bf16(&r);
            rig_free(&r);
        }
    rheo_context_free(ctx);
}

/* Spikes onto a few outputs are added, not multiplied: nothing is rounded. */
static void test_few_outputs_stay_float32(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(2);
    rig r[2];
    for (int i = 0; i < 2; i++) {
        rig_make(&r[i], ctx,
                 &(rig_case){.label = "few",
                             .layer = "dense",
                             .options = "out=10",
                             .N = 90,
                             .T = 5,
                             .B = 3,
                             .input = SPIKES,
                             .level = 0.4,
                             .gradient = true,
                             .precision = i ? RHEO_BF16 : RHEO_FLOAT32},
                 0);
        rig_forward(&r[i]);
        r[i].node.layer->gradient(&r[i].work, 0, 5);
    }
    rig_same("few", &r[0].work.out, 0, &r[1].work.out);
    assert_memory_equal(r[0].work.grad[0], r[1].work.grad[0], 900 * sizeof(float));
    rig_free(&r[0]), rig_free(&r[1]);
    rheo_context_free(ctx);
}

/* ---- dense: one sum, four ways ---- */

/* The same values as reals, which only the general product takes. */
static void as_reals(rig *r, const rheo_signal *from)
{
    r->in[0] = rig_signal(r, RHEO_REAL, from->T, from->B, from->N, from->stride_t == 0);
    for (uint32_t t = 0; t < (from->stride_t ? from->T : 1); t++)
        for (uint32_t b = 0; b < from->B; b++)
            for (uint32_t n = 0; n < from->N; n++)
                rheo__real_row(&r->in[0], t, b)[n] = rheo__signal_get(from, t, b, n);
}

static const rig_case paths[] = {
    {.label = "gather",
     .layer = "dense",
     .options = "out=131",
     .N = 300,
     .T = 4,
     .B = 3,
     .input = SPIKES,
     .level = 0.05},
    {.label = "bits",
     .layer = "dense",
     .options = "out=131",
     .N = 300,
     .T = 4,
     .B = 3,
     .input = SPIKES,
     .level = 0.8},
    {.label = "silence",
     .layer = "dense",
     .options = "out=131",
     .N = 300,
     .T = 4,
     .B = 3,
     .input = SPIKES,
     .level = 0},
    {.label = "static gather",
     .layer = "dense",
     .options = "out=131",
     .N = 300,
     .T = 4,
     .B = 3,
     .input = STATIC_SPIKES,
     .level = 0.05},
    {.label = "signs",
     .layer = "dense",
     .options = "out=131",
     .N = 300,
     .T = 4,
     .B = 3,
     .input = SIGNS,
     .level = 0.5},
    {.label = "packed signs",
     .layer = "dense",
     .options = "out=131 bias=false weights=binary",
     .N = 300,
     .T = 4,
     .B = 3,
     .input = SIGNS,
     .level = 0.5},
    {.label = "packed static signs",
     .layer = "dense",
     .options = "out=131 bias=false weights=binary",
     .N = 300,
     .T = 4,
     .B = 3,
     .input = STATIC_SIGNS,
     .level = 0.5},
    {.label = "signs with bias",
     .layer = "dense",
     .options = "out=131 weights=binary",
     .N = 300,
     .T = 4,
     .B = 3,
     .input = SIGNS,
     .level = 0.5},
    {.label = "binary gather",
     .layer = "dense",
     .options = "out=131 weights=binary",
     .N = 300,
     .T = 4,
     .B = 3,
     .input = SPIKES,
     .level = 0.1},
    {.label = "pixels",
     .layer = "dense",
     .options = "out=131 bias=false weights=binary",
     .N = 300,
     .T = 4,
     .B = 3,
     .input = PIXELS},
    {.label = "few signs",
     .layer = "dense",
     .options = "out=131",
     .N = 300,
     .T = 4,
     .B = 3,
     .input = SIGNS,
     .level = 0.05},
    {.label = "positive, no pixels",
     .layer = "dense",
     .options = "out=131 bias=false weights=binary",
     .N = 300,
     .T = 4,
     .B = 3,
     .input = STATIC_REALS,
     .level = 1},
    {.label = "no pixels",
     .layer = "dense",
     .options = "out=131 bias=false weights=binary",
     .N = 300,
     .T = 4,
     .B = 3,
     .input = STATIC_REALS},
};

static void test_dense_paths(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(2);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        for (int gradient = 0; gradient < 2; gradient++) {
            rig_case plain = paths[i];
            const bool fixed = plain.input == PIXELS || plain.input == STATIC_REALS ||
                               plain.input == STATIC_SPIKES || plain.input == STATIC_SIGNS;
            plain.input = fixed ? STATIC_REALS : REALS;
            rig fast, slow;
            make(&fast, ctx, &paths[i], false, gradient, 0);
            make(&slow, ctx, &plain, true, gradient, 0); /* in training pixels stay floats */
            as_reals(&slow, &fast.in[0]);
            rig_forward(&fast), rig_forward(&slow);
            rig_same(paths[i].label, &fast.work.out, 0, &slow.work.out);
            if (gradient) {
                rig_backward(&fast), rig_backward(&slow);
                same_results(paths[i].label, &fast, 0, &slow, true);
            }
            rig_free(&fast), rig_free(&slow);
        }
    rheo_context_free(ctx);
}

/* Adding to what stands there: out = (there + bias) + products, in that order. */
static void test_accumulate(void **state)
{
    static const rig_case adders[] = {
        {.label = "product", .layer = "dense", .options = "out=5", .N = 9, .T = 3, .B = 2},
        {.label = "gather",
         .layer = "dense",
         .options = "out=5",
         .N = 90,
         .T = 3,
         .B = 2,
         .input = SPIKES,
         .level = 0.1},
        {.label = "packed",
         .layer = "dense",
         .options = "out=5 bias=false weights=binary",
         .N = 9,
         .T = 3,
         .B = 2,
         .input = SIGNS,
         .level = 0.5},
        {.label = "one-to-one",
         .layer = "one-to-one",
         .options = "weight=3",
         .N = 5,
         .T = 3,
         .B = 2},
        {.label = "lateral",
         .layer = "lateral",
         .options = "weight=3",
         .N = 5,
         .T = 3,
         .B = 2,
         .input = SPIKES,
         .level = 0.2},
    };
    (void)state;
    rheo_context *ctx = check_context(1);
    for (size_t i = 0; i < sizeof adders / sizeof adders[0]; i++) {
        rig fresh, added;
        rig_make(&fresh, ctx, &adders[i], 0);
        rig_make(&added, ctx, &adders[i], 0);
        rig_fill(&added.work.out, REALS, 0, (uint32_t[]){600, 601});
        double *before = rig_doubles(&added.work.out);
        added.work.accumulate = true;
        rig_forward(&fresh), rig_forward(&added);
        double *a = rig_doubles(&added.work.out), *f = rig_doubles(&fresh.work.out);
        for (uint32_t j = 0; j < 3 * 2 * 5; j++) CHECK_NEAR(a[j], before[j] + f[j], 1e-5);
        free(before), free(a), free(f);
        rig_free(&fresh), rig_free(&added);
    }
    rheo_context_free(ctx);
}

static void test_initial_weights(void **state)
{
    static const struct {
        const char *options;
        double low, high, sd;
        bool bias;
    } kinds[] = {
        /* U(-b, b): standard deviation b / sqrt(3) */
        {"out=200", -0.05, 0.05, 0.0288675, true},                  /* 1/sqrt(400) */
        {"out=200 initialise=glorot", -0.1, 0.1, 0.0577350, false}, /* sqrt(6/600) */
        {"out=200 initialise=he", -0.5, 0.5, 0.0707107, false},     /* sqrt(2/400) */
    };
    (void)state;
    rheo_context *ctx = check_context(1);
    for (size_t i = 0; i < 3; i++) {
        rig r;
        rig_make(&r, ctx,
                 &(rig_case){.label = "w",
                             .layer = "dense",
                             .options = kinds[i].options,
                             .N = 400,
                             .T = 1,
                             .B = 1},
                 0);
        const uint32_t n = 200 * 400;
        double sum = 0, squares = 0, bias = 0;
        for (uint32_t j = 0; j < n; j++) {
            const double w = (double)r.param[0].value[j];
            assert_true(w >= kinds[i].low && w <= kinds[i].high);
            sum += w;
            squares += w * w;
        }
        for (uint32_t j = 0; j < 200; j++) bias += fabs((double)r.param[1].value[j]);
        /* standard errors: sd/sqrt(n) of the mean, at most sd/sqrt(2n) of the deviation; 5 of each
         */
        CHECK_NEAR(sum / n, 0, 5 * kinds[i].sd / sqrt(n));
        CHECK_NEAR(sqrt(squares / n), kinds[i].sd, 5 * kinds[i].sd / sqrt(2.0 * n));
        assert_true(kinds[i].bias ? bias > 1 : !(bias > 0));
        rig_free(&r);
    }
    rheo_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bf16),
        cmocka_unit_test(test_few_outputs_stay_float32),
        cmocka_unit_test(test_dense_paths),
        cmocka_unit_test(test_accumulate),
        cmocka_unit_test(test_initial_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
