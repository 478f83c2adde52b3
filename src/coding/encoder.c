/* encoder.c: the table of encoders. */
#include "coding/coding.h"
#include <string.h>

#define RHEO_ENCODER(symbol, name) extern const rheo_encoder rheo__encoder_##symbol;
#include "coding/encoders.def"
#undef RHEO_ENCODER

#define RHEO_ENCODER(symbol, name) &rheo__encoder_##symbol,
static const rheo_encoder *const encoders[] = {
#include "coding/encoders.def"
    NULL};
#undef RHEO_ENCODER

#define RHEO_ENCODER(symbol, name) name,
const char *const rheo__encoder_names[] = {
#include "coding/encoders.def"
    NULL};
#undef RHEO_ENCODER

const rheo_encoder *rheo__encoder_at(uint32_t index)
{
    return index < sizeof encoders / sizeof encoders[0] ? encoders[index] : NULL;
}

const rheo_encoder *rheo__encoder_find(const char *name)
{
    for (uint32_t i = 0; encoders[i]; i++)
        if (!strcmp(encoders[i]->name, name)) return encoders[i];
    return NULL;
}

uint32_t rheo__encoder_width(const rheo_encoder *encoder, const rheo_options *options, uint32_t N)
{
    return encoder->width ? encoder->width(options, N) : N;
}
