/* population.c: neurons of one model, a node of any size. The model (neuron/models) says what a
 * neuron does; here are its memory, its threads and its place in a window.
 *
 * A task is a block of 64 neurons of one sample over the whole span, so that its state stays in the
 * first-level cache and its spikes fill one word a step. The backward pass starts from rest, or from
 * the state before its span, and makes the states anew: nothing but spikes is kept. Between spans
 * dL/d(state) waits in `adjoint`. A model without state that sees static input
 * gives a static output. State that lasts over samples stands in a parameter of the net and is
 * written in place while learning (one sample at a time, so no two tasks share it). */
#include "layer/rows.h"
#include <stdlib.h>
#include <string.h>

static const rheo_field fields[] = {RHEO_FIELD_END};

static uint32_t size_of(const rheo_work *work)
{
    return rheo__shape_size(work->node->out);
}

static void constants(const rheo_node_spec *node, double *k)
{
    memset(k, 0, RHEO_CONSTANTS * sizeof *k);
    (void)node->neuron->derive(NULL, &node->neuron_options, node->dt, k); /* checked by infer */
}

static rheo_status infer(rheo_context *ctx, rheo_node_spec *node)
{
    double k[RHEO_CONSTANTS];
    node->out = node->in;
    rheo_status status = node->neuron->derive(ctx, &node->neuron_options, node->dt, k);
    return status ? rheo__blame(ctx, status, "net node %s", node->name) : RHEO_OK;
}

/* The index of a lasting state's parameter, or of a sample's state among its like. */
static uint32_t place(const rheo_neuron *neuron, uint32_t state)
{
    uint32_t at = 0;
    for (uint32_t f = 0; f < state; f++)
        at += neuron->states[f].scope == neuron->states[state].scope;
    return at;
}

static bool param(const rheo_node_spec *node, uint32_t index, rheo_param *out)
{
    for (uint32_t f = 0; node->neuron->states[f].name; f++) {
        if (node->neuron->states[f].scope != RHEO_SCOPE_RUN || place(node->neuron, f) != index)
            continue;
        rheo__param_entry(out, node->neuron->states[f].name, 1, rheo__shape_size(node->out));
        out->trained = false;
        out->lasting_state = true;
        return true;
    }
    return false;
}

static void initialise(rheo_context *ctx, const rheo_node_spec *node, uint64_t seed)
{
    double k[RHEO_CONSTANTS], s[RHEO_STATES] = {0};
    (void)ctx;
    (void)seed;
    constants(node, k);
    node->neuron->initial(k, s);
    for (uint32_t f = 0; node->neuron->states[f].name; f++) {
        if (node->neuron->states[f].scope != RHEO_SCOPE_RUN) continue;
        rheo_param *p = node->param[place(node->neuron, f)];
        for (uint32_t j = 0; j < p->cols; j++) p->value[j] = (float)s[f];
    }
}

static void form(const rheo_work *work, rheo_form *out, bool *fixed, float *lo, float *hi)
{
    const rheo_neuron *neuron = work->node->neuron;
    *out = neuron->out;
    *lo = neuron->out == RHEO_BITS ? neuron->lo : 0;
    *hi = neuron->out == RHEO_BITS ? neuron->hi : 1;
    *fixed = neuron->stateless;
    for (uint32_t p = 0; p < RHEO_PORTS; p++) *fixed = *fixed && rheo__fixed(work->in[p]);
}

/* ---- memory ---- */

/* A thread's scratch: inputs that come as bits, the state at rest, the adjoint's own. */
typedef struct bench {
    float *port[RHEO_PORTS], *rest, *greadout, *work;
    size_t bytes;
} bench;

static bench lay_out(const rheo_work *work, uint32_t thread)
{
    const uint32_t blocks = rheo__words(size_of(work));
    const size_t most = work->span > blocks ? work->span : blocks; /* all steps of one, or one of all */
    bench b = {0};
    size_t at = 0, port[RHEO_PORTS] = {0};
    for (uint32_t p = 0; p < RHEO_PORTS; p++) {
        const rheo_signal *in = work->in[p];
        port[p] = at;
        if (in && in->form == RHEO_BITS) at += most * RHEO_BLOCK;
    }
    const size_t rest = at, greadout = rest + (size_t)RHEO_STATES * RHEO_BLOCK;
    const size_t own = greadout + RHEO_BLOCK;
    at = own + (work->gradient ? work->node->neuron->work(work->span) : 0);
    b.bytes = rheo__round64(at * sizeof(float));
    if (!work->scratch) return b;
    float *base = (float *)(void *)((char *)work->scratch + thread * b.bytes);
    for (uint32_t p = 0; p < RHEO_PORTS; p++) b.port[p] = base + port[p];
    b.rest = base + rest;
    b.greadout = base + greadout;
    b.work = base + own;
    return b;
}

/* floats of one state of all samples */
static size_t apart(const rheo_work *work)
{
    return (size_t)work->B * rheo__words(size_of(work)) * RHEO_BLOCK;
}

static void need(const rheo_work *work, rheo_need *out)
{
    uint32_t states = 0, all = 0;
    for (; work->node->neuron->states[all].name; all++)
        states += work->node->neuron->states[all].scope == RHEO_SCOPE_SAMPLE;
    out->derived = RHEO_CONSTANTS;
    out->state = states * apart(work);
    if (work->gradient && work->span < work->T) out->adjoint = all * apart(work);
    out->scratch = rheo_threads(work->ctx) * lay_out(work, 0).bytes;
}

static void refresh(const rheo_work *work)
{
    double k[RHEO_CONSTANTS];
    constants(work->node, k);
    for (uint32_t i = 0; i < RHEO_CONSTANTS; i++) work->derived[i] = (float)k[i];
}

/* The states of a block: [f][B][blocks][64] from `base` on, or in parameters. */
static void find_states(const rheo_work *work, float *base, uint32_t b, uint32_t block,
                        float **state)
{
    const rheo_state_field *fields_of = work->node->neuron->states;
    float *next = base + (b * (size_t)rheo__words(size_of(work)) + block) * RHEO_BLOCK;
    rheo_param *const *lasting = work->node->param;
    for (uint32_t f = 0; fields_of[f].name; f++) {
        if (fields_of[f].scope == RHEO_SCOPE_RUN) {
            state[f] = (*lasting++)->value + (size_t)block * RHEO_BLOCK;
        } else {
            state[f] = next;
            next += apart(work);
        }
    }
}

static void reset(const rheo_work *work)
{
    const rheo_neuron *neuron = work->node->neuron;
    double k[RHEO_CONSTANTS], s[RHEO_STATES] = {0};
    constants(work->node, k);
    neuron->initial(k, s);
    const size_t size = apart(work);
    float *state[RHEO_STATES];
    find_states(work, work->state, 0, 0, state);
    for (uint32_t f = 0; neuron->states[f].name; f++) {
        if (neuron->states[f].scope != RHEO_SCOPE_SAMPLE) continue;
        for (size_t i = 0; i < size; i++) state[f][i] = (float)s[f];
    }
}

/* ---- running ---- */

typedef struct span_argument {
    const rheo_work *work;
    uint32_t t0, t1;
} span_argument;

/* Bits as floats, [t][count][64]. */
static void expand(const span_argument *a, const rheo_signal *in, uint32_t b, uint32_t block,
                   uint32_t count, float *to)
{
    const uint32_t last = rheo__last_step(in, a->t0, a->t1);
    for (uint32_t t = a->t0; t < last; t++)
        for (uint32_t i = 0; i < count; i++, to += RHEO_BLOCK)
            (void)rheo__block_row(in, t, b, block + i, to);
}

/* Ports, output and read-out of `count` blocks from step t0; the state is the caller's. */
static void describe(const span_argument *a, uint32_t b, uint32_t block, uint32_t count,
                     const bench *own, rheo_block *d)
{
    const rheo_work *work = a->work;
    const rheo_signal *out = &work->out;
    const uint32_t first = block * RHEO_BLOCK, size = size_of(work);
    d->T = a->t1 - a->t0;
    d->n = size - first < count * RHEO_BLOCK ? size - first : count * RHEO_BLOCK;
    d->room = count * RHEO_BLOCK;
    d->k = work->derived;
    d->learn = work->learn;
    for (uint32_t p = 0; p < RHEO_PORTS; p++) {
        const rheo_signal *in = work->in[p];
        if (!in) continue;
        if (in->form == RHEO_BITS) {
            d->port[p] = own->port[p];
            d->port_t[p] = in->stride_t ? count * RHEO_BLOCK : 0;
            expand(a, in, b, block, count, own->port[p]);
        } else {
            d->port[p] = rheo__real_row(in, a->t0, b) + first;
            d->port_t[p] = in->stride_t;
        }
    }
    if (out->form == RHEO_BITS) {
        d->spikes = rheo__bits_row(out, a->t0, b) + block;
        d->spikes_t = out->stride_t;
    } else {
        d->real = rheo__real_row(out, a->t0, b) + first;
        d->real_t = out->stride_t;
    }
    if (work->readout.real) {
        d->readout = rheo__real_row(&work->readout, a->t0, b) + first;
        d->readout_t = work->readout.stride_t;
    }
}

/* Steps of blocks of 64 neurons; waking a thread takes as long as some hundred. */
#define WORTH_WAKING 256

static void forward_blocks(const span_argument *a, uint32_t b, uint32_t block, uint32_t count,
                           const bench *own)
{
    const rheo_work *work = a->work;
    rheo_block d = {0};
    describe(a, b, block, count, own, &d);
    find_states(work, work->state, b, block, d.state);
    rheo__neuron_loops(work->ctx, work->node->neuron->index)->window(&d);
}

static void forward_task(void *argument, uint32_t task, uint32_t thread)
{
    const span_argument *a = argument;
    const uint32_t blocks = rheo__words(size_of(a->work));
    const bench own = lay_out(a->work, thread);
    forward_blocks(a, task / blocks, task % blocks, 1, &own);
}

static void forward(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    const bool moving = work->out.stride_t || (work->readout.real && work->readout.stride_t);
    span_argument a = {work, t0, moving ? t1 : t0 + 1};
    const uint32_t blocks = rheo__words(size_of(work)), tasks = work->B * blocks;
    if ((uint64_t)(a.t1 - a.t0) * tasks >= WORTH_WAKING) {
        rheo__parallel(work->ctx, tasks, forward_task, &a);
        return;
    }
    const bench own = lay_out(work, 0);
    const uint32_t count = a.t1 - a.t0 == 1 ? blocks : 1; /* a step of a loop: all blocks at once */
    for (uint32_t b = 0; b < work->B; b++)
        for (uint32_t block = 0; block < blocks; block += count)
            forward_blocks(&a, b, block, count, &own);
}

static double option(const rheo_node_spec *node, const char *name)
{
    const int at = rheo__field_index(node->neuron->fields, name);
    return at < 0 ? 0 : node->neuron_options.v[at];
}

/* dL/d read-out: summed over time when the block is run for one step only. */
static void set_greadout(rheo_block_adjoint *d, const span_argument *a, uint32_t b, uint32_t block,
                         const bench *own)
{
    const rheo_work *work = a->work;
    const rheo_signal *g = work->greadout;
    if (!g) return;
    d->greadout = rheo__real_row(g, a->t0, b) + (size_t)block * RHEO_BLOCK;
    d->greadout_t = g->stride_t;
    if (work->out.stride_t || !g->stride_t) return;
    memset(own->greadout, 0, RHEO_BLOCK * sizeof(float));
    for (uint32_t t = 0; t < work->T; t++)
        for (uint32_t j = 0; j < d->forward.n; j++)
            own->greadout[j] += d->greadout[t * g->stride_t + j];
    d->greadout = own->greadout;
}

static void backward_task(void *argument, uint32_t task, uint32_t thread)
{
    const span_argument *a = argument;
    const rheo_work *work = a->work;
    const rheo_neuron *neuron = work->node->neuron;
    const uint32_t blocks = rheo__words(size_of(work)), b = task / blocks, block = task % blocks;
    const size_t first = (size_t)block * RHEO_BLOCK;
    const bench own = lay_out(work, thread);
    rheo_block_adjoint d = {.surrogate = (uint32_t)option(work->node, "surrogate"),
                            .slope = (float)option(work->node, "slope"),
                            .work = own.work};
    double k[RHEO_CONSTANTS], s[RHEO_STATES] = {0};
    constants(work->node, k);
    neuron->initial(k, s);
    describe(a, b, block, 1, &own, &d.forward);
    /* not written: the adjoint copies what it starts from */
    find_states(work, work->before ? (float *)(uintptr_t)work->before : work->state, b, block,
                d.forward.state);
    for (uint32_t f = 0; neuron->states[f].name; f++) {
        if (work->span < work->T)
            d.gstate[f] = work->adjoint + f * apart(work) + (size_t)task * RHEO_BLOCK;
        if (work->before || neuron->states[f].scope == RHEO_SCOPE_RUN) continue;
        d.forward.state[f] = own.rest + f * RHEO_BLOCK;
        for (uint32_t j = 0; j < RHEO_BLOCK; j++) d.forward.state[f][j] = (float)s[f];
    }
    if (work->gout) {
        d.gout = rheo__real_row(work->gout, a->t0, b) + first;
        d.gout_t = work->gout->stride_t;
    }
    set_greadout(&d, a, b, block, &own);
    d.more = a->t1 < work->T && work->out.stride_t;
    for (uint32_t p = 0; p < RHEO_PORTS; p++) {
        if (!work->gin[p].real) continue;
        d.gport[p] = rheo__real_row(&work->gin[p], a->t0, b) + first;
        d.gport_t[p] = work->gin[p].stride_t;
    }
    rheo__neuron_loops(work->ctx, neuron->index)->adjoint(&d);
}

static void backward(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    span_argument a = {work, t0, work->out.stride_t ? t1 : t0 + 1};
    rheo__parallel(work->ctx, work->B * rheo__words(size_of(work)), backward_task, &a);
}

static void count(const rheo_work *work, uint32_t t, uint32_t b0, uint32_t b1, rheo_counts *add)
{
    if (work->out.stride_t == 0 && t > 0) return;
    const uint64_t neurons = (uint64_t)(b1 - b0) * size_of(work);
    uint32_t states = 0;
    while (work->node->neuron->states[states].name) states++;
    add->updates += neurons;
    add->bytes += neurons * states * 2 * sizeof(float); /* read and written */
    if (work->out.form == RHEO_BITS && !(work->out.lo < 0))
        add->spikes += rheo__signal_popcount(&work->out, t, b0, b1);
}

/* ---- reference: keeps the state before each step, [T][B][N][states] ---- */

static uint32_t states_of(const rheo_node_spec *node)
{
    uint32_t states = 0;
    while (node->neuron->states[states].name) states++;
    return states;
}

static size_t reference_need(const rheo_node_spec *node, uint32_t T, uint32_t B)
{
    return (size_t)T * B * rheo__shape_size(node->out) * states_of(node);
}

static void inputs_at(const rheo_reference_work *work, size_t at, double in[RHEO_ROWS])
{
    for (uint32_t p = 0; p < RHEO_PORTS; p++) in[p] = work->in[p] ? work->in[p][at] : 0;
}

static void reference_forward(const rheo_reference_work *work)
{
    const rheo_node_spec *node = work->node;
    const rheo_neuron *neuron = node->neuron;
    const size_t row = (size_t)work->B * rheo__shape_size(node->out), states = states_of(node);
    double k[RHEO_CONSTANTS], in[RHEO_ROWS] = {0}, x;
    constants(node, k);
    for (size_t j = 0; j < row; j++) {
        double s[RHEO_STATES] = {0};
        neuron->initial(k, s);
        for (uint32_t f = 0; f < states; f++)
            if (neuron->states[f].scope == RHEO_SCOPE_RUN)
                s[f] = work->param[place(neuron, f)][j % rheo__shape_size(node->out)];
        for (uint32_t t = 0; t < work->T; t++) {
            const size_t at = t * row + j;
            memcpy(work->keep + at * states, s, states * sizeof *s);
            inputs_at(work, at, in);
            work->out[at] =
                neuron->reference.step(k, s, in, work->smooth, (uint32_t)option(node, "surrogate"),
                                       option(node, "slope"), false, &x);
            if (work->readout)
                work->readout[at] = neuron->readout < states ? s[neuron->readout] : work->out[at];
        }
    }
}

static void reference_backward(const rheo_reference_work *work)
{
    const rheo_node_spec *node = work->node;
    const rheo_neuron *neuron = node->neuron;
    const size_t row = (size_t)work->B * rheo__shape_size(node->out), states = states_of(node);
    double k[RHEO_CONSTANTS], in[RHEO_ROWS] = {0}, gin[RHEO_PORTS], gk[RHEO_CONSTANTS] = {0};
    constants(node, k);
    for (size_t j = 0; j < row; j++) {
        double gs[RHEO_STATES] = {0};
        for (uint32_t t = work->T; t-- > 0;) {
            const size_t at = t * row + j;
            double gout = work->gout ? work->gout[at] : 0;
            if (work->greadout && neuron->readout < states)
                gs[neuron->readout] += work->greadout[at];
            else if (work->greadout)
                gout += work->greadout[at];
            inputs_at(work, at, in);
            memset(gin, 0, sizeof gin);
            neuron->reference.adjoint(k, work->keep + at * states, in, work->smooth,
                                      (uint32_t)option(node, "surrogate"), option(node, "slope"),
                                      gout, gs, gin, gk);
            for (uint32_t p = 0; p < RHEO_PORTS; p++)
                if (work->gin[p]) work->gin[p][at] = gin[p];
        }
    }
}

const rheo_layer rheo__layer_neuron = {
    .name = "neuron",
    .title = "a population of neurons",
    .equations = "those of its model; see the list of neurons",
    .source = "its model's",
    .kind = RHEO_POPULATION,
    .fields = fields,
    .infer = infer,
    .param = param,
    .initialise = initialise,
    .form = form,
    .need = need,
    .refresh = refresh,
    .reset = reset,
    .forward = forward,
    .backward = backward,
    .count = count,
    .reference_need = reference_need,
    .reference_forward = reference_forward,
    .reference_backward = reference_backward,
};
