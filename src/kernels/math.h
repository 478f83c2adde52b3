/* math.h: exp, log and log1p for float32 loops: inline, without branches or calls, so that gcc and
 * clang vectorise a loop that uses them. Only +, *, / and bit operations in a fixed order (no fma):
 * every instruction set gives the same bits. Rounding to nearest is assumed.
 *
 * rheo__expf: e^x = 2^n e^r, |r| <= ln2/2; e^r a polynomial (own weighted minimax fit, 4e-9).
 *
 * rheo__logf: ln x for x = 2^e m, m in [sqrt(1/2), sqrt 2); ln m by the series of atanh.
 *
 * rheo__log1pf: the same of u = fl(1 + x), plus the part of x that u lost.
 *
 * Errors over the whole range, against the C library in double (tests/test_kernels.c): below 1 unit
 * in the last place (measured: exp 0.97, log 0.81, log1p 0.85). exp overflows to inf and underflows
 * through the denormal numbers to 0; ln 0 = -inf, of a negative number NaN; NaN stays NaN. Doubles
 * use the C library. */
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

static inline float rheo__expf(float x)
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
#endif
