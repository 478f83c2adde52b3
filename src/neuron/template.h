/* template.h: what a model header (model.h) becomes in float32: a loop over a window of steps
 * (outer) and a block of lanes (inner), and its adjoint. Included by each model header from
 * loops.inc.
 *
 * A window is computed on 16, 32, 48 or 64 lanes, so the inner loops have constant length and no
 * remainder: rows of input have room for that, and states without it are copied in and out. The
 * adjoint takes 16 or 64 lanes and copies rows of smaller blocks. The lines marked VECTOR must be
 * vectorised; tools/check-vectorised.sh asks the compiler. */
enum { RHEO_STATE(RHEO_X_INDEX) RHEO_M(states) };

#define RHEO_X_LOAD(name, unit, scope, doc)   s.name = state[RHEO_M(at_##name)][j];
#define RHEO_X_APART(name, unit, scope, doc)  float *restrict name##_row,
#define RHEO_X_PASS(name, unit, scope, doc)   state[RHEO_M(at_##name)],
#define RHEO_X_READ(name, unit, scope, doc)   s.name = name##_row[j];
#define RHEO_X_WRITE(name, unit, scope, doc)  name##_row[j] = s.name;
#define RHEO_X_KEEP(name, unit, scope, doc)   keep[RHEO_M(at_##name)][j] = s.name;
#define RHEO_X_GLOAD(name, unit, scope, doc)  g.name = gs[RHEO_M(at_##name)][j];
#define RHEO_X_GSTORE(name, unit, scope, doc) gs[RHEO_M(at_##name)][j] = g.name;
#define RHEO_X_TAKE(name, unit, scope, doc)                                                        \
    memcpy(state[RHEO_M(at_##name)], b->state[RHEO_M(at_##name)], n * sizeof(float));
#define RHEO_X_BORROW(name, unit, scope, doc)                                                      \
    state[RHEO_M(at_##name)] =                                                                     \
        borrow(b, RHEO_M(at_##name), scope, first, lanes, own[RHEO_M(at_##name)]);
#define RHEO_X_GIVE(name, unit, scope, doc)                                                        \
    if (state[RHEO_M(at_##name)] == own[RHEO_M(at_##name)] &&                                      \
        (scope == RHEO_SCOPE_SAMPLE || b->learn))                                                  \
        memcpy(b->state[RHEO_M(at_##name)] + first, own[RHEO_M(at_##name)], n * sizeof(float));

#if RHEO_SPIKES
#define RHEO_OUT(z, pre) (z)
#else
#define RHEO_OUT(z, pre) (pre)
#endif

/* One step of all lanes; the states are apart. out: spikes as 0/1, or real values. keep, x: when
 * not NULL, where the states before the step and the distances above the threshold go. */
RHEO_INLINE void RHEO_M(lanes)(const float *k, float learn, const uint32_t lanes,
                               RHEO_STATE(RHEO_X_APART) const float *restrict row0,
                               const float *restrict row1, float (*restrict keep)[RHEO_BLOCK],
                               float *restrict x, float *restrict out)
{
    (void)keep;
    for (uint32_t j = 0; j < lanes; j++) { /* VECTOR */
        struct RHEO_M(state) s = {0};
        const float in[RHEO_PORTS] = {row0[j], row1[j]};
        RHEO_STATE(RHEO_X_READ)
        if (keep) {
            RHEO_STATE(RHEO_X_KEEP)
        }
        float pre;
        float above = RHEO_M(drive)(k, &s, in, &pre);
        float z = RHEO_M(allowed)(k, &s) * (above >= 0 ? 1.0f : 0.0f);
        RHEO_M(step)(k, &s, in, pre, z, learn);
        RHEO_STATE(RHEO_X_WRITE)
        if (x) x[j] = above;
        out[j] = RHEO_OUT(z, pre);
    }
}

/* The read-out: state 0 after the step, or the output's value. */
RHEO_INLINE void RHEO_M(show)(float *const *state, const float *out, uint32_t n,
                              const uint32_t lanes, float *to)
{
    (void)state, (void)out;
#if RHEO_READOUT < RHEO_STATES
    copy_out(state[RHEO_READOUT], n, lanes, to);
#elif RHEO_SPIKES
    for (uint32_t j = 0; j < n; j++) to[j] = RHEO_LO + out[j] * (RHEO_HI - (RHEO_LO));
    (void)lanes;
#else
    copy_out(out, n, lanes, to);
#endif
}

/* The 64 neurons, or what is left, from `first` on. */
RHEO_INLINE void RHEO_M(window_lanes)(const rheo_block *b, const float *k, uint32_t first,
                                      const uint32_t lanes)
{
    const uint32_t n = lanes_left(b, first);
    float *state[RHEO_M(states) + 1];
    _Alignas(64) float own[RHEO_M(states) + 1][RHEO_BLOCK], out[RHEO_BLOCK];
    (void)own, (void)state;
    RHEO_STATE(RHEO_X_BORROW)
    for (uint32_t t = 0; t < b->T; t++) {
        const float *row0 = row_of(b, 0, t, first);
        const float *row1 = RHEO_INPUTS > 1 ? row_of(b, 1, t, first) : no_row;
        RHEO_M(lanes)(k, b->learn, lanes, RHEO_STATE(RHEO_X_PASS) row0, row1, NULL, NULL, out);
        if (RHEO_SPIKES && b->spikes)
            b->spikes[t * b->spikes_t + first / RHEO_BLOCK] = pack(out, n, lanes);
        if (!RHEO_SPIKES && b->real) copy_out(out, n, lanes, b->real + t * b->real_t + first);
        if (b->readout) RHEO_M(show)(state, out, n, lanes, b->readout + t * b->readout_t + first);
    }
    RHEO_STATE(RHEO_X_GIVE)
}

static void RHEO_M(window)(const rheo_block *b)
{
    float k[RHEO_CONSTANTS];
    memcpy(k, b->k, sizeof k);
    for (uint32_t first = 0; first < b->n; first += RHEO_BLOCK) {
        const uint32_t n = lanes_left(b, first);
        if (n > 48)
            RHEO_M(window_lanes)(b, k, first, 64);
        else if (n > 32)
            RHEO_M(window_lanes)(b, k, first, 48);
        else if (n > 16)
            RHEO_M(window_lanes)(b, k, first, 32);
        else
            RHEO_M(window_lanes)(b, k, first, 16);
    }
}

#if RHEO_GRADIENT
/* One step back. state: before the step; gs: dL/d(state after) in, before out; gin: one a port. */
RHEO_INLINE void RHEO_M(lanes_back)(const float *k, const uint32_t lanes, const float *row0,
                                    const float *row1, const float (*state)[RHEO_BLOCK],
                                    const float *derivative, const float *gout,
                                    float (*gs)[RHEO_BLOCK], float (*gin)[RHEO_BLOCK])
{
    (void)state, (void)gs, (void)derivative;
    for (uint32_t j = 0; j < lanes; j++) { /* VECTOR */
        struct RHEO_M(state) s = {0}, g = {0};
        const float in[RHEO_PORTS] = {row0[j], row1[j]};
        float to[RHEO_PORTS] = {0}, pre;
        RHEO_STATE(RHEO_X_LOAD)
        RHEO_STATE(RHEO_X_GLOAD)
        float above = RHEO_M(drive)(k, &s, in, &pre);
        float may = RHEO_M(allowed)(k, &s);
        float z = may * (above >= 0 ? 1.0f : 0.0f);
#if RHEO_SPIKES
        float d = may * derivative[j], gz = gout[j] * (RHEO_HI - (RHEO_LO));
#else
        float d = 0, gz = gout[j];
#endif
        RHEO_M(adjoint)(k, &s, in, pre, z, d, gz, &g, to);
        RHEO_STATE(RHEO_X_GSTORE)
        gin[0][j] = to[0];
        if (RHEO_INPUTS > 1) gin[1][j] = to[1];
    }
}

/* Forward again, keeping the state before each step and the distances above the threshold. Two
 * arrays follow the states in `work`: distances, derivatives. */
RHEO_INLINE void RHEO_M(adjoint_lanes)(const rheo_block_adjoint *a, const uint32_t lanes)
{
    enum { ROWS = RHEO_M(states) };
    const rheo_block *b = &a->forward;
    const uint32_t n = b->n, T = b->T;
    float k[RHEO_CONSTANTS];
    _Alignas(64) float pad[RHEO_PORTS][RHEO_BLOCK] = {{0}}, gpad[RHEO_BLOCK] = {0};
    _Alignas(64) float state[ROWS + 1][RHEO_BLOCK] = {{0}};
    _Alignas(64) float gs[ROWS + 1][RHEO_BLOCK] = {{0}}, gin[RHEO_PORTS][RHEO_BLOCK] = {{0}};
    _Alignas(64) float sum[RHEO_PORTS][RHEO_BLOCK] = {{0}}, out[RHEO_BLOCK], go[RHEO_BLOCK];
    float(*kept)[RHEO_BLOCK] = (float(*)[RHEO_BLOCK])a->work;
    float *x = a->work + (size_t)T * ROWS * RHEO_BLOCK, *d = x + (size_t)T * RHEO_BLOCK;
    (void)state;
    memcpy(k, b->k, sizeof k);
    RHEO_STATE(RHEO_X_TAKE)
    for (uint32_t t = 0; t < T && (ROWS > 0 || RHEO_SPIKES); t++) {
        const float *row0 = copy_in(b->port[0], t * b->port_t[0], n, lanes, pad[0]);
        const float *row1 =
            RHEO_INPUTS > 1 ? copy_in(b->port[1], t * b->port_t[1], n, lanes, pad[1]) : pad[1];
        RHEO_M(lanes)
        (k, b->learn, lanes, RHEO_STATE(RHEO_X_PASS) row0, row1, kept + (size_t)t * ROWS,
         x + (size_t)t * lanes, out);
    }
    if (RHEO_SPIKES) surrogates[a->surrogate].derivative(x, d, (size_t)T * lanes, a->slope);
    for (uint32_t t = T; t-- > 0;) {
        const float *gout = copy_in(a->gout, t * a->gout_t, n, lanes, gpad);
        if (a->greadout) {
            const float *g = a->greadout + t * a->greadout_t;
            if (RHEO_READOUT < RHEO_STATES) {
                float *gv = gs[RHEO_READOUT < RHEO_STATES ? RHEO_READOUT : 0];
                for (uint32_t j = 0; j < n; j++) gv[j] += g[j];
            } else {
                memcpy(go, gout, lanes * sizeof(float));
                for (uint32_t j = 0; j < n; j++) go[j] += g[j];
                gout = go;
            }
        }
        RHEO_M(lanes_back)
        (k, lanes, copy_in(b->port[0], t * b->port_t[0], n, lanes, pad[0]),
         RHEO_INPUTS > 1 ? copy_in(b->port[1], t * b->port_t[1], n, lanes, pad[1]) : pad[1],
         (const float(*)[RHEO_BLOCK])(kept + (size_t)t * ROWS), d + (size_t)t * lanes, gout, gs,
         gin);
        for (uint32_t p = 0; p < RHEO_INPUTS; p++) put_gradient(a, p, t, gin[p], n, lanes, sum[p]);
    }
}

static void RHEO_M(adjoint_window)(const rheo_block_adjoint *a)
{
    if (a->forward.n > 16)
        RHEO_M(adjoint_lanes)(a, RHEO_BLOCK);
    else
        RHEO_M(adjoint_lanes)(a, 16);
}
#define RHEO_ADJOINT RHEO_M(adjoint_window)
#else
#define RHEO_ADJOINT NULL
#endif

static const rheo_neuron_loops RHEO_M(loops) = {RHEO_M(window), RHEO_ADJOINT};
#undef RHEO_ADJOINT
#undef RHEO_OUT
#undef RHEO_X_LOAD
#undef RHEO_X_APART
#undef RHEO_X_PASS
#undef RHEO_X_READ
#undef RHEO_X_WRITE
#undef RHEO_X_KEEP
#undef RHEO_X_GLOAD
#undef RHEO_X_GSTORE
#undef RHEO_X_TAKE
#undef RHEO_X_BORROW
#undef RHEO_X_GIVE
#include "neuron/clear.h"
