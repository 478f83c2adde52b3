/* list.c: the known sets as text and as JSON: what they are and where they were found. */
#include "data/read.h"
#include "base/file.h"
#include <stdio.h>

static const char *where(rheo_context *ctx, const rheo_known_set *set, char *folder)
{
    if (!set->file[0].name) return "built in";
    return rheo__data_search(ctx, set, folder) ? NULL : folder;
}

static void list_text(rheo_context *ctx, rheo_text *out)
{
    char folder[RHEO_PATH];
    const rheo_known_set *set;
    rheo__text_add(out, "%-14s %8s %8s %9s %7s  %s\n", "name", "training", "test", "shape",
                   "classes", "where");
    for (uint32_t i = 0; (set = rheo__data_known(i)); i++) {
        char shape[40];
        const char *found = where(ctx, set, folder);
        snprintf(shape, sizeof shape, "%ux%ux%u", set->shape[0], set->shape[1], set->shape[2]);
        rheo__text_add(out, "%-14s %8u %8u %9s %7u  ", set->name, set->train, set->test, shape,
                       set->classes);
        if (found)
            rheo__text_add(out, "%s\n", found);
        else
            rheo__text_add(out, "not found: %s%s%srheobase data fetch %s\n",
                           set->package ? "install the package " : "",
                           set->package ? set->package : "", set->package ? ", or run " : "",
                           set->name);
    }
    rheo__text_add(out, "Own data: data.name idx, csv, npy or npz, and data.path.\n");
}

static cJSON *set_json(rheo_context *ctx, const rheo_known_set *set)
{
    char folder[RHEO_PATH];
    const char *found = where(ctx, set, folder);
    const int shape[3] = {(int)set->shape[0], (int)set->shape[1], (int)set->shape[2]};
    cJSON *o = cJSON_CreateObject(), *files = cJSON_CreateArray();
    cJSON_AddStringToObject(o, "name", set->name);
    cJSON_AddStringToObject(o, "title", set->title);
    cJSON_AddStringToObject(o, "licence", set->licence);
    cJSON_AddStringToObject(o, "source", set->source);
    cJSON_AddNumberToObject(o, "train", set->train);
    cJSON_AddNumberToObject(o, "test", set->test);
    cJSON_AddItemToObject(o, "shape", cJSON_CreateIntArray(shape, 3));
    cJSON_AddNumberToObject(o, "classes", set->classes);
    cJSON_AddItemToObject(o, "found", found ? cJSON_CreateString(found) : cJSON_CreateNull());
    cJSON_AddItemToObject(o, "package",
                          set->package ? cJSON_CreateString(set->package) : cJSON_CreateNull());
    for (int i = 0; i < 4 && set->file[i].name; i++) {
        cJSON *file = cJSON_CreateObject();
        cJSON_AddStringToObject(file, "name", set->file[i].name);
        cJSON_AddStringToObject(file, "sha256", set->file[i].sha256);
        cJSON_AddStringToObject(file, "url", set->file[i].url);
        cJSON_AddItemToArray(files, file);
    }
    cJSON_AddItemToObject(o, "files", files);
    return o;
}

rheo_status rheo__data_list(rheo_context *ctx, bool json, rheo_text *out)
{
    const rheo_known_set *set;
    if (!json) {
        list_text(ctx, out);
        return out->status;
    }
    cJSON *all = cJSON_CreateArray();
    for (uint32_t i = 0; (set = rheo__data_known(i)); i++)
        cJSON_AddItemToArray(all, set_json(ctx, set));
    char *text = cJSON_Print(all);
    cJSON_Delete(all);
    RHEO_CHECK(ctx, text, RHEO_MEMORY, "data list: out of memory");
    rheo__text_add(out, "%s\n", text);
    cJSON_free(text);
    return out->status;
}
