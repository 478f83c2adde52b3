/* row.c: one run folder read (result.json, manifest.json, metrics.csv), and questions to its
 * documents by path. A damaged file is refused with its name, line and key. */
#include "report/row.h"

#include "base/file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const cJSON *rheo__at(const cJSON *json, const char *path)
{
    char key[64];
    while (json && *path) {
        size_t n = strcspn(path, ".");
        if (n >= sizeof key) return NULL;
        memcpy(key, path, n);
        key[n] = 0;
        json = cJSON_IsArray(json) ? cJSON_GetArrayItem(json, atoi(key))
                                   : cJSON_GetObjectItemCaseSensitive(json, key);
        path += path[n] ? n + 1 : n;
    }
    return cJSON_IsNull(json) ? NULL : json;
}

double rheo__number_at(const cJSON *json, const char *path)
{
    const cJSON *item = rheo__at(json, path);
    return cJSON_IsNumber(item) && isfinite(item->valuedouble) ? item->valuedouble : NAN;
}

const char *rheo__text_at(const cJSON *json, const char *path)
{
    const cJSON *item = rheo__at(json, path);
    return cJSON_IsString(item) ? item->valuestring : "";
}

rheo_status rheo__numbers_at(rheo_context *ctx, const cJSON *json, const char *path, double **out,
                             uint32_t *count)
{
    const cJSON *list = rheo__at(json, path), *item;
    uint32_t n = cJSON_IsArray(list) ? (uint32_t)cJSON_GetArraySize(list) : 0, i = 0;
    RHEO_TRY(rheo__alloc(ctx, n, sizeof **out, path, out));
    *count = n;
    if (n) cJSON_ArrayForEach(item, list)
        {
            bool good = cJSON_IsNumber(item) && isfinite(item->valuedouble);
            (*out)[i++] = good ? item->valuedouble : NAN;
        }
    return RHEO_OK;
}

static rheo_status parse(rheo_context *ctx, const char *path, cJSON **out)
{
    char *data = NULL;
    size_t size = 0;
    RHEO_TRY(rheo__file_read(ctx, path, RHEO_RUN_LIMIT, &data, &size));
    const char *end = NULL;
    cJSON *json = cJSON_ParseWithLengthOpts(data, size, &end, false);
    if (cJSON_IsArray(json) && cJSON_GetArraySize(json) == 1) { /* a kept table of one system */
        cJSON *row = cJSON_DetachItemFromArray(json, 0);
        cJSON_Delete(json);
        json = row;
    }
    bool good = cJSON_IsObject(json);
    for (; good && end < data + size; end++) good = strchr(" \t\r\n", *end) && *end;
    uint32_t line = 1;
    for (const char *c = data; !good && end && c < end; c++) line += *c == '\n';
    rheo__release(ctx, data);
    if (good) {
        *out = json;
        return RHEO_OK;
    }
    cJSON_Delete(json);
    return rheo__fail(ctx, RHEO_FORMAT,
                      "%s:%u: not a JSON object, or cut off; train this run again or leave its "
                      "folder out",
                      path, line);
}

static rheo_status check(rheo_context *ctx, const char *path, const cJSON *result)
{
    static const char *const texts[] = {"name", "family", "data", "size"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const char *text = rheo__text_at(result, texts[i]);
        RHEO_CHECK(ctx, *text && strlen(text) < 100, RHEO_FORMAT,
                   "%s: '%s' is %s, expected a text of 1 to 99 bytes; train this run again or "
                   "leave its folder out",
                   path, texts[i], *text ? "too long" : "absent, empty or no text");
    }
    double mean = rheo__number_at(result, "accuracy.mean");
    RHEO_CHECK(ctx, mean >= 0 && mean <= 100, RHEO_FORMAT,
               "%s: 'accuracy.mean' is %g, expected a number from 0 to 100; train this run again "
               "or leave its folder out",
               path, mean);
    return RHEO_OK;
}

/* runs/NAME/DATA-SIZE-HASH8/SEED: the hash tells runs of one system under other --set options */
static void read_settings(rheo_folder *run)
{
    char head[256];
    snprintf(head, sizeof head, "/%s-%s-", rheo__text_at(run->result, "data"),
             rheo__text_at(run->result, "size"));
    const char *at = strstr(run->folder, head);
    if (!at) return;
    at += strlen(head);
    if (strspn(at, "0123456789abcdef") == 8 && (at[8] == '/' || !at[8]))
        memcpy(run->settings, at, 8);
}

static rheo_status read_files(rheo_context *ctx, const char *folder, rheo_folder *run)
{
    char path[RHEO_PATH];
    RHEO_TRY(rheo__strdup(ctx, folder, &run->folder));
    RHEO_TRY(rheo__join(ctx, folder, "result.json", path));
    /* a result.json may be named itself: results/ keeps them without their folders */
    struct stat info;
    bool file = stat(folder, &info) == 0 && S_ISREG(info.st_mode);
    RHEO_TRY(parse(ctx, file ? folder : path, &run->result));
    RHEO_TRY(check(ctx, file ? folder : path, run->result));
    run->seed = rheo__number_at(run->result, "seed");
    read_settings(run);
    if (file) return RHEO_OK;
    RHEO_TRY(rheo__join(ctx, folder, "manifest.json", path));
    return rheo__file_exists(path) ? parse(ctx, path, &run->manifest) : RHEO_OK;
}

rheo_status rheo__run_read(rheo_context *ctx, const char *folder, rheo_folder *out)
{
    rheo_folder run = {.seed = NAN};
    rheo_status status = read_files(ctx, folder, &run);
    if (status)
        rheo__run_free(ctx, &run);
    else
        *out = run;
    return status;
}

void rheo__run_free(rheo_context *ctx, rheo_folder *run)
{
    rheo__release(ctx, run->folder);
    cJSON_Delete(run->result);
    cJSON_Delete(run->manifest);
}

/* The cell of a line that begins at text; "" is NaN. */
static double csv_number(const char *text, int column)
{
    for (; column > 0 && *text && *text != '\n'; text++) column -= *text == ',';
    if (column || !*text || strchr(",\r\n", *text)) return NAN;
    return strtod(text, NULL);
}

static int csv_column(const char *head, const char *name)
{
    size_t n = strlen(name);
    int column = 0;
    for (const char *c = head; *c && *c != '\n'; column++) {
        if (strncmp(c, name, n) == 0 && strchr(",\r\n", c[n])) return column;
        c += strcspn(c, ",\n");
        c += *c == ',';
    }
    return -1;
}

rheo_status rheo__metrics_read(rheo_context *ctx, const rheo_folder *run, rheo_history *out)
{
    char path[RHEO_PATH], *data = NULL;
    size_t size = 0;
    *out = (rheo_history){0};
    RHEO_TRY(rheo__join(ctx, run->folder, "metrics.csv", path));
    if (!rheo__file_exists(path)) return RHEO_OK;
    RHEO_TRY(rheo__file_read(ctx, path, RHEO_RUN_LIMIT, &data, &size));
    uint32_t lines = 0;
    for (size_t i = 0; i < size; i++) lines += data[i] == '\n';
    uint32_t room = lines ? lines : 1;
    rheo_status status = rheo__alloc(ctx, (size_t)room * 3, sizeof(double), path, &out->loss);
    if (status) {
        rheo__release(ctx, data);
        return status;
    }
    out->train = out->loss + room;
    out->validation = out->train + room;
    int loss = csv_column(data, "loss"), train = csv_column(data, "train_accuracy"),
        validation = csv_column(data, "validation_accuracy");
    const char *line = strchr(data, '\n');
    while (line && line[1] && out->count < room) {
        uint32_t i = out->count++;
        out->loss[i] = csv_number(line + 1, loss);
        out->train[i] = csv_number(line + 1, train);
        out->validation[i] = csv_number(line + 1, validation);
        line = strchr(line + 1, '\n');
    }
    rheo__release(ctx, data);
    return RHEO_OK;
}
