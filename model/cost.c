/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Loads are summed in tiles of hosts x slots on the stack: one pass over the
 * VMs per tile, so that the ledger takes no memory and cannot fail. */

#include "model/cost.h"

#include "model/capacity.h"
#include "model/power.h"

#include <string.h>

#define TILE_HOSTS  1024
#define TILE_SLOTS  4
#define MS_PER_HOUR 3600000.0

struct tile {
    uint32_t first_host, n_hosts, first_slot, n_slots;
    double mhz[TILE_HOSTS][TILE_SLOTS];
};

static double
slot_hours(const struct dcp_slot *slot)
{
    return (double)(slot->end_ms - slot->start_ms) / MS_PER_HOUR;
}

static void
add_kwh(const struct dcp_inventory *inv, dcp_site_id site, double it_kwh,
        double price, double carbon_g, struct dcp_energy_sum *sum)
{
    double meter_kwh = it_kwh * dcp_site_pue(inv, site);

    sum->it_kwh += it_kwh;
    sum->meter_kwh += meter_kwh;
    sum->cost += meter_kwh * price;
    sum->carbon_kg += meter_kwh * carbon_g / 1000;
}

/* Tariffs of one slot, looked up when the site changes: neighbours in the
 * tables mostly share theirs. */
struct prices {
    dcp_site_id site;
    bool known;
    double price, carbon_g;
};

static void
add_watts(const struct dcp_inventory *inv, const struct dcp_slot *slot,
          dcp_site_id site, double watts, struct prices *prices,
          struct dcp_energy_sum *sum)
{
    if (!prices->known || !dcp_site_eq(prices->site, site)) {
        dcp_energy_price_mean(inv, site, slot->start_ms, slot->end_ms,
                              &prices->price, &prices->carbon_g);
        prices->site = site;
        prices->known = true;
    }
    add_kwh(inv, site, watts * slot_hours(slot) / 1000, prices->price,
            prices->carbon_g, sum);
}

static void
tile_load(const struct dcp_demand *demand,
          const struct dcp_placement *placement, struct tile *t)
{
    memset(t->mhz, 0, sizeof t->mhz);
    for (uint32_t vm = 0; vm < placement->n_vms; vm++) {
        /* Unplaced VMs are far above every tile. */
        uint32_t at = placement->host[vm].ix - t->first_host;

        if (at >= t->n_hosts) {
            continue;
        }
        const uint32_t *row = demand->cpu_mhz + (size_t)vm * demand->stride;

        for (uint32_t s = 0; s < t->n_slots; s++) {
            t->mhz[at][s] += row[t->first_slot + s];
        }
    }
}

static void
tile_energy(const struct dcp_inventory *inv, const struct dcp_demand *demand,
            const struct dcp_placement *placement, const struct tile *t,
            struct dcp_energy_sum *sum)
{
    for (uint32_t s = 0; s < t->n_slots; s++) {
        const struct dcp_slot *slot = &demand->slots[t->first_slot + s];
        struct prices prices = { .known = false };

        for (uint32_t i = 0; i < t->n_hosts; i++) {
            dcp_host_id host = { t->first_host + i };
            const struct dcp_hardware *hw =
                &inv->hardware[inv->hosts[host.ix].hardware.ix];
            double watts = hw->sleep_w;

            if (placement->on[host.ix]) {
                uint32_t mhz = dcp_host_capacity(inv, host).cpu_mhz;

                watts = dcp_power_at(hw, mhz ? t->mhz[i][s] / mhz : 0);
                sum->host_on_seconds += slot_hours(slot) * 3600;
            }
            add_watts(inv, slot, dcp_host_site(inv, host), watts, &prices, sum);
        }
    }
}

/* What draws the same whatever runs where. */
static void
constant_energy(const struct dcp_inventory *inv, const struct dcp_slot *slot,
                struct dcp_energy_sum *sum)
{
    struct prices prices = { .known = false };

    for (uint32_t i = 0; i < inv->n_switches; i++) {
        add_watts(inv, slot, dcp_rack_site(inv, inv->switches[i].rack),
                  inv->switches[i].power_w, &prices, sum);
    }
    for (uint32_t i = 0; i < inv->n_arrays; i++) {
        add_watts(inv, slot, dcp_rack_site(inv, inv->arrays[i].rack),
                  inv->arrays[i].power_w, &prices, sum);
    }
    for (uint32_t i = 0; i < inv->n_servers; i++) {
        add_watts(inv, slot, dcp_rack_site(inv, inv->servers[i].rack),
                  inv->servers[i].power_w, &prices, sum);
    }
}

struct dcp_energy_sum
dcp_energy_planned(const struct dcp_inventory *inv,
                   const struct dcp_demand *demand,
                   const struct dcp_placement *placement, uint32_t first_slot,
                   uint32_t last_slot)
{
    struct dcp_energy_sum sum = { 0 };
    struct tile t;

    for (uint32_t s = first_slot; s < last_slot; s += TILE_SLOTS) {
        t.first_slot = s;
        t.n_slots = last_slot - s < TILE_SLOTS ? last_slot - s : TILE_SLOTS;
        for (uint32_t h = 0; h < inv->n_hosts; h += TILE_HOSTS) {
            t.first_host = h;
            t.n_hosts =
                inv->n_hosts - h < TILE_HOSTS ? inv->n_hosts - h : TILE_HOSTS;
            tile_load(demand, placement, &t);
            tile_energy(inv, demand, placement, &t, &sum);
        }
        for (uint32_t i = 0; i < t.n_slots; i++) {
            constant_energy(inv, &demand->slots[s + i], &sum);
        }
    }
    return sum;
}

double
dcp_boot_kwh(const struct dcp_hardware *hw)
{
    return (double)hw->boot_ms / MS_PER_HOUR * hw->boot_w / 1000;
}

double
dcp_shutdown_kwh(const struct dcp_hardware *hw)
{
    return (double)hw->shutdown_ms / MS_PER_HOUR * hw->shutdown_w / 1000;
}
