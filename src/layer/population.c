/* population.c: neurons of one model, a node of any size. The model (neuron/models) says what a
 * neuron does; here are its memory, its threads and its place in a window.
 *
 * A task is a block of 64 neurons of one sample over the whole span, so that its state stays in the
 * first-level cache and its spikes fill one word a step. The backward pass starts from rest, or
 * from the state before its span, and makes the states anew: nothing but spikes is kept. Between
 * spans dL/d(state) waits in `adjoint`. A model without state that sees static input gives a static
 * output. State that lasts over samples stands in a parameter of the net and is written in place
 * while learning (one sample at a time, so no two tasks share it). */
#include "layer/population.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { INHIBITION };
static const rheo_field fields[] = {
    RHEO_FLAG_FIELD("inhibition", 0,
                    "in a step only the neuron that is farthest above its threshold "
                    "may spike: one a sample, the first of equals"),
    RHEO_FIELD_END};

static uint32_t size_of(const rheo_work *work)
{
    return rheo__shape_size(work->node->out);
}

static rheo_status infer(rheo_context *ctx, rheo_node_spec *node)
{
    double k[RHEO_CONSTANTS];
    node->out = node->in;
    rheo_status status = node->neuron->derive(ctx, &node->neuron_options, node->dt, k);
    return status ? rheo__blame(ctx, status, "net node %s", node->name) : RHEO_OK;
}

/* Lasting states, then options that are parameters, within the option's range; time constants stay
 * at a step or above, where 0 may mean something else. */
static bool param(const rheo_node_spec *node, uint32_t index, rheo_param *out)
{
    const uint32_t lasting = rheo__lasting(node);
    for (uint32_t f = 0; node->neuron->states[f].name; f++) {
        if (node->neuron->states[f].scope != RHEO_SCOPE_RUN ||
            rheo__state_place(node->neuron, f) != index)
            continue;
        rheo__param_entry(out, node->neuron->states[f].name, 1, rheo__shape_size(node->out));
        out->trained = false;
        out->lasting_state = true;
        return true;
    }
    if (index >= lasting + node->owns) return false;
    const rheo_own *own = &node->own[index - lasting];
    const rheo_field *field = &node->neuron->fields[own->field];
    rheo__param_entry(out, field->name, 1, rheo__own_units(node, own));
    out->dims = 1;
    out->shape[0] = out->cols;
    out->trained = own->learned;
    out->low = (float)field->min;
    out->high = (float)field->max;
    if (!strncmp(field->name, "tau", 3)) out->low = (float)fmax(field->min, node->dt);
    return true;
}

static void initialise(rheo_context *ctx, const rheo_node_spec *node, uint64_t seed)
{
    const uint32_t lasting = rheo__lasting(node);
    double k[RHEO_CONSTANTS], s[RHEO_STATES];
    (void)ctx;
    for (uint32_t i = 0; i < node->owns; i++) {
        const rheo_own *own = &node->own[i];
        const rheo_param *p = node->param[lasting + i];
        rheo__fill_uniform(rheo__key(seed, node->index, RHEO_FOR_WEIGHTS), lasting + i,
                           (float)own->from, (float)own->to, p->value, p->cols);
    }
    for (uint32_t n = 0; lasting > 0 && n < rheo__shape_size(node->out); n++) {
        rheo__constants_of(node, NULL, n, k, s);
        for (uint32_t f = 0; node->neuron->states[f].name; f++)
            if (node->neuron->states[f].scope == RHEO_SCOPE_RUN)
                node->param[rheo__state_place(node->neuron, f)]->value[n] = (float)s[f];
    }
}

static void form(const rheo_work *work, rheo_form *out, bool *fixed, float *lo, float *hi)
{
    const rheo_neuron *neuron = work->node->neuron;
    *out = neuron->out;
    *lo = neuron->out == RHEO_BITS ? neuron->lo : 0;
    *hi = neuron->out == RHEO_BITS ? neuron->hi : 1;
    *fixed = neuron->stateless && !neuron->draws;
    for (uint32_t p = 0; p < RHEO_PORTS; p++) *fixed = *fixed && rheo__fixed(work->in[p]);
}

/* ---- memory ---- */

static bool competes(const rheo_work *work)
{
    return work->node->options.v[INHIBITION] != 0 && work->node->neuron->out == RHEO_BITS;
}

/* A thread's scratch: inputs that come as bits, the state at rest, gradients that are not read
 * where they stand, the adjoint's own. */
typedef struct bench {
    float *port[RHEO_ROWS], *rest, *gout, *greadout, *above, *copy, *work;
    size_t bytes;
} bench;

static bench lay_out(const rheo_work *work, uint32_t thread)
{
    const uint32_t blocks = rheo__words(size_of(work));
    const size_t most =
        work->span > blocks ? work->span : blocks; /* all steps of one, or one of all */
    bench b = {0};
    size_t at = 0, port[RHEO_ROWS] = {0};
    for (uint32_t p = 0; p < RHEO_PORTS; p++) {
        const rheo_signal *in = work->in[p];
        port[p] = at;
        if (in && in->form == RHEO_BITS) at += most * RHEO_BLOCK;
    }
    port[RHEO_DRAW] = at;
    if (work->node->neuron->draws) at += most * RHEO_BLOCK;
    port[RHEO_BARRED] = at;
    if (competes(work)) at += most * RHEO_BLOCK;
    const size_t rest = at, gout = rest + (size_t)RHEO_STATES * RHEO_BLOCK;
    const size_t greadout = gout + (work->giver ? work->span * (size_t)RHEO_BLOCK : 0);
    const size_t above = greadout + RHEO_BLOCK, row = competes(work) ? blocks * RHEO_BLOCK : 0;
    const size_t copy = above + row, own = copy + RHEO_STATES * row;
    at = own + (work->gradient ? work->node->neuron->work(work->span) : 0);
    b.bytes = rheo__round64(at * sizeof(float));
    if (!work->scratch) return b;
    float *base = (float *)(void *)((char *)work->scratch + thread * b.bytes);
    for (uint32_t p = 0; p < RHEO_ROWS; p++) b.port[p] = base + port[p];
    b.rest = base + rest;
    b.gout = base + gout;
    b.greadout = base + greadout;
    b.above = base + above;
    b.copy = base + copy;
    b.work = base + own;
    return b;
}

/* floats of one state of all samples */
static size_t apart(const rheo_work *work)
{
    return (size_t)work->B * rheo__words(size_of(work)) * RHEO_BLOCK;
}

/* Whether dL/d(state) is kept: for the span before, and for parameters that the state starts from.
 */
static bool carries(const rheo_work *work)
{
    return work->gradient && (work->span < work->T || rheo__constants_learned(work->node));
}

static void need(const rheo_work *work, rheo_need *out)
{
    uint32_t states = 0, all = 0;
    for (; work->node->neuron->states[all].name; all++)
        states += work->node->neuron->states[all].scope == RHEO_SCOPE_SAMPLE;
    out->derived = rheo__constants_floats(work->node);
    out->state = states * apart(work);
    out->tape = rheo__constants_tape(work);
    if (competes(work) && work->gradient) out->tape += (size_t)work->T * work->B;
    if (carries(work)) out->adjoint = all * apart(work);
    out->scratch = rheo_threads(work->ctx) * lay_out(work, 0).bytes;
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
    rheo__constants_refresh(work); /* the state at rest is derived too */
    const rheo_constants c = rheo__constants_at(work);
    const uint32_t pitch = rheo__words(size_of(work)) * RHEO_BLOCK;
    float *state[RHEO_STATES];
    find_states(work, work->state, 0, 0, state);
    for (uint32_t f = 0; neuron->states[f].name; f++) {
        if (neuron->states[f].scope != RHEO_SCOPE_SAMPLE) continue;
        for (uint32_t b = 0; b < work->B; b++)
            for (uint32_t n = 0; n < pitch; n++)
                state[f][(size_t)b * pitch + n] = rheo__rest_of(&c, f, n);
    }
}

/* ---- running ---- */

typedef struct span_argument {
    const rheo_work *work;
    uint32_t t0, t1;
    rheo_pseudo pseudo; /* backward */
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

/* Random numbers, [t][count][64]. */
static void draw(const span_argument *a, uint32_t b, uint32_t block, uint32_t count, float *to)
{
    const rheo_work *work = a->work;
    const rheo_key key = rheo__key(work->seed, work->node->index, RHEO_FOR_NOISE);
    for (uint32_t t = a->t0; t < a->t1; t++)
        for (uint32_t j = 0; j < count * RHEO_BLOCK; j += 4, to += 4) {
            uint32_t r[4];
            rheo__draw(key, work, b, work->step0 + t, (block * RHEO_BLOCK + j) / 4, r);
            for (uint32_t i = 0; i < 4; i++) to[i] = rheo__neuron_draw(r[i]);
        }
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
    const rheo_constants c = rheo__constants_at(work);
    d->k = c.k + (c.k_apart ? first : 0);
    d->k_apart = c.k_apart;
    d->learn = work->learn;
    if (work->node->neuron->draws) {
        d->port[RHEO_DRAW] = own->port[RHEO_DRAW];
        d->port_t[RHEO_DRAW] = count * RHEO_BLOCK;
        draw(a, b, block, count, own->port[RHEO_DRAW]);
    }
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

/* The neurons of a sample that may spike in step t, [T][B] behind the gradient of the constants. */
static uint32_t *winner_at(const rheo_work *work, uint32_t t, uint32_t b)
{
    return (uint32_t *)(void *)(work->tape + rheo__constants_tape(work)) + (size_t)t * work->B + b;
}

/* One sample where neurons inhibit each other: each step once on copies of the states, to see who
 * is farthest above the threshold, and once with the others barred. */
static void compete_task(void *argument, uint32_t b, uint32_t thread)
{
    const span_argument *a = argument;
    const rheo_work *work = a->work;
    const rheo_neuron *neuron = work->node->neuron;
    const rheo_neuron_loops *loops = rheo__neuron_loops(work->ctx, neuron->index);
    const uint32_t blocks = rheo__words(size_of(work)), pitch = blocks * RHEO_BLOCK;
    const bench own = lay_out(work, thread);
    for (uint32_t t = a->t0; t < a->t1; t++) {
        const span_argument one = {.work = work, .t0 = t, .t1 = t + 1};
        rheo_block d = {0};
        describe(&one, b, 0, blocks, &own, &d);
        find_states(work, work->state, b, 0, d.state);
        rheo_block trial = d;
        trial.spikes = NULL;
        trial.readout = NULL;
        trial.learn = false;
        trial.above = own.above;
        for (uint32_t f = 0; neuron->states[f].name; f++) {
            if (neuron->states[f].scope == RHEO_SCOPE_RUN) continue;
            trial.state[f] = own.copy + (size_t)f * pitch;
            memcpy(trial.state[f], d.state[f], pitch * sizeof(float));
        }
        loops->window(&trial);
        uint32_t winner = 0;
        for (uint32_t n = 1; n < d.n; n++)
            if (own.above[n] > own.above[winner]) winner = n;
        for (uint32_t n = 0; n < pitch; n++) own.port[RHEO_BARRED][n] = n == winner ? 0 : 1;
        if (work->gradient) *winner_at(work, t, b) = winner;
        d.port[RHEO_BARRED] = own.port[RHEO_BARRED];
        loops->window(&d);
    }
}

/* The barred neurons of a block in a span, for the backward pass. */
static void bar(const span_argument *a, uint32_t b, uint32_t block, const bench *own, rheo_block *d)
{
    float *row = own->port[RHEO_BARRED];
    for (uint32_t t = a->t0; t < a->t1; t++)
        for (uint32_t j = 0; j < RHEO_BLOCK; j++)
            *row++ = *winner_at(a->work, t, b) == block * RHEO_BLOCK + j ? 0 : 1;
    d->port[RHEO_BARRED] = own->port[RHEO_BARRED];
    d->port_t[RHEO_BARRED] = RHEO_BLOCK;
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
    span_argument a = {.work = work, .t0 = t0, .t1 = moving ? t1 : t0 + 1};
    const uint32_t blocks = rheo__words(size_of(work)), tasks = work->B * blocks;
    if (competes(work)) {
        rheo__parallel(work->ctx, work->B, compete_task, &a);
        return;
    }
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
    const rheo_key key = rheo__key(work->seed, work->node->index, RHEO_FOR_SURROGATE);
    rheo_block_adjoint d = {.pseudo = a->pseudo, .work = own.work};
    d.pseudo.key = &key;
    d.pseudo.sample = work->sample ? work->sample[b] : b;
    d.pseudo.show = work->show;
    d.pseudo.step0 = work->step0 + a->t0;
    d.pseudo.first = block * RHEO_BLOCK;
    const rheo_constants c = rheo__constants_at(work);
    describe(a, b, block, 1, &own, &d.forward);
    if (competes(work)) bar(a, b, block, &own, &d.forward);
    if (rheo__constants_learned(work->node)) {
        d.gk = work->tape + (size_t)task * RHEO_BLOCK;
        d.gk_apart = apart(work);
    }
    /* not written: the adjoint copies what it starts from */
    find_states(work, work->before ? (float *)(uintptr_t)work->before : work->state, b, block,
                d.forward.state);
    for (uint32_t f = 0; neuron->states[f].name; f++) {
        if (carries(work))
            d.gstate[f] = work->adjoint + f * apart(work) + (size_t)task * RHEO_BLOCK;
        if (work->before || neuron->states[f].scope == RHEO_SCOPE_RUN) continue;
        d.forward.state[f] = own.rest + f * RHEO_BLOCK;
        for (uint32_t j = 0; j < RHEO_BLOCK; j++)
            d.forward.state[f][j] = rheo__rest_of(&c, f, (uint32_t)first + j);
    }
    if (work->giver) {
        work->giver->node->layer->give(work->giver, a->t0, a->t1, b, block, own.gout);
        d.gout = own.gout;
        d.gout_t = RHEO_BLOCK;
    } else if (work->gout) {
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
    span_argument a = {work, t0, work->out.stride_t ? t1 : t0 + 1, rheo__node_pseudo(work->node)};
    /* sums over the whole window, whatever cuts dL/d(state) */
    if (t1 == work->T && rheo__constants_tape(work) > 0)
        memset(work->tape, 0, rheo__constants_tape(work) * sizeof(float));
    rheo__parallel(work->ctx, work->B * rheo__words(size_of(work)), backward_task, &a);
}

/* The inputs of a block are read for all steps, to make its states anew, and of a step once more
 * before dL/d in of it is written. */
static bool overwrites(const rheo_node_spec *node)
{
    (void)node;
    return true;
}

static void gradient(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    (void)t1;
    if (t0 > 0 || !rheo__constants_learned(work->node)) return; /* the first span comes last */
    rheo__constants_gradient(work, work->tape, work->adjoint);
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

const rheo_layer rheo__layer_neuron = {
    .name = "neuron",
    .title = "a population of neurons",
    .equations = "those of its model; see the list of neurons",
    .source = "its model's",
    .kind = RHEO_POPULATION,
    .asks = true,
    .overwrites = overwrites,
    .fields = fields,
    .infer = infer,
    .param = param,
    .initialise = initialise,
    .form = form,
    .need = need,
    .refresh = rheo__constants_refresh,
    .reset = reset,
    .forward = forward,
    .backward = backward,
    .gradient = gradient,
    .count = count,
    .reference_need = rheo__population_reference_need,
    .reference_forward = rheo__population_reference_forward,
    .reference_backward = rheo__population_reference_backward,
};
