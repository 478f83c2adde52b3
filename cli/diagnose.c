/* diagnose.c: `rheobase diagnose RUN`: why does it not learn? */
#include "command.h"

static rheo_status run(cli_call *call)
{
    char *text = NULL;
    rheo_status status = rheo_diagnose(call->ctx, call->arguments[0], call->json, &text);
    cli_print(call, text);
    return status;
}

static const cli_option options[] = {CLI_OPTION_JSON, CLI_OPTION_END};

const cli_command cli_diagnose = {
    .name = "diagnose",
    .arguments = "RUN",
    .summary = "Says why a net does not learn, and what to change",
    .text =
        "One training batch goes through the run's model, or its last checkpoint: silent and\n"
        "saturated layers, thresholds out of reach, surrogates that pass nothing, gradients that\n"
        "vanish or explode, learning rates that are too high or too low.",
    .example = "rheobase diagnose runs/surrogate-mlp/mnist-small/1",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
};
