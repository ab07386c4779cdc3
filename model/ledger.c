/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Hosts of the scope get a dense index; loads are kept per host (scalars) and
 * per host and slot (CPU, network), everything in one scratch arena. */

#include "model/ledger.h"

#include "model/ledger_state.h"
#include "model/volume.h"

#include <math.h>
#include <stdlib.h>

/* --- Names -------------------------------------------------------------- */

const char *
dcp_ledger_name(const struct dcp_inventory *inv, uint32_t resource)
{
    switch (resource) {
    case DCP_LEDGER_CPU:
        return "cpu";
    case DCP_LEDGER_NET:
        return "net";
    default:
        return dcp_scalar_name(inv, resource - DCP_LEDGER_SCALAR);
    }
}

const char *
dcp_ledger_unit(uint32_t resource)
{
    switch (resource) {
    case DCP_LEDGER_CPU:
        return "MHz";
    case DCP_LEDGER_NET:
        return "KiB/s";
    default:
        return dcp_scalar_unit(resource - DCP_LEDGER_SCALAR);
    }
}

double
dcp_ledger_used(const struct dcp_ledger *l, uint32_t resource)
{
    return resource < DCP_LEDGER_SCALAR ? l->used.expected[resource]
                                        : l->used.allocated[resource];
}

/* --- Hosts -------------------------------------------------------------- */

static void
to_vector(const struct dcp_capacity *c, double out[DCP_LEDGER_MAX])
{
    out[DCP_LEDGER_CPU] = c->cpu_mhz;
    out[DCP_LEDGER_NET] = c->net_kib_s;
    for (uint32_t s = 0; s < DCP_SCALARS_MAX; s++) {
        out[DCP_LEDGER_SCALAR + s] = c->scalar[s];
    }
}

static bool
in_scope(const struct dcp_inventory *inv, dcp_host_id host, dcp_site_id site)
{
    return dcp_site_is_none(site) ||
           dcp_site_eq(dcp_host_site(inv, host), site);
}

static bool
count_hosts(struct dcp_ledger *l, struct dcp_ledger_state *s)
{
    const struct dcp_inventory *inv = s->inv;

    s->host_at = dcp_arena_array(s->scratch, uint32_t, inv->n_hosts);
    s->hosts =
        dcp_arena_array(s->scratch, struct dcp_ledger_host, inv->n_hosts);
    if (!s->host_at || !s->hosts) {
        return false;
    }
    for (dcp_host_id h = { 0 }; h.ix < inv->n_hosts; h.ix++) {
        s->host_at[h.ix] = UINT32_MAX;
        if (!in_scope(inv, h, l->site)) {
            continue;
        }
        struct dcp_ledger_host *host = &s->hosts[s->n_hosts];
        struct dcp_capacity full = dcp_host_capacity(inv, h);
        struct dcp_capacity usable = dcp_host_usable(inv, h);

        s->host_at[h.ix] = s->n_hosts++;
        host->id = h;
        host->on = s->placement->on[h.ix];
        host->maintenance = inv->hosts[h.ix].state == DCP_HOST_MAINTENANCE;
        to_vector(&full, host->full);
        to_vector(&usable, host->usable);
        l->n_hosts++;
        l->n_on += host->on;
        l->n_maintenance += host->maintenance;
        for (uint32_t r = 0; r < DCP_LEDGER_MAX; r++) {
            l->installed[r] += host->full[r];
            l->usable[r] += host->maintenance ? 0 : host->usable[r];
        }
    }
    return true;
}

/* --- What a loss takes -------------------------------------------------- */

static int
descending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x < y) - (x > y);
}

/* The sum of the 'count' largest domains of that kind in one resource; values
 * has room for all domains. */
static double
largest_loss(const struct dcp_ledger_state *s, const struct dcp_loss *loss,
             uint32_t resource, double *values)
{
    const struct dcp_inventory *inv = s->inv;
    uint32_t n = loss->kind == DCP_LOSS_HOST   ? s->n_hosts
                 : loss->kind == DCP_LOSS_RACK ? inv->n_racks
                                               : inv->n_feeds;
    double sum = 0;

    for (uint32_t i = 0; i < n; i++) {
        values[i] = 0;
    }
    for (uint32_t i = 0; i < s->n_hosts; i++) {
        const struct dcp_ledger_host *h = &s->hosts[i];
        dcp_rack_id rack = inv->hosts[h->id.ix].rack;
        double amount = h->maintenance                    ? 0
                        : inv->policy.survive_to_capacity ? h->full[resource]
                                                          : h->usable[resource];

        if (loss->kind == DCP_LOSS_HOST) {
            values[i] = amount;
        } else if (!dcp_rack_is_none(rack)) {
            const struct dcp_ids *feeds = &inv->racks[rack.ix].feeds;

            if (loss->kind == DCP_LOSS_RACK) {
                values[rack.ix] += amount;
            } else if (feeds->n == 1) {
                values[feeds->ix[0]] += amount; /* No second feed. */
            }
        }
    }
    qsort(values, n, sizeof *values, descending);
    for (uint32_t i = 0; i < n && i < loss->count; i++) {
        sum += values[i];
    }
    return sum;
}

static bool
count_reserve(struct dcp_ledger *l, struct dcp_ledger_state *s)
{
    const struct dcp_policy *policy = &s->inv->policy;
    size_t most = (size_t)s->n_hosts + s->inv->n_racks + s->inv->n_feeds;
    double *values = dcp_arena_array(s->scratch, double, most);

    if (!values) {
        return false;
    }
    for (uint32_t r = 0; r < DCP_LEDGER_MAX; r++) {
        double full = 0;

        for (uint32_t i = 0; i < s->n_hosts; i++) {
            full += s->hosts[i].maintenance ? 0 : s->hosts[i].full[r];
        }
        l->after_loss[r] = l->usable[r];
        for (uint32_t k = 0; k < policy->n_survive; k++) {
            double left = (policy->survive_to_capacity ? full : l->usable[r]) -
                          largest_loss(s, &policy->survive[k], r, values);

            l->after_loss[r] = fmin(l->after_loss[r], fmax(left, 0));
        }
    }
    return true;
}

/* --- What is used ------------------------------------------------------- */

static double
peak_of(const uint32_t *row, uint32_t n_slots)
{
    uint32_t peak = 0;

    for (uint32_t t = 0; row && t < n_slots; t++) {
        peak = row[t] > peak ? row[t] : peak;
    }
    return peak;
}

void
dcp_ledger_vm_vector(const struct dcp_ledger_state *s, dcp_vm_id vm,
                     dcp_host_id host, double out[DCP_LEDGER_MAX])
{
    uint32_t request[DCP_SCALARS_MAX];
    const struct dcp_demand *d = s->demand;
    const uint32_t *net = d->net_kib_s;

    dcp_vm_request(s->inv, vm,
                   dcp_host_is_none(host) ? dcp_hypervisor_none()
                                          : s->inv->hosts[host.ix].hypervisor,
                   request);
    dcp_volume_measured(s->inv, d, vm.ix, request);
    out[DCP_LEDGER_CPU] =
        peak_of(d->cpu_mhz + (size_t)vm.ix * d->stride, d->n_slots);
    out[DCP_LEDGER_NET] =
        peak_of(net ? net + (size_t)vm.ix * d->stride : NULL, d->n_slots);
    for (uint32_t r = 0; r < DCP_SCALARS_MAX; r++) {
        out[DCP_LEDGER_SCALAR + r] = request[r];
    }
}

static void
add_vm(const struct dcp_ledger_state *s, dcp_vm_id id, dcp_host_id host,
       const struct dcp_ledger *l, struct dcp_ledger_use *use)
{
    const struct dcp_vm *vm = &s->inv->vms[id.ix];
    const struct dcp_demand *d = s->demand;
    size_t row = (size_t)id.ix * d->stride;
    double v[DCP_LEDGER_MAX];

    dcp_ledger_vm_vector(s, id, host, v);
    use->n_vms++;
    use->n_vcpus += vm->vcpus;
    use->allocated[DCP_LEDGER_CPU] += dcp_vm_ceiling_mhz(s->inv, id, host);
    use->reserved[DCP_LEDGER_CPU] += vm->cpu_reservation_mhz;
    use->reserved[DCP_LEDGER_SCALAR + DCP_SCALAR_MEM] +=
        (double)vm->mem_reservation_mib;
    for (uint32_t r = DCP_LEDGER_SCALAR; r < DCP_LEDGER_MAX; r++) {
        use->allocated[r] += v[r];
    }
    if (dcp_host_is_none(host) || !d->n_slots) {
        return;
    }
    use->expected[DCP_LEDGER_CPU] += d->cpu_mhz[row + l->worst_slot[0]];
    if (d->net_kib_s) {
        use->expected[DCP_LEDGER_NET] += d->net_kib_s[row + l->worst_slot[1]];
    }
    use->expected[DCP_LEDGER_SCALAR + DCP_SCALAR_MEM] +=
        d->mem_active_mib ? d->mem_active_mib[id.ix]
                          : v[DCP_LEDGER_SCALAR + DCP_SCALAR_MEM];
}

/* Loads by host and slot, and the slot in which their sum is highest. */
static bool
count_loads(struct dcp_ledger *l, struct dcp_ledger_state *s)
{
    const struct dcp_demand *d = s->demand;
    size_t n = (size_t)s->n_hosts * d->n_slots;

    for (uint32_t k = 0; k < 2; k++) {
        const uint32_t *rows = k ? d->net_kib_s : d->cpu_mhz;
        double *sum = dcp_arena_array(s->scratch, double, d->n_slots);

        s->load[k] = dcp_arena_array(s->scratch, double, n);
        if (!s->load[k] || !sum) {
            return false;
        }
        for (uint32_t vm = 0; rows && vm < d->n_vms; vm++) {
            dcp_host_id host = s->placement->host[vm];

            if (dcp_host_is_none(host) || s->host_at[host.ix] == UINT32_MAX) {
                continue;
            }
            size_t at = (size_t)s->host_at[host.ix] * d->n_slots;

            for (uint32_t t = 0; t < d->n_slots; t++) {
                uint32_t x = rows[(size_t)vm * d->stride + t];

                s->load[k][at + t] += x;
                sum[t] += x;
            }
        }
        for (uint32_t t = 1; t < d->n_slots; t++) {
            if (sum[t] > sum[l->worst_slot[k]]) {
                l->worst_slot[k] = t;
            }
        }
    }
    return true;
}

static void
count_vms(struct dcp_ledger *l, struct dcp_ledger_state *s)
{
    const struct dcp_inventory *inv = s->inv;

    for (dcp_vm_id vm = { 0 }; vm.ix < inv->n_vms; vm.ix++) {
        dcp_host_id host = s->placement->host[vm.ix];
        double v[DCP_LEDGER_MAX];

        if (dcp_host_is_none(host) ? !dcp_site_is_none(l->site)
                                   : s->host_at[host.ix] == UINT32_MAX) {
            continue;
        }
        s->vms[s->n_vms++] = vm.ix;
        add_vm(s, vm, host, l, &l->used);
        add_vm(s, vm, host, l, &l->tiers[inv->vms[vm.ix].tier.ix]);
        if (dcp_host_is_none(host)) {
            continue;
        }
        struct dcp_ledger_host *on = &s->hosts[s->host_at[host.ix]];

        dcp_ledger_vm_vector(s, vm, host, v);
        for (uint32_t r = DCP_LEDGER_SCALAR; r < DCP_LEDGER_MAX; r++) {
            on->used[r] += v[r];
        }
    }
    for (uint32_t i = 0; i < s->n_hosts; i++) {
        for (uint32_t k = 0; k < 2; k++) {
            const double *row = s->load[k] + (size_t)i * s->demand->n_slots;

            for (uint32_t t = 0; t < s->demand->n_slots; t++) {
                s->hosts[i].used[k] = fmax(s->hosts[i].used[k], row[t]);
            }
        }
    }
}

static void
find_binding(struct dcp_ledger *l)
{
    double worst = -1;

    for (uint32_t r = 0; r < DCP_LEDGER_MAX; r++) {
        double used = dcp_ledger_used(l, r);
        double frac = used <= 0              ? 0
                      : l->after_loss[r] > 0 ? used / l->after_loss[r]
                                             : INFINITY;

        if (l->installed[r] > 0 && frac > worst) {
            worst = frac;
            l->binding = r;
        }
    }
}

struct dcp_ledger *
dcp_ledger_create(const struct dcp_inventory *inv,
                  const struct dcp_demand *demand,
                  const struct dcp_placement *placement, dcp_site_id site,
                  struct dcp_error *err)
{
    struct dcp_arena *arena = dcp_arena_create(0);
    DCP_AUTO(dcp_arena) struct dcp_arena *scratch = dcp_arena_create(0);
    struct dcp_ledger *l =
        arena ? dcp_arena_new(arena, struct dcp_ledger) : NULL;
    struct dcp_ledger_state s = {
        .inv = inv, .demand = demand, .placement = placement, .scratch = scratch
    };

    if (l && scratch) {
        l->arena = arena;
        l->site = site;
        l->tiers = dcp_arena_array(arena, struct dcp_ledger_use, inv->n_tiers);
        s.vms = dcp_arena_array(scratch, uint32_t, inv->n_vms);
    }
    if (!l || !scratch || !l->tiers || !s.vms || !count_hosts(l, &s) ||
        !count_reserve(l, &s) || !count_loads(l, &s)) {
        goto no_memory;
    }
    count_vms(l, &s);
    find_binding(l);
    if (!dcp_ledger_strand(l, &s) || !dcp_ledger_need_hosts(l, &s) ||
        !dcp_ledger_count_shapes(l, &s)) {
        goto no_memory;
    }
    return l;

no_memory:
    dcp_arena_destroy(arena);
    (void)dcp_fail(err, DCP_E_NOMEM, "no memory for the capacity ledger");
    return NULL;
}

void
dcp_ledger_destroy(struct dcp_ledger *l)
{
    if (l) {
        dcp_arena_destroy(l->arena);
    }
}
