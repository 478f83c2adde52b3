/* layer_twin.h: the double reference beside a rig, with all its inputs. */
#ifndef RHEO_TESTS_LAYER_TWIN_H
#define RHEO_TESTS_LAYER_TWIN_H
#include "layer_rig.h"

typedef struct twin {
    rheo_reference_work work;
    double *in[RHEO_PORTS], *gin[RHEO_PORTS], *gout, *greadout;
    double *param[RHEO_NODE_PARAMS], *grad[RHEO_NODE_PARAMS];
    size_t in_size[RHEO_PORTS], out_size;
} twin;

static inline double *twin_zeros(size_t n)
{
    double *x = calloc(n + 1, sizeof *x);
    assert_non_null(x);
    return x;
}

/* The reference wants moving gradients: a static signal's gradient belongs to step 0. */
static inline double *twin_gradient(const rheo_signal *g)
{
    double *x = rig_doubles(g);
    const size_t row = (size_t)g->B * g->N;
    if (g->stride_t == 0) memset(x + row, 0, (g->T - 1) * row * sizeof *x);
    return x;
}

static inline void twin_make(twin *w, const rig *r, bool smooth)
{
    const rheo_work *work = &r->work;
    *w = (twin){.out_size = (size_t)work->T * work->B * work->out.N};
    w->work = (rheo_reference_work){.node = &r->node,
                                    .T = work->T,
                                    .B = work->B,
                                    .train = work->train,
                                    .smooth = smooth,
                                    .seed = work->seed,
                                    .sample = work->sample,
                                    .show = work->show};
    for (uint32_t p = 0; p < r->node.inputs; p++) {
        w->in_size[p] = (size_t)work->T * work->B * work->in[p]->N;
        w->work.in[p] = w->in[p] = rig_doubles(work->in[p]);
        w->work.gin[p] = w->gin[p] = twin_zeros(w->in_size[p]);
    }
    w->work.out = twin_zeros(w->out_size);
    if (work->readout.real) w->work.readout = twin_zeros(w->out_size);
    if (r->node.layer->reference_need)
        w->work.keep = twin_zeros(r->node.layer->reference_need(&r->node, work->T, work->B));
    for (uint32_t p = 0; p < r->node.params; p++) {
        const size_t size = (size_t)r->param[p].rows * r->param[p].cols;
        w->work.param[p] = w->param[p] = twin_zeros(size);
        for (size_t i = 0; i < size; i++) w->param[p][i] = (double)r->param[p].value[i];
        w->work.grad[p] = w->grad[p] = r->param[p].trained ? twin_zeros(size) : NULL;
    }
    w->work.gout = w->gout = twin_gradient(work->gout);
    if (work->greadout) w->work.greadout = w->greadout = twin_gradient(work->greadout);
}

static inline void twin_free(twin *w)
{
    for (uint32_t p = 0; p < RHEO_NODE_PARAMS; p++) free(w->param[p]), free(w->grad[p]);
    for (uint32_t p = 0; p < RHEO_PORTS; p++) free(w->in[p]), free(w->gin[p]);
    free(w->gout), free(w->greadout);
    free(w->work.out), free(w->work.readout), free(w->work.keep);
}

/* Largest difference, in units of the largest number. */
static inline double twin_distance(const double *a, const double *b, size_t n)
{
    double largest = 1e-30, worst = 0;
    for (size_t i = 0; i < n; i++) {
        largest = fmax(largest, fabs(b[i]));
        worst = fmax(worst, isnan(a[i]) ? INFINITY : fabs(a[i] - b[i]));
    }
    return worst / largest;
}

static inline double twin_floats(const float *a, const double *b, size_t n)
{
    double *x = twin_zeros(n);
    for (size_t i = 0; i < n; i++) x[i] = (double)a[i];
    const double distance = twin_distance(x, b, n);
    free(x);
    return distance;
}

/* Sums the reference's steps into the first, as a static gradient does. */
static inline void twin_fold(double *x, uint32_t T, size_t row)
{
    for (size_t i = row; i < T * row; i++) x[i % row] += x[i];
    for (size_t i = row; i < T * row; i++) x[i] = x[i % row];
}

static inline double twin_objective(twin *w)
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
 * of both for objectives of tens. Every 7th element of many is moved. */
static inline void twin_differences(const char *label, const char *what, twin *w, double *x,
                                    const double *g, size_t n)
{
    const double h = 1e-5;
    const size_t by = n > 50 ? 7 : 1;
    for (size_t i = 0; i < n; i += by) {
        const double at = x[i];
        x[i] = at + h;
        const double up = twin_objective(w);
        x[i] = at - h;
        const double down = twin_objective(w);
        x[i] = at;
        const double slope = (up - down) / (2 * h);
        if (!(fabs(slope - g[i]) <= 1e-6 * (1 + fabs(slope))))
            fail_msg("%s: d/d%s[%zu] = %.9g, differences give %.9g", label, what, i, g[i], slope);
    }
}
#endif
