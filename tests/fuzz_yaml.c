/* fuzz_yaml.c: any bytes as a recipe: an error or a recipe whose complete text reads back to
 * itself, and no memory left behind. */
#include "recipe/recipe.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds) abort();
}

static void resolve(rheo_context *ctx, rheo_doc *doc)
{
    rheo_recipe *first = NULL, *second = NULL;
    char *a = NULL, *b = NULL;
    if (rheo__recipe_resolve(ctx, doc, "fuzz", NULL, &first)) {
        check(rheo_error(ctx)[0] != 0);
        return;
    }
    check(rheo_recipe_text(first, &a) == RHEO_OK);
    check(rheo__recipe_from_text(ctx, a, "fuzz", &second) == RHEO_OK);
    check(rheo_recipe_text(second, &b) == RHEO_OK);
    check(!strcmp(a, b));
    rheo_free(ctx, a);
    rheo_free(ctx, b);
    rheo_recipe_free(first);
    rheo_recipe_free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rheo_context *ctx = NULL;
    rheo_context_options options = {.threads = 1, .seed = 1};
    rheo_doc *doc = NULL;
    check(rheo_context_new(&options, &ctx) == RHEO_OK);
    size_t resting = rheo_memory_used(ctx).now;
    if (rheo__yaml_parse(ctx, "fuzz", (const char *)data, size, &doc) == RHEO_OK)
        resolve(ctx, doc);
    else
        check(rheo_error(ctx)[0] != 0);
    check(rheo_memory_used(ctx).now == resting);
    rheo_context_free(ctx);
    return 0;
}
