/* test_layers_more.c: layers with several inputs, parameters for each step, or a past: the same
 * bits on all threads, batches, spans and streams; float against the double reference, and that
 * against central differences; both against what PyTorch and snnTorch recorded
 * (oracles/layers_more.py). */
#include "layer_more_cases.h"
#include "layer_twin.h"
#include "array/npy.h"

static bool is_norm(const rig_case *c)
{
    return strcmp(c->layer, "norm") == 0;
}

/* Parameters of a norm that differ from their first values. */
static void make(rig *r, rheo_context *ctx, const rig_case *c, bool train, uint32_t first)
{
    rig_case now = *c;
    now.train = train;
    now.gradient = true;
    rig_make(r, ctx, &now, first);
    for (uint32_t p = 0; is_norm(c) && p < r->node.params; p++)
        rig_uniform(40 + p, 0.5f, 2, r->param[p].value,
                    (size_t)r->param[p].rows * r->param[p].cols);
    if (r->node.layer->refresh) r->node.layer->refresh(&r->work);
}

static void run(rig *r)
{
    rig_forward(r);
    rig_backward(r);
}

static void same(const char *label, const rig *a, uint32_t row, const rig *b, bool grads)
{
    rig_same(label, &a->work.out, row, &b->work.out);
    if (b->work.readout.real) rig_same(label, &a->work.readout, row, &b->work.readout);
    for (uint32_t p = 0; p < b->node.inputs; p++)
        rig_same(label, &a->work.gin[p], row, &b->work.gin[p]);
    for (uint32_t p = 0; p < b->node.params && grads; p++)
        if (b->work.grad[p] &&
            memcmp(a->work.grad[p], b->work.grad[p],
                   (size_t)b->param[p].rows * b->param[p].cols * sizeof(float)) != 0)
            fail_msg("%s: the gradient of %s differs", label, b->param[p].name);
}

static void test_threads(void **state)
{
    (void)state;
    rheo_context *one = check_context(1);
    for (uint32_t threads = 2; threads < 9; threads += 3) {
        rheo_context *many = check_context(threads);
        for (size_t i = 0; i < CASES; i++) {
            rig a, b;
            make(&a, one, &cases[i], true, 0);
            make(&b, many, &cases[i], true, 0);
            const uint64_t calls = rheo_memory_used(many).calls;
            run(&a), run(&b);
            assert_int_equal(rheo_memory_used(many).calls, calls); /* nothing is allocated */
            same(cases[i].label, &a, 0, &b, true);
            rig_free(&a), rig_free(&b);
        }
        rheo_context_free(many);
    }
    rheo_context_free(one);
}

/* A sample alone gives the bits it gives in a batch; only batch statistics may not. A batch smaller
 * than the memory gives those of its own. */
static void test_batches(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(2);
    for (size_t i = 0; i < CASES; i++) {
        rig all, alone, part;
        make(&all, ctx, &cases[i], !is_norm(&cases[i]), 0);
        run(&all);
        rig_case c = cases[i];
        c.B = 1;
        for (uint32_t b = 0; b < cases[i].B; b++) {
            make(&alone, ctx, &c, !is_norm(&c), b);
            run(&alone);
            same(c.label, &all, b, &alone, false);
            rig_free(&alone);
        }
        rig_free(&all);
        c.B = cases[i].B - 1;
        make(&part, ctx, &cases[i], true, 0);
        make(&alone, ctx, &c, true, 0);
        part.work.B--;
        if (part.node.layer->reset) part.node.layer->reset(&part.work);
        run(&part), run(&alone);
        same(c.label, &part, 0, &alone, true);
        rig_free(&part), rig_free(&alone);
    }
    rheo_context_free(ctx);
}

/* ---- spans and streams ---- */

static void shift(rheo_signal *s, uint32_t t)
{
    s->T = 1;
    if (s->form == RHEO_BITS)
        s->bits += t * s->stride_t;
    else
        s->real += t * s->stride_t;
}

/* Windows of one step, one after another, in the state that the one before left. */
static void stream(rig *r)
{
    for (uint32_t t = 0; t < r->what.T; t++) {
        rheo_work now = r->work;
        rheo_signal in[RHEO_PORTS];
        now.T = 1;
        now.step0 = t;
        now.gradient = false;
        for (uint32_t p = 0; p < r->node.inputs; p++) {
            in[p] = *r->work.in[p];
            shift(&in[p], t);
            now.in[p] = &in[p];
        }
        shift(&now.out, t);
        if (now.readout.real) shift(&now.readout, t);
        if (t == 0 || now.out.stride_t) r->node.layer->forward(&now, 0, 1);
    }
}

static void test_spans(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(2);
    for (size_t i = 0; i < CASES; i++) {
        const rig_case *c = &cases[i];
        rig window, spans, streamed;
        make(&window, ctx, c, !is_norm(c), 0);
        make(&spans, ctx, c, !is_norm(c), 0);
        run(&window);
        if (!window.node.layer->whole || is_norm(c)) {
            rig_case plain = *c;
            plain.train = !is_norm(c);
            rig_make(&streamed, ctx, &plain, 0);
            for (uint32_t p = 0; p < streamed.node.params; p++)
                memcpy(streamed.param[p].value, window.param[p].value,
                       (size_t)window.param[p].rows * window.param[p].cols * sizeof(float));
            if (streamed.node.layer->refresh) streamed.node.layer->refresh(&streamed.work);
            stream(&streamed);
            rig_same(c->label, &window.work.out, 0, &streamed.work.out);
            if (window.work.readout.real)
                rig_same(c->label, &window.work.readout, 0, &streamed.work.readout);
            rig_free(&streamed);
        }
        if (!window.node.layer->whole && window.work.out.stride_t) {
            for (uint32_t t = 0; t < c->T; t++) spans.node.layer->forward(&spans.work, t, t + 1);
            for (uint32_t t = c->T; t-- > 0;) spans.node.layer->backward(&spans.work, t, t + 1);
            for (uint32_t t1 = c->T, t0; t1 > 0; t1 = t0) {
                t0 = (t1 - 1) / RHEO_CHUNK * RHEO_CHUNK;
                if (spans.node.layer->gradient) spans.node.layer->gradient(&spans.work, t0, t1);
            }
            same(c->label, &window, 0, &spans, true);
        }
        rig_free(&window), rig_free(&spans);
    }
    rheo_context_free(ctx);
}

/* ---- reference ---- */

/* Each rounding errs by 2^-24 of a partial sum, and partial sums stay within some times the largest
 * result; measured 2e-6 at worst (a steep surrogate at one of few neurons). */
#define REFERENCE_LIMIT 1e-5

static void compare(rheo_context *ctx, const rig_case *c, bool train)
{
    rig r;
    twin w;
    make(&r, ctx, c, train, 0);
    twin_make(&w, &r, false);
    run(&r);
    r.node.layer->reference_forward(&w.work);
    r.node.layer->reference_backward(&w.work);
    double *out = rig_doubles(&r.work.out), worst = twin_distance(out, w.work.out, w.out_size);
    free(out);
    if (!(worst <= REFERENCE_LIMIT)) fail_msg("%s: out is %.3g off", c->label, worst);
    if (r.work.readout.real) {
        double *v = rig_doubles(&r.work.readout);
        worst = twin_distance(v, w.work.readout, w.out_size);
        free(v);
        if (!(worst <= REFERENCE_LIMIT)) fail_msg("%s: readout is %.3g off", c->label, worst);
    }
    for (uint32_t p = 0; p < r.node.inputs; p++) {
        if (r.in[p].stride_t == 0) twin_fold(w.gin[p], r.work.T, w.in_size[p] / r.work.T);
        double *gin = rig_doubles(&r.work.gin[p]);
        worst = twin_distance(gin, w.gin[p], w.in_size[p]);
        free(gin);
        if (!(worst <= REFERENCE_LIMIT)) fail_msg("%s: gin[%u] is %.3g off", c->label, p, worst);
    }
    for (uint32_t p = 0; p < r.node.params; p++) {
        if (!r.work.grad[p]) continue;
        worst = twin_floats(r.work.grad[p], w.grad[p], (size_t)r.param[p].rows * r.param[p].cols);
        if (!(worst <= REFERENCE_LIMIT))
            fail_msg("%s: gradient of %s is %.3g off", c->label, r.param[p].name, worst);
    }
    twin_free(&w);
    rig_free(&r);
}

static void test_reference(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(2);
    for (size_t i = 0; i < CASES; i++) {
        compare(ctx, &cases[i], true);
        compare(ctx, &cases[i], false);
    }
    rheo_context_free(ctx);
}

static void test_differences(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    for (size_t i = 0; i < CASES; i++) {
        const rig_case *c = &cases[i];
        const bool ruled = strstr(c->options ? c->options : "", "reset=") != NULL; /* detached */
        const bool rounded = strstr(c->options ? c->options : "", "round=") != NULL;
        const bool ranks = !strcmp(c->layer, "k-winners") || strstr(c->label, "maxima");
        if (ruled || rounded || (ranks && c->input >= SPIKES) || c->T > 60) continue; /* ties */
        for (int train = 0; train < 2; train++) {
            rig r;
            twin w;
            make(&r, ctx, c, train, 0);
            twin_make(&w, &r, true);
            twin_objective(&w);
            r.node.layer->reference_backward(&w.work);
            for (uint32_t p = 0; p < r.node.inputs; p++)
                twin_differences(c->label, "x", &w, w.in[p], w.gin[p], w.in_size[p]);
            for (uint32_t p = 0; p < r.node.params; p++)
                if (w.grad[p])
                    twin_differences(c->label, r.param[p].name, &w, w.param[p], w.grad[p],
                                     (size_t)r.param[p].rows * r.param[p].cols);
            twin_free(&w);
            rig_free(&r);
        }
    }
    rheo_context_free(ctx);
}

/* ---- recorded arrays ---- */

static rheo_array *arrays;
static uint32_t array_count;

static const float *recorded(const char *name, const char *what, size_t n)
{
    char path[96];
    snprintf(path, sizeof path, "%s.%s", name, what);
    for (uint32_t i = 0; i < array_count; i++)
        if (!strcmp(arrays[i].name, path)) {
            if (arrays[i].count != n)
                fail_msg("%s has %zu numbers, expected %zu", path, (size_t)arrays[i].count, n);
            return arrays[i].data;
        }
    return NULL;
}

static void put(rheo_signal *s, const float *x)
{
    for (uint32_t t = 0; t < s->T; t++)
        for (uint32_t b = 0; b < s->B; b++)
            for (uint32_t j = 0; j < s->N; j++, x++)
                if (s->form == RHEO_REAL)
                    rheo__real_row(s, t, b)[j] = *x;
                else
                    rheo__bits_row(s, t, b)[j / 64] =
                        (rheo__bits_row(s, t, b)[j / 64] & ~(UINT64_C(1) << j % 64)) |
                        (uint64_t)(*x > 0) << j % 64;
}

static void near(const char *name, const char *what, const float *want, const float *got, size_t n)
{
    if (!want) fail_msg("layers_more.npz has no %s.%s", name, what);
    double *there = twin_zeros(n);
    for (size_t i = 0; i < n; i++) there[i] = (double)want[i];
    const double worst = twin_floats(got, there, n);
    free(there);
    if (!(worst <= 1e-5)) fail_msg("%s: %s is %.3g off", name, what, worst);
}

static void near_signal(const char *name, const char *what, const rheo_signal *s)
{
    const size_t n = (size_t)s->T * s->B * s->N;
    double *x = rig_doubles(s);
    float *got = calloc(n, sizeof *got);
    assert_non_null(got);
    for (size_t i = 0; i < n; i++) got[i] = (float)x[i];
    near(name, what, recorded(name, what, n), got, n);
    free(x), free(got);
}

#define IMAGE .shape = {{5, 2, 3, 1}}, .T = 4, .B = 3
static const rig_case recordings[] = {
    {.label = "norm.flat", .layer = "norm", .N = 5, .T = 4, .B = 3, .train = true},
    {.label = "norm.image", .layer = "norm", IMAGE, .train = true},
    {.label = "norm.step", .layer = "norm", .options = "over=step", IMAGE, .train = true},
    {.label = "norm.eval", .layer = "norm", IMAGE},
    {.label = "norm.tdbn",
     .layer = "norm",
     .options = "kind=tdbn alpha=0.7 theta=0.5",
     IMAGE,
     .train = true},
    {.label = "norm.bntt", .layer = "norm", .options = "kind=bntt steps=4", IMAGE, .train = true},
    {.label = "norm.tebn", .layer = "norm", .options = "kind=tebn steps=4", IMAGE, .train = true},
    {.label = "sum.add", .layer = "sum", .N = 7, .T = 4, .B = 3, .ports = 3},
    {.label = "sum.and", .layer = "sum", .options = "kind=and", .N = 7, .T = 4, .B = 3, .ports = 2},
    {.label = "sum.iand",
     .layer = "sum",
     .options = "kind=iand",
     .N = 7,
     .T = 4,
     .B = 3,
     .ports = 2},
    {.label = "concat",
     .layer = "concat",
     .shape = {{2, 3, 2, 1}},
     .T = 4,
     .B = 3,
     .ports = 2,
     .port_shape = {{{0}}, {{3, 3, 2, 1}}}},
    {.label = "k-winners", .layer = "k-winners", .options = "k=3", .N = 9, .T = 4, .B = 3},
    {.label = "delay", .layer = "delay", .options = "max=4", .N = 6, .T = 9, .B = 3},
    {.label = "delay.channel",
     .layer = "delay",
     .options = "max=4 per=channel",
     .shape = {{3, 2, 2, 1}},
     .T = 9,
     .B = 3},
    {.label = "dense-delay",
     .layer = "dense-delay",
     .options = "out=4 max=4",
     .N = 6,
     .T = 9,
     .B = 3,
     .input = SPIKES},
    {.label = "temporal",
     .layer = "temporal-attention",
     .options = "steps=6 reduction=3",
     .shape = {{2, 3, 2, 1}},
     .T = 6,
     .B = 3},
    {.label = "temporal.max",
     .layer = "temporal-attention",
     .options = "steps=6 reduction=3 statistics=mean-max",
     .shape = {{2, 3, 2, 1}},
     .T = 6,
     .B = 3},
    {.label = "attention",
     .layer = "spiking-self-attention",
     .options = "heads=2",
     .shape = {{6, 2, 3, 1}},
     .T = 2,
     .B = 3,
     .ports = 3,
     .input = SPIKES,
     .port_input = {0, SPIKES, SPIKES}},
    {.label = "attention.real",
     .layer = "spiking-self-attention",
     .options = "heads=2",
     .shape = {{6, 2, 3, 1}},
     .T = 2,
     .B = 3,
     .ports = 3},
    {.label = "psn.full",
     .layer = "parallel-spiking",
     .options = "steps=6",
     .N = 5,
     .T = 6,
     .B = 3,
     .readout = true},
    {.label = "psn.spikes",
     .layer = "parallel-spiking",
     .options = "steps=6",
     .N = 70,
     .T = 6,
     .B = 3,
     .input = SPIKES,
     .readout = true},
    {.label = "psn.masked",
     .layer = "parallel-spiking",
     .options = "steps=6 kind=masked order=3 lambda=0.75",
     .N = 5,
     .T = 6,
     .B = 3,
     .readout = true},
    {.label = "psn.sliding",
     .layer = "parallel-spiking",
     .options = "kind=sliding order=3",
     .N = 5,
     .T = 6,
     .B = 3,
     .readout = true},
    {.label = "lstm.none",
     .layer = "spiking-lstm",
     .options = "out=4 threshold=0.1",
     .N = 4,
     .T = 7,
     .B = 3,
     .readout = true},
    {.label = "lstm.subtract",
     .layer = "spiking-lstm",
     .options = "out=4 threshold=0.1 reset=subtract",
     .N = 4,
     .T = 7,
     .B = 3,
     .readout = true},
    {.label = "lstm.zero",
     .layer = "spiking-lstm",
     .options = "out=4 threshold=0.1 reset=zero",
     .N = 4,
     .T = 7,
     .B = 3,
     .readout = true},
    {.label = "lstm.wide",
     .layer = "spiking-lstm",
     .options = "out=3 threshold=0.05 reset=zero",
     .N = 5,
     .T = 7,
     .B = 3,
     .input = SPIKES,
     .readout = true},
};

static void replay(rheo_context *ctx, const rig_case *c)
{
    rig r;
    char what[16];
    rig_case now = *c;
    now.gradient = true;
    rig_make(&r, ctx, &now, 0);
    for (uint32_t p = 0; p < r.node.params; p++) {
        const size_t n = (size_t)r.param[p].rows * r.param[p].cols;
        snprintf(what, sizeof what, "p%u", p);
        const float *from = recorded(c->label, what, n);
        if (!from) fail_msg("layers_more.npz has no %s.%s", c->label, what);
        memcpy(r.param[p].value, from, n * sizeof *from);
    }
    for (uint32_t p = 0; p < r.node.inputs; p++) {
        snprintf(what, sizeof what, "x%u", p);
        put(&r.in[p], recorded(c->label, what, (size_t)c->T * c->B * r.in[p].N));
    }
    put(&r.gout, recorded(c->label, "g", (size_t)c->T * c->B * r.gout.N));
    if (c->readout) put(&r.greadout, recorded(c->label, "gv", (size_t)c->T * c->B * r.gout.N));
    if (r.node.layer->refresh) r.node.layer->refresh(&r.work);
    run(&r);
    near_signal(c->label, "y", &r.work.out); /* spikes: each of them, or they are 1 off */
    if (c->readout) near_signal(c->label, "v", &r.work.readout);
    for (uint32_t p = 0; p < r.node.inputs; p++) {
        snprintf(what, sizeof what, "gx%u", p);
        near_signal(c->label, what, &r.work.gin[p]);
    }
    for (uint32_t p = 0; p < r.node.params; p++) {
        const size_t n = (size_t)r.param[p].rows * r.param[p].cols;
        snprintf(what, sizeof what, "gp%u", p);
        if (r.work.grad[p]) near(c->label, what, recorded(c->label, what, n), r.work.grad[p], n);
        snprintf(what, sizeof what, "q%u", p);
        const float *after = recorded(c->label, what, n);
        if (after) near(c->label, what, after, r.param[p].value, n);
    }
    rig_free(&r);
}

static void test_recorded(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(2);
    CHECK_OK(ctx,
             rheo__npz_read(ctx, "tests/oracles/layers_more.npz", 1 << 20, &arrays, &array_count));
    for (size_t i = 0; i < sizeof recordings / sizeof *recordings; i++) replay(ctx, &recordings[i]);
    rheo__npz_free(ctx, arrays, array_count);
    rheo_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recorded),    cmocka_unit_test(test_reference),
        cmocka_unit_test(test_differences), cmocka_unit_test(test_threads),
        cmocka_unit_test(test_batches),     cmocka_unit_test(test_spans),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
