/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_SEARCH_RACKS_H
#define DCP_SOLVER_SEARCH_RACKS_H 1

/* Where racks or feeds may be lost: which hosts to keep on, so that no rack has
 * more exposed than is spare (solver/headroom/loss_sums.h).  As many of each
 * type in each group of racks as the bound's program has on
 * (solver/bound/bound.h), evenly over the racks of a group.
 *
 * Nothing is asked, and nothing done, where no rack or feed may be lost.  A
 * heuristic; private to solver/search/. */

#include "solver/search/parts.h"

/* Puts hosts in the order in which to keep them; those that come first keep
 * their order within a rack.  Hosts that are on and not among them count as
 * kept.  False: no memory. */
bool dcp_search_rank_by_racks(const struct search *, struct dcp_ranked_host *,
                              uint32_t n) DCP_CHECKED;

/* Marks in 'closed' hosts to be kept empty until all else is packed: of each
 * rack the share of its hosts that the spare is of all, so that what a loss
 * takes finds room in whole hosts; VMs that are large find none in what is left
 * on many.  False: no memory. */
bool
dcp_search_reserve_in_racks(const struct search *, uint8_t *closed) DCP_CHECKED;

/* Where a state that is kept has less spare than a loss of racks or feeds takes,
 * in sums, by zone: what changes from here may not add to.  For the beginning
 * of a part, and after each change that was kept. */
void dcp_search_note_losses(struct search *);
/* Whether, in sums, the losses of racks and feeds are survived, or no zone has
 * got any worse. */
bool dcp_search_losses_hold(const struct search *);
/* The same without a host that is on. */
bool dcp_search_losses_hold_without(struct search *, uint32_t host);
/* Whether a host that is off may be switched on without what goes down with it
 * being more than is spare then. */
bool dcp_search_may_expose(struct search *, uint32_t host);

/* Switches hosts on until the losses are survived in sums, or none helps; on
 * the trail. */
void dcp_search_wake_for_losses(struct search *);

/* Takes all off the region's hosts into the pool where some rack has more
 * exposed than is spare and what has no promise could be there instead; of the
 * pool, that goes to such racks first.  On the trail. */
void dcp_search_place_unpromised(struct search *, uint32_t region);

#endif /* solver/search/racks.h */
