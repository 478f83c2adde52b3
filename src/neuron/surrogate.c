/* surrogate.c: the surrogates in double, their table, and what is asked of a population's choice.
 */
#include "neuron/neuron.h"
#include <math.h>

#define REAL             double
#define RHEO_EXP         exp
#define RHEO_LOG1P       log1p
#define RHEO_SQRT        sqrt
#define RHEO_ABS         fabs
#define RHEO_BELL        bell
#define RHEO_NORMAL      density
#define RHEO_ODD_COSINES odd_cosines

/* e^-z / (1 + e^-z)^2 and its integral */
static double bell(double z)
{
    const double e = exp(-fabs(z));
    return e / ((1 + e) * (1 + e));
}
static double logistic(double z)
{
    return z >= 0 ? 1 / (1 + exp(-z)) : exp(z) / (1 + exp(z));
}

/* the normal density and its integral */
static double density(double z)
{
    return 0.3989422804014327 * exp(-0.5 * z * z);
}
static double normal(double z)
{
    return 0.5 * erfc(-0.7071067811865476 * z);
}

/* integrals of max(0, 1 - |z|) and of e^-|z| / 2 */
static double triangle(double z)
{
    if (fabs(z) >= 1) return z > 0;
    return z < 0 ? (1 + z) * (1 + z) / 2 : 1 - (1 - z) * (1 - z) / 2;
}
static double laplace(double z)
{
    return z < 0 ? exp(z) / 2 : 1 - exp(-z) / 2;
}

/* cos(t) + cos(3 t) + ... + cos((2m-1) t), t = 2 pi x/period */
static double odd_cosines(double x, double period, double m)
{
    double sum = 0;
    for (int i = 1; i <= (int)m; i++) sum += cos((2 * i - 1) * 6.283185307179586 * x / period);
    return sum;
}
static double squarewave(double u, double n)
{
    double sum = 0;
    for (int i = 1; i < (int)n; i++) sum += sin((2 * i - 1) * 6.283185307179586 * u) / (2 * i - 1);
    return 0.5 + 2 / 3.141592653589793 * sum;
}

#define RHEO_SURROGATE(token, name, slope0, shape0, derivative, integral, equations, source)       \
    static double token##_derivative(double x, double a, double b)                                 \
    {                                                                                              \
        (void)a, (void)b;                                                                          \
        return derivative;                                                                         \
    }                                                                                              \
    static double token##_integral(double x, double a, double b)                                   \
    {                                                                                              \
        (void)a, (void)b;                                                                          \
        return integral;                                                                           \
    }
#include "neuron/surrogates.def"
#undef RHEO_SURROGATE

enum {
#define RHEO_SURROGATE(token, ...) surrogate_##token,
#include "neuron/surrogates.def"
#undef RHEO_SURROGATE
    surrogate_count
};

#define RHEO_SURROGATE(token, name, slope0, shape0, derivative, integral, equations, source)       \
    {name,                                                                                         \
     equations,                                                                                    \
     source,                                                                                       \
     slope0,                                                                                       \
     shape0,                                                                                       \
     surrogate_##token == surrogate_own,                                                           \
     surrogate_##token == surrogate_stochastic_spike,                                              \
     token##_derivative,                                                                           \
     token##_integral},
static const rheo_surrogate surrogates[] = {
#include "neuron/surrogates.def"
};
#undef RHEO_SURROGATE

#define RHEO_SURROGATE(token, name, ...) name,
const char *const rheo__surrogate_names[] = {
#include "neuron/surrogates.def"
    NULL};
#undef RHEO_SURROGATE

const rheo_surrogate *rheo__surrogate_at(uint32_t index)
{
    return index < surrogate_count ? &surrogates[index] : NULL;
}

/* ---- a population's choice ---- */

void rheo__pseudo_parameters(const rheo_pseudo *pseudo, double *slope, double *shape)
{
    const rheo_surrogate *s = &surrogates[pseudo->surrogate];
    *slope = pseudo->slope > 0 ? pseudo->slope : s->slope;
    *shape = isnan(pseudo->shape) ? s->shape : pseudo->shape;
}

double rheo__pseudo_derivative(const rheo_pseudo *pseudo, double x)
{
    const rheo_surrogate *s = &surrogates[pseudo->surrogate];
    double slope, shape;
    rheo__pseudo_parameters(pseudo, &slope, &shape);
    if (s->own && pseudo->formula) return rheo__formula_value(pseudo->formula, x, slope);
    return s->derivative(x, slope, shape);
}

double rheo__pseudo_integral(const rheo_pseudo *pseudo, double x)
{
    const rheo_surrogate *s = &surrogates[pseudo->surrogate];
    double slope, shape;
    rheo__pseudo_parameters(pseudo, &slope, &shape);
    if (s->own && pseudo->formula) return rheo__formula_integral(pseudo->formula, x, slope);
    return s->integral(x, slope, shape);
}

rheo_status rheo__pseudo_check(rheo_context *ctx, const rheo_pseudo *pseudo, const char *where)
{
    double slope, shape;
    rheo__pseudo_parameters(pseudo, &slope, &shape);
    RHEO_CHECK(ctx, pseudo->surrogate != surrogate_q_pseudo || slope > 1, RHEO_USAGE,
               "%s: slope is %g, expected above 1 for q-pseudo-spike (its tail)", where, slope);
    RHEO_CHECK(ctx,
               pseudo->surrogate != surrogate_squarewave ||
                   (shape >= 2 && shape <= 64 && shape == floor(shape)),
               RHEO_USAGE,
               "%s: shape is %g, expected a whole number from 2 to 64 for squarewave-fourier (its "
               "terms and one)",
               where, shape);
    RHEO_CHECK(ctx, pseudo->surrogate != surrogate_escape_rate || shape > 0, RHEO_USAGE,
               "%s: shape is %g, expected above 0 for spike-rate-escape (its decay)", where, shape);
    if (pseudo->surrogate != surrogate_own) return RHEO_OK;
    RHEO_CHECK(ctx, pseudo->formula, RHEO_USAGE, "%s: surrogate 'formula' without a formula",
               where);
    return rheo__formula_check(ctx, pseudo->formula, slope, where);
}
