/* svg.h: a small writer of SVG. Colours are names: in a page they are CSS variables, so one drawing
 * serves light, dark and print; in a file of its own they are written out, light. */
#ifndef RHEO_SRC_SVG_H
#define RHEO_SRC_SVG_H
#include "base/text.h"

/* <, >, &, quotes; what is no UTF-8 or not allowed in XML becomes U+FFFD. */
void rheo__escape(rheo_text *out, const char *text);

/* The custom properties of the page: ":root{--ink:#…}" with the dark ones under their query. */
void rheo__svg_colours(rheo_text *out);
/* The classes that drawings use; variables: by custom property, else by value. */
void rheo__svg_style(rheo_text *out, bool variables);

/* label: what the drawing shows, for those who do not see it. alone: a file of its own. */
void rheo__svg_open(rheo_text *out, double width, double height, const char *label, bool alone);
void rheo__svg_close(rheo_text *out);
/* class: "ax" small and quiet, "lab" a label, "end" or "mid" its anchor */
void rheo__svg_text(rheo_text *out, double x, double y, const char *class, const char *text);
void rheo__svg_line(rheo_text *out, double x0, double y0, double x1, double y1, const char *class);
/* A shape for each family, so colour is never the only sign. */
void rheo__svg_mark(rheo_text *out, uint32_t family, double x, double y);
void rheo__svg_family(rheo_text *out, uint32_t family, const char *title); /* opens a <g> */

/* Pixels of 8 bits in a palette of RGBA (0xRRGGBBAA), as the data URI of a PNG. */
void rheo__png_uri(rheo_text *out, const uint8_t *pixels, uint32_t width, uint32_t height,
                   const uint32_t *palette, uint32_t colours);
/* <image> of such pixels */
void rheo__svg_image(rheo_text *out, const double box[4], const uint8_t *pixels, uint32_t width,
                     uint32_t height, const uint32_t *palette, uint32_t colours);
#endif
