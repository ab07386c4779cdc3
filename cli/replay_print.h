/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_CLI_REPLAY_PRINT_H
#define DCP_CLI_REPLAY_PRINT_H 1

/* A replay for people, to standard output. */

#include "cli/policy_run.h"

/* 'plan' NULL: of a placement.  'band' without a name: none. */
void
dcp_replay_print(const struct dcp_inventory *, const struct dcp_plan *plan,
                 const struct dcp_replay *, const struct dcp_policy_run *band);

#endif /* cli/replay_print.h */
