/* integer.c: the raw 8-bit pixel, for nets whose first layer works on integers:
 *     s[t] = round(255 * x), held to 0 ... 255; for x in 0 ... 1.
 * Pixels that were bytes come back exactly. Leaves out: intensity, which would leave the 8 bits. */
#include "coding/coding.h"

static const rheo_field fields[] = {RHEO_FIELD_END};

static void encode(const rheo_encode *call, rheo_signal *out)
{
    for (uint32_t b = 0; b < call->B; b++) {
        const float *x = call->x + (size_t)b * rheo__pitch(call->N);
        float *s = rheo__real_row(out, 0, b);
        for (uint32_t i = 0; i < call->N; i++) {
            float v = 255.0f * x[i];
            v = v < 0.0f ? 0.0f : v > 255.0f ? 255.0f : v;
            s[i] = (float)(int)(v + 0.5f);
        }
    }
}

const rheo_encoder rheo__encoder_integer = {
    .name = "integer",
    .title = "the sample as integers 0 to 255",
    .equations = "s[t] = round(255 x), held to 0 ... 255",
    .source = "Courbariaux et al. 2016, arXiv 1602.02830, section 1.6 (first layer)",
    .form = RHEO_REAL,
    .fixed = true,
    .fields = fields,
    .encode = encode,
};
