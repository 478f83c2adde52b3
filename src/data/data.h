/* data.h: data sets in memory, their splits, and batches of them. */
#ifndef RHEO_SRC_DATA_H
#define RHEO_SRC_DATA_H
#include "array/signal.h"
#include "base/field.h"
#include "base/text.h"

typedef enum { RHEO_TRAIN, RHEO_VALIDATION, RHEO_TEST, RHEO_SPLITS } rheo_split;
extern const char *const rheo__split_names[]; /* "train", "validation", "test" */

typedef struct rheo_source_file { /* for the manifest */
    char path[256];
    char sha256[65]; /* of the content: of a .gz, what is in it (distributions pack it anew) */
    bool known;      /* the checksum is the published one */
} rheo_source_file;

/* Samples keep the numbers that they have in the source: ids of test samples start at the number of
 * training samples, so a sample's id, and with it its random numbers, depends on no split. */
typedef struct rheo_dataset {
    rheo_context *ctx;
    char name[32], title[96];
    uint32_t shape[3], features, classes; /* shape {C,H,W} or {N,1,1} */
    uint32_t total;                       /* samples in memory */
    const uint8_t *pixels;                /* [total, features], or */
    const float *values;                  /* [total, features] */
    uint32_t *label;                      /* [total]; with real targets the class of the largest */
    const float *target;   /* real targets [total, target_steps, classes]; NULL: labels only */
    uint32_t target_steps; /* 1: one for the whole presentation */
    uint32_t *length;      /* [total] steps that a sample lasts; NULL: the whole presentation */
    char **class_name;     /* [classes], or NULL */
    uint32_t *index[RHEO_SPLITS]; /* of a split, positions in memory */
    uint32_t count[RHEO_SPLITS];
    uint32_t files;
    rheo_source_file file[6];
    void *memory[6]; /* owned */
} rheo_dataset;

typedef struct rheo_data_request {
    const char *name;     /* a known set, or "idx", "npy", "npz", "csv" with `path` */
    const char *path;     /* folder or file, then the only place looked at; NULL: search */
    uint32_t train, test; /* use only the first so many; 0: all */
    uint32_t validation;  /* cut this many from the end of the training set's permutation
                             (seeded by split_seed, after `train` has been applied) */
    uint64_t split_seed;
    const char *file; /* the recipe's, for messages */
    uint32_t line;
} rheo_data_request;
/* A known set is looked for at path when one is given, else in this order: each folder of
 * RHEOBASE_DATA (colon-separated), its sub-folder `name` first, the folder itself when its test
 * labels are the published ones; $XDG_DATA_HOME/rheobase/NAME (~/.local/share); where distributions
 * put it (/usr/share/datasets/NAME). RHEO_MISSING says where it looked and what to do.
 * The user's own: "idx", a folder with the four files of MNIST's names, plain or .gz; "csv", a
 * file, or a folder with train.csv and test.csv (label in the column `label` or `class`, else in
 * the last); "npz", a file with x_train, y_train, x_test, y_test; "npy", a folder with x_train.npy
 * and so on; y of floats are real targets, [n], [n, targets] or [n, steps, targets]; length_train
 * and length_test, integers [n], are the steps that each sample lasts. csv, npy and npz without a
 * test part: a fifth of the samples, drawn by split_seed, is it. */
rheo_status rheo__data_open(rheo_context *ctx, const rheo_data_request *request,
                            rheo_dataset **out);
/* From the caller's arrays, which are copied; test may have 0 samples. */
rheo_status rheo__data_make(rheo_context *ctx, const char *name, const uint32_t shape[3],
                            const float *train, const uint32_t *train_label, uint32_t trains,
                            const float *test, const uint32_t *test_label, uint32_t tests,
                            rheo_dataset **out);
void rheo__data_free(rheo_dataset *data);
size_t rheo__data_bytes(const rheo_dataset *data);

/* Gathers samples at the given positions of a split into x [B, pitch(features)] floats (pixels/255)
 * and label [B], ids [B]. */
void rheo__data_batch(const rheo_dataset *data, rheo_split split, const uint32_t *position,
                      uint32_t B, float *x, uint32_t *label, uint32_t *id);
/* Steps of the same samples [B], of a set that has lengths. */
void rheo__data_lengths(const rheo_dataset *data, rheo_split split, const uint32_t *position,
                        uint32_t B, uint32_t *length);
/* The real targets of the same samples: [B, target_steps, classes]. */
void rheo__data_targets(const rheo_dataset *data, rheo_split split, const uint32_t *position,
                        uint32_t B, float *target);

/* The known sets, for list, show, fetch. */
typedef struct rheo_known_file {
    const char *name, *sha256, *url; /* sha256: of the unpacked content */
} rheo_known_file;
typedef struct rheo_known_set {
    const char *name, *title, *licence, *source;
    const char *folder;      /* of distributions' packages, or NULL */
    const char *package;     /* Debian package, or NULL */
    rheo_known_file file[4]; /* train images, train labels, test images, test labels; name NULL:
                                built in */
    uint32_t train, test, shape[3], classes;
    const char *const *class_name; /* NULL-terminated, or NULL */
} rheo_known_set;
const rheo_known_set *rheo__data_known(uint32_t index); /* NULL past the end */
/* Text for `rheobase data list`, `data info FILE`; JSON when json. */
rheo_status rheo__data_list(rheo_context *ctx, bool json, rheo_text *out);
rheo_status rheo__data_info(rheo_context *ctx, const char *path, bool json, rheo_text *out);
/* Downloads into the user's data folder, resuming a partial file; checks the checksum.
 * RHEOBASE_MIRROR replaces the published place: the files are at $RHEOBASE_MIRROR/NAME/FILE. */
rheo_status rheo__data_fetch(rheo_context *ctx, const char *name, rheo_text *out);
#endif
