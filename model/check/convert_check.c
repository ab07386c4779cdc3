/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Hypervisors over a whole plan.  A VM is of the hypervisor of the host that it
 * is on; step by step, in the listed order (steps of one VM have no other), it
 * is followed: where a step takes it to another one, that must be a cold
 * migration that says so, by a way of policy.conversions, as long as the way
 * takes, within its window, and once for each VM.  What policy.conversions says
 * is read anew here, not asked of model/convert.h. */

#include "model/check/leg.h"

#include <inttypes.h>
#include <stdlib.h>

struct converted {
    const struct dcp_judge *j;
    uint32_t *of;   /* By VM: hypervisor; DCP_IX_NONE: none, or unknown. */
    uint8_t *known; /* By VM: 'of' holds. */
    uint8_t *done;  /* By VM: converted before. */
    uint32_t n;     /* Converted by this plan. */
};

static void
report(const struct converted *c, const struct dcp_step *s, double need,
       double have, const char *text)
{
    dcp_judge_report(c->j, s->id, "conversion", s->object, need, have, "%s",
                     text);
}

static const struct dcp_conversion *
way(const struct dcp_inventory *inv, uint32_t vm, uint32_t from, uint32_t to)
{
    const struct dcp_conversion *found = NULL;

    for (uint32_t i = inv->n_conversions; i-- > 0;) {
        const struct dcp_conversion *c = &inv->conversions[i];
        bool selects = false;

        for (uint32_t k = 0; k < c->vms.n; k++) {
            selects |= c->vms.ix[k] == vm;
        }
        if (selects && c->from.ix == from && c->to.ix == to) {
            found = c;
        }
    }
    return found;
}

static double
takes_ms(const struct dcp_inventory *inv, const struct dcp_conversion *c,
         uint32_t vm)
{
    double mib = 0;

    for (uint32_t i = 0; i < inv->n_volumes && c->rate_kib_s; i++) {
        mib +=
            inv->volumes[i].vm.ix == vm ? (double)inv->volumes[i].size_mib : 0;
    }
    return (double)c->fixed_ms +
           (c->rate_kib_s ? mib * 1024 / (double)c->rate_kib_s * 1000 : 0);
}

/* All of the leg, from its start to its deadline, lies in the window. */
static bool
within(const struct dcp_inventory *inv, const struct dcp_conversion *c,
       const struct dcp_leg *leg)
{
    struct dcp_local at = dcp_zone_local(inv->zone, leg->start_ms);
    int64_t from = c->window.from_min * INT64_C(60000);
    int64_t to = c->window.to_min * INT64_C(60000);
    bool overnight = to <= from;
    bool open = overnight ? at.ms_of_day >= from || at.ms_of_day < to
                          : at.ms_of_day >= from && at.ms_of_day < to;
    int64_t day = at.day + (overnight && at.ms_of_day >= from);

    return open && leg->deadline_ms <= dcp_zone_instant(inv->zone, day, to);
}

static void
judge_way(const struct converted *c, const struct dcp_step *s, uint32_t from,
          uint32_t to)
{
    const struct dcp_inventory *inv = c->j->inv;
    const struct dcp_vm *vm = &inv->vms[s->object.ix];
    const struct dcp_conversion *w = way(inv, s->object.ix, from, to);

    if (!w) {
        report(c, s, DCP_NO_NUMBER, DCP_NO_NUMBER,
               "policy.conversions has no such way for it");
        return;
    }
    double ms = takes_ms(inv, w, s->object.ix);

    if (!vm->movable) {
        report(c, s, DCP_NO_NUMBER, DCP_NO_NUMBER,
               "the model says movable: false");
    }
    if (vm->max_downtime_ms && ms > (double)vm->max_downtime_ms + 1) {
        report(c, s, ms, (double)vm->max_downtime_ms,
               "it is down for longer than its max_downtime");
    }
    if ((double)s->estimate_ms < ms - 1 || (double)s->downtime_ms < ms - 1) {
        report(c, s, ms, (double)s->downtime_ms,
               "its downtime is longer than the step says");
    }
    if (w->has_window && !within(inv, w, &c->j->plan->legs[s->leg])) {
        report(c, s, DCP_NO_NUMBER, DCP_NO_NUMBER,
               "its leg is not within the window of the way");
    }
}

/* The step takes its VM from one hypervisor to another. */
static void
judge_change(struct converted *c, const struct dcp_step *s, uint32_t from,
             uint32_t to)
{
    uint32_t vm = s->object.ix;

    if (s->kind == DCP_STEP_MIGRATE && !s->cold) {
        return; /* Reported where the way of each move is judged. */
    }
    if (s->kind != DCP_STEP_MIGRATE || !s->cold || !s->converts ||
        s->convert_from.ix != from || s->convert_to.ix != to) {
        report(c, s, DCP_NO_NUMBER, DCP_NO_NUMBER,
               "goes to another hypervisor without being converted to it");
        return;
    }
    if (c->done[vm]) {
        report(c, s, DCP_NO_NUMBER, DCP_NO_NUMBER,
               "is converted more than once");
    }
    c->done[vm] = 1;
    c->n++;
    judge_way(c, s, from, to);
}

static void
follow(struct converted *c, const struct dcp_step *s)
{
    const struct dcp_inventory *inv = c->j->inv;
    uint32_t vm = s->object.ix;

    if (s->object.kind != DCP_OBJECT_VM) {
        return;
    }
    if (s->kind == DCP_STEP_VM_CREATE || s->kind == DCP_STEP_VM_DESTROY) {
        c->known[vm] = 0;
    }
    if (s->to.kind != DCP_OBJECT_HOST) {
        return;
    }
    uint32_t to = inv->hosts[s->to.ix].hypervisor.ix;

    if (c->known[vm] && c->of[vm] != to) {
        judge_change(c, s, c->of[vm], to);
    } else if (s->converts) {
        report(c, s, DCP_NO_NUMBER, DCP_NO_NUMBER,
               "says it is converted, and stays under its hypervisor");
    }
    c->of[vm] = to;
    c->known[vm] = 1;
}

bool
dcp_conversions_check(const struct dcp_judge *j)
{
    const struct dcp_inventory *inv = j->inv;
    uint32_t most = inv->policy.conversions_per_plan;
    DCP_FREE uint32_t *of = calloc(inv->n_vms + 1u, sizeof *of);
    DCP_FREE uint8_t *known = calloc(inv->n_vms + 1u, 1);
    DCP_FREE uint8_t *done = calloc(inv->n_vms + 1u, 1);
    struct converted c = { .j = j, .of = of, .known = known, .done = done };

    if (!of || !known || !done) {
        return dcp_judge_no_memory(j);
    }
    for (uint32_t v = 0; v < inv->n_vms; v++) {
        dcp_host_id h = j->plan->before->host[v];

        known[v] = !dcp_host_is_none(h);
        of[v] = known[v] ? inv->hosts[h.ix].hypervisor.ix : DCP_IX_NONE;
    }
    for (uint32_t i = 0; i < j->plan->n_steps; i++) {
        follow(&c, &j->plan->steps[i]);
    }
    if (most && c.n > most) {
        dcp_judge_report(j, 0, "conversion",
                         (struct dcp_object){ DCP_OBJECT_NONE, 0 }, c.n, most,
                         "%u VMs are converted, policy.conversions_per_plan "
                         "allows %u",
                         c.n, most);
    }
    return true;
}
