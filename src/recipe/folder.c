/* folder.c: where the runs of a recipe stand. */
#include "base/file.h"
#include "recipe/recipe.h"
#include <stdio.h>
#include <string.h>

rheo_status rheo__recipe_folder(const rheo_recipe *recipe, const char *out, char *path)
{
    char hash[66] = "";
    if (recipe->set[0]) {
        hash[0] = '-';
        rheo__sha256(recipe->set, strlen(recipe->set), hash + 1);
    }
    int length = snprintf(path, RHEO_PATH, "%s/%s/%s-%s%.9s/%llu", out ? out : "runs", recipe->name,
                          recipe->data.name, recipe->size, hash, (unsigned long long)recipe->seed);
    RHEO_CHECK(
        recipe->ctx, length > 0 && length < RHEO_PATH, RHEO_USAGE,
        "the run folder's path has %d characters, expected fewer than %d; give a shorter --out",
        length, RHEO_PATH);
    return RHEO_OK;
}
