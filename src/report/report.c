/* report.c: rheo_report: run folders in, one file out: the page, or the table as Markdown, CSV or
 * JSON, by the ending of its name. */
#include <rheobase/recipe.h>

#include "base/file.h"
#include "report/report.h"

#include <string.h>

enum { PAGE = -1 };
static const struct {
    const char *ending;
    int table;
} endings[] = {{".html", PAGE},
               {".md", RHEO_TABLE_MARKDOWN},
               {".csv", RHEO_TABLE_CSV},
               {".json", RHEO_TABLE_JSON}};

static rheo_status kind_of(rheo_context *ctx, const char *out, int *kind)
{
    size_t length = strlen(out);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t n = strlen(endings[i].ending);
        if (length <= n || strcmp(out + length - n, endings[i].ending) != 0) continue;
        *kind = endings[i].table;
        return RHEO_OK;
    }
    return rheo__fail(ctx, RHEO_USAGE,
                      "%s: the name of a report ends with .html (the page), .md, .csv or .json "
                      "(the table)",
                      out);
}

rheo_status rheo_report(rheo_context *ctx, const char *const *folders, const char *out)
{
    rheo_row *rows = NULL;
    uint32_t count = 0, row_count = 0;
    int kind = PAGE;
    RHEO_TRY(kind_of(ctx, out, &kind));
    rheo_text text = {.ctx = ctx}, command = {.ctx = ctx};
    rheo__text_add(&command, "rheobase report");
    for (; folders[count]; count++) rheo__text_add(&command, " %s", folders[count]);
    rheo_status status = command.status;
    if (!status) status = rheo__rows_read(ctx, folders, count, &rows, &row_count);
    if (!status && kind == PAGE) rheo__page(ctx, rows, row_count, command.data, &text);
    if (!status && kind != PAGE) rheo__table(rows, row_count, (rheo_table_kind)kind, &text);
    if (!status) status = text.status;
    if (!status) status = rheo__file_write(ctx, out, text.data, text.size);
    rheo__rows_free(ctx, rows, row_count);
    rheo__text_free(&text);
    rheo__text_free(&command);
    return status;
}
