/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_CLI_BACKTEST_H
#define DCP_CLI_BACKTEST_H 1

/* How good planning would have been: each of the last nights of the usage
 * store is planned from the history before it and then replayed as it was.
 * Every night starts from the same placement, so nights can be compared.
 *
 * What a night's plan saves is foretold with an interval, from the plan and
 * from how far the nights before it missed theirs; the share of nights that
 * were in it is told, and whether that is what it claims.  Policies may play
 * the same nights in closed loop: who wins in the first half of the nights, and
 * does that hold in the second? */

#include "cli/context.h"

#define DCP_BACKTEST_MAX 400

struct dcp_backtest_options {
    uint32_t n_nights;
    const char *window;   /* NULL: the plan's, without one 22:00-06:00. */
    const char *policies; /* "dpm,lr-mmt:1.2"; NULL: none. */
    int64_t every_ms;     /* How often they are asked. */
};

/* 'plan' says the window, or NULL.  Prints; returns the exit status, or -1 with
 * 'err'. */
int dcp_backtest(const struct dcp_globals *, struct dcp_context *,
                 const struct dcp_plan *plan,
                 const struct dcp_backtest_options *, struct dcp_error *err);

#endif /* cli/backtest.h */
