/* text.h: a growing text, and the nearest name for "did you mean". */
#ifndef RHEO_SRC_TEXT_H
#define RHEO_SRC_TEXT_H
#include "base/context.h"

/* Errors are kept inside: add freely, ask once. Zero-initialise; data is always a valid string
 * after the first add; free with rheo__text_free. */
typedef struct rheo_text {
    rheo_context *ctx;
    char *data;
    size_t size, room;
    rheo_status status;
} rheo_text;
void rheo__text_add(rheo_text *text, const char *format, ...) RHEO_PRINTF(2, 3);
void rheo__text_put(rheo_text *text, const char *data, size_t size);
void rheo__text_free(rheo_text *text);
/* Edit distance (Damerau-Levenshtein, case ignored). */
uint32_t rheo__distance(const char *a, const char *b);
/* The nearest of names (NULL-terminated), or NULL when none is near enough to suggest
 * (distance > 2 and > a third of the length). */
const char *rheo__nearest(const char *name, const char *const *names);
#endif
