/* plan.c: `rheobase plan RECIPE`: what would be run, and what it would take. */
#include "command.h"

static rheo_status run(cli_call *call)
{
    rheo_recipe *recipe = NULL;
    rheo_status status = cli_recipe(call, &recipe);
    if (status != RHEO_OK) return status;
    char *text = NULL;
    status = rheo_recipe_plan(recipe, call->json, &text);
    cli_print(call, text);
    rheo_recipe_free(recipe);
    return status;
}

static const cli_option options[] = {CLI_OPTION_SIZE, CLI_OPTION_SET, CLI_OPTION_JSON,
                                     CLI_OPTION_END};

const cli_command cli_plan = {
    .name = "plan",
    .arguments = "RECIPE",
    .summary = "Shows layers, shapes, parameters, kernels, operations, predicted memory and time",
    .text = "Nothing is trained. RECIPE is a file, or a name of 'rheobase list recipes'.",
    .example = "rheobase plan surrogate-mlp --set code.steps=50",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
};
