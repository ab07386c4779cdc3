/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SIM_SIM_H
#define DCP_SIM_SIM_H 1

/* Replay of a datacenter: samples of every VM's CPU against where the VMs are,
 * with the events of plans in between.  docs/simulation.md gives each model
 * with its source and its limits.
 *
 * A time-slice sweep: at each sample every host's demand is summed from its
 * VMs; between samples only the hosts that an event touches are integrated,
 * exactly at the event's time.  One thread, integer time, sums in a fixed
 * order: equal inputs give equal bytes.
 *
 * It knows nothing of solvers; plans come as what an executor did with them
 * (sim/executor.h, or any other). Pure. */

#include "executors/virtual.h"
#include "model/slowdown.h"
#include "sim/energy/parts.h"
#include "sim/host/ready.h"
#include "traces/fit.h"

/* --- Input -------------------------------------------------------------- */

/* One thing that happened; ascending by time. */
struct dcp_sim_event {
    int64_t at_ms;
    const struct dcp_step *step; /* Borrowed. */
    enum dcp_action_phase phase;
};

struct dcp_sim_result;
struct dcp_sim_watch; /* sim/watch.h: sees all, alters nothing. */

struct dcp_sim_input {
    const struct dcp_inventory *inventory;
    /* Reference MHz, none missing (see dcp_sim_fill()): a sample of the window
     * that is no number from 0 on is DCP_E_ARGUMENT, with the VM and the time;
     * so are a model without hosts and events out of order. */
    const struct dcp_samples *cpu;
    /* MiB that VMs used, on the grid of 'cpu', missing ones NaN; NULL: not
     * measured, they use all they were given.  Only where memory can be short
     * (sim/host/memory.h). */
    const struct dcp_samples *mem;
    bool mem_is_active; /* Else what they consume. */
    /* KiB/s that VMs read and write, missing ones NaN, for who looks at storage
     * (sim/storage/io.h); the engine does not.  NULL: not measured. */
    const struct dcp_samples *disk;
    const struct dcp_placement *start;
    int64_t from_ms, to_ms; /* Within the samples, but for 'rows'. */
    /* Which row of 'cpu' stands at each slice of the window, which is then cut
     * as if the samples' grid went on for ever: usage of other days, without a
     * copy (sim/stats/bootstrap.h).  Borrowed; NULL: each slice has its own.
     * Policies and watches look at samples by their own times: a replay with
     * 'rows' shows no past samples, and takes no watches. */
    const uint32_t *rows;
    uint32_t n_rows;
    /* Events before from_ms have happened by then and are not counted; those
     * from to_ms on are not looked at. */
    const struct dcp_sim_event *events;
    uint32_t n_events;
    /* Guests that migrations of those events slow down, in any order; copied.
     * Those of VMs that do not migrate then, or by another step, are not looked
     * at. */
    const struct dcp_slowdown *slowdowns;
    uint32_t n_slowdowns;
    /* The same window without the plan: a watt more or less than there counts
     * at the site's marginal PUE.  It may go on for longer.  NULL: all watts
     * at the average PUE. */
    const struct dcp_sim_result *reference;
    const struct dcp_sim_watch *const *watches; /* Asked in this order. */
    uint32_t n_watches;
    /* The first so many are content to be asked after some slices only, and to
     * see the slice's number and nothing that was counted: alone they leave a
     * replay that nothing changes its speed (sim/sweep.h). */
    uint32_t n_coarse;
};

/* --- Result ------------------------------------------------------------- */

struct dcp_sim_slice { /* One sample's time. */
    int64_t start_ms, end_ms;
    double hosts_on;        /* Mean number of hosts that serve. */
    double it_w, meter_w;   /* Means. */
    double demand_mhz;      /* Mean asked on hosts, with migration overhead. */
    double capacity_mhz;    /* Mean of hosts that serve. */
    double overload_host_s; /* Host-seconds with demand above capacity. */
    double balloon_mib, swap_mib;    /* Mean of memory that hosts took back. */
    double migrating;                /* Mean number of migrations under way. */
    double pue;                      /* NaN: no machine draws anything. */
    double part_w[DCP_ENERGY_PARTS]; /* Of meter_w; joules until the end. */
};
struct dcp_sim_host {
    double on_s, off_s, switching_s; /* Sum to the horizon. */
    double overload_s, unmet_mhz_s;
    double requested_mhz_s;                         /* Demand of its VMs. */
    double held_mhz_s, slowed_mhz_s, stalled_mhz_s; /* Of that. */
    double balloon_mib_s, swap_mib_s;
    double it_j;
    uint32_t shutdowns;
};
struct dcp_sim_tenant {
    double overload_vm_s; /* VM-seconds on overloaded hosts. */
    double unmet_mhz_s, requested_mhz_s;
    double held_mhz_s, slowed_mhz_s, stalled_mhz_s;
    double ready_s; /* Sum over its VMs; see vm_ready_s. */
    double swap_mib_s;
};

struct dcp_sim_result {
    uint32_t n_vms, n_hosts, n_slices;
    int64_t from_ms, to_ms;
    uint64_t n_samples; /* VM samples replayed. */

    double it_kwh, meter_kwh, energy_cost, carbon_kg;
    double boot_kwh, shutdown_kwh, standby_kwh; /* Parts of it_kwh. */
    double part_kwh[DCP_ENERGY_PARTS];          /* Of meter_kwh. */
    double pue_mean, pue_min, pue_max; /* By energy; extremes of slices. */
    double over_rated_s; /* Site-seconds with a stage above its rating. */

    double overload_host_s; /* Demand above capacity, over hosts. */
    double unmet_cpu_mhz_s; /* VM demand not served because of that. */
    double requested_mhz_s; /* VM demand. */
    /* Of that, not asked of hosts, not in unmet_cpu_mhz_s: above VMs' own
     * limits; above what migrations left of their vCPUs; waiting for swap. */
    double held_mhz_s, slowed_mhz_s, stalled_mhz_s;
    double warmup_mhz_s;   /* VM demand because VMs had just begun; part of
                            * requested_mhz_s. */
    uint32_t warmups;      /* VMs that began, where that costs anything. */
    double degraded_mhz_s; /* Loss of migrating VMs, as estimated. */
    double ready_vm_s;     /* Sum of vm_ready_s. */
    double balloon_mib_s, swap_mib_s; /* Memory that hosts took back. */
    double unbacked_mib_s;            /* Neither had nor taken back. */
    double swap_wait_vm_s; /* For which VMs that wanted CPU waited for swap. */
    bool mem_measured;
    double slatah_frac, pdm_frac, slav, overall_slav, average_slav;
    /* Of (host, sample) pairs in which the host served: */
    uint64_t host_slots, host_slots_overloaded, host_slots_above_target;

    uint32_t migrations, migrations_failed;
    double migration_mean_s; /* Length; NaN: none. */
    uint32_t host_shutdowns, host_boots;
    double mean_s_before_shutdown, sd_s_before_shutdown; /* NaN: none. */
    double mean_s_before_migration, sd_s_before_migration;

    double hosts_on_mean;
    uint32_t hosts_on_min, hosts_on_max;            /* At the ends of slices. */
    double cpu_util_mean_frac, mem_alloc_mean_frac; /* Of hosts that serve. */
    uint32_t vms_unplaced; /* At the start; their demand is not counted. */
    bool stopped; /* A watch ended it at to_ms, before the window's end. */

    struct dcp_sim_slice *slices; /* Owned, as are those below. */
    struct dcp_sim_host *hosts;
    double *vm_overload_s; /* By VM, as is the next. */
    double *vm_unmet_mhz_s;
    /* By VM: seconds that its vCPUs waited for CPU, mean over them; and how
     * much of the time in each sample (sim/host/ready.h). */
    double *vm_ready_s;
    double *vm_swap_mib_s;
    struct dcp_ready *ready;
    struct dcp_sim_tenant *tenants; /* By tenant; the last one is "none". */
    double *site_it_j;              /* [slice][site], last column: no site. */
    uint32_t n_site_columns;
    struct dcp_placement *end; /* Where all stands at to_ms. */
};

bool dcp_simulate(const struct dcp_sim_input *, struct dcp_sim_result *out,
                  struct dcp_error *err) DCP_CHECKED;
void dcp_sim_result_finish(struct dcp_sim_result *);

/* The percentile of how much of a sample's time the vCPUs of VMs waited, over
 * the samples of one VM ... */
double
dcp_sim_vm_ready_frac(const struct dcp_sim_result *, uint32_t vm, double p);
/* ... and over all pairs of a VM and a sample. */
double dcp_sim_ready_frac(const struct dcp_sim_result *, double p);

/* --- In steps ------------------------------------------------------------
 *
 * The same engine for a caller that decides on the way: open, advance to when
 * something is to be looked at, look (dcp_sim_view()), apply what happens,
 * advance, ..., finish.  dcp_simulate() is open, advance to the end, finish;
 * in how many steps one advances changes no byte of the result.
 *
 * A sample holds for its interval and is known at its end.  Only those are in
 * a view: whoever decides by it cannot know the future.
 *
 * Not thread-safe; one replay belongs to one thread at a time. */

struct dcp_sim;

/* The input is copied, what it points to is borrowed until it is destroyed.
 * Its 'events' are played on the way as well. */
bool dcp_sim_open(const struct dcp_sim_input *, struct dcp_sim **out,
                  struct dcp_error *err) DCP_CHECKED;
void dcp_sim_destroy(struct dcp_sim *);
DCP_DEFINE_AUTO(dcp_sim)

/* To 'until_ms', from now to the input's end: all before it has happened, what
 * happens at it has not; less far where a watch stops it.  An error leaves a
 * replay that can only be destroyed. */
bool dcp_sim_advance(struct dcp_sim *, int64_t until_ms,
                     struct dcp_error *err) DCP_CHECKED;
/* Advances to the event and lets it happen; the step is borrowed for the call
 * only.  Before the window: as the input's events are.  At the window's end:
 * not looked at. */
bool dcp_sim_apply(struct dcp_sim *, const struct dcp_sim_event *,
                   struct dcp_error *err) DCP_CHECKED;
/* Sums up; the result is the caller's.  Before the input's end, the window ends
 * now (the reference is used where a slice of it ends now).  What is left can
 * only be destroyed. */
bool dcp_sim_finish(struct dcp_sim *, struct dcp_sim_result *out,
                    struct dcp_error *err) DCP_CHECKED;

/* More guests that are slowed down; copied.  None before now. */
bool dcp_sim_slow_down(struct dcp_sim *, const struct dcp_slowdown[],
                       uint32_t n, struct dcp_error *err) DCP_CHECKED;

enum dcp_sim_power {
    DCP_SIM_OFF,
    DCP_SIM_BOOTING,
    DCP_SIM_ON,
    DCP_SIM_STOPPING
};

enum { DCP_SIM_HISTORY = 64 }; /* Slices of which hosts' loads are kept. */

struct dcp_sim_view { /* All borrowed, until the next step. */
    const struct dcp_inventory *inventory;
    int64_t now_ms;
    const struct dcp_placement *placement;
    /* The samples that are over by now, those before the window as well:
     * reference MHz, [past][VM], row 'n_past - 1' the latest. */
    int64_t interval_ms;
    const float *vm_mhz;
    uint32_t n_past;
    uint32_t n_host_past; /* Slices that are over. */
    uint32_t n_migrating;
    bool stopped; /* By a watch: it advances no further. */
    /* By host, 1: known to be broken or under maintenance; NULL: none is. */
    const uint8_t *unfit;
};

struct dcp_sim_host_now {
    enum dcp_sim_power power;
    int64_t since_ms; /* Serves since then, if it does. */
    double capacity_mhz, target_mhz;
    double mem_mib, mem_capacity_mib;
    const uint32_t *vms; /* Borrowed, until the next step. */
    uint32_t n_vms;
};

/* For views from now on; borrowed until the replay is destroyed. */
void dcp_sim_set_unfit(struct dcp_sim *, const uint8_t unfit[]);
struct dcp_sim_view dcp_sim_view(const struct dcp_sim *);
struct dcp_sim_host_now dcp_sim_host_now(const struct dcp_sim *, uint32_t host);
/* Mean load of the host, migration overhead with it, in the slice that ended
 * 'back' slices before the latest; NaN: not in this replay, or too old. */
double
dcp_sim_host_past_mhz(const struct dcp_sim *, uint32_t host, uint32_t back);

/* --- Missing samples ---------------------------------------------------- */

struct dcp_sim_fill {
    uint64_t n_missing;      /* Samples that were missing, of VMs with some. */
    uint32_t n_vms_no_trace; /* VMs without any sample. */
};

/* Puts a value for each missing sample: the VM's last known one in the window,
 * before its first known one that, and for a VM without any what the model
 * says (its profile, else all its vCPUs may use). */
bool dcp_sim_fill(const struct dcp_inventory *, struct dcp_samples *,
                  struct dcp_sim_fill *out, struct dcp_error *err) DCP_CHECKED;

/* What the model says of 'n' VMs at 'n_times' samples from start_ms: VM i's at
 * out[i * width + t]. */
bool dcp_sim_model_rows(const struct dcp_inventory *, const uint32_t vms[],
                        uint32_t n, int64_t start_ms, int64_t interval_ms,
                        uint32_t n_times, size_t width, float *out,
                        struct dcp_error *err) DCP_CHECKED;

#endif /* sim/sim.h */
