/* eval.c: `rheobase eval RUN`: a trained model on a split of its own or of other data. */
#include "command.h"

static rheo_status run(cli_call *call)
{
    rheo_eval_options options = {.split = call->split, .data = call->data, .limit = call->limit};
    char *text = NULL;
    rheo_status status = rheo_eval(call->ctx, call->arguments[0], &options, call->json, &text);
    cli_print(call, text);
    return status;
}

static const cli_option options[] = {
    CLI_OPTION("split", "test|train|validation", split, CLI_TEXT,
               "part of the data (default: test)"),
    CLI_OPTION("data", "NAME", data, CLI_TEXT, "another data set (default: the run's)"),
    CLI_OPTION("limit", "N", limit, CLI_COUNT, "the first N samples only"),
    CLI_OPTION_JSON,
    CLI_OPTION_END,
};

const cli_command cli_eval = {
    .name = "eval",
    .arguments = "RUN",
    .summary = "Accuracy of a run with its interval, per class and against time; its cost",
    .example = "rheobase eval runs/surrogate-mlp/mnist-small/1 --split test",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
};
