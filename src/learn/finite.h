/* finite.h: where NaN or infinity first arose. */
#ifndef RHEO_SRC_FINITE_H
#define RHEO_SRC_FINITE_H
#include "learn/learn.h"

bool rheo__all_finite(const float *x, size_t count);
/* Walks what a plan holds after a forward pass, and a backward pass if there was one, in the order
 * in which it was computed: the samples x [B, pitch(features)], parameters, outputs, gradients. Runs
 * the window once more, as gradients may stand where outputs were.
 * Writes what is first not finite: "the output of node '2' at step 3, sample 17 is nan". */
void rheo__find_not_finite(rheo_plan *plan, const float *x, uint32_t features, char *out,
                           size_t room);
#endif
