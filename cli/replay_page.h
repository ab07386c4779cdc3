/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_CLI_REPLAY_PAGE_H
#define DCP_CLI_REPLAY_PAGE_H 1

/* `simulate --report FILE` of a plan or of a placement: the page
 * (report/sim_page.h) that compares it with doing nothing and with the
 * reactive band.  It is about the last run, which is what was asked for. */

#include "cli/onlooker.h"
#include "cli/policy_run.h"
#include "cli/replications.h"

/* The band has no name where the replay was ended before it: it is left out.
 * 'again' NULL: no replications. */
bool dcp_replay_page(const char *path, const struct dcp_inventory *,
                     const struct dcp_replay *,
                     const struct dcp_policy_run *band,
                     const struct dcp_replications *again,
                     struct dcp_onlooker *, struct dcp_error *err) DCP_CHECKED;

#endif /* cli/replay_page.h */
