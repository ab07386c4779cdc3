/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The order of judgement.  What the later parts take for granted (steps wait
 * for lower ids only, each starts where its VM is) is judged first; where it
 * does not hold, the plan has failed and nothing is built on it. */

#include "model/check/leg.h"
#include "model/check/overload.h"

#include <stdlib.h>
#include <string.h>

static bool
begin(struct dcp_judge *j, struct dcp_check_result *out, struct dcp_error *err)
{
    *out = (struct dcp_check_result){ .pass = true,
                                      .proof = DCP_PROOF_ALL_ORDERS,
                                      .arena = dcp_arena_create(0) };
    j->result = out;
    j->err = err;
    return out->arena || dcp_judge_no_memory(j);
}

void
dcp_check_result_finish(struct dcp_check_result *result)
{
    dcp_arena_destroy(result->arena);
    *result = (struct dcp_check_result){ 0 };
}

/* --- Plans -------------------------------------------------------------- */

static void
compare_size(const struct dcp_judge *j, const struct dcp_leg *l, uint32_t vm)
{
    struct dcp_vm_size says = dcp_placement_size(j->was, l->after, vm);
    struct dcp_vm_size is = dcp_vm_size(j->inv, vm);
    char a[64], b[64];

    if (!dcp_vm_size_eq(says, is)) {
        dcp_judge_report(j, 0, "after", dcp_judge_vm(vm), says.vcpus, is.vcpus,
                         "leg %s says %s; its steps leave it %s", l->name,
                         dcp_vm_size_print(says, a, sizeof a),
                         dcp_vm_size_print(is, b, sizeof b));
    }
}

/* What the leg says comes after it is what its steps give. */
static void
compare_after(const struct dcp_leg_view *leg)
{
    const struct dcp_judge *j = leg->j;
    const struct dcp_leg *l = &j->plan->legs[leg->index];

    for (uint32_t v = 0; v < j->inv->n_vms; v++) {
        uint32_t says = l->after->host[v].ix, is = leg->end->host[v].ix;

        if (says != is) {
            dcp_judge_report(
                j, 0, "after", dcp_judge_vm(v), DCP_NO_NUMBER, DCP_NO_NUMBER,
                "leg %s says %.40s; its steps leave it on %.40s", l->name,
                says == DCP_IX_NONE ? "nowhere" : j->inv->hosts[says].name,
                is == DCP_IX_NONE ? "nowhere" : j->inv->hosts[is].name);
        }
        compare_size(j, l, v);
    }
    for (uint32_t h = 0; h < j->inv->n_hosts; h++) {
        if (l->after->on[h] != leg->end->on[h]) {
            dcp_judge_report(
                j, 0, "after", dcp_judge_host(h), DCP_NO_NUMBER, DCP_NO_NUMBER,
                "leg %s says it is %s; its steps leave it %s", l->name,
                l->after->on[h] ? "on" : "off", leg->end->on[h] ? "on" : "off");
        }
    }
}

static bool
check_leg(struct dcp_leg_view *leg)
{
    char when[80] = "at the end of leg ";

    compare_after(leg);
    dcp_volumes_compare_after(leg);
    if (!leg->sound) {
        return true;
    }
    strncat(when, leg->j->plan->legs[leg->index].name, 40);
    dcp_moves_check(leg);
    return dcp_network_check(leg) && dcp_switch_check(leg) &&
           dcp_vlan_check(leg) && dcp_pools_check(leg) &&
           dcp_volumes_check(leg, leg->j->plan->before) &&
           dcp_licences_check(leg) && dcp_always_check(leg) &&
           dcp_capacity_check(leg, leg->j->plan->before) &&
           dcp_move_cpu_check(leg) &&
           dcp_overload_check(leg, leg->j->plan->before) &&
           dcp_check_rules_check(leg->j, leg->end, when) &&
           dcp_survive_check(leg) && dcp_no_boot_check(leg);
}

static bool
check_legs(const struct dcp_judge *j)
{
    struct dcp_check_order order;
    struct dcp_placement *start = dcp_placement_copy(j->plan->before, j->err);
    bool ok = start && dcp_check_order_init(&order, j), sound = true;

    if (!ok) {
        dcp_placement_destroy(start);
        return false;
    }
    ok = dcp_park_check(j, &order) && dcp_conversions_check(j) &&
         dcp_restarts_check(j, &order);
    for (uint32_t i = 0; ok && sound && i < j->plan->n_legs; i++) {
        struct dcp_leg_view leg;

        ok = dcp_leg_init(&leg, j, &order, i, start) && check_leg(&leg);
        if (ok) {
            dcp_placement_destroy(start);
            start = leg.end;
            leg.end = NULL;
            sound = leg.sound;
        }
        dcp_leg_finish(&leg);
    }
    dcp_placement_destroy(start);
    dcp_check_order_finish(&order);
    return ok;
}

/* From here on the sizes that the plan leaves hold, but where a state before
 * a resize is judged. */
static bool
check_sized(struct dcp_judge *j)
{
    DCP_FREE struct dcp_inventory *inv = NULL;
    DCP_FREE uint32_t *resize = NULL;
    DCP_AUTO(dcp_demand) struct dcp_demand *grown = NULL;

    if (!dcp_plan_inventory_after(j->plan, j->was, &inv, j->err)) {
        return false;
    }
    if (!inv) {
        return check_legs(j);
    }
    resize = calloc(inv->n_vms + 1u, sizeof *resize);
    if (!resize) {
        return dcp_judge_no_memory(j);
    }
    if (!dcp_demand_with_sizes(j->demand, j->was, inv, &grown, j->err)) {
        return false;
    }
    j->inv = inv;
    j->demand = grown ? grown : j->demand;
    j->resize = resize;
    dcp_resize_check(j, resize);
    return check_legs(j);
}

static bool
check_fit(const struct dcp_judge *j)
{
    const struct dcp_plan *plan = j->plan;
    bool ok = plan->before && plan->n_legs && plan->n_legs <= DCP_LEGS_MAX &&
              plan->before->n_vms == j->inv->n_vms &&
              plan->before->n_hosts == j->inv->n_hosts &&
              j->demand->n_vms == j->inv->n_vms;

    for (uint32_t i = 0; ok && i < plan->n_legs; i++) {
        ok = plan->legs[i].after &&
             plan->legs[i].after->n_vms == j->inv->n_vms &&
             plan->legs[i].after->n_hosts == j->inv->n_hosts;
    }
    return ok || dcp_fail(j->err, DCP_E_ARGUMENT,
                          "plan, demand and model do not belong together");
}

bool
dcp_check_plan(const struct dcp_inventory *inv, const struct dcp_demand *demand,
               const struct dcp_plan *plan, struct dcp_check_result *out,
               struct dcp_error *err)
{
    struct dcp_judge j = { .inv = inv,
                           .was = inv,
                           .demand = demand,
                           .plan = plan,
                           .base = plan->before };
    bool sound;

    if (!begin(&j, out, err)) {
        return false;
    }
    bool ok = check_fit(&j) && dcp_structure_check(&j, &sound) &&
              (!sound || check_sized(&j));

    if (ok && !sound) {
        out->proof = DCP_PROOF_LISTED_ORDER;
    }
    if (!ok) {
        dcp_check_result_finish(out);
    }
    return ok;
}

/* --- Placements --------------------------------------------------------- */

static void
place_reach(const struct dcp_judge *j, const struct dcp_placement *p)
{
    char text[120];

    for (uint32_t v = 0; v < p->n_vms; v++) {
        if (dcp_host_is_none(p->host[v])) {
            continue;
        }
        uint32_t host = p->host[v].ix;
        const struct dcp_ids *vlans = &j->inv->vms[v].vlans;
        const char *rule = dcp_check_reach_refusal(j->inv, p, v, host, text);

        if (rule) {
            dcp_judge_report(j, 0, rule, dcp_judge_vm(v), DCP_NO_NUMBER,
                             DCP_NO_NUMBER, "on %.40s: %s",
                             j->inv->hosts[host].name, text);
        }
        if (!p->on[host]) {
            dcp_judge_report(j, 0, "power", dcp_judge_vm(v), DCP_NO_NUMBER,
                             DCP_NO_NUMBER, "is on %.60s, which is off",
                             j->inv->hosts[host].name);
        }
        for (uint32_t i = 0; i < vlans->n; i++) {
            if (!dcp_check_reach_vlan_now(j->inv, host, vlans->ix[i]) &&
                !dcp_check_reach_vlan_driver(j->inv, host)) {
                dcp_judge_report(j, 0, "vlan", dcp_judge_vm(v), DCP_NO_NUMBER,
                                 DCP_NO_NUMBER, "VLAN %.50s is not on %.60s",
                                 j->inv->vlans[vlans->ix[i]].name,
                                 j->inv->hosts[host].name);
            }
        }
    }
}

static bool
place_capacity(const struct dcp_cells *c, const struct dcp_placement *p)
{
    DCP_FREE uint64_t *load = dcp_cells_load(c, p, UINT32_MAX);

    if (!load) {
        return dcp_judge_no_memory(c->judge);
    }
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        for (uint32_t i = 0; i < c->n; i++) {
            size_t row = (size_t)h * c->n;
            uint32_t r = dcp_cells_resource(c, i), worst = i;

            for (; i + 1 < c->n && dcp_cells_resource(c, i + 1) == r; i++) {
                worst = load[row + i + 1] > load[row + worst] ? i + 1 : worst;
            }
            if (load[row + worst] > c->usable[row + worst]) {
                char what[80];

                dcp_judge_report(
                    c->judge, 0, "capacity", dcp_judge_host(h),
                    (double)load[row + worst], (double)c->usable[row + worst],
                    "%s: %llu of %llu %s",
                    dcp_cells_describe(c, worst, what, sizeof what),
                    (unsigned long long)load[row + worst],
                    (unsigned long long)c->usable[row + worst],
                    dcp_cells_unit(c, worst));
            }
        }
    }
    return true;
}

static void
place_keep_on(const struct dcp_judge *j, const struct dcp_placement *p)
{
    uint32_t on = dcp_placement_n_on(p), keep = j->inv->policy.keep_on;

    if (on < keep) {
        dcp_judge_report(j, 0, "keep_on",
                         (struct dcp_object){ DCP_OBJECT_NONE, 0 }, keep, on,
                         "%u hosts are on; policy keeps %u", on, keep);
    }
}

bool
dcp_check_placement(const struct dcp_inventory *inv,
                    const struct dcp_demand *demand,
                    const struct dcp_placement *p, uint32_t first_slot,
                    uint32_t last_slot, struct dcp_check_result *out,
                    struct dcp_error *err)
{
    struct dcp_judge j = { .inv = inv, .was = inv, .demand = demand };
    struct dcp_cells cells = { 0 };

    if (!begin(&j, out, err)) {
        return false;
    }
    bool ok = p->n_vms == inv->n_vms && p->n_hosts == inv->n_hosts &&
              demand->n_vms == inv->n_vms && first_slot <= last_slot &&
              last_slot <= demand->n_slots;

    if (!ok) {
        (void)dcp_fail(err, DCP_E_ARGUMENT,
                       "placement, demand and model do not belong together");
    }
    ok = ok && dcp_cells_init(&cells, &j, first_slot, last_slot);
    if (ok) {
        place_reach(&j, p);
        place_keep_on(&j, p);
    }
    ok = ok && place_capacity(&cells, p) &&
         dcp_overload_placement(&j, p, first_slot, last_slot) &&
         dcp_pools_placement(&j, p) && dcp_licences_placement(&j, p) &&
         dcp_watts_placement(&cells, p) && dcp_check_rules_check(&j, p, "");
    dcp_cells_finish(&cells);
    out->states_checked = 1;
    if (!ok) {
        dcp_check_result_finish(out);
    }
    return ok;
}

bool
dcp_check_some_rules(const struct dcp_inventory *inv, const uint8_t asked[],
                     const struct dcp_placement *base,
                     const struct dcp_placement *p,
                     struct dcp_check_result *out, struct dcp_error *err)
{
    struct dcp_judge j = {
        .inv = inv, .was = inv, .base = base, .asked = asked
    };

    if (!begin(&j, out, err)) {
        return false;
    }
    bool ok = (p->n_vms == inv->n_vms && p->n_hosts == inv->n_hosts) ||
              dcp_fail(err, DCP_E_ARGUMENT,
                       "placement and model do not belong together");

    ok = ok && dcp_check_rules_check(&j, p, "");
    out->states_checked = 1;
    if (!ok) {
        dcp_check_result_finish(out);
    }
    return ok;
}

bool
dcp_check_rules(const struct dcp_inventory *inv,
                const struct dcp_placement *base, const struct dcp_placement *p,
                struct dcp_check_result *out, struct dcp_error *err)
{
    return dcp_check_some_rules(inv, NULL, base, p, out, err);
}
