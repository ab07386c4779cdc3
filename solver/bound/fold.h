/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_BOUND_FOLD_H
#define DCP_SOLVER_BOUND_FOLD_H 1

/* A problem folded by host type: what its lower bound is made of.
 *
 * A *region* is a set of hosts that no item's reach leaves: what runs in it
 * needs room in it.  Where a hard rule separates two sets of items by host,
 * hosts are of one *side* or the other: those with an item of the first set
 * are side 0, all others side 1, but those that hold nothing are spares, for
 * one spare serves the losses of both sides.
 *
 * Lives in the problem's arena; private to solver/bound/. */

#include "solver/problem.h"

struct dcp_clique;
struct dcp_rack_groups;

struct dcp_fold {
    const struct dcp_problem *p;
    uint32_t n_types, n_sides, n_regions;
    uint32_t *example;     /* A host of each type. */
    double *n_min, *n_max; /* Hosts that must, and may, be on:
                            * [region * n_types + type]. */
    uint8_t *side;         /* By item: 0, 1, or DCP_FOLD_ANY: either. */
    uint8_t *region;       /* By host. */
    uint8_t *item_region;  /* By item. */
    /* Items by region, each region's ascending: of region r
     * by_region[first_of_region[r]] .. by_region[first_of_region[r + 1] - 1]. */
    uint32_t *by_region, *first_of_region;
    uint8_t *stays;        /* By reach class: restarts in its region alone. */
    bool *reserve;         /* A host of the part may be lost and all that was
                            * on it restarts in the part: by part number. */
    /* Once found (solver/bound/clique.h): of all items, then of those that need
     * each licence; NULL: not looked for. */
    const struct dcp_clique *cliques;
    /* Where racks or feeds may be lost (solver/bound/rack_groups.h); else
     * NULL. */
    const struct dcp_rack_groups *racks;
    /* Once dcp_bound_trim() was asked and there is policy.overload: sizes of
     * items by bucket, [range * n_items + item], and how many scenarios of the
     * bucket they stand for (0: none). */
    const uint32_t *trimmed_mhz, *n_trimmed;
};
#define DCP_FOLD_ANY 255u
enum { DCP_FOLD_SPARE = 2, DCP_FOLD_SIDES };

/* A part of the datacenter: a region (or DCP_FOLD_ANY) and a side (or
 * DCP_FOLD_ANY). */
struct dcp_part {
    uint32_t region, side;
};

bool
dcp_fold_in_part(const struct dcp_fold *, uint32_t item, struct dcp_part part);
/* Items of the part's region, on either side: what dcp_fold_in_part() has to be
 * asked of. */
struct dcp_fold_items {
    const uint32_t *ix;
    uint32_t n;
};
struct dcp_fold_items dcp_fold_items(const struct dcp_fold *,
                                     struct dcp_part part);
/* All parts by number, from 0; false for those that say nothing new. */
uint32_t dcp_fold_n_parts(const struct dcp_fold *);
bool dcp_fold_part(const struct dcp_fold *, uint32_t ix, struct dcp_part *out);
/* Hosts of a type that the part may have. */
double dcp_fold_most_hosts(const struct dcp_fold *, struct dcp_part part,
                           uint32_t type);
/* False: no memory. */
bool
dcp_fold_make(const struct dcp_problem *, struct dcp_fold *out) DCP_CHECKED;

#endif /* solver/bound/fold.h */
