/* compare.c: `rheobase compare`: every recipe and seed in a process of its own (so that one's peak
 * memory, or its death, is not another's), at most `jobs` at once; then the table and the page. */
#include "recipe/job.h"
#include "report/report.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROWS      256
#define PROCESSES 64

typedef struct task {
    rheo_recipe *recipe;
    char folder[RHEO_PATH];
    pid_t pid; /* 0: not running */
    int pipe;  /* the child's error text comes here */
    rheo_status status;
    bool done;
    char error[512];
} task;

typedef struct comparison {
    rheo_context *ctx;
    const rheo_compare_options *options;
    const char *out;
    task *task;
    uint32_t tasks, running;
} comparison;

static rheo_status open_tasks(comparison *c, const char *const *recipes)
{
    uint32_t seeds = c->options->seeds ? c->options->seeds : 1, count = 0;
    while (recipes[count]) count++;
    RHEO_CHECK(c->ctx, count > 0, RHEO_USAGE, "compare: no recipe given");
    RHEO_CHECK(c->ctx, seeds <= ROWS && count <= ROWS && seeds * count <= ROWS, RHEO_USAGE,
               "compare: %u recipes of %u seeds, expected at most %d runs", count, seeds, ROWS);
    RHEO_TRY(rheo__alloc(c->ctx, (size_t)seeds * count, sizeof *c->task, "a comparison", &c->task));
    for (uint32_t r = 0; r < count; r++)
        for (uint32_t s = 0; s < seeds; s++) {
            rheo_recipe_options options = {
                .size = c->options->size, .set = c->options->set, .seed = rheo_seed(c->ctx) + s};
            task *t = &c->task[c->tasks];
            RHEO_TRY(rheo_recipe_open(c->ctx, recipes[r], &options, &t->recipe));
            c->tasks++;
            RHEO_TRY(rheo__recipe_folder(t->recipe, c->out, t->folder));
            for (uint32_t before = 0; before + 1 < c->tasks; before++)
                RHEO_CHECK(c->ctx, strcmp(c->task[before].folder, t->folder) != 0, RHEO_USAGE,
                           "compare: '%s' is named twice", rheo_recipe_name(t->recipe));
        }
    return RHEO_OK;
}

/* The child: trains, says on the pipe what went wrong, and leaves without the parent's clean-up. */
static void child(comparison *c, task *t, int pipe)
{
    rheo_train_options options = {.out = c->out};
    rheo__message(c->ctx, "%s (seed %llu)", rheo_recipe_name(t->recipe),
                  (unsigned long long)t->recipe->seed);
    rheo_status status = rheo_train(t->recipe, &options, NULL);
    const char *text = rheo_error(c->ctx);
    if (status && write(pipe, text, strlen(text)) < 0) _exit(RHEO_IO);
    _exit((int)status);
}

static rheo_status start(comparison *c, task *t)
{
    int ends[2];
    RHEO_CHECK(c->ctx, pipe(ends) == 0, RHEO_IO, "compare: no pipe: %s", strerror(errno));
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        child(c, t, ends[1]);
    }
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return rheo__fail(c->ctx, RHEO_IO, "compare: no process: %s", strerror(errno));
    }
    t->pid = pid;
    t->pipe = ends[0];
    c->running++;
    return RHEO_OK;
}

static void finish(comparison *c, task *t, int how)
{
    ssize_t size = read(t->pipe, t->error, sizeof t->error - 1);
    t->error[size > 0 ? size : 0] = 0;
    close(t->pipe);
    t->pid = 0;
    t->done = true;
    c->running--;
    if (WIFEXITED(how))
        t->status = (rheo_status)WEXITSTATUS(how);
    else {
        t->status = RHEO_FAILED;
        snprintf(t->error, sizeof t->error, "%s: its process was ended by signal %d",
                 rheo_recipe_name(t->recipe), WTERMSIG(how));
    }
}

/* Waits for one of our own children. */
static void wait_one(comparison *c)
{
    for (;;)
        for (uint32_t i = 0; i < c->tasks; i++) {
            int how;
            if (c->task[i].pid == 0) continue;
            bool only = c->running == 1;
            pid_t pid = waitpid(c->task[i].pid, &how, only ? 0 : WNOHANG);
            if (pid == c->task[i].pid) {
                finish(c, &c->task[i], how);
                return;
            }
            if (!only) usleep(20000);
        }
}

static rheo_status run_tasks(comparison *c)
{
    uint32_t jobs = c->options->jobs ? c->options->jobs : 1;
    RHEO_CHECK(c->ctx, jobs <= PROCESSES, RHEO_USAGE, "compare: --jobs %u, expected 1 to %d", jobs,
               PROCESSES);
    rheo_status status = RHEO_OK;
    for (uint32_t next = 0; next < c->tasks || c->running > 0;) {
        bool more = next < c->tasks && !status && !rheo__interrupted(c->ctx);
        if (more && c->running < jobs)
            status = start(c, &c->task[next++]);
        else if (c->running > 0)
            wait_one(c);
        else
            break;
        for (uint32_t i = 0; i < c->tasks && !status; i++)
            if (c->task[i].status)
                status = rheo__fail(c->ctx, c->task[i].status, "%s", c->task[i].error);
    }
    if (!status && rheo__interrupted(c->ctx))
        status = rheo__fail(c->ctx, RHEO_INTERRUPTED, "interrupted; the same command goes on");
    return status;
}

/* ---- the table ---- */

static rheo_status write_file(comparison *c, const char *name, rheo_text *text)
{
    char path[RHEO_PATH];
    rheo_status status = text->status;
    if (!status) status = rheo__join(c->ctx, c->out, name, path);
    if (!status) status = rheo__file_write(c->ctx, path, text->data ? text->data : "", text->size);
    rheo__text_free(text);
    return status;
}

static void command_text(const comparison *c, const char *const *recipes, rheo_text *out)
{
    rheo__text_add(out, "rheobase compare");
    for (uint32_t r = 0; recipes[r]; r++) rheo__text_add(out, " %s", recipes[r]);
    if (c->options->size) rheo__text_add(out, " --size %s", c->options->size);
    for (uint32_t s = 0; c->options->set && c->options->set[s]; s++)
        rheo__text_add(out, " --set '%s'", c->options->set[s]);
    rheo__text_add(out, " --seed %llu", (unsigned long long)rheo_seed(c->ctx));
    if (c->options->seeds > 1) rheo__text_add(out, " --seeds %u", c->options->seeds);
    rheo__text_add(out, " --out %s", c->out);
}

static rheo_status write_tables(comparison *c, const rheo_row *rows, uint32_t count,
                                const char *command)
{
    static const struct {
        const char *name;
        rheo_table_kind kind;
    } tables[] = {{"table.md", RHEO_TABLE_MARKDOWN},
                  {"table.csv", RHEO_TABLE_CSV},
                  {"table.json", RHEO_TABLE_JSON}};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        rheo_text text = {.ctx = c->ctx};
        rheo__table(rows, count, tables[i].kind, &text);
        RHEO_TRY(write_file(c, tables[i].name, &text));
    }
    rheo_text page = {.ctx = c->ctx};
    rheo__page(c->ctx, rows, count, command, &page);
    return write_file(c, "report.html", &page);
}

static rheo_status tabulate(comparison *c, const char *const *recipes, bool json, char **table)
{
    const char *folder[ROWS];
    for (uint32_t i = 0; i < c->tasks; i++) folder[i] = c->task[i].folder;
    rheo_row *rows = NULL;
    uint32_t count = 0;
    RHEO_TRY(rheo__rows_read(c->ctx, folder, c->tasks, &rows, &count));
    rheo_text command = {.ctx = c->ctx}, text = {.ctx = c->ctx};
    command_text(c, recipes, &command);
    rheo_status status = command.status;
    if (!status) status = write_tables(c, rows, count, command.data);
    if (!status) {
        rheo__table(rows, count, json ? RHEO_TABLE_JSON : RHEO_TABLE_TERMINAL, &text);
        status = text.status;
    }
    rheo__text_free(&command);
    rheo__rows_free(c->ctx, rows, count);
    if (status)
        rheo__text_free(&text);
    else
        *table = text.data;
    return status;
}

rheo_status rheo_compare(rheo_context *ctx, const char *const *recipes,
                         const rheo_compare_options *options, bool json, char **table)
{
    comparison c = {.ctx = ctx, .options = options, .out = options->out ? options->out : "compare"};
    rheo_status status = open_tasks(&c, recipes);
    if (!status) status = run_tasks(&c);
    if (!status) status = tabulate(&c, recipes, json, table);
    for (uint32_t i = 0; i < c.tasks; i++) rheo_recipe_free(c.task[i].recipe);
    rheo__release(ctx, c.task);
    return status;
}
