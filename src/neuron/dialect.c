/* dialect.c: the table of dialects. */
#include "neuron/dialect.h"
#include <string.h>

#define RHEO_DIALECT_NAME(name)
#define RHEO_DIALECT(name, model, key, value, if_key, if_value)                                    \
    {name, model, key, value, if_key, if_value},
const rheo_dialect rheo__dialects[] = {
#include "neuron/dialects.def"
    {NULL, NULL, NULL, NULL, NULL, NULL}};
#undef RHEO_DIALECT_NAME
#undef RHEO_DIALECT

#define RHEO_DIALECT_NAME(name) name,
#define RHEO_DIALECT(...)
const char *const rheo__dialect_names[] = {
#include "neuron/dialects.def"
    NULL};

/* `reset` is a choice in one model and a membrane in another. */
static bool takes(const rheo_field *field, const char *value)
{
    double number;
    if (field->type == RHEO_FLAG) return !strcmp(value, "true") || !strcmp(value, "false");
    if (field->type != RHEO_CHOICE) return rheo__number(value, &number);
    for (uint32_t i = 0; field->choices[i]; i++)
        if (!strcmp(field->choices[i], value)) return true;
    return false;
}

bool rheo__dialect_holds(const rheo_dialect *line, const char *name, const rheo_neuron *neuron)
{
    const int at = rheo__field_index(neuron->fields, line->key);
    return !strcmp(line->name, name) &&
           (!strcmp(line->model, "*") || !strcmp(line->model, neuron->name)) && at >= 0 &&
           takes(&neuron->fields[at], line->value);
}
