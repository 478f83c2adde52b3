/* page.h: the page's parts, in three files: what compares the systems (page.c), their costs
 * (page_cost.c), and what shows each (page_parts.c). */
#ifndef RHEO_SRC_REPORT_PAGE_H
#define RHEO_SRC_REPORT_PAGE_H
#include "report/chart.h"
#include "report/row.h"

/* A system's way through time; x, y, operations have n numbers, one a step. */
typedef struct rheo_track {
    char label[RHEO_CELL], title[320];
    uint32_t n, family, dash; /* dash: which of its family */
    double *step, *accuracy, *operations;
} rheo_track;

typedef struct rheo_page {
    rheo_context *ctx;
    rheo_text *out;
    const rheo_row *rows;
    uint32_t count;
    rheo_track *track; /* [count] */
    const char *command;
} rheo_page;

/* An SVG for broad and one for narrow windows, drawn by draw(page, width, narrow, arg). */
typedef void rheo_draw_fn(const rheo_page *page, double width, bool narrow, const void *arg);
void rheo__page_figure(const rheo_page *page, rheo_draw_fn *draw, const void *arg,
                       const char *caption);
void rheo__page_section(const rheo_page *page, const char *id, const char *title, const char *text);
/* The family's mark and the system's name, as the first cell of a table's line. */
void rheo__page_name(const rheo_page *page, uint32_t row);
/* Calls numbers_at; an error stays in out->status and gives n = 0. */
uint32_t rheo__page_numbers(const rheo_page *page, const cJSON *json, const char *path, double **x);

void rheo__page_training(const rheo_page *page);
void rheo__page_inside(const rheo_page *page);
void rheo__page_confusion(const rheo_page *page);
void rheo__page_variants(const rheo_page *page);
void rheo__page_costs(const rheo_page *page);
void rheo__page_hardware(const rheo_page *page);
void rheo__page_reproduce(const rheo_page *page);

/* result.json's confusion matrix; false when it has none that is square */
bool rheo__confusion_of(rheo_text *out, const cJSON *json, const char *label, uint32_t family,
                        bool alone);
/* metrics.csv of a run as one chart; false when it has no figures */
bool rheo__training_chart(rheo_text *out, const rheo_history *m, const char *label, uint32_t family,
                          double width, bool alone);
#endif
