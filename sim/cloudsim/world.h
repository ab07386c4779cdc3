/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SIM_CLOUDSIM_WORLD_H
#define DCP_SIM_CLOUDSIM_WORLD_H 1

/* The state of a run, for the files of this folder only.
 *
 * What makes it fast without changing a figure: a VM's demand is computed once
 * per instant; a host's sums are kept, so that a candidate costs a few
 * operations and no tentative creation; a host without VMs is left out, and
 * one of each kind stands for all; hosts that migrations touch are updated
 * once per instant, since of several updates at one time the last one counts.
 *
 * CloudSim marks VMs that leave per host and clears a mark late; as it tries
 * every target before it is used, no stale mark survives, and "migrating, and
 * not on its way in here" says the same. */

#include "model/base/rng.h"
#include "sim/cloudsim/cloudsim.h"

#define CS_HOSTS          DCP_CLOUDSIM_HOSTS
#define CS_SAMPLES        288
#define CS_TICKS          287 /* The 288th is not processed. */
#define CS_STEP_S         300.0
#define CS_FIRST_S        0.1 /* When the tasks start. */
#define CS_KINDS          2   /* Of hosts. */
#define CS_SIZES          3   /* Of VMs' memory: so many migration times. */
#define CS_HOST_RAM_MIB   4096
#define CS_BANDWIDTH_MIBS 62.5 /* Half of 1 Gbit/s. */
#define CS_NONE           UINT32_MAX
/* In a host's list: this VM is on its way in. */
#define CS_IN    (UINT32_C(1) << 31)
#define CS_VM(E) ((E) & ~CS_IN)

struct dcp_cs_kind {
    double pe_mips, total_mips;
    double watts[11];
};

/* Sums over a host's list, in its order. */
struct dcp_cs_sums {
    double free_mips;  /* What sharing left. */
    double alloc_mips; /* Given. */
    double asked_mips;
    uint32_t length;
    uint32_t ram_mib;
    double history[DCP_CLOUDSIM_HISTORY]; /* Up to world.n_summed. */
};

/* Entries of a state history are kept one at a time: the last one may still be
 * replaced by another of the same time, so it counts when the next comes. */
struct dcp_cs_host_record {
    double at_s, alloc_mips, asked_mips;
    bool any, active;
    bool was_active; /* Of the entry before. */
    double on_since_s;
    double violation_s, active_s;
};
struct dcp_cs_vm_record {
    double at_s, alloc_mips, asked_mips;
    bool any, migrating;
    bool was_migrating;
    double migrating_since_s;
    double alloc_mips_s, asked_mips_s, lost_mips_s;
};

struct dcp_cs_host {
    const struct dcp_cs_kind *kind;
    uint32_t *list; /* VMs, with CS_IN; owned. */
    uint32_t n, capacity;
    uint32_t n_real;           /* Beyond it: tentative, while optimising. */
    bool touched;              /* By a migration, at this instant. */
    bool listed;               /* In world.used. */
    bool no_target, no_source; /* While optimising. */
    double used_mips;          /* Without the migration's 10 %. */
    double used_frac, watts;   /* As of the last update. */
    struct dcp_cs_sums sums;
    struct dcp_cs_host_record record;
};

struct dcp_cs_vm {
    double mips;
    uint32_t ram_mib, size; /* size: which migration time. */
    uint32_t host;          /* CS_NONE: destroyed. */
    bool migrating;
    double used_frac, asked_mips; /* At the last update. */
    uint32_t length;
    const uint8_t *percent;
    double *history; /* [CS_TICKS]; the newest at 'newest'. */
    struct dcp_cs_vm_record record;
};

struct dcp_cs_move {
    uint32_t vm, to;
};

struct dcp_cs_tentative {
    uint32_t host;
    struct dcp_cs_sums before;
};

struct dcp_cs_spread { /* Running mean and variance. */
    uint64_t n;
    double mean, squares, sum;
};

struct dcp_cs_world {
    const struct dcp_cloudsim_input *in;
    struct dcp_cloudsim_result *out;
    struct dcp_rng rng;
    struct dcp_cs_host *hosts;
    struct dcp_cs_vm *vms;
    double *histories;
    double now_s, last_s;
    double energy_j;
    uint32_t newest, n_history; /* Where in the histories, and how many. */
    uint32_t n_summed;          /* Of which the detector looks at so many. */
    uint32_t out_capacity;

    /* While optimising. */
    uint32_t used[CS_HOSTS], n_used; /* Hosts with VMs. */
    uint32_t first_empty[CS_KINDS];  /* No empty one before it. */
    uint32_t *picked, *left;         /* [vms] each. */
    struct dcp_cs_move *moves; /* [2 * vms]: a VM is moved twice at most. */
    uint32_t n_moves;
    struct dcp_cs_tentative *tentative; /* [vms] */

    struct dcp_cs_move *under_way[CS_SIZES]; /* [2 * vms] each. */
    uint32_t n_under_way[CS_SIZES];

    struct dcp_cs_spread on_times, durations;
    double violations; /* Sum of shares missed, over entries. */
    uint64_t n_violations;
};

/* --- world.c ------------------------------------------------------------ */

bool dcp_cs_world_init(struct dcp_cs_world *, const struct dcp_cloudsim_input *,
                       struct dcp_cloudsim_result *out,
                       struct dcp_error *err) DCP_CHECKED;
void dcp_cs_world_finish(struct dcp_cs_world *);

extern const struct dcp_cs_kind dcp_cs_kinds[CS_KINDS];

/* Watts at a share of capacity: straight between the table's values. */
static inline double
dcp_cs_watts(const struct dcp_cs_kind *kind, double used_frac)
{
    double tenths = used_frac * 10;

    if (!(tenths > 0)) {
        return kind->watts[0];
    }
    if (tenths >= 10) {
        return kind->watts[10];
    }
    int below = (int)tenths, above = below + (tenths > below);
    double slope = (kind->watts[above] - kind->watts[below]) / 10;

    return kind->watts[below] + slope * (used_frac - below / 10.0) * 100;
}

/* Share of a VM's capacity that it uses at 'at_s'. */
double dcp_cs_used_frac(const uint8_t percent[CS_SAMPLES], double at_s);

/* Appends 'entry' to the host's list. */
bool dcp_cs_append(struct dcp_cs_host *, uint32_t entry,
                   struct dcp_error *err) DCP_CHECKED;
/* Takes it out; the others keep their order. */
void dcp_cs_take_out(struct dcp_cs_host *, uint32_t entry);

/* --- share.c ------------------------------------------------------------ */

/* Shares a host's capacity among its VMs at now_s and records what each got. */
void dcp_cs_share(struct dcp_cs_world *, struct dcp_cs_host *);

/* --- records.c ---------------------------------------------------------- */

void
dcp_cs_record_vm(struct dcp_cs_world *, struct dcp_cs_vm *, double alloc_mips);
void dcp_cs_record_host(struct dcp_cs_world *, struct dcp_cs_host *,
                        double asked_mips);
/* Ends all histories and fills the result. */
void dcp_cs_metrics(struct dcp_cs_world *);

/* --- sums.c: what placement and detection look at ----------------------- */

/* The newest first; world.n_history values. */
static inline const double *
dcp_cs_history(const struct dcp_cs_world *w, const struct dcp_cs_vm *vm)
{
    return vm->history + w->newest;
}

/* Counts the detector's sums and memory anew from 'n' entries of the list. */
void dcp_cs_sum_up(const struct dcp_cs_world *, struct dcp_cs_host *,
                   const uint32_t list[], uint32_t n);
/* With 'vm' at the end, which asks for 'mips'. */
void
dcp_cs_sum_add(const struct dcp_cs_world *, const struct dcp_cs_kind *,
               struct dcp_cs_sums *, const struct dcp_cs_vm *, double mips);
bool dcp_cs_overloaded(const struct dcp_cs_world *, const struct dcp_cs_kind *,
                       const struct dcp_cs_sums *);

/* --- place.c ------------------------------------------------------------ */

/* The host whose power grows least (of equal ones the first), with room for
 * 'mips' and, if 'memory', for the VM's memory, that the VM would not
 * overload; CS_NONE: none.  Hosts marked no_target are left out, and hosts
 * without VMs unless 'empty_too'. */
uint32_t dcp_cs_find_host(struct dcp_cs_world *, const struct dcp_cs_vm *,
                          double mips, bool empty_too, bool memory);
/* First fit, and the same by power for the policies that move VMs. */
bool
dcp_cs_create_vms(struct dcp_cs_world *, struct dcp_error *err) DCP_CHECKED;

/* --- select.c, correlation.c -------------------------------------------- */

/* Which of the list's VMs leaves an overloaded host: an index. */
uint32_t
dcp_cs_select(struct dcp_cs_world *, const uint32_t list[], uint32_t n);
/* The one of 'n' series of 'length' values that the others explain best: the
 * highest R^2 of a regression with intercept.  False: too few values, or a
 * singular matrix. */
bool dcp_cs_most_correlated(const double *const series[], uint32_t n,
                            uint32_t length, uint32_t *out);

/* --- optimise.c --------------------------------------------------------- */

/* Chooses moves[]; leaves all lists as they were. */
bool dcp_cs_optimise(struct dcp_cs_world *, struct dcp_error *err) DCP_CHECKED;

#endif /* sim/cloudsim/world.h */
