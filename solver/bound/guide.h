/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_BOUND_GUIDE_H
#define DCP_SOLVER_BOUND_GUIDE_H 1

/* Prices for the lower bound's cuts (solver/bound/prices.h): the duals of a
 * linear program that places fractions of clusters of like items on cells.
 * A guide only: nothing is taken from it as true.  Private to
 * solver/bound/. */

#include "solver/bound/energy.h"

struct dcp_bound_guide {
    const struct dcp_bound_energy *e;
    bool solved;        /* Else there are no prices. */
    double *load_price; /* Of a MHz: [cell * n_groups + group]. */
    double *room_price; /* Of a unit of capacity: [cell * n_rooms + room]. */
    uint32_t n_rooms;   /* Scalars, then CPU in 'busiest'. */
    uint32_t busiest;   /* The slot with most demand. */
    uint8_t *may_use;   /* [reach class * n_types + type] */
};

/* Hosts that hold something are taken to draw, below 'low' MHz by cell and
 * group (NULL: 0), what a line continued from above would say: a way to get
 * prices that charge for a host more than being idle costs.  NULL: DCP_E_NOMEM,
 * DCP_E_BUG. */
struct dcp_bound_guide *
dcp_bound_guide_create(const struct dcp_bound_energy *, const double *low,
                       int64_t deadline_ms, struct dcp_error *err) DCP_CHECKED;
void dcp_bound_guide_destroy(struct dcp_bound_guide *);
DCP_DEFINE_AUTO(dcp_bound_guide)

bool dcp_bound_guide_may_use(const struct dcp_bound_guide *, uint32_t item,
                             uint32_t cell);
double dcp_bound_guide_need(const struct dcp_bound_guide *, uint32_t item,
                            uint32_t room);
double dcp_bound_guide_room(const struct dcp_bound_guide *, uint32_t type,
                            uint32_t room);

#endif /* solver/bound/guide.h */
