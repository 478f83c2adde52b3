/* picture.c: confusion matrices, and what figures.npz holds: spikes, membranes, weights, the
 * sample. Pixels go in as a PNG; where there are more spikes than pixels a pixel is set if any of
 * its spikes is. An array of another shape than docs/run-folder.md says is refused by name. */
#include "report/chart.h"

#include "report/row.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EDGE 32768 /* of an array that is drawn */

/* A figure's array is named by `prefix`: "raster." or "fields" itself. */
static bool wanted(rheo_text *out, const rheo_array *a, const char *prefix, uint32_t dims)
{
    size_t n = strlen(prefix);
    if (strncmp(a->name, prefix, n) != 0 || (prefix[n - 1] != '.' && a->name[n])) return false;
    bool good = a->dims == dims && a->count > 0;
    for (uint32_t d = 0; good && d < dims; d++) good = a->shape[d] <= EDGE;
    if (!good && !out->status)
        out->status =
            rheo__fail(out->ctx, RHEO_FORMAT,
                       "figures.npz: '%s' has %u dimensions and %llu numbers, expected %u "
                       "dimensions of 1 to %d; train this run again",
                       a->name, a->dims, (unsigned long long)a->count, dims, EDGE);
    return good;
}

/* Zeroed pixels, or NULL with the status set. */
static uint8_t *canvas(rheo_text *out, uint32_t width, uint32_t height)
{
    uint8_t *pixels = NULL;
    if (!out->status)
        out->status = rheo__alloc(out->ctx, (size_t)width * height, 1, "a drawing", &pixels);
    return pixels;
}

/* Pixels as an <image>. Viewers of a file of its own may smooth what they enlarge, so there each
 * pixel is repeated until it is at least as fine as a screen's. */
static void image(rheo_text *out, const double box[4], const uint8_t *pixels, uint32_t width,
                  uint32_t height, const uint32_t *palette, uint32_t colours, bool alone)
{
    uint32_t kx = alone ? (uint32_t)ceil(2 * box[2] / width) : 1;
    uint32_t ky = alone ? (uint32_t)ceil(2 * box[3] / height) : 1;
    if (kx * ky <= 1) {
        rheo__svg_image(out, box, pixels, width, height, palette, colours);
        return;
    }
    uint8_t *large = canvas(out, width * kx, height * ky);
    if (!large) return;
    for (uint64_t y = 0; y < (uint64_t)height * ky; y++)
        for (uint64_t x = 0; x < (uint64_t)width * kx; x++)
            large[y * width * kx + x] = pixels[y / ky * width + x / kx];
    rheo__svg_image(out, box, large, width * kx, height * ky, palette, colours);
    rheo__release(out->ctx, large);
}

static uint32_t colour_of(uint32_t family)
{
    const rheo_family *f = rheo__family_at(family);
    uint32_t rgb = (uint32_t)strtoul(f ? f->light + 1 : "5d6670", NULL, 16);
    return rgb << 8 | 0xff;
}

/* "raster.1" -> "1 · 1,000 neurons"; the input is called input */
static void strip_label(const rheo_array *a, const char *what, char *text, size_t room)
{
    const char *dot = strchr(a->name, '.');
    bool input = strcmp(dot + 1, "input") == 0;
    snprintf(text, room, "%s%s · %llu %s", input ? "" : "layer ", dot + 1,
             (unsigned long long)a->shape[1], what);
}

static void time_axis(rheo_text *out, double width, double y, uint64_t steps)
{
    static const double ticks[] = {0, 0.25, 0.5, 0.75, 1};
    char text[32];
    for (size_t i = 0; i < 5; i++) {
        if (steps % 4 && i % 4) continue;
        snprintf(text, sizeof text, "%.0f%s", ticks[i] * (double)steps, i == 4 ? " steps" : "");
        rheo__svg_text(out, ticks[i] * width, y,
                       i == 0   ? "ax"
                       : i == 4 ? "ax end"
                                : "ax mid",
                       text);
    }
}

static double strip_height(const rheo_array *a)
{
    double n = (double)a->shape[1];
    return n <= 30 ? 5 * n : fmin(150, fmax(n, 60));
}

static void draw_raster(rheo_text *out, const rheo_array *a, double y, uint32_t family,
                        double width, bool alone)
{
    uint32_t T = (uint32_t)a->shape[0], N = (uint32_t)a->shape[1];
    uint32_t columns = T < 2 * (uint32_t)width ? T : 2 * (uint32_t)width;
    uint32_t lines = N < 2 * (uint32_t)strip_height(a) ? N : 2 * (uint32_t)strip_height(a);
    const uint32_t palette[2] = {0, colour_of(family)};
    uint8_t *pixels = canvas(out, columns, lines);
    if (!pixels) return;
    for (uint32_t t = 0; t < T; t++)
        for (uint32_t n = 0; n < N; n++)
            if (rheo__array_element(a, (uint64_t)t * N + n) != 0)
                pixels[(uint64_t)n * lines / N * columns + (uint64_t)t * columns / T] = 1;
    image(out, (double[4]){0, y, width, strip_height(a)}, pixels, columns, lines, palette, 2,
          alone);
    rheo__release(out->ctx, pixels);
}

bool rheo__raster(rheo_text *out, const rheo_array *arrays, uint32_t count, uint32_t family,
                  double width, bool alone)
{
    double height = 22, y = 14;
    uint64_t steps = 0;
    for (uint32_t i = 0; i < count; i++)
        if (wanted(out, &arrays[i], "raster.", 2)) {
            height += strip_height(&arrays[i]) + 26;
            steps = arrays[i].shape[0];
        }
    if (!steps) return false;
    rheo__svg_open(out, width, height, "Spikes of one test sample over time", alone);
    /* the input on top, then the layers as they stand in the file */
    for (uint32_t pass = 0; pass < 2; pass++)
        for (uint32_t i = 0; i < count; i++) {
            char text[128];
            bool input = strcmp(arrays[i].name, "raster.input") == 0;
            if (input == (pass == 1) || !wanted(out, &arrays[i], "raster.", 2)) continue;
            strip_label(&arrays[i], "neurons", text, sizeof text);
            rheo__svg_text(out, 0, y, "ax", text);
            rheo__svg_line(out, 0, y + 6, width, y + 6, "grid");
            draw_raster(out, &arrays[i], y + 7, input ? 5 : family, width, alone);
            y += strip_height(&arrays[i]) + 26;
        }
    rheo__svg_line(out, 0, y - 18, width, y - 18, "base");
    time_axis(out, width, y - 2, steps);
    rheo__svg_close(out);
    return true;
}

static void draw_membrane(rheo_text *out, const rheo_array *a, double y, double width)
{
    uint64_t T = a->shape[0], n = a->shape[1];
    double low = INFINITY, high = -INFINITY, row = 34;
    for (uint64_t i = 0; i < a->count; i++) {
        double v = rheo__array_element(a, i);
        if (!isfinite(v)) continue;
        low = fmin(low, v);
        high = fmax(high, v);
    }
    double scale = high > low ? (row - 6) / (high - low) : 0;
    for (uint64_t j = 0; j < n; j++) {
        double base = y + row * (double)(j + 1) - 3, last = -1;
        bool pen = false;
        rheo__text_add(out, "<path class=\"line\" style=\"stroke-width:1.3\" d=\"");
        for (uint64_t t = 0; t < T; t++) {
            double v = rheo__array_element(a, t * n + j), x = width * ((double)t + 0.5) / (double)T;
            if (!isfinite(v) || x - last < 0.4) continue;
            rheo__text_add(out, "%s%.1f %.1f", pen ? "L" : "M", x, base - (v - low) * scale);
            pen = true;
            last = x;
        }
        rheo__text_add(out, "\"/>\n");
        rheo__svg_line(out, 0, base + 2, width, base + 2, "grid");
    }
}

bool rheo__membrane(rheo_text *out, const rheo_array *arrays, uint32_t count, uint32_t family,
                    double width, bool alone)
{
    double height = 22, y = 14;
    uint64_t steps = 0;
    for (uint32_t i = 0; i < count; i++)
        if (wanted(out, &arrays[i], "membrane.", 2) && arrays[i].shape[1] <= 64) {
            height += 34 * (double)arrays[i].shape[1] + 26;
            steps = arrays[i].shape[0];
        }
    if (!steps) return false;
    rheo__svg_open(out, width, height, "Membrane potentials of one test sample over time", alone);
    rheo__svg_family(out, family, NULL);
    for (uint32_t i = 0; i < count; i++) {
        char text[128];
        if (!wanted(out, &arrays[i], "membrane.", 2) || arrays[i].shape[1] > 64) continue;
        strip_label(&arrays[i], "neurons, one scale", text, sizeof text);
        rheo__svg_text(out, 0, y, "ax", text);
        draw_membrane(out, &arrays[i], y + 6, width);
        y += 34 * (double)arrays[i].shape[1] + 26;
    }
    rheo__text_add(out, "</g>\n");
    time_axis(out, width, y - 2, steps);
    rheo__svg_close(out);
    return true;
}

/* Colour 0 is clear (the gaps). 1 … 255: dark to light through blue-green for weights of one sign
 * (lightness rises evenly), blue - white - red around 0 for both signs. */
static void field_palette(bool both, uint32_t palette[256])
{
    static const double one[3][3] = {{16, 22, 40}, {38, 130, 142}, {250, 245, 215}};
    static const double two[3][3] = {{20, 90, 160}, {247, 247, 244}, {178, 50, 30}};
    palette[0] = 0;
    for (int i = 1; i < 256; i++) {
        double s = (i - 1) / 254.0 * 2;
        int k = s < 1 ? 0 : 1;
        uint32_t rgba = 0;
        for (int c = 0; c < 3; c++) {
            const double(*ramp)[3] = both ? two : one;
            double v = ramp[k][c] + (ramp[k + 1][c] - ramp[k][c]) * (s - k);
            rgba = rgba << 8 | (uint32_t)(v + 0.5);
        }
        palette[i] = rgba << 8 | 0xff;
    }
}

/* A field's own extent: weights of one sign from 0 to the largest, of both around 0. */
static void field_scale(const rheo_array *a, uint64_t field, bool both, double *low, double *high)
{
    uint64_t size = a->shape[1] * a->shape[2];
    *low = *high = 0;
    for (uint64_t i = 0; i < size; i++) {
        double v = rheo__array_element(a, field * size + i);
        if (isfinite(v)) *high = fmax(*high, both ? fabs(v) : v);
    }
    if (both) *low = -*high;
    if (!(*high > *low)) *high = *low + 1;
}

static void draw_fields(rheo_text *out, const rheo_array *a, double width, bool alone)
{
    uint32_t n = (uint32_t)a->shape[0], H = (uint32_t)a->shape[1], W = (uint32_t)a->shape[2];
    uint32_t columns = (uint32_t)ceil(sqrt(n)), lines = (n + columns - 1) / columns;
    uint64_t w = (uint64_t)columns * (W + 1) + 1, h = (uint64_t)lines * (H + 1) + 1;
    if (w > EDGE || h > EDGE || w * h > 1u << 26) {
        out->status =
            rheo__fail(out->ctx, RHEO_FORMAT,
                       "figures.npz: 'fields' has %u fields of %u x %u, too many to draw", n, H, W);
        return;
    }
    bool both = false;
    for (uint64_t i = 0; i < a->count; i++) both = both || rheo__array_element(a, i) < 0;
    uint32_t palette[256];
    field_palette(both, palette);
    uint8_t *pixels = canvas(out, (uint32_t)w, (uint32_t)h);
    if (!pixels) return;
    for (uint32_t f = 0; f < n; f++) {
        double low, high;
        field_scale(a, f, both, &low, &high);
        for (uint32_t y = 0; y < H; y++)
            for (uint32_t x = 0; x < W; x++) {
                double v =
                    (rheo__array_element(a, ((uint64_t)f * H + y) * W + x) - low) / (high - low);
                uint64_t line = (uint64_t)(f / columns) * (H + 1) + 1 + y;
                uint64_t column = (uint64_t)(f % columns) * (W + 1) + 1 + x;
                pixels[line * w + column] =
                    (uint8_t)(1 + 254 * (isfinite(v) ? fmin(1, fmax(0, v)) : 0));
            }
    }
    double height = width * (double)h / (double)w;
    rheo__svg_open(out, width, height, "Weights into each neuron of the first layer, as images",
                   alone);
    image(out, (double[4]){0, 0, width, height}, pixels, (uint32_t)w, (uint32_t)h, palette, 256,
          alone);
    rheo__svg_close(out);
    rheo__release(out->ctx, pixels);
}

bool rheo__fields(rheo_text *out, const rheo_array *arrays, uint32_t count, double width,
                  bool alone)
{
    for (uint32_t i = 0; i < count; i++)
        if (wanted(out, &arrays[i], "fields", 3)) {
            draw_fields(out, &arrays[i], width, alone);
            return true;
        }
    return false;
}

bool rheo__sample(rheo_text *out, const rheo_array *arrays, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const rheo_array *a = &arrays[i];
        if (!wanted(out, a, "sample", 2)) continue;
        uint32_t palette[256];
        double high = 0;
        for (uint32_t c = 0; c < 256; c++) palette[c] = c * 0x01010100u | 0xff;
        for (uint64_t p = 0; p < a->count; p++) high = fmax(high, rheo__array_element(a, p));
        uint32_t H = (uint32_t)a->shape[0], W = (uint32_t)a->shape[1];
        uint8_t *pixels = canvas(out, W, H);
        if (!pixels) return false;
        for (uint64_t p = 0; p < a->count; p++) {
            double v = high > 0 ? rheo__array_element(a, p) / high : 0;
            pixels[p] = (uint8_t)(255 * fmin(1, fmax(0, isfinite(v) ? v : 0)));
        }
        double width = 96, height = width * H / W;
        rheo__svg_open(out, width, height, "The test sample that is shown", false);
        rheo__svg_image(out, (double[4]){0, 0, width, height}, pixels, W, H, palette, 256);
        rheo__svg_close(out);
        rheo__release(out->ctx, pixels);
        return true;
    }
    return false;
}

static void confusion_cell(rheo_text *out, const double at[3], double n, double sum, bool right,
                           const char *const pair[2])
{
    char text[32];
    double share = sum > 0 ? n / sum : 0;
    /* the root lets the few per cent of a confusion be seen beside the diagonal */
    rheo__text_add(out,
                   "<rect class=\"area\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
                   "fill-opacity=\"%.3f\"><title>",
                   at[0], at[1], at[2] - 1, at[2] - 1, 0.06 + 0.94 * sqrt(share));
    rheo__escape(out, pair[0]);
    rheo__text_add(out, right ? ": %.0f of %.0f right" : " taken for ", n, sum);
    if (!right) {
        rheo__escape(out, pair[1]);
        rheo__text_add(out, ": %.0f of %.0f", n, sum);
    }
    rheo__text_add(out, "</title></rect>\n");
    if (!right || at[2] < 18) return;
    snprintf(text, sizeof text, "%.0f", 100 * share);
    rheo__text_add(out,
                   "<text x=\"%.1f\" y=\"%.1f\" class=\"mid\" "
                   "style=\"font-size:10px;fill:#fff;pointer-events:none\">%s</text>\n",
                   at[0] + at[2] / 2 - 0.5, at[1] + at[2] / 2 + 3.5, text);
}

void rheo__confusion(rheo_text *out, const char *label, const double *counts, uint32_t classes,
                     const char *const *names, uint32_t family, bool alone)
{
    double left = 24, top = 30, cell = 236.0 / classes;
    rheo__svg_open(out, left + 240, top + 262, label, alone);
    rheo__svg_text(out, 0, 12, "lab", label);
    rheo__svg_family(out, family, NULL);
    for (uint32_t i = 0; i < classes; i++) {
        double sum = 0;
        char number[2][16];
        for (uint32_t j = 0; j < classes; j++) sum += counts[i * classes + j];
        for (uint32_t j = 0; j < classes; j++) {
            snprintf(number[0], sizeof number[0], "%u", i);
            snprintf(number[1], sizeof number[1], "%u", j);
            const char *pair[2] = {names ? names[i] : number[0], names ? names[j] : number[1]};
            confusion_cell(out, (double[3]){left + j * cell, top + i * cell, cell},
                           counts[i * classes + j], sum, i == j, pair);
        }
        if (classes > 20) continue;
        snprintf(number[0], sizeof number[0], "%u", i);
        rheo__svg_text(out, left - 8, top + (i + 0.5) * cell + 4, "ax end", number[0]);
        rheo__svg_text(out, left + (i + 0.5) * cell, top + 252, "ax mid", number[0]);
    }
    rheo__text_add(out, "</g>\n");
    rheo__svg_close(out);
}
