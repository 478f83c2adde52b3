/* row.h: what report/ knows of runs, inside. A row keeps its runs' documents as they were read and
 * one merged document, which is also its element in table.json; tables and pages ask that one by
 * path, so a figure has one source. */
#ifndef RHEO_SRC_REPORT_ROW_H
#define RHEO_SRC_REPORT_ROW_H
#include "report/report.h"

#include <cjson/cJSON.h>

#define RHEO_RUN_LIMIT (64u << 20) /* bytes of one file of a run folder */

typedef struct rheo_folder {
    char *folder;     /* or the file, when a result.json was named itself */
    char settings[9]; /* HASH8 of the folder's name, "" when there is none */
    double seed;
    cJSON *result, *manifest; /* manifest: NULL when there is none */
} rheo_folder;

struct rheo_row {
    cJSON *json; /* merged */
    uint32_t runs;
    rheo_folder *run; /* by seed, rising */
};

/* One run folder; *out is to be freed with rheo__run_free. */
rheo_status rheo__run_read(rheo_context *ctx, const char *folder, rheo_folder *out);
void rheo__run_free(rheo_context *ctx, rheo_folder *run);

/* "train.seconds", "accuracy.interval.0" -> item, NULL when absent or null */
const cJSON *rheo__at(const cJSON *json, const char *path);
double rheo__number_at(const cJSON *json, const char *path);    /* NaN when absent */
const char *rheo__text_at(const cJSON *json, const char *path); /* "" when absent */
/* The numbers of an array (null: NaN), to be released; count 0 when absent. */
rheo_status rheo__numbers_at(rheo_context *ctx, const cJSON *json, const char *path, double **out,
                             uint32_t *count);

/* Half the width of the 95 % interval of a mean of n >= 2 by Student's t. */
double rheo__t_half_width(double sd, uint32_t n);

/* Families in the order of the tables: name, what they are, colours. index past the last: NULL. */
typedef struct rheo_family {
    const char *name, *title, *sentence;
    const char *light, *dark;         /* of lines and areas */
    const char *light_ink, *dark_ink; /* of text: more contrast */
} rheo_family;
const rheo_family *rheo__family_at(uint32_t index);
/* Index of the row's family; the count of families when it is none of them. */
uint32_t rheo__row_family(const rheo_row *row);

/* 1234567 -> "1.23 M"; NaN -> "–" */
void rheo__human(double value, char out[32]);
/* The cell of a column of the short table; see table.c. */
enum {
    RHEO_COLUMN_SYSTEM,
    RHEO_COLUMN_FAMILY,
    RHEO_COLUMN_NETWORK,
    RHEO_COLUMN_STEPS,
    RHEO_COLUMN_ACCURACY,
    RHEO_COLUMN_SPIKES,
    RHEO_COLUMN_SYNOPS,
    RHEO_COLUMN_MACS,
    RHEO_COLUMN_ENERGY,
    RHEO_COLUMN_DECISION,
    RHEO_COLUMN_TRAIN,
    RHEO_COLUMN_ON_CHIP,
    RHEO_COLUMN_REPORTED,
    RHEO_COLUMN_VERDICT,
    RHEO_COLUMNS
};
extern const char *const rheo__column_names[RHEO_COLUMNS];
bool rheo__column_is_number(uint32_t column);
#define RHEO_CELL 160
void rheo__cell(const rheo_row *rows, uint32_t count, uint32_t row, uint32_t column,
                char out[RHEO_CELL]);
/* The system's name; with its settings, data or size where rows differ in them. */
void rheo__row_label(const rheo_row *rows, uint32_t count, uint32_t row, char out[RHEO_CELL]);

/* metrics.csv of a run by column name (NaN: empty); *count 0 when there is no such file. */
typedef struct rheo_history {
    uint32_t count;
    double *loss, *train, *validation; /* one block, release `loss` */
} rheo_history;
rheo_status rheo__metrics_read(rheo_context *ctx, const rheo_folder *run, rheo_history *out);
#endif
