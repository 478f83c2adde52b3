/* info.c: what is in a file: its kind is told by its first bytes, never by its name. The facts are
 * put in a JSON tree; the text is that tree printed. */
#include "data/read.h"
#include "base/file.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* A file of one kind, unpacked, to facts. */
typedef rheo_status reader(rheo_context *ctx, const char *path, char *data, size_t size,
                           cJSON *facts);

/* ---- an array ---------------------------------------------------------------------------------
 */

/* One-dimensional integers from 0 to below 1000 are taken as labels: how many of each. */
static void histogram(const rheo_array *a, double high, cJSON *facts)
{
    uint64_t count[1000] = {0};
    for (uint64_t i = 0; i < a->count; i++) count[(size_t)rheo__array_element(a, i)]++;
    cJSON *labels = cJSON_AddObjectToObject(facts, "labels");
    for (int c = 0; c <= (int)high; c++) {
        char name[12];
        snprintf(name, sizeof name, "%d", c);
        cJSON_AddNumberToObject(labels, name, (double)count[c]);
    }
}

static void add_range(cJSON *facts, double low, double high, double mean)
{
    cJSON_AddNumberToObject(facts, "least", low);
    cJSON_AddNumberToObject(facts, "greatest", high);
    cJSON_AddNumberToObject(facts, "mean", mean);
}

static void describe(const rheo_array *a, cJSON *facts)
{
    static const char *const types[] = {"unsigned bytes", "32-bit integers", "64-bit integers",
                                        "32-bit floats", "64-bit floats"};
    double low = INFINITY, high = -INFINITY, sum = 0;
    uint64_t bad = 0;
    cJSON_AddStringToObject(facts, "type", types[a->dtype]);
    cJSON *shape = cJSON_AddArrayToObject(facts, "shape");
    for (uint32_t i = 0; i < a->dims; i++)
        cJSON_AddItemToArray(shape, cJSON_CreateNumber((double)a->shape[i]));
    for (uint64_t i = 0; i < a->count; i++) {
        double v = rheo__array_element(a, i);
        if (!isfinite(v)) {
            bad++;
            continue;
        }
        low = v < low ? v : low;
        high = v > high ? v : high;
        sum += v;
    }
    if (a->count > bad) add_range(facts, low, high, sum / (double)(a->count - bad));
    if (bad > 0) cJSON_AddNumberToObject(facts, "not finite", (double)bad);
    bool integers = a->dtype == RHEO_U8 || a->dtype == RHEO_I32 || a->dtype == RHEO_I64;
    if (integers && a->dims == 1 && a->count > 0 && low >= 0 && high < 1000)
        histogram(a, high, facts);
}

/* ---- the kinds --------------------------------------------------------------------------------
 */

static rheo_status info_idx(rheo_context *ctx, const char *path, char *data, size_t size,
                            cJSON *facts)
{
    rheo_idx idx;
    RHEO_TRY(rheo__idx_header(ctx, path, (const unsigned char *)data, size, &idx));
    RHEO_CHECK(ctx, size - idx.header == idx.count, RHEO_FORMAT,
               "%s: %s: found %zu bytes of data, the header promises %zu; get it again", path,
               size - idx.header < idx.count ? "truncated" : "too long", size - idx.header,
               idx.count);
    rheo_array a = {
        .dtype = RHEO_U8, .dims = idx.dims, .count = idx.count, .data = data + idx.header};
    for (uint32_t i = 0; i < idx.dims; i++) a.shape[i] = idx.shape[i];
    describe(&a, facts);
    return RHEO_OK;
}

static rheo_status info_npy(rheo_context *ctx, const char *path, char *data, size_t size,
                            cJSON *facts)
{
    rheo_array a = {0};
    RHEO_TRY(rheo__npy_parse(ctx, path, data, size, &a));
    describe(&a, facts);
    rheo__release(ctx, a.data);
    return RHEO_OK;
}

static rheo_status info_npz(rheo_context *ctx, const char *path, char *data, size_t size,
                            cJSON *facts)
{
    rheo_array *a = NULL;
    uint32_t count = 0;
    (void)data, (void)size;
    RHEO_TRY(rheo__npz_read(ctx, path, RHEO_DATA_BYTES, &a, &count));
    cJSON *arrays = cJSON_AddObjectToObject(facts, "arrays");
    for (uint32_t i = 0; i < count; i++)
        describe(&a[i], cJSON_AddObjectToObject(arrays, a[i].name));
    rheo__npz_free(ctx, a, count);
    return RHEO_OK;
}

static rheo_status info_hdf5(rheo_context *ctx, const char *path, char *data, size_t size,
                             cJSON *facts)
{
    (void)ctx, (void)path, (void)data, (void)size;
    cJSON_AddStringToObject(facts, "note", "a .rheo model is such a file; its inside is not shown");
    return RHEO_OK;
}

static rheo_status describe_csv(rheo_context *ctx, const char *path, const rheo_csv *csv,
                                cJSON *facts)
{
    const char **names = NULL;
    uint32_t *class = NULL, classes = 0;
    double sum = 0, low = INFINITY, high = -INFINITY;
    size_t n = (size_t)csv->rows * csv->features;
    for (size_t i = 0; i < n; i++) {
        double v = (double)csv->values[i];
        low = v < low ? v : low;
        high = v > high ? v : high;
        sum += v;
    }
    cJSON_AddNumberToObject(facts, "rows", csv->rows);
    cJSON_AddNumberToObject(facts, "features", csv->features);
    cJSON_AddNumberToObject(facts, "label column", csv->label_column + 1);
    if (csv->label_name) cJSON_AddStringToObject(facts, "label name", csv->label_name);
    add_range(facts, low, high, sum / (double)n);
    RHEO_TRY(rheo__alloc(ctx, RHEO_DATA_CLASSES, sizeof *names, "class names", &names));
    rheo_status status =
        rheo__alloc(ctx, (size_t)csv->rows + RHEO_DATA_CLASSES, sizeof *class, "classes", &class);
    if (!status)
        status = rheo__csv_classes(ctx, path, csv->label, csv->rows, names, &classes, class);
    cJSON *labels = cJSON_AddObjectToObject(facts, "labels");
    for (uint32_t i = 0; !status && i < csv->rows; i++) class[csv->rows + class[i]]++;
    for (uint32_t c = 0; !status && c < classes; c++)
        cJSON_AddNumberToObject(labels, names[c], class[csv->rows + c]);
    rheo__release(ctx, class);
    rheo__release(ctx, names);
    return status;
}

static rheo_status info_csv(rheo_context *ctx, const char *path, char *data, size_t size,
                            cJSON *facts)
{
    rheo_csv csv;
    RHEO_TRY(rheo__csv_parse(ctx, path, data, size, &csv));
    rheo_status status = describe_csv(ctx, path, &csv, facts);
    rheo__csv_free(ctx, &csv);
    return status;
}

static const struct {
    const char *magic;
    size_t size;
    const char *name;
    reader *read;
} kinds[] = {
    {"\x89HDF\r\n\x1a\n", 8, "HDF5", info_hdf5},
    {"\x93NUMPY", 6, ".npy", info_npy},
    {"PK\x03\x04", 4, ".npz", info_npz},
    {"\0\0\x08", 3, "IDX", info_idx},
    {"", 0, "CSV", info_csv}, /* what is left, when it is text */
};

/* ---- to text ----------------------------------------------------------------------------------
 */

/* Objects are indented, arrays of numbers stand as 1 x 2 x 3. */
static void print(const cJSON *facts, int indent, rheo_text *out)
{
    for (const cJSON *f = facts->child; f; f = f->next) {
        rheo__text_add(out, "%*s%-*s", indent, "", 14 - indent, f->string);
        if (cJSON_IsObject(f)) {
            rheo__text_add(out, "\n");
            print(f, indent + 2, out);
            continue;
        }
        if (cJSON_IsNumber(f)) rheo__text_add(out, " %.6g", f->valuedouble);
        if (cJSON_IsString(f)) rheo__text_add(out, " %s", f->valuestring);
        if (cJSON_IsArray(f))
            for (const cJSON *n = f->child; n; n = n->next)
                rheo__text_add(out, "%s %.0f", n == f->child ? "" : " x", n->valuedouble);
        rheo__text_add(out, "\n");
    }
}

static const char *published(const char *sha256, char text[80])
{
    const rheo_known_set *set;
    for (uint32_t i = 0; (set = rheo__data_known(i)); i++)
        for (int k = 0; k < 4 && set->file[k].name; k++)
            if (!strcmp(sha256, set->file[k].sha256)) {
                snprintf(text, 80, "%s/%s, as published", set->name, rheo__idx_name((uint32_t)k));
                return text;
            }
    return NULL;
}

static rheo_status look(rheo_context *ctx, const char *path, char *data, size_t size, cJSON *facts)
{
    char sha256[65], text[80];
    size_t k = 0;
    while (size < kinds[k].size || memcmp(data, kinds[k].magic, kinds[k].size) != 0) k++;
    RHEO_CHECK(ctx, kinds[k].size || (size && !memchr(data, '\0', size)), RHEO_UNSUPPORTED,
               "%s: of unknown kind; IDX, .npy, .npz and CSV are read, plain or .gz", path);
    rheo__sha256(data, size, sha256);
    cJSON_AddStringToObject(facts, "file", path);
    cJSON_AddStringToObject(facts, "kind", kinds[k].name);
    cJSON_AddNumberToObject(facts, "bytes", (double)size);
    cJSON_AddStringToObject(facts, "sha256", sha256);
    if (published(sha256, text)) cJSON_AddStringToObject(facts, "known", text);
    return kinds[k].read(ctx, path, data, size, facts);
}

rheo_status rheo__data_info(rheo_context *ctx, const char *path, bool json, rheo_text *out)
{
    char *data = NULL;
    size_t size;
    RHEO_TRY(rheo__file_read(ctx, path, RHEO_DATA_BYTES, &data, &size));
    cJSON *facts = cJSON_CreateObject();
    rheo_status status = look(ctx, path, data, size, facts);
    if (!status && json) {
        char *text = cJSON_Print(facts);
        if (text) rheo__text_add(out, "%s\n", text);
        if (!text) status = rheo__fail(ctx, RHEO_MEMORY, "%s: out of memory", path);
        cJSON_free(text);
    } else if (!status) {
        print(facts, 0, out);
    }
    cJSON_Delete(facts);
    rheo__release(ctx, data);
    return status ? status : out->status;
}
