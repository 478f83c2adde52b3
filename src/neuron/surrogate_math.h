/* surrogate_math.h: shapes that several surrogates are made of, in float for the loops; surrogate.c
 * has the same in double. */
#ifndef RHEO_SRC_SURROGATE_MATH_H
#define RHEO_SRC_SURROGATE_MATH_H
#include "kernels/math.h"

/* e^-z / (1 + e^-z)^2, the logistic density */
static inline float rheo__bellf(float z)
{
    const float e = rheo__expf(-fabsf(z));
    return e / ((1 + e) * (1 + e));
}

/* e^(-z^2/2) / sqrt(2 pi) */
static inline float rheo__normalf(float z)
{
    return 0.3989422804014327f * rheo__expf(-0.5f * (z * z));
}

/* cos(t) + cos(3 t) + ... + cos((2m-1) t) = sin(2 m t) / (2 sin t), t = 2 pi x/period; x is taken
 * to the nearest half period first, where sin t changes its sign only. */
static inline float rheo__odd_cosinesf(float x, float period, float m)
{
    const float magic = 0x1.8p23f;
    const float shifted = 2 * x / period + magic, halves = shifted - magic;
    const float t = 6.283185307179586f * ((x - 0.5f * period * halves) / period);
    const float s = rheo__sinf(t), sum = rheo__sinf(2 * m * t) / (2 * (s == 0 ? 1.0f : s));
    const float size = s == 0 ? m : sum;
    return rheo__bits_of(shifted) & 1 ? -size : size;
}
#endif
