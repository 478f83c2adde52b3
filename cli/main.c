/* main.c: `rheobase COMMAND …`: finds the sub-command, makes the context, and turns a status into
 * one line and an exit status: 0 fine, 1 failed, 2 wrong use, 130 interrupted. */
#include "command.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CLI_COMMAND(name) extern const cli_command cli_##name;
#include "commands.def"
#undef CLI_COMMAND

static const cli_command *const commands[] = {
#define CLI_COMMAND(name) &cli_##name,
#include "commands.def"
#undef CLI_COMMAND
};
#define COMMANDS (sizeof commands / sizeof commands[0])

enum { EXIT_FINE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_INTERRUPTED = 130 };

/* The one thing that a signal handler may write: the library polls it. */
static volatile int interrupted;

/* The first signal asks for a checkpoint and an orderly end, the second ends at once. */
static void on_signal(int number)
{
    (void)number;
    if (interrupted) _exit(EXIT_INTERRUPTED);
    interrupted = 1;
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    /* a reader that went away (`| head`) shows up as EPIPE, and never ends a training run */
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
}

static int exit_status(rheo_status status)
{
    switch (status) {
    case RHEO_OK:
        return EXIT_FINE;
    case RHEO_USAGE:
    case RHEO_SHAPE:
        return EXIT_USAGE; /* shapes come from recipes and the command line */
    case RHEO_INTERRUPTED:
        return EXIT_INTERRUPTED;
    default:
        return EXIT_FAILED;
    }
}

static void overview(FILE *to)
{
    fputs("usage: rheobase COMMAND [ARGUMENTS] [options]\n\n"
          "Deep learning with spiking neurons: trains, measures and compares spiking networks.\n\n",
          to);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(to, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    fputs("\n'rheobase COMMAND --help' has options and an example, 'rheobase --version' the "
          "version.\n"
          "First steps:\n  rheobase list recipes\n  rheobase train surrogate-mlp --size small\n",
          to);
}

static const cli_command *find(const char *name)
{
    const char *names[COMMANDS];
    for (size_t i = 0; i < COMMANDS; i++) {
        if (!strcmp(commands[i]->name, name)) return commands[i];
        names[i] = commands[i]->name;
    }
    const char *near = cli_nearest(name, names, COMMANDS, sizeof names[0]);
    cli_error("unknown %s '%s'%s%s; 'rheobase --help' lists the commands",
              name[0] == '-' ? "option" : "command", name, near ? ", nearest is " : "",
              near ? near : "");
    return NULL;
}

/* Standard output must have arrived; a reader that went away is no error. */
static int close_output(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout)) return status;
    if (errno == EPIPE) return status;
    cli_error("standard output: %s", strerror(errno));
    return status == EXIT_FINE ? EXIT_FAILED : status;
}

/* Calls of the library leave their message in the context; what the command line got wrong has been
 * reported already, and leaves none. */
static int run(const cli_command *command, cli_call *call)
{
    cli_progress progress;
    cli_progress_init(&progress, call->quiet, call->jobs > 1);
    rheo_context_options options = {.threads = call->threads,
                                    .seed = call->seed,
                                    .user = &progress,
                                    .progress = cli_progress_show,
                                    .message = cli_progress_message,
                                    .interrupt = &interrupted};
    rheo_status status = rheo_context_new(&options, &call->ctx);
    if (status != RHEO_OK) {
        cli_error("%s", rheo_status_text(status));
        return exit_status(status);
    }
    status = command->run(call);
    cli_progress_clear(&progress);
    const char *error = rheo_error(call->ctx);
    if (status != RHEO_OK && *error) cli_error("%s", error);
    rheo_context_free(call->ctx);
    return exit_status(status);
}

static int dispatch(const char *program, const char *name, int argc, char **argv)
{
    const cli_command *command = find(name);
    if (!command) return EXIT_USAGE;
    cli_call call = {.program = program};
    int status = EXIT_USAGE;
    if (cli_parse(command, argc, argv, &call)) {
        status = EXIT_FINE;
        if (call.help)
            cli_help(command);
        else
            status = run(command, &call);
    }
    cli_call_free(&call);
    return status;
}

int main(int argc, char **argv)
{
    catch_signals();
    const char *name = argc > 1 ? argv[1] : "";
    if (!*name) {
        overview(stderr);
        return EXIT_USAGE;
    }
    if (!strcmp(name, "--version")) {
        printf("rheobase %s (%s)\n", rheo_version(), rheo_commit());
        return close_output(EXIT_FINE);
    }
    bool help = !strcmp(name, "help") || !strcmp(name, "--help") || !strcmp(name, "-h");
    if (help && argc < 3) {
        overview(stdout);
        return close_output(EXIT_FINE);
    }
    char *ask[] = {"--help", NULL};
    if (help) return close_output(dispatch(argv[0], argv[2], 1, ask));
    return close_output(dispatch(argv[0], name, argc - 2, argv + 2));
}
