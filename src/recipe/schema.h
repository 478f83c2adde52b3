/* schema.h: what the files of this folder share. */
#ifndef RHEO_SRC_SCHEMA_H
#define RHEO_SRC_SCHEMA_H
#include "recipe/recipe.h"

#define RHEO_RECIPE_BYTES (1 << 20)

/* "file:line: " (line 0: "file: ") and the text; RHEO_USAGE. */
rheo_status rheo__refuse(rheo_context *ctx, const char *file, uint32_t line, const char *format,
                         ...) RHEO_PRINTF(4, 5);
/* "file:line: unknown WHAT 'found'WHERE; did you mean 'x'?", or all names when none is near. */
rheo_status rheo__unknown(rheo_context *ctx, const char *file, uint32_t line, const char *what,
                          const char *found, const char *where, const char *const *names);

/* The fields that a section knows: its own and those of what it names (encoder, model, learner,
 * loss, optimiser, schedule). A name in two tables is one field for both. What a section names wrongly adds
 * none. */
typedef struct rheo_joint {
    uint32_t count;
    rheo_field field[RHEO_OPTIONS_MAX + 1];
} rheo_joint;
void rheo__joint_code(const rheo_doc *map, rheo_joint *out);
void rheo__joint_learn(const rheo_doc *map, rheo_joint *out);
rheo_options rheo__joint_pick(const rheo_joint *joint, const rheo_options *values,
                              const rheo_field *fields);
/* What a phase's map says, or its learner's default: the name of its loss, its optimiser; NULL: the
 * learner has no such field. */
const char *rheo__joint_chosen(const rheo_learner *learner, const rheo_doc *map, const char *key);

/* Removes from `now` what belonged to an encoder, model, method, loss or optimiser that `before`
 * named and `now` has replaced, unless it was set anew. */
void rheo__prune(rheo_context *ctx, const rheo_doc *before, rheo_doc *now);
/* Takes an entry out of a map and frees it, if it is there. */
void rheo__doc_drop(rheo_context *ctx, rheo_doc *map, const char *key);

/* Checks a document to which all overrides have been applied against every table, writes it anew
 * with all defaults into recipe->doc, and fills the rest of *recipe, whose ctx and file are set. On
 * failure the caller frees the recipe as it stands. */
rheo_status rheo__schema_complete(const rheo_doc *given, rheo_recipe *recipe);

/* Sorted names of the recipes there are, without .yaml, NULL-terminated; rheo__names_free. */
rheo_status rheo__recipe_names(rheo_context *ctx, char ***names);
void rheo__names_free(rheo_context *ctx, char **names);
#endif
