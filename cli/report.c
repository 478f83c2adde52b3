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
    CLI_OPTION("out", "FILE", output, CLI_TEXT,
               "a page (.html, default report.html) or a table (.md .csv .json)"),
    CLI_OPTION_END,
};

const cli_command cli_report = {
    .name = "report",
    .arguments = "RUN...",
    .summary = "Writes one page, or a table, about runs or all runs below a folder",
    .text = "The page needs no server and no network. The ending of the file's name chooses\n"
            "the form; its path is printed. A kept .json table may stand for its runs.",
    .example = "rheobase report runs --out report.html",
    .options = options,
    .least = 1,
    .most = UINT32_MAX,
    .run = run,
};
