/* job.h: a recipe at work: its data, its net and its session; made anew or from a run folder. */
#ifndef RHEO_SRC_JOB_H
#define RHEO_SRC_JOB_H
#include "base/file.h"
#include "recipe/recipe.h"

typedef struct rheo_job {
    rheo_context *ctx;
    rheo_recipe *recipe; /* borrowed, or owned when read from a run */
    bool owns_recipe;
    rheo_dataset *data;
    rheo_net *net;
    rheo_session session;
    uint32_t form[4]; /* of the data: C, H, W, classes; saved with the model */
    size_t resident;  /* of the process after the data were loaded [bytes] */
} rheo_job;

/* Data, net and session of a recipe; nothing is trained. */
rheo_status rheo__job_open(rheo_context *ctx, rheo_recipe *recipe, rheo_job *job);
/* The same on other data than the recipe's; they are taken, also on failure. */
rheo_status rheo__job_open_on(rheo_context *ctx, rheo_recipe *recipe, rheo_dataset *data,
                              rheo_job *job);
/* From a run folder or a .rheo file: the trained net with its labels. data: "" for none (the net
 * runs on the caller's arrays), another set's name, or NULL for the recipe's. */
rheo_status rheo__job_load(rheo_context *ctx, const char *path, const char *data, rheo_job *job);
void rheo__job_close(rheo_job *job);
/* Learned net to model.rheo. */
rheo_status rheo__job_save(const rheo_job *job, const char *path, const char *text);
/* The recipe's phases as a session takes them. */
rheo_session_request rheo__job_request(const rheo_job *job);

/* A test, and the tests of variants, as result.json shows them. */
typedef struct rheo_outcome {
    char name[64]; /* of a variant; "" for the recipe itself */
    uint32_t steps, to_decision;
    uint32_t samples;
    double accuracy, source_rule;        /* [%] */
    double *accuracy_at, *operations_at; /* [steps] */
} rheo_outcome;
rheo_status rheo__outcome_make(rheo_context *ctx, const char *name, const rheo_tally *tally,
                               rheo_outcome *out);
void rheo__outcome_free(rheo_context *ctx, rheo_outcome *outcome);

typedef struct rheo_result {
    rheo_outcome main, variant[RHEO_VARIANTS + 1];
    uint32_t variants;
    rheo_tally tally; /* of the recipe itself */
    double train_seconds, train_operations, peak_mb;
    uint32_t epochs;
    uint32_t kept; /* of metrics.csv, the line whose net was kept (`restore`); 0: the last */
} rheo_result;
/* result.json and manifest.json as text. */
rheo_status rheo__result_json(const rheo_job *job, const rheo_result *result, rheo_text *out);
rheo_status rheo__manifest_json(const rheo_job *job, const char *start, const char *end,
                                rheo_text *out);
void rheo__metrics_csv(const rheo_session *session, rheo_text *out);
rheo_status rheo__figures_write(rheo_job *job, const char *path);
/* `rheobase train --profile`: the table (profiletext.c). Measures the machine: takes a moment. */
rheo_status rheo__profile_text(const rheo_job *job, const rheo_profile *profile, char **text);
/* 95 % Wilson interval of k right of n, in %. */
void rheo__wilson(double k, double n, double interval[2]);
void rheo__cpu_name(char *out, size_t room); /* "unknown" where the system does not tell */
size_t rheo__resident_peak(void);            /* VmHWM [bytes], 0 when unknown */
size_t rheo__resident_now(void);             /* VmRSS */
#endif
