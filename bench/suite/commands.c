/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Every benchmark, in the order that help lists them. */

#include "bench/suite/ganeti.h"
#include "bench/suite/packing.h"
#include "bench/suite/suite.h"

extern const struct dcp_command dcp_suite_cmd_btrplace;
extern const struct dcp_command dcp_suite_cmd_roadef;

const struct dcp_command *const dcp_suite_commands[] = {
    &dcp_suite_cmd_hbal,
    &dcp_suite_cmd_hspace,
    &dcp_suite_cmd_vbp,
    &dcp_suite_cmd_bpp,
    &dcp_suite_cmd_roadef,
    &dcp_suite_cmd_btrplace,
    NULL,
};
