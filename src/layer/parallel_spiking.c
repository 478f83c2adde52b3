/* parallel_spiking.c: parallel spiking neurons: the membrane is a learned mixture of all steps'
 * input, without a reset, so that all steps are computed at once.
 *
 *   H_t = sum_s M_ts W_ts X_s,   S_t = [H_t >= theta_t]
 *   full     M = 1                                                     W [T,T], theta [T]
 *   masked   M_ts = 1 for t - order < s <= t, else 1 - lambda          W [T,T], theta [T]
 *   sliding  H_t = sum_i w_(order-1-i) X_(t-i), i < order              w [order], theta one
 *
 * Fang et al. 2023, "Parallel spiking neurons with high efficiency and ability to learn long-term
 * dependencies", arXiv:2304.12760. All neurons of the layer share W and theta; theta is
 * 1 and sliding's w 1, 1/2, 1/4 ... backward in time at the start, as in the authors' code; W as
 * PyTorch's linear layer. lambda goes from 0 to 1 over the epochs there; here it is constant.
 * Inputs of steps that a shorter window does not have are 0. `v` is H. */
#include "layer/firing.h"
#include <string.h>

enum { STEPS, KIND, ORDER, LAMBDA };
enum { FULL, MASKED, SLIDING };
enum { WEIGHT, THRESHOLD };
static const char *const kind_names[] = {"full", "masked", "sliding", NULL};
static const rheo_field fields[] = {
    RHEO_INTEGER_FIELD("steps", "1", 0, 0, 4096, "Steps of a sample; full and masked need it."),
    RHEO_CHOICE_FIELD("kind", FULL, kind_names, "Which steps a step sees."),
    RHEO_INTEGER_FIELD("order", "1", 2, 1, 4096, "For masked and sliding: how many, itself too."),
    RHEO_NUMBER_FIELD("lambda", "1", 1, 0, 1, "For masked: strength of the mask."),
    RHEO_SURROGATE_FIELDS(0),
    RHEO_FIELD_END};

static int kind_of(const rheo_node_spec *node)
{
    return (int)node->options.v[KIND];
}

static uint32_t order_of(const rheo_node_spec *node)
{
    return (uint32_t)node->options.v[ORDER];
}

static uint32_t steps_of(const rheo_node_spec *node)
{
    return (uint32_t)node->options.v[STEPS];
}

static rheo_status infer(rheo_context *ctx, rheo_node_spec *node)
{
    RHEO_CHECK(ctx, kind_of(node) == SLIDING || steps_of(node) >= 1, RHEO_USAGE,
               "net node %s: parallel-spiking neurons have weights for each step; give steps, the "
               "number of steps of a sample, or take kind sliding",
               node->name);
    return rheo__infer_same(ctx, node);
}

static bool param(const rheo_node_spec *node, uint32_t index, rheo_param *out)
{
    const bool sliding = kind_of(node) == SLIDING;
    if (index > THRESHOLD) return false;
    if (index == WEIGHT)
        rheo__param_entry(out, "weight", sliding ? 1 : steps_of(node),
                          sliding ? order_of(node) : steps_of(node));
    else
        rheo__param_entry(out, "threshold", 1, sliding ? 1 : steps_of(node));
    return true;
}

static void initialise(rheo_context *ctx, const rheo_node_spec *node, uint64_t seed)
{
    const rheo_param *w = node->param[WEIGHT], *theta = node->param[THRESHOLD];
    const float bound = (float)(1 / sqrt((double)w->cols));
    const size_t n = (size_t)w->rows * w->cols;
    (void)ctx;
    if (kind_of(node) == SLIDING)
        for (uint32_t i = 0; i < w->cols; i++) w->value[i] = ldexpf(1, (int)i + 1 - (int)w->cols);
    else
        rheo__fill_uniform(rheo__key(seed, node->index, RHEO_FOR_WEIGHTS), 0, -bound, bound,
                           w->value, n);
    for (uint32_t t = 0; t < theta->cols; t++) theta->value[t] = 1;
}

static void form(const rheo_work *work, rheo_form *out, bool *fixed, float *lo, float *hi)
{
    (void)work;
    *out = RHEO_BITS;
    *fixed = false;
    *lo = 0;
    *hi = 1;
}

/* Index in `weight` of what step t takes of step s, and M_ts; -1: nothing. */
static int64_t entry(const rheo_node_spec *node, uint32_t t, uint32_t s, double *mask)
{
    const bool seen = s <= t && t - s < order_of(node);
    *mask = 1;
    if (kind_of(node) == SLIDING) return seen ? (int64_t)order_of(node) - 1 - (t - s) : -1;
    if (kind_of(node) == MASKED && !seen) *mask = 1 - node->options.v[LAMBDA];
    return (int64_t)t * steps_of(node) + s;
}

static uint32_t theta_at(const rheo_node_spec *node, uint32_t t)
{
    return kind_of(node) == SLIDING ? 0 : t;
}

/* ---- memory: derived M W [T][T]; tape dL/dH [T][B][row] and dL/d theta [T] ---- */

/* Columns of a sample that a product sees: a row with what pads it, which is 0. */
static uint32_t row_of(const rheo_work *work)
{
    const uint32_t n = rheo__shape_size(work->node->in);
    return work->in[0] && work->in[0]->form == RHEO_BITS ? rheo__words(n) * 64 : rheo__pitch(n);
}

static size_t plane(const rheo_work *work)
{
    return (size_t)work->T * work->B * row_of(work);
}

/* Scratch: H or dL/dX [T][B][row], dL/d(M W) [T][T], the product's own. */
static float *square_at(const rheo_work *work)
{
    return (void *)((char *)work->scratch + rheo__round64(plane(work) * sizeof(float)));
}

static void *product_scratch(const rheo_work *work)
{
    const size_t square = (size_t)work->T * work->T * sizeof(float);
    return (char *)work->scratch + rheo__round64(plane(work) * sizeof(float)) +
           rheo__round64(square);
}

static void need(const rheo_work *work, rheo_need *out)
{
    const uint32_t T = work->T, columns = work->B * row_of(work);
    const size_t square = (size_t)T * T;
    const size_t mixing = rheo__product_scratch(work->ctx, RHEO_FLOAT32, T, columns, T);
    const size_t weights = rheo__product_scratch(work->ctx, RHEO_FLOAT32, T, T, columns);
    out->derived = square;
    out->scratch = rheo__round64(plane(work) * sizeof(float)) +
                   rheo__round64(square * sizeof(float)) + (mixing > weights ? mixing : weights);
    if (work->gradient) out->tape = plane(work) + T;
}

static void refresh(const rheo_work *work)
{
    double mask;
    for (uint32_t t = 0; t < work->T; t++)
        for (uint32_t s = 0; s < work->T; s++) {
            const int64_t at = entry(work->node, t, s, &mask);
            work->derived[(size_t)t * work->T + s] =
                at < 0 ? 0 : (float)(mask * (double)work->node->param[WEIGHT]->value[at]);
        }
}

/* ---- products ---- */

/* The input as a matrix of steps and columns; along: k runs over the columns, else over the steps.
 */
static rheo_operand input(const rheo_work *work, bool along)
{
    const rheo_signal *in = work->in[0];
    if (in->form == RHEO_BITS)
        return (rheo_operand){.bits = in->bits,
                              .row = in->stride_t,
                              .col = along ? 1 : 0,
                              .lo = in->lo,
                              .hi = in->hi};
    return (rheo_operand){
        .real = in->real, .row = along ? in->stride_t : 1, .col = along ? 1 : in->stride_t};
}

/* scratch = (M W) X, or its transpose times dL/dH */
static void mix(const rheo_work *work, bool turned)
{
    const uint32_t T = work->T, columns = work->B * row_of(work);
    const rheo_operand back = {.real = work->tape, .row = 1, .col = columns};
    rheo__product(
        work->ctx,
        &(rheo_product){.M = T,
                        .N = columns,
                        .K = T,
                        .a = {.real = work->derived, .row = turned ? 1 : T, .col = turned ? T : 1},
                        .b = turned ? back : input(work, false),
                        .c = work->scratch,
                        .c_row = columns},
        product_scratch(work));
}

static const float *mixed(const rheo_work *work, uint32_t t, uint32_t b)
{
    return (const float *)work->scratch + ((size_t)t * work->B + b) * row_of(work);
}

/* ---- forward ---- */

static void fire_step(void *argument, uint32_t t, uint32_t thread)
{
    const rheo_work *work = argument;
    const float theta = work->node->param[THRESHOLD]->value[theta_at(work->node, t)];
    (void)thread;
    for (uint32_t b = 0; b < work->B; b++) {
        const float *h = mixed(work, t, b);
        uint64_t *s = rheo__bits_row(&work->out, t, b);
        memset(s, 0, rheo__words(work->out.N) * sizeof *s);
        for (uint32_t j = 0; j < work->out.N; j++)
            s[j / 64] |= (uint64_t)(h[j] - theta >= 0) << j % 64;
        if (work->readout.real)
            memcpy(rheo__real_row(&work->readout, t, b), h, work->out.N * sizeof *h);
    }
}

static void forward(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    rheo_work copy = *work;
    (void)t0, (void)t1; /* the whole window */
    mix(work, false);
    rheo__parallel(work->ctx, work->T, fire_step, &copy);
}

/* ---- backward ---- */

/* dL/dH of a step into the tape, and dL/d theta. */
static void fall_step(void *argument, uint32_t t, uint32_t thread)
{
    const rheo_work *work = argument;
    const rheo_pseudo pseudo = rheo__node_pseudo(work->node);
    const float theta = work->node->param[THRESHOLD]->value[theta_at(work->node, t)];
    const uint32_t row = row_of(work), N = work->out.N;
    float x[RHEO_BLOCK] = {0}, d[RHEO_BLOCK];
    double sum = 0;
    (void)thread;
    for (uint32_t b = 0; b < work->B; b++) {
        const float *h = mixed(work, t, b);
        float *to = work->tape + ((size_t)t * work->B + b) * row;
        memset(to, 0, row * sizeof *to);
        for (uint32_t block = 0; block < rheo__words(N); block++) {
            const uint32_t first = block * RHEO_BLOCK, n = rheo__block_size(N, block);
            for (uint32_t j = 0; j < n; j++) x[j] = h[first + j] - theta;
            rheo__surrogate_derivative(work->ctx, &pseudo, x, d, 1, RHEO_BLOCK);
            for (uint32_t j = 0; j < n && work->gout; j++) {
                to[first + j] = rheo__real_row(work->gout, t, b)[first + j] * d[j];
                sum -= (double)to[first + j];
            }
            for (uint32_t j = 0; j < n && work->greadout; j++)
                to[first + j] += rheo__real_row(work->greadout, t, b)[first + j];
        }
    }
    work->tape[plane(work) + t] = (float)sum;
}

static void give_row(void *argument, uint32_t b, uint32_t thread)
{
    const rheo_work *work = argument;
    const rheo_signal *gin = &work->gin[0];
    (void)thread;
    for (uint32_t t = 0; t < work->T; t++) {
        const float *from = mixed(work, t, b);
        float *to = rheo__real_row(gin, t, b);
        const bool adds = t > 0 && gin->stride_t == 0;
        for (uint32_t j = 0; j < gin->N; j++) to[j] = adds ? to[j] + from[j] : from[j];
    }
}

static void backward(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    rheo_work copy = *work;
    (void)t0, (void)t1; /* the whole window */
    mix(work, false);
    rheo__parallel(work->ctx, work->T, fall_step, &copy);
    if (!work->gin[0].real) return;
    mix(work, true);
    rheo__parallel(work->ctx, work->B, give_row, &copy);
}

static void gradient(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    const uint32_t T = work->T, columns = work->B * row_of(work);
    (void)t0, (void)t1; /* the whole window */
    for (uint32_t p = 0; p <= THRESHOLD; p++)
        if (work->grad[p]) memset(work->grad[p], 0, rheo__param_bytes(work->node->param[p]));
    if (work->grad[THRESHOLD])
        for (uint32_t t = 0; t < T; t++)
            work->grad[THRESHOLD][theta_at(work->node, t)] += work->tape[plane(work) + t];
    if (!work->grad[WEIGHT]) return;
    float *square = square_at(work);
    rheo__product(work->ctx,
                  &(rheo_product){.M = T,
                                  .N = T,
                                  .K = columns,
                                  .a = {.real = work->tape, .row = columns, .col = 1},
                                  .b = input(work, true),
                                  .c = square,
                                  .c_row = T},
                  product_scratch(work));
    for (uint32_t t = 0; t < T; t++)
        for (uint32_t s = 0; s < T; s++) {
            double mask;
            const int64_t at = entry(work->node, t, s, &mask);
            if (at >= 0) work->grad[WEIGHT][at] += (float)mask * square[(size_t)t * T + s];
        }
}

/* ---- counts and reference ---- */

/* Inputs of a step meet a weight for each step that sees them. */
static void count(const rheo_work *work, uint32_t t, uint32_t b0, uint32_t b1, rheo_counts *add)
{
    const rheo_signal *in = work->in[0];
    const uint64_t n = (uint64_t)(b1 - b0) * work->out.N;
    uint64_t seen = 0;
    for (uint32_t s = 0; s < work->T; s++) {
        double mask;
        seen += entry(work->node, s, t, &mask) >= 0 && mask > 0;
    }
    if (in->form == RHEO_BITS && !(in->lo < 0))
        add->acs += rheo__signal_popcount(in, t, b0, b1) * seen;
    else
        add->macs += n * seen;
    add->updates += n;
    add->bytes += n * sizeof(float) * 2;
    add->spikes += rheo__signal_popcount(&work->out, t, b0, b1);
}

static uint32_t most_steps(const rheo_node_spec *node)
{
    return kind_of(node) == SLIDING ? UINT32_MAX : steps_of(node);
}

/* keep: H */
static size_t reference_need(const rheo_node_spec *node, uint32_t T, uint32_t B)
{
    return (size_t)T * B * rheo__shape_size(node->in);
}

static void reference_forward(const rheo_reference_work *work)
{
    const size_t row = (size_t)work->B * rheo__shape_size(work->node->in);
    const rheo_pseudo pseudo = rheo__node_pseudo(work->node);
    memset(work->keep, 0, work->T * row * sizeof *work->keep);
    for (uint32_t t = 0; t < work->T; t++)
        for (uint32_t s = 0; s < work->T && work->in[0]; s++) {
            double mask;
            const int64_t at = entry(work->node, t, s, &mask);
            if (at < 0) continue;
            for (size_t j = 0; j < row; j++)
                work->keep[t * row + j] +=
                    mask * work->param[WEIGHT][at] * work->in[0][s * row + j];
        }
    for (size_t i = 0; i < work->T * row; i++) {
        const double theta = work->param[THRESHOLD][theta_at(work->node, (uint32_t)(i / row))];
        work->out[i] = rheo__firing(work->keep[i] - theta, false, work->smooth, &pseudo);
        if (work->readout) work->readout[i] = work->keep[i];
    }
}

static void reference_backward(const rheo_reference_work *work)
{
    const size_t row = (size_t)work->B * rheo__shape_size(work->node->in);
    const rheo_pseudo pseudo = rheo__node_pseudo(work->node);
    for (uint32_t p = 0; p <= THRESHOLD; p++)
        if (work->grad[p])
            memset(work->grad[p], 0,
                   (size_t)work->node->param[p]->rows * work->node->param[p]->cols *
                       sizeof(double));
    if (work->gin[0]) memset(work->gin[0], 0, work->T * row * sizeof(double));
    for (uint32_t t = 0; t < work->T; t++)
        for (size_t j = 0; j < row; j++) {
            const size_t i = t * row + j;
            const double theta = work->param[THRESHOLD][theta_at(work->node, t)];
            const double gs = work->gout ? work->gout[i] : 0;
            const double gx = gs * rheo__pseudo_derivative(&pseudo, work->keep[i] - theta);
            const double gh = gx + (work->greadout ? work->greadout[i] : 0);
            if (work->grad[THRESHOLD]) work->grad[THRESHOLD][theta_at(work->node, t)] -= gx;
            for (uint32_t s = 0; s < work->T; s++) {
                double mask;
                const int64_t at = entry(work->node, t, s, &mask);
                if (at < 0) continue;
                if (work->grad[WEIGHT] && work->in[0])
                    work->grad[WEIGHT][at] += mask * gh * work->in[0][s * row + j];
                if (work->gin[0]) work->gin[0][s * row + j] += mask * gh * work->param[WEIGHT][at];
            }
        }
}

const rheo_layer rheo__layer_parallel_spiking = {
    .name = "parallel-spiking",
    .title = "parallel spiking neurons (PSN, masked, sliding)",
    .equations =
        "H_t = sum_s M_ts W_ts X_s, S_t = [H_t >= theta_t]; masked: M_ts = 1 for t - order "
        "< s <= t, else 1 - lambda; sliding: H_t = sum_i w_(order-1-i) X_(t-i)",
    .source = "Fang et al. 2023, arXiv:2304.12760",
    .kind = RHEO_POPULATION,
    .whole = true,
    .all_steps = true,
    .fields = fields,
    .infer = infer,
    .param = param,
    .initialise = initialise,
    .form = form,
    .need = need,
    .most_steps = most_steps,
    .refresh = refresh,
    .forward = forward,
    .backward = backward,
    .gradient = gradient,
    .count = count,
    .reference_need = reference_need,
    .reference_forward = reference_forward,
    .reference_backward = reference_backward,
};
