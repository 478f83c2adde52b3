/* data.c: `rheobase data list|fetch NAME|info FILE`. */
#include "command.h"
#include <string.h>

static rheo_status list(cli_call *call, char **text)
{
    return rheo_data_list(call->ctx, call->json, text);
}

static rheo_status fetch(cli_call *call, char **text)
{
    return rheo_data_fetch(call->ctx, call->arguments[1], text);
}

static rheo_status info(cli_call *call, char **text)
{
    return rheo_data_info(call->ctx, call->arguments[1], call->json, text);
}

static const struct {
    const char *name, *arguments;
    uint32_t count;
    rheo_status (*run)(cli_call *, char **);
    bool json;
} actions[] = {
    {"list", "", 1, list, true},
    {"fetch", " NAME", 2, fetch, false},
    {"info", " FILE", 2, info, true},
};
#define ACTIONS (sizeof actions / sizeof actions[0])

static rheo_status run(cli_call *call)
{
    const char *name = call->arguments[0];
    for (size_t i = 0; i < ACTIONS; i++) {
        if (strcmp(actions[i].name, name) != 0) continue;
        if (call->count != actions[i].count)
            return cli_wrong("write 'rheobase data %s%s'", name, actions[i].arguments);
        if (call->json && !actions[i].json) return cli_wrong("data %s knows no --json", name);
        char *text = NULL;
        rheo_status status = actions[i].run(call, &text);
        cli_print(call, text);
        return status;
    }
    const char *near = cli_nearest(name, &actions[0].name, ACTIONS, sizeof actions[0]);
    return cli_wrong("unknown action '%s'%s%s; data knows list, fetch NAME and info FILE", name,
                     near ? ", nearest is " : "", near ? near : "");
}

static const cli_option options[] = {CLI_OPTION_JSON, CLI_OPTION_END};

const cli_command cli_data = {
    .name = "data",
    .arguments = "list | fetch NAME | info FILE",
    .summary = "Known data sets and where they were found; fetches one; looks into a file",
    .text =
        "Data sets are looked for in the folders of RHEOBASE_DATA, in the user's data folder and\n"
        "where the distribution puts them. A fetched file is checked against its known checksum.",
    .example = "rheobase data list",
    .options = options,
    .least = 1,
    .most = 2,
    .run = run,
};
