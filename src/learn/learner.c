/* learner.c: the table of learning methods, from learners.def, and the fields of `code`. */
#include "learn/learn.h"
#include "readout/readout.h"
#include <string.h>

#define RHEO_LEARNER(symbol) extern const rheo_learner rheo__learner_##symbol;
#include "learn/learners.def"
#undef RHEO_LEARNER

static const rheo_learner *const learners[] = {
#define RHEO_LEARNER(symbol) &rheo__learner_##symbol,
#include "learn/learners.def"
#undef RHEO_LEARNER
    NULL};

const char *const rheo__learner_names[] = {
#define RHEO_LEARNER(symbol) #symbol,
#include "learn/learners.def"
#undef RHEO_LEARNER
    NULL};

const rheo_learner *rheo__learner_at(uint32_t index)
{
    for (uint32_t i = 0; learners[i]; i++)
        if (i == index) return learners[i];
    return NULL;
}

const rheo_learner *rheo__learner_find(const char *name)
{
    for (uint32_t i = 0; learners[i]; i++)
        if (!strcmp(learners[i]->name, name)) return learners[i];
    return NULL;
}

const rheo_field rheo__code_fields[] = {
    RHEO_INTEGER_FIELD("steps", "1", 25, 1, RHEO_MOST_STEPS, "Steps of a presentation."),
    RHEO_NUMBER_FIELD("step", "ms", 1, 1e-6, 1e6, "Length of a step."),
    RHEO_CHOICE_FIELD("output", 0, rheo__readout_names, "How the output becomes a decision."),
    RHEO_INTEGER_FIELD("least", "1", 0, 0, 1e6,
                       "Show a sample again while the output gives fewer spikes; 0: never."),
    RHEO_NUMBER_FIELD("raise", "1", 0, 0, 1e3,
                      "What each further show adds to the input's intensity, which begins at 1."),
    RHEO_INTEGER_FIELD(
        "label", "1", 0, 0, 1e9,
        "For output response: training samples that tell which class a neuron answers; "
        "0: all."),
    RHEO_CHOICE_FIELD(
        "population", 0, rheo__group_names,
        "Outputs are groups of neurons, one group a class, which are summed or averaged."),
    RHEO_FIELD_END};
