/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_HEADROOM_H
#define DCP_SOLVER_HEADROOM_H 1

/* N+1: for every loss that policy.survive names {host, rack, feed}, the
 * protected VMs that ran there have a place on hosts that are on, at planned
 * demand and allocated memory, obeying the rules that policy does not relax.
 * Shown by placing them, not by sums; each loss alone.
 *
 * A feed's loss takes the racks that have no other feed.  A VM with a disk of
 * its own on its host is lost with it and cannot be promised a place: it is
 * listed as not protected.  One that reaches no other host for another reason
 * has no place, and headroom fails. */

#include "solver/state.h"

struct dcp_loss_answer {
    struct dcp_object_ref {
        enum dcp_loss_kind kind;
        uint32_t ix; /* Host, rack or feed. */
    } lose;
    const uint32_t *vms;    /* Protected VMs that ran there, ascending. */
    const uint32_t *to;     /* Their new hosts, by position. */
    uint32_t n;
    const uint32_t *not_protected; /* The other VMs that ran there. */
    uint32_t n_not_protected;
};

struct dcp_headroom {
    bool ok;
    /* The first loss that is not survived, and an item without a place. */
    struct dcp_object_ref failed;
    uint32_t failed_kind; /* Index in policy.survive. */
    uint32_t failed_item;
    struct dcp_loss_answer *losses; /* In 'arena'; NULL when not recorded. */
    uint32_t n_losses;
};

/* Checks all losses of the problem's policy on 'state', which is as before
 * when it returns (though lists of items may be in another order).  With
 * 'arena' the places are recorded there.  'passed': where an earlier check
 * failed; losses before it are not played again (right when room was only
 * added since); NULL: all are played. */
bool dcp_headroom_check(struct dcp_state *, struct dcp_arena *arena,
                        const struct dcp_headroom *passed,
                        struct dcp_headroom *out, struct dcp_error *err)
    DCP_CHECKED;

#endif /* solver/headroom.h */
