/* page_parts.c: the parts of the page that show each system: training, spikes and
 * weights, confusions, variants, and how to make it all again. Of several seeds the first is drawn.
 */
#include "report/page.h"

#include "base/file.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- training ---- */

static bool any(const double *x, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (isfinite(x[i])) return true;
    return false;
}

bool rheo__training_chart(rheo_text *out, const rheo_history *m, const char *label, uint32_t family,
                          double width, bool alone)
{
    bool train = any(m->train, m->count), validation = any(m->validation, m->count);
    bool loss = !train && !validation && any(m->loss, m->count);
    rheo_curve curve[2];
    uint32_t curves = 0;
    double *epoch = NULL, high = 0;
    if (out->status || (!train && !validation && !loss)) return false;
    out->status = rheo__alloc(out->ctx, m->count, sizeof(double), "a curve", &epoch);
    if (out->status) return false;
    for (uint32_t i = 0; i < m->count; i++) {
        epoch[i] = i + 1;
        if (loss && isfinite(m->loss[i])) high = fmax(high, m->loss[i]);
    }
    if (train)
        curve[curves++] =
            (rheo_curve){"training", NULL, epoch, m->train, m->count, family, 0, false};
    if (validation)
        curve[curves++] =
            (rheo_curve){"validation", NULL, epoch, m->validation, m->count, family, 1, false};
    if (loss)
        curve[curves++] = (rheo_curve){"loss", NULL, epoch, m->loss, m->count, family, 0, false};
    rheo_chart chart = {.label = label,
                        .width = width,
                        .height = width * 0.62,
                        .x = {"epoch", 0, m->count, false, true},
                        .y = {loss ? "loss" : "accuracy %", 0, loss ? high : 100, false, false},
                        .alone = alone};
    rheo__chart(out, &chart, curve, curves);
    rheo__release(out->ctx, epoch);
    return true;
}

static void panel_title(const rheo_page *page, uint32_t r)
{
    rheo__text_add(page->out, "<figure class=\"f%u\"><b>", page->track[r].family);
    rheo__escape(page->out, page->track[r].label);
    rheo__text_add(page->out, "</b>");
}

void rheo__page_training(const rheo_page *page)
{
    uint32_t drawn = 0;
    for (uint32_t r = 0; r < page->count && !page->out->status; r++) {
        rheo_history m;
        page->out->status = rheo__metrics_read(page->ctx, &page->rows[r].run[0], &m);
        if (page->out->status) return;
        if (any(m.train, m.count) || any(m.validation, m.count) || any(m.loss, m.count)) {
            if (!drawn++) {
                rheo__page_section(page, "training", "Training",
                                   "Accuracy epoch by epoch, phases one after another; the loss "
                                   "where a method has no accuracy while it learns.");
                rheo__text_add(page->out, "<div class=\"grid\">\n");
            }
            panel_title(page, r);
            rheo__training_chart(page->out, &m, "Training curve", page->track[r].family, 320,
                                 false);
            rheo__text_add(page->out, "</figure>\n");
        }
        rheo__release(page->ctx, m.loss);
    }
    if (drawn) rheo__text_add(page->out, "</div>\n");
}

/* ---- spikes, membranes, weights ---- */

typedef struct rheo_figures {
    rheo_array *arrays;
    uint32_t count, family;
    bool membrane;
} rheo_figures;

static void draw_activity(const rheo_page *page, double width, bool narrow, const void *arg)
{
    const rheo_figures *f = arg;
    double room = narrow ? 340 : width * 0.84;
    if (f->membrane)
        rheo__membrane(page->out, f->arrays, f->count, f->family, room, false);
    else
        rheo__raster(page->out, f->arrays, f->count, f->family, room, false);
}

static bool holds(const rheo_figures *f, const char *prefix)
{
    for (uint32_t i = 0; i < f->count; i++)
        if (strncmp(f->arrays[i].name, prefix, strlen(prefix)) == 0) return true;
    return false;
}

static bool open_figures(const rheo_page *page, uint32_t r, rheo_figures *f)
{
    char path[RHEO_PATH];
    *f = (rheo_figures){.family = page->track[r].family};
    if (!page->out->status)
        page->out->status = rheo__join(page->ctx, page->rows[r].run[0].folder, "figures.npz", path);
    if (page->out->status || !rheo__file_exists(path)) return false;
    page->out->status = rheo__npz_read(page->ctx, path, RHEO_RUN_LIMIT, &f->arrays, &f->count);
    return !page->out->status;
}

static void activity(const rheo_page *page, uint32_t r, rheo_figures *f)
{
    rheo_text *out = page->out;
    rheo__page_section(page, "spikes", "Inside: spikes and membranes", NULL);
    rheo__text_add(out, "<p>One test sample on its way through <b class=\"f%u\">", f->family);
    rheo__escape(out, page->track[r].label);
    rheo__text_add(out,
                   "</b>. Every dot is a spike, every line a neuron.</p>\n<div class=\"inside\">"
                   "<div class=\"sample\">");
    rheo__sample(out, f->arrays, f->count);
    rheo__text_add(out, "</div><div>");
    rheo__page_figure(page, draw_activity, f, NULL);
    f->membrane = true;
    if (holds(f, "membrane."))
        rheo__page_figure(page, draw_activity, f,
                          "Membrane potentials of the first neurons of each layer, same sample.");
    rheo__text_add(out, "</div></div>\n");
}

static void fields(const rheo_page *page, uint32_t r, const rheo_figures *f)
{
    rheo__page_section(page, "fields", "Inside: what local learning has learned", NULL);
    rheo__text_add(page->out, "<p>The weights into each neuron of <b class=\"f%u\">", f->family);
    rheo__escape(page->out, page->track[r].label);
    rheo__text_add(page->out, "</b>, drawn as the images they look for. No label was used for them."
                              "</p>\n<figure class=\"fields\">");
    rheo__fields(page->out, f->arrays, f->count, 560, false);
    rheo__text_add(page->out, "<figcaption>Each tile is scaled to its own largest weight."
                              "</figcaption></figure>\n");
}

/* One raster is enough to see what a raster is: the net trained with spikes if there is one. */
void rheo__page_inside(const rheo_page *page)
{
    static const uint32_t order[] = {3, 2, 1, 4, 0, 5};
    rheo_figures f;
    bool drawn = false;
    for (size_t o = 0; o < sizeof order / sizeof order[0] && !drawn; o++)
        for (uint32_t r = 0; r < page->count && !drawn; r++) {
            if (page->track[r].family != order[o] || !open_figures(page, r, &f)) continue;
            if (holds(&f, "raster.")) {
                activity(page, r, &f);
                drawn = true;
            }
            rheo__npz_free(page->ctx, f.arrays, f.count);
        }
    for (uint32_t r = 0; r < page->count; r++) {
        if (page->track[r].family != 4 || !open_figures(page, r, &f)) continue;
        bool has = holds(&f, "fields");
        if (has) fields(page, r, &f);
        rheo__npz_free(page->ctx, f.arrays, f.count);
        if (has) return;
    }
}

/* ---- confusion ---- */

bool rheo__confusion_of(rheo_text *out, const cJSON *json, const char *label, uint32_t family,
                        bool alone)
{
    const cJSON *matrix = rheo__at(json, "confusion"), *line, *cell;
    const cJSON *classes = rheo__at(json, "classes");
    uint32_t n = cJSON_IsArray(matrix) ? (uint32_t)cJSON_GetArraySize(matrix) : 0, i = 0;
    double *counts = NULL;
    const char **names = NULL;
    if (out->status || n == 0 || n > 100) return false;
    cJSON_ArrayForEach(line, matrix)
    {
        if ((uint32_t)cJSON_GetArraySize(line) != n) return false;
    }
    out->status = rheo__alloc(out->ctx, (size_t)n * n, sizeof *counts, "a matrix", &counts);
    if (!out->status) out->status = rheo__alloc(out->ctx, n, sizeof *names, "a matrix", &names);
    if (!out->status) {
        cJSON_ArrayForEach(line, matrix)
        {
            cJSON_ArrayForEach(cell, line) counts[i++] =
                cJSON_IsNumber(cell) && cell->valuedouble > 0 ? cell->valuedouble : 0;
        }
        bool named = (uint32_t)cJSON_GetArraySize(classes) == n;
        i = 0;
        cJSON_ArrayForEach(cell, classes)
        {
            if (named) names[i++] = cJSON_IsString(cell) ? cell->valuestring : "?";
        }
        rheo__confusion(out, label, counts, n, named ? names : NULL, family, alone);
    }
    rheo__release(out->ctx, counts);
    rheo__release(out->ctx, names);
    return true;
}

void rheo__page_confusion(const rheo_page *page)
{
    uint32_t drawn = 0, named = page->count;
    for (uint32_t r = 0; r < page->count; r++) {
        const cJSON *json = page->rows[r].json;
        if (cJSON_GetArraySize(rheo__at(json, "confusion")) == 0) continue;
        if (!drawn++) {
            rheo__page_section(page, "confusion", "What is taken for what",
                               "A row is a true class, a column an answer; the number on the "
                               "diagonal is the share of the class that is right, in per cent. "
                               "Shades are by the square root, so small confusions show.");
            rheo__text_add(page->out, "<div class=\"grid\">\n");
            named = r;
        }
        rheo__text_add(page->out, "<figure>");
        rheo__confusion_of(page->out, json, page->track[r].label, page->track[r].family, false);
        rheo__text_add(page->out, "</figure>\n");
    }
    if (!drawn) return;
    rheo__text_add(page->out, "</div>\n<p class=\"quiet\">");
    const cJSON *name;
    uint32_t i = 0;
    cJSON_ArrayForEach(name, rheo__at(page->rows[named].json, "classes"))
    {
        rheo__text_add(page->out, "%s%u ", i ? " · " : "", i);
        rheo__escape(page->out, cJSON_IsString(name) ? name->valuestring : "?");
        i++;
    }
    rheo__text_add(page->out, "</p>\n");
}

/* ---- variants ---- */

typedef struct rheo_variants {
    rheo_curve curve[RHEO_CURVES];
    uint32_t count;
    double steps;
} rheo_variants;

static void draw_variants(const rheo_page *page, double width, bool narrow, const void *arg)
{
    const rheo_variants *v = arg;
    rheo_chart chart = {.label = "Accuracy against time, one curve a variant",
                        .width = width,
                        .height = narrow ? 300 : 400,
                        .x = {"time step (logarithmic)", 0.9, v->steps * 1.8, true, false},
                        .y = {"accuracy %", 0, 100, false, false},
                        .legend = narrow};
    rheo__chart(page->out, &chart, v->curve, v->count);
}

static void variant_table(const rheo_page *page, const cJSON *list)
{
    const cJSON *item;
    rheo__text_add(page->out, "<div class=\"scroll\"><table style=\"width:auto\">\n<thead><tr>"
                              "<th>variant</th><th class=\"n\">accuracy %%</th>"
                              "<th class=\"n\">decision</th></tr></thead>\n<tbody>\n");
    cJSON_ArrayForEach(item, list)
    {
        char decision[32];
        double accuracy = rheo__number_at(item, "accuracy");
        rheo__human(rheo__number_at(item, "steps_to_decision"), decision);
        rheo__text_add(page->out, "<tr><td>");
        rheo__escape(page->out, rheo__text_at(item, "name"));
        rheo__text_add(page->out,
                       isnan(accuracy) ? "</td><td class=\"n\">–" : "</td><td class=\"n\">%.2f",
                       accuracy);
        rheo__text_add(page->out, "</td><td class=\"n\">%s</td></tr>\n", decision);
    }
    rheo__text_add(page->out, "</tbody></table></div>\n");
}

static void variants_of(const rheo_page *page, uint32_t r, const cJSON *list)
{
    /* the recipe's own curve in its family's colour, the variants grey with dashes of their own */
    rheo_variants v = {.count = 1};
    const rheo_track *t = &page->track[r];
    double *step = NULL;
    uint32_t most = t->n;
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        uint32_t n = (uint32_t)cJSON_GetArraySize(rheo__at(item, "accuracy_by_step"));
        most = n > most ? n : most;
    }
    page->out->status = rheo__alloc(page->ctx, most, sizeof *step, "a curve", &step);
    if (page->out->status) return;
    for (uint32_t i = 0; i < most; i++) step[i] = i + 1;
    v.steps = most;
    v.curve[0] =
        (rheo_curve){"as in the recipe", t->title, step, t->accuracy, t->n, t->family, 0, false};
    cJSON_ArrayForEach(item, list)
    {
        double *y = NULL;
        uint32_t n = rheo__page_numbers(page, item, "accuracy_by_step", &y);
        if (n == 0 || v.count == RHEO_CURVES) {
            rheo__release(page->ctx, y);
            continue;
        }
        const char *name = rheo__text_at(item, "name");
        v.curve[v.count] = (rheo_curve){name, name, step, y, n, 5, v.count % 4, false};
        v.count++;
    }
    rheo__text_add(page->out, "<h3 class=\"f%u\"><span class=\"name\">", t->family);
    rheo__escape(page->out, t->label);
    rheo__text_add(page->out, "</span></h3>\n");
    if (v.count > 1) rheo__page_figure(page, draw_variants, &v, NULL);
    variant_table(page, list);
    for (uint32_t c = 1; c < v.count; c++)
        rheo__release(page->ctx, (void *)(uintptr_t)v.curve[c].y);
    rheo__release(page->ctx, step);
}

void rheo__page_variants(const rheo_page *page)
{
    uint32_t drawn = 0;
    for (uint32_t r = 0; r < page->count && !page->out->status; r++) {
        const cJSON *list = rheo__at(page->rows[r].json, "variants");
        if (cJSON_GetArraySize(list) == 0) continue;
        if (!drawn++)
            rheo__page_section(page, "variants", "The same net, run otherwise",
                               "What was learned once and then run under other settings: how the "
                               "weights are rescaled, and how the input is coded.");
        variants_of(page, r, list);
    }
}

/* ---- how to reproduce ---- */

static void data_lines(const rheo_page *page)
{
    rheo_text *out = page->out;
    const cJSON *file;
    uint32_t lines = 0;
    rheo_text seen = {.ctx = page->ctx}; /* "\n" + checksum of each that stands there */
    for (uint32_t r = 0; r < page->count; r++)
        cJSON_ArrayForEach(file, rheo__at(page->rows[r].run[0].manifest, "data"))
        {
            const char *path = rheo__text_at(file, "path"), *sha = rheo__text_at(file, "sha256");
            const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
            if (seen.data && *sha && strstr(seen.data, sha)) continue;
            rheo__text_add(&seen, "\n%s", sha);
            if (!lines++)
                rheo__text_add(out,
                               "<h3>Data</h3>\n<div class=\"scroll\"><table><thead><tr>"
                               "<th>file</th><th>SHA-256</th><th></th></tr></thead>\n<tbody>\n");
            rheo__text_add(out, "<tr><td>");
            rheo__escape(out, base);
            rheo__text_add(out, "</td><td class=\"hash\"><code>");
            rheo__escape(out, sha);
            /* known: true or false, or what it is known as */
            const cJSON *known = rheo__at(file, "known");
            bool is = cJSON_IsTrue(known) || (cJSON_IsString(known) && *known->valuestring);
            rheo__text_add(out, "</code></td><td>%s</td></tr>\n", is ? "known" : "not known");
        }
    if (lines) rheo__text_add(out, "</tbody></table></div>\n");
    rheo__text_free(&seen);
}

static void run_line(const rheo_page *page, uint32_t r)
{
    static const char *const path[] = {"version", "commit", "cpu", "isa"};
    rheo_text *out = page->out;
    const rheo_row *row = &page->rows[r];
    rheo__text_add(out, "<tr>");
    rheo__page_name(page, r);
    rheo__text_add(out, "</th><td>");
    const cJSON *seed;
    uint32_t n = 0;
    cJSON_ArrayForEach(seed, rheo__at(row->json, "seeds"))
    {
        if (cJSON_IsNumber(seed)) rheo__text_add(out, n++ ? ", %.0f" : "%.0f", seed->valuedouble);
    }
    for (size_t p = 0; p < sizeof path / sizeof path[0]; p++) {
        const char *text = rheo__text_at(row->run[0].manifest, path[p]);
        if (!*text) text = rheo__text_at(row->json, path[p]);
        rheo__text_add(out, "</td><td>");
        rheo__escape(out, *text ? text : "–");
    }
    char threads[32];
    rheo__human(rheo__number_at(row->run[0].manifest, "threads"), threads);
    rheo__text_add(out, "</td><td class=\"n\">%s</td></tr>\n", threads);
}

void rheo__page_reproduce(const rheo_page *page)
{
    rheo_text *out = page->out;
    rheo__page_section(page, "reproduce", "How to make it again",
                       "The same commit, seed and data give the same bits, on any number of "
                       "threads.");
    rheo__text_add(out, "<pre>");
    for (uint32_t r = 0; r < page->count; r++)
        for (uint32_t i = 0; i < page->rows[r].runs; i++) {
            const char *text = rheo__text_at(page->rows[r].run[i].result, "command");
            /* one command may have made several rows */
            bool seen = !*text;
            for (uint32_t q = 0; q <= r && !seen; q++)
                for (uint32_t j = 0; j < (q < r ? page->rows[q].runs : i) && !seen; j++)
                    seen = !strcmp(rheo__text_at(page->rows[q].run[j].result, "command"), text);
            if (seen) continue;
            rheo__escape(out, text);
            rheo__text_add(out, "\n");
        }
    rheo__escape(out, page->command ? page->command : "");
    rheo__text_add(out,
                   "\n</pre>\n<div class=\"scroll\"><table><thead><tr><th>system</th>"
                   "<th>seeds</th><th>version</th><th>commit</th><th>processor</th>"
                   "<th>instructions</th><th class=\"n\">threads</th></tr></thead>\n<tbody>\n");
    for (uint32_t r = 0; r < page->count; r++) run_line(page, r);
    rheo__text_add(out, "</tbody></table></div>\n");
    data_lines(page);
}
