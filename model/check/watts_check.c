/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Watts of racks, feeds and rooms in all states of a leg, at planned demand.
 *
 * A host draws what its power curve says at its load, its standby watts while
 * off, and its boot or shutdown watts while it is switched.  A feed must also
 * carry its racks when the other side is lost, so it is judged with all of
 * their load, shared only with feeds of its own side.
 *
 * All that the racks of a room draw becomes heat there, which its cooling must
 * take away.
 *
 * Power is not linear in load, so the proof over all orders adds up the most
 * that each host can draw; where that sum is too high the listed order alone
 * is proved, and the result says so.  Sums are of rounded figures: a limit is
 * held when it is exceeded by less than a milliwatt in a kilowatt. */

#include "model/check/leg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum power { POWER_OFF, POWER_ON, POWER_BOOTS, POWER_SHUTS };

struct watts {
    struct dcp_leg_view *leg; /* NULL: a placement alone. */
    const struct dcp_cells *cells;
    const struct dcp_inventory *inv;
    uint32_t n, n_slots; /* Things: racks, then feeds, then rooms. */
    double *limit;       /* By thing and slot; infinite: none. */
    double *now;         /* By thing and slot. */
    uint64_t *mhz;       /* By host and slot. */
    uint8_t *power;      /* By host. */
    uint8_t *told;       /* By thing. */
};

static double
curve(const struct dcp_hardware *hw, double load_frac)
{
    double x = fmin(fmax(load_frac, 0), 1) * (DCP_POWER_POINTS - 1);
    int i = x >= DCP_POWER_POINTS - 1 ? DCP_POWER_POINTS - 2 : (int)x;

    return hw->power_w[i] + (x - i) * (hw->power_w[i + 1] - hw->power_w[i]);
}

static double
host_watts(const struct dcp_inventory *inv, uint32_t host, enum power power,
           uint64_t mhz)
{
    const struct dcp_hardware *hw =
        &inv->hardware[inv->hosts[host].hardware.ix];

    switch (power) {
    case POWER_OFF:
        return hw->sleep_w;
    case POWER_BOOTS:
        return hw->boot_w;
    case POWER_SHUTS:
        return hw->shutdown_w;
    case POWER_ON:
        break;
    }
    uint32_t all = dcp_host_capacity(inv, (dcp_host_id){ host }).cpu_mhz;

    return curve(hw, all ? (double)mhz / all : 0);
}

/* Share of a rack's watts that feed 'f' carries when the other side is gone.
 * Feeds without a side stand alone. */
static double
share_of(const struct dcp_inventory *inv, const struct dcp_rack *rack,
         uint32_t f)
{
    uint32_t same = 0;

    for (uint32_t i = 0; i < rack->feeds.n; i++) {
        uint32_t other = rack->feeds.ix[i];

        same += other == f || (inv->feeds[f].side &&
                               inv->feeds[other].side == inv->feeds[f].side);
    }
    return 1.0 / same;
}

static uint32_t
thing_of_room(const struct watts *w, uint32_t room)
{
    return w->inv->n_racks + w->inv->n_feeds + room;
}

/* Adds watts of a rack to it, to its feeds and to its room. */
static void
add(const struct watts *w, double sums[], uint32_t rack, uint32_t slot,
    double watts)
{
    const struct dcp_rack *r = &w->inv->racks[rack];

    sums[(size_t)rack * w->n_slots + slot] += watts;
    for (uint32_t i = 0; i < r->feeds.n; i++) {
        uint32_t f = r->feeds.ix[i];

        sums[(size_t)(w->inv->n_racks + f) * w->n_slots + slot] +=
            watts * share_of(w->inv, r, f);
    }
    if (!dcp_room_is_none(r->room)) {
        sums[(size_t)thing_of_room(w, r->room.ix) * w->n_slots + slot] += watts;
    }
}

/* What draws the same whatever runs: servers, switches, arrays. */
static void
add_fixed(const struct watts *w, double sums[])
{
    const struct dcp_inventory *inv = w->inv;

    for (uint32_t s = 0; s < w->n_slots; s++) {
        for (uint32_t i = 0; i < inv->n_servers; i++) {
            if (!dcp_rack_is_none(inv->servers[i].rack)) {
                add(w, sums, inv->servers[i].rack.ix, s,
                    inv->servers[i].power_w);
            }
        }
        for (uint32_t i = 0; i < inv->n_switches; i++) {
            if (!dcp_rack_is_none(inv->switches[i].rack)) {
                add(w, sums, inv->switches[i].rack.ix, s,
                    inv->switches[i].power_w);
            }
        }
        for (uint32_t i = 0; i < inv->n_arrays; i++) {
            if (!dcp_rack_is_none(inv->arrays[i].rack)) {
                add(w, sums, inv->arrays[i].rack.ix, s, inv->arrays[i].power_w);
            }
        }
    }
}

/* Adds a placement's watts to 'sums' and, where 'mhz' is given, its load. */
static void
add_placement(const struct watts *w, const struct dcp_placement *p,
              double sums[], uint64_t mhz[])
{
    const struct dcp_demand *d = w->cells->judge->demand;
    uint32_t first = w->cells->first_slot;

    memset(mhz, 0, (size_t)p->n_hosts * w->n_slots * sizeof *mhz);
    for (uint32_t v = 0; v < p->n_vms; v++) {
        for (uint32_t s = 0; !dcp_host_is_none(p->host[v]) && s < w->n_slots;
             s++) {
            mhz[(size_t)p->host[v].ix * w->n_slots + s] +=
                d->cpu_mhz[(size_t)v * d->stride + first + s];
        }
    }
    add_fixed(w, sums);
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        dcp_rack_id rack = w->inv->hosts[h].rack;

        for (uint32_t s = 0; !dcp_rack_is_none(rack) && s < w->n_slots; s++) {
            add(w, sums, rack.ix, s,
                host_watts(w->inv, h, p->on[h] ? POWER_ON : POWER_OFF,
                           mhz[(size_t)h * w->n_slots + s]));
        }
    }
}

static bool
is_over(double watts, double limit)
{
    return watts > limit * (1 + 1e-6) + 1e-3;
}

static struct dcp_object
thing_object(const struct watts *w, uint32_t thing)
{
    uint32_t n_racks = w->inv->n_racks;

    return thing < n_racks
               ? (struct dcp_object){ DCP_OBJECT_RACK, thing }
           : thing < n_racks + w->inv->n_feeds
               ? (struct dcp_object){ DCP_OBJECT_FEED, thing - n_racks }
               : (struct dcp_object){ DCP_OBJECT_NONE, 0 }; /* Named in text. */
}

/* NULL: the thing is no room. */
static const struct dcp_room *
room_of(const struct watts *w, uint32_t thing)
{
    uint32_t first = thing_of_room(w, 0);

    return thing < first ? NULL : &w->inv->rooms[thing - first];
}

static double
stated_limit(const struct watts *w, uint32_t thing)
{
    uint32_t n_racks = w->inv->n_racks;
    uint32_t n_feeds = w->inv->n_feeds;
    uint32_t watts =
        thing < n_racks             ? w->inv->racks[thing].limit_w
        : thing < n_racks + n_feeds ? w->inv->feeds[thing - n_racks].limit_w
                                    : room_of(w, thing)->cooling_w;

    return watts ? watts : INFINITY;
}

static void
judge_thing(struct watts *w, uint32_t thing, const double sums[],
            const double limit[], uint32_t step, const char *when)
{
    uint32_t worst = UINT32_MAX;
    size_t at = (size_t)thing * w->n_slots;

    for (uint32_t s = 0; s < w->n_slots && !w->told[thing]; s++) {
        if (is_over(sums[at + s], limit[at + s]) &&
            (worst == UINT32_MAX || sums[at + s] > sums[at + worst])) {
            worst = s;
        }
    }
    if (worst == UINT32_MAX) {
        return;
    }
    const struct dcp_slot *slot =
        &w->cells->judge->demand->slots[w->cells->first_slot + worst];
    const struct dcp_room *room = room_of(w, thing);
    char label[64];

    w->told[thing] = 1;
    dcp_judge_report(w->cells->judge, step, room ? "cooling" : "watts",
                     thing_object(w, thing), sums[at + worst],
                     limit[at + worst], "%s%.60s%s%.0f of %.0f W at %s%s",
                     room ? "room " : "", room ? room->name : "",
                     room ? ": " : "", sums[at + worst], limit[at + worst],
                     dcp_bucket_label(w->inv->policy.buckets, &w->inv->calendar,
                                      slot->bucket, label, sizeof label),
                     when);
}

/* A host's load or power changed: its rack and feeds are judged again. */
static void
change(struct watts *w, uint32_t step, uint32_t host, enum power power,
       uint32_t vm, int sign)
{
    const struct dcp_demand *d = w->cells->judge->demand;
    dcp_rack_id rack = w->inv->hosts[host].rack;

    for (uint32_t s = 0; s < w->n_slots; s++) {
        uint64_t *mhz = &w->mhz[(size_t)host * w->n_slots + s];
        double old = host_watts(w->inv, host, (enum power)w->power[host], *mhz);

        if (sign) {
            uint64_t need =
                d->cpu_mhz[(size_t)vm * d->stride + w->cells->first_slot + s];

            *mhz = sign > 0 ? *mhz + need : *mhz - need;
        }
        if (!dcp_rack_is_none(rack)) {
            add(w, w->now, rack.ix, s,
                host_watts(w->inv, host, power, *mhz) - old);
        }
    }
    w->power[host] = (uint8_t)power;
    if (dcp_rack_is_none(rack)) {
        return;
    }
    const struct dcp_ids *feeds = &w->inv->racks[rack.ix].feeds;

    judge_thing(w, rack.ix, w->now, w->limit, step, "");
    for (uint32_t i = 0; i < feeds->n; i++) {
        judge_thing(w, w->inv->n_racks + feeds->ix[i], w->now, w->limit, step,
                    "");
    }
    if (!dcp_room_is_none(w->inv->racks[rack.ix].room)) {
        judge_thing(w, thing_of_room(w, w->inv->racks[rack.ix].room.ix), w->now,
                    w->limit, step, "");
    }
}

static void
replay(struct watts *w)
{
    const struct dcp_leg_view *leg = w->leg;

    for (uint32_t id = leg->first_id; id < leg->end_id; id++) {
        const struct dcp_step *s = dcp_leg_step(leg, id);

        if (s->kind == DCP_STEP_HOST_ON || s->kind == DCP_STEP_HOST_OFF) {
            bool on = s->kind == DCP_STEP_HOST_ON;

            change(w, id, s->object.ix, on ? POWER_BOOTS : POWER_SHUTS, 0, 0);
            change(w, id, s->object.ix, on ? POWER_ON : POWER_OFF, 0, 0);
        } else if (s->object.kind == DCP_OBJECT_VM) {
            if (s->to.kind == DCP_OBJECT_HOST) {
                change(w, id, s->to.ix, (enum power)w->power[s->to.ix],
                       s->object.ix, 1);
            }
            if (s->from.kind == DCP_OBJECT_HOST) {
                change(w, id, s->from.ix, (enum power)w->power[s->from.ix],
                       s->object.ix, -1);
            }
        }
    }
}

/* The most a host can draw in any state. */
static double
most_watts(const struct watts *w, uint32_t host, uint64_t peak_mhz)
{
    bool switched = w->leg->switch_first[host + 1] > w->leg->switch_first[host];
    double most = w->leg->start->on[host] || switched
                      ? host_watts(w->inv, host, POWER_ON, peak_mhz)
                      : 0;

    if (switched) {
        most = fmax(most, host_watts(w->inv, host, POWER_BOOTS, 0));
        most = fmax(most, host_watts(w->inv, host, POWER_SHUTS, 0));
    }
    return fmax(most, host_watts(w->inv, host, POWER_OFF, 0));
}

/* Sets the proof to the listed order where the bound is above a limit. */
static void
prove(struct watts *w, const uint64_t peak_mhz[], double bound[])
{
    add_fixed(w, bound);
    for (uint32_t h = 0; h < w->inv->n_hosts; h++) {
        dcp_rack_id rack = w->inv->hosts[h].rack;

        for (uint32_t s = 0; !dcp_rack_is_none(rack) && s < w->n_slots; s++) {
            add(w, bound, rack.ix, s,
                most_watts(w, h, peak_mhz[(size_t)h * w->n_slots + s]));
        }
    }
    for (size_t i = 0; i < (size_t)w->n * w->n_slots; i++) {
        if (is_over(bound[i], w->limit[i])) {
            w->leg->j->result->proof = DCP_PROOF_LISTED_ORDER;
        }
    }
}

/* Limits of the leg's states, or of its end: the stated one, or what 'from'
 * draws where that is more. */
static void
set_limits(const struct watts *w, const double from[], double limit[])
{
    for (uint32_t t = 0; t < w->n; t++) {
        for (uint32_t s = 0; s < w->n_slots; s++) {
            size_t at = (size_t)t * w->n_slots + s;

            limit[at] = fmax(stated_limit(w, t), from[at]);
        }
    }
}

static bool
judge(struct watts *w, const uint64_t *peak_mhz)
{
    size_t n = (size_t)w->n * w->n_slots;
    DCP_FREE double *other = calloc(n + 1, sizeof *other);
    DCP_FREE double *end = calloc(n + 1, sizeof *end);

    if (!other || !end) {
        return dcp_judge_no_memory(w->leg->j);
    }
    add_placement(w, w->leg->start, w->now, w->mhz);
    for (uint32_t h = 0; h < w->inv->n_hosts; h++) {
        w->power[h] = w->leg->start->on[h] ? POWER_ON : POWER_OFF;
    }
    set_limits(w, w->now, w->limit);
    prove(w, peak_mhz, other);
    replay(w);
    /* The end may be over only where the plan's own start was. */
    memset(other, 0, n * sizeof *other);
    if (w->leg->j->base) {
        add_placement(w, w->leg->j->base, other, w->mhz);
    }
    set_limits(w, other, w->limit);
    add_placement(w, w->leg->end, end, w->mhz);
    for (uint32_t t = 0; t < w->n; t++) {
        judge_thing(w, t, end, w->limit, 0, " at the end of the leg");
    }
    return true;
}

/* Nothing has a limit: nothing to judge. */
static bool
is_unlimited(const struct watts *w)
{
    for (uint32_t t = 0; t < w->n; t++) {
        if (isfinite(stated_limit(w, t))) {
            return false;
        }
    }
    return true;
}

/* Everything in one arena that dies with the judgement. */
static bool
allocate(struct watts *w, struct dcp_arena *arena)
{
    size_t n = (size_t)w->n * w->n_slots + 1;
    size_t n_hosts = w->inv->n_hosts;

    w->limit = dcp_arena_array(arena, double, n);
    w->now = dcp_arena_array(arena, double, n);
    w->mhz = dcp_arena_array(arena, uint64_t, n_hosts * w->n_slots + 1);
    w->power = dcp_arena_array(arena, uint8_t, n_hosts + 1);
    w->told = dcp_arena_array(arena, uint8_t, w->n + 1u);
    return (w->limit && w->now && w->mhz && w->power && w->told) ||
           dcp_judge_no_memory(w->cells->judge);
}

static struct watts
watts_of(const struct dcp_cells *cells)
{
    const struct dcp_inventory *inv = cells->judge->inv;

    return (struct watts){ .cells = cells,
                           .inv = inv,
                           .n = inv->n_racks + inv->n_feeds + inv->n_rooms,
                           .n_slots = cells->n_slots };
}

bool
dcp_watts_check(struct dcp_leg_view *leg, const uint64_t *peak_mhz)
{
    struct watts w = watts_of(&leg->cells);

    w.leg = leg;
    return is_unlimited(&w) ||
           (allocate(&w, leg->arena) && judge(&w, peak_mhz));
}

bool
dcp_watts_placement(const struct dcp_cells *cells,
                    const struct dcp_placement *p)
{
    struct watts w = watts_of(cells);
    DCP_AUTO(dcp_arena) struct dcp_arena *arena = dcp_arena_create(0);

    if (is_unlimited(&w)) {
        return true;
    }
    if (!arena) {
        return dcp_judge_no_memory(cells->judge);
    }
    if (!allocate(&w, arena)) {
        return false;
    }
    add_placement(&w, p, w.now, w.mhz);
    for (uint32_t t = 0; t < w.n; t++) {
        for (uint32_t s = 0; s < w.n_slots; s++) {
            w.limit[(size_t)t * w.n_slots + s] = stated_limit(&w, t);
        }
        judge_thing(&w, t, w.now, w.limit, 0, "");
    }
    return true;
}
