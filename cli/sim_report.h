/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_CLI_SIM_REPORT_H
#define DCP_CLI_SIM_REPORT_H 1

/* The page about a replay, as a file. */

#include "cli/onlooker.h"
#include "report/sim_page.h"

/* 'page' without its picture, which the onlooker kept, and version.  'path'
 * "-": standard output. */
bool
dcp_sim_report_write(const char *path, const struct dcp_sim_page *page,
                     struct dcp_onlooker *, struct dcp_error *err) DCP_CHECKED;

#endif /* cli/sim_report.h */
