/* recipe.h: a recipe understood: the resolved document and what it means. */
#ifndef RHEO_SRC_RECIPE_H
#define RHEO_SRC_RECIPE_H
#include <rheobase/recipe.h>
#include "learn/learn.h"

#define RHEO_PHASES   8
#define RHEO_VARIANTS 16

struct rheo_recipe {
    rheo_context *ctx;
    rheo_doc *doc;  /* resolved: size and --set applied, defaults written out */
    char file[256]; /* where it was read, for messages */
    char set[1024]; /* the --set options joined by '\n', "" when none: hashed into the folder */
    char name[64], title[160], family[24];
    char size[16]; /* "full", "small" */
    uint64_t seed;
    rheo_precision precision;
    rheo_data_request data; /* strings point into doc */
    uint32_t batch;
    rheo_code code;
    const rheo_doc *net, *neuron; /* for rheo__net_build */
    uint32_t phases;
    rheo_phase phase[RHEO_PHASES];
    double reported, accept; /* for this data set (and size); NaN: none */
    /* After the trained phases, the learned net is tested again under each of these: a map of
     * overrides ("learn.1.by": model, "code.input": poisson). */
    uint32_t variants;
    const rheo_doc *variant[RHEO_VARIANTS]; /* key: the variant's name */
};

/* libyaml to a tree; errors with file:line. Anchors, aliases and several documents are refused. */
rheo_status rheo__yaml_parse(rheo_context *ctx, const char *file, const char *text, size_t size,
                             rheo_doc **out);
/* Checks and resolves a parsed recipe (taken, also on failure). */
rheo_status rheo__recipe_resolve(rheo_context *ctx, rheo_doc *doc, const char *file,
                                 const rheo_recipe_options *options, rheo_recipe **out);
/* From a model file's text, which is already resolved. */
rheo_status rheo__recipe_from_text(rheo_context *ctx, const char *text, const char *file,
                                   rheo_recipe **out);
/* The same recipe under a variant's overrides: a new recipe. */
rheo_status rheo__recipe_variant(const rheo_recipe *recipe, uint32_t variant, rheo_recipe **out);
/* "float32", "bf16 (amx)": with the path that it takes here. */
void rheo__precision_text(const rheo_recipe *recipe, char out[32]);
/* runs/NAME/DATA-SIZE[-HASH8]/SEED */
rheo_status rheo__recipe_folder(const rheo_recipe *recipe, const char *out, char *path);
#endif
