/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Rows of who and what runs: tenants, tiers, flavours, VMs, licences. */

#include "model/io/schema_rows.h"

#define PRIORITIES "low|normal|high"

static const struct dcp_schema_row tenant_rows[] = {
    { "quota", SECTION("tenants.quota"), .help = "what it may have in all" },
};
DEFINE_SECTION(tenant, "tenants", "tenant", TENANT, sizeof(struct dcp_tenant),
               "Who VMs belong to.");

static const struct dcp_schema_row quota_rows[] = {
    { "memory", QUANTITY(SIZE), AT(struct dcp_tenant, quota_mem_mib),
      .help = "allocated memory of its VMs; absent: no limit" },
    { "vcpus", QUANTITY(NUMBER), AT(struct dcp_tenant, quota_vcpus),
      .help = "vCPUs of its VMs; absent: no limit" },
};
DEFINE_SECTION(quota, "tenants.quota", "quota", NONE, 0, "A tenant's limits.");

static const struct dcp_schema_row application_rows[] = {
    { "vms", REFERENCE(VM), LIST, .help = "its VMs, in the order they start" },
    { "availability", QUANTITY(SHARE),
      AT(struct dcp_application, sla_availability), .max = 1,
      .help = "what was promised; absent: nothing" },
    { "needs", QUANTITY(NUMBER), AT(struct dcp_application, needs), .min = 1,
      .max = 4294967295.0,
      .help = "so many of its VMs must run for it to be up; absent: all" },
};
DEFINE_SECTION(application, "applications", "application", APPLICATION,
               sizeof(struct dcp_application),
               "Groups of VMs that start in an order.");

static const struct dcp_schema_row tier_rows[] = {
    { "cpu_overcommit", QUANTITY(NUMBER), AT(struct dcp_tier, cpu_overcommit),
      .min = 0.01, .max = 1000, .fallback = "4",
      .help = "vCPUs per physical core, at most" },
    { "memory_overcommit", QUANTITY(NUMBER),
      AT(struct dcp_tier, memory_overcommit), .min = 0.01, .max = 100,
      .fallback = "1", .help = "allocated memory counts divided by this" },
    { "percentile", .value = DCP_VALUE_PERCENTILE,
      AT(struct dcp_tier, percentile), .fallback = "p95",
      .help = "of the usage samples of a bucket that is planned for" },
    { "margin", QUANTITY(SHARE), AT(struct dcp_tier, margin_frac), .max = 10,
      .fallback = "10%", .help = "added to planned CPU" },
    { "availability", QUANTITY(SHARE), AT(struct dcp_tier, sla_availability),
      .max = 1, .help = "what each of its VMs was promised; absent: nothing" },
};
DEFINE_SECTION(tier, "tiers", "tier", TIER, sizeof(struct dcp_tier),
               "Classes of service.  A tier `default` with the defaults below "
               "always exists.");

static const struct dcp_schema_row profile_rows[] = {
    { "weekday", QUANTITY(SHARE), LIST, .required = true,
      .help = "24 shares of the VM's CPU, from midnight" },
    { "weekend", QUANTITY(SHARE), LIST, .help = "absent: as weekday" },
    { "holiday", QUANTITY(SHARE), LIST, .help = "absent: as weekday" },
    { "month-end", QUANTITY(SHARE), LIST, .help = "absent: as weekday" },
    { "classes", QUANTITY(SHARE), .shape = DCP_SHAPE_MAP_LISTS,
      .help = "24 shares for each class of calendar.classes" },
};
DEFINE_SECTION(profile, "profiles", "profile", PROFILE,
               sizeof(struct dcp_profile),
               "Hourly shapes of CPU use, for VMs without a trace.");

/* What a flavour and a VM have in common. */
#define SIZE_ROWS                                                              \
    {                                                                          \
        "vcpus",                                                               \
        QUANTITY(NUMBER),                                                      \
        AT(struct dcp_vm, vcpus),                                              \
        .min = 1,                                                              \
        .max = 4096,                                                           \
        .help = "virtual CPUs; here or in the flavour"                         \
    },                                                                         \
        { "vcpu_clock", QUANTITY(CPU), AT(struct dcp_vm, vcpu_mhz),            \
          .max = 10000,                                                        \
          .help = "clock a vCPU was sized at; absent: its host's" },           \
        { "memory",                                                            \
          QUANTITY(SIZE),                                                      \
          AT(struct dcp_vm, mem_mib),                                          \
          .min = 1,                                                            \
          .max = 4294967295.0,                                                 \
          .help = "allocated memory; here or in the flavour" },                \
        { "cpu_reservation", QUANTITY(CPU),                                    \
          AT(struct dcp_vm, cpu_reservation_mhz), .max = 4e9,                  \
          .help = "CPU it is guaranteed" },                                    \
        { "cpu_limit", QUANTITY(CPU), AT(struct dcp_vm, cpu_limit_mhz),        \
          .max = 4e9, .help = "CPU it never gets more than; absent: none" },   \
        { "cpu_shares", QUANTITY(NUMBER), AT(struct dcp_vm, cpu_shares),       \
          .max = 1000000, .help = "weight when CPU is short" },                \
        { "memory_reservation", QUANTITY(SIZE),                                \
          AT(struct dcp_vm, mem_reservation_mib),                              \
          .help = "memory that is never taken back" },                         \
        { "balloon_floor", QUANTITY(SIZE),                                     \
          AT(struct dcp_vm, balloon_floor_mib),                                \
          .help = "the balloon stops there" },                                 \
        { "dirty_rate", QUANTITY(RATE), AT(struct dcp_vm, dirty_kib_s),        \
          .help = "memory it writes; absent: not known, 10 MiB/s for each "     \
                  "vCPU are assumed" },                                        \
        { "working_set", QUANTITY(SIZE), AT(struct dcp_vm, working_set_mib),   \
          .help = "memory that it writes again and again; absent: a tenth" },  \
        { "huge_pages", QUANTITY(SIZE), AT(struct dcp_vm, huge_pages_mib),     \
          .help = "part of its memory that is huge pages" },                   \
        { "os", TEXT, AT(struct dcp_vm, os),                                   \
          .help = "guest operating system" },                                  \
        { "windows", FLAG,                                                     \
          .help = "needs VT; absent: true when os begins with win" },          \
        { "single_numa_node", FLAG, AT(struct dcp_vm, single_numa_node),       \
          .help = "must fit one NUMA node" },                                  \
        { "movable", FLAG, AT(struct dcp_vm, movable),                         \
          .help = "live migration allowed; absent: true" },                    \
        { "restart_priority", CHOICE(PRIORITIES),                              \
          AT(struct dcp_vm, restart_priority),                                 \
          .help = "order after a loss; absent: normal" },                      \
        { "hypervisors", REFERENCE(HYPERVISOR), LIST,                          \
          AT(struct dcp_vm, hypervisors),                                      \
          .help = "where it runs; absent: any" },                              \
        { "needs", CHOICE(CAPABILITIES), LIST,                                 \
          .help = "what its hypervisor must be capable of" },                  \
        { "max_downtime", QUANTITY(TIME), AT(struct dcp_vm, max_downtime_ms),  \
          .max = 8.64e7,                                                       \
          .help = "it may be down so long for a cold step of a plan; absent: " \
                  "as long as that takes" },                                   \
        { "cpu_generation", TEXT, AT(struct dcp_vm, cpu_generation_min),       \
          .help = "needs a host of this generation or a later one" },          \
        { "extras", QUANTITY(NUMBER), MAP,                                     \
          .help = "named resources it takes, such as gpu: 1" },                \
        { "tier", REFERENCE(TIER), AT(struct dcp_vm, tier),                    \
          .help = "class of service; absent: default" },                       \
    {                                                                          \
        "profile", REFERENCE(PROFILE), AT(struct dcp_vm, profile),             \
            .help = "shape of its CPU use where it has no trace"               \
    }

static const struct dcp_schema_row flavour_rows[] = { SIZE_ROWS };
DEFINE_SECTION(flavour, "flavours", "flavour", FLAVOUR, sizeof(struct dcp_vm),
               "Sizes that VMs share.  A VM's own key replaces the "
               "flavour's.");

static const struct dcp_schema_row vm_rows[] = {
    { "flavour", REFERENCE(FLAVOUR), .help = "the size it is made from" },
    { "tenant", REFERENCE(TENANT), AT(struct dcp_vm, tenant),
      .help = "whose it is" },
    { "application", REFERENCE(APPLICATION), AT(struct dcp_vm, application),
      .help = "the group it belongs to" },
    { "host", REFERENCE(HOST), AT(struct dcp_vm, host),
      .help = "where it runs at the start; absent: not placed" },
    { "trace", TEXT, AT(struct dcp_vm, trace),
      .help = "its name in usage.h5; absent: its own" },
    { "uuid", TEXT, AT(struct dcp_vm, uuid),
      .help = "of the VM at its hypervisor; absent: made from lineage and "
              "name" },
    { "nics", SECTION("vms.nics"), LIST, .help = "its network cards" },
    { "vlans", REFERENCE(VLAN), LIST, AT(struct dcp_vm, vlans),
      .help = "VLANs of its network cards, in short" },
    { "volumes", SECTION("vms.volumes"), LIST,
      .help = "its disks; in CSV: pool:size, or :size on the host's own" },
    { "disks", CHOICE("together|apart|any"), AT(struct dcp_vm, disks),
      .fallback = "together",
      .help = "volumes that are in one pool move together; or no two of them "
              "are in one pool; or each goes its own way" },
    { "tags", TEXT, LIST, .help = "words that selectors can name" },
    SIZE_ROWS,
};
DEFINE_SECTION(vm, "vms", "vm", VM, sizeof(struct dcp_vm), "Virtual machines.");

static const struct dcp_schema_row nic_rows[] = {
    { "vlan", REFERENCE(VLAN), .required = true, .help = "the VLAN it is in" },
};
DEFINE_SECTION(nic, "vms.nics", "nic", NONE, 0, "A VM's network card.");

static const struct dcp_schema_row volume_rows[] = {
    { "pool", REFERENCE(POOL), AT(struct dcp_volume, pool),
      .help = "where it is; absent: on the host's own disks" },
    { "size", QUANTITY(SIZE), AT(struct dcp_volume, size_mib), .min = 1,
      .max = 4294967295.0, .required = true, .help = "provisioned size" },
    { "iops", QUANTITY(NUMBER), AT(struct dcp_volume, iops), .max = 4e9,
      .help = "operations per second it needs; absent: not known" },
    { "rate", QUANTITY(RATE), AT(struct dcp_volume, rate_kib_s),
      .help = "throughput it needs, where its VM's was not measured; of a VM "
              "that was measured, the volume's share" },
    { "tier", CHOICE("any|archive|normal|ultrafast"),
      AT(struct dcp_volume, tier), .fallback = "any",
      .help = "tier of the pools it may be in; any: that of the pool where it "
              "is" },
};
DEFINE_SECTION(volume, "vms.volumes", "volume", NONE, sizeof(struct dcp_volume),
               "A VM's disk.");

static const struct dcp_schema_row licence_rows[] = {
    { "covers", SECTION("licences.covers"),
      .help = "the VMs it is for; needed, but with `hypervisor`: there it is "
              "all VMs" },
    { "hypervisor", REFERENCE(HYPERVISOR), AT(struct dcp_licence, hypervisor),
      .help = "the licence is of this hypervisor: hosts that run another one "
              "need none" },
    { "per", CHOICE("host|socket|socket_pair|core|vcpu|vm"),
      AT(struct dcp_licence, metric), .required = true,
      .help = "what is counted" },
    { "minimum", QUANTITY(NUMBER), AT(struct dcp_licence, minimum),
      .fallback = "0", .help = "units per host (or VM), at least" },
    { "minimum_per_socket", QUANTITY(NUMBER),
      AT(struct dcp_licence, minimum_per_socket), .fallback = "0",
      .help = "units per socket, at least" },
    { "factor", QUANTITY(NUMBER), AT(struct dcp_licence, factor), .max = 1000,
      .fallback = "1", .help = "units per counted thing" },
    { "scope", CHOICE("placed|ever_placed|reachable"),
      AT(struct dcp_licence, scope), .fallback = "placed",
      .help = "hosts that count: where a covered VM is, was within the "
              "horizon, or could be" },
    { "guests_free_on_host", FLAG, AT(struct dcp_licence, guests_free_on_host),
      .fallback = "false", .help = "a licensed host covers all its guests" },
    { "guests_per_cover", QUANTITY(NUMBER),
      AT(struct dcp_licence, guests_per_cover), .max = 1000000, .fallback = "0",
      .help = "guests that one cover of a host allows, more are stacked; 0: "
              "any number" },
    { "price", .value = DCP_VALUE_PRICE, .of = "/year",
      AT(struct dcp_licence, price_per_year), .fallback = "0",
      .help = "money per unit" },
    { "owned", QUANTITY(NUMBER), AT(struct dcp_licence, owned), .fallback = "0",
      .help = "units paid for already" },
};
DEFINE_SECTION(licence, "licences", "licence", LICENCE,
               sizeof(struct dcp_licence), "Software licences.");

static const struct dcp_schema_row covers_rows[] = {
    { "os", TEXT, LIST, .help = "VMs with one of these os" },
    { "vms", SELECTOR, LIST, .help = "VMs selected as in rules" },
};
DEFINE_SECTION(covers, "licences.covers", "covers", NONE, 0,
               "The VMs that a licence is for: any that one of the keys "
               "names.");
