/* infer.c: `rheobase run`: a trained net on the user's arrays, forward only.
 *
 * Input [B,N]: samples, coded as the recipe codes its data, for code.steps steps. Input [T,B,N]:
 * what enters the net, step by step. Output [T,B,M]; spikes are 0 and 1, of sign units -1 and 1.
 * Lengths [B]: the steps of each sample, behind which its output and records are 0. */
#include "array/npy.h"
#include "recipe/job.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define RECORDS     64
#define INPUT_LIMIT ((size_t)1 << 34)

typedef struct inference {
    rheo_job job;
    const rheo_run_options *options;
    rheo_array in, out, record[RECORDS];
    uint32_t records, T, B, N;
    bool direct;           /* [T,B,N] */
    float *x;              /* [T or 1, B, pitch] */
    uint32_t *id, *length; /* [B]; length NULL: all T */
    rheo_plan *plan;
} inference;

static rheo_status check_input(inference *run)
{
    rheo_context *ctx = run->job.ctx;
    const rheo_array *in = &run->in;
    const uint32_t *form = run->job.form, features = form[0] * form[1] * form[2];
    /* a code may make several neurons of a feature */
    const uint32_t need = in->dims == 3 ? rheo_net_inputs(run->job.net) : features;
    RHEO_CHECK(ctx, in->dims == 2 || in->dims == 3, RHEO_SHAPE,
               "%s: has %u dimensions, expected [samples, %u] or [steps, samples, %u]",
               run->options->input, in->dims, need, need);
    uint64_t last = in->shape[in->dims - 1], B = in->shape[in->dims - 2];
    uint64_t T = in->dims == 3 ? in->shape[0] : run->job.session.code.steps;
    RHEO_CHECK(ctx, last == need, RHEO_SHAPE, "%s: has %llu values a sample, but the net takes %u",
               run->options->input, (unsigned long long)last, need);
    RHEO_CHECK(ctx, T >= 1 && T <= RHEO_MOST_STEPS && B >= 1 && B <= RHEO_MOST_SAMPLES, RHEO_SHAPE,
               "%s: %llu steps of %llu samples, expected 1 to %u and 1 to %u", run->options->input,
               (unsigned long long)T, (unsigned long long)B, RHEO_MOST_STEPS, RHEO_MOST_SAMPLES);
    run->direct = in->dims == 3;
    run->T = (uint32_t)T;
    run->B = (uint32_t)B;
    run->N = need;
    if (!run->direct) run->T = rheo__sweep_steps(&run->job.session);
    return RHEO_OK;
}

static rheo_status read_lengths(inference *run)
{
    rheo_context *ctx = run->job.ctx;
    const char *path = run->options->lengths;
    rheo_array steps = {0};
    if (!path) return RHEO_OK;
    RHEO_CHECK(ctx, !run->options->stream, RHEO_UNSUPPORTED,
               "a stream has no end that lengths could tell; run without --stream");
    RHEO_TRY(rheo__alloc(ctx, run->B, sizeof *run->length, "lengths", &run->length));
    RHEO_TRY(rheo__npy_read(ctx, path, INPUT_LIMIT, &steps));
    rheo_status status = RHEO_OK;
    if (steps.dims != 1 || steps.count != run->B)
        status = rheo__fail(ctx, RHEO_SHAPE, "%s: expected the steps of %u samples, [%u]", path,
                            run->B, run->B);
    for (uint32_t b = 0; b < run->B && !status; b++) {
        const double at = rheo__array_element(&steps, b);
        if (!(at >= 1 && at <= run->T && at == floor(at)))
            status = rheo__fail(ctx, RHEO_FORMAT, "%s: sample %u lasts %g steps, expected 1 to %u",
                                path, b, at, run->T);
        else
            run->length[b] = (uint32_t)at;
    }
    rheo__release(ctx, steps.data);
    return status;
}

/* Some layers look at all steps before they say the first. */
static rheo_status check_stream(const inference *run)
{
    for (uint32_t n = 0; n < run->job.net->nodes && run->options->stream; n++) {
        const rheo_node_spec *node = &run->job.net->node[n];
        RHEO_CHECK(run->job.ctx, !node->layer->all_steps, RHEO_UNSUPPORTED,
                   "node '%s': %s needs all steps at once and cannot stream; run without --stream",
                   node->name, node->layer->name);
    }
    return RHEO_OK;
}

static rheo_status make_plan(inference *run)
{
    RHEO_TRY(check_stream(run));
    rheo_request request = rheo__session_request(&run->job.session, run->B);
    request.T = run->options->stream ? 1 : run->T;
    request.lengths = run->length != NULL;
    request.record = run->options->record;
    if (run->direct) {
        request.in_form = RHEO_REAL;
        request.in_fixed = false;
    }
    RHEO_TRY(rheo__plan_new(run->job.net, &request, &run->plan));
    size_t rows = (size_t)(run->direct ? run->T : 1) * run->B;
    uint32_t pitch = rheo__pitch(run->N);
    RHEO_TRY(rheo__alloc(run->job.ctx, rows * pitch, sizeof(float), "the input", &run->x));
    for (size_t r = 0; r < rows; r++)
        for (uint32_t n = 0; n < run->N; n++)
            run->x[r * pitch + n] = (float)rheo__array_element(&run->in, r * run->N + n);
    RHEO_TRY(rheo__alloc(run->job.ctx, run->B, sizeof(uint32_t), "the input", &run->id));
    for (uint32_t b = 0; b < run->B; b++) run->id[b] = b;
    return RHEO_OK;
}

static rheo_status make_array(inference *run, rheo_array *array, const char *name, uint32_t N)
{
    *array = (rheo_array){.dtype = RHEO_F32, .dims = 3, .shape = {run->T, run->B, N}};
    snprintf(array->name, sizeof array->name, "%s", name);
    array->count = (uint64_t)run->T * run->B * N;
    return rheo__alloc(run->job.ctx, array->count, sizeof(float), "the output", &array->data);
}

static const rheo_signal *recorded(const inference *run, const char *path)
{
    const char *dot = strrchr(path, '.');
    char name[32] = "";
    memcpy(name, path, (size_t)(dot - path)); /* checked by the plan */
    const rheo_work *work = &run->plan->work[rheo__net_find(run->job.net, name, dot + 1)];
    return dot[1] == 'v' ? &work->readout : &work->out;
}

static rheo_status make_arrays(inference *run)
{
    RHEO_TRY(make_array(run, &run->out, "output", rheo_net_outputs(run->job.net)));
    for (uint32_t i = 0; run->options->record && run->options->record[i]; i++) {
        const char *path = run->options->record[i];
        RHEO_CHECK(run->job.ctx, i < RECORDS, RHEO_USAGE, "more than %d records", RECORDS);
        RHEO_TRY(make_array(run, &run->record[i], path, recorded(run, path)->N));
        run->records = i + 1;
    }
    return RHEO_OK;
}

/* Bits have no value for what is not there: a sign unit's silence would read as -1. */
static void keep(const inference *run, uint32_t first, const rheo_signal *s, rheo_array *array)
{
    float *out = (float *)array->data + (size_t)first * run->B * s->N;
    for (uint32_t t = 0; t < run->plan->request.T; t++)
        for (uint32_t b = 0; b < run->B; b++) {
            const bool there = t < rheo__plan_steps(run->plan, b);
            for (uint32_t n = 0; n < s->N; n++) *out++ = there ? rheo__signal_get(s, t, b, n) : 0;
        }
}

static void fill_source(inference *run, uint32_t first)
{
    if (run->direct) {
        const rheo_signal *source = &run->plan->work[0].out;
        size_t row = (size_t)run->B * rheo__pitch(run->N);
        memcpy(source->real, run->x + first * row, run->plan->request.T * row * sizeof(float));
        return;
    }
    rheo__session_encode(&run->job.session, run->plan,
                         &(rheo_encode){.N = run->N,
                                        .x = run->x,
                                        .sample = run->id,
                                        .length = run->length,
                                        .intensity = 1,
                                        .step0 = first});
}

static rheo_status run_all(inference *run)
{
    rheo__plan_batch(run->plan, run->B, run->id, 0);
    rheo__plan_lengths(run->plan, run->length);
    for (uint32_t first = 0; first < run->T; first += run->plan->request.T) {
        if (rheo__interrupted(run->job.ctx))
            return rheo__fail(run->job.ctx, RHEO_INTERRUPTED, "interrupted; nothing was written");
        fill_source(run, first);
        rheo__plan_forward(run->plan);
        keep(run, first, rheo__plan_output(run->plan), &run->out);
        for (uint32_t i = 0; i < run->records; i++)
            keep(run, first, recorded(run, run->options->record[i]), &run->record[i]);
    }
    return RHEO_OK;
}

static rheo_status write_all(inference *run, rheo_text *text)
{
    const rheo_run_options *options = run->options;
    rheo_context *ctx = run->job.ctx;
    RHEO_TRY(rheo__npy_write(ctx, options->output, &run->out));
    rheo__text_add(text, "%s: [%u, %u, %u] float32\n", options->output, run->T, run->B,
                   (unsigned)run->out.shape[2]);
    if (run->records == 0) return RHEO_OK;
    char path[RHEO_PATH];
    size_t length = strlen(options->output);
    if (length > 4 && !strcmp(options->output + length - 4, ".npy")) length -= 4;
    if (options->record_file)
        snprintf(path, sizeof path, "%s", options->record_file);
    else
        snprintf(path, sizeof path, "%.*s.records.npz", (int)length, options->output);
    RHEO_TRY(rheo__npz_write(ctx, path, run->record, run->records));
    rheo__text_add(text, "%s: %u arrays\n", path, run->records);
    return RHEO_OK;
}

static rheo_status infer(inference *run, rheo_text *text)
{
    RHEO_TRY(rheo__npy_read(run->job.ctx, run->options->input, INPUT_LIMIT, &run->in));
    RHEO_TRY(check_input(run));
    RHEO_TRY(read_lengths(run));
    RHEO_TRY(make_plan(run));
    RHEO_TRY(make_arrays(run));
    RHEO_TRY(run_all(run));
    return write_all(run, text);
}

rheo_status rheo_run(rheo_context *ctx, const char *model, const rheo_run_options *options,
                     char **text)
{
    inference *run = NULL;
    RHEO_TRY(rheo__alloc(ctx, 1, sizeof *run, "a run", &run));
    run->options = options;
    rheo_text out = {.ctx = ctx};
    rheo_status status = rheo__job_load(ctx, model, "", &run->job);
    if (!status) status = infer(run, &out);
    if (!status) status = out.status;
    rheo_plan_free(run->plan);
    for (uint32_t i = 0; i < run->records; i++) rheo__release(ctx, run->record[i].data);
    rheo__release(ctx, run->out.data);
    rheo__release(ctx, run->in.data);
    rheo__release(ctx, run->x);
    rheo__release(ctx, run->id);
    rheo__release(ctx, run->length);
    rheo__job_close(&run->job);
    rheo__release(ctx, run);
    if (status)
        rheo__text_free(&out);
    else
        *text = out.data;
    return status;
}
