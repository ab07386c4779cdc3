/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_BALANCE_EVEN_PARTS_H
#define DCP_SOLVER_BALANCE_EVEN_PARTS_H 1

/* One search of solver/balance/even.h under way; private to it. */

#include "model/base/rng.h"
#include "solver/balance/even.h"

/* VMs that are not where they started, and those of them whose host has another
 * hypervisor than that. */
struct even_away {
    uint32_t n_moved, n_converted;
};

struct even {
    struct dcp_state *s;
    const struct dcp_problem *p;
    const struct dcp_even_options *o;
    struct dcp_evenness e;
    struct dcp_rng rng;
    double value, per_move;       /* Of the state; what a moved VM must gain; */
    double per_conversion;        /* a converted one that much more. */
    struct even_away away, limit; /* Limits: UINT32_MAX: none. */
    uint32_t *items, n_items;     /* That have somewhere else to go. */
    uint32_t *hosts, n_hosts;     /* That count, most pressing first. */
    double *pressure;             /* By host. */
    uint32_t *moved, *moved_at, n_moved_items;
    uint8_t *stuck;      /* By host: no move from it is worth it. */
    uint8_t *frozen;     /* By item: headroom stood against its move. */
    uint32_t *best_host; /* By item, of the best state. */
    double best;         /* Its value and moves. */
    bool check_each;     /* Headroom, at each step. */
    uint64_t trials;
    bool out_of_time;
};

/* What is made small. */
double dcp_even_cost(const struct even *);
uint32_t dcp_even_n_vms(const struct even *, uint32_t item);
/* VMs away from the start if the item were on 'to', 'other' (or DCP_IX_NONE)
 * in its place; what that must gain; and whether it is within the limits. */
struct even_away dcp_even_away_with(const struct even *, uint32_t item,
                                    uint32_t to, uint32_t other);
double dcp_even_toll(const struct even *, struct even_away);
bool dcp_even_is_within(const struct even *, struct even_away);
/* Whether the item may go to 'to', 'other' (or DCP_IX_NONE) coming from there
 * in exchange. */
bool
dcp_even_is_legal(struct even *, uint32_t item, uint32_t to, uint32_t other);
void dcp_even_go(struct even *, uint32_t item, uint32_t to, uint32_t other);
void dcp_even_keep_best(struct even *);
void dcp_even_restore_best(struct even *);
bool dcp_even_time_is_up(struct even *);

/* solver/balance/even_anneal.c */
void dcp_even_anneal(struct even *, uint64_t trials);

#endif /* solver/balance/even_parts.h */
