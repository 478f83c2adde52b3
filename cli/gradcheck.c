/* gradcheck.c: `rheobase gradcheck RECIPE`: are the gradients right? */
#include "command.h"

static rheo_status run(cli_call *call)
{
    rheo_recipe *recipe = NULL;
    rheo_status status = cli_recipe(call, &recipe);
    if (status != RHEO_OK) return status;
    char *text = NULL;
    status = rheo_recipe_gradcheck(recipe, call->json, &text);
    cli_print(call, text);
    rheo_recipe_free(recipe);
    return status;
}

static const cli_option options[] = {CLI_OPTION_SIZE, CLI_OPTION_SET, CLI_OPTION_JSON,
                                     CLI_OPTION_END};

const cli_command cli_gradcheck = {
    .name = "gradcheck",
    .arguments = "RECIPE",
    .summary = "Checks a recipe's gradients against double precision and finite differences",
    .text = "Exit status 1 when one is off.",
    .example = "rheobase gradcheck surrogate-mlp --size small",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
};
