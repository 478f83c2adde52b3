/* text.c: a growing text; edit distance for "did you mean" (optimal string alignment: Damerau-
 * Levenshtein in which no piece is edited twice). */
#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static bool make_room(rheo_text *text, size_t more)
{
    size_t need;
    if (text->status != RHEO_OK) return false;
    if (!rheo__add(text->size, more, &need) || !rheo__add(need, 1, &need)) {
        text->status =
            rheo__fail(text->ctx, RHEO_MEMORY, "out of memory: a text of %zu bytes", text->size);
        return false;
    }
    if (need <= text->room) return true;
    size_t room = text->room < 128 ? 256 : text->room + text->room / 2;
    if (room < need) room = need;
    text->status = rheo__grow(text->ctx, room, 1, "a text", &text->data);
    if (text->status != RHEO_OK) return false;
    text->room = room;
    return true;
}

void rheo__text_put(rheo_text *text, const char *data, size_t size)
{
    if (!make_room(text, size)) return;
    if (size) memcpy(text->data + text->size, data, size);
    text->size += size;
    text->data[text->size] = '\0';
}

void rheo__text_add(rheo_text *text, const char *format, ...)
{
    char small[256];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(small, sizeof small, format, args);
    va_end(args);
    if (size < 0) {
        text->status = rheo__fail(text->ctx, RHEO_FAILED, "a text could not be formatted");
    } else if ((size_t)size < sizeof small) {
        rheo__text_put(text, small, (size_t)size);
    } else if (make_room(text, (size_t)size)) {
        va_start(args, format);
        vsnprintf(text->data + text->size, (size_t)size + 1, format, args);
        va_end(args);
        text->size += (size_t)size;
    }
}

void rheo__text_free(rheo_text *text)
{
    rheo__release(text->ctx, text->data);
    text->data = NULL;
    text->size = text->room = 0;
}

enum { NAME_MAX_LENGTH = 63 };

static int lower(char c)
{
    return tolower((unsigned char)c);
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Rows of the table of distances between beginnings: row[i % 3][j] is that of a's first i and b's
 * first j letters; a swap looks two rows back. Names too long for it differ wholly or not at all.
 */
uint32_t rheo__distance(const char *a, const char *b)
{
    size_t la = strlen(a), lb = strlen(b);
    uint32_t row[3][NAME_MAX_LENGTH + 1];
    if (la > NAME_MAX_LENGTH || lb > NAME_MAX_LENGTH)
        return strcmp(a, b) == 0 ? 0 : (uint32_t)(la > lb ? la : lb);
    for (uint32_t j = 0; j <= lb; j++) row[0][j] = j;
    for (uint32_t i = 1; i <= la; i++) {
        uint32_t *now = row[i % 3], *before = row[(i + 2) % 3], *earlier = row[(i + 1) % 3];
        now[0] = i;
        for (uint32_t j = 1; j <= lb; j++) {
            int x = lower(a[i - 1]), y = lower(b[j - 1]);
            uint32_t d = before[j - 1] + (x != y);
            d = least(d, least(before[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && x == lower(b[j - 2]) && lower(a[i - 2]) == y)
                d = least(d, earlier[j - 2] + 1);
            now[j] = d;
        }
    }
    return row[la % 3][lb];
}

const char *rheo__nearest(const char *name, const char *const *names)
{
    const char *best = NULL;
    uint32_t least_distance = UINT32_MAX;
    size_t length = strlen(name);
    for (; *names; names++) {
        uint32_t d = rheo__distance(name, *names);
        size_t other = strlen(*names);
        bool near = d <= 2 || d <= length / 3;
        bool something_in_common = d < (length > other ? length : other);
        if (near && something_in_common && d < least_distance) {
            best = *names;
            least_distance = d;
        }
    }
    return best;
}
