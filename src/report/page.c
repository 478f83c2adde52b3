/* page.c: the report: one HTML file that needs no server and no network, for a phone, for print, in
 * light and dark. This file: what was compared, the table, accuracy against time and operations.
 * Equal run folders give equal bytes: no date goes in. */
#include "report/page.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const css[] = {
#include "report/page_css.inc"
};

void rheo__page_section(const rheo_page *page, const char *id, const char *title, const char *text)
{
    rheo__text_add(page->out, "<h2 id=\"%s\">%s</h2>\n", id, title);
    if (text) rheo__text_add(page->out, "<p>%s</p>\n", text);
}

void rheo__page_figure(const rheo_page *page, rheo_draw_fn *draw, const void *arg,
                       const char *caption)
{
    rheo__text_add(page->out, "<figure><div class=\"wide\">");
    draw(page, 1000, false, arg);
    rheo__text_add(page->out, "</div><div class=\"narrow\">");
    draw(page, 372, true, arg);
    rheo__text_add(page->out, "</div>");
    if (caption) rheo__text_add(page->out, "<figcaption>%s</figcaption>", caption);
    rheo__text_add(page->out, "</figure>\n");
}

uint32_t rheo__page_numbers(const rheo_page *page, const cJSON *json, const char *path, double **x)
{
    uint32_t n = 0;
    *x = NULL;
    if (page->out->status) return 0;
    page->out->status = rheo__numbers_at(page->ctx, json, path, x, &n);
    return n;
}

static void mark(const rheo_page *page, uint32_t family)
{
    rheo__text_add(page->out, "<svg viewBox=\"-9 -9 18 18\" aria-hidden=\"true\">");
    rheo__svg_family(page->out, family, NULL);
    rheo__svg_mark(page->out, family, 0, 0);
    rheo__text_add(page->out, "</g></svg>");
}

void rheo__page_name(const rheo_page *page, uint32_t row)
{
    rheo__text_add(page->out, "<th scope=\"row\" class=\"f%u\"><span class=\"name\">",
                   page->track[row].family);
    rheo__escape(page->out, page->track[row].label);
    rheo__text_add(page->out, "</span>");
}

/* ---- tracks ---- */

static void read_track(const rheo_page *page, uint32_t row)
{
    rheo_track *t = &page->track[row];
    const cJSON *json = page->rows[row].json;
    char work[32];
    rheo__row_label(page->rows, page->count, row, t->label);
    t->family = rheo__row_family(&page->rows[row]);
    for (uint32_t r = 0; r < row; r++) t->dash += page->track[r].family == t->family;
    t->n = rheo__page_numbers(page, json, "accuracy_by_step", &t->accuracy);
    uint32_t operations = rheo__page_numbers(page, json, "operations_by_step", &t->operations);
    double steps = rheo__number_at(json, "steps"), mean = rheo__number_at(json, "accuracy.mean");
    double all = rheo__number_at(json, "synaptic_operations") + rheo__number_at(json, "macs");
    /* without a curve (or with one that does not match) there is the end of it */
    if (page->out->status) return;
    if (t->n == 0 || operations != t->n) {
        rheo__release(page->ctx, t->accuracy);
        rheo__release(page->ctx, t->operations);
        t->accuracy = t->operations = NULL;
        t->n = 0;
        page->out->status = rheo__alloc(page->ctx, 1, sizeof(double), "a curve", &t->accuracy);
        if (page->out->status) return;
        page->out->status = rheo__alloc(page->ctx, 1, sizeof(double), "a curve", &t->operations);
        if (page->out->status) return;
        t->n = 1;
        t->accuracy[0] = mean;
        t->operations[0] = all;
    }
    page->out->status = rheo__alloc(page->ctx, t->n, sizeof(double), "a curve", &t->step);
    for (uint32_t i = 0; i < t->n && t->step; i++) t->step[i] = i + 1;
    if (t->n == 1 && t->step) t->step[0] = steps >= 1 ? steps : 1;
    rheo__human(t->operations[t->n - 1], work);
    snprintf(t->title, sizeof t->title, "%s: %.2f %% after %.0f step%s, %s operations a sample",
             t->label, mean, t->n == 1 ? steps : t->n, t->n == 1 && !(steps > 1) ? "" : "s", work);
}

static void free_tracks(const rheo_page *page)
{
    for (uint32_t r = 0; page->track && r < page->count; r++) {
        rheo__release(page->ctx, page->track[r].step);
        rheo__release(page->ctx, page->track[r].accuracy);
        rheo__release(page->ctx, page->track[r].operations);
    }
    rheo__release(page->ctx, page->track);
}

/* ---- head ---- */

static void finding(const rheo_page *page, const char *value, const char *what, uint32_t row)
{
    rheo__text_add(page->out, "<li class=\"f%u\"><span>%s</span><b>", page->track[row].family,
                   what);
    rheo__escape(page->out, value);
    rheo__text_add(page->out, "</b>");
    rheo__escape(page->out, page->track[row].label);
    rheo__text_add(page->out, "</li>\n");
}

/* The row with the largest (sign 1) or smallest (-1) of a figure; count when no row has it. */
static uint32_t extreme(const rheo_page *page, const char *path, double sign)
{
    uint32_t best = page->count;
    for (uint32_t r = 0; r < page->count; r++) {
        double x = sign * rheo__number_at(page->rows[r].json, path);
        double than =
            best < page->count ? sign * rheo__number_at(page->rows[best].json, path) : NAN;
        if (!isnan(x) && !(x <= than)) best = r;
    }
    return best;
}

static void findings(const rheo_page *page)
{
    static const struct {
        const char *what, *path, *unit;
        double sign;
    } list[] = {{"Most accurate", "accuracy.mean", " %", 1},
                {"Least energy a sample", "energy_nj", " nJ", -1},
                {"Soonest to decide", "steps_to_decision", " steps", -1},
                {"Fewest spikes a neuron", "spikes_per_neuron", "", -1}};
    if (page->count < 2) return;
    rheo__text_add(page->out, "<ul class=\"findings\">\n");
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        uint32_t r = extreme(page, list[i].path, list[i].sign);
        if (r == page->count) continue;
        double x = rheo__number_at(page->rows[r].json, list[i].path);
        char number[32], text[64];
        if (i == 0)
            snprintf(number, sizeof number, "%.2f", x);
        else
            rheo__human(x, number);
        bool one = strcmp(list[i].unit, " steps") == 0 && x == 1;
        snprintf(text, sizeof text, "%s%s", number, one ? " step" : list[i].unit);
        finding(page, text, list[i].what, r);
    }
    rheo__text_add(page->out, "</ul>\n");
}

/* "a", "a, b" of the different texts of all rows */
static void distinct(const rheo_page *page, const char *path)
{
    for (uint32_t r = 0, n = 0; r < page->count; r++) {
        const char *text = rheo__text_at(page->rows[r].json, path);
        bool seen = !*text;
        for (uint32_t q = 0; q < r; q++)
            seen = seen || strcmp(rheo__text_at(page->rows[q].json, path), text) == 0;
        if (seen) continue;
        rheo__text_add(page->out, n++ ? ", " : "");
        rheo__escape(page->out, text);
    }
}

static void head(const rheo_page *page)
{
    rheo_text *out = page->out;
    int seeds = 0, least = 1 << 30;
    for (uint32_t r = 0; r < page->count; r++) {
        int n = cJSON_GetArraySize(rheo__at(page->rows[r].json, "accuracy.each"));
        seeds = n > seeds ? n : seeds;
        least = n < least ? n : least;
    }
    rheo__text_add(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
                        "<title>Spiking networks compared: ");
    distinct(page, "data");
    rheo__text_add(out, "</title>\n<style>\n");
    rheo__svg_colours(out);
    rheo__svg_style(out, true);
    for (size_t i = 0; i < sizeof css / sizeof css[0]; i++) rheo__text_add(out, "%s", css[i]);
    rheo__text_add(out,
                   "</style>\n</head>\n<body>\n<main>\n<h1>Spiking networks compared</h1>\n"
                   "<p class=\"lede\">%u system%s on ",
                   page->count, page->count == 1 ? "" : "s");
    distinct(page, "data");
    rheo__text_add(out, ", size ");
    distinct(page, "size");
    rheo__text_add(out,
                   ", %s%d seed%s each: how accurate they are, what they cost, and how well they "
                   "suit hardware.</p>\n",
                   seeds > least ? "up to " : "", seeds, seeds == 1 ? "" : "s");
    findings(page);
}

static void family_list(const rheo_page *page)
{
    rheo_text *out = page->out;
    rheo__page_section(page, "compared", "What was compared",
                       "Deep networks of spiking neurons are trained in five ways. Colour and mark "
                       "stand for the family throughout this page.");
    rheo__text_add(out, "<ul class=\"families\">\n");
    for (uint32_t f = 0; rheo__family_at(f); f++) {
        uint32_t n = 0;
        rheo__text_add(out, "<li class=\"f%u\">", f);
        mark(page, f);
        rheo__text_add(out, "<b>%s</b>%s", rheo__family_at(f)->title, rheo__family_at(f)->sentence);
        for (uint32_t r = 0; r < page->count; r++) {
            if (page->track[r].family != f) continue;
            rheo__text_add(out, n++ ? ", <code>" : "<br><code>");
            rheo__escape(out, page->track[r].label);
            rheo__text_add(out, "</code>");
        }
        rheo__text_add(out, n ? "</li>\n"
                              : "<br><span class=\"quiet\">not in this comparison</span></li>\n");
    }
    rheo__text_add(out, "</ul>\n");
}

/* ---- the table ---- */

static void table_cell(const rheo_page *page, uint32_t r, uint32_t column)
{
    char cell[RHEO_CELL];
    rheo_text *out = page->out;
    const cJSON *json = page->rows[r].json;
    rheo__cell(page->rows, page->count, r, column, cell);
    const char *verdict = column == RHEO_COLUMN_VERDICT ? rheo__text_at(json, "verdict") : "";
    const char *class = rheo__column_is_number(column)    ? "n"
                        : strcmp(verdict, "reached") == 0 ? "reached"
                        : strcmp(verdict, "short") == 0   ? "short"
                                                          : "";
    rheo__text_add(out, "<td class=\"%s\">", class);
    rheo__escape(out, cell);
    double low = rheo__number_at(json, "accuracy.interval.0");
    double high = rheo__number_at(json, "accuracy.interval.1");
    int seeds = cJSON_GetArraySize(rheo__at(json, "accuracy.each"));
    if (column == RHEO_COLUMN_ACCURACY && !isnan(low + high))
        rheo__text_add(out, "<small>%.2f – %.2f</small>", low, high);
    if (column == RHEO_COLUMN_ACCURACY)
        rheo__text_add(out, "<small>%d seed%s</small>", seeds, seeds == 1 ? "" : "s");
    double source = rheo__number_at(json, "accuracy.source_rule");
    if (column == RHEO_COLUMN_REPORTED && !isnan(source) &&
        !isnan(rheo__number_at(json, "reported")))
        rheo__text_add(out, "<small>here %.2f by its rule</small>", source);
    double accept = rheo__number_at(json, "accept");
    if (column == RHEO_COLUMN_VERDICT && !isnan(accept))
        rheo__text_add(out, "<small>of %.6g %%</small>", accept);
    rheo__text_add(out, "</td>");
}

static void table(const rheo_page *page)
{
    rheo_text *out = page->out;
    rheo__page_section(page, "table", "The table",
                       "Accuracy is that of the last epoch on the test set; a tie counts as wrong. "
                       "Under it stands the 95&nbsp;% interval: by Student’s t over seeds, or "
                       "Wilson’s over the test samples when there is one seed.");
    rheo__text_add(out, "<div class=\"scroll\"><table>\n<thead><tr>");
    for (uint32_t c = 0; c < RHEO_COLUMNS; c++) {
        /* family and network stand under the name: the table is broad enough */
        if (c == RHEO_COLUMN_FAMILY || c == RHEO_COLUMN_NETWORK) continue;
        rheo__text_add(out, "<th scope=\"col\"%s>%s</th>",
                       rheo__column_is_number(c) ? " class=\"n\"" : "",
                       c == RHEO_COLUMN_SPIKES ? "spikes<wbr>/neuron" : rheo__column_names[c]);
    }
    rheo__text_add(out, "</tr></thead>\n<tbody>\n");
    for (uint32_t r = 0; r < page->count; r++) {
        rheo__text_add(out, "<tr>");
        rheo__page_name(page, r);
        rheo__text_add(out, "<small>");
        rheo__escape(out, rheo__text_at(page->rows[r].json, "family"));
        rheo__text_add(out, "</small><small>");
        rheo__escape(out, rheo__text_at(page->rows[r].json, "network"));
        rheo__text_add(out, "</small></th>");
        for (uint32_t c = RHEO_COLUMN_STEPS; c < RHEO_COLUMNS; c++) table_cell(page, r, c);
        rheo__text_add(out, "</tr>\n");
    }
    rheo__text_add(
        out,
        "</tbody></table></div>\n<p class=\"quiet\">Spikes, operations and energy are for one "
        "sample. "
        "SynOps: a spike times the synapses it drives. MACs (same net): multiply-accumulates of "
        "one "
        "pass through the same net without spikes. Decision: the first step from which accuracy "
        "stays "
        "within one point of the last. On chip: learning needs nothing that is not at the synapse. "
        "Reported: what the source states for the same data. Verdict: against what this project "
        "promises for the same data and size.</p>\n");
}

/* ---- accuracy against time and operations ---- */

static void draw_time(const rheo_page *page, double width, bool narrow, const void *arg)
{
    (void)arg;
    rheo_curve curves[RHEO_CURVES];
    uint32_t count = page->count < RHEO_CURVES ? page->count : RHEO_CURVES;
    double most = 1;
    for (uint32_t r = 0; r < count; r++) {
        const rheo_track *t = &page->track[r];
        curves[r] =
            (rheo_curve){t->label, t->title, t->step, t->accuracy, t->n, t->family, t->dash, false};
        most = fmax(most, t->step[t->n - 1]);
    }
    rheo_chart chart = {.label = "Accuracy against time, one curve a system",
                        .width = width,
                        .height = narrow ? 300 : 440,
                        .x = {"time step (logarithmic)", 0.8, most * 1.5, true, false},
                        .y = {"accuracy %", 0, 100, false, false},
                        .legend = narrow};
    rheo__chart(page->out, &chart, curves, count);
}

typedef struct rheo_front {
    double x[2 * RHEO_CURVES], y[2 * RHEO_CURVES];
    uint32_t n;
    double low_x, high_x, low_y;
} rheo_front;

/* The systems that no other beats in both, by rising operations, as a stair. */
static void find_front(const rheo_page *page, uint32_t count, rheo_front *front)
{
    double reached = -1, after = 0;
    *front = (rheo_front){.low_x = INFINITY, .low_y = 100};
    for (uint32_t r = 0; r < count; r++) {
        const rheo_track *t = &page->track[r];
        double x = t->operations[t->n - 1];
        if (!(x > 0)) continue;
        front->low_x = fmin(front->low_x, x);
        front->high_x = fmax(front->high_x, x);
        front->low_y = fmin(front->low_y, t->accuracy[t->n - 1]);
    }
    for (;;) {
        double x = INFINITY, y = reached;
        for (uint32_t r = 0; r < count; r++) {
            const rheo_track *t = &page->track[r];
            double ops = t->operations[t->n - 1], accuracy = t->accuracy[t->n - 1];
            if (ops > after && accuracy > reached && (ops < x || (ops == x && accuracy > y))) {
                x = ops;
                y = accuracy;
            }
        }
        if (isinf(x)) break;
        if (front->n) {
            front->x[front->n] = x;
            front->y[front->n++] = reached;
        }
        front->x[front->n] = x;
        front->y[front->n++] = y;
        reached = y;
        after = x;
    }
}

static void draw_pareto(const rheo_page *page, double width, bool narrow, const void *arg)
{
    const rheo_front *front = arg;
    rheo_curve curves[RHEO_CURVES];
    uint32_t count = page->count < RHEO_CURVES ? page->count : RHEO_CURVES - 1;
    curves[0] = (rheo_curve){.x = front->x,
                             .y = front->y,
                             .n = front->n,
                             .family = 5,
                             .title = "no system here is both better and cheaper"};
    for (uint32_t r = 0; r < count; r++) {
        const rheo_track *t = &page->track[r];
        curves[r + 1] =
            (rheo_curve){t->label, t->title, t->operations, t->accuracy, t->n, t->family, 0, true};
    }
    double low = front->low_x, high = front->high_x;
    for (uint32_t r = 0; r < count; r++) /* the ways there, but not their first steps at no cost */
        for (uint32_t i = 0; i < page->track[r].n; i++)
            if (page->track[r].operations[i] > 0) low = fmin(low, page->track[r].operations[i]);
    low = fmax(low, front->low_x / 100);
    rheo_chart chart = {
        .label = "Accuracy against operations a sample, one point a system",
        .width = width,
        .height = narrow ? 300 : 440,
        .x = {"operations a sample (logarithmic)", low / 1.6, high * 2, true, false},
        .y = {"accuracy %", 0, 100, false, false},
        .legend = narrow};
    rheo__chart(page->out, &chart, curves, count + 1);
}

static void accuracy_charts(const rheo_page *page)
{
    rheo_front front;
    rheo__page_section(page, "time", "Accuracy against time",
                       "A spiking network answers before it has finished: what it would have said "
                       "after each step. A system of one step is a point.");
    rheo__page_figure(
        page, draw_time, NULL,
        "The mark is the system’s last step. Test accuracy by the recipe’s read-out.");
    uint32_t count = page->count < RHEO_CURVES ? page->count : RHEO_CURVES - 1;
    find_front(page, count, &front);
    if (front.n == 0) return;
    rheo__page_section(page, "operations", "Accuracy against operations",
                       "Up is better, left is cheaper. The dotted stair joins the systems that no "
                       "other beats in both; the thin line is a system’s way there over time.");
    rheo__page_figure(page, draw_pareto, &front,
                      "Operations: synaptic operations and multiply-accumulates of one sample, "
                      "counted, not estimated. A binary operation counts as one as well.");
}

void rheo__page(rheo_context *ctx, const rheo_row *rows, uint32_t count, const char *command,
                rheo_text *out)
{
    rheo_page page = {ctx, out, rows, count, NULL, command};
    if (!out->ctx) out->ctx = ctx;
    if (!out->status)
        out->status = rheo__alloc(ctx, count, sizeof *page.track, "the page", &page.track);
    for (uint32_t r = 0; r < count && !out->status; r++) read_track(&page, r);
    if (!out->status) {
        head(&page);
        family_list(&page);
        table(&page);
        accuracy_charts(&page);
        rheo__page_costs(&page);
        rheo__page_hardware(&page);
        rheo__page_training(&page);
        rheo__page_inside(&page);
        rheo__page_confusion(&page);
        rheo__page_variants(&page);
        rheo__page_reproduce(&page);
        rheo__text_add(out,
                       "<footer>Made by rheobase %s from run folders and nothing else.</footer>\n"
                       "</main>\n</body>\n</html>\n",
                       rheo_version());
    }
    free_tracks(&page);
}
