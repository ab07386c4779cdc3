/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_CLI_COMMANDS_H
#define DCP_CLI_COMMANDS_H 1

/* One row per command; each is defined in cli/cmd_<name>.c. */

#include "cli/command.h"

extern const struct dcp_command dcp_cmd_consolidate;
extern const struct dcp_command dcp_cmd_init;
extern const struct dcp_command dcp_cmd_simulate;
extern const struct dcp_command dcp_cmd_apply;
extern const struct dcp_command dcp_cmd_report;
extern const struct dcp_command dcp_cmd_import_csv;
extern const struct dcp_command dcp_cmd_import_ganeti;
extern const struct dcp_command dcp_cmd_import_traces;
extern const struct dcp_command dcp_cmd_model_check;
extern const struct dcp_command dcp_cmd_plan_check;
extern const struct dcp_command dcp_cmd_plan_diff;
extern const struct dcp_command dcp_cmd_plan_show;
extern const struct dcp_command dcp_cmd_model_diff;
extern const struct dcp_command dcp_cmd_model_schema;
extern const struct dcp_command dcp_cmd_model_show;
extern const struct dcp_command dcp_cmd_model_synth;
extern const struct dcp_command dcp_cmd_traces_import;
extern const struct dcp_command dcp_cmd_traces_export;
extern const struct dcp_command dcp_cmd_traces_info;
extern const struct dcp_command dcp_cmd_traces_synth;
extern const struct dcp_command dcp_cmd_capacity;
extern const struct dcp_command dcp_cmd_balance;
extern const struct dcp_command dcp_cmd_evacuate;
extern const struct dcp_command dcp_cmd_repair;
extern const struct dcp_command dcp_cmd_place;
extern const struct dcp_command dcp_cmd_plan_explain;
extern const struct dcp_command dcp_cmd_policy_test;
extern const struct dcp_command dcp_cmd_policy_diff;

#endif /* cli/commands.h */
