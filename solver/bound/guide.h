/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_BOUND_GUIDE_H
#define DCP_SOLVER_BOUND_GUIDE_H 1

/* Prices for the lower bound's cuts (solver/bound/prices.h): the duals of a
 * linear program that places fractions of clusters of like items on cells.
 * A guide only: nothing is taken from it as true.  Private to
 * solver/bound/. */

#include "solver/bound/energy.h"

/* Hosts of a cell, and what they are taken to draw when they hold something: a
 * convex curve.  Below the knee, the corner at which the curve's slope falls
 * most, it is the envelope up to there, its last line continued upwards; above
 * it that from the knee on, its first line continued downwards: of one slot the
 * curve itself is about the lower of these two.  Parts of a cell have prices of
 * their own, so VMs that ask for little CPU cost more than a share of hosts
 * that all of them are on. */
enum dcp_bound_draw {
    DCP_BOUND_DRAW_ENVELOPE, /* Of the whole curve; with 'low', from there on,
                              * its first line continued downwards. */
    DCP_BOUND_DRAW_BELOW,
    DCP_BOUND_DRAW_ABOVE,
};
struct dcp_bound_part {
    uint32_t cell;
    enum dcp_bound_draw draw;
    const double *low; /* By group; NULL: 0. */
    double fill_frac;  /* Of its room, at most; 0: all of it. */
};

struct dcp_bound_guide {
    const struct dcp_bound_energy *e;
    bool solved; /* Else there are no prices. */
    const struct dcp_bound_part *part;
    uint32_t n_parts;
    double *load_price; /* Of a MHz: [part * n_groups + group]. */
    double *room_price; /* Of a unit of capacity: [part * n_rooms + room]. */
    double *host_price; /* By cell: of using a host that is on, besides energy;
                         * where none was given. */
    double *on; /* Hosts that it has on, [region * n_types + type]; likewise. */
    double *part_on; /* By part: hosts of it that hold something. */
    uint32_t n_rooms; /* Scalars, then CPU in 'busiest'. */
    uint32_t busiest; /* The slot with most demand. */
    uint8_t *may_use; /* [reach class * n_types + type] */
};

/* Borrows the parts, of each cell some.  'host_price' (by cell) stands for the
 * program over hosts with its costs and rows, which makes it smaller by far;
 * NULL: it is in.  NULL: DCP_E_NOMEM, DCP_E_BUG. */
struct dcp_bound_guide *
dcp_bound_guide_create(const struct dcp_bound_energy *,
                       const struct dcp_bound_part *, uint32_t n_parts,
                       const double *host_price, int64_t deadline_ms,
                       struct dcp_error *err) DCP_CHECKED;
void dcp_bound_guide_destroy(struct dcp_bound_guide *);
DCP_DEFINE_AUTO(dcp_bound_guide)

bool dcp_bound_guide_may_use(const struct dcp_bound_guide *, uint32_t item,
                             uint32_t cell);
double dcp_bound_guide_need(const struct dcp_bound_guide *, uint32_t item,
                            uint32_t room);
double dcp_bound_guide_room(const struct dcp_bound_guide *, uint32_t type,
                            uint32_t room);

#endif /* solver/bound/guide.h */
