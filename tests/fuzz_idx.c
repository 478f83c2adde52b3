/* fuzz_idx.c: libFuzzer's target of the idx reader: any bytes give a result or an error, nothing
 * else. */
#include "data/read.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static rheo_context *ctx;
    const rheo_context_options options = {.threads = 1};
    if (!ctx && rheo_context_new(&options, &ctx)) abort();
    size_t before = rheo_memory_used(ctx).now;
    rheo_idx idx;
    rheo__idx_header(ctx, "fuzz", data, size, &idx);
    if (rheo_memory_used(ctx).now != before) abort();
    return 0;
}
