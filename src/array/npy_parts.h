/* npy_parts.h: what .npz needs of .npy beyond its readers and writers. */
#ifndef RHEO_SRC_NPY_PARTS_H
#define RHEO_SRC_NPY_PARTS_H
#include "array/npy.h"
#include "base/text.h"

/* The bytes before an array's data in a .npy file. */
void rheo__npy_header(const rheo_array *array, rheo_text *out);
#endif
