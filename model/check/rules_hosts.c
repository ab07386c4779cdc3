/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Rules about where a VM is or from where it moves, and when. */

#include "model/check/rule_check.h"

#include <stdio.h>
#include <stdlib.h>

/* --- In one state ------------------------------------------------------- */

static bool
allowed_host(const struct dcp_rule *rule, uint32_t host)
{
    return dcp_rule_lists_host(rule, host) == (rule->kind == DCP_RULE_FENCE);
}

bool
dcp_check_hosts(struct dcp_rule_view *v)
{
    for (uint32_t i = 0; i < v->rule->n_vms; i++) {
        uint32_t vm = v->rule->vms[i];
        dcp_host_id h = v->p->host[vm], was = dcp_rule_base_host(v, vm);

        if (dcp_host_is_none(h) || allowed_host(v->rule, h.ix) ||
            (!dcp_host_is_none(was) && !allowed_host(v->rule, was.ix))) {
            continue;
        }
        char text[100];

        (void)snprintf(text, sizeof text, "may not be on %.80s",
                       v->j->inv->hosts[h.ix].name);
        dcp_rule_broken(v, dcp_judge_vm(vm), DCP_NO_NUMBER, DCP_NO_NUMBER, 1,
                        text);
    }
    return true;
}

/* Without hours; with hours it is a matter of when, not of where. */
bool
dcp_check_root(struct dcp_rule_view *v)
{
    for (uint32_t i = 0; v->j->base && i < v->rule->n_vms; i++) {
        uint32_t vm = v->rule->vms[i];
        dcp_host_id was = v->j->base->host[vm];

        if (!v->rule->has_hours && !dcp_host_is_none(was) &&
            was.ix != v->p->host[vm].ix) {
            char text[100];

            (void)snprintf(text, sizeof text, "is to stay on %.80s",
                           v->j->inv->hosts[was.ix].name);
            dcp_rule_broken(v, dcp_judge_vm(vm), DCP_NO_NUMBER, DCP_NO_NUMBER,
                            1, text);
        }
    }
    return true;
}

bool
dcp_check_quarantine(struct dcp_rule_view *v)
{
    for (uint32_t vm = 0; v->j->base && vm < v->p->n_vms; vm++) {
        dcp_host_id was = v->j->base->host[vm], is = v->p->host[vm];
        bool left =
            !dcp_host_is_none(was) && dcp_rule_lists_host(v->rule, was.ix);
        char text[100];

        if (was.ix == is.ix || dcp_host_is_none(is) ||
            (!left && !dcp_rule_lists_host(v->rule, is.ix))) {
            continue;
        }
        (void)snprintf(text, sizeof text, "%s %.60s",
                       left ? "has left" : "has come to",
                       v->j->inv->hosts[left ? was.ix : is.ix].name);
        dcp_rule_broken(v, dcp_judge_vm(vm), DCP_NO_NUMBER, DCP_NO_NUMBER, 1,
                        text);
    }
    return true;
}

/* --- In every state ----------------------------------------------------- */

static void
report_vm(const struct dcp_always_view *v, uint32_t step, uint32_t vm,
          const char *text)
{
    dcp_always_report(v, step, dcp_judge_vm(vm), DCP_NO_NUMBER, DCP_NO_NUMBER,
                      text);
}

bool
dcp_always_hosts(struct dcp_always_view *v)
{
    const struct dcp_rule *rule = v->rule;

    for (uint32_t k = 0; k < rule->n_vms; k++) {
        uint32_t vm = rule->vms[k];
        dcp_host_id was = v->leg->j->base->host[vm];
        struct dcp_stay stay;

        if (!dcp_host_is_none(was) && !allowed_host(rule, was.ix)) {
            continue; /* The start broke it. */
        }
        for (uint32_t i = 0; dcp_always_stay_of(v->leg, vm, i, &stay); i++) {
            if (stay.in && !allowed_host(rule, stay.host)) {
                char text[100];

                (void)snprintf(text, sizeof text, "may not be on %.60s",
                               v->leg->j->inv->hosts[stay.host].name);
                report_vm(v, stay.in, vm, text);
            }
        }
    }
    return true;
}

/* Does the leg run at a time when local clocks are within the hours? */
static bool
runs_in_hours(const struct dcp_always_view *v, uint32_t host)
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

bool
dcp_always_root(struct dcp_always_view *v)
{
    for (uint32_t k = 0; k < v->rule->n_vms; k++) {
        uint32_t vm = v->rule->vms[k];
        struct dcp_stay stay;

        for (uint32_t i = 0; dcp_always_stay_of(v->leg, vm, i, &stay); i++) {
            if (stay.out &&
                (!v->rule->has_hours || runs_in_hours(v, stay.host))) {
                report_vm(v, stay.out, vm,
                          v->rule->has_hours ? "is to stay during its hours"
                                             : "is to stay where it is");
            }
        }
    }
    return true;
}

bool
dcp_always_quarantine(struct dcp_always_view *v)
{
    const struct dcp_leg_view *leg = v->leg;

    for (uint32_t i = 0; i < leg->n_stays; i++) {
        const struct dcp_stay *s = &leg->stays[i];
        char text[100];

        if (!dcp_rule_lists_host(v->rule, s->host) || (!s->in && !s->out)) {
            continue;
        }
        (void)snprintf(text, sizeof text, "%s %.60s",
                       s->in ? "comes to" : "leaves",
                       leg->j->inv->hosts[s->host].name);
        report_vm(v, s->in ? s->in : s->out, s->vm, text);
    }
    return true;
}

/* --- Sequences ---------------------------------------------------------- */

/* The first and the last step of the VM in the leg; false: it has none. */
static bool
steps_of(const struct dcp_leg_view *leg, uint32_t vm, uint32_t *out_first,
         uint32_t *out_last)
{
    struct dcp_stay stay;
    uint32_t first = UINT32_MAX, last = 0;

    for (uint32_t i = 0; dcp_always_stay_of(leg, vm, i, &stay); i++) {
        uint32_t ids[] = { stay.in, stay.out };

        for (int k = 0; k < 2; k++) {
            first = ids[k] && ids[k] < first ? ids[k] : first;
            last = ids[k] > last ? ids[k] : last;
        }
    }
    *out_first = first;
    *out_last = last;
    return last > 0;
}

bool
dcp_always_sequence(struct dcp_always_view *v)
{
    uint32_t before = 0, before_vm = 0;

    for (uint32_t i = 0; i < v->rule->n_order; i++) {
        uint32_t vm = v->rule->order[i], first, last;

        if (!steps_of(v->leg, vm, &first, &last)) {
            continue;
        }
        if (before && !dcp_check_order_before(v->leg->order, before, first)) {
            char text[100];

            (void)snprintf(text, sizeof text, "does not wait for %.60s",
                           v->leg->j->inv->vms[before_vm].name);
            report_vm(v, first, vm, text);
        }
        before = last;
        before_vm = vm;
    }
    return true;
}
