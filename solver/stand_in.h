/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_STAND_IN_H
#define DCP_SOLVER_STAND_IN_H 1

/* An empty host in another's place: all its VMs go there together.
 *
 * What rules say of the whole then stays what it was, whatever else stands in
 * for whatever else: one host takes the place of one host.  So rules over
 * hosts need no look; of rules over larger places both hosts must be in the
 * same one.  That makes any number of stand-ins legal at the same time once
 * each is legal alone, and f of them enough for any f hosts that fail. */

#include "solver/state.h"

/* Whether 'spare' (on, empty) takes all of 'host' within the limits after a
 * loss; the state is as before, though lists of items may be in another
 * order.  'items': room for all of the host. */
bool dcp_stands_in(struct dcp_state *, uint32_t spare, uint32_t host,
                   uint32_t *items);

/* Hosts that are off and may be woken to stand in, cheapest for their room
 * first; 'out' has room for all hosts.  Returns how many. */
uint32_t
dcp_stand_in_candidates(const struct dcp_state *,
                        const struct dcp_placement *night, uint32_t *out);

#endif /* solver/stand_in.h */
