/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_CLI_IMPROVEMENTS_H
#define DCP_CLI_IMPROVEMENTS_H 1

/* What a search has so far, on standard error: with --verbose a line for each
 * improvement, on a terminal one line that is written over, with --quiet
 * nothing.
 *
 *     0.8 s  night: 104 hosts on, at least 103, gap 0.96 %
 *     1.2 s  night: 161.20 EUR with 38 hosts on, at least 150.21, gap 6.82 %
 *
 * Seconds count from the program's start. */

#include "cli/command.h"
#include "solver/run/progress.h"

/* The globals are borrowed for as long as it listens. */
struct dcp_observer dcp_improvements_observer(const struct dcp_globals *);

#endif /* cli/improvements.h */
