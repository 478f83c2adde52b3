/* Real targets: read from .npz beside the samples, gathered with their batch, refused where they do
 * not fit; labels are the largest target's. */
#include "check.h"
#include "array/npy.h"
#include "data/data.h"
#include <stdio.h>
#include <unistd.h>

static rheo_context *ctx;
static char path[64];

static float x[6 * 2], y[6 * 3 * 2];

static rheo_array array(const char *name, uint32_t dims, const uint64_t *shape, void *data)
{
    rheo_array a = {.dtype = RHEO_F32, .dims = dims, .count = 1, .data = data};
    snprintf(a.name, sizeof a.name, "%s", name);
    for (uint32_t d = 0; d < dims; d++) a.shape[d] = shape[d], a.count *= shape[d];
    return a;
}

/* Four samples for training, two for test. */
static rheo_status read_set(uint32_t dims, uint64_t targets, uint64_t tested, rheo_dataset **out)
{
    const uint64_t train[3] = {4, dims == 2 ? targets : 3, targets};
    const uint64_t test[3] = {2, dims == 2 ? tested : 3, tested};
    const uint64_t xs[2] = {4, 2}, zs[2] = {2, 2};
    uint64_t each = 1;
    for (uint32_t d = 1; d < dims; d++) each *= train[d];
    const rheo_array all[4] = {array("x_train", 2, xs, x), array("y_train", dims, train, y),
                               array("x_test", 2, zs, x + 8),
                               array("y_test", dims, test, y + 4 * each)};
    CHECK_OK(ctx, rheo__npz_write(ctx, path, all, 4));
    const rheo_data_request ask = {.name = "npz", .path = path, .file = "test"};
    return rheo__data_open(ctx, &ask, out);
}

static void targets_come_with_their_samples(void **state)
{
    static const uint64_t targets[3] = {1, 2, 2};
    (void)state;
    for (uint32_t dims = 1; dims <= 3; dims++) {
        rheo_dataset *d = NULL;
        const uint32_t C = (uint32_t)targets[dims - 1], steps = dims == 3 ? 3 : 1, each = C * steps;
        CHECK_OK(ctx, read_set(dims, C, C, &d));
        assert_int_equal(d->classes, C);
        assert_int_equal(d->target_steps, steps);
        float target[2 * 6], got[2 * 16];
        uint32_t label[2], id[2];
        const uint32_t position[2] = {1, 0};
        rheo__data_targets(d, RHEO_TEST, position, 2, target);
        rheo__data_batch(d, RHEO_TEST, position, 2, got, label, id);
        for (uint32_t b = 0; b < 2; b++) {
            const uint32_t sample = 5 - b;
            float sum[2] = {0};
            assert_true(got[b * 16] == x[sample * 2]);
            assert_memory_equal(target + b * each, y + sample * each, each * sizeof *y);
            for (uint32_t i = 0; i < each; i++) sum[i % C] += y[sample * each + i];
            assert_int_equal(label[b], C > 1 && sum[1] > sum[0]);
        }
        rheo__data_free(d);
    }
}

static void bad_targets_are_refused(void **state)
{
    rheo_dataset *d = NULL;
    (void)state;
    CHECK_FAILS(ctx, read_set(2, 2, 1, &d), RHEO_SHAPE, "y_test and y_train differ");
    const float kept = y[5];
    y[5] = NAN;
    CHECK_FAILS(ctx, read_set(2, 2, 2, &d), RHEO_NUMERIC, "y_train: sample 2");
    y[5] = kept;
}

int main(void)
{
    ctx = check_context(1);
    snprintf(path, sizeof path, "/tmp/rheobase-targets-%ld.npz", (long)getpid());
    for (int i = 0; i < 12; i++) x[i] = (float)i / 12;
    for (int i = 0; i < 36; i++) y[i] = (float)(i * 7 % 11) - 5;
    const struct CMUnitTest tests[] = {cmocka_unit_test(targets_come_with_their_samples),
                                       cmocka_unit_test(bad_targets_are_refused)};
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    remove(path);
    rheo_context_free(ctx);
    return failed;
}
