/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_HEADROOM_LOSS_PLAY_H
#define DCP_SOLVER_HEADROOM_LOSS_PLAY_H 1

/* One loss, played on the state itself and taken back: the lost items are
 * removed, the protected ones placed largest first on the emptiest host that
 * takes them, and if one finds no room the loss is tried once more by best fit;
 * of few items on few hosts, in every way, up to a number of tries.
 *
 *   dcp_loss_play_hosts(), and where it takes some host down:
 *   dcp_loss_play_begin(), then dcp_loss_play_restart() or _put(),
 *   dcp_loss_play_record() if wished, dcp_loss_play_end(). */

#include "solver/headroom/loss_set.h"
#include "solver/state.h"

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

struct dcp_loss_play {
    struct dcp_state *s;
    const uint8_t *only; /* By host: losses of these alone, which restart among
                          * themselves; NULL: all. */
    struct dcp_roomy_host {
        uint32_t host, room;
    } * roomy; /* Hosts that are on, the emptiest first: the order of first fit.
                * Each loss is taken back before the next, so it stays right. */
    uint32_t n_roomy;
    uint32_t *lost_hosts;
    uint32_t n_lost_hosts;
    uint32_t *items, *from; /* Lost items and where they were; between losses
                             * 'items' is the caller's to use. */
    uint32_t n_items;
    uint32_t *order; /* Protected ones, largest first. */
    uint32_t n_protected;
    bool is_unsure; /* The last restart failed, and not in every way. */
    struct dcp_weights weights;
};

/* False: no memory; then, too, finish it. */
bool dcp_loss_play_init(struct dcp_loss_play *, struct dcp_state *,
                        const uint8_t *only);
void dcp_loss_play_finish(struct dcp_loss_play *);

/* Finds the hosts that are on and go down with the set; returns how many. */
uint32_t
dcp_loss_play_hosts(struct dcp_loss_play *, const struct dcp_loss_set *);
/* Takes the lost hosts' items off and their power away. */
void dcp_loss_play_begin(struct dcp_loss_play *);
/* Places the protected items; the first without a place, or DCP_IX_NONE. */
uint32_t dcp_loss_play_restart(struct dcp_loss_play *);
/* Places them all on 'host', unasked. */
void dcp_loss_play_put(struct dcp_loss_play *, uint32_t host);
/* Each protected item on the host that 'to' has for it, unasked. */
void dcp_loss_play_put_each(struct dcp_loss_play *, const uint32_t *to);
/* Writes the loss and the places down, in 'arena'; false: no memory. */
bool
dcp_loss_play_record(const struct dcp_loss_play *, const struct dcp_loss_set *,
                     struct dcp_arena *, struct dcp_loss_answer *out);
/* All as it was before the loss. */
void dcp_loss_play_end(struct dcp_loss_play *);

#endif /* solver/headroom/loss_play.h */
