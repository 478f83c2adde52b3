/* make_runs.h: run folders as docs/run-folder.md describes them, small enough to reckon by hand. */
#ifndef RHEO_TESTS_MAKE_RUNS_H
#define RHEO_TESTS_MAKE_RUNS_H
#include "check.h"
#include "array/npy.h"
#include "base/file.h"

#include <stdio.h>
#include <unistd.h>

typedef struct make_run {
    const char *name, *family, *network;
    double accuracy, accept; /* accept < 0: null */
    int seed, steps;
    double synops, macs_without; /* macs: 100 */
    const char *extra; /* more members, first of result.json, so they go before others: "\"x\":1,"
                          or NULL */
} make_run;

static inline void make_root(char root[64])
{
    strcpy(root, "/tmp/rheobase-test-XXXXXX");
    assert_non_null(mkdtemp(root));
}

/* the tests' own folder below /tmp, so no name needs quoting */
static inline void remove_root(const char *root)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", root);
    assert_int_equal(system(command), 0);
}

static inline void put_file(rheo_context *ctx, const char *folder, const char *file,
                            const char *text)
{
    char path[RHEO_PATH];
    CHECK_OK(ctx, rheo__make_folders(ctx, folder));
    CHECK_OK(ctx, rheo__join(ctx, folder, file, path));
    CHECK_OK(ctx, rheo__file_write(ctx, path, text, strlen(text)));
}

/* Two classes, 100 test samples, `accuracy` of them right; folder gets the path. */
static inline void make_folder(rheo_context *ctx, const char *root, const make_run *run,
                               char folder[256])
{
    char text[8192], accept[32] = "null";
    if (run->accept >= 0) snprintf(accept, sizeof accept, "%g", run->accept);
    snprintf(folder, 256, "%s/%.60s/digits-small/%d", root, run->name, run->seed);
    int right = (int)(run->accuracy / 2);
    snprintf(
        text, sizeof text,
        "{%s\"name\":\"%s\",\"title\":\"T\",\"family\":\"%s\",\"data\":\"digits\",\"size\":"
        "\"small\","
        "\"seed\":%d,\"network\":\"%s\",\"steps\":%d,\"dt_ms\":1,\"parameters\":850,\"neurons\":20,"
        "\"accuracy\":{\"mean\":%.17g,\"sd\":null,\"interval\":[0,100],\"each\":[%.17g],"
        "\"source_rule\":null},\"reported\":null,\"verdict\":\"none\",\"accept\":%s,"
        "\"spikes_per_neuron\":2.5,\"synaptic_operations\":%.17g,\"macs\":100,\"acs\":%.17g,"
        "\"updates\":40,\"macs_without_spikes\":%.17g,\"energy_nj\":%g,\"energy_table\":\"45nm\","
        "\"steps_to_decision\":2,\"accuracy_by_step\":[50,%g],\"operations_by_step\":[10,%g],"
        "\"confusion\":[[%d,%d],[%d,%d]],\"classes\":[\"no\",\"<yes>\"],"
        "\"train\":{\"seconds\":%d,\"operations\":1e9,\"peak_mb\":12,\"epochs\":2,\"samples\":8},"
        "\"hardware\":{\"parameters\":850,\"bits\":27200,\"fan_in\":64,\"states\":1,"
        "\"multiplies\":true,\"event_driven\":false,\"learning\":\"local traces\","
        "\"on_chip\":true,\"chips\":[\"Loihi\",\"ODIN\"]},\"variants\":[],"
        "\"command\":\"rheobase train %s --seed %d\",\"commit\":\"abc1234\"}",
        run->extra ? run->extra : "", run->name, run->family, run->seed, run->network, run->steps,
        run->accuracy, run->accuracy, accept, run->synops, run->synops, run->macs_without,
        run->synops / 1000, run->accuracy, run->synops + 100, right, 50 - right, 50 - right, right,
        run->seed * 2, run->name, run->seed);
    put_file(ctx, folder, "result.json", text);
    put_file(
        ctx, folder, "manifest.json",
        "{\"version\":\"0.1.0\",\"commit\":\"abc1234\",\"cpu\":\"a <processor>\",\"isa\":\"avx2\","
        "\"threads\":2,\"start\":\"2001-02-03\",\"end\":\"2001-02-04\",\"data\":[{\"path\":"
        "\"/some/where/digits\",\"sha256\":\"00ff\",\"known\":true}]}");
    put_file(
        ctx, folder, "metrics.csv",
        "phase,epoch,loss,train_accuracy,validation_accuracy,rate,silent,gradient_norm,seconds,"
        "operations\ntrain,1,1.5,50,,0.1,0,1,1,5\ntrain,2,0.5,80.5,,0.1,0,1,1,5\n");
}

/* figures.npz: raster.1 [4,3], membrane.1 [4,2], sample [2,2], fields [5,2,2] */
static inline void make_figures(rheo_context *ctx, const char *folder)
{
    static uint8_t raster[12] = {1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1}, sample[4] = {0, 1, 2, 255};
    static float membrane[8] = {0, 1, 0.5f, 0.2f, 0.1f, NAN, 0.9f, 1}, fields[20];
    for (int i = 0; i < 20; i++) fields[i] = (float)i;
    rheo_array a[4] = {
        {"raster.1", RHEO_U8, 2, {4, 3}, 12, raster},
        {"membrane.1", RHEO_F32, 2, {4, 2}, 8, membrane},
        {"sample", RHEO_U8, 2, {2, 2}, 4, sample},
        {"fields", RHEO_F32, 3, {5, 2, 2}, 20, fields},
    };
    char path[RHEO_PATH];
    CHECK_OK(ctx, rheo__join(ctx, folder, "figures.npz", path));
    CHECK_OK(ctx, rheo__npz_write(ctx, path, a, 4));
}
#endif
