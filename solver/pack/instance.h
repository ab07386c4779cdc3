/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_PACK_INSTANCE_H
#define DCP_SOLVER_PACK_INSTANCE_H 1

/* A packing problem as the engine works on it: checked, equal item types
 * merged, items in an order that does not depend on how they were given
 * (largest first, then by size), rows padded with zeros to whole vectors.
 *
 * Immutable once created; shared by threads. */

#include "solver/pack/pack.h"

/* Sums of price times demand. */
__extension__ typedef __int128 dcp_pack_wide;

struct dcp_pack_instance {
    const struct dcp_pack_problem *problem; /* Borrowed. */
    uint32_t d, w;     /* Dimensions; the same padded to a multiple of four. */
    uint32_t n, m;     /* Types of items, of bins. */
    uint32_t n_items;  /* Sum of demands. */
    int32_t *size;     /* [n * w] */
    uint32_t *demand;  /* [n] at least 1 */
    int32_t *capacity; /* [m * w] */
    uint32_t *cost, *limit; /* [m] */
    uint8_t *allowed;       /* [m * n]; NULL: all */
    int64_t *total;         /* [d] sum of demand * size */
    int64_t *lent;          /* [d] sum of demand * -size of negative sizes */
    uint32_t n_negative;    /* How many types have a negative size. */
    bool *negative;         /* [n] it has one. */
    uint32_t *origin_first; /* [n + 1] into origin: the given types that a
                             * type stands for. */
    uint32_t *origin;
    bool uniform; /* One bin type, no limit that binds, cost 1. */
};

/* DCP_E_ARGUMENT: the problem breaks pack.h's limits. */
struct dcp_pack_instance *
dcp_pack_instance_create(const struct dcp_pack_problem *,
                         struct dcp_error *err) DCP_CHECKED;
void dcp_pack_instance_destroy(struct dcp_pack_instance *);
DCP_DEFINE_AUTO(dcp_pack_instance)

static inline const int32_t *
dcp_pack_size(const struct dcp_pack_instance *in, uint32_t item)
{
    return in->size + (size_t)item * in->w;
}

static inline const int32_t *
dcp_pack_room(const struct dcp_pack_instance *in, uint32_t bin)
{
    return in->capacity + (size_t)bin * in->w;
}

static inline bool
dcp_pack_allowed(const struct dcp_pack_instance *in, uint32_t bin,
                 uint32_t item)
{
    return !in->allowed || in->allowed[(size_t)bin * in->n + item];
}

/* Whether 'size' goes into 'room'; both [w]. */
static inline bool
dcp_pack_fits(const int32_t *room, const int32_t *size, uint32_t w)
{
    int32_t below = 0;

    for (uint32_t k = 0; k < w; k += 4) {
        below |= (room[k] - size[k]) | (room[k + 1] - size[k + 1]) |
                 (room[k + 2] - size[k + 2]) | (room[k + 3] - size[k + 3]);
    }
    return below >= 0;
}

static inline void
dcp_pack_take(int32_t *room, const int32_t *size, uint32_t w)
{
    for (uint32_t k = 0; k < w; k++) {
        room[k] -= size[k];
    }
}

static inline void
dcp_pack_give(int32_t *room, const int32_t *size, uint32_t w)
{
    for (uint32_t k = 0; k < w; k++) {
        room[k] += size[k];
    }
}

/* A packing in progress: items in the order placed, each with its bin. */
struct dcp_pack_draft {
    uint32_t n_bins, n_placed;
    uint32_t *bin_type; /* [n_items] */
    uint32_t *item;     /* [n_items] */
    uint32_t *in_bin;   /* [n_items] */
    uint64_t cost;
};
bool dcp_pack_draft_init(struct dcp_pack_draft *,
                         const struct dcp_pack_instance *) DCP_CHECKED;
void dcp_pack_draft_finish(struct dcp_pack_draft *);
void
dcp_pack_draft_copy(struct dcp_pack_draft *, const struct dcp_pack_draft *from);
/* Gives each bin the cheapest type that takes its content, while limits last;
 * drops empty bins; counts the cost. */
bool dcp_pack_draft_settle(struct dcp_pack_draft *,
                           const struct dcp_pack_instance *) DCP_CHECKED;

/* The draft, complete, in the caller's item types. */
bool dcp_pack_draft_export(const struct dcp_pack_draft *,
                           const struct dcp_pack_instance *,
                           struct dcp_pack_packing *out,
                           struct dcp_error *err) DCP_CHECKED;

#endif /* solver/pack/instance.h */
