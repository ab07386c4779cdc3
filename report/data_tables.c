/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Tables: licences, hosts switched off, what is
 * survived, and the quality of the data. */

#include "report/work.h"

#include "model/licence.h"

static const char *
metric_name(enum dcp_licence_metric metric)
{
    switch (metric) {
    case DCP_LICENCE_HOST:
        return "host";
    case DCP_LICENCE_SOCKET:
        return "socket";
    case DCP_LICENCE_SOCKET_PAIR:
        return "socket pair";
    case DCP_LICENCE_CORE:
        return "core";
    case DCP_LICENCE_VCPU:
        return "vCPU";
    case DCP_LICENCE_VM:
        return "VM";
    }
    return "";
}

/* [name, per, units before, after, owned, hosts before, after, price a year
 * per unit, units that only the night needs, covered VMs] */
static void
write_licences(const struct dcp_report_work *r, struct dcp_json *w)
{
    const struct dcp_inventory *inv = r->in->inventory;
    const struct dcp_plan *plan = r->in->plan;
    const struct dcp_placement *states[DCP_LEGS_MAX + 1] = { plan->before };
    /* What is given back counts beside what was before it, over the horizon; a
     * plan that stays what it is counts as it is then. */
    const struct dcp_placement *const *held = states;
    uint32_t n_held = plan->n_legs + 1;

    for (uint32_t l = 0; l < plan->n_legs; l++) {
        states[l + 1] = plan->legs[l].after;
    }
    if (plan->n_legs == 1) {
        held = &states[1];
        n_held = 1;
    }
    dcp_json_karray(w, "licences");
    for (uint32_t i = 0; i < inv->n_licences; i++) {
        const struct dcp_licence *licence = &inv->licences[i];
        struct dcp_licence_need was, is, night;

        dcp_licence_count(inv, i, states, 1, &was);
        dcp_licence_count(inv, i, held, n_held, &is);
        dcp_licence_count(inv, i, &states[1], 1, &night);
        dcp_json_begin(w, '[');
        dcp_json_string(w, licence->name);
        dcp_json_string(w, metric_name(licence->metric));
        dcp_json_double(w, was.units);
        dcp_json_double(w, is.units);
        dcp_json_double(w, licence->owned);
        dcp_json_u64(w, was.n_hosts);
        dcp_json_u64(w, is.n_hosts);
        dcp_json_double(w, licence->price_per_year);
        dcp_json_double(w, night.units);
        dcp_json_u64(w, licence->vms.n);
        dcp_json_end(w, ']');
    }
    dcp_json_end(w, ']');
}

/* [host, off from, off until, kWh, cost]: what each switched-off host does not
 * draw meanwhile; and what all hosts draw less in the rest of the hours: mostly
 * below 0, for what they took. */
static void
write_off(const struct dcp_report_work *r, struct dcp_json *w)
{
    const struct dcp_timeline *t = &r->tl;
    double rest_kwh = 0, rest_cost = 0;

    dcp_json_karray(w, "off");
    for (uint32_t h = 0; h < r->in->inventory->n_hosts; h++) {
        rest_kwh += t->host_saved_kwh[h];
        rest_cost += t->host_saved_cost[h];
        if (t->off_until_ms[h] <= t->off_from_ms[h]) {
            continue;
        }
        rest_kwh -= t->host_off_kwh[h];
        rest_cost -= t->host_off_cost[h];
        dcp_json_begin(w, '[');
        dcp_json_u64(w, h);
        dcp_json_i64(w, t->off_from_ms[h]);
        dcp_json_i64(w, t->off_until_ms[h]);
        dcp_json_double(w, dcp_report_round(t->host_off_kwh[h], 3));
        dcp_json_double(w, dcp_report_round(t->host_off_cost[h], 4));
        dcp_json_end(w, ']');
    }
    dcp_json_end(w, ']');
    dcp_json_kdouble(w, "off_rest_kwh", dcp_report_round(rest_kwh, 3));
    dcp_json_kdouble(w, "off_rest_cost", dcp_report_round(rest_cost, 4));
}

/* Hosts that take the VMs of one loss. */
static uint32_t
count_hosts(const struct dcp_survive *s, uint8_t seen[], uint32_t n_hosts)
{
    uint32_t n = 0;

    for (uint32_t h = 0; h < n_hosts; h++) {
        seen[h] = 0;
    }
    for (uint32_t i = 0; i < s->n; i++) {
        if (!dcp_host_is_none(s->to[i]) && !seen[s->to[i].ix]) {
            seen[s->to[i].ix] = 1;
            n++;
        }
    }
    return n;
}

/* [leg, kind, what is lost, VMs with a place, on so many hosts, VMs without a
 * promise] */
static void
write_survive(const struct dcp_report_work *r, struct dcp_json *w)
{
    const struct dcp_inventory *inv = r->in->inventory;
    const struct dcp_plan *plan = r->in->plan;
    DCP_AUTO(dcp_arena) struct dcp_arena *arena = dcp_arena_create(0);
    uint8_t *seen =
        arena ? dcp_arena_array(arena, uint8_t, inv->n_hosts) : NULL;

    if (!seen) {
        w->text.failed = true;
        return;
    }
    dcp_json_karray(w, "survive");
    for (uint32_t i = 0; i < plan->n_survive; i++) {
        const struct dcp_survive *s = &plan->survive[i];

        if (i == DCP_REPORT_STEPS_MAX) {
            break;
        }
        if (s->n_also) { /* Sets of several are too many to read. */
            continue;
        }
        dcp_json_begin(w, '[');
        dcp_json_u64(w, s->leg);
        dcp_json_string(w, dcp_object_kind_name(s->lose.kind));
        dcp_json_string(w, dcp_object_name(inv, s->lose));
        dcp_json_u64(w, s->n);
        dcp_json_u64(w, count_hosts(s, seen, inv->n_hosts));
        dcp_json_u64(w, s->n_not_protected);
        dcp_json_end(w, ']');
    }
    dcp_json_end(w, ']');
    dcp_json_ku64(w, "n_survive", plan->n_survive);
}

static void
write_tiers(const struct dcp_report_work *r, struct dcp_json *w)
{
    const struct dcp_inventory *inv = r->in->inventory;

    /* [name, percentile, margin, CPU overcommit, memory overcommit, VMs,
     * protected] */
    dcp_json_karray(w, "tiers");
    for (uint32_t t = 0; t < inv->n_tiers; t++) {
        const struct dcp_tier *tier = &inv->tiers[t];
        uint32_t n = 0;

        for (uint32_t vm = 0; vm < inv->n_vms; vm++) {
            n += inv->vms[vm].tier.ix == t;
        }
        if (!n) {
            continue;
        }
        dcp_json_begin(w, '[');
        dcp_json_string(w, tier->name);
        dcp_json_double(w, tier->percentile);
        dcp_json_double(w, tier->margin_frac);
        dcp_json_double(w, tier->cpu_overcommit);
        dcp_json_double(w, tier->memory_overcommit);
        dcp_json_u64(w, n);
        dcp_json_bool(w, t < 64 && (inv->policy.protect_tiers >> t & 1));
        dcp_json_end(w, ']');
    }
    dcp_json_end(w, ']');
}

static void
write_quality(const struct dcp_report_work *r, struct dcp_json *w)
{
    const struct dcp_demand *d = r->in->demand;
    const struct dcp_policy *policy = &r->in->inventory->policy;

    dcp_json_kobject(w, "quality");
    /* By trace, short trace, profile, allocation. */
    dcp_json_karray(w, "by_source");
    for (int i = 0; i < 4; i++) {
        dcp_json_u64(w, d->n_by_source[i]);
    }
    dcp_json_end(w, ']');
    dcp_json_ku64(w, "vms_at_limit", d->n_vms_at_limit);
    dcp_json_ku64(w, "samples_at_limit", d->n_samples_at_limit);
    dcp_json_kdouble(w, "at_limit_raise_frac", d->at_limit_raise_frac);
    dcp_json_ku64(w, "vms_partial", d->n_vms_partial);
    dcp_json_ku64(w, "class_fallback", d->n_class_fallback);
    dcp_json_ki64(w, "from", d->from_ms);
    dcp_json_ki64(w, "until", d->until_ms);
    dcp_json_kdouble(w, "peak_factor", policy->peak_factor);
    dcp_json_kstring(w, "memory_basis",
                     policy->memory_basis == DCP_MEMORY_ACTIVE ? "active"
                                                               : "allocated");
    dcp_json_kdouble(w, "target_cpu_frac", policy->target_cpu_frac);
    dcp_json_kdouble(w, "target_mem_frac", policy->target_mem_frac);
    dcp_json_kdouble(w, "target_net_frac", policy->target_net_frac);
    dcp_json_ku64(w, "rules", r->in->inventory->n_rules);
    dcp_json_ku64(w, "out_per_host", r->in->plan->limits.out_per_host);
    dcp_json_ku64(w, "in_per_host", r->in->plan->limits.in_per_host);
    /* [kind, how many] */
    dcp_json_karray(w, "headroom");
    for (uint32_t i = 0; i < policy->n_survive; i++) {
        static const char *const kinds[] = { "host", "rack", "feed" };

        dcp_json_begin(w, '[');
        dcp_json_string(w, kinds[policy->survive[i].kind]);
        dcp_json_u64(w, policy->survive[i].count);
        dcp_json_end(w, ']');
    }
    dcp_json_end(w, ']');
    write_tiers(r, w);
    dcp_json_end(w, '}');
}

void
dcp_report_write_tables(const struct dcp_report_work *r, struct dcp_json *w)
{
    dcp_report_write_steps(r, w);
    write_licences(r, w);
    write_off(r, w);
    write_survive(r, w);
    write_quality(r, w);
}
