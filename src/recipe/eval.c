/* eval.c: `rheobase eval`: a trained run on any split, or on other data of the same shape. */
#include "recipe/job.h"
#include <cjson/cJSON.h>
#include <string.h>

static rheo_status find_split(rheo_context *ctx, const char *name, rheo_split *out)
{
    for (uint32_t s = 0; s < RHEO_SPLITS; s++)
        if (!name ? s == RHEO_TEST : !strcmp(name, rheo__split_names[s])) {
            *out = (rheo_split)s;
            return RHEO_OK;
        }
    return rheo__fail(ctx, RHEO_USAGE, "split '%s': expected train, validation or test", name);
}

static void add_steps(const rheo_outcome *outcome, rheo_text *out)
{
    static const uint32_t at[] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000};
    rheo__text_add(out, "%-24s", "accuracy at step");
    for (size_t i = 0; i < sizeof at / sizeof *at && at[i] < outcome->steps; i++)
        rheo__text_add(out, " %u: %.2f", at[i], outcome->accuracy_at[at[i] - 1]);
    rheo__text_add(out, " %u: %.2f\n", outcome->steps, outcome->accuracy_at[outcome->steps - 1]);
}

static void add_classes(const rheo_job *job, const rheo_tally *tally, rheo_text *out)
{
    for (uint32_t label = 0; label < tally->classes; label++) {
        const uint64_t *row = tally->confusion + (size_t)label * tally->classes;
        uint64_t total = 0;
        for (uint32_t c = 0; c < tally->classes; c++) total += row[c];
        double share = total ? 100.0 * (double)row[label] / (double)total : 0;
        if (job->data->class_name)
            rheo__text_add(out, "  class %-17s", job->data->class_name[label]);
        else
            rheo__text_add(out, "  class %-17u", label);
        rheo__text_add(out, " %.2f %% of %llu\n", share, (unsigned long long)total);
    }
}

static void write_text(const rheo_job *job, const char *split, const rheo_result *result,
                       rheo_text *out)
{
    const rheo_tally *tally = &result->tally;
    double samples = tally->samples, interval[2];
    rheo__wilson((double)tally->correct, samples, interval);
    rheo__text_add(out, "%-24s %s, %s of %s (%u samples)\n", "system", job->recipe->name, split,
                   job->data->name, tally->samples);
    rheo__text_add(out, "%-24s %.2f %% (95 %%: %.2f to %.2f), ties wrong\n", "accuracy",
                   result->main.accuracy, interval[0], interval[1]);
    rheo__text_add(out, "%-24s %.2f %%\n", "  first maximum wins", result->main.source_rule);
    add_steps(&result->main, out);
    rheo__text_add(out, "%-24s %u of %u\n", "steps to decision", result->main.to_decision,
                   result->main.steps);
    rheo__text_add(out, "%-24s %.2f\n", "spikes a neuron",
                   tally->neurons ? (double)tally->counts.spikes / samples / (double)tally->neurons
                                  : 0);
    rheo__text_add(out, "%-24s %.0f\n", "synaptic operations",
                   (double)tally->counts.synops / samples);
    rheo__text_add(out, "%-24s %.0f\n", "multiply-accumulates",
                   (double)tally->counts.macs / samples);
    rheo__text_add(out, "%-24s %.0f\n", "neuron updates", (double)tally->counts.updates / samples);
    rheo__text_add(out, "accuracy of each class (first maximum wins)\n");
    add_classes(job, tally, out);
}

static rheo_status evaluate(rheo_job *job, const rheo_eval_options *options, bool json,
                            rheo_text *out)
{
    rheo_split split = RHEO_TEST;
    RHEO_TRY(find_split(job->ctx, options->split, &split));
    RHEO_CHECK(job->ctx, job->data->count[split] > 0, RHEO_USAGE,
               "%s: there is no %s part; expected one of the splits with samples", job->data->name,
               rheo__split_names[split]);
    rheo_result *result = NULL;
    RHEO_TRY(rheo__alloc(job->ctx, 1, sizeof *result, "a result", &result));
    rheo_status status =
        rheo__test(&job->session, split, options->limit, rheo__split_names[split], &result->tally);
    if (!status) status = rheo__outcome_make(job->ctx, "", &result->tally, &result->main);
    if (!status && json) status = rheo__result_json(job, result, out);
    if (!status && !json) write_text(job, rheo__split_names[split], result, out);
    rheo__outcome_free(job->ctx, &result->main);
    rheo__tally_free(job->ctx, &result->tally);
    rheo__release(job->ctx, result);
    return status;
}

rheo_status rheo_eval(rheo_context *ctx, const char *folder, const rheo_eval_options *options,
                      bool json, char **text)
{
    rheo_job job;
    RHEO_TRY(rheo__job_load(ctx, folder, options->data, &job));
    rheo_text out = {.ctx = ctx};
    rheo_status status = evaluate(&job, options, json, &out);
    rheo__job_close(&job);
    if (!status) status = out.status;
    if (status)
        rheo__text_free(&out);
    else
        *text = out.data;
    return status;
}
