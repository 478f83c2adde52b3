/* izhikevich_2007.h: Izhikevich's simple model in the form of his book, with the membrane's own
 * capacitance, rest and threshold. Step and gradient are in izh.h.
 *
 *   C dv/dt = k (v - rest)(v - threshold) - u + i
 *   du/dt = a (b (v - rest) - u);   v >= peak: v = c, u = u + d
 *
 * With capacitance 1, curve 1, rest 0, threshold 0 and peak 1 it is the dimensionless form,
 * dv/dt = v^2 - u + i, du/dt = a (b v - u) (section 8.1.4 of the book).
 * Defaults: the regular spiking cell of the book's figure 8.12 (C 100 pF, k 0.7, -60, -40, 35 mV,
 * a 0.03/ms, b -2 nS, c -50 mV, d 100 pA). It starts at rest. Learnable: a, b, c, d, gain.
 * Leaves out: the book's cells whose c, d or peak depend on u. */
#ifdef RHEO_ROW
RHEO_ROW(izhikevich_2007)
#else
#define RHEO_MODEL      izhikevich_2007
#define RHEO_IZH_UNIT   "mV"
#define RHEO_IZH_UNIT_U "pA"
#include "neuron/models/izh.h"

#ifdef RHEO_ABOUT
#define RHEO_NAME  "izhikevich-2007"
#define RHEO_TITLE "Izhikevich's simple model, 2007; also dimensionless"
#define RHEO_EQUATIONS                                                                             \
    "C dv/dt = curve (v - rest)(v - threshold) - u + gain i,  du/dt = a (b (v - rest) - u)\n"      \
    "spike when v >= peak: v = c, u = u + d\n"                                                     \
    "(C = curve = peak = 1, rest = threshold = 0: dv/dt = v^2 - u + i, the dimensionless form)"
#define RHEO_SOURCE     "Izhikevich 2007, Dynamical Systems in Neuroscience, equations 8.5 and 8.6"
#define RHEO_PORT_NAMES "input"
#define RHEO_MULTIPLIES 13
#define RHEO_ADDS       13
#define RHEO_INITIAL    1
#define RHEO_LEARNABLE  "a", "b", "c", "d", "gain"
static const rheo_field izhikevich_2007_fields[] = {
    RHEO_NUMBER_FIELD("a", "1/ms", 0.03, 0, 1e3, "rate of the recovery"),
    RHEO_NUMBER_FIELD("b", "nS", -2, -1e6, 1e6, "how the recovery follows v"),
    RHEO_NUMBER_FIELD("c", "mV", -50, -1e4, 1e4, "membrane after a spike"),
    RHEO_NUMBER_FIELD("d", "pA", 100, -1e6, 1e6, "jump of the recovery at a spike"),
    RHEO_NUMBER_FIELD("peak", "mV", 35, -1e4, 1e4, "v from here on is a spike"),
    RHEO_NUMBER_FIELD("gain", "pA", 1, -1e9, 1e9, "current for an input of 1"),
    RHEO_IZH_LAST_FIELDS,
    RHEO_NUMBER_FIELD("capacitance", "pF", 100, 1e-6, 1e9, "of the membrane"),
    RHEO_NUMBER_FIELD("curve", "nS/mV", 0.7, 1e-6, 1e6, "of the parabola (k)"),
    RHEO_NUMBER_FIELD("rest", "mV", -60, -1e4, 1e4, "resting membrane"),
    RHEO_NUMBER_FIELD("threshold", "mV", -40, -1e4, 1e4, "where v runs away, with u 0"),
    RHEO_SURROGATE_FIELDS(0),
    RHEO_FIELD_END};

static rheo_status izhikevich_2007_derive(rheo_context *ctx, const rheo_options *o, double dt,
                                          double *k)
{
    const double *v = o->v + IZH_F_OWN, C = v[0], curve = v[1], rest = v[2], threshold = v[3];
    const double q[4] = {curve / C, -curve * (rest + threshold) / C, curve * rest * threshold / C,
                         1 / C};
    return izh_constants(ctx, "izhikevich-2007", o, dt, q, rest, k);
}

static void izhikevich_2007_initial(const double *k, struct izhikevich_2007_state *s)
{
    s->v = k[IZH_START_V];
    s->u = k[IZH_START_U];
}
#endif
#include RHEO_EMIT
#endif
#undef RHEO_IZH_UNIT
#undef RHEO_IZH_UNIT_U
