/* dialect.h: other programs' conventions as options of the models (dialects.def). */
#ifndef RHEO_SRC_DIALECT_H
#define RHEO_SRC_DIALECT_H
#include "neuron/neuron.h"

typedef struct rheo_dialect {
    const char *name, *model; /* model "*": all that have the key, and can take the value */
    const char *key, *value;
    const char *if_key, *if_value; /* NULL: always */
} rheo_dialect;
extern const rheo_dialect rheo__dialects[]; /* name NULL ends */
extern const char *const rheo__dialect_names[];
/* Whether a line is about this dialect and model. */
bool rheo__dialect_holds(const rheo_dialect *line, const char *name, const rheo_neuron *neuron);
#endif
