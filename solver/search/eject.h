/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_SEARCH_EJECT_H
#define DCP_SOLVER_SEARCH_EJECT_H 1

/* Items without a place, put on a given set of hosts by ejection.
 *
 * The largest item of the pool goes on the host that it fits tightest; where
 * none takes it, on one from which others are ejected into the pool: those that
 * a rule sets against it, then what stands in its room, at the least sum of
 * penalty x size^2.  An item's penalty is how often it found no place, so what
 * is hard to place is left alone and circles end (the ejection pool of Nagata &
 * Braysy, *A powerful route minimization heuristic for the vehicle routing
 * problem with time windows*, Operations Research Letters 37, 2009, here with
 * sizes).
 *
 * Every change is on the inserter's trail, so that the caller can take all
 * back.  Never switches a host on.  A heuristic; not thread-safe. */

#include "solver/search/insert.h"

struct dcp_homeless {
    const struct dcp_problem *p;
    uint32_t *item; /* A heap: the largest first. */
    uint32_t n;
    uint32_t *penalty; /* By item, from 1. */
    double *cost;      /* By item: penalty x size^2. */
    uint32_t keep;     /* Not to be ejected; DCP_IX_NONE: none. */
    uint32_t *hosts;   /* That may take items. */
    uint32_t n_hosts;
    uint32_t *way[2]; /* Scratch: what is in the way, now and at best. */
    struct dcp_homeless_rank {
        uint32_t item;
        double cost;
    } * ranks;            /* Scratch: items of one host. */
    uint64_t n_ejections; /* Since it was made: the measure of work. */
};

bool dcp_homeless_init(struct dcp_homeless *, const struct dcp_problem *,
                       struct dcp_error *err) DCP_CHECKED;
void dcp_homeless_finish(struct dcp_homeless *);

/* 'item' has no place; it gets one by dcp_homeless_place(). */
void dcp_homeless_add(struct dcp_homeless *, uint32_t item);
/* Empties the pool and forgets penalties. */
void dcp_homeless_clear(struct dcp_homeless *);

void dcp_homeless_set_penalty(struct dcp_homeless *, uint32_t item,
                              uint32_t penalty);

/* Makes room on some host for 'item' to restart there after a loss: what is in
 * the way goes elsewhere; false: not done, and some may be left in the pool. */
bool dcp_homeless_make_room(struct dcp_homeless *, struct dcp_inserter *,
                            uint32_t item, uint64_t max_ejections,
                            uint32_t hosts_each);

/* Places all of the pool, with so many ejections at most, looking at so many
 * hosts for each; false: some are left in the pool. */
bool dcp_homeless_place(struct dcp_homeless *, struct dcp_inserter *,
                        uint64_t max_ejections, uint32_t hosts_each);

#endif /* solver/search/eject.h */
