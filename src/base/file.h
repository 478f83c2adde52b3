/* file.h: files as a whole, written beside their target and renamed. */
#ifndef RHEO_SRC_FILE_H
#define RHEO_SRC_FILE_H
#include "base/context.h"

/* The whole file, gunzipped when it begins with the gzip magic (zlib), followed by a 0 byte that
 * is not counted. limit: refuse more bytes than this (also after gunzip, so a bomb stops early).
 * Caller frees with rheo__release. RHEO_MISSING when there is none, RHEO_FORMAT when damaged. */
rheo_status rheo__file_read(rheo_context *ctx, const char *path, size_t limit, char **data,
                            size_t *size);
/* Inflates a gzip file (all its members) or a raw deflate stream; allocated and terminated as by
 * rheo__file_read. path is for the message. RHEO_FORMAT when damaged or larger than limit. */
rheo_status rheo__inflate(rheo_context *ctx, const char *path, bool gzip, const void *data,
                          size_t size, size_t limit, char **out, size_t *out_size);
/* Writes path.tmp-PID, fsync, rename; on any failure the temporary file is gone, the old one
 * whole, and the message names the path and the reason (disk full, no permission, …). */
rheo_status rheo__file_write(rheo_context *ctx, const char *path, const void *data, size_t size);
/* The same for writers that need a path (HDF5): begin gives the temporary path, commit fsyncs and
 * renames, abandon removes. Text is the caller's buffer of RHEO_PATH bytes. */
#define RHEO_PATH 4096
rheo_status rheo__replace_begin(rheo_context *ctx, const char *path, char *temporary);
rheo_status rheo__replace_commit(rheo_context *ctx, const char *path, const char *temporary);
void rheo__replace_abandon(const char *temporary);
bool rheo__file_exists(const char *path);
/* Size of a file in bytes, 0 when there is none. */
uint64_t rheo__file_size(const char *path);
rheo_status rheo__make_folders(rheo_context *ctx, const char *path); /* like mkdir -p */
/* "a" + "/" + "b" into out[RHEO_PATH]; RHEO_USAGE when too long. */
rheo_status rheo__join(rheo_context *ctx, const char *a, const char *b, char *out);
/* Exclusive advisory lock on FOLDER/.lock (flock); RHEO_BUSY names the folder. *fd for unlock. */
rheo_status rheo__lock(rheo_context *ctx, const char *folder, int *fd);
void rheo__unlock(int fd);
/* SHA-256 as 64 hexadecimal digits and a 0 byte (libcrypto); of memory and of a file. */
void rheo__sha256(const void *data, size_t size, char out[65]);
/* The same in pieces: begin, add …, then end or drop. */
typedef struct rheo_digest {
    void *state;
    bool sound;
} rheo_digest;
rheo_status rheo__digest_begin(rheo_context *ctx, rheo_digest *digest);
void rheo__digest_add(rheo_digest *digest, const void *data, size_t size);
rheo_status rheo__digest_end(rheo_context *ctx, rheo_digest *digest, char out[65]);
void rheo__digest_drop(rheo_digest *digest);
rheo_status rheo__sha256_file(rheo_context *ctx, const char *path, char out[65]);
#endif
