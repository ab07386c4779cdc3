/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Rows of the top level, the calendar, the policy and the rules. */

#include "model/io/schema_rows.h"

#define P struct dcp_policy
/* In the order of enum dcp_rule_kind; tests/unit/test_rule_forms.c compares. */
#define RULE_KINDS                                                             \
    "spread|gather|fence|ban|root|separate|among|split|lonely|quarantine|"     \
    "max_skew|capacity|running_capacity|max_on|min_on|sequence|" \
    "change_window|freeze"

static const struct dcp_schema_row top_rows[] = {
    { "dcplan", CHOICE("model/1"),
      .help = "says that this is a model; needed in the first file" },
    { "lineage", TEXT, AT(struct dcp_inventory, lineage),
      .help = "UUID that ties plans to this model; written once by `dcplan "
              "init`" },
    { "timezone", TEXT, .fallback = "UTC",
      .help = "IANA zone of windows, tariffs and day classes" },
    { "currency", TEXT, AT(struct dcp_inventory, currency),
      .help = "name of the money in all prices" },
    { "include", SECTION("include"), LIST,
      .help = "more files: a path of a YAML file of this form, or {vms: "
              "vms.csv} for tables" },
    { "generations", TEXT, LIST,
      .help =
          "CPU generations, oldest first; absent: Intel's from nehalem on" },
    { "calendar", SECTION("calendar"), .help = "day classes" },
    { "tariffs", SECTION("tariffs"), .shape = DCP_SHAPE_MAP_LISTS,
      .help = "energy prices" },
    { "sites", SECTION("sites"), MAP, .help = "datacenters" },
    { "rooms", SECTION("rooms"), MAP, .help = "rooms" },
    { "feeds", SECTION("feeds"), MAP, .help = "electrical feeds" },
    { "racks", SECTION("racks"), MAP, .help = "racks" },
    { "hardware", SECTION("hardware"), MAP, .help = "models of machines" },
    { "hypervisors", SECTION("hypervisors"), MAP,
      .help = "what hypervisors can do" },
    { "switches", SECTION("switches"), MAP, .help = "network switches" },
    { "links", SECTION("links"), MAP, .help = "links" },
    { "vlans", SECTION("vlans"), MAP, .help = "VLANs" },
    { "hosts", SECTION("hosts"), MAP, .help = "machines that run VMs" },
    { "servers", SECTION("servers"), MAP, .help = "machines that do not" },
    { "arrays", SECTION("arrays"), MAP, .help = "storage arrays" },
    { "pools", SECTION("pools"), MAP, .help = "storage pools" },
    { "tenants", SECTION("tenants"), MAP, .help = "owners of VMs" },
    { "applications", SECTION("applications"), MAP, .help = "groups of VMs" },
    { "tiers", SECTION("tiers"), MAP, .help = "classes of service" },
    { "profiles", SECTION("profiles"), MAP, .help = "shapes of CPU use" },
    { "flavours", SECTION("flavours"), MAP, .help = "sizes of VMs" },
    { "vms", SECTION("vms"), MAP, .help = "virtual machines" },
    { "licences", SECTION("licences"), MAP, .help = "software licences" },
    { "policy", SECTION("policy"), .help = "how full, how safe, what for" },
    { "rules", SECTION("rules"), LIST, .help = "placement rules" },
    { "filters", SECTION("filters"), LIST, .help = "conditions by script" },
    { "scores", SECTION("scores"), LIST, .help = "preferences by script" },
};
DEFINE_SECTION(top, "", "model", NONE, sizeof(struct dcp_inventory),
               "The top level of every file of the model.");

static const struct dcp_schema_row include_rows[] = {
    { "vms", .value = DCP_VALUE_TABLE, .help = "CSV table of VMs" },
    { "hosts", .value = DCP_VALUE_TABLE, .help = "CSV table of hosts" },
    { "servers", .value = DCP_VALUE_TABLE, .help = "CSV table of servers" },
    { "racks", .value = DCP_VALUE_TABLE, .help = "CSV table of racks" },
    { "switches", .value = DCP_VALUE_TABLE, .help = "CSV table of switches" },
    { "vlans", .value = DCP_VALUE_TABLE, .help = "CSV table of VLANs" },
    { "tenants", .value = DCP_VALUE_TABLE, .help = "CSV table of tenants" },
};
DEFINE_SECTION(include, "include", "include", NONE, 0,
               "A table: a CSV file whose columns are `name` and the keys of "
               "the section; lists in a cell are separated by spaces; `a.b` "
               "is key b of the mapping a.");

static const struct dcp_schema_row calendar_rows[] = {
    { "holidays", .value = DCP_VALUE_DATE, LIST,
      .help = "days that are neither weekday nor weekend" },
    { "month_end", QUANTITY(NUMBER), .max = 15, .fallback = "0",
      .help = "the last so many days of a month are a class of their own" },
    { "classes", .value = DCP_VALUE_DATE, .shape = DCP_SHAPE_MAP_LISTS,
      .help = "named classes of days, such as backup or patch nights; they "
              "come before all others" },
};
DEFINE_SECTION(calendar, "calendar", "calendar", NONE,
               sizeof(struct dcp_calendar),
               "Day classes: weekday, weekend, holiday, month-end, and named "
               "ones (8 at most).");

static const struct dcp_schema_row policy_rows[] = {
    { "buckets", CHOICE("hour-of-day x daytype|hour-of-week|one"),
      AT(P, buckets), .fallback = "hour-of-day x daytype",
      .help = "kinds of hour that demand is learnt for" },
    { "target", SECTION("policy.target"),
      .help = "share of a host that placements may use" },
    { "peak_factor", QUANTITY(NUMBER), AT(P, peak_factor), .max = 10,
      .fallback = "0",
      .help = "planned demand is at least so many times the bucket's peak" },
    { "demand", CHOICE("percentile|peak|nsigma|ratio|max"), AT(P, predictor),
      .fallback = "percentile",
      .help = "a VM's planned CPU in a bucket: its tier's percentile, its "
              "highest sample, mean + `sigmas` standard deviations, `ratio` "
              "of what it was given, or the larger of percentile and nsigma" },
    { "sigmas", QUANTITY(NUMBER), AT(P, predict_sigmas), .max = 100,
      .fallback = "3", .help = "of demand: nsigma and max" },
    { "ratio", QUANTITY(SHARE), AT(P, predict_ratio_frac), .max = 1,
      .fallback = "90%", .help = "of demand: ratio" },
    { "overload", SECTION("policy.overload"),
      .help = "how often a host may be overloaded, by the VMs' joint history; "
              "absent: the sum of their planned demand must fit" },
    { "memory_basis", CHOICE("allocated|active"), AT(P, memory_basis),
      .fallback = "allocated",
      .help = "what memory is packed by; active needs measured memory" },
    { "headroom", SECTION("policy.headroom"), .help = "losses to survive" },
    { "keep_on", QUANTITY(NUMBER), AT(P, keep_on), .max = 1e6, .fallback = "1",
      .help = "so many hosts stay on, at least" },
    { "rest_after_failure", QUANTITY(TIME), AT(P, rest_ms), .max = 3.2e12,
      .fallback = "1d",
      .help = "a host that failed is not switched for so long (failed_at)" },
    { "wake_proof", QUANTITY(TIME), AT(P, wake_proof_ms), .max = 3.2e12,
      .fallback = "7d",
      .help = "where wakes are written down (woke_at): a host is switched off "
              "only if it woke within this time; 0: not asked" },
    { "horizon", QUANTITY(TIME), AT(P, horizon_ms), .min = 6e4, .max = 3.2e12,
      .fallback = "1d",
      .help = "costs (licences pro rata) are compared over this time" },
    { "goal", .value = DCP_VALUE_GOALS, LIST,
      .of = "cost|hosts|energy|licences|moves|balance|room",
      .help = "what is best, most important first: cost, hosts, energy, "
              "licences, moves, balance, room, or a sum such as "
              "cost+0.02*moves; absent: cost where there are prices, else "
              "hosts" },
    { "goal_slack", QUANTITY(SHARE), AT(P, goal_slack_frac), .max = 1,
      .fallback = "0%",
      .help = "a later goal may cost an earlier one so much of its value" },
    { "min_gain", QUANTITY(SHARE), AT(P, min_gain_frac), .max = 1,
      .fallback = "1%", .help = "a plan that gains less is not proposed" },
    { "unpack", CHOICE("needed|home"), AT(P, unpack), .fallback = "needed",
      .help = "what the morning brings back: what the day needs, or all" },
    { "licences", CHOICE("priced|owned"), AT(P, licences), .fallback = "priced",
      .help = "a plan may need any number of units of a licence, for their "
              "price, or no more than `owned`, where that is stated" },
    { "host_off_at_once", QUANTITY(NUMBER), AT(P, host_off_at_once), .max = 1e6,
      .fallback = "0",
      .help = "hosts that are switched at one time; 0: one in fifty, at "
              "least one" },
    { "migration", SECTION("policy.migration"), .help = "limits of moves" },
    { "storage", SECTION("policy.storage"),
      .help = "how full pools may be, and moves of volumes" },
    { "warmup", SECTION("policy.warmup"),
      .help = "what simulations take VMs to do when they begin on a host" },
    { "swap", SECTION("policy.swap"),
      .help = "what simulations take swapped pages to cost" },
    { "parking", SECTION("policy.parking"), LIST,
      .help = "VMs that may be saved or shut down for the night; the first "
              "entry that selects a VM counts" },
    { "rightsize", SECTION("policy.rightsize"),
      .help = "how VMs are resized to what they use (--rightsize)" },
    { "parks_at_once", QUANTITY(NUMBER), AT(P, parks_at_once), .min = 1,
      .max = 1000, .fallback = "4",
      .help = "VMs that are parked, or restored, at one time in one pool (or "
              "on one host, where their pool is not modelled)" },
    { "conversions", SECTION("policy.conversions"), LIST,
      .help = "ways for VMs to another hypervisor, by a cold step; the first "
              "entry that fits counts; absent: VMs keep theirs" },
    { "conversions_per_plan", QUANTITY(NUMBER), AT(P, conversions_per_plan),
      .max = 1e6, .fallback = "0",
      .help = "VMs that one plan converts, at most; 0: any number" },
    { "conversions_for", CHOICE("consolidate|evacuate|repair|balance"), LIST,
      .help = "plans that may convert VMs; absent: consolidate, evacuate, "
              "repair" },
    { "failed_boots", QUANTITY(SHARE), AT(P, failed_boots_frac), .max = 1,
      .fallback = "5%",
      .help = "of the hosts that a morning wakes so many, and at least one, "
              "may never boot and all VMs still have a place; 0%: all must "
              "boot" },
    { "morning_lead", QUANTITY(TIME), AT(P, morning_lead_ms), .max = 4.32e7,
      .fallback = "15min",
      .help = "the morning leg ends so long before the window does" },
    { "min_history", QUANTITY(TIME), AT(P, min_history_ms), .max = 3.2e12,
      .fallback = "7d", .help = "shorter traces are not trusted" },
};
DEFINE_SECTION(policy, "policy", "policy", NONE, sizeof(P),
               "How full, how safe, how fast, what for.");

static const struct dcp_schema_row target_rows[] = {
    { "cpu", QUANTITY(SHARE), AT(P, target_cpu_frac), .min = 0.01, .max = 1,
      .fallback = "80%", .help = "of CPU capacity" },
    { "memory", QUANTITY(SHARE), AT(P, target_mem_frac), .min = 0.01, .max = 1,
      .fallback = "90%", .help = "of memory capacity" },
    { "net", QUANTITY(SHARE), AT(P, target_net_frac), .min = 0.01, .max = 1,
      .fallback = "70%", .help = "of network capacity" },
};
DEFINE_SECTION(target, "policy.target", "target", NONE, 0, "Fill limits.");

static const struct dcp_schema_row overload_rows[] = {
    { "eps", QUANTITY(SHARE), AT(P, overload_eps_frac), .max = 0.5,
      .fallback = "1%",
      .help = "share of a bucket's samples, at most, in which what the VMs of "
              "a host want together is too much" },
    { "of", CHOICE("capacity|target"), .fallback = "capacity",
      .help = "too much is above the host's capacity, or above the share of "
              "it that `target` lets be used" },
    { "samples", QUANTITY(NUMBER), AT(P, overload_samples), .min = 1,
      .max = 4032, .fallback = "120",
      .help = "instants kept of each bucket, evenly chosen" },
};
DEFINE_SECTION(overload, "policy.overload", "overload", NONE, 0,
               "A chance constraint: CPU that VMs want at the same moment, not "
               "the sum of what each wants at its own; on average it still "
               "keeps `target`.");

static const struct dcp_schema_row parking_rows[] = {
    { "vms", SELECTOR, LIST, .required = true,
      .help = "name, glob, tag:, tier:, tenant:, application: or os:" },
    { "window", .value = DCP_VALUE_WINDOW, .required = true,
      .help = "local time in which they may be away" },
    { "by", CHOICE("save|shutdown"), .fallback = "save",
      .help = "memory saved to disk, or the VM shut down" },
    { "wake", TEXT,
      .help = "local time, as 06:30, from which they run again; absent: the "
              "window's end" },
    { "rate", QUANTITY(RATE), AT(struct dcp_park, rate_kib_s), .min = 1,
      .fallback = "2Gbit", .help = "of saving and restoring one VM" },
};
DEFINE_SECTION(parking, "policy.parking", "parking", NONE,
               sizeof(struct dcp_park), "VMs that may be parked.");

#define S struct dcp_rightsize
static const struct dcp_schema_row rightsize_rows[] = {
    { "resources", CHOICE("vcpus|memory"), LIST,
      .help = "what is resized; absent: both" },
    { "way", CHOICE("both|down|up"), AT(S, way), .fallback = "both",
      .help = "smaller, larger or both" },
    { "cpu_percentile", QUANTITY(SHARE), AT(S, cpu_percentile), .min = 0.5,
      .max = 1, .fallback = "99.5%",
      .help = "of a VM's CPU samples this is what it needs" },
    { "cpu_margin", QUANTITY(SHARE), AT(S, cpu_margin_frac), .max = 10,
      .fallback = "20%", .help = "and so much more" },
    { "memory_percentile", QUANTITY(SHARE), AT(S, mem_percentile), .min = 0.5,
      .max = 1, .fallback = "100%",
      .help = "of its active memory this is what it needs; memory is resized "
              "only where that was measured" },
    { "memory_margin", QUANTITY(SHARE), AT(S, mem_margin_frac), .max = 10,
      .fallback = "20%", .help = "and so much more" },
    { "history", QUANTITY(TIME), AT(S, history_ms), .max = 3.2e12,
      .fallback = "14d",
      .help = "a VM with less measured time is left alone" },
    { "min_vcpus", QUANTITY(NUMBER), AT(S, min_vcpus), .min = 1, .max = 4096,
      .fallback = "1", .help = "no VM becomes smaller" },
    { "min_memory", QUANTITY(SIZE), AT(S, min_mem_mib), .min = 1,
      .max = 4294967295.0, .fallback = "1GiB", .help = "no VM becomes smaller" },
    { "step_vcpus", QUANTITY(NUMBER), AT(S, step_vcpus), .min = 1, .max = 4096,
      .fallback = "1", .help = "sizes are multiples of it" },
    { "step_memory", QUANTITY(SIZE), AT(S, step_mem_mib), .min = 1,
      .max = 4294967295.0, .fallback = "512MiB",
      .help = "sizes are multiples of it" },
    { "least_down", QUANTITY(SHARE), AT(S, least_down_frac), .max = 1,
      .fallback = "10%", .help = "less of a resource is not worth a resize" },
    { "most_down", QUANTITY(SHARE), AT(S, most_down_frac), .max = 1,
      .fallback = "50%", .help = "no more of a resource is taken at once" },
    { "most_up", QUANTITY(SHARE), AT(S, most_up_frac), .max = 100,
      .fallback = "100%", .help = "no more of a resource is added at once" },
    { "at_limit", QUANTITY(SHARE), AT(S, at_limit_frac), .max = 1,
      .fallback = "5%",
      .help = "a VM is undersized when so many of its samples, or more, are at "
              "its limit" },
    { "cooldown", QUANTITY(TIME), AT(S, cooldown_ms), .max = 3.2e12,
      .fallback = "7d", .help = "a VM resized less than so long ago rests" },
    { "max_vms", QUANTITY(NUMBER), AT(S, max_vms), .max = 1e9, .fallback = "0",
      .help = "resized in one plan, at most; 0: no limit" },
    { "choose", CHOICE("useful|all"), AT(S, choose), .fallback = "useful",
      .help = "which VMs are made smaller: those that bring the plan's goal "
              "something, or all" },
    { "hot", CHOICE("none|grow|all"), AT(S, hot), .fallback = "none",
      .help = "what takes hold without a restart: nothing, more of both "
              "(hot-add), or less as well" },
    { "restart", CHOICE("window|any|never"), AT(S, restart),
      .fallback = "window",
      .help = "when a VM may be restarted for it: in plans with a window, in "
              "any, or in none" },
    { "restart_time", QUANTITY(TIME), AT(S, restart_ms), .max = 8.64e7,
      .fallback = "3min", .help = "how long a restart takes" },
    { "hot_time", QUANTITY(TIME), AT(S, hot_ms), .max = 8.64e7,
      .fallback = "10s", .help = "how long a resize without one takes" },
    { "exclude", SELECTOR, LIST,
      .help = "VMs that are left alone: name, glob, tag:, tier:, tenant:, "
              "application: or os:" },
};
#undef S
DEFINE_SECTION(rightsize, "policy.rightsize", "rightsize", NONE,
               sizeof(struct dcp_rightsize),
               "How sizes follow from use, and what a resize may do.");

static const struct dcp_schema_row conversion_rows[] = {
    { "from", REFERENCE(HYPERVISOR), AT(struct dcp_conversion, from),
      .required = true, .help = "the hypervisor that a VM leaves" },
    { "to", REFERENCE(HYPERVISOR), AT(struct dcp_conversion, to),
      .required = true, .help = "the hypervisor that it gets" },
    { "vms", SELECTOR, LIST,
      .help = "VMs that may; absent: all that allow the new hypervisor" },
    { "cost", .value = DCP_VALUE_PRICE, .of = "/vm",
      AT(struct dcp_conversion, cost), .fallback = "0",
      .help = "money, once for each VM: work, tests, downtime" },
    { "payback", QUANTITY(TIME), AT(struct dcp_conversion, payback_ms),
      .min = 6e4, .max = 3.2e12, .fallback = "365d",
      .help = "time over which the cost is to be saved: of it a plan counts "
              "the share that its horizon is of this" },
    { "time", QUANTITY(TIME), AT(struct dcp_conversion, fixed_ms),
      .max = 8.64e7, .fallback = "5min",
      .help = "of each VM, whatever its disks: stop, drivers, start" },
    { "rate", QUANTITY(RATE), AT(struct dcp_conversion, rate_kib_s),
      .fallback = "0",
      .help = "at which one VM's disks are converted; 0: they stay as they "
              "are" },
    { "window", .value = DCP_VALUE_WINDOW,
      .help = "local time in which a VM may be down for it; absent: any" },
};
DEFINE_SECTION(conversion, "policy.conversions", "conversion", NONE,
               sizeof(struct dcp_conversion),
               "A way to another hypervisor (docs/hypervisors.md).");

static const struct dcp_schema_row headroom_rows[] = {
    { "survive", SECTION("policy.headroom.survive"), LIST,
      .help = "each loss after which protected VMs have a place on hosts that "
              "are on" },
    { "protect", REFERENCE(TIER), LIST,
      .help = "tiers that are protected; absent: all" },
    { "relax", CHOICE(RULE_KINDS), LIST,
      .help = "rules that need not hold after a loss" },
    { "to", CHOICE("target|capacity"), .fallback = "target",
      .help = "how full hosts may be after a loss" },
};
DEFINE_SECTION(headroom, "policy.headroom", "headroom", NONE, 0,
               "What must be survivable at any time.");

static const struct dcp_schema_row loss_rows[] = {
    { "lose", CHOICE("host|rack|feed"), .required = true,
      .help = "what is lost" },
    { "count", QUANTITY(NUMBER), .min = 1, .max = 16, .fallback = "1",
      .help = "how many at once" },
};
DEFINE_SECTION(loss, "policy.headroom.survive", "loss", NONE, 0, "A loss.");

static const struct dcp_schema_row migration_rows[] = {
    { "out_per_host", QUANTITY(NUMBER), AT(P, out_per_host), .min = 1,
      .max = 1000, .fallback = "2", .help = "moves off one host at a time" },
    { "in_per_host", QUANTITY(NUMBER), AT(P, in_per_host), .min = 1,
      .max = 1000, .fallback = "2", .help = "moves onto one host at a time" },
    { "units_per_10Gbit", QUANTITY(NUMBER), AT(P, units_per_10gbit), .min = 1,
      .max = 1000, .fallback = "8",
      .help = "moves on a 10 Gbit link at a time" },
    { "bandwidth", QUANTITY(RATE), AT(P, migration_kib_s), .min = 1,
      .fallback = "4Gbit", .help = "of one move, at most" },
    { "downtime", QUANTITY(TIME), AT(P, precopy.downtime_ms), .min = 10,
      .max = 2e6, .fallback = "300ms",
      .help = "a VM stops at the end of a live move so long, at most (QEMU's "
              "downtime-limit)" },
    { "auto_converge", FLAG, AT(P, precopy.auto_converge), .fallback = "true",
      .help = "a VM that writes memory faster than it can be sent is slowed "
              "down (QEMU's auto-converge)" },
    { "timeout_per_GiB", QUANTITY(TIME), AT(P, precopy.timeout_ms_per_gib),
      .min = 1000, .max = 8.64e7, .fallback = "800s",
      .help = "a live move is given up after so long for each GiB of the VM's "
              "memory, of 2 at least" },
    { "at_timeout", CHOICE("give-up|pause"),
      AT(P, precopy.at_timeout), .fallback = "give-up",
      .help = "give-up: the VM stays; pause: it stops for all that is left" },
    { "cpu_overhead", QUANTITY(SHARE), AT(P, migration_cpu_overhead_frac),
      .max = 1, .fallback = "10%",
      .help = "of the VM's CPU, on both sides while it moves" },
    { "wait", QUANTITY(TIME), AT(P, move_wait_ms), .max = 8.64e7,
      .fallback = "1h",
      .help = "a step waits so long, at most, from its leg's start on, for a "
              "change window to open or for its hosts to have CPU to spare" },
    { "cooldown", QUANTITY(TIME), AT(P, cooldown_ms), .max = 3.2e12,
      .fallback = "30min", .help = "a VM rests so long after a move" },
    { "moves_per_vm_week", QUANTITY(NUMBER), AT(P, moves_per_vm_week),
      .max = 1e6, .fallback = "0",
      .help = "moves of one VM in seven days, at most, by the journal; 0: no "
              "limit" },
    { "moves_per_week", QUANTITY(NUMBER), AT(P, moves_per_week), .max = 1e9,
      .fallback = "0",
      .help = "moves of all VMs in seven days, at most; 0: no limit" },
};
DEFINE_SECTION(migration, "policy.migration", "migration", NONE, 0,
               "Limits of moves.");

static const struct dcp_schema_row storage_rows[] = {
    { "space", QUANTITY(SHARE), AT(P, storage.space_frac), .min = 0.01,
      .max = 1, .fallback = "80%",
      .help = "of what a pool may hold: a fuller one is relieved, and filled "
              "beyond only where nothing else ends what is worse" },
    { "io", QUANTITY(SHARE), AT(P, storage.io_frac), .min = 0.01, .max = 1,
      .fallback = "80%", .help = "likewise of its IOPS and throughput" },
    { "min_difference", QUANTITY(SHARE), AT(P, storage.min_difference_frac),
      .max = 1, .fallback = "5%",
      .help = "pools of a tier are evened out where the fullest and the "
              "emptiest differ by more" },
    { "moves_per_pool", QUANTITY(NUMBER), AT(P, storage.moves_per_pool),
      .min = 1, .max = 1000, .fallback = "2",
      .help = "moves of volumes that a pool takes part in at one time" },
    { "move_rate", QUANTITY(RATE), AT(P, storage.move_kib_s), .min = 1,
      .fallback = "200MiB/s", .help = "of one move, at most" },
    { "io_size", QUANTITY(SIZE), AT(P, storage.io_size_mib), .max = 1024,
      .fallback = "0",
      .help = "of an operation: IOPS of VMs that state none are their "
              "measured throughput by this; 0: not counted" },
    { "moves", CHOICE("deny|allow"), AT(P, storage.moves), .fallback = "deny",
      .help = "whether consolidate may move volumes so that VMs reach other "
              "hosts" },
    { "cost_per_gib", QUANTITY(NUMBER), AT(P, storage.cost_per_gib),
      .max = 1e6, .fallback = "0",
      .help = "what consolidate counts for moving a GiB, in the unit of its "
              "goal" },
};
DEFINE_SECTION(storage, "policy.storage", "storage", NONE, 0,
               "How full pools may be, and moves of volumes.");

static const struct dcp_schema_row warmup_rows[] = {
    { "time", QUANTITY(TIME), AT(P, warmup.time_ms), .max = 8.64e7,
      .fallback = "0",
      .help = "so long after they are created, started, restored or restarted "
              "VMs work more than later; 0: they do not" },
    { "cpu", QUANTITY(SHARE), AT(P, warmup.cpu_frac), .max = 1,
      .fallback = "50%",
      .help = "more CPU by so much of their vCPUs, up to all of them" },
    { "disk", QUANTITY(RATE), AT(P, warmup.disk_kib_s), .fallback = "0",
      .help = "more reads and writes of each on volumes in pools" },
    { "at_once", QUANTITY(NUMBER), AT(P, warmup.at_once), .max = 1000,
      .fallback = "0",
      .help = "VMs that begin on one host at one time, the others wait; 0: any "
              "number" },
};
DEFINE_SECTION(warmup, "policy.warmup", "warmup", NONE, 0,
               "What simulations take VMs to do when they begin on a host.");

static const struct dcp_schema_row swap_rows[] = {
    { "touches", QUANTITY(NUMBER), AT(P, swap.touches_per_s), .max = 1e9,
      .fallback = "0",
      .help = "pages that a guest touches anew in each second of a vCPU's "
              "work; those that are out have to be brought back; 0: a guest "
              "does the share of its work of which the pages are in" },
    { "iops", QUANTITY(NUMBER), AT(P, swap.iops), .max = 1e9, .fallback = "0",
      .help = "pages that a host's swap device brings back in a second at "
              "most; needed with touches" },
};
DEFINE_SECTION(swap, "policy.swap", "swap", NONE, 0,
               "What simulations take pages to cost that a host has swapped "
               "out.");

static const struct dcp_schema_row rule_rows[] = {
    { "rule", CHOICE(RULE_KINDS),
      AT(struct dcp_rule, kind), .required = true,
      .help = "what it asks; docs/rules.md has each with an example" },
    { "name", TEXT, AT(struct dcp_rule, name),
      .help = "how messages call it; absent: its kind and position" },
    { "vms", SELECTOR, LIST,
      .help = "name, glob, tag:, tier:, tenant:, application: or os:" },
    { "others", SELECTOR, LIST, .help = "the other side of separate" },
    { "hosts", SELECTOR, LIST,
      .help = "name, glob, tag:, rack:, room:, site:, feed:, switch:, "
              "hardware: or hypervisor:" },
    { "sets", SELECTOR, .shape = DCP_SHAPE_MAP_LISTS,
      .help = "named sets without a common member: of hosts (among), of VMs "
              "(split)" },
    { "over", CHOICE("host|rack|feed|room|site|switch"),
      AT(struct dcp_rule, over), .fallback = "host",
      .help = "domain of spread, gather, separate, split and max_skew" },
    { "hold", CHOICE("end|always"), AT(struct dcp_rule, hold),
      .help = "at the end of each leg, or in every state of the plan; absent: "
              "end, always for quarantine, sequence, change_window and freeze" },
    { "max", QUANTITY(NUMBER), .max = 1e9,
      .help = "VMs (max_skew, running_capacity) or hosts (max_on), at most" },
    { "min", QUANTITY(NUMBER), .max = 1e9,
      .help = "hosts that stay on (min_on)" },
    { "max_memory", QUANTITY(SIZE), .max = 1e15,
      .help = "allocated memory together (capacity)" },
    { "max_vcpus", QUANTITY(NUMBER), .max = 1e9,
      .help = "virtual CPUs together (capacity)" },
    { "hours", .value = DCP_VALUE_WINDOW,
      .help = "root: only then; change_window: when it is open" },
    { "days", TEXT, LIST,
      .help = "change_window: day classes on which it begins; absent: every "
              "day" },
    { "from", TEXT, .help = "freeze: when it begins (RFC 3339)" },
    { "until", TEXT, .help = "freeze: when it ends (RFC 3339)" },
    { "soft", QUANTITY(NUMBER),
      .help = "price of a violation; absent: the rule is hard" },
};
DEFINE_SECTION(rule, "rules", "rule", NONE, sizeof(struct dcp_rule),
               "Placement rules.  Capacity, hypervisor, CPU generation, VLAN "
               "and storage reach are not rules: they always hold.");

static const struct dcp_schema_row filter_rows[] = {
    { "name", TEXT, AT(struct dcp_filter, name), .required = true,
      .help = "how messages call it" },
    { "vms", SELECTOR, LIST, .help = "VMs that it is about; absent: all" },
    { "hold", CHOICE("end|always"), AT(struct dcp_filter, hold),
      .fallback = "end",
      .help = "at the end of each leg, or in every state of the plan" },
    { "soft", QUANTITY(NUMBER),
      .help = "price of a violation; absent: the filter is hard" },
    { "lua", TEXT, .required = true,
      .help = "the body of a function of vm and host that returns true or "
              "false, and perhaps why not: docs/business-logic.md" },
};
DEFINE_SECTION(filter, "filters", "filter", NONE, sizeof(struct dcp_filter),
               "Conditions on which hosts take which VMs; each becomes ban "
               "rules.");

static const struct dcp_schema_row score_rows[] = {
    { "name", TEXT, AT(struct dcp_score, name),
      .help = "how messages call it; absent: its position" },
    { "vms", SELECTOR, LIST,
      .help = "VMs that it is about; absent: all" },
    { "weight", QUANTITY(NUMBER), AT(struct dcp_score, weight), .min = -1e6,
      .max = 1e6, .fallback = "1",
      .help = "what the script returns counts so many times" },
    { "lua", TEXT, .required = true,
      .help = "the body of a function of vm and host that returns a number: "
              "docs/business-logic.md" },
};
DEFINE_SECTION(score, "scores", "score", NONE, sizeof(struct dcp_score),
               "Preferences in points, which rank hosts for a VM.");

static const struct dcp_schema_row policy_test_rows[] = {
    { "name", TEXT, AT(struct dcp_policy_test, name), .required = true,
      .help = "how the result calls it" },
    { "script", TEXT, AT(struct dcp_policy_test, script),
      .help = "score or filter rule that is asked; absent: the whole model" },
    { "vm", TEXT, MAP, .required = true,
      .help = "fields of the VM; {name: N} alone: the model's" },
    { "host", TEXT, MAP, .help = "fields of the host, likewise" },
    { "expect", TEXT, AT(struct dcp_policy_test, expect),
      .help = "true or false of a filter or the model, a number of a score" },
    { "best", TEXT, AT(struct dcp_policy_test, best),
      .help = "the host that `place` ranks first for the VM" },
};
DEFINE_SECTION(policy_test, "tests", "test", NONE,
               sizeof(struct dcp_policy_test),
               "What business logic is expected to say: `policy test`.");

static const struct dcp_schema_row policy_file_rows[] = {
    { "policy", SECTION("policy"),
      .help = "keys that stand in place of the model's" },
    { "rules", SECTION("rules"), LIST,
      .help = "more rules; one with the name of a rule of the model stands in "
              "its place" },
    { "filters", SECTION("filters"), LIST, .help = "more filters, likewise" },
    { "scores", SECTION("scores"), LIST, .help = "more scores, likewise" },
    { "tests", SECTION("tests"), LIST, .help = "what they are to say" },
};
DEFINE_SECTION(policy_file, "policy file", "policy file", NONE, 0,
               "A file for --policy-file: business logic that is tried, or "
               "changed, apart from the model.");

/* --- Lookup ------------------------------------------------------------- */

#define ENTRY(VARIABLE) &dcp_schema_##VARIABLE,
const struct dcp_schema_section *const dcp_schema_sections[] = { SECTIONS(
    ENTRY) };
const uint32_t dcp_schema_n_sections =
    sizeof dcp_schema_sections / sizeof dcp_schema_sections[0];
