/* bench_plans.c: benchmark tasks without a learner: a product, one layer forward and backward, a
 * net that takes one step at a time. docs/bench.md says how floors are computed. */
#include "recipe/bench.h"
#include <string.h>

/* ---- product: C = A·B, float32, 1024 x 1024 x 1024 ---- */

enum { SIDE = 1024 };

rheo_status rheo__bench_product_open(rheo_bench_run *b)
{
    rheo__bench_loaded(b);
    for (uint32_t i = 0; i < 3; i++) {
        RHEO_TRY(rheo__alloc(b->ctx, SIDE * SIDE, sizeof(float), "a matrix", &b->matrix[i]));
        rheo__fill_uniform(rheo__key(1, i, RHEO_FOR_WEIGHTS), 0, -1, 1, b->matrix[i], SIDE * SIDE);
    }
    size_t scratch = rheo__product_scratch(b->ctx, RHEO_FLOAT32, SIDE, SIDE, SIDE);
    RHEO_TRY(rheo__alloc(b->ctx, scratch, 1, "a product's scratch", &b->scratch));
    b->held = rheo_memory_used(b->ctx).now;
    b->macs = (double)SIDE * SIDE * SIDE;
    b->bytes = b->span = 3.0 * SIDE * SIDE * sizeof(float);
    b->count = b->macs * 1e-9;
    return RHEO_OK;
}

rheo_status rheo__bench_product_run(rheo_bench_run *b)
{
    const rheo_product p = {.M = SIDE,
                            .N = SIDE,
                            .K = SIDE,
                            .a = {.real = b->matrix[0], .row = SIDE, .col = 1},
                            .b = {.real = b->matrix[1], .row = SIDE, .col = 1},
                            .c = b->matrix[2],
                            .c_row = SIDE};
    rheo__product(b->ctx, &p, b->scratch);
    return RHEO_OK;
}

void rheo__bench_product_close(rheo_bench_run *b)
{
    for (uint32_t i = 0; i < 3; i++) rheo__release(b->ctx, b->matrix[i]);
    rheo__release(b->ctx, b->scratch);
}

/* ---- what the other two share ---- */

void rheo__bench_plan_close(rheo_bench_run *b)
{
    rheo_plan_free(b->plan);
    rheo__release(b->ctx, b->frames);
    rheo__job_close(&b->job);
    rheo_recipe_free(b->recipe);
}

/* The samples 0 … B-1 of the data into the plan's source, from step0 on. */
static rheo_status encode(rheo_bench_run *b, uint32_t step0)
{
    const rheo_session *session = &b->job.session;
    const rheo_dataset *data = b->job.data;
    const uint32_t B = b->plan->request.B;
    float *x = NULL;
    uint32_t *number = NULL; /* positions, labels and ids */
    RHEO_TRY(
        rheo__alloc(b->ctx, (size_t)B * rheo__pitch(data->features), sizeof *x, "a batch", &x));
    rheo_status status = rheo__alloc(b->ctx, 3 * (size_t)B, sizeof *number, "a batch", &number);
    for (uint32_t i = 0; i < B && !status; i++) number[i] = i;
    if (!status) {
        rheo__data_batch(data, RHEO_TRAIN, number, B, x, number + B, number + 2 * B);
        rheo__session_encode(session, b->plan,
                             &(rheo_encode){.N = data->features,
                                            .x = x,
                                            .sample = number + 2 * B,
                                            .intensity = 1,
                                            .step0 = step0});
    }
    rheo__release(b->ctx, number);
    rheo__release(b->ctx, x);
    return status;
}

/* ---- layer: dense and LIF, forward and backward, loss = sum of all spikes ---- */

static void fill_rows(rheo_signal *s, bool normal)
{
    for (uint32_t t = 0; t < s->T; t++)
        for (uint32_t b = 0; b < s->B; b++) {
            float *row = rheo__real_row(s, t, b);
            if (normal)
                rheo__fill_normal(rheo__key(1, t * s->B + b, RHEO_FOR_WEIGHTS), 0, 0, 1, row, s->N);
            for (uint32_t n = 0; n < s->N && !normal; n++) row[n] = 1;
        }
}

rheo_status rheo__bench_layer_open(rheo_bench_run *b)
{
    RHEO_TRY(rheo__bench_job(b));
    rheo_request request = rheo__session_request(&b->job.session, b->job.session.batch);
    const bool dense = b->task->density <= 0;
    if (dense) request.in_form = RHEO_REAL;
    request.gradient = request.train = request.once = true;
    request.input = b->task->input;
    request.readout = false;
    if (b->exchange) request.record = b->record;
    RHEO_TRY(rheo__plan_new(b->job.net, &request, &b->plan));
    b->shown = b->plan;
    rheo__plan_batch(b->plan, request.B, NULL, 0);
    if (dense)
        fill_rows(&b->plan->work[0].out, true);
    else
        RHEO_TRY(encode(b, 0));
    fill_rows(&b->plan->gradient[b->job.net->output], false);
    b->held = rheo_memory_used(b->ctx).now;
    return RHEO_OK;
}

rheo_status rheo__bench_layer_run(rheo_bench_run *b)
{
    rheo_plan_reset(b->plan);
    rheo__plan_forward(b->plan);
    rheo__plan_backward(b->plan);
    return RHEO_OK;
}

rheo_status rheo__bench_layer_rest(rheo_bench_run *b)
{
    const rheo_request *request = &b->plan->request;
    const double inputs = rheo_net_inputs(b->job.net), outputs = rheo_net_outputs(b->job.net);
    const double rows = (double)request->T * request->B, all = rows * inputs * outputs;
    rheo_counts counts = {0};
    for (uint32_t t = 0; t < request->T; t++) rheo__plan_count(b->plan, t, 0, request->B, &counts);
    const double forward = (double)(counts.macs + counts.synops);
    const double row = b->task->density > 0 ? inputs / 8 : inputs * sizeof(float); /* bytes */
    b->macs = 2 * forward + (b->task->input ? all : 0);
    /* weights read and their gradient written; the input read by both products, its gradient
     * written */
    b->bytes = 2 * inputs * outputs * sizeof(float) + rows * 2 * row +
               (b->task->input ? rows * inputs * sizeof(float) : 0);
    b->span = b->bytes;
    b->count = rows;
    rheo__bench_rates(b);
    return RHEO_OK;
}

/* ---- inference: a batch from the first step to the last, forward only ---- */

rheo_status rheo__bench_inference_open(rheo_bench_run *b)
{
    RHEO_TRY(rheo__bench_job(b));
    rheo_request request = rheo__session_request(&b->job.session, b->job.session.batch);
    request.readout = false;
    if (b->exchange) request.record = b->record;
    RHEO_TRY(rheo__plan_new(b->job.net, &request, &b->plan));
    b->shown = b->plan;
    rheo__plan_batch(b->plan, request.B, NULL, 0);
    RHEO_TRY(encode(b, 0));
    b->held = rheo_memory_used(b->ctx).now;
    return RHEO_OK;
}

rheo_status rheo__bench_inference_run(rheo_bench_run *b)
{
    rheo_plan_reset(b->plan);
    rheo__plan_forward(b->plan);
    return RHEO_OK;
}

/* Spikes times their synapses; weights and the input's spikes are read. */
rheo_status rheo__bench_inference_rest(rheo_bench_run *b)
{
    const rheo_request *request = &b->plan->request;
    const double inputs = rheo_net_inputs(b->job.net);
    rheo_counts counts = {0};
    for (uint32_t t = 0; t < request->T; t++) rheo__plan_count(b->plan, t, 0, request->B, &counts);
    b->macs = (double)(counts.macs + counts.synops);
    b->bytes = b->span = (double)rheo__net_parameter_count(b->job.net) * sizeof(float) +
                         (double)request->T * request->B * inputs / 8;
    b->count = request->B;
    rheo__bench_rates(b);
    return RHEO_OK;
}

/* ---- stream: a convolutional net, one sample, one step at a time ---- */

enum { FRAMES = 1000 };

static uint64_t *source(const rheo_bench_run *b, size_t *words)
{
    rheo_signal *s = &b->plan->work[0].out;
    *words = rheo__words(s->N);
    return s->bits;
}

rheo_status rheo__bench_stream_open(rheo_bench_run *b)
{
    size_t words;
    RHEO_TRY(rheo__bench_job(b));
    rheo_request request = rheo__session_request(&b->job.session, 1);
    request.T = 1;
    if (b->exchange) request.record = b->record;
    RHEO_TRY(rheo__plan_new(b->job.net, &request, &b->plan));
    b->shown = b->plan;
    rheo__plan_batch(b->plan, 1, NULL, 0);
    const uint64_t *bits = source(b, &words);
    RHEO_TRY(rheo__alloc(b->ctx, FRAMES * words, sizeof(uint64_t), "events", &b->frames));
    for (uint32_t i = 0; i < FRAMES; i++) {
        RHEO_TRY(encode(b, i));
        memcpy(b->frames + i * words, bits, words * sizeof *bits);
    }
    b->windows = 200;
    b->held = rheo_memory_used(b->ctx).now;
    return RHEO_OK;
}

static void advance(rheo_bench_run *b)
{
    size_t words;
    uint64_t *bits = source(b, &words);
    memcpy(bits, b->frames + b->step++ % FRAMES * words, words * sizeof *bits);
    rheo__plan_forward(b->plan);
}

rheo_status rheo__bench_stream_show(rheo_bench_run *b)
{
    if (b->step == 0) rheo_plan_reset(b->plan);
    advance(b);
    return RHEO_OK;
}

rheo_status rheo__bench_stream_run(rheo_bench_run *b)
{
    for (uint32_t i = 0; i < b->task->parts; i++) advance(b);
    return RHEO_OK;
}

/* Work of the last step, taken for all: spikes times their synapses; a membrane is read and
 * written. */
rheo_status rheo__bench_stream_rest(rheo_bench_run *b)
{
    const rheo_net *net = b->job.net;
    rheo_counts counts = {0};
    double neurons = 0;
    for (uint32_t n = 0; n < net->nodes; n++)
        if (net->node[n].layer->kind == RHEO_POPULATION)
            neurons += rheo__shape_size(net->node[n].out);
    rheo__plan_count(b->plan, 0, 0, 1, &counts);
    b->macs = b->task->parts * (double)(counts.macs + counts.synops);
    b->span = 2 * neurons * sizeof(float);
    b->bytes = b->task->parts * b->span;
    b->count = b->task->parts;
    return RHEO_OK;
}
