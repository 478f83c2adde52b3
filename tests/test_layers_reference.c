/* test_layers_reference.c: every layer: float against its double reference, and the reference
 * against central differences. */
#include "layer_cases.h"
#include "layer_twin.h"

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
    double *x = twin_zeros(n);
    for (size_t i = 0; i < n; i++) x[i] = (double)a[i];
    near(label, what, x, b, n, steps);
    free(x);
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
    if (r.in[0].stride_t == 0) twin_fold(w.gin[0], r.work.T, w.in_size[0] / r.work.T);
    double *gin = rig_doubles(&r.work.gin[0]);
    near(c->label, "gin", gin, w.gin[0], w.in_size[0], chain(&r));
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
    for (size_t i = 0; i < w.in_size[0]; i++)
        if (fabs(w.in[0][i]) < 1e-3 || fabs(fabs(w.in[0][i]) - 1) < 1e-3) w.in[0][i] = 0.01;
    twin_objective(&w);
    r.node.layer->reference_backward(&w.work);
    if (!ruled) twin_differences(c->label, "x", &w, w.in[0], w.gin[0], w.in_size[0]);
    for (uint32_t p = 0; p < r.node.params && !coded; p++)
        if (w.grad[p])
            twin_differences(c->label, r.param[p].name, &w, w.param[p], w.grad[p],
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
