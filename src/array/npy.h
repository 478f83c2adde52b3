/* npy.h: numpy's .npy (versions 1 to 3, C and Fortran order read, C order written, little- and
 * big-endian read) and .npz (zip: stored and deflated read, stored written; dates fixed so equal
 * arrays give equal files). */
#ifndef RHEO_SRC_NPY_H
#define RHEO_SRC_NPY_H
#include "base/context.h"

typedef enum { RHEO_U8, RHEO_I32, RHEO_I64, RHEO_F32, RHEO_F64 } rheo_dtype;
#define RHEO_DIMS 6
typedef struct rheo_array {
    char name[64];    /* in an .npz, without .npy */
    rheo_dtype dtype; /* others are converted: bool and int8 … int64, uint.., float16 … float64 */
    uint32_t dims;
    uint64_t shape[RHEO_DIMS];
    uint64_t count;
    void *data; /* C order, rheo__release */
} rheo_array;

size_t rheo__dtype_size(rheo_dtype dtype);
double rheo__array_element(const rheo_array *array, uint64_t index);
rheo_status rheo__npy_read(rheo_context *ctx, const char *path, size_t limit, rheo_array *out);
rheo_status rheo__npy_parse(rheo_context *ctx, const char *name, const char *data, size_t size,
                            rheo_array *out);
rheo_status rheo__npy_write(rheo_context *ctx, const char *path, const rheo_array *array);
/* *out: array of *count arrays, free with rheo__npz_free. */
rheo_status rheo__npz_read(rheo_context *ctx, const char *path, size_t limit, rheo_array **out,
                           uint32_t *count);
rheo_status rheo__npz_write(rheo_context *ctx, const char *path, const rheo_array *arrays,
                            uint32_t count);
void rheo__npz_free(rheo_context *ctx, rheo_array *arrays, uint32_t count);
#endif
