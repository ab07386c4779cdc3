/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_HEADROOM_LOSS_SET_H
#define DCP_SOLVER_HEADROOM_LOSS_SET_H 1

/* What may be lost at once: sets of hosts, of racks or of feeds, and how to go
 * through all sets of up to so many, as policy.survive asks for them.  A feed's
 * loss takes the racks that have no other feed. */

#include "model/inventory.h"

struct dcp_loss_set { /* Lost at once: of one kind, ascending. */
    enum dcp_loss_kind kind;
    uint32_t n;                        /* 0: nothing. */
    uint32_t ix[DCP_LOSS_AT_ONCE_MAX]; /* Hosts, racks or feeds. */
};

/* The object of that kind that the host goes down with; DCP_IX_NONE: none. */
uint32_t dcp_loss_object_of(const struct dcp_inventory *, enum dcp_loss_kind,
                            uint32_t host);
/* Whether the host goes down with it. */
bool dcp_loss_set_has(const struct dcp_inventory *, const struct dcp_loss_set *,
                      uint32_t host);
/* "host 'a' and host 'b'"; returns 'out'. */
const char *
dcp_loss_set_print(const struct dcp_inventory *, const struct dcp_loss_set *,
                   char *out, size_t size);

/* Objects of the kind that the model has. */
uint32_t dcp_loss_objects(const struct dcp_inventory *, enum dcp_loss_kind);
/* The most at once that policy names of the kind of entry 'k' of its list; 0:
 * an earlier entry is of that kind. */
uint32_t dcp_loss_most_at_once(const struct dcp_policy *, uint32_t k);

/* Sets of 1 to 'count' out of n, or more than any limit. */
uint64_t dcp_loss_count_sets(uint32_t n, uint32_t count);
/* The next set of 'k' places out of n, ascending; the first is 0, 1, ... False:
 * that was the last. */
bool dcp_loss_next_places(uint32_t place[], uint32_t k, uint32_t n);
/* Whether 'set' comes before 'other' where large sets come first. */
bool dcp_loss_set_is_before(const struct dcp_loss_set *set,
                            const struct dcp_loss_set *other);

#endif /* solver/headroom/loss_set.h */
