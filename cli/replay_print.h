/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_CLI_REPLAY_PRINT_H
#define DCP_CLI_REPLAY_PRINT_H 1

/* A replay for people, to standard output. */

#include "cli/policy_run.h"

/* 'plan' NULL: of a placement.  'band' without a name: none. */
void
dcp_replay_print(const struct dcp_inventory *, const struct dcp_plan *plan,
                 const struct dcp_replay *, const struct dcp_policy_run *band);

/* What was not measured, and what stands for it; a line for each that there
 * is. */
void dcp_replay_print_gaps(const struct dcp_replay *);

#endif /* cli/replay_print.h */
