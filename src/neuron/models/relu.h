/* relu.h: rectified linear unit, y = max(0, x), dy/dx = 1 where x > 0. The analogue net that
 * conversion starts from. Source: Nair & Hinton 2010 (ICML). */
#ifdef RHEO_ROW
RHEO_ROW(relu)
#else
#define RHEO_MODEL    relu
#define RHEO_INPUTS   1
#define RHEO_COUNT    0
#define RHEO_SPIKES   0
#define RHEO_GRADIENT 1
#define RHEO_READOUT  RHEO_STATES
#define RHEO_STATE(X)

struct relu_state {
    REAL none;
};

RHEO_INLINE REAL RHEO_M(allowed)(const REAL *k, const struct relu_state *s)
{
    (void)k, (void)s;
    return 1;
}

RHEO_INLINE REAL RHEO_M(drive)(const REAL *k, const struct relu_state *s, const REAL *in, REAL *pre)
{
    (void)k, (void)s;
    *pre = in[0] > 0 ? in[0] : (REAL)0;
    return 0;
}

RHEO_INLINE void RHEO_M(step)(const REAL *k, struct relu_state *s, const REAL *in, REAL pre, REAL z,
                              REAL learn)
{
    (void)k, (void)s, (void)in, (void)pre, (void)z, (void)learn;
}

RHEO_INLINE void RHEO_M(adjoint)(const REAL *k, const struct relu_state *s, const REAL *in,
                                 REAL pre, REAL z, REAL d, REAL gz, struct relu_state *gs,
                                 REAL *gin, REAL *gk)
{
    (void)k, (void)s, (void)pre, (void)z, (void)d, (void)gs, (void)gk;
    gin[0] = in[0] > 0 ? gz : (REAL)0;
}

#ifdef RHEO_ABOUT
#define RHEO_NAME       "relu"
#define RHEO_TITLE      "rectified linear unit"
#define RHEO_EQUATIONS  "y = max(0, x)"
#define RHEO_SOURCE     "Nair & Hinton 2010 (ICML)"
#define RHEO_PORT_NAMES "input"
#define RHEO_MULTIPLIES 0
#define RHEO_ADDS       1
static const rheo_field relu_fields[] = {RHEO_FIELD_END};

static rheo_status relu_derive(rheo_context *ctx, const rheo_options *o, double dt, double *k)
{
    (void)ctx, (void)o, (void)dt, (void)k;
    return RHEO_OK;
}
#endif
#include RHEO_EMIT
#endif
