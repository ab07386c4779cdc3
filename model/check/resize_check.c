/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Resizes of a plan: once for a VM, in the first leg, from the size that it
 * has to one that policy, reservations and rules allow and that its planned
 * demand fits in.  What sizes do to hosts is judged where capacity is. */

#include "model/base/sort.h"
#include "model/capacity.h"
#include "model/check/leg.h"

#include <math.h>
#include <stdlib.h>

static void
report(const struct dcp_judge *j, const struct dcp_step *s, double need,
       double have, const char *text)
{
    dcp_judge_report(j, s->id, "resize", s->object, need, have, "%s", text);
}

static double
ceiling_mhz(const struct dcp_inventory *inv, uint32_t vm)
{
    return dcp_vm_ceiling_mhz(inv, (dcp_vm_id){ vm }, inv->vms[vm].host);
}

static void
judge_floor(const struct dcp_judge *j, const struct dcp_step *s)
{
    const struct dcp_vm *vm = &j->was->vms[s->object.ix];
    const struct dcp_rightsize *policy = &j->was->rightsize;
    double mem = (double)s->size_to.mem_mib;
    double floor_mib =
        fmax((double)vm->mem_reservation_mib,
             fmax((double)vm->balloon_floor_mib, (double)vm->huge_pages_mib));
    double clock =
        dcp_vm_vcpu_mhz(j->was, (dcp_vm_id){ s->object.ix }, vm->host);

    if (s->size_to.mem_mib < s->size_from.mem_mib) {
        floor_mib = fmax(floor_mib, (double)policy->min_mem_mib);
        if (mem < floor_mib) {
            report(j, s, floor_mib, mem,
                   "less memory than is reserved, or policy lets it have");
        }
    }
    if (s->size_to.vcpus < s->size_from.vcpus) {
        if (s->size_to.vcpus < policy->min_vcpus) {
            report(j, s, policy->min_vcpus, s->size_to.vcpus,
                   "fewer vCPUs than policy lets it have");
        }
        if (s->size_to.vcpus * clock < vm->cpu_reservation_mhz) {
            report(j, s, vm->cpu_reservation_mhz, s->size_to.vcpus * clock,
                   "fewer vCPUs than its reserved MHz need");
        }
    }
}

/* No VM becomes smaller than what it is planned to use. */
static void
judge_demand(const struct dcp_judge *j, const struct dcp_step *s)
{
    const struct dcp_demand *d = j->demand;
    uint32_t vm = s->object.ix;
    const uint32_t *row = d->cpu_mhz + (size_t)vm * d->stride;
    double margin = j->was->tiers[j->was->vms[vm].tier.ix].margin_frac;
    double most = ceiling_mhz(j->inv, vm) * (1 + margin), peak = 0;

    if (d->source[vm] != DCP_DEMAND_TRACE) {
        report(j, s, DCP_NO_NUMBER, DCP_NO_NUMBER,
               "it has too little history of its own to be resized by");
        return;
    }
    for (uint32_t t = 0; t < d->n_slots; t++) {
        peak = fmax(peak, row[t]);
    }
    if (s->size_to.vcpus < s->size_from.vcpus && peak > ceil(most)) {
        report(j, s, peak, most, "planned CPU does not fit in so few vCPUs");
    }
    if (s->size_to.mem_mib >= s->size_from.mem_mib) {
        return;
    }
    if (!d->mem_active_mib) {
        report(j, s, DCP_NO_NUMBER, DCP_NO_NUMBER,
               "takes memory away that was not measured");
    } else if (d->mem_active_mib[vm] > s->size_to.mem_mib) {
        report(j, s, d->mem_active_mib[vm], (double)s->size_to.mem_mib,
               "planned active memory does not fit in so little");
    }
}

/* In no state may a capacity rule be broken, and those that hold always are
 * judged at one size. */
static void
judge_rules(const struct dcp_judge *j, const struct dcp_step *s)
{
    for (uint32_t i = 0; i < j->was->n_rules; i++) {
        const struct dcp_rule *rule = &j->was->rules[i];
        struct dcp_ids vms = { rule->vms, rule->n_vms };

        if (rule->kind == DCP_RULE_CAPACITY && !rule->soft &&
            dcp_ids_contain(&vms, s->object.ix)) {
            dcp_judge_report(j, s->id, "resize", s->object, DCP_NO_NUMBER,
                             DCP_NO_NUMBER, "rule %.80s counts its size",
                             rule->name);
        }
    }
}

static void
judge_policy(const struct dcp_judge *j, const struct dcp_step *s)
{
    const struct dcp_rightsize *policy = &j->was->rightsize;
    bool shrinks = s->size_to.vcpus < s->size_from.vcpus ||
                   s->size_to.mem_mib < s->size_from.mem_mib;
    bool hot =
        policy->hot == DCP_HOT_ALL || (policy->hot == DCP_HOT_GROW && !shrinks);
    bool window = j->plan->n_legs > 1;

    if (dcp_ids_contain(&policy->exclude, s->object.ix)) {
        report(j, s, DCP_NO_NUMBER, DCP_NO_NUMBER, "policy excludes it");
    }
    if (!s->cold && !hot) {
        report(j, s, DCP_NO_NUMBER, DCP_NO_NUMBER,
               "policy says that this takes a restart");
    }
    if (s->cold && (policy->restart == DCP_RESTART_NEVER ||
                    (policy->restart == DCP_RESTART_IN_WINDOW && !window))) {
        report(j, s, DCP_NO_NUMBER, DCP_NO_NUMBER,
               "policy does not let it be restarted now");
    }
}

void
dcp_resize_check(const struct dcp_judge *j, uint32_t resize[])
{
    for (uint32_t i = 0; i < j->plan->n_steps; i++) {
        const struct dcp_step *s = &j->plan->steps[i];
        char is[64], says[64];

        if (s->kind != DCP_STEP_VM_RESIZE) {
            continue;
        }
        uint32_t vm = s->object.ix;
        struct dcp_vm_size size = dcp_vm_size(j->was, vm);

        if (s->leg || resize[vm]) {
            report(j, s, DCP_NO_NUMBER, DCP_NO_NUMBER,
                   s->leg ? "only the first leg may resize"
                          : "is resized twice");
            continue;
        }
        resize[vm] = s->id;
        if (!dcp_vm_size_eq(s->size_from, size) ||
            dcp_vm_size_eq(s->size_from, s->size_to)) {
            dcp_judge_report(j, s->id, "resize", s->object, s->size_from.vcpus,
                             size.vcpus, "starts from %s; it has %s",
                             dcp_vm_size_print(s->size_from, says, sizeof says),
                             dcp_vm_size_print(size, is, sizeof is));
            continue;
        }
        judge_floor(j, s);
        judge_demand(j, s);
        judge_rules(j, s);
        judge_policy(j, s);
    }
}

/* --- Restarts ----------------------------------------------------------- */

/* Of these VMs no two restart at one time: each waits for the one before. */
static void
judge_restarts(const struct dcp_judge *j, struct dcp_check_order *order,
               const uint32_t vms[], uint32_t n_vms, const char *of,
               uint32_t ids[])
{
    const struct dcp_plan *plan = j->plan;
    uint32_t n = 0;

    for (uint32_t i = 0; i < n_vms; i++) {
        uint32_t id = j->resize[vms[i]];

        if (id && plan->steps[id - 1].cold) {
            ids[n++] = id;
        }
    }
    dcp_sort_u32(ids, n);
    for (uint32_t i = 1; i < n; i++) {
        if (!dcp_check_order_before(order, ids[i - 1], ids[i])) {
            dcp_judge_report(j, ids[i], "resize",
                             plan->steps[ids[i] - 1].object, ids[i - 1], ids[i],
                             "may restart together with step %u, which %.80s "
                             "forbids",
                             ids[i - 1], of);
        }
    }
}

bool
dcp_restarts_check(const struct dcp_judge *j, struct dcp_check_order *order)
{
    const struct dcp_inventory *inv = j->inv;
    DCP_FREE uint32_t *ids = malloc((inv->n_vms + 1u) * sizeof *ids);

    if (!ids) {
        return dcp_judge_no_memory(j);
    }
    for (uint32_t a = 0; j->resize && a < inv->n_applications; a++) {
        const struct dcp_ids *vms = &inv->applications[a].vms;

        judge_restarts(j, order, vms->ix, vms->n, "their application", ids);
    }
    for (uint32_t r = 0; j->resize && r < inv->n_rules; r++) {
        const struct dcp_rule *rule = &inv->rules[r];

        if (rule->kind == DCP_RULE_SPREAD && !rule->soft) {
            judge_restarts(j, order, rule->vms, rule->n_vms, rule->name, ids);
        }
    }
    return true;
}
