/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_HEADROOM_STAND_IN_H
#define DCP_SOLVER_HEADROOM_STAND_IN_H 1

/* An empty host in the place of one that is lost: all its protected VMs restart
 * there together.
 *
 * What rules say of the whole then stays what it was, whatever else stands in
 * for whatever else: one host takes the place of one host.  So rules over
 * hosts need no look; of rules over larger places both hosts must be in the
 * same one.  That makes any number of stand-ins legal at the same time once
 * each is legal alone, and k of them enough for any k hosts that are lost.
 * Hosts that do not boot have spares of their own, solver/headroom/spares.h:
 * there VMs come by live moves, and may be parted; rules are asked as here. */

#include "solver/state.h"

/* Whether a rule that counts after a loss ties the item to a place larger than
 * a host. */
bool dcp_stand_in_is_tied(const struct dcp_problem *, uint32_t item);
/* Whether 'spare' is where those rules want it, in the place of 'host'. */
bool dcp_stand_in_keeps_place(const struct dcp_problem *, uint32_t item,
                              uint32_t spare, uint32_t host);

/* Whether 'spare' (on, empty) takes all that is protected on 'host' within the
 * limits after a loss; the state is as before, though lists of items may be in
 * another order.  'items': room for all of the host. */
bool dcp_stands_in(struct dcp_state *, uint32_t spare, uint32_t host,
                   uint32_t *items);

#endif /* solver/headroom/stand_in.h */
