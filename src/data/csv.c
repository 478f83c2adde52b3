/* csv.c: tables as text. Comma, semicolon or tab (whichever comes first in the file); fields may be
 * quoted, "" is a quote; one row a line; empty lines are skipped; a first line with names is a
 * header. The label stands in the column named `label` or `class`, else in the last. Features must
 * be finite numbers and are used as they are. */
#include "data/read.h"
#include "base/file.h"
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct reader {
    rheo_context *ctx;
    const char *name;
    char *at, *end; /* the text not yet read */
    uint32_t line;  /* of the row just read, counted from 1 */
    uint32_t columns;
    char separator;
    char **field;   /* [columns], into the text */
    char **header;  /* [columns], into the text, or NULL */
    locale_t plain; /* numbers are read as in the "C" locale, whatever the program's */
} reader;

/* ---- lines and fields -------------------------------------------------------------------------
 */

/* The next line that is not empty: its end (at the newline or the text's end), or NULL. */
static char *next_line(reader *r)
{
    while (r->at < r->end) {
        char *end = memchr(r->at, '\n', (size_t)(r->end - r->at));
        if (!end) end = r->end;
        r->line++;
        for (char *p = r->at; p < end; p++)
            if (*p != ' ' && *p != '\r' && *p != '\t') return end;
        r->at = end + (end < r->end);
    }
    return NULL;
}

/* Fields of the line at `at`, without changing it; 0: a quote is not closed. */
static uint32_t count_fields(const reader *r, const char *end)
{
    uint32_t n = 1;
    bool quoted = false;
    for (const char *p = r->at; p < end; p++) {
        if (*p == '"') quoted = !quoted;
        if (*p == r->separator && !quoted) n++;
    }
    return quoted ? 0 : n;
}

static char *trim(char *from, char *to)
{
    while (from < to && (*from == ' ' || *from == '\r' || *from == '\t')) from++;
    while (to > from && (to[-1] == ' ' || to[-1] == '\r' || to[-1] == '\t')) to--;
    *to = '\0';
    return from;
}

/* Takes the quotes out of a field, in place. */
static char *unquote(char *field)
{
    if (*field != '"') return field;
    char *to = field;
    for (const char *p = field + 1; *p && (*p != '"' || p[1] == '"'); p++) {
        if (*p == '"') p++;
        *to++ = *p;
    }
    *to = '\0';
    return field;
}

/* Cuts the line at `at` into r->columns fields, in place, and goes on to the next. */
static void cut_line(reader *r, char *end)
{
    char *p = r->at;
    for (uint32_t i = 0; i < r->columns; i++) {
        char *from = p;
        for (bool quoted = false; p < end && (*p != r->separator || quoted); p++)
            if (*p == '"') quoted = !quoted;
        char *to = p++;
        r->field[i] = unquote(trim(from, to));
    }
    r->at = end + (end < r->end);
}

static bool number(const reader *r, const char *text, double *value)
{
    char *end;
    *value = strtod_l(text, &end, r->plain);
    return end != text && *end == '\0';
}

static bool is_label(const char *text)
{
    return !strcasecmp(text, "label") || !strcasecmp(text, "class");
}

/* ---- a table ----------------------------------------------------------------------------------
 */

/* Counts rows and columns; every row must have as many. */
static rheo_status survey(reader *r, uint32_t *lines)
{
    char *start = r->at, *end = next_line(r);
    RHEO_CHECK(r->ctx, end, RHEO_FORMAT, "%s: empty, expected a table of numbers and labels",
               r->name);
    for (const char *p = r->at; p < end && !r->separator; p++)
        if (*p == ',' || *p == ';' || *p == '\t') r->separator = *p;
    for (; end; end = next_line(r)) {
        uint32_t n = count_fields(r, end);
        RHEO_CHECK(r->ctx, n > 0, RHEO_FORMAT, "%s:%u: a quote is not closed on its line; close it",
                   r->name, r->line);
        if (*lines == 0) r->columns = n;
        RHEO_CHECK(r->ctx, n > 1, RHEO_FORMAT,
                   "%s:%u: found one column, expected features and a label, separated by comma, "
                   "semicolon or tab",
                   r->name, r->line);
        RHEO_CHECK(r->ctx, n == r->columns, RHEO_FORMAT,
                   "%s:%u: found %u columns, expected %u as in the first line; correct the row",
                   r->name, r->line, n, r->columns);
        RHEO_CHECK(r->ctx, ++*lines <= RHEO_DATA_SAMPLES, RHEO_UNSUPPORTED,
                   "%s: more than %u lines; use .npy", r->name, RHEO_DATA_SAMPLES);
        r->at = end + (end < r->end);
    }
    r->at = start;
    r->line = 0;
    return RHEO_OK;
}

/* Whether the fields of the first line are names, and which column is the label's. */
static bool read_header(const reader *r, rheo_csv *csv)
{
    double value;
    bool header = false;
    csv->label_column = r->columns - 1;
    for (uint32_t i = 0; i < r->columns; i++) {
        bool label = is_label(r->field[i]);
        if (label) csv->label_column = i;
        if (label || (i + 1 < r->columns && !number(r, r->field[i], &value))) header = true;
    }
    if (header) csv->label_name = r->field[csv->label_column];
    return header;
}

static rheo_status read_row(const reader *r, rheo_csv *csv)
{
    float *x = csv->values + (size_t)csv->rows * csv->features;
    for (uint32_t i = 0; i < r->columns; i++) {
        double value;
        const char *text = r->field[i], *title = r->header ? r->header[i] : "";
        RHEO_CHECK(r->ctx, *text, RHEO_FORMAT,
                   "%s:%u: column %u%s%.40s is empty, expected a %s; correct or remove the row",
                   r->name, r->line, i + 1, *title ? " " : "", title,
                   i == csv->label_column ? "label" : "number");
        if (i == csv->label_column) {
            csv->label[csv->rows] = r->field[i];
            continue;
        }
        RHEO_CHECK(
            r->ctx, number(r, text, &value) && isfinite((float)value), RHEO_FORMAT,
            "%s:%u: column %u%s%.40s: found '%.40s', expected a finite number; correct or remove "
            "the row",
            r->name, r->line, i + 1, *title ? " " : "", title, text);
        *x++ = (float)value;
    }
    csv->rows++;
    return RHEO_OK;
}

static rheo_status read_rows(reader *r, rheo_csv *csv)
{
    uint32_t lines = 0;
    size_t values, size = sizeof(float);
    RHEO_TRY(survey(r, &lines));
    RHEO_TRY(rheo__alloc(r->ctx, r->columns, 2 * sizeof *r->field, "CSV fields", &r->field));
    csv->features = r->columns - 1;
    char *end = next_line(r);
    cut_line(r, end);
    bool header = read_header(r, csv);
    RHEO_CHECK(r->ctx, lines > header, RHEO_FORMAT,
               "%s: found a header and no rows, expected samples", r->name);
    RHEO_CHECK(r->ctx,
               rheo__mul(lines - header, csv->features, &values) &&
                   values <= RHEO_DATA_BYTES / size,
               RHEO_UNSUPPORTED, "%s: %u rows of %u features are more than %zu bytes; use .npy",
               r->name, lines, csv->features, RHEO_DATA_BYTES);
    RHEO_TRY(rheo__alloc(r->ctx, values, size, "CSV values", &csv->values));
    RHEO_TRY(rheo__alloc(r->ctx, lines, sizeof *csv->label, "CSV labels", &csv->label));
    if (header) {
        r->header = memcpy(r->field + r->columns, r->field, r->columns * sizeof *r->field);
    } else {
        RHEO_TRY(read_row(r, csv));
    }
    while ((end = next_line(r))) {
        cut_line(r, end);
        RHEO_TRY(read_row(r, csv));
    }
    return RHEO_OK;
}

rheo_status rheo__csv_parse(rheo_context *ctx, const char *name, char *text, size_t size,
                            rheo_csv *out)
{
    rheo_csv csv = {0};
    reader r = {.ctx = ctx, .name = name, .at = text, .end = text + size};
    const char *zero = memchr(text, '\0', size);
    RHEO_CHECK(ctx, !zero, RHEO_FORMAT, "%s: not text: a 0 byte at %zu, expected CSV", name,
               (size_t)(zero - text));
    if (size >= 3 && !memcmp(text, "\xEF\xBB\xBF", 3)) r.at += 3; /* UTF-8's mark */
    r.plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    RHEO_CHECK(ctx, r.plain, RHEO_MEMORY, "%s: out of memory for a locale", name);
    rheo_status status = read_rows(&r, &csv);
    freelocale(r.plain);
    rheo__release(ctx, r.field);
    if (status)
        rheo__csv_free(ctx, &csv);
    else
        *out = csv;
    return status;
}

void rheo__csv_free(rheo_context *ctx, rheo_csv *csv)
{
    rheo__release(ctx, csv->values);
    rheo__release(ctx, csv->label);
    *csv = (rheo_csv){0};
}

/* ---- classes ----------------------------------------------------------------------------------
 */

static bool integer(const char *text, long *value)
{
    char *end;
    *value = strtol(text, &end, 10);
    return end != text && *end == '\0' && end - text < 10;
}

static int by_number(const void *a, const void *b)
{
    long x = 0, y = 0;
    integer(*(const char *const *)a, &x);
    integer(*(const char *const *)b, &y);
    return x != y ? (x > y) - (x < y) : strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Position in names [n], sorted by text; *found says whether it is there or belongs there. */
static uint32_t place(const char **names, uint32_t n, const char *text, bool *found)
{
    uint32_t low = 0, high = n;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (strcmp(names[middle], text) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *found = low < n && !strcmp(names[low], text);
    return low;
}

rheo_status rheo__csv_classes(rheo_context *ctx, const char *name, char *const *label, uint32_t n,
                              const char **names, uint32_t *classes, uint32_t *out)
{
    uint32_t count = 0, rank[RHEO_DATA_CLASSES] = {0};
    const char *sorted[RHEO_DATA_CLASSES] = {NULL};
    bool found, numbers = true;
    long value;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = place(sorted, count, label[i], &found);
        if (found) continue;
        RHEO_CHECK(ctx, count < RHEO_DATA_CLASSES, RHEO_FORMAT,
                   "%s: more than %u different labels; is the label in the last column, or in one "
                   "named 'label' or 'class'?",
                   name, RHEO_DATA_CLASSES);
        memmove(sorted + at + 1, sorted + at, (count++ - at) * sizeof *sorted);
        sorted[at] = label[i];
        numbers = numbers && integer(label[i], &value);
    }
    memcpy(names, sorted, count * sizeof *names);
    qsort(names, count, sizeof *names, numbers ? by_number : by_text);
    for (uint32_t i = 0; i < count; i++) rank[place(sorted, count, names[i], &found)] = i;
    for (uint32_t i = 0; i < n; i++) out[i] = rank[place(sorted, count, label[i], &found)];
    *classes = count;
    return RHEO_OK;
}

/* ---- a data set -------------------------------------------------------------------------------
 */

typedef struct table {
    char path[RHEO_PATH], *text;
    size_t size;
    rheo_csv csv;
} table;

static rheo_status read_table(rheo_dataset *data, table *t)
{
    char sha256[65];
    RHEO_TRY(rheo__file_read(data->ctx, t->path, RHEO_DATA_BYTES, &t->text, &t->size));
    rheo__sha256(t->text, t->size, sha256);
    rheo__data_file(data, t->path, sha256, false);
    return rheo__csv_parse(data->ctx, t->path, t->text, t->size, &t->csv);
}

static rheo_status join(rheo_dataset *data, const table *t, rheo_parts *parts)
{
    const char **names = NULL;
    char **label = NULL;
    const rheo_csv *a = &t[0].csv, *b = &t[1].csv; /* b has no rows when the test is cut */
    RHEO_CHECK(data->ctx, b->rows == 0 || a->features == b->features, RHEO_SHAPE,
               "%s: %u features, but %u in %s; give files that belong together", t[1].path,
               b->features, a->features, t[0].path);
    RHEO_CHECK(data->ctx, a->rows > (b->rows == 0), RHEO_FORMAT,
               "%s: one sample, expected some for training and some for test", t[0].path);
    *parts = (rheo_parts){.train = a->rows, .test = b->rows, .cut = b->rows == 0};
    data->features = data->shape[0] = a->features;
    data->shape[1] = data->shape[2] = 1;
    data->total = a->rows + b->rows;
    RHEO_TRY(rheo__data_room(data, sizeof(float)));
    float *x = data->memory[RHEO_MEMORY_X];
    data->values = x;
    size_t first = (size_t)a->rows * a->features;
    memcpy(x, a->values, first * sizeof *x);
    if (b->rows) memcpy(x + first, b->values, (size_t)b->rows * b->features * sizeof *x);
    RHEO_TRY(
        rheo__alloc(data->ctx, data->total + RHEO_DATA_CLASSES, sizeof *label, "labels", &label));
    names = (const char **)(label + data->total);
    memcpy(label, a->label, a->rows * sizeof *label);
    if (b->rows) memcpy(label + a->rows, b->label, b->rows * sizeof *label);
    rheo_status status = rheo__csv_classes(data->ctx, t[0].path, label, data->total, names,
                                           &data->classes, data->label);
    if (!status) status = rheo__data_names(data, names, data->classes);
    rheo__release(data->ctx, label);
    return status;
}

static rheo_status read_tables(rheo_dataset *data, const char *path, table *t, rheo_parts *parts)
{
    RHEO_TRY(rheo__join(data->ctx, path, "train.csv", t[0].path));
    RHEO_TRY(rheo__join(data->ctx, path, "test.csv", t[1].path));
    bool folder = rheo__file_exists(t[0].path);
    if (!folder) snprintf(t[0].path, RHEO_PATH, "%s", path);
    RHEO_TRY(read_table(data, &t[0]));
    if (folder) RHEO_TRY(read_table(data, &t[1]));
    return join(data, t, parts);
}

rheo_status rheo__read_csv(rheo_dataset *data, const char *path, rheo_parts *parts)
{
    table *t = NULL;
    RHEO_TRY(rheo__alloc(data->ctx, 2, sizeof *t, "CSV files", &t));
    rheo_status status = read_tables(data, path, t, parts);
    for (int i = 0; i < 2; i++) {
        rheo__csv_free(data->ctx, &t[i].csv);
        rheo__release(data->ctx, t[i].text);
    }
    rheo__release(data->ctx, t);
    return status;
}
