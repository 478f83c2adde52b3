/* random.c: Philox4x32-10 and what is drawn with it.
 *
 * Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011. Ten rounds of
 *   (c0,c1,c2,c3) <- (hi(M1 c2) ^ c1 ^ k0, lo(M1 c2), hi(M0 c0) ^ c3 ^ k1, lo(M0 c0)),
 *   (k0,k1) <- (k0 + W0, k1 + W1).
 * Box-Muller (1958) in double: its normal numbers end at sqrt(2 ln 2^33) = 6.8 deviations. */
#include "base/random.h"

#include <math.h>

static const double TWO_PI = 6.283185307179586476925;

void rheo__philox(rheo_key key, const uint32_t counter[4], uint32_t out[4])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key.k[0], k1 = key.k[1];
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = UINT64_C(0xD2511F53) * c0;
        uint64_t p1 = UINT64_C(0xCD9E8D57) * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

rheo_key rheo__key(uint64_t seed, uint32_t node, rheo_purpose purpose)
{
    rheo_key key = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
    const uint32_t counter[4] = {node, (uint32_t)purpose, 0, 0};
    uint32_t out[4];
    rheo__philox(key, counter, out);
    return (rheo_key){{out[0], out[1]}};
}

float rheo__uniform(uint32_t r)
{
    return (float)(r >> 8) * 0x1p-24f;
}

void rheo__normal(uint32_t r0, uint32_t r1, double out[2])
{
    double radius = sqrt(-2.0 * log(((double)r0 + 0.5) * 0x1p-32));
    double angle = TWO_PI * 0x1p-32 * (double)r1;
    out[0] = radius * cos(angle);
    out[1] = radius * sin(angle);
}

static void four(rheo_key key, uint32_t show, uint64_t block, uint32_t out[4])
{
    const uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), 0, show};
    rheo__philox(key, counter, out);
}

void rheo__fill_uniform(rheo_key key, uint32_t show, float low, float high, float *x, uint64_t n)
{
    double span = (double)high - (double)low;
    uint32_t r[4];
    for (uint64_t i = 0; i < n; i++) {
        if (i % 4 == 0) four(key, show, i / 4, r);
        float value = (float)((double)low + span * (double)rheo__uniform(r[i % 4]));
        if (value >= high && high > low) value = nextafterf(high, low); /* rounded up */
        x[i] = value;
    }
}

void rheo__fill_normal(rheo_key key, uint32_t show, float mean, float sd, float *x, uint64_t n)
{
    uint32_t r[4];
    double z[4] = {0};
    for (uint64_t i = 0; i < n; i++) {
        if (i % 4 == 0) {
            four(key, show, i / 4, r);
            rheo__normal(r[0], r[1], z);
            rheo__normal(r[2], r[3], z + 2);
        }
        x[i] = (float)((double)mean + (double)sd * z[i % 4]);
    }
}

/* A number in 0 … last: words are cut to the least power of two above `last` and thrown away when
 * still above it. Counter word 2 keeps these draws apart from the arrays'. */
static uint32_t below(rheo_key key, uint32_t show, uint32_t last)
{
    uint32_t mask = UINT32_MAX >> __builtin_clz(last | 1);
    for (uint32_t attempt = 0;; attempt++) {
        const uint32_t counter[4] = {last, attempt, 1, show};
        uint32_t r[4];
        rheo__philox(key, counter, r);
        for (int i = 0; i < 4; i++)
            if ((r[i] & mask) <= last) return r[i] & mask;
    }
}

void rheo__permutation(rheo_key key, uint32_t show, uint32_t n, uint32_t *out)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t j = below(key, show, i);
        if (j != i) out[i] = out[j];
        out[j] = i;
    }
}
