/* bench.c: `rheobase bench [TASK]`: times of tasks beside what the machine could do at best. */
#include "command.h"

static rheo_status run(cli_call *call)
{
    char *text = NULL;
    rheo_status status = rheo_bench(call->ctx, call->arguments[0], call->json, &text);
    cli_print(call, text);
    return status;
}

static const cli_option options[] = {CLI_OPTION_JSON, CLI_OPTION_END};

const cli_command cli_bench = {
    .name = "bench",
    .arguments = "[TASK]",
    .summary = "Times tasks beside their floors: what this machine's arithmetic and memory allow",
    .text =
        "TASK is product, fc, epoch or stdp; without one, all. epoch needs MNIST or Fashion-MNIST.",
    .example = "rheobase bench stdp --threads 1",
    .options = options,
    .least = 0,
    .most = 1,
    .run = run,
};
