/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/headroom/loss_set.h"

#include <stdio.h>

uint32_t
dcp_loss_object_of(const struct dcp_inventory *inv, enum dcp_loss_kind kind,
                   uint32_t host)
{
    dcp_rack_id rack = inv->hosts[host].rack;

    switch (kind) {
    case DCP_LOSS_HOST:
        return host;
    case DCP_LOSS_RACK:
        return rack.ix;
    case DCP_LOSS_FEED:
        return !dcp_rack_is_none(rack) && inv->racks[rack.ix].feeds.n == 1
                   ? inv->racks[rack.ix].feeds.ix[0]
                   : DCP_IX_NONE;
    }
    return DCP_IX_NONE;
}

bool
dcp_loss_set_has(const struct dcp_inventory *inv,
                 const struct dcp_loss_set *set, uint32_t host)
{
    uint32_t object = dcp_loss_object_of(inv, set->kind, host);
    bool lost = false;

    for (uint32_t k = 0; k < set->n && !lost; k++) {
        lost = set->ix[k] == object;
    }
    return lost;
}

const char *
dcp_loss_set_print(const struct dcp_inventory *inv,
                   const struct dcp_loss_set *set, char *out, size_t size)
{
    static const char *const kinds[] = { "host", "rack", "feed" };
    size_t at = 0;

    out[0] = '\0';
    for (uint32_t k = 0; k < set->n && at < size; k++) {
        uint32_t ix = set->ix[k];
        const char *name = set->kind == DCP_LOSS_HOST   ? inv->hosts[ix].name
                           : set->kind == DCP_LOSS_RACK ? inv->racks[ix].name
                                                        : inv->feeds[ix].name;
        int n = snprintf(out + at, size - at, "%s%s '%.60s'", k ? " and " : "",
                         kinds[set->kind], name);

        at += n > 0 ? (size_t)n : 0;
    }
    return out;
}

uint32_t
dcp_loss_objects(const struct dcp_inventory *inv, enum dcp_loss_kind kind)
{
    switch (kind) {
    case DCP_LOSS_HOST:
        return inv->n_hosts;
    case DCP_LOSS_RACK:
        return inv->n_racks;
    case DCP_LOSS_FEED:
        return inv->n_feeds;
    }
    return 0;
}

uint32_t
dcp_loss_most_at_once(const struct dcp_policy *policy, uint32_t k)
{
    uint32_t most = 0;

    for (uint32_t i = 0; i < policy->n_survive; i++) {
        if (policy->survive[i].kind != policy->survive[k].kind) {
            continue;
        }
        if (i < k) {
            return 0;
        }
        if (policy->survive[i].count > most) {
            most = policy->survive[i].count;
        }
    }
    return most < DCP_LOSS_AT_ONCE_MAX ? most : DCP_LOSS_AT_ONCE_MAX;
}

/* --- All sets ------------------------------------------------------------- */

uint64_t
dcp_loss_count_sets(uint32_t n, uint32_t count)
{
    uint64_t sets = 0, choose = 1;

    for (uint32_t k = 1; k <= count && k <= n; k++) {
        if (choose > UINT64_C(1) << 40) {
            return UINT64_MAX;
        }
        choose = choose * (n - k + 1) / k;
        sets += choose;
    }
    return sets;
}

bool
dcp_loss_next_places(uint32_t place[], uint32_t k, uint32_t n)
{
    uint32_t i = k;

    while (i > 0 && place[i - 1] == n - k + i - 1) {
        i--;
    }
    if (!i) {
        return false;
    }
    place[i - 1]++;
    for (; i < k; i++) {
        place[i] = place[i - 1] + 1;
    }
    return true;
}

bool
dcp_loss_set_is_before(const struct dcp_loss_set *set,
                       const struct dcp_loss_set *other)
{
    if (set->n != other->n) {
        return set->n > other->n;
    }
    for (uint32_t k = 0; k < set->n; k++) {
        if (set->ix[k] != other->ix[k]) {
            return set->ix[k] < other->ix[k];
        }
    }
    return false;
}
