/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_CLI_UI_H
#define DCP_CLI_UI_H 1

/* What people see: messages on standard error, progress on a terminal, JSON
 * and tables on standard output.  The one place that prints. */

#include "cli/command.h"
#include "model/base/diag.h"
#include "model/io/json_writer.h"

/* "error: FILE:LINE:COL: message". */
void dcp_ui_error(const struct dcp_globals *, const struct dcp_error *err);
void dcp_ui_warn(const struct dcp_globals *, const char *format, ...)
    DCP_PRINTF(2, 3);
/* Talk on standard error; silent with --quiet. */
void dcp_ui_say(const struct dcp_globals *, const char *format, ...)
    DCP_PRINTF(2, 3);
/* All diagnostics, sorted; warnings only when not --quiet. */
void dcp_ui_diag(const struct dcp_globals *, struct dcp_diag *);

/* One line that is written over, on a terminal only: "importing 42 %".
 * 'done_frac' below 0: no percentage.  dcp_ui_progress_end() clears it. */
void dcp_ui_progress(const struct dcp_globals *, const char *what,
                     double done_frac);
void dcp_ui_progress_end(const struct dcp_globals *);

/* Prints the writer's text on standard output and finishes it; the status. */
int dcp_ui_json(struct dcp_json *, int status, struct dcp_error *err);
/* The `run` object: wall seconds since the start, CPU seconds, peak RSS. Adds
 * its members to an object that the caller opened. */
void dcp_ui_run_members(const struct dcp_globals *, struct dcp_json *);
double dcp_ui_wall_seconds(const struct dcp_globals *);

#endif /* cli/ui.h */
