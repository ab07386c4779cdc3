/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Hosts that are switched while VMs come and go, and VLANs likewise.
 *
 * Both are the same question.  A thing at a host (its power, a VLAN at its
 * ports) is there or not, and a chain of steps, each after the one before,
 * gives it and takes it away.  A VM that needs it for the time of a stay must
 * come after what gave it last, and whatever takes it next must wait for the
 * VM to be gone.  Steps that are only *likely* to come in that order do not
 * count: if 'after' does not say so, there is an order in which they do not. */

#include "model/check/leg.h"

#include <stdlib.h>
#include <string.h>

struct chain {
    const uint32_t *ids; /* Ascending, each after the one before. */
    uint32_t n;
    bool at_start; /* It is there when the leg begins. */
    enum dcp_step_kind gives;
};

/* There once the first k of the chain are done. */
static bool
there_after(const struct dcp_leg_view *leg, const struct chain *c, uint32_t k)
{
    return k ? dcp_leg_step(leg, c->ids[k - 1])->kind == c->gives : c->at_start;
}

enum verdict { FINE, NOT_THERE, TAKEN_AWAY };

/* '*out_step' is the step that is wrong: the one that comes too early, or the
 * one that does not wait. */
static enum verdict
judge_stay(struct dcp_leg_view *leg, const struct chain *c,
           const struct dcp_stay *stay, uint32_t *out_step)
{
    uint32_t k = 0;
    /* A VM that was there before is judged by how it leaves. */
    uint32_t arrives = stay->in;

    while (arrives && k < c->n &&
           dcp_check_order_before(leg->order, c->ids[k], arrives)) {
        k++;
    }
    if (!there_after(leg, c, k)) {
        *out_step = arrives;
        return arrives ? NOT_THERE : FINE;
    }
    for (; k < c->n; k++) {
        if (dcp_leg_step(leg, c->ids[k])->kind != c->gives) {
            bool gone = stay->out && dcp_check_order_before(
                                         leg->order, stay->out, c->ids[k]);

            *out_step = c->ids[k];
            return gone ? FINE : TAKEN_AWAY;
        }
    }
    return FINE;
}

/* --- Power -------------------------------------------------------------- */

/* The plan's first leg says when; what happens to a host in the plan itself is
 * not known before. */
static bool
has_duty(const struct dcp_leg_view *leg, const struct dcp_host *h)
{
    const struct dcp_inventory *inv = leg->j->inv;
    int64_t now = leg->j->plan->legs[0].start_ms;

    if (!h->power_off_allowed || h->serves ||
        (h->failed_ms && h->failed_ms > now - inv->policy.rest_ms)) {
        return true;
    }
    if (!inv->policy.wake_proof_ms ||
        h->woke_ms >= now - inv->policy.wake_proof_ms) {
        return false;
    }
    for (uint32_t i = 0; i < inv->n_hosts; i++) {
        if (inv->hosts[i].woke_ms) {
            return true; /* Wakes are written down, and this one is old. */
        }
    }
    return false;
}

static void
judge_switches(const struct dcp_leg_view *leg, uint32_t host)
{
    const struct dcp_host *h = &leg->j->inv->hosts[host];

    for (uint32_t i = leg->switch_first[host]; i < leg->switch_first[host + 1];
         i++) {
        const struct dcp_step *s = dcp_leg_step(leg, leg->switch_ids[i]);

        if (h->state == DCP_HOST_MAINTENANCE) {
            dcp_judge_report(leg->j, s->id, "power", s->object, DCP_NO_NUMBER,
                             DCP_NO_NUMBER, "the host is in maintenance");
        } else if (s->kind == DCP_STEP_HOST_OFF && has_duty(leg, h)) {
            dcp_judge_report(leg->j, s->id, "power", s->object, DCP_NO_NUMBER,
                             DCP_NO_NUMBER,
                             "the host may not be switched off: power_off, "
                             "serves, failed_at or woke_at say so");
        } else if (s->kind == DCP_STEP_HOST_OFF && leg->n_fixed[host]) {
            dcp_judge_report(
                leg->j, s->id, "power", s->object, leg->n_fixed[host], 0,
                "%u VMs that never leave are on it", leg->n_fixed[host]);
        }
    }
}

static void
judge_host_stays(struct dcp_leg_view *leg, uint32_t host)
{
    struct chain c = {
        .ids = leg->switch_ids + leg->switch_first[host],
        .n = leg->switch_first[host + 1] - leg->switch_first[host],
        .at_start = leg->start->on[host],
        .gives = DCP_STEP_HOST_ON,
    };

    for (uint32_t i = leg->host_first[host]; i < leg->host_first[host + 1];
         i++) {
        const struct dcp_stay *stay = &leg->stays[leg->host_stays[i]];
        const char *name = leg->j->inv->vms[stay->vm].name;
        uint32_t step;

        switch (judge_stay(leg, &c, stay, &step)) {
        case FINE:
            break;
        case NOT_THERE:
            dcp_judge_report(leg->j, step, "power", dcp_judge_host(host),
                             DCP_NO_NUMBER, DCP_NO_NUMBER,
                             "%.80s comes to a host that may not be on yet",
                             name);
            break;
        case TAKEN_AWAY:
            dcp_judge_report(leg->j, step, "power", dcp_judge_host(host),
                             DCP_NO_NUMBER, DCP_NO_NUMBER,
                             "may be switched off while %.80s is on it", name);
            break;
        }
    }
}

/* At least so many hosts stay on, over all orders; a host that is being
 * switched does not count. */
static bool
judge_keep_on(struct dcp_leg_view *leg)
{
    uint32_t on = dcp_placement_n_on(leg->start), n_off = 0, n_on = 0, step = 0;
    uint32_t keep = leg->j->inv->policy.keep_on;
    size_t n = leg->end_id - leg->first_id;
    int64_t lost;

    keep = keep < on ? keep : on;
    DCP_FREE uint32_t *offs = calloc(n + 1, sizeof *offs);
    DCP_FREE uint32_t *ons = calloc(n + 1, sizeof *ons);
    DCP_FREE int64_t *ones = calloc(2 * n + 1, sizeof *ones);

    if (!offs || !ons || !ones) {
        return dcp_judge_no_memory(leg->j);
    }
    for (uint32_t id = leg->first_id; id < leg->end_id; id++) {
        const struct dcp_step *s = dcp_leg_step(leg, id);

        if (s->kind == DCP_STEP_HOST_OFF) {
            offs[n_off++] = id;
            step = id;
        } else if (s->kind == DCP_STEP_HOST_ON) {
            ons[n_on++] = id;
        }
    }
    lost = n_off;
    if (on - keep >= n_off) {
        return true;
    }
    if (n_on) {
        DCP_AUTO(dcp_check_touch)
        struct dcp_check_touch *touch =
            dcp_check_touch_create(leg->order, offs, n_off, ons, n_on);

        if (!touch) {
            return dcp_judge_no_memory(leg->j);
        }
        for (uint32_t i = 0; i < n_off + n_on; i++) {
            ones[i] = 1;
        }
        leg->j->result->states_checked++;
        lost = dcp_check_touch_worst(touch, ones, &step);
    }
    if ((int64_t)on - lost < (int64_t)keep) {
        dcp_judge_report(leg->j, step, "keep_on",
                         (struct dcp_object){ DCP_OBJECT_NONE, 0 }, keep,
                         (double)((int64_t)on - lost),
                         "only %lld hosts may be on; policy keeps %u",
                         (long long)((int64_t)on - lost), keep);
    }
    return true;
}

bool
dcp_switch_check(struct dcp_leg_view *leg)
{
    for (uint32_t h = 0; h < leg->j->inv->n_hosts; h++) {
        judge_switches(leg, h);
        judge_host_stays(leg, h);
    }
    return judge_keep_on(leg);
}

/* --- VLANs -------------------------------------------------------------- */

static bool
is_vlan(const struct dcp_step *s)
{
    return s->kind == DCP_STEP_VLAN_TRUNK || s->kind == DCP_STEP_VLAN_UNTRUNK;
}

struct vlan_work {
    struct dcp_leg_view *leg;
    uint32_t *first; /* By host, into ids; n_hosts + 1. */
    uint32_t *ids;   /* VLAN steps of this leg and those before. */
    uint32_t *chain; /* Room for one host's steps. */
};

static bool
index_vlans(struct vlan_work *w)
{
    const struct dcp_leg_view *leg = w->leg;
    uint32_t n_hosts = leg->j->inv->n_hosts, total = 0;

    w->first = dcp_arena_array(leg->arena, uint32_t, n_hosts + 2u);
    if (!w->first) {
        return dcp_judge_no_memory(leg->j);
    }
    for (uint32_t id = 1; id < leg->end_id; id++) {
        const struct dcp_step *s = dcp_leg_step(leg, id);

        if (is_vlan(s)) {
            w->first[s->object.ix + 2]++;
            total++;
        }
    }
    for (uint32_t h = 0; h < n_hosts; h++) {
        w->first[h + 2] += w->first[h + 1];
    }
    w->ids = dcp_arena_array(leg->arena, uint32_t, total + 1u);
    w->chain = dcp_arena_array(leg->arena, uint32_t, total + 1u);
    if (!w->ids || !w->chain) {
        return dcp_judge_no_memory(leg->j);
    }
    for (uint32_t id = 1; id < leg->end_id; id++) {
        const struct dcp_step *s = dcp_leg_step(leg, id);

        if (is_vlan(s)) {
            w->ids[w->first[s->object.ix + 1]++] = id;
        }
    }
    return true;
}

/* The chain of one VLAN at one host in this leg. */
static struct chain
vlan_chain(const struct vlan_work *w, uint32_t host, uint32_t vlan)
{
    const struct dcp_leg_view *leg = w->leg;
    struct chain c = { .ids = w->chain,
                       .at_start =
                           dcp_check_reach_vlan_now(leg->j->inv, host, vlan),
                       .gives = DCP_STEP_VLAN_TRUNK };

    for (uint32_t i = w->first[host]; i < w->first[host + 1]; i++) {
        const struct dcp_step *s = dcp_leg_step(leg, w->ids[i]);

        if (s->to.ix != vlan) {
            continue;
        }
        if (s->id < leg->first_id) {
            c.at_start = s->kind == DCP_STEP_VLAN_TRUNK;
        } else {
            w->chain[c.n++] = s->id;
        }
    }
    return c;
}

static void
judge_vlan_stay(struct vlan_work *w, const struct dcp_stay *stay)
{
    struct dcp_leg_view *leg = w->leg;
    const struct dcp_inventory *inv = leg->j->inv;
    const struct dcp_vm *vm = &inv->vms[stay->vm];

    if (inv->hosts[stay->host].n_ports == 0) {
        return; /* Not modelled: every VLAN is there. */
    }
    for (uint32_t i = 0; i < vm->vlans.n; i++) {
        struct chain c = vlan_chain(w, stay->host, vm->vlans.ix[i]);
        uint32_t step;
        enum verdict v = judge_stay(leg, &c, stay, &step);

        if (v != FINE) {
            dcp_judge_report(leg->j, step, "vlan", dcp_judge_vm(stay->vm),
                             DCP_NO_NUMBER, DCP_NO_NUMBER,
                             "VLAN %.50s %s on %.60s",
                             inv->vlans[vm->vlans.ix[i]].name,
                             v == NOT_THERE ? "may not be trunked yet"
                                            : "may be untrunked while it is",
                             inv->hosts[stay->host].name);
        }
    }
}

static void
judge_vlan_steps(struct vlan_work *w)
{
    struct dcp_leg_view *leg = w->leg;

    for (uint32_t id = leg->first_id; id < leg->end_id; id++) {
        const struct dcp_step *s = dcp_leg_step(leg, id);

        if (!is_vlan(s)) {
            continue;
        }
        if (!dcp_check_reach_vlan_driver(leg->j->inv, s->object.ix)) {
            dcp_judge_report(leg->j, id, "vlan", s->object, DCP_NO_NUMBER,
                             DCP_NO_NUMBER,
                             "no port of it goes to a switch with a driver");
        }
        struct chain c = vlan_chain(w, s->object.ix, s->to.ix);

        for (uint32_t i = 1; i < c.n && c.ids[i] <= id; i++) {
            if (c.ids[i] == id &&
                !dcp_check_order_before(leg->order, c.ids[i - 1], id)) {
                dcp_judge_report(
                    leg->j, id, "order", s->object, c.ids[i - 1], id,
                    "does not wait for step %u on the same VLAN", c.ids[i - 1]);
            }
        }
    }
}

bool
dcp_vlan_check(struct dcp_leg_view *leg)
{
    struct vlan_work w = { .leg = leg };

    if (!index_vlans(&w)) {
        return false;
    }
    judge_vlan_steps(&w);
    for (uint32_t i = 0; i < leg->n_stays; i++) {
        judge_vlan_stay(&w, &leg->stays[i]);
    }
    for (uint32_t v = 0; v < leg->j->inv->n_vms; v++) {
        dcp_host_id h = leg->start->host[v];

        if (leg->vm_stay[v] == UINT32_MAX && !dcp_host_is_none(h) &&
            leg->end->host[v].ix == h.ix && w.first[h.ix + 1] > w.first[h.ix]) {
            struct dcp_stay fixed = { v, h.ix, 0, 0 };

            judge_vlan_stay(&w, &fixed);
        }
    }
    return true;
}

/* --- Where each move goes ----------------------------------------------- */

void
dcp_moves_check(const struct dcp_leg_view *leg)
{
    const struct dcp_judge *j = leg->j;
    char text[120];

    for (uint32_t id = leg->first_id; id < leg->end_id; id++) {
        const struct dcp_step *s = dcp_leg_step(leg, id);

        if (s->object.kind != DCP_OBJECT_VM || s->to.kind != DCP_OBJECT_HOST) {
            continue;
        }
        uint32_t vm = s->object.ix;
        bool grown = s->kind == DCP_STEP_VM_RESIZE;
        const struct dcp_inventory *inv = dcp_judge_at(j, vm, grown ? id + 1
                                                                    : id);
        /* Where the plan found it, it may return to. */
        bool home =
            j->base && j->base->host[vm].ix == s->to.ix &&
            (!grown || dcp_check_reach_refusal(j->was, leg->end, vm, s->to.ix, text));
        const char *rule =
            !home ? dcp_check_reach_refusal(inv, leg->end, vm, s->to.ix, text)
            : dcp_check_volumes_open(leg->end, inv, vm, s->to.ix, text)
                ? NULL
                : "storage";

        if (rule) {
            dcp_judge_report(j, id, rule, s->object, DCP_NO_NUMBER,
                             DCP_NO_NUMBER, "on %.40s: %s",
                             j->inv->hosts[s->to.ix].name, text);
        }
        rule = s->kind == DCP_STEP_MIGRATE
                   ? dcp_check_reach_move_refusal(j->inv, vm, s->from.ix,
                                                  s->to.ix, s->cold, text)
                   : NULL;
        if (rule) {
            dcp_judge_report(j, id, rule, s->object, DCP_NO_NUMBER,
                             DCP_NO_NUMBER, "%s", text);
        }
    }
}
