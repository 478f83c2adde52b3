/* context.h: the context's inside; errors, memory, interruption. */
#ifndef RHEO_SRC_CONTEXT_H
#define RHEO_SRC_CONTEXT_H

#include <rheobase/base.h>
#include <stdarg.h>

struct rheo_pool; /* base/threads.c */

/* What the processor can run (base/cpu.c: cpuid and the operating system's XCR0). Tables of loops are
 * indexed by it. */
typedef enum { RHEO_PORTABLE, RHEO_AVX2, RHEO_AVX512, RHEO_ISAS } rheo_isa_level;
extern const char *const rheo__isa_names[]; /* "portable", "avx2", "avx512", NULL */
rheo_isa_level rheo__isa_best(void);
/* What products of bfloat16 may go by (kernels/bf16.h); the operating system is not asked yet. */
typedef enum { RHEO_BF16_PLAIN, RHEO_BF16_AVX512, RHEO_BF16_AMX, RHEO_BF16_PATHS } rheo_bf16_path;
rheo_bf16_path rheo__bf16_best(void);

struct rheo_context {
    rheo_context_options options; /* with defaults filled in */
    rheo_isa_level isa;
    rheo_bf16_path bf16; /* the most that rheo__bf16_path takes */
    struct rheo_pool *pool;
    rheo_memory memory;
    char error[1024];
};

/* Stores the text, returns code. "what, where, found, expected; what to do". */
rheo_status rheo__fail(rheo_context *ctx, rheo_status code, const char *format, ...)
    RHEO_PRINTF(3, 4);
/* Puts "prefix: " before the stored text, for context that a lower floor does not know. */
rheo_status rheo__blame(rheo_context *ctx, rheo_status code, const char *format, ...)
    RHEO_PRINTF(3, 4);
void rheo__message(rheo_context *ctx, const char *format, ...) RHEO_PRINTF(2, 3);
#ifdef __clang_analyzer__ /* it cannot see that the two return their code, which is not RHEO_OK */
#define rheo__fail(ctx, code, ...)  (rheo__fail(ctx, code, __VA_ARGS__), code)
#define rheo__blame(ctx, code, ...) (rheo__blame(ctx, code, __VA_ARGS__), code)
#endif
bool rheo__interrupted(const rheo_context *ctx);

/* The only two macros that may return. */
#define RHEO_TRY(call)                                                                             \
    do {                                                                                           \
        rheo_status status_ = (call);                                                              \
        if (status_ != RHEO_OK) return status_;                                                    \
    } while (0)
#define RHEO_CHECK(ctx, condition, code, ...)                                                      \
    do {                                                                                           \
        if (!(condition)) return rheo__fail((ctx), (code), __VA_ARGS__);                           \
    } while (0)

/* Memory is zeroed and aligned to 64 bytes; its size is remembered in front of it. A size of 0
 * gives a valid pointer. On failure: RHEO_MEMORY with what for, *out untouched. */
rheo_status rheo__alloc(rheo_context *ctx, size_t count, size_t size, const char *what, void *out);
/* *p may be NULL; new bytes are zero; *p unchanged on failure. */
rheo_status rheo__grow(rheo_context *ctx, size_t count, size_t size, const char *what, void *p);
void rheo__release(rheo_context *ctx, void *p); /* NULL is fine */
/* The allocator of a context whose options give none: the C library's. */
void *rheo__default_resize(void *user, void *p, size_t old, size_t now);
rheo_status rheo__strdup(rheo_context *ctx, const char *text, char **out);

/* a * b, false on overflow */
bool rheo__mul(size_t a, size_t b, size_t *out);
bool rheo__add(size_t a, size_t b, size_t *out);

/* An arena is walked twice by the same code: first with base NULL, which only adds up, then with
 * memory of that size. take returns NULL in the first walk. Pieces are aligned to 64. */
typedef struct rheo_arena {
    char *base;
    size_t used, size;
    bool overflow; /* a size did not fit in size_t */
} rheo_arena;
void *rheo__take(rheo_arena *arena, size_t count, size_t size);

#endif
