/* stdp.h: spike-timing dependent plasticity with traces, as in the program of Diehl & Cook.
 *
 *   a pre spike    w -= rate_pre post1;               pre = 1
 *   a post spike   w += rate_post pre post2;          post1 = 1, post2 = 1
 *   between        pre, post1, post2 decay with tau_pre, tau_post1, tau_post2
 *
 * post2 is taken as it was before this spike, so the first post spike after a long silence changes
 * nothing: a rule of triplets (post, pre, post). w stays in [0, weight_max]. Traces are set to 1
 * (only the nearest spike counts) or, with trace: add, raised by 1 (all do).
 *
 * Parameters [default]: rate_pre 1e-4, rate_post 0.01, tau_pre 20, tau_post1 20, tau_post2 40 ms,
 * weight_max 1.
 * Source: Diehl & Cook 2015 (Front. Comput. Neurosci.), the authors' program; triplets after
 * Pfister & Gerstner 2006 (J. Neurosci.). Leaves out: the weight dependence and the rule variants
 * of the paper's figures. */
#ifdef RHEO_ROW
RHEO_ROW(stdp)
#else
#define RHEO_RULE        stdp
#define RHEO_PRE_TRACES  1
#define RHEO_POST_TRACES 2

enum {
    STDP_RATE_PRE,
    STDP_RATE_POST,
    STDP_MAX,
    STDP_KEEP, /* of a trace at a spike: 0 sets it to 1, 1 adds 1 */
    STDP_DECAY_PRE,
    STDP_DECAY_POST1,
    STDP_DECAY_POST2,
    stdp_constants
};

RHEO_INLINE float stdp_clip(const float *k, float w)
{
    w = w > 0 ? w : 0.0f;
    return w < k[STDP_MAX] ? w : k[STDP_MAX];
}

RHEO_INLINE float stdp_pre_spike(const float *k, float w, const float *pre, const float *post)
{
    (void)pre;
    return stdp_clip(k, w - k[STDP_RATE_PRE] * post[0]);
}

RHEO_INLINE float stdp_post_spike(const float *k, float w, const float *pre, const float *post)
{
    return stdp_clip(k, w + k[STDP_RATE_POST] * pre[0] * post[1]);
}

RHEO_INLINE float stdp_pre_mark(const float *k, uint32_t f, float trace)
{
    (void)f;
    return k[STDP_KEEP] * trace + 1;
}

RHEO_INLINE float stdp_post_mark(const float *k, uint32_t f, float trace)
{
    (void)f;
    return k[STDP_KEEP] * trace + 1;
}

RHEO_INLINE float stdp_pre_decay(const float *k, uint32_t f)
{
    return k[STDP_DECAY_PRE + f];
}

RHEO_INLINE float stdp_post_decay(const float *k, uint32_t f)
{
    return k[STDP_DECAY_POST1 + f];
}

#ifdef RHEO_ABOUT
#define RHEO_NAME  "stdp-traces"
#define RHEO_TITLE "spike-timing dependent plasticity with traces"
#define RHEO_EQUATIONS                                                                             \
    "pre spike:  w -= rate_pre post1; pre = 1\n"                                                   \
    "post spike: w += rate_post pre post2; post1 = 1, post2 = 1\n"                                 \
    "traces decay with tau_pre, tau_post1, tau_post2; 0 <= w <= weight_max"
#define RHEO_SOURCE "Diehl & Cook 2015 (Front. Comput. Neurosci.), the authors' program"
static const char *const stdp_marks[] = {"set", "add", NULL};
static const rheo_field stdp_fields[] = {
    RHEO_NUMBER_FIELD("rate_pre", "1", 1e-4, 0, 1e6, "loss at a pre spike, times post1"),
    RHEO_NUMBER_FIELD("rate_post", "1", 0.01, 0, 1e6, "gain at a post spike, times pre and post2"),
    RHEO_NUMBER_FIELD("tau_pre", "ms", 20, 1e-3, 1e9, "decay of the pre trace"),
    RHEO_NUMBER_FIELD("tau_post1", "ms", 20, 1e-3, 1e9, "decay of the post trace that pre sees"),
    RHEO_NUMBER_FIELD("tau_post2", "ms", 40, 1e-3, 1e9, "decay of the post trace that post sees"),
    RHEO_NUMBER_FIELD("weight_max", "1", 1, 0, 1e6, "upper bound of a weight; the lower is 0"),
    RHEO_CHOICE_FIELD("trace", 0, stdp_marks, "a spike sets its traces to 1, or adds 1"),
    RHEO_FIELD_END};

static rheo_status stdp_derive(rheo_context *ctx, const rheo_options *o, double dt, double *k)
{
    const double *v = o->v;
    RHEO_CHECK(ctx, dt > 0, RHEO_USAGE,
               "stdp-traces: the step must be above 0 ms, found %g; give dt", dt);
    k[STDP_RATE_PRE] = v[0];
    k[STDP_RATE_POST] = v[1];
    k[STDP_DECAY_PRE] = exp(-dt / v[2]);
    k[STDP_DECAY_POST1] = exp(-dt / v[3]);
    k[STDP_DECAY_POST2] = exp(-dt / v[4]);
    k[STDP_MAX] = v[5];
    k[STDP_KEEP] = (int)v[6] == 1;
    return RHEO_OK;
}
#endif
#include RHEO_EMIT
#endif
