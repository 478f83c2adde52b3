/* idx.c: the IDX files of MNIST and its kin, read straight into the data set's memory, so that
 * loading never holds a set twice. Only unsigned bytes are read. */
#include "data/read.h"
#include "base/file.h"
#include <stdio.h>
#include <string.h>
#include <zlib.h>

static const char *const names[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                    "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};

const char *rheo__idx_name(uint32_t part)
{
    return names[part];
}

bool rheo__idx_find(const char *folder, const char *name, char *path)
{
    int stem = (int)strlen(name) - (strstr(name, ".gz") ? 3 : 0);
    static const char *const ends[] = {"", ".gz"};
    for (int i = 0; i < 2; i++) {
        int n = snprintf(path, RHEO_PATH, "%s/%.*s%s", folder, stem, name, ends[i]);
        if (n < RHEO_PATH && rheo__file_exists(path)) return true;
    }
    return false;
}

rheo_status rheo__idx_header(rheo_context *ctx, const char *name, const unsigned char *head,
                             size_t size, rheo_idx *out)
{
    rheo_idx h = {.count = 1};
    RHEO_CHECK(ctx, size >= 4, RHEO_FORMAT,
               "%s: found %zu bytes, expected an IDX header; get the file again", name, size);
    uint32_t dims = head[3];
    RHEO_CHECK(ctx, head[0] == 0 && head[1] == 0 && dims >= 1, RHEO_FORMAT,
               "%s: not an IDX file: magic number %02x%02x%02x%02x, expected 00000801 (labels) or "
               "00000803 (images); give the file that the name promises",
               name, head[0], head[1], head[2], head[3]);
    RHEO_CHECK(
        ctx, head[2] == 8 && dims <= RHEO_IDX_DIMS, RHEO_UNSUPPORTED,
        "%s: IDX of type %02x with %u dimensions, expected type 08 (unsigned bytes) with 1 to "
        "%d; convert it, for example to .npy",
        name, head[2], dims, RHEO_IDX_DIMS);
    h.dims = dims;
    h.header = 4 + (size_t)4 * dims;
    RHEO_CHECK(ctx, size >= h.header, RHEO_FORMAT,
               "%s: truncated: found %zu bytes, expected a header of %zu; get the file again", name,
               size, h.header);
    for (uint32_t i = 0; i < dims; i++) {
        const unsigned char *p = head + 4 + (size_t)4 * i;
        h.shape[i] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
        RHEO_CHECK(ctx, rheo__mul(h.count, h.shape[i], &h.count) && h.count <= RHEO_DATA_BYTES,
                   RHEO_FORMAT,
                   "%s: absurd size: dimension %u is %u, which makes more than %zu bytes; the file "
                   "is damaged",
                   name, i + 1, h.shape[i], RHEO_DATA_BYTES);
    }
    RHEO_CHECK(ctx, h.count > 0, RHEO_FORMAT, "%s: empty: a dimension is 0, expected data", name);
    *out = h;
    return RHEO_OK;
}

/* ---- one file ---------------------------------------------------------------------------------
 */

typedef struct file {
    char path[RHEO_PATH];
    gzFile stream; /* zlib reads plain files as well */
    rheo_idx idx;
    rheo_digest sha;
} file;

/* As much as there is, up to size. */
static size_t take(file *f, void *into, size_t size)
{
    size_t done = 0;
    while (done < size) {
        size_t chunk = size - done < 1 << 18 ? size - done : 1 << 18;
        int n = gzread(f->stream, (char *)into + done, (unsigned)chunk);
        if (n <= 0) break;
        rheo__digest_add(&f->sha, (const char *)into + done, (size_t)n);
        done += (size_t)n;
    }
    return done;
}

/* Whether zlib found no damage other than an early end; else *text says what. */
static bool sound(file *f, const char **text)
{
    int code;
    *text = gzerror(f->stream, &code);
    return code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR;
}

static void shut(file *f)
{
    if (f->stream) gzclose(f->stream);
    f->stream = NULL;
    rheo__digest_drop(&f->sha);
}

/* Opens and reads the header; checks the size that it claims before anybody takes memory for it. */
static rheo_status open_file(rheo_context *ctx, const char *folder, const char *name, uint32_t dims,
                             file *f)
{
    unsigned char head[4 + 4 * RHEO_IDX_DIMS];
    const char *text;
    RHEO_CHECK(ctx, rheo__idx_find(folder, name, f->path), RHEO_MISSING,
               "%s: no file '%s', plain or .gz; put it there, or name another folder", folder,
               name);
    f->stream = gzopen(f->path, "rb");
    RHEO_CHECK(ctx, f->stream, RHEO_IO, "%s: cannot be opened; check its permissions", f->path);
    gzbuffer(f->stream, 1 << 17);
    RHEO_TRY(rheo__digest_begin(ctx, &f->sha));
    size_t n = take(f, head, 4);
    if (n == 4 && head[3] <= RHEO_IDX_DIMS) n += take(f, head + 4, (size_t)4 * head[3]);
    RHEO_CHECK(ctx, sound(f, &text), RHEO_FORMAT, "%s: damaged: %s; get it again", f->path, text);
    RHEO_TRY(rheo__idx_header(ctx, f->path, head, n, &f->idx));
    RHEO_CHECK(ctx, dims == 1 ? f->idx.dims == 1 : f->idx.dims >= 2, RHEO_FORMAT,
               "%s: magic number 000008%02x (%u dimensions), expected %s; give the file that the "
               "name promises",
               f->path, f->idx.dims, f->idx.dims,
               dims == 1 ? "00000801 (labels)" : "00000803 (images)");
    /* deflate packs at most 1032 to 1 */
    uint64_t bytes = rheo__file_size(f->path), most = gzdirect(f->stream) ? bytes : bytes * 1032;
    RHEO_CHECK(ctx, f->idx.count <= most, RHEO_FORMAT,
               "%s: truncated: the header promises %zu bytes of data, the file has %llu; get it "
               "again",
               f->path, f->idx.count, (unsigned long long)bytes);
    return RHEO_OK;
}

/* Reads all elements; the file must end there. */
static rheo_status take_all(rheo_dataset *data, file *f, void *into, const rheo_known_file *known)
{
    size_t n = take(f, into, f->idx.count);
    const char *text = "";
    char more, sha256[65];
    int code = Z_OK;
    if (n == f->idx.count) {
        RHEO_CHECK(data->ctx, gzread(f->stream, &more, 1) != 1, RHEO_FORMAT,
                   "%s: longer than the %zu bytes of data that its header promises; get it again",
                   f->path, n);
    }
    RHEO_CHECK(data->ctx, n == f->idx.count || sound(f, &text), RHEO_FORMAT,
               "%s: damaged: %s after %zu bytes of data, expected %zu; get it again", f->path, text,
               n, f->idx.count);
    RHEO_CHECK(data->ctx, n == f->idx.count, RHEO_FORMAT,
               "%s: truncated: found %zu bytes of data, the header promises %zu; get it again",
               f->path, n, f->idx.count);
    gzerror(f->stream, &code);
    RHEO_CHECK(data->ctx, code == Z_OK || code == Z_STREAM_END, RHEO_FORMAT,
               "%s: damaged at its end, the data are all there; get it again", f->path);
    RHEO_TRY(rheo__digest_end(data->ctx, &f->sha, sha256));
    bool published = known && !strcmp(sha256, known->sha256);
    if (known && !published)
        rheo__message(data->ctx, "%s: content differs from the published file", f->path);
    rheo__data_file(data, f->path, sha256, published);
    return RHEO_OK;
}

/* ---- the four files of a set ------------------------------------------------------------------
 */

static rheo_status check_shapes(rheo_dataset *data, const file f[4])
{
    for (int part = 0; part < 4; part += 2)
        RHEO_CHECK(data->ctx, f[part].idx.shape[0] == f[part + 1].idx.shape[0], RHEO_SHAPE,
                   "%s: %u labels, but %u images in %s; give files that belong together",
                   f[part + 1].path, f[part + 1].idx.shape[0], f[part].idx.shape[0], f[part].path);
    for (uint32_t i = 1; i < RHEO_IDX_DIMS; i++)
        RHEO_CHECK(data->ctx, f[0].idx.shape[i] == f[2].idx.shape[i], RHEO_SHAPE,
                   "%s: dimension %u is %u, but %u in %s; give files that belong together",
                   f[2].path, i + 1, f[2].idx.shape[i], f[0].idx.shape[i], f[0].path);
    size_t total = (size_t)f[0].idx.shape[0] + f[2].idx.shape[0];
    size_t features = f[0].idx.count / f[0].idx.shape[0], bytes;
    RHEO_CHECK(data->ctx,
               total <= RHEO_DATA_SAMPLES && rheo__mul(total, features, &bytes) &&
                   bytes <= RHEO_DATA_BYTES,
               RHEO_UNSUPPORTED, "%s: %zu samples of %zu values are more than this reader takes",
               f[0].path, total, features);
    const uint32_t *s = f[0].idx.shape;
    uint32_t dims = f[0].idx.dims;
    data->shape[0] = dims == 3 ? 1 : s[1];
    data->shape[1] = dims == 2 ? 1 : s[dims - 2];
    data->shape[2] = dims == 2 ? 1 : s[dims - 1];
    data->features = (uint32_t)features;
    data->total = (uint32_t)total;
    return RHEO_OK;
}

static rheo_status read_labels(rheo_dataset *data, file *f, uint32_t first,
                               const rheo_known_set *known, const rheo_known_file *published)
{
    uint8_t *bytes = NULL;
    uint32_t n = f->idx.shape[0];
    RHEO_TRY(rheo__alloc(data->ctx, n, 1, "labels", &bytes));
    rheo_status status = take_all(data, f, bytes, published);
    for (uint32_t i = 0; !status && i < n; i++) {
        data->label[first + i] = bytes[i];
        if (known && bytes[i] >= known->classes)
            status =
                rheo__fail(data->ctx, RHEO_FORMAT,
                           "%s: label %u of sample %u, expected 0 to %u; the file is damaged or "
                           "of another set",
                           f->path, bytes[i], i, known->classes - 1);
        if (bytes[i] >= data->classes) data->classes = (uint32_t)bytes[i] + 1;
    }
    rheo__release(data->ctx, bytes);
    return status;
}

static rheo_status read_four(rheo_dataset *data, file f[4], const char *folder,
                             const rheo_known_set *known, rheo_parts *parts)
{
    const rheo_known_file *wanted[4];
    for (uint32_t i = 0; i < 4; i++) {
        wanted[i] = known ? &known->file[i] : NULL;
        RHEO_TRY(open_file(data->ctx, folder, names[i], i % 2 ? 1 : 3, &f[i]));
    }
    RHEO_TRY(check_shapes(data, f));
    RHEO_TRY(rheo__data_room(data, 1));
    uint8_t *pixels = data->memory[RHEO_MEMORY_X];
    *parts = (rheo_parts){.train = f[0].idx.shape[0], .test = f[2].idx.shape[0]};
    if (known) data->classes = known->classes;
    RHEO_TRY(take_all(data, &f[0], pixels, wanted[0]));
    RHEO_TRY(read_labels(data, &f[1], 0, known, wanted[1]));
    RHEO_TRY(take_all(data, &f[2], pixels + f[0].idx.count, wanted[2]));
    RHEO_TRY(read_labels(data, &f[3], parts->train, known, wanted[3]));
    data->pixels = pixels;
    if (known && known->class_name) return rheo__data_names(data, known->class_name, data->classes);
    return RHEO_OK;
}

rheo_status rheo__read_idx(rheo_dataset *data, const char *folder, const rheo_known_set *known,
                           rheo_parts *parts)
{
    file *f = NULL;
    RHEO_TRY(rheo__alloc(data->ctx, 4, sizeof *f, "IDX files", &f));
    rheo_status status = read_four(data, f, folder, known, parts);
    for (int i = 0; i < 4; i++) shut(&f[i]);
    rheo__release(data->ctx, f);
    return status;
}
