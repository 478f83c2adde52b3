/* api.c: plans as the public header shows them: floats in, floats out. */
#include "exec/plan.h"
#include <string.h>

rheo_status rheo_plan_new(rheo_net *net, const rheo_plan_options *options, rheo_plan **out)
{
    rheo_request request = {.T = options->steps,
                            .B = options->batch,
                            .in_form = RHEO_REAL,
                            .in_fixed = options->fixed,
                            .train = options->train,
                            .gradient = options->train,
                            .readout = options->train,
                            .record = options->record,
                            .lengths = options->lengths};
    return rheo__plan_new(net, &request, out);
}

void rheo_plan_reset(rheo_plan *plan)
{
    rheo__plan_batch(plan, plan->request.B, NULL, plan->work[0].show);
}

rheo_status rheo_plan_lengths(rheo_plan *plan, const uint32_t *length)
{
    RHEO_CHECK(plan->ctx, plan->request.lengths || !length, RHEO_USAGE,
               "lengths: the plan was made without `lengths`");
    for (uint32_t b = 0; length && b < plan->B; b++)
        RHEO_CHECK(plan->ctx, length[b] >= 1 && length[b] <= plan->request.T, RHEO_USAGE,
                   "lengths: sample %u has %u steps, expected 1 to the plan's %u", b, length[b],
                   plan->request.T);
    rheo__plan_lengths(plan, length);
    return RHEO_OK;
}

static void copy_in(rheo_plan *plan, const float *input)
{
    rheo_signal *s = &plan->work[0].out;
    uint32_t steps = s->stride_t ? s->T : 1;
    for (uint32_t t = 0; t < steps; t++)
        for (uint32_t b = 0; b < plan->B; b++)
            memcpy(rheo__real_row(s, t, b), input + ((size_t)t * plan->B + b) * s->N,
                   s->N * sizeof(float));
}

static void copy_out(const rheo_plan *plan, const rheo_signal *s, float *out)
{
    for (uint32_t t = 0; t < plan->request.T; t++)
        for (uint32_t b = 0; b < plan->B; b++)
            for (uint32_t n = 0; n < s->N; n++) *out++ = rheo__signal_get(s, t, b, n);
}

rheo_status rheo_advance(rheo_plan *plan, const float *input, float *output)
{
    copy_in(plan, input);
    rheo__plan_forward(plan);
    copy_out(plan, rheo__plan_output(plan), output);
    return RHEO_OK;
}

rheo_status rheo_forward(rheo_plan *plan, const float *input, float *output)
{
    rheo_plan_reset(plan);
    return rheo_advance(plan, input, output);
}

static bool node_of(const rheo_plan *plan, const char *path, uint32_t *node, const char **field)
{
    const char *dot = strrchr(path, '.');
    char name[32] = "";
    if (!dot || (size_t)(dot - path) >= sizeof name) return false;
    memcpy(name, path, (size_t)(dot - path));
    int found = rheo__net_find(plan->net, name, dot + 1);
    *node = (uint32_t)found;
    *field = dot + 1;
    return found >= 0;
}

rheo_status rheo_record(rheo_plan *plan, const char *path, float *out)
{
    uint32_t node;
    const char *field;
    const rheo_signal *signal = NULL;
    if (node_of(plan, path, &node, &field)) {
        if (!strcmp(field, "s")) signal = &plan->work[node].out;
        if (!strcmp(field, "v") && plan->work[node].readout.real)
            signal = &plan->work[node].readout;
    }
    RHEO_CHECK(plan->ctx, signal, RHEO_USAGE,
               "record: '%s' has not been recorded; name it in the plan's options", path);
    copy_out(plan, signal, out);
    return RHEO_OK;
}

static void copy_gradient(const rheo_plan *plan, const float *from, rheo_signal *g)
{
    if (!g->real) return;
    uint32_t T = plan->request.T, steps = g->stride_t ? T : 1;
    for (uint32_t t = 0; t < steps; t++)
        for (uint32_t b = 0; b < plan->B; b++)
            memset(rheo__real_row(g, t, b), 0, g->pitch * sizeof(float));
    if (!from) return;
    for (uint32_t t = 0; t < T; t++)
        for (uint32_t b = 0; b < plan->B; b++, from += g->N) {
            float *row = rheo__real_row(g, t, b);
            for (uint32_t n = 0; n < g->N && t < rheo__plan_steps(plan, b); n++) row[n] += from[n];
        }
}

rheo_status rheo_backward(rheo_plan *plan, const float *gout, const float *greadout)
{
    RHEO_CHECK(plan->ctx, plan->request.gradient, RHEO_USAGE,
               "backward: the plan was made without `train`");
    copy_gradient(plan, gout, &plan->gradient[plan->net->output]);
    copy_gradient(plan, greadout, &plan->greadout);
    rheo__plan_backward(plan);
    return RHEO_OK;
}

const float *rheo_gradient(const rheo_plan *plan, const char *path)
{
    uint32_t node;
    const char *field;
    if (!node_of(plan, path, &node, &field)) return NULL;
    const rheo_node_spec *spec = &plan->net->node[node];
    for (uint32_t i = 0; i < spec->params; i++)
        if (!strcmp(spec->param[i]->name, field)) return plan->work[node].grad[i];
    return NULL;
}
