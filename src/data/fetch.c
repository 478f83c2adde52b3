/* fetch.c: downloading the published files with libcurl: into FILE.part, resumed when it was cut
 * off, renamed when the content's checksum is right. */
#include "data/read.h"
#include "base/file.h"
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int on_progress(void *ctx, curl_off_t total, curl_off_t now, curl_off_t up, curl_off_t upped)
{
    (void)total, (void)now, (void)up, (void)upped;
    return rheo__interrupted(ctx);
}

static bool set_up(CURL *curl, const char *url, FILE *file, long long from, char *error,
                   rheo_context *ctx)
{
    return !curl_easy_setopt(curl, CURLOPT_URL, url) &&
           !curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https") &&
           !curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https") &&
           !curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L) &&
           !curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 5L) &&
           !curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L) &&
           !curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) &&
           !curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 20L) &&
           !curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 10L) &&
           !curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, 30L) &&
           !curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)RHEO_DATA_BYTES) &&
           !curl_easy_setopt(curl, CURLOPT_RESUME_FROM_LARGE, (curl_off_t)from) &&
           !curl_easy_setopt(curl, CURLOPT_WRITEDATA, file) &&
           !curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error) &&
           !curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L) &&
           !curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress) &&
           !curl_easy_setopt(curl, CURLOPT_XFERINFODATA, ctx);
}

/* Gets the rest of the file (none is fine). *again: the server cannot go on from there. */
static rheo_status transfer(rheo_context *ctx, const char *url, const char *path, bool *again)
{
    char error[CURL_ERROR_SIZE] = "";
    long code = 0;
    long long from = (long long)rheo__file_size(path);
    FILE *file = fopen(path, "ab");
    RHEO_CHECK(ctx, file, RHEO_IO, "%s: cannot be written: %s", path, strerror(errno));
    CURL *curl = curl_easy_init();
    CURLcode result = CURLE_FAILED_INIT;
    if (curl && set_up(curl, url, file, from, error, ctx)) {
        result = curl_easy_perform(curl);
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
    }
    curl_easy_cleanup(curl);
    bool written = !ferror(file) && !fflush(file) && !fsync(fileno(file));
    int reason = errno;
    written = !fclose(file) && written;
    *again = from > 0 && result == CURLE_RANGE_ERROR;
    if (*again) return RHEO_OK;
    if (result && rheo__file_size(path) == 0) unlink(path);
    RHEO_CHECK(ctx, result != CURLE_ABORTED_BY_CALLBACK, RHEO_INTERRUPTED,
               "%s: interrupted; run the same command again to go on", url);
    RHEO_CHECK(ctx, written && result != CURLE_WRITE_ERROR, RHEO_IO, "%s: cannot be written: %s",
               path, strerror(reason));
    RHEO_CHECK(ctx, result == CURLE_OK, code >= 400 ? RHEO_MISSING : RHEO_IO,
               "%s: download failed: %s; try again later (it goes on where it stopped), or set "
               "RHEOBASE_MIRROR",
               url, *error ? error : curl_easy_strerror(result));
    return RHEO_OK;
}

/* The checksum of the content is the published one. Memory is the only error. */
static rheo_status content_is(rheo_context *ctx, const char *path, const char *sha256, bool *same)
{
    char *text = NULL, found[65] = "";
    size_t size;
    rheo_status status = rheo__file_read(ctx, path, RHEO_DATA_BYTES, &text, &size);
    if (!status) rheo__sha256(text, size, found);
    rheo__release(ctx, text);
    *same = !strcmp(found, sha256);
    return status == RHEO_MEMORY ? status : RHEO_OK;
}

rheo_status rheo__fetch_file(rheo_context *ctx, const char *url, const char *sha256,
                             const char *target)
{
    char part[RHEO_PATH];
    bool same = false, again = false;
    RHEO_CHECK(ctx, snprintf(part, sizeof part, "%s.part", target) < (int)sizeof part, RHEO_USAGE,
               "%s: the path is too long", target);
    /* A part that a server will not go on with, or that has become something else, is thrown away
     * and the download starts anew, once. */
    for (int attempt = 0; attempt < 2 && !same; attempt++) {
        bool resumed = rheo__file_size(part) > 0;
        RHEO_TRY(transfer(ctx, url, part, &again));
        RHEO_TRY(content_is(ctx, part, sha256, &same));
        if (!same) unlink(part);
        if (!resumed) break;
    }
    RHEO_CHECK(ctx, same, RHEO_FORMAT,
               "%s: the content is not the published file (another checksum); try again, or set "
               "RHEOBASE_MIRROR",
               url);
    RHEO_CHECK(ctx, !rename(part, target), RHEO_IO, "%s: cannot be written: %s", target,
               strerror(errno));
    return RHEO_OK;
}

static rheo_status fetch_all(rheo_context *ctx, const rheo_known_set *set, const char *folder,
                             rheo_text *out)
{
    const char *mirror = getenv("RHEOBASE_MIRROR");
    char path[RHEO_PATH], url[RHEO_PATH];
    for (int i = 0; i < 4; i++) {
        const rheo_known_file *file = &set->file[i];
        bool there = false;
        RHEO_TRY(rheo__join(ctx, folder, file->name, path));
        if (rheo__file_exists(path)) RHEO_TRY(content_is(ctx, path, file->sha256, &there));
        if (!there) {
            int n = mirror && *mirror
                        ? snprintf(url, sizeof url, "%s/%s/%s", mirror, set->name, file->name)
                        : snprintf(url, sizeof url, "%s", file->url);
            RHEO_CHECK(ctx, n < (int)sizeof url, RHEO_USAGE, "RHEOBASE_MIRROR: longer than %zu",
                       sizeof url);
            rheo__message(ctx, "fetching %s", url);
            RHEO_TRY(rheo__fetch_file(ctx, url, file->sha256, path));
        }
        rheo__text_add(out, "%s: %s, checksum right\n", path, there ? "there already" : "fetched");
    }
    return out->status;
}

rheo_status rheo__data_fetch(rheo_context *ctx, const char *name, rheo_text *out)
{
    char folder[RHEO_PATH];
    int lock;
    const char *names[16];
    uint32_t n = 0;
    const rheo_known_set *set = rheo__data_find_known(name), *other;
    for (uint32_t i = 0; (other = rheo__data_known(i)) && n < 15; i++) names[n++] = other->name;
    names[n] = NULL;
    const char *near = rheo__nearest(name, names);
    RHEO_CHECK(ctx, set, RHEO_USAGE, "no data set '%s'%s%s%s; see 'rheobase data list'", name,
               near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    if (!set->file[0].name) {
        rheo__text_add(out, "%s: built in, nothing to fetch\n", name);
        return out->status;
    }
    RHEO_TRY(rheo__data_home(ctx, name, folder));
    RHEO_TRY(rheo__make_folders(ctx, folder));
    RHEO_TRY(rheo__lock(ctx, folder, &lock));
    rheo_status status = fetch_all(ctx, set, folder, out);
    rheo__unlock(lock);
    return status;
}
