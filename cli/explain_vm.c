/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/explain.h"
#include "cli/ui.h"
#include "model/base/units.h"
#include "model/change.h"
#include "model/io/json_size.h"

#include <stdio.h>
#include <stdlib.h>

#define WAITS_SHOWN 8u

static bool
is_of_vm(const struct dcp_step *s, dcp_vm_id vm)
{
    return s->object.kind == DCP_OBJECT_VM && s->object.ix == vm.ix;
}

static bool
waits_for(const struct dcp_step *s, uint32_t id)
{
    for (uint32_t i = 0; i < s->n_after; i++) {
        if (s->after[i] == id) {
            return true;
        }
    }
    return false;
}

/* Where a lost VM of one survive entry restarts; none: not in it, or '*out_is'
 * tells that it is lost without a promise. */
static dcp_host_id
restarts_on(const struct dcp_survive *e, dcp_vm_id vm, bool *out_is)
{
    *out_is = false;
    for (uint32_t i = 0; i < e->n; i++) {
        if (e->vms[i] == vm.ix) {
            *out_is = true;
            return e->to[i];
        }
    }
    for (uint32_t i = 0; i < e->n_not_protected; i++) {
        *out_is |= e->not_protected[i] == vm.ix;
    }
    return dcp_host_none();
}

/* --- Text --------------------------------------------------------------- */

static void
print_waits(const struct dcp_inventory *inv, const struct dcp_plan *plan,
            const struct dcp_step *s)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < s->n_after && i < WAITS_SHOWN; i++) {
        if (s->after[i] >= 1 && s->after[i] <= plan->n_steps) {
            printf("%s", i ? ", " : "             waits for ");
            dcp_explain_print_step(inv, &plan->steps[s->after[i] - 1]);
        }
    }
    if (s->n_after) {
        printf("%s\n", s->n_after > WAITS_SHOWN ? ", ..." : "");
    }
    for (uint32_t i = 0; i < plan->n_steps; i++) {
        if (!waits_for(&plan->steps[i], s->id) || n++ >= WAITS_SHOWN) {
            continue;
        }
        printf("%s", n > 1 ? ", " : "             is waited for by ");
        dcp_explain_print_step(inv, &plan->steps[i]);
    }
    if (n) {
        printf("%s\n", n > WAITS_SHOWN ? ", ..." : "");
    }
}

/* "host:a", or "host:a host:b" of two lost at once. */
static void
print_lost(const struct dcp_inventory *inv, const struct dcp_survive *e,
           char *out, size_t size)
{
    size_t at = 0;

    for (uint32_t k = 0; k <= e->n_also && at < size; k++) {
        struct dcp_object lose = k ? e->also[k - 1] : e->lose;
        int n = snprintf(out + at, size - at, "%s%s:%s", k ? " " : "",
                         dcp_object_kind_name(lose.kind),
                         dcp_object_name(inv, lose));

        at += n > 0 ? (size_t)n : 0;
    }
}

static void
print_stand_ins(const struct dcp_inventory *inv, const struct dcp_survive *e)
{
    for (uint32_t k = 1; k < e->n_stand_ins; k++) {
        printf("%s%s", k == 1 ? "      or, of several hosts lost at once, on "
                              : ", ",
               inv->hosts[e->stand_ins[k].ix].name);
    }
    if (e->n_stand_ins > 1) {
        putchar('\n');
    }
}

/* The rule that keeps the VM from being changed in the leg; NULL: none does. */
static const struct dcp_rule *
held_by(const struct dcp_inventory *inv, const struct dcp_plan *plan,
        uint32_t leg, dcp_vm_id vm)
{
    const struct dcp_leg *l = &plan->legs[leg];
    dcp_host_id at = dcp_plan_leg_start(plan, leg)->host[vm.ix];

    for (uint32_t r = 0; r < inv->n_rules; r++) {
        const struct dcp_rule *rule = &inv->rules[r];
        struct dcp_ids vms = { rule->vms, rule->n_vms };
        struct dcp_ids hosts = { rule->hosts, rule->n_hosts };

        if (dcp_rule_is_about_change(rule->kind) &&
            (dcp_ids_contain(&vms, vm.ix) ||
             (!dcp_host_is_none(at) && dcp_ids_contain(&hosts, at.ix))) &&
            !dcp_change_is_open(inv, rule, l->start_ms, l->deadline_ms)) {
            return rule;
        }
    }
    return NULL;
}

static void
print_leg(const struct dcp_inventory *inv, const struct dcp_plan *plan,
          uint32_t leg, dcp_vm_id vm)
{
    dcp_host_id was = dcp_plan_leg_start(plan, leg)->host[vm.ix];
    dcp_host_id is = plan->legs[leg].after->host[vm.ix];
    bool lost = false;
    uint32_t n_sets = 0;

    printf("  %-10s %s%s\n", plan->legs[leg].name,
           dcp_explain_host_name(inv, is),
           dcp_host_eq(was, is) ? " (stays)" : "");
    const struct dcp_rule *rule = held_by(inv, plan, leg, vm);
    char when[120];

    if (rule && dcp_host_eq(was, is)) {
        printf("    not to be changed in this leg: rule '%s' (%s)\n",
               rule->name, dcp_change_print(inv, rule, when, sizeof when));
    }
    for (uint32_t i = 0; i < plan->n_steps; i++) {
        const struct dcp_step *s = &plan->steps[i];
        char time[32], its_time[300];

        if (s->leg != leg || !is_of_vm(s, vm)) {
            continue;
        }
        dcp_print_human(DCP_DIM_TIME, (double)s->estimate_ms, time,
                        sizeof time);
        printf("    step ");
        dcp_explain_print_step(inv, s);
        printf(" (%s): %s\n", time, s->reason_text);
        if (dcp_step_print_when(s, its_time, sizeof its_time)[0]) {
            printf("      %s\n", its_time);
        }
        print_waits(inv, plan, s);
    }
    for (uint32_t i = 0; i < plan->n_survive; i++) {
        const struct dcp_survive *e = &plan->survive[i];
        dcp_host_id to =
            e->leg == leg ? restarts_on(e, vm, &lost) : dcp_host_none();

        n_sets += e->leg == leg && lost && e->n_also;
        if (e->leg == leg && lost && !e->n_also) {
            printf("    if %s %s is lost: %s%s\n",
                   dcp_object_kind_name(e->lose.kind),
                   dcp_object_name(inv, e->lose),
                   dcp_host_is_none(to) ? "lost, it is not protected"
                                        : "restarts on ",
                   dcp_host_is_none(to) ? "" : dcp_explain_host_name(inv, to));
            print_stand_ins(inv, e);
        }
    }
    if (n_sets) {
        printf("    and it has a place after %u losses of several at once "
               "(--json lists them)\n",
               n_sets);
    }
}

static bool
is_left_out(const struct dcp_left_out *l, dcp_vm_id vm)
{
    bool is = false;

    for (uint32_t k = 0; k < l->n_vms; k++) {
        is |= l->vms[k] == vm.ix;
    }
    return is;
}

/* What of the plan was given up, and concerns the VM. */
static void
print_left_out(const struct dcp_inventory *inv, const struct dcp_plan *plan,
               dcp_vm_id vm)
{
    for (uint32_t i = 0; i < plan->n_left_out; i++) {
        const struct dcp_left_out *l = &plan->left_out[i];

        if (is_left_out(l, vm)) {
            printf("  left out: %s stays on, for %s; off, with this VM and %u "
                   "others elsewhere, it would save %.4g %s\n",
                   inv->hosts[l->host.ix].name, dcp_left_out_text(l->why),
                   l->n_vms - 1, l->saving, plan->left_out_unit);
        }
    }
}

static void
json_left_out(struct dcp_json *w, const struct dcp_inventory *inv,
              const struct dcp_plan *plan, dcp_vm_id vm)
{
    dcp_json_karray(w, "left_out");
    for (uint32_t i = 0; i < plan->n_left_out; i++) {
        const struct dcp_left_out *l = &plan->left_out[i];

        if (is_left_out(l, vm)) {
            dcp_json_begin_line(w, '{');
            dcp_json_kstring(w, "host", inv->hosts[l->host.ix].name);
            dcp_json_kstring(w, "why", dcp_left_out_name(l->why));
            dcp_json_kdouble(w, "saving", l->saving);
            dcp_json_kstring(w, "unit", plan->left_out_unit);
            dcp_json_end(w, '}');
        }
    }
    dcp_json_end(w, ']');
}

static void
print_vm(const struct dcp_inventory *inv, const struct dcp_plan *plan,
         dcp_vm_id id)
{
    const struct dcp_vm *vm = &inv->vms[id.ix];
    char mem[32];

    dcp_print_human(DCP_DIM_SIZE, (double)vm->mem_mib, mem, sizeof mem);
    printf("%s: %u vCPUs, %s, tier %s%s%s\n", vm->name, vm->vcpus, mem,
           inv->tiers[vm->tier.ix].name,
           dcp_tenant_is_none(vm->tenant) ? "" : ", tenant ",
           dcp_tenant_is_none(vm->tenant) ? ""
                                          : inv->tenants[vm->tenant.ix].name);
    printf("  %-10s %s\n", "before",
           dcp_explain_host_name(inv, plan->before->host[id.ix]));
    for (uint32_t l = 0; l < plan->n_legs; l++) {
        print_leg(inv, plan, l, id);
    }
    print_left_out(inv, plan, id);
}

/* --- JSON --------------------------------------------------------------- */

static void
json_step(struct dcp_json *w, const struct dcp_inventory *inv,
          const struct dcp_plan *plan, const struct dcp_step *s)
{
    char when[300];

    dcp_json_begin(w, '{');
    dcp_json_ku64(w, "id", s->id);
    dcp_json_kstring(w, "leg", plan->legs[s->leg].name);
    dcp_json_kstring(w, "kind", dcp_step_kind_name(s->kind));
    dcp_json_kstring(
        w, "from",
        s->from.kind == DCP_OBJECT_NONE ? NULL : dcp_object_name(inv, s->from));
    dcp_json_kstring(
        w, "to",
        s->to.kind == DCP_OBJECT_NONE ? NULL : dcp_object_name(inv, s->to));
    if (s->kind == DCP_STEP_VM_RESIZE) {
        dcp_json_ksize(w, "size_from", s->size_from);
        dcp_json_ksize(w, "size_to", s->size_to);
    }
    dcp_json_ki64(w, "estimate_ms", s->estimate_ms);
    if (dcp_step_print_when(s, when, sizeof when)[0]) {
        dcp_json_kstring(w, "when", when);
    }
    dcp_json_kobject(w, "reason");
    dcp_json_kstring(w, "code", dcp_reason_name(s->reason));
    dcp_json_kstring(w, "text", s->reason_text);
    dcp_json_end(w, '}');
    dcp_json_karray(w, "waits_for");
    for (uint32_t i = 0; i < s->n_after; i++) {
        if (s->after[i] >= 1 && s->after[i] <= plan->n_steps) {
            dcp_explain_json_step(inv, w, &plan->steps[s->after[i] - 1]);
        }
    }
    dcp_json_end(w, ']');
    dcp_json_karray(w, "waited_for_by");
    for (uint32_t i = 0; i < plan->n_steps; i++) {
        if (waits_for(&plan->steps[i], s->id)) {
            dcp_explain_json_step(inv, w, &plan->steps[i]);
        }
    }
    dcp_json_end(w, ']');
    dcp_json_end(w, '}');
}

static void
json_place(struct dcp_json *w, const struct dcp_inventory *inv, const char *leg,
           dcp_host_id host)
{
    dcp_json_begin_line(w, '{');
    dcp_json_kstring(w, "leg", leg);
    dcp_json_kstring(w, "host",
                     dcp_host_is_none(host) ? NULL : inv->hosts[host.ix].name);
    dcp_json_end(w, '}');
}

static void
json_survive(struct dcp_json *w, const struct dcp_inventory *inv,
             const struct dcp_plan *plan, dcp_vm_id vm)
{
    dcp_json_karray(w, "survive");
    for (uint32_t i = 0; i < plan->n_survive; i++) {
        const struct dcp_survive *e = &plan->survive[i];
        bool lost;
        dcp_host_id to = restarts_on(e, vm, &lost);
        char lose[300];

        if (!lost) {
            continue;
        }
        print_lost(inv, e, lose, sizeof lose);
        dcp_json_begin_line(w, '{');
        dcp_json_kstring(w, "leg", plan->legs[e->leg].name);
        dcp_json_kstring(w, "lose", lose);
        dcp_json_kstring(w, "restart_on",
                         dcp_host_is_none(to) ? NULL : inv->hosts[to.ix].name);
        dcp_json_end(w, '}');
    }
    dcp_json_end(w, ']');
}

int
dcp_explain_vm(struct dcp_explain *x, dcp_vm_id vm, struct dcp_error *err)
{
    const struct dcp_inventory *inv = dcp_explain_inventory(x);
    const struct dcp_plan *plan = x->open.plan;
    struct dcp_worth_change c = { .kind = DCP_WORTH_VM_STAYS,
                                  .ix = vm.ix };
    struct dcp_json w;

    if (!x->g->json) {
        print_vm(inv, plan, vm);
        return dcp_explain_print_worth(x, &c, err) &&
                       dcp_explain_resize(x, vm, NULL, err)
                   ? 0
                   : -1;
    }
    dcp_explain_json_head(&w, "vm", inv->vms[vm.ix].name);
    dcp_json_karray(&w, "places");
    json_place(&w, inv, "before", plan->before->host[vm.ix]);
    for (uint32_t l = 0; l < plan->n_legs; l++) {
        json_place(&w, inv, plan->legs[l].name,
                   plan->legs[l].after->host[vm.ix]);
    }
    dcp_json_end(&w, ']');
    dcp_json_karray(&w, "steps");
    for (uint32_t i = 0; i < plan->n_steps; i++) {
        if (is_of_vm(&plan->steps[i], vm)) {
            json_step(&w, inv, plan, &plan->steps[i]);
        }
    }
    dcp_json_end(&w, ']');
    json_survive(&w, inv, plan, vm);
    json_left_out(&w, inv, plan, vm);
    if (!dcp_explain_json_worth(x, &w, &c, err) ||
        !dcp_explain_resize(x, vm, &w, err)) {
        dcp_json_finish(&w);
        return -1;
    }
    return dcp_explain_json_end(x, &w, err);
}
