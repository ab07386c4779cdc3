/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_CLI_HELP_H
#define DCP_CLI_HELP_H 1

/* Help, from the command tables.  Each returns the exit status. */

#include "cli/command.h"

#define DCP_VERSION "0.1.0"

int dcp_help_version(const struct dcp_program *);
int dcp_help_command(const struct dcp_program *, const struct dcp_command *);
/* The list of commands: on standard output when asked for, else, with what is
 * wrong, on standard error and exit status 2. */
int dcp_help_top(const struct dcp_program *, char *const words[],
                 uint32_t n_words, bool asked);

#endif /* cli/help.h */
