/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Rules about who is with whom, in one state: the rule's VMs sorted by domain.
 * A pair that shared a domain in the base is excused; all pairs of a group are
 * excused exactly when all its VMs shared one domain there, so one pass per
 * group of a spread rule is enough. */

#include "model/check/rule_check.h"

#include <stdio.h>
#include <stdlib.h>

static int
compare_members(const void *pa, const void *pb)
{
    const struct dcp_rule_member *a = pa, *b = pb;

    if (a->domain != b->domain) {
        return a->domain < b->domain ? -1 : 1;
    }
    if (a->part != b->part) {
        return a->part < b->part ? -1 : 1;
    }
    return a->vm < b->vm ? -1 : a->vm > b->vm;
}

/* Both were in one domain in the base. */
static bool
excused_pair(const struct dcp_rule_view *v, uint32_t a, uint32_t b)
{
    dcp_host_id ha = dcp_rule_base_host(v, a), hb = dcp_rule_base_host(v, b);

    return !dcp_host_is_none(ha) && !dcp_host_is_none(hb) &&
           dcp_rule_view_domain(v, ha.ix) == dcp_rule_view_domain(v, hb.ix);
}

/* By list: a VM of 'others' is on the other side, whatever else names it. */
static uint32_t
part_of(const struct dcp_rule *rule, uint32_t vm, bool other)
{
    return rule->kind == DCP_RULE_SPLIT ? dcp_rule_part(rule, vm) : other;
}

static void
collect(struct dcp_rule_view *v)
{
    const struct dcp_rule *rule = v->rule;

    v->n = 0;
    for (uint32_t i = 0; i < rule->n_vms + rule->n_others; i++) {
        bool other = i >= rule->n_vms;
        uint32_t vm = other ? rule->others[i - rule->n_vms] : rule->vms[i];

        if (!dcp_host_is_none(v->p->host[vm])) {
            v->members[v->n++] = (struct dcp_rule_member){
                dcp_rule_view_domain(v, v->p->host[vm].ix),
                part_of(rule, vm, other), vm
            };
        }
    }
}

static void
sort_members(struct dcp_rule_view *v)
{
    if (v->n > 1) {
        qsort(v->members, v->n, sizeof *v->members, compare_members);
    }
}

/* Where a domain stands in 'seen'. */
static uint32_t *
seen_at(const struct dcp_rule_view *v, uint32_t domain)
{
    return &v->seen[domain < DCP_RULE_ALONE
                        ? domain
                        : v->n_domains + (domain - DCP_RULE_ALONE)];
}

/* Drops members that share their domain with none of another part (of a spread
 * rule: with none at all): what is left to sort is little where little is
 * broken, however many VMs a rule names. */
static void
keep_mixed(struct dcp_rule_view *v)
{
    const uint32_t mixed = UINT32_MAX;
    bool all = v->rule->kind == DCP_RULE_SPREAD;
    uint32_t n = 0;

    for (uint32_t i = 0; i < v->n; i++) {
        uint32_t *seen = seen_at(v, v->members[i].domain);
        uint32_t part = v->members[i].part + 1;

        *seen = *seen && (all || *seen != part) ? mixed : part;
    }
    for (uint32_t i = 0; i < v->n; i++) {
        struct dcp_rule_member m = v->members[i];

        if (*seen_at(v, m.domain) == mixed) {
            v->members[n++] = m;
        } else {
            *seen_at(v, m.domain) = 0;
        }
    }
    for (uint32_t i = 0; i < n; i++) {
        *seen_at(v, v->members[i].domain) = 0;
    }
    v->n = n;
}

/* The members of one domain are [first, its end). */
static uint32_t
end_of(const struct dcp_rule_view *v, uint32_t first)
{
    uint32_t end = first;

    while (end < v->n && v->members[end].domain == v->members[first].domain) {
        end++;
    }
    return end;
}

static void
tell_shared(const struct dcp_rule_view *v, uint32_t vm, uint32_t with,
            double need, double have, double n)
{
    char text[100];

    (void)snprintf(text, sizeof text, "shares one %s with %.60s",
                   dcp_domain_name(v->rule->over), v->j->inv->vms[with].name);
    dcp_rule_broken(v, dcp_judge_vm(vm), need, have, n, text);
}

bool
dcp_check_spread(struct dcp_rule_view *v)
{
    collect(v);
    keep_mixed(v);
    sort_members(v);
    for (uint32_t first = 0, end; first < v->n; first = end) {
        bool told = false;

        end = end_of(v, first);
        for (uint32_t i = first + 1; i < end && !told; i++) {
            uint32_t a = v->members[first].vm, b = v->members[i].vm;

            told = !excused_pair(v, a, b);
            if (told) {
                tell_shared(v, b, a, end - first, 1, end - first - 1);
            }
        }
    }
    return true;
}

/* The first pair of two parts in [first, end) that has no excuse. */
static bool
find_mixed(const struct dcp_rule_view *v, uint32_t first, uint32_t end,
           uint32_t *out_a, uint32_t *out_b)
{
    for (uint32_t i = first; i < end; i++) {
        for (uint32_t k = i + 1; k < end; k++) {
            uint32_t a = v->members[i].vm, b = v->members[k].vm;

            if (v->members[i].part != v->members[k].part && a != b &&
                !excused_pair(v, a, b)) {
                *out_a = a;
                *out_b = b;
                return true;
            }
        }
    }
    return false;
}

bool
dcp_check_apart(struct dcp_rule_view *v)
{
    uint32_t a, b;

    collect(v);
    keep_mixed(v);
    sort_members(v);
    for (uint32_t first = 0, end; first < v->n; first = end) {
        end = end_of(v, first);
        if (v->members[first].part != v->members[end - 1].part &&
            find_mixed(v, first, end, &a, &b)) {
            tell_shared(v, a, b, DCP_NO_NUMBER, DCP_NO_NUMBER, 1);
        }
    }
    return true;
}

/* Drops members that are outside all sets of an among rule. */
static void
keep_inside(struct dcp_rule_view *v)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < v->n; i++) {
        if (v->rule->kind != DCP_RULE_AMONG ||
            v->members[i].domain < DCP_RULE_ALONE) {
            v->members[n++] = v->members[i];
        }
    }
    v->n = n;
}

bool
dcp_check_gather(struct dcp_rule_view *v)
{
    bool was_apart = false;
    uint32_t domain = UINT32_MAX, n_domains = 0;

    for (uint32_t i = 0; i < v->rule->n_vms; i++) {
        dcp_host_id h = dcp_rule_base_host(v, v->rule->vms[i]);

        if (dcp_host_is_none(h)) {
            continue;
        }
        uint32_t d = dcp_rule_view_domain(v, h.ix);

        was_apart = was_apart || (domain != UINT32_MAX && d != domain) ||
                    (v->rule->kind == DCP_RULE_AMONG && d >= DCP_RULE_ALONE);
        domain = d;
    }
    collect(v);
    sort_members(v);
    keep_inside(v);
    for (uint32_t first = 0; first < v->n; first = end_of(v, first)) {
        n_domains++;
    }
    if (n_domains < 2 || was_apart) {
        return true;
    }
    const struct dcp_rule_member *last = &v->members[v->n - 1];
    char text[100];

    (void)snprintf(text, sizeof text, "is not in the %s of %.60s",
                   v->rule->kind == DCP_RULE_AMONG
                       ? "set"
                       : dcp_domain_name(v->rule->over),
                   v->j->inv->vms[v->members[0].vm].name);
    dcp_rule_broken(v, dcp_judge_vm(last->vm), DCP_NO_NUMBER, DCP_NO_NUMBER,
                    n_domains - 1, text);
    return true;
}

bool
dcp_check_among(struct dcp_rule_view *v)
{
    for (uint32_t i = 0; i < v->rule->n_vms; i++) {
        uint32_t vm = v->rule->vms[i];
        dcp_host_id h = v->p->host[vm], was = dcp_rule_base_host(v, vm);
        char text[100];

        if (dcp_host_is_none(h) ||
            dcp_rule_view_domain(v, h.ix) < DCP_RULE_ALONE ||
            (!dcp_host_is_none(was) &&
             dcp_rule_view_domain(v, was.ix) >= DCP_RULE_ALONE)) {
            continue;
        }
        (void)snprintf(text, sizeof text, "%.60s is in none of the sets",
                       v->j->inv->hosts[h.ix].name);
        dcp_rule_broken(v, dcp_judge_vm(vm), DCP_NO_NUMBER, DCP_NO_NUMBER, 1,
                        text);
    }
    return dcp_check_gather(v);
}

/* --- Lonely ------------------------------------------------------------- */

/* The first member on the host, or v->n. */
static uint32_t
first_on(const struct dcp_rule_view *v, uint32_t host)
{
    uint32_t low = 0, high = v->n;

    while (low < high) {
        uint32_t middle = (low + high) / 2;

        if (v->members[middle].domain < host) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < v->n && v->members[low].domain == host ? low : v->n;
}

bool
dcp_check_lonely(struct dcp_rule_view *v)
{
    const struct dcp_placement *p = v->p;

    collect(v);
    sort_members(v);
    for (uint32_t vm = 0; vm < p->n_vms; vm++) {
        if (dcp_host_is_none(p->host[vm]) || dcp_rule_lists_vm(v->rule, vm)) {
            continue;
        }
        uint32_t first = first_on(v, p->host[vm].ix);
        bool told = first == v->n || v->members[first].part;

        for (uint32_t i = first; !told && i < end_of(v, first); i++) {
            if (!excused_pair(v, vm, v->members[i].vm)) {
                tell_shared(v, vm, v->members[i].vm, DCP_NO_NUMBER,
                            DCP_NO_NUMBER, 1);
                v->members[first].part = told = true; /* Once a host. */
            }
        }
    }
    return true;
}
