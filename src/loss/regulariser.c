/* regulariser.c: bounds on activity. With c[b,i] = sum_t s[t,b,i], the spikes of neuron i, and
 * r = c/T its rate, of a population of N neurons:
 *
 *   sparse  strength/B sum_b sum_i |c|^power            power 1: the L1 norm of all spikes
 *   upper   strength/B sum_b max(0, 1/N sum_i r - bound)^power     of a layer
 *   lower   strength/(B N) sum_b sum_i max(0, bound - r)^2         of each neuron
 *   force   strength/(B N) sum over b and i with c = 0 of max(0, bound - max_t v[t,b,i])
 *
 * `of: membrane` takes the membrane in place of the spikes: the sums over t of v for `upper` and
 * `lower`, and |v|^power summed over t for `sparse`. `force` gives a silent neuron the spike that
 * it lacks: its membrane is raised where it came nearest to the threshold (`bound`).
 *
 * Eshraghian et al. 2023, appendix B; upper and lower bounds: Zenke & Vogels 2021; snnTorch's
 * l1_rate_sparsity is `sparse` times B. Of a sample with a length of its own, T and the sums are
 * its own steps'. */
#include "loss/regulariser.h"
#include <math.h>
#include <string.h>

static const char *const layer_names[] = {"hidden", "output", "all", NULL};
static const char *const of_names[] = {"spikes", "membrane", NULL};
#define COMMON(strength)                                                                           \
    RHEO_NUMBER_FIELD("strength", "1", strength, 0, 1e12, "Factor on the penalty."),               \
        RHEO_CHOICE_FIELD("layers", 0, layer_names, "Which populations it holds.")
#define OF RHEO_CHOICE_FIELD("of", 0, of_names, "What is held.")
enum { OF_WHAT = RHEO_REGULARISE_LAYERS + 1, BOUND, POWER };

static const rheo_field sparse_fields[] = {
    COMMON(1e-5), OF, RHEO_INTEGER_FIELD("power", "1", 1, 1, 2, "Of the counts: 1 or 2."),
    RHEO_FIELD_END};
static const rheo_field upper_fields[] = {
    COMMON(1e-2), OF,
    RHEO_NUMBER_FIELD("bound", "1", 0.1, -1e6, 1e6, "Mean spikes a neuron and step, or membrane."),
    RHEO_INTEGER_FIELD("power", "1", 2, 1, 2, "Of what is too much: 1 or 2."), RHEO_FIELD_END};
static const rheo_field lower_fields[] = {
    COMMON(1e-2), OF,
    RHEO_NUMBER_FIELD("bound", "1", 0.01, -1e6, 1e6, "Spikes a step of a neuron, or its membrane."),
    RHEO_FIELD_END};
enum { FORCE_BOUND = RHEO_REGULARISE_LAYERS + 1 };
static const rheo_field force_fields[] = {
    COMMON(1e-2),
    RHEO_NUMBER_FIELD("bound", "1", 1, -1e6, 1e6, "Membrane that is high enough: the threshold."),
    RHEO_FIELD_END};

static bool of_membrane(const rheo_options *options)
{
    return options->v[OF_WHAT] > 0;
}

static bool always(const rheo_options *options)
{
    (void)options;
    return true;
}

static uint32_t steps_of(const rheo_regularise *call, uint32_t b)
{
    if (call->length) return call->length[b];
    return call->exact ? call->exact->T : call->out->T;
}

static uint32_t neurons(const rheo_regularise *call)
{
    return call->exact ? call->exact->N : call->out->N;
}

static size_t place(const rheo_regularise *call, uint32_t t, uint32_t b, uint32_t i)
{
    return ((size_t)t * call->B + b) * call->exact->N + i;
}

static double membrane(const rheo_regularise *call, uint32_t t, uint32_t b, uint32_t i)
{
    return call->exact ? call->exact->v[place(call, t, b, i)]
                       : (double)rheo__real_row(call->v, t, b)[i];
}

static void push_membrane(const rheo_regularise *call, uint32_t t, uint32_t b, uint32_t i, double g)
{
    if (call->exact)
        call->exact->gv[place(call, t, b, i)] += g;
    else
        rheo__real_row(call->gv, t, b)[i] += (float)g;
}

static void sum_signal(const rheo_signal *s, uint32_t b, uint32_t T, double *sum)
{
    for (uint32_t t = 0; t < T; t++) {
        if (s->form == RHEO_REAL) {
            const float *row = rheo__real_row(s, t, b);
            for (uint32_t i = 0; i < s->N; i++) sum[i] += (double)row[i];
            continue;
        }
        const uint64_t *row = rheo__bits_row(s, t, b);
        for (uint32_t w = 0; w < rheo__words(s->N); w++)
            for (uint64_t left = row[w]; left; left &= left - 1)
                sum[w * 64 + (uint32_t)__builtin_ctzll(left)] += 1;
    }
    if (s->form == RHEO_BITS && (s->lo != 0 || s->hi != 1))
        for (uint32_t i = 0; i < s->N; i++)
            sum[i] = T * (double)s->lo + sum[i] * ((double)s->hi - (double)s->lo);
}

/* Sum over the steps of one sample's spikes or membranes, in the call's scratch. */
static void sum_steps(const rheo_regularise *call, bool of_v, uint32_t b)
{
    const uint32_t T = steps_of(call, b), N = neurons(call);
    memset(call->scratch, 0, N * sizeof *call->scratch);
    if (!call->exact) {
        sum_signal(of_v ? call->v : call->out, b, T, call->scratch);
        return;
    }
    const double *x = of_v ? call->exact->v : call->exact->out;
    for (uint32_t t = 0; t < T; t++)
        for (uint32_t i = 0; i < N; i++) call->scratch[i] += x[place(call, t, b, i)];
}

/* The derivative by the sum over time of neuron i. */
static void push(const rheo_regularise *call, uint32_t b, uint32_t i, double g)
{
    const uint32_t T = steps_of(call, b);
    if (call->exact) {
        double *to = of_membrane(call->options) ? call->exact->gv : call->exact->gout;
        for (uint32_t t = 0; t < T; t++) to[place(call, t, b, i)] += g;
        return;
    }
    if (!of_membrane(call->options)) {
        rheo__real_row(call->gout, 0, b)[i] += (float)g;
        return;
    }
    const uint32_t steps = call->gv->stride_t ? T : 1;
    const double factor = call->gv->stride_t ? 1 : T; /* a static row takes all steps */
    for (uint32_t t = 0; t < steps; t++) rheo__real_row(call->gv, t, b)[i] += (float)(factor * g);
}

static double power_of(double x, double power, double *slope)
{
    const double size = fabs(x), sign = x < 0 ? -1 : 1;
    *slope = power > 1 ? 2 * x : sign;
    return power > 1 ? size * size : size;
}

/* ---- sparse ---- */

static double sparse_membrane(const rheo_regularise *call)
{
    const double power = call->options->v[OF_WHAT + 1];
    const double weight = call->options->v[RHEO_REGULARISE_STRENGTH] / call->B;
    const uint32_t T = call->exact ? call->exact->T : call->v->T;
    double sum = 0, slope;
    for (uint32_t t = 0; t < T; t++)
        for (uint32_t b = 0; b < call->B; b++)
            for (uint32_t i = 0; i < neurons(call) && t < steps_of(call, b); i++) {
                sum += power_of(membrane(call, t, b, i), power, &slope);
                push_membrane(call, t, b, i, weight * slope);
            }
    return weight * sum;
}

static double sparse_value(const rheo_regularise *call)
{
    const double weight = call->options->v[RHEO_REGULARISE_STRENGTH] / call->B;
    double sum = 0;
    if (of_membrane(call->options)) return sparse_membrane(call);
    for (uint32_t b = 0; b < call->B; b++) {
        sum_steps(call, false, b);
        for (uint32_t i = 0; i < neurons(call); i++) {
            double slope;
            sum += power_of(call->scratch[i], call->options->v[OF_WHAT + 1], &slope);
            push(call, b, i, weight * slope);
        }
    }
    return weight * sum;
}

/* ---- bounds ---- */

static double upper_value(const rheo_regularise *call)
{
    const double *o = call->options->v, weight = o[RHEO_REGULARISE_STRENGTH] / call->B;
    const uint32_t N = neurons(call);
    double sum = 0;
    for (uint32_t b = 0; b < call->B; b++) {
        const double each = (double)N * steps_of(call, b);
        double mean = 0, slope;
        sum_steps(call, of_membrane(call->options), b);
        for (uint32_t i = 0; i < N; i++) mean += call->scratch[i];
        const double over = mean / each - o[BOUND];
        if (over <= 0) continue;
        sum += power_of(over, o[POWER], &slope);
        for (uint32_t i = 0; i < N; i++) push(call, b, i, weight * slope / each);
    }
    return weight * sum;
}

static double lower_value(const rheo_regularise *call)
{
    const double *o = call->options->v;
    const uint32_t N = neurons(call);
    const double weight = o[RHEO_REGULARISE_STRENGTH] / call->B / N;
    double sum = 0;
    for (uint32_t b = 0; b < call->B; b++) {
        const uint32_t T = steps_of(call, b);
        sum_steps(call, of_membrane(call->options), b);
        for (uint32_t i = 0; i < N; i++) {
            const double lacks = o[BOUND] - call->scratch[i] / T;
            if (lacks <= 0) continue;
            sum += lacks * lacks;
            push(call, b, i, -2 * weight * lacks / T);
        }
    }
    return weight * sum;
}

static double force_value(const rheo_regularise *call)
{
    const double *o = call->options->v;
    const uint32_t N = neurons(call);
    const double weight = o[RHEO_REGULARISE_STRENGTH] / call->B / N;
    double sum = 0;
    for (uint32_t b = 0; b < call->B; b++) {
        const uint32_t T = steps_of(call, b);
        sum_steps(call, false, b);
        for (uint32_t i = 0; i < N; i++) {
            uint32_t at = 0;
            if (call->scratch[i] > 0) continue;
            for (uint32_t t = 1; t < T; t++)
                if (membrane(call, t, b, i) > membrane(call, at, b, i)) at = t;
            const double lacks = o[FORCE_BOUND] - membrane(call, at, b, i);
            if (lacks <= 0) continue;
            sum += lacks;
            push_membrane(call, at, b, i, -weight);
        }
    }
    return weight * sum;
}

/* ---- the table ---- */

static const rheo_regulariser rheo__regulariser_sparse = {
    .name = "sparse",
    .title = "the L1 norm of the spikes, or of their counts' squares",
    .equations =
        "strength/B sum_b sum_i |sum_t s[t,b,i]|^power; of membranes sum_t |v[t,b,i]|^power",
    .source = "Eshraghian et al. 2023, doi:10.1109/JPROC.2023.3308088, appendix B",
    .fields = sparse_fields,
    .membrane = of_membrane,
    .value = sparse_value,
};

static const rheo_regulariser rheo__regulariser_upper = {
    .name = "upper",
    .title = "an upper bound on a layer's mean activity",
    .equations = "strength/B sum_b max(0, 1/(N T) sum_i sum_t s[t,b,i] - bound)^power",
    .source = "Zenke & Vogels 2021, doi:10.1162/neco_a_01367",
    .fields = upper_fields,
    .membrane = of_membrane,
    .value = upper_value,
};

static const rheo_regulariser rheo__regulariser_lower = {
    .name = "lower",
    .title = "a lower bound on each neuron's activity",
    .equations = "strength/(B N) sum_b sum_i max(0, bound - 1/T sum_t s[t,b,i])^2",
    .source = "Zenke & Vogels 2021, doi:10.1162/neco_a_01367",
    .fields = lower_fields,
    .membrane = of_membrane,
    .value = lower_value,
};

static const rheo_regulariser rheo__regulariser_force = {
    .name = "force",
    .title = "silent neurons are raised where they came nearest to a spike",
    .equations = "strength/(B N) sum_{b,i silent} max(0, bound - max_t v[t,b,i])",
    .source = "after Eshraghian et al. 2023, appendix B (a spike is forced of a silent neuron)",
    .fields = force_fields,
    .membrane = always,
    .value = force_value,
};

static const rheo_regulariser *const regularisers[] = {
#define RHEO_REGULARISER(name) &rheo__regulariser_##name,
#include "loss/regularisers.def"
#undef RHEO_REGULARISER
    NULL};

const char *const rheo__regulariser_names[] = {
#define RHEO_REGULARISER(name) #name,
#include "loss/regularisers.def"
#undef RHEO_REGULARISER
    NULL};

const rheo_regulariser *rheo__regulariser_at(uint32_t index)
{
    return index < sizeof regularisers / sizeof *regularisers ? regularisers[index] : NULL;
}

const rheo_regulariser *rheo__regulariser_find(const char *name)
{
    for (uint32_t i = 0; regularisers[i]; i++)
        if (!strcmp(regularisers[i]->name, name)) return regularisers[i];
    return NULL;
}
