/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_TRANSFERS_H
#define DCP_MODEL_TRANSFERS_H 1

/* Live migrations under way over a model's network: each is a run of pre-copy
 * (model/migration.h) at the bandwidth that max-min sharing (maxmin.h) gives
 * it, over the NICs of both hosts and the links between them
 * (model/network.h), each way apart.
 *
 * A migration gets at most policy.migration's bandwidth and the faster NIC of
 * either host.  The migrations of one host and direction share its fastest
 * NIC, or what production leaves of all of them where that is less, but a
 * twentieth of it at least; of a link what production leaves, at least a
 * twentieth.  Production is that of the sample which holds the time; it goes
 * with its VM when a migration ends.
 *
 * Rates, and with them ends, change as migrations begin and end and from
 * sample to sample.  The caller says what happens, in order of time, asks who
 * changed, and comes back at the times of 'next'.  Keys are the caller's. */

#include "model/migration.h"
#include "model/network.h"
#include "model/placement.h"
#include "model/plan.h"
#include "model/samples.h"
#include "model/slowdown.h"

struct dcp_transfers;

struct dcp_transfer {
    uint32_t vm, from, to; /* Hosts with NICs. */
    struct dcp_precopy precopy;
    uint32_t step; /* Of its slowdowns. */
    bool untold; /* Takes its part of links, but is not in what is told. */
};

/* What the step moves: as it was when the plan was made, where that is known,
 * else as large as it is. */
struct dcp_transfer
dcp_transfer_of(const struct dcp_inventory *, const struct dcp_placement *now,
                const struct dcp_step *);

struct dcp_transfer_totals { /* Of those that ended. */
    uint32_t n, given_up, throttled, forced;
    double sent_mib;
    int64_t downtime_ms, downtime_most_ms;
    double throttled_s;
};

/* Keys are below 'n_keys'.  'net': KiB/s by VM, the larger direction; NULL:
 * not known, taken as none.  Borrows the inventory and 'net'. */
struct dcp_transfers *
dcp_transfers_create(const struct dcp_inventory *,
                     const struct dcp_samples *net, uint32_t n_keys,
                     struct dcp_error *err) DCP_CHECKED;
void dcp_transfers_destroy(struct dcp_transfers *); /* NULL is fine. */
DCP_DEFINE_AUTO(dcp_transfers)

/* 'now' says where VMs are at that time: production is theirs. */
bool dcp_transfers_begin(struct dcp_transfers *, uint32_t key,
                         const struct dcp_transfer *,
                         const struct dcp_placement *now, int64_t now_ms,
                         struct dcp_error *err) DCP_CHECKED;
/* It ended, as it was due or because somebody cut it; nothing for a key that is
 * not under way. */
void dcp_transfers_end(struct dcp_transfers *, uint32_t key,
                       const struct dcp_placement *now, int64_t now_ms);
/* Nothing but time passed. */
void dcp_transfers_pass(struct dcp_transfers *, const struct dcp_placement *now,
                        int64_t now_ms);

/* Keys whose end is another since the last begin, end or pass before. */
const uint32_t *
dcp_transfers_changed(const struct dcp_transfers *, uint32_t *out_n);
/* As things are; INT64_MAX: never. */
int64_t dcp_transfers_end_ms(const struct dcp_transfers *, uint32_t key);
bool dcp_transfers_under_way(const struct dcp_transfers *, uint32_t key);
/* Will it be given up at its end, as things are? */
bool dcp_transfers_given_up(const struct dcp_transfers *, uint32_t key);
/* How one under way will have gone at its end, as things are. */
struct dcp_precopy_result
dcp_transfers_ahead(const struct dcp_transfers *, uint32_t key);
/* KiB/s now. */
double dcp_transfers_rate(const struct dcp_transfers *, uint32_t key);
/* When the caller should pass next, though nothing begins or ends; INT64_MAX:
 * never. */
int64_t dcp_transfers_next_ms(const struct dcp_transfers *);

struct dcp_transfer_totals dcp_transfers_totals(const struct dcp_transfers *);
/* Adds the guests that were slowed down up to 'now_ms' to '*list' of '*n',
 * which the caller owns, but for those that it gave before; those of one VM
 * ascending.  Nothing happened since that was not told; when it is asked, and
 * how often, changes no time and no total. */
bool dcp_transfers_add_slowdowns(struct dcp_transfers *, int64_t now_ms,
                                 struct dcp_slowdown **list, uint32_t *n,
                                 struct dcp_error *err) DCP_CHECKED;

/* Has the host a NIC? */
bool dcp_transfers_reach(const struct dcp_inventory *, uint32_t host);
/* What one migration between hosts with NICs can have at most, KiB/s. */
double
dcp_transfers_limit(const struct dcp_inventory *, uint32_t from, uint32_t to);
/* What the migrations of one host and direction share where production takes
 * 'used_kib_s' of its NICs. */
double dcp_transfers_share(const struct dcp_inventory *, uint32_t host,
                           double used_kib_s);

#endif /* model/transfers.h */
