/* model.h: the vocabulary that a model header is written in. Each model header is scalar code in
 * the type REAL, between
 *
 *     #ifdef RHEO_ROW
 *     RHEO_ROW(token)
 *     #else
 *     #define RHEO_MODEL token ...
 *     #include RHEO_EMIT
 *     #endif
 *
 * and defines
 *   RHEO_MODEL            a C token; RHEO_M(x) is token_x
 *   RHEO_INPUTS           ports, 1 to 4
 *   RHEO_COUNT            how many constants derive makes: k[0] ... k[RHEO_COUNT - 1]
 *   RHEO_SPIKES           1: bits of value RHEO_LO, RHEO_HI; 0: real output
 *   RHEO_GRADIENT         1: there is an adjoint
 *   RHEO_STATE(X)         X(name, unit, scope, doc) for each state, maybe none
 *   RHEO_READOUT          the index of the state that `v` means, RHEO_STATES: the output
 *   RHEO_EDGE             optional: it spikes when x >= this; default 0. RHEO_STRICT makes the test
 *                         x > 0; may be a constant, k[X], that is one or the other
 *   RHEO_DRAWS            optional, 1: in[RHEO_DRAW] is a random number, uniform in (0,1), another
 *                         one for each neuron, sample and step (Philox, keyed by seed and node); it
 *                         is the same in the backward pass, and no gradient flows to it
 *   RHEO_PLAIN            optional: whether constants k need none of the rare options. Where it is
 *                         0 (and for neurons of their own constants, and for layers where one
 *                         neuron bars the others) in[RHEO_FULL] is 1, else 0, each known when a
 *                         loop is compiled: what stands inside `if (in[RHEO_FULL] > 0)` costs
 *                         nothing else
 *   RHEO_LEANS            optional, 1: there are lean forms of the loops for options that are common.
 *                         RHEO_LEAN is the form that constants k allow: 1, 2, or 0, none; in it
 *                         in[RHEO_FULL] is -1 or -2, and a state of index `at` for which
 *                         RHEO_IDLE(at, form) holds, form being -1 or -2, is 0 and not stored
 * and, with s of type struct RHEO_M(state),
 *   drive(k, s, in, pre)  returns x, the distance above the threshold, and in *pre the membrane
 *                         before the spike, or the real output
 *   allowed(k, s)         1, or 0 where it cannot spike (refractory)
 *   step(k, s, in, pre, z, learn)
 *                         s to its value after the step; z: the spike
 *   adjoint(k, s, in, pre, z, d, gz, gs, gin, gk)
 *                         s: state before; d: derivative of z by x; gz: dL/dz, or of the real
 *                         output; gs: dL/d(state after) in, before out; gin[port]: overwritten;
 *                         gk[X]: dL/d(constant X) of this step is added to it, for the constants
 *                         that depend on a field in RHEO_LEARNABLE; the others are left alone
 * and, inside #ifdef RHEO_ABOUT, what neuron.c needs once: RHEO_NAME, RHEO_TITLE, RHEO_EQUATIONS,
 * RHEO_SOURCE, RHEO_PORT_NAMES, RHEO_MULTIPLIES, RHEO_ADDS (of one step; exp, log and a division
 * count as one multiply each), the table `fields`, `derive`, `initial` where the state at rest is
 * not 0 (and RHEO_INITIAL 1), and
 *   RHEO_LEARNABLE        optional: names of the fields that gradients can train, "tau", "theta"
 *
 * Constants may differ from neuron to neuron; a header does not see that. A field with a parameter
 * in the net (one value for the layer, a channel or a neuron) is put into the options before
 * derive, neuron by neuron; its gradient is the sum of gk[X] dk[X]/dfield, by differences of
 * derive in double. So derive must be smooth in learnable fields: no rounding to float (a strict
 * test is RHEO_EDGE, not nextafterf).
 *
 * A spike z is 0 or 1 but in the smooth reference, which has all values between: what z selects by
 * arithmetic has a gradient, what z selects by `z > 0.5` has none. Functions to be used: RHEO_EXP,
 * RHEO_LOG, RHEO_LOG1P, RHEO_TANH, RHEO_ERF, RHEO_SQRT, RHEO_ABS, and `a > b ? c : d` on values (no
 * branches): a loop must vectorise. */
#ifndef RHEO_SRC_NEURON_MODEL_H
#define RHEO_SRC_NEURON_MODEL_H
#define RHEO_PASTE2(a, b) a##_##b
#define RHEO_PASTE(a, b)  RHEO_PASTE2(a, b)
#define RHEO_M(name)      RHEO_PASTE(RHEO_MODEL, name)
#ifdef RHEO_SANITIZED /* a loop inlined ten times with a check at each access takes minutes */
#define RHEO_INLINE static inline
#else
#define RHEO_INLINE static inline __attribute__((always_inline))
#endif
/* Kept out of the plain loops, where it would take registers: 7 % of the adjoint's instructions. */
#define RHEO_ASIDE __attribute__((noinline))

/* The least normal number: with no denormal x, x >= RHEO_STRICT is x > 0. */
#define RHEO_STRICT ((REAL)1.17549435e-38f)

#define RHEO_X_MEMBER(name, unit, scope, doc) REAL name;
#define RHEO_X_INDEX(name, unit, scope, doc)  RHEO_M(at_##name),
#define RHEO_X_FIELD(name, unit, scope, doc)  {#name, unit, doc, scope},

/* X of 0 to RHEO_CONSTANTS - 1: as a list, as statements. */
#define RHEO_ALL_CONSTANTS(X)                                                                      \
    X(0), X(1), X(2), X(3), X(4), X(5), X(6), X(7), X(8), X(9), X(10), X(11), X(12), X(13), X(14), \
        X(15), X(16), X(17), X(18), X(19), X(20), X(21), X(22), X(23)
/* (a formatter would take one more to a line of its own in each run) */
/* clang-format off */
#define RHEO_ALL_CONSTANTS_DO(X)                                                                   \
    X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) X(16)    \
    X(17) X(18) X(19) X(20) X(21) X(22) X(23)
/* clang-format on */
#endif
