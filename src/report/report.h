/* report.h: tables, plots and the page, made from run folders and from nothing else. */
#ifndef RHEO_SRC_REPORT_H
#define RHEO_SRC_REPORT_H
#include "base/text.h"

/* The runs of one system (all seeds found), merged: one row. Reads result.json of each folder. */
typedef struct rheo_row rheo_row;
rheo_status rheo__rows_read(rheo_context *ctx, const char *const *folders, uint32_t count,
                            rheo_row **rows, uint32_t *row_count);
void rheo__rows_free(rheo_context *ctx, rheo_row *rows, uint32_t count);
typedef enum {
    RHEO_TABLE_TERMINAL,
    RHEO_TABLE_MARKDOWN,
    RHEO_TABLE_CSV,
    RHEO_TABLE_JSON
} rheo_table_kind;
void rheo__table(const rheo_row *rows, uint32_t count, rheo_table_kind kind, rheo_text *out);
/* command: the line that made it, for "how to reproduce". */
void rheo__page(rheo_context *ctx, const rheo_row *rows, uint32_t count, const char *command,
                rheo_text *out);
#endif
