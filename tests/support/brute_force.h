/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TESTS_SUPPORT_BRUTE_FORCE_H
#define DCP_TESTS_SUPPORT_BRUTE_FORCE_H 1

/* The best answer to a tiny model by brute force: every placement of every
 * item, with every set of hosts on, and every way to restart after each loss.
 */

#include "model/capacity.h"
#include "tests/support/brute_rules.h"

static inline bool
can_move(const struct brute *b, uint32_t item, uint32_t h)
{
    for (uint32_t v = 0; v < b->nv; v++) {
        if (b->item[v] == item && !b->inv->vms[v].movable &&
            started(b, v) != h) {
            return false;
        }
    }
    return true;
}

static inline bool
holds(const struct brute *b, uint32_t h, bool full)
{
    struct dcp_capacity c = full ? dcp_host_capacity(b->inv, (dcp_host_id){ h })
                                 : dcp_host_usable(b->inv, (dcp_host_id){ h });
    uint64_t cpu[SLOTS] = { 0 }, scalar[DCP_SCALARS_MAX] = { 0 };
    uint32_t request[DCP_SCALARS_MAX];
    dcp_host_id at[VMS_MAX];

    for (uint32_t v = 0; v < b->nv; v++) {
        at[v].ix = b->at[b->item[v]];
        if (at[v].ix != h) {
            continue;
        }
        dcp_vm_request(b->inv, (dcp_vm_id){ v }, b->inv->hosts[h].hypervisor,
                       request);
        for (uint32_t r = 0; r < DCP_SCALARS_MAX; r++) {
            scalar[r] += request[r];
        }
        for (uint32_t t = 0; t < SLOTS; t++) {
            cpu[t] += b->m->w.cpu_mhz[v * b->m->w.demand.stride + t];
        }
    }
    for (uint32_t r = 0; r < DCP_SCALARS_MAX; r++) {
        if (scalar[r] > c.scalar[r]) {
            return false;
        }
    }
    for (uint32_t t = 0; t < SLOTS; t++) {
        if (cpu[t] > c.cpu_mhz) {
            return false;
        }
    }
    return joint_holds(&b->m->w, at, h, full);
}

/* Places the lost items from 'k' on in every way until one works. */
static inline bool
restarts(struct brute *b, const uint32_t *lost, uint32_t n, uint32_t k,
         uint32_t on)
{
    bool full = b->inv->policy.survive_to_capacity;

    if (k == n) {
        return whole_rules_hold(b, on, true);
    }
    for (uint32_t h = 0; h < b->nh; h++) {
        if (!(on >> h & 1)) {
            continue;
        }
        b->at[lost[k]] = DCP_IX_NONE;
        if (!rules_allow(b, lost[k], h, true)) {
            continue;
        }
        b->at[lost[k]] = h;
        if (holds(b, h, full) && restarts(b, lost, n, k + 1, on)) {
            return true;
        }
    }
    b->at[lost[k]] = DCP_IX_NONE;
    return false;
}

/* The hosts of 'on' that go down with a set of objects, bit by bit. */
static inline uint32_t
hosts_lost(const struct brute *b, enum dcp_loss_kind kind, uint32_t objects,
           uint32_t on)
{
    uint32_t lost = 0;

    for (uint32_t h = 0; h < b->nh; h++) {
        uint32_t rack = b->inv->hosts[h].rack.ix;
        uint32_t object = kind == DCP_LOSS_HOST   ? h
                          : kind == DCP_LOSS_RACK ? rack
                                                  : DCP_IX_NONE;

        if (kind == DCP_LOSS_FEED && b->inv->racks[rack].feeds.n == 1) {
            object = b->inv->racks[rack].feeds.ix[0];
        }
        lost |= object != DCP_IX_NONE && objects >> object & 1
                    ? on & UINT32_C(1) << h
                    : 0;
    }
    return lost;
}

static inline bool
survives_loss(struct brute *b, uint32_t on, uint32_t lost_hosts)
{
    uint32_t kept[VMS_MAX], lost[VMS_MAX], n = 0;

    memcpy(kept, b->at, sizeof kept);
    for (uint32_t i = 0; i < b->n_items; i++) {
        if (lost_hosts >> kept[i] & 1) {
            b->at[i] = DCP_IX_NONE;
            if (b->protect[i]) {
                lost[n++] = i;
            }
        }
    }
    bool ok = restarts(b, lost, n, 0, on & ~lost_hosts);

    memcpy(b->at, kept, sizeof kept);
    return ok;
}

/* Every set of as many objects as may be lost at once, and every smaller
 * one. */
static inline bool
survives(struct brute *b, uint32_t on)
{
    const struct dcp_policy *policy = &b->inv->policy;
    bool ok = true;

    for (uint32_t k = 0; b->m->q.headroom && ok && k < policy->n_survive; k++) {
        enum dcp_loss_kind kind = policy->survive[k].kind;
        uint32_t n = kind == DCP_LOSS_HOST   ? b->nh
                     : kind == DCP_LOSS_RACK ? b->inv->n_racks
                                             : b->inv->n_feeds;

        for (uint32_t set = 1; ok && set < UINT32_C(1) << n; set++) {
            uint32_t lost = hosts_lost(b, kind, set, on);

            if (lost && (uint32_t)__builtin_popcount(set) <=
                            policy->survive[k].count) {
                ok = survives_loss(b, on, lost);
            }
        }
    }
    return ok;
}

static inline double
value_of(const struct brute *b, uint32_t on)
{
    double value = 0;

    for (uint32_t h = 0; h < b->nh; h++) {
        value += on >> h & 1 ? b->m->on_value[h] : 0;
    }
    for (uint32_t v = 0; v < b->nv; v++) {
        for (uint32_t t = 0; t < SLOTS; t++) {
            value += b->m->slope[b->at[b->item[v]]] *
                     b->m->w.cpu_mhz[v * b->m->w.demand.stride + t];
        }
    }
    return value;
}

static inline double
moves_of(const struct brute *b)
{
    double n = 0;

    for (uint32_t v = 0; v < b->nv; v++) {
        n += b->at[b->item[v]] != started(b, v);
    }
    return n;
}

/* All sets of hosts that are on with this placement. */
static inline void
try_power(struct brute *b)
{
    uint32_t used = 0;
    double moves = moves_of(b);

    for (uint32_t i = 0; i < b->n_items; i++) {
        used |= UINT32_C(1) << b->at[i];
    }
    for (uint32_t on = 0; on < UINT32_C(1) << b->nh; on++) {
        bool legal = (on & used) == used;

        for (uint32_t h = 0; h < b->nh; h++) {
            legal = legal && (b->inv->hosts[h].power_off_allowed ||
                              (on >> h & 1) == b->m->start->on[h]);
        }
        legal = legal && whole_rules_hold(b, on, false);
        double price = brute_price(b, on);
        double value = value_of(b, on) + price;
        double n = (double)__builtin_popcount(on) + price;

        if (legal &&
            (value < b->best || n < b->fewest || moves < b->fewest_moves) &&
            survives(b, on)) {
            b->fewest_moves = fmin(b->fewest_moves, moves);
            b->best = fmin(b->best, value);
            b->fewest = fmin(b->fewest, n);
        }
    }
}

static inline void
try_items(struct brute *b, uint32_t item)
{
    if (item == b->n_items) {
        try_power(b);
        return;
    }
    for (uint32_t h = 0; h < b->nh; h++) {
        b->at[item] = DCP_IX_NONE;
        if (!can_move(b, item, h) || !rules_allow(b, item, h, false)) {
            continue;
        }
        b->at[item] = h;
        if (holds(b, h, false)) {
            try_items(b, item + 1);
        }
    }
    b->at[item] = DCP_IX_NONE;
}

static inline struct brute
brute_force(const struct tiny_model *m)
{
    struct brute b = { .m = m,
                       .inv = m->w.inv,
                       .nh = m->w.inv->n_hosts,
                       .nv = m->w.inv->n_vms,
                       .best = INFINITY,
                       .fewest = INFINITY,
                       .fewest_moves = INFINITY };

    for (uint32_t i = 0; i < VMS_MAX; i++) {
        b.at[i] = DCP_IX_NONE;
    }
    tie_items(&b);
    try_items(&b, 0);
    return b;
}

#endif /* tests/support/brute_force.h */
