/* compare.c: `rheobase compare RECIPE…`: systems side by side. */
#include "command.h"
#include <stdio.h>

static rheo_status run(cli_call *call)
{
    rheo_compare_options options = {.out = call->out,
                                    .size = call->size,
                                    .set = call->set,
                                    .seeds = call->seeds,
                                    .jobs = call->jobs};
    char *text = NULL;
    rheo_status status = rheo_compare(call->ctx, call->arguments, &options, call->json, &text);
    cli_print(call, text);
    if (status == RHEO_OK && !call->json && !call->quiet) {
        const char *out = call->out ? call->out : "compare";
        fprintf(stderr, "%s/report.html shows it; next: %s show %s, or %s train %s --size full\n",
                out, call->program, call->arguments[0], call->program, call->arguments[0]);
    }
    return status;
}

static const cli_option options[] = {
    CLI_OPTION_SIZE,
    CLI_OPTION_SET,
    CLI_OPTION("seeds", "N", seeds, CLI_COUNT, "runs of each recipe, counted up from --seed"),
    CLI_OPTION("jobs", "N", jobs, CLI_COUNT, "runs at once (default: 1)"),
    CLI_OPTION_OUT("runs, table and report go there (default: compare)"),
    CLI_OPTION_JSON,
    CLI_OPTION_END,
};

const cli_command cli_compare = {
    .name = "compare",
    .arguments = "RECIPE...",
    .summary = "Trains what has not been trained, then makes the table and the report",
    .text = "Writes table.md, table.csv, table.json and report.html; prints the table.",
    .example = "rheobase compare surrogate-mlp binarynet-mlp --size small --seeds 3",
    .options = options,
    .least = 1,
    .most = UINT32_MAX,
    .run = run,
};
