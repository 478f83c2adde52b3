/* izhikevich.h: Izhikevich's simple model in the form of 2003, with the numbers of its paper in mV
 * and ms. Step and gradient are in izh.h.
 *
 *   dv/dt = 0.04 v^2 + 5 v + 140 - u + i,  du/dt = a (b v - u);   v >= 30 mV: v = c, u = u + d
 *
 *                              a     b     c    d
 *   regular spiking            0.02  0.2  -65   8     (the default)
 *   intrinsically bursting     0.02  0.2  -55   4
 *   chattering                 0.02  0.2  -50   2
 *   fast spiking               0.1   0.2  -65   2
 *   low-threshold spiking      0.02  0.25 -65   2
 *   thalamo-cortical           0.02  0.25 -65   0.05
 *   resonator                  0.1   0.26 -65   2
 *
 * It starts at rest. Learnable: a, b, c, d, gain. Leaves out: nothing of the paper's model. */
#ifdef RHEO_ROW
RHEO_ROW(izhikevich)
#else
#define RHEO_MODEL      izhikevich
#define RHEO_IZH_UNIT   "mV"
#define RHEO_IZH_UNIT_U "mV/ms"
#include "neuron/models/izh.h"

#ifdef RHEO_ABOUT
#define RHEO_NAME  "izhikevich"
#define RHEO_TITLE "Izhikevich's simple model, 2003"
#define RHEO_EQUATIONS                                                                             \
    "dv/dt = 0.04 v^2 + 5 v + 140 - u + gain i,  du/dt = a (b v - u)\n"                            \
    "spike when v >= peak: v = c, u = u + d"
#define RHEO_SOURCE     "Izhikevich 2003 (IEEE Trans. Neural Netw. 14), equations 1 to 3"
#define RHEO_PORT_NAMES "input"
#define RHEO_MULTIPLIES 13
#define RHEO_ADDS       13
#define RHEO_INITIAL    1
#define RHEO_LEARNABLE  "a", "b", "c", "d", "gain"
static const rheo_field izhikevich_fields[] = {
    RHEO_NUMBER_FIELD("a", "1/ms", 0.02, 0, 1e3, "rate of the recovery"),
    RHEO_NUMBER_FIELD("b", "1/ms", 0.2, -1e3, 1e3, "how the recovery follows v"),
    RHEO_NUMBER_FIELD("c", "mV", -65, -1e4, 1e4, "membrane after a spike"),
    RHEO_NUMBER_FIELD("d", "mV/ms", 8, -1e4, 1e4, "jump of the recovery at a spike"),
    RHEO_NUMBER_FIELD("peak", "mV", 30, -1e4, 1e4, "v from here on is a spike"),
    RHEO_NUMBER_FIELD("gain", "mV/ms", 1, -1e9, 1e9, "current for an input of 1"),
    RHEO_IZH_LAST_FIELDS,
    RHEO_SURROGATE_FIELDS(0),
    RHEO_FIELD_END};

static rheo_status izhikevich_derive(rheo_context *ctx, const rheo_options *o, double dt, double *k)
{
    static const double q[4] = {0.04, 5, 140, 1};
    return izh_constants(ctx, "izhikevich", o, dt, q, 0, k);
}

static void izhikevich_initial(const double *k, struct izhikevich_state *s)
{
    s->v = k[IZH_START_V];
    s->u = k[IZH_START_U];
}
#endif
#include RHEO_EMIT
#endif
#undef RHEO_IZH_UNIT
#undef RHEO_IZH_UNIT_U
