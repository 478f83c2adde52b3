/* arrays.c: the user's own arrays: x_train [n, …], y_train [n], x_test, y_test as an .npz or as
 * four .npy in a folder. Unsigned bytes are pixels (shown as x/255), other numbers are used as they
 * are. Labels are integers from 0; floats are real targets: [n] one for each sample, [n, C], or
 * [n, T, C] when they change from step to step. Without the test arrays a test part is cut. */
#include "data/read.h"
#include "base/file.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const names[] = {"x_train", "y_train", "x_test", "y_test"};

typedef struct part {
    const rheo_array *x, *y; /* both, or neither */
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
    if (is_real(y)) return check_targets(data, path, p, name);
    RHEO_CHECK(
        data->ctx, y->dims == 1 && y->shape[0] == x->shape[0], RHEO_SHAPE,
        "%s: %s has %u dimensions and %llu labels, expected [%llu], one for each sample of %s",
        path, name[1], y->dims, (unsigned long long)y->shape[0], (unsigned long long)x->shape[0],
        name[0]);
    return RHEO_OK;
}

double rheo__array_element(const rheo_array *a, uint64_t i)
{
    switch (a->dtype) {
    case RHEO_U8:
        return ((const uint8_t *)a->data)[i];
    case RHEO_I32:
        return ((const int32_t *)a->data)[i];
    case RHEO_I64:
        return (double)((const int64_t *)a->data)[i];
    case RHEO_F32:
        return (double)((const float *)a->data)[i];
    default:
        return ((const double *)a->data)[i];
    }
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
        double best = -INFINITY;
        for (uint32_t c = 0; c < C; c++) {
            double sum = 0;
            for (uint32_t t = 0; t < steps; t++) sum += (double)to[n * each + (size_t)t * C + c];
            if (sum > best) data->label[first + n] = c, best = sum;
        }
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
static rheo_status join(rheo_dataset *data, const char *path, const part p[2], rheo_parts *parts)
{
    bool cut = !p[1].x && !p[1].y;
    const rheo_array *x = p[0].x;
    RHEO_TRY(check_part(data, path, &p[0], names));
    if (!cut) {
        const rheo_array *z = p[1].x;
        RHEO_TRY(check_part(data, path, &p[1], names + 2));
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
    if (x->dtype == RHEO_U8)
        data->pixels = data->memory[RHEO_MEMORY_X];
    else
        data->values = data->memory[RHEO_MEMORY_X];
    RHEO_TRY(copy_part(data, path, &p[0], names, 0));
    return cut ? RHEO_OK : copy_part(data, path, &p[1], names + 2, parts->train);
}

rheo_status rheo__read_npz(rheo_dataset *data, const char *path, rheo_parts *parts)
{
    rheo_array *array = NULL;
    const rheo_array *found[4] = {NULL};
    uint32_t count = 0;
    char sha256[65];
    RHEO_TRY(rheo__sha256_file(data->ctx, path, sha256));
    RHEO_TRY(rheo__npz_read(data->ctx, path, RHEO_DATA_BYTES, &array, &count));
    rheo__data_file(data, path, sha256, false);
    for (uint32_t i = 0; i < count; i++)
        for (int k = 0; k < 4; k++)
            if (!strcmp(array[i].name, names[k])) found[k] = &array[i];
    const part p[2] = {{found[0], found[1]}, {found[2], found[3]}};
    rheo_status status = join(data, path, p, parts);
    rheo__npz_free(data->ctx, array, count);
    return status;
}

static rheo_status read_four(rheo_dataset *data, const char *folder, rheo_array a[4],
                             rheo_parts *parts)
{
    const rheo_array *found[4] = {NULL};
    char path[RHEO_PATH], file[16], sha256[65];
    for (int k = 0; k < 4; k++) {
        snprintf(file, sizeof file, "%s.npy", names[k]);
        RHEO_TRY(rheo__join(data->ctx, folder, file, path));
        if (!rheo__file_exists(path)) continue;
        RHEO_TRY(rheo__sha256_file(data->ctx, path, sha256));
        RHEO_TRY(rheo__npy_read(data->ctx, path, RHEO_DATA_BYTES, &a[k]));
        rheo__data_file(data, path, sha256, false);
        found[k] = &a[k];
    }
    const part p[2] = {{found[0], found[1]}, {found[2], found[3]}};
    return join(data, folder, p, parts);
}

rheo_status rheo__read_npy(rheo_dataset *data, const char *folder, rheo_parts *parts)
{
    rheo_array a[4] = {0};
    rheo_status status = read_four(data, folder, a, parts);
    for (int k = 0; k < 4; k++) rheo__release(data->ctx, a[k].data);
    return status;
}
