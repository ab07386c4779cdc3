/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_HEADROOM_H
#define DCP_SOLVER_HEADROOM_H 1

/* N+k: for every loss that policy.survive names ({host, rack, feed}, any
 * 'count' of them or fewer at once), the protected VMs that ran there have a
 * place on hosts that are on, at planned demand and allocated memory, obeying
 * the rules that policy does not relax.  Shown by placing them, not by sums.
 *
 * Of several at once there are two ways to show it:
 *  - each set of up to 'count' of them is played (up to DCP_LOSS_SETS_MAX
 *    sets);
 *  - of hosts: every host with protected VMs has 'count' stand-ins, hosts that
 *    are on and empty, each of which takes all of them (solver/stand_in.h).
 *    Whichever hosts are lost, j of them stand-ins, a lost host has count - j
 *    stand-ins left, and the other lost hosts took fewer: one is free.  So
 *    every set is survived, however many there are.
 * The second is tried first; it needs more room, and is sufficient, not
 * necessary.
 *
 * A feed's loss takes the racks that have no other feed.  A VM with a disk of
 * its own on its host is lost with it and cannot be promised a place: it is
 * listed as not protected.  One that reaches no other host for another reason
 * has no place, and headroom fails. */

#include "solver/state.h"

struct dcp_loss_set { /* Lost at once: of one kind, ascending. */
    enum dcp_loss_kind kind;
    uint32_t n;                        /* 0: nothing. */
    uint32_t ix[DCP_LOSS_AT_ONCE_MAX]; /* Hosts, racks or feeds. */
};

/* Whether the host goes down with it. */
bool dcp_headroom_loses(const struct dcp_inventory *,
                        const struct dcp_loss_set *, uint32_t host);
/* "host 'a' and host 'b'"; returns 'out'. */
const char *
dcp_loss_set_print(const struct dcp_inventory *, const struct dcp_loss_set *,
                   char *out, size_t size);

struct dcp_loss_answer {
    struct dcp_object_ref {
        enum dcp_loss_kind kind;
        uint32_t ix; /* Host, rack or feed. */
    } lose;
    const uint32_t *vms; /* Protected VMs that ran there, ascending. */
    const uint32_t *to;  /* Their new hosts, by position. */
    uint32_t n;
    const uint32_t *also; /* Lost with it: of the same kind, ascending. */
    uint32_t n_also;
    const uint32_t *stand_ins; /* Hosts that can take all of 'vms'. */
    uint32_t n_stand_ins;
    const uint32_t *not_protected; /* The other VMs that ran there. */
    uint32_t n_not_protected;
};

struct dcp_headroom {
    bool ok;
    /* The first loss that is not survived, and an item without a place. */
    struct dcp_loss_set failed;
    uint32_t failed_kind; /* Index in policy.survive. */
    uint32_t failed_item;
    bool too_few_stand_ins; /* What failed: the lost host has too few. */
    bool too_many_sets;     /* Of racks or feeds: more than are played. */
    struct dcp_loss_answer *losses; /* In 'arena'; NULL when not recorded. */
    uint32_t n_losses;
};

/* Checks all losses of the problem's policy on 'state', which is as before
 * when it returns (though lists of items may be in another order).  With
 * 'arena' the places are recorded there.  'passed': where an earlier check
 * failed; losses before it are not played again (right when room was only
 * added since); NULL: all are played. */
bool
dcp_headroom_check(struct dcp_state *, struct dcp_arena *arena,
                   const struct dcp_headroom *passed, struct dcp_headroom *out,
                   struct dcp_error *err) DCP_CHECKED;

#endif /* solver/headroom.h */
