/* van_rossum.c: the distance of spike trains (van Rossum 2001): both are filtered, and the squares
 * of the difference are summed:
 *
 *   e[t,c] = sum_{u <= t} k(t - u) (s[u,c] - z[u,c]),   k(t) = exp(-t dt/tau) - exp(-t dt/rise)
 *   L = dt/(tau B C) sum_b sum_c sum_t e[t,b,c]^2
 *
 *   parameter  default  unit  meaning
 *   tau          10     ms    the filter's decay
 *   rise          0     ms    its rise; 0: none, k(t) = exp(-t dt/tau)
 *   correct       0.5   1     target z: spikes a step of the label's neuron, evenly spaced
 *   incorrect     0     1     of the other neurons
 *
 * With no rise a single spike too many or too few costs dt/tau / (1 - exp(-2 dt/tau)), near 1/2 as
 * in the paper. Data with real targets that move give the trains z themselves. With a rise it is
 * the loss of SuperSpike (Zenke & Ganguli 2018), but for the factor. */
#include "loss/loss.h"
#include <math.h>

enum { TAU, RISE, CORRECT, INCORRECT };
static const rheo_field fields[] = {
    RHEO_NUMBER_FIELD("tau", "ms", 10, 1e-6, 1e9, "The filter's decay."),
    RHEO_NUMBER_FIELD("rise", "ms", 0, 0, 1e9, "The filter's rise; 0: none."),
    RHEO_NUMBER_FIELD("correct", "1", 0.5, 0, 1, "Spikes a step of the label's target train."),
    RHEO_NUMBER_FIELD("incorrect", "1", 0, 0, 1, "Spikes a step of the other target trains."),
    RHEO_FIELD_END};

/* Evenly spaced, the last of each interval: floor(rate (t+1)) rises. A sum of neurons has as many
 * spikes as it has neurons. */
static double target(const rheo_loss_window *w, uint32_t t, uint32_t c)
{
    const double *v = w->options->v, rate = v[c == w->label ? CORRECT : INCORRECT];
    if (w->target) return rheo__loss_target(w, t, c, 0, 0);
    return w->share * (floor(rate * (t + 1.0) + 1e-9) - floor(rate * t + 1e-9));
}

static double window(const rheo_loss_window *w)
{
    const double *v = w->options->v, weight = w->dt / v[TAU] / w->C;
    const double decay = exp(-w->dt / v[TAU]), rise = v[RISE] > 0 ? exp(-w->dt / v[RISE]) : 0;
    double sum = 0;
    for (uint32_t c = 0; c < w->C; c++) {
        double slow = 0, fast = 0;
        for (uint32_t t = 0; t < w->T; t++) {
            const size_t i = (size_t)t * w->C + c;
            const double z = w->x[i] - target(w, t, c);
            slow = decay * slow + z;
            fast = v[RISE] > 0 ? rise * fast + z : 0;
            w->g[i] = slow - fast; /* e, until its adjoint stands here */
            sum += w->g[i] * w->g[i];
        }
        slow = fast = 0;
        for (uint32_t t = w->T; t-- > 0;) {
            const size_t i = (size_t)t * w->C + c;
            const double e = 2 * weight * w->g[i];
            slow = decay * slow + e;
            fast = v[RISE] > 0 ? rise * fast + e : 0;
            w->g[i] = slow - fast;
        }
    }
    return weight * sum;
}

const rheo_loss rheo__loss_van_rossum = {
    .name = "van-rossum",
    .title = "distance of filtered spike trains to target trains",
    .equations = "e = k * (s - z), k(t) = exp(-t/tau) - exp(-t/rise)\n"
                 "L = dt/(tau B C) sum_b sum_t sum_c e[t,b,c]^2",
    .source = "van Rossum 2001, Neural Computation 13:751; Zenke & Ganguli 2018, arXiv:1705.11146",
    .takes_target = true,
    .takes_moving = true,
    .fields = fields,
    .window = window,
};
