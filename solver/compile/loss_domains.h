/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_COMPILE_LOSS_DOMAINS_H
#define DCP_SOLVER_COMPILE_LOSS_DOMAINS_H 1

/* Racks and feeds that policy.survive lets go, as sums see them.
 *
 * A *zone* is a set of hosts that nothing leaves, neither by a move nor by a
 * restart after a loss: what a loss takes from a zone restarts in it.  A
 * *domain* is what of a zone goes down with one rack or feed.  With full(h)
 * what host h holds after a loss, over the hosts of the zone that are on,
 *
 *     sum full(h) - (full of what is lost) >= demand - (lost without promise)
 *
 * for each resource and slot: a necessary condition, and nearly enough where
 * hosts hold many items.  The lower bound has it as rows
 * (solver/bound/domain_loss.c), the search as sums that each move keeps up to
 * date (solver/headroom/loss_sums.h).
 *
 * Immutable once made, in the problem's arena; thread-safe to read. */

#include "solver/problem.h"

enum { DCP_LOSS_ZONES_MAX = 64 };

struct dcp_loss_kind_domains { /* Of one kind that is lost: racks, feeds. */
    enum dcp_loss_kind kind;
    uint32_t at_once;        /* So many, or fewer. */
    uint32_t n;              /* Domains, in all zones. */
    const uint32_t *of_host; /* DCP_IX_NONE: the host is lost with none. */
    const uint8_t *zone;     /* Of each domain. */
};

struct dcp_loss_domains {
    struct dcp_loss_kind_domains kinds[2];
    uint32_t n_kinds; /* 1 at least. */
    uint32_t n_zones; /* Where there would be too many: 1. */
    const uint8_t *zone_of_host, *zone_of_item;
};

/* *out NULL: the question asks for no such loss.  False: DCP_E_NOMEM. */
bool dcp_loss_domains_compile(const struct dcp_problem *,
                              const struct dcp_loss_domains **out,
                              struct dcp_error *err) DCP_CHECKED;

#endif /* solver/compile/loss_domains.h */
