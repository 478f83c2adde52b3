/* dialect.c: the table of dialects. */
#include "neuron/dialect.h"
#include <string.h>

#define RHEO_DIALECT(name, model, key, value, if_key, if_value)                                    \
    {name, model, key, value, if_key, if_value},
const rheo_dialect rheo__dialects[] = {
#include "neuron/dialects.def"
    {NULL, NULL, NULL, NULL, NULL, NULL}};
#undef RHEO_DIALECT

const char *const rheo__dialect_names[] = {"snntorch", "spikingjelly", "norse", "sinabs",
                                           "rockpool", "spyx",         "lava",  NULL};

bool rheo__dialect_holds(const rheo_dialect *line, const char *name, const rheo_neuron *neuron)
{
    return !strcmp(line->name, name) &&
           (!strcmp(line->model, "*") || !strcmp(line->model, neuron->name)) &&
           rheo__field_index(neuron->fields, line->key) >= 0;
}
