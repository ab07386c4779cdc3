/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_PLAN_H
#define DCP_MODEL_PLAN_H 1

/* A plan: legs of steps, and what each step must wait for.  Pure data; it does
 * not know who made it (solver/) nor who carries it out (executors/, sim/).
 * The file form is model/io/plan_file.h; what makes a plan legal is judged by
 * model/check/.
 *
 * Everything lives in the plan's arena.  Built by one maker, then read-only
 * and thread-safe to read. */

#include "model/placement.h"

enum dcp_step_kind {
    DCP_STEP_MIGRATE, /* Live, or cold where 'cold' is set. */
    DCP_STEP_VM_CREATE,
    DCP_STEP_VM_START,
    DCP_STEP_VM_STOP,
    DCP_STEP_VM_PARK,
    DCP_STEP_VM_RESTORE,
    DCP_STEP_VM_DESTROY,
    DCP_STEP_VM_RESIZE,
    DCP_STEP_VOLUME_CREATE,
    DCP_STEP_VOLUME_MOVE,
    DCP_STEP_VOLUME_GROW,
    DCP_STEP_VOLUME_DELETE,
    DCP_STEP_VLAN_TRUNK,
    DCP_STEP_VLAN_UNTRUNK,
    DCP_STEP_IP_ALLOCATE,
    DCP_STEP_IP_RELEASE,
    DCP_STEP_HOST_ON,
    DCP_STEP_HOST_OFF,
    DCP_STEP_SYNC, /* Zero length: what many steps wait for. */
};
#define DCP_STEP_KINDS (DCP_STEP_SYNC + 1)

enum dcp_object_kind {
    DCP_OBJECT_NONE, /* Written as null. */
    DCP_OBJECT_VM,
    DCP_OBJECT_HOST,
    DCP_OBJECT_VLAN,
    DCP_OBJECT_VOLUME,
    DCP_OBJECT_POOL,
    DCP_OBJECT_RACK,
    DCP_OBJECT_FEED,
};
struct dcp_object { /* Written as "vm:db-1". */
    enum dcp_object_kind kind;
    uint32_t ix; /* In the inventory's table. */
};

enum dcp_reason {
    DCP_REASON_EMPTY_HOST,  /* Empties a host so that it can be off. */
    DCP_REASON_UNPACK,      /* Back, because the day needs it. */
    DCP_REASON_NIGHT_OFF,   /* Host not needed. */
    DCP_REASON_REACH,       /* VLAN needed at the target. */
    DCP_REASON_BYPASS,      /* First half of a broken cycle. */
    DCP_REASON_REPAIR,      /* Ends a violation. */
    DCP_REASON_EVACUATE,    /* Host is to be emptied. */
    DCP_REASON_RETURN,      /* Back after an evacuation. */
    DCP_REASON_PLACE,       /* First placement. */
    DCP_REASON_BALANCE,
    DCP_REASON_HEADROOM,    /* Makes room for N+k. */
    DCP_REASON_MAKE_ROOM,   /* Moves away for another VM's sake. */
    DCP_REASON_PARK,        /* Policy lets it be away for the night. */
    DCP_REASON_WAKE,        /* Back from that. */
    DCP_REASON_RIGHTSIZE,   /* The VM's size is not what it uses. */
    DCP_REASON_CONVERT,     /* Another hypervisor costs less. */
    DCP_REASON_EMPTY_POOL,  /* Pool is to be emptied. */
    DCP_REASON_RELIEVE_POOL, /* Pool is too full or too busy. */
    DCP_REASON_POOL_TIER,   /* Volume needs another tier, or another pool. */
    DCP_REASON_STORAGE_REACH, /* So that the VM can run elsewhere. */
};
#define DCP_REASONS (DCP_REASON_STORAGE_REACH + 1)

struct dcp_step {
    uint32_t id;  /* Unique in the plan, from 1 in order; 0: of none. */
    uint32_t leg; /* Index into legs. */
    enum dcp_step_kind kind;
    struct dcp_object object, from, to;
    const uint32_t *after; /* Ids of steps that must be done; ascending. */
    uint32_t n_after;
    int64_t estimate_ms;
    /* When it may start, within its leg: 0: from the leg's start on; 0: until
     * the leg's deadline.  Runners keep both: what waits for a step is not
     * moved by them, and a step that is too late is not started. */
    int64_t not_before_ms, start_by_ms;
    const char *when_text; /* What that is for; NULL: none of the two. */
    enum dcp_reason reason;
    const char *reason_text;  /* With numbers; never NULL. */
    struct dcp_object frees;  /* The host or pool whose emptying this serves. */
    bool cold;                /* MIGRATE, VM_RESIZE: VM is shut down for it. */
    /* VM_RESIZE, on the host that is both 'from' and 'to'. */
    struct dcp_vm_size size_from, size_to;
    /* MIGRATE, cold: the VM is made over from one hypervisor to another. */
    bool converts;
    dcp_hypervisor_id convert_from, convert_to;
    /* MIGRATE: the pre-copy estimate (model/migration.h). */
    uint32_t mem_mib, dirty_mib_s, bandwidth_mib_s, rounds;
    int64_t downtime_ms;
};

/* A VM is resized once in a plan, in its first leg, and for good: no later leg
 * takes it back. */

struct dcp_leg {
    const char *name; /* "evening", "morning", "out", "return", "now". */
    int64_t start_ms, deadline_ms;
    int64_t buckets_until_ms; /* States are judged on slots from start_ms. */
    struct dcp_placement *after; /* Placement and power after the leg. Owned by
                                  * the plan (destroyed with it). */
    int64_t makespan_ms;         /* Estimated. */
    int64_t makespan_bound_ms;   /* These moves take no less under the plan's
                                  * limits, in any order; 0: not known. */
};
#define DCP_LEGS_MAX 4

/* Where protected VMs restart after one loss, per leg's end state. */
struct dcp_survive {
    uint32_t leg;
    struct dcp_object lose;
    const struct dcp_object *also; /* Lost at the same time: of the same kind,
                                    * ascending from 'lose'. */
    uint32_t n_also;
    /* Hosts that are on and empty, each of which can take all protected VMs of
     * the lost host: enough of them for every host show that so many hosts may
     * be lost at once. */
    const dcp_host_id *stand_ins;
    uint32_t n_stand_ins;
    const uint32_t *vms; /* Ascending. */
    const dcp_host_id *to; /* By position in vms. */
    uint32_t n;
    const uint32_t *not_protected; /* VMs lost without a promise. */
    uint32_t n_not_protected;
};

/* Room kept for restarts, shared: each berth takes any one part, and a part is
 * lost as one.  Where the berths and parts of the objects that have most are no
 * more than there are berths, all parts that are lost with them have one
 * (docs/headroom.md). */
struct dcp_berths {
    uint32_t leg;
    enum dcp_object_kind lose; /* Hosts, racks or feeds, several at once. */
    const dcp_host_id *hosts;
    const uint32_t *n_at; /* Berths, by position in hosts. */
    uint32_t n_hosts;
    const uint32_t *vms; /* Of part i: [first[i], first[i + 1]). */
    const uint32_t *first;
    uint32_t n_parts;
};

/* A host that could have gone off for the night, and why it stays on. */
enum dcp_left_out_why {
    DCP_LEFT_OUT_WINDOW,       /* Its moves do not fit the window. */
    DCP_LEFT_OUT_FAILED_BOOTS, /* What it gets in the morning has nowhere else
                                * to be if it never boots. */
};

struct dcp_left_out {
    enum dcp_left_out_why why;
    dcp_host_id host;
    double saving; /* Of its being off; see left_out_unit. */
    uint64_t moved_mib;
    const uint32_t *vms; /* That would leave it, or come back to it. */
    uint32_t n_vms;
};

struct dcp_plan_limits {
    uint32_t out_per_host, in_per_host, units_per_10gbit, host_off_at_once;
    uint32_t moves_per_pool; /* Of volumes; 0: no volume is moved. */
};

/* What to expect, at the mean of what VMs used in the same hours
 * (model/expect.h); energy_kwh_before NaN: not known. */
struct dcp_plan_expectation {
    double energy_kwh_before, energy_kwh_after;
    double energy_cost_before, energy_cost_after;
    /* Saved by holding the last leg's placement all along. */
    double packing_kwh, packing_cost;
};

/* At planned demand, which is more than the mean.  Over the horizon; before:
 * nothing done. */
struct dcp_plan_prediction {
    double energy_kwh_before, energy_kwh_after;
    double energy_cost_before, energy_cost_after;
    double licence_cost_before, licence_cost_after;
    double cost_before, cost_after;
    double overload_host_seconds;
};

struct dcp_plan {
    struct dcp_arena *arena; /* Owns everything but the placements. */
    char uuid[40];           /* Derived from the digest. */
    char digest[72];
    const char *lineage;
    uint64_t serial;
    char model_digest[72];
    char traces_digest[72]; /* "" : none. */
    int64_t traces_from_ms, traces_until_ms;
    uint32_t vms_without_trace;
    char policy_digest[72];
    const char *tool_version;
    uint64_t seed;
    const char *options_json; /* One JSON object, as text. */
    int64_t not_before_ms, not_after_ms;

    struct dcp_leg legs[DCP_LEGS_MAX];
    uint32_t n_legs;
    struct dcp_plan_limits limits;
    struct dcp_placement *before; /* Owned. */
    const struct dcp_step *steps; /* By id: steps[id - 1]. */
    uint32_t n_steps;
    const struct dcp_survive *survive;
    uint32_t n_survive;
    const struct dcp_berths *berths;
    uint32_t n_berths;
    /* For each host that a later leg wakes: where the VMs that it should get
     * are if it never boots, 'lose' the host.  Any policy.failed_boots of a
     * leg's lists hold together. */
    const struct dcp_survive *no_boot;
    uint32_t n_no_boot;
    const struct dcp_left_out *left_out;
    uint32_t n_left_out;
    const char *left_out_unit; /* "hosts", "kWh", "EUR"; NULL: none. */

    /* The answer's standing. */
    const char *status, *goal, *bound_method;
    uint32_t hosts_on_before, hosts_on_after, hosts_lower_bound;
    double gap_frac;
    struct dcp_plan_prediction predicted;
    struct dcp_plan_expectation expected;
    const char *currency;

    /* The run, in no digest. */
    int64_t created_ms;
    const char *planner_host;
    double solve_seconds, plan_seconds;
};

/* An empty plan with an arena; NULL: out of memory. */
struct dcp_plan *dcp_plan_create(struct dcp_error *err) DCP_CHECKED;
void dcp_plan_destroy(struct dcp_plan *);
DCP_DEFINE_AUTO(dcp_plan)

/* All NaN. */
struct dcp_plan_expectation dcp_plan_expectation_none(void);
/* Energy that the plan says it saves: as expected, else at planned demand. */
double dcp_plan_saves_kwh(const struct dcp_plan *);

const char *dcp_step_kind_name(enum dcp_step_kind);      /* "migrate" ... */
const char *dcp_object_kind_name(enum dcp_object_kind);  /* "vm" ... */
const char *dcp_reason_name(enum dcp_reason);            /* "empty_host" ... */
const char *dcp_left_out_name(enum dcp_left_out_why); /* "window" ... */
bool dcp_left_out_parse(const char *, enum dcp_left_out_why *out);
const char *dcp_left_out_text(enum dcp_left_out_why); /* For people. */
/* '+' brings something up, '-' takes it away, '~' moves or changes it and ' '
 * does none of these, for people who skim a list of steps. */
char dcp_step_symbol(enum dcp_step_kind);
/* A VM comes to a host from nowhere: it is created, started or restored. */
bool dcp_step_begins_vm(const struct dcp_step *);
/* That, or its VM was shut down for it. */
bool dcp_step_boots_vm(const struct dcp_step *);
/* "not before 2026-03-02T21:30:00Z: the change window 'db' opens" for people;
 * "" where the step has no times of its own.  Returns 'out'. */
const char *
dcp_step_print_when(const struct dcp_step *, char *out, size_t size);
bool dcp_step_kind_parse(const char *, enum dcp_step_kind *out);
bool dcp_reason_parse(const char *, enum dcp_reason *out);
/* The name in the inventory's table, e.g. "db-1"; "" for none. */
const char *dcp_object_name(const struct dcp_inventory *, struct dcp_object);

/* The state in which leg 'leg' begins: before, or after the leg before it. */
const struct dcp_placement *dcp_plan_leg_start(const struct dcp_plan *,
                                               uint32_t leg);

/* The inventory as the plan's vm_resize steps leave it (model/size.h), '*out'
 * to be freed; NULL where no step resizes. */
bool dcp_plan_inventory_after(const struct dcp_plan *,
                              const struct dcp_inventory *,
                              struct dcp_inventory **out,
                              struct dcp_error *err) DCP_CHECKED;

#endif /* model/plan.h */
