/* file.c: files as a whole. A new file is written beside its target, brought to the disk, and
 * renamed over it: a reader sees the old one or the new one, never a piece. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* "cannot VERB 'PATH': reason", the reason from errno */
static rheo_status system_error(rheo_context *ctx, const char *verb, const char *path)
{
    int number = errno;
    char buffer[128];
    const char *reason = strerror_r(number, buffer, sizeof buffer);
    const char *advice = "";
    rheo_status code = RHEO_IO;
    if (number == ENOENT || number == ENOTDIR) code = RHEO_MISSING;
    if (number == ENOSPC || number == EDQUOT || number == EFBIG)
        advice = "; free some space or choose another folder";
    if (number == EACCES || number == EPERM || number == EROFS)
        advice = "; change its permissions or choose another folder";
    return rheo__fail(ctx, code, "cannot %s '%s': %s%s", verb, path, reason, advice);
}

static ssize_t read_some(int fd, char *data, size_t size)
{
    ssize_t got;
    size_t most = (size_t)1 << 30;
    do {
        got = read(fd, data, size < most ? size : most);
    } while (got < 0 && errno == EINTR);
    return got;
}

/* Reads to the end of the file; its size as told is a first guess only. */
static rheo_status read_all(rheo_context *ctx, const char *path, int fd, size_t limit, char **data,
                            size_t *size)
{
    struct stat st;
    if (fstat(fd, &st) != 0) return system_error(ctx, "read", path);
    size_t room = st.st_size > 0 ? (size_t)st.st_size : 4096;
    if (room > limit) room = limit;
    *size = 0;
    RHEO_TRY(rheo__grow(ctx, room + 1, 1, path, data));
    for (;;) {
        /* the last byte shows whether there is more, then holds the 0 */
        ssize_t got = read_some(fd, *data + *size, room + 1 - *size);
        if (got < 0) return system_error(ctx, "read", path);
        if (got == 0) break;
        *size += (size_t)got;
        if (*size <= room) continue;
        RHEO_CHECK(ctx, room < limit, RHEO_FORMAT,
                   "'%s' has more than %zu bytes, the most allowed here", path, limit);
        room = room > limit / 2 ? limit : room * 2;
        RHEO_TRY(rheo__grow(ctx, room + 1, 1, path, data));
    }
    (*data)[*size] = '\0';
    return RHEO_OK;
}

rheo_status rheo__file_read(rheo_context *ctx, const char *path, size_t limit, char **data,
                            size_t *size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return system_error(ctx, "read", path);
    char *raw = NULL, *plain = NULL;
    size_t raw_size = 0;
    if (limit > SIZE_MAX / 4) limit = SIZE_MAX / 4;
    rheo_status status = read_all(ctx, path, fd, limit, &raw, &raw_size);
    close(fd);
    if (status == RHEO_OK && raw_size >= 2 && memcmp(raw, "\x1f\x8b", 2) == 0) {
        status = rheo__inflate(ctx, path, true, raw, raw_size, limit, &plain, &raw_size);
        rheo__release(ctx, raw);
        raw = plain;
    }
    if (status != RHEO_OK) {
        rheo__release(ctx, raw);
        return status;
    }
    *data = raw;
    *size = raw_size;
    return RHEO_OK;
}

rheo_status rheo__replace_begin(rheo_context *ctx, const char *path, char *temporary)
{
    int size = snprintf(temporary, RHEO_PATH, "%s.tmp-%ld", path, (long)getpid());
    RHEO_CHECK(ctx, size > 0 && size < RHEO_PATH, RHEO_USAGE,
               "a path of %zu bytes is too long, expected less than %d", strlen(path), RHEO_PATH);
    return RHEO_OK;
}

void rheo__replace_abandon(const char *temporary)
{
    unlink(temporary);
}

static int sync_path(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC);
    if (fd < 0) return -1;
    int failed = fsync(fd);
    int number = errno;
    close(fd);
    errno = number;
    return failed;
}

/* So that the new name outlives a power cut too; some file systems refuse it, none needs it for
 * the promise above. */
static void sync_folder(const char *path)
{
    char folder[RHEO_PATH];
    const char *slash = strrchr(path, '/');
    size_t size = slash ? (size_t)(slash - path) + 1 : 0;
    if (size >= sizeof folder) return;
    memcpy(folder, path, size);
    folder[size] = '\0';
    sync_path(slash ? folder : ".", O_RDONLY | O_DIRECTORY);
}

rheo_status rheo__replace_commit(rheo_context *ctx, const char *path, const char *temporary)
{
    if (sync_path(temporary, O_RDWR) != 0 || rename(temporary, path) != 0) {
        rheo_status status = system_error(ctx, "write", path);
        unlink(temporary);
        return status;
    }
    sync_folder(path);
    return RHEO_OK;
}

static int write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        size_t most = (size_t)1 << 30;
        ssize_t put = write(fd, data, size < most ? size : most);
        if (put < 0 && errno != EINTR) return -1;
        if (put < 0) continue;
        data += put;
        size -= (size_t)put;
    }
    return 0;
}

rheo_status rheo__file_write(rheo_context *ctx, const char *path, const void *data, size_t size)
{
    char temporary[RHEO_PATH];
    RHEO_TRY(rheo__replace_begin(ctx, path, temporary));
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) return system_error(ctx, "write", path);
    rheo_status status = RHEO_OK;
    if (write_all(fd, data, size) != 0) status = system_error(ctx, "write", path);
    if (close(fd) != 0 && status == RHEO_OK) status = system_error(ctx, "write", path);
    if (status == RHEO_OK) return rheo__replace_commit(ctx, path, temporary);
    rheo__replace_abandon(temporary);
    return status;
}

bool rheo__file_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

uint64_t rheo__file_size(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && st.st_size > 0 ? (uint64_t)st.st_size : 0;
}

static rheo_status make_folder(rheo_context *ctx, const char *path)
{
    struct stat st;
    if (mkdir(path, 0777) == 0) return RHEO_OK;
    int number = errno; /* a folder that is there may answer EACCES or EROFS, not EEXIST */
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) return RHEO_OK;
    errno = number;
    return system_error(ctx, "make the folder", path);
}

rheo_status rheo__make_folders(rheo_context *ctx, const char *path)
{
    char part[RHEO_PATH];
    size_t size = strlen(path);
    RHEO_CHECK(ctx, size > 0 && size < sizeof part, RHEO_USAGE,
               "a folder's path has %zu bytes, expected 1 to %d", size, RHEO_PATH - 1);
    for (size_t i = 1; i <= size; i++) {
        if (path[i] != '/' && path[i] != '\0') continue;
        memcpy(part, path, i);
        part[i] = '\0';
        RHEO_TRY(make_folder(ctx, part));
    }
    return RHEO_OK;
}

rheo_status rheo__join(rheo_context *ctx, const char *a, const char *b, char *out)
{
    size_t length = strlen(a);
    const char *slash = length > 0 && a[length - 1] != '/' ? "/" : "";
    char joined[RHEO_PATH]; /* apart, since a may be out */
    int size = snprintf(joined, sizeof joined, "%s%s%s", a, slash, b);
    RHEO_CHECK(ctx, size >= 0 && size < RHEO_PATH, RHEO_USAGE,
               "a path of %zu bytes is too long, expected less than %d", length + strlen(b) + 1,
               RHEO_PATH);
    memcpy(out, joined, (size_t)size + 1);
    return RHEO_OK;
}

rheo_status rheo__lock(rheo_context *ctx, const char *folder, int *fd)
{
    char path[RHEO_PATH];
    RHEO_TRY(rheo__join(ctx, folder, ".lock", path));
    int handle = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (handle < 0) return system_error(ctx, "lock", folder);
    if (flock(handle, LOCK_EX | LOCK_NB) != 0) {
        rheo_status status = RHEO_BUSY;
        if (errno == EWOULDBLOCK)
            rheo__fail(ctx, RHEO_BUSY,
                       "the folder '%s' is in use by another run; wait for it or choose another",
                       folder);
        else
            status = system_error(ctx, "lock", folder);
        close(handle);
        return status;
    }
    *fd = handle;
    return RHEO_OK;
}

void rheo__unlock(int fd)
{
    close(fd);
}
