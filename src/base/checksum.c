/* checksum.c: SHA-256 (FIPS 180-4) through libcrypto, which uses the processor's SHA instructions
 * where there are some. */
#include "base/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

#include <openssl/evp.h>
#include <openssl/sha.h>

static void print(const unsigned char digest[SHA256_DIGEST_LENGTH], char out[65])
{
    for (int i = 0; i < SHA256_DIGEST_LENGTH; i++) snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

void rheo__sha256(const void *data, size_t size, char out[65])
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256(data, size, digest);
    print(digest, out);
}

rheo_status rheo__digest_begin(rheo_context *ctx, rheo_digest *d)
{
    d->state = EVP_MD_CTX_new();
    d->sound = d->state && EVP_DigestInit_ex(d->state, EVP_sha256(), NULL) == 1;
    if (d->sound) return RHEO_OK;
    rheo__digest_drop(d);
    return rheo__fail(ctx, RHEO_MEMORY, "no memory for a checksum");
}

void rheo__digest_add(rheo_digest *d, const void *data, size_t size)
{
    d->sound = d->sound && EVP_DigestUpdate(d->state, data, size) == 1;
}

rheo_status rheo__digest_end(rheo_context *ctx, rheo_digest *d, char out[65])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    bool sound = d->sound && EVP_DigestFinal_ex(d->state, digest, NULL) == 1;
    rheo__digest_drop(d);
    RHEO_CHECK(ctx, sound, RHEO_MEMORY, "no memory for a checksum");
    print(digest, out);
    return RHEO_OK;
}

void rheo__digest_drop(rheo_digest *d)
{
    EVP_MD_CTX_free(d->state);
    d->state = NULL;
}

rheo_status rheo__sha256_file(rheo_context *ctx, const char *path, char out[65])
{
    char reason[128];
    unsigned char buffer[16384];
    rheo_digest digest;
    size_t got;
    FILE *file = fopen(path, "rbe");
    if (!file)
        return rheo__fail(ctx, errno == ENOENT ? RHEO_MISSING : RHEO_IO, "cannot read '%s': %s",
                          path, strerror_r(errno, reason, sizeof reason));
    rheo_status status = rheo__digest_begin(ctx, &digest);
    while (!status && (got = fread(buffer, 1, sizeof buffer, file)) > 0)
        rheo__digest_add(&digest, buffer, got);
    if (!status && ferror(file)) {
        status = rheo__fail(ctx, RHEO_IO, "cannot read '%s': %s", path,
                            strerror_r(errno, reason, sizeof reason));
        rheo__digest_drop(&digest);
    }
    fclose(file);
    return status ? status : rheo__digest_end(ctx, &digest, out);
}
