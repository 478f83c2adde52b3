/* plan_cases.h: nets at work, for the tests that hold for every plan: the same numbers come out
 * whatever the threads, the instruction set, the batch and the span of steps. */
#ifndef RHEO_TESTS_PLAN_CASES_H
#define RHEO_TESTS_PLAN_CASES_H
#include "nets.h"

typedef struct plan_case {
    const char *label;
    net_text net;
    uint32_t T, B;
    float level; /* of the input, see numbers() */
    bool fixed, train, gradient, learn;
    bool mixes; /* samples see each other (batch statistics) */
} plan_case;

/* A hidden population that drives itself. */
#define RECURRENT_NET(model, out)                                                                  \
    "- dense: {name: a, out: " out "}\n- neuron: {name: p, model: " model "}\n"                    \
    "- dense: {name: r, out: " out ", to: p}\n- dense: {name: b, out: 9, from: p}\n"               \
    "- neuron: {name: q, model: lif, threshold: 0.4}\n"

static const plan_case plan_cases[] = {
    {.label = "lif",
     .net = {.net = "130-150-70",
             .neuron = "{model: lif, beta: 0.8, threshold: 0.4}",
             .in = {{130}}},
     .T = 14,
     .B = 5,
     .level = 3,
     .gradient = true},
    {.label = "lif, static",
     .net = {.net = "130-150-70",
             .neuron = "{model: lif, reset: zero, detach: false, threshold: 0.4}",
             .in = {{130}}},
     .T = 14,
     .B = 5,
     .level = 3,
     .fixed = true,
     .gradient = true},
    {.label = "convolution, largest, few outputs",
     .net = {.net = "- conv: {out: 12, kernel: 3, padding: 1}\n- pool: {kind: max, size: 2}\n"
                    "- neuron: {model: lif}\n- conv: {out: 10, kernel: 3}\n"
                    "- pool: {kind: max, size: 2}\n- neuron: {model: lif}\n"
                    "- dense: {out: 9}\n- neuron: {model: lif}\n",
             .neuron = "{model: lif, beta: 0.8, threshold: 0.3, detach: false}",
             .in = {{2, 12, 11}}},
     .T = 9,
     .B = 5,
     .level = 3,
     .gradient = true},
    {.label = "convolution, norm, mean of windows, in training",
     .net = {.net = "- conv: {out: 6, kernel: 3}\n- norm: {kind: batch}\n- neuron: {model: if}\n"
                    "- conv: {out: 5, kernel: 2}\n- pool: {kind: average, size: 2}\n"
                    "- norm: {name: n, kind: tebn, steps: 6}\n- neuron: {model: lif}\n"
                    "- dense: {out: 40}\n- noise: {sigma: 0.3}\n"
                    "- neuron: {model: lif, threshold: 0.2}\n",
             .neuron = "{model: lif, beta: 0.8, threshold: 0.3}",
             .in = {{2, 12, 11}}},
     .T = 6,
     .B = 4,
     .level = 3,
     .train = true,
     .gradient = true,
     .mixes = true},
    {.label = "convolution in groups, largest",
     .net = {.net = "- conv: {out: 8, kernel: 2, bias: false}\n- neuron: {model: lif}\n"
                    "- conv: {out: 6, kernel: 3, groups: 2, dilation: 2, stride: 2, padding: 2}\n"
                    "- pool: {kind: max, size: 2}\n- neuron: {model: lif}\n"
                    "- dense: {out: 33}\n- neuron: {model: lif}\n",
             .neuron = "{model: lif, beta: 0.9, threshold: 0.3, reset: zero, when: same}",
             .in = {{3, 13, 11}}},
     .T = 7,
     .B = 6,
     .level = 2,
     .gradient = true},
    {.label = "if of spikes",
     .net = {.net = "130-150-70",
             .neuron = "{model: if, threshold: 0.3, refractory: 2}",
             .in = {{130}}},
     .T = 14,
     .B = 5,
     .level = -0.2f,
     .gradient = true},
    {.label = "dropout and norm in training",
     .net = {.net = "50-d0.3-66b-d0.5-10b",
             .neuron = "{model: lif, surrogate: sigmoid, threshold: 0.5}",
             .in = {{50}}},
     .T = 9,
     .B = 7,
     .level = 2,
     .train = true,
     .gradient = true,
     .mixes = true},
    {.label = "dropout of spikes",
     .net = {.net = "50-80-d0.5-10",
             .neuron = "{model: lif, beta: 0.95, threshold: 0.4}",
             .in = {{50}}},
     .T = 9,
     .B = 7,
     .level = 4,
     .train = true,
     .gradient = true},
    {.label = "rectified, static",
     .net = {.net = "70-90-d0.5-10", .neuron = "{model: relu}", .in = {{70}}},
     .T = 4,
     .B = 6,
     .level = 1,
     .fixed = true,
     .train = true,
     .gradient = true},
    {.label = "signs",
     .net = {.net =
                 "- dense: {out: 70, bias: false, weights: binary}\n- norm: {}\n- neuron: {model: "
                 "sign}\n"
                 "- dense: {out: 10, bias: false, weights: binary}\n- norm: {}\n- neuron: {model: "
                 "identity}\n",
             .in = {{65}}},
     .T = 2,
     .B = 6,
     .level = 1,
     .fixed = true,
     .gradient = true},
    {.label = "soft-lif with noise",
     .net = {.net = "- dense: {out: 70}\n- neuron: {model: soft-lif}\n- noise: {sigma: 0.1}\n"
                    "- dense: {out: 10}\n- neuron: {model: identity}\n",
             .in = {{65}}},
     .T = 3,
     .B = 6,
     .level = 8,
     .train = true,
     .gradient = true},
    {.label = "two paths",
     .net = {.net = "- dense: {name: a, out: 70}\n- neuron: {name: p, model: lif}\n"
                    "- dense: {name: skip, out: 70, from: input, to: p}\n- dense: {name: b, out: "
                    "9, from: p}\n",
             .in = {{65}}},
     .T = 9,
     .B = 6,
     .level = 3,
     .gradient = true},
    {.label = "a projection adds to the largest of windows",
     .net = {.net = "- conv: {out: 6, kernel: 3, padding: 1}\n"
                    "- pool: {kind: max, size: 2}\n- neuron: {name: p, model: lif}\n"
                    "- dense: {out: 180, from: input, to: p}\n- dense: {out: 9, from: p}\n",
             .neuron = "{model: lif, beta: 0.8, threshold: 0.3}",
             .in = {{2, 12, 11}}},
     .T = 9,
     .B = 5,
     .level = 3,
     .gradient = true},
    {.label = "recurrent",
     .net = {.net = RECURRENT_NET("lif, beta: 0.8, threshold: 0.5", "70"), .in = {{90}}},
     .T = 37,
     .B = 5,
     .level = 2,
     .gradient = true},
    {.label = "recurrent, static",
     .net = {.net = RECURRENT_NET("lif, reset: zero, detach: false, threshold: 0.6", "130"),
             .in = {{70}}},
     .T = 12,
     .B = 3,
     .level = 2,
     .fixed = true,
     .gradient = true},
    {.label = "recurrent of spikes, the output too",
     .net = {.net = "- dense: {name: a, out: 70}\n- neuron: {name: p, model: lif, threshold: 0.3}\n"
                    "- one-to-one: {name: s, weight: -0.3, to: p}\n"
                    "- dense: {name: b, out: 66, from: p}\n- neuron: {name: q, model: if, "
                    "threshold: 0.5}\n"
                    "- lateral: {name: l, weight: -0.05, to: q}\n"
                    "- dense: {name: back, out: 70, from: q, to: p}\n- output: q\n",
             .in = {{80}}},
     .T = 33,
     .B = 4,
     .level = -0.3f,
     .gradient = true},
    {.label = "recurrent by notation and by key",
     .net = {.net =
                 "- conv: {out: 3, kernel: 3, recurrent: conv}\n- neuron: {model: lif, threshold: "
                 "0.3}\n- dense: {out: 30}\n- neuron: {recurrent: one-to-one}\n"
                 "- dense: {out: 12, recurrent: dense}\n- norm: {}\n",
             .neuron = "{model: lif, threshold: 0.3}",
             .in = {{1, 7, 6}}},
     .T = 34,
     .B = 3,
     .level = 3,
     .gradient = true},
    {.label = "recurrent behind a normalisation",
     .net = {.net = "40-30br-20r-10", .neuron = "{model: lif, threshold: 0.5}", .in = {{40}}},
     .T = 11,
     .B = 4,
     .level = 2,
     .train = true,
     .gradient = true,
     .mixes = true},
    {.label = "lif-refractory",
     .net = {.net = "80-70-10",
             .neuron = "{model: lif-refractory, tau_syn: 5, gain: 90}",
             .in = {{80}}},
     .T = 30,
     .B = 5,
     .level = 2},
    {.label = "loop",
     .net = {.net = COOK_NET("70", "high: 0.6"), .in = {{90}}, .dt = 0.5},
     .T = 150,
     .B = 3,
     .level = -0.1f},
    {.label = "loop that learns",
     .net = {.net = COOK_NET("70", "high: 0.6"), .in = {{90}}, .dt = 0.5},
     .T = 150,
     .B = 1,
     .level = -0.1f,
     .learn = true},
};
#define PLAN_CASES (sizeof plan_cases / sizeof plan_cases[0])

static inline rheo_request request_of(const plan_case *c, rheo_form form)
{
    return (rheo_request){.T = c->T,
                          .B = c->B,
                          .in_form = form,
                          .in_fixed = c->fixed,
                          .train = c->train,
                          .gradient = c->gradient,
                          .learn = c->learn,
                          .readout = c->gradient};
}

static inline float *inputs_of(const plan_case *c)
{
    return numbers(7, c->level, (size_t)c->T * c->B * rheo__shape_size(c->net.in));
}

/* All that a run leaves: outputs of all nodes, the read-out, gradients, parameters. */
typedef struct blob {
    float *x;
    size_t n;
} blob;

static inline void blob_add(blob *to, const float *x, size_t n)
{
    to->x = realloc(to->x, (to->n + n + 1) * sizeof *x);
    assert_non_null(to->x);
    memcpy(to->x + to->n, x, n * sizeof *x);
    to->n += n;
}

static inline void blob_add_signal(blob *to, const rheo_signal *s, uint32_t B)
{
    float *x = taken(s, B);
    blob_add(to, x, (size_t)s->T * B * s->N);
    free(x);
}

/* Gradients of the parameters, for given gradients at the output and its membrane. */
static inline void blob_add_gradients(blob *to, rheo_plan *plan)
{
    const size_t count = (size_t)plan->request.T * plan->B * rheo_net_outputs(plan->net);
    float *gout = numbers(8, 2, count), *greadout = numbers(9, 2, count);
    for (size_t i = 0; i < count; i++) gout[i] -= 1, greadout[i] -= 1;
    CHECK_OK(plan->ctx, rheo_backward(plan, gout, greadout));
    for (uint32_t n = 0; n < plan->net->nodes; n++)
        for (uint32_t i = 0; i < plan->net->node[n].params; i++) {
            const rheo_param *p = plan->net->node[n].param[i];
            assert_true((plan->work[n].grad[i] != NULL) == p->trained);
            if (p->trained) blob_add(to, plan->work[n].grad[i], (size_t)p->rows * p->cols);
        }
    free(gout), free(greadout);
}

/* bytes: what the plan holds, or NULL. */
static inline blob blob_of_request(rheo_context *ctx, const plan_case *c,
                                   const rheo_request *request, size_t *bytes)
{
    const uint32_t ids[] = {11, 5, 900, 3, 77, 12, 4}; /* order means nothing */
    rheo_net *net = net_of(ctx, &c->net);
    rheo_plan *plan = NULL;
    blob all = {0};
    float *x = inputs_of(c);
    CHECK_OK(ctx, rheo__plan_new(net, request, &plan));
    if (bytes) *bytes = rheo_plan_bytes(plan);
    rheo__plan_batch(plan, c->B, ids, 3);
    feed(plan, x);
    rheo__plan_forward(plan);
    for (uint32_t n = 1; n < net->nodes; n++)
        if (!plan->work[n].through) blob_add_signal(&all, &plan->work[n].out, c->B);
    if (c->gradient) blob_add_signal(&all, rheo__plan_readout(plan), c->B);
    if (c->gradient) blob_add_gradients(&all, plan);
    for (uint32_t p = 0; p < net->params; p++)
        blob_add(&all, net->param[p].value, (size_t)net->param[p].rows * net->param[p].cols);
    rheo_plan_free(plan);
    rheo_net_free(net);
    free(x);
    return all;
}

static inline blob blob_of(rheo_context *ctx, const plan_case *c, rheo_form form)
{
    const rheo_request request = request_of(c, form);
    return blob_of_request(ctx, c, &request, NULL);
}

static inline void same_blobs(const char *label, const char *what, blob a, blob b)
{
    assert_int_equal(a.n, b.n);
    for (size_t i = 0; i < a.n; i++)
        if (memcmp(&a.x[i], &b.x[i], sizeof(float)) != 0)
            fail_msg("%s: %s: number %zu of %zu is %.9g, not %.9g", label, what, i, a.n,
                     (double)b.x[i], (double)a.x[i]);
}
#endif
