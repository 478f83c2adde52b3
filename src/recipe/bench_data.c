/* bench_data.c: what benchmark tasks run on, the same wherever they run: pixels like MNIST's,
 * events like N-MNIST's, and samples that are one level all over, which a code makes spikes of. */
#include "recipe/bench.h"

enum { IMAGES = 1792, EDGE = 28, ZOOM = 3, DIGIT = 8 * ZOOM }; /* 14 batches of 128 */
enum { SAMPLES = 512, CLASSES = 20, WIDE = 34 };

/* The built-in digits, each pixel three wide, with the dark ones cut off: 20 % of the pixels are
 * not 0 and their mean is 0.13; of MNIST's training images 19 % and 0.13. */
static void enlarge(const float *digit, uint32_t edge, float factor, float *image)
{
    const float cut = 0.6f;
    const uint32_t border = (edge - DIGIT) / 2;
    for (uint32_t y = 0; y < DIGIT; y++)
        for (uint32_t x = 0; x < DIGIT; x++) {
            float v = (digit[y / ZOOM * 8 + x / ZOOM] - cut) / (1 - cut);
            image[(y + border) * edge + x + border] = v > 0 ? factor * v : 0;
        }
}

/* Digits in every channel. */
static rheo_status make_digits(rheo_context *ctx, const char *name, uint32_t channels,
                               uint32_t edge, uint32_t count, float factor, rheo_dataset **out)
{
    rheo_dataset *digits = NULL;
    float *x = NULL;
    const size_t places = (size_t)edge * edge;
    RHEO_TRY(rheo__data_open(ctx, &(rheo_data_request){.name = "digits"}, &digits));
    rheo_status status = rheo__alloc(ctx, count * channels * places, sizeof *x, "images", &x);
    for (size_t i = 0; i < (size_t)count * channels && !status; i++)
        enlarge(digits->values + 64 * (i / channels), edge, factor, x + places * i);
    if (!status)
        status = rheo__data_make(ctx, name, (uint32_t[3]){channels, edge, edge}, x, digits->label,
                                 count, NULL, NULL, 0, out);
    rheo__release(ctx, x);
    rheo__data_free(digits);
    return status;
}

rheo_status rheo__bench_images(rheo_context *ctx, const rheo_bench_task *task, rheo_dataset **out)
{
    (void)task;
    return make_digits(ctx, "enlarged digits", 1, EDGE, IMAGES, 1, out);
}

/* The chance of an event, in both polarities alike: 0.6 % of all places a step, as many as a
 * millisecond of N-MNIST has (4,100 events in 300 ms of 2 x 34 x 34). */
rheo_status rheo__bench_events(rheo_context *ctx, const rheo_bench_task *task, rheo_dataset **out)
{
    (void)task;
    return make_digits(ctx, "events of digits", 2, WIDE, SAMPLES, 0.118f, out);
}

rheo_status rheo__bench_level(rheo_context *ctx, const rheo_bench_task *task, rheo_dataset **out)
{
    float *x = NULL;
    uint32_t label[SAMPLES];
    const size_t size = (size_t)SAMPLES * task->features;
    RHEO_TRY(rheo__alloc(ctx, size, sizeof *x, "samples", &x));
    for (size_t i = 0; i < size; i++) x[i] = (float)task->density;
    for (uint32_t i = 0; i < SAMPLES; i++) label[i] = i % CLASSES;
    rheo_status status = rheo__data_make(ctx, "one level", (uint32_t[3]){task->features, 1, 1}, x,
                                         label, SAMPLES, NULL, NULL, 0, out);
    rheo__release(ctx, x);
    return status;
}
