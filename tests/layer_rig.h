/* layer_rig.h: one layer on the bench: a node with its parameters, signals and memory, made from a
 * line of a table, without a net or a plan. */
#ifndef RHEO_TESTS_LAYER_RIG_H
#define RHEO_TESTS_LAYER_RIG_H
#include "check.h"
#include "base/random.h"
#include "layer/layer.h"
#include <stdio.h>

typedef enum { REALS, STATIC_REALS, PIXELS, SPIKES, STATIC_SPIKES, SIGNS, STATIC_SIGNS } rig_input;

typedef struct rig_case {
    const char *label, *layer, *options; /* "out=7 bias=0" */
    const char *model, *model_options;   /* neuron or synapse */
    uint32_t N, T, B;
    rig_input input;
    double level; /* density of spikes; offset of reals */
    bool train, gradient, learn, readout, dynamic_out;
    bool sparse_gout; /* as behind the largest of windows (rheo_work) */
    rheo_precision precision;
    rheo_shape shape;                  /* of the input; left out: N, flat */
    uint32_t ports;                    /* inputs; 0: one */
    rheo_shape port_shape[RHEO_PORTS]; /* of the further ones; left out: as the first */
    rig_input port_input[RHEO_PORTS];
} rig_case;

typedef struct rig {
    rheo_context *ctx;
    rig_case what;
    rheo_node_spec node;
    rheo_param param[RHEO_NODE_PARAMS];
    rheo_work work;
    rheo_signal in[RHEO_PORTS], gout, greadout;
    uint32_t sample[64];
    void *memory[64];
    uint32_t pieces;
} rig;

static inline void *rig_take(rig *r, size_t bytes)
{
    size_t size = (bytes + 63) / 64 * 64;
    void *p = aligned_alloc(64, size ? size : 64);
    assert_non_null(p);
    memset(p, 0, size ? size : 64);
    assert_true(r->pieces < 64);
    r->memory[r->pieces++] = p;
    return p;
}

static inline rheo_signal rig_signal(rig *r, rheo_form form, uint32_t T, uint32_t B, uint32_t N,
                                     bool fixed)
{
    rheo_signal s = {0};
    rheo_arena arena = {0};
    rheo__signal_take(&s, form, T, B, N, fixed, &arena);
    arena.size = arena.used;
    arena.base = rig_take(r, arena.used);
    arena.used = 0;
    rheo__signal_take(&s, form, T, B, N, fixed, &arena);
    s.lo = 0;
    s.hi = 1;
    return s;
}

/* "a=1 b=glorot" into options */
static inline void rig_options(rig *r, const rheo_field *fields, const char *text,
                               rheo_options *out)
{
    char copy[256], *rest = copy;
    *out = rheo__field_defaults(fields);
    if (!text) return;
    snprintf(copy, sizeof copy, "%s", text);
    for (char *word; (word = strtok_r(rest, " ", &rest));) {
        char *value = strchr(word, '=');
        assert_non_null(value);
        *value++ = 0;
        const int at = rheo__field_index(fields, word);
        if (at < 0) fail_msg("no option %s", word);
        CHECK_OK(r->ctx, rheo__field_parse(r->ctx, &fields[at], value, word, &out->v[at]));
    }
}

/* Uniform numbers of one test stream each. */
static inline void rig_uniform(uint32_t stream, float low, float high, float *x, size_t n)
{
    rheo__fill_uniform(rheo__key(77, stream, RHEO_FOR_TEST), 0, low, high, x, n);
}

/* Values of sample id, step t: the same whatever the batch. */
static inline void rig_fill(rheo_signal *s, rig_input kind, double level, const uint32_t *sample)
{
    const uint32_t steps = s->stride_t ? s->T : 1;
    float *row = malloc((s->N + 1) * sizeof *row);
    assert_non_null(row);
    for (uint32_t t = 0; t < steps; t++)
        for (uint32_t b = 0; b < s->B; b++) {
            rig_uniform(1000 * sample[b] + t, 0, 1, row, s->N);
            for (uint32_t j = 0; j < s->N; j++) {
                const float u = row[j];
                if (s->form == RHEO_BITS)
                    rheo__bits_row(s, t, b)[j / 64] |= (uint64_t)((double)u < level) << j % 64;
                else if (kind == PIXELS)
                    rheo__real_row(s, t, b)[j] = (float)(int)(u * 256);
                else
                    rheo__real_row(s, t, b)[j] = 2 * u - 1 + (float)level;
            }
        }
    free(row);
}

static inline rheo_status rig_infer(rig *r, rheo_context *ctx, const rig_case *c)
{
    *r = (rig){.ctx = ctx, .what = *c};
    rheo_node_spec *node = &r->node;
    snprintf(node->name, sizeof node->name, "%s", c->label);
    node->layer = rheo__layer_find(c->layer);
    assert_non_null(node->layer);
    rig_options(r, node->layer->fields, c->options, &node->options);
    node->index = 3;
    node->dt = 0.5;
    node->in = node->port_in[0] = c->shape.dim[0] ? c->shape : (rheo_shape){{c->N, 1, 1, 1}};
    r->what.N = rheo__shape_size(node->in);
    node->inputs = c->ports ? c->ports : 1;
    for (uint32_t p = 1; p < node->inputs; p++)
        node->port_in[p] = c->port_shape[p].dim[0] ? c->port_shape[p] : node->in;
    if (c->model && node->layer->kind == RHEO_POPULATION) {
        node->neuron = rheo__neuron_find(c->model);
        assert_non_null(node->neuron);
        rig_options(r, node->neuron->fields, c->model_options, &node->neuron_options);
    } else if (c->model) {
        node->synapse = rheo__synapse_find(c->model);
        assert_non_null(node->synapse);
        rig_options(r, node->synapse->fields, c->model_options, &node->synapse_options);
    }
    return node->layer->infer(ctx, node);
}

static inline void rig_params(rig *r)
{
    rheo_node_spec *node = &r->node;
    while (node->layer->param && node->params < RHEO_NODE_PARAMS &&
           node->layer->param(node, node->params, &r->param[node->params])) {
        rheo_param *p = &r->param[node->params];
        p->value = rig_take(r, (size_t)p->rows * p->cols * sizeof(float));
        node->param[node->params++] = p;
    }
    if (node->layer->initialise) node->layer->initialise(r->ctx, node, 5);
}

static inline void rig_gradients(rig *r)
{
    rheo_work *work = &r->work;
    const rheo_signal *out = &work->out;
    r->gout = rig_signal(r, RHEO_REAL, out->T, out->B, out->N, out->stride_t == 0);
    uint32_t other[64];
    for (uint32_t b = 0; b < out->B; b++) other[b] = r->sample[b] + 300;
    rig_fill(&r->gout, REALS, 0, other);
    work->gout = &r->gout;
    if (work->readout.real) {
        r->greadout = rig_signal(r, RHEO_REAL, out->T, out->B, out->N, work->readout.stride_t == 0);
        for (uint32_t b = 0; b < out->B; b++) other[b] += 200;
        rig_fill(&r->greadout, REALS, 0, other);
        work->greadout = &r->greadout;
    }
    for (uint32_t p = 0; p < RHEO_PORTS; p++)
        if (work->in[p])
            work->gin[p] = rig_signal(r, RHEO_REAL, work->in[p]->T, work->in[p]->B, work->in[p]->N,
                                      work->in[p]->stride_t == 0);
    for (uint32_t p = 0; p < r->node.params; p++)
        if (r->param[p].trained)
            work->grad[p] =
                rig_take(r, (size_t)r->param[p].rows * r->param[p].cols * sizeof(float));
}

/* Each port sees numbers of its own. */
static inline void rig_input_signal(rig *r, const rig_case *c, uint32_t port)
{
    const rig_input kind = port ? c->port_input[port] : c->input;
    rheo_signal *in = &r->in[port];
    uint32_t id[64];
    for (uint32_t b = 0; b < c->B; b++) id[b] = r->sample[b] + 1000 * port;
    *in = rig_signal(r, kind >= SPIKES ? RHEO_BITS : RHEO_REAL, c->T, c->B,
                     rheo__shape_size(r->node.port_in[port]),
                     kind == STATIC_REALS || kind == PIXELS || kind == STATIC_SPIKES ||
                         kind == STATIC_SIGNS);
    if (kind >= SIGNS) in->lo = -1;
    rig_fill(in, kind, c->level, id);
    r->work.in[port] = in;
}

/* Everything up to the point where forward may be called. first: id of the first sample. */
static inline void rig_make(rig *r, rheo_context *ctx, const rig_case *c, uint32_t first)
{
    CHECK_OK(ctx, rig_infer(r, ctx, c));
    rig_params(r);
    rheo_work *work = &r->work;
    const rheo_layer *layer = r->node.layer;
    for (uint32_t b = 0; b < c->B; b++) r->sample[b] = first + b;
    *work = (rheo_work){.ctx = ctx,
                        .node = &r->node,
                        .T = c->T,
                        .span = c->T,
                        .sparse_gout = c->sparse_gout,
                        .B = c->B,
                        .train = c->train,
                        .gradient = c->gradient,
                        .learn = c->learn,
                        .precision = c->precision,
                        .seed = 9,
                        .sample = r->sample,
                        .show = 2};
    for (uint32_t p = 0; p < r->node.inputs; p++) rig_input_signal(r, c, p);
    rheo_form form = RHEO_REAL;
    bool fixed = false;
    float lo = 0, hi = 1;
    layer->form(work, &form, &fixed, &lo, &hi);
    const uint32_t N = rheo__shape_size(r->node.out);
    work->out = rig_signal(r, form, c->T, c->B, N, fixed && !c->dynamic_out);
    work->out.lo = lo;
    work->out.hi = hi;
    if (c->readout) work->readout = rig_signal(r, RHEO_REAL, c->T, c->B, N, false);
    rheo_need need = {0};
    if (layer->need) layer->need(work, &need);
    work->derived = rig_take(r, need.derived * sizeof(float));
    work->tape = rig_take(r, need.tape * sizeof(float));
    work->state = rig_take(r, need.state * sizeof(float));
    work->adjoint = rig_take(r, need.adjoint * sizeof(float));
    work->scratch = rig_take(r, need.scratch);
    if (c->gradient) rig_gradients(r);
    if (layer->refresh) layer->refresh(work);
    if (layer->reset) layer->reset(work);
}

static inline void rig_forward(rig *r)
{
    r->node.layer->forward(&r->work, 0, r->what.T);
}

static inline void rig_backward(rig *r)
{
    r->node.layer->backward(&r->work, 0, r->what.T);
    for (uint32_t t = r->what.T, t0; t > 0; t = t0) {
        t0 = r->node.layer->whole ? 0 : (t - 1) / RHEO_CHUNK * RHEO_CHUNK;
        if (r->node.layer->gradient) r->node.layer->gradient(&r->work, t0, t);
    }
}

static inline void rig_free(rig *r)
{
    for (uint32_t i = 0; i < r->pieces; i++) free(r->memory[i]);
    r->pieces = 0;
}

/* A signal as [T,B,N] doubles. */
static inline double *rig_doubles(const rheo_signal *s)
{
    double *x = malloc(((size_t)s->T * s->B * s->N + 1) * sizeof *x), *at = x;
    assert_non_null(x);
    for (uint32_t t = 0; t < s->T; t++)
        for (uint32_t b = 0; b < s->B; b++)
            for (uint32_t n = 0; n < s->N; n++) *at++ = (double)rheo__signal_get(s, t, b, n);
    return x;
}

/* Same bits in all rows of two signals of one shape. */
static inline void rig_same(const char *label, const rheo_signal *a, uint32_t first_b,
                            const rheo_signal *b)
{
    const uint32_t steps = b->stride_t ? b->T : 1;
    assert_int_equal(a->form, b->form);
    const bool real = b->form == RHEO_REAL;
    const size_t bytes = real ? b->N * sizeof(float) : rheo__words(b->N) * sizeof(uint64_t);
    for (uint32_t t = 0; t < steps; t++)
        for (uint32_t row = 0; row < b->B; row++) {
            const void *x = real ? (const void *)rheo__real_row(a, t, first_b + row)
                                 : (const void *)rheo__bits_row(a, t, first_b + row);
            const void *y = real ? (const void *)rheo__real_row(b, t, row)
                                 : (const void *)rheo__bits_row(b, t, row);
            if (memcmp(x, y, bytes) != 0) fail_msg("%s: step %u, row %u differs", label, t, row);
        }
}
#endif
