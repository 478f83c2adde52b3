/* catalogue.h: all that there is, kind by kind, as entries for `list` and `show`. */
#ifndef RHEO_SRC_CATALOGUE_H
#define RHEO_SRC_CATALOGUE_H
#include "recipe/schema.h"

#define RHEO_FACTS 16

typedef struct rheo_fact {
    const char *label;
    char text[224];
} rheo_fact;

typedef struct rheo_entry {
    const char *name, *title, *equations, *source; /* any but the name may be NULL */
    const rheo_field *fields;                      /* parameters, NULL: none */
    uint32_t facts;
    rheo_fact fact[RHEO_FACTS];
    char text[160]; /* for a title that is made */
} rheo_entry;

typedef struct rheo_catalogue {
    rheo_context *ctx;
    char **recipes;
    bool titles;        /* recipes are opened for theirs */
    rheo_status status; /* RHEO_MEMORY when an entry could not be made; the list ends there */
} rheo_catalogue;

typedef struct rheo_catalogue_kind {
    const char *plural, *single;
    /* false past the end */
    bool (*at)(rheo_catalogue *catalogue, uint32_t index, rheo_entry *out);
} rheo_catalogue_kind;
extern const rheo_catalogue_kind rheo__catalogue_kinds[]; /* plural NULL ends */

rheo_status rheo__catalogue_open(rheo_context *ctx, rheo_catalogue *out);
void rheo__catalogue_close(rheo_catalogue *catalogue);
#endif
