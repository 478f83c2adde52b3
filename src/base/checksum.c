/* checksum.c: SHA-256 (FIPS 180-4) through libmd. */
#include "base/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

#include <sha2.h>

void rheo__sha256(const void *data, size_t size, char out[65])
{
    SHA256Data(data, size, out);
}

rheo_status rheo__sha256_file(rheo_context *ctx, const char *path, char out[65])
{
    char reason[128];
    unsigned char buffer[16384];
    SHA2_CTX state;
    size_t got;
    FILE *file = fopen(path, "rbe");
    if (!file)
        return rheo__fail(ctx, errno == ENOENT ? RHEO_MISSING : RHEO_IO, "cannot read '%s': %s",
                          path, strerror_r(errno, reason, sizeof reason));
    SHA256Init(&state);
    while ((got = fread(buffer, 1, sizeof buffer, file)) > 0) SHA256Update(&state, buffer, got);
    bool failed = ferror(file) != 0;
    int number = errno;
    fclose(file);
    RHEO_CHECK(ctx, !failed, RHEO_IO, "cannot read '%s': %s", path,
               strerror_r(number, reason, sizeof reason));
    SHA256End(&state, out);
    return RHEO_OK;
}
