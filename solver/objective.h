/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_OBJECTIVE_H
#define DCP_SOLVER_OBJECTIVE_H 1

/* What a state is worth, level by level (solver/compile/pricing.h), kept up to
 * date.
 *
 * All but licences and balance is a sum over hosts of what each costs by
 * itself.  A move marks the two hosts that it touches; the next question about
 * the value counts those anew (O(slots + items) each) and leaves the others
 * alone.  Licences are counted per host and rounded up once; balance is kept
 * as sums and sums of squares.
 *
 * One per state, owned by it; not thread-safe. */

#include "solver/compile/pricing.h"

struct dcp_state;

/* Of one host, as last counted. */
struct dcp_host_price {
    double value[DCP_GOALS_MAX]; /* Energy, host, moves, room: by level. */
    double cpu_share, mem_share;
    uint32_t n_moved; /* VMs on it that started elsewhere. */
    double conversion; /* Money for VMs that come to its hypervisor. */
    bool counts;      /* On, and not to be left alone. */
};

struct dcp_objective {
    struct dcp_host_price *host;
    uint8_t *touched; /* By host: to be counted anew. */
    uint32_t *queue, n_queue;
    /* By licence and host: [slot * n_hosts + host]. */
    uint32_t *n_vms, *n_vcpus;
    double *units;     /* Of each. */
    double *all_units; /* By licence: summed. */
    double sum[DCP_GOALS_MAX];
    double cpu, cpu_squares, mem, mem_squares; /* Sums of shares. */
    uint32_t n_counts;
    uint32_t n_moved; /* VMs away from where they started, where that counts. */
};

struct dcp_objective *dcp_objective_create(const struct dcp_problem *);
void dcp_objective_destroy(struct dcp_objective *);
void
dcp_objective_assign(struct dcp_objective *to, const struct dcp_objective *,
                     const struct dcp_problem *);

/* The host's items or power changed. */
static inline void
dcp_objective_touch(struct dcp_objective *o, uint32_t host)
{
    if (!o->touched[host]) {
        o->touched[host] = 1;
        o->queue[o->n_queue++] = host;
    }
}

/* The state's value at one level; amortised O(what changed). */
double dcp_objective_value(struct dcp_state *, uint32_t level);
/* The same, all of it counted from items and hosts alone: for tests, and for
 * answers. */
double dcp_objective_measure(const struct dcp_state *, uint32_t level);
/* The later goals are no worse, the first better: by level, within a relative
 * 'margin' of each.  <0: 'a' is better, 0: the same. */
int
dcp_objective_compare(const double a[], const double b[], uint32_t n_levels);

/* How the value would change, nothing is changed: the item (placed) goes to
 * 'to', which is on. */
double dcp_objective_move_delta(struct dcp_state *, uint32_t level,
                                uint32_t item, uint32_t to);
/* Two placed items change hosts. */
double dcp_objective_swap_delta(struct dcp_state *, uint32_t level, uint32_t a,
                                uint32_t b);
/* A host that is on goes off, its items anywhere: what it costs alone, not
 * what its items will cost elsewhere. */
double
dcp_objective_off_delta(struct dcp_state *, uint32_t level, uint32_t host);
/* Money for licences that the item (not placed) would newly need on 'host'. */
double
dcp_objective_licence_delta(struct dcp_state *, uint32_t item, uint32_t host);

#endif /* solver/objective.h */
