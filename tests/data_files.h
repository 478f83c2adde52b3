/* data_files.h: a temporary folder for a test program, and small files in it. */
#ifndef RHEO_TESTS_DATA_FILES_H
#define RHEO_TESTS_DATA_FILES_H
#include "check.h"
#include "base/file.h"
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

static char folder_[64];

/* "TEMPORARY/name", one of eight texts in turn. */
static inline const char *in_folder(const char *name)
{
    static char path[8][512];
    static int at;
    if (!*folder_) {
        strcpy(folder_, "/tmp/rheobase-test-XXXXXX");
        assert_non_null(mkdtemp(folder_));
    }
    at = (at + 1) % 8;
    snprintf(path[at], sizeof path[at], "%s/%s", folder_, name);
    return path[at];
}

static inline void put_file(const char *path, const void *data, size_t size)
{
    char parent[512];
    snprintf(parent, sizeof parent, "%s", path);
    for (char *p = parent + 1; (p = strchr(p, '/')); p++) {
        *p = '\0';
        mkdir(parent, 0777);
        *p = '/';
    }
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
}

static inline void put_text(const char *path, const char *text)
{
    put_file(path, text, strlen(text));
}

static inline void put_gz(const char *path, const void *data, size_t size)
{
    put_file(path, "", 0); /* makes the folders */
    gzFile f = gzopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(gzwrite(f, data, (unsigned)size), size);
    assert_int_equal(gzclose(f), Z_OK);
}

/* An IDX header of unsigned bytes with these dimensions (0 ends), into out; its length. */
static inline size_t idx_head(unsigned char *out, const uint32_t *shape)
{
    uint32_t dims = 0;
    for (; shape[dims]; dims++)
        for (uint32_t k = 0; k < 4; k++)
            out[4 + 4 * dims + k] = (unsigned char)(shape[dims] >> (24 - 8 * k));
    out[0] = out[1] = 0;
    out[2] = 8;
    out[3] = (unsigned char)dims;
    return 4 + 4 * (size_t)dims;
}

/* Images [n,2,3] with pixel = 10*i + k, labels i % 3, as NAME in folder, plain or .gz. */
static inline void put_idx(const char *folder, const char *name, uint32_t n, bool images, bool gz)
{
    unsigned char data[4096];
    char path[512];
    size_t size = idx_head(data, images ? (uint32_t[]){n, 2, 3, 0} : (uint32_t[]){n, 0});
    for (uint32_t i = 0; i < n; i++) {
        if (!images) data[size++] = (unsigned char)(i % 3);
        for (uint32_t k = 0; images && k < 6; k++) data[size++] = (unsigned char)(10 * i + k);
    }
    snprintf(path, sizeof path, "%s/%s%s", folder, name, gz ? ".gz" : "");
    (gz ? put_gz : put_file)(path, data, size);
}

/* The four files: 7 training and 4 test images. */
static inline void put_set(const char *folder, bool gz)
{
    put_idx(folder, "train-images-idx3-ubyte", 7, true, gz);
    put_idx(folder, "train-labels-idx1-ubyte", 7, false, gz);
    put_idx(folder, "t10k-images-idx3-ubyte", 4, true, gz);
    put_idx(folder, "t10k-labels-idx1-ubyte", 4, false, gz);
}

static inline int remove_one(const char *path, const struct stat *about, int kind, struct FTW *at)
{
    (void)about, (void)kind, (void)at;
    return remove(path);
}

/* For cmocka's group teardown. */
static inline int remove_folder(void **state)
{
    (void)state;
    if (*folder_) nftw(folder_, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    return 0;
}
#endif
