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
#include "traces/fit.h"

/* --- Input -------------------------------------------------------------- */

/* One thing that happened; ascending by time. */
struct dcp_sim_event {
    int64_t at_ms;
    const struct dcp_step *step; /* Borrowed. */
    enum dcp_action_phase phase;
};

struct dcp_sim_result;

struct dcp_sim_input {
    const struct dcp_inventory *inventory;
    /* Reference MHz, none missing (see dcp_sim_fill()). */
    const struct dcp_samples *cpu;
    const struct dcp_placement *start;
    int64_t from_ms, to_ms; /* Within the samples. */
    /* Events before from_ms have happened by then and are not counted; those
     * from to_ms on are not looked at. */
    const struct dcp_sim_event *events;
    uint32_t n_events;
    /* The same window without the plan: a watt more or less than there counts
     * at the site's marginal PUE.  NULL: all watts at the average PUE. */
    const struct dcp_sim_result *reference;
};

/* --- Result ------------------------------------------------------------- */

struct dcp_sim_slice { /* One sample's time. */
    int64_t start_ms, end_ms;
    double hosts_on;        /* Mean number of hosts that serve. */
    double it_w, meter_w;   /* Means. */
    double demand_mhz;      /* Mean asked on hosts, with migration overhead. */
    double capacity_mhz;    /* Mean of hosts that serve. */
    double overload_host_s; /* Host-seconds with demand above capacity. */
    double migrating;       /* Mean number of migrations under way. */
};
struct dcp_sim_host {
    double on_s, off_s, switching_s; /* Sum to the horizon. */
    double overload_s, unmet_mhz_s;
    double it_j;
    uint32_t shutdowns;
};
struct dcp_sim_tenant {
    double overload_vm_s; /* VM-seconds on overloaded hosts. */
    double unmet_mhz_s, requested_mhz_s;
};

struct dcp_sim_result {
    uint32_t n_vms, n_hosts, n_slices;
    int64_t from_ms, to_ms;
    uint64_t n_samples; /* VM samples replayed. */

    double it_kwh, meter_kwh, energy_cost, carbon_kg;
    double boot_kwh, shutdown_kwh, standby_kwh; /* Parts of it_kwh. */

    double overload_host_s; /* Demand above capacity, over hosts. */
    double unmet_cpu_mhz_s; /* VM demand not served because of that. */
    double requested_mhz_s; /* VM demand. */
    double degraded_mhz_s;  /* Loss of migrating VMs, as estimated. */
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

    struct dcp_sim_slice *slices; /* Owned, as are those below. */
    struct dcp_sim_host *hosts;
    double *vm_overload_s;          /* By VM. */
    struct dcp_sim_tenant *tenants; /* By tenant; the last one is "none". */
    double *site_it_j;              /* [slice][site], last column: no site. */
    uint32_t n_site_columns;
    struct dcp_placement *end; /* Where all stands at to_ms. */
};

bool dcp_simulate(const struct dcp_sim_input *, struct dcp_sim_result *out,
                  struct dcp_error *err) DCP_CHECKED;
void dcp_sim_result_finish(struct dcp_sim_result *);

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

#endif /* sim/sim.h */
