/* test_layers_torch.c: convolution, its transpose, pooling, moved values and made weights against
 * what PyTorch computed (oracles/layers_maps.py): outputs and all gradients, to 1e-5 of each
 * array's largest number. */
#include "layer_rig.h"
#include "array/npy.h"

static const struct {
    const char *name, *layer, *options;
    rheo_shape shape;
    bool spikes;
} rows[] = {
    {"plane", "conv", "out=3 kernel=3", {{2, 5, 4, 1}}, false},
    {"tutorial", "conv", "out=5 kernel=5", {{1, 7, 6, 1}}, false},
    {"same", "conv", "out=2 kernel=3 padding=same", {{2, 4, 3, 1}}, false},
    {"same, even", "conv", "out=2 kernel=4 padding=same", {{1, 4, 5, 1}}, false},
    {"stride", "conv", "out=3 kernel=3 stride=2 padding=1", {{2, 7, 6, 1}}, false},
    {"dilation", "conv", "out=2 dilation=2 padding=2 bias=false", {{1, 6, 7, 1}}, false},
    {"axes",
     "conv",
     "out=2 kernel_h=2 kernel_w=3 stride_w=2 padding_w=2 dilation_h=2",
     {{2, 4, 7, 1}},
     false},
    {"groups", "conv", "out=4 groups=2 padding=1", {{4, 4, 3, 1}}, false},
    {"each channel", "conv", "out=6 groups=3", {{3, 5, 5, 1}}, false},
    {"line", "conv", "out=4 kernel=4 stride=3 padding=2", {{3, 13, 1, 1}}, false},
    {"volume", "conv", "out=2 kernel=2 stride_d=2 padding=1", {{2, 3, 2, 3}}, false},
    {"spikes", "conv", "out=5 padding=1", {{3, 5, 6, 1}}, true},
    {"turned", "conv-transpose", "out=3", {{4, 4, 5, 1}}, false},
    {"turned stride",
     "conv-transpose",
     "out=2 stride=2 padding=1 output_padding=1",
     {{4, 3, 4, 1}},
     false},
    {"turned groups",
     "conv-transpose",
     "out=6 kernel=2 groups=2 dilation=2",
     {{4, 3, 4, 1}},
     false},
    {"turned line", "conv-transpose", "out=3 kernel=5 stride=3 padding=1", {{2, 7, 1, 1}}, false},
    {"turned volume", "conv-transpose", "out=2 kernel=2 stride=2", {{2, 2, 3, 3}}, false},
    {"turned spikes", "conv-transpose", "out=2 stride=2", {{3, 4, 4, 1}}, true},
    {"max", "pool", "", {{2, 6, 5, 1}}, false},
    {"max, padded", "pool", "size=3 stride=2 padding=1", {{2, 6, 5, 1}}, false},
    {"max of spikes", "pool", "ties=first", {{3, 6, 6, 1}}, true},
    {"max of a line", "pool", "size=3 stride=2", {{2, 9, 1, 1}}, false},
    {"max of a volume", "pool", "", {{1, 4, 4, 4}}, false},
    {"average", "pool", "kind=average size=3 stride=2 padding=1", {{2, 6, 5, 1}}, false},
    {"average of places",
     "pool",
     "kind=average size=3 stride=2 padding=1 count_padding=false",
     {{2, 6, 5, 1}},
     false},
    {"average of spikes", "pool", "kind=average", {{3, 6, 6, 1}}, true},
    {"sum", "pool", "kind=sum size_h=2 size_w=3 stride=1", {{2, 4, 5, 1}}, false},
    {"adaptive average", "pool", "kind=average out=3 out_w=2", {{2, 7, 5, 1}}, false},
    {"adaptive max", "pool", "out=3", {{2, 7, 5, 1}}, false},
    {"global", "pool", "kind=average out=1", {{3, 4, 5, 1}}, false},
    {"flatten", "flatten", "", {{2, 3, 4, 1}}, false},
    {"crop", "crop", "before_h=2 before_w=1 after_w=2", {{2, 5, 6, 1}}, false},
    {"nearest", "upsample", "scale=2 scale_w=3", {{2, 3, 4, 1}}, false},
    {"linear", "upsample", "kind=linear", {{2, 5, 1, 1}}, false},
    {"bilinear", "upsample", "kind=linear scale_h=2 scale_w=3", {{2, 3, 4, 1}}, false},
    {"trilinear", "upsample", "kind=linear", {{1, 2, 3, 2}}, false},
    {"conv binary", "conv", "out=4 weights=binary", {{2, 3, 4, 1}}, false},
    {"conv xnor", "conv", "out=4 weights=binary scaled=true", {{2, 3, 4, 1}}, false},
    {"conv ternary", "conv", "out=4 weights=ternary", {{2, 3, 4, 1}}, false},
    {"conv four bits", "conv", "out=4 weights=quantised bits=4", {{2, 3, 4, 1}}, false},
    {"conv normed", "conv", "out=4 weights=normed", {{2, 3, 4, 1}}, false},
    {"conv standardised", "conv", "out=4 weights=standardised", {{2, 3, 4, 1}}, false},
    {"conv dale", "conv", "out=4 weights=dale", {{2, 3, 4, 1}}, false},
    {"conv mask", "conv", "out=4 weights=sparse", {{2, 3, 4, 1}}, false},
    {"dense binary", "dense", "out=5 weights=binary", {{7, 1, 1, 1}}, false},
    {"dense xnor", "dense", "out=5 weights=binary scaled=true", {{7, 1, 1, 1}}, false},
    {"dense ternary", "dense", "out=5 weights=ternary", {{7, 1, 1, 1}}, false},
    {"dense four bits", "dense", "out=5 weights=quantised bits=4", {{7, 1, 1, 1}}, false},
    {"dense normed", "dense", "out=5 weights=normed", {{7, 1, 1, 1}}, false},
    {"dense standardised", "dense", "out=5 weights=standardised", {{7, 1, 1, 1}}, false},
    {"dense dale", "dense", "out=5 weights=dale", {{7, 1, 1, 1}}, false},
    {"dense mask", "dense", "out=5 weights=sparse", {{7, 1, 1, 1}}, false},
};
#define ROWS (sizeof rows / sizeof rows[0])

typedef struct recorded {
    rheo_array *array;
    uint32_t count;
    size_t used;
} recorded;

static const float *find(recorded *of, const char *name, const char *what, size_t size)
{
    char key[64];
    snprintf(key, sizeof key, "%s.%s", name, what);
    for (uint32_t i = 0; i < of->count; i++)
        if (!strcmp(of->array[i].name, key)) {
            if (of->array[i].count != size)
                fail_msg("%s: %zu numbers here, %zu recorded", key, size,
                         (size_t)of->array[i].count);
            of->used++;
            return of->array[i].data;
        }
    return NULL;
}

static const float *have(recorded *of, const char *name, const char *what, size_t size)
{
    const float *x = find(of, name, what, size);
    if (!x) fail_msg("%s.%s is not recorded", name, what);
    return x;
}

static void put(rheo_signal *s, const float *x)
{
    for (uint32_t t = 0; t < s->T; t++)
        for (uint32_t b = 0; b < s->B; b++)
            for (uint32_t n = 0; n < s->N; n++) {
                const float v = x[((size_t)t * s->B + b) * s->N + n];
                const uint64_t bit = UINT64_C(1) << n % 64;
                if (s->form == RHEO_REAL)
                    rheo__real_row(s, t, b)[n] = v;
                else if (v > 0)
                    rheo__bits_row(s, t, b)[n / 64] |= bit;
                else
                    rheo__bits_row(s, t, b)[n / 64] &= ~bit;
            }
}

/* Sums of at most 400 terms round by 400 * 2^-24 = 2e-5 of their largest at worst, by its root in
 * practice. */
static double apart(const char *name, const char *what, const double *a, const float *b, size_t n)
{
    double largest = 1e-30, worst = 0;
    for (size_t i = 0; i < n; i++) largest = fmax(largest, fabs((double)b[i]));
    for (size_t i = 0; i < n; i++) worst = fmax(worst, fabs(a[i] - (double)b[i]) / largest);
    if (!(worst <= 1e-5)) fail_msg("%s: %s is %.3g of its largest apart", name, what, worst);
    return worst;
}

static double apart_signal(const char *name, const char *what, const rheo_signal *s, recorded *of)
{
    const size_t n = (size_t)s->T * s->B * s->N;
    double *x = rig_doubles(s);
    const double worst = apart(name, what, x, have(of, name, what, n), n);
    free(x);
    return worst;
}

static double compare(rheo_context *ctx, size_t i, recorded *of)
{
    rig r;
    const char *name = rows[i].name;
    const rig_case c = {.label = name,
                        .layer = rows[i].layer,
                        .options = rows[i].options,
                        .T = 2,
                        .B = 2,
                        .input = rows[i].spikes ? SPIKES : REALS,
                        .train = true,
                        .gradient = true,
                        .shape = rows[i].shape};
    double worst = 0;
    rig_make(&r, ctx, &c, 0);
    put(&r.in[0], have(of, name, "x", (size_t)4 * r.in[0].N));
    put(&r.gout, have(of, name, "g", (size_t)4 * r.gout.N));
    for (uint32_t p = 0; p < r.node.params; p++) {
        const size_t n = (size_t)r.param[p].rows * r.param[p].cols;
        const char what[3] = {'p', (char)('0' + p), 0};
        memcpy(r.param[p].value, have(of, name, what, n), n * sizeof(float));
    }
    if (r.node.layer->refresh) r.node.layer->refresh(&r.work);
    rig_forward(&r);
    rig_backward(&r);
    worst = fmax(worst, apart_signal(name, "y", &r.work.out, of));
    worst = fmax(worst, apart_signal(name, "gx", &r.work.gin[0], of));
    for (uint32_t p = 0; p < r.node.params; p++) {
        const size_t n = (size_t)r.param[p].rows * r.param[p].cols;
        const char what[4] = {'g', 'p', (char)('0' + p), 0};
        if (!r.work.grad[p]) continue;
        const float *want = have(of, name, what, n);
        double *g = malloc(n * sizeof *g);
        assert_non_null(g);
        for (size_t k = 0; k < n; k++) g[k] = (double)r.work.grad[p][k];
        worst = fmax(worst, apart(name, what, g, want, n));
        free(g);
    }
    rig_free(&r);
    return worst;
}

static void test_torch(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(2);
    recorded of = {0};
    double worst = 0;
    CHECK_OK(ctx,
             rheo__npz_read(ctx, "tests/oracles/layers_maps.npz", 1 << 22, &of.array, &of.count));
    for (size_t i = 0; i < ROWS; i++) worst = fmax(worst, compare(ctx, i, &of));
    assert_int_equal(of.used, of.count); /* nothing recorded is left out */
    print_message("largest difference: %.2e\n", worst);
    rheo__npz_free(ctx, of.array, of.count);
    rheo_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_torch)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
