/* plot.c: `rheobase plot RUN --what …`: one figure of a run. */
#include "command.h"
#include <stdio.h>

static rheo_status run(cli_call *call)
{
    const char *folder = call->arguments[0], *what = call->what ? call->what : "curve";
    char path[4096];
    int length = snprintf(path, sizeof path, "%s/%s.svg", folder, what);
    if (length < 0 || (size_t)length >= sizeof path)
        return cli_wrong("%s: too long a path", folder);
    const char *out = call->output ? call->output : path;
    rheo_status status = rheo_plot(call->ctx, folder, what, out);
    if (status == RHEO_OK) puts(out);
    return status;
}

static const cli_option options[] = {
    CLI_OPTION("what", "curve|raster|membrane|weights|confusion", what, CLI_TEXT,
               "the figure (default: curve)"),
    CLI_OPTION("out", "FILE", output, CLI_TEXT, ".svg or .png (default: RUN/WHAT.svg)"),
    CLI_OPTION_END,
};

const cli_command cli_plot = {
    .name = "plot",
    .arguments = "RUN",
    .summary = "Draws a run's curve, raster, membranes, weights or confusion matrix",
    .text = "Prints the path of the figure.",
    .example = "rheobase plot runs/surrogate-mlp/mnist-small/1 --what raster --out raster.svg",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
};
