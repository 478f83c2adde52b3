/* optim.c: the table of optimisers, and the schedules of the rate. */
#include "optim/optim.h"
#include <math.h>
#include <string.h>

#define RHEO_OPTIMISER(symbol, name) extern const rheo_optimiser rheo__optimiser_##symbol;
#include "optim/optimisers.def"
#undef RHEO_OPTIMISER

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

/* Factors that go from 1 at progress 0 to `last` at progress 1. */
static double constant(double last, double progress)
{
    (void)last;
    (void)progress;
    return 1;
}

static double linear(double last, double progress)
{
    return 1 + (last - 1) * progress;
}

static double cosine(double last, double progress)
{
    return last + (1 - last) * (1 + cos(3.14159265358979323846 * progress)) / 2;
}

static double exponential(double last, double progress)
{
    return pow(last, progress);
}

typedef double factor_fn(double last, double progress);
static factor_fn *const schedules[] = {constant, linear, cosine, exponential};
const char *const rheo__schedule_names[] = {"constant", "linear", "cosine", "exponential", NULL};

double rheo__schedule(uint32_t schedule, double last, double progress)
{
    return schedules[schedule](last, progress);
}
