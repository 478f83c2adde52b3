/* reference.c: the graph in double precision, one plain loop a node. Feed-forward nets. */
#include "exec/reference.h"
#include "exec/plan.h"
#include <string.h>

struct rheo_reference {
    rheo_context *ctx;
    rheo_net *net;
    rheo_reference_options options;
    rheo_reference_work *work; /* one a node */
    double **param, **grad;    /* one a parameter of the net */
    double **gnode;            /* one a node: dL/d out */
};

static size_t count_of(const rheo_reference *r, uint32_t n)
{
    return (size_t)r->options.T * r->options.B * rheo__shape_size(r->net->node[n].out);
}

void rheo__reference_free(rheo_reference *r)
{
    if (!r) return;
    for (uint32_t n = 0; n < r->net->nodes; n++) {
        if (r->work) {
            rheo__release(r->ctx, r->work[n].out);
            rheo__release(r->ctx, r->work[n].readout);
            rheo__release(r->ctx, r->work[n].keep);
        }
        if (r->gnode) rheo__release(r->ctx, r->gnode[n]);
    }
    for (uint32_t p = 0; p < r->net->params; p++) {
        if (r->param) rheo__release(r->ctx, r->param[p]);
        if (r->grad) rheo__release(r->ctx, r->grad[p]);
    }
    rheo__release(r->ctx, r->work);
    rheo__release(r->ctx, r->param);
    rheo__release(r->ctx, r->grad);
    rheo__release(r->ctx, r->gnode);
    rheo__release(r->ctx, r);
}

static rheo_status doubles(rheo_context *ctx, size_t count, double **out)
{
    return rheo__alloc(ctx, count, sizeof(double), "the double reference", out);
}

static rheo_status make_params(rheo_reference *r)
{
    for (uint32_t p = 0; p < r->net->params; p++) {
        const rheo_param *param = &r->net->param[p];
        size_t count = (size_t)param->rows * param->cols;
        RHEO_TRY(doubles(r->ctx, count, &r->param[p]));
        RHEO_TRY(doubles(r->ctx, count, &r->grad[p]));
        for (size_t i = 0; i < count; i++) r->param[p][i] = (double)param->value[i];
    }
    return RHEO_OK;
}

static rheo_status make_node(rheo_reference *r, uint32_t n)
{
    const rheo_node_spec *node = &r->net->node[n];
    rheo_reference_work *work = &r->work[n];
    RHEO_CHECK(r->ctx, n == 0 || (node->layer->reference_forward && node->layer->reference_backward),
               RHEO_UNSUPPORTED, "node '%s': there is no double reference of %s", node->name,
               node->layer->name);
    *work = (rheo_reference_work){.node = node,
                                  .T = r->options.T,
                                  .B = r->options.B,
                                  .train = r->options.train,
                                  .smooth = r->options.smooth,
                                  .seed = r->options.seed,
                                  .sample = r->options.sample,
                                  .show = r->options.show};
    RHEO_TRY(doubles(r->ctx, count_of(r, n), &work->out));
    RHEO_TRY(doubles(r->ctx, count_of(r, n), &r->gnode[n]));
    if (node->neuron) RHEO_TRY(doubles(r->ctx, count_of(r, n), &work->readout));
    size_t keep = 0;
    if (node->layer->reference_need)
        keep = node->layer->reference_need(node, r->options.T, r->options.B);
    RHEO_TRY(doubles(r->ctx, keep, &work->keep));
    for (uint32_t i = 0; i < node->params; i++) {
        size_t p = (size_t)(node->param[i] - r->net->param);
        work->param[i] = r->param[p];
        work->grad[i] = r->grad[p];
    }
    for (uint32_t e = 0; e < r->net->edges; e++) {
        const rheo_edge *edge = &r->net->edge[e];
        if (edge->to != n) continue;
        RHEO_CHECK(r->ctx, edge->from < n && !work->in[edge->port], RHEO_UNSUPPORTED,
                   "node '%s': the double reference takes feed-forward nets without sums",
                   node->name);
        work->in[edge->port] = r->work[edge->from].out;
        work->gin[edge->port] = edge->from > 0 ? r->gnode[edge->from] : NULL;
    }
    work->gout = r->gnode[n];
    return RHEO_OK;
}

static rheo_status make(rheo_reference *r)
{
    uint32_t nodes = r->net->nodes, params = r->net->params;
    RHEO_TRY(rheo__alloc(r->ctx, nodes, sizeof *r->work, "the double reference", &r->work));
    RHEO_TRY(rheo__alloc(r->ctx, nodes, sizeof *r->gnode, "the double reference", &r->gnode));
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

void rheo__reference_forward(rheo_reference *r, const double *x)
{
    memcpy(r->work[0].out, x, count_of(r, 0) * sizeof *x);
    for (uint32_t n = 1; n < r->net->nodes; n++) r->net->node[n].layer->reference_forward(&r->work[n]);
}

const double *rheo__reference_out(const rheo_reference *r)
{
    return r->work[r->net->output].out;
}

const double *rheo__reference_readout(const rheo_reference *r)
{
    return r->work[r->net->output].readout;
}

const double *rheo__reference_node(const rheo_reference *r, uint32_t node)
{
    return r->work[node].out;
}

/* With one consumer a node, a consumer's gin is the producer's gradient. */
void rheo__reference_backward(rheo_reference *r, const double *gout, const double *greadout,
                              double *gx)
{
    uint32_t output = r->net->output;
    size_t count = count_of(r, output) * sizeof(double);
    if (gout)
        memcpy(r->gnode[output], gout, count);
    else
        memset(r->gnode[output], 0, count);
    r->work[output].greadout = greadout;
    for (uint32_t e = 0; e < r->net->edges; e++)
        if (r->net->edge[e].from == 0) r->work[r->net->edge[e].to].gin[r->net->edge[e].port] = gx;
    for (uint32_t n = r->net->nodes; n-- > 1;) r->net->node[n].layer->reference_backward(&r->work[n]);
}
