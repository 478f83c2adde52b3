/* bench.c: `rheobase bench`: times of tasks beside their floors. After every run the FMA peak of
 * the machine is measured, A B A B, so that what else runs on it falls on both:
 *
 *   floor = multiply-adds / (FMA peak) + bytes / (memory's rate)
 *
 *   FMA peak        chains of FMA in registers, on as many threads as the task has
 *   memory's rate   a vector as large as the task's span, scaled in place: read and written; once,
 *                   as it empties the caches
 *
 * Times are medians with the 10th and 90th percentile; the ratio to the floor is taken pair by
 * pair. */
#include "recipe/bench.h"
#include "recipe/schema.h"
#include "base/threads.h"
#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { RUNS = 64, ROWS = 32, PIECES = 16 }; /* of a thread's share: so none waits long */

typedef enum { TIME, FLOOR, RATIO, RATE, PEAK, MEMORY, SHARE, COLUMNS } column;

typedef struct row {
    const rheo_bench_task *task;
    uint32_t threads;
    double middle[COLUMNS], low[COLUMNS], high[COLUMNS]; /* median, 10 %, 90 % */
    double mb;
    char note[256];
    bool skipped; /* note says why */
} row;

#if defined(__clang__)
#define COMPILER __VERSION__
#else
#define COMPILER "gcc " __VERSION__
#endif

/* Seconds of the wall clock; of a task with one thread, those in which it really ran. */
static double now(const rheo_context *ctx)
{
    struct timespec t;
    clock_gettime(rheo_threads(ctx) > 1 ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- the machine ---- */

static void peak_task(void *arg, uint32_t task, uint32_t thread)
{
    rheo_bench_gauge *g = arg;
    (void)task;
    g->sink[thread % 64] += g->kernels->fma_peak(g->rounds);
}

double rheo__bench_peak(rheo_bench_gauge *g)
{
    const uint32_t tasks = rheo_threads(g->ctx) * PIECES;
    double began = now(g->ctx);
    rheo__parallel(g->ctx, tasks, peak_task, g);
    return (double)g->rounds * RHEO_PEAK_CHAINS * g->kernels->lanes * tasks / (now(g->ctx) - began);
}

static void memory_task(void *arg, uint32_t task, uint32_t thread)
{
    rheo_bench_gauge *g = arg;
    (void)thread;
    g->kernels->scale(1.0f, g->vector + task * g->piece, g->piece);
}

rheo_status rheo__bench_memory(rheo_context *owner, rheo_bench_gauge *g, double span, double *rate)
{
    const uint32_t tasks = rheo_threads(g->ctx) * PIECES;
    const double bytes = fmin(fmax(span, 1 << 16), 1 << 28);
    g->piece = ((size_t)bytes / sizeof(float) / tasks + 16) / 16 * 16;
    RHEO_TRY(rheo__alloc(owner, g->piece * tasks, sizeof(float), "a vector", &g->vector));
    *rate = 0;
    for (uint32_t i = 0; i < 10; i++) {
        double began = now(g->ctx);
        rheo__parallel(g->ctx, tasks, memory_task, g);
        double seconds = now(g->ctx) - began;
        *rate = fmax(*rate, 2.0 * (double)(g->piece * sizeof(float)) * tasks / seconds);
    }
    rheo__release(owner, g->vector);
    return RHEO_OK;
}

void rheo__bench_gauge_open(rheo_context *ctx, rheo_bench_gauge *g)
{
    const uint32_t tasks = rheo_threads(ctx) * PIECES;
    double seconds = 0;
    *g = (rheo_bench_gauge){.ctx = ctx, .kernels = rheo__kernels(ctx)};
    for (g->rounds = 64; seconds < 2e-3; g->rounds *= 2) { /* the least of three: not a pause */
        seconds = 1;
        for (uint32_t i = 0; i < 3; i++) {
            double began = now(ctx);
            rheo__parallel(ctx, tasks, peak_task, g);
            seconds = fmin(seconds, now(ctx) - began);
        }
    }
}

/* ---- a task ---- */

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void summarise(row *out, double value[COLUMNS][RUNS], uint32_t runs)
{
    for (uint32_t c = 0; c < COLUMNS; c++) {
        qsort(value[c], runs, sizeof(double), ascending);
        out->middle[c] = (value[c][(runs - 1) / 2] + value[c][runs / 2]) / 2;
        out->low[c] = value[c][(uint32_t)(0.1 * (runs - 1) + 0.5)];
        out->high[c] = value[c][(uint32_t)(0.9 * (runs - 1) + 0.5)];
    }
}

static rheo_status one_run(rheo_bench_run *b, double *seconds)
{
    RHEO_CHECK(b->ctx, !rheo__interrupted(b->ctx), RHEO_INTERRUPTED, "interrupted");
    double began = now(b->ctx);
    RHEO_TRY(b->task->run(b));
    *seconds = now(b->ctx) - began;
    return b->task->rest ? b->task->rest(b) : RHEO_OK;
}

static rheo_status time_runs(rheo_context *owner, rheo_bench_run *b, row *out)
{
    double value[COLUMNS][RUNS], seconds, memory = 0;
    const double parts = b->task->parts;
    rheo_bench_gauge gauge, *g = &gauge;
    rheo__bench_gauge_open(b->ctx, g);
    for (uint32_t i = 0; i < b->task->warm; i++) {
        if (i + 1 == b->task->warm && i > 0) /* the last one fills the caches again */
            RHEO_TRY(rheo__bench_memory(owner, g, b->span, &memory));
        RHEO_TRY(one_run(b, &seconds));
    }
    if (memory <= 0) RHEO_TRY(rheo__bench_memory(owner, g, b->span, &memory));
    for (uint32_t i = 0; i < b->task->runs; i++) {
        b->last = i + 1 == b->task->runs;
        RHEO_TRY(one_run(b, &seconds));
        const double peak = rheo__bench_peak(g);
        const double floor = b->macs / peak + b->bytes / memory;
        value[TIME][i] = 1e3 * seconds / parts;
        value[FLOOR][i] = 1e3 * floor / parts;
        value[RATIO][i] = seconds / floor;
        value[RATE][i] = b->count / seconds;
        value[PEAK][i] = 1e-9 * peak;
        value[MEMORY][i] = 1e-9 * memory;
        value[SHARE][i] = 100 * b->macs / seconds / peak;
    }
    summarise(out, value, b->task->runs);
    return RHEO_OK;
}

rheo_status rheo__bench_context(rheo_context *ctx, const rheo_bench_task *task, rheo_context **out)
{
    rheo_context_options options = ctx->options;
    options.progress = NULL;
    if (task->single) options.threads = 1;
    rheo_status status = rheo_context_new(&options, out);
    return *out ? status : rheo__fail(ctx, status, "out of memory: a context");
}

/* The peak counts from here on, where the system lets it be reset. */
void rheo__bench_loaded(rheo_bench_run *b)
{
    FILE *reset = fopen("/proc/self/clear_refs", "we");
    if (reset) {
        fputs("5", reset);
        fclose(reset);
    }
    b->loaded = rheo_memory_used(b->ctx).now;
    b->resident = rheo__resident_now();
}

static rheo_status run_task(rheo_context *ctx, const rheo_bench_task *task, row *out)
{
    rheo_bench_run b = {.task = task};
    *out = (row){.task = task};
    rheo_status status = rheo__bench_context(ctx, task, &b.ctx);
    if (!b.ctx) return status;
    if (!status) {
        out->threads = rheo_threads(b.ctx);
        status = task->open(&b);
        if (!status) status = time_runs(ctx, &b, out);
        task->close(&b);
    }
    out->mb = b.held > b.loaded ? (double)(b.held - b.loaded) / 1e6 : 0;
    snprintf(out->note, sizeof out->note, "%s", status ? rheo_error(b.ctx) : b.note);
    rheo_context_free(b.ctx);
    return status ? rheo__fail(ctx, status, "bench %s: %s", task->name, out->note) : RHEO_OK;
}

/* ---- the table ---- */

static void machine_line(rheo_context *ctx, rheo_text *out)
{
    char cpu[256];
    rheo__cpu_name(cpu, sizeof cpu);
    rheo__text_add(out, "%s, %ld cores, %s; rheobase %s (%s), compiled by %s\n\n", cpu,
                   sysconf(_SC_NPROCESSORS_ONLN), rheo_isa(ctx), rheo_version(), rheo_commit(),
                   COMPILER);
}

static void write_row(const row *r, rheo_text *out)
{
    if (r->skipped) {
        rheo__text_add(out, "%-9s skipped: %s\n", r->task->name, r->note);
        return;
    }
    rheo__text_add(out, "%-9s %7u %10.3f %10.3f %10.3f %10.3f %11.2f  %.4g %s", r->task->name,
                   r->threads, r->middle[TIME], r->low[TIME], r->high[TIME], r->middle[FLOOR],
                   r->middle[RATIO], r->middle[RATE], r->task->unit);
    if (!r->task->recipe)
        rheo__text_add(out, ", %.1f %% of the FMA peak (%.1f to %.1f)", r->middle[SHARE],
                       r->low[SHARE], r->high[SHARE]);
    rheo__text_add(out, "\n");
}

static void write_text(rheo_context *ctx, const row *rows, uint32_t count, rheo_text *out)
{
    machine_line(ctx, out);
    rheo__text_add(out, "%-9s %7s %10s %10s %10s %10s %11s  %s\n", "task", "threads", "time ms",
                   "10 %", "90 %", "floor ms", "time/floor", "rate");
    for (uint32_t i = 0; i < count; i++) write_row(&rows[i], out);
    rheo__text_add(out, "\n");
    for (uint32_t i = 0; i < count; i++) {
        const row *r = &rows[i];
        if (r->skipped) continue;
        rheo__text_add(out, "%-9s %s%s%s\n", r->task->name, r->task->title, r->note[0] ? "; " : "",
                       r->note);
        rheo__text_add(out,
                       "          %u warm-ups, %u timed runs, %.1f MB; beside it %.1f GMAC/s FMA "
                       "peak, %.1f GB/s memory\n",
                       r->task->warm, r->task->runs, r->mb, r->middle[PEAK], r->middle[MEMORY]);
    }
    rheo__text_add(out,
                   "\nTimes are medians. floor = multiply-adds that cannot be avoided at the FMA "
                   "peak + bytes that\nmust move at the memory's rate, both measured in the same "
                   "run (docs/bench.md).\n");
}

static cJSON *json_row(rheo_context *ctx, const row *r)
{
    char cpu[256];
    rheo__cpu_name(cpu, sizeof cpu);
    const struct {
        const char *name;
        double value;
    } figures[] = {{"ours_ms", r->middle[TIME]},
                   {"p10_ms", r->low[TIME]},
                   {"p90_ms", r->high[TIME]},
                   {"floor_ms", r->middle[FLOOR]},
                   {"over_floor", r->middle[RATIO]},
                   {"rate", r->middle[RATE]},
                   {"ours_mb", r->mb},
                   {"fma_gmacs", r->middle[PEAK]},
                   {"memory_gbs", r->middle[MEMORY]},
                   {"fma_share", r->middle[SHARE]}};
    static const char *const peers[] = {"peer", "peer_ms", "ratio", "peer_mb"};
    cJSON *to = cJSON_CreateObject();
    cJSON_AddStringToObject(to, "task", r->task->name);
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
        if (r->skipped)
            cJSON_AddNullToObject(to, figures[i].name);
        else
            cJSON_AddNumberToObject(to, figures[i].name, figures[i].value);
    for (size_t i = 0; i < sizeof peers / sizeof *peers; i++) cJSON_AddNullToObject(to, peers[i]);
    if (r->skipped) cJSON_AddStringToObject(to, "skipped", r->note);
    cJSON_AddStringToObject(to, "unit", r->task->unit);
    cJSON_AddNumberToObject(to, "runs", r->task->runs);
    cJSON_AddNumberToObject(to, "threads", r->threads);
    cJSON *machine = cJSON_AddObjectToObject(to, "machine");
    cJSON_AddStringToObject(machine, "cpu", cpu);
    cJSON_AddNumberToObject(machine, "cores", (double)sysconf(_SC_NPROCESSORS_ONLN));
    cJSON_AddStringToObject(machine, "isa", rheo_isa(ctx));
    cJSON *versions = cJSON_AddObjectToObject(to, "versions");
    cJSON_AddStringToObject(versions, "rheobase", rheo_version());
    cJSON_AddStringToObject(versions, "commit", rheo_commit());
    cJSON_AddStringToObject(versions, "compiler", COMPILER);
    return to;
}

static rheo_status write_json(rheo_context *ctx, const row *rows, uint32_t count, rheo_text *out)
{
    cJSON *root = cJSON_CreateArray();
    for (uint32_t i = 0; i < count; i++) cJSON_AddItemToArray(root, json_row(ctx, &rows[i]));
    char *text = cJSON_Print(root);
    cJSON_Delete(root);
    RHEO_CHECK(ctx, text, RHEO_MEMORY, "out of memory: a table of times");
    rheo__text_add(out, "%s\n", text);
    cJSON_free(text);
    return RHEO_OK;
}

/* ---- choice ---- */

rheo_status rheo__bench_find(rheo_context *ctx, const char *name, const rheo_bench_task **task)
{
    const char *names[ROWS] = {0};
    for (uint32_t i = 0; rheo__bench_tasks[i].name; i++) {
        names[i] = rheo__bench_tasks[i].name;
        if (strcmp(names[i], name) != 0) continue;
        *task = &rheo__bench_tasks[i];
        return RHEO_OK;
    }
    return rheo__unknown(ctx, "bench", 0, "task", name, "", names);
}

static bool is_task(const char *name)
{
    for (uint32_t i = 0; rheo__bench_tasks[i].name; i++)
        if (!strcmp(rheo__bench_tasks[i].name, name)) return true;
    return false;
}

/* "fc" is fc alone; "stdp", which no task is called, is stdp-100 and stdp-400. */
static bool chosen(const rheo_bench_task *task, const char *name)
{
    if (!name || !strcmp(task->name, name)) return true;
    const size_t length = strlen(name);
    return length > 0 && !is_task(name) && !strncmp(task->name, name, length) &&
           task->name[length] == '-';
}

static rheo_status check_name(rheo_context *ctx, const char *name)
{
    const rheo_bench_task *task;
    for (uint32_t i = 0; rheo__bench_tasks[i].name; i++)
        if (chosen(&rheo__bench_tasks[i], name)) return RHEO_OK;
    return rheo__bench_find(ctx, name, &task);
}

static rheo_status run_all(rheo_context *ctx, const char *name, row *rows, uint32_t *count)
{
    for (uint32_t i = 0; rheo__bench_tasks[i].name; i++) {
        const rheo_bench_task *task = &rheo__bench_tasks[i];
        if (!chosen(task, name)) continue;
        rheo__message(ctx, "bench %s: %s", task->name, task->title);
        row *r = &rows[(*count)++];
        rheo_status status = run_task(ctx, task, r);
        r->skipped = status == RHEO_MISSING && !name; /* data are not there */
        if (status && !r->skipped) return status;
    }
    return RHEO_OK;
}

rheo_status rheo_bench(rheo_context *ctx, const char *task, bool json, char **text)
{
    row rows[ROWS];
    uint32_t count = 0;
    rheo_text out = {.ctx = ctx};
    if (task) RHEO_TRY(check_name(ctx, task));
    RHEO_TRY(run_all(ctx, task, rows, &count));
    rheo_status status = RHEO_OK;
    if (json)
        status = write_json(ctx, rows, count, &out);
    else
        write_text(ctx, rows, count, &out);
    if (!status) status = out.status;
    if (status)
        rheo__text_free(&out);
    else
        *text = out.data;
    return status;
}
