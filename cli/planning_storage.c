/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/planning.h"

#include "model/base/units.h"
#include "model/volume.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define POOLS_PRINTED 12u

typedef double shares[DCP_POOL_RESOURCES];

/* How full each pool is, 0.5: half; NaN where no limit is stated. */
static shares *
shares_of(const struct dcp_inventory *inv, const struct dcp_demand *d,
          const struct dcp_placement *p)
{
    shares *out = calloc(inv->n_pools + 1u, sizeof *out);

    for (uint32_t i = 0; out && i < inv->n_volumes; i++) {
        dcp_pool_id pool = dcp_placement_pool(p, inv, i);
        dcp_vm_id vm = inv->volumes[i].vm;
        uint64_t asks[DCP_POOL_RESOURCES];

        if (dcp_pool_is_none(pool) ||
            (!dcp_vm_is_none(vm) && dcp_host_is_none(p->host[vm.ix]))) {
            continue;
        }
        dcp_volume_request(inv, d, i, asks);
        for (uint32_t r = 0; r < DCP_POOL_RESOURCES; r++) {
            out[pool.ix][r] += (double)asks[r];
        }
    }
    for (uint32_t i = 0; out && i < inv->n_pools; i++) {
        uint64_t limit[DCP_POOL_RESOURCES];

        dcp_pool_limit(&inv->pools[i], limit);
        for (uint32_t r = 0; r < DCP_POOL_RESOURCES; r++) {
            out[i][r] = limit[r] == UINT64_MAX || !limit[r]
                            ? NAN
                            : out[i][r] / (double)limit[r];
        }
    }
    return out;
}

static const struct dcp_placement *
end_of(const struct dcp_context *c, const struct dcp_planning_answer *a)
{
    return a->plan ? a->plan->legs[a->plan->n_legs - 1].after
                   : c->model.placement;
}

/* Of the fullest part of the day; NaN: not stated. */
static double
fullest_of(const shares s, enum dcp_pool_resource of)
{
    double most = s[of];

    for (uint32_t k = 1; of != DCP_POOL_SPACE && k < DCP_DAY_PARTS; k++) {
        most = fmax(most, s[of + k]);
    }
    return most;
}

static void
json_shares(struct dcp_json *w, const char *key, const shares s)
{
    dcp_json_kobject(w, key);
    dcp_json_kdouble(w, "space_frac", s[DCP_POOL_SPACE]);
    dcp_json_kdouble(w, "iops_frac", fullest_of(s, DCP_POOL_IOPS));
    dcp_json_kdouble(w, "rate_frac", fullest_of(s, DCP_POOL_RATE));
    dcp_json_end(w, '}');
}

void
dcp_planning_storage_json(const struct dcp_context *c,
                          const struct dcp_planning_job *job,
                          const struct dcp_planning_answer *a,
                          struct dcp_json *w)
{
    const struct dcp_inventory *inv = c->model.inventory;
    const struct dcp_storage_outcome *o = &a->outcome.storage;

    if (!job->storage.asked || !inv->n_pools) {
        return;
    }
    DCP_FREE shares *before = shares_of(inv, a->demand, c->model.placement);
    DCP_FREE shares *after = shares_of(inv, a->demand, end_of(c, a));

    if (!before || !after) {
        w->text.failed = true;
        return;
    }
    dcp_json_kobject(w, "storage");
    dcp_json_kstring(w, "status", dcp_status_name(o->status));
    if (o->because.rule[0]) {
        dcp_json_kstring(w, "because", o->because.text);
    }
    dcp_json_ku64(w, "volumes_moved", o->volumes_moved);
    dcp_json_ku64(w, "moved_mib", o->moved_mib);
    dcp_json_kbool(w, "cut_to_time", o->cut);
    dcp_json_kdouble(w, "before", o->before);
    dcp_json_kdouble(w, "after", o->after);
    dcp_json_kdouble(w, "lower_bound", o->lower_bound);
    dcp_json_kstring(w, "bound_method", o->bound_method);
    dcp_json_ku64(w, "pools_too_full_before", o->n_full_before);
    dcp_json_ku64(w, "pools_too_full_after", o->n_full);
    dcp_json_ku64(w, "volumes_out_of_place_before", o->n_astray_before);
    dcp_json_ku64(w, "volumes_out_of_place_after", o->n_astray);
    dcp_json_karray(w, "pools");
    for (uint32_t i = 0; i < inv->n_pools; i++) {
        dcp_json_begin_line(w, '{');
        dcp_json_kstring(w, "pool", inv->pools[i].name);
        json_shares(w, "before", before[i]);
        json_shares(w, "after", after[i]);
        dcp_json_end(w, '}');
    }
    dcp_json_end(w, ']');
    dcp_json_end(w, '}');
}

static double
fullest(const shares s)
{
    double most = 0;

    for (uint32_t r = 0; r < DCP_POOL_RESOURCES; r++) {
        most = isnan(s[r]) ? most : fmax(most, s[r]);
    }
    return most;
}

static void
print_share(const char *what, double before, double after)
{
    if (!isnan(before)) {
        printf(", %s %.0f -> %.0f %%", what, 100 * before, 100 * after);
    }
}

void
dcp_planning_storage_print(const struct dcp_context *c,
                           const struct dcp_planning_job *job,
                           const struct dcp_planning_answer *a)
{
    const struct dcp_inventory *inv = c->model.inventory;
    const struct dcp_storage_outcome *o = &a->outcome.storage;

    if (!job->storage.asked || !inv->n_pools) {
        return;
    }
    DCP_FREE shares *before = shares_of(inv, a->demand, c->model.placement);
    DCP_FREE shares *after = shares_of(inv, a->demand, end_of(c, a));
    DCP_FREE uint8_t *printed = calloc(inv->n_pools, 1);
    char moved[32];

    if (!before || !after || !printed) {
        return;
    }
    dcp_print_human(DCP_DIM_SIZE, (double)o->moved_mib, moved, sizeof moved);
    printf("%-15s %llu volumes move (%s); pools too full %u -> %u, volumes out "
           "of place %u -> %u\n",
           "storage", (unsigned long long)o->volumes_moved, moved,
           o->n_full_before, o->n_full, o->n_astray_before, o->n_astray);
    if (o->cut) {
        printf("%-15s not all moves fit the time: those that matter most, as "
               "far as the search saw\n",
               "");
    }
    if (job->storage.aim == DCP_STORAGE_BALANCE) {
        printf("%-15s %.4f -> %.4f (at least %.4f)\n", "pressure", o->before,
               o->after, o->lower_bound);
    } else if (o->volumes_moved) {
        printf("%-15s %.0f MiB move, %.0f at least (%s)\n", "", o->after,
               o->lower_bound, o->bound_method);
    }
    if (o->because.rule[0]) {
        printf("%-15s %s, %s: %s\n", "", o->because.rule, o->because.object,
               o->because.text);
    }
    for (uint32_t k = 0; k < inv->n_pools && k < POOLS_PRINTED; k++) {
        uint32_t best = DCP_IX_NONE;

        for (uint32_t i = 0; i < inv->n_pools; i++) {
            if (!printed[i] && (best == DCP_IX_NONE ||
                                fullest(before[i]) > fullest(before[best]))) {
                best = i;
            }
        }
        printed[best] = 1;
        printf("%-15s %s", k ? "" : "fullest pools", inv->pools[best].name);
        print_share("space", before[best][DCP_POOL_SPACE],
                    after[best][DCP_POOL_SPACE]);
        print_share("IOPS", fullest_of(before[best], DCP_POOL_IOPS),
                    fullest_of(after[best], DCP_POOL_IOPS));
        print_share("rate", fullest_of(before[best], DCP_POOL_RATE),
                    fullest_of(after[best], DCP_POOL_RATE));
        putchar('\n');
    }
}
