/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_POLICY_H
#define DCP_MODEL_POLICY_H 1

/* The `policy:` section of the model: how full, how safe, how fast, what for.
 * Pure data; docs/model.md gives each key with its default. */

#include "model/calendar.h"
#include "model/migration.h"

enum dcp_goal {
    DCP_GOAL_COST,
    DCP_GOAL_HOSTS,
    DCP_GOAL_ENERGY,
    DCP_GOAL_LICENCES,
    DCP_GOAL_MOVES,
    DCP_GOAL_BALANCE,
    DCP_GOAL_ROOM,
};
#define DCP_GOAL_KINDS (DCP_GOAL_ROOM + 1)
#define DCP_GOALS_MAX 6
/* One goal or a weighted sum of goals; text form: model/goals.h. */
struct dcp_goal_level {
    double weight[DCP_GOAL_KINDS]; /* 0: does not count. */
};

enum dcp_loss_kind { /* What headroom survives the loss of. */
    DCP_LOSS_HOST,
    DCP_LOSS_RACK,
    DCP_LOSS_FEED,
};
#define DCP_LOSS_KINDS       (DCP_LOSS_FEED + 1)
#define DCP_LOSSES_MAX 4
#define DCP_LOSS_AT_ONCE_MAX 16u /* The highest count. */
/* Lists for each set of objects lost at once are asked for up to so many sets
 * (docs/headroom.md). */
#define DCP_LOSS_SETS_MAX 20000u

/* What one VM's CPU samples of a bucket are planned as (docs/time.md). */
enum dcp_predictor {
    DCP_PREDICT_PERCENTILE, /* The tier's percentile. */
    DCP_PREDICT_PEAK,       /* The highest. */
    DCP_PREDICT_NSIGMA,     /* Mean and so many standard deviations. */
    DCP_PREDICT_RATIO,      /* A share of what the VM was given. */
    DCP_PREDICT_MAX,        /* The larger of percentile and n-sigma. */
};

enum dcp_memory_basis { DCP_MEMORY_ALLOCATED, DCP_MEMORY_ACTIVE };
enum dcp_unpack { /* What the morning leg brings back. */
    DCP_UNPACK_NEEDED, /* As little as the day needs. */
    DCP_UNPACK_HOME,   /* Every VM to where it was. */
};

enum dcp_licence_limit { /* What a plan may need of licences. */
    DCP_LICENCES_PRICED, /* Any number, for their price. */
    DCP_LICENCES_OWNED,  /* No more than is owned, where that is stated. */
};

enum dcp_storage_moves {
    DCP_STORAGE_MOVES_DENY,  /* consolidate takes volumes as they are. */
    DCP_STORAGE_MOVES_ALLOW, /* It may move them first. */
};
/* Plans that may give VMs another hypervisor; bits. */
enum dcp_conversion_job {
    DCP_CONVERT_CONSOLIDATE = 1,
    DCP_CONVERT_EVACUATE = 2,
    DCP_CONVERT_REPAIR = 4,
    DCP_CONVERT_BALANCE = 8,
};

/* Of storage pools, and of moving volumes between them. */
struct dcp_storage_policy {
    double space_frac; /* Of what a pool may hold: fuller is relieved, and
                        * filled beyond only where nothing else ends what is
                        * worse (out of reach, over its limit); default 80 %. */
    double io_frac;    /* Likewise of its IOPS and throughput; 80 %. */
    double min_difference_frac; /* Pools of a tier are evened out where fullest
                                 * and emptiest differ by more; 5 %. */
    uint32_t moves_per_pool; /* Moves that a pool takes part in at one time; 2. */
    uint64_t move_kib_s;     /* Of one move, at most; 200 MiB/s. */
    double io_size_mib; /* Operations of a VM that states none: measured
                         * throughput by this; 0: not counted. */
    enum dcp_storage_moves moves;
    double cost_per_gib; /* What consolidate counts for moving a GiB. */
};

/* VMs that begin on a host: created, started, restored, restarted after a loss.
 */
struct dcp_warmup_policy {
    int64_t time_ms; /* So long they work more than later; 0: they do not. */
    double cpu_frac; /* More CPU by so much of their vCPUs. */
    uint64_t disk_kib_s; /* More reads and writes. */
    uint32_t at_once; /* Begin on one host at one time; 0: any number. */
};

/* What a page that a host has swapped out costs its guest; 0 in either: it is
 * not known, see sim/host/memory.h. */
struct dcp_swap_policy {
    uint32_t touches_per_s; /* Pages that a guest touches anew in each second of
                             * a vCPU's work. */
    uint32_t iops;          /* Pages that a host brings back at most. */
};

struct dcp_policy {
    enum dcp_bucket_scheme buckets;
    double target_cpu_frac, target_mem_frac, target_net_frac;
    double peak_factor; /* Planned demand is at least the bucket's peak times
                         * this; default 0: the percentile alone. */
    enum dcp_predictor predictor;
    double predict_sigmas;     /* NSIGMA and MAX; default 3. */
    double predict_ratio_frac; /* RATIO; default 0.9. */
    /* Chance constraint on the joint history (model/scenarios.h); absent: the
     * sum of per-VM demand is what must fit. */
    bool overload;
    double overload_eps_frac;  /* Share of a slot's samples, at most, in which a
                                * host may be overloaded; default 1 %. */
    bool overload_to_target;   /* Above what policy lets be used, instead of
                                * above capacity; default false. */
    uint32_t overload_samples; /* Instants kept of each bucket; default 120. */
    enum dcp_memory_basis memory_basis;

    struct dcp_loss {
        enum dcp_loss_kind kind;
        uint32_t count;
    } survive[DCP_LOSSES_MAX];
    uint32_t n_survive;    /* 0: no headroom asked for. */
    uint64_t protect_tiers; /* Bit per tier; VMs that restart elsewhere. */
    uint32_t relax_rules;  /* Bit per dcp_rule_kind not needed after a loss. */
    bool survive_to_capacity; /* After a loss hosts may fill to capacity, not
                               * only to target; default false. */

    uint32_t keep_on;      /* At least so many hosts stay on. */
    int64_t rest_ms;       /* A host that failed is not switched so long. */
    int64_t wake_proof_ms; /* A host is switched off only if it was seen to
                            * wake within this time; see model/duty.h. */
    int64_t horizon_ms;    /* Costs are compared over this time. */
    struct dcp_goal_level goals[DCP_GOALS_MAX]; /* Lexicographic. */
    uint32_t n_goals;
    bool goal_given;       /* Else: cost with prices, hosts without. */
    double goal_slack_frac; /* What a later goal may cost an earlier one. */
    double min_gain_frac;  /* A plan that gains less is not proposed. */
    enum dcp_unpack unpack;
    enum dcp_licence_limit licences;

    uint32_t out_per_host, in_per_host, units_per_10gbit;
    uint32_t host_off_at_once; /* 0: one in fifty hosts, at least one. */
    uint64_t migration_kib_s; /* Bandwidth of one migration, at most. */
    struct dcp_precopy_rules precopy;
    double migration_cpu_overhead_frac;
    int64_t move_wait_ms; /* So long a step waits, at most, for a change window
                           * to open or for CPU to spare; default 1 h. */
    int64_t cooldown_ms; /* A VM that moved less than that ago stays. */
    uint32_t moves_per_vm_week; /* In any seven days; 0: no limit. */
    uint32_t moves_per_week;    /* Of all VMs together; 0: no limit. */
    double failed_boots_frac; /* Share of the hosts that a morning wakes, at
                               * least one, that may never boot; 0: all must;
                               * default 5 %. */
    uint32_t parks_at_once; /* In one pool; default 4. */
    uint32_t conversions_per_plan; /* At most; 0: no limit. */
    uint32_t conversions_for; /* Jobs that may convert: enum
                               * dcp_conversion_job; 0: all but balance. */
    int64_t morning_lead_ms;  /* Morning leg ends so long before the window
                               * does, at least; default 15 min. */
    int64_t min_history_ms;   /* Shorter traces are not trusted; 7 d. */
    struct dcp_storage_policy storage;
    struct dcp_warmup_policy warmup;
    struct dcp_swap_policy swap;
};

void dcp_policy_default(struct dcp_policy *);
/* The limit itself, for a datacenter of so many hosts. */
uint32_t dcp_policy_host_off_at_once(const struct dcp_policy *,
                                     uint32_t n_hosts);
const char *dcp_goal_name(enum dcp_goal); /* "cost" ... */
/* False: no goal of that name. */
bool dcp_goal_parse(const char *name, enum dcp_goal *out);

#endif /* model/policy.h */
