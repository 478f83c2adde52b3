/* test_layers.c: every layer: float against its double reference, the reference against central
 * differences, the same bits on every path, thread count and batch, and closed forms. */
#include "layer_rig.h"

/* In all cases level 0 means reals in (-1, 1). dense: sizes around words and tiles. */
static const rig_case cases[] = {
    {.label = "dense real", .layer = "dense", .options = "out=67", .N = 130, .T = 3, .B = 4},
    {.label = "dense static",
     .layer = "dense",
     .options = "out=10",
     .N = 65,
     .T = 4,
     .B = 3,
     .input = STATIC_REALS},
    {.label = "dense static into sum",
     .layer = "dense",
     .options = "out=10",
     .N = 65,
     .T = 4,
     .B = 3,
     .input = STATIC_REALS,
     .dynamic_out = true},
    {.label = "dense sparse",
     .layer = "dense",
     .options = "out=33",
     .N = 200,
     .T = 5,
     .B = 3,
     .input = SPIKES,
     .level = 0.1},
    {.label = "dense busy",
     .layer = "dense",
     .options = "out=33 bias=false",
     .N = 200,
     .T = 5,
     .B = 3,
     .input = SPIKES,
     .level = 0.7},
    {.label = "dense static spikes",
     .layer = "dense",
     .options = "out=5",
     .N = 64,
     .T = 3,
     .B = 2,
     .input = STATIC_SPIKES,
     .level = 0.2},
    {.label = "dense signs",
     .layer = "dense",
     .options = "out=21",
     .N = 100,
     .T = 2,
     .B = 3,
     .input = SIGNS,
     .level = 0.5},
    {.label = "binary signs",
     .layer = "dense",
     .options = "out=21 bias=false weights=binary",
     .N = 100,
     .T = 2,
     .B = 3,
     .input = SIGNS,
     .level = 0.5},
    {.label = "binary spikes",
     .layer = "dense",
     .options = "out=21 weights=binary",
     .N = 100,
     .T = 2,
     .B = 3,
     .input = SPIKES,
     .level = 0.2},
    {.label = "binary pixels",
     .layer = "dense",
     .options = "out=21 bias=false weights=binary",
     .N = 100,
     .T = 2,
     .B = 3,
     .input = PIXELS},
    {.label = "one by one", .layer = "dense", .options = "out=1", .N = 1, .T = 1, .B = 1},
    {.label = "glorot",
     .layer = "dense",
     .options = "out=6 initialise=glorot",
     .N = 9,
     .T = 2,
     .B = 2},
    {.label = "he", .layer = "dense", .options = "out=6 initialise=he", .N = 9, .T = 2, .B = 2},
    {.label = "norm", .layer = "norm", .N = 70, .T = 3, .B = 5},
    {.label = "norm in use", .layer = "norm", .N = 70, .T = 3, .B = 5, .level = 2},
    {.label = "norm static",
     .layer = "norm",
     .options = "affine=false",
     .N = 7,
     .T = 3,
     .B = 6,
     .input = STATIC_REALS},
    {.label = "norm of spikes",
     .layer = "norm",
     .N = 70,
     .T = 6,
     .B = 4,
     .input = SPIKES,
     .level = 0.4},
    {.label = "dropout", .layer = "dropout", .options = "rate=0.3", .N = 67, .T = 3, .B = 4},
    {.label = "dropout static", .layer = "dropout", .N = 67, .T = 3, .B = 4, .input = STATIC_REALS},
    {.label = "dropout of spikes",
     .layer = "dropout",
     .N = 67,
     .T = 3,
     .B = 4,
     .input = SPIKES,
     .level = 0.4},
    {.label = "noise", .layer = "noise", .options = "sigma=0.2", .N = 67, .T = 3, .B = 4},
    {.label = "noise static",
     .layer = "noise",
     .options = "sigma=0.2",
     .N = 5,
     .T = 3,
     .B = 4,
     .input = STATIC_REALS},
    {.label = "one-to-one",
     .layer = "one-to-one",
     .options = "weight=10.4",
     .N = 67,
     .T = 3,
     .B = 4,
     .input = SPIKES,
     .level = 0.3},
    {.label = "one-to-one into sum",
     .layer = "one-to-one",
     .options = "weight=-2",
     .N = 7,
     .T = 3,
     .B = 4,
     .input = STATIC_REALS,
     .dynamic_out = true},
    {.label = "lateral",
     .layer = "lateral",
     .options = "weight=-17",
     .N = 67,
     .T = 3,
     .B = 4,
     .input = SPIKES,
     .level = 0.02},
    {.label = "lateral signs",
     .layer = "lateral",
     .N = 67,
     .T = 3,
     .B = 4,
     .input = SIGNS,
     .level = 0.4},
    {.label = "lateral reals", .layer = "lateral", .N = 9, .T = 3, .B = 2},
    {.label = "lateral into sum",
     .layer = "lateral",
     .N = 9,
     .T = 3,
     .B = 2,
     .input = STATIC_REALS,
     .dynamic_out = true},
    {.label = "lif",
     .layer = "neuron",
     .model = "lif",
     .model_options = "detach=false beta=0.8",
     .N = 70,
     .T = 12,
     .B = 3,
     .level = 0.3,
     .readout = true},
    {.label = "lif static",
     .layer = "neuron",
     .model = "lif",
     .model_options = "detach=false beta=0.8",
     .N = 70,
     .T = 12,
     .B = 3,
     .input = STATIC_REALS,
     .level = 0.3,
     .readout = true},
    {.label = "lif of spikes",
     .layer = "neuron",
     .model = "lif",
     .model_options = "detach=false beta=0.8",
     .N = 70,
     .T = 12,
     .B = 3,
     .input = SPIKES,
     .level = 0.4},
    {.label = "lif of static spikes",
     .layer = "neuron",
     .model = "lif",
     .model_options = "detach=false beta=0.8",
     .N = 7,
     .T = 12,
     .B = 3,
     .input = STATIC_SPIKES,
     .level = 0.4},
    {.label = "lif, reset detached",
     .layer = "neuron",
     .model = "lif",
     .model_options = "reset=zero when=same",
     .N = 70,
     .T = 12,
     .B = 3,
     .level = 0.3,
     .readout = true},
    {.label = "relu", .layer = "neuron", .model = "relu", .N = 70, .T = 2, .B = 3},
    {.label = "relu static",
     .layer = "neuron",
     .model = "relu",
     .N = 70,
     .T = 2,
     .B = 3,
     .input = STATIC_REALS},
    {.label = "relu static, shown",
     .layer = "neuron",
     .model = "relu",
     .N = 70,
     .T = 2,
     .B = 3,
     .input = STATIC_REALS,
     .readout = true},
    {.label = "sign static",
     .layer = "neuron",
     .model = "sign",
     .N = 70,
     .T = 2,
     .B = 3,
     .input = STATIC_REALS},
    {.label = "identity",
     .layer = "neuron",
     .model = "identity",
     .N = 5,
     .T = 2,
     .B = 3,
     .readout = true},
};
#define CASES (sizeof cases / sizeof cases[0])

/* Running statistics that differ from batch's, gamma and beta from 1 and 0. */
static void disturb(rig *r)
{
    if (strcmp(r->what.layer, "norm") != 0) return;
    for (uint32_t p = 0; p < 4; p++)
        rig_uniform(40 + p, p % 3 ? -1 : 0.5f, 2, r->param[p].value, r->param[p].cols);
    for (uint32_t j = 0; j < r->param[3].cols; j++) r->param[3].value[j] += 1.5f;
    r->node.layer->refresh(&r->work);
}

static void make(rig *r, rheo_context *ctx, const rig_case *c, bool train, bool gradient,
                 uint32_t first)
{
    rig_case now = *c;
    now.train = train;
    now.gradient = gradient;
    rig_make(r, ctx, &now, first);
    disturb(r);
}

/* ---- the double reference beside a rig ---- */

typedef struct twin {
    rheo_reference_work work;
    double *in, *gout, *greadout, *gin, *param[RHEO_NODE_PARAMS], *grad[RHEO_NODE_PARAMS];
    size_t in_size, out_size;
} twin;

static double *zeros(size_t n)
{
    double *x = calloc(n + 1, sizeof *x);
    assert_non_null(x);
    return x;
}

/* The reference wants moving gradients: a static signal's gradient belongs to step 0. */
static double *gradient_doubles(const rheo_signal *g)
{
    double *x = rig_doubles(g);
    const size_t row = (size_t)g->B * g->N;
    if (g->stride_t == 0) memset(x + row, 0, (g->T - 1) * row * sizeof *x);
    return x;
}

static void twin_make(twin *w, const rig *r, bool smooth)
{
    const rheo_work *work = &r->work;
    *w = (twin){.in_size = (size_t)work->T * work->B * r->what.N,
                .out_size = (size_t)work->T * work->B * work->out.N};
    w->work = (rheo_reference_work){.node = &r->node,
                                    .T = work->T,
                                    .B = work->B,
                                    .train = work->train,
                                    .smooth = smooth,
                                    .seed = work->seed,
                                    .sample = work->sample,
                                    .show = work->show};
    w->work.in[0] = w->in = rig_doubles(work->in[0]);
    w->work.out = zeros(w->out_size);
    if (work->readout.real) w->work.readout = zeros(w->out_size);
    if (r->node.layer->reference_need)
        w->work.keep = zeros(r->node.layer->reference_need(&r->node, work->T, work->B));
    for (uint32_t p = 0; p < r->node.params; p++) {
        const size_t size = (size_t)r->param[p].rows * r->param[p].cols;
        w->work.param[p] = w->param[p] = zeros(size);
        for (size_t i = 0; i < size; i++) w->param[p][i] = (double)r->param[p].value[i];
        w->work.grad[p] = w->grad[p] = r->param[p].trained ? zeros(size) : NULL;
    }
    if (!work->gradient) return;
    w->work.gin[0] = w->gin = zeros(w->in_size);
    w->work.gout = w->gout = gradient_doubles(work->gout);
    if (work->greadout) w->work.greadout = w->greadout = gradient_doubles(work->greadout);
}

static void twin_free(twin *w)
{
    for (uint32_t p = 0; p < RHEO_NODE_PARAMS; p++) free(w->param[p]), free(w->grad[p]);
    free(w->in), free(w->gout), free(w->greadout), free(w->gin);
    free(w->work.out), free(w->work.readout), free(w->work.keep);
}

/* Longest chain of roundings on the way to one number: inputs, outputs, or rows. */
static double chain(const rig *r)
{
    const double rows = r->what.T * r->what.B, out = r->work.out.N;
    return fmax(fmax(r->what.N, out), rows) + 4;
}

/* Each rounding errs by at most 2^-24 of a partial sum; partial sums stay within `slack` times the
 * largest result. */
static void near(const char *label, const char *what, const double *a, const double *b, size_t n,
                 double steps)
{
    const double slack = 8;
    double largest = 1e-30;
    for (size_t i = 0; i < n; i++) largest = fmax(largest, fabs(b[i]));
    for (size_t i = 0; i < n; i++)
        if (!(fabs(a[i] - b[i]) <= slack * steps * 0x1p-24 * largest))
            fail_msg("%s: %s[%zu] = %.9g, reference %.9g", label, what, i, a[i], b[i]);
}

static void near_floats(const char *label, const char *what, const float *a, const double *b,
                        size_t n, double steps)
{
    double *x = zeros(n);
    for (size_t i = 0; i < n; i++) x[i] = (double)a[i];
    near(label, what, x, b, n, steps);
    free(x);
}

/* Sums the reference's steps into the first, as a static gradient does. */
static void fold(double *x, uint32_t T, size_t row)
{
    for (size_t i = row; i < T * row; i++) x[i % row] += x[i];
    for (size_t i = row; i < T * row; i++) x[i] = x[i % row];
}

static void compare_case(rheo_context *ctx, const rig_case *c, bool train)
{
    rig r;
    twin w;
    make(&r, ctx, c, train, true, 0);
    twin_make(&w, &r, false);
    rig_forward(&r);
    r.node.layer->reference_forward(&w.work);
    double *out = rig_doubles(&r.work.out);
    near(c->label, "out", out, w.work.out, w.out_size, chain(&r));
    free(out);
    if (r.work.readout.real) {
        double *v = rig_doubles(&r.work.readout);
        near(c->label, "readout", v, w.work.readout, w.out_size, chain(&r));
        free(v);
    }
    r.node.layer->backward(&r.work);
    r.node.layer->reference_backward(&w.work);
    if (r.in[0].stride_t == 0) fold(w.gin, r.work.T, w.in_size / r.work.T);
    double *gin = rig_doubles(&r.work.gin[0]);
    near(c->label, "gin", gin, w.gin, w.in_size, chain(&r));
    free(gin);
    for (uint32_t p = 0; p < r.node.params; p++)
        if (r.work.grad[p])
            near_floats(c->label, r.param[p].name, r.work.grad[p], w.grad[p],
                        (size_t)r.param[p].rows * r.param[p].cols, chain(&r));
    twin_free(&w);
    rig_free(&r);
}

static void test_reference(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(2);
    for (size_t i = 0; i < CASES; i++) {
        compare_case(ctx, &cases[i], true);
        compare_case(ctx, &cases[i], false);
    }
    rheo_context_free(ctx);
}

/* ---- the reference against central differences ---- */

static double objective(twin *w)
{
    double sum = 0;
    w->work.node->layer->reference_forward(&w->work);
    for (size_t i = 0; i < w->out_size; i++) {
        sum += w->gout[i] * w->work.out[i];
        if (w->greadout) sum += w->greadout[i] * w->work.readout[i];
    }
    return sum;
}

/* Central differences err by h^2 f'''/6 and by rounding, 2^-52 |L| / h: h = 1e-5 leaves some 1e-9
 * of both for objectives of tens. Every 7th element is moved. */
static void differences(const char *label, const char *what, twin *w, double *x, const double *g,
                        size_t n)
{
    const double h = 1e-5;
    for (size_t i = 0; i<n; i += n> 50 ? 7 : 1) {
        const double at = x[i];
        x[i] = at + h;
        const double up = objective(w);
        x[i] = at - h;
        const double down = objective(w);
        x[i] = at;
        const double slope = (up - down) / (2 * h);
        if (!(fabs(slope - g[i]) <= 1e-6 * (1 + fabs(slope))))
            fail_msg("%s: d/d%s[%zu] = %.9g, differences give %.9g", label, what, i, g[i], slope);
    }
}

static void difference_case(rheo_context *ctx, const rig_case *c, bool train)
{
    rig r;
    twin w;
    make(&r, ctx, c, train, true, 0);
    /* what is passed by a rule is no derivative: binary weights, a detached reset. Noise and relu
     * have a kink at 0, sign's surrogate one at 1: inputs keep away from them. */
    const bool coded = strstr(c->options ? c->options : "", "binary") != NULL;
    const bool ruled = c->model && !strcmp(c->model, "lif") && !strstr(c->model_options, "detach");
    twin_make(&w, &r, true);
    for (size_t i = 0; i < w.in_size; i++)
        if (fabs(w.in[i]) < 1e-3 || fabs(fabs(w.in[i]) - 1) < 1e-3) w.in[i] = 0.01;
    objective(&w);
    r.node.layer->reference_backward(&w.work);
    if (!ruled) differences(c->label, "x", &w, w.in, w.gin, w.in_size);
    for (uint32_t p = 0; p < r.node.params && !coded; p++)
        if (w.grad[p])
            differences(c->label, r.param[p].name, &w, w.param[p], w.grad[p],
                        (size_t)r.param[p].rows * r.param[p].cols);
    twin_free(&w);
    rig_free(&r);
}

static void test_differences(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    for (size_t i = 0; i < CASES; i++) {
        if (cases[i].N > 100) continue; /* slow, and the same code */
        difference_case(ctx, &cases[i], true);
        difference_case(ctx, &cases[i], false);
    }
    rheo_context_free(ctx);
}

/* ---- the same bits ---- */

static void same_results(const char *label, const rig *a, uint32_t row, const rig *b, bool grads)
{
    rig_same(label, &a->work.out, row, &b->work.out);
    if (b->work.readout.real) rig_same(label, &a->work.readout, row, &b->work.readout);
    rig_same(label, &a->work.gin[0], row, &b->work.gin[0]);
    for (uint32_t p = 0; p < b->node.params && grads; p++)
        if (b->work.grad[p])
            assert_memory_equal(a->work.grad[p], b->work.grad[p],
                                (size_t)b->param[p].rows * b->param[p].cols * sizeof(float));
}

static void test_threads(void **state)
{
    static const uint32_t counts[] = {2, 3, 8};
    (void)state;
    rheo_context *one = check_context(1);
    for (size_t k = 0; k < 3; k++) {
        rheo_context *many = check_context(counts[k]);
        for (size_t i = 0; i < CASES; i++) {
            rig a, b;
            make(&a, one, &cases[i], true, true, 0);
            make(&b, many, &cases[i], true, true, 0);
            rig_forward(&a), a.node.layer->backward(&a.work);
            rig_forward(&b), b.node.layer->backward(&b.work);
            same_results(cases[i].label, &a, 0, &b, true);
            rig_free(&a), rig_free(&b);
        }
        rheo_context_free(many);
    }
    rheo_context_free(one);
}

/* A sample alone gives the bits it gives in a batch; only batch statistics may not. */
static void test_alone(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(2);
    for (size_t i = 0; i < CASES; i++) {
        const bool train = strcmp(cases[i].layer, "norm") != 0;
        rig all, alone;
        make(&all, ctx, &cases[i], train, true, 0);
        rig_forward(&all), all.node.layer->backward(&all.work);
        for (uint32_t b = 0; b < cases[i].B; b++) {
            rig_case c = cases[i];
            c.B = 1;
            make(&alone, ctx, &c, train, true, b);
            rig_forward(&alone), alone.node.layer->backward(&alone.work);
            same_results(c.label, &all, b, &alone, false);
            rig_free(&alone);
        }
        rig_free(&all);
    }
    rheo_context_free(ctx);
}

/* A batch that is smaller than the memory: rows of a step are followed by rows without meaning. */
static void test_part_of_batch(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(2);
    for (size_t i = 0; i < CASES; i++) {
        if (cases[i].B < 2) continue;
        rig_case c = cases[i];
        c.B--;
        rig part, whole;
        make(&part, ctx, &cases[i], true, true, 0);
        make(&whole, ctx, &c, true, true, 0);
        part.work.B--;
        if (part.node.layer->reset) part.node.layer->reset(&part.work);
        rig_forward(&part), part.node.layer->backward(&part.work);
        rig_forward(&whole), whole.node.layer->backward(&whole.work);
        same_results(c.label, &part, 0, &whole, true);
        rig_free(&part), rig_free(&whole);
    }
    rheo_context_free(ctx);
}

/* Step by step, with and without the window's memory, as in a cycle and in a stream. */
static void test_steps(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(2);
    for (size_t i = 0; i < CASES; i++) {
        const bool norm = strcmp(cases[i].layer, "norm") == 0;
        rig window, steps;
        make(&window, ctx, &cases[i], !norm, false, 0);
        make(&steps, ctx, &cases[i], !norm, false, 0);
        rig_forward(&window);
        for (uint32_t t = 0; t < cases[i].T; t++)
            if (t == 0 || steps.work.out.stride_t) steps.node.layer->forward(&steps.work, t, t + 1);
        rig_same(cases[i].label, &window.work.out, 0, &steps.work.out);
        rig_free(&window), rig_free(&steps);
    }
    rheo_context_free(ctx);
}

static void test_nothing_allocated(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(2);
    for (size_t i = 0; i < CASES; i++) {
        rig r;
        make(&r, ctx, &cases[i], true, true, 0);
        const uint64_t calls = rheo_memory_used(ctx).calls;
        rig_forward(&r), r.node.layer->backward(&r.work);
        assert_int_equal(rheo_memory_used(ctx).calls, calls);
        rig_free(&r);
    }
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

static void test_dense_paths(void **state)
{
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
                fast.node.layer->backward(&fast.work), slow.node.layer->backward(&slow.work);
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

/* ---- norm, dropout, noise ---- */

static void test_norm_closed_form(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    rig r;
    rig_make(&r, ctx,
             &(rig_case){.label = "norm", .layer = "norm", .N = 1, .T = 2, .B = 2, .train = true},
             0);
    const float x[4] = {1, 2, 3, 4}; /* mean 2.5, variance 1.25, unbiased 5/3 */
    for (uint32_t i = 0; i < 4; i++) rheo__real_row(&r.in[0], i / 2, i % 2)[0] = x[i];
    const uint64_t version = r.param[2].version;
    rig_forward(&r);
    for (uint32_t i = 0; i < 4; i++)
        CHECK_NEAR((double)rheo__real_row(&r.work.out, i / 2, i % 2)[0],
                   ((double)x[i] - 2.5) / sqrt(1.25 + 1e-5), 1e-6);
    CHECK_NEAR((double)r.param[2].value[0], 0.1 * 2.5, 1e-7);
    CHECK_NEAR((double)r.param[3].value[0], 0.9 + 0.1 * 5 / 3, 1e-6);
    assert_true(r.param[2].version > version);
    r.work.train = false; /* running values are used, and stay */
    r.node.layer->refresh(&r.work);
    rig_forward(&r);
    for (uint32_t i = 0; i < 4; i++)
        CHECK_NEAR((double)rheo__real_row(&r.work.out, i / 2, i % 2)[0],
                   ((double)x[i] - 0.25) / sqrt(0.9 + 0.5 / 3 + 1e-5), 1e-6);
    CHECK_NEAR((double)r.param[2].value[0], 0.25, 1e-7);
    rig_free(&r);
    rheo_context_free(ctx);
}

static void test_dropout_mask(void **state)
{
    enum { N = 4000, B = 5, T = 3 };
    (void)state;
    rheo_context *ctx = check_context(2);
    rig r;
    rig_make(&r, ctx,
             &(rig_case){.label = "d",
                         .layer = "dropout",
                         .options = "rate=0.2",
                         .N = N,
                         .T = T,
                         .B = B,
                         .level = 2,
                         .train = true},
             0);
    uint32_t dropped = 0, equal = 0, kept = 0;
    for (uint32_t show = 0; show < 2; show++) {
        r.work.show = show;
        rig_forward(&r);
        for (uint32_t b = 0; b < B; b++)
            for (uint32_t j = 0; j < N; j++) {
                bool zero[T];
                for (uint32_t t = 0; t < T; t++) {
                    const float y = rheo__real_row(&r.work.out, t, b)[j];
                    zero[t] = !(y > 0);
                    if (!zero[t])
                        CHECK_NEAR((double)y, 1.25 * (double)rheo__real_row(&r.in[0], t, b)[j],
                                   1e-6);
                    assert_int_equal(zero[t], zero[0]); /* one mask for the window */
                }
                dropped += zero[0];
                const bool first = !(rheo__real_row(&r.work.out, 0, 0)[j] > 0);
                if (b == 1) equal += first == zero[0], kept++;
            }
    }
    /* binomial: n = 40000, p 0.2; two samples agree with p 0.68: 5 deviations */
    CHECK_NEAR(dropped, 0.2 * 2 * B * N, 5 * sqrt(2 * B * N * 0.16));
    CHECK_NEAR(equal, 0.68 * kept, 5 * sqrt(kept * 0.68 * 0.32));
    rig_free(&r);
    /* otherwise the identity, in the input's own form */
    rig_make(&r, ctx,
             &(rig_case){.label = "d",
                         .layer = "dropout",
                         .N = 70,
                         .T = T,
                         .B = B,
                         .input = SIGNS,
                         .level = 0.5},
             0);
    assert_int_equal(r.work.out.form, RHEO_BITS);
    rig_forward(&r);
    rig_same("identity", &r.in[0], 0, &r.work.out);
    assert_true(r.work.out.lo < 0);
    rig_free(&r);
    rheo_context_free(ctx);
}

static void test_noise_statistics(void **state)
{
    enum { N = 4000, B = 5 };
    (void)state;
    rheo_context *ctx = check_context(2);
    rig r;
    rig_make(&r, ctx,
             &(rig_case){.label = "n",
                         .layer = "noise",
                         .options = "sigma=0.5",
                         .N = N,
                         .T = 1,
                         .B = B,
                         .train = true},
             0);
    rig_forward(&r);
    double sum = 0, squares = 0, n = 0;
    for (uint32_t b = 0; b < B; b++)
        for (uint32_t j = 0; j < N; j++) {
            const double x = (double)rheo__real_row(&r.in[0], 0, b)[j];
            const double off = (double)rheo__real_row(&r.work.out, 0, b)[j] - x;
            if (!(x > 0)) {
                CHECK_NEAR(off, 0, 0);
                continue;
            }
            n++;
            sum += off;
            squares += off * off;
        }
    CHECK_NEAR(sum / n, 0, 5 * 0.5 / sqrt(n));
    CHECK_NEAR(sqrt(squares / n), 0.5, 5 * 0.5 / sqrt(2 * n));
    r.work.train = false;
    rig_forward(&r);
    rig_same("identity", &r.in[0], 0, &r.work.out);
    rig_free(&r);
    rheo_context_free(ctx);
}

/* ---- counts ---- */

static void test_counts(void **state)
{
    static const struct {
        rig_case what;
        rheo_counts expected; /* over all steps and samples; of set bits: `spikes` in synops means
                                 times that many */
        uint64_t fan_out;
    } rows[] = {
        {{.label = "static",
          .layer = "dense",
          .options = "out=10",
          .N = 30,
          .T = 4,
          .B = 3,
          .input = STATIC_REALS},
         {.macs = 3 * 300, .bytes = 3 * 300 * 4},
         0},
        {{.label = "moving", .layer = "dense", .options = "out=10", .N = 30, .T = 4, .B = 3},
         {.macs = 4 * 3 * 300, .bytes = 4 * 3 * 300 * 4},
         0},
        {{.label = "signs",
          .layer = "dense",
          .options = "out=10 weights=binary",
          .N = 32,
          .T = 4,
          .B = 3,
          .input = SIGNS,
          .level = 0.5},
         {.acs = 4 * 3 * 320, .bytes = 4 * 3 * 40},
         0},
        {{.label = "spikes",
          .layer = "dense",
          .options = "out=10",
          .N = 30,
          .T = 4,
          .B = 3,
          .input = SPIKES,
          .level = 0.3},
         {0},
         10},
        {{.label = "lateral",
          .layer = "lateral",
          .N = 30,
          .T = 4,
          .B = 3,
          .input = SPIKES,
          .level = 0.3},
         {0},
         29},
        {{.label = "one",
          .layer = "one-to-one",
          .N = 30,
          .T = 4,
          .B = 3,
          .input = SPIKES,
          .level = 0.3},
         {0},
         1},
        {{.label = "dropout", .layer = "dropout", .N = 30, .T = 4, .B = 3, .train = true},
         {.draws = 90},
         0},
        {{.label = "norm", .layer = "norm", .N = 30, .T = 4, .B = 3},
         {.macs = 360, .bytes = 360 * 8},
         0},
        {{.label = "relu",
          .layer = "neuron",
          .model = "relu",
          .N = 30,
          .T = 4,
          .B = 3,
          .input = STATIC_REALS},
         {.updates = 90},
         0},
    };
    (void)state;
    rheo_context *ctx = check_context(1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rig r;
        rig_make(&r, ctx, &rows[i].what, 0);
        rig_forward(&r);
        rheo_counts sum = {0}, expected = rows[i].expected;
        uint64_t set = 0;
        for (uint32_t t = 0; t < 4; t++)
            for (uint32_t b = 0; b < 3; b++) {
                r.node.layer->count(&r.work, t, b, b + 1, &sum);
                for (uint32_t n = 0; n < r.what.N && rows[i].fan_out; n++)
                    set += rheo__signal_get(&r.in[0], t, b, n) > 0;
            }
        if (rows[i].fan_out) {
            assert_true(set > 20);
            expected.synops = expected.acs = set * rows[i].fan_out;
            expected.bytes = sum.bytes;
        }
        if (memcmp(&sum, &expected, sizeof sum) != 0)
            fail_msg("%s: synops %lu macs %lu acs %lu updates %lu draws %lu bytes %lu",
                     rows[i].what.label, sum.synops, sum.macs, sum.acs, sum.updates, sum.draws,
                     sum.bytes);
        rig_free(&r);
    }
    rig r; /* a population: spikes as they are, updates every step */
    rig_make(&r, ctx,
             &(rig_case){.label = "lif",
                         .layer = "neuron",
                         .model = "lif",
                         .model_options = "detach=false beta=0.8",
                         .N = 70,
                         .T = 20,
                         .B = 2,
                         .level = 0.5},
             0);
    rig_forward(&r);
    rheo_counts sum = {0};
    uint64_t spikes = 0;
    for (uint32_t t = 0; t < 20; t++) {
        r.node.layer->count(&r.work, t, 0, 2, &sum);
        for (uint32_t b = 0; b < 2; b++)
            for (uint32_t n = 0; n < 70; n++) spikes += rheo__signal_get(&r.work.out, t, b, n) > 0;
    }
    assert_true(spikes > 50);
    assert_int_equal(sum.spikes, spikes);
    assert_int_equal(sum.updates, 20 * 2 * 70);
    rig_free(&r);
    rheo_context_free(ctx);
}

/* ---- the table, and what is refused ---- */

static void test_table(void **state)
{
    (void)state;
    uint32_t n = 0;
    for (; rheo__layer_at(n); n++) {
        const rheo_layer *layer = rheo__layer_at(n);
        assert_string_equal(layer->name, rheo__layer_names[n]);
        assert_ptr_equal(rheo__layer_find(layer->name), layer);
        assert_non_null(layer->title), assert_non_null(layer->equations);
        assert_non_null(layer->source), assert_non_null(layer->fields);
    }
    assert_null(rheo__layer_names[n]);
    assert_null(rheo__layer_find("dense "));
}

static void test_refused(void **state)
{
    (void)state;
    rheo_context *ctx = check_context(1);
    rig r;
    CHECK_FAILS(
        ctx,
        rig_infer(
            &r, ctx,
            &(rig_case){.label = "big", .layer = "dense", .options = "out=1000000", .N = 1000000}),
        RHEO_SHAPE, "net node big: 1000000 inputs x 1000000 outputs");
    CHECK_FAILS(
        ctx, rig_infer(&r, ctx, &(rig_case){.label = "none", .layer = "dense", .options = "out=3"}),
        RHEO_SHAPE, "net node none: 0 inputs");
    rheo_context_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_reference),
        cmocka_unit_test(test_differences),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_alone),
        cmocka_unit_test(test_part_of_batch),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_nothing_allocated),
        cmocka_unit_test(test_dense_paths),
        cmocka_unit_test(test_accumulate),
        cmocka_unit_test(test_initial_weights),
        cmocka_unit_test(test_norm_closed_form),
        cmocka_unit_test(test_dropout_mask),
        cmocka_unit_test(test_noise_statistics),
        cmocka_unit_test(test_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
