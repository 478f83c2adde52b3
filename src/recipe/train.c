/* train.c: a run from beginning to end: folder, phases, test, variants, files. */
#include "base/clock.h"
#include "learn/profile.h"
#include "recipe/job.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct run {
    rheo_job job;
    const rheo_train_options *options;
    char folder[RHEO_PATH];
    char *text;        /* the resolved recipe */
    rheo_net *learned; /* before the phases that only edit; NULL: no variants */
    rheo_text log;
    rheo_profile *profile; /* NULL: not asked for */
    rheo_result result;
    char start[32];
    double began;
} run;

static void stamp(char out[32])
{
    time_t t = time(NULL);
    struct tm utc;
    gmtime_r(&t, &utc);
    strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

static rheo_status path_in(run *r, const char *name, char *path)
{
    return rheo__join(r->job.ctx, r->folder, name, path);
}

static rheo_status write_text(run *r, const char *name, const rheo_text *text)
{
    char path[RHEO_PATH];
    RHEO_TRY(text->status);
    RHEO_TRY(path_in(r, name, path));
    return rheo__file_write(r->job.ctx, path, text->data ? text->data : "", text->size);
}

static void note(run *r, const char *line)
{
    char at[32];
    stamp(at);
    rheo__text_add(&r->log, "%s %s\n", at, line);
}

/* ---- what the session calls back ---- */

static rheo_status after_epoch(void *arg, rheo_session *session)
{
    run *r = arg;
    const rheo_metrics *line = &session->line[session->lines - 1];
    char text[256];
    snprintf(text, sizeof text,
             "phase %.0f epoch %.0f: loss %.5g, train %.2f %%, validation %.2f %%, %.1f s",
             line->phase, line->epoch, line->loss, line->train_accuracy, line->validation_accuracy,
             line->seconds);
    note(r, text);
    rheo_text csv = {.ctx = r->job.ctx};
    rheo__metrics_csv(session, &csv);
    rheo_status status = write_text(r, "metrics.csv", &csv);
    rheo__text_free(&csv);
    return status ? status : write_text(r, "log.txt", &r->log);
}

static bool by_response(const rheo_session *session)
{
    return !strcmp(rheo__code_fields[RHEO_CODE_OUTPUT].choices[session->code.output], "response");
}

static rheo_status add_variant(run *r, rheo_session *session, const char *name)
{
    rheo_tally tally;
    if (by_response(session)) RHEO_TRY(rheo__label(session, session->code.label));
    RHEO_TRY(rheo__test(session, RHEO_TEST, 0, name, &tally));
    rheo_status status =
        rheo__outcome_make(r->job.ctx, name, &tally, &r->result.variant[r->result.variants]);
    if (!status) r->result.variants++;
    rheo__tally_free(r->job.ctx, &tally);
    return status;
}

static bool has_edits(const rheo_recipe *recipe)
{
    for (uint32_t p = 0; p < recipe->phases; p++)
        if (recipe->phase[p].learner->apply) return true;
    return false;
}

static rheo_status after_learning(void *arg, rheo_session *session)
{
    run *r = arg;
    if (has_edits(r->job.recipe)) RHEO_TRY(add_variant(r, session, "as trained"));
    if (r->job.recipe->variants > 0) RHEO_TRY(rheo__net_clone(session->net, &r->learned));
    return RHEO_OK;
}

/* ---- variants: the learned net again, edited and coded otherwise ---- */

static rheo_status run_variant(run *r, uint32_t index)
{
    rheo_recipe *recipe = NULL;
    rheo_job *job = &r->job;
    RHEO_TRY(rheo__recipe_variant(job->recipe, index, &recipe));
    rheo_session session = job->session;
    session.line = NULL;
    session.assignment = NULL;
    session.net = NULL;
    session.code = recipe->code;
    rheo_status status = rheo__net_clone(r->learned, &session.net);
    for (uint32_t p = 0; p < recipe->phases && !status; p++) {
        const rheo_learner *learner = recipe->phase[p].learner;
        if (!learner->apply) continue;
        session.phase = p;
        session.now = &recipe->phase[p];
        if (learner->edit) status = learner->edit(&session);
        if (!status) status = learner->apply(&session);
    }
    if (!status) status = add_variant(r, &session, job->recipe->variant[index]->key);
    rheo__release(job->ctx, session.assignment);
    rheo_net_free(session.net);
    rheo_recipe_free(recipe);
    return status;
}

/* ---- the folder ---- */

static rheo_status same_recipe(run *r, bool *same, bool *finished)
{
    char path[RHEO_PATH];
    *same = *finished = false;
    RHEO_TRY(path_in(r, "recipe.yaml", path));
    if (!rheo__file_exists(path)) return RHEO_OK;
    char *there = NULL;
    size_t size;
    RHEO_TRY(rheo__file_read(r->job.ctx, path, 1u << 22, &there, &size));
    *same = !strcmp(there, r->text);
    rheo__release(r->job.ctx, there);
    RHEO_TRY(path_in(r, "result.json", path));
    *finished = *same && rheo__file_exists(path);
    if (*same) return RHEO_OK;
    RHEO_CHECK(
        r->job.ctx, r->options->force, RHEO_USAGE,
        "%s: holds a run of another recipe; take another --out or seed, or --force to replace it",
        r->folder);
    return RHEO_OK;
}

/* What a run writes; removed before it is replaced. */
static const char *const files[] = {"result.json", "checkpoint.rheo", "model.rheo",
                                    "metrics.csv", "figures.npz",     "manifest.json",
                                    "log.txt",     "recipe.yaml",     NULL};

static rheo_status clear_folder(run *r)
{
    char path[RHEO_PATH];
    for (uint32_t f = 0; files[f]; f++) {
        RHEO_TRY(path_in(r, files[f], path));
        unlink(path);
    }
    return RHEO_OK;
}

static rheo_status read_log(run *r)
{
    char path[RHEO_PATH], *text = NULL;
    size_t size;
    RHEO_TRY(path_in(r, "log.txt", path));
    if (!rheo__file_exists(path)) return RHEO_OK;
    RHEO_TRY(rheo__file_read(r->job.ctx, path, 1u << 26, &text, &size));
    rheo__text_put(&r->log, text, size);
    rheo__release(r->job.ctx, text);
    return RHEO_OK;
}

/* ---- the run ---- */

static rheo_status learn(run *r, const char *checkpoint)
{
    rheo_session_request request = rheo__job_request(&r->job);
    request.checkpoint = checkpoint;
    request.recipe_text = r->text;
    request.line = after_epoch;
    request.learned = after_learning;
    request.arg = r;
    return rheo__session_run(&r->job.session, &request);
}

static void sum_training(run *r)
{
    const rheo_session *session = &r->job.session;
    for (uint32_t i = 0; i < session->lines; i++) {
        r->result.train_seconds += session->line[i].seconds;
        r->result.train_operations += session->line[i].operations;
        if (session->line[i].kept > 0) r->result.kept = i + 1;
    }
    r->result.epochs = session->lines;
    size_t peak = rheo__resident_peak(), base = r->job.resident;
    r->result.peak_mb = peak > base ? (double)(peak - base) / 1e6 : 0;
}

static rheo_status judge(run *r)
{
    rheo_job *job = &r->job;
    rheo_session *session = &job->session;
    if (by_response(session)) RHEO_TRY(rheo__label(session, session->code.label));
    char path[RHEO_PATH];
    RHEO_TRY(path_in(r, "model.rheo", path));
    RHEO_TRY(rheo__job_save(job, path, r->text));
    RHEO_TRY(rheo__test(session, RHEO_TEST, 0, "test", &r->result.tally));
    RHEO_TRY(rheo__outcome_make(job->ctx, "", &r->result.tally, &r->result.main));
    for (uint32_t v = 0; v < job->recipe->variants; v++) RHEO_TRY(run_variant(r, v));
    RHEO_TRY(path_in(r, "figures.npz", path));
    return rheo__figures_write(job, path);
}

static rheo_status write_results(run *r)
{
    char end[32];
    stamp(end);
    sum_training(r);
    rheo_text manifest = {.ctx = r->job.ctx}, result = {.ctx = r->job.ctx};
    char line[128];
    snprintf(line, sizeof line, "test: %.2f %% of %u samples, in all %.1f s",
             r->result.main.accuracy, r->result.main.samples, rheo__now() - r->began);
    note(r, line);
    rheo_status status = rheo__manifest_json(&r->job, r->start, end, &manifest);
    if (!status) status = write_text(r, "manifest.json", &manifest);
    if (!status) status = write_text(r, "log.txt", &r->log);
    if (!status) status = rheo__result_json(&r->job, &r->result, &result);
    if (!status) status = write_text(r, "result.json", &result); /* last: the run is complete */
    rheo__text_free(&manifest);
    rheo__text_free(&result);
    return status;
}

static rheo_status do_run(run *r)
{
    char path[RHEO_PATH];
    rheo_text text = {.ctx = r->job.ctx};
    rheo__text_add(&text, "%s", r->text);
    rheo_recipe *recipe = r->job.recipe;
    rheo_status status = rheo__job_open(r->job.ctx, recipe, &r->job);
    if (status) r->job = (rheo_job){.ctx = recipe->ctx, .recipe = recipe};
    if (!status && r->options->profile)
        status = rheo__alloc(r->job.ctx, 1, sizeof *r->profile, "a profile", &r->profile);
    r->job.session.profile = r->profile;
    if (!status) status = write_text(r, "recipe.yaml", &text);
    rheo__text_free(&text);
    if (!status) status = read_log(r);
    if (!status) status = path_in(r, "checkpoint.rheo", path);
    if (!status) {
        char line[96], precision[32];
        rheo__precision_text(recipe, precision);
        snprintf(line, sizeof line, "%s, precision %s",
                 rheo__file_exists(path) ? "goes on from the checkpoint" : "begins", precision);
        note(r, line);
        status = learn(r, path);
    }
    if (!status) status = judge(r);
    if (!status) status = write_results(r);
    if (!status) unlink(path);
    if (!status && r->profile)
        status = rheo__profile_text(&r->job, r->profile, r->options->profile);
    return status;
}

static void close_run(run *r)
{
    rheo_context *ctx = r->job.ctx;
    for (uint32_t v = 0; v < r->result.variants; v++)
        rheo__outcome_free(ctx, &r->result.variant[v]);
    rheo__outcome_free(ctx, &r->result.main);
    rheo__tally_free(ctx, &r->result.tally);
    rheo_net_free(r->learned);
    rheo__text_free(&r->log);
    rheo__profile_free(ctx, r->profile);
    rheo__release(ctx, r->text);
    rheo__job_close(&r->job);
}

static rheo_status train_in(run *r)
{
    bool same, finished;
    RHEO_TRY(same_recipe(r, &same, &finished));
    if (finished && !r->options->force) return RHEO_OK; /* it would come out the same */
    if (!same || finished) RHEO_TRY(clear_folder(r));
    return do_run(r);
}

static rheo_status train_folder(rheo_recipe *recipe, const char *folder,
                                const rheo_train_options *options)
{
    rheo_context *ctx = recipe->ctx;
    run *r = NULL;
    RHEO_TRY(rheo__alloc(ctx, 1, sizeof *r, "a run", &r));
    *r = (run){.job = {.ctx = ctx, .recipe = recipe}, .options = options, .log = {.ctx = ctx}};
    r->began = rheo__now();
    stamp(r->start);
    snprintf(r->folder, sizeof r->folder, "%s", folder);
    int lock = -1;
    rheo_status status = rheo_recipe_text(recipe, &r->text);
    if (!status) status = rheo__make_folders(ctx, folder);
    if (!status) status = rheo__lock(ctx, folder, &lock);
    if (!status) {
        status = train_in(r);
        rheo__unlock(lock);
    }
    close_run(r);
    rheo__release(ctx, r);
    return status;
}

rheo_status rheo_train(rheo_recipe *recipe, const rheo_train_options *options, char **folder)
{
    char path[RHEO_PATH];
    RHEO_TRY(rheo__recipe_folder(recipe, options->out, path));
    RHEO_TRY(train_folder(recipe, path, options));
    return folder ? rheo__strdup(recipe->ctx, path, folder) : RHEO_OK;
}

rheo_status rheo_resume(rheo_context *ctx, const char *folder)
{
    char path[RHEO_PATH], *text = NULL;
    size_t size;
    RHEO_TRY(rheo__join(ctx, folder, "recipe.yaml", path));
    RHEO_CHECK(ctx, rheo__file_exists(path), RHEO_MISSING,
               "%s: is no run folder, it has no recipe.yaml; expected runs/NAME/DATA-SIZE/SEED",
               folder);
    RHEO_TRY(rheo__file_read(ctx, path, 1u << 22, &text, &size));
    rheo_recipe *recipe = NULL;
    rheo_status status = rheo__recipe_from_text(ctx, text, path, &recipe);
    rheo__release(ctx, text);
    if (status) return status;
    rheo_train_options options = {0};
    status = train_folder(recipe, folder, &options);
    rheo_recipe_free(recipe);
    return status;
}
