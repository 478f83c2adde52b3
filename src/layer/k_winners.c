/* k_winners.c: at each step the k largest inputs of a layer pass, the others are silenced.
 *
 *   y_j = x_j when fewer than k inputs are larger (ties: see below), else 0
 *
 * Of equal values, and spikes are all equal, the lowest indices win, or, with `ties: random`, those
 * that a number drawn from (seed, node, dropout) and (sample, show, step, element/4) puts first.
 * The gradient passes through winners, and through all where none had to be silenced: no input
 * below 0 and at most k above. Majani, Erlanson & Abu-Mostafa 1989, "On the k-winners-take-all
 * network". */
#include "layer/rows.h"
#include <string.h>

enum { K, TIES };
enum { LOWEST, RANDOM };
static const char *const ties_names[] = {"lowest", "random", NULL};
static const rheo_field fields[] = {
    RHEO_INTEGER_FIELD("k", "1", 1, 1, 1e9, "How many pass at a step."),
    RHEO_CHOICE_FIELD("ties", LOWEST, ties_names, "Which of equal inputs pass."), RHEO_FIELD_END};

static bool draws(const rheo_node_spec *node)
{
    return (int)node->options.v[TIES] == RANDOM;
}

static void form(const rheo_work *work, rheo_form *out, bool *fixed, float *lo, float *hi)
{
    const rheo_signal *in = work->in[0];
    rheo__form_real(work, out, fixed, lo, hi);
    *fixed = *fixed && !draws(work->node);
    if (!in || (in->form == RHEO_BITS && (in->lo < 0 || in->lo > 0))) return;
    *out = in->form;
    *lo = in->lo;
    *hi = in->hi;
}

/* ---- ranks: larger value, then what decides ties, as one number that no two inputs share ---- */

/* Numbers in the order of the floats; -0 and 0 are equal, NaN comes last. */
static uint64_t order(float x)
{
    uint32_t bits;
    if (x != x) return 0;
    x += 0.0f; /* -0 becomes 0 */
    memcpy(&bits, &x, sizeof bits);
    return bits >> 31 ? UINT32_MAX - bits : bits | UINT32_C(0x80000000);
}

static void rank(const rheo_work *work, uint32_t t, uint32_t b, uint64_t *key)
{
    const rheo_signal *in = work->in[0];
    const rheo_key stream = rheo__key(work->seed, work->node->index, RHEO_FOR_DROPOUT);
    uint32_t below = 1, r[4] = {0};
    while (below < in->N) below *= 2;
    for (uint32_t j = 0; j < in->N; j++) {
        uint32_t low = below - 1 - j; /* the lower index first */
        if (draws(work->node)) {
            if (j % 4 == 0) rheo__draw(stream, work, b, work->step0 + t, j / 4, r);
            low |= r[j % 4] & ~(below - 1);
        }
        key[j] = order(rheo__signal_get(in, t, b, j)) << 32 | low;
    }
}

/* The k-th largest of n different numbers, bit by bit from the top. */
static uint64_t select(const uint64_t *x, uint32_t n, uint32_t k)
{
    uint64_t found = 0;
    for (uint64_t bit = UINT64_C(1) << 63; bit; bit >>= 1) {
        uint32_t count = 0;
        for (uint32_t j = 0; j < n; j++) count += x[j] >= (found | bit);
        if (count >= k) found |= bit;
    }
    return found;
}

/* Nobody has to be silenced: none is below 0, at most k are above. */
static bool few(const rheo_signal *in, uint32_t t, uint32_t b, uint32_t k)
{
    uint32_t above = 0;
    if (in->form == RHEO_BITS) return !(in->lo < 0) && rheo__signal_popcount(in, t, b, b + 1) <= k;
    const float *x = rheo__real_row(in, t, b);
    for (uint32_t j = 0; j < in->N; j++) {
        if (!(x[j] >= 0)) return false;
        above += x[j] > 0;
    }
    return above <= k;
}

/* The ranks of a row and the rank that a winner has at least; all win: 0. */
static uint64_t compete(const rheo_work *work, uint32_t t, uint32_t b, uint64_t *key)
{
    const uint32_t n = work->in[0]->N;
    const double k = work->node->options.v[K];
    if (k >= n || few(work->in[0], t, b, (uint32_t)k)) return 0;
    rank(work, t, b, key);
    return select(key, n, (uint32_t)k);
}

/* ---- running ---- */

typedef struct span_argument {
    const rheo_work *work;
    uint32_t t0, t1;
} span_argument;

static size_t thread_bytes(const rheo_work *work)
{
    return rheo__round64(rheo__shape_size(work->node->in) * sizeof(uint64_t));
}

static void need(const rheo_work *work, rheo_need *out)
{
    out->scratch = rheo_threads(work->ctx) * thread_bytes(work);
}

static void forward_sample(void *argument, uint32_t b, uint32_t thread)
{
    const span_argument *a = argument;
    const rheo_work *work = a->work;
    const rheo_signal *in = work->in[0];
    rheo_signal out = work->out;
    uint64_t *key = (void *)((char *)work->scratch + thread * thread_bytes(work));
    for (uint32_t t = a->t0; t < a->t1; t++) {
        const uint64_t least = compete(work, t, b, key);
        if (out.form == RHEO_BITS) {
            uint64_t *y = rheo__bits_row(&out, t, b);
            memcpy(y, rheo__bits_row(in, t, b), rheo__words(out.N) * sizeof *y);
            for (uint32_t j = 0; j < out.N && least; j++)
                if (key[j] < least) y[j / 64] &= ~(UINT64_C(1) << j % 64);
        } else {
            float *y = rheo__real_row(&out, t, b);
            for (uint32_t j = 0; j < out.N; j++)
                y[j] = least && key[j] < least ? 0 : rheo__signal_get(in, t, b, j);
        }
    }
}

static void forward(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    span_argument a = {work, t0, rheo__last_step(&work->out, t0, t1)};
    rheo__parallel(work->ctx, work->B, forward_sample, &a);
}

static void backward_sample(void *argument, uint32_t b, uint32_t thread)
{
    const span_argument *a = argument;
    const rheo_work *work = a->work;
    const rheo_signal *gin = &work->gin[0];
    uint64_t *key = (void *)((char *)work->scratch + thread * thread_bytes(work));
    for (uint32_t t = a->t1; t-- > a->t0;) {
        const uint64_t least = compete(work, t, b, key);
        const float *g = rheo__real_row(work->gout, t, b);
        float *to = rheo__real_row(gin, t, b);
        const bool adds = gin->stride_t == 0 && work->gout->stride_t && t + 1 < work->T;
        for (uint32_t j = 0; j < gin->N; j++) {
            const float value = least && key[j] < least ? 0 : g[j];
            to[j] = adds ? to[j] + value : value;
        }
    }
}

static void backward(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    if (!work->gout || !work->gin[0].real) {
        rheo__pass_gradient(work, t0, t1);
        return;
    }
    span_argument a = {work, t0, rheo__last_step(work->gout, t0, t1)};
    rheo__parallel(work->ctx, work->B, backward_sample, &a);
}

/* A comparison an input; drawn numbers where ties need them. */
static void count(const rheo_work *work, uint32_t t, uint32_t b0, uint32_t b1, rheo_counts *add)
{
    const double k = work->node->options.v[K];
    if (work->out.stride_t == 0 && t > 0) return;
    add->acs += (uint64_t)(b1 - b0) * work->out.N;
    for (uint32_t b = b0; b < b1 && draws(work->node) && k < work->out.N; b++)
        if (!few(work->in[0], t, b, (uint32_t)k)) add->draws += work->out.N;
}

/* ---- reference: a winner has fewer than k others before it ---- */

static uint32_t tie(const rheo_reference_work *work, uint32_t t, uint32_t b, uint32_t j, uint32_t n)
{
    const rheo_key stream = rheo__key(work->seed, work->node->index, RHEO_FOR_DROPOUT);
    uint32_t below = 1, r[4] = {0};
    while (below < n) below *= 2;
    if (draws(work->node)) rheo__reference_draw(stream, work, b, t, j / 4, r);
    return (r[j % 4] & ~(below - 1)) | (below - 1 - j);
}

static bool wins(const rheo_reference_work *work, const double *x, uint32_t t, uint32_t b,
                 uint32_t j, uint32_t n)
{
    const double k = work->node->options.v[K];
    uint32_t above = 0, before = 0;
    bool below = false;
    for (uint32_t i = 0; i < n; i++) {
        above += x[i] > 0;
        below = below || x[i] < 0;
        if (x[i] > x[j])
            before++;
        else if (i != j && !(x[i] < x[j]))
            before += tie(work, t, b, i, n) > tie(work, t, b, j, n);
    }
    return before < k || (!below && above <= k);
}

static void reference(const rheo_reference_work *work, const double *from, double *to)
{
    const uint32_t n = rheo__shape_size(work->node->in);
    for (uint32_t t = 0; t < work->T; t++)
        for (uint32_t b = 0; b < work->B; b++)
            for (uint32_t j = 0; j < n; j++) {
                const size_t row = ((size_t)t * work->B + b) * n;
                const bool pass = work->in[0] && wins(work, work->in[0] + row, t, b, j, n);
                to[row + j] = from && pass ? from[row + j] : 0;
            }
}

static void reference_forward(const rheo_reference_work *work)
{
    reference(work, work->in[0], work->out);
}

static void reference_backward(const rheo_reference_work *work)
{
    if (work->gin[0]) reference(work, work->gout, work->gin[0]);
}

const rheo_layer rheo__layer_k_winners = {
    .name = "k-winners",
    .title = "the k largest inputs of a step pass",
    .equations = "y_j = x_j for the k largest x of a step, 0 for the others; gradient through the "
                 "winners",
    .source = "Majani et al. 1989, \"On the k-winners-take-all network\", NeurIPS 1",
    .kind = RHEO_MAPPING,
    .fields = fields,
    .infer = rheo__infer_same,
    .form = form,
    .need = need,
    .forward = forward,
    .backward = backward,
    .count = count,
    .reference_forward = reference_forward,
    .reference_backward = reference_backward,
};
