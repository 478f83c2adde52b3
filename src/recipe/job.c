/* job.c: opening and closing a recipe's data, net and session. */
#include "recipe/job.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static size_t status_value(const char *key)
{
    FILE *file = fopen("/proc/self/status", "re");
    char line[256];
    size_t value = 0;
    while (file && fgets(line, sizeof line, file))
        if (!strncmp(line, key, strlen(key))) value = strtoul(line + strlen(key), NULL, 10) * 1024;
    if (file) fclose(file);
    return value;
}

size_t rheo__resident_peak(void)
{
    return status_value("VmHWM:");
}

size_t rheo__resident_now(void)
{
    return status_value("VmRSS:");
}

/* One blank sample of the form that the model file tells: enough to build the net. */
static rheo_status stand_in(rheo_job *job)
{
    const uint32_t *s = job->form, label = 0;
    size_t features;
    float *blank = NULL;
    RHEO_CHECK(job->ctx, rheo__mul(s[0], s[1], &features) && rheo__mul(features, s[2], &features),
               RHEO_FORMAT, "the model's data form %u x %u x %u is not possible", s[0], s[1], s[2]);
    RHEO_TRY(rheo__alloc(job->ctx, features, sizeof *blank, "a blank sample", &blank));
    rheo_status status = rheo__data_make(job->ctx, job->recipe->data.name, s, blank, &label, 1,
                                         NULL, NULL, 0, &job->data);
    rheo__release(job->ctx, blank);
    if (!status && job->data) job->data->classes = s[3];
    return status;
}

/* Data as asked; without any, an empty set of the form that the model file tells. */
static rheo_status open_data(rheo_job *job, const char *data)
{
    if (data && !data[0]) return stand_in(job);
    rheo_data_request ask = job->recipe->data;
    if (data) {
        ask.name = data;
        ask.path = NULL;
    }
    return rheo__data_open(job->ctx, &ask, &job->data);
}

static rheo_status fill(rheo_job *job, const char *data)
{
    rheo_recipe *recipe = job->recipe;
    if (!job->data) RHEO_TRY(open_data(job, data));
    const rheo_dataset *set = job->data;
    for (uint32_t d = 0; set && d < 3; d++) job->form[d] = set->shape[d];
    if (set) job->form[3] = set->classes;
    job->resident = rheo__resident_now();
    rheo_net_request request = {.net = recipe->net,
                                .neuron = recipe->neuron,
                                .classes = job->form[3],
                                .dt = recipe->code.dt,
                                .seed = recipe->seed,
                                .precision = recipe->precision,
                                .file = recipe->file};
    RHEO_TRY(rheo__code_shape(job->ctx, &recipe->code, job->form, request.in.dim));
    RHEO_TRY(rheo__net_build(job->ctx, &request, &job->net));
    bool response =
        !strcmp(rheo__code_fields[RHEO_CODE_OUTPUT].choices[recipe->code.output], "response");
    const uint32_t outputs = rheo_net_outputs(job->net), classes = job->form[3];
    const bool groups = recipe->code.group != RHEO_GROUP_NONE && outputs % classes == 0;
    RHEO_CHECK(job->ctx, response || groups || outputs == classes, RHEO_SHAPE,
               "%s: the net has %u outputs but %s has %u classes; write `out` for the last size, "
               "code.population: sum for a multiple of the classes, or code.output: response for "
               "neurons without a fixed class",
               recipe->file, outputs, recipe->data.name, classes);
    job->session = (rheo_session){.ctx = job->ctx,
                                  .net = job->net,
                                  .data = job->data,
                                  .code = recipe->code,
                                  .batch = recipe->batch,
                                  .seed = recipe->seed};
    return RHEO_OK;
}

rheo_status rheo__job_open(rheo_context *ctx, rheo_recipe *recipe, rheo_job *job)
{
    return rheo__job_open_on(ctx, recipe, NULL, job);
}

rheo_status rheo__job_open_on(rheo_context *ctx, rheo_recipe *recipe, rheo_dataset *data,
                              rheo_job *job)
{
    *job = (rheo_job){.ctx = ctx, .recipe = recipe, .data = data};
    rheo_status status = fill(job, NULL);
    if (status) rheo__job_close(job);
    return status;
}

rheo_session_request rheo__job_request(const rheo_job *job)
{
    return (rheo_session_request){
        .phase = job->recipe->phase, .phases = job->recipe->phases, .every = 30};
}

static rheo_slot form_slot(const rheo_job *job)
{
    return (rheo_slot){.path = "/data/form",
                       .type = RHEO_SLOT_U32,
                       .rows = 4,
                       .data = (uint32_t *)(uintptr_t)job->form};
}

/* Without labels the file has no such dataset. */
static uint32_t model_slots(const rheo_job *job, rheo_slot *slots)
{
    uint32_t count = rheo__net_slots(job->net, slots, RHEO_SESSION_SLOTS - 2);
    slots[count++] = form_slot(job);
    if (!job->session.assignment) return count;
    slots[count] = (rheo_slot){.path = "/readout/assignment",
                               .type = RHEO_SLOT_U32,
                               .rows = rheo_net_outputs(job->net),
                               .data = job->session.assignment};
    return count + 1;
}

rheo_status rheo__job_save(const rheo_job *job, const char *path, const char *text)
{
    rheo_slot *slots = NULL;
    RHEO_TRY(rheo__alloc(job->ctx, RHEO_SESSION_SLOTS, sizeof *slots, "a model file", &slots));
    rheo_status status = rheo__slots_save(job->ctx, path, text, slots, model_slots(job, slots));
    rheo__release(job->ctx, slots);
    return status;
}

static rheo_status edit_all(rheo_job *job)
{
    rheo_session *session = &job->session;
    for (uint32_t p = 0; p < job->recipe->phases; p++) {
        session->phase = p;
        session->now = &job->recipe->phase[p];
        if (session->now->learner->edit) RHEO_TRY(session->now->learner->edit(session));
    }
    return RHEO_OK;
}

static rheo_status load_weights(rheo_job *job, const char *path)
{
    if (!strcmp(rheo__code_fields[RHEO_CODE_OUTPUT].choices[job->recipe->code.output], "response"))
        RHEO_TRY(rheo__alloc(job->ctx, rheo_net_outputs(job->net), sizeof(uint32_t), "the labels",
                             &job->session.assignment));
    rheo_slot *slots = NULL;
    RHEO_TRY(rheo__alloc(job->ctx, RHEO_SESSION_SLOTS, sizeof *slots, "a model file", &slots));
    rheo_status status = rheo__slots_load(job->ctx, path, NULL, slots, model_slots(job, slots));
    rheo__release(job->ctx, slots);
    rheo_net_touch(job->net);
    return status;
}

rheo_status rheo__job_load(rheo_context *ctx, const char *path, const char *data, rheo_job *job)
{
    char file[RHEO_PATH];
    struct stat about;
    if (stat(path, &about) == 0 && S_ISDIR(about.st_mode))
        RHEO_TRY(rheo__join(ctx, path, "model.rheo", file));
    else
        snprintf(file, sizeof file, "%s", path);
    char *text = NULL;
    RHEO_TRY(rheo__slots_text(ctx, file, &text));
    *job = (rheo_job){.ctx = ctx, .owns_recipe = true};
    rheo_status status = rheo__recipe_from_text(ctx, text, file, &job->recipe);
    rheo__release(ctx, text);
    rheo_slot form = form_slot(job);
    if (!status && data && !data[0]) status = rheo__slots_load(ctx, file, NULL, &form, 1);
    if (!status) status = fill(job, data);
    if (!status) status = edit_all(job);
    if (!status) status = load_weights(job, file);
    if (status) rheo__job_close(job);
    return status;
}

void rheo__job_close(rheo_job *job)
{
    if (!job->ctx) return;
    rheo__session_clear(&job->session);
    rheo_net_free(job->net);
    rheo__data_free(job->data);
    if (job->owns_recipe) rheo_recipe_free(job->recipe);
    *job = (rheo_job){0};
}
