/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Hard rules that hold in every state, and roots with hours.
 *
 * A VM takes up a domain from the start of the step that brings it to the end
 * of the step that takes it away.  Two VMs can be in one domain in some state
 * exactly when neither leaves before the other comes, "before" by 'after': the
 * least state that has both arrivals then has neither departure. */

#include "model/check/leg.h"

#include <stdio.h>
#include <stdlib.h>

struct occupancy {
    uint32_t domain;
    bool other; /* SEPARATE: of the rule's 'others'. */
    struct dcp_stay stay;
};

struct view {
    struct dcp_leg_view *leg;
    const struct dcp_rule *rule;
    struct occupancy *list; /* Room for all stays and all members. */
    size_t n;
};

static int
compare(const void *pa, const void *pb)
{
    const struct occupancy *a = pa, *b = pb;

    if (a->domain != b->domain) {
        return a->domain < b->domain ? -1 : 1;
    }
    if (a->stay.vm != b->stay.vm) {
        return a->stay.vm < b->stay.vm ? -1 : 1;
    }
    if (a->stay.in != b->stay.in) {
        return a->stay.in < b->stay.in ? -1 : 1;
    }
    return (int)a->other - (int)b->other;
}

static void
report(const struct view *v, uint32_t step, uint32_t vm, const char *text)
{
    if (v->rule->soft) {
        dcp_judge_report_soft(v->leg->j, v->rule, dcp_judge_vm(vm), "%s", text);
        return;
    }
    dcp_judge_report(v->leg->j, step, v->rule->name, dcp_judge_vm(vm),
                     DCP_NO_NUMBER, DCP_NO_NUMBER, "%s: %s",
                     dcp_rule_kind_name(v->rule->kind), text);
}

/* Calls for each stay of a VM in the leg; 'i' counts up from 0. */
static bool
stay_of(const struct dcp_leg_view *leg, uint32_t vm, uint32_t i,
        struct dcp_stay *out)
{
    uint32_t at = leg->vm_stay[vm];

    if (at == UINT32_MAX) {
        /* Never moved, or came out of nowhere and has no stay at all. */
        dcp_host_id h = leg->start->host[vm];

        *out = (struct dcp_stay){ vm, h.ix, 0, 0 };
        return i == 0 && !dcp_host_is_none(h) && leg->end->host[vm].ix == h.ix;
    }
    at += i;
    if (at >= leg->n_stays || leg->stays[at].vm != vm) {
        return false;
    }
    *out = leg->stays[at];
    return true;
}

static void
collect(struct view *v)
{
    const struct dcp_rule *rule = v->rule;

    v->n = 0;
    for (uint32_t k = 0; k < rule->n_vms + rule->n_others; k++) {
        bool other = k >= rule->n_vms;
        uint32_t vm = other ? rule->others[k - rule->n_vms] : rule->vms[k];
        struct dcp_stay stay;

        for (uint32_t i = 0; stay_of(v->leg, vm, i, &stay); i++) {
            v->list[v->n++] = (struct occupancy){
                dcp_check_rules_domain(v->leg->j->inv, rule->over, stay.host),
                other, stay
            };
        }
    }
    if (v->n > 1) {
        qsort(v->list, v->n, sizeof *v->list, compare);
    }
}

static bool
together_in_base(const struct view *v, uint32_t a, uint32_t b)
{
    const struct dcp_placement *base = v->leg->j->base;
    dcp_host_id ha = base->host[a], hb = base->host[b];

    return !dcp_host_is_none(ha) && !dcp_host_is_none(hb) &&
           dcp_check_rules_domain(v->leg->j->inv, v->rule->over, ha.ix) ==
               dcp_check_rules_domain(v->leg->j->inv, v->rule->over, hb.ix);
}

/* Some state has both. */
static bool
may_meet(const struct view *v, const struct dcp_stay *a,
         const struct dcp_stay *b)
{
    struct dcp_check_order *o = v->leg->order;

    return !(a->out && b->in &&
             (a->out == b->in || dcp_check_order_before(o, a->out, b->in))) &&
           !(b->out && a->in &&
             (b->out == a->in || dcp_check_order_before(o, b->out, a->in)));
}

static bool
judge_pair(const struct view *v, const struct occupancy *a,
           const struct occupancy *b)
{
    if (a->stay.vm == b->stay.vm || (!a->stay.in && !b->stay.in) ||
        (v->rule->kind == DCP_RULE_SEPARATE && a->other == b->other) ||
        together_in_base(v, a->stay.vm, b->stay.vm) ||
        !may_meet(v, &a->stay, &b->stay)) {
        return true;
    }
    const struct occupancy *late = a->stay.in > b->stay.in ? a : b;
    const struct occupancy *early = late == a ? b : a;
    char text[100];

    (void)snprintf(text, sizeof text, "may be in one %s with %.60s for a time",
                   dcp_domain_name(v->rule->over),
                   v->leg->j->inv->vms[early->stay.vm].name);
    report(v, late->stay.in, late->stay.vm, text);
    return false;
}

static void
judge_groups(struct view *v)
{
    collect(v);
    for (size_t first = 0, end; first < v->n; first = end) {
        bool fine = true, arrivals = false;

        for (end = first;
             end < v->n && v->list[end].domain == v->list[first].domain;
             end++) {
            arrivals = arrivals || v->list[end].stay.in;
        }
        for (size_t a = first; arrivals && fine && a < end; a++) {
            for (size_t b = a + 1; fine && b < end; b++) {
                fine = judge_pair(v, &v->list[a], &v->list[b]);
            }
        }
    }
}

static bool
apart_in_base(const struct view *v)
{
    const struct dcp_rule *rule = v->rule;
    uint32_t first = UINT32_MAX;

    for (uint32_t k = 0; k < rule->n_vms; k++) {
        if (dcp_host_is_none(v->leg->j->base->host[rule->vms[k]])) {
            continue;
        }
        if (first == UINT32_MAX) {
            first = rule->vms[k];
        } else if (!together_in_base(v, first, rule->vms[k])) {
            return true;
        }
    }
    return false;
}

/* Moving one of several from domain to domain parts them, if only for the time
 * of the moves. */
static void
judge_gather(struct view *v)
{
    if (apart_in_base(v)) {
        return;
    }
    collect(v);
    for (size_t i = 0; i < v->n; i++) {
        for (size_t k = 0; k < i; k++) {
            const struct occupancy *a = &v->list[k], *b = &v->list[i];

            if (a->domain == b->domain || a->stay.vm == b->stay.vm ||
                (!a->stay.in && !b->stay.in) ||
                !may_meet(v, &a->stay, &b->stay)) {
                continue;
            }
            const struct occupancy *late = a->stay.in > b->stay.in ? a : b;
            char text[100];

            (void)snprintf(text, sizeof text, "may be in another %s for a time",
                           dcp_domain_name(v->rule->over));
            report(v, late->stay.in, late->stay.vm, text);
            return;
        }
    }
}

static void
judge_hosts(const struct view *v)
{
    const struct dcp_rule *rule = v->rule;
    struct dcp_ids hosts = { rule->hosts, rule->n_hosts };
    bool fence = rule->kind == DCP_RULE_FENCE;

    for (uint32_t k = 0; k < rule->n_vms; k++) {
        uint32_t vm = rule->vms[k];
        dcp_host_id was = v->leg->j->base->host[vm];
        struct dcp_stay stay;

        if (!dcp_host_is_none(was) &&
            dcp_ids_contain(&hosts, was.ix) != fence) {
            continue; /* The start broke it. */
        }
        for (uint32_t i = 0; stay_of(v->leg, vm, i, &stay); i++) {
            if (stay.in && dcp_ids_contain(&hosts, stay.host) != fence) {
                char text[100];

                (void)snprintf(text, sizeof text, "may not be on %.60s",
                               v->leg->j->inv->hosts[stay.host].name);
                report(v, stay.in, vm, text);
            }
        }
    }
}

/* Does the leg run at a time when local clocks are within the hours? */
static bool
runs_in_hours(const struct view *v, uint32_t host)
{
    const struct dcp_leg *leg = &v->leg->j->plan->legs[v->leg->index];
    const struct dcp_zone *zone =
        dcp_host_zone(v->leg->j->inv, (dcp_host_id){ host });
    int64_t start, end;

    if (dcp_window_contains(&v->rule->hours,
                            dcp_zone_local(zone, leg->start_ms).ms_of_day)) {
        return true;
    }
    dcp_window_next(&v->rule->hours, zone, leg->start_ms, &start, &end);
    return start < leg->deadline_ms;
}

static void
judge_root(const struct view *v)
{
    for (uint32_t k = 0; k < v->rule->n_vms; k++) {
        uint32_t vm = v->rule->vms[k];
        struct dcp_stay stay;

        for (uint32_t i = 0; stay_of(v->leg, vm, i, &stay); i++) {
            if (stay.out &&
                (!v->rule->has_hours || runs_in_hours(v, stay.host))) {
                report(v, stay.out, vm,
                       v->rule->has_hours ? "is to stay during its hours"
                                          : "is to stay where it is");
            }
        }
    }
}

bool
dcp_always_check(struct dcp_leg_view *leg)
{
    const struct dcp_inventory *inv = leg->j->inv;
    size_t most = 0;

    for (uint32_t i = 0; i < inv->n_rules; i++) {
        size_t n = (size_t)inv->rules[i].n_vms + inv->rules[i].n_others;

        most = n > most ? n : most;
    }
    /* A VM may be on both sides of a rule: each stay counts twice at most. */
    DCP_FREE struct occupancy *list =
        calloc(most + 2 * (size_t)leg->n_stays + 1, sizeof *list);

    if (!list) {
        return dcp_judge_no_memory(leg->j);
    }
    for (uint32_t i = 0; i < inv->n_rules; i++) {
        struct view v = { .leg = leg, .rule = &inv->rules[i], .list = list };
        bool always = v.rule->hold == DCP_HOLD_ALWAYS;

        /* Soft rules count where plans end; hours only say when to move. */
        if (!v.rule->has_hours && (v.rule->soft || !always)) {
            continue;
        }
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
