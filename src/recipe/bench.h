/* bench.h: what a benchmark is: a row of a table with its operations, and the measuring around it.
 */
#ifndef RHEO_SRC_BENCH_H
#define RHEO_SRC_BENCH_H
#include "recipe/job.h"

struct rheo_bench_task;

/* A task under way, in a context of its own. `run` fills macs to span, the others where they say.
 */
typedef struct rheo_bench_run {
    rheo_context *ctx;
    const struct rheo_bench_task *task;
    bool last;           /* the last run of the task */
    double macs;         /* multiply-adds that cannot be avoided, in one run */
    double bytes, span;  /* bytes that must move, and of the memory that they lie in */
    double count;        /* of what the rate counts, in one run */
    size_t loaded, held; /* memory handed out after the data were loaded, and in a run [bytes] */
    char note[160];      /* on what it ran, what came out */
    /* the task's own */
    rheo_recipe *recipe;
    rheo_job job;
    float *matrix[3];
    void *scratch;
} rheo_bench_run;

typedef struct rheo_bench_task {
    const char *name, *title, *unit; /* of the rate */
    const char *recipe;              /* NULL: none */
    bool single;                     /* one thread, however many there are */
    uint32_t warm, runs;             /* untimed, timed */
    uint32_t parts;                  /* equal parts of a run: times are given for one */
    rheo_status (*open)(rheo_bench_run *);
    rheo_status (*run)(rheo_bench_run *);  /* timed */
    rheo_status (*rest)(rheo_bench_run *); /* after each run, not timed; NULL: nothing */
    void (*close)(rheo_bench_run *);       /* also after a failed open */
} rheo_bench_task;
extern const rheo_bench_task rheo__bench_tasks[]; /* ends with a name of NULL */
#endif
