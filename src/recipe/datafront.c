/* datafront.c: `rheobase data`, as public calls. */
#include "recipe/recipe.h"

static rheo_status hand_out(rheo_status status, rheo_text *out, char **text)
{
    if (!status) status = out->status;
    if (status)
        rheo__text_free(out);
    else
        *text = out->data;
    return status;
}

rheo_status rheo_data_list(rheo_context *ctx, bool json, char **text)
{
    rheo_text out = {.ctx = ctx};
    return hand_out(rheo__data_list(ctx, json, &out), &out, text);
}

rheo_status rheo_data_info(rheo_context *ctx, const char *path, bool json, char **text)
{
    rheo_text out = {.ctx = ctx};
    return hand_out(rheo__data_info(ctx, path, json, &out), &out, text);
}

rheo_status rheo_data_fetch(rheo_context *ctx, const char *name, char **text)
{
    rheo_text out = {.ctx = ctx};
    return hand_out(rheo__data_fetch(ctx, name, &out), &out, text);
}
