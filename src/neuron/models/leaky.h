/* leaky.h: the dynamics that `if` and `lif` share (they differ in how beta and the gain come
 * about).
 *
 *   u = beta v[t-1] + gain i[t]                          (i counts 0 while refractory)
 *   p = (u - sub_next s[t-1]) (1 - zero_next s[t-1])     reset of the spike before: when next
 *   s[t] = p > theta, not while refractory
 *   v[t] = (p - sub_same s[t]) (1 - zero_same s[t])      reset of this spike: when same
 *
 * sub_* are theta or 0, zero_* are 1 or 0, so at most one of the four acts. The adjoint multiplies
 * what flows through the resets by `pass`, 0 when detached. */
#define RHEO_INPUTS   1
#define RHEO_SPIKES   1
#define RHEO_LO       0
#define RHEO_HI       1
#define RHEO_GRADIENT 1
#define RHEO_READOUT  0
#define RHEO_EDGE     k[LEAKY_EDGE]
#define RHEO_STATE(X)                                                                              \
    X(v, "1", RHEO_SCOPE_SAMPLE, "membrane")                                                       \
    X(z, "1", RHEO_SCOPE_SAMPLE, "spike of the step before")                                       \
    X(hold, "steps", RHEO_SCOPE_SAMPLE, "refractory steps left")

#ifndef RHEO_LEAKY_ONCE
#define RHEO_LEAKY_ONCE
enum {
    LEAKY_BETA,
    LEAKY_GAIN,
    LEAKY_THETA,
    LEAKY_EDGE, /* RHEO_STRICT when the test is `greater`, else 0 */
    LEAKY_SUB_NEXT,
    LEAKY_ZERO_NEXT,
    LEAKY_SUB_SAME,
    LEAKY_ZERO_SAME,
    LEAKY_HOLD,
    LEAKY_PASS,
    LEAKY_COUNT
};
#endif

struct RHEO_M(state) {
    RHEO_STATE(RHEO_X_MEMBER)
};

RHEO_INLINE REAL RHEO_M(allowed)(const REAL *k, const struct RHEO_M(state) * s)
{
    (void)k;
    return s->hold > 0 ? (REAL)0 : (REAL)1;
}

RHEO_INLINE REAL RHEO_M(sum)(const REAL *k, const struct RHEO_M(state) * s, const REAL *in)
{
    REAL i = s->hold > 0 ? (REAL)0 : in[0];
    return k[LEAKY_BETA] * s->v + k[LEAKY_GAIN] * i;
}

RHEO_INLINE REAL RHEO_M(drive)(const REAL *k, const struct RHEO_M(state) * s, const REAL *in,
                               REAL *pre)
{
    REAL u = RHEO_M(sum)(k, s, in);
    *pre = (u - k[LEAKY_SUB_NEXT] * s->z) * (1 - k[LEAKY_ZERO_NEXT] * s->z);
    return *pre - k[LEAKY_THETA];
}

RHEO_INLINE void RHEO_M(step)(const REAL *k, struct RHEO_M(state) * s, const REAL *in, REAL pre,
                              REAL z, REAL learn)
{
    (void)in;
    (void)learn;
    REAL left = s->hold - 1;
    s->v = (pre - k[LEAKY_SUB_SAME] * z) * (1 - k[LEAKY_ZERO_SAME] * z);
    s->z = z;
    left = left > 0 ? left : (REAL)0;
    s->hold = z > (REAL)0.5 ? k[LEAKY_HOLD] : left;
}

RHEO_INLINE void RHEO_M(adjoint)(const REAL *k, const struct RHEO_M(state) * s, const REAL *in,
                                 REAL pre, REAL z, REAL d, REAL gz, struct RHEO_M(state) * gs,
                                 REAL *gin, REAL *gk)
{
    REAL i = s->hold > 0 ? (REAL)0 : in[0];
    REAL u = RHEO_M(sum)(k, s, in);
    REAL keep_same = 1 - k[LEAKY_ZERO_SAME] * z, keep_next = 1 - k[LEAKY_ZERO_NEXT] * s->z;
    REAL by_z = k[LEAKY_SUB_SAME] * keep_same + k[LEAKY_ZERO_SAME] * (pre - k[LEAKY_SUB_SAME] * z);
    REAL by_z0 =
        k[LEAKY_SUB_NEXT] * keep_next + k[LEAKY_ZERO_NEXT] * (u - k[LEAKY_SUB_NEXT] * s->z);
    REAL gv = gs->v;
    REAL total = gz + gs->z - k[LEAKY_PASS] * (gv * by_z);
    REAL gpre = gv * keep_same + total * d;
    REAL gu = gpre * keep_next;
    gs->v = k[LEAKY_BETA] * gu;
    gs->z = -(k[LEAKY_PASS] * (gpre * by_z0));
    gs->hold = 0;
    gin[0] = s->hold > 0 ? (REAL)0 : k[LEAKY_GAIN] * gu;
    gk[LEAKY_BETA] += gu * s->v;
    gk[LEAKY_GAIN] += gu * i;
    gk[LEAKY_THETA] -= total * d;
    gk[LEAKY_SUB_NEXT] -= gu * s->z;
    gk[LEAKY_SUB_SAME] -= gv * keep_same * z;
}

#if defined RHEO_ABOUT && !defined RHEO_LEAKY_ABOUT
#define RHEO_LEAKY_ABOUT
/* The options that both have, in this order. */
enum { LEAKY_F_THRESHOLD, LEAKY_F_RESET, LEAKY_F_WHEN, LEAKY_F_TEST, LEAKY_F_HOLD, LEAKY_F_DETACH };
static const char *const leaky_resets[] = {"subtract", "zero", "none", NULL};
static const char *const leaky_whens[] = {"next", "same", NULL};
static const char *const leaky_tests[] = {"greater", "greater-equal", NULL};
#define RHEO_LEAKY_FIELDS                                                                          \
    RHEO_NUMBER_FIELD("threshold", "1", 1, 1e-30, 1e30, "the membrane spikes above it"),           \
        RHEO_CHOICE_FIELD("reset", 0, leaky_resets, "what a spike does to the membrane"),          \
        RHEO_CHOICE_FIELD("when", 0, leaky_whens,                                                  \
                          "reset in the next step (v is shown before it) or in the same"),         \
        RHEO_CHOICE_FIELD("test", 0, leaky_tests, "v > threshold, or v >= threshold"),             \
        RHEO_INTEGER_FIELD("refractory", "steps", 0, 0, 1e6,                                       \
                           "steps after a spike without input and without spikes"),                \
        RHEO_FLAG_FIELD("detach", 1, "no gradient flows through the reset"),                       \
        RHEO_CHOICE_FIELD("surrogate", 0, rheo__surrogate_names, "derivative of the spike"),       \
        RHEO_NUMBER_FIELD("slope", "1", 0, 0, 1e6, "of the surrogate; 0: its own default")

static void leaky_constants(const double *v, double beta, double gain, double *k)
{
    double theta = v[LEAKY_F_THRESHOLD];
    int reset = (int)v[LEAKY_F_RESET];
    bool next = (int)v[LEAKY_F_WHEN] == 0;
    k[LEAKY_BETA] = beta;
    k[LEAKY_GAIN] = gain;
    k[LEAKY_THETA] = theta;
    k[LEAKY_EDGE] = (int)v[LEAKY_F_TEST] == 0 ? RHEO_STRICT : 0;
    k[LEAKY_SUB_NEXT] = reset == 0 && next ? theta : 0;
    k[LEAKY_ZERO_NEXT] = reset == 1 && next;
    k[LEAKY_SUB_SAME] = reset == 0 && !next ? theta : 0;
    k[LEAKY_ZERO_SAME] = reset == 1 && !next;
    k[LEAKY_HOLD] = v[LEAKY_F_HOLD];
    k[LEAKY_PASS] = v[LEAKY_F_DETACH] == 0;
}
#endif
