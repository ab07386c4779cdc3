/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Hard rules that hold in every state, roots with hours, and sequences; and
 * the judges of who is with whom.
 *
 * A VM takes up a domain from the start of the step that brings it to the end
 * of the step that takes it away.  Two VMs can be in one domain in some state
 * exactly when neither leaves before the other comes, "before" by 'after': the
 * least state that has both arrivals then has neither departure. */

#include "model/check/rule_check.h"

#include <stdio.h>
#include <stdlib.h>

static int
compare(const void *pa, const void *pb)
{
    const struct dcp_rule_stay *a = pa, *b = pb;

    if (a->domain != b->domain) {
        return a->domain < b->domain ? -1 : 1;
    }
    if (a->stay.vm != b->stay.vm) {
        return a->stay.vm < b->stay.vm ? -1 : 1;
    }
    if (a->stay.in != b->stay.in) {
        return a->stay.in < b->stay.in ? -1 : 1;
    }
    return (a->part > b->part) - (a->part < b->part);
}

void
dcp_always_report(const struct dcp_always_view *v, uint32_t step,
                  struct dcp_object object, double need, double have,
                  const char *text)
{
    if (v->rule->soft) {
        dcp_judge_report_soft(v->leg->j, v->rule, object, 1, "%s", text);
        return;
    }
    dcp_judge_report(v->leg->j, step, v->rule->name, object, need, have,
                     "%s: %s", dcp_rule_kind_name(v->rule->kind), text);
}

static void
report(const struct dcp_always_view *v, uint32_t step, uint32_t vm,
       const char *text)
{
    dcp_always_report(v, step, dcp_judge_vm(vm), DCP_NO_NUMBER, DCP_NO_NUMBER,
                      text);
}

bool
dcp_always_stay_of(const struct dcp_leg_view *leg, uint32_t vm, uint32_t i,
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

/* --- Who is with whom --------------------------------------------------- */

static void
collect(struct dcp_always_view *v)
{
    const struct dcp_rule *rule = v->rule;

    v->n = 0;
    for (uint32_t k = 0; k < rule->n_vms + rule->n_others; k++) {
        bool other = k >= rule->n_vms;
        uint32_t vm = other ? rule->others[k - rule->n_vms] : rule->vms[k];
        struct dcp_stay stay;

        for (uint32_t i = 0; dcp_always_stay_of(v->leg, vm, i, &stay); i++) {
            v->list[v->n++] =
                (struct dcp_rule_stay){ dcp_always_domain(v, stay.host),
                                        other ? 1 : dcp_rule_part(rule, vm),
                                        stay };
        }
    }
    if (v->n > 1) {
        qsort(v->list, v->n, sizeof *v->list, compare);
    }
}

static bool
together_in_base(const struct dcp_always_view *v, uint32_t a, uint32_t b)
{
    const struct dcp_placement *base = v->leg->j->base;
    dcp_host_id ha = base->host[a], hb = base->host[b];

    return !dcp_host_is_none(ha) && !dcp_host_is_none(hb) &&
           dcp_always_domain(v, ha.ix) == dcp_always_domain(v, hb.ix);
}

/* Some state has both. */
static bool
may_meet(const struct dcp_always_view *v, const struct dcp_stay *a,
         const struct dcp_stay *b)
{
    struct dcp_check_order *o = v->leg->order;

    return !(a->out && b->in &&
             (a->out == b->in || dcp_check_order_before(o, a->out, b->in))) &&
           !(b->out && a->in &&
             (b->out == a->in || dcp_check_order_before(o, b->out, a->in)));
}

static bool
judge_pair(const struct dcp_always_view *v, const struct dcp_rule_stay *a,
           const struct dcp_rule_stay *b)
{
    if (a->stay.vm == b->stay.vm || (!a->stay.in && !b->stay.in) ||
        (v->rule->kind != DCP_RULE_SPREAD && a->part == b->part) ||
        together_in_base(v, a->stay.vm, b->stay.vm) ||
        !may_meet(v, &a->stay, &b->stay)) {
        return true;
    }
    const struct dcp_rule_stay *late = a->stay.in > b->stay.in ? a : b;
    const struct dcp_rule_stay *early = late == a ? b : a;
    char text[100];

    (void)snprintf(text, sizeof text, "may be in one %s with %.60s for a time",
                   dcp_domain_name(v->rule->over),
                   v->leg->j->inv->vms[early->stay.vm].name);
    report(v, late->stay.in, late->stay.vm, text);
    return false;
}

static void
judge_domains(struct dcp_always_view *v)
{
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

bool
dcp_always_apart(struct dcp_always_view *v)
{
    collect(v);
    judge_domains(v);
    return true;
}

/* All that stays on a host to which a member of the rule comes at any time. */
bool
dcp_always_lonely(struct dcp_always_view *v)
{
    const struct dcp_inventory *inv = v->leg->j->inv;
    DCP_FREE uint8_t *mine = calloc(inv->n_hosts + 1u, 1);
    struct dcp_stay stay;

    if (!mine) {
        return dcp_judge_no_memory(v->leg->j);
    }
    for (uint32_t k = 0; k < v->rule->n_vms; k++) {
        for (uint32_t i = 0;
             dcp_always_stay_of(v->leg, v->rule->vms[k], i, &stay); i++) {
            mine[stay.host] = 1;
        }
    }
    v->n = 0;
    for (uint32_t vm = 0; vm < inv->n_vms; vm++) {
        for (uint32_t i = 0; dcp_always_stay_of(v->leg, vm, i, &stay); i++) {
            if (mine[stay.host]) {
                v->list[v->n++] =
                    (struct dcp_rule_stay){ stay.host,
                                            dcp_rule_part(v->rule, vm), stay };
            }
        }
    }
    if (v->n > 1) {
        qsort(v->list, v->n, sizeof *v->list, compare);
    }
    judge_domains(v);
    return true;
}

static bool
apart_in_base(const struct dcp_always_view *v)
{
    const struct dcp_rule *rule = v->rule;
    uint32_t first = UINT32_MAX;

    for (uint32_t k = 0; k < rule->n_vms; k++) {
        dcp_host_id was = v->leg->j->base->host[rule->vms[k]];

        if (dcp_host_is_none(was)) {
            continue;
        }
        if (rule->kind == DCP_RULE_AMONG &&
            dcp_always_domain(v, was.ix) >= DCP_RULE_ALONE) {
            return true; /* In none of the sets. */
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
bool
dcp_always_gather(struct dcp_always_view *v)
{
    if (apart_in_base(v)) {
        return true;
    }
    collect(v);
    for (size_t i = 0; i < v->n; i++) {
        for (size_t k = 0; k < i; k++) {
            const struct dcp_rule_stay *a = &v->list[k], *b = &v->list[i];

            if (a->domain == b->domain || a->stay.vm == b->stay.vm ||
                (!a->stay.in && !b->stay.in) ||
                !may_meet(v, &a->stay, &b->stay)) {
                continue;
            }
            const struct dcp_rule_stay *late = a->stay.in > b->stay.in ? a : b;
            char text[100];

            (void)snprintf(text, sizeof text, "may be in another %s for a time",
                           v->rule->kind == DCP_RULE_AMONG
                               ? "set"
                               : dcp_domain_name(v->rule->over));
            report(v, late->stay.in, late->stay.vm, text);
            return true;
        }
    }
    return true;
}

bool
dcp_always_among(struct dcp_always_view *v)
{
    const struct dcp_rule *rule = v->rule;

    for (uint32_t k = 0; k < rule->n_vms; k++) {
        uint32_t vm = rule->vms[k];
        dcp_host_id was = v->leg->j->base->host[vm];
        struct dcp_stay stay;

        for (uint32_t i = 0; dcp_always_stay_of(v->leg, vm, i, &stay); i++) {
            if (stay.in && dcp_always_domain(v, stay.host) >= DCP_RULE_ALONE &&
                (dcp_host_is_none(was) ||
                 dcp_always_domain(v, was.ix) < DCP_RULE_ALONE)) {
                report(v, stay.in, vm, "is in none of the sets for a time");
            }
        }
    }
    return dcp_always_gather(v);
}

/* --- All ---------------------------------------------------------------- */

bool
dcp_always_check(struct dcp_leg_view *leg)
{
    const struct dcp_inventory *inv = leg->j->inv;
    struct dcp_rule_domains domains = { .inv = inv };
    /* A VM may be on both sides of a rule: each stay counts twice at most. */
    DCP_FREE struct dcp_rule_stay *list = calloc(
        2 * (size_t)inv->n_vms + 2 * (size_t)leg->n_stays + 1, sizeof *list);
    bool ok = list || dcp_judge_no_memory(leg->j);

    for (uint32_t i = 0; ok && i < inv->n_rules; i++) {
        struct dcp_always_view v = { .leg = leg,
                                     .rule = &inv->rules[i],
                                     .domains = &domains,
                                     .list = list };
        const struct dcp_rule_checker *c = &dcp_rule_checkers[v.rule->kind];
        bool always = v.rule->hold == DCP_HOLD_ALWAYS && !v.rule->soft;

        /* Soft rules count where plans end; hours only say when to move. */
        if (always || v.rule->has_hours || c->in_every_leg) {
            ok = c->always(&v);
        }
    }
    dcp_rule_domains_finish(&domains);
    return ok;
}
