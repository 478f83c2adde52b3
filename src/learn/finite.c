/* finite.c: looks for the first value that is not finite, once, after training has met one.
 *
 * What is computed from finite values only and is not finite itself is the origin. Stages are
 * looked at in their order; within one, nodes of a cycle step by step. In the backward pass
 * everything runs the other way round: from the loss to the input, from the last step to the first.
 * A spiking population's membrane is not kept, so what overflows there is seen where it comes out.
 */
#include "learn/finite.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* An exponent of all ones: infinity or NaN. Without branches, for loops over all parameters. */
bool rheo__all_finite(const float *x, size_t count)
{
    const uint32_t exponent = UINT32_C(0x7f800000);
    uint32_t wrong = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, x + i, sizeof bits);
        wrong |= (uint32_t)((bits & exponent) == exponent);
    }
    return wrong == 0;
}

typedef struct place {
    uint32_t t, b, i;
    float value;
} place;

static const char *word(float value)
{
    return isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

/* The first in step t of a signal. */
static bool find_in_step(const rheo_signal *s, uint32_t t, uint32_t B, place *out)
{
    for (uint32_t b = 0; b < B; b++) {
        const float *row = rheo__real_row(s, t, b);
        if (rheo__all_finite(row, s->N)) continue;
        *out = (place){.t = t, .b = b};
        while (isfinite(row[out->i])) out->i++;
        out->value = row[out->i];
        return true;
    }
    return false;
}

/* Steps [first, last) of a signal that stand in memory; part: a segment of the window at most. */
typedef struct range {
    uint32_t first, last;
} range;
static range steps_of(const rheo_plan *plan, const rheo_signal *s, bool part)
{
    if (s->form != RHEO_REAL || !s->real) return (range){0, 0};
    if (!s->stride_t) return (range){0, 1};
    const bool more = part && s->T - s->first > plan->segment;
    return (range){s->first, more ? s->first + plan->segment : s->T};
}

/* In ascending order of time, or descending. */
static bool find(const rheo_plan *plan, const rheo_signal *s, bool part, bool back, place *out)
{
    const range r = steps_of(plan, s, part);
    for (uint32_t k = 0; k < r.last - r.first; k++)
        if (find_in_step(s, back ? r.last - 1 - k : r.first + k, plan->B, out)) return true;
    return false;
}

static bool find_input(const rheo_plan *plan, const float *x, uint32_t features, char *out,
                       size_t room)
{
    const uint32_t pitch = rheo__pitch(features);
    for (uint32_t b = 0; b < plan->B; b++)
        for (uint32_t i = 0; i < features; i++) {
            const float value = x[(size_t)b * pitch + i];
            if (isfinite(value)) continue;
            snprintf(out, room, "input %u of training sample %u is %s", i, plan->sample[b],
                     word(value));
            return true;
        }
    return false;
}

static bool find_param(const rheo_plan *plan, bool gradient, char *out, size_t room)
{
    for (uint32_t n = 0; n < plan->net->nodes; n++)
        for (uint32_t i = 0; i < plan->net->node[n].params; i++) {
            const rheo_param *param = plan->net->node[n].param[i];
            const float *x = gradient ? plan->work[n].grad[i] : param->value;
            const size_t count = (size_t)param->rows * param->cols;
            if (!x || rheo__all_finite(x, count)) continue;
            size_t at = 0;
            while (isfinite(x[at])) at++;
            snprintf(out, room, "%s%s.%s[%zu,%zu] is %s", gradient ? "the gradient of " : "",
                     param->node, param->name, at / param->cols, at % param->cols, word(x[at]));
            return true;
        }
    return false;
}

static void tell(const rheo_plan *plan, uint32_t n, const char *what, const place *at, char *out,
                 size_t room)
{
    snprintf(out, room, "%s of node '%s' at step %u, sample %u, element %u is %s", what,
             plan->net->node[n].name, at->t, plan->sample[at->b], at->i, word(at->value));
}

static bool find_output(const rheo_plan *plan, char *out, size_t room)
{
    for (uint32_t s = 0; s < plan->stages; s++) {
        const rheo_stage *stage = &plan->stage[s];
        const uint32_t steps = stage->cycle ? plan->request.T : 1;
        for (uint32_t t = 0; t < steps; t++)
            for (uint32_t i = 0; i < stage->count; i++) {
                const uint32_t n = plan->order[stage->first + i];
                const rheo_signal *signal = &plan->work[n].out;
                const range r = steps_of(plan, signal, plan->part[n]);
                const bool here = t >= r.first && t < r.last;
                place at;
                if (stage->cycle ? here && find_in_step(signal, t, plan->B, &at)
                                 : find(plan, signal, plan->part[n], false, &at)) {
                    tell(plan, n, "the output", &at, out, room);
                    return true;
                }
            }
    }
    place at;
    const rheo_signal *readout = rheo__plan_readout(plan);
    if (!readout || !find(plan, readout, false, false, &at)) return false;
    tell(plan, plan->net->output, "the membrane", &at, out, room);
    return true;
}

/* The gradient with respect to a node's output; cycles run over time together, so their nodes are
 * not told apart by time. */
static bool find_gradient(const rheo_plan *plan, char *out, size_t room)
{
    place at;
    if (find(plan, &plan->greadout, false, true, &at)) {
        tell(plan, plan->net->output, "the loss's gradient by the membrane", &at, out, room);
        return true;
    }
    for (uint32_t i = plan->net->nodes; i-- > 0;) {
        const uint32_t n = plan->order[i];
        if (!find(plan, &plan->gradient[n], !plan->kept[n], true, &at)) continue;
        tell(plan, n, "the gradient by the output", &at, out, room);
        return true;
    }
    return false;
}

void rheo__find_not_finite(rheo_plan *plan, const float *x, uint32_t features, char *out,
                           size_t room)
{
    if (find_input(plan, x, features, out, room) || find_param(plan, false, out, room)) return;
    char gradient[256];
    const bool back = find_gradient(plan, gradient, sizeof gradient) ||
                      find_param(plan, true, gradient, sizeof gradient);
    rheo__plan_reset(plan);
    rheo__plan_forward(plan);
    if (find_output(plan, out, room)) return;
    snprintf(out, room, "%s", back ? gradient : "all that came before it is finite");
}
