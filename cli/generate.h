/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_CLI_GENERATE_H
#define DCP_CLI_GENERATE_H 1

/* The manual page and shell completion, written from the command tables by
 * the build (`dcplan --dump-man`, `dcplan --dump-completion bash`), so that
 * neither can fall behind.  Same tables, same bytes. */

#include "cli/command.h"

/* Whether argv asks for one of these; if so writes it on standard output and
 * sets the exit status. */
bool dcp_generate(int argc, char *argv[],
                  const struct dcp_command *const table[], int *out_status);

#endif /* cli/generate.h */
