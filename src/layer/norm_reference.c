/* norm_reference.c: batch normalisation in plain double, and its folding into weights. */
#include "layer/norm.h"
#include "layer/rows.h"
#include <math.h>
#include <string.h>

/* What one channel does in one group of steps. */
typedef struct group {
    uint32_t channel, t0, t1;
    double mean, inverse, rows;
} group;

static size_t at(const rheo_reference_work *work, uint32_t t, uint32_t b, size_t column)
{
    return ((size_t)t * work->B + b) * rheo__shape_size(work->node->in) + column;
}

static double sum(const rheo_reference_work *work, const rheo_norm *n, const group *g, double mean,
                  bool square)
{
    double total = 0;
    for (uint32_t t = g->t0; t < g->t1; t++)
        for (uint32_t b = 0; b < work->B; b++)
            for (uint32_t k = 0; k < n->width; k++) {
                const size_t i = at(work, t, b, (size_t)g->channel * n->width + k);
                const double x = (work->in[0] ? work->in[0][i] : 0) - mean;
                total += square ? x * x : x;
            }
    return total;
}

static group find(const rheo_reference_work *work, const rheo_norm *n, uint32_t c, uint32_t t)
{
    group g = {.channel = c, .t0 = n->each ? t : 0, .t1 = n->each ? t + 1 : work->T};
    const size_t row = (size_t)rheo__norm_row(n, t) * n->channels + c;
    g.rows = (double)(g.t1 - g.t0) * work->B * n->width;
    g.mean = work->train ? sum(work, n, &g, 0, false) / g.rows : work->param[n->mean][row];
    const double variance =
        work->train ? sum(work, n, &g, g.mean, true) / g.rows : work->param[n->variance][row];
    g.inverse = 1 / sqrt(variance + work->node->options.v[RHEO_NORM_EPSILON]);
    return g;
}

static double weight_at(const rheo_reference_work *work, const rheo_norm *n, uint32_t t)
{
    if (n->weight < 0) return 1;
    const uint32_t last = work->node->param[n->weight]->cols - 1;
    return work->param[n->weight][t < last ? t : last];
}

static double gamma_at(const rheo_reference_work *work, const rheo_norm *n, uint32_t c, uint32_t t)
{
    return work->param[n->gamma][(size_t)rheo__norm_row(n, t) * n->channels + c] * (double)n->scale;
}

static void pass(const rheo_reference_work *work, const double *from, double *to)
{
    const size_t n = (size_t)work->T * work->B * rheo__shape_size(work->node->in);
    for (size_t i = 0; to && i < n; i++) to[i] = from ? from[i] : 0;
}

void rheo__norm_reference_forward(const rheo_reference_work *work)
{
    const rheo_norm n = rheo__norm(work->node);
    if (rheo__norm_folded(work->node)) {
        pass(work, work->in[0], work->out);
        return;
    }
    for (uint32_t c = 0; c < n.channels; c++) {
        group g = find(work, &n, c, 0);
        for (uint32_t t = 0; t < work->T; t++) {
            if (t > 0 && n.each) g = find(work, &n, c, t);
            const double beta = n.beta >= 0 ? work->param[n.beta][c] : 0;
            for (uint32_t b = 0; b < work->B; b++)
                for (uint32_t k = 0; k < n.width; k++) {
                    const size_t i = at(work, t, b, (size_t)c * n.width + k);
                    const double h = ((work->in[0] ? work->in[0][i] : 0) - g.mean) * g.inverse;
                    work->out[i] = weight_at(work, &n, t) * (gamma_at(work, &n, c, t) * h + beta);
                }
        }
    }
}

/* Parameters' gradients of one group; returns the sums of w g and w g h. */
static void group_gradient(const rheo_reference_work *work, const rheo_norm *n, const group *g,
                           double *sum_g, double *sum_gh)
{
    *sum_g = *sum_gh = 0;
    const uint32_t c = g->channel;
    for (uint32_t t = g->t0; t < g->t1 && work->gout; t++)
        for (uint32_t b = 0; b < work->B; b++)
            for (uint32_t k = 0; k < n->width; k++) {
                const size_t i = at(work, t, b, (size_t)c * n->width + k);
                const double h = ((work->in[0] ? work->in[0][i] : 0) - g->mean) * g->inverse;
                const double w = weight_at(work, n, t),
                             beta = n->beta >= 0 ? work->param[n->beta][c] : 0;
                *sum_g += w * work->gout[i];
                *sum_gh += w * work->gout[i] * h;
                if (n->weight < 0 || !work->grad[n->weight]) continue;
                const uint32_t last = work->node->param[n->weight]->cols - 1;
                work->grad[n->weight][t < last ? t : last] +=
                    work->gout[i] * (gamma_at(work, n, c, t) * h + beta);
            }
    const size_t row = (size_t)rheo__norm_row(n, g->t0) * n->channels + c;
    if (work->grad[n->gamma]) work->grad[n->gamma][row] += (double)n->scale * *sum_gh;
    if (n->beta >= 0 && work->grad[n->beta]) work->grad[n->beta][c] += *sum_g;
}

static void input_gradient(const rheo_reference_work *work, const rheo_norm *n, const group *g,
                           double sum_g, double sum_gh)
{
    const double share = work->train ? 1 / g->rows : 0;
    for (uint32_t t = g->t0; t < g->t1; t++)
        for (uint32_t b = 0; b < work->B; b++)
            for (uint32_t k = 0; k < n->width; k++) {
                const size_t i = at(work, t, b, (size_t)g->channel * n->width + k);
                const double h = ((work->in[0] ? work->in[0][i] : 0) - g->mean) * g->inverse;
                const double gy = weight_at(work, n, t) * (work->gout ? work->gout[i] : 0);
                work->gin[0][i] = gamma_at(work, n, g->channel, t) * g->inverse *
                                  (gy - share * sum_g - share * h * sum_gh);
            }
}

void rheo__norm_reference_backward(const rheo_reference_work *work)
{
    const rheo_norm n = rheo__norm(work->node);
    for (uint32_t p = 0; p < work->node->params; p++)
        if (work->grad[p])
            memset(work->grad[p], 0,
                   (size_t)work->node->param[p]->rows * work->node->param[p]->cols *
                       sizeof(double));
    if (rheo__norm_folded(work->node)) {
        pass(work, work->gout, work->gin[0]);
        return;
    }
    for (uint32_t c = 0; c < n.channels; c++)
        for (uint32_t t = 0; t < work->T; t = n.each ? t + 1 : work->T) {
            const group g = find(work, &n, c, t);
            double sum_g, sum_gh;
            group_gradient(work, &n, &g, &sum_g, &sum_gh);
            if (work->gin[0]) input_gradient(work, &n, &g, sum_g, sum_gh);
        }
}

/* ---- folding ---- */

rheo_status rheo__norm_may_fold(rheo_context *ctx, const rheo_node_spec *norm,
                                const rheo_node_spec *projection)
{
    const rheo_norm n = rheo__norm(norm);
    const rheo_param *weight = projection->params > 0 ? projection->param[0] : NULL;
    const rheo_param *bias = projection->params > 1 ? projection->param[1] : NULL;
    const rheo_field *fields = projection->layer->fields;
    const int made = fields ? rheo__field_index(fields, "weights") : -1;
    RHEO_CHECK(ctx, n.kind == RHEO_NORM_BATCH || n.kind == RHEO_NORM_TDBN, RHEO_UNSUPPORTED,
               "fold: norm '%s' differs from step to step and cannot become weights of '%s'; use "
               "kind batch or tdbn",
               norm->name, projection->name);
    RHEO_CHECK(
        ctx, made < 0 || !(projection->options.v[made] > 0), RHEO_UNSUPPORTED,
        "fold: norm '%s' cannot be put into the weights of '%s', which are made from others; "
        "use weights real",
        norm->name, projection->name);
    RHEO_CHECK(
        ctx,
        weight && bias && !strcmp(weight->name, "weight") && !strcmp(bias->name, "bias") &&
            weight->rows == n.channels && !weight->transposed &&
            (size_t)bias->rows * bias->cols == n.channels,
        RHEO_SHAPE,
        "fold: norm '%s' has %u channels, but '%s' before it has no weight and bias of as many "
        "outputs",
        norm->name, n.channels, projection->name);
    return RHEO_OK;
}

rheo_status rheo__norm_fold(rheo_context *ctx, const rheo_node_spec *norm,
                            const rheo_node_spec *projection)
{
    RHEO_TRY(rheo__norm_may_fold(ctx, norm, projection));
    const rheo_norm n = rheo__norm(norm);
    rheo_param *const *p = norm->param;
    rheo_param *weight = projection->param[0], *bias = projection->param[1];
    const double epsilon = norm->options.v[RHEO_NORM_EPSILON];
    for (uint32_t c = 0; c < n.channels; c++) {
        const double inverse = 1 / sqrt((double)p[n.variance]->value[c] + epsilon);
        const double a = (double)p[n.gamma]->value[c] * (double)n.scale * inverse;
        const double centred = (double)bias->value[c] - (double)p[n.mean]->value[c];
        float *w = weight->value + (size_t)c * weight->cols;
        for (uint32_t i = 0; i < weight->cols; i++) w[i] = (float)(a * (double)w[i]);
        bias->value[c] = (float)(a * centred + (double)p[n.beta]->value[c]);
        p[n.mean]->value[c] = p[n.beta]->value[c] = 0;
        p[n.variance]->value[c] = (float)(1 - epsilon);
        p[n.gamma]->value[c] = 1 / n.scale;
    }
    weight->version++;
    bias->version++;
    for (uint32_t i = 0; i < norm->params; i++) p[i]->version++;
    return RHEO_OK;
}
