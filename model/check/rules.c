/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Rules in one state.  Spread and separate look at groups: the rule's VMs
 * sorted by domain.  A pair that shared a domain in the base is excused; all
 * pairs of a group are excused exactly when all its VMs shared one domain
 * there, so one pass per group is enough. */

#include "model/check/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint32_t
dcp_check_rules_domain(const struct dcp_inventory *inv, enum dcp_domain domain,
                       uint32_t host)
{
    dcp_rack_id rack = inv->hosts[host].rack;
    dcp_room_id room = dcp_host_room(inv, (dcp_host_id){ host });
    dcp_site_id site = dcp_host_site(inv, (dcp_host_id){ host });
    const uint32_t alone = UINT32_MAX / 2 + host;

    switch (domain) {
    case DCP_DOMAIN_HOST:
        return host;
    case DCP_DOMAIN_RACK:
        return dcp_rack_is_none(rack) ? alone : rack.ix;
    case DCP_DOMAIN_ROOM:
        return dcp_room_is_none(room) ? alone : room.ix;
    case DCP_DOMAIN_SITE:
        return dcp_site_is_none(site) ? alone : site.ix;
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

struct member {
    uint32_t domain, vm;
    bool other; /* SEPARATE: of the rule's 'others'. */
};

static int
compare_members(const void *pa, const void *pb)
{
    const struct member *a = pa, *b = pb;

    if (a->domain != b->domain) {
        return a->domain < b->domain ? -1 : 1;
    }
    if (a->other != b->other) {
        return a->other ? 1 : -1;
    }
    return a->vm < b->vm ? -1 : a->vm > b->vm;
}

struct view { /* One rule in one placement. */
    const struct dcp_judge *j;
    const struct dcp_rule *rule;
    const struct dcp_placement *p;
    const char *when;
    struct member *members; /* Room for all. */
    uint32_t n;
};

static void
broken(const struct view *v, struct dcp_object object, double need, double have,
       const char *text)
{
    if (v->rule->soft) {
        dcp_judge_report_soft(v->j, v->rule, object, "%s %s", text, v->when);
    } else {
        dcp_judge_report(v->j, 0, v->rule->name, object, need, have,
                         "%s: %s %s", dcp_rule_kind_name(v->rule->kind), text,
                         v->when);
    }
}

/* The host in the base, or none; soft rules are never excused. */
static dcp_host_id
base_host(const struct view *v, uint32_t vm)
{
    return v->j->base && !v->rule->soft ? v->j->base->host[vm]
                                        : dcp_host_none();
}

/* Both were in one domain in the base. */
static bool
excused_pair(const struct view *v, uint32_t a, uint32_t b)
{
    dcp_host_id ha = base_host(v, a), hb = base_host(v, b);

    return !dcp_host_is_none(ha) && !dcp_host_is_none(hb) &&
           dcp_check_rules_domain(v->j->inv, v->rule->over, ha.ix) ==
               dcp_check_rules_domain(v->j->inv, v->rule->over, hb.ix);
}

static void
collect(struct view *v)
{
    const struct dcp_rule *rule = v->rule;

    v->n = 0;
    for (uint32_t i = 0; i < rule->n_vms + rule->n_others; i++) {
        bool other = i >= rule->n_vms;
        uint32_t vm = other ? rule->others[i - rule->n_vms] : rule->vms[i];

        if (!dcp_host_is_none(v->p->host[vm])) {
            v->members[v->n++] =
                (struct member){ dcp_check_rules_domain(v->j->inv, rule->over,
                                                        v->p->host[vm].ix),
                                 vm, other };
        }
    }
    if (v->n > 1) {
        qsort(v->members, v->n, sizeof *v->members, compare_members);
    }
}

static void
judge_spread_group(const struct view *v, uint32_t first, uint32_t end)
{
    for (uint32_t i = first + 1; i < end; i++) {
        uint32_t a = v->members[first].vm, b = v->members[i].vm;

        if (!excused_pair(v, a, b)) {
            char text[100];

            (void)snprintf(text, sizeof text, "shares one %s with %.60s",
                           dcp_domain_name(v->rule->over),
                           v->j->inv->vms[a].name);
            broken(v, dcp_judge_vm(b), end - first, 1, text);
            return;
        }
    }
}

/* Members of [first, split) are 'vms', of [split, end) 'others'. */
static void
judge_separate_group(const struct view *v, uint32_t first, uint32_t split,
                     uint32_t end)
{
    for (uint32_t i = first; i < split; i++) {
        for (uint32_t k = split; k < end; k++) {
            uint32_t a = v->members[i].vm, b = v->members[k].vm;

            if (a == b || excused_pair(v, a, b)) {
                continue;
            }
            char text[100];

            (void)snprintf(text, sizeof text, "shares one %s with %.60s",
                           dcp_domain_name(v->rule->over),
                           v->j->inv->vms[b].name);
            broken(v, dcp_judge_vm(a), DCP_NO_NUMBER, DCP_NO_NUMBER, text);
            return;
        }
    }
}

static void
judge_groups(struct view *v)
{
    collect(v);
    for (uint32_t first = 0, end; first < v->n; first = end) {
        uint32_t split = first;

        for (end = first;
             end < v->n && v->members[end].domain == v->members[first].domain;
             end++) {
            split += !v->members[end].other;
        }
        if (v->rule->kind == DCP_RULE_SPREAD) {
            judge_spread_group(v, first, end);
        } else if (split > first && split < end) {
            judge_separate_group(v, first, split, end);
        }
    }
}

static void
judge_gather(struct view *v)
{
    bool was_apart = false;
    uint32_t domain = UINT32_MAX, first = 0;

    for (uint32_t i = 0; i < v->rule->n_vms; i++) {
        dcp_host_id h = base_host(v, v->rule->vms[i]);

        if (dcp_host_is_none(h)) {
            continue;
        }
        uint32_t d = dcp_check_rules_domain(v->j->inv, v->rule->over, h.ix);

        was_apart = was_apart || (domain != UINT32_MAX && d != domain);
        domain = d;
    }
    collect(v);
    if (v->n < 2 || was_apart ||
        v->members[v->n - 1].domain == v->members[first].domain) {
        return;
    }
    char text[100];

    (void)snprintf(text, sizeof text, "is not in the %s of %.60s",
                   dcp_domain_name(v->rule->over),
                   v->j->inv->vms[v->members[first].vm].name);
    broken(v, dcp_judge_vm(v->members[v->n - 1].vm), DCP_NO_NUMBER,
           DCP_NO_NUMBER, text);
}

static bool
allowed_host(const struct dcp_rule *rule, uint32_t host)
{
    struct dcp_ids hosts = { rule->hosts, rule->n_hosts };

    return dcp_ids_contain(&hosts, host) == (rule->kind == DCP_RULE_FENCE);
}

static void
judge_hosts(const struct view *v)
{
    for (uint32_t i = 0; i < v->rule->n_vms; i++) {
        uint32_t vm = v->rule->vms[i];
        dcp_host_id h = v->p->host[vm], was = base_host(v, vm);

        if (dcp_host_is_none(h) || allowed_host(v->rule, h.ix) ||
            (!dcp_host_is_none(was) && !allowed_host(v->rule, was.ix))) {
            continue;
        }
        char text[100];

        (void)snprintf(text, sizeof text, "may not be on %.80s",
                       v->j->inv->hosts[h.ix].name);
        broken(v, dcp_judge_vm(vm), DCP_NO_NUMBER, DCP_NO_NUMBER, text);
    }
}

/* Without hours; with hours it is a matter of when, not of where. */
static void
judge_root(const struct view *v)
{
    for (uint32_t i = 0; v->j->base && i < v->rule->n_vms; i++) {
        uint32_t vm = v->rule->vms[i];
        dcp_host_id was = v->j->base->host[vm];

        if (!v->rule->has_hours && !dcp_host_is_none(was) &&
            was.ix != v->p->host[vm].ix) {
            char text[100];

            (void)snprintf(text, sizeof text, "is to stay on %.80s",
                           v->j->inv->hosts[was.ix].name);
            broken(v, dcp_judge_vm(vm), DCP_NO_NUMBER, DCP_NO_NUMBER, text);
        }
    }
}

bool
dcp_check_rules_check(const struct dcp_judge *j, const struct dcp_placement *p,
                      const char *when)
{
    size_t most = 1;

    for (uint32_t i = 0; i < j->inv->n_rules; i++) {
        size_t n = (size_t)j->inv->rules[i].n_vms + j->inv->rules[i].n_others;

        most = n > most ? n : most;
    }
    DCP_FREE struct member *members = calloc(most, sizeof *members);

    if (!members) {
        return dcp_judge_no_memory(j);
    }
    for (uint32_t i = 0; i < j->inv->n_rules; i++) {
        struct view v = { .j = j,
                          .rule = &j->inv->rules[i],
                          .p = p,
                          .when = when,
                          .members = members };

        switch (v.rule->kind) {
        case DCP_RULE_SPREAD:
        case DCP_RULE_SEPARATE:
            judge_groups(&v);
            break;
        case DCP_RULE_GATHER:
            judge_gather(&v);
            break;
        case DCP_RULE_FENCE:
        case DCP_RULE_BAN:
            judge_hosts(&v);
            break;
        case DCP_RULE_ROOT:
            judge_root(&v);
            break;
        }
    }
    return true;
}
