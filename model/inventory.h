/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_INVENTORY_H
#define DCP_MODEL_INVENTORY_H 1

/* What exists: one table per kind of thing, plus the rules and the policy that
 * were declared for it.  docs/model.md says how each is written in dc.yaml.
 *
 * Built by model/io/, then immutable: it may be shared by threads and by any
 * number of placements.  Everything lives in the inventory's one arena and is
 * freed with it.  Where VMs *run* now is model/placement.h; how much they
 * *use* is model/demand.h; how a plan changes it is model/plan.h.
 *
 * Names are unique within their table.  A reference that is absent is an id
 * with ix == DCP_IX_NONE.  Units: MHz, MiB, KiB/s, ms, W, fractions of 1. */

#include "model/base/arena.h"
#include "model/base/id.h"
#include "model/base/strmap.h"
#include "model/calendar.h"
#include "model/plant.h"
#include "model/policy.h"
#include "model/rule.h"

/* --- Where: sites, rooms, racks, feeds ---------------------------------- */

struct dcp_tariff_row {      /* First row that matches counts. */
    uint32_t day_classes;    /* Bit per class; 0: every day. */
    bool has_hours;
    struct dcp_window hours;
    double price_per_kwh;    /* In the model's currency. */
    double carbon_g_per_kwh;
    /* By the hour, in place of the two where they have a value; NULL: none. */
    const struct dcp_hourly *prices, *carbon;
};
struct dcp_tariff {
    const char *name;
    const struct dcp_tariff_row *rows;
    uint32_t n_rows;
};

struct dcp_site {
    const char *name;
    dcp_tariff_id tariff;
    double pue;               /* Average total/IT power; 1 when not given. */
    double pue_marginal;      /* Share that follows IT load: watts saved per
                               * watt of IT saved; default: pue. */
    const struct dcp_zone *zone; /* Never NULL. */
    /* From which the PUE of each instant follows; NULL: none stated.  The two
     * PUEs above are then its straight line near the site's usual load. */
    const struct dcp_plant *plant;
};
struct dcp_room {
    const char *name;
    dcp_site_id site;
    uint32_t cooling_w; /* Heat that can be taken away; 0: none stated. */
};
struct dcp_feed {
    const char *name;
    dcp_room_id room;
    char side; /* 'A', 'B' or 0. */
    uint32_t limit_w; /* 0: none stated. */
};
struct dcp_rack {
    const char *name;
    dcp_room_id room;
    uint32_t height_u, limit_w; /* limit_w 0: none stated. */
    struct dcp_ids feeds;
};

/* --- Machines ----------------------------------------------------------- */

#define DCP_POWER_POINTS 11 /* At 0, 10 ... 100 % load (SPECpower_ssj2008). */
#define DCP_EXTRAS_MAX 8

struct dcp_hardware {
    const char *name;
    uint32_t sockets, cores_per_socket;
    uint32_t clock_mhz;
    double speed_factor;      /* Work per core-MHz against the reference. */
    bool speed_factor_known;
    uint64_t mem_mib, disk_mib; /* disk: local to the host. */
    /* What its paths to storage pools (host bus adapters) carry together; 0:
     * not stated. */
    uint64_t storage_iops, storage_kib_s;
    uint32_t n_nics;
    const uint64_t *nic_kib_s;  /* One per NIC. */
    uint32_t height_u;
    const char *cpu_generation; /* "" when not given. */
    const char *cpu_arch;       /* "x86_64" when not given. */
    bool vt;                    /* Hardware virtualisation; default true. */
    uint32_t numa_nodes;        /* Default: sockets. */
    uint64_t huge_pages_mib;    /* Memory set aside as huge pages. */
    uint32_t extras[DCP_EXTRAS_MAX]; /* Named resources: see extra_name. */
    double power_w[DCP_POWER_POINTS]; /* Non-decreasing. */
    bool power_known;
    double sleep_w;
    int64_t boot_ms, shutdown_ms;
    double boot_w, shutdown_w;
};

enum dcp_transport { /* Bits. */
    DCP_TRANSPORT_LOCAL = 1,
    DCP_TRANSPORT_NFS = 2,
    DCP_TRANSPORT_ISCSI = 4,
    DCP_TRANSPORT_FC = 8,
    DCP_TRANSPORT_INFINIBAND = 16,
    DCP_TRANSPORT_NBD = 32,
};

/* What a guest may need of a hypervisor.  Names, and what vendors say of each:
 * model/convert.h. */
enum dcp_capability {
    DCP_CAPABILITY_UEFI,
    DCP_CAPABILITY_SECURE_BOOT,
    DCP_CAPABILITY_VTPM,
    DCP_CAPABILITY_PASSTHROUGH, /* A PCI device given to one guest. */
    DCP_CAPABILITY_SRIOV,
    DCP_CAPABILITY_VGPU,
    DCP_CAPABILITY_NESTED, /* The guest is a hypervisor itself. */
    DCP_CAPABILITY_CPU_HOTPLUG,
    DCP_CAPABILITY_MEMORY_HOTPLUG,
    DCP_CAPABILITY_FAULT_TOLERANCE, /* A second copy runs in lockstep. */
    DCP_CAPABILITY_SNAPSHOTS,
    DCP_CAPABILITY_LIVE_MIGRATION, /* Follows from 'live_migration'. */
};
#define DCP_CAPABILITIES (DCP_CAPABILITY_LIVE_MIGRATION + 1)

struct dcp_hypervisor {
    const char *name;
    bool paravirtualised;   /* Else full virtualisation. */
    bool needs_vt;          /* The host's CPU must have VT. */
    bool windows;           /* Windows guests run (they need VT on the host). */
    bool live_migration, ballooning;
    bool dedicated;         /* Resources dedicated, not shared: no overcommit. */
    bool shares;            /* Reservation, limit and shares are enforced. */
    uint32_t transports;    /* enum dcp_transport bits. */
    uint32_t capabilities;  /* Bit per enum dcp_capability. */
    uint32_t vm_overhead_mib, host_overhead_mib;
    double vm_overhead_frac; /* Of the VM's memory, added to the above. */
    uint32_t host_overhead_mhz;
};

struct dcp_port {
    const char *nic;     /* "eth1". */
    dcp_switch_id to;
    const char *port;    /* Name at the switch. */
    struct dcp_ids vlans; /* Trunked there now. */
};

enum dcp_host_state { DCP_HOST_UP, DCP_HOST_STANDBY, DCP_HOST_MAINTENANCE };

struct dcp_host {
    const char *name;
    dcp_hardware_id hardware;
    dcp_rack_id rack; /* May be none. */
    uint32_t unit;    /* Lowest rack unit; 0: not given. */
    dcp_hypervisor_id hypervisor;
    enum dcp_host_state state;
    bool power_off_allowed; /* Policy: may be switched off; default true. */
    uint32_t serves; /* Bits: storage, mirror, gateway, quorum (duty.h). */
    int64_t failed_ms, woke_ms; /* Last time it failed, or was seen to wake; 0:
                                 * not known. */
    const struct dcp_port *ports;
    uint32_t n_ports;
    struct dcp_ids tags; /* Into inventory->tag_name. */
    struct dcp_pos pos;
};

struct dcp_server { /* Physical, not virtual: rack units and watts, no VMs. */
    const char *name;
    dcp_rack_id rack;
    uint32_t unit_first, unit_last;
    uint32_t power_w;
    dcp_tenant_id tenant;
};

/* --- Network and storage ------------------------------------------------ */

struct dcp_switch {
    const char *name;
    dcp_rack_id rack;
    const char *driver; /* "" : VLANs cannot be changed by us. */
    uint32_t power_w;
    uint64_t uplink_kib_s; /* 0: not a limit. */
};
struct dcp_link { /* Uplink, or link between sites. */
    const char *name;
    const char *end[2]; /* Switch or site names. */
    uint64_t rate_kib_s;
};
struct dcp_vlan {
    const char *name;
    uint32_t id; /* 1..4094. */
    const char *subnet, *address_pool; /* "" when not given. */
};

struct dcp_array {
    const char *name;
    dcp_rack_id rack;
    uint32_t power_w;
};
enum dcp_pool_tier { DCP_POOL_ARCHIVE, DCP_POOL_NORMAL, DCP_POOL_ULTRAFAST };
enum dcp_redundancy { DCP_REDUNDANCY_SINGLE, DCP_REDUNDANCY_RAID,
                      DCP_REDUNDANCY_HA };
struct dcp_pool {
    const char *name;
    enum dcp_pool_tier tier;
    enum dcp_redundancy redundancy;
    uint64_t capacity_mib;
    double thin_overcommit; /* Provisioned may be so many times capacity. */
    uint64_t iops, rate_kib_s; /* 0: not stated. */
    bool reach_all;            /* No reach given: every host. */
    struct dcp_ids reach;      /* Hosts, racks resolved. */
    const char *driver;
    uint32_t transport; /* One enum dcp_transport bit. */
    dcp_array_id array;
};
enum dcp_volume_tier { /* Of the pool that it needs to be in. */
    DCP_VOLUME_ANY,    /* That of the pool where it is. */
    DCP_VOLUME_ARCHIVE,
    DCP_VOLUME_NORMAL,
    DCP_VOLUME_ULTRAFAST,
};
struct dcp_volume {
    const char *name; /* "db-1/0": the first of VM db-1; NULL in a model that
                       * was not read. */
    dcp_vm_id vm;
    dcp_pool_id pool; /* Where it is now; none: on the host's own disks. */
    dcp_pool_id given_pool; /* Where dc.yaml has it: differs after a move. */
    uint64_t size_mib;
    uint64_t iops, rate_kib_s; /* Declared use; 0: not known. */
    enum dcp_volume_tier tier;
};

/* --- Who and what runs -------------------------------------------------- */

struct dcp_tenant {
    const char *name;
    uint64_t quota_mem_mib; /* 0: none. */
    uint32_t quota_vcpus;
};
struct dcp_application { /* A group of VMs that start in an order. */
    const char *name;
    struct dcp_ids vms; /* In start order, not ascending. */
    double sla_availability; /* 0: none stated. */
    uint32_t needs; /* So many of its VMs must run for it to be up; 0: all. */
};
struct dcp_tier {
    const char *name;
    double cpu_overcommit;    /* vCPUs per physical core, at most. */
    double memory_overcommit; /* Allocated memory counts divided by this. */
    double percentile;        /* 0.95: demand is planned at the p95. */
    double margin_frac;       /* Added on top. */
    double sla_availability;  /* Of each VM; 0: none stated. */
};
struct dcp_profile { /* Hourly shape where there is no trace. */
    const char *name;
    /* Demand as a share of the VM's CPU, [class][hour]; a class that is not
     * given has the weekday's row. */
    const float *cpu_frac; /* [DCP_DAY_CLASSES_MAX * 24] */
};

enum dcp_disks { /* A VM's volumes in pools. */
    DCP_DISKS_TOGETHER, /* Those that are in one pool stay together. */
    DCP_DISKS_APART,    /* No two in one pool. */
    DCP_DISKS_ANY,
};
enum dcp_restart_priority { DCP_RESTART_LOW, DCP_RESTART_NORMAL,
                            DCP_RESTART_HIGH };

struct dcp_vm {
    const char *name;
    const char *trace;  /* Name in the usage store; own name by default. */
    const char *uuid;   /* "" when not given: see model/identity.h. */
    dcp_host_id host;   /* Where dc.yaml says it starts; none: not placed. */
    dcp_tier_id tier;   /* Always set: "default" where none is given. */
    dcp_tenant_id tenant;
    dcp_application_id application;
    dcp_profile_id profile;
    uint32_t vcpus;
    uint32_t vcpu_mhz;  /* Clock a vCPU was sized at; 0: its host's. */
    uint64_t mem_mib;   /* Allocated. */
    uint32_t cpu_reservation_mhz, cpu_limit_mhz; /* limit 0: none. */
    uint32_t cpu_shares;
    uint64_t mem_reservation_mib, balloon_floor_mib;
    uint64_t dirty_kib_s;         /* Page dirtying rate; 0: not known. */
    uint64_t working_set_mib;     /* Writable; 0: not known. */
    uint64_t huge_pages_mib;
    const char *os;               /* "" when not given. */
    bool windows;
    bool single_numa_node;        /* Must fit one NUMA node. */
    bool movable;                 /* Live migration allowed; default true. */
    enum dcp_restart_priority restart_priority;
    struct dcp_ids hypervisors;   /* Allowed; n == 0: any. */
    uint32_t needs;               /* Bit per enum dcp_capability. */
    int64_t max_downtime_ms;      /* Of a cold step; 0: not stated. */
    const char *cpu_generation_min; /* "" : any; see generation order. */
    uint32_t extras[DCP_EXTRAS_MAX];
    struct dcp_ids vlans;         /* Of its NICs, distinct. */
    uint32_t first_volume, n_volumes; /* Into inventory->volumes. */
    enum dcp_disks disks;
    struct dcp_ids tags;
    struct dcp_pos pos;
};

struct dcp_park { /* VMs that may be parked (model/park.h). */
    struct dcp_ids vms;
    struct dcp_window window; /* In which they may be away. */
    bool shutdown;            /* Shut down instead of saved. */
    int32_t wake_min;         /* Minute of the day from which they run. */
    uint64_t rate_kib_s;      /* Of saving and restoring memory, each VM. */
    struct dcp_pos pos;
};

enum dcp_size_way { DCP_SIZE_BOTH, DCP_SIZE_DOWN, DCP_SIZE_UP };
enum dcp_size_hot { /* What takes hold without a restart. */
    DCP_HOT_NONE,
    DCP_HOT_GROW,
    DCP_HOT_ALL,
};
enum dcp_size_restart { /* When a VM may be restarted to resize it. */
    DCP_RESTART_IN_WINDOW,
    DCP_RESTART_ANY,
    DCP_RESTART_NEVER,
};
enum dcp_size_choose { /* Those that bring the goal something, or all. */
    DCP_SIZE_CHOOSE_USEFUL,
    DCP_SIZE_CHOOSE_ALL,
};

struct dcp_rightsize { /* policy.rightsize (model/rightsize.h). */
    bool vcpus, memory; /* What is resized. */
    enum dcp_size_way way;
    enum dcp_size_choose choose; /* Which VMs are made smaller. */
    double cpu_percentile, cpu_margin_frac;
    double mem_percentile, mem_margin_frac;
    int64_t history_ms; /* Less measured time: the VM is left alone. */
    uint32_t min_vcpus, step_vcpus;
    uint64_t min_mem_mib, step_mem_mib;
    double least_down_frac; /* A smaller change is not worth it. */
    double most_down_frac, most_up_frac; /* At once, of what it has. */
    double at_limit_frac; /* Undersized from this share of samples at its limit
                           * on. */
    int64_t cooldown_ms; /* Since its last resize. */
    uint32_t max_vms;    /* In one plan; 0: no limit. */
    enum dcp_size_hot hot;
    enum dcp_size_restart restart;
    int64_t restart_ms; /* How long a restart takes, hot_ms: without one. */
    int64_t hot_ms;
    struct dcp_ids exclude;
};

struct dcp_conversion { /* A way to another hypervisor (model/convert.h). */
    dcp_hypervisor_id from, to;
    struct dcp_ids vms; /* That may go it. */
    double cost;        /* Money, once for each VM. */
    int64_t payback_ms; /* Over which that is spread: a plan counts the share
                         * of its horizon. */
    int64_t fixed_ms;   /* Stopping, starting, drivers: of each VM. */
    uint64_t rate_kib_s; /* At which disks are converted; 0: they stay as they
                          * are. */
    bool has_window;
    struct dcp_window window; /* In which a VM may be down for it. */
    struct dcp_pos pos;
};

/* --- Licences ----------------------------------------------------------- */

enum dcp_licence_metric {
    DCP_LICENCE_HOST,
    DCP_LICENCE_SOCKET,
    DCP_LICENCE_SOCKET_PAIR,
    DCP_LICENCE_CORE,
    DCP_LICENCE_VCPU,
    DCP_LICENCE_VM,
};
enum dcp_licence_scope {
    DCP_LICENCE_PLACED,      /* Where a covered VM is. */
    DCP_LICENCE_EVER_PLACED, /* Where one was within the horizon. */
    DCP_LICENCE_REACHABLE,   /* Where one could run. */
};
struct dcp_licence {
    const char *name;
    struct dcp_ids vms;   /* Covered VMs. */
    enum dcp_licence_metric metric;
    double minimum;       /* At least so many units per host (or VM). */
    double minimum_per_socket;
    double factor;        /* Units per counted thing; default 1. */
    enum dcp_licence_scope scope;
    bool guests_free_on_host; /* The host's licence covers all its guests. */
    uint32_t guests_per_cover; /* Guests one cover of a host allows; more are
                                * stacked. 0: any number. */
    bool of_hypervisor;           /* Counted on hosts that run 'hypervisor' */
    dcp_hypervisor_id hypervisor; /* and no others. */
    double price_per_year;    /* Per unit. */
    double owned;             /* Units paid for already. */
};

/* --- All of it ---------------------------------------------------------- */

#define DCP_TABLE(TYPE, NAME)                                                  \
    const struct TYPE *NAME;                                                   \
    uint32_t n_##NAME

struct dcp_inventory {
    struct dcp_arena *arena; /* Owns everything below. */
    const char *lineage;     /* UUID, written once by `dcplan init`. */
    const char *currency;
    const struct dcp_zone *zone;
    struct dcp_calendar calendar;

    DCP_TABLE(dcp_tariff, tariffs);
    DCP_TABLE(dcp_site, sites);
    DCP_TABLE(dcp_room, rooms);
    DCP_TABLE(dcp_feed, feeds);
    DCP_TABLE(dcp_rack, racks);
    DCP_TABLE(dcp_hardware, hardware);
    DCP_TABLE(dcp_hypervisor, hypervisors);
    DCP_TABLE(dcp_switch, switches);
    DCP_TABLE(dcp_link, links);
    DCP_TABLE(dcp_vlan, vlans);
    DCP_TABLE(dcp_host, hosts);
    bool wakes_recorded; /* Some host has a woke_ms. */
    DCP_TABLE(dcp_server, servers);
    DCP_TABLE(dcp_array, arrays);
    DCP_TABLE(dcp_pool, pools);
    DCP_TABLE(dcp_volume, volumes);
    DCP_TABLE(dcp_tenant, tenants);
    DCP_TABLE(dcp_application, applications);
    DCP_TABLE(dcp_tier, tiers);
    DCP_TABLE(dcp_profile, profiles);
    DCP_TABLE(dcp_licence, licences);
    DCP_TABLE(dcp_vm, vms);
    DCP_TABLE(dcp_vm, flavours); /* Sizes by name; none of them runs. */

    DCP_TABLE(dcp_rule, rules);
    DCP_TABLE(dcp_park, parks); /* model/park.h */
    struct dcp_rightsize rightsize;
    DCP_TABLE(dcp_conversion, conversions);
    DCP_TABLE(dcp_filter, filters); /* model/filter.h; among 'rules' too. */
    DCP_TABLE(dcp_score, scores);   /* model/score.h */
    DCP_TABLE(dcp_policy_test, policy_tests); /* model/policy_test.h */
    struct dcp_policy policy;

    const char *const *tag_name;
    uint32_t n_tags;
    const char *extra_name[DCP_EXTRAS_MAX];
    uint32_t n_extras;
    /* CPU generations, oldest first; a guest that needs generation g runs on
     * hosts of g or a later one. */
    const char *const *generation_name;
    uint32_t n_generations;

    struct dcp_strmap host_by_name, vm_by_name; /* Names are the tables'. */
    char digest[72]; /* SHA-256 of the model's text, "sha256:..." */
    char policy_digest[72]; /* Of that and the policy file's. */
};

/* An empty inventory with its arena, the default calendar, policy and UTC;
 * NULL: out of memory.  For model/io/ and tests, which then fill tables. */
struct dcp_inventory *dcp_inventory_create(struct dcp_error *err) DCP_CHECKED;
void dcp_inventory_destroy(struct dcp_inventory *);

dcp_host_id dcp_inventory_find_host(const struct dcp_inventory *,
                                    const char *name);
dcp_vm_id dcp_inventory_find_vm(const struct dcp_inventory *,
                                const char *name);
/* The room and the site of a host's rack; none when not given. */
dcp_room_id dcp_host_room(const struct dcp_inventory *, dcp_host_id);
dcp_site_id dcp_host_site(const struct dcp_inventory *, dcp_host_id);
/* The site of a rack (may be none); with one site there is no doubt. */
dcp_site_id dcp_rack_site(const struct dcp_inventory *, dcp_rack_id);
/* The zone of the host's site, or the model's. */
const struct dcp_zone *dcp_host_zone(const struct dcp_inventory *,
                                     dcp_host_id);
bool dcp_ids_contain(const struct dcp_ids *, uint32_t ix); /* Ascending. */
/* Position in generation_name, or UINT32_MAX when not listed. */
uint32_t dcp_inventory_generation(const struct dcp_inventory *,
                                  const char *name);

DCP_DEFINE_AUTO(dcp_inventory)

#endif /* model/inventory.h */
