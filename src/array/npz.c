/* npz.c: numpy's .npz, a zip file (PKWARE APPNOTE 6.3.3) of .npy files:
 *
 *   local header, bytes | local header, bytes | … | directory | end record (22 bytes, comment)
 *
 * Read from its end; sizes are the directory's (numpy writes placeholders into local headers).
 * Every offset is checked against what comes after it. Leaves out zip64 (4 GiB and more),
 * encryption, several disks, methods but stored and deflated. */
#include "array/npy.h"
#include "array/npy_parts.h"
#include "base/file.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

enum { END = 22, ENTRY = 46, LOCAL = 30, STORED = 0, DEFLATED = 8, ENCRYPTED = 1 };
/* 1980-01-01, the first day that zip knows: a fixed one, so that equal arrays give equal files */
enum { DAY = 0x21, VERSION = 20 };

typedef struct zip {
    rheo_context *ctx;
    const char *path;
    const unsigned char *data;
    size_t size, limit;
    size_t directory, entries; /* where, how many */
    size_t end;                /* of the directory */
} zip;

typedef struct entry {
    const unsigned char *name;
    uint32_t flags, method, crc, packed, size, name_size, local;
} entry;

static uint32_t get(const unsigned char *p, int bytes)
{
    uint32_t v = 0;
    for (int i = 0; i < bytes; i++) v |= (uint32_t)p[i] << 8 * i;
    return v;
}

static rheo_status damaged(const zip *z, const char *what)
{
    return rheo__fail(z->ctx, RHEO_FORMAT, "'%s' is not a sound .npz: %s", z->path, what);
}

static rheo_status unsupported(const zip *z, const char *what)
{
    return rheo__fail(z->ctx, RHEO_UNSUPPORTED, "'%s' %s; write it again with numpy.savez", z->path,
                      what);
}

/* The end record is the last thing in the file but for its comment. */
static const unsigned char *find_end(const zip *z)
{
    for (size_t comment = 0; comment <= 0xFFFF && comment + END <= z->size; comment++) {
        const unsigned char *p = z->data + z->size - END - comment;
        if (memcmp(p, "PK\5\6", 4) == 0 && get(p + 20, 2) == comment) return p;
    }
    return NULL;
}

static rheo_status open_directory(zip *z)
{
    const unsigned char *p = find_end(z);
    if (!p) return damaged(z, "no end record of a zip file; it may be cut off");
    size_t here = (size_t)(p - z->data);
    uint32_t size = get(p + 12, 4), offset = get(p + 16, 4);
    z->entries = get(p + 10, 2);
    if (z->entries == 0xFFFF || size == UINT32_MAX || offset == UINT32_MAX)
        return unsupported(z, "is a zip64 file (4 GiB or more), which is not read");
    if (get(p + 4, 4) != 0 || get(p + 8, 2) != z->entries)
        return unsupported(z, "is one of several parts");
    if ((size_t)offset + size != here) return damaged(z, "its directory is not where it should be");
    z->directory = offset;
    z->end = here;
    return RHEO_OK;
}

/* Reads the entry at *at and moves *at behind it. */
static rheo_status next_entry(const zip *z, size_t *at, entry *e)
{
    const unsigned char *p = z->data + *at;
    if (z->end - *at < ENTRY || memcmp(p, "PK\1\2", 4) != 0)
        return damaged(z, "its directory has fewer entries than it says");
    e->flags = get(p + 8, 2);
    e->method = get(p + 10, 2);
    e->crc = get(p + 16, 4);
    e->packed = get(p + 20, 4);
    e->size = get(p + 24, 4);
    e->name_size = get(p + 28, 2);
    e->local = get(p + 42, 4);
    e->name = p + ENTRY;
    size_t length = (size_t)ENTRY + e->name_size + get(p + 30, 2) + get(p + 32, 2);
    if (length > z->end - *at) return damaged(z, "an entry reaches beyond its directory");
    *at += length;
    if (e->packed == UINT32_MAX || e->size == UINT32_MAX || e->local == UINT32_MAX)
        return unsupported(z, "is a zip64 file (4 GiB or more), which is not read");
    if (e->flags & ENCRYPTED) return unsupported(z, "is encrypted");
    if (e->method != STORED && e->method != DEFLATED)
        return unsupported(z, "is packed by another method than deflate");
    return RHEO_OK;
}

/* The packed bytes of an entry, which lie between its local header and the directory. */
static rheo_status locate(const zip *z, const entry *e, const unsigned char **data)
{
    const unsigned char *p = z->data + e->local;
    if (e->local > z->directory || z->directory - e->local < LOCAL || memcmp(p, "PK\3\4", 4) != 0)
        return damaged(z, "an entry points to no local header");
    size_t room = z->directory - e->local - LOCAL;
    size_t skip = (size_t)get(p + 26, 2) + get(p + 28, 2);
    if (get(p + 26, 2) != e->name_size || skip > room ||
        memcmp(p + LOCAL, e->name, e->name_size) != 0)
        return damaged(z, "a local header names another array than the directory");
    if (e->packed > room - skip) return damaged(z, "an array reaches into the directory");
    *data = p + LOCAL + skip;
    return RHEO_OK;
}

/* "x.npy" gives "x". */
static rheo_status read_name(const zip *z, const entry *e, char out[64])
{
    size_t size = e->name_size;
    if (size <= 4 || memcmp(e->name + size - 4, ".npy", 4) != 0)
        return unsupported(z, "holds something that is not a .npy array");
    if (size - 4 >= 64) return unsupported(z, "holds an array whose name has 64 letters or more");
    memcpy(out, e->name, size - 4);
    out[size - 4] = '\0';
    for (size_t i = 0; i < size - 4; i++)
        if (e->name[i] < 0x20) return damaged(z, "a name with control characters");
    return RHEO_OK;
}

static rheo_status read_array(const zip *z, const entry *e, rheo_array *out)
{
    char name[64], label[RHEO_PATH + 80];
    const unsigned char *packed = NULL;
    char *plain = NULL;
    size_t size = e->size;
    RHEO_TRY(read_name(z, e, name));
    RHEO_TRY(locate(z, e, &packed));
    snprintf(label, sizeof label, "%.*s: %s", RHEO_PATH, z->path, name);
    if (e->method == DEFLATED)
        RHEO_TRY(rheo__inflate(z->ctx, label, false, packed, e->packed, e->size, &plain, &size));
    else if (e->packed != e->size)
        return damaged(z, "a stored array has two sizes");
    const char *data = plain ? plain : (const char *)packed;
    rheo_status status = RHEO_OK;
    if (size != e->size || crc32_z(0, (const unsigned char *)data, size) != e->crc)
        status = rheo__fail(z->ctx, RHEO_FORMAT, "'%s' is damaged: its checksum is wrong", label);
    if (status == RHEO_OK) status = rheo__npy_parse(z->ctx, label, data, size, out);
    rheo__release(z->ctx, plain);
    if (status == RHEO_OK) memcpy(out->name, name, sizeof name);
    return status;
}

static rheo_status read_entries(const zip *z, rheo_array *arrays)
{
    size_t at = z->directory, total = 0;
    for (size_t i = 0; i < z->entries; i++) {
        entry e;
        RHEO_TRY(next_entry(z, &at, &e));
        total += e.size;
        RHEO_CHECK(z->ctx, total <= z->limit, RHEO_FORMAT,
                   "'%s' unpacks to more than %zu bytes, the most allowed here", z->path, z->limit);
        RHEO_TRY(read_array(z, &e, &arrays[i]));
        for (size_t j = 0; j < i; j++)
            if (strcmp(arrays[j].name, arrays[i].name) == 0)
                return damaged(z, "two arrays have one name");
    }
    return at == z->end ? RHEO_OK : damaged(z, "its directory has more entries than it says");
}

rheo_status rheo__npz_read(rheo_context *ctx, const char *path, size_t limit, rheo_array **out,
                           uint32_t *count)
{
    char *data;
    zip z = {.ctx = ctx, .path = path, .limit = limit};
    RHEO_TRY(rheo__file_read(ctx, path, limit, &data, &z.size));
    z.data = (const unsigned char *)data;
    rheo_array *arrays = NULL;
    rheo_status status = open_directory(&z);
    if (status == RHEO_OK) status = rheo__alloc(ctx, z.entries, sizeof *arrays, path, &arrays);
    if (status == RHEO_OK) status = read_entries(&z, arrays);
    rheo__release(ctx, data);
    if (status != RHEO_OK) {
        rheo__npz_free(ctx, arrays, (uint32_t)z.entries);
        return status;
    }
    *out = arrays;
    *count = (uint32_t)z.entries;
    return RHEO_OK;
}

void rheo__npz_free(rheo_context *ctx, rheo_array *arrays, uint32_t count)
{
    for (uint32_t i = 0; arrays && i < count; i++) rheo__release(ctx, arrays[i].data);
    rheo__release(ctx, arrays);
}

static void put(rheo_text *out, uint32_t value, int bytes)
{
    char p[4];
    for (int i = 0; i < bytes; i++) p[i] = (char)(value >> 8 * i & 255);
    rheo__text_put(out, p, (size_t)bytes);
}

/* From "version needed" to "length of the extra field": the same in both headers. */
static void put_common(rheo_text *out, const entry *e)
{
    put(out, VERSION, 2);
    put(out, 0, 2); /* flags */
    put(out, STORED, 2);
    put(out, 0, 2); /* midnight */
    put(out, DAY, 2);
    put(out, e->crc, 4);
    put(out, e->size, 4);
    put(out, e->size, 4);
    put(out, e->name_size, 2);
    put(out, 0, 2);
}

static rheo_status put_array(rheo_context *ctx, const rheo_array *a, rheo_text *body, entry *e)
{
    rheo_text head = {.ctx = ctx};
    rheo__npy_header(a, &head);
    size_t bytes = (size_t)a->count * rheo__dtype_size(a->dtype);
    size_t size = head.size + bytes;
    if (head.status == RHEO_OK && size + body->size > UINT32_MAX - (1u << 20))
        head.status =
            rheo__fail(ctx, RHEO_UNSUPPORTED,
                       "array '%s' makes the .npz larger than 4 GiB; write .npy files", a->name);
    if (head.status == RHEO_OK) {
        const unsigned char *first = (const unsigned char *)head.data;
        e->crc = (uint32_t)crc32_z(crc32_z(0, first, head.size), a->data, bytes);
        e->size = (uint32_t)size;
        e->local = (uint32_t)body->size;
        e->name_size = (uint32_t)strlen(a->name) + 4;
        rheo__text_put(body, "PK\3\4", 4);
        put_common(body, e);
        rheo__text_add(body, "%s.npy", a->name);
        rheo__text_put(body, head.data, head.size);
        rheo__text_put(body, a->data, bytes);
    }
    rheo__text_free(&head);
    return head.status != RHEO_OK ? head.status : body->status;
}

static void put_entry(const rheo_array *a, const entry *e, rheo_text *directory)
{
    rheo__text_put(directory, "PK\1\2", 4);
    put(directory, VERSION, 2); /* made by */
    put_common(directory, e);
    put(directory, 0, 4); /* no comment; disk 0 */
    put(directory, 0, 2); /* internal attributes */
    put(directory, 0, 4); /* external attributes */
    put(directory, e->local, 4);
    rheo__text_add(directory, "%s.npy", a->name);
}

static void put_end(rheo_text *body, const rheo_text *directory, uint32_t count)
{
    uint32_t offset = (uint32_t)body->size;
    rheo__text_put(body, directory->data, directory->size);
    rheo__text_put(body, "PK\5\6", 4);
    put(body, 0, 4); /* disk 0 of 0 */
    put(body, count, 2);
    put(body, count, 2);
    put(body, (uint32_t)directory->size, 4);
    put(body, offset, 4);
    put(body, 0, 2); /* no comment */
}

rheo_status rheo__npz_write(rheo_context *ctx, const char *path, const rheo_array *arrays,
                            uint32_t count)
{
    rheo_text body = {.ctx = ctx}, directory = {.ctx = ctx};
    rheo_status status = RHEO_OK;
    RHEO_CHECK(ctx, count < 8192, RHEO_UNSUPPORTED,
               "'%s' would hold %u arrays, expected below 8192", path,
               count); /* so that directory and end fit in the MiB that put_array leaves */
    for (uint32_t i = 0; i < count && status == RHEO_OK; i++) {
        entry e = {0};
        status = put_array(ctx, &arrays[i], &body, &e);
        put_entry(&arrays[i], &e, &directory);
        if (status == RHEO_OK) status = directory.status;
    }
    if (status == RHEO_OK) put_end(&body, &directory, count);
    if (status == RHEO_OK) status = body.status;
    if (status == RHEO_OK) status = rheo__file_write(ctx, path, body.data, body.size);
    rheo__text_free(&body);
    rheo__text_free(&directory);
    return status;
}
