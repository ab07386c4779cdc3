/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Which rule is judged by what, and what the judges share. */

#include "model/check/rule_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct dcp_rule_checker dcp_rule_checkers[DCP_RULE_KINDS] = {
    [DCP_RULE_SPREAD] = { dcp_check_spread, dcp_always_apart, false },
    [DCP_RULE_GATHER] = { dcp_check_gather, dcp_always_gather, false },
    [DCP_RULE_FENCE] = { dcp_check_hosts, dcp_always_hosts, false },
    [DCP_RULE_BAN] = { dcp_check_hosts, dcp_always_hosts, false },
    [DCP_RULE_ROOT] = { dcp_check_root, dcp_always_root, false },
    [DCP_RULE_SEPARATE] = { dcp_check_apart, dcp_always_apart, false },
    [DCP_RULE_AMONG] = { dcp_check_among, dcp_always_among, false },
    [DCP_RULE_SPLIT] = { dcp_check_apart, dcp_always_apart, false },
    [DCP_RULE_LONELY] = { dcp_check_lonely, dcp_always_lonely, false },
    [DCP_RULE_QUARANTINE] = { dcp_check_quarantine, dcp_always_quarantine,
                              false },
    [DCP_RULE_MAX_SKEW] = { dcp_check_skew, dcp_always_skew, false },
    [DCP_RULE_CAPACITY] = { dcp_check_limit, dcp_always_limit, false },
    [DCP_RULE_RUNNING_CAPACITY] = { dcp_check_limit, dcp_always_limit, false },
    [DCP_RULE_MAX_ON] = { dcp_check_power, dcp_always_power, false },
    [DCP_RULE_MIN_ON] = { dcp_check_power, dcp_always_power, false },
    [DCP_RULE_SEQUENCE] = { NULL, dcp_always_sequence, true },
    [DCP_RULE_CHANGE_WINDOW] = { NULL, dcp_always_change, true },
    [DCP_RULE_FREEZE] = { NULL, dcp_always_change, true },
};

/* --- Domains ------------------------------------------------------------ */

static bool
has_switch(const struct dcp_host *h, uint32_t ix)
{
    bool has = false;

    for (uint32_t i = 0; i < h->n_ports && !has; i++) {
        has = h->ports[i].to.ix == ix;
    }
    return has;
}

/* Each leads to every switch that the other leads to. */
static bool
switches_alike(const struct dcp_host *a, const struct dcp_host *b)
{
    bool alike = a->n_ports > 0 && b->n_ports > 0;

    for (uint32_t i = 0; alike && i < a->n_ports + b->n_ports; i++) {
        alike = i < a->n_ports ? has_switch(b, a->ports[i].to.ix)
                               : has_switch(a, b->ports[i - a->n_ports].to.ix);
    }
    return alike;
}

uint32_t
dcp_check_rules_domain(const struct dcp_inventory *inv, enum dcp_domain domain,
                       uint32_t host)
{
    dcp_rack_id rack = inv->hosts[host].rack;
    dcp_room_id room;
    dcp_site_id site;
    const uint32_t alone = DCP_RULE_ALONE + host;

    switch (domain) {
    case DCP_DOMAIN_HOST:
        return host;
    case DCP_DOMAIN_RACK:
        return dcp_rack_is_none(rack) ? alone : rack.ix;
    case DCP_DOMAIN_ROOM:
        room = dcp_host_room(inv, (dcp_host_id){ host });
        return dcp_room_is_none(room) ? alone : room.ix;
    case DCP_DOMAIN_SITE:
        site = dcp_host_site(inv, (dcp_host_id){ host });
        return dcp_site_is_none(site) ? alone : site.ix;
    case DCP_DOMAIN_SWITCH:
        for (uint32_t h = 0; h < host; h++) {
            if (switches_alike(&inv->hosts[h], &inv->hosts[host])) {
                return h;
            }
        }
        return inv->hosts[host].n_ports ? host : alone;
    case DCP_DOMAIN_FEED:
        break;
    }
    if (dcp_rack_is_none(rack)) {
        return alone;
    }
    /* The first rack with the same set of feeds stands for all of them. */
    const struct dcp_ids *mine = &inv->racks[rack.ix].feeds;

    for (uint32_t r = 0; r < rack.ix; r++) {
        const struct dcp_ids *other = &inv->racks[r].feeds;

        if (other->n == mine->n &&
            (mine->n == 0 ||
             !memcmp(other->ix, mine->ix, mine->n * sizeof *mine->ix))) {
            return r;
        }
    }
    return rack.ix;
}

void
dcp_rule_domains_finish(struct dcp_rule_domains *d)
{
    for (uint32_t i = 0; i < DCP_DOMAINS; i++) {
        free(d->of[i]);
    }
}

/* Without memory for the column each host is worked out on its own. */
static uint32_t
domain_of(struct dcp_rule_domains *d, const struct dcp_rule *rule,
          uint32_t host)
{
    const struct dcp_inventory *inv = d->inv;
    enum dcp_domain over = rule->over;

    for (uint32_t s = 0; rule->kind == DCP_RULE_AMONG && s < rule->n_sets;
         s++) {
        if (dcp_ids_contain(&rule->sets[s].ids, host)) {
            return s;
        }
    }
    if (rule->kind == DCP_RULE_AMONG) {
        return DCP_RULE_ALONE + host;
    }
    if (over != DCP_DOMAIN_HOST && !d->of[over]) {
        d->of[over] = calloc(inv->n_hosts + 1u, sizeof *d->of[over]);
        for (uint32_t h = 0; d->of[over] && h < inv->n_hosts; h++) {
            d->of[over][h] = dcp_check_rules_domain(inv, over, h);
        }
    }
    return d->of[over] ? d->of[over][host]
                       : dcp_check_rules_domain(inv, over, host);
}

uint32_t
dcp_rule_view_domain(const struct dcp_rule_view *v, uint32_t host)
{
    return domain_of(v->domains, v->rule, host);
}

uint32_t
dcp_always_domain(const struct dcp_always_view *v, uint32_t host)
{
    return domain_of(v->domains, v->rule, host);
}

/* --- What the judges share ---------------------------------------------- */

void
dcp_rule_broken(const struct dcp_rule_view *v, struct dcp_object object,
                double need, double have, double n, const char *text)
{
    if (v->rule->soft) {
        dcp_judge_report_soft(v->j, v->rule, object, n, "%s %s", text, v->when);
    } else {
        dcp_judge_report(v->j, 0, v->rule->name, object, need, have,
                         "%s: %s %s", dcp_rule_kind_name(v->rule->kind), text,
                         v->when);
    }
}

dcp_host_id
dcp_rule_base_host(const struct dcp_rule_view *v, uint32_t vm)
{
    return v->j->base && !v->rule->soft ? v->j->base->host[vm]
                                        : dcp_host_none();
}

uint64_t
dcp_rule_weight(const struct dcp_inventory *inv, const struct dcp_rule *rule,
                uint32_t vm)
{
    if (rule->kind != DCP_RULE_CAPACITY) {
        return 1;
    }
    return rule->resource == DCP_RULE_MEMORY ? inv->vms[vm].mem_mib
                                             : inv->vms[vm].vcpus;
}

bool
dcp_rule_lists_host(const struct dcp_rule *rule, uint32_t host)
{
    struct dcp_ids hosts = { rule->hosts, rule->n_hosts };

    return dcp_ids_contain(&hosts, host);
}

bool
dcp_rule_lists_vm(const struct dcp_rule *rule, uint32_t vm)
{
    struct dcp_ids vms = { rule->vms, rule->n_vms };

    return dcp_ids_contain(&vms, vm);
}

uint32_t
dcp_rule_part(const struct dcp_rule *rule, uint32_t vm)
{
    if (rule->kind == DCP_RULE_SEPARATE || rule->kind == DCP_RULE_LONELY) {
        return dcp_rule_lists_vm(rule, vm) ? 0 : 1;
    }
    for (uint32_t s = 0; rule->kind == DCP_RULE_SPLIT && s < rule->n_sets;
         s++) {
        if (dcp_ids_contain(&rule->sets[s].ids, vm)) {
            return s;
        }
    }
    return 0;
}

/* No domain that is not one host's own has a number from here on. */
static uint32_t
most_domains(const struct dcp_inventory *inv)
{
    uint32_t n = inv->n_hosts;

    n = inv->n_racks > n ? inv->n_racks : n;
    n = inv->n_rooms > n ? inv->n_rooms : n;
    return inv->n_sites > n ? inv->n_sites : n;
}

bool
dcp_check_rules_check(const struct dcp_judge *j, const struct dcp_placement *p,
                      const char *when)
{
    struct dcp_rule_domains domains = { .inv = j->inv };
    uint32_t n_domains = most_domains(j->inv);
    DCP_FREE struct dcp_rule_member *members = calloc(
        (size_t)2 * j->inv->n_vms + j->inv->n_hosts + 1, sizeof *members);
    DCP_FREE uint32_t *seen =
        calloc((size_t)n_domains + j->inv->n_hosts + 1, sizeof *seen);
    bool ok = (members && seen) || dcp_judge_no_memory(j);

    for (uint32_t i = 0; ok && i < j->inv->n_rules; i++) {
        struct dcp_rule_view v = { .j = j,
                                   .rule = &j->inv->rules[i],
                                   .p = p,
                                   .when = when,
                                   .domains = &domains,
                                   .members = members,
                                   .seen = seen,
                                   .n_domains = n_domains };
        const struct dcp_rule_checker *c = &dcp_rule_checkers[v.rule->kind];

        ok = !c->end || (j->asked && !j->asked[i]) || c->end(&v);
    }
    dcp_rule_domains_finish(&domains);
    return ok;
}
