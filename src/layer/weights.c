/* weights.c: weights v that are made of trained w, a row for each output:
 *
 *   binary        v = sign(w), sign(0) = +1; scaled: times a = mean |w| of the row.
 *                 w stays in [-1, 1]
 *   ternary       v = a sign(w) where |w| > d, else 0; d = 0.7 mean |w|, a = mean of those |w| > d
 *   quantised     v = s round(w/s), s = max |w| / (2^(bits-1) - 1)
 *   normed        v = g w / |w|, g trained, at first |w|
 *   standardised  v = (w - mean) / sqrt(variance + 1e-5)
 *   dale          v = sign_i |w|, the sign of an input drawn once
 *   sparse        v = mask w, the mask drawn once
 *
 * Gradients: of the first three straight through the step (dv/dw = 1, of scaled binary a, and the
 * scale's own), of the others exact. ternary and quantised take d, a and s of all weights together.
 * Courbariaux et al. 2016, arXiv:1602.02830; Rastegari et al. 2016, arXiv:1603.05279; Li et al.
 * 2016, arXiv:1605.04711; Salimans & Kingma 2016, arXiv:1602.07868; Qiao et al. 2019,
 * arXiv:1903.10520. Leaves out: learnt steps, scales a channel of quantised weights, masks that
 * move. */
#include "layer/weights.h"
#include "base/threads.h"
#include "layer/rows.h"
#include <math.h>
#include <string.h>

#define TERNARY_LEVEL    0.7
#define STANDARD_EPSILON 1e-5

const char *const rheo__weight_kinds[] = {
    "real", "binary", "ternary", "quantised", "normed", "standardised", "dale", "sparse", NULL};

#define NUMBER float
#define SUFFIX float
#include "layer/weights.inc"
#undef NUMBER
#undef SUFFIX
#define NUMBER double
#define SUFFIX double
#include "layer/weights.inc"
#undef NUMBER
#undef SUFFIX

static bool has_extra(rheo_weight_kind kind)
{
    return kind == RHEO_NORMED_WEIGHTS || kind == RHEO_DALE_WEIGHTS || kind == RHEO_SPARSE_WEIGHTS;
}

rheo_weights rheo__weights_of(const rheo_node_spec *node, uint32_t first, uint32_t rows,
                              uint32_t cols, uint32_t taps, uint32_t extra)
{
    const double *option = node->options.v + first;
    const rheo_weight_kind kind = (rheo_weight_kind)option[RHEO_WEIGHTS_KIND];
    return (rheo_weights){.node = node,
                          .option = option,
                          .kind = kind,
                          .rows = rows,
                          .cols = cols,
                          .taps = taps,
                          .extra = has_extra(kind) ? extra : 0};
}

bool rheo__weights_param(const rheo_weights *w, rheo_param *out)
{
    if (w->kind == RHEO_NORMED_WEIGHTS) rheo__param_entry(out, "gain", 1, w->rows);
    if (w->kind == RHEO_DALE_WEIGHTS) rheo__param_entry(out, "sign", 1, w->cols / w->taps);
    if (w->kind == RHEO_SPARSE_WEIGHTS) rheo__param_entry(out, "mask", w->rows, w->cols);
    if (has_extra(w->kind)) out->trained = w->kind == RHEO_NORMED_WEIGHTS;
    return has_extra(w->kind);
}

void rheo__weights_bounds(const rheo_weights *w, rheo_param *weight)
{
    if (w->kind != RHEO_BINARY_WEIGHTS) return;
    weight->low = -1;
    weight->high = 1;
}

void rheo__weights_initialise(const rheo_weights *w, uint64_t seed)
{
    const rheo_key key = rheo__key(seed, w->node->index, RHEO_FOR_WEIGHTS);
    if (!w->extra) return;
    const float *weight = w->node->param[0]->value;
    const rheo_param *extra = w->node->param[w->extra];
    const size_t n = (size_t)extra->rows * extra->cols;
    if (w->kind == RHEO_NORMED_WEIGHTS) {
        for (uint32_t row = 0; row < w->rows; row++) {
            double squares = 0;
            for (uint32_t i = 0; i < w->cols; i++) {
                const double x = (double)weight[(size_t)row * w->cols + i];
                squares += x * x;
            }
            extra->value[row] = (float)sqrt(squares);
        }
        return;
    }
    const bool dale = w->kind == RHEO_DALE_WEIGHTS;
    const double share = w->option[dale ? RHEO_WEIGHTS_EXCITATORY : RHEO_WEIGHTS_DENSITY];
    rheo__fill_uniform(key, 7, 0, 1, extra->value, n);
    for (size_t i = 0; i < n; i++)
        extra->value[i] = (double)extra->value[i] < share ? 1.0f : dale ? -1.0f : 0.0f;
}

size_t rheo__weights_floats(const rheo_weights *w)
{
    return w->kind == RHEO_REAL_WEIGHTS ? 0 : ((size_t)w->rows * w->cols + 15) / 16 * 16;
}

typedef struct task {
    view_float v;
    float *g, *weight, *extra;
    bool add;
} task;

static view_float look(const rheo_weights *w)
{
    rheo_param *const *p = w->node->param;
    return look_float(w, p[0]->value, w->extra ? p[w->extra]->value : NULL);
}

static void make_task(void *argument, uint32_t row, uint32_t thread)
{
    const task *a = argument;
    (void)thread;
    kinds_float[a->v.w->kind].make(&a->v, row, a->g + (size_t)row * a->v.w->cols);
}

void rheo__weights_refresh(rheo_context *ctx, const rheo_weights *w, float *made)
{
    task a = {.v = look(w), .g = made};
    if (w->kind != RHEO_REAL_WEIGHTS) rheo__parallel(ctx, w->rows, make_task, &a);
}

static void back_task(void *argument, uint32_t row, uint32_t thread)
{
    const task *a = argument;
    const uint32_t n = a->v.w->cols;
    float *g = a->g + (size_t)row * n, *to = a->weight ? a->weight + (size_t)row * n : NULL;
    float extra = 0;
    (void)thread;
    if (kinds_float[a->v.w->kind].back) kinds_float[a->v.w->kind].back(&a->v, row, g, &extra);
    if (a->extra) a->extra[row] = a->add ? a->extra[row] + extra : extra;
    for (uint32_t i = 0; to && i < n; i++) to[i] = a->add ? to[i] + g[i] : g[i];
}

void rheo__weights_gradient(rheo_context *ctx, const rheo_weights *w, float *g, float *weight,
                            float *extra, bool add)
{
    task a = {.v = look(w), .g = g, .weight = weight, .extra = extra, .add = add};
    rheo__parallel(ctx, w->rows, back_task, &a);
}

static view_double look_back(const rheo_weights *w, const rheo_reference_work *work)
{
    view_double v = look_double(w, work->param[0], w->extra ? work->param[w->extra] : NULL);
    v.smooth = work->smooth;
    return v;
}

void rheo__weights_reference(const rheo_weights *w, const rheo_reference_work *work, double *made)
{
    if (w->kind == RHEO_REAL_WEIGHTS) {
        memcpy(made, work->param[0], (size_t)w->rows * w->cols * sizeof *made);
        return;
    }
    const view_double v = look_back(w, work);
    for (uint32_t row = 0; row < w->rows; row++)
        kinds_double[w->kind].make(&v, row, made + (size_t)row * w->cols);
}

void rheo__weights_gradient_reference(const rheo_weights *w, const rheo_reference_work *work,
                                      double *g, double *weight, double *extra)
{
    const view_double v = look_back(w, work);
    for (uint32_t row = 0; row < w->rows; row++) {
        double more = 0;
        if (kinds_double[w->kind].back)
            kinds_double[w->kind].back(&v, row, g + (size_t)row * w->cols, &more);
        if (extra) extra[row] = more;
    }
    if (weight) memcpy(weight, g, (size_t)w->rows * w->cols * sizeof *g);
}
