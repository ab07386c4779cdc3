/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_BOUND_PRICES_H
#define DCP_SOLVER_BOUND_PRICES_H 1

/* Energy in the lower bound by prices of items, which sees that a VM is in one
 * place in all slots and that a host is not empty in one slot and full in the
 * next.
 *
 * Give each item i a price u_i, any price.  Let v_c be at most the least of
 * (energy of a host of cell c) - (prices of its items) over all sets of items
 * that such a host may hold.  Summed over the hosts of any placement,
 *     energy of all hosts >= sum_i u_i + sum_c v_c y_c,
 * for each item is on one host: weak duality of the program over sets of items
 * (Dantzig & Wolfe, Oper. Res. 8, 1960; Gilmore & Gomory, Oper. Res. 9, 1961;
 * the bound of any prices: Farley, Oper. Res. 38, 1990), in which u prices the
 * rows "each item is somewhere".  The program over whole hosts
 * (solver/bound/bound.h) with v_c as what a host costs, plus sum u_i, is
 * therefore a lower bound, and keeps all that it knows of y besides.
 *
 * Prices may be those of slots added up, each with a program of its own: with
 * u_i = sum_g u_gi and v_gc the least in slot g alone, sum_g v_gc is no more
 * than the least over all slots together, for that is one set in all of them. A
 * single slot's pricing is exact where that of many is not.
 *
 * Prices come from solver/bound/guide.h: u_i is the cheapest cell's bill for
 * what item i asks.  Whatever they are, what is proved of them is computed from
 * the items themselves.  v_c: solver/bound/pattern.h.
 *
 * Private to solver/bound/. */

#include "solver/bound/energy.h"

enum { DCP_BOUND_PRICES_MAX = 3 };

struct dcp_bound_prices {
    uint32_t n;
    double base[DCP_BOUND_PRICES_MAX];      /* Sum of u, rounded down. */
    double *per_host[DCP_BOUND_PRICES_MAX]; /* v, by cell. */
};
void dcp_bound_prices_finish(struct dcp_bound_prices *);

/* Finds prices, until 'deadline_ms' (monotonic) at the latest; the work is
 * limited besides, so that without a clock results repeat.  False: DCP_E_NOMEM,
 * DCP_E_BUG. */
bool dcp_bound_prices_find(const struct dcp_bound_energy *, int64_t deadline_ms,
                           struct dcp_bound_prices *out,
                           struct dcp_error *err) DCP_CHECKED;

/* Hosts of each type on in each region, [region * n_types + type]: those of a
 * guide whose hosts are below the knee of their curve in all slots, or above
 * it; and, by type, the share of them that are below.  No bound and no answer,
 * but nearer to what placements cost than the envelope is.  '*out_found' false:
 * there is none, and all else is as it was. */
bool dcp_bound_prices_mix(const struct dcp_bound_energy *, int64_t deadline_ms,
                          double *type_on, double *below_frac, bool *out_found,
                          struct dcp_error *err) DCP_CHECKED;

#endif /* solver/bound/prices.h */
