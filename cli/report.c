/* report.c: `rheobase report RUN…`: one page that opens anywhere. */
#include "command.h"
#include <stdio.h>

static rheo_status run(cli_call *call)
{
    const char *out = call->output ? call->output : "report.html";
    rheo_status status = rheo_report(call->ctx, call->arguments, out);
    if (status == RHEO_OK) puts(out);
    return status;
}

static const cli_option options[] = {
    CLI_OPTION("out", "FILE", output, CLI_TEXT, "an .html file (default: report.html)"),
    CLI_OPTION_END,
};

const cli_command cli_report = {
    .name = "report",
    .arguments = "RUN...",
    .summary = "Writes one HTML page about runs, or all runs below a folder",
    .text = "The page needs no server and no network. Its path is printed.",
    .example = "rheobase report runs --out report.html",
    .options = options,
    .least = 1,
    .most = UINT32_MAX,
    .run = run,
};
