/* rows.c: run folders found, and seeds of one system merged into a row.
 *
 * One system: the same name, data, size and --set options. Accuracy: mean, sample standard
 * deviation s = sqrt(sum (a - mean)^2 / (n - 1)), and the 95 % interval mean +- t(0.975, n-1)
 * s/sqrt(n); for one seed Wilson's interval of its test samples (Wilson, JASA 22, 1927). Every
 * other number is the mean over the runs that have it; a text is the first run's. */
#include "report/row.h"

#include "base/file.h"
#include "recipe/job.h"

#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DEPTH       4     /* runs / NAME / DATA-SIZE / SEED, and one above */
#define FOLDERS_MAX 20000 /* looked into in one search: no walk over a whole disk */

/* Student's t, 97.5 %, 1 to 30 degrees of freedom; above, its expansion in 1/n about the normal
 * quantile (Abramowitz & Stegun 26.7.5), good to 1e-4 there. */
double rheo__t_half_width(double sd, uint32_t n)
{
    static const double t[] = {12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060,
                               2.2622,  2.2281, 2.2010, 2.1788, 2.1604, 2.1448, 2.1314, 2.1199,
                               2.1098,  2.1009, 2.0930, 2.0860, 2.0796, 2.0739, 2.0687, 2.0639,
                               2.0595,  2.0555, 2.0518, 2.0484, 2.0452, 2.0423};
    if (n < 2) return NAN;
    double z = 1.959964, v = n - 1.0;
    double above =
        z + (z * z * z + z) / (4 * v) + (5 * pow(z, 5) + 16 * z * z * z + 3 * z) / (96 * v * v);
    return (n - 1 <= 30 ? t[n - 2] : above) * sd / sqrt(n);
}

static double confusion_sum(const cJSON *result)
{
    double sum = 0;
    const cJSON *line, *cell;
    cJSON_ArrayForEach(line, rheo__at(result, "confusion"))
    {
        cJSON_ArrayForEach(cell, line) sum += cJSON_IsNumber(cell) ? cell->valuedouble : 0;
    }
    return sum;
}

/* dst begins as a copy of src[0] and becomes the mean of all. */
static rheo_status average(rheo_context *ctx, cJSON *dst, const cJSON *const *src, uint32_t n)
{
    if (cJSON_IsNumber(dst) || cJSON_IsNull(dst)) {
        double sum = 0, count = 0;
        for (uint32_t i = 0; i < n; i++)
            if (cJSON_IsNumber(src[i])) {
                sum += src[i]->valuedouble;
                count++;
            }
        if (count == 0) return RHEO_OK;
        dst->type = cJSON_Number;
        cJSON_SetNumberValue(dst, sum / count);
        return RHEO_OK;
    }
    if (!cJSON_IsObject(dst) && !cJSON_IsArray(dst)) return RHEO_OK;
    /* lists of unlike length (chips, a run that stopped early): the first run's */
    for (uint32_t i = 1; cJSON_IsArray(dst) && i < n; i++)
        if (cJSON_GetArraySize(src[i]) != cJSON_GetArraySize(dst)) return RHEO_OK;
    const cJSON **child = NULL;
    RHEO_TRY(rheo__alloc(ctx, n, sizeof *child, "merging runs", &child));
    for (uint32_t i = 0; i < n; i++) child[i] = src[i] ? src[i]->child : NULL;
    rheo_status status = RHEO_OK;
    for (cJSON *item = dst->child; item && !status; item = item->next) {
        for (uint32_t i = 0; i < n && cJSON_IsObject(dst); i++)
            child[i] = cJSON_GetObjectItemCaseSensitive(src[i], item->string);
        status = average(ctx, item, child, n);
        for (uint32_t i = 0; i < n && cJSON_IsArray(dst); i++)
            child[i] = child[i] ? child[i]->next : NULL;
    }
    rheo__release(ctx, child);
    return status;
}

static void put(cJSON *object, const char *key, cJSON *item)
{
    cJSON_DeleteItemFromObjectCaseSensitive(object, key);
    cJSON_AddItemToObject(object, key, item);
}

static cJSON *number_or_null(double x)
{
    return isnan(x) ? cJSON_CreateNull() : cJSON_CreateNumber(x);
}

/* accuracy and verdict from the figures of all seeds */
static void merge_accuracy(rheo_row *row)
{
    cJSON *each = cJSON_CreateArray(), *seeds = cJSON_CreateArray();
    for (uint32_t r = 0; r < row->runs; r++) {
        const cJSON *item, *list = rheo__at(row->run[r].result, "accuracy.each");
        double one = rheo__number_at(row->run[r].result, "accuracy.mean");
        if (cJSON_IsArray(list) && cJSON_GetArraySize(list) > 0)
            cJSON_ArrayForEach(item, list) cJSON_AddItemToArray(each, cJSON_Duplicate(item, true));
        else
            cJSON_AddItemToArray(each, cJSON_CreateNumber(one));
        list = rheo__at(row->run[r].result, "seeds"); /* a merged one, kept in results/ */
        if (cJSON_IsArray(list))
            cJSON_ArrayForEach(item, list) cJSON_AddItemToArray(seeds, cJSON_Duplicate(item, true));
        else
            cJSON_AddItemToArray(seeds, number_or_null(row->run[r].seed));
    }
    double sum = 0, square = 0;
    uint32_t n = (uint32_t)cJSON_GetArraySize(each);
    const cJSON *item;
    cJSON_ArrayForEach(item, each) sum += item->valuedouble;
    double mean = sum / n;
    cJSON_ArrayForEach(item, each) square +=
        (item->valuedouble - mean) * (item->valuedouble - mean);
    double sd = n > 1 ? sqrt(square / (n - 1)) : NAN;
    cJSON *accuracy = cJSON_GetObjectItemCaseSensitive(row->json, "accuracy");
    double samples = confusion_sum(row->run[0].result), low = NAN, high = NAN;
    if (n > 1) {
        low = mean - rheo__t_half_width(sd, n);
        high = mean + rheo__t_half_width(sd, n);
    } else if (samples > 0) {
        double interval[2];
        rheo__wilson(mean / 100 * samples, samples, interval);
        low = interval[0];
        high = interval[1];
    }
    put(accuracy, "mean", cJSON_CreateNumber(mean));
    put(accuracy, "sd", number_or_null(sd));
    if (!isnan(low)) put(accuracy, "interval", cJSON_CreateDoubleArray((double[2]){low, high}, 2));
    put(accuracy, "each", each);
    cJSON_DeleteItemFromObjectCaseSensitive(row->json, "seed");
    put(row->json, "seeds", seeds);
    double accept = rheo__number_at(row->json, "accept");
    const char *verdict = isnan(accept) ? "none" : mean >= accept ? "reached" : "short";
    put(row->json, "verdict", cJSON_CreateString(verdict));
}

/* Which machine, commit and data made each run, so that a kept table can tell. */
static void merge_manifests(rheo_row *row)
{
    cJSON *list = cJSON_CreateArray();
    for (uint32_t r = 0; r < row->runs; r++) {
        const cJSON *item, *kept = rheo__at(row->run[r].result, "manifests");
        cJSON_ArrayForEach(item, kept) cJSON_AddItemToArray(list, cJSON_Duplicate(item, true));
        if (!kept && row->run[r].manifest)
            cJSON_AddItemToArray(list, cJSON_Duplicate(row->run[r].manifest, true));
    }
    put(row->json, "manifests", list);
}

static rheo_status merge(rheo_context *ctx, rheo_row *row)
{
    const cJSON **src = NULL;
    row->json = cJSON_Duplicate(row->run[0].result, true);
    RHEO_CHECK(ctx, row->json, RHEO_MEMORY, "out of memory while merging runs");
    RHEO_TRY(rheo__alloc(ctx, row->runs, sizeof *src, "merging runs", &src));
    for (uint32_t r = 0; r < row->runs; r++) src[r] = row->run[r].result;
    rheo_status status = average(ctx, row->json, src, row->runs);
    rheo__release(ctx, src);
    if (status) return status;
    merge_accuracy(row);
    merge_manifests(row);
    return RHEO_OK;
}

typedef struct rheo_search {
    rheo_context *ctx;
    rheo_row *row;
    uint32_t rows, looked;
} rheo_search;

static bool same(const rheo_folder *a, const rheo_folder *b)
{
    static const char *const keys[] = {"name", "data", "size"};
    for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++)
        if (strcmp(rheo__text_at(a->result, keys[k]), rheo__text_at(b->result, keys[k])))
            return false;
    return strcmp(a->settings, b->settings) == 0;
}

/* Takes the run, also on failure. */
static rheo_status add_run(rheo_search *s, rheo_folder *run)
{
    rheo_status status = RHEO_OK;
    uint32_t at = 0;
    while (at < s->rows && !same(&s->row[at].run[0], run)) at++;
    if (at == s->rows) {
        status = rheo__grow(s->ctx, s->rows + 1, sizeof *s->row, "rows", &s->row);
        if (!status) s->rows++;
    }
    rheo_row *row = status ? NULL : &s->row[at];
    for (uint32_t r = 0; row && r < row->runs; r++)
        if (row->run[r].seed == run->seed) {
            if (strcmp(row->run[r].folder, run->folder) != 0)
                rheo__message(s->ctx, "%s: seed %.0f of %s is already taken from %s; left out",
                              run->folder, run->seed, rheo__text_at(run->result, "name"),
                              row->run[r].folder);
            rheo__run_free(s->ctx, run);
            return RHEO_OK;
        }
    if (!status) status = rheo__grow(s->ctx, row->runs + 1, sizeof *row->run, "runs", &row->run);
    if (status) {
        rheo__run_free(s->ctx, run);
        return status;
    }
    uint32_t place = row->runs++;
    for (; place && row->run[place - 1].seed > run->seed; place--)
        row->run[place] = row->run[place - 1];
    row->run[place] = *run;
    return RHEO_OK;
}

static int no_dots(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static rheo_status search(rheo_search *s, const char *path, uint32_t depth)
{
    char inner[RHEO_PATH];
    struct stat info;
    RHEO_CHECK(s->ctx, ++s->looked <= FOLDERS_MAX, RHEO_USAGE,
               "%s: more than %d folders to look into; name a folder nearer to the runs", path,
               FOLDERS_MAX);
    RHEO_TRY(rheo__join(s->ctx, path, "result.json", inner));
    if (rheo__file_exists(inner) || (depth == 0 && !stat(path, &info) && S_ISREG(info.st_mode))) {
        rheo_folder run;
        RHEO_TRY(rheo__run_read(s->ctx, path, &run));
        return add_run(s, &run);
    }
    if (depth == DEPTH) return RHEO_OK;
    struct dirent **entry = NULL;
    int count = scandir(path, &entry, no_dots, alphasort);
    rheo_status status = RHEO_OK;
    for (int i = 0; i < count; i++) {
        if (!status) status = rheo__join(s->ctx, path, entry[i]->d_name, inner);
        if (!status && !stat(inner, &info) && S_ISDIR(info.st_mode))
            status = search(s, inner, depth + 1);
        free(entry[i]);
    }
    free(entry);
    return status;
}

/* Families in their order; within one, as found. Stable. */
static void sort_rows(rheo_row *rows, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        rheo_row row = rows[i];
        uint32_t at = i;
        for (; at && rheo__row_family(&rows[at - 1]) > rheo__row_family(&row); at--)
            rows[at] = rows[at - 1];
        rows[at] = row;
    }
}

rheo_status rheo__rows_read(rheo_context *ctx, const char *const *folders, uint32_t count,
                            rheo_row **rows, uint32_t *row_count)
{
    rheo_search s = {.ctx = ctx};
    rheo_status status = RHEO_OK;
    struct stat info;
    for (uint32_t f = 0; f < count && !status; f++) {
        if (stat(folders[f], &info) != 0)
            status = rheo__fail(ctx, RHEO_MISSING,
                                "%s: no such folder; expected a run folder or a "
                                "parent of run folders",
                                folders[f]);
        else
            status = search(&s, folders[f], 0);
    }
    if (!status && s.rows == 0)
        status = rheo__fail(ctx, RHEO_MISSING,
                            "%s: no result.json here or up to %d folders below; train a recipe "
                            "first, or name the folder that holds runs",
                            count ? folders[0] : "no folder", DEPTH);
    for (uint32_t r = 0; r < s.rows && !status; r++) status = merge(ctx, &s.row[r]);
    if (status) {
        rheo__rows_free(ctx, s.row, s.rows);
        return status;
    }
    sort_rows(s.row, s.rows);
    *rows = s.row;
    *row_count = s.rows;
    return RHEO_OK;
}

void rheo__rows_free(rheo_context *ctx, rheo_row *rows, uint32_t count)
{
    for (uint32_t i = 0; rows && i < count; i++) {
        for (uint32_t r = 0; r < rows[i].runs; r++) rheo__run_free(ctx, &rows[i].run[r]);
        rheo__release(ctx, rows[i].run);
        cJSON_Delete(rows[i].json);
    }
    rheo__release(ctx, rows);
}
