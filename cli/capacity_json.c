/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/capacity.h"
#include "cli/ui.h"

#include <math.h>

const char *
dcp_ledger_scope(const struct dcp_inventory *inv, const struct dcp_ledger *l)
{
    return dcp_site_is_none(l->site) ? "all" : inv->sites[l->site.ix].name;
}

bool
dcp_ledger_shown(const struct dcp_ledger *l, uint32_t r)
{
    return l->used.allocated[r] > 0 ||
           (l->installed[r] > 0 &&
            r != DCP_LEDGER_SCALAR + DCP_SCALAR_RESERVED);
}

double
dcp_ledger_used_frac(const struct dcp_ledger *l, uint32_t r)
{
    return l->after_loss[r] > 0 ? dcp_ledger_used(l, r) / l->after_loss[r]
                                : NAN;
}

static void
json_amounts(struct dcp_json *w, const struct dcp_ledgers *all,
             const struct dcp_ledger *l, const char *key,
             const double amount[DCP_LEDGER_MAX])
{
    dcp_json_key(w, key);
    dcp_json_begin_line(w, '{');
    for (uint32_t r = 0; r < DCP_LEDGER_MAX; r++) {
        if (dcp_ledger_shown(l, r)) {
            dcp_json_kdouble(w, dcp_ledger_name(all->inv, r), amount[r]);
        }
    }
    dcp_json_end(w, '}');
}

static void
json_resources(struct dcp_json *w, const struct dcp_ledgers *all,
               const struct dcp_ledger *l)
{
    dcp_json_karray(w, "resources");
    for (uint32_t r = 0; r < DCP_LEDGER_MAX; r++) {
        if (!dcp_ledger_shown(l, r)) {
            continue;
        }
        dcp_json_begin_line(w, '{');
        dcp_json_kstring(w, "name", dcp_ledger_name(all->inv, r));
        dcp_json_kstring(w, "unit", dcp_ledger_unit(r));
        dcp_json_kdouble(w, "installed", l->installed[r]);
        dcp_json_kdouble(w, "usable", l->usable[r]);
        dcp_json_kdouble(w, "usable_after_loss", l->after_loss[r]);
        dcp_json_kdouble(w, "reserve", l->usable[r] - l->after_loss[r]);
        dcp_json_kdouble(w, "allocated", l->used.allocated[r]);
        dcp_json_kdouble(w, "reserved", l->used.reserved[r]);
        dcp_json_kdouble(w, "expected", l->used.expected[r]);
        dcp_json_kdouble(w, "used_frac", dcp_ledger_used_frac(l, r));
        dcp_json_end(w, '}');
    }
    dcp_json_end(w, ']');
}

static void
json_tiers(struct dcp_json *w, const struct dcp_ledgers *all,
           const struct dcp_ledger *l)
{
    dcp_json_karray(w, "tiers");
    for (uint32_t t = 0; t < all->inv->n_tiers; t++) {
        const struct dcp_ledger_use *use = &l->tiers[t];

        dcp_json_begin(w, '{');
        dcp_json_kstring(w, "tier", all->inv->tiers[t].name);
        dcp_json_ku64(w, "vms", use->n_vms);
        dcp_json_ku64(w, "vcpus", use->n_vcpus);
        json_amounts(w, all, l, "allocated", use->allocated);
        json_amounts(w, all, l, "reserved", use->reserved);
        json_amounts(w, all, l, "expected", use->expected);
        dcp_json_end(w, '}');
    }
    dcp_json_end(w, ']');
}

static void
json_need(struct dcp_json *w, const struct dcp_ledgers *all, const char *key,
          const struct dcp_ledger_need *need, bool known)
{
    if (!known) {
        dcp_json_knull(w, key);
        return;
    }
    dcp_json_key(w, key);
    dcp_json_begin_line(w, '{');
    dcp_json_key(w, "hosts");
    if (need->hosts == UINT32_MAX) {
        dcp_json_null(w); /* More than there are. */
    } else {
        dcp_json_u64(w, need->hosts);
    }
    dcp_json_kstring(w, "binding", dcp_ledger_name(all->inv, need->resource));
    dcp_json_end(w, '}');
}

static void
json_stranded(struct dcp_json *w, const struct dcp_ledgers *all,
              const struct dcp_ledger *l)
{
    dcp_json_kobject(w, "stranded");
    dcp_json_kstring(w, "method",
                     "hosts that are on, filled with typical VMs until one "
                     "resource is full");
    json_amounts(w, all, l, "typical", l->typical);
    dcp_json_karray(w, "by_limiting");
    for (uint32_t r = 0; r < DCP_LEDGER_MAX; r++) {
        if (l->n_limited[r]) {
            dcp_json_begin(w, '{');
            dcp_json_kstring(w, "limiting", dcp_ledger_name(all->inv, r));
            dcp_json_ku64(w, "hosts", l->n_limited[r]);
            json_amounts(w, all, l, "amount", l->stranded[r]);
            dcp_json_end(w, '}');
        }
    }
    dcp_json_end(w, ']');
    dcp_json_end(w, '}');
}

static void
json_shapes(struct dcp_json *w, const struct dcp_ledgers *all,
            const struct dcp_ledger *l)
{
    dcp_json_karray(w, "headroom");
    for (uint32_t i = 0; i < l->n_shapes; i++) {
        const struct dcp_ledger_shape *shape = &l->shapes[i];

        dcp_json_begin_line(w, '{');
        dcp_json_kstring(w, "tier", all->inv->tiers[shape->tier.ix].name);
        dcp_json_ku64(w, "vcpus", shape->vcpus);
        dcp_json_ku64(w, "memory_mib", shape->mem_mib);
        dcp_json_ku64(w, "vms", shape->n_vms);
        dcp_json_ku64(w, "more", shape->more);
        dcp_json_ku64(w, "more_on_hosts_on", shape->more_on);
        dcp_json_kstring(w, "binding",
                         dcp_ledger_name(all->inv, shape->resource));
        dcp_json_kbool(w, "ended_by_reserve", shape->ended_by_reserve);
        dcp_json_end(w, '}');
    }
    dcp_json_end(w, ']');
}

static void
json_ledger(struct dcp_json *w, const struct dcp_ledgers *all,
            const struct dcp_ledger *l)
{
    const struct dcp_demand *d = all->demand;
    char label[64];

    dcp_json_begin(w, '{');
    dcp_json_kstring(w, "site", dcp_ledger_scope(all->inv, l));
    dcp_json_ku64(w, "hosts_total", l->n_hosts);
    dcp_json_ku64(w, "hosts_on", l->n_on);
    dcp_json_ku64(w, "hosts_in_maintenance", l->n_maintenance);
    dcp_json_ku64(w, "vms", l->used.n_vms);
    dcp_json_kstring(w, "binding", dcp_ledger_name(all->inv, l->binding));
    dcp_json_kstring(w, "worst_bucket",
                     dcp_bucket_label(all->inv->policy.buckets,
                                      &all->inv->calendar,
                                      d->slots[l->worst_slot[0]].bucket, label,
                                      sizeof label));
    json_resources(w, all, l);
    json_tiers(w, all, l);
    json_stranded(w, all, l);
    json_shapes(w, all, l);
    dcp_json_kobject(w, "hosts_needed");
    json_need(w, all, "allocated_memory", &l->need_allocated, true);
    json_need(w, all, "active_memory", &l->need_active,
              d->mem_active_mib != NULL);
    dcp_json_end(w, '}');
    dcp_json_end(w, '}');
}

static void
json_purchases(struct dcp_json *w, const struct dcp_ledgers *all)
{
    const struct dcp_purchases *p = &all->purchases;

    dcp_json_karray(w, "purchases");
    for (uint32_t i = 0; i < p->n; i++) {
        const struct dcp_purchase *item = &p->item[i];

        dcp_json_begin_line(w, '{');
        dcp_json_kstring(w, "kind",
                         item->kind == DCP_PURCHASE_HOST ? "host" : "memory");
        dcp_json_kstring(w, "hardware",
                         all->inv->hardware[item->hardware.ix].name);
        dcp_json_ku64(w, "hosts", item->n_hosts);
        dcp_json_ku64(w, "mem_mib", item->mem_mib);
        dcp_json_ku64(w, "vcpus", p->shape.vcpus);
        dcp_json_ku64(w, "vm_mem_mib", p->shape.mem_mib);
        dcp_json_kstring(w, "tier", all->inv->tiers[p->shape.tier.ix].name);
        dcp_json_ki64(w, "more", item->more);
        dcp_json_kdouble(w, "more_per_host", item->more_per_host);
        dcp_json_end(w, '}');
    }
    dcp_json_end(w, ']');
}

int
dcp_capacity_json(const struct dcp_globals *g, const struct dcp_ledgers *all,
                  struct dcp_error *err)
{
    const struct dcp_demand *d = all->demand;
    struct dcp_json w;

    dcp_json_init(&w, true);
    dcp_json_begin(&w, '{');
    dcp_json_kstring(&w, "schema", "dcplan/capacity/1");
    dcp_json_kobject(&w, "demand");
    dcp_json_ku64(&w, "from_trace", d->n_by_source[DCP_DEMAND_TRACE]);
    dcp_json_ku64(&w, "from_short_trace", d->n_by_source[DCP_DEMAND_SHORT]);
    dcp_json_ku64(&w, "from_profile", d->n_by_source[DCP_DEMAND_PROFILE]);
    dcp_json_ku64(&w, "from_allocation", d->n_by_source[DCP_DEMAND_ALLOCATION]);
    dcp_json_end(&w, '}');
    dcp_json_karray(&w, "clusters");
    for (uint32_t i = 0; i < all->n; i++) {
        json_ledger(&w, all, all->item[i]);
    }
    dcp_json_end(&w, ']');
    json_purchases(&w, all);
    dcp_json_kobject(&w, "run");
    dcp_ui_run_members(g, &w);
    dcp_json_end(&w, '}');
    dcp_json_end(&w, '}');
    return dcp_ui_json(&w, 0, err);
}
