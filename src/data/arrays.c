/* arrays.c: the user's own arrays: x_train [n, …], y_train [n], x_test, y_test as an .npz or as
 * .npy in a folder. Unsigned bytes are pixels (shown as x/255), other numbers are used as they
 * are. Labels are integers from 0; floats are real targets: [n] one for each sample, [n, C], or
 * [n, T, C] when they change from step to step. length_train and length_test, integers [n] from 1,
 * are the steps that samples last; the net sees none behind them. Without the test arrays a test
 * part is cut. */
#include "data/read.h"
#include "base/file.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { X, Y, LENGTH, KINDS };
static const char *const names[] = {"x_train", "y_train", "length_train",
                                    "x_test",  "y_test",  "length_test"};
#define ARRAYS (sizeof names / sizeof *names)

typedef struct part {
    const rheo_array *x, *y;  /* both, or neither */
    const rheo_array *length; /* or NULL */
} part;

static bool is_real(const rheo_array *y)
{
    return y->dtype == RHEO_F32 || y->dtype == RHEO_F64;
}

/* Targets of a sample: all, and the steps that they stand for. */
static uint64_t targets_of(const rheo_array *y)
{
    return y->dims > 1 ? y->shape[y->dims - 1] : 1;
}

static uint64_t target_steps(const rheo_array *y)
{
    return y->dims > 2 ? y->shape[1] : 1;
}

static rheo_status check_targets(rheo_dataset *data, const char *path, const part *p,
                                 const char *const *name)
{
    const rheo_array *y = p->y;
    RHEO_CHECK(
        data->ctx,
        y->dims >= 1 && y->dims <= 3 && y->shape[0] == p->x->shape[0] && y->count > 0 &&
            targets_of(y) <= RHEO_DATA_CLASSES && y->count <= RHEO_DATA_BYTES / 4,
        RHEO_SHAPE,
        "%s: %s holds floats, %u dimensions, the first of %llu; expected real targets [%llu], "
        "[%llu, targets] or [%llu, steps, targets], at most %u targets",
        path, name[1], y->dims, (unsigned long long)(y->dims ? y->shape[0] : 0),
        (unsigned long long)p->x->shape[0], (unsigned long long)p->x->shape[0],
        (unsigned long long)p->x->shape[0], RHEO_DATA_CLASSES);
    return RHEO_OK;
}

static rheo_status check_lengths(rheo_dataset *data, const char *path, const part *p,
                                 const char *const *name)
{
    const rheo_array *length = p->length;
    RHEO_CHECK(data->ctx,
               !length ||
                   (length->dims == 1 && length->shape[0] == p->x->shape[0] && !is_real(length)),
               RHEO_SHAPE,
               "%s: %s holds %s, %u dimensions, the first of %llu; expected integers [%llu], the "
               "steps that each sample of %s lasts",
               path, name[LENGTH], is_real(length) ? "floats" : "integers", length->dims,
               (unsigned long long)(length->dims ? length->shape[0] : 0),
               (unsigned long long)p->x->shape[0], name[X]);
    return RHEO_OK;
}

static rheo_status check_part(rheo_dataset *data, const char *path, const part *p,
                              const char *const *name)
{
    const rheo_array *x = p->x, *y = p->y;
    RHEO_CHECK(
        data->ctx, x && y, RHEO_MISSING,
        "%s: no array '%s', expected x_train, y_train, x_test, y_test (the last two may both "
        "be absent)",
        path, x ? name[1] : name[0]);
    RHEO_CHECK(data->ctx, x->dims >= 2 && x->dims <= 4 && x->count > 0, RHEO_SHAPE,
               "%s: %s has %u dimensions and %llu elements, expected [n, features], [n, height, "
               "width] or [n, channels, height, width]",
               path, name[0], x->dims, (unsigned long long)x->count);
    RHEO_CHECK(data->ctx, x->shape[0] <= RHEO_DATA_SAMPLES && x->count <= RHEO_DATA_BYTES / 4,
               RHEO_UNSUPPORTED,
               "%s: %s has %llu samples, %llu elements, expected at most %u and %zu", path, name[0],
               (unsigned long long)x->shape[0], (unsigned long long)x->count, RHEO_DATA_SAMPLES,
               RHEO_DATA_BYTES / 4);
    RHEO_TRY(check_lengths(data, path, p, name));
    if (is_real(y)) return check_targets(data, path, p, name);
    RHEO_CHECK(
        data->ctx, y->dims == 1 && y->shape[0] == x->shape[0], RHEO_SHAPE,
        "%s: %s has %u dimensions and %llu labels, expected [%llu], one for each sample of %s",
        path, name[1], y->dims, (unsigned long long)y->shape[0], (unsigned long long)x->shape[0],
        name[0]);
    return RHEO_OK;
}

/* The label is the target that is largest in sum over its steps. */
static rheo_status copy_targets(rheo_dataset *data, const char *path, const rheo_array *y,
                                const char *name, uint32_t first)
{
    const uint32_t C = data->classes, steps = data->target_steps;
    const size_t each = (size_t)steps * C;
    float *to = (float *)data->memory[RHEO_MEMORY_TARGET] + first * each;
    for (uint64_t i = 0; i < y->count; i++) {
        const double value = rheo__array_element(y, i);
        RHEO_CHECK(data->ctx, isfinite((float)value), RHEO_NUMERIC,
                   "%s: %s: sample %llu: found %g, expected a finite target; correct or remove the "
                   "sample",
                   path, name, (unsigned long long)(i / each), value);
        to[i] = (float)value;
    }
    for (uint64_t n = 0; n < y->shape[0]; n++) {
        const uint32_t length = data->length ? data->length[first + n] : steps;
        const uint32_t last = length < steps ? length : steps;
        double best = -INFINITY;
        for (uint32_t c = 0; c < C; c++) {
            double sum = 0;
            for (uint32_t t = 0; t < last; t++) sum += (double)to[n * each + (size_t)t * C + c];
            if (sum > best) data->label[first + n] = c, best = sum;
        }
    }
    return RHEO_OK;
}

static rheo_status copy_lengths(rheo_dataset *data, const char *path, const rheo_array *length,
                                const char *name, uint32_t first)
{
    for (uint32_t i = 0; i < length->count; i++) {
        const double steps = rheo__array_element(length, i);
        RHEO_CHECK(data->ctx, steps >= 1 && steps <= RHEO_MOST_STEPS, RHEO_FORMAT,
                   "%s: %s: sample %u lasts %.0f steps, expected 1 to %u", path, name, i, steps,
                   RHEO_MOST_STEPS);
        data->length[first + i] = (uint32_t)steps;
    }
    return RHEO_OK;
}

static rheo_status copy_part(rheo_dataset *data, const char *path, const part *p,
                             const char *const *name, uint32_t first)
{
    size_t at = (size_t)first * data->features;
    if (data->pixels) {
        memcpy((uint8_t *)data->memory[RHEO_MEMORY_X] + at, p->x->data, p->x->count);
    } else {
        float *x = (float *)data->memory[RHEO_MEMORY_X] + at;
        for (uint64_t i = 0; i < p->x->count; i++) {
            double value = rheo__array_element(p->x, i);
            RHEO_CHECK(
                data->ctx, isfinite((float)value), RHEO_NUMERIC,
                "%s: %s: sample %llu, feature %llu: found %g, expected a finite number; correct "
                "or remove the sample",
                path, name[0], (unsigned long long)(i / data->features),
                (unsigned long long)(i % data->features), value);
            x[i] = (float)value;
        }
    }
    if (data->length) RHEO_TRY(copy_lengths(data, path, p->length, name[LENGTH], first));
    if (data->target) return copy_targets(data, path, p->y, name[1], first);
    for (uint32_t i = 0; i < p->y->count; i++) {
        double c = rheo__array_element(p->y, i);
        RHEO_CHECK(data->ctx, c >= 0 && c < RHEO_DATA_CLASSES, RHEO_FORMAT,
                   "%s: %s: label %.0f of sample %u, expected 0 to %u", path, name[1], c, i,
                   RHEO_DATA_CLASSES - 1);
        data->label[first + i] = (uint32_t)c;
        if (c >= data->classes) data->classes = (uint32_t)c + 1;
    }
    return RHEO_OK;
}

/* part[1] without arrays: the test is cut. */
static rheo_status join(rheo_dataset *data, const char *path, const rheo_array *const *found,
                        rheo_parts *parts)
{
    const part p[] = {{found[X], found[Y], found[LENGTH]},
                      {found[KINDS + X], found[KINDS + Y], found[KINDS + LENGTH]}};
    bool cut = !p[1].x && !p[1].y && !p[1].length;
    const rheo_array *x = p[0].x;
    RHEO_TRY(check_part(data, path, &p[0], names));
    if (!cut) {
        const rheo_array *z = p[1].x;
        RHEO_TRY(check_part(data, path, &p[1], names + KINDS));
        RHEO_CHECK(data->ctx,
                   z->dims == x->dims &&
                       !memcmp(z->shape + 1, x->shape + 1, (x->dims - 1) * sizeof *x->shape),
                   RHEO_SHAPE, "%s: samples of x_test and x_train differ in shape; they must not",
                   path);
        RHEO_CHECK(
            data->ctx, (x->dtype == RHEO_U8) == (z->dtype == RHEO_U8), RHEO_FORMAT,
            "%s: one of x_train and x_test holds unsigned bytes, the other does not; give both "
            "the same type",
            path);
    }
    if (!cut)
        RHEO_CHECK(data->ctx,
                   is_real(p[0].y) == is_real(p[1].y) &&
                       (!is_real(p[0].y) || (targets_of(p[0].y) == targets_of(p[1].y) &&
                                             target_steps(p[0].y) == target_steps(p[1].y))),
                   RHEO_SHAPE, "%s: y_test and y_train differ in kind or shape; they must not",
                   path);
    RHEO_CHECK(data->ctx, cut || !p[0].length == !p[1].length, RHEO_MISSING,
               "%s: no array '%s', but there is '%s'; lengths are of both parts or of none", path,
               names[p[0].length ? KINDS + LENGTH : LENGTH],
               names[p[0].length ? LENGTH : KINDS + LENGTH]);
    RHEO_CHECK(data->ctx, !cut || x->shape[0] > 1, RHEO_SHAPE,
               "%s: one sample, expected some for training and some for test", path);
    uint64_t features = x->count / x->shape[0];
    const uint64_t *s = x->shape;
    uint32_t d = x->dims;
    data->shape[0] = d == 3 ? 1 : (uint32_t)s[1];
    data->shape[1] = d == 2 ? 1 : (uint32_t)s[d - 2];
    data->shape[2] = d == 2 ? 1 : (uint32_t)s[d - 1];
    *parts = (rheo_parts){.train = (uint32_t)x->shape[0], .cut = cut};
    if (!cut) parts->test = (uint32_t)p[1].x->shape[0];
    data->features = (uint32_t)features;
    data->total = parts->train + parts->test;
    RHEO_TRY(rheo__data_room(data, x->dtype == RHEO_U8 ? 1 : sizeof(float)));
    if (is_real(p[0].y)) {
        data->classes = (uint32_t)targets_of(p[0].y);
        data->target_steps = (uint32_t)target_steps(p[0].y);
        const size_t each = (size_t)data->target_steps * data->classes;
        RHEO_TRY(rheo__alloc(data->ctx, data->total * each, sizeof(float), "real targets",
                             &data->memory[RHEO_MEMORY_TARGET]));
        data->target = data->memory[RHEO_MEMORY_TARGET];
    }
    if (p[0].length) {
        RHEO_TRY(rheo__alloc(data->ctx, data->total, sizeof *data->length, "lengths",
                             &data->memory[RHEO_MEMORY_LENGTH]));
        data->length = data->memory[RHEO_MEMORY_LENGTH];
    }
    if (x->dtype == RHEO_U8)
        data->pixels = data->memory[RHEO_MEMORY_X];
    else
        data->values = data->memory[RHEO_MEMORY_X];
    RHEO_TRY(copy_part(data, path, &p[0], names, 0));
    return cut ? RHEO_OK : copy_part(data, path, &p[1], names + KINDS, parts->train);
}

rheo_status rheo__read_npz(rheo_dataset *data, const char *path, rheo_parts *parts)
{
    rheo_array *array = NULL;
    const rheo_array *found[ARRAYS] = {NULL};
    uint32_t count = 0;
    char sha256[65];
    RHEO_TRY(rheo__sha256_file(data->ctx, path, sha256));
    RHEO_TRY(rheo__npz_read(data->ctx, path, RHEO_DATA_BYTES, &array, &count));
    rheo__data_file(data, path, sha256, false);
    for (uint32_t i = 0; i < count; i++)
        for (size_t k = 0; k < ARRAYS; k++)
            if (!strcmp(array[i].name, names[k])) found[k] = &array[i];
    rheo_status status = join(data, path, found, parts);
    rheo__npz_free(data->ctx, array, count);
    return status;
}

static rheo_status read_files(rheo_dataset *data, const char *folder, rheo_array a[ARRAYS],
                              rheo_parts *parts)
{
    const rheo_array *found[ARRAYS] = {NULL};
    char path[RHEO_PATH], file[24], sha256[65];
    for (size_t k = 0; k < ARRAYS; k++) {
        snprintf(file, sizeof file, "%s.npy", names[k]);
        RHEO_TRY(rheo__join(data->ctx, folder, file, path));
        if (!rheo__file_exists(path)) continue;
        RHEO_TRY(rheo__sha256_file(data->ctx, path, sha256));
        RHEO_TRY(rheo__npy_read(data->ctx, path, RHEO_DATA_BYTES, &a[k]));
        rheo__data_file(data, path, sha256, false);
        found[k] = &a[k];
    }
    return join(data, folder, found, parts);
}

rheo_status rheo__read_npy(rheo_dataset *data, const char *folder, rheo_parts *parts)
{
    rheo_array a[ARRAYS] = {0};
    rheo_status status = read_files(data, folder, a, parts);
    for (size_t k = 0; k < ARRAYS; k++) rheo__release(data->ctx, a[k].data);
    return status;
}
