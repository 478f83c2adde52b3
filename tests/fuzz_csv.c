/* fuzz_csv.c: libFuzzer's target of the csv reader: any bytes give a result or an error, nothing
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
    rheo_csv csv;
    char *text = NULL;
    const char *names[RHEO_DATA_CLASSES];
    uint32_t *label = NULL, classes;
    if (!rheo__alloc(ctx, size + 1, 1, "text", &text)) {
        memcpy(text, data, size);
        if (!rheo__csv_parse(ctx, "fuzz", text, size, &csv)) {
            if (!rheo__alloc(ctx, csv.rows, sizeof *label, "labels", &label))
                rheo__csv_classes(ctx, "fuzz", csv.label, csv.rows, names, &classes, label);
            rheo__csv_free(ctx, &csv);
        }
    }
    rheo__release(ctx, label);
    rheo__release(ctx, text);
    if (rheo_memory_used(ctx).now != before) abort();
    return 0;
}
