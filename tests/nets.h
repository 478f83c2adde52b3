/* nets.h: nets from a few lines of YAML, numbers to feed them, and plans at work, for the tests of
 * nets, plans and sessions. */
#ifndef RHEO_TESTS_NETS_H
#define RHEO_TESTS_NETS_H
#include "check.h"
#include "base/random.h"
#include "exec/plan.h"
#include "recipe/recipe.h"

/* Of the nets that are made: a test is run again under the other. */
static rheo_precision net_precision;
static inline int net_in_bf16(void **state)
{
    (void)state;
    net_precision = RHEO_BF16;
    return 0;
}
static inline int net_in_float32(void **state)
{
    (void)state;
    net_precision = RHEO_FLOAT32;
    return 0;
}
#define NET_TEST_IN_BF16(test)                                                                     \
    {                                                                                              \
#test " in bf16", test, net_in_bf16, net_in_float32, NULL                                  \
    }

/* Zero fields: dt 1, seed 1, no defaults. */
typedef struct net_text {
    const char *net, *neuron; /* a notation or a list; a map */
    rheo_shape in;            /* {{n}} stands for {{n, 1, 1, 1}} */
    uint32_t classes;
    double dt;
    uint64_t seed;
} net_text;

static inline rheo_status net_make(rheo_context *ctx, const net_text *text, rheo_net **out)
{
    rheo_doc *net = NULL, *neuron = NULL;
    rheo_status status = rheo__yaml_parse(ctx, "test", text->net, strlen(text->net), &net);
    if (!status && text->neuron)
        status = rheo__yaml_parse(ctx, "test", text->neuron, strlen(text->neuron), &neuron);
    if (!status) {
        rheo_net_request ask = {.net = net,
                                .neuron = neuron,
                                .in = text->in,
                                .classes = text->classes,
                                .dt = text->dt > 0 ? text->dt : 1,
                                .seed = text->seed ? text->seed : 1,
                                .precision = net_precision,
                                .file = "test"};
        for (int i = 1; i < 4; i++)
            if (!ask.in.dim[i]) ask.in.dim[i] = 1;
        status = rheo__net_build(ctx, &ask, out);
    }
    rheo__doc_free(ctx, net);
    rheo__doc_free(ctx, neuron);
    return status;
}

static inline rheo_net *net_of(rheo_context *ctx, const net_text *text)
{
    rheo_net *net = NULL;
    CHECK_OK(ctx, net_make(ctx, text, &net));
    return net;
}

static inline uint32_t net_node(const rheo_net *net, const char *name, const char *layer)
{
    for (uint32_t n = 0; n < net->nodes; n++)
        if (!strcmp(net->node[n].name, name) && !strcmp(net->node[n].layer->name, layer)) return n;
    fail_msg("no %s '%s'", layer, name);
    return 0;
}

/* [0,1), a function of its place only */
static inline float draw_at(uint32_t seed, uint32_t i)
{
    uint32_t out[4], counter[4] = {i, seed, 77, 0};
    rheo__philox((rheo_key){{5, 9}}, counter, out);
    return rheo__uniform(out[0]);
}

static inline void *room(size_t count, size_t size)
{
    void *p = calloc(count + 1, size);
    assert_non_null(p);
    return p;
}

/* Reals in [0, level); or, with level < 0, spikes (0 or 1) of probability -level. */
static inline float *numbers(uint32_t seed, float level, size_t count)
{
    float *x = room(count, sizeof *x);
    for (size_t i = 0; i < count; i++) {
        const float u = draw_at(seed, (uint32_t)i);
        x[i] = level >= 0 ? level * u : u < -level ? 1.0f : 0.0f;
    }
    return x;
}

/* Writes [T,B,N] floats into a plan's source, whatever its form; a static one takes the first step.
 */
static inline void feed(rheo_plan *plan, const float *x)
{
    rheo_signal *s = &plan->work[0].out;
    const uint32_t steps = s->stride_t ? s->T : 1;
    for (uint32_t t = 0; t < steps; t++)
        for (uint32_t b = 0; b < plan->B; b++)
            for (uint32_t n = 0; n < s->N; n++) {
                const float value = x[((size_t)t * plan->B + b) * s->N + n];
                const uint64_t bit = UINT64_C(1) << n % 64;
                if (s->form == RHEO_REAL)
                    rheo__real_row(s, t, b)[n] = value;
                else if (value > 0)
                    rheo__bits_row(s, t, b)[n / 64] |= bit;
                else
                    rheo__bits_row(s, t, b)[n / 64] &= ~bit;
            }
}

/* A signal as [T,B,N] floats; the caller's to free. */
static inline float *taken(const rheo_signal *s, uint32_t B)
{
    float *x = room((size_t)s->T * B * s->N, sizeof *x), *at = x;
    for (uint32_t t = 0; t < s->T; t++)
        for (uint32_t b = 0; b < B; b++)
            for (uint32_t n = 0; n < s->N; n++) *at++ = rheo__signal_get(s, t, b, n);
    return x;
}

static inline double total(const float *x, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) sum += (double)x[i];
    return sum;
}

/* Excitation, inhibition back: the net of diehl-cook-2015 with OUT neurons and delays up to 5 ms.
 */
#define COOK_NET(out, synapse)                                                                     \
    "- plastic: {name: XE, out: " out ", synapse: stdp-traces, delay_high: 5, " synapse "}\n"      \
    "- neuron: {name: E, model: conductance-lif}\n"                                                \
    "- one-to-one: {name: EI, weight: 10.4}\n"                                                     \
    "- neuron: {name: I, model: conductance-lif, tau: 10, rest: -60, reset: -45, threshold: "      \
    "-40,\n"                                                                                       \
    "           refractory: 2, reversal_inhibit: -85, adaptive: false}\n"                          \
    "- lateral: {name: IE, weight: 17, to: E, port: inhibit}\n"                                    \
    "- output: E\n"
#endif
