/* isa_portable.c: the loops in plain C, for any processor: small vectors of the compiler, fmaf for
 * each lane. Slow where the processor has no FMA, with the same bits as the others. */
#include "kernels/isa.h"
#include <math.h>

#define ISA    "portable"
#define TABLE  rheo__kernels_portable
#define LANES  4
#define TILE_M 4
#define TILE_V 2

typedef float vec __attribute__((vector_size(16)));
typedef uint32_t part; /* how many of the first lanes of a vector */
#define LOAD(p)             load_part(p, LANES)
#define STORE(p, v)         memcpy(p, &(v), sizeof(vec))
#define SET(x)              ((vec){(x), (x), (x), (x)})
#define ADD(a, b)           ((a) + (b))
#define FMA(a, b, c)        fma_lanes(a, b, c)
#define PART(count)         (count)
#define LOAD_PART(p, m)     load_part(p, m)
#define STORE_PART(p, m, v) memcpy(p, &(v), (m) * sizeof(float))
#define NONZERO(p)          nonzero(p)
typedef uint32_t where __attribute__((vector_size(16)));
#define WHERE(bits)         where_of((uint32_t)(bits))
#define ADD_WHERE(a, on, b) ((a) + (vec)((on) & (where)(b)))
#define FEW_N               5
#define FEW_V               1
#define FEW_MOST            32 /* outputs; with more the product is faster */
#define GIVE_V              4
#define DEPOSIT(bits, mask) deposit(bits, mask)

static inline vec load_part(const float *p, uint32_t count)
{
    vec v = {0};
    memcpy(&v, p, count * sizeof(float));
    return v;
}

static inline where where_of(uint32_t bits)
{
    const where place = {1, 2, 4, 8};
    return (where)((bits & place) == place);
}

static inline vec fma_lanes(vec a, vec b, vec c)
{
    return (vec){fmaf(a[0], b[0], c[0]), fmaf(a[1], b[1], c[1]), fmaf(a[2], b[2], c[2]),
                 fmaf(a[3], b[3], c[3])};
}

static inline uint32_t nonzero(const float *p)
{
    uint32_t mask = 0;
    for (uint32_t i = 0; i < LANES; i++) mask |= (uint32_t)(p[i] != 0.0f) << i;
    return mask;
}

/* The low bits of `bits`, one after the other, to the places that are set in mask. */
static inline uint64_t deposit(uint64_t bits, uint64_t mask)
{
    uint64_t out = 0;
    for (; mask; mask &= mask - 1, bits >>= 1)
        if (bits & 1) out |= mask & (~mask + 1);
    return out;
}

static inline void transpose_4(const float *from, size_t row, float *to, size_t pitch)
{
    for (size_t k = 0; k < 4; k++)
        for (size_t i = 0; i < 4; i++) to[k * pitch + i] = from[i * row + k];
}

#define P 4
#include "kernels/pack.inc"
#undef P

typedef struct philox_start {
    rheo_key key;
    uint32_t c0, c1, c2;
} philox_start;

static philox_start philox_begin(rheo_key key, uint32_t c0, uint32_t c1, uint32_t c2)
{
    return (philox_start){key, c0, c1, c2};
}

static void draw(const philox_start *s, const uint32_t *id, const float *p, uint32_t count,
                 uint64_t *stream)
{
    for (uint32_t g = 0; g < count; g++) {
        uint32_t r[4];
        rheo__philox(s->key, (uint32_t[4]){s->c0, s->c1, s->c2, id[g]}, r);
        for (uint32_t i = 0; i < 4; i++)
            stream[g / 16] |= (uint64_t)(rheo__uniform(r[i]) < p[4 * g + i]) << (g % 16 * 4 + i);
    }
}

static void draws(rheo_key key, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t id, uint32_t count,
                  uint32_t *out)
{
    for (uint32_t i = 0; i < count; i++)
        rheo__philox(key, (uint32_t[4]){c0, c1, c2, id + i}, out + 4 * (size_t)i);
}
#include "kernels/loops.inc"
