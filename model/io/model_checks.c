/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Checks between tables, of what stands where: racks, VLANs, generations,
 * hypervisors.  Ids may be none here, where an error was reported already. */

#include "model/io/model_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RACK_UNITS_MAX 128

/* Who takes each unit of each rack: 0 nobody, else 1 + host, or
 * SERVER_BIT | server. */
#define SERVER_BIT UINT32_C(0x80000000)

static const char *
taker(const struct dcp_inventory *inv, uint32_t who)
{
    return who & SERVER_BIT ? inv->servers[who & ~SERVER_BIT].name
                            : inv->hosts[who - 1].name;
}

static void
take_units(struct dcp_reader *r, uint32_t *units, dcp_rack_id rack,
           uint32_t first, uint32_t height, uint32_t who, struct dcp_pos pos)
{
    const struct dcp_rack *k = &r->inv->racks[rack.ix];
    uint32_t *mine = units + (size_t)rack.ix * RACK_UNITS_MAX;

    if (first + height - 1 > k->height_u || first + height > RACK_UNITS_MAX) {
        dcp_reader_error(r, pos,
                         "unit: %u to %u is above rack '%.60s', which has %u",
                         first, first + height - 1, k->name, k->height_u);
        return;
    }
    for (uint32_t u = first; u < first + height; u++) {
        if (mine[u]) {
            dcp_reader_error(r, pos,
                             "unit: %u of rack '%.60s' is taken by '%.60s'", u,
                             k->name, taker(r->inv, mine[u]));
            return;
        }
    }
    for (uint32_t u = first; u < first + height; u++) {
        mine[u] = who;
    }
}

static void
check_units(struct dcp_reader *r)
{
    const struct dcp_inventory *inv = r->inv;
    uint32_t *units = dcp_arena_calloc(
        r->scratch, (size_t)inv->n_racks * RACK_UNITS_MAX, sizeof *units);

    if (!units) {
        r->no_memory = true;
        return;
    }
    for (uint32_t i = 0; i < inv->n_servers; i++) {
        const struct dcp_server *s = &inv->servers[i];

        dcp_reader_object(r, "server", s->name);
        if (!dcp_rack_is_none(s->rack) && s->unit_first &&
            s->unit_last >= s->unit_first) {
            take_units(r, units, s->rack, s->unit_first,
                       s->unit_last - s->unit_first + 1, SERVER_BIT | i,
                       r->tables[DCP_KIND_SERVER].items[i].pos);
        }
    }
    for (uint32_t i = 0; i < inv->n_hosts; i++) {
        const struct dcp_host *h = &inv->hosts[i];

        dcp_reader_object(r, "host", h->name);
        if (!dcp_rack_is_none(h->rack) && h->unit &&
            !dcp_hardware_is_none(h->hardware)) {
            take_units(r, units, h->rack, h->unit,
                       inv->hardware[h->hardware.ix].height_u, i + 1, h->pos);
        }
    }
}

/* What the machines of a rack can draw at full load, against its limit. */
static void
check_power(struct dcp_reader *r)
{
    const struct dcp_inventory *inv = r->inv;
    double *peak_w = dcp_arena_array(r->scratch, double, inv->n_racks);

    if (!peak_w) {
        r->no_memory = true;
        return;
    }
    for (uint32_t i = 0; i < inv->n_hosts; i++) {
        const struct dcp_host *h = &inv->hosts[i];

        if (!dcp_rack_is_none(h->rack) && !dcp_hardware_is_none(h->hardware)) {
            peak_w[h->rack.ix] +=
                inv->hardware[h->hardware.ix].power_w[DCP_POWER_POINTS - 1];
        }
    }
    for (uint32_t i = 0; i < inv->n_servers; i++) {
        if (!dcp_rack_is_none(inv->servers[i].rack)) {
            peak_w[inv->servers[i].rack.ix] += inv->servers[i].power_w;
        }
    }
    for (uint32_t i = 0; i < inv->n_racks; i++) {
        if (inv->racks[i].limit_w && peak_w[i] > inv->racks[i].limit_w) {
            dcp_reader_object(r, "rack", inv->racks[i].name);
            dcp_reader_warn(r, r->tables[DCP_KIND_RACK].items[i].pos,
                            "its machines can draw %.0f W at full load, above "
                            "its limit of %u W",
                            peak_w[i], inv->racks[i].limit_w);
        }
    }
}

static void
check_rooms(struct dcp_reader *r)
{
    const struct dcp_inventory *inv = r->inv;

    for (uint32_t i = 0; i < inv->n_racks; i++) {
        const struct dcp_rack *k = &inv->racks[i];

        for (uint32_t f = 0; f < k->feeds.n; f++) {
            const struct dcp_feed *feed = &inv->feeds[k->feeds.ix[f]];

            if (!dcp_room_is_none(k->room) && !dcp_room_is_none(feed->room) &&
                k->room.ix != feed->room.ix) {
                dcp_reader_object(r, "rack", k->name);
                dcp_reader_error(r, r->tables[DCP_KIND_RACK].items[i].pos,
                                 "feeds: '%.60s' is in room '%.60s', the rack "
                                 "in '%.60s'",
                                 feed->name, inv->rooms[feed->room.ix].name,
                                 inv->rooms[k->room.ix].name);
            }
        }
    }
}

static void
check_vlans(struct dcp_reader *r)
{
    const struct dcp_inventory *inv = r->inv;
    uint32_t *by_id = dcp_arena_array(r->scratch, uint32_t, 4096);

    if (!by_id) {
        r->no_memory = true;
        return;
    }
    for (uint32_t i = 0; i < inv->n_vlans; i++) {
        uint32_t id = inv->vlans[i].id;

        if (id < 1 || id > 4094) {
            continue; /* Reported. */
        }
        if (by_id[id]) {
            dcp_reader_object(r, "vlan", inv->vlans[i].name);
            dcp_reader_error(r, r->tables[DCP_KIND_VLAN].items[i].pos,
                             "id: %u is that of '%.60s' already", id,
                             inv->vlans[by_id[id] - 1].name);
        }
        by_id[id] = i + 1;
    }
}

static bool
knows_generation(const struct dcp_inventory *inv, const char *name)
{
    return !*name || dcp_inventory_generation(inv, name) != UINT32_MAX;
}

static void
check_generations(struct dcp_reader *r)
{
    const struct dcp_inventory *inv = r->inv;

    for (uint32_t i = 0; i < inv->n_hardware; i++) {
        if (!knows_generation(inv, inv->hardware[i].cpu_generation)) {
            dcp_reader_object(r, "hardware", inv->hardware[i].name);
            dcp_reader_warn(r, r->tables[DCP_KIND_HARDWARE].items[i].pos,
                            "cpu_generation '%.40s' is not in 'generations', "
                            "so VMs that need a generation do not run on it; "
                            "list it",
                            inv->hardware[i].cpu_generation);
        }
    }
    for (uint32_t i = 0; i < inv->n_vms; i++) {
        if (!knows_generation(inv, inv->vms[i].cpu_generation_min)) {
            dcp_reader_object(r, "vm", inv->vms[i].name);
            dcp_reader_error(r, inv->vms[i].pos,
                             "cpu_generation '%.40s' is not in 'generations'; "
                             "list it",
                             inv->vms[i].cpu_generation_min);
        }
    }
}

static void
check_hypervisors(struct dcp_reader *r)
{
    const struct dcp_inventory *inv = r->inv;

    for (uint32_t i = 0; i < inv->n_hosts; i++) {
        const struct dcp_host *h = &inv->hosts[i];

        if (dcp_hypervisor_is_none(h->hypervisor) ||
            dcp_hardware_is_none(h->hardware)) {
            continue;
        }
        const struct dcp_hypervisor *hv = &inv->hypervisors[h->hypervisor.ix];

        if (hv->needs_vt && !inv->hardware[h->hardware.ix].vt) {
            dcp_reader_object(r, "host", h->name);
            dcp_reader_error(r, h->pos,
                             "hypervisor '%.40s' needs VT, which hardware "
                             "'%.60s' does not have",
                             hv->name, inv->hardware[h->hardware.ix].name);
        }
    }
}

static void
check_quotas(struct dcp_reader *r)
{
    const struct dcp_inventory *inv = r->inv;
    uint64_t *mem_mib = dcp_arena_array(r->scratch, uint64_t, inv->n_tenants);
    uint64_t *vcpus = dcp_arena_array(r->scratch, uint64_t, inv->n_tenants);

    if (!mem_mib || !vcpus) {
        r->no_memory = true;
        return;
    }
    for (uint32_t v = 0; v < inv->n_vms; v++) {
        dcp_tenant_id t = inv->vms[v].tenant;

        if (!dcp_tenant_is_none(t)) {
            mem_mib[t.ix] += inv->vms[v].mem_mib;
            vcpus[t.ix] += inv->vms[v].vcpus;
        }
    }
    for (uint32_t t = 0; t < inv->n_tenants; t++) {
        const struct dcp_tenant *tenant = &inv->tenants[t];
        struct dcp_pos pos = r->tables[DCP_KIND_TENANT].items[t].pos;

        dcp_reader_object(r, "tenant", tenant->name);
        if (tenant->quota_mem_mib && mem_mib[t] > tenant->quota_mem_mib) {
            dcp_reader_warn(r, pos,
                            "its VMs have %llu MiB, above its quota of %llu "
                            "MiB",
                            (unsigned long long)mem_mib[t],
                            (unsigned long long)tenant->quota_mem_mib);
        }
        if (tenant->quota_vcpus && vcpus[t] > tenant->quota_vcpus) {
            dcp_reader_warn(r, pos,
                            "its VMs have %llu vCPUs, above its quota of %u",
                            (unsigned long long)vcpus[t], tenant->quota_vcpus);
        }
    }
}

static void
check_pools(struct dcp_reader *r)
{
    const struct dcp_inventory *inv = r->inv;
    double *used_mib = dcp_arena_array(r->scratch, double, inv->n_pools);

    if (!used_mib) {
        r->no_memory = true;
        return;
    }
    for (uint32_t i = 0; i < inv->n_volumes; i++) {
        if (!dcp_pool_is_none(inv->volumes[i].pool)) {
            used_mib[inv->volumes[i].pool.ix] +=
                (double)inv->volumes[i].size_mib;
        }
    }
    for (uint32_t i = 0; i < inv->n_pools; i++) {
        double limit_mib =
            (double)inv->pools[i].capacity_mib * inv->pools[i].thin_overcommit;

        if (used_mib[i] > limit_mib) {
            dcp_reader_object(r, "pool", inv->pools[i].name);
            dcp_reader_warn(r, r->tables[DCP_KIND_POOL].items[i].pos,
                            "%.0f MiB are provisioned, above capacity x "
                            "thin_overcommit = %.0f MiB",
                            used_mib[i], limit_mib);
        }
    }
}

void
dcp_check_model(struct dcp_reader *r)
{
    static void (*const checks[])(struct dcp_reader *) = {
        check_units,       check_power,       check_rooms,  check_vlans,
        check_generations, check_hypervisors, check_quotas, check_pools,
    };

    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        if (!r->no_memory) {
            checks[i](r);
        }
    }
    dcp_reader_object(r, NULL, NULL);
}
