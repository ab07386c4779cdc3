/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/explain.h"
#include "cli/ui.h"
#include "model/base/units.h"
#include "model/duty.h"

#include <stdio.h>
#include <stdlib.h>

#define NAMES_SHOWN 12u

/* One host at one leg's end. */
struct facts {
    const struct dcp_placement *after;
    uint32_t n_vms;
    bool is_on;
    const struct dcp_step *power;   /* That switches it; NULL: none. */
    const struct dcp_survive *lost; /* Its own loss; NULL: none listed. */
    uint32_t n_restart, n_losses;   /* VMs of others that restart here. */
    struct use {
        const char *name, *unit;
        double used, usable;
        int64_t at_ms; /* Of the worst slot; 0: the same always. */
    } use[DCP_SCALARS_MAX + 2];
    uint32_t n_use, binding; /* Highest share of usable. */
};

/* --- Gathering ---------------------------------------------------------- */

static void
add_use(struct facts *f, const char *name, const char *unit, double used,
        double usable, int64_t at_ms)
{
    struct use *u = &f->use[f->n_use];
    double share = usable > 0 ? used / usable : 0;
    const struct use *b = &f->use[f->binding];

    *u = (struct use){ name, unit, used, usable, at_ms };
    if (f->n_use && share > (b->usable > 0 ? b->used / b->usable : 0)) {
        f->binding = f->n_use;
    }
    f->n_use++;
}

static uint32_t
worst_slot(const uint32_t *row, uint32_t n)
{
    uint32_t best = 0;

    for (uint32_t t = 1; t < n; t++) {
        best = row[t] > row[best] ? t : best;
    }
    return best;
}

static void
gather_use(const struct dcp_explain *x, uint32_t h, struct facts *f)
{
    const struct dcp_state *s = x->state;
    const struct dcp_problem *p = x->problem;
    const struct dcp_slot *slots = x->demand->slots + x->question.first_slot;
    const uint32_t *cpu = s->cpu_mhz + (size_t)h * p->stride;
    uint32_t t = worst_slot(cpu, p->n_slots);

    for (uint32_t r = 0; r < p->n_scalars; r++) {
        size_t at = (size_t)r * p->n_hosts + h;

        add_use(f, dcp_scalar_name(p->q->inventory, p->scalar_id[r]),
                dcp_scalar_unit(p->scalar_id[r]), s->used[at], p->cap[at], 0);
    }
    if (p->n_slots) {
        add_use(f, "cpu", "MHz", cpu[t], p->cap_cpu_mhz[h], slots[t].start_ms);
    }
    if (s->net_kib_s && p->n_slots) {
        const uint32_t *net = s->net_kib_s + (size_t)h * p->stride;

        t = worst_slot(net, p->n_slots);
        add_use(f, "network", "KiB/s", net[t], p->cap_net_kib_s[h],
                slots[t].start_ms);
    }
}

static void
gather_survive(const struct dcp_plan *plan, uint32_t leg, uint32_t h,
               struct facts *f)
{
    for (uint32_t i = 0; i < plan->n_survive; i++) {
        const struct dcp_survive *e = &plan->survive[i];
        uint32_t n = 0;

        if (e->leg != leg) {
            continue;
        }
        if (e->lose.kind == DCP_OBJECT_HOST && e->lose.ix == h && !e->n_also) {
            f->lost = e;
        }
        for (uint32_t k = 0; k < e->n; k++) {
            n += e->to[k].ix == h;
        }
        f->n_restart += n;
        f->n_losses += n > 0;
    }
}

static bool
gather(struct dcp_explain *x, uint32_t leg, uint32_t h, struct facts *f,
       struct dcp_error *err)
{
    const struct dcp_plan *plan = x->open.plan;
    const struct dcp_placement *after = plan->legs[leg].after;

    *f = (struct facts){ .after = after, .is_on = after->on[h] };
    for (uint32_t v = 0; v < after->n_vms; v++) {
        f->n_vms += after->host[v].ix == h;
    }
    for (uint32_t i = 0; i < plan->n_steps; i++) {
        const struct dcp_step *s = &plan->steps[i];

        if (s->leg == leg && s->object.kind == DCP_OBJECT_HOST &&
            s->object.ix == h &&
            (s->kind == DCP_STEP_HOST_ON || s->kind == DCP_STEP_HOST_OFF)) {
            f->power = s;
        }
    }
    gather_survive(plan, leg, h, f);
    if (!dcp_explain_state(x, leg, err)) {
        return false;
    }
    gather_use(x, h, f);
    return true;
}

/* Why it is as it is after the leg. */
static void
write_why(const struct dcp_explain *x, uint32_t h, const struct facts *f,
          char *out, size_t size)
{
    const struct dcp_inventory *inv = dcp_explain_inventory(x);
    char duty[120];

    (void)dcp_host_duty(inv, (dcp_host_id){ h },
                        x->open.plan->legs[0].start_ms, duty, sizeof duty);
    if (f->power) {
        (void)snprintf(out, size, "%s", f->power->reason_text);
    } else if (inv->hosts[h].state == DCP_HOST_MAINTENANCE) {
        (void)snprintf(out, size, "in maintenance");
    } else if (!f->is_on) {
        (void)snprintf(out, size, "off before, and not needed");
    } else if (f->n_vms) {
        dcp_vm_id bound =
            dcp_duty_bound_vm(inv, f->after, (dcp_host_id){ h });

        (void)snprintf(out, size, "%u VMs run on it%s%s%s%s%s", f->n_vms,
                       dcp_vm_is_none(bound) ? "" : ", and '",
                       dcp_vm_is_none(bound) ? "" : inv->vms[bound.ix].name,
                       dcp_vm_is_none(bound) ? "" : "' cannot leave it",
                       *duty ? "; it stays on in any case: " : "", duty);
    } else if (f->n_restart) {
        (void)snprintf(out, size,
                       "a spare: %u VMs would restart on it, over %u losses",
                       f->n_restart, f->n_losses);
    } else if (*duty) {
        (void)snprintf(out, size, "empty, but it must stay on: %s", duty);
    } else {
        (void)snprintf(out, size,
                       "empty; kept on by policy.keep_on, or as switching it "
                       "off was not part of the job");
    }
}

/* --- Text --------------------------------------------------------------- */

static void
print_moves(const struct dcp_explain *x, uint32_t leg, uint32_t h, bool comes)
{
    const struct dcp_inventory *inv = dcp_explain_inventory(x);
    const struct dcp_plan *plan = x->open.plan;
    uint32_t n = 0;

    for (uint32_t i = 0; i < plan->n_steps; i++) {
        const struct dcp_step *s = &plan->steps[i];
        const struct dcp_object *here = comes ? &s->to : &s->from;
        const struct dcp_object *there = comes ? &s->from : &s->to;

        if (s->leg != leg || s->object.kind != DCP_OBJECT_VM ||
            here->kind != DCP_OBJECT_HOST || here->ix != h) {
            continue;
        }
        if (++n <= NAMES_SHOWN) {
            printf("%s%s (step %u%s%s)",
                   n == 1 ? (comes ? "    comes    " : "    goes     ") : ", ",
                   dcp_object_name(inv, s->object), s->id,
                   there->kind != DCP_OBJECT_HOST ? ""
                   : comes                        ? ", from "
                                                  : ", to ",
                   there->kind != DCP_OBJECT_HOST
                       ? ""
                       : dcp_object_name(inv, *there));
        }
    }
    if (n > NAMES_SHOWN) {
        printf(" and %u more", n - NAMES_SHOWN);
    }
    if (n) {
        putchar('\n');
    }
}

static void
print_use(const struct dcp_explain *x, const struct facts *f)
{
    const struct use *u = &f->use[f->binding];

    if (!f->n_use || !f->n_vms) {
        return;
    }
    printf("    binds    %s: %.0f of %.0f %s usable (%.0f %%)", u->name,
           u->used, u->usable, u->unit,
           u->usable > 0 ? 100 * u->used / u->usable : 0);
    if (u->at_ms) {
        struct dcp_local at =
            dcp_zone_local(dcp_explain_inventory(x)->zone, u->at_ms);

        printf(" at %02d:%02d", (int)(at.ms_of_day / 3600000),
               (int)(at.ms_of_day / 60000 % 60));
    }
    putchar('\n');
}

static void
print_loss(const struct dcp_explain *x, const struct facts *f)
{
    const struct dcp_inventory *inv = dcp_explain_inventory(x);
    const struct dcp_survive *e = f->lost;

    if (f->n_restart && f->n_vms) {
        printf("    takes    %u VMs of other hosts after a loss, over %u "
               "losses\n",
               f->n_restart, f->n_losses);
    }
    if (!e) {
        return;
    }
    printf("    if lost  ");
    for (uint32_t i = 0; i < e->n && i < NAMES_SHOWN; i++) {
        printf("%s%s -> %s", i ? ", " : "", inv->vms[e->vms[i]].name,
               inv->hosts[e->to[i].ix].name);
    }
    if (e->n > NAMES_SHOWN) {
        printf(" and %u more", e->n - NAMES_SHOWN);
    }
    if (e->n_not_protected) {
        printf("%s%u VMs are not protected", e->n ? "; " : "",
               e->n_not_protected);
    }
    printf("%s\n", e->n || e->n_not_protected ? "" : "nothing is");
}

/* --- JSON --------------------------------------------------------------- */

static void
json_moves(struct dcp_json *w, const struct dcp_explain *x, uint32_t leg,
           uint32_t h, bool comes)
{
    const struct dcp_inventory *inv = dcp_explain_inventory(x);
    const struct dcp_plan *plan = x->open.plan;

    dcp_json_karray(w, comes ? "comes" : "goes");
    for (uint32_t i = 0; i < plan->n_steps; i++) {
        const struct dcp_step *s = &plan->steps[i];
        const struct dcp_object *here = comes ? &s->to : &s->from;
        const struct dcp_object *there = comes ? &s->from : &s->to;

        if (s->leg != leg || s->object.kind != DCP_OBJECT_VM ||
            here->kind != DCP_OBJECT_HOST || here->ix != h) {
            continue;
        }
        dcp_json_begin_line(w, '{');
        dcp_json_kstring(w, "vm", dcp_object_name(inv, s->object));
        dcp_json_kstring(w, comes ? "from" : "to",
                         there->kind == DCP_OBJECT_HOST
                             ? dcp_object_name(inv, *there)
                             : NULL);
        dcp_json_ku64(w, "step", s->id);
        dcp_json_end(w, '}');
    }
    dcp_json_end(w, ']');
}

static void
json_use(struct dcp_json *w, const struct facts *f)
{
    dcp_json_karray(w, "use");
    for (uint32_t i = 0; i < f->n_use; i++) {
        const struct use *u = &f->use[i];

        dcp_json_begin_line(w, '{');
        dcp_json_kstring(w, "resource", u->name);
        dcp_json_kstring(w, "unit", u->unit);
        dcp_json_kdouble(w, "used", u->used);
        dcp_json_kdouble(w, "usable", u->usable);
        if (u->at_ms) {
            dcp_json_kinstant(w, "at", u->at_ms);
        } else {
            dcp_json_knull(w, "at");
        }
        dcp_json_end(w, '}');
    }
    dcp_json_end(w, ']');
    dcp_json_kstring(w, "binding",
                     f->n_use && f->n_vms ? f->use[f->binding].name : NULL);
}

static void
json_loss(struct dcp_json *w, const struct dcp_inventory *inv,
          const struct facts *f)
{
    const struct dcp_survive *e = f->lost;

    dcp_json_ku64(w, "restart_here", f->n_restart);
    if (!e) {
        dcp_json_knull(w, "survive");
        return;
    }
    dcp_json_kobject(w, "survive");
    dcp_json_kobject(w, "restart");
    for (uint32_t i = 0; i < e->n; i++) {
        dcp_json_kstring(w, inv->vms[e->vms[i]].name,
                         inv->hosts[e->to[i].ix].name);
    }
    dcp_json_end(w, '}');
    dcp_json_karray(w, "not_protected");
    for (uint32_t i = 0; i < e->n_not_protected; i++) {
        dcp_json_string(w, inv->vms[e->not_protected[i]].name);
    }
    dcp_json_end(w, ']');
    dcp_json_end(w, '}');
}

static bool
json_leg(struct dcp_json *w, struct dcp_explain *x, uint32_t leg, uint32_t h,
         const struct facts *f, struct dcp_error *err)
{
    const struct dcp_inventory *inv = dcp_explain_inventory(x);
    char why[240];

    write_why(x, h, f, why, sizeof why);
    dcp_json_begin(w, '{');
    dcp_json_kstring(w, "leg", x->open.plan->legs[leg].name);
    dcp_json_kbool(w, "is_on", f->is_on);
    dcp_json_kstring(w, "why", why);
    dcp_json_key(w, "switched_by");
    if (f->power) {
        dcp_explain_json_step(inv, w, f->power);
    } else {
        dcp_json_null(w);
    }
    dcp_json_ku64(w, "vms", f->n_vms);
    json_moves(w, x, leg, h, true);
    json_moves(w, x, leg, h, false);
    json_use(w, f);
    dcp_explain_json_licences(x, w, leg, h);
    json_loss(w, inv, f);
    if (!dcp_explain_json_empty(x, w, leg, h, err)) {
        return false;
    }
    dcp_json_end(w, '}');
    return true;
}

static bool
print_leg(struct dcp_explain *x, uint32_t leg, uint32_t h,
          const struct facts *f, struct dcp_error *err)
{
    char why[240];

    write_why(x, h, f, why, sizeof why);
    printf("  %-10s %s%s: %s\n", x->open.plan->legs[leg].name,
           f->is_on ? "on" : "off", f->power ? " (is switched)" : "", why);
    print_moves(x, leg, h, false);
    print_moves(x, leg, h, true);
    print_use(x, f);
    dcp_explain_print_licences(x, leg, h);
    print_loss(x, f);
    return dcp_explain_print_empty(x, leg, h, err);
}

/* Why it stays on although the plan would have had it off. */
static void
print_left_out(const struct dcp_plan *plan, dcp_host_id host)
{
    for (uint32_t i = 0; i < plan->n_left_out; i++) {
        const struct dcp_left_out *l = &plan->left_out[i];

        if (dcp_host_eq(l->host, host)) {
            printf("  stays on: %s; off, with %u VMs elsewhere, it would save "
                   "%.4g %s\n",
                   dcp_left_out_text(l->why), l->n_vms, l->saving,
                   plan->left_out_unit);
        }
    }
}

static void
json_left_out(struct dcp_json *w, const struct dcp_plan *plan,
              dcp_host_id host)
{
    for (uint32_t i = 0; i < plan->n_left_out; i++) {
        const struct dcp_left_out *l = &plan->left_out[i];

        if (dcp_host_eq(l->host, host)) {
            dcp_json_kobject(w, "left_out");
            dcp_json_kstring(w, "why", dcp_left_out_name(l->why));
            dcp_json_kdouble(w, "saving", l->saving);
            dcp_json_kstring(w, "unit", plan->left_out_unit);
            dcp_json_ku64(w, "vms", l->n_vms);
            dcp_json_end(w, '}');
            return;
        }
    }
    dcp_json_knull(w, "left_out");
}

int
dcp_explain_host(struct dcp_explain *x, dcp_host_id host, struct dcp_error *err)
{
    const struct dcp_inventory *inv = dcp_explain_inventory(x);
    const struct dcp_plan *plan = x->open.plan;
    const struct dcp_host *h = &inv->hosts[host.ix];
    struct dcp_worth_change c = { .kind = DCP_WORTH_HOST_STAYS_ON,
                                  .ix = host.ix };
    struct dcp_json w = { 0 };
    struct facts f;

    if (x->g->json) {
        dcp_explain_json_head(&w, "host", h->name);
        dcp_json_karray(&w, "legs");
    } else {
        printf("%s: %s%s%s, %s before\n", h->name,
               inv->hardware[h->hardware.ix].name,
               dcp_rack_is_none(h->rack) ? "" : ", rack ",
               dcp_rack_is_none(h->rack) ? "" : inv->racks[h->rack.ix].name,
               plan->before->on[host.ix] ? "on" : "off");
    }
    for (uint32_t l = 0; l < plan->n_legs; l++) {
        if (!gather(x, l, host.ix, &f, err) ||
            !(x->g->json ? json_leg(&w, x, l, host.ix, &f, err)
                         : print_leg(x, l, host.ix, &f, err))) {
            dcp_json_finish(&w);
            return -1;
        }
    }
    if (!x->g->json) {
        print_left_out(plan, host);
        return dcp_explain_print_worth(x, &c, err) ? 0 : -1;
    }
    dcp_json_end(&w, ']');
    json_left_out(&w, plan, host);
    if (!dcp_explain_json_worth(x, &w, &c, err)) {
        dcp_json_finish(&w);
        return -1;
    }
    return dcp_explain_json_end(x, &w, err);
}
