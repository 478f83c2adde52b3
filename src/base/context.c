/* context.c: making a context, its error text, its messages.
 *
 * A context belongs to one thread at a time; two contexts share nothing. Parallel work inside a
 * call goes through base/threads.c, whose tasks neither allocate nor fail. */
#include "base/context.h"
#include "base/threads.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS_MAX = 1024 };

static uint32_t cores(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    int count = CPU_COUNT(&set);
    return count < 1 ? 1 : (uint32_t)count;
}

static rheo_status choose_isa(rheo_context *ctx)
{
    const char *wish = ctx->options.isa;
    const char *who = "option isa";
    rheo_isa_level best = rheo__isa_best();
    if (!wish) {
        wish = getenv("RHEOBASE_ISA");
        who = "RHEOBASE_ISA";
    }
    ctx->options.isa = rheo__isa_names[best];
    ctx->isa = best;
    if (!wish || !*wish) return RHEO_OK;
    for (int level = 0; rheo__isa_names[level]; level++) {
        if (strcmp(wish, rheo__isa_names[level]) != 0) continue;
        RHEO_CHECK(ctx, level <= (int)best, RHEO_USAGE,
                   "%s is '%s', but this processor offers '%s' at most", who, wish,
                   rheo__isa_names[best]);
        ctx->options.isa = rheo__isa_names[level];
        ctx->isa = (rheo_isa_level)level;
        return RHEO_OK;
    }
    return rheo__fail(ctx, RHEO_USAGE, "%s is '%s', expected portable, avx2 or avx512", who, wish);
}

static rheo_status fill_defaults(rheo_context *ctx)
{
    rheo_context_options *options = &ctx->options;
    if (options->threads == 0) options->threads = cores();
    if (options->seed == 0) options->seed = 1;
    RHEO_CHECK(ctx, options->threads <= THREADS_MAX, RHEO_USAGE,
               "option threads is %u, expected 0 (one a core) to %d", options->threads,
               THREADS_MAX);
    RHEO_TRY(choose_isa(ctx));
    ctx->bf16 = ctx->isa == RHEO_AVX512 ? rheo__bf16_best() : RHEO_BF16_PLAIN;
    return RHEO_OK;
}

rheo_status rheo_context_new(const rheo_context_options *options, rheo_context **out)
{
    rheo_context_options wish = {0};
    if (options) wish = *options;
    if (!wish.allocator.resize) wish.allocator.resize = rheo__default_resize;
    *out = NULL;
    rheo_context *ctx = wish.allocator.resize(wish.allocator.user, NULL, 0, sizeof *ctx);
    if (!ctx) return RHEO_MEMORY;
    memset(ctx, 0, sizeof *ctx);
    ctx->options = wish;
    *out = ctx; /* also on failure, so that the text can be read */
    RHEO_TRY(fill_defaults(ctx));
    return rheo__pool_new(ctx);
}

void rheo_context_free(rheo_context *ctx)
{
    if (!ctx) return;
    rheo__pool_free(ctx);
    rheo_allocator allocator = ctx->options.allocator;
    allocator.resize(allocator.user, ctx, sizeof *ctx, 0);
}

/* One line, whatever bytes a file's name or a recipe brought in. */
static void flatten(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f) *text = ' ';
}

#undef rheo__fail /* as context.h has them for the analyzer */
#undef rheo__blame
rheo_status rheo__fail(rheo_context *ctx, rheo_status code, const char *format, ...)
{
    if (!ctx) return code;
    char text[sizeof ctx->error]; /* apart, since an argument may be the old text */
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    flatten(text);
    memcpy(ctx->error, text, sizeof text);
    return code;
}

rheo_status rheo__blame(rheo_context *ctx, rheo_status code, const char *format, ...)
{
    if (!ctx) return code;
    char text[sizeof ctx->error], prefix[sizeof ctx->error / 2];
    va_list args;
    va_start(args, format);
    vsnprintf(prefix, sizeof prefix, format, args);
    va_end(args);
    memcpy(text, ctx->error, sizeof text);
    return rheo__fail(ctx, code, "%s: %s", prefix, text);
}

void rheo__message(rheo_context *ctx, const char *format, ...)
{
    if (!ctx->options.message) return;
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    flatten(text);
    ctx->options.message(ctx->options.user, text);
}

bool rheo__interrupted(const rheo_context *ctx)
{
    return ctx->options.interrupt && *ctx->options.interrupt != 0;
}

const char *rheo_error(const rheo_context *ctx)
{
    return ctx ? ctx->error : "out of memory for the context itself";
}

const char *rheo_status_text(rheo_status status)
{
    static const char *const texts[] = {
#define RHEO_STATUS_TEXT(name, text) text,
        RHEO_STATUS_LIST(RHEO_STATUS_TEXT)
#undef RHEO_STATUS_TEXT
    };
    return (unsigned)status < RHEO_STATUS_COUNT ? texts[status] : "unknown status";
}

const char *rheo_isa(const rheo_context *ctx)
{
    return ctx->options.isa;
}

uint32_t rheo_threads(const rheo_context *ctx)
{
    return ctx->options.threads;
}

uint64_t rheo_seed(const rheo_context *ctx)
{
    return ctx->options.seed;
}

rheo_memory rheo_memory_used(const rheo_context *ctx)
{
    return ctx->memory;
}

void rheo_free(rheo_context *ctx, void *p)
{
    rheo__release(ctx, p);
}
