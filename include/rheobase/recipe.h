/* rheobase/recipe.h: recipes, runs and comparisons: what the command's sub-commands do, as calls.
 * Texts that are handed out are released with rheo_free. */
#ifndef RHEOBASE_RECIPE_H
#define RHEOBASE_RECIPE_H
#include <rheobase/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rheo_recipe rheo_recipe;

typedef struct rheo_recipe_options {
    const char *size;       /* "small" or "full"; NULL: "full" */
    const char *const *set; /* "learn.rate=1e-3", …, NULL-terminated, or NULL */
    uint64_t seed;          /* 0: the context's */
} rheo_recipe_options;

/* path: a file, or a name among the installed and built-in recipes. The result is complete: size
 * and --set applied, every default written out, everything checked (data need not be there). */
RHEO_API rheo_status rheo_recipe_open(rheo_context *ctx, const char *path,
                                      const rheo_recipe_options *options, rheo_recipe **out);
RHEO_API void rheo_recipe_free(rheo_recipe *recipe);
RHEO_API const char *rheo_recipe_name(const rheo_recipe *recipe);
/* The resolved recipe as YAML. */
RHEO_API rheo_status rheo_recipe_text(rheo_recipe *recipe, char **text);
/* Layers, shapes, parameters, kernels, operations, predicted peak memory and time, as text or JSON.
 */
RHEO_API rheo_status rheo_recipe_plan(rheo_recipe *recipe, bool json, char **text);
/* Gradients of the engine against the double reference, and those against finite differences of the
 * smooth build. RHEO_FAILED when one is off; the text is given in both cases. */
RHEO_API rheo_status rheo_recipe_gradcheck(rheo_recipe *recipe, bool json, char **text);

typedef struct rheo_train_options {
    const char *out; /* parent of run folders; NULL: "runs" */
    bool force;      /* replace a run of another recipe in that folder */
    bool reuse;      /* a finished run of the same recipe is left as it is */
    /* gets the time and bytes of training by layer and phase, and the share of the floor, as text:
     * NULL if nothing had to be trained. NULL: nothing is measured */
    char **profile;
} rheo_train_options;
/* Trains, or goes on from a checkpoint of the same recipe in the folder, then tests, and writes the
 * run folder; *folder: its path. */
RHEO_API rheo_status rheo_train(rheo_recipe *recipe, const rheo_train_options *options,
                                char **folder);
/* Goes on with an interrupted run from its folder. */
RHEO_API rheo_status rheo_resume(rheo_context *ctx, const char *folder);

typedef struct rheo_eval_options {
    const char *split; /* "test" (default), "train", "validation" */
    const char *data;  /* another data set's name; NULL: the run's */
    uint32_t limit;    /* samples, 0: all */
} rheo_eval_options;
RHEO_API rheo_status rheo_eval(rheo_context *ctx, const char *folder,
                               const rheo_eval_options *options, bool json, char **text);

/* Why the net of a run folder does not learn: one training batch through its model, or its last
 * checkpoint, and what is found (silent, saturated, out of reach, vanishing, exploding …). */
RHEO_API rheo_status rheo_diagnose(rheo_context *ctx, const char *folder, bool json, char **text);

typedef struct rheo_run_options {
    const char *input, *output; /* .npy; [B,N] or [T,B,N] in, [T,B,M] out */
    const char *lengths;        /* .npy, integers [B]: steps of each sample; NULL: all */
    const char *const *record;  /* "1.s", …; NULL-terminated or NULL */
    const char *record_file;    /* .npz; NULL: output with .records.npz for .npy */
    bool stream;
} rheo_run_options;
/* model: a .rheo file or a run folder. */
RHEO_API rheo_status rheo_run(rheo_context *ctx, const char *model, const rheo_run_options *options,
                              char **text);

typedef struct rheo_compare_options {
    const char *out; /* runs and the table go here; NULL: "compare" */
    const char *size;
    const char *const *set;
    uint32_t seeds; /* 0: 1; counted up from the context's */
    uint32_t jobs;  /* processes at once; 0: 1 */
} rheo_compare_options;
/* Runs what has not been run, then writes table.md, table.csv, table.json, report.html into out.
 * *table: the table as shown on a terminal (json: table.json's text). */
RHEO_API rheo_status rheo_compare(rheo_context *ctx, const char *const *recipes,
                                  const rheo_compare_options *options, bool json, char **table);

/* kind: a heading of the whole list, as "neurons"; NULL: all of them. */
RHEO_API rheo_status rheo_list(rheo_context *ctx, const char *kind, bool json, char **text);
RHEO_API rheo_status rheo_show(rheo_context *ctx, const char *name, bool json, char **text);

RHEO_API rheo_status rheo_data_list(rheo_context *ctx, bool json, char **text);
RHEO_API rheo_status rheo_data_info(rheo_context *ctx, const char *path, bool json, char **text);
RHEO_API rheo_status rheo_data_fetch(rheo_context *ctx, const char *name, char **text);

/* what: "curve", "raster", "membrane", "weights", "confusion"; out: .svg or .png */
RHEO_API rheo_status rheo_plot(rheo_context *ctx, const char *folder, const char *what,
                               const char *out);
/* One page for the runs in folders (run folders, parents of them, or kept .json tables): out ends
 * with .html; or their table, when it ends with .md, .csv or .json. */
RHEO_API rheo_status rheo_report(rheo_context *ctx, const char *const *folders, const char *out);

/* Times a benchmark task (docs/bench.md has the list; NULL: all) beside its floor, with the
 * context's threads, as text or JSON. A task whose data are not there is left out of "all" with the
 * reason; asked for by name it is RHEO_MISSING. Takes seconds a task. */
RHEO_API rheo_status rheo_bench(rheo_context *ctx, const char *task, bool json, char **text);
/* Writes one run of a task, in which nothing is learned, to an .npz file, for another program to
 * compare with: input, label, p.NODE.NAME and g.NODE.NAME of each parameter as files show them,
 * s.NODE of each population. set: keys of the task's recipe, NULL-terminated, or NULL. */
RHEO_API rheo_status rheo_bench_exchange(rheo_context *ctx, const char *task,
                                         const char *const *set, const char *file);
typedef struct rheo_bench_turn {
    double seconds, floor; /* of the wall clock, of a part of the run */
    double macs;           /* of the floor, of a run */
    size_t memory;         /* the process's peak less its size when the data were loaded [bytes] */
} rheo_bench_turn;
/* Runs a task whenever `wait` returns true, for who takes turns with another program; last: of the
 * run before, NULL before the first. */
RHEO_API rheo_status rheo_bench_turns(rheo_context *ctx, const char *task, const char *const *set,
                                      bool (*wait)(void *user, const rheo_bench_turn *last),
                                      void *user);

#ifdef __cplusplus
}
#endif
#endif
