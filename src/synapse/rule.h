/* rule.h: the vocabulary that a plasticity rule (models/x.h) is written in, as neuron/model.h is
 * for neurons. A rule defines
 *   RHEO_RULE                    a C token; RHEO_R(x) is token_x
 *   RHEO_PRE_TRACES, RHEO_POST_TRACES     1 or 2
 * and scalar functions on pre[], post[] (the traces of the two neurons) and a weight:
 *   pre_spike(k, w, pre, post)   the weight after a spike of its pre neuron
 *   post_spike(k, w, pre, post)  the weight after a spike of its post neuron
 *   pre_mark(k, f, trace), post_mark(k, f, trace)     trace f after a spike of its own neuron
 *   pre_decay(k, f), post_decay(k, f)                 factor of trace f in a step
 * and, inside #ifdef RHEO_ABOUT, RHEO_NAME, RHEO_TITLE, RHEO_EQUATIONS, RHEO_SOURCE, the table
 * `fields` and `derive`. */
#ifndef RHEO_SRC_SYNAPSE_RULE_H
#define RHEO_SRC_SYNAPSE_RULE_H
#include "synapse/synapse.h"

#define RHEO_PASTE2(a, b) a##_##b
#define RHEO_PASTE(a, b)  RHEO_PASTE2(a, b)
#define RHEO_R(name)      RHEO_PASTE(RHEO_RULE, name)
#define RHEO_INLINE       static inline __attribute__((always_inline))

/* The tables that isa_*.c export to dispatch.c. */
extern const rheo_synapse_loops *const rheo__synapse_portable[];
extern const rheo_synapse_loops *const rheo__synapse_avx2[];
extern const rheo_synapse_loops *const rheo__synapse_avx512[];
#endif
