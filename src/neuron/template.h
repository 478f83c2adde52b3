/* template.h: what a model header (model.h) becomes in float32: a loop over a window of steps
 * (outer) and a block of lanes (inner), and its adjoint. Included by the model header that
 * loops.inc includes.
 *
 * A window is computed on 16, 32, 48 or 64 lanes, so the inner loops have constant length and no
 * remainder: rows of input have room for that, and states without it are copied in and out. The
 * adjoint takes 16 or 64 lanes and copies rows of smaller blocks. The lines marked VECTOR must be
 * vectorised; tools/check-vectorised.sh asks the compiler.
 *
 * All is compiled twice: for constants that are the same in all lanes (registers), and in full,
 * with constants as rows of 64, their gradient, barred neurons, and what a model does rarely; and
 * once more for each lean form that a model has. */
#include "neuron/defaults.h"
enum { RHEO_STATE(RHEO_X_INDEX) RHEO_M(states) };

/* A state that is 0 in this form of the loops is neither read nor written. */
#define RHEO_USED(name) (!(RHEO_IDLE(RHEO_M(at_##name), form)))
#define RHEO_X_LOAD(name, unit, scope, doc)                                                        \
    if (RHEO_USED(name)) s.name = state[RHEO_M(at_##name)][j];
#define RHEO_X_APART(name, unit, scope, doc) float *restrict name##_row,
#define RHEO_X_PASS(name, unit, scope, doc)  state[RHEO_M(at_##name)],
#define RHEO_X_READ(name, unit, scope, doc)                                                        \
    if (RHEO_USED(name)) s.name = name##_row[j];
#define RHEO_X_WRITE(name, unit, scope, doc)                                                       \
    if (RHEO_USED(name)) name##_row[j] = s.name;
#define RHEO_X_KEEP(name, unit, scope, doc)                                                        \
    if (RHEO_USED(name)) keep[RHEO_M(at_##name)][j] = s.name;
#define RHEO_X_GLOAD(name, unit, scope, doc)                                                       \
    if (RHEO_USED(name)) g.name = gs[RHEO_M(at_##name)][j];
#define RHEO_X_GSTORE(name, unit, scope, doc)                                                      \
    if (RHEO_USED(name)) gs[RHEO_M(at_##name)][j] = g.name;
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

/* Constant c of lane j, and what adds to its gradient. */
#define RHEO_OWN_CONSTANT(c) (rows && (c) < RHEO_COUNT ? rows[(c) < RHEO_COUNT ? (c) : 0][j] : 0)
#define RHEO_ADD_OWN(c)                                                                            \
    if (gk && (c) < RHEO_COUNT) gk[(c) < RHEO_COUNT ? (c) : 0][j] += to_k[c];

/* One step of all lanes; the states are apart. rows: NULL (known when this is compiled) where all
 * lanes have the constants `same`. out: spikes as 0/1, or real values. keep, x: when not NULL,
 * where the states before the step and the distances above the threshold go. */
RHEO_INLINE void RHEO_M(lanes)(const float *same, const float (*restrict rows)[RHEO_BLOCK],
                               const int form, float learn, const uint32_t lanes,
                               RHEO_STATE(RHEO_X_APART) const input_rows port,
                               float (*restrict keep)[RHEO_BLOCK], float *restrict x,
                               float *restrict out)
{
    const float *restrict row0 = port.row[0], *restrict row1 = port.row[1];
    const float *restrict row2 = port.row[2], *restrict row3 = port.row[3];
    const float *restrict draw = port.row[RHEO_DRAW], *restrict bar = port.row[RHEO_BARRED];
    (void)keep;
    for (uint32_t j = 0; j < lanes; j++) { /* VECTOR */
        struct RHEO_M(state) s = {0};
        const float in[RHEO_ROWS + 1] = {row0[j], row1[j], row2[j],    row3[j],
                                         draw[j], bar[j],  (float)form};
        const float own[RHEO_CONSTANTS] = {RHEO_ALL_CONSTANTS(RHEO_OWN_CONSTANT)};
        const float *k = rows ? own : same;
        RHEO_STATE(RHEO_X_READ)
        if (keep) {
            RHEO_STATE(RHEO_X_KEEP)
        }
        float pre;
        float above = RHEO_M(drive)(k, &s, in, &pre);
        float z = RHEO_M(allowed)(k, &s) * (above >= RHEO_EDGE ? 1.0f : 0.0f);
        if (rows) z *= 1 - bar[j];
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

/* The rows that the model reads, the others 0. */
RHEO_INLINE input_rows RHEO_M(rows_of)(const rheo_block *b, uint32_t t, uint32_t first)
{
    const input_rows rows = {
        {row_of(b, 0, t, first), RHEO_INPUTS > 1 ? row_of(b, 1, t, first) : no_row,
         RHEO_INPUTS > 2 ? row_of(b, 2, t, first) : no_row,
         RHEO_INPUTS > 3 ? row_of(b, 3, t, first) : no_row,
         RHEO_DRAWS ? row_of(b, RHEO_DRAW, t, first) : no_row, row_of(b, RHEO_BARRED, t, first)}};
    return rows;
}

/* The 64 neurons, or what is left, from `first` on. */
RHEO_INLINE void RHEO_M(window_lanes)(const rheo_block *b, const float *k,
                                      const float (*rows)[RHEO_BLOCK], const int form,
                                      uint32_t first, const uint32_t lanes)
{
    const uint32_t n = lanes_left(b, first);
    float *state[RHEO_M(states) + 1];
    _Alignas(64) float own[RHEO_M(states) + 1][RHEO_BLOCK], out[RHEO_BLOCK], above[RHEO_BLOCK];
    (void)own, (void)state, (void)above;
    RHEO_STATE(RHEO_X_BORROW)
    for (uint32_t t = 0; t < b->T; t++) {
        RHEO_M(lanes)
        (k, rows, form, b->learn, lanes, RHEO_STATE(RHEO_X_PASS) RHEO_M(rows_of)(b, t, first), NULL,
         rows ? above : NULL, out);
        if (rows && b->above) copy_out(above, n, lanes, b->above + t * b->above_t + first);
        if (RHEO_SPIKES && b->spikes)
            b->spikes[t * b->spikes_t + first / RHEO_BLOCK] = pack(out, n, lanes);
        if (!RHEO_SPIKES && b->real) copy_out(out, n, lanes, b->real + t * b->real_t + first);
        if (b->readout) RHEO_M(show)(state, out, n, lanes, b->readout + t * b->readout_t + first);
    }
    RHEO_STATE(RHEO_X_GIVE)
}

/* Constants of each neuron's own. */
static RHEO_ASIDE void RHEO_M(window_apart)(const rheo_block *b)
{
    _Alignas(64) float rows[RHEO_CONSTANTS][RHEO_BLOCK];
    for (uint32_t first = 0; first < b->n; first += RHEO_BLOCK) {
        const uint32_t n = lanes_left(b, first);
        constant_rows(b, first, RHEO_COUNT, rows);
        RHEO_M(window_lanes)
        (b, NULL, (const float(*)[RHEO_BLOCK])rows, 1, first, (n + 15) / 16 * 16);
    }
}

RHEO_INLINE void RHEO_M(window_alike)(const rheo_block *b, const int form)
{
    float k[RHEO_CONSTANTS];
    memcpy(k, b->k, sizeof k);
    for (uint32_t first = 0; first < b->n; first += RHEO_BLOCK) {
        const uint32_t n = lanes_left(b, first);
        if (n > 48)
            RHEO_M(window_lanes)(b, k, NULL, form, first, 64);
        else if (n > 32)
            RHEO_M(window_lanes)(b, k, NULL, form, first, 48);
        else if (n > 16)
            RHEO_M(window_lanes)(b, k, NULL, form, first, 32);
        else
            RHEO_M(window_lanes)(b, k, NULL, form, first, 16);
    }
}

/* Each form is a function of its own, with the registers for itself. */
static RHEO_ASIDE void RHEO_M(window_plain)(const rheo_block *b)
{
    RHEO_M(window_alike)(b, 0);
}
#if RHEO_LEANS
static RHEO_ASIDE void RHEO_M(window_lean_1)(const rheo_block *b)
{
    RHEO_M(window_alike)(b, -1);
}
static RHEO_ASIDE void RHEO_M(window_lean_2)(const rheo_block *b)
{
    RHEO_M(window_alike)(b, -2);
}
#endif

static void RHEO_M(window)(const rheo_block *b)
{
    const float *k = b->k;
    (void)k;
    if (b->k_apart || b->above || b->port[RHEO_BARRED] || !(RHEO_PLAIN)) {
        RHEO_M(window_apart)(b);
        return;
    }
#if RHEO_LEANS
    const int lean = RHEO_LEAN;
    if (lean > 0) {
        (lean == 1 ? RHEO_M(window_lean_1) : RHEO_M(window_lean_2))(b);
        return;
    }
#endif
    RHEO_M(window_plain)(b);
}

#if RHEO_GRADIENT
/* One step back. state: before the step; gs: dL/d(state after) in, before out; gin: one a port; gk:
 * added to, or NULL. */
RHEO_INLINE void RHEO_M(lanes_back)(const float *same, const float (*rows)[RHEO_BLOCK],
                                    const int form, const uint32_t lanes, const input_rows port,
                                    const float (*state)[RHEO_BLOCK], const float *derivative,
                                    const float *gout, float (*gs)[RHEO_BLOCK],
                                    float (*gin)[RHEO_BLOCK], float (*gk)[RHEO_BLOCK])
{
    const float *row0 = port.row[0], *row1 = port.row[1], *row2 = port.row[2], *row3 = port.row[3];
    const float *draw = port.row[RHEO_DRAW], *bar = port.row[RHEO_BARRED];
    (void)state, (void)gs, (void)derivative;
    for (uint32_t j = 0; j < lanes; j++) { /* VECTOR */
        struct RHEO_M(state) s = {0}, g = {0};
        const float in[RHEO_ROWS + 1] = {row0[j], row1[j], row2[j],    row3[j],
                                         draw[j], bar[j],  (float)form};
        const float own[RHEO_CONSTANTS] = {RHEO_ALL_CONSTANTS(RHEO_OWN_CONSTANT)};
        const float *k = rows ? own : same;
        float to[RHEO_PORTS] = {0}, to_k[RHEO_CONSTANTS] = {0}, pre;
        RHEO_STATE(RHEO_X_LOAD)
        RHEO_STATE(RHEO_X_GLOAD)
        float above = RHEO_M(drive)(k, &s, in, &pre);
        float may = RHEO_M(allowed)(k, &s);
        if (rows) may *= 1 - bar[j];
        float z = may * (above >= RHEO_EDGE ? 1.0f : 0.0f);
#if RHEO_SPIKES
        float d = may * derivative[j], gz = gout[j] * (RHEO_HI - (RHEO_LO));
#else
        float d = 0, gz = gout[j];
#endif
        RHEO_M(adjoint)(k, &s, in, pre, z, d, gz, &g, to, to_k);
        RHEO_STATE(RHEO_X_GSTORE)
        gin[0][j] = to[0];
        if (RHEO_INPUTS > 1) gin[1][j] = to[1];
        if (RHEO_INPUTS > 2) gin[2][j] = to[2];
        if (RHEO_INPUTS > 3) gin[3][j] = to[3];
        RHEO_ALL_CONSTANTS_DO(RHEO_ADD_OWN)
    }
}

/* Row `row` of the inputs, from memory that has room for all lanes. */
#define RHEO_IN(row, used)                                                                         \
    ((used) ? copy_in(b->port[row], t * b->port_t[row], b->n, lanes, pad[(used) ? (row) : 0])      \
            : no_row)
RHEO_INLINE input_rows RHEO_M(rows_in)(const rheo_block *b, uint32_t t, const uint32_t lanes,
                                       float (*pad)[RHEO_BLOCK], float *bar)
{
    const input_rows rows = {
        {RHEO_IN(0, true), RHEO_IN(1, RHEO_INPUTS > 1), RHEO_IN(2, RHEO_INPUTS > 2),
         RHEO_IN(3, RHEO_INPUTS > 3), RHEO_IN(RHEO_DRAW, RHEO_DRAWS),
         bar ? copy_in(b->port[RHEO_BARRED], t * b->port_t[RHEO_BARRED], b->n, lanes, bar)
             : no_row}};
    return rows;
}
#undef RHEO_IN

/* dL/d(read-out) of a step, added to the state that it is, or to that of the output. */
RHEO_INLINE const float *RHEO_M(add_readout)(const rheo_block_adjoint *a, uint32_t t,
                                             const uint32_t lanes, const float *gout, float *go,
                                             float (*gs)[RHEO_BLOCK])
{
    if (!a->greadout) return gout;
    const float *g = a->greadout + t * a->greadout_t;
    if (RHEO_READOUT < RHEO_STATES) {
        float *gv = gs[RHEO_READOUT < RHEO_STATES ? RHEO_READOUT : 0];
        for (uint32_t j = 0; j < a->forward.n; j++) gv[j] += g[j];
        return gout;
    }
    memcpy(go, gout, lanes * sizeof(float));
    for (uint32_t j = 0; j < a->forward.n; j++) go[j] += g[j];
    return go;
}

/* Forward again, keeping the state before each step and the distances above the threshold. Two
 * arrays follow the states in `work`: distances, derivatives. */
RHEO_INLINE void RHEO_M(adjoint_lanes)(const rheo_block_adjoint *a, const float (*rows)[RHEO_BLOCK],
                                       const int form, const uint32_t lanes,
                                       float (*gk)[RHEO_BLOCK], float *bar)
{
    enum { ROWS = RHEO_M(states), PADS = RHEO_DRAWS ? RHEO_ROWS : RHEO_INPUTS };
    const rheo_block *b = &a->forward;
    const uint32_t n = b->n, T = b->T;
    float k[RHEO_CONSTANTS];
    _Alignas(64) float pad[PADS][RHEO_BLOCK] = {{0}}, gpad[RHEO_BLOCK] = {0};
    _Alignas(64) float state[ROWS + 1][RHEO_BLOCK] = {{0}};
    _Alignas(64) float gs[ROWS + 1][RHEO_BLOCK] = {{0}}, gin[RHEO_PORTS][RHEO_BLOCK] = {{0}};
    _Alignas(64) float sum[RHEO_PORTS][RHEO_BLOCK] = {{0}}, out[RHEO_BLOCK], go[RHEO_BLOCK];
    float(*kept)[RHEO_BLOCK] = (float(*)[RHEO_BLOCK])a->work;
    float *x = a->work + (size_t)T * ROWS * RHEO_BLOCK, *d = x + (size_t)T * RHEO_BLOCK;
    (void)state;
    if (!rows) memcpy(k, b->k, sizeof k);
    for (int f = 0; f < ROWS; f++)
        if (a->gstate[f]) memcpy(gs[f], a->gstate[f], n * sizeof(float));
    for (uint32_t p = 0; p < RHEO_INPUTS; p++)
        if (a->more && a->gport[p] && a->gport_t[p] == 0)
            memcpy(sum[p], a->gport[p], n * sizeof(float));
    RHEO_STATE(RHEO_X_TAKE)
    for (uint32_t t = 0; t < T && (ROWS > 0 || RHEO_SPIKES); t++) {
        RHEO_M(lanes)
        (k, rows, form, b->learn, lanes,
         RHEO_STATE(RHEO_X_PASS) RHEO_M(rows_in)(b, t, lanes, pad, bar), kept + (size_t)t * ROWS,
         x + (size_t)t * lanes, out);
    }
    if (RHEO_SPIKES) pseudo_derivative(&a->pseudo, x, d, T, lanes);
    for (uint32_t t = T; t-- > 0;) {
        const float *gout = copy_in(a->gout, t * a->gout_t, n, lanes, gpad);
        gout = RHEO_M(add_readout)(a, t, lanes, gout, go, gs);
        RHEO_M(lanes_back)
        (k, rows, form, lanes, RHEO_M(rows_in)(b, t, lanes, pad, bar),
         (const float(*)[RHEO_BLOCK])(kept + (size_t)t * ROWS), d + (size_t)t * lanes, gout, gs,
         gin, gk);
        for (uint32_t p = 0; p < RHEO_INPUTS; p++) put_gradient(a, p, t, gin[p], n, lanes, sum[p]);
    }
    for (int f = 0; f < ROWS; f++)
        if (a->gstate[f]) memcpy(a->gstate[f], gs[f], n * sizeof(float));
}

/* Constants apart, or their gradient wanted. */
static RHEO_ASIDE void RHEO_M(adjoint_apart)(const rheo_block_adjoint *a)
{
    _Alignas(64) float rows[RHEO_CONSTANTS][RHEO_BLOCK], gk[RHEO_CONSTANTS][RHEO_BLOCK] = {{0}};
    _Alignas(64) float bar[RHEO_BLOCK] = {0};
    constant_rows(&a->forward, 0, RHEO_COUNT, rows);
    for (int c = 0; c < RHEO_COUNT && a->gk; c++)
        memcpy(gk[c], a->gk + (size_t)c * a->gk_apart, a->forward.n * sizeof(float));
    RHEO_M(adjoint_lanes)(a, (const float(*)[RHEO_BLOCK])rows, 1, RHEO_BLOCK, gk, bar);
    for (int c = 0; c < RHEO_COUNT && a->gk; c++)
        memcpy(a->gk + (size_t)c * a->gk_apart, gk[c], a->forward.n * sizeof(float));
}

RHEO_INLINE void RHEO_M(adjoint_alike)(const rheo_block_adjoint *a, const int form)
{
    if (a->forward.n > 16)
        RHEO_M(adjoint_lanes)(a, NULL, form, RHEO_BLOCK, NULL, NULL);
    else
        RHEO_M(adjoint_lanes)(a, NULL, form, 16, NULL, NULL);
}

static RHEO_ASIDE void RHEO_M(adjoint_plain)(const rheo_block_adjoint *a)
{
    RHEO_M(adjoint_alike)(a, 0);
}
#if RHEO_LEANS
static RHEO_ASIDE void RHEO_M(adjoint_lean_1)(const rheo_block_adjoint *a)
{
    RHEO_M(adjoint_alike)(a, -1);
}
static RHEO_ASIDE void RHEO_M(adjoint_lean_2)(const rheo_block_adjoint *a)
{
    RHEO_M(adjoint_alike)(a, -2);
}
#endif

static void RHEO_M(adjoint_window)(const rheo_block_adjoint *a)
{
    const float *k = a->forward.k;
    (void)k;
    if (a->gk || a->forward.k_apart || a->forward.port[RHEO_BARRED] || !(RHEO_PLAIN)) {
        RHEO_M(adjoint_apart)(a);
        return;
    }
#if RHEO_LEANS
    const int lean = RHEO_LEAN;
    if (lean > 0) {
        (lean == 1 ? RHEO_M(adjoint_lean_1) : RHEO_M(adjoint_lean_2))(a);
        return;
    }
#endif
    RHEO_M(adjoint_plain)(a);
}
#define RHEO_ADJOINT RHEO_M(adjoint_window)
#else
#define RHEO_ADJOINT NULL
#endif

const rheo_neuron_loops RHEO_PASTE(RHEO_ISA, RHEO_MODEL) = {RHEO_M(window), RHEO_ADJOINT};
#undef RHEO_ADJOINT
#undef RHEO_OUT
#undef RHEO_OWN_CONSTANT
#undef RHEO_ADD_OWN
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
