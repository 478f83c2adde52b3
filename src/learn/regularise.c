/* regularise.c: a phase's regularisers at work: which populations each holds, and where in the plan
 * its gradients go: plan->pull at outputs, plan->lift at membranes (of the output population:
 * plan->greadout, which the loss may share). */
#include "learn/learn.h"
#include <string.h>

void rheo__regularise_ask(const rheo_phase *phase, rheo_request *request)
{
    for (uint32_t r = 0; r < phase->regularisers; r++) {
        const bool membrane = phase->regulariser[r].rule->membrane(&phase->regulariser[r].options);
        request->lift = request->lift || membrane;
        request->pull = request->pull || !membrane;
    }
}

size_t rheo__regularise_need(const rheo_net *net, const rheo_phase *phase)
{
    size_t most = 0;
    for (uint32_t n = 0; n < net->nodes && phase->regularisers > 0; n++) {
        const size_t size = rheo__shape_size(net->node[n].out);
        if (rheo__is_population(&net->node[n]) && size > most) most = size;
    }
    return most;
}

static void zero(const rheo_signal *s, uint32_t B)
{
    const uint32_t steps = s->real ? s->stride_t ? s->T : 1 : 0;
    for (uint32_t t = 0; t < steps; t++)
        memset(rheo__real_row(s, t, 0), 0, (size_t)B * s->pitch * sizeof(float));
}

/* The loss has filled one of the output's two gradients; the other must be 0 before it is added to.
 */
static void prepare(rheo_plan *plan, bool loss_membrane)
{
    const uint32_t output = plan->net->output;
    for (uint32_t n = 0; n < plan->net->nodes; n++) {
        zero(&plan->pull[n], plan->B);
        zero(&plan->lift[n], plan->B);
    }
    if (!loss_membrane && plan->request.lift) zero(&plan->greadout, plan->B);
    if (loss_membrane && plan->pull[output].real) {
        zero(&plan->gradient[output], plan->B);
        plan->work[output].gout = &plan->gradient[output];
    }
}

static bool holds(const rheo_phase_regulariser *own, const rheo_net *net, uint32_t n)
{
    const uint32_t layers = (uint32_t)own->options.v[RHEO_REGULARISE_LAYERS];
    if (!rheo__is_population(&net->node[n])) return false;
    return layers == RHEO_LAYERS_ALL || (layers == RHEO_LAYERS_OUTPUT) == (n == net->output);
}

static double hold(const rheo_phase_regulariser *own, rheo_plan *plan, uint32_t n, double *scratch)
{
    const rheo_work *work = &plan->work[n];
    rheo_signal *gv = n == plan->net->output ? &plan->greadout : &plan->lift[n];
    if (!(own->rule->membrane(&own->options) ? gv : &plan->pull[n])->real) return 0;
    const rheo_regularise call = {.options = &own->options,
                                  .B = plan->B,
                                  .length = plan->masked ? plan->length : NULL,
                                  .out = &work->out,
                                  .v = work->readout.real ? &work->readout : NULL,
                                  .gout = &plan->pull[n],
                                  .gv = gv,
                                  .scratch = scratch};
    return own->rule->value(&call);
}

double rheo__regularise(const rheo_phase *phase, rheo_plan *plan, bool loss_membrane,
                        double *scratch)
{
    double sum = 0;
    if (phase->regularisers == 0) return 0;
    prepare(plan, loss_membrane);
    for (uint32_t r = 0; r < phase->regularisers; r++)
        for (uint32_t n = 0; n < plan->net->nodes; n++)
            if (holds(&phase->regulariser[r], plan->net, n))
                sum += hold(&phase->regulariser[r], plan, n, scratch);
    return sum;
}

double rheo__regularise_reference(const rheo_phase *phase, const rheo_net *net,
                                  const rheo_reference *reference, uint32_t T, uint32_t B,
                                  double *const *gout, double *const *gv, double *scratch)
{
    double sum = 0;
    for (uint32_t r = 0; r < phase->regularisers; r++)
        for (uint32_t n = 0; n < net->nodes; n++) {
            const rheo_phase_regulariser *own = &phase->regulariser[r];
            if (!holds(own, net, n)) continue;
            const rheo_regularise_exact exact = {.T = T,
                                                 .N = rheo__shape_size(net->node[n].out),
                                                 .out = rheo__reference_node(reference, n),
                                                 .v = rheo__reference_membrane(reference, n),
                                                 .gout = gout[n],
                                                 .gv = gv[n]};
            const rheo_regularise call = {
                .options = &own->options, .B = B, .scratch = scratch, .exact = &exact};
            sum += own->rule->value(&call);
        }
    return sum;
}
