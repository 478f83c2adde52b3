/* command.h: what a sub-command is: a table row with its options, its help and its function.
 *
 * A sub-command is one file with one `const cli_command cli_NAME` and one line in commands.def. The
 * help text, the check of options and values and the nearest name all come from the table. The
 * command is a client of the public headers only. */
#ifndef RHEO_CLI_COMMAND_H
#define RHEO_CLI_COMMAND_H
#include <rheobase/rheobase.h>

/* The values of all options, of every command: zero is "not given". */
typedef struct cli_call {
    rheo_context *ctx;
    const char *program;          /* as it was called */
    const char *const *arguments; /* NULL-terminated */
    uint32_t count;
    const char *out, *size, *resume, *split, *data, *input, *output, *lengths, *what;
    const char **set, **record; /* NULL-terminated lists, or NULL */
    uint64_t seed;
    uint32_t threads, seeds, jobs, limit;
    bool quiet, help, json, force, stream, turns, profile;
} cli_call;

typedef enum {
    CLI_FLAG,   /* bool */
    CLI_COUNT,  /* uint32_t, at least 1 */
    CLI_NUMBER, /* uint64_t, at least 1 */
    CLI_TEXT,   /* const char *; one of the words when `value` is a|b|c */
    CLI_REPEAT, /* const char **, one more text each time */
    CLI_COMMAS  /* const char **, texts split at commas */
} cli_kind;

typedef struct cli_option {
    const char *name, *value; /* "--size", "small|full"; value NULL for a flag */
    const char *help;
    size_t offset; /* of the field of cli_call */
    cli_kind kind;
} cli_option;

typedef struct cli_command {
    const char *name, *arguments, *summary; /* "train", "RECIPE", one line */
    const char *text;                       /* more than one line of help, or NULL */
    const char *example;
    const cli_option *options; /* ends with a name of NULL; NULL: only the common ones */
    uint32_t least, most;      /* arguments */
    rheo_status (*run)(cli_call *);
} cli_command;

#define CLI_OPTION(name_, value_, field_, kind_, help_)                                            \
    {                                                                                              \
        .name = "--" name_, .value = value_, .help = help_, .offset = offsetof(cli_call, field_),  \
        .kind = kind_                                                                              \
    }
#define CLI_OPTION_JSON CLI_OPTION("json", NULL, json, CLI_FLAG, "print JSON instead of text")
#define CLI_OPTION_SIZE                                                                            \
    CLI_OPTION("size", "small|full", size, CLI_TEXT, "the recipe's size: seconds, or as published")
#define CLI_OPTION_SET                                                                             \
    CLI_OPTION("set", "KEY=VALUE", set, CLI_REPEAT, "change a key of the recipe, may be repeated")
#define CLI_OPTION_OUT(what_) CLI_OPTION("out", "DIR", out, CLI_TEXT, what_)
#define CLI_OPTION_END                                                                             \
    {                                                                                              \
        .name = NULL                                                                               \
    }

/* options.c */
/* Reads argv (after the command's name) into call. False: a line on standard error has said why. */
bool cli_parse(const cli_command *command, int argc, char **argv, cli_call *call);
void cli_call_free(cli_call *call);
void cli_help(const cli_command *command);
/* Nearest of count names, the i-th at names + i * stride, or NULL when none is near. */
const char *cli_nearest(const char *name, const char *const *names, size_t count, size_t stride);
/* "rheobase: …" and a newline on standard error. */
void cli_error(const char *format, ...) RHEO_PRINTF(1, 2);
/* The same for a wrong use that only the command sees; returns RHEO_USAGE, already reported. */
rheo_status cli_wrong(const char *format, ...) RHEO_PRINTF(1, 2);

/* progress.c: the two hooks of a context; lines: no bar even on a terminal. */
typedef struct cli_progress {
    bool quiet, terminal, drawn;
    double shown; /* when the bar was last drawn [s] */
} cli_progress;
void cli_progress_init(cli_progress *progress, bool quiet, bool lines);
void cli_progress_show(void *user, const rheo_progress *now);
void cli_progress_message(void *user, const char *line);
void cli_progress_clear(cli_progress *progress);

/* Prints a text of the library to standard output and releases it; NULL is fine. */
void cli_print(cli_call *call, char *text);
/* Opens arguments[0] with --size, --set and --seed. */
rheo_status cli_recipe(cli_call *call, rheo_recipe **out);
#endif
