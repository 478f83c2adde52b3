/* progress.c: the library's progress and messages on standard error: on a terminal a bar with rate
 * and time left, elsewhere one line an epoch. */
#include "command.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define BAR     20  /* cells */
#define LINE    256 /* bytes of one progress line */
#define BETWEEN 0.1 /* least time between two bars [s] */

void cli_progress_init(cli_progress *progress, bool quiet, bool lines)
{
    const char *term = getenv("TERM");
    bool dumb = term && !strcmp(term, "dumb");
    *progress =
        (cli_progress){.quiet = quiet, .terminal = !lines && !dumb && isatty(STDERR_FILENO)};
}

void cli_progress_clear(cli_progress *progress)
{
    if (progress->drawn) fputs("\r\033[K", stderr);
    progress->drawn = false;
}

void cli_progress_message(void *user, const char *line)
{
    cli_progress *progress = user;
    if (progress->quiet) return;
    cli_progress_clear(progress);
    fprintf(stderr, "%s\n", line);
}

/* Appends to a line of LINE bytes; what does not fit is left out. */
static void add(char *line, const char *format, ...) RHEO_PRINTF(2, 3);
static void add(char *line, const char *format, ...)
{
    size_t used = strlen(line);
    va_list list;
    va_start(list, format);
    vsnprintf(line + used, LINE - used, format, list);
    va_end(list);
}

static void add_duration(char *line, double seconds)
{
    unsigned long whole = (unsigned long)fmin(fmax(seconds, 0) + 0.5, 1e8);
    if (whole >= 3600)
        add(line, "%lu:%02lu:%02lu", whole / 3600, whole / 60 % 60, whole % 60);
    else
        add(line, "%lu:%02lu", whole / 60, whole % 60);
}

static void add_name(char *line, const rheo_progress *now)
{
    add(line, "%s", now->what ? now->what : "work");
    if (now->epochs) add(line, " %u/%u", now->epoch, now->epochs);
}

static void add_figures(char *line, const rheo_progress *now)
{
    if (now->rate > 0) add(line, "  %.0f/s", now->rate);
    if (isfinite(now->loss)) add(line, "  loss %.4g", now->loss);
    if (isfinite(now->accuracy)) add(line, "  accuracy %.2f %%", now->accuracy);
}

static double clock_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* The terminal's columns; a bar must not wrap. */
static size_t columns(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1) return size.ws_col - 1u;
    return 79;
}

static void draw(cli_progress *progress, const rheo_progress *now)
{
    char line[LINE] = "";
    double share = now->total ? fmin((double)now->done / (double)now->total, 1) : 0;
    add_name(line, now);
    add(line, " [");
    for (int cell = 0; cell < BAR; cell++) add(line, "%c", cell < share * BAR ? '#' : '-');
    add(line, "] %3.0f %%", 100 * share);
    if (now->rate > 0) {
        uint32_t more = now->epochs > now->epoch ? now->epochs - now->epoch : 0;
        add(line, "  ");
        add_duration(line, (double)now->total * (1 - share + more) / now->rate);
        add(line, " left");
    }
    add_figures(line, now);
    fprintf(stderr, "\r%.*s\033[K", (int)columns(), line);
    fflush(stderr);
    progress->drawn = true;
}

void cli_progress_show(void *user, const rheo_progress *now)
{
    cli_progress *progress = user;
    if (progress->quiet) return;
    if (!now->end) {
        double time = clock_now();
        if (!progress->terminal || time - progress->shown < BETWEEN) return;
        progress->shown = time;
        draw(progress, now);
        return;
    }
    char line[LINE] = "";
    add_name(line, now);
    add(line, "  ");
    add_duration(line, now->seconds);
    add_figures(line, now);
    cli_progress_message(progress, line);
}
