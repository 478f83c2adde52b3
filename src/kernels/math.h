/* math.h: exp, log, log1p, sin, cos, tanh and pow for float32 loops: inline, without branches or
 * calls, so that gcc and clang vectorise a loop that uses them. Only +, *, / and bit operations in
 * a fixed order (no fma): every instruction set gives the same bits. Rounding to nearest is
 * assumed.
 *
 * rheo__expf: e^x = 2^n e^r, |r| <= ln2/2; e^r a polynomial (own weighted minimax fit, 4e-9).
 *
 * rheo__logf: ln x for x = 2^e m, m in [sqrt(1/2), sqrt 2); ln m by the series of atanh.
 *
 * rheo__log1pf: the same of u = fl(1 + x), plus the part of x that u lost.
 *
 * rheo__erff: below 1 an odd polynomial, above 1 - e^-p, p a polynomial for -ln erfc (own minimax
 * fits); below 2 units in the last place.
 *
 * Errors over the whole range, against the C library in double (tests/test_kernels.c): below 1 unit
 * in the last place (measured: exp 0.97, log 0.81, log1p 0.85); the others below,
 * tests/test_formula.c. exp overflows to inf and underflows through the denormal numbers to 0; ln 0
 * = -inf, of a negative number NaN; NaN stays NaN. Doubles use the C library. */
#ifndef RHEO_SRC_MATH_H
#define RHEO_SRC_MATH_H
#include <math.h>
#include <stdint.h>
#include <string.h>

static inline float rheo__float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline uint32_t rheo__bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline __attribute__((always_inline)) float rheo__expf(float x)
{
    const float magic = 0x1.8p23f; /* adding it rounds to an integer, held in the low bits */
    x = x < -104.0f ? -104.0f : x; /* e^-104 rounds to 0 */
    x = x > 89.0f ? 89.0f : x;     /* e^89 rounds to inf */
    float shifted = x * 0x1.715476p0f + magic;
    float n = shifted - magic;
    int32_t i = (int32_t)(rheo__bits_of(shifted) - rheo__bits_of(magic));
    float r = (x - n * 0x1.62e4p-1f) - n * 0x1.7f7d1cp-20f; /* ln 2 in two parts, the first exact */
    float q = 0x1.6a2252p-10f;
    q = q * r + 0x1.123b04p-7f;
    q = q * r + 0x1.5558f8p-5f;
    q = q * r + 0x1.555490p-3f;
    q = q * r + 0x1.fffffcp-2f;
    float p = 1.0f + (r + r * r * q);
    int32_t half = i >> 1; /* 2^n in two factors: n is -150 ... 128 */
    float low = rheo__float_of((uint32_t)(half + 127) << 23);
    float high = rheo__float_of((uint32_t)(i - half + 127) << 23);
    return p * low * high;
}

/* ln of 2^e (1+f), plus c (small): ln(1+f) = f - f²/2 + s (f²/2 + R), s = f/(2+f), where
 * R = 2 (s²/3 + s⁴/5 + s⁶/7 + s⁸/9); |s| <= 0.172, so the next term is below 4e-9. */
static inline float rheo__log_sum(float e, float f, float c)
{
    float s = f / (2.0f + f);
    float z = s * s;
    float R =
        z * (0x1.555556p-1f + z * (0x1.99999ap-2f + z * (0x1.24924ap-2f + z * 0x1.c71c72p-3f)));
    float h = 0.5f * f * f;
    return e * 0x1.62e4p-1f + (f - (h - (s * (h + R) + (e * 0x1.7f7d1cp-20f + c))));
}

/* Parts a positive normal number: its power of two in *e, its fraction in [sqrt(1/2), sqrt 2) - 1.
 */
static inline float rheo__log_split(float x, float *e)
{
    uint32_t bits = rheo__bits_of(x) - 0x3f3504f3u; /* sqrt(1/2) */
    int32_t i = (int32_t)bits >> 23;
    *e = (float)i;
    return rheo__float_of(rheo__bits_of(x) - ((uint32_t)i << 23)) - 1.0f;
}

static inline float rheo__logf(float x)
{
    float tiny = x < 0x1p-126f ? 23.0f : 0.0f; /* denormal numbers are scaled up first */
    float scaled = x < 0x1p-126f ? x * 0x1p23f : x;
    float e;
    float f = rheo__log_split(scaled, &e);
    float y = rheo__log_sum(e - tiny, f, 0.0f);
    y = x <= 3.4028235e38f ? y : x; /* inf and NaN */
    y = x == 0.0f ? -INFINITY : y;
    return x < 0.0f ? NAN : y;
}

static inline float rheo__log1pf(float x)
{
    float u = 1.0f + x;
    float e;
    float f = rheo__log_split(u, &e);
    float lost = x >= 1.0f ? 1.0f - (u - x) : x - (u - 1.0f);
    float y = rheo__log_sum(e, f, lost / u);
    y = fabsf(x) < 0x1p-25f ? x : y; /* also -0 */
    y = x <= 3.4028235e38f ? y : x;  /* inf and NaN */
    y = x == -1.0f ? -INFINITY : y;
    return x < -1.0f ? NAN : y;
}

/* sin and cos by quarter turns: x = n pi/2 + r, |r| <= pi/4 (pi/2 in three parts, exact products
 * up to |n| = 2^9); series to r^9 and r^10. For |x| up to 800 the error is below 1e-7; beyond some
 * 10^5 the result means nothing, and stays within [-1, 1]. */
static inline float rheo__quarter(float x, int32_t shift)
{
    const float magic = 0x1.8p23f;
    float shifted = x * 0x1.45f306p-1f + magic; /* 2/pi */
    float n = shifted - magic;
    int32_t i = (int32_t)(rheo__bits_of(shifted) - rheo__bits_of(magic)) + shift;
    float r = ((x - n * 0x1.92p0f) - n * 0x1.fb4p-12f) - n * 0x1.4442d2p-24f;
    float z = r * r;
    float s = r + r * z *
                      (-0x1.555556p-3f +
                       z * (0x1.111112p-7f + z * (-0x1.a01a02p-13f + z * 0x1.71de3ap-19f)));
    float c =
        1.0f +
        z * (-0.5f + z * (0x1.555556p-5f +
                          z * (-0x1.6c16c2p-10f + z * (0x1.a01a02p-16f + z * -0x1.27e4fcp-22f))));
    float y = i & 1 ? c : s;
    y = i & 2 ? -y : y;
    y = y > 1.0f ? 1.0f : y;
    return y < -1.0f ? -1.0f : y;
}

static inline float rheo__sinf(float x)
{
    return rheo__quarter(x, 0);
}

static inline float rheo__cosf(float x)
{
    return rheo__quarter(x, 1);
}

/* Below 0.64 an odd polynomial (own minimax fit), above 1 - 2/(e^2|x| + 1). */
static inline float rheo__tanhf(float x)
{
    float a = fabsf(x), z = x * x;
    float p = -0x1.6f41dep-8f;
    p = p * z + 0x1.50b81cp-6f;
    p = p * z - 0x1.b806a4p-5f;
    p = p * z + 0x1.1105a2p-3f;
    p = p * z - 0x1.55552cp-2f;
    float large = 1.0f - 2.0f / (rheo__expf(2.0f * a) + 1.0f);
    float y = a < 0.64f ? a + a * (z * p) : large;
    y = x < 0.0f ? -y : y;
    return x == 0.0f ? x : y; /* also -0 */
}

/* x^y = e^(y ln x): relative error about |y ln x| 2^-23; NaN for x below 0. */
static inline float rheo__powf(float x, float y)
{
    return y == 0.0f ? 1.0f : rheo__expf(y * rheo__logf(x));
}

static inline float rheo__erff(float x)
{
    float a = fabsf(x), z = x * x, b = a < 4.0f ? a : 4.0f;
    float p = 0x1.4ae4c8p-14f;
    p = p * z - 0x1.a485eap-11f;
    p = p * z + 0x1.5419f4p-8f;
    p = p * z - 0x1.b7fbb4p-6f;
    p = p * z + 0x1.ce2d2p-4f;
    p = p * z - 0x1.81273ep-2f;
    p = p * z + 0x1.06eba8p-3f; /* 2/sqrt(pi) is this and 1 */
    float q = 0x1.6bd828p-16f;
    q = q * b - 0x1.cec634p-12f;
    q = q * b + 0x1.138cccp-8f;
    q = q * b - 0x1.9d030ep-6f;
    q = q * b + 0x1.bc151ap-4f;
    q = q * b + 0x1.443566p-1f;
    q = q * b + 0x1.212c0ep+0f;
    q = q * b - 0x1.8a583ap-13f;
    float y = a < 1.0f ? a + a * p : 1.0f - rheo__expf(-q);
    y = x < 0.0f ? -y : y;
    y = x == 0.0f ? x : y; /* also -0 */
    return x == x ? y : x; /* NaN */
}
#endif
