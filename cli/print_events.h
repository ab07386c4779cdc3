/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_CLI_PRINT_EVENTS_H
#define DCP_CLI_PRINT_EVENTS_H 1

/* A log of events (sim/output/event_log.h) as CSV on standard output: time,
 * kind, phase, object, from, to, leg (from 0). */

#include "cli/command.h"

/* Returns the exit status, or -1 with 'err'.  A log that ends in damage is
 * printed up to there and ends with 1. */
int dcp_print_events(const struct dcp_globals *, const char *path,
                     struct dcp_error *err);

#endif /* cli/print_events.h */
