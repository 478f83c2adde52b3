/* spiking_lstm.c: an LSTM cell whose hidden state is a membrane that spikes.
 *
 *   i, f, o = sigmoid(...), g = tanh(...) of W_ih x + b_ih + W_hh h + b_hh, in the order i, f, g, o
 *   c <- f c + i g,   h' = o tanh(c),   s = [h > theta]
 *   reset none: h = h';  subtract: h = h' - R theta;  zero: h = (1 - R) h'
 *   R: h of the step before was above theta; no gradient flows through R
 *
 * snnTorch's SLSTM (Eshraghian et al. 2023, arXiv:2109.12894) with PyTorch's LSTMCell (Hochreiter &
 * Schmidhuber 1997). snnTorch puts the state to rest at every step when inputs and units differ in
 * number; that is not repeated here. `v` is h. All weights start evenly in +-1/sqrt(units). A sum
 * runs over both biases, the inputs, then the units. Leaves out: a threshold that is learned,
 * inhibition. */
#include "kernels/math.h"
#include "layer/firing.h"
#include <string.h>

enum { OUT, THETA, RESET };
enum { NONE, SUBTRACT, ZERO };
enum { W_IH, W_HH, B_IH, B_HH };
static const char *const reset_names[] = {"none", "subtract", "zero", NULL};
static const rheo_field fields[] = {
    RHEO_INTEGER_FIELD("out", "1", 1, 1, 1 << 20, "Number of units."),
    RHEO_NUMBER_FIELD("threshold", "1", 1, -1e6, 1e6, "Of a unit's hidden state."),
    RHEO_CHOICE_FIELD("reset", NONE, reset_names, "What a spike does in the next step."),
    RHEO_SURROGATE_FIELDS(0), RHEO_FIELD_END};

static uint32_t inputs(const rheo_node_spec *node)
{
    return rheo__shape_size(node->in);
}

static uint32_t units(const rheo_node_spec *node)
{
    return rheo__shape_size(node->out);
}

static int reset_of(const rheo_node_spec *node)
{
    return (int)node->options.v[RESET];
}

static rheo_status infer(rheo_context *ctx, rheo_node_spec *node)
{
    const double out = node->options.v[OUT];
    RHEO_CHECK(ctx, out <= 1 << 14, RHEO_SHAPE,
               "net node %s: %.0f units, expected at most %d: each drives each", node->name, out,
               1 << 14);
    RHEO_TRY(rheo__infer_weights(ctx, node, 4 * out));
    node->out.dim[0] = (uint32_t)out;
    return RHEO_OK;
}

static bool param(const rheo_node_spec *node, uint32_t index, rheo_param *out)
{
    static const char *const names[] = {"weight_ih", "weight_hh", "bias_ih", "bias_hh"};
    const uint32_t gates = 4 * units(node);
    if (index > B_HH) return false;
    if (index >= B_IH)
        rheo__param_entry(out, names[index], 1, gates);
    else
        rheo__param_entry(out, names[index], gates, index == W_IH ? inputs(node) : units(node));
    return true;
}

static void initialise(rheo_context *ctx, const rheo_node_spec *node, uint64_t seed)
{
    const float bound = (float)(1 / sqrt((double)units(node)));
    const rheo_key key = rheo__key(seed, node->index, RHEO_FOR_WEIGHTS);
    (void)ctx;
    for (uint32_t p = 0; p <= B_HH; p++)
        rheo__fill_uniform(key, p, -bound, bound, node->param[p]->value,
                           (uint64_t)node->param[p]->rows * node->param[p]->cols);
}

static void form(const rheo_work *work, rheo_form *out, bool *fixed, float *lo, float *hi)
{
    (void)work;
    *out = RHEO_BITS;
    *fixed = false;
    *lo = 0;
    *hi = 1;
}

/* ---- memory; rows of `gates` and `cells` floats ----
 *   derived  b_ih + b_hh
 *   state    h, c                [2][B][cells]
 *   tape     gates of each step, then dL/d(their sums)   [T][B][gates]
 *            h, c, the first those before the window      [T+1][B][cells] each
 *   adjoint  dL/dh, dL/dc        [2][B][cells]
 *   scratch  gates [T][B][gates] without a tape, and the products' own */

static uint32_t gate_row(const rheo_work *work)
{
    return rheo__pitch(4 * units(work->node));
}

static uint32_t cell_row(const rheo_work *work)
{
    return rheo__pitch(units(work->node));
}

static size_t gate_floats(const rheo_work *work)
{
    return (size_t)work->T * work->B * gate_row(work);
}

static size_t cell_floats(const rheo_work *work)
{
    return (size_t)work->B * cell_row(work);
}

static float *gates_at(const rheo_work *work, uint32_t t)
{
    float *base = work->gradient ? work->tape : work->scratch;
    return base + (size_t)t * work->B * gate_row(work);
}

/* The states after step t - 1. */
static float *kept_at(const rheo_work *work, uint32_t which, uint32_t t)
{
    return work->tape + gate_floats(work) + ((size_t)which * (work->T + 1) + t) * cell_floats(work);
}

static void *product_scratch(const rheo_work *work)
{
    const size_t gates = work->gradient ? 0 : gate_floats(work) * sizeof(float);
    return (char *)work->scratch + rheo__round64(gates);
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static void need(const rheo_work *work, rheo_need *out)
{
    const uint32_t H = units(work->node), in = inputs(work->node), B = work->B;
    size_t own = larger(rheo__product_scratch(work->ctx, RHEO_FLOAT32, B, 4 * H, in),
                        rheo__product_scratch(work->ctx, RHEO_FLOAT32, B, 4 * H, H));
    out->derived = rheo__pitch(4 * H);
    out->state = 2 * cell_floats(work);
    if (work->gradient) {
        out->tape = gate_floats(work) + 2 * ((size_t)work->T + 1) * cell_floats(work);
        out->adjoint = 2 * cell_floats(work);
        own = larger(own, rheo__product_scratch(work->ctx, RHEO_FLOAT32, B, in, 4 * H));
        own = larger(own, rheo__product_scratch(work->ctx, RHEO_FLOAT32, B, H, 4 * H));
        own = larger(own, rheo__product_scratch(work->ctx, RHEO_FLOAT32, 4 * H, in, B));
        own = larger(own, rheo__product_scratch(work->ctx, RHEO_FLOAT32, 4 * H, H, B));
    }
    out->scratch = own + (work->gradient ? 0 : rheo__round64(gate_floats(work) * sizeof(float)));
}

static void refresh(const rheo_work *work)
{
    rheo_param *const *p = work->node->param;
    for (uint32_t j = 0; j < 4 * units(work->node); j++)
        work->derived[j] = p[B_IH]->value[j] + p[B_HH]->value[j];
}

static void reset(const rheo_work *work)
{
    memset(work->state, 0, 2 * cell_floats(work) * sizeof(float));
}

/* ---- forward ---- */

static rheo_operand rows_operand(const rheo_signal *s, uint32_t t)
{
    if (s->form == RHEO_BITS)
        return (rheo_operand){
            .bits = rheo__bits_row(s, t, 0), .row = s->pitch, .col = 1, .lo = s->lo, .hi = s->hi};
    return (rheo_operand){.real = rheo__real_row(s, t, 0), .row = s->pitch, .col = 1};
}

/* gates = b + W_ih x of a step's samples, and then += W_hh h */
static void drive(const rheo_work *work, uint32_t t, bool recurrent)
{
    const uint32_t H = units(work->node), in = inputs(work->node);
    const rheo_operand h = {.real = work->state, .row = cell_row(work), .col = 1};
    rheo__product(work->ctx,
                  &(rheo_product){.M = work->B,
                                  .N = 4 * H,
                                  .K = recurrent ? H : in,
                                  .a = recurrent ? h : rows_operand(work->in[0], t),
                                  .b = {.real = work->node->param[recurrent ? W_HH : W_IH]->value,
                                        .row = recurrent ? H : in,
                                        .col = 1},
                                  .bias = recurrent ? NULL : work->derived,
                                  .accumulate = recurrent,
                                  .c = gates_at(work, t),
                                  .c_row = gate_row(work)},
                  product_scratch(work));
}

static float sigmoid(float x)
{
    return 1 / (1 + rheo__expf(-x));
}

typedef struct step_argument {
    const rheo_work *work;
    uint32_t t, t1;
} step_argument;

static void fire_sample(void *argument, uint32_t b, uint32_t thread)
{
    const step_argument *a = argument;
    const rheo_work *work = a->work;
    const uint32_t H = units(work->node);
    const int kind = reset_of(work->node);
    const float theta = (float)work->node->options.v[THETA];
    float *h = work->state + (size_t)b * cell_row(work), *c = h + cell_floats(work);
    float *i = gates_at(work, a->t) + (size_t)b * gate_row(work), *f = i + H, *g = f + H;
    float *o = g + H;
    uint64_t *s = rheo__bits_row(&work->out, a->t, b);
    (void)thread;
    memset(s, 0, rheo__words(H) * sizeof *s);
    for (uint32_t j = 0; j < H; j++) {
        const float fired = h[j] - theta > 0 ? 1 : 0;
        i[j] = sigmoid(i[j]), f[j] = sigmoid(f[j]), g[j] = rheo__tanhf(g[j]), o[j] = sigmoid(o[j]);
        c[j] = f[j] * c[j] + i[j] * g[j];
        h[j] = o[j] * rheo__tanhf(c[j]);
        if (kind == SUBTRACT) h[j] -= fired * theta;
        if (kind == ZERO) h[j] -= fired * h[j];
        s[j / 64] |= (uint64_t)(h[j] - theta > 0) << j % 64;
    }
    if (work->readout.real) memcpy(rheo__real_row(&work->readout, a->t, b), h, H * sizeof *h);
}

static void keep(const rheo_work *work, uint32_t t)
{
    for (uint32_t which = 0; which < 2 && work->gradient; which++)
        memcpy(kept_at(work, which, t), work->state + which * cell_floats(work),
               cell_floats(work) * sizeof(float));
}

static void forward(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    for (uint32_t t = t0; t < t1; t++)
        if (t == t0 || work->in[0]->stride_t)
            drive(work, t, false);
        else
            memcpy(gates_at(work, t), gates_at(work, t0), /* of a static input, before it fired */
                   (size_t)work->B * gate_row(work) * sizeof(float));
    keep(work, t0);
    for (uint32_t t = t0; t < t1; t++) {
        step_argument a = {work, t, t1};
        drive(work, t, true);
        rheo__parallel(work->ctx, work->B, fire_sample, &a);
        keep(work, t + 1);
    }
}

/* ---- backward ---- */

/* dL/d(the gates' sums) of a sample's step, from what comes from outputs and from later steps. */
static void fall_sample(void *argument, uint32_t b, uint32_t thread)
{
    const step_argument *a = argument;
    const rheo_work *work = a->work;
    const uint32_t H = units(work->node), t = a->t;
    const size_t row = (size_t)b * cell_row(work);
    const rheo_pseudo pseudo = rheo__node_pseudo(work->node);
    const float theta = (float)work->node->options.v[THETA];
    const float *h0 = kept_at(work, 0, t) + row, *c0 = kept_at(work, 1, t) + row;
    const float *h = kept_at(work, 0, t + 1) + row, *c = kept_at(work, 1, t + 1) + row;
    float *gh = work->adjoint + row, *gc = gh + cell_floats(work);
    float *i = gates_at(work, t) + (size_t)b * gate_row(work), *f = i + H, *g = f + H, *o = g + H;
    float x[RHEO_BLOCK] = {0}, d[RHEO_BLOCK] = {0};
    (void)thread;
    for (uint32_t j = 0; j < H; j++) {
        if (j % RHEO_BLOCK == 0) {
            const uint32_t n = rheo__block_size(H, j / RHEO_BLOCK);
            for (uint32_t k = 0; k < n; k++) x[k] = h[j + k] - theta;
            rheo__surrogate_derivative(work->ctx, &pseudo, x, d, 1, RHEO_BLOCK);
        }
        float up = gh[j];
        if (work->greadout) up += rheo__real_row(work->greadout, t, b)[j];
        if (work->gout) up += rheo__real_row(work->gout, t, b)[j] * d[j % RHEO_BLOCK];
        if (reset_of(work->node) == ZERO && h0[j] - theta > 0) up = 0;
        const float bent = rheo__tanhf(c[j]), inner = gc[j] + up * o[j] * (1 - bent * bent);
        const float gi = inner * g[j], gf = inner * c0[j], gg = inner * i[j], go = up * bent;
        gc[j] = inner * f[j];
        i[j] = gi * i[j] * (1 - i[j]);
        f[j] = gf * f[j] * (1 - f[j]);
        g[j] = gg * (1 - g[j] * g[j]);
        o[j] = go * o[j] * (1 - o[j]);
    }
}

/* to = (dL/d gates) W of a step's samples */
static void push_back(const rheo_work *work, uint32_t t, bool recurrent, float *to, size_t to_row,
                      bool adds)
{
    const uint32_t n = recurrent ? units(work->node) : inputs(work->node);
    rheo__product(
        work->ctx,
        &(rheo_product){
            .M = work->B,
            .N = n,
            .K = 4 * units(work->node),
            .a = {.real = gates_at(work, t), .row = gate_row(work), .col = 1},
            .b = {.real = work->node->param[recurrent ? W_HH : W_IH]->value, .row = 1, .col = n},
            .accumulate = adds,
            .c = to,
            .c_row = to_row},
        product_scratch(work));
}

static void backward(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    const rheo_signal *gin = &work->gin[0];
    for (uint32_t t = t1; t-- > t0;) {
        step_argument a = {work, t, t1};
        rheo__parallel(work->ctx, work->B, fall_sample, &a);
        push_back(work, t, true, work->adjoint, cell_row(work), false);
        if (gin->real)
            push_back(work, t, false, rheo__real_row(gin, t, 0), gin->pitch,
                      gin->stride_t == 0 && t + 1 < work->T);
    }
}

/* dL/dW of one step's samples: (dL/d gates)' times x or h */
static void weight_gradient(const rheo_work *work, uint32_t t, bool recurrent, bool adds)
{
    const uint32_t n = recurrent ? units(work->node) : inputs(work->node);
    rheo_operand x = {.real = recurrent ? kept_at(work, 0, t) : NULL, .row = 1};
    x.col = cell_row(work);
    if (!recurrent) {
        x = rows_operand(work->in[0], t);
        if (x.bits)
            x.col = 0; /* k, the sample, runs over the rows of bits */
        else
            x = (rheo_operand){.real = x.real, .row = 1, .col = work->in[0]->pitch};
    }
    rheo__product(work->ctx,
                  &(rheo_product){.M = 4 * units(work->node),
                                  .N = n,
                                  .K = work->B,
                                  .a = {.real = gates_at(work, t), .row = 1, .col = gate_row(work)},
                                  .b = x,
                                  .accumulate = adds,
                                  .c = work->grad[recurrent ? W_HH : W_IH],
                                  .c_row = n},
                  product_scratch(work));
}

static void gradient(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    const uint32_t gates = 4 * units(work->node);
    const bool adds = t1 < work->T;
    for (uint32_t t = t0; t < t1; t++) {
        if (work->grad[W_IH]) weight_gradient(work, t, false, adds || t > t0);
        if (work->grad[W_HH]) weight_gradient(work, t, true, adds || t > t0);
    }
    for (uint32_t j = 0; j < gates; j++) {
        double sum = 0;
        for (uint32_t t = t0; t < t1; t++)
            for (uint32_t b = 0; b < work->B; b++)
                sum += (double)gates_at(work, t)[(size_t)b * gate_row(work) + j];
        for (uint32_t p = B_IH; p <= B_HH; p++)
            if (work->grad[p]) work->grad[p][j] = (adds ? work->grad[p][j] : 0) + (float)sum;
    }
}

/* ---- counts and reference ---- */

static void count(const rheo_work *work, uint32_t t, uint32_t b0, uint32_t b1, rheo_counts *add)
{
    const rheo_signal *in = work->in[0];
    const uint64_t H = units(work->node), samples = b1 - b0, weights = 4 * H * in->N;
    if (in->form == RHEO_BITS && !(in->lo < 0)) {
        const uint64_t used = rheo__signal_popcount(in, t, b0, b1) * 4 * H;
        add->synops += used;
        add->acs += used;
    } else if (in->stride_t || t == 0) {
        add->macs += samples * weights;
    }
    add->macs += samples * (4 * H * H + 3 * H); /* recurrence; f c, i g, o tanh(c) */
    add->updates += samples * H;
    add->bytes += samples * (weights + 4 * H * H + 4 * H) * sizeof(float);
    add->spikes += rheo__signal_popcount(&work->out, t, b0, b1);
}

/* keep: a step and sample: i, f, g, o, c, h; then dL/dh, the one before, dL/dc of a sample */
enum { PIECES = 6 };

static size_t reference_need(const rheo_node_spec *node, uint32_t T, uint32_t B)
{
    return ((size_t)T * B * PIECES + 3) * units(node);
}

static double *kept(const rheo_reference_work *work, uint32_t t, uint32_t b, uint32_t piece)
{
    const size_t H = units(work->node);
    return work->keep + (((size_t)t * work->B + b) * PIECES + piece) * H;
}

/* W x + b of one unit's gate, both parts */
static double gate_sum(const rheo_reference_work *work, uint32_t t, uint32_t b, uint32_t at)
{
    const uint32_t H = units(work->node), in = inputs(work->node);
    double sum = work->param[B_IH][at] + work->param[B_HH][at];
    for (uint32_t k = 0; k < in && work->in[0]; k++)
        sum += work->param[W_IH][(size_t)at * in + k] *
               work->in[0][((size_t)t * work->B + b) * in + k];
    for (uint32_t k = 0; k < H && t > 0; k++)
        sum += work->param[W_HH][(size_t)at * H + k] * kept(work, t - 1, b, 5)[k];
    return sum;
}

static void reference_forward(const rheo_reference_work *work)
{
    const uint32_t H = units(work->node);
    const rheo_pseudo pseudo = rheo__node_pseudo(work->node);
    const double theta = work->node->options.v[THETA];
    for (uint32_t t = 0; t < work->T; t++)
        for (uint32_t b = 0; b < work->B; b++)
            for (uint32_t j = 0; j < H; j++) {
                for (uint32_t k = 0; k < 4; k++) {
                    const double z = gate_sum(work, t, b, k * H + j);
                    kept(work, t, b, k)[j] = k == 2 ? tanh(z) : 1 / (1 + exp(-z));
                }
                const double before = t > 0 ? kept(work, t - 1, b, 5)[j] : 0;
                const double fired = before - theta > 0 ? 1 : 0;
                const double c = kept(work, t, b, 1)[j] * (t > 0 ? kept(work, t - 1, b, 4)[j] : 0) +
                                 kept(work, t, b, 0)[j] * kept(work, t, b, 2)[j];
                double h = kept(work, t, b, 3)[j] * tanh(c);
                if (reset_of(work->node) == SUBTRACT) h -= fired * theta;
                if (reset_of(work->node) == ZERO) h -= fired * h;
                kept(work, t, b, 4)[j] = c;
                kept(work, t, b, 5)[j] = h;
                const size_t at = ((size_t)t * work->B + b) * H + j;
                work->out[at] = rheo__firing(h - theta, true, work->smooth, &pseudo);
                if (work->readout) work->readout[at] = h;
            }
}

/* What one gate's sum gives to weights, input and the h before, which is returned in `to`. */
static void reference_gate(const rheo_reference_work *work, uint32_t t, uint32_t b, uint32_t at,
                           double g, double *to)
{
    const uint32_t H = units(work->node), in = inputs(work->node);
    const size_t row = ((size_t)t * work->B + b) * in;
    if (work->grad[B_IH]) work->grad[B_IH][at] += g;
    if (work->grad[B_HH]) work->grad[B_HH][at] += g;
    for (uint32_t k = 0; k < in; k++) {
        const size_t w = (size_t)at * in + k;
        if (work->grad[W_IH] && work->in[0]) work->grad[W_IH][w] += g * work->in[0][row + k];
        if (work->gin[0]) work->gin[0][row + k] += g * work->param[W_IH][w];
    }
    for (uint32_t k = 0; k < H && t > 0; k++) {
        const size_t w = (size_t)at * H + k;
        if (work->grad[W_HH]) work->grad[W_HH][w] += g * kept(work, t - 1, b, 5)[k];
        to[k] += g * work->param[W_HH][w];
    }
}

/* One unit's step back; gc: dL/dc after in, before out. */
static void reference_unit(const rheo_reference_work *work, uint32_t t, uint32_t b, uint32_t j,
                           double up, double *gc, double *to)
{
    const uint32_t H = units(work->node);
    const double i = kept(work, t, b, 0)[j], f = kept(work, t, b, 1)[j];
    const double g = kept(work, t, b, 2)[j], o = kept(work, t, b, 3)[j];
    const double bent = tanh(kept(work, t, b, 4)[j]);
    const double c0 = t > 0 ? kept(work, t - 1, b, 4)[j] : 0;
    const double h0 = t > 0 ? kept(work, t - 1, b, 5)[j] : 0;
    if (reset_of(work->node) == ZERO && h0 - work->node->options.v[THETA] > 0) up = 0;
    const double inner = *gc + up * o * (1 - bent * bent);
    reference_gate(work, t, b, j, inner * g * i * (1 - i), to);
    reference_gate(work, t, b, H + j, inner * c0 * f * (1 - f), to);
    reference_gate(work, t, b, 2 * H + j, inner * i * (1 - g * g), to);
    reference_gate(work, t, b, 3 * H + j, up * bent * o * (1 - o), to);
    *gc = inner * f;
}

static void reference_backward(const rheo_reference_work *work)
{
    const uint32_t H = units(work->node);
    const rheo_pseudo pseudo = rheo__node_pseudo(work->node);
    for (uint32_t p = 0; p <= B_HH; p++)
        if (work->grad[p])
            memset(work->grad[p], 0,
                   (size_t)work->node->param[p]->rows * work->node->param[p]->cols *
                       sizeof(double));
    if (work->gin[0])
        memset(work->gin[0], 0, (size_t)work->T * work->B * inputs(work->node) * sizeof(double));
    double *gh = work->keep + (size_t)work->T * work->B * H * PIECES, *to = gh + H, *gc = to + H;
    for (uint32_t b = 0; b < work->B; b++) {
        memset(gh, 0, (size_t)3 * H * sizeof *gh);
        for (uint32_t t = work->T; t-- > 0;) {
            memset(to, 0, H * sizeof *to);
            for (uint32_t j = 0; j < H; j++) {
                const size_t at = ((size_t)t * work->B + b) * H + j;
                const double x = kept(work, t, b, 5)[j] - work->node->options.v[THETA];
                double up = gh[j] + (work->greadout ? work->greadout[at] : 0);
                if (work->gout) up += work->gout[at] * rheo__pseudo_derivative(&pseudo, x);
                reference_unit(work, t, b, j, up, &gc[j], to);
            }
            memcpy(gh, to, H * sizeof *gh);
        }
    }
}

const rheo_layer rheo__layer_spiking_lstm = {
    .name = "spiking-lstm",
    .title = "LSTM cells whose hidden state spikes (SLSTM)",
    .equations =
        "i, f, o = sigmoid, g = tanh of W_ih x + b_ih + W_hh h + b_hh; c <- f c + i g; h = o "
        "tanh(c); s = [h > threshold]; reset none, subtract: h - R threshold, zero: (1 - R) h",
    .source = "Hochreiter & Schmidhuber 1997; snnTorch SLSTM, Eshraghian et al. 2023, "
              "arXiv:2109.12894",
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
    .gradient = gradient,
    .count = count,
    .reference_need = reference_need,
    .reference_forward = reference_forward,
    .reference_backward = reference_backward,
};
