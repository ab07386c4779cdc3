/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The promises of a leg's end: for each loss that policy names, every lost
 * protected VM has a place.  Nothing is searched for: the plan's lists are
 * verified, each loss by itself, on top of the end state.
 *
 * A feed takes down only the racks that have no other feed.  VLANs that a
 * switch driver can trunk count as reachable for a restart. */

#include "model/check/survive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool
dcp_survive_is_protected(const struct dcp_survive_work *w, uint32_t vm)
{
    const struct dcp_vm *v = &w->inv->vms[vm];
    uint32_t tier = v->tier.ix;

    for (uint32_t i = 0; i < v->n_volumes; i++) {
        if (dcp_pool_is_none(w->inv->volumes[v->first_volume + i].pool)) {
            return false;
        }
    }
    return tier < 64 && w->inv->policy.protect_tiers >> tier & 1;
}

static struct dcp_object
lost_object(const struct dcp_survive *s, uint32_t k)
{
    return k ? s->also[k - 1] : s->lose;
}

static bool
is_lost(const struct dcp_survive_work *w, struct dcp_object lose, uint32_t host)
{
    dcp_rack_id rack = w->inv->hosts[host].rack;

    switch (lose.kind) {
    case DCP_OBJECT_HOST:
        return host == lose.ix;
    case DCP_OBJECT_RACK:
        return rack.ix == lose.ix;
    case DCP_OBJECT_FEED:
        return !dcp_rack_is_none(rack) && w->inv->racks[rack.ix].feeds.n == 1 &&
               w->inv->racks[rack.ix].feeds.ix[0] == lose.ix;
    case DCP_OBJECT_NONE:
    case DCP_OBJECT_VM:
    case DCP_OBJECT_VLAN:
    case DCP_OBJECT_VOLUME:
    case DCP_OBJECT_POOL:
        break;
    }
    return false;
}

/* --- One loss ----------------------------------------------------------- */

/* Marks one host as lost, and its VMs as nowhere; or takes that back. */
static void
set_host(struct dcp_survive_work *w, uint32_t h, bool set)
{
    w->host_lost[h] = set;
    for (uint32_t i = w->first[h]; i < w->first[h + 1]; i++) {
        w->after[w->vms[i]] = set ? dcp_host_none() : (dcp_host_id){ h };
    }
}

/* Marks the lost hosts and where their VMs are then: nowhere. */
static void
set_loss(struct dcp_survive_work *w, const struct dcp_survive *s, bool set)
{
    for (uint32_t k = 0; k <= s->n_also; k++) {
        struct dcp_object lose = lost_object(s, k);

        if (lose.kind == DCP_OBJECT_HOST) {
            set_host(w, lose.ix, set);
        }
        for (uint32_t h = 0;
             lose.kind != DCP_OBJECT_HOST && h < w->inv->n_hosts; h++) {
            if (is_lost(w, lose, h)) {
                set_host(w, h, set);
            }
        }
    }
}

static void
judge_target(struct dcp_survive_work *w, const struct dcp_survive *s,
             uint32_t vm, uint32_t host)
{
    const struct dcp_vm *v = &w->inv->vms[vm];
    char why[120], text[100];
    const char *rule = dcp_check_reach_refusal(w->inv, w->leg->end, vm, host, why);
    dcp_host_id from = w->leg->end->host[vm];

    if (!rule && !dcp_host_is_none(from)) { /* As cold as a move can be. */
        rule =
            dcp_check_reach_move_refusal(w->inv, vm, from.ix, host, true, why);
    }
    /* A restart leaves the disks as they are. */
    if (!rule && !dcp_host_is_none(from) &&
        !dcp_hypervisor_eq(w->inv->hosts[from.ix].hypervisor,
                           w->inv->hosts[host].hypervisor)) {
        (void)snprintf(why, sizeof why, "it is of another hypervisor");
        rule = "hypervisor";
    }
    if (!w->leg->end->on[host] || w->host_lost[host]) {
        (void)snprintf(text, sizeof text, "%.60s is %s",
                       w->inv->hosts[host].name,
                       w->host_lost[host] ? "lost as well" : "off");
        dcp_survive_report(w, s, dcp_judge_vm(vm), DCP_NO_NUMBER, DCP_NO_NUMBER,
                           text);
    }
    if (rule) {
        (void)snprintf(text, sizeof text, "on %.30s: %.60s",
                       w->inv->hosts[host].name, why);
        dcp_survive_report(w, s, dcp_judge_vm(vm), DCP_NO_NUMBER, DCP_NO_NUMBER,
                           text);
    }
    for (uint32_t i = 0; i < v->vlans.n; i++) {
        if (!dcp_check_reach_vlan_now(w->inv, host, v->vlans.ix[i]) &&
            !dcp_check_reach_vlan_driver(w->inv, host)) {
            (void)snprintf(text, sizeof text, "VLAN %.40s is not on %.40s",
                           w->inv->vlans[v->vlans.ix[i]].name,
                           w->inv->hosts[host].name);
            dcp_survive_report(w, s, dcp_judge_vm(vm), DCP_NO_NUMBER,
                               DCP_NO_NUMBER, text);
        }
    }
}

/* Adds a VM to its new host; the host is judged once all are there. */
static void
add_extra(struct dcp_survive_work *w, uint32_t vm, uint32_t host, int sign)
{
    const struct dcp_cells *c = &w->leg->cells;
    uint64_t *row = w->extra + (size_t)host * c->n;

    dcp_cells_need(c, vm, host, UINT32_MAX, w->need);
    for (uint32_t i = 0; i < c->n; i++) {
        row[i] = sign > 0 ? row[i] + w->need[i] : row[i] - w->need[i];
    }
}

static void
judge_room(struct dcp_survive_work *w, const struct dcp_survive *s,
           uint32_t host)
{
    const struct dcp_cells *c = &w->leg->cells;
    size_t at = (size_t)host * c->n;
    const uint64_t *limit = c->usable + at;
    uint32_t told = 0;

    if (w->inv->policy.survive_to_capacity) {
        dcp_cells_capacity(c, host, w->capacity);
        limit = w->capacity;
    }
    for (uint32_t i = 0; i < c->n; i++) {
        uint64_t most = w->load[at + i] > limit[i] ? w->load[at + i] : limit[i];
        uint64_t need = w->load[at + i] + w->extra[at + i];
        uint32_t bit = UINT32_C(1) << dcp_cells_resource(c, i);

        if (need > most && !(told & bit)) {
            char what[60], text[100];

            told |= bit;
            (void)snprintf(text, sizeof text, "%s: %llu of %llu %s",
                           dcp_cells_describe(c, i, what, sizeof what),
                           (unsigned long long)need, (unsigned long long)most,
                           dcp_cells_unit(c, i));
            dcp_survive_report(w, s, dcp_judge_host(host), (double)need,
                               (double)most, text);
        }
    }
}

/* The same for policy.overload. */
static void
judge_overload(struct dcp_survive_work *w, const struct dcp_survive *s,
               uint32_t host)
{
    uint32_t n = 0, need, have;
    char text[100];

    for (uint32_t i = 0; i < s->n; i++) {
        if (s->to[i].ix == host) {
            w->arrived[n++] = s->vms[i];
        }
    }
    if (!dcp_overload_after(w->overload, host, w->arrived, n, &need, &have)) {
        (void)snprintf(text, sizeof text,
                       "overloaded in %u samples, %u allowed", need, have);
        dcp_survive_report(w, s, dcp_judge_host(host), need, have, text);
    }
}

/* Every protected VM of the lost host is listed. */
static void
judge_missing(const struct dcp_survive_work *w, const struct dcp_survive *s,
              uint32_t h)
{
    struct dcp_ids restarted = { s->vms, s->n };

    for (uint32_t i = w->first[h]; i < w->first[h + 1]; i++) {
        if (dcp_survive_is_protected(w, w->vms[i]) &&
            !dcp_ids_contain(&restarted, w->vms[i])) {
            dcp_survive_report(w, s, dcp_judge_vm(w->vms[i]), DCP_NO_NUMBER,
                               DCP_NO_NUMBER,
                               "protected, but has no new place");
        }
    }
}

/* Restarts must be of lost VMs, and every protected lost VM must be there. */
static void
judge_lists(struct dcp_survive_work *w, const struct dcp_survive *s)
{
    for (uint32_t i = 0; i < s->n; i++) {
        dcp_host_id h = w->leg->end->host[s->vms[i]];

        if (dcp_host_is_none(h) || !w->host_lost[h.ix]) {
            dcp_survive_report(w, s, dcp_judge_vm(s->vms[i]), DCP_NO_NUMBER,
                               DCP_NO_NUMBER, "is restarted but not lost");
        } else if (i && s->vms[i] == s->vms[i - 1]) {
            dcp_survive_report(w, s, dcp_judge_vm(s->vms[i]), DCP_NO_NUMBER,
                               DCP_NO_NUMBER, "is restarted twice");
        }
    }
    for (uint32_t k = 0; k <= s->n_also; k++) {
        struct dcp_object lose = lost_object(s, k);

        if (lose.kind == DCP_OBJECT_HOST) {
            judge_missing(w, s, lose.ix);
        }
        for (uint32_t h = 0;
             lose.kind != DCP_OBJECT_HOST && h < w->inv->n_hosts; h++) {
            if (is_lost(w, lose, h)) {
                judge_missing(w, s, h);
            }
        }
    }
}

static void
judge_loss(struct dcp_survive_work *w, const struct dcp_survive *s)
{
    w->promise = s->n_also ? "n+k" : "n+1";
    set_loss(w, s, true);
    judge_lists(w, s);
    for (uint32_t i = 0; i < s->n; i++) {
        w->after[s->vms[i]] = s->to[i];
        add_extra(w, s->vms[i], s->to[i].ix, 1);
        judge_target(w, s, s->vms[i], s->to[i].ix);
    }
    for (uint32_t i = 0; i < s->n; i++) {
        bool seen = false;

        dcp_survive_judge_rules(w, s, s->vms[i], s->to[i].ix);
        for (uint32_t k = 0; k < i && !seen; k++) {
            seen = s->to[k].ix == s->to[i].ix;
        }
        if (!seen) {
            judge_room(w, s, s->to[i].ix);
            if (w->overload) {
                judge_overload(w, s, s->to[i].ix);
            }
        }
    }
    dcp_survive_judge_sums(w, s);
    for (uint32_t i = 0; i < s->n; i++) {
        add_extra(w, s->vms[i], s->to[i].ix, -1);
        w->after[s->vms[i]] = w->leg->end->host[s->vms[i]];
    }
    set_loss(w, s, false);
    w->promise = "n+1";
    w->j->result->states_checked++;
}

/* --- All losses --------------------------------------------------------- */

bool
dcp_survive_takes_down(const struct dcp_survive_work *w, struct dcp_object lose)
{
    for (uint32_t h = 0; h < w->inv->n_hosts; h++) {
        if (lose.kind == DCP_OBJECT_HOST) {
            return w->leg->end->on[lose.ix];
        }
        if (is_lost(w, lose, h) && w->leg->end->on[h]) {
            return true;
        }
    }
    return false;
}

/* 'listed': by index of the object, how many entries the leg has. */
static void
judge_demanded(const struct dcp_survive_work *w, enum dcp_object_kind kind,
               const uint8_t listed[], uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct dcp_object lose = { kind, i };

        if (listed[i] > 1 || (!listed[i] && dcp_survive_takes_down(w, lose))) {
            dcp_judge_report(w->j, 0, "n+1", lose, 1, listed[i],
                             "leg %s: %s survive list for its loss",
                             w->j->plan->legs[w->leg->index].name,
                             listed[i] ? "more than one" : "no");
        }
    }
}

static bool
judge_all(struct dcp_survive_work *w)
{
    const struct dcp_plan *plan = w->j->plan;
    const struct dcp_policy *policy = &w->inv->policy;
    static const enum dcp_object_kind kinds[] = {
        [DCP_LOSS_HOST] = DCP_OBJECT_HOST,
        [DCP_LOSS_RACK] = DCP_OBJECT_RACK,
        [DCP_LOSS_FEED] = DCP_OBJECT_FEED,
    };
    const uint32_t sizes[] = { w->inv->n_hosts, w->inv->n_racks,
                               w->inv->n_feeds };
    size_t most = (size_t)sizes[0] + sizes[1] + sizes[2] + 1;
    DCP_FREE uint8_t *listed = malloc(most);

    if (!listed) {
        return dcp_judge_no_memory(w->j);
    }
    for (uint32_t k = 0; k < policy->n_survive; k++) {
        enum dcp_loss_kind kind = policy->survive[k].kind;

        memset(listed, 0, most);
        for (uint32_t i = 0; i < plan->n_survive; i++) {
            const struct dcp_survive *s = &plan->survive[i];

            if (s->leg == w->leg->index && !s->n_also &&
                s->lose.kind == kinds[kind] && s->lose.ix < sizes[kind] &&
                listed[s->lose.ix] < 2) {
                listed[s->lose.ix]++;
            }
        }
        judge_demanded(w, kinds[kind], listed, sizes[kind]);
        if (policy->survive[k].count > 1 &&
            !dcp_survive_judge_sets(w, kinds[kind], policy->survive[k].count,
                                    sizes[kind])) {
            return false;
        }
    }
    for (uint32_t i = 0; i < plan->n_survive; i++) {
        const struct dcp_survive *s = &plan->survive[i];

        if (s->leg != w->leg->index) {
            continue;
        }
        if (s->lose.kind != DCP_OBJECT_HOST &&
            s->lose.kind != DCP_OBJECT_RACK &&
            s->lose.kind != DCP_OBJECT_FEED) {
            dcp_survive_report(w, s, s->lose, DCP_NO_NUMBER, DCP_NO_NUMBER,
                               "nothing that can be lost");
        } else if (!dcp_survive_is_a_set(s)) {
            dcp_survive_report(
                w, s, s->lose, DCP_NO_NUMBER, DCP_NO_NUMBER,
                "what is lost at once is of one kind, ascending");
        } else {
            judge_loss(w, s);
        }
    }
    return true;
}

bool
dcp_survive_check(struct dcp_leg_view *leg)
{
    const struct dcp_inventory *inv = leg->j->inv;
    size_t n_cells = (size_t)inv->n_hosts * leg->cells.n + 1;
    struct dcp_arena *arena = leg->arena;
    struct dcp_survive_work w = {
        .promise = "n+1",
        .event = "losing",
        .leg = leg,
        .j = leg->j,
        .inv = inv,
        .first = dcp_arena_array(arena, uint32_t, inv->n_hosts + 1u),
        .vms = dcp_arena_array(arena, uint32_t, inv->n_vms + 1u),
        .extra = dcp_arena_array(arena, uint64_t, n_cells),
        .need = dcp_arena_array(arena, uint64_t, leg->cells.n + 1u),
        .capacity = dcp_arena_array(arena, uint64_t, leg->cells.n + 1u),
        .sum = dcp_arena_array(arena, uint64_t, leg->cells.n + 1u),
        .host_lost = dcp_arena_array(arena, uint8_t, inv->n_hosts + 1u),
        .after = dcp_arena_array(arena, dcp_host_id, inv->n_vms + 1u),
    };

    if (!leg->j->plan->n_survive && !inv->policy.n_survive) {
        return true;
    }
    DCP_FREE uint64_t *load = 
        dcp_cells_load(&leg->cells, leg->end, UINT32_MAX);

    if (!w.first || !w.vms || !w.extra || !w.need || !w.capacity || !w.sum ||
        !w.host_lost || !w.after || !load) {
        return dcp_judge_no_memory(leg->j);
    }
    w.load = load;
    dcp_placement_by_host(leg->end, w.first, w.vms);
    memcpy(w.after, leg->end->host, inv->n_vms * sizeof *w.after);

    struct dcp_overload overload = { 0 };
    bool ok = true;

    if (dcp_overload_asked(leg->j)) {
        uint32_t first = leg->cells.first_slot;

        w.overload = &overload;
        w.arrived = dcp_arena_array(arena, uint32_t, inv->n_vms + 1u);
        ok = w.arrived &&
             dcp_overload_init(&overload, leg->j, first,
                               first + leg->cells.n_slots) &&
             dcp_overload_sum(&overload, leg->end);
    }
    ok = ok && dcp_survive_index_rules(&w) && dcp_survive_sum_up(&w) &&
         judge_all(&w);
    dcp_overload_finish(&overload);
    return ok;
}
