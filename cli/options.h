/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_CLI_OPTIONS_H
#define DCP_CLI_OPTIONS_H 1

/* argv against the option rows of cli/command.h. */

#include "cli/command.h"

extern const struct dcp_opt_group dcp_global_options;

void dcp_globals_default(struct dcp_globals *);
/* Seconds for a solver: --time-limit; without it 'otherwise_s', but no limit
 * (0) where --iterations counts the work, for then no clock may decide. */
double dcp_globals_limit_s(const struct dcp_globals *, double otherwise_s);

/* A first look at argv: the words that are not options (values of options
 * that any command knows are skipped), and whether help is asked for. */
struct dcp_scan {
    char *words[8];
    uint32_t n_words;
    bool help, version;
};
bool dcp_scan_words(int argc, char *argv[],
                    const struct dcp_command *const table[],
                    struct dcp_scan *out, struct dcp_error *err) DCP_CHECKED;

/* Fills globals, the command's options and positionals; 'n_words' words of
 * argv that name the command are left out. */
bool dcp_parse_options(int argc, char *argv[], const struct dcp_command *,
                       uint32_t n_words, struct dcp_globals *, void *options,
                       char **args, uint32_t *out_n_args,
                       struct dcp_error *err) DCP_CHECKED;

#endif /* cli/options.h */
