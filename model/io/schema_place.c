/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Rows of what stands where: sites to racks, machines, network, storage. */

#include "model/io/schema_rows.h"

static const struct dcp_schema_row tariff_rows[] = {
    { "days", TEXT, LIST,
      .help = "day classes it holds on: weekday, weekend, holiday, month-end, "
              "or a class of calendar.classes; absent: every day" },
    { "hours", .value = DCP_VALUE_WINDOW,
      .help = "local hours it holds in; absent: all day" },
    { "price", .value = DCP_VALUE_PRICE, .of = "/kWh",
      AT(struct dcp_tariff_row, price_per_kwh), .required = true,
      .help = "money per kWh at the meter" },
    { "carbon", QUANTITY(EMISSION), AT(struct dcp_tariff_row, carbon_g_per_kwh),
      .fallback = "0", .help = "carbon dioxide equivalent per kWh" },
    { "price_file", TEXT,
      .help = "CSV file beside this one with prices by the hour (docs/"
              "sim-energy.md); price holds where it has none" },
    { "carbon_file", TEXT, .help = "the same for carbon" },
    { "every_year", FLAG,
      .help = "the files' values hold in other years too, moved by whole "
              "multiples of 52 weeks; absent: false" },
};
DEFINE_SECTION(tariff, "tariffs", "tariff", TARIFF, sizeof(struct dcp_tariff),
               "Energy prices: a list of rows, the first that matches counts; "
               "the last should have no condition.");

static const struct dcp_schema_row site_rows[] = {
    { "tariff", REFERENCE(TARIFF), AT(struct dcp_site, tariff),
      .help = "what energy costs here" },
    { "pue", QUANTITY(NUMBER), AT(struct dcp_site, pue), .min = 1, .max = 5,
      .help = "average watts at the meter per watt of IT; absent: from "
              "cooling, else 1" },
    { "pue_marginal", QUANTITY(NUMBER), AT(struct dcp_site, pue_marginal),
      .min = 1, .max = 5,
      .help = "watts saved at the meter per watt of IT saved; absent: pue" },
    { "cooling", SECTION("sites.cooling"),
      .help = "cooling from which the PUE follows, instead of pue" },
    { "plant", SECTION("sites.plant"),
      .help = "electrical chain and cooling from which the PUE of each instant "
              "follows, instead of pue, pue_marginal and cooling" },
    { "timezone", TEXT, .help = "IANA zone; absent: the model's" },
};
DEFINE_SECTION(site, "sites", "site", SITE, sizeof(struct dcp_site),
               "Datacenters.");

static const struct dcp_schema_row cooling_rows[] = {
    { "supply", QUANTITY(TEMPERATURE), .min = 5, .max = 40, .required = true,
      .help = "temperature of the supplied air; the chiller's coefficient of "
              "performance is 0.0068 T^2 + 0.0008 T + 0.458 (Moore et al., "
              "USENIX ATC 2005)" },
    { "losses", QUANTITY(SHARE), .max = 1, .fallback = "8%",
      .help = "UPS and distribution losses, as a share of IT power" },
};
DEFINE_SECTION(cooling, "sites.cooling", "cooling", NONE, 0,
               "PUE = (1 + losses) x (1 + 1 / COP(supply)).");

#define KINDS   DCP_STAGE_KIND_NAMES
#define PRESETS DCP_CHAIN_PRESET_NAMES
static const struct dcp_schema_row plant_rows[] = {
    { "preset", CHOICE(PRESETS),
      .help = "a chain of stages, each `units` times `rated`; instead of "
              "stages" },
    { "rated", QUANTITY(POWER), .min = 1, .max = 1e10,
      .help = "rating of each unit of the preset's stages" },
    { "units", QUANTITY(NUMBER), .min = 1, .max = 100, .fallback = "1",
      .help = "equal units that share the preset's load; 2: both sides of a "
              "redundant pair" },
    { "stages", SECTION("sites.plant.stages"), LIST,
      .help = "the chain, from the meter on" },
    { "psu_measured", QUANTITY(SHARE),
      AT(struct dcp_plant, chain.psu_measured_frac), .min = 0.5, .max = 1,
      .fallback = "94%",
      .help = "efficiency of the power supplies that watts of machines were "
              "measured with, where a stage psu stands in their place" },
    { "fixed", QUANTITY(POWER), AT(struct dcp_plant, fixed_w), .max = 1e10,
      .fallback = "0", .help = "what draws the same at all times" },
    { "supply", QUANTITY(TEMPERATURE), AT(struct dcp_plant, cooling.supply_c),
      .min = 5, .max = 40,
      .help = "temperature of the supplied air; absent: no cooling is counted" },
    { "rise", QUANTITY(NUMBER), AT(struct dcp_plant, cooling.rise_k), .min = 1,
      .max = 40, .fallback = "12",
      .help = "kelvin by which air is warmer after the machines" },
    { "cop", QUANTITY(NUMBER), AT(struct dcp_plant, cooling.cop), .min = 0.1,
      .max = 50,
      .help = "the chiller's coefficient of performance; absent: 0.0068 T^2 + "
              "0.0008 T + 0.458 of supply (Moore et al., USENIX ATC 2005)" },
    { "approach", QUANTITY(NUMBER), AT(struct dcp_plant, cooling.approach_k),
      .max = 40, .fallback = "6",
      .help = "kelvin by which free cooling stays above the temperature "
              "outside" },
    { "outside", QUANTITY(TEMPERATURE), AT(struct dcp_plant, outside_c),
      .min = -60, .max = 60,
      .help = "temperature outside, where weather has none; absent: not known, "
              "no free cooling" },
    { "weather", TEXT,
      .help = "CSV file beside this one with temperatures outside, columns "
              "time and temperature_c" },
    { "every_year", FLAG,
      .help = "the weather holds in other years too, moved by whole multiples "
              "of 52 weeks; absent: false" },
    { "fans", QUANTITY(POWER), AT(struct dcp_plant, cooling.fan_w), .max = 1e10,
      .fallback = "0", .help = "what fans of the cooling draw at fans_at" },
    { "fans_at", QUANTITY(POWER), AT(struct dcp_plant, cooling.fan_heat_w),
      .max = 1e10,
      .help = "heat at which fans draw `fans`; their power is cubic in it" },
    { "fans_minimum", QUANTITY(SHARE),
      AT(struct dcp_plant, cooling.fan_flow_min_frac), .max = 1,
      .fallback = "40%", .help = "slowest flow, of that at fans_at" },
};
DEFINE_SECTION(plant, "sites.plant", "plant", NONE, sizeof(struct dcp_plant),
               "What stands between the meter and the machines "
               "(docs/sim-energy.md).");

static const struct dcp_schema_row stage_rows[] = {
    { "kind", CHOICE(KINDS), AT(struct dcp_stage, kind), .required = true,
      .help = "what it is; psu, the machines' own supplies, comes last" },
    { "rated", QUANTITY(POWER), AT(struct dcp_stage, rated_w), .min = 1,
      .max = 1e10, .required = true, .help = "what one unit puts out at most" },
    { "units", QUANTITY(NUMBER), AT(struct dcp_stage, units), .min = 1,
      .max = 10000, .fallback = "1", .help = "equal units that share the load" },
    { "fixed", QUANTITY(SHARE), AT(struct dcp_stage, fixed_frac), .max = 1,
      .help = "loss without load, of rated" },
    { "linear", QUANTITY(SHARE), AT(struct dcp_stage, linear_frac), .max = 1,
      .help = "loss at full load that is proportional to load, of rated" },
    { "square", QUANTITY(SHARE), AT(struct dcp_stage, square_frac), .max = 1,
      .help = "loss at full load that goes with the square of load, of rated" },
    { "loads", QUANTITY(SHARE), LIST,
      .help = "loads of measured efficiencies, rising, up to 12; instead of "
              "the three above" },
    { "efficiency", QUANTITY(SHARE), LIST,
      .help = "efficiency at each of loads" },
};
DEFINE_SECTION(stage, "sites.plant.stages", "stage", NONE,
               sizeof(struct dcp_stage), "One stage of the electrical chain.");

static const struct dcp_schema_row room_rows[] = {
    { "site", REFERENCE(SITE), AT(struct dcp_room, site), .required = true,
      .help = "the site it is in" },
    { "cooling_limit", QUANTITY(POWER), AT(struct dcp_room, cooling_w),
      .help = "heat that its cooling takes away: what its racks draw together, "
              "at most; absent: no limit stated" },
};
DEFINE_SECTION(room, "rooms", "room", ROOM, sizeof(struct dcp_room),
               "Rooms of a site.");

static const struct dcp_schema_row feed_rows[] = {
    { "room", REFERENCE(ROOM), AT(struct dcp_feed, room), .required = true,
      .help = "the room it feeds" },
    { "side", CHOICE("A|B"), .help = "A or B of a redundant pair" },
    { "limit", QUANTITY(POWER), AT(struct dcp_feed, limit_w),
      .help = "watts it can carry; absent: no limit stated" },
};
DEFINE_SECTION(feed, "feeds", "feed", FEED, sizeof(struct dcp_feed),
               "Electrical feeds.");

static const struct dcp_schema_row rack_rows[] = {
    { "room", REFERENCE(ROOM), AT(struct dcp_rack, room),
      .help = "the room it stands in" },
    { "height", QUANTITY(HEIGHT), AT(struct dcp_rack, height_u), .min = 1,
      .max = 100, .fallback = "42U", .help = "usable rack units" },
    { "limit", QUANTITY(POWER), AT(struct dcp_rack, limit_w),
      .help = "watts it may draw; absent: no limit stated" },
    { "feeds", REFERENCE(FEED), LIST, AT(struct dcp_rack, feeds),
      .help = "feeds it is connected to" },
};
DEFINE_SECTION(rack, "racks", "rack", RACK, sizeof(struct dcp_rack), "Racks.");

static const struct dcp_schema_row hardware_rows[] = {
    { "sockets", QUANTITY(NUMBER), AT(struct dcp_hardware, sockets), .min = 1,
      .max = 64, .required = true, .help = "populated CPU sockets" },
    { "cores_per_socket", QUANTITY(NUMBER),
      AT(struct dcp_hardware, cores_per_socket), .min = 1, .max = 1024,
      .required = true,
      .help = "physical cores per socket; hyper-threads never count" },
    { "clock", QUANTITY(CPU), AT(struct dcp_hardware, clock_mhz), .min = 100,
      .max = 10000, .required = true, .help = "base clock of a core" },
    { "speed_factor", QUANTITY(NUMBER), AT(struct dcp_hardware, speed_factor),
      .min = 0.01, .max = 100,
      .help = "work per core-MHz against the model's reference; absent: 1, "
              "with a warning" },
    { "memory", QUANTITY(SIZE), AT(struct dcp_hardware, mem_mib), .min = 1,
      .max = 4294967295.0, .required = true, .help = "installed memory" },
    { "disk", QUANTITY(SIZE), AT(struct dcp_hardware, disk_mib),
      .max = 4294967295.0, .fallback = "0",
      .help = "the host's own disks, for volumes without a pool" },
    { "storage_iops", QUANTITY(NUMBER), AT(struct dcp_hardware, storage_iops),
      .max = 4e9,
      .help = "operations per second that its paths to storage pools carry; "
              "absent: not stated" },
    { "storage_rate", QUANTITY(RATE), AT(struct dcp_hardware, storage_kib_s),
      .help = "throughput of its paths to storage pools; absent: not stated" },
    { "nics", QUANTITY(RATE), LIST, .help = "rate of each network port" },
    { "height", QUANTITY(HEIGHT), AT(struct dcp_hardware, height_u), .min = 1,
      .max = 100, .fallback = "1U", .help = "rack units it takes" },
    { "cpu", TEXT, .help = "CPU model, for people" },
    { "cpu_generation", TEXT, AT(struct dcp_hardware, cpu_generation),
      .help = "one of `generations`" },
    { "arch", TEXT, AT(struct dcp_hardware, cpu_arch), .fallback = "x86_64",
      .help = "instruction set" },
    { "vt", FLAG, AT(struct dcp_hardware, vt), .fallback = "true",
      .help = "the CPU has hardware virtualisation" },
    { "numa_nodes", QUANTITY(NUMBER), AT(struct dcp_hardware, numa_nodes),
      .min = 1, .max = 64, .help = "NUMA nodes; absent: sockets" },
    { "huge_pages", QUANTITY(SIZE), AT(struct dcp_hardware, huge_pages_mib),
      .max = 4294967295.0, .fallback = "0",
      .help = "memory set aside as huge pages" },
    { "extras", QUANTITY(NUMBER), MAP,
      .help = "named resources that VMs count against, such as gpu: 2; at "
              "most 8 names in a model" },
    { "power", QUANTITY(POWER), LIST,
      .help = "watts at 0, 10 ... 100 % load, 11 values that never fall "
              "(SPECpower_ssj2008); absent: a generic curve by cores, with a "
              "warning" },
    { "sleep", QUANTITY(POWER), AT(struct dcp_hardware, sleep_w),
      .fallback = "8W", .help = "watts when switched off (management board)" },
    { "boot", SECTION("hardware.boot"), .help = "switching on" },
    { "shutdown", SECTION("hardware.shutdown"), .help = "switching off" },
    { "source", TEXT, .help = "where the figures are from, for people" },
};
DEFINE_SECTION(hardware, "hardware", "hardware", HARDWARE,
               sizeof(struct dcp_hardware), "Models of machines.");

static const struct dcp_schema_row boot_rows[] = {
    { "time", QUANTITY(TIME), AT(struct dcp_hardware, boot_ms), .max = 8.64e7,
      .fallback = "4min", .help = "until it can take VMs" },
    { "power", QUANTITY(POWER), AT(struct dcp_hardware, boot_w),
      .help = "watts meanwhile; absent: at 50 % load" },
};
DEFINE_SECTION(boot, "hardware.boot", "boot", NONE, 0, "Switching on.");

static const struct dcp_schema_row shutdown_rows[] = {
    { "time", QUANTITY(TIME), AT(struct dcp_hardware, shutdown_ms),
      .max = 8.64e7, .fallback = "1min", .help = "until it is off" },
    { "power", QUANTITY(POWER), AT(struct dcp_hardware, shutdown_w),
      .help = "watts meanwhile; absent: at 10 % load" },
};
DEFINE_SECTION(shutdown, "hardware.shutdown", "shutdown", NONE, 0,
               "Switching off.");

static const struct dcp_schema_row hypervisor_rows[] = {
    { "mode", CHOICE("full|paravirtualised"), .fallback = "full",
      .help = "full or paravirtualised" },
    { "needs_vt", FLAG, AT(struct dcp_hypervisor, needs_vt),
      .fallback = "false", .help = "the host's CPU must have VT" },
    { "windows", FLAG, AT(struct dcp_hypervisor, windows), .fallback = "true",
      .help = "Windows guests run, on hosts with VT" },
    { "live_migration", FLAG, AT(struct dcp_hypervisor, live_migration),
      .fallback = "true", .help = "VMs move without being stopped" },
    { "ballooning", FLAG, AT(struct dcp_hypervisor, ballooning),
      .fallback = "true", .help = "memory can be taken back from a guest" },
    { "resources", CHOICE("shared|dedicated"), .fallback = "shared",
      .help = "dedicated: no overcommit" },
    { "shares", FLAG, AT(struct dcp_hypervisor, shares), .fallback = "true",
      .help = "reservation, limit and shares are enforced" },
    { "transports", CHOICE("local|nfs|iscsi|fc|infiniband|nbd"), LIST,
      .help = "how it reaches storage; absent: all" },
    { "capabilities", CHOICE(CAPABILITIES), LIST,
      .help = "what a guest can have there; live_migration follows from the "
              "key of that name; absent: all" },
    { "vm_overhead", QUANTITY(SIZE), AT(struct dcp_hypervisor, vm_overhead_mib),
      .max = 1048576, .fallback = "0", .help = "memory on top of each VM's" },
    { "vm_overhead_share", QUANTITY(SHARE),
      AT(struct dcp_hypervisor, vm_overhead_frac), .max = 1, .fallback = "0",
      .help = "and so much of the VM's memory" },
    { "host_overhead", QUANTITY(SIZE),
      AT(struct dcp_hypervisor, host_overhead_mib), .max = 4194304,
      .fallback = "0", .help = "memory the host keeps for itself" },
    { "host_cpu", QUANTITY(CPU), AT(struct dcp_hypervisor, host_overhead_mhz),
      .max = 1000000, .fallback = "0",
      .help = "CPU the host keeps for itself" },
};
DEFINE_SECTION(hypervisor, "hypervisors", "hypervisor", HYPERVISOR,
               sizeof(struct dcp_hypervisor),
               "What each hypervisor can do.  qemu, xen, xen-pv, esx, hyperv, "
               "lxc, openvz, vbox and bhyve are built in; a key given here "
               "replaces the built-in value.");

static const struct dcp_schema_row host_rows[] = {
    { "hardware", REFERENCE(HARDWARE), AT(struct dcp_host, hardware),
      .required = true, .help = "its model" },
    { "rack", REFERENCE(RACK), AT(struct dcp_host, rack),
      .help = "the rack it is in" },
    { "unit", QUANTITY(NUMBER), AT(struct dcp_host, unit), .min = 1, .max = 100,
      .help = "its lowest rack unit" },
    { "hypervisor", REFERENCE(HYPERVISOR), AT(struct dcp_host, hypervisor),
      .fallback = "qemu", .help = "what runs its VMs" },
    { "state", CHOICE("up|standby|maintenance"), AT(struct dcp_host, state),
      .fallback = "up", .help = "up, switched off, or not to be used" },
    { "power_off", FLAG, AT(struct dcp_host, power_off_allowed),
      .fallback = "true", .help = "plans may switch it off" },
    { "serves", CHOICE("storage|mirror|gateway|quorum"), LIST,
      .help = "what it does for others: then it is not switched off" },
    { "failed_at", TEXT, .help = "when it last failed (RFC 3339)" },
    { "woke_at", TEXT,
      .help = "when it was last seen to wake from being off (RFC 3339)" },
    { "ports", SECTION("hosts.ports"), MAP,
      .help = "its network ports by NIC; in CSV: nic=switch/port/vlan+vlan" },
    { "tags", TEXT, LIST, .help = "words that selectors can name" },
};
DEFINE_SECTION(host, "hosts", "host", HOST, sizeof(struct dcp_host),
               "Physical machines that run VMs.");

static const struct dcp_schema_row port_rows[] = {
    { "switch", REFERENCE(SWITCH), AT(struct dcp_port, to), .required = true,
      .help = "the switch at the other end" },
    { "port", TEXT, AT(struct dcp_port, port),
      .help = "the port's name there" },
    { "vlans", REFERENCE(VLAN), LIST, AT(struct dcp_port, vlans),
      .help = "VLANs trunked to it now" },
};
DEFINE_SECTION(port, "hosts.ports", "port", NONE, sizeof(struct dcp_port),
               "A host's network port.");

static const struct dcp_schema_row server_rows[] = {
    { "rack", REFERENCE(RACK), AT(struct dcp_server, rack), .required = true,
      .help = "the rack it is in" },
    { "unit", QUANTITY(NUMBER), LIST, .min = 1, .max = 100,
      .help = "its unit, or the first and the last" },
    { "power", QUANTITY(POWER), AT(struct dcp_server, power_w), .fallback = "0",
      .help = "watts, always" },
    { "tenant", REFERENCE(TENANT), AT(struct dcp_server, tenant),
      .help = "whose it is" },
};
DEFINE_SECTION(server, "servers", "server", SERVER, sizeof(struct dcp_server),
               "Physical servers without VMs: rack units and watts.");

static const struct dcp_schema_row switch_rows[] = {
    { "rack", REFERENCE(RACK), AT(struct dcp_switch, rack),
      .help = "the rack it is in" },
    { "driver", TEXT, AT(struct dcp_switch, driver),
      .help = "how VLANs are changed; absent: not by us" },
    { "power", QUANTITY(POWER), AT(struct dcp_switch, power_w), .fallback = "0",
      .help = "watts, always" },
    { "uplink", QUANTITY(RATE), AT(struct dcp_switch, uplink_kib_s),
      .help = "rate of its uplink; absent: not a limit" },
};
DEFINE_SECTION(switch, "switches", "switch", SWITCH, sizeof(struct dcp_switch),
               "Network switches.");

static const struct dcp_schema_row link_rows[] = {
    { "ends", TEXT, LIST, .required = true,
      .help = "two names, each of a switch or a site" },
    { "rate", QUANTITY(RATE), AT(struct dcp_link, rate_kib_s), .required = true,
      .help = "what it carries, each way" },
};
DEFINE_SECTION(link, "links", "link", LINK, sizeof(struct dcp_link),
               "Uplinks, and links between sites.");

static const struct dcp_schema_row vlan_rows[] = {
    { "id", QUANTITY(NUMBER), AT(struct dcp_vlan, id), .min = 1, .max = 4094,
      .required = true, .help = "802.1Q number" },
    { "subnet", TEXT, AT(struct dcp_vlan, subnet), .help = "10.1.0.0/24" },
    { "pool", TEXT, AT(struct dcp_vlan, address_pool),
      .help = "addresses that may be given out: 10.1.0.20-10.1.0.200" },
};
DEFINE_SECTION(vlan, "vlans", "vlan", VLAN, sizeof(struct dcp_vlan), "VLANs.");

static const struct dcp_schema_row array_rows[] = {
    { "rack", REFERENCE(RACK), AT(struct dcp_array, rack),
      .help = "the rack it is in" },
    { "power", QUANTITY(POWER), AT(struct dcp_array, power_w), .fallback = "0",
      .help = "watts, always" },
};
DEFINE_SECTION(array, "arrays", "array", ARRAY, sizeof(struct dcp_array),
               "Storage arrays.");

static const struct dcp_schema_row pool_rows[] = {
    { "tier", CHOICE("archive|normal|ultrafast"), AT(struct dcp_pool, tier),
      .fallback = "normal", .help = "speed class" },
    { "redundancy", CHOICE("single|raid|ha"), AT(struct dcp_pool, redundancy),
      .fallback = "single", .help = "what it survives" },
    { "capacity", QUANTITY(SIZE), AT(struct dcp_pool, capacity_mib),
      .required = true, .help = "what it holds" },
    { "thin_overcommit", QUANTITY(NUMBER), AT(struct dcp_pool, thin_overcommit),
      .min = 1, .max = 100, .fallback = "1",
      .help = "provisioned may be so many times capacity" },
    { "iops", QUANTITY(NUMBER), AT(struct dcp_pool, iops),
      .help = "operations per second; absent: not stated" },
    { "rate", QUANTITY(RATE), AT(struct dcp_pool, rate_kib_s),
      .help = "throughput; absent: not stated" },
    { "reach", SELECTOR, LIST,
      .help = "hosts or racks that can open it; absent: every host" },
    { "driver", TEXT, AT(struct dcp_pool, driver),
      .help = "how volumes are made; absent: not by us" },
    { "transport", CHOICE("local|nfs|iscsi|fc|infiniband|nbd"),
      .fallback = "iscsi", .help = "how hosts reach it" },
    { "array", REFERENCE(ARRAY), AT(struct dcp_pool, array),
      .help = "the array it is on" },
};
DEFINE_SECTION(pool, "pools", "pool", POOL, sizeof(struct dcp_pool),
               "Storage pools.");
