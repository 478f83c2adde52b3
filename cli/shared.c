/* shared.c: two things that several sub-commands do. */
#include "command.h"
#include <stdio.h>
#include <string.h>

void cli_print(cli_call *call, char *text)
{
    if (!text) return;
    size_t length = strlen(text);
    fputs(text, stdout);
    if (length && text[length - 1] != '\n') putchar('\n');
    rheo_free(call->ctx, text);
}

rheo_status cli_recipe(cli_call *call, rheo_recipe **out)
{
    rheo_recipe_options options = {.size = call->size, .set = call->set, .seed = call->seed};
    return rheo_recipe_open(call->ctx, call->arguments[0], &options, out);
}
