/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_HEADROOM_HEADROOM_H
#define DCP_SOLVER_HEADROOM_HEADROOM_H 1

/* N+k: for every loss that policy.survive names ({host, rack, feed}, any
 * 'count' of them or fewer at once), the protected VMs that ran there have a
 * place on hosts that are on, at planned demand and allocated memory, obeying
 * the rules that policy does not relax.  Shown by placing them
 * (solver/headroom/loss_play.h), not by sums.
 *
 * Of several at once there are three ways to show it, tried in this order:
 *  - stand-ins, of hosts only: every host with protected VMs has 'count' others
 *    that are on and empty, each of which takes all of them
 *    (solver/headroom/stand_in.h).  Whichever hosts are lost, j of them
 *    stand-ins, a lost host has count - j stand-ins left, and the other lost
 *    hosts took fewer: one is free.
 *  - berths, where sets are many: room is kept for parts of what each holds
 *    (solver/headroom/berths.h).
 *  - sets: each set of up to 'count' of them is played, where there are few.
 * The first two do whatever the number of sets, need more room, and are
 * sufficient, not necessary.
 *
 * A feed's loss takes the racks that have no other feed.  A VM with a disk of
 * its own on its host is lost with it and cannot be promised a place: it is
 * listed as not protected.  One that reaches no other host for another reason
 * has no place, and headroom fails. */

#include "solver/headroom/berths.h"

enum dcp_loss_form { /* In struct dcp_state's loss_form. */
                     DCP_LOSS_UNKNOWN,
                     DCP_LOSS_BY_STAND_INS,
                     DCP_LOSS_BY_BERTHS,
                     DCP_LOSS_BY_SETS
};

struct dcp_headroom {
    bool ok;
    uint8_t
        form[DCP_LOSS_KINDS]; /* By kind, as enum dcp_loss_form, where ok. */
    /* The first loss that is not survived, and an item without a place. */
    struct dcp_loss_set failed;
    uint32_t failed_kind; /* Index in policy.survive. */
    uint32_t failed_item;
    bool too_few_stand_ins; /* What failed: the lost host has too few. */
    bool too_few_berths;    /* What failed: room that is kept is too little; */
    bool too_few_empty;     /* for all of a host together. */
    bool is_unsure; /* What failed was not tried in every way. */
    struct dcp_loss_answer *losses; /* In 'arena'; NULL when not recorded. */
    uint32_t n_losses;
    struct dcp_berth_answer *berths; /* Likewise. */
    uint32_t n_berths;
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
/* For a search, which can do something about what fails: where berths are too
 * few for an item that a host could be woken for, fewer sets are played.  All
 * losses were survived before hosts in 'changed' (by host; NULL: all) changed,
 * and these share nothing with the others: losses of these alone are played
 * (solver/search/islands.h), by the form that showed the whole, or of the whole
 * where that is not known.  What passes, passes dcp_headroom_check() too. */
bool dcp_headroom_check_searching(struct dcp_state *, const uint8_t *changed,
                                  const struct dcp_headroom *passed,
                                  struct dcp_headroom *out,
                                  struct dcp_error *err) DCP_CHECKED;
/* The state stays as it was shown to survive: that is the form from now on. */
void dcp_headroom_accept(struct dcp_state *, const struct dcp_headroom *shown);
/* Whether the host is off, could be switched on, and the item restart there. */
bool dcp_headroom_could_wake(struct dcp_state *, uint32_t item, uint32_t host);

/* The losses of these hosts alone, one at a time, where policy wants to survive
 * hosts: for a change that touched no others, a quick look that finds most of
 * what a whole check would refuse.  They are played as sets are, so stand-ins or
 * berths might still show what it refuses; where it does not, another host may
 * have lost the room that it restarts in. */
bool dcp_headroom_check_hosts(struct dcp_state *, const uint32_t *hosts,
                              uint32_t n, bool *out_ok,
                              struct dcp_error *err) DCP_CHECKED;

#endif /* solver/headroom/headroom.h */
