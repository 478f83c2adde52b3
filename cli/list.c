/* list.c: `rheobase list [KIND]`: what there is, from the tables that the engine uses. */
#include "command.h"

static rheo_status run(cli_call *call)
{
    char *text = NULL;
    rheo_status status = rheo_list(call->ctx, call->arguments[0], call->json, &text);
    cli_print(call, text);
    return status;
}

static const cli_option options[] = {CLI_OPTION_JSON, CLI_OPTION_END};

const cli_command cli_list = {
    .name = "list",
    .arguments = "[KIND]",
    .summary = "Lists neurons, surrogates, layers, losses, learners, data sets, recipes, chips",
    .text = "Without KIND all of it; KIND is one of the headings that are printed then.",
    .example = "rheobase list neurons",
    .options = options,
    .most = 1,
    .run = run,
};
