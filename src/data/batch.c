/* batch.c: samples gathered into the rows that a net reads. */
#include "data/data.h"
#include <string.h>

void rheo__data_targets(const rheo_dataset *data, rheo_split split, const uint32_t *position,
                        uint32_t B, float *target)
{
    const size_t each = (size_t)data->target_steps * data->classes;
    for (uint32_t b = 0; b < B; b++)
        memcpy(target + b * each, data->target + data->index[split][position[b]] * each,
               each * sizeof *target);
}

void rheo__data_lengths(const rheo_dataset *data, rheo_split split, const uint32_t *position,
                        uint32_t B, uint32_t *length)
{
    for (uint32_t b = 0; b < B; b++) length[b] = data->length[data->index[split][position[b]]];
}

void rheo__data_batch(const rheo_dataset *data, rheo_split split, const uint32_t *position,
                      uint32_t B, float *x, uint32_t *label, uint32_t *id)
{
    uint32_t n = data->features, pitch = rheo__pitch(n);
    for (uint32_t b = 0; b < B; b++) {
        uint32_t at = data->index[split][position[b]];
        float *row = x + (size_t)b * pitch;
        if (data->pixels) {
            const uint8_t *pixels = data->pixels + (size_t)at * n;
            for (uint32_t i = 0; i < n; i++) row[i] = (float)pixels[i] / 255.0f;
        } else {
            memcpy(row, data->values + (size_t)at * n, n * sizeof *row);
        }
        memset(row + n, 0, (pitch - n) * sizeof *row);
        label[b] = data->label[at];
        id[b] = at;
    }
}
