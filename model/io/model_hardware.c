/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Sites, rooms, feeds, racks, models of machines, hypervisors. */

#include "model/io/model_reader.h"
#include "model/io/schema_rows.h"
#include "model/io/zone.h"

#include <string.h>

const struct dcp_zone *
dcp_reader_zone(struct dcp_reader *r, const struct dcp_yaml *node)
{
    struct dcp_error err = { 0 };

    if (!dcp_reader_scalar(r, "timezone", node)) {
        return NULL;
    }
    for (uint32_t i = 0; i < r->n_zones; i++) {
        if (!strcmp(r->zones[i]->name, node->text)) {
            return r->zones[i];
        }
    }
    const struct dcp_zone *zone =
        dcp_zone_load(r->inv->arena, node->text, &err);

    if (!zone) {
        dcp_reader_error(r, node->pos, "timezone: %s", err.message);
    } else if (r->n_zones < sizeof r->zones / sizeof r->zones[0]) {
        r->zones[r->n_zones++] = zone;
    }
    return zone;
}

/* PUE from the temperature of the supplied air: see the help of the rows. */
static double
pue_of_cooling(struct dcp_reader *r, const struct dcp_yaml *node)
{
    const struct dcp_schema_section *s = &dcp_schema_cooling;
    const struct dcp_yaml *supply = dcp_yaml_get(node, "supply");
    const struct dcp_yaml *given = dcp_yaml_get(node, "losses");
    double t = 20, losses_frac = 0.08;

    if (supply) {
        (void)dcp_reader_number(r, dcp_schema_row(s, "supply"), supply, &t);
    }
    if (given) {
        (void)dcp_reader_number(r, dcp_schema_row(s, "losses"), given,
                                &losses_frac);
    }
    return (1 + losses_frac) * (1 + 1 / (0.0068 * t * t + 0.0008 * t + 0.458));
}

static void
read_site_plant(struct dcp_reader *r, struct dcp_site *site,
                const struct dcp_yaml *node)
{
    static const char *const instead[] = { "pue", "pue_marginal", "cooling" };
    const struct dcp_yaml *plant = dcp_yaml_get(node, "plant");

    for (size_t i = 0; plant && i < sizeof instead / sizeof instead[0]; i++) {
        if (dcp_yaml_get(node, instead[i])) {
            dcp_reader_error(r, plant->pos,
                             "plant: %s is given as well; keep one",
                             instead[i]);
            return;
        }
    }
    if (plant) {
        site->plant = dcp_read_plant(r, plant);
    }
}

static void
finish_site(struct dcp_reader *r, uint32_t ix, void *base,
            const struct dcp_yaml *node)
{
    struct dcp_site *site = base;
    const struct dcp_yaml *cooling = dcp_yaml_get(node, "cooling");
    const struct dcp_yaml *timezone = dcp_yaml_get(node, "timezone");

    (void)ix;
    if (cooling && site->pue > 0) {
        dcp_reader_error(r, cooling->pos,
                         "cooling: pue is given as well; keep one");
    } else if (cooling) {
        site->pue = pue_of_cooling(r, cooling);
    }
    read_site_plant(r, site, node);
    if (site->pue <= 0) {
        site->pue = 1;
    }
    if (site->pue_marginal <= 0) {
        site->pue_marginal = site->pue;
    }
    const struct dcp_zone *zone =
        timezone ? dcp_reader_zone(r, timezone) : NULL;

    site->zone = zone ? zone : r->inv->zone;
}

static void
finish_feed(struct dcp_reader *r, uint32_t ix, void *base,
            const struct dcp_yaml *node)
{
    struct dcp_feed *feed = base;
    const struct dcp_yaml *side = dcp_yaml_get(node, "side");
    uint32_t choice;

    (void)ix;
    if (side && dcp_reader_choice(r, dcp_schema_row(&dcp_schema_feed, "side"),
                                  side, &choice)) {
        feed->side = choice ? 'B' : 'A';
    }
}

void
dcp_read_places(struct dcp_reader *r)
{
    struct dcp_inventory *inv = r->inv;

    dcp_reader_table(r, DCP_KIND_SITE, &inv->sites, &inv->n_sites, finish_site);
    dcp_reader_table(r, DCP_KIND_ROOM, &inv->rooms, &inv->n_rooms, NULL);
    dcp_reader_table(r, DCP_KIND_FEED, &inv->feeds, &inv->n_feeds, finish_feed);
    dcp_reader_table(r, DCP_KIND_RACK, &inv->racks, &inv->n_racks, NULL);
}

/* --- Hardware ----------------------------------------------------------- */

/* Median shape of the 107 two-socket SPECpower_ssj2008 results with hardware
 * of 2016 and later (watts over watts at 100 %), and their median watts per
 * core at 100 % load. */
static const double generic_shape[DCP_POWER_POINTS] = {
    0.183, 0.329, 0.384, 0.44, 0.486, 0.539, 0.603, 0.667, 0.769, 0.892, 1
};
#define GENERIC_W_PER_CORE 7.25

static void
generic_power(struct dcp_reader *r, struct dcp_hardware *hw, struct dcp_pos pos)
{
    double full_w = GENERIC_W_PER_CORE * hw->sockets * hw->cores_per_socket;

    for (uint32_t i = 0; i < DCP_POWER_POINTS; i++) {
        hw->power_w[i] = full_w * generic_shape[i];
    }
    dcp_reader_warn(r, pos,
                    "no power curve; a generic one of %.0f to %.0f W is used "
                    "(7.25 W per core at full load); give 'power'",
                    hw->power_w[0], hw->power_w[DCP_POWER_POINTS - 1]);
}

static bool
read_power(struct dcp_reader *r, struct dcp_hardware *hw,
           const struct dcp_yaml *node)
{
    const struct dcp_schema_row *row =
        dcp_schema_row(&dcp_schema_hardware, "power");
    uint32_t n;
    const struct dcp_yaml *items = dcp_reader_items(r, node, &n);

    if (n != DCP_POWER_POINTS) {
        dcp_reader_error(r, node->pos,
                         "power: %u values where 11 are needed, at 0, 10 ... "
                         "100 %% load",
                         n);
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (!dcp_reader_number(r, row, &items[i], &hw->power_w[i])) {
            return false;
        }
        if (i && hw->power_w[i] < hw->power_w[i - 1]) {
            dcp_reader_error(r, items[i].pos,
                             "power: '%.20s' at %u %% load is below the value "
                             "before it; a curve never falls",
                             items[i].text, 10 * i);
            return false;
        }
    }
    return true;
}

static void
read_nics(struct dcp_reader *r, struct dcp_hardware *hw,
          const struct dcp_yaml *node)
{
    const struct dcp_schema_row *row =
        dcp_schema_row(&dcp_schema_hardware, "nics");
    uint32_t n;
    const struct dcp_yaml *items = dcp_reader_items(r, node, &n);
    uint64_t *nic_kib_s = dcp_reader_array(r, n, sizeof *nic_kib_s);

    for (uint32_t i = 0; nic_kib_s && i < n; i++) {
        double rate;

        if (dcp_reader_number(r, row, &items[i], &rate)) {
            nic_kib_s[hw->n_nics++] = (uint64_t)(rate + 0.5);
        }
    }
    hw->nic_kib_s = nic_kib_s;
}

static void
finish_hardware(struct dcp_reader *r, uint32_t ix, void *base,
                const struct dcp_yaml *node)
{
    struct dcp_hardware *hw = base;
    const struct dcp_yaml *power = dcp_yaml_get(node, "power");
    struct dcp_pos pos = r->tables[DCP_KIND_HARDWARE].items[ix].pos;

    read_nics(r, hw, dcp_yaml_get(node, "nics"));
    dcp_reader_extras(r, dcp_yaml_get(node, "extras"), hw->extras);
    hw->speed_factor_known = hw->speed_factor > 0;
    if (!hw->speed_factor_known) {
        hw->speed_factor = 1;
        if (!dcp_yaml_get(node, "speed_factor")) {
            dcp_reader_warn(r, pos,
                            "no speed_factor; 1 is used, so demand measured "
                            "on another model may be off (import csv "
                            "--power-curves joins one)");
        }
    }
    if (!hw->numa_nodes) {
        hw->numa_nodes = hw->sockets;
    }
    if (hw->huge_pages_mib > hw->mem_mib) {
        dcp_reader_error(r, dcp_yaml_get(node, "huge_pages")->pos,
                         "huge_pages: more than its memory");
    }
    hw->power_known = power && read_power(r, hw, power);
    if (!power) {
        generic_power(r, hw, pos);
    }
    if (hw->boot_w <= 0) {
        hw->boot_w = hw->power_w[5];
    }
    if (hw->shutdown_w <= 0) {
        hw->shutdown_w = hw->power_w[1];
    }
}

/* --- Hypervisors -------------------------------------------------------- */

#define ALL_TRANSPORTS                                                         \
    (DCP_TRANSPORT_LOCAL | DCP_TRANSPORT_NFS | DCP_TRANSPORT_ISCSI |           \
     DCP_TRANSPORT_FC | DCP_TRANSPORT_INFINIBAND | DCP_TRANSPORT_NBD)
#define NO_NBD (ALL_TRANSPORTS & ~(uint32_t)DCP_TRANSPORT_NBD)

#define CAN(NAME) (UINT32_C(1) << DCP_CAPABILITY_##NAME)
#define CAN_ALL   ((UINT32_C(1) << DCP_CAPABILITIES) - 1)
#define CONTAINER                                                              \
    (CAN(CPU_HOTPLUG) | CAN(MEMORY_HOTPLUG) | CAN(SNAPSHOTS))

/* What each can do is said with its source in docs/hypervisors.md; live
 * migration is added from its own key.
 *
 * Memory overheads are 0: they differ by version and setting, the default
 * memory target of 90 % leaves room for them, and a site that has measured
 * its own states them. */
static const struct dcp_hypervisor builtin[] = {
    { .name = "qemu",
      .capabilities = CAN_ALL & ~CAN(FAULT_TOLERANCE),
      .needs_vt = true,
      .windows = true,
      .live_migration = true,
      .ballooning = true,
      .shares = true,
      .transports = ALL_TRANSPORTS },
    { .name = "xen",
      .capabilities = CAN(UEFI) | CAN(PASSTHROUGH) | CAN(SRIOV) |
                      CAN(VGPU) | CAN(CPU_HOTPLUG) | CAN(SNAPSHOTS),
      .needs_vt = true,
      .windows = true,
      .live_migration = true,
      .ballooning = true,
      .shares = true,
      .transports = ALL_TRANSPORTS },
    { .name = "xen-pv",
      .capabilities = CAN(PASSTHROUGH) | CAN(SRIOV) | CAN(CPU_HOTPLUG) |
                      CAN(SNAPSHOTS),
      .paravirtualised = true,
      .live_migration = true,
      .ballooning = true,
      .shares = true,
      .transports = ALL_TRANSPORTS },
    { .name = "esx",
      .capabilities = CAN_ALL,
      .needs_vt = true,
      .windows = true,
      .live_migration = true,
      .ballooning = true,
      .shares = true,
      .transports = NO_NBD },
    { .name = "hyperv",
      .capabilities = CAN_ALL & ~(CAN(CPU_HOTPLUG) | CAN(FAULT_TOLERANCE)),
      .needs_vt = true,
      .windows = true,
      .live_migration = true,
      .ballooning = true,
      .shares = true,
      .transports =
          DCP_TRANSPORT_LOCAL | DCP_TRANSPORT_ISCSI | DCP_TRANSPORT_FC },
    { .name = "lxc",
      .capabilities = CONTAINER,
      .paravirtualised = true,
      .ballooning = true,
      .shares = true,
      .transports = ALL_TRANSPORTS },
    { .name = "openvz",
      .capabilities = CONTAINER,
      .paravirtualised = true,
      .live_migration = true,
      .ballooning = true,
      .shares = true,
      .transports = ALL_TRANSPORTS },
    { .name = "vbox",
      .capabilities = CAN(UEFI) | CAN(SECURE_BOOT) | CAN(VTPM) |
                      CAN(NESTED) | CAN(CPU_HOTPLUG) | CAN(SNAPSHOTS),
      .needs_vt = true,
      .windows = true,
      .live_migration = true,
      .ballooning = true,
      .transports =
          DCP_TRANSPORT_LOCAL | DCP_TRANSPORT_NFS | DCP_TRANSPORT_ISCSI },
    { .name = "bhyve",
      .capabilities = CAN(UEFI) | CAN(PASSTHROUGH) | CAN(SRIOV),
      .needs_vt = true,
      .windows = true,
      .transports =
          DCP_TRANSPORT_LOCAL | DCP_TRANSPORT_NFS | DCP_TRANSPORT_ISCSI },
};

const struct dcp_hypervisor *
dcp_builtin_hypervisor(uint32_t i)
{
    return i < sizeof builtin / sizeof builtin[0] ? &builtin[i] : NULL;
}

static void
finish_hypervisor(struct dcp_reader *r, struct dcp_hypervisor *hv,
                  const struct dcp_yaml *node)
{
    const struct dcp_schema_section *s = &dcp_schema_hypervisor;
    const struct dcp_yaml *mode = dcp_yaml_get(node, "mode");
    const struct dcp_yaml *resources = dcp_yaml_get(node, "resources");
    const struct dcp_yaml *transports = dcp_yaml_get(node, "transports");
    const struct dcp_yaml *capabilities = dcp_yaml_get(node, "capabilities");
    uint32_t choice;

    if (mode &&
        dcp_reader_choice(r, dcp_schema_row(s, "mode"), mode, &choice)) {
        hv->paravirtualised = choice == 1;
    }
    if (resources && dcp_reader_choice(r, dcp_schema_row(s, "resources"),
                                       resources, &choice)) {
        hv->dedicated = choice == 1;
    }
    if (transports) {
        hv->transports =
            dcp_reader_bits(r, dcp_schema_row(s, "transports"), transports);
    }
    if (capabilities) {
        hv->capabilities =
            dcp_reader_bits(r, dcp_schema_row(s, "capabilities"), capabilities);
    }
}

static void
read_hypervisors(struct dcp_reader *r)
{
    const struct dcp_entries *t = &r->tables[DCP_KIND_HYPERVISOR];
    struct dcp_hypervisor *all = dcp_reader_array(r, t->n, sizeof *all);

    for (uint32_t i = 0; all && i < t->n; i++) {
        const struct dcp_entry *entry = &t->items[i];

        dcp_reader_object(r, "hypervisor", entry->name);
        if (dcp_builtin_hypervisor(i)) {
            all[i] = builtin[i];
        } else {
            dcp_reader_defaults(r, &dcp_schema_hypervisor, &all[i]);
            all[i].transports = ALL_TRANSPORTS;
            all[i].capabilities = CAN_ALL;
        }
        all[i].name = entry->name;
        if (entry->node && dcp_reader_section(r, &dcp_schema_hypervisor,
                                              entry->node, &all[i])) {
            finish_hypervisor(r, &all[i], entry->node);
        }
        all[i].capabilities &= ~CAN(LIVE_MIGRATION);
        all[i].capabilities |=
            all[i].live_migration ? CAN(LIVE_MIGRATION) : 0;
    }
    r->inv->hypervisors = all;
    r->inv->n_hypervisors = all ? t->n : 0;
}

void
dcp_read_hardware(struct dcp_reader *r)
{
    dcp_reader_table(r, DCP_KIND_HARDWARE, &r->inv->hardware,
                     &r->inv->n_hardware, finish_hardware);
    read_hypervisors(r);
}
