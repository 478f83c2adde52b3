/* plot.c: one figure of one run as a file: SVG, or PNG through librsvg's rsvg-convert. */
#include <rheobase/recipe.h>

#include "base/file.h"
#include "report/page.h"

#include <errno.h>
#include <math.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define WIDTH 720.0

extern char **environ;

typedef struct rheo_plot_job {
    rheo_folder run;
    rheo_array *arrays; /* of figures.npz, for those that need it */
    uint32_t count, family;
    rheo_text *out;
} rheo_plot_job;

/* Each returns false when the run has nothing of the kind. */
static bool draw_curve(rheo_plot_job *job)
{
    rheo_history m;
    char label[160];
    job->out->status = rheo__metrics_read(job->out->ctx, &job->run, &m);
    if (job->out->status) return false;
    snprintf(label, sizeof label, "Training of %.100s", rheo__text_at(job->run.result, "name"));
    bool drawn = rheo__training_chart(job->out, &m, label, job->family, WIDTH, true);
    rheo__release(job->out->ctx, m.loss);
    return drawn;
}

static bool draw_raster(rheo_plot_job *job)
{
    return rheo__raster(job->out, job->arrays, job->count, job->family, WIDTH, true);
}

static bool draw_membrane(rheo_plot_job *job)
{
    return rheo__membrane(job->out, job->arrays, job->count, job->family, WIDTH, true);
}

static bool draw_weights(rheo_plot_job *job)
{
    return rheo__fields(job->out, job->arrays, job->count, WIDTH, true);
}

static bool draw_confusion(rheo_plot_job *job)
{
    return rheo__confusion_of(job->out, job->run.result, rheo__text_at(job->run.result, "name"),
                              job->family, true);
}

static const struct rheo_plot_kind {
    const char *name, *needs;
    bool figures; /* reads figures.npz */
    bool (*draw)(rheo_plot_job *);
} kinds[] = {
    {"curve", "figures in metrics.csv", false, draw_curve},
    {"raster", "spikes in figures.npz", true, draw_raster},
    {"membrane", "membranes in figures.npz", true, draw_membrane},
    {"weights", "weights of a first layer in figures.npz", true, draw_weights},
    {"confusion", "a confusion matrix in result.json", false, draw_confusion},
};

static rheo_status draw(const char *folder, const struct rheo_plot_kind *kind, rheo_plot_job *job)
{
    rheo_context *ctx = job->out->ctx;
    char path[RHEO_PATH];
    RHEO_TRY(rheo__run_read(ctx, folder, &job->run));
    const char *family = rheo__text_at(job->run.result, "family");
    while (rheo__family_at(job->family) && strcmp(rheo__family_at(job->family)->name, family) != 0)
        job->family++;
    RHEO_TRY(rheo__join(ctx, folder, "figures.npz", path));
    if (kind->figures && rheo__file_exists(path))
        RHEO_TRY(rheo__npz_read(ctx, path, RHEO_RUN_LIMIT, &job->arrays, &job->count));
    bool drawn = kind->draw(job);
    RHEO_TRY(job->out->status);
    RHEO_CHECK(ctx, drawn, RHEO_MISSING,
               "%s: no %s: this run has no such figure; try another --what", folder, kind->needs);
    return RHEO_OK;
}

/* rsvg-convert from one file to another, without a shell */
static rheo_status convert(rheo_context *ctx, const char *svg, const char *png, const char *out)
{
    char program[] = "rsvg-convert", zoom[] = "--zoom=2", format[] = "--format=png",
         to[RHEO_PATH + 16], from[RHEO_PATH + 8];
    snprintf(to, sizeof to, "--output=%s", png);
    snprintf(from, sizeof from, "%s", svg);
    char *argv[] = {program, zoom, format, to, from, NULL};
    pid_t child = 0;
    int state = 0, error = posix_spawnp(&child, program, NULL, NULL, argv, environ);
    while (!error && waitpid(child, &state, 0) < 0)
        if (errno != EINTR) error = errno;
    RHEO_CHECK(ctx, error != ENOENT, RHEO_MISSING,
               "%s: a PNG needs the program rsvg-convert, which is not there; install the Debian "
               "package librsvg2-bin, or name a .svg",
               out);
    RHEO_CHECK(ctx, !error && WIFEXITED(state) && WEXITSTATUS(state) == 0, RHEO_IO,
               "%s: rsvg-convert failed (%s %d); name a .svg to see what it was given", out,
               error ? strerror(error) : "exit status", error ? error : WEXITSTATUS(state));
    return RHEO_OK;
}

static rheo_status write_png(rheo_context *ctx, const char *out, const rheo_text *svg)
{
    char temporary[RHEO_PATH], source[RHEO_PATH + 8];
    RHEO_TRY(rheo__replace_begin(ctx, out, temporary));
    snprintf(source, sizeof source, "%s.svg", temporary);
    rheo_status status = rheo__file_write(ctx, source, svg->data, svg->size);
    if (!status) status = convert(ctx, source, temporary, out);
    unlink(source);
    if (!status) return rheo__replace_commit(ctx, out, temporary);
    rheo__replace_abandon(temporary);
    return status;
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n > m && strcmp(text + n - m, end) == 0;
}

rheo_status rheo_plot(rheo_context *ctx, const char *folder, const char *what, const char *out)
{
    enum { KINDS = sizeof kinds / sizeof kinds[0] };
    const char *names[KINDS + 1] = {NULL};
    uint32_t k = 0;
    for (uint32_t i = 0; i < KINDS; i++) names[i] = kinds[i].name;
    while (k < KINDS && strcmp(kinds[k].name, what) != 0) k++;
    const char *near = rheo__nearest(what, names);
    RHEO_CHECK(ctx, k < KINDS, RHEO_USAGE,
               "no plot '%s'; expected curve, raster, membrane, weights or confusion%s%s%s", what,
               near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    RHEO_CHECK(ctx, ends_with(out, ".svg") || ends_with(out, ".png"), RHEO_USAGE,
               "%s: the name of a plot ends with .svg or .png", out);
    rheo_text svg = {.ctx = ctx};
    rheo_plot_job job = {.out = &svg};
    rheo_status status = draw(folder, &kinds[k], &job);
    if (!status)
        status = ends_with(out, ".svg") ? rheo__file_write(ctx, out, svg.data, svg.size)
                                        : write_png(ctx, out, &svg);
    rheo__npz_free(ctx, job.arrays, job.count);
    rheo__run_free(ctx, &job.run);
    rheo__text_free(&svg);
    return status;
}
