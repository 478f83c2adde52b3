/* isa_amx.c: products of bfloat16 in AMX's tile registers (tdpbf16ps): 32 x 32 sums in four of the
 * eight, two of A, two of B. The registers are configured at the start of a task and released at its
 * end (some 0.1 us): between tasks a thread has no state of AMX that would have to be saved when it
 * is interrupted, or cleared when it ends. The ABI lets every call destroy the configuration, so
 * none is put back. */
#include "kernels/bf16.h"
#include <immintrin.h>

enum { LANES = 16, TILE_M = 32, TILE_N = 32, ROW = 64, HALF = 16 * LANES };

static void enter(void)
{
    static const struct {
        uint8_t palette, start, unused[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } layout = {.palette = 1,
                .row_bytes = {ROW, ROW, ROW, ROW, ROW, ROW, ROW, ROW},
                .rows = {16, 16, 16, 16, 16, 16, 16, 16}};
    _tile_loadconfig(&layout);
}

static void leave(void)
{
    _tile_release();
}

static inline void fetch(const float *next)
{
    for (int i = 0; i < 4; i++) __builtin_prefetch(next + 16 * i, 0, 2);
}

/* 32 rows x 16 columns */
static void tile_1(const rheo_tile *t)
{
    const float *a = t->a, *b = t->b, *next = t->next;
    const size_t from = t->from_row * sizeof(float), to = t->c_row * sizeof(float);
    _tile_loadd(0, t->from, from);
    _tile_loadd(2, t->from + 16 * t->from_row, from);
    for (uint32_t k = 0; k < t->K; k += 16) {
        fetch(next);
        _tile_loadd(6, b, TILE_N * sizeof(float));
        _tile_loadd(4, a, ROW);
        _tile_dpbf16ps(0, 4, 6);
        _tile_loadd(5, a + HALF, ROW);
        _tile_dpbf16ps(2, 5, 6);
        a += 16 * TILE_M, b += 16 * TILE_N, next += 64;
    }
    _tile_stored(0, t->c, to);
    _tile_stored(2, t->c + 16 * t->c_row, to);
}

/* 32 rows x 32 columns */
static void tile_2(const rheo_tile *t)
{
    const float *a = t->a, *b = t->b, *next = t->next;
    const size_t from = t->from_row * sizeof(float), to = t->c_row * sizeof(float);
    _tile_loadd(0, t->from, from);
    _tile_loadd(1, t->from + LANES, from);
    _tile_loadd(2, t->from + 16 * t->from_row, from);
    _tile_loadd(3, t->from + 16 * t->from_row + LANES, from);
    for (uint32_t k = 0; k < t->K; k += 16) {
        fetch(next);
        _tile_loadd(6, b, TILE_N * sizeof(float));
        _tile_loadd(4, a, ROW);
        _tile_dpbf16ps(0, 4, 6);
        _tile_loadd(7, b + LANES, TILE_N * sizeof(float));
        _tile_dpbf16ps(1, 4, 7);
        _tile_loadd(5, a + HALF, ROW);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
        a += 16 * TILE_M, b += 16 * TILE_N, next += 64;
    }
    _tile_stored(0, t->c, to);
    _tile_stored(1, t->c + LANES, to);
    _tile_stored(2, t->c + 16 * t->c_row, to);
    _tile_stored(3, t->c + 16 * t->c_row + LANES, to);
}

const rheo_tiles rheo__bf16_amx = {
    .lanes = LANES,
    .tile_m = TILE_M,
    .tile_n = TILE_N,
    .numbers = 2,
    .pack_a = rheo__bf16_pack_a,
    .pack_b = rheo__bf16_pack_b,
    .tile = {tile_1, tile_2},
    .enter = enter,
    .leave = leave,
};
