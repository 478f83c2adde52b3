/* bench.c: `rheobase bench [TASK]`: times of tasks beside what the machine could do at best; and a
 * task's arrays and turns, for `make bench-peers`. */
#include "command.h"
#include <stdio.h>

/* A line of standard input asks for a run; its figures are the answer. */
static bool wait(void *user, const rheo_bench_turn *last)
{
    char line[64];
    (void)user;
    if (last)
        printf("%.9g %.9g %zu\n", 1e3 * last->seconds, 1e3 * last->floor, last->memory);
    else
        puts("ready");
    fflush(stdout);
    return fgets(line, sizeof line, stdin) != NULL;
}

static rheo_status run(cli_call *call)
{
    const char *const *set = (const char *const *)call->set;
    const char *task = call->arguments[0];
    char *text = NULL;
    if ((call->out || call->turns || set) && !task)
        return cli_wrong("bench: --exchange, --turns and --set need a TASK");
    if (set && !call->out && !call->turns)
        return cli_wrong("bench: --set goes with --exchange or --turns");
    if (call->out && call->turns) return cli_wrong("bench: --exchange and --turns are two calls");
    if (call->out) return rheo_bench_exchange(call->ctx, task, set, call->out);
    if (call->turns) return rheo_bench_turns(call->ctx, task, set, wait, NULL);
    rheo_status status = rheo_bench(call->ctx, task, call->json, &text);
    cli_print(call, text);
    return status;
}

static const cli_option options[] = {
    CLI_OPTION_JSON,
    CLI_OPTION("exchange", "FILE.npz", out, CLI_TEXT,
               "write the task's weights, input, spikes and gradients"),
    CLI_OPTION("turns", NULL, turns, CLI_FLAG,
               "a run for each line read: its ms, the floor's, peak bytes"),
    CLI_OPTION_SET, CLI_OPTION_END};

const cli_command cli_bench = {
    .name = "bench",
    .arguments = "[TASK]",
    .summary = "Times tasks beside their floors: what this machine's arithmetic and memory allow",
    .text = "TASK is one of docs/bench.md's, or a group: layer is all whose names begin with\n"
            "\"layer-\"; without one, all. Epochs need MNIST or Fashion-MNIST.\n"
            "`make bench-peers` uses --exchange, --turns and --set to compare with other programs.",
    .example = "rheobase bench stdp --threads 1",
    .options = options,
    .least = 0,
    .most = 1,
    .run = run,
};
