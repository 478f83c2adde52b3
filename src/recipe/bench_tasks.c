/* bench_tasks.c: what `rheobase bench` runs: a product, and trainings through the same sessions and
 * learners that `rheobase train` uses. Recipes are those that come with the program. docs/bench.md
 * says how floors are computed. Leaves out: peers. */
#include "recipe/bench.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- product: C = A·B, float32, 1024 x 1024 x 1024 ---- */

enum { SIDE = 1024 };

static rheo_status product_open(rheo_bench_run *b)
{
    b->loaded = rheo_memory_used(b->ctx).now;
    for (uint32_t i = 0; i < 3; i++) {
        RHEO_TRY(rheo__alloc(b->ctx, SIDE * SIDE, sizeof(float), "a matrix", &b->matrix[i]));
        rheo__fill_uniform(rheo__key(1, i, RHEO_FOR_WEIGHTS), 0, -1, 1, b->matrix[i], SIDE * SIDE);
    }
    size_t scratch = rheo__product_scratch(b->ctx, SIDE, SIDE, SIDE);
    RHEO_TRY(rheo__alloc(b->ctx, scratch, 1, "a product's scratch", &b->scratch));
    b->held = rheo_memory_used(b->ctx).now;
    b->macs = (double)SIDE * SIDE * SIDE;
    b->bytes = b->span = 3.0 * SIDE * SIDE * sizeof(float);
    b->count = b->macs * 1e-9;
    return RHEO_OK;
}

static rheo_status product_run(rheo_bench_run *b)
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

static void product_close(rheo_bench_run *b)
{
    for (uint32_t i = 0; i < 3; i++) rheo__release(b->ctx, b->matrix[i]);
    rheo__release(b->ctx, b->scratch);
}

/* ---- pixels like MNIST's, wherever it runs ---- */

enum { IMAGES = 1792, EDGE = 28, ZOOM = 3, BORDER = 2 }; /* 14 batches of 128 */

/* The built-in digits, each pixel three wide, with the dark ones cut off: 20 % of the pixels are
 * not 0 and their mean is 0.13; of MNIST's training images 19 % and 0.13. */
static void enlarge(const float *digit, float *image)
{
    const float cut = 0.6f;
    for (uint32_t y = 0; y < 8 * ZOOM; y++)
        for (uint32_t x = 0; x < 8 * ZOOM; x++) {
            float v = (digit[y / ZOOM * 8 + x / ZOOM] - cut) / (1 - cut);
            image[(y + BORDER) * EDGE + x + BORDER] = v > 0 ? v : 0;
        }
}

static rheo_status make_images(rheo_context *ctx, rheo_dataset **out)
{
    rheo_dataset *digits = NULL;
    float *x = NULL;
    RHEO_TRY(rheo__data_open(ctx, &(rheo_data_request){.name = "digits"}, &digits));
    rheo_status status = rheo__alloc(ctx, IMAGES * EDGE * EDGE, sizeof *x, "images", &x);
    for (uint32_t i = 0; i < IMAGES && !status; i++)
        enlarge(digits->values + (size_t)64 * i, x + (size_t)EDGE * EDGE * i);
    if (!status)
        status = rheo__data_make(ctx, "enlarged digits", (uint32_t[3]){1, EDGE, EDGE}, x,
                                 digits->label, IMAGES, NULL, NULL, 0, out);
    rheo__release(ctx, x);
    rheo__data_free(digits);
    return status;
}

/* ---- trainings ---- */

static rheo_status training_open(rheo_bench_run *b)
{
    rheo_dataset *data = NULL;
    RHEO_TRY(rheo_recipe_open(b->ctx, b->task->recipe, NULL, &b->recipe));
    RHEO_TRY(make_images(b->ctx, &data));
    b->loaded = rheo_memory_used(b->ctx).now;
    RHEO_TRY(rheo__job_open_on(b->ctx, b->recipe, data, &b->job));
    rheo_session *session = &b->job.session;
    session->now = &b->recipe->phase[0];
    size_t bytes = 0;
    RHEO_TRY(session->now->learner->begin(session, false, &bytes));
    b->held = rheo_memory_used(b->ctx).now;
    return RHEO_OK;
}

static void training_close(rheo_bench_run *b)
{
    if (b->job.session.own) b->job.session.now->learner->end(&b->job.session);
    rheo__job_close(&b->job);
    rheo_recipe_free(b->recipe);
}

/* Goes round the images without end. */
static rheo_status next_batch(rheo_session *session)
{
    if (session->at >= session->data->count[RHEO_TRAIN]) {
        session->at = 0;
        session->epoch++;
    }
    return session->now->learner->batch(session);
}

/* Weights and biases are read and written once a batch, and so are Adam's two moments. */
static void gradient_work(rheo_bench_run *b, double operations, double batches)
{
    const rheo_net *net = b->job.net;
    const rheo_session *session = &b->job.session;
    const double parameters = (double)rheo__net_parameter_count(net);
    const double samples = batches * session->batch;
    double inner = 0; /* multiply-adds of a sample and step behind the first layer */
    for (uint32_t n = 0; n < net->nodes; n++)
        if (net->node[n].layer->kind == RHEO_PROJECTION && net->edge[0].to != n)
            inner += (double)rheo__shape_size(net->node[n].in) *
                     (double)rheo__shape_size(net->node[n].out);
    /* forward and weight gradient as the meter counts the forward, which is a third of what the
     * learner notes; the gradient of the spikes is dense */
    b->macs = operations * 2 / 3 + inner * samples * session->code.steps;
    b->span = parameters * 3 * sizeof(float);
    b->bytes = batches * b->span * 2 + samples * session->data->features * sizeof(float);
}

static rheo_status fc_run(rheo_bench_run *b)
{
    rheo_session *session = &b->job.session;
    const double before = session->operations;
    RHEO_TRY(next_batch(session));
    gradient_work(b, session->operations - before, 1);
    b->count = session->batch;
    return RHEO_OK;
}

/* The learner notes synaptic operations and weight writes: a multiply-add each, at least. Between
 * samples all weights are read and written once, to normalise them. */
static rheo_status stdp_run(rheo_bench_run *b)
{
    rheo_session *session = &b->job.session;
    const double before = session->operations;
    const uint32_t shows = session->show;
    for (uint32_t i = 0; i < b->task->parts; i++) RHEO_TRY(next_batch(session));
    b->macs = session->operations - before;
    b->span = sizeof(float) * (double)rheo__net_parameter_count(session->net);
    b->bytes = 2 * b->span * b->task->parts;
    b->count = b->task->parts;
    snprintf(b->note, sizeof b->note, "%u steps, %.2f shows an image; enlarged digits",
             session->code.steps, (double)(session->show - shows) / b->task->parts);
    return RHEO_OK;
}

/* ---- epoch: from files on disk to the trained net ---- */

static const char *const epoch_sets[] = {"mnist", "fashion-mnist", NULL};

static rheo_status epoch_open(rheo_bench_run *b)
{
    rheo_status status = RHEO_OK;
    for (uint32_t i = 0; epoch_sets[i]; i++) {
        char set[64];
        snprintf(set, sizeof set, "data.name=%s", epoch_sets[i]);
        const rheo_recipe_options options = {.set = (const char *const[]){set, NULL}};
        RHEO_TRY(rheo_recipe_open(b->ctx, b->task->recipe, &options, &b->recipe));
        status = rheo__job_open(b->ctx, b->recipe, &b->job);
        rheo__job_close(&b->job);
        if (status != RHEO_MISSING) return status;
        rheo_recipe_free(b->recipe);
        b->recipe = NULL;
    }
    return rheo__fail(
        b->ctx, status,
        "neither mnist nor fashion-mnist was found; name their folder in RHEOBASE_DATA, "
        "or get one by: rheobase data fetch mnist");
}

static rheo_status epoch_line(void *arg, rheo_session *session)
{
    rheo_bench_run *b = arg;
    b->held = rheo_memory_used(session->ctx).now;
    return RHEO_OK;
}

static rheo_status epoch_run(rheo_bench_run *b)
{
    const size_t before = rheo_memory_used(b->ctx).now;
    RHEO_TRY(rheo__job_open(b->ctx, b->recipe, &b->job));
    const size_t files = rheo__data_bytes(b->job.data);
    b->loaded = before + files;
    rheo_session *session = &b->job.session;
    rheo_session_request request = rheo__job_request(&b->job);
    request.line = epoch_line;
    request.arg = b;
    RHEO_TRY(rheo__session_run(session, &request));
    b->count = b->job.data->count[RHEO_TRAIN];
    const double batches = ceil(b->count / session->batch);
    gradient_work(b, session->operations, batches);
    b->bytes += (double)files;
    return RHEO_OK;
}

static rheo_status epoch_rest(rheo_bench_run *b)
{
    rheo_status status = RHEO_OK;
    if (b->last) {
        const rheo_session *session = &b->job.session;
        rheo_tally tally = {0};
        status = rheo__test(&b->job.session, RHEO_TEST, 0, "test", &tally);
        if (!status)
            snprintf(b->note, sizeof b->note,
                     "%s from files, %.0f iterations, test accuracy %.2f %%", session->data->name,
                     ceil(b->count / session->batch),
                     100.0 * (double)tally.correct / tally.samples);
        rheo__tally_free(b->ctx, &tally);
    }
    rheo__job_close(&b->job);
    return status;
}

static void epoch_close(rheo_bench_run *b)
{
    rheo__job_close(&b->job);
    rheo_recipe_free(b->recipe);
}

const rheo_bench_task rheo__bench_tasks[] = {
    {.name = "product",
     .title = "float32 product, 1024 x 1024 x 1024, one thread",
     .unit = "GMAC/s",
     .single = true,
     .warm = 5,
     .runs = 50,
     .parts = 1,
     .open = product_open,
     .run = product_run,
     .close = product_close},
    {.name = "fc",
     .title = "784-1000-10 LIF, T 25, B 128, Adam: one training iteration on enlarged digits",
     .unit = "samples/s",
     .recipe = "surrogate-mlp",
     .warm = 5,
     .runs = 50,
     .parts = 1,
     .open = training_open,
     .run = fc_run,
     .close = training_close},
    {.name = "epoch",
     .title = "surrogate-mlp, reading of the files and one epoch",
     .unit = "samples/s",
     .recipe = "surrogate-mlp",
     .warm = 1,
     .runs = 3,
     .parts = 1,
     .open = epoch_open,
     .run = epoch_run,
     .rest = epoch_rest,
     .close = epoch_close},
    {.name = "stdp-100",
     .title = "diehl-cook-2015, 100 neurons, learning: an image",
     .unit = "images/s",
     .recipe = "diehl-cook-2015",
     .warm = 3,
     .runs = 10,
     .parts = 100,
     .open = training_open,
     .run = stdp_run,
     .close = training_close},
    {.name = "stdp-400",
     .title = "diehl-cook-2015-400, 400 neurons, learning: an image",
     .unit = "images/s",
     .recipe = "diehl-cook-2015-400",
     .warm = 3,
     .runs = 10,
     .parts = 50,
     .open = training_open,
     .run = stdp_run,
     .close = training_close},
    {.name = NULL},
};
