/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_HEADROOM_FAILED_BOOTS_H
#define DCP_SOLVER_HEADROOM_FAILED_BOOTS_H 1

/* A morning that goes on when hosts do not boot.
 *
 * The morning wakes hosts W and brings VMs to them.  For each host of W a list
 * says where its VMs go instead, such that with any f hosts of W missing all
 * lists of these f together are legal: every VM has a place on a host that is
 * on, within the limits after a loss, under the hard rules that policy does
 * not relax after one.
 *
 * Where no such list is found *spares* stand in: woken hosts without VMs, so
 * many that some are left whatever f hosts fail (solver/headroom/spares.h). The
 * list names a spare for each parcel of the host.
 *
 * The subsets are not enumerated.  A target is a host that is on all night, or
 * for f = 1 any other host.  On each target, what one list brings is tested on
 * top of the day's load and, per slot and resource by itself, of the f - 1
 * largest amounts that other lists bring there.  Whatever f hosts fail, the
 * others bring no more than these, so the test covers every subset; for sums
 * it is exact for the lists at hand, for policy.overload it errs on the safe
 * side.  Rules are tested for each host and each pair of hosts, which is
 * enough for rules about two VMs; one that counts more is not proved for
 * f > 2.
 *
 * A heuristic (largest first, best fit): that it finds no lists does not prove
 * that there are none. */

#include "solver/headroom/headroom.h"

struct dcp_failed_boots {
    uint32_t n_woken, f;
    uint32_t failed_host; /* DCP_IX_NONE: every woken host has its list; else
                           * one without list and with too few spares. */
    struct dcp_loss_answer *lists; /* By woken host, in 'arena'. */
    uint32_t n_lists;
};

/* How many of so many woken hosts may fail: policy's share of them, at least
 * one. */
uint32_t dcp_failed_boots_count(const struct dcp_policy *, uint32_t n_woken);

/* 'day' asks about the slots of the day, with the morning's end as its start;
 * 'night' is what the morning begins from.  Lists are made in 'arena', which
 * may be NULL: only asked. */
bool
dcp_failed_boots_find(const struct dcp_question *day,
                      const struct dcp_placement *night,
                      struct dcp_arena *arena, struct dcp_failed_boots *out,
                      struct dcp_error *err) DCP_CHECKED;

/* How a morning is made to stand. */
enum dcp_boots_way {
    DCP_BOOTS_WAKE, /* As few hosts as can be stay on at night. */
    DCP_BOOTS_GROUP, /* Few spares, for hosts that share them; the others stay
                      * on. */
    DCP_BOOTS_KEEP, /* No spares are woken. */
};

/* What makes a morning stand, by host: spares that it wakes, hosts that stay
 * on at night.  Cleared by the caller. */
struct dcp_boot_changes {
    enum dcp_boots_way way;
    int64_t deadline_ms; /* Monotonic; 0: none.  From then on the number of
                          * hosts that stay on is not made as small as can be. */
    uint8_t *wake, *keep;
};

/* Spares first, the cheapest for their room; where there are not enough, a
 * part of the hosts that lack them stays on at night.  One problem and one
 * state: each round plays the boots, O(woken hosts), not the plan. */
bool dcp_failed_boots_settle(const struct dcp_question *day,
                             const struct dcp_placement *night,
                             struct dcp_boot_changes *,
                             struct dcp_error *err) DCP_CHECKED;

#endif /* solver/headroom/failed_boots.h */
