/* modelfile.c: slots to and from HDF5. Written without times, threads or paths, so equal content
 * gives equal bytes; beside its place, then renamed. HDF5's own error printing is kept quiet, and one
 * call at a time goes through the library, which is not made for threads. */
#include "base/file.h"
#include "net/net.h"
#include <hdf5.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define RHEO_MODEL_VERSION 1
#define RHEO_TEXT_LIMIT    (1u << 22)

static pthread_mutex_t hdf5_lock = PTHREAD_MUTEX_INITIALIZER;

static hid_t memory_type(const rheo_slot *slot)
{
    switch (slot->type) {
    case RHEO_SLOT_F32:
        return H5T_NATIVE_FLOAT;
    case RHEO_SLOT_F64:
        return H5T_NATIVE_DOUBLE;
    case RHEO_SLOT_U32:
        return H5T_NATIVE_UINT32;
    case RHEO_SLOT_U64:
        return H5T_NATIVE_UINT64;
    case RHEO_SLOT_U8:
        return H5T_NATIVE_UINT8;
    }
    return H5I_INVALID_HID;
}

static hid_t file_type(const rheo_slot *slot)
{
    switch (slot->type) {
    case RHEO_SLOT_F32:
        return H5T_IEEE_F32LE;
    case RHEO_SLOT_F64:
        return H5T_IEEE_F64LE;
    case RHEO_SLOT_U32:
        return H5T_STD_U32LE;
    case RHEO_SLOT_U64:
        return H5T_STD_U64LE;
    case RHEO_SLOT_U8:
        return H5T_STD_U8LE;
    }
    return H5I_INVALID_HID;
}

static size_t element_size(const rheo_slot *slot)
{
    static const size_t size[] = {4, 8, 4, 8, 1};
    return size[slot->type];
}

#define MOST_DIMS 5

/* Shape in the file: the slot's own, else [rows, cols], or [cols, rows] of a transposed slot, or a
 * vector. */
static int file_shape(const rheo_slot *slot, hsize_t shape[MOST_DIMS])
{
    for (uint32_t d = 0; d < slot->dims; d++) shape[d] = slot->shape[d];
    if (slot->dims) return (int)slot->dims;
    shape[0] = slot->transposed ? slot->cols : slot->rows;
    shape[1] = slot->transposed ? slot->rows : slot->cols;
    return slot->cols == 0 ? 1 : 2;
}

static size_t slot_count(const rheo_slot *slot)
{
    return (size_t)slot->rows * (slot->cols ? slot->cols : 1);
}

static void transpose(const float *from, uint32_t rows, uint32_t cols, float *to)
{
    for (uint32_t r = 0; r < rows; r++)
        for (uint32_t c = 0; c < cols; c++) to[(size_t)c * rows + r] = from[(size_t)r * cols + c];
}

/* ---- writing ---- */

static bool write_slot(hid_t file, hid_t link, hid_t create, const rheo_slot *slot, float *turned)
{
    hsize_t shape[MOST_DIMS];
    int dims = file_shape(slot, shape);
    hid_t space = H5Screate_simple(dims, shape, NULL);
    hid_t set = H5Dcreate2(file, slot->path, file_type(slot), space, link, create, H5P_DEFAULT);
    const void *data = slot->data;
    if (slot->transposed) {
        transpose(slot->data, slot->rows, slot->cols, turned);
        data = turned;
    }
    bool fine = set >= 0;
    if (fine && slot_count(slot) > 0)
        fine = H5Dwrite(set, memory_type(slot), H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0;
    if (set >= 0) H5Dclose(set);
    H5Sclose(space);
    return fine;
}

static bool write_text(hid_t file, hid_t create, const char *text)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, strlen(text) + 1);
    H5Tset_cset(type, H5T_CSET_UTF8);
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t set = H5Dcreate2(file, "/net", type, space, H5P_DEFAULT, create, H5P_DEFAULT);
    bool fine = set >= 0 && H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) >= 0;
    if (set >= 0) H5Dclose(set);
    H5Sclose(space);
    H5Tclose(type);
    return fine;
}

static bool write_attributes(hid_t file)
{
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, 9);
    hid_t format = H5Acreate2(file, "format", type, space, H5P_DEFAULT, H5P_DEFAULT);
    bool fine = format >= 0 && H5Awrite(format, type, "rheobase") >= 0;
    if (format >= 0) H5Aclose(format);
    uint32_t number = RHEO_MODEL_VERSION;
    hid_t version = H5Acreate2(file, "version", H5T_STD_U32LE, space, H5P_DEFAULT, H5P_DEFAULT);
    fine = fine && version >= 0 && H5Awrite(version, H5T_NATIVE_UINT32, &number) >= 0;
    if (version >= 0) H5Aclose(version);
    H5Tclose(type);
    H5Sclose(space);
    return fine;
}

/* The file is made in memory: when a write of HDF5's own fails (a full disk), its close fails too, and
 * HDF5 1.10 closes the file once more at exit, and crashes. *image is the caller's to release. */
static rheo_status make_image(rheo_context *ctx, const char *path, const char *text,
                              const rheo_slot *slots, uint32_t count, float *turned, char **image,
                              size_t *size)
{
    hid_t memory = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_fapl_core(memory, (size_t)1 << 20, false);
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, memory);
    H5Pclose(memory);
    RHEO_CHECK(ctx, file >= 0, RHEO_MEMORY, "out of memory: %s", path);
    hid_t link = H5Pcreate(H5P_LINK_CREATE), create = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_create_intermediate_group(link, 1);
    H5Pset_obj_track_times(create, false);
    bool fine = write_attributes(file) && write_text(file, create, text ? text : "");
    for (uint32_t s = 0; s < count && fine; s++)
        fine = write_slot(file, link, create, &slots[s], turned);
    H5Pclose(create);
    H5Pclose(link);
    fine = fine && H5Fflush(file, H5F_SCOPE_LOCAL) >= 0;
    ssize_t bytes = fine ? H5Fget_file_image(file, NULL, 0) : -1;
    rheo_status status = RHEO_OK;
    if (bytes > 0) status = rheo__alloc(ctx, (size_t)bytes, 1, "a model file", image);
    fine = bytes > 0 && !status && H5Fget_file_image(file, *image, (size_t)bytes) == bytes;
    H5Fclose(file);
    *size = fine ? (size_t)bytes : 0;
    if (!status && !fine) status = rheo__fail(ctx, RHEO_MEMORY, "out of memory: %s", path);
    return status;
}

rheo_status rheo__slots_save(rheo_context *ctx, const char *path, const char *recipe_text,
                             const rheo_slot *slots, uint32_t count)
{
    size_t most = 0, size = 0;
    for (uint32_t s = 0; s < count; s++)
        if (slots[s].transposed && slot_count(&slots[s]) > most) most = slot_count(&slots[s]);
    float *turned = NULL;
    char *image = NULL;
    RHEO_TRY(rheo__alloc(ctx, most, sizeof *turned, "a model file", &turned));
    rheo_status status = RHEO_OK;
    pthread_mutex_lock(&hdf5_lock);
    H5E_BEGIN_TRY
    {
        status = make_image(ctx, path, recipe_text, slots, count, turned, &image, &size);
    }
    H5E_END_TRY
    pthread_mutex_unlock(&hdf5_lock);
    if (!status) status = rheo__file_write(ctx, path, image, size);
    rheo__release(ctx, image);
    rheo__release(ctx, turned);
    return status;
}

/* ---- reading ---- */

typedef enum { FINE, ABSENT, MISSHAPEN, UNREADABLE } verdict;

static verdict check_slot(hid_t file, const rheo_slot *slot, hsize_t found[MOST_DIMS], int *dims)
{
    hid_t set = H5Dopen2(file, slot->path, H5P_DEFAULT);
    if (set < 0) return ABSENT;
    hid_t space = H5Dget_space(set), type = H5Dget_type(set);
    hsize_t shape[MOST_DIMS];
    int want = file_shape(slot, shape);
    verdict result = FINE;
    *dims = H5Sget_simple_extent_ndims(space);
    if (*dims >= 0 && *dims <= MOST_DIMS) H5Sget_simple_extent_dims(space, found, NULL);
    if (*dims != want || H5Tequal(type, file_type(slot)) <= 0) result = MISSHAPEN;
    for (int d = 0; d < want && result == FINE; d++)
        if (found[d] != shape[d]) result = MISSHAPEN;
    H5Tclose(type);
    H5Sclose(space);
    H5Dclose(set);
    return result;
}

static verdict read_slot(hid_t file, const rheo_slot *slot, float *turned)
{
    hid_t set = H5Dopen2(file, slot->path, H5P_DEFAULT);
    if (set < 0) return ABSENT;
    void *target = slot->transposed ? (void *)turned : slot->data;
    verdict result = FINE;
    if (slot_count(slot) > 0 &&
        H5Dread(set, memory_type(slot), H5S_ALL, H5S_ALL, H5P_DEFAULT, target) < 0)
        result = UNREADABLE;
    if (result == FINE && slot->transposed) transpose(turned, slot->cols, slot->rows, slot->data);
    H5Dclose(set);
    return result;
}

/* "2 x 3 x 5"; a vector is "2 x 1" */
static void shape_text(const hsize_t *shape, int dims, char out[96])
{
    size_t at = 0;
    out[0] = 0;
    for (int d = 0; d < (dims < 2 ? 2 : dims) && d < MOST_DIMS && at < 90; d++)
        at += (size_t)snprintf(out + at, 96 - at, "%s%llu", d ? " x " : "",
                               d < dims || d == 0 ? (unsigned long long)shape[d] : 1ull);
}

static rheo_status complain(rheo_context *ctx, const char *path, const rheo_slot *slot,
                            verdict result, const hsize_t found[MOST_DIMS], int dims)
{
    hsize_t shape[MOST_DIMS];
    char has[96], needs[96];
    int want = file_shape(slot, shape);
    shape_text(found, dims, has);
    shape_text(shape, want, needs);
    if (result == ABSENT)
        return rheo__fail(ctx, RHEO_FORMAT, "%s: there is no %s in it; is it another net's?", path,
                          slot->path);
    if (result == UNREADABLE)
        return rheo__fail(ctx, RHEO_FORMAT, "%s: %s cannot be read, the file is damaged", path,
                          slot->path);
    return rheo__fail(
        ctx, RHEO_FORMAT,
        "%s: %s is %d-dimensional, %s, but the net needs %d-dimensional, %s, of %zu-byte "
        "numbers",
        path, slot->path, dims, has, want, needs, element_size(slot));
}

static bool read_text(hid_t file, char *text, size_t room)
{
    hid_t set = H5Dopen2(file, "/net", H5P_DEFAULT);
    if (set < 0) return false;
    hid_t type = H5Dget_type(set), space = H5Dget_space(set);
    bool fine = H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0 &&
                H5Sget_simple_extent_npoints(space) == 1 && H5Tget_size(type) < room;
    if (fine) fine = H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) >= 0;
    H5Sclose(space);
    H5Tclose(type);
    H5Dclose(set);
    return fine;
}

/* One value, so that a foreign attribute of many cannot write past out. */
static bool read_attribute(hid_t file, const char *name, hid_t type, void *out)
{
    hid_t attribute = H5Aopen(file, name, H5P_DEFAULT);
    if (attribute < 0) return false;
    hid_t space = H5Aget_space(attribute);
    bool fine = H5Sget_simple_extent_npoints(space) == 1 && H5Aread(attribute, type, out) >= 0;
    H5Sclose(space);
    H5Aclose(attribute);
    return fine;
}

static bool is_ours(hid_t file)
{
    char format[16] = "";
    uint32_t number = 0;
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, sizeof format);
    bool fine = read_attribute(file, "format", type, format) && !strcmp(format, "rheobase");
    H5Tclose(type);
    fine = fine && read_attribute(file, "version", H5T_NATIVE_UINT32, &number);
    return fine && number >= 1 && number <= RHEO_MODEL_VERSION;
}

static rheo_status load(rheo_context *ctx, const char *path, char *text, const rheo_slot *slots,
                        uint32_t count, float *turned)
{
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    RHEO_CHECK(ctx, file >= 0, RHEO_FORMAT, "%s: is no HDF5 file, or a damaged one", path);
    rheo_status status = RHEO_OK;
    if (!is_ours(file))
        status =
            rheo__fail(ctx, RHEO_FORMAT,
                       "%s: is no rheobase model of version 1 to %d (attributes format, version)",
                       path, RHEO_MODEL_VERSION);
    if (!status && text && !read_text(file, text, RHEO_TEXT_LIMIT))
        status = rheo__fail(ctx, RHEO_FORMAT, "%s: /net, the recipe's text, cannot be read", path);
    for (uint32_t pass = 0; pass < 2; pass++) /* check all, then read all */
        for (uint32_t s = 0; s < count && !status; s++) {
            hsize_t found[MOST_DIMS] = {0};
            int dims = 0;
            verdict result = pass == 0 ? check_slot(file, &slots[s], found, &dims)
                                       : read_slot(file, &slots[s], turned);
            if (result != FINE) status = complain(ctx, path, &slots[s], result, found, dims);
        }
    H5Fclose(file);
    return status;
}

rheo_status rheo__slots_load(rheo_context *ctx, const char *path, char **recipe_text,
                             const rheo_slot *slots, uint32_t count)
{
    RHEO_CHECK(ctx, rheo__file_exists(path), RHEO_MISSING, "%s: there is no such file", path);
    size_t most = 0;
    for (uint32_t s = 0; s < count; s++)
        if (slots[s].transposed && slot_count(&slots[s]) > most) most = slot_count(&slots[s]);
    float *turned = NULL;
    char *text = NULL;
    rheo_status status = rheo__alloc(ctx, most, sizeof *turned, "a model file", &turned);
    if (!status && recipe_text) status = rheo__alloc(ctx, RHEO_TEXT_LIMIT, 1, "a recipe", &text);
    if (!status) {
        pthread_mutex_lock(&hdf5_lock);
        H5E_BEGIN_TRY
        {
            status = load(ctx, path, text, slots, count, turned);
        }
        H5E_END_TRY
        /* HDF5 1.10 cannot let go of some damaged files and would say so at exit */
        if (status) H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
        pthread_mutex_unlock(&hdf5_lock);
    }
    rheo__release(ctx, turned);
    if (status)
        rheo__release(ctx, text);
    else if (recipe_text)
        *recipe_text = text;
    return status;
}

rheo_status rheo__slots_text(rheo_context *ctx, const char *path, char **recipe_text)
{
    return rheo__slots_load(ctx, path, recipe_text, NULL, 0);
}
