/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_HEADROOM_BERTHS_H
#define DCP_SOLVER_HEADROOM_BERTHS_H 1

/* That any k objects may be lost at once, shown without looking at sets of
 * them: by room that is kept for parts of what each holds
 * (solver/headroom/berth_pool.h).
 *
 * A pool's items restart on any of its hosts.  So items are taken together
 * whose restarts reach much the same hosts, and those that reach fewest come
 * first.  The sides of a separate rule over hosts are pools of their own, on
 * hosts of their own.  Where another rule that counts after a loss looks at
 * where others are, all that is protected on the item's host goes to an empty
 * host together, as to a stand-in (solver/headroom/stand_in.h): one host takes
 * the place of one host.  With policy.overload so does everything.
 *
 * A heuristic, and berths are sufficient, not necessary: that too few are found
 * proves nothing. */

#include "solver/headroom/loss_play.h"

struct dcp_berth_answer { /* A pool, by VM; see struct dcp_berths. */
    enum dcp_loss_kind kind;
    const uint32_t *hosts, *n_at;
    uint32_t n_hosts;
    const uint32_t *vms, *first;
    uint32_t n_parts;
};

struct dcp_berths_found {
    bool ok;
    uint32_t failed_item; /* Of what found too few berths, the largest. */
    bool failed_whole;    /* It asks for empty hosts. */
    /* Recorded: pools, one at least, and by item where it restarts when its
     * object alone is lost (DCP_IX_NONE: it is lost with none). */
    struct dcp_berth_answer *pools;
    uint32_t n_pools;
    uint32_t *to;
};

/* Looks for berths for any 'count' of the kind, on the play's state, which is
 * as before when it returns (though lists of items may be in another order).
 * With 'arena' they are recorded there.  False: no memory. */
bool dcp_berths_find(struct dcp_loss_play *, enum dcp_loss_kind, uint32_t count,
                     struct dcp_arena *arena,
                     struct dcp_berths_found *out) DCP_CHECKED;

#endif /* solver/headroom/berths.h */
