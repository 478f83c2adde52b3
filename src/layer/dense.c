/* dense.c: every output sees every input.
 *
 *   y_o = b_o + sum_i v_oi x_i,  v = w or made of the trained w, e.g. sign(w) (weights.c)
 *
 * The sum starts from the bias (with `accumulate` from what stands in out plus the bias) and runs
 * over the inputs in ascending order, so the paths below give the same bits:
 *   gather    0/1 spikes of low density: rows of the transposed weights
 *   few       0/1 spikes and few outputs: bits choose what is added (also the weights' gradient)
 *   packed    binary weights without bias: +-1 units, or integers 0 ... 255 at evaluation, by
 *             population counts (exact integers, therefore equal to the float sum)
 *   product   all else
 * Under `precision: bf16` spikes onto more than a few outputs take the product whatever their
 * density, because bits would depend on it; the other paths are as exact as ever.
 * A static input is multiplied once. Leaves out: products that skip the weights of a sparse mask.
 */
#include "layer/initialise.h"
#include "layer/pack.h"
#include "layer/rows.h"
#include "layer/weights.h"
#include <math.h>
#include <string.h>

enum { OUT, BIAS, INITIAL, WEIGHTS = INITIAL + RHEO_INITIAL_OPTIONS };
static const rheo_field fields[] = {
    RHEO_INTEGER_FIELD("out", "1", 1, 1, 1 << 20, "Number of outputs."),
    RHEO_FLAG_FIELD("bias", 1, "Adds a trained constant to each output."), RHEO_INITIAL_FIELDS,
    RHEO_WEIGHTS_FIELDS, RHEO_FIELD_END};

static uint32_t inputs(const rheo_work *work)
{
    return rheo__shape_size(work->node->in);
}
static uint32_t outputs(const rheo_work *work)
{
    return rheo__shape_size(work->node->out);
}
static rheo_weights weights_of(const rheo_node_spec *node)
{
    const uint32_t in = rheo__shape_size(node->in), out = rheo__shape_size(node->out);
    return rheo__weights_of(node, WEIGHTS, out, in, 1, node->options.v[BIAS] > 0 ? 2 : 1);
}
/* +-1 and nothing else: these have their own products */
static bool binary(const rheo_work *work)
{
    const double *option = work->node->options.v + WEIGHTS;
    return (int)option[RHEO_WEIGHTS_KIND] == RHEO_BINARY_WEIGHTS &&
           !(option[RHEO_WEIGHTS_SCALED] > 0);
}
static bool real(const rheo_work *work)
{
    return (int)work->node->options.v[WEIGHTS] == RHEO_REAL_WEIGHTS;
}
static bool biased(const rheo_work *work)
{
    return work->node->options.v[BIAS] > 0;
}
/* lo is 0 and hi is 1 exactly: set by models as constants */
static bool spikes(const rheo_signal *in)
{
    return in->form == RHEO_BITS && !(in->lo < 0 || in->lo > 0) && !(in->hi < 1 || in->hi > 1);
}
static bool few(const rheo_work *work)
{
    return spikes(work->in[0]) && outputs(work) <= rheo__kernels(work->ctx)->few;
}
/* The weights are also needed by rows of inputs. */
static bool gathered(const rheo_work *work)
{
    return work->in[0] && spikes(work->in[0]) && (work->precision == RHEO_FLOAT32 || few(work));
}
static bool signs(const rheo_signal *in)
{
    return in->form == RHEO_BITS && !(in->lo < -1 || in->lo > -1) && !(in->hi < 1 || in->hi > 1);
}

static rheo_status infer(rheo_context *ctx, rheo_node_spec *node)
{
    const rheo_initial initial = {.node = node, .option = node->options.v + INITIAL};
    RHEO_TRY(rheo__initial_check(ctx, &initial));
    return rheo__infer_weights(ctx, node, node->options.v[OUT]);
}

static bool param(const rheo_node_spec *node, uint32_t index, rheo_param *out)
{
    const uint32_t in = rheo__shape_size(node->in), n = rheo__shape_size(node->out);
    const rheo_weights weights = weights_of(node);
    if (index == 0) {
        rheo__param_entry(out, "weight", n, in);
        rheo__weights_bounds(&weights, out);
        return true;
    }
    if (index == 1 && node->options.v[BIAS] > 0) {
        rheo__param_entry(out, "bias", 1, n);
        return true;
    }
    return index == weights.extra && rheo__weights_param(&weights, out);
}

static void initialise(rheo_context *ctx, const rheo_node_spec *node, uint64_t seed)
{
    const rheo_initial initial = {.node = node,
                                  .option = node->options.v + INITIAL,
                                  .in = rheo__shape_size(node->in),
                                  .out = rheo__shape_size(node->out)};
    const rheo_weights weights = weights_of(node);
    (void)ctx;
    rheo__initialise(&initial, seed, node->param[0],
                     node->options.v[BIAS] > 0 ? node->param[1] : NULL);
    rheo__weights_initialise(&weights, seed);
}

/* What is derived from the weights, as it lies in work->derived. */
typedef struct parts {
    float *made;       /* [out, in]: weights that are not used as they are */
    uint64_t *packed;  /* [out, words(in)]: binary weights */
    float *transposed; /* [in, pitch(out)]: 0/1 spikes come in */
    size_t floats;
} parts;

static parts lay_out(const rheo_work *work)
{
    const size_t in = inputs(work), out = outputs(work);
    parts p = {0};
    const rheo_weights weights = weights_of(work->node);
    const size_t made = rheo__weights_floats(&weights);
    size_t packed = 0, transposed = 0;
    if (binary(work))
        packed = rheo__round64(out * rheo__words((uint32_t)in) * sizeof(uint64_t)) / sizeof(float);
    if (gathered(work)) transposed = in * rheo__pitch((uint32_t)out);
    if (work->derived) {
        p.made = work->derived;
        p.packed = (uint64_t *)(void *)(work->derived + made);
        p.transposed = work->derived + made + packed;
    }
    p.floats = made + packed + transposed;
    return p;
}

static const float *effective(const rheo_work *work)
{
    return real(work) ? work->node->param[0]->value : lay_out(work).made;
}

typedef struct refresh_argument {
    const rheo_work *work;
    parts p;
} refresh_argument;

static void refresh_row(void *argument, uint32_t o, uint32_t thread)
{
    const refresh_argument *a = argument;
    const size_t in = inputs(a->work), words = rheo__words((uint32_t)in);
    (void)thread;
    rheo__pack_signs(a->work->node->param[0]->value + o * in, (uint32_t)in, a->p.made + o * in,
                     a->p.packed + o * words);
}

static void transpose_rows(void *argument, uint32_t block, uint32_t thread)
{
    const refresh_argument *a = argument;
    const uint32_t in = inputs(a->work), out = outputs(a->work), pitch = rheo__pitch(out);
    const float *w = effective(a->work);
    const uint32_t first = block * 16, last = first + 16 < in ? first + 16 : in;
    (void)thread;
    for (uint32_t o = 0; o < out; o++) /* 16 floats of a line of w are used before it leaves */
        for (uint32_t i = first; i < last; i++)
            a->p.transposed[(size_t)i * pitch + o] = w[(size_t)o * in + i];
}

static void refresh(const rheo_work *work)
{
    refresh_argument a = {work, lay_out(work)};
    const uint32_t in = inputs(work);
    const rheo_weights weights = weights_of(work->node);
    if (binary(work))
        rheo__parallel(work->ctx, outputs(work), refresh_row, &a);
    else
        rheo__weights_refresh(work->ctx, &weights, a.p.made);
    if (gathered(work)) rheo__parallel(work->ctx, in / 16 + (in % 16 != 0), transpose_rows, &a);
}

/* Scratch of the packed path: a row's eight planes, and whether the row was of integers. */
static size_t plane_bytes(const rheo_work *work)
{
    return rheo__round64((size_t)work->B * 8 * rheo__words(inputs(work)) * sizeof(uint64_t));
}

static size_t summed_bytes(const rheo_work *work)
{
    return rheo__round64((size_t)work->B * rheo__pitch(outputs(work)) * sizeof(float));
}

/* The gradient of weights that are made, but for those that pass theirs straight on. */
static size_t made_bytes(const rheo_work *work)
{
    const rheo_weights weights = weights_of(work->node);
    return binary(work) ? 0 : rheo__round64(rheo__weights_floats(&weights) * sizeof(float));
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static void need(const rheo_work *work, rheo_need *out)
{
    const uint32_t in = inputs(work), n = outputs(work);
    const uint32_t chunk = work->T < RHEO_CHUNK ? work->T : RHEO_CHUNK;
    const uint32_t most = work->span > chunk || !work->gradient ? work->span : chunk;
    const uint32_t rows = work->B * (work->in[0] ? rheo__last_step(work->in[0], 0, most) : 1);
    out->derived = lay_out(work).floats;
    out->scratch = larger(rheo__product_scratch(work->ctx, work->precision, rows, n, in),
                          rheo__gather_scratch(work->ctx, rows, n, in));
    if (work->gradient) {
        const size_t in_gradient = rheo__product_scratch(work->ctx, work->precision, rows, in, n);
        const size_t weight_gradient =
            rheo__product_scratch(work->ctx, work->precision, n, in, rows);
        out->scratch = larger(out->scratch, larger(in_gradient, weight_gradient));
        out->scratch = rheo__round64(out->scratch) + summed_bytes(work) + made_bytes(work);
    }
    if (binary(work)) out->scratch = larger(out->scratch, plane_bytes(work) + work->B);
}

/* ---- forward ---- */

typedef enum { BY_PRODUCT, BY_GATHER, BY_FEW, BY_SIGNS, BY_PLANES } path;

typedef struct pack_argument {
    const rheo_signal *in;
    uint64_t *planes;
    uint8_t *integers;
} pack_argument;

static void pack_row(void *argument, uint32_t b, uint32_t thread)
{
    const pack_argument *a = argument;
    uint64_t *planes = a->planes + (size_t)b * 8 * rheo__words(a->in->N);
    (void)thread;
    a->integers[b] = rheo__pack_planes(rheo__real_row(a->in, 0, b), a->in->N, planes);
}

static bool pack(const rheo_work *work)
{
    uint8_t *integers = (uint8_t *)work->scratch + plane_bytes(work);
    pack_argument a = {work->in[0], work->scratch, integers};
    rheo__parallel(work->ctx, work->B, pack_row, &a);
    for (uint32_t b = 0; b < work->B; b++)
        if (!integers[b]) return false;
    return true;
}

static double density(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    const rheo_signal *in = work->in[0];
    const uint32_t last = rheo__last_step(in, t0, t1);
    uint64_t set = 0;
    for (uint32_t t = t0; t < last; t++) set += rheo__signal_popcount(in, t, 0, work->B);
    return (double)set / ((double)(last - t0) * work->B * in->N);
}

static path choose(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    const rheo_signal *in = work->in[0];
    const uint32_t exact = UINT32_C(1) << 24; /* below it integers in float sums are exact */
    const bool countable = binary(work) && !biased(work) && !work->accumulate;
    if (countable && signs(in) && in->N < exact) return BY_SIGNS;
    if (countable && in->form == RHEO_REAL && in->stride_t == 0 && !work->train &&
        in->N < exact / 255 && pack(work))
        return BY_PLANES;
    if (!gathered(work)) return BY_PRODUCT;
    const double sparse =
        few(work) ? rheo__few_density(work->ctx) : rheo__gather_density(work->ctx, outputs(work));
    if (density(work, t0, t1) < sparse) return BY_GATHER;
    return few(work) ? BY_FEW : BY_PRODUCT;
}

static rheo_operand rows_operand(const rheo_signal *s, uint32_t t)
{
    if (s->form == RHEO_BITS)
        return (rheo_operand){
            .bits = rheo__bits_row(s, t, 0), .row = s->pitch, .col = 1, .lo = s->lo, .hi = s->hi};
    return (rheo_operand){.real = rheo__real_row(s, t, 0), .row = s->pitch, .col = 1};
}

static void multiply(const rheo_work *work, path by, uint32_t t, uint32_t rows)
{
    const rheo_signal *in = work->in[0], *out = &work->out;
    const uint32_t N = outputs(work), K = inputs(work), words = rheo__words(K);
    const float *bias = biased(work) && !work->accumulate ? work->node->param[1]->value : NULL;
    const parts p = lay_out(work);
    float *c = rheo__real_row(out, t, 0);
    if (by == BY_SIGNS || by == BY_PLANES) {
        const bool planes = by == BY_PLANES;
        rheo__binary_product(work->ctx, &(rheo_binary_product){
                                            .M = rows,
                                            .N = N,
                                            .K = K,
                                            .x = planes ? work->scratch : rheo__bits_row(in, t, 0),
                                            .x_row = planes ? (size_t)8 * words : in->pitch,
                                            .planes = planes ? 8 : 0,
                                            .w = p.packed,
                                            .w_row = words,
                                            .c = c,
                                            .c_row = out->pitch});
    } else if (by == BY_GATHER || by == BY_FEW) {
        const rheo_gather sums = {.M = rows,
                                  .N = N,
                                  .K = K,
                                  .bits = rheo__bits_row(in, t, 0),
                                  .bits_row = in->pitch,
                                  .w = p.transposed,
                                  .w_row = rheo__pitch(N),
                                  .bias = bias,
                                  .accumulate = work->accumulate,
                                  .c = c,
                                  .c_row = out->pitch};
        if (by == BY_FEW)
            rheo__few(work->ctx, &sums);
        else
            rheo__gather(work->ctx, &sums, work->scratch);
    } else {
        rheo__product(work->ctx,
                      &(rheo_product){.M = rows,
                                      .N = N,
                                      .K = K,
                                      .a = rows_operand(in, t),
                                      .b = {.real = effective(work), .row = K, .col = 1},
                                      .bias = bias,
                                      .accumulate = work->accumulate,
                                      .c = c,
                                      .c_row = out->pitch,
                                      .precision = work->precision},
                      work->scratch);
    }
}

static void add_bias(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    const float *bias = work->node->param[1]->value;
    for (uint32_t t = t0; t < t1; t++)
        for (uint32_t b = 0; b < work->B; b++) {
            float *row = rheo__real_row(&work->out, t, b);
            for (uint32_t o = 0; o < work->out.N; o++) row[o] += bias[o];
        }
}

/* Steps follow each other without a gap: all rows of a span are one matrix. */
static bool joined(const rheo_signal *s, uint32_t B)
{
    return s->stride_t == (size_t)B * s->pitch;
}

static void forward(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    const uint32_t last = rheo__last_step(&work->out, t0, t1);
    const path by = choose(work, t0, last);
    if (work->accumulate && biased(work)) add_bias(work, t0, last);
    if (joined(work->in[0], work->B) && joined(&work->out, work->B)) {
        multiply(work, by, t0, (last - t0) * work->B);
        return;
    }
    for (uint32_t t = t0; t < last; t++) multiply(work, by, t, work->B);
}

/* ---- backward ---- */

typedef struct sum_argument {
    const rheo_kernels *kernels;
    const rheo_signal *g;
    float *grad;
    uint32_t B, t0, t1, width; /* of a task's columns */
    bool add;
} sum_argument;

enum { SUM_MOST = 1024 /* columns of a task: what is read of a row is long, the sums are not */ };

static uint32_t sum_width(const rheo_work *work, uint32_t columns)
{
    const uint32_t each = rheo__words(columns / (2 * rheo_threads(work->ctx))) * RHEO_BLOCK;
    return each < RHEO_BLOCK ? RHEO_BLOCK : each < SUM_MOST ? each : SUM_MOST;
}

static void sum_columns(void *argument, uint32_t task, uint32_t thread)
{
    const sum_argument *a = argument;
    const uint32_t first = task * a->width;
    const uint32_t n = a->g->N - first < a->width ? a->g->N - first : a->width;
    double sum[SUM_MOST];
    (void)thread;
    memset(sum, 0, n * sizeof *sum);
    for (uint32_t t = a->t0; t < a->t1; t++)
        for (uint32_t b = 0; b < a->B; b++)
            a->kernels->column_sums(n, rheo__real_row(a->g, t, b) + first, NULL, sum);
    float *to = a->grad + first;
    for (uint32_t j = 0; j < n; j++) to[j] = a->add ? to[j] + (float)sum[j] : (float)sum[j];
}

/* The gradient by rows of the input: a static input takes the sum over time. */
static rheo_signal by_input(const rheo_work *work)
{
    rheo_signal g = *work->gout, sum = g;
    if (!rheo__fixed(work->in[0]) || g.stride_t == 0) return g;
    sum.real = work->scratch;
    sum.stride_t = 0;
    sum.pitch = rheo__pitch(g.N);
    for (uint32_t b = 0; b < work->B; b++) {
        float *to = rheo__real_row(&sum, 0, b);
        memset(to, 0, g.N * sizeof *to);
        for (uint32_t t = 0; t < work->T; t++) {
            const float *from = rheo__real_row(&g, t, b);
            for (uint32_t j = 0; j < g.N; j++) to[j] += from[j];
        }
    }
    return sum;
}

static void weight_gradient(const rheo_work *work, const rheo_signal *g, uint32_t t, uint32_t rows,
                            bool sparse, float *to, bool accumulate, void *scratch)
{
    const rheo_signal *in = work->in[0];
    rheo_operand x = rows_operand(in, t);
    if (few(work) || sparse) {
        const rheo_bits_gradient sums = {.M = g->N,
                                         .N = in->N,
                                         .K = rows,
                                         .g = rheo__real_row(g, t, 0),
                                         .g_row = g->pitch,
                                         .bits = x.bits,
                                         .bits_row = x.row,
                                         .accumulate = accumulate,
                                         .c = to,
                                         .c_row = in->N};
        if (few(work))
            rheo__few_gradient(work->ctx, &sums);
        else
            rheo__sparse_gradient(work->ctx, &sums);
        return;
    }
    if (x.bits)
        x.col = 0; /* k, the row of the batch, runs over the rows of bits */
    else
        x = (rheo_operand){.real = x.real, .row = 1, .col = in->pitch};
    rheo__product(work->ctx,
                  &(rheo_product){.M = g->N,
                                  .N = in->N,
                                  .K = rows,
                                  .a = {.real = rheo__real_row(g, t, 0), .row = 1, .col = g->pitch},
                                  .b = x,
                                  .accumulate = accumulate,
                                  .c = to,
                                  .c_row = in->N,
                                  .precision = work->precision},
                  scratch);
}

static void input_gradient(const rheo_work *work, const rheo_signal *g, uint32_t t, uint32_t rows,
                           void *scratch)
{
    const rheo_signal *gin = &work->gin[0];
    rheo__product(work->ctx,
                  &(rheo_product){.M = rows,
                                  .N = gin->N,
                                  .K = g->N,
                                  .a = {.real = rheo__real_row(g, t, 0), .row = g->pitch, .col = 1},
                                  .b = {.real = effective(work), .row = 1, .col = gin->N},
                                  .c = rheo__real_row(gin, t, 0),
                                  .c_row = gin->pitch,
                                  .precision = work->precision},
                  scratch);
}

/* A static input's gradient is the sum over time: it is taken once, in the last call. */
static void backward(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    const rheo_signal *gin = &work->gin[0];
    if (!gin->real || !work->gout) {
        rheo__pass_gradient(work, t0, t1);
        return;
    }
    if (rheo__fixed(work->in[0]) && t0 > 0) return;
    const rheo_signal g = by_input(work);
    void *scratch = (char *)work->scratch + summed_bytes(work);
    t1 = rheo__last_step(work->in[0], t0, t1);
    if (joined(gin, work->B) && joined(&g, work->B)) {
        input_gradient(work, &g, t0, (t1 - t0) * work->B, scratch);
        return;
    }
    for (uint32_t t = t0; t < t1; t++) input_gradient(work, &g, t, work->B, scratch);
}

/* With few outputs dL/d in is made where it is read, instead of going through memory. */
static bool gives(const rheo_node_spec *node)
{
    return rheo__shape_size(node->out) <= RHEO_FEW;
}

static void give(const rheo_work *work, uint32_t t0, uint32_t t1, uint32_t b, uint32_t block,
                 float *to)
{
    const rheo_signal *g = work->gout;
    const uint32_t in = inputs(work), columns = rheo__block_size(in, block);
    const float *w = effective(work) + (size_t)block * RHEO_BLOCK;
    float full[RHEO_FEW][RHEO_BLOCK];
    rheo_give call = {.T = t1 - t0, .K = outputs(work), .w = w, .w_row = in, .to = to};
    if (!g) {
        memset(to, 0, (size_t)call.T * RHEO_BLOCK * sizeof *to);
        return;
    }
    call.g = rheo__real_row(g, t0, b);
    call.g_row = g->stride_t;
    if (columns < RHEO_BLOCK) { /* the last columns: no row ends within a vector */
        memset(full, 0, sizeof full);
        for (uint32_t o = 0; o < call.K; o++)
            memcpy(full[o], w + o * (size_t)in, columns * sizeof *w);
        call.w = full[0];
        call.w_row = RHEO_BLOCK;
    }
    rheo__kernels(work->ctx)->give(&call);
}

static void gradient(const rheo_work *work, uint32_t t0, uint32_t t1)
{
    const rheo_signal *in = work->in[0];
    const bool fixed = rheo__fixed(in);
    const bool add = t1 < work->T && !fixed;
    if (!work->gout) {
        for (uint32_t p = 0; p < work->node->params; p++)
            if (work->grad[p]) memset(work->grad[p], 0, rheo__param_bytes(work->node->param[p]));
        return;
    }
    if (fixed && t0 > 0) return;
    const rheo_signal g = by_input(work);
    float *made = (float *)(void *)((char *)work->scratch + summed_bytes(work));
    void *scratch = (char *)made + made_bytes(work);
    t1 = rheo__last_step(in, t0, t1);
    if (biased(work) && work->grad[1]) {
        sum_argument a = {rheo__kernels(work->ctx), &g, work->grad[1], work->B, t0, t1,
                          sum_width(work, g.N),     add};
        rheo__parallel(work->ctx, (g.N - 1) / a.width + 1, sum_columns, &a);
    }
    const rheo_weights weights = weights_of(work->node);
    float *extra = weights.extra ? work->grad[weights.extra] : NULL;
    const bool direct = made_bytes(work) == 0;
    if (!work->grad[0] && !extra) return;
    float *to = direct ? work->grad[0] : made;
    bool more = direct && add;
    const bool sparse =
        gathered(work) && density(work, t0, t1) < rheo__sparse_gradient_density(work->ctx);
    if (joined(in, work->B) && joined(&g, work->B))
        weight_gradient(work, &g, t0, (t1 - t0) * work->B, sparse, to, more, scratch);
    else
        for (uint32_t t = t0; t < t1; t++, more = true)
            weight_gradient(work, &g, t, work->B, sparse, to, more, scratch);
    if (!direct) rheo__weights_gradient(work->ctx, &weights, made, work->grad[0], extra, add);
}

/* ---- counts and reference ---- */

static void count(const rheo_work *work, uint32_t t, uint32_t b0, uint32_t b1, rheo_counts *add)
{
    const rheo_signal *in = work->in[0];
    if (in->stride_t == 0 && t > 0) return;
    const uint64_t out = outputs(work), all = (uint64_t)(b1 - b0) * in->N * out;
    uint64_t used = all; /* weights */
    if (in->form == RHEO_REAL) {
        add->macs += all;
    } else if (spikes(in)) {
        used = rheo__signal_popcount(in, t, b0, b1) * out;
        add->synops += used;
        add->acs += used;
    } else {
        add->acs += all;
    }
    add->bytes += binary(work) ? used / 8 : used * sizeof(float);
}

/* keep: weights as they are used, and their gradient */
static size_t reference_need(const rheo_node_spec *node, uint32_t T, uint32_t B)
{
    (void)T, (void)B;
    return 2 * (size_t)rheo__shape_size(node->in) * rheo__shape_size(node->out);
}

static void reference_forward(const rheo_reference_work *work)
{
    const size_t in = rheo__shape_size(work->node->in), out = rheo__shape_size(work->node->out);
    const rheo_weights weights = weights_of(work->node);
    const double *bias = work->node->options.v[BIAS] > 0 ? work->param[1] : NULL;
    rheo__weights_reference(&weights, work, work->keep);
    for (size_t row = 0; row < (size_t)work->T * work->B; row++)
        for (size_t o = 0; o < out; o++) {
            double sum = bias ? bias[o] : 0;
            for (size_t i = 0; i < in && work->in[0]; i++)
                sum += work->keep[o * in + i] * work->in[0][row * in + i];
            work->out[row * out + o] = sum;
        }
}

static void reference_backward(const rheo_reference_work *work)
{
    const size_t in = rheo__shape_size(work->node->in), out = rheo__shape_size(work->node->out);
    const size_t rows = (size_t)work->T * work->B;
    const rheo_weights weights = weights_of(work->node);
    const double *w = work->keep;
    double *gw = work->keep + in * out, *gx = work->gin[0];
    double *gb = work->node->options.v[BIAS] > 0 ? work->grad[1] : NULL;
    memset(gw, 0, in * out * sizeof *gw);
    if (gb) memset(gb, 0, out * sizeof *gb);
    if (gx) memset(gx, 0, rows * in * sizeof *gx);
    for (size_t row = 0; work->gout && row < rows; row++)
        for (size_t o = 0; o < out; o++) {
            const double g = work->gout[row * out + o];
            if (gb) gb[o] += g;
            for (size_t i = 0; i < in; i++) {
                if (work->in[0]) gw[o * in + i] += g * work->in[0][row * in + i];
                if (gx) gx[row * in + i] += g * w[o * in + i];
            }
        }
    rheo__weights_gradient_reference(&weights, work, gw, work->grad[0],
                                     weights.extra ? work->grad[weights.extra] : NULL);
}

const rheo_layer rheo__layer_dense = {
    .name = "dense",
    .title = "all-to-all weights",
    .equations =
        "y_o = b_o + sum_i w_oi x_i; w as `weights` makes it, e.g. binary: sign(w_oi), its "
        "gradient passed straight to w_oi in [-1, 1]",
    .source = "binary: Courbariaux et al. 2016, arXiv:1602.02830",
    .kind = RHEO_PROJECTION,
    .fields = fields,
    .infer = infer,
    .param = param,
    .initialise = initialise,
    .form = rheo__form_real,
    .need = need,
    .refresh = refresh,
    .forward = forward,
    .backward = backward,
    .gradient = gradient,
    .gives = gives,
    .give = give,
    .count = count,
    .reference_need = reference_need,
    .reference_forward = reference_forward,
    .reference_backward = reference_backward,
};
