/* identity.h: passes its input on: the output of a net whose loss wants the plain sums. */
#ifdef RHEO_ROW
RHEO_ROW(identity)
#else
#define RHEO_MODEL    identity
#define RHEO_INPUTS   1
#define RHEO_COUNT    0
#define RHEO_SPIKES   0
#define RHEO_GRADIENT 1
#define RHEO_READOUT  RHEO_STATES
#define RHEO_STATE(X)

struct identity_state {
    REAL none;
};

RHEO_INLINE REAL RHEO_M(allowed)(const REAL *k, const struct identity_state *s)
{
    (void)k, (void)s;
    return 1;
}

RHEO_INLINE REAL RHEO_M(drive)(const REAL *k, const struct identity_state *s, const REAL *in,
                               REAL *pre)
{
    (void)k, (void)s;
    *pre = in[0];
    return 0;
}

RHEO_INLINE void RHEO_M(step)(const REAL *k, struct identity_state *s, const REAL *in, REAL pre,
                              REAL z, REAL learn)
{
    (void)k, (void)s, (void)in, (void)pre, (void)z, (void)learn;
}

RHEO_INLINE void RHEO_M(adjoint)(const REAL *k, const struct identity_state *s, const REAL *in,
                                 REAL pre, REAL z, REAL d, REAL gz, struct identity_state *gs,
                                 REAL *gin, REAL *gk)
{
    (void)k, (void)s, (void)in, (void)pre, (void)z, (void)d, (void)gs, (void)gk;
    gin[0] = gz;
}

#ifdef RHEO_ABOUT
#define RHEO_NAME       "identity"
#define RHEO_TITLE      "linear unit"
#define RHEO_EQUATIONS  "y = x"
#define RHEO_SOURCE     "definition"
#define RHEO_PORT_NAMES "input"
#define RHEO_MULTIPLIES 0
#define RHEO_ADDS       0
static const rheo_field identity_fields[] = {RHEO_FIELD_END};

static rheo_status identity_derive(rheo_context *ctx, const rheo_options *o, double dt, double *k)
{
    (void)ctx, (void)o, (void)dt, (void)k;
    return RHEO_OK;
}
#endif
#include RHEO_EMIT
#endif
