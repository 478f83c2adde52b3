/* population_reference.c: a population in double, neuron by neuron. Keeps the state before each step,
 * [T][B][N][states], then each neuron's constants and state at rest, then for each neuron of the batch
 * what goes backward in time from span to span: dL/d state, dL/d constants. */
#include "layer/population.h"
#include <string.h>

#define TABLE (RHEO_CONSTANTS + RHEO_STATES)

typedef struct walk {
    const rheo_reference_work *work;
    const rheo_node_spec *node;
    rheo_pseudo pseudo;
    rheo_key key;
    uint32_t size, states;
    size_t row;
    double *table; /* of neuron n: constants, state at rest */
} walk;

static walk walk_of(const rheo_reference_work *work)
{
    const uint32_t size = rheo__shape_size(work->node->out);
    walk w = {.work = work,
              .node = work->node,
              .pseudo = rheo__node_pseudo(work->node),
              .key = rheo__key(work->seed, work->node->index, RHEO_FOR_NOISE),
              .size = size,
              .states = rheo__state_count(work->node->neuron),
              .row = (size_t)work->B * size};
    w.table = work->keep + (work->T * w.row) * w.states;
    return w;
}

size_t rheo__population_reference_need(const rheo_node_spec *node, uint32_t T, uint32_t B)
{
    const size_t size = rheo__shape_size(node->out);
    return T * B * size * rheo__state_count(node->neuron) + (size + B * size) * TABLE;
}

/* State of neuron j (of the batch) before step t. */
static double *state_at(const walk *w, uint32_t t, size_t j)
{
    return w->work->keep + (t * w->row + j) * w->states;
}

static void inputs_at(const walk *w, uint32_t t, size_t j, double in[RHEO_ROWS])
{
    const size_t at = t * w->row + j;
    for (uint32_t p = 0; p < RHEO_PORTS; p++) in[p] = w->work->in[p] ? w->work->in[p][at] : 0;
    in[RHEO_DRAW] = in[RHEO_BARRED] = 0;
    if (!w->node->neuron->draws) return;
    const uint32_t n = (uint32_t)(j % w->size);
    uint32_t r[4];
    rheo__reference_draw(w->key, w->work, (uint32_t)(j / w->size), t, n / 4, r);
    in[RHEO_DRAW] = (double)rheo__neuron_draw(r[n % 4]);
}

/* One step of neuron j from the state before it; s: after. */
static double step(const walk *w, uint32_t t, size_t j, const double *in, double *s, double *x)
{
    memcpy(s, state_at(w, t, j), w->states * sizeof *s);
    return w->node->neuron->reference.step(w->table + j % w->size * TABLE, s, in, w->work->smooth,
                                           &w->pseudo, false, x);
}

/* Where neurons inhibit each other: the one that may spike, of the sample of neuron j. */
static size_t winner_of(const walk *w, uint32_t t, size_t j)
{
    const size_t first = j - j % w->size;
    double in[RHEO_ROWS], s[RHEO_STATES], x, most = 0;
    size_t winner = first;
    for (size_t i = first; i < first + w->size; i++) {
        inputs_at(w, t, i, in);
        (void)step(w, t, i, in, s, &x);
        if (i == first || x > most) winner = i, most = x;
    }
    return winner;
}

static bool competes(const walk *w)
{
    return w->node->options.v[0] != 0 && w->node->neuron->out == RHEO_BITS;
}

static void start(const walk *w)
{
    const rheo_neuron *neuron = w->node->neuron;
    for (uint32_t n = 0; n < w->size; n++)
        rheo__constants_of(w->node, w->work->param, n, w->table + n * TABLE,
                           w->table + n * TABLE + RHEO_CONSTANTS);
    for (size_t j = 0; j < w->row; j++) {
        const size_t n = j % w->size;
        double *s = state_at(w, 0, j);
        memcpy(s, w->table + n * TABLE + RHEO_CONSTANTS, w->states * sizeof *s);
        for (uint32_t f = 0; f < w->states; f++)
            if (neuron->states[f].scope == RHEO_SCOPE_RUN)
                s[f] = w->work->param[rheo__state_place(neuron, f)][n];
    }
}

void rheo__population_reference_forward(const rheo_reference_work *work)
{
    const walk w = walk_of(work);
    const uint32_t readout = w.node->neuron->readout;
    double in[RHEO_ROWS], s[RHEO_STATES], x;
    if (work->t0 == 0) start(&w);
    for (uint32_t t = work->t0; t < rheo__reference_end(work); t++) {
        size_t winner = 0;
        for (size_t j = 0; j < w.row; j++) {
            const size_t at = t * w.row + j;
            if (competes(&w) && j % w.size == 0) winner = winner_of(&w, t, j);
            inputs_at(&w, t, j, in);
            in[RHEO_BARRED] = competes(&w) && j != winner;
            work->out[at] = step(&w, t, j, in, s, &x);
            if (t + 1 < work->T) memcpy(state_at(&w, t + 1, j), s, w.states * sizeof *s);
            if (work->readout) work->readout[at] = readout < w.states ? s[readout] : work->out[at];
        }
    }
}

static void add_gradients(const walk *w, uint32_t n, const double *gk, const double *gs)
{
    const uint32_t first = rheo__lasting(w->node);
    for (uint32_t i = 0; i < w->node->owns; i++)
        if (w->work->grad[first + i])
            w->work->grad[first + i][rheo__own_unit(w->node, &w->node->own[i], n)] +=
                rheo__constants_slope(w->node, w->work->param, n, i, gk, gs);
}

static void backward_neuron(const walk *w, size_t j)
{
    const rheo_reference_work *work = w->work;
    const rheo_neuron *neuron = w->node->neuron;
    double in[RHEO_ROWS], gin[RHEO_PORTS];
    double *gk = w->table + (w->size + j) * TABLE, *gs = gk + RHEO_CONSTANTS;
    const uint32_t end = rheo__reference_end(work), K = work->truncate;
    if (end == work->T) memset(gk, 0, TABLE * sizeof *gk);
    for (uint32_t t = end; t-- > work->t0;) {
        const size_t at = t * w->row + j;
        if (K && (t + 1) % K == 0) memset(gs, 0, RHEO_STATES * sizeof *gs);
        double gout = work->gout ? work->gout[at] : 0;
        if (work->greadout && neuron->readout < w->states)
            gs[neuron->readout] += work->greadout[at];
        else if (work->greadout)
            gout += work->greadout[at];
        inputs_at(w, t, j, in);
        in[RHEO_BARRED] = competes(w) && j != winner_of(w, t, j);
        memset(gin, 0, sizeof gin);
        neuron->reference.adjoint(w->table + j % w->size * TABLE, state_at(w, t, j), in,
                                  work->smooth, &w->pseudo, gout, gs, gin, gk);
        for (uint32_t p = 0; p < RHEO_PORTS; p++)
            if (work->gin[p]) work->gin[p][at] = gin[p];
    }
    if (work->t0 == 0) add_gradients(w, (uint32_t)(j % w->size), gk, gs);
}

void rheo__population_reference_backward(const rheo_reference_work *work)
{
    const walk w = walk_of(work);
    const uint32_t first = rheo__lasting(w.node);
    for (uint32_t i = 0; i < w.node->owns; i++)
        if (rheo__reference_end(work) == work->T && work->grad[first + i])
            memset(work->grad[first + i], 0,
                   rheo__own_units(w.node, &w.node->own[i]) * sizeof(double));
    for (size_t j = 0; j < w.row; j++) backward_neuron(&w, j);
}
