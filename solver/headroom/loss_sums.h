/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_HEADROOM_LOSS_SUMS_H
#define DCP_SOLVER_HEADROOM_LOSS_SUMS_H 1

/* Whether what is on could hold, in sums, what is left after the loss of racks
 * or feeds (solver/compile/loss_domains.h), kept up to date by each move.
 *
 * For each zone and resource (scalars, then CPU and network by slot) the
 * *spare* is what hosts that are on hold after a loss, less the demand of all
 * items of the zone, placed or not.  What domain d has *exposed* is what its
 * hosts that are on hold, less what is on them without a promise.  Any k may be
 * lost at once only if the k largest of the zone add up to no more than the
 * spare.
 *
 * Necessary, not sufficient: playing the losses decides
 * (solver/headroom/headroom.h).  O(resources) for each item without promise
 * that moves and each host that is switched, nothing for others; O(domains *
 * resources) for each question.  Not thread-safe; copies are independent. */

#include "solver/compile/loss_domains.h"

struct dcp_loss_sums {
    const struct dcp_problem *p;
    uint32_t n_resources;
    double *unit;        /* [resource]: what one host holds on average. */
    int64_t *demand;     /* [zone * n_resources + resource], below 0. */
    int64_t *spare;      /* Likewise. */
    int64_t *exposed[2]; /* By kind of loss: [domain * n_resources + ...] */
};

/* All hosts off, no item placed.  NULL: no memory. */
struct dcp_loss_sums *dcp_loss_sums_create(const struct dcp_problem *);
void dcp_loss_sums_destroy(struct dcp_loss_sums *); /* NULL is fine. */
void dcp_loss_sums_assign(struct dcp_loss_sums *to,
                          const struct dcp_loss_sums *from);

void dcp_loss_sums_place(struct dcp_loss_sums *, uint32_t item, uint32_t host);
void dcp_loss_sums_remove(struct dcp_loss_sums *, uint32_t item, uint32_t host);
/* The host goes on, or off, which it was not. */
void dcp_loss_sums_power(struct dcp_loss_sums *, uint32_t host, bool on);

/* What a host holds after a loss, and what all items of a zone ask for. */
double dcp_loss_sums_full(const struct dcp_problem *, uint32_t host,
                          uint32_t resource);
double dcp_loss_sums_demand(const struct dcp_loss_sums *, uint32_t zone,
                            uint32_t resource);

/* By how much the spare of the zone is too small, as a share of what one host
 * of the model holds on average, for the worst resource and kind of loss;
 * negative: so much is left. */
double dcp_loss_sums_short(const struct dcp_loss_sums *, uint32_t zone);
bool dcp_loss_sums_hold(const struct dcp_loss_sums *);
/* The same for the loss of the domain alone: what of it would have to be
 * without a promise, or off. */
double dcp_loss_sums_domain_short(const struct dcp_loss_sums *, uint32_t kind,
                                  uint32_t domain);

#endif /* solver/headroom/loss_sums.h */
