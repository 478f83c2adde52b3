/* run.c: `rheobase run MODEL --input x.npy --output y.npy`: forward only. */
#include "command.h"

static rheo_status run(cli_call *call)
{
    if (!call->input || !call->output) return cli_wrong("run needs --input FILE and --output FILE");
    rheo_run_options options = {.input = call->input,
                                .output = call->output,
                                .lengths = call->lengths,
                                .record = call->record,
                                .stream = call->stream};
    char *text = NULL;
    rheo_status status = rheo_run(call->ctx, call->arguments[0], &options, &text);
    cli_print(call, text);
    return status;
}

static const cli_option options[] = {
    CLI_OPTION("input", "x.npy", input, CLI_TEXT, "[B,N] or [T,B,N]"),
    CLI_OPTION("output", "y.npy", output, CLI_TEXT, "[T,B,M] is written there"),
    CLI_OPTION("lengths", "l.npy", lengths, CLI_TEXT, "[B], the steps of each sample"),
    CLI_OPTION("record", "NODE.s,NODE.v", record, CLI_COMMAS, "also write these, to y.records.npz"),
    CLI_OPTION("stream", NULL, stream, CLI_FLAG, "one step at a time, with the same bits"),
    CLI_OPTION_END,
};

const cli_command cli_run = {
    .name = "run",
    .arguments = "MODEL",
    .summary = "Runs a trained model on an array",
    .text = "MODEL is a .rheo file or a run folder.",
    .example =
        "rheobase run runs/surrogate-mlp/mnist-small/1 --input x.npy --output y.npy --record 1.s",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
};
