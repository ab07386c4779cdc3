/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Things are numbered racks first, then feeds, then rooms, of each those that
 * are watched. */

#include "solver/watts.h"

#include "model/capacity.h"
#include "model/power.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int64_t
microwatts(double w)
{
    return llround(w * 1e6);
}

static int64_t
part(int64_t uw, uint32_t share)
{
    return share == 1 ? uw : (uw + share - 1) / share;
}

static const struct dcp_hardware *
hardware(const struct dcp_inventory *inv, uint32_t host)
{
    return &inv->hardware[inv->hosts[host].hardware.ix];
}

static int64_t
host_uw(const struct dcp_watt_limits *l, uint32_t host, bool on, uint64_t mhz)
{
    const struct dcp_hardware *hw = hardware(l->inventory, host);
    uint32_t full = l->full_mhz[host];

    return microwatts(on ? dcp_power_at(hw, full ? (double)mhz / full : 0)
                         : hw->sleep_w);
}

/* --- What has a limit --------------------------------------------------- */

/* Feeds of the rack that carry its watts together with 'feed' when the other
 * side is lost; a feed without a side stands alone. */
static uint32_t
sharing(const struct dcp_inventory *inv, const struct dcp_rack *rack,
        uint32_t feed)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < rack->feeds.n; i++) {
        uint32_t other = rack->feeds.ix[i];

        n += other == feed || (inv->feeds[feed].side &&
                               inv->feeds[other].side == inv->feeds[feed].side);
    }
    return n;
}

/* In how many parts the rack's watts go to the thing, of which it gets one; 0:
 * none of them do. */
static uint32_t
share_of(const struct dcp_inventory *inv, uint32_t rack,
         const struct dcp_watt_thing *t)
{
    const struct dcp_rack *r = &inv->racks[rack];

    switch (t->kind) {
    case DCP_WATTS_RACK:
        return rack == t->ix;
    case DCP_WATTS_FEED:
        return dcp_ids_contain(&r->feeds, t->ix) ? sharing(inv, r, t->ix) : 0;
    case DCP_WATTS_ROOM:
        return r->room.ix == t->ix;
    }
    return 0;
}

static int64_t
most_uw(const struct dcp_hardware *hw)
{
    double w = fmax(hw->sleep_w, fmax(hw->boot_w, hw->shutdown_w));

    for (uint32_t k = 0; k < DCP_POWER_POINTS; k++) {
        w = fmax(w, hw->power_w[k]);
    }
    return microwatts(w);
}

/* By rack: what draws the same whatever runs there, and the most that all of
 * it can draw. */
static void
sum_racks(const struct dcp_inventory *inv, int64_t fixed_uw[], int64_t all_uw[])
{
    for (uint32_t i = 0; i < inv->n_servers; i++) {
        if (!dcp_rack_is_none(inv->servers[i].rack)) {
            fixed_uw[inv->servers[i].rack.ix] +=
                microwatts(inv->servers[i].power_w);
        }
    }
    for (uint32_t i = 0; i < inv->n_switches; i++) {
        if (!dcp_rack_is_none(inv->switches[i].rack)) {
            fixed_uw[inv->switches[i].rack.ix] +=
                microwatts(inv->switches[i].power_w);
        }
    }
    for (uint32_t i = 0; i < inv->n_arrays; i++) {
        if (!dcp_rack_is_none(inv->arrays[i].rack)) {
            fixed_uw[inv->arrays[i].rack.ix] +=
                microwatts(inv->arrays[i].power_w);
        }
    }
    memcpy(all_uw, fixed_uw, inv->n_racks * sizeof *all_uw);
    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        if (!dcp_rack_is_none(inv->hosts[h].rack)) {
            all_uw[inv->hosts[h].rack.ix] += most_uw(hardware(inv, h));
        }
    }
}

/* Takes the thing on the list where its hosts could break its limit. */
static void
list_thing(struct dcp_watt_limits *l, enum dcp_watt_kind kind, uint32_t ix,
           uint32_t limit_w, const int64_t fixed_uw[], const int64_t all_uw[])
{
    struct dcp_watt_thing t = { .kind = kind,
                                .ix = ix,
                                .stated_uw = microwatts(limit_w) };
    int64_t all = 0;

    for (uint32_t r = 0; limit_w && r < l->inventory->n_racks; r++) {
        uint32_t share = share_of(l->inventory, r, &t);

        t.fixed_uw += share ? part(fixed_uw[r], share) : 0;
        all += share ? part(all_uw[r], share) : 0;
    }
    if (all > t.stated_uw) {
        l->thing[l->n++] = t;
    }
}

static bool
list_things(struct dcp_watt_limits *l, struct dcp_arena *arena)
{
    const struct dcp_inventory *inv = l->inventory;
    DCP_FREE int64_t *fixed_uw = calloc(inv->n_racks + 1u, sizeof *fixed_uw);
    DCP_FREE int64_t *all_uw = calloc(inv->n_racks + 1u, sizeof *all_uw);

    l->thing = dcp_arena_array(arena, struct dcp_watt_thing,
                               inv->n_racks + inv->n_feeds + inv->n_rooms + 1u);
    if (!fixed_uw || !all_uw || !l->thing) {
        return false;
    }
    sum_racks(inv, fixed_uw, all_uw);
    for (uint32_t r = 0; r < inv->n_racks; r++) {
        list_thing(l, DCP_WATTS_RACK, r, inv->racks[r].limit_w, fixed_uw,
                   all_uw);
    }
    for (uint32_t f = 0; f < inv->n_feeds; f++) {
        list_thing(l, DCP_WATTS_FEED, f, inv->feeds[f].limit_w, fixed_uw,
                   all_uw);
    }
    for (uint32_t r = 0; r < inv->n_rooms; r++) {
        list_thing(l, DCP_WATTS_ROOM, r, inv->rooms[r].cooling_w, fixed_uw,
                   all_uw);
    }
    return true;
}

/* Which hosts each thing feeds; the same by host. */
static bool
join_hosts(struct dcp_watt_limits *l, struct dcp_arena *arena)
{
    const struct dcp_inventory *inv = l->inventory;
    uint32_t n = 0;

    l->first = dcp_arena_array(arena, uint32_t, inv->n_hosts + 2u);
    if (!l->first) {
        return false;
    }
    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        dcp_rack_id rack = inv->hosts[h].rack;

        l->first[h] = n;
        for (uint32_t t = 0; !dcp_rack_is_none(rack) && t < l->n; t++) {
            n += share_of(inv, rack.ix, &l->thing[t]) > 0;
        }
    }
    l->first[inv->n_hosts] = n;
    l->of_host = dcp_arena_array(arena, uint32_t, n + 1u);
    l->share = dcp_arena_array(arena, uint32_t, n + 1u);
    l->host = dcp_arena_array(arena, uint32_t, n + 1u);
    if (!l->of_host || !l->share || !l->host) {
        return false;
    }
    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        uint32_t k = l->first[h];

        for (uint32_t t = 0; k < l->first[h + 1]; t++) {
            uint32_t share = share_of(inv, inv->hosts[h].rack.ix, &l->thing[t]);

            if (share) {
                l->of_host[k] = t;
                l->share[k++] = share;
            }
        }
    }
    n = 0;
    for (uint32_t t = 0; t < l->n; t++) {
        l->thing[t].first_host = n;
        for (uint32_t h = 0; h < inv->n_hosts; h++) {
            for (uint32_t k = l->first[h]; k < l->first[h + 1]; k++) {
                if (l->of_host[k] == t) {
                    l->host[n++] = h;
                }
            }
        }
        l->thing[t].end_host = n;
    }
    return true;
}

/* The lax limits: what home draws where that is more. */
static bool
weigh_home(struct dcp_watt_limits *l, const struct dcp_demand *d,
           uint32_t first_slot, const struct dcp_placement *home,
           struct dcp_arena *arena)
{
    uint32_t n_slots = l->n_slots;
    DCP_FREE uint32_t *mhz =
        calloc((size_t)home->n_hosts * n_slots + 1, sizeof *mhz);
    struct dcp_watts *w;

    l->lax_uw = dcp_arena_array(arena, int64_t, (size_t)l->n * n_slots + 1);
    if (!l->lax_uw) {
        return false;
    }
    memset(l->lax_uw, 0, ((size_t)l->n * n_slots + 1) * sizeof *l->lax_uw);
    w = dcp_watts_create(l);
    if (!mhz || !w) {
        dcp_watts_destroy(w);
        return false;
    }
    for (uint32_t v = 0; v < home->n_vms; v++) {
        const uint32_t *need = d->cpu_mhz + (size_t)v * d->stride + first_slot;

        for (uint32_t t = 0; !dcp_host_is_none(home->host[v]) && t < n_slots;
             t++) {
            mhz[(size_t)home->host[v].ix * n_slots + t] += need[t];
        }
    }
    for (uint32_t h = 0; h < home->n_hosts; h++) {
        dcp_watts_set(w, h, home->on[h], mhz + (size_t)h * n_slots);
    }
    for (size_t i = 0; i < (size_t)l->n * n_slots; i++) {
        int64_t stated = l->thing[i / n_slots].stated_uw;

        l->lax_uw[i] = w->sum_uw[i] > stated ? w->sum_uw[i] : stated;
    }
    dcp_watts_destroy(w);
    return true;
}

bool
dcp_watt_limits_make(const struct dcp_inventory *inv,
                     const struct dcp_demand *demand, uint32_t first_slot,
                     uint32_t n_slots, const struct dcp_placement *home,
                     struct dcp_arena *arena,
                     const struct dcp_watt_limits **out, struct dcp_error *err)
{
    struct dcp_watt_limits *l =
        dcp_arena_array(arena, struct dcp_watt_limits, 1);
    bool ok = l != NULL;

    *out = NULL;
    if (ok) {
        *l = (struct dcp_watt_limits){ .inventory = inv, .n_slots = n_slots };
        l->full_mhz = dcp_arena_array(arena, uint32_t, inv->n_hosts + 1u);
        ok = l->full_mhz && list_things(l, arena);
    }
    if (ok && !l->n) {
        return true;
    }
    for (uint32_t h = 0; ok && h < inv->n_hosts; h++) {
        l->full_mhz[h] = dcp_host_capacity(inv, (dcp_host_id){ h }).cpu_mhz;
    }
    if (!ok || !join_hosts(l, arena) ||
        !weigh_home(l, demand, first_slot, home, arena)) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for limits of power");
    }
    *out = l;
    return true;
}

/* --- Sums ----------------------------------------------------------------- */

struct dcp_watts *
dcp_watts_create(const struct dcp_watt_limits *l)
{
    struct dcp_watts *w = calloc(1, sizeof *w);
    uint32_t n = l->n_slots, n_hosts = l->inventory->n_hosts;

    if (!w) {
        return NULL;
    }
    w->limits = l;
    w->host_uw = calloc((size_t)n_hosts * n + 1, sizeof *w->host_uw);
    w->sum_uw = calloc((size_t)l->n * n + 1, sizeof *w->sum_uw);
    if (!w->host_uw || !w->sum_uw) {
        dcp_watts_destroy(w);
        return NULL;
    }
    for (uint32_t k = 0; k < l->n; k++) {
        for (uint32_t t = 0; t < n; t++) {
            w->sum_uw[(size_t)k * n + t] = l->thing[k].fixed_uw;
        }
    }
    for (uint32_t h = 0; h < n_hosts; h++) {
        dcp_watts_set(w, h, false, NULL);
    }
    return w;
}

void
dcp_watts_destroy(struct dcp_watts *w)
{
    if (w) {
        free(w->host_uw);
        free(w->sum_uw);
        free(w);
    }
}

void
dcp_watts_assign(struct dcp_watts *to, const struct dcp_watts *from)
{
    const struct dcp_watt_limits *l = from->limits;

    memcpy(to->host_uw, from->host_uw,
           (size_t)l->inventory->n_hosts * l->n_slots * sizeof *to->host_uw);
    memcpy(to->sum_uw, from->sum_uw,
           (size_t)l->n * l->n_slots * sizeof *to->sum_uw);
    to->n_over = from->n_over;
    to->lax = from->lax;
}

static void
set(struct dcp_watts *w, uint32_t host, bool on, const uint32_t *mhz)
{
    const struct dcp_watt_limits *l = w->limits;
    uint32_t n = l->n_slots;
    int64_t *now = w->host_uw + (size_t)host * n;

    if (l->first[host] == l->first[host + 1]) {
        return;
    }
    for (uint32_t t = 0; t < n; t++) {
        int64_t uw = host_uw(l, host, on, mhz ? mhz[t] : l->full_mhz[host]);

        for (uint32_t k = l->first[host];
             uw != now[t] && k < l->first[host + 1]; k++) {
            size_t at = (size_t)l->of_host[k] * n + t;
            bool was_over = w->sum_uw[at] > l->lax_uw[at];

            w->sum_uw[at] += part(uw, l->share[k]) - part(now[t], l->share[k]);
            w->n_over += (uint32_t)(w->sum_uw[at] > l->lax_uw[at]) - was_over;
        }
        now[t] = uw;
    }
}

void
dcp_watts_set(struct dcp_watts *w, uint32_t host, bool on, const uint32_t mhz[])
{
    set(w, host, on, mhz);
}

void
dcp_watts_set_full(struct dcp_watts *w, uint32_t host)
{
    set(w, host, true, NULL);
}

static int64_t
limit_uw(const struct dcp_watt_limits *l, uint32_t thing, uint32_t slot,
         bool lax)
{
    return lax ? l->lax_uw[(size_t)thing * l->n_slots + slot]
               : l->thing[thing].stated_uw;
}

static bool
bear(const struct dcp_watts *w, uint32_t host, uint32_t slot, int64_t uw)
{
    const struct dcp_watt_limits *l = w->limits;
    int64_t now = w->host_uw[(size_t)host * l->n_slots + slot];

    for (uint32_t k = l->first[host]; uw > now && k < l->first[host + 1]; k++) {
        uint32_t thing = l->of_host[k];

        if (w->sum_uw[(size_t)thing * l->n_slots + slot] +
                part(uw, l->share[k]) - part(now, l->share[k]) >
            limit_uw(l, thing, slot, w->lax)) {
            return false;
        }
    }
    return true;
}

bool
dcp_watts_bear(const struct dcp_watts *w, uint32_t host, const uint32_t mhz[],
               const uint32_t *more)
{
    const struct dcp_watt_limits *l = w->limits;
    bool ok = true;

    for (uint32_t t = 0; ok && t < l->n_slots; t++) {
        uint64_t load = more ? (uint64_t)mhz[t] + more[t] : l->full_mhz[host];

        ok = bear(w, host, t, host_uw(l, host, true, load));
    }
    return ok;
}

static bool
bear_all(const struct dcp_watts *w, uint32_t host, int64_t uw)
{
    bool ok = true;

    for (uint32_t t = 0; ok && t < w->limits->n_slots; t++) {
        ok = bear(w, host, t, uw);
    }
    return ok;
}

bool
dcp_watts_bear_idle(const struct dcp_watts *w, uint32_t host)
{
    return bear_all(w, host, host_uw(w->limits, host, true, 0));
}

bool
dcp_watts_bear_switch(const struct dcp_watts *w, uint32_t host, bool on)
{
    const struct dcp_hardware *hw = hardware(w->limits->inventory, host);

    return bear_all(w, host, microwatts(on ? hw->boot_w : hw->shutdown_w));
}

uint32_t
dcp_watts_worst_slot(const struct dcp_watts *w, uint32_t thing, bool lax)
{
    const struct dcp_watt_limits *l = w->limits;
    uint32_t worst = UINT32_MAX;
    int64_t most = 0;

    for (uint32_t t = 0; t < l->n_slots; t++) {
        int64_t over = w->sum_uw[(size_t)thing * l->n_slots + t] -
                       limit_uw(l, thing, t, lax);

        if (over > most) {
            most = over;
            worst = t;
        }
    }
    return worst;
}

bool
dcp_watts_any_over(const struct dcp_watts *w)
{
    bool any = false;

    for (uint32_t k = 0; !any && k < w->limits->n; k++) {
        any = dcp_watts_worst_slot(w, k, false) != UINT32_MAX;
    }
    return any;
}

int64_t
dcp_watts_of_host_uw(const struct dcp_watt_limits *l, uint32_t host,
                     uint64_t mhz)
{
    return host_uw(l, host, true, mhz);
}
