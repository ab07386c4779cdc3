/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/explain/refusal.h"

#include "solver/rules/delta.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *
dcp_refusal_kind_name(enum dcp_refusal_kind kind)
{
    static const char *const names[] = {
        [DCP_REFUSAL_NONE] = "none",
        [DCP_REFUSAL_MAINTENANCE] = "maintenance",
        [DCP_REFUSAL_OFF] = "off",
        [DCP_REFUSAL_REACH] = "reach",
        [DCP_REFUSAL_CAPACITY] = "capacity",
        [DCP_REFUSAL_POWER] = "power",
        [DCP_REFUSAL_GROUP] = "group",
        [DCP_REFUSAL_LICENCE] = "licence",
        [DCP_REFUSAL_HEADROOM] = "n+1",
    };

    return names[kind];
}

static void
refuse(struct dcp_refusal *out, enum dcp_refusal_kind kind, const char *rule)
{
    *out = (struct dcp_refusal){
        .kind = kind, .need = NAN, .have = NAN, .slot = UINT32_MAX
    };
    (void)snprintf(out->rule, sizeof out->rule, "%s", rule);
}

static const struct dcp_host *
host_of(const struct dcp_state *s, uint32_t host)
{
    return &s->p->q->inventory->hosts[host];
}

static const char *
vm_name(const struct dcp_problem *p, uint32_t item)
{
    return p->q->inventory->vms[p->vm[p->vm_first[item]]].name;
}

/* --- Power and reach ---------------------------------------------------- */

static bool
refused_by_use(const struct dcp_state *s, uint32_t host, bool wake,
               struct dcp_refusal *out)
{
    const struct dcp_host *h = host_of(s, host);

    if (s->p->use[host] == DCP_HOST_AVOID) {
        refuse(out, DCP_REFUSAL_MAINTENANCE, "maintenance");
        (void)snprintf(out->text, sizeof out->text, "the host is %s",
                       h->state == DCP_HOST_MAINTENANCE ? "in maintenance"
                                                        : "to be emptied");
        (void)snprintf(out->remedy, sizeof out->remedy,
                       "end the maintenance of '%.60s'", h->name);
        return true;
    }
    if (!s->on[host] && !(wake && s->p->use[host] == DCP_HOST_FREE)) {
        refuse(out, DCP_REFUSAL_OFF, "off");
        (void)snprintf(out->text, sizeof out->text, "the host is off");
        (void)snprintf(out->remedy, sizeof out->remedy, "switch '%.60s' on",
                       h->name);
        return true;
    }
    if (!s->on[host] && !dcp_state_may_switch(s, host, true)) {
        refuse(out, DCP_REFUSAL_OFF, "max_on");
        (void)snprintf(out->text, sizeof out->text,
                       "the host is off, and no more of its rule may be on");
        (void)snprintf(out->remedy, sizeof out->remedy,
                       "raise max of the max_on rule");
        return true;
    }
    return false;
}

/* Of the VMs of the item the first that is out of reach. */
static bool
refused_by_reach(const struct dcp_state *s, uint32_t item, uint32_t host,
                 struct dcp_refusal *out)
{
    const struct dcp_problem *p = s->p;
    char why[160] = "";
    uint32_t k = p->vm_first[item];

    if (dcp_problem_reaches(p, item, host)) {
        return false;
    }
    while (k < p->vm_first[item + 1] &&
           !dcp_reach_why_not(p->q, p->vm[k], host, why, sizeof why)) {
        k++;
    }
    refuse(out, DCP_REFUSAL_REACH, "reach");
    (void)snprintf(out->text, sizeof out->text, "out of reach: %.150s", why);
    if (!strncmp(why, "rule '", 6)) {
        size_t n = strcspn(why + 6, "'");

        (void)snprintf(out->rule, sizeof out->rule, "%.*s", (int)(n & 63),
                       why + 6);
        (void)snprintf(out->remedy, sizeof out->remedy,
                       "change rule '%.60s', or make it soft", out->rule);
    } else if (!strncmp(why, "VLAN", 4)) {
        (void)snprintf(out->remedy, sizeof out->remedy,
                       "trunk the VLAN on a port of '%.60s', or give its "
                       "switch a driver",
                       host_of(s, host)->name);
    } else if (!strncmp(why, "pool", 4)) {
        (void)snprintf(out->remedy, sizeof out->remedy,
                       "open the pool on '%.60s', or move the volume",
                       host_of(s, host)->name);
    }
    return true;
}

/* --- Room --------------------------------------------------------------- */

/* The smallest other item on the host (by what it frees) without which this
 * one would have room; DCP_IX_NONE: one is not enough. */
static uint32_t
smallest_to_leave(struct dcp_state *s, uint32_t item, uint32_t host)
{
    const struct dcp_problem *p = s->p;
    uint32_t best = DCP_IX_NONE;

    for (uint32_t other = s->first[host]; other != DCP_IX_NONE;
         other = s->next[other]) {
        bool smaller = best == DCP_IX_NONE || p->size[other] < p->size[best] ||
                       (p->size[other] == p->size[best] && other < best);

        if (!smaller) {
            continue;
        }
        dcp_state_sub_load(s, other, host);
        if (dcp_state_fits(s, item, host)) {
            best = other;
        }
        dcp_state_add_load(s, other, host);
    }
    return best;
}

static void
suggest_room(struct dcp_state *s, uint32_t item, uint32_t host,
             const char *resource, const char *unit, struct dcp_refusal *out)
{
    const struct dcp_problem *p = s->p;
    uint32_t other = smallest_to_leave(s, item, host);
    double missing = out->need - out->have;

    if (other != DCP_IX_NONE) {
        (void)snprintf(out->remedy, sizeof out->remedy,
                       "move '%.60s' off '%.60s' first", vm_name(p, other),
                       host_of(s, host)->name);
    } else {
        (void)snprintf(out->remedy, sizeof out->remedy,
                       "free %.0f %s of %s on '%.60s'; no single VM's leaving "
                       "is enough",
                       missing, unit, resource, host_of(s, host)->name);
    }
}

static bool
refused_by_scalar(struct dcp_state *s, uint32_t item, uint32_t host,
                  struct dcp_refusal *out)
{
    const struct dcp_problem *p = s->p;
    const struct dcp_inventory *inv = p->q->inventory;

    for (uint32_t r = 0; r < p->n_scalars; r++) {
        size_t at = (size_t)r * p->n_hosts + host;
        double need = dcp_problem_request(p, item, host, r);
        double have = (double)p->cap[at] - s->used[at];
        const char *name = dcp_scalar_name(inv, p->scalar_id[r]);
        const char *unit = dcp_scalar_unit(p->scalar_id[r]);

        if (need <= have) {
            continue;
        }
        refuse(out, DCP_REFUSAL_CAPACITY, name);
        out->need = need;
        out->have = have > 0 ? have : 0;
        (void)snprintf(out->text, sizeof out->text,
                       "%s: needs %.0f %s, %.0f of %u usable are left", name,
                       need, unit, out->have, p->cap[at]);
        suggest_room(s, item, host, name, unit, out);
        return true;
    }
    return false;
}

/* The slot in which most is missing, of one timed resource. */
static bool
worst_slot(const struct dcp_problem *p, const uint32_t *used,
           const uint32_t *more, uint32_t cap, uint32_t *out_slot)
{
    double most = 0;

    for (uint32_t t = 0; t < p->n_slots; t++) {
        double over = (double)used[t] + more[t] - cap;

        if (over > most) {
            most = over;
            *out_slot = t;
        }
    }
    return most > 0;
}

static void
describe_slot(const struct dcp_problem *p, uint32_t slot, char out[48])
{
    const struct dcp_inventory *inv = p->q->inventory;
    struct dcp_local local = dcp_zone_local(
        inv->zone, p->q->demand->slots[p->q->first_slot + slot].start_ms);

    (void)snprintf(out, 48, "at %02d:%02d", (int)(local.ms_of_day / 3600000),
                   (int)(local.ms_of_day / 60000 % 60));
}

static bool
refused_by_timed(struct dcp_state *s, uint32_t item, uint32_t host,
                 struct dcp_refusal *out)
{
    const struct dcp_problem *p = s->p;
    size_t of_item = (size_t)item * p->stride;
    size_t of_host = (size_t)host * p->stride;

    for (int net = 0; net <= (s->net_kib_s != NULL); net++) {
        const uint32_t *used = (net ? s->net_kib_s : s->cpu_mhz) + of_host;
        const uint32_t *more = (net ? p->net_kib_s : p->cpu_mhz) + of_item;
        uint32_t cap = (net ? p->cap_net_kib_s : p->cap_cpu_mhz)[host];
        const char *name = net ? "network" : "cpu";
        const char *unit = net ? "KiB/s" : "MHz";
        uint32_t slot = 0;
        char when[48];

        if (!worst_slot(p, used, more, cap, &slot)) {
            continue;
        }
        refuse(out, DCP_REFUSAL_CAPACITY, name);
        describe_slot(p, slot, when);
        out->slot = slot;
        out->need = more[slot];
        out->have = cap > used[slot] ? (double)cap - used[slot] : 0;
        (void)snprintf(out->text, sizeof out->text,
                       "%s %s: needs %.0f %s, %.0f of %u usable are left", name,
                       when, out->need, unit, out->have, cap);
        suggest_room(s, item, host, name, unit, out);
        return true;
    }
    return false;
}

static bool
refused_by_chance(struct dcp_state *s, uint32_t item, uint32_t host,
                  struct dcp_refusal *out)
{
    const struct dcp_problem *p = s->p;
    uint32_t range = 0, above;
    char when[48];

    if (!s->chance || dcp_chance_fits(s->chance, item, host, false)) {
        return false;
    }
    above = dcp_chance_worst(s->chance, item, host, &range);
    refuse(out, DCP_REFUSAL_CAPACITY, "overload");
    out->slot = p->chance->slot[range];
    describe_slot(p, out->slot, when);
    out->need = above;
    out->have = p->chance->allowed[range];
    (void)snprintf(out->text, sizeof out->text,
                   "overload %s: its VMs together would want more than %u MHz "
                   "in %u of %u past samples, %u are allowed",
                   when, p->chance->limit_mhz[host], above,
                   p->chance->first[range + 1] - p->chance->first[range],
                   p->chance->allowed[range]);
    suggest_room(s, item, host, "overload", "samples", out);
    return true;
}

static bool
refused_by_room(struct dcp_state *s, uint32_t item, uint32_t host,
                struct dcp_refusal *out)
{
    if (dcp_state_fits(s, item, host)) {
        return false;
    }
    if (refused_by_scalar(s, item, host, out) ||
        refused_by_timed(s, item, host, out)) {
        return true;
    }
    if (refused_by_chance(s, item, host, out)) {
        return true;
    }
    refuse(out, DCP_REFUSAL_POWER, "power");
    (void)snprintf(out->text, sizeof out->text,
                   "the power of its rack or feed, or the heat of its room, "
                   "would be above its limit");
    (void)snprintf(out->remedy, sizeof out->remedy,
                   "free power in the rack of '%.60s'", host_of(s, host)->name);
    return true;
}

/* --- Groups ------------------------------------------------------------- */

/* An item that stands in the way; DCP_IX_NONE: a number does, or none. */
static uint32_t
member_in_the_way(const struct dcp_state *s, const struct dcp_group *g,
                  uint32_t item, uint32_t host)
{
    uint32_t d = g->domain_of_host[host];

    if (g->rule->kind == DCP_RULE_MAX_SKEW ||
        g->rule->kind == DCP_RULE_CAPACITY ||
        g->rule->kind == DCP_RULE_RUNNING_CAPACITY) {
        return DCP_IX_NONE;
    }
    for (uint32_t k = 0; k < g->n_items + g->n_others; k++) {
        uint32_t other =
            k < g->n_items ? g->items[k] : g->others[k - g->n_items];

        if (other != item && s->host[other] != DCP_IX_NONE &&
            dcp_group_in_the_way(s, g, item, other, d)) {
            return other;
        }
    }
    for (uint32_t other = s->first[host];
         g->rule->kind == DCP_RULE_LONELY && other != DCP_IX_NONE;
         other = s->next[other]) {
        if (other != item && dcp_group_in_the_way(s, g, item, other, d)) {
            return other;
        }
    }
    return DCP_IX_NONE;
}

static bool
refused_by_group(const struct dcp_state *s, uint32_t item, uint32_t host,
                 struct dcp_refusal *out)
{
    const struct dcp_problem *p = s->p;
    const struct dcp_group *g = dcp_state_blocking_group(s, item, host, false);

    if (!g) {
        return false;
    }
    uint32_t member = member_in_the_way(s, g, item, host);
    const char *kind = dcp_rule_kind_name(g->rule->kind);
    bool has_over = dcp_rule_form(g->rule->kind)->may & DCP_RULE_KEY_OVER;
    const char *over = has_over ? dcp_domain_name(g->rule->over)
                       : g->rule->kind == DCP_RULE_AMONG ? "set"
                                                         : "host";
    char what[40];
    bool gather = g->rule->kind == DCP_RULE_GATHER ||
                  g->rule->kind == DCP_RULE_AMONG;

    (void)snprintf(what, sizeof what, has_over ? "%s over %s" : "%s", kind,
                   over);
    refuse(out, DCP_REFUSAL_GROUP, g->rule->name);
    if (member == DCP_IX_NONE) {
        (void)snprintf(out->text, sizeof out->text, "rule '%.60s' (%s)",
                       g->rule->name, what);
    } else {
        (void)snprintf(out->text, sizeof out->text,
                       "rule '%.60s' (%s): '%.50s' is on '%.40s'",
                       g->rule->name, what, vm_name(p, member),
                       host_of(s, s->host[member])->name);
        (void)snprintf(out->remedy, sizeof out->remedy,
                       "move '%.40s' %s this %s, or make the rule soft",
                       vm_name(p, member), gather ? "to" : "off", over);
    }
    return true;
}

static bool
refused_by_licence(const struct dcp_state *s, uint32_t item, uint32_t host,
                   struct dcp_refusal *out)
{
    double units;
    const struct dcp_licence_pool *pool =
        dcp_state_short_licence(s, item, host, &units);

    if (!pool) {
        return false;
    }
    const struct dcp_licence *l =
        &s->p->q->inventory->licences[pool->licence];

    refuse(out, DCP_REFUSAL_LICENCE, l->name);
    out->need = units;
    out->have = pool->most;
    (void)snprintf(out->text, sizeof out->text,
                   "licence '%.60s': needs %.0f units, owns %g%s", l->name,
                   units, l->owned,
                   pool->most > l->owned
                       ? ", and no more than the start may be needed"
                       : "");
    (void)snprintf(out->remedy, sizeof out->remedy,
                   "own %.0f more units of '%.60s', or policy.licences: priced",
                   ceil(units - l->owned), l->name);
    return true;
}

bool
dcp_refusal_find(struct dcp_state *s, uint32_t item, uint32_t host, bool wake,
                 struct dcp_refusal *out)
{
    refuse(out, DCP_REFUSAL_NONE, "");
    return refused_by_use(s, host, wake, out) ||
           refused_by_reach(s, item, host, out) ||
           refused_by_room(s, item, host, out) ||
           refused_by_group(s, item, host, out) ||
           refused_by_licence(s, item, host, out);
}

/* What is in reach and yet has a reason against it breaks a soft rule. */
void
dcp_refusal_soft(const struct dcp_state *s, uint32_t item, uint32_t host,
                 char out_rule[64])
{
    const struct dcp_problem *p = s->p;
    const struct dcp_group *g = dcp_state_soft_group(s, item, host);
    char why[160];

    out_rule[0] = '\0';
    if (g) {
        (void)snprintf(out_rule, 64, "%s", g->rule->name);
    }
    for (uint32_t k = p->vm_first[item];
         k < p->vm_first[item + 1] && !out_rule[0]; k++) {
        if (dcp_problem_reaches(p, item, host) &&
            dcp_reach_why_not(p->q, p->vm[k], host, why, sizeof why) &&
            !strncmp(why, "rule '", 6)) {
            (void)snprintf(out_rule, 64, "%.*s",
                           (int)(strcspn(why + 6, "'") & 63), why + 6);
        }
    }
}

/* --- Headroom ----------------------------------------------------------- */

void
dcp_refusal_of_headroom(const struct dcp_problem *p,
                        const struct dcp_headroom *headroom,
                        struct dcp_refusal *out)
{
    char what[140];

    (void)dcp_loss_set_print(p->q->inventory, &headroom->failed, what,
                             sizeof what);
    refuse(out, DCP_REFUSAL_HEADROOM, "n+1");
    (void)snprintf(out->text, sizeof out->text,
                   headroom->too_few_berths
                       ? "too little room would be kept for several at once "
                         "with %.100s, VM '%.60s' among what is lost"
                   : headroom->too_few_stand_ins
                       ? "%.100s would have too few empty hosts to stand in "
                         "for it, VM '%.60s' among its own"
                       : "if %.100s were lost then, VM '%.60s' would find no "
                         "place",
                   what, vm_name(p, headroom->failed_item));
    (void)snprintf(out->remedy, sizeof out->remedy,
                   "switch on or add a host that can restart '%.60s'",
                   vm_name(p, headroom->failed_item));
}

bool
dcp_refusal_headroom(struct dcp_state *s, uint32_t item, uint32_t host,
                     bool *out_refused, struct dcp_refusal *out,
                     struct dcp_error *err)
{
    struct dcp_headroom headroom = { .ok = true };
    bool was_on = s->on[host];

    if (!was_on) {
        dcp_state_power(s, host, true);
    }
    dcp_state_place(s, item, host);
    bool ok = dcp_headroom_check(s, NULL, NULL, &headroom, err);

    dcp_state_remove(s, item);
    if (!was_on) {
        dcp_state_power(s, host, false);
    }
    *out_refused = ok && !headroom.ok;
    if (*out_refused) {
        dcp_refusal_of_headroom(s->p, &headroom, out);
    }
    return ok;
}
