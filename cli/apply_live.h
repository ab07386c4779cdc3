/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_CLI_APPLY_LIVE_H
#define DCP_CLI_APPLY_LIVE_H 1

/* `--executor live`: real hypervisors, switches and BMCs, reached as
 * connect.yaml says, as one executor (executors/group.h). */

#include "cli/command.h"
#include "executors/executor.h"
#include "model/io/connect.h"

/* Reads connect.yaml of -C; problems go to standard error. */
bool
dcp_live_connect(const struct dcp_globals *, const struct dcp_inventory *,
                 struct dcp_connect *out, struct dcp_error *err) DCP_CHECKED;

/* Refuses (DCP_E_REFUSED) a leg of which connect.yaml does not say how to reach
 * all; each such step is a warning with what to add. */
bool
dcp_live_check_reach(const struct dcp_globals *, const struct dcp_inventory *,
                     const struct dcp_connect *, const struct dcp_plan *,
                     uint32_t leg, struct dcp_error *err) DCP_CHECKED;

/* All is borrowed.  Its clock is the system's plus --now less the time that
 * the command began. */
struct dcp_executor *
dcp_live_create(const struct dcp_globals *, const struct dcp_inventory *,
                const struct dcp_connect *, const struct dcp_plan *,
                struct dcp_error *err) DCP_CHECKED;

#endif /* cli/apply_live.h */
