/* find.c: recipes by name or by path. A name is looked for in the folders of RHEOBASE_RECIPES
 * (separated by colons), in ./recipes, and where the recipes are installed; the first one counts.
 */
#include "base/file.h"
#include "recipe/schema.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define NAMES 4096

/* Folders that are searched for recipes, index by index; false: no more. */
static bool place_of(uint32_t index, char *path)
{
    static const char *const fixed[] = {"recipes",
#ifdef RHEO_DATADIR
                                        RHEO_DATADIR "/recipes",
#endif
                                        NULL};
    const char *own = getenv("RHEOBASE_RECIPES");
    while (own && *own) {
        size_t length = strcspn(own, ":");
        if (length > 0 && length < RHEO_PATH && index-- == 0) {
            memcpy(path, own, length);
            path[length] = 0;
            return true;
        }
        own += length + (own[length] == ':');
    }
    if (index + 1 >= sizeof fixed / sizeof *fixed) return false;
    snprintf(path, RHEO_PATH, "%s", fixed[index]);
    return true;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool known(char *const *names, uint32_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++)
        if (!strcmp(names[i], name)) return true;
    return false;
}

static rheo_status add_folder(rheo_context *ctx, const char *folder, char **names, uint32_t *count)
{
    DIR *dir = opendir(folder);
    if (!dir) return RHEO_OK; /* places need not exist */
    rheo_status status = RHEO_OK;
    for (struct dirent *entry; !status && (entry = readdir(dir));) {
        char name[256];
        size_t length = strlen(entry->d_name);
        if (length <= 5 || length >= sizeof name || entry->d_name[0] == '.' ||
            strcmp(entry->d_name + length - 5, ".yaml") != 0 || *count == NAMES)
            continue;
        memcpy(name, entry->d_name, length - 5);
        name[length - 5] = 0;
        if (known(names, *count, name)) continue;
        status = rheo__strdup(ctx, name, &names[*count]);
        if (!status) ++*count;
    }
    closedir(dir);
    return status;
}

void rheo__names_free(rheo_context *ctx, char **names)
{
    for (uint32_t i = 0; names && names[i]; i++) rheo__release(ctx, names[i]);
    rheo__release(ctx, names);
}

rheo_status rheo__recipe_names(rheo_context *ctx, char ***out)
{
    char **names = NULL, folder[RHEO_PATH];
    uint32_t count = 0;
    rheo_status status = rheo__alloc(ctx, NAMES + 1, sizeof *names, "names of recipes", &names);
    for (uint32_t place = 0; !status && place_of(place, folder); place++)
        status = add_folder(ctx, folder, names, &count);
    if (status) {
        rheo__names_free(ctx, names);
        return status;
    }
    qsort(names, count, sizeof *names, by_text);
    *out = names;
    return RHEO_OK;
}

static bool is_file(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && !S_ISDIR(s.st_mode);
}

static rheo_status not_found(rheo_context *ctx, const char *name)
{
    char **names = NULL;
    RHEO_TRY(rheo__recipe_names(ctx, &names));
    const char *near = rheo__nearest(name, (const char *const *)names);
    rheo_status status =
        near
            ? rheo__fail(ctx, RHEO_USAGE, "unknown recipe '%.200s'; did you mean '%s'?", name, near)
            : rheo__fail(ctx, RHEO_USAGE,
                         "unknown recipe '%.200s', expected a file or a name that 'rheobase list "
                         "recipes' shows",
                         name);
    rheo__names_free(ctx, names);
    return status;
}

/* The recipe's file: path itself, or the first NAME.yaml. */
static rheo_status find(rheo_context *ctx, const char *name, char *path)
{
    size_t length = strlen(name);
    char folder[RHEO_PATH], file[RHEO_PATH];
    RHEO_CHECK(ctx, length > 0 && length < RHEO_PATH, RHEO_USAGE,
               "a recipe's path of %zu characters", length);
    strcpy(path, name);
    if (is_file(name) || strchr(name, '/')) return RHEO_OK;
    if (length > 5 && !strcmp(name + length - 5, ".yaml")) return RHEO_OK;
    RHEO_CHECK(ctx, length < 250, RHEO_USAGE, "unknown recipe '%.64s…'", name);
    snprintf(file, sizeof file, "%.250s.yaml", name);
    for (uint32_t place = 0; place_of(place, folder); place++)
        if (!rheo__join(ctx, folder, file, path) && is_file(path)) return RHEO_OK;
    return not_found(ctx, name);
}

rheo_status rheo_recipe_open(rheo_context *ctx, const char *path,
                             const rheo_recipe_options *options, rheo_recipe **out)
{
    char file[RHEO_PATH], *text = NULL;
    size_t size;
    rheo_doc *doc = NULL;
    RHEO_TRY(find(ctx, path, file));
    RHEO_TRY(rheo__file_read(ctx, file, RHEO_RECIPE_BYTES, &text, &size));
    rheo_status status = rheo__yaml_parse(ctx, file, text, size, &doc);
    rheo__release(ctx, text);
    if (status) return status;
    return rheo__recipe_resolve(ctx, doc, file, options, out);
}
