/* options.c: from argv and a command's table to values, and from the table to the help text. */
#include "command.h"
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Every command takes these. */
static const cli_option common[] = {
    CLI_OPTION("threads", "N", threads, CLI_COUNT, "threads (default: one a core)"),
    CLI_OPTION("seed", "N", seed, CLI_NUMBER, "seed of every random number (default: 1)"),
    CLI_OPTION("quiet", NULL, quiet, CLI_FLAG, "no progress and no messages"),
    CLI_OPTION("help", NULL, help, CLI_FLAG, "this text"),
    CLI_OPTION_END,
};

#define WIDTH 26 /* of the options' column in the help */

static void error_line(const char *format, va_list list)
{
    fputs("rheobase: ", stderr);
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
}

void cli_error(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    error_line(format, list);
    va_end(list);
}

rheo_status cli_wrong(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    error_line(format, list);
    va_end(list);
    return RHEO_USAGE;
}

/* Levenshtein's distance, one row; names longer than the row are never near. */
static size_t distance(const char *a, const char *b)
{
    size_t row[64], n = strlen(b);
    if (n >= sizeof row / sizeof row[0]) return SIZE_MAX;
    for (size_t j = 0; j <= n; j++) row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t corner = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            bool same = tolower((unsigned char)a[i - 1]) == tolower((unsigned char)b[j - 1]);
            size_t least = corner + (same ? 0 : 1);
            if (row[j] + 1 < least) least = row[j] + 1;
            if (row[j - 1] + 1 < least) least = row[j - 1] + 1;
            corner = row[j];
            row[j] = least;
        }
    }
    return row[n];
}

const char *cli_nearest(const char *name, const char *const *names, size_t count, size_t stride)
{
    const char *best = NULL;
    size_t least = strlen(name) / 3 + 2; /* at most a third of the letters and one more are off */
    for (size_t i = 0; i < count; i++) {
        const char *candidate = *(const char *const *)((const char *)names + i * stride);
        size_t d = distance(name, candidate);
        if (d < least) {
            least = d;
            best = candidate;
        }
    }
    return best;
}

static size_t option_count(const cli_option *options)
{
    size_t count = 0;
    while (options && options[count].name) count++;
    return count;
}

static const cli_option *find(const cli_option *options, const char *name, size_t length)
{
    for (; options && options->name; options++)
        if (strlen(options->name) == length && !strncmp(options->name, name, length))
            return options;
    return NULL;
}

static const char *nearest_option(const cli_command *command, const char *name)
{
    const cli_option *own = command->options;
    const char *near = own ? cli_nearest(name, &own->name, option_count(own), sizeof *own) : NULL;
    const char *other = cli_nearest(name, &common->name, option_count(common), sizeof *common);
    if (!near) return other;
    return other && distance(name, other) < distance(name, near) ? other : near;
}

/* Whether text is one of a|b|c. */
static bool among(const char *words, const char *text)
{
    size_t length = strlen(text);
    for (const char *word = words; word; word = strchr(word, '|') ? strchr(word, '|') + 1 : NULL)
        if (length && strcspn(word, "|") == length && !strncmp(word, text, length)) return true;
    return false;
}

static bool number(const cli_option *option, const char *text, uint64_t most, uint64_t *out)
{
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (!isdigit((unsigned char)text[0]) || *end || errno || value < 1 || value > most) {
        cli_error("%s: '%s' is not a whole number from 1 to %llu", option->name, text,
                  (unsigned long long)most);
        return false;
    }
    *out = value;
    return true;
}

static bool append(const char ***list, const char *text)
{
    size_t count = 0;
    while (*list && (*list)[count]) count++;
    const char **more = realloc(*list, (count + 2) * sizeof *more);
    if (!more) {
        cli_error("out of memory for the command line");
        return false;
    }
    more[count] = text;
    more[count + 1] = NULL;
    *list = more;
    return true;
}

/* Cuts value, which is argv's own memory, at its commas. */
static bool split(const cli_option *option, char *value, const char ***list)
{
    for (char *next = value; next;) {
        char *comma = strchr(next, ',');
        if (comma) *comma = '\0';
        if (!*next) {
            cli_error("%s: a name is empty; write %s", option->name, option->value);
            return false;
        }
        if (!append(list, next)) return false;
        next = comma ? comma + 1 : NULL;
    }
    return true;
}

static bool assign(const cli_option *option, char *value, cli_call *call)
{
    void *field = (char *)call + option->offset;
    uint64_t whole = 0;
    switch (option->kind) {
    case CLI_FLAG:
        *(bool *)field = true;
        return true;
    case CLI_COUNT:
        if (!number(option, value, 1u << 24, &whole)) return false;
        *(uint32_t *)field = (uint32_t)whole;
        return true;
    case CLI_NUMBER:
        return number(option, value, INT64_MAX, field);
    case CLI_REPEAT:
        return append(field, value);
    case CLI_COMMAS:
        return split(option, value, field);
    case CLI_TEXT:
        break;
    }
    if (!*value || (strchr(option->value, '|') && !among(option->value, value))) {
        cli_error("%s: '%s' is not %s", option->name, value, option->value);
        return false;
    }
    *(const char **)field = value;
    return true;
}

/* Option argv[i], with its value behind '=' or in argv[i + 1]; returns how many words it took, 0 on
 * an error. */
static int take(const cli_command *command, int argc, char **argv, int i, cli_call *call)
{
    const char *word = argv[i];
    size_t length = strcspn(word, "=");
    const cli_option *option = find(command->options, word, length);
    if (!option) option = find(common, word, length);
    if (!option) {
        const char *near = nearest_option(command, word);
        cli_error("%s: unknown option '%.*s'%s%s; 'rheobase %s --help' lists them", command->name,
                  (int)length, word, near ? ", nearest is " : "", near ? near : "", command->name);
        return 0;
    }
    if (option->kind == CLI_FLAG) {
        if (word[length]) return cli_error("%s takes no value", option->name), 0;
        *(bool *)((char *)call + option->offset) = true;
        return 1;
    }
    if (word[length]) return assign(option, argv[i] + length + 1, call) ? 1 : 0;
    if (i + 1 >= argc) return cli_error("%s needs %s", option->name, option->value), 0;
    return assign(option, argv[i + 1], call) ? 2 : 0;
}

bool cli_parse(const cli_command *command, int argc, char **argv, cli_call *call)
{
    /* arguments are gathered at the front of argv, behind what has been read */
    bool options = true;
    int kept = 0;
    for (int i = 0; i < argc;) {
        if (options && !strcmp(argv[i], "--")) {
            options = false;
            i++;
        } else if (options && argv[i][0] == '-' && argv[i][1]) {
            int words = take(command, argc, argv, i, call);
            if (!words) return false;
            i += words;
        } else {
            argv[kept++] = argv[i++];
        }
    }
    call->count = (uint32_t)kept;
    call->arguments = (const char *const *)argv;
    if (call->help) return true;
    if (call->count < command->least || call->count > command->most) {
        cli_error("%s takes %s, found %u argument%s; 'rheobase %s --help' has an example",
                  command->name, *command->arguments ? command->arguments : "no argument",
                  call->count, call->count == 1 ? "" : "s", command->name);
        return false;
    }
    argv[kept] = NULL; /* argv[argc] is there, so this is in bounds */
    return true;
}

void cli_call_free(cli_call *call)
{
    free(call->set);
    free(call->record);
}

static void option_help(const cli_option *options)
{
    for (; options && options->name; options++) {
        int used = printf("  %s %s", options->name, options->value ? options->value : "");
        printf("%*s%s\n", used < WIDTH ? WIDTH - used : 1, "", options->help);
    }
}

void cli_help(const cli_command *command)
{
    printf("usage: rheobase %s %s%s[options]\n\n%s.\n", command->name, command->arguments,
           *command->arguments ? " " : "", command->summary);
    if (command->text) printf("%s\n", command->text);
    if (command->options) {
        puts("\nOptions:");
        option_help(command->options);
    }
    puts("\nCommon options:");
    option_help(common);
    printf("\nExample:\n  %s\n", command->example);
}
