/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_CLI_COMMAND_H
#define DCP_CLI_COMMAND_H 1

/* Commands and options as tables.  Parsing, --help, the manual page and shell
 * completion all come from the same rows, so an option is written down once.
 * A command is one file, cli/cmd_<name>.c, that defines one `struct
 * dcp_command`, listed in cli/commands.c. */

#include "model/base/error.h"

#include <stddef.h>

enum dcp_opt_type {
    DCP_OPT_FLAG,     /* bool */
    DCP_OPT_COUNT,    /* uint32_t, one more each time */
    DCP_OPT_UINT,     /* uint64_t */
    DCP_OPT_TEXT,     /* const char *, NULL when not given */
    DCP_OPT_FILE,     /* const char *, completes file names */
    DCP_OPT_LIST,     /* struct dcp_texts, may be repeated */
    DCP_OPT_CHOICE,   /* const char *, one of 'choices' */
    DCP_OPT_FRAC,     /* double: 1%, 0.01 */
    DCP_OPT_DOUBLE,   /* double */
    DCP_OPT_TIME_MS,  /* int64_t: 15min */
    DCP_OPT_SECONDS,  /* double: 60, 60s, 2min */
    DCP_OPT_INSTANT,  /* int64_t, DCP_INSTANT_NONE when not given */
};
#define DCP_INSTANT_NONE INT64_MIN

struct dcp_texts {
    const char *item[64];
    uint32_t n;
};

struct dcp_opt {
    const char *long_name;
    char short_name; /* 0: none. */
    enum dcp_opt_type type;
    size_t offset;               /* offsetof() in the options struct. */
    const char *placeholder;     /* "FILE", "TIME"; NULL for flags. */
    const char *const *choices;  /* DCP_OPT_CHOICE: NULL-ended. */
    const char *default_text;    /* Parsed as if given; NULL: zero. */
    const char *help;            /* One sentence. */
};

/* Options that several commands share, in a struct of their own that stands at
 * 'offset' in the command's. */
struct dcp_opt_group {
    const struct dcp_opt *opts;
    size_t n_opts;
    size_t offset;
};

/* The options every command takes, before or after its name. */
struct dcp_globals {
    const char *program;  /* "dcplan". */
    const char *dir;      /* -C: the model directory. */
    const char *policy_file; /* NULL: the model's own policy alone. */
    bool json;
    uint64_t seed;
    uint64_t threads;
    uint64_t iterations;  /* 0: no limit. */
    double time_limit_s;  /* 0: the command's own default. */
    int64_t now_ms;       /* --now, else the clock. */
    int64_t now_shift_ms; /* --now less the clock; 0 without --now. */
    bool quiet;
    uint32_t verbose;
    bool no_color;
    bool color;           /* Standard error is a terminal that wants it. */
    bool color_out;       /* Standard output is. */
    bool progress;        /* Standard error is a terminal. */
    int64_t started_ms;   /* Monotonic, for run.seconds. */
};

struct dcp_command {
    const char *name;     /* "consolidate", "model check". */
    const char *summary;  /* For the list of commands. */
    const char *synopsis; /* "[--window FROM-TO] [-o PLAN]". */
    const char *details;  /* Paragraphs and "Examples:". */
    const struct dcp_opt_group *groups;
    size_t n_groups;
    size_t options_size;
    uint32_t min_args, max_args; /* Positional; UINT32_MAX: any number. */
    /* Returns the exit status, or -1 with 'err' filled (its status is used).
     * 'options' was filled from the rows; 'args' are the positionals. */
    int (*run)(const struct dcp_globals *, const void *options,
               uint32_t n_args, char *const args[], struct dcp_error *err);
};

/* A program: what `--help` says of it, and its commands. */
struct dcp_program {
    const char *name;    /* "dcplan". */
    const char *purpose; /* "plan, check, ...". */
    const char *usage;   /* "[-C DIR] [--json] COMMAND ...". */
    const char *examples; /* Lines that end the list of commands. */
    const struct dcp_command *const *commands; /* NULL-ended. */
    bool generates; /* Makes its manual page and completion. */
};

extern const struct dcp_command *const dcp_commands[]; /* NULL-ended. */

int dcp_cli_main(int argc, char *argv[], const struct dcp_program *);

#endif /* cli/command.h */
