/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_SEARCH_SCARCE_H
#define DCP_SOLVER_SEARCH_SCARCE_H 1

/* A few dear hosts for a few items: which hosts, and what goes where.
 *
 * Items that need a scarce licence are few and its hosts cost more than all
 * else about them, so one host fewer, or a smaller one, is worth much effort
 * on an instance that is small.  Mixes of hosts (so many of each type
 * and reach) are
 * listed by rising cost, those left out that sums of some resource or slot,
 * reach, or a pair that no host may hold, show to be too small.  For each of
 * the first DCP_SCARCE_MIXES the items are annealed: what is over capacity is
 * allowed, in shares of the host, and summed over all slots and scalars, as
 * are pairs that hard rules keep apart; moves and swaps bring the sum to
 * nothing.  (Kirkpatrick, Gelatt & Vecchi, *Optimization by simulated
 * annealing*, Science 220, 1983.)  The first mix that holds everything is the
 * answer.
 *
 * A heuristic: a mix that was given up may do.  What it answers fits in whole
 * numbers, in CPU and scalars; network, watts, samples of the joint history and
 * rules over racks and the like are not looked at, so whoever carries it out
 * asks the state.  Deterministic; thread-safe. */

#include "model/base/rng.h"
#include "solver/problem.h"

#define DCP_SCARCE_ITEMS_MAX 400u
#define DCP_SCARCE_HOSTS_MAX 16u
#define DCP_SCARCE_SORTS_MAX 32u /* Of hosts, by type and reach. */
#define DCP_SCARCE_MIXES     12u

struct dcp_scarce {
    const struct dcp_problem *p;
    const uint32_t *item;
    uint32_t n_items;
    const uint8_t *usable; /* By host. */
    const double *wanted;  /* By host: of one type, rather those with more. */
    const double *cost;    /* Of a host, by type; above 0. */
};

struct dcp_scarce_packing {
    uint32_t n_hosts, host[DCP_SCARCE_HOSTS_MAX];
    uint32_t *at; /* By item: its place in 'host'. */
    double cost;
};
void dcp_scarce_packing_finish(struct dcp_scarce_packing *);

/* The cheapest that it finds; *out_found false: none, or there is too much of
 * something. */
bool dcp_scarce_pack(const struct dcp_scarce *, uint64_t seed,
                     struct dcp_scarce_packing *out, bool *out_found,
                     struct dcp_error *err) DCP_CHECKED;

#endif /* solver/search/scarce.h */
