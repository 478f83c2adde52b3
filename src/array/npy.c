/* npy.c: numpy's .npy format, versions 1 to 3 (numpy.lib.format):
 *
 *   "\x93NUMPY" | major minor | length of header, 2 or 4 bytes | header | data
 *
 * The header is a Python dictionary of three entries: descr, fortran_order, shape. Leaves out
 * records, objects, texts, complex and extended numbers. */
#include "array/npy.h"
#include "array/npy_parts.h"
#include "base/file.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *descr; /* as written, without the byte order */
    size_t size;
} dtypes[] = {
    [RHEO_U8] = {"u1", 1},  [RHEO_I32] = {"i4", 4}, [RHEO_I64] = {"i8", 8},
    [RHEO_F32] = {"f4", 4}, [RHEO_F64] = {"f8", 8},
};

size_t rheo__dtype_size(rheo_dtype dtype)
{
    return dtypes[dtype].size;
}

double rheo__array_element(const rheo_array *a, uint64_t i)
{
    switch (a->dtype) {
    case RHEO_U8:
        return ((const uint8_t *)a->data)[i];
    case RHEO_I32:
        return ((const int32_t *)a->data)[i];
    case RHEO_I64:
        return (double)((const int64_t *)a->data)[i];
    case RHEO_F32:
        return (double)((const float *)a->data)[i];
    default:
        return ((const double *)a->data)[i];
    }
}

static float half(uint64_t bits)
{
    int exponent = (int)(bits >> 10 & 31), fraction = (int)(bits & 1023);
    float magnitude;
    if (exponent == 31)
        magnitude = fraction ? NAN : INFINITY;
    else if (exponent == 0)
        magnitude = ldexpf((float)fraction, -24);
    else
        magnitude = ldexpf((float)(fraction + 1024), exponent - 25);
    return bits >> 15 ? -magnitude : magnitude;
}

/* Each stores one element, given as the unsigned number that its bytes are. */
static void put_8(uint64_t v, void *out)
{
    uint8_t x = (uint8_t)v;
    memcpy(out, &x, sizeof x);
}

static void put_32(uint64_t v, void *out)
{
    uint32_t x = (uint32_t)v;
    memcpy(out, &x, sizeof x);
}

static void put_64(uint64_t v, void *out)
{
    memcpy(out, &v, sizeof v);
}

static void put_i8(uint64_t v, void *out)
{
    int32_t x = (int8_t)(uint8_t)v;
    memcpy(out, &x, sizeof x);
}

static void put_i16(uint64_t v, void *out)
{
    int32_t x = (int16_t)(uint16_t)v;
    memcpy(out, &x, sizeof x);
}

static void put_half(uint64_t v, void *out)
{
    float x = half(v);
    memcpy(out, &x, sizeof x);
}

typedef struct type {
    const char *descr;
    size_t size;
    rheo_dtype dtype;
    void (*put)(uint64_t v, void *out);
} type;

static const type types[] = {
    {"b1", 1, RHEO_U8, put_8},     {"u1", 1, RHEO_U8, put_8},   {"i1", 1, RHEO_I32, put_i8},
    {"i2", 2, RHEO_I32, put_i16},  {"u2", 2, RHEO_I32, put_32}, {"i4", 4, RHEO_I32, put_32},
    {"u4", 4, RHEO_I64, put_64},   {"i8", 8, RHEO_I64, put_64}, {"u8", 8, RHEO_I64, put_64},
    {"f2", 2, RHEO_F32, put_half}, {"f4", 4, RHEO_F32, put_32}, {"f8", 8, RHEO_F64, put_64},
};

typedef struct header {
    const type *type;
    bool big, fortran;
    uint32_t dims;
    uint64_t shape[RHEO_DIMS];
} header;

/* The header's text, and where its reader is. */
typedef struct cursor {
    rheo_context *ctx;
    const char *name, *at, *end;
} cursor;

static rheo_status damaged(cursor *c, const char *expected)
{
    return rheo__fail(c->ctx, RHEO_FORMAT, "'%s' is not a sound .npy array: expected %s", c->name,
                      expected);
}

static void skip_blanks(cursor *c)
{
    while (c->at < c->end && strchr(" \t\r\n", *c->at) && *c->at) c->at++;
}

static bool take(cursor *c, const char *text)
{
    size_t size = strlen(text);
    skip_blanks(c);
    if ((size_t)(c->end - c->at) < size || memcmp(c->at, text, size) != 0) return false;
    c->at += size;
    return true;
}

static bool take_quoted(cursor *c, char *out, size_t room)
{
    const char *quote = take(c, "'") ? "'" : take(c, "\"") ? "\"" : NULL;
    size_t size = 0;
    if (!quote) return false;
    while (c->at < c->end && *c->at != *quote && size + 1 < room) out[size++] = *c->at++;
    out[size] = '\0';
    return take(c, quote);
}

static bool take_size(cursor *c, uint64_t *out)
{
    const char *start;
    uint64_t value = 0;
    skip_blanks(c);
    for (start = c->at; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*c->at - '0'), &value))
            return false;
    bool some = c->at > start;
    if (c->at < c->end && *c->at == 'L') c->at++; /* Python 2 */
    *out = value;
    return some;
}

static rheo_status read_descr(cursor *c, header *h)
{
    char descr[32];
    RHEO_CHECK(c->ctx, take_quoted(c, descr, sizeof descr), RHEO_UNSUPPORTED,
               "'%s' holds records; expected an array of numbers of one type", c->name);
    bool order = descr[0] && strchr("<>|=", descr[0]);
    bool big_here = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
    h->big = descr[0] == '>' || (descr[0] != '<' && big_here);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (strcmp(descr + order, types[i].descr) == 0) h->type = &types[i];
    RHEO_CHECK(c->ctx, h->type, RHEO_UNSUPPORTED,
               "'%s' holds numbers of type '%s'; expected bool, int, uint of at most 64 bits or "
               "float16, 32 or 64; convert it with astype('float32')",
               c->name, descr);
    if (descr[0] == '|' && h->type->size > 1) return damaged(c, "a byte order, < or >, in descr");
    return RHEO_OK;
}

static rheo_status read_order(cursor *c, header *h)
{
    h->fortran = take(c, "True");
    return h->fortran || take(c, "False") ? RHEO_OK : damaged(c, "True or False in fortran_order");
}

static rheo_status read_shape(cursor *c, header *h)
{
    if (!take(c, "(")) return damaged(c, "a shape such as (60000, 784)");
    while (!take(c, ")")) {
        uint64_t size;
        if (!take_size(c, &size)) return damaged(c, "sizes in its shape");
        RHEO_CHECK(c->ctx, h->dims < RHEO_DIMS, RHEO_UNSUPPORTED,
                   "'%s' has more than %d dimensions; reshape it", c->name, RHEO_DIMS);
        h->shape[h->dims++] = size;
        if (!take(c, ",") && !(c->at < c->end && *c->at == ')'))
            return damaged(c, "commas between the sizes of its shape");
    }
    return RHEO_OK;
}

static const struct {
    const char *key;
    rheo_status (*read)(cursor *, header *);
} entries[] = {{"descr", read_descr}, {"fortran_order", read_order}, {"shape", read_shape}};
enum { ENTRIES = sizeof entries / sizeof entries[0] };

static rheo_status read_dictionary(cursor *c, header *h)
{
    bool seen[ENTRIES] = {false};
    char key[32];
    size_t found = 0;
    if (!take(c, "{")) return damaged(c, "a header that begins with {");
    while (!take(c, "}")) {
        size_t i = 0;
        if (!take_quoted(c, key, sizeof key) || !take(c, ":"))
            return damaged(c, "a key in its header");
        while (i < ENTRIES && strcmp(entries[i].key, key) != 0) i++;
        if (i == ENTRIES || seen[i]) return damaged(c, "descr, fortran_order and shape, each once");
        seen[i] = true;
        found++;
        RHEO_TRY(entries[i].read(c, h));
        if (!take(c, ",") && !(c->at < c->end && *c->at == '}'))
            return damaged(c, "commas between the entries of its header");
    }
    skip_blanks(c);
    if (found != ENTRIES) return damaged(c, "descr, fortran_order and shape in its header");
    return c->at == c->end ? RHEO_OK : damaged(c, "nothing after the } of its header");
}

/* Finds the header and leaves *offset at the data. */
static rheo_status read_header(cursor *c, const char *data, size_t size, header *h, size_t *offset)
{
    const unsigned char *p = (const unsigned char *)data;
    if (size < 10 || memcmp(data, "\x93NUMPY", 6) != 0)
        return damaged(c, "the magic bytes \\x93NUMPY");
    RHEO_CHECK(c->ctx, p[6] >= 1 && p[6] <= 3, RHEO_UNSUPPORTED,
               "'%s' is a .npy of version %d.%d, expected 1 to 3", c->name, p[6], p[7]);
    size_t start = p[6] == 1 ? 10 : 12;
    size_t length = (size_t)p[8] | (size_t)p[9] << 8;
    if (size < start) return damaged(c, "a header");
    if (p[6] > 1) length |= (size_t)p[10] << 16 | (size_t)p[11] << 24;
    if (length > size - start) return damaged(c, "a header that ends within the file");
    c->at = data + start;
    c->end = c->at + length;
    *offset = start + length;
    return read_dictionary(c, h);
}

static uint64_t load(const unsigned char *p, size_t size, bool big)
{
    uint64_t v = 0;
    for (size_t i = 0; i < size; i++) v |= (uint64_t)p[i] << 8 * (big ? size - 1 - i : i);
    return v;
}

/* Goes through the data in its own order; `to` is the element's place in C order. */
static void convert(const header *h, const char *data, rheo_array *a)
{
    size_t from = h->type->size, size = rheo__dtype_size(a->dtype);
    uint64_t index[RHEO_DIMS] = {0}, stride[RHEO_DIMS], step = 1, to = 0;
    bool big_here = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
    if (!h->fortran && from == size && (size == 1 || h->big == big_here)) {
        memcpy(a->data, data, (size_t)a->count * size); /* types of one size are of one kind */
        return;
    }
    for (uint32_t d = a->dims; d-- > 0; step *= a->shape[d]) stride[d] = step;
    for (uint64_t i = 0; i < a->count; i++) {
        h->type->put(load((const unsigned char *)data + i * from, from, h->big),
                     (char *)a->data + (h->fortran ? to : i) * size);
        for (uint32_t d = 0; h->fortran && d < a->dims; d++) {
            to += stride[d];
            if (++index[d] < a->shape[d]) break;
            to -= stride[d] * a->shape[d];
            index[d] = 0;
        }
    }
}

/* uint64 above the largest int64 has no place in the five types. */
static rheo_status check_range(rheo_context *ctx, const char *name, const header *h,
                               const rheo_array *a)
{
    if (strcmp(h->type->descr, "u8") != 0) return RHEO_OK;
    for (uint64_t i = 0; i < a->count; i++)
        RHEO_CHECK(ctx, ((const int64_t *)a->data)[i] >= 0, RHEO_UNSUPPORTED,
                   "'%s' holds uint64 numbers above 2^63-1; convert it with astype('int64')", name);
    return RHEO_OK;
}

static rheo_status measure(cursor *c, const header *h, size_t bytes, uint64_t *count)
{
    size_t n = 1, need;
    for (uint32_t d = 0; d < h->dims; d++)
        if (!rheo__mul(n, (size_t)h->shape[d], &n))
            return damaged(c, "a shape that memory can hold");
    if (!rheo__mul(n, h->type->size, &need)) return damaged(c, "a shape that memory can hold");
    *count = n;
    RHEO_CHECK(c->ctx, need == bytes, RHEO_FORMAT,
               "'%s' has %zu bytes of data, expected %zu for its shape; it may be cut off", c->name,
               bytes, need);
    return RHEO_OK;
}

rheo_status rheo__npy_parse(rheo_context *ctx, const char *name, const char *data, size_t size,
                            rheo_array *out)
{
    cursor c = {.ctx = ctx, .name = name};
    header h = {0};
    rheo_array a = {0};
    size_t offset = 0;
    RHEO_TRY(read_header(&c, data, size, &h, &offset));
    RHEO_TRY(measure(&c, &h, size - offset, &a.count));
    snprintf(a.name, sizeof a.name, "%.63s", name);
    a.dtype = h.type->dtype;
    a.dims = h.dims;
    memcpy(a.shape, h.shape, sizeof a.shape);
    RHEO_TRY(rheo__alloc(ctx, a.count, rheo__dtype_size(a.dtype), name, &a.data));
    convert(&h, data + offset, &a);
    rheo_status status = check_range(ctx, name, &h, &a);
    if (status != RHEO_OK) {
        rheo__release(ctx, a.data);
        return status;
    }
    *out = a;
    return RHEO_OK;
}

rheo_status rheo__npy_read(rheo_context *ctx, const char *path, size_t limit, rheo_array *out)
{
    char *data;
    size_t size;
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    RHEO_TRY(rheo__file_read(ctx, path, limit, &data, &size));
    rheo_status status = rheo__npy_parse(ctx, path, data, size, out);
    rheo__release(ctx, data);
    if (status == RHEO_OK)
        snprintf(out->name, sizeof out->name, "%.*s", (int)strcspn(name, "."), name);
    return status;
}

void rheo__npy_header(const rheo_array *a, rheo_text *out)
{
    bool big = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
    char text[320];
    char order = a->dtype == RHEO_U8 ? '|' : big ? '>' : '<';
    int size = snprintf(text, sizeof text, "{'descr': '%c%s', 'fortran_order': False, 'shape': (",
                        order, dtypes[a->dtype].descr);
    for (uint32_t d = 0; d < a->dims; d++)
        size +=
            snprintf(text + size, sizeof text - (size_t)size, "%s%llu%s", d ? " " : "",
                     (unsigned long long)a->shape[d], d + 1 < a->dims || a->dims == 1 ? "," : "");
    size += snprintf(text + size, sizeof text - (size_t)size, "), }");
    int length = (10 + size + 1 + 63) / 64 * 64 - 10; /* data at a multiple of 64 bytes */
    const char head[] = {
        '\x93', 'N', 'U', 'M', 'P', 'Y', 1, 0, (char)(length & 255), (char)(length >> 8)};
    rheo__text_put(out, head, sizeof head);
    rheo__text_add(out, "%s%*s\n", text, length - size - 1, "");
}

rheo_status rheo__npy_write(rheo_context *ctx, const char *path, const rheo_array *array)
{
    rheo_text out = {.ctx = ctx};
    rheo__npy_header(array, &out);
    rheo__text_put(&out, array->data, (size_t)array->count * rheo__dtype_size(array->dtype));
    rheo_status status = out.status;
    if (status == RHEO_OK) status = rheo__file_write(ctx, path, out.data, out.size);
    rheo__text_free(&out);
    return status;
}
