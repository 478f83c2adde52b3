/* differ.h: what delta.h and sigma_delta.h share: a neuron that sends how much its value y has
 * changed since what it has sent so far.
 *
 *   e = y - sent;  out = send(e);  sent = sent + out
 *   send quantised: threshold times e/threshold rounded to the nearest integer (half to even)
 *   send exact:     e where |e| > threshold, else 0
 *   threshold 0:    e
 *
 * The sum of all that was sent is `sent`, never further from y than threshold/2 (quantised) or
 * threshold (exact). The gradient is straight through: send counts as the identity, so
 * dL/dy[t] = g[t] - g[t+1]; that is the derivative itself where the threshold is 0.
 * RHEO_SUMS 1: the input is a change and is summed up first, y = activation(sum); 0: y is the
 * input. */
#define RHEO_INPUTS   1
#define RHEO_COUNT    DIFFER_COUNT
#define RHEO_SPIKES   0
#define RHEO_GRADIENT 1
#define RHEO_READOUT  0
#if RHEO_SUMS
#define RHEO_STATE(X)                                                                              \
    X(sent, "1", RHEO_SCOPE_SAMPLE, "sum of what was sent")                                        \
    X(sum, "1", RHEO_SCOPE_SAMPLE, "sum of the input")
#else
#define RHEO_STATE(X) X(sent, "1", RHEO_SCOPE_SAMPLE, "sum of what was sent")
#endif

#ifndef RHEO_DIFFER_ONCE
#define RHEO_DIFFER_ONCE
enum {
    DIFFER_THRESHOLD,
    DIFFER_PER, /* 1/threshold */
    DIFFER_ROUND,
    DIFFER_RECTIFY, /* 1: y = max(0, sum) */
    DIFFER_BIAS,
    DIFFER_COUNT
};
#endif

struct RHEO_M(state) {
    RHEO_STATE(RHEO_X_MEMBER)
};

RHEO_INLINE REAL RHEO_M(allowed)(const REAL *k, const struct RHEO_M(state) * s)
{
    (void)k, (void)s;
    return 1;
}

/* y before its activation */
RHEO_INLINE REAL RHEO_M(value)(const REAL *k, const struct RHEO_M(state) * s, const REAL *in)
{
#if RHEO_SUMS
    return s->sum + in[0] + k[DIFFER_BIAS];
#else
    (void)k, (void)s;
    return in[0];
#endif
}

RHEO_INLINE REAL RHEO_M(drive)(const REAL *k, const struct RHEO_M(state) * s, const REAL *in,
                               REAL *pre)
{
    /* adding 1.5 times 2^digits leaves the nearest integer */
    const REAL magic = sizeof(REAL) == sizeof(float) ? (REAL)12582912.0 : (REAL)6755399441055744.0;
    REAL sum = RHEO_M(value)(k, s, in), y = k[DIFFER_RECTIFY] > 0 && sum < 0 ? (REAL)0 : sum;
    REAL e = y - s->sent, units = e * k[DIFFER_PER];
    REAL rounded = ((units + magic) - magic) * k[DIFFER_THRESHOLD];
    REAL exact = RHEO_ABS(e) > k[DIFFER_THRESHOLD] ? e : (REAL)0;
    *pre = k[DIFFER_ROUND] > 0 ? rounded : exact;
    return 0;
}

RHEO_INLINE void RHEO_M(step)(const REAL *k, struct RHEO_M(state) * s, const REAL *in, REAL pre,
                              REAL z, REAL learn)
{
    (void)k, (void)in, (void)z, (void)learn;
    s->sent = s->sent + pre;
#if RHEO_SUMS
    s->sum = s->sum + in[0];
#endif
}

RHEO_INLINE void RHEO_M(adjoint)(const REAL *k, const struct RHEO_M(state) * s, const REAL *in,
                                 REAL pre, REAL z, REAL d, REAL gz, struct RHEO_M(state) * gs,
                                 REAL *gin, REAL *gk)
{
    REAL sum = RHEO_M(value)(k, s, in), gy = gz + gs->sent;
    REAL gsum = k[DIFFER_RECTIFY] > 0 && sum < 0 ? (REAL)0 : gy;
    (void)pre, (void)z, (void)d;
    gk[DIFFER_BIAS] += gsum;
    gs->sent = -gz; /* gs->sent - gy: what was sent before is taken off again */
#if RHEO_SUMS
    gs->sum += gsum;
    gsum = gs->sum;
#endif
    gin[0] = gsum;
}

#if defined RHEO_ABOUT && !defined RHEO_DIFFER_ABOUT
#define RHEO_DIFFER_ABOUT
static const char *const differ_sends[] = {"quantised", "exact", NULL};
#define RHEO_DIFFER_FIELDS                                                                         \
    RHEO_CHOICE_FIELD("send", 0, differ_sends,                                                     \
                      "a multiple of the threshold, or the change as it is"),                      \
        RHEO_NUMBER_FIELD("threshold", "1", 0.1, 0, 1e30, "smallest change that is sent")

static void differ_constants(const double *v, double *k)
{
    k[DIFFER_THRESHOLD] = v[1];
    k[DIFFER_ROUND] = v[1] > 0 && (int)v[0] == 0;
    k[DIFFER_PER] = v[1] > 0 ? 1 / v[1] : 1;
    k[DIFFER_RECTIFY] = 0;
    k[DIFFER_BIAS] = 0;
}
#endif
