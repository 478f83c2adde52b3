/* section.h: what the readers of a recipe's sections share. A reader gets its section as given
 * (NULL when absent), writes it to the end of root, and fills its part of the recipe. */
#ifndef RHEO_SRC_SECTION_H
#define RHEO_SRC_SECTION_H
#include "recipe/schema.h"

typedef struct rheo_build {
    rheo_context *ctx;
    const char *file;
    rheo_recipe *recipe;
    const rheo_doc *given;
    rheo_doc *root; /* recipe->doc, being written */
} rheo_build;

#define REFUSE(b, doc, ...) rheo__refuse((b)->ctx, (b)->file, (doc)->line, __VA_ARGS__)

/* Refuses a node of another kind. */
rheo_status rheo__want(rheo_build *b, const rheo_doc *doc, rheo_doc_kind kind, const char *where);
/* A new map or list at the end of `to`; from: whose line it keeps, NULL: none. */
rheo_status rheo__open_section(rheo_build *b, rheo_doc *to, const rheo_doc *from, const char *key,
                               rheo_doc_kind kind, rheo_doc **out);
rheo_status rheo__put(rheo_build *b, rheo_doc *to, const rheo_doc *from, const char *key,
                      const char *text, bool quoted);
/* A copy of a whole section at the end of root. */
rheo_status rheo__put_clone(rheo_build *b, const rheo_doc *from, rheo_doc **out);
/* Reads the fields of a section (from may be NULL) and writes all of them. */
rheo_status rheo__take_fields(rheo_build *b, const rheo_doc *from, const rheo_field *fields,
                              const char *const *skip, const char *where, rheo_doc *to,
                              rheo_options *values);
rheo_status rheo__take_number(rheo_build *b, const rheo_doc *value, const rheo_field *field,
                              const char *where, double *out);
/* A name that a section chooses by: text, or `absent` (NULL: it is needed); *line for messages. */
rheo_status rheo__take_choice(rheo_build *b, const rheo_doc *map, const char *key,
                              const char *absent, const char *where, const char **text,
                              uint32_t *line);

rheo_status rheo__read_code(rheo_build *b, const rheo_doc *given);
rheo_status rheo__read_neuron(rheo_build *b, const rheo_doc *given);
rheo_status rheo__read_net(rheo_build *b, const rheo_doc *given);
rheo_status rheo__read_learn(rheo_build *b, const rheo_doc *given);
#endif
