/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_CLI_BACKTEST_H
#define DCP_CLI_BACKTEST_H 1

/* How good planning would have been: each of the last nights of the usage
 * store is planned from the history before it and then replayed as it was.
 * Every night starts from the same placement, so nights can be compared. */

#include "cli/context.h"

#define DCP_BACKTEST_MAX 400

/* 'plan' says the window when 'window' is NULL; both NULL: 22:00-06:00.
 * Prints; returns the exit status, or -1 with 'err'. */
int dcp_backtest(const struct dcp_globals *, struct dcp_context *,
                 const struct dcp_plan *plan, const char *window,
                 uint32_t n_nights, struct dcp_error *err);

#endif /* cli/backtest.h */
