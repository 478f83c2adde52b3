/* norm.c: batch normalisation of each channel over the samples (and steps) of a window.
 *
 *   training:   h = (x - mean) / sqrt(variance + epsilon), of the batch;
 *               running <- (1 - momentum) running + momentum batch
 *   otherwise:  the same with the running values
 *   kind batch: y = gamma h + beta                           Ioffe & Szegedy 2015, arXiv:1502.03167
 *        tdbn:  y = gamma alpha theta h + beta               Zheng et al. 2021, arXiv:2011.05280
 *        bntt:  y = gamma_t h, statistics of each step its own  Kim & Panda 2021, arXiv:2010.01729
 *        tebn:  y = w_t (gamma h + beta)                     Duan et al. 2022, NeurIPS 35
 *   over batch-time: one mean and variance over all T B rows (B rows when the input is static);
 *        step: of each step, with one running value that takes the steps in turn (PyTorch's layer
 *        called at each step)
 *
 * A channel is the first dimension of the input's shape: all columns of flat inputs are their own,
 * an image's pixels share. The batch's variance divides by n, the running one is fed with n - 1, as
 * PyTorch does. Sums are double: of a column over its rows, ascending, then over the columns.
 * Steps beyond bntt's or tebn's last use the last. Needs the whole window. Leaves out:
 * normalisation over a sample's own values (layer, group), which has other uses. */
#include "layer/norm.h"
#include "layer/rows.h"
#include <math.h>
#include <string.h>

static const char *const kind_names[] = {"batch", "tdbn", "bntt", "tebn", NULL};
static const char *const over_names[] = {"batch-time", "step", NULL};
static const rheo_field fields[] = {
    RHEO_CHOICE_FIELD("kind", RHEO_NORM_BATCH, kind_names,
                      "batch; tdbn: scaled to the threshold; bntt: each step its own; tebn: a "
                      "learned weight a step."),
    RHEO_CHOICE_FIELD(
        "over", 0, over_names,
        "What a mean is over: samples and steps together, or samples of a step (bntt: "
        "always)."),
    RHEO_INTEGER_FIELD("steps", "1", 0, 0, 65536,
                       "For bntt and tebn, which need it: steps with parameters of their own."),
    RHEO_NUMBER_FIELD("alpha", "1", 1, 1e-6, 1e6, "For tdbn: share of the threshold."),
    RHEO_NUMBER_FIELD("theta", "1", 1, 1e-6, 1e6,
                      "For tdbn: threshold of the neurons that follow."),
    RHEO_NUMBER_FIELD("momentum", "1", 0.1, 0, 1, "Share of the new batch in the running values."),
    RHEO_NUMBER_FIELD("epsilon", "1", 1e-5, 1e-12, 1, "Added to the variance."),
    RHEO_FLAG_FIELD("affine", 1, "Trains gamma and beta; else they stay 1 and 0."),
    RHEO_FLAG_FIELD("folded", 0, "Set by the phase fold: the weights before it do its work."),
    RHEO_FIELD_END};

rheo_norm rheo__norm(const rheo_node_spec *node)
{
    const double *v = node->options.v;
    rheo_norm n = {.kind = (uint32_t)v[RHEO_NORM_KIND], .channels = node->in.dim[0]};
    const bool bntt = n.kind == RHEO_NORM_BNTT;
    n.width = rheo__shape_size(node->in) / n.channels;
    n.rows = bntt ? (uint32_t)v[RHEO_NORM_STEPS] : 1;
    n.each = bntt || v[RHEO_NORM_OVER] > 0;
    n.scale = n.kind == RHEO_NORM_TDBN ? (float)(v[RHEO_NORM_ALPHA] * v[RHEO_NORM_THETA]) : 1;
    n.gamma = 0;
    n.beta = bntt ? -1 : 1;
    n.mean = bntt ? 1 : 2;
    n.variance = bntt ? 2 : 3;
    n.weight = n.kind == RHEO_NORM_TEBN ? 4 : -1;
    return n;
}

static rheo_status infer(rheo_context *ctx, rheo_node_spec *node)
{
    const uint32_t kind = (uint32_t)node->options.v[RHEO_NORM_KIND];
    const bool timed = kind == RHEO_NORM_BNTT || kind == RHEO_NORM_TEBN;
    RHEO_CHECK(
        ctx, !timed || node->options.v[RHEO_NORM_STEPS] >= 1, RHEO_USAGE,
        "net node %s: a norm of kind %s has parameters for each step; give steps, the number "
        "of steps of a sample",
        node->name, kind_names[kind]);
    RHEO_CHECK(ctx, !timed || !rheo__norm_folded(node), RHEO_USAGE,
               "net node %s: a norm of kind %s differs from step to step and cannot be folded",
               node->name, kind_names[kind]);
    return rheo__infer_same(ctx, node);
}

static bool param(const rheo_node_spec *node, uint32_t index, rheo_param *out)
{
    const rheo_norm n = rheo__norm(node);
    const int at = (int)index;
    if (index > 3 && at != n.weight) return false;
    if (index > 2 && n.kind == RHEO_NORM_BNTT) return false;
    const char *name = at == n.gamma      ? "gamma"
                       : at == n.beta     ? "beta"
                       : at == n.mean     ? "mean"
                       : at == n.variance ? "variance"
                                          : "weight";
    if (at == n.weight)
        rheo__param_entry(out, name, 1, (uint32_t)node->options.v[RHEO_NORM_STEPS]);
    else
        rheo__param_entry(out, name, n.rows, n.channels);
    const bool affine = node->options.v[RHEO_NORM_AFFINE] > 0;
    out->trained = at == n.weight || (affine && at != n.mean && at != n.variance);
    return true;
}

static void initialise(rheo_context *ctx, const rheo_node_spec *node, uint64_t seed)
{
    const rheo_norm n = rheo__norm(node);
    (void)ctx;
    (void)seed;
    for (uint32_t p = 0; p < node->params; p++) {
        const bool zero = (int)p == n.beta || (int)p == n.mean;
        const size_t size = (size_t)node->param[p]->rows * node->param[p]->cols;
        for (size_t j = 0; j < size; j++) node->param[p]->value[j] = zero ? 0 : 1;
    }
}

static void form(const rheo_work *work, rheo_form *out, bool *fixed, float *lo, float *hi)
{
    const uint32_t kind = rheo__norm(work->node).kind;
    rheo__form_real(work, out, fixed, lo, hi);
    *fixed = *fixed && kind != RHEO_NORM_BNTT && kind != RHEO_NORM_TEBN;
}

/* ---- memory: derived [3][rows][channels], tape [4][groups][channels] ---- */

enum { SCALE, SHIFT, INVERSE_RUNNING };        /* derived: y = scale x + shift; 1/sqrt(running) */
enum { MEAN, INVERSE, SUM_G, SUM_GH, PIECES }; /* tape: of the batch, and of its gradients */

static uint32_t groups(const rheo_work *work, const rheo_norm *n)
{
    return n->each && work->out.stride_t ? work->T : 1;
}

static float *tape_at(const rheo_work *work, const rheo_norm *n, uint32_t piece, uint32_t group)
{
    const size_t most = n->each ? work->T : 1; /* groups, whatever the output is */
    return work->tape + (piece * most + group) * n->channels;
}

static float *derived_at(const rheo_work *work, const rheo_norm *n, uint32_t piece, uint32_t row)
{
    return work->derived + ((size_t)piece * n->rows + row) * n->channels;
}

static void need(const rheo_work *work, rheo_need *out)
{
    const rheo_norm n = rheo__norm(work->node);
    const size_t most = n.each ? work->T : 1;
    out->derived = (size_t)3 * n.rows * n.channels;
    if (work->train || work->gradient) out->tape = PIECES * most * n.channels;
    if (work->gradient && n.weight >= 0) out->scratch = work->T * sizeof(double);
}

static void refresh(const rheo_work *work)
{
    const rheo_norm n = rheo__norm(work->node);
    rheo_param *const *p = work->node->param;
    const double epsilon = work->node->options.v[RHEO_NORM_EPSILON];
    for (uint32_t r = 0; r < n.rows; r++)
        for (uint32_t c = 0; c < n.channels; c++) {
            const size_t at = (size_t)r * n.channels + c;
            const double inverse = 1 / sqrt((double)p[n.variance]->value[at] + epsilon);
            const double a = (double)p[n.gamma]->value[at] * (double)n.scale * inverse;
            const double beta = n.beta >= 0 ? (double)p[n.beta]->value[at] : 0;
            derived_at(work, &n, SCALE, r)[c] = (float)a;
            derived_at(work, &n, SHIFT, r)[c] = (float)(beta - a * (double)p[n.mean]->value[at]);
            derived_at(work, &n, INVERSE_RUNNING, r)[c] = (float)inverse;
        }
}

/* ---- a task: some whole channels, in chunks of columns ---- */

enum { COLUMNS = 512 /* of a chunk: long runs of a row, sums that stay in the cache */ };

typedef struct span_argument {
    const rheo_work *work;
    rheo_norm norm;
    uint32_t t0, t1;
} span_argument;

typedef struct chunk {
    uint32_t first, count; /* columns */
    uint8_t slot[COLUMNS]; /* channel of each, from the task's first */
} chunk;

static uint32_t channels_a_task(const rheo_norm *n)
{
    return n->width >= RHEO_BLOCK ? 1 : RHEO_BLOCK / n->width;
}

static uint32_t tasks(const rheo_norm *n)
{
    const uint32_t each = channels_a_task(n);
    return n->channels / each + (n->channels % each != 0);
}

/* Channels of a task: first, and how many. */
static uint32_t task_channels(const rheo_norm *n, uint32_t task, uint32_t *first)
{
    const uint32_t each = channels_a_task(n);
    *first = task * each;
    return n->channels - *first < each ? n->channels - *first : each;
}

/* The chunk that starts at column `from` of the task; false behind the last. */
static bool chunk_at(const rheo_norm *n, uint32_t task, uint32_t from, chunk *c)
{
    uint32_t first, channels = task_channels(n, task, &first);
    const uint32_t columns = channels * n->width;
    if (from >= columns) return false;
    c->first = first * n->width + from;
    c->count = columns - from < COLUMNS ? columns - from : COLUMNS;
    for (uint32_t j = 0; j < c->count; j++) c->slot[j] = (uint8_t)((from + j) / n->width);
    return true;
}

/* Columns of a row as floats, bits expanded. */
static const float *columns(const rheo_signal *s, uint32_t t, uint32_t b, const chunk *c,
                            const rheo_kernels *kernels, float buffer[COLUMNS])
{
    if (s->form == RHEO_REAL) return rheo__real_row(s, t, b) + c->first;
    kernels->expand(rheo__bits_row(s, t, b), c->first, c->count, s->lo, s->hi, buffer);
    return buffer;
}

static void spread(const chunk *c, const float *channel, float out[COLUMNS])
{
    for (uint32_t j = 0; j < c->count; j++) out[j] = channel[c->slot[j]];
}

/* Sum of x (mean NULL) or of (x - mean)^2 of each channel of a task over steps [t0, t1). */
static void channel_sums(const span_argument *a, uint32_t task, const double *mean, double *sum)
{
    const rheo_work *work = a->work;
    const rheo_kernels *kernels = rheo__kernels(work->ctx);
    float buffer[COLUMNS];
    chunk c;
    memset(sum, 0, RHEO_BLOCK * sizeof *sum);
    for (uint32_t from = 0; chunk_at(&a->norm, task, from, &c); from += COLUMNS) {
        double column[COLUMNS] = {0}, centre[COLUMNS];
        for (uint32_t j = 0; j < c.count && mean; j++) centre[j] = mean[c.slot[j]];
        for (uint32_t t = a->t0; t < a->t1; t++)
            for (uint32_t b = 0; b < work->B; b++)
                kernels->column_sums(c.count, columns(work->in[0], t, b, &c, kernels, buffer),
                                     mean ? centre : NULL, column);
        for (uint32_t j = 0; j < c.count; j++) sum[c.slot[j]] += column[j];
    }
}

/* Statistics of a group of steps into the tape, and their share into the running values. */
static void learn_statistics(const span_argument *a, uint32_t task, uint32_t group)
{
    const rheo_work *work = a->work;
    const rheo_norm *n = &a->norm;
    const double epsilon = work->node->options.v[RHEO_NORM_EPSILON];
    const double share = work->node->options.v[RHEO_NORM_MOMENTUM];
    const double rows = (double)(a->t1 - a->t0) * work->B * n->width;
    const double unbiased = rows > 1 ? rows / (rows - 1) : 1;
    const uint32_t row = rheo__norm_row(n, (uint64_t)work->step0 + a->t0);
    uint32_t first;
    const uint32_t channels = task_channels(n, task, &first);
    double mean[RHEO_BLOCK], variance[RHEO_BLOCK];
    channel_sums(a, task, NULL, mean);
    for (uint32_t c = 0; c < channels; c++) mean[c] /= rows;
    channel_sums(a, task, mean, variance);
    float *running_mean = work->node->param[n->mean]->value + (size_t)row * n->channels + first;
    float *running = work->node->param[n->variance]->value + (size_t)row * n->channels + first;
    for (uint32_t c = 0; c < channels; c++) {
        variance[c] /= rows;
        tape_at(work, n, MEAN, group)[first + c] = (float)mean[c];
        tape_at(work, n, INVERSE, group)[first + c] = (float)(1 / sqrt(variance[c] + epsilon));
        running_mean[c] = (float)((1 - share) * (double)running_mean[c] + share * mean[c]);
        running[c] = (float)((1 - share) * (double)running[c] + share * variance[c] * unbiased);
    }
}

/* ---- forward ---- */

/* tebn's weight of step t; 1 for the others */
static float weight_of(const rheo_work *work, const rheo_norm *n, uint32_t t)
{
    if (n->weight < 0) return 1;
    const rheo_param *p = work->node->param[n->weight];
    const uint64_t at = (uint64_t)work->step0 + t;
    return p->value[at < p->cols ? (uint32_t)at : p->cols - 1];
}

/* y = w_t ((x - shift) scale + add) for the channels of a task at step t */
static void coefficients(const rheo_work *work, const rheo_norm *n, uint32_t t, uint32_t task,
                         float *shift, float *scale, float *add)
{
    const uint32_t row = rheo__norm_row(n, (uint64_t)work->step0 + t);
    const uint32_t group = groups(work, n) > 1 ? t : 0;
    uint32_t first;
    const uint32_t channels = task_channels(n, task, &first);
    rheo_param *const *p = work->node->param;
    const float *gamma = p[n->gamma]->value + (size_t)row * n->channels + first;
    const float w = weight_of(work, n, t);
    for (uint32_t c = 0; c < channels; c++) {
        if (work->train) {
            shift[c] = tape_at(work, n, MEAN, group)[first + c];
            scale[c] = gamma[c] * n->scale * tape_at(work, n, INVERSE, group)[first + c];
            add[c] = n->beta >= 0 ? p[n->beta]->value[first + c] : 0;
        } else {
            shift[c] = 0;
            scale[c] = derived_at(work, n, SCALE, row)[first + c];
            add[c] = derived_at(work, n, SHIFT, row)[first + c];
        }
        scale[c] *= w;
        add[c] *= w;
    }
}

static void forward_task(void *argument, uint32_t task, uint32_t thread)
{
    const span_argument *a = argument;
    const rheo_work *work = a->work;
    const rheo_norm *n = &a->norm;
    (void)thread;
    if (work->train) {
        const bool each = groups(work, n) > 1;
        for (uint32_t t = a->t0; t < a->t1; t = each ? t + 1 : a->t1)
            learn_statistics(&(span_argument){work, *n, t, each ? t + 1 : a->t1}, task,
                             each ? t : 0);
    }
    float of_shift[RHEO_BLOCK], of_scale[RHEO_BLOCK], of_add[RHEO_BLOCK];
    float shift[COLUMNS], scale[COLUMNS], add[COLUMNS], buffer[COLUMNS];
    const rheo_kernels *kernels = rheo__kernels(work->ctx);
    chunk c;
    for (uint32_t t = a->t0; t < a->t1; t++) {
        coefficients(work, n, t, task, of_shift, of_scale, of_add);
        for (uint32_t from = 0; chunk_at(n, task, from, &c); from += COLUMNS) {
            spread(&c, of_shift, shift);
            spread(&c, of_scale, scale);
            spread(&c, of_add, add);
            for (uint32_t b = 0; b < work->B; b++) {
                const rheo_norm_row row = {.n = c.count,
                                           .x = columns(work->in[0], t, b, &c, kernels, buffer),
                                           .mean = shift,
                                           .scale = scale,
                                           .shift = add};
                kernels->norm(&row, rheo__real_row(&work->out, t, b) + c.first);
            }
        }
    }
}

static void forward(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    span_argument a = {work, rheo__norm(work->node), t0, rheo__last_step(&work->out, t0, t1)};
    rheo_signal out = work->out;
    if (rheo__norm_folded(work->node)) {
        rheo__copy_rows(work->in[0], &out, work->B, t0, t1);
        return;
    }
    rheo__parallel(work->ctx, tasks(&a.norm), forward_task, &a);
    if (!work->train) return;
    work->node->param[a.norm.mean]->version++;
    work->node->param[a.norm.variance]->version++;
}

/* ---- backward ----
 * gx = gamma s / sqrt(var + epsilon) (w g - mean(w g) - h mean(w g h)); with running values w g. */

static const float *mean_of(const rheo_work *work, const rheo_norm *n, uint32_t t)
{
    if (work->train) return tape_at(work, n, MEAN, groups(work, n) > 1 ? t : 0);
    const uint32_t row = rheo__norm_row(n, (uint64_t)work->step0 + t);
    return work->node->param[n->mean]->value + (size_t)row * n->channels;
}

static const float *inverse_of(const rheo_work *work, const rheo_norm *n, uint32_t t)
{
    if (work->train) return tape_at(work, n, INVERSE, groups(work, n) > 1 ? t : 0);
    return derived_at(work, n, INVERSE_RUNNING, rheo__norm_row(n, (uint64_t)work->step0 + t));
}

/* Sums of w g and w g h over a group of steps into the tape. */
static void gradient_sums(const span_argument *a, uint32_t task, uint32_t group)
{
    const rheo_work *work = a->work;
    const rheo_norm *n = &a->norm;
    const rheo_kernels *kernels = rheo__kernels(work->ctx);
    double sum_g[RHEO_BLOCK] = {0}, sum_gh[RHEO_BLOCK] = {0};
    float buffer[COLUMNS], mean[COLUMNS], inverse[COLUMNS];
    uint32_t first;
    const uint32_t channels = task_channels(n, task, &first);
    chunk c;
    for (uint32_t from = 0; chunk_at(n, task, from, &c); from += COLUMNS) {
        double of_g[COLUMNS] = {0}, of_gh[COLUMNS] = {0};
        spread(&c, mean_of(work, n, a->t0) + first, mean);
        spread(&c, inverse_of(work, n, a->t0) + first, inverse);
        for (uint32_t t = a->t0; t < a->t1; t++) {
            const float w = weight_of(work, n, t);
            for (uint32_t b = 0; b < work->B; b++) {
                const rheo_norm_row row = {.n = c.count,
                                           .w = w,
                                           .x = columns(work->in[0], t, b, &c, kernels, buffer),
                                           .mean = mean,
                                           .inverse = inverse};
                kernels->norm_sums(&row, rheo__real_row(work->gout, t, b) + c.first, of_g, of_gh);
            }
        }
        for (uint32_t j = 0; j < c.count; j++) {
            sum_g[c.slot[j]] += of_g[j];
            sum_gh[c.slot[j]] += of_gh[j];
        }
    }
    for (uint32_t i = 0; i < channels; i++) {
        tape_at(work, n, SUM_G, group)[first + i] = (float)sum_g[i];
        tape_at(work, n, SUM_GH, group)[first + i] = (float)sum_gh[i];
    }
}

/* gx of one step; a static input takes the sum over the steps. */
static void input_gradient(const span_argument *a, uint32_t task, uint32_t t)
{
    const rheo_work *work = a->work;
    const rheo_norm *n = &a->norm;
    const uint32_t group = groups(work, n) > 1 ? t : 0;
    const double steps = groups(work, n) > 1 || !work->out.stride_t ? 1 : work->T;
    const double rows = work->train ? steps * work->B * n->width : INFINITY;
    const bool adds = t > 0 && work->gin[0].stride_t == 0;
    const size_t row = rheo__norm_row(n, (uint64_t)work->step0 + t);
    const float *gamma = work->node->param[n->gamma]->value + row * n->channels;
    uint32_t first;
    const uint32_t channels = task_channels(n, task, &first);
    const rheo_kernels *kernels = rheo__kernels(work->ctx);
    float factor[RHEO_BLOCK], mean_g[RHEO_BLOCK], mean_gh[RHEO_BLOCK], buffer[COLUMNS];
    float f[COLUMNS], mg[COLUMNS], mgh[COLUMNS], mean[COLUMNS], inverse[COLUMNS];
    const float w = weight_of(work, n, t);
    for (uint32_t i = 0; i < channels; i++) {
        factor[i] = gamma[first + i] * n->scale * inverse_of(work, n, t)[first + i];
        mean_g[i] = (float)((double)tape_at(work, n, SUM_G, group)[first + i] / rows);
        mean_gh[i] = (float)((double)tape_at(work, n, SUM_GH, group)[first + i] / rows);
    }
    chunk c;
    for (uint32_t from = 0; chunk_at(n, task, from, &c); from += COLUMNS) {
        spread(&c, factor, f), spread(&c, mean_g, mg), spread(&c, mean_gh, mgh);
        spread(&c, mean_of(work, n, t) + first, mean);
        spread(&c, inverse_of(work, n, t) + first, inverse);
        for (uint32_t b = 0; b < work->B; b++) {
            const rheo_norm_row in = {.n = c.count,
                                      .w = w,
                                      .x = columns(work->in[0], t, b, &c, kernels, buffer),
                                      .mean = mean,
                                      .inverse = inverse,
                                      .scale = f,
                                      .mean_g = mg,
                                      .mean_gh = mgh};
            kernels->norm_back(&in, rheo__real_row(work->gout, t, b) + c.first, adds,
                               rheo__real_row(&work->gin[0], t, b) + c.first);
        }
    }
}

static void backward_task(void *argument, uint32_t task, uint32_t thread)
{
    const span_argument *a = argument;
    const bool each = groups(a->work, &a->norm) > 1;
    (void)thread;
    for (uint32_t t = a->t0; t < a->t1; t = each ? t + 1 : a->t1)
        gradient_sums(&(span_argument){a->work, a->norm, t, each ? t + 1 : a->t1}, task,
                      each ? t : 0);
    if (!a->work->gin[0].real) return;
    for (uint32_t t = a->t0; t < a->t1; t++) input_gradient(a, task, t);
}

/* Sums first, then each number once; but tebn's weight wants in once more. */
static bool overwrites(const rheo_node_spec *node)
{
    return rheo__norm(node).weight < 0;
}

static void backward(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    if (!work->gout || rheo__norm_folded(work->node)) {
        rheo__pass_gradient(work, t0, t1);
        return;
    }
    span_argument a = {work, rheo__norm(work->node), 0, rheo__last_step(&work->out, 0, work->T)};
    rheo__parallel(work->ctx, tasks(&a.norm), backward_task, &a);
}

/* dL/d w_t of tebn = sum of g (gamma h + beta) over a step */
static void weight_task(void *argument, uint32_t t, uint32_t thread)
{
    const span_argument *a = argument;
    const rheo_work *work = a->work;
    const rheo_norm *n = &a->norm;
    const float *mean = mean_of(work, n, t), *inverse = inverse_of(work, n, t);
    const float *gamma = work->node->param[n->gamma]->value;
    const float *beta = work->node->param[n->beta]->value;
    const rheo_kernels *kernels = rheo__kernels(work->ctx);
    float buffer[COLUMNS];
    double sum = 0;
    chunk c;
    (void)thread;
    for (uint32_t task = 0; task < tasks(n); task++)
        for (uint32_t from = 0; chunk_at(n, task, from, &c); from += COLUMNS)
            for (uint32_t b = 0; b < work->B; b++) {
                const float *x = columns(work->in[0], t, b, &c, kernels, buffer);
                const float *g = rheo__real_row(work->gout, t, b) + c.first;
                for (uint32_t j = 0; j < c.count; j++) {
                    const uint32_t i = (c.first + j) / n->width;
                    sum +=
                        (double)g[j] * (double)((x[j] - mean[i]) * inverse[i] * gamma[i] + beta[i]);
                }
            }
    ((double *)work->scratch)[t] = sum;
}

static void gradient(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    const rheo_norm n = rheo__norm(work->node);
    (void)t0, (void)t1; /* the whole window */
    for (uint32_t p = 0; p < work->node->params; p++)
        if (work->grad[p]) memset(work->grad[p], 0, rheo__param_bytes(work->node->param[p]));
    if (!work->gout || rheo__norm_folded(work->node)) return;
    for (uint32_t group = 0; group < groups(work, &n); group++) {
        const size_t row = rheo__norm_row(&n, (uint64_t)work->step0 + group);
        for (uint32_t c = 0; c < n.channels; c++) {
            if (work->grad[n.gamma])
                work->grad[n.gamma][row * n.channels + c] +=
                    n.scale * tape_at(work, &n, SUM_GH, group)[c];
            if (n.beta >= 0 && work->grad[n.beta])
                work->grad[n.beta][c] += tape_at(work, &n, SUM_G, group)[c];
        }
    }
    if (n.weight < 0 || !work->grad[n.weight]) return;
    span_argument a = {work, n, 0, work->T};
    const uint32_t last = work->node->param[n.weight]->cols - 1;
    rheo__parallel(work->ctx, work->T, weight_task, &a);
    for (uint32_t t = 0; t < work->T; t++) {
        const uint64_t at = (uint64_t)work->step0 + t;
        work->grad[n.weight][at < last ? (uint32_t)at : last] +=
            (float)((double *)work->scratch)[t];
    }
}

static void count(const rheo_work *work, uint32_t t, uint32_t b0, uint32_t b1, rheo_counts *add)
{
    if ((work->out.stride_t == 0 && t > 0) || rheo__norm_folded(work->node)) return;
    const uint64_t n = rheo__shape_size(work->node->in);
    add->macs += (b1 - b0) * n;
    add->bytes += (b1 - b0) * n * 2 * sizeof(float);
}

const rheo_layer rheo__layer_norm = {
    .name = "norm",
    .title = "batch normalisation of channels over samples and steps",
    .equations = "h = (x - mean) / sqrt(variance + epsilon); batch: y = gamma h + beta; tdbn: y = "
                 "gamma alpha theta h + beta; bntt: y = gamma_t h, each step its own mean and "
                 "variance; tebn: y = w_t (gamma h + beta); training: of the batch, otherwise "
                 "running values",
    .source = "Ioffe & Szegedy 2015, arXiv:1502.03167; tdbn: Zheng et al. 2021, arXiv:2011.05280; "
              "bntt: Kim & Panda 2021, arXiv:2010.01729; tebn: Duan et al. 2022, NeurIPS 35",
    .kind = RHEO_MAPPING,
    .added_to = true,
    .overwrites = overwrites,
    .whole = true,
    .fields = fields,
    .infer = infer,
    .param = param,
    .initialise = initialise,
    .form = form,
    .need = need,
    .refresh = refresh,
    .forward = forward,
    .backward = backward,
    .gradient = gradient,
    .count = count,
    .reference_forward = rheo__norm_reference_forward,
    .reference_backward = rheo__norm_reference_backward,
};
