/* surrogate.c: the surrogates in double, and their table. */
#include "neuron/neuron.h"
#include <math.h>

#define REAL     double
#define RHEO_EXP exp
#define RHEO_ABS fabs

#define RHEO_SURROGATE(token, name, slope0, derivative, integral, equations, source)               \
    static double token##_derivative(double x, double slope)                                       \
    {                                                                                              \
        const double a = slope > 0 ? slope : (slope0);                                             \
        return derivative;                                                                         \
    }                                                                                              \
    static double token##_integral(double x, double slope)                                         \
    {                                                                                              \
        const double a = slope > 0 ? slope : (slope0);                                             \
        return integral;                                                                           \
    }
#include "neuron/surrogates.def"
#undef RHEO_SURROGATE

#define RHEO_SURROGATE(token, name, slope0, derivative, integral, equations, source)               \
    {name, equations, source, slope0, token##_derivative, token##_integral},
static const rheo_surrogate surrogates[] = {
#include "neuron/surrogates.def"
};
#undef RHEO_SURROGATE

#define RHEO_SURROGATE(token, name, slope0, derivative, integral, equations, source) name,
const char *const rheo__surrogate_names[] = {
#include "neuron/surrogates.def"
    NULL};
#undef RHEO_SURROGATE

const rheo_surrogate *rheo__surrogate_at(uint32_t index)
{
    return index < sizeof surrogates / sizeof *surrogates ? &surrogates[index] : NULL;
}
