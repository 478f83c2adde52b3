/* norm.c: batch normalisation of each column over the rows of a window.
 *
 *   training:   y = gamma (x - mean) / sqrt(var + epsilon) + beta, over the T·B rows (B rows when
 *               the input is static); running <- (1 - momentum) running + momentum batch
 *   otherwise:  y = a x + c,  a = gamma / sqrt(running var + epsilon),  c = beta - a running mean
 *
 * The batch's variance divides by n, the running one is fed with n - 1, as PyTorch does. Ioffe &
 * Szegedy 2015, arXiv:1502.03167. Sums are double, rows ascending. Needs the whole window: inside
 * a cycle it would normalise single steps. Leaves out: statistics for each step. */
#include "layer/rows.h"
#include <math.h>
#include <string.h>

enum { MOMENTUM, EPSILON, AFFINE };
enum { GAMMA, BETA, MEAN, VARIANCE };
static const rheo_field fields[] = {
    RHEO_NUMBER_FIELD("momentum", "1", 0.1, 0, 1, "Share of the new batch in the running values."),
    RHEO_NUMBER_FIELD("epsilon", "1", 1e-5, 1e-12, 1, "Added to the variance."),
    RHEO_FLAG_FIELD("affine", 1, "Trains gamma and beta; else they stay 1 and 0."), RHEO_FIELD_END};

static bool param(const rheo_node_spec *node, uint32_t index, rheo_param *out)
{
    static const char *const names[] = {"gamma", "beta", "mean", "variance"};
    if (index >= 4) return false;
    rheo__param_entry(out, names[index], 1, rheo__shape_size(node->in));
    out->trained = index <= BETA && node->options.v[AFFINE] > 0;
    return true;
}

static void initialise(rheo_context *ctx, const rheo_node_spec *node, uint64_t seed)
{
    (void)ctx;
    (void)seed;
    for (uint32_t p = 0; p < 4; p++)
        for (uint32_t j = 0; j < node->param[p]->cols; j++)
            node->param[p]->value[j] = p == GAMMA || p == VARIANCE ? 1 : 0;
}

static size_t pitch(const rheo_work *work)
{
    return rheo__pitch(rheo__shape_size(work->node->in));
}

static void need(const rheo_work *work, rheo_need *out)
{
    out->derived = 3 * pitch(work);               /* a, c, 1/sqrt(running var + epsilon) */
    if (work->train) out->tape = 2 * pitch(work); /* mean, 1/sqrt(var + epsilon) of the batch */
}

static void refresh(const rheo_work *work)
{
    const size_t n = pitch(work);
    rheo_param *const *p = work->node->param;
    const double epsilon = work->node->options.v[EPSILON];
    for (uint32_t j = 0; j < p[MEAN]->cols; j++) {
        const double inverse = 1 / sqrt((double)p[VARIANCE]->value[j] + epsilon);
        const double a = (double)p[GAMMA]->value[j] * inverse;
        work->derived[j] = (float)a;
        work->derived[n + j] = (float)((double)p[BETA]->value[j] - a * (double)p[MEAN]->value[j]);
        work->derived[2 * n + j] = (float)inverse;
    }
}

typedef struct span_argument {
    const rheo_work *work;
    uint32_t t0, t1;
} span_argument;

/* mean and variance of a block's columns, two passes */
static void statistics(const span_argument *a, uint32_t block, double *mean, double *variance)
{
    const rheo_work *work = a->work;
    const double rows = (double)(a->t1 - a->t0) * work->B;
    float buffer[RHEO_BLOCK];
    memset(mean, 0, RHEO_BLOCK * sizeof *mean);
    memset(variance, 0, RHEO_BLOCK * sizeof *variance);
    for (uint32_t pass = 0; pass < 2; pass++) {
        for (uint32_t t = a->t0; t < a->t1; t++)
            for (uint32_t b = 0; b < work->B; b++) {
                const float *x = rheo__block_row(work->in[0], t, b, block, buffer);
                const uint32_t n = rheo__block_size(work->in[0]->N, block);
                for (uint32_t j = 0; j < n && pass == 0; j++) mean[j] += (double)x[j];
                for (uint32_t j = 0; j < n && pass == 1; j++)
                    variance[j] += ((double)x[j] - mean[j]) * ((double)x[j] - mean[j]);
            }
        double *sum = pass == 0 ? mean : variance;
        for (uint32_t j = 0; j < RHEO_BLOCK; j++) sum[j] /= rows;
    }
}

static void learn_statistics(const span_argument *a, uint32_t block)
{
    const rheo_work *work = a->work;
    const double epsilon = work->node->options.v[EPSILON], share = work->node->options.v[MOMENTUM];
    const double rows = (double)(a->t1 - a->t0) * work->B;
    const double unbiased = rows > 1 ? rows / (rows - 1) : 1;
    const size_t first = (size_t)block * RHEO_BLOCK;
    float *mean_out = work->tape + first, *inverse_out = work->tape + pitch(work) + first;
    float *running_mean = work->node->param[MEAN]->value + first;
    float *running_variance = work->node->param[VARIANCE]->value + first;
    double mean[RHEO_BLOCK], variance[RHEO_BLOCK];
    statistics(a, block, mean, variance);
    for (uint32_t j = 0; j < rheo__block_size(work->in[0]->N, block); j++) {
        mean_out[j] = (float)mean[j];
        inverse_out[j] = (float)(1 / sqrt(variance[j] + epsilon));
        running_mean[j] = (float)((1 - share) * (double)running_mean[j] + share * mean[j]);
        running_variance[j] =
            (float)((1 - share) * (double)running_variance[j] + share * variance[j] * unbiased);
    }
}

static void forward_block(void *argument, uint32_t block, uint32_t thread)
{
    const span_argument *a = argument;
    const rheo_work *work = a->work;
    const size_t first = (size_t)block * RHEO_BLOCK;
    float shift[RHEO_BLOCK] = {0}, scale[RHEO_BLOCK], add[RHEO_BLOCK], buffer[RHEO_BLOCK];
    const uint32_t n = rheo__block_size(work->out.N, block);
    (void)thread;
    if (work->train) learn_statistics(a, block);
    for (uint32_t j = 0; j < n; j++)
        if (work->train) {
            shift[j] = work->tape[first + j];
            scale[j] =
                work->node->param[GAMMA]->value[first + j] * work->tape[pitch(work) + first + j];
            add[j] = work->node->param[BETA]->value[first + j];
        } else {
            scale[j] = work->derived[first + j];
            add[j] = work->derived[pitch(work) + first + j];
        }
    for (uint32_t t = a->t0; t < a->t1; t++)
        for (uint32_t b = 0; b < work->B; b++) {
            const float *x = rheo__block_row(work->in[0], t, b, block, buffer);
            float *y = rheo__real_row(&work->out, t, b) + first;
            for (uint32_t j = 0; j < n; j++) y[j] = (x[j] - shift[j]) * scale[j] + add[j];
        }
}

static void forward(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    span_argument a = {work, t0, rheo__last_step(&work->out, t0, t1)};
    rheo__parallel(work->ctx, rheo__words(work->out.N), forward_block, &a);
    if (!work->train) return;
    work->node->param[MEAN]->version++;
    work->node->param[VARIANCE]->version++;
}

/* gx = a (g - mean(g) - h mean(g h)) with h = (x - mean) / sqrt(var + epsilon) and a = gamma /
 * sqrt(var + epsilon); with running values gx = a g. */
static void backward_block(void *argument, uint32_t block, uint32_t thread)
{
    const span_argument *a = argument;
    const rheo_work *work = a->work;
    const size_t first = (size_t)block * RHEO_BLOCK, p = pitch(work);
    const uint32_t n = rheo__block_size(work->out.N, block);
    const float *mean = (work->train ? work->tape : work->node->param[MEAN]->value) + first;
    const float *inverse = (work->train ? work->tape + p : work->derived + 2 * p) + first;
    const float *gamma = work->node->param[GAMMA]->value + first;
    double sum_g[RHEO_BLOCK] = {0}, sum_gh[RHEO_BLOCK] = {0};
    float buffer[RHEO_BLOCK];
    (void)thread;
    for (uint32_t t = 0; t < a->t1; t++)
        for (uint32_t b = 0; b < work->B; b++) {
            const float *x = rheo__block_row(work->in[0], t, b, block, buffer);
            const float *g = rheo__real_row(work->gout, t, b) + first;
            for (uint32_t j = 0; j < n; j++) {
                sum_g[j] += (double)g[j];
                sum_gh[j] += (double)g[j] * (double)((x[j] - mean[j]) * inverse[j]);
            }
        }
    for (uint32_t j = 0; j < n; j++) {
        if (work->grad[GAMMA]) work->grad[GAMMA][first + j] = (float)sum_gh[j];
        if (work->grad[BETA]) work->grad[BETA][first + j] = (float)sum_g[j];
    }
    if (!work->gin[0].real) return;
    const double rows = work->train ? (double)a->t1 * work->B : INFINITY;
    float mean_g[RHEO_BLOCK], mean_gh[RHEO_BLOCK];
    for (uint32_t j = 0; j < n; j++) {
        mean_g[j] = (float)(sum_g[j] / rows);
        mean_gh[j] = (float)(sum_gh[j] / rows);
    }
    for (uint32_t t = 0; t < a->t1; t++)
        for (uint32_t b = 0; b < work->B; b++) {
            const float *x = rheo__block_row(work->in[0], t, b, block, buffer);
            const float *g = rheo__real_row(work->gout, t, b) + first;
            float *gx = rheo__real_row(&work->gin[0], t, b) + first;
            for (uint32_t j = 0; j < n; j++) {
                const float h = (x[j] - mean[j]) * inverse[j];
                gx[j] = gamma[j] * inverse[j] * (g[j] - mean_g[j] - h * mean_gh[j]);
            }
        }
}

static void backward(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    if (!work->gout) {
        rheo__pass_gradient(work, t0, t1);
        for (uint32_t p = GAMMA; p <= BETA; p++)
            if (work->grad[p]) memset(work->grad[p], 0, work->node->param[p]->cols * sizeof(float));
        return;
    }
    span_argument a = {work, t0, rheo__last_step(&work->out, t0, t1)};
    rheo__parallel(work->ctx, rheo__words(work->out.N), backward_block, &a);
}

static void count(const rheo_work *work, uint32_t t, uint32_t b0, uint32_t b1, rheo_counts *add)
{
    if (work->out.stride_t == 0 && t > 0) return;
    const uint64_t n = rheo__shape_size(work->node->in);
    add->macs += (b1 - b0) * n;
    add->bytes += (b1 - b0) * n * 2 * sizeof(float);
}

/* Statistics of column j in double: of the batch, or the running ones. */
static void column(const rheo_reference_work *work, uint32_t j, double *mean, double *inverse)
{
    const size_t n = rheo__shape_size(work->node->in), rows = (size_t)work->T * work->B;
    double m = 0, v = 0;
    for (size_t row = 0; row < rows; row++) m += work->in[0][row * n + j] / (double)rows;
    for (size_t row = 0; row < rows; row++)
        v += (work->in[0][row * n + j] - m) * (work->in[0][row * n + j] - m) / (double)rows;
    *mean = work->train ? m : work->param[MEAN][j];
    *inverse =
        1 / sqrt((work->train ? v : work->param[VARIANCE][j]) + work->node->options.v[EPSILON]);
}

static void reference_forward(const rheo_reference_work *work)
{
    const size_t n = rheo__shape_size(work->node->in), rows = (size_t)work->T * work->B;
    for (uint32_t j = 0; j < n; j++) {
        double mean, inverse;
        column(work, j, &mean, &inverse);
        for (size_t row = 0; row < rows; row++)
            work->out[row * n + j] =
                (work->in[0][row * n + j] - mean) * inverse * work->param[GAMMA][j] +
                work->param[BETA][j];
    }
}

static void reference_backward(const rheo_reference_work *work)
{
    const size_t n = rheo__shape_size(work->node->in), rows = (size_t)work->T * work->B;
    for (uint32_t j = 0; j < n; j++) {
        double mean, inverse, sum_g = 0, sum_gh = 0;
        column(work, j, &mean, &inverse);
        for (size_t row = 0; row < rows && work->gout; row++) {
            sum_g += work->gout[row * n + j];
            sum_gh += work->gout[row * n + j] * (work->in[0][row * n + j] - mean) * inverse;
        }
        if (work->grad[GAMMA]) work->grad[GAMMA][j] = sum_gh;
        if (work->grad[BETA]) work->grad[BETA][j] = sum_g;
        const double share = work->train ? 1 / (double)rows : 0;
        for (size_t row = 0; row < rows && work->gin[0]; row++) {
            const double h = (work->in[0][row * n + j] - mean) * inverse;
            const double g = work->gout ? work->gout[row * n + j] : 0;
            work->gin[0][row * n + j] =
                work->param[GAMMA][j] * inverse * (g - share * sum_g - share * h * sum_gh);
        }
    }
}

const rheo_layer rheo__layer_norm = {
    .name = "norm",
    .title = "batch normalisation over samples and steps",
    .equations = "y = gamma (x - mean) / sqrt(variance + epsilon) + beta; training: of the batch, "
                 "otherwise running values",
    .source = "Ioffe & Szegedy 2015, arXiv:1502.03167",
    .kind = RHEO_MAPPING,
    .whole = true,
    .fields = fields,
    .infer = rheo__infer_same,
    .param = param,
    .initialise = initialise,
    .form = rheo__form_real,
    .need = need,
    .refresh = refresh,
    .forward = forward,
    .backward = backward,
    .count = count,
    .reference_forward = reference_forward,
    .reference_backward = reference_backward,
};
