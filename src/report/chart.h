/* chart.h: drawings of the report: curves and points on two axes, bars, confusion matrices, and
 * what figures.npz holds. All write one <svg>; errors stay in out->status. */
#ifndef RHEO_SRC_CHART_H
#define RHEO_SRC_CHART_H
#include "array/npy.h"
#include "report/svg.h"

#define RHEO_CURVES 128

typedef struct rheo_axis {
    const char *title;
    double low, high; /* made round outwards on a linear axis */
    bool log, whole;  /* whole: ticks at whole numbers only */
} rheo_axis;

/* n points, NaN is skipped. The last one is marked and labelled. family past the last: grey. */
typedef struct rheo_curve {
    const char *label, *title; /* label NULL: the front, quiet and without a mark */
    const double *x, *y;
    uint32_t n, family, dash;
    bool thin;
} rheo_curve;

typedef struct rheo_chart {
    const char *label;    /* what it shows */
    double width, height; /* of the axes with their labels */
    rheo_axis x, y;
    bool legend; /* names below the axes instead of beside the ends of the curves */
    bool alone;  /* a file of its own */
} rheo_chart;
void rheo__chart(rheo_text *out, const rheo_chart *chart, const rheo_curve *curves, uint32_t count);

typedef struct rheo_bar {
    const char *label, *value;
    double x, tick; /* tick: a second figure to compare with, NaN: none */
    uint32_t family;
} rheo_bar;
/* On a logarithmic axis, a label above each bar. */
void rheo__bars(rheo_text *out, const rheo_chart *chart, const rheo_bar *bars, uint32_t count);

/* counts [classes, classes], the row is the label; shades are shares of a row. names: may be NULL
 */
void rheo__confusion(rheo_text *out, const char *label, const double *counts, uint32_t classes,
                     const char *const *names, uint32_t family, bool alone);

/* From figures.npz; false, and nothing drawn, when it holds no such figure. */
bool rheo__raster(rheo_text *out, const rheo_array *arrays, uint32_t count, uint32_t family,
                  double width, bool alone);
bool rheo__membrane(rheo_text *out, const rheo_array *arrays, uint32_t count, uint32_t family,
                    double width, bool alone);
bool rheo__fields(rheo_text *out, const rheo_array *arrays, uint32_t count, double width,
                  bool alone);
bool rheo__sample(rheo_text *out, const rheo_array *arrays, uint32_t count);
#endif
