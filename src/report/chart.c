/* chart.c: curves and bars. Names stand beside the ends of their curves: each tries a ring of
 * places and takes the one that covers least. */
#include "report/chart.h"

#include "report/row.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LEFT       44.0
#define RIGHT      18.0
#define TOP        26.0
#define BOTTOM     42.0
#define LEGEND_ROW 21.0
#define LETTER     7.4 /* mean width of a letter of a label [px] */

typedef struct rheo_frame {
    const rheo_chart *chart;
    double x0, x1, y0, y1; /* of the plot [px], y0 is the top */
    double low_x, high_x, low_y, high_y;
} rheo_frame;

static double map_x(const rheo_frame *f, double x)
{
    double a = f->low_x, b = f->high_x;
    if (f->chart->x.log) {
        x = log(x);
        a = log(a);
        b = log(b);
    }
    return f->x0 + (x - a) / (b - a) * (f->x1 - f->x0);
}

static double map_y(const rheo_frame *f, double y)
{
    return f->y1 - (y - f->low_y) / (f->high_y - f->low_y) * (f->y1 - f->y0);
}

/* 1, 2 or 5 times a power of ten, about `parts` of them in a range */
static double nice_step(double range, double parts)
{
    double power = pow(10, floor(log10(range / parts))), part = range / parts / power;
    return power * (part < 1.5 ? 1 : part < 3.5 ? 2 : part < 7.5 ? 5 : 10);
}

static bool usable(const rheo_chart *c, double x, double y)
{
    return isfinite(x) && isfinite(y) && (!c->x.log || x > 0);
}

static rheo_frame frame(const rheo_chart *c)
{
    rheo_frame f = {c,        LEFT,      c->width - RIGHT, TOP,      c->height - BOTTOM,
                    c->x.low, c->x.high, c->y.low,         c->y.high};
    if (!(f.high_y > f.low_y)) f.high_y = f.low_y + 1;
    double step = nice_step(f.high_y - f.low_y, 5);
    f.low_y = floor(f.low_y / step + 1e-9) * step;
    f.high_y = ceil(f.high_y / step - 1e-9) * step;
    if (c->x.log && !(f.low_x > 0)) f.low_x = 1;
    if (!(f.high_x > f.low_x)) f.high_x = c->x.log ? f.low_x * 10 : f.low_x + 1;
    return f;
}

static void x_tick(rheo_text *out, const rheo_frame *f, double value)
{
    char text[32];
    double x = map_x(f, value);
    rheo__human(value + 0.0, text); /* -0 becomes 0 */
    rheo__svg_line(out, x, f->y1, x, f->y1 + 5, "base");
    rheo__svg_text(out, x, f->y1 + 19, "ax mid", text);
}

static void x_axis(rheo_text *out, const rheo_frame *f)
{
    static const double in_decade[] = {1, 2, 5};
    rheo__svg_line(out, f->x0, f->y1, f->x1, f->y1, "base");
    rheo__svg_text(out, f->x1, f->y1 + 37, "ax end", f->chart->x.title);
    if (!f->chart->x.log) {
        double step = nice_step(f->high_x - f->low_x, f->chart->width < 450 ? 4 : 7);
        if (f->chart->x.whole) step = fmax(step, 1);
        for (double v = ceil(f->low_x / step - 1e-9) * step; v <= f->high_x + 1e-9 * step;
             v += step)
            x_tick(out, f, v);
        return;
    }
    double decades = log10(f->high_x / f->low_x);
    double room = (f->x1 - f->x0) / decades; /* pixels a decade */
    int every = room < 22 ? 3 : room < 45 ? 2 : 1;
    for (int d = (int)floor(log10(f->low_x)); d <= (int)ceil(log10(f->high_x)); d++)
        for (int i = 0; i < (room > 130 ? 3 : 1); i++) {
            double v = in_decade[i] * pow(10, d);
            if (d % every == 0 && v >= f->low_x * 0.999 && v <= f->high_x * 1.001)
                x_tick(out, f, v);
        }
}

static void axes(rheo_text *out, const rheo_frame *f)
{
    char text[32];
    double step = nice_step(f->high_y - f->low_y, 5);
    for (double v = f->low_y; v <= f->high_y + step / 2; v += step) {
        double y = map_y(f, v);
        rheo__svg_line(out, f->x0, y, f->x1, y, "grid");
        snprintf(text, sizeof text, "%.6g", fabs(v) < step / 1e6 ? 0 : v);
        rheo__svg_text(out, f->x0 - 8, y + 4, "ax end", text);
    }
    rheo__svg_text(out, 4, TOP - 13, "ax", f->chart->y.title);
    x_axis(out, f);
}

/* Left out: points left of the axes, and those nearer than a pixel to the one before. */
static void draw_line(rheo_text *out, const rheo_frame *f, const rheo_curve *c)
{
    double last = -1e9, last_y = -1e9;
    uint32_t points = 0;
    rheo__text_add(out, "<path class=\"%s%s d%u\" d=\"", c->label ? "line" : "front",
                   c->thin ? " thin" : "", c->dash % 4);
    for (uint32_t i = 0; i < c->n; i++) {
        if (!usable(f->chart, c->x[i], c->y[i])) continue;
        double x = map_x(f, c->x[i]), y = map_y(f, c->y[i]);
        if (x < f->x0 || (i + 1 < c->n && fabs(x - last) < 1 && fabs(y - last_y) < 1.5)) continue;
        rheo__text_add(out, "%s%.1f %.1f", points++ ? "L" : "M", x, y);
        last = x;
        last_y = y;
    }
    rheo__text_add(out, "\"/>\n");
}

/* The last usable point in pixels. */
static bool end_of(const rheo_frame *f, const rheo_curve *c, double *x, double *y)
{
    for (uint32_t i = c->n; i-- > 0;)
        if (usable(f->chart, c->x[i], c->y[i])) {
            *x = map_x(f, c->x[i]);
            *y = map_y(f, c->y[i]);
            return true;
        }
    return false;
}

typedef struct rheo_box {
    double x0, y0, x1, y1;
} rheo_box;

static bool overlap(rheo_box a, rheo_box b)
{
    return a.x0 < b.x1 && b.x0 < a.x1 && a.y0 < b.y1 && b.y0 < a.y1;
}

/* What a label at this place would cover. */
static double cover(const rheo_frame *f, const rheo_curve *curves, uint32_t count,
                    const rheo_box *taken, uint32_t labels, rheo_box box)
{
    double cost = 0, x, y;
    if (box.x0 < f->x0 || box.x1 > f->chart->width || box.y0 < 2 || box.y1 > f->y1) cost += 1e6;
    for (uint32_t i = 0; i < labels; i++) cost += overlap(box, taken[i]) ? 1e4 : 0;
    for (uint32_t c = 0; c < count; c++) {
        rheo_box mark = {0, 0, 0, 0};
        if (curves[c].label && end_of(f, &curves[c], &x, &y)) {
            mark = (rheo_box){x - 7, y - 7, x + 7, y + 7};
            cost += overlap(box, mark) ? 2e3 : 0;
        }
        /* along the curve, in up to 200 stretches of 6 places each */
        uint32_t stride = curves[c].n / 200 + 1;
        for (uint32_t i = stride; i < curves[c].n; i += stride) {
            const double *px = curves[c].x + i, *py = curves[c].y + i;
            if (!usable(f->chart, px[0], py[0]) ||
                !usable(f->chart, *(px - stride), *(py - stride)))
                continue;
            double x0 = map_x(f, *(px - stride)), y0 = map_y(f, *(py - stride));
            double dx = (map_x(f, px[0]) - x0) / 6, dy = (map_y(f, py[0]) - y0) / 6;
            for (int k = 1; k <= 6; k++) {
                x = x0 + k * dx;
                y = y0 + k * dy;
                cost += x > box.x0 && x < box.x1 && y > box.y0 && y < box.y1 ? 30 : 0;
            }
        }
    }
    return cost;
}

static void label_ends(rheo_text *out, const rheo_frame *f, const rheo_curve *curves,
                       uint32_t count)
{
    /* right, left, above, below, then the corners: where the label's box begins, in its sizes */
    static const double place[][2] = {{0, -.5}, {-1, -.5}, {-.5, -1}, {-.5, 0},
                                      {0, -1},  {-1, -1},  {0, 0},    {-1, 0}};
    rheo_box taken[RHEO_CURVES];
    uint32_t labels = 0;
    for (uint32_t c = 0; c < count; c++) {
        double x, y, least = 1e30;
        if (!curves[c].label || !end_of(f, &curves[c], &x, &y)) continue;
        double w = LETTER * (double)strlen(curves[c].label) + 4, h = 17;
        rheo_box best = {0, 0, 0, 0};
        for (int ring = 0; ring < 5; ring++)
            for (size_t p = 0; p < sizeof place / sizeof place[0]; p++) {
                double dx = place[p][0] < -.9 ? -1 : place[p][0] > -.1 ? 1 : 0;
                double dy = place[p][1] < -.9 ? -1 : place[p][1] > -.1 ? 1 : 0;
                double gap = 9 + 9.0 * ring;
                rheo_box box = {x + place[p][0] * w + dx * gap, y + place[p][1] * h + dy * gap, 0,
                                0};
                box.x1 = box.x0 + w;
                box.y1 = box.y0 + h;
                double cost = cover(f, curves, count, taken, labels, box) + 40 * ring + (double)p;
                if (cost < least) {
                    least = cost;
                    best = box;
                }
            }
        taken[labels++] = best;
        rheo__svg_family(out, curves[c].family, NULL);
        rheo__svg_text(out, best.x0 + w / 2, best.y0 + 13, "lab mid", curves[c].label);
        rheo__text_add(out, "</g>\n");
    }
}

static void draw_legend(rheo_text *out, const rheo_frame *f, const rheo_curve *curves,
                        uint32_t count)
{
    double y = f->chart->height + 8;
    for (uint32_t c = 0; c < count; c++) {
        if (!curves[c].label) continue;
        rheo__svg_family(out, curves[c].family, NULL);
        if (curves[c].n > 1 && !curves[c].thin) {
            char class[16];
            snprintf(class, sizeof class, "line d%u", curves[c].dash % 4);
            rheo__svg_line(out, 4, y, 36, y, class);
        }
        rheo__svg_mark(out, curves[c].family, 20, y);
        rheo__svg_text(out, 46, y + 4.5, "lab", curves[c].label);
        rheo__text_add(out, "</g>\n");
        y += LEGEND_ROW;
    }
}

void rheo__chart(rheo_text *out, const rheo_chart *chart, const rheo_curve *curves, uint32_t count)
{
    if (count > RHEO_CURVES) count = RHEO_CURVES;
    rheo_frame f = frame(chart);
    uint32_t named = 0;
    for (uint32_t c = 0; c < count; c++) named += curves[c].label != NULL;
    double height = chart->height + (chart->legend ? LEGEND_ROW * named : 0);
    rheo__svg_open(out, chart->width, height, chart->label, chart->alone);
    axes(out, &f);
    for (uint32_t c = 0; c < count; c++) {
        double x, y;
        rheo__svg_family(out, curves[c].family, curves[c].title);
        if (curves[c].n > 1) draw_line(out, &f, &curves[c]);
        if (curves[c].label && end_of(&f, &curves[c], &x, &y))
            rheo__svg_mark(out, curves[c].family, x, y);
        rheo__text_add(out, "</g>\n");
    }
    if (chart->legend)
        draw_legend(out, &f, curves, count);
    else
        label_ends(out, &f, curves, count);
    rheo__svg_close(out);
}

void rheo__bars(rheo_text *out, const rheo_chart *chart, const rheo_bar *bars, uint32_t count)
{
    double low = INFINITY, high = 0;
    for (uint32_t b = 0; b < count; b++) {
        if (!(bars[b].x > 0)) continue;
        low = fmin(low, bars[b].tick > 0 ? fmin(bars[b].x, bars[b].tick) : bars[b].x);
        high = fmax(high, bars[b].tick > 0 ? fmax(bars[b].x, bars[b].tick) : bars[b].x);
    }
    if (high <= 0) return;
    /* bars begin a whole decade below the least, so that it can be seen */
    rheo_chart c = *chart;
    double row = 44;
    c.height = TOP + row * count + BOTTOM - 12;
    c.x = (rheo_axis){chart->x.title, pow(10, floor(log10(low) - 0.3)), pow(10, ceil(log10(high))),
                      true, false};
    rheo_frame f = frame(&c);
    f.x0 = 4;
    f.x1 = c.width - 84;
    rheo__svg_open(out, c.width, c.height, c.label, c.alone);
    for (double d = f.low_x; d <= f.high_x * 1.001; d *= 10)
        rheo__svg_line(out, map_x(&f, d), 4, map_x(&f, d), f.y1, "grid");
    x_axis(out, &f);
    for (uint32_t b = 0; b < count; b++) {
        double y = 22 + row * b, x = bars[b].x > 0 ? map_x(&f, bars[b].x) : f.x0;
        rheo__svg_family(out, bars[b].family, NULL);
        rheo__svg_text(out, f.x0 + 2, y, "lab", bars[b].label);
        rheo__text_add(out,
                       "<rect class=\"area\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"13\"/>",
                       f.x0, y + 6, x - f.x0);
        /* the figure stands beyond the stroke when that is where it would be written */
        double stroke = bars[b].tick > 0 ? map_x(&f, bars[b].tick) : 0;
        double from = stroke > x && stroke < x + 56 ? stroke : x;
        rheo__svg_text(out, from + 7, y + 17, "ax", bars[b].value);
        rheo__text_add(out, "</g>\n");
        if (!(bars[b].tick > 0)) continue;
        rheo__text_add(out, "<g><title>the same net without spikes</title>");
        rheo__svg_line(out, map_x(&f, bars[b].tick), y + 2, map_x(&f, bars[b].tick), y + 23,
                       "tick");
        rheo__text_add(out, "</g>\n");
    }
    rheo__svg_close(out);
}
