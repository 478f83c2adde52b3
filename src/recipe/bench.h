/* bench.h: what a benchmark is: a row of a table with its operations, and the measuring around it.
 */
#ifndef RHEO_SRC_BENCH_H
#define RHEO_SRC_BENCH_H
#include "recipe/job.h"

#define RHEO_BENCH_RECORDS 8 /* populations of a task's net */

struct rheo_bench_task;

/* A task under way, in a context of its own. `run` or `rest` fill macs to span, the others where
 * they say. */
typedef struct rheo_bench_run {
    rheo_context *ctx;
    const struct rheo_bench_task *task;
    const char *const *set; /* keys of the recipe that the caller changes, or NULL */
    const char *found;      /* one key more: an epoch's data set, or NULL */
    bool exchange;          /* all spikes are kept, for rheo_bench_exchange */
    bool last;              /* the last run of the task */
    double macs;            /* multiply-adds that cannot be avoided, in one run */
    double bytes, span;     /* bytes that must move, and of the memory that they lie in */
    double count;           /* of what the rate counts, in one run */
    size_t loaded, held;    /* memory handed out after the data were loaded, and in a run [bytes] */
    size_t resident;        /* of the process after the data were loaded [bytes] */
    char note[160];         /* on what it ran, what came out */
    /* the task's own */
    rheo_recipe *recipe;
    rheo_job job;
    rheo_plan *plan;        /* of a task without a learner */
    const rheo_plan *shown; /* that one, or the learner's */
    char name[RHEO_BENCH_RECORDS][40];
    const char *record[RHEO_BENCH_RECORDS + 1];
    uint32_t windows; /* of an exchange: runs one after another, each a window of the plan */
    uint32_t step;    /* stream: steps so far */
    float *matrix[3];
    void *scratch;
    uint64_t *frames; /* stream: the input of its steps */
} rheo_bench_run;

typedef struct rheo_bench_task {
    const char *name, *title, *unit; /* of the rate */
    const char *recipe;              /* NULL: none */
    const char *text;                /* or its text; NULL: it comes with the program */
    const char *const *set;          /* keys that the task changes, or NULL */
    rheo_status (*data)(rheo_context *, const struct rheo_bench_task *, rheo_dataset **);
    bool single;         /* one thread, however many there are */
    uint32_t warm, runs; /* untimed, timed */
    uint32_t parts;      /* equal parts of a run: times are given for one */
    uint32_t features;   /* of a sample of data that are made up */
    double density;      /* spikes an input and step; 0: real numbers */
    bool input;          /* dL/d input too */
    double gain;         /* factor on the first weights, so that the net fires about as a trained
                            one; 0: 1 */
    rheo_status (*open)(rheo_bench_run *);
    rheo_status (*run)(rheo_bench_run *);  /* timed */
    rheo_status (*rest)(rheo_bench_run *); /* after each run, not timed; NULL: nothing */
    rheo_status (*show)(rheo_bench_run *); /* a run that learns nothing; leaves `shown`. NULL: no
                                              exchange */
    void (*close)(rheo_bench_run *);       /* also after a failed open */
} rheo_bench_task;
extern const rheo_bench_task rheo__bench_tasks[]; /* ends with a name of NULL */
/* The task of exactly this name, or a line with the nearest one. */
rheo_status rheo__bench_find(rheo_context *ctx, const char *name, const rheo_bench_task **task);

/* A context for the task: other threads, memory counted from nothing, no progress to draw. */
rheo_status rheo__bench_context(rheo_context *ctx, const rheo_bench_task *task, rheo_context **out);
/* Notes the memory there is now as that of the loaded data. */
void rheo__bench_loaded(rheo_bench_run *b);

/* The machine beside a task (bench.c). */
typedef struct rheo_bench_gauge {
    rheo_context *ctx; /* the task's */
    const rheo_kernels *kernels;
    uint64_t rounds;         /* so many that a measurement takes a few milliseconds */
    float *vector, sink[64]; /* sink: so that no result is idle */
    size_t piece;            /* floats */
} rheo_bench_gauge;
void rheo__bench_gauge_open(rheo_context *ctx, rheo_bench_gauge *g);
/* Multiply-adds a second. */
double rheo__bench_peak(rheo_bench_gauge *g);
/* Bytes a second, read and written: the best of a few passes over a vector as large as the task's
 * span. The vector is the owner's: it is no memory of the task. */
rheo_status rheo__bench_memory(rheo_context *owner, rheo_bench_gauge *g, double span, double *rate);

/* ---- data (bench_data.c) ---- */
rheo_status rheo__bench_images(rheo_context *ctx, const rheo_bench_task *task, rheo_dataset **out);
rheo_status rheo__bench_events(rheo_context *ctx, const rheo_bench_task *task, rheo_dataset **out);
rheo_status rheo__bench_level(rheo_context *ctx, const rheo_bench_task *task, rheo_dataset **out);

/* ---- tasks ---- */
/* The task's recipe under its own keys and the caller's. */
rheo_status rheo__bench_recipe(rheo_bench_run *b);
/* Recipe, data and net; the names of the populations stand in `record`. */
rheo_status rheo__bench_job(rheo_bench_run *b);
rheo_status rheo__bench_training_open(rheo_bench_run *b);
/* Spikes a neuron and step of each population, to the note. */
void rheo__bench_rates(rheo_bench_run *b);
void rheo__bench_training_close(rheo_bench_run *b);
rheo_status rheo__bench_training_show(rheo_bench_run *b);
rheo_status rheo__bench_training_run(rheo_bench_run *b);
rheo_status rheo__bench_training_rest(rheo_bench_run *b);
rheo_status rheo__bench_stdp_run(rheo_bench_run *b);
rheo_status rheo__bench_epoch_open(rheo_bench_run *b);
rheo_status rheo__bench_epoch_run(rheo_bench_run *b);
rheo_status rheo__bench_epoch_rest(rheo_bench_run *b);
/* bench_plans.c */
rheo_status rheo__bench_product_open(rheo_bench_run *b);
rheo_status rheo__bench_product_run(rheo_bench_run *b);
void rheo__bench_product_close(rheo_bench_run *b);
rheo_status rheo__bench_inference_open(rheo_bench_run *b);
rheo_status rheo__bench_inference_run(rheo_bench_run *b);
rheo_status rheo__bench_inference_rest(rheo_bench_run *b);
rheo_status rheo__bench_layer_open(rheo_bench_run *b);
rheo_status rheo__bench_layer_run(rheo_bench_run *b);
rheo_status rheo__bench_layer_rest(rheo_bench_run *b);
rheo_status rheo__bench_stream_open(rheo_bench_run *b);
rheo_status rheo__bench_stream_run(rheo_bench_run *b);
rheo_status rheo__bench_stream_rest(rheo_bench_run *b);
rheo_status rheo__bench_stream_show(rheo_bench_run *b);
void rheo__bench_plan_close(rheo_bench_run *b);
#endif
