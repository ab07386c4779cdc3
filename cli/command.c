/* SPDX-License-Identifier: GPL-3.0-or-later */

/* One pass over argv: global options anywhere, then the command's words, then
 * its options and positionals in any order; "--" ends options. */

#include "cli/command.h"

#include "cli/generate.h"
#include "cli/help.h"
#include "cli/options.h"
#include "cli/ui.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int64_t
clock_ms(clockid_t clock)
{
    struct timespec t;

    (void)clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The command whose words argv starts with; the longest match. */
static const struct dcp_command *
find_command(const struct dcp_command *const table[], char *const words[],
             uint32_t n_words, uint32_t *out_used)
{
    const struct dcp_command *best = NULL;

    *out_used = 0;
    for (size_t i = 0; table[i]; i++) {
        const char *name = table[i]->name;
        const char *space = strchr(name, ' ');
        size_t first = space ? (size_t)(space - name) : strlen(name);
        uint32_t needs = space ? 2 : 1;

        if (n_words < needs || strlen(words[0]) != first ||
            strncmp(words[0], name, first) != 0 ||
            (space && strcmp(words[1], space + 1) != 0)) {
            continue;
        }
        if (needs > *out_used) {
            best = table[i];
            *out_used = needs;
        }
    }
    return best;
}

static void
set_terminal(struct dcp_globals *g)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    bool wanted = !g->no_color && !(no_color && *no_color) &&
                  !(term && !strcmp(term, "dumb"));

    g->color = wanted && isatty(STDERR_FILENO);
    g->color_out = wanted && isatty(STDOUT_FILENO);
    g->progress = isatty(STDERR_FILENO) && !g->quiet;
    g->started_ms = clock_ms(CLOCK_MONOTONIC);
    int64_t clock_now_ms = clock_ms(CLOCK_REALTIME);

    if (g->now_ms == DCP_INSTANT_NONE) {
        g->now_ms = clock_now_ms;
    }
    g->now_shift_ms = g->now_ms - clock_now_ms;
}

/* Whoever read standard output has gone (as `| head` does): no error to
 * tell. */
static bool
reader_left(void)
{
    struct pollfd out = { .fd = STDOUT_FILENO };

    return poll(&out, 1, 0) > 0 && out.revents & POLLERR;
}

/* A closed standard stream is taken by one that fails every use, so that no
 * file opened later gets its number and what was meant for a person. */
static void
hold_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0) {
            return; /* Nor will any other file open. */
        }
    }
}

static int
end_with(const struct dcp_globals *g, const struct dcp_error *err)
{
    dcp_ui_error(g, err);
    return dcp_code_exit_status(err->code);
}

int
dcp_cli_main(int argc, char *argv[], const struct dcp_program *program)
{
    const struct dcp_command *const *table = program->commands;
    struct dcp_globals g;
    struct dcp_error err = { 0 };
    struct dcp_scan scan;

    /* So that a reader who left and a file size limit are errors of write(),
     * after which what was begun is cleaned up. */
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
    hold_streams();

    int generated;

    if (program->generates && dcp_generate(argc, argv, table, &generated)) {
        return generated;
    }
    dcp_globals_default(&g);
    g.program = program->name;
    if (!dcp_scan_words(argc, argv, table, &scan, &err)) {
        set_terminal(&g);
        return end_with(&g, &err);
    }
    uint32_t used = 0;
    const struct dcp_command *command =
        find_command(table, scan.words, scan.n_words, &used);

    if (scan.version) {
        return dcp_help_version(program);
    }
    if (!command) {
        return dcp_help_top(program, scan.words, scan.n_words, scan.help);
    }
    if (scan.help) {
        return dcp_help_command(program, command);
    }
    void *options =
        calloc(1, command->options_size ? command->options_size : 1);
    char **args = calloc((size_t)argc + 1, sizeof *args);
    uint32_t n_args = 0;
    int status = -1;

    if (!options || !args) {
        (void)dcp_fail(&err, DCP_E_NOMEM, "no memory for the options");
    } else if (dcp_parse_options(argc, argv, command, used, &g, options, args,
                                 &n_args, &err)) {
        set_terminal(&g);
        status = command->run(&g, options, n_args, args, &err);
    } else {
        set_terminal(&g);
    }
    if (status < 0) {
        status = end_with(&g, &err);
    }
    bool failed = fflush(stdout) != 0 || ferror(stdout);

    if (failed && reader_left()) {
        status = status ? status : 1;
    } else if (failed) {
        (void)dcp_fail(&err, DCP_E_IO, "cannot write to standard output");
        status = status ? status : end_with(&g, &err);
    }
    free(options);
    free(args);
    return status;
}
