/* report.c: rheo_report: run folders in, one page out. */
#include <rheobase/recipe.h>

#include "base/file.h"
#include "report/report.h"

#include <string.h>

rheo_status rheo_report(rheo_context *ctx, const char *const *folders, const char *out)
{
    rheo_row *rows = NULL;
    uint32_t count = 0, row_count = 0;
    size_t n = strlen(out);
    RHEO_CHECK(ctx, n > 5 && strcmp(out + n - 5, ".html") == 0, RHEO_USAGE,
               "%s: the name of a report ends with .html", out);
    rheo_text page = {.ctx = ctx}, command = {.ctx = ctx};
    rheo__text_add(&command, "rheobase report");
    for (; folders[count]; count++) rheo__text_add(&command, " %s", folders[count]);
    rheo_status status = command.status;
    if (!status) status = rheo__rows_read(ctx, folders, count, &rows, &row_count);
    if (!status) {
        rheo__page(ctx, rows, row_count, command.data, &page);
        status = page.status;
    }
    if (!status) status = rheo__file_write(ctx, out, page.data, page.size);
    rheo__rows_free(ctx, rows, row_count);
    rheo__text_free(&page);
    rheo__text_free(&command);
    return status;
}
