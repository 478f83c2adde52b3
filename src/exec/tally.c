/* tally.c: samples of unequal length, and what a plan counts: the steps behind a sample's end are
 * not there. Populations give 0 in them, so nothing after them is driven; losses do not look
 * (loss/loss.h), so nothing goes back; and nothing is counted. */
#include "exec/plan.h"
#include <math.h>
#include <string.h>

rheo_status rheo__plan_lengths(rheo_plan *plan, const uint32_t *length)
{
    const uint32_t T = plan->request.T;
    plan->masked = false;
    if (!length) return RHEO_OK;
    for (uint32_t b = 0; b < plan->B; b++)
        RHEO_CHECK(plan->ctx, length[b] >= 1 && length[b] <= T, RHEO_USAGE,
                   "plan: sample %u of the batch has %u steps, expected 1 to %u", b, length[b], T);
    for (uint32_t n = 0; n < plan->net->nodes; n++) {
        const rheo_node_spec *node = &plan->net->node[n];
        const bool running = !strcmp(node->layer->name, "norm") && !plan->request.train;
        RHEO_CHECK(
            plan->ctx, !node->layer->whole || running, RHEO_UNSUPPORTED,
            "node '%s': %s looks at the whole window, so all samples need the same number of "
            "steps",
            node->name, node->layer->name);
    }
    memcpy(plan->length, length, plan->B * sizeof *length);
    for (uint32_t b = 0; b < plan->B; b++) plan->masked = plan->masked || length[b] < T;
    return RHEO_OK;
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

/* Steps of a sample. */
static uint32_t steps_of(const rheo_plan *plan, uint32_t b)
{
    return plan->masked ? plan->length[b] : plan->request.T;
}

void rheo__plan_count(const rheo_plan *plan, uint32_t t, uint32_t b0, uint32_t b1, rheo_counts *add)
{
    for (uint32_t n = 0; n < plan->net->nodes; n++) {
        const rheo_work *work = &plan->work[n];
        if (!work->node->layer->count) continue;
        for (uint32_t b = b0, end; b < b1; b = end) {
            end = plan->masked ? b + 1 : b1;
            if (t < steps_of(plan, b)) work->node->layer->count(work, t, b, end, add);
        }
    }
}

static double silent_share(const rheo_plan *plan, const rheo_signal *out)
{
    uint32_t silent = 0;
    for (uint32_t w = 0; w < rheo__words(out->N); w++) {
        uint64_t fired = 0;
        for (uint32_t b = 0; b < plan->B; b++)
            for (uint32_t t = 0; t < steps_of(plan, b); t++) fired |= rheo__bits_row(out, t, b)[w];
        uint32_t here = out->N - w * 64 < 64 ? out->N - w * 64 : 64;
        silent += here - (uint32_t)__builtin_popcountll(fired);
    }
    return (double)silent / out->N;
}

void rheo__plan_activity(const rheo_plan *plan, uint32_t room, double *rate, double *silent)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < room; i++) rate[i] = silent[i] = NAN;
    for (uint32_t n = 0; n < plan->net->nodes && at < room; n++) {
        const rheo_work *work = &plan->work[n];
        if (!rheo__is_population(work->node)) continue;
        if (work->out.form == RHEO_BITS) {
            uint64_t spikes = 0, steps = 0;
            for (uint32_t b = 0; b < plan->B; b++) {
                steps += steps_of(plan, b);
                for (uint32_t t = 0; t < steps_of(plan, b); t++)
                    spikes += rheo__signal_popcount(&work->out, t, b, b + 1);
            }
            rate[at] = (double)spikes / ((double)steps * work->out.N);
            silent[at] = silent_share(plan, &work->out);
        }
        at++;
    }
}
