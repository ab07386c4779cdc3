/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A first placement.  VMs that run stay: in a copy of the VM table they are
 * not movable, which pins them for the search as it would any such VM. */

#include "cli/place.h"
#include "cli/ui.h"
#include "model/check/check.h"
#include "solver/solver.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct first {
    struct dcp_place_world *world;
    const struct dcp_placement *start; /* Borrowed. */
    struct dcp_placement *end;         /* Owned; NULL: no answer. */
    uint32_t n_to_place, hosts_lower_bound;
    uint32_t n_used; /* Hosts that are needed: with VMs, or as spares. */
    uint32_t n_with_vms;
    uint32_t violations_before, violations_after;
    enum dcp_status status;
    struct dcp_because because;
    const char *bound_method;
    bool written;
};

/* --- Solving ------------------------------------------------------------ */

static void
pin_running(const struct dcp_inventory *inv, const struct dcp_placement *now,
            struct dcp_vm *vms)
{
    for (uint32_t v = 0; v < inv->n_vms; v++) {
        vms[v] = inv->vms[v];
        if (!dcp_host_is_none(now->host[v])) {
            vms[v].movable = false;
        }
    }
}

static void
refused(struct first *f, const struct dcp_refusal *why, const char *object)
{
    struct dcp_because *b = &f->because;

    f->status = DCP_STATUS_TIMEOUT;
    (void)snprintf(b->rule, sizeof b->rule, "%s", why->rule);
    (void)snprintf(b->object, sizeof b->object, "vm:%.80s", object);
    (void)snprintf(b->text, sizeof b->text, "%.199s", why->text);
    b->need = why->need;
    b->have = why->have;
}

/* Reads a state's hosts into 'end'. */
static bool
take_hosts(struct first *f, const struct dcp_state *s, struct dcp_error *err)
{
    const struct dcp_problem *p = s->p;

    f->end = dcp_placement_copy(f->start, err);
    for (uint32_t i = 0; f->end && i < p->n_items; i++) {
        for (uint32_t k = p->vm_first[i]; k < p->vm_first[i + 1]; k++) {
            f->end->host[p->vm[k]].ix = s->host[i];
        }
    }
    f->status = DCP_STATUS_FEASIBLE;
    return f->end != NULL;
}

/* Spread out; without an answer '*out_done' stays false: the search, which can
 * shuffle what is new, may still find one. */
static bool
spread(struct first *f, const struct dcp_question *q, bool *out_done,
       struct dcp_error *err)
{
    DCP_AUTO(dcp_problem) struct dcp_problem *p = dcp_problem_create(q, err);
    DCP_AUTO(dcp_state)
    struct dcp_state *s = p ? dcp_state_create(p, err) : NULL;
    struct dcp_headroom headroom = { .ok = true };
    struct dcp_refusal why;
    uint32_t item;

    if (!s || !dcp_place_spread(s, &item, err)) {
        return false;
    }
    if (item != DCP_IX_NONE) {
        return true;
    }
    if (q->headroom && !dcp_headroom_check(s, NULL, NULL, &headroom, err)) {
        return false;
    }
    if (!headroom.ok) {
        const struct dcp_vm *vm =
            &q->inventory->vms[p->vm[p->vm_first[headroom.failed_item]]];

        dcp_refusal_of_headroom(p, &headroom, &why);
        refused(f, &why, vm->name);
        return true;
    }
    *out_done = true;
    return take_hosts(f, s, err);
}

static bool
pack(struct first *f, const struct dcp_question *q, struct dcp_error *err)
{
    const struct dcp_globals *g = f->world->g;
    struct dcp_solve_options o = { .seed = g->seed,
                                   .iterations = g->iterations,
                                   .time_limit_s = g->time_limit_s };
    struct dcp_solution s;

    if (!dcp_solve(q, &o, &s, err)) {
        return false;
    }
    f->status = s.status;
    f->because = s.because;
    f->bound_method = s.bound_method;
    f->hosts_lower_bound = s.hosts_lower_bound;
    bool ok = true;

    if (s.placement) {
        f->n_used = dcp_placement_n_on(s.placement);
        f->end = dcp_placement_copy(f->start, err);
        ok = f->end != NULL;
        if (ok) { /* Power stays as it is: empty hosts are not switched off. */
            memcpy(f->end->host, s.placement->host,
                   f->end->n_vms * sizeof *f->end->host);
        }
    }
    dcp_solution_finish(&s);
    return ok;
}

static bool
has_soft_rules(const struct dcp_inventory *inv)
{
    for (uint32_t r = 0; r < inv->n_rules; r++) {
        if (inv->rules[r].soft) {
            return true;
        }
    }
    return false;
}

static bool
solve(struct first *f, struct dcp_error *err)
{
    struct dcp_inventory inv = *f->world->context.model.inventory;
    DCP_FREE struct dcp_vm *vms = calloc(inv.n_vms + 1u, sizeof *vms);
    bool spreads = f->world->args->spread, done = false;

    if (!vms) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for %u VMs", inv.n_vms);
    }
    pin_running(&inv, f->start, vms);
    inv.vms = vms;
    struct dcp_question q =
        dcp_place_question(&inv, f->world->demand, f->start, false);

    q.gentle = spreads;
    q.may_empty = !spreads;
    if (spreads && !spread(f, &q, &done, err)) {
        return false;
    }
    q.ignore_soft = false; /* Kept as if hard where that has an answer. */
    if (!done && !pack(f, &q, err)) {
        return false;
    }
    q.price_soft = true;
    if (!done && !f->end && has_soft_rules(&inv) && !pack(f, &q, err)) {
        return false;
    }
    if (spreads && f->status == DCP_STATUS_OPTIMAL) {
        f->status = DCP_STATUS_FEASIBLE; /* The fewest hosts are no goal. */
    }
    return true;
}

/* --- Judging ------------------------------------------------------------ */

static bool
count_violations(const struct first *f, const struct dcp_placement *p,
                 uint32_t *out, struct dcp_error *err)
{
    const struct dcp_demand *d = f->world->demand;
    struct dcp_check_result r;

    if (!dcp_check_placement(f->world->context.model.inventory, d, p, 0,
                             d->n_slots, &r, err)) {
        return false;
    }
    *out = r.n_violations_all;
    dcp_check_result_finish(&r);
    return true;
}

static bool
judge(struct first *f, struct dcp_error *err)
{
    const struct dcp_placement *end = f->end ? f->end : f->start;
    DCP_FREE uint8_t *used = calloc(end->n_hosts + 1u, 1);

    if (!used) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for %u hosts",
                        end->n_hosts);
    }
    for (uint32_t v = 0; v < end->n_vms; v++) {
        if (!dcp_host_is_none(end->host[v])) {
            f->n_with_vms += !used[end->host[v].ix];
            used[end->host[v].ix] = 1;
        }
    }
    f->n_used = f->n_used > f->n_with_vms ? f->n_used : f->n_with_vms;
    return count_violations(f, f->start, &f->violations_before, err) &&
           count_violations(f, end, &f->violations_after, err);
}

/* VMs that wait for a place are violations, so these can only get fewer; one
 * more would be ours, and must not be written. */
static bool
write_state(struct first *f, struct dcp_error *err)
{
    const struct dcp_globals *g = f->world->g;

    if (f->violations_after > f->violations_before) {
        return dcp_fail(err, DCP_E_BUG,
                        "the checker finds %u violations after placing, %u "
                        "before",
                        f->violations_after, f->violations_before);
    }
    int lock = dcp_model_lock(g->dir, err);

    if (lock < 0) {
        return false;
    }
    f->written =
        dcp_model_commit(g->dir, &f->world->context.model, f->end, err);
    dcp_model_unlock(lock);
    return f->written;
}

/* --- Output ------------------------------------------------------------- */

static int
exit_status(const struct first *f)
{
    switch (f->status) {
    case DCP_STATUS_OPTIMAL:
    case DCP_STATUS_FEASIBLE:
    case DCP_STATUS_NOTHING_TO_DO:
        return 0;
    case DCP_STATUS_INFEASIBLE:
        return 3;
    case DCP_STATUS_TIMEOUT:
        return 1;
    }
    return 1;
}

static int
print_json(const struct first *f, struct dcp_error *err)
{
    const struct dcp_model *m = &f->world->context.model;
    bool failed = exit_status(f) != 0;
    struct dcp_json w;

    dcp_json_init(&w, true);
    dcp_json_begin(&w, '{');
    dcp_json_kstring(&w, "schema", "dcplan/place/1");
    dcp_json_kstring(&w, "status", dcp_status_name(f->status));
    dcp_json_karray(&w, "because");
    if (failed) {
        dcp_json_begin_line(&w, '{');
        dcp_json_kstring(&w, "rule", f->because.rule);
        dcp_json_kstring(&w, "object", f->because.object);
        dcp_json_kdouble(&w, "need", f->because.need);
        dcp_json_kdouble(&w, "have", f->because.have);
        dcp_json_kstring(&w, "text", f->because.text);
        dcp_json_end(&w, '}');
    }
    dcp_json_end(&w, ']');
    dcp_json_ku64(&w, "hosts_total", m->inventory->n_hosts);
    dcp_json_ku64(&w, "vms_placed", failed ? 0 : f->n_to_place);
    if (failed) {
        dcp_json_knull(&w, "hosts_used");
    } else {
        dcp_json_ku64(&w, "hosts_used", f->n_used);
        dcp_json_ku64(&w, "hosts_with_vms", f->n_with_vms);
    }
    if (f->bound_method[0]) {
        dcp_json_ku64(&w, "hosts_lower_bound", f->hosts_lower_bound);
    } else {
        dcp_json_knull(&w, "hosts_lower_bound");
    }
    dcp_json_ku64(&w, "violations_before", f->violations_before);
    dcp_json_ku64(&w, "violations_after", f->violations_after);
    dcp_json_kbool(&w, "written", f->written);
    dcp_json_ku64(&w, "serial", m->serial);
    dcp_json_karray(&w, "placed");
    for (uint32_t v = 0; f->end && v < m->inventory->n_vms; v++) {
        if (dcp_host_is_none(f->start->host[v])) {
            dcp_json_begin_line(&w, '{');
            dcp_json_kstring(&w, "vm", m->inventory->vms[v].name);
            dcp_json_kstring(&w, "host",
                             m->inventory->hosts[f->end->host[v].ix].name);
            dcp_json_end(&w, '}');
        }
    }
    dcp_json_end(&w, ']');
    dcp_json_kobject(&w, "run");
    dcp_ui_run_members(f->world->g, &w);
    dcp_json_end(&w, '}');
    dcp_json_end(&w, '}');
    return dcp_ui_json(&w, exit_status(f), err);
}

static void
print_text(const struct first *f)
{
    const struct dcp_model *m = &f->world->context.model;

    switch (f->status) {
    case DCP_STATUS_NOTHING_TO_DO:
        printf("every VM has a host\n");
        return;
    case DCP_STATUS_INFEASIBLE:
    case DCP_STATUS_TIMEOUT:
        printf("%s: %s, %s: %s\n",
               f->status == DCP_STATUS_INFEASIBLE ? "infeasible, proved"
                                                  : "no placement was found",
               f->because.rule, f->because.object, f->because.text);
        return;
    case DCP_STATUS_OPTIMAL:
    case DCP_STATUS_FEASIBLE:
        break;
    }
    printf("%u VMs placed (%s): %u of %u hosts needed", f->n_to_place,
           dcp_status_name(f->status), f->n_used, m->inventory->n_hosts);
    if (f->n_with_vms < f->n_used) {
        printf(", %u of them as spares", f->n_used - f->n_with_vms);
    }
    if (f->bound_method[0]) {
        printf(", at least %u must be", f->hosts_lower_bound);
    }
    putchar('\n');
    if (f->violations_before || f->violations_after) {
        printf("violations: %u -> %u\n", f->violations_before,
               f->violations_after);
    }
    if (f->written) {
        printf("written as the model's state, serial %" PRIu64 "\n", m->serial);
    } else {
        printf("nothing was written\n");
    }
}

static bool
work(struct first *f, struct dcp_error *err)
{
    for (uint32_t v = 0; v < f->start->n_vms; v++) {
        f->n_to_place += dcp_host_is_none(f->start->host[v]);
    }
    if (f->n_to_place && !solve(f, err)) {
        return false;
    }
    return judge(f, err) &&
           (!f->end || f->world->args->dry_run || write_state(f, err));
}

int
dcp_place_run_all(struct dcp_place_world *world, struct dcp_error *err)
{
    struct first f = { .world = world,
                       .status = DCP_STATUS_NOTHING_TO_DO,
                       .bound_method = "" };
    int status = -1;

    /* A copy: a commit may replace the model's own. */
    DCP_AUTO(dcp_placement)
    struct dcp_placement *start =
        dcp_placement_copy(world->context.model.placement, err);

    f.start = start;
    if (start && work(&f, err)) {
        status = exit_status(&f);
        if (world->g->json) {
            status = print_json(&f, err);
        } else {
            print_text(&f);
        }
    }
    dcp_placement_destroy(f.end);
    return status;
}
