/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_CLI_APPLY_GATES_H
#define DCP_CLI_APPLY_GATES_H 1

/* What must hold before `apply` carries a leg out.  Each gate says no with
 * DCP_E_STALE and what to do about it. */

#include "executors/journal.h"
#include "model/io/model_dir.h"

struct dcp_apply_gate {
    const struct dcp_model *model;
    const struct dcp_plan *plan;
    struct dcp_journal *journal; /* NULL: nothing will be changed. */
    uint32_t leg;
};

/* By name, or (NULL) the first that the model's serial says is not done. */
bool dcp_apply_choose_leg(struct dcp_apply_gate *, const char *name,
                          struct dcp_error *err) DCP_CHECKED;
/* The plan was made for this model, as it is written now. */
bool dcp_apply_check_model(const struct dcp_apply_gate *,
                           struct dcp_error *err) DCP_CHECKED;
/* Leg k starts from the plan's serial + k; dry runs preview later ones. */
bool dcp_apply_check_serial(const struct dcp_apply_gate *,
                            struct dcp_error *err) DCP_CHECKED;
/* VMs and hosts are as the leg starts from. */
bool dcp_apply_check_start(const struct dcp_apply_gate *,
                           struct dcp_error *err) DCP_CHECKED;
/* The journal's file system has room for a long leg: an end of it in the middle
 * would leave things done that nobody wrote down. */
bool dcp_apply_check_space(const char *dir, struct dcp_error *err) DCP_CHECKED;
/* 'now_ms', of the executor's clock, is in the plan's time. */
bool dcp_apply_check_validity(const struct dcp_apply_gate *, int64_t now_ms,
                              struct dcp_error *err) DCP_CHECKED;

#endif /* cli/apply_gates.h */
