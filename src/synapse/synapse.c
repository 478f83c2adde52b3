/* synapse.c: the table of plasticity rules, made from synapses.def. */
#include "synapse/rule.h"
#include <math.h>
#include <string.h>

#define RHEO_ABOUT

#define RHEO_ROW(token) token##_index,
enum {
#include "synapse/synapses.def"
    synapse_count
};
#undef RHEO_ROW

#define RHEO_EMIT "synapse/about.h"
#include "synapse/synapses.def"

#define RHEO_ROW(token) &token##_model,
static const rheo_synapse *const rules[] = {
#include "synapse/synapses.def"
};
#undef RHEO_ROW

#define RHEO_ROW(token) token##_name,
const char *const rheo__synapse_names[] = {
#include "synapse/synapses.def"
    NULL};
#undef RHEO_ROW

const rheo_synapse *rheo__synapse_at(uint32_t index)
{
    return index < synapse_count ? rules[index] : NULL;
}

const rheo_synapse *rheo__synapse_find(const char *name)
{
    for (uint32_t i = 0; i < synapse_count; i++)
        if (strcmp(rules[i]->name, name) == 0) return rules[i];
    return NULL;
}
