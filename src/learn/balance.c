/* balance.c: first weights for a target rate.
 *
 *   for each hidden population, from the input on:
 *       find f in [2^-12, 2^12] with rate(f W, f b) = target by bisection of log f, on one batch
 *
 * W and b are the trained parameters of the projections that feed it, or of a normalisation
 * between. The rate rises with f as long as anything drives the population; where nothing does, or
 * where it cannot come near the target, the best factor that was tried stays, and a message says
 * so.
 *
 * Layer after layer by data, as LSUV does for variances (Mishkin & Matas 2016, arXiv:1511.06422);
 * rates in place of variances: Rossbroich, Gygax & Zenke 2022, "Fluctuation-driven initialization
 * for spiking neural network training", arXiv:2206.10226. */
#include "learn/balance.h"
#include "kernels/kernels.h"
#include <math.h>

#define REACH  12.0 /* log2 of the largest factor */
#define ROUNDS 16

typedef struct balancer {
    rheo_session *session;
    const rheo_plan *plan;
    double rate;
    void (*forward)(void *arg);
    void *arg;
} balancer;

static void scale_node(const balancer *b, const rheo_node_spec *node, double factor)
{
    for (uint32_t i = 0; i < node->params; i++) {
        rheo_param *param = node->param[i];
        if (!param->trained) continue;
        rheo__kernels(b->session->ctx)
            ->scale((float)factor, param->value, (size_t)param->rows * param->cols);
        param->version++;
    }
}

static bool trains(const rheo_node_spec *node)
{
    for (uint32_t i = 0; i < node->params; i++)
        if (node->param[i]->trained) return true;
    return false;
}

/* What feeds a node, through maps that have nothing to train; edges that run backward do not count.
 */
static uint32_t scale_sources(const balancer *b, uint32_t n, double factor)
{
    const rheo_net *net = b->session->net;
    uint32_t count = 0;
    for (uint32_t e = 0; e < net->edges; e++) {
        const uint32_t from = net->edge[e].from;
        const rheo_node_spec *node = &net->node[from];
        if (net->edge[e].to != n || b->plan->delayed[e] || node->neuron) continue;
        if (trains(node)) {
            scale_node(b, node, factor);
            count++;
        } else if (node->layer->kind == RHEO_MAPPING)
            count += scale_sources(b, from, factor);
    }
    return count;
}

static void balance_node(const balancer *b, uint32_t n)
{
    double low = -REACH, high = REACH, now = 0, best = 0, found = NAN;
    for (int round = 0; round < ROUNDS; round++) {
        const double next = round == 0 ? 0 : (low + high) / 2;
        if (scale_sources(b, n, exp2(next - now)) == 0) return;
        now = next;
        b->forward(b->arg);
        const double rate = rheo__plan_rate(b->plan, n);
        if (isnan(found) || fabs(rate - b->rate) < fabs(found - b->rate)) {
            found = rate;
            best = now;
        }
        *(rate < b->rate ? &low : &high) = now;
    }
    scale_sources(b, n, exp2(best - now));
    if (!(found > b->rate / 2 && found < b->rate * 2))
        rheo__message(b->session->ctx,
                      "target_rate: population '%s' fires at %.3g, and not at %.3g, whatever the "
                      "size of its weights",
                      b->session->net->node[n].name, found, b->rate);
}

void rheo__balance(rheo_session *session, const rheo_plan *plan, double rate,
                   void (*forward)(void *arg), void *arg)
{
    const balancer b = {session, plan, rate, forward, arg};
    for (uint32_t i = 0; i < session->net->nodes; i++) {
        const uint32_t n = plan->order[i];
        const rheo_neuron *neuron = session->net->node[n].neuron;
        if (neuron && neuron->out == RHEO_BITS && !(neuron->lo < 0) && n != session->net->output)
            balance_node(&b, n);
    }
}
