/* optim.c: the tables of optimisers and of schedules. */
#include "optim/optim.h"
#include <string.h>

#define RHEO_OPTIMISER(symbol, name) extern const rheo_optimiser rheo__optimiser_##symbol;
#include "optim/optimisers.def"
#undef RHEO_OPTIMISER
#define RHEO_SCHEDULE(symbol, name) extern const rheo_schedule rheo__schedule_##symbol;
#include "optim/schedules.def"
#undef RHEO_SCHEDULE

static const rheo_optimiser *const optimisers[] = {
#define RHEO_OPTIMISER(symbol, name) &rheo__optimiser_##symbol,
#include "optim/optimisers.def"
#undef RHEO_OPTIMISER
};
#define OPTIMISERS (sizeof optimisers / sizeof optimisers[0])

const char *const rheo__optimiser_names[] = {
#define RHEO_OPTIMISER(symbol, name) name,
#include "optim/optimisers.def"
#undef RHEO_OPTIMISER
    NULL};

const rheo_optimiser *rheo__optimiser_at(uint32_t index)
{
    return index < OPTIMISERS ? optimisers[index] : NULL;
}

const rheo_optimiser *rheo__optimiser_find(const char *name)
{
    for (size_t i = 0; i < OPTIMISERS; i++)
        if (strcmp(rheo__optimiser_names[i], name) == 0) return optimisers[i];
    return NULL;
}

static const rheo_schedule *const schedules[] = {
#define RHEO_SCHEDULE(symbol, name) &rheo__schedule_##symbol,
#include "optim/schedules.def"
#undef RHEO_SCHEDULE
};
#define SCHEDULES (sizeof schedules / sizeof schedules[0])

const char *const rheo__schedule_names[] = {
#define RHEO_SCHEDULE(symbol, name) name,
#include "optim/schedules.def"
#undef RHEO_SCHEDULE
    NULL};

const rheo_schedule *rheo__schedule_at(uint32_t index)
{
    return index < SCHEDULES ? schedules[index] : NULL;
}

const rheo_schedule *rheo__schedule_find(const char *name)
{
    for (size_t i = 0; i < SCHEDULES; i++)
        if (strcmp(rheo__schedule_names[i], name) == 0) return schedules[i];
    return NULL;
}
