/* read.h: what the files of this folder share: the readers, which fill a data set's memory. */
#ifndef RHEO_SRC_READ_H
#define RHEO_SRC_READ_H
#include "array/npy.h"
#include "data/data.h"
#include <cjson/cJSON.h>

/* No file, plain or unpacked, may be larger; no set may have more samples or classes. */
#define RHEO_DATA_BYTES   ((size_t)4 << 30)
#define RHEO_DATA_SAMPLES 100000000u
#define RHEO_DATA_CLASSES 4096u

/* How many of the samples that a reader has put in memory (training first) belong to which part. */
typedef struct rheo_parts {
    uint32_t train, test;
    bool cut; /* there was no test part: cut one from the training samples */
} rheo_parts;

/* Readers: fill shape, features, classes, total, pixels or values, label, class_name, file, memory.
 * On failure what they took stays in data->memory, which rheo__data_free releases. */
rheo_status rheo__read_idx(rheo_dataset *data, const char *folder, const rheo_known_set *known,
                           rheo_parts *parts);
rheo_status rheo__read_csv(rheo_dataset *data, const char *path, rheo_parts *parts);
rheo_status rheo__read_npz(rheo_dataset *data, const char *path, rheo_parts *parts);
rheo_status rheo__read_npy(rheo_dataset *data, const char *folder, rheo_parts *parts);
rheo_status rheo__read_digits(rheo_dataset *data, rheo_parts *parts);

/* Slots of rheo_dataset.memory. */
enum {
    RHEO_MEMORY_X,
    RHEO_MEMORY_LABEL,
    RHEO_MEMORY_NAMES,
    RHEO_MEMORY_INDEX,
    RHEO_MEMORY_TARGET,
    RHEO_MEMORY_LENGTH
};
/* Takes label [total] and x [total, features] of `size` bytes an element. */
rheo_status rheo__data_room(rheo_dataset *data, size_t size);
/* Copies the class names into one block. */
rheo_status rheo__data_names(rheo_dataset *data, const char *const *names, uint32_t count);
/* Writes down a file for the manifest. */
void rheo__data_file(rheo_dataset *data, const char *path, const char *sha256, bool known);

/* IDX, the format of MNIST: two 0 bytes, the type (8: unsigned byte, the only one read), the number
 * of dimensions, each dimension as a big-endian 32-bit number, then the elements. */
#define RHEO_IDX_DIMS 4
typedef struct rheo_idx {
    uint32_t dims, shape[RHEO_IDX_DIMS];
    size_t header, count; /* bytes of the header; elements */
} rheo_idx;
/* From the first `size` bytes of a file; name is for messages. */
rheo_status rheo__idx_header(rheo_context *ctx, const char *name, const unsigned char *head,
                             size_t size, rheo_idx *out);
/* The usual name of part 0 … 3: train images, train labels, test images, test labels. */
const char *rheo__idx_name(uint32_t part);
/* FOLDER/NAME or FOLDER/NAME.gz, whichever is there (path holds RHEO_PATH bytes); false: neither.
 */
bool rheo__idx_find(const char *folder, const char *name, char *path);

/* CSV, parsed in place in `text`, which must end with a 0 byte and live as long as the result. */
typedef struct rheo_csv {
    uint32_t rows, features, label_column;
    float *values;    /* [rows, features] */
    char **label;     /* [rows], into text */
    char *label_name; /* into text, or NULL without a header line */
} rheo_csv;
rheo_status rheo__csv_parse(rheo_context *ctx, const char *name, char *text, size_t size,
                            rheo_csv *out);
void rheo__csv_free(rheo_context *ctx, rheo_csv *csv);
/* The different labels of n, as classes: in numerical order when all are integers, else in
 * alphabetical order. names: [RHEO_DATA_CLASSES], into the labels. */
rheo_status rheo__csv_classes(rheo_context *ctx, const char *name, char *const *label, uint32_t n,
                              const char **names, uint32_t *classes, uint32_t *out);

/* The known set of this name, or NULL. */
const rheo_known_set *rheo__data_find_known(const char *name);
/* Folder of a known set (RHEO_PATH bytes); *looked: where it was looked for. */
rheo_status rheo__data_search(rheo_context *ctx, const rheo_known_set *set, char *folder);
/* $XDG_DATA_HOME/rheobase/NAME; RHEO_MISSING without a home. */
rheo_status rheo__data_home(rheo_context *ctx, const char *name, char *folder);
/* Downloads url to target by way of target.part; RHEO_FORMAT when the content is another. */
rheo_status rheo__fetch_file(rheo_context *ctx, const char *url, const char *sha256,
                             const char *target);
#endif
