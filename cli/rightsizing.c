/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/planning.h"

#include "model/change.h"
#include "model/park.h"
#include "traces/usage.h"

#include <stdlib.h>
#include <string.h>

/* Of a time limit, below which another attempt is not worth it. */
#define LEAST_FRAC 0.1
/* Restarts of one chain may take so much of the window. */
#define CHAIN_FRAC 0.125

/* --- Advice ------------------------------------------------------------- */

static uint32_t
highest(const struct dcp_demand *d, uint32_t vm)
{
    const uint32_t *row = d->cpu_mhz + (size_t)vm * d->stride;
    uint32_t most = 0;

    for (uint32_t t = 0; t < d->n_slots; t++) {
        most = row[t] > most ? row[t] : most;
    }
    return most;
}

/* VMs that some change_window or freeze may be closed for while the first leg
 * runs: it ends at a time that is not known yet, within the window. */
static void
mark_closed(const struct dcp_inventory *inv,
            const struct dcp_rightsizing_request *r, uint8_t closed[])
{
    for (uint32_t i = 0; i < inv->n_rules; i++) {
        const struct dcp_rule *rule = &inv->rules[i];
        struct dcp_ids vms = { rule->vms, rule->n_vms };
        struct dcp_ids hosts = { rule->hosts, rule->n_hosts };

        if (!dcp_rule_is_about_change(rule->kind) ||
            dcp_change_is_open(inv, rule, r->start_ms, r->end_ms)) {
            continue;
        }
        for (uint32_t v = 0; v < inv->n_vms; v++) {
            dcp_host_id h = r->start->host[v];

            closed[v] |=
                dcp_ids_contain(&vms, v) ||
                (!dcp_host_is_none(h) && dcp_ids_contain(&hosts, h.ix));
        }
    }
}

static bool
advise(const struct dcp_context *c, const struct dcp_rightsizing_request *r,
       struct dcp_rightsizing *z, struct dcp_error *err)
{
    const struct dcp_inventory *inv = c->model.inventory;
    const struct dcp_demand *d = r->demand;
    DCP_FREE uint8_t *resting = calloc(inv->n_vms + 1u, 1);
    DCP_FREE uint8_t *closed = calloc(inv->n_vms + 1u, 1);

    if (!resting || !closed) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to size VMs");
    }
    if (!dcp_planning_resized(r->dir, inv, r->start_ms, resting, err)) {
        return false;
    }
    mark_closed(inv, r, closed);
    bool active = c->store && !strcmp(dcp_store_mem_basis(c->store), "active");

    for (uint32_t v = 0; v < inv->n_vms; v++) {
        bool own = d->source[v] == DCP_DEMAND_TRACE;
        struct dcp_vm_usage none = { 0 };
        const struct dcp_size_question q = {
            .inv = inv,
            .vm = v,
            .usage = own ? &z->usage[v] : &none,
            .planned_mhz = highest(d, v),
            .planned_mib = d->mem_active_mib ? d->mem_active_mib[v] : 0,
            .active_memory = active,
            .in_window = r->in_window,
            .parked = r->parks && dcp_park_of(inv, v),
            .resting = resting[v],
            .closed = closed[v],
        };

        z->advice[v] = dcp_rightsize_advise(&q);
    }
    return true;
}

/* --- How many at once --------------------------------------------------- */

struct candidate {
    uint32_t vm;
    double saves;
};

static int
compare(const void *pa, const void *pb)
{
    const struct candidate *a = pa, *b = pb;

    if (a->saves != b->saves) {
        return a->saves > b->saves ? -1 : 1;
    }
    return a->vm < b->vm ? -1 : a->vm > b->vm;
}

/* Growth first: somebody waits for it.  Then what frees most. */
double
dcp_rightsizing_saves(const struct dcp_size_advice *a)
{
    double mib = (double)a->from.mem_mib - (double)a->to.mem_mib;

    return a->verdict == DCP_SIZE_UNDERSIZED
               ? 1e18
               : mib + 4096.0 * ((double)a->from.vcpus - a->to.vcpus);
}

/* Restarts of each chain: applications, then rules. */
struct chains {
    const struct dcp_inventory *inv;
    uint32_t *n; /* [n_applications + n_rules] */
    uint32_t most;
};

/* Whether the VM may restart beside those counted; counts it. */
static bool
join(struct chains *c, uint32_t vm)
{
    const struct dcp_inventory *inv = c->inv;
    dcp_application_id app = inv->vms[vm].application;

    for (int pass = 0; pass < 2; pass++) {
        if (!dcp_application_is_none(app)) {
            if (c->n[app.ix] >= c->most) {
                return false;
            }
            c->n[app.ix] += pass;
        }
        for (uint32_t i = 0; i < inv->n_rules; i++) {
            const struct dcp_rule *rule = &inv->rules[i];
            struct dcp_ids vms = { rule->vms, rule->n_vms };
            uint32_t *n = &c->n[inv->n_applications + i];

            if (rule->kind != DCP_RULE_SPREAD || rule->soft ||
                !dcp_ids_contain(&vms, vm)) {
                continue;
            }
            if (*n >= c->most) {
                return false;
            }
            *n += pass;
        }
    }
    return true;
}

static bool
limit(const struct dcp_inventory *inv, const struct dcp_rightsizing_request *r,
      struct dcp_rightsizing *z, struct dcp_error *err)
{
    const struct dcp_rightsize *policy = &inv->rightsize;
    DCP_FREE struct candidate *list = calloc(inv->n_vms + 1u, sizeof *list);
    DCP_FREE uint32_t *n_chain =
        calloc((size_t)inv->n_applications + inv->n_rules + 1, sizeof *n_chain);
    double time_ms = CHAIN_FRAC * (double)(r->end_ms - r->start_ms);
    struct chains chains = { inv, n_chain,
                             policy->restart_ms > 0
                                 ? (uint32_t)(time_ms /
                                              (double)policy->restart_ms)
                                 : UINT32_MAX };
    uint32_t n = 0, taken = 0;

    if (!list || !n_chain) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to choose resizes");
    }
    for (uint32_t v = 0; v < inv->n_vms; v++) {
        if (dcp_size_changes(&z->advice[v])) {
            list[n++] = (struct candidate){ v, dcp_rightsizing_saves(
                                                      &z->advice[v]) };
        }
    }
    qsort(list, n, sizeof *list, compare);
    for (uint32_t i = 0; i < n; i++) {
        struct dcp_size_advice *a = &z->advice[list[i].vm];
        bool ok = !r->settled &&
                  !(policy->max_vms && taken == policy->max_vms) &&
                  (!a->cold || join(&chains, list[i].vm));

        taken += ok;
        a->verdict = ok ? a->verdict : DCP_SIZE_LIMIT;
    }
    return true;
}

/* --- The model as it will be -------------------------------------------- */

static void
drop_model(struct dcp_rightsizing *z)
{
    dcp_demand_destroy(z->demand);
    free(z->inv);
    z->demand = NULL;
    z->inv = NULL;
}

bool
dcp_rightsizing_model(struct dcp_rightsizing *z, const struct dcp_inventory *inv,
           const struct dcp_demand *demand, struct dcp_error *err)
{
    DCP_FREE struct dcp_vm_size *sizes =
        malloc((inv->n_vms + 1u) * sizeof *sizes);
    bool any = false;

    drop_model(z);
    memset(z->n, 0, sizeof z->n);
    if (!sizes) {
        return dcp_fail(err, DCP_E_NOMEM, "sizes of %u VMs", inv->n_vms);
    }
    for (uint32_t v = 0; v < inv->n_vms; v++) {
        bool changes = dcp_size_changes(&z->advice[v]);

        any |= changes;
        sizes[v] = changes ? z->advice[v].to : dcp_vm_size(inv, v);
        z->n[z->advice[v].verdict]++;
    }
    if (!any) {
        return true;
    }
    z->inv = dcp_inventory_with_sizes(inv, sizes, err);
    return z->inv &&
           dcp_demand_with_sizes(demand, inv, z->inv, &z->demand, err);
}

bool
dcp_rightsizing_make(struct dcp_context *c,
                     const struct dcp_rightsizing_request *r,
                     struct dcp_rightsizing *out, struct dcp_error *err)
{
    const struct dcp_inventory *inv = c->model.inventory;
    const struct dcp_demand *d = r->demand;

    *out = (struct dcp_rightsizing){ .settled = r->settled };
    out->measured_memory = d->mem_active_mib != NULL;
    out->usage = c->store ? dcp_usage_measure(c->store, inv, c->measured,
                                              d->from_ms, d->until_ms, err)
                          : calloc(inv->n_vms + 1u, sizeof *out->usage);
    out->advice = calloc(inv->n_vms + 1u, sizeof *out->advice);
    bool ok = out->usage && out->advice;

    if (!ok) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory to size %u VMs",
                       inv->n_vms);
    } else {
        ok = advise(c, r, out, err) && limit(inv, r, out, err) &&
             dcp_rightsizing_model(out, inv, d, err);
    }
    if (!ok) {
        dcp_rightsizing_finish(out);
    }
    return ok;
}

void
dcp_rightsizing_finish(struct dcp_rightsizing *z)
{
    drop_model(z);
    free(z->usage);
    free(z->advice);
    *z = (struct dcp_rightsizing){ 0 };
}

struct dcp_inventory *
dcp_rightsizing_all(const struct dcp_rightsizing *z,
                    const struct dcp_inventory *inv, struct dcp_error *err)
{
    DCP_FREE struct dcp_vm_size *sizes =
        malloc((inv->n_vms + 1u) * sizeof *sizes);

    if (!sizes) {
        (void)dcp_fail(err, DCP_E_NOMEM, "sizes of %u VMs", inv->n_vms);
        return NULL;
    }
    for (uint32_t v = 0; v < inv->n_vms; v++) {
        sizes[v] = z->advice[v].to;
    }
    return dcp_inventory_with_sizes(inv, sizes, err);
}

/* --- The plan ----------------------------------------------------------- */

bool
dcp_rightsizing_no_plan(const struct dcp_plan_outcome *o)
{
    return o->status == DCP_STATUS_INFEASIBLE ||
           o->status == DCP_STATUS_TIMEOUT;
}

/* Leaves alone what grows, or all. */
static void
give_up(struct dcp_rightsizing *z, uint32_t n_vms, bool all)
{
    for (uint32_t v = 0; v < n_vms; v++) {
        struct dcp_size_advice *a = &z->advice[v];

        if (a->verdict == DCP_SIZE_UNDERSIZED) {
            a->verdict = DCP_SIZE_NO_ROOM;
        } else if (all && a->verdict == DCP_SIZE_OVERSIZED) {
            a->verdict = DCP_SIZE_LIMIT;
        }
    }
}

void
dcp_rightsizing_ask(const struct dcp_rightsizing *z, struct dcp_plan_request *r,
                    const struct dcp_inventory *inv,
                    const struct dcp_demand *demand)
{
    r->was = z->inv ? inv : NULL;
    r->inventory = z->inv ? z->inv : inv;
    r->demand = z->demand ? z->demand : demand;
    r->advice = z->inv ? z->advice : NULL;
}

bool
dcp_rightsizing_plan(struct dcp_rightsizing *z, struct dcp_plan_request *r,
                     struct dcp_plan **out, struct dcp_plan_outcome *outcome,
                     struct dcp_error *err)
{
    const struct dcp_inventory *inv = r->inventory;
    const struct dcp_demand *demand = r->demand;
    bool chooses = inv->rightsize.choose == DCP_SIZE_CHOOSE_USEFUL &&
                   z->n[DCP_SIZE_OVERSIZED];
    struct dcp_rightsizing_limits limits = dcp_rightsizing_limits(&r->solve);
    double limit_s = limits.all_s; /* 0: iterations limit. */
    int64_t began_ms = dcp_monotonic_ms();

    r->solve.time_limit_s = chooses ? limits.first_s : limit_s;
    for (int attempt = 0;; attempt++) {
        dcp_rightsizing_ask(z, r, inv, demand);
        if (!dcp_plan_make(r, out, outcome, err)) {
            return false;
        }
        double left_s =
            limit_s - (double)(dcp_monotonic_ms() - began_ms) / 1000;

        if (chooses && z->n[DCP_SIZE_OVERSIZED] &&
            !dcp_rightsizing_no_plan(outcome)) {
            z->chose = true;
            return dcp_rightsizing_choose(z, r, inv, demand, limits.all_s,
                                          began_ms, out, outcome, err);
        }
        /* The limit is for all attempts together. */
        if (!z->inv || !dcp_rightsizing_no_plan(outcome) ||
            (limit_s > 0 && left_s < LEAST_FRAC * limit_s)) {
            return true;
        }
        r->solve.time_limit_s = limit_s > 0 ? left_s : 0;
        z->gave_up = true;
        give_up(z, inv->n_vms, attempt > 0 || !z->n[DCP_SIZE_UNDERSIZED]);
        if (!dcp_rightsizing_model(z, inv, demand, err)) {
            return false;
        }
    }
}
