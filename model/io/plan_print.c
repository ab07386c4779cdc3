/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The text is printed once with an all-zero UUID and digest of the right
 * length; neither is in the digest, so both are then patched in place. */

#include "model/io/json_size.h"
#include "model/io/plan_file.h"
#include "model/io/plan_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char zero_uuid[] = "00000000-0000-8000-8000-000000000000";
static const char zero_digest[] =
    "sha256:0000000000000000000000000000000000000000000000000000000000000000";

struct printer {
    struct dcp_json w;
    const struct dcp_inventory *inv;
    const struct dcp_plan *plan;
    const struct dcp_plan_facts *facts;
    uint8_t *moved; /* By volume: a step moves it; NULL: none does. Owned. */
    size_t uuid_end, digest_end; /* Just after the closing quotes. */
};

static void
open_line(struct dcp_json *w, const char *key)
{
    dcp_json_key(w, key);
    dcp_json_begin_line(w, '{');
}

/* null where there is no digest. */
static void
digest_member(struct dcp_json *w, const char *key, const char *digest)
{
    dcp_json_kstring(w, key, digest[0] ? digest : NULL);
}

static void
print_head(struct printer *p)
{
    struct dcp_json *w = &p->w;
    const struct dcp_plan *plan = p->plan;

    dcp_json_kstring(w, "schema", DCP_PLAN_SCHEMA);
    dcp_json_kstring(w, "plan", zero_uuid);
    p->uuid_end = w->text.length;
    open_line(w, "model");
    dcp_json_kstring(w, "lineage", plan->lineage);
    dcp_json_ku64(w, "serial", plan->serial);
    digest_member(w, "digest", plan->model_digest);
    dcp_json_end(w, '}');
    if (plan->traces_digest[0]) {
        open_line(w, "traces");
        dcp_json_kstring(w, "digest", plan->traces_digest);
        dcp_json_kinstant(w, "from", plan->traces_from_ms);
        dcp_json_kinstant(w, "until", plan->traces_until_ms);
        dcp_json_ku64(w, "vms_without_trace", plan->vms_without_trace);
        dcp_json_end(w, '}');
    } else {
        dcp_json_knull(w, "traces");
    }
    open_line(w, "policy");
    digest_member(w, "digest", plan->policy_digest);
    dcp_json_end(w, '}');
    open_line(w, "tool");
    dcp_json_kstring(w, "version", plan->tool_version);
    dcp_json_ku64(w, "seed", plan->seed);
    dcp_json_key(w, "options");
    dcp_json_raw(w, plan->options_json);
    dcp_json_end(w, '}');
    open_line(w, "valid");
    dcp_json_kinstant(w, "not_before", plan->not_before_ms);
    dcp_json_kinstant(w, "not_after", plan->not_after_ms);
    dcp_json_end(w, '}');
}

static void
print_legs(struct printer *p)
{
    struct dcp_json *w = &p->w;

    dcp_json_karray(w, "legs");
    for (uint32_t i = 0; i < p->plan->n_legs; i++) {
        const struct dcp_leg *leg = &p->plan->legs[i];

        dcp_json_begin_line(w, '{');
        dcp_json_kstring(w, "leg", leg->name);
        dcp_json_kinstant(w, "start", leg->start_ms);
        dcp_json_kinstant(w, "deadline", leg->deadline_ms);
        dcp_json_kinstant(w, "buckets_until", leg->buckets_until_ms);
        dcp_json_end(w, '}');
    }
    dcp_json_end(w, ']');
    open_line(w, "limits");
    dcp_json_ku64(w, "out_per_host", p->plan->limits.out_per_host);
    dcp_json_ku64(w, "in_per_host", p->plan->limits.in_per_host);
    dcp_json_ku64(w, "units_per_10Gbit", p->plan->limits.units_per_10gbit);
    dcp_json_ku64(w, "host_off_at_once", p->plan->limits.host_off_at_once);
    if (p->plan->limits.moves_per_pool) {
        dcp_json_ku64(w, "moves_per_pool", p->plan->limits.moves_per_pool);
    }
    dcp_json_end(w, '}');
}

/* Where those volumes are that the plan moves; nothing where it moves none. */
static void
print_volumes(struct printer *p, const struct dcp_placement *placement)
{
    struct dcp_json *w = &p->w;

    if (!p->moved) {
        return;
    }
    dcp_json_kobject(w, "volumes");
    for (uint32_t i = 0; i < p->inv->n_volumes; i++) {
        if (p->moved[i]) {
            dcp_pool_id pool = dcp_placement_pool(placement, p->inv, i);
            struct dcp_object volume = { DCP_OBJECT_VOLUME, i };

            dcp_plan_key_object(w, p->inv, volume);
            dcp_json_string(w, dcp_pool_is_none(pool)
                                   ? ""
                                   : p->inv->pools[pool.ix].name);
        }
    }
    dcp_json_end(w, '}');
}

/* Which volumes the plan moves; NULL where none, or no memory. */
static bool
mark_moved(struct printer *p)
{
    for (uint32_t i = 0; i < p->plan->n_steps; i++) {
        const struct dcp_step *s = &p->plan->steps[i];

        if (s->kind != DCP_STEP_VOLUME_MOVE ||
            s->object.kind != DCP_OBJECT_VOLUME) {
            continue;
        }
        if (!p->moved) {
            p->moved = calloc(p->inv->n_volumes + 1u, 1);
        }
        if (!p->moved) {
            return false;
        }
        p->moved[s->object.ix] = 1;
    }
    return true;
}

static void
print_placement(struct printer *p, const char *key,
                const struct dcp_placement *placement)
{
    struct dcp_json *w = &p->w;

    open_line(w, key);
    dcp_json_kobject(w, "vms");
    for (uint32_t v = 0; v < placement->n_vms; v++) {
        if (!dcp_host_is_none(placement->host[v])) {
            dcp_json_kstring(w, p->inv->vms[v].name,
                             p->inv->hosts[placement->host[v].ix].name);
        }
    }
    dcp_json_end(w, '}');
    dcp_json_karray(w, "hosts_off");
    for (uint32_t h = 0; h < placement->n_hosts; h++) {
        if (!placement->on[h]) {
            dcp_json_string(w, p->inv->hosts[h].name);
        }
    }
    dcp_json_end(w, ']');
    if (placement->size) {
        dcp_json_kobject(w, "sizes");
        for (uint32_t v = 0; v < placement->n_vms; v++) {
            if (!dcp_vm_size_eq(placement->size[v], dcp_vm_size(p->inv, v))) {
                dcp_json_key(w, p->inv->vms[v].name);
                dcp_json_size(w, placement->size[v]);
            }
        }
        dcp_json_end(w, '}');
    }
    print_volumes(p, placement);
    dcp_json_end(w, '}');
}

static void
print_loss(struct printer *p, const struct dcp_survive *s)
{
    struct dcp_json *w = &p->w;

    dcp_json_begin_line(w, '{');
    if (s->n_also) {
        dcp_json_karray(w, "lose");
    } else {
        dcp_json_key(w, "lose");
    }
    dcp_plan_write_object(w, p->inv, s->lose);
    for (uint32_t i = 0; i < s->n_also; i++) {
        dcp_plan_write_object(w, p->inv, s->also[i]);
    }
    if (s->n_also) {
        dcp_json_end(w, ']');
    }
    dcp_json_kobject(w, "restart");
    for (uint32_t i = 0; i < s->n; i++) {
        dcp_json_kstring(w, p->inv->vms[s->vms[i]].name,
                         p->inv->hosts[s->to[i].ix].name);
    }
    dcp_json_end(w, '}');
    if (s->n_not_protected) {
        dcp_json_karray(w, "not_protected");
        for (uint32_t i = 0; i < s->n_not_protected; i++) {
            dcp_json_string(w, p->inv->vms[s->not_protected[i]].name);
        }
        dcp_json_end(w, ']');
    }
    if (s->n_stand_ins) {
        dcp_json_karray(w, "stand_ins");
        for (uint32_t i = 0; i < s->n_stand_ins; i++) {
            dcp_json_string(w, p->inv->hosts[s->stand_ins[i].ix].name);
        }
        dcp_json_end(w, ']');
    }
    dcp_json_end(w, '}');
}

/* Lists of what is lost, by leg. */
static void
print_losses(struct printer *p, const char *key, const struct dcp_survive all[],
             uint32_t n)
{
    struct dcp_json *w = &p->w;

    dcp_json_kobject(w, key);
    for (uint32_t i = 0; i < p->plan->n_legs; i++) {
        dcp_json_karray(w, p->plan->legs[i].name);
        for (uint32_t k = 0; k < n; k++) {
            if (all[k].leg == i) {
                print_loss(p, &all[k]);
            }
        }
        dcp_json_end(w, ']');
    }
    dcp_json_end(w, '}');
}

static void
print_states(struct printer *p)
{
    struct dcp_json *w = &p->w;
    const struct dcp_plan *plan = p->plan;

    print_placement(p, "before", plan->before);
    dcp_json_kobject(w, "after");
    for (uint32_t i = 0; i < plan->n_legs; i++) {
        print_placement(p, plan->legs[i].name, plan->legs[i].after);
    }
    dcp_json_end(w, '}');
    print_losses(p, "survive", plan->survive, plan->n_survive);
    dcp_plan_write_berths(w, p->inv, plan);
    if (plan->n_no_boot) {
        print_losses(p, "no_boot", plan->no_boot, plan->n_no_boot);
    }
    dcp_plan_write_left_out(w, p->inv, plan);
}

static void
print_reason(struct printer *p, const struct dcp_step *s)
{
    struct dcp_json *w = &p->w;

    dcp_json_kobject(w, "reason");
    dcp_json_kstring(w, "code", dcp_reason_name(s->reason));
    dcp_json_kstring(w, "text", s->reason_text ? s->reason_text : "");
    if (s->frees.kind != DCP_OBJECT_NONE) {
        dcp_json_key(w, "frees");
        dcp_plan_write_object(w, p->inv, s->frees);
    }
    dcp_json_end(w, '}');
}

static void
print_migration(struct printer *p, const struct dcp_step *s)
{
    struct dcp_json *w = &p->w;

    if (s->kind != DCP_STEP_MIGRATE) {
        return;
    }
    if (s->cold) {
        dcp_json_kbool(w, "cold", true);
    }
    if (s->converts) {
        dcp_json_kobject(w, "convert");
        dcp_json_kstring(w, "from",
                         p->inv->hypervisors[s->convert_from.ix].name);
        dcp_json_kstring(w, "to", p->inv->hypervisors[s->convert_to.ix].name);
        dcp_json_ki64(w, "downtime_ms", s->downtime_ms);
        dcp_json_end(w, '}');
    }
    if (!s->mem_mib) {
        return;
    }
    dcp_json_kobject(w, "precopy");
    dcp_json_ku64(w, "mem_mib", s->mem_mib);
    dcp_json_ku64(w, "dirty_mib_s", s->dirty_mib_s);
    dcp_json_ku64(w, "bandwidth_mib_s", s->bandwidth_mib_s);
    dcp_json_ku64(w, "rounds", s->rounds);
    dcp_json_ki64(w, "downtime_ms", s->downtime_ms);
    dcp_json_end(w, '}');
}

static void
print_resize(struct printer *p, const struct dcp_step *s)
{
    struct dcp_json *w = &p->w;

    if (s->kind != DCP_STEP_VM_RESIZE) {
        return;
    }
    if (s->cold) {
        dcp_json_kbool(w, "cold", true);
    }
    dcp_json_kobject(w, "size");
    dcp_json_key(w, "from");
    dcp_json_size(w, s->size_from);
    dcp_json_key(w, "to");
    dcp_json_size(w, s->size_to);
    dcp_json_end(w, '}');
}

static void
print_when(struct printer *p, const struct dcp_step *s)
{
    struct dcp_json *w = &p->w;

    if (!s->not_before_ms && !s->start_by_ms) {
        return;
    }
    dcp_json_kobject(w, "when");
    if (s->not_before_ms) {
        dcp_json_kinstant(w, "not_before", s->not_before_ms);
    }
    if (s->start_by_ms) {
        dcp_json_kinstant(w, "start_by", s->start_by_ms);
    }
    dcp_json_kstring(w, "because", s->when_text ? s->when_text : "");
    dcp_json_end(w, '}');
}

static void
print_step(struct printer *p, const struct dcp_step *s)
{
    struct dcp_json *w = &p->w;

    dcp_json_begin_line(w, '{');
    dcp_json_ku64(w, "id", s->id);
    dcp_json_kstring(w, "leg", p->plan->legs[s->leg].name);
    dcp_json_kstring(w, "kind", dcp_step_kind_name(s->kind));
    dcp_json_key(w, "object");
    dcp_plan_write_object(w, p->inv, s->object);
    dcp_json_key(w, "from");
    dcp_plan_write_object(w, p->inv, s->from);
    dcp_json_key(w, "to");
    dcp_plan_write_object(w, p->inv, s->to);
    dcp_json_karray(w, "after");
    for (uint32_t i = 0; i < s->n_after; i++) {
        dcp_json_u64(w, s->after[i]);
    }
    dcp_json_end(w, ']');
    dcp_json_ki64(w, "estimate_ms", s->estimate_ms);
    print_when(p, s);
    print_reason(p, s);
    dcp_json_key(w, "preconditions");
    dcp_plan_write_facts(w, p->inv, p->facts, s->id);
    dcp_json_key(w, "undo");
    dcp_plan_write_undo(w, p->inv, s);
    print_migration(p, s);
    print_resize(p, s);
    dcp_json_end(w, '}');
}

static void
print_result(struct printer *p)
{
    struct dcp_json *w = &p->w;
    const struct dcp_plan *plan = p->plan;

    open_line(w, "result");
    dcp_json_kstring(w, "status", plan->status);
    dcp_json_kstring(w, "goal", plan->goal);
    dcp_json_ku64(w, "hosts_on_before", plan->hosts_on_before);
    dcp_json_ku64(w, "hosts_on_after", plan->hosts_on_after);
    dcp_json_ku64(w, "hosts_lower_bound", plan->hosts_lower_bound);
    dcp_json_kdouble(w, "gap_frac", plan->gap_frac);
    dcp_json_kstring(w, "bound_method", plan->bound_method);
    dcp_json_end(w, '}');
}

static void
print_expectation(struct dcp_json *w, const struct dcp_plan_expectation *e)
{
    if (isnan(e->energy_kwh_before)) {
        return;
    }
    dcp_json_kobject(w, "expected");
    dcp_json_kdouble(w, "energy_kwh_before", e->energy_kwh_before);
    dcp_json_kdouble(w, "energy_kwh_after", e->energy_kwh_after);
    dcp_json_kdouble(w, "energy_cost_before", e->energy_cost_before);
    dcp_json_kdouble(w, "energy_cost_after", e->energy_cost_after);
    dcp_json_kdouble(w, "packing_kwh", e->packing_kwh);
    dcp_json_kdouble(w, "packing_cost", e->packing_cost);
    dcp_json_end(w, '}');
}

static void
print_prediction(struct printer *p)
{
    struct dcp_json *w = &p->w;
    const struct dcp_plan_prediction *d = &p->plan->predicted;

    open_line(w, "predicted");
    dcp_json_kobject(w, "makespan_ms");
    for (uint32_t i = 0; i < p->plan->n_legs; i++) {
        dcp_json_ki64(w, p->plan->legs[i].name, p->plan->legs[i].makespan_ms);
    }
    dcp_json_end(w, '}');
    dcp_json_kobject(w, "makespan_lower_bound_ms");
    for (uint32_t i = 0; i < p->plan->n_legs; i++) {
        dcp_json_ki64(w, p->plan->legs[i].name,
                      p->plan->legs[i].makespan_bound_ms);
    }
    dcp_json_end(w, '}');
    dcp_json_kdouble(w, "energy_kwh_before", d->energy_kwh_before);
    dcp_json_kdouble(w, "energy_kwh_after", d->energy_kwh_after);
    dcp_json_kdouble(w, "energy_cost_before", d->energy_cost_before);
    dcp_json_kdouble(w, "energy_cost_after", d->energy_cost_after);
    dcp_json_kdouble(w, "overload_host_seconds", d->overload_host_seconds);
    dcp_json_kdouble(w, "licence_cost_before", d->licence_cost_before);
    dcp_json_kdouble(w, "licence_cost_after", d->licence_cost_after);
    dcp_json_kdouble(w, "cost_before", d->cost_before);
    dcp_json_kdouble(w, "cost_after", d->cost_after);
    dcp_json_kstring(w, "currency", p->plan->currency);
    print_expectation(w, &p->plan->expected);
    dcp_json_end(w, '}');
}

static void
print_run(struct printer *p)
{
    struct dcp_json *w = &p->w;

    open_line(w, "run");
    dcp_json_kinstant(w, "created", p->plan->created_ms);
    dcp_json_kstring(w, "host", p->plan->planner_host);
    dcp_json_kdouble(w, "solve_seconds", p->plan->solve_seconds);
    dcp_json_kdouble(w, "plan_seconds", p->plan->plan_seconds);
    dcp_json_end(w, '}');
    dcp_json_kstring(w, "digest", zero_digest);
    p->digest_end = w->text.length;
}

static void
print_all(struct printer *p)
{
    dcp_json_begin(&p->w, '{');
    print_head(p);
    print_legs(p);
    print_states(p);
    dcp_json_karray(&p->w, "steps");
    for (uint32_t i = 0; i < p->plan->n_steps; i++) {
        print_step(p, &p->plan->steps[i]);
    }
    dcp_json_end(&p->w, ']');
    print_result(p);
    print_prediction(p);
    print_run(p);
    dcp_json_end(&p->w, '}');
}

static void
patch(char *text, size_t quote_end, const char *value)
{
    size_t length = strlen(value);

    memcpy(text + quote_end - 1 - length, value, length);
}

bool
dcp_plan_print(const struct dcp_inventory *inv, struct dcp_plan *plan,
               struct dcp_text *out, struct dcp_error *err)
{
    struct printer p = { .inv = inv, .plan = plan };

    for (uint32_t i = 0; i < plan->n_steps; i++) {
        if (plan->steps[i].id != i + 1 || plan->steps[i].leg >= plan->n_legs) {
            return dcp_fail(err, DCP_E_ARGUMENT,
                            "step at place %u has id %u in leg %u of %u", i + 1,
                            plan->steps[i].id, plan->steps[i].leg,
                            plan->n_legs);
        }
    }
    DCP_AUTO(dcp_plan_facts)
    struct dcp_plan_facts *facts = dcp_plan_facts_create(inv, plan, err);

    if (!facts) {
        return false;
    }
    p.facts = facts;
    if (!mark_moved(&p)) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for the plan's text");
    }
    dcp_json_init(&p.w, true);
    print_all(&p);
    free(p.moved);

    bool memory = dcp_json_text(&p.w) != NULL;
    bool ok =
        memory && dcp_plan_digest(p.w.text.data, p.w.text.length, plan->digest);

    if (ok) {
        dcp_plan_uuid(plan->digest, plan->uuid);
        patch(p.w.text.data, p.uuid_end, plan->uuid);
        patch(p.w.text.data, p.digest_end, plan->digest);
        dcp_text_add(out, p.w.text.data, p.w.text.length);
        ok = memory = !out->failed;
    }
    dcp_json_finish(&p.w);
    return ok || dcp_fail(err, memory ? DCP_E_ARGUMENT : DCP_E_NOMEM, "%s",
                          memory ? "the plan's options are not JSON"
                                 : "no memory for the plan's text");
}
