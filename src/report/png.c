/* png.c: a PNG of palette colours (RFC 2083: IHDR, PLTE, tRNS, IDAT, IEND), as a data URI. Filter 0
 * on every line; zlib at its best level. */
#include "report/svg.h"

#include <string.h>
#include <zlib.h>

static void big32(uint8_t *at, uint32_t x)
{
    for (int i = 0; i < 4; i++) at[i] = (uint8_t)(x >> (24 - 8 * i));
}

static uint8_t *chunk(uint8_t *at, const char *type, const uint8_t *data, uint32_t size)
{
    big32(at, size);
    memcpy(at + 4, type, 4);
    if (data != at + 8 && size) memcpy(at + 8, data, size);
    big32(at + 8 + size, (uint32_t)crc32(0, at + 4, size + 4));
    return at + 12 + size;
}

static void base64(rheo_text *out, const uint8_t *data, size_t size)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        uint32_t bits = 0;
        for (size_t b = 0; b < 3; b++) bits = bits << 8 | (i + b < size ? data[i + b] : 0);
        char four[4];
        for (int d = 0; d < 4; d++) four[d] = digit[bits >> (18 - 6 * d) & 63];
        for (size_t b = size - i; b < 3; b++) four[b + 1] = '=';
        rheo__text_put(out, four, 4);
    }
}

void rheo__png_uri(rheo_text *out, const uint8_t *pixels, uint32_t width, uint32_t height,
                   const uint32_t *palette, uint32_t colours)
{
    size_t raw = ((size_t)width + 1) * height; /* both were checked: at most 2^15 */
    size_t room = compressBound((uLong)raw);
    uint8_t *lines = NULL, *file = NULL;
    if (out->status) return;
    out->status = rheo__alloc(out->ctx, raw, 1, "an image", &lines);
    if (!out->status) out->status = rheo__alloc(out->ctx, room + 2048, 1, "an image", &file);
    if (!out->status) {
        for (uint32_t y = 0; y < height; y++)
            memcpy(lines + (size_t)y * (width + 1) + 1, pixels + (size_t)y * width, width);
        uint8_t head[13] = {0}, rgb[768], alpha[256];
        big32(head, width);
        big32(head + 4, height);
        head[8] = 8;
        head[9] = 3;
        for (uint32_t c = 0; c < colours; c++) {
            for (int i = 0; i < 3; i++)
                rgb[3 * c + (uint32_t)i] = (uint8_t)(palette[c] >> (24 - 8 * i));
            alpha[c] = (uint8_t)palette[c];
        }
        memcpy(file, "\x89PNG\r\n\x1a\n", 8);
        uint8_t *at = chunk(file + 8, "IHDR", head, 13);
        at = chunk(at, "PLTE", rgb, 3 * colours);
        at = chunk(at, "tRNS", alpha, colours);
        uLongf size = (uLongf)room;
        compress2(at + 8, &size, lines, (uLong)raw, 9); /* cannot fail: room is compressBound */
        at = chunk(at, "IDAT", at + 8, (uint32_t)size);
        at = chunk(at, "IEND", NULL, 0);
        rheo__text_add(out, "data:image/png;base64,");
        base64(out, file, (size_t)(at - file));
    }
    rheo__release(out->ctx, lines);
    rheo__release(out->ctx, file);
}
