/* profiletext.c: `rheobase train --profile`: where the time went, layer by layer and phase by phase,
 * beside floors as those of `rheobase bench` (docs/bench.md has both). */
#include "learn/profile.h"
#include "recipe/bench.h"
#include <math.h>

static const char *const laps[RHEO_LAPS] = {"forward", "backward", "gradient", "update"};
static const char *const rests[RHEO_RESTS] = {"plan",     "scaling",    "data",  "encode", "loss",
                                              "counting", "validation", "files", "test"};

typedef struct scale {
    double peak, rate, wall; /* multiply-adds a second, bytes a second, seconds of training */
} scale;

static double batches(const rheo_profile *p)
{
    const uint64_t count = p->rest[RHEO_REST_DATA].calls;
    return count ? (double)count : 1;
}

/* Between two uses of an array the rest of a batch goes by, so the rate is that of a vector as large
 * as all of it. */
static rheo_status measure(rheo_context *ctx, const rheo_profile *p, scale *out)
{
    rheo_bench_gauge gauge;
    rheo__bench_gauge_open(ctx, &gauge);
    for (uint32_t i = 0; i < 8; i++) out->peak = fmax(out->peak, rheo__bench_peak(&gauge));
    out->wall = p->wall;
    return rheo__bench_memory(ctx, &gauge, rheo__profile_sum(p).bytes / batches(p), &out->rate);
}

static void line(const char *name, const char *kind, const char *what, const rheo_cell *cell,
                 const scale *s, rheo_text *out)
{
    const double floor = cell->macs / s->peak + cell->bytes / s->rate;
    rheo__text_add(out, "%-12s %-16s %-10s %9llu %12.3f %8.2f %14.3f %14.3f %12.3f", name, kind,
                   what, (unsigned long long)cell->calls, 1e3 * cell->seconds,
                   100 * cell->seconds / s->wall, cell->macs * 1e-6, cell->bytes * 1e-6,
                   1e3 * floor);
    if (floor > 0 && cell->seconds > 0)
        rheo__text_add(out, " %8.1f\n", 100 * floor / cell->seconds);
    else
        rheo__text_add(out, " %8s\n", "-");
}

static void write_node(const rheo_profile_row *row, const scale *s, rheo_text *out)
{
    bool any = false;
    for (uint32_t l = 0; l < RHEO_LAPS; l++) {
        if (!(row->cell[l].seconds > 0)) continue;
        line(row->name, row->kind, laps[l], &row->cell[l], s, out);
        any = true;
    }
    if (!any) line(row->name, row->kind, "-", &(rheo_cell){0}, s, out);
}

static void write_table(const rheo_profile *p, const scale *s, rheo_text *out)
{
    rheo_cell all = rheo__profile_sum(p);
    const rheo_cell other = {.seconds = p->wall - all.seconds};
    all.seconds = p->wall;
    all.calls = p->rest[RHEO_REST_DATA].calls;
    rheo__text_add(out, "%-12s %-16s %-10s %9s %12s %8s %14s %14s %12s %8s\n", "node", "kind",
                   "phase", "calls", "ms", "%", "MMAC", "MB", "floor ms", "floor %");
    for (uint32_t r = 0; r < p->rows; r++) write_node(&p->row[r], s, out);
    for (uint32_t i = 0; i < RHEO_REST_TEST; i++)
        if (p->rest[i].calls) line("-", "-", rests[i], &p->rest[i], s, out);
    line("-", "-", "other", &other, s, out);
    line("-", "-", "training", &all, s, out);
    rheo__text_add(out, "\n");
    line("-", "-", rests[RHEO_REST_TEST], &p->rest[RHEO_REST_TEST], s, out);
}

rheo_status rheo__profile_text(const rheo_job *job, const rheo_profile *profile, char **text)
{
    rheo_context *ctx = job->ctx;
    scale s = {0};
    RHEO_TRY(measure(ctx, profile, &s));
    rheo_text out = {.ctx = ctx};
    write_table(profile, &s, &out);
    rheo__text_add(
        &out,
        "\nfloor = MMAC that cannot be avoided at the FMA peak + MB at the memory's rate, "
        "measured after\ntraining on %u thread%s: %.1f GMAC/s, %.1f GB/s in the %.2f MB "
        "of a batch (docs/bench.md)\n",
        rheo_threads(ctx), rheo_threads(ctx) == 1 ? "" : "s", 1e-9 * s.peak, 1e-9 * s.rate,
        1e-6 * rheo__profile_sum(profile).bytes / batches(profile));
    if (out.status) {
        rheo_status status = out.status;
        rheo__text_free(&out);
        return status;
    }
    *text = out.data;
    return RHEO_OK;
}
