/* pack.h: rows of floats as bits: signs of weights, bit planes of pixels. Eight bytes become eight
 * bits by one product: byte k, worth 0 or 1, is moved from bit 8k to bit 56 + k by the factor's bit
 * 56 - 7k, and no two of the 64 partial products share a bit. */
#ifndef RHEO_SRC_PACK_H
#define RHEO_SRC_PACK_H
#include <stdbool.h>
#include <stdint.h>

/* Bit `plane` of each of 64 bytes as one word, byte j at bit j. */
static inline uint64_t rheo__pack_word(const uint8_t bytes[64], uint32_t plane)
{
    uint64_t word = 0;
    for (uint32_t i = 0; i < 64; i += 8) {
        uint64_t eight = 0;
        for (uint32_t k = 0; k < 8; k++) eight |= (uint64_t)bytes[i + k] << 8 * k;
        eight = eight >> plane & UINT64_C(0x0101010101010101);
        word |= (eight * UINT64_C(0x0102040810204080) >> 56) << i;
    }
    return word;
}

/* sign[n] = +1 or -1, and the same packed with 1 for +1; sign(0) is +1 */
static inline void rheo__pack_signs(const float *w, uint32_t n, float *restrict sign,
                                    uint64_t *restrict packed)
{
    uint8_t bytes[64];
    for (uint32_t i = 0; i < n; i++) sign[i] = w[i] >= 0 ? 1.0f : -1.0f;
    for (uint32_t i = 0; i < n; i += 64) {
        for (uint32_t j = 0; j < 64; j++) bytes[j] = i + j < n && w[i + j] >= 0;
        packed[i / 64] = rheo__pack_word(bytes, 0);
    }
}

/* Eight planes, plane p at planes + p*words; false when a number is no integer of 0 ... 255. */
static inline bool rheo__pack_planes(const float *x, uint32_t n, uint64_t *planes)
{
    const uint32_t words = n / 64 + (n % 64 != 0);
    for (uint32_t i = 0; i < n; i += 64) {
        const uint32_t size = n - i < 64 ? n - i : 64;
        uint8_t bytes[64] = {0};
        uint32_t wrong = 0;
        for (uint32_t j = 0; j < size; j++) wrong |= !(x[i + j] >= 0 && x[i + j] <= 255);
        if (wrong) return false;
        for (uint32_t j = 0; j < size; j++) {
            bytes[j] = (uint8_t)x[i + j];
            wrong |= x[i + j] > (float)bytes[j];
        }
        if (wrong) return false;
        for (uint32_t p = 0; p < 8; p++)
            planes[(uint64_t)p * words + i / 64] = rheo__pack_word(bytes, p);
    }
    return true;
}
#endif
