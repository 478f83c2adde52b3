/* alloc.c: the context's memory, and the arena.
 *
 *   block:  | size, 64 bytes in all | bytes of the caller, aligned to 64 … |
 *
 * The counts of rheo_memory_used are of the caller's bytes, so that a plan can predict them. */
#include "base/context.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { ALIGN = 64 };

/* From this size on a block is pages of its own, which go back to the system when it is released:
 * otherwise freed plans stay with the C library's heap, and a process's peak is not the plan's. */
#define OWN_PAGES ((size_t)1 << 20)

static void *take(size_t size)
{
    if (size < OWN_PAGES) return aligned_alloc(ALIGN, (size + ALIGN - 1) / ALIGN * ALIGN);
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

static void give(void *p, size_t size)
{
    if (size < OWN_PAGES)
        free(p);
    else if (p)
        munmap(p, size);
}

/* The system's memory; aligned_alloc wants a multiple of the alignment, pages are aligned. */
void *rheo__default_resize(void *user, void *p, size_t old, size_t now)
{
    (void)user;
    if (now == 0) {
        give(p, old);
        return NULL;
    }
    if (now > SIZE_MAX - ALIGN) return NULL;
    void *fresh = take(now);
    if (fresh && p) {
        memcpy(fresh, p, old < now ? old : now);
        give(p, old);
    }
    return fresh;
}

bool rheo__mul(size_t a, size_t b, size_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

bool rheo__add(size_t a, size_t b, size_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}

static size_t size_of(const char *block)
{
    size_t size;
    memcpy(&size, block, sizeof size);
    return size;
}

rheo_status rheo__grow(rheo_context *ctx, size_t count, size_t size, const char *what, void *p)
{
    char *old = NULL;
    memcpy(&old, p, sizeof old); /* p points to a pointer of any type */
    size_t bytes, total, had = 0;
    RHEO_CHECK(ctx,
               rheo__mul(count, size, &bytes) && rheo__add(bytes, ALIGN, &total) &&
                   total <= PTRDIFF_MAX,
               RHEO_MEMORY, "out of memory: %s needs %zu x %zu bytes, more than there can be", what,
               count, size);
    if (old) {
        old -= ALIGN;
        had = size_of(old);
    }
    rheo_allocator *allocator = &ctx->options.allocator;
    char *block = allocator->resize(allocator->user, old, old ? had + ALIGN : 0, total);
    RHEO_CHECK(ctx, block, RHEO_MEMORY,
               "out of memory: %s needs %zu bytes, %zu are in use; take a smaller batch or size",
               what, bytes, ctx->memory.now);
    memcpy(block, &bytes, sizeof bytes);
    if (bytes > had) memset(block + ALIGN + had, 0, bytes - had);
    ctx->memory.now += bytes - had; /* wraps and comes back right when it shrinks */
    if (ctx->memory.now > ctx->memory.peak) ctx->memory.peak = ctx->memory.now;
    ctx->memory.calls++;
    block += ALIGN;
    memcpy(p, &block, sizeof block);
    return RHEO_OK;
}

rheo_status rheo__alloc(rheo_context *ctx, size_t count, size_t size, const char *what, void *out)
{
    void *fresh = NULL;
    RHEO_TRY(rheo__grow(ctx, count, size, what, &fresh));
    memcpy(out, &fresh, sizeof fresh);
    return RHEO_OK;
}

void rheo__release(rheo_context *ctx, void *p)
{
    if (!p) return;
    char *block = (char *)p - ALIGN;
    size_t bytes = size_of(block);
    ctx->memory.now -= bytes;
    ctx->options.allocator.resize(ctx->options.allocator.user, block, bytes + ALIGN, 0);
}

rheo_status rheo__strdup(rheo_context *ctx, const char *text, char **out)
{
    size_t size = strlen(text) + 1;
    char *copy;
    RHEO_TRY(rheo__alloc(ctx, size, 1, "a text", &copy));
    memcpy(copy, text, size);
    *out = copy;
    return RHEO_OK;
}

void *rheo__take(rheo_arena *arena, size_t count, size_t size)
{
    size_t bytes, end;
    if (!rheo__mul(count, size, &bytes) || !rheo__add(bytes, ALIGN - 1, &bytes) ||
        !rheo__add(arena->used, bytes / ALIGN * ALIGN, &end)) {
        arena->overflow = true;
        return NULL;
    }
    char *piece = arena->base ? arena->base + arena->used : NULL;
    arena->used = end;
    if (arena->base && end > arena->size) { /* the two walks differed */
        arena->overflow = true;
        return NULL;
    }
    return piece;
}
