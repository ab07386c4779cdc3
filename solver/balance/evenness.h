/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_BALANCE_EVENNESS_H
#define DCP_SOLVER_BALANCE_EVENNESS_H 1

/* How evenly the hosts of a state (solver/state.h) are loaded, kept up to date
 * by each move; lower is better, 0 is even.  Hosts that are off or must end
 * empty do not count.
 *
 *   PEAK    the goal `balance` (docs/goals.md): standard deviation over hosts
 * of CPU in the host's fullest slot, and of memory, as shares of what is
 *           usable, added up
 *   HOURS   the mean over slots of the deviation of CPU, and of network where
 *           that is a resource, and the deviation of memory
 *   GANETI  as hbal scores nodes with shared disks: memory by total, 1; vCPUs
 *           by cores, 1; VMs, 4 (load of CPU, memory, disk and network)
 *
 * One per state, which it borrows.  Not thread-safe. */

#include "solver/state.h"

enum dcp_even_score { DCP_EVEN_PEAK, DCP_EVEN_HOURS, DCP_EVEN_GANETI };

struct dcp_evenness {
    struct dcp_state *s;
    enum dcp_even_score score;
    uint32_t n_columns, n_counts;
    uint8_t *counts;      /* By host. */
    double *weight;       /* By column. */
    double *value;        /* [host * n_columns + column] */
    double *sum, *square; /* By column, over hosts that count. */
    double *a, *b;        /* Of two hosts under a trial. */
    double *vcpus;        /* By item: GANETI. */
};

bool dcp_evenness_init(struct dcp_evenness *, struct dcp_state *,
                       enum dcp_even_score, struct dcp_error *err) DCP_CHECKED;
void dcp_evenness_finish(struct dcp_evenness *);

double dcp_evenness_value(const struct dcp_evenness *);
/* The value if 'item' were on 'to', which counts; with 'other' (else
 * DCP_IX_NONE) that goes from 'to' to the item's host. */
double dcp_evenness_try(struct dcp_evenness *, uint32_t item, uint32_t to,
                        uint32_t other);
/* The state has changed at a host. */
void dcp_evenness_update(struct dcp_evenness *, uint32_t host);
/* How much a host stands out: the sum of its distances above the mean in units
 * of the deviation. */
double dcp_evenness_pressure(const struct dcp_evenness *, uint32_t host);

/* By how much an item that comes or goes changes a host's value in a column at
 * most: for bounds. */
double dcp_evenness_load(const struct dcp_evenness *, uint32_t item,
                         uint32_t host, uint32_t column);

#endif /* solver/balance/evenness.h */
