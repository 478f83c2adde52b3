/* fold.c: a phase that puts batch normalisation into the weights before it, as it is used after
 * training: the net's function stays, its work and its parameters become those of the weights
 * alone, which conversion and chips without normalisation need.
 *
 *   w_o <- a_o w_o,  b_o <- a_o (b_o - mean_o) + beta_o,  a = gamma s / sqrt(variance + epsilon)
 *
 * Rueckauer et al. 2017, section 2.2.3; Jacob et al. 2018, arXiv:1712.05877, section 3.2. A folded
 * norm stays in the net as the identity, and counts nothing. */
#include "layer/norm.h"
#include "learn/learn.h"
#include <string.h>

static const rheo_field fields[] = {RHEO_FIELD_END};

/* The projection that alone feeds this norm and nothing else; NULL: there is none. */
static const rheo_node_spec *before(const rheo_net *net, uint32_t norm)
{
    uint32_t from = 0, sources = 0, uses = 0;
    for (uint32_t e = 0; e < net->edges; e++)
        if (net->edge[e].to == norm) from = net->edge[e].from, sources++;
    for (uint32_t e = 0; e < net->edges; e++) uses += net->edge[e].from == from;
    const bool alone = sources == 1 && uses == 1;
    return alone && net->node[from].layer->kind == RHEO_PROJECTION ? &net->node[from] : NULL;
}

static bool is_norm(const rheo_node_spec *node)
{
    return !strcmp(node->layer->name, "norm");
}

static rheo_status edit(rheo_session *session)
{
    const rheo_net *net = session->net;
    uint32_t found = 0;
    for (uint32_t n = 0; n < net->nodes; n++) {
        rheo_node_spec *norm = &net->node[n];
        if (!is_norm(norm) || rheo__norm_folded(norm)) continue;
        const rheo_node_spec *projection = before(net, n);
        RHEO_CHECK(session->ctx, projection, RHEO_USAGE,
                   "fold: norm '%s' does not follow weights that feed it alone", norm->name);
        RHEO_TRY(rheo__norm_may_fold(session->ctx, norm, projection));
        norm->options.v[RHEO_NORM_FOLDED] = 1;
        for (uint32_t p = 0; p < norm->params; p++) norm->param[p]->trained = false;
        found++;
    }
    RHEO_CHECK(session->ctx, found > 0, RHEO_USAGE, "fold: the net has no norm to fold");
    return RHEO_OK;
}

static rheo_status apply(rheo_session *session)
{
    const rheo_net *net = session->net;
    for (uint32_t n = 0; n < net->nodes;
         n++) /* what earlier folding left of a norm is the identity */
        if (is_norm(&net->node[n]) && rheo__norm_folded(&net->node[n]))
            RHEO_TRY(rheo__norm_fold(session->ctx, &net->node[n], before(net, n)));
    return RHEO_OK;
}

const rheo_learner rheo__learner_fold = {
    .name = "fold",
    .title = "batch normalisation becomes part of the weights before it",
    .equations = "w <- a w, b <- a (b - mean) + beta, a = gamma s / sqrt(variance + epsilon)",
    .source = "Rueckauer et al. 2017, section 2.2.3; Jacob et al. 2018, arXiv:1712.05877",
    .needs = "nothing",
    .fields = fields,
    .edit = edit,
    .apply = apply};
