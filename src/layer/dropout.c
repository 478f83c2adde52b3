/* dropout.c: sets a part of its input to 0 in training.
 *
 *   y = x m / (1 - rate)   with m = 0 with probability `rate`, else 1     (training)
 *   y = x                                                                  (otherwise)
 *
 * One mask a sample serves the whole window, so that a unit is absent for the sample, not for a
 * step; or each step has its own. Srivastava et al. 2014, "Dropout", in its inverted form. The mask
 * is drawn from (seed, node, dropout) and (sample, show, step, element/4), step 0 for the window's.
 */
#include "layer/rows.h"
#include <string.h>

enum { RATE, MASK };
enum { WINDOW, STEP };
static const char *const mask_names[] = {"window", "step", NULL};
static const rheo_field fields[] = {
    RHEO_NUMBER_FIELD("rate", "1", 0.5, 0, 0.99, "Share of the inputs that is set to 0."),
    RHEO_CHOICE_FIELD("mask", WINDOW, mask_names,
                      "One mask for all steps of a sample, or one a step."),
    RHEO_FIELD_END};

static bool active(const rheo_work *work)
{
    return work->train && work->node->options.v[RATE] > 0;
}

static bool each_step(const rheo_node_spec *node)
{
    return (int)node->options.v[MASK] == STEP;
}

static void form(const rheo_work *work, rheo_form *out, bool *fixed, float *lo, float *hi)
{
    rheo__form_real(work, out, fixed, lo, hi);
    const rheo_signal *in = work->in[0];
    if (active(work) && each_step(work->node)) *fixed = false;
    if (active(work) || !in) return;
    *out = in->form;
    *lo = in->lo;
    *hi = in->hi;
}

static void need(const rheo_work *work, rheo_need *out)
{
    const uint32_t n = rheo__shape_size(work->node->in);
    if (active(work)) out->tape = (size_t)work->B * rheo__pitch(n);
}

static float factor(float uniform, double rate)
{
    return (double)uniform < rate ? 0 : (float)(1 / (1 - rate));
}

static float *mask_row(const rheo_work *work, uint32_t b)
{
    return work->tape + (size_t)b * rheo__pitch(rheo__shape_size(work->node->in));
}

static void draw_mask(const rheo_work *work, uint32_t b, uint32_t step)
{
    const uint32_t n = rheo__shape_size(work->node->in);
    const double rate = work->node->options.v[RATE];
    const rheo_key key = rheo__key(work->seed, work->node->index, RHEO_FOR_DROPOUT);
    float *mask = mask_row(work, b);
    for (uint32_t j = 0; j < n; j += 4) {
        uint32_t r[4];
        rheo__draw(key, work, b, step, j / 4, r);
        for (uint32_t k = 0; k < 4 && j + k < n; k++)
            mask[j + k] = factor(rheo__uniform(r[k]), rate);
    }
}

typedef struct task_argument {
    const rheo_work *work;
    uint32_t t0, t1;
} task_argument;

/* y = x mask, or y + x mask, at step t */
static void multiply(const rheo_signal *x, const rheo_signal *y, const float *mask, uint32_t b,
                     uint32_t t, bool add)
{
    float buffer[RHEO_BLOCK];
    for (uint32_t block = 0; block < rheo__words(y->N); block++) {
        const float *from = rheo__block_row(x, t, b, block, buffer);
        float *to = rheo__real_row(y, t, b) + (size_t)block * RHEO_BLOCK;
        const uint32_t n = rheo__block_size(y->N, block);
        const float *m = mask + (size_t)block * RHEO_BLOCK;
        if (add)
            for (uint32_t j = 0; j < n; j++) to[j] += from[j] * m[j];
        else
            for (uint32_t j = 0; j < n; j++) to[j] = from[j] * m[j];
    }
}

static void forward_sample(void *argument, uint32_t b, uint32_t thread)
{
    const task_argument *a = argument;
    const rheo_work *work = a->work;
    (void)thread;
    if (a->t0 == 0 && !each_step(work->node)) draw_mask(work, b, 0);
    for (uint32_t t = a->t0; t < rheo__last_step(&work->out, a->t0, a->t1); t++) {
        if (each_step(work->node)) draw_mask(work, b, work->step0 + t);
        multiply(work->in[0], &work->out, mask_row(work, b), b, t, false);
    }
}

static void forward(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    rheo_signal out = work->out;
    if (!active(work)) {
        rheo__copy_rows(work->in[0], &out, work->B, t0, t1);
        return;
    }
    task_argument a = {work, t0, t1};
    rheo__parallel(work->ctx, work->B, forward_sample, &a);
}

static void backward_sample(void *argument, uint32_t b, uint32_t thread)
{
    const task_argument *a = argument;
    const rheo_work *work = a->work;
    const rheo_signal *gin = &work->gin[0];
    (void)thread;
    for (uint32_t t = rheo__last_step(work->gout, a->t0, a->t1); t-- > a->t0;) {
        if (each_step(work->node)) draw_mask(work, b, work->step0 + t);
        multiply(work->gout, gin, mask_row(work, b), b, t,
                 gin->stride_t == 0 && work->gout->stride_t && t + 1 < work->T);
    }
}

static void backward(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    if (!active(work) || !work->gout || !work->gin[0].real) {
        rheo__pass_gradient(work, t0, t1);
        return;
    }
    task_argument a = {work, t0, t1};
    rheo__parallel(work->ctx, work->B, backward_sample, &a);
}

static void count(const rheo_work *work, uint32_t t, uint32_t b0, uint32_t b1, rheo_counts *add)
{
    if (active(work) && (t == 0 || each_step(work->node)))
        add->draws += (uint64_t)(b1 - b0) * rheo__shape_size(work->node->in);
}

static void reference(const rheo_reference_work *work, const double *x, double *y)
{
    const uint32_t n = rheo__shape_size(work->node->in);
    const double rate = work->node->options.v[RATE];
    const rheo_key key = rheo__key(work->seed, work->node->index, RHEO_FOR_DROPOUT);
    const size_t step = (size_t)work->B * n;
    for (uint32_t t = 0; t < work->T; t++)
        for (uint32_t b = 0; b < work->B; b++)
            for (uint32_t j = 0; j < n; j++) {
                uint32_t r[4];
                rheo__reference_draw(key, work, b, each_step(work->node) ? t : 0, j / 4, r);
                const bool drops = work->train && (double)rheo__uniform(r[j % 4]) < rate;
                const double m = !work->train ? 1 : drops ? 0 : 1 / (1 - rate);
                const size_t at = t * step + (size_t)b * n + j;
                y[at] = x ? x[at] * m : 0;
            }
}

static void reference_forward(const rheo_reference_work *work)
{
    reference(work, work->in[0], work->out);
}

static void reference_backward(const rheo_reference_work *work)
{
    if (work->gin[0]) reference(work, work->gout, work->gin[0]);
}

const rheo_layer rheo__layer_dropout = {
    .name = "dropout",
    .title = "dropout, one mask a sample or a step",
    .equations = "training: y = x m / (1 - rate), m in {0, 1}, P(m = 0) = rate; otherwise y = x",
    .source = "Srivastava et al. 2014, J. Mach. Learn. Res. 15:1929",
    .kind = RHEO_MAPPING,
    .added_to = true,
    .fields = fields,
    .infer = rheo__infer_same,
    .form = form,
    .need = need,
    .forward = forward,
    .backward = backward,
    .count = count,
    .reference_forward = reference_forward,
    .reference_backward = reference_backward,
};
