/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/explain.h"

#include "cli/named.h"
#include "cli/ui.h"
#include "model/base/units.h"
#include "model/io/plan_text.h"
#include "solver/storage/why_not.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef uint64_t amounts[DCP_POOL_RESOURCES];

bool
dcp_explain_find_volume(const struct dcp_explain *x, const char *name,
                        uint32_t *out, struct dcp_error *err)
{
    const struct dcp_inventory *inv = dcp_explain_inventory(x);
    struct dcp_object volume;

    if (!dcp_plan_read_name(inv, DCP_OBJECT_VOLUME, name, &volume)) {
        return dcp_fail(err, DCP_E_USAGE,
                        "volume '%.80s' is not in the model; the first of VM "
                        "db-1 is db-1/0",
                        name);
    }
    *out = volume.ix;
    return true;
}

bool
dcp_explain_find_pool(const struct dcp_explain *x, const char *name,
                      uint32_t *out, struct dcp_error *err)
{
    const struct dcp_inventory *inv = dcp_explain_inventory(x);
    struct dcp_object pool;

    if (!dcp_plan_read_name(inv, DCP_OBJECT_POOL, name, &pool)) {
        return inv->n_pools
                   ? dcp_named_unknown("pool", name, &inv->pools[0].name,
                                       sizeof inv->pools[0], inv->n_pools, err)
                   : dcp_fail(err, DCP_E_USAGE,
                              "the model has no storage pools");
    }
    *out = pool.ix;
    return true;
}

static bool
make_demand(struct dcp_explain *x, struct dcp_error *err)
{
    if (!x->demand) {
        x->demand =
            dcp_context_plan_demand(&x->open.context, x->open.plan, err);
    }
    return x->demand != NULL;
}

static const char *
pool_name(const struct dcp_inventory *inv, dcp_pool_id pool)
{
    return dcp_pool_is_none(pool) ? "its host's own disks"
                                  : inv->pools[pool.ix].name;
}

/* In the part of the day that has most. */
static uint64_t
peak(const amounts of, enum dcp_pool_resource resource)
{
    return of[dcp_pool_resource_peak(of, resource)];
}

/* --- One volume --------------------------------------------------------- */

static void
print_volume(const struct dcp_explain *x, uint32_t volume)
{
    const struct dcp_inventory *inv = dcp_explain_inventory(x);
    const struct dcp_plan *plan = x->open.plan;
    amounts asks;

    dcp_volume_request(inv, x->demand, volume, asks);
    printf(
        "volume %s: %llu MiB, %llu IO/s, %llu KiB/s\n",
        dcp_object_name(inv, (struct dcp_object){ DCP_OBJECT_VOLUME, volume }),
        (unsigned long long)asks[DCP_POOL_SPACE],
        (unsigned long long)peak(asks, DCP_POOL_IOPS),
        (unsigned long long)peak(asks, DCP_POOL_RATE));
    printf(" before        %s\n",
           pool_name(inv, dcp_placement_pool(plan->before, inv, volume)));
    for (uint32_t l = 0; l < plan->n_legs; l++) {
        printf(" after %-7s %s\n", plan->legs[l].name,
               pool_name(inv,
                         dcp_placement_pool(plan->legs[l].after, inv, volume)));
    }
    for (uint32_t i = 0; i < plan->n_steps; i++) {
        const struct dcp_step *s = &plan->steps[i];
        char time[32];

        if (s->kind != DCP_STEP_VOLUME_MOVE || s->object.ix != volume) {
            continue;
        }
        dcp_print_human(DCP_DIM_TIME, (double)s->estimate_ms, time,
                        sizeof time);
        printf(" step ");
        dcp_explain_print_step(inv, s);
        printf(" (%s)\n   %s\n", time, s->reason_text);
        for (uint32_t k = 0; k < s->n_after; k++) {
            printf("   waits for ");
            dcp_explain_print_step(inv, &plan->steps[s->after[k] - 1]);
            putchar('\n');
        }
    }
}

static void
json_steps(const struct dcp_explain *x, uint32_t volume, struct dcp_json *w)
{
    const struct dcp_inventory *inv = dcp_explain_inventory(x);
    const struct dcp_plan *plan = x->open.plan;

    dcp_json_karray(w, "steps");
    for (uint32_t i = 0; i < plan->n_steps; i++) {
        const struct dcp_step *s = &plan->steps[i];

        if (s->kind != DCP_STEP_VOLUME_MOVE || s->object.ix != volume) {
            continue;
        }
        dcp_json_begin_line(w, '{');
        dcp_json_ku64(w, "id", s->id);
        dcp_json_kstring(w, "from", dcp_object_name(inv, s->from));
        dcp_json_kstring(w, "to", dcp_object_name(inv, s->to));
        dcp_json_ki64(w, "estimate_ms", s->estimate_ms);
        dcp_json_kobject(w, "reason");
        dcp_json_kstring(w, "code", dcp_reason_name(s->reason));
        dcp_json_kstring(w, "text", s->reason_text);
        dcp_json_end(w, '}');
        dcp_json_karray(w, "waits_for");
        for (uint32_t k = 0; k < s->n_after; k++) {
            dcp_explain_json_step(inv, w, &plan->steps[s->after[k] - 1]);
        }
        dcp_json_end(w, ']');
        dcp_json_end(w, '}');
    }
    dcp_json_end(w, ']');
}

int
dcp_explain_volume(struct dcp_explain *x, uint32_t volume,
                   struct dcp_error *err)
{
    const struct dcp_inventory *inv = dcp_explain_inventory(x);
    const struct dcp_plan *plan = x->open.plan;
    struct dcp_object object = { DCP_OBJECT_VOLUME, volume };
    struct dcp_json w;
    amounts asks;

    if (!make_demand(x, err)) {
        return -1;
    }
    if (!x->g->json) {
        print_volume(x, volume);
        return 0;
    }
    dcp_volume_request(inv, x->demand, volume, asks);
    dcp_explain_json_head(&w, "volume", dcp_object_name(inv, object));
    dcp_json_ku64(&w, "size_mib", asks[DCP_POOL_SPACE]);
    dcp_json_ku64(&w, "iops", peak(asks, DCP_POOL_IOPS));
    dcp_json_ku64(&w, "rate_kib_s", peak(asks, DCP_POOL_RATE));
    dcp_json_kstring(
        &w, "before",
        pool_name(inv, dcp_placement_pool(plan->before, inv, volume)));
    dcp_json_kobject(&w, "after");
    for (uint32_t l = 0; l < plan->n_legs; l++) {
        dcp_json_kstring(&w, plan->legs[l].name,
                         pool_name(inv, dcp_placement_pool(plan->legs[l].after,
                                                           inv, volume)));
    }
    dcp_json_end(&w, '}');
    json_steps(x, volume, &w);
    return dcp_explain_json_end(x, &w, err);
}

/* --- One pool ----------------------------------------------------------- */

static void
load_of(const struct dcp_explain *x, const struct dcp_placement *p,
        uint32_t pool, amounts out)
{
    const struct dcp_inventory *inv = dcp_explain_inventory(x);

    memset(out, 0, sizeof(amounts));
    for (uint32_t i = 0; i < inv->n_volumes; i++) {
        dcp_vm_id vm = inv->volumes[i].vm;
        amounts asks;

        if (dcp_placement_pool(p, inv, i).ix != pool ||
            (!dcp_vm_is_none(vm) && dcp_host_is_none(p->host[vm.ix]))) {
            continue;
        }
        dcp_volume_request(inv, x->demand, i, asks);
        for (uint32_t r = 0; r < DCP_POOL_RESOURCES; r++) {
            out[r] += asks[r];
        }
    }
}

int
dcp_explain_pool(struct dcp_explain *x, uint32_t pool, struct dcp_error *err)
{
    const struct dcp_inventory *inv = dcp_explain_inventory(x);
    const struct dcp_plan *plan = x->open.plan;
    static const enum dcp_pool_resource kinds[] = { DCP_POOL_SPACE,
                                                    DCP_POOL_IOPS,
                                                    DCP_POOL_RATE };
    uint32_t comes = 0, goes = 0;
    amounts before, after, limit, usable;
    struct dcp_json w;

    if (!make_demand(x, err)) {
        return -1;
    }
    load_of(x, plan->before, pool, before);
    load_of(x, plan->legs[plan->n_legs - 1].after, pool, after);
    dcp_pool_limit(&inv->pools[pool], limit);
    dcp_pool_usable(inv, &inv->pools[pool], usable);
    for (uint32_t i = 0; i < plan->n_steps; i++) {
        const struct dcp_step *s = &plan->steps[i];

        comes += s->kind == DCP_STEP_VOLUME_MOVE && s->to.ix == pool;
        goes += s->kind == DCP_STEP_VOLUME_MOVE && s->from.ix == pool;
    }
    if (x->g->json) {
        dcp_explain_json_head(&w, "pool", inv->pools[pool].name);
        dcp_json_ku64(&w, "volumes_come", comes);
        dcp_json_ku64(&w, "volumes_go", goes);
        dcp_json_kobject(&w, "resources");
    } else {
        printf("pool %s: %u volumes come, %u go\n", inv->pools[pool].name,
               comes, goes);
    }
    for (uint32_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        /* The part of the day that has most, before or after. */
        enum dcp_pool_resource of = dcp_pool_resource_peak(before, kinds[k]);
        enum dcp_pool_resource then = dcp_pool_resource_peak(after, kinds[k]);
        uint32_t r = after[then] > before[of] ? then : of;
        bool limited = limit[r] != UINT64_MAX;

        if (x->g->json) {
            dcp_json_kobject(&w, dcp_pool_resource_name(of));
            dcp_json_ku64(&w, "before", before[r]);
            dcp_json_ku64(&w, "after", after[r]);
            dcp_json_kdouble(&w, "limit", limited ? (double)limit[r] : NAN);
            dcp_json_kdouble(&w, "usable", limited ? (double)usable[r] : NAN);
            dcp_json_end(&w, '}');
        } else if (limited) {
            printf(" %-6s %llu -> %llu of %llu %s%s (%.0f -> %.0f %%); policy "
                   "lets %llu be used\n",
                   dcp_pool_resource_name(of), (unsigned long long)before[r],
                   (unsigned long long)after[r], (unsigned long long)limit[r],
                   dcp_pool_resource_unit(of),
                   dcp_pool_resource_hours(x->demand,
                                           (enum dcp_pool_resource)r),
                   100 * (double)before[r] / fmax((double)limit[r], 1),
                   100 * (double)after[r] / fmax((double)limit[r], 1),
                   (unsigned long long)usable[r]);
        }
    }
    if (!x->g->json) {
        return 0;
    }
    dcp_json_end(&w, '}');
    return dcp_explain_json_end(x, &w, err);
}

/* --- Why not ------------------------------------------------------------ */

int
dcp_explain_volume_why_not(struct dcp_explain *x, uint32_t volume,
                           uint32_t pool, uint32_t leg, struct dcp_error *err)
{
    const struct dcp_inventory *inv = dcp_explain_inventory(x);
    const struct dcp_placement *at = x->open.plan->legs[leg].after;
    struct dcp_object object = { DCP_OBJECT_VOLUME, volume };
    bool there = dcp_placement_pool(at, inv, volume).ix == pool;
    struct dcp_volume_refusal a;
    struct dcp_json w;

    if (!make_demand(x, err)) {
        return -1;
    }
    dcp_volume_why_not(inv, x->demand, at, volume, pool, &a);
    if (x->g->json) {
        dcp_explain_json_head(&w, "why_not", dcp_object_name(inv, object));
        dcp_json_kstring(&w, "pool", inv->pools[pool].name);
        dcp_json_kstring(&w, "leg", x->open.plan->legs[leg].name);
        dcp_json_kbool(&w, "is_there", there);
        dcp_json_kbool(&w, "allowed", !a.refused);
        dcp_json_ku64(&w, "volumes_along", a.n_along);
        if (a.refused) {
            dcp_json_kobject(&w, "why");
            dcp_json_kstring(&w, "rule", a.rule);
            dcp_json_kstring(&w, "text", a.text);
            dcp_json_kdouble(&w, "need", a.need);
            dcp_json_kdouble(&w, "have", a.have);
            dcp_json_kstring(&w, "remedy", a.remedy);
            dcp_json_end(&w, '}');
        } else {
            dcp_json_knull(&w, "why");
        }
        return dcp_explain_json_end(x, &w, err);
    }
    if (there) {
        printf("%s is in %s after leg %s\n", dcp_object_name(inv, object),
               inv->pools[pool].name, x->open.plan->legs[leg].name);
    } else if (!a.refused) {
        printf("%s could be in %s: nothing stands against it; the plan has no "
               "need of that\n",
               dcp_object_name(inv, object), inv->pools[pool].name);
    } else {
        printf("%s is not in %s: %s\n allowed by   %s\n",
               dcp_object_name(inv, object), inv->pools[pool].name, a.text,
               a.remedy);
    }
    return 0;
}
