/* template.h: what a plasticity rule (rule.h) becomes: a row of weights on a pre spike, a column on
 * a post spike, the decay of all traces. Rows are contiguous and vectorised (the lines marked
 * VECTOR); a column is strided. */
#define RHEO_ROOM(n) ((n) > 0 ? (n) : 1)
/* A trace that has decayed below 1e-20 is none: arithmetic on denormal numbers is slow. */
#define RHEO_FADE(x) ((x) > 1e-20f ? (x) : 0.0f)

static void RHEO_R(decay)(const rheo_synapse_view *v)
{
    for (uint32_t f = 0; f < RHEO_PRE_TRACES; f++) {
        float *trace = v->pre_trace[f];
        const float keep = RHEO_R(pre_decay)(v->k, f);
        for (uint32_t i = 0; i < v->pre; i++) trace[i] = RHEO_FADE(trace[i] * keep); /* VECTOR */
    }
    for (uint32_t f = 0; f < RHEO_POST_TRACES; f++) {
        float *trace = v->post_trace[f];
        const float keep = RHEO_R(post_decay)(v->k, f);
        for (uint32_t j = 0; j < v->post; j++) trace[j] = RHEO_FADE(trace[j] * keep); /* VECTOR */
    }
}

static void RHEO_R(on_pre)(const rheo_synapse_view *v, uint32_t i)
{
    const uint32_t n = v->post;
    float k[RHEO_SYNAPSE_CONSTANTS], pre[RHEO_ROOM(RHEO_PRE_TRACES)];
    float *restrict w = v->w + (size_t)i * v->w_row;
    const float *post0 = v->post_trace[0];
    const float *post1 = RHEO_POST_TRACES > 1 ? v->post_trace[1] : post0;
    memcpy(k, v->k, RHEO_R(constants) * sizeof *k);
    for (uint32_t f = 0; f < RHEO_PRE_TRACES; f++) pre[f] = v->pre_trace[f][i];
    for (uint32_t j = 0; j < n; j++) { /* VECTOR */
        const float post[RHEO_TRACES] = {post0[j], post1[j]};
        w[j] = RHEO_R(pre_spike)(k, w[j], pre, post);
    }
    for (uint32_t f = 0; f < RHEO_PRE_TRACES; f++)
        v->pre_trace[f][i] = RHEO_R(pre_mark)(k, f, pre[f]);
}

static void RHEO_R(on_post)(const rheo_synapse_view *v, uint32_t j)
{
    const uint32_t n = v->pre;
    float k[RHEO_SYNAPSE_CONSTANTS], post[RHEO_ROOM(RHEO_POST_TRACES)];
    float *restrict w = v->w + j;
    const float *pre0 = v->pre_trace[0];
    const float *pre1 = RHEO_PRE_TRACES > 1 ? v->pre_trace[1] : pre0;
    memcpy(k, v->k, RHEO_R(constants) * sizeof *k);
    for (uint32_t f = 0; f < RHEO_POST_TRACES; f++) post[f] = v->post_trace[f][j];
    for (uint32_t i = 0; i < n; i++) {
        const float pre[RHEO_TRACES] = {pre0[i], pre1[i]};
        w[i * v->w_row] = RHEO_R(post_spike)(k, w[i * v->w_row], pre, post);
    }
    for (uint32_t f = 0; f < RHEO_POST_TRACES; f++)
        v->post_trace[f][j] = RHEO_R(post_mark)(k, f, post[f]);
}

static const rheo_synapse_loops RHEO_R(loops) = {RHEO_R(decay), RHEO_R(on_pre), RHEO_R(on_post)};
#undef RHEO_ROOM
#undef RHEO_RULE
#undef RHEO_PRE_TRACES
#undef RHEO_POST_TRACES
