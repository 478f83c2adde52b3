/* neuron.c: the table of neuron models and their double reference, made from models.def. */
#include "neuron/neuron.h"
#include "neuron/model.h"
#include <math.h>
#include <string.h>

#define REAL       double
#define RHEO_EXP   exp
#define RHEO_LOG   log
#define RHEO_LOG1P log1p
#define RHEO_TANH  tanh
#define RHEO_ERF   erf
#define RHEO_SQRT  sqrt
#define RHEO_ABS   fabs
#define RHEO_ABOUT

enum {
#define RHEO_SURROGATE(token, ...) surrogate_##token,
#include "neuron/surrogates.def"
#undef RHEO_SURROGATE
    surrogate_count
};

#define RHEO_ROW(token) token##_index,
enum {
#include "neuron/models.def"
    neuron_count
};
#undef RHEO_ROW

static double spike(double x, double edge, bool smooth, const rheo_pseudo *pseudo)
{
    if (smooth) return rheo__pseudo_integral(pseudo, x);
    return x >= edge ? 1 : 0;
}

static void all_options(const double *inputs, double *in)
{
    memcpy(in, inputs, RHEO_ROWS * sizeof *in);
    in[RHEO_FULL] = 1;
}

#define RHEO_EMIT "neuron/reference.h"
#include "neuron/models.def"

#define RHEO_ROW(token) &token##_model,
static const rheo_neuron *const models[] = {
#include "neuron/models.def"
};
#undef RHEO_ROW

#define RHEO_ROW(token) token##_name,
const char *const rheo__neuron_names[] = {
#include "neuron/models.def"
    NULL};
#undef RHEO_ROW

const rheo_neuron *rheo__neuron_at(uint32_t index)
{
    return index < neuron_count ? models[index] : NULL;
}

const rheo_neuron *rheo__neuron_find(const char *name)
{
    for (uint32_t i = 0; i < neuron_count; i++)
        if (strcmp(models[i]->name, name) == 0) return models[i];
    return NULL;
}
