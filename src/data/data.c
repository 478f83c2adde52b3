/* data.c: opening a data set: which reader, the splits, and a set from the caller's arrays. */
#include "data/read.h"
#include "base/file.h"
#include "base/random.h"
#include <stdio.h>
#include <string.h>

const char *const rheo__split_names[] = {"train", "validation", "test", NULL};

/* The user's own data: name, reader. */
typedef rheo_status reader(rheo_dataset *data, const char *path, rheo_parts *parts);
static rheo_status read_own_idx(rheo_dataset *data, const char *path, rheo_parts *parts)
{
    return rheo__read_idx(data, path, NULL, parts);
}
static const struct {
    const char *name, *title;
    reader *read;
} own[] = {
    {"idx", "own data, IDX", read_own_idx},
    {"csv", "own data, CSV", rheo__read_csv},
    {"npy", "own data, .npy", rheo__read_npy},
    {"npz", "own data, .npz", rheo__read_npz},
};
#define OWN (sizeof own / sizeof *own)

/* ---- memory -----------------------------------------------------------------------------------
 */

rheo_status rheo__data_room(rheo_dataset *data, size_t size)
{
    size_t values;
    RHEO_CHECK(data->ctx,
               rheo__mul(data->total, data->features, &values) && values <= RHEO_DATA_BYTES / size,
               RHEO_UNSUPPORTED, "%s: %u samples of %u values are more than %zu bytes", data->name,
               data->total, data->features, RHEO_DATA_BYTES);
    RHEO_TRY(rheo__alloc(data->ctx, values, size, "samples", &data->memory[RHEO_MEMORY_X]));
    RHEO_TRY(rheo__alloc(data->ctx, data->total, sizeof *data->label, "labels",
                         &data->memory[RHEO_MEMORY_LABEL]));
    data->label = data->memory[RHEO_MEMORY_LABEL];
    return RHEO_OK;
}

rheo_status rheo__data_names(rheo_dataset *data, const char *const *names, uint32_t count)
{
    size_t bytes = count * sizeof(char *);
    for (uint32_t i = 0; i < count; i++) bytes += strlen(names[i]) + 1;
    RHEO_TRY(rheo__alloc(data->ctx, bytes, 1, "class names", &data->memory[RHEO_MEMORY_NAMES]));
    data->class_name = data->memory[RHEO_MEMORY_NAMES];
    char *text = (char *)(data->class_name + count);
    for (uint32_t i = 0; i < count; i++) {
        size_t n = strlen(names[i]) + 1;
        data->class_name[i] = memcpy(text, names[i], n);
        text += n;
    }
    return RHEO_OK;
}

void rheo__data_file(rheo_dataset *data, const char *path, const char *sha256, bool known)
{
    if (data->files == sizeof data->file / sizeof *data->file) return;
    rheo_source_file *f = &data->file[data->files++];
    snprintf(f->path, sizeof f->path, "%.255s", path);
    snprintf(f->sha256, sizeof f->sha256, "%.64s", sha256);
    f->known = known;
}

void rheo__data_free(rheo_dataset *data)
{
    if (!data) return;
    for (size_t i = 0; i < sizeof data->memory / sizeof *data->memory; i++)
        rheo__release(data->ctx, data->memory[i]);
    rheo__release(data->ctx, data);
}

size_t rheo__data_bytes(const rheo_dataset *data)
{
    size_t names = 0;
    for (uint32_t i = 0; data->class_name && i < data->classes; i++)
        names += sizeof(char *) + strlen(data->class_name[i]) + 1;
    return sizeof *data + names + (size_t)data->total * 2 * sizeof(uint32_t) +
           (size_t)data->total * data->features * (data->pixels ? 1 : sizeof(float)) +
           (data->target ? (size_t)data->total * data->target_steps * data->classes * 4 : 0) +
           (data->length ? (size_t)data->total * sizeof *data->length : 0);
}

/* ---- splits -----------------------------------------------------------------------------------
 */

/* Puts the positions 0 … n-1 in two ascending lists: `drawn` of them, the last of a permutation,
 * in b, the others in a. of: the positions themselves, or NULL. mark, order: scratch [n]. */
static void divide(uint64_t seed, uint32_t show, uint32_t n, uint32_t drawn, const uint32_t *of,
                   uint32_t *order, uint8_t *mark, uint32_t *a, uint32_t *b)
{
    memset(mark, 0, n);
    if (drawn > 0) {
        rheo__permutation(rheo__key(seed, 0, RHEO_FOR_SPLIT), show, n, order);
        for (uint32_t i = n - drawn; i < n; i++) mark[order[i]] = 1;
    }
    for (uint32_t i = 0; i < n; i++) *(mark[i] ? b++ : a++) = of ? of[i] : i;
}

static uint32_t first_of(uint32_t wanted, uint32_t count)
{
    return wanted > 0 && wanted < count ? wanted : count;
}

static rheo_status split(rheo_dataset *data, const rheo_data_request *request,
                         const rheo_parts *parts)
{
    uint32_t n = data->total, *scratch = NULL, *index;
    uint32_t tests = parts->cut ? (n + 4) / 5 : parts->test, trains = n - tests;
    uint32_t train = first_of(request->train, trains), test = first_of(request->test, tests);
    RHEO_CHECK(data->ctx, train > request->validation, RHEO_USAGE,
               "data.validation: %u samples, but there are only %u for training; ask for fewer",
               request->validation, train);
    RHEO_TRY(rheo__alloc(data->ctx, n, sizeof *index, "split", &data->memory[RHEO_MEMORY_INDEX]));
    index = data->memory[RHEO_MEMORY_INDEX];
    RHEO_TRY(rheo__alloc(data->ctx, n, 3 * sizeof *scratch, "split", &scratch));
    uint32_t *order = scratch, *list = scratch + n;
    uint8_t *mark = (uint8_t *)(scratch + 2 * (size_t)n);
    /* list: training, then test; index: train, validation, test */
    if (parts->cut)
        divide(request->split_seed, 1, n, tests, NULL, order, mark, list, list + trains);
    else
        for (uint32_t i = 0; i < n; i++) list[i] = i;
    uint32_t fit = train - request->validation;
    divide(request->split_seed, 0, train, request->validation, list, order, mark, index,
           index + fit);
    memcpy(index + train, list + trains, test * sizeof *index);
    data->index[RHEO_TRAIN] = index;
    data->index[RHEO_VALIDATION] = index + fit;
    data->index[RHEO_TEST] = index + train;
    data->count[RHEO_TRAIN] = fit;
    data->count[RHEO_VALIDATION] = request->validation;
    data->count[RHEO_TEST] = test;
    rheo__release(data->ctx, scratch);
    return RHEO_OK;
}

/* ---- opening ----------------------------------------------------------------------------------
 */

static rheo_status unknown(rheo_context *ctx, const char *name)
{
    const char *names[sizeof own / sizeof *own + 16];
    uint32_t n = 0;
    const rheo_known_set *set;
    for (uint32_t i = 0; (set = rheo__data_known(i)) && n < 15; i++) names[n++] = set->name;
    for (uint32_t i = 0; i < OWN; i++) names[n++] = own[i].name;
    names[n] = NULL;
    const char *near = rheo__nearest(name, names);
    return rheo__fail(ctx, RHEO_USAGE,
                      "data.name: no data set '%s'%s%s%s; see 'rheobase data list'", name,
                      near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static rheo_status read_known(rheo_dataset *data, const rheo_known_set *set, const char *path,
                              rheo_parts *parts)
{
    char folder[RHEO_PATH];
    snprintf(data->title, sizeof data->title, "%s", set->title);
    if (!set->file[0].name) return rheo__read_digits(data, parts);
    if (path) return rheo__read_idx(data, path, set, parts);
    RHEO_TRY(rheo__data_search(data->ctx, set, folder));
    return rheo__read_idx(data, folder, set, parts);
}

static rheo_status fill(rheo_dataset *data, const rheo_data_request *request)
{
    rheo_context *ctx = data->ctx;
    rheo_parts parts = {0};
    uint32_t kind = 0;
    const char *name = request->name ? request->name : "";
    const rheo_known_set *set = rheo__data_find_known(name);
    while (kind < OWN && strcmp(own[kind].name, name) != 0) kind++;
    if (!set && kind == OWN) return unknown(ctx, name);
    snprintf(data->name, sizeof data->name, "%s", name);
    if (set) {
        RHEO_TRY(read_known(data, set, request->path, &parts));
    } else {
        RHEO_CHECK(ctx, request->path, RHEO_USAGE,
                   "data.path: missing, but data.name '%s' is the user's own data; say where it is",
                   name);
        snprintf(data->title, sizeof data->title, "%s", own[kind].title);
        RHEO_TRY(own[kind].read(data, request->path, &parts));
    }
    return split(data, request, &parts);
}

rheo_status rheo__data_open(rheo_context *ctx, const rheo_data_request *request, rheo_dataset **out)
{
    rheo_dataset *data = NULL;
    RHEO_TRY(rheo__alloc(ctx, 1, sizeof *data, "data set", &data));
    data->ctx = ctx;
    rheo_status status = fill(data, request);
    if (status) {
        rheo__data_free(data);
        if (request->file) rheo__blame(ctx, status, "%s:%u", request->file, request->line);
        return status;
    }
    *out = data;
    return RHEO_OK;
}

static rheo_status fill_from(rheo_dataset *data, const float *x[2], const uint32_t *label[2],
                             const uint32_t count[2])
{
    size_t features;
    const uint32_t *s = data->shape;
    RHEO_CHECK(data->ctx,
               count[0] > 0 && count[0] <= RHEO_DATA_SAMPLES && count[1] <= RHEO_DATA_SAMPLES,
               RHEO_USAGE, "data set '%s': %u training and %u test samples, expected 1 to %u",
               data->name, count[0], count[1], RHEO_DATA_SAMPLES);
    RHEO_CHECK(data->ctx,
               rheo__mul(s[0], s[1], &features) && rheo__mul(features, s[2], &features) &&
                   features > 0 && features <= UINT32_MAX / 2,
               RHEO_SHAPE, "data set '%s': shape %u x %u x %u is not possible", data->name, s[0],
               s[1], s[2]);
    data->features = (uint32_t)features;
    data->total = count[0] + count[1];
    RHEO_TRY(rheo__data_room(data, sizeof(float)));
    float *values = data->memory[RHEO_MEMORY_X];
    data->values = values;
    for (uint32_t part = 0, first = 0; part < 2; first += count[part++]) {
        if (count[part] == 0) continue;
        memcpy(values + first * features, x[part], count[part] * features * sizeof *values);
        for (uint32_t i = 0; i < count[part]; i++) {
            uint32_t c = label[part][i];
            RHEO_CHECK(data->ctx, c < RHEO_DATA_CLASSES, RHEO_USAGE,
                       "data set '%s': label %u of sample %u, expected 0 to %u", data->name, c, i,
                       RHEO_DATA_CLASSES - 1);
            data->label[first + i] = c;
            if (c >= data->classes) data->classes = c + 1;
        }
    }
    rheo_parts parts = {.train = count[0], .test = count[1]};
    return split(data, &(rheo_data_request){0}, &parts);
}

rheo_status rheo__data_make(rheo_context *ctx, const char *name, const uint32_t shape[3],
                            const float *train, const uint32_t *train_label, uint32_t trains,
                            const float *test, const uint32_t *test_label, uint32_t tests,
                            rheo_dataset **out)
{
    rheo_dataset *data = NULL;
    RHEO_TRY(rheo__alloc(ctx, 1, sizeof *data, "data set", &data));
    data->ctx = ctx;
    snprintf(data->name, sizeof data->name, "%s", name);
    snprintf(data->title, sizeof data->title, "%s", name);
    memcpy(data->shape, shape, sizeof data->shape);
    rheo_status status = fill_from(data, (const float *[2]){train, test},
                                   (const uint32_t *[2]){train_label, test_label},
                                   (const uint32_t[2]){trains, tests});
    if (status) {
        rheo__data_free(data);
        return status;
    }
    *out = data;
    return RHEO_OK;
}
