/* Losses against arrays recorded from snnTorch 1.0.0 and PyTorch (tests/oracles/losses.py): the
 * value to 1e-6, the gradient to 1e-5 of its largest. The several spike times stand for one neuron:
 * see the script. */
#include "check.h"
#include "array/npy.h"
#include "loss/loss.h"
#include <stdio.h>

static rheo_context *ctx;
static rheo_array *arrays;
static uint32_t count;

static const rheo_array *find(const char *name)
{
    for (uint32_t i = 0; i < count; i++)
        if (!strcmp(arrays[i].name, name)) return &arrays[i];
    fail_msg("losses.npz has no array '%s'", name);
    return NULL;
}

static const struct {
    const char *name, *loss, *input, *label, *target;
    uint32_t classes;
    const char *option[5];
    double value[5];
} cases[] = {
    {"step-ce", "step-ce", "spikes", "labels", NULL, 0, {0}, {0}},
    {"rate-ce", "rate-ce", "spikes", "labels", NULL, 0, {0}, {0}},
    {"rate-ce.pair", "rate-ce", "spikes", "pair", NULL, 3, {0}, {0}},
    {"membrane-max-ce", "membrane-max-ce", "membrane", "labels", NULL, 0, {0}, {0}},
    {"count-mse", "count-mse", "spikes", "labels", NULL, 0, {"correct", "incorrect"}, {0.8, 0.2}},
    {"count-mse.hard", "count-mse", "spikes", "labels", NULL, 0, {0}, {0}},
    {"count-mse.pair",
     "count-mse",
     "spikes",
     "pair",
     NULL,
     3,
     {"correct", "incorrect"},
     {0.8, 0.2}},
    {"membrane-mse",
     "membrane-mse",
     "membrane",
     "labels",
     NULL,
     0,
     {"correct", "incorrect"},
     {1.05, 0.2}},
    {"membrane-mse.real", "membrane-mse", "membrane", "labels", "targets", 0, {0}, {0}},
    {"tet", "tet", "membrane", "labels", NULL, 0, {0}, {0}},
    {"time-ce", "time-ce", "spikes", "labels", NULL, 0, {0}, {0}},
    {"time-ce.reciprocal", "time-ce", "spikes", "labels", NULL, 0, {"logits"}, {1}},
    {"time-mse", "time-mse", "spikes", "labels", NULL, 0, {0}, {0}},
    {"time-mse.tolerance",
     "time-mse",
     "spikes",
     "labels",
     NULL,
     0,
     {"correct", "incorrect", "tolerance"},
     {7, 2, 2}},
    {"time-mse.several",
     "time-mse",
     "train",
     NULL,
     NULL,
     0,
     {"correct", "spikes", "interval"},
     {2, 3, 2}},
};

static void replay(size_t i)
{
    const rheo_loss *loss = rheo__loss_find(cases[i].loss);
    assert_non_null(loss);
    rheo_options options = rheo__field_defaults(loss->fields);
    for (int k = 0; k < 5 && cases[i].option[k]; k++) {
        const int at = rheo__field_index(loss->fields, cases[i].option[k]);
        assert_true(at >= 0);
        options.v[at] = cases[i].value[k];
    }
    const rheo_array *x = find(cases[i].input);
    const uint32_t T = (uint32_t)x->shape[0], B = (uint32_t)x->shape[1], C = (uint32_t)x->shape[2];
    char name[64];
    snprintf(name, sizeof name, "%s.value", cases[i].name);
    const double want = (double)((const float *)find(name)->data)[0];
    snprintf(name, sizeof name, "%s.grad", cases[i].name);
    const float *grad = find(name)->data;
    static const uint32_t zero[1];
    const uint32_t *label = cases[i].label ? find(cases[i].label)->data : zero;
    enum { ROOM = 1024 };
    float real[ROOM] = {0}, g[ROOM], scratch[ROOM];
    assert_true(T * B * 16 <= ROOM && rheo__loss_need(T, C) <= ROOM);
    const rheo_signal in = {.form = RHEO_REAL,
                            .T = T,
                            .B = B,
                            .N = C,
                            .pitch = 16,
                            .stride_t = (size_t)B * 16,
                            .real = real};
    rheo_signal out = in;
    out.real = g;
    for (uint32_t r = 0; r < T * B; r++)
        memcpy(real + r * 16, (const float *)x->data + r * C, C * sizeof(float));
    rheo_loss_call call = {.options = &options,
                           .T = T,
                           .B = B,
                           .C = C,
                           .classes = cases[i].classes,
                           .out = &in,
                           .readout = &in,
                           .label = label,
                           .target = cases[i].target ? find(cases[i].target)->data : NULL,
                           .gout = loss->uses_readout ? NULL : &out,
                           .greadout = loss->uses_readout ? &out : NULL,
                           .scratch = scratch};
    const double value = rheo__loss_value(loss, &call);
    if (!(fabs(value - want) <= 1e-6 * fmax(1, fabs(want))))
        fail_msg("%s: %.9g, recorded %.9g", cases[i].name, value, want);
    double largest = 0, worst = 0;
    for (uint32_t r = 0; r < T * B; r++)
        for (uint32_t c = 0; c < C; c++) {
            largest = fmax(largest, fabs((double)grad[r * C + c]));
            worst = fmax(worst, fabs((double)g[r * 16 + c] - (double)grad[r * C + c]));
        }
    assert_true(largest > 0);
    if (!(worst <= 1e-5 * largest))
        fail_msg("%s: a gradient differs by %.3g, the largest is %.3g", cases[i].name, worst,
                 largest);
}

static void recorded_losses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) replay(i);
}

int main(void)
{
    ctx = check_context(1);
    CHECK_OK(ctx, rheo__npz_read(ctx, "tests/oracles/losses.npz", 1 << 20, &arrays, &count));
    const struct CMUnitTest tests[] = {cmocka_unit_test(recorded_losses)};
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rheo__npz_free(ctx, arrays, count);
    rheo_context_free(ctx);
    return failed;
}
