/* digits.c: the UCI digits that are built in: 1,797 real images of 8x8 pixels with 17 levels, shown
 * as level/16. The first 1,297 are for training, the last 500 for test, in the order published. */
#include "data/read.h"
#include <stdio.h>

static const char table[][66] = {
#include "data/digits.inc"
};

rheo_status rheo__read_digits(rheo_dataset *data, rheo_parts *parts)
{
    const rheo_known_set *set = rheo__data_find_known("digits");
    *parts = (rheo_parts){.train = set->train, .test = set->test};
    for (int i = 0; i < 3; i++) data->shape[i] = set->shape[i];
    data->features = 64;
    data->classes = set->classes;
    data->total = sizeof table / sizeof *table;
    RHEO_TRY(rheo__data_room(data, sizeof(float)));
    float *x = data->memory[RHEO_MEMORY_X];
    data->values = x;
    for (uint32_t i = 0; i < data->total; i++) {
        const char *row = table[i];
        for (int k = 0; k < 64; k++)
            *x++ = (float)(row[k] <= '9' ? row[k] - '0' : row[k] - 'a' + 10) / 16.0f;
        data->label[i] = (uint32_t)(row[64] - '0');
    }
    return RHEO_OK;
}
