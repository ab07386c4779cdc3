/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_CHANGE_H
#define DCP_MODEL_CHANGE_H 1

/* When a rule lets VMs and hosts be changed: a change_window is open in its
 * hours, on days of its classes (a window that spans midnight belongs to the
 * day on which it begins); a freeze is closed from one instant to another.
 *
 * Steps of a leg run between its start and its deadline, in an order that
 * nobody knows.  So one may touch what a rule is about only where the rule is
 * open all that time, or all the time that the step's own not_before and
 * start_by leave it (model/plan.h).
 *
 * Pure; thread-safe. */

#include "model/inventory.h"

static inline bool
dcp_rule_is_about_change(enum dcp_rule_kind kind)
{
    return kind == DCP_RULE_CHANGE_WINDOW || kind == DCP_RULE_FREEZE;
}

/* Whether the rule is open all the time from 'from_ms' to 'until_ms'. */
bool dcp_change_is_open(const struct dcp_inventory *, const struct dcp_rule *,
                        int64_t from_ms, int64_t until_ms);

/* The first open span of 'length_ms' or more between two instants, cut to
 * them; false: there is none. */
bool dcp_change_span(const struct dcp_inventory *, const struct dcp_rule *,
                     int64_t from_ms, int64_t until_ms, int64_t length_ms,
                     int64_t *out_start, int64_t *out_end);

/* The first instant from 'from_ms' on, at which it opens for 'length_ms' at
 * least (or is open for so long); INT64_MAX: not within a year. */
int64_t dcp_change_opens(const struct dcp_inventory *, const struct dcp_rule *,
                         int64_t from_ms, int64_t length_ms);

/* "open 22:00-06:00 on weekday", "frozen from 2026-12-18T00:00:00Z to
 * 2027-01-04T00:00:00Z"; returns 'out'. */
const char *dcp_change_print(const struct dcp_inventory *,
                             const struct dcp_rule *, char *out, size_t size);

#endif /* model/change.h */
