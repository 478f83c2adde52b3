/* constants.c: the constants of a population's neurons. They follow from the model's options;
 * options that are parameters of the net (one value for the layer, a channel or a neuron) are put
 * in first, neuron by neuron.
 *
 * The gradient of a parameter p is
 *
 *   sum over neurons  sum_X gk[X] dk[X]/dp + sum_f gs[f] ds_f/dp
 *
 * with gk from the model's adjoint (over steps and samples), s_f the state at the start. dk/dp and
 * ds/dp are central differences of derive and initial, in double: error about (h/p)^2/6 = 2e-11
 * relative. Sums are in double: samples ascending, then neurons ascending. */
#include "layer/population.h"
#include <math.h>
#include <string.h>

uint32_t rheo__state_count(const rheo_neuron *neuron)
{
    uint32_t states = 0;
    while (neuron->states[states].name) states++;
    return states;
}

uint32_t rheo__state_place(const rheo_neuron *neuron, uint32_t state)
{
    uint32_t at = 0;
    for (uint32_t f = 0; f < state; f++)
        at += neuron->states[f].scope == neuron->states[state].scope;
    return at;
}

uint32_t rheo__lasting(const rheo_node_spec *node)
{
    uint32_t count = 0;
    for (uint32_t f = 0; node->neuron->states[f].name; f++)
        count += node->neuron->states[f].scope == RHEO_SCOPE_RUN;
    return count;
}

uint32_t rheo__own_units(const rheo_node_spec *node, const rheo_own *own)
{
    if (own->per == RHEO_PER_LAYER) return 1;
    return own->per == RHEO_PER_CHANNEL ? node->out.dim[0] : rheo__shape_size(node->out);
}

uint32_t rheo__own_unit(const rheo_node_spec *node, const rheo_own *own, uint32_t n)
{
    const uint32_t size = rheo__shape_size(node->out);
    if (own->per == RHEO_PER_LAYER) return 0;
    return own->per == RHEO_PER_CHANNEL ? n / (size / node->out.dim[0]) : n;
}

bool rheo__constants_apart(const rheo_node_spec *node)
{
    bool apart = false;
    for (uint32_t i = 0; i < node->owns; i++) apart = apart || node->own[i].per != RHEO_PER_LAYER;
    return apart;
}

bool rheo__constants_learned(const rheo_node_spec *node)
{
    bool learned = false;
    for (uint32_t i = 0; i < node->owns; i++) learned = learned || node->own[i].learned;
    return learned;
}

static rheo_options options_of(const rheo_node_spec *node, const double *const *reference,
                               uint32_t n)
{
    rheo_options options = node->neuron_options;
    const uint32_t first = rheo__lasting(node);
    for (uint32_t i = 0; i < node->owns; i++) {
        const uint32_t unit = rheo__own_unit(node, &node->own[i], n);
        options.v[node->own[i].field] =
            reference ? reference[first + i][unit] : (double)node->param[first + i]->value[unit];
    }
    return options;
}

/* Whether two neurons have the same options. */
static bool equal(const rheo_node_spec *node, const rheo_options *a, const rheo_options *b)
{
    for (uint32_t i = 0; i < node->owns; i++)
        if (a->v[node->own[i].field] != b->v[node->own[i].field]) return false;
    return true;
}

static void derive(const rheo_node_spec *node, const rheo_options *options, double *k, double *rest)
{
    memset(k, 0, RHEO_CONSTANTS * sizeof *k);
    memset(rest, 0, RHEO_STATES * sizeof *rest);
    (void)node->neuron->derive(NULL, options, node->dt, k); /* checked by infer */
    node->neuron->initial(k, rest);
}

void rheo__constants_of(const rheo_node_spec *node, const double *const *reference, uint32_t n,
                        double *k, double *rest)
{
    const rheo_options options = options_of(node, reference, n);
    derive(node, &options, k, rest);
}

/* dk/dp and ds/dp of a field at these options. */
static void slopes(const rheo_node_spec *node, const rheo_options *options, uint32_t field,
                   double *dk, double *ds)
{
    rheo_options low = *options, high = *options;
    double k[2][RHEO_CONSTANTS], s[2][RHEO_STATES];
    const double h = 1e-5 * fmax(fabs(options->v[field]), 0.01);
    low.v[field] -= h;
    high.v[field] += h;
    const double width = high.v[field] - low.v[field];
    derive(node, &low, k[0], s[0]);
    derive(node, &high, k[1], s[1]);
    for (uint32_t c = 0; c < node->neuron->constants; c++)
        dk[c] = isinf(k[1][c]) ? 0 : (k[1][c] - k[0][c]) / width;
    for (uint32_t f = 0; node->neuron->states[f].name; f++) ds[f] = (s[1][f] - s[0][f]) / width;
}

double rheo__constants_slope(const rheo_node_spec *node, const double *const *reference, uint32_t n,
                             uint32_t own, const double *gk, const double *gs)
{
    const rheo_options options = options_of(node, reference, n);
    double dk[RHEO_CONSTANTS], ds[RHEO_STATES], sum = 0;
    slopes(node, &options, node->own[own].field, dk, ds);
    for (uint32_t c = 0; c < node->neuron->constants; c++)
        if (dk[c] != 0) sum += gk[c] * dk[c];
    for (uint32_t f = 0; node->neuron->states[f].name; f++)
        if (ds[f] != 0) sum += gs[f] * ds[f];
    return sum;
}

/* ---- as the loops want them ---- */

static size_t pitch(const rheo_node_spec *node)
{
    return (size_t)rheo__words(rheo__shape_size(node->out)) * RHEO_BLOCK;
}

size_t rheo__constants_floats(const rheo_node_spec *node)
{
    return (size_t)(RHEO_CONSTANTS + RHEO_STATES) * (rheo__constants_apart(node) ? pitch(node) : 1);
}

rheo_constants rheo__constants_at(const rheo_work *work)
{
    const size_t apart = rheo__constants_apart(work->node) ? pitch(work->node) : 0;
    return (rheo_constants){work->derived, work->derived + RHEO_CONSTANTS * (apart ? apart : 1),
                            apart};
}

void rheo__constants_refresh(const rheo_work *work)
{
    const rheo_constants c = rheo__constants_at(work);
    const uint32_t count = c.k_apart ? rheo__shape_size(work->node->out) : 1;
    const size_t apart = c.k_apart ? c.k_apart : 1;
    double k[RHEO_CONSTANTS], rest[RHEO_STATES];
    for (uint32_t n = 0; n < count; n++) {
        rheo__constants_of(work->node, NULL, n, k, rest);
        for (uint32_t i = 0; i < RHEO_CONSTANTS; i++) c.k[i * apart + n] = (float)k[i];
        for (uint32_t i = 0; i < RHEO_STATES; i++) c.rest[i * apart + n] = (float)rest[i];
    }
}

/* ---- gradient ---- */

size_t rheo__constants_tape(const rheo_work *work)
{
    if (!work->gradient || !rheo__constants_learned(work->node)) return 0;
    return work->node->neuron->constants * pitch(work->node) * work->B;
}

/* Row c of [.][B][blocks][64], neuron n, over samples. */
static double sum_samples(const rheo_work *work, const float *from, size_t c, uint32_t n)
{
    const size_t apart = pitch(work->node);
    double sum = 0;
    for (uint32_t b = 0; b < work->B; b++) sum += (double)from[(c * work->B + b) * apart + n];
    return sum;
}

void rheo__constants_gradient(const rheo_work *work, const float *gk, const float *gs)
{
    const rheo_node_spec *node = work->node;
    const uint32_t first = rheo__lasting(node), size = rheo__shape_size(node->out);
    double dk[RHEO_CONSTANTS], ds[RHEO_STATES];
    for (uint32_t i = 0; i < node->owns; i++) {
        float *to = work->grad[first + i];
        rheo_options last;
        double sum = 0;
        for (uint32_t n = 0; n < size && to; n++) {
            const rheo_options options = options_of(node, NULL, n);
            if (n == 0 || !equal(node, &last, &options))
                slopes(node, &options, node->own[i].field, dk, ds);
            last = options;
            for (uint32_t c = 0; c < node->neuron->constants; c++)
                if (dk[c] != 0) sum += dk[c] * sum_samples(work, gk, c, n);
            for (uint32_t f = 0; node->neuron->states[f].name; f++)
                if (ds[f] != 0) sum += ds[f] * sum_samples(work, gs, f, n);
            const uint32_t unit = rheo__own_unit(node, &node->own[i], n);
            if (n + 1 < size && rheo__own_unit(node, &node->own[i], n + 1) == unit) continue;
            to[unit] = (float)sum;
            sum = 0;
        }
    }
}
