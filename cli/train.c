/* train.c: `rheobase train RECIPE` and `rheobase train --resume RUN`. */
#include "command.h"
#include <stdio.h>

static rheo_status resume(cli_call *call)
{
    if (call->count) return cli_wrong("train takes RECIPE or --resume RUN, not both");
    if (call->size || call->set || call->out || call->force || call->seed || call->profile)
        return cli_wrong(
            "--resume goes on with the run as it was: leave out --size, --set, --seed, "
            "--out, --force and --profile");
    rheo_status status = rheo_resume(call->ctx, call->resume);
    if (status == RHEO_OK) puts(call->resume);
    return status;
}

static rheo_status run(cli_call *call)
{
    if (call->resume) return resume(call);
    if (!call->count) return cli_wrong("train needs RECIPE, or --resume RUN");
    rheo_recipe *recipe = NULL;
    rheo_status status = cli_recipe(call, &recipe);
    if (status != RHEO_OK) return status;
    char *folder = NULL, *profile = NULL;
    rheo_train_options options = {
        .out = call->out, .force = call->force, .profile = call->profile ? &profile : NULL};
    status = rheo_train(recipe, &options, &folder);
    rheo_recipe_free(recipe);
    if (status == RHEO_OK && call->profile && !profile && !call->quiet)
        fputs("rheobase: the run is finished: nothing was trained; --force trains again\n", stderr);
    cli_print(call, profile);
    if (status == RHEO_OK) puts(folder);
    rheo_free(call->ctx, folder);
    return status;
}

static const cli_option options[] = {
    CLI_OPTION_SIZE,
    CLI_OPTION_SET,
    CLI_OPTION_OUT("parent of the run's folder (default: runs)"),
    CLI_OPTION("force", NULL, force, CLI_FLAG, "train again, replace what is in the folder"),
    CLI_OPTION("profile", NULL, profile, CLI_FLAG,
               "print time and bytes by layer and phase, and the share of the floor"),
    CLI_OPTION("resume", "RUN", resume, CLI_TEXT,
               "go on with an interrupted run, to the same bits"),
    CLI_OPTION_END,
};

const cli_command cli_train = {
    .name = "train",
    .arguments = "RECIPE | --resume RUN",
    .summary = "Trains a recipe, tests it and writes a run folder",
    .text =
        "The folder DIR/NAME/DATA-SIZE/SEED is printed when the run is complete. A finished run "
        "of\n"
        "the same recipe is left as it is. Ctrl-C keeps a checkpoint; the same command goes on.",
    .example = "rheobase train surrogate-mlp --size small --set learn.rate=1e-3",
    .options = options,
    .most = 1,
    .run = run,
};
