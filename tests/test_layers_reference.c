/* test_layers_reference.c: every layer: float against its double reference, and the reference
 * against central differences. */
#include "layer_cases.h"

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
    rig_backward(&r);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reference),
        cmocka_unit_test(test_differences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
