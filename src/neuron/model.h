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
 *   RHEO_INPUTS           ports, 1 or 2
 *   RHEO_SPIKES           1: bits of value RHEO_LO, RHEO_HI; 0: real output
 *   RHEO_GRADIENT         1: there is an adjoint
 *   RHEO_STATE(X)         X(name, unit, scope, doc) for each state, maybe none
 *   RHEO_READOUT          the index of the state that `v` means, RHEO_STATES: the output
 * and, with s of type struct RHEO_M(state),
 *   drive(k, s, in, pre)  returns x, the distance above the threshold (it spikes when x >= 0), and
 * in *pre the membrane before the spike, or the real output allowed(k, s)         1, or 0 where it
 * cannot spike (refractory) step(k, s, in, pre, z, learn)   s to its value after the step; z: the
 * spike adjoint(k, s, in, pre, z, d, gz, gs, gin)   s: state before; d: derivative of z by x; gz:
 * dL/dz, or of the real output; gs: dL/d(state after) in, before out; gin: overwritten and, inside
 * #ifdef RHEO_ABOUT, what neuron.c needs once: RHEO_NAME, RHEO_TITLE, RHEO_EQUATIONS, RHEO_SOURCE,
 * RHEO_PORT_NAMES, RHEO_MULTIPLIES, RHEO_ADDS (of one step; exp, log and a division count as one
 * multiply each), the table `fields`, `derive`, and `initial` where the state at rest is not 0. */
#ifndef RHEO_SRC_NEURON_MODEL_H
#define RHEO_SRC_NEURON_MODEL_H
#define RHEO_PASTE2(a, b) a##_##b
#define RHEO_PASTE(a, b)  RHEO_PASTE2(a, b)
#define RHEO_M(name)      RHEO_PASTE(RHEO_MODEL, name)
#define RHEO_INLINE       static inline __attribute__((always_inline))

#define RHEO_X_MEMBER(name, unit, scope, doc) REAL name;
#define RHEO_X_INDEX(name, unit, scope, doc)  RHEO_M(at_##name),
#define RHEO_X_FIELD(name, unit, scope, doc)  {#name, unit, doc, scope},
#endif
