/* noise.c: Gaussian noise on active units in training.
 *
 *   y = x + sigma n   where x > 0, n ~ N(0, 1)      (training)
 *   y = x             elsewhere, and otherwise
 *
 * Hunsberger & Eliasmith 2015, "Spiking deep networks with LIF neurons", section 2.3: noise on the
 * rates of soft-LIF units stands for the variability of spikes; silent units stay silent. The
 * gradient passes unchanged. An element gets one draw a sample, the same at every step (the method
 * trains with one step), from (seed, node, noise) and (sample, show, 0, element/4). */
#include "layer/rows.h"

enum { SIGMA };
static const rheo_field fields[] = {
    RHEO_NUMBER_FIELD("sigma", "1", 0, 0, 1e6,
                      "Standard deviation of the noise, in the input's unit."),
    RHEO_FIELD_END};

static bool active(const rheo_work *work)
{
    return work->train && work->node->options.v[SIGMA] > 0;
}

static void form(const rheo_work *work, rheo_form *out, bool *fixed, float *lo, float *hi)
{
    rheo__form_real(work, out, fixed, lo, hi);
    const rheo_signal *in = work->in[0];
    if (active(work) || !in) return;
    *out = in->form;
    *lo = in->lo;
    *hi = in->hi;
}

static void normals(const uint32_t r[4], double out[4])
{
    rheo__normal(r[0], r[1], out);
    rheo__normal(r[2], r[3], out + 2);
}

typedef struct task_argument {
    const rheo_work *work;
    uint32_t t0, t1;
} task_argument;

static void forward_sample(void *argument, uint32_t b, uint32_t thread)
{
    const task_argument *a = argument;
    const rheo_work *work = a->work;
    const rheo_signal *y = &work->out;
    const rheo_key key = rheo__key(work->seed, work->node->index, RHEO_FOR_NOISE);
    const double sigma = work->node->options.v[SIGMA];
    float buffer[RHEO_BLOCK];
    (void)thread;
    for (uint32_t t = a->t0; t < rheo__last_step(y, a->t0, a->t1); t++)
        for (uint32_t block = 0; block < rheo__words(y->N); block++) {
            const float *from = rheo__block_row(work->in[0], t, b, block, buffer);
            float *to = rheo__real_row(y, t, b) + (size_t)block * RHEO_BLOCK;
            const uint32_t n = rheo__block_size(y->N, block);
            for (uint32_t j = 0; j < n; j += 4) {
                uint32_t r[4];
                double draw[4];
                rheo__draw(key, work, b, 0, (block * RHEO_BLOCK + j) / 4, r);
                normals(r, draw);
                for (uint32_t k = 0; k < 4 && j + k < n; k++)
                    to[j + k] = from[j + k] + (from[j + k] > 0 ? (float)(sigma * draw[k]) : 0);
            }
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

static void count(const rheo_work *work, uint32_t t, uint32_t b0, uint32_t b1, rheo_counts *add)
{
    if (active(work) && t == 0)
        add->draws += (uint64_t)(b1 - b0) * rheo__shape_size(work->node->in);
}

static void reference_forward(const rheo_reference_work *work)
{
    const uint32_t n = rheo__shape_size(work->node->in);
    const double sigma = work->train ? work->node->options.v[SIGMA] : 0;
    const rheo_key key = rheo__key(work->seed, work->node->index, RHEO_FOR_NOISE);
    const size_t step = (size_t)work->B * n;
    for (uint32_t t = 0; t < work->T; t++)
        for (uint32_t b = 0; b < work->B; b++)
            for (uint32_t j = 0; j < n; j++) {
                uint32_t r[4];
                double draw[4];
                rheo__reference_draw(key, work, b, 0, j / 4, r);
                normals(r, draw);
                const size_t at = t * step + (size_t)b * n + j;
                const double x = work->in[0] ? work->in[0][at] : 0;
                work->out[at] = x > 0 ? x + sigma * draw[j % 4] : x;
            }
}

static void reference_backward(const rheo_reference_work *work)
{
    const size_t size = (size_t)work->T * work->B * rheo__shape_size(work->node->in);
    if (work->gin[0])
        for (size_t i = 0; i < size; i++) work->gin[0][i] = work->gout ? work->gout[i] : 0;
}

const rheo_layer rheo__layer_noise = {
    .name = "noise",
    .title = "Gaussian noise on active units, in training",
    .equations = "training: y = x + sigma n where x > 0, n ~ N(0, 1); otherwise y = x",
    .source = "Hunsberger & Eliasmith 2015, arXiv:1510.08829, section 2.3",
    .kind = RHEO_MAPPING,
    .added_to = true,
    .fields = fields,
    .infer = rheo__infer_same,
    .form = form,
    .forward = forward,
    .backward = rheo__pass_gradient,
    .count = count,
    .reference_forward = reference_forward,
    .reference_backward = reference_backward,
};
