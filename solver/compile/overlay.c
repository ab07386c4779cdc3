/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/compile/overlay.h"

#include "model/filter.h"
#include "model/score.h"

#include <stdlib.h>
#include <string.h>

static bool
no_memory(struct dcp_error *err)
{
    return dcp_fail(err, DCP_E_NOMEM, "no memory for VMs to come");
}

/* --- VMs and volumes ---------------------------------------------------- */

static bool
add_vms(struct dcp_overlay *o, const struct dcp_inventory *inv,
        const struct dcp_vm *vm, const struct dcp_volume volumes[],
        uint32_t n_volumes)
{
    uint32_t n = o->n_copies;
    struct dcp_vm *vms =
        dcp_arena_array(o->arena, struct dcp_vm, (size_t)inv->n_vms + n);
    struct dcp_volume *all = dcp_arena_array(
        o->arena, struct dcp_volume, (size_t)inv->n_volumes + n_volumes);

    if (!vms || !all) {
        return false;
    }
    if (inv->n_vms) {
        memcpy(vms, inv->vms, inv->n_vms * sizeof *vms);
    }
    if (inv->n_volumes) {
        memcpy(all, inv->volumes, inv->n_volumes * sizeof *all);
    }
    for (uint32_t i = 0; i < n_volumes; i++) {
        all[inv->n_volumes + i] = volumes[i];
    }
    for (uint32_t i = 0; i < n; i++) {
        struct dcp_vm *copy = &vms[inv->n_vms + i];

        *copy = *vm;
        copy->name =
            n == 1 ? "new" : dcp_arena_printf(o->arena, "new-%u", i + 1);
        copy->trace = copy->name;
        copy->host = dcp_host_none();
        copy->first_volume = inv->n_volumes; /* Alike, so shared. */
        copy->n_volumes = n_volumes;
        if (!copy->name) {
            return false;
        }
    }
    o->inventory.vms = vms;
    o->inventory.n_vms = inv->n_vms + n;
    o->inventory.volumes = all;
    o->inventory.n_volumes = inv->n_volumes + n_volumes;
    return true;
}

/* --- Rules -------------------------------------------------------------- */

/* Which VMs are like the new one in one respect. */
enum alike { ALIKE_TIER, ALIKE_TENANT, ALIKE_TAG };

static bool
is_alike(const struct dcp_vm *a, const struct dcp_vm *vm, enum alike how,
         uint32_t tag)
{
    switch (how) {
    case ALIKE_TIER:
        return a->tier.ix == vm->tier.ix;
    case ALIKE_TENANT:
        return !dcp_tenant_is_none(vm->tenant) && a->tenant.ix == vm->tenant.ix;
    case ALIKE_TAG:
        return dcp_ids_contain(&a->tags, tag);
    }
    return false;
}

static uint32_t
count_alike(const struct dcp_inventory *inv, const struct dcp_vm *vm,
            enum alike how, uint32_t tag)
{
    uint32_t n = 0;

    for (uint32_t v = 0; v < inv->n_vms; v++) {
        n += is_alike(&inv->vms[v], vm, how, tag);
    }
    return n;
}

/* How many VMs are like the new one in each respect. */
struct crowd {
    uint32_t n_tier, n_tenant;
    const uint32_t *n_tag; /* By position in the VM's tags. */
};

static uint32_t
listed_alike(const struct dcp_inventory *inv, const struct dcp_vm *vm,
             const uint32_t *vms, uint32_t n, enum alike how, uint32_t tag)
{
    uint32_t found = 0;

    for (uint32_t i = 0; i < n; i++) {
        found += is_alike(&inv->vms[vms[i]], vm, how, tag);
    }
    return found;
}

/* Whether the list has every VM that is like the new one in some respect. */
static bool
lists_all(const struct dcp_inventory *inv, const struct dcp_vm *vm,
          const struct crowd *crowd, const uint32_t *vms, uint32_t n)
{
    if (crowd->n_tier && n >= crowd->n_tier &&
        listed_alike(inv, vm, vms, n, ALIKE_TIER, 0) == crowd->n_tier) {
        return true;
    }
    if (crowd->n_tenant && n >= crowd->n_tenant &&
        listed_alike(inv, vm, vms, n, ALIKE_TENANT, 0) == crowd->n_tenant) {
        return true;
    }
    for (uint32_t t = 0; t < vm->tags.n; t++) {
        if (crowd->n_tag[t] && n >= crowd->n_tag[t] &&
            listed_alike(inv, vm, vms, n, ALIKE_TAG, vm->tags.ix[t]) ==
                crowd->n_tag[t]) {
            return true;
        }
    }
    return false;
}

static bool
append(struct dcp_overlay *o, const uint32_t **vms, uint32_t *n)
{
    uint32_t *longer =
        dcp_arena_array(o->arena, uint32_t, (size_t)*n + o->n_copies);

    if (!longer) {
        return false;
    }
    if (*n) {
        memcpy(longer, *vms, *n * sizeof *longer);
    }
    for (uint32_t i = 0; i < o->n_copies; i++) {
        longer[*n + i] = o->first_vm + i;
    }
    *vms = longer;
    *n += o->n_copies;
    return true;
}

/* Scores and filters that are about all VMs like the new one; what they say of
 * it is asked by who made the overlay (model/script/judge_model.h). */
static bool
extend_scripts(struct dcp_overlay *o, const struct dcp_inventory *inv,
               const struct dcp_vm *vm, const struct crowd *crowd)
{
    struct dcp_score *scores =
        dcp_arena_array(o->arena, struct dcp_score, inv->n_scores + 1u);
    struct dcp_filter *filters =
        dcp_arena_array(o->arena, struct dcp_filter, inv->n_filters + 1u);

    for (uint32_t i = 0;
         scores && filters && i < inv->n_scores + inv->n_filters; i++) {
        bool is_score = i < inv->n_scores;
        uint32_t k = is_score ? i : i - inv->n_scores;
        struct dcp_ids *vms = is_score ? &scores[k].vms : &filters[k].vms;

        if (is_score) {
            scores[k] = inv->scores[k];
        } else {
            filters[k] = inv->filters[k];
        }
        if ((vms->n == inv->n_vms ||
             lists_all(inv, vm, crowd, vms->ix, vms->n)) &&
            !append(o, &vms->ix, &vms->n)) {
            return false;
        }
    }
    o->inventory.scores = scores;
    o->inventory.filters = filters;
    return scores && filters;
}

static bool
extend_sets(struct dcp_overlay *o, const struct dcp_inventory *inv,
            const struct dcp_vm *vm, const struct crowd *crowd,
            struct dcp_rule *rule)
{
    struct dcp_rule_set *sets =
        dcp_arena_array(o->arena, struct dcp_rule_set, rule->n_sets);
    bool joined = false; /* A VM is in one set at most. */

    for (uint32_t s = 0; sets && s < rule->n_sets; s++) {
        sets[s] = rule->sets[s];
        if (!joined && lists_all(inv, vm, crowd, sets[s].ids.ix,
                                 sets[s].ids.n)) {
            joined = true;
            if (!append(o, &sets[s].ids.ix, &sets[s].ids.n) ||
                !append(o, &rule->vms, &rule->n_vms)) {
                return false;
            }
        }
    }
    rule->sets = sets;
    return sets != NULL;
}

static bool
extend_rules(struct dcp_overlay *o, const struct dcp_inventory *inv,
             const struct dcp_vm *vm)
{
    struct dcp_rule *rules =
        dcp_arena_array(o->arena, struct dcp_rule, inv->n_rules);
    uint32_t *n_tag = dcp_arena_array(o->arena, uint32_t, vm->tags.n);
    struct crowd crowd = { count_alike(inv, vm, ALIKE_TIER, 0),
                           count_alike(inv, vm, ALIKE_TENANT, 0), n_tag };

    if (!rules || !n_tag) {
        return false;
    }
    for (uint32_t t = 0; t < vm->tags.n; t++) {
        n_tag[t] = count_alike(inv, vm, ALIKE_TAG, vm->tags.ix[t]);
    }
    for (uint32_t r = 0; r < inv->n_rules; r++) {
        struct dcp_rule *rule = &rules[r];

        *rule = inv->rules[r];
        if (rule->kind == DCP_RULE_GATHER || rule->kind == DCP_RULE_AMONG ||
            rule->kind == DCP_RULE_SEQUENCE || !rule->n_vms ||
            (rule->kind == DCP_RULE_SPREAD && rule->n_vms < 2)) {
            continue;
        }
        if (rule->kind != DCP_RULE_SPLIT &&
            lists_all(inv, vm, &crowd, rule->vms, rule->n_vms) &&
            !append(o, &rule->vms, &rule->n_vms)) {
            return false;
        }
        if (rule->kind == DCP_RULE_SPLIT && !extend_sets(o, inv, vm, &crowd, rule)) {
            return false;
        }
        if (rule->kind == DCP_RULE_SEPARATE &&
            lists_all(inv, vm, &crowd, rule->others, rule->n_others) &&
            !append(o, &rule->others, &rule->n_others)) {
            return false;
        }
    }
    o->inventory.rules = rules;
    return extend_scripts(o, inv, vm, &crowd);
}

/* --- Demand and placement ----------------------------------------------- */

static const uint32_t *
longer_rows(struct dcp_overlay *o, const uint32_t *rows, size_t stride)
{
    size_t n = o->first_vm * stride;
    uint32_t *longer =
        dcp_arena_array(o->arena, uint32_t, n + o->n_copies * stride);

    if (longer && n) {
        memcpy(longer, rows, n * sizeof *longer);
    }
    return longer;
}

/* Likewise, of what nothing is known of new VMs. */
static const uint32_t *
not_measured(struct dcp_overlay *o, const uint32_t *rows, size_t stride)
{
    uint32_t *longer = (uint32_t *)(uintptr_t)longer_rows(o, rows, stride);

    for (size_t k = 0; longer && k < o->n_copies * stride; k++) {
        longer[o->first_vm * stride + k] = UINT32_MAX;
    }
    return longer;
}

/* New VMs have no history: what is planned for them, in every scenario. */
static bool
extend_scenarios(struct dcp_overlay *o, const struct dcp_scenarios *s)
{
    struct dcp_scenarios *longer =
        dcp_arena_new(o->arena, struct dcp_scenarios);
    uint32_t *rows =
        (uint32_t *)(uintptr_t)longer_rows(o, s->cpu_mhz, s->stride);

    if (!longer || !rows) {
        return false;
    }
    *longer = *s;
    longer->cpu_mhz = rows;
    o->demand.scenarios = longer;
    for (uint32_t v = o->first_vm; v < o->demand.n_vms; v++) {
        dcp_scenarios_fill_flat(&o->demand, v, rows + (size_t)v * s->stride);
    }
    return true;
}

static bool
extend_demand(struct dcp_overlay *o, const struct dcp_demand *d)
{
    uint8_t *source =
        dcp_arena_array(o->arena, uint8_t, (size_t)d->n_vms + o->n_copies);
    uint32_t *cpu =
        (uint32_t *)(uintptr_t)longer_rows(o, d->cpu_mhz, d->stride);

    o->demand = *d;
    o->demand.arena = NULL;
    o->demand.n_vms += o->n_copies;
    o->demand.cpu_mhz = cpu;
    o->demand.source = source;
    if (d->net_kib_s) {
        o->demand.net_kib_s = longer_rows(o, d->net_kib_s, d->stride);
    }
    if (d->mem_active_mib) {
        o->demand.mem_active_mib = longer_rows(o, d->mem_active_mib, 1);
    }
    if (d->disk_kib_s) {
        o->demand.disk_kib_s = not_measured(o, d->disk_kib_s, 1);
    }
    if (d->disk_part_kib_s) {
        o->demand.disk_part_kib_s =
            not_measured(o, d->disk_part_kib_s, DCP_DAY_PARTS);
    }
    if ((d->disk_kib_s && !o->demand.disk_kib_s) ||
        (d->disk_part_kib_s && !o->demand.disk_part_kib_s) || !cpu || !source ||
        (d->net_kib_s && !o->demand.net_kib_s) ||
        (d->mem_active_mib && !o->demand.mem_active_mib)) {
        return false;
    }
    if (d->source && d->n_vms) {
        memcpy(source, d->source, d->n_vms);
    }
    o->demand.scenarios = NULL;
    uint32_t *row = cpu + (size_t)o->first_vm * d->stride;
    enum dcp_demand_source how = dcp_demand_row_from_model(
        &o->inventory, (dcp_vm_id){ o->first_vm }, d->slots, d->n_slots, row);

    for (uint32_t i = 0; i < o->n_copies; i++) {
        source[o->first_vm + i] = (uint8_t)how;
        if (i) {
            memcpy(row + (size_t)i * d->stride, row, d->stride * sizeof *row);
        }
    }
    return !d->scenarios || extend_scenarios(o, d->scenarios);
}

static bool
extend_placement(struct dcp_overlay *o, const struct dcp_placement *p,
                 struct dcp_error *err)
{
    o->placement = dcp_placement_create(&o->inventory, err);
    if (!o->placement) {
        return false;
    }
    for (uint32_t v = 0; v < p->n_vms; v++) {
        o->placement->host[v] = p->host[v];
    }
    memcpy(o->placement->on, p->on, p->n_hosts);
    return true;
}

bool
dcp_overlay_create(const struct dcp_inventory *inv, const struct dcp_demand *d,
                   const struct dcp_placement *p, const struct dcp_vm *vm,
                   const struct dcp_volume volumes[], uint32_t n_volumes,
                   uint32_t n_copies, struct dcp_overlay *out,
                   struct dcp_error *err)
{
    if (n_copies > UINT32_MAX / 2 - inv->n_vms) {
        return dcp_fail(err, DCP_E_LIMIT, "%u VMs more are too many", n_copies);
    }
    *out = (struct dcp_overlay){ .arena = dcp_arena_create(0),
                                 .inventory = *inv,
                                 .first_vm = inv->n_vms,
                                 .n_copies = n_copies };
    bool ok = out->arena && add_vms(out, inv, vm, volumes, n_volumes) &&
              extend_rules(out, inv, vm) && extend_demand(out, d);

    if (!ok) {
        (void)no_memory(err);
    }
    ok = ok && extend_placement(out, p, err);
    if (!ok) {
        dcp_overlay_finish(out);
    }
    return ok;
}

void
dcp_overlay_finish(struct dcp_overlay *o)
{
    dcp_placement_destroy(o->placement);
    dcp_arena_destroy(o->arena);
    *o = (struct dcp_overlay){ 0 };
}
