/* rheobase/base.h: status, context, memory and messages. Every other header needs this one.
 *
 * Every function that can fail returns a rheo_status; the text of the last error of a context is
 * rheo_error(ctx). Results go through pointers and are untouched on failure. The library never
 * prints, exits, aborts or changes global state. */
#ifndef RHEOBASE_BASE_H
#define RHEOBASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define RHEO_API                 __attribute__((visibility("default")))
#define RHEO_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define RHEO_API
#define RHEO_PRINTF(text, first)
#endif

/* name, what it means */
#define RHEO_STATUS_LIST(X)                                                                        \
    X(OK, "fine")                                                                                  \
    X(USAGE, "wrong argument, recipe or option")                                                   \
    X(SHAPE, "shapes do not fit")                                                                  \
    X(MEMORY, "out of memory")                                                                     \
    X(IO, "a file could not be read or written")                                                   \
    X(FORMAT, "a file is damaged or of another kind")                                              \
    X(MISSING, "a file, data set or package is not there")                                         \
    X(UNSUPPORTED, "not possible with this version")                                               \
    X(NUMERIC, "NaN or infinity")                                                                  \
    X(BUSY, "in use by another run")                                                               \
    X(INTERRUPTED, "interrupted; a checkpoint has been kept")                                      \
    X(FAILED, "a check failed")

typedef enum {
#define RHEO_STATUS_ENUM(name, text) RHEO_##name,
    RHEO_STATUS_LIST(RHEO_STATUS_ENUM)
#undef RHEO_STATUS_ENUM
        RHEO_STATUS_COUNT
} rheo_status;

typedef struct rheo_context rheo_context;

/* resize(user, NULL, 0, n) allocates n bytes aligned to 64, resize(user, p, old, 0) frees, any other
 * call resizes and keeps the first min(old, now) bytes. NULL is out of memory. */
typedef struct rheo_allocator {
    void *user;
    void *(*resize)(void *user, void *p, size_t old, size_t now);
} rheo_allocator;

typedef struct rheo_progress {
    const char *what;       /* "train", "test", "label", … */
    uint32_t epoch, epochs; /* counted from 1; 0: no epochs */
    uint64_t done, total;   /* samples of this epoch */
    double loss, accuracy;  /* so far in this epoch; NaN when unknown [1], [%] */
    double seconds;         /* since the epoch began, over all processes that had a part in it */
    double rate;            /* of this process [samples/s]; 0: not known yet */
    bool end;               /* the epoch, or the work, is complete */
} rheo_progress;

/* All fields may be zero. */
typedef struct rheo_context_options {
    uint32_t threads;         /* 0: one a core */
    uint64_t seed;            /* 0: 1 */
    rheo_allocator allocator; /* resize NULL: the C library's */
    const char *isa;          /* "portable", "avx2", "avx512"; NULL: RHEOBASE_ISA, else the best */
    void *user;               /* handed to the two hooks */
    void (*progress)(void *user, const rheo_progress *);
    void (*message)(void *user, const char *line); /* one line, no newline */
    const volatile int *interrupt; /* not 0: stop at the next safe place with RHEO_INTERRUPTED */
} rheo_context_options;

/* On failure *out is NULL (no memory for it) or a context that only rheo_error and
 * rheo_context_free take, so that the reason can be read. A context belongs to one thread at a
 * time; two contexts share nothing. NULL options are all zero. */
RHEO_API rheo_status rheo_context_new(const rheo_context_options *options, rheo_context **out);
RHEO_API void rheo_context_free(rheo_context *ctx);

/* Text of the last error, one line, "" when there was none; valid until the next failing call. */
RHEO_API const char *rheo_error(const rheo_context *ctx);
RHEO_API const char *rheo_status_text(rheo_status status);
RHEO_API const char *rheo_version(void);
RHEO_API const char *rheo_commit(void); /* of the build, "unknown" outside a repository */
/* The instruction set in use: "portable", "avx2" or "avx512". */
RHEO_API const char *rheo_isa(const rheo_context *ctx);
RHEO_API uint32_t rheo_threads(const rheo_context *ctx);
RHEO_API uint64_t rheo_seed(const rheo_context *ctx);
/* Bytes that the context's allocator has handed out now, at most ever, and in how many calls. */
typedef struct rheo_memory {
    size_t now, peak;
    uint64_t calls;
} rheo_memory;
RHEO_API rheo_memory rheo_memory_used(const rheo_context *ctx);

/* Frees a text or array that a call of this library handed to the caller. */
RHEO_API void rheo_free(rheo_context *ctx, void *p);

#ifdef __cplusplus
}
#endif
#endif
