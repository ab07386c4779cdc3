/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_COMPILE_CHANCE_H
#define DCP_SOLVER_COMPILE_CHANCE_H 1

/* The chance constraint of policy.overload in the search: what the items of a
 * host wanted at the same instants of the past (model/scenarios.h), added up
 * per scenario and kept so by each move.
 *
 * A host takes an item when in no slot more of the scenarios are above its
 * limit than are allowed.  The test is one pass over two rows without a branch
 * inside a slot, and is not made at all where the two highest scenarios add up
 * to less than the limit.  All of it is absent (NULL) where policy does not
 * ask, at no cost.
 *
 * Adding an item never makes fewer scenarios overload, so what is proved of
 * waits for room (docs/solver.md) holds for these limits too. */

#include "model/demand.h"
#include "model/placement.h"

struct dcp_question;

/* Compiled; immutable. */
struct dcp_chance {
    uint32_t n, stride;       /* Columns of the question's slots. */
    uint32_t n_ranges;        /* Distinct buckets of these slots. */
    const uint32_t *first;    /* n_ranges + 1: columns of each. */
    const uint32_t *allowed;  /* By range: scenarios that may overload. */
    const uint32_t *slot;     /* By range: its first slot in the question. */
    const uint32_t *mhz;      /* [item * stride + column], padding 0. */
    const uint32_t *peak_mhz; /* [item] */
    const uint32_t *limit_mhz, *full_mhz; /* [host]; full: after a loss. */
};

/* *out NULL: not asked for.  In 'arena'. */
bool dcp_chance_compile(const struct dcp_question *, struct dcp_arena *,
                        const uint32_t *item_of_vm, uint32_t n_items,
                        const struct dcp_chance **out,
                        struct dcp_error *err) DCP_CHECKED;

/* The sums of one state. */
struct dcp_chance_load {
    const struct dcp_chance *c;
    uint32_t n_hosts;
    uint32_t *mhz;      /* [host * stride + column] */
    uint32_t *peak_mhz; /* [host] */
    uint32_t *ends_mhz; /* While VMs move: see dcp_chance_load_ends(). */
};

struct dcp_chance_load *
dcp_chance_load_create(const struct dcp_chance *, uint32_t n_hosts);
void dcp_chance_load_destroy(struct dcp_chance_load *);
void dcp_chance_load_assign(struct dcp_chance_load *to,
                            const struct dcp_chance_load *from);
void
dcp_chance_load_add(struct dcp_chance_load *, uint32_t item, uint32_t host);
void
dcp_chance_load_sub(struct dcp_chance_load *, uint32_t item, uint32_t host);

/* From here on a host is full where any scenario is above its limit and above
 * what both ends of the leg have there: in no state of the leg is a host
 * overloaded in a scenario in which neither end overloads it.  'to' is the
 * end; the start is what the sums are now.  Items are VMs.  NULL is fine. */
bool dcp_chance_load_ends(struct dcp_chance_load *,
                          const struct dcp_placement *to,
                          struct dcp_error *err) DCP_CHECKED;

/* Whether 'item' (not on it) has room on 'host'. */
bool dcp_chance_fits(const struct dcp_chance_load *, uint32_t item,
                     uint32_t host, bool after_loss);
/* Whether the host is too full as it is. */
bool dcp_chance_overloaded(const struct dcp_chance_load *, uint32_t host);

/* The range (bucket) with most scenarios too many if 'item' came (DCP_IX_NONE:
 * as it is), and how many are above the limit there. */
uint32_t dcp_chance_worst(const struct dcp_chance_load *, uint32_t item,
                          uint32_t host, uint32_t *out_range);

#endif /* solver/compile/chance.h */
