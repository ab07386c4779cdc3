/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_CHECK_OVERLOAD_H
#define DCP_MODEL_CHECK_OVERLOAD_H 1

/* policy.overload, recounted from the demand's scenarios.  Internal to
 * model/check/.
 *
 * Three things are judged, per host:
 * - a leg's end, or one placement: in no slot are more scenarios above the
 *   host's limit than are allowed, or than were so at the plan's own start;
 * - every state of a leg: no scenario is above the limit unless it is so at an
 *   end of the leg, and none is above what it is at the higher end.  A host is
 *   thus overloaded on the way in no more scenarios than at both ends
 *   together.  Per scenario this is a sum, so the largest closure proves it
 *   for all orders, as in capacity_check.c;
 * - what a loss adds: as at the end, with the limit after a loss. */

#include "model/check/leg.h"

struct dcp_overload {
    const struct dcp_judge *j;
    uint32_t n, n_ranges;
    uint32_t *first;  /* n_ranges + 1: columns of each distinct bucket. */
    uint32_t *source; /* By range: its first column in the demand. */
    uint32_t *slot;   /* By range: a slot of the demand. */
    uint32_t *allowed;
    uint64_t *row[4]; /* Room to work in; one row each. */
    uint64_t *all;    /* One placement's sums, [host * n + column]; or NULL. */
};

/* Whether the policy and the demand ask for it at all. */
bool dcp_overload_asked(const struct dcp_judge *);
/* The slots [first, last) of the demand. */
bool dcp_overload_init(struct dcp_overload *, const struct dcp_judge *,
                       uint32_t first_slot, uint32_t last_slot) DCP_CHECKED;
void dcp_overload_finish(struct dcp_overload *);

/* Adds a VM to a row. */
void dcp_overload_add(const struct dcp_overload *, uint32_t vm, uint64_t row[]);
/* How many of a range's scenarios are above 'limit'. */
uint32_t dcp_overload_above(const struct dcp_overload *, const uint64_t row[],
                            uint32_t range, uint64_t limit);
/* Reports the worst range in which more are above the host's limit than is
 * allowed, and than are so 'before' (NULL: nothing is excused). */
void dcp_overload_judge_row(const struct dcp_overload *, uint32_t host,
                            const uint64_t row[], const uint64_t before[],
                            const char *when);

bool
dcp_overload_placement(const struct dcp_judge *, const struct dcp_placement *,
                       uint32_t first_slot, uint32_t last_slot) DCP_CHECKED;
bool dcp_overload_check(struct dcp_leg_view *,
                        const struct dcp_placement *base) DCP_CHECKED;

/* Sums of a placement, for dcp_overload_after(). */
bool dcp_overload_sum(struct dcp_overload *,
                      const struct dcp_placement *) DCP_CHECKED;
/* 'host' with 'vms' on top of those sums, under the limit after a loss: false
 * where too many scenarios overload, with how many and what is allowed. */
bool
dcp_overload_after(struct dcp_overload *, uint32_t host, const uint32_t vms[],
                   uint32_t n, uint32_t *out_need, uint32_t *out_have);

#endif /* model/check/overload.h */
