/* delta_leaky.h: a leaky membrane that spikes when it changes fast: snnTorch's DeltaLeaky.
 *
 *   v[t] = beta v[t-1] + i[t];  s[t] = |v[t] - v[t-1]| > threshold;  no reset
 *
 * The derivative of the spike by v[t] is that of the surrogate times the sign of the change.
 * Source: snnTorch's DeltaLeaky. Learnable: beta, threshold. Leaves out: the sign of a change. */
#ifdef RHEO_ROW
RHEO_ROW(delta_leaky)
#else
#define RHEO_MODEL    delta_leaky
#define RHEO_INPUTS   1
#define RHEO_COUNT    DLEAKY_COUNT
#define RHEO_SPIKES   1
#define RHEO_LO       0
#define RHEO_HI       1
#define RHEO_GRADIENT 1
#define RHEO_READOUT  0
#define RHEO_EDGE     RHEO_STRICT
#define RHEO_STATE(X) X(v, "1", RHEO_SCOPE_SAMPLE, "membrane")

enum { DLEAKY_BETA, DLEAKY_THETA, DLEAKY_COUNT };

struct RHEO_M(state) {
    RHEO_STATE(RHEO_X_MEMBER)
};

RHEO_INLINE REAL RHEO_M(allowed)(const REAL *k, const struct RHEO_M(state) * s)
{
    (void)k, (void)s;
    return 1;
}

RHEO_INLINE REAL RHEO_M(drive)(const REAL *k, const struct RHEO_M(state) * s, const REAL *in,
                               REAL *pre)
{
    *pre = k[DLEAKY_BETA] * s->v + in[0];
    return RHEO_ABS(*pre - s->v) - k[DLEAKY_THETA];
}

RHEO_INLINE void RHEO_M(step)(const REAL *k, struct RHEO_M(state) * s, const REAL *in, REAL pre,
                              REAL z, REAL learn)
{
    (void)k, (void)in, (void)z, (void)learn;
    s->v = pre;
}

RHEO_INLINE void RHEO_M(adjoint)(const REAL *k, const struct RHEO_M(state) * s, const REAL *in,
                                 REAL pre, REAL z, REAL d, REAL gz, struct RHEO_M(state) * gs,
                                 REAL *gin, REAL *gk)
{
    REAL up = gz * d, change = pre - s->v;
    REAL gx = change > 0 ? up : change < 0 ? -up : (REAL)0, gpre = gs->v + gx;
    (void)in, (void)z;
    gk[DLEAKY_BETA] += gpre * s->v;
    gk[DLEAKY_THETA] -= up;
    gs->v = k[DLEAKY_BETA] * gpre - gx;
    gin[0] = gpre;
}

#ifdef RHEO_ABOUT
#define RHEO_NAME  "delta-leaky"
#define RHEO_TITLE "leaky membrane that spikes when it changes fast"
#define RHEO_EQUATIONS                                                                             \
    "v[t] = beta v[t-1] + i[t]\n"                                                                  \
    "s[t] = |v[t] - v[t-1]| > threshold; no reset"
#define RHEO_SOURCE     "snnTorch's DeltaLeaky"
#define RHEO_PORT_NAMES "input"
#define RHEO_MULTIPLIES 1
#define RHEO_ADDS       3
#define RHEO_LEARNABLE  "beta", "threshold"
static const rheo_field delta_leaky_fields[] = {
    RHEO_NUMBER_FIELD("beta", "1", 0.9, 0, 1, "decay of the membrane a step"),
    RHEO_NUMBER_FIELD("threshold", "1", 1, 0, 1e30, "it spikes when v changes by more"),
    RHEO_SURROGATE_FIELDS(0), RHEO_FIELD_END};

static rheo_status delta_leaky_derive(rheo_context *ctx, const rheo_options *o, double dt,
                                      double *k)
{
    (void)ctx, (void)dt;
    k[DLEAKY_BETA] = o->v[0];
    k[DLEAKY_THETA] = o->v[1];
    return RHEO_OK;
}
#endif
#include RHEO_EMIT
#endif
