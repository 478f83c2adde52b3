/* figures.c: figures.npz, what the plots show of a trained net: one test sample's spikes and
 * membranes, and the weights of the first units. */
#include "array/npy.h"
#include "recipe/job.h"
#include <stdio.h>
#include <string.h>

#define ARRAYS    64
#define NEURONS   1000u
#define MEMBRANES 8u
#define FIELDS    400u

typedef struct figures {
    rheo_context *ctx;
    rheo_array array[ARRAYS];
    uint32_t count;
} figures;

static rheo_status add(figures *f, const char *kind, const char *node, rheo_dtype dtype,
                       uint32_t dims, const uint64_t *shape, rheo_array **out)
{
    if (f->count == ARRAYS) return RHEO_OK; /* enough is shown */
    rheo_array *array = &f->array[f->count];
    *array = (rheo_array){.dtype = dtype, .dims = dims, .count = 1};
    snprintf(array->name, sizeof array->name, node ? "%s.%s" : "%s%s", kind, node ? node : "");
    for (uint32_t d = 0; d < dims; d++) {
        array->shape[d] = shape[d];
        array->count *= shape[d];
    }
    RHEO_TRY(rheo__alloc(f->ctx, array->count, rheo__dtype_size(dtype), "figures", &array->data));
    f->count++;
    *out = array;
    return RHEO_OK;
}

static rheo_status add_raster(figures *f, const char *node, const rheo_signal *s)
{
    uint64_t shape[2] = {s->T, s->N < NEURONS ? s->N : NEURONS};
    rheo_array *array = NULL;
    RHEO_TRY(add(f, "raster", node, RHEO_U8, 2, shape, &array));
    if (!array) return RHEO_OK;
    uint8_t *out = array->data;
    for (uint32_t t = 0; t < s->T; t++)
        for (uint32_t n = 0; n < shape[1]; n++)
            *out++ = rheo__bits_row(s, t, 0)[n / 64] >> (n % 64) & 1;
    return RHEO_OK;
}

static rheo_status add_membrane(figures *f, const char *node, const rheo_signal *s)
{
    uint64_t shape[2] = {s->T, s->N < MEMBRANES ? s->N : MEMBRANES};
    rheo_array *array = NULL;
    RHEO_TRY(add(f, "membrane", node, RHEO_F32, 2, shape, &array));
    if (!array) return RHEO_OK;
    float *out = array->data;
    for (uint32_t t = 0; t < s->T; t++)
        for (uint32_t n = 0; n < shape[1]; n++) *out++ = rheo__signal_get(s, t, 0, n);
    return RHEO_OK;
}

/* Height and width of an image [C,H,W], of the first channel. */
static void image_shape(const rheo_dataset *data, uint64_t *height, uint64_t *width)
{
    *height = data->shape[0] > 0 && data->shape[1] > 1 ? data->shape[1] : 1;
    *width = data->shape[1] > 1 ? data->shape[2] : data->features;
}

static rheo_status add_fields(figures *f, const rheo_job *job)
{
    const rheo_param *w = NULL;
    for (uint32_t p = 0; p < job->net->params && !w; p++)
        if (!strcmp(job->net->param[p].name, "weight")) w = &job->net->param[p];
    if (!w) return RHEO_OK;
    uint32_t units = w->transposed ? w->cols : w->rows, inputs = w->transposed ? w->rows : w->cols;
    uint64_t height, width;
    image_shape(job->data, &height, &width);
    if (inputs < height * width) return RHEO_OK;
    uint64_t shape[3] = {units < FIELDS ? units : FIELDS, height, width};
    rheo_array *array = NULL;
    RHEO_TRY(add(f, "fields", NULL, RHEO_F32, 3, shape, &array));
    if (!array) return RHEO_OK;
    float *out = array->data;
    for (uint32_t u = 0; u < shape[0]; u++)
        for (uint64_t i = 0; i < height * width; i++)
            *out++ = w->transposed ? w->value[i * w->cols + u] : w->value[(size_t)u * w->cols + i];
    return RHEO_OK;
}

static rheo_status add_sample(figures *f, const rheo_job *job, const float *x, uint32_t label)
{
    uint64_t shape[2], one[1] = {1};
    image_shape(job->data, &shape[0], &shape[1]);
    rheo_array *array = NULL;
    RHEO_TRY(add(f, "sample", NULL, RHEO_F32, 2, shape, &array));
    if (array) memcpy(array->data, x, shape[0] * shape[1] * sizeof *x);
    array = NULL;
    RHEO_TRY(add(f, "label", NULL, RHEO_I32, 1, one, &array));
    if (array) *(int32_t *)array->data = (int32_t)label;
    return RHEO_OK;
}

/* Runs the first test sample with every membrane recorded. */
static rheo_status run_sample(figures *f, rheo_job *job, rheo_plan *plan, float *x)
{
    rheo_session *session = &job->session;
    uint32_t position = 0, label, id, room;
    rheo__data_batch(job->data, RHEO_TEST, &position, 1, x, &label, &id);
    const uint32_t *length = rheo__session_lengths(session, RHEO_TEST, &position, 1, &room);
    rheo__plan_batch(plan, 1, &id, 1u << 31);
    rheo__plan_lengths(plan, length);
    rheo__session_encode(session, plan,
                         &(rheo_encode){.N = job->data->features,
                                        .x = x,
                                        .sample = &id,
                                        .length = length,
                                        .show = 1u << 31,
                                        .intensity = 1});
    rheo__plan_forward(plan);
    RHEO_TRY(add_sample(f, job, x, label));
    for (uint32_t n = 0; n < job->net->nodes; n++) {
        const rheo_work *work = &plan->work[n];
        bool population = n == 0 || rheo__is_population(work->node);
        if (population && work->out.form == RHEO_BITS && work->out.stride_t)
            RHEO_TRY(add_raster(f, work->node->name, &work->out));
        if (work->readout.real && work->readout.stride_t)
            RHEO_TRY(add_membrane(f, work->node->name, &work->readout));
    }
    return RHEO_OK;
}

static rheo_status add_activity(figures *f, rheo_job *job)
{
    char name[RHEO_NET_NODES][40];
    const char *record[RHEO_NET_NODES + 1] = {NULL};
    uint32_t count = 0;
    for (uint32_t n = 1; n < job->net->nodes; n++) {
        const rheo_node_spec *node = &job->net->node[n];
        if (!rheo__is_population(node) || rheo__is_analogue(node)) continue;
        snprintf(name[count], sizeof name[count], "%s.v", job->net->node[n].name);
        record[count] = name[count];
        count++;
    }
    rheo_request request = rheo__session_request(&job->session, 1);
    request.record = record;
    rheo_plan *plan = NULL;
    float *x = NULL;
    RHEO_TRY(rheo__plan_new(job->net, &request, &plan));
    rheo_status status =
        rheo__alloc(job->ctx, rheo__pitch(job->data->features), sizeof *x, "figures", &x);
    if (!status) status = run_sample(f, job, plan, x);
    rheo__release(job->ctx, x);
    rheo_plan_free(plan);
    return status;
}

rheo_status rheo__figures_write(rheo_job *job, const char *path)
{
    figures *f = NULL;
    RHEO_TRY(rheo__alloc(job->ctx, 1, sizeof *f, "figures", &f));
    f->ctx = job->ctx;
    rheo_status status = RHEO_OK;
    if (job->data->count[RHEO_TEST] > 0) status = add_activity(f, job);
    if (!status) status = add_fields(f, job);
    if (!status) status = rheo__npz_write(job->ctx, path, f->array, f->count);
    for (uint32_t a = 0; a < f->count; a++) rheo__release(job->ctx, f->array[a].data);
    rheo__release(job->ctx, f);
    return status;
}
