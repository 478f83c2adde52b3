/* tally.c: samples of unequal length, and what a plan counts: the steps behind a sample's end are
 * not there. Populations give 0 in them, so nothing after them is driven; losses do not look
 * (loss/loss.h), so nothing goes back; and nothing is counted. */
#include "exec/plan.h"
#include <assert.h>
#include <math.h>
#include <string.h>

void rheo__plan_lengths(rheo_plan *plan, const uint32_t *length)
{
    assert(plan->request.lengths || !length);
    plan->masked = false;
    for (uint32_t b = 0; length && b < plan->B; b++) {
        assert(length[b] >= 1 && length[b] <= plan->request.T);
        plan->length[b] = length[b];
        plan->masked = plan->masked || length[b] < plan->request.T;
    }
}

static void clear_row(const rheo_signal *s, uint32_t t, uint32_t b)
{
    if (s->form == RHEO_BITS)
        memset(rheo__bits_row(s, t, b), 0, rheo__words(s->N) * sizeof(uint64_t));
    else if (s->real)
        memset(rheo__real_row(s, t, b), 0, s->N * sizeof(float));
}

void rheo__plan_mask(const rheo_plan *plan, uint32_t n, uint32_t t0, uint32_t t1)
{
    const rheo_work *work = &plan->work[n];
    if (!plan->masked || !(rheo__is_population(work->node) || n == plan->net->output)) return;
    for (uint32_t b = 0; b < plan->B; b++)
        for (uint32_t t = t0 > plan->length[b] ? t0 : plan->length[b]; t < t1; t++) {
            if (work->out.stride_t) clear_row(&work->out, t, b);
            if (work->readout.real && work->readout.stride_t) clear_row(&work->readout, t, b);
        }
}

uint32_t rheo__plan_steps(const rheo_plan *plan, uint32_t b)
{
    return plan->masked ? plan->length[b] : plan->request.T;
}

void rheo__plan_count_node(const rheo_plan *plan, uint32_t n, uint32_t t, uint32_t b0, uint32_t b1,
                           rheo_counts *add)
{
    const rheo_work *work = &plan->work[n];
    if (!work->node->layer->count) return;
    for (uint32_t b = b0, end; b < b1; b = end) {
        end = plan->masked ? b + 1 : b1;
        if (t < rheo__plan_steps(plan, b)) work->node->layer->count(work, t, b, end, add);
    }
}

void rheo__plan_count(const rheo_plan *plan, uint32_t t, uint32_t b0, uint32_t b1, rheo_counts *add)
{
    for (uint32_t n = 0; n < plan->net->nodes; n++) rheo__plan_count_node(plan, n, t, b0, b1, add);
}

static double silent_share(const rheo_plan *plan, const rheo_signal *out)
{
    uint32_t silent = 0;
    for (uint32_t w = 0; w < rheo__words(out->N); w++) {
        uint64_t fired = 0;
        for (uint32_t b = 0; b < plan->B; b++)
            for (uint32_t t = 0; t < rheo__plan_steps(plan, b); t++)
                fired |= rheo__bits_row(out, t, b)[w];
        uint32_t here = out->N - w * 64 < 64 ? out->N - w * 64 : 64;
        silent += here - (uint32_t)__builtin_popcountll(fired);
    }
    return (double)silent / out->N;
}

double rheo__plan_rate(const rheo_plan *plan, uint32_t n)
{
    const rheo_signal *out = &plan->work[n].out;
    uint64_t spikes = 0, steps = 0;
    for (uint32_t b = 0; b < plan->B; b++) {
        steps += rheo__plan_steps(plan, b);
        for (uint32_t t = 0; t < rheo__plan_steps(plan, b); t++)
            spikes += rheo__signal_popcount(out, t, b, b + 1);
    }
    return (double)spikes / ((double)steps * out->N);
}

void rheo__plan_activity(const rheo_plan *plan, uint32_t room, double *rate, double *silent)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < room; i++) rate[i] = silent[i] = NAN;
    for (uint32_t n = 0; n < plan->net->nodes && at < room; n++) {
        const rheo_work *work = &plan->work[n];
        if (!rheo__is_population(work->node)) continue;
        if (work->out.form == RHEO_BITS) {
            rate[at] = rheo__plan_rate(plan, n);
            silent[at] = silent_share(plan, &work->out);
        }
        at++;
    }
}
