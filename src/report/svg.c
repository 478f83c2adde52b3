/* svg.c: escaping, style and the few elements that drawings are made of. */
#include "report/svg.h"

#include "report/row.h"

#include <stdio.h>
#include <string.h>

/* Length of the UTF-8 sequence at s, 0 when it is none that XML allows. */
static size_t sequence(const unsigned char *s)
{
    if (s[0] < 0x80) return s[0] >= 0x20 || strchr("\t\n\r", s[0]) ? 1 : 0;
    size_t n = s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc2 ? 2 : 0;
    if (s[0] >= 0xf5) return 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80) return 0;
    /* overlong forms, surrogates, beyond U+10FFFF, U+FFFE and U+FFFF */
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f)) return 0;
    if ((s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f)) return 0;
    if (s[0] == 0xef && s[1] == 0xbf && s[2] > 0xbd) return 0;
    return n;
}

void rheo__escape(rheo_text *out, const char *text)
{
    static const char *const entity[128] = {
        ['<'] = "&lt;", ['>'] = "&gt;", ['&'] = "&amp;", ['"'] = "&quot;", ['\''] = "&#39;"};
    for (const unsigned char *s = (const unsigned char *)text; *s;) {
        size_t n = sequence(s);
        const char *e = *s < 128 ? entity[*s] : NULL;
        if (e || !n)
            rheo__text_add(out, "%s", e ? e : "\xef\xbf\xbd");
        else
            rheo__text_put(out, (const char *)s, n);
        s += n ? n : 1;
    }
}

static const struct rheo_colour {
    const char *name, *light, *dark;
} colours[] = {
    {"paper", "#fcfcfa", "#14171a"}, {"ink", "#1d2329", "#e7e9ea"},
    {"quiet", "#5d6670", "#a0a8b0"}, {"rule", "#e2e3df", "#30363b"},
    {"card", "#f4f4f1", "#1c2024"},  {"good", "#00694a", "#5fd9b6"},
    {"bad", "#a83218", "#f79a82"},
};
enum { PAPER, INK, QUIET, RULE };

static void theme(rheo_text *out, bool dark)
{
    for (size_t c = 0; c < sizeof colours / sizeof colours[0]; c++)
        rheo__text_add(out, "--%s:%s;", colours[c].name, dark ? colours[c].dark : colours[c].light);
    for (uint32_t f = 0; rheo__family_at(f); f++)
        rheo__text_add(out, "--f%u:%s;--i%u:%s;", f,
                       dark ? rheo__family_at(f)->dark : rheo__family_at(f)->light, f,
                       dark ? rheo__family_at(f)->dark_ink : rheo__family_at(f)->light_ink);
}

void rheo__svg_colours(rheo_text *out)
{
    rheo__text_add(out, ":root{color-scheme:light dark;");
    theme(out, false);
    rheo__text_add(out, "}\n@media screen and (prefers-color-scheme:dark){:root{");
    theme(out, true);
    rheo__text_add(out, "}}\n");
}

/* ": COLOUR}" by name or value */
static void colour(rheo_text *out, bool variables, const char *name, const char *value)
{
    if (variables)
        rheo__text_add(out, "var(--%s)}\n", name);
    else
        rheo__text_add(out, "%s}\n", value);
}

void rheo__svg_style(rheo_text *out, bool variables)
{
    static const struct {
        const char *head;
        uint32_t colour;
    } rules[] = {
        {"svg text{font:13px system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;fill:", INK},
        {"svg .ax{font-size:12px;fill:", QUIET},
        {"svg "
         ".lab{font-weight:600;stroke-width:4px;stroke-linejoin:round;paint-order:stroke;stroke:",
         PAPER},
        {"svg .grid{stroke-width:1;stroke:", RULE},
        {"svg .base{stroke-width:1;stroke:", QUIET},
        {"svg .front{fill:none;stroke-width:1.5;stroke-dasharray:2 4;stroke-linecap:round;stroke:",
         QUIET},
        {"svg .tick{stroke-width:2;stroke:", INK},
        {"svg .mark{stroke-width:1.5;stroke:", PAPER},
    };
    for (size_t r = 0; r < sizeof rules / sizeof rules[0]; r++) {
        rheo__text_add(out, "%s", rules[r].head);
        colour(out, variables, colours[rules[r].colour].name, colours[rules[r].colour].light);
    }
    rheo__text_add(out,
                   "svg .end{text-anchor:end}\nsvg .mid{text-anchor:middle}\n"
                   "svg .line{fill:none;stroke-width:2;stroke-linejoin:round}\n"
                   "svg .thin{stroke-width:1.2;opacity:.55}\n"
                   "svg .d1{stroke-dasharray:7 4}\nsvg .d2{stroke-dasharray:2 3}\n"
                   "svg .d3{stroke-dasharray:9 3 2 3}\nsvg image{image-rendering:pixelated}\n");
    for (uint32_t f = 0; f <= 5; f++) {
        const rheo_family *family = rheo__family_at(f);
        char area[8], ink[8];
        snprintf(area, sizeof area, family ? "f%u" : "quiet", f);
        snprintf(ink, sizeof ink, family ? "i%u" : "ink", f);
        const char *light = family ? family->light : colours[QUIET].light;
        rheo__text_add(out, "svg .f%u .line{stroke:", f);
        colour(out, variables, area, light);
        rheo__text_add(out, "svg .f%u .mark,svg .f%u .area{fill:", f, f);
        colour(out, variables, area, light);
        rheo__text_add(out, "svg .f%u .lab{fill:", f);
        colour(out, variables, ink, family ? family->light_ink : colours[INK].light);
    }
}

void rheo__svg_open(rheo_text *out, double width, double height, const char *label, bool alone)
{
    rheo__text_add(out, "<svg %sviewBox=\"0 0 %g %g\" role=\"img\" aria-label=\"",
                   alone ? "xmlns=\"http://www.w3.org/2000/svg\" " : "", width, height);
    rheo__escape(out, label);
    if (alone)
        rheo__text_add(out, "\" width=\"%g\" height=\"%g\">\n<style>", width, height);
    else
        rheo__text_add(out, "\" style=\"max-width:%gpx\">\n", width);
    if (!alone) return;
    rheo__svg_style(out, false);
    rheo__text_add(out, "</style>\n<rect width=\"100%%\" height=\"100%%\" fill=\"%s\"/>\n",
                   colours[PAPER].light);
}

void rheo__svg_close(rheo_text *out)
{
    rheo__text_add(out, "</svg>\n");
}

void rheo__svg_text(rheo_text *out, double x, double y, const char *class, const char *text)
{
    rheo__text_add(out, "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\">", x, y, class);
    rheo__escape(out, text);
    rheo__text_add(out, "</text>\n");
}

void rheo__svg_line(rheo_text *out, double x0, double y0, double x1, double y1, const char *class)
{
    rheo__text_add(out, "<path d=\"M%.1f %.1fL%.1f %.1f\" class=\"%s\"/>\n", x0, y0, x1, y1, class);
}

void rheo__svg_mark(rheo_text *out, uint32_t family, double x, double y)
{
    /* square, circle, triangle, diamond, upturned triangle; no family: a small square */
    static const char *const shape[] = {
        "m-5 -5h10v10h-10z",     "m-5.5 0a5.5 5.5 0 1 0 11 0a5.5 5.5 0 1 0 -11 0z",
        "m0 -6.5l6.2 11h-12.4z", "m0 -6.8l6 6.8l-6 6.8l-6 -6.8z",
        "m0 6.5l6.2 -11h-12.4z", "m-3.5 -3.5h7v7h-7z"};
    rheo__text_add(out, "<path d=\"M%.1f %.1f%s\" class=\"mark\"/>\n", x, y,
                   shape[family < 5 ? family : 5]);
}

void rheo__svg_family(rheo_text *out, uint32_t family, const char *title)
{
    rheo__text_add(out, "<g class=\"f%u\">", family < 5 ? family : 5);
    if (!title) return;
    rheo__text_add(out, "<title>");
    rheo__escape(out, title);
    rheo__text_add(out, "</title>");
}

void rheo__svg_image(rheo_text *out, const double box[4], const uint8_t *pixels, uint32_t width,
                     uint32_t height, const uint32_t *palette, uint32_t n)
{
    rheo__text_add(out,
                   "<image x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
                   "preserveAspectRatio=\"none\" href=\"",
                   box[0], box[1], box[2], box[3]);
    rheo__png_uri(out, pixels, width, height, palette, n);
    rheo__text_add(out, "\"/>\n");
}
