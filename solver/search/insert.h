/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_SEARCH_INSERT_H
#define DCP_SOLVER_SEARCH_INSERT_H 1

/* The moves that searches are made of: take items off, put each on the best
 * host, undo.  A trail remembers every change so that it can be taken back. */

#include "model/base/rng.h"
#include "solver/state.h"

/* Changes in order; undone backwards. */
struct dcp_trail {
    struct dcp_change {
        uint32_t item; /* DCP_IX_NONE: a power change. */
        uint32_t host; /* Where the item was, or whose power changed. */
    } * change;
    uint32_t n, capacity;
    bool failed; /* Out of memory: the change was made, not remembered. */
};
void dcp_trail_finish(struct dcp_trail *);
void dcp_trail_undo(struct dcp_trail *, struct dcp_state *);
/* Back to where the trail had 'n' changes. */
void dcp_trail_undo_to(struct dcp_trail *, struct dcp_state *, uint32_t n);

struct dcp_inserter {
    struct dcp_state *s;
    struct dcp_weights weights;
    double *unit_weight; /* The same by the squared unit, CPU first:
                          * [type * (n_scalars + 1) + resource]. */
    uint32_t *class_first, *class_end; /* Hosts in reach of each class are
                                        * between these. */
    struct dcp_trail trail;
    struct dcp_rng rng;
    bool balance; /* Where much of what it asks for is left, instead of where
                   * it leaves least. */
    double blink_frac;     /* Hosts overlooked at random, for variety. */
    bool prefer_home;      /* Home, then start, before the tightest fit. */
    bool may_wake;         /* Switch on a host where none that is on fits. */
    uint32_t not_to;       /* Host to leave alone; DCP_IX_NONE: none. */
    const uint8_t *closed; /* By host: takes nothing; NULL: all do. */
    /* Licences, as bits: what each item needs, and what each host is to be
     * licensed for; an item goes only where it is covered.  NULL: anywhere. */
    const uint32_t *needs, *covered;
    uint32_t swap_tries; /* Ejections tried per item without a place. */
    uint32_t *scratch;   /* Room for all items; the owner frees it. */
};

bool dcp_inserter_init(struct dcp_inserter *, struct dcp_state *, uint64_t seed,
                       struct dcp_error *err) DCP_CHECKED;
void dcp_inserter_finish(struct dcp_inserter *);

/* Scarcity of each resource over the hosts that are on: its demand over its
 * capacity, squared. */
void dcp_inserter_set_weights(struct dcp_inserter *);

void dcp_insert_remove(struct dcp_inserter *, uint32_t item);
void dcp_insert_power(struct dcp_inserter *, uint32_t host, bool on);
/* Whether the host is one that may take items at all. */
bool dcp_insert_is_open(const struct dcp_inserter *, uint32_t host);
/* Whether the item's licences are among those of the host; see 'needs'. */
static inline bool
dcp_insert_is_covered(const struct dcp_inserter *in, uint32_t item,
                      uint32_t host)
{
    return !in->covered || !(in->needs[item] & ~in->covered[host]);
}
/* Places the item there, unasked. */
void dcp_insert_at(struct dcp_inserter *, uint32_t item, uint32_t host);
/* The best host for the item, or DCP_IX_NONE; places nothing. */
uint32_t dcp_insert_best_host(struct dcp_inserter *, uint32_t item);
/* Places the item on the best host; false: no host takes it (nothing then
 * changed, but what is on the trail). */
bool dcp_insert_one(struct dcp_inserter *, uint32_t item);
/* Places all, in the order of dcp_items_covered_first(), which 'items' is then
 * in; false at the first that fits nowhere: the caller undoes. */
bool dcp_insert_all(struct dcp_inserter *, uint32_t items[], uint32_t n);

#endif /* solver/search/insert.h */
