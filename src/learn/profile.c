/* profile.c: what a profile knows of a net: its rows, and the least work of a window.
 *
 *   multiply-adds   forward as the meter counts it; the gradient of weights as much again, of places
 *                   that a gradient reaches; dL/d in: every synapse that the input does not feed
 *   bytes           each array that the phase reads or writes, once; an update reads and writes
 *                   parameters and the optimiser's memory */
#include "learn/profile.h"
#include "base/threads.h"
#include "cost/cost.h"
#include "layer/ports.h"
#include <stdio.h>
#include <string.h>

static uint32_t row_of(rheo_profile *p, const rheo_node_spec *node)
{
    const char *kind = node->neuron ? node->neuron->name : node->layer->name;
    uint32_t r = 0; /* a layer's weights and its neurons have one name */
    while (r < p->rows && (strcmp(p->row[r].name, node->name) || strcmp(p->row[r].kind, kind))) r++;
    if (r < p->rows) return r;
    snprintf(p->row[r].name, sizeof p->row[r].name, "%s", node->name);
    p->row[r].kind = kind;
    return p->rows++;
}

rheo_status rheo__profile_enter(rheo_context *ctx, rheo_profile *p, const rheo_net *net)
{
    if (!p) return RHEO_OK;
    RHEO_TRY(rheo__grow(ctx, p->rows + net->nodes, sizeof *p->row, "a profile", &p->row));
    RHEO_TRY(rheo__grow(ctx, net->nodes, sizeof *p->of, "a profile", &p->of));
    for (uint32_t n = 0; n < net->nodes; n++) p->of[n] = row_of(p, &net->node[n]);
    p->update = (rheo_cell){0};
    p->began = p->mark = rheo__now();
    return RHEO_OK;
}

static double elements(const rheo_node_spec *node)
{
    double sum = 0;
    for (uint32_t i = 0; i < node->params; i++)
        if (node->param[i]->trained || (node->synapse && !strcmp(node->param[i]->name, "weight")))
            sum += (double)node->param[i]->rows * node->param[i]->cols;
    return sum;
}

void rheo__profile_leave(rheo_profile *p, const rheo_net *net, uint32_t slots)
{
    if (!p) return;
    double all = 0;
    for (uint32_t n = 0; n < net->nodes; n++) all += elements(&net->node[n]);
    for (uint32_t n = 0; n < net->nodes; n++) {
        rheo_profile_row *row = &p->row[p->of[n]];
        rheo_cell *cell = &row->cell[RHEO_LAP_UPDATE];
        const double own = elements(&net->node[n]);
        if (!(own > 0)) continue;
        cell->seconds += p->update.seconds * own / all;
        cell->calls += p->update.calls;
        cell->bytes += (double)(cell->calls - row->settled) * own * 2 * (1 + slots) * sizeof(float);
        row->settled = cell->calls;
    }
    p->wall += rheo__now() - p->began;
}

static void add(rheo_cell *sum, const rheo_cell *cell)
{
    sum->seconds += cell->seconds;
    sum->macs += cell->macs;
    sum->bytes += cell->bytes;
}

rheo_cell rheo__profile_sum(const rheo_profile *p)
{
    rheo_cell sum = {0};
    for (uint32_t r = 0; r < p->rows; r++)
        for (uint32_t l = 0; l < RHEO_LAPS; l++) add(&sum, &p->row[r].cell[l]);
    for (uint32_t i = 0; i < RHEO_REST_TEST; i++) add(&sum, &p->rest[i]);
    return sum;
}

void rheo__profile_free(rheo_context *ctx, rheo_profile *p)
{
    if (!p) return;
    rheo__release(ctx, p->row);
    rheo__release(ctx, p->of);
    rheo__release(ctx, p);
}

/* ---- the least work of a window ---- */

static double signal_bytes(const rheo_plan *plan, const rheo_signal *s)
{
    if (!s || !s->real) return 0;
    const size_t element = s->form == RHEO_BITS ? sizeof(uint64_t) : sizeof(float);
    return (s->stride_t ? plan->request.T : 1.0) * plan->B * (double)(s->pitch * element);
}

static double port_bytes(const rheo_plan *plan, const rheo_work *work)
{
    double sum = 0;
    for (uint32_t i = 0; i < rheo__inputs(work->node); i++) sum += signal_bytes(plan, work->in[i]);
    return sum;
}

static double param_bytes(const rheo_work *work, bool gradients)
{
    double sum = 0;
    for (uint32_t i = 0; i < work->node->params; i++)
        if (!gradients || work->grad[i])
            sum += (double)work->node->param[i]->rows * work->node->param[i]->cols * sizeof(float);
    return sum;
}

/* macs: of the forward */
static void note(const rheo_plan *plan, uint32_t n, double macs)
{
    const rheo_work *work = &plan->work[n];
    const rheo_layer *layer = work->node->layer;
    const bool projection = layer->kind == RHEO_PROJECTION;
    rheo_cell *cell = plan->request.profile->row[plan->request.profile->of[n]].cell;
    const double in = port_bytes(plan, work), weights = param_bytes(work, false);
    double steps = 0, back = 0;
    cell[RHEO_LAP_FORWARD].macs += macs;
    if (layer->forward)
        cell[RHEO_LAP_FORWARD].bytes +=
            in + weights + signal_bytes(plan, &work->out) + signal_bytes(plan, &work->readout);
    if (!plan->request.gradient || !plan->wanted[n]) return;
    for (uint32_t i = 0; i < rheo__inputs(work->node); i++)
        back += signal_bytes(plan, &work->gin[i]);
    for (uint32_t b = 0; b < plan->B; b++) steps += rheo__plan_steps(plan, b);
    double from = signal_bytes(plan, work->gout);
    if (back > 0 && projection)
        cell[RHEO_LAP_BACKWARD].macs += steps * rheo__least_back(plan->net, n);
    if (work->giver) { /* does the consumer's backward in its own */
        cell[RHEO_LAP_BACKWARD].macs +=
            steps * rheo__least_back(plan->net, (uint32_t)(work->giver - plan->work));
        from = signal_bytes(plan, work->giver->gout) + param_bytes(work->giver, false);
    }
    if (back > 0 && layer->backward)
        cell[RHEO_LAP_BACKWARD].bytes += from + back + (projection ? weights : in);
    if (!layer->gradient || work->node->params == 0) return;
    if (projection) cell[RHEO_LAP_GRADIENT].macs += macs * rheo__reached(plan->net, n);
    cell[RHEO_LAP_GRADIENT].bytes += in + from + param_bytes(work, true);
}

enum { SLICES = 32 }; /* of a window, each counted by one thread */

typedef struct slices {
    const rheo_plan *plan;
    uint32_t n0, n1; /* nodes */
    rheo_counts counts[SLICES];
} slices;

static void count_slice(void *argument, uint32_t task, uint32_t thread)
{
    slices *s = argument;
    rheo_counts counts = {0};
    (void)thread;
    for (uint32_t n = s->n0; n < s->n1; n++)
        for (uint32_t t = task; t < s->plan->request.T; t += SLICES)
            rheo__plan_count_node(s->plan, n, t, 0, s->plan->B, &counts);
    s->counts[task] = counts;
}

static void count_nodes(const rheo_plan *plan, uint32_t n0, uint32_t n1, rheo_counts *add)
{
    const uint32_t tasks = plan->request.T < SLICES ? plan->request.T : SLICES;
    slices s = {.plan = plan, .n0 = n0, .n1 = n1};
    rheo__parallel(plan->ctx, tasks, count_slice, &s);
    for (uint32_t i = 0; i < tasks; i++) rheo__counts_add(add, &s.counts[i]);
}

void rheo__count_window(const rheo_plan *plan, rheo_counts *add)
{
    if (!plan->request.profile) {
        count_nodes(plan, 0, plan->net->nodes, add);
        return;
    }
    for (uint32_t n = 0; n < plan->net->nodes; n++) {
        const uint64_t before = add->macs + add->synops + add->weight_writes;
        count_nodes(plan, n, n + 1, add);
        note(plan, n, (double)(add->macs + add->synops + add->weight_writes - before));
    }
}
