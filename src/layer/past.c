/* past.c: the rings of layers with delays. */
#include "layer/past.h"
#include <string.h>

void rheo__past_keep(const rheo_work *work, uint32_t reach, uint32_t t0, uint32_t t1)
{
    const rheo_signal *in = work->in[0];
    const uint32_t first = t1 - t0 > reach ? t1 - reach : t0;
    float buffer[RHEO_BLOCK];
    for (uint32_t t = first; t < t1; t++)
        for (uint32_t b = 0; b < work->B; b++) {
            const uint32_t row = (uint32_t)(((uint64_t)work->step0 + t) % reach);
            float *to = work->state + ((size_t)b * reach + row) * in->N;
            for (uint32_t block = 0; block < rheo__words(in->N); block++)
                memcpy(to + (size_t)block * RHEO_BLOCK, rheo__block_row(in, t, b, block, buffer),
                       rheo__block_size(in->N, block) * sizeof(float));
        }
}

void rheo__future_keep(const rheo_work *work, uint32_t reach, uint32_t t0, uint32_t t1)
{
    const rheo_signal *g = work->gout;
    const uint32_t last = t1 - t0 > reach ? t0 + reach : t1;
    for (uint32_t t = t0; t < last; t++)
        for (uint32_t b = 0; b < work->B; b++)
            memcpy(work->adjoint + ((size_t)b * reach + t % reach) * g->N, rheo__real_row(g, t, b),
                   g->N * sizeof(float));
}
