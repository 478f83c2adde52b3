/* sign.h: binary unit, y = +1 where x >= 0, else -1, packed as bits. Its gradient is that of the
 * surrogate; the default, rectangular with slope 1, is the straight-through estimator of BinaryNet:
 * dy/dx = 2 d(x) = 1 where |x| <= 1, else 0.
 * Source: Hubara, Courbariaux et al. 2016 (NIPS), binarized neural networks. */
#ifdef RHEO_ROW
RHEO_ROW(sign)
#else
#define RHEO_MODEL    sign
#define RHEO_INPUTS   1
#define RHEO_COUNT    0
#define RHEO_SPIKES   1
#define RHEO_LO       -1
#define RHEO_HI       1
#define RHEO_GRADIENT 1
#define RHEO_READOUT  RHEO_STATES
#define RHEO_STATE(X)

struct sign_state {
    REAL none;
};

RHEO_INLINE REAL RHEO_M(allowed)(const REAL *k, const struct sign_state *s)
{
    (void)k, (void)s;
    return 1;
}

RHEO_INLINE REAL RHEO_M(drive)(const REAL *k, const struct sign_state *s, const REAL *in, REAL *pre)
{
    (void)k, (void)s;
    *pre = in[0];
    return in[0];
}

RHEO_INLINE void RHEO_M(step)(const REAL *k, struct sign_state *s, const REAL *in, REAL pre, REAL z,
                              REAL learn)
{
    (void)k, (void)s, (void)in, (void)pre, (void)z, (void)learn;
}

RHEO_INLINE void RHEO_M(adjoint)(const REAL *k, const struct sign_state *s, const REAL *in,
                                 REAL pre, REAL z, REAL d, REAL gz, struct sign_state *gs,
                                 REAL *gin, REAL *gk)
{
    (void)k, (void)s, (void)in, (void)pre, (void)z, (void)gs, (void)gk;
    gin[0] = gz * d;
}

#ifdef RHEO_ABOUT
#define RHEO_NAME       "sign"
#define RHEO_TITLE      "binary unit, -1 or +1"
#define RHEO_EQUATIONS  "y = +1 where x >= 0, else -1\ndy/dx = 1 where |x| <= 1, else 0 (default)"
#define RHEO_SOURCE     "Hubara et al. 2016 (NIPS), binarized neural networks"
#define RHEO_PORT_NAMES "input"
#define RHEO_MULTIPLIES 0
#define RHEO_ADDS       1
static const rheo_field sign_fields[] = {RHEO_SURROGATE_FIELDS(surrogate_rectangular),
                                         RHEO_FIELD_END};

static rheo_status sign_derive(rheo_context *ctx, const rheo_options *o, double dt, double *k)
{
    (void)ctx, (void)o, (void)dt, (void)k;
    return RHEO_OK;
}
#endif
#include RHEO_EMIT
#endif
