/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Every command, in the order that help lists them. */

#include "cli/commands.h"

const struct dcp_command *const dcp_commands[] = {
    &dcp_cmd_init,
    &dcp_cmd_import_csv,
    &dcp_cmd_import_traces,
    &dcp_cmd_import_ganeti,
    &dcp_cmd_model_check,
    &dcp_cmd_model_show,
    &dcp_cmd_model_diff,
    &dcp_cmd_model_schema,
    &dcp_cmd_model_synth,
    &dcp_cmd_traces_import,
    &dcp_cmd_traces_info,
    &dcp_cmd_traces_export,
    &dcp_cmd_traces_synth,
    &dcp_cmd_place,
    &dcp_cmd_consolidate,
    &dcp_cmd_balance,
    &dcp_cmd_evacuate,
    &dcp_cmd_repair,
    &dcp_cmd_capacity,
    &dcp_cmd_simulate,
    &dcp_cmd_apply,
    &dcp_cmd_report,
    &dcp_cmd_plan_check,
    &dcp_cmd_plan_show,
    &dcp_cmd_plan_diff,
    &dcp_cmd_plan_explain,
    &dcp_cmd_policy_test,
    &dcp_cmd_policy_diff,
    NULL,
};
