/* show.c: `rheobase show NAME`: one thing's equations, parameters and source. */
#include "command.h"

static rheo_status run(cli_call *call)
{
    char *text = NULL;
    rheo_status status = rheo_show(call->ctx, call->arguments[0], call->json, &text);
    cli_print(call, text);
    return status;
}

static const cli_option options[] = {CLI_OPTION_JSON, CLI_OPTION_END};

const cli_command cli_show = {
    .name = "show",
    .arguments = "NAME",
    .summary = "Shows a thing's equations, parameters (default, unit, range) and source",
    .example = "rheobase show lif",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
};
