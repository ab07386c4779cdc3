/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_CLI_APPLY_PRINT_H
#define DCP_CLI_APPLY_PRINT_H 1

/* What `apply` says about a leg that was, or would be, carried out. */

#include "cli/command.h"
#include "executors/runner.h"
#include "executors/virtual.h"

struct dcp_apply_result {
    const struct dcp_inventory *inventory;
    const struct dcp_plan *plan;
    uint32_t leg;
    const char *executor;
    const char *status; /* "done", "partial", "interrupted", "stale". */
    uint64_t serial_before, serial_after; /* Equal: nothing was committed. */
    const struct dcp_run_report *report;
    const struct dcp_action_record *log; /* In order of time. */
    uint32_t n_log;
    bool resumed;
};

int dcp_apply_json(const struct dcp_globals *, const struct dcp_apply_result *,
                   int status, struct dcp_error *err);
/* The actions in the order in which they would start, each with the commands
 * that a person would type. */
void dcp_apply_print_actions(const struct dcp_apply_result *, bool commands);
void dcp_apply_print_summary(const struct dcp_apply_result *);

#endif /* cli/apply_print.h */
