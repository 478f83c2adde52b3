/* constant.c: direct current. Every step sees the sample itself, so the signal is static and the
 * first layer multiplies it once:  s[t] = gain * intensity * x. Leaves out: noise, and a rest after
 * the sample. */
#include "coding/coding.h"

enum { GAIN };
static const rheo_field fields[] = {
    RHEO_NUMBER_FIELD("gain", "1", 1, -1e6, 1e6, "factor on the sample"),
    RHEO_FIELD_END,
};

static void encode(const rheo_encode *call, rheo_signal *out)
{
    float factor = (float)(call->options->v[GAIN] * call->intensity);
    for (uint32_t b = 0; b < call->B; b++) {
        const float *x = call->x + (size_t)b * rheo__pitch(call->N);
        float *s = rheo__real_row(out, 0, b);
        for (uint32_t i = 0; i < call->N; i++) s[i] = factor * x[i];
    }
}

const rheo_encoder rheo__encoder_constant = {
    .name = "constant",
    .title = "the sample as a constant current",
    .equations = "s[t] = gain * intensity * x",
    .source = "Rueckauer et al. 2017, Front. Neurosci. 11:682, section 2.2",
    .form = RHEO_REAL,
    .fixed = true,
    .fields = fields,
    .encode = encode,
};
