/* reference.c: the graph in double precision, one plain loop a node. The order of nodes and which
 * edges are late by a step come from a plan of one step; nodes of a cycle are stepped one by one: a
 * population is told the span, another node gets views that begin at the step. */
#include "exec/reference.h"
#include "exec/plan.h"
#include <string.h>

struct rheo_reference {
    rheo_context *ctx;
    rheo_net *net;
    rheo_plan *graph;
    rheo_reference_options options;
    rheo_reference_work *work; /* one a node */
    double **param, **grad;    /* one a parameter of the net */
    double **gnode;            /* one a node: dL/d out */
    const double **push;       /* one a node: the caller's, added to it */
    double **in, **gin;        /* one a node and port: sum of its sources, dL/d it */
    double *step_grad;         /* a node's gradients of one step */
};

static size_t row_of(const rheo_reference *r, uint32_t n)
{
    return (size_t)r->options.B * rheo__shape_size(r->net->node[n].out);
}

static size_t count_of(const rheo_reference *r, uint32_t n)
{
    return r->options.T * row_of(r, n);
}

static void release_each(rheo_reference *r, double **list, size_t count)
{
    for (size_t i = 0; list && i < count; i++) rheo__release(r->ctx, list[i]);
    rheo__release(r->ctx, list);
}

void rheo__reference_free(rheo_reference *r)
{
    if (!r) return;
    const uint32_t nodes = r->net->nodes;
    for (uint32_t n = 0; n < nodes && r->work; n++) {
        rheo__release(r->ctx, r->work[n].out);
        rheo__release(r->ctx, r->work[n].readout);
        rheo__release(r->ctx, r->work[n].keep);
    }
    release_each(r, r->gnode, nodes);
    rheo__release(r->ctx, r->push);
    release_each(r, r->in, (size_t)nodes * RHEO_PORTS);
    release_each(r, r->gin, (size_t)nodes * RHEO_PORTS);
    release_each(r, r->param, r->net->params);
    release_each(r, r->grad, r->net->params);
    rheo__release(r->ctx, r->step_grad);
    rheo__release(r->ctx, r->work);
    rheo_plan_free(r->graph);
    rheo__release(r->ctx, r);
}

static rheo_status doubles(rheo_context *ctx, size_t count, double **out)
{
    return rheo__alloc(ctx, count, sizeof(double), "the double reference", out);
}

static rheo_status make_params(rheo_reference *r)
{
    size_t most = 0;
    for (uint32_t p = 0; p < r->net->params; p++) {
        const rheo_param *param = &r->net->param[p];
        size_t count = (size_t)param->rows * param->cols;
        if (count > most) most = count;
        RHEO_TRY(doubles(r->ctx, count, &r->param[p]));
        RHEO_TRY(doubles(r->ctx, count, &r->grad[p]));
        for (size_t i = 0; i < count; i++) r->param[p][i] = (double)param->value[i];
    }
    return doubles(r->ctx, most * RHEO_NODE_PARAMS, &r->step_grad);
}

static rheo_status make_node(rheo_reference *r, uint32_t n)
{
    const rheo_node_spec *node = &r->net->node[n];
    const rheo_layer *layer = node->layer;
    rheo_reference_work *work = &r->work[n];
    RHEO_CHECK(r->ctx, n == 0 || (layer->reference_forward && layer->reference_backward),
               RHEO_UNSUPPORTED, "node '%s': there is no double reference of %s", node->name,
               layer->name);
    RHEO_CHECK(r->ctx, !r->graph->cyclic[n] || node->neuron || !layer->reset, RHEO_UNSUPPORTED,
               "node '%s': the double reference does not step a %s layer through a cycle",
               node->name, layer->name);
    *work = (rheo_reference_work){.node = node,
                                  .T = r->options.T,
                                  .B = r->options.B,
                                  .truncate = r->options.truncate,
                                  .train = r->options.train,
                                  .smooth = r->options.smooth,
                                  .seed = r->options.seed,
                                  .sample = r->options.sample,
                                  .show = r->options.show};
    RHEO_TRY(doubles(r->ctx, count_of(r, n), &work->out));
    RHEO_TRY(doubles(r->ctx, count_of(r, n), &r->gnode[n]));
    if (rheo__is_population(node)) RHEO_TRY(doubles(r->ctx, count_of(r, n), &work->readout));
    size_t keep = 0;
    if (layer->reference_need) keep = layer->reference_need(node, r->options.T, r->options.B);
    RHEO_TRY(doubles(r->ctx, keep, &work->keep));
    for (uint32_t i = 0; i < node->params; i++) {
        size_t p = (size_t)(node->param[i] - r->net->param);
        work->param[i] = r->param[p];
        work->grad[i] = r->grad[p];
    }
    for (uint32_t e = 0; e < r->net->edges; e++) {
        const rheo_edge *edge = &r->net->edge[e];
        const size_t at = (size_t)n * RHEO_PORTS + edge->port;
        if (edge->to != n || r->in[at]) continue;
        RHEO_TRY(doubles(r->ctx, count_of(r, edge->from), &r->in[at]));
        RHEO_TRY(doubles(r->ctx, count_of(r, edge->from), &r->gin[at]));
        work->in[edge->port] = r->in[at];
        work->gin[edge->port] = r->gin[at];
    }
    work->gout = r->gnode[n];
    return RHEO_OK;
}

static rheo_status make(rheo_reference *r)
{
    const uint32_t nodes = r->net->nodes, params = r->net->params;
    const size_t ports = (size_t)nodes * RHEO_PORTS;
    const rheo_request one = {.T = 1, .B = 1, .in_form = RHEO_REAL};
    RHEO_TRY(rheo__plan_new(r->net, &one, &r->graph));
    RHEO_TRY(rheo__alloc(r->ctx, nodes, sizeof *r->work, "the double reference", &r->work));
    RHEO_TRY(rheo__alloc(r->ctx, nodes, sizeof *r->gnode, "the double reference", &r->gnode));
    RHEO_TRY(rheo__alloc(r->ctx, nodes, sizeof *r->push, "the double reference", &r->push));
    RHEO_TRY(rheo__alloc(r->ctx, ports, sizeof *r->in, "the double reference", &r->in));
    RHEO_TRY(rheo__alloc(r->ctx, ports, sizeof *r->gin, "the double reference", &r->gin));
    RHEO_TRY(rheo__alloc(r->ctx, params, sizeof *r->param, "the double reference", &r->param));
    RHEO_TRY(rheo__alloc(r->ctx, params, sizeof *r->grad, "the double reference", &r->grad));
    RHEO_TRY(make_params(r));
    for (uint32_t n = 0; n < nodes; n++) RHEO_TRY(make_node(r, n));
    return RHEO_OK;
}

rheo_status rheo__reference_new(rheo_net *net, const rheo_reference_options *options,
                                rheo_reference **out)
{
    rheo_reference *r = NULL;
    RHEO_TRY(rheo__alloc(net->ctx, 1, sizeof *r, "the double reference", &r));
    *r = (rheo_reference){.ctx = net->ctx, .net = net, .options = *options};
    rheo_status status = make(r);
    if (status)
        rheo__reference_free(r);
    else
        *out = r;
    return status;
}

double *rheo__reference_param(rheo_reference *r, uint32_t param)
{
    return r->param[param];
}

const double *rheo__reference_grad(const rheo_reference *r, uint32_t param)
{
    return r->grad[param];
}

/* ---- running ---- */

/* The arrays of a node that is no population, as if its window were the steps of the span. */
static rheo_reference_work view_of(const rheo_reference *r, uint32_t n, uint32_t t0, uint32_t t1)
{
    rheo_reference_work w = r->work[n];
    const size_t at = t0 * row_of(r, n);
    w.t0 = t0;
    w.t1 = t1;
    if (w.node->neuron || t1 - t0 == w.T) return w;
    for (uint32_t p = 0; p < RHEO_PORTS; p++) {
        const size_t from =
            (size_t)t0 * w.B *
            rheo__shape_size(w.node->layer->ports > 1 ? w.node->port_in[p] : w.node->in);
        if (w.in[p]) w.in[p] += from;
        if (w.gin[p]) w.gin[p] += from;
    }
    w.out += at;
    if (w.gout) w.gout += at;
    w.T = t1 - t0;
    w.t0 = w.t1 = 0;
    return w;
}

/* What the sources of node n give in the steps, added up; a late edge gives the step before. */
static void gather(rheo_reference *r, uint32_t n, uint32_t t0, uint32_t t1)
{
    for (uint32_t p = 0; p < RHEO_PORTS; p++) {
        double *in = r->in[(size_t)n * RHEO_PORTS + p];
        bool first = true;
        for (uint32_t e = 0; e < r->net->edges && in; e++) {
            const rheo_edge *edge = &r->net->edge[e];
            if (edge->to != n || edge->port != p) continue;
            const size_t row = row_of(r, edge->from);
            const bool late = r->graph->delayed[e];
            const double *out = r->work[edge->from].out;
            for (size_t i = t0 * row; i < t1 * row; i++) {
                const double x = !late ? out[i] : i < row ? 0 : out[i - row];
                in[i] = first ? x : in[i] + x;
            }
            first = false;
        }
    }
}

/* dL/d in to the sources. */
static void scatter(rheo_reference *r, uint32_t n, uint32_t t0, uint32_t t1)
{
    const uint32_t K = r->options.truncate;
    for (uint32_t e = 0; e < r->net->edges; e++) {
        const rheo_edge *edge = &r->net->edge[e];
        const double *gin = r->gin[(size_t)n * RHEO_PORTS + edge->port];
        if (edge->to != n || !r->work[n].gin[edge->port]) continue;
        const size_t row = row_of(r, edge->from);
        const bool late = r->graph->delayed[e];
        for (uint32_t t = t0; t < t1; t++) {
            if (late && (t == 0 || (K && t % K == 0))) continue;
            double *to = r->gnode[edge->from] + (size_t)(late ? t - 1 : t) * row;
            for (size_t i = 0; i < row; i++) to[i] += gin[t * row + i];
        }
    }
}

static void run_node(rheo_reference *r, uint32_t n, uint32_t t0, uint32_t t1)
{
    if (n == 0) return;
    gather(r, n, t0, t1);
    const rheo_reference_work w = view_of(r, n, t0, t1);
    w.node->layer->reference_forward(&w);
}

void rheo__reference_forward(rheo_reference *r, const double *x)
{
    memcpy(r->work[0].out, x, count_of(r, 0) * sizeof *x);
    for (uint32_t s = 0; s < r->graph->stages; s++) {
        const rheo_stage *stage = &r->graph->stage[s];
        const uint32_t span = stage->cycle ? 1 : r->options.T;
        for (uint32_t t = 0; t < r->options.T; t += span)
            for (uint32_t i = 0; i < stage->count; i++)
                run_node(r, r->graph->order[stage->first + i], t, t + span);
    }
}

static void run_node_back(rheo_reference *r, uint32_t n, uint32_t t0, uint32_t t1)
{
    rheo_reference_work w = view_of(r, n, t0, t1);
    const rheo_node_spec *node = w.node;
    const bool step = t1 - t0 < r->options.T && !node->neuron;
    double *at = r->step_grad;
    if (n == 0) return;
    for (uint32_t i = 0; i < node->params && step; i++) {
        w.grad[i] = at;
        at += (size_t)node->param[i]->rows * node->param[i]->cols;
    }
    node->layer->reference_backward(&w);
    for (uint32_t i = 0; i < node->params && step; i++) {
        const size_t count = (size_t)node->param[i]->rows * node->param[i]->cols;
        for (size_t k = 0; k < count; k++) {
            const double before = t1 == r->options.T ? 0 : r->work[n].grad[i][k];
            r->work[n].grad[i][k] = before + w.grad[i][k];
        }
    }
    scatter(r, n, t0, t1);
}

/* dL/d in of a node that the input alone feeds is wanted only with dL/d x. */
static void want_inputs(rheo_reference *r, bool all)
{
    for (uint32_t e = 0; e < r->net->edges; e++) {
        const rheo_edge *edge = &r->net->edge[e];
        const size_t at = (size_t)edge->to * RHEO_PORTS + edge->port;
        if (edge->from == 0 && r->graph->head[e] == e)
            r->work[edge->to].gin[edge->port] = all ? r->gin[at] : NULL;
    }
    for (uint32_t e = 0; e < r->net->edges; e++) {
        const rheo_edge *edge = &r->net->edge[e];
        if (edge->from > 0)
            r->work[edge->to].gin[edge->port] = r->gin[(size_t)edge->to * RHEO_PORTS + edge->port];
    }
}

void rheo__reference_backward(rheo_reference *r, const double *gout, const double *greadout,
                              double *gx)
{
    const uint32_t output = r->net->output;
    for (uint32_t n = 0; n < r->net->nodes; n++) {
        memset(r->gnode[n], 0, count_of(r, n) * sizeof(double));
        if (r->push[n]) memcpy(r->gnode[n], r->push[n], count_of(r, n) * sizeof(double));
    }
    if (gout) memcpy(r->gnode[output], gout, count_of(r, output) * sizeof(double));
    r->work[output].greadout = greadout;
    want_inputs(r, gx != NULL);
    for (uint32_t s = r->graph->stages; s-- > 0;) {
        const rheo_stage *stage = &r->graph->stage[s];
        const uint32_t span = stage->cycle ? 1 : r->options.T;
        for (uint32_t t = r->options.T; t > 0; t -= span)
            for (uint32_t i = stage->count; i-- > 0;)
                run_node_back(r, r->graph->order[stage->first + i], t - span, t);
    }
    if (gx) memcpy(gx, r->gnode[0], count_of(r, 0) * sizeof(double));
}

const double *rheo__reference_out(const rheo_reference *r)
{
    return r->work[r->net->output].out;
}

const double *rheo__reference_readout(const rheo_reference *r)
{
    return r->work[r->net->output].readout;
}

const double *rheo__reference_membrane(const rheo_reference *r, uint32_t node)
{
    return r->work[node].readout;
}

void rheo__reference_push(rheo_reference *r, uint32_t node, const double *gout, const double *gv)
{
    r->push[node] = gout;
    r->work[node].greadout = gv;
}

const double *rheo__reference_node(const rheo_reference *r, uint32_t node)
{
    return r->work[node].out;
}

const double *rheo__reference_node_grad(const rheo_reference *r, uint32_t node)
{
    return r->gnode[node];
}
