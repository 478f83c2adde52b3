/* inflate.c: gunzip and raw inflate through zlib, with the context's memory.
 *
 * The room is guessed from the gzip trailer (the length modulo 2^32), which a damaged file may
 * have wrong: deflate cannot expand beyond 1032 times, the caller's limit holds in any case. */
#include "base/file.h"

#include <limits.h>
#include <string.h>
#define ZLIB_CONST /* inputs are const */
#include <zlib.h>

enum { EXPANSION = 1032 };

static void *zlib_alloc(void *ctx, unsigned count, unsigned size)
{
    void *p = NULL;
    return rheo__alloc(ctx, count, size, "zlib's state", &p) == RHEO_OK ? p : NULL;
}

static void zlib_free(void *ctx, void *p)
{
    rheo__release(ctx, p);
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t guess(bool gzip, const unsigned char *data, size_t size, size_t limit)
{
    size_t most = size > SIZE_MAX / EXPANSION ? SIZE_MAX : size * EXPANSION;
    size_t length = limit;
    if (gzip && size >= 4) {
        const unsigned char *p = data + size - 4;
        length = (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;
    }
    return smaller(length, smaller(most, limit));
}

typedef struct job {
    rheo_context *ctx;
    const char *path;
    z_stream stream;
    const unsigned char *in;
    size_t left; /* of in, not yet given to zlib */
    char *out;
    size_t used, room, limit;
    bool gzip;
} job;

static rheo_status damaged(const job *j, const char *why)
{
    return rheo__fail(j->ctx, RHEO_FORMAT, "'%s' is damaged: %s; fetch it again", j->path, why);
}

static rheo_status more_room(job *j)
{
    if (j->used < j->room) return RHEO_OK;
    RHEO_CHECK(j->ctx, j->room < j->limit, RHEO_FORMAT,
               "'%s' unpacks to more than %zu bytes, the most allowed here", j->path, j->limit);
    size_t room = j->room > j->limit / 2 ? j->limit : j->room * 2 + 1024;
    room = smaller(room, j->limit);
    RHEO_TRY(rheo__grow(j->ctx, room + 1, 1, "an unpacked file", &j->out));
    j->room = room;
    return RHEO_OK;
}

/* One call of inflate with what fits zlib's 32-bit counts; *code is its answer. */
static void step(job *j, int *code)
{
    z_stream *s = &j->stream;
    if (s->avail_in == 0) {
        s->next_in = j->in;
        s->avail_in = (uInt)smaller(j->left, UINT_MAX / 2);
        j->in += s->avail_in;
        j->left -= s->avail_in;
    }
    size_t space = smaller(j->room - j->used, UINT_MAX / 2);
    s->next_out = (unsigned char *)j->out + j->used;
    s->avail_out = (uInt)space;
    *code = inflate(s, Z_NO_FLUSH);
    j->used += space - s->avail_out;
}

/* A gzip file may be several, one after the other. */
static rheo_status end_of_member(job *j, bool *end)
{
    z_stream *s = &j->stream;
    *end = s->avail_in == 0 && j->left == 0;
    if (*end) return RHEO_OK;
    if (!j->gzip || *s->next_in != 0x1f) return damaged(j, "there are bytes after its end");
    return inflateReset(s) == Z_OK ? RHEO_OK : damaged(j, "its end");
}

static rheo_status run(job *j)
{
    for (;;) {
        int code;
        bool end = false;
        step(j, &code);
        if (code == Z_STREAM_END) {
            RHEO_TRY(end_of_member(j, &end));
            if (end) return RHEO_OK;
        } else if (code == Z_MEM_ERROR) {
            return RHEO_MEMORY; /* the text is the allocator's */
        } else if (code == Z_BUF_ERROR && j->used < j->room) {
            return damaged(j, "it ends too early");
        } else if (code != Z_OK && code != Z_BUF_ERROR) {
            return damaged(j, j->stream.msg ? j->stream.msg : "not a deflate stream");
        } else {
            RHEO_TRY(more_room(j));
        }
    }
}

rheo_status rheo__inflate(rheo_context *ctx, const char *path, bool gzip, const void *data,
                          size_t size, size_t limit, char **out, size_t *out_size)
{
    job j = {.ctx = ctx, .path = path, .in = data, .left = size, .gzip = gzip};
    j.limit = limit < SIZE_MAX / 4 ? limit : SIZE_MAX / 4;
    j.room = guess(gzip, data, size, j.limit);
    j.stream.zalloc = zlib_alloc;
    j.stream.zfree = zlib_free;
    j.stream.opaque = ctx;
    RHEO_TRY(rheo__alloc(ctx, j.room + 1, 1, "an unpacked file", &j.out));
    rheo_status status =
        inflateInit2(&j.stream, gzip ? 15 + 16 : -15) == Z_OK ? run(&j) : RHEO_MEMORY;
    inflateEnd(&j.stream);
    if (status != RHEO_OK) {
        rheo__release(ctx, j.out);
        return status;
    }
    j.out[j.used] = '\0';
    *out = j.out;
    *out_size = j.used;
    return RHEO_OK;
}
